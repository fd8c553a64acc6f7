"""Requests that came before, byte for byte: answered without being read again.

The key, the host and a page's origin stand in the bytes, and were judged when they first came. The
date, the request's id and its entry in the books are made anew.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from .envelopes import date, request_id

if TYPE_CHECKING:
    from .ledger import Entry, Ledger

MOST = 64  # requests known
LONGEST = 16_000  # bytes of a request and its answer
ANEW = ("Date", "X-Request-Id")
READY = {"Openai-Processing-Ms": "0"}  # what is ready takes less than a millisecond


class Known(NamedTuple):
    """What a request gets. head: with places for what is made ANEW."""

    head: str
    body: bytes
    entry: Entry


class Repeats:
    """The requests of one local API that are known again. ledger: its Ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.known: dict[bytes, Known] = {}

    def again(self, came: bytes) -> bytes | None:
        """The response to a request that is known, both whole; None where it is not."""
        known = self.known.get(came)
        if known is None:
            return None
        id = request_id()
        self.ledger.enter(id, known.entry)
        return (known.head % (date(int(time.time())), id)).encode("latin1") + known.body

    def remember(
        self, came: bytes, first: str, headers: dict[str, str], body: bytes, entry: Entry
    ) -> None:
        """Know a request again. came: its bytes and no others. first, headers, body: its response.
        entry: in the books.
        """
        if len(came) + len(body) > LONGEST:
            return
        if len(self.known) >= MOST:
            self.known.clear()
        lines = [first]
        for name, value in headers.items():
            value = "%s" if name in ANEW else READY.get(name, value).replace("%", "%%")
            lines.append(f"{name}: {value}")
        self.known[came] = Known("\r\n".join([*lines, "", ""]), body, entry)
