"""The files of data/, which readers edit by hand: their text and their JSON, told by file and line
where it is none.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from . import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable
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


def json_line(text: str, path: Iterable[str | int]) -> int:
    """The number of the line of a JSON text where what a path leads to begins, or else what it
    stands in.

    >>> json_line('{"a": 1,\\n "b": [2,\\n 3]}', ["b", 1]), json_line('{"a":\\n {}}', ["a", "b"])
    (3, 1)
    """
    seen = begin = _next(text, 0)
    for step in path:
        for key, seen_now, value in _members(text, begin):
            if key == step:
                seen, begin = seen_now, value
                break
        else:
            break
    return text.count("\n", 0, seen) + 1


def _members(text, at):
    """(key or number, where it begins, where its value begins) of what an object or a list at a
    place holds.
    """
    read, number = json.JSONDecoder().raw_decode, 0
    closing = {"{": "}", "[": "]"}.get(text[at])
    at = _next(text, at + 1)
    while closing and text[at] != closing:
        key, seen = number, at
        if closing == "}":
            key, at = read(text, at)
            at = _next(text, _next(text, at) + 1)  # behind the colon
        yield key, seen, at
        _, at = read(text, at)
        at, number = _next(text, at), number + 1
        if text[at] == ",":
            at = _next(text, at + 1)


def _next(text, at):
    """Where something else than blanks comes next, or the text ends."""
    found = re.compile(r"\S").search(text, at)
    return found.start() if found else len(text)
