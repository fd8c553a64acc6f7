"""A file that is there with all of its content, or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


UNFINISHED = ".part"  # the end of a name while the file is written


def write(file: Path, content: bytes) -> None:
    """Write bytes to a Path, whose folder is made where it is missing. Whoever reads it sees the
    old content or the new.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        with open(aside, "xb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        _name(aside, file)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _name(aside, file):
    """Give the file its name. Windows refuses while somebody has the old one open, or a virus
    scanner the new one.
    """
    for wait in (0.01, 0.1, 0.5):
        try:
            return os.replace(aside, file)
        except PermissionError:
            time.sleep(wait)
    os.replace(aside, file)
