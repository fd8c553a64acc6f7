"""What the local API answers, without a socket: matching, slots, limits, streams, and everything
that is wrong with a request.
"""

import base64
import copy
import datetime
import itertools
import json
import random
import re
import unicodedata

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from helpers.facts import ground_truth, tokens
from helpers.local_api import answers, canonical, computed, shaping, slots
from helpers.local_api.ledger import Ledger
from tests import mutations
from tests.asking import CHAT, RESPONSES, api, ask, chat, completion, envelope, value, words, write

SHIPPED = answers.Answers()
DAY = "Which day of the week was 2024-12-17?"
RULE = {
    "model": "o1",
    "messages": [
        {
            "role": "developer",
            "content": "You help cooks. Answer with one temperature in celsius and nothing else.",
        },
        {"role": "user", "content": "My American recipe says 350 °F. What is that?"},
    ],
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "a",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
            "additionalProperties": False,
        },
    },
}
PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + bytes(8)
    + bytes([0, 0, 0, 9, 0, 0, 0, 9])
    + random.Random(9).randbytes(5_000)
)


def data_url(raw, kind="image/png"):
    return f"data:{kind};base64,{base64.b64encode(raw).decode()}"


# --- matching -------------------------------------------------------------------------------------


def same_as_rule():
    developer, user = RULE["messages"]
    yield (
        "key order",
        {"messages": [dict(reversed(m.items())) for m in RULE["messages"]], "model": "o1"},
    )
    yield (
        "spacing",
        RULE
        | {
            "messages": [
                developer,
                user | {"content": "  My American\n recipe   says 350 °F. What is that? "},
            ]
        },
    )
    yield (
        "no-break space",
        RULE
        | {"messages": [developer, user | {"content": user["content"].replace(" ", "\u00a0")}]},
    )
    yield (
        "null fields",
        RULE | {"stop": None, "tools": None, "messages": [developer | {"name": None}, user]},
    )
    yield (
        "text part",
        RULE
        | {
            "messages": [
                developer,
                {"role": "user", "content": [{"type": "text", "text": user["content"]}]},
            ]
        },
    )
    yield (
        "defaults",
        RULE
        | {"n": 1, "reasoning_effort": "medium", "response_format": {"type": "text"}, "tools": []},
    )
    yield "alias", RULE | {"model": "o1-2024-12-17"}
    yield "system", RULE | {"messages": [developer | {"role": "system"}, user]}
    yield (
        "bookkeeping",
        RULE
        | {
            "user": "me",
            "metadata": {"a": "b"},
            "store": True,
            "safety_identifier": "x",
            "service_tier": "flex",
        },
    )
    yield "a roomy limit", RULE | {"max_completion_tokens": 100_000}


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in same_as_rule()])
def test_requests_that_mean_the_same_get_the_same(body):
    assert ask(SHIPPED, body).body == ask(SHIPPED, RULE).body
    assert words(ask(SHIPPED, body)) == "177 °C"


def test_unicode_comes_in_more_than_one_form(tmp_path):
    composed, apart = (
        unicodedata.normalize("NFC", "Zürich café"),
        unicodedata.normalize("NFD", "Zürich café"),
    )
    assert composed != apart
    write(tmp_path, "a", chat(composed), completion())
    assert words(ask(api(tmp_path), chat(apart))) == "Yes."


def test_effort_medium_is_the_default_in_both_shapes():
    assert (
        ask(SHIPPED, chat(DAY, reasoning_effort="medium")).recording
        == ask(SHIPPED, chat(DAY)).recording
        == "start/weekday-medium"
    )
    today = {"model": "gpt-5.6-sol", "input": DAY}
    for body in (
        today,
        today | {"reasoning": {"effort": "medium", "summary": None}},
        today | {"truncation": "disabled", "text": {"format": {"type": "text"}}},
        today
        | {
            "input": [
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": DAY}],
                }
            ]
        },
    ):
        assert ask(SHIPPED, body, RESPONSES).recording == "start/weekday-today-medium"


def different_from_rule():
    developer, user = RULE["messages"]
    yield (
        "developer edited",
        "messages[0].content",
        RULE
        | {
            "messages": [
                developer | {"content": developer["content"].replace("nothing", "little")},
                user,
            ]
        },
    )
    yield (
        "developer's case",
        "messages[0].content",
        RULE | {"messages": [developer | {"content": developer["content"].upper()}, user]},
    )
    yield (
        "user edited",
        "messages[1].content",
        RULE | {"messages": [developer, user | {"content": user["content"] + " Why?"}]},
    )
    yield (
        "one more",
        "messages[2]",
        RULE | {"messages": [developer, user, {"role": "user", "content": "Please."}]},
    )
    yield (
        "assistant",
        "messages[1].role",
        RULE | {"messages": [developer, user | {"role": "assistant"}]},
    )
    yield "effort", "reasoning_effort", RULE | {"reasoning_effort": "high"}
    yield "schema", "response_format", RULE | {"response_format": SCHEMA}
    yield (
        "tools",
        "tools",
        RULE | {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
    )
    yield "seed", "seed", RULE | {"seed": 7}
    yield (
        "out of range",
        "messages[1].content",
        RULE
        | {
            "messages": [
                developer,
                user | {"content": "My American recipe says 5001 °F. What is that?"},
            ]
        },
    )
    yield (
        "the mark itself",
        "messages[1].content",
        RULE
        | {
            "messages": [
                developer,
                user | {"content": "My American recipe says {{ f }} °F. What is that?"},
            ]
        },
    )


@pytest.mark.parametrize(
    "path, body", [pytest.param(path, body, id=name) for name, path, body in different_from_rule()]
)
def test_an_edited_request_is_off_the_map_and_told_where(path, body, monkeypatch):
    # what can be worked out has tests of its own
    monkeypatch.setattr(computed, "answer", lambda *_: None)
    answer = ask(SHIPPED, body)
    e = envelope(answer, 424)
    assert (e["type"], e["code"], e["param"]) == ("off_the_map", "off_the_map", path)
    assert (
        "nothing was made up" in e["message"]
        and path in e["message"]
        and answer.off_the_map["nearest"] in e["message"]
    )
    assert answer.off_the_map["differences"][0]["path"] == path
    assert answer.model == "o1-2024-12-17"  # for the ledger: a call that was refused


def test_a_changed_schema_effort_or_picture_is_another_request(tmp_path):
    see = lambda raw: chat(
        [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": data_url(raw)}},
        ]
    )
    write(tmp_path, "schema", chat("n?", response_format=SCHEMA), completion('{"n": 1}'))
    write(tmp_path, "low", chat("n?", reasoning_effort="low"), completion("low"))
    write(tmp_path, "picture", see(PICTURE), completion("noise"))
    here = api(tmp_path)
    assert words(ask(here, chat("n?", response_format=SCHEMA))) == '{"n": 1}'
    assert words(ask(here, chat("n?", reasoning_effort="low"))) == "low"
    assert words(ask(here, see(PICTURE))) == "noise"
    edited = copy.deepcopy(SCHEMA)
    edited["json_schema"]["schema"]["properties"]["n"]["type"] = "number"
    assert envelope(ask(here, chat("n?", response_format=edited)), 424)["param"].startswith(
        "response_format.json_schema.schema"
    )
    assert envelope(ask(here, chat("n?", reasoning_effort="high")), 424)
    assert (
        envelope(ask(here, see(PICTURE[:-1] + bytes([PICTURE[-1] ^ 1]))), 424)["param"]
        == "messages[0].content[1].image_url.url"
    )


def test_broken_base64_is_not_all_the_same(tmp_path):
    see = lambda text: chat(
        [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text}"}}]
    )
    write(tmp_path, "broken", see("!" * 600), completion("broken"))
    write(tmp_path, "other", see("?" * 600), completion("other"))
    # as the API does
    assert envelope(ask(api(tmp_path), see("!" * 600)), 400)["code"] == "invalid_image_format"


def test_long_base64_is_compared_by_content():
    once, wrapped = (
        canonical.canonical_text(data_url(PICTURE)),
        canonical.canonical_text(data_url(PICTURE, "image/jpeg")),
    )
    assert len(once) < 120 and once.endswith(canonical.digest(PICTURE)) and once != wrapped
    assert canonical.canonical_text(base64.b64encode(PICTURE).decode()).startswith("base64;sha256,")
    assert canonical.canonical_text("word " * 500) == ("word " * 500).strip()


def test_blanks_are_one_also_where_a_long_text_is_cut(monkeypatch):
    monkeypatch.setattr(canonical, "PIECE", 3)
    for text in map("".join, itertools.product("a \n", repeat=7)):
        assert canonical.canonical_text(text) == " ".join(text.split())


def form(boundary, content, name="pairs.jsonl", purpose="fine-tune"):
    part = lambda head, body: (
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
    )
    return (
        part('name="purpose"', purpose.encode())
        + part(f'name="file"; filename="{name}"', content)
        + f"--{boundary}--\r\n".encode()
    )


def test_multipart_uploads_match_by_content(tmp_path):
    ask_form = lambda here, boundary, *rest: ask(
        here,
        form(boundary, *rest),
        "/v1/images/edits",
        content_type=f"multipart/form-data; boundary={boundary}",
    )
    request = {
        "purpose": "fine-tune",
        "file": {
            "filename": "pairs.jsonl",
            "bytes": len(PICTURE),
            "sha256": canonical.digest(PICTURE),
        },
    }
    write(
        tmp_path, "upload", request, {"id": "file-Day9", "object": "file"}, path="/v1/images/edits"
    )
    here = api(tmp_path)
    assert (
        value(ask_form(here, "one", PICTURE))
        == value(ask_form(here, "twenty-two", PICTURE))
        == {"id": "file-Day9", "object": "file"}
    )
    assert envelope(ask_form(here, "one", PICTURE + b"x"), 424)["param"] == "file.bytes"
    assert envelope(ask_form(here, "one", PICTURE, "other.jsonl"), 424)["param"] == "file.filename"
    assert (
        envelope(ask_form(here, "one", PICTURE, "pairs.jsonl", "batch"), 424)["param"] == "purpose"
    )


@pytest.mark.parametrize(
    "raw, content_type",
    [
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\n--x--", "multipart/form-data"),
        (form("x", b"a")[:60], "multipart/form-data; boundary=x"),
        (form("x", b"a"), "multipart/form-data; boundary=y"),
        (form("x", b"a"), "multipart/form-data; boundary="),
        (b"--x\r\nno header\r\n\r\na\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    ],
)
def test_a_bad_form_is_told(raw, content_type):
    assert (
        "multipart form"
        in envelope(ask(SHIPPED, raw, "/v1/files", content_type=content_type), 400)["message"]
    )


def test_a_query_is_a_part_of_a_get(tmp_path):
    write(tmp_path, "all", None, {"object": "list", "data": [1]}, path="/v1/batches", method="GET")
    write(
        tmp_path,
        "some",
        {"limit": "1"},
        {"object": "list", "data": []},
        path="/v1/batches",
        method="GET",
    )
    here = api(tmp_path)
    assert value(ask(here, b"", "/v1/batches", "GET"))["data"] == [1]
    assert value(ask(here, b"", "/v1/batches", "GET", {"limit": "1"}))["data"] == []
    assert envelope(ask(here, b"", "/v1/batches", "GET", {"limit": "2"}), 424)["param"] == "limit"
    assert envelope(ask(here, b"", "/v1/batches", "DELETE"), 405)["code"] == "method_not_supported"


# --- sequences ------------------------------------------------------------------------------------


def test_polls_walk_through_their_answers_and_begin_again(tmp_path):
    states = ("validating_files", "running", "succeeded")
    for job in ("ftjob-1", "ftjob-11"):
        write(
            tmp_path,
            f"create-{job}",
            {"training_file": job},
            {"id": job, "status": "queued"},
            path="/v1/videos",
        )
        write(
            tmp_path,
            f"poll-{job}",
            None,
            *({"id": job, "status": s} for s in states),
            path=f"/v1/videos/{job}",
            method="GET",
            choose="in turn",
        )
    # a POST whose answer has no id
    write(tmp_path, "other", {"a": 1}, {"object": "list"}, path="/v1/batches")
    here = api(tmp_path)
    poll = lambda job: value(ask(here, b"", f"/v1/videos/{job}", "GET"))["status"]
    create = lambda job: ask(here, {"training_file": job}, "/v1/videos")
    assert not create("ftjob-1").keeps  # kept ready, it would not begin the polls again
    assert [poll("ftjob-1") for _ in range(5)] == [*states, "succeeded", "succeeded"]
    assert poll("ftjob-11") == "validating_files"
    create("ftjob-1")
    assert (poll("ftjob-1"), poll("ftjob-11")) == ("validating_files", "running")
    ask(here, {"a": 1}, "/v1/batches")
    assert (poll("ftjob-1"), poll("ftjob-11")) == ("running", "succeeded")
    here.library.rewind()  # a new notebook
    assert (poll("ftjob-1"), poll("ftjob-11")) == ("validating_files", "validating_files")


def test_by_retry_is_the_same_on_every_run():
    for _ in range(2):
        first, second, later = (ask(SHIPPED, chat("Are you there?"), retry=n) for n in (0, 1, 7))
        e = envelope(first, 429)
        assert (e["type"], e["code"], first.model) == (
            "requests",
            "rate_limit_exceeded",
            "o1-2024-12-17",
        )
        assert words(second) == words(later) == "Yes." and not first.keeps


def test_a_recorded_stream_is_sent_as_it_is(tmp_path):
    events = [{"at": 0.1, "data": {"a": 1}, "event": "x"}, {"at": 0.2, "data": "[DONE]"}]
    write(tmp_path, "s", chat("go", "gpt-4o", stream=True), {"status": 200, "events": events})
    answer = ask(api(tmp_path), chat("go", "gpt-4o", stream=True))
    assert answer.events == [
        (0.1, b'event: x\ndata: {"a":1}\n\n'),
        (0.2, b"data: [DONE]\n\n"),
    ] and answer.model.startswith("gpt-4o")


# --- slots ----------------------------------------------------------------------------------------


def minutes(text, low=0, high=1_000_000):
    return slots.match(
        "{{ h }} hours",
        f"{text} hours",
        {"h": {"type": "integer", "example": 3, "min": low, "max": high}},
    )


@pytest.mark.parametrize(
    "text, number",
    [
        ("36", 36),
        ("0", 0),
        ("1,000", 1000),
        ("1,000,000", 1_000_000),
        ("007", 7),
        ("-1", None),
        ("1,00", None),
        ("10,00,000", None),
        ("1000,000", None),
        ("1000001", None),
        ("3.5", None),
        ("", None),
        (" 3", None),
        ("3e3", None),
        ("0x10", None),
        ("three", None),
        ("1_000", None),
        ("9" * 5000, None),
        ("9," * 5000, None),
        ("+3", None),
    ],
)
def test_whole_numbers(text, number):
    assert minutes(text) == (None if number is None else {"h": number})


def test_ranges_include_their_ends():
    assert [minutes(n, -2, 3) is not None for n in (-3, -2, 0, 3, 4)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    assert minutes("-1,000", -5000) == {"h": -1000}


def fits(template, text, **declared):
    return slots.match(template, text, declared)


def test_choices_do_not_mind_case():
    one = {"type": "choice", "example": "kelvin", "values": {"celsius": "°C", "kelvin": "K"}}
    assert [
        fits("in {{ u }}?", f"in {u}?", u=one)
        for u in ("kelvin", "Kelvin", "CELSIUS", "rankine", "", "kelvin?", "kel vin")
    ] == [{"u": "kelvin"}, {"u": "kelvin"}, {"u": "celsius"}, None, None, None, None]
    assert fits("in {{ u }}?", "IN kelvin?", u=one) is None  # the recorded words do
    tricky = {"type": "choice", "example": "a.b", "values": ["a.b", "a", "(x"]}
    assert [fits("{{ u }}", t, u=tricky) for t in ("a.b", "A", "(X", "axb")] == [
        {"u": "a.b"},
        {"u": "a"},
        {"u": "(x"},
        None,
    ]


def test_a_repeated_slot_agrees_with_itself():
    n, city = (
        {"type": "integer", "example": 1},
        {"type": "choice", "example": "Bern", "values": ["Bern", "Rome"]},
    )
    assert fits("{{ n }} and {{ n }}", "1000 and 1,000", n=n) == {"n": 1000}
    assert fits("{{ n }} and {{ n }}", "1 and 2", n=n) is None
    assert slots.match(["{{ c }}!", {"a": "{{ c }}"}], ["Rome!", {"a": "rome"}], {"c": city}) == {
        "c": "Rome"
    }
    assert (
        slots.match(["{{ c }}!", {"a": "{{ c }}"}], ["Rome!", {"a": "Bern"}], {"c": city}) is None
    )


def test_texts_have_a_length():
    for declared, most in (({}, 80), ({"max_length": 5}, 5)):
        text = {"type": "text", "example": "a", **declared}
        assert fits("say {{ t }}.", f"say {'x' * most}.", t=text) == {"t": "x" * most}
        assert fits("say {{ t }}.", f"say {'x' * (most + 1)}.", t=text) is None
        assert fits("say {{ t }}.", "say .", t=text) is None
    assert fits("say {{ t }}.", "say a.b.", t={"type": "text", "example": "a"}) == {"t": "a.b"}


def test_numbers_dates_and_values_that_are_not_text():
    number, date = (
        {"type": "number", "example": 1.5, "min": 0, "max": 2},
        {"type": "date", "example": "2024-12-17"},
    )
    assert [
        fits("{{ x }}", x, x=number)
        for x in ("1.5", 1.5, 2, "2.01", "1e0", True, None, [1], "9" * 400)
    ] == [{"x": 1.5}, {"x": 1.5}, {"x": 2.0}, None, None, None, None, None, None]
    assert [
        fits("{{ d }}", d, d=date)
        for d in ("2024-12-17", "2024-02-30", "2023-02-29", "24-12-17", "0000-01-01", 20241217)
    ] == [{"d": "2024-12-17"}, None, None, None, None, None]


def test_a_huge_text_is_refused_quickly():
    for body in (RULE, chat("Write this in capital letters: x"), chat(DAY)):
        huge = copy.deepcopy(body)
        huge["messages"][-1]["content"] = (
            huge["messages"][-1]["content"].replace("350", "1 " * 500_000 + "350") + " y" * 500_000
        )
        assert len(envelope(ask(SHIPPED, huge), 424)["message"]) < 2_000


def test_weekdays_do_not_follow_the_locale(monkeypatch):
    class Elsewhere(datetime.date):
        def strftime(self, form):
            return "mardi"

    monkeypatch.setattr(ground_truth.datetime, "date", Elsewhere)
    assert ground_truth.weekday("2024-12-17") == "Tuesday"


def test_tokens_follow_the_words_not_the_shape_of_the_request():
    body = RULE | {
        "messages": [
            RULE["messages"][0],
            {"role": "user", "content": "My American recipe says 1234 °F. What is that?"},
        ]
    }
    usage = value(ask(SHIPPED, body))["usage"]
    assert usage["completion_tokens"] == 128 + tokens.count("668 °C")
    assert value(ask(SHIPPED, body | {"response_format": {"type": "text"}}))["usage"] == usage
    today = {"model": "gpt-5.6-sol", "input": "Which day of the week was 1999-01-01?"}
    assert (
        value(ask(SHIPPED, today, RESPONSES))["usage"]
        == value(
            ask(SHIPPED, today | {"text": {"format": {"type": "text"}}, "tools": []}, RESPONSES)
        )["usage"]
    )


# --- limits ---------------------------------------------------------------------------------------


def test_every_limit_keeps_the_laws():
    for body, path, limit_name, out in (
        (chat(DAY), CHAT, "max_completion_tokens", "completion"),
        ({"model": "gpt-5.6-sol", "input": DAY}, RESPONSES, "max_output_tokens", "output"),
    ):
        whole = value(ask(SHIPPED, body, path))
        full, said = whole["usage"][f"{out}_tokens"], words(ask(SHIPPED, body, path))
        reasoning = whole["usage"][f"{out}_tokens_details"]["reasoning_tokens"]
        given = "prompt_tokens" if path == CHAT else "input_tokens"
        for limit in range(1 if path == CHAT else 16, full + 3):
            answer = ask(SHIPPED, body | {limit_name: limit}, path)
            cut, usage = value(answer), value(answer)["usage"]
            text = words(answer)
            assert said.startswith(text)
            assert usage[f"{out}_tokens"] == min(limit, full)
            assert usage["total_tokens"] == usage[given] + usage[f"{out}_tokens"]
            hidden = usage[f"{out}_tokens_details"]["reasoning_tokens"]
            assert hidden % 64 == 0 and hidden <= usage[f"{out}_tokens"]
            assert (text == "") == (limit <= reasoning)
            if limit >= full:
                assert cut == whole
            elif path == CHAT:
                assert cut["choices"][0]["finish_reason"] == "length"
                ChatCompletion.model_validate(cut)
            else:
                assert cut["status"] == "incomplete" and cut["incomplete_details"] == {
                    "reason": "max_output_tokens"
                }
                Response.model_validate(cut)
        # cutting one answer leaves the recording whole
        assert value(ask(SHIPPED, body, path)) == whole


def test_a_limit_cuts_no_character_in_two(tmp_path):
    text = "🙂🏽 𝔘𝔫𝔦 Grüße 東京 👩‍👩‍👧 end"
    write(tmp_path, "u", chat("say"), completion(text))
    here, seen = api(tmp_path), set()
    for limit in range(1, tokens.count(text) + 1):
        cut = words(ask(here, chat("say", max_completion_tokens=limit)))
        assert text.startswith(cut) and "\ufffd" not in cut
        seen.add(cut)
    assert text in seen and len(seen) > 10


def test_calls_and_refusals_under_a_limit(tmp_path):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": '{"city": "Bern", "days": 3}'},
    }
    write(tmp_path, "call", chat("call"), completion(None, tool_calls=[call]))
    write(
        tmp_path,
        "refuse",
        chat("refuse"),
        completion(None, refusal="I cannot help with that at all."),
    )
    here = api(tmp_path)
    cut = value(ask(here, chat("call", max_completion_tokens=3)))["choices"][0]
    assert "tool_calls" not in cut["message"] and cut["finish_reason"] == "length"
    refused = value(ask(here, chat("refuse", max_completion_tokens=3)))["choices"][0]["message"]
    assert refused["refusal"] == "I cannot help" and refused["content"] is None


# --- streams --------------------------------------------------------------------------------------


def chunks(answer):
    """The data of a stream's events, the [DONE] taken off and seen to."""
    data = [
        re.fullmatch(r"(?:event: (.+)\n)?data: (.+)\n\n", event.decode(), re.S)
        for _, event in answer.events
    ]
    assert all(data)
    times = [at for at, _ in answer.events]
    assert times == sorted(times)
    return [m[2] if m[2] == "[DONE]" else json.loads(m[2]) for m in data]


TEXTS = [
    "Yes.",
    "",
    " ",
    "a  b ",
    "\n\ntwo\n lines \n",
    "é 東京🙂 \u00a0x\u2028y",
    "  lead and trail  ",
    "x" * 500,
    "a\r\nb\t",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_of_a_stream_are_the_whole(tmp_path, text):
    write(tmp_path, "s", chat("say", "gpt-4o"), completion(text))
    said = chunks(ask(api(tmp_path), chat("say", "gpt-4o", stream=True)))
    assert said[-1] == "[DONE]" and all("usage" not in c for c in said[:-1])
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in said[:-1]) == text
    assert said[0]["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [c["choices"][0]["finish_reason"] for c in said[:-1]] == [None] * (len(said) - 2) + [
        "stop"
    ]


def test_usage_comes_last_when_asked_for(tmp_path):
    body = chat(DAY, "gpt-4o")
    whole = value(ask(SHIPPED, body))
    said = chunks(ask(SHIPPED, body | {"stream": True, "stream_options": {"include_usage": True}}))
    assert (
        said[-1] == "[DONE]" and said[-2]["choices"] == [] and said[-2]["usage"] == whole["usage"]
    )
    assert all(c["usage"] is None for c in said[:-2]) and {c["id"] for c in said[:-1]} == {
        whole["id"]
    }
    answer = ask(SHIPPED, body | {"stream": True})
    assert (
        answer.usage == whole["usage"]
        and answer.model == "gpt-4o-2024-08-06"
        or answer.model.startswith("gpt-4o")
    )


def test_a_stream_that_the_limit_cuts():
    body = chat(DAY, "gpt-4o", max_completion_tokens=9)
    whole = value(ask(SHIPPED, body))
    said = chunks(ask(SHIPPED, body | {"stream": True, "stream_options": {"include_usage": True}}))
    assert (
        "".join(c["choices"][0]["delta"].get("content") or "" for c in said[:-2])
        == whole["choices"][0]["message"]["content"]
    )
    assert (
        said[-3]["choices"][0]["finish_reason"] == "length"
        and said[-2]["usage"]["completion_tokens"] == 9
    )


def test_tool_calls_and_refusals_in_a_stream(tmp_path):
    calls = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {
                "name": f"f{n}",
                "arguments": json.dumps({"città": "Ber\nn", "n": n}, ensure_ascii=False),
            },
        }
        for n in range(2)
    ]
    write(tmp_path, "call", chat("call", "gpt-4o"), completion(None, tool_calls=calls))
    write(
        tmp_path,
        "refuse",
        chat("refuse", "gpt-4o"),
        completion(None, refusal="I cannot help  with that. "),
    )
    here = api(tmp_path)
    deltas = [
        c["choices"][0]["delta"]
        for c in chunks(ask(here, chat("call", "gpt-4o", stream=True)))[:-1]
    ]
    for n, call in enumerate(calls):
        of_it = [part for d in deltas for part in d.get("tool_calls", []) if part["index"] == n]
        assert of_it[0]["id"] == call["id"] and of_it[0]["function"] == {
            "name": f"f{n}",
            "arguments": "",
        }
        assert (
            "".join(part["function"]["arguments"] for part in of_it)
            == call["function"]["arguments"]
        )
    refused = [
        c["choices"][0]["delta"]
        for c in chunks(ask(here, chat("refuse", "gpt-4o", stream=True)))[:-1]
    ]
    assert "".join(d.get("refusal") or "" for d in refused) == "I cannot help  with that. "
    assert not any(d.get("content") for d in refused)


def response(*items):
    body = value(ask(SHIPPED, {"model": "gpt-5.6-sol", "input": DAY}, RESPONSES))
    return body | {"output": [body["output"][0], *items]}


MESSAGE = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}


@pytest.mark.parametrize(
    "item, kind, whole",
    [
        *(
            (
                {
                    **MESSAGE,
                    "content": [
                        {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
                    ],
                },
                "response.output_text.delta",
                text,
            )
            for text in TEXTS
            if text
        ),
        (
            {**MESSAGE, "content": [{"type": "refusal", "refusal": "I cannot  help. "}]},
            "response.refusal.delta",
            "I cannot  help. ",
        ),
        (
            {
                "id": "fc_1",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "f",
                "arguments": '{"a": "é"}',
            },
            "response.function_call_arguments.delta",
            '{"a": "é"}',
        ),
    ],
)
def test_response_streams(tmp_path, item, kind, whole):
    write(tmp_path, "r", {"model": "gpt-5.6-sol", "input": "say"}, response(item), path=RESPONSES)
    here, asked = api(tmp_path), {"model": "gpt-5.6-sol", "input": "say"}
    events = chunks(ask(here, asked | {"stream": True}, RESPONSES))
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    assert "".join(e["delta"] for e in events if e["type"] == kind) == whole
    assert [events[0]["type"], events[1]["type"], events[-1]["type"]] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    assert (
        events[-1]["response"] == value(ask(here, asked, RESPONSES))
        and events[0]["response"]["output"] == []
    )
    names = [
        re.match(rb"event: (.+)\n", event)[1].decode()
        for _, event in ask(here, asked | {"stream": True}, RESPONSES).events
    ]
    assert names == [e["type"] for e in events]
    cut = value(ask(here, asked | {"max_output_tokens": 16}, RESPONSES))
    Response.model_validate(cut)


def test_a_response_stream_that_the_limit_cuts():
    asked = {"model": "gpt-5.6-sol", "input": DAY, "max_output_tokens": 68}
    events = chunks(ask(SHIPPED, asked | {"stream": True}, RESPONSES))
    assert events[-1]["type"] == "response.incomplete"
    assert (
        "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
        == words(ask(SHIPPED, asked, RESPONSES))
        != ""
    )


# --- bad input ------------------------------------------------------------------------------------

NOT_JSON = {
    "malformed": b"{model: o1}",
    "truncated": json.dumps(RULE).encode()[:-1],
    "deep": b"[" * 100_000,
    "deep pairs": b'{"a":' * 900 + b"1" + b"}" * 900,
    "just too deep": b"[" * 101 + b"]" * 101,
    "nan": b'{"model": NaN}',
    "infinity": b'{"model": -Infinity}',
    "invalid utf-8": b'{"model": "\xff"}',
    "utf-16": '{"model": "o1"}'.encode("utf-16"),
    "half a pair": b'{"model": "\\ud83d"}',
    "bytes of half a pair": b'{"model": "\xed\xa0\xbd"}',
    "huge number": b'{"max_completion_tokens": ' + b"9" * 5000 + b"}",
    "infinite number": b'{"model": "o1", "messages": [{"content": 1e999}]}',
    "infinite alone": b"-1e999",
    "nothing but blanks": b"   ",
    "two documents": b"{}{}",
    "control character": b'{"model": "o\x001"}',
    "form": b"model=o1",
}


@pytest.mark.parametrize("raw", [pytest.param(raw, id=name) for name, raw in NOT_JSON.items()])
@pytest.mark.parametrize("path", [CHAT, RESPONSES, "/v1/nothing"])
def test_what_is_not_json_is_told(raw, path):
    e = envelope(ask(SHIPPED, raw, path), 400)
    assert (
        e["type"] == "invalid_request_error"
        and "could not be parsed as JSON" in e["message"]
        and len(e["message"]) < 300
    )


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"3", b'"o1"', b"null", b"true", b"1e99", b"[" * 99 + b"]" * 99]
)
def test_json_that_is_no_object(raw):
    for path in (CHAT, RESPONSES):
        assert "must be a JSON object" in envelope(ask(SHIPPED, raw, path), 400)["message"]


@pytest.mark.parametrize(
    "body, param, code",
    [
        ({}, "model", "missing_required_parameter"),
        ({"model": "o1"}, "messages", "missing_required_parameter"),
        ({"messages": RULE["messages"]}, "model", "missing_required_parameter"),
        (chat("x", model=None), "model", "missing_required_parameter"),
        (chat("x", model=""), "model", "missing_required_parameter"),
        ({"model": "o1", "messages": []}, "messages", "missing_required_parameter"),
        (chat("x", model=["o1"]), "model", "invalid_type"),
        (chat("x", model={}), "model", "invalid_type"),
        (chat("x", model=1.5), "model", "invalid_type"),
        ({"model": "o1", "messages": "hello"}, "messages", "invalid_type"),
        ({"model": "o1", "messages": {"role": "user"}}, "messages", "invalid_type"),
        ({"model": "o1", "messages": [None]}, "messages[0]", "invalid_type"),
        ({"model": "o1", "messages": [*RULE["messages"], "x"]}, "messages[2]", "invalid_type"),
        (chat(5), "messages[0].content", "invalid_type"),
        (chat({"type": "text"}), "messages[0].content", "invalid_type"),
        (chat(True), "messages[0].content", "invalid_type"),
        (chat([5]), "messages[0].content[0]", "invalid_type"),
        (chat([{"type": "text", "text": 5}]), "messages[0].content[0].text", "invalid_type"),
        (
            {"model": "o1", "messages": [{"content": "x"}]},
            "messages[0].role",
            "missing_required_parameter",
        ),
        (
            {"model": "o1", "messages": [{"role": 3, "content": "x"}]},
            "messages[0].role",
            "invalid_type",
        ),
        *(
            (chat(DAY, max_completion_tokens=bad), "max_completion_tokens", "invalid_type")
            for bad in ("9", 1.5, True, [], {})
        ),
        *(
            (
                chat(DAY, max_completion_tokens=bad),
                "max_completion_tokens",
                "integer_below_min_value",
            )
            for bad in (0, -1, -(10**4000))
        ),
        (chat(DAY, stream="false"), "stream", "invalid_type"),
        (chat(DAY, stream=1), "stream", "invalid_type"),
        (chat(DAY, "gpt-4o", stream=True, stream_options="x"), "stream_options", "invalid_type"),
        (chat(DAY, tools="none"), "tools", "invalid_type"),
        (chat(DAY, response_format="json"), "response_format", "invalid_type"),
    ],
)
def test_wrong_types_in_chat(body, param, code):
    e = envelope(ask(SHIPPED, body), 400)
    assert (e["param"], e["code"]) == (param, code) and f"'{param}'" in e["message"]


def test_the_words_of_a_wrong_type_are_the_apis():
    assert (
        envelope(ask(SHIPPED, chat(DAY, max_completion_tokens="9")), 400)["message"]
        == "Invalid type for 'max_completion_tokens': expected an integer, but got a string instead."
    )
    assert envelope(
        ask(SHIPPED, {"model": "gpt-5.6-sol", "input": DAY, "max_output_tokens": 10}, RESPONSES),
        400,
    )["message"] == (
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 10 instead."
    )


@pytest.mark.parametrize(
    "change, param",
    [
        ({"input": 5}, "input"),
        ({"input": {"role": "user"}}, "input"),
        ({"input": []}, "input"),
        ({"input": [5]}, "input[0]"),
        ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
        ({"text": "json"}, "text"),
        ({"reasoning": "high"}, "reasoning"),
        ({"instructions": ["x"]}, "instructions"),
        ({"max_output_tokens": "20"}, "max_output_tokens"),
        ({"max_output_tokens": 15}, "max_output_tokens"),
    ],
)
def test_wrong_types_in_responses(change, param):
    assert (
        envelope(ask(SHIPPED, {"model": "gpt-5.6-sol", "input": DAY} | change, RESPONSES), 400)[
            "param"
        ]
        == param
    )


def test_huge_limits_and_fine_oddities_just_work():
    for more in (
        {"max_completion_tokens": 10**4000},
        {"max_tokens": None},
        {"stream": False},
        {"stream": None},
        {"stream_options": None},
        {"store": True, "metadata": {"a": "b"}},
    ):
        assert words(ask(SHIPPED, chat(DAY, **more))) == "2024-12-17 was a Tuesday."
    assert (
        words(ask(SHIPPED, b"\xef\xbb\xbf" + json.dumps(chat(DAY)).encode()))
        == "2024-12-17 was a Tuesday."
    )
    assert words(ask(SHIPPED, chat(DAY), content_type="")) == words(
        ask(SHIPPED, chat(DAY), content_type="text/plain; charset=utf-8")
    )


def test_paths_methods_and_models():
    assert (
        "Invalid URL (POST /v1/nothing)"
        in envelope(ask(SHIPPED, chat(DAY), "/v1/nothing"), 404)["message"]
    )
    assert envelope(ask(SHIPPED, chat(DAY), "/v1/chat/completions/"), 404) and envelope(
        ask(SHIPPED, b"", "/", "GET"), 404
    )
    for method in ("PUT", "PATCH", "DELETE", "HEAD"):
        assert (
            envelope(ask(SHIPPED, chat(DAY), method=method), 405)["code"] == "method_not_supported"
        )
        assert envelope(ask(SHIPPED, b"", "/v1/models", method), 405)
    # the API has it, a list of what is stored; here it is off the map
    assert envelope(ask(SHIPPED, b"", "/v1/chat/completions", "GET"), 424)
    e = envelope(ask(SHIPPED, chat(DAY, "o9-preview")), 404)
    assert (
        e["code"] == "model_not_found"
        and e["message"] == "The model `o9-preview` does not exist or you do not have access to it."
    )
    assert (
        envelope(ask(SHIPPED, b"", "/v1/models/o9-preview", "GET"), 404)["code"]
        == "model_not_found"
    )


def test_the_model_list_keeps_the_retired_and_says_when():
    listed = {m["id"]: m for m in value(ask(SHIPPED, b"", "/v1/models", "GET"))["data"]}
    assert (
        listed["o1-2024-12-17"]
        == value(ask(SHIPPED, b"", "/v1/models/o1-2024-12-17", "GET"))
        == {
            "id": "o1-2024-12-17",
            "object": "model",
            "created": 1734326976,
            "owned_by": "system",
            "shutdown_date": "2026-10-23",
        }
    )
    assert all(
        set(m) - {"shutdown_date"} == {"id", "object", "created", "owned_by"}
        and type(m["created"]) is int
        for m in listed.values()
    )


def test_two_values_for_one_slot_are_told(tmp_path):
    both = lambda a, b: {
        "model": "o1",
        "messages": [
            {"role": "developer", "content": f"Use {a}."},
            {"role": "user", "content": f"{b}?"},
        ],
    }
    write(
        tmp_path,
        "two",
        both("{{ n }}", "{{ n }}"),
        completion("{{ n }}"),
        slots={"n": {"type": "integer", "example": 3}},
    )
    assert words(ask(api(tmp_path), both(5, 5))) == "5"
    assert (
        "Differs at a value that stands in two places"
        in envelope(ask(api(tmp_path), both(5, 6)), 424)["message"]
    )


def test_an_answer_off_the_map_names_the_nearest_and_what_it_accepts(monkeypatch):
    monkeypatch.setattr(computed, "answer", lambda *_: None)
    monkeypatch.setattr(SHIPPED, "folder", "")  # as for a reader who has asked nothing yet
    message = envelope(
        ask(
            SHIPPED,
            chat(
                "How many minutes are there in 36 days? Answer with the number only.",
                reasoning_effort="low",
            ),
        ),
        424,
    )["message"]
    assert (
        "Nearest: o1/effort/easy-low." in message
        and "‹hours› is a whole number from 0 to 1000000" in message
        and "{{" not in message
    )
    assert (
        "‹words› is any text of at most 200 characters"
        in envelope(ask(SHIPPED, chat("Write this in capital letters, please: x")), 424)["message"]
    )


def test_long_lists_and_texts():
    assert envelope(ask(SHIPPED, chat("day nine " * 500_000)), 424)
    assert envelope(ask(SHIPPED, chat([{"type": "text", "text": "x"}] * 20_000)), 424)
    assert envelope(ask(SHIPPED, b"[" + b"0," * 500_000 + b"0]"), 400)


def seeds():
    yield from ((CHAT, body) for _, body in same_as_rule())
    yield CHAT, chat(DAY, "gpt-4o", stream=True, stream_options={"include_usage": True})
    yield (
        CHAT,
        chat(
            "How many minutes are there in 1,000 hours? Answer with the number only.",
            reasoning_effort="low",
            max_completion_tokens=70,
        ),
    )
    yield (
        CHAT,
        RULE
        | {
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
            ],
            "response_format": SCHEMA,
        },
    )
    asked = "Tax year 2024, filing status widow, taxable income 9325 dollars: what do I owe?"
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    parameters = {"type": "object", "properties": {"year": {"type": ["integer", "null"]}, "income": {"anyOf": [{"type": "integer"}]}}}  # fmt: skip
    tool = {"type": "function", "function": {"name": "f", "parameters": parameters}}
    yield CHAT, chat(asked, tools=[tool], tool_choice="required")
    said = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "1", "content": '{"tax": 933}'}]  # fmt: skip
    yield (
        CHAT,
        chat(asked, tools=[tool]) | {"messages": [{"role": "user", "content": asked}, *said]},
    )
    form = {"type": "json_schema", "json_schema": {"name": "day", "schema": {"$defs": {"D": {"type": "string"}}, "type": "object", "properties": {"date": {"$ref": "#/$defs/D"}}}}}  # fmt: skip
    yield CHAT, chat("What weekday was 17 December 2024?", response_format=form)
    yield (
        RESPONSES,
        {
            "model": "gpt-5.6-sol",
            "input": DAY,
            "stream": True,
            "reasoning": {"effort": "high"},
            "text": {"format": {"type": "text"}},
        },
    )
    yield (
        RESPONSES,
        {
            "model": "gpt-5.6-sol",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": DAY}]}],
            "instructions": "x",
            "max_output_tokens": 70,
        },
    )


def test_no_mutation_is_a_fault():
    draw, statuses, bodies = random.Random(2024_12_17), set(), list(seeds())
    ledger = Ledger()
    for i in range(900):
        path, body = draw.choice(bodies)
        raw = json.dumps(mutations.changed(body, draw, draw.randint(1, 3))).encode()
        if i % 9 == 0:  # and some bytes of it
            at = draw.randrange(len(raw))
            raw = (
                raw[:at]
                + draw.choice([b"", b"\xff", b"\\u", b"[", b"}", b'"', raw[at : at + 40]])
                + raw[at + draw.randint(0, 3) :]
            )
        answer = ask(SHIPPED, raw, path, draw.choice(["POST"] * 9 + ["GET"]))
        statuses.add(answer.status)
        assert answer.status in (200, 400, 404, 405, 424, 429), (raw, answer.body)
        if answer.status == 200:
            assert answer.events or value(answer)["model"]
        else:
            envelope(answer, answer.status)
        ledger.add(
            "req",
            type("Sent", (), {"method": "POST", "path": path, "headers": {}, "body": raw}),
            answer,
        )
        if i % 40 == 0:
            json.dumps(ledger.exchanges())
    assert {200, 400, 404, 424} <= statuses


def test_the_ledger_tells_what_was_sent_and_answered():
    ledger = Ledger()
    sent = lambda raw, kind="application/json": type(
        "Sent", (), {"method": "POST", "path": CHAT, "headers": {"Content-Type": kind}, "body": raw}
    )
    upload = "multipart/form-data; boundary=x"
    for raw, kind in (
        (json.dumps(chat(DAY)).encode(), "application/json"),
        (b"{", "application/json"),
        (b"[" * 90_000, "application/json"),
        (form("x", b"abc"), upload),
        (b"", ""),
    ):
        ledger.add("req_1", sent(raw, kind), ask(SHIPPED, raw, content_type=kind))
    shown = [e["request"] for e in ledger.exchanges()]
    assert shown[:3] == [
        chat(DAY),
        "1 bytes of application/json",
        "90,000 bytes of application/json",
    ]
    assert (
        shown[3]["file"]
        == {"filename": "pairs.jsonl", "bytes": 3, "sha256": canonical.digest(b"abc")}
        and shown[4] is None
    )
    ledger.add("req_2", sent(b"{}"), ask(SHIPPED, chat("elsewhere")))
    ledger.add("req_3", sent(b"{}"), ask(SHIPPED, chat("Are you there?")))
    assert [(c["model"], c["status"]) for c in ledger.summary()["calls"]] == [
        ("o1-2024-12-17", 200),
        ("o1-2024-12-17", 424),
        ("o1-2024-12-17", 429),
    ]
    ledger.begin()
    assert ledger.exchanges() == [] and ledger.summary() == {"calls": []}


def test_each_pace_is_the_recordings_own():
    at = [t for t, _ in ask(SHIPPED, chat(DAY, "gpt-4o", stream=True)).events]
    assert at[0] == shaping.FIRST_AFTER and all(b > a for a, b in zip(at, at[1:]))
