"""Realtime with an upstream: passed on both ways, recorded with both sides, given back; the
ceiling; what is shut down.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import threading
import time
from decimal import Decimal

import httpx2
import openai
import pytest
import websockets.sync.client
import websockets.sync.server
from websockets.exceptions import ConnectionClosed

from helpers.facts import sounds
from helpers.facts.models import models
from helpers.local_api import answers, pieces, recordings
from helpers.local_api.realtime import events
from helpers.local_api.upstream import realtime
from helpers.local_api.upstream.recorder import Recorder
from helpers.realtime.voice_client import Caller
from tests import asking, upstreams

MODEL = "gpt-realtime-2.1"
GONE = "gpt-4o-realtime-preview-2024-12-17"
CLIP = sounds.clip("user-spanish") + sounds.silence(1_500)
EXPECTED = sounds.clips()["says-spanish"]["transcript"]


@pytest.fixture(scope="module")
def openais():
    server = upstreams.Imitation()
    yield server
    server.end()


def forwarding(openais, recorder=None, **more):
    return upstreams.Forwarding(upstreams.at(openais.url, openai=True, **more), recorder)


@pytest.fixture
def ours(openais):
    server = forwarding(openais, budget=None)
    yield server
    server.end()


def conversation(client, model=MODEL, chunk=4_800):
    """A turn by voice; returns the events as the SDK parsed them, as dicts."""
    with client.realtime.connect(model=model) as wire:
        heard = [wire.recv()]
        wire.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
            }
        )
        for at in range(0, len(CLIP), chunk):
            wire.input_audio_buffer.append(audio=base64.b64encode(CLIP[at : at + chunk]).decode())
        while heard[-1].type != "rate_limits.updated":
            heard.append(wire.recv())
        return [event.to_dict() for event in heard]


def said(events):
    return [e["transcript"] for e in events if e["type"] == "response.output_audio_transcript.done"]


def test_a_conversation_passes_both_ways(openais, ours):
    events = conversation(ours.client())
    assert said(events) == [EXPECTED]
    sound = b"".join(
        base64.b64decode(e["delta"]) for e in events if e["type"] == "response.output_audio.delta"
    )
    assert sound == sounds.clip("says-spanish")
    (call,) = ours.state.ledger.calls
    assert call[0] == MODEL and call[2] == "live" and call[3]["total_tokens"] > 0


def test_a_model_that_is_shut_down_is_answered_here(openais, ours):
    assert models()[GONE]["shutdown"] < time.strftime("%Y-%m-%d")
    before = len(openais.state.ledger.calls)
    assert said(conversation(ours.client(), GONE)) == [EXPECTED]
    assert len(openais.state.ledger.calls) == before


def test_the_upstreams_refusal_reaches_the_reader_without_the_key(openais):
    server = forwarding(
        openais, budget=None, key=upstreams.Secret("sk-" + "another-key-0123456789")
    )
    with websockets.sync.client.connect(
        f"{server.url.replace('http', 'ws')}/realtime?model={MODEL}",
        additional_headers={"Authorization": f"Bearer {upstreams.LOCAL_KEY}"},
    ) as wire:
        error = json.loads(wire.recv(timeout=60))["error"]
        assert "Incorrect API key" in error["message"] and "another-key" not in json.dumps(error)
        with pytest.raises(ConnectionClosed):
            wire.recv(timeout=60)
    server.end()


def test_nobody_there_is_a_clear_error():
    server = upstreams.Forwarding(upstreams.at("http://127.0.0.1:9/v1", openai=True, budget=None))
    with server.client().realtime.connect(model=MODEL) as wire:
        error = wire.recv().error
        assert (
            "127.0.0.1:9 did not open a Realtime session" in error.message
            and error.code == "upstream_failed"
        )
    server.end()


def test_the_throw_away_key_is_asked_for(ours):
    with websockets.sync.client.connect(
        f"{ours.url.replace('http', 'ws')}/realtime?model={MODEL}",
        additional_headers={"Authorization": "Bearer wrong"},
    ) as wire:
        assert "Incorrect API key" in json.loads(wire.recv(timeout=60))["error"]["message"]


def test_a_client_secret_of_the_upstream_opens_its_sessions_and_nothing_else(openais, ours):
    made = ours.client().realtime.client_secrets.create(
        session={"type": "realtime", "model": MODEL}
    )
    assert made.value.startswith("ek_") and made.value in openais.state.realtime.secrets.known
    with ours.client(api_key=made.value).realtime.connect(model=MODEL) as wire:
        assert wire.recv().type == "session.created"
    with pytest.raises(openai.AuthenticationError):
        ours.client(api_key=made.value).models.list()
    with pytest.raises(openai.AuthenticationError):
        ours.client(api_key="ek_" + 32 * "0").realtime.client_secrets.create(
            session={"type": "realtime", "model": MODEL}
        )


@pytest.mark.parametrize(
    "with_secret", [True, False], ids=["a browser's secret", "a key and a session"]
)
def test_a_call_over_webrtc_is_the_upstreams_own_and_its_sideband_passes_here(
    openais, ours, with_secret
):
    asked = {"type": "realtime", "model": MODEL}

    async def go():
        client = openai.AsyncOpenAI(base_url=ours.url, api_key=upstreams.LOCAL_KEY, max_retries=0)
        if with_secret:
            caller = Caller(
                (await client.realtime.client_secrets.create(session=asked)).value, ours.url
            )
        else:
            caller = Caller(upstreams.LOCAL_KEY, ours.url, asked)
        try:
            await caller.dial()
            assert caller.call_id in openais.state.realtime.calls and not ours.state.realtime.calls
            async with client.realtime.connect(call_id=caller.call_id) as beside:
                await beside.conversation.item.create(
                    item={
                        "type": "message",
                        "role": "user",
                        "content": [{"type": "input_text", "text": "Tell me a story."}],
                    }
                )
                await caller.until("conversation.item.added")
            await client.realtime.calls.hangup(caller.call_id)
            assert caller.call_id not in openais.state.realtime.calls
        finally:
            await caller.hang_up()
            await client.close()

    asyncio.run(go())


def test_a_call_to_a_model_that_is_shut_down_is_answered_here_also_under_a_ceiling(openais):
    server = forwarding(openais)
    before = len(openais.seen)

    async def go():
        caller = Caller(upstreams.LOCAL_KEY, server.url, {"type": "realtime", "model": GONE})
        try:
            await caller.dial()
            assert caller.call_id in server.state.realtime.calls and len(openais.seen) == before
        finally:
            await caller.hang_up()

    asyncio.run(go())
    bare = httpx2.post(
        f"{server.url}/realtime/calls?model={GONE}",
        content="v=0",
        headers={
            "Authorization": f"Bearer {upstreams.LOCAL_KEY}",
            "Content-Type": "application/sdp",
        },
        trust_env=False,
    )
    assert (
        bare.status_code == 400 and "Invalid SDP offer" in bare.text and len(openais.seen) == before
    )
    server.end()


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.realtime.client_secrets.create(session={"type": "realtime", "model": MODEL}),
        lambda c: c.realtime.calls.create(sdp="v=0", session={"type": "realtime", "model": MODEL}),
    ],
    ids=["secret", "call"],
)
def test_under_a_ceiling_no_call_is_made_whose_sound_would_not_pass_here(openais, ask):
    server = forwarding(openais)
    before = len(openais.seen)
    with pytest.raises(
        openai.RateLimitError, match='No price is known for POST /v1/realtime/.* DAY9_BUDGET="none"'
    ):
        ask(server.client(max_retries=3))
    assert len(openais.seen) == before
    server.end()


def test_the_ceiling_ends_a_session_before_it_is_passed(openais):
    server = forwarding(openais, budget=Decimal("0.30"))
    with server.client().realtime.connect(model=MODEL) as wire:
        assert wire.recv().type == "session.created"
        wire.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": 4_000 * "long "}],
            }
        )
        kinds = []
        with pytest.raises(ConnectionClosed):
            while True:
                event = wire.recv()
                kinds.append((event.type, getattr(event, "error", None)))
        assert any(kind == "error" and error.code == "day9_budget" for kind, error in kinds)
    assert server.upstream.spending.spent <= Decimal("0.30")
    until = time.monotonic() + 60
    while server.upstream.spending.held and time.monotonic() < until:
        time.sleep(0.05)
    assert server.upstream.spending.held == 0
    server.end()


def test_what_responses_cost_takes_the_place_of_what_was_held(openais):
    server = forwarding(openais, budget=Decimal("5"))
    conversation(server.client())
    until = time.monotonic() + 60
    while server.upstream.spending.held and time.monotonic() < until:
        time.sleep(0.05)
    assert (
        0 < server.upstream.spending.spent < Decimal("0.1") and server.upstream.spending.held == 0
    )
    server.end()


@pytest.fixture(scope="module")
def recorded(openais, tmp_path_factory):
    """(folder with a recorded conversation, its events as they came)"""
    folder = tmp_path_factory.mktemp("mine")
    recorder = Recorder(folder, "127.0.0.1")
    server = forwarding(openais, recorder, budget=None)
    events = conversation(server.client())
    until = time.monotonic() + 60
    while not list(folder.rglob("*realtime*.json")) and time.monotonic() < until:
        time.sleep(0.05)
    recorder.close()
    server.end()
    assert recorder.lost == []
    return folder, events


def replaying(folder):
    library = recordings.Library(own=folder)
    assert library.problems == []
    return asking.Local(upstreams.LOCAL_KEY, answers=answers.Answers(library))


def test_a_recorded_session_is_given_back_as_it_came(recorded):
    folder, events = recorded
    server = replaying(folder)
    client = openai.OpenAI(base_url=server.url, api_key=upstreams.LOCAL_KEY)
    # ids, times and sound too, however the sound is cut into pieces
    assert conversation(client, chunk=9_600) == events
    assert conversation(client) == events
    server.end()


def test_a_recorded_session_holds_both_sides_and_no_key(recorded):
    folder, _ = recorded
    (file,) = folder.rglob("*realtime*.json")
    raw = json.loads(file.read_text(encoding="utf-8"))
    assert (
        raw["origin"]["class"] == "recorded"
        and raw["origin"]["model"] == MODEL
        and raw["origin"]["sdk"].startswith("openai-python")
    )
    (response,) = raw["responses"]
    assert (folder / "files" / response["sound"]["client"]).read_bytes() == CLIP
    assert (folder / "files" / response["sound"]["api"]).read_bytes() == sounds.clip("says-spanish")
    everything = b"".join(f.read_bytes() for f in folder.rglob("*") if f.is_file())
    assert b"sk-proj" not in everything and upstreams.LOCAL_KEY.encode() not in everything
    assert file.stat().st_size < 200_000


def test_what_differs_from_a_recorded_session_is_said_and_the_session_goes_on(recorded):
    server = replaying(recorded[0])
    client = openai.OpenAI(base_url=server.url, api_key=upstreams.LOCAL_KEY)
    with client.realtime.connect(model=MODEL) as wire:
        wire.recv()
        wire.response.create()
        error = wire.recv().error
        assert (
            error.code == "off_the_map"
            and "session.update here, not response.create" in error.message
        )
        wire.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
            }
        )
        wire.input_audio_buffer.append(audio=base64.b64encode(bytes(len(CLIP))).decode())
        came = [wire.recv(), wire.recv()]
        assert any(e.type == "session.updated" for e in came)
        assert any("sound from byte 0 on" in e.error.message for e in came if e.type == "error")
    server.end()


def test_a_torn_session_is_left_out_and_named(recorded, tmp_path):
    copy = tmp_path / "mine"
    shutil.copytree(recorded[0], copy)
    (file,) = copy.rglob("*realtime*.json")
    raw = json.loads(file.read_text(encoding="utf-8"))
    next((copy / "files").iterdir()).unlink()
    library = recordings.Library(own=copy)
    assert len(library.problems) == 1 and "not there" in library.problems[0][1]
    raw["responses"][0]["session"][0] = {"at": 1}
    file.write_text(json.dumps(raw))
    assert "session" in recordings.Library(own=copy).problems[0][1]


def test_a_slow_reader_holds_the_upstream_back(openais, ours):
    """The reader takes nothing: what waits here stays small, and nothing is lost when it goes
    on.
    """
    with websockets.sync.client.connect(
        f"{ours.url.replace('http', 'ws')}/realtime?model={MODEL}",
        additional_headers={"Authorization": f"Bearer {upstreams.LOCAL_KEY}"},
        max_queue=2,
        compression=None,
    ) as wire:
        done = threading.Event()

        def ask():
            for n in range(300):
                wire.send(
                    json.dumps(
                        {
                            "type": "conversation.item.create",
                            "item": {
                                "type": "message",
                                "role": "user",
                                "content": [{"type": "input_text", "text": f"{n} " + 20_000 * "x"}],
                            },
                        }
                    )
                )
            done.set()

        asking_thread = threading.Thread(target=ask, daemon=True)
        asking_thread.start()
        added = 0
        time.sleep(1)
        while added < 300:
            added += json.loads(wire.recv(timeout=60))["type"] == "conversation.item.added"
        assert done.wait(60)


def wire(server, **more):
    return websockets.sync.client.connect(
        f"{server.url.replace('http', 'ws')}/realtime?model={MODEL}",
        additional_headers={"Authorization": f"Bearer {upstreams.LOCAL_KEY}"},
        compression=None,
        max_size=None,
        **more,
    )


def until(here, kind):
    """The events that come, up to the first of a kind."""
    came = []
    while not came or came[-1]["type"] != kind:
        came.append(json.loads(here.recv(60)))
    return came


LONG = {
    "type": "session.update",
    "session": {"type": "realtime", "instructions": "é" * pieces.LONG},
}
SOUND = {
    "type": "input_audio_buffer.append",
    "audio": base64.b64encode(bytes(pieces.LONG)).decode(),
}
ENDS = {"type": "input_audio_buffer.clear"}


@pytest.fixture
def read(monkeypatch):
    """(what was read, whether it was long, whether beside the event loop) of each message"""
    seen = []

    def watched(owner, name):
        really = getattr(owner, name)

        def do(*given):
            message = next(one for one in given if isinstance(one, str))
            beside = threading.current_thread().name.startswith("asyncio_")
            seen.append((name, len(message) > pieces.LONG, beside))
            return really(*given)

        monkeypatch.setattr(owner, name, do)

    return seen, watched


def test_a_long_message_is_read_beside_the_event_loop_both_ways_and_kept(openais, tmp_path, read):
    seen, watched = read
    recorder = Recorder(tmp_path, "127.0.0.1")
    server = forwarding(openais, recorder, budget=Decimal("100"))
    watched(events, "read")
    watched(realtime.Relay, "_came")
    watched(realtime.session_tape.SessionTape, "client")
    watched(realtime.session_tape.SessionTape, "api")
    with wire(server) as here:
        for event in (LONG, SOUND, ENDS):
            here.send(json.dumps(event, ensure_ascii=False))
        came = until(here, "input_audio_buffer.cleared")
    assert came[1]["session"]["instructions"] == LONG["session"]["instructions"]
    assert {long == beside for _, long, beside in seen} == {True}
    assert {name for name, long, _ in seen if long} == {"read", "_came", "client", "api"}
    end = time.monotonic() + 60
    while not list(tmp_path.rglob("*realtime*.json")) and time.monotonic() < end:
        time.sleep(0.05)
    recorder.close()
    server.end()
    again = replaying(tmp_path)
    seen.clear()
    with wire(again) as here:
        for event in (LONG, SOUND, ENDS):
            here.send(json.dumps(event, ensure_ascii=False))
        assert until(here, "input_audio_buffer.cleared") == came
    assert [beside for name, long, beside in seen if name == "read"] == [True, True, False]
    again.end()


def test_a_message_longer_than_any_client_needs_does_not_go_up(ours, monkeypatch):
    monkeypatch.setattr(events, "LONGEST_EVENT", 1_000)
    with wire(ours) as here:
        here.send("x" * 1_001)
        error = until(here, "error")[-1]["error"]
        assert error["code"] == "string_above_max_length"
        here.send(json.dumps(ENDS))
        until(here, "input_audio_buffer.cleared")


def test_what_nobody_can_read_passes_all_the_same():
    sent = [
        '{"type": "session.updated", ',
        '{"type": "response.done"}',
        '["response.done"]',
        b"\x00",
    ]

    def says(there):
        for message in sent:
            there.send(message)
        with contextlib.suppress(ConnectionClosed):
            there.recv()

    with websockets.sync.server.serve(says, "127.0.0.1", 0) as upstream:
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        port = upstream.socket.getsockname()[1]
        where = upstreams.at(f"http://127.0.0.1:{port}/v1", openai=True, budget=Decimal("9"))
        server = upstreams.Forwarding(where)
        with wire(server) as here:
            assert [here.recv(30) for _ in sent] == sent
        upstream.shutdown()
    server.end()


def test_an_event_that_is_not_read_costs_all_that_it_may():
    spent = upstreams.Upstream(upstreams.at("http://x/v1", budget=Decimal("100"))).spending
    meter = realtime.Meter(spent, MODEL)
    before = meter.held
    meter.asked(None, 1_000)  # perhaps a response.create
    assert meter.open == 1 and meter.held == before + 1_000 * meter.input
    meter.unread(1_000)
    assert spent.spent == before + 1_000 * meter.input
    meter.end()
    assert spent.held == 0
