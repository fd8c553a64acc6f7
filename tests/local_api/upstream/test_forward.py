"""Forwarding: the SDK through the local API to an upstream, as strict as OpenAI or as hostile as
can be.
"""

import asyncio
import base64
import concurrent.futures
import contextlib
import datetime
import hashlib
import json
import random
import socket
import struct
import threading
import time
import zlib
from decimal import Decimal

import openai
import pytest

from helpers.facts import prices
from helpers.local_api import where
from helpers.local_api.answer import Answer
from helpers.local_api.upstream import forward, local_models, spending
from tests.asking import CHAT, RESPONSES, chat, completion
from tests.test_connection import script, until
from tests.upstreams import (
    LOCAL_KEY,
    REAL_KEY,
    Forwarding,
    Hostile,
    Imitation,
    at,
    chunked,
    response,
    says,
)

DAY = "Which day of the week was 2024-12-17?"
TODAY = {"model": "gpt-5.6-sol", "input": DAY}
YES = json.dumps(completion()).encode()


@pytest.fixture(autouse=True)
def day(monkeypatch):
    """Models are shut down and prices change: the tests stay on their day."""
    monkeypatch.setattr(spending, "today", lambda: datetime.date(2026, 11, 23))
    monkeypatch.setattr(forward, "today", spending.today)


@pytest.fixture(scope="module")
def imitation():
    one = Imitation()
    yield one
    one.end()


@pytest.fixture
def live(imitation):
    """Through to the imitation of OpenAI, with a fresh dollar."""
    one = Forwarding(at(imitation.url, True))
    imitation.seen.clear(), imitation.said.clear()
    yield one
    one.end()


@pytest.fixture
def to():
    """A Forwarding to a Hostile server with these scripts, or to a Where."""
    made = []

    def make(*scripts, model="", openai=False, budget=Decimal("1.00"), **more):
        there = Hostile(*scripts)
        one = Forwarding(
            at(there.url, openai, model=model, budget=budget if openai else None), **more
        )
        one.there = there
        made.extend([there, one])
        return one

    yield make
    for one in made:
        one.end()


# --- who answers ----------------------------------------------------------------------------------


def test_who_answers_is_one_word_or_an_address():
    key = where.Secret(REAL_KEY)
    of = lambda text, key=key, **environ: where.resolve(text, where.settings(environ), key)
    assert (
        of(None)
        is of("recorded")
        is of("", DAY9_ANSWERS="live")
        is of(None, DAY9_ANSWERS=" recorded ")
        is None
    )
    assert (
        of(None, DAY9_ANSWERS="live")
        == of("live", DAY9_ANSWERS="recorded")
        == where.Where(where.OPENAI, True, key=key, budget=Decimal("1.00"))
    )
    assert (
        of("record").record
        and not of("live").record
        and of("live", DAY9_BUDGET="none").budget is None
        and of("live", DAY9_BUDGET=" 0.25 ").budget == Decimal("0.25")
    )
    local = of("http://127.0.0.1:11434/v1/", DAY9_MODEL="llama3.2", DAY9_KEY="theirs")
    assert (local.url, local.openai, local.model, local.key.value, local.budget, local.host) == (
        "http://127.0.0.1:11434/v1",
        False,
        "llama3.2",
        "theirs",
        None,
        "127.0.0.1:11434",
    )
    assert of("record:https://example.com/api/v1").record and of("https://api.openai.com/v1").openai
    assert where.from_text(local.as_text()) == local and where.from_text(
        of("live").as_text()
    ) == of("live")


@pytest.mark.parametrize(
    "answers, environ, says",
    [
        ("lively", {}, "answers is 'lively'. It may be"),
        (None, {"DAY9_ANSWERS": "Live!"}, "DAY9_ANSWERS is 'Live!'"),
        (7, {}, "answers is int, not text"),
        ("http://127.0.0.1:11434", {}, "must end in /v1, such as http://127.0.0.1:11434/v1"),
        ("http://[::1/v1", {}, "It may be"),
        ("http://h:99999/v1", {}, "It may be"),
        ("ftp://h/v1", {}, "It may be"),
        ("http:///v1", {}, "It may be"),
        ("http://h/v1?key=1", {}, "must end in /v1"),
        ("http://me:secret@h/v1", {}, "DAY9_KEY"),
        ("http://h /v1", {}, "It may be"),
        ("http://hé/v1", {}, "It may be"),
        ("live", {"DAY9_BUDGET": "two"}, "DAY9_BUDGET is 'two'"),
        ("live", {"DAY9_BUDGET": "-1"}, "an amount in USD"),
        ("live", {"DAY9_BUDGET": "inf"}, "an amount in USD"),
        ("http://h/v1", {"DAY9_KEY": REAL_KEY}, "which goes to OpenAI and nowhere else"),
        ("http://h/v1", {"DAY9_KEY": "two words"}, "DAY9_KEY holds a blank"),
        (REAL_KEY, {}, "answers is a key"),
    ],
)
def test_what_says_nothing_sensible_is_told(answers, environ, says):
    with pytest.raises(ValueError) as e:
        where.resolve(answers, where.settings(environ), where.Secret(REAL_KEY))
    assert says in str(e.value) and REAL_KEY not in str(e.value) and "secret" not in str(e.value)


def test_live_needs_a_key_that_is_one():
    with pytest.raises(ValueError, match="set OPENAI_API_KEY before JupyterLab starts"):
        where.resolve("live", where.settings({}), where.own_key({"OPENAI_API_KEY": "day9-0123"}))
    with pytest.raises(ValueError, match="OPENAI_API_KEY holds a blank, a line break") as e:
        where.resolve("live", where.settings({}), where.Secret(REAL_KEY + "\nx"))
    assert REAL_KEY not in str(e.value)


# --- there and back -------------------------------------------------------------------------------


def test_an_answer_comes_as_it_was_sent(live, imitation):
    raw = live.client().responses.with_raw_response.create(**TODAY)
    theirs = openai.OpenAI(
        base_url=imitation.url, api_key=REAL_KEY, default_headers={"Accept-Encoding": "identity"}
    ).responses.with_raw_response.create(**TODAY)
    assert raw.content == theirs.content and raw.parse().output_text == "2024-12-17 was a Tuesday."
    same = [
        name
        for name in theirs.headers
        if name.startswith(("x-ratelimit", "openai-organization", "content-"))
    ]
    assert len(same) > 6 and all(raw.headers[name] == theirs.headers[name] for name in same)
    assert raw.headers["x-day9-origin"] == "live" and "x-day9-recording" not in raw.headers
    method, path, headers, body = imitation.seen[0]
    assert (method, path, json.loads(body)) == (
        "POST",
        RESPONSES,
        TODAY | {"max_output_tokens": spending.ANSWER},
    ) and raw.headers["x-day9-limit"] == str(spending.ANSWER)
    assert (
        headers["User-Agent"].startswith("OpenAI/Python")
        and headers["X-Stainless-Lang"] == "python"
    )
    exchange = live.state.ledger.exchanges()[-1]
    assert exchange["request_id"] == raw.headers["x-request-id"] == raw.parse()._request_id
    assert (
        exchange["origin"]["class"] == "live"
        and exchange["origin"]["source"] == f"127.0.0.1:{imitation.state.port}"
    )
    assert exchange["request"] == TODAY and exchange["answer"]["output"]


def test_with_a_limit_of_its_own_a_request_goes_byte_for_byte(live, imitation):
    body = b'{ "model":"gpt-4o",\n "messages" :[{"role":"user","content":"Which day of the week was 2024-12-17?"}], "max_tokens": 50 }'
    with socket.create_connection(("127.0.0.1", live.state.port), 30) as sock:
        sock.sendall(
            b"POST /v1/chat/completions?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Mine: 1\r\nCookie: a=b\r\nOrigin: http://localhost:8888\r\n"
            b"OpenAI-Project: proj\r\nAuthorization: Bearer "
            + LOCAL_KEY.encode()
            + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    _, _, headers, sent = imitation.seen[0]
    assert sent == body and headers["X-Mine"] == "1" and headers["Openai-Project"] == "proj"


def test_streams_of_both_kinds(live):
    client = live.client()
    said = "".join(
        c.choices[0].delta.content or ""
        for c in client.chat.completions.create(**chat(DAY, "gpt-4o"), stream=True)
    )
    assert said.startswith("The date 2024-12-17 fell on a Tuesday.")
    with client.chat.completions.stream(
        **chat(DAY, "gpt-4o"), stream_options={"include_usage": True}
    ) as events:
        assert events.get_final_completion().choices[0].message.content == said
    with client.responses.stream(**TODAY) as events:
        final = events.get_final_response()
    assert (
        final.output_text == "2024-12-17 was a Tuesday."
        and live.state.ledger.origins[final.id][0]["class"] == "live"
    )
    assert [c[3] != {} for c in live.state.ledger.calls] == [False, True, True]


def test_an_event_comes_when_it_is_sent(to):
    """The second event is sent only once the first has arrived at the reader."""
    arrived = threading.Event()
    first, second = (
        b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n'
        % n
        for n in (1, 2)
    )
    part = lambda data: b"%x\r\n%s\r\n" % (len(data), data)
    head = chunked(end=False)
    one = to(
        says(
            head,
            part(first),
            lambda sock: arrived.wait(60),
            part(second[:20]),
            part(second[20:]),
            part(b"data: [DONE]\n\n"),
            b"0\r\n\r\n",
        )
    )
    stream = iter(one.client().chat.completions.create(**chat("x", "m"), stream=True))
    assert next(stream).choices[0].delta.content == "1"
    arrived.set()
    assert [c.choices[0].delta.content for c in stream] == ["2"]


def test_many_at_once(live):
    async def ask():
        async with openai.AsyncOpenAI(
            base_url=live.url, api_key=LOCAL_KEY, max_retries=0
        ) as client:
            return await asyncio.gather(
                *(
                    client.responses.create(model="gpt-5.6-luna", input=DAY, max_output_tokens=100)
                    for _ in range(20)
                ),
                return_exceptions=True,
            )

    said = asyncio.run(ask())
    assert len(said) == 20 and all(
        isinstance(s, openai.APIStatusError) and s.code == "off_the_map" for s in said
    )  # the imitation's, passed on
    assert live.upstream.spending.total == 0 and len(live.state.ledger.calls) == 20


def test_uploads_and_downloads(live, imitation):
    """What goes through is whole, of any length; an upload is on its way before the reader has sent
    all of it.
    """
    content = b"".join(
        b'{"messages": [{"role": "user", "content": "%d"}]}\n' % n for n in range(40_000)
    )
    file = live.client().files.create(file=("many.jsonl", content), purpose="batch")
    assert file.bytes == len(content) and live.client().files.content(file.id).read() == content
    assert (
        imitation.seen[0][1] == "/v1/files" and len(imitation.seen[0][3]) > len(content) > 1_000_000
    )
    sound = random.Random(9).randbytes(3_000_000)
    imitation.said["/v1/files/sound/content"] = Answer(
        200, sound, headers={"Content-Type": "audio/mpeg"}
    )
    got = live.client().files.with_raw_response.content("sound")
    assert (
        hashlib.sha256(got.content).digest() == hashlib.sha256(sound).digest()
        and got.headers["content-length"] == "3000000"
        and got.headers["content-type"] == "audio/mpeg"
    )
    assert json.dumps(live.state.ledger.exchanges())


def test_an_upload_is_passed_on_as_it_comes(to):
    came = threading.Event()

    def script(sock, request):
        came.set()  # Hostile reads the first megabyte, and here the reader has not sent all
        left = 3_000_000 - len(request)
        while left > -1000 and (piece := sock.recv(65536)):
            left -= len(piece)
            if b"--end--" in piece:
                break
        sock.sendall(response(b'{"id": "file-1"}'))

    one = to(script, openai=True)
    with socket.create_connection(("127.0.0.1", one.state.port), 30) as sock:
        sock.sendall(
            b"POST /v1/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\nAuthorization: Bearer "
            + LOCAL_KEY.encode()
            + b"\r\nContent-Length: 3000007\r\n\r\n"
            + b"x" * 2_000_000
        )
        assert came.wait(60) and len(one.there.seen[0]) < 2_000_000
        sock.sendall(b"x" * 1_000_000 + b"--end--")
        assert b"file-1" in sock.recv(65536)
    assert b"content-length: 3000007" in one.there.seen[0].lower()


def test_an_upload_that_nobody_takes_is_still_answered(to):
    def script(sock, request):  # after a megabyte
        sock.sendall(response(b'{"error": {"message": "too large"}}', "413 Payload Too Large"))
        while sock.recv(65536):  # or the system would take the answer back
            pass

    one = to(script, openai=True)
    with pytest.raises(openai.APIStatusError, match="too large"):
        one.client().files.create(file=("a.jsonl", b"x" * 20_000_000), purpose="batch")
    one = to(openai=True)
    one.there.end()
    with pytest.raises(openai.APIStatusError, match="cannot be reached"):
        one.client().files.create(file=("a.jsonl", b"x" * 5_000_000), purpose="batch")


# --- what this machine still answers --------------------------------------------------------------


def test_a_model_that_is_shut_down_is_answered_from_recordings_and_says_so(live, imitation):
    raw = live.client().chat.completions.with_raw_response.create(**chat(DAY, "o1"))
    assert (
        raw.headers["x-day9-origin"] == "constructed"
        and "o1 was shut down on 2026-10-23: not asked of 127.0.0.1:" in raw.headers["x-day9-note"]
    )
    assert "shut down" in live.state.ledger.origins[raw.parse().id][0]["note"]
    # kept ready, and says it again
    again = live.client().chat.completions.with_raw_response.create(**chat(DAY, "o1"))
    assert again.headers["x-day9-note"] == raw.headers["x-day9-note"]
    with pytest.raises(openai.APIStatusError) as e:
        live.client().chat.completions.create(**chat("Who are you?", "o1"))
    assert (
        e.value.code == "off_the_map" and "shut down" in live.state.ledger.exchanges()[-1]["note"]
    )
    assert not imitation.seen


def test_with_another_server_every_model_is_asked_there_and_tuning_is_computed_here(to):
    one = to(says(response(YES)))
    assert (
        one.client().chat.completions.create(**chat(DAY, "o1")).choices[0].message.content == "Yes."
    )
    assert (
        one.client().files.create(file=("a.jsonl", b'{"a": 1}'), purpose="batch").bytes == 8
        and len(one.there.seen) == 1
    )
    for path in ("/", "/v2/models", "/v1/../admin", "/v1/%2e%2e/admin", "/v1"):
        with socket.create_connection(("127.0.0.1", one.state.port), 30) as sock:
            sock.sendall(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {LOCAL_KEY}\r\n\r\n".encode()
            )
            assert sock.recv(65536).startswith(b"HTTP/1.1 404")
    assert len(one.there.seen) == 1


def test_another_servers_model_and_words(to):
    one = to(says(response(YES)), model="llama3.2")
    body = {
        "model": "o1",
        "max_completion_tokens": 9,
        "store": True,
        "temperature": 0,
        "messages": [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}],
    }
    raw = one.client().chat.completions.with_raw_response.create(**body)
    sent = one.there.seen[0]
    assert json.loads(sent.partition(b"\r\n\r\n")[2]) == {
        "model": "llama3.2",
        "max_tokens": 9,
        "temperature": 0,
        "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}],
    }
    assert (
        b"authorization: bearer none" in sent.lower()
        and b"openai-" not in sent.lower()
        and b"day9" not in sent.lower()
    )
    for words in (
        "llama3.2 in the place of o1",
        "left out: store",
        "max_completion_tokens sent as max_tokens",
        "developer sent as system",
    ):
        assert words in raw.headers["x-day9-note"]


def test_a_tool_call_without_words_has_an_empty_text_for_another_server():
    calls = [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    body = chat("x") | {
        "messages": [
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "assistant", "tool_calls": calls},
            {"role": "assistant", "content": None},
            "odd",
        ]
    }
    sent, notes = local_models.adapted(CHAT, body, "", openai=False)
    assert [m["content"] for m in sent["messages"][:3]] == ["", "", None] and notes == [
        "null beside tool calls sent as an empty text"
    ]
    assert body["messages"][0]["content"] is None and local_models.adapted(
        CHAT, body, "", openai=True
    ) == (body, [])


@pytest.mark.parametrize(
    "path, body, says",
    [
        (
            CHAT,
            {
                "model": "m",
                "messages": [],
                "reasoning_effort": "low",
                "parallel_tool_calls": False,
                "temperature": 0,
            },
            ["it may pass over: parallel_tool_calls, reasoning_effort"],
        ),
        (
            CHAT,
            {"model": "m", "messages": [], "response_format": {"type": "json_schema"}},
            ["it may pass over: a JSON schema"],
        ),
        (
            CHAT,
            {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            ["it may pass over: pictures"],
        ),
        (
            RESPONSES,
            {
                "model": "m",
                "input": "x",
                "reasoning": {"effort": "low"},
                "text": {"format": {"type": "text"}},
            },
            ["it may pass over: reasoning"],
        ),
        (
            CHAT,
            {"model": "m", "messages": [], "temperature": 0, "seed": 1, "reasoning_effort": None},
            [],
        ),
    ],
)
def test_what_a_server_may_pass_over_in_silence_is_named_and_sent_as_it_is(path, body, says):
    sent, notes = local_models.adapted(path, body, "", openai=False)
    assert sent is body and notes == says
    assert local_models.adapted(path, body, "", openai=True) == (body, [])


@pytest.mark.parametrize(
    "status, path, body, says",
    [
        (
            400,
            CHAT,
            {"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "has pictures, which",
        ),
        (
            500,
            CHAT,
            {"model": "m", "tools": [{}], "response_format": {"type": "json_schema"}},
            "has tools and a JSON schema, which",
        ),
        (
            404,
            CHAT,
            {"model": "m"},
            "may not have the model 'm': name one that it has in DAY9_MODEL",
        ),
        (404, RESPONSES, {"model": "m"}, "may not know /v1/responses"),
        (401, CHAT, {}, "set DAY9_KEY"),
        (400, CHAT, {"messages": ["odd", {"content": [{"type": []}]}], "text": 1}, ""),
    ],
)
def test_what_a_server_cannot_do_is_said(status, path, body, says):
    assert says in local_models.likely("h:1", path, body, status) and (
        says or not local_models.likely("h:1", path, body, status)
    )


# --- errors, as they are and as they are not ------------------------------------------------------


def test_the_upstreams_own_errors_come_as_they_are(to):
    busy = response(
        b'{"error": {"message": "slow down", "type": "tokens", "param": null, "code": "rate_limit_exceeded"}}',
        "429 Too Many Requests",
        "application/json",
        None,
        "Retry-After-Ms: 5",
        "X-Request-Id: req_theirs",
    )
    one = to(says(busy), says(response(YES)))
    raw = one.client(max_retries=1).chat.completions.with_raw_response.create(**chat("x", "m"))
    assert raw.retries_taken == 1 and len(one.there.seen) == 2
    one = to(says(busy))
    with pytest.raises(openai.RateLimitError) as e:
        one.client().chat.completions.create(**chat("x", "m"))
    assert (
        e.value.code == "rate_limit_exceeded"
        and e.value.request_id == "req_theirs"
        and e.value.response.headers["retry-after-ms"] == "5"
    )
    one = to(says(response(b"<html>oh</html>", "500 Oh", "text/html")))
    with pytest.raises(openai.InternalServerError) as e:
        one.client().chat.completions.create(**chat("x", "m"))
    assert e.value.response.text == "<html>oh</html>" and len(one.there.seen) == 1


GZIP = zlib.compressobj(wbits=31)
PACKED = GZIP.compress(YES) + GZIP.flush()


def waits(sock):
    """A piece of a script: nothing, for as long as the other side has patience."""
    sock.recv(1)


@pytest.mark.parametrize(
    "script, status, words",
    [
        (says(), 502, "did not answer as HTTP says"),
        (says(b"HTTP/1.1 200 OK\r\nContent-Le"), 502, "did not answer as HTTP says"),
        (says(b"\x16\x03\x01 garbage \r\n\r\n"), 502, "did not answer as HTTP says"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), 502, "did not answer as HTTP says"),
        (
            says(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 200_000 + b"\r\n\r\n" + YES),
            502,
            "did not answer as HTTP says",
        ),
        (says(response(YES, length=len(YES) + 5)), 502, "broke off"),
        (says(response(YES, length=len(YES) - 5)), 502, "JSON that is none"),
        (says(response(b"{oh no")), 502, "JSON that is none: b'{oh no'"),
        (says(response(b"[" * 50_000)), 502, "JSON that is none"),
        (says(chunked(YES[:50], kind="application/json", end=False)), 502, "broke off"),
        (says(chunked(YES, kind="application/json")[:-9] + b"zz\r\nwhat\r\n"), 502, "broke off"),
        (
            says(
                response(
                    b"not packed", "200 OK", "application/json", None, "Content-Encoding: gzip"
                )
            ),
            502,
            "said that its answer is packed as gzip",
        ),
        (
            says(
                response(PACKED[:-9], "200 OK", "application/json", None, "Content-Encoding: gzip")
            ),
            502,
            "cut off its answer",
        ),
        (
            says(response(b"?", "200 OK", "application/json", None, "Content-Encoding: br")),
            502,
            "packed its answer as 'br'",
        ),
        (says(waits), 504, "did not answer in time"),
        (
            says(response(YES, length=len(YES) + 5), waits),
            504,
            "did not answer in time",
        ),
        (
            says(
                response(
                    b"", "302 Found", "text/html", None, "Location: http://evil.example/v1?a=b"
                )
            ),
            502,
            "a redirect to http://evil.example, which is not followed",
        ),
        (
            says(
                response(
                    b"",
                    "308 Permanent Redirect",
                    "text/html",
                    None,
                    "Location: /v2/chat/completions",
                )
            ),
            502,
            "which is not followed",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_an_error_that_names_the_host(to, script, status, words):
    one = to(script, **{"patience": 1.0} if status == 504 else {})
    with pytest.raises(openai.APIStatusError) as e:
        one.client().chat.completions.create(**chat("x", "m"))
    assert (
        e.value.status_code == status
        and words in e.value.message
        and e.value.message.count(one.there.host)
        and 'helpers.connect(answers="recorded")' in e.value.message
    )
    assert e.value.code in ("upstream_failed", "upstream_timeout") and list(
        e.value.response.json()["error"]
    ) == ["message", "type", "param", "code"]
    assert len(one.there.seen) == 1
    # and the next one is answered, however busy the machine: nothing of the broken one is left
    one.there.scripts[0] = says(response(YES))
    one.upstream.patience = forward.Upstream(one.upstream.where).patience
    assert (
        one.client().chat.completions.create(**chat("x", "m")).choices[0].message.content == "Yes."
    )


# How a connection that was kept ends without a word, when the next request is on its way.
ENDS = {
    "reset": lambda sock: sock.close(),  # with bytes in it that nobody has read
    "closed": lambda sock: (sock.shutdown(socket.SHUT_WR), time.sleep(0.5)),
}


def keeps(end):
    """A script that answers, waits for the next request and does not read it."""
    return says(response(YES), lambda sock: (sock.recv(1, socket.MSG_PEEK), end(sock)))


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_a_kept_connection_has_lost_unread_is_asked_once_more(to, end):
    one = to(keeps(end), says(response(YES)))
    for question in ("a", "b"):
        said = one.client().chat.completions.create(**chat(question, "m"))
        assert said.choices[0].message.content == "Yes."
    assert [json.loads(s.partition(b"\r\n\r\n")[2])["messages"][0]["content"] for s in one.there.seen] == ["a", "b"]  # fmt: skip
    assert one.there.connections == 2


def test_what_may_have_been_read_is_not_asked_again(to):
    some = lambda sock: (sock.sendall(b"HTTP/1.1 2"), ENDS["closed"](sock))
    for does, asked in ((keeps(some), 2), (says(), 1)):
        one = to(does, says(response(YES)))
        for question in "ab"[: asked - 1]:
            one.client().chat.completions.create(**chat(question, "m"))
        with pytest.raises(openai.InternalServerError, match="did not answer as HTTP says"):
            one.client().chat.completions.create(**chat("c", "m"))
        assert one.there.connections == 1


def test_an_upload_that_a_kept_connection_has_lost_is_gone_and_told(to):
    one = to(keeps(ENDS["closed"]), says(response(YES)))
    one.client().chat.completions.create(**chat("a", "m"))
    with pytest.raises(openai.InternalServerError, match="ended without an answer"):
        one.client().audio.transcriptions.create(model="m", file=("a.wav", b"RIFF"))
    assert one.there.connections == 1


def test_nobody_there(to):
    one = to()
    one.there.end()
    with pytest.raises(openai.InternalServerError, match="cannot be reached.* Is it running"):
        one.client().chat.completions.create(**chat("x", "m"))
    nowhere = Forwarding(at("http://no-such-host.invalid/v1"))
    with pytest.raises(openai.InternalServerError, match="no-such-host.invalid cannot be reached"):
        nowhere.client().chat.completions.create(**chat("x", "m"))
    nowhere.end()


def test_what_is_packed_is_unpacked(to):
    one = to(says(response(PACKED, "200 OK", "application/json", None, "Content-Encoding: gzip")))
    raw = one.client().chat.completions.with_raw_response.create(**chat("x", "m"))
    assert raw.content == YES and "content-encoding" not in raw.headers


CHUNKS = [
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n'
    % n
    for n in range(3)
]


@pytest.mark.parametrize(
    "script",
    [
        says(chunked(*CHUNKS, end=False)),
        says(chunked(*CHUNKS, b'data: {"id":"chatc', end=False)),
        says(chunked(*CHUNKS, b'data: {"id":"chatc')),
        says(response(b"".join(CHUNKS), kind="text/event-stream", length=9000)),
    ],
)
def test_a_stream_that_is_cut_off_says_so_after_its_last_event(to, script):
    is_cut_off(to(script))


def test_so_does_one_that_stands_still(to):
    is_cut_off(to(says(chunked(*CHUNKS, b'data: {"id"', end=False), waits), patience=1.0))


def is_cut_off(one):
    seen = []
    with pytest.raises(openai.APIError, match="helpers.connect") as e:
        for chunk in one.client().chat.completions.create(**chat("x", "m"), stream=True):
            seen.append(chunk.choices[0].delta.content)
    assert seen == ["0", "1", "2"] and one.there.host in e.value.message


def test_a_stream_of_any_line_ends_and_one_event_without_end(to):
    crlf = b"".join(CHUNKS).replace(b"\n", b"\r\n") + b"data: [DONE]\r\n\r\n"
    one = to(says(chunked(*(crlf[i : i + 7] for i in range(0, len(crlf), 7)))))
    assert [
        c.choices[0].delta.content
        for c in one.client().chat.completions.create(**chat("x", "m"), stream=True)
    ] == ["0", "1", "2"]
    one = to(says(chunked(b"data: " + b"x" * 3_000_000 + b"\n\n")))
    with one.client().chat.completions.with_streaming_response.create(
        **chat("x", "m"), stream=True
    ) as raw:
        assert raw.read() == b"data: " + b"x" * 3_000_000 + b"\n\n"


def test_a_long_body_that_is_cut_off_is_cut_off_for_the_reader_too(to):
    for kind in (
        response(b"x" * 900_000, kind="audio/mpeg", length=1_000_000),
        chunked(b"x" * 900_000, kind="audio/mpeg", end=False),
    ):
        with pytest.raises(Exception, match="(?i)incomplete|closed|connection"):
            to(says(kind)).client().audio.speech.create(model="m", voice="v", input="x").read()


# --- one who leaves, one who does not read --------------------------------------------------------


def endless(sent, gone):
    """A script that streams without end, counting its bytes, until the other side is gone."""
    event = b"data: " + b"x" * 60_000 + b"\n\n"

    def script(sock, request):
        sock.sendall(chunked(end=False))
        try:
            while True:
                sock.sendall(b"%x\r\n%s\r\n" % (len(event), event))
                sent.append(len(event))
        except OSError:
            gone.set()
            raise

    return script


def ask_raw(one, body):
    sock = socket.create_connection(("127.0.0.1", one.state.port), 30)
    raw = json.dumps(body).encode()
    sock.sendall(
        f"POST {CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer {LOCAL_KEY}\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
        + raw
    )
    return sock


def test_an_upstream_is_read_no_faster_than_its_reader_reads_and_closed_when_he_leaves(to):
    sent, gone = [], threading.Event()
    one = to(endless(sent, gone))
    sock = ask_raw(one, chat("x", "m", stream=True))
    assert sock.recv(100)
    until(lambda: sent, 30)

    def stalled():
        before = len(sent)
        time.sleep(0.5)
        return len(sent) == before

    until(stalled, 60)
    # all of it in the buffers of the system's sockets, and at most a piece or two in ours
    held = sum(sent)
    assert held < 40_000_000
    while sum(sent) == held:
        assert sock.recv(1_000_000)
    # gone at once, as a kernel that is killed
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    assert gone.wait(60)
    until(lambda: not one.state.tasks.running, 30)
    assert one.state.ledger.calls[-1][1] == 200


@pytest.mark.parametrize("flow", ["events", "body"])
def test_what_a_reader_has_left_is_in_the_books_also_where_closing_is_cut_short(flow):
    """He leaves while a piece is written to him, and what that cancels is the closing."""

    class Left(forward.Forward):
        def __init__(self):
            self.settled = False

        def left(self):
            self.settled = True

        async def look(self, events):
            pass

    async def pieces():
        try:
            while True:
                yield b"data: 1\n\n"
        finally:
            raise asyncio.CancelledError

    async def go():
        one, coming = Left(), pieces()
        going = one.events(coming) if flow == "events" else one.body(await anext(coming), coming)
        await anext(going), await anext(going)
        with pytest.raises(asyncio.CancelledError):
            await going.aclose()
        return one.settled

    assert asyncio.run(go())


def test_an_upstream_that_still_thinks_is_left_at_once(to):
    gone, asked = threading.Event(), threading.Event()

    def script(sock, request):
        asked.set()
        while sock.recv(100):
            pass
        gone.set()

    one = to(script)
    sock = ask_raw(one, chat("x", "m"))
    assert asked.wait(60)
    sock.close()
    assert gone.wait(60)
    until(lambda: not one.state.tasks.running, 30)


class Tape:
    """A recorder that only notes what it is told."""

    def __init__(self):
        self.tapes = []

    def begin(self, *request):
        self.tapes.append(["begin", *request])
        return self

    def head(self, status, headers):
        self.tapes[-1] += [status, headers]

    def chunk(self, piece):
        self.tapes[-1].append(piece)

    async def end(self):
        self.tapes[-1].append("end")

    def cut(self, reason):
        self.tapes[-1].append(f"cut: {reason}")
        return asyncio.sleep(0)


def test_what_is_recorded_is_what_came_also_when_the_reader_leaves(to):
    tape, go = Tape(), threading.Event()
    part = lambda data: b"%x\r\n%s\r\n" % (len(data), data)
    one = to(
        says(
            response(
                PACKED,
                "200 OK",
                "application/json",
                None,
                "Content-Encoding: gzip",
                "X-Request-Id: req_1",
            )
        ),
        says(
            chunked(end=False),
            part(CHUNKS[0]),
            lambda sock: go.wait(60),
            part(CHUNKS[1]),
            part(b"data: [DONE]\n\n"),
            b"0\r\n\r\n",
        ),
        says(chunked(CHUNKS[0], end=False)),
        recorder=tape,
    )
    one.client().chat.completions.create(**chat("x", "m", max_tokens=5))
    name, method, path, query, kind, body, sdk, status, headers, *pieces, end = tape.tapes[0]
    assert (method, path, query, kind, json.loads(body), sdk, status, end) == (
        "POST",
        CHAT,
        {},
        "application/json",
        chat("x", "m", max_tokens=5),
        f"openai-python {openai.__version__}",
        200,
        "end",
    )
    assert (
        b"".join(pieces) == YES
        and headers["x-request-id"] == "req_1"
        and "content-encoding" not in headers
    )
    sock = ask_raw(one, chat("x", "m", stream=True))
    sock.recv(100)
    sock.close()
    go.set()
    until(lambda: tape.tapes[1][-1] == "end", 30)
    assert b"".join(tape.tapes[1][9:-1]) == b"".join(CHUNKS[:2]) + b"data: [DONE]\n\n"
    with pytest.raises(openai.APIError):
        list(one.client().chat.completions.create(**chat("x", "m"), stream=True))
    assert tape.tapes[2][-1].startswith("cut: ") and one.there.host in tape.tapes[2][-1]


# --- the ceiling ----------------------------------------------------------------------------------


def test_what_is_spent_is_what_the_usage_costs(live):
    a = live.client().responses.create(**TODAY)
    paid = prices.cost("gpt-5.6-sol", a.usage.model_dump(), "2026-11-23")
    assert live.upstream.spending.total == paid > 0
    list(live.client().responses.create(**TODAY, stream=True))
    assert live.upstream.spending.total == 2 * paid and live.upstream.spending.held == 0
    live.client().models.list()
    assert live.upstream.spending.total == 2 * paid
    # tells no usage: its words are counted
    list(live.client().chat.completions.create(**chat(DAY, "gpt-4o"), stream=True))
    asked = live.client().chat.completions.create(**chat(DAY, "gpt-4o")).usage.model_dump()
    counted, told = (
        live.upstream.spending.total - 2 * paid - prices.cost("gpt-4o", asked, "2026-11-23"),
        prices.cost("gpt-4o", asked, "2026-11-23"),
    )
    assert told <= counted < 2 * told


def test_it_stops_before_the_ceiling_is_passed_also_with_many_at_once(to):
    """Each answer costs 100,000 tokens at 20 USD a million, 2 USD; the ceiling is 7."""
    costs = json.dumps(
        completion()
        | {
            "model": "gpt-5.6-sol",
            "usage": {"prompt_tokens": 10, "completion_tokens": 100_000, "total_tokens": 100_010},
        }
    ).encode()
    one = to(says(lambda sock: time.sleep(0.2), response(costs)), openai=True, budget=Decimal(7))

    def ask(_):
        try:
            return (
                one.client()
                .chat.completions.create(**chat("x", "gpt-5.6-sol", max_completion_tokens=100_000))
                .usage.completion_tokens
            )
        except openai.RateLimitError as e:
            return e.code, e.response.headers["x-should-retry"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(ask, range(8)))
    assert (
        sorted(map(str, got)) == sorted([str((spending.CODE, "false"))] * 5 + ["100000"] * 3)
        and len(one.there.seen) == 3
    )
    assert 6 < one.upstream.spending.total < 7 and one.upstream.spending.held == 0
    with pytest.raises(
        openai.RateLimitError,
        match=r"Not sent: .* 7\.00 USD of DAY9_BUDGET .* a smaller max_completion_tokens",
    ):
        one.client(max_retries=3).chat.completions.create(
            **chat("x", "gpt-5.6-sol", max_completion_tokens=100_000)
        )
    assert len(one.there.seen) == 3


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.chat.completions.create(**chat("x", "gpt-6.2-sol")),
        lambda c: c.chat.completions.create(**chat("x", "no-such")),
        lambda c: c.embeddings.create(model="text-embedding-3-small", input="x"),
        lambda c: c.fine_tuning.jobs.create(model="gpt-4o", training_file="file-1"),
        lambda c: c.responses.create(**TODAY, tools=[{"type": "web_search"}]),
        lambda c: c.responses.create(**TODAY, previous_response_id="resp_1"),
        lambda c: c.responses.create(**TODAY, service_tier="priority"),
        lambda c: c.responses.create(
            model="gpt-5.6-sol",
            input=[{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}],
        ),
        lambda c: c.batches.create(completion_window="24h", endpoint=CHAT, input_file_id="file-1"),
    ],
)
def test_what_has_no_price_is_not_sent_under_a_ceiling(live, imitation, ask):
    with pytest.raises(openai.RateLimitError, match='DAY9_BUDGET="none"'):
        ask(live.client(max_retries=3))
    assert not imitation.seen
    live.upstream.spending.ceiling = None
    with contextlib.suppress(openai.APIStatusError):  # whatever the imitation has to say
        ask(live.client())
    assert len(imitation.seen) == 1


def test_long_texts_are_counted_where_bytes_say_too_much(live, imitation):
    live.upstream.spending.ceiling = Decimal("0.05")
    with contextlib.suppress(openai.APIStatusError):
        # 40,000 bytes: up to 0.1 USD; 5,000 tokens: 0.0125
        live.client().chat.completions.create(**chat("weather " * 5_000, "gpt-4o", max_tokens=10))
    assert len(imitation.seen) == 1
    with pytest.raises(openai.RateLimitError, match="Not sent"):
        live.client().chat.completions.create(**chat("weather " * 50_000, "gpt-4o", max_tokens=10))


def test_pictures_and_sounds_are_bounded():
    png = (
        "data:image/png;base64,"
        + base64.b64encode(
            b"\x89PNG\r\n\x1a\n"
            + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1024, 1024, 8, 0, 0, 0, 0)
            + bytes(60)
        ).decode()
    )
    of = lambda model, *parts: (
        spending.Hold(
            spending.Spending(Decimal(9)), CHAT, chat(list(parts), model, max_tokens=0)
        ).media
    )
    picture = lambda url: {"type": "image_url", "image_url": {"url": url}}
    assert (
        of("gpt-4o", picture(png), picture(png)) == 2 * 765
        and of("gpt-4o", picture("https://example.com/a.png"))
        == of("gpt-5.4", picture(png))
        == spending.PICTURE
    )
    assert (
        of(
            "gpt-audio-1.5",
            {"type": "input_audio", "input_audio": {"data": "A" * 4_000, "format": "mp3"}},
        )
        == 41
    )


def test_an_answer_that_is_cut_off_counts_as_the_most_it_can_have_cost_and_an_error_as_nothing(to):
    one = to(
        says(response(YES, length=9_000)),
        says(response(b"{}", "500 Oh")),
        says(chunked(*CHUNKS, end=False)),
        openai=True,
    )
    ask = lambda **more: one.client().chat.completions.create(
        **chat("x", "gpt-5.6-sol", max_completion_tokens=1000), **more
    )
    with pytest.raises(openai.APIStatusError):
        ask()
    most = one.upstream.spending.total
    # 1,000 tokens at 20 USD a million, and the question
    assert Decimal("0.02") < most < Decimal("0.03")
    with pytest.raises(openai.APIStatusError):
        ask()
    assert one.upstream.spending.total == most
    with pytest.raises(openai.APIError):
        list(ask(stream=True))
    assert one.upstream.spending.total > Decimal("1.9") * most
    one.there.end()
    with pytest.raises(openai.APIStatusError):
        ask()
    assert one.upstream.spending.total < Decimal("2.1") * most and one.upstream.spending.held == 0


# --- connect(), in processes of its own -----------------------------------------------------------

ASKED = f"""
import os, signal, helpers
from helpers import connection
from helpers.local_api import where
from openai import OpenAI, APIStatusError
def ask(client):
    try:
        a = client.responses.create(model="gpt-5.6-sol", input="{DAY}")
        return helpers.show(a)
    except APIStatusError as e:
        return e.body["message"]
spent = lambda: connection.server().ask("receipt")["upstream"]["spent"]
"""


def test_connect_switches_and_keeps_the_address_and_the_sum(imitation):
    imitation.seen.clear()
    said = script(
        ASKED
        + f"""
where.OPENAI = "{imitation.url}"
helpers.connect()
client, first = OpenAI(), (os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"])
print(ask(client))
helpers.connect(answers="live")
print(ask(client), "|", helpers.receipt())
one = spent()
assert float(one) > 0
helpers.connect("live")
assert spent() == one and not connection.server().ask("receipt")["calls"]
os.kill(connection.server().process.pid, signal.SIGKILL)
connection.server().process.wait()
helpers.connect("live")
assert spent() == one, (spent(), one)
os.environ["DAY9_BUDGET"] = "0.0017"
helpers.connect("live")
print(ask(client))
helpers.connect("recorded")
print(ask(client))
os.environ |= dict(DAY9_ANSWERS="live", DAY9_BUDGET="none")
helpers.connect()
print(ask(client))
assert (os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]) == first
try:
    helpers.connect(answers=os.environ["OPENAI_BASE_URL"])
except ValueError as e:
    print(e)
""",
        OPENAI_API_KEY=REAL_KEY,
        OPENAI_ORG_ID="org-x",
    )
    assert REAL_KEY not in said and len(imitation.seen) == 2
    host = f"127.0.0.1:{imitation.state.port}"
    assert (
        f"Answers: {host}, asked with your own key, for money: stopped before 1.00 USD (DAY9_BUDGET), of which 0.0000 are spent"
        in said
    )
    assert (
        "[live 20" in said
        and f"from {host}" in said
        and "Here, since this kernel began: 0.0016 USD of 1.00 USD" in said
    )
    assert (
        "Not sent: this call may cost up to 0.3" in said
        and "no ceiling on what it may cost" in said
        and "which would ask itself for ever" in said
    )
    assert (
        said.count("[constructed 2026-11-22, not said by a model") == 2
        and "No key, no network" in said
    )


def test_connect_says_what_is_wrong_and_leaves_all_as_it_was():
    said = script(
        ASKED
        + """
helpers.connect()
client = OpenAI()
for wrong in ("live", "lively", "http://127.0.0.1:1"):
    try:
        helpers.connect(answers=wrong)
    except ValueError as e:
        print("told:", e)
print(ask(client))
os.environ["DAY9_ANSWERS"] = "http://127.0.0.1:9/v1"
os.environ["DAY9_MODEL"] = "llama3.2"
helpers.connect()
print(ask(client.with_options(max_retries=0)))
"""
    )
    assert said.count("told:") == 3 and "2024-12-17 was a Tuesday." in said
    assert (
        "Answers: 127.0.0.1:9, asked with no key. Files, tuning and Realtime are computed on this machine. Every model asked for is llama3.2 (DAY9_MODEL)."
        in said
    )
    assert "127.0.0.1:9 cannot be reached" in said
