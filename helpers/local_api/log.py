"""The log of the local API is bounded: what goes wrong at every turn of the event loop, as where no
file descriptor is left, is told a few times and then counted.
"""

from __future__ import annotations

import collections
import logging

ALIKE = 20  # records of one kind that are told one by one; then each 2nd, 4th, 8th … more


class Bounded(logging.Filter):
    """Lets a record through while there are few of its kind: of one logger, text and exception."""

    def __init__(self) -> None:
        super().__init__()
        self.count: collections.Counter[tuple[str, str, str]] = collections.Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        kind = (record.name, str(record.msg)[:200], f"{type(error).__name__} {error}"[:200])
        self.count[kind] += 1
        beyond = self.count[kind] - ALIKE
        if beyond <= 0:
            return True
        if beyond & (beyond - 1):
            return False
        record.msg, record.args = f"{record.getMessage()[:500]} ({self.count[kind]:,} times)", ()
        record.exc_info = record.exc_text = None
        return True


def bound() -> None:
    """Bound what this process logs where nobody has set up its logging."""
    if logging.lastResort:
        logging.lastResort.addFilter(Bounded())
