"""A recorded session given back: what the API said goes out, at its pace, once the client has said
what it said before.

The client's events are compared without their ids, its sound by its bytes, in pieces of any size.
What differs is told in an error event, and the session waits for what the recording has.
"""

import asyncio
import base64
import re

from .. import canonical, pieces, scrub
from . import events

MARK = re.compile(r"‹(\d+)›")


class Replayed:
    """In the place of a Session. `send` takes an event's text, `over` (code, reason)."""

    def __init__(self, recording, response, send, over, pace):
        self.name, self.entries, self.send, self.over, self.pace = (
            recording.name,
            response["session"],
            send,
            over,
            pace,
        )
        self.sounds = {
            side: recording.content({"file": name}) for side, name in response["sound"].items()
        }
        self.given = {"client": 0, "api": 0}  # bytes of each side's sound that have passed
        self.come = asyncio.Queue()
        self.sound = b""  # of the client, that waits to be compared
        self.playing = None

    def open(self):
        self.playing = asyncio.ensure_future(self._play())

    async def receive(self, message):
        self.come.put_nowait(message)

    def close(self):
        self.playing.cancel()

    async def _play(self):
        before = 0
        for entry in self.entries:
            if "client" in entry:
                await self._expect(entry["client"])
            else:
                await asyncio.sleep(max(0, entry["at"] - before) * self.pace)
                if "closed" in entry:
                    self.over(*entry["closed"])
                else:
                    self.send(self._whole(entry["api"]))
            before = entry["at"]

    def _whole(self, text):
        """A server event with its sound."""
        found = MARK.search(text) if "api" in self.sounds else None
        return (
            text.replace(found[0], base64.b64encode(self._next("api", int(found[1]))).decode())
            if found
            else text
        )

    def _next(self, side, size):
        at = self.given[side]
        self.given[side] += size
        return self.sounds[side][at : at + size]

    async def _expect(self, wanted):
        """Wait until the client says what it said: an event, or so many bytes of sound."""
        if isinstance(wanted, int):
            while len(self.sound) < wanted:
                await self._take("sound")
            said, self.sound = self.sound[:wanted], self.sound[wanted:]
            at = self.given["client"]
            if said != self._next("client", wanted):
                self._differs(f"Your sound from byte {at} on is not the one of the recording.")
            return
        while True:
            said, message = await self._take("an event")
            if await events.beside(message, _same, said, wanted):
                return
            self._differs(f"The recording has {_short(wanted)} here, not {_short(said)}.")

    async def _take(self, wanted):
        """(the client's next event, its message); its sound is put aside, and b"" stands for it."""
        message = await self.come.get()
        event, sound = await events.beside(message, _read, message)
        if sound is not None:
            self.sound += sound
            return await self._take(wanted) if wanted == "an event" else (b"", message)
        if wanted == "sound":
            self._differs(f"The recording has sound here, not {_short(event)}.")
        return event, message

    def _differs(self, what):
        self.send(
            events.as_text(
                {"type": "error", "event_id": events.new_id("event_")}
                | events.error_event(
                    {
                        "type": "invalid_request_error",
                        "code": "off_the_map",
                        "param": None,
                        "message": f"{what} This session is answered from data/{self.name}.json. Ways on: say what was said then, "
                        "or take that file away, and the session is computed here.",
                    }
                )
            )
        )


def _read(message):
    """(the event in a message, or the message itself where it has none, the sound in it or None)"""
    event = events.read(message)
    if event is None:
        return message, None
    try:
        if event.get("type") == "input_audio_buffer.append":
            return event, pieces.unpacked(event["audio"])
    except (ValueError, KeyError, TypeError):
        return message, None
    return event, None


def _same(said, wanted):
    plain = lambda e: canonical.canonical_value(e, {"event_id"}) if isinstance(e, dict) else e
    return plain(scrub.value(said)) == plain(wanted)


def _short(event):
    text = event.get("type", "an event without a type") if isinstance(event, dict) else str(event)
    return text[:80]
