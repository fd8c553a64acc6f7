"""Make an assignment for nbgrader: `python -m tests.tools.make_assignment NOTEBOOK ...` writes
assignments/source/NAME/NAME.ipynb for each, which Git leaves out, and a configuration beside them.

In the notebook each starter is followed by its solution, between the marks that nbgrader cuts out,
and by a locked cell of one point: the collection's own check. It works where the notebook lies, so
that its paths hold wherever nbgrader runs it. notebooks/teaching/nbgrader.md says the rest.
"""

import os
import re
import sys

import nbformat
import nbformat.v4

from . import refresh, solutions

OUT = refresh.ROOT / "assignments"
CONFIG = """import os

c = get_config()
c.ClearSolutions.code_stub = {"python": "# your answer: in the place of the dots, or here"}
os.environ["DAY9_MY_PROGRESS"] = os.devnull  # what learners solved, who grades has not
"""
CHECK = re.compile(r'\n*helpers\.check\("[\w-]+", (?P<answer>\w+)\)\s*$')
PLACE = """# Leave this cell as it is: it finds the files that the notebook reads.
import os
from pathlib import Path

import helpers

os.chdir(Path(helpers.__file__).parents[1] / {folder!r})"""


def _graded(id, grade=False, solution=False):
    """nbgrader's own mark of a cell; a cell that is no solution is locked."""
    mark = {"grade": grade, "grade_id": id, "locked": not solution, "schema_version": 3}
    points = {"points": 1} if grade else {}
    return {"nbgrader": mark | {"solution": solution, "task": False} | points}


def made(path):
    """The notebook at `path` as the source of an assignment."""
    nb = nbformat.from_dict(refresh.read(path))
    of = {exercise.starter: exercise for exercise in solutions.of(nb)}
    folder = path.parent.relative_to(refresh.ROOT).as_posix()
    place = nbformat.v4.new_code_cell(PLACE.format(folder=folder), metadata=_graded("place"))
    found = [nb.cells[0], place]
    for cell in nb.cells[1:]:
        if any(tag.startswith("generated") for tag in cell.metadata.get("tags", [])):
            continue  # links and pictures that lead elsewhere from there
        if cell.source in of:
            found += _exercise(of[cell.source])
            continue
        cell.source = solutions.SOLUTION.sub("", cell.source).strip()
        if cell.source:
            found.append(cell)
    for cell in found:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nb.cells = found
    return nb


def _exercise(exercise):
    """The cells of an exercise: what is to be solved, and what grades it."""
    answer, solved = (
        CHECK.search(code)["answer"] for code in (exercise.starter, exercise.solution)
    )
    solution = CHECK.sub("", exercise.solution)
    if solved != answer:  # the check is of the starter's name
        solution += f"\n{answer} = {solved}"
    todo = "\n".join(
        [
            CHECK.sub("", exercise.starter),
            "### BEGIN SOLUTION",
            solution,
            "### END SOLUTION",
            f'helpers.check("{exercise.name}", {answer})',
        ]
    )
    grade = (
        "from helpers.exercises import differs\n\n"
        f'wrong = differs("{exercise.name}", {answer})\nassert not wrong, wrong'
    )
    return [
        nbformat.v4.new_code_cell(todo, metadata=_graded(exercise.name, solution=True)),
        nbformat.v4.new_code_cell(grade, metadata=_graded(f"{exercise.name}-graded", grade=True)),
    ]


def main(args):
    if not args:
        sys.exit(__doc__)
    for path in refresh.chosen(args):
        file = OUT / "source" / path.stem / path.name
        file.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(made(path), file)
        print(os.path.relpath(file))
    OUT.joinpath("nbgrader_config.py").write_text(CONFIG, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
