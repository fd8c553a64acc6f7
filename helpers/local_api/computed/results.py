"""What a tool returned, as people return it: a number, text around a number, JSON, an error,
nothing.
"""

import json
import math
import re
from dataclasses import dataclass
from fractions import Fraction

from . import reading

ERROR = re.compile(r"(?:error|exception|failed|failure)\b:? ?(.*)", re.I | re.S)


@dataclass(frozen=True)
class Result:
    """amount: the number that it is, or None; error: what went wrong, or ''; words: the text as it
    came.
    """

    amount: Fraction | None
    error: str
    words: str


def read(text):
    """The Result that a text of a tool means.

    >>> read('{"tax": 933}').amount, read("$1,933.50").amount, read("about 900").amount
    (Fraction(933, 1), Fraction(3867, 2), None)
    >>> read("Error: no table").error
    'no table'
    """
    text = " ".join(part.get("text", "") for part in text) if isinstance(text, list) else text
    words = (text or "").strip()
    found = ERROR.match(words)
    if found:
        return Result(None, found[1].strip() or words, words)
    value = as_value(words)
    if isinstance(value, dict):
        for name, inside in value.items():
            if name.lower() in ("error", "errors", "exception") and inside:
                return Result(None, str(inside), words)
        numbers = [v for v in value.values() if type(v) in (int, float)]
        if len(numbers) == 1:
            return Result(Fraction(str(numbers[0])), "", words)
        return Result(None, "", words)
    if type(value) in (int, float):
        return Result(Fraction(str(value)), "", words)
    if words in ("None", "null", "", "NaN"):
        return Result(None, "", "")
    return Result(reading.money(words), "", words)


def as_value(words):
    """What a text is as JSON, or as Python writes it; None where it is neither. A number in it that
    is not finite is None.
    """
    for text in (words, re.sub(r"'", '"', words)):  # str() of a dict has single quotes
        try:
            return json.loads(text, parse_constant=lambda name: None, parse_float=_finite)
        except ValueError:
            continue
    return None


def _finite(digits):
    value = float(digits)
    return value if math.isfinite(value) else None
