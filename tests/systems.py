"""The systems and Pythons that README.md names, as installers see them; tests/test_systems.py asks
the locks for each.
"""

import functools
import importlib.metadata
import re
from pathlib import Path
from typing import NamedTuple

from packaging import tags
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
VOICE, MODEL = "requirements.voice.lock", "requirements.model.lock"
FRAMEWORKS, CLASS = "requirements.frameworks.lock", "requirements.class.lock"
WAREHOUSE = "requirements.warehouse.lock"
# The oldest C library for which the packages of a lock have wheels: Debian 11; Debian 12 and Ubuntu
# 22.04; Debian 12 again; Debian 11 for the rest.
GLIBC = {
    "requirements.lock": (2, 31),
    "tests/requirements.lock": (2, 35),
    VOICE: (2, 34),
    MODEL: (2, 31),
    FRAMEWORKS: (2, 31),
    CLASS: (2, 31),
    WAREHOUSE: (2, 31),
}
MACOS = {"arm64": (14, 0), "x86_64": (11, 0)}  # the oldest, likewise
OF_MACOS = {VOICE: (15, 0), MODEL: (13, 0)}
LINUX_1_2014 = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}  # the older names


def installed(*packages):
    """Whether all are in this environment, also where tests/early.py hides their modules."""
    try:
        return all(map(importlib.metadata.version, packages))
    except importlib.metadata.PackageNotFoundError:
        return False


class System(NamedTuple):
    """A system by its sys.platform and its platform.machine()."""

    platform: str
    machine: str

    def __str__(self):
        return f"{self.platform} {self.machine}"


SYSTEMS = (
    System("linux", "x86_64"),
    System("linux", "aarch64"),
    System("darwin", "arm64"),
    System("darwin", "x86_64"),
    System("win32", "AMD64"),
    System("win32", "ARM64"),
)
NAMES = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


def in_words():
    """What README.md says of them."""
    lab, test, voice, *_ = (".".join(map(str, libc)) for libc in GLIBC.values())
    return (
        f"It runs on Linux (x86_64 and aarch64, with glibc {lab} or newer; the tests need {test}), on macOS (from "
        f"{MACOS['arm64'][0]} on Apple chips, from {MACOS['x86_64'][0]} on Intel) and on Windows (x64 and ARM64). On Intel "
        "Macs and on Windows on ARM the notebooks of `2_realtime` are left out: two packages that they need have no "
        "builds there, and `connect()` says so. Ears and a mouth need glibc "
        f"{voice} or macOS {OF_MACOS[VOICE][0]}; the language model needs macOS {OF_MACOS[MODEL][0]}, and has no build for "
        "Windows on ARM."
    )


class Pin(NamedTuple):
    """One entry of a lock. `asked`: the packaging.Requirement; `hashes`: the SHA-256 of every file
    it allows.
    """

    asked: Requirement
    hashes: frozenset

    def __str__(self):
        return f"{self.asked.name}{self.asked.specifier}"


@functools.cache
def locked(lock):
    """The Pins of a lock, which is named as in GLIBC."""
    entries = re.split(r"^(?=\w)", (ROOT / lock).read_text(encoding="utf-8"), flags=re.M)
    return [
        Pin(
            Requirement(entry.partition("\\")[0]),
            frozenset(re.findall(r"--hash=sha256:(\w+)", entry)),
        )
        for entry in entries
        if "==" in entry.partition("\\")[0]
    ]


def environment(system, python):
    """What a lock's markers are held against there."""
    return {
        "sys_platform": system.platform,
        "platform_machine": system.machine,
        "platform_system": NAMES[system.platform],
        "os_name": "nt" if system.platform == "win32" else "posix",
        "python_version": python,
        "python_full_version": f"{python}.9",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


@functools.cache
def wheel_tags(system, python, lock):
    """The tags of the wheels that fit there, as pip computes them on the system itself."""
    version, fitting = tuple(map(int, python.split("."))), list(platforms(system, lock))
    return {
        *tags.cpython_tags(version, platforms=fitting),
        *tags.compatible_tags(version, f"cp{version[0]}{version[1]}", fitting),
    }


def platforms(system, lock):
    """The platforms of the wheels that fit there, from the newest to the oldest."""
    if system.platform == "win32":
        yield f"win_{system.machine.lower()}"
    elif system.platform == "darwin":
        oldest = max(MACOS[system.machine], OF_MACOS.get(lock, (0, 0)))
        yield from tags.mac_platforms(oldest, system.machine)
    else:
        for minor in range(GLIBC[lock][1], 4, -1):
            yield f"manylinux_2_{minor}_{system.machine}"
            if minor in LINUX_1_2014:
                yield f"{LINUX_1_2014[minor]}_{system.machine}"
        yield f"linux_{system.machine}"
