"""The attacks that SECURITY.md speaks of, tried: none gets in, and the key
gets out nowhere.
"""

import contextlib
import http.client
import json
import re
import socket
import subprocess
import time
from pathlib import Path

import openai
import pytest

from helpers.local_api import where
from helpers.local_api.realtime import secrets as client_secrets
from tests.asking import CHAT, RESPONSES, chat
from tests.conftest import needs
from tests.test_connection import script
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

ROOT = Path(__file__).resolve().parents[2]
DAY = chat("Which day of the week was 2024-12-17?", "gpt-5.6-sol")
# what costs money, what shows something, what a browser may open
DOORS = [
    ("POST", CHAT),
    ("POST", RESPONSES),
    ("GET", "/v1/models"),
    ("GET", "/v1/files"),
    ("POST", "/v1/fine_tuning/jobs"),
    ("POST", "/v1/realtime/client_secrets"),
    ("POST", "/v1/realtime/calls"),
    ("GET", "/day9/exchanges"),
    ("GET", "/day9/receipt"),
    ("POST", "/day9/begin"),
]


@pytest.fixture(scope="module")
def live():
    """A local API with the reader's key, and the imitation of OpenAI that it asks."""
    there = Imitation()
    one = Forwarding(at(there.url, True))
    one.there = there
    yield one
    one.end()
    there.end()


def ask(one, method, path, headers, body=None):
    """(status, body as text)"""
    connection = http.client.HTTPConnection("127.0.0.1", one.state.port, timeout=60)
    try:
        connection.request(
            method, path, json.dumps(body or DAY), {"Content-Type": "application/json"} | headers
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def handshake(one, headers):
    """What a WebSocket gets to see, as text: the answer to its upgrade, and the first frames."""
    lines = {
        "Host": f"127.0.0.1:{one.state.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    } | headers
    with socket.create_connection(("127.0.0.1", one.state.port), 60) as sock:
        sock.sendall(
            (
                "GET /v1/realtime?model=gpt-realtime HTTP/1.1\r\n"
                + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
                + "\r\n"
            ).encode()
        )
        got = b""
        with contextlib.suppress(TimeoutError):
            while piece := sock.recv(65536):
                got += piece
                if (
                    b"session.created" in got
                    or b'"error"' in got
                    or b"\r\n\r\n" in got
                    and not got.startswith(b"HTTP/1.1 101")
                ):
                    break
    return got.decode("utf-8", "replace")


# --- a page from elsewhere ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "from_elsewhere",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example:8888"},
    ],
    ids=str,
)
def test_a_page_from_elsewhere_is_refused_though_it_knows_the_key(live, from_elsewhere):
    """DNS rebinding: the name of another page's server comes to mean 127.0.0.1. It shows in Host;
    any other page shows in Origin.
    """
    live.there.seen.clear()
    for method, path in DOORS:
        status, _ = ask(
            live, method, path, {"Authorization": f"Bearer {LOCAL_KEY}"} | from_elsewhere
        )
        assert status == 403, (method, path)
        status, _ = ask(live, "OPTIONS", path, from_elsewhere)
        assert status == 403, path
    got = handshake(live, {"Authorization": f"Bearer {LOCAL_KEY}"} | from_elsewhere)
    assert got.startswith("HTTP/1.1 403") and "session.created" not in got
    status, _ = ask(
        live,
        "POST",
        "/v1/files",
        {"Authorization": f"Bearer {LOCAL_KEY}", "Content-Type": "multipart/form-data; boundary=x"}
        | from_elsewhere,
    )
    assert status == 403 and not live.there.seen  # an upload is judged before it is passed on


def test_a_page_from_elsewhere_cannot_read_what_a_form_of_its_own_sends(live):
    """Browsers send plain forms without asking first, and without an Origin in old ones: the key is
    asked for all the same.
    """
    live.there.seen.clear()
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        for path in (CHAT, "/v1/files"):
            status, _ = ask(live, "POST", path, {"Content-Type": kind})
            assert status == 401
    assert not live.there.seen


# --- who has no key, or another -------------------------------------------------------------------


def test_no_door_opens_without_the_throw_away_key(live):
    other = Forwarding(at(live.there.url, True))  # the local API of another kernel
    other.state.door.key = "day9-of-another-kernel"
    live.there.seen.clear()
    for key in (
        None,
        "",
        "x",
        LOCAL_KEY[:-1],
        LOCAL_KEY + "x",
        LOCAL_KEY.upper(),
        other.state.door.key,
        REAL_KEY,
        "ek_" + "0" * 32,
        "é",
    ):
        headers = (
            {} if key is None else {"Authorization": f"Bearer {key}".encode().decode("latin1")}
        )
        for method, path in DOORS:
            status, said = ask(live, method, path, headers)
            assert status == 401 and REAL_KEY not in said and LOCAL_KEY not in said, (key, path)
        assert "session.created" not in handshake(live, headers)
        status, _ = ask(
            live, "POST", "/v1/files", headers | {"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert status == 401
    assert ask(other, "POST", CHAT, {"Authorization": f"Bearer {LOCAL_KEY}"})[0] == 401
    assert not live.there.seen
    other.end()


def test_a_browsers_secret_opens_realtime_for_a_while_and_nothing_else(live, monkeypatch):
    made = live.state.realtime.secrets.create(
        {"session": {"type": "realtime", "model": "gpt-realtime"}}
    )
    headers = {"Authorization": f"Bearer {made['value']}"}
    live.there.seen.clear()
    for method, path in DOORS + [
        ("POST", "/v1/realtime/../chat/completions"),
        ("POST", "/v1/realtime/calls/../../responses"),
        ("POST", "/v1/realtime%2f..%2fchat%2fcompletions"),
    ]:
        if path != "/v1/realtime/calls":
            assert ask(live, method, path, headers)[0] in (401, 404), path
    now = time.time
    monkeypatch.setattr(client_secrets.time, "time", lambda: now() + client_secrets.LONGEST + 1)
    status, said = ask(live, "POST", "/v1/realtime/calls", headers)
    assert status == 401 and "expired" in said
    assert not live.there.seen


# --- where it listens -----------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux lists its sockets there")
def test_it_listens_on_the_loopback_address_alone(live):
    listening = [
        line.split()
        for file in ("/proc/net/tcp", "/proc/net/tcp6")
        if Path(file).exists()
        for line in Path(file).read_text(encoding="utf-8").splitlines()[1:]
    ]
    ours = [
        address
        for _, address, _, state, *_ in listening
        if address.endswith(f":{live.state.port:04X}") and state == "0A"
    ]
    assert ours == [f"0100007F:{live.state.port:04X}"]


# --- where the key goes ---------------------------------------------------------------------------


def test_the_key_goes_to_openai_and_to_no_other_server():
    there = Hostile(says(response(b"{}")))
    said = script(
        f"""
import os, helpers, urllib.request
from openai import OpenAI
os.environ |= dict(DAY9_MODEL="m", OPENAI_ORG_ID="org-of-the-reader", OPENAI_PROJECT_ID="proj-of-the-reader")
for answers in ("{there.url}", "recorded", "{there.url}"):
    helpers.connect(answers)
    client = OpenAI(max_retries=0)
    for call in (client.models.list, lambda: client.chat.completions.create(model="o1", messages=[]), lambda: client.embeddings.create(model="m", input="x")):
        try:
            call()
        except Exception:
            pass
""",
        OPENAI_API_KEY=REAL_KEY,
        OPENAI_ADMIN_KEY=REAL_KEY,
    )
    there.end()
    sent = b"\n".join(there.seen).lower()
    assert len(there.seen) >= 4 and b"authorization: bearer none" in sent
    for private in (REAL_KEY, "org-of-the-reader", "proj-of-the-reader", "day9-"):
        assert private.lower().encode() not in sent
    assert REAL_KEY not in said


def test_the_key_follows_no_redirect():
    elsewhere = Hostile(says(response(b"{}")))
    moved = Hostile(
        *(
            says(response(b"", status, "text/html", None, f"Location: {to}"))
            for status in (
                "301 Moved",
                "302 Found",
                "303 See Other",
                "307 Temporary",
                "308 Permanent",
            )
            for to in ("/v1/models", elsewhere.url + "/models", f"//{elsewhere.host}/v1/models")
        )
    )
    one = Forwarding(at(moved.url, True))
    for _ in range(15):
        with pytest.raises(openai.InternalServerError, match="which is not followed"):
            one.client().models.list()
    assert len(moved.seen) == 15 and not elsewhere.connections
    handshake(one, {"Authorization": f"Bearer {LOCAL_KEY}"})  # a WebSocket too is sent elsewhere
    assert (
        len(moved.seen) == 16 and REAL_KEY.encode() in moved.seen[-1] and not elsewhere.connections
    )
    for end in (one, moved, elsewhere):
        end.end()


def echo(sock, request):
    """The worst upstream: it sends back all that it was sent, key and all, in every place there
    is.
    """
    head, _, body = request.decode().partition("\r\n\r\n")
    key = re.search(r"(?i)authorization: ([^\r]*)", head)[1]
    said = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": key,
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": head}}
        ],
    }
    more = [f"X-Echo: {key}", f"X-Request-Id: {key}"]
    if '"stream":true' in body.replace(" ", ""):
        event = (
            b"data: "
            + json.dumps(
                {
                    "id": "chatcmpl-1",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "m",
                    "choices": [{"index": 0, "delta": {"content": head}}],
                }
            ).encode()
            + b"\n\n"
        )
        sock.sendall(chunked(event[:40], event[40:], event[:-9], end=False))  # and is cut off
    elif "refuse" in body:
        sock.sendall(
            response(
                json.dumps(
                    {
                        "error": {
                            "message": f"Incorrect API key provided: {key}",
                            "type": "invalid_request_error",
                            "param": None,
                            "code": key,
                        }
                    }
                ).encode(),
                "401 Unauthorized",
                "application/json",
                None,
                *more,
            )
        )
    elif "garbage" in body:
        sock.sendall(response(f"{{ {key}".encode(), "200 OK", "application/json", None, *more))
    elif "nonsense" in body:
        sock.sendall(f"HTTP/1.1 {key}\r\n{key}\r\n\r\n".encode())
    else:
        sock.sendall(response(json.dumps(said).encode(), "200 OK", "application/json", None, *more))


NO_MATTER_WHAT = """
import logging, os, pathlib, sys, traceback
logging.basicConfig(level=logging.DEBUG)
import helpers
from helpers import connection, running
from helpers.local_api import where
where.OPENAI = "%s"
def shown(e):  # as a verbose traceback shows it, with every variable
    print("".join(traceback.TracebackException.from_exception(e, capture_locals=True).format()))
for wrong in ({"DAY9_BUDGET": "two"}, {"DAY9_ANSWERS": "lively"}, {"DAY9_ANSWERS": "http://127.0.0.1:1/v1", "DAY9_KEY": "the same"}, {"DAY9_PACE": "fast"}):
    os.environ.update({"DAY9_ANSWERS": "live"} | wrong)
    if "DAY9_KEY" in wrong:
        os.environ["DAY9_KEY"] = os.environ["OPENAI_API_KEY"]
    try:
        helpers.connect()
        print("not told:", list(wrong))
    except (ValueError, RuntimeError) as e:
        shown(e)
    for name in wrong:
        del os.environ[name]
os.environ["DAY9_BUDGET"] = "none"
helpers.connect("record")
from openai import OpenAI
client = OpenAI(max_retries=0)
for words in ("fine", "refuse", "garbage", "nonsense"):
    for stream in (False, True):
        try:
            answer = client.chat.completions.create(model="gpt-5.6-sol", messages=[{"role": "user", "content": words}], stream=stream)
            print(list(answer) if stream else helpers.show(answer))
        except Exception as e:
            shown(e)
        print(helpers.wire(), connection.server().ask("exchanges"), connection.server().ask("receipt"), helpers.receipt())
pid = connection.server().process.pid
for name in ("environ", "cmdline"):
    if pathlib.Path(f"/proc/{pid}/{name}").exists():
        print(pathlib.Path(f"/proc/{pid}/{name}").read_bytes())
helpers.connect("recorded")
print(vars(running.server()), connection._own_key, running.current.where)
print("came to its end")
"""


def test_the_key_is_in_nothing_that_is_printed_logged_or_kept(tmp_path):
    there = Hostile(echo)
    said = script(
        NO_MATTER_WHAT % there.url, OPENAI_API_KEY=REAL_KEY, DAY9_MY_RECORDINGS=str(tmp_path)
    )
    there.end()
    assert "came to its end" in said and "not told" not in said and len(there.seen) == 8
    # it did go there
    assert all(f"Bearer {REAL_KEY}".encode() in request for request in there.seen)

    kept = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert any(file.suffix == ".json" for file in kept)
    for file, raw in kept.items():
        assert REAL_KEY.encode() not in raw, file
    assert REAL_KEY not in said, said[said.index(REAL_KEY) - 300 :][:400]


def test_started_from_a_shell_it_does_not_show_the_readers_key(tmp_path):
    said = script(
        """
import subprocess, sys
api = subprocess.Popen([sys.executable, "-m", "helpers.local_api"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
for line in api.stdout:
    print(line, end="")
    if "export" in line:
        break
api.terminate()
""",
        OPENAI_API_KEY=REAL_KEY,
        DAY9_ANSWERS="live",
        PYTHONUNBUFFERED="1",
    )
    assert (
        "asked with your own key" in said
        and "OPENAI_API_KEY=day9-" in said
        and REAL_KEY not in said
    )


def test_a_secret_shows_itself_nowhere():
    secret = where.Secret(REAL_KEY)
    assert (
        REAL_KEY
        not in f"{secret} {secret!r} {[secret]} {where.Where('http://h/v1', True, key=secret)}"
        and secret == where.Secret(REAL_KEY) != where.Secret("")
    )


@needs("git")
def test_no_key_stands_in_the_tree():
    """Shapes of real keys, in all that is or could be committed; those that tests make up say so in
    capitals.
    """
    shapes = r"sk-(proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}|ek_[0-9a-f]{32}|sess-[A-Za-z0-9]{40}|org-[A-Za-z0-9]{24}\b|proj_[A-Za-z0-9]{24}|hf_[A-Za-z0-9]{34}|ghp_[A-Za-z0-9]{36}|AKIA[0-9A-Z]{16}"
    found = subprocess.run(
        [
            "git",
            "grep",
            "--no-index",
            "--exclude-standard",
            "-nIoE",
            rf"(^|[^A-Za-z0-9_-])({shapes})",
            "--",
            ".",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode in (0, 1), found.stderr
    odd = [
        line
        for line in found.stdout.splitlines()
        if not re.search(r"READER|EXAMPLE|THE-|0123456789", line)
    ]
    assert odd == []
