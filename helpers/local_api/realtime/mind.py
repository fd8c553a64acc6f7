"""A mind: the chat model that the reader named answers what ears heard, and a mouth says it,
sentence by sentence while it is being written.

It is asked as any request to that server is (upstream/forward.py): same key, same ceiling, same
adaptations, same errors. Scenes then have nothing to say, but where there is nothing to answer: a
sound without words, a visitor who is silent.
"""

import contextlib
import json
import re
from types import SimpleNamespace

from tornado.httputil import HTTPHeaders

from .. import shaping, sse
from ..answer import message_of
from . import calling, config, scenarios

# Ours, after the session's own instructions: what is written is spoken.
SPOKEN = "You speak aloud: answer in one to three short sentences, without lists, marks or emoji."
USUAL = "You are a friendly voice assistant."
# where a text that is still being written may be cut, and said
SENTENCE = re.compile(r".{2,}?[.!?:;…](?=\s)|.{80,}?,(?=\s)|.{240,}?(?=\s)", re.S)


class Lost(Exception):
    """The mind gave no answer, or none to its end; the text says why."""


def there(state):
    """Whether a chat model answers Realtime sessions: one was named, and ears and a mouth are here.
    At OpenAI it must be DAY9_MODEL, since a session's own model speaks by itself.
    """
    where = state.upstream.where if state.upstream else None
    return bool(where) and state.speech.there and (not where.openai or bool(where.model))


def has_words(context):
    """Whether there is something to answer for it."""
    asked = scenarios.answered(context)
    return asked is None or not (asked.idle or asked.pcm and not scenarios.words_of(asked))


def messages(instructions, context):
    """A conversation as Chat has it; of sound, what was heard in it."""
    rules = USUAL if instructions in ("", config.INSTRUCTIONS) else instructions
    said = [{"role": "system", "content": f"{rules}\n{SPOKEN}"}]
    for item in context:
        data = item.data
        if data["type"] == "function_call":
            call = {"name": data["name"], "arguments": data["arguments"]}
            calls = [{"id": data["call_id"], "type": "function", "function": call}]
            said.append({"role": "assistant", "content": None, "tool_calls": calls})
        elif data["type"] == "function_call_output":
            said.append(
                {"role": "tool", "tool_call_id": data["call_id"], "content": data["output"]}
            )
        elif item.pictures:
            shown = [_picture(part) for part in data["content"] if part["type"] == "input_image"]
            words = {"type": "text", "text": scenarios.words_of(item)}
            said.append({"role": data["role"], "content": [words, *shown]})
        elif words := scenarios.words_of(item) or item.uncut:  # it has no ears for its own voice
            said.append({"role": data["role"], "content": words})
    return said


def _picture(part):
    """A picture of Realtime as Chat has it."""
    url = {"url": part["image_url"], "detail": part.get("detail", "auto")}
    return {"type": "image_url", "image_url": url}


def request(model, instructions, context, tools, choice, limit):
    """The body of the Chat request. Raises Unclear where the tool of an MCP server has to be
    called.
    """
    functions = calling.functions(tools, choice)
    body = {"model": model, "messages": messages(instructions, context), "stream": True}
    if functions:
        keys = ("name", "description", "parameters")
        given = [{key: tool[key] for key in keys if key in tool} for tool in functions]
        body["tools"] = [{"type": "function", "function": tool} for tool in given]
        named = isinstance(choice, dict)
        body["tool_choice"] = {"type": "function", "function": {"name": choice["name"]}} if named else choice  # fmt: skip
    if limit != "inf":
        body["max_completion_tokens"] = limit
    return body


async def thoughts(state, body):
    """What the mind writes, as it comes: ("text", piece), ("call", {"name", "arguments"} so far),
    and last ("end", finish_reason). Raises Lost.
    """
    exchange = SimpleNamespace(
        method="POST",
        path=shaping.CHAT,
        query="",
        headers=HTTPHeaders({"Content-Type": "application/json"}),
        body=json.dumps(body).encode(),
        connection=SimpleNamespace(set_close_callback=lambda done: None),  # this task is cancelled
        note="",
    )
    asked = state.upstream.take(exchange, state)
    if asked is None:
        raise Lost(exchange.note or f"{body['model']} is no model of {state.upstream.where.host}.")
    answer = await asked
    if answer.flow is None:
        raise Lost(_why(answer.body, state.upstream.where.host))
    call, ended, rest = {"name": "", "arguments": ""}, "", b""
    async with contextlib.aclosing(answer.flow) as flow:
        async for piece in flow:
            rest += piece
            end = (sse.ends(rest) or [0])[-1]
            whole, rest = rest[:end], rest[end:]
            for line in sse.data(whole):
                for kind, value in _of_chunk(line, state.upstream.where.host):
                    if kind == "call":
                        call = {k: call[k] + value.get(k, "") for k in call}
                        value = call
                    ended = value if kind == "end" else ended
                    if kind != "end":
                        yield kind, value
    if not ended:
        raise Lost(f"{state.upstream.where.host} ended in the middle of its answer.")
    yield "end", ended


def _of_chunk(line, host):
    """The parts of one chunk of a Chat stream. Raises Lost for an error in its place."""
    try:
        chunk = json.loads(line)
    except ValueError:
        return
    if not isinstance(chunk, dict):
        return
    if "error" in chunk:
        raise Lost(_why(line, host))
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") or {}
        for asked in delta.get("tool_calls") or ():
            if asked.get("index", 0) == 0:  # one call an answer, as scenes have it
                yield "call", {k: v for k, v in (asked.get("function") or {}).items() if v}
        if delta.get("content"):
            yield "text", delta["content"]
        if choice.get("finish_reason"):
            yield "end", choice["finish_reason"]


def _why(raw, host):
    return message_of(raw) or f"{host} gave no answer that a chat model gives."


async def sentences(pieces):
    """Sentences of a text that comes in pieces, each as soon as it is whole."""
    kept = ""
    async for piece in pieces:
        kept += piece
        while found := SENTENCE.match(kept):
            yield found[0]
            kept = kept[found.end() :]
    if kept.strip():
        yield kept
