"""The socket: tornado's HTTP/1.1 on 127.0.0.1, one key, the headers of the real API, streams at
their pace.

It stands on tornado's connection, without tornado.web: routes, cookies and templates are not needed
here, and without them the API starts sooner and a request costs half.
"""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import json
import logging
import os
import random
import secrets
import socket
import time
from email.utils import formatdate
from urllib.parse import parse_qsl, quote

from tornado import httpserver, httputil, iostream

from ..once import once
from . import door, pages
from .answer import Answer, as_json, error
from .answers import COMPUTED, Answers
from .ledger import Ledger

PAGES = "/day9/pages/"
HOST = "127.0.0.1"  # never localhost: Windows tries IPv6 first
MAX_BODY = 512 * 1024 * 1024  # the Files API's own limit
REMEMBERED = 512  # answers kept ready by the hash of the whole request
# Constructed like the answers: they show where a client would read them, not what any account had.
RATE_LIMITS = {"Requests": ("500", "499", "120ms"), "Tokens": ("30000", "29000", "2s")}


class Door(httputil.HTTPServerConnectionDelegate):
    """Gives each request that comes in an Exchange."""

    def __init__(self, state):
        self.state = state

    def start_request(self, server_conn, request_conn):
        return Exchange(self.state, request_conn)


class Headers(dict):
    """A response's headers, as tornado's connection asks for them. Its own class looks into each
    name anew, a tenth of a request's time.
    """

    get_all = dict.items


class Exchange(httputil.HTTPMessageDelegate):
    """One request and its answer: who asks, what is answered, how it is sent."""

    def __init__(self, state, connection):
        self.state, self.connection, self.body = state, connection, bytearray()
        self.upgrade = None  # takes over where a WebSocket is asked for
        self.pipe = None  # takes the body of an upload that is passed on as it comes
        self.note = ""  # why this machine answers and not the upstream

    def headers_received(self, start_line, headers):
        self.started = time.perf_counter()
        self.method, self.headers = start_line.method, headers
        self.path, _, self.query = start_line.path.partition("?")
        if self.path == "/v1/realtime" and headers.get("Upgrade", "").lower() == "websocket":
            self.upgrade = self.state.sockets.start_request(None, self.connection)
            return self.upgrade.headers_received(start_line, headers)
        if self.state.upstream:
            self.pipe = self.state.upstream.upload(self, self.state)

    def data_received(self, chunk):
        if self.pipe:
            return self.pipe.put(chunk)
        self.body += chunk

    def on_connection_close(self):
        if self.upgrade:
            self.upgrade.on_connection_close()
        if self.pipe:
            self.forwarded.cancel()

    def forward(self, answer):
        """Send an upstream's answer, a coroutine, when it is there."""
        self.forwarded = self.state.keep(self.send_later(answer))

    def finish(self):
        if self.upgrade:
            return self.upgrade.finish()
        if self.pipe:
            return self.state.keep(self.pipe.end())
        self.body = bytes(self.body)
        try:
            answer = self.state.answer(self)
        except (
            Exception
        ) as e:  # a fault of ours is an answer too, never a connection that just closes
            answer = self.fault(e)
        if asyncio.iscoroutine(answer):
            self.state.keep(self.send_later(answer))
        else:
            self.send(answer)

    def fault(self, e):
        logging.error("%s %s", self.method, self.path, exc_info=e)
        return error(500, f"The local API has a fault: {e!r}", "server_error")

    async def send_later(self, answer):
        """Send an answer that takes its time."""
        try:
            answer = await answer
        except Exception as e:
            answer = self.fault(e)
        with contextlib.suppress(iostream.StreamClosedError):  # the asker has gone
            if answer.flow:
                await self.send_flowing(answer)
            else:
                self.send(answer)

    async def send_flowing(self, answer):
        """Send an upstream's answer as it comes, no faster than it is read. It is recorded to its
        end also where the reader leaves.
        """
        line = httputil.ResponseStartLine(
            "HTTP/1.1", answer.status, httputil.responses.get(answer.status, "")
        )
        recorder = self.state.upstream.recorder
        async with contextlib.aclosing(answer.flow) as pieces:
            try:
                first = await anext(pieces)
                writing = self.connection.write_headers(line, self.headers_of(answer), first)
                if recorder:  # tornado forgets what is being written to one who leaves
                    self.connection.set_close_callback(
                        lambda: (
                            writing.done() or writing.set_exception(iostream.StreamClosedError())
                        )
                    )
                await writing
                async for piece in pieces:
                    writing = self.connection.write(piece)
                    await writing
                self.connection.finish()
            except ConnectionAbortedError:  # it ended too early, and so does what the reader gets
                self.connection.close()
            except iostream.StreamClosedError:
                if recorder:
                    async for _ in pieces:
                        pass

    def send(self, answer):
        headers = self.headers_of(answer)
        line = httputil.ResponseStartLine(
            "HTTP/1.1", answer.status, httputil.responses.get(answer.status, "")
        )
        if answer.events and self.state.pace:
            self.state.stream(self.connection, line, headers, answer.events)
            return
        body = b"".join(event for _, event in answer.events) or answer.body
        if answer.status != 204:
            headers["Content-Length"] = str(len(body))
        self.connection.write_headers(line, headers, b"" if self.method == "HEAD" else body)
        self.connection.finish()

    def headers_of(self, answer):
        headers = Headers()
        headers["Date"] = date(int(time.time()))
        headers["Server"] = "day9-local-api"
        origin = self.headers.get("Origin")
        if origin and door.is_loopback(origin):
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Location, X-Request-ID"
            headers["Vary"] = "Origin"
        if answer.status == 204:  # the preflight of a browser
            headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
            headers["Access-Control-Allow-Headers"] = self.headers.get(
                "Access-Control-Request-Headers", "*"
            )
            headers["Access-Control-Max-Age"] = "600"
            return headers
        headers["Content-Type"] = (
            "text/event-stream; charset=utf-8" if answer.events else "application/json"
        )
        for name, value in answer.headers.items():
            headers["-".join(map(str.capitalize, name.split("-")))] = value
        if self.path.startswith("/day9/") and answer.status == 200:
            return headers
        if "X-Request-Id" not in headers:
            headers["X-Request-Id"] = f"req_{random.getrandbits(128):032x}"
        if answer.note:
            headers["X-Day9-Note"] = quote(answer.note, " ,;:()'.[]/=")
        if (
            answer.origin.get("class") == "live"
        ):  # it is in the books, as soon as it told what it used
            headers["X-Day9-Origin"] = "live"
            return headers
        self.state.ledger.add(headers["X-Request-Id"], self, answer)
        if answer.origin:
            headers["X-Day9-Origin"] = answer.origin["class"]
            headers["X-Day9-Recording"] = quote(answer.recording) or "computed"
        if answer.as_it_came:
            return headers
        if answer.status not in (401, 404):
            headers["Openai-Version"] = "2020-10-01"
            headers["Openai-Processing-Ms"] = str(int(1000 * (time.perf_counter() - self.started)))
        if answer.model and answer.status != 424:
            headers["Openai-Organization"] = "day9-runnable"
            for what, (limit, remaining, reset) in RATE_LIMITS.items():
                headers[f"X-Ratelimit-Limit-{what}"] = limit
                headers[f"X-Ratelimit-Remaining-{what}"] = (
                    "0" if answer.status == 429 else remaining
                )
                headers[f"X-Ratelimit-Reset-{what}"] = reset
        if answer.status == 424 or answer.status == 500 and not answer.origin:
            headers["X-Should-Retry"] = (
                "false"  # nothing would change; a recorded 500 is followed by the answer
            )
        return headers


@functools.lru_cache(1)  # thousands of answers are of one second
def date(second):
    return formatdate(second, usegmt=True)


class State:
    """What all requests of one local API share. `upstream`: an upstream.forward.Upstream, or None
    where recordings answer.
    """

    def __init__(self, key, port, answers=None, pace=1.0, upstream=None):
        self.key, self.port, self.pace, self.upstream = key, port, pace, upstream
        self.answers = answers or Answers(pace=pace)
        self.aside = concurrent.futures.ThreadPoolExecutor(
            1
        )  # uploads and jobs: one after another, and nothing else waits for them
        self.ledger = Ledger()
        self.remembered = {}
        self.streams = set()  # asyncio holds its tasks only weakly

    def answer(self, request):
        """The Answer to a request, whoever it comes from."""
        wrong = door.stranger(request)
        if wrong:
            return wrong
        if request.method == "OPTIONS" and not request.path.startswith("/day9/"):
            return Answer(204)  # a browser's preflight carries no key
        if request.path.startswith(PAGES):
            return pages.page(request.method, request.path.removeprefix(PAGES))
        wrong = self.without_key(request)
        if wrong:
            return wrong
        if request.path.startswith("/day9/"):
            return self.desk(request)
        forwarded = self.upstream and self.upstream.take(request, self)
        if forwarded:
            return forwarded
        if request.path.startswith(COMPUTED):
            return self.later(request)
        return (
            self.realtime.answer(request)
            if request.path.startswith("/v1/realtime")
            else self.api(request)
        )

    @once
    def realtime(self):
        """The Realtime API's desk, loaded when it is first asked."""
        if self.upstream and self.upstream.where.openai:
            from .upstream.realtime import Desk

            return Desk(self, self.upstream)
        from .realtime.calls import Desk

        return Desk(self)

    @once
    def sockets(self):
        """The Realtime API's WebSockets, loaded when the first is asked for."""
        from .realtime import websocket

        if self.upstream and self.upstream.where.openai:
            from .upstream.realtime import Relay

            return websocket.application(self, Relay)
        return websocket.application(self)

    def unwelcome(self, request):
        """An error for a request that may not ask at all; else None."""
        return door.stranger(request) or self.without_key(request)

    def without_key(self, request):
        """An error for a request that does not know the key; else None."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given.strip()
        if scheme.lower() != "bearer" or not given:
            return error(
                401,
                "You didn't provide an API key. Send it as `Authorization: Bearer KEY`; helpers.connect() puts the local API's throw-away key into OPENAI_API_KEY.",
            )
        if given.startswith("ek_"):
            return self.realtime.wrong(given, request.path)
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            masked = (
                given[:3] + "*" * max(3, len(given) - 7) + given[-4:] if len(given) > 7 else "***"
            )
            return error(
                401,
                f"Incorrect API key provided: {masked}. This is the local API: its throw-away key is in OPENAI_API_KEY after helpers.connect().",
                code="invalid_api_key",
            )
        return None

    async def later(self, request):
        return await asyncio.get_running_loop().run_in_executor(self.aside, self.api, request)

    def api(self, request):
        """What is below /v1; an answer that never changes is kept ready by the hash of its
        request's bytes.
        """
        content_type = request.headers.get("Content-Type", "")
        known = hashlib.sha256(
            f"{request.method} {request.path}?{request.query} {content_type}\n".encode()
        )
        known.update(request.body)
        known = known.digest()
        answer = self.remembered.get(known)
        if answer is None:
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            retry = request.headers.get("X-Stainless-Retry-Count", "0")
            retry = int(retry) if retry.isdecimal() and len(retry) < 4 else 0
            answer = self.answers.answer(
                request.method, request.path, query, content_type, request.body, retry
            )
            if answer.keeps:
                if len(self.remembered) >= REMEMBERED:
                    self.remembered.clear()
                self.remembered[known] = answer
        return dataclasses.replace(answer, note=request.note) if request.note else answer

    def desk(self, request):
        """/day9: what helpers.wire(), receipt() and the frames read. Not part of OpenAI's API."""
        name = request.path.removeprefix("/day9/")
        if name == "begin" and request.method == "POST":
            self.ledger.begin()
            self.answers.begin()
            if self.upstream and self.upstream.recorder:
                self.upstream.recorder.new_run()
            found = {}
        elif request.method == "GET" and name == "exchanges":
            found = self.ledger.exchanges()
        elif request.method == "GET" and name == "receipt":
            found = self.ledger.summary() | {
                "training": self.answers.trained(),
                "upstream": self.upstream and self.upstream.summary(),
            }
        elif request.method == "GET" and name.startswith("origin/"):
            origin, recording = self.ledger.origins.get(name.removeprefix("origin/"), ({}, ""))
            found = {"origin": origin, "recording": recording}
        else:
            return error(404, f"Invalid URL ({request.method} {request.path})")
        return Answer(200, as_json(found))

    def stream(self, connection, line, headers, events):
        """Send the events, each at its time, until all are sent or the reader has gone."""
        task = self.keep(paced(connection, line, headers, events, self.pace))
        connection.set_close_callback(task.cancel)  # the reader interrupted the cell

    def keep(self, coroutine):
        """Run a coroutine to its end. Returns its task."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self.streams.add(task)
        task.add_done_callback(self.streams.discard)
        return task


async def paced(connection, line, headers, events, pace):
    clock = asyncio.get_running_loop().time
    begin = clock()
    try:
        for i, (at, event) in enumerate(events):
            # absolute deadlines: a late event does not delay those after it
            wait = begin + at * pace - clock()
            if wait > 0:
                await asyncio.sleep(wait)
            await (connection.write(event) if i else connection.write_headers(line, headers, event))
        connection.finish()
    except iostream.StreamClosedError:
        pass  # gone between two events


def bind(port=0):
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError where the port is in
    use.
    """
    # IPPROTO_TCP by name: only then does asyncio set TCP_NODELAY (without it +40 ms a request)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setblocking(False)
    if os.name != "nt":  # there SO_REUSEADDR would let a second server steal the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    sock.listen(128)
    return sock


def serve(sock, key, pace=1.0, answers=None, upstream=None):
    """Start answering on `sock` in the running event loop; returns the State."""
    state = State(key, sock.getsockname()[1], answers, pace, upstream)
    listening = httpserver.HTTPServer(
        Door(state), max_body_size=MAX_BODY, max_buffer_size=MAX_BODY, chunk_size=2**20
    )
    listening.conn_params.header_timeout = (
        None  # a connection of this machine may idle; a timer for each request costs a tenth of it
    )
    listening.add_socket(sock)
    return state


def hello(state):
    """What a starter needs to know, as one line of JSON."""
    library = state.answers.library
    origins = {}
    for r in library.recordings:
        origins[r.origin["class"]] = origins.get(r.origin["class"], 0) + 1
    return json.dumps(
        {
            "port": state.port,
            "recordings": len(library.recordings),
            "origins": origins,
            "problems": library.left_out(),
        }
    )
