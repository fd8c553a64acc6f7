"""The TOML files of data/, which readers edit by hand: held to their shape, and told by line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from .files import Broken, name_of
from .files import text as text_of

if TYPE_CHECKING:
    from pathlib import Path


def read(file: Path, shape: dict[str, Any]) -> dict[str, Any]:
    """What a file in a folder of data/ holds. shape: a JSON schema.

    FileNotFoundError where there is no such file. Broken with file and line for one that is not
    UTF-8, is not TOML or has not that shape.
    """
    import jsonschema_rs

    name, text = name_of(file), text_of(file)
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise Broken(f"{name} is not TOML: {e}") from None
    for wrong in jsonschema_rs.Draft202012Validator(shape).iter_errors(found):
        where = "".join(f"{key}: " for key in _keys(found, wrong.instance_path))
        raise Broken(f"{name}, line {_line(text, wrong.instance_path)}: {where}{wrong.message}")
    return found


def _keys(value, path):
    """The steps of a path that are keys; the others count in a list."""
    keys = []
    for step in path:
        if isinstance(value, dict):
            keys.append(step := str(step))  # a key of digits comes as a number
        value = value[step]
    return keys


def _line(text, path):
    """The number of the line where what a path leads to begins, or else what it stands in."""
    lines = text.splitlines()
    at = 0
    for i, step in enumerate(path):
        if isinstance(step, int):
            continue
        number = path[i + 1] if i + 1 < len(path) and isinstance(path[i + 1], int) else 0
        heads = [n for n, line in enumerate(lines) if re.match(rf"\[\[?{re.escape(step)}\]", line)]
        keys = [n for n in range(at, len(lines)) if re.match(rf"{re.escape(step)}\s*=", lines[n])]
        if heads:
            at = heads[number]
        elif keys:
            at = keys[0]
    return at + 1
