"""A class as ten browsers on another machine meet it: they work and talk at once, and what a hub
that is killed, a network that goes away and a machine that sleeps leave of that.

The other machine is a network namespace with an address of its own, which takes root on Linux.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import wave

import psutil
import pytest
from playwright.async_api import async_playwright

from helpers.facts import sounds
from tests import lab
from tests.conftest import lacking, needs

from . import held as class_held

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")
pytestmark = needs("chromium")

NUMBER = 10
LONG = 600  # seconds; a limit that only a hang reaches
NETWORK = f"10.209.{os.getpid() % 256}"  # of another run at the same time, another one
HERE, THERE = f"{NETWORK}.1", f"{NETWORK}.2"
FIRST, CALLING = "00_start_here.ipynb", "1_o1/04_function_calling.ipynb"
TALKING = "2_realtime/02_webrtc_in_twelve_lines.ipynb"
DARK = "written = 'in the dark'"
SLOW = "import time\nfor n in range(40):\n    time.sleep(2)\n    print('line', n, flush=True)"


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """(a program that is Chromium on another machine, the network card that leads there)"""
    if sys.platform != "linux" or os.getuid() or not shutil.which("ip"):
        lacking("root on Linux with `ip`")
    space, card = f"day9-{os.getpid()}", f"day9{os.getpid() % 10**8}"
    try:
        ip(f"netns add {space}")
    except subprocess.CalledProcessError:
        lacking("network namespaces")
    try:
        ip(f"link add {card} type veth peer name there netns {space}")
        ip(f"address add {HERE}/24 dev {card}")
        ip(f"link set {card} up")
        ip(f"-n {space} link set lo up")
        ip(f"-n {space} address add {THERE}/24 dev there")
        ip(f"-n {space} link set there up")
        program = tmp_path_factory.mktemp("elsewhere") / "chromium"
        command = f'exec ip netns exec {space} {lab.program("chromium")} "$@"'
        program.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
        program.chmod(0o755)
        yield program, card
    finally:
        ip(f"netns delete {space}")  # and with it both cards


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """What the microphones hear, as a WAV file."""
    file = tmp_path_factory.mktemp("speech") / "christmas.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, sounds.RATE, 0, "NONE", ""))
        # some quiet before, while the call is set up, and after, so that the turn ends
        quiet = bytes(2 * sounds.RATE * 3)
        out.writeframes(quiet + sounds.clip("user-christmas") + quiet)
    return file


class Browser:
    """A browser elsewhere, of a learner who has come in; `home` is the folder of the seat."""

    async def come_in(self, playwright, program, speech, held, name):
        flags = [f for f in lab.FLAGS if not f.startswith("--host-resolver-rules")]
        flags += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        flags += [f"--use-file-for-fake-audio-capture={speech}"]
        flags += ["--autoplay-policy=no-user-gesture-required"]
        self.chrome = await playwright.chromium.launch(executable_path=program, args=flags)
        context = await self.chrome.new_context(ignore_https_errors=True)
        self.page = await context.new_page()
        self.page.set_default_timeout(LONG * 1000)
        self.heard = asyncio.Event()
        self.saving = set()  # requests that ask for a notebook or bring it
        self.page.on("websocket", self._watch)
        self.page.on("request", self._asked)
        self.page.on("requestfinished", self._answered)
        self.page.on("requestfailed", self._answered)
        self.address = f"https://{HERE}:{held.port}"
        await self.page.goto(self.address)
        await self.page.fill("[name=username]", name)
        await self.page.fill("[name=word]", held.given["word"])
        await self.page.click("text=Come in")
        self.pin = await self.page.inner_text("#pin")
        self.seat = re.search(r"seat\d+", await self.page.inner_text("h1"))[0]
        self.home = held.folder / "seats" / self.seat
        await self.page.click("#open")
        await self.page.wait_for_url(re.compile("/lab/tree/"))
        return self

    def _watch(self, socket):
        if socket.url.split("?")[0].endswith("/channels"):
            heard = self.heard  # of the page that opens it; the page before may still be there
            socket.on("framereceived", lambda _: heard.set())

    def _asked(self, request):
        if "/api/contents/" in request.url and ".ipynb" in request.url:
            self.saving.add(request)

    def _answered(self, request):
        self.saving.discard(request)

    async def notebook(self, path):
        """Open a notebook, and wait until its kernel is idle and has said something: the page shows
        it as idle before it is connected, and drops what is run then.
        """
        self.heard = asyncio.Event()
        self.saving.clear()  # of the page before
        self.path = self.home / "notebooks" / path
        # reset: else the notebooks before it are opened again, and one of them is in front
        there = f"/user/{self.seat}/lab/tree/notebooks/{path}?reset"
        await self.page.goto(self.address + there)
        self.panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        await asyncio.wait_for(self.heard.wait(), LONG)
        await self.panel.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()

    async def run_anew(self, path):
        """Open a notebook without what is stored in it, which would look as if all had been run,
        and run all of it.
        """
        file = self.home / "notebooks" / path
        nb = json.loads(file.read_text(encoding="utf-8"))
        for cell in nb["cells"]:
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        file.write_text(json.dumps(nb), encoding="utf-8")
        await self.notebook(path)
        await self.page.get_by_role("menuitem", name="Run", exact=True).click()
        await self.page.get_by_text("Run All Cells", exact=True).click()
        await self.saved(all_ran)

    async def saved(self, so):
        """Wait until the notebook on the class's disk is `so`, a function of its code cells. What
        changes while the page saves it is taken for saved, so sometimes it is saved by hand; but
        not while the page does, else JupyterLab asks whose version it is to be.
        """
        for n in range(1, LONG):
            if n % 10 == 0 and not self.saving:
                await self.page.keyboard.press("Control+s")
            await asyncio.sleep(1)
            with contextlib.suppress(json.JSONDecodeError):  # it is being written
                cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
                if so([cell for cell in cells if cell["cell_type"] == "code"]):
                    return
        raise TimeoutError(f"{self.seat}: {self.path} is not saved as it should be")

    async def write(self, text):
        """Put a text into a new cell, the second of the notebook."""
        await self.panel.locator(".jp-Cell").first.click()
        await self.page.keyboard.press("Escape")
        await self.page.keyboard.press("b")
        await self.page.keyboard.press("Enter")
        await self.page.keyboard.insert_text(text)

    async def talk(self):
        """Run a notebook as far as its page that talks, speak to it and wait for the answer."""
        frame = self.panel.frame_locator("iframe.day9-talk").first
        await self.panel.locator(".jp-Cell").first.click()
        await self.page.keyboard.press("Escape")
        for _ in range(5):
            await self.page.keyboard.press("Shift+Enter")
        await frame.locator("#start").click()
        await frame.locator("#log li", has_text="It: ").first.wait_for()
        return await frame.locator("#log").inner_text()


def all_ran(cells):
    """Whether each cell has its number, and none an error that its notebook does not show."""
    for cell in cells:
        errors = [o for o in cell["outputs"] if o["output_type"] == "error"]
        assert not errors or "raises-exception" in cell["metadata"].get("tags", []), errors
    return all(cell["execution_count"] for cell in cells if "".join(cell["source"]).strip())


def shown(cells, source, text):
    """Whether the cell with this source shows a text."""
    return any("".join(c["source"]) == source and text in json.dumps(c["outputs"]) for c in cells)


@contextlib.asynccontextmanager
async def browsers(elsewhere, speech, held, names):
    async with async_playwright() as playwright:
        come = (Browser().come_in(playwright, elsewhere[0], speech, held, name) for name in names)
        everyone = await asyncio.gather(*come)
        try:
            yield everyone
        finally:
            for one in everyone:
                await one.chrome.close()


async def everyone_does(everyone, what):
    return await asyncio.gather(*map(what, everyone))


def test_ten_work_and_talk_at_once_and_a_killed_hub_comes_back_with_everything(elsewhere, speech):
    async def works(one):
        for path in (FIRST, CALLING):
            await one.run_anew(path)

    async def talks(one):
        await one.notebook(TALKING)
        return await one.talk()

    async def writes(one):
        await one.notebook(FIRST)
        await one.write("kept = 41")
        await one.page.keyboard.press("Control+Enter")
        await one.page.keyboard.press("Escape")
        await one.write("kept + 1")

    async def goes_on(one):
        await one.page.keyboard.press("Control+Enter")
        await one.saved(lambda cells: shown(cells, "kept + 1", '"42"'))

    async def comes_again(one):
        await one.page.goto(f"{one.address}/hub/seat")
        assert await one.page.inner_text("#pin") == one.pin
        assert one.seat in await one.page.inner_text("h1")

    async def lesson(held):
        names = [f"Learner {n}" for n in range(NUMBER)]
        async with browsers(elsewhere, speech, held, names) as everyone:
            assert len({one.seat for one in everyone}) == NUMBER
            await everyone_does(everyone, works)
            for said in await everyone_does(everyone, talks):
                assert "Christmas" in said, said
            await everyone_does(everyone, writes)
            held.part("jupyterhub").send_signal(signal.SIGKILL)
            await asyncio.to_thread(held.wait)
            await everyone_does(everyone, goes_on)
            await everyone_does(everyone, comes_again)

    with class_held.held(NUMBER, HERE) as held:
        asyncio.run(lesson(held))


def processes(held):
    """All processes of a class: hub, proxy, seats, kernels, local APIs."""
    return psutil.Process(held.process.pid).children(recursive=True)


@pytest.mark.parametrize("away", ["the network", "the class", "the browser"])
def test_nothing_is_lost_while_something_is_away(elsewhere, speech, away):
    """A wifi that drops; a laptop with the class, or one with a browser, that sleeps."""

    def be(gone, held, before):
        if away == "the network":
            ip(f"link set {elsewhere[1]} {'down' if gone else 'up'}")
            return
        sign = signal.SIGSTOP if gone else signal.SIGCONT
        found = processes(held) if away == "the class" else before
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(sign)

    async def lesson(held):
        mine = psutil.Process()
        async with browsers(elsewhere, speech, held, ["Ana"]) as [ana]:
            chrome = [p for p in mine.children(recursive=True) if "chrom" in p.name()]
            await ana.notebook(TALKING)
            await ana.talk()  # and the call goes on
            await ana.notebook(FIRST)
            await ana.write(SLOW)
            await ana.page.keyboard.press("Control+Enter")
            await ana.panel.get_by_text("line 2").wait_for()
            be(True, held, chrome)
            if away == "the network":  # what is written meanwhile
                await ana.page.keyboard.press("Escape")
                await ana.write(DARK)
            await asyncio.sleep(60)
            be(False, held, chrome)
            if away == "the network":
                await ana.saved(lambda cells: any("".join(c["source"]) == DARK for c in cells))
            await ana.saved(lambda cells: shown(cells, SLOW, "line 39"))

    with class_held.held(1, HERE) as held:
        asyncio.run(lesson(held))
