"""Processes of their own for models: ears and a mouth (voice/), the language model (tuning/real/).

Each ends when its standard input does, which the system sees to when the local API is gone.
"""

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_PASSED = ("OPENAI_", "DAY9_KEY", "DAY9_LOCAL_KEY")  # it needs no key and no address


class Broken(RuntimeError):
    """A process with a model ended, or failed at a task; the text says how."""


def popen(package, arguments, env):
    """`python -m package arguments`, with pipes of bytes for its standard input and output, as a
    Popen.
    """
    return subprocess.Popen(
        [sys.executable, "-m", package, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env,
        cwd=ROOT,
    )


started = popen  # in a class, what forks it instead


def start(package, *arguments, **more):
    """Such a process. more: what its environment has besides."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_PASSED)}
    path = [str(ROOT), env.get("PYTHONPATH", "")]
    env |= more | {"PYTHONPATH": os.pathsep.join(path).strip(os.pathsep)}
    return started(package, arguments, env)


def lines():
    """The lines of standard input, in such a process: bytes. Where they end it ends too, in the
    middle of its work: nobody is left who would take what came of it.
    """
    come = queue.SimpleQueue()

    def listen():
        for line in sys.stdin.buffer:
            come.put(line)
        os._exit(0)  # llama.cpp's threads are not waited for either

    threading.Thread(target=listen, daemon=True).start()
    return iter(come.get, None)
