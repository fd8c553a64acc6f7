"""A voice on a device without a browser: its microphone is stdin, its loudspeaker stdout.

    arecord -t raw -f S16_LE -r 8000 | python lawn_reindeer.py | aplay -t raw -f S16_LE -r 8000

OPENAI_BASE_URL is the API, CLIENT_SECRET opens the call. When stdin has ended and the last answer
is over, it hangs up and writes what it used to stderr, as JSON.
"""
import asyncio
import fractions
import json
import os
import sys
import time
import urllib.error
import urllib.request

import aioice.ice
import av
from aiortc import (MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpReceiver,
                    RTCSessionDescription)

RATE, FRAME = 8_000, 320  # samples a second, and in a packet of 40 ms


def encoder(ms=40, bit_rate=30_000):
    """Opus with the least effort. These are the rate and the values of the embedded SDK."""
    opus = av.CodecContext.create("libopus", "w")
    opus.sample_rate, opus.format, opus.layout, opus.bit_rate = RATE, "s16", "mono", bit_rate
    opus.options = {"application": "voip", "compression_level": "0", "frame_duration": str(ms)}
    return opus


def encode(opus, pcm, at):
    """The packet of one frame of PCM16 that begins at sample `at`."""
    frame = av.AudioFrame("s16", "mono", len(pcm) // 2)
    frame.sample_rate, frame.pts = RATE, at
    frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
    return b"".join(map(bytes, opus.encode(frame)))


class Microphone(MediaStreamTrack):
    kind = "audio"

    def __init__(self):
        super().__init__()
        self.opus, self.begun, self.sent = encoder(), None, 0
        self.after = 0  # packets of silence, once stdin has ended

    async def recv(self):
        self.begun = self.begun or time.monotonic()
        due = self.begun + self.sent * FRAME / RATE  # a microphone waits by itself, a file does not
        await asyncio.sleep(max(0, due - time.monotonic()))
        pcm = b"" if self.after else await asyncio.to_thread(sys.stdin.buffer.read, 2 * FRAME)
        self.after += len(pcm) < 2 * FRAME
        packet = av.Packet(encode(self.opus, pcm.ljust(2 * FRAME, b"\0"), self.sent * FRAME))
        packet.pts, packet.time_base = self.sent * FRAME, fractions.Fraction(1, RATE)
        self.sent += 1
        return packet


class Loudspeaker:
    """Plays each packet as it comes, and keeps none. aiortc's own buffer here holds up to 16."""

    def __init__(self):
        self.opus = av.CodecContext.create("libopus", "r")
        self.to_8_khz, self.bytes = av.AudioResampler("s16", "mono", RATE), 0

    def add(self, packet):
        self.bytes += len(packet.payload)
        for frame in self.opus.decode(av.Packet(packet.payload)):
            for piece in self.to_8_khz.resample(frame):
                sys.stdout.buffer.write(bytes(piece.planes[0])[:2 * piece.samples])
        sys.stdout.buffer.flush()
        return False, None  # nothing is left for aiortc to decode


def trimmed(offer):
    """An offer without what the other side can do without: a small client has 2 kB for it."""
    needless = ["a=fingerprint:sha-384", "a=fingerprint:sha-512", "a=extmap", "a=rtcp:"]
    lines = []
    for line in offer.splitlines(keepends=True):
        if line.startswith("m=application"):
            needless.append("a=candidate")  # one road carries sound and events
        if not line.startswith(tuple(needless)):
            lines.append(line)
    return "".join(lines)


def post(offer):
    """The answer to an offer. It takes one POST, and no SDK."""
    headers = {"Authorization": f"Bearer {os.environ['CLIENT_SECRET']}",
               "Content-Type": "application/sdp"}
    url = f"{os.environ['OPENAI_BASE_URL']}/realtime/calls"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, offer.encode(), headers)) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as refused:
        sys.exit(f"The call was refused: {refused.code} {refused.read().decode()}")


def not_heard(session):
    """What stands in the place of your words where no turn of yours was found, and why."""
    if not session["audio"]["input"].get("turn_detection"):
        return "(no turn was found: the session has no turn_detection)"
    return "(no turn was found: nothing in the sound is taken for speech)"


def not_written(session):
    """What stands in the place of your words until a transcript comes, and why."""
    if not session["audio"]["input"].get("transcription"):
        return "(sound, not written down: the session asks for no transcription)"
    return "(sound, not written down: no transcript came)"


async def call():
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    microphone, loudspeaker = Microphone(), Loudspeaker()
    line, channel = peer.addTransceiver(microphone), peer.createDataChannel("oai-events")
    codecs = RTCRtpReceiver.getCapabilities("audio").codecs
    line.setCodecPreferences([codec for codec in codecs if codec.name == "opus"])
    line.receiver._RTCRtpReceiver__jitter_buffer = loudspeaker
    words, session = {}, {}
    asked = set()  # something is asked from the first word heard to the last one said

    @channel.on("message")
    def told(text):
        event = json.loads(text)
        if event["type"] == "session.created":
            session.update(event["session"])
        elif event["type"] == "input_audio_buffer.speech_started":
            asked.add("something")
            words["you"] = not_written(session)
        elif event["type"] == "output_audio_buffer.stopped":
            asked.clear()
        elif event["type"] == "error":
            words["error"] = event["error"]["message"]
        elif event["type"] == "response.done":
            words["response"] = event["response"]["id"]
            words.setdefault("it", "(no words)")
            if event["response"]["status"] != "completed":
                words["it"] += f" (its status is {event['response']['status']})"
            if event["response"]["output_modalities"] == ["text"]:
                asked.clear()  # no sound of it will ever stop
        elif "transcript" in event:  # of what was heard, or of what is said
            words["you" if event["type"].startswith("conversation") else "it"] = event["transcript"]
        elif event["type"] == "response.output_text.done":
            words["it"] = f"{event['text']} (text, no sound: the session's output_modalities)"

    await peer.setLocalDescription(await peer.createOffer())
    offer = trimmed(peer.localDescription.sdp)
    answer = await asyncio.to_thread(post, offer)
    await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    while (asked or microphone.after < 25) and microphone.after < 750:  # packets: 1 s, and 30 s
        if peer.connectionState in ("failed", "closed"):
            sys.exit(f"The connection has {peer.connectionState}.")
        await asyncio.sleep(0.1)
    if not session:
        sys.exit("The call was answered, and no session.created came.")
    if asked:
        detection = session["audio"]["input"]["turn_detection"]
        off = "" if detection.get("create_response", True) else ": its create_response is off"
        sys.exit(f"It was heard, and no answer came within 30 s{off}.")
    stats = {part.type: part for part in (await peer.getStats()).values()}
    await peer.close()
    udp, up = stats["transport"], stats["outbound-rtp"].bytesSent
    return {"you": not_heard(session), "it": "(no answer)", "response": None} | words | {
        "seconds": microphone.sent * FRAME / RATE, "memory": peak_memory(),
        "offer": len(offer), "answer": len(answer),
        "up": {"packets": udp.packetsSent, "bytes": udp.bytesSent, "sound": up},
        "down": {"packets": udp.packetsReceived, "bytes": udp.bytesReceived,
                 "sound": loudspeaker.bytes}}


def peak_memory():
    """The most bytes that this process ever held. (getrusage may give its parent's instead.)"""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:  # another system than Linux
        import psutil
        memory = psutil.Process().memory_info()
        return getattr(memory, "peak_wset", memory.rss)


if __name__ == "__main__":
    if "//127.0.0.1" in os.environ["OPENAI_BASE_URL"]:  # the one address that aioice leaves out
        aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    print(json.dumps(asyncio.run(call())), file=sys.stderr)
