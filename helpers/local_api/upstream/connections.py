"""Connections to an upstream, of which one that lost a request before it was read loses no answer.

A server may close a connection that it has kept, and say nothing. Where the next request is on its
way by then, it cannot be read there: not a byte comes back, and it is asked once more (RFC 9112,
9.3.1). httpx2 tries nothing again once a request has gone out, nor does it tell whether anything
came back: that is seen here, below it.
"""

import httpcore2
import httpx2

from ...common.private import must_have


class Unread(httpx2.RemoteProtocolError):
    """A connection that had been kept ended, and nothing was heard of the request on it."""

    def __init__(self):
        super().__init__("the connection ended without an answer")


class Transport(httpx2.AsyncHTTPTransport):
    """httpx2's, which asks once more where a request was not read. An upload that is passed on as
    it comes is gone by then: Unread.
    """

    def __init__(self, **given):
        super().__init__(**given)
        must_have(self, "_pool")
        must_have(self._pool, "_network_backend")
        self._pool._network_backend = Network(self._pool._network_backend)

    async def handle_async_request(self, request):
        try:
            return await super().handle_async_request(request)
        except Unread:
            if not isinstance(request.stream, httpx2.ByteStream):
                raise
            return await super().handle_async_request(request)


class Network(httpcore2.AsyncNetworkBackend):
    """Opens Lines, by another backend."""

    def __init__(self, real):
        self.real = real

    async def connect_tcp(self, *where, **how):
        return Line(await self.real.connect_tcp(*where, **how))


class Line(httpcore2.AsyncNetworkStream):
    """A connection that knows whether it was kept, and what has come since the last request."""

    def __init__(self, real):
        self.real, self.kept, self.came = real, False, False
        self.get_extra_info, self.aclose = real.get_extra_info, real.aclose

    async def write(self, *what, **how):
        if self.came:
            self.kept, self.came = True, False
        try:
            await self.real.write(*what, **how)
        except httpcore2.WriteError:
            self._lost()
            raise

    async def read(self, *most, **how):
        try:
            piece = await self.real.read(*most, **how)
        except httpcore2.ReadError:
            self._lost()
            raise
        if not piece:
            self._lost()
        self.came = True
        return piece

    async def start_tls(self, *how, **more):
        return Line(await self.real.start_tls(*how, **more))

    def _lost(self):
        if self.kept and not self.came:
            raise Unread from None
