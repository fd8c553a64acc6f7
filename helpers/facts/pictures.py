"""Pictures: their kind and size from their first bytes. No imaging library: a file's header says
its width and height.
"""

from __future__ import annotations

import base64
import struct

KINDS = ("png", "jpeg", "gif", "webp")  # what the API takes


def kind(raw: bytes) -> str:
    """png, jpeg, gif or webp by a file's first bytes. ValueError for anything else."""
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        return "png"
    if raw[:2] == b"\xff\xd8":
        return "jpeg"
    if raw[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "webp"
    raise ValueError(
        f"these {len(raw)} bytes are no {', '.join(KINDS[:-1])} or {KINDS[-1]} picture"
    )


def size(raw: bytes) -> tuple[int, int]:
    """(width, height) in pixels of a picture given as bytes. ValueError for what is no picture.

    >>> from helpers.facts import forms
    >>> size(forms.page("single", 2).read_bytes())
    (1000, 1294)
    """
    name = kind(raw)
    try:
        return {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}[name](raw)
    except (struct.error, IndexError):
        raise ValueError(f"this {name} picture ends before it says its size") from None


def _png(raw):
    return struct.unpack(">II", raw[16:24])


def _gif(raw):
    return struct.unpack("<HH", raw[6:10])


def _jpeg(raw):
    at = 2
    while True:  # segments: FF, a marker, a length; SOF0 to SOF15 hold the size
        marker, length = struct.unpack(">xBH", raw[at : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + length


def _webp(raw):
    if raw[12:16] == b"VP8X":
        return tuple(1 + int.from_bytes(raw[i : i + 3], "little") for i in (24, 27))
    if raw[12:16] == b"VP8L":
        bits = struct.unpack("<I", raw[21:25])[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return tuple(v & 0x3FFF for v in struct.unpack("<HH", raw[26:30]))


def data_url(raw: bytes) -> str:
    """Bytes of a picture as the data URL that a request carries."""
    return f"data:image/{kind(raw)};base64,{base64.b64encode(raw).decode()}"
