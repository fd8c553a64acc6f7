"""JSON as it is defined: without NaN, infinite numbers and endless nesting, which Python's json
reads all the same.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEEPEST = 100  # levels of nesting
TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"


def loads(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises ValueError, in the words of Python's json, for what is none: also for NaN and infinite
    numbers, for those too large for a float, and for what is nested deeper than DEEPEST levels.
    """
    import jiter  # here: facts/preference_file does with the standard library alone

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
