"""What a class costs, and how it feels: thirty that begin at once, a lesson of speech, loops.

    python -m tests.tools.measure_class [begin] [ahead] [lesson] [loops] [--seats N]

begin     all log in at one moment, at seats that nobody has started, and run all cells of 00
ahead     the same with seats that were started before; the moment is when the notebook is opened
lesson    sixteen talk with their local APIs at once, as a microphone does, over WebSocket
loops     ten run all cells of 00, alone and with five others in `while True: pass`

Run it as root for walls between the seats, and on a quiet machine: one client for all, without
browsers, is counted beside the class. Memory is proportional (PSS): what is shared counts once.
"""

import argparse
import asyncio
import contextlib
import json
import re
import statistics
import time
import uuid

import aiohttp
import psutil

from tests.classroom import held as class_held

FIRST = "00_start_here.ipynb"
LOOP = "while True: pass"
LESSON = """
import asyncio, base64, json, time
import helpers
from helpers import sounds
from openai import AsyncOpenAI

helpers.connect()
STEP = 0.1

async def turn(line, clip):
    said = sounds.clip(clip) + bytes(2 * 24_000)
    size = int(2 * 24_000 * STEP)
    async def speak():
        begun = time.monotonic()
        for n, start in enumerate(range(0, len(said), size)):
            await asyncio.sleep(max(0, begun + n * STEP - time.monotonic()))
            await line.input_audio_buffer.append(
                audio=base64.b64encode(said[start : start + size]).decode())
    speaking = asyncio.ensure_future(speak())
    stopped = until = None
    gaps = []
    async for event in line:
        now = time.monotonic()
        if event.type == "input_audio_buffer.speech_stopped":
            stopped = now
        elif event.type == "response.output_audio.delta":
            first = until is None
            if first:
                wait, until = now - stopped, now
            else:
                gaps.append(max(0, now - until))
                until = max(now, until)
            until += sounds.ms(base64.b64decode(event.delta)) / 1000
        elif event.type == "response.done":
            break
        elif event.type == "error":
            raise RuntimeError(event.error.message)
    await speaking
    return wait, max(gaps), sum(gap > 0 for gap in gaps), len(gaps)

async with AsyncOpenAI().realtime.connect(model="gpt-4o-realtime-preview-2024-12-17") as line:
    turns = [await turn(line, clip) for clip in ("user-spanish", "user-christmas", "user-reindeer")]
print("TURNS", json.dumps(turns))
"""


class Light:
    """A learner without a browser, beside many others in one loop."""

    def __init__(self, held, session, name):
        self.held, self.session, self.name = held, session, name
        self.at = {}  # seconds, by what had come

    async def get(self, path):
        async with self.session.get(self.held.address + path) as answer:
            return str(answer.url), await answer.text()

    async def enter(self):
        """Log in with a name of one's own; waits for nothing else."""
        _, page = await self.get("/hub/login")
        form = {"_xsrf": re.search(r'name="_xsrf" value="([^"]+)"', page)[1]}
        form |= {"username": self.name, "word": self.held.given["word"]}
        async with self.session.post(self.held.address + "/hub/login", data=form) as answer:
            self.seat = re.search(r"(seat\d+)</h1>", await answer.text())[1]
        self.base = f"/user/{self.seat}"

    async def open(self):
        """Open the notebooks, as the link on the page of one's seat does, and wait for them."""
        at, _ = await self.get(f"/hub/spawn/{self.seat}")
        while self.base + "/lab" not in at:
            await asyncio.sleep(0.3)
            at, _ = await self.get(f"/hub/spawn-pending/{self.seat}")

    async def sit_down(self):
        """Log in, and wait for one's notebooks."""
        await self.enter()
        await self.open()

    async def kernel(self):
        """Start a kernel for 00, or find the one that runs; its cells are then in `cells`."""
        _, text = await self.get(f"{self.base}/api/contents/notebooks/{FIRST}")
        given = [c for c in json.loads(text)["content"]["cells"] if c["cell_type"] == "code"]
        self.cells = [("".join(c["source"]), c["metadata"].get("tags", [])) for c in given]
        body = {"path": f"notebooks/{FIRST}", "name": FIRST, "type": "notebook"}
        body["kernel"] = {"name": "python3"}
        [xsrf] = {
            c.value
            for c in self.session.cookie_jar
            if c.key == "_xsrf" and c["path"].rstrip("/") == self.base
        }
        self.given = {"headers": {"X-XSRFToken": xsrf}}
        address = self.held.address + self.base
        async with self.session.post(f"{address}/api/sessions", json=body, **self.given) as answer:
            assert answer.status == 201, await answer.text()
            self.kernel_at = f"{address}/api/kernels/{(await answer.json())['kernel']['id']}"
        self.line = await self.session.ws_connect(
            f"{self.kernel_at}/channels?session_id={uuid.uuid4().hex}", max_msg_size=0
        )

    async def interrupt(self):
        async with self.session.post(self.kernel_at + "/interrupt", **self.given) as answer:
            assert answer.status == 204, await answer.text()

    async def send(self, code):
        ident = uuid.uuid4().hex
        header = {"msg_id": ident, "msg_type": "execute_request", "username": ""}
        header |= {"session": "s", "date": "", "version": "5.3"}
        content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        await self.line.send_json(message | {"channel": "shell", "buffers": []})
        return ident

    async def run(self, code, tags=()):
        """Run a cell. Returns what it printed."""
        ident, waits, said = await self.send(code), {"reply", "idle"}, []
        while waits:
            message = await self.line.receive_json(timeout=600)
            if message["parent_header"].get("msg_id") != ident:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                waits.discard("reply")
            elif kind == "status" and content["execution_state"] == "idle":
                waits.discard("idle")
            elif kind == "stream":
                said.append(content["text"])
            elif kind == "error" and "raises-exception" not in tags and "starter" not in tags:
                raise RuntimeError(f"{self.seat}: {content['ename']}: {content['evalue']}")
        return "".join(said)

    async def all_cells(self, begun):
        """Run all cells of 00; notes when the first and the last had come."""
        for number, (code, tags) in enumerate(self.cells):
            await self.run(code, tags)
            if not number:
                self.at["first cell"] = time.monotonic() - begun
        self.at["all cells"] = time.monotonic() - begun


@contextlib.asynccontextmanager
async def learners(held, number):
    """So many Light learners, each with cookies of their own."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for n in range(1, number + 1):
            session = aiohttp.ClientSession(
                cookie_jar=aiohttp.CookieJar(unsafe=True),
                connector=aiohttp.TCPConnector(ssl=False),
                timeout=aiohttp.ClientTimeout(total=600),
            )
            made.append(Light(held, await stack.enter_async_context(session), f"Learner {n}"))
        yield made


class Counted:
    """CPU seconds and memory of a class by part, and of this client, since it was made."""

    def __init__(self, held):
        self.held = held
        self.before = self._cpu()

    def _processes(self):
        """{process: its part}. Those of a seat by age: server, kernel, local API."""
        main = psutil.Process(self.held.process.pid)
        found, seen = {main: "class"}, {}
        for process in sorted(
            main.children(recursive=True), key=lambda p: (p.create_time(), p.pid)
        ):
            words, user = " ".join(process.cmdline()), process.uids().real
            if "jupyterhub -f" in words:
                found[process] = "hub"
            elif "classroom.proxy" in words:
                found[process] = "proxy"
            elif process.ppid() == main.pid:
                found[process] = "warmed"
            else:
                seen[user] = seen.get(user, -1) + 1
                found[process] = ("servers", "kernels", "local APIs")[min(seen[user], 2)]
        return found

    def _cpu(self):
        counted = {"this client": time.process_time()}
        for process, part in self._processes().items():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                counted[part] = counted.get(part, 0) + times.user + times.system
        return counted

    def told(self):
        now = self._cpu()
        spent = {part: round(now[part] - self.before.get(part, 0), 1) for part in now}
        memory = {}
        for process, part in self._processes().items():
            with contextlib.suppress(psutil.Error):
                memory[part] = memory.get(part, 0) + process.memory_full_info().pss / 2**20
        print(f"  CPU s {sum(spent.values()):.1f}: {spent}")
        print(f"  MiB {sum(memory.values()):,.0f}:", {p: round(m) for p, m in memory.items()})


def spread(name, values):
    """A line of a list of seconds: median, 95 % and most."""
    cut = sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]
    return (
        f"  {name}: median {statistics.median(values):.1f}, p95 {cut:.1f}, most {max(values):.1f}"
    )


def tell(everyone):
    for name in everyone[0].at:
        print(spread(name, [learner.at[name] for learner in everyone]))


async def at_the_bell(held, everyone, come):
    """All do `come(learner, begun)` at one moment, and run all cells of 00."""
    counted, begun = Counted(held), time.monotonic()

    async def one(learner):
        await come(learner, begun)
        await learner.kernel()
        await learner.all_cells(begun)

    await asyncio.gather(*map(one, everyone))
    tell(everyone)
    counted.told()


async def begin(held, number):
    async def come(learner, begun):
        await learner.enter()
        learner.at["logged in"] = time.monotonic() - begun
        await learner.open()
        learner.at["seat is up"] = time.monotonic() - begun

    async with learners(held, number) as everyone:
        await at_the_bell(held, everyone, come)


async def ahead(held, number):
    async def come(learner, begun):
        await learner.get(f"{learner.base}/lab/tree/notebooks/{FIRST}")

    async with learners(held, number) as everyone:
        for learner in everyone:
            await learner.sit_down()
        await at_the_bell(held, everyone, come)


async def lesson(held, number):
    async with learners(held, number) as everyone:
        for learner in everyone:
            await learner.sit_down()
            await learner.kernel()
        counted = Counted(held)
        said = await asyncio.gather(*(learner.run(LESSON) for learner in everyone))
        turns = [turn for one in said for turn in json.loads(one.partition("TURNS")[2])]
        print(spread("end of speech to first sound", [wait for wait, *_ in turns]))
        print(spread("worst gap of a turn", [worst for _, worst, *_ in turns]))
        print(
            f"  {sum(n for *_, n, _ in turns)} gaps in {sum(n for *_, n in turns)} pieces of sound"
        )
        counted.told()


async def loops(held, number):
    quiet = number - number // 3
    async with learners(held, number) as everyone:
        for learner in everyone:
            await learner.sit_down()
            await learner.kernel()
        took = {}
        for how in ("alone", "with loops", "alone again"):
            if how == "with loops":
                for learner in everyone[quiet:]:
                    await learner.send(LOOP)
                await asyncio.sleep(5)
            took[how] = []
            for _ in range(3):
                begun = time.monotonic()
                await asyncio.gather(*(l.all_cells(begun) for l in everyone[:quiet]))
                took[how] += [learner.at["all cells"] for learner in everyone[:quiet]]
            print(spread(how, took[how]))
            if how == "with loops":
                for learner in everyone[quiet:]:
                    await learner.interrupt()
        ratio = statistics.median(took["with loops"]) / statistics.median(took["alone"])
        print(f"  {number - quiet} in a loop: the others' cells take {ratio:.2f} times as long")


def main():
    kinds = {
        "begin": (begin, 30),
        "ahead": (ahead, 30),
        "lesson": (lesson, 16),
        "loops": (loops, 15),
    }
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kinds", nargs="*", choices=kinds, default=list(kinds))
    parser.add_argument("--seats", type=int)
    asked = parser.parse_args()
    for kind in asked.kinds:
        measure, number = kinds[kind]
        number = asked.seats or number
        with class_held.held(number) as held:
            print(f"{kind}, {number} seats, {'walls' if held.walls else 'no walls'}:", flush=True)
            time.sleep(3)  # the hub has answered; what it does after its start is done
            asyncio.run(measure(held, number))


if __name__ == "__main__":
    main()
