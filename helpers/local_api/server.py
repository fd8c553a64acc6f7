"""The socket: tornado's HTTP/1.1 on 127.0.0.1, one key, the headers of the real API, streams at
their pace.

It stands on tornado's connection, without tornado.web: routes, cookies and templates are not needed
here, and without them the API starts sooner and a request costs half.
"""

import asyncio
import contextlib
import importlib
import json
import logging
import os
import socket
import time
from urllib.parse import quote

from tornado import httputil, iostream

from ..common.private import must_have
from . import accepting, door
from .answer import error, fault
from .answers import Answers
from .envelopes import date, request_id
from .ledger import Entry
from .state import State

UPLOADS, REALTIME = "/v1/files", "/v1/realtime"
HOST = "127.0.0.1"  # never localhost: Windows tries IPv6 first
MAX_BODY = 512 * 1024 * 1024  # the Files API's own limit
MAX_JSON = 64 * 1024 * 1024  # of what is read as a whole, and is no upload
# of an offer, which has some 10 kB, or a session: of both much more than any client needs
MAX_REALTIME = 1024 * 1024
MAX_HEADERS = 64 * 1024
UNREADABLE = 1024 * 1024  # bytes of headers after which a connection is closed without a word
IDLE = 300  # seconds after which a connection that sends nothing is closed
# Constructed like the answers: they show where a client would read them, not what any account had.
RATE_LIMITS = {"Requests": ("500", "499", "120ms"), "Tokens": ("30000", "29000", "2s")}


class Connections(httputil.HTTPServerConnectionDelegate):
    """Gives each request that comes in an Exchange, and ends connections that send nothing.

    One look at all of them now and then: a timer for each request would cost a tenth of it.
    """

    def __init__(self, state):
        self.state = state
        self.heard = {}  # {connection whose request is not whole: when it last sent something}

    def start_request(self, server_conn, request_conn):
        self.heard[server_conn] = time.monotonic()
        return Exchange(self.state, request_conn, self, server_conn)

    def on_close(self, server_conn):
        self.heard.pop(server_conn, None)

    def again(self, server_conn, came):
        """The response to a request that is known by its bytes, or None."""
        response = self.state.repeats.again(came)
        if response:
            self.heard[server_conn] = time.monotonic()
        return response

    def sweep(self, now):
        """Close what has sent nothing for IDLE seconds."""
        for silent in [c for c, last in self.heard.items() if now - last > IDLE]:
            self.on_close(silent)
            silent.stream.close()

    async def watch(self):
        while True:
            await asyncio.sleep(IDLE / 10)
            self.sweep(time.monotonic())


class Headers(dict):
    """A response's headers, as tornado's connection asks for them. Its own class looks into each
    name anew, a tenth of a request's time.
    """

    get_all = dict.items


class Exchange(httputil.HTTPMessageDelegate):
    """One request and its answer: who asks, what is answered, how it is sent."""

    def __init__(self, state, connection, connections, socket):
        self.state, self.connection, self.body = state, connection, bytearray()
        self.connections, self.socket = connections, socket
        self.upgrade = None  # takes over where a WebSocket is asked for
        self.pipe = None  # takes the body of an upload that is passed on as it comes
        self.note = ""  # why this machine answers and not the upstream

    def headers_received(self, start_line, headers):
        self.started = time.perf_counter()
        self.method, self.headers, self.version = start_line.method, headers, start_line.version
        self.path, _, self.query = start_line.path.partition("?")
        if sum(map(len, headers)) + sum(map(len, headers.values())) > MAX_HEADERS:
            return self.send(error(431, f"The headers are longer than {MAX_HEADERS:,} bytes."))
        length = headers.get("Content-Length", "")
        if length.isdecimal() and len(length) < 20 and self.too_long(int(length)):
            return None
        if self.path.startswith(REALTIME):
            return self.realtime(start_line, headers)
        if self.state.upstream:
            self.pipe = self.state.upstream.upload(self, self.state)

    async def realtime(self, start_line, headers):
        """Load what answers, beside the event loop: the first time that takes a second."""
        await asyncio.to_thread(importlib.import_module, f"{__package__}.realtime.websocket")
        if self.path == "/v1/realtime" and headers.get("Upgrade", "").lower() == "websocket":
            self.connections.on_close(self.socket)  # it has pings of its own
            self.upgrade = self.state.sockets.start_request(None, self.connection)
            opened = self.upgrade.headers_received(start_line, headers)
            if opened is not None:
                await opened

    def too_long(self, size):
        """Is a body of so many bytes refused? It is then told so, and the connection closed."""
        if self.path.startswith(REALTIME):
            most, kind = MAX_REALTIME, "for Realtime"
        elif self.path == UPLOADS or self.state.upstream:
            return False
        else:
            most, kind = MAX_JSON, "that is no upload"
        if size <= most:
            return False
        self.body = b""
        self.send(
            error(
                413,
                f"The body of your request is longer than {most:,} bytes, which the local API "
                f"reads of one {kind}.",
                code="request_too_large",
            )
        )
        return True

    def data_received(self, chunk):
        self.connections.heard[self.socket] = time.monotonic()
        if self.pipe:
            return self.pipe.put(chunk)
        if not self.too_long(len(self.body) + len(chunk)):
            self.body += chunk

    def on_connection_close(self):
        if self.upgrade:
            self.upgrade.on_connection_close()
        if self.pipe:
            self.forwarded.cancel()

    def forward(self, answer):
        """Send an upstream's answer, a coroutine, when it is there."""
        self.forwarded = self.state.tasks.keep(self.send_later(answer))

    def finish(self):
        self.connections.on_close(self.socket)  # its request is whole: now it waits for us
        if self.upgrade:
            return self.upgrade.finish()
        if self.pipe:
            return self.state.tasks.keep(self.pipe.end())
        if self.path != UPLOADS:  # which may be long, and is read without a copy of it
            self.body = bytes(self.body)
        try:
            answer = self.state.answer(self)
        except (
            Exception
        ) as e:  # a fault of ours is an answer too, never a connection that just closes
            answer = self.fault(e)
        if asyncio.iscoroutine(answer):
            self.state.tasks.keep(self.send_later(answer))
        else:
            self.send(answer)

    def fault(self, e):
        logging.error("%s %s", self.method, self.path, exc_info=e)
        return error(500, fault(e), "server_error")

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
        recorder = self.state.upstream and self.state.upstream.recorder
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
            if self.connection.stream.closed():  # gone, while the answer was looked for
                return
            task = self.state.tasks.keep(
                paced(self.connection, line, headers, answer.events, self.state.pace)
            )
            self.connection.set_close_callback(task.cancel)  # the reader interrupted the cell
            return
        body = b"".join(event for _, event in answer.events) or answer.body
        if answer.status != 204:
            headers["Content-Length"] = str(len(body))
        sent = b"" if self.method == "HEAD" else body
        self.connection.write_headers(line, headers, sent)
        self.connection.finish()
        came = self.socket.stream.whole() if self.always(answer, headers) else b""
        if came:
            first = f"{line.version} {line.code} {line.reason}"
            self.state.repeats.remember(came, first, headers, sent, Entry.of(self, answer))

    def always(self, answer, headers):
        """Whether the same bytes would always get the answer that was sent, and nothing else."""
        return (
            answer.keeps
            and not (answer.as_it_came or answer.note or self.state.upstream)
            and self.version == "HTTP/1.1"
            and "Connection" not in headers  # it stays open
            and "Expect" not in self.headers  # which has an answer of its own before
        )

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
            headers["X-Request-Id"] = request_id()
        if answer.note:
            headers["X-Day9-Note"] = quote(answer.note, " ,;:()'.[]/=")
        # it is in the books, as soon as it told what it used
        if answer.origin.get("class") == "live":
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
            # nothing would change; a recorded 500 is followed by the answer
            headers["X-Should-Retry"] = "false"
        return headers


async def paced(connection, line, headers, events, pace):
    """Send the events, each at its time, until all are sent or the reader has gone."""
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
    state = State(key, sock.getsockname()[1], answers or Answers(pace=pace), pace, upstream)
    connections = state.connections = Connections(state)
    loop = asyncio.get_running_loop()
    connections.watching = loop.create_task(connections.watch())
    listening = accepting.Server(
        connections,
        max_body_size=MAX_BODY,
        max_buffer_size=MAX_BODY,
        max_header_size=UNREADABLE,
    )
    must_have(listening.conn_params, "header_timeout")
    listening.conn_params.header_timeout = None  # Connections.watch
    connections.accepting = loop.create_task(listening.accept(sock))
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
