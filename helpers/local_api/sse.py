"""Server-Sent Events: a stream's events written, and read again from any server's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE = "[DONE]"  # the data of the last event of a Chat stream
_LINES = re.compile(rb"\r\n|\n|\r")  # in whichever way a server ends its lines
_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


def event(data: object, name: str | None = None) -> bytes:
    """One event. data: a text as it is, anything else as JSON."""
    if not isinstance(data, str):
        data = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\n" if name else "").encode() + f"data: {data}\n\n".encode()


def ends(raw: bytes) -> list[int]:
    """Where each whole event of a piece of a stream ends."""
    return [m.end() for m in _END.finditer(raw)]


def data(raw: bytes) -> Iterator[bytes]:
    """What the data lines of some events hold, line by line: a model's server sends each JSON in
    one.
    """
    for line in _LINES.split(raw):
        if line.startswith(b"data:"):
            yield line[len(b"data:") :].strip()


def data_line(line: str) -> tuple[str, str]:
    """(`data:` and the blank after it, the rest) of a line; ("", the line) of one without data."""
    head = re.match(r"data: ?|", line)
    assert head is not None, "the pattern matches every text"
    return head[0], line[head.end() :]
