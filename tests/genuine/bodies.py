"""What a body is, and what bodies lie in a file: bare ones, exchanges with their headers, streams,
traces of events.
"""

import json
import re
from typing import NamedTuple

# Days on which the shape of chat bodies changed, as Unix time of their `created`.
PREDICTIONS, ANNOTATIONS, OBFUSCATION = 1_730_937_600, 1_741_737_600, 1_754_000_000
NAMED_BY_OBJECT = {
    "file",
    "fine_tuning.job.event",
    "fine_tuning.job.checkpoint",
    "model",
    "upload",
    "upload.part",
}
METHODS_SINCE = 1_734_400_000  # from then on a tuning job names its method
BETA_EVENTS = {
    "response.text.delta",
    "response.text.done",
    "response.audio.delta",
    "response.audio.done",
    "response.audio_transcript.delta",
    "response.audio_transcript.done",
    "conversation.item.created",
}
STREAM, SDP = "#sse", "sdp.answer"  # categories of bodies that are no JSON
PLACES = (
    ("chat/completions", "chat"),
    ("fine_tuning", "fine_tuning"),
    ("/files", "files"),
    ("realtime/calls", "realtime.calls"),
    ("realtime", "realtime.secrets"),
    ("/models", "models"),
)


class Part(NamedTuple):
    """One body of a file: the category whose table it is held to (None where it is nothing known),
    and what came with it.
    """

    category: str | None
    body: object
    status: int | None = None
    headers: dict | None = None


def category(body):
    """The category of a JSON body; None where it is nothing that the tables know."""
    if not isinstance(body, dict):
        return None
    kind = body.get("object")
    if isinstance(body.get("error"), dict) and len(body) == 1:
        return "error"
    if kind in ("chat.completion", "chat.completion.chunk"):
        return kind + _family(body) + _era(body)
    if kind == "list":
        first = (body.get("data") or [{}])[0]
        return f"list:{first.get('object') if isinstance(first, dict) else '?'}"
    if kind == "file" and "deleted" in body:
        return "file.deleted"
    if kind == "fine_tuning.job":
        early = (body.get("created_at") or METHODS_SINCE) < METHODS_SINCE
        return "fine_tuning.job@<2024-12" if early else kind
    if kind in NAMED_BY_OBJECT:
        return kind
    if str(body.get("value", "")).startswith("ek_"):
        return f"realtime.client_secret:{(body.get('session') or {}).get('type')}"
    if kind in ("realtime.session", "realtime.transcription_session") and "type" not in body:
        return f"beta.{kind}"
    event = body.get("type")
    if isinstance(event, str) and ("." in event or event == "error"):
        return f"{'rt' if _is_of_today(body) else 'rtbeta'}.{event}"
    return None


def _family(body):
    model = (body.get("model") or "").removeprefix("ft:")
    return ".o" if re.match(r"o\d", model) else ".gpt5" if model.startswith("gpt-5") else ".gpt4"


def _era(body):
    created = body.get("created") or 0
    if created < PREDICTIONS:
        return "@<2024-11"
    if created < ANNOTATIONS:
        return "@2024-11"
    if created < OBFUSCATION or body["object"] == "chat.completion":
        return "@2025-03+"
    return "@2025-08+"


def _is_of_today(event):
    """Whether a Realtime event has the GA's shape and not the beta's."""
    session = event.get("session")
    if isinstance(session, dict):
        return "output_modalities" in session or session.get("type") in (
            "realtime",
            "transcription",
        )
    text = json.dumps(event)
    if '"realtime.item"' in text or '"modalities"' in text and "output_modalities" not in text:
        return False
    return event["type"] not in BETA_EVENTS


def documents(name, text):
    """The documents of a file: the lines of a .jsonl, a stream, an SDP answer, or one JSON text.
    ValueError for none of these.
    """
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if _is_stream(text) or text.startswith("v=0"):
        return [{"request": {}, "response": {"body": text}}]
    return [json.loads(text)]


def parts(document):
    """The Parts of a document: {request, response} pairs, {direction, data} lines of a trace, lists
    of these, or a bare body.
    """
    if isinstance(document, list):
        for one in document:
            yield from parts(one)
    elif not isinstance(document, dict):
        yield Part(category(document), document)
    elif "request" in document and isinstance(document.get("response"), dict):
        yield from _of_exchange(document["request"], document["response"])
    elif "data" in document and "direction" in document:
        event = document["data"]
        if isinstance(event, dict):
            kind = category(event)
            if document["direction"] == "sent":
                kind = re.sub(r"(rt|rtbeta)\.", r"\1.client.", kind or "", count=1)
            yield Part(kind, event)
    else:
        yield Part(category(document), document)


def _of_exchange(request, response):
    body = response["body"] if "body" in response else response.get("json")
    status, headers = response.get("status"), response.get("headers")
    if not isinstance(body, str):
        yield Part(category(body), body, status, headers)
    elif _is_stream(body):
        for event in chunks(body):
            yield Part(category(event), event, status, headers)
        yield Part(STREAM, body, status, headers)
    elif body.startswith("v=0"):
        yield Part(SDP, body, status, headers)
    else:
        try:
            body = json.loads(body)
        except ValueError:
            yield Part(None, body, status, headers)
        else:
            yield Part(category(body), body, status, headers)
    if headers:
        url = request.get("url", "") if isinstance(request, dict) else ""
        lowered = {str(name).lower(): value for name, value in headers.items()}
        yield Part(_of_headers(url or "", str(status or "")), lowered, status, headers)


def _is_stream(text):
    return text.lstrip().startswith(("data:", "event:"))


def chunks(stream):
    """The JSON events of a stream's text."""
    for line in stream.split("\n"):
        data = line.strip().removeprefix("data:").strip()
        if line.strip().startswith("data:") and data != "[DONE]":
            try:
                yield json.loads(data)
            except ValueError:
                pass


def _of_headers(url, status):
    if not status.startswith("2"):
        return f"headers.error.{status}"
    return "headers." + next((place for part, place in PLACES if part in url), "other")
