"""Assignments for nbgrader: its marks, and points for answers alone."""

import ast
import os
import re
import types

import pytest

import helpers

from . import make_assignment, refresh, solutions

CUT = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.S)  # as nbgrader does
BOOKS = refresh.notebooks()


def marked(nb):
    """{id that nbgrader has for a cell: the cell}"""
    cells = [c for c in nb.cells if "nbgrader" in c.metadata]
    found = {c.metadata.nbgrader.grade_id: c for c in cells}
    assert len(found) == len(cells), "each id once"
    return found


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_each_exercise_is_a_place_for_the_answer_and_a_locked_cell_of_a_point(path):
    nb, of = make_assignment.made(path), solutions.of(refresh.read(path))
    cells = marked(nb)
    assert list(cells) == ["place"] + [i for e in of for i in (e.name, f"{e.name}-graded")]
    for exercise in of:
        todo, graded = cells[exercise.name], cells[f"{exercise.name}-graded"]
        assert todo.metadata.nbgrader.solution and not todo.metadata.nbgrader.locked
        mark = graded.metadata.nbgrader
        assert mark.grade and mark.locked and mark.points == 1 and not mark.solution
        # what is handed out is the starter, and no line of a solution is anywhere
        assert CUT.sub("", todo.source) == re.sub("\n+(?=helpers.check)", "\n", exercise.starter)
        ast.parse(todo.source), ast.parse(graded.source)
    text = CUT.sub("", "\n".join(c.source for c in nb.cells))
    assert "Solution</summary>" not in text and not [c for c in nb.cells if c.get("outputs")]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_point_is_for_the_solution_and_not_for_the_starter(path):
    """Of the second exercise, a choice, which needs nothing of its notebook."""
    cells = marked(make_assignment.made(path))
    name = list(cells)[-2]
    todo, graded = cells[name].source, cells[f"{name}-graded"].source
    exec(f"{todo}\n{graded}", {"helpers": helpers})
    with pytest.raises(AssertionError, match="dots|is still open"):
        exec(f"{CUT.sub('', todo)}\n{graded}", {"helpers": helpers})


def test_who_grades_has_not_passed_what_learners_did(monkeypatch):
    """nbgrader runs its configuration, and the notebooks in kernels that have its environment."""
    monkeypatch.setenv("DAY9_MY_PROGRESS", "mine")
    config = types.SimpleNamespace(ClearSolutions=types.SimpleNamespace())
    exec(make_assignment.CONFIG, {"get_config": lambda: config})
    assert os.environ["DAY9_MY_PROGRESS"] == os.devnull
