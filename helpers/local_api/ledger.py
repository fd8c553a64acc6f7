"""What has gone over the wire since the notebook began: the last exchanges whole, the sums of all."""
import collections
import json

WHOLE = 40  # exchanges kept whole
LONGEST = 64_000  # bytes kept of a request or an answer


class Ledger:
    def __init__(self):
        self.begin()

    def begin(self):
        """A new notebook: forget what went before."""
        self.count = 0
        self.last = collections.deque(maxlen=WHOLE)
        self.calls = []  # (model, status, origin class, usage) of each call that asked something of a model
        self.origins = {}  # {id of an answer: (origin, recording)}

    def add(self, request_id, request, content_type, answer):
        self.count += 1
        self.last.append((self.count, request_id, request.method, request.path, content_type, request.body[:LONGEST], len(request.body), answer))
        if answer.model:
            self.calls.append((answer.model, answer.status, answer.origin.get("class", ""), answer.usage))
        if answer.id:
            self.origins[answer.id] = (answer.origin, answer.recording)

    def exchanges(self):
        """The last exchanges, oldest first, as JSON-able dicts."""
        return [
            {"number": n, "request_id": rid, "method": method, "path": path, "request": _readable(content_type, raw, size),
             "status": a.status, "answer": _answer(a), "origin": a.origin, "recording": a.recording, "off_the_map": a.off_the_map}
            for n, rid, method, path, content_type, raw, size, a in self.last
        ]

    def summary(self):
        return {"calls": [dict(zip(("model", "status", "origin", "usage"), c)) for c in self.calls]}


def _answer(answer):
    if answer.events:
        return {"events": [event.decode()[:LONGEST] for _, event in answer.events]}
    return json.loads(answer.body) if len(answer.body) <= LONGEST else f"{len(answer.body):,} bytes"


def _readable(content_type, raw, size):
    if not raw:
        return None
    if size > len(raw):
        return f"{size:,} bytes of {content_type}"
    try:
        return json.loads(raw)
    except ValueError:
        return f"{size:,} bytes of {content_type or 'no content type'}"
