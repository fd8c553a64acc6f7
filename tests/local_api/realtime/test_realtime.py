"""The Realtime part of the local API as clients meet it: real sound over a real WebSocket, by the
SDK and by hand.
"""

import asyncio
import base64
import datetime
import gc
import json
import random
import socket
import struct
import time
import weakref

import numpy as np
import pytest
import websockets.exceptions
from openai import AsyncOpenAI, OpenAI
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.sync.client import connect

from helpers.facts import calls, hearing, prices, sounds, tax, tokens
from helpers.local_api.ledger import Ledger
from helpers.local_api.realtime import config, items, scenarios, session, usage, websocket
from helpers.local_api.voice.listening import NOTHING
from helpers.local_api.voice.process import Speech
from tests import asking, genuine

KEY = "day9-test"
TRANSCRIBE = {
    "type": "realtime",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
}
PUSH_TO_TALK = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
ANSWERED = "rate_limits.updated"  # the last event of every response
CLIPS = [name for name, row in sounds.clips().items() if row["side"] == "user"]
transcript = lambda name: sounds.clips()[name]["transcript"]


# The library gives up a server after 20 seconds without an answer to its ping, which comes after
# all sound that was sent before it: a busy machine may listen for longer.
UNASKED = {"ping_interval": None}


class Local(asking.Local):
    def __init__(self, pace):
        super().__init__(KEY, pace)

    def open(self, query="?model=gpt-realtime", key=KEY, **more):
        return dialled(self.url, query, key, **more)

    def tasks(self):
        """How many tasks of the server's loop are not done."""

        async def count():
            return len([t for t in asyncio.all_tasks() if t is not asyncio.current_task()])

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(30)


def dialled(url, query, key, headers=None, **more):
    """A Wire to the local API at `url`."""
    return Wire(
        connect(
            f"{url.replace('http', 'ws')}/realtime{query}",
            additional_headers=({"Authorization": f"Bearer {key}"} if key else {})
            | (headers or {}),
            max_size=None,
            max_queue=None,
            proxy=None,
            **UNASKED | more,
        )
    )


class Wire:
    """A raw client: events as dicts."""

    def __init__(self, socket):
        self.socket, self.seen = socket, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, **parts):
        self.socket.send(json.dumps({"type": kind, **parts}))

    def next(self):
        event = json.loads(self.socket.recv(timeout=60))
        self.seen.append(event)
        return event

    def until(self, *kinds):
        """All events up to the first of these kinds."""
        events = []
        while not events or events[-1]["type"] not in kinds:
            events.append(self.next())
        return events

    def update(self, change):
        self.send("session.update", session=change)
        return self.until("session.updated", "error")[-1]

    def hear(self, pcm, size=4_800):
        for at in range(0, len(pcm), size):
            self.send(
                "input_audio_buffer.append", audio=base64.b64encode(pcm[at : at + size]).decode()
            )

    def speak(self, name, before=300, after=800):
        self.hear(sounds.silence(before) + sounds.clip(name) + sounds.silence(after))

    def write(self, text, role="user"):
        self.send(
            "conversation.item.create",
            item={
                "type": "message",
                "role": role,
                "content": [{"type": "input_text", "text": text}],
            },
        )
        return self.until("conversation.item.done")[-1]["item"]["id"]

    def answer(self, **response):
        self.send("response.create", **({"response": response} if response else {}))
        return self.until(ANSWERED, "error")

    def error(self):
        return self.until("error")[-1]["error"]


@pytest.fixture(scope="module")
def api():
    return Local(pace=0)


@pytest.fixture(scope="module")
def slow():
    """One whose answers last ten times as long: a busy machine, too, breaks in before they end."""
    return Local(pace=10)


@pytest.fixture
def wire(api):
    with api.open() as opened:
        opened.until("session.created")
        yield opened


def kinds(events):
    """The types of events, runs of deltas as one."""
    names = [e["type"] for e in events]
    return [
        n
        for i, n in enumerate(names)
        if not (n.endswith(".delta") and n in names[max(0, i - 3) : i])
    ]


def sound_of(events, of="response.output_audio.delta"):
    return b"".join(base64.b64decode(e["delta"]) for e in events if e["type"] == of)


def done(events):
    return next(e["response"] for e in reversed(events) if e["type"] == "response.done")


def words_of(events):
    [item] = done(events)["output"]
    if item["type"] == "function_call":
        return item["name"], json.loads(item["arguments"])
    return item["content"][0].get("transcript") or item["content"][0]["text"]


# --- a conversation -------------------------------------------------------------------------------


def test_a_spoken_conversation_by_the_sdk(api):
    client = OpenAI(api_key=KEY, base_url=api.url)
    with client.realtime.connect(model="gpt-realtime") as rt:
        rt.session.update(session=TRANSCRIBE | {"instructions": "Today is 2026-12-01."})
        sound = sounds.clip("user-christmas") + sounds.silence(800)
        rt.input_audio_buffer.append(audio=base64.b64encode(sound).decode())
        said, heard, asked = b"", "", ""
        for event in rt:
            if event.type == "response.output_audio.delta":
                said += base64.b64decode(event.delta)
            elif event.type == "conversation.item.input_audio_transcription.completed":
                asked = event.transcript
            elif event.type == "response.output_audio_transcript.done":
                heard = event.transcript
            elif event.type == "response.done":
                break
    assert asked == transcript("user-christmas")
    assert heard == "On December 1st, Christmas is 24 days away." and said == sounds.said(heard)
    # 2.9 s committed: speech, and the silence that ended it
    assert event.response.usage.input_token_details.audio_tokens == 30


def test_the_same_by_the_async_sdk(api):
    async def talk():
        async with (
            AsyncOpenAI(api_key=KEY, base_url=api.url) as client,
            client.realtime.connect(model="gpt-realtime-mini") as rt,
        ):
            await rt.conversation.item.create(
                item={
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "Hello!"}],
                }
            )
            await rt.response.create()
            async for event in rt:
                if event.type == "response.done":
                    return event.response

    response = asyncio.run(talk())
    assert (
        response.status == "completed"
        and response.output[0].content[0].transcript == "Hello! What can I do for you?"
    )


SPOKEN = [
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
]
ANSWER = [
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    *SPOKEN,
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]


def test_the_order_of_events_is_that_of_genuine_traces(wire):
    wire.update(TRANSCRIBE)
    wire.write("Hello")
    assert kinds(wire.seen) == [
        "session.created",
        "session.updated",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert kinds(wire.answer()) == ["response.created", *ANSWER]
    wire.speak("user-thanks")
    transcribed = [
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert kinds(wire.until(ANSWERED)) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        *transcribed,
        *ANSWER,
    ]


def test_items_follow_each_other(wire):
    for text in ("Hello", "Thank you"):
        wire.write(text)
        wire.answer()
    added = [e for e in wire.seen if e["type"] == "conversation.item.added"]
    assert [e["previous_item_id"] for e in added] == [None] + [e["item"]["id"] for e in added[:-1]]
    wire.send(
        "conversation.item.create",
        previous_item_id="root",
        item={
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": "Be kind."}],
        },
    )
    assert wire.until("conversation.item.done")[-1]["previous_item_id"] is None
    wire.send(
        "conversation.item.create",
        previous_item_id=added[0]["item"]["id"],
        item={
            "id": "mine",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "So."}],
        },
    )
    assert wire.until("conversation.item.done")[-1] | {"event_id": 0} == {
        "type": "conversation.item.done",
        "event_id": 0,
        "previous_item_id": added[0]["item"]["id"],
        "item": {
            "id": "mine",
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_text", "text": "So."}],
        },
    }


@pytest.fixture(scope="module")
def everything(api):
    """Events of conversations of all kinds."""
    seen = []
    with api.open() as wire:
        wire.until("session.created")
        # the tables have only transcriptions that are billed by length
        wire.update(
            {
                "type": "realtime",
                "tools": [TAX_TOOL],
                "audio": {"input": {"transcription": {"model": "whisper-1"}}},
            }
        )
        wire.speak("user-tax")
        call = done(wire.until(ANSWERED))["output"][0]
        wire.send(
            "conversation.item.create",
            item={
                "type": "function_call_output",
                "call_id": call["call_id"],
                "output": '{"tax": 933}',
            },
        )
        wire.answer()
        wire.speak("user-spanish")
        wire.until(ANSWERED)
        wire.write("Hello")
        wire.answer(output_modalities=["text"])
        seen += wire.seen
    return seen


def test_an_answer_that_a_fault_of_ours_stops_has_an_end(api, monkeypatch):
    def broken(*asked):
        raise ValueError("data/realtime/scenes.toml, line 3: is not TOML")

    with api.open() as wire:
        monkeypatch.setattr(scenarios, "reply", broken)
        wire.write("Hello")
        wire.send("response.create")
        assert "scenes.toml, line 3" in wire.until("error")[-1]["error"]["message"]
        assert done(wire.until(ANSWERED))["status"] == "failed"
        monkeypatch.undo()
        assert done(wire.answer())["status"] == "completed"


def test_events_are_what_the_sdk_expects(everything):
    kind = TypeAdapter(RealtimeServerEvent)
    for event in everything:
        parsed = kind.validate_python(event)
        assert parsed.type == event["type"]


def test_events_have_the_keys_of_genuine_ones(everything, tmp_path):
    for i, event in enumerate(everything):
        (tmp_path / f"{i:04}.json").write_text(json.dumps(event))
    reports = genuine.score(tmp_path)
    assert len(reports) == len(everything)
    for event, r in zip(everything, reports):
        assert not any((r.missing, r.extra, r.wrong, r.broken, r.unknown)), (event, r)
    laws = {law for r in reports for law in r.held}
    assert {
        "obfuscation-pad-16",
        "rt-call-id",
        "rt-id",
        "rt-usage-sum",
        "session-ttl",
    } <= laws


def test_whole_conversations_have_the_order_of_genuine_ones(everything, story, tmp_path):
    story.send("response.cancel")
    story.until(ANSWERED)
    for name, events in (("answered", everything), ("cancelled", story.seen)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, events)))
    assert [report.order for report in genuine.score(tmp_path)] == [[], []]


TAX_TOOL = {
    "type": "function",
    "name": "tax_for",
    "description": "The federal income tax.",
    "parameters": {
        "type": "object",
        "properties": {
            "year": {"type": "integer"},
            "filing_status": {"type": "string", "enum": ["married_jointly", "single"]},
            "taxable_income": {"type": "integer"},
        },
    },
}
DATE_TOOL = {
    "type": "function",
    "name": "todays_date",
    "parameters": {"type": "object", "properties": {}},
}


# --- what is said back ----------------------------------------------------------------------------


def typed(text, heard=(), **more):
    return items.Item(
        {
            "id": "item_1",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": text}],
        },
        **more,
    )


def ask(text, instructions="", told="", tools=(), tool_choice="auto"):
    return scenarios.reply([typed(text)], instructions, told, tools, tool_choice, aloud=True)


def days_until_christmas(day):
    """Counted one by one."""
    n = 0
    while (day.month, day.day) != (12, 25):
        day, n = day + datetime.timedelta(1), n + 1
    return n


@pytest.mark.parametrize(
    "day",
    [
        "2024-12-17",
        "2024-12-25",
        "2024-12-26",
        "2023-12-26",
        "2024-02-29",
        "2026-12-24",
        "2025-01-01",
        "2026-11-22",
    ],
)
def test_days_until_christmas_from_any_date(day):
    n = days_until_christmas(datetime.date.fromisoformat(day))
    said = ask("How many days until Christmas?", instructions=f"Today is {day}.")
    assert said.text.endswith(
        "Christmas is today." if n == 0 else f"Christmas is {n:,} day{'s' * (n != 1)} away."
    )
    # the date in the question
    assert said.text == ask(f"It is {day}. How many days are there to Christmas? days").text
    month, number = datetime.date.fromisoformat(day).strftime("%B"), int(day[-2:])
    assert said.text.startswith(f"On {month} {number}")


@pytest.mark.parametrize("income", [0, 1, 4, 9_325, 9_350, 50_000, 99_999, 100_000, 1_234_567])
def test_the_tax_on_any_income(income):
    said = ask(f"What is the tax on {income:,} dollars?").text
    owed = tax.tax(2024, "single", income)
    assert (
        said
        == f"For a single person in 2024, the tax on {income:,} dollar{'s' * (income != 1)} is {owed:,} dollar{'s' * (owed != 1)}."
    )
    assert (
        f"{tax.tax(2023, 'single', income):,} dollar"
        in ask(f"In 2023, what was the tax on {income} dollars?").text
    )


def test_sound_and_transcript_agree():
    pieces = {
        row["transcript"].lower(): sounds.clip(name)
        for name, row in sounds.clips().items()
        if row["side"] == "piece"
    }
    gap, comma, stop = (
        sounds.silence(n) for n in (sounds.BETWEEN, sounds.PAUSES[","], sounds.PAUSES["."])
    )
    by_hand = (
        pieces["on"]
        + gap
        + pieces["december"]
        + gap
        + pieces["seventeenth"]
        + comma
        + pieces["christmas is"]
        + gap
        + pieces["eight"]
        + gap
        + pieces["days away"]
        + stop
    )
    assert sounds.said("On December 17th, Christmas is 8 days away.") == by_hand
    assert sounds.spoken("Pay 1,000,021 dollars.") == "Pay one million twenty one dollars."
    with pytest.raises(LookupError, match="'Purple'"):
        sounds.said("Purple days away.")


@pytest.mark.parametrize(
    "n",
    [
        0,
        7,
        13,
        20,
        21,
        99,
        100,
        101,
        365,
        999,
        1_000,
        9_325,
        100_000,
        999_999,
        1_000_000,
        987_654_321,
    ],
)
def test_every_number_can_be_said(n):
    assert words_to_number(sounds.cardinal(n)) == n
    assert sounds.said(f"{n:,} dollars.")


def words_to_number(words):
    total = part = 0
    for word in words.split():
        if word == "hundred":
            part *= 100
        elif word in ("thousand", "million"):
            total, part = total + part * 1_000 ** sounds.POWERS.index(word), 0
        else:
            part += sounds.ONES.index(word) if word in sounds.ONES else 10 * sounds.TENS.index(word)
    return total + part


def test_every_date_can_be_said():
    for day in range(366):
        assert sounds.said(
            scenarios.scenes()["christmas"]["say"].format_map(
                scenarios.christmas(datetime.date(2024, 1, 1) + datetime.timedelta(day))
            )
        )


def test_scenes_refer_to_what_there_is():
    heard = [name for scene in scenarios.scenes().values() for name in scene.get("heard", [])]
    assert sorted(heard) == sorted(CLIPS)
    assert all(
        sounds.clips()[scene["clip"]]["side"] == "assistant"
        for scene in scenarios.scenes().values()
        if "clip" in scene
    )
    files = {row["file"] for row in sounds.clips().values()}
    assert files == {f.name for f in sounds.FOLDER.glob("*.opus")}


@pytest.mark.parametrize(
    "words, scene", [("say that again", "repeat"), ("slow down", "slower"), ("faster", "faster")]
)
def test_the_first_who_asks_for_it_again_is_told_that_nothing_was_said(words, scene):
    reply = scenarios.reply([typed(words)], "", "", (), "auto", aloud=False)
    assert (reply.scene, reply.text) == (scene, "I have not said anything yet.")


def test_what_nobody_recorded_is_said_to_be_so(wire):
    wire.update(TRANSCRIBE)
    wire.hear(sounds.clip("says-reindeer") + sounds.silence(900))  # speech, but nobody's question
    events = wire.until(ANSWERED)
    failed = next(e for e in events if e["type"].endswith("transcription.failed"))
    assert failed["error"]["code"] == "off_the_map" and "user-tax" in failed["error"]["message"]
    assert "no recording that answers this" in words_of(events)

    def off():
        refused = wire.answer()[-1]
        assert refused["error"]["code"] == "off_the_map"
        return refused["error"]["message"], words_of(wire.until(ANSWERED))

    wire.write("What is the capital of France?")
    why, said = off()
    assert "France" in why and "no recording that answers this" in said
    assert "no recording that answers this" in words_of(
        [e for e in wire.seen if e["type"] == "response.done"][-1:]
    )
    wire.write("What is the tax on 1,000,000,000,000 dollars?")
    why, said = off()  # no clip says a trillion; in text it can be said
    assert "In text it is answered" in why and "no recording" in said
    assert "1,000,000,000,000 dollars" in words_of(wire.answer(output_modalities=["text"]))


# --- functions ------------------------------------------------------------------------------------


def returned(wire, output):
    call = [e for e in wire.seen if e["type"] == "response.done"][-1]["response"]["output"][0]
    wire.send(
        "conversation.item.create",
        item={"type": "function_call_output", "call_id": call["call_id"], "output": output},
    )
    wire.until("conversation.item.done")
    return words_of(wire.answer())


def test_a_spoken_question_calls_a_function(wire):
    wire.update({"type": "realtime", "tools": [DATE_TOOL, TAX_TOOL]})
    wire.speak("user-tax")
    events = wire.until(ANSWERED)
    assert words_of(events) == (
        "tax_for",
        {"year": 2024, "filing_status": "single", "taxable_income": 9_325},
    )
    made = [e["type"] for e in events][[e["type"] for e in events].index("response.created") :]
    assert [t for i, t in enumerate(made) if t != made[i - 1]] == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert (
        "".join(e["delta"] for e in events if "arguments.delta" in e["type"])
        == done(events)["output"][0]["arguments"]
    )
    owed = tax.tax(2024, "single", 9_325)
    assert (
        returned(wire, json.dumps({"tax": owed})) == f"The tax on 9,325 dollars is {owed} dollars."
    )
    wire.speak("user-tax")
    wire.until(ANSWERED)
    # the answer follows the function
    assert returned(wire, "41") == "The tax on 9,325 dollars is 41 dollars."
    wire.speak("user-christmas")
    assert words_of(wire.until(ANSWERED)) == ("todays_date", {})
    assert returned(wire, '{"date": "2026-12-24"}') == "On December 24th, Christmas is 1 day away."
    wire.speak("user-christmas")
    wire.until(ANSWERED)
    assert returned(wire, "I do not know") == transcript("says-no-date")
    assert "no recording" not in words_of(
        wire.answer(
            tool_choice="none",
            input=[
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "What is the tax on 5 dollars?"}],
                }
            ],
        )
    )


# --- turns ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", ["[1]", "5", "no JSON", "[" * 2_000])
def test_a_call_whose_arguments_are_no_object_is_answered(wire, arguments):
    wire.write("What is the tax on 9,325 dollars?")
    call = {"type": "function_call", "call_id": "call_1", "name": "tax", "arguments": arguments}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "933"}
    for item in (call, output):
        wire.send("conversation.item.create", item=item)
        wire.until("conversation.item.done")
    assert (
        words_of(wire.answer(output_modalities=["text"]))
        == "The tax on 9,325 dollars is 933 dollars."
    )


def noisy(pcm, decibels=10, seed=1):
    """With white noise so many decibels below the speech."""
    sound = np.frombuffer(pcm, "<i2").astype(float)
    loud = np.sqrt((sound[np.abs(sound) > 200] ** 2).mean())
    noise = np.random.default_rng(seed).normal(0, loud * 10 ** (-decibels / 20), len(sound))
    return np.clip(sound + noise, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("name", CLIPS)
def test_a_turn_is_found_in_noise_and_the_clip_in_it(wire, name):
    wire.update(
        TRANSCRIBE
        | {
            "audio": {
                "input": {
                    "transcription": {"model": "whisper-1"},
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 600},
                }
            }
        }
    )
    wire.hear(noisy(sounds.silence(1_000) + sounds.clip(name) + sounds.silence(1_200)))
    events = wire.until("response.created")
    begin = next(e["audio_start_ms"] for e in events if e["type"].endswith("speech_started"))
    end = next(e["audio_end_ms"] for e in events if e["type"].endswith("speech_stopped"))
    assert abs(begin - 700) < 160 and abs(end - (1_000 + sounds.ms(sounds.clip(name)) + 600)) < 250
    assert (
        transcript(name)
        == wire.until("conversation.item.input_audio_transcription.completed")[-1]["transcript"]
    )


@pytest.mark.parametrize("begins", [b"\xff\xfb", b"\xff\xf3"])
def test_samples_that_begin_like_an_mp3_are_heard(wire, begins):
    wire.send("input_audio_buffer.append", audio=AUDIO(begins + bytes(958)))
    wire.send("input_audio_buffer.clear")
    assert kinds(wire.until("input_audio_buffer.cleared")) == ["input_audio_buffer.cleared"]


def test_noise_alone_is_no_speech(wire):
    noise = np.random.default_rng(2).normal(0, 3_000, 24_000 * 4).astype("<i2").tobytes()
    wire.hear(noise)
    wire.send("input_audio_buffer.clear")
    assert [e["type"] for e in wire.until("input_audio_buffer.cleared")] == [
        "input_audio_buffer.cleared"
    ]


def turn(wire, pcm, size=4_800, **rules):
    """(start, end) in ms of the turns that are found in a sound."""
    wire.update(
        {
            "type": "realtime",
            "audio": {
                "input": {
                    "turn_detection": {"type": "server_vad", "create_response": False, **rules}
                }
            },
        }
    )
    wire.hear(pcm, size)
    wire.send("input_audio_buffer.clear")
    events = wire.until("input_audio_buffer.cleared")
    return [[e[key] for e in events if key in e] for key in ("audio_start_ms", "audio_end_ms")]


def test_the_knobs_of_turn_detection_turn(api):
    pcm = sounds.silence(1_000) + sounds.clip("user-stop") + sounds.silence(1_500)
    found = {}
    for name, rules in {
        "as it is": {},
        "prefix": {"prefix_padding_ms": 0},
        "silence": {"silence_duration_ms": 900},
        "hasty": {"silence_duration_ms": 64},
        "deaf": {"threshold": 1},
        "small pieces": {"size": 98},
        "one piece": {"size": 10**7},
    }.items():
        with api.open() as wire:
            wire.until("session.created")
            found[name] = turn(wire, pcm, **rules)
    [[begin], [end]] = found["as it is"]
    assert found["prefix"] == [[begin + 300], [end]]
    assert found["silence"][0] == [begin] and 360 <= found["silence"][1][0] - end <= 440
    assert len(found["hasty"][0]) == 2, "after `Stop, please.` there is a pause"
    assert found["deaf"] == [[], []]
    assert found["small pieces"] == found["one piece"] == found["as it is"], (
        "the size of the pieces changes nothing"
    )


def test_semantic_turns_wait_for_the_end_of_a_sentence(api):
    sound = lambda share: (
        sounds.silence(500)
        + sounds.clip("user-tax")[: int(len(sounds.clip("user-tax")) * share) // 2 * 2]
        + sounds.silence(9_000)
    )
    ends = {}
    for share, eagerness in ((1, "auto"), (0.5, "high"), (0.5, "low")):
        with api.open() as wire:
            wire.until("session.created")
            wire.update(
                {
                    "type": "realtime",
                    "audio": {
                        "input": {
                            "turn_detection": {"type": "semantic_vad", "eagerness": eagerness}
                        }
                    },
                }
            )
            wire.hear(sound(share))
            stopped = wire.until("input_audio_buffer.speech_stopped")[-1]
            ends[share, eagerness] = (
                stopped["audio_end_ms"] - 500 - share * sounds.ms(sounds.clip("user-tax"))
            )
    assert 200 < ends[1, "auto"] < 500  # heard to its end: no need to wait
    assert 1_800 < ends[0.5, "high"] < 2_200 and 7_800 < ends[0.5, "low"] < 8_200


def test_nobody_speaks(wire):
    wire.update(
        {
            "type": "realtime",
            "audio": {
                "input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5_000}}
            },
        }
    )
    wire.write("Hello")
    wire.answer()
    spoken = sounds.ms(sounds.said("Hello! What can I do for you?"))
    wire.hear(sounds.silence(spoken + 4_900))
    wire.hear(sounds.silence(300))
    events = wire.until(ANSWERED)
    assert kinds(events)[:2] == [
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.committed",
    ]
    assert (
        abs(events[0]["audio_start_ms"] - spoken) < 40
        and abs(events[0]["audio_end_ms"] - spoken - 5_000) < 40
    )
    assert words_of(events) == "Are you still there?"


def test_push_to_talk(wire):
    wire.update(PUSH_TO_TALK)
    wire.hear(sounds.clip("user-reindeer") + sounds.silence(900))
    wire.send("input_audio_buffer.commit")
    events = wire.until("conversation.item.done")
    assert kinds(events) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert words_of(wire.answer()) == transcript("says-reindeer")


def test_detection_without_an_answer(wire):
    wire.update(
        {
            "type": "realtime",
            "audio": {
                "input": {"turn_detection": {"type": "server_vad", "create_response": False}}
            },
        }
    )
    wire.speak("user-thanks")
    wire.until("conversation.item.done")
    # said when it was asked for, and not before
    assert words_of(wire.answer()) == transcript("says-good-night")
    assert [e["type"] for e in wire.seen].count("response.created") == 1


def test_hearing_tells_clips_from_other_sounds():
    for name in CLIPS:
        sound = sounds.clip(name)
        telephone = sounds.changed(
            sounds.from_g711(
                sounds.to_g711(sounds.silence(307) + sound, "audio/pcma"), "audio/pcma"
            ),
            8_000,
            sounds.RATE,
        )
        quiet = (np.frombuffer(sound, "<i2") // 20).astype("<i2").tobytes()
        for changed in (
            noisy(sound),
            telephone,
            quiet,
            sounds.silence(2_000) + sound + sounds.silence(2_000),
        ):
            [found] = hearing.heard(changed)
            assert found.name == name and found.whole
    for name, row in sounds.clips().items():
        if row["side"] == "assistant":
            assert hearing.heard(sounds.clip(name)) == [], name
    both = hearing.heard(sounds.clip("user-stop") + sounds.silence(300) + sounds.clip("user-tax"))
    assert [h.name for h in both] == ["user-stop", "user-tax"]
    [half] = hearing.heard(sounds.clip("user-christmas")[: 2 * 24 * 1_260] + sounds.silence(300))
    assert half.transcript == "How many days are left"
    assert hearing.heard(b"") == hearing.heard(sounds.silence(3_000)) == []


# --- interrupting, cancelling, answers beside the conversation ------------------------------------


@pytest.fixture
def story(slow):
    """A session in which a long answer has just begun, and what has come of it."""
    with slow.open() as wire:
        wire.until("session.created")
        wire.write("Tell me a story.")
        wire.send("response.create")
        wire.until("response.output_audio.delta")
        yield wire


def test_speaking_interrupts_an_answer(story):
    story.speak("user-stop")
    events = story.until("input_audio_buffer.speech_stopped")
    assert "input_audio_buffer.speech_started" in kinds(events)
    response = done(events)
    assert response["status"] == "cancelled" and response["status_details"] == {
        "type": "cancelled",
        "reason": "turn_detected",
    }
    [item] = response["output"]
    said = item["content"][0]["transcript"]
    assert (
        item["status"] == "incomplete"
        and 0 < len(said) < len(transcript("says-story"))
        and transcript("says-story").startswith(said)
    )
    made = sound_of(story.seen)
    assert sounds.clip("says-story").startswith(made) and len(made) < len(sounds.clip("says-story"))
    assert response["usage"]["output_token_details"]["audio_tokens"] == -(-sounds.ms(made) // 50)
    # what was played less than made is cut, as clients on a WebSocket have to ask for
    story.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=150)
    assert story.until("conversation.item.truncated")[-1]["audio_end_ms"] == 150
    assert words_of(story.until(ANSWERED)) == transcript("says-stopped")
    story.send("conversation.item.retrieve", item_id=item["id"])
    [part] = story.until("conversation.item.retrieved")[-1]["item"]["content"]
    assert (
        part["transcript"] == ""
        and base64.b64decode(part["audio"]) == made[: 150 * sounds.BYTES_A_MS]
    )


def test_an_answer_that_must_not_be_interrupted():
    with Local(pace=1).open() as wire:
        wire.until("session.created")
        wire.update(
            {
                "type": "realtime",
                "audio": {
                    "input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}
                },
            }
        )
        wire.write("Tell me a story.")
        wire.send("response.create")
        wire.until("response.output_audio.delta")
        wire.speak("user-thanks")
        first = wire.until(ANSWERED)
        assert done(first)["status"] == "completed" and words_of(first) == transcript("says-story")
        assert words_of(wire.until(ANSWERED)) == transcript("says-good-night")  # in its turn


def test_cancelling(story):
    story.send("response.cancel")
    events = story.until(ANSWERED)
    assert done(events)["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert [e["type"] for e in events][-7:] == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    assert words_of(story.answer(instructions="Say good night.")) == transcript("says-good-night")


def test_a_call_that_is_cut_says_so_and_the_next_is_whole(slow):
    """Its arguments are then no JSON: `done` is "also emitted when a Response is interrupted,
    incomplete, or cancelled" (openai 3.54.0, response_function_call_arguments_done_event.py).
    """
    with slow.open() as wire:
        wire.until("session.created")
        wire.update({"type": "realtime", "tools": [TAX_TOOL]})
        wire.write("I am single. What is the tax on 9,325 dollars?")
        wire.send("response.create")
        wire.until("response.function_call_arguments.delta")
        wire.send("response.cancel")
        events = wire.until(ANSWERED)
        made = "".join(e["delta"] for e in wire.seen if "arguments.delta" in e["type"])
        [whole] = [e["arguments"] for e in events if "arguments.done" in e["type"]]
        [item] = done(events)["output"]
        assert done(events)["status"] == "cancelled" and item["status"] == "incomplete"
        assert whole == made == item["arguments"]
        with pytest.raises(json.JSONDecodeError):
            json.loads(whole)
        called = ("tax_for", {"year": 2024, "filing_status": "single", "taxable_income": 9_325})
        assert words_of(wire.answer()) == called


def test_parts_of_a_response_that_are_null_are_as_good_as_none(slow):
    """As LiveKit's plugin asks for each."""
    with slow.open() as wire:
        wire.until("session.created")
        wire.write("Where are my presents hidden?")
        nulls = dict.fromkeys(("instructions", "tools", "tool_choice", "input", "conversation"))
        wire.send("response.create", response=nulls)
        assert wire.until("response.created")[-1]["response"]["conversation_id"]


GUARD = {
    "conversation": "none",
    "output_modalities": ["text"],
    "metadata": {"guard": "1"},
    "instructions": "Answer blocked if the user asks about presents, otherwise allowed.",
}


def test_a_guard_beside_the_conversation(slow):
    with slow.open() as wire:
        wire.until("session.created")
        wire.write("Where are my presents hidden?")
        wire.send("response.create")
        wire.until("response.output_audio.delta")
        wire.send("response.create", response=GUARD)
        verdict = None
        while verdict is None:
            event = wire.until("response.done")[-1]["response"]
            verdict = event if event["metadata"] == {"guard": "1"} else None
        assert (
            verdict["output"][0]["content"][0]["text"] == "blocked"
            and verdict["conversation_id"] is None
        )
        wire.send("response.cancel")
        stopped = done(wire.until("response.done"))
        assert stopped["status"] == "cancelled" and words_of(wire.seen) != transcript(
            "says-presents"
        )
        added = [e["item"]["id"] for e in wire.seen if e["type"] == "conversation.item.added"]
        assert verdict["output"][0]["id"] not in added and len(added) == 2


def test_verdicts_follow_the_rule_and_the_question(wire):
    id = wire.write("Where are the gifts hidden?")
    asked = lambda rule, **more: words_of(
        wire.answer(conversation="none", output_modalities=["text"], instructions=rule, **more)
    )
    assert asked("Answer no if the user asks about presents, otherwise yes.") == "no"
    assert asked("Answer no if the user asks about tax; otherwise, answer yes.") == "yes"
    wire.write("What is the tax on 5 dollars?")
    assert asked("Answer no if the user asks about tax; otherwise yes.") == "no"
    assert (
        asked(
            "Answer no if the user asks about tax; otherwise yes.",
            input=[{"type": "item_reference", "id": id}],
        )
        == "yes"
    )
    fresh = [
        {
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Teach me Spanish"}],
        }
    ]
    assert asked("Answer seen if it is about a language, else unseen.", input=fresh) == "seen"
    assert words_of(wire.answer(input=[], output_modalities=["text"])) == transcript("says-hello")


def test_text_alone(wire):
    wire.update({"type": "realtime", "output_modalities": ["text"]})
    wire.speak("user-spanish")
    events = wire.until(ANSWERED)
    assert words_of(events) == transcript("says-spanish") and not sound_of(events)
    assert "".join(
        e["delta"] for e in events if e["type"] == "response.output_text.delta"
    ) == transcript("says-spanish")
    assert done(events)["usage"]["output_token_details"] == {
        "text_tokens": tokens.count(transcript("says-spanish")),
        "audio_tokens": 0,
    }


def test_a_limit_of_tokens_cuts_sound_and_words(wire):
    wire.write("Tell me a story.")
    events = wire.answer(max_output_tokens=100)
    response = done(events)
    assert response["status"] == "incomplete" and response["status_details"] == {
        "type": "incomplete",
        "reason": "max_output_tokens",
    }
    assert 80 <= response["usage"]["output_tokens"] <= 100
    assert transcript("says-story").startswith(words_of(events)) and sounds.clip(
        "says-story"
    ).startswith(sound_of(events))


def test_voices_and_speed_change_the_sound(api):
    heard = {}
    for voice, speed in (("alloy", 1), ("ash", 1), ("alloy", 1.5), ("alloy", 0.25)):
        with api.open() as wire:
            wire.until("session.created")
            wire.update({"type": "realtime", "audio": {"output": {"voice": voice, "speed": speed}}})
            heard[voice, speed] = sound_of(wire.answer())
    usual = sounds.ms(heard["alloy", 1])
    assert (
        heard["ash", 1] != heard["alloy", 1]
        and abs(sounds.ms(heard["ash", 1]) - usual) < 0.06 * usual
    )
    assert (
        abs(sounds.ms(heard["alloy", 1.5]) * 1.5 - usual) < 0.1 * usual
        and abs(sounds.ms(heard["alloy", 0.25]) / 4 - usual) < 0.1 * usual
    )


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_telephone_sound_both_ways(wire, law):
    wire.update(
        TRANSCRIBE
        | {
            "audio": {
                "input": {"format": {"type": law}, "transcription": {"model": "whisper-1"}},
                "output": {"format": {"type": law}},
            }
        }
    )
    wire.hear(
        sounds.to_g711(
            sounds.silence(300) + sounds.clip("user-christmas") + sounds.silence(800), law
        ),
        size=800,
    )
    events = wire.until(ANSWERED)
    assert next(e for e in events if e["type"].endswith("transcription.completed"))[
        "transcript"
    ] == transcript("user-christmas")
    assert sound_of(events) == sounds.to_g711(sounds.said(words_of(events)), law)
    back = np.frombuffer(sounds.from_g711(sound_of(events), law), "<i2").astype(float)
    real = np.frombuffer(
        sounds.changed(sounds.said(words_of(events)), sounds.RATE, 8_000), "<i2"
    ).astype(float)
    # dB; G.711 has 38 at best
    assert 10 * np.log10((real**2).mean() / ((real - back) ** 2).mean()) > 30


# --- usage and cost -------------------------------------------------------------------------------


def test_usage_follows_the_rule_and_the_conversation_is_billed_again(wire):
    wire.speak("user-thanks")
    first = wire.until(ANSWERED)
    committed = first[1]["audio_end_ms"] - first[0]["audio_start_ms"]
    answer = sounds.ms(sounds.clip("says-good-night"))
    asked, said = -(-committed // 100), -(-answer // 50)
    u = done(first)["usage"]
    instructions = tokens.count(config.INSTRUCTIONS)
    assert (
        u["input_token_details"]["audio_tokens"] == asked
        and u["output_token_details"]["audio_tokens"] == said
    )
    assert u["input_token_details"]["text_tokens"] == instructions + items.FRAME_TOKENS
    assert u["output_token_details"]["text_tokens"] == tokens.count(transcript("says-good-night"))
    wire.write("Hello")
    v = done(wire.answer())["usage"]
    # both sides of the first turn, again
    assert v["input_token_details"]["audio_tokens"] == asked + said
    assert v["input_token_details"][
        "text_tokens"
    ] == instructions + 3 * items.FRAME_TOKENS + tokens.count(
        transcript("says-good-night")
    ) + tokens.count("Hello")
    assert (
        u["total_tokens"] == u["input_tokens"] + u["output_tokens"]
        and v["total_tokens"] == v["input_tokens"] + v["output_tokens"]
    )
    assert u["input_token_details"]["cached_tokens"] == 0


def test_the_cache_holds_what_is_unchanged(wire):
    long = "You are a friendly reindeer on the lawn. " * 30
    wire.update({"type": "realtime", "instructions": long})
    id = wire.write("Hello")
    cached = lambda events: done(events)["usage"]["input_token_details"]["cached_tokens"]
    assert cached(wire.answer()) == 0
    again = cached(wire.answer())
    assert again == (tokens.count(long) + items.FRAME_TOKENS + 1) // usage.BLOCK * usage.BLOCK > 0
    wire.update({"type": "realtime", "instructions": "Be brief. " + long})
    assert cached(wire.answer()) == 0  # the beginning has changed
    before = cached(wire.answer())
    wire.send("conversation.item.delete", item_id=id)
    wire.until("conversation.item.deleted")
    assert 0 < cached(wire.answer()) <= before


def test_the_receipt_has_what_was_said(api):
    api.state.ledger.begin()
    with api.open("?model=gpt-4o-realtime-preview-2024-12-17") as wire:
        wire.until("session.created")
        wire.speak("user-reindeer")
        response = done(wire.until(ANSWERED))
    [call] = api.state.ledger.summary()["calls"]
    assert (call["model"], call["status"], call["origin"], call["usage"]) == (
        "gpt-4o-realtime-preview-2024-12-17",
        200,
        "constructed",
        response["usage"],
    )
    u = response["usage"]
    by_hand = (
        u["input_token_details"]["text_tokens"] * 5
        + u["input_token_details"]["audio_tokens"] * 40
        + u["output_token_details"]["text_tokens"] * 20
        + u["output_token_details"]["audio_tokens"] * 80
    ) / 1e6
    assert float(prices.cost(call["model"], u, "2024-12-17")) == pytest.approx(by_hand)
    assert calls.counts(u) == (u["input_tokens"], 0, 0, u["output_tokens"])
    assert api.state.ledger.exchanges()[-1]["answer"]["id"] == response["id"]
    assert api.state.ledger.origins[response["id"]][0]["class"] == "constructed"


# --- bad input: an error event, and the session goes on -------------------------------------------

AUDIO = lambda data: base64.b64encode(data).decode()
UPDATE = lambda **change: {"type": "session.update", "session": {"type": "realtime", **change}}
ITEM = lambda **item: {"type": "conversation.item.create", "item": item}
BAD = {
    "unknown event": (
        {"type": "nope"},
        "invalid_value",
        "type",
        "Invalid value: 'nope'. Supported values are: 'session.update',",
    ),
    "no type": ({}, "missing_required_parameter", "type", "Missing required parameter: 'type'."),
    "type a number": ({"type": 7}, "invalid_value", "type", "Invalid value: '7'."),
    "a list": ([], "invalid_event", None, "expected an object, but got an array"),
    "no JSON": ("not json", "invalid_json", None, "failed to parse JSON value"),
    "half a surrogate": ('{"type": "\\ud800"}', "invalid_value", "type", "Invalid value"),
    "deep": ("[" * 100_000, "invalid_json", None, "failed to parse JSON value"),
    "infinite": (
        '{"type": "session.update", "x": 1e999}',
        "invalid_json",
        None,
        "too large a number",
    ),
    "bytes": (b"sound", "invalid_event", None, "binary frames are not supported"),
    "extra key": (
        {"type": "response.cancel", "now": True},
        "unknown_parameter",
        "now",
        "Unknown parameter: 'now'.",
    ),
    "no base64": (
        {"type": "input_audio_buffer.append", "audio": "???"},
        "invalid_value",
        "audio",
        "Expected base64-encoded audio bytes (mono PCM16 at 24kHz)",
    ),
    "no audio": (
        {"type": "input_audio_buffer.append"},
        "missing_required_parameter",
        "audio",
        "Missing required parameter: 'audio'.",
    ),
    "audio a list": (
        {"type": "input_audio_buffer.append", "audio": [0]},
        "invalid_type",
        "audio",
        "expected a string, but got an array",
    ),
    "half a sample": (
        {"type": "input_audio_buffer.append", "audio": AUDIO(b"abc")},
        "invalid_value",
        "audio",
        "It has 3 bytes, and a sample has 2.",
    ),
    "a WAV file": (
        {"type": "input_audio_buffer.append", "audio": AUDIO(b"RIFF" + bytes(40))},
        "invalid_value",
        "audio",
        "begins like a WAV file: send the samples alone",
    ),
    "an Opus file": (
        {
            "type": "input_audio_buffer.append",
            "audio": AUDIO((sounds.FOLDER / "user-tax.opus").read_bytes()[:1_000]),
        },
        "invalid_value",
        "audio",
        "an Ogg file",
    ),
    "20 MB": (
        {"type": "input_audio_buffer.append", "audio": AUDIO(bytes(20_000_000))},
        "string_above_max_length",
        "audio",
        "maximum length 20971520, but got a string with length 26666668",
    ),
    "empty commit": (
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        None,
        "buffer only has 0.00ms of audio",
    ),
    "no type in session": (
        {"type": "session.update", "session": {}},
        "missing_required_parameter",
        "session.type",
        "Missing required parameter: 'session.type'.",
    ),
    "beta session": (
        UPDATE(modalities=["text"]),
        "unknown_parameter",
        "session.modalities",
        "Unknown parameter: 'session.modalities'.",
    ),
    "both modalities": (
        UPDATE(output_modalities=["audio", "text"]),
        "invalid_value",
        "session.output_modalities",
        "Supported combinations",
    ),
    "16 kHz": (
        UPDATE(audio={"input": {"format": {"type": "audio/pcm", "rate": 16_000}}}),
        "integer_below_min_value",
        "session.audio.input.format.rate",
        "Expected a value >= 24000",
    ),
    "no such format": (
        UPDATE(audio={"input": {"format": {"type": "pcm16"}}}),
        "invalid_value",
        "session.audio.input.format.type",
        "'audio/pcm', 'audio/pcmu', and 'audio/pcma'",
    ),
    "no such voice": (
        UPDATE(audio={"output": {"voice": "hal"}}),
        "invalid_value",
        "session.audio.output.voice",
        "Invalid value: 'hal'.",
    ),
    "threshold 2": (
        UPDATE(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}),
        "decimal_above_max_value",
        "session.audio.input.turn_detection.threshold",
        "<= 1",
    ),
    "threshold NaN": (
        '{"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": NaN}}}}}',
        "invalid_json",
        None,
        "NaN is not JSON",
    ),
    "no such turns": (
        UPDATE(audio={"input": {"turn_detection": {"type": "magic"}}}),
        "invalid_value",
        "session.audio.input.turn_detection.type",
        "'server_vad' and 'semantic_vad'",
    ),
    "another model": (
        UPDATE(model="gpt-realtime-mini"),
        "invalid_value",
        "session.model",
        "cannot be changed",
    ),
    "limit 5000": (
        UPDATE(max_output_tokens=5_000),
        "integer_above_max_value",
        "session.max_output_tokens",
        "<= 4096",
    ),
    "tool without name": (
        UPDATE(tools=[{"type": "function"}]),
        "missing_required_parameter",
        "session.tools[0].name",
        "session.tools[0].name",
    ),
    "no text": (
        ITEM(type="message", role="user", content=[{"type": "input_text"}]),
        "missing_required_parameter",
        "item.content[0].text",
        "item.content[0].text",
    ),
    "assistant's audio": (
        ITEM(
            type="message", role="assistant", content=[{"type": "output_audio", "transcript": "x"}]
        ),
        "invalid_value",
        "item.content[0].type",
        "output_text",
    ),
    "no such role": (
        ITEM(type="message", role="king", content=[]),
        "invalid_value",
        "item.role",
        "'user', 'system', and 'assistant'",
    ),
    "output without call": (
        ITEM(type="function_call_output", call_id="call_1", output="1"),
        "item_create_invalid_call_id",
        "item.call_id",
        "does not exist",
    ),
    "no such place": (
        {**ITEM(type="message", role="user", content=[]), "previous_item_id": "item_0"},
        "item_create_invalid_previous_item_id",
        "previous_item_id",
        "item_0",
    ),
    "delete nothing": (
        {"type": "conversation.item.delete", "item_id": "yo"},
        "item_delete_invalid_item_id",
        "item_id",
        "the item with id 'yo' does not exist",
    ),
    "retrieve nothing": (
        {"type": "conversation.item.retrieve", "item_id": "yo"},
        "item_retrieve_invalid_item_id",
        "item_id",
        "does not exist",
    ),
    "truncate nothing": (
        {
            "type": "conversation.item.truncate",
            "item_id": "yo",
            "content_index": 0,
            "audio_end_ms": 0,
        },
        "item_truncate_invalid_item_id",
        "item_id",
        "does not exist",
    ),
    "truncate before": (
        {
            "type": "conversation.item.truncate",
            "item_id": "yo",
            "content_index": 0,
            "audio_end_ms": -1,
        },
        "integer_below_min_value",
        "audio_end_ms",
        ">= 0",
    ),
    "cancel nothing": (
        {"type": "response.cancel"},
        "response_cancel_not_active",
        None,
        "no active response found",
    ),
    "reference to nothing": (
        {
            "type": "response.create",
            "response": {"input": [{"type": "item_reference", "id": "yo"}]},
        },
        "item_retrieve_invalid_item_id",
        "item_id",
        "yo",
    ),
    "no such conversation": (
        {"type": "response.create", "response": {"conversation": "mine"}},
        "invalid_value",
        "response.conversation",
        "'auto' and 'none'",
    ),
    "metadata a list": (
        {"type": "response.create", "response": {"metadata": [1]}},
        "invalid_type",
        "response.metadata",
        "expected an object",
    ),
    "speakers of WebRTC": (
        {"type": "output_audio_buffer.clear"},
        "invalid_value",
        "type",
        "Invalid value: 'output_audio_buffer.clear'.",
    ),
}


@pytest.fixture(scope="module")
def patient(api):
    """A session that gets all the bad input, one after the other."""
    with api.open() as wire:
        wire.until("session.created")
        yield wire


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_and_the_session_goes_on(patient, name):
    event, code, param, words = BAD[name]
    if isinstance(event, dict) and event:
        event = event | {"event_id": "mine"}
    patient.socket.send(event if isinstance(event, (str, bytes)) else json.dumps(event))
    error = patient.error()
    assert (
        list(error) == ["type", "code", "message", "param", "event_id"]
        and error["type"] == "invalid_request_error"
    )
    assert (error["code"], error["param"]) == (code, param) and words in error["message"], error
    assert error["event_id"] == ("mine" if isinstance(event, dict) and event else None)
    assert words_of(patient.answer(input=[])) == transcript("says-hello")


def test_what_an_answer_forbids(story):
    story.send("response.create")
    error = story.error()
    assert error["code"] == "conversation_already_has_active_response" and error[
        "message"
    ].startswith("Conversation already has an active response in progress: resp_")
    assert (
        story.update({"type": "realtime", "audio": {"output": {"voice": "marin"}}})["error"]["code"]
        == "cannot_update_voice"
    )
    story.send("response.cancel")
    response = done(story.until("response.done"))
    item = response["output"][0]["id"]
    story.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=99_999)
    assert (
        story.error()["message"]
        == f"Audio content of {sounds.ms(sound_of(story.seen))}ms is already shorter than 99999ms"
    )
    story.send("conversation.item.truncate", item_id=item, content_index=1, audio_end_ms=0)
    assert story.error()["message"] == "Only model output audio messages can be truncated"
    user = next(e["item"]["id"] for e in story.seen if e["type"] == "conversation.item.added")
    story.send("conversation.item.truncate", item_id=user, content_index=0, audio_end_ms=0)
    assert story.error()["code"] == "unsupported_content_type"


def test_sound_that_is_too_short_to_commit(wire):
    wire.update(PUSH_TO_TALK)
    wire.hear(sounds.silence(60))
    wire.send("input_audio_buffer.commit")
    assert (
        wire.error()["message"]
        == "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 60.00ms of audio."
    )
    wire.hear(sounds.silence(40))  # what was there stays
    wire.send("input_audio_buffer.commit")
    assert (
        wire.until("input_audio_buffer.committed", "error")[-1]["type"]
        == "input_audio_buffer.committed"
    )


# --- who may come in ------------------------------------------------------------------------------

OLD = "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API."
REFUSED = {
    "bad key": (
        dict(key="sk-wrong-key-1234"),
        3000,
        "invalid_api_key",
        "Incorrect API key provided: sk-",
    ),
    "no key": (dict(key=None), 3000, None, "Missing bearer or basic authentication in header"),
    "no such secret": (dict(key="ek_00000000"), 3000, "invalid_api_key", "client secret"),
    "bad key of a browser": (
        dict(key=None, subprotocols=["realtime", "openai-insecure-api-key.wrong"]),
        3000,
        "invalid_api_key",
        "Incorrect API key",
    ),
    "beta header": (
        dict(headers={"OpenAI-Beta": "realtime=v1"}),
        4000,
        "beta_api_shape_disabled",
        OLD,
    ),
    "beta of a browser": (
        dict(
            subprotocols=["realtime", "openai-insecure-api-key." + KEY, "openai-beta.realtime-v1"]
        ),
        4000,
        "beta_api_shape_disabled",
        OLD,
    ),
    "no model": (dict(query=""), 4000, "missing_model", "You must provide a model parameter"),
    "unknown model": (
        dict(query="?model=gpt-nope"),
        4000,
        "invalid_model",
        'Model "gpt-nope" is not supported in realtime mode.',
    ),
    "text model": (
        dict(query="?model=o1"),
        4000,
        "invalid_model",
        'Model "o1" is not supported in realtime mode.',
    ),
    "no such call": (
        dict(query="?call_id=rtc_1"),
        4000,
        "call_id_not_found",
        "No session found for the provided call_id",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_may_not_come_in_is_told_why(api, name):
    asked, close_code, code, words = REFUSED[name]
    with api.open(**asked) as wire:
        error = wire.next()
        assert (
            error["type"] == "error"
            and error["error"]["code"] == code
            and words in error["error"]["message"]
        )
        with pytest.raises(websockets.exceptions.ConnectionClosedError) as closed:
            wire.next()
    assert closed.value.rcvd.code == close_code
    assert closed.value.rcvd.reason == "invalid_request_error" + (f".{code}" if code else "")


def test_a_browser_comes_in_by_subprotocol(api):
    with api.open(
        key=None,
        subprotocols=["realtime", f"openai-insecure-api-key.{KEY}"],
        origin="http://localhost:8888",
    ) as wire:
        assert (
            wire.socket.subprotocol == "realtime"
            and wire.socket.response.headers["X-Day9-Origin"] == "constructed"
        )
        assert wire.next()["type"] == "session.created"


def test_a_client_secret_opens_its_own_session(api):
    client = OpenAI(api_key=KEY, base_url=api.url)
    secret = client.realtime.client_secrets.create(
        session={"type": "realtime", "model": "gpt-realtime-mini", "instructions": "Be brief."}
    )
    for more in (
        {"key": secret.value},
        {"key": None, "subprotocols": ["realtime", f"openai-insecure-api-key.{secret.value}"]},
    ):
        with api.open("", **more) as wire:
            opened = wire.next()["session"]
            assert (opened["model"], opened["instructions"]) == ("gpt-realtime-mini", "Be brief.")


def test_pages_from_elsewhere_stay_out(api):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        api.open(origin="https://example.com")
    assert (
        refused.value.response.status_code == 403
        and "not 'https://example.com'" in refused.value.response.body.decode()
    )
    # another page's name that was made to point here
    with socket.create_connection(("127.0.0.1", api.state.port), timeout=60) as raw:
        raw.sendall(
            b"GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403")


def test_the_old_sdk_namespace_gets_todays_refusal(api):
    client = OpenAI(api_key=KEY, base_url=api.url, websocket_base_url=api.url.replace("http", "ws"))
    with client.realtime.connect(
        model="gpt-realtime", extra_headers={"OpenAI-Beta": "realtime=v1"}
    ) as rt:
        assert rt.recv().error.code == "beta_api_shape_disabled"


# --- many, and gone -------------------------------------------------------------------------------


def test_twenty_sessions_at_once(api):
    names = (CLIPS * 3)[:20]
    answers = {}
    with api.open() as wire:  # each alone
        wire.until("session.created")
        for name in CLIPS:
            wire.speak(name)
            answers[name] = words_of(wire.until(ANSWERED))

    async def one(client, name):
        patient = {"open_timeout": 60} | UNASKED  # twenty knock at once
        async with client.realtime.connect(
            model="gpt-realtime", websocket_connection_options=patient
        ) as rt:
            sound = sounds.silence(300) + sounds.clip(name) + sounds.silence(800)
            for at in range(0, len(sound), 9_600):
                await rt.input_audio_buffer.append(
                    audio=base64.b64encode(sound[at : at + 9_600]).decode()
                )
            async for event in rt:
                if event.type == "response.output_audio_transcript.done":
                    return event.transcript

    async def all_of_them():
        async with AsyncOpenAI(api_key=KEY, base_url=api.url) as client:
            return await asyncio.gather(*(one(client, name) for name in names))

    assert asyncio.run(all_of_them()) == [answers[name] for name in names]


def test_a_vanished_session_leaves_nothing_behind(slow):
    def alive():
        gc.collect()
        return sum(type(o) is session.Session for o in gc.get_objects())

    end = time.monotonic() + 60
    # the sessions of the tests before this one are still ending
    while alive() and time.monotonic() < end:
        time.sleep(0.1)
    before, tasks = alive(), slow.tasks()
    left = [slow.open() for _ in range(3)]
    for wire in left:
        wire.until("session.created")
        wire.write("Tell me a story.")
        wire.send("response.create")
        wire.until("response.output_audio.delta")
    assert alive() == before + 3 and slow.tasks() > tasks
    for wire in left:
        wire.socket.socket.shutdown(socket.SHUT_RDWR)  # no goodbye
    end = time.monotonic() + 60
    while (alive() > before or slow.tasks() > tasks) and time.monotonic() < end:
        time.sleep(0.3)
    assert alive() == before and slow.tasks() <= tasks


RESET = struct.pack(
    "ii", 1, 0
)  # for SO_LINGER: close without a goodbye, and drop what is on its way


def test_a_session_that_is_reset_is_held_by_nothing_also_when_nobody_comes_after_it():
    local = Local(pace=0.02)
    for _ in range(6):
        with local.open() as wire:
            wire.until("session.created")
            wire.write("Tell me a story.")
            wire.send("response.create")
            wire.until("response.output_audio.delta")
            ours = [o for o in gc.get_objects() if type(o) is session.Session]
            one = [weakref.ref(o) for o in ours if o.state is local.state]
            del ours
            assert len(one) == 1
            wire.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            wire.socket.socket.shutdown(socket.SHUT_RDWR)
            wire.socket.socket.close()
        end = time.monotonic() + 60
        while one[0]() is not None and time.monotonic() < end:
            time.sleep(0.1)
            gc.collect()
        assert one[0]() is None
    local.end()


def test_an_event_does_not_wait_until_the_one_before_it_is_acknowledged(api):
    with api.open() as wire:
        wire.until("session.created")
        streams = [
            o.ws_connection.stream
            for o in gc.get_objects()
            if type(o) is websocket.Socket and o.ws_connection
        ]
        sockets = [s.socket for s in streams if s.socket]
        assert sockets and all(
            s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for s in sockets
        )


def test_a_peer_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(websocket, "PING_EVERY", 0.3)
    api = Local(pace=0)
    wire = api.open(ping_interval=None)
    wire.until("session.created")
    seen = weakref.WeakSet(
        o for o in gc.get_objects() if type(o) is session.Session and o.state is api.state
    )
    assert len(seen) == 1
    wire.socket.recv_events_thread_stopped = True
    wire.socket.protocol.receive_data = lambda data: None  # deaf: no ping is answered
    end = time.monotonic() + 60
    while any(not s.closed for s in seen) and time.monotonic() < end:
        time.sleep(0.1)
    assert all(s.closed for s in seen)


# --- a transport that plays the sound itself ------------------------------------------------------


class Speaker:
    """A Voice that plays nothing, and says what it was asked to."""

    def __init__(self):
        self.queue, self.cuts = [], []

    def play(self, response_id, item_id, pcm, more=False):
        self.queue.append((response_id, item_id, pcm))

    def cut(self, item_id, milliseconds):
        self.cuts.append((item_id, milliseconds))

    def clear(self):
        cut, self.queue = [(response, item, 1_234) for response, item, _ in self.queue], []
        return cut


class Offline:
    pace = 0

    def __init__(self):
        self.ledger, self.speech, self.upstream = Ledger(), Speech(), None


@pytest.mark.parametrize("piece, ahead", [(sounds.RATE // 25, True), (None, False)])
def test_what_comes_all_at_once_is_not_listened_to_in_each_of_its_pauses(piece, ahead, monkeypatch):
    """A minute with pauses, sent in one event, held its session up for half a minute."""
    listened = []

    async def counted(self, pcm):
        listened.append(len(pcm))
        return NOTHING

    monkeypatch.setattr(session.Session, "_listened", counted)
    said = sounds.clip("user-thanks") + sounds.silence(300)
    said = 4 * said + sounds.silence(400)

    async def talk():
        seen = []
        s = session.Session("gpt-realtime", seen.append, Offline())
        size = piece or len(said)
        for at in range(0, len(said), size):
            await s.hear(said[at : at + size])
        s.close()
        return [e["type"] for e in seen]

    assert asyncio.run(talk()).count("input_audio_buffer.committed") == 1
    assert len(listened) == 1 or ahead and len(listened) > 3


def test_a_voice_gets_the_sound_and_an_interruption_truncates_what_was_heard():
    async def talk():
        seen, speaker = [], Speaker()
        s = session.Session("gpt-realtime", seen.append, Offline(), voice=speaker, id="sess_u0_1")
        s.open()
        await s.receive(
            {
                "type": "conversation.item.create",
                "item": {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "A story!"}],
                },
            }
        )
        await s.receive(json.dumps({"type": "response.create"}))
        while not any(e["type"] == "response.done" for e in seen):
            await asyncio.sleep(0.01)
        [(response, item, pcm)] = speaker.queue
        assert pcm == sounds.clip("says-story") and not sound_of(seen)
        s.started(response)
        await s.hear(sounds.silence(200) + sounds.clip("user-stop"))
        after = [
            e
            for e in seen
            if e["type"].startswith(
                ("output_audio_buffer", "input_audio", "conversation.item.trunc")
            )
        ]
        s.stopped("another")
        await s.receive({"type": "output_audio_buffer.clear"})
        s.close()
        s.close()
        await s.receive({"type": "response.create"})
        count = len(seen)
        await s.hear(sounds.clip("user-stop"))
        assert len(seen) == count
        return seen, after, response, item

    seen, after, response, item = asyncio.run(talk())
    assert seen[0]["session"]["id"] == "sess_u0_1"
    assert [e["type"] for e in after] == [
        "output_audio_buffer.started",
        "input_audio_buffer.speech_started",
        "conversation.item.truncated",
        "output_audio_buffer.cleared",
    ]
    assert after[2] | {"event_id": 0} == {
        "type": "conversation.item.truncated",
        "event_id": 0,
        "item_id": item,
        "content_index": 0,
        "audio_end_ms": 1_234,
    }
    assert {e["response_id"] for e in after if "response_id" in e} == {response} and seen[-1][
        "type"
    ] == "output_audio_buffer.stopped"


def test_a_session_ends_after_its_hour(monkeypatch):
    monkeypatch.setattr(config, "SESSION_SECONDS", 0)

    async def wait():
        seen, over = [], []
        session.Session(
            "gpt-realtime", seen.append, Offline(), over=lambda *given: over.append(given)
        )
        await asyncio.sleep(0.2)
        return seen, over

    seen, over = asyncio.run(wait())
    assert seen[0]["error"]["code"] == "session_expired" and over == [
        (1001, "Your session hit the maximum duration of 60 minutes.")
    ]


def test_any_bytes_in_any_pieces_do_no_harm():
    async def feed():
        seen, chance = [], random.Random(5)
        s = session.Session("gpt-realtime", seen.append, Offline())
        for _ in range(60):
            await s.receive(
                {
                    "type": "input_audio_buffer.append",
                    "audio": AUDIO(chance.randbytes(2 * chance.randrange(3_000))),
                }
            )
        kept = len(s.buffer.data)
        s.close()
        return seen, kept

    seen, kept = asyncio.run(feed())
    assert all(e["type"] != "error" for e in seen) and kept <= 2 * 3_000 * 60
