"""curl and OpenAI's own Node SDK get from the local API, started from a shell, what the Python SDK
gets.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from openai import APIStatusError, OpenAI

from helpers.common import this_machine
from tests.conftest import needs

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "tests" / "node"


def asked(text, **more):
    return {"model": "o1", "messages": [{"role": "user", "content": text}], **more}


WEEKDAY = "Which day of the week was {}?"
CHAT, RESPONSES = "chat.completions.create", "responses.create"
# name: (method of the SDKs, its arguments)
CALLS = {
    "chat": (CHAT, asked(WEEKDAY.format("2024-12-17"))),
    "another date": (CHAT, asked(WEEKDAY.format("1969-07-20"), reasoning_effort="high")),
    "stream": (
        CHAT,
        asked(
            WEEKDAY.format("2000-02-29"),
            model="gpt-4o",
            stream=True,
            stream_options={"include_usage": True},
        ),
    ),
    "response": (RESPONSES, {"model": "gpt-5.6-sol", "input": WEEKDAY.format("2024-12-17")}),
    "models": ("models.list", None),
    "busy": (CHAT, asked("Are you there?")),
    "off the map": (CHAT, asked("Which day of the month was 2024-12-17?")),
    "refused": (CHAT, asked(WEEKDAY.format("2024-12-17"), temperature=0.2)),
}
REQUESTS = {"busy": 2}  # the SDK's own retry; everything else is asked once


class Shell:
    """The local API as `python -m helpers.local_api` starts it, with the two variables that it
    prints.
    """

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "helpers.local_api"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DAY9_PACE": "0", "PYTHONUNBUFFERED": "1"},
        )
        said = shlex.split(self.process.stdout.readline())
        assert said[:1] == ["export"], said
        self.variables = dict(word.split("=", 1) for word in said[1:])
        self.url, self.key = self.variables["OPENAI_BASE_URL"], self.variables["OPENAI_API_KEY"]
        self.env = {
            **os.environ,
            **self.variables,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def desk(self, name, method="GET"):
        request = urllib.request.Request(
            f"{self.url.removesuffix('/v1')}/day9/{name}",
            method=method,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        with this_machine.open_url(request, 60) as answer:
            return json.load(answer)

    def counted(self, ask, name):
        """(what `ask` makes of a call, the statuses that the ledger saw meanwhile)"""
        self.desk("begin", "POST")
        outcome = ask(name)
        return outcome, [exchange["status"] for exchange in self.desk("exchanges")]

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def shell():
    started = Shell()
    yield started
    started.end()


@pytest.fixture(scope="module")
def python(shell):
    """How the Python SDK answers: {name of a call: (outcome, statuses)}, the yardstick of the
    others.
    """
    client = OpenAI(base_url=shell.url, api_key=shell.key)

    def ask(name):
        call, given = CALLS[name]
        method = client
        for part in call.split("."):
            method = getattr(method, part)
        try:
            answer = method(**(given or {}))
            if (given or {}).get("stream"):
                return {"chunks": [chunk.to_dict() for chunk in answer]}
        except APIStatusError as e:
            return {
                "error": {
                    "class": type(e).__name__,
                    "status": e.status_code,
                    "code": e.code,
                    "message": e.body["message"],
                }
            }
        return {
            "answer": {"object": answer.object, "data": [m.to_dict() for m in answer.data]}
            if name == "models"
            else answer.to_dict()
        }

    return {name: shell.counted(ask, name) for name in CALLS}


def test_the_python_sdk_gets_what_the_files_say(python):
    said = {
        name: outcome["answer"]["choices"][0]["message"]["content"]
        for name, (outcome, _) in python.items()
        if name in ("chat", "another date", "busy")
    }
    assert said == {
        "chat": "2024-12-17 was a Tuesday.",
        "another date": "1969-07-20 was a Sunday.",
        "busy": "Yes.",
    }
    deltas = [
        chunk["choices"][0]["delta"].get("content") or ""
        for chunk in python["stream"][0]["chunks"]
        if chunk["choices"]
    ]
    assert "".join(deltas).startswith("The date 2000-02-29 fell on a Tuesday.") and len(deltas) > 5
    assert {
        name: outcome["error"]["status"]
        for name, (outcome, _) in python.items()
        if "error" in outcome
    } == {"off the map": 424, "refused": 400}
    assert {name: len(statuses) for name, (_, statuses) in python.items()} == {
        name: REQUESTS.get(name, 1) for name in CALLS
    }


# curl


def curl(shell, name, *more):
    """(status, body as text) of a call of CALLS, sent by curl as a reader would type it."""
    call, given = CALLS[name]
    path = {CHAT: "/chat/completions", RESPONSES: "/responses"}.get(call, "/models")
    # -q: not the reader's own .curlrc
    command = [
        shutil.which("curl"),
        "-q",
        "--silent",
        "--no-buffer",
        "--max-time",
        "20",
        "--write-out",
        "\n%{http_code}",
        shell.url + path,
        "-H",
        f"Authorization: Bearer {shell.key}",
        *more,
    ]
    if given:
        command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
    done = subprocess.run(
        command,
        input=json.dumps(given) if given else None,
        env=shell.env,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@needs("curl")
@pytest.mark.parametrize("name", ["chat", "another date", "response", "models"])
def test_curl_gets_the_same_answer(shell, python, name):
    status, body = curl(shell, name)
    assert (status, json.loads(body)) == (200, python[name][0]["answer"])


@needs("curl")
def test_curl_gets_the_same_stream(shell, python):
    status, body = curl(shell, "stream")
    events = [line.removeprefix("data: ") for line in body.splitlines() if line]
    assert (status, events[-1]) == (200, "[DONE]")
    assert [json.loads(event) for event in events[:-1]] == python["stream"][0]["chunks"]


@needs("curl")
def test_curl_sees_the_rate_limit_that_the_sdks_retry(shell, python):
    status, body = curl(shell, "busy")
    assert (status, json.loads(body)["error"]["code"]) == (429, "rate_limit_exceeded")
    status, body = curl(shell, "busy", "-H", "x-stainless-retry-count: 1")
    assert (status, json.loads(body)) == (200, python["busy"][0]["answer"])


@needs("curl")
@pytest.mark.parametrize("name", ["off the map", "refused"])
def test_curl_gets_the_same_error(shell, python, name):
    status, body = curl(shell, name)
    error, same = json.loads(body)["error"], python[name][0]["error"]
    assert (status, error["code"], error["message"]) == (
        same["status"],
        same["code"],
        same["message"],
    )


# Node


@pytest.fixture(scope="module")
def node(shell):
    """ask(name): the outcome of a call through Node's SDK, in one process for all."""
    _install()
    process = subprocess.Popen(
        [shutil.which("node"), NODE / "client.mjs"],
        cwd=NODE,
        env=shell.env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )

    def ask(name):
        call, given = CALLS[name]
        process.stdin.write(json.dumps({"call": call, "with": given}) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"node ended with {process.wait(60)}"
        return json.loads(line)

    yield ask
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


def _install():
    """The SDK that package-lock.json pins, by npm; a machine that cannot get it skips, except in
    CI.
    """
    wanted = json.loads((NODE / "package.json").read_text(encoding="utf-8"))["dependencies"][
        "openai"
    ]
    there = NODE / "node_modules" / "openai" / "package.json"
    if there.exists() and json.loads(there.read_text(encoding="utf-8"))["version"] == wanted:
        return
    done = subprocess.run(
        [
            shutil.which("npm"),
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=1",
            "--fetch-timeout=30000",
        ],
        cwd=NODE,
        capture_output=True,
        text=True,
        timeout=180,
    )
    if done.returncode:
        why = next(
            (line for line in done.stderr.splitlines() if line.startswith("npm error code")),
            f"npm ended with {done.returncode}",
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"openai {wanted} for Node could not be installed: {why}"
        )


@needs("node", "npm")
@pytest.mark.parametrize("name", ["chat", "another date", "stream", "response", "models", "busy"])
def test_node_gets_the_same_answer_in_as_many_requests(shell, python, node, name):
    assert shell.counted(node, name) == python[name]


@needs("node", "npm")
@pytest.mark.parametrize("name", ["off the map", "refused"])
def test_node_gets_the_same_error_once_and_can_read_it(shell, python, node, name):
    outcome, statuses = shell.counted(node, name)
    same = python[name][0]["error"]
    assert statuses == [same["status"]]
    error = outcome["error"]
    assert (error["status"], error["code"]) == (same["status"], same["code"])
    assert same["message"] in error["message"]
    assert error["request_id"].startswith("req_")


@pytest.mark.parametrize("folder", ["node", "realtime_node", "frameworks_node"])
def test_a_lock_file_names_no_host(folder):
    """A reader's npm asks its own registry."""
    assert "//" not in (NODE.parent / folder / "package-lock.json").read_text(encoding="utf-8")
