"""How the local API takes connections: one that speaks TLS is told at once, and where the system
has no file descriptor left the others wait until one is free.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from typing import Any

from tornado import httpserver, iostream

from ..common.private import must_have

TLS_HELLO = 0x16  # the first byte of a TLS handshake (RFC 8446, 5.1); HTTP begins with a letter
# A fatal alert, handshake_failure: the client ends with an error of TLS, not of the network.
TLS_REFUSED = bytes([0x15, 3, 1, 0, 2, 2, 40])
TLS_TOLD = (
    "A client spoke TLS (https:// or wss://) to the local API, which speaks plain HTTP: "
    "its address begins with http://, and that of a WebSocket with ws://."
)
NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
AGAIN = 1  # seconds until a connection is taken again where none could be


class Stream(iostream.IOStream):
    """A connection whose first byte is looked at."""

    looked_at = False

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        size = super().read_from_fd(buf)
        if size and not self.looked_at:
            self.looked_at = True
            if buf[0] == TLS_HELLO:
                logging.warning(TLS_TOLD)
                self.write_to_fd(memoryview(TLS_REFUSED))
                return 0  # as if it had ended
        return size


class Server(httpserver.HTTPServer):
    """Tells the Connections of each that has ended, which tornado's own keeps to itself."""

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
            self._take(*taken)
            del taken  # while the next is waited for, nothing here holds this one when it has ended

    def _take(self, connection: socket.socket, address: Any) -> None:
        stream = Stream(
            connection, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size
        )
        self.handle_stream(stream, address)


must_have(httpserver.HTTPServer(lambda request: None), "request_callback", "conn_params")
