"""The files of data/, which readers edit by hand: their text and their JSON, told by file and line
where it is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import DATA

if TYPE_CHECKING:
    from pathlib import Path


class Broken(ValueError):
    """A file of data/ that cannot be read; the text names it, and the line where that is known."""


def name_of(file: Path) -> str:
    """A file below data/ as the messages call it, such as data/forms/single.toml."""
    inside = (
        file.relative_to(DATA) if file.is_relative_to(DATA) else f"{file.parent.name}/{file.name}"
    )
    return f"data/{inside if isinstance(inside, str) else inside.as_posix()}"


def text(file: Path) -> str:
    """A file's text, without the mark that a spreadsheet or an editor writes before it.

    FileNotFoundError where there is no such file, Broken where it is not UTF-8.
    """
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise Broken(f"{name_of(file)}, line {line} is not UTF-8: save the file as UTF-8") from None


def read_json(file: Path) -> Any:
    """What a JSON file holds. Raises as `text`; Broken where it is not JSON."""
    try:
        return json.loads(text(file))
    except json.JSONDecodeError as e:
        raise Broken(f"{name_of(file)}, line {e.lineno} is not JSON: {e.msg}") from None
