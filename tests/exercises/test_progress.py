"""What a reader has passed: kept a line each, shown by theme, exported with a name and no more."""

import json
import os
import re

import pytest

import helpers
from helpers import exercises
from helpers.exercises import progress
from tests.tools import refresh

STARTED = re.compile(r'helpers\.check\("([\w-]+)"')


def started():
    """The exercises that the notebooks set, in the order of reading."""
    return [
        name
        for path in refresh.notebooks()
        for cell in refresh.read(path).cells
        if "starter" in cell.metadata.get("tags", [])
        for name in STARTED.findall(cell.source)
    ]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The reader's own file, which is not there yet."""
    file = tmp_path / "my_progress.txt"
    monkeypatch.setenv("DAY9_MY_PROGRESS", str(file))
    return file


def test_what_is_passed_is_kept_once_and_what_is_not_is_not(own, capsys):
    assert helpers.progress().passed == []
    for name, answer in [("start-2", "yes"), ("start-2", "no"), ("start-1", "Friday")] * 2:
        helpers.check(name, answer)
    assert own.read_bytes() == b"start-2\nstart-1\n"
    shown = helpers.progress()
    assert shown.passed == ["start-1", "start-2"], "in the order of the notebooks"
    assert "start       2 of 2, next: –" in repr(shown) and "next: developer-1" in repr(shown)
    assert f"2 of {len(started())} passed" in shown._repr_html_()
    assert "developer-1" in shown._repr_html_()


@pytest.mark.parametrize("who", ["7", 7, " 7 "])
def test_what_is_exported_is_a_name_and_what_is_passed_and_nothing_else(own, who):
    own.write_text("effort-1\nstart-1\n", "utf-8")
    line = helpers.progress().export(who)
    assert json.loads(line) == {"who": "7", "passed": ["start-1", "effort-1"]}
    assert "\n" not in line and "小明" in helpers.progress().export("小明")


@pytest.mark.parametrize("who", ["", "  ", None, True, {"name": "Ann"}, "x" * 61, "a\nb"])
def test_what_is_no_name_is_refused_with_what_would_be_one(own, who):
    with pytest.raises(ValueError, match="neither a name nor a number.*up to 60"):
        helpers.progress().export(who)


def test_lines_that_name_no_exercise_are_told_and_not_counted(own):
    own.write_text("start-1\n\neffort-9\r\neffort-9\nstart-1", "utf-8")
    shown = helpers.progress()
    assert shown.passed == ["start-1"] and "No exercises: effort-9." in repr(shown)
    assert "effort-9" not in shown.export("7")


def test_a_file_that_cannot_be_read_is_named_and_a_check_still_says_right(own, capsys):
    own.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"my_progress\.txt is not UTF-8 text.*delete it"):
        helpers.progress()
    helpers.check("start-2", "no")
    right, why = capsys.readouterr().out.splitlines()
    assert right.startswith("Right. ") and "does not know of it" in why and str(own) in why
    own.unlink()
    own.mkdir()
    helpers.check("start-2", "no")
    assert str(own) in capsys.readouterr().out.replace("\\\\", "\\").splitlines()[1]


def test_a_line_that_a_hand_left_open_is_not_run_into(own):
    own.write_text("start-1", "utf-8")
    helpers.check("start-2", "no")
    assert helpers.progress().passed == ["start-1", "start-2"]


def test_the_order_is_that_of_the_notebooks():
    assert [name for names in exercises.by_theme().values() for name in names] == started()


def test_the_tests_solve_nothing_for_the_reader():
    assert os.environ["DAY9_MY_PROGRESS"] == os.devnull
    assert progress.OWN.name in (refresh.ROOT / ".gitignore").read_text("utf-8")
