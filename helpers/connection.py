"""connect(): the local API as a child process of this kernel, and the two variables that lead the SDK to it."""
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_server = None  # one a process: a client keeps the address that it was made with
_starting = threading.Lock()
ORIGINS = {
    "recorded": "captured from the API",
    "published": "quoted from a public source",
    "constructed": "constructed by us to the documented format (no model said them)",
}


class Server:
    """The running local API: its address, its throw-away key, and what it knows of this notebook's calls."""

    def __init__(self, port=0, key=None, pace=None):
        self.key = key or "day9-" + secrets.token_hex(12)
        self.owner = os.getpid()
        # No key of the reader's goes to the child: recordings need none.
        env = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
        env |= {"DAY9_LOCAL_KEY": self.key, "PYTHONPATH": os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")]).strip(os.pathsep)}
        if pace is not None:  # how slowly its answers come: 1 for their own pace, which DAY9_PACE may change
            env["DAY9_PACE"] = str(pace)
        # A group of its own: interrupting a cell must not interrupt the API.
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        self.said = tempfile.TemporaryFile("w+")  # a file never fills up, as a pipe that nobody reads would
        self.process = subprocess.Popen(
            [sys.executable, "-m", "helpers.local_api", "--child", "--port", str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, env=env, text=True, cwd=ROOT, **apart)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.said.seek(0)
            raise RuntimeError("The local API did not start. It said: " + (self.said.read().strip() or "nothing"))
        self.hello = json.loads(line)
        self.port = self.hello["port"]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def again(self):
        """A Server in the place of this one, which has ended or does not answer: same port, same key."""
        self.process.kill()
        self.process.wait()
        return Server(self.port, self.key)

    def ask(self, name, method="GET"):
        """What the local API's desk says under /day9/name, as JSON. Raises OSError when it does not answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/day9/{name}", method=method, headers={"Authorization": f"Bearer {self.key}"})
        # an opener without proxies: this never leaves the machine
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return json.load(answer)


def server():
    """The running Server; raises RuntimeError before the first connect()."""
    if _server is None:
        raise RuntimeError("Nothing is connected yet: run helpers.connect() first.")
    return _server


def connect():
    """Let the `openai` SDK of this process be answered on this machine, with no key and no network.

    Starts the local API (once a process; it ends with the kernel), sets OPENAI_BASE_URL and a throw-away
    OPENAI_API_KEY for this process alone, begins a new receipt, and prints one line: who answers, and from
    what. Call it before `OpenAI()`. Calling it again is free.

    Raises RuntimeError where the local API cannot start, with what it said.
    """
    global _server
    note = _clear_proxies()
    with _starting:  # threads that connect at once share one server
        if _server is None or _server.owner != os.getpid():  # a forked process has its own
            _server = Server()
        else:
            try:
                _server.ask("begin", "POST")
            except OSError:  # it was ended from outside
                _server = _server.again()
    os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = _server.url, _server.key
    # one table for tiktoken, which would otherwise download it
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(ROOT / "data" / "tokenizer"))
    _show_panels()
    print(_line(_server.hello) + note)


def _forked():
    """In a forked process: let go of the pipe, or the parent's API would stay for as long as this process."""
    global _starting
    _starting = threading.Lock()
    if _server:
        _server.process.stdin.close()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_forked)


def _line(hello):
    # no counts: each new recording would change the first output of every notebook
    kinds = [words for kind, words in ORIGINS.items() if kind in hello["origins"]]
    line = f"Answers: recordings on this machine, {' or '.join(kinds) or 'of which there are none'}; tuning and turns are computed. No key, no network."
    for file, why in hello["problems"]:
        line += f"\nLeft out: data/recordings/{file} {why}"
    return line


def _clear_proxies():
    """Keep proxies away from 127.0.0.1; a SOCKS one, which stops OpenAI() itself, is taken out of this process."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [h for h in os.environ.get(name, "").split(",") if h]
        os.environ[name] = ",".join(known + [h for h in ("127.0.0.1", "localhost") if h not in known])
    socks = [n for n in os.environ if n.lower() in ("all_proxy", "http_proxy", "https_proxy") and os.environ[n].lower().startswith("socks")]
    for name in socks:
        del os.environ[name]
    return f"\nNot used here: the SOCKS proxy in {', '.join(sorted(socks))}; nothing leaves this machine." if socks else ""


def _show_panels():
    """In a notebook, an error of the API is a short panel: the stack trace leads through the SDK, not to the cause."""
    try:
        shell = sys.modules["IPython"].get_ipython()
    except KeyError:
        return
    if shell is None:
        return
    from openai import APIStatusError

    from . import display

    def show(shell, kind, error, tb, tb_offset=None):
        (display.panel if getattr(error, "code", None) == "off_the_map" else display.refusal)(error)

    shell.set_custom_exc((APIStatusError,), show)
