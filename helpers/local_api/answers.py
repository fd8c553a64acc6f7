"""Who answers a request, in this order: the model list, the tuning part, a published refusal, a
recording, or nobody.

Knows nothing of sockets: `Answers.answer(...)` takes a request's parts and gives an `Answer`.
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from ..common.once import once
from ..facts import refusals, schemas
from ..facts.files import Broken
from ..facts.models import models
from . import (
    canonical,
    checks,
    off_the_map,
    pictures,
    request_shapes,
    reworded,
    shaping,
    slots,
    sse,
)
from .answer import (
    TEXTS_CHECKED_ON,
    Answer,
    as_it_came,
    as_json,
    bad_request,
    error,
    no_model,
    not_allowed,
    refused,
    told,
)
from .recordings import BrokenRecording, Library, exactly, own_folder
from .stored import NO_ITEM, Stored

if TYPE_CHECKING:
    from .tuning import Tuning


def model_object(row: dict[str, str]) -> dict[str, Any]:
    """A row of data/models.csv as the API's model object. `created` is the release day where no
    clock time is known.
    """
    day = lambda text: int(
        datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp()
    )
    made = {
        "id": row["model"],
        "object": "model",
        "created": int(row["created"] or (day(row["released"]) if row["released"] else 0)),
        "owned_by": "system",
    }
    return made | {"shutdown_date": row["shutdown"]} if row["shutdown"] else made


COMPUTED = ("/v1/files", "/v1/fine_tuning")  # answered by tuning/
# What OpenAI answers (the resources of openai 3.54.0) and nobody does here: off the map, where
# other paths are none at all.
ELSEWHERE = re.compile(
    r"/v1/(assistants|audio|batches|chat|completions|containers|conversations|decisions|embeddings|evals|images|live"
    r"|moderations|organization|realtime/translations|responses|safety|skills|threads|uploads"
    r"|vector_stores|videos)(/[\w.-]+)*"
)


class Answers:
    """`pace`: how slowly a tuning job goes; see tuning/jobs.py."""

    def __init__(self, library: Library | None = None, pace: float = 0) -> None:
        self.library, self.pace = library or Library(own=own_folder()), pace
        self.folder = ""  # of the recording that answered last: where the reader is
        self.stored = Stored()

    @once
    def tuning(self) -> Tuning:
        """Files, jobs and tuned models; loaded when first needed."""
        from .tuning import Tuning

        return Tuning(self.pace)

    def begin(self) -> None:
        """A new notebook: polls and receipts begin again. Files, jobs and tuned models stay: they
        are the reader's.
        """
        self.library.rewind()
        if "tuning" in vars(self):
            self.tuning.jobs.begin()

    def trained(self) -> list[dict[str, Any]]:
        """What tuning jobs have trained since then, for the receipt."""
        return self.tuning.jobs.trained() if "tuning" in vars(self) else []

    def answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        content_type: str,
        raw: bytes,
        retry: int = 0,
    ) -> Answer:
        """The Answer to a request given by its parts; `retry` is the client's count of tries before
        this one.
        """
        recording = self.library.find_recorded(method, path, query, content_type, raw)
        if recording:
            return self._as_it_came(recording)
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return self._models(method, path)
        if path.startswith(COMPUTED):
            return self.tuning.answer(method, path, query, content_type, raw)
        # a POST to /v1/responses/WORD is to an endpoint of that name: input_tokens, compact
        of_response = path.removeprefix(f"{shaping.RESPONSES}/")
        if of_response != path and (method != "POST" or "/" in of_response):
            return self.stored.answer(method, path, query)
        try:
            body = canonical.read_body(content_type, raw)
            if method != "POST":
                body = query or None
            elif path in request_shapes.OF:
                request_shapes.OF[path](body, "")
        except checks.Bad as e:
            return bad_request(e)
        if path != shaping.RESPONSES or method != "POST":
            return self._asked(method, path, body, retry)
        try:
            body = self.stored.referenced(body)
        except checks.Bad as e:
            return told(e, 404, NO_ITEM)
        try:
            previous, body = self.stored.continued(body)
        except checks.Bad as e:
            return told(e)
        answer = self._asked(method, path, body, retry)
        self.stored.keep(body, previous, answer)
        return answer

    def _asked(self, method, path, body, retry):
        """The Answer to a request whose body is read, with the turns before it where it continues a
        response.
        """
        if method == "POST" and path in request_shapes.OF:
            said = (
                self._refused(path, body)
                or _ill_formed(path, body)
                or _bad_part(path, body)
                or self._tuned(path, body)
            )
            if said:
                return said
        return self._recorded(method, path, body, retry)

    def _as_it_came(self, recording):
        """What an API once said to this very request."""
        try:
            answer = as_it_came(recording, self.library.next_response(recording, 0))
        except BrokenRecording as e:
            return error(500, f"The recording {recording.name}.json {e}.", "server_error")
        begins = recording.method == "POST" and bool(answer.id) and self.library.rewind(answer.id)
        answer.keeps = not recording.choose and not begins
        return answer

    def _models(self, method, path):
        name = path.removeprefix("/v1/models").strip("/")
        if name.startswith("ft:"):
            return self.tuning.models.answer(method, path, name)
        if method != "GET":
            return not_allowed(method, path)
        origin = {"class": "published", "source": "data/models.csv"}
        if not name:
            return Answer(
                200,
                as_json(
                    {
                        "object": "list",
                        "data": [model_object(r) for r in models().values()]
                        + self.tuning.models.objects(),
                    }
                ),
                origin=origin,
            )
        return (
            Answer(200, as_json(model_object(models()[name])), origin=origin)
            if name in models()
            else no_model(name)
        )

    def _refused(self, path, body):
        found = refusals.refusal(path, body)
        if found:
            status, e, rule = found
            return refused(status, e, rule["source"], rule["checked_on"], body["model"])
        known = body["model"] in models() or self.tuning.models.get(body["model"])
        return None if known else no_model(body["model"])

    def _tuned(self, path, body):
        """What a tuned model says, or a model that can be tuned where a preference file has the
        prompt; else None.
        """
        kind = models()[body["model"]]["kind"] if body["model"] in models() else "tuned"
        return self.tuning.models.say(path, body) if kind in ("chat", "tuned") else None

    def _recorded(self, method, path, body, retry):
        same = canonical.canonical_body(path, body)
        sent = body if isinstance(body, dict) else {}
        recording, found = self.library.find(method, path, same)
        if recording is None:
            return self._worked_out(method, path, body, sent, retry)
        return self._replayed(method, path, body, sent, retry, recording, found)

    def _replayed(self, method, path, body, sent, retry, recording, found, note=""):
        """What a recording answers. note: in which other words it was asked."""
        self.folder = recording.name.rpartition("/")[0]
        origin = recording.origin | ({"note": note} if note else {})
        response = self.library.next_response(recording, retry)
        if "events" in response:
            events = [(e["at"], sse.event(e["data"], e.get("event"))) for e in response["events"]]
            return Answer(
                response["status"],
                events=events,
                origin=origin,
                recording=recording.name,
                model=_model(sent),
            )
        value = response["body"]
        if recording.slots:
            try:
                value = slots.render(value, recording.slots, found)
            except slots.BadSlot as e:
                return error(
                    500, f"The recording data/recordings/{recording.name}.json {e}.", "server_error"
                )
        others = (found[n] != s["example"] for n, s in recording.slots.items() if n in found)
        if note or any(others):
            value = shaping.counted(path, body, value)
        begins = False  # a create call, whose polls begin again
        if response["status"] == 200:
            value = shaping.limited(path, value, shaping.limit_of(sent))
            if method == "POST" and value.get("id"):
                begins = self.library.rewind(value["id"])
        answer = Answer(
            response["status"],
            origin=origin,
            recording=recording.name,
            model=value.get("model") or _model(sent),
            usage=value.get("usage") or {},
            id=value.get("id", ""),
            keeps=not recording.choose and not begins,
        )
        if response["status"] == 200 and path in (shaping.CHAT, shaping.RESPONSES):
            return self._sent(path, sent, value, answer)
        answer.body = as_json(value)
        return answer

    @once
    def descriptions(self) -> set[str | None]:
        """What tools in recordings say of themselves: of another text an answer says that nothing
        here reads it.
        """
        bodies = [r.body for r in self.library.recordings if isinstance(r.body, dict)]
        tools = [tool for body in bodies for tool in body.get("tools") or []]
        return {(tool.get("function") or tool).get("description") for tool in tools}

    def _worked_out(self, method, path, body, sent, retry):
        """An answer that follows from facts where no recording has one; else the recording of the
        same question in slightly other words; else a miss, which says why where that is known.
        """
        why = ""
        if method == "POST" and path in (shaping.CHAT, shaping.RESPONSES):
            from . import computed  # most notebooks never come here

            try:
                said = computed.answer(path, body, self.descriptions)
            except (computed.Unclear, Broken) as e:
                why, said = str(e), None
            if said:
                return self._shaped(path, sent, *said)
            for other, words in reworded.others(canonical.canonical_body(path, body)):
                recording, found = self.library.find(method, path, other)
                if recording is not None:
                    note = f"answered as {words!r}"
                    return self._replayed(method, path, body, sent, retry, recording, found, note)
        return self._missed(method, path, exactly(path, body), sent, why)

    def _shaped(self, path, sent, value, name, notes):
        """A worked-out answer under the limit, and as the stream, that the request asks for."""
        from . import computed

        origin = {
            "class": "constructed",
            "date": computed.DATE,
            "source": "helpers/local_api/computed",
        }
        if notes:
            origin["note"] = "; ".join(notes)
        value = shaping.limited(path, value, shaping.limit_of(sent))
        answer = Answer(
            200,
            origin=origin,
            recording=name,
            model=value["model"],
            usage=value["usage"],
            id=value["id"],
            keeps=True,
        )
        return self._sent(path, sent, value, answer)

    def _sent(self, path, sent, value, answer):
        """The Answer with its body, or with the events of a stream."""
        if sent.get("stream"):
            usage = (sent.get("stream_options") or {}).get("include_usage")
            answer.events = shaping.stream(path, value, usage)
        else:
            answer.body = as_json(value)
        return answer

    def _missed(self, method, path, same, sent, why=""):
        others = {r.method for r in self.library.recordings if r.path == path}
        if path in (shaping.CHAT, shaping.RESPONSES):
            others.add("POST")
        if path == shaping.CHAT:
            others.add("GET")  # the list of those that are stored
        if not others and not ELSEWHERE.fullmatch(path):
            return error(404, f"Invalid URL ({method} {path})")
        if others and method not in others:
            return not_allowed(method, path)
        message, details = off_the_map.miss(
            self.library, method, path, same, sent.get("model"), self.folder
        )
        if why:
            message, details = f"{why} {message}", details | {"why": why}
        param = details["differences"][0]["path"] if details["differences"] else None
        return error(
            424,
            message,
            kind=off_the_map.CODE,
            param=param,
            code=off_the_map.CODE,
            off_the_map=details,
            model=_model(sent),
        )


def _model(sent):
    """The model that a request names, for the books."""
    name = sent.get("model")
    return canonical.canonical_model(name) if isinstance(name, str) else ""


def _ill_formed(path, body):
    """An error for a parameter that no model takes so; else None."""
    try:
        request_shapes.for_every_model(path, body)
    except checks.Bad as e:
        return bad_request(e)
    return None


def _bad_part(path, body):
    """An error for a schema outside the subset that the API accepts, or a picture that is
    none; else None.
    """
    found = schemas.refusal(path, body) or pictures.refusal(path, body)
    if not found:
        return None
    e, source = found
    return refused(400, e, source, TEXTS_CHECKED_ON, _model(body))
