"""A wait in a notebook ends, with what is waited for; a session with unread events closes at
once.
"""

import asyncio
import base64
import signal
import threading
import time

import pytest
from openai import AsyncOpenAI, OpenAI

import helpers
from helpers import running
from helpers.facts import sounds
from helpers.realtime import sockets

MODEL = "gpt-realtime-2.1"
SAID = "response.output_audio_transcript.done"


@pytest.fixture(scope="module")
def client():
    helpers.connect()
    now = running.server()
    return OpenAI(base_url=now.url, api_key=now.key)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(sockets, "PATIENCE", 1.5)


def append(connection, pcm):
    connection.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())


def item(connection):
    part = {"type": "input_text", "text": "Who are you?"}
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})


def by_hand(connection):
    connection.session.update(
        session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    )
    append(connection, sounds.clip("user-tax"))


SILENT = {
    "no silence": (lambda c: append(c, sounds.clip("user-tax")), "500 ms of silence"),
    "nobody": (lambda c: append(c, sounds.silence(1_000)), "nobody speak"),
    "no sound": (lambda c: append(c, b""), "no sound"),
    "an item": (item, "response.create"),
    "a button": (by_hand, "input_audio_buffer.commit"),
    "nothing": (lambda c: None, "Nothing asks for an answer"),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_wait_ends_with_what_is_waited_for(client, name):
    send, words = SILENT[name]
    with client.realtime.connect(model=MODEL) as connection:
        send(connection)
        with pytest.raises(TimeoutError, match=words):
            for _ in connection:
                pass


def heard_by_waiting(server):
    """The transcript of the answer to a spoken question, by the SDK's waiting client."""
    with OpenAI(base_url=server.url, api_key=server.key).realtime.connect(model=MODEL) as talk:
        append(talk, sounds.clip("user-tax") + sounds.silence(800))
        return next(e.transcript for e in talk if e.type == SAID)


def heard_by_async(server):
    """The same by the SDK's other client."""

    async def talk():
        async with (
            AsyncOpenAI(base_url=server.url, api_key=server.key) as client,
            client.realtime.connect(model=MODEL) as talk,
        ):
            sound = sounds.clip("user-tax") + sounds.silence(800)
            await talk.input_audio_buffer.append(audio=base64.b64encode(sound).decode())
            return await anext(e.transcript async for e in talk if e.type == SAID)

    return asyncio.run(talk())


@pytest.mark.parametrize("heard", [heard_by_waiting, heard_by_async])
def test_a_server_that_is_held_up_is_waited_for(api, heard, monkeypatch):
    at_rest = heard(api)
    monkeypatch.setattr(sockets, "PATIENCE", 0.5)
    created = sockets.Talk.note

    def stopped_for_a_while(talk, event):  # as soon as the sound is on its way
        created(talk, event)
        if event["type"] == sockets.SOUND:
            api.process.send_signal(signal.SIGSTOP)
            threading.Timer(2, api.process.send_signal, [signal.SIGCONT]).start()

    monkeypatch.setattr(sockets.Talk, "note", stopped_for_a_while)
    assert heard(api) == at_rest


def test_a_session_with_unread_events_closes_at_once(client):
    with client.realtime.connect(model=MODEL) as connection:
        append(connection, sounds.clip("user-story") + sounds.silence(800))
        for event in connection:
            if event.type == "response.created":
                break
        time.sleep(1)  # the rest comes, and nobody reads it
    # had it stopped reading, the goodbye would never have been seen: 1006, after ten seconds
    assert connection._connection.close_code == 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "gpt-4o"}, "not supported in realtime mode"),
        ({"model": MODEL, "extra_headers": {"OpenAI-Beta": "realtime=v1"}}, "no longer supported"),
        ({"model": MODEL, "extra_headers": {"Authorization": "Bearer sk-mine"}}, "API key"),
    ],
)
def test_what_refused_a_session_is_kept_for_the_panel(client, options, words):
    from websockets.exceptions import ConnectionClosed

    with pytest.raises(ConnectionClosed), client.realtime.connect(**options) as connection:
        while True:
            append(connection, sounds.silence(100))
    assert words in sockets.latest.error["message"]
