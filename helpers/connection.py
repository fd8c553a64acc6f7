"""connect(): the local API as a child process of this kernel, and the two variables that lead the SDK to it.

The reader's own key leaves this process only in a mode that asks OpenAI, through the child's standard input, where
nothing else can read it. It is kept here since its variable has to hold the throw-away key.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import urllib.request
from decimal import Decimal
from pathlib import Path

from . import left_out
from .local_api.upstream import where as upstream

ROOT = Path(__file__).resolve().parents[1]
_server = None  # one a process: a client keeps the address that it was made with
_starting = threading.Lock()
_own_key = upstream.Secret("")  # the reader's OPENAI_API_KEY
ORIGINS = {
    "recorded": "captured from the API",
    "published": "quoted from a public source",
    "constructed": "constructed by us to the documented format (no model said them)",
}


class Server:
    """The running local API: its address, its throw-away key, and what it knows of this notebook's calls.

    where: an upstream.Where, or None for recordings. spent: what this kernel has spent upstream before, in USD.
    """

    def __init__(self, port=0, key=None, pace=None, where=None, spent=Decimal(0)):
        self.key = key or upstream.THROW_AWAY + secrets.token_hex(12)
        self.owner, self.where, self.carried = os.getpid(), where, spent
        # no key of the reader's, nor what leads to one: the child is told all it needs
        env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("OPENAI_") and k not in ("DAY9_KEY", "DAY9_ANSWERS")
        }
        env |= {
            "DAY9_LOCAL_KEY": self.key,
            "PYTHONPATH": os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")]).strip(os.pathsep),
        }
        if (
            pace is not None
        ):  # how slowly its answers come: 1 for their own pace, which DAY9_PACE may change
            env["DAY9_PACE"] = str(pace)
        # A group of its own: interrupting a cell must not interrupt the API.
        apart = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
            if os.name == "nt"
            else {"start_new_session": True}
        )
        self.said = tempfile.TemporaryFile(
            "w+"
        )  # a file never fills up, as a pipe that nobody reads would
        self.process = subprocess.Popen(
            [sys.executable, "-m", "helpers.local_api", "--child", "--port", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            env=env,
            text=True,
            cwd=ROOT,
            **apart,
        )
        with contextlib.suppress(OSError):  # it has ended already, and said why
            self.process.stdin.write((where.as_text() if where else "") + f"\n{spent}\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                "The local API did not start. It said: " + (self._all_said().strip() or "nothing")
            )
        self.hello = json.loads(line)
        self.port = self.hello["port"]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def again(self, where):
        """A Server in the place of this one, which has ended, does not answer, or asks another upstream: same port, same key."""
        if self.where and self.where.record:  # what has been asked is still recorded
            self.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(25)
        self.process.kill()
        said = self._all_said()
        return Server(self.port, self.key, where=where, spent=upstream.carried(said, self.carried))

    def _all_said(self):
        """What the child wrote to its standard error, once it has ended."""
        self.process.wait()
        self.said.seek(0)
        return self.said.read()

    def ask(self, name, method="GET"):
        """What the local API's desk says under /day9/name, as JSON. Raises OSError when it does not answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/day9/{name}",
            method=method,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        # an opener without proxies: this never leaves the machine
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=10
        ) as answer:
            return json.load(answer)


def server():
    """The running Server; raises RuntimeError before the first connect()."""
    if _server is None:
        raise RuntimeError("Nothing is connected yet: run helpers.connect() first.")
    return _server


def connect(answers=None):
    """Let the `openai` SDK of this process be answered on this machine, with no key and no network, or by whom you say.

    answers: "recorded" (the default); "live", OpenAI with your own OPENAI_API_KEY; "record", the same, and each
    exchange is kept in data/my_recordings; or the address of a compatible server, such as "http://127.0.0.1:11434/v1"
    ("record:" before it keeps its exchanges). Without it, the variable DAY9_ANSWERS decides; DAY9_MODEL, DAY9_BUDGET
    and DAY9_KEY are explained in helpers/local_api/upstream/where.py.

    Starts the local API (once a process; it ends with the kernel), sets OPENAI_BASE_URL and a throw-away
    OPENAI_API_KEY for this process alone, begins a new receipt, and prints one line: who answers, and from
    what. Call it before `OpenAI()`. Calling it again is free. Another `answers` than before keeps the address, so
    that a client made earlier goes on; files and jobs computed here are then forgotten, what OpenAI has cost is not.

    Raises ValueError for an `answers` or a variable that says nothing sensible, and RuntimeError where the local API
    cannot start, with what it said.
    """
    global _server
    with _starting:  # threads that connect at once share one server
        where = upstream.where(answers, upstream.settings(os.environ), _keep_own_key())
        ours = _server is not None and _server.owner == os.getpid()  # a forked process has its own
        if ours and where and where.url == _server.url:
            raise ValueError(
                f"{where.url} is this local API itself, which would ask itself for ever. Name another server."
            )
        note = _clear_proxies(where)
        if not ours:
            _server = Server(where=where)
        elif where != _server.where:
            _server = _server.again(where)
        else:
            try:
                _server.ask("begin", "POST")
            except OSError:  # it was ended from outside
                _server = _server.again(where)
        os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = _server.url, _server.key
    # one table for tiktoken, which would otherwise download it
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(ROOT / "data" / "tokenizer"))
    _show_panels()
    print(_line(_server) + note)


def _keep_own_key():
    """The reader's key, as OPENAI_API_KEY had it before its place was taken, or has it again. A Secret, empty where there is none."""
    global _own_key
    _own_key = upstream.own_key(os.environ) or _own_key
    return _own_key


def _forked():
    """In a forked process: let go of the pipe, or the parent's API would stay for as long as this process."""
    global _starting
    _starting = threading.Lock()
    if _server:
        _server.process.stdin.close()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forked)


def _line(server):
    # no counts: each new recording would change the first output of every notebook
    hello = server.hello
    kinds = [words for kind, words in ORIGINS.items() if kind in hello["origins"]]
    line = (
        upstream.in_words(server.where, server.carried)
        if server.where
        else (
            f"Answers: recordings on this machine, {' or '.join(kinds) or 'of which there are none'}; tuning and turns are computed. No key, no network."
        )
    )
    if left_out.voice():
        line += "\n" + left_out.voice()
    for file, why in hello["problems"]:
        line += f"\nLeft out: {file} {why}"
    return line


def _clear_proxies(where):
    """Keep proxies away from 127.0.0.1; a SOCKS one, which stops OpenAI() itself, is taken out of this process."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [h for h in os.environ.get(name, "").split(",") if h]
        os.environ[name] = ",".join(
            known + [h for h in ("127.0.0.1", "localhost") if h not in known]
        )
    socks = [
        n
        for n in os.environ
        if n.lower() in ("all_proxy", "http_proxy", "https_proxy")
        and os.environ[n].lower().startswith("socks")
    ]
    for name in socks:
        del os.environ[name]
    instead = f"{where.host} is asked directly" if where else "nothing leaves this machine"
    return (
        f"\nNot used here: the SOCKS proxy in {', '.join(sorted(socks))}; {instead}."
        if socks
        else ""
    )


def _show_panels():
    """In a notebook, an error of the API is a short panel: the stack trace leads through the SDK, not to the cause.

    So is the import of a package that this system lacks. Any other error keeps its stack trace. Where an upstream
    answers, a note stands beneath it: the page was written for other answers.
    """
    try:
        shell = sys.modules["IPython"].get_ipython()
    except KeyError:
        return
    if shell is None:
        return
    from openai import APIStatusError

    from . import display

    def show(shell, kind, error, tb, tb_offset=None):
        if isinstance(error, APIStatusError):
            (display.panel if getattr(error, "code", None) == "off_the_map" else display.refusal)(
                error
            )
        elif left_out.in_words(error):
            display.lacking(error)
        else:
            shell.showtraceback((kind, error, tb), tb_offset=tb_offset, running_compiled_code=True)
            if _server.where:
                display.otherwise(error, _server.where)

    shown = (Exception,) if _server.where else (APIStatusError, ModuleNotFoundError)
    shell.set_custom_exc(shown, show)
