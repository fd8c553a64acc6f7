"""What a learner puts into their folder leads the class's own user nowhere, and stops nobody."""

import os
import platform
import signal
import socket
import stat
import subprocess
import sys

import pytest

from helpers.classroom import __main__ as classroom
from helpers.classroom import address, looking, seats, warmed, watch

NOTEBOOK = "notebooks/1_o1/03_vision.ipynb"


@pytest.fixture
def home(tmp_path):
    """A seat's folder, as it is made; beside it lies somebody else's."""
    home = tmp_path / "seats" / "seat01"
    home.parent.mkdir()
    seats.prepare(home)
    return home


@pytest.fixture
def other(tmp_path):
    other = tmp_path / "seats" / "seat02"
    other.mkdir()
    (other / "my_progress.txt").write_text("start-1\n", encoding="utf-8")
    return other


def link(file, other):
    file.symlink_to(other / "my_progress.txt")


def folder(file, other):
    file.mkdir()


def pipe(file, other):
    os.mkfifo(file)


def endless(file, other):
    file.symlink_to("/dev/zero")


def port(file, other):
    with socket.socket(socket.AF_UNIX) as line:
        os.chdir(file.parent)  # the path of one is short
        line.bind(file.name)


PLACED = [link, folder, pipe, endless, port]


@pytest.mark.parametrize("put", PLACED)
def test_what_is_no_file_is_none(home, other, put, monkeypatch):
    monkeypatch.chdir(home)
    own = home / "my_progress.txt"
    own.write_text("start-1\n", encoding="utf-8")
    assert seats.where(home)[1] == ["start-1"]
    own.unlink()
    put(own, other)
    held = os.open(own, os.O_RDWR) if put is pipe else None  # who holds it and says nothing
    assert seats.where(home) == ("", [])
    (home / NOTEBOOK).unlink()
    put(home / NOTEBOOK, other)
    assert seats.missing(home) == 1
    with pytest.raises(seats.Refused, match="is no notebook any more"):
        seats.catch_up(home, NOTEBOOK)
    seats.reset(home, NOTEBOOK)
    assert (home / NOTEBOOK).read_bytes() == (seats.ROOT / NOTEBOOK).read_bytes()
    assert seats.missing(home) == 0
    if held is not None:
        os.close(held)


def test_a_linked_folder_is_not_looked_into(home, other):
    seats.prepare(other.with_name("seat03"))
    os.utime(other.with_name("seat03") / NOTEBOOK)
    assert seats.where(other.with_name("seat03"))[0] == "1_o1/03_vision.ipynb"
    (home / "notebooks").rename(home / "mine")
    (home / "notebooks").symlink_to(other.with_name("seat03") / "notebooks")
    assert seats.where(home) == ("", []) and seats.missing(home) == len(seats.notebooks())
    (home / "away").symlink_to(other.with_name("seat03"))
    assert watch.written(home) < watch.written(other.with_name("seat03")) + 10**6
    assert watch.written(home / "away") == 0


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root has others' files")
def test_a_second_name_for_a_neighbours_file_is_not_read(home, other):
    os.chown(home, 51_001, 51_001)
    os.link(other / "my_progress.txt", home / "my_progress.txt")
    assert seats.where(home)[1] == []
    os.chown(other / "my_progress.txt", 51_001, 51_001)
    assert seats.where(home)[1] == ["start-1"]


def test_a_folder_that_becomes_a_link_while_it_is_looked_at(home, other):
    """The moment between a look and the next, held still."""
    (home / "new").mkdir()
    (other / "secret").write_text("x", encoding="utf-8")
    with looking.folder(home) as at:
        found = []
        for _, name, _ in looking.below(at):
            if name == "new":
                (home / "new").rmdir()
                (home / "new").symlink_to(other)
            found.append(name)
    assert "new" in found and "secret" not in found
    assert (home / "new" / "secret").exists()  # by its path it would have been found


def test_folders_in_folders_are_counted_as_far_as_they_can_be(home):
    at = os.open(home, os.O_RDONLY)
    for _ in range(3 * looking.DEEP):  # deeper than any path can be long
        os.mkdir("a" * 50, dir_fd=at)
        inner = os.open("a" * 50, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    assert watch.size(watch.written(home)).startswith("more than")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"cells": {"a": 1}}',
        '{"cells": [{"cell_type": "code", "source": 1}]}',
        '{"cells": [1]}',
        "1" * 10_000,
        '{"cells": [' + " " * seats.LONGEST + "]}",
        "\ud800",
    ],
    ids=["deep", "no list", "no text", "no cell", "number", "long", "no letters"],
)
def test_what_is_no_notebook_is_told(home, text):
    (home / NOTEBOOK).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(seats.Refused, match="is no notebook any more"):
        seats.catch_up(home, NOTEBOOK)
    assert not list(home.rglob("*.mine-*")), "what is refused is not moved"


def test_only_exercises_that_there_are_are_shown(home):
    own = home / "my_progress.txt"
    own.write_text("stupid-teacher\n<b>\nstart-2\neffort-1\n" + "x" * 10**6, encoding="utf-8")
    assert seats.where(home)[1] == ["effort-1", "start-2"]


def owners(folder):
    return {path.name: path.lstat().st_uid for path in folder.rglob("*")}


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_a_seat_that_is_taken_over_takes_nothing_else_with_it(home, other, monkeypatch, tmp_path):
    monkeypatch.setattr(classroom, "FOLDER", tmp_path)
    for path in [home, other, *home.rglob("*"), *other.rglob("*")]:
        os.chown(path, 1_234, 1_234, follow_symlinks=False)
    (tmp_path / "root's").write_text("x", encoding="utf-8")
    os.link(tmp_path / "root's", home / "named")
    os.link(other / "my_progress.txt", home / "neighbour's")
    (home / "linked").symlink_to(tmp_path / "root's")
    (home / "mine").write_text("x", encoding="utf-8")
    for name in ("linked", "mine"):
        os.chown(home / name, 1_234, 1_234, follow_symlinks=False)
    os.link(home / "mine", home / "mine too")
    classroom.take_over({"walls": True})
    now = owners(home)
    assert home.stat().st_uid == now["03_vision.ipynb"] == now["linked"] == 51_001
    assert now["mine"] == now["mine too"] == 51_001
    assert (tmp_path / "root's").stat().st_uid == 0
    assert (other / "my_progress.txt").stat().st_uid == 1_234  # neither's any more, nor the thief's


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_nobody_comes_into_a_seat_while_it_is_made(tmp_path, monkeypatch):
    """As long as anything in it is still to be given away, it is root's and closed."""
    seen, chown = [], os.chown

    def given(path, *ids, **more):
        half = (tmp_path / "seat01.half").stat()
        seen.append((half.st_uid, stat.S_IMODE(half.st_mode)))
        chown(path, *ids, **more)

    monkeypatch.setattr(os, "chown", given)
    seats.prepare(tmp_path / "seat01", 51_001)
    assert len(seen) > 50 and {*seen} == {(0, 0o700)}
    assert (tmp_path / "seat01").stat().st_uid == 51_001


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hold a process")
def test_what_a_seat_writes_into_its_runtime_folder_counts(home, tmp_path):
    (tmp_path / "01").mkdir()
    (tmp_path / "01" / "large").write_bytes(bytes(10**7))
    share = (watch.written(home) + 10**6, 2**40)
    given = {"folder": str(tmp_path), "walls": False, "share": share, "seats": 1}
    given |= {"runtime": str(tmp_path), "groups": [], "here": address.here()}
    with subprocess.Popen(["sleep", "1000"], cwd=home) as running:
        try:
            [line] = watch.Watch(given, print, str, list).look()
        finally:
            running.kill()
    assert line.startswith("seat01 has written")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hold a process")
def test_who_stops_what_is_to_hold_them_is_ended_and_the_watch_goes_on(home, monkeypatch):
    monkeypatch.setattr(watch, "LIMIT", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    monkeypatch.setattr(watch, "PATIENCE", 1)
    given = {"folder": str(home.parents[1]), "walls": False, "share": (1, 2**40), "seats": 1}
    given |= {"runtime": str(home.parents[1]), "groups": [], "here": address.here()}
    with subprocess.Popen(["sleep", "1000"], cwd=home) as running:
        looks = watch.Watch(given, print, str, list)
        assert "seat01 ran what did not let itself be held; all of it was ended." in looks.look()
        assert running.wait() == -signal.SIGKILL
    assert looks.look() == []


def apart(code, *arguments):
    """What Python prints that is started anew, so that it has none of this one's threads, whose
    locks a fork would wait for.
    """
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(
        command, cwd=seats.ROOT, check=True, timeout=60, stdout=subprocess.PIPE, text=True
    ).stdout


BOMB = """
import os, signal, sys, time
from helpers.classroom import warmed

what, user = sys.argv[1:]
few = {"RLIMIT_NPROC": 5, "RLIMIT_NOFILE": 50, "RLIMIT_CORE": 0}
assert few.keys() == warmed.WALLED.keys()
warmed.WALLED = few
warmed.be_user(int(user))
made = []
try:
    while len(made) < 60:
        made.append(os.fork() if what == "processes" else os.open(os.devnull, os.O_RDONLY))
        if made[-1] == 0:
            time.sleep(60)
            os._exit(0)
except OSError as error:
    print(error.strerror, flush=True)
for pid in made if what == "processes" else ():
    os.kill(pid, signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root is many users")
@pytest.mark.parametrize(
    "what, refused",
    [("processes", "Resource temporarily unavailable"), ("files", "Too many open files")],
)
def test_a_seat_makes_so_many_processes_and_opens_so_many_files(what, refused):
    """Tried with few, and a user id that no seat has: two classes may be held here at once."""
    assert apart(BOMB, what, seats.FIRST_USER + 900) == f"{refused}\n"


KEYS = """
import ctypes, sys
from helpers.classroom import warmed

user, add_key, keyctl = map(int, sys.argv[1:])
session_keyring, search = -3, 10  # of linux/keyctl.h
library = ctypes.CDLL(None)
library.syscall(keyctl, warmed.JOIN_SESSION_KEYRING, None)
library.syscall(add_key, b"user", b"day9", b"mine", 4, session_keyring)
warmed.be_user(user)
print(library.syscall(keyctl, search, session_keyring, b"user", b"day9", 0) > 0)
"""
ADD_KEY = {"x86_64": 248, "aarch64": 217}


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root is many users")
@pytest.mark.parametrize("user", [0, seats.FIRST_USER + 901])
def test_a_seat_finds_nothing_among_the_keys_of_roots_login(user):
    """Where root has logged in by PAM, the system keeps them for all that is started there."""
    machine = platform.machine()
    if machine not in warmed.KEYCTL:
        pytest.skip("the numbers of the calls are those of other processors")
    found = apart(KEYS, user, ADD_KEY[machine], warmed.KEYCTL[machine])
    assert found == f"{user == 0}\n"
