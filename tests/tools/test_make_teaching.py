"""The pages for teachers: of now, true to the notebooks, and their wrong answers wrong."""

import re

import pytest

from helpers.exercises import REASONS

from . import make_teaching, refresh, solutions

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
TEXTS = make_teaching.texts()


def test_the_pages_are_of_now():
    for file, text in make_teaching.pages().items():
        assert file.read_text(encoding="utf-8") == text, (
            f"{file.name}: run `python -m tests.tools.make_teaching`"
        )


def test_the_answer_sheet_has_each_answer_and_its_reason_once():
    """test_cells.py runs the same solutions through their checks."""
    sheet = make_teaching.ANSWERS.read_text(encoding="utf-8")
    assert re.findall(r"^### (\S+)$", sheet, re.M) == list(REASONS)
    for path in refresh.notebooks():
        for exercise in solutions.of(refresh.read(path)):
            assert f"```python\n{exercise.solution}\n```" in sheet
            assert sheet.count(REASONS[exercise.name]) == 1


@pytest.mark.parametrize("name", TEXTS)
def test_what_a_teacher_is_told_is_on_the_page(name):
    """Two places, and something to say, in whole sentences; no number that the notebook has not."""
    text, path = TEXTS[name], refresh.NOTEBOOKS / f"{name}.ipynb"
    assert set(text) == {"first", "lost", "wrong", "skip", "why"} and len(text["lost"]) == 2
    said = [text["first"], text["why"], *(what for _, what in text["lost"])]
    assert all(sentence.rstrip("*")[-1] in ".?!" for sentence in said)
    nb = path.read_text(encoding="utf-8")
    seen = {number.replace(",", "") for number in NUMBER.findall(nb)}
    for number in NUMBER.findall(" ".join(said)):
        assert number.replace(",", "") in seen, f"{number} is nowhere in {name}"


@pytest.mark.parametrize(
    "change, said",
    [
        ({"lost": [["Gone", "x"], ["Recap", "x"]]}, "00_start_here has no section 'Gone'; it has"),
        ({"skip": ["Gone"]}, "00_start_here has no section 'Gone'"),
        ({"wrong": [["effort-1", "1"]]}, "no exercise 'effort-1'; it has start-1, start-2"),
        ({"wrong": [["start-2", "'no'"]]}, "'no' is no wrong answer to start-2: its check says Ri"),
    ],
)
def test_what_does_not_fit_the_notebook_is_named(change, said):
    path = refresh.NOTEBOOKS / "00_start_here.ipynb"
    with pytest.raises(ValueError, match=said):
        make_teaching.page(path, TEXTS["00_start_here"] | change)


def test_a_notebook_without_a_text_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(make_teaching, "TEXTS", tmp_path)
    (tmp_path / "one.toml").write_text('["1_o1/99_gone"]\nfirst = "x"\n', "utf-8")
    with pytest.raises(LookupError, match="^'?00_start_here: in data/teaching and in notebooks/"):
        make_teaching.texts()


def test_what_is_skipped_and_used_later_is_run_all_the_same():
    path = refresh.NOTEBOOKS / "1_o1/03_vision.ipynb"
    said = make_teaching.page(path, TEXTS["1_o1/03_vision"] | {"skip": ["A part on the bench"]})
    assert "bench*: 1 min; run its cells all the same, as *Try it* uses them\n" in said
