"""A class that is held: started as `start.py class` does, in a folder of its own."""

import contextlib
import functools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import httpx2
import psutil

from helpers.classroom import seats

from .learner import Learner

# What a shell has its background jobs ignore is handed on to every child: a class that is to be
# ended by SIGINT does not ignore it.
START = """
    import signal, sys
    from pathlib import Path
    from helpers.classroom import __main__ as classroom
    signal.signal(signal.SIGINT, signal.default_int_handler)
    classroom.FOLDER = Path({folder!r})
    if {unreadable}:
        classroom.walls = lambda: False
    if {here!r}:
        settings = classroom.settings
        classroom.settings = lambda *given: settings(*given[:-1], {here!r})
    if not {groups}:
        classroom.groups.begin = lambda *_: []
    if {share!r}:
        classroom.watch.share = lambda folder, number: {share!r}
    try:
        classroom.main(["--seats", {seats!r}, "--https", "--port", {port!r}])
    except classroom.Trouble as trouble:
        sys.exit(str(trouble.args))
"""


def start(folder, port, number, here=None, share=None, groups=True):
    """The code that holds a class in a folder. here: the address by which browsers come; share:
    (bytes on the disk, in memory) that a seat may have, in place of what the machine can give;
    groups: whether the system lets it make any.
    """
    given = {"folder": str(folder), "port": str(port), "seats": str(number)}
    unreadable = not readable()
    return textwrap.dedent(
        START.format(unreadable=unreadable, here=here, share=share, groups=groups, **given)
    )


def some_port():
    """A port that is free: none of those that connections of others may take before it is used."""
    while True:
        place = "127.0.0.1", 10_000 + secrets.randbelow(20_000)
        with contextlib.suppress(OSError), socket.create_server(place):
            return place[1]


class Class:
    def __init__(self, folder, log, number, here=None, share=None, groups=True):
        self.folder, self.log, self.port = folder, log, some_port()
        self.address = f"https://127.0.0.1:{self.port}"
        self.walls = readable()
        code = start(folder, self.port, number, here, share, groups)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("FORKED_", "PYTHONPATH"))}
        env["SECRET_OF_TEACHER"] = "a key"
        with open(self.log, "w", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code],
                cwd=seats.ROOT,
                env=env,
                stdout=said,
                stderr=said,
            )
        self.wait()

    def wait(self):
        """Until the hub answers."""
        until = time.monotonic() + 90
        while time.monotonic() < until:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            try:
                if (
                    httpx2.get(self.address + "/hub/login", verify=False, timeout=60).status_code
                    == 200
                ):
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.2)
        raise TimeoutError("the hub did not answer: " + self.said("hub"))

    def said(self, part):
        return (self.folder / "hub" / f"{part}.log").read_text(encoding="utf-8")

    @property
    def given(self):
        file = self.folder / "hub" / "settings.json"
        return json.loads(file.read_text(encoding="utf-8"))

    def learner(self, name, pin=""):
        entered = Learner(self.address)
        page = entered.enter(name, self.given["word"], pin)
        assert entered.seat, page.text
        return entered

    def teacher(self):
        entered = Learner(self.address)
        entered.enter("Teacher", self.given["teacher_word"])
        return entered

    def seen(self):
        return self.teacher().get("/hub/class?json=1").json()

    def part(self, words):
        """The class's own process whose command has these words."""
        [found] = [
            child
            for child in psutil.Process(self.process.pid).children()
            if words in " ".join(child.cmdline())
        ]
        return found


@functools.cache
def readable():
    """Whether a seat's own user could read this Python, where the tests run as root."""
    if os.name == "nt" or os.getuid():
        return False
    places = [seats.ROOT, sys.prefix, sys.base_prefix]
    command, user = ["ls", *map(str, places)], seats.FIRST_USER
    given = {"user": user, "group": user, "extra_groups": [], "capture_output": True}
    return subprocess.run(command, **given).returncode == 0


@contextlib.contextmanager
def held(number, here=None, share=None, groups=True):
    """A Class of a number of seats, while it is held; the rest as start() takes it."""
    # not pytest's own folder, which is for its maker alone: a seat's user must come through
    with tempfile.TemporaryDirectory(prefix="day9-class-") as folder:
        folder = Path(folder)
        folder.chmod(0o711)
        began = Class(folder / "class", folder / "log", number, here, share, groups)
        try:
            yield began
        finally:
            began.process.send_signal(signal.SIGINT)
            began.process.wait(60)
