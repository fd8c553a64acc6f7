"""What has gone over the wire since the notebook began: the last exchanges whole, the sums of
all.
"""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import TYPE_CHECKING, Any

from . import canonical, checks

if TYPE_CHECKING:
    from .answer import Answer, Request


WHOLE = 40  # exchanges kept
LONGEST = 64_000  # bytes kept of a request or an answer
MOST = 20_000  # answers whose origin is known


class Ledger:
    """The books of one local API. Its event loop alone writes and reads them: no lock."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A new notebook: forget what went before."""
        self.count = 0
        self.last: collections.deque[
            tuple[int, str, str, str, str, bytes, int, dict[str, str], Answer, int]
        ] = collections.deque(maxlen=WHOLE)
        self.calls: list[
            tuple[str, int, str, dict[str, Any]]
        ] = []  # (model, status, origin class, usage) of each call that asked something of a model
        self.origins: dict[
            str, tuple[dict[str, Any], str]
        ] = {}  # {id of an answer: (origin, recording)}

    def add(self, request_id: str, request: Request, answer: Answer) -> None:
        """`request`: anything with a method, a path, headers and a body."""
        self.count += 1
        content_type = request.headers.get("Content-Type", "")
        self.last.append(
            (
                self.count,
                request_id,
                request.method,
                request.path,
                content_type,
                bytes(request.body[:LONGEST]),
                len(request.body),
                dict(request.headers),
                _light(answer),
                len(answer.body),
            )
        )
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
                "method": method,
                "path": path,
                "request": _readable(content_type, raw, size),
                "bytes": size,
                "headers": {
                    k: "Bearer …" if k == "Authorization" else v for k, v in headers.items()
                },
                "status": a.status,
                "answer": _answer(a, length),
                "origin": a.origin,
                "recording": a.recording,
                "off_the_map": a.off_the_map,
                "note": a.note,
            }
            for n, rid, method, path, content_type, raw, size, headers, a, length in self.last
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
