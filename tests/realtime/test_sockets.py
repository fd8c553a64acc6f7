"""A wait in a notebook ends, with what is waited for; a session with unread events closes at
once.
"""

import base64
import time

import pytest
from openai import OpenAI

import helpers
from helpers import running
from helpers.facts import sounds
from helpers.realtime import sockets

MODEL = "gpt-realtime-2.1"


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
