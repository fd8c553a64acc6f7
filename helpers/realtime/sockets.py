"""The SDK's WebSocket as a notebook needs it: a wait ends, a refusal is kept for the panel, leaving
takes no time.

`for event in connection` waits for ever where nothing comes any more, and the cell says nothing.
Here a wait ends after PATIENCE seconds with what the server still waits for: nothing that it says
by itself depends on the clock, since it counts time in the sound that it got. And a session that is
left with events unread closes at once: the `websockets` library stops reading at 16 of them, so
that it would never see the far end's goodbye, and wait ten seconds for it. To import this is what
counts: hear(), the calls and the transports do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any

import websockets.asyncio.client
import websockets.sync.client
from websockets.exceptions import ConcurrencyError, ConnectionClosed

PATIENCE = float(os.environ.get("DAY9_PATIENCE", 10))  # seconds; the tests have less
ROUNDS = 12  # of waiting, while the server is still at work
AT_ONCE = 0.1  # seconds
SOUND = "input_audio_buffer.append"
BYTES_A_MS = 64  # of base64 of PCM16 at 24 kHz
ANSWERED_BY = {  # what is sent, and what says at once that it has been done
    "session.update": "session.updated",
    "conversation.item.create": "conversation.item.added",
    "conversation.item.retrieve": "conversation.item.retrieved",
    "conversation.item.truncate": "conversation.item.truncated",
    "conversation.item.delete": "conversation.item.deleted",
    "input_audio_buffer.commit": "input_audio_buffer.committed",
    "input_audio_buffer.clear": "input_audio_buffer.cleared",
}

latest: Talk | None = None  # the session that spoke last in this process


class Talk:
    """What went over one session so far: enough to say what it waits for, and what it refused."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = {}
        self.error: dict[str, Any] = {}  # the last one that was sent here
        self.answer: dict[str, Any] = {}  # the last response that ended
        self.kinds: list[str] = []  # of all events, those of sound once in a row
        self.sound_ms, self.moved = 0, 0  # moved: events in all
        self.patience = PATIENCE

    def note(self, event: object) -> None:
        """An event, of either side, as a dict; anything else is left alone."""
        global latest
        if not isinstance(event, dict) or not isinstance(event.get("type"), str):
            return
        latest, kind = self, event["type"]
        self.moved += 1
        if kind == SOUND and isinstance(event.get("audio"), str):
            self.sound_ms += len(event["audio"]) // BYTES_A_MS
        if not self.kinds or self.kinds[-1] != kind:
            self.kinds.append(kind)
        if kind in ("session.created", "session.updated"):
            self.session = event.get("session") or {}
        elif kind == "error":
            self.error = event.get("error") or {}
        elif kind == "response.done":
            self.answer = event.get("response") or {}

    def waits_for(self) -> str:
        """What would have to come before the server says any more, in a sentence."""
        heard = (self.session.get("audio") or {}).get("input") or {}
        said = self._waits(heard.get("turn_detection"))
        if self._last("input_audio_buffer.committed") >= 0 and not heard.get("transcription"):
            said += " (The session asks for no transcription, so none comes.)"
        if self._last("conversation.item.input_audio_transcription.failed") >= 0:
            said += " (A transcription has failed: no recording here sounds like that.)"
        return said

    def _last(self, *kinds: str) -> int:
        return max((i for i, k in enumerate(self.kinds) if k in kinds), default=-1)

    def _waits(self, rules: dict[str, Any] | None) -> str:
        asked, begun = self._last("response.create"), self._last("response.created")
        spoken = self._last("input_audio_buffer.speech_started")
        ended = self._last("input_audio_buffer.speech_stopped")
        given = self._last("conversation.item.create", "input_audio_buffer.committed")
        answered, sound = self._last("response.done"), self._last(SOUND)
        if self._last("session.created") < 0:
            return "The session has not begun: session.created, the first event, has not come."
        if begun > answered:
            return "An answer has begun and not ended: it is still being made."
        if sound > max(asked, given, ended, spoken, answered) and rules is None:
            return "Nothing ends the turn: with turn_detection None the server waits for input_audio_buffer.commit, and then for response.create."
        if spoken > ended:
            need = (rules or {}).get("silence_duration_ms")
            how = f"{need} ms of silence" if need else "a silence"
            # of a call over WebRTC the sound is in no event, and nobody counts it here
            got = f" has got {self.sound_ms / 1000:.1f} s of sound, and" if self.sound_ms else ""
            return f"The server hears no end of the turn: it{got} waits for {how} behind the last word."
        if given > max(answered, asked):
            return "Nothing asked for an answer: an item alone asks for nothing (nor does a turn with create_response False), the server waits for response.create."
        if sound > max(answered, asked):
            got = f"{self.sound_ms / 1000:.1f} s of sound" if self.sound_ms else "no sound"
            return f"The server has got {got}, and hears nobody speak in what came last."
        if answered >= 0:
            return "The last answer is over (response.done and rate_limits.updated have come), and nothing asks for another. Is the event that you wait for written as its type is?"
        return "Nothing asks for an answer: send sound, or an item and response.create."

    def owes(self) -> bool:
        """Whether the server is still at work: an answer is being made, or a turn looked at."""
        given = self._last("input_audio_buffer.committed")
        begun = self._last("response.created")
        return (
            begun > self._last("response.done")
            or self._last("response.create") > max(begun, self._last("error"))
            or self._last("input_audio_buffer.speech_stopped") > given
        )

    def unanswered(self) -> bool:
        """Whether the server has said nothing yet to something that it answers at once: it is held
        up. A WebSocket asks by a ping, which a call over WebRTC has not.
        """
        return any(
            self._last(sent) > self._last(said, "error") for sent, said in ANSWERED_BY.items()
        )

    def late(self) -> TimeoutError:
        """The error that ends a wait."""
        return TimeoutError(f"No event in {self.patience:g} seconds. {self.waits_for()}")


def forget(info: object = None) -> None:
    """Before each cell: what a session said before is not this cell's matter."""
    global latest
    latest = None


def _noted(talk, data):
    with contextlib.suppress(ValueError, RecursionError):
        talk.note(json.loads(data))
    return data


class Patient(websockets.sync.client.ClientConnection):
    """A WebSocket that waits for PATIENCE seconds. Raises TimeoutError with what is waited for."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more | {"max_queue": None})
        self.talk = Talk()

    def recv(self, timeout: float | None = None, decode: bool | None = None) -> Any:
        """The next message, as in websockets."""
        if timeout is not None:
            return _noted(self.talk, super().recv(timeout, decode))
        wait = self.talk.patience
        for _ in range(ROUNDS):
            with contextlib.suppress(TimeoutError):
                return _noted(self.talk, super().recv(wait, decode))
            if wait == AT_ONCE:
                break
            # its answer to a ping comes behind all that it says to what was sent before
            idle = self.ping().wait(self.talk.patience) and not self.talk.owes()
            wait = AT_ONCE if idle else self.talk.patience
        raise self.talk.late()

    def send(self, message: Any, *args: Any, **more: Any) -> None:
        """Send a message, as in websockets. Where the server has hung up, its last words are
        noted.
        """
        try:
            super().send(message, *args, **more)
        except ConnectionClosed:
            with contextlib.suppress(ConnectionClosed, ConcurrencyError):
                while True:  # ends: nothing more comes
                    _noted(self.talk, super().recv())
            raise
        _noted(self.talk, message)


class PatientAsync(websockets.asyncio.client.ClientConnection):
    """The same for AsyncOpenAI. What is sent meanwhile, such as sound in real time, is patience,
    too.
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.talk = Talk()

    async def recv(self, decode: bool | None = None) -> Any:
        """The next message, as in websockets."""
        wait = self.talk.patience
        for _ in range(ROUNDS):
            since = self.talk.moved
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    return _noted(self.talk, await super().recv(decode))
            still = self.talk.moved == since
            if wait == AT_ONCE and still:
                break
            idle = still and await self._answers_a_ping() and not self.talk.owes()
            wait = AT_ONCE if idle else self.talk.patience
        raise self.talk.late()

    async def _answers_a_ping(self):
        """Whether the server has said all that it says to what was sent before."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.talk.patience):
                await (await self.ping())
                return True
        return False

    async def send(self, message: Any, *args: Any, **more: Any) -> None:
        """Send a message, as in websockets. Where the server has hung up, its last words are
        noted.
        """
        try:
            await super().send(message, *args, **more)
        except ConnectionClosed:
            with contextlib.suppress(ConnectionClosed, ConcurrencyError):
                while True:  # ends: nothing more comes
                    _noted(self.talk, await super().recv())
            raise
        _noted(self.talk, message)


# What the library's own connect() makes where it is told nothing else, as the SDK tells it nothing.
websockets.sync.client.ClientConnection = Patient  # type: ignore[misc]
websockets.asyncio.client.ClientConnection = PatientAsync  # type: ignore[misc]

if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()):
    _shell.events.register("pre_run_cell", forget)
