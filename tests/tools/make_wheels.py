"""Makes tests/data/wheels.json: which file each hash of the locks belongs to. `python -m
tests.tools.make_wheels`, after `start.py lock`.

A lock names hashes and no files, so that it does not say which systems it can serve. uv knows the
files from the index that pip is set up to ask. Kept are those that a system of tests/systems.py
could use: wheels that fit one of them, and source distributions. `of` ties an entry to all hashes
that its lock allows.
"""

import functools
import hashlib
import json
import subprocess
import tomllib

from packaging.utils import parse_wheel_filename

import start
from tests import systems

TABLE = systems.ROOT / "tests" / "data" / "wheels.json"


def main():
    made = {}
    for lock in systems.GLIBC:
        usable = frozenset().union(
            *(
                systems.wheel_tags(system, python, lock)
                for system in systems.SYSTEMS
                for python in systems.PYTHONS
            )
        )
        files = known_files(lock)
        for pin in systems.locked(lock):
            kept = {
                file: hash
                for hash, file in files.get(str(pin), {}).items()
                if hash in pin.hashes and fits(file, usable)
            }
            entry = made.setdefault(str(pin), {"of": digest(pin), "files": {}})
            entry["files"] |= kept
    TABLE.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def known_files(lock):
    """{"name==version": {hash: file name}} of all that a lock names."""
    # --no-deps: what the lock says and no more; the format that names files goes to the standard
    # output
    asked = [start.uv(), "pip", "compile", "--universal", "--no-deps", "--quiet", "--no-header"]
    asked += ["--python-version", systems.PYTHONS[0], "--format", "pylock.toml", lock]
    run = subprocess.run(
        asked, cwd=systems.ROOT, env=start.uv_environment(), stdout=subprocess.PIPE, check=True
    )
    found = {}
    for package in tomllib.loads(run.stdout.decode())["packages"]:
        files = found.setdefault(f"{package['name']}=={package['version']}", {})
        for file in [*package.get("wheels", []), *filter(None, [package.get("sdist")])]:
            files[file["hashes"]["sha256"]] = file["url"].rpartition("/")[2]
    return found


def fits(file, tags):
    """Whether a file is a wheel with one of the tags, or a source distribution."""
    return not file.endswith(".whl") or not tags.isdisjoint(tags_of(file))


def wheels(pin, system, python, lock):
    """The names of the wheels that a lock allows for a Pin and that fit a system and Python."""
    tags = systems.wheel_tags(system, python, lock)
    return [
        file for file in table()[str(pin)]["files"] if file.endswith(".whl") and fits(file, tags)
    ]


@functools.cache
def table():
    """What TABLE holds: {"name==version": {"of": …, "files": {file: hash}}}."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


@functools.cache
def tags_of(wheel):
    return parse_wheel_filename(wheel)[3]


def digest(pin):
    """One short word for all hashes that a lock allows for a Pin."""
    return hashlib.sha256("".join(sorted(pin.hashes)).encode()).hexdigest()[:16]


if __name__ == "__main__":
    main()
