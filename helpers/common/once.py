"""What is made when it is first asked for, and once, also where two threads ask at the same moment.

functools.cached_property promised that up to Python 3.11. Since 3.12 each thread makes its own, and
what went into the first is lost. Neither did functools.cache ever promise it: that is for what may
be made twice, such as a table that is read from a file.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class once:
    """A property whose value is made by the first who asks; the others wait for it."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.make, self.__doc__ = make, make.__doc__
        self.making = threading.RLock()

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        # from then on Python finds the value in the instance, and does not come here
        with self.making:
            made = vars(instance)
            if self.name not in made:
                made[self.name] = self.make(instance)
            return made[self.name]
