"""Which exercises this reader has passed: kept in a file of their own, and exported for a class.

The file is data/my_progress.txt, or the one that DAY9_MY_PROGRESS names: UTF-8, an exercise a line
(`effort-1`), in the order in which they were first passed. `check` appends to it; nothing else is
in it, neither answers nor times nor names. Deleting it begins anew.

What is exported is one line of JSON, and holds what the reader says they are called and no more:

    {"who": "7", "passed": ["start-1", "effort-1"]}
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..common import tabled
from ..facts import DATA
from . import by_theme

OWN = DATA / "my_progress.txt"
LONGEST = 60  # characters of a name


def _file():
    return Path(os.environ.get("DAY9_MY_PROGRESS") or OWN)


def _text():
    """What is in the file; "" where there is none. ValueError for what is no text, OSError for what
    cannot be read.
    """
    try:
        return _file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise ValueError(
            f"{_file()} is not UTF-8 text: it holds an exercise a line, such as effort-1. "
            "Save it so, or delete it to begin anew."
        ) from None


def keep(name: str) -> str:
    """Remember that an exercise is passed. Returns why it could not be, in a sentence, or ""."""
    try:
        text = _text()
        if name not in text.splitlines():
            last = "" if text.endswith("\n") or not text else "\n"  # of a line that was left open
            # a line at a time, so that two notebooks that are open at once lose nothing
            with open(_file(), "a", encoding="utf-8", newline="\n") as file:
                file.write(f"{last}{name}\n")
    except (OSError, ValueError) as error:
        return f"helpers.progress() does not know of it: {error}"
    return ""


class Progress:
    """`passed`: names of exercises, in the order of the notebooks. `unknown`: lines of the file
    that name none.
    """

    def __init__(self, lines: list[str]) -> None:
        self.themes = by_theme()
        known = [name for names in self.themes.values() for name in names]
        self.passed = [name for name in known if name in lines]
        self.unknown = [line for line in dict.fromkeys(lines) if line not in known]

    def export(self, who: str | int) -> str:
        """One line of JSON for whoever counts: `who`, a name or a number, and what is passed.

        Raises ValueError for a name that is empty, or longer than a line of 60 characters.
        """
        said = "" if isinstance(who, bool) or not isinstance(who, str | int) else str(who).strip()
        if not said or len(said) > LONGEST or not said.isprintable():
            raise ValueError(
                f"{who!r} is neither a name nor a number: give one of up to {LONGEST} characters, "
                'as in helpers.progress().export("7")'
            )
        return json.dumps({"who": said, "passed": self.passed}, ensure_ascii=False)

    def _columns(self) -> list[list[Any]]:
        rows = []
        for theme, names in self.themes.items():
            still = [name for name in names if name not in self.passed]
            rows.append([theme, len(names) - len(still), len(names), still[0] if still else "–"])
        return [list(column) for column in zip(*rows)]

    def _note(self):
        whole = sum(map(len, self.themes.values()))
        strange = f" No exercises: {', '.join(self.unknown)}." if self.unknown else ""
        return (
            f"{len(self.passed)} of {whole} passed, kept in {_file().name} on this machine.{strange} "
            'For a class: print(helpers.progress().export("7")), with your name or number.'
        )

    def __repr__(self):
        rows = zip(*self._columns())
        lines = [f"{theme:<10} {done:>2} of {all_}, next: {to}" for theme, done, all_, to in rows]
        return "\n".join([*lines, self._note()])

    def _repr_html_(self):
        head = ["theme", "passed", "of", "next"]
        return tabled.table(head, self._columns(), named=1, note=self._note())


def progress() -> Progress:
    """Which exercises you have passed, by theme; `.export(who)` makes a line of it for a class.

    Returns a Progress. Raises ValueError where the file of it is not text, OSError where it cannot
    be read.
    """
    return Progress(_text().split())
