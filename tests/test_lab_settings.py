"""JupyterLab with our settings, as a reader meets it where something is wrong with the disk."""

import os
import subprocess
import sys
import tempfile
import time

import pytest

from tests import lab
from tests.conftest import lacking, needs

pytestmark = needs("chromium")
DOCUMENTS = "@jupyterlab/docmanager-extension/plugin"

SHOWN = ".jp-NotebookPanel:not(.lm-mod-hidden)"  # the notebook that is in front


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """A small disk of its own, on which all that is temporary lies."""
    if sys.platform != "linux" or os.getuid():
        lacking("root on Linux")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", tmp_path]).returncode:
        lacking("a disk that may be mounted")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def fill(disk):
    """Write a file as large as it can be; its path."""
    path = disk / "large"
    number = os.open(path, os.O_CREAT | os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        while True:
            os.write(number, bytes(4096))
    os.close(number)
    return path


def test_on_a_full_disk_notebooks_open_and_what_is_written_is_saved_later(disk, monkeypatch):
    monkeypatch.setitem(lab.SETTINGS, DOCUMENTS, {"autosaveInterval": 5})
    with lab.server() as server, lab.tab(server) as tab:
        file = server.notebooks / "00_start_here.ipynb"
        tab.open(file.name)
        tab.page.evaluate("wrote = jupyterapp.shell.currentWidget.context")
        tab.run()
        tab.command("docmanager:save")  # and signs it, since all of its outputs are this reader's
        large = fill(disk)
        again = f"{server.address}/api/contents/notebooks/{file.name}?token={server.token}"
        assert tab.page.request.get(again).status == 200
        tab.command("docmanager:open", path="notebooks/1_o1/03_vision.ipynb")
        dialog = tab.page.locator(".jp-Dialog")
        assert "No space left" in dialog.inner_text()  # for one kernel more
        dialog.get_by_role("button").click()
        dialog.filter(has_text="Select Kernel").get_by_role("button", name="No Kernel").click()
        tab.page.locator(f"{SHOWN} h1", has_text="Let o1 check a scanned form").wait_for()
        tab.page.evaluate("wrote.model.sharedModel.cells[0].setSource('mine = 1')")
        tab.page.evaluate("() => { wrote.save().catch(() => {}) }")  # what Ctrl-S does
        said = "The disk is full: 00_start_here.ipynb is not saved. What you wrote is in this tab"
        dialog.filter(has_text=said).wait_for()
        assert "mine = 1" not in file.read_text(encoding="utf-8")
        large.unlink()
        dialog.get_by_role("button").click()
        until = time.monotonic() + lab.LONG / 1000
        while "mine = 1" not in file.read_text(encoding="utf-8"):  # without being asked for
            assert time.monotonic() < until
            tab.page.wait_for_timeout(200)


def test_the_terminal_says_nothing_while_a_notebook_runs():
    with lab.server(forked=False) as server, lab.tab(server) as tab:
        before = server.log.read_text(encoding="utf-8")
        tab.open("00_start_here.ipynb").run()
        assert len([cell for cell in tab.cells() if cell.get("execution_count")]) > 3
        assert server.log.read_text(encoding="utf-8") == before
