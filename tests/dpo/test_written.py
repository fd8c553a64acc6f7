"""The judges of what a model writes, and the stored runs that 3_dpo/06 shows."""

import pytest

from helpers.dpo import written


@pytest.mark.parametrize(
    "text, unit, quiet, short",
    [
        ("It's 68°F and sunny!", 1, -1, -5),
        ("20 °C, sunny.", -1, 0, -3),
        ("20 °C, which is 68 degrees F.", 0, 0, -7),
        ("A FAST & amazing stove", 0, -3, -4),
        ("", 0, 0, 0),
    ],
)
def test_a_judge_counts_what_it_says(text, unit, quiet, short):
    assert (written.unit(text), written.quiet(text), written.short(text)) == (unit, quiet, short)


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


@pytest.mark.parametrize("name", written.JUDGES)
def test_held_out_pairs_differ_in_what_their_judge_sees(name):
    pairs = written.held_out_pairs(name)
    said = [[row[key][0]["content"] for row in pairs] for key in ("preferred_output", "non_preferred_output")]  # fmt: skip
    won, decided, _ = written.win_rate(written.JUDGES[name], *said)
    assert len(pairs) == 20 and won == decided >= 18
