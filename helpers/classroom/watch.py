"""What seats take of the machine that all share: a watch in the hub, which looks every few seconds.

Who goes over a seat's share of the disk or of the memory is given nothing more of it until they
have less again: on Linux the system then refuses it to the seat's kernels, and the cell that asked
ends in an error of its own. The seat's JupyterLab goes on, so that notebooks are saved; and the
files that all seats read are watched too, for one who sits without walls can change them.

Where groups can be had, the system ends what holds half as much again before a look has come.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from . import address, groups, looking, seats, warmed

EVERY = 3  # seconds
FILES = 50_000  # more are not counted: a seat that has as many is full
UNCOUNTED = 2**62  # bytes, of what is more than can be counted
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/var/crash")  # where anybody may write
SHARED = ("helpers", "data")  # a seat's notebooks are copies
OPEN = 8_000  # files and connections of a seat; a kernel with its local API has some hundred
LOW, NOTHING = 2**29, 2**20  # bytes of the disk
PATIENCE = 30  # seconds in which the processes of a seat must let themselves be held
SLACK = 2**25  # bytes by which a process may grow whose seat has its share
UNLIMITED = (
    "This system gives the class no control groups: memory that processes share, as files in "
    "/dev/shm, is not limited, and one seat can use up what all need."
)
LIMIT = """
import json, resource, sys
for pid, name, most in json.loads(sys.argv[1]):
    try:
        kind = getattr(resource, name)
        hard = resource.prlimit(pid, kind)[1]
        resource.prlimit(pid, kind, (hard if most is None else most, hard))
    except (OSError, ValueError):  # it has ended, or has less already
        pass
"""


CLEAR = """
import contextlib, os, shutil, sys
for place in sys.argv[1:]:
    for entry in os.scandir(place):
        with contextlib.suppress(OSError):  # gone meanwhile
            if entry.stat(follow_symlinks=False).st_uid == os.getuid():
                (shutil.rmtree if entry.is_dir(follow_symlinks=False) else os.remove)(entry.path)
"""


class Share(NamedTuple):
    """Bytes: what a seat may have, or has."""

    disk: int
    memory: int


class Taken(NamedTuple):
    """What a seat has, in bytes, and what of it is its whole share or more."""

    disk: int = 0
    memory: int = 0
    full: bool = False
    heavy: bool = False
    ended: int = 0  # processes that the system has ended for want of memory
    refused: int = 0  # when a cell was refused memory, in ns


def share(folder, number):
    """The Share of each of `number` seats whose folders lie in a folder of this machine."""
    left = shutil.disk_usage(folder).free // 2 // number
    return Share(
        max(50 * 2**20, min(2**30, left)),
        min(warmed.LIMITS["RLIMIT_DATA"], psutil.virtual_memory().total // 4),
    )


def most(share):
    """The bytes at which the system ends what a seat runs: beyond the share, so that a cell that
    takes one part after the other ends in an error of its own, and keeps what it has.
    """
    return share[1] * 3 // 2


def full(folder):
    """Whether the disk on which a folder lies has no room even for a list of names."""
    return shutil.disk_usage(folder).free < NOTHING


class Watch:
    """given: what __main__.py has written down. tell(line): for the teacher. who(seat): for them,
    who sits there. servers(): the process ids of the seats' JupyterLabs.
    """

    def __init__(self, given, tell, who, servers):
        self.folder, self.walls = Path(given["folder"]) / "seats", given["walls"]
        self.runtime, self.groups = Path(given["runtime"]), given["groups"]
        self.share = Share(*given["share"])
        self.given = given
        self.seats = [*seats.seats(given["seats"]), seats.TEACHER]
        self.tell, self.who, self.servers = tell, who, servers
        self.taken = {}  # Taken, by seat
        self.limits = {}  # those that are not as they began, by process
        self.began = False  # what a hub before this one has held is not known
        self.said = set()  # of the machine, which is told once
        self.shared = shared()
        self.changed = []  # names of those files that are not as they were

    async def run(self):
        for n in itertools.count():
            await asyncio.sleep(EVERY)
            try:
                # asked for here, since the hub's own things are for one thread
                found = await asyncio.to_thread(self.look, set(self.servers()), n % 5 == 0)
            except Exception:  # what was not foreseen is no end of the class
                logging.getLogger("tornado.application").exception("the watch")
            else:
                for line in found:
                    self.tell(line)

    def look(self, servers=(), at_files=True):
        """Look at each seat that runs, hold or let go its processes; the lines for the teacher."""
        told = []
        self.limits = {p: limits for p, limits in self.limits.items() if p.is_running()}
        elsewhere = self._elsewhere() if self.walls else {}
        for seat, processes in self._processes().items():
            before = self.taken.get(seat, Taken())
            short = self.runtime / seat.removeprefix("seat")
            disk = written(self.folder / seat) + written(short) + elsewhere.get(seat, 0)
            ended = groups.ended(self.groups, seat) if self.groups else 0
            memory = self._memory(seat, processes, servers)
            full, heavy = disk >= self.share.disk, memory >= self.share.memory
            stated = looking.plain(short, groups.REFUSED)
            refused = stated.st_mtime_ns if stated else 0
            if seat not in self.taken and not self.began:  # known to the hub before, and told
                before = before._replace(ended=ended, refused=refused)
            self.taken[seat] = Taken(disk, memory, full, heavy, ended, refused)
            who, kernels = self.who(seat), [p for p in processes if p.pid not in servers]
            if ended > before.ended:
                told.append(
                    f"{who} asked for more memory than a seat may have, {size(self.share.memory)}: "
                    f"the system has ended {ended - before.ended} of their processes."
                    + self._clear(seat)
                )
            if refused != before.refused:
                told.append(
                    f"{who} asked for more memory at once than a seat may have, "
                    f"{size(self.share.memory)}, and was refused it: the cell ended in an error."
                )
            if sum(map(opened, kernels)) > OPEN:  # of a machine's ports, each may have taken one
                kill(kernels)
                told.append(
                    f"{who} had more than {OPEN:,} files and connections open; all that ran was ended."
                )
                continue
            try:
                self._hold(seat, kernels)
            except (OSError, subprocess.SubprocessError):  # a fork bomb, or who stops what holds it
                kill(kernels)
                told.append(f"{who} ran what did not let itself be held; all of it was ended.")
            if full and not before.full:
                told.append(
                    f"{who} has written {size(disk)}; a seat may write {size(self.share.disk)}."
                )
            if heavy and not before.heavy:
                told.append(
                    f"{who} holds {size(memory)} of memory; a seat may {size(self.share.memory)}."
                )
        self.began = True
        return told + (self._machine() if at_files else [])

    def _hold(self, seat, processes):
        """Give the processes of a seat what they may still have."""
        taken, changed = self.taken[seat], []
        for process in processes:
            now = self.limits.get(process, {} if self.began else None)
            wanted = {"RLIMIT_FSIZE": 0} if taken.full else {}
            if taken.heavy:
                most = (now or {}).get("RLIMIT_DATA") or held(process, "data") + SLACK
                wanted["RLIMIT_DATA"] = most
            if wanted != now:
                self.limits[process] = wanted
                changed += [[process.pid, name, wanted.get(name)] for name in warmed.LIMITS]
        if changed and sys.platform == "linux":
            self._as_seat(seat, LIMIT, json.dumps(changed))

    def _memory(self, seat, processes, servers):
        """The bytes of memory that a seat holds."""
        if self.groups:
            groups.leave_lab(self.groups, seat, servers)
            return sum(groups.held(self.groups, seat))
        memory = sum(held(p, "rss") for p in processes)
        if memory >= self.share.memory:  # forked processes share much of that; this is slower
            memory = sum(held(p, "uss") for p in processes)
        return memory

    def _clear(self, seat):
        """Delete what a seat has put into folders that lie in memory, where that is half of what it
        may have: its next kernel would be ended, too. Returns what of it is to be told.
        """
        if groups.held(self.groups, seat)[1] < self.share.memory / 2:
            return ""
        lines = [line.split() for line in groups.MOUNTS.read_text("utf-8").splitlines()]
        places = [line[4] for line in lines if line[4] in PLACES and "tmpfs" in line[7:]]
        try:
            self._as_seat(seat, CLEAR, *places)
        except (OSError, subprocess.SubprocessError):
            return ""
        return f" What they had put into {' and '.join(places)}, which is memory, is deleted."

    def _as_seat(self, seat, code, *arguments):
        """Run Python as a seat's user, since root in a container may not do all that to others."""
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", code, *arguments],
            preexec_fn=warmed.becomes(self.given, seat),
            check=True,
            timeout=PATIENCE,
        )

    def end(self, seat):
        """End the processes of a seat, and those that they make meanwhile."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self._processes().get(seat, [])
            with contextlib.suppress(psutil.Error):
                found = [p for p in found if p.status() != psutil.STATUS_ZOMBIE]
                if not found:
                    return
            for process in found:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.1)

    def _machine(self):
        """What has happened to the machine and was not told yet."""
        left, told = shutil.disk_usage(self.folder).free, []
        if left < LOW:
            told.append("This machine's disk is nearly full: free some of it.")
        at = address.now(self.given["here"])
        if at != self.given["here"]:
            told.append(address.told(self.given, at))
        now = shared()
        self.changed = sorted(n for n in self.shared if now.get(n) != self.shared[n])
        if self.changed:
            more = f" and {len(self.changed) - 1} more" if self.changed[1:] else ""
            told.append(
                f"Somebody has changed what all seats share: {self.changed[0]}{more}. End the class, put "
                "the files back from your own copy, and begin again; what learners wrote is kept."
            )
        new = [line for line in told if line not in self.said]
        self.said = set(told)
        return new

    def _processes(self):
        """{seat: its processes}."""
        if self.groups:  # another class on this machine has the same users
            return groups.processes(self.groups, self.seats)
        users = {seats.user_id(seat): seat for seat in self.seats}
        places = {str(self.folder / seat): seat for seat in self.seats}
        found = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):  # it has ended, or is somebody else's
                if self.walls:
                    seat = users.get(process.uids().real)
                elif process.uids().real != os.getuid():
                    continue
                else:
                    here = Path(process.cwd())
                    above = map(str, (here, *here.parents))
                    seat = next((places[at] for at in above if at in places), None)
                if seat:
                    found.setdefault(seat, []).append(process)
        return found

    def _elsewhere(self):
        """{seat: bytes} of what seats have put where anybody may write."""
        users, found = {seats.user_id(seat): seat for seat in self.seats}, {}
        for place in PLACES:
            with (
                contextlib.suppress(OSError),
                looking.folder(place) as at,
                os.scandir(at) as entries,
            ):
                for entry in entries:
                    with contextlib.suppress(OSError):  # gone meanwhile
                        stated = entry.stat(follow_symlinks=False)
                        if seat := users.get(stated.st_uid):
                            new = stated.st_blocks * 512
                            if stat.S_ISDIR(stated.st_mode):
                                new = written(entry.name, at)
                            found[seat] = found.get(seat, 0) + new
        return found


def written(place, at=None):
    """The bytes on the disk of a folder with all that is in it; 0 of what is none. at: the number
    of the open folder in which it lies. UNCOUNTED where there are more than FILES, or more folders
    in each other than looking.DEEP.
    """
    found = 0
    try:
        with looking.folder(place, at) as inner:
            for n, (_, _, stated) in enumerate(looking.below(inner)):
                if n == FILES:
                    return UNCOUNTED
                found += stated.st_blocks * 512
    except looking.TooDeep:
        return UNCOUNTED
    except OSError:  # gone meanwhile
        pass
    return found


def held(process, kind):
    """Bytes of memory of a process: rss (all that is in memory), uss (what is its own alone), data
    (what it has asked for, on Linux); 0 of one that has ended.
    """
    with contextlib.suppress(psutil.Error, OSError):
        if kind == "uss":
            with contextlib.suppress(psutil.AccessDenied):
                return process.memory_full_info().uss
            # root in a container may see no more: without what was there when it was forked
            above = process.parent()
            shared = above and above.cmdline() == process.cmdline()
            return max(0, held(process, "rss") - (held(above, "rss") if shared else 0))
        return getattr(process.memory_info(), kind, 0)
    return 0


def opened(process):
    """How many files and connections a process has open; 0 where the system does not tell."""
    with contextlib.suppress(psutil.Error, OSError, AttributeError):  # Windows counts none
        return process.num_fds()
    return 0


def kill(processes):
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()


def shared():
    """{path below the root: (when it was changed, bytes)} of the files that all seats read."""
    found = {}
    for room in SHARED:
        for folder, inside, files in os.walk(seats.ROOT / room):
            inside[:] = [name for name in inside if name not in seats.MADE]
            for name in files:
                file = Path(folder, name)
                with contextlib.suppress(OSError):
                    stated = file.lstat()
                    key = file.relative_to(seats.ROOT).as_posix()
                    found[key] = stated.st_mtime_ns, stated.st_size
    return found


def size(amount):
    """Bytes in words."""
    if amount >= UNCOUNTED:
        return f"more than {FILES:,} files or {looking.DEEP} folders in each other"
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"
