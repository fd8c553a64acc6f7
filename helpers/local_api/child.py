"""The local API as a child process: how a kernel starts it, asks it, and puts another in its
place.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from ..common import this_machine
from . import where as upstream

ROOT = Path(__file__).resolve().parents[2]


def popen(arguments: list[str], env: dict[str, str], said: IO[str]) -> subprocess.Popen[str]:
    """Start `python -m helpers.local_api`, with pipes for its standard input and output."""
    # A group of its own: interrupting a cell must not interrupt the API.
    apart = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
        if os.name == "nt"
        else {"start_new_session": True}
    )
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.local_api", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env=env,
        encoding="utf-8",
        cwd=ROOT,
        **apart,
    )


started = popen  # in a class, what forks it instead


class Server:
    """The running local API: its address, its throw-away key, and what it knows of this notebook's
    calls.

    where: a where.Where, or None for recordings. spent: what this kernel has spent upstream before,
    in USD.
    """

    def __init__(
        self,
        port: int = 0,
        key: str | None = None,
        pace: float | None = None,
        where: upstream.Where | None = None,
        spent: Decimal = Decimal(0),
    ) -> None:
        self.key = key or upstream.THROW_AWAY + secrets.token_hex(12)
        self.owner, self.where, self.carried = os.getpid(), where, spent
        # no key of the reader's, nor what leads to one: the child is told all it needs
        env = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith("OPENAI_") and k not in ("DAY9_KEY", "DAY9_ANSWERS")
        }
        env |= {
            # else glibc keeps what was freed: a quarter of a Realtime conversation's memory
            "MALLOC_MMAP_THRESHOLD_": "131072",
            "DAY9_LOCAL_KEY": self.key,
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")]).strip(os.pathsep),
        }
        # how slowly its answers come: 1 for their own pace, which DAY9_PACE may change
        if pace is not None:
            env["DAY9_PACE"] = str(pace)
        # a file never fills up, as a pipe that nobody reads would
        self.said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self.process = started(["--child", "--port", str(port)], env, self.said)
        assert self.process.stdin and self.process.stdout  # they are pipes
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

    def again(self, where: upstream.Where | None) -> Server:
        """A Server in the place of this one, which has ended, does not answer, or asks another
        upstream: same port, same key.
        """
        if self.where and self.where.record:  # what has been asked is still recorded
            assert self.process.stdin
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

    def newest(self) -> int:
        """The number of the last exchange so far; 0 before the first."""
        return max((e["number"] for e in self.ask("exchanges")), default=0)

    def since(self, number: int) -> list[dict[str, Any]]:
        """The exchanges after the one with this number, as helpers.wire() reads them."""
        return [e for e in self.ask("exchanges") if e["number"] > number]

    def ask(self, name: str, method: str = "GET") -> Any:
        """What the local API's desk says under /day9/name, as JSON. Raises OSError when it does not
        answer.
        """
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/day9/{name}",
            method=method,
            headers={"Authorization": f"Bearer {self.key}"},
        )
        with this_machine.open_url(request, 10) as answer:
            return json.load(answer)
