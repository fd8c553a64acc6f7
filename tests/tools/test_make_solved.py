"""Solved copies: each solution does in the place of its starter, and breaks nothing below it."""

import ast
import builtins
import dis
import os
import subprocess
import sys
import types

import nbformat.v4
import pytest

from helpers import exercises

from . import make_solved, refresh, solutions

BOOKS = refresh.notebooks()


def bound(source):
    """The names that a cell gives a value, outside of its functions."""
    return {i.argval for i in dis.get_instructions(compiled(source)) if i.opname == "STORE_NAME"}


def read(source):
    """The names of the notebook that a cell reads, in its functions too."""
    parts, found = [compiled(source)], set()
    while parts:
        part = parts.pop()
        parts += [const for const in part.co_consts if isinstance(const, types.CodeType)]
        found |= {
            i.argval for i in dis.get_instructions(part) if i.opname in ("LOAD_NAME", "LOAD_GLOBAL")
        }
    return found


def compiled(source):
    return compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def code(nb):
    return [c for c in nb.cells if c.cell_type == "code"]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_each_solution_is_in_its_place_and_needs_and_breaks_nothing(path):
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
        above = set().union(*(bound(c.source) for c in cells[:at]), dir(builtins))
        new, given = bound(exercise.solution), bound(exercise.starter)
        assert not read(exercise.solution) - above - new, (
            f"{exercise.name} stands in for the starter"
        )
        for below in cells[at + 1 :]:
            if not solutions.CHECKED.search(below.source):
                assert not (new ^ given) & read(below.source), below.source


def test_a_copy_is_run_and_its_checks_say_right(tmp_path, monkeypatch):
    monkeypatch.setenv("DAY9_MY_PROGRESS", os.devnull)
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        nbformat.v4.new_markdown_cell("# One\n\n**1.** Who said it?"),
        nbformat.v4.new_code_cell(
            'import helpers\nwho = ...\nhelpers.check("start-2", who)',
            metadata={"tags": ["starter"]},
        ),
        nbformat.v4.new_markdown_cell(
            "<details><summary>Solution</summary>\n\n```\n"
            'import helpers\nhelpers.check("start-2", "no")\n```\n\nBelow it.\n\n</details>'
        ),
    ]
    monkeypatch.setattr(refresh, "read", lambda path: nb)
    made = nbformat.read(make_solved.make("one.ipynb", tmp_path), 4)
    assert made.cells[1].outputs[0].text.startswith("Right. The frame says constructed")
    assert made.cells[2].source == "Below it." and nb.cells[1].source.startswith(
        "import helpers\nwho"
    )


def test_an_answer_that_its_check_does_not_call_right_is_named(tmp_path, monkeypatch):
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell('helpers.check("start-2", "yes")')]
    said = nbformat.v4.new_output("stream", text="Not yet: the answer is constructed\n")
    monkeypatch.setattr(refresh, "read", lambda path: nb)
    monkeypatch.setattr(refresh, "run", lambda nb, path: nb.cells[0].outputs.append(said))
    with pytest.raises(ValueError, match="one.ipynb: the check of start-2 says: Not yet: the answ"):
        make_solved.make("one.ipynb", tmp_path)


def test_a_cell_that_stops_is_shown_with_what_it_said(tmp_path, monkeypatch):
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell(c) for c in ("1 + 1", "import helpers\nlabelling", "3")]
    monkeypatch.setattr(refresh, "read", lambda path: nb)
    with pytest.raises(
        ValueError, match="one.ipynb: this cell stopped:\nimport helpers\nlabelling\nN"
    ):
        make_solved.make("one.ipynb", tmp_path)


def test_what_is_no_notebook_is_told_with_those_that_are():
    tool = [sys.executable, "-m", "tests.tools.make_solved", "notebooks/gone.ipynb"]
    said = subprocess.run(tool, cwd=refresh.ROOT, capture_output=True, text=True, encoding="utf-8")
    assert said.returncode == 1
    assert "gone.ipynb is none of the notebooks: 00_start_here.ipynb, 1_o1/" in said.stderr
