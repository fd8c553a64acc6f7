"""How the tests of the local API ask it, write recordings for it, and judge its errors."""

import asyncio
import json
import threading

from helpers.local_api import answers, recordings, server, shaping

CHAT, RESPONSES = shaping.CHAT, shaping.RESPONSES


def chat(content, model="o1", **more):
    """The body of a small chat request."""
    return {"model": model, "messages": [{"role": "user", "content": content}], **more}


def ask(api, body, path=CHAT, method="POST", query=None, retry=0, content_type="application/json"):
    """The Answer to a body: a value that is sent as JSON, or the bytes themselves."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api.answer(method, path, query or {}, content_type, raw, retry)


def value(answer):
    return json.loads(answer.body)


def words(answer):
    """What an answer says, in either shape."""
    body = value(answer)
    if "choices" in body:
        message = body["choices"][0]["message"]
        return (
            message.get("refusal")
            or message["content"]
            or _wishes(call["function"] for call in message.get("tool_calls", []))
        )
    said = "".join(
        part.get("text") or part["refusal"]
        for item in body["output"]
        for part in item.get("content") or []
    )
    return said or _wishes(item for item in body["output"] if item["type"] == "function_call")


def _wishes(calls):
    """Calls of tools as text: name({"argument":value}), one a line."""
    return "\n".join(f"{call['name']}({call['arguments']})" for call in calls)


def envelope(answer, status):
    """The error inside OpenAI's envelope, of exactly four keys and never anything else."""
    assert answer.status == status, answer.body[:300]
    body = value(answer)
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    assert body["error"]["message"] and body["error"]["type"]
    return body["error"]


def completion(text="Yes.", **message):
    """A whole chat completion, such as a recording holds; its tokens are counted as all are."""
    body = {
        "id": "chatcmpl-AfX2iDay9ccIwUHjY18eD6c5oCCv6",
        "object": "chat.completion",
        "created": 1734461828,
        "model": "o1-2024-12-17",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None, **message},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 0,
            "total_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": None,
    }
    return shaping.counted(CHAT, chat("Are you there?"), body)


def write(folder, name, request, *responses, path=CHAT, method="POST", **parts):
    """Write a recording; `responses` are bodies, or whole responses with a status. Returns its
    file.
    """
    whole = [
        r if "status" in r and "id" not in r else {"status": 200, "body": r} for r in responses
    ]
    file = folder / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps(
            {
                "about": "a test",
                "origin": {"class": "constructed"},
                "request": {"method": method, "path": path, "body": request},
                "responses": whole,
                **parts,
            }
        ),
        encoding="utf-8",
    )
    return file


def api(folder):
    """Answers from the recordings of a folder, all of which must be sound."""
    library = recordings.Library(folder)
    assert library.problems == []
    return answers.Answers(library)


class Local:
    """A local API in this process, on a thread and in an event loop of its own: its `state` is in
    view.
    """

    def __init__(self, key, pace=0.0, answers=None, upstream=None):
        self.loop, ready = asyncio.new_event_loop(), threading.Event()

        async def run():
            self.state = server.serve(server.bind(), key, pace, answers, upstream)
            ready.set()

        self.loop.create_task(run())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        assert ready.wait(60)
        self.url = f"http://127.0.0.1:{self.state.port}/v1"

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)
