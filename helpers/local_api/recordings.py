"""The recordings: one exchange a file under data/recordings and data/my_recordings, read once,
found fast.

A file:
    {"about": "...",                                      what it is, for people
     "origin": {"class": "constructed", "date": "...", ...},
     "request": {"method": "POST", "path": "/v1/...", "body": {...}},
     "slots": {...},                                      optional: see slots.py
     "choose": "in turn" | "by retry",                    optional, with more than one response
     "responses": [{"status": 200, "body": {...}}         a JSON answer, or
                   {"status": 200, "events": [...]}]}     a stream, of {"at": 0.4, "data": {...}},
                                                          `at` in seconds

What upstream/recorder.py writes, of class `recorded`, is given back byte for byte. Its response has
headers, and is
    {"text": ["a body,", "line by line"]},
    {"events": [{"at": 0.4, "text": "data: ...\n\n"}, ...]},
    {"file": "SHA-256.mp3"}, the name of a file in files/ that has the body,
    or {"session": [...], "sound": {...}}, a Realtime session: see upstream/session_tape.py
Its request holds files and pictures by hash, and no secrets: see `as_kept`. In a folder of such
files equal requests are answered in the order of their names; a later folder stands for all earlier
ones.
"""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..facts import DATA
from ..facts.files import json_line
from ..facts.origins import ORIGINS
from . import canonical, checks, scrub, shaping, slots

FOLDER = DATA / "recordings"
OWN = DATA / "my_recordings"
FILE = re.compile(r"[0-9a-f]{64}\.\w+")
# What a client may act on. Others (cookies, the account's name, the way that the answer took) are
# not kept.
HEADERS = re.compile(
    r"content-type|content-disposition|location|retry-after(-ms)?|x-request-id|x-should-retry|openai-(version|model|processing-ms)|x-ratelimit-[a-z-]+"
)
KINDS = [name for name, origin in ORIGINS.items() if origin.kept]
PARTS = {"about", "origin", "request", "slots", "choose", "responses"}


class BrokenRecording(ValueError):
    """A file that cannot answer; the text says why. path: the steps to what is wrong in it."""

    def __init__(self, why: str, *path: str | int) -> None:
        super().__init__(why)
        self.path = path


@dataclass
class Recording:
    """One exchange of a file, or several that were recorded of equal requests."""

    name: str  # its path below the folder, without .json
    about: str
    origin: dict[str, Any]
    method: str
    path: str
    body: object  # canonical, possibly with marks
    sent: object  # as written in the file, for people
    slots: dict[str, Any]
    choose: str
    responses: list[dict[str, Any]]
    home: Path = FOLDER  # where its files/ lie
    turn: int = field(default=0, compare=False)

    @property
    def key(self) -> str:
        return canonical.key(self.method, self.path, self.body)

    @property
    def recorded(self) -> bool:
        return self.origin["class"] == "recorded"

    def content(self, response: dict[str, Any]) -> bytes:
        """The body of a recorded response as bytes. Raises BrokenRecording where its file is gone
        or another.
        """
        if "text" in response:
            return "\n".join(response["text"]).encode()
        try:
            raw = (self.home / "files" / response["file"]).read_bytes()
        except OSError as e:
            raise BrokenRecording(f"cannot be read: {e}") from None
        if canonical.digest(raw) != response["file"][:64]:
            raise BrokenRecording(
                f"names files/{response['file']}, whose content is not what was recorded"
            )
        return raw


def own_folder() -> Path:
    """Where the reader's own recordings lie: data/my_recordings, or the folder that
    DAY9_MY_RECORDINGS names.
    """
    return Path(os.environ.get("DAY9_MY_RECORDINGS") or OWN)


def as_kept(
    method: str, path: str, query: dict[str, str], content_type: str, raw: bytes
) -> tuple[str, Any]:
    """(path, body) of a request as a recording keeps it: without secrets, files and long base64 by
    their hash.
    """
    if method != "POST":
        body = query or None
    else:
        try:
            body = canonical.read_body(content_type, raw)
        except checks.Bad:
            body = f"{len(raw)} bytes;sha256,{canonical.digest(raw)}"
    return scrub.text(path), scrub.value(_short(body))


def _short(value):
    if isinstance(value, str):
        return canonical.by_content(value)
    if isinstance(value, list):
        return [_short(v) for v in value]
    return {k: _short(v) for k, v in value.items()} if isinstance(value, dict) else value


def exactly(path: str, body: object) -> Any:
    """The canonical body of a recorded request: here streams and token limits are its own, since
    nothing is computed.
    """
    return canonical.canonical_body(path, body, canonical.BOOKKEEPING)


def read(file: str | os.PathLike[str], folder: str | os.PathLike[str] = FOLDER) -> Recording:
    """The recording in `file`; raises BrokenRecording with the reason in one sentence."""
    file = Path(file)
    try:
        kept = file.read_bytes()
        raw = canonical.parse(kept)
    except OSError as e:
        raise BrokenRecording(f"cannot be read: {e}") from None
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise BrokenRecording(f"is not UTF-8 in line {line}: save the file as UTF-8") from None
    except ValueError as e:
        raise BrokenRecording(f"is not JSON: {e}") from None
    if not isinstance(raw, dict):
        raise BrokenRecording("is not a JSON object")
    try:
        return _build(raw, file.relative_to(folder).with_suffix("").as_posix(), Path(folder))
    except BrokenRecording as e:
        if not e.path:
            raise
        line = json_line(kept.decode("utf-8-sig"), e.path)
        raise BrokenRecording(f"line {line}: {e}", *e.path) from None


def _build(raw, name, home):
    _check_parts(raw)
    origin, request, responses = raw["origin"], raw["request"], raw["responses"]
    recorded = origin["class"] == "recorded"
    for number, response in enumerate(responses):
        at = "responses", number
        if recorded:
            _check_recorded(response, home, at)
        else:
            _check_constructed(response, request["path"], at)
    choose = raw.get("choose", "")
    if (len(responses) > 1) != (choose in ("in turn", "by retry")):
        raise BrokenRecording(
            'choose must be "in turn" or "by retry" where there are several responses, and only there',
            "choose",
        )
    body = (exactly if recorded else canonical.canonical_body)(request["path"], request.get("body"))
    if recorded and "slots" in raw:
        raise BrokenRecording("is recorded, and so has no slots", "slots")
    try:
        if not recorded:  # there, marks are the reader's own words
            slots.check(raw.get("slots", {}), body)
    except slots.BadSlot as e:
        raise BrokenRecording(str(e), "slots") from None
    return Recording(
        name,
        raw["about"],
        origin,
        request["method"],
        request["path"],
        body,
        request.get("body"),
        raw.get("slots", {}),
        choose,
        responses,
        home,
    )


def _check_parts(raw):
    if missing := sorted({"about", "origin", "request", "responses"} - set(raw)):
        raise BrokenRecording(f"lacks {', '.join(missing)}")
    if odd := sorted(set(raw) - PARTS):
        raise BrokenRecording(f"has unknown parts: {', '.join(odd)}", odd[0])
    origin, request = raw["origin"], raw["request"]
    if not isinstance(raw["about"], str):
        raise BrokenRecording("about must be a text", "about")
    if not isinstance(origin, dict) or origin.get("class") not in KINDS:
        raise BrokenRecording(
            f"says no origin; origin.class must be one of {', '.join(KINDS)}", "origin", "class"
        )
    if (
        not isinstance(request, dict)
        or not isinstance(request.get("method"), str)
        or not str(request.get("path", "")).startswith("/")
    ):
        raise BrokenRecording("request needs a method and a path", "request")
    if not isinstance(raw["responses"], list) or not raw["responses"]:
        raise BrokenRecording("responses must be a list of at least one answer", "responses")


def _check_constructed(response, path, at):
    if (
        not isinstance(response, dict)
        or not isinstance(response.get("status"), int)
        or ("body" in response) == ("events" in response)
    ):
        raise BrokenRecording("each response needs a status and either a body or events", *at)
    if not isinstance(response.get("body", {}), dict):
        raise BrokenRecording("the body of a response must be an object", *at, "body")
    status = response["status"]
    if status == 200 and path == shaping.RESPONSES and not _is_response(response):
        raise BrokenRecording(
            "a response needs an id, a text, and its output, a list of objects", *at, "body"
        )
    if status == 200 and path == shaping.CHAT and not _is_chat(response):
        raise BrokenRecording(
            "an answer of Chat Completions needs choices, a list of objects with a message",
            *at,
            "body",
            "choices",
        )
    if status >= 400 and not _is_error(response):
        raise BrokenRecording("a refusal needs an error with a message, a text", *at, "body")
    _each(
        response.get("events", []),
        lambda e: isinstance(e.get("at"), (int, float)) and "data" in e,
        "each event of a stream needs a time, at, and its data",
        (*at, "events"),
    )


def _is_response(r):
    """Has it what stored.py asks of a response that is continued?"""
    body = r.get("body", {"id": "", "output": []})
    items = body.get("output")
    return isinstance(body.get("id"), str) and _objects(items) and all(map(_is_item, items))


def _is_chat(r):
    choices = r.get("body", {"choices": [{"message": {}}]}).get("choices")
    return (
        _objects(choices) and choices and all(isinstance(c.get("message"), dict) for c in choices)
    )


def _is_error(r):
    error = r.get("body", {}).get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def _is_item(item):
    return isinstance(item.get("type"), str) and _objects(item.get("content") or [])


def _objects(value):
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _each(entries, right, why, at):
    """Raises BrokenRecording at the first entry of a list that is no object, or not `right`."""
    if not isinstance(entries, list):
        raise BrokenRecording(f"{at[-1]} must be a list: {why}", *at)
    for number, entry in enumerate(entries):
        if not (isinstance(entry, dict) and right(entry)):
            raise BrokenRecording(why, *at, number)


def _check_recorded(r, home, at):
    if (
        not isinstance(r, dict)
        or not isinstance(r.get("status"), int)
        or sum(name in r for name in ("text", "events", "file", "session")) != 1
    ):
        raise BrokenRecording(
            "each response that was recorded needs a status and one of text, events, file, session",
            *at,
        )
    headers, lines = r.get("headers", {}), r.get("text", [])
    if not isinstance(headers, dict) or not all(
        HEADERS.fullmatch(k) and isinstance(v, str) and v.isprintable() for k, v in headers.items()
    ):
        raise BrokenRecording(
            "the headers of a response must be texts, and of those that are kept", *at, "headers"
        )
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise BrokenRecording("the text of a response must be a list of lines", *at, "text")
    _each(
        r.get("events", []),
        lambda e: isinstance(e.get("at"), (int, float)) and isinstance(e.get("text"), str),
        "each event that was recorded needs a time, at, and its text",
        (*at, "events"),
    )
    if "session" in r:
        _check_session(r, at)
    for file in [r["file"]] if "file" in r else r.get("sound", {}).values():
        if not (FILE.fullmatch(str(file)) and (home / "files" / file).is_file()):
            raise BrokenRecording(f"names a file that is not there: files/{file}", *at)


def _check_session(r, at):
    sides = {"client": (dict, int, str), "api": (str,), "closed": (list,)}
    if not isinstance(r.get("sound"), dict) or not set(r["sound"]) <= {"client", "api"}:
        raise BrokenRecording("the sound of a session must be by client and api", *at, "sound")
    _each(
        r["session"],
        lambda e: (
            isinstance(e.get("at"), (int, float))
            and len(e) == 2
            and any(isinstance(e.get(side), kinds) for side, kinds in sides.items())
        ),
        "each entry of a session needs a time, at, and one of client, api, closed",
        (*at, "session"),
    )


class Library:
    """All recordings of a folder, and the reader's `own`, which come first. `problems` lists (file
    name, why) of those that cannot answer.
    """

    def __init__(
        self, folder: str | os.PathLike[str] = FOLDER, own: str | os.PathLike[str] | None = None
    ) -> None:
        self.folder = Path(folder)
        self.recordings: list[Recording] = []
        self.problems: list[tuple[str, str]] = []
        self._first: dict[str, Recording] = {}
        self._slotted: dict[tuple[str, str], list[Recording]] = {}
        self._recorded: dict[str, Recording] = {}
        self._turning = threading.Lock()
        self._own = f"{Path(own).name}/" if own else ""
        self._read(self.folder)
        if own:
            self._read(Path(own), self._own)
        self.recordings += self._recorded.values()
        self._asked = {(r.method, r.path) for r in self._recorded.values()}

    def _read(self, folder, before=""):
        for file in sorted(folder.rglob("*.json")):
            name = file.relative_to(folder)
            if name.parts[0] == "files":
                continue
            try:
                recording = read(file, folder)
                recording.name = before + recording.name
                self._add(recording)
            except BrokenRecording as e:
                self.problems.append((before + name.as_posix(), str(e)))

    def _add(self, recording):
        if recording.recorded:
            return self._add_recorded(recording)
        first = self._first.setdefault(recording.key, recording)
        if first is not recording:
            raise BrokenRecording(
                f"answers the same request as {first.name}.json, which stays the one that answers"
            )
        if recording.slots:
            self._slotted.setdefault((recording.method, recording.path), []).append(recording)
        self.recordings.append(recording)

    def _add_recorded(self, recording):
        known = self._recorded.setdefault(recording.key, recording)
        if known is recording:
            return
        if PurePosixPath(known.name).parent == PurePosixPath(recording.name).parent:
            known.responses += recording.responses
            known.choose = "in turn"
        else:
            self._recorded[recording.key] = recording

    def find_recorded(
        self, method: str, path: str, query: dict[str, str], content_type: str, raw: bytes
    ) -> Recording | None:
        """The Recording of this very request, given by its parts, or None."""
        if (method, scrub.text(path)) not in self._asked:
            return None
        path, body = as_kept(method, path, query, content_type, raw)
        return self._recorded.get(canonical.key(method, path, exactly(path, body)))

    def left_out(self) -> list[tuple[str, str]]:
        """[(file, why)] of the recordings that cannot answer, each file with its folder."""
        return [
            (file if self._own and file.startswith(self._own) else f"data/recordings/{file}", why)
            for file, why in self.problems
        ]

    def find(self, method: str, path: str, body: object) -> tuple[Recording | None, dict[str, Any]]:
        """(recording, {slot: value}) for a canonical request, or (None, {})."""
        exact = self._first.get(canonical.key(method, path, body))
        if exact and not exact.slots:
            return exact, {}
        for recording in self._slotted.get((method, path), ()):
            found = slots.match(recording.body, body, recording.slots)
            if found is not None:
                return recording, found
        return None, {}

    def next_response(self, recording: Recording, retry: int) -> dict[str, Any]:
        """The response that is due: by its place in a sequence, or by the client's retry count."""
        last = len(recording.responses) - 1
        if recording.choose == "by retry":
            return recording.responses[min(retry, last)]
        with self._turning:  # several are answered at once
            due = recording.responses[min(recording.turn, last)]
            recording.turn += 1
        return due

    def rewind(self, created_id: str | None = None) -> bool:
        """Begin sequences again: all, or those whose path names the id that a create call has just
        answered.

        Returns whether there are such sequences.
        """
        begun = [
            r
            for r in self.recordings
            if r.choose == "in turn" and (created_id is None or created_id in r.path.split("/"))
        ]
        with self._turning:
            for recording in begun:
                recording.turn = 0
        return bool(begun)
