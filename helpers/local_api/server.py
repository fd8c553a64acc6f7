"""The socket: tornado on 127.0.0.1, one key, the headers of the real API, streams at their pace."""
import asyncio
import hashlib
import json
import os
import secrets
import socket
import time
from urllib.parse import urlsplit

from tornado import httpserver, iostream, web

from .answers import Answers, as_json, error
from .ledger import Ledger

HOST = "127.0.0.1"  # never localhost: Windows tries IPv6 first
MAX_BODY = 512 * 1024 * 1024  # the Files API's own limit
REMEMBERED = 512  # answers kept ready by the hash of the whole request
# Constructed like the answers: they show where a client would read them, not what any account had.
RATE_LIMITS = {"requests": ("500", "499", "120ms"), "tokens": ("30000", "29000", "2s")}


class Api(web.RequestHandler):
    """Everything below /v1: who asks, what is answered, how it is sent."""

    SUPPORTED_METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")

    def initialize(self, state):
        self.state = state

    async def prepare(self):
        self.started = time.perf_counter()
        wrong = self.state.unwelcome(self.request)
        if wrong:
            await self.send(wrong)
        elif self.request.method == "OPTIONS":
            self.preflight()
        else:
            await self.send(self.state.answer(self.request))

    def preflight(self):
        self.set_status(204)
        self.set_header("Access-Control-Allow-Methods", "GET, POST, DELETE")
        self.set_header("Access-Control-Allow-Headers", self.request.headers.get("Access-Control-Request-Headers", "*"))
        self.set_header("Access-Control-Max-Age", "600")
        self.finish()

    def set_default_headers(self):
        self.set_header("Server", "day9-local-api")
        origin = self.request.headers.get("Origin")
        if origin and is_loopback(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", "X-Request-ID")
            self.set_header("Vary", "Origin")

    async def send(self, answer):
        request_id = "req_" + secrets.token_hex(16)
        self.state.ledger.add(request_id, self.request, self.request.headers.get("Content-Type", ""), answer)
        self.set_status(answer.status)
        set_header = self._headers.__setitem__  # our own values: no need for tornado's checks of each
        set_header("X-Request-Id", request_id)
        if answer.status not in (401, 404):
            set_header("Openai-Version", "2020-10-01")
            set_header("Openai-Processing-Ms", str(int(1000 * (time.perf_counter() - self.started))))
        if answer.model:
            set_header("Openai-Organization", "day9-runnable")
            for what, (limit, remaining, reset) in RATE_LIMITS.items():
                set_header(f"X-Ratelimit-Limit-{what}", limit)
                set_header(f"X-Ratelimit-Remaining-{what}", remaining)
                set_header(f"X-Ratelimit-Reset-{what}", reset)
        if answer.origin:
            set_header("X-Day9-Origin", answer.origin["class"])
            set_header("X-Day9-Recording", answer.recording or "computed")
        if answer.status == 424:
            set_header("X-Should-Retry", "false")
        if answer.events:
            await self.send_stream(answer.events)
        else:
            set_header("Content-Type", "application/json")
            self.finish(answer.body)

    async def send_stream(self, events):
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        begin = asyncio.get_running_loop().time()
        for at, event in events:
            # absolute deadlines: a late event does not delay those after it
            wait = begin + at * self.state.pace - asyncio.get_running_loop().time()
            if wait > 0:
                await asyncio.sleep(wait)
            self.write(event)
            if self.state.pace:
                try:
                    await self.flush()
                except iostream.StreamClosedError:
                    return  # the reader interrupted the cell
        self.finish()

    def compute_etag(self):
        return None  # OpenAI sends none; hashing every answer would cost time

    def write_error(self, status_code, **kwargs):
        """tornado's own errors, and ours if there is a bug, in OpenAI's envelope."""
        kind = "invalid_request_error" if status_code < 500 else "server_error"
        reason = kwargs["exc_info"][1] if "exc_info" in kwargs else self._reason
        self.set_header("Content-Type", "application/json")
        self.finish(error(status_code, f"The local API could not read this request or has a fault: {reason}", kind).body)


class Desk(Api):
    """/day9: what helpers.wire(), receipt() and the frames read. Not part of OpenAI's API."""

    async def prepare(self):
        self.started = time.perf_counter()
        wrong = self.state.unwelcome(self.request)
        if wrong:
            return await self.send(wrong)
        ledger, name = self.state.ledger, self.request.path.removeprefix("/day9/")
        if name == "begin" and self.request.method == "POST":
            self.state.begin()
            found = {}
        elif name == "exchanges":
            found = ledger.exchanges()
        elif name == "receipt":
            found = ledger.summary()
        elif name.startswith("origin/"):
            origin, recording = ledger.origins.get(name.removeprefix("origin/"), ({}, ""))
            found = {"origin": origin, "recording": recording}
        else:
            return await self.send(error(404, f"Invalid URL ({self.request.method} {self.request.path})"))
        self.set_header("Content-Type", "application/json")
        self.finish(as_json(found))


def is_loopback(origin):
    """Whether a browser page comes from this machine."""
    return urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1")


class State:
    """What all requests of one local API share."""

    def __init__(self, key, port, answers=None, pace=1.0):
        self.key, self.port, self.pace = key, port, pace
        self.answers = answers or Answers()
        self.ledger = Ledger()
        self.remembered = {}

    def begin(self):
        self.ledger.begin()
        self.answers.library.rewind()

    def unwelcome(self, request):
        """An error for a request that is not from here or does not know the key; else None."""
        # another page's name that was made to point here (DNS rebinding) shows itself in Host
        if request.host.rpartition(":")[0] not in ("127.0.0.1", "localhost"):
            return error(403, f"This local API answers to 127.0.0.1 only, not to the host {request.host!r}.")
        origin = request.headers.get("Origin")
        if origin and not is_loopback(origin):
            return error(403, f"This local API answers pages of this machine only, not {origin!r}.")
        if request.method == "OPTIONS":
            return None
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not given:
            return error(401, "You didn't provide an API key. Send it as `Authorization: Bearer KEY`; helpers.connect() puts the local API's throw-away key into OPENAI_API_KEY.")
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            masked = given[:3] + "*" * max(3, len(given) - 7) + given[-4:] if len(given) > 7 else "***"
            return error(401, f"Incorrect API key provided: {masked}. This is the local API: its throw-away key is in OPENAI_API_KEY after helpers.connect().", code="invalid_api_key")
        return None

    def answer(self, request):
        """The Answer to a tornado request; one that never changes is kept ready by the hash of its bytes."""
        content_type = request.headers.get("Content-Type", "")
        known = hashlib.sha256(f"{request.method} {request.uri} {content_type}\n".encode() + request.body).digest()
        if known in self.remembered:
            return self.remembered[known]
        query = {k: v[-1].decode("utf-8", "replace") for k, v in request.query_arguments.items()}
        retry = request.headers.get("X-Stainless-Retry-Count", "0")
        answer = self.answers.answer(request.method, request.path, query, content_type, request.body, int(retry) if retry.isdigit() else 0)
        if answer.keeps:
            if len(self.remembered) >= REMEMBERED:
                self.remembered.clear()
            self.remembered[known] = answer
        return answer


def bind(port=0):
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError where the port is in use."""
    # IPPROTO_TCP by name: only then does asyncio set TCP_NODELAY (without it +40 ms a request)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setblocking(False)
    if os.name != "nt":  # there SO_REUSEADDR would let a second server steal the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    sock.listen(128)
    return sock


def serve(sock, key, pace=1.0):
    """Start answering on `sock` in the running event loop; returns the State."""
    state = State(key, sock.getsockname()[1], pace=pace)
    app = web.Application([(r"/day9/.*", Desk, {"state": state}), (r".*", Api, {"state": state})], log_function=lambda handler: None)
    httpserver.HTTPServer(app, max_body_size=MAX_BODY, max_buffer_size=MAX_BODY).add_socket(sock)
    return state


def hello(state):
    """What a starter needs to know, as one line of JSON."""
    library = state.answers.library
    origins = {}
    for r in library.recordings:
        origins[r.origin["class"]] = origins.get(r.origin["class"], 0) + 1
    return json.dumps({"port": state.port, "recordings": len(library.recordings), "origins": origins, "problems": library.problems})
