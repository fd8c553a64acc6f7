"""Events as they stand on the wire: ids, errors, and the sound in them. Wordings seen from the API
in public are marked "seen"; the others are on their pattern.
"""

import asyncio
import collections
import logging
import random
import secrets
import string
import time

from ...common import strict_json
from ...facts import sounds
from .. import collecting, pieces
from ..checks import WORDS, Bad, no_longer, text
from ..envelopes import short_id

LETTERS = string.ascii_letters + string.digits
# characters of base64: 15 MiB of sound in one event (openai 3.54.0,
# input_audio_buffer_append_event.py)
LONGEST_AUDIO = 20 * 1024 * 1024
# characters of an event: a sound that is too long is still told as that, and a picture of 20 MB has
# 27 million as base64
LONGEST_EVENT = 32 * 1024 * 1024
FORMATS = {
    "audio/pcm": "mono PCM16 at 24kHz",
    "audio/pcmu": "mono G.711 mu-law at 8kHz",
    "audio/pcma": "mono G.711 A-law at 8kHz",
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


def off_the_map(why):
    """The error object of what no recording answers."""
    return {"type": "off_the_map", "code": "off_the_map", "message": why, "param": None}


def failure(why):
    """The error object of an answer that ended too early."""
    return {"type": "server_error", "code": None, "message": why, "param": None}


def as_text(event):
    """An event for the wire: JSON in ASCII, so that half a surrogate that a client sent can be
    quoted to it.
    """
    return pieces.as_json(event)


class Outgoing:
    """Events on their way to a client, in their order. A long one becomes text beside the event
    loop, and those behind it wait.

    write: is called with (event, its text). tasks: a Tasks.
    """

    def __init__(self, write, tasks):
        self.write, self.tasks, self.waiting = write, tasks, collections.deque()

    def send(self, event):
        if not self.waiting and pieces.weight(event) <= pieces.LONG:
            return self.write(event, as_text(event))
        self.waiting.append(event)
        if len(self.waiting) == 1:
            self.tasks.keep(self._go_on())

    async def _go_on(self):
        while self.waiting:
            event = self.waiting[0]
            try:
                with collecting.large():
                    text = await asyncio.to_thread(as_text, event)
                self.write(event, text)
            except Exception as e:  # a fault of ours; those behind it go out all the same
                logging.error("sending %s", event["type"], exc_info=e)
            self.waiting.popleft()


def veiled(event):
    """A delta event with as much `obfuscation` as makes delta and it a multiple of 16 characters
    together.
    """
    return event | {"obfuscation": "".join(random.choices(LETTERS, k=-len(event["delta"]) % 16))}


def not_too_long(message):
    """Raises Bad for a message that is longer than any client needs."""
    no_longer(message, LONGEST_EVENT)


def read(message):
    """The event in a message of either side; None for what is none, or has more values than are
    read at once.
    """
    try:
        event = strict_json.loads(message.encode() if isinstance(message, str) else message)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


async def beside(message, do, *given):
    """do(*given), which goes through a message: beside the event loop where that is long."""
    if len(message) <= pieces.LONG:
        return do(*given)
    with collecting.large():
        return await asyncio.to_thread(do, *given)


def parsed(message):
    """A client event from a WebSocket message or a text from a data channel. Raises Bad."""
    if isinstance(message, dict):
        return message
    if isinstance(message, bytes):
        raise Bad(
            "Expected a text WebSocket message; binary frames are not supported.", "invalid_event"
        )  # seen
    not_too_long(message)
    try:
        event = strict_json.loads(message.encode())
    except ValueError as e:
        raise Bad(f"Invalid event: failed to parse JSON value. {e}", "invalid_json") from e
    if not isinstance(event, dict):
        raise Bad(
            f"Invalid event: expected an object, but got {WORDS[type(event)]} instead.",
            "invalid_event",
        )
    return event


def audio_bytes(value, at, form):
    """The bytes of a base64 text. Raises Bad for what is no base64, too long, half a sample, or a
    file instead of samples.
    """
    text(value, at)
    no_longer(value, LONGEST_AUDIO, at)
    wrong = f"Invalid '{at}'. Expected base64-encoded audio bytes ({FORMATS[form]}) but got an invalid value."  # seen
    try:
        data = pieces.unpacked(value)
    except ValueError as e:
        raise Bad(wrong, "invalid_value", at) from e
    if form == "audio/pcm" and len(data) % 2:
        raise Bad(f"{wrong} It has {len(data)} bytes, and a sample has 2.", "invalid_value", at)
    container = sounds.container(data)
    if container:
        raise Bad(
            f"{wrong} It begins like {container}: send the samples alone.", "invalid_value", at
        )
    return data
