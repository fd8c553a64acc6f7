"""A control group of Linux's for each seat: all memory that a seat holds, and its part of the CPU.

A limit of a process (warmed.LIMITS) counts neither what several hold together nor memory that is
no process's own: a file in /dev/shm, memfd_create, a map that is shared. A group counts all of it.
Where it is full, the system ends one of the group's own processes, a kernel before all others; and
it divides the CPU among groups, however many processes are in each.

A seat has two groups of the same kind: its JupyterLab is alone in the second, so that nothing that
a cell does ends it. What all seats wait for, such as the hub, has one as heavy as all of them: who
computes without end would else keep out those who begin.

A group is a folder, and its limits are files; their names are those of the kernel's
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst. The class's own folder lies where
the class was started, so that what limits that limits the class. Only root may make it.
"""

import contextlib
import os
import secrets
import signal
import time
from pathlib import Path
from typing import NamedTuple

import psutil

MOUNTS, OWN = Path("/proc/self/mountinfo"), Path("/proc/self/cgroup")
VARIABLE = "DAY9_GROUPS"  # of the environment: the class's folders, for a seat's JupyterLab
REFUSED = "memory-refused"  # a file, new whenever a cell was refused memory, for the watch
CLASS = "class"  # the name of the group of the hub, the proxy and the warmed process
LAB = "-lab"  # at the end of a name: where the seat's JupyterLab is
PROCESSES = "cgroup.procs"
WEIGHTS = (("cpu.weight", 100, 10_000), ("cpu.shares", 1024, 2**18))  # of one, and the most
PATIENCE = 10  # seconds until what was killed has gone


class Names(NamedTuple):
    """Of files, and of numbers in them."""

    most: str
    with_swap: str
    limit_of_swap: object  # what is written there, by the limit
    events: str
    parts: tuple  # of memory.stat


V2 = Names("memory.max", "memory.swap.max", lambda most: 0, "memory.events", ("anon", "shmem"))
V1 = Names(
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    lambda most: most,
    "memory.oom_control",
    ("rss", "shmem"),
)


def begin(seats, most):
    """Make the groups of some seats, each of which may hold `most` bytes. Returns the class's own
    folders as texts, the one for memory first; none where this system does not let us.
    """
    name, made = f"day9-{secrets.token_hex(4)}", []
    try:
        for place in places():
            folder = place / name
            folder.mkdir()
            made.append(str(folder))
            if (folder / "cgroup.subtree_control").exists():
                hand_on(folder)
            (folder / CLASS).mkdir()
            for file, one, top in WEIGHTS:
                # as many as seats, beside what else the machine does; and so for what all wait for
                for group in (folder, folder / CLASS):
                    if (group / file).exists():
                        write(group / file, min(top, one * len(seats)))
            for seat in seats:
                for group in (folder / seat, folder / f"{seat}{LAB}"):
                    group.mkdir()
                    if folder == Path(made[0]):
                        limit(group, most)
    except OSError:
        end(made)
        return []
    return made


def places():
    """The folders in which the class's are made: for memory, and where it is another one, CPU."""
    own = {}  # where this process is, by controller; v2's has no name
    for line in OWN.read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)
    found, unified = {}, None
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        left, _, right = line.partition(" - ")
        (root, at), (kind, _, options) = left.split()[3:5], right.split(maxsplit=2)
        if kind == "cgroup":
            for name in {"memory", "cpu"} & set(options.split(",")) & own.keys():
                found[name] = Path(at) / os.path.relpath(own[name], root)
        elif kind == "cgroup2" and "" in own:
            unified = Path(at), Path(at) / os.path.relpath(own[""], root)
    if "memory" in found:
        return [found["memory"]] + [found["cpu"]] * ("cpu" in found)
    above = nearest(*unified) if unified else None
    return [above] if above else []


def nearest(top, own):
    """The group of v2, from one's own up to the top, that can have groups with a memory of their
    own: one with processes in it cannot, but for the top. None where there is none.
    """
    for place in (own, *own.parents):
        if top not in (place, *place.parents):
            break
        with contextlib.suppress(OSError):
            hand_on(place)
            return place
    return None


def hand_on(folder):
    """Let the groups in a folder of v2 have limits of memory and parts of the CPU. Raises OSError
    where there can be no limits.
    """
    write(folder / "cgroup.subtree_control", "+memory")
    with contextlib.suppress(OSError):  # a group goes without it
        write(folder / "cgroup.subtree_control", "+cpu")


def limit(group, most):
    names = V2 if (group / V2.most).exists() else V1
    write(group / names.most, most)
    with contextlib.suppress(FileNotFoundError):  # a system without swap
        write(group / names.with_swap, names.limit_of_swap(most))


def enter(folders, seat, lab=False, pid=0):
    """Put a process, this one where no other is given, into the groups of a seat. Raises OSError
    where it has ended.
    """
    for folder in folders:
        write(Path(folder, seat + LAB * lab, PROCESSES), pid)


def leave_lab(folders, seat, servers):
    """Put what a JupyterLab has started, such as a terminal, where the seat's other processes are.
    servers: the process ids of the JupyterLabs.
    """
    for folder in folders[:1]:
        for pid in inside(Path(folder, seat + LAB)):
            if pid not in servers:
                with contextlib.suppress(OSError):
                    enter(folders, seat, pid=pid)


def processes(folders, seats):
    """{seat: its processes, as psutil's} of those seats that run any."""
    found = {}
    for seat in seats:
        for pid in (*inside(Path(folders[0], seat)), *inside(Path(folders[0], seat + LAB))):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.setdefault(seat, []).append(psutil.Process(pid))
    return found


def held(folders, seat):
    """Bytes of memory that a seat holds: (what its processes have, what is shared or in files of
    memory). What the system keeps of files on the disk it can have back at any time.
    """
    found = [0, 0]
    for group in (Path(folders[0], seat), Path(folders[0], seat + LAB)):
        parts = (V2 if (group / V2.most).exists() else V1).parts
        said = numbers(group / "memory.stat")
        found = [before + said.get(part, 0) for before, part in zip(found, parts)]
    return found


def ended(folders, seat):
    """How many processes of a seat, JupyterLab aside, the system has ended for want of memory."""
    group = Path(folders[0], seat)
    names = V2 if (group / V2.most).exists() else V1
    return numbers(group / names.events).get("oom_kill", 0)


def end(folders):
    """End all that is in the class's groups, and remove them; some may be gone already."""
    until = time.monotonic() + PATIENCE
    for folder in map(Path, folders):
        for group in (*(path for path in folder.glob("*") if path.is_dir()), folder):
            while group.exists() and time.monotonic() < until:
                kill(group)
                with contextlib.suppress(OSError):  # somebody is still on their way out
                    group.rmdir()
                    break
                time.sleep(0.05)


def clear(folders, seat):
    """End all that a seat still runs, such as what has left its kernel."""
    for folder in folders[:1]:
        kill(Path(folder, seat))
        kill(Path(folder, seat + LAB))


def kill(group):
    for stop in (signal.SIGSTOP, signal.SIGKILL):  # what is stopped makes no others
        for pid in inside(group):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, stop)


def inside(group):
    """The ids of the processes of a group."""
    with contextlib.suppress(OSError):
        return [int(pid) for pid in (group / PROCESSES).read_text(encoding="ascii").split()]
    return []


def numbers(file):
    """{name: number} of a file of such lines; {} of none."""
    with contextlib.suppress(OSError):
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        return {name: int(number) for name, number in lines}
    return {}


def write(file, value):
    """Into a file that is there already: what makes new ones is no group."""
    with open(os.open(file, os.O_WRONLY | os.O_TRUNC), "w", encoding="ascii") as there:
        there.write(str(value))
