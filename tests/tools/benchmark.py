"""How fast and how large, against what a reader would use instead: `python -m tests.tools.benchmark
[a b c d e f g h i j k l bill parquet]`.

Prints ratios and asserts nothing: machines differ, and a noisy one tells little in seconds.
Whatever is compared takes turns, and medians count. About three minutes; leaves nothing behind. The
load generator and the local API with other recordings are this file too, as processes of their own.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import logging
import os
import random
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AIMOCK = "@copilotkit/aimock@1.43.0"
QUESTION = {
    "model": "o1",
    "messages": [{"role": "user", "content": "Which day of the week was 2024-12-17?"}],
}
CONNECTIONS, SECONDS, ROUNDS = 8, 2, 5
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def say(text=""):
    print(text, flush=True)


def compare(ours, theirs, what, other, unit, aim, scale=1, digits=0):
    """Two medians with their ranges, and the median of the ratios of neighbours in time: a slow
    minute meets both.
    """
    width = max(len(what), len(other))
    for name, values in ((what, ours), (other, theirs)):
        low, middle, high = (
            f"{scale * pick(values):,.{digits}f}" for pick in (min, statistics.median, max)
        )
        say(f"  {name:{width}}  {middle:>9} {unit}   ({low} to {high})")
    say(f"  ratio {statistics.median(a / b for a, b in zip(ours, theirs)):.2f}; aim: {aim}")


# a. A kernel's first answer

OURS = "import helpers\nfrom openai import OpenAI\nhelpers.connect()\nclient = OpenAI()\n"
ASK = f"answer = client.chat.completions.create(**{QUESTION!r})\nassert 'Tuesday' in answer.choices[0].message.content\n"


@contextlib.contextmanager
def kernel(ready=None):
    """A real kernel as JupyterLab starts one; gives (client, process id) once `ready` has run in
    it.
    """
    from jupyter_client import KernelManager

    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(ROOT), env={**os.environ, "PYTHONPATH": str(ROOT)}, **QUIET)
    client = manager.blocking_client()
    try:
        client.start_channels()
        run(client, ready or "")
        yield client, manager.provisioner.process.pid
    finally:
        client.stop_channels()
        manager.shutdown_kernel()


def run(client, code):
    reply = client.execute(code, reply=True, timeout=60)["content"]
    if reply["status"] != "ok":
        raise RuntimeError("In the kernel: " + reply.get("evalue", "?"))


def started(code):
    begin = time.perf_counter()
    with kernel(code):
        return time.perf_counter() - begin


def first_answer():
    say(
        "a. From starting a kernel to the first answer: with this collection, against importing the SDK and no more."
    )
    started(OURS + ASK)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(started(OURS + ASK))
        theirs.append(started("from openai import OpenAI"))
    compare(
        ours,
        theirs,
        "connected, first answer there",
        "from openai import OpenAI",
        "s",
        "at most 1.50",
        digits=2,
    )


# b. One call


@contextlib.contextmanager
def served(command, env=None):
    """[base URL, key, process id] of a local API started by `command`, as it prints the first
    two.
    """
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "DAY9_PACE": "0", "PYTHONUNBUFFERED": "1", **(env or {})},
    )
    try:
        words = shlex.split(process.stdout.readline())
        if words[:1] != ["export"]:
            raise RuntimeError("the local API did not start")
        yield [word.split("=", 1)[1] for word in words[1:]] + [process.pid]
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def serve(folder):
    """In a process of its own: the local API over the recordings of `folder`."""
    from helpers.local_api import __main__ as starter
    from helpers.local_api import answers, server

    library = answers.Library(folder)
    server.Answers = lambda **more: answers.Answers(library, **more)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(starter.run(server.bind(), "day9-benchmark", pipe=None))


def with_picture(folder):
    """The weekday question with a 1 MB picture beside it, recorded in `folder`; gives the
    request.
    """
    import base64
    import struct
    import zlib

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    # noise does not compress, so a real PNG of grey noise is as large as its pixels: 1000 rows of
    # 1000, and a filter byte each
    rows = random.Random(9).randbytes(1000 * 1001)
    rows = b"".join(b"\0" + rows[i : i + 1000] for i in range(0, 1000 * 1001, 1001))
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1000, 1000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
    noise = base64.b64encode(png).decode()
    recording = json.loads(
        (ROOT / "data/recordings/start/weekday-medium.json").read_text(encoding="utf-8")
    )
    parts = [
        {"type": "text", "text": QUESTION["messages"][0]["content"]},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{noise}"}},
    ]
    request = QUESTION | {"messages": [{"role": "user", "content": parts}]}
    recording["request"]["body"] = request
    recording["responses"][0]["body"]["choices"][0]["message"]["content"] = (
        "2024-12-17 was a Tuesday."
    )
    del recording["slots"]
    (Path(folder) / "picture.json").write_text(json.dumps(recording), encoding="utf-8")
    return request


def one_call():
    say(
        "b. One recorded call through the Python SDK: the local API, against vcrpy, which answers inside the process."
    )
    try:
        import vcr
    except ImportError:
        return say(
            "  Not measured: vcrpy is not installed (it is in the group `test` of pyproject.toml)."
        )
    from openai import OpenAI

    logging.getLogger("vcr").setLevel(logging.ERROR)
    say(
        f"  vcrpy {vcr.__version__} patches httpx2, the SDK's own transport. Its cassette is open already and is told to compare"
    )
    say(
        "  bodies too, as ours does: by default it takes no notice of the question. A new request is one that the local API has"
    )
    say(
        "  not seen since it started, so that it parses and matches it; a repeated one it knows by the hash of its bytes."
    )
    with tempfile.TemporaryDirectory() as folder:
        picture = with_picture(folder)
        small = served([sys.executable, "-m", "helpers.local_api"])
        large = served([sys.executable, "-m", "tests.tools.benchmark", "serve", folder])
        with small as small, large as large:
            for what, where, request, blocks, calls in (
                ("text", small, QUESTION, 16, 12),
                ("1 MB picture", large, picture, 6, 3),
            ):
                client = OpenAI(base_url=where[0], api_key=where[1], max_retries=0)
                recorder = vcr.VCR(
                    record_mode="once",
                    match_on=("method", "scheme", "host", "port", "path", "query", "body"),
                )
                tape = Path(folder) / f"{what}.yaml"
                timed = lambda **more: _seconds(
                    lambda: client.chat.completions.create(**request, **more)
                )
                with recorder.use_cassette(str(tape)):
                    timed()
                new, repeated, taped, opened = [], [], [], []
                for block in range(blocks):
                    new += [timed(user=f"{block} {i}") for i in range(calls)]
                    repeated += [timed() for _ in range(calls)]
                    begin = time.perf_counter()
                    with recorder.use_cassette(
                        str(tape), record_mode="none", allow_playback_repeats=True
                    ):
                        opened.append(time.perf_counter() - begin)
                        taped += [timed() for _ in range(calls)]
                client.close()
                aim = "vcrpy + 2 ms" if what == "text" else "well below vcrpy"
                ms = lambda values: f"{1000 * statistics.median(values):7.1f} ms"
                say(
                    f"  {what:13} local API, new {ms(new)}   repeated {ms(repeated)}   vcrpy {ms(taped)}   (opening its cassette {ms(opened)})"
                )
                say(
                    f"  {'':13} new - vcrpy = {1000 * (statistics.median(new) - statistics.median(taped)):+.1f} ms, "
                    f"ratio {statistics.median(new) / statistics.median(taped):.2f}; aim: {aim}"
                )


def _seconds(call):
    begin = time.perf_counter()
    answer = call()
    assert "Tuesday" in answer.choices[0].message.content
    return time.perf_counter() - begin


# c. Many calls


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends the next request as soon as the answer is whole."""

    def __init__(self, request, count):
        self.request, self.count, self.data = request, count, b""

    def connection_made(self, transport):
        self.transport = transport
        transport.write(self.request(self.count))

    def data_received(self, data):
        self.data += data
        head, gap, body = self.data.partition(b"\r\n\r\n")
        if not gap:
            return
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"not an answer: {self.data[:200]!r}")
        length = next(
            (
                int(line[15:])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            None,
        )
        if len(body) >= length if length is not None else body.endswith(b"0\r\n\r\n"):
            self.data, self.count[0] = b"", self.count[0] + 1
            self.transport.write(self.request(self.count))


async def load(url, key, seconds, new, connections):
    """In a process of its own: requests per second over so many keep-alive connections."""
    port = int(url.split(":")[2].split("/")[0])
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"

    def request(count):
        body = json.dumps(
            QUESTION | ({"user": f"{time.perf_counter_ns()} {count[0]}"} if new else {})
        )
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    count, loop = [0], asyncio.get_running_loop()
    connections = [
        await loop.create_connection(lambda: Connection(request, count), "127.0.0.1", port)
        for _ in range(connections)
    ]
    await asyncio.sleep(0.3)
    before, begin = count[0], time.perf_counter()
    await asyncio.sleep(seconds)
    say(f"{(count[0] - before) / (time.perf_counter() - begin)} {count[0]}")
    for transport, _ in connections:
        transport.abort()


def rate(where, new=False, connections=CONNECTIONS):
    """(requests per second, the server's CPU milliseconds a request, or 0 where that cannot be
    read)
    """
    url, key, pid = where
    spent = _cpu(pid)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.tools.benchmark",
            "load",
            url,
            key,
            str(SECONDS),
            "new" * new,
            str(connections),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    try:
        per_second, answered = map(float, done.stdout.split())
    except ValueError:
        raise RuntimeError("the load generator said: " + done.stderr.strip()[-300:]) from None
    return per_second, 1000 * (_cpu(pid) - spent) / answered


def _cpu(pid):
    try:
        import psutil
    except ImportError:
        return 0
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


@contextlib.contextmanager
def aimock(folder):
    """[base URL, key, process id] of npm's mock server, with the same exchange."""
    process = None
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise LookupError("node and npm are not here")
    done = subprocess.run(
        [
            npm,
            "install",
            AIMOCK,
            "--prefix",
            folder,
            "--no-save",
            "--no-package-lock",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--fetch-retries=1",
            "--fetch-timeout=30000",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise LookupError("npm could not install it")
    recorded = json.loads(
        (ROOT / "data/recordings/start/weekday-medium.json").read_text(encoding="utf-8")
    )["responses"][0]["body"]
    said = {
        "content": "2024-12-17 was a Tuesday.",
        "id": recorded["id"],
        "model": recorded["model"],
        "usage": recorded["usage"],
    }
    fixture = Path(folder) / "fixture.json"
    fixture.write_text(
        json.dumps(
            {
                "fixtures": [
                    {"match": {"userMessage": QUESTION["messages"][0]["content"]}, "response": said}
                ]
            }
        )
    )
    port = _free_port()
    try:
        process = subprocess.Popen(
            [
                node,
                Path(folder) / "node_modules/@copilotkit/aimock/dist/cli.js",
                "-p",
                str(port),
                "-f",
                str(fixture),
                "--log-level",
                "silent",
            ],
            cwd=folder,
            env={**os.environ, "NODE_ENV": "production"},
            **QUIET,
        )
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield [f"http://127.0.0.1:{port}/v1", "mock", process.pid]
    finally:
        if process:
            process.terminate()
            process.wait(10)


def _free_port():
    from helpers.local_api import server

    with server.bind() as sock:
        return sock.getsockname()[1]


def many_calls():
    say(
        f"c. Requests a second over {CONNECTIONS} kept-open connections: the local API, against aimock, npm's fastest mock of the API. The same bytes each time, which ours knows again."
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        served([sys.executable, "-m", "helpers.local_api"]) as ours_at,
        contextlib.ExitStack() as stack,
    ):
        try:
            theirs_at = stack.enter_context(aimock(folder))
        except (LookupError, OSError, subprocess.TimeoutExpired) as e:
            theirs_at = None
            say(f"  Without the comparison: {AIMOCK}: {e}.")
        ours, new, theirs, one, their_one = [], [], [], [], []
        for _ in range(ROUNDS):
            ours.append(rate(ours_at))
            one.append(rate(ours_at, connections=1))
            if theirs_at:
                theirs.append(rate(theirs_at))
                their_one.append(rate(theirs_at, connections=1))
            new.append(rate(ours_at, new=True))
        speed, cost = (
            lambda runs: [r[0] for r in runs],
            lambda runs: f"{statistics.median(r[1] for r in runs):.2f} ms",
        )
        if theirs:
            compare(
                speed(ours),
                speed(theirs),
                "local API, the same question",
                "aimock, the same question",
                "/s",
                "at least 1.00",
            )
            compare(
                speed(one),
                speed(their_one),
                "local API, one connection",
                "aimock, one connection",
                "/s",
                "at least 1.00",
            )
            say(
                f"  CPU of the server a request, which a busy machine changes less: {cost(ours)} against {cost(theirs)}."
            )
        else:
            say(
                f"  local API, the same question {statistics.median(speed(ours)):,.0f} /s, {cost(ours)} of CPU a request"
            )
        say(
            f"  Each request new to the local API: {statistics.median(speed(new)):,.0f} /s, {cost(new)} of CPU. aimock compares only the question, always."
        )


# d. The whole test run


# What these show takes its time on any machine: sound that plays, jobs that train at a pace one can
# watch, compilers.
IN_REAL_TIME = ("2_realtime", "3_dpo/03_tuning_job", "5_sdks/01_one_request_five_clients")


def whole_run():
    say(
        "d. Running and comparing every notebook, against starting and ending as many bare kernels, two at a time."
    )
    folder = ROOT / "notebooks"
    notebooks = sorted(n for n in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in n.parts)
    if not notebooks:
        return say("  Not measured: there are no notebooks yet.")

    def bare(notebooks):
        begin, spent = time.perf_counter(), _ended_cpu()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: started("pass"), notebooks))
        return time.perf_counter() - begin, _ended_cpu() - spent

    def tested(notebooks):
        begin, spent = time.perf_counter(), _ended_cpu()
        done = subprocess.run(
            [sys.executable, "start.py", "test", "-q", "-p", "no:cacheprovider", *notebooks],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )
        return (time.perf_counter() - begin, _ended_cpu() - spent), (
            done.stdout.strip().splitlines() or ["pytest said nothing"]
        )[-1]

    at_once = [
        n for n in notebooks if not n.relative_to(folder).as_posix().startswith(IN_REAL_TIME)
    ]
    for what, chosen in (
        ("all", notebooks),
        ("without those that run in real time or compile", at_once),
    ):
        ours, theirs = [], []
        for _ in range(2):
            theirs.append(bare(chosen))
            result, last = tested(chosen)
            ours.append(result)
        say(f"  {len(chosen)} notebooks, {what}; pytest's last line: {last}")
        compare(
            [r[0] for r in ours],
            [r[0] for r in theirs],
            "nbval",
            "bare kernels",
            "s",
            "at most 1.50",
            digits=1,
        )
        say(
            f"  CPU, which a busy machine changes less: {statistics.median(r[1] for r in ours):.1f} against {statistics.median(r[1] for r in theirs):.1f} s."
        )


def _ended_cpu():
    """CPU seconds of the processes that this one has started and seen the end of, with theirs."""
    times = os.times()
    return times.children_user + times.children_system


# e. Memory

IMPORTS = "import openai, pandas, plotly, plotly.express, ipywidgets\nfrom openai import OpenAI\n"


def memory():
    say(
        "e. Memory of one seat after the first answer: kernel and local API, against the same kernel, imports and client without us."
    )
    if not Path("/proc/self/smaps_rollup").exists():
        return say(
            "  Not measured: only Linux tells a process's share of the pages that it shares."
        )
    try:
        import psutil
    except ImportError:
        return say(
            "  Not measured: psutil is not installed (it is in the group `test` of pyproject.toml)."
        )

    def size(code):
        with kernel(code) as (_, pid):
            family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
            infos = [p.memory_full_info() for p in family]
            return [i.pss for i in infos], [i.rss for i in infos]

    ours, theirs, rss, rss_bare, child = [], [], [], [], []
    for _ in range(3):
        pss, whole = size(IMPORTS + OURS + ASK)
        ours.append(sum(pss)), rss.append(sum(whole)), child.append(sum(pss[1:]))
        pss, whole = size(IMPORTS + "client = OpenAI(api_key='none')")
        theirs.append(sum(pss)), rss_bare.append(sum(whole))
    mb = 1 / 2**20
    compare(ours, theirs, "with us, PSS", "without, PSS", "MiB", "below 1.25", scale=mb)
    say(
        f"  Of that the local API: {statistics.median(child) * mb:.0f} MiB. PSS counts a shared page by halves; RSS counts it twice: "
        f"{statistics.median(rss) * mb:.0f} against {statistics.median(rss_bare) * mb:.0f} MiB, ratio {statistics.median(rss) / statistics.median(rss_bare):.2f}."
    )
    grown = [spoken_with() for _ in range(3)]
    compare(grown, [70] * 3, "more, PSS, once spoken with", "the aim", "MiB", "below 1")


def spoken_with():
    """MiB that a local API, as a kernel has it, grows by its first spoken question and answer."""
    import psutil

    from helpers import connection
    from helpers.facts import sounds

    server = connection.Server()
    try:
        size = lambda: psutil.Process(server.process.pid).memory_full_info().pss / 2**20
        before = size()
        turn(server.url, server.key, sounds.clip("user-spanish"), 500)
        time.sleep(1)  # what is freed afterwards
        return size() - before
    finally:
        server.process.kill()
        server.process.wait()


# f. Preference tuning


def tuning():
    say(
        "f. Preference tuning with the stand-in, against the aims: 1,000 new pairs read and trained, and one turn of a slider."
    )
    sys.path.insert(0, str(ROOT))
    from helpers.common import sketch
    from helpers.facts import policy as dpo

    few = [
        json.loads(line)
        for line in (ROOT / "data/preferences/weather.jsonl").open(encoding="utf-8")
    ]
    few = dpo.read_pairs(few)
    many = [
        dpo.Pair(f"{p.prompt} ({i})", f"{p.preferred} {i}", f"{p.non_preferred} {i}")
        for i, p in enumerate(few * (1000 // len(few) + 1))
    ][:1000]
    trained, turned = [], []
    for _ in range(ROUNDS):
        dpo.features.cache_clear()
        begin = time.perf_counter()
        *_, _ = dpo.train(many)
        trained.append(time.perf_counter() - begin)
        *_, _ = dpo.train(few)
        begin = time.perf_counter()
        steps = list(dpo.train(few[16:], valid=few[:16], n_epochs=15, batch_size=16))
        for name in ("loss", "accuracy"):
            sketch.curves(
                {
                    "practice": [getattr(s, f"train_{name}") for s in steps],
                    "held out": [getattr(s, f"valid_{name}") for s in steps],
                },
                title=name,
                x="step",
                y=name,
            )
        turned.append(time.perf_counter() - begin)
    compare(
        trained,
        [2] * ROUNDS,
        "1,000 pairs, features and default epochs",
        "the aim",
        "s",
        "below 1",
        digits=2,
    )
    compare(
        turned,
        [0.1] * ROUNDS,
        "a slider's retraining and drawing",
        "the aim",
        "ms",
        "below 1",
        scale=1000,
        digits=0,
    )


# g. Speaking with it


def turn(url, key, clip, silence):
    """Seconds from sending the last of the silence that ends a turn to the answer's first sound,
    over a WebSocket.
    """
    import base64
    import threading

    from websockets.sync.client import connect

    with connect(
        f"{url.replace('http', 'ws')}/realtime?model=gpt-realtime",
        additional_headers={"Authorization": f"Bearer {key}"},
        max_size=None,
        proxy=None,
    ) as wire:
        sent = {}  # {ms of sound sent: when}
        append = lambda pcm: wire.send(
            json.dumps(
                {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
            )
        )

        def speak():
            append(clip)
            time.sleep(1)  # the detector catches up; what counts is the silence
            begin, have = time.perf_counter(), len(clip) // 48
            for n in range(1, silence // 20 + 15):
                time.sleep(max(0, begin + n * 0.02 - time.perf_counter()))
                append(bytes(960))
                sent[have + n * 20] = time.perf_counter()

        voice = threading.Thread(target=speak)
        voice.start()
        end = None
        while True:
            event = json.loads(wire.recv(timeout=30))
            if event["type"] == "input_audio_buffer.speech_stopped":
                end = event["audio_end_ms"]
            if event["type"] == "response.output_audio.delta":
                now = time.perf_counter()
                break
        voice.join()
        return now - next(at for until, at in sorted(sent.items()) if until >= end)


def speaking():
    say(
        "g. From the end of the silence that ends a turn to the first sound of the answer on the wire, over a WebSocket."
    )
    from helpers.facts import sounds

    command = [sys.executable, "-m", "helpers.local_api"]
    with served(command, {"DAY9_PACE": "1"}) as (url, key, _):
        turn(url, key, sounds.clip("user-christmas"), 500)
        taken = [
            turn(url, key, sounds.clip(name), 500)
            for name in ("user-christmas", "user-reindeer", "user-tax", "user-thanks") * 3
        ]
    compare(taken, [0.04] * len(taken), "first sound", "the aim", "ms", "below 1", scale=1000)


# h. Calling it

NOTES = """() => {  // when the page was told that the turn had ended, and when its loudspeaker was given sound
  const context = new AudioContext(), player = document.getElementById('player');
  const watch = context.createScriptProcessor(256, 1, 1);
  watch.onaudioprocess = e => {
    if (window.told && !window.sounded && e.inputBuffer.getChannelData(0).some(x => Math.abs(x) > 0.02)) window.sounded = performance.now();
  };
  watch.connect(context.destination);
  const make = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function (...given) {
    const channel = make.apply(this, given);
    channel.addEventListener('message', ({data}) => {
      const kind = JSON.parse(data).type;
      if (kind.endsWith('speech_started')) context.createMediaStreamSource(player.srcObject).connect(watch);
      if (kind.endsWith('speech_stopped')) window.told = performance.now();
    });
    return channel;
  };
}"""


async def called(url, key):
    """(seconds from offer to session.created, seconds from the end of the silence to the first
    packet of the answer)
    """
    from helpers.realtime.voice_client import Caller

    caller, arrived = (
        Caller(key, url, session={"type": "realtime", "model": "gpt-realtime-2.1"}),
        [],
    )
    begin = time.perf_counter()
    try:
        await caller.dial()
        connected = time.perf_counter() - begin
        (receiver,) = caller.peer.getReceivers()
        receiver.__dict__["_RTCRtpReceiver__jitter_buffer"] = type(
            "Watch",
            (),
            {
                "add": lambda self, packet: (
                    (len(packet.payload) > 3 and arrived.append(time.perf_counter()))
                    and None
                    or (False, None)
                )
            },
        )()
        await caller.say("user-christmas")
        await caller.until("input_audio_buffer.speech_stopped")
        told = time.perf_counter()
        while not arrived:
            await asyncio.sleep(0.001)
        return connected, arrived[0] - told
    finally:
        await caller.hang_up()


def called_by_browser(url, key, chrome):
    """The same from a page: (seconds from offer to connected, seconds from the end of the silence
    to sound in its loudspeaker)
    """
    from openai import OpenAI

    secret = OpenAI(api_key=key, base_url=url).realtime.client_secrets.create(
        session={"type": "realtime", "model": "gpt-realtime-2.1"}
    )
    page = chrome.new_context(bypass_csp=True).new_page()
    page.goto(f"{url.removesuffix('/v1')}/day9/pages/webrtc.html#{secret.value}")
    page.evaluate(NOTES)
    page.select_option("#which", "user-christmas")
    page.click("#clip")
    page.wait_for_selector("body[data-connected]")
    connected = int(page.evaluate("() => document.body.dataset.connected")) / 1000
    page.wait_for_function("() => window.sounded")
    heard = page.evaluate("() => window.sounded - window.told") / 1000
    page.close()
    return connected, heard


def calling():
    say(
        "h. A call over WebRTC: from the offer to the connection, and from the end of the silence that ends a turn to the answer's sound."
    )
    from tests import lab

    async def some():
        await called(url, key)  # the first one loads and decodes
        return [await called(url, key) for _ in range(5)]

    with served([sys.executable, "-m", "helpers.local_api"], {"DAY9_PACE": "1"}) as (url, key, _):
        python = asyncio.run(some())
        with lab.browser("--autoplay-policy=no-user-gesture-required") as chrome:
            called_by_browser(url, key, chrome)
            browser = [called_by_browser(url, key, chrome) for _ in range(5)]
    for name, taken, aims in (("Python", python, (0.5, 0.04)), ("browser", browser, (0.5, 0.25))):
        for what, aim, values in zip(
            ("connected", "first packet" if name == "Python" else "heard"), aims, zip(*taken)
        ):
            compare(
                values,
                [aim] * len(values),
                f"{name}: {what}",
                "the aim",
                "ms",
                "below 1",
                scale=1000,
            )


# i. Eight calls that are answered in the same instant


async def eight(url, key):
    """Seconds between packets, the longest of each call's."""
    from openai import AsyncOpenAI

    from tests.local_api.realtime.test_webrtc import Light, encoded, session

    class Watch(Light):
        def add(self, packet):
            self.__dict__.setdefault("arrived", []).append(time.perf_counter())
            return super().add(packet)

    async with AsyncOpenAI(api_key=key, base_url=url) as client:
        secret = (await client.realtime.client_secrets.create(session=session())).value
        all = await asyncio.gather(*(Watch(secret, url).dial() for _ in range(8)))
        await asyncio.sleep(2)  # connecting costs each some packets
        begin = [len(call.arrived) for call in all]
        said = encoded("user-thanks")
        for call in all:
            await call.say(said)
        for call in all:
            await call.until("output_audio_buffer.stopped", seconds=100)
        gaps = [
            max(b - a for a, b in zip(call.arrived[at:], call.arrived[at + 1 :]))
            for call, at in zip(all, begin)
        ]
        for call in all:
            await call.hang_up()
        return gaps


def eight_calls():
    say(
        "i. Eight calls on one core, all answered in the same instant, while a cell computes: the longest wait between packets, which leave every 20 ms."
    )
    with served([sys.executable, "-m", "helpers.local_api"], {"DAY9_PACE": "1"}) as (url, key, pid):
        for thread in os.listdir(f"/proc/{pid}/task"):
            os.sched_setaffinity(int(thread), {0})
        cell = subprocess.Popen(
            [sys.executable, "-c", "while True: sorted(range(100_000), key=lambda x: -x)"]
        )
        try:
            gaps = [gap for _ in range(3) for gap in asyncio.run(eight(url, key))]
        finally:
            cell.kill()
            cell.wait()
    compare(
        gaps,
        [0.06] * len(gaps),
        "longest wait",
        "three packets, which a jitter buffer bridges",
        "ms",
        "below 1",
        scale=1000,
    )


# j. Through to an upstream


def timed_posts(url, key, count):
    """Seconds of each of `count` requests over one kept-open connection."""
    import http.client

    host, port = url.split("/")[2].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.connect()
    # else head and body of a request wait for one another
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken, body = [], json.dumps(QUESTION)
    for _ in range(count):
        begin = time.perf_counter()
        connection.request(
            "POST",
            "/v1/chat/completions",
            body,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"the local API answered {answer.status}")
        taken.append(time.perf_counter() - begin)
    connection.close()
    return taken


def forwarding():
    say(
        "j. Forwarding: a call through the local API to an upstream (another local API), against the same call made there directly; and what a stream holds."
    )
    from tests.upstreams import Hostile, chunked

    command = [sys.executable, "-m", "helpers.local_api"]
    with (
        served(command, {"DAY9_LOCAL_KEY": "day9-upstream"}) as (there, key, _),
        served(command, {"DAY9_ANSWERS": there, "DAY9_KEY": key}) as (here, own, _),
    ):
        timed_posts(here, own, 50), timed_posts(there, key, 50)
        through, direct = [], []
        for _ in range(40):
            through += timed_posts(here, own, 10)
            direct += timed_posts(there, key, 10)
    compare(
        through,
        direct,
        "through the local API",
        "directly",
        "ms",
        "within 3 ms",
        scale=1000,
        digits=2,
    )
    say(
        f"  added at the median: {1000 * (statistics.median(through) - statistics.median(direct)):.2f} ms; aim: below 3"
    )
    try:
        import psutil
    except ImportError:
        return say(
            "  Not measured: psutil is not installed (it is in the group `test` of pyproject.toml)."
        )
    event = b"data: " + b"x" * 60_000 + b"\n\n"

    def endless(sock, request):
        sock.sendall(chunked(end=False))
        while True:
            sock.sendall(b"%x\r\n%s\r\n" % (len(event), event))

    upstream = Hostile(endless)
    with served(command, {"DAY9_ANSWERS": upstream.url}) as (here, own, pid):

        def ask():
            sock = socket.create_connection(
                ("127.0.0.1", int(here.split(":")[2].split("/")[0])), 60
            )
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            body = b'{"model": "m", "stream": true}'
            sock.sendall(
                f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {own}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            sock.recv(100)
            return sock

        warm = ask()
        time.sleep(2)
        before, streams = psutil.Process(pid).memory_info().rss, 32
        slow = [ask() for _ in range(streams)]
        for _ in range(20):  # each takes a little, and the upstream would send a gigabyte a second
            for sock in slow:
                sock.recv(50_000)
            time.sleep(0.1)
        held = (psutil.Process(pid).memory_info().rss - before) / streams
        for sock in (warm, *slow):
            sock.close()
    upstream.end()
    compare(
        [held / 2**20],
        [1],
        f"held a stream, {streams} slow readers",
        "the aim",
        "MiB",
        "at most 1",
        digits=2,
    )


# bill and parquet: tests/tools/benchmark_bills.py


def ten_million_rows():
    from tests.tools import benchmark_bills

    benchmark_bills.ten_million(say, compare)


def hundred_million_rows():
    from tests.tools import benchmark_bills

    benchmark_bills.hundred_million(say)


# l. Beside a client that sends much


def watch(url, key):
    """In a process of its own, until standard input ends: how long each of many requests takes."""
    import http.client
    import threading

    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    line = http.client.HTTPConnection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    taken = []
    while not ended.is_set():
        begin = time.perf_counter()
        body = json.dumps(QUESTION | {"user": str(len(taken))})
        line.request("POST", "/v1/chat/completions", body, headers)
        line.getresponse().read()
        taken.append(time.perf_counter() - begin)
        time.sleep(0.005)
    say(f"{statistics.median(taken)} {max(taken)}")


def waiting(where, does):
    """(median, longest) seconds of another client's requests while `does()` goes on."""
    url, key, _ = where
    command = [sys.executable, "-m", "tests.tools.benchmark", "watch", url, key]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watcher:
        time.sleep(1)
        try:
            does()
        finally:
            said, _ = watcher.communicate()
    return tuple(map(float, said.split()))


def beside_a_heavy_client():
    say(
        "l. What another client's request waits while one client sends much: the longest of all, and how often the longest beside nobody."
    )
    import openai

    with served([sys.executable, "-m", "helpers.local_api"]) as where:
        client = openai.OpenAI(base_url=where[0], api_key=where[1], max_retries=0, timeout=300)
        idle = None
        for what, send in HEAVY.items():

            def does(send=send):
                with contextlib.suppress(openai.APIStatusError):  # told so, which is an answer
                    send(client)

            usual, longest = waiting(where, does)
            idle = idle or longest
            say(
                f"  {what:34} {1000 * usual:6.1f} ms, at most {1000 * longest:6.1f}, ratio {longest / idle:5.1f}; aim: below 100 ms"
            )
        client.close()


def lines_of(size):
    """A training file of so many bytes, each line another."""
    made, have = [], 0
    while have < size:
        said = [("user", f"Hi {len(made)}"), ("assistant", f"Yes {len(made)}")]
        messages = [{"role": role, "content": content} for role, content in said]
        made.append((json.dumps({"messages": messages}) + "\n").encode())
        have += len(made[-1])
    return b"".join(made)


def uploaded(content, purpose="fine-tune"):
    """content: a function that makes it, when its turn has come."""
    return lambda client: client.files.create(file=("a.jsonl", content()), purpose=purpose)


def trained(client):
    file = uploaded(lambda: lines_of(20_000_000))(client)
    jobs = client.fine_tuning.jobs
    job = jobs.create(model="gpt-4o-2024-08-06", training_file=file.id)
    while jobs.retrieve(job.id).status not in ("succeeded", "failed"):
        time.sleep(0.5)


def asked(content, **more):
    return lambda client: client.chat.completions.create(
        model="o1", messages=[{"role": "user", "content": content}], **more
    )


def of_one(client):
    """A hundred large requests, twenty at once."""
    import openai

    def one(n):
        with contextlib.suppress(openai.APIStatusError):
            client.responses.create(model="o1", input=f"{n} " + "ab " * 300_000)

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(100)))


def picture(size):
    import base64

    noise = base64.b64encode(b"\x89PNG\r\n\x1a\n" + random.Random(9).randbytes(size * 3 // 4))
    return f"data:image/png;base64,{noise.decode()}"


def sent_over_a_socket(event):
    """event: a function that makes it. Ends when it was dealt with."""
    from websockets.sync.client import connect

    def does(client):
        url = str(client.base_url).replace("http", "ws").rstrip("/")
        key = {"Authorization": f"Bearer {client.api_key}"}
        with connect(
            f"{url}/realtime?model=gpt-realtime",
            additional_headers=key,
            max_size=None,
            proxy=None,
        ) as wire:
            wire.send(json.dumps(event()))
            wire.send(json.dumps({"type": "input_audio_buffer.clear"}))
            while json.loads(wire.recv(120))["type"] != "input_audio_buffer.cleared":
                pass

    return does


def sound():
    import base64

    return {
        "type": "input_audio_buffer.append",
        "audio": base64.b64encode(random.Random(9).randbytes(15 * 2**20)).decode(),
    }


def item(parts):
    message = {"type": "message", "role": "user", "content": parts}
    return {"type": "conversation.item.create", "item": message}


def spoken(client):
    from helpers.facts import sounds

    turn(str(client.base_url).rstrip("/"), client.api_key, sounds.clip("user-spanish"), 500)


def schema():
    names = [f"p{n}" for n in range(60_000)]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": names,
        "properties": {name: {"type": "string", "description": "of it"} for name in names},
    }


HEAVY = {
    "nothing": lambda client: time.sleep(1),
    "10,000 messages": lambda client: client.chat.completions.create(
        model="o1", messages=[{"role": "user", "content": f"x {n}"} for n in range(10_000)]
    ),
    "a text of 10 MB": lambda client: client.responses.create(model="o1", input="ab " * 3_500_000),
    "100 requests of 1 MB": of_one,
    "a picture of 20 MB": lambda client: asked(
        [{"type": "image_url", "image_url": {"url": picture(20_000_000)}}]
    )(client),
    "a schema of 5 MB": lambda client: asked(
        "x",
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "strict": True, "schema": schema()},
        },
    )(client),
    "25 MB to be transcribed": lambda client: client.audio.transcriptions.create(
        model="whisper-1", file=("a.wav", bytes(25_000_000))
    ),
    "a training file of 20 MB, and its job": trained,
    "a training file of 50 MB": uploaded(lambda: lines_of(50_000_000)),
    "a training file of one line of 20 MB": uploaded(
        lambda: lines_of(1).replace(b"Hi", b"Hi" * 10_000_000)
    ),
    "a file of 100 MB for assistants": uploaded(lambda: bytes(100_000_000), "assistants"),
    "a first spoken question": spoken,
    "15 MB of sound in one event": sent_over_a_socket(sound),
    "an item of 10,000 parts": sent_over_a_socket(
        lambda: item([{"type": "input_text", "text": str(n)} for n in range(10_000)])
    ),
    "an item with a picture of 20 MB": sent_over_a_socket(
        lambda: item([{"type": "input_image", "image_url": picture(15_000_000)}])
    ),
}


# k. Recording


def recording():
    say(
        "k. Recording: a call through the local API to an upstream that takes 0.3 s, as a fast model does, and to one that answers at once; recorded, against only forwarded."
    )
    from tests.upstreams import Hostile, response

    for what, seconds, calls in (("0.3 s", 0.3, 5), ("at once", 0, 20)):
        answer = response(
            json.dumps(
                {
                    "id": "chatcmpl-1",
                    "choices": [],
                    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
                    "text": "word " * 500,
                }
            ).encode()
        )

        def wait(sock, request):
            time.sleep(seconds)
            sock.sendall(answer)

        upstream, command = Hostile(wait), [sys.executable, "-m", "helpers.local_api"]
        with (
            tempfile.TemporaryDirectory() as folder,
            served(command, {"DAY9_ANSWERS": upstream.url}) as (live, one, _),
            served(
                command, {"DAY9_ANSWERS": f"record:{upstream.url}", "DAY9_MY_RECORDINGS": folder}
            ) as (record, other, _),
        ):
            recorded, forwarded = [], []
            for _ in range(ROUNDS):
                recorded.append(statistics.median(timed_posts(record, other, calls)))
                forwarded.append(statistics.median(timed_posts(live, one, calls)))
        compare(
            recorded,
            forwarded,
            f"recorded, upstream {what}",
            "forwarded",
            "ms",
            "below 1.10",
            scale=1000,
            digits=2,
        )


PARTS = {
    "a": first_answer,
    "b": one_call,
    "c": many_calls,
    "d": whole_run,
    "e": memory,
    "f": tuning,
    "g": speaking,
    "h": calling,
    "i": eight_calls,
    "j": forwarding,
    "k": recording,
    "l": beside_a_heavy_client,
    "bill": ten_million_rows,
    "parquet": hundred_million_rows,
}
ONLY_NAMED = {"parquet"}  # takes minutes by itself


def main(wanted):
    begin = time.perf_counter()
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        os.environ.pop(name, None)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = "127.0.0.1"
    say(
        "Medians, with the range in brackets. Compare inside a block only; run again when the ratio matters.\n"
    )
    # no history, profile or connection file of the kernels stays
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"IPYTHONDIR": home, "JUPYTER_RUNTIME_DIR": home}
        for part in wanted or [p for p in PARTS if p not in ONLY_NAMED]:
            try:
                PARTS[part]()
            except (
                RuntimeError,
                OSError,
                ImportError,
                TimeoutError,
                subprocess.TimeoutExpired,
            ) as e:
                say(f"  Not measured: {e}")
            say()
    say(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    elif sys.argv[1:2] == ["watch"]:
        watch(sys.argv[2], sys.argv[3])
    elif sys.argv[1:2] == ["load"]:
        url, key, seconds, new, connections = sys.argv[2:7]
        asyncio.run(load(url, key, float(seconds), new == "new", int(connections)))
    elif set(sys.argv[1:]) <= set(PARTS):
        main(sys.argv[1:])
    else:
        sys.exit(__doc__)
