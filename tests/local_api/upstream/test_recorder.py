"""Recorded exchanges: whole or not there, without secrets, and the same to the SDK when they are
replayed.
"""

import asyncio
import contextlib
import http.client
import http.server
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import openai
import pytest

from helpers import receipts
from helpers.local_api import answers, catalogue, recordings, scrub
from helpers.local_api.upstream import rerecord
from helpers.local_api.upstream.recorder import Recorder
from tests.asking import CHAT, RESPONSES, Local, chat, completion

ROOT = Path(__file__).resolve().parents[3]
KEY = "day9-for-the-tests"
posix = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")


# --- an upstream that answers as it is told, and a local API that records it ----------------------


class Upstream(http.server.ThreadingHTTPServer):
    """`answer(handler, body)` gives (status, headers, [pieces]); a piece that is callable is
    called: it waits.
    """

    request_queue_size = 256
    daemon_threads = True

    def __init__(self, answer):
        self.answer, self.seen = answer, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, body))
        status, headers, pieces = self.server.answer(self, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if callable(piece):
                piece()
            else:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_DELETE = do

    def log_message(self, *_):
        pass


@pytest.fixture
def upstream():
    made = []
    yield lambda answer: made.append(Upstream(answer)) or made[-1]
    for one in made:
        one.shutdown()
        one.server_close()


class Recording:
    """A local API, a process of its own, that records what `upstream` answers into `folder`.
    `before` is code that runs first in it.
    """

    def __init__(self, upstream, folder, before=""):
        env = os.environ | {
            "DAY9_ANSWERS": f"record:{upstream.url}",
            "DAY9_KEY": "sk-theReadersOwnKey123",
            "DAY9_MY_RECORDINGS": str(folder),
        }
        code = f"{before}; import sys; sys.argv = ['x', '--key', {KEY!r}]; from helpers.local_api.__main__ import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code.lstrip("; ")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
        )

    @property
    def url(self):
        if not hasattr(self, "address"):
            self.address = re.search(r"OPENAI_BASE_URL=(\S+)", self.process.stdout.readline())[1]
        return self.address

    def client(self, **more):
        return openai.OpenAI(base_url=self.url, api_key=KEY, **more)

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def recording(tmp_path):
    made = []
    yield (
        lambda upstream, **more: (
            made.append(Recording(upstream, tmp_path / "my_recordings", **more)) or made[-1]
        )
    )
    for one in made:
        one.end()


def settled(folder, count, seconds=60):
    """The recordings of a folder once there are so many."""
    end = time.monotonic() + seconds
    while len(found := files(folder)) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} recordings"
        time.sleep(0.02)
    return found


def files(folder):
    return sorted(f for f in Path(folder).rglob("*.json") if f.parent.name != "files")


# --- byte for byte --------------------------------------------------------------------------------

HEADERS = {
    "Content-Type": "application/json",
    "x-request-id": "req_0123456789abcdef",
    "openai-processing-ms": "312",
    "x-ratelimit-limit-requests": "500",
    "openai-organization": "user-someone-1a2b3c",
    "openai-project": "proj_AbCdEf0123456789",
    "Set-Cookie": "__cf_bm=Secret.Cookie-123; path=/",
    "cf-ray": "8f3-FRA",
}
ODD = b'{\n  "id": "chatcmpl-1",  "object":"chat.completion", "created": 1.7e9, "model": "gpt-x",\r\n "choices": [{"index":0, "message": {"role":"assistant","content":"caf\\u00e9 \xe2\x82\xac \\/ \\ud83d\\ude00"}, "finish_reason":"stop"}],\n "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}\n\n'
SPEECH = b"ID3\xff\xfb" + random.Random(9).randbytes(70_000)
ERROR = (
    b'{"error": {"message": "No.", "type": "invalid_request_error", "param": null, "code": null}}'
)


def sse(text, **more):
    return "data: " + json.dumps(
        {
            "id": "chatcmpl-2",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-x",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
            **more,
        },
        ensure_ascii=False,
    )


STREAM = (
    ": a comment\n\n"
    + sse("café")
    + "\r\n\r\n"
    + sse("日本")
    + "\n\nevent: x\nid: 7\n"
    + sse("…")
    + "\n\ndata: [DONE]\n\n"
).encode()


def various():
    """An upstream's answers of every kind; the same question is busy at first."""
    tries = {}

    def answer(request, body):
        sent = json.loads(body) if body.startswith(b"{") else {}
        stream = HEADERS | {"Content-Type": "text/event-stream; charset=utf-8"}
        words = json.dumps(sent.get("messages", ""))
        tries[words] = tries.get(words, 0) + 1
        if "busy" in words and tries[words] == 1:
            return 429, HEADERS | {"retry-after-ms": "1", "retry-after": "0"}, [ERROR]
        if "refuse" in words:
            return 400, HEADERS, [ERROR]
        if "garbage" in words:
            return 200, stream, [b"data: \xff\xfe\n\n"]
        if request.path.endswith("/speech"):
            return 200, HEADERS | {"Content-Type": "audio/mpeg"}, [SPEECH[:1000], SPEECH[1000:]]
        if request.path.endswith("/edits"):
            return (
                200,
                HEADERS,
                [
                    json.dumps(
                        {"created": 1, "data": [{"b64_json": f"ONE {b'ONE' in body}"}]}
                    ).encode()
                ],
            )
        if request.path.startswith("/v1/models"):
            return (
                200,
                HEADERS,
                [
                    b'{"object":"list","data":[{"id":"%s","object":"model","created":1,"owned_by":"x"}]}'
                    % request.path.encode()
                ],
            )
        if sent.get("stream"):
            return (
                200,
                stream,
                [STREAM[i : i + 7] for i in range(0, len(STREAM), 7)],
            )  # in the middle of events and of letters
        return 200, HEADERS, [ODD]

    return answer


def tour(client):
    """What the SDK gets, byte for byte, for requests of every kind: {name: (status, headers,
    body)}.
    """
    raw = lambda answer: (
        answer.status_code,
        {k: v for k, v in answer.headers.items() if recordings.HEADERS.fullmatch(k)},
        answer.content,
    )
    api, found = client.with_raw_response, {}
    for name, more in {
        "plain": {},
        "template {{ n }}": {},
        "limit": {"max_completion_tokens": 50},
        "other limit": {"max_completion_tokens": 51},
        "busy": {},
        "stream": {"stream": True},
        "garbage": {"stream": True},
    }.items():
        with client.chat.completions.with_streaming_response.create(
            **chat(name.removeprefix("other "), model="gpt-4o"), **more
        ) as got:
            got.read()
            found[name] = raw(got.http_response)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**chat("refuse", model="gpt-4o"))
    found["refuse"] = raw(refused.value.response)
    found["speech"] = raw(
        api.audio.speech.create(model="tts-1", voice="alloy", input="Hello").http_response
    )
    for pictures in ([b"one", b"two"], [b"ONE", b"two"]):
        found[pictures[0]] = raw(
            api.images.edit(image=[("a.png", p) for p in pictures], prompt="A cat").http_response
        )
    found["models"], found["model"] = (
        raw(api.models.list().http_response),
        raw(api.models.retrieve("gpt-4o").http_response),
    )
    found["page"] = raw(api.models.list(extra_query={"after": "x"}).http_response)
    return found


def test_what_a_teacher_hands_over_is_the_same_to_the_sdk_byte_for_byte_in_another_checkout(
    upstream, recording, tmp_path
):
    source = upstream(various())
    live = recording(source)
    first = tour(live.client())
    # what ships answers it, too
    live.client().chat.completions.create(**chat("Which day of the week was 2024-12-17?"))
    assert (
        first["plain"][2] == ODD
        and first["stream"][2] == STREAM
        and first["speech"][2] == SPEECH
        and first["refuse"][0] == 400
        and first[b"one"] != first[b"ONE"]
    )
    assert first["garbage"][2] == b"data: \xff\xfe\n\n"
    found = settled(tmp_path / "my_recordings", len(first) + 2)  # and the 429
    live.end()
    says_where_it_comes_from(found, source, tmp_path / "my_recordings")

    other = tmp_path / "checkout"
    for part in ("helpers", "data"):
        shutil.copytree(
            ROOT / part,
            other / part,
            ignore=shutil.ignore_patterns(
                "__pycache__", "audio", "my_recordings", "usage", "constructed"
            ),
        )
    shutil.copytree(tmp_path / "my_recordings", other / "data" / "my_recordings")
    env = {k: v for k, v in os.environ.items() if k != "DAY9_MY_RECORDINGS"}
    local = subprocess.Popen(
        [sys.executable, "-m", "helpers.local_api", "--key", KEY],
        cwd=other,
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        client = openai.OpenAI(
            base_url=re.search(r"OPENAI_BASE_URL=(\S+)", local.stdout.readline())[1], api_key=KEY
        )
        assert tour(client) == tour(client) == first
        own = client.chat.completions.with_raw_response.create(
            **chat("Which day of the week was 2024-12-17?")
        )
        assert (
            own.content == ODD
            and own.headers["X-Day9-Origin"] == "recorded"
            and own.headers["X-Day9-Recording"].startswith("my_recordings/")
        )
        shipped = client.chat.completions.with_raw_response.create(
            **chat("Which day of the week was 2024-12-18?")
        )
        assert shipped.headers["X-Day9-Origin"] == "constructed" and b"Wednesday" in shipped.content
        with pytest.raises(
            openai.APIStatusError, match="expected 'template ‹n›', yours 'template ‹m›'"
        ) as off:
            client.chat.completions.create(**chat("template {{ m }}", model="gpt-4o"))
        assert off.value.status_code == 424
        # for the books: what was recorded counts as what it is
        desk = http.client.HTTPConnection("127.0.0.1", client.base_url.port)
        desk.request("GET", "/day9/receipt", headers={"Authorization": f"Bearer {KEY}"})
        calls = json.loads(desk.getresponse().read())["calls"]
        desk.close()
        assert {
            "model": "gpt-x",
            "status": 200,
            "origin": "recorded",
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        } in calls
        assert "tts-1" not in {c["model"] for c in calls}
        assert re.search(
            r"Here: 0.00 USD. Not in the table: \d+ calls that have no price",
            repr(receipts._summed(calls, "2024-12-17")),
        )
    finally:
        local.kill()
        local.wait()
        local.stdout.close()


def says_where_it_comes_from(found, source, folder):
    for file in found:
        made = json.loads(file.read_bytes())
        assert made["origin"]["class"] == "recorded" and re.fullmatch(
            r"\d{4}-\d\d-\d\d", made["origin"]["date"]
        )
        assert (
            made["origin"]["sdk"] == f"openai-python {openai.__version__}"
            and made["origin"]["upstream"] == source.url.split("/")[2]
        )
        assert made["responses"][0]["headers"]["x-request-id"] == HEADERS["x-request-id"]
    assert {json.loads(f.read_bytes())["origin"].get("model") for f in found} == {
        "gpt-x",
        "gpt-4o",
        "tts-1",
        None,
    }
    assert re.fullmatch(r"\d{4}-chat-completions-gpt-4o\.json", found[0].name)
    everything = b"".join(f.read_bytes() for f in folder.rglob("*") if f.is_file())
    for secret in (
        "theReadersOwnKey",
        KEY,
        "Secret.Cookie",
        "user-someone",
        "AbCdEf0123456789",
        "8f3-FRA",
        "cf-ray",
        "cookie",
    ):
        assert secret.encode() not in everything, secret


CONNECTED = """
import helpers, sys
from openai import OpenAI

helpers.connect(answers="record:" + sys.argv[1])
client = OpenAI()
ask = lambda: client.chat.completions.with_raw_response.create(model="o1", messages=[{"role": "user", "content": "Which day of the week was 2024-12-17?"}])
first = ask()
helpers.connect(answers="recorded")
again = ask()
assert first.content == again.content and b"Tuesday" in again.content
assert (first.headers["X-Day9-Origin"], again.headers["X-Day9-Origin"]) == ("live", "recorded")
assert first.headers["X-Request-Id"] == again.headers["X-Request-Id"]
print(helpers.show(again.parse()))
"""


def test_connect_records_from_another_local_api_and_replays_to_the_same_client(tmp_path):
    other = Local(KEY)
    try:
        env = os.environ | {"DAY9_MY_RECORDINGS": str(tmp_path / "own"), "DAY9_KEY": KEY}
        ran = subprocess.run(
            [sys.executable, "-c", CONNECTED, other.url],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
    finally:
        other.end()
    assert ran.returncode == 0, ran.stderr
    assert (
        "captured from" in ran.stdout
        and "own/" in ran.stdout
        and KEY not in ran.stdout + ran.stderr
    )


def test_a_stream_keeps_its_pace(upstream, recording, tmp_path):
    there = threading.Event()
    events = [(sse(word) + "\n\n").encode() for word in ("one", "two")]
    # the second goes out a while after the first has been read, however slow this machine is
    live = recording(
        upstream(
            lambda *_: (
                200,
                {"Content-Type": "text/event-stream"},
                [events[0], lambda: there.wait(60) and time.sleep(0.3), events[1]],
            )
        )
    )
    for chunk in live.client().chat.completions.create(**chat("Go", model="gpt-x"), stream=True):
        there.set()
    [file] = settled(tmp_path / "my_recordings", 1)
    kept = json.loads(file.read_bytes())["responses"][0]["events"]
    assert [e["text"].encode() for e in kept] == events
    assert kept[1]["at"] - kept[0]["at"] >= 0.299
    local = Local(KEY, 1.0, answers.Answers(recordings.Library(own=tmp_path / "my_recordings")))
    try:
        begin, client = time.monotonic(), openai.OpenAI(base_url=local.url, api_key=KEY)
        assert [
            c.choices[0].delta.content
            for c in client.chat.completions.create(**chat("Go", model="gpt-x"), stream=True)
        ] == ["one", "two"]
        assert time.monotonic() - begin >= kept[1]["at"] - 0.001
    finally:
        local.end()


# --- many at once, and a process that dies --------------------------------------------------------


def numbered(request, body):
    """Says the last word of the question again, at some length."""
    number = json.loads(body)["messages"][0]["content"].split()[-1]
    return 200, HEADERS, [json.dumps(completion(f"{number} " + "and so on " * 200)).encode()]


def test_two_hundred_exchanges_at_once_from_eight_processes(upstream, recording, tmp_path):
    together = threading.Barrier(200)

    def answer(request, body):
        together.wait(120)  # nobody is answered before all have asked
        return numbered(request, body)

    source = upstream(answer)
    recorders = [recording(source) for _ in range(8)]
    clients = [
        openai.AsyncOpenAI(base_url=r.url, api_key=KEY, max_retries=0, timeout=180)
        for r in recorders
    ]

    async def ask_all():
        asked = (
            clients[n % 8].chat.completions.with_raw_response.create(
                **chat(f"Number {n}", model="gpt-x")
            )
            for n in range(200)
        )
        return [answer.content for answer in await asyncio.gather(*asked)]

    said = asyncio.run(ask_all())
    settled(tmp_path / "my_recordings", 200)
    library = recordings.Library(own=tmp_path / "my_recordings")
    assert (
        library.problems == [] and len({f.parent for f in files(tmp_path / "my_recordings")}) == 8
    )
    api = answers.Answers(library)
    for n, content in enumerate(said):
        answer = api.answer(
            "POST",
            CHAT,
            {},
            "application/json",
            json.dumps(chat(f"Number {n}", model="gpt-x")).encode(),
        )
        assert answer.body == content and json.loads(content)["choices"][0]["message"][
            "content"
        ].startswith(f"{n} ")
    assert not list((tmp_path / "my_recordings").rglob("*.part"))


@posix
def test_a_killed_process_loses_at_most_the_exchange_in_flight(upstream, recording, tmp_path):
    folder, chance = tmp_path / "my_recordings", random.Random(9)
    source = upstream(numbered)
    for round in range(2):
        live = recording(source)
        client = live.client(max_retries=0)
        killer = threading.Timer(chance.uniform(0, 0.2), live.process.send_signal, [signal.SIGKILL])
        heard = []
        with contextlib.suppress(openai.APIConnectionError):
            for n in range(100_000):
                if n == 5:
                    killer.start()
                heard.append(
                    client.chat.completions.with_raw_response.create(
                        **chat(f"Number {round}-{n}", model="gpt-x")
                    ).content
                )
        live.end()
        assert len(heard) >= 5
        library = recordings.Library(own=folder)
        assert library.problems == []
        api = answers.Answers(library)
        # whoever asks for the next one has the one before on the disk
        for n, content in enumerate(heard[:-1]):
            assert (
                api.answer(
                    "POST",
                    CHAT,
                    {},
                    "application/json",
                    json.dumps(chat(f"Number {round}-{n}", model="gpt-x")).encode(),
                ).body
                == content
            )


@posix
def test_a_process_that_dies_while_it_writes_leaves_nothing_that_is_loaded(
    upstream, recording, tmp_path
):
    live = recording(
        upstream(numbered), before="import os; os.fsync = lambda f: os.kill(os.getpid(), 9)"
    )
    with contextlib.suppress(openai.APIConnectionError):
        live.client(max_retries=0).chat.completions.create(**chat("Number 1", model="gpt-x"))
    live.process.wait(60)
    folder = tmp_path / "my_recordings"
    [left] = folder.rglob("*.part")
    library = recordings.Library(own=folder)
    assert library.problems == [] and not any(r.recorded for r in library.recordings)
    fresh = left.with_name("fresh.part")  # somebody else may be at it
    fresh.touch()
    os.utime(left, (0, 0))
    Recorder(folder).close()
    assert fresh.exists() and not left.exists()


KILLED = """
import helpers, sys, time
from openai import OpenAI

helpers.connect(answers="record:" + sys.argv[1])
stream = OpenAI().chat.completions.create(model="gpt-x", stream=True, messages=[{"role": "user", "content": "Go"}])
print(next(iter(stream)).choices[0].delta.content, flush=True)
time.sleep(120)
"""


@posix
def test_a_kernel_that_is_killed_in_the_middle_of_an_answer_loses_none_of_it(upstream, tmp_path):
    go, events = threading.Event(), [(sse(word) + "\n\n").encode() for word in ("one", "two")]
    source = upstream(
        lambda *_: (
            200,
            {"Content-Type": "text/event-stream"},
            [events[0], lambda: go.wait(60), events[1]],
        )
    )
    kernel = subprocess.Popen(
        [sys.executable, "-c", KILLED, source.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"DAY9_MY_RECORDINGS": str(tmp_path / "own")},
    )
    while kernel.stdout.readline() != "one\n":
        assert kernel.poll() is None
    kernel.kill()
    kernel.wait()
    kernel.stdout.close()
    time.sleep(0.3)  # the local API sees its end, and waits for the rest
    go.set()
    [file] = settled(tmp_path / "own", 1)
    assert [
        e["text"].encode() for e in json.loads(file.read_bytes())["responses"][0]["events"]
    ] == events


# --- what is taken out ----------------------------------------------------------------------------


def tape(
    folder,
    request,
    head,
    pieces,
    method="POST",
    path=CHAT,
    content_type="application/json",
    query=None,
    recorder=None,
):
    """Record one exchange without a socket; returns whether it was kept."""

    async def go():
        one = recorder or Recorder(folder)
        taping = one.begin(method, path, query or {}, content_type, request, "openai-python 3.54.0")
        taping.head(*head)
        for piece in pieces:
            taping.chunk(piece)
        kept = await taping.end()
        if not recorder:
            one.close()
        return kept

    return asyncio.run(go())


def secrets_of(chance):
    """A secret of some kind: (the text that holds it, what must not be found)."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    draw = lambda n: "".join(chance.choices(letters, k=n - 1)) + chance.choice("0123456789")
    name = chance.choice(["bob", "Zoë", "j.smith", "anna-lena"]) + draw(4)
    key = draw(chance.randint(16, 48))
    return chance.choice(
        [
            (f"sk-{key}", key),
            (f"sk-proj-{key[:12]}_{key[12:]}-T3BlbkFJ{key}", key[:12]),
            (f"sk-svcacct-{key}", key),
            (f"ek_{key}", key),
            (f"Bearer {key}", key),
            (f"org-{key[:24]}", key[:24]),
            (f"proj_{key[:24]}", key[:24]),
            (f"Cookie: session={key}", key),
            (f"Set-Cookie: __cf_bm={key}; HttpOnly", key),
            (f"/home/{name}/notes.txt", name),
            (f"/Users/{name}", name),
            (f"C:\\Users\\{name}\\a.py", name),
            (f"c:\\users\\{name} Smith\\a.py", name),
            (f"file:///home/{name}/x", name),
        ]
    )


def placed(chance, secret):
    """A JSON value with the secret somewhere in it."""
    text = chance.choice(["{}", "look: {} there", "\n{}\n", "({})", '"{}"', "key={}"]).format(
        secret
    )
    return chance.choice(
        [
            lambda: text,
            lambda: {"a": [1, None, {"b": text}]},
            lambda: {text: True},
            lambda: json.dumps({"deep": text}),
            lambda: [text, text],
            lambda: {"headers": {"Authorization": text, "Cookie": text}},
        ]
    )()


def everything_in(folder):
    """All texts under a folder: as bytes are written, as JSON means them, and as a stream says them
    in pieces.
    """
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name
            raw = file.read_bytes().decode("utf-8", "replace")
            yield raw
            if file.suffix == ".json":
                response = json.loads(raw)["responses"][0]
                said = ""
                for text in [
                    "\n".join(response.get("text", [])),
                    *(e["text"].removeprefix("data: ") for e in response.get("events", [])),
                ]:
                    with contextlib.suppress(ValueError):
                        value = json.loads(text)
                        yield from strings(value)
                        said += (
                            value.get("delta", "")
                            if isinstance(value, dict) and isinstance(value.get("delta"), str)
                            else ""
                        )
                yield said


def strings(value):
    if isinstance(value, str):
        yield value
        with contextlib.suppress(ValueError):  # JSON in a text
            inner = json.loads(value)
            yield from strings(inner) if isinstance(inner, (dict, list)) else ()
    for v in (
        [*value, *value.values()]
        if isinstance(value, dict)
        else value
        if isinstance(value, list)
        else ()
    ):
        yield from strings(v)


@pytest.mark.parametrize("seed", range(4))
def test_secrets_in_many_places_are_gone_and_the_request_still_finds_its_answer(seed, tmp_path):
    chance = random.Random(seed)
    folder, cases = tmp_path / "my_recordings", []
    recorder = Recorder(folder)
    for case in range(30):
        asked, answered = secrets_of(chance), secrets_of(chance)
        request = {
            "model": "gpt-x",
            "n_of_case": case,
            "messages": [{"role": "user", "content": placed(chance, asked[0])}],
        }
        sent, kind, query, method, path = (
            json.dumps(request, ensure_ascii=chance.random() < 0.5).encode(),
            "application/json",
            {},
            "POST",
            RESPONSES,
        )
        which = chance.choice(["json", "json", "form", "query"])
        if which == "form":
            kind = "multipart/form-data; boundary=b"
            sent = f'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\n{asked[0]} {case}\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n{asked[0]}\r\n--b--\r\n'.encode()
        elif which == "query":
            method, sent, query, path = (
                "GET",
                b"",
                {"after": asked[0], "case": str(case)},
                f"/v1/organization/{asked[0] if asked[0][:4] in ('org-', 'proj') else 'x'}/{case}",
            )
        headers = {
            "content-type": "application/json",
            "x-request-id": answered[0].replace("\n", " "),
            "set-cookie": asked[0],
        }
        shape = chance.choice(["json", "escaped", "lines", "stream", "stream", "words"])
        body = {
            "id": f"resp_{case}",
            "output": placed(chance, answered[0]),
            "organization_id": "org-" + "x1" * 12,
        }
        if shape == "stream":
            headers["content-type"] = "text/event-stream"
            text, cuts = (
                f"it is {answered[0]}!",
                sorted(chance.randrange(80) for _ in range(chance.randint(0, 6))),
            )
            pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, 999])]
            events = [{"type": "x.delta", "item_id": "msg_1", "delta": p} for p in pieces] + [
                {"type": "x.done", "text": text},
                body,
            ]
            raw = "".join(
                f"event: x\ndata: {json.dumps(e, ensure_ascii=chance.random() < 0.5)}\n\n"
                for e in events
            ).encode()
        elif shape == "escaped":
            raw = re.sub(
                r"[sekop/\\](?=[^u\"])",
                lambda m: m[0] if m[0] == "\\" else f"\\u{ord(m[0]):04x}",
                json.dumps({"said": answered[0].replace("\\", "/")}, ensure_ascii=False),
            ).encode()
            json.loads(raw)
        elif shape == "lines":
            raw = "\n".join(
                json.dumps({"line": n, "said": placed(chance, answered[0])}) for n in range(3)
            ).encode()
        else:
            raw = (
                answered[0].encode()
                if shape == "words"
                else json.dumps(body, indent=chance.choice([None, 2])).encode()
            )
        assert tape(folder, sent, (200, headers), [raw], method, path, kind, query, recorder), (
            recorder.lost
        )
        cases.append(((method, path, query, kind, sent), (shape, which), asked, answered))
    recorder.close()
    texts, library = set(everything_in(folder)), recordings.Library(folder)
    assert library.problems == []
    for case, (request, how, *secrets) in enumerate(cases):
        for text in texts:
            for secret, bare in secrets:
                assert bare not in text and secret not in text, (case, how, secret, text[:600])
        found = library.find_recorded(*request)
        assert found and found.name.startswith(f"{recorder.run.name}/{case + 1:04}-"), (
            case,
            how,
            secrets,
        )


def test_what_is_no_secret_stays_as_it_is():
    words = [
        "sk-learn and desk-bound, task-oriented-2024-plan, risk-adjusted",
        "org-wide, proj_x",
        "Bearer authentication is a scheme",
        "https://example.com/home/page and /v1/home",
        "Cookie: a small cake",
        "~/notes and /homework/x",
        "gAAAAABo-ek_x",
        "12 cookies: six",
    ]
    for text in words:
        assert scrub.text(text) == text
    kept = json.dumps({"type": "reasoning", "encrypted_content": "gAAA-ek_1234567890abcdef"})
    assert scrub.body(kept) == kept
    for text in [
        "sk-abc123def456",
        "/home/bob/",
        "Bearer abcdef123456",
        "Cookie: a=b",
        "C:\\Users\\Al B\\x",
    ]:
        assert scrub.text(text) != text and scrub.text(scrub.text(text)) == scrub.text(text)


# --- what answers what ----------------------------------------------------------------------------

JSON = (200, {"content-type": "application/json"})


def test_repeated_requests_walk_through_their_answers_and_a_new_run_stands_for_the_old_one(
    tmp_path,
):
    recorder, sent = Recorder(tmp_path), json.dumps(chat("Again?", model="gpt-x")).encode()
    poll = dict(method="GET", path="/v1/batches/batch_1", recorder=recorder)
    for n in range(2):
        tape(tmp_path, sent, JSON, [b'{"n": %d}' % n], recorder=recorder)
    tape(tmp_path, b"{}", JSON, [b'{"id": "batch_1"}'], path="/v1/batches", recorder=recorder)
    for n in range(3):
        tape(tmp_path, b"", JSON, [b'{"poll": %d}' % n], **poll)
    ask = lambda api, *request: api.answer(*request).body
    question, create, look = (
        ("POST", CHAT, {}, "application/json", sent),
        ("POST", "/v1/batches", {}, "application/json", b"{}"),
        ("GET", "/v1/batches/batch_1", {}, "", b""),
    )
    api = answers.Answers(recordings.Library(own=tmp_path))
    for _ in range(2):
        assert [ask(api, *question) for _ in range(3)] == [b'{"n": 0}', b'{"n": 1}', b'{"n": 1}']
        ask(api, *create)
        assert [ask(api, *look) for _ in range(4)] == [
            b'{"poll": 0}',
            b'{"poll": 1}',
            b'{"poll": 2}',
            b'{"poll": 2}',
        ]
        api.begin()
    recorder.new_run()
    tape(tmp_path, sent, JSON, [b'{"n": 9}'], recorder=recorder)
    api = answers.Answers(recordings.Library(own=tmp_path))
    assert [ask(api, *question) for _ in range(2)] == [b'{"n": 9}'] * 2 and ask(
        api, *look
    ) == b'{"poll": 0}'
    recorder.close()


def test_another_file_another_picture_or_a_stream_is_another_request(tmp_path):
    def form(*contents):
        parts = "".join(
            f'--b\r\nContent-Disposition: form-data; name="image[]"; filename="{n}.png"\r\n\r\n{content}\r\n'
            for n, content in enumerate(contents)
        )
        return (parts + "--b--\r\n").encode()

    kind = "multipart/form-data; boundary=b"
    tape(tmp_path, form("one", "two"), JSON, [b"{}"], path="/v1/images/edits", content_type=kind)
    picture = lambda content: json.dumps(
        chat(
            [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + content * 200}}],
            model="gpt-x",
        )
    ).encode()
    tape(tmp_path, picture("QUJD"), JSON, [ODD])
    library = recordings.Library(own=tmp_path)
    edits = lambda sent: library.find_recorded("POST", "/v1/images/edits", {}, kind, sent)
    assert (
        edits(form("one", "two"))
        and not edits(form("ONE", "two"))
        and not edits(form("one", "two", "three"))
    )
    asked = lambda sent: library.find_recorded("POST", CHAT, {}, "application/json", sent)
    assert asked(picture("QUJD")) and not asked(picture("QUJE"))
    assert not asked(picture("QUJD")[:-1] + b', "stream": true}')
    assert b"QUJDQUJD" not in b"".join(f.read_bytes() for f in files(tmp_path))


def test_an_own_recording_is_the_nearest_where_it_is(tmp_path):
    tape(
        tmp_path,
        json.dumps(chat("Say a word {{ about }} rivers", model="gpt-4o", stream=True)).encode(),
        JSON,
        [ODD],
    )
    api = answers.Answers(recordings.Library(own=tmp_path))
    ask = lambda **body: json.loads(
        api.answer("POST", CHAT, {}, "application/json", json.dumps(body).encode()).body
    )["error"]["message"]
    said = ask(**chat("Say a word {{ about }} seas", model="gpt-4o"), stream=True)
    assert (
        re.search("Nearest: .*/0001-chat-completions-gpt-4o", said)
        and "yours 'Say a word ‹about› seas'" in said
        and "stream" not in said
    )
    api.library.recordings = [r for r in api.library.recordings if r.recorded]
    assert "stream: expected 'True'" in ask(**chat("Say a word {{ about }} rivers", model="gpt-4o"))


def test_what_ended_too_soon_or_cannot_be_written_is_said_and_not_kept(tmp_path, caplog):
    async def go():
        recorder = Recorder(tmp_path / "own")
        cut = recorder.begin("POST", CHAT, {}, "application/json", b"{}", "")
        cut.head(*JSON)
        cut.chunk(b'{"a"')
        assert await cut.cut("reset by\nsk-abcdef123456")
        squeezed = recorder.begin("POST", CHAT, {}, "application/json", b"{}", "")
        squeezed.head(200, {"content-type": "application/json", "content-encoding": "br"})
        await squeezed.end()
        session = recorder.begin(
            "POST", "/v1/realtime/client_secrets", {}, "application/json", b"{}", ""
        )
        session.head(*JSON)
        session.chunk(b'{"value": "ek_1"}')
        assert await session.end()
        (tmp_path / "file").touch()
        full = Recorder(tmp_path / "file")
        taping = full.begin("POST", CHAT, {}, "application/json", b"{}", "")
        taping.head(*JSON)
        assert not await taping.end()
        return full.lost

    [lost] = asyncio.run(go())
    assert "not recorded" in lost and lost in caplog.text
    assert files(tmp_path / "own") == []
    one, two = (tmp_path / "own" / "cut.log").read_text(encoding="utf-8").splitlines()
    assert f"POST {CHAT}: reset by sk-scrubbed" in one and "compressed (br)" in two


BOOK = [
    "import helpers\nfrom openai import OpenAI\nhelpers.connect()\nclient = OpenAI()",
    "ask = lambda model, **more: client.chat.completions.create(model=model, messages=[{'role': 'user', 'content': 'Which day of the week was 2024-12-17?'}], **more)",
    "ask('o1')",
    "list(ask('gpt-4o', stream=True))",
    "ask('gpt-4o', max_completion_tokens=300)",
]


def test_a_notebook_is_shown_recorded_and_compared_in_shape_not_in_words(
    upstream, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("DAY9_MY_RECORDINGS", str(tmp_path / "own"))
    book = tmp_path / "a book.ipynb"
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in BOOK]), book
    )

    def said():
        return capsys.readouterr().out

    assert rerecord.main(["--show", str(book)]) == 0
    shown = said()
    assert (
        "o1-2024-12-17: 1 call; shut down on 2026-10-23: answered from recordings" in shown
        and "Nothing was sent" in shown
    )
    assert (
        re.search(r"gpt-4o\S*: 2 calls; recorded, about 0\.\d+ USD", shown)
        and not (tmp_path / "own").exists()
    )

    same = completion("Friday.") | {
        "system_fingerprint": "fp_1"
    }  # other words than what ships, in the same shape
    other = json.loads(json.dumps(same))
    del other["system_fingerprint"], other["choices"][0]["message"]["refusal"]
    other["choices"][0]["message"]["annotations"] = []
    chunk = lambda **delta: (
        f"data: {json.dumps({'id': 'c', 'object': 'chat.completion.chunk', 'created': 1, 'model': 'm', 'choices': [{'index': 0, 'delta': delta}]})}\n\n".encode()
    )
    source = upstream(
        lambda request, body: (
            (
                200,
                {"Content-Type": "text/event-stream"},
                [chunk(content="Fri"), chunk(content="day"), b'data: {"type": "x.new"}\n\n'],
            )
            if b'"stream"' in body
            else (200, JSON[1], [json.dumps(other if b'"gpt-4o"' in body else same).encode()])
        )
    )
    assert rerecord.main([str(book), "--from", source.url]) == 0
    told = said()
    assert "3 exchanges recorded" in told and "2 changed in shape, 1 did not, 0 are new" in told
    streamed, whole = (block.splitlines() for block in told.split("POST ")[1:])
    assert {
        "    was status 200, a stream: chat.completion.chunk → [DONE]",
        "    now status 200, a stream: chat.completion.chunk → x.new",
        "    - chat.completion.chunk choices[].finish_reason: text",
        "    + x.new type: text",
    } < set(streamed)
    assert whole[1:-1] == [
        "    - choices[].logprobs: null",
        "    - choices[].message.refusal: null",
        "    - system_fingerprint: text",
        "    + choices[].message.annotations: list",
    ]
    assert len(source.seen) == 3


RIGHT = {"status": 200, "headers": {"content-type": "application/json"}, "text": ["{}"]}
WRONG = {
    "body": ({"status": 200, "body": {}}, "one of text, events, file"),
    "two": (RIGHT | {"events": []}, "one of text, events, file"),
    "way out": ({"status": 200, "file": "../../secret"}, "not there"),
    "no file": ({"status": 200, "file": "0" * 64 + ".mp3"}, "not there"),
    "cookie": (RIGHT | {"headers": {"set-cookie": "a=b"}}, "of those that are kept"),
    "two lines": (RIGHT | {"headers": {"location": "a\r\nset-cookie: b"}}, "must be texts"),
    "lines": (RIGHT | {"text": "{}"}, "a list of lines"),
    "event": ({"status": 200, "events": [{"at": 0, "data": {}}]}, "its text"),
    "number": (5, "needs a status"),
}


def test_a_broken_recording_is_left_out_with_its_reason(tmp_path, monkeypatch, capsys):
    own = tmp_path / "my_recordings"
    write = lambda name, response, **more: (own / f"{name}.json").write_text(
        json.dumps(
            {
                "about": "x",
                "origin": {"class": "recorded"},
                "request": {"method": "POST", "path": "/v1/x", "body": {"a": name}},
                "responses": [response],
                **more,
            }
        )
    )
    own.mkdir()
    for name, (response, _) in WRONG.items():
        write(name, response)
    write("slots", RIGHT, slots={})
    write("right", RIGHT)
    library = recordings.Library(own=own)
    said = dict(library.left_out())
    assert set(said) == {f"my_recordings/{name}.json" for name in [*WRONG, "slots"]}
    assert (
        all(why in said[f"my_recordings/{name}.json"] for name, (_, why) in WRONG.items())
        and "no slots" in said["my_recordings/slots.json"]
    )
    assert library.find_recorded("POST", "/v1/x", {}, "application/json", b'{"a": "right"}')
    monkeypatch.setenv("DAY9_MY_RECORDINGS", str(own))
    assert catalogue.main(["check"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"my_recordings/slots.json line \d+: is recorded, and so has no slots", told)
    assert catalogue.main(
        ["show", "my_recordings/right"]
    ) == 0 and capsys.readouterr().out.endswith("Answer: 200\n{}\n")


def test_a_file_that_was_changed_does_not_answer(tmp_path):
    tape(tmp_path, b"{}", (200, {"content-type": "audio/mpeg"}), [SPEECH], path="/v1/audio/speech")
    api = answers.Answers(recordings.Library(own=tmp_path))
    ask = lambda: api.answer("POST", "/v1/audio/speech", {}, "application/json", b"{}")
    assert ask().body == SPEECH
    [file] = (tmp_path / "files").iterdir()
    assert file.suffix == ".mp3"
    file.write_bytes(SPEECH[:-1])
    assert ask().status == 500 and b"not what was recorded" in ask().body
    file.unlink()
    assert ask().status == 500
