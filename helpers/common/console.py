"""Words for standard output, where a character that it does not have ends nothing: a pipe on
Windows has 256.
"""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """print() a text, with a question mark in the place of what cannot be written."""
    has = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(has, "replace").decode(has))


def forgiving() -> None:
    """Let all that a command line prints be as what say() prints."""
    if sys.stdout:  # it may be closed
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
