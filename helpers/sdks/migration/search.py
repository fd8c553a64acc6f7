"""Names in files, as Findings."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .files import ENDS, FENCES, LARGEST, PROSE, end_of, listing
from .models import models_in
from .reading import Code, constants
from .rules import has_words, possible, said
from .texts import row_hits

NOT_READ, IN_PART = "not read", "read in part"
MOST = 180_000  # characters of a text that are read as code in any case: most files are shorter
# what has so many names in these characters, or so many words in all, is data and read no further
MANY, WORDS = 1000, 180_000
# What a file's name says of it: what was, not what is called
RECORD = re.compile(
    r"(?:^|/)(?:[\w.-]*fixtures?|cassettes?|__snapshots__|snapshots?|testdata|recordings|goldens?)/"
    r"|(?:^|/)change_?log|\.jsonl$|(?:^|/)[\w.-]*\.snap\.\w+$",
    re.I,
)


@dataclass(frozen=True)
class Finding:
    """One name in one place. `since`: ISO day on which it ended or will, or empty; `sure`: False
    where it may be another's name, or a record of what was.
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


def scan(path, progress=lambda files: files):
    """All Day 9 names in a file or a folder, as a list of Findings by file and line.

    Folders of packages, what a build makes and the caches of tools are left out. A file or a folder
    that cannot be read is a Finding of the kind "not read", and one that is read in spite of a
    fault "read in part". progress: takes the list of files and gives them one by one. Raises
    FileNotFoundError for a path that is not there.
    """
    return in_listing(listing(path), path, progress)


def in_listing(listed, path, progress):
    """The same for what `listing(path)` gave."""
    path, found = Path(path), []
    root = path if path.is_dir() else path.parent
    for file in progress(listed.read):
        found += _file(file, file.relative_to(root).as_posix())
    for error in listed.locked:
        name = Path(error.filename).relative_to(root).as_posix()
        what = f"not read: {error.strerror}"
        found.append(Finding(name, 1, 1, Path(error.filename).name, NOT_READ, "", "", what))
    return found


def _file(file, name):
    fault = lambda kind, why: Finding(name, 1, 1, file.name, kind, "", "", why)
    try:
        if file.stat().st_size > LARGEST:
            return [fault(NOT_READ, f"not read: larger than {LARGEST:,} bytes")]
        raw = file.read_bytes()
    except OSError as e:
        return [fault(NOT_READ, f"not read: {e.strerror}")]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):  # as PowerShell writes requirements.txt
        raw = raw.decode("utf-16", "replace").encode("utf-8")
    if b"\0" in raw:
        return [fault(NOT_READ, "not read: not a text file")]
    faults = []
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        text = raw.decode("utf-8", "replace")
        why = f"not UTF-8 from byte {e.start} on: those letters were left out"
        faults.append(fault(IN_PART, why))
    text = text.replace("\r\n", "\n")
    end = end_of(file)
    if not any(possible(text.lower(), end)):
        return faults
    if end == ".ipynb":
        try:
            cells = [(c["cell_type"], "".join(c["source"])) for c in json.loads(text)["cells"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            faults.append(fault(IN_PART, "a broken notebook: read as plain text"))
            return faults + _text(text[:MOST], ".http", name)
        known = constants("\n".join(s for kind, s in cells if kind == "code"))
        for n, (kind, source) in enumerate(cells, 1):
            look = _text if kind == "code" else _fenced
            faults += look(source[:MOST], ".py", f"{name} cell {n}", known)
        return faults
    look = _fenced if end in PROSE else _text
    found = look(text[:MOST], end, name)
    if len(text) > MOST and any(possible(text[MOST:].lower(), end)):
        if len(found) < MANY and len(NAME.findall(text)) < WORDS:
            found = look(text, end, name)
        else:
            why = f"data, of which the first {MOST:,} characters were read: names may stand in the rest"
            faults.append(fault(IN_PART, why))
    return faults + found


FENCE = re.compile(r"[ ]{0,3}(```+|~~~+)[ ]*(\w*)[^`\n]*\n?$")


def _fenced(text, end, name, known=None):
    """What stands in the code fences of Markdown. The fences of one language are read as one text,
    in which each begins its brackets anew, and whose lines keep their numbers.
    """
    kept, opened, here = {}, "", ""
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        fence = FENCE.match(line) if line.lstrip(" ")[:3] in ("```", "~~~") else None
        if fence and not opened:
            opened, language = fence[1], fence[2].lower()
            here = FENCES.get(language, f".{language}")
            here = here if here in ENDS and here not in PROSE else ".html"
            kept.setdefault(here, Fences()).open()
        elif fence and fence[1].startswith(opened) and not fence[2]:
            opened = ""
        elif opened:
            kept[here].add(number, line)
    found = []
    for here, fences in kept.items():
        found += _text("".join(fences.lines), here, name, known, fences.breaks, fences.numbers)
    return sorted(found, key=lambda f: (f.line, f.column))


class Fences:
    """The fences of one language: their lines with the numbers that these have in the page, and
    where each begins in the text that they make.
    """

    def __init__(self):
        self.lines, self.numbers, self.breaks, self.length = [], [], [], 0

    def open(self):
        self.breaks.append(self.length)

    def add(self, number, line):
        self.lines.append(line)
        self.numbers.append(number)
        self.length += len(line)


NAME = re.compile(r"[A-Za-z_]\w*")


def _text(text, end, name, known=None, breaks=(), numbers=()):
    known = (
        {name: known[name] for name in sorted(known.keys() & NAME.findall(text))} if known else {}
    )
    rows, has_models = possible(
        " ".join((text, *(f'"{value}"' for value in known.values()))).lower(), end
    )
    if not rows and not has_models:
        return []
    code = Code(text, end if end in ENDS else ".http", name, has_words, known, breaks)
    hits = {}
    for row in rows:
        for start, length, sure in row_hits(row, code):
            hits.setdefault(start, []).append((length, row, sure))
    if has_models:
        for start, length, row, sure in models_in(code):
            hits.setdefault(start, []).append((length, row, sure))
    return list(_findings(code, name, hits, numbers))


def _findings(code, name, hits, numbers):
    """One row a place. Of names that overlap, the longer one: beta.realtime.sessions.create is no
    second finding.
    """
    record, reached = RECORD.search(name) is not None, 0
    for start in sorted(hits):
        length, row, sure = max(hits[start], key=lambda hit: (len(hit[1]["name"]), hit[2]))
        if start < reached:
            continue
        reached = start + length
        line, column = code.place(start)
        yield Finding(
            name,
            numbers[line - 1] if numbers else line,
            column,
            row["name"],
            row["kind"],
            row["since"],
            row["instead"],
            said(row),
            sure and not record,
        )
