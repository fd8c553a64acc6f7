"""Processes of their own for models: ears and a mouth (voice/), the language model (tuning/real/).

Each ends when its standard input does, which the system sees to when the local API is gone.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_PASSED = ("OPENAI_", "DAY9_KEY", "DAY9_LOCAL_KEY")  # it needs no key and no address


class Broken(RuntimeError):
    """A process with a model ended, or failed at a task; the text says how."""


def start(package, *arguments, **more):
    """`python -m package arguments`, with pipes of bytes for its standard input and output, as a
    Popen. more: what its environment has besides.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_PASSED)}
    path = [str(ROOT), env.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-m", package, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=env | more | {"PYTHONPATH": os.pathsep.join(path).strip(os.pathsep)},
        cwd=ROOT,
    )
