"""When Python looks for circles among all of its objects: not while a large request is dealt with.

It looks by itself whenever there are a quarter more of them than the last time, and lets no thread
have its turn meanwhile: a second, where somebody has sent a million values. What is young it still
looks through at once, which takes a moment; all of it only now and then, when there is little.
"""

import asyncio
import contextlib
import gc
import threading

EVERY = 60  # seconds
NEVER = 2**31 - 1  # collections of what is young before all is looked through

_changing = threading.Lock()
_large = 0  # requests and jobs under way that may hold many values


async def watch():
    """Look through all every now and then, and no other time; never through what is there now."""
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)
    while True:
        await asyncio.sleep(EVERY)
        sweep()


@contextlib.contextmanager
def large():
    """While something is dealt with that may hold many values."""
    _change(1)
    try:
        yield
    finally:
        _change(-1)


def _change(by):
    global _large
    with _changing:
        _large += by


def sweep():
    """Look through all, unless something large is under way."""
    if not _large:
        gc.collect()
