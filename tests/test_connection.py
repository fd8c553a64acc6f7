"""connect() and the local API as processes: real sockets, the real SDK, and what a rough world does
to them.
"""

import asyncio
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from helpers.errors import panels
from helpers.local_api import accepting, answers, recordings, server, where
from tests.asking import CHAT, chat, completion, write

ROOT = Path(__file__).resolve().parents[1]
KEY = "day9-for-the-tests"
DAY = chat("Which day of the week was 2024-12-17?")
posix = pytest.mark.skipif(os.name == "nt", reason="signals and forks are POSIX")


def until(true, seconds=60):
    """Wait until something is so; the seconds only end a test that would hang."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


# --- a local API in this process, for any recordings ----------------------------------------------


class Here:
    """A local API on a thread of its own: its State, its port, and ways to ask it."""

    def __init__(self, folder=recordings.FOLDER, pace=0.0):
        self.loop, ready = asyncio.new_event_loop(), threading.Event()
        library = recordings.Library(folder)

        async def run():
            self.state = server.serve(server.bind(), KEY, pace, answers.Answers(library))
            ready.set()

        self.loop.create_task(run())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        assert ready.wait(60)
        self.port = self.state.port
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def client(self, **more):
        return openai.OpenAI(base_url=self.url, api_key=KEY, **more)

    def raw(self, data, close=False):
        """Bytes in, all bytes out, until the server closes or has answered."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
            sock.sendall(data)
            if close:
                sock.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(65536):
                    answer = (answer + piece).removeprefix(b"HTTP/1.1 100 (Continue)\r\n\r\n")
                    head, _, body = answer.partition(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    if length and len(body) >= int(length[1]):
                        break
            return answer

    def ask(self, method="GET", path="/v1/models", body=None, headers=(), key=KEY):
        """(status, headers, body as JSON or None)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Authorization": f"Bearer {key}"} if key is not None else {}
        connection.request(
            method,
            path,
            json.dumps(body) if isinstance(body, dict) else body,
            {**sent, **dict(headers)},
        )
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer.status, answer.headers, json.loads(raw) if raw else None

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)


@pytest.fixture(scope="module")
def here():
    one = Here()
    yield one
    one.end()


@pytest.fixture
def start():
    started = []
    yield lambda *arguments: started.append(Here(*arguments)) or started[-1]
    for one in started:
        one.end()


def is_envelope(answer, status, code=None):
    got, _, body = answer
    assert got == status, body
    assert (
        list(body) == ["error"]
        and list(body["error"]) == ["message", "type", "param", "code"]
        and body["error"]["code"] == code
    )
    return body["error"]["message"]


# --- who may ask ----------------------------------------------------------------------------------


def test_the_key(here):
    assert (
        here.ask()[0] == here.ask(key=None, headers={"authorization": f"bearer   {KEY} "})[0] == 200
    )
    for given in (
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
    ):
        assert "didn't provide an API key" in is_envelope(here.ask(headers=given, key=None), 401)
    for wrong in ("x", KEY + "x", KEY[:-1], "sk-proj-0123456789abcdef"):
        message = is_envelope(here.ask(key=wrong), 401, "invalid_api_key")
        assert wrong not in message or len(wrong) < 4
    assert "sk-" in message and "cdef" in message and "0123" not in message
    assert is_envelope(here.ask("POST", CHAT, DAY, key="é"), 401, "invalid_api_key")


def test_host_and_origin(here):
    for host in (
        "evil.example",
        f"evil.example:{here.port}",
        "127.0.0.1.evil.example",
        "",
        "[::1]:80",
    ):
        assert "answers to 127.0.0.1 only" in is_envelope(here.ask(headers={"Host": host}), 403)
    for host in ("localhost", f"LOCALHOST:{here.port}", "127.0.0.1"):
        assert here.ask(headers={"Host": host})[0] == 200
    for origin in (
        "https://evil.example",
        "null",
        "http://[",
        "http://localhost.evil.example",
        "file://",
        "http://127.0.0.1@evil.example",
    ):
        assert "pages of this machine only" in is_envelope(
            here.ask(headers={"Origin": origin}), 403
        )
        assert here.ask("OPTIONS", CHAT, headers={"Origin": origin}, key=None)[0] == 403
        assert "Access-Control-Allow-Origin" not in here.ask(headers={"Origin": origin})[1]


def test_preflight_from_a_notebook_page(here):
    page = {
        "Origin": "http://localhost:8888",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-stainless-arch,x-stainless-lang,x-stainless-retry-count",
    }
    status, headers, body = here.ask("OPTIONS", CHAT, headers=page, key=None)
    assert (status, body) == (204, None)
    assert (
        headers["Access-Control-Allow-Origin"] == page["Origin"]
        and "POST" in headers["Access-Control-Allow-Methods"]
    )
    assert (
        headers["Access-Control-Allow-Headers"] == page["Access-Control-Request-Headers"]
        and headers["Vary"] == "Origin"
    )
    status, headers, body = here.ask("POST", CHAT, DAY, headers={"Origin": page["Origin"]})
    assert (
        status == 200
        and headers["Access-Control-Allow-Origin"] == page["Origin"]
        and body["choices"]
    )


def test_the_desk_is_behind_the_key(here):
    for method in ("GET", "OPTIONS", "POST", "HEAD"):
        for name in ("exchanges", "receipt", "begin", "origin/x"):
            status, _, _ = here.ask(method, f"/day9/{name}", key=None)
            assert status == 401, (method, name)
    assert here.ask(path="/day9/receipt")[0] == 200
    assert is_envelope(here.ask(path="/day9/nothing"), 404) and is_envelope(
        here.ask(path="/day9/begin"), 404
    )


# --- what comes over a socket ---------------------------------------------------------------------


def test_methods_and_paths(here):
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "BREW"):
        assert is_envelope(here.ask(method, CHAT), 405, "method_not_supported")
    # the API lists there what is stored, which nothing here answers
    assert is_envelope(here.ask("GET", CHAT), 424, "off_the_map")
    status, headers, body = here.ask("HEAD", CHAT)
    assert (status, body) == (405, None) and int(headers["Content-Length"]) > 50
    for path in (
        "/",
        "/v1",
        "/v1/",
        "/v2/models",
        "/v1/models%2Fo1",
        "/v1/%ff",
        "//v1/models",
        "/v1/..//models",
        "*",
        "/v1/%00",
    ):
        assert "Invalid URL" in is_envelope(here.ask(path=path), 404)
    assert here.ask("POST", CHAT + "?a=%ff&b", DAY)[0] == 200


def request(body, *more, method="POST", path=CHAT, length=None):
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        *more,
    ]
    if length != "none":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode("latin1") + b"\r\n\r\n" + body


def test_chunked_bodies_and_two_in_one_packet(here):
    body = json.dumps(DAY).encode()
    pieces = (
        b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:7], body[7:8], body[8:]))
        + b"0\r\n\r\n"
    )
    assert b"Tuesday" in here.raw(request(pieces, "Transfer-Encoding: chunked", length="none"))
    with socket.create_connection(("127.0.0.1", here.port), timeout=60) as sock:
        sock.sendall(request(body) * 3)
        got = b""
        while got.count(b"Tuesday") < 3:
            piece = sock.recv(65536)
            assert piece
            got += piece
    assert got.count(b"HTTP/1.1 200 OK") == 3


def test_bodies_that_are_not_as_long_as_they_say(here):
    body = json.dumps(DAY).encode()
    # longer: the rest is no request, so the connection ends after the answer
    assert b"could not be parsed as JSON" in here.raw(request(body, length=len(body) - 2))
    # shorter: the client went away before it had said all
    assert here.raw(request(body, length=len(body) + 2), close=True) == b""
    for broken in ("many", "-1", "1e3", "1, 2", "9" * 5000, str(2**40)):
        answer = here.raw(request(body, length=broken))
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", accepting.TLS_REFUSED))
    for garbage in (
        b"\x16\x03\x01\x02\x00" + b"\x00" * 60 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nbroken header\r\n\r\n",
        b"x" * 70_000,
        b"GET / HTTP/9.9\r\n\r\n",
    ):
        answer = here.raw(garbage, close=True)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", accepting.TLS_REFUSED))
    assert here.ask("POST", CHAT, DAY)[0] == 200


def test_old_http_and_odd_headers(here):
    body = json.dumps(DAY).encode()
    assert b"Tuesday" in here.raw(request(body).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    assert b"Tuesday" in here.raw(request(body, "Expect: 100-continue"))
    assert b"Tuesday" in here.raw(
        request(body, "X-Odd: caf\xe9", "Cookie: a=b", "X-Stainless-Retry-Count: 0")
    )
    assert b"answers to 127.0.0.1 only" in here.raw(
        request(body).replace(b"Host: 127.0.0.1\r\n", b"").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    )
    for count in ("\xb2", "9" * 5000, "-1", "one", ""):  # counts that are none: the first try
        assert (
            here.ask(
                "POST", CHAT, chat("Are you there?"), headers={"X-Stainless-Retry-Count": count}
            )[0]
            == 429
        )


def test_a_large_body(here):
    status, _, body = here.ask("POST", CHAT, chat("x" * 50_000_000))
    assert status == 424 and len(body["error"]["message"]) < 2_000


def test_a_fault_of_ours_is_an_envelope(start, caplog):
    one = start()
    one.state.answers.answer = lambda *_: 1 / 0
    status, headers, body = one.ask("POST", CHAT, DAY)
    assert (
        "fault" in is_envelope((status, headers, body), 500)
        and headers["X-Should-Retry"] == "false"
    )
    assert "ZeroDivisionError" in caplog.text


def test_names_that_are_not_latin_and_templates_that_fail(start, tmp_path):
    write(tmp_path, "größe 東京", chat("a"), completion("b"))
    write(
        tmp_path,
        "faulty",
        chat("{{ n }}?"),
        completion("{{ nn }}"),
        slots={"n": {"type": "integer", "example": 1}},
    )
    one = start(tmp_path)
    with_name = one.ask("POST", CHAT, chat("a"))
    assert (
        with_name[0] == 200
        and with_name[1]["X-Day9-Recording"] == "gr%C3%B6%C3%9Fe%20%E6%9D%B1%E4%BA%AC"
    )
    tries = one.state.ledger.count
    with pytest.raises(openai.InternalServerError, match="data/recordings/faulty.json"):
        one.client().chat.completions.create(**chat("2?"))
    assert one.state.ledger.count == tries + 1  # not asked again


def test_a_create_call_begins_its_polls_again_over_http(start, tmp_path):
    write(tmp_path, "create", {"a": 1}, {"id": "job-1"}, path="/v1/jobs")
    write(
        tmp_path,
        "poll",
        None,
        {"id": "job-1", "n": 1},
        {"id": "job-1", "n": 2},
        path="/v1/jobs/job-1",
        method="GET",
        choose="in turn",
    )
    one = start(tmp_path)
    seen = []
    for _ in range(2):
        one.ask("POST", "/v1/jobs", {"a": 1})
        seen += [one.ask(path="/v1/jobs/job-1")[2]["n"] for _ in range(3)]
    assert seen == [1, 2, 2, 1, 2, 2]


# --- streams --------------------------------------------------------------------------------------

LONG = "one two  three é 東京🙂 " * 4 + "end "


@pytest.fixture
def spoken(tmp_path):
    write(tmp_path, "say", chat("say", "gpt-4o"), completion(LONG))
    return tmp_path


@pytest.mark.parametrize("pace", [0.0, 0.01])
def test_streams_are_the_same_at_any_pace(start, spoken, pace):
    one = start(spoken, pace)
    stream = one.client().chat.completions.create(
        **chat("say", "gpt-4o"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == LONG
    assert chunks[-1].usage.total_tokens > 20 and stream.response.headers[
        "content-type"
    ].startswith("text/event-stream")

    async def as_async():
        async with openai.AsyncOpenAI(base_url=one.url, api_key=KEY) as client:
            stream = await client.chat.completions.create(**chat("say", "gpt-4o"), stream=True)
            return [c async for c in stream]

    assert "".join(c.choices[0].delta.content or "" for c in asyncio.run(as_async())) == LONG
    with one.client().chat.completions.stream(**chat("say", "gpt-4o")) as events:
        assert events.get_final_completion().choices[0].message.content == LONG
    assert one.ask()[0] == 200


def test_a_reader_that_goes_away_leaves_nothing(start, spoken, caplog):
    one = start(spoken, 50.0)  # so slow that nobody waits for the end
    for _ in range(3):
        sock = socket.create_connection(("127.0.0.1", one.port))
        sock.sendall(request(json.dumps(chat("say", "gpt-4o", stream=True)).encode()))
        until(lambda: one.state.tasks.running)
        sock.close()
        until(lambda: not one.state.tasks.running)
    one.state.pace = 0.02  # and in the middle of one that flows
    stream = one.client().chat.completions.create(**chat("say", "gpt-4o"), stream=True)
    next(iter(stream))
    stream.close()
    until(lambda: not one.state.tasks.running)
    assert one.ask()[0] == 200
    assert [
        r.getMessage() for r in caplog.records if r.levelname in ("WARNING", "ERROR", "CRITICAL")
    ] == []


# --- the SDK --------------------------------------------------------------------------------------


def test_headers_as_a_client_reads_them(here):
    raw = here.client().chat.completions.with_raw_response.create(**DAY)
    said = raw.headers
    assert (
        re.fullmatch(r"req_[0-9a-f]{32}", said["x-request-id"])
        and raw.parse()._request_id == said["x-request-id"]
    )
    assert (
        said["openai-version"] == "2020-10-01"
        and said["openai-processing-ms"].isdigit()
        and said["date"].endswith("GMT")
    )
    assert [said[f"x-ratelimit-{kind}-requests"] for kind in ("limit", "remaining", "reset")] == [
        "500",
        "499",
        "120ms",
    ]
    assert (said["x-day9-origin"], said["x-day9-recording"]) == (
        "constructed",
        "start/weekday-medium",
    )
    missed = here.ask("POST", CHAT, chat("elsewhere"))
    assert (
        missed[1]["X-Should-Retry"] == "false"
        and "X-Ratelimit-Limit-Requests" not in missed[1]
        and "X-Day9-Origin" not in missed[1]
    )
    busy = here.ask("POST", CHAT, chat("Are you there?"))
    assert busy[0] == 429 and busy[1]["X-Ratelimit-Remaining-Requests"] == "0"
    assert here.ask()[1]["X-Day9-Recording"] == "computed"


def test_the_sdks_own_retry_is_seen(here):
    here.ask("POST", "/day9/begin")
    for _ in range(2):
        assert (
            here.client()
            .chat.completions.create(**chat("Are you there?"))
            .choices[0]
            .message.content
            == "Yes."
        )
    assert [call["status"] for call in here.ask(path="/day9/receipt")[2]["calls"]] == [
        429,
        200,
        429,
        200,
    ]
    with pytest.raises(openai.RateLimitError, match="Rate limit reached for o1"):
        here.client(max_retries=0).chat.completions.create(**chat("Are you there?"))
    assert here.client().with_options(max_retries=5).chat.completions.create(**DAY).choices


def test_errors_are_the_sdks_own(here):
    client = here.client()
    with pytest.raises(openai.NotFoundError) as e:
        client.chat.completions.create(**chat("x", "no-such-model"))
    assert e.value.code == "model_not_found" and e.value.request_id
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=here.url, api_key="wrong").models.list()
    before = here.state.ledger.count
    with pytest.raises(openai.APIStatusError) as e:
        client.chat.completions.create(**chat("elsewhere"))
    assert (
        (e.value.status_code, e.value.code) == (424, "off_the_map")
        and e.value.body["message"]
        and here.state.ledger.count == before + 1
    )
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(**DAY, temperature=0.2)
    assert client.models.retrieve("o1-2024-12-17").created == 1734326976 and "o1" in [
        m.id for m in client.models.list()
    ]


class Tax(BaseModel):
    line: int
    note: str


def test_parse_gives_an_object(start, tmp_path):
    from openai.lib._parsing._completions import type_to_response_format_param

    wanted = type_to_response_format_param(Tax)
    write(
        tmp_path,
        "tax",
        chat("Line 11?", response_format=wanted),
        completion('{"line": 11, "note": "é"}'),
    )
    write(tmp_path, "no", chat("Line 12?", response_format=wanted), completion(None, refusal="No."))
    one = start(tmp_path)
    message = (
        one.client()
        .chat.completions.parse(**chat("Line 11?"), response_format=Tax)
        .choices[0]
        .message
    )
    assert message.parsed == Tax(line=11, note="é")
    refused = (
        one.client()
        .chat.completions.parse(**chat("Line 12?"), response_format=Tax)
        .choices[0]
        .message
    )
    assert refused.parsed is None and refused.refusal == "No."

    async def as_async():
        async with openai.AsyncOpenAI(base_url=one.url, api_key=KEY) as client:
            return await asyncio.gather(
                *(
                    client.chat.completions.parse(**chat("Line 11?"), response_format=Tax)
                    for _ in range(8)
                )
            )

    assert {a.choices[0].message.parsed.line for a in asyncio.run(as_async())} == {11}


def test_responses_through_the_sdk(here):
    asked = {"model": "gpt-5.6-sol", "input": "Which day of the week was 2000-02-29?"}
    assert here.client().responses.create(**asked).output_text == "2000-02-29 was a Tuesday."
    with here.client().responses.stream(**asked) as stream:
        assert stream.get_final_response().output_text == "2000-02-29 was a Tuesday."


# --- connect(), in processes of their own ---------------------------------------------------------


def script(text, cwd=ROOT, wait=True, **env):
    """Run a plain script that may import helpers; gives what it printed."""
    environment = (
        {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
        | {"PYTHONPATH": os.pathsep.join([str(cwd), os.environ.get("PYTHONPATH", "")])}
        | env
    )
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    if not wait:
        return process
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out + err


def gone(pid):
    """Whether a process has ended (one that nobody has waited for yet has, too)."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            == "Z"
            if Path("/proc/self").exists()
            else os.kill(pid, 0)
        )
    except (FileNotFoundError, ProcessLookupError):
        return True


# what a script asks without the SDK, which takes most of a second to import
ASK = """
def ask(day="2024-12-17"):
    import json, os, urllib.request
    body = {"model": "o1", "messages": [{"role": "user", "content": f"Which day of the week was {day}?"}]}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(),
                                     {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]

"""
# What a shell has its background jobs ignore is handed on to every child: a script that is to be
# ended does not.
HEARS = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
"""
PIDS = (
    ASK
    + HEARS
    + "import helpers, sys, os; from helpers import connection; helpers.connect(); print('pid', connection.server().process.pid, connection.server().port, flush=True); "
)


def test_a_plain_script():
    said = script("""
        import helpers, os, json, urllib.request
        from openai import OpenAI
        helpers.connect()
        first = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
        client = OpenAI()
        helpers.connect()
        assert (os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]) == first
        print(client.chat.completions.create(model="o1", messages=[{"role": "user", "content": "Which day of the week was 2024-12-17?"}]).choices[0].message.content)
        """)
    line = "Answers: recordings on this machine, constructed by us to the documented format (no model said them); tuning and turns are computed. No key, no network."
    assert said.count(line) == 2 and "2024-12-17 was a Tuesday." in said and "Warning" not in said


def test_a_copy_elsewhere_with_broken_recordings(tmp_path):
    place = tmp_path / "a folder, ünusual"
    shutil.copytree(
        ROOT / "helpers", place / "helpers", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copytree(ROOT / "data", place / "data", ignore=shutil.ignore_patterns("tokenizer"))
    (place / "data" / "tokenizer").symlink_to(ROOT / "data" / "tokenizer")
    (place / "data" / "recordings" / "mine").mkdir()
    (place / "data" / "recordings" / "mine" / "cut.json").write_text('{"about": ')
    (place / "data" / "recordings" / "start" / "empty.json").write_text("")
    before = {f: (f.stat().st_mtime_ns, f.stat().st_size) for f in (place / "data").rglob("*")}
    for f in (place / "data").rglob("*"):
        if not f.is_symlink() and "tokenizer" not in f.parts:
            f.chmod(0o555 if f.is_dir() else 0o444)
    said = script(PIDS + "print(ask('2024-12-19'))", cwd=place)
    assert (
        "Left out: data/recordings/mine/cut.json is not JSON" in said
        and "Left out: data/recordings/start/empty.json is not JSON" in said
    )
    assert "2024-12-19 was a Thursday." in said
    after = {f: (f.stat().st_mtime_ns, f.stat().st_size) for f in (place / "data").rglob("*")}
    assert after == before
    for f in (place / "data").rglob("*"):
        if f.is_dir() and not f.is_symlink():
            f.chmod(0o755)


def test_the_readers_key_goes_nowhere():
    secret = "sk-proj-THE-READERS-OWN-0123456789"
    said = script(
        PIDS
        + """
import pathlib
ask()
pid = connection.server().process.pid
for name in ("environ", "cmdline"):
    file = pathlib.Path(f"/proc/{pid}/{name}")
    if file.exists():
        assert b"READERS" not in file.read_bytes(), name
assert "READERS" not in str(connection.server().ask("exchanges")) + connection.server().hello["problems"].__repr__()
assert os.environ["OPENAI_API_KEY"].startswith("day9-")
connection.server().process.kill()
helpers.connect()
assert b"READERS" not in pathlib.Path(f"/proc/{connection.server().process.pid}/environ").read_bytes()
""",
        OPENAI_API_KEY=secret,
        OPENAI_ADMIN_KEY=secret,
        OPENAI_BASE_URL=f"http://127.0.0.1:9/{secret}",
    )
    assert "READERS" not in said


@pytest.mark.parametrize(
    "proxy",
    [
        {"ALL_PROXY": "socks5h://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"},
        {
            "HTTP_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "corp.example",
        },
    ],
)
def test_proxies_are_kept_away(proxy):
    said = script(
        PIDS
        + """
from openai import OpenAI
helpers.connect()
print(len(list(OpenAI().models.list())) > 9, os.environ.get("NO_PROXY"))
""",
        **proxy,
    )
    assert "True" in said and "127.0.0.1" in said
    assert ("Not used here: the SOCKS proxy in" in said) == any(
        v.startswith("socks") for v in proxy.values()
    )
    assert ("corp.example" in said) == ("NO_PROXY" in proxy)


def test_many_threads_start_one_server():
    said = script("""
        import helpers, os, io, contextlib, subprocess, threading
        from helpers import connection
        started, real = [], subprocess.Popen
        class Counted(real):
            def __init__(self, *a, **k):
                started.append(1)
                super().__init__(*a, **k)
        subprocess.Popen = Counted
        ready = threading.Barrier(8)
        def go():
            ready.wait()
            helpers.connect()
        threads = [threading.Thread(target=go) for _ in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        print("started", len(started))
        """)
    assert "started 1\n" in said


@posix
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_child_that_is_lost_is_started_again_at_the_same_place(how):
    said = script(
        PIDS
        + f"""
old = connection.server()
real = connection.Server.ask
os.kill(old.process.pid, {int(how)})
if {int(how)} == {int(signal.SIGKILL)}:
    old.process.wait()
else:
    def short(self, name, method="GET"):  # do not wait the whole ten seconds for one that is stopped
        if self is old:
            raise TimeoutError
        return real(self, name, method)
    connection.Server.ask = short
helpers.connect()
new = connection.server()
assert (new.port, new.key) == (old.port, old.key) and new.process.pid != old.process.pid and old.process.poll() is not None
print(ask())
"""
    )
    assert "2024-12-17 was a Tuesday." in said


def starts(text, **env):
    """(process, pid of its local API, port) of a script that goes on."""
    process = script(PIDS + text, wait=False, **env)
    for line in process.stdout:
        if line.startswith("pid"):
            _, pid, port = line.split()
            return process, int(pid), int(port)
    raise AssertionError(process.stderr.read())


@posix
@pytest.mark.parametrize("end", ["exit", "raise", "os._exit", "exec", "SIGKILL", "SIGTERM"])
def test_the_child_ends_with_its_parent(end):
    ways = {
        "exit": "",
        "raise": "raise ValueError",
        "os._exit": "os._exit(3)",
        "exec": "os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(60)'])",
    }
    process, pid, _ = starts(ways.get(end, "import time; time.sleep(60)"))
    try:
        if end.startswith("SIG"):
            process.send_signal(getattr(signal, end))
        until(lambda: gone(pid))
    finally:
        process.kill()
        process.communicate()


@posix
def test_an_interrupt_leaves_the_api_running():
    process, pid, _ = starts("""
import time
for _ in range(2):
    try:
        print("waiting", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("interrupted", len(connection.server().ask("receipt")["calls"]), flush=True)
""")
    try:
        for _ in range(2):
            until(lambda: "waiting" in process.stdout.readline())
            time.sleep(0.1)  # between the print and the sleep
            os.killpg(process.pid, signal.SIGINT)
            until(lambda: "interrupted 0" in process.stdout.readline())
            assert not gone(pid)
        process.wait(60)
        until(lambda: gone(pid))
    finally:
        process.kill()
        process.communicate()


@posix
def test_forks_have_their_own_and_hold_nothing():
    process, pid, port = starts("""
import multiprocessing, time
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(ask, ["2024-12-17"] * 4))
calls = len(connection.server().ask("receipt")["calls"])
silent = os.fork()  # one that never connects
if not silent:
    time.sleep(60)
    os._exit(0)
said = os.pipe()
child = os.fork()
if not child:
    ask()
    helpers.connect()
    own = connection.server()
    os.write(said[1], f"{own.port} {own.process.pid} {ask()}".encode())
    os.close(said[1])
    time.sleep(60)
    os._exit(0)
os.close(said[1])
answer = b""
while piece := os.read(said[0], 999):
    answer += piece
print("fork", child, silent, calls, len(connection.server().ask("receipt")["calls"]), answer.decode(), flush=True)
time.sleep(60)
""")
    child = silent = None
    try:
        line = next(line for line in process.stdout if line.startswith("fork"))
        _, child, silent, calls, later, own_port, own_pid, answer = line.split(maxsplit=7)
        assert (calls, later) == (
            "4",
            "5",
        )  # the fork's connect() did not begin its parent's receipt anew
        assert (
            int(own_port) != port
            and int(own_pid) != pid
            and answer.strip() == "2024-12-17 was a Tuesday."
        )
        process.kill()
        until(lambda: gone(pid))  # though the forks live
        assert not gone(int(child)) and not gone(int(silent)) and not gone(int(own_pid))
        os.kill(int(child), signal.SIGKILL)
        until(lambda: gone(int(own_pid)))
    finally:
        process.kill()
        for fork in filter(None, (child, silent)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(fork), signal.SIGKILL)
        process.communicate()


def test_two_at_once_are_apart_and_leave_nothing(tmp_path):
    both = [
        starts("sys.stdin.readline()", TMPDIR=str(tmp_path), TEMP=str(tmp_path)) for _ in range(2)
    ]
    try:
        (_, pid, port), (_, pid2, port2) = both
        assert port != port2 and pid != pid2
        for _, _, at in both:
            connection = http.client.HTTPConnection("127.0.0.1", at, timeout=60)
            connection.request(
                "GET", "/v1/models", headers={"Authorization": "Bearer of-the-other"}
            )
            assert connection.getresponse().status == 401
            connection.close()
    finally:
        for process, _, _ in both:
            process.communicate("\n")
    for _, one, _ in both:
        until(lambda: gone(one))
    assert list(tmp_path.iterdir()) == []


def test_connect_says_why_the_api_does_not_start(tmp_path):
    said = script(
        """
        import helpers
        try:
            helpers.connect()
        except RuntimeError as e:
            print("told:", e)
        """,
        DAY9_PACE="fast",
    )
    assert (
        "told: The local API did not start. It said: DAY9_PACE must be a number, such as 0.5, not 'fast'."
        in said
        and "Traceback" not in said
    )


# --- python -m helpers.local_api ------------------------------------------------------------------


def test_a_port_in_use_is_told_in_one_line(here):
    for port, why in ((here.port, "in use"), (70_000, "port must be"), (-1, "port must be")):
        run = subprocess.run(
            [sys.executable, "-m", "helpers.local_api", "--port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 1 and run.stderr.count("\n") == 1 and run.stdout == ""
        assert (
            run.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}: ")
            and why in run.stderr
            and "Choose another --port" in run.stderr
        )


@posix
def test_the_shells_own_server_ends_on_interrupt():
    command = [sys.executable, "-m", "helpers.local_api", "--key", "k"]
    process = subprocess.Popen(
        [sys.executable, "-c", f"{HEARS}import os; os.execv({command[0]!r}, {command!r})"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    port = int(
        re.search(r"http://127.0.0.1:(\d+)/v1 OPENAI_API_KEY=k$", process.stdout.readline())[1]
    )
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/v1/models", headers={"Authorization": "Bearer k"})
    assert connection.getresponse().status == 200
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


# --- what is imported, and when -------------------------------------------------------------------

HEAVY = (
    "openai",
    "pandas",
    "plotly",
    "tornado",
    "IPython",
    "numpy",
    "jinja2",
    "tiktoken",
    "asyncio",
)


@pytest.mark.parametrize(
    "module, not_this",
    [
        ("helpers", HEAVY),
        ("helpers.connection", ("openai", "pandas", "plotly", "tornado", "IPython", "asyncio")),
        (
            "helpers.local_api.server",
            (
                "openai",
                "pandas",
                "plotly",
                "IPython",
                "numpy",
                "jinja2",
                "tiktoken",
                "pydantic",
                "tornado.web",
            ),
        ),
    ],
)
def test_imports_are_light(module, not_this):
    said = script(
        f"import sys, {module}\nprint('heavy', sorted(set({not_this!r}) & set(sys.modules)))"
    )
    assert said == "heavy []\n"


def test_many_clients_at_once(here):
    def one(n):
        with here.client() as client:
            day = f"20{n:02d}-01-01"
            return (
                client.chat.completions.create(**chat(f"Which day of the week was {day}?"))
                .choices[0]
                .message.content.startswith(day)
            )

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))


@pytest.mark.parametrize(
    "error, title",
    [
        (
            openai.LengthFinishReasonError(completion=ChatCompletion.model_validate(completion())),
            "The SDK stopped here.",
        ),
        (openai.APIConnectionError(request=None), "The SDK stopped here."),
        (AssertionError(), "A check failed."),
        (NameError(name="answer"), "answer is not there."),
        (AttributeError(), "This cell takes an answer apart as it was when the page was written."),
    ],
)
def test_what_stops_a_cell_when_another_model_answers_is_explained(capsys, error, title):
    panels.otherwise(
        error,
        where.resolve(
            "http://127.0.0.1:9/v1",
            {"DAY9_MODEL": "tiny", "DAY9_KEY": where.Secret(""), "DAY9_BUDGET": ""},
            where.Secret(""),
        ),
    )
    said = capsys.readouterr().out
    assert (
        said.startswith(title)
        and "tiny at 127.0.0.1:9" in said
        and 'helpers.connect("recorded")' in said
    )
