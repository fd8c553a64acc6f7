"""Finds Day 9 names (December 2024) in a folder of code, and says what to write today.

    python -m helpers.sdks.migration FOLDER      prints file:line:column: text; ends with 1 where it found any

The names are those of data/day9_names.csv, and the models those of data/models.csv that end; both
name their sources. Nothing of the code is run: source_code.py reads it, and day9_names.py tells a
name from the same word elsewhere. What is put together while a program runs, they cannot see.
"""

import argparse
import bisect
import json
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from ..common import console
from . import day9_names
from .source_code import HASHES, PLAIN, SLASHES, Code, constants

LARGEST = 1_000_000  # bytes of a file; what is longer is data
SKIPPED = {
    "node_modules",
    "venv",
    "site-packages",
    "__pycache__",
    "target",
}  # and all that begins with a dot
PROSE = {".md", ".mdx"}  # of which the code fences are read
ENDS = SLASHES | HASHES | PLAIN | PROSE | {".ipynb"}
FENCES = {
    "python": ".py",
    "javascript": ".js",
    "typescript": ".ts",
    "bash": ".sh",
    "shell": ".sh",
    "kotlin": ".kt",
    "csharp": ".cs",
    "ruby": ".rb",
    "rust": ".rs",
}


NOT_READ = "not read"


@dataclass(frozen=True)
class Finding:
    """One name in one place. `since`: ISO day on which it ended or will, or empty; `sure`: False
    where it may be another's name.
    """

    file: str  # as a path below the folder scanned; a notebook's has its cell
    line: int  # from 1
    column: int  # from 1
    name: str
    kind: str
    since: str
    instead: str
    what: str
    sure: bool = True

    def __str__(self):
        return (
            f"{self.file}:{self.line}:{self.column}: {'' if self.sure else 'perhaps '}{self.what}"
        )


def scan(path):
    """All Day 9 names in a file or a folder, as a list of Findings by file and line.

    Folders of packages and hidden ones are left out. A file or a folder that cannot be read is a
    Finding of the kind "not read", and one that is read in spite of a fault "read in part". Raises
    FileNotFoundError for a path that is not there.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"There is no {path}. Give the folder with your code, or one file of it."
        )
    root = path if path.is_dir() else path.parent
    locked, found = [], []
    for file in files(path, locked.append):
        found += _file(file, file.relative_to(root).as_posix())
    for error in locked:
        name = Path(error.filename).relative_to(root).as_posix()
        what = f"not read: {error.strerror}"
        found.append(Finding(name, 1, 1, Path(error.filename).name, NOT_READ, "", "", what))
    return found


def told(found, path):
    """How many names stand in how many files, and what could not be read, as a sentence. `found`:
    what `scan(path)` gave.
    """
    unread = [f for f in found if f.kind == NOT_READ]
    named = [f for f in found if f.kind not in (NOT_READ, "read in part")]
    read = len(files(path)) - len({f.file for f in unread if not Path(path, f.file).is_dir()})
    said = f"{len(named)} names in {len({f.file for f in named})} of {read} files read"
    return said + "".join(f"\n{f.file}: {f.what}" for f in unread)


def files(path, locked=None):
    """The files that `scan` reads in a folder, by the ends of their names: `ENDS` has those that it
    knows. Of a file, itself.

    locked: is called with the OSError of a folder that cannot be looked into.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    known = []
    for folder, folders, names in os.walk(path, onerror=locked):
        here = Path(folder)
        folders[:] = sorted(
            d
            for d in folders
            if d not in SKIPPED and not d.startswith(".") and not (here / d / "pyvenv.cfg").exists()
        )
        known += (
            here / f for f in sorted(names) if _end(here / f) in ENDS and (here / f).is_file()
        )
    return known


def table(findings):
    """Findings as a DataFrame for a page: where, old name, the day it ended or will, today's name."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "where": f"{f.file}:{f.line}",
                "old": f.name,
                "ends": f.since or "–",
                "today": f.instead or (f.what if f.kind in (NOT_READ, "read in part") else "–"),
            }
            for f in findings
        ],
        columns=["where", "old", "ends", "today"],
    )


# ---- files


def _end(file):
    return ".env" if file.name.startswith(".env") else file.suffix.lower()


def _file(file, name):
    fault = lambda kind, why: Finding(name, 1, 1, file.name, kind, "", "", why)
    try:
        if file.stat().st_size > LARGEST:
            return [fault(NOT_READ, f"not read: larger than {LARGEST:,} bytes")]
        raw = file.read_bytes()
    except OSError as e:
        return [fault(NOT_READ, f"not read: {e.strerror}")]
    if b"\0" in raw:
        return [fault(NOT_READ, "not read: not a text file")]
    try:
        text, faults = raw.decode("utf-8-sig"), []
    except UnicodeDecodeError as e:
        text, faults = (
            raw.decode("utf-8", "replace"),
            [
                fault(
                    "read in part", f"not UTF-8 from byte {e.start} on: those letters were left out"
                )
            ],
        )
    end = _end(file)
    if end == ".ipynb":
        try:
            cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(text)["cells"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return (
                faults
                + [fault("read in part", "a broken notebook: read as plain text")]
                + _text(text, ".html", name)
            )
        known = constants("\n".join(s for kind, s in cells if kind == "code"))
        return faults + [
            f
            for n, (kind, source) in enumerate(cells)
            for f in (_text if kind == "code" else _fenced)(
                source, ".py", f"{name} cell {n + 1}", known
            )
        ]
    return faults + (_fenced if end in PROSE else _text)(text, end, name)


def _fenced(text, end, name, known=None):
    """What stands in the code fences of Markdown, whose lines keep their numbers."""
    found = []
    for fence in re.finditer(r"^[ ]{0,3}```[ ]*(\w*)[^\n]*\n(.*?)^[ ]{0,3}```", text, re.M | re.S):
        end = FENCES.get(fence[1].lower(), f".{fence[1].lower()}")
        ahead = text.count("\n", 0, fence.start(2))
        found += _text("\n" * ahead + fence[2], end if end in ENDS else ".html", name, known)
    return found


def _text(text, end, name, known=None):
    code = Code(text, end)
    code.known |= known or {}
    hits = {}
    for start, length, row, sure in day9_names.hits(code):
        hits.setdefault(start, []).append((length, row, sure))
    lines = [m.end() for m in re.finditer("\n", text)]
    found, reached = [], 0
    for start in sorted(hits):
        length, row, sure = max(
            hits[start], key=lambda hit: len(hit[1]["name"])
        )  # beta.realtime.sessions.create is no second finding
        if start < reached:
            continue
        reached = start + length
        n = bisect.bisect_right(lines, start)
        found.append(
            Finding(
                name,
                n + 1,
                start - (lines[n - 1] if n else 0) + 1,
                row["name"],
                row["kind"],
                row["since"],
                row["instead"],
                _said(row),
                sure,
            )
        )
    return found


def _said(row):
    when = f" ({row['status']}{' ' + row['since'] if row['since'] else ''})"
    return f"{row['kind']} {row['name']}{when}{': now ' + row['instead'] if row['instead'] else ''}. {row['change']}".strip()


def main(arguments=None):
    """The command line. Returns 1 where there is a finding, 0 where there is none, 2 for a folder
    that is not there.
    """
    parser = argparse.ArgumentParser(
        prog="python -m helpers.sdks.migration",
        description="Find Day 9 names in code, and what to write today.",
    )
    parser.add_argument("folder", help="a folder of code, or one file")
    given = parser.parse_args(arguments)
    try:
        found = scan(given.folder)
    except FileNotFoundError as e:
        print(e, file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    read = files(given.folder)
    print(
        f"{told(found, given.folder)}."
        if read
        else f"Nothing was read: no file there ends in one of {' '.join(sorted(ENDS))}.",
        file=sys.stderr,
    )
    return int(bool(found))


if __name__ == "__main__":
    console.forgiving()
    sys.exit(main())
