"""A class without a network: `python start.py bundle --for linux,macos,windows` writes bundle/, the
project with the wheels for each system beside start.py, which then installs from them alone.

    --for       which systems: those of FOR
    --python    which Pythons (default: the running one), as in 3.12,3.13
    --voice     the wheels of ears and a mouth, too; likewise every part of start.PARTS

Copied is what .gitignore does not name, so a teacher's own notebooks go along, and so does site/,
where it has been made; hidden files do not. wheelhouse/hashes.txt lists each file with its hash, as
`sha256sum -c` reads it, and the wheels under the system, Python and lock that they serve: start.py
holds them to it before it installs from there.
"""

import argparse
import fnmatch
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

import start
from tests import systems
from tests.tools import make_wheels

BUNDLE = systems.ROOT / "bundle"
FOR = {name: systems.System(*system) for name, system in start.FOR.items()}


def main(arguments):
    names, pythons, locks = asked(arguments)
    half = BUNDLE.with_name("bundle.half")  # what an interrupted run leaves is no bundle
    shutil.rmtree(half, ignore_errors=True)
    copy_project(systems.ROOT, half)
    listed = {start.PROJECT: files_in(half)}
    wheels = half / start.WHEELS.name
    wheels.mkdir()
    with tempfile.TemporaryDirectory() as folder:
        pip = pip_in(Path(folder) / "pip")
        for name in names:
            there = can_have(name, locks)
            for python in pythons:
                listed |= download(pip, wheels, name, python, there)
    if len(listed) == 1:
        raise start.Failure("nothing could be bundled", "ask for another system or Python.")
    write_hashes(wheels / start.HASHES.name, listed)
    shutil.rmtree(BUNDLE, ignore_errors=True)
    half.rename(BUNDLE)
    size = sum(f.stat().st_size for f in BUNDLE.rglob("*") if f.is_file())
    print(
        f"bundle/ is ready, {size / 1e6:.0f} MB. Copy the folder to each machine, which must have "
        f"Python {' or '.join(pythons)}; there, `python start.py lab` needs no network."
    )


def asked(arguments):
    """(names of FOR, Pythons, locks) that a command line asks for; raises start.Failure."""
    parser = argparse.ArgumentParser(prog="start.py bundle", allow_abbrev=False)
    parser.add_argument("--for", dest="names", required=True, metavar=",".join(FOR))
    running = "{}.{}".format(*sys.version_info)
    parser.add_argument("--python", default=running, metavar=",".join(systems.PYTHONS))
    for part, (name, costs) in start.PARTS.items():
        parser.add_argument(f"--{part}", action="store_true", help=f"{name}, which {costs}")
    given = parser.parse_args(arguments)
    parts = [part for part in start.PARTS if getattr(given, part)]
    return (
        known(given.names, FOR, "system"),
        known(given.python, systems.PYTHONS, "Python"),
        [start.LOCK, *map(start.lock_of, parts)],
    )


def can_have(name, locks):
    """The locks less those of parts that a system cannot have, which are named."""
    newest = (*start.FOR[name], "", "99.0")  # of macOS and of glibc, where the machine may do
    left = set()
    for part, (words, _) in start.PARTS.items():
        lock = start.lock_of(part)
        why = start.lacks(part, newest) if lock in locks else ""
        if why:
            left.add(lock)
            print(f"Left out for {name}: {start.lower(words)}: {why}", flush=True)
    return [lock for lock in locks if lock not in left]


def known(text, there, what):
    """The names in a list with commas, each once; raises start.Failure for one that is not
    there.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names or [""]:
        if name not in there:
            raise start.Failure(f"no {what} {name!r} is known", f"one of {', '.join(there)}.")
    return names


def copy_project(source, to):
    """The files of a project: less what .gitignore names and what is hidden, with the static site
    where it has been made.
    """
    lines = (source / ".gitignore").read_text(encoding="utf-8").split()
    made = [line.strip("/") for line in lines]

    def left_out(folder, names):
        inside = Path(folder).relative_to(source)
        return {
            name
            for name in names
            if name.startswith(".")
            and name != ".gitignore"
            or any(fnmatch.fnmatch(at, p) for p in made for at in (name, f"{inside}/{name}"))
        }

    shutil.copytree(source, to, ignore=left_out)
    if (source / "site" / "index.html").exists():
        shutil.copytree(source / "site", to / "site")


def files_in(folder, within=""):
    """{path, from there, behind `within`: SHA-256} of all files in a folder."""
    return {
        within + f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(folder.rglob("*"))
        if f.is_file()
    }


def write_hashes(file, listed):
    """Writes what start.bundled() reads."""
    lines = [
        line
        for heading, files in listed.items()
        for line in [heading, *(f"{sha256}  {name}" for name, sha256 in sorted(files.items()))]
    ]
    # sha256sum takes the other end of a line for a part of the name
    text = "".join(f"{line}\n" for line in [*lines, start.END])
    file.write_text(text, encoding="utf-8", newline="\n")


def pip_in(folder):
    """The Python of a venv with pip, for a .venv that uv has made has none."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    start.run([base, "-m", "venv", str(folder)])
    return str(next(folder.glob("[Sb]*/python*")))


def download(pip, wheels, name, python, locks):
    """Puts the wheels for one system and Python into a folder; {start.serves(): {file: SHA-256}} of
    each lock. Where a package has no wheel, it is named, and that system and Python left out.
    """
    system = FOR[name]
    sets = {lock: wanted(named(lock), system, python) for lock in locks}
    lacking = {
        str(pin)
        for lock in locks
        for pin in set().union(*sets[lock].values())
        if not make_wheels.wheels(pin, system, python, named(lock))
    }
    if lacking:
        print(f"Left out: {name}, Python {python}: no wheel of {', '.join(sorted(lacking))}.")
        return {}
    served = {}
    for lock in locks:
        print(f"{name}, Python {python}: the wheels of {named(lock)}", flush=True)
        for full, pins in sets[lock].items():
            fetch(pip, wheels, full, pins, systems.platforms(system, named(lock)))
        served[start.serves(name, python, lock)] = {
            f"{wheels.name}/{wheel}": make_wheels.table()[str(pin)]["files"][wheel]
            for pin in set().union(*sets[lock].values())
            for wheel in make_wheels.wheels(pin, system, python, named(lock))
            if (wheels / wheel).exists()
        }
    return served


def wanted(lock, system, python):
    """{full version: Pins of a lock that hold on a system and Python}: of its first release, and of
    a late one where that has others.
    """
    first, late = (
        frozenset(
            pin
            for pin in systems.locked(lock)
            if not pin.asked.marker
            or pin.asked.marker.evaluate(
                {**systems.environment(system, python), "python_full_version": full}
            )
        )
        for full in (f"{python}.0", f"{python}.99")
    )
    return {f"{python}.0": first} | ({f"{python}.99": late} if late != first else {})


def fetch(pip, wheels, full, pins, platforms):
    """Downloads the wheels of Pins for a full version of Python, each held to the lock's hashes."""
    # no markers: pip would hold them against the Python that runs it
    lines = [f"{p} {' '.join(f'--hash=sha256:{h}' for h in sorted(p.hashes))}\n" for p in pins]
    file = wheels / "pins.txt"
    file.write_text("".join(sorted(lines)), encoding="utf-8")
    start.run(
        [pip, "-m", "pip", "download", "--disable-pip-version-check", "--no-deps"]
        + ["--only-binary=:all:", "--require-hashes", "--dest", str(wheels)]
        + ["--python-version", full, "--implementation", "cp"]
        + [f"--platform={tag}" for tag in platforms]
        + ["-r", str(file)]
    )
    file.unlink()


def named(lock):
    """A lock as systems.GLIBC names it."""
    return lock.relative_to(systems.ROOT).as_posix()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except start.Failure as failure:
        sys.exit(str(failure))
