"""A request of either API as one thing: rules, turns, pictures, tools and what they said, the form
of the answer.
"""

import json
import re
from dataclasses import dataclass, field

from .. import canonical, shaping
from .reading import Unclear


@dataclass
class Turn:
    """What a user said: the words, and the pictures as (url, detail)."""

    text: str
    pictures: list = field(default_factory=list)


@dataclass
class Tool:
    """A tool that is offered. `parameters`: its schema."""

    name: str
    description: str
    parameters: dict


@dataclass
class Asked:
    """A request, read. results: [(the call's id, its arguments, the tool's text)] since the last
    turn.
    """

    path: str
    model: str
    effort: str | None
    rules: list
    turns: list
    results: list
    tools: list
    choice: object
    parallel: bool
    schema: dict | None
    other: list  # parameters that nothing here follows


# From 4,300 digits on Python reads no number, and what is computed with a long one takes its time.
LONGEST = 1_000_000  # characters
LONG_NUMBER = re.compile(r"\d{400}")
PICTURE = re.compile(r'"data:image/[^"]*"')  # is read elsewhere, and may be of 20 MB
HANDLED = {
    "model", "messages", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls",
    "reasoning_effort", "reasoning", "response_format", "text", "seed", "include",
}  # fmt: skip


def read(path, body):
    """The Asked of a body, or None where its order of messages is none that can be answered. Raises
    Unclear.
    """
    chat = path == shaping.CHAT
    body = {k: v for k, v in body.items() if v is not None}
    given = body.get("messages" if chat else "input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not all(map(_is_plain, items)):
        return None
    said = PICTURE.sub('""', json.dumps(items, ensure_ascii=False))
    if len(said) > LONGEST:
        raise Unclear(f"With more than {LONGEST:,} characters nothing is computed here.")
    if LONG_NUMBER.search(said):
        raise Unclear("With a number of 400 digits or more nothing is computed here.")
    rules = [body["instructions"]] if body.get("instructions") else []
    turns, calls, said = [], {}, {}
    for item in items:
        role, kind = item.get("role"), item.get("type", "message")
        if kind == "function_call":
            calls[item.get("call_id")] = item.get("arguments")
        elif role == "tool" or kind == "function_call_output":
            said[item.get("tool_call_id") or item.get("call_id")] = item.get("content") or item.get("output")  # fmt: skip
        elif role in ("developer", "system"):
            if turns:
                return None  # what a later rule does to an earlier wish, no source says
            rules.append(_words(item.get("content")))
        elif role == "user":
            turns.append(_turn(item.get("content")))
            calls, said = {}, {}
        elif role == "assistant":
            if not turns:
                return None
            for call in item.get("tool_calls") or []:
                calls[call.get("id")] = (call.get("function") or {}).get("arguments")
    if not turns:
        return None
    if set(calls) != set(said):
        odd = sorted(map(str, set(calls) ^ set(said)))[0]
        raise Unclear(f"Each call needs its result and each result its call, by the same id; {odd} has only one of them.")  # fmt: skip
    effort = body.get("reasoning_effort") if chat else (body.get("reasoning") or {}).get("effort")
    return Asked(
        path,
        canonical.canonical_model(body.get("model")),
        effort,
        rules,
        turns,
        [(id, calls[id], said[id]) for id in calls],
        [_tool(tool) for tool in body.get("tools") or []],
        body.get("tool_choice", "auto"),
        body.get("parallel_tool_calls", True),
        _schema(body, chat),
        _unfollowed(path, body),
    )


# What each kind of item may have; of anything else nobody knows what it would do to the answer.
FIELDS = {
    "developer": {"role", "content", "name", "type"},
    "system": {"role", "content", "name", "type"},
    "user": {"role", "content", "name", "type"},
    "assistant": {"role", "content", "name", "type", "tool_calls", "refusal", "annotations", "id", "status", "phase"},
    "tool": {"role", "content", "tool_call_id"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status", "namespace"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "content", "encrypted_content", "status"},
}  # fmt: skip


def _is_plain(item):
    """Whether an item is one of a conversation, and has nothing but what such an item has."""
    kind = item.get("role") or item.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        return False
    empty = lambda k, v: k in canonical.EMPTY and canonical.canonical_value(v) in ([], {})
    sent = {k: v for k, v in item.items() if v is not None and v != [] and not empty(k, v)}
    if not set(sent) <= FIELDS[kind]:
        return False
    content = sent.get("content", "")
    parts = content if isinstance(content, list) else []
    if not isinstance(content, (str, list)) or not all(isinstance(p, dict) for p in parts):
        return False
    if any(not isinstance(p.get(k) or "", str) for p in parts for k in ("text", "type", "detail")):
        return False
    if not isinstance(sent.get("tool_calls", []), list):
        return False
    texts = (sent.get(k, "") for k in ("call_id", "tool_call_id", "name", "arguments"))
    return all(isinstance(t, str) for t in texts) and all(map(_is_call, sent.get("tool_calls", ())))


def _is_call(call):
    inside = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(inside, dict)
        and isinstance(call.get("id"), str)
        and isinstance(inside.get("name"), str)
        and isinstance(inside.get("arguments"), str)
    )


def _unfollowed(path, body):
    """The parameters that no answer here follows, also those inside reasoning and text."""
    same = canonical.canonical_body(path, body)  # without what changes no answer
    found = [k for k in same if k not in HANDLED]
    for outer, followed in (("reasoning", "effort"), ("text", "format")):
        found += [f"{outer}.{k}" for k in same.get(outer) or {} if k != followed]
    return found


def _words(content):
    if isinstance(content, list):
        return canonical.canonical_text(" ".join(p.get("text") or "" for p in content))
    return canonical.canonical_text(content or "")


def _turn(content):
    if isinstance(content, str):
        return Turn(canonical.canonical_text(content))
    pictures = []
    for part in content or []:
        if part.get("type") == "image_url":
            image = part.get("image_url") or {}
            pictures.append((image.get("url"), image.get("detail")))
        elif part.get("type") == "input_image":
            pictures.append((part.get("image_url"), part.get("detail")))
        elif part.get("type") not in ("text", "input_text"):
            pictures.append((None, None))
    return Turn(_words(content), pictures)


def _tool(tool):
    inner = tool.get("function") or tool
    said, parameters = inner.get("description"), inner.get("parameters")
    return Tool(
        inner.get("name") or "",
        said if isinstance(said, str) else "",
        parameters if isinstance(parameters, dict) else {},
    )


def _schema(body, chat):
    form = body.get("response_format") if chat else (body.get("text") or {}).get("format")
    if form is None or form == {"type": "text"}:
        return None
    if not isinstance(form, dict):
        raise Unclear(f"No answer here follows {json.dumps(form)[:60]}.")
    schema = None
    if form.get("type") == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema") if chat else form.get("schema")
    if isinstance(schema, dict):
        return schema
    raise Unclear(f"No answer here follows {json.dumps(form)[:60]}.")
