"""What both ends of a call on this machine change in aioice: the addresses, who is heard there,
patience, and what a closed socket says. Done by importing it.

aioice offers all addresses but loopback's, and hears whoever sends there. A call here is offered
loopback alone; a page of a browser this machine's other addresses as well, since Firefox calls from
those and to those only. What comes from another machine's address is not heard, so that a call
cannot leave this one. In a class, a call through a seat's door is offered the one address by which
the browser has come, from wherever that is. And aioice hangs up where the other end has been late
six times in a row, by half a second: two live processes that share a busy core are.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from typing import Any, NamedTuple

import aioice.ice
import aioice.stun

from ..common.private import must_have

LOOPBACK = "127.0.0.1"
ROUNDS = 3  # without an answer, after which the other end is gone
RETRIES = 3  # in a round, which so lasts 7.5 s; with the waits between them that is RFC 7675's half a minute


class Way(NamedTuple):
    """How a call may come: to which addresses, and whether from other machines' as well."""

    offered: list[str] = [LOOPBACK]
    from_afar: bool = False


WAY = contextvars.ContextVar("WAY", default=Way())  # of the call that is answered next
_others = aioice.ice.get_host_addresses


def own() -> list[str]:
    """The addresses that this machine has now, loopback first."""
    return [LOOPBACK, *_others(use_ipv4=True, use_ipv6=True)]


class Socket(aioice.ice.StunProtocol):
    """In the place of aioice.ice.StunProtocol."""

    def __init__(self, receiver: aioice.ice.Connection) -> None:
        super().__init__(receiver)
        self.heard = None if WAY.get().from_afar else own()

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """A packet from elsewhere is nothing: it gets no answer, not even an error."""
        if self.heard is None or addr[0] in self.heard:
            super().datagram_received(data, addr)

    async def send_data(self, data: bytes, addr: tuple[str, int]) -> None:
        """A socket that the other end's silence has closed is a ConnectionError, which aiortc
        knows, and not asyncio's AttributeError, which ends its reports so that whoever hangs up
        waits for them for ever.
        """
        if self.transport.is_closing():
            raise ConnectionError("the socket of this call is closed")
        await super().send_data(data, addr)


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


must_have(aioice.ice, "get_host_addresses", "CONSENT_INTERVAL")
must_have(
    aioice.ice.Connection(ice_controlling=True),
    "query_consent",
    "build_request",
    "_nominated",
    "_query_consent_task",
)
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: WAY.get().offered
must_have(aioice.ice.StunProtocol, "send_data", "datagram_received")
aioice.ice.StunProtocol = Socket  # type: ignore[misc]
aioice.ice.Connection.query_consent = query_consent  # type: ignore[method-assign]
