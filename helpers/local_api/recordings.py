"""The recordings: one exchange a file under data/recordings, read once, found fast.

A file:
    {"about": "...",                                      what it is, for people
     "origin": {"class": "constructed", "date": "...", ...},
     "request": {"method": "POST", "path": "/v1/...", "body": {...}},
     "slots": {...},                                      optional: see slots.py
     "choose": "in turn" | "by retry",                    optional, with more than one response
     "responses": [{"status": 200, "body": {...}}         a JSON answer, or
                   {"status": 200, "events": [{"at": 0.4, "data": {...}}, ...]}]}   a stream, `at` in seconds
"""
from dataclasses import dataclass, field
from pathlib import Path

from . import canonical, slots

FOLDER = canonical.DATA / "recordings"
ORIGINS = ("recorded", "published", "constructed")
PARTS = {"about", "origin", "request", "slots", "choose", "responses"}


class BrokenRecording(ValueError):
    """A file that cannot answer; the text says why."""


@dataclass
class Recording:
    name: str  # its path below the folder, without .json
    about: str
    origin: dict
    method: str
    path: str
    body: object  # canonical, possibly with marks
    sent: object  # as written in the file, for people
    slots: dict
    choose: str
    responses: list
    turn: int = field(default=0, compare=False)

    @property
    def key(self):
        return canonical.key(self.method, self.path, self.body)


def read(file, folder=FOLDER):
    """The recording in `file`; raises BrokenRecording with the reason in one sentence."""
    file = Path(file)
    try:
        raw = canonical.parse(file.read_bytes())
    except OSError as e:
        raise BrokenRecording(f"cannot be read: {e}") from None
    except ValueError as e:
        raise BrokenRecording(f"is not JSON: {e}") from None
    if not isinstance(raw, dict):
        raise BrokenRecording("is not a JSON object")
    odd = sorted(set(raw) - PARTS)
    missing = sorted({"about", "origin", "request", "responses"} - set(raw))
    if odd or missing:
        raise BrokenRecording("; ".join([f"lacks {', '.join(missing)}"] * bool(missing) + [f"has unknown parts: {', '.join(odd)}"] * bool(odd)))
    return _build(raw, file.relative_to(folder).with_suffix("").as_posix())


def _build(raw, name):
    origin, request, responses = raw["origin"], raw["request"], raw["responses"]
    if not isinstance(raw["about"], str):
        raise BrokenRecording("about must be a text")
    if not isinstance(origin, dict) or origin.get("class") not in ORIGINS:
        raise BrokenRecording(f"says no origin; origin.class must be one of {', '.join(ORIGINS)}")
    if not isinstance(request, dict) or not isinstance(request.get("method"), str) or not str(request.get("path", "")).startswith("/"):
        raise BrokenRecording("request needs a method and a path")
    if not isinstance(responses, list) or not responses:
        raise BrokenRecording("responses must be a list of at least one answer")
    for r in responses:
        if not isinstance(r, dict) or not isinstance(r.get("status"), int) or ("body" in r) == ("events" in r):
            raise BrokenRecording("each response needs a status and either a body or events")
        if not isinstance(r.get("body", {}), dict):
            raise BrokenRecording("the body of a response must be an object")
        events = r.get("events", [])
        if not isinstance(events, list) or not all(isinstance(e, dict) and isinstance(e.get("at"), (int, float)) and "data" in e for e in events):
            raise BrokenRecording("each event of a stream needs a time, at, and its data")
    choose = raw.get("choose", "")
    if (len(responses) > 1) != (choose in ("in turn", "by retry")):
        raise BrokenRecording('choose must be "in turn" or "by retry" where there are several responses, and only there')
    body = canonical.canonical_body(request["path"], request.get("body"))
    try:
        slots.check(raw.get("slots", {}), body)
    except slots.BadSlot as e:
        raise BrokenRecording(str(e)) from None
    return Recording(name, raw["about"], origin, request["method"], request["path"], body,
                     request.get("body"), raw.get("slots", {}), choose, responses)


class Library:
    """All recordings of a folder. `problems` lists (file name, why) of those that cannot answer."""

    def __init__(self, folder=FOLDER):
        self.folder = Path(folder)
        self.recordings, self.problems = [], []
        self._first, self._slotted = {}, {}
        for file in sorted(self.folder.rglob("*.json")):
            try:
                self._add(read(file, self.folder))
            except BrokenRecording as e:
                self.problems.append((file.relative_to(self.folder).as_posix(), str(e)))

    def _add(self, recording):
        first = self._first.setdefault(recording.key, recording)
        if first is not recording:
            raise BrokenRecording(f"answers the same request as {first.name}.json, which stays the one that answers")
        if recording.slots:
            self._slotted.setdefault((recording.method, recording.path), []).append(recording)
        self.recordings.append(recording)

    def find(self, method, path, body):
        """(recording, {slot: value}) for a canonical request, or (None, {})."""
        exact = self._first.get(canonical.key(method, path, body))
        if exact and not exact.slots:
            return exact, {}
        for recording in self._slotted.get((method, path), ()):
            found = slots.match(recording.body, body, recording.slots)
            if found is not None:
                return recording, found
        return None, {}

    def next_response(self, recording, retry):
        """The response that is due: by its place in a sequence, or by the client's retry count."""
        last = len(recording.responses) - 1
        if recording.choose == "by retry":
            return recording.responses[min(retry, last)]
        due = recording.responses[min(recording.turn, last)]
        recording.turn += 1
        return due

    def rewind(self, created_id=None):
        """Begin sequences again: all, or those whose path names the id that a create call has just answered.

        Returns whether there are such sequences.
        """
        begun = [r for r in self.recordings if r.choose == "in turn" and (created_id is None or created_id in r.path.split("/"))]
        for recording in begun:
            recording.turn = 0
        return bool(begun)


if __name__ == "__main__":
    import sys

    from . import catalogue

    sys.exit(catalogue.main())
