"""Finds Day 9 names (December 2024) in a folder of code, and says what to write today.

    python -m helpers.sdks.migration FOLDER      prints file:line:column: text; ends with 1 where it found any

The names are those of data/day9_names.csv, and the models those of data/models.csv that end; both
name their sources. Code is read as strings, words and brackets, not parsed: a file that does not
compile is read like any other, and nothing of it is run.

What a plain search would get wrong is told apart by where a name stands: `modalities` counts in a
Realtime session, not in Chat Completions; `voice` where it is not below `output`; an `https`
address of /v1/realtime, not the `wss` one. What is put together while a program runs, it cannot
see.
"""

import argparse
import bisect
import functools
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from .. import console
from ..facts import refusals, tables
from ..facts.models import models

LARGEST = 1_000_000  # bytes of a file; what is longer is data
SKIPPED = {
    "node_modules",
    "venv",
    "site-packages",
    "__pycache__",
    "target",
}  # and all that begins with a dot
SLASHES = {
    ".js",
    ".jsx",
    ".mjs",
    ".cjs",
    ".ts",
    ".tsx",
    ".mts",
    ".cts",
    ".go",
    ".java",
    ".kt",
    ".kts",
    ".scala",
    ".c",
    ".h",
    ".cc",
    ".cpp",
    ".hpp",
    ".ino",
    ".cs",
    ".rs",
    ".swift",
    ".dart",
    ".php",
}
SETTINGS = {".yaml", ".yml", ".toml", ".env", ".ini", ".cfg", ".conf", ".properties"}
HASHES = {".py", ".sh", ".rb"} | SETTINGS
PLAIN = {".json", ".jsonl", ".html", ".htm", ".vue", ".svelte"}
PROSE = {".md", ".mdx"}  # of which the code fences are read
ENDS = SLASHES | HASHES | PLAIN | PROSE | {".ipynb"}
FENCES = {
    "python": ".py",
    "javascript": ".js",
    "typescript": ".ts",
    "bash": ".sh",
    "shell": ".sh",
    "kotlin": ".kt",
    "csharp": ".cs",
    "ruby": ".rb",
    "rust": ".rs",
}


NOT_READ = "not read"


@dataclass(frozen=True)
class Finding:
    """One name in one place. `since`: ISO day on which it ended or will, or empty; `sure`: False
    where it may be another's name.
    """

    file: str  # as a path below the folder scanned; a notebook's has its cell
    line: int  # from 1
    column: int  # from 1
    name: str
    kind: str
    since: str
    instead: str
    what: str
    sure: bool = True

    def __str__(self):
        return (
            f"{self.file}:{self.line}:{self.column}: {'' if self.sure else 'perhaps '}{self.what}"
        )


def scan(path):
    """All Day 9 names in a file or a folder, as a list of Findings by file and line.

    Folders of packages and hidden ones are left out. A file or a folder that cannot be read is a
    Finding of the kind "not read", and one that is read in spite of a fault "read in part". Raises
    FileNotFoundError for a path that is not there.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no {path}. Give the folder with your code, or one file of it."
        )
    root = path if path.is_dir() else path.parent
    locked, found = [], []
    for file in files(path, locked.append):
        found += _file(file, file.relative_to(root).as_posix())
    for error in locked:
        name = Path(error.filename).relative_to(root).as_posix()
        what = f"not read: {error.strerror}"
        found.append(Finding(name, 1, 1, Path(error.filename).name, NOT_READ, "", "", what))
    return found


def told(found, path):
    """How many names stand in how many files, and what could not be read, as a sentence. `found`:
    what `scan(path)` gave.
    """
    unread = [f for f in found if f.kind == NOT_READ]
    named = [f for f in found if f.kind not in (NOT_READ, "read in part")]
    read = len(files(path)) - len({f.file for f in unread if not Path(path, f.file).is_dir()})
    said = f"{len(named)} names in {len({f.file for f in named})} of {read} files read"
    return said + "".join(f"\n{f.file}: {f.what}" for f in unread)


def files(path, locked=None):
    """The files that `scan` reads in a folder, by the ends of their names: `ENDS` has those that it
    knows. Of a file, itself.

    locked: is called with the OSError of a folder that cannot be looked into.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    known = []
    for folder, folders, names in os.walk(path, onerror=locked):
        here = Path(folder)
        folders[:] = sorted(
            d
            for d in folders
            if d not in SKIPPED and not d.startswith(".") and not (here / d / "pyvenv.cfg").exists()
        )
        known += (
            here / f for f in sorted(names) if _end(here / f) in ENDS and (here / f).is_file()
        )
    return known


def table(findings):
    """Findings as a DataFrame for a page: where, old name, the day it ended or will, today's name."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "where": f"{f.file}:{f.line}",
                "old": f.name,
                "ends": f.since or "–",
                "today": f.instead or (f.what if f.kind in (NOT_READ, "read in part") else "–"),
            }
            for f in findings
        ],
        columns=["where", "old", "ends", "today"],
    )


@functools.cache
def names():
    """The rows of data/day9_names.csv, as dictionaries."""
    return tables.rows("day9_names.csv")


@functools.cache
def ended():
    """{model id: its row} of data/models.csv, for those that have a shutdown date, or a
    replacement: of one, sources give two dates.
    """
    return {model: row for model, row in models().items() if row["shutdown"] or row["replacement"]}


# ---- files


def _end(file):
    return ".env" if file.name.startswith(".env") else file.suffix.lower()


def _file(file, name):
    fault = lambda kind, why: Finding(name, 1, 1, file.name, kind, "", "", why)
    try:
        if file.stat().st_size > LARGEST:
            return [fault(NOT_READ, f"not read: larger than {LARGEST:,} bytes")]
        raw = file.read_bytes()
    except OSError as e:
        return [fault(NOT_READ, f"not read: {e.strerror}")]
    if b"\0" in raw:
        return [fault(NOT_READ, "not read: not a text file")]
    try:
        text, faults = raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as e:
        text, faults = (
            raw.decode("utf-8", "replace"),
            [
                fault(
                    "read in part", f"not UTF-8 from byte {e.start} on: those letters were left out"
                )
            ],
        )
    end = _end(file)
    if end == ".ipynb":
        try:
            cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(text)["cells"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return (
                faults
                + [fault("read in part", "a broken notebook: read as plain text")]
                + _text(text, ".html", name)
            )
        known = _constants("\n".join(s for kind, s in cells if kind == "code"))
        return faults + [
            f
            for n, (kind, source) in enumerate(cells)
            for f in (_text if kind == "code" else _fenced)(
                source, ".py", f"{name} cell {n + 1}", known
            )
        ]
    return faults + (_fenced if end in PROSE else _text)(text, end, name)


def _fenced(text, end, name, known=None):
    """What stands in the code fences of Markdown, whose lines keep their numbers."""
    found = []
    for fence in re.finditer(r"^[ ]{0,3}```[ ]*(\w*)[^\n]*\n(.*?)^[ ]{0,3}```", text, re.M | re.S):
        end = FENCES.get(fence[1].lower(), f".{fence[1].lower()}")
        ahead = text.count("\n", 0, fence.start(2))
        found += _text("\n" * ahead + fence[2], end if end in ENDS else ".html", name, known)
    return found


def _text(text, end, name, known=None):
    code = Code(text, end)
    code.known |= known or {}
    hits = {}
    for start, length, row, sure in _hits(code):
        hits.setdefault(start, []).append((length, row, sure))
    lines = [m.end() for m in re.finditer("\n", text)]
    found, reached = [], 0
    for start in sorted(hits):
        length, row, sure = max(
            hits[start], key=lambda hit: len(hit[1]["name"])
        )  # beta.realtime.sessions.create is no second finding
        if start < reached:
            continue
        reached = start + length
        n = bisect.bisect_right(lines, start)
        found.append(
            Finding(
                name,
                n + 1,
                start - (lines[n - 1] if n else 0) + 1,
                row["name"],
                row["kind"],
                row["since"],
                row["instead"],
                _said(row),
                sure,
            )
        )
    return found


def _said(row):
    when = f" ({row['status']}{' ' + row['since'] if row['since'] else ''})"
    return f"{row['kind']} {row['name']}{when}{': now ' + row['instead'] if row['instead'] else ''}. {row['change']}".strip()


# ---- code as strings, words and brackets

STRINGS = {
    "slashes": r'`(?:\\.|[^`\\])*+`?|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])*+\'?',
    "hashes": r'(?:"""(?:\\.|[^\\])*?(?:"""|\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\Z))|"(?:\\.|[^"\\\n])*+"?|\'(?:\\.|[^\'\\\n])*+\'?',
    "shell": r'"(?:\\.|[^"\\])*+"?|\'[^\']*+\'?',
    "json": r'"(?:\\.|[^"\\\n])*+"?',
    "plain": r'"(?:\\.|[^"\\\n]){0,2000}"|\'(?:\\.|[^\'\\\n]){0,2000}\'',  # an apostrophe of prose is no quote
}
COMMENTS = {
    "slashes": r"//[^\n]*|/\*.*?(?:\*/|\Z)",
    "hashes": r"\#[^\n]*",
    "shell": r"(?<![^\s;])\#[^\n]*",
    "json": r"(?!)",
    "plain": r"<!--.*?(?:-->|\Z)|(?<!:)//[^\n]*",
}
WORD = r"[A-Za-z_$][\w$]*(?:(?:\(\))?\s{0,200}\??\.\s{0,200}[A-Za-z_$][\w$]*)*"


@functools.cache
def _lexer(kind):
    return re.compile(
        f"(?P<comment>{COMMENTS[kind]})|(?P<string>{STRINGS[kind]})|(?P<word>{WORD})|(?P<open>[\\[({{])|(?P<close>[\\])}}])|(?P<semicolon>;)",
        re.S,
    )


@dataclass(eq=False)
class Group:
    """What stands between two brackets: the words before them, the group around, its keys. `unit`
    counts statements.

    bracket: the opening one; "" for what stands in none, as a whole file, or a text in a string.
    """

    head: str = ""
    up: "Group | None" = None
    bracket: str = ""
    unit: int = 0
    keys: list = field(default_factory=list)


@dataclass(eq=False)
class Token:
    """A string or a word. `value`: a string's content; `key`: the name that it gives to what
    follows, or empty.
    """

    value: str
    start: int
    string: bool
    group: Group
    unit: int
    key: str = ""
    short: bool = False  # a key that is its own value
    after: "Token | None" = None  # the next one


class Code:
    """A text as Tokens, with `clean`, the text without comments and docstrings, of the same length."""

    def __init__(self, text, end):
        self.tokens, self.known, self.settings, clean = (
            [],
            _constants(text),
            end in SETTINGS,
            list(text),
        )
        kind = (
            "shell"
            if end == ".sh"
            else "slashes"
            if end in SLASHES
            else "hashes"
            if end in HASHES
            else "json"
            if end in (".json", ".jsonl")
            else "plain"
        )
        self._read(text, 0, kind, Group(), clean, 3, end)
        self.clean = "".join(clean)
        for one, after in zip(self.tokens, self.tokens[1:]):
            one.after = after

    def _read(self, text, at, kind, group, clean, depth, end=""):
        unit = lambda: group.unit
        for m in _lexer(kind).finditer(text):
            start, what = m.start(), m.lastgroup
            if (
                what == "comment"
                or what == "string"
                and end == ".py"
                and m[0][:3] in ('"""', "'''")
                and _docstring(text, start)
            ):
                clean[at + start : at + m.end()] = [c if c == "\n" else " " for c in m[0]]
            elif what == "open":
                group = Group(text[max(0, start - 60) : start], group, m[0])
            elif what == "close":
                group = group.up or group
            elif what == "semicolon":
                group.unit += 1
            else:
                if what == "string":
                    quote = 3 if m[0][:3] in ('"""', "'''") else 1
                    value = m[0][quote:-quote] if m[0].endswith(m[0][:quote]) else m[0][quote:]
                    token = Token(value.rstrip(), at + start + quote, True, group, unit())
                else:
                    token = Token(m[0], at + start, False, group, unit())
                token.key = _key(text, m, token, end in SETTINGS)
                self.tokens.append(token)
                if token.key:
                    group.keys.append(token)
                if (
                    what == "string" and depth and re.search(r"[\"'\n{=]", value)
                ):  # JSON in a shell's string, a page in a program's
                    self._read(
                        value.replace('\\"', ' "').replace("\\n", "\n "),
                        at + start + quote,
                        "plain",
                        Group(text[max(0, start - 200) : start], group),
                        clean,
                        depth - 1,
                    )


def _docstring(text, start):
    before = text[max(0, start - 400) : start].rstrip(" \t")
    return (
        not before
        or before.endswith("\n")
        and not before.rstrip().endswith(("(", ",", "=", "[", "{", "+", "\\"))
    )


def _key(text, m, token, settings):
    """The name that a token gives to what follows, or "". A statement `voice = "alloy"` gives none:
    the name is the program's own.
    """
    after = text[m.end() : m.end() + 3].lstrip()
    last = re.split(r"[.\s]+", token.value)[-1] if not token.string else token.value
    bracket = token.group.bracket
    if after.startswith("=>"):  # in PHP and Ruby; after a word, a function of JavaScript
        names_it = token.string
    elif re.match(r":(?![:=])", after):
        names_it = (settings or bracket in ("{", "(")) and not re.search(
            r"\bcase\s+[\"'`]?$", text[max(0, m.start() - 9) : m.start() + 1]
        )
    elif re.match(r"=(?!=)", after):
        names_it = (
            settings
            or bracket == "("
            or bracket == "{"
            and bool(re.search(r"\bnew\b[^;{}]*$", token.group.head))
        )  # an object of C#
    elif (
        bracket == "{"
        and after[:1] in ("", ",", "}")
        and not token.string
        and re.search(r"\(\s*$", token.group.head)
        and re.search(r"[{,]\s*$", text[max(0, m.start() - 40) : m.start()])
    ):
        names_it = token.short = "." not in token.value  # create({ model, tools }) of JavaScript
    else:
        names_it = (
            not token.string
            and after[:1] == "("
            and ("." in token.value or text[: m.start()][-1:] == ".")
        )
    return _plain(last) if names_it else ""


def _plain(name):
    return name.replace("_", "").lower()


def _constants(text):
    """{name: string} of every `NAME = "text"`, in any language."""
    return dict(
        re.findall(
            r"\b([A-Za-z_]\w*)\s{0,20}(?::\s{0,20}\w+\s{0,20})?:?=\s{0,20}[\"']([\w.:/-]{1,80})[\"']",
            text,
        )
    )


# ---- which of them are Day 9 names


def _hits(code):
    """(start, length, row, sure) of each."""
    for row in names():
        yield from _row_hits(row, code)
    yield from _models(code)


def _row_hits(row, code):
    wanted, context = (row["pattern"] or row["name"]).split("|"), row["context"]
    fits = lambda t: not context or CONTEXTS[context](t, code)
    if context == "offer":
        pattern = r"https?://[^\s\"'`<>]{1,200}/v1/realtime(?![\w/.-])|(?:fetch|post|POST)\b[^\n]{0,80}?/v1/realtime(?![\w/.-])"
        for m in re.finditer(pattern, code.clean):
            at = m.end() - len("/realtime")
            yield (at, len("/realtime"), row, True)
    elif row["found"] == "text":
        if row["name"] == "client_secret.value":
            pattern = r"client_?[sS]ecret[\"'\]]{0,2}\??(?:\.|\[[\"'])value\b"
        else:
            pattern = "|".join(
                ("" if name[0] == "/" else r"(?<![\w-])") + re.escape(name) + r"(?![\w-])"
                for name in wanted
            )
        yield from ((m.start(), len(m[0]), row, True) for m in re.finditer(pattern, code.clean))
    elif row["found"] == "code":
        chains = [f".{_plain(name)}." for name in wanted]
        for t in code.tokens:
            said = "." + _plain(re.sub(r"[()?]|\s", "", t.value)) + "."
            if not t.string and any(chain in said for chain in chains):
                first = re.search(wanted[0].split(".")[0].replace("_", "_?"), t.value, re.I)
                yield (t.start + first.start(), len(t.value) - first.start(), row, True)
    elif row["found"] == "value":
        yield from (
            (t.start, len(t.value), row, True)
            for t in code.tokens
            if t.string and t.value in wanted and not (context and t.key) and fits(t)
        )
    else:
        keys = {_plain(name) for name in wanted}
        yield from (
            (t.start, len(t.value), row, True) for t in code.tokens if t.key in keys and fits(t)
        )


def _around(token, most=3):
    """The groups around a token, the innermost first."""
    group, found = token.group, []
    while group and len(found) < most:
        found.append(group)
        group = group.up
    return found


def _beside(token):
    """{key: Token} of what is said beside a token, in the same brackets and the same statement."""
    return {k.key: k for k in token.group.keys if k.unit == token.unit}


def _value(key, code):
    """The text that a key is given, as far as it stands in the file: of `body.model || "o1"` and
    `getenv("MODEL", "o1")`, the last.
    """
    if key.short:
        return code.known.get(key.value, "")
    value, said = key.after, ""
    while (
        value is not None
        and (not value.key or value is key.after)
        and _within(value.group, key.group)
    ):
        said = (
            value.value
            if value.string
            else code.known.get(value.value) or _by_constant(value.value) or said
        )
        if value.string and value is key.after:
            break
        value = value.after
    return said


def _within(group, outer):
    while group is not None and group is not outer:
        group = group.up
    return group is outer


# the words before a session's brackets: session = {…}, "session": {…}, session.update(…),
# updateSession(…)
SESSION = re.compile(
    r"(?:session\w*[\"']?\s*(?::\s*\w+\s*)?[:=]+\s*(?:dict|\w+\()?|sessions?\.(?:update|create)|updateSession|response\.create|\brealtime(?:\.\w+)*)\s*$",
    re.I,
)
TYPED = re.compile(
    r"audio_?config_?(?:in|out)put", re.I
)  # today's own types: RealtimeAudioConfigInputParam{…}, RealtimeAudioConfigInput.builder()
ONLY_SESSION = {
    "inputaudioformat",
    "outputaudioformat",
    "inputaudiotranscription",
    "turndetection",
    "maxresponseoutputtokens",
    "outputmodalities",
}


def _in_session(token, code):
    beside = _beside(token)
    if "messages" in beside:
        return False
    if (
        ONLY_SESSION & set(beside)
        or "model" in beside
        and "realtime-preview" in _value(beside["model"], code)
    ):
        return True
    if "type" in beside and _value(beside["type"], code) == "realtime":
        return True
    for group in _around(token):
        if SESSION.search(group.head):
            return True
        if any(
            k.key == "type" and _value(k, code) in ("session.update", "response.create")
            for k in group.keys
        ):
            return True
    return False


def _below(token, name):
    """Whether a token's brackets are those of a key or a variable: `"output": {…}`, `output =
    dict(…)`.
    """
    return bool(re.search(rf"\b{name}\w*[\"']?\s*[:=]+\s*(?:\w+\(?\s*)?$", token.group.head))


def _is_typed(token):
    """Whether a token stands in one of the SDKs' types for the sound of a session, which exist only
    since the beta's end.
    """
    return bool(TYPED.search(token.group.head[token.group.head.rfind("\n") + 1 :])) or any(
        TYPED.search(k.value) for k in token.group.keys if k.unit == token.unit
    )


def _sound_of_a_session(token, code):
    """Not the sound of Chat Completions, `audio={"voice": …, "format": "pcm16"}`, which has kept
    that name.
    """
    return not _below(token, "audio")


RESPONSES = re.compile(r"responses\s*\.\s*(?:create|parse|stream|new)\s*$|/v1/responses\b", re.I)
# what may stand between a call and its arguments: create({…}), create(**{…}), post(URL, json=…),
# body: JSON.stringify({…})
WRAPPED = re.compile(
    r"(?:^|[(,])\s*(?:\*\*)?[\w.]*\s*$|\b(?:json|body|data)\s*[:=]\s*(?:[\w.]+\(?)?\s*$", re.I
)


def _in_responses(token, code):
    return any(RESPONSES.search(g.head) for g in _around(token, 6))


def _argument_of_responses(token, code):
    """Directly among the arguments of a call, not in a schema or in metadata below them."""
    for group in _around(token, 5):
        if RESPONSES.search(group.head):
            return True
        if not WRAPPED.search(group.head):
            return False
    return False


def _part_of_responses(token, code):
    """In a call, beside a `type` that says the same: {"type": "function", "function": {…}}."""
    beside = _beside(token)
    return (
        "type" in beside
        and _plain(_value(beside["type"], code)) == token.key
        and _in_responses(token, code)
    )


def _tools_of_a_reasoner(token, code):
    beside = _beside(token)
    if (
        "model" not in beside
        or _in_responses(token, code)
        or not any("message" in key for key in beside)
    ):
        return False
    model = _value(beside["model"], code)
    row = ended().get(model)
    body = {"model": row["replacement"] if row else model, "tools": "sent"}
    if "reasoningeffort" in beside:
        body["reasoning_effort"] = _value(beside["reasoningeffort"], code)
    return refusals.refusal("/v1/chat/completions", body) is not None


def _o_series(token, code):
    beside = _beside(token)
    return "model" in beside and bool(
        re.match(r"o\d", _value(beside["model"], code).removeprefix("openai/"))
    )


def _assistant_item(token, code):
    """A part of an assistant's item in Realtime: `{"type": "text"}` in `content`, beside the role."""
    groups = _around(token, 5)
    beside = _beside(token)
    if "type" not in beside or beside["type"].after is not token:
        return False
    realtime = any(
        k.key == "type" and _value(k, code) in ("message", "conversation.item.create")
        for g in groups
        for k in g.keys
    )
    return realtime and any(
        k.key == "role" and _value(k, code) == "assistant" for g in groups for k in g.keys
    )


CONTEXTS = {
    "session": _in_session,
    "flat voice": lambda t, code: (
        not _below(t, "output") and not _is_typed(t) and _in_session(t, code)
    ),
    "flat input": lambda t, code: (
        not _below(t, "input") and not _is_typed(t) and t.value.count(".") == 0
    ),
    "sound of a session": _sound_of_a_session,
    "assistant item": _assistant_item,
    "method": lambda t, code: (
        _below(t, "method") and "type" in _beside(t) and _beside(t)["type"].after is t
    ),
    "o-series": _o_series,
    "tools of a reasoner": _tools_of_a_reasoner,
    "responses": _in_responses,
    "argument of responses": _argument_of_responses,
    "part of responses": _part_of_responses,
}


# ---- models


@functools.cache
def _model_row(model):
    row = ended()[model]
    heir = ended().get(row["replacement"])  # it may have an end of its own: o4-mini for o1-mini
    return {
        "kind": "model",
        "name": model,
        "since": row["shutdown"],
        "status": "shutdown"
        if row["shutdown"]
        else "ending, on a day that sources give differently",
        "instead": row["replacement"] + (f" (until {heir['shutdown']})" if heir else ""),
        "change": ""
        if row["replacement"]
        else "OpenAI names no replacement in the sources we have.",
    }


def _by_constant(word):
    """The id behind an SDK's constant: ChatModelO1Mini (Go), ChatModel.O1_MINI (Java)."""
    found = re.search(r"ChatModel\.?([A-Za-z0-9_]+)$", word)
    return found and _constant_names().get(_squeezed(found[1]))


def _squeezed(name):
    return re.sub(r"[\W_]", "", name).lower()


@functools.cache
def _constant_names():
    return {_squeezed(model): model for model in ended()}


@functools.cache
def _assigned():
    ids = "|".join(sorted(map(re.escape, ended()), key=len, reverse=True))
    return re.compile(
        rf"(?:model\w*\\?[\"']?\s{{0,20}}(?::=|[:=])\s{{0,20}}\\?[\"']?|--model[ =])(?:openai/)?({ids})(?![\w.:/-])",
        re.I,
    )


@functools.cache
def _listed():
    return re.compile(
        rf"(?<![\w.:/-])(?:openai/)?({'|'.join(sorted(map(re.escape, ended()), key=len, reverse=True))})(?![\w.:/-])"
    )


def _models(code):
    for m in _assigned().finditer(code.clean):
        if m[1] in ended():
            yield (m.start(1), len(m[1]), _model_row(m[1]), True)
    if code.settings:  # without quotes, in lists: - gpt-4o
        yield from (
            (m.start(1), len(m[1]), _model_row(m[1]), False)
            for m in _listed().finditer(code.clean)
            if len(m[1]) > 2
        )
    for t in code.tokens:
        if not t.string:
            if model := _by_constant(t.value):
                yield (t.start, len(t.value), _model_row(model), True)
            continue
        id = t.value.removeprefix("openai/")
        base = id.split(":")[1] if id.startswith("ft:") and ":" in id[3:] else id
        if base not in ended():
            continue
        line = code.clean[code.clean.rfind("\n", 0, t.start) + 1 : t.start]
        named = re.search(
            r"model[\w\"'\].]*\s*(?:[:=(,\[]|in\b)",
            f"{line}\n{t.group.head.rsplit(chr(10), 1)[-1]}(",
            re.I,
        )
        if len(base) > 2 or named:  # "o1" alone may be anybody's
            yield (t.start + t.value.find(base), len(base), _model_row(base), bool(named))


def main(arguments=None):
    """The command line. Returns 1 where there is a finding, 0 where there is none, 2 for a folder
    that is not there.
    """
    parser = argparse.ArgumentParser(
        prog="python -m helpers.sdks.migration",
        description="Find Day 9 names in code, and what to write today.",
    )
    parser.add_argument("folder", help="a folder of code, or one file")
    given = parser.parse_args(arguments)
    try:
        found = scan(given.folder)
    except FileNotFoundError as e:
        print(e, file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    read = files(given.folder)
    print(
        f"{told(found, given.folder)}."
        if read
        else f"Nothing was read: no file there ends in one of {' '.join(sorted(ENDS))}.",
        file=sys.stderr,
    )
    return int(bool(found))


if __name__ == "__main__":
    console.forgiving()
    sys.exit(main())
