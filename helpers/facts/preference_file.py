"""Read, check and write the JSONL files that fine-tuning takes: preference pairs and supervised
examples.

    rows, problems = read(data)     data: bytes. What is in the file decides which of the two it is.
    rows, problems = read(data, "dpo", file="file-abc")   as a job with this method would read it
    errors = [p for p in problems if p.level == "error"]  none: the file is fit for training
    problem.line, .path, .message, .level, .published, .stage, .code; str(problem) is one sentence
    rows, problems = converted(data)    a file in the form of TRL, UltraFeedback, ShareGPT or CSV
    write(rows, path)                   all or nothing: the old file stays until the new is whole

`rows` are the lines without an error, as dicts, in order. A pair is

    {"input": {"messages": [...], "tools": [...], "parallel_tool_calls": true},
     "preferred_output": [{"role": "assistant", "content": "..."}],
     "non_preferred_output": [{"role": "assistant", "content": "..."}]}

and a supervised example {"messages": [..., {"role": "assistant", "content": "..."}]}; tools and
parallel_tool_calls are optional in both. A line for reinforcement fine-tuning has messages that end
with the question, and beside them what its grader compares with. Source of the forms: OpenAI's
guides "Direct preference optimization", "Supervised fine-tuning" (and its part on vision), and
"Reinforcement fine-tuning".

Four texts are the hosted service's own (`published`): a line that is no dictionary, too few
examples, a supervised file given to a DPO job, and a message without its role. How it words
anything else about a preference file is not known; those texts are ours. Where its rule is not
known either, the stricter reading is taken, so that a file which passes here should pass there.
Standard library only: the local API reads uploads with this module.
"""

from __future__ import annotations

import csv
import difflib
import json
import re
from dataclasses import dataclass
from json import scanner
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..common.private import must_have
from ..common.strict_json import no_constant
from . import foreign_pairs, whole_file

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator


FEWEST = 10  # examples in a training file
TOLD_EVERY = 10_000  # lines
MARK = b"\xef\xbb\xbf"  # of byte order
BLANKS = b" \t\r\n"
LONG = 1_000_000  # bytes that are gone through in a few milliseconds
LARGEST = 512_000_000  # bytes: 512 MB, the smaller of the two things that MB may mean
METHODS = ("dpo", "supervised")  # of the jobs that read a file here

EXAMPLE = ("messages", "tools", "parallel_tool_calls")
QUESTION = ("user", "developer", "system")  # roles with which a line for reinforcement may end
PAIR = ("input", "preferred_output", "non_preferred_output")
OUTPUTS = PAIR[1:]
# The names in the OpenAPI file of 2025-02; the guide, Azure and practice have the names above.
OTHER_NAMES = {
    "preferred_completion": "preferred_output",
    "non_preferred_completion": "non_preferred_output",
}
ROLES = ("system", "developer", "user", "assistant", "tool")
PARTS = {"text": "text", "image_url": "image_url"}  # {type of a part: the field it has}
MESSAGE = ("role", "content", "name", "tool_calls", "tool_call_id")

# The hosted service's own words. Sources: OkGoDoIt/OpenAI-API-dotnet#59 (2023-03), an upload
# answered with 400; failed jobs of 2024-12 as their owners printed them.
NOT_A_DICTIONARY = (
    "Expected file to have JSONL format, where every line is a JSON dictionary. "
    'Line {line} is not a dictionary (HINT: line starts with: "{start}...").'
)
TOO_FEW = "Training file has {n} example(s), but must have at least 10 examples"
SUPERVISED_FILE = (
    "The job failed due to an invalid training file. Invalid file format. Input file {file} is in the "
    "fine-tune-chat format, but the specified fine-tuning job is not using 'supervised' as the training "
    "method (provided method=dpo). "
)
# As its owner saw it, of line 100 (public reports collected in 2026-11); messages count from 0.
NO_ROLE = (
    "Invalid file format. Example {line}, message {n} Discriminator 'role' is missing in value"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
HALF = "expected text that UTF-8 can hold, found half of a surrogate pair (\\ud800 to \\udfff)"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a training file, or with one field of one line.

    line: counted from 1, None for the file as a whole. path: the field, such as
    preferred_output[0].role, or the place in the line; "" for all of it. message: what is expected
    and what is there. level: "error", or "warning" for what trains but should not be there.
    published: is `message` the hosted service's own text? stage: "upload" where the hosted service
    refuses the upload (400), "job" where the job fails. code: the error code of the job, None at
    upload. more: what we add to a published text.
    """

    line: int | None
    path: str
    message: str
    level: str = "error"
    published: bool = False
    stage: str = "job"
    code: str | None = "invalid_training_file"
    more: str = ""

    def __str__(self):
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.path}{': ' if self.path else ''}{self.message.strip()}{' ' if self.more else ''}{self.more}"


class _Object(dict):
    """A JSON object that remembers which of its keys came twice."""

    twice: tuple[str, ...] = ()


def read(
    data: bytes | bytearray,
    method: str | None = None,
    file: str = "(this file)",
    progress: Callable[[int, int], None] = lambda done, lines: None,
) -> tuple[list[dict[str, Any]], list[Problem]]:
    """(rows, problems) of a training file: see the module's text for both.

    data: the file's bytes. method: "dpo", "supervised", or None to go by the first line. file: the
    id that the hosted service's text names. progress: told (lines read, all lines) after each
    10,000. Never raises for what is in the file; ValueError for another method.

    >>> rows, problems = read(b'{"input": {"messages": []}}')
    >>> print(problems[0])
    line 1: input.messages: expected at least one message, found an empty list
    """
    problems: list[Problem] = []
    return list(examples(data, problems, method, file, progress)), problems


def examples(
    data: bytes | bytearray,
    problems: list[Problem],
    method: str | None = None,
    file: str = "(this file)",
    progress: Callable[[int, int], None] = lambda done, lines: None,
) -> Iterator[dict[str, Any]]:
    """The rows that `read` gives, one after the other, for a file that is not to be held as a
    whole. What is wrong with it is in `problems` when they have ended.
    """
    if method not in (None, *METHODS):
        raise ValueError(f"method is 'dpo' or 'supervised', not {method!r}")
    _must_be_bytes(data)
    if len(data) > LARGEST:
        said = f"expected at most {LARGEST:,} bytes (512 MB), found {len(data):,}"
        problems.append(Problem(None, "", said, stage="upload", code=None))
        return
    if data.startswith(MARK):
        said = (
            "expected UTF-8 without a byte order mark; it is skipped here, elsewhere it may not be"
        )
        problems.append(Problem(1, "byte 1", said, "warning"))
    _, first = next(_parsed_lines(data, []), (0, None))
    foreign = _foreign(data, first)
    if foreign:
        problems[:] = [foreign]
        return
    if method is None:
        method = _kind(first) if first else "dpo"
    unread: list[Problem] = []  # of lines that hold no dictionary
    if method == "dpo" and first:
        if all(_kind(row) == "supervised" for _, row in _parsed_lines(data, unread)):
            more = "(A pair has input, preferred_output and non_preferred_output.)"
            said = SUPERVISED_FILE.format(file=file)
            problems += [*unread, Problem(None, "", said, published=True, more=more)]
            return
        unread.clear()
    yield from _rows_without_error(data, method, progress, problems, unread)


def _rows_without_error(data, method, progress, problems, unread):
    """The rows that are fit for training. What is wrong goes to `problems`: first the lines that
    hold no dictionary, then the fields of others, then the file.
    """
    lines, done, wrong = _count(data), 0, []
    for done, (number, row) in enumerate(_parsed_lines(data, unread), start=1):
        if done % TOLD_EVERY == 0:
            progress(done, lines)
        found = [
            _without_role(number, path)
            if message is NO_ROLE
            else Problem(number, path, message, level)
            for path, message, level in _row_problems(row, method)
        ]
        wrong += found
        if not any(p.level == "error" for p in found):
            yield row
    problems += unread + wrong
    if done < FEWEST:
        said, code = TOO_FEW.format(n=done), "invalid_n_examples"
        problems.append(Problem(None, "", said, published=True, code=code))


def _must_be_bytes(data: object) -> None:
    if not isinstance(data, (bytes, bytearray)):
        raise TypeError(
            f'a file is read as its bytes, not as {type(data).__name__}: open(path, "rb").read(), or text.encode()'
        )


def converted(data: bytes) -> tuple[list[dict[str, Any]], list[Problem]]:
    """(rows, problems) of a file in another's form (helpers/facts/foreign_pairs.py), the rows in
    ours.

    data: the file's bytes, JSONL or CSV. A row that holds no pair is a Problem with its line, and
    left out. ValueError for a file in none of the forms.

    >>> [row], problems = converted(b'{"prompt": "Sun?", "chosen": "Yes.", "rejected": "42"}')
    >>> row["preferred_output"]
    [{'role': 'assistant', 'content': 'Yes.'}]
    """
    _must_be_bytes(data)
    problems: list[Problem] = []
    numbered = list(enumerate(_table(data), start=2)) or list(_parsed_lines(data, problems))
    if not numbered or not foreign_pairs.form_of(numbered[0][1]):
        known = "TRL, UltraFeedback, ShareGPT, or a CSV with prompt, chosen and rejected"
        raise ValueError(f"expected a file of {known}; `read` tells what this one is")
    made = []
    for number, row in numbered:
        try:
            made.append(foreign_pairs.pair(row))
        except (foreign_pairs.NotAPair, KeyError) as e:
            problems.append(Problem(number, "", f"left out: {e}", stage="upload", code=None))
    return made, problems


def _table(data):
    try:
        return foreign_pairs.table(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, csv.Error):
        return []


def _foreign(data, first):
    """A Problem that names the form of a file that has another's, and the way out; else None.

    first: the first of its lines that is a dictionary, or None.
    """
    way_out = (
        "To turn it into pairs: rows, problems = preference_file.converted(data), "
        'then preference_file.write(rows, "pairs.jsonl").'
    )
    if not first and _table(data):
        said = NOT_A_DICTIONARY.format(line=1, start=data.decode("utf-8-sig")[:3])
        more = f"This is a table of pairs (CSV). {way_out}"
        return Problem(1, "", said, published=True, stage="upload", code=None, more=more)
    form = foreign_pairs.form_of(first) if first else ""
    if not form:
        return None
    fields = foreign_pairs.fields_of(first)
    return Problem(None, "", f"this is the form of {form} ({fields}), not OpenAI's.", more=way_out)


def write(rows: Iterable[dict[str, Any]], path: str | os.PathLike[str]) -> Path:
    """Write dicts as JSONL in UTF-8, one a line, and return the Path. A reader never sees half a
    file.

    ValueError names the row that JSON or UTF-8 cannot hold (NaN, half of a surrogate pair, an
    object of Python's); the old file is then left as it was. The rows are not checked for training:
    `read` does that.
    """
    path, lines = Path(path), []
    for number, row in enumerate(rows, start=1):
        try:
            lines.append(
                json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8") + b"\n"
            )
        except (TypeError, ValueError, RecursionError) as e:  # UnicodeEncodeError is a ValueError
            raise ValueError(f"row {number} cannot be written as JSON in UTF-8: {e}") from None
    whole_file.write(path, b"".join(lines))
    return path


def _lines(data):
    """Each (line number, line) of a file, without the blank ones at its end and the mark at its
    beginning.
    """
    end = len(data)
    while end and data[end - 1] in BLANKS:
        end -= 1
    begin, number = len(MARK) if data.startswith(MARK) else 0, 1
    while 0 <= begin < end:
        cut = data.find(b"\n", begin, end)
        yield number, data[begin : cut if cut >= 0 else end]
        begin, number = cut + 1 or end, number + 1


def _count(data):
    """How many lines a file has, counted a piece at a time: other threads have their turn."""
    ends = sum(data.count(b"\n", at, at + LONG) for at in range(0, len(data), LONG))
    return ends + (not data.endswith(b"\n"))


def _parsed_lines(data, problems):
    """Each (line number, dict); what is no dictionary goes to `problems`."""
    for number, line in _lines(data):
        try:
            text = line.decode("utf-8").strip(" \t\r")
        except UnicodeDecodeError as e:
            hint = " (UTF-16?)" if b"\0" in line or line[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
            problems.append(
                Problem(
                    number,
                    f"byte {e.start + 1}",
                    f"expected UTF-8{hint}, found the byte 0x{line[e.start]:02x}",
                    stage="upload",
                    code=None,
                )
            )
            continue
        if not text:
            problems.append(
                Problem(
                    number,
                    "",
                    "expected a JSON dictionary, found a blank line",
                    stage="upload",
                    code=None,
                )
            )
            continue
        why = ""
        try:
            row = _DECODERS[len(text) > LONG].decode(text)
        except json.JSONDecodeError as e:
            why = f"column {e.colno}", f"{e.msg}."
        except RecursionError:
            why = "nesting", "It is nested too deeply to be read."
        except ValueError as e:  # NaN, or an integer of more digits than Python converts
            why = "number", f"{e}."
        else:
            if isinstance(row, dict):
                yield number, row
                continue
            why = "", f"It is {_what(row)}."
        published = NOT_A_DICTIONARY.format(line=number, start=text[:3])
        problems.append(
            Problem(
                number, why[0], published, published=True, stage="upload", code=None, more=why[1]
            )
        )


def _object(pairs):
    row = _Object(pairs)
    if len(row) < len(pairs):
        seen, twice = set(), {}  # a dict, which keeps the order
        for key, _ in pairs:
            if key in seen:
                twice[key] = True
            seen.add(key)
        row.twice = tuple(twice)
    return row


must_have(scanner, "py_make_scanner")


class _Decoder(json.JSONDecoder):
    """JSON of a line. in_steps: in Python's own steps, ten times slower than C's one, which lets no
    other thread have its turn.
    """

    def __init__(self, in_steps: bool) -> None:
        super().__init__(object_pairs_hook=_object, parse_constant=no_constant)
        if in_steps:
            self.scan_once = scanner.py_make_scanner(self)  # type: ignore[attr-defined]


_DECODERS = _Decoder(False), _Decoder(True)


def _kind(row):
    if "messages" not in row or any(name in row for name in (*PAIR, *OTHER_NAMES)):
        return "dpo"
    others = set(row) - set(EXAMPLE)
    return "reinforcement" if others and _last(row).get("role") in QUESTION else "supervised"


def _row_problems(row, method):
    """(path, message, level) of everything wrong with one line."""
    yield from _unwritable(row)
    yield from _PROBLEMS[method](row)


def _pair_problems(row):
    kind = _kind(row)
    if kind != "dpo":
        what = "a supervised example" if kind == "supervised" else "a line for reinforcement"
        yield _error(
            "messages",
            f"expected a preference pair (input, preferred_output, non_preferred_output), found {what}",
        )
        return
    for name, right in OTHER_NAMES.items():
        if name in row:
            yield _error(
                name,
                f"expected the name {right}; {name} stood in OpenAI's OpenAPI file of 2025-02, the guide and the service use {right}",
            )
    yield from _unknown(row, "", PAIR, known_elsewhere=OTHER_NAMES)
    if "input" not in row:
        yield _error("input", "expected a dictionary with messages, found nothing")
    elif not isinstance(row["input"], dict):
        yield _error("input", f"expected a dictionary with messages, found {_what(row['input'])}")
    else:
        yield from _unknown(row["input"], "input.", ("messages", "tools", "parallel_tool_calls"))
        yield from _messages_problems(row["input"], "input.")
        yield from _tools_problems(row["input"], "input.")
        last = _last(row["input"])
        if last.get("role") == "assistant":
            yield _error(
                f"input.messages[{len(row['input']['messages']) - 1}].role",
                "expected the question last: the assistant's answers belong in preferred_output and non_preferred_output",
            )
    for name in OUTPUTS:
        if name in row or {value: key for key, value in OTHER_NAMES.items()}[name] not in row:
            yield from _output_problems(row, name)
    texts = [_only_text(row.get(name)) for name in OUTPUTS]
    if texts[0] is not None and texts[0] == texts[1]:
        yield (
            "non_preferred_output[0].content",
            "expected another answer than the preferred one: two equal answers teach nothing",
            "warning",
        )


def _output_problems(row, name):
    if name not in row:
        yield _error(name, "expected a list of one assistant message, found nothing")
        return
    output = row[name]
    if not isinstance(output, list) or len(output) != 1:
        yield _error(name, f"expected a list of one assistant message, found {_what(output)}")
        return
    message, path = output[0], f"{name}[0]"
    if not isinstance(message, dict):
        yield _error(path, f"expected a message with role and content, found {_what(message)}")
        return
    yield from _unknown(message, f"{path}.", ("role", "content", "name"))
    yield from _name_problems(message, path)
    if message.get("role") != "assistant":
        yield _error(f"{path}.role", f"expected 'assistant', found {_what(message.get('role'))}")
    yield from _content_problems(message, path)


def _supervised_problems(row):
    if _kind(row) == "dpo" and any(name in row for name in (*PAIR, *OTHER_NAMES)):
        yield _error(
            next(name for name in (*PAIR, *OTHER_NAMES) if name in row),
            "expected a supervised example with messages, found a preference pair",
        )
        return
    if _kind(row) == "reinforcement":
        others = ", ".join(sorted(set(row) - set(EXAMPLE)))
        yield _error(
            "messages",
            f"expected the assistant's answer last; this looks like a line for reinforcement fine-tuning, with {_short(others)} for a grader",
        )
        return
    yield from _unknown(row, "", EXAMPLE)
    yield from _messages_problems(row, "", extra=("weight",))
    yield from _tools_problems(row, "")
    last = _last(row)
    if last and last.get("role") in ROLES and last["role"] != "assistant":
        yield _error(
            f"messages[{len(row['messages']) - 1}].role",
            f"expected the assistant's answer last, found a message of role {_what(last['role'])}",
        )


def _reinforcement_problems(row):
    """Whatever stands beside the messages is the grader's own."""
    if _kind(row) != "reinforcement":
        yield _error("", f"expected a line for reinforcement, found a {_kind(row)} one")
        return
    yield from _messages_problems(row, "", extra=("weight",))
    yield from _tools_problems(row, "")


_PROBLEMS = {
    "dpo": _pair_problems,
    "supervised": _supervised_problems,
    "reinforcement": _reinforcement_problems,
}


def _messages_problems(holder, before, extra=()):
    path = f"{before}messages"
    if "messages" not in holder:
        yield _error(path, "expected a list of messages, found nothing")
    elif not isinstance(holder["messages"], list):
        yield _error(path, f"expected a list of messages, found {_what(holder['messages'])}")
    elif not holder["messages"]:
        yield _error(path, "expected at least one message, found an empty list")
    else:
        for i, message in enumerate(holder["messages"]):
            yield from _message_problems(message, f"{path}[{i}]", extra)


def _message_problems(message, path, extra):
    if not isinstance(message, dict):
        yield _error(path, f"expected a message with role and content, found {_what(message)}")
        return
    yield from _unknown(message, f"{path}.", (*MESSAGE, *extra))
    role = message.get("role")
    if "role" not in message and "weight" in extra:
        yield _error(path, NO_ROLE)
        return
    if not isinstance(role, str) or role not in ROLES:
        yield _error(f"{path}.role", f"expected one of {', '.join(ROLES)}, found {_what(role)}")
    yield from _name_problems(message, path)
    if (
        "weight" in extra
        and "weight" in message
        and not (
            role == "assistant" and message["weight"] in (0, 1) and type(message["weight"]) is int
        )
    ):
        yield _error(
            f"{path}.weight",
            f"expected 0 or 1, on an assistant message, found {_what(message['weight'])}",
        )
    calls = message.get("tool_calls")
    if calls is not None and (role != "assistant" or not isinstance(calls, list) or not calls):
        yield _error(
            f"{path}.tool_calls",
            f"expected a list of calls in an assistant message, found {_what(calls)}",
        )
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        yield _error(
            f"{path}.tool_call_id",
            f"expected the id of the call that this answers, found {_what(message.get('tool_call_id'))}",
        )
    if not (calls and message.get("content") is None):
        yield from _content_problems(message, path, parts="weight" in extra)


def _name_problems(message, path):
    if not isinstance(message.get("name", ""), (str, type(None))):
        yield _error(f"{path}.name", f"expected a text, found {_what(message['name'])}")


def _content_problems(message, path, parts=False):
    """parts: whether a message may have its content in parts, as supervised examples have."""
    content = message.get("content")
    if isinstance(content, list) and parts:
        yield from _parts_problems(content, message.get("role"), f"{path}.content")
    elif isinstance(content, list):
        yield _error(
            f"{path}.content",
            "expected a text: preference tuning takes text only, and parts are not read here",
        )
    elif not isinstance(content, str):
        yield _error(f"{path}.content", f"expected a text, found {_what(content)}")
    elif not content.strip():
        yield _error(f"{path}.content", "expected a text, found an empty one")


def _parts_problems(content, role, path):
    """Text in parts, and pictures where the user speaks."""
    if not content:
        yield _error(path, "expected a text or at least one part, found an empty list")
    for i, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in PARTS:
            yield _error(f"{path}[{i}].type", f"expected text or image_url, found {_what(kind)}")
        elif kind == "image_url" and role != "user":
            yield _error(
                f"{path}[{i}]", f"expected pictures from the user alone, found one of {role}"
            )
        elif kind == "text" and not isinstance(part.get("text"), str):
            yield _error(f"{path}[{i}].text", f"expected a text, found {_what(part.get('text'))}")
        elif kind == "image_url" and not _has_address(part.get("image_url")):
            yield _error(f"{path}[{i}].image_url", 'expected {"url": …}, an address or a data URL')


def _has_address(picture):
    return isinstance(picture, dict) and isinstance(picture.get("url"), str)


def _without_role(line, path):
    """The Problem of a message that has no role, in the hosted service's words."""
    n = int(re.findall(r"\d+", path)[-1])
    return Problem(line, path, NO_ROLE.format(line=line, n=n), published=True)


def _tools_problems(holder, before):
    tools = holder.get("tools", [])
    if not isinstance(tools, list):
        yield _error(f"{before}tools", f"expected a list of tools, found {_what(tools)}")
        tools = []
    for i, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if (
            not isinstance(function, dict)
            or tool.get("type") != "function"
            or not isinstance(function.get("name"), str)
        ):
            yield _error(
                f"{before}tools[{i}]", 'expected {"type": "function", "function": {"name": …}}'
            )
    if type(holder.get("parallel_tool_calls", True)) is not bool:
        yield _error(
            f"{before}parallel_tool_calls",
            f"expected true or false, found {_what(holder['parallel_tool_calls'])}",
        )


def _unknown(holder, before, known, known_elsewhere=()):
    for key in holder:
        if key not in known and key not in known_elsewhere:
            near = difflib.get_close_matches(key[:60], known, n=1)
            yield _error(
                f"{before}{_short(key)}",
                f"expected no such field{f'; did you mean {near[0]}?' if near else ': it knows ' + ', '.join(known)}",
            )


def _unwritable(row):
    """Keys that came twice, half surrogate pairs and infinite numbers, wherever they are. A stack:
    nesting may be deep.
    """
    todo = [("", row)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, _Object):
            inside = [
                (f"{path}.{_short(key)}".lstrip("."), key, child) for key, child in value.items()
            ]
            yield from (
                _error(
                    f"{path}.{_short(key)}".lstrip("."),
                    "expected once, found twice; which of the two counts is not defined",
                )
                for key in value.twice
            )
            yield from (_error(where, HALF) for where, key, _ in inside if _is_half(key))
            todo += [(where, child) for where, _, child in reversed(inside)]
        elif isinstance(value, list):
            todo += [(f"{path}[{i}]", child) for i, child in reversed(list(enumerate(value)))]
        elif isinstance(value, float) and isinf(value):  # JSON's 1e999
            yield _error(path, "expected a number that fits, found one too large")
        elif isinstance(value, str) and _is_half(value):
            yield _error(path, HALF)


def _is_half(text):
    return not text.isascii() and _SURROGATE.search(text) is not None


def _last(holder):
    messages = holder.get("messages")
    return (
        messages[-1]
        if isinstance(messages, list) and messages and isinstance(messages[-1], dict)
        else {}
    )


def _only_text(output):
    message = output[0] if isinstance(output, list) and len(output) == 1 else None
    content = message.get("content") if isinstance(message, dict) else None
    return content.strip() if isinstance(content, str) else None


def _error(path, message):
    return path, message, "error"


def _what(value):
    """A value in few words, for a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return repr(_short(value)) if value else "an empty text"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"the number {_short(repr(value)) if abs(value) < 1e18 else 'beyond 10 to the 18th'}"
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {len(value)}"
    return "a dictionary"


def _short(text):
    """At most 40 characters that can be printed anywhere: half surrogates as escapes, nothing as
    two quotes.
    """
    if not text:
        return '""'
    if len(text) > 40:
        text = f"{text[:39]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
