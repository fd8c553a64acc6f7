"""What real clients of Realtime send beside a plain conversation: sessions that only transcribe,
pictures, MCP servers, voices of one's own, a client secret that names no model.
"""

import pytest
from openai import OpenAI

from helpers.facts import sounds
from helpers.local_api.realtime import items, mind

from .test_realtime import ANSWERED, KEY, Local, transcript

HEARS = {
    "type": "transcription",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
}


PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def local():
    one = Local(pace=0)
    yield one
    one.end()


def secret(local, **session):
    client = OpenAI(api_key=KEY, base_url=local.url)
    return client.realtime.client_secrets.create(**({"session": session} if session else {}))


def until(wire, kind):
    return wire.until(kind)[-1]


def updated(wire, **session):
    wire.send("session.update", session=session)
    return until(wire, "session.updated")["session"]


def test_a_session_that_transcribes_hears_and_never_answers(local):
    with local.open("?intent=transcription") as wire:
        made = until(wire, "session.created")["session"]
        assert (made["type"], made["object"]) == ("transcription", "realtime.transcription_session")
        assert list(made["audio"]) == ["input"] and "model" not in made
        turns = updated(wire, **HEARS)["audio"]["input"]["turn_detection"]
        assert "create_response" not in turns and turns["silence_duration_ms"] == 500
        wire.hear(sounds.clip("user-spanish") + sounds.silence(1_000))
        heard = until(wire, "conversation.item.input_audio_transcription.completed")
        assert heard["transcript"] == transcript("user-spanish")
        wire.send("response.create")
        error = until(wire, "error")["error"]
        assert "no responses" in error["message"]
        assert not [e for e in wire.seen if e["type"].startswith("response.")]


def test_a_secret_for_transcribing_opens_such_a_session(local):
    made = secret(local, **HEARS)
    assert made.session.type == "transcription"
    with local.open("", key=made.value) as wire:
        session = until(wire, "session.created")["session"]
        assert session["audio"]["input"]["transcription"]["model"] == "gpt-4o-transcribe"


def test_the_type_of_a_session_stays(local):
    with local.open() as wire:
        wire.send("session.update", session=HEARS)
        assert "type cannot be changed" in until(wire, "error")["error"]["message"]


def test_a_secret_may_leave_the_model_to_whoever_connects(local):
    made = secret(local)
    assert made.session.model is None
    with local.open("?model=gpt-realtime-mini", key=made.value) as wire:
        assert until(wire, "session.created")["session"]["model"] == "gpt-realtime-mini"
    with local.open("", key=made.value) as wire:
        assert until(wire, "error")["error"]["code"] == "missing_model"


def test_a_voice_and_a_strength_of_ones_own_are_taken(local):
    audio = {
        "input": {"noise_reduction": {"type": "near_field", "strength": 0.5}},
        "output": {"voice": {"id": "voice_1234"}},
    }
    with local.open() as wire:
        now = updated(wire, type="realtime", audio=audio)["audio"]
        assert now["input"]["noise_reduction"]["strength"] == 0.5
        assert now["output"]["voice"] == {"id": "voice_1234"}
        wire.write("Hello!")
        events = wire.answer()
        assert any(e["type"] == "response.output_audio.delta" for e in events)


def told(wire):
    """What was said to be off the map, last."""
    errors = [e["error"] for e in wire.seen if e["type"] == "error"]
    assert errors[-1]["code"] == "off_the_map"
    return errors[-1]["message"]


def ask(wire, *content):
    wire.send(
        "conversation.item.create",
        item={"type": "message", "role": "user", "content": list(content)},
    )
    wire.send("response.create", response={"output_modalities": ["text"]})
    return until(wire, "response.done")["response"]


def test_a_picture_is_taken_and_said_to_be_looked_at_by_nothing(local):
    with local.open() as wire:
        ask(
            wire,
            {"type": "input_text", "text": "Hello!"},
            {"type": "input_image", "image_url": PIXEL, "detail": "low"},
        )
        assert "nothing looks at it" in told(wire)
        shown = next(e for e in wire.seen if e["type"] == "conversation.item.added")["item"]
        assert shown["content"][1]["image_url"] == PIXEL


@pytest.mark.parametrize("url", ["https://example.org/a.png", "data:image/png;base64,AAAA", ""])
def test_what_is_no_picture_is_refused(local, url):
    with local.open() as wire:
        content = [{"type": "input_image", "image_url": url}]
        item = {"type": "message", "role": "user", "content": content}
        wire.send("conversation.item.create", item=item)
        assert until(wire, "error")["error"]["param"] == "item.content[0].image_url"


SERVER = {"type": "mcp", "server_label": "deepwiki", "server_url": "https://mcp.example.org"}


def test_the_tools_of_a_server_are_listed_as_not_had(local):
    with local.open() as wire:
        updated(wire, type="realtime", tools=[SERVER])
        until(wire, "mcp_list_tools.failed")
        listed = [e["item"] for e in wire.seen if e["type"] == "conversation.item.done"]
        assert [(i["type"], i["server_label"]) for i in listed] == [("mcp_list_tools", "deepwiki")]
        hello = {"type": "input_text", "text": "Hello!"}
        assert ask(wire, hello)["output"][0]["content"]  # what needs no tool is answered
        until(wire, ANSWERED)
        updated(wire, type="realtime", tool_choice={"type": "mcp", "server_label": "deepwiki"})
        ask(wire, hello)
        assert "nothing leaves this machine" in told(wire)


def test_a_chat_model_gets_the_functions_and_the_pictures():
    image = {"type": "input_image", "image_url": PIXEL, "detail": "low"}
    content = [{"type": "input_text", "text": "What is this?"}, image]
    asked = items.written({"type": "message", "role": "user", "content": content}, "audio/pcm")
    own = {"type": "function", "name": "look"}
    body = mind.request("m", "", [asked], [SERVER, own], "auto", "inf")
    assert [tool["function"]["name"] for tool in body["tools"]] == ["look"]
    shown = {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}}
    assert body["messages"][-1]["content"] == [{"type": "text", "text": "What is this?"}, shown]


def test_a_server_without_a_label_is_refused(local):
    with local.open() as wire:
        tools = [{"type": "function", "name": "look"}, {"type": "mcp"}]
        wire.send("session.update", session={"type": "realtime", "tools": tools})
        assert "server_label" in (param := until(wire, "error")["error"]["param"])
        assert param.startswith("session.tools[1].")
