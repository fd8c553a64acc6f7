"""The exercises of a notebook, as they stand in it: what is asked, the starter, and the solution
that is folded away. The answer sheet, the solved copies and tests/notebooks/test_cells.py all read
them here.
"""

import re
from typing import NamedTuple

import nbformat.v4

from helpers.classroom.seats import SOLUTION

from . import refresh

CHECKED = re.compile(r'helpers\.check\("([\w-]+)"')
ASKED = re.compile(r"\*\*\d\.\*\* (?!.*\*\*\d\.\*\* ).*", re.S)  # the last that is numbered


class Exercise(NamedTuple):
    name: str  # as helpers.check knows it
    asked: str  # Markdown
    starter: str
    solution: str
    more: str  # Markdown that stands below the solution, where there is some


def of(nb):
    """The Exercises of a notebook, in order. ValueError where a starter has no solution."""
    starters, solutions, asked = [], [], ""
    for cell in nb.cells:
        if "starter" in cell.metadata.get("tags", []):
            starters.append((asked, cell.source))
        elif cell.cell_type == "markdown":
            solutions += [found.groups() for found in SOLUTION.finditer(cell.source)]
            found = ASKED.search(refresh.FOLDED.sub("", cell.source))
            asked = found[0].strip() if found else asked
    if len(starters) != len(solutions):
        raise ValueError(
            f"{refresh.title(nb)}: {len(starters)} starters and {len(solutions)} solutions"
        )
    return [
        Exercise(CHECKED.search(starter)[1], text, starter, code.rstrip("\n"), more.strip())
        for (text, starter), (code, more) in zip(starters, solutions)
    ]


def _unfolded(found):
    return f"{found['more'].strip()}\n\n" if found["more"].strip() else ""


def solved(nb):
    """A copy of a notebook in which each starter is its solution, which is folded away no more."""
    nb = nbformat.from_dict(nb)
    done = {e.starter: e.solution for e in of(nb)}
    for cell in nb.cells:
        if cell.source in done:
            cell.source = done[cell.source]
            cell.metadata.tags.remove("starter")
        elif cell.cell_type == "markdown":
            cell.source = SOLUTION.sub(_unfolded, cell.source).strip()
    nb.cells = [cell for cell in nb.cells if cell.source]
    return nb
