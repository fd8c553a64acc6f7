"""What is computed on top of a recorded answer: token limits, token counts of slotted answers,
streams.

A recording holds the whole answer. A smaller `max_completion_tokens` cuts it as the API documents:
hidden reasoning is spent first, so a limit below it leaves an empty answer that is paid for.
"""

import copy
import json
import re

from ..facts import tokens as counter
from . import pictures, sse

LIMITS = ("max_completion_tokens", "max_output_tokens", "max_tokens")
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
BOOKED = 4_000_000  # bytes of a body that is looked into for the books
REASONING_STEP = 64  # o-series models report reasoning tokens in multiples of 64


def limit_of(body):
    """The token limit that a request sets, or None."""
    return next((body[name] for name in LIMITS if isinstance(body.get(name), int)), None)


def limited(path, answer, limit):
    """`answer` as it would be under `limit` completion tokens (the same object where the limit is
    not reached).
    """
    usage = answer.get("usage")
    if limit is None or not usage:
        return answer
    prompt, completion, details = _names(path)
    if usage[completion] <= limit:
        return answer
    answer = copy.deepcopy(answer)
    usage = answer["usage"]
    reasoning = usage[details]["reasoning_tokens"]
    visible = max(0, limit - reasoning)
    usage[completion] = limit
    usage["total_tokens"] = usage[prompt] + limit
    if reasoning > limit:
        usage[details]["reasoning_tokens"] = limit // REASONING_STEP * REASONING_STEP
    if path == CHAT:
        for choice in answer["choices"]:
            choice["finish_reason"] = "length"
            message = choice["message"]
            text = "refusal" if message.get("refusal") else "content"
            message[text] = _first(message[text] or "", visible)
            message.pop("tool_calls", None)
    else:
        answer["status"], answer["incomplete_details"] = (
            "incomplete",
            {"reason": "max_output_tokens"},
        )
        answer["output"] = [
            _cut_item(item, visible)
            for item in answer["output"]
            if item["type"] == "reasoning" or visible
        ]
    return answer


def _cut_item(item, visible):
    if item["type"] == "message":
        item["status"] = "incomplete"
        for part in item["content"]:
            part[_kind(part)] = _first(part[_kind(part)], visible)
    return item


def _kind(part):
    """The key under which a part of a Responses message has its words."""
    return "refusal" if part["type"] == "refusal" else "text"


def _first(text, tokens):
    """The first `tokens` tokens of a text (a cut inside a character leaves it out)."""
    encoding = counter.encoding()
    return (
        encoding.decode(encoding.encode(text, disallowed_special=())[:tokens], errors="ignore")
        if tokens
        else ""
    )


def counted(path, request, answer):
    """`answer` with its usage counted anew from the words of request and answer; reasoning stays as
    recorded.

    Tools and schemas are counted as their JSON text, an estimate: their form in the prompt is not
    published.
    """
    if not answer.get("usage"):
        return answer
    prompt, completion, details = _names(path)
    said, forms = _request_parts(path, request)
    usage = answer["usage"]
    usage[prompt] = counter.chat_tokens(said) + sum(
        counter.count(json.dumps(form, ensure_ascii=False)) for form in forms
    )
    usage[prompt] += pictures.count(path, request)
    usage[completion] = usage[details]["reasoning_tokens"] + sum(
        map(counter.count, _answer_texts(path, answer))
    )
    usage["total_tokens"] = usage[prompt] + usage[completion]
    return answer


def _request_parts(path, request):
    """(messages as counted, tools and schemas) of a request."""
    tools = request.get("tools") or []
    if path == CHAT:
        schema = request.get("response_format") or {}
        messages = request["messages"]
    else:
        schema = (request.get("text") or {}).get("format") or {}
        given = request["input"]
        messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
        if request.get("instructions"):
            messages = [{"role": "developer", "content": request["instructions"]}, *messages]
    return [_spoken(m) for m in messages], tools + [schema] * (schema.get("type") == "json_schema")


def _spoken(message):
    """A message whose tool calls, call or output count as text."""
    if "role" not in message:  # an item of the Responses API: a call or its output
        return {
            "role": "assistant",
            "content": str(message.get("arguments") or message.get("output") or ""),
        }
    calls = "".join(
        c["function"]["name"] + c["function"]["arguments"] for c in message.get("tool_calls") or []
    )
    return message | {"content": calls + (message.get("content") or "")} if calls else message


def _answer_texts(path, answer):
    if path == CHAT:
        for choice in answer["choices"]:
            message = choice["message"]
            yield message.get("content") or message.get("refusal") or ""
            for call in message.get("tool_calls") or []:
                yield call["function"]["name"] + call["function"]["arguments"]
    else:
        for item in answer["output"]:
            for part in item.get("content") or []:
                yield part[_kind(part)]
            if item["type"] == "function_call":
                yield item["name"] + item["arguments"]


def told(body, events):
    """The model, id and usage that an answer tells, which is JSON or a stream of it: what the books
    need; empty where it tells none.
    """
    texts = [body] if body else [data for _, event in events for data in sse.data(event)]
    found = {"model": "", "id": "", "usage": {}}
    for text in texts if len(body) < BOOKED else ():
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            continue
        said = said.get("response", said) if isinstance(said, dict) else None
        for name, empty in found.items():
            if isinstance(said, dict) and isinstance(said.get(name), type(empty)):
                found[name] = said[name] or empty
    return found


def _names(path):
    if path == CHAT:
        return "prompt_tokens", "completion_tokens", "completion_tokens_details"
    return "input_tokens", "output_tokens", "output_tokens_details"


# --- streams --------------------------------------------------------------------------------------

FIRST_AFTER, WORD_EVERY = 0.4, 0.05  # seconds; the pace of a stream made from a whole answer


def stream(path, answer, include_usage):
    """[(seconds from the start, Server-Sent Event as bytes)] for a whole answer."""
    events = chat_events(answer, include_usage) if path == CHAT else response_events(answer)
    return [(FIRST_AFTER + WORD_EVERY * i, event) for i, event in enumerate(events)]


def pieces(text):
    """A text in the pieces that a stream sends it in: words with the blank before them."""
    return re.findall(r"\s*\S+|\s+$", text)


def chat_events(answer, include_usage):
    """A chat completion as its stream of chunks, in the order that genuine ones have."""
    head = {
        "id": answer["id"],
        "object": "chat.completion.chunk",
        "created": answer["created"],
        "model": answer["model"],
        "service_tier": answer.get("service_tier"),
        "system_fingerprint": answer.get("system_fingerprint"),
    }

    def chunk(choice, delta, finish=None):
        # reasoning models have no such key
        logprobs = {"logprobs": None} if "logprobs" in choice else {}
        body = head | {
            "choices": [
                {"index": choice["index"], "delta": delta, **logprobs, "finish_reason": finish}
            ]
        }
        return sse.event(body | {"usage": None} if include_usage else body)

    for choice in answer["choices"]:
        message = choice["message"]
        text = "refusal" if message.get("refusal") else "content"
        calls = message.get("tool_calls") or []
        yield chunk(
            choice, {"role": "assistant", "content": None if calls else "", "refusal": None}
        )
        for piece in pieces(message.get(text) or ""):
            yield chunk(choice, {text: piece})
        for n, call in enumerate(calls):
            start = {
                "index": n,
                "id": call["id"],
                "type": "function",
                "function": {"name": call["function"]["name"], "arguments": ""},
            }
            yield chunk(choice, {"tool_calls": [start]})
            for piece in re.findall(r".{1,6}", call["function"]["arguments"], re.S):
                yield chunk(
                    choice, {"tool_calls": [{"index": n, "function": {"arguments": piece}}]}
                )
        yield chunk(choice, {}, choice["finish_reason"])
    if include_usage:
        yield sse.event(head | {"choices": [], "usage": answer["usage"]})
    yield sse.event(sse.DONE)


def response_events(answer):
    """A Responses answer as its stream of typed events."""
    count = iter(range(10**9))

    def event(kind, **more):
        return sse.event({"type": kind, "sequence_number": next(count), **more}, kind)

    begun = answer | {
        "status": "in_progress",
        "output": [],
        "usage": None,
        "incomplete_details": None,
        "completed_at": None,
    }
    yield event("response.created", response=begun)
    yield event("response.in_progress", response=begun)
    for i, item in enumerate(answer["output"]):
        where = {"item_id": item["id"], "output_index": i}
        if item["type"] == "message":
            yield event(
                "response.output_item.added",
                output_index=i,
                item=item | {"status": "in_progress", "content": []},
            )
            for n, part in enumerate(item["content"]):
                at, text = where | {"content_index": n}, part[_kind(part)]
                said = "response.refusal" if _kind(part) == "refusal" else "response.output_text"
                more = {} if _kind(part) == "refusal" else {"logprobs": []}
                yield event("response.content_part.added", **at, part=part | {_kind(part): ""})
                for piece in pieces(text):
                    yield event(f"{said}.delta", **at, delta=piece, **more)
                yield event(f"{said}.done", **at, **{_kind(part): text}, **more)
                yield event("response.content_part.done", **at, part=part)
        elif item["type"] == "function_call":
            yield event(
                "response.output_item.added",
                output_index=i,
                item=item | {"status": "in_progress", "arguments": ""},
            )
            for piece in re.findall(r".{1,6}", item["arguments"], re.S):
                yield event("response.function_call_arguments.delta", **where, delta=piece)
            yield event(
                "response.function_call_arguments.done",
                **where,
                name=item["name"],
                arguments=item["arguments"],
            )
        else:
            yield event("response.output_item.added", output_index=i, item=item)
        yield event("response.output_item.done", output_index=i, item=item)
    yield event(
        "response.incomplete" if answer["status"] == "incomplete" else "response.completed",
        response=answer,
    )
