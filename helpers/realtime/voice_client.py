"""A WebRTC client without a browser: aiortc on this side of the line, with clips in place of a
microphone.

    call = await Caller(secret.value).dial()
    await call.say("user-spanish")
    await call.until("output_audio_buffer.stopped")
    await call.hang_up()

Everything it does, the browser's twelve lines do too; only the microphone and the loudspeaker are
ours here.
"""

import asyncio
import fractions
import json
import os

import numpy
from av import AudioFrame
from openai import AsyncOpenAI

from .. import display
from ..common import left_out, spoken
from ..facts import sounds
from . import sockets

try:
    from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
    from aiortc.mediastreams import MediaStreamError

    from ..facts import loopback  # noqa: F401 (importing it is what counts)
except ModuleNotFoundError:
    left_out.need_voice()
    raise

FRAME = sounds.RATE // 50  # samples in 20 ms


class Caller:
    """One call to the Realtime API. `secret`: a client secret, or a key together with a `session`.

    `events` fills with what the server sends; `offer` and `answer` are the two SDP texts.
    """

    def __init__(self, secret, api=None, session=None):
        self.client = AsyncOpenAI(
            api_key=secret, base_url=api or os.environ["OPENAI_BASE_URL"], max_retries=0
        )
        self.session = {} if session is None else {"session": session}
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.mouth = Clips()
        self.events, self.call_id, self.over = [], None, ""
        self.talk = sockets.Talk()
        self._heard, self._news, self._listening = [], asyncio.Event(), None
        self._shown = 0  # errors that were raised

    async def dial(self):
        """Offer, answer, and wait for session.created on the data channel. Returns self; raises
        what the SDK raises.
        """
        self.peer.addTrack(self.mouth)
        self.peer.on("track", self._listen)
        self.peer.on("connectionstatechange", self._changed)
        self.channel = self.peer.createDataChannel("oai-events")
        self.channel.on("message", self._note)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        self.offer = self.peer.localDescription.sdp
        answer = await self.client.realtime.calls.create(sdp=self.offer, **self.session)
        self.answer, self.call_id = (
            answer.text,
            answer.response.headers["Location"].rpartition("/")[2],
        )
        await self.peer.setRemoteDescription(RTCSessionDescription(self.answer, "answer"))
        await self.until("session.created")
        return self

    def send(self, event):
        """A client event, as a dict."""
        self.talk.note(event)
        self.channel.send(json.dumps(event))

    async def say(self, clip):
        """Say a clip of data/audio (its name) or a sound (PCM16, 24 kHz), and wait until it is
        said.
        """
        await self.mouth.say(sounds.clip(clip) if isinstance(clip, str) else clip)

    async def until(self, kind, count=1, seconds=None):
        """The count-th event of a type, as soon as it is there. seconds: in the place of
        sockets.PATIENCE.

        Raises RuntimeError with the words of an `error` event that comes in its place, TimeoutError
        where nothing comes for sockets.PATIENCE seconds while nobody speaks and all that was sent
        is answered, with what is waited for, and ConnectionError where the call has ended before.
        """
        while len(self._of(kind)) < count and not self.over:
            wrong = self._of("error")
            if wrong[self._shown :] and kind != "error":
                self._shown = len(wrong)
                raise RuntimeError(wrong[-1]["error"]["message"])
            self._news.clear()
            try:
                async with asyncio.timeout(seconds or self.talk.patience):
                    await self._news.wait()
            except TimeoutError:
                # what comes in the very moment in which the time is over has come
                at_work = self._news.is_set() or self.talk.owes() or self.talk.unanswered()
                if not (self.mouth.waiting or self._plays() or at_work):
                    raise TimeoutError(f"no {kind}. {self.talk.late()}") from None
        if len(self._of(kind)) < count:
            came = f"there were {', '.join(e['type'] for e in self.events) or 'no events'}"
            raise ConnectionError(f"no {kind}: the connection is {self.over}; {came}")
        if kind == "error":
            self._shown = len(self._of(kind))
        return self._of(kind)[count - 1]

    def _plays(self):
        """Whether an answer's sound is on its way."""
        ended = self._of("output_audio_buffer.stopped") + self._of("output_audio_buffer.cleared")
        return len(self._of("output_audio_buffer.started")) > len(ended)

    def _of(self, kind):
        return [e for e in self.events if e["type"] == kind]

    @property
    def sound(self):
        """All that was heard so far, silence included, as PCM16 at 24 kHz."""
        return sounds.changed(b"".join(self._heard), 48_000, sounds.RATE)

    def heard(self, clip):
        """Whether a clip of data/audio came out of the line: its sound, found in what was
        received.
        """
        return contains(self.sound, clip)

    def shown(self):
        """What was said on both sides, framed with its origin. Returns a Shown."""
        lines, notes = spoken.turn(spoken.as_objects(self.events))
        done = self._of("response.done")
        if not done:
            raise RuntimeError(f"There is no answer to show: {self.talk.waits_for()}")
        return display.framed(
            "\n".join(lines),
            self._of("session.created")[0]["session"]["model"],
            done[-1]["response"]["id"],
            " · ".join(notes),
        )

    async def hang_up(self):
        """End the call from this side. May be called twice."""
        self.mouth.stop()
        await self.peer.close()
        await self.client.close()
        if self._listening:
            await self._listening

    def _changed(self):
        if self.peer.connectionState in ("failed", "closed"):
            self.over = self.peer.connectionState
            self._news.set()

    def _note(self, text):
        self.events.append(json.loads(text))
        self.talk.note(self.events[-1])
        self._news.set()

    def _listen(self, track):
        async def listen():
            try:
                while True:
                    frame = await track.recv()
                    # the left of two equal channels
                    self._heard.append(frame.to_ndarray()[0, ::2].tobytes())
            except MediaStreamError:
                pass  # the call is over

        self._listening = asyncio.ensure_future(listen())


def contains(sound, clip):
    """Whether a clip is in a sound (PCM16, 24 kHz): the pictures of both, compared as the local
    API's ear does.

    Compared second by second, each wherever it is most alike: where packets came late, a browser's
    jitter buffer has stretched or shortened the sound between them.
    """
    from ..facts import hearing

    picture, loudness = hearing.picture(sounds.clip(clip))
    weight = (loudness > loudness.max() - 6).astype("f4")  # where it is not silent
    # the end may still be on its way
    columns, _ = hearing.picture(sound + bytes(len(sounds.clip(clip))))
    alike = (picture @ columns.T) * weight[:, None]
    seconds = [
        alike[at : at + hearing.COLUMNS_A_SECOND]
        for at in range(0, len(alike), hearing.COLUMNS_A_SECOND)
    ]
    best = (
        sum(
            max(numpy.trace(second, at) for at in range(len(columns) - len(second) + 1))
            for second in seconds
        )
        / weight.sum()
    )
    return bool(best > hearing.ALIKE)


class Clips(MediaStreamTrack):
    """A microphone that says what it is given, and is silent otherwise."""

    kind = "audio"

    def __init__(self):
        super().__init__()
        self.sent, self.begun, self.waiting = 0, None, []

    async def say(self, pcm):
        samples = numpy.frombuffer(pcm, "<i2")
        frames = numpy.append(samples, numpy.zeros(-len(samples) % FRAME, "<i2")).reshape(-1, FRAME)
        said = asyncio.get_running_loop().create_future()
        self.waiting += [*((frame, None) for frame in frames[:-1]), (frames[-1], said)]
        await said

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        clock = asyncio.get_running_loop().time
        self.begun = self.begun or clock()
        await asyncio.sleep(max(0, self.begun + self.sent * 0.02 - clock()))
        samples, said = self.waiting.pop(0) if self.waiting else (numpy.zeros(FRAME, "<i2"), None)
        frame = AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = (
            sounds.RATE,
            self.sent * FRAME,
            fractions.Fraction(1, sounds.RATE),
        )
        self.sent += 1
        if said and not said.done():
            said.set_result(None)
        return frame
