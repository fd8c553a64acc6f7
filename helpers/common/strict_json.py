"""What JSON has no word for, and Python's json reads all the same: NaN and infinite numbers."""

from __future__ import annotations

import math


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
