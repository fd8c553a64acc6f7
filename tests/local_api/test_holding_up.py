"""One client's request does not hold up another's, and what it leaves behind is bounded. Held to
what can be counted: codes, bytes kept, the order of answers.
"""

import asyncio
import base64
import concurrent.futures
import json
import logging
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
import types
import weakref
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tornado import httputil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from helpers import receipts, running
from helpers.facts import hearing, meaning, preference_file, sounds
from helpers.local_api import (
    answers,
    canonical,
    checks,
    collecting,
    forms,
    log,
    off_the_map,
    pieces,
    ready,
    recordings,
    server,
    state,
    tasks,
    tuning,
    where,
)
from helpers.local_api.answer import Answer
from helpers.local_api.books import Books
from helpers.local_api.ledger import LONGEST, Ledger
from helpers.local_api.realtime import events, items, scenarios, usage
from helpers.local_api.tuning import candidates
from helpers.local_api.upstream.forward import Upstream
from helpers.local_api.upstream.recorder import Recorder
from tests import asking
from tests.mutations import FORM, form

KEY = "day9-for-the-tests"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def local():
    one = asking.Local(KEY)
    yield one
    one.end()


def raw(local, text, most=100_000):
    """What the socket says to these bytes until it is closed, or until `most` bytes have come."""
    with socket.create_connection(("127.0.0.1", local.state.port), 30) as sock:
        sock.sendall(text)
        said = b""
        while len(said) < most and (piece := sock.recv(most)):
            said += piece
        return said


def head(path, *lines):
    return "\r\n".join(
        [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {KEY}", *lines, "", ""]
    ).encode()


def test_a_long_body_is_refused_by_its_announced_length(local):
    said = raw(local, head("/v1/chat/completions", "Content-Length: 200000000"))
    assert said.startswith(b"HTTP/1.1 413 ") and b'"code":"request_too_large"' in said


def test_a_long_body_that_announces_no_length_is_refused_when_it_is_long(local, monkeypatch):
    monkeypatch.setattr(server, "MAX_JSON", 100)
    body = head("/v1/responses", "Transfer-Encoding: chunked") + b"c8\r\n" + b"x" * 200 + b"\r\n"
    assert raw(local, body).startswith(b"HTTP/1.1 413 ")


def test_an_upload_may_be_longer(local, monkeypatch):
    monkeypatch.setattr(server, "MAX_JSON", 100)
    said = raw(local, head("/v1/files", "Content-Length: 200", "Connection: close") + b"x" * 200)
    assert said.startswith(b"HTTP/1.1 400 ")


def test_long_headers_are_told(local):
    said = raw(local, head("/v1/models", "X-Long: " + "x" * 100_000))
    assert said.startswith(b"HTTP/1.1 431 ")


def test_a_client_that_speaks_tls_is_told_at_once(local, caplog):
    """As openai's Node SDK does, whose WebSocket is always wss://."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with socket.create_connection(("127.0.0.1", local.state.port), 30) as sock:
        with pytest.raises(ssl.SSLError, match="(?i)handshake.failure"):
            plain.wrap_socket(sock, server_hostname="127.0.0.1")
    assert "plain HTTP" in caplog.text


def test_a_short_or_slow_first_byte_is_no_tls(local):
    with socket.create_connection(("127.0.0.1", local.state.port), 30) as sock:
        for byte in b"GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(100).startswith(b"HTTP/1.1 401 ")


HELD = """
import contextlib, logging, resource, socket, time
from tests import asking
local, opened, told = asking.Local("day9-for-the-tests"), [], []
spare = socket.socket()
logging.getLogger().addFilter(told.append)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        opened.append(socket.create_connection(("127.0.0.1", local.state.port), 5))
except OSError:
    pass  # none is left, on either side
spare.close()
with contextlib.suppress(OSError):  # the server has it, for the last one, which was not taken
    opened.append(socket.create_connection(("127.0.0.1", local.state.port), 5))
waiting = opened.pop()  # connected, and not taken
while not told:
    time.sleep(0.1)
time.sleep(1.5)
for sock in opened:
    sock.close()
waiting.sendall(b"GET /v1/models HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
print(len(told), waiting.recv(12).decode(), told[0].getMessage(), sep="\\n", flush=True)
local.end()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_without_a_file_descriptor_it_waits_and_goes_on():
    done = subprocess.run(
        [sys.executable, "-c", HELD], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    tries, answer, told = done.stdout.splitlines()
    assert answer == "HTTP/1.1 401" and int(tries) < 50
    assert told.startswith("No connection can be taken for a while: ")


def test_what_sends_nothing_is_closed_and_what_waits_for_an_answer_is_not():
    class Conn:
        stream = closed = None

    class Stream:
        def __init__(self, conn):
            self.conn = conn

        def close(self):
            self.conn.closed = True

    silent, asking_one = Conn(), Conn()
    silent.stream, asking_one.stream = Stream(silent), Stream(asking_one)
    connections = server.Connections(None)
    for one in (silent, asking_one):
        connections.start_request(one, None)
    connections.on_close(asking_one)  # as when its request is whole
    connections.sweep(time.monotonic() + server.IDLE - 1)
    assert not silent.closed
    connections.sweep(time.monotonic() + server.IDLE + 1)
    assert silent.closed and not asking_one.closed and not connections.heard


def test_connections_are_forgotten_when_they_end(local):
    raw(local, head("/v1/models", "Connection: close", "Content-Length: 2") + b"{}")
    for _ in range(100):
        if not local.state.connections.heard:
            return
        time.sleep(0.05)
    pytest.fail("a connection that has ended is still watched")


def wire(local):
    url = f"{local.url.replace('http', 'ws')}/realtime?model=gpt-realtime"
    return connect(
        url, additional_headers={"Authorization": f"Bearer {KEY}"}, proxy=None, max_size=None
    )


def test_a_long_event_is_read_beside_the_event_loop(local, monkeypatch):
    read, parsed, decoded = [], events.parsed, events.audio_bytes
    name = lambda: threading.current_thread().name
    watched = lambda message: (read.append(name()), parsed(message))[1]
    monkeypatch.setattr(events, "parsed", watched)
    monkeypatch.setattr(
        events, "audio_bytes", lambda *given: (read.append(name()), decoded(*given))[1]
    )
    sound = base64.b64encode(bytes(pieces.LONG)).decode()
    with wire(local) as here:
        for sent in (sound, sound[:400]):
            here.send(json.dumps({"type": "input_audio_buffer.append", "audio": sent}))
        here.send(json.dumps({"type": "input_audio_buffer.clear"}))
        while json.loads(here.recv(30))["type"] != "input_audio_buffer.cleared":
            pass
    assert [one.startswith("asyncio_") for one in read] == [True, True, False, False, False]


def test_a_long_event_is_written_beside_the_event_loop_and_in_its_turn(local, monkeypatch):
    written, as_text = {}, events.as_text

    def watched(event):
        written[event["type"]] = threading.current_thread().name.startswith("asyncio_")
        return as_text(event)

    monkeypatch.setattr(events, "as_text", watched)
    long = {"type": "realtime", "instructions": "x" * pieces.LONG}
    with wire(local) as here:
        here.send(json.dumps({"type": "session.update", "session": long}))
        here.send(json.dumps({"type": "input_audio_buffer.clear"}))
        come = [json.loads(here.recv(30)) for _ in range(3)]
    assert [event["type"] for event in come] == list(written)
    # where the last is written hangs on whether the long one is done by then
    assert (written["session.created"], written["session.updated"]) == (False, True)
    assert come[1]["session"]["instructions"] == long["instructions"]


def test_an_event_that_cannot_be_sent_keeps_no_other_back(caplog):
    sent = []

    def write(event, text):
        if event["type"] == "bad":
            raise ValueError("no")
        sent.append(event["type"])

    async def go():
        made = tasks.Tasks()
        outgoing = events.Outgoing(write, made)
        for kind, size in (("a", 1), ("bad", pieces.LONG), ("b", pieces.LONG), ("c", 1)):
            outgoing.send({"type": kind, "text": "x" * size})
        await asyncio.gather(*made.running)
        with pytest.raises(ValueError):
            outgoing.send({"type": "bad"})
        outgoing.send({"type": "d"})

    asyncio.run(go())
    assert sent == ["a", "b", "c", "d"] and "sending bad" in caplog.text


def test_an_event_longer_than_any_client_needs_is_refused_and_not_read(local):
    with wire(local) as here:
        here.send("x" * (events.LONGEST_EVENT + 1))
        here.recv(30)
        error = json.loads(here.recv(30))["error"]
    assert (
        error["code"] == "string_above_max_length" and str(events.LONGEST_EVENT) in error["message"]
    )


def said(role, text):
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "role": role, "content": content}


LONG_TEXTS = {  # what would be looked through for seconds, or for minutes
    "a question": ({"input": [said("user", "ab " * 300_000)]}, "answered: 899,999 letters"),
    "instructions": ({"instructions": "ab " * 300_000}, "instructions: 900,000 letters"),
    "instructions in items": (
        {"input": [said("system", "Be brief. " * 9_000)] * 10 + [said("user", "Hello.")]},
        "instructions: 900,082 letters",
    ),
}


@pytest.mark.parametrize("name", LONG_TEXTS)
def test_a_text_that_no_scene_reads_is_named_and_not_looked_through(local, name):
    asked, words = LONG_TEXTS[name]
    with wire(local) as here:
        response = {"output_modalities": ["text"], **asked}
        here.send(json.dumps({"type": "response.create", "response": response}))
        come = []
        while not come or come[-1]["type"] != "rate_limits.updated":
            come.append(json.loads(here.recv(30)))
    [error] = [event["error"] for event in come if event["type"] == "error"]
    assert error["code"] == "off_the_map" and words in error["message"]


BESIDE = {  # what reads it: path, kind, body, the module and function, and the status
    "a secret": (
        "/v1/realtime/client_secrets",
        "application/json",
        json.dumps({"session": {"type": "realtime", "instructions": "x" * pieces.LONG}}).encode(),
        (canonical, "parse"),
        200,
    ),
    "an offer": (
        "/v1/realtime/calls?model=gpt-realtime",
        FORM,
        form(b"x" * pieces.LONG, b""),
        (forms, "parsed"),
        400,
    ),
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_long_body_is_read_beside_the_event_loop(local, monkeypatch, name):
    path, kind, body, (module, function), status = BESIDE[name]
    read, really = [], getattr(module, function)
    watched = lambda *given: (read.append(threading.current_thread().name), really(*given))[1]
    monkeypatch.setattr(module, function, watched)
    heads = (f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close")
    assert raw(local, head(path, *heads) + body).startswith(f"HTTP/1.1 {status} ".encode())
    assert len(read) == 1 and read[0].startswith("ThreadPoolExecutor")


def test_a_realtime_request_longer_than_any_client_needs_is_refused(local):
    announced = f"Content-Length: {server.MAX_REALTIME + 1}"
    for path in ("client_secrets", "calls"):
        answer = raw(local, head(f"/v1/realtime/{path}", announced))
        assert answer.startswith(b"HTTP/1.1 413 ") and b"for Realtime" in answer


def test_a_long_request_is_read_for_the_upstream_beside_the_event_loop():
    read = []

    class Theirs:
        def take(self, request, state):
            read.append(threading.current_thread().name.startswith("ThreadPoolExecutor"))
            return forwarded() if b"theirs" in request.body else None

    async def forwarded():
        return Answer(200, b"theirs")

    async def go():
        made = state.State(KEY, 9, answers.Answers(), upstream=Theirs())
        for body in (b"x" * 2 * pieces.LONG, b"theirs" + b"x" * pieces.LONG, b"theirs", b"x"):
            request = types.SimpleNamespace(
                method="POST", path="/v1/responses", query="", headers={}, note="", body=body
            )
            yield (await made._by_others(request)).body

    async def all_of_them():
        return [body async for body in go()]

    ours, long, short, last = asyncio.run(all_of_them())
    assert read == [True, True, False, False]
    assert long == short == b"theirs" and b"could not be parsed" in ours and ours == last


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 24, 1_000])
def test_base64_and_json_in_pieces_are_those_of_the_whole(monkeypatch, size):
    monkeypatch.setattr(pieces, "PIECE", 12)
    data = random.Random(size).randbytes(size)
    text = base64.b64encode(data).decode()
    assert pieces.packed(data) == text and pieces.unpacked(text) == data
    for wrong in (text + "!", text[:12] + "é" + text[12:]):
        with pytest.raises(ValueError):
            pieces.unpacked(wrong)
    with pytest.raises(ValueError):
        pieces.unpacked("YQ==" * 4)  # padding in the middle
    value = {"a": [text, 1, None, {"b": '\\"\n\0é漢🙂\ud800' * size}], text: True}
    assert pieces.as_json(value) == json.dumps(value, separators=(",", ":"))


FRAMES = {
    "a reserved bit": (b"\xf1\x80\0\0\0\0", 1002),
    "an unknown kind": (b"\x83\x80\0\0\0\0", 1002),
    "a long ping": (b"\x89\xfe\x00\x80\0\0\0\0" + bytes(128), 1002),
    "a continuation of nothing": (b"\x80\x80\0\0\0\0", 1002),
    "text that is no UTF-8": (b"\x81\x82\0\0\0\0\xff\xff", 1007),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_bad_frame_is_closed_with_a_code(local, name):
    frame, code = FRAMES[name]
    with wire(local) as here:
        here.recv()
        here.socket.sendall(frame)
        with pytest.raises(ConnectionClosed) as e:
            while True:
                here.recv(30)
    assert e.value.rcvd and e.value.rcvd.code == code


class Asked:
    method, path, headers = "POST", "/v1/x", {}

    def __init__(self, size):
        self.body = b"x" * size


def test_the_books_are_bounded_by_bytes():
    ledger = Ledger()
    events = [(0.0, b"e" * 1_000) for _ in range(1_000)]
    for n in range(100):
        ledger.add("r", Asked(1_000_000), Answer(200, b"a" * 1_000_000, id=f"a{n}"))
        ledger.add("r", Asked(1_000_000), Answer(200, events=events))
    kept = sum(
        len(entry.body) + len(entry.answer.body) + sum(len(e) for _, e in entry.answer.events)
        for _, _, entry in ledger.last
    )
    assert kept <= len(ledger.last) * 2 * LONGEST
    said = [entry["answer"] for entry in ledger.exchanges()]
    assert said[0] == "1,000,000 bytes" and len(json.dumps(said)) < 40 * 2 * LONGEST


def test_a_form_is_read_in_pieces_as_tornado_reads_it_whole(monkeypatch):
    chance = random.Random(17)
    kinds = ("multipart/form-data; boundary=b", 'multipart/form-data; boundary="b"', "text/plain")
    whole = (
        b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
        + b"0123456789--b-\r\n" * 4
        + b"\r\n--b--\r\n"
    )
    read = 0
    for n in range(1_000):
        monkeypatch.setattr(forms, "PIECE", chance.choice([1, 2, 5, 64, 1 << 20]))
        raw = bytearray(whole)
        for _ in range(n % 4):
            at = chance.randrange(len(raw))
            cut = whole[(other := chance.randrange(len(whole))) : other + chance.randrange(20)]
            raw[at : at + chance.randrange(20)] = cut
        fields, files = {}, {}
        try:
            httputil.parse_body_arguments(kinds[n % 2], bytes(raw), fields, files)
        except httputil.HTTPInputError:
            fields = files = {}
        files = {name: [(p["filename"], p["body"]) for p in parts] for name, parts in files.items()}
        if fields or files:
            assert forms.parsed(kinds[n % 2], raw) == (fields, files), bytes(raw)
            read += 1
        else:
            with pytest.raises(checks.Bad):
                forms.parsed(kinds[n % 2], raw)
    assert 400 < read < 900
    with pytest.raises(checks.Bad, match="not a multipart form"):
        forms.parsed(kinds[2], whole)


def test_no_more_than_one_line_of_an_upload_is_held(monkeypatch):
    there, most, look = weakref.WeakSet(), [], preference_file._row_problems

    def watched(row, method):
        there.add(row)
        most.append(len(there))
        return look(row, method)

    # a set of dicts wants a hash
    monkeypatch.setattr(preference_file._Object, "__hash__", object.__hash__)
    monkeypatch.setattr(preference_file, "_row_problems", watched)
    raw = "\n".join(map(json.dumps, lines(100))).encode()
    assert tuning.Tuning().answer("POST", "/v1/files", {}, FORM, form(b"fine-tune", raw)).status == 200  # fmt: skip
    assert len(most) == 100 and max(most) <= 2


def test_all_objects_are_looked_through_only_where_nothing_large_is_under_way(monkeypatch):
    looked, thresholds = [], []
    monkeypatch.setattr(collecting.gc, "collect", lambda: looked.append(collecting._large))
    monkeypatch.setattr(collecting.gc, "freeze", lambda: None)
    monkeypatch.setattr(collecting.gc, "set_threshold", lambda *given: thresholds.append(given))
    monkeypatch.setattr(collecting, "EVERY", 0)

    class Slow:
        def answer(self, *request):
            said.append(collecting._large)
            return Answer(200)

    class Long:
        method, path, query, headers, note = "POST", "/v1/responses", "", {}, ""
        body = b"x" * (pieces.LONG + 1)

    async def go():
        watching = asyncio.create_task(collecting.watch())
        await asyncio.sleep(0)  # it begins
        await ready.Ready(Slow()).answer(Long())
        await asyncio.sleep(0.1)
        watching.cancel()

    said = []
    asyncio.run(go())
    assert said == [1] and set(looked) == {0} and len(looked) > 1
    assert thresholds[0][2] == collecting.NEVER


def test_a_text_that_names_the_language_model_is_read_beside_the_event_loop(local, monkeypatch):
    read = []
    take = lambda request: read.append(threading.current_thread().name)
    monkeypatch.setattr(local.state.written, "take", take)
    assert asked(local, "What is smollm2-135m?").startswith(b"HTTP/1.1 424 ")
    assert len(read) == 1 and read[0].startswith("asyncio_")


class Counted(str):
    """A text that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def lines(n):
    """Supervised lines with one prompt and n answers."""
    asked = {"role": "user", "content": "How is the weather?"}
    return [
        {"messages": [asked, {"role": "assistant", "content": Counted(f"It is {i}.")}]}
        for i in range(n)
    ]


def test_a_file_of_many_answers_to_one_prompt_is_read_in_one_pass():
    Counted.compared = 0
    [(_, answers)] = candidates.prompts(lines(2_000)).values()
    assert len(answers) == 2_000 and Counted.compared < 2_000


def test_a_job_looks_for_the_answers_to_a_prompt_once_and_tells_how_far_it_is(monkeypatch):
    monkeypatch.setattr(preference_file, "TOLD_EVERY", 50)
    held = tuning.Tuning()
    raw = "\n".join(map(json.dumps, lines(120))).encode()
    made = held.answer("POST", "/v1/files", {}, FORM, form(b"fine-tune", raw))
    body = {"model": "gpt-4o-2024-08-06", "training_file": json.loads(made.body)["id"]}
    sent = json.dumps(body).encode()
    job = held.answer("POST", "/v1/fine_tuning/jobs", {}, "application/json", sent)
    job = held.jobs._held[json.loads(job.body)["id"]]
    asked, found = [], held.models.candidates
    monkeypatch.setattr(held.models, "candidates", lambda *a: asked.append(a) or found(*a))
    while not job.ended:
        job.advance()
    said = [event.said for event in job.events if isinstance(event.said, str)]
    assert job.phase == "succeeded" and len(asked) == 1
    assert [text for text in said if "Validated" in text] == [
        "Validated 50 of 120 lines",
        "Validated 100 of 120 lines",
    ]


def test_a_request_that_takes_its_time_holds_up_no_other(local, monkeypatch):
    begun, go_on, answer = threading.Event(), threading.Event(), local.state.answers.answer

    def slowly(method, path, query, content_type, body, retry):
        if b"slow" in body:
            begun.set()
            assert go_on.wait(60)
        return answer(method, path, query, content_type, body, retry)

    monkeypatch.setattr(local.state.answers, "answer", slowly)
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        slow = other.submit(asked, local, "slow")
        assert begun.wait(60)
        quick = asked(local, "Which day of the week was 2024-12-17?")
        assert quick.startswith(b"HTTP/1.1 200 ") and not slow.done()
        go_on.set()
        assert slow.result().startswith(b"HTTP/1.1 424 ")


def test_many_long_requests_hold_up_no_short_one(local, monkeypatch):
    go_on, answer = threading.Event(), local.state.answers.answer

    def slowly(method, path, query, content_type, body, retry):
        assert len(body) < pieces.LONG or go_on.wait(60)
        return answer(method, path, query, content_type, body, retry)

    monkeypatch.setattr(local.state.answers, "answer", slowly)
    with concurrent.futures.ThreadPoolExecutor(8) as others:
        long = [others.submit(asked, local, f"{n} " + "x" * pieces.LONG) for n in range(8)]
        try:
            assert asked(local, "Hello to none of them.").startswith(b"HTTP/1.1 424 ")
            assert not any(one.done() for one in long)
        finally:
            go_on.set()
    assert all(one.result().startswith(b"HTTP/1.1 424 ") for one in long)


def asked(local, question):
    body = json.dumps(asking.chat(question)).encode()
    return raw(
        local,
        head("/v1/chat/completions", f"Content-Length: {len(body)}", "Connection: close") + body,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"model": "o1", "messages": [{"role": "user", "content": "x"}] * 10_000},
        {"model": "o1", "messages": [], "tools": [{str(n): n for n in range(10_000)}] * 100},
    ],
)
def test_no_more_of_a_request_than_a_bound_is_compared_with_the_recordings(body):
    def values(value):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + (sum(map(values, inner)) if isinstance(value, (dict, list)) else 0)

    assert values(off_the_map.bounded(body)) <= off_the_map.VALUES
    library = recordings.Library()
    message, details = off_the_map.miss(library, "POST", "/v1/chat/completions", body)
    assert details["nearest"] and len(message) < 2_000


def test_a_request_within_the_bound_is_compared_whole():
    for recording in recordings.Library().recordings:
        assert off_the_map.bounded(recording.body) == recording.body


def test_what_goes_wrong_again_and_again_is_logged_a_few_times(caplog):
    logger, bounded = logging.getLogger("day9.test"), log.Bounded()
    logger.addFilter(bounded)
    for n in range(5_000):
        try:
            raise OSError(24, "Too many open files")
        except OSError:
            logger.exception("accepting")
    logger.error("another")
    said = [r.getMessage() for r in caplog.records]
    assert len(said) < log.ALIKE + 16 and said[-1] == "another"
    assert said[-2] == "accepting (4,116 times)"


def test_what_could_not_be_recorded_reaches_the_receipt_and_the_next_connect(tmp_path):
    (tmp_path / "file").touch()  # no folder can be made of it, as on a disk that is full

    async def go():
        recorder = Recorder(tmp_path / "file")
        upstream = Upstream(
            where.Where("http://127.0.0.1:9/v1", False, True),
            recorder,
            Decimal(0),
            lambda total: None,
        )
        books = Books(Ledger(), answers.Answers(), upstream)
        taping = recorder.begin("POST", "/v1/responses", {}, "application/json", b"{}", "")
        taping.head(200, {"content-type": "application/json"})
        taping.chunk(b"{}")
        assert not await taping.end()
        return books.receipt()["upstream"], books.begin()["lost"], books.begin()["lost"]

    told, lost, then = asyncio.run(go())
    assert "was answered, but not recorded" in receipts._paid(told, 0)
    assert len(lost) == 1 and "not recorded" in running.not_recorded(lost, "")
    assert then == [] and running.not_recorded(then, "x") == ""


def test_a_disk_that_fills_up_while_an_answer_comes_stops_the_recording_and_not_the_answer(
    tmp_path,
):
    class Full:
        def write(self, piece):
            raise OSError(28, "No space left on device")

        def tell(self):
            return 0

        def close(self):
            pass

    async def go():
        recorder = Recorder(tmp_path)
        taping = recorder.begin("POST", "/v1/responses", {}, "application/json", b"{}", "")
        taping.head(200, {"content-type": "application/json"})
        taping.came = Full()
        taping.chunk(b"{}")
        assert not await taping.end()
        return recorder.lost

    assert "No space left on device" in asyncio.run(go())[0]


def test_a_long_sound_is_pictured_some_at_a_time_and_as_the_whole(monkeypatch):
    pcm, sizes, rfft = sounds.clip("user-tax"), [], np.fft.rfft
    monkeypatch.setattr(hearing, "AT_ONCE", 10**9)
    whole = hearing.picture(pcm)
    monkeypatch.setattr(hearing, "AT_ONCE", 10)
    monkeypatch.setattr(np.fft, "rfft", lambda part: (sizes.append(len(part)), rfft(part))[1])
    parts = hearing.picture(pcm)
    assert len(sizes) > 10 and max(sizes) == 10
    assert all(np.array_equal(one, other) for one, other in zip(whole, parts))


def test_a_long_question_is_understood_beside_the_event_loop(local, monkeypatch):
    asked, reply = [], scenarios.reply

    def watched(*given):
        asked.append(threading.current_thread().name.startswith("asyncio_"))
        return reply(*given)

    monkeypatch.setattr(scenarios, "reply", watched)
    with wire(local) as here:
        for text in ("Hello.", "Hello. " * 100):
            response = {"output_modalities": ["text"], "input": [said("user", text)]}
            here.send(json.dumps({"type": "response.create", "response": response}))
            while json.loads(here.recv(30))["type"] != "rate_limits.updated":
                pass
    assert asked == [False, True]


def test_what_is_meant_is_ready_before_the_first_answer():
    """Which would be looked for in phrases that are not read yet."""
    meaning._index.cache_clear()

    async def go():
        hearing.load.cache_clear()
        hearing.load()
        await hearing.loaded()

    asyncio.run(go())
    assert meaning._index.cache_info().currsize == 1


def test_tokens_are_counted_when_their_table_is_there(local, monkeypatch):
    """Else the event loop would read it, for a tenth of a second."""
    seen = []

    async def loaded():
        seen.append("loaded")

    monkeypatch.setattr(hearing, "loaded", loaded)
    for owner, name in ((items.Item, "weight"), (usage, "head")):
        count = getattr(owner, name)
        watched = lambda *given, name=name, count=count: (seen.append(name), count(*given))[1]
        monkeypatch.setattr(owner, name, watched)
    with wire(local) as here:
        for event in (
            {"type": "session.update", "session": {"type": "realtime", "instructions": "New."}},
            {"type": "conversation.item.create", "item": said("user", "Hello.")},
        ):
            here.send(json.dumps(event))
        while json.loads(here.recv(30))["type"] != "conversation.item.done":
            pass
    assert seen == ["loaded", "head", "loaded", "weight"]
