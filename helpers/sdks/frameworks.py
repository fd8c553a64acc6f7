"""The programs of notebooks/5_sdks/frameworks: the same tasks by several frameworks, and what each
sends.

Each program runs in a process of its own, with the framework's own client. Where a framework is not
installed, the requests that its program sent when this collection was made (data/frameworks, made
by `python -m tests.tools.make_frameworks`) are sent again, with the reader's words in place of
those that were kept, and answered anew.
"""

import collections
import contextlib
import functools
import importlib.util
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from .. import running
from ..common import coloured, this_machine
from ..facts import DATA
from ..facts.files import read_json

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks" / "5_sdks" / "frameworks"
KEPT = DATA / "frameworks"
SET_UP = "python start.py lab --frameworks"
# {framework: (its program, its package, the module in it)}
FRAMEWORKS = {
    "Agents SDK": ("with_agents", "openai-agents", "agents"),
    "LangChain": ("with_langchain", "langchain-openai", "langchain_openai"),
    "Pydantic AI": ("with_pydantic_ai", "pydantic-ai-slim", "pydantic_ai"),
    "LiteLLM": ("with_litellm", "litellm", "litellm"),
    "DSPy": ("with_dspy", "dspy", "dspy"),
}
MODULES = [module for _, _, module in FRAMEWORKS.values()]
APIS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}
# {task: what its words are}
TASKS = {
    "ask": ("rule", "wish"),
    "tool": ("question",),
    "schema": ("form",),
    "stream": ("question",),
    "follow": ("question", "what is asked next"),
}


@dataclass
class Run:
    """One task done by one framework. `said`: what its program returned; `exchanges`: what went
    over the wire, as helpers.wire() reads it.
    """

    framework: str
    said: object
    exchanges: list = field(default_factory=list)

    @property
    def request(self):
        """The first request's body."""
        return self.exchanges[0]["request"]


def run(framework, api, task, *words):
    """Let a framework do a task with these words. Returns a Run.

    Raises LookupError for a framework, an API or a task that there is not, and for words that only
    the framework itself can follow; TypeError for too many words or too few; RuntimeError with what
    the API said to it, or with the program's own last words.
    """
    _known("framework", framework, FRAMEWORKS)
    _known("API", api, APIS)
    _known("task", task, TASKS)
    if len(words) != len(TASKS[task]):
        raise TypeError(f"{task!r} takes: {', '.join(TASKS[task])}. Given: {len(words)} texts.")
    server = running.server()
    before = server.newest()
    if installed(framework):
        done = _program(framework, server).do(api, task, *words)
    else:
        done = _again(framework, server, api, task, words)
    exchanges = server.since(before)
    if "error" in done:
        raise RuntimeError(f"{framework}: {_refusal(exchanges) or done['error']}")
    said = done["said"] if "said" in done else _said(task, exchanges[-1]["answer"])
    return Run(framework, said, exchanges)


def installed(framework):
    """Whether a framework's module is in this environment."""
    return importlib.util.find_spec(FRAMEWORKS[framework][2]) is not None


class Program:
    """A framework's program, running, until `end`. `server`: where the API is, by its `url` and
    `key`.
    """

    def __init__(self, framework, server):
        self.framework = framework
        self.process = subprocess.Popen(
            [sys.executable, f"{FRAMEWORKS[framework][0]}.py"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,  # at whose end the program ends: when this process does, too
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env={
                **os.environ,
                "OPENAI_BASE_URL": server.url,
                "OPENAI_API_KEY": server.key,
                "NO_PROXY": "127.0.0.1",
                "no_proxy": "127.0.0.1",
                "PYTHONIOENCODING": "utf-8",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else LiteLLM asks the network for prices
            },
        )

    def do(self, api, task, *words):
        """{"said": what came of a task} or {"error": why nothing did}. Raises RuntimeError with the
        program's last words where it has ended.
        """
        with contextlib.suppress(OSError):  # it has ended: its last words say why
            print(json.dumps([api, task, *words]), file=self.process.stdin, flush=True)
        last: collections.deque[str] = collections.deque(maxlen=20)
        try:
            for line in self.process.stdout:
                if line.startswith(('{"said":', '{"error":')):
                    return json.loads(line)
                last.append(line)
        except KeyboardInterrupt:  # else the next task would get this one's answer
            self.end()
            raise
        raise RuntimeError(f"{self.framework}: its program ended. Its last words:\n{''.join(last)}")

    def end(self):
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):  # what was not yet sent
            self.process.stdin.close()
        self.process.stdout.close()


_running: dict = {}  # {framework: (its files' times and the API's address, its Program)}


def _program(framework, server):
    """The Program of a framework: that of the last call, since to load a framework takes seconds;
    another where a file of it has been changed since then, or the API.
    """
    now = (server.url, *sorted(f.stat().st_mtime_ns for f in FOLDER.glob("*.py")))
    made, program = _running.get(framework, (None, None))
    if made == now and program.process.poll() is None:
        return program
    if program:
        program.end()
    _running[framework] = now, Program(framework, server)
    return _running[framework][1]


def kept(framework):
    """What was kept of a framework: its package, version and day, and its runs."""
    return _kept(FRAMEWORKS[framework][0].removeprefix("with_"))


@functools.cache
def _kept(name):
    return read_json(KEPT / f"{name}.json")


def _again(framework, server, api, task, words):
    """Sends the requests that were kept, with these words in place of the kept ones."""
    once = kept(framework)["runs"][f"{api} {task}"]
    changed = [pair for pair in zip(once["words"], words, strict=True) if pair[0] != pair[1]]
    if changed and len(once["requests"]) > 1:
        raise LookupError(
            f"{framework} asks more than once here, and what it makes of an answer to other words "
            f"only itself can say. It is not installed: {SET_UP}"
        )
    for body in once["requests"]:
        answer = _send(server, APIS[api], _with(changed, body))
        if "error" in answer:
            return answer
    return {}


def _with(changed, value):
    if isinstance(value, dict):
        return {k: _with(changed, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_with(changed, v) for v in value]
    return dict(changed).get(value, value) if isinstance(value, str) else value


def _send(server, path, body):
    request = urllib.request.Request(
        server.url.removesuffix("/v1") + path,
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
    )
    try:
        with this_machine.open_url(request, 120) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        return {"error": f"HTTP {error.code}"}
    return {}


def _said(task, answer):
    """What the program makes of the last answer."""
    if task == "schema":
        return {c["location"]: c["new_value"] for c in json.loads(_text(answer))["corrections"]}
    if task == "stream":  # some ask for the whole answer, and cut it into pieces themselves
        return list(map(_delta, _events(answer))) if "events" in answer else [_text(answer)]
    return _text(answer)


def _text(answer):
    """The words of an answer of either API, or the arguments of its call."""
    if "choices" in answer:
        message = answer["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        return message["content"] or calls[0]["function"]["arguments"]
    last = answer["output"][-1]
    return last["content"][0]["text"] if last["type"] == "message" else last["arguments"]


def _events(answer):
    texts = (line for event in answer["events"] for line in event.splitlines())
    data = [t.removeprefix("data: ") for t in texts if t.startswith("data: {")]
    return [e for e in map(json.loads, data) if _delta(e)]


def _delta(event):
    """The piece of text that an event of a stream brings; "" where it brings none."""
    if "choices" in event:
        return event["choices"][0]["delta"].get("content") or "" if event["choices"] else ""
    return event["delta"] if event["type"] == "response.output_text.delta" else ""


def _refusal(exchanges):
    """What the API said to a program that it refused; "" where it did not."""
    last = exchanges[-1]["answer"] if exchanges else None
    if not isinstance(last, dict) or "error" not in last:
        return ""
    status = exchanges[-1]["status"]
    return f"{'Off the map' if status == 424 else f'HTTP {status}'}. {last['error']['message']}"


def listing(framework, task):
    """The code of one task in a framework's program, to look at, with what it calls: a Shown."""
    _known("framework", framework, FRAMEWORKS)
    _known("task", task, TASKS)
    text = (FOLDER / f"{FRAMEWORKS[framework][0]}.py").read_text(encoding="utf-8")
    parts = dict(_functions(text))
    wanted = [name for name in parts if name not in TASKS and f"{name}(" in parts[task]]
    return coloured.code("\n\n\n".join(parts[name] for name in [*wanted, task]), "python")


def _functions(text):
    for part in text.split("\n\n\n"):
        if part.startswith("def "):
            yield part[4 : part.index("(")], part.strip()


def fields(body):
    """A JSON body as {path: value}, a path for each value that has none inside.

    >>> fields({"model": "o1", "messages": [{"role": "user"}], "stop": []})
    {'model': 'o1', 'messages[0].role': 'user', 'stop': []}
    """
    return dict(_fields(body, ""))


def _fields(value, at):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _fields(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and value:
        for n, inner in enumerate(value):
            yield from _fields(inner, f"{at}[{n}]")
    else:
        yield at, value


def differences(body, plain):
    """{path: its value as JSON} of what a body adds to a plain one or says in another way; `left
    out` where the plain one has more.

    >>> differences({"model": "o1", "n": 1}, {"model": "o1", "stream": False})
    {'n': '1', 'stream': 'left out'}
    """
    these, those = fields(body), fields(plain)
    found = {k: v for k, v in these.items() if k not in those or those[k] != v}
    return {k: json.dumps(v, ensure_ascii=False) for k, v in found.items()} | {
        k: "left out" for k in those if k not in these
    }


def table(runs, plain):
    """The differences of each Run in {name: Run} as a table: a row a field, "" where a request says
    what the plain one does.
    """
    import pandas as pd

    found = {name: differences(run.request, plain) for name, run in runs.items()}
    rows = sorted({path for changed in found.values() for path in changed})
    columns = {name: [changed.get(path, "") for path in rows] for name, changed in found.items()}
    return pd.DataFrame(columns, index=rows)


def _known(what, name, names):
    if name not in names:
        raise LookupError(f"There is no {what} {name!r}; there are {', '.join(names)}.")
