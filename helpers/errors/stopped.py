"""What stopped a cell, as a short panel: the error in a sentence, the reader's own lines, and what
may cure it.

Most of a stack trace leads through packages that the reader did not write. Here only the lines of
the notebook's own cells are shown, with the values that stand in them; the whole trace is one `%tb`
away.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
import textwrap
import traceback
from typing import Any

from ..common.markup import Template
from . import hints

SHORT = 60  # characters of a value that is shown
LONG = 1000  # and of an error's text: some hold a whole file
STOPPED = Template("""
{% if lines %}<pre style="margin:.4em 0;white-space:pre-wrap">{{ lines }}</pre>{% endif %}
{% for hint in hints %}<p>{{ hint }}</p>{% endfor %}
<p style="font-size:85%">{{ note }}</p>
""")


def show(shell: Any, error: BaseException) -> None:
    """Display what stopped a cell, in the form that suits it. Called for you."""
    from openai import APIStatusError

    from .. import running
    from ..common import left_out
    from ..common.shown import show_waiting
    from . import panels

    show_waiting()
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    if isinstance(error, APIStatusError):
        off = getattr(error, "code", None) == "off_the_map"
        (panels.panel if off else panels.refusal)(error)
        return
    if isinstance(error, ImportError) and left_out.in_words(error):
        panels.lacking(error)
        return
    # a session's refusal is an event: what stopped the cell after it is its consequence
    said = _session(lambda talk: talk.error)
    if said:
        panels.said(said)
        if isinstance(error, RuntimeError) and str(error) == said.get("message"):
            return
        if _closed(error):
            return
    panel(shell, error)
    if running.current is not None and running.current.where:
        panels.otherwise(error, running.current.where)


def _session(ask):
    """What `ask` finds in the Realtime session that spoke last in this cell; {} where none did."""
    sockets = sys.modules.get("helpers.realtime.sockets")
    return ask(sockets.latest) if sockets and sockets.latest else {}


def _closed(error):
    """Whether an error says that a WebSocket is no longer open."""
    return any(kind.__name__ == "ConnectionClosed" for kind in type(error).__mro__)


def panel(shell: Any, error: BaseException) -> None:
    """Display what stopped a cell. `shell`: the running IPython; `error`: the exception, with its
    traceback.
    """
    from IPython.display import display

    title, lines, said = told(shell, error)
    note = "The whole stack trace: %tb in a cell of its own."
    from ..common.shown import Shown
    from .panels import alert

    text = [title, *lines, *said, note]
    inside = STOPPED.render(lines="\n".join(lines), hints=said, note=note)
    display(Shown("\n".join(text), alert(title, inside)))


def told(shell: Any, error: BaseException) -> tuple[str, list[str], list[str]]:
    """(title, lines of the reader's own cells, hints) for an exception."""
    own = _own_frames(shell, error)
    found = (hints.hint(shell, error, own), _values(own[-1] if own else None), _answered(error))
    said = [h for h in found if h]
    lines = list(dict.fromkeys(f"line {line}: {source}" for _, line, source in own[-3:]))
    return _title(error), lines, said


def _title(error):
    name = type(error).__name__
    if isinstance(error, AssertionError):
        return f"A check failed: {error}" if str(error) else "A check failed."
    said = str(error)
    if isinstance(error, KeyError):
        said = f"there is no {_lacking(str(error)) or error}"
    if name == "ValidationError":  # pydantic's, without the links to its pages
        said = re.sub(r"\n\s*For further information.*", "", said)
    if isinstance(error, StopIteration):
        said = "next() found nothing that fits"
    if not said:
        return f"{name} stopped this cell."
    if len(said) > LONG:
        said = f"{said[:LONG]} … ({len(said):,} characters)"
    return f"{name}: {said}"


def _lacking(said):
    """What pandas says is not there, where it wraps that into words of its own."""
    if found := re.fullmatch(r"['\"](.+) not in index['\"]", said):
        return found[1]
    if found := re.fullmatch(r"['\"]Column not found: (.+)['\"]", said):
        return repr(found[1])
    if found := re.match(r"['\"]None of \[\w*Index\(\[(.+?)\], dtype", said):
        return found[1]
    return ""


def _own_frames(shell, error):
    """[(frame, line number, source)] of the notebook's own cells, outermost first."""
    found = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals is shell.user_global_ns and not frame.f_code.co_filename.endswith(".py"):
            found.append((frame, line, _statement(frame, line)))
    return found


def _statement(frame, line):
    """The statement of a cell at a line, dedented; a long one by its first lines."""
    source = linecache.getlines(frame.f_code.co_filename)
    node = hints.statement_at(source, line)
    if node is None:
        return source[line - 1].strip() if line <= len(source) else "?"
    end = min(node.end_lineno, node.lineno + 3)
    lines = textwrap.dedent("".join(source[node.lineno - 1 : end])).rstrip()
    return lines + (" …" if node.end_lineno > end else "")


def _values(own):
    """`n = 0, k = 3` for the plain names in the statement that stopped."""
    if own is None:
        return ""
    frame, line, _ = own
    node = hints.statement_at(linecache.getlines(frame.f_code.co_filename), line)
    if node is None:
        return ""
    seen = {**frame.f_globals, **frame.f_locals}
    shown = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and type(seen.get(part.id)) in (int, float, str, bool, type(None)):  # fmt: skip
            value = repr(seen.get(part.id))
            if part.id in seen and len(value) <= SHORT:
                shown[part.id] = value
    return "There, " + ", ".join(f"{k} is {v}" for k, v in shown.items()) + "." if shown else ""


def _answered(error):
    """What the last answer of a Realtime session was, for a cell that looked for something else in
    it.
    """
    if not isinstance(error, (StopIteration, LookupError, AttributeError, TypeError, ValueError)):
        return ""
    response = _session(lambda talk: talk.answer)
    if not response:
        return ""
    from ..common.spoken import in_words

    return f"The last answer was: {in_words(response)}"
