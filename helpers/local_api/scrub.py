"""What is taken out of an exchange before it is kept: keys, cookies, organisation and project ids,
user names in paths.

A request is scrubbed in the same way before it is compared with recordings, so what is taken out
does not count. An answer in which nothing was found stays as it came, byte for byte; in any other
one only what was found is replaced, or, where it hid behind JSON's escapes, that one JSON text is
written anew.
"""

import json
import re

from . import sse

WORD, NAME = "scrubbed", "someone"  # neither fits a pattern below: scrubbing again changes nothing
# A key has a digit (or the stars of a masked one) or is long: `sk-learn` and `org-wide` are words.
_KEY = r"(?:(?=[\w*-]*[\d*])[\w*-]{6,}|[\w*-]{16,})"
_ID = r"(?:(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}|[A-Za-z0-9]{16,})"
_TOKEN = r"(?:(?=[\w.~+/=*-]*[\d*])[\w.~+/=*-]{6,}|[\w.~+/=*-]{20,})"
_BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))"  # not within a word, but after a line break in JSON
_PERSON = r"[\w@-]+(?:\.[\w@-]+)*"
# (what is looked for, what takes its place); the group is what stays
PATTERNS = [
    (re.compile(rf"{_BEGIN}(sk-|sess-|ek_){_KEY}", re.A), WORD),
    (re.compile(rf"{_BEGIN}(org-|proj_){_ID}", re.A), WORD),
    (re.compile(rf"{_BEGIN}(bearer\s+){_TOKEN}", re.A | re.I), WORD),
    (re.compile(rf"{_BEGIN}((?:set-)?cookie:\s*)[\w.-]+=[^\r\n\"]*", re.I), WORD),
    (
        re.compile(
            rf"((?:(?<![\w.])|(?<=\\[nrtbf]))(?:/mnt)?(?:/[A-Za-z])?/(?:home|Users)/+){_PERSON}"
        ),
        NAME,
    ),
    # names on Windows may have blanks: then a further folder says where they end
    (
        re.compile(
            rf"((?:(?<!\\)\\+|\b[a-z]:/+)users[\\/]+)(?:{_PERSON}(?: {_PERSON}){{0,3}}(?=[\\/])|{_PERSON})",
            re.I,
        ),
        NAME,
    ),
]
SECRET = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
}  # whatever these hold
SIGNS = (
    "sk-",
    "sess-",
    "ek_",
    "org-",
    "proj_",
    "bearer",
    "cookie",
    "/home/",
    "users",
    *SECRET,
)  # one of these is in all of it, in small letters
OPAQUE = {"encrypted_content"}  # ciphertext, of which nothing can be replaced
SAID = {
    "delta",
    "content",
    "text",
    "arguments",
    "refusal",
    "transcript",
    "reasoning",
    "reasoning_content",
}  # comes in pieces


def text(plain):
    """A text without secrets."""
    if _clean(plain):
        return plain
    for pattern, word in PATTERNS:
        plain = pattern.sub(rf"\g<1>{word}", plain)
    return plain


def _clean(plain):
    small = plain.lower()
    return not any(sign in small for sign in SIGNS)


def value(given):
    """A JSON value without secrets, in its texts and its names."""
    if isinstance(given, str):
        # JSON in a text: the arguments of a call
        return body(given) if given[:1] in ("{", "[") else text(given)
    if isinstance(given, list):
        return [value(v) for v in given]
    if isinstance(given, dict):
        return {text(k): _under(k, v) for k, v in given.items()}
    return given


def _under(name, given):
    """What stands under a name of an object, without secrets."""
    if name in OPAQUE:
        return given
    if name.lower() in SECRET and isinstance(given, str):
        return WORD
    return value(given)


def body(came):
    """The text of a body without secrets: JSON, lines of JSON, or any other text."""
    if _plain(came):
        return came
    parsed = _parsed(came)
    if parsed is not None:
        return _rewritten(came, parsed, value(parsed))
    return "\n".join(_line(line) for line in came.split("\n"))


def _plain(came):
    """Whether nothing is to be found, not even written in JSON's escapes: most bodies are passed
    over.
    """
    return "\\u" not in came and "\\/" not in came and _clean(came)


def _line(line):
    if _plain(line):
        return line
    start, rest = sse.data_line(line)
    parsed = _parsed(rest)
    return text(line) if parsed is None else start + _rewritten(rest, parsed, value(parsed))


def events(came):
    """The texts of a stream's events without secrets, also those that were said in pieces."""
    parsed = [
        {
            n: found
            for n, line in enumerate(event.split("\n"))
            if (found := _parsed(sse.data_line(line)[1])) is not None
        }
        for event in came
    ]
    pieces = {}  # where in an event: [(the object that holds a piece, under which name)]
    for event in parsed:
        for found in event.values():
            _collect(found, (), pieces)
    changed = set()
    for holders in pieces.values():
        before = [holder[name] for holder, name in holders]
        if _clean("".join(before)):
            continue
        for (holder, name), old, new in zip(holders, before, _joined(before)):
            if old != new:
                holder[name] = new
                changed.add(id(holder))
    return [_event(event, found, changed) for event, found in zip(came, parsed)]


def _event(event, parsed, changed):
    lines = event.split("\n")
    for n, line in enumerate(lines):
        if changed and n in parsed and _holds(parsed[n], changed):
            lines[n] = "data: " + json.dumps(value(parsed[n])) + "\r" * line.endswith("\r")
        else:
            lines[n] = _line(line)
    return "\n".join(lines)


def _collect(given, at, pieces):
    if isinstance(given, list):
        for v in given:
            _collect(v, at, pieces)
    elif isinstance(given, dict):
        at += tuple(
            given.get(name)
            for name in ("type", "index", "item_id")
            if isinstance(given.get(name), (str, int))
        )
        for name, v in given.items():
            if name in SAID and isinstance(v, str):
                pieces.setdefault((*at, name), []).append((given, name))
            else:
                _collect(v, (*at, name), pieces)


def _holds(given, changed):
    if id(given) in changed:
        return True
    if isinstance(given, dict):
        given = list(given.values())
    return isinstance(given, list) and any(_holds(v, changed) for v in given)


def _joined(pieces):
    """The pieces of one text, without the secrets in the whole."""
    for pattern, word in PATTERNS:
        for hit in reversed(list(pattern.finditer("".join(pieces)))):
            begin, end, at, fresh = hit.end(1), hit.end(), 0, []
            for piece in pieces:
                first, last = max(begin - at, 0), min(end - at, len(piece))
                inside = first < last
                fresh.append(
                    piece[:first] + word * (at <= begin) + piece[last:] if inside else piece
                )
                at += len(piece)
            pieces = fresh
    return pieces


def _rewritten(came, parsed, clean):
    if clean == parsed:
        return came
    quick = text(came)
    return quick if _parsed(quick) == clean else json.dumps(clean)


def _parsed(came):
    """The value of a JSON text that is an object or a list; else None."""
    if came.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(came, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs):
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a name stands twice, and its first value would not be looked at")
    return made
