"""Chat Completions that the real model writes, untuned or with the adapter that the request's model
names: checked before, asked of llama.cpp, and told in OpenAI's shape.
"""

import asyncio
import contextlib
import json
import time

import httpx2

from ....common import left_out
from ... import canonical, request_shapes, shaping, sse
from ...answer import Answer, as_json, error, no_model, told
from ...apart import Broken
from ...checks import Bad
from ...envelopes import chat_answer
from ..shapes import new_id
from . import BASE, NAME, kept
from .writer import PATIENCE

# What llama.cpp follows; what is only for OpenAI's books is left out.
FOLLOWED = {
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
    "stream",
    "stream_options",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
}
# llama.cpp's own defaults take only likely tokens; OpenAI's take every token by its chance.
PLAIN = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
KEPT_EVENTS = 2_000  # of a stream, for the books


class Chat:
    """answers: an Answers, of whose tuning part this is the voice."""

    def __init__(self, answers):
        self.answers = answers
        self.transport = httpx2.AsyncHTTPTransport()

    def take(self, request):
        """A coroutine that gives the Answer of a POST for the real model; None for any other."""
        if request.path not in (shaping.CHAT, shaping.RESPONSES):
            return None
        try:
            body = canonical.read_body(request.headers.get("Content-Type", ""), request.body)
        except Bad:
            return None  # is told in the same words by who reads it next
        name = body.get("model") if isinstance(body, dict) else None
        if not isinstance(name, str) or name != BASE and not name.startswith(kept.OURS):
            return None
        return self._answer(request, body, name)

    async def _answer(self, request, body, name):
        adapter = kept.get(name)
        try:
            if not left_out.model():
                raise Bad(left_out.NO_MODEL, "model_not_found", "model")
            if name != BASE and not adapter:
                return no_model(name)
            if request.path != shaping.CHAT:
                raise Bad(
                    f"{NAME} answers Chat Completions here: client.chat.completions.create(model={name!r}, …).",
                    param="model",
                )
            request_shapes.OF[request.path](body, "")
            request_shapes.for_every_model(request.path, body)
            asked = _asked(body)
        except Bad as e:
            return told(e)
        try:
            return await self._written(body, asked, name, adapter)
        except (Broken, httpx2.TransportError) as e:
            return _failed(e)

    async def _written(self, body, asked, name, adapter):
        held = contextlib.ExitStack()
        try:
            # it may have to be started, which takes a second
            child, asked["lora"] = await asyncio.to_thread(
                held.enter_context, self.answers.tuning.writer.use(adapter)
            )
            response = await self.transport.handle_async_request(
                httpx2.Request(
                    "POST",
                    child.url + shaping.CHAT,
                    headers={"Authorization": f"Bearer {child.key}"},
                    json=asked,
                    extensions={"timeout": httpx2.Timeout(PATIENCE).as_dict()},
                )
            )
            held.callback(_forget, response)
            if response.status_code != 200 or not body.get("stream"):
                raw = await response.aread()
                await response.aclose()
                held.close()
                if response.status_code != 200:
                    return _refused(raw, response.status_code)
                return _whole(json.loads(raw), body, name)
        except BaseException:
            held.close()
            raise
        answer = _answer_of(name)
        answer.headers = {"Content-Type": "text/event-stream; charset=utf-8"}
        answer.flow = _flow(response, held, answer, body, name)
        return answer


def _forget(response):
    """A stream that its reader left is not written to its end."""
    asyncio.get_event_loop().create_task(response.aclose())


def _asked(body):
    """The request as llama.cpp takes it. Raises Bad for what it would pass over in silence."""
    given = {k: v for k, v in body.items() if v is not None and k not in canonical.BOOKKEEPING}
    odd = sorted(set(given) - FOLLOWED)
    if odd == ["n"] and given["n"] == 1:
        del given["n"]
        odd = []
    if odd:
        way = "Ask as many times as you want answers." if odd[0] == "n" else "Leave it out."
        raise Bad(f"{NAME} cannot follow the parameter '{odd[0]}' here. {way}", param=odd[0])
    for number, message in enumerate(given["messages"]):
        at = f"messages[{number}]"
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        strange = [part.get("type") for part in parts if part.get("type") != "text"]
        if strange or message["role"] not in ("system", "developer", "user", "assistant"):
            what = f"a part of type {strange[0]!r}" if strange else f"the role {message['role']!r}"
            raise Bad(f"{NAME} reads text of people alone, not {what}.", param=at)
    from .learner import plain

    given["messages"] = [plain(message) for message in given["messages"]]
    if "max_completion_tokens" in given:
        given["max_tokens"] = given.pop("max_completion_tokens")
    if given.get("logprobs"):
        given["top_logprobs"] = max(1, given.get("top_logprobs", 0))
    if given.get("stream"):
        given["stream_options"] = {"include_usage": True}
    return PLAIN | given


def _answer_of(name):
    tuned = ", tuned on your file" if name != BASE else ""
    origin = {"class": "written", "source": f"{NAME} on this machine{tuned}"}
    # no model for the books: nobody sells it
    return Answer(200, origin=origin, id=new_id("chatcmpl-", 29))


def _whole(said, body, name):
    """The Answer with what llama.cpp answered."""
    answer = _answer_of(name)
    value = chat_answer({}, name, int(time.time()), "") | {"id": answer.id}
    [choice] = said["choices"]
    value["choices"][0] |= {
        "message": {
            "role": "assistant",
            "content": choice["message"].get("content") or "",
            "refusal": None,
            "annotations": [],
        },
        "logprobs": _logprobs(choice, body),
        "finish_reason": choice["finish_reason"],
    }
    answer.usage = value["usage"] = _usage(said["usage"], value["usage"])
    answer.body = as_json(value)
    return answer


def _usage(counted, shape):
    return shape | {k: counted[k] for k in ("prompt_tokens", "completion_tokens", "total_tokens")}


def _logprobs(choice, body):
    """What a choice says of its tokens' chances, as OpenAI tells it; None where nobody asked."""
    if not body.get("logprobs"):
        return None
    most = body.get("top_logprobs") or 0
    shown = lambda token: {k: token[k] for k in ("token", "logprob", "bytes")}
    content = [
        shown(token) | {"top_logprobs": [shown(top) for top in token["top_logprobs"][:most]]}
        for token in (choice.get("logprobs") or {}).get("content") or []
        if token["bytes"]  # what ends an answer is no part of it
    ]
    return {"content": content, "refusal": None}


async def _flow(response, held, answer, body, name):
    """The events of a stream, each as soon as llama.cpp has written it."""
    shape = chat_answer({}, name, int(time.time()), "")
    head = {"id": answer.id, "object": "chat.completion.chunk", "created": shape["created"]}
    head |= {"model": name, "system_fingerprint": shape["system_fingerprint"]}
    wants = (body.get("stream_options") or {}).get("include_usage")

    def kept(value):
        event = sse.event(value)
        if len(answer.events) < KEPT_EVENTS:
            answer.events.append((0.0, event))
        return event

    waiting = b""
    with held:
        async for piece in response.aiter_raw():
            waiting += piece
            end = max(sse.ends(waiting), default=0)
            whole, waiting = waiting[:end], waiting[end:]
            for data in sse.data(whole):
                if data == sse.DONE.encode():
                    yield kept(sse.DONE)
                    continue
                chunk = json.loads(data)
                if "choices" not in chunk:  # it broke off, and says why
                    raise ConnectionAbortedError(data.decode("utf-8", "replace"))
                if chunk.get("usage"):
                    answer.usage |= _usage(chunk["usage"], shape["usage"])
                    if wants:
                        yield kept(head | {"choices": [], "usage": answer.usage})
                for choice in chunk["choices"]:
                    choice["logprobs"] = _logprobs(choice, body)
                    yield kept(head | {"choices": [choice]} | ({"usage": None} if wants else {}))


def _refused(raw, status):
    """llama.cpp's refusal in OpenAI's envelope."""
    try:
        said = json.loads(raw)["error"]
    except (ValueError, LookupError, TypeError):
        said = {"message": raw.decode("utf-8", "replace")}
    long = said.get("type") == "exceed_context_size_error"
    message = (
        f"This model's maximum context length is {said['n_ctx']} tokens. However, your messages resulted in {said['n_prompt_tokens']} tokens. Please reduce the length of the messages."
        if long
        else f"llama.cpp: {said.get('message')}"
    )
    return error(
        status, message, param="messages" if long else None, code="context_length_exceeded" if long else None
    )  # fmt: skip


def _failed(e):
    said = f"{NAME} did not answer: {str(e) or type(e).__name__}. The next request tries anew."
    return error(502, said, "upstream_error", code="model_failed")
