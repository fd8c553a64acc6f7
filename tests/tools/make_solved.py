"""Make solved copies: `python -m tests.tools.make_solved [NOTEBOOK ...]` (default: all) writes them
into solved/, which Git leaves out.

Each is the notebook with its exercises solved, run from top to bottom, beside copies of what
notebooks/ has besides, so that its paths and links hold. A copy that does not run, or whose answer
its check does not call right, ends this with 1.
"""

import os
import shutil
import sys
from pathlib import Path

import nbclient.exceptions
import nbformat

from tests import lab

from . import refresh, solutions

OUT = refresh.ROOT / "solved"


def make(name, out=OUT):
    """Write the solved copy of the notebook `name`, a path below notebooks/.

    ValueError where a check does not say "Right."; nbclient's CellExecutionError where a cell
    stops.
    """
    nb, path = solutions.solved(refresh.read(refresh.NOTEBOOKS / name)), out / name
    refresh.run(nb, path)
    refresh.tidy(nb)
    checked = {
        found[1]: "".join(o.get("text", "") for o in cell.outputs)
        for cell in nb.cells
        if cell.cell_type == "code" and (found := solutions.CHECKED.search(cell.source))
    }
    for exercise, said in checked.items():
        if "Right. " not in said:
            raise ValueError(f"{name}: the check of {exercise} says: {said.strip()}")
    nbformat.write(nb, path)
    return path


def beside(out=OUT):
    """Copy what notebooks read and show: pictures, programs, the glossary."""
    others = shutil.ignore_patterns(*lab.MADE, "teaching", "*.ipynb")
    shutil.copytree(refresh.NOTEBOOKS, out, ignore=others, dirs_exist_ok=True)


def main(args):
    there = {path.resolve(): path for path in refresh.notebooks()}
    unknown = [arg for arg in args if Path(arg).resolve() not in there]
    if unknown:
        sys.exit(
            f"{unknown[0]} is none of the notebooks: {', '.join(lab.notebooks())} in notebooks/"
        )
    os.environ |= refresh.alike()
    beside()
    for path in [there[Path(arg).resolve()] for arg in args] or refresh.notebooks():
        try:
            made = make(path.relative_to(refresh.NOTEBOOKS).as_posix())
        except (ValueError, nbclient.exceptions.CellExecutionError) as error:
            sys.exit(f"{path.name} was not solved. {error}")
        print(os.path.relpath(made), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
