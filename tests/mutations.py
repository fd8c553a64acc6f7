"""Requests, events and training files that are nearly right. None of them may end in a fault of
ours.

    python -m tests.mutations 20000 [SEED]      prints each fault with what was sent

What is changed are the recorded requests and what the tests of each part send; a change puts an odd
value, or nothing, or the same twice, somewhere into it.
"""

import asyncio
import base64
import copy
import json
import logging
import math
import random
import sys
from types import SimpleNamespace

from helpers.facts import DATA
from helpers.local_api import answers, state
from helpers.local_api.realtime.session import Session

ODD = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    1e308,
    math.inf,  # sent as 1e999
    "",
    "x",
    "9" * 5_000,
    "\x00é 漢 🙂",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"type": 5},
    {"type": "object", "properties": [1]},
    {"$ref": ["#"]},
    {"$ref": "#/$defs/none"},
    "data:image/png;base64,iVBORw0KGgo=",
]
SILENCE = base64.b64encode(bytes(4_800)).decode()
SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}
SESSION = {
    "type": "realtime",
    "output_modalities": ["text"],
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {}}],
    "tool_choice": "auto",
    "max_output_tokens": 100,
    "tracing": "auto",
    "truncation": {"type": "retention_ratio", "retention_ratio": 0.5},
    "audio": {
        "input": {
            "format": {"type": "audio/pcm", "rate": 24_000},
            "turn_detection": {"type": "server_vad", "threshold": 0.5},
            "noise_reduction": {"type": "near_field"},
            "transcription": {"model": "whisper-1", "language": "en"},
        },
        "output": {"voice": "alloy", "speed": 1.0},
    },
}
EVENTS = [
    {"type": "session.update", "session": SESSION},
    {"type": "conversation.item.create", "item": SAID, "previous_item_id": "root"},
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    },
    {
        "type": "conversation.item.create",
        "item": {"type": "function_call_output", "call_id": "c", "output": "1"},
    },
    {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 1},
    {"type": "conversation.item.retrieve", "item_id": "i"},
    {"type": "conversation.item.delete", "item_id": "i"},
    {"type": "input_audio_buffer.append", "audio": SILENCE},
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "response.create", "response": {"input": [SAID], "metadata": {"a": "b"}}},
    {"type": "response.cancel", "response_id": "r"},
]
JOB = {
    "model": "gpt-4o-2024-08-06",
    "training_file": "file-x",
    "seed": 1,
    "suffix": "s",
    "metadata": {"a": "b"},
    "method": {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": 1}}},
}
SUPERVISED = {
    "messages": [
        {"role": "user", "content": "Hello.", "name": "Ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c"},
        {"role": "assistant", "content": "Hello!", "weight": 1},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "parallel_tool_calls": True,
}
QUERIES = ["limit", "after", "order", "purpose", "metadata[a]", "model", "call_id", "stream"]
PLACES = [
    "/v1/models",
    "/v1/models/o1",
    "/v1/files",
    "/v1/files/file-x",
    "/v1/files/file-x/content",
    "/v1/fine_tuning/jobs",
    "/v1/fine_tuning/jobs/x/events",
    "/v1/chat/completions",
    "/v1/responses/resp_1",
    "/v1/realtime",
    "/day9/receipt",
    "/day9/exchanges",
]
FORM = "multipart/form-data; boundary=b"


def changed(value, random, times):
    """A copy of a JSON value in which a few places are something else."""
    value = {"": copy.deepcopy(value)}
    for _ in range(times):
        holder, key = random.choice(list(_places(value)))
        how = random.randrange(8)
        if how == 0 and holder is not value:
            del holder[key]
        elif how == 1:
            holder[key] = [holder[key], copy.deepcopy(holder[key])]
        elif how == 2 and isinstance(holder, dict) and holder is not value:
            holder[random.choice(["", "type", "role", "x" * 300, "$ref"])] = holder.pop(key)
        elif how == 3 and isinstance(holder[key], str):
            holder[key] *= random.choice([0, 2, 1_000])
        else:
            holder[key] = copy.deepcopy(random.choice(ODD))
    return value[""]


def written(value):
    """A value as JSON text; what is beyond every float as a number that JSON has and Python reads
    as infinity.
    """
    return json.dumps(value).replace("Infinity", "1e999")


def _places(value):
    """(dict or list, key) of everything in it."""
    todo = [value]
    while todo:
        holder = todo.pop()
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            yield holder, key
            if isinstance(holder[key], (dict, list)):
                todo.append(holder[key])


def form(purpose, content):
    """A multipart upload, of which any part may be something else."""
    parts = [("purpose", "", purpose), ("file", '; filename="a.jsonl"', content)]
    lines = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        + text
        + b"\r\n"
        for name, more, text in parts
    ]
    return b"".join(lines) + b"--b--\r\n"


class Hunt:
    """A local API without a socket, asked by way of its State and its Session."""

    def __init__(self, seed):
        self.random, self.faults = random.Random(seed), []
        self.state = state.State("k", 1, answers.Answers())
        library = self.state.answers.library
        self.asked = [r for r in library.recordings if isinstance(r.sent, dict)]
        pairs = (DATA / "preferences" / "weather.jsonl").read_bytes().splitlines()[:12]
        self.lines = [json.loads(line) for line in pairs]
        for row in self.lines:
            row["input"]["messages"][0]["name"] = row["preferred_output"][0]["name"] = "Ann"
            row["input"] |= {"tools": SUPERVISED["tools"], "parallel_tool_calls": True}

    def heard(self, event):
        if event["type"] == "error" and event["error"]["type"] == "server_error":
            self.faults.append((event["error"]["message"], self.sent))

    async def run(self, cases):
        self.session = Session("gpt-realtime", self.heard, self.state)
        self.session.open()
        kinds = [self.recorded, self.event, self.secret, self.place, self.upload, self.job]
        for n in range(cases):
            await kinds[n % len(kinds)]()
        self.session.close()

    async def ask(self, method, path, body=b"", query="", content_type="application/json"):
        self.sent = (method, path, query, body[:3_000])
        request = SimpleNamespace(
            method=method,
            path=path,
            query=query,
            body=body,
            note="",
            headers={
                "Authorization": "Bearer k",
                "Content-Type": content_type,
                "Host": "127.0.0.1:1",
            },
        )
        try:
            answer = self.state.answer(request)
            if asyncio.iscoroutine(answer):
                answer = await answer
            self.state.ledger.add("r", request, answer)
            self.state.ledger.exchanges()
            if answer.status == 500 and b"server_error" in answer.body and not answer.recording:
                self.faults.append((answer.body.decode(), self.sent))
            return answer
        except Exception as e:
            logging.debug("a fault", exc_info=e)
            self.faults.append((repr(e), self.sent))

    def change(self, value):
        return changed(value, self.random, self.random.choice([1, 1, 1, 2, 3]))

    async def recorded(self):
        one = self.random.choice(self.asked)
        await self.ask(one.method, one.path, written(self.change(one.sent)).encode())

    async def event(self):
        event = self.random.choice(EVENTS)
        self.sent = self.change(event)
        await self.session.receive(written(self.sent))

    async def secret(self):
        asked = {
            "expires_after": {"anchor": "created_at", "seconds": 60},
            "session": SESSION | {"model": "gpt-realtime"},
        }
        body = written(self.change(asked)).encode()
        await self.ask("POST", "/v1/realtime/client_secrets", body)

    async def place(self):
        odd = self.random.choice(["9" * 5_000, "-1", "0", "", "x", "%00", "1e9", "٣", "²", "[]"])
        query = f"{self.random.choice(QUERIES)}={odd}"
        method = self.random.choice(["GET", "GET", "GET", "POST", "DELETE", "PUT", "HEAD"])
        await self.ask(method, self.random.choice(PLACES), self.random.choice([b"", b"{}"]), query)

    async def upload(self):
        rows = self.random.choice([self.lines, [SUPERVISED] * 12])
        raw = [json.dumps(row).encode() for row in rows]
        odd = self.random.randrange(len(rows))
        raw[odd] = written(self.change(rows[odd])).encode()
        body = form(self.random.choice([b"fine-tune", b"batch", b"\xff"]), b"\n".join(raw))
        answer = await self.ask("POST", "/v1/files", body, content_type=FORM)
        if answer and answer.status == 200:
            id = json.loads(answer.body)["id"]
            method = "dpo" if "input" in rows[0] else "supervised"
            await self.train(
                JOB | {"training_file": id, "method": {"type": method}, "metadata": None}
            )
            await self.ask("DELETE", f"/v1/files/{id}")

    async def job(self):
        await self.train(self.change(JOB))

    async def train(self, body):
        answer = await self.ask("POST", "/v1/fine_tuning/jobs", written(body).encode())
        if not answer or answer.status != 200:
            return
        path = f"/v1/fine_tuning/jobs/{json.loads(answer.body)['id']}"
        for _ in range(4):  # to the check of the file, which is what a line can break
            answer = await self.ask("GET", path)
            error = answer and json.loads(answer.body).get("error")
            if error and error.get("code") == "server_error":
                self.faults.append((error["message"], self.sent))
        await self.ask("POST", f"{path}/cancel")


def hunt(cases, seed):
    """[(fault, what was sent)] of so many cases."""
    one = Hunt(seed)
    asyncio.run(one.run(cases))
    return one.faults


if __name__ == "__main__":
    cases, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    found = hunt(cases, seed)
    for fault, sent in found:
        print(f"{fault}\n    {str(sent)[:600]}")
    print(f"{len(found)} faults in {cases} cases of seed {seed}")
