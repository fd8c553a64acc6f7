"""JSON as it is defined: without NaN, infinite numbers and endless nesting, which Python's json
reads all the same; and no more of it than is read at once without other threads having to wait.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100  # levels of nesting
TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"
# values of one text: jiter makes them all before another thread has its turn. Ten thousand messages
# have 40,000, a schema of 60,000 fields 240,000
MOST = 300_000
TOO_MANY = f"it has more than {MOST:,} values"
PIECE = 1 << 16  # bytes: of a picture most pieces have no sign, which is seen at once
BEGINS = b",[{"  # a value stands behind each of them, and behind nothing else but a name


def loads(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises ValueError, in the words of Python's json, for what is none: also for NaN and infinite
    numbers, for those too large for a float, for what is nested deeper than DEEPEST levels, and for
    more than MOST values.
    """
    import jiter  # here: facts/preference_file does with the standard library alone

    if len(raw) > MOST and _too_many(raw):
        raise ValueError(TOO_MANY)

    try:
        # ten and more times as fast where texts are long, such as pictures and sound
        value = jiter.from_json(raw, allow_inf_nan=False)
    except ValueError:
        value = _slowly(raw)
    level, depth = [value], 0  # what lies at one depth
    while level:
        inner: list[Any] = []
        for v in level:
            if isinstance(v, (dict, list)):
                if depth == DEEPEST:
                    raise ValueError(TOO_DEEP)
                inner += v.values() if isinstance(v, dict) else v
            elif type(v) is float and math.isinf(v):
                _slowly(raw)  # says which number
        level, depth = inner, depth + 1
    return value


def _too_many(raw):
    """Whether a text has more than MOST values, by the signs behind which each of them stands."""
    found = 0
    for at in range(0, len(raw), PIECE):
        found += _signs(raw[at : at + PIECE])
        if found > MOST:
            return _signs_outside_strings(raw) > MOST
    return False


def _signs(piece):
    if not any(sign in piece for sign in BEGINS):
        return 0
    return len(piece) - len(piece.translate(None, BEGINS))


def _signs_outside_strings(raw):
    """How many there are, no further than MOST matters: a table in a string has commas, too."""
    at = found = 0
    while at >= 0 and found <= MOST:
        begins = raw.find(b'"', at)
        found += _signs(raw[at:] if begins < 0 else raw[at:begins])
        at = _end_of_string(raw, begins) if begins >= 0 else -1
    return found


def _end_of_string(raw, at):
    """The place behind the string that begins at a place; -1 where it does not end."""
    while (at := raw.find(b'"', at + 1)) >= 0:
        before = at
        while raw[before - 1 : before] == b"\\":
            before -= 1
        if (at - before) % 2 == 0:
            return at + 1
    return -1


def _slowly(raw):
    """The same, read by Python's json: what jiter does not take, or the words for it."""
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=no_constant, parse_float=finite)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def no_constant(name: str) -> None:
    """For json's parse_constant. Raises ValueError for NaN, Infinity and -Infinity."""
    raise ValueError(f"{name} is not JSON")


def finite(digits: str) -> float:
    """For json's parse_float: the number, which can be written as JSON again. Raises ValueError for
    one that is too large for a float.
    """
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large a number")
    return value
