"""The proxy of a class: configurable-http-proxy in Python, with https and WebSockets of our own.

Its own answer no subprotocol, without which a browser closes the voice page's, pass bytes on as
text, which ends a kernel's, lose what is said while they begin, hold each small message back for
40 ms, and stay open when the other end has closed.

And no browser reaches a seat but one that the hub has let in there. All seats and the hub are one
address to it: a page that a learner makes would act at the hub, and in other seats, as whoever
opens it, the teacher too.
"""

import asyncio
import collections
import contextlib
import json
import os
import secrets
import socket
import weakref
from pathlib import Path
from urllib.parse import quote, unquote

from configurable_http_proxy.configproxy import PythonProxy
from configurable_http_proxy.handlers import ProxyHandler
from tornado import httputil
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError
from tornado.netutil import DefaultLoopResolver, Resolver, ssl_options_to_context
from tornado.web import Application
from tornado.websocket import WebSocketClosedError, websocket_connect

from ..common.private import must_have
from . import end_with_class, opened, peers, seats

PATIENCE = 300  # seconds that an answer may take; by itself tornado gives up after 20

LONGEST = 64 * 2**20  # bytes of one WebSocket message, as in the local API; by itself 10 MB

# Of one seat at once: requests that are answered, and bodies longer than a form, of both of which a
# browser sends six; WebSockets, and bytes of theirs that wait here, counted every so many seconds.
REQUESTS, LINES, HELD, EVERY = 12, 200, 256 * 2**20, 0.5

NOT_HERE = (
    '<!doctype html><meta charset="utf-8"><title>Not your seat</title><p>This browser has not come in '
    'at this seat. <a href="/hub/seat">Your own seat</a></p>'
)

must_have(ProxyHandler, "call_proxy", "start_ws_client", "get_target_url", "_get_proxy_request")


class Proxy(PythonProxy):
    """Where the hub says that paths lead. It is written down, for the proxy that is started where
    this one has ended: the hub would say it again minutes later.

    file: a Path. options: as PythonProxy takes them.
    """

    def __init__(self, file, options):
        self.file = file
        before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        super().__init__(options)
        for path, data in before.items():
            self.add_route(path, data)

    def add_route(self, path, data):
        super().add_route(path, data)
        self.write()

    def remove_route(self, path):
        super().remove_route(path)
        self.write()

    def write(self):
        try:
            seats.write(self.file, self.get_routes())
        except OSError:  # a full disk: rather none than old ones, which may lead to a neighbour
            self.log.exception("routes")
            self.file.unlink(missing_ok=True)


class Files(DefaultLoopResolver):
    """Finds a seat, which listens at a socket file: its path, quoted, stands in a host's place."""

    async def resolve(self, host, port, family=socket.AF_UNSPEC):
        if host.startswith(quote("/", "")):
            return [(socket.AF_UNIX, unquote(host))]
        return await super().resolve(host, port, family)


class Door(peers.Server):
    """What browsers come in by. key: the class's own."""

    def __init__(self, *given, key, **more):
        self.key = key

    def initialize(self, *given, key, **more):
        super().initialize(*given, **more)

    def start_request(self, server_conn, request_conn):
        return Head(super().start_request(server_conn, request_conn), request_conn, self.key)


class Head(httputil.HTTPMessageDelegate):
    """Looks at the head of a request before its body is read, all of which is held in memory: only
    who has come in at a seat may send more than a form to it, and few such at once.
    """

    large = collections.defaultdict(weakref.WeakSet)  # by seat; each is there until it is answered

    def __init__(self, then, line, key):
        self.then, self.line, self.key = then, line, key
        self.data_received, self.finish = then.data_received, then.finish
        self.on_connection_close = then.on_connection_close

    def headers_received(self, start_line, headers):
        shown = httputil.parse_cookie(headers.get("Cookie", "")).get(seats.TICKET, "")
        seat = start_line.path.partition("/user/")[2].partition("/")[0]
        length = headers.get("Content-Length", "0" if "Transfer-Encoding" not in headers else "")
        if not has_come_in(self.key, seat, shown) or len(self.large[seat]) >= REQUESTS:
            self.line.set_max_body_size(peers.FORM)
        elif not length.isdecimal() or len(length) > 9 or int(length) > peers.FORM:
            self.large[seat].add(self)
        return self.then.headers_received(start_line, headers)


def has_come_in(key, seat, shown):
    """Whether a browser's ticket is that of a seat. key: the class's own."""
    return secrets.compare_digest(shown.encode(), seats.ticket(key, seat).encode())


class Way(ProxyHandler):
    """One request, or a WebSocket, from a browser to the hub or a seat."""

    answering = collections.defaultdict(lambda: asyncio.Semaphore(REQUESTS))  # by seat
    lines = collections.defaultdict(weakref.WeakSet)  # those WebSockets that are open

    def initialize(self, proxy, key):
        super().initialize(proxy)
        self.key = key

    async def get_target_url(self, path):
        """As before; None, and an answer, for a seat at which this browser has not come in."""
        url = await super().get_target_url(path)
        if url is None:
            return None
        _, at_seat, seat = self.target["prefix"].partition("/user/")
        shown = self.get_cookie(seats.TICKET, "")
        if at_seat and not has_come_in(self.key, seat, shown):
            self.set_status(403)
            self.finish(NOT_HERE)
            return None
        return url.replace("http+unix:", "http:", 1)

    async def call_proxy(self, path=None):
        """As before; an answer is held in memory until it has been read."""
        route = self.proxy.target_for_req(None, path)
        if not route or route["prefix"] == "/":
            await super().call_proxy(path)
            return
        async with self.answering[route["prefix"]]:
            await super().call_proxy(path)
            with contextlib.suppress(StreamClosedError):
                await self.sent

    def finish(self, chunk=None):
        self.sent = super().finish(chunk)
        # tornado forgets what is being written to one who leaves
        self.request.connection.set_close_callback(self.left)
        return self.sent

    def left(self):
        if not self.sent.done():
            self.sent.set_result(None)

    async def start_ws_client(self, path=None):
        """Connect to the other end; what it refuses, such as a stranger's cookie, is answered."""
        url = await self.get_target_url(path)
        if url is None:
            return
        if self.target["prefix"] != "/" and len(self.lines[self.target["prefix"]]) >= LINES:
            self.set_status(429)
            self.finish(f"A seat may have {LINES} WebSockets: close some notebooks.")
            return
        request = self._get_proxy_request("ws" + url.removeprefix("http"))
        try:
            self.ws_client = await websocket_connect(request, max_message_size=LONGEST)
        except HTTPClientError as refused:
            self.set_status(refused.code)
            self.finish(refused.message)
        except OSError as error:
            await self.handle_proxy_error(503, error)

    def select_subprotocol(self, subprotocols):
        """What the other end has chosen, to which the connection stands already."""
        chosen = self.ws_client.selected_subprotocol
        return chosen if chosen in subprotocols else None

    def open(self, *_):
        self.set_nodelay(True)
        self.lines[self.target["prefix"]].add(self)
        self.back = asyncio.ensure_future(self.hand_back(self.ws_client))

    async def hand_back(self, there):
        """Pass on what the other end says, as text or as bytes, until it closes."""
        with contextlib.suppress(WebSocketClosedError):  # the browser has gone
            while (message := await there.read_message()) is not None:
                self.proxy.update_last_activity(self.target["prefix"])
                await self.write_message(message, binary=isinstance(message, bytes))
        # so that a page sees it, and asks again: a seat has ended, or a kernel
        self.close(there.close_code, there.close_reason)

    async def on_message(self, message):
        self.proxy.update_last_activity(self.target["prefix"])
        with contextlib.suppress(WebSocketClosedError):  # hand_back sees it, too
            await self.ws_client.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        self.lines[self.target["prefix"]].discard(self)
        self.ws_client.close()

    def held(self):
        """Bytes that have come from either end and have not gone on to the other."""
        ends = [self.ws_connection, self.ws_client and self.ws_client.protocol]
        streams = [end.stream for end in ends if end]
        return sum(s._read_buffer_size + len(s._write_buffer) for s in streams)

    @classmethod
    async def watch(cls):
        """Close the fullest WebSocket of a seat that has more than HELD bytes here: of a message
        that does not come to its end, or that nobody reads.
        """
        while True:
            await asyncio.sleep(EVERY)
            for lines in cls.lines.values():
                if sum(line.held() for line in lines) > HELD:
                    fullest = max(lines, key=cls.held)
                    fullest.ws_connection.stream.close()
                    fullest.ws_client.close()


def main():
    """Serve as the file says that DAY9_CLASSROOM names."""
    end_with_class()
    given = json.loads(Path(os.environ["DAY9_CLASSROOM"]).read_text(encoding="utf-8"))
    hub, tls = f"http://127.0.0.1:{given['hub_port']}", given["certificate"]
    # by itself tornado asks ten things at once, and a class begins at once
    AsyncHTTPClient.configure(None, max_clients=1000)
    Resolver.configure(Files)
    proxy = Proxy(
        Path(given["runtime"]) / "routes.json",
        {
            "auth_token": given["proxy_token"],
            "proxy_timeout": PATIENCE,
            "default_target": hub,
            "error_target": hub + "/hub/error",
            # what it would say itself is "http" in any case
            "x_forward": False,
            "custom_headers": {"X-Forwarded-Proto": "https" if tls else "http"},
        },
    )
    # read once: of a dict of names tornado reads the files for each connection, which they outlive
    shown = tls and ssl_options_to_context({"certfile": tls[0], "keyfile": tls[1]}, True)
    ways = Application(
        [("/(.*)", Way, {"proxy": proxy, "key": given["key"]})], websocket_max_message_size=LONGEST
    )
    Door(ways, ssl_options=shown, key=given["key"]).add_socket(opened(given, "browsers"))
    peers.Own(proxy.api_app).add_socket(opened(given, "routes"))
    watching = IOLoop.current().asyncio_loop.create_task(Way.watch())  # kept, as tasks must be
    IOLoop.current().start()
    watching.cancel()


if __name__ == "__main__":
    main()
