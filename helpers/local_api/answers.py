"""Who answers a request, in this order: the model list, a published refusal, a recording, or nobody.

Knows nothing of sockets: `Answers.answer(...)` takes a request's parts and gives an `Answer`.
"""
import csv
import datetime
import functools
import json
from dataclasses import dataclass, field

from . import canonical, off_the_map, refusals, shaping, slots
from .recordings import Library


@dataclass
class Answer:
    status: int
    body: bytes = b""
    events: list = field(default_factory=list)  # [(seconds, bytes)] of a stream
    origin: dict = field(default_factory=dict)
    recording: str = ""
    model: str = ""
    usage: dict = field(default_factory=dict)
    id: str = ""
    off_the_map: dict = field(default_factory=dict)
    keeps: bool = False  # the same request will always have this same answer


def as_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def error(status, message, kind="invalid_request_error", param=None, code=None, **more):
    """An error in OpenAI's envelope, whose keys are always these four."""
    return Answer(status, as_json({"error": {"message": message, "type": kind, "param": param, "code": code}}), **more)


@functools.cache
def models():
    """{model id: row} of data/models.csv."""
    with open(canonical.DATA / "models.csv", encoding="utf-8", newline="") as f:
        return {row["model"]: row for row in csv.DictReader(f)}


def model_object(row):
    """A row of data/models.csv as the API's model object. `created` is the release day where no clock time is known."""
    day = lambda text: int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc).timestamp())
    made = {"id": row["model"], "object": "model", "created": int(row["created"] or (day(row["released"]) if row["released"] else 0)), "owned_by": "system"}
    return made | {"shutdown_date": row["shutdown"]} if row["shutdown"] else made


class Answers:
    def __init__(self, library=None):
        self.library = library or Library()

    def answer(self, method, path, query, content_type, raw, retry=0):
        """The Answer to a request given by its parts; `retry` is the client's count of tries before this one."""
        if path == "/v1/models" or path.startswith("/v1/models/"):
            return self._models(method, path)
        try:
            body = canonical.read_body(content_type, raw)
        except canonical.BadRequest as e:
            return error(400, str(e))
        if method != "POST":
            body = query or None
        if path in (shaping.CHAT, shaping.RESPONSES) and method == "POST":
            wrong = _malformed(path, body) or self._refused(path, body)
            if wrong:
                return wrong
        return self._recorded(method, path, body, retry)

    def _models(self, method, path):
        if method != "GET":
            return not_allowed(method, path)
        origin = {"class": "published", "source": "data/models.csv"}
        name = path.removeprefix("/v1/models").strip("/")
        if not name:
            return Answer(200, as_json({"object": "list", "data": [model_object(r) for r in models().values()]}), origin=origin)
        return Answer(200, as_json(model_object(models()[name])), origin=origin) if name in models() else no_model(name)

    def _refused(self, path, body):
        found = refusals.refusal(path, body)
        if found:
            status, e, rule = found
            origin = {"class": "published", "source": rule["source"]}
            return Answer(status, as_json({"error": e}), origin=origin, model=body["model"], keeps=True)
        return no_model(body["model"]) if body["model"] not in models() else None

    def _recorded(self, method, path, body, retry):
        same = canonical.canonical_body(path, body)
        recording, found = self.library.find(method, path, same)
        if recording is None:
            return self._missed(method, path, same)
        response = self.library.next_response(recording, retry)
        if "events" in response:
            events = [(e["at"], shaping.sse(e["data"], e.get("event"))) for e in response["events"]]
            return Answer(response["status"], events=events, origin=recording.origin, recording=recording.name)
        value = response["body"]
        if recording.slots:
            value = slots.render(value, recording.slots, found)
            if any(found[name] != slot["example"] for name, slot in recording.slots.items() if name in found):
                value = shaping.counted(path, body, value)
        sent = body if isinstance(body, dict) else {}
        if response["status"] == 200:
            value = shaping.limited(path, value, shaping.limit_of(sent))
            if method == "POST":
                self.library.rewind(value.get("id"))
        answer = Answer(response["status"], origin=recording.origin, recording=recording.name, model=value.get("model", ""),
                        usage=value.get("usage") or {}, id=value.get("id", ""), keeps=not recording.choose)
        if sent.get("stream") and response["status"] == 200 and path in (shaping.CHAT, shaping.RESPONSES):
            answer.events = shaping.stream(path, value, (sent.get("stream_options") or {}).get("include_usage"))
        else:
            answer.body = as_json(value)
        return answer

    def _missed(self, method, path, body):
        others = {r.method for r in self.library.recordings if r.path == path}
        if not others:
            return error(404, f"Invalid URL ({method} {path})")
        if method not in others:
            return not_allowed(method, path)
        message, details = off_the_map.miss(self.library, method, path, body)
        param = details["differences"][0]["path"] if details["differences"] else None
        return error(424, message, kind=off_the_map.CODE, param=param, code=off_the_map.CODE, off_the_map=details)


def _malformed(path, body):
    if not isinstance(body, dict):
        return error(400, "The body of your request must be a JSON object.")
    needed = ("model", "messages") if path == shaping.CHAT else ("model", "input")
    for name in needed:
        if not body.get(name):
            return error(400, f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter")
    if not isinstance(body["model"], str):
        return error(400, "Invalid type for 'model': expected a string.", param="model", code="invalid_type")
    if path == shaping.CHAT and not (isinstance(body["messages"], list) and all(isinstance(m, dict) for m in body["messages"])):
        return error(400, "Invalid type for 'messages': expected an array of objects.", param="messages", code="invalid_type")
    limit = shaping.limit_of(body)
    if limit is not None and limit < 1:
        return error(400, f"Invalid token limit: {limit}. Expected a value of at least 1.", code="integer_below_min_value")
    return None


def no_model(name):
    return error(404, f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found")


def not_allowed(method, path):
    return error(405, f"Not allowed to {method} on {path} (HINT: Perhaps you meant to use a different HTTP method?)", code="method_not_supported")
