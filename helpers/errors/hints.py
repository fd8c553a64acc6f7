"""What may cure an error that stopped a cell: the names, keys and arguments that there are, and
what beginners mix up.
"""

from __future__ import annotations

import ast
import difflib
import errno
import inspect
import linecache
import os
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MADE_BY = {  # names that a notebook's first cells make
    "helpers": "import helpers",
    "OpenAI": "from openai import OpenAI",
    "client": "client = OpenAI()",
    "pd": "import pandas as pd",
    "json": "import json",
    "datetime": "import datetime",
    "re": "import re",
}
IMPORTED = {  # names that readers add, which no cell imports before
    "Literal": "from typing import Literal",
    "Optional": "from typing import Optional",
    "Enum": "from enum import Enum",
    "Field": "from pydantic import Field",
    "BaseModel": "from pydantic import BaseModel",
    "AsyncOpenAI": "from openai import AsyncOpenAI",
    "np": "import numpy as np",
    "px": "import plotly.express as px",
    "math": "import math",
    "time": "import time",
    "random": "import random",
    "os": "import os",
    "asyncio": "import asyncio",
}


def statement_at(source: list[str], line: int) -> Any:
    """The innermost simple statement, or head of a compound one, at a line of a cell."""
    try:
        tree = ast.parse("".join(source))
    except SyntaxError:  # a cell with magics
        return None
    inside = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt)
        and n.lineno <= line <= (n.end_lineno or n.lineno)
        and not hasattr(n, "body")
    ]
    return max(inside, key=lambda n: n.lineno, default=None)


def hint(shell: Any, error: BaseException, own: list[Any]) -> str:
    """What may cure an error, in a sentence, or "". own: [(frame, line, source)] of the notebook's
    own cells, outermost first.
    """
    name = type(error).__name__
    for kind, find in HINTS.items():
        if name == kind or any(base.__name__ == kind for base in type(error).__mro__):
            try:
                said = find(shell, error, own)
            except Exception:  # a hint is never worth a second error
                said = ""
            if said:
                return said
    return ""


def near(word: object, words: Iterable[object], most: int = 3) -> list[str]:
    """Those of `words` that look like `word`, nearest first."""
    known = [str(w) for w in words]
    lower = {w.lower(): w for w in reversed(known)}
    found = difflib.get_close_matches(str(word).lower(), list(lower), most, 0.5)
    return [lower[w] for w in found]


def listed(words: Iterable[object], word: object = "", most: int = 12) -> str:
    """Words in a line, those like `word` first; how many more there are."""
    known = [str(w) for w in dict.fromkeys(words)]
    first = near(word, known)
    known = first + [w for w in known if w not in first]
    rest = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(known[:most]) + rest


def _name(shell, error, own):
    missing = error.name or ""
    if missing in MADE_BY:
        return (
            f"A cell above makes it, with `{MADE_BY[missing]}`: run the cells above, from the top."
        )
    if missing in IMPORTED:
        return f"It has to be imported first: `{IMPORTED[missing]}`, here or in a cell above."
    like = near(
        missing,
        [n for n in shell.user_ns if not n.startswith("_") and n not in shell.user_ns_hidden],
    )
    if like:
        return f"Did you mean {' or '.join(like)}? Else run the cells above, from the top."
    return "If a cell above makes it, run the cells above, from the top; else it is a text without its quotes, or a name not yet given."


def _attribute(shell, error, own):
    thing, missing = error.obj, error.name
    kind = type(thing).__name__
    if missing == "output_text" and hasattr(thing, "choices"):
        return "This is an answer of Chat Completions: its text is in choices[0].message.content."
    if missing == "choices" and hasattr(thing, "output_text"):
        return "This is an answer of the Responses API: its text is in output_text."
    if missing == "choices" and isinstance(thing, tuple):
        return "An answer that does not stream is no row of chunks: its text is in choices[0].message.content."
    if missing == "message" and hasattr(thing, "delta"):
        return "This is a piece of a stream: its text is in delta.content."
    if thing is None:
        return "The value before the dot is None: nothing was answered or found there."
    fields = getattr(type(thing), "model_fields", None) or [n for n in dir(thing) if not n.startswith("_")]  # fmt: skip
    return f"{kind} has {listed(fields, missing)}."


def _key(shell, error, own):
    """Which keys there are: the subscripts of the statement are looked at again, by name alone."""
    missing = error.args[0] if error.args else ""
    if missing == "OPENAI_BASE_URL":
        return "Run helpers.connect() first: it sets the address that this asks."
    for container in _containers(shell, error, own):
        keys = _keys(container, missing)
        if keys:
            word = missing if not isinstance(missing, tuple) else " ".join(map(str, missing))
            shown = [", ".join(map(repr, k)) if isinstance(k, tuple) else k for k in keys]
            if len(keys) > 2 and keys == list(range(len(keys))):
                return f"There are: 0 to {len(keys) - 1}."
            return f"There are: {listed(shown, word)}."
    return ""


def _containers(shell, error, own):
    """What may have been looked into, nearest first."""
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        indexer = frame.f_locals.get("self")
        if type(indexer).__module__.startswith("pandas") and type(indexer).__name__ in ("Index", "DataFrame", "Series", "MultiIndex"):  # fmt: skip
            yield indexer
    for frame, line, _ in reversed(own):
        node = statement_at(linecache.getlines(frame.f_code.co_filename), line)
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Subscript) and _plain(part.value) and _asks(part, error):
                yield from _evaluated(part.value, frame)
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Subscript) and _plain(part.value):
                yield from _evaluated(part.value, frame)
            if isinstance(part, ast.comprehension) and _plain(part.iter):
                # since Python 3.12 it has no frame of its own, in which its variable could be seen
                for looped in _evaluated(part.iter, frame):
                    if isinstance(looped, (list, tuple)):
                        yield from (each for each in looped if isinstance(each, dict))
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        if frame.f_globals.get("__name__", "").startswith("helpers."):
            yield from (v for v in frame.f_locals.values() if isinstance(v, dict))


def _asks(subscript, error):
    """Whether a subscript names the very key that is missing."""
    return isinstance(subscript.slice, ast.Constant) and subscript.slice.value in error.args


def _evaluated(node, frame):
    """[the value] of names, attributes and constants in a frame; [] where they have none."""
    try:
        code = compile(ast.Expression(node), "", "eval")
        return [eval(code, frame.f_globals, {**frame.f_globals, **frame.f_locals})]
    except Exception:
        return []


def _plain(node):
    """Whether an expression only looks: names, attributes, subscripts of constants. Nothing is
    called again.
    """
    return all(
        isinstance(n, (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Load, ast.Tuple))
        for n in ast.walk(node)
    )


def _keys(container, missing):
    kind = type(container).__name__
    if kind in ("DataFrame", "Series"):
        axes = ([list(container.columns)] if kind == "DataFrame" else []) + [list(container.index[:200])]  # fmt: skip
        word = re.sub(r"[\[\]']| not in index", "", str(missing))
        return max(axes, key=lambda axis: bool(near(word, axis)) or not all(isinstance(k, int) for k in axis))  # fmt: skip
    if kind in ("Index", "MultiIndex"):
        return list(container[:200])
    if isinstance(container, dict) and missing not in container:
        return list(container)
    return []


def _index(shell, error, own):
    for container in _containers(shell, error, own):
        if isinstance(container, (list, tuple)):
            n = len(container)
            return f"It has {n}, counted from 0: the last is [{n - 1}]." if n else "It is empty."
    for frame, line, _ in reversed(own):
        node = statement_at(linecache.getlines(frame.f_code.co_filename), line)
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Subscript) and isinstance(part.value, ast.Call):
                # which is not called again
                return f"{ast.unparse(part.value)} gave fewer than that, or none: look at it in a cell of its own."
    return ""


def _type(shell, error, own):
    said = str(error)
    wrong = re.search(r"unexpected keyword argument '(\w+)'", said)
    if wrong:
        function = _called(said) or _given(own, wrong[1])
        names = function and list(inspect.signature(function).parameters)
        known = {
            ("messages", "Responses"): "The Responses API calls it input.",
            ("response_format", "Responses"): "The Responses API calls it text_format in parse(), and text={\"format\": …} in create().",
            ("reasoning_effort", "Responses"): 'The Responses API has reasoning={"effort": "low"}.',
            ("input", "Completions"): "Chat Completions calls it messages.",
            ("reasoning", "Completions"): 'Chat Completions has reasoning_effort="low".',
            ("instructions", "Completions"): "Chat Completions has a developer message for it.",
            ("max_output_tokens", "Completions"): "Chat Completions calls it max_completion_tokens.",
        }.get((wrong[1], said.split(".")[0]))  # fmt: skip
        if known:
            return known
        if wrong[1] in ("max_retries", "base_url", "api_key", "default_headers"):
            return f"That is the client's: OpenAI({wrong[1]}=…), or for one call client.with_options({wrong[1]}=…)."
        like = near(wrong[1], [n for n in names if n != "self"]) if names else []
        if like:
            return f"Did you mean {' or '.join(like)}?"
        return "That function takes no argument of this name."
    if "Missing required arguments" in said:
        return "Look whether an argument is missing, or written in another way: model, messages, input."
    if "is not JSON serializable" in said:
        return "A request holds text, numbers, lists and dictionaries: turn this object into one of them first."
    if "not subscriptable" in said:
        return "Its parts are read with a dot, such as .choices, or it is no list."
    if "unhashable type" in said:
        return "A list or a dictionary stands where one name or number is wanted."
    if "is not callable" in said:
        return "Given was a value where a function is called: hand over the function itself, without brackets and arguments."
    if "after ** must be a mapping" in said:
        return "A call's arguments come as text: json.loads(…) makes a dictionary of it."
    if "Unsupported response_format" in said or "Non BaseModel types" in said:
        return "Wanted is a class of Pydantic: class Mine(BaseModel), with its fields; no list and no dict. Put a list into a field of such a class."
    if re.search(r"can only concatenate str|can only concatenate list", said):
        return "There a number and a text, or a list, stand on the two sides of a +: make both of one kind."
    if "indices must be integers" in said and "slice" not in said:
        kind = "text" if said.startswith("string") else "list"
        return f"It is a {kind}, which has numbered places and no names: take a member of it first, with [0], or hand over what holds it."
    if re.search(
        r"'float' object cannot be interpreted|non-int of type 'float'|expects int|sequence of integers|slice indices|non-integer key",
        said,
    ):
        return "A whole number is wanted there: write 1000, not 1e3 or 1000.0."
    if "'float'" in said and "'decimal.Decimal'" in said:
        return 'Prices are exact decimals: multiply them by a whole number, 3 and not 3.0, or by Decimal("2.5"), or take float(…) of the price.'
    if re.search(r"'str'|<U\d|multiply sequence", said) and "concatenate" not in said:
        return "A text stands where a number is wanted: write it without quotes and without a unit."
    if "argument must be str" in said or "requires string as left operand" in said:
        return 'A text is wanted there, in quotes, such as "2024-12-17"; where a table has no value, it is nan.'
    return ""


def _given(own, keyword):
    """The function that the reader's statement calls with a keyword, or None."""
    for frame, line, _ in reversed(own):
        node = statement_at(linecache.getlines(frame.f_code.co_filename), line)
        for part in ast.walk(node) if node else ():
            if isinstance(part, ast.Call) and _plain(part.func):
                if keyword in [given.arg for given in part.keywords]:
                    return next(iter(_evaluated(part.func, frame)), None)
    return None


def _called(said):
    """The function that a TypeError names as `Completions.create()`, of the SDK."""
    found = re.match(r"(\w+)\.(\w+)\(\)", said)
    if not found:
        return None
    for module in [m for n, m in sys.modules.items() if n.startswith("openai.resources")]:
        owner = getattr(module, found[1], None)
        if owner is not None and hasattr(owner, found[2]):
            return getattr(owner, found[2])
    return None


GONE = "The local API does not answer: run helpers.connect() again, and then this cell."


def _connection(shell, error, own):
    from .. import running

    asked = getattr(getattr(error, "request", None), "url", None)
    if running.current is None:
        return "Nobody is connected yet: run helpers.connect(), and after it client = OpenAI()."
    there = asked.netloc.decode() if asked is not None else "another server"
    if there != running.current.url.split("/")[2]:
        return f"This client asks {there}, not the local API: make it anew after helpers.connect(), with client = OpenAI() and no base_url."
    return GONE


def _gone(shell, error, own):
    """wire(), receipt() and show() ask the local API without the SDK."""
    files = (f.f_code.co_filename.replace(os.sep, "/") for f, _ in traceback.walk_tb(error.__traceback__))  # fmt: skip
    return GONE if any(file.endswith("/local_api/child.py") for file in files) else ""


def _hung_up(shell, error, own):
    return "This session is over: the block of its `with` has ended, or the server has closed it. Open another one, with client.realtime.connect(…)."


def _beta(shell, error, own):
    files = (f.f_code.co_filename.replace(os.sep, "/") for f, _ in traceback.walk_tb(error.__traceback__))  # fmt: skip
    if any("/resources/beta/realtime/" in file for file in files):
        return "client.beta.realtime is the Realtime beta, which OpenAI removed on 2026-05-12: use client.realtime, in the shape of today."
    return ""


def _full(shell, error, own):
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            "There is no room for more: the disk is full, or in a class your seat has written all "
            "that it may. Delete what you do not need, by os.remove or in the list of files."
        )
    return _beta(shell, error, own)


def _memory(shell, error, own):
    return (
        "There is no memory for so much at once: ask for less. What other cells hold is given back "
        "by Kernel, Restart."
    )


def _no_key(shell, error, own):
    if "credentials" in str(error) or "api_key" in str(error):
        return "Run helpers.connect() first, and after it client = OpenAI(): connect() sets address and key."
    return ""


def _not_connected(shell, error, own):
    return "" if "connect()" not in str(error) else "Then make the client again: client = OpenAI()."


def _file(shell, error, own):
    path = Path(error.filename) if error.filename else None
    if not path:
        return ""
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    names = sorted(name for name in os.listdir(folder) if not name.startswith((".", "__")))
    return f"In {folder.resolve()} there are: {listed(names, path.name)}."


def _import(shell, error, own):
    module = sys.modules.get(error.name or "")
    wanted = re.search(r"cannot import name '(\w+)'", str(error))
    if module and wanted:
        return f"{error.name} has {listed([n for n in dir(module) if not n.startswith('_')], wanted[1], 6)}."
    like = near((error.name or "").split(".")[0], [n for n in sys.modules if "." not in n])
    return f"Did you mean {' or '.join(like)}?" if like else ""


def _value(shell, error, own):
    if re.search(r"invalid literal for int\(\)|could not convert string to float", str(error)):
        return "A number is wanted there, in digits, without quotes and without a unit."
    if "can only convert an array of size 1" in str(error):
        return "No row fits what is asked there, or several do: look which names the table has."
    if re.search(r"(too many|not enough) values to unpack", str(error)):
        return "To the left of the = stand more or fewer names than there are values to its right."
    # JSON Schema's times are those of RFC 3339
    if re.search(r"a valid (?:date)?time.*:60\D", str(error), re.S):
        return "A time in JSON may have a leap second, 60, which Pydantic does not read: take another seed."
    return ""


def _encode(shell, error, own):
    if sys.getfilesystemencoding().lower() in ("ascii", "latin-1", "iso8859-1"):
        return (
            "This Python knows names of files in ASCII alone, since the system's language is C and "
            "its UTF-8 mode is off: start JupyterLab again with PYTHONUTF8=1."
        )
    return ""


def _stop(shell, error, own):
    return "Give next() a second argument for that case, or look in a wider range."


def _zero(shell, error, own):
    return "A number by which is divided is 0: see below which, and give it another value."


HINTS = {
    "ZeroDivisionError": _zero,
    "ConnectionClosed": _hung_up,
    "MemoryError": _memory,
    "OSError": _full,
    "WebSocketException": _beta,
    "APIConnectionError": _connection,
    "URLError": _gone,
    "ConnectionError": _gone,
    "OpenAIError": _no_key,
    "NameError": _name,
    "AttributeError": _attribute,
    "KeyError": _key,
    "IndexError": _index,
    "FileNotFoundError": _file,
    "ImportError": _import,
    "StopIteration": _stop,
    "RuntimeError": _not_connected,
    "TypeError": _type,
    "UnicodeEncodeError": _encode,
    "ValueError": _value,
}
