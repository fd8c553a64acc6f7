"""The child process: reads a task, does it, writes what came of it, until its standard input ends,
which the system sees to when the local API is gone.

A task and its outcome are each a line of JSON, `bytes` in it, and so many bytes. One at a time: two
models on one core would only wait for each other.
"""

import contextlib
import ctypes
import functools
import json
import os
import sys


@functools.cache
def ears():
    from .ears import Ears

    return Ears()


@functools.cache
def mouth():
    from .mouth import Mouth

    return Mouth()


def load_here():
    """Load both, and use each once: for a process that others are forked from."""
    pieces({}, bytes(2 * 24_000))
    hear({}, bytes(2 * 8_000))
    say({"text": "Hello."}, b"")
    give_back()


def hear(task, data):
    """{"words", "sure"} of PCM16 at 16 kHz."""
    import numpy as np

    words, sure = ears()(np.frombuffer(data, "<i2").astype("f4") / 32_768)
    return {"words": words, "sure": sure}, b""


def pieces(task, data):
    """{"found": [(first ms, bytes)]} of PCM16 at 24 kHz, and these pieces at 16 kHz."""
    from .pieces import pieces

    found = pieces(data)
    return {"found": [(at, len(piece)) for at, piece in found]}, b"".join(p for _, p in found)


def say(task, data):
    """The sound of task["text"], PCM16 at 24 kHz."""
    return {}, mouth()(task["text"])


def give_back():
    """To the system, the memory that the last task needed: glibc keeps it for the next one, of
    another length, and has 100 MB after some sixty of them.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library, which does
        ctypes.CDLL(None).malloc_trim(0)


def main():
    # what a library prints must not get between the outcomes
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while line := sys.stdin.buffer.readline():
        task = json.loads(line)
        data = sys.stdin.buffer.read(task["bytes"])
        try:
            outcome, made = {"pieces": pieces, "hear": hear, "say": say}[task["do"]](task, data)
        except Exception as e:  # told to whoever asked; the next task may do better
            outcome, made = {"fault": repr(e)}, b""
        out.write(json.dumps(outcome | {"bytes": len(made)}).encode() + b"\n" + made)
        out.flush()
        give_back()


if __name__ == "__main__":
    main()
