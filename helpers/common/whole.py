"""whole(): a whole number, whichever way a reader writes it."""

from __future__ import annotations

import operator
from typing import Any


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number: 1000, 1e3 and NumPy's are; True, "1000" and 0.5 are none.

    >>> [is_whole(value) for value in (1000, 1e3, True, "1000", 0.5, float("inf"))]
    [True, True, False, False, False, False]
    """
    if isinstance(value, bool):
        return False
    return value.is_integer() if isinstance(value, float) else hasattr(type(value), "__index__")


def whole(value: Any, what: str, least: float = 0, most: float = float("inf")) -> int:
    """`value` as an int. ValueError where it is no whole number from `least` to `most`, inclusive;
    `what`: the words for it that the error begins with.

    >>> whole(1e3, "n")
    1000
    >>> whole(2.5, "n_epochs", 1, 50)
    Traceback (most recent call last):
      ...
    ValueError: n_epochs is a whole number from 1 to 50, not 2.5
    """
    if is_whole(value):
        number = int(value) if isinstance(value, float) else operator.index(value)
        if least <= number <= most:
            return number
    span = f" from {least:,} to {most:,}" if most < float("inf") else f", {least:,} or more"
    raise ValueError(f"{what} is a whole number{span}, not {value!r}")
