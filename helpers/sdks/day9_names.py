"""Day 9 names in source code, told from the same words elsewhere by where they stand.

The names are those of data/day9_names.csv, and the models those of data/models.csv that end; both
name their sources. `modalities` counts in a Realtime session, not in Chat Completions; `voice`
where it is not below `output`; an `https` address of /v1/realtime, not the `wss` one.
"""

import functools
import re

from ..facts import refusals, tables
from ..facts.models import models
from .source_code import plain


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


def hits(code):
    """(start, length, row, sure) of each Day 9 name in a source_code.Code. row: a dict as in
    `names`; sure: False where it may be another's name.
    """
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
        chains = [f".{plain(name)}." for name in wanted]
        for t in code.tokens:
            said = "." + plain(re.sub(r"[()?]|\s", "", t.value)) + "."
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
        keys = {plain(name) for name in wanted}
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
        and plain(_value(beside["type"], code)) == token.key
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
