"""What an answer is, and the errors that all parts of the API share, in its words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..facts.files import Broken
from . import shaping

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from .checks import Bad
    from .recordings import Recording


class Request(Protocol):
    """What is read of a request, whoever it comes from."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    """What a request gets: a body, or the events of a stream, and what is told of where it comes
    from. `usage`, `id`, `model`: for the books.
    """

    status: int
    body: bytes = b""
    # of a stream, each with its second
    events: list[tuple[float, bytes]] = field(default_factory=list)
    origin: dict[str, Any] = field(default_factory=dict)
    recording: str = ""
    model: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    off_the_map: dict[str, Any] = field(default_factory=dict)
    keeps: bool = False  # the same request will always have this same answer
    # in the place of, or beyond, those that every answer has
    headers: dict[str, str] = field(default_factory=dict)
    # recorded, or an upstream's: it has all the headers that it is to have
    as_it_came: bool = False
    # sent as its bytes come, in the place of body and events
    flow: AsyncGenerator[bytes, None] | None = None
    note: str = ""  # what the reader should know of how the answer came about


def fault(e: Exception) -> str:
    """What is told where an answer ended in an exception: of a file of data/ that was broken by
    hand, which one; all else is a fault of ours.
    """
    return str(e) if isinstance(e, Broken) else f"The local API has a fault: {e!r}"


def as_json(value: object) -> bytes:
    """A value as the JSON of an answer's body, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def message_of(raw: bytes | str) -> str:
    """The message of an error's body, in OpenAI's envelope or as another server writes it; "" where
    it has none.

    >>> message_of('{"error": {"message": "Overloaded"}}'), message_of('{"error": "Overloaded"}')
    ('Overloaded', 'Overloaded')
    """
    try:
        found = json.loads(raw)["error"]
        return str(found["message"] if isinstance(found, dict) else found or "")
    except (ValueError, KeyError, TypeError):
        return ""


def error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    param: str | None = None,
    code: str | None = None,
    **more: Any,
) -> Answer:
    """An error in OpenAI's envelope, whose keys are always these four."""
    return Answer(
        status,
        as_json({"error": {"message": message, "type": kind, "param": param, "code": code}}),
        **more,
    )


def bad_request(e: Bad, status: int = 400, **more: Any) -> Answer:
    """What is told of a request that a check does not let pass."""
    return Answer(status, as_json({"error": e.error}), **more)


OURS = "ours: how the API words this is not known"


def told(e: Bad, status: int = 400, source: str = OURS) -> Answer:
    """The Answer that tells a Bad. Its text is the API's own only where `source` begins with
    "verbatim".
    """
    return bad_request(e, status, origin=text_origin(source, TEXTS_CHECKED_ON))


def as_it_came(recording: Recording, response: dict[str, Any]) -> Answer:
    """The Answer of a recorded response. Raises BrokenRecording where its file is gone."""
    events = [(e["at"], e["text"].encode()) for e in response.get("events", [])]
    body = b"" if events else recording.content(response)
    told = shaping.told(body, events)
    if not told["usage"]:  # a file, a job, sound: nothing that the receipt could price by tokens
        told["model"] = "" if response["status"] == 200 else recording.origin.get("model", "")
    return Answer(
        response["status"],
        body,
        events,
        recording.origin,
        recording.name,
        **told,
        headers=response.get("headers", {}),
        as_it_came=True,
    )


TEXTS_CHECKED_ON = "2026-11-22"  # those of data/schema_rules.csv, pictures.py and tuning/; refusals.json dates its own


def refused(status: int, e: dict[str, Any], source: str, checked_on: str, model: str) -> Answer:
    """What the API says of a request that it does not accept."""
    return Answer(
        status,
        as_json({"error": e}),
        origin=text_origin(source, checked_on),
        model=model,
        keeps=True,
    )


def text_origin(source: str, checked_on: str) -> dict[str, str]:
    """The origin of an error's text: published where `source` begins with "verbatim"; on a
    published one's pattern it is ours.
    """
    return {
        "class": "published" if source.startswith("verbatim") else "constructed",
        "date": checked_on,
        "source": source,
    }


def no_model(name: str) -> Answer:
    """The API's 404 for a model that nobody knows."""
    origin = {"class": "published", "source": "verbatim: weighmyprompt/Paper2Code#31"}
    return error(
        404,
        f"The model `{name}` does not exist or you do not have access to it.",
        code="model_not_found",
        origin=origin,
    )


def not_allowed(method: str, path: str) -> Answer:
    """The API's 405 for a path that is asked in another way."""
    return error(
        405,
        f"Not allowed to {method} on {path} (HINT: Perhaps you meant to use a different HTTP method?)",
        code="method_not_supported",
    )
