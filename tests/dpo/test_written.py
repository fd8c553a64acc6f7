"""The judges of what a model writes, and the stored runs that 3_dpo/06 shows."""

import math

import pytest

from helpers.dpo import written


@pytest.mark.parametrize(
    "text, unit, we, short",
    [
        ("It's 68°F and sunny!", 1, 0, -5),
        ("20 °C, sunny.", -1, 0, -3),
        ("20 °C, which is 68 degrees F.", 0, 0, -7),
        ("We fixed the stove.", 0, 1, -4),
        ("Well, we did.", 0, 0, -3),
        ("", 0, 0, 0),
    ],
)
def test_a_judge_counts_what_it_says(text, unit, we, short):
    assert (written.unit(text), written.we(text), written.short(text)) == (unit, we, short)


def test_distinct_falls_where_words_return():
    assert written.distinct(["one two three"]) == 1
    assert written.distinct(["the the the the"]) == 0.25
    assert written.distinct(["one two", "", "no no"]) == 0.75
    with pytest.raises(ValueError, match="no text has a word"):
        written.distinct(["", "…"])


def test_a_win_rate_leaves_ties_out_and_turns_with_the_pairs():
    after, before = ["1 °F", "1 °F", "1 °C", "nothing"], ["1 °C", "", "", "nothing"]
    won, decided, (low, high) = written.win_rate(written.unit, after, before)
    assert (won, decided) == (2, 3) and low < 2 / 3 < high
    assert written.win_rate(written.unit, after, before, flipped=True)[:2] == (1, 3)
    assert written.win_rate(written.unit, [""], [""]) == (0, 0, (0.0, 1.0))


@pytest.mark.parametrize("name, fewest", [("weather", 18), ("house_style", 10), ("support", 50)])
def test_a_file_teaches_what_its_judge_sees(name, fewest):
    said = [
        [row[key][0]["content"] for row in written.lines(name)]
        for key in ("preferred_output", "non_preferred_output")
    ]
    won, decided, _ = written.win_rate(written.JUDGES[name], *said)
    assert won >= fewest and won > 0.8 * decided


@pytest.mark.parametrize("name", written.runs())
def test_a_stored_run_is_what_it_says(name):
    one = written.run(name)
    assert one.steps[0]["train_reward_margin"] == 0
    assert one.steps[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert len(one.before) == len(one.after) == written.stored()["settings"]["asked"]
    assert [row["step"] for row in written.at_checkpoints(name)] == [6, 12, 18]
    assert one.peak_mb < 1_000
    others = [n for n in written.runs() if n != name]
    assert all(written.run(n).after != one.after for n in others)  # none is stored twice


def test_a_run_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(LookupError, match="weather_flipped"):
        written.run("winter")
