"""A real JupyterLab and a headless Chromium, for the browser test and for looking at the notebooks.

    python -m tests.lab shots OUTDIR [notebook ...]

writes every notebook as a reader sees it, in slices that fit a screen: as it opens in a fresh
clone, then run from top to bottom, in the light and in the dark theme.
"""

import contextlib
import functools
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from helpers.classroom import seats
from helpers.common import this_machine

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
NAMES = {  # that a program has on other systems
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox", "firefox-esr"),
}
LONG = 90_000  # ms; a limit that only a hang reaches
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# Nothing but 127.0.0.1 resolves, and Chromium's own services stay off.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# Lab as `-m jupyterlab` starts it, with kernels that are forked; tests/forked.py
FORKING = "from tests import forked; forked.install(); from jupyterlab.labapp import main; main()"
# Lab's own settings, for tests alone: every cell is drawn, also those off the screen.
SETTINGS = {"@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"}}


def notebooks(folder=NOTEBOOKS):
    """Paths under `folder` and the folders of the themes, relative to it, in reading order: not
    what Jupyter keeps, nor what the programs of 5_sdks have installed.
    """
    return sorted(
        p.relative_to(folder).as_posix()
        for p in (*folder.glob("*.ipynb"), *folder.glob("[!.]*/*.ipynb"))
    )


def program(name):
    """The path of a program of this system, by any of its NAMES, or None."""
    return next(filter(None, map(shutil.which, NAMES.get(name, (name,)))), None)


class Server(NamedTuple):
    address: str
    token: str
    notebooks: Path  # the copy that it serves
    log: Path  # what it says on the terminal


@contextlib.contextmanager
def server(folder=NOTEBOOKS, forked=True):
    """JupyterLab over a copy of `folder`, in a home of its own: yields a Server, and ends it.
    forked: whether its kernels are, which is sooner and shows nothing of what they say themselves.
    """
    with tempfile.TemporaryDirectory(prefix="day9-lab-", ignore_cleanup_errors=True) as home:
        home = Path(home)
        for source in (folder, ROOT / "data"):  # cells read ../data too
            shutil.copytree(
                source,
                home / "root" / source.name,
                ignore=shutil.ignore_patterns(*seats.MADE),
            )
        for name, values in SETTINGS.items():
            file = home / "settings" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(values))
        token = secrets.token_hex(16)
        command, env = as_started()
        if forked:
            at = command.index("jupyterlab")
            command[at - 1 : at + 1] = ["-c", FORKING]
        env |= {
            "JUPYTER_TOKEN": token,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "IPYTHONDIR": str(home / "ipython"),
        }
        with open(home / "log", "w+", encoding="utf-8") as log:
            process = subprocess.Popen(
                [
                    *command,
                    "--no-browser",
                    "--allow-root",
                    "--ServerApp.ip=127.0.0.1",
                    "--ServerApp.port=0",
                    f"--ServerApp.root_dir={home / 'root'}",
                    "--LabApp.expose_app_in_browser=True",
                ],
                cwd=home,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            try:
                address = _address(process, home / "runtime", log)
                yield Server(address, token, home / "root" / folder.name, home / "log")
            finally:
                process.terminate()  # ends its kernels, and they end their local APIs
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def _address(process, runtime, log):
    until = time.monotonic() + LONG / 1000
    while time.monotonic() < until and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(OSError, ValueError):
                url = f"http://127.0.0.1:{json.loads(file.read_text(encoding='utf-8'))['port']}"
                this_machine.open_url(f"{url}/api", 5).close()
                return url
        time.sleep(0.1)
    log.seek(0)
    raise RuntimeError("JupyterLab did not start. It said:\n" + log.read()[-4000:])


def as_started():
    """(command, environment) with which `python start.py lab` starts JupyterLab, for the running
    Python.
    """
    import start

    said = []
    with (
        mock.patch.multiple(
            start, ready=lambda locks: sys.executable, become=lambda *all: said.append(all)
        ),
        contextlib.redirect_stdout(None),
    ):
        start.lab([])
    ((command, env),) = said
    return [
        a for a in command if not a.startswith("--ServerApp.root_dir=") and not a.endswith(".ipynb")
    ], env


@contextlib.contextmanager
def browsers():
    """launch(*flags): a headless Chromium (Playwright's Browser) with flags beyond ours, one for
    all who want the same.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, contextlib.ExitStack() as opened:

        @functools.cache
        def launch(*flags):
            return opened.enter_context(
                playwright.chromium.launch(
                    executable_path=program("chromium"), args=[*FLAGS, *flags]
                )
            )

        yield launch


@contextlib.contextmanager
def browser(*flags):
    """A headless Chromium with flags beyond ours."""
    with browsers() as launch:
        yield launch(*flags)


class Tab:
    """A browser tab with JupyterLab, one notebook open at a time. `trouble` lists what the page
    should not have done.
    """

    def __init__(self, chrome, server, width=1300, height=1000):
        self.server, self.path, self.trouble = server, None, []
        # "null": Playwright says "light" to every frame, which keeps our pages in a frame from
        # following JupyterLab's theme, as they do for a reader
        self.page = chrome.new_page(
            viewport={"width": width, "height": height}, color_scheme="null"
        )
        self.page.set_default_timeout(LONG)
        self.page.context.on("request", lambda r: self._asked(r.url))
        self.page.on("websocket", lambda w: self._asked(w.url))
        self.page.on("pageerror", lambda e: self.trouble.append(f"error of the page: {e}"))
        self.page.on(
            "console",
            lambda m: (
                m.type == "error"
                and self.trouble.append(f"console error: {m.text} ({m.location.get('url')})")
            ),
        )

    def open(self, path):
        """Open a notebook, the first by its address, the next as the file browser does, and wait
        for its kernel.
        """
        if self.path:
            self.page.evaluate(CLOSE)
            self.trouble.clear()
            self.command("docmanager:open", path=f"notebooks/{path}")
        else:
            address, token, *_ = self.server
            self.page.goto(f"{address}/lab/tree/notebooks/{path}?token={token}&reset")
        self.path = path
        self.page.wait_for_function(READY, arg=path)
        self.still()
        return self

    def close(self):
        """Leave no kernel running, as the server goes on."""
        self.page.evaluate(CLOSE)
        self.page.close()

    def _asked(self, url):
        local = self.server.address.partition("://")[2]
        ours = (f"http://{local}/", f"ws://{local}/")
        # what the local API has for the frame in a notebook
        page = re.match(r"http://127\.0\.0\.1:\d+/day9/pages/", url)
        if (
            url.partition(":")[0] not in ("data", "blob", "about")
            and not url.startswith(ours)
            and not page
        ):
            self.trouble.append(f"asked for {url}")

    def command(self, name, **args):
        """Run a command of JupyterLab's, as its menu or keyboard would, and wait for it."""
        return self.page.evaluate(
            "([name, args]) => jupyterapp.commands.execute(name, args).then(() => null)",
            [name, args],
        )

    def run(self):
        """Clear all outputs, Run All Cells, and wait until the kernel is idle and the outputs stand
        still.
        """
        self.command("notebook:clear-all-cell-outputs")
        self.command("notebook:run-all-cells")
        self.page.evaluate(RAN)
        self.still()

    def still(self):
        """Wait until the kernel is idle and what the outputs show has not changed for half a
        second.
        """
        self.page.evaluate(STILL)

    def theme_now(self):
        shown = self.page.evaluate("() => document.body.dataset.jpThemeName")
        return next(name for name, title in THEMES.items() if title == shown)

    def theme(self, name):
        if self.theme_now() == name:
            return
        self.command("apputils:change-theme", theme=THEMES[name])
        self.page.wait_for_function(
            "name => document.body.dataset.jpThemeName === name", arg=THEMES[name]
        )
        self.still()

    def cells(self):
        """The notebook as it stands: each cell as nbformat has it."""
        return self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.model.toJSON().cells"
        )


@contextlib.contextmanager
def tab(server, *flags):
    """A Tab in a browser of its own, with flags beyond ours."""
    with browser(*flags) as chrome:
        opened = Tab(chrome, server)
        yield opened
        opened.close()


READY = """path => {
  const panel = window.jupyterapp?.shell.currentWidget, session = panel?.sessionContext;
  return session?.isReady && session.path.endsWith(path) && panel.content?.widgets?.length > 0
      && session.session?.kernel?.status === 'idle';
}"""
CLOSE = """async () => {
  const panel = jupyterapp.shell.currentWidget;
  await panel.sessionContext.shutdown();
  panel.context.model.dirty = false;  // what was run is not to be saved, and nobody is there to be asked
  panel.close();
}"""
# At the first error Lab calls all cells that wait idle, also where a tag expects the error and the
# kernel goes on with them; and it draws prompts only for cells in view. So count: done when each
# cell has its number, or when the kernel has been idle for some seconds, because an error has
# stopped the run.
RAN = """async () => {
  const panel = jupyterapp.shell.currentWidget;
  const open = () => [...panel.content.model.cells].filter(c => c.type === 'code' && c.sharedModel.getSource().trim() && c.executionCount === null).length;
  for (let idle = 0; idle < 25; ) {
    await new Promise(done => setTimeout(done, 200));
    const still = panel.sessionContext.session.kernel.status === 'idle';
    if (still && open() === 0) return;
    idle = still ? idle + 1 : 0;
  }
}"""
STILL = """async () => {
  const seen = () => [...document.querySelectorAll('.jp-OutputArea')].map(e => e.innerHTML).join();
  const idle = () => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle';
  for (let before = null, same = 0, i = 0; same < 3 && i < 100; i++) {
    await new Promise(done => setTimeout(done, 170));
    const now = seen();
    same = idle() && now === before ? same + 1 : 0;
    before = now;
  }
}"""
END = "e => e.scrollTop + Math.ceil(Math.max(...[...e.querySelectorAll('.jp-Cell')].map(c => c.getBoundingClientRect().bottom)) - e.getBoundingClientRect().top + 8)"
SCROLLER = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-WindowedPanel-outer"


def shots(opened, outdir, name, title):
    """Screenshots of the whole notebook, top to bottom: OUTDIR/name-title-1.png, … Returns their
    paths.
    """
    opened.page.evaluate("() => document.activeElement?.blur()")
    scroller = opened.page.locator(SCROLLER)
    box = scroller.bounding_box()
    files, top = [], 0
    end = scroller.evaluate(END)
    while top < end:
        at = scroller.evaluate("(e, top) => { e.scrollTop = top; return e.scrollTop }", top)
        opened.page.wait_for_timeout(150)
        cut = top - at  # near the end: what the slice before it has shown already
        height = min(box["height"] - cut, end - top)
        files.append(Path(outdir) / f"{name}-{title}-{len(files) + 1}.png")
        opened.page.screenshot(
            path=files[-1],
            clip={"x": box["x"], "y": box["y"] + cut, "width": box["width"], "height": height},
        )
        top += int(height)
    return files


def main(args):
    if len(args) < 2 or args[0] != "shots":
        sys.exit(__doc__)
    outdir, folder = Path(args[1]), Path(os.environ.get("DAY9_NOTEBOOKS", NOTEBOOKS))
    outdir.mkdir(parents=True, exist_ok=True)
    wanted = [
        Path(p).resolve().relative_to(folder.resolve()).as_posix() for p in args[2:]
    ] or notebooks(folder)
    with server(folder) as started, browser() as chrome:
        opened = Tab(chrome, started, 1300, 1500)
        for path in wanted:
            name = Path(path).stem
            opened.open(path)
            files = shots(opened, outdir, name, "opened")
            opened.run()
            for theme in THEMES:
                opened.theme(theme)
                files += shots(opened, outdir, name, theme)
            opened.theme("light")
            print(*files, *opened.trouble, sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
