"""Holds what the local API sends to genuine exchanges: keys, types, order, and the laws that ids
and numbers obey.

    bodies.py  what lies in a file, and what each body is shapes.py  keys and types against
    tests/data/genuine/shapes.json, whose README says where it comes from
    laws.py    regularities of ids, times and counts; the order of events

`score(folder)` gives a Report for each file; `python -m tests.genuine FILE…` prints them.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from . import bodies, laws, shapes


@dataclass
class Report:
    """What one file was found to be. The Counters count paths as "category path"; all is well where
    the lists are empty.
    """

    file: Path
    unread: str = ""  # why the file is none that can be scored
    docs: int = 0  # bodies that were looked at; `unknown`: of which there is no table
    unknown: int = 0
    categories: Counter = field(default_factory=Counter)
    missing: Counter = field(default_factory=Counter)  # keys that every genuine body has
    optional: Counter = field(default_factory=Counter)  # keys that some genuine bodies have
    extra: Counter = field(default_factory=Counter)  # keys that no genuine body has
    wrong: Counter = field(default_factory=Counter)  # types that no genuine value has
    held: Counter = field(default_factory=Counter)  # laws
    broken: list = field(default_factory=list)  # laws, with the value that breaks them
    order: list = field(default_factory=list)  # what is wrong with the order of a trace's events


def score(folder):
    """A Report for each file in a folder, in the order of their names."""
    return [report(path) for path in sorted(Path(folder).rglob("*")) if path.is_file()]


def report(path):
    """The Report of one file: a body, a {request, response} pair, a stream's text, or a .jsonl of
    Realtime events.
    """
    found = Report(path)
    try:
        documents = bodies.documents(path.name, path.read_text(encoding="utf-8"))
    except ValueError as e:
        found.unread = str(e)
        return found
    parts = [part for document in documents for part in bodies.parts(document)]
    # a session speaks one dialect: an event that both have is of the one that the others are of
    if any((part.category or "").startswith("rtbeta.") for part in parts):
        parts = [_in_beta(part) for part in parts]
    for part in parts:
        _add(found, part)
    sent = [part.body for part in parts if _is_server_event(part)]
    if len(sent) > 3:
        found.order = laws.order(sent)
    return found


def _in_beta(part):
    name = part.category or ""
    return part._replace(category=f"rtbeta.{name[3:]}") if name.startswith("rt.") else part


def _is_server_event(part):
    name = part.category or ""
    return isinstance(part.body, dict) and name.startswith("rt.") and ".client." not in name


def _add(found, part):
    for law, holds, why in laws.of(part):
        if holds:
            found.held[law] += 1
        else:
            found.broken.append(f"{law}: {why}")
    if part.category == bodies.STREAM:
        return
    found.docs += 1
    compared = shapes.compared(part.category, part.body) if part.category else None
    if compared is None:
        found.unknown += 1
    else:
        found.categories[part.category] += 1
        for what, paths in compared.items():
            getattr(found, what).update(f"{part.category} {path}" for path in paths)
    if isinstance(part.body, dict) and part.body.get("object") == "list":
        for body in part.body["data"]:
            if isinstance(body, dict):
                _add(found, part._replace(category=bodies.category(body), body=body))
