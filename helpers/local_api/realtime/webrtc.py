"""One WebRTC peer on the server's side: Opus in and out, the channel of events, an end that leaves
nothing behind.

aiortc carries ICE, DTLS, SRTP and SCTP. It is led off its usual way in five places, each for a
measured reason: a call stays on this machine, by its addresses, and a busy peer is not taken for a
dead one (helpers/facts/loopback.py); the candidates in an offer are not followed (the peer's
own checks show where it is), so nothing is looked up or asked of any other machine; sound is
decoded as it arrives, where aiortc's buffer adds some 80 ms and turns a lost packet into several;
and what is said goes out as ready Opus packets, with no encoder thread between.
"""

import asyncio
import fractions
import re
import secrets
import time
from collections import deque

import av
import numpy
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError

from ...common.private import must_have
from ...facts import loopback, sounds  # noqa: F401 (loopback: calls.py reads it, too)

EVENTS = "oai-events"  # the one data channel that the API knows
RATE = 24_000  # samples a second, as everywhere in the Realtime API
FRAME = RATE // 50  # samples in a packet of 20 ms
OPUS = fractions.Fraction(1, 48_000)  # Opus counts time in this, whatever the rate
OPUS_ALONE = [
    c for c in RTCRtpReceiver.getCapabilities("audio").codecs if c.mimeType == "audio/opus"
]
SILENCE = b"\xf8\xff\xfe"  # 20 ms of nothing in Opus
# Seconds without a packet after which the peer counts as silent: a client that a busy machine
# stops in the middle of a word is back before (1.3 s were seen), and then nothing is missing.
HOLE = 3.0
LATE = 0.2  # seconds behind its time from which the mouth goes on instead of catching up
FADING = (0.9, 0.6, 0.3)  # how loud the last 20 ms go on in the next three
LONGEST_HOLE = 48_000  # filled; a longer one is a new beginning of the clock
CONNECTS_WITHIN = 30  # seconds from the answer; as long as ICE's own consent lasts (RFC 7675)


class BadOffer(ValueError):
    """An SDP offer that cannot be answered, with the reason."""


class Peer:
    """A connection to one client, from its offer to its end.

    hear(pcm) gets what it says (PCM16, 24 kHz, mono, without holes), told(text) its events;
    opened() is called once when it can be answered, gone() once when it has left, however it left.
    `mouth` is its Voice.
    """

    def __init__(self, hear, told, opened, gone):
        self.told, self.opened, self.gone = told, opened, gone
        # the default asks a server on the internet
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel, self.waiting, self.deadline, self.ended = None, [], None, False
        self.ear = Ear(hear)
        self.mouth = Mouth(self.ear)
        self.connection.on("datachannel", self._channel)
        self.connection.on("connectionstatechange", self._changed)

    async def answer(self, offer):
        """The SDP answer to an offer. Raises BadOffer."""
        offer = checked(offer)
        carrier = self.connection.addTransceiver(self.mouth)
        carrier.setCodecPreferences(OPUS_ALONE)
        must_have(carrier, "_headerExtensions")
        must_have(carrier.receiver, "_RTCRtpReceiver__jitter_buffer")
        carrier.receiver._RTCRtpReceiver__jitter_buffer = self.ear
        try:
            await self.connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
            carrier._headerExtensions = []  # the API's own answers have none
            await self.connection.setLocalDescription()
        except Exception as e:  # its parser meets bad text with errors of all kinds
            raise BadOffer(f"{type(e).__name__}: {e}") from e
        self.has_events = "m=application" in offer
        self.deadline = asyncio.get_running_loop().call_later(CONNECTS_WITHIN, self._give_up)
        return trimmed(self.connection.localDescription.sdp)

    def send(self, text):
        """An event to the client; kept until its channel is open. False for one that is longer than
        the client takes.
        """
        if self.channel and self.channel.readyState == "open":
            try:
                self.channel.send(text)
            except ValueError:
                return False
        elif self.channel is None:
            self.waiting.append(text)
        return True

    async def close(self):
        """End the connection and all that belongs to it. May be called again."""
        await self.connection.close()
        self._end()

    def _channel(self, channel):
        if channel.label != EVENTS or self.channel:
            return
        self.channel = channel
        channel.on("message", self.told)
        self.opened()
        waiting, self.waiting = self.waiting, []
        for text in waiting:
            self.send(text)

    def _changed(self):
        state = self.connection.connectionState
        if state == "connected":
            self.deadline.cancel()
            if not self.has_events:
                self.opened()
        elif state == "failed":
            self._give_up()
        elif state == "closed":
            self._end()

    def _give_up(self):
        # asyncio itself holds a task only weakly
        self.closing = asyncio.ensure_future(self.close())

    def _end(self):
        if not self.ended:
            self.ended = True
            if self.deadline:
                self.deadline.cancel()
            self.mouth.stop()
            self.ear.close()
            self.gone()


class Ear:
    """Stands where aiortc has its jitter buffer: decodes each packet as it arrives.

    A hole is filled as telephones fill one: what was heard last goes on, and fades in 60 ms.
    Silence there would cut a short word in pieces, and the detector of turns would pass over it.
    """

    def __init__(self, hear):
        self.decoder = av.CodecContext.create("libopus", "r")
        self.decoder.format, self.decoder.layout, self.decoder.sample_rate = "s16", "mono", 48_000
        self.halve = sounds.Resampler(48_000, RATE)
        self.next = None  # the timestamp that goes on from the last packet
        self.last = None  # when it came
        self.tail = b""  # its sound
        self.heard = asyncio.Queue()
        self.task = asyncio.ensure_future(self._pass_on(hear))

    def add(self, packet):
        """A packet from the wire. Returns what aiortc's decoder is to do with it: nothing."""
        hole = self._hole(packet.timestamp)
        if hole >= 0:
            if hole:
                self._fill(hole, self._faded())
            self.next = packet.timestamp
            self.last = time.monotonic()
            self._decode(packet._data)
        return False, None

    def tick(self):
        """Every 20 ms: a client that has stopped sending is silent, and time goes on."""
        if self._away():
            self._fill(960, b"")

    def close(self):
        self.task.cancel()

    def _hole(self, timestamp):
        """Samples (48 kHz) missing before this packet; less than 0 for one that comes too late."""
        if self.next is None:
            return 0
        hole = (timestamp - self.next + 2**31) % 2**32 - 2**31
        # its clock stood while tick() went on: it is not late, it is back
        overtaken = hole < 0 and self._away()
        return 0 if abs(hole) > LONGEST_HOLE or overtaken else hole

    def _away(self):
        return self.last is not None and time.monotonic() - self.last > HOLE

    def _fill(self, samples, sound):
        """`samples` (48 kHz) of the sound given, and then of silence."""
        size = samples // 2 * 2
        self.heard.put_nowait(sound[:size].ljust(size, b"\0"))
        self.next = (self.next + samples) % 2**32

    def _faded(self):
        tail = numpy.frombuffer(self.tail, "<i2")
        return b"".join((tail * gain).astype("<i2").tobytes() for gain in FADING)

    def _decode(self, data):
        try:
            frames = self.decoder.decode(av.Packet(data))
        except av.FFmpegError:
            return  # no Opus: a hole, which the next packet fills
        for frame in frames:
            self.next = (self.next + frame.samples) % 2**32
            self.tail = self.halve.frame(frame)
            self.heard.put_nowait(self.tail)

    async def _pass_on(self, hear):
        while True:
            await hear(await self.heard.get())


class Mouth(MediaStreamTrack):
    """The sound that goes out, a packet every 20 ms, silence where nothing is said. A Voice of
    session.py.
    """

    kind = "audio"

    def __init__(self, ear):
        super().__init__()
        self.ear, self.session = ear, None
        self.saying = deque()
        self.sent, self.begun = 0, 0.0

    def play(self, response_id, item_id, pcm, more=False):
        begun = next((u for u in self.saying if u.response_id == response_id), None)
        if begun:
            begun.extend(pcm, more)
        elif pcm:
            self.saying.append(Utterance(response_id, item_id, pcm, more))

    def cut(self, item_id, milliseconds):
        for said in self.saying:
            if said.item_id == item_id:
                said.more = False
                said.shorten(milliseconds * RATE // 1000)

    def clear(self):
        cut = [(u.response_id, u.item_id, u.played_ms) for u in self.saying]
        self.saying.clear()
        return cut

    async def recv(self):
        """The next packet, at its time. aiortc sends it on at once."""
        if self.readyState != "live":
            raise MediaStreamError
        now = asyncio.get_running_loop().time()
        due = self.begun + self.sent * 0.02
        # the first; or this process was stopped for a while: no burst
        if not self.sent or now - due > LATE:
            self.begun, due = now - self.sent * 0.02, now
        if due > now:
            await asyncio.sleep(due - now)
        self.ear.tick()
        packet = av.Packet(self._next())
        packet.pts, packet.time_base = self.sent * 960, OPUS
        self.sent += 1
        return packet

    def _next(self):
        while self.saying:
            said = self.saying[0]
            if said.at == 0:
                self.session.started(said.response_id)
            data = said.next()
            if data:
                return data
            self.saying.popleft()
            if not any(u.response_id == said.response_id for u in self.saying):
                self.session.stopped(said.response_id)
        return SILENCE


class Utterance:
    """One answer's sound on its way out: encoded 20 ms at a time, just before it goes. more: it is
    not whole yet, and at its end it waits for what follows.
    """

    def __init__(self, response_id, item_id, pcm, more=False):
        self.response_id, self.item_id, self.more = response_id, item_id, more
        self.pcm = numpy.frombuffer(pcm, dtype="<i2")
        self.shorten(len(self.pcm))
        self.at = 0
        self.encoder = av.CodecContext.create("libopus", "w")
        self.encoder.format, self.encoder.layout, self.encoder.sample_rate = "s16", "mono", RATE
        self.encoder.bit_rate = 32_000
        # the least effort costs a fifth of the default's time; a lost packet is repaired from the
        # one after it
        self.encoder.options = {
            "application": "voip",
            "compression_level": "0",
            "fec": "1",
            "packet_loss": "10",
        }

    @property
    def played_ms(self):
        return min(self.at, self.length) * 1000 // RATE

    def extend(self, pcm, more):
        """Say that, too."""
        self.pcm = numpy.append(self.pcm[: self.length], numpy.frombuffer(pcm, dtype="<i2"))
        self.more = more
        self.shorten(len(self.pcm))

    def shorten(self, length):
        """Say no more of it than so many samples."""
        self.length = min(length, len(self.pcm))
        frames = -(-self.length // FRAME) + 1  # one more: the encoder runs 6.5 ms behind
        self.pcm = numpy.append(
            self.pcm[: self.length], numpy.zeros(frames * FRAME - self.length, "<i2")
        )

    def next(self):
        """The next packet's bytes; empty at the end."""
        if self.more and self.at + FRAME > self.length:
            return SILENCE  # the next sentence is on its way
        if self.at >= len(self.pcm):
            return b""
        frame = av.AudioFrame.from_ndarray(
            self.pcm[None, self.at : self.at + FRAME], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = RATE, self.at
        self.at += FRAME
        return b"".join(map(bytes, self.encoder.encode(frame)))


def checked(offer):
    """The offer without its candidates. Raises BadOffer for what is no offer of one audio track in
    Opus.
    """
    if not offer.startswith("v=0") or not offer.endswith("\n"):
        raise BadOffer(
            "failed to unmarshal SDP: "
            + ("EOF" if offer.startswith("v=0") else "it does not begin with v=0")
        )
    kinds = re.findall(r"^m=(\w+)", offer, re.MULTILINE)
    if sorted(kinds) not in (["audio"], ["application", "audio"]):
        raise BadOffer(f"it must have one m=audio line and at most one m=application, not {kinds}")
    if not re.search(r"^a=rtpmap:\d+ opus/48000", offer, re.MULTILINE | re.IGNORECASE):
        raise BadOffer("it does not offer Opus")
    for name in ("fingerprint", "ice-ufrag", "ice-pwd"):
        if f"a={name}:" not in offer:
            raise BadOffer(f"it has no a={name}")
    return "".join(
        line + "\r\n"
        for line in offer.splitlines()
        if not line.startswith(("a=candidate", "a=end-of-candidates"))
    )


def trimmed(answer):
    """An SDP answer with what a client needs, each thing once, as the API's own answers have it.

    Clients on microcontrollers have buffers of 2 kB; aiortc's text would be longer.
    """
    lines, seen = [], set()
    for line in answer.splitlines():
        if line.startswith(
            ("a=fingerprint:sha-384", "a=fingerprint:sha-512", "a=rtcp:", "a=end-of-candidates")
        ):
            continue
        if line.startswith("a=candidate") and line in seen:
            continue  # one transport carries both
        if line.startswith("o="):
            line = f"o=- {secrets.randbits(62)} {int(time.time())} IN IP4 0.0.0.0"
        if line.startswith("m=") and "m" not in seen:
            # we wait for the client's checks, at addresses of our own
            lines.append("a=ice-lite")
        if line == "a=rtcp-mux":
            line += "\r\na=rtcp-rsize"
        if "opus/48000" in line:
            line += f"\r\na=fmtp:{line[9:].split()[0]} minptime=10;useinbandfec=1"
        seen |= {line if line.startswith("a=candidate") else line[0]}
        lines.append(line)
    return "".join(line + "\r\n" for line in lines)
