"""Which local API answers this kernel: one a process, which all notebook helpers ask."""

from __future__ import annotations

import os
import threading

from .local_api.child import Server

current: Server | None = None  # one a process: a client keeps the address that it was made with
starting = threading.Lock()


def not_recorded(lost: list[str], before: str) -> str:
    """A sentence on what an upstream answered and no disk took; "" where nothing was lost."""
    if not lost:
        return ""
    more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    return f"{before}{lost[0]}{more}."


def server() -> Server:
    """The running Server; raises RuntimeError before the first connect()."""
    if current is None:
        raise RuntimeError("Nothing is connected yet: run helpers.connect() first.")
    return current


def _forked():
    """In a forked process: let go of the pipe, or the parent's API would stay for as long as this
    process.
    """
    global starting
    starting = threading.Lock()
    if current and current.process.stdin:
        current.process.stdin.close()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forked)
