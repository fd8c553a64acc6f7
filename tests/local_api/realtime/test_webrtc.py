"""Calls over WebRTC, with aiortc at both ends of a real wire: sound both ways, interruptions, and
every way in which a call ends.
"""

import asyncio
import json
import random
import sys
import threading
import time
import types
import urllib.request

import aioice.ice
import aioice.stun
import av
import numpy
import openai
import pytest
from aiortc import RTCPeerConnection
from openai import AsyncOpenAI

from helpers import connection
from helpers.common import this_machine
from helpers.facts import loopback, sounds, turns
from helpers.local_api import server
from helpers.local_api.realtime import calls, config, secrets, webrtc
from helpers.local_api.realtime import session as session_module
from helpers.realtime.voice_client import Caller, contains
from tests import genuine

KEY = "day9-test"
MODEL = "gpt-realtime-2.1"
WRITES_DOWN = {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}


def session(**more):
    return {"type": "realtime", "model": MODEL} | more


class Api:
    """A local API in the event loop of a test: its state is in view."""

    def __init__(self):
        self.sock = server.bind()
        self.state = server.serve(self.sock, KEY)
        self.url = f"http://127.0.0.1:{self.state.port}/v1"
        self.client = AsyncOpenAI(api_key=KEY, base_url=self.url, max_retries=0)
        self.desk = self.state.realtime
        self.callers = []

    async def secret(self, **more):
        return (await self.client.realtime.client_secrets.create(session=session(**more))).value

    async def dial(self, secret=None, **more):
        caller = Caller(secret or await self.secret(**(more or WRITES_DOWN)), self.url)
        self.callers.append(caller)
        return await caller.dial()

    async def post(self, path, body=b"", token=KEY, **headers):
        """(status, headers, body) of a POST as curl would send it."""

        def ask():
            request = urllib.request.Request(
                f"{self.url}{path}",
                body,
                {"Authorization": f"Bearer {token}"}
                | {k.replace("_", "-"): v for k, v in headers.items()},
            )
            try:
                with this_machine.open_url(request, 60) as answer:
                    return answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as e:
                return e.code, e.headers, e.read()

        return await asyncio.to_thread(ask)

    async def nothing_left(self, seconds=20):
        """Wait until no call, and no task or thread of one, is left: sooner than after the 30
        seconds in which ICE gives up a peer.
        """

        def left():
            tasks = asyncio.all_tasks() - self.before - {asyncio.current_task()}
            return [
                *self.desk.calls,
                *(
                    name
                    for t in tasks
                    if not (name := t.get_coro().__qualname__).startswith("HTTP1")
                ),
            ]  # connections that clients keep

        until = time.monotonic() + seconds
        while left() and time.monotonic() < until:
            await asyncio.sleep(0.05)
        assert left() == []


def with_api(test):
    """Run a coroutine test(api, ...) against a server of its own, in a loop that must be empty at
    its end.
    """
    import functools
    import inspect

    @functools.wraps(test)
    def run(*args, **kwargs):
        async def go():
            api = Api()
            api.before = asyncio.all_tasks()
            try:
                await test(api, *args, **kwargs)
            finally:
                for caller in api.callers:
                    await caller.hang_up()
                await api.nothing_left()
                await api.client.close()

        asyncio.run(go())

    first, *rest = inspect.signature(test).parameters.values()
    run.__signature__ = inspect.Signature(rest)
    return run


def loudest(pcm):
    return int(numpy.abs(numpy.frombuffer(pcm, "<i2").astype(int)).max(initial=0))


def loud_frames(pcm):
    """How many fiftieths of a second are not silent."""
    frame = sounds.BYTES_A_MS * 20
    return sum(loudest(pcm[at : at + frame]) >= 50 for at in range(0, len(pcm), frame))


async def silence(caller):
    """Wait for a second of it: at the end what was still on its way has been heard."""
    until = time.monotonic() + 60
    while len(caller.sound) < 2 * sounds.RATE or loudest(caller.sound[-2 * sounds.RATE :]) >= 50:
        assert time.monotonic() < until, "it does not fall silent"
        await asyncio.sleep(0.2)


def types_of(caller):
    return [e["type"] for e in caller.events]


def spoken(caller):
    return [
        e["transcript"]
        for e in caller.events
        if e["type"] == "response.output_audio_transcript.done"
    ]


async def refusal(awaitable):
    with pytest.raises(openai.APIStatusError) as caught:
        await awaitable
    assert set(caught.value.body) == {"message", "type", "param", "code"}
    return caught.value


# --- a conversation -------------------------------------------------------------------------------


@with_api
async def test_a_clip_is_said_heard_and_answered_in_sound(api):
    call = await api.dial()
    await call.say("user-spanish")
    await call.until("output_audio_buffer.stopped")
    heard = await call.until("conversation.item.input_audio_transcription.completed")
    assert heard["transcript"] == sounds.clips()["user-spanish"]["transcript"]
    assert spoken(call) == [sounds.clips()["says-spanish"]["transcript"]]
    assert call.heard("says-spanish") and not call.heard("says-reindeer")
    order = types_of(call)
    assert order[0] == "session.created" and "response.output_audio.delta" not in order
    for before, after in [
        ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
        ("response.created", "output_audio_buffer.started"),
        ("output_audio_buffer.started", "output_audio_buffer.stopped"),
        ("response.done", "output_audio_buffer.stopped"),
    ]:
        assert order.index(before) < order.index(after)
    assert {
        e["response_id"] for e in call.events if e["type"].startswith("output_audio_buffer")
    } == {(await call.until("response.done"))["response"]["id"]}


@with_api
async def test_it_is_silent_until_it_answers_and_after(api):
    call = await api.dial()
    await asyncio.sleep(1)
    assert loudest(call.sound) < 50
    await call.say("user-christmas")
    await call.until("output_audio_buffer.stopped")
    assert loudest(call.sound) > 3_000
    await silence(call)


@with_api
async def test_speaking_over_an_answer_silences_and_truncates_it(api):
    call = await api.dial()
    await call.say("user-story")
    await call.until("output_audio_buffer.started")
    await asyncio.sleep(2)
    await call.say("user-stop")
    cut = (await call.until("conversation.item.truncated"))["audio_end_ms"]
    await call.until("output_audio_buffer.cleared")
    await call.until("output_audio_buffer.stopped")
    await silence(call)
    story, stopped = sounds.clip("says-story"), sounds.clip("says-stopped")
    assert 0 < cut < sounds.ms(story)
    # no more of it is heard than the event says, and what comes next is heard whole
    said = loud_frames(story[: cut * sounds.BYTES_A_MS]) + loud_frames(stopped)
    assert loud_frames(call.sound) < said + 25, "more than half a second too much"
    assert call.heard("says-stopped") and not call.heard("says-story")


@with_api
async def test_events_go_both_ways_and_bad_ones_end_nothing(api):
    call = await api.dial()
    call.send(
        {
            "type": "session.update",
            "session": {"type": "realtime", "instructions": "Speak like a reindeer."},
        }
    )
    assert (await call.until("session.updated"))["session"][
        "instructions"
    ] == "Speak like a reindeer."
    call.channel.send("no JSON")
    call.channel.send(b"\0\1")
    call.send({"type": "no.such.event"})
    await call.until("error", count=3)
    await call.say("user-spanish")
    await call.until("response.done")


@with_api
async def test_without_a_data_channel_there_is_still_sound(api):
    """The keynote's twelve lines have none."""
    caller = Caller(await api.secret(), api.url)
    api.callers.append(caller)
    caller.peer.addTrack(caller.mouth)
    caller.peer.on("track", caller._listen)
    await caller.peer.setLocalDescription(await caller.peer.createOffer())
    answer = await caller.client.realtime.calls.create(sdp=caller.peer.localDescription.sdp)
    assert "m=application" not in answer.text
    await caller.peer.setRemoteDescription(webrtc.RTCSessionDescription(answer.text, "answer"))
    await asyncio.sleep(0.5)
    await caller.say("user-spanish")
    until = time.monotonic() + 60
    while not (heard := caller.heard("says-spanish")) and time.monotonic() < until:
        await asyncio.sleep(1)
    assert heard


@with_api
async def test_a_client_that_falls_silent_without_a_packet_has_ended_its_turn(api):
    call = await api.dial()
    await call.say("user-spanish")
    (sender,) = call.peer.getSenders()
    sender.replaceTrack(None)  # no sound, and no packets of silence either
    await call.until("response.created")


def is_sound(packet):
    """RTP, and no RTCP (RFC 5761, section 4) and no DTLS (RFC 7983, section 7)."""
    return 128 <= packet[0] <= 191 and not 192 <= packet[1] <= 223


@with_api
async def test_a_tenth_of_all_packets_lost_costs_no_word_and_no_event(api):
    """Sound and events alike, both ways. The client hears with the server's ear: aiortc's own makes
    of one hole several.
    """
    call = await api.dial()
    share, received = 0.1, []

    async def hear(pcm):
        received.append(pcm)

    (receiver,) = call.peer.getReceivers()
    receiver._RTCRtpReceiver__jitter_buffer = ear = webrtc.Ear(hear)

    def lose(peer):
        ice = peer.getSenders()[0].transport.transport
        send = ice._send
        # the same packets of sound, however many others a busy machine sends between them
        of_sound, of_others = random.Random(9), random.Random(10)

        async def lossy(data):
            chance = of_sound if is_sound(data) else of_others
            if chance.random() >= share:
                await send(data)

        ice._send = lossy

    lose(call.peer)
    lose(api.desk.calls[call.call_id].peer.connection)
    await call.say("user-spanish")
    await call.until("output_audio_buffer.stopped", seconds=60)
    heard = await call.until("conversation.item.input_audio_transcription.completed", seconds=60)
    ear.close()
    share = 0  # whose hanging up is lost is missed only when ICE's consent has run out
    assert heard["transcript"] == sounds.clips()["user-spanish"]["transcript"] and contains(
        b"".join(received), "says-spanish"
    )
    assert types_of(call)[0] == "session.created" and "error" not in types_of(call)


@with_api
async def test_an_item_whose_sound_is_too_long_for_the_channel_comes_whole_over_the_sideband(api):
    call = await api.dial()
    async with api.client.realtime.connect(call_id=call.call_id) as beside:
        await beside.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "Tell me a story."}],
            }
        )
        await beside.response.create()
        item = (await call.until("response.done"))["response"]["output"][0]
        call.send({"type": "conversation.item.retrieve", "item_id": item["id"]})
        (part,) = (await call.until("conversation.item.retrieved"))["item"]["content"]
        assert "audio" not in part and part["transcript"] == item["content"][0]["transcript"]
        async for event in beside:
            if event.type == "conversation.item.retrieved":
                break
        assert len(event.item.content[0].audio) > 1_000_000
    call.send({"type": "output_audio_buffer.clear"})
    await call.until("output_audio_buffer.cleared")


@with_api
async def test_an_event_too_long_for_the_channel_is_said_to_be_so_and_comes_over_the_sideband(api):
    call = await api.dial()
    async with api.client.realtime.connect(call_id=call.call_id) as beside:
        await beside.session.update(session=session(instructions="Be brief. " * 40_000))
        error = (await call.until("error"))["error"]
        assert (error["type"], error["code"]) == ("invalid_request_error", "event_too_long")
        assert "session.updated" in error["message"]
        async for event in beside:
            if event.type == "session.updated":
                break
        assert len(event.session.instructions) == 400_000


@with_api
async def test_a_fault_of_ours_in_hearing_is_told_and_the_next_words_are_heard(api, monkeypatch):
    call = await api.dial()
    monkeypatch.setattr(session_module.Session, "_started_speaking", lambda *given: 1 / 0)
    await call.say("user-stop")
    assert "ZeroDivisionError" in (await call.until("error"))["error"]["message"]
    monkeypatch.undo()
    await call.say(sounds.silence(1_000) + sounds.clip("user-spanish"))
    heard = await call.until("conversation.item.input_audio_transcription.completed", count=2)
    assert heard["transcript"] == sounds.clips()["user-spanish"]["transcript"]


class Light(Caller):
    """A caller that spares this machine: what it says is encoded before, what it hears is counted,
    not decoded, and when it has said it, and been silent for as long as ends a turn, it sends
    nothing.
    """

    SILENT = 40  # packets of 20 ms

    def __init__(self, *given):
        super().__init__(*given)
        self.spoken = 0
        self.mouth.recv = self._next
        self.waiting, self.sent, self.due = asyncio.Queue(), 0, 0.0

    def _listen(self, track):
        (receiver,) = self.peer.getReceivers()
        receiver._RTCRtpReceiver__jitter_buffer = self

    def add(self, packet):
        self.spoken += packet.payload != webrtc.SILENCE
        return False, None

    async def say(self, said):
        for packet in said + self.SILENT * [webrtc.SILENCE]:
            self.waiting.put_nowait(packet)

    async def _next(self):
        packet = av.Packet(await self.waiting.get())
        now = asyncio.get_running_loop().time()
        self.due = max(self.due + 0.02, now)  # who is late does not hurry: all would be later
        await asyncio.sleep(self.due - now)
        packet.pts, packet.time_base, self.sent = self.sent * 960, webrtc.OPUS, self.sent + 1
        return packet


def encoded(clip):
    said = webrtc.Utterance("", "", sounds.clip(clip))
    return list(iter(said.next, b""))


@with_api
async def test_a_client_that_is_stopped_in_the_middle_of_a_sentence_is_heard_whole(api):
    """A busy machine stops a browser for a while; its clock of samples stands, too."""
    call = Light(await api.secret(**WRITES_DOWN), api.url)
    api.callers.append(await call.dial())
    said = encoded("user-thanks")
    for packet in said[: len(said) // 2]:
        call.waiting.put_nowait(packet)
    await asyncio.sleep(2 + 0.02 * len(said) / 2)
    await call.say(said[len(said) // 2 :])
    heard = await call.until("conversation.item.input_audio_transcription.completed")
    assert heard["transcript"] == sounds.clips()["user-thanks"]["transcript"]
    await call.until("response.done")


def test_many_at_once():
    """The local API as it is used: in a process of its own. All are connected at once; four at a
    time speak.

    A machine that cannot carry them in their own time loses some: each that is connected has fifty
    packets a second to be read, and twenty were too many where two test runs shared two cores.
    """
    many = 12
    api = connection.Server()
    said = encoded("user-thanks")

    async def go():
        client = AsyncOpenAI(api_key=api.key, base_url=api.url)
        secret = (await client.realtime.client_secrets.create(session=session(**WRITES_DOWN))).value
        async with client:
            dialled = await asyncio.gather(*(Light(secret, api.url).dial() for _ in range(many)))
            for first in range(0, many, 4):
                for call in dialled[first : first + 4]:
                    await call.say(said)
                    await asyncio.sleep(0.5)
                for call in dialled[first : first + 4]:
                    await call.until("output_audio_buffer.stopped", seconds=200)
            await asyncio.sleep(1)
            answer = sounds.clips()["says-good-night"]["transcript"]
            assert [spoken(call) for call in dialled] == many * [[answer]]
            whole = len(encoded("says-good-night"))
            assert min(call.spoken for call in dialled) > 0.9 * whole, sorted(
                call.spoken for call in dialled
            )
            for call in dialled:
                await call.hang_up()

    try:
        asyncio.run(go())
    finally:
        api.process.kill()
        api.process.wait()


# --- how it ends ----------------------------------------------------------------------------------


@with_api
async def test_the_server_hangs_up(api):
    call = await api.dial()
    assert await api.client.realtime.calls.hangup(call.call_id) is None
    assert api.desk.calls == {}
    for _ in range(250):
        if call.channel.readyState == call.peer.connectionState == "closed":
            break
        await asyncio.sleep(0.02)
    assert call.channel.readyState == "closed" and call.peer.connectionState == "closed"
    e = await refusal(api.client.realtime.calls.hangup(call.call_id))
    assert (e.status_code, e.code) == (404, "call_id_not_found")


@with_api
async def test_a_caller_who_waits_for_more_is_told_that_the_call_is_over(api):
    call = await api.dial()
    waiting = asyncio.ensure_future(call.until("response.done", seconds=200))
    await asyncio.sleep(0.1)
    await api.client.realtime.calls.hangup(call.call_id)
    with pytest.raises(
        ConnectionError,
        match="no response.done: the connection is closed; there were session.created",
    ):
        await asyncio.wait_for(waiting, 20)


@with_api
async def test_a_server_that_is_held_up_is_waited_for(api):
    """As on a busy machine: that it answers in a moment is known of what was sent to it."""
    call = await api.dial()
    for event, answer in (
        ({"type": "session.update", "session": {"type": "realtime"}}, "session.updated"),
        ({"type": "input_audio_buffer.clear"}, "input_audio_buffer.cleared"),
        ({"type": "conversation.item.delete", "item_id": "item_1"}, "error"),
    ):
        call.send(event)
        assert (await call.until(answer, seconds=0.001))["type"] == answer
    with pytest.raises(TimeoutError, match="Nothing asks for an answer"):
        await call.until("response.done", seconds=0.001)


@with_api
async def test_a_caller_who_waits_in_vain_is_not_told_of_sound_that_no_event_carried(api):
    slow = {"type": "server_vad", "silence_duration_ms": 8_000}
    call = await api.dial(audio={"input": {"turn_detection": slow}})
    await call.say("user-thanks")
    with pytest.raises(TimeoutError, match="no end of the turn: it waits for 8000 ms of silence"):
        await call.until("response.done", seconds=0.5)


@with_api
async def test_the_client_hangs_up_in_the_middle_of_an_answer(api):
    threads = threading.active_count()
    call = await api.dial()
    await call.say("user-story")
    await call.until("output_audio_buffer.started")
    await call.hang_up()
    await api.nothing_left()
    assert [
        t.name for t in threading.enumerate() if "decoder" in t.name
    ] == [] and threading.active_count() <= threads + 8  # the pool of to_thread


@with_api
async def test_a_dead_peer_is_noticed_and_leaves_nothing(api, monkeypatch):
    """Its sockets are gone without a word: what pulling the plug looks like. ICE's consent runs
    out.
    """
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.1)
    monkeypatch.setattr(loopback, "RETRIES", 1)
    call = await api.dial()
    connection = call.peer.getSenders()[0].transport.transport._connection
    connection._query_consent_task.cancel()
    for protocol in connection._protocols:
        protocol.transport.abort()
    until = time.monotonic() + 20
    while api.desk.calls and time.monotonic() < until:
        await asyncio.sleep(0.1)
    assert api.desk.calls == {}


@with_api
async def test_a_peer_that_answers_late_is_not_taken_for_a_dead_one(api, monkeypatch):
    """By a second each time, as where two processes share a busy core. aioice's own limit is half a
    second.
    """
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.1)
    call = await api.dial()
    connection = (
        api.desk.calls[call.call_id].peer.connection.getSenders()[0].transport.transport._connection
    )
    asked = []

    class Late:
        def __init__(self, protocol):
            self.protocol = protocol

        def __getattr__(self, name):
            return getattr(self.protocol, name)

        async def request(self, request, address, retransmissions, **more):
            asked.append(1)
            if 0.5 * (2 ** (retransmissions + 1) - 1) < 1:  # the seconds that so many tries take
                raise aioice.stun.TransactionTimeout
            await asyncio.sleep(0.05)

    for pair in connection._nominated.values():
        pair.protocol = Late(pair.protocol)
    until = time.monotonic() + 60
    while len(asked) < 8 and call.call_id in api.desk.calls and time.monotonic() < until:
        await asyncio.sleep(0.05)
    assert len(asked) >= 8 and call.call_id in api.desk.calls
    for pair in connection._nominated.values():
        pair.protocol = pair.protocol.protocol


@with_api
async def test_an_offer_that_nobody_follows_up_is_given_up(api, monkeypatch):
    monkeypatch.setattr(webrtc, "CONNECTS_WITHIN", 0.3)
    peer = RTCPeerConnection(webrtc.RTCConfiguration(iceServers=[]))
    peer.createDataChannel("oai-events")
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    await api.client.realtime.calls.create(sdp=peer.localDescription.sdp, session=session())
    assert len(api.desk.calls) == 1
    await peer.close()
    await api.nothing_left()


@with_api
async def test_no_call_is_longer_than_an_hour(api, monkeypatch):
    assert config.SESSION_SECONDS == 3600
    monkeypatch.setattr(config, "SESSION_SECONDS", 2)
    call = await api.dial()
    assert (await call.until("error"))["error"]["code"] == "session_expired"
    await api.nothing_left()


# --- secrets --------------------------------------------------------------------------------------


@with_api
async def test_a_secret_has_the_whole_session_in_it(api):
    made = await api.client.realtime.client_secrets.create(
        session=session(instructions="Be brief."),
        expires_after={"anchor": "created_at", "seconds": 10},
    )
    assert (
        made.value.startswith("ek_")
        and len(made.value) == 35
        and abs(int(made.value[3:11], 16) + 10 - made.expires_at) <= 1
    )
    assert (made.session.instructions, made.session.model, made.session.expires_at) == (
        "Be brief.",
        MODEL,
        0,
    )
    assert made.session.audio.input.turn_detection.silence_duration_ms == 500
    call = await api.dial(made.value)
    assert call.events[0]["session"]["instructions"] == "Be brief."


@pytest.mark.parametrize(
    "after, code",
    [
        ({"seconds": 9}, "integer_below_min_value"),
        ({"seconds": 7201}, "integer_above_max_value"),
        ({"seconds": "600"}, "invalid_type"),
        ({"anchor": "now"}, "invalid_value"),
        ({"minutes": 1}, "unknown_parameter"),
    ],
)
@with_api
async def test_a_lifetime_outside_the_limits_is_refused(api, after, code):
    e = await refusal(
        api.client.realtime.client_secrets.create(expires_after=after, session=session())
    )
    assert (e.status_code, e.code) == (400, code)


@with_api
async def test_a_secret_opens_realtime_sessions_and_nothing_else(api):
    secret = await api.secret()
    stranger = AsyncOpenAI(api_key=secret, base_url=api.url, max_retries=0)
    for awaitable in (
        stranger.chat.completions.create(model="o1", messages=[{"role": "user", "content": "Hi"}]),
        stranger.models.list(),
        stranger.realtime.client_secrets.create(session=session()),
        stranger.realtime.calls.hangup("rtc_x"),
    ):
        e = await refusal(awaitable)
        assert e.status_code == 401 and "Realtime sessions only" in e.message
    call = await api.dial(secret)
    again = await api.dial(secret)  # as often as one likes, while it lasts
    assert call.call_id != again.call_id
    e = await refusal(
        stranger.realtime.calls.create(
            sdp=call.peer.localDescription.sdp, session=session(instructions="Something else")
        )
    )
    assert (e.status_code, e.param) == (400, "session")
    await stranger.close()


@with_api
async def test_an_expired_or_unknown_secret_is_refused(api, monkeypatch):
    secret = await api.secret()
    now = time.time()
    monkeypatch.setattr(secrets, "time", types.SimpleNamespace(time=lambda: now + 601))
    assert "expired" in (await refusal(api.dial(secret))).message
    assert "has not made it" in (await refusal(api.dial("ek_" + 32 * "0"))).message
    monkeypatch.undo()
    await api.dial(secret)


@with_api
async def test_secrets_and_answers_have_the_shape_of_genuine_ones(api, tmp_path):
    made = await api.client.realtime.client_secrets.with_raw_response.create(
        session=session(**WRITES_DOWN)
    )
    (tmp_path / "secret.json").write_bytes(made.http_response.content)
    status, headers, answer = await api.post(
        f"/realtime/calls?model={MODEL}", (await offered()).encode(), Content_Type="application/sdp"
    )
    (tmp_path / "answer.json").write_text(
        json.dumps(
            {
                "request": {"method": "POST", "url": "https://api.openai.com/v1/realtime/calls"},
                "response": {"status": status, "headers": dict(headers), "body": answer.decode()},
            }
        )
    )
    await api.client.realtime.calls.hangup(headers["Location"].rpartition("/")[2])
    reports = await asyncio.to_thread(genuine.score, tmp_path)
    assert reports
    ours = lambda found: [
        f for f in found if not str(f).startswith("headers.")
    ]  # those of a server behind others are not ours to have
    for report in reports:
        for found in (report.missing, report.extra, report.wrong, report.broken):
            assert ours(found) == [], report
    assert {law for report in reports for law in report.held} >= {
        "ek-format",
        "ek-time",
        "sdp-o-line",
        "calls-location",
        "sdp-time",
        "sdp-201",
    }


@with_api
async def test_the_events_of_a_call_have_the_keys_and_the_order_of_genuine_ones(api, tmp_path):
    # no genuine session was created with a transcription
    call = await api.dial(instructions="Be brief.")
    await call.say("user-spanish")
    await call.until("output_audio_buffer.stopped")
    (tmp_path / "call.jsonl").write_text("\n".join(map(json.dumps, call.events)))
    (report,) = await asyncio.to_thread(genuine.score, tmp_path)
    assert report.docs == len(call.events)
    assert report.categories["rt.output_audio_buffer.stopped"] == 1
    assert not any(
        (report.unknown, report.missing, report.extra, report.wrong, report.broken, report.order)
    ), report


# --- what is wrong with an offer ------------------------------------------------------------------


async def offered():
    peer = RTCPeerConnection(webrtc.RTCConfiguration(iceServers=[]))
    peer.createDataChannel("oai-events")
    peer.addTransceiver("audio")
    await peer.setLocalDescription(await peer.createOffer())
    await peer.close()
    return peer.localDescription.sdp


BROKEN = {
    "empty": lambda sdp: "",
    "no SDP": lambda sdp: "hello\n",
    "cut short": lambda sdp: sdp[:300],
    "trimmed": lambda sdp: sdp.strip(),
    "no sound": lambda sdp: sdp.replace("m=audio", "m=video"),
    "no Opus": lambda sdp: sdp.replace("opus", "speex"),
    "no fingerprint": lambda sdp: sdp.replace("a=fingerprint", "a=finger"),
    "no password": lambda sdp: sdp.replace("a=ice-pwd", "a=ice"),
    "binary": lambda sdp: "\0\xff" * 900,
    "bad numbers": lambda sdp: sdp.replace("m=audio ", "m=audio x"),
    "two of them": lambda sdp: sdp + sdp,
    "huge": lambda sdp: sdp + "a=x:" + "y" * 900_000 + "\r\n" + "m=audio\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
@with_api
async def test_a_bad_offer_is_told_so_and_the_server_lives(api, name):
    status, _, body = await api.post(
        f"/realtime/calls?model={MODEL}",
        BROKEN[name](await offered()).encode(),
        Content_Type="application/sdp",
    )
    e = json.loads(body)["error"]
    assert (status, e["code"]) == (
        400,
        "missing_required_parameter" if name == "empty" else "invalid_offer",
    ), e
    assert api.desk.calls == {}
    assert (await api.dial()).call_id


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
@with_api
async def test_another_content_type_is_refused(api, kind):
    status, _, body = await api.post("/realtime/calls", b"{}", Content_Type=kind)
    assert (status, json.loads(body)["error"]["code"]) == (400, "unsupported_content_type")


@pytest.mark.parametrize(
    "given, code",
    [
        ({}, "missing_required_parameter"),
        (session(model="o1"), "model_not_found"),
        (session(voice="alloy"), "unknown_parameter"),
        ([], "invalid_type"),
        (session(output_modalities=["text", "audio"]), "invalid_value"),
    ],
)
@with_api
async def test_a_bad_session_is_refused(api, given, code):
    e = await refusal(api.client.realtime.calls.create(sdp=await offered(), session=given))
    assert (e.status_code, e.code) == (400, code)


@with_api
async def test_one_call_too_many(api, monkeypatch):
    monkeypatch.setattr(calls, "MOST", 1)
    await api.dial()
    e = await refusal(api.dial())
    assert (e.status_code, e.code) == (429, "rate_limit_exceeded")


@pytest.mark.parametrize(
    "verb, more",
    [("accept", {"type": "realtime"}), ("reject", {}), ("refer", {"target_uri": "tel:+100"})],
)
@with_api
async def test_telephone_verbs_are_for_telephones(api, verb, more):
    call = await api.dial()
    e = await refusal(getattr(api.client.realtime.calls, verb)(call.call_id, **more))
    assert e.status_code == 400 and "SIP" in e.message
    assert (
        await refusal(getattr(api.client.realtime.calls, verb)("rtc_none", **more))
    ).status_code == 404
    assert call.call_id in api.desk.calls


@pytest.mark.parametrize(
    "path", ["/realtime?model=gpt-4o-realtime-preview-2024-12-17", "/realtime/sessions"]
)
@with_api
async def test_december_s_own_addresses_are_refused_as_today(api, path):
    status, _, body = await api.post(
        path, (await offered()).encode(), Content_Type="application/sdp"
    )
    assert (status, json.loads(body)["error"]["code"]) == (400, "beta_api_shape_disabled")


@with_api
async def test_what_answers_an_offer(api):
    offer = await offered()
    status, headers, body = await api.post(
        f"/realtime/calls?model={MODEL}",
        offer.encode(),
        Content_Type="application/sdp",
        Origin="http://127.0.0.1:8888",
    )
    assert (
        status == 201
        and headers["Location"].startswith("/v1/realtime/calls/rtc_u0_")
        and "Location" in headers["Access-Control-Expose-Headers"]
    )
    assert headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8888"
    assert len(body) < 1_400  # clients on microcontrollers have 2 kB for it
    await api.client.realtime.calls.hangup(headers["Location"].rpartition("/")[2])


def addresses(answer):
    return [line.split()[4] for line in answer.splitlines() if line.startswith("a=candidate")]


@pytest.mark.parametrize(
    "origin", [{}, {"Origin": "http://127.0.0.1:8888"}], ids=["program", "page"]
)
@with_api
async def test_a_program_is_offered_loopback_alone_and_a_page_what_a_browser_calls(api, origin):
    status, headers, body = await api.post(
        f"/realtime/calls?model={MODEL}",
        (await offered()).encode(),
        Content_Type="application/sdp",
        **origin,
    )
    assert status == 201
    assert addresses(body.decode()) == (loopback.own() if origin else ["127.0.0.1"])
    await api.client.realtime.calls.hangup(headers["Location"].rpartition("/")[2])


async def answered_from(source, there):
    """Whether what is asked of an ICE agent from an address is answered, even by an error."""
    came = asyncio.get_running_loop().create_future()
    protocol = types.SimpleNamespace(
        connection_made=lambda transport: None,
        connection_lost=lambda why: None,
        error_received=lambda why: None,
        datagram_received=lambda data, of: came.done() or came.set_result(data),
    )
    line, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: protocol, local_addr=(source, 0), remote_addr=there
    )
    asked = aioice.stun.Message(aioice.stun.Method.BINDING, aioice.stun.Class.REQUEST)
    line.sendto(bytes(asked))
    try:
        return bool(await asyncio.wait_for(came, 0.3))
    except TimeoutError:
        return False
    finally:
        line.close()


@pytest.mark.skipif(sys.platform != "linux", reason="loopback has one address here")
@pytest.mark.parametrize("from_afar", [False, True], ids=["here", "a class"])
@with_api
async def test_who_has_no_address_of_this_machine_s_is_not_heard(api, from_afar):
    # 127.0.0.2 stands for another machine: packets come from it, and no interface has it
    loopback.WAY.set(loopback.Way(["127.0.0.1"], from_afar))
    agent = aioice.ice.Connection(ice_controlling=False)
    await agent.gather_candidates()
    there = agent.local_candidates[0]
    assert await answered_from("127.0.0.1", (there.host, there.port))
    assert await answered_from("127.0.0.2", (there.host, there.port)) == from_afar
    await agent.close()


# --- the ear, packet by packet --------------------------------------------------------------------


def packets(count):
    """`count` packets of a tone, 20 ms each."""
    tone = (8_000 * numpy.sin(numpy.arange(count * 480) / 12)).astype("<i2").tobytes()
    said = webrtc.Utterance("r", "i", tone)
    return [
        types.SimpleNamespace(_data=said.next(), timestamp=(2**32 - 2_000 + i * 960) % 2**32)
        for i in range(count)
    ]


def ear_hears(arrived):
    async def go():
        got = []

        async def hear(pcm):
            got.append(pcm)

        ear = webrtc.Ear(hear)
        for packet in arrived:
            ear.add(packet)
        await asyncio.sleep(0)
        while not ear.heard.empty():
            await asyncio.sleep(0)
        ear.close()
        return b"".join(got)

    return asyncio.run(go())


def test_what_is_lost_is_a_hole_of_its_length_in_which_the_sound_fades():
    sent = packets(50)
    whole, holed = ear_hears(sent), ear_hears(sent[:20] + sent[28:])
    assert abs(sounds.ms(whole) - 1_000) < 2 and sounds.ms(whole) == sounds.ms(holed)
    packet = lambda pcm, n: loudest(pcm[n * 960 + 240 : (n + 1) * 960 - 240])
    assert packet(whole, 21) >= packet(holed, 20) > packet(holed, 21) > packet(holed, 22) > 1_000
    assert max(packet(holed, n) for n in range(24, 28)) < 50 < 2_000 < packet(holed, 29)


@pytest.mark.parametrize("clip", [name for name in sounds.clips() if name.startswith("user-")])
def test_a_tenth_lost_hides_no_first_word(clip):
    """A turn begins at most as late as its beginning reaches back: `prefix_padding_ms`, which is
    300.
    """
    said = sounds.clip(clip) + sounds.silence(1_000)
    utterance = webrtc.Utterance("r", "i", said)
    sent = [
        types.SimpleNamespace(_data=utterance.next(), timestamp=i * 960)
        for i in range(len(said) // 960)
    ]

    def begins(arrived):
        turn = turns.Turns()
        return next(
            position // 24
            for position, p in turns.Detector(0).windows(ear_hears(arrived))
            if turn.step(position, p, 0.5, 12_000) == "started"
        )

    whole = begins(sent)
    for seed in range(12):
        chance = random.Random(seed)
        assert begins([packet for packet in sent if chance.random() >= 0.1]) < whole + 300, seed


def test_what_comes_late_or_twice_is_left_out():
    sent = packets(50)
    late = sent[:10] + sent[11:15] + [sent[10]] + [sent[14]] + sent[15:]
    assert sounds.ms(ear_hears(late)) == sounds.ms(ear_hears(sent))


def test_who_speaks_again_after_a_silence_without_packets_is_heard():
    """Its clock stood still meanwhile, and the ear's went on: with each 20 ms of silence that is
    filled in.
    """
    sent = packets(100)

    async def go():
        got = []

        async def hear(pcm):
            got.append(pcm)

        ear = webrtc.Ear(hear)
        for packet in sent[:50]:
            ear.add(packet)
        ear.last -= 2 * webrtc.HOLE
        for _ in range(25):
            ear.tick()
        for packet in sent[50:]:
            ear.tick()
            ear.add(packet)
        while not ear.heard.empty():
            await asyncio.sleep(0)
        ear.close()
        return b"".join(got)

    pcm = asyncio.run(go())
    assert abs(sounds.ms(pcm) - 2_520) < 2
    assert (
        loudest(pcm[2 * 24 * 1_050 : 2 * 24 * 1_500]) < 50 < 2_000 < loudest(pcm[2 * 24 * 1_600 :])
    )


def test_a_jump_of_the_clock_is_no_hour_of_silence():
    sent = packets(50)
    for packet in sent[25:]:
        packet.timestamp = (packet.timestamp + 48_000 * 3_600) % 2**32
    assert sounds.ms(ear_hears(sent)) == sounds.ms(ear_hears(packets(50)))


def test_what_is_no_opus_is_a_hole():
    sent = packets(50)
    sent[20]._data = b""
    assert abs(sounds.ms(ear_hears(sent)) - 1_000) < 25


def test_an_answer_that_is_not_whole_waits_and_is_one_answer():
    """A mouth says it sentence by sentence: no end between them, and a cut counts over all."""
    told = []
    mouth = webrtc.Mouth(None)
    mouth.session = types.SimpleNamespace(
        started=lambda r: told.append(("started", r)), stopped=lambda r: told.append(("stopped", r))
    )
    tone = (9_000 * numpy.sin(numpy.arange(4_800) / 9)).astype("<i2").tobytes()  # 200 ms
    mouth.play("r", "i", tone, True)
    packets = [mouth._next() for _ in range(20)]
    assert packets[:9].count(webrtc.SILENCE) == 0 and set(packets[11:]) == {webrtc.SILENCE}
    assert told == [("started", "r")]
    mouth.play("r", "i", tone, True)
    [mouth._next() for _ in range(5)]
    [(response, item, played)] = mouth.clear()
    assert (response, item) == ("r", "i") and 280 <= played <= 320
    mouth.play("q", "j", tone, True)
    mouth.play("q", "j", b"")
    [mouth._next() for _ in range(13)]
    assert told[1:] == [("started", "q"), ("stopped", "q")]
