"""Memory that no limit of a process counts: who fills it is ended, is told, and harms nobody.

Where root may make control groups; the rest also elsewhere, on folders that look like them.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")

from helpers.classroom import door, groups, seats, watch

from . import held as class_held

SHARE = (2**31, 400 * 2**20)  # bytes on the disk and in memory that a seat may have
WORDS = door.ENDED[:50]


@pytest.fixture(scope="module")
def held():
    with class_held.held(3, share=SHARE) as began:
        if not began.given["groups"]:
            pytest.skip("no control groups here: not root, or a system that gives root none")
        yield began


FILLS = {  # each writes into 5 GB, and sooner than the watch looks
    "one's own": "kept = [bytearray(b'x') * 10**8 for _ in range(50)]",
    "a shared map": """
import mmap
kept = mmap.mmap(-1, 5 * 10**9)
for at in range(0, len(kept), 4096):
    kept[at] = 1
""",
    "memfd_create": """
import os
for file in [os.memfd_create("kept") for _ in range(50)]:
    os.write(file, bytes(10**8))
""",
    "/dev/shm": """
import os
for n in range(50):
    open(f"/dev/shm/day9-{os.getpid()}-{n}", "wb").write(bytes(10**8))
""",
    "a folder in /dev/shm": """
import os
os.mkdir(f"/dev/shm/day9-{os.getpid()}")
for n in range(50):
    open(f"/dev/shm/day9-{os.getpid()}/{n}", "wb").write(bytes(10**8))
""",
    "System V": """
import ctypes
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
for n in range(50):
    number = libc.shmget(0, ctypes.c_size_t(10**8), 0o1600)
    ctypes.memset(libc.shmat(number, None, 0), 1, 10**8)
""",
}
LEFT = "import glob, json; print(json.dumps(glob.glob('/dev/shm/day9-*')))"


def lines(held, words):
    return [line for line in held.seen()["told"] if words in line]


def told(held, name):
    """How many of somebody's processes were ended, by what the teacher is told."""
    words = rf"{name} \(.* 419 MB: the system has ended (\d+) of .*?(?: \((\d+) times\))?$"
    found = [re.search(words, line) for line in held.seen()["told"]]
    return sum(int(seen[1]) * int(seen[2] or 1) for seen in found if seen)


def close_kernels(learner):
    for kernel in learner.get(f"{learner.base}/api/kernels").json():
        at = f"{learner.address}{learner.base}/api/kernels/{kernel['id']}"
        assert learner.session.delete(at, headers=learner.xsrf).status_code == 204


def said(learner, code):
    """What a cell shows on a page that is opened for it."""
    kernel = learner.kernel()
    try:
        return kernel.run(code)
    finally:
        kernel.close()


def until(found):
    """What a look of the watch will have found."""
    end = time.monotonic() + 60
    while not (result := found()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return result


@pytest.mark.parametrize("what", FILLS)
def test_who_fills_the_memory_is_ended_and_told_and_nobody_else_is(held, ana, bo, what):
    mine, other = ana.kernel(), bo.kernel("1_o1/03_vision.ipynb")
    other.run("kept = 41")
    there = json.loads(mine.run(LEFT))  # of a run that was killed
    given = held.given["groups"]
    cells, lab = Path(given[0], ana.seat), Path(given[0], ana.seat + groups.LAB)
    labs, kernels = groups.inside(lab), set(groups.inside(cells))
    assert labs and kernels
    before = groups.ended(given, ana.seat)
    assert WORDS in mine.run(FILLS[what])
    mine.close()
    assert other.run("kept + 1") == "42"
    until(lambda: told(held, "Ana") == groups.ended(given, ana.seat) > before)
    until(lambda: sum(groups.held(given, ana.seat)) < SHARE[1] / 2)
    until(lambda: set(groups.inside(cells)) - kernels)  # another kernel came in its place
    close_kernels(ana)  # one that is ended again and again is at last not started again
    assert set(json.loads(said(ana, LEFT))) <= set(there)
    assert groups.inside(lab) == labs and groups.ended(given, bo.seat) == 0
    other.close()


MANY = """
import os, time
for n in range(20):
    if os.fork() == 0:
        os.setsid()
        kept = bytearray(b"x") * 10**8
        time.sleep(1000)
time.sleep(1)
"""


def test_many_processes_that_fill_it_together_are_counted_together(held, ana, bo):
    mine, other = ana.kernel("1_o1/03_vision.ipynb"), bo.kernel()
    mine.run(MANY)
    assert other.run("1 + 1") == "2"
    assert sum(groups.held(held.given["groups"], ana.seat)) <= 2 * watch.most(SHARE)
    assert until(lambda: lines(held, "of their processes"))
    other.close()


def test_a_cell_that_is_refused_memory_ends_in_an_error_and_the_teacher_has_a_line(held, bo):
    kernel = bo.kernel()
    assert "MemoryError" in kernel.run("kept = bytearray(10**10)")
    assert kernel.run("1 + 1") == "2"
    [line] = until(lambda: lines(held, "Bo (seat02) asked for more memory at once"))
    assert "419 MB, and was refused it" in line
    for _ in range(50):  # told once a look, however often
        kernel.run("kept = bytearray(10**10)")
    [line] = until(lambda: lines(held, "Bo (seat02) asked for more memory at once"))
    kernel.close()


# --- how they are made -------------------------------------------------------------------------


@pytest.fixture
def v2(tmp_path, monkeypatch):
    """A tree that looks like one of v2, as systemd makes it: (its top, the group of this process).
    In a group there are the files of its controllers; nobody counts anything.
    """
    top = tmp_path / "cgroup"
    own = top / "user.slice" / "session-1.scope"
    own.mkdir(parents=True)
    for place in (top, own.parent):
        (place / "cgroup.subtree_control").touch()
    own_path = tmp_path / "own"
    own_path.write_text("0::/user.slice/session-1.scope\n", encoding="utf-8")
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"30 23 0:26 / {top} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", encoding="utf-8"
    )
    monkeypatch.setattr(groups, "OWN", own_path)
    monkeypatch.setattr(groups, "MOUNTS", mounts)
    made, mkdir = [], Path.mkdir

    def grown(path, *more):
        mkdir(path, *more)
        made.append(path)
        for name in (
            "cgroup.subtree_control",
            "cgroup.procs",
            *groups.V2[:2],
            "memory.events",
            "cpu.weight",
        ):
            (path / name).touch()

    monkeypatch.setattr(Path, "mkdir", grown)
    return top, own, made


def test_v2_gets_its_limits_in_the_nearest_group_that_has_no_processes(v2):
    top, own, made = v2
    [folder] = groups.begin(["seat01", "teacher"], 2**30)
    assert Path(folder).parent == own.parent  # not in the session's own, which has
    names = {path.name for path in made}
    assert names == {Path(folder).name, "class", "seat01", "seat01-lab", "teacher", "teacher-lab"}
    for seat in ("seat01", "seat01-lab", "teacher"):
        assert Path(folder, seat, "memory.max").read_text(encoding="utf-8") == str(2**30)
        assert Path(folder, seat, "memory.swap.max").read_text(encoding="utf-8") == "0"
    for place in (own.parent, Path(folder)):
        assert (place / "cgroup.subtree_control").read_text(
            encoding="utf-8"
        ) == "+cpu"  # the last word
    for group in (folder, Path(folder, "class")):
        assert Path(group, "cpu.weight").read_text(encoding="utf-8") == "200"
    groups.enter([folder], "seat01", pid=5)
    assert Path(folder, "seat01", "cgroup.procs").read_text(encoding="utf-8") == "5"
    Path(folder, "seat01", "memory.events").write_text(
        "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n", encoding="utf-8"
    )
    Path(folder, "seat01", "memory.stat").write_text(
        "anon 7\nfile 900\nshmem 20\n", encoding="utf-8"
    )
    Path(folder, "seat01-lab", "memory.stat").write_text(
        "anon 1\nfile 900\nshmem 0\n", encoding="utf-8"
    )
    assert groups.ended([folder], "seat01") == 2
    assert groups.held([folder], "seat01") == [8, 20]


def test_where_v2_lends_no_memory_there_are_none(v2):
    top, own, made = v2
    for place in (top, own.parent):
        (place / "cgroup.subtree_control").unlink()  # as a write that is refused
    assert groups.begin(["seat01"], 2**30) == [] and not made


def test_groups_that_cannot_be_made_whole_are_not_left_behind(monkeypatch):
    if os.name == "nt" or os.getuid() or not (places := groups.places()):
        pytest.skip("no control groups here: not root, or a system that gives root none")

    def full(*_):
        assert all(list(place.glob("day9-whole")) for place in places[:1])
        raise OSError("no room")

    monkeypatch.setattr(groups.secrets, "token_hex", lambda _: "whole")
    monkeypatch.setattr(groups, "limit", full)
    assert groups.begin(["seat01"], 2**30) == []
    assert not any(list(place.glob("day9-whole")) for place in places)


BOMB = """
import os, resource, sys
from helpers.classroom import groups

groups.enter(sys.argv[1:], "seat01")
resource.setrlimit(resource.RLIMIT_NPROC, (200, 200))
os.setuid(51950)
while True:
    try:
        os.fork()
    except OSError:
        pass
"""


def test_a_fork_bomb_is_ended_with_its_group():
    if os.name == "nt" or os.getuid() or not groups.places():
        pytest.skip("no control groups here: not root, or a system that gives root none")
    made = groups.begin(["seat01"], 2**28)
    # not forked from here: threads of other tests may have held what a fork would wait for
    first = subprocess.Popen([sys.executable, "-c", BOMB, *made], cwd=seats.ROOT)
    until(lambda: len(groups.inside(Path(made[0], "seat01"))) > 100)
    groups.end(made)
    first.wait(60)
    assert not any(Path(folder).exists() for folder in made)


STAY = """
import os
back, said = os.pipe()
if os.fork() == 0:
    os.setsid()
    if pid := os.fork():
        os.write(said, str(pid).encode())
    else:
        os.execv("/bin/sleep", ["sleep", "1000"])
    os._exit(0)
print(os.read(back, 100).decode())
"""


def runs(process):
    """Whether a process has not ended; who took it over may not have looked yet."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def test_what_has_left_its_kernel_ends_with_its_seat_and_with_its_class(held):
    with contextlib.ExitStack() as last:
        folder = Path(last.enter_context(tempfile.TemporaryDirectory(prefix="day9-class-")))
        folder.chmod(0o711)

        def begin():
            began = class_held.Class(folder / "class", folder / "log", 2)
            last.callback(began.process.wait, 60)
            last.callback(began.process.send_signal, signal.SIGINT)
            return began, began.given["groups"]

        def stays(learner):
            return psutil.Process(int(said(learner, STAY)))

        began, made = begin()
        ana = began.learner("Ana").open()
        first = stays(ana)
        at = f"{began.address}/hub/api/users/{ana.seat}/server"
        [xsrf] = [
            c.value for c in ana.session.cookies.jar if (c.name, c.path) == ("_xsrf", "/hub/")
        ]
        assert runs(first)
        assert ana.session.delete(at, headers={"X-XSRFToken": xsrf}).status_code in (202, 204)
        until(lambda: not runs(first))
        second = stays(ana.open())
        parts = psutil.Process(began.process.pid).children()
        for part in (began.process, *parts):  # a hub that has a moment left ends its seats
            part.kill()
        psutil.wait_procs(parts, 60)
        assert runs(second) and all(Path(place).exists() for place in made)
        began, again = begin()
        assert not runs(second) and not any(Path(place).exists() for place in made)
        third = stays(began.learner("Bo").open())
        began.process.send_signal(signal.SIGINT)
        began.process.wait(60)
        assert not runs(third) and not any(Path(place).exists() for place in again)


def test_what_a_jupyterlab_starts_is_put_beside_the_kernels(held, bo):
    given = held.given["groups"]
    made = bo.post(f"{bo.base}/api/terminals", headers=bo.xsrf)
    assert made.status_code == 200, made.text
    [lab] = until(
        lambda: len(found := groups.inside(Path(given[0], bo.seat + groups.LAB))) == 1 and found
    )
    [shell] = [child for child in psutil.Process(lab).children() if child.name() == "sh"]
    assert shell.pid in groups.inside(Path(given[0], bo.seat))


def test_what_all_wait_for_weighs_as_much_as_all_seats(held):
    """Else seats that compute without end keep out those that begin, eight times as long."""
    folders = [Path(folder) for folder in held.given["groups"]]
    parts = {held.part(words).pid for words in ("warmed", "classroom.proxy", "jupyterhub")}
    for folder in folders:
        assert set(groups.inside(folder / groups.CLASS)) == parts
    weighed = [
        [(group / file).read_text() for group in (folder, folder / groups.CLASS)]
        for folder in folders
        for file, *_ in groups.WEIGHTS
        if (folder / file).exists()
    ]
    assert weighed and all(whole == own for whole, own in weighed)


def test_a_class_without_groups_says_what_is_not_limited():
    with class_held.held(1, groups=False) as began:
        said = began.log.read_text(encoding="utf-8")
        page = began.teacher().get("/hub/class").text
        for text in (said, page):
            assert ("/dev/shm, is not limited" in text) == began.walls
