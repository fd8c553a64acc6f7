"""What has gone over the wire since the notebook began: the last exchanges whole, the sums of
all.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from . import canonical, checks

if TYPE_CHECKING:
    from .answer import Answer, Request


WHOLE = 40  # exchanges kept
LONGEST = 64_000  # bytes kept of a request or an answer
MOST = 20_000  # answers whose origin is known


class Entry(NamedTuple):
    """What is kept of an exchange. body: no more than LONGEST of its `size` bytes; length: of the
    answer's body.
    """

    method: str
    path: str
    content_type: str
    body: bytes
    size: int
    headers: dict[str, str]
    answer: Answer
    length: int

    @classmethod
    def of(cls, request: Request, answer: Answer) -> Entry:
        """`request`: anything with a method, a path, headers and a body."""
        return cls(
            request.method,
            request.path,
            request.headers.get("Content-Type", ""),
            bytes(request.body[:LONGEST]),
            len(request.body),
            dict(request.headers),
            _light(answer),
            len(answer.body),
        )


class Ledger:
    """The books of one local API. Its event loop alone writes and reads them: no lock."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new notebook: forget what went before."""
        self.count = 0
        self.last: collections.deque[tuple[int, str, Entry]] = collections.deque(maxlen=WHOLE)
        self.calls: list[
            tuple[str, int, str, dict[str, Any]]
        ] = []  # (model, status, origin class, usage) of each call that asked something of a model
        self.origins: dict[
            str, tuple[dict[str, Any], str]
        ] = {}  # {id of an answer: (origin, recording)}

    def add(self, request_id: str, request: Request, answer: Answer) -> None:
        """Enter an exchange; see Entry.of."""
        self.enter(request_id, Entry.of(request, answer))

    def enter(self, request_id: str, entry: Entry) -> None:
        """Enter an exchange like another before."""
        self.count += 1
        self.last.append((self.count, request_id, entry))
        answer = entry.answer
        if answer.model:
            self.calls.append(
                (answer.model, answer.status, answer.origin.get("class", ""), answer.usage)
            )
        if answer.id:
            if len(self.origins) >= MOST:
                del self.origins[next(iter(self.origins))]
            self.origins[answer.id] = (
                answer.origin | ({"note": answer.note} if answer.note else {}),
                answer.recording,
            )

    def exchanges(self) -> list[dict[str, Any]]:
        """The last exchanges, oldest first, as JSON-able dicts."""
        return [
            {
                "number": n,
                "request_id": rid,
                "method": kept.method,
                "path": kept.path,
                "request": _readable(kept.content_type, kept.body, kept.size),
                "bytes": kept.size,
                "headers": {
                    k: "Bearer …" if k == "Authorization" else v for k, v in kept.headers.items()
                },
                "status": kept.answer.status,
                "answer": _answer(kept.answer, kept.length),
                "origin": kept.answer.origin,
                "recording": kept.answer.recording,
                "off_the_map": kept.answer.off_the_map,
                "note": kept.answer.note,
            }
            for n, rid, kept in self.last
        ]

    def summary(self) -> dict[str, list[dict[str, Any]]]:
        return {"calls": [dict(zip(("model", "status", "origin", "usage"), c)) for c in self.calls]}


def _light(answer):
    """An answer without more than LONGEST bytes: what is kept must not hold files that are gone."""
    if len(answer.body) > LONGEST:
        return dataclasses.replace(answer, body=b"")
    kept, size = 0, 0
    for _, event in answer.events:
        size += len(event)
        if size > LONGEST:
            break
        kept += 1
    return dataclasses.replace(answer, events=answer.events[:kept]) if size > LONGEST else answer


def _answer(answer, length):
    if answer.events:
        return {"events": [event.decode() for _, event in answer.events]}
    if length > len(answer.body):
        return f"{length:,} bytes"
    kind = next(
        (v for k, v in answer.headers.items() if k.lower() == "content-type"), "application/json"
    )
    if not kind.startswith(("text/", "application/")):
        return f"{length:,} bytes of {kind}"
    try:
        return json.loads(answer.body) if answer.body else None
    except ValueError:  # another text, such as SDP
        return answer.body.decode("utf-8", "replace")


def _readable(content_type, raw, size):
    said = f"{size:,} bytes of {content_type or 'no content type'}"
    try:
        return said if size > len(raw) else canonical.read_body(content_type, raw)
    except checks.Bad:
        return said
