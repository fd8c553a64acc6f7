"""One response: from response.created to response.done, in the order and shape of genuine ones.

An answer is made faster than it plays (here eight times; the API's own speed varies) and at
State.pace, so it can be cancelled half-way; with a pace of 0 it is made at once.
"""

import asyncio
import base64
import contextlib
import re

from ...facts import hearing, sounds, tokens
from ..apart import Broken
from ..computed.reading import Unclear
from . import events, mind, scenarios
from .config import VOICES, with_rate
from .events import call_id, new_id, veiled
from .items import FRAME_TOKENS, Item
from .usage import prompt, usage

FASTER = 8  # times as fast as it plays
CHUNK_MS = 200  # of sound in one event
WORD_EVERY = 0.02  # seconds, where nothing is played
# One set of clips speaks for all voices: each voice has its pitch, one of the reader's own the
# clips' own. Ours.
PITCHES = dict(zip(VOICES, (1.0, 0.86, 0.93, 1.06, 0.9, 1.03, 1.1, 0.96, 1.13, 0.83)))


class Response:
    """asked: the `response` of a response.create, already checked; None where turn detection asks.
    context: its input.
    """

    def __init__(self, session, asked, context):
        self.session, self.context, asked = session, context, asked or {}
        settings = session.config
        self.in_conversation = asked.get("conversation", "auto") == "auto"
        self.instructions, self.told = settings["instructions"], asked.get("instructions", "")
        self.tools, self.tool_choice = (
            asked.get("tools", settings["tools"]),
            asked.get("tool_choice", settings["tool_choice"]),
        )
        self.limit = asked.get("max_output_tokens", settings["max_output_tokens"])
        self.aloud = asked.get("output_modalities", settings["output_modalities"]) == ["audio"]
        output = {k: v for k, v in settings["audio"]["output"].items() if k != "speed"} | asked.get(
            "audio", {}
        ).get("output", {})
        self.format, self.voice = with_rate(output["format"]), output["voice"]
        self.pitch = PITCHES[self.voice] if isinstance(self.voice, str) else 1.0
        self.speed = settings["audio"]["output"]["speed"]
        self.metadata = asked.get("metadata")
        self.id = new_id("resp_")
        self.status, self.details, self.usage, self.scene = "in_progress", None, None, ""
        self.item, self.task, self.cut = None, None, False
        self.pcm = self.encoded = b""
        self.spoken_by = ""  # the model whose voice it is, where that is no clip
        self.thought_by = ""  # the model that answers in the place of a scene, and where

    def shown(self):
        """The response object, as events show it."""
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": self.details,
            "output": [self.item.shown()] if self.item else [],
            "conversation_id": self.session.conversation_id if self.in_conversation else None,
            "output_modalities": ["audio"] if self.aloud else ["text"],
            "max_output_tokens": self.limit,
            "audio": {"output": {"format": self.format, "voice": self.voice}},
            "usage": self.usage,
            "metadata": self.metadata,
        }

    @property
    def note(self):
        """Which models heard and spoke, for the frame; "" where none did."""
        asked = next((i for i in reversed(self.context) if i.data.get("role") == "user"), None)
        by = ["heard by Moonshine tiny"] * bool(asked and asked.heard.spoken)
        by += [f"answered by {self.thought_by or 'a scene of ours'}"]
        by += [f"spoken by {self.spoken_by}"] * bool(self.spoken_by)
        return ", ".join(by) if len(by) > 1 or self.thought_by else ""

    def start(self):
        """Send response.created and go on by itself."""
        self.session.emit("response.created", response=self.shown())
        self.task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self, reason):
        """End now; what was made so far stays. reason: client_cancelled or turn_detected."""
        self.task.cancel()
        self._end("cancelled", reason)

    def abandon(self):
        """End without a word: nobody is there any more."""
        self.task.cancel()

    def fail(self, why):
        """End with an error, which says why; what was made so far stays."""
        self.session.tell(events.error_event(events.failure(why)))
        self._end("failed", why)

    # --- making it --------------------------------------------------------------------------------

    async def _run(self):
        try:
            await self._make()
        except (Broken, mind.Lost, Unclear) as e:
            self.fail(str(e))
        except Exception as e:
            self.session.fault(e)
            self.session.responses.pop(self.id, None)  # or nobody could ask again
            self._end("failed", str(e))  # or who waits for the end would wait on

    async def _make(self):
        await hearing.loaded()
        if mind.there(self.session.state) and mind.has_words(self.context):
            return await self._think()
        speech = self.session.state.speech
        long = scenarios.takes_long(self.context, self.told)
        look = asyncio.to_thread if long else self.session.beside
        reply = await look(
            scenarios.reply,
            self.context,
            self.instructions,
            self.told,
            self.tools,
            self.tool_choice,
            self.aloud,
            speech.there,
        )
        self.scene = reply.scene
        if reply.why:  # it says so in a voice; where nobody listens, this does
            self.session.tell(events.error_event(events.off_the_map(reply.why)))
        sound = await self._sound_of(reply) if self.aloud and not reply.name else b""
        steps = self._call(reply) if reply.name else self._message(reply, sound)
        pace, clock = self.session.pace, asyncio.get_running_loop().time
        begun = clock()
        for at, step, *given in steps:
            wait = begun + at * pace - clock()
            if pace and wait > 0:
                await asyncio.sleep(wait)
            step(*given)
        self._end(
            "incomplete" if self.cut else "completed", "max_output_tokens" if self.cut else None
        )

    # --- with a mind ----------------------------------------------------------------------------

    async def _think(self):
        """What a chat model writes, said sentence by sentence, or the function that it asks for.
        Raises mind.Lost, Broken and Unclear.
        """
        where = self.session.state.upstream.where
        model = where.model or self.session.config["model"]
        self.thought_by = f"{model} at {where.host}"
        rules = self.told or self.instructions
        body = mind.request(model, rules, self.context, self.tools, self.tool_choice, self.limit)
        call, ended = {}, ""

        async def words():
            nonlocal call, ended
            async with contextlib.aclosing(mind.thoughts(self.session.state, body)) as thoughts:
                async for kind, value in thoughts:
                    if kind == "text":
                        yield value
                    elif kind == "call":
                        call = value
                    else:
                        ended = value

        if self.aloud:
            async for sentence in mind.sentences(words()):
                await self._say(sentence)
            if self.session.voice and self.item:
                self.session.voice.play(self.id, self.item.id, b"")
        else:
            async for piece in words():
                if not self.item:
                    self._begin_message()
                self._write(piece)
        if call and not self.item:
            for _, step, *given in self._call(scenarios.Reply("", **call)):
                step(*given)
        elif not self.item:
            raise mind.Lost(f"{where.host} answered without a word.")
        self.cut = self.cut or ended == "length"
        self._end(
            "incomplete" if self.cut else "completed", "max_output_tokens" if self.cut else None
        )

    async def _say(self, sentence):
        """Make the sound of a sentence, and send it with its words behind those before it."""
        speech = self.session.state.speech
        plain = re.sub(r"[*_`#]+", "", sentence).strip()
        sound = await speech.say(plain) if plain else b""
        self.spoken_by = "hibari"
        if not self.item:
            self._begin_message()
        sound = sounds.paced(sound, self.speed, self.pitch) if sound else b""
        at, more = sounds.ms(self.pcm), sound + sounds.silence(scenarios.BETWEEN)
        self.pcm += more
        self.encoded += self._in_format(more)
        self.session.spoke = True
        for word in re.findall(r"\s*\S+", sentence):
            self._speak(word)
        if self.session.voice:
            self.session.voice.play(self.id, self.item.id, more, True)
        for start in range(at, sounds.ms(self.pcm), CHUNK_MS):
            self._sound(start)

    def _in_format(self, pcm):
        """A sound as the session sends it."""
        return (
            pcm if self.format["type"] == "audio/pcm" else sounds.to_g711(pcm, self.format["type"])
        )

    def _begin_message(self):
        """Open a message, in sound or in text, without a word yet."""
        self._begin_item(type="message", status="in_progress", role="assistant", content=[])
        self.part = (
            {"type": "output_audio", "transcript": ""}
            if self.aloud
            else {"type": "output_text", "text": ""}
        )
        self._emit(
            "response.content_part.added",
            content_index=0,
            part=self._shown_part(self.part | {"transcript" if self.aloud else "text": ""}),
        )

    # --- with a scene ---------------------------------------------------------------------------

    async def _sound_of(self, reply):
        """A Reply's sound in the voice and at the speed that the session asks for. Raises
        Broken.
        """
        if reply.clips or not self.session.state.speech.there or reply.language != "en":
            sound = reply.sound
        else:
            sound = await self.session.state.speech.say(reply.whole)
            self.spoken_by = "hibari"
        return sounds.paced(sound, self.speed * reply.speed, self.pitch)

    def _begin_item(self, **data):
        self.item = Item({"id": new_id("item_")} | data)
        self.session.emit(
            "response.output_item.added",
            response_id=self.id,
            output_index=0,
            item=self.item.shown(),
        )
        if self.in_conversation:
            before = self.session.conversation.add(self.item)
            self.session.emit(
                "conversation.item.added", previous_item_id=before, item=self.item.shown()
            )

    def _emit(self, kind, **more):
        self.session.emit(kind, response_id=self.id, item_id=self.item.id, output_index=0, **more)

    def _delta(self, kind, delta, **more):
        self.session.tell(
            veiled(
                {
                    "type": kind,
                    "response_id": self.id,
                    "item_id": self.item.id,
                    "output_index": 0,
                    **more,
                    "delta": delta,
                }
            )
        )

    def _call(self, reply):
        """[(seconds, step, its arguments)] of a function call."""
        pieces, _ = self._limited(re.findall(r".{1,6}", reply.arguments, re.S), 0, reply.name)
        self._begin_item(
            type="function_call",
            status="in_progress",
            name=reply.name,
            call_id=call_id(),
            arguments="",
        )
        for i, piece in enumerate(pieces):
            yield i * WORD_EVERY, self._argue, piece

    def _argue(self, piece):
        self.item.data["arguments"] += piece
        self._delta(
            "response.function_call_arguments.delta", piece, call_id=self.item.data["call_id"]
        )

    def _message(self, reply, sound):
        words = re.findall(r"\s*\S+", reply.whole)
        self.pcm = sound
        words, audio = self._limited(
            words, tokens.audio_tokens(sounds.ms(self.pcm) / 1000, "assistant")
        )
        if self.cut:
            self.pcm = self.pcm[: audio * tokens.AUDIO_MS["assistant"] * sounds.BYTES_A_MS]
        self._begin_message()
        if not self.aloud:
            for i, word in enumerate(words):
                yield i * WORD_EVERY, self._write, word
            return
        self.session.spoke = True
        whole = sounds.ms(self.pcm) / 1000
        steps = [
            (whole * i / len(words) / FASTER, 0, self._speak, word) for i, word in enumerate(words)
        ]
        steps += [
            (at / 1000 / FASTER, 1, self._sound, at)
            for at in range(0, sounds.ms(self.pcm), CHUNK_MS)
        ]
        self.encoded = self._in_format(self.pcm)
        if self.session.voice:
            self.session.voice.play(self.id, self.item.id, self.pcm)
        for at, _, step, given in sorted(steps, key=lambda s: s[:2]):
            yield at, step, given

    def _limited(self, pieces, audio, head=""):
        """(those of the pieces, so many audio tokens) that the limit leaves: words and sound end
        together.
        """
        whole = tokens.count(head + "".join(pieces)) + audio
        self.cut = self.limit != "inf" and whole > self.limit
        if self.cut:
            pieces, audio = pieces[: len(pieces) * self.limit // whole], audio * self.limit // whole
            while pieces and tokens.count(head + "".join(pieces)) + audio > self.limit:
                pieces.pop()
        return pieces, audio

    def _write(self, word):
        self.part["text"] += word
        self._keep_part()
        self._delta("response.output_text.delta", word, content_index=0)

    def _speak(self, word):
        self.part["transcript"] += word
        self._keep_part()
        self._delta("response.output_audio_transcript.delta", word, content_index=0)

    def _sound(self, at):
        until = min(at + CHUNK_MS, sounds.ms(self.pcm))
        last = until == sounds.ms(self.pcm)
        self.item.pcm = self.pcm if last else self.pcm[: until * sounds.BYTES_A_MS]
        self._keep_part()
        if not self.session.voice:
            size = 48 if self.format["type"] == "audio/pcm" else 8  # bytes a millisecond
            piece = self.encoded[at * size :] if last else self.encoded[at * size : until * size]
            self._emit(
                "response.output_audio.delta",
                content_index=0,
                delta=base64.b64encode(piece).decode(),
            )

    def _keep_part(self):
        self.item.data["content"] = [self.part]

    @staticmethod
    def _shown_part(part):
        return part | {
            "type": part["type"].removeprefix("output_")
        }  # in the part's own events, and only there

    # --- ending it --------------------------------------------------------------------------------

    def _end(self, status, reason):
        self.status = status
        self.details = {"type": status, "reason": reason} if reason else None
        if status == "failed":
            self.details = {"type": status, "error": {"type": "server_error", "code": None}}
        if self.item:
            self._end_item("completed" if status == "completed" else "incomplete")
        head = self.session.head(self.told or self.instructions, self.tools)
        now = prompt(head, self.context)
        text, audio = (0, 0)
        if self.item:
            text, audio = self.item.weight()
            text -= FRAME_TOKENS
        self.usage = usage(now, self.session.last_prompt, text, audio)
        if self.in_conversation:
            self.session.last_prompt = now
        self.session.emit("response.done", response=self.shown())
        self.session.ended(self)

    def _end_item(self, status):
        data = self.item.data
        data["status"] = status
        if data["type"] == "function_call":
            self._emit(
                "response.function_call_arguments.done",
                call_id=data["call_id"],
                name=data["name"],
                arguments=data["arguments"],
            )
        else:
            if self.aloud:
                self._emit("response.output_audio.done", content_index=0)
                self._emit(
                    "response.output_audio_transcript.done",
                    content_index=0,
                    transcript=self.part["transcript"],
                )
                if self.session.voice and status != "completed":
                    self.session.voice.cut(self.item.id, sounds.ms(self.item.pcm))
            else:
                self._emit("response.output_text.done", content_index=0, text=self.part["text"])
            self._keep_part()
            self._emit(
                "response.content_part.done", content_index=0, part=self._shown_part(self.part)
            )
        if self.in_conversation:
            self.session.emit(
                "conversation.item.done",
                previous_item_id=self.session.conversation.before(self.item),
                item=self.item.shown(),
            )
        self.session.emit(
            "response.output_item.done", response_id=self.id, output_index=0, item=self.item.shown()
        )
