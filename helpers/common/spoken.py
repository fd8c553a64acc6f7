"""The frame of a Realtime turn: both sides' words, and what is missing, with the reason."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from . import left_out

# What a session may be set to, and what changes nothing here, since no model listens or speaks.
NO_EFFECT = {
    # a clip has the voice that it has; a mouth has several
    "the voice": lambda s: s["audio"]["output"]["voice"] != "alloy" and not left_out.ears(),
    "noise_reduction": lambda s: s["audio"]["input"]["noise_reduction"],
    "the transcription's language": lambda s: (s["audio"]["input"]["transcription"] or {}).get("language"),
    "the transcription's prompt": lambda s: (s["audio"]["input"]["transcription"] or {}).get("prompt"),
    "tracing": lambda s: s["tracing"],
    "include": lambda s: s["include"],
    "prompt": lambda s: s["prompt"],
    "truncation": lambda s: s["truncation"] not in ("auto", None),
    "reasoning": lambda s: s.get("reasoning"),
    "parallel_tool_calls": lambda s: s.get("parallel_tool_calls") is not None,
}  # fmt: skip
UNKNOWN = "(a sound that none of the recordings here sounds like: nothing here understands speech)"


def as_objects(events: list[dict[str, Any]]) -> list[Any]:
    """Events as dicts, with the attributes that those of the SDK have."""
    return json.loads(json.dumps(events), object_hook=lambda d: SimpleNamespace(**d))


def in_words(response: Any) -> str:
    """What a response is, in a sentence. `response`: that of response.done, of the SDK or a
    dict.
    """
    if isinstance(response, dict):
        response = as_objects([response])[0]
    parts = []
    for item in response.output or []:
        if item.type == "function_call":
            parts.append(f"a call of the function {item.name}({item.arguments}), without words")
            continue
        for part in item.content:
            sound = part.type.endswith("audio")
            said = getattr(part, "transcript", None) if sound else part.text
            parts.append(f"{'sound' if sound else 'text, no sound'}, {said!r}, no function call")
    return "; ".join(parts or ["nothing"]) + ending(response) + "."


def ending(response: Any) -> str:
    """Why a response ended before its end; "" where it did not."""
    if response.status == "completed":
        return ""
    reason = getattr(response.status_details, "reason", None)
    if reason == "max_output_tokens":
        return f" (cut off: max_output_tokens is {response.max_output_tokens})"
    return f" (status is {response.status}{f', {reason}' if reason else ''})"


def turn(events: list[Any]) -> tuple[list[str], list[str]]:
    """(lines of both sides in order, notes on what is missing) of the events of one turn or
    more.
    """
    session, said, notes, quoted, unheard = None, [], [], {}, 0
    for e in events:
        kind = getattr(e, "type", "")
        if kind in ("session.created", "session.updated"):
            session = e.session
        elif kind == "input_audio_buffer.committed":
            unheard += 1
        elif kind.endswith("input_audio_transcription.completed"):
            said.append(f"you: {e.transcript}")
            unheard -= 1
        elif kind.endswith("input_audio_transcription.failed"):
            said.append(f"you: {UNKNOWN}")
            unheard -= 1
        elif kind == "response.output_audio_transcript.done":
            quoted[e.response_id] = len(said)
            said.append(f"it: {e.transcript}")
        elif kind == "response.output_text.done":
            quoted[e.response_id] = len(said)
            said.append(f"it: {e.text}")
        elif kind == "response.function_call_arguments.done":
            said.append(f"it calls {e.name}({e.arguments})")
        elif kind == "response.done" and ending(e.response):
            if e.response.id in quoted:
                said[quoted[e.response.id]] += ending(e.response)
            else:
                said.append(f"it: nothing{ending(e.response)}")
        elif kind == "error":
            said.append(f"error: {e.error.message}")
    if session is not None:
        whole = session if isinstance(session, dict) else _plain(session)
        notes += [f"{name} has no effect here" for name, given in NO_EFFECT.items() if _given(given, whole)]  # fmt: skip
        if unheard > 0 and not whole["audio"]["input"].get("transcription"):
            said.insert(0, "you: (sound, not written down: the session asks for no transcription)")
    return said, notes


def _plain(session):
    return session.to_dict() if hasattr(session, "to_dict") else json.loads(json.dumps(session, default=vars))  # fmt: skip


def _given(ask, session):
    try:
        return ask(session)
    except (KeyError, TypeError, AttributeError):  # an upstream's session has other parts
        return None
