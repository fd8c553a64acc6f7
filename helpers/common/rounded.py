"""rounded(): a figure's numbers, the same on every processor."""

from __future__ import annotations

import base64
import math
from typing import Any


def rounded(part: Any) -> Any:
    """Part of a figure's JSON with its numbers rounded, as plain lists: the same on every
    processor.

    Sums of floats differ in their last bits from one processor to the next. Six significant digits,
    and nothing finer than a billionth of the largest number beside it, are more than a picture
    shows. Whole numbers stay as they are.
    """
    if isinstance(part, dict):
        if part.get("dtype", "").startswith("f") and "bdata" in part:
            return rounded(_array(part).tolist())
        return {name: rounded(value) for name, value in part.items()}
    if isinstance(part, list):
        largest = max((abs(v) for v in part if _is_number(v)), default=0)
        return [_round(v, largest) if isinstance(v, float) else rounded(v) for v in part]
    return _round(part, abs(part)) if isinstance(part, float) else part


def _array(packed):
    """The numbers that plotly has packed into base64, as an array."""
    import numpy as np

    flat = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return flat.reshape([int(n) for n in str(packed.get("shape", flat.size)).split(",")])


def _is_number(value):
    return isinstance(value, (int, float)) and math.isfinite(value)


def _round(value, largest):
    if not math.isfinite(value):  # JSON has no word for it, and plotly leaves a gap for null
        return None
    if not value:
        return 0.0
    digits = min(5 - math.floor(math.log10(abs(value))), 9 - math.floor(math.log10(largest)))
    return round(value, max(0, digits)) + 0.0  # no -0.0
