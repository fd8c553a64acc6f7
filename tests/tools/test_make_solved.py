"""Solved copies: each solution in the place of its starter, and nothing below it that it breaks."""

import subprocess
import symtable
import sys

import nbformat.v4
import pytest

from helpers import exercises

from . import make_solved, refresh, solutions

BOOKS = refresh.notebooks()


def bound(source):
    """The names that a cell gives a value, outside of its functions."""
    symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    return {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}


def read(source):
    """The names of the notebook that a cell reads, in its functions too."""
    tables, found = [symtable.symtable(source, "cell", "exec")], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        outermost = table.get_type() == "module"
        found |= {
            s.get_name()
            for s in table.get_symbols()
            if s.is_referenced() and (outermost or s.is_global())
        }
    return found


def code(nb):
    return [c for c in nb.cells if c.cell_type == "code"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_each_solution_is_in_its_place_and_changes_no_name_that_is_read_below(path):
    nb = refresh.read(path)
    copy, of = solutions.solved(nb), solutions.of(nb)
    assert {e.name for e in of} <= set(exercises.REASONS) and all(e.asked for e in of)
    cells = code(copy)
    assert len(cells) == len(code(nb))
    assert [c.source for c in cells if solutions.CHECKED.search(c.source)] == [
        e.solution for e in of
    ]
    assert "Solution</summary>" not in "".join(c.source for c in copy.cells)
    assert not [c for c in cells if "starter" in c.metadata.get("tags", [])]
    for exercise in of:
        at = [c.source for c in cells].index(exercise.solution)
        new = bound(exercise.solution) - bound(exercise.starter)
        for below in cells[at + 1 :]:
            if not solutions.CHECKED.search(below.source):
                assert not new & read(below.source), below.source


def test_a_copy_is_run_and_its_checks_say_right(tmp_path, monkeypatch):
    for name, value in refresh.alike().items():
        monkeypatch.setenv(name, value)
    make_solved.beside(tmp_path)
    (tmp_path.parent / "data").symlink_to(refresh.ROOT / "data")  # cells read ../data
    made = refresh.read(make_solved.make("00_start_here.ipynb", tmp_path))
    said = ["".join(o.get("text", "") for o in c.outputs) for c in code(made)]
    assert [text.split(".")[0] for text in said if "Right" in text] == ["Right", "Right"]


def test_an_answer_that_its_check_does_not_call_right_is_named(tmp_path, monkeypatch):
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell('import helpers\nhelpers.check("start-2", "yes")')]
    monkeypatch.setattr(refresh, "read", lambda path: nb)
    with pytest.raises(ValueError, match="one.ipynb: the check of start-2 says: Not yet: the answ"):
        make_solved.make("one.ipynb", tmp_path)


def test_what_is_no_notebook_is_told_with_those_that_are():
    tool = [sys.executable, "-m", "tests.tools.make_solved", "notebooks/gone.ipynb"]
    said = subprocess.run(tool, cwd=refresh.ROOT, capture_output=True, text=True, encoding="utf-8")
    assert said.returncode == 1
    assert "gone.ipynb is none of the notebooks: 00_start_here.ipynb, 1_o1/" in said.stderr
