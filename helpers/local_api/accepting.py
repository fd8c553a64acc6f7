"""How the local API takes connections: one that speaks TLS is told at once, a request that came
before is answered at once, and where the system has no file descriptor left the others wait until
one is free.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import socket
from typing import TYPE_CHECKING, Any

from tornado import httpserver, iostream

from ..common.private import must_have
from . import repeats

if TYPE_CHECKING:
    from collections.abc import Callable

TLS_HELLO = 0x16  # the first byte of a TLS handshake (RFC 8446, 5.1); HTTP begins with a letter
# A fatal alert, handshake_failure: the client ends with an error of TLS, not of the network.
TLS_REFUSED = bytes([0x15, 3, 1, 0, 2, 2, 40])
TLS_TOLD = (
    "A client spoke TLS (https:// or wss://) to the local API, which speaks plain HTTP: "
    "its address begins with http://, and that of a WebSocket with ws://."
)
NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
AGAIN = 1  # seconds until a connection is taken again where none could be


def welcome(connection: socket.socket) -> bool:
    """Whether a connection is taken. In a class others than the seat's own user could make some,
    too: classroom/warmed.py puts its own in the place of this.
    """
    return True


class Stream(iostream.IOStream):
    """A connection whose first byte is looked at, and which knows a request again by its bytes."""

    looked_at = False
    again: Callable[[bytes], bytes | None]
    came: bytes | None = b""  # of a request; None before it, b"" where it did not come at once

    def begin(self, again: Callable[[bytes], bytes | None]) -> None:
        """The next request is read now. again(its bytes): the response to one that is known, or
        None.
        """
        self.again, self.came = again, None
        size = self._read_buffer_size  # it came while the one before was answered
        if size and not self.closed() and not self._at_once(self._read_buffer, size):
            self._consume(size)

    def whole(self) -> bytes:
        """The bytes of the request that was read, where they came at once, and nothing behind
        them; else b"".
        """
        return b"" if self._read_buffer_size else self.came or b""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        size = super().read_from_fd(buf)
        if not size:
            return size
        if not self.looked_at:
            self.looked_at = True
            if buf[0] == TLS_HELLO:
                logging.warning(TLS_TOLD)
                self.write_to_fd(memoryview(TLS_REFUSED))
                return 0  # as if it had ended
        if self.came is None:
            return size if self._at_once(buf, size) else None  # None: as if nothing had come
        self.came = b""
        return size

    def _at_once(self, buf: bytearray | memoryview, size: int) -> bool:
        """Look at the first bytes of a request; one that is known is answered. Returns whether they
        are still to be read.
        """
        if size > repeats.LONGEST or self.writing():
            self.came = b""
            return True
        came = bytes(buf[:size])
        response = self.again(came)
        if response is None:
            self.came = came
            return True
        self._answer(response)
        return False

    def _answer(self, response: bytes) -> None:
        """Send a response, at once as far as the other side takes it."""
        try:
            sent = self.write_to_fd(memoryview(response))
        except OSError:
            sent = 0  # write() meets the same, and deals with it
        if sent < len(response):
            self.write(response[sent:])


class Server(httpserver.HTTPServer):
    """Tells the Connections of each that has ended, which tornado's own keeps to itself."""

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        again = self.request_callback.again  # type: ignore[union-attr]
        server_conn.stream.begin(functools.partial(again, server_conn))
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: Any) -> None:
        super().on_close(server_conn)
        self.request_callback.on_close(server_conn)  # type: ignore[union-attr]

    async def accept(self, sock: socket.socket) -> None:
        """Take connections for ever. Tornado's own loop asks again without a pause where no file
        descriptor is left, and has no time for those who could give one back.
        """
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken = await loop.sock_accept(sock)
            except OSError as e:
                if e.errno not in NONE_LEFT:
                    continue  # the other side has gone before it was taken
                logging.error("No connection can be taken for a while: %s", e)
                await asyncio.sleep(AGAIN)
                continue
            if welcome(taken[0]):
                self._take(*taken)
            else:
                taken[0].close()
            del taken  # while the next is waited for, nothing here holds this one when it has ended

    def _take(self, connection: socket.socket, address: Any) -> None:
        stream = Stream(
            connection, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size
        )
        must_have(stream, "_read_buffer", "_read_buffer_size", "_consume")
        self.handle_stream(stream, address)


must_have(httpserver.HTTPServer(lambda request: None), "request_callback", "conn_params")
