"""Start the local API from a shell: `python -m helpers.local_api --port 8009`, for curl, Node, Go,
Java.

DAY9_ANSWERS, DAY9_MODEL, DAY9_BUDGET, DAY9_KEY and OPENAI_API_KEY say who answers: see where.py.

helpers.connect() starts the same with `--child`: it then reads two lines (who answers, a Where as
text or nothing; what was spent before), prints one line of JSON, and ends when its standard input
closes, which the system does when the kernel ends, however it ends. What is spent goes to standard
error: its parent reads it even where this one was killed.
"""

import argparse
import asyncio
import os
import secrets
import sys
import threading
from decimal import Decimal

from ..facts import tokens
from . import collecting, log, server, where

# seconds in which exchanges come to their end and are recorded, after the kernel has ended
FINISHING = 20
# Seconds after which a thread that computes lets the event loop go on. A call's packets, of 20 ms
# each, take some twenty steps in which the interpreter is let go, and had to wait for it after each
# one: with Python's 0.005, up to 0.2 s while a thread listened to what another call had said.
TURN_ABOUT = 0.0005


def main():
    """Serve until the parent or the shell ends it."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.local_api",
        description="OpenAI's API from recordings, on 127.0.0.1.",
    )
    parser.add_argument(
        "--port", type=int, default=0, help="the port to listen on (default: a free one)"
    )
    parser.add_argument("--key", help="the key to ask for (default: a new one; or DAY9_LOCAL_KEY)")
    parser.add_argument(
        "--child", action="store_true", help="serve the process at the other end of standard input"
    )
    given = parser.parse_args()
    log.bound()
    tokens.count_only()
    sys.setswitchinterval(TURN_ABOUT)
    try:
        sock = server.bind(given.port)
    except (OSError, OverflowError) as e:
        sys.exit(
            f"Cannot listen on 127.0.0.1:{given.port}: {e}. Choose another --port, or leave it out for a free one."
        )
    key = given.key or os.environ.get("DAY9_LOCAL_KEY") or "day9-" + secrets.token_hex(12)
    pipe = own_pipe() if given.child else None
    told = told_by_parent(pipe) if pipe else told_by_shell()
    try:
        # everywhere the same loop: the one that Windows has by itself goes deaf on UDP
        # (python/cpython#127057)
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(run(sock, key, pipe, *told))
    except KeyboardInterrupt:
        pass


def own_pipe():
    """Standard input as a file of its own; in its place stands one in which nothing is.

    On Windows whoever looks at a pipe waits for the read that is going on. NumPy's libraries look
    at standard input as they are loaded, and would never be there (numpy/numpy#24290).
    """
    pipe = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if os.name == "nt":  # where libraries ask the system, not Python
        import ctypes
        import msvcrt

        standard_input = ctypes.c_uint32(-10)
        ctypes.windll.kernel32.SetStdHandle(
            standard_input, ctypes.c_void_p(msvcrt.get_osfhandle(0))
        )
    return pipe


def told_by_parent(pipe):
    """(a Where or None, USD spent before)"""
    answering, spent = pipe.readline().decode().strip(), pipe.readline().decode().strip()
    return (where.from_text(answering) if answering else None), Decimal(spent or 0)


def told_by_shell():
    try:
        return where.resolve(None, where.settings(os.environ), where.own_key(os.environ)), Decimal(
            0
        )
    except ValueError as e:
        sys.exit(str(e))


def upstream_of(answering, spent, child):
    """The Upstream of a Where. `child`: whether a parent reads what is spent."""
    from .recordings import own_folder
    from .upstream.forward import Upstream
    from .upstream.recorder import Recorder

    recorder = Recorder(own_folder(), answering.host) if answering.record else None
    tell = (
        (lambda total: print(f"day9 spent {total:f}", file=sys.stderr, flush=True))
        if child
        else (lambda total: None)
    )
    return Upstream(answering, recorder, spent, tell)


async def run(sock, key, pipe, answering=None, spent=Decimal(0)):
    """Serve for ever. `pipe`: the other end of what the parent holds, or None in a shell."""
    upstream = upstream_of(answering, spent, bool(pipe)) if answering else None
    state = server.serve(sock, key, pace(), upstream=upstream)
    state.collecting = asyncio.create_task(collecting.watch())
    if pipe:
        print(server.hello(state), flush=True)
        threading.Thread(
            target=end_with_parent, args=(pipe, state, asyncio.get_running_loop()), daemon=True
        ).start()
        await asyncio.Event().wait()
    for file, why in state.answers.library.left_out():
        print(f"Left out: {file} {why}", file=sys.stderr)
    if answering:
        print(where.in_words(answering, spent), file=sys.stderr)
    print(f"{way_here(state.port, key)}\nCtrl-C ends it.", flush=True)
    while True:
        await asyncio.sleep(1)  # on Windows a loop that sleeps for ever does not hear Ctrl-C


def way_here(port, key):
    """The line that leads a client here: for PowerShell on Windows, for any other shell
    elsewhere.
    """
    url = f"http://{server.HOST}:{port}/v1"
    if os.name == "nt":
        return f'$env:OPENAI_BASE_URL="{url}"; $env:OPENAI_API_KEY="{key}"'
    return f"export OPENAI_BASE_URL={url} OPENAI_API_KEY={key}"


def pace():
    """How slowly streams go, from DAY9_PACE: 1 for their own pace, 0 for no waiting at all."""
    try:
        return max(0.0, float(os.environ.get("DAY9_PACE", "1")))
    except ValueError:
        sys.exit(f"DAY9_PACE must be a number, such as 0.5, not {os.environ['DAY9_PACE']!r}.")


async def finish(state):
    if state.tasks.running:
        await asyncio.wait(set(state.tasks.running), timeout=FINISHING)


def end_with_parent(pipe, state=None, loop=None):
    """End when the parent has, at once; where it records, when what was going on is on the disk."""
    pipe.read()
    if state and state.upstream and state.upstream.recorder:
        asyncio.run_coroutine_threadsafe(finish(state), loop).result()
        state.upstream.recorder.close()
    os._exit(0)


if __name__ == "__main__":
    main()
