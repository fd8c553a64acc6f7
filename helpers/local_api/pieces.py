"""Long texts and bytes a piece at a time, so that other threads have their turn in between: Python
lets none in while it reads or writes base64, or writes a text as JSON.
"""

import base64
import binascii
import json
import secrets

# bytes or letters of what is not read, written or gone through on the event loop
LONG = 256_000
MARK = secrets.token_hex(16)  # stands for a long string, and in no text that comes from elsewhere
PIECE = 3 << 18  # letters of base64, bytes or letters of a text: some milliseconds. 12 divides it


def unpacked(text):
    """The bytes of a base64 text. Raises ValueError for what is none."""
    if len(text) <= PIECE:
        return base64.b64decode(text, validate=True)
    made = bytearray()
    for at in range(0, len(text), PIECE):
        piece = text[at : at + PIECE]
        if "=" in piece and at + PIECE < len(text):
            raise binascii.Error("Padding in the middle")
        made += base64.b64decode(piece, validate=True)
    return bytes(made)


def packed(data):
    """Bytes as base64 text."""
    return "".join(
        base64.b64encode(data[at : at + PIECE]).decode() for at in range(0, len(data), PIECE)
    )


def as_json(value):
    """A JSON value as text in ASCII, its long strings a piece at a time."""
    long = []
    short = json.dumps(_shortened(value, long), separators=(",", ":"))
    if not long:
        return short
    between = short.split(f'"{MARK}"')
    made = [between[0]]
    for text, behind in zip(long, between[1:]):
        made += ['"', *_escaped(text), '"', behind]
    return "".join(made)


def weight(value):
    """How many letters and values a JSON value has, about, and no further than LONG
    matters."""
    found, left = 0, [value]
    while left and found <= LONG:
        value = left.pop()
        if isinstance(value, str):
            found += len(value)
        elif isinstance(value, (dict, list)):
            found += 8 * len(value)
            left += value.values() if isinstance(value, dict) else value
    return found


def _shortened(value, long):
    """The value with MARK in the place of each long string, which is put into `long`."""
    if isinstance(value, str) and len(value) > PIECE:
        long.append(value)
        return MARK
    if isinstance(value, dict):
        return {key: _shortened(v, long) for key, v in value.items()}
    if isinstance(value, list):
        return [_shortened(v, long) for v in value]
    return value


def _escaped(text):
    return (json.dumps(text[at : at + PIECE])[1:-1] for at in range(0, len(text), PIECE))
