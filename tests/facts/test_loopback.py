"""What is changed in aioice for calls on this machine."""

import asyncio
from unittest import mock

import pytest

aioice_ice = pytest.importorskip("aioice.ice")
from helpers.facts import loopback  # noqa: E402, F401 (importing it is what counts)


def test_a_closed_socket_is_a_connection_error_as_aiortc_expects():
    async def sent():
        transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: aioice_ice.StunProtocol(mock.Mock()), local_addr=("127.0.0.1", 0)
        )
        there = transport.get_extra_info("sockname")
        await protocol.send_data(b"while it is open", there)
        transport.close()
        await asyncio.sleep(0.01)  # until asyncio has taken the socket away
        await protocol.send_data(b"afterwards", there)

    with pytest.raises(ConnectionError, match="closed"):
        asyncio.run(sent())
