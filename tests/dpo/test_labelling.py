"""Labelling: blind, resumable, and what is written is what was chosen."""

import json
from collections import Counter
from pathlib import Path

import pytest

from helpers.dpo import labelling
from helpers.dpo.labelling import Labels, flipped
from helpers.facts import preference_file, whole_file

FILE = Path(__file__).resolve().parents[2] / "data" / "preferences" / "weather.jsonl"
ROWS = preference_file.read(FILE.read_bytes())[0][:20]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "my_pairs" / "weather.jsonl"


def fahrenheit(now):
    """What somebody chooses who likes Fahrenheit and nothing else."""
    likes = ["°F" in now.left, "°F" in now.right]
    return "tie" if likes[0] == likes[1] else "left" if likes[0] else "right"


def celsius(now):
    return {"left": "right", "right": "left", "tie": "tie"}[fahrenheit(now)]


def judge(labels, taste, n=None):
    while labels.now and n != 0:
        labels.choose(taste(labels.now))
        n = n and n - 1
    return labels


def written(path):
    rows, problems = preference_file.read(path.read_bytes(), "dpo")
    return rows, [p for p in problems if p.code != "invalid_n_examples"]


def test_the_file_holds_what_was_chosen_and_nothing_of_what_was_preferred_before(path):
    ours = judge(Labels(ROWS, path), fahrenheit)
    assert ours.done == ours.total == 20 and ours.now is None
    rows, problems = written(path)
    assert problems == [] and rows == ours.rows() and len(rows) == 20 - ours.counts()["tie"]
    assert all(
        "°F" in r["preferred_output"][0]["content"]
        and "°C" in r["non_preferred_output"][0]["content"]
        for r in rows
    )
    # a file labelled the other way round gives the same: its labels are not seen
    again = judge(Labels(flipped(ROWS), path.with_name("again.jsonl")), fahrenheit)
    assert again.rows() == ours.rows()


def test_the_file_flips_with_the_taste(path):
    one = judge(Labels(ROWS, path), fahrenheit).rows()
    other = judge(Labels(ROWS, path.with_name("other.jsonl")), celsius).rows()
    assert other == flipped(one) and flipped(flipped(one)) == one


def test_the_sides_are_blind_and_drawn_by_the_seed(path):
    shown = lambda seed: [
        (s := Labels(ROWS, path.with_name(f"{seed}.jsonl"), seed)) and s.now.left for seed in [seed]
    ][0]
    sides = Counter()
    for seed in range(40):
        labels = Labels(ROWS, path, seed)
        sides[labels.now.left in {r["preferred_output"][0]["content"] for r in ROWS}] += 1
    assert 8 <= sides[True] <= 32  # of 40, by a fair coin: outside once in ten thousand draws
    assert shown(1) == shown(1) and len({shown(seed) for seed in range(10)}) > 3


def test_always_the_left_one_is_seen_in_the_counts(path):
    labels = judge(Labels(ROWS, path), lambda now: "left")
    assert labels.counts() == {"left": 20, "right": 0, "tie": 0}
    # no taste: about half as the file had them
    assert 4 <= sum(r in ROWS for r in labels.rows()) <= 16


def test_a_session_closed_half_way_goes_on(path):
    first = judge(Labels(ROWS, path), fahrenheit, 7)
    waiting = first.now
    second = Labels(ROWS, path)
    assert (second.done, second.now) == (7, waiting)
    second.undo()
    assert second.done == 6 and second.now != waiting
    assert judge(Labels(ROWS, path), fahrenheit).done == 20
    # another order and other sides change nothing in what was chosen
    assert {json.dumps(r) for r in Labels(ROWS, path, seed=3).rows()} == {
        json.dumps(r) for r in Labels(ROWS, path).rows()
    }


def test_undo_takes_back_the_last_choice_and_its_line(path):
    labels = judge(Labels(ROWS, path), fahrenheit)
    for left in range(19, -1, -1):
        labels.undo()
        assert labels.done == left and written(path)[0] == labels.rows()
    labels.undo()
    assert labels.done == 0 and path.read_bytes() == b""


def test_choices_for_other_pairs_are_kept(path):
    judge(Labels(ROWS[:5], path), fahrenheit)
    other = judge(Labels(ROWS[5:], path), fahrenheit)
    assert other.done == other.total == 15
    assert (
        Labels(ROWS, path).done == 20
        and len(written(path)[0]) == 20 - Labels(ROWS, path).counts()["tie"]
    )
    other.undo()
    assert Labels(ROWS[:5], path).done == 5


def test_the_sentence_says_where_the_pairs_are_and_whether_they_are_enough(path):
    labels = judge(Labels(ROWS, path), lambda now: "tie", 1)
    judge(labels, lambda now: "left", 3)
    assert labels.said() == f"3 pairs in {path.as_posix()} (1 tie left out); a job needs 10."
    judge(labels, lambda now: "left")
    assert labels.said() == f"19 pairs in {path.as_posix()} (1 tie left out); fit for a tuning job."


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"choices": [{"pair": "a"}]}',
        '{"choices": [{"input": {"messages": []}, "answers": [], "chosen": "left"}]}',
        '{"choices": 3}',
        "\ufffd",
    ],
)
def test_a_broken_file_of_choices_is_named_and_left_alone(path, text):
    labels = judge(Labels(ROWS, path), fahrenheit, 3)
    pairs = path.read_bytes()
    labels.choices_path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="choices.json cannot be read .*move it away"):
        Labels(ROWS, path)
    assert labels.choices_path.read_text(encoding="utf-8") == text and path.read_bytes() == pairs


def test_a_write_that_fails_loses_nothing(path, monkeypatch):
    labels = judge(Labels(ROWS, path), fahrenheit, 3)
    monkeypatch.setattr(
        whole_file.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError):
        labels.choose("left")
    monkeypatch.undo()
    assert labels.done == 3  # what could not be saved is not taken as chosen
    assert Labels(ROWS, path).done == 3 and len(written(path)[0]) == 3 - labels.counts()["tie"]


@pytest.mark.parametrize(
    "rows, said",
    [
        ([], "no pairs"),
        ([{}], "row 1 is no preference pair: input: expected"),
        ([ROWS[0], {"messages": []}], "row 2 is no"),
        ([ROWS[0], {1, 2}], "row 2 is no"),
        ([ROWS[0], *flipped(ROWS[:1])], "row 2 is there twice"),
    ],
)
def test_rows_that_cannot_be_labelled_are_named(path, rows, said):
    with pytest.raises(ValueError, match=said):
        Labels(rows, path)


def test_a_choice_is_one_of_three_and_ends_with_the_pairs(path):
    labels = Labels(ROWS[:1], path)
    with pytest.raises(ValueError, match="left, right, tie"):
        labels.choose("both")
    labels.choose("tie")
    with pytest.raises(ValueError, match="every pair is judged"):
        labels.choose("left")


def test_the_widget_passes_on_what_is_pressed(path):
    widget = labelling.label(ROWS, path)
    press = lambda do, number=None: widget._pressed(
        widget, {"do": do, "number": number or widget.view["number"]}, []
    )
    assert not path.exists()  # nothing is written before something is chosen
    press("left")
    press("right", 1)  # a second press for the first pair, still on its way
    assert (widget.view["number"], widget.view["done"]) == (2, 1)
    press("tie")
    assert widget.view["said"] == f"1 pair in {path.as_posix()} (1 tie left out); a job needs 10."
    press("undo")
    assert widget.labels.counts() == {"left": 1, "right": 0, "tie": 0}
    assert (
        repr(widget)
        == "A widget to label 20 pairs: run this cell, then choose with 1, 2, 0 (tie) and u (undo)."
    )


def test_the_widget_says_when_it_could_not_save(path, monkeypatch):
    widget = labelling.label(ROWS, path)
    monkeypatch.setattr(
        whole_file.os, "replace", lambda *a: (_ for _ in ()).throw(OSError("disk full"))
    )
    widget._pressed(widget, {"do": "left", "number": 1}, [])
    assert widget.view["said"] == "Not saved: disk full"


def said_to(capsys, name, answer):
    import helpers

    helpers.check(name, answer)
    return capsys.readouterr().out.strip()


def test_the_exercises_name_what_differs(capsys):
    from helpers.exercises.dpo import TICKET

    say = lambda text: [{"role": "assistant", "content": text}]
    right = {
        "input": {"messages": [{"role": "user", "content": TICKET["customer"]}]},
        "preferred_output": say(TICKET["better"]),
        "non_preferred_output": say(TICKET["sent"]),
    }
    tell = lambda answer: said_to(capsys, "pairs-1", answer)
    assert tell(right).startswith("Right. ")
    briefed = [{"role": "developer", "content": "Be brief."}, *right["input"]["messages"]]
    assert tell({**right, "input": {"messages": briefed}}).startswith("Right. ")
    assert "changed places" in tell(labelling.flipped([right])[0])
    assert "supervised example" in tell(
        {"messages": right["input"]["messages"] + right["preferred_output"]}
    )
    assert (
        tell({**right, "preferred_output": TICKET["better"]})
        == "Not yet: preferred_output: expected a list of one assistant message, found '3 years.'."
    )
    assert "letter by letter" in tell({**right, "preferred_output": say("Three years.")})
    assert "last message" in tell(
        {**right, "input": {"messages": [{"role": "user", "content": "?"}]}}
    )
    assert tell(3).startswith("Not yet: ")
    assert said_to(
        capsys,
        "pairs-2",
        {"unit": "keep", "comma": "drop", "left": "again", "wrong": "again", "apart": "again"},
    ).startswith("Not yet: 'wrong': it teaches")
