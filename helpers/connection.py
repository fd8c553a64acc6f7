"""connect(): the local API as a child process of this kernel, and the two variables that lead the
SDK to it.

The reader's own key leaves this process only in a mode that asks OpenAI, through the child's
standard input, where nothing else can read it. It is kept here since its variable has to hold the
throw-away key.
"""

from __future__ import annotations

import contextlib
import os
import sys

from . import running
from .common import console, left_out
from .facts import DATA
from .facts.origins import ORIGINS
from .local_api import where as upstream
from .running import Server, server  # noqa: F401 (server: a notebook asks here for both)

_own_key = upstream.Secret("")  # the reader's OPENAI_API_KEY


def connect(answers: str | None = None) -> None:
    """Let the `openai` SDK of this process be answered on this machine, with no key and no network,
    or by whom you say.

    answers: "recorded" (the default); "live", OpenAI with your own OPENAI_API_KEY; "record", the
    same, and each exchange is kept in data/my_recordings; or the address of a compatible server,
    such as "http://127.0.0.1:11434/v1" ("record:" before it keeps its exchanges). Without it, the
    variable DAY9_ANSWERS decides; DAY9_MODEL, DAY9_BUDGET and DAY9_KEY are explained in
    helpers/local_api/where.py.

    Starts the local API (once a process; it ends with the kernel), sets OPENAI_BASE_URL and a
    throw-away OPENAI_API_KEY for this process alone, begins a new receipt, and prints one line: who
    answers, and from what. Call it before `OpenAI()`. Calling it again is free. Another `answers`
    than before keeps the address, so that a client made earlier goes on; files and jobs computed
    here are then forgotten, what OpenAI has cost is not.

    Raises ValueError for an `answers` or a variable that says nothing sensible, and RuntimeError
    where the local API cannot start, with what it said.
    """
    with running.starting:  # threads that connect at once share one server
        where = upstream.resolve(answers, upstream.settings(os.environ), _keep_own_key())
        now = running.current
        if now and now.owner != os.getpid():  # a forked process has its own
            now = None
        if now and where and where.url == now.url:
            raise ValueError(
                f"{where.url} is this local API itself, which would ask itself for ever. Name another server."
            )
        note = _clear_proxies(where)
        begun = {}
        if now is None:
            now = Server(where=where)
        else:
            with contextlib.suppress(OSError):  # it was ended from outside
                begun = now.ask("begin", "POST")
            if where != now.where or not begun:
                now = now.again(where)
        note += running.not_recorded(
            begun.get("lost", []), "\nNot recorded since the last connect(): "
        )
        running.current = now
        os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"] = now.url, now.key
    # one table for tiktoken, which would otherwise download it
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(DATA / "tokenizer"))
    console.say(_line(now) + note + _made_before(now.url))


def _keep_own_key():
    """The reader's key, as OPENAI_API_KEY had it before its place was taken, or has it again. A
    Secret, empty where there is none.
    """
    global _own_key
    _own_key = upstream.own_key(os.environ) or _own_key
    return _own_key


def _line(local_api):
    # no counts: each new recording would change the first output of every notebook
    hello = local_api.hello
    kinds = [o.kept for kind, o in ORIGINS.items() if o.kept and kind in hello["origins"]]
    line = (
        upstream.in_words(local_api.where, local_api.carried)
        if local_api.where
        else (
            f"Answers: recordings on this machine, {' or '.join(kinds) or 'of which there are none'}; tuning and turns are computed. No key, no network."
        )
    )
    if left_out.voice():
        line += "\n" + left_out.voice()
    if left_out.ears():
        line += "\n" + left_out.WITH_EARS
    if left_out.model():
        line += "\n" + left_out.WITH_MODEL
    for file, why in hello["problems"]:
        line += f"\nLeft out: {file} {why}"
    return line


def _clear_proxies(where):
    """Keep proxies away from 127.0.0.1; a SOCKS one, which stops OpenAI() itself, is taken out of
    this process.
    """
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


def _made_before(url):
    """A line for each client in the notebook that asks another address, as one made before
    connect() does.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or "openai" not in sys.modules:
        return ""
    from openai import AsyncOpenAI, OpenAI

    return "".join(
        f"\n`{name}` was made before and asks {thing.base_url.host}: make it again, with {name} = {type(thing).__name__}()."
        for name, thing in list(shell.user_ns.items())
        if isinstance(thing, (OpenAI, AsyncOpenAI)) and str(thing.base_url).rstrip("/") != url
    )
