"""Make solved copies: `python -m tests.tools.make_solved [NOTEBOOK ...]` (default: all) writes them
into solved/, which Git leaves out.

Each is the notebook with its exercises solved, run from top to bottom, beside copies of what
notebooks/ has besides, so that its paths and links hold. A copy that does not run, or whose answer
its check does not call right, ends this with 1.
"""

import os
import shutil
import sys

import nbclient.exceptions
import nbformat

from helpers.classroom import seats

from . import refresh, solutions

OUT = refresh.ROOT / "solved"


def make(name, out=OUT):
    """Write the solved copy of the notebook `name`, a path below notebooks/.

    ValueError where a cell stops, or a check does not say "Right.".
    """
    nb, path = solutions.solved(refresh.read(refresh.NOTEBOOKS / name)), out / name
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = []  # what is shown is of this run
    try:
        refresh.run(nb, path)
    except nbclient.exceptions.CellExecutionError as error:
        last = [cell for cell in nb.cells if cell.get("outputs")][-1]
        raise ValueError(f"{name}: this cell stopped:\n{last.source}\n{_said(last)}") from error
    refresh.tidy(nb)
    checked = {
        found[1]: _said(cell)
        for cell in nb.cells
        if cell.cell_type == "code" and (found := solutions.CHECKED.search(cell.source))
    }
    for exercise, said in checked.items():
        if "Right. " not in said:
            raise ValueError(f"{name}: the check of {exercise} says: {said}")
    nbformat.write(nb, path)
    return path


def _said(cell):
    """What a cell shows, as text."""
    parts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "".join(parts).strip()


def beside(out=OUT):
    """Copy what notebooks read and show: pictures, programs, the glossary."""
    others = shutil.ignore_patterns(*seats.MADE, "teaching", "*.ipynb")
    shutil.copytree(refresh.NOTEBOOKS, out, ignore=others, dirs_exist_ok=True)


def main(args):
    paths = refresh.chosen(args)
    os.environ |= refresh.alike()
    beside()
    for path in paths:
        try:
            made = make(path.relative_to(refresh.NOTEBOOKS).as_posix())
        except ValueError as error:
            sys.exit(f"Not solved. {error}")
        print(os.path.relpath(made), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
