"""Events as they stand on the wire: ids, errors, and the checks that client events must pass.

A check is a function (value, place) that raises Bad. Wordings seen from the API in public are
marked "seen"; the others are on their pattern.
"""

import base64
import binascii
import json
import random
import secrets
import string
import time

from ..answer import WORDS
from ..envelopes import short_id

LETTERS = string.ascii_letters + string.digits
LONGEST_AUDIO = (
    20 * 1024 * 1024
)  # characters of base64: 15 MiB of sound in one event (openai 3.54.0, input_audio_buffer_append_event.py)
FORMATS = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "mono G.711 mu-law at 8kHz",
    "audio/pcma": "mono G.711 A-law at 8kHz",
}
CONTAINERS = {
    b"RIFF": "a WAV file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\x1aE\xdf\xa3": "a WebM file",
}


class Bad(ValueError):
    """What a client sent cannot be taken; `error` is OpenAI's error object: message, type, param,
    code.
    """

    def __init__(self, message, code="invalid_value", param=None):
        super().__init__(message)
        self.error = {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }


def new_id(prefix):
    """An id as genuine ones are built: a clock, then Day9, which tells ours from theirs, then
    chance.
    """
    return short_id(prefix, int(time.time()), secrets.token_hex(8), 21)


def call_id():
    return "call_Day9" + "".join(secrets.choice(LETTERS) for _ in range(12))


def error_event(error, client_event_id=None):
    """The event for an error object."""
    return {
        "type": "error",
        "error": {k: error[k] for k in ("type", "code", "message", "param")}
        | {"event_id": client_event_id},
    }


def as_text(event):
    """An event for the wire: JSON in ASCII, so that half a surrogate that a client sent can be
    quoted to it.
    """
    return json.dumps(event, separators=(",", ":"))


def veiled(event):
    """A delta event with as much `obfuscation` as makes delta and it a multiple of 16 characters
    together.
    """
    return event | {"obfuscation": "".join(random.choices(LETTERS, k=-len(event["delta"]) % 16))}


def parsed(message):
    """A client event from a WebSocket message or a text from a data channel. Raises Bad."""
    if isinstance(message, dict):
        return message
    if isinstance(message, bytes):
        raise Bad(
            "Expected a text WebSocket message; binary frames are not supported.", "invalid_event"
        )  # seen
    try:
        event = json.loads(message)
    except (ValueError, RecursionError) as e:
        raise Bad(f"Invalid event: failed to parse JSON value. {e}", "invalid_json") from e
    if not isinstance(event, dict):
        raise Bad(
            f"Invalid event: expected an object, but got {WORDS[type(event)]} instead.",
            "invalid_event",
        )
    return event


# --- checks --------------------------------------------------------------------------------------------


def kind(*kinds):
    def check(value, at):
        if type(value) not in kinds:
            raise Bad(
                f"Invalid type for '{at}': expected {' or '.join(WORDS[k] for k in kinds)}, but got {WORDS[type(value)]} instead.",
                "invalid_type",
                at,
            )

    return check


def anything(value, at):
    pass


text, flag, array = kind(str), kind(bool), kind(list)


def choice(*values):
    def check(value, at):
        if value not in values or isinstance(value, bool):
            *first, last = [f"'{v}'" for v in values]
            known = (
                f"{', '.join(first)}{',' if len(first) > 1 else ''} and {last}" if first else last
            )
            raise Bad(
                f"Invalid value: '{value}'. Supported values are: {known}.", "invalid_value", at
            )  # seen

    return check


def number(least, most, whole=False):
    name = "integer" if whole else "decimal"

    def check(value, at):
        kind(*((int,) if whole else (int, float)))(value, at)
        if value < least:
            raise Bad(
                f"Invalid '{at}': {name} below minimum value. Expected a value >= {least}, but got {value} instead.",
                f"{name}_below_min_value",
                at,
            )
        if not value <= most:
            raise Bad(
                f"Invalid '{at}': {name} above maximum value. Expected a value <= {most}, but got {value} instead.",
                f"{name}_above_max_value",
                at,
            )

    return check


def optional(check):
    """null is as good as a value."""
    return lambda value, at: value is None or check(value, at)


def either(known, check):
    """A known word, or what passes another check."""
    return lambda value, at: (
        value in known if isinstance(value, str) and value in known else check(value, at)
    )


def each(check):
    def every(value, at):
        array(value, at)
        for i, item in enumerate(value):
            check(item, f"{at}[{i}]")

    return every


def thing(shape, needs=()):
    """An object with no other keys than those of `shape`, each of which has its check, and with
    those that it `needs`.
    """

    def check(value, at):
        kind(dict)(value, at or "event")
        dot = f"{at}." if at else ""
        for key in value:
            if key not in shape:
                raise Bad(
                    f"Unknown parameter: '{dot}{key}'.", "unknown_parameter", f"{dot}{key}"
                )  # seen
        for key in needs:
            if key not in value:
                raise Bad(
                    f"Missing required parameter: '{dot}{key}'.",
                    "missing_required_parameter",
                    f"{dot}{key}",
                )  # seen
        for key, item in value.items():
            shape[key](item, f"{dot}{key}")

    return check


def by(key, shapes):
    """An object whose `key` says which of `shapes` it has."""

    def check(value, at):
        kind(dict)(value, at)
        if key not in value:
            raise Bad(
                f"Missing required parameter: '{at}.{key}'.",
                "missing_required_parameter",
                f"{at}.{key}",
            )
        choice(*shapes)(value[key], f"{at}.{key}")
        shapes[value[key]](value, at)

    return check


# --- sound ---------------------------------------------------------------------------------------------


def audio_bytes(value, at, form):
    """The bytes of a base64 text. Raises Bad for what is no base64, too long, half a sample, or a
    file instead of samples.
    """
    text(value, at)
    if len(value) > LONGEST_AUDIO:
        raise Bad(
            f"Invalid '{at}': string too long. Expected a string with maximum length {LONGEST_AUDIO}, but got a string with length {len(value)} instead.",
            "string_above_max_length",
            at,
        )
    wrong = f"Invalid '{at}'. Expected base64-encoded audio bytes ({FORMATS[form]}) but got an invalid value."  # seen
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as e:
        raise Bad(wrong, "invalid_value", at) from e
    if form == "audio/pcm" and len(data) % 2:
        raise Bad(f"{wrong} It has {len(data)} bytes, and a sample has 2.", "invalid_value", at)
    container = next((name for head, name in CONTAINERS.items() if data.startswith(head)), None)
    if container:
        raise Bad(
            f"{wrong} It begins like {container}: send the samples alone.", "invalid_value", at
        )
    return data
