"""Measure the same spoken conversation over WebRTC and over WebSockets: `python -m
tests.tools.measure_transports [RUNS]`.

A headless Chromium in one network namespace talks to the local API in another; tests/emulated.py is
the line between them. In each round all transports talk, 1.5 s after one another, each over a line
of its own with the same seed, so that what else the machine does hits all alike. Writes
data/realtime/transports.csv, a row for each conversation, and transports.json, what it was measured
with. It needs Linux, root and a Chromium, takes about 15 minutes for five runs, and goes before
other programs while it lasts.
"""

import asyncio
import base64
import contextlib
import csv
import datetime
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

from helpers.facts import sounds
from helpers.realtime import turn_taking
from tests import emulated, lab
from tests.emulated import SERVER, Condition

OUT = Path(__file__).parents[2] / "data" / "realtime"
PORT = 8009
KEY = "day9-transports"
MODEL = "gpt-realtime-2.1"
QUESTION, ANSWER = "user-reindeer", "says-reindeer"
LIMIT = 20  # seconds after the question's last word, then a conversation is given up
LOUD = 0.02  # of full scale: as in measure_transports.js
RUNS = 5
STAGGER = 1.5  # seconds between the beginnings of a round's conversations: a server works hardest when a question ends
# What is measured is the line, not how busy the machine is: go before others, also where each
# session has its own share.
FIRST = "[ ! -e /proc/self/autogroup ] || echo -10 > /proc/self/autogroup"
CONDITIONS = {
    "perfect": Condition(),
    "far away": Condition(50),
    "jitter": Condition(50, 60),
    "1 % loss": Condition(50, 0, 0.01),
    "5 % loss": Condition(50, 0, 0.05),
    "20 % loss": Condition(50, 0, 0.2),
    "300 kbit/s": Condition(50, 0, 0, 300),
}


class Transport(NamedTuple):
    """How a lane talks. `faster`: how many times faster than it plays the server sends an
    answer.
    """

    name: str
    carrier: str = "websocket"
    form: str = "audio/pcm"
    control: str = "cubic"
    faster: int = 8


TRANSPORTS = [
    Transport("WebRTC", "webrtc"),
    Transport("PCM16"),
    Transport("PCM16, paced", faster=1),
    Transport("PCM16, BBR", control="bbr"),
    Transport("G.711", form="audio/pcmu"),
]
COLUMNS = [
    "condition",
    "transport",
    "run",
    "setup_ms",
    "first_sound_ms",
    "answer_took_ms",
    "heard_percent",
    "concealed_percent",
    "question",
    "right",
    "ended",
    "seconds",
    "bytes_up",
    "bytes_down",
    "packets_up",
    "packets_down",
    "lost_up",
    "lost_down",
    "load",
    "date",
]


# --- the server's side ----------------------------------------------------------------------------


async def serve(faster):
    """The local API on the namespace's address; it lets in who can reach it, and nobody else
    can.
    """
    import aioice.ice

    from helpers.facts import hearing
    from helpers.local_api import __main__, door, server
    from helpers.local_api.realtime import responses, webrtc  # noqa: F401  webrtc sets what is changed here

    server.HOST, responses.FASTER = SERVER, faster
    door.Door.stranger = lambda self, request: None
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [SERVER]
    server.serve(server.bind(PORT), KEY)
    hearing.load()
    await hearing.loaded()
    print("ready", flush=True)
    threading.Thread(
        target=__main__.end_with_parent, args=(__main__.own_pipe(),), daemon=True
    ).start()
    await asyncio.Event().wait()


# --- a lane: one transport's server, line and browser ---------------------------------------------


class Lane:
    """A transport with a network, a server and a browser of its own. Enter it, then talk()."""

    def __init__(self, transport, playwright, folder):
        self.transport, self.playwright, self.folder = transport, playwright, folder
        self.stack = contextlib.AsyncExitStack()

    async def __aenter__(self):
        name = "day9-" + "".join(c for c in self.transport.name.lower() if c.isalnum())
        self.line = self.stack.enter_context(emulated.Network(name))
        self.line.congestion_control(self.transport.control)
        self.line.set(Condition(), 0)
        server = subprocess.Popen(
            [
                *self.line.inside("server"),
                sys.executable,
                "-m",
                "tests.tools.measure_transports",
                "serve",
                str(self.transport.faster),
            ],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.stack.callback(lambda: server.communicate())  # closes its input, and with that it ends
        if server.stdout.readline() != "ready\n":
            raise RuntimeError("the server did not start; it says why above")
        start = Path(self.folder) / name
        start.write_text(
            f'#!/bin/sh\n{FIRST}\nexec {" ".join(self.line.inside("client"))} {lab.program("chromium")} "$@"\n'
        )
        start.chmod(0o755)
        self.origin = f"http://{SERVER}:{PORT}"
        flags = [
            "--autoplay-policy=no-user-gesture-required",
            f"--unsafely-treat-insecure-origin-as-secure={self.origin}",
        ]
        hosts = [f.replace("EXCLUDE 127.0.0.1", f"EXCLUDE {SERVER}") for f in lab.FLAGS]
        self.chrome = await self.playwright.chromium.launch(
            executable_path=start, args=[*hosts, *flags]
        )
        self.stack.push_async_callback(self.chrome.close)
        return self

    async def __aexit__(self, *gone):
        await self.stack.aclose()

    async def open(self):
        """A page of the collection's own, with all that it needs loaded, over a line that does
        nothing.
        """
        self.context = await self.chrome.new_context(bypass_csp=True)
        self.page = await self.context.new_page()
        # for its origin and its player
        await self.page.goto(f"{self.origin}/day9/pages/webrtc.html")
        await self.page.evaluate(Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))
        self.secret = await self.page.evaluate(MINT, [KEY, self.session()])
        await self.page.evaluate(
            "given => measure.prepare(given)",
            {
                "transport": self.transport.carrier,
                "question": base64.b64encode(sounds.wav(sounds.clip(QUESTION))).decode(),
                "g711": self.transport.form == "audio/pcmu",
            },
        )

    async def talk(self, condition, seed, wait):
        """One conversation, begun after so many seconds, as a row of the table, without condition
        and run.
        """
        await asyncio.sleep(wait)
        self.line.set(condition, seed)
        try:
            said = await asyncio.wait_for(
                self.page.evaluate(
                    "given => measure.talk(given)",
                    {
                        "secret": self.secret,
                        "lastWord": turn_taking.last_word_ms(sounds.clip(QUESTION)) / 1000,
                        "limit": LIMIT,
                    },
                ),
                3 * LIMIT,
            )
        except asyncio.TimeoutError:
            said = None  # not even connected
        counts = self.line.counts()
        self.line.set(Condition(), 0)
        return (
            row(said)
            | {"transport": self.transport.name}
            | {
                f"{what}_{way}": counts[way][what]
                for what in ("bytes", "packets", "lost")
                for way in ("up", "down")
            }
        )

    def session(self):
        form = {"type": self.transport.form} | (
            {"rate": sounds.RATE} if self.transport.form == "audio/pcm" else {}
        )
        return {
            "type": "realtime",
            "model": MODEL,
            "audio": {
                "input": {"format": form, "transcription": {"model": "gpt-4o-transcribe"}},
                "output": {"format": form},
            },
        }


MINT = """async ([key, session]) => (await (await fetch('/v1/realtime/client_secrets', {method: 'POST',
  headers: {Authorization: `Bearer ${key}`, 'Content-Type': 'application/json'}, body: JSON.stringify({session})})).json()).value"""


# --- from what was heard to a row -----------------------------------------------------------------


def row(said):
    """The metrics of a conversation from what the page noted; None where it never connected."""
    if said is None:
        return {"question": "none", "right": "no", "ended": "no", "heard_percent": 0}
    loud = [at for at, peak in said["heard"] if peak > LOUD and at > said["ended"]]
    concealed = said["concealed"]
    return {
        "setup_ms": round(said["setup"]),
        "first_sound_ms": round(1000 * (loud[0] - said["ended"])) if loud else "",
        "answer_took_ms": round(1000 * (loud[-1] - loud[0])) if loud and said["over"] else "",
        "heard_percent": round(100 * len(loud) / answer()["loud"]),
        "concealed_percent": round(100 * concealed["concealed"] / max(concealed["all"], 1), 1)
        if concealed
        else "",
        "question": understood(said["understood"]),
        "right": "yes" if said["said"] == sounds.clips()[ANSWER]["transcript"] else "no",
        "ended": "yes" if said["over"] else "no",
        "seconds": round(said["seconds"], 1),
    }


def understood(transcript):
    """How much of the question the server understood: "whole", "part" or "none"."""
    whole = sounds.clips()[QUESTION]["transcript"]
    return (
        "whole" if transcript == whole else "part" if transcript and transcript in whole else "none"
    )


def answer():
    """The answer as it was made: {"loud": windows of 256 samples that are loud, "ms": from the
    first of them to the last}
    """
    import numpy as np

    pcm = np.abs(np.frombuffer(sounds.clip(ANSWER), "<i2").astype(int)) / 32768
    peaks = pcm[: len(pcm) // 256 * 256].reshape(-1, 256).max(1)
    loud = np.flatnonzero(peaks > LOUD)
    return {"loud": len(loud), "ms": round((loud[-1] - loud[0]) * 256 / sounds.RATE * 1000)}


async def measure(runs):
    """All rounds, as rows; the first round warms up and is not kept."""
    from playwright.async_api import async_playwright

    # leave nothing behind
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    rows = []
    rounds = [("perfect", 0), *((name, run) for run in range(1, runs + 1) for name in CONDITIONS)]
    async with async_playwright() as playwright, contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        lanes = [await stack.enter_async_context(Lane(t, playwright, folder)) for t in TRANSPORTS]
        for name, run in rounds:
            load = os.getloadavg()[0]
            for lane in lanes:  # all before the first one talks: to open a page is work
                await lane.open()
            said_by_all = await asyncio.gather(
                *(
                    lane.talk(CONDITIONS[name], run, STAGGER * ((i + run) % len(lanes)))
                    for i, lane in enumerate(lanes)
                )
            )
            for lane in lanes:
                await lane.context.close()
            for said in said_by_all:
                rows.append(
                    dict.fromkeys(COLUMNS, "")
                    | {
                        "condition": name,
                        "run": run,
                        "load": round(load, 2),
                        "date": datetime.date.today().isoformat(),
                    }
                    | said
                )
                print(*(f"{rows[-1][c]!s:>9}" for c in COLUMNS[:14]), flush=True)
        version = lanes[0].chrome.version
    return [r for r in rows if r["run"]], version


def setting(version):
    """What it was measured with, for transports.json."""
    cpu = next(
        (
            line.partition(": ")[2]
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "date": datetime.date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {cpu}",
        "kernel": platform.release(),
        "python": platform.python_version(),
        "chromium": version,
        "question": QUESTION,
        "answer": ANSWER,
        "answer_ms": answer()["ms"],
        "limit_s": LIMIT,
        "queue_ms": round(1000 * emulated.QUEUE_S),
        "conditions": {name: condition._asdict() for name, condition in CONDITIONS.items()},
        "transports": {t.name: t._asdict() for t in TRANSPORTS},
    }


def main(runs):
    why = emulated.lacking() or ("" if lab.program("chromium") else "there is no Chromium")
    have = (
        Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
        .read_text(encoding="utf-8")
        .split()
        if not why
        else []
    )
    why = why or ", ".join(
        f"this kernel has no {t.control}" for t in TRANSPORTS if t.control not in have
    )
    if why:
        sys.exit(f"Not measured: {why}.")
    os.nice(-10)
    subprocess.run(["sh", "-c", FIRST], check=True)
    rows, version = asyncio.run(measure(runs))
    with open(OUT / "transports.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            sorted(rows, key=lambda r: (list(CONDITIONS).index(r["condition"]), r["run"]))
        )
    (OUT / "transports.json").write_text(
        json.dumps(setting(version), indent=2) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(int(sys.argv[2])))
    elif all(a.isdecimal() for a in sys.argv[1:]) and len(sys.argv) < 3:
        main(int((sys.argv[1:] or [RUNS])[0]))
    else:
        sys.exit(__doc__)
