"""A chat model behind ears and a mouth: an imitation of Ollama's server, which is asked over
HTTP.
"""

import json
import re
import threading

import pytest

from helpers import connection
from helpers.facts import sounds
from tests import upstreams
from tests.local_api.realtime.test_realtime import ANSWERED, done, sound_of, words_of

from .conftest import opened, origin
from .test_voice import ask, noise, said

TOOL = {"type": "function", "name": "today", "description": "The date.", "parameters": {"type": "object", "properties": {}}}  # fmt: skip


def chunk(**delta):
    finish = delta.pop("finish", None)
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n".encode()
    )


def stream(*texts, end=True):
    last = [chunk(finish="stop"), b"data: [DONE]\n\n"] if end else []
    return upstreams.chunked(*[chunk(content=text) for text in texts], *last, end=end)


class Mind:
    """A local API whose Realtime sessions a scripted chat server answers."""

    def __init__(self, *scripts, model="llama", **where):
        self.there = upstreams.Hostile(*[s if callable(s) else upstreams.says(s) for s in scripts])
        self.server = connection.Server(where=upstreams.at(self.there.url, model=model, **where))

    def asked(self, n=-1):
        return json.loads(self.there.seen[n].partition(b"\r\n\r\n")[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.process.kill()
        self.server.process.wait()
        self.there.end()


def test_a_chat_model_answers_what_was_heard(voiced):
    with Mind(stream("Paris is the", " capital. Anything", " else?")) as mind, opened(mind.server) as wire:  # fmt: skip
        wire.update({"type": "realtime", "instructions": "You are a guide.", "tools": [TOOL]})
        events = ask(wire, said("capital"))
        assert words_of(events) == "Paris is the capital. Anything else?"
        assert sounds.ms(sound_of(events)) > 1_500
        system, user = mind.asked()["messages"]
        assert system["content"].startswith("You are a guide.")
        assert user == {"role": "user", "content": "What is the capital of France?"}
        assert mind.asked()["model"] == "llama" and mind.asked()["stream"] is True
        assert mind.asked()["tools"][0]["function"]["name"] == "today"
        found = origin(mind.server, done(events))
        assert found["class"] == "live"
        assert found["note"] == f"heard by Moonshine tiny, answered by llama at {mind.there.host}, spoken by hibari"  # fmt: skip


def test_the_first_sentence_is_spoken_while_the_second_is_written(voiced):
    go_on = threading.Event()
    slow = upstreams.says(
        upstreams.chunked(chunk(content="One moment please. "), end=False),
        lambda sock: go_on.wait(60),
        upstreams.chunked(chunk(content="Here it is."), chunk(finish="stop")).partition(
            b"\r\n\r\n"
        )[2],  # fmt: skip
    )
    with Mind(slow) as mind, opened(mind.server) as wire:
        wire.write("Hello?")
        wire.send("response.create")
        first = wire.until("response.output_audio.delta")
        assert not any(e["type"] == "response.done" for e in first)
        go_on.set()
        assert words_of(wire.until(ANSWERED)) == "One moment please. Here it is."


def test_a_function_is_called_and_its_output_passed_on(voiced):
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "today", "arguments": ""}}  # fmt: skip
    more = {"index": 0, "function": {"arguments": "{}"}}
    asks = upstreams.chunked(chunk(tool_calls=[call]), chunk(tool_calls=[more]), chunk(finish="tool_calls"))  # fmt: skip
    with Mind(asks, stream("It is Tuesday.")) as mind, opened(mind.server) as wire:
        wire.update({"type": "realtime", "tools": [TOOL]})
        wire.write("Which day is it?")
        wire.send("response.create")
        [item] = done(wire.until(ANSWERED))["output"]
        assert (item["name"], item["arguments"]) == ("today", "{}")
        wire.send("conversation.item.create", item={"type": "function_call_output", "call_id": item["call_id"], "output": "Tuesday"})  # fmt: skip
        wire.send("response.create")
        assert words_of(wire.until(ANSWERED)) == "It is Tuesday."
        asked = mind.asked()["messages"]
        assert asked[-2]["tool_calls"][0]["function"]["name"] == "today"
        assert asked[-1] == {"role": "tool", "tool_call_id": item["call_id"], "content": "Tuesday"}


# The server ends each connection after its answer, and here says so: what is not announced may be
# found out only by the next question, on a busy machine.
CLOSED = ("application/json", None, "Connection: close")


@pytest.mark.parametrize(
    "script, told",
    [
        (stream("Paris is the capital. And", end=False), "broke off"),
        (upstreams.chunked(chunk(content="Paris is the")), "in the middle of its answer"),
        (upstreams.response(b'{"error": {"message": "no such model"}}', "404 Not Found", *CLOSED), "no such model|may not have the model"),
        (upstreams.response(b"hello", "200 OK", "text/html", *CLOSED[1:]), "no answer that a chat model gives"),
        (stream(), "without a word"),
        (upstreams.says(), "did not answer as HTTP says"),
    ],
    ids=["cut", "stopped", "error", "page", "nothing", "gone"],
)  # fmt: skip
def test_a_mind_that_is_lost_is_told_and_the_session_goes_on(voiced, script, told):
    with Mind(script, stream("Here again.")) as mind, opened(mind.server) as wire:
        wire.write("What is the capital of France?")
        wire.send("response.create")
        events = wire.until(ANSWERED)
        [error] = [e["error"] for e in events if e["type"] == "error"]
        assert re.search(told, error["message"]), error
        assert done(events)["status"] == "failed"
        wire.send("response.create")
        assert words_of(wire.until(ANSWERED)) == "Here again."


def test_noise_is_not_sent_to_a_mind(voiced):
    with Mind(stream("Never asked.")) as mind, opened(mind.server) as wire:
        wire.update({"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        wire.hear(noise())
        wire.send("input_audio_buffer.commit")
        wire.send("response.create")
        assert "no words" in words_of(wire.until(ANSWERED)) and not mind.there.seen


def test_an_answer_is_cancelled_while_it_is_written(voiced):
    waits = upstreams.says(
        upstreams.chunked(chunk(content="This will take long. "), end=False),
        lambda sock: sock.recv(1),  # until the local API hangs up
    )
    with Mind(waits, stream("Now this.")) as mind, opened(mind.server) as wire:
        wire.write("Tell me everything.")
        wire.send("response.create")
        wire.until("response.output_audio.delta")
        wire.send("response.cancel")
        assert done(wire.until(ANSWERED))["status"] == "cancelled"
        wire.send("response.create")
        assert words_of(wire.until(ANSWERED)) == "Now this."


def test_a_mind_knows_what_was_heard_of_an_answer_that_was_interrupted(voiced):
    with Mind(stream("One two three four five. Six seven eight nine ten."), stream("Yes.")) as mind, opened(mind.server) as wire:  # fmt: skip
        wire.write("Count.")
        wire.send("response.create")
        events = wire.until(ANSWERED)
        [item] = done(events)["output"]
        half = sounds.ms(sound_of(events)) // 2
        wire.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=half)  # fmt: skip
        wire.until("conversation.item.truncated")
        wire.write("Go on.")
        wire.send("response.create")
        wire.until(ANSWERED)
        assert mind.asked()["messages"][-2:] == [
            {"role": "assistant", "content": "One two three four five."},
            {"role": "user", "content": "Go on."},
        ]


def test_at_openai_a_chat_model_answers_for_a_voice_that_is_shut_down(voiced):
    day9 = "gpt-4o-realtime-preview-2024-12-17"
    with (
        Mind(stream("I am here."), model="gpt-4o", openai=True) as mind,
        opened(mind.server, day9) as wire,
    ):
        wire.write("Is anybody there?")
        wire.send("response.create")
        assert words_of(wire.until(ANSWERED)) == "I am here."
        assert mind.asked()["model"] == "gpt-4o" and mind.asked()["max_completion_tokens"]
