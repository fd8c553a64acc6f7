"""What both ends of a call on this machine change in aioice: the one address, patience, and what a
closed socket says. Done by importing it.

aioice offers all addresses but loopback's; in a class, a call that comes through a seat's door is
offered the one address by which the browser has come. And it hangs up where the other end has been
late six times in a row, by half a second: two live processes that share a busy core are.
"""

from __future__ import annotations

import asyncio
import contextvars
import random

import aioice.ice
import aioice.stun

from ..common.private import must_have

ADDRESS = contextvars.ContextVar("ADDRESS", default="127.0.0.1")  # the one that a call offers
ROUNDS = 3  # without an answer, after which the other end is gone
RETRIES = 3  # in a round, which so lasts 7.5 s; with the waits between them that is RFC 7675's half a minute


async def query_consent(self: aioice.ice.Connection) -> None:
    """In the place of aioice.ice.Connection's: ask now and then whether the other end is there;
    close when it is not.
    """
    silent = 0
    while silent < ROUNDS:
        await asyncio.sleep(aioice.ice.CONSENT_INTERVAL * random.uniform(0.8, 1.2))
        for pair in self._nominated.values():
            try:
                await pair.protocol.request(
                    self.build_request(pair, nominate=False),
                    pair.remote_addr,
                    integrity_key=self.remote_password.encode(),  # type: ignore[union-attr]
                    retransmissions=RETRIES,
                )
                silent = 0
            except aioice.stun.TransactionError:
                silent += 1
    self._query_consent_task = None
    await self.close()


async def send_data(self: aioice.ice.StunProtocol, data: bytes, addr: tuple[str, int]) -> None:
    """In the place of aioice.ice.StunProtocol's: a socket that the other end's silence has closed
    is a ConnectionError, which aiortc knows, and not asyncio's AttributeError, which ends its
    reports so that whoever hangs up waits for them for ever.
    """
    if self.transport.is_closing():
        raise ConnectionError("the socket of this call is closed")
    self.transport.sendto(data, addr)


must_have(aioice.ice, "get_host_addresses", "CONSENT_INTERVAL")
must_have(
    aioice.ice.Connection(ice_controlling=True),
    "query_consent",
    "build_request",
    "_nominated",
    "_query_consent_task",
)
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [ADDRESS.get()]
must_have(aioice.ice.StunProtocol, "send_data")
aioice.ice.StunProtocol.send_data = send_data  # type: ignore[method-assign]
aioice.ice.Connection.query_consent = query_consent  # type: ignore[method-assign]
