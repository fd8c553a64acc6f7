"""One Realtime conversation, with no knowledge of sockets: client events and sound in, server
events and sound out.
"""

import asyncio
import logging
import time
from typing import Protocol

from ...common import left_out
from ...facts import hearing, sounds, turns
from .. import checks, collecting, pieces
from ..answer import Answer, as_json, fault
from ..checks import Bad, optional, text, thing
from ..voice.listening import NOTHING, listened
from . import config as settings
from . import events, items, scenarios, usage
from .buffers import InputBuffer
from .events import new_id
from .responses import Response

ORIGIN = {"class": "constructed", "source": "data/realtime/scenes.toml"}
TOKENS_A_MINUTE = 40_000  # constructed: it shows where a client would read the limit
SHORTEST_COMMIT_MS = 100
KEPT_MS = 60_000  # of sound, while turn detection waits for speech
LOOKED_AT_ONCE = 8  # windows (a quarter of a second of sound) before others have their turn
LISTEN_AHEAD = 5  # windows of silence after which it is looked up what was heard
HALF_SENTENCE = 300  # ms of silence after which semantic_vad takes a sentence that was heard to its end as complete


class Voice(Protocol):
    """Where an answer's sound goes when the transport plays it itself (WebRTC). Without one it goes
    out as response.output_audio.delta events, in the session's output format, faster than real
    time.

    The transport reports back through session.started(response_id), when the first sample of an
    answer leaves, and session.stopped(response_id), when its last one has: they become
    output_audio_buffer.started and .stopped.
    """

    def play(self, response_id: str, item_id: str, pcm: bytes, more: bool = False) -> None:
        """Queue an answer's sound (PCM16, 24 kHz, mono) behind what still plays; or the next piece
        of one that is not whole yet. more: another piece will follow, an empty one at the least.
        """

    def cut(self, item_id: str, milliseconds: int) -> None:
        """Play no more of this item than that: its response ended before all of it was made."""

    def clear(self) -> list[tuple[str, str, int]]:
        """Fall silent now: [(response_id, item_id, ms already played)] of what was cut, oldest
        first. Do not call stopped() for these: the session sends truncated and
        output_audio_buffer.cleared.
        """


class Session:
    """A conversation. Every event goes to `send`; events and sound come in through `receive` and
    `hear`.

    model: a Realtime model's id, already checked; None for a transcription session. config: the
    `session` of a client secret or call (GA shape), merged over the defaults. voice: see Voice, or
    None. state: the server's State (pace, ledger). id: where the transport must name it (WebRTC:
    sess_u0_...); else made here. over: called with (close code, reason) when the session ends by
    itself, after its hour. Raises
    checks.Bad (.error is OpenAI's error object) for a bad config.
    """

    def __init__(self, model, send, state, voice=None, config=None, id=None, over=None):
        self.send, self.state, self.voice, self.over = send, state, voice, over
        self.known = checks.choice(
            *(kind for kind in CLIENT_EVENTS if voice or kind != "output_audio_buffer.clear")
        )
        self.pace = state.pace
        self.config = settings.started(id or new_id("sess_"), model, int(time.time()), config)
        self.conversation, self.conversation_id = items.Conversation(), new_id("conv_")
        self.buffer, self.turns, self.detector = InputBuffer(), turns.Turns(), None
        self.from_8_khz = None
        self.spoken_item, self.begun_at, self.found = (
            None,
            0,
            None,
        )  # what is being said: its id, its first sample, what was heard
        self.responses, self.last_prompt, self.spoke = {}, [], False
        self.waiting = False  # a turn ended while a response that may not be interrupted went on
        self.idle_from = None
        self.order, self.closed = asyncio.Lock(), False
        self.held = pieces.weight(self.config)  # letters that came and may be kept
        self.long = False  # whether the event that is dealt with is
        self.heads = []  # [(instructions, tools, usage.head of them)] of the last that were asked for
        self.expiry = asyncio.get_running_loop().call_later(
            self.config["expires_at"] - time.time(), self._expire
        )
        hearing.load()

    async def beside(self, do, *given):
        """do(*given), which goes through the event that came, or through all that is held: beside
        the event loop where that is long.
        """
        if not self.long and self.held <= pieces.LONG:
            return do(*given)
        with collecting.large():
            return await asyncio.to_thread(do, *given)

    async def counted(self, do, *given):
        """The same, of what counts tokens: not before their table has been read, beside the event
        loop, too.
        """
        await hearing.loaded()
        return await self.beside(do, *given)

    def head(self, instructions, tools):
        """usage.head, which is counted once."""
        for said, known, head in self.heads:
            if said is instructions and known is tools:
                return head
        made = usage.head(instructions, tools)
        self.heads = [*self.heads[-1:], (instructions, tools, made)]
        return made

    def open(self):
        """Send session.created. Call it once the peer can receive (socket open, data channel
        open).
        """
        self.emit("session.created", session=self.config)
        self._list_tools([])

    def close(self):
        """The peer is gone: end all tasks, drop all sound. Safe to call twice, never raises."""
        self.closed = True
        self.expiry.cancel()
        for response in self.responses.values():
            response.abandon()
        self.responses.clear()
        self.buffer, self.detector, self.conversation = InputBuffer(), None, items.Conversation()

    def emit(self, kind, **parts):
        """Send an event of this type."""
        self.tell({"type": kind, **parts})

    def tell(self, event):
        """Send an event that has all but its id."""
        if not self.closed:
            self.send(
                {
                    "type": event["type"],
                    "event_id": new_id("event_"),
                    **{k: v for k, v in event.items() if k != "type"},
                }
            )

    def fault(self, e, event_id=None):
        """Say and log that something of ours went wrong."""
        logging.error("in a Realtime session", exc_info=e)
        self.tell(
            events.error_event(
                {
                    "type": "server_error",
                    "code": None,
                    "message": fault(e),
                    "param": None,
                },
                event_id,
            )
        )

    def _expire(self):
        why = "Your session hit the maximum duration of 60 minutes."  # seen
        self.tell(events.error_event(Bad(why, "session_expired").error))
        self.close()
        if self.over:
            self.over(1001, why)

    # --- client events ----------------------------------------------------------------------------

    async def receive(self, message):
        """A client event: a dict, or the text of a message. What is wrong with it becomes an error
        event.
        """
        async with self.order:
            if self.closed:
                return
            event_id = None
            try:
                size = len(message) if isinstance(message, str) else 0
                self.long = size > pieces.LONG
                event = await self.beside(events.parsed, message)
                if event.get("type") != "input_audio_buffer.append":
                    self.held += size
                event_id = event.get("event_id") if isinstance(event.get("event_id"), str) else None
                if "type" not in event:
                    raise checks.missing("type")
                self.known(event["type"], "type")
                shape, handle = CLIENT_EVENTS[event["type"]]
                await self.beside(shape, event, "")
                done = handle(self, event)
                if asyncio.iscoroutine(done):
                    await done
            except Bad as e:
                self.tell(events.error_event(e.error, event_id))
            except Exception as e:  # a fault of ours; the session goes on
                self.fault(e, event_id)

    async def _update(self, event):
        new = await self.beside(settings.merged, self.config, event["session"])
        if self.spoke and new["audio"]["output"]["voice"] != self._output["voice"]:
            raise Bad(
                "Cannot update a conversation's voice if assistant audio is present.",
                "cannot_update_voice",
            )  # seen
        if (
            new["audio"]["input"]["turn_detection"] is None
            or self.config["audio"]["input"]["turn_detection"] is None
        ):
            self.detector, self.spoken_item = None, None
            self.turns.reset()
        await self.counted(self.head, new.get("instructions", ""), new.get("tools", []))
        before, self.config = self.config, new
        self.emit("session.updated", session=new)
        self._list_tools(before.get("tools", []))

    def _list_tools(self, known):
        """Each MCP server that is new in the session has a list of tools, which is looked for and
        not had: it would be asked elsewhere.
        """
        for tool in self.config.get("tools", []):
            if tool["type"] == "mcp" and tool not in known:
                id = new_id("mcpl_")
                self.emit("mcp_list_tools.in_progress", item_id=id)
                listed = {"server_label": tool["server_label"], "tools": []}
                self._add(items.Item({"id": id, "type": "mcp_list_tools", **listed}))
                self.emit("mcp_list_tools.failed", item_id=id)

    async def _append(self, event):
        await self._hear(await self.beside(self._pcm, event["audio"]))

    def _pcm(self, audio):
        """The samples of a base64 text in the session's form. Raises Bad."""
        form = self._input["format"]["type"]
        data = events.audio_bytes(audio, "audio", form)
        if form == "audio/pcm":
            return data
        self.from_8_khz = self.from_8_khz or sounds.Resampler(8_000, sounds.RATE)
        return self.from_8_khz(sounds.from_g711(data, form))

    async def _commit(self, event):
        have = 1000 * len(self.buffer.data) / 2 / sounds.RATE
        if have < SHORTEST_COMMIT_MS:
            raise Bad(
                f"Error committing input audio buffer: buffer too small. Expected at least {SHORTEST_COMMIT_MS}ms of audio, "
                f"but buffer only has {have:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )  # seen
        id, self.spoken_item = self.spoken_item, None
        self.turns.reset()
        self._transcribe(await self._committed(self.buffer.take(), id))

    def _clear(self, event):
        self.buffer.take()
        self.turns.reset()
        self.spoken_item = None
        self.emit("input_audio_buffer.cleared")

    async def _create_item(self, event):
        item = await self._written(event["item"])
        if item.data["type"] == "function_call_output" and not any(
            other.data.get("call_id") == item.data["call_id"]
            for other in self.conversation.items
            if other.data["type"] == "function_call"
        ):
            raise Bad(
                f"Error adding item: the call with id '{item.data['call_id']}' does not exist.",
                "item_create_invalid_call_id",
                "item.call_id",
            )
        if item.pcm:
            item.heard = await self._listened(item.pcm)
        self._add(item, event.get("previous_item_id") or "end")

    def _delete_item(self, event):
        self.conversation.items.remove(self.conversation.need(event["item_id"], "delete"))
        self.emit("conversation.item.deleted", item_id=event["item_id"])

    async def _written(self, data):
        """The Item that a client wrote, counted. Raises Bad."""
        item = await self.beside(items.written, data, self._input["format"]["type"])
        await self.counted(item.weight)
        return item

    async def _retrieve_item(self, event):
        item = self.conversation.need(event["item_id"], "retrieve")
        side = self._output if item.data.get("role") == "assistant" else self._input
        self.long = len(item.pcm) > pieces.LONG
        shown = await self.beside(items.with_audio, item, side["format"]["type"])
        self.emit("conversation.item.retrieved", item=shown)

    def _truncate_item(self, event):
        item = self.conversation.need(event["item_id"], "truncate")
        self.conversation.truncate(item, event["content_index"], event["audio_end_ms"])
        self.emit(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=event["content_index"],
            audio_end_ms=event["audio_end_ms"],
        )

    async def _create_response(self, event):
        if not self.answers:
            raise Bad(
                "A transcription session has no responses: it writes down what it hears. "
                "Open a session of type 'realtime' for answers.",
                "invalid_value",
                "type",
            )
        given = event.get("response") or {}
        asked = {name: value for name, value in given.items() if value is not None}
        choice = asked.get("tool_choice", self.config["tool_choice"])
        tools = asked.get("tools", self.config["tools"])
        settings.hold_choice(choice, tools, "response.tool_choice")
        said = asked.get("instructions") or self.config["instructions"]
        await self.counted(self.head, said, tools)
        self._respond(asked, await self._given(asked["input"]) if "input" in asked else None)

    def _cancel_response(self, event):
        wanted = event.get("response_id")
        response = self.responses.get(wanted) if wanted else self.active
        if response is None:
            # seen
            raise Bad("Cancellation failed: no active response found", "response_cancel_not_active")
        response.cancel("client_cancelled")

    def _clear_output(self, event):
        self._silence()

    # --- sound in ---------------------------------------------------------------------------------

    async def hear(self, pcm):
        """Sound that arrived outside of events: PCM16, 24 kHz, mono, any length, in order and
        without holes (fill what was lost). Time is counted in samples: pacing changes nothing.
        """
        async with self.order:
            if not self.closed:
                try:
                    await self._hear(pcm)
                except (
                    Exception
                ) as e:  # a fault of ours; whoever passes the sound on is to go on doing it
                    self.fault(e)

    @property
    def _input(self):
        return self.config["audio"]["input"]

    @property
    def _output(self):
        return self.config["audio"]["output"]

    @property
    def answers(self):
        """Whether it answers; a transcription session hears alone."""
        return self.config["type"] == settings.REALTIME

    async def _listened(self, pcm):
        """What is heard in a sound; see voice/listening.py."""
        return await listened(pcm, self.state.speech)

    async def _hear(self, pcm):
        self.state.speech.warm()  # while it comes, so that the answer need not wait
        rules = self._input["turn_detection"]
        if rules and not self.detector:
            try:
                self.detector = turns.Detector(self.buffer.end)
            except left_out.LeftOut as e:
                raise Bad(str(e), left_out.CODE) from None
        self.buffer.append(pcm)
        if not rules:
            return
        for n, (position, probability) in enumerate(self.detector.windows(pcm), 1):
            needed = self._silence_needed(rules)
            what = self.turns.step(
                position,
                probability,
                rules.get("threshold", settings.SERVER_VAD["threshold"]),
                needed,
            )
            if what == "started":
                self._started_speaking(rules, position)
            elif what == "stopped":
                await self._stopped_speaking(rules, position)
            elif self.turns.speaking:
                await self._listen_ahead(rules, position, needed)
            else:
                await self._idle(rules, position)
            if n % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
                if self.closed:
                    return
        if not self.turns.speaking:
            self.buffer.trim(KEPT_MS)

    def _silence_needed(self, rules):
        if rules["type"] == "server_vad":
            return _samples(rules["silence_duration_ms"])
        # Ours, for what OpenAI's model judges by meaning: a known sentence heard to its end is
        # complete.
        clips = self.found.clips if self.found else []
        complete = (
            clips[-1].end > 0.9 if clips else self.found and scenarios.known(self.found.spoken)
        )
        return _samples(HALF_SENTENCE if complete else settings.EAGERNESS[rules["eagerness"]])

    async def _listen_ahead(self, rules, position, needed):
        """Once in each silence within a turn: what was heard so far, so that the answer need not
        wait for it. Not where sound comes faster than it is spoken and nobody waits, unless the
        end of the turn hangs on what was heard.
        """
        if self.turns.silent == 0:
            self.found = None
        elif self.turns.silent == LISTEN_AHEAD * turns.WINDOW and (
            rules["type"] != "server_vad" or self.buffer.end - position < needed
        ):
            at = self.buffer.start
            self.found = await self._listened(
                bytes(self.buffer.data[2 * (self.begun_at - at) : 2 * (position - at)])
            )

    def _started_speaking(self, rules, position):
        padding = rules.get("prefix_padding_ms", settings.SERVER_VAD["prefix_padding_ms"])
        self.begun_at = max(
            self.buffer.start, position - turns.IN_A_ROW * turns.WINDOW - _samples(padding)
        )
        self.spoken_item, self.idle_from, self.found = new_id("item_"), None, None
        self.emit(
            "input_audio_buffer.speech_started",
            audio_start_ms=_ms(self.begun_at),
            item_id=self.spoken_item,
        )
        if rules.get("interrupt_response"):
            if self.active:
                self.active.cancel("turn_detected")
            self._silence()

    async def _stopped_speaking(self, rules, position):
        id, self.spoken_item = self.spoken_item, None
        self.emit("input_audio_buffer.speech_stopped", audio_end_ms=_ms(position), item_id=id)
        item = await self._committed(
            self.buffer.take(self.begun_at, position), id, heard=self.found
        )
        if rules.get("create_response"):
            self._respond_to_turn()
        self._transcribe(item)

    async def _idle(self, rules, position):
        """Speak up where nobody has spoken for idle_timeout_ms since the last answer had been
        played.
        """
        timeout = rules.get("idle_timeout_ms")
        if (
            not timeout
            or self.idle_from is None
            or self.active
            or position < self.idle_from + _samples(timeout)
        ):
            return
        start, self.idle_from, id = self.idle_from, None, new_id("item_")
        self.emit(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=_ms(start),
            audio_end_ms=_ms(position),
            item_id=id,
        )
        await self._committed(self.buffer.take(start, position), id, idle=True)
        self._respond_to_turn()

    async def _committed(self, pcm, id, idle=False, heard=None):
        """Make an item of sound; returns it. heard: what is in it, where that is known."""
        heard = await self._listened(pcm) if heard is None else heard
        item = items.Item(
            {
                "id": id or new_id("item_"),
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
            pcm,
            heard,
            idle,
        )
        last = self.conversation.items[-1].id if self.conversation.items else None
        self.emit("input_audio_buffer.committed", previous_item_id=last, item_id=item.id)
        self._add(item)
        return item

    def _add(self, item, after="end"):
        before = self.conversation.add(item, after)
        self.emit("conversation.item.added", previous_item_id=before, item=item.shown())
        self.emit("conversation.item.done", previous_item_id=before, item=item.shown())

    def _transcribe(self, item):
        """The transcription events of a committed item, where the session asks for them."""
        model = (self._input["transcription"] or {}).get("model")
        if not model:
            return
        place = {"item_id": item.id, "content_index": 0}
        said = item.heard.words
        if not said or item.heard.unsure and not scenarios.known(said):
            self.emit(
                "conversation.item.input_audio_transcription.failed",
                **place,
                error={
                    "type": "transcription_error",
                    "code": "off_the_map",
                    "message": scenarios.unknown(item),
                    "param": None,
                },
            )
            return
        item.data["content"][0]["transcript"] = said
        for word in said.replace(" ", "\0 ").split("\0"):
            self.tell(
                events.veiled(
                    {
                        "type": "conversation.item.input_audio_transcription.delta",
                        **place,
                        "delta": word,
                    }
                )
            )
        self.emit(
            "conversation.item.input_audio_transcription.completed",
            **place,
            transcript=said,
            usage=usage.transcription(model, item.pcm, said),
        )

    # --- responses --------------------------------------------------------------------------------

    @property
    def active(self):
        """The response that the conversation waits for, or None."""
        return next((r for r in self.responses.values() if r.in_conversation), None)

    def _respond(self, asked=None, context=None):
        if self.closed:  # while it was looked up what was heard
            return
        response = Response(
            self, asked, list(self.conversation.items) if context is None else context
        )
        if response.in_conversation and self.active:
            raise Bad(
                f"Conversation already has an active response in progress: {self.active.id}. Wait until the response is finished before creating a new one.",
                "conversation_already_has_active_response",
            )  # seen
        self.responses[response.id] = response
        response.start()

    def _respond_to_turn(self):
        if self.active:
            self.waiting = True
        else:
            self._respond()

    async def _given(self, listed):
        """The items that a response has as its own input."""
        found = []
        for item in listed:
            if item["type"] == "item_reference":
                found.append(self.conversation.need(item["id"], "retrieve"))
                continue
            found.append(made := await self._written(item))
            made.heard = await self._listened(made.pcm) if made.pcm else NOTHING
        return found

    def ended(self, response):
        """From a response: it is done."""
        self.responses.pop(response.id, None)
        used = response.usage["total_tokens"]
        self.emit(
            "rate_limits.updated",
            rate_limits=[
                {
                    "name": "tokens",
                    "limit": TOKENS_A_MINUTE,
                    "remaining": max(0, TOKENS_A_MINUTE - used),
                    "reset_seconds": round(60 * used / TOKENS_A_MINUTE, 3),
                }
            ],
        )
        self._enter(response)
        if response.in_conversation:
            played = sounds.ms(response.item.pcm) if response.item else 0
            self.idle_from = self.buffer.end + _samples(played)
            if self.waiting:
                self.waiting = False
                self._respond()

    def _enter(self, response):
        """Into the books, of what is long no more than they keep."""
        asked = {"items": [item.data for item in response.context]}
        if pieces.weight(asked) > pieces.LONG:
            asked = {"items": f"{len(response.context):,}, too long to be kept"}
        self.state.ledger.add(
            response.id,
            _Asked(as_json(asked)),
            Answer(
                200,
                as_json(response.shown()),
                origin=self._origin(response),
                recording="computed",
                model=self.config["model"],
                usage=response.usage,
                id=response.id,
                note=response.note,
            ),
        )

    def _origin(self, response):
        """Where an answer's words come from."""
        if response.thought_by:
            return {"class": "live", "source": self.state.upstream.where.host}
        return ORIGIN | {"source": f"{ORIGIN['source']}: {response.scene or 'cancelled at once'}"}

    def started(self, response_id):
        """From the voice: the first sample of an answer has left."""
        self.emit("output_audio_buffer.started", response_id=response_id)

    def stopped(self, response_id):
        """From the voice: the last sample of an answer has left."""
        self.emit("output_audio_buffer.stopped", response_id=response_id)

    def _silence(self):
        """Stop what the transport plays, and forget what was not heard of it."""
        for response_id, item_id, played in self.voice.clear() if self.voice else ():
            item = self.conversation.get(item_id)
            if item:
                self.conversation.truncate(item, 0, min(played, sounds.ms(item.pcm)))
                self.emit(
                    "conversation.item.truncated",
                    item_id=item_id,
                    content_index=0,
                    audio_end_ms=_ms(len(item.pcm) // 2),
                )
            self.emit("output_audio_buffer.cleared", response_id=response_id)


class _Asked:
    """A response as the ledger wants a request."""

    method, path, headers = "WS", "/v1/realtime", {"Content-Type": "application/json"}

    def __init__(self, body):
        self.body = body


def _samples(milliseconds):
    return milliseconds * sounds.RATE // 1000


def _ms(samples):
    return samples * 1000 // sounds.RATE


def _event(handle, *needs, **more):
    return thing({"type": text, "event_id": optional(text), **more}, ["type", *needs]), handle


_whole = checks.number(0, 2**31, whole=True)
CLIENT_EVENTS = {
    "session.update": _event(Session._update, "session", session=checks.mapping),
    "input_audio_buffer.append": _event(Session._append, "audio", audio=text),
    "input_audio_buffer.commit": _event(Session._commit),
    "input_audio_buffer.clear": _event(Session._clear),
    "conversation.item.create": _event(
        Session._create_item, "item", item=items.shape, previous_item_id=optional(text)
    ),
    "conversation.item.truncate": _event(
        Session._truncate_item,
        "item_id",
        "content_index",
        "audio_end_ms",
        item_id=text,
        content_index=_whole,
        audio_end_ms=_whole,
    ),
    "conversation.item.delete": _event(Session._delete_item, "item_id", item_id=text),
    "conversation.item.retrieve": _event(Session._retrieve_item, "item_id", item_id=text),
    "response.create": _event(
        Session._create_response, response=settings.response_shape(items.reference_or_item)
    ),
    "response.cancel": _event(Session._cancel_response, response_id=optional(text)),
    # where the transport plays, and only there
    "output_audio_buffer.clear": _event(Session._clear_output),
}
