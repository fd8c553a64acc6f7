"""Upstreams for tests: a strict imitation of api.openai.com, and a hostile server that does what it
is told.

Both listen on this machine. The imitation is our own local API with its recordings, behind checks
that are stricter than OpenAI's: whatever a request must not carry there ends in a 418 that names
it.
"""

import contextlib
import re
import socket
import threading
from decimal import Decimal

import openai

from helpers.local_api.answer import error
from helpers.local_api.upstream.forward import Upstream
from helpers.local_api.where import Secret, Where
from tests.asking import Local

# in two pieces: no key shape stands in the tree
REAL_KEY = "sk-" + "proj-THE-READERS-OWN-0123456789abcdef"
LOCAL_KEY = "day9-for-the-tests"
NOT_THERE = {
    "cookie",
    "origin",
    "referer",
    "proxy-authorization",
    "x-forwarded-for",
    "te",
    "upgrade",
}


class Imitation(Local):
    """api.openai.com as far as recordings go. `seen`: (method, path, headers, body) of each
    request; `said`: bytes to answer with instead, by path.
    """

    def __init__(self, pace=0.0):
        super().__init__(REAL_KEY, pace)
        self.seen, self.said, answer = [], {}, self.state.answer

        def strict(request):
            self.seen.append((request.method, request.path, dict(request.headers), request.body))
            wrong = "; ".join(self.wrong(request))
            if wrong:
                return error(418, f"This is not what OpenAI is sent: {wrong}.")
            return self.said.get(request.path) or answer(request)

        self.state.answer = strict
        self.state.repeats.remember = lambda *response: None  # each request is looked at

    def wrong(self, request):
        headers = {k.lower(): v for k, v in request.headers.get_all()}
        if headers.get("host") != f"127.0.0.1:{self.state.port}":
            yield f"Host {headers.get('host')!r}"
        keys = request.headers.get_list("Authorization")
        lent = request.path == "/v1/realtime/calls" and [
            key.removeprefix("Bearer ") in self.state.realtime.secrets.known for key in keys
        ] == [True]
        if keys != [f"Bearer {REAL_KEY}"] and not lent:
            yield "another key, or several"
        if headers.get("accept-encoding") != "identity":
            yield "an answer that cannot be looked at"
        if b"day9-" in request.body.lower() or any(
            "day9" in f"{k} {v}".lower() for k, v in headers.items()
        ):
            yield "the local API's key, or its headers"
        if NOT_THERE & set(headers):
            yield ", ".join(NOT_THERE & set(headers))
        if (
            request.method == "POST"
            and "content-length" not in headers
            and "transfer-encoding" not in headers
        ):
            yield "no length"


class Hostile:
    """A server that reads a request and then does `script(socket, request bytes)`; a list of
    scripts is one for each connection, the last for all later.
    """

    def __init__(self, *scripts):
        self.scripts, self.seen, self.connections, self.over = list(scripts), [], 0, False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.url = f"http://{self.host}/v1"
        self.serving = threading.Thread(target=self._serve, daemon=True)
        self.serving.start()

    def _serve(self):
        while True:
            sock, _ = self.listening.accept()
            if self.over:
                return sock.close()
            self.connections += 1
            threading.Thread(
                target=self._answer,
                args=(sock, self.scripts[min(self.connections, len(self.scripts)) - 1]),
                daemon=True,
            ).start()

    def _answer(self, sock, script):
        with sock, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                if not (piece := sock.recv(65536)):
                    return
                request += piece
            head, _, body = request.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            while length and len(body) < int(length[1]) and len(body) < 1_000_000:
                if not (piece := sock.recv(65536)):
                    return
                body += piece
            self.seen.append(head + b"\r\n\r\n" + body)
            script(sock, self.seen[-1])

    def end(self):
        """Let nobody in any more. Where it was closed while its thread still waits there, that
        thread would wait at the next socket of this number.
        """
        self.over = True
        if self.serving.is_alive():
            socket.create_connection(self.listening.getsockname()).close()
            self.serving.join()
        self.listening.close()


def says(*pieces):
    """A script that sends these bytes and closes; a piece that can be called is called with the
    socket.
    """

    def script(sock, request):
        for piece in pieces:
            piece(sock) if callable(piece) else sock.sendall(piece)

    return script


def response(body=b"", status="200 OK", kind="application/json", length=None, *more):
    """The bytes of a response; `length`: what it says of its length, or "none" to say nothing."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *more]
    if length != "none":
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*pieces, kind="text/event-stream", end=True):
    """The same, of unknown length."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n" * end


def at(url, openai=False, **more):
    """The Where of an upstream; as OpenAI it has the real key and a ceiling of one dollar."""
    return Where(
        url,
        openai,
        **({"key": Secret(REAL_KEY), "budget": Decimal("1.00")} if openai else {}) | more,
    )


class Forwarding(Local):
    """A local API that forwards to `where`."""

    def __init__(self, where, recorder=None, **more):
        self.upstream = Upstream(where, recorder, **more)
        super().__init__(LOCAL_KEY, upstream=self.upstream)

    def client(self, **more):
        return openai.OpenAI(
            **{"base_url": self.url, "api_key": LOCAL_KEY, "max_retries": 0, "timeout": 60} | more
        )
