"""Ids, clocks and the bodies of answers, as OpenAI shapes them."""

from __future__ import annotations

import functools
import hashlib
import random
from email.utils import formatdate
from typing import Any

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
EPOCH = 1_576_800_000  # the zero of the clock in OpenAI's short ids


def short_id(prefix: str, seconds: int, name: str, length: int) -> str:
    """An id as genuine ones are built: five characters of clock; then `Day9`, which tells ours from
    theirs.
    """

    def base62(n, width):
        return "".join(BASE62[n // 62**i % 62] for i in reversed(range(width)))

    rest = length - 5 - 4
    made = int.from_bytes(hashlib.sha256(name.encode()).digest())
    return f"{prefix}{base62(seconds - EPOCH, 5)}Day9{base62(made, rest)}"


@functools.lru_cache(1)  # thousands of answers are of one second
def date(second: int) -> str:
    """A Unix time as HTTP's headers have it."""
    return formatdate(second, usegmt=True)


def request_id() -> str:
    return f"req_{random.getrandbits(128):032x}"


def chat_answer(spec: dict[str, Any], model: str, seconds: int, name: str) -> dict[str, Any]:
    """The body of a Chat Completions answer, its tokens still to be counted (shaping.counted).

    spec: `text`, `refusal`, `calls` ([{name, arguments as JSON}]) and `reasoning_tokens`, all
    optional. seconds: Unix time. name: what the ids follow from.
    """
    message = {"role": "assistant", "content": spec.get("text"), "refusal": spec.get("refusal")}
    if "calls" in spec:
        message["tool_calls"] = [
            {
                "id": f"call_Day9{hashlib.sha256(f'{name} {i}'.encode()).hexdigest()[:20]}",
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for i, call in enumerate(spec["calls"])
        ]
    choice = {"index": 0, "message": message}
    if not model.startswith("o"):
        choice["logprobs"] = None  # reasoning models have no such key
    choice["finish_reason"] = "tool_calls" if "calls" in spec else "stop"
    details = {
        "reasoning_tokens": spec.get("reasoning_tokens", 0),
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    return {
        "id": short_id("chatcmpl-", seconds, name, 29),
        "object": "chat.completion",
        "created": seconds,
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "total_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": details,
        },
        "service_tier": "default",
        "system_fingerprint": "fp_" + hashlib.sha256(model.encode()).hexdigest()[:10],
    }


def response_answer(
    spec: dict[str, Any], model: str, seconds: int, name: str, body: dict[str, Any]
) -> dict[str, Any]:
    """The body of a Responses answer to `body`; the rest as in `chat_answer`."""
    return {
        "id": _item("resp_", name),
        "object": "response",
        "created_at": seconds,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "model": model,
        "output": _output(spec, name),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": body.get("reasoning", {}).get("effort", "medium"), "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": body.get("text", {"format": {"type": "text"}}),
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": spec.get("reasoning_tokens", 0)},
            "total_tokens": 0,
        },
        "user": None,
        "metadata": {},
    }


def _item(prefix, name):
    return f"{prefix}Day9{hashlib.sha256(f'{prefix}{name}'.encode()).hexdigest()[:44]}"


def _output(spec, name):
    """The items of a response: what was thought, the calls, the message."""
    output = []
    if spec.get("reasoning_tokens"):
        output.append({"id": _item("rs_", name), "type": "reasoning", "summary": []})
    for i, call in enumerate(spec.get("calls", [])):
        output.append(
            {
                "id": _item(f"fc_{i}", name),
                "type": "function_call",
                "status": "completed",
                "arguments": call["arguments"],
                "call_id": f"call_Day9{hashlib.sha256(f'{name} {i}'.encode()).hexdigest()[:20]}",
                "name": call["name"],
            }
        )
    said = []
    if "text" in spec:
        part = {"type": "output_text", "annotations": [], "logprobs": [], "text": spec["text"]}
        said.append(part)
    if "refusal" in spec:
        said.append({"type": "refusal", "refusal": spec["refusal"]})
    if said:
        message = {"id": _item("msg_", name), "type": "message", "status": "completed"}
        output.append(message | {"role": "assistant", "content": said})
    return output
