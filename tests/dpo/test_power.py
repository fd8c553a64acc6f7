"""Judging: the power of each test, played out or counted by hand, and the exercises."""

import itertools
import math

import numpy as np
import pytest

from helpers import exercises
from helpers.dpo import power


def coin(n, least, p=0.5):
    """P(at least `least` of n), one outcome at a time."""
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(least, n + 1))


# The sign test


def test_the_sign_test_counts_the_splits_of_a_coin():
    for n in range(1, 9):
        for wins in range(n + 1):
            uneven = sum(
                abs(2 * sum(throw) - n) >= abs(2 * wins - n)
                for throw in itertools.product((0, 1), repeat=n)
            )
            assert power.sign_test(wins, n - wins) == pytest.approx(uneven / 2**n)
    assert power.sign_test(0, 0) == 1 and power.sign_test(9, 0) == power.sign_test(0, 9)


@pytest.mark.parametrize("wins, losses", [(-1, 3), (3, -1)])
def test_impossible_counts_are_refused(wins, losses):
    with pytest.raises(ValueError, match="0 or more"):
        power.sign_test(wins, losses)


@pytest.mark.parametrize("n", [1, 5, 6, 20, 57, 200, 1000])
def test_equal_models_are_called_different_no_more_often_than_promised(n):
    assert power.of_pairs(n, 0.5) <= power.LUCK / 2
    assert power.of_same_questions(n, 0.1, 0.1) <= power.LUCK / 2
    assert power.of_pairs(5, 0.99) == 0, "5 of 5 is no finding at 5 %, two-sided"


# Power


@pytest.mark.parametrize("n, p", [(20, 0.6), (20, 0.8), (51, 0.7), (200, 0.55)])
def test_power_of_pairs_is_the_chance_of_enough_wins(n, p):
    least = next(k for k in range(n + 1) if power.sign_test(k, n - k) <= power.LUCK and 2 * k > n)
    assert power.of_pairs(n, p) == pytest.approx(coin(n, least, p))


@pytest.mark.parametrize(
    "n, lost, won", [(100, 0.05, 0.10), (157, 0.0, 0.05), (300, 0.15, 0.20), (500, 0.01, 0.06)]
)
def test_power_on_the_same_questions_is_what_experiments_find(n, lost, won):
    draws = np.random.default_rng(6).multinomial(n, [lost, won, 1 - lost - won], size=6000)
    found = np.mean([w > l and power.sign_test(int(w), int(l)) <= power.LUCK for l, w, _ in draws])
    # four standard errors of 6,000
    assert power.of_same_questions(n, lost, won) == pytest.approx(found, abs=0.025)


@pytest.mark.parametrize(
    "n, before, after", [(40, 0.5, 0.8), (100, 0.75, 0.80), (1000, 0.75, 0.80), (30, 0.9, 0.99)]
)
def test_power_of_two_groups_is_what_experiments_find(n, before, after):
    old, new = np.random.default_rng(6).binomial(n, [[before], [after]], size=(2, 20000)) / n
    pooled = (old + new) / 2
    with np.errstate(invalid="ignore"):
        z = (new - old) / np.sqrt(pooled * (1 - pooled) * 2 / n)
    assert power.of_two_groups(n, before, after) == pytest.approx(np.mean(z > 1.959964), abs=0.015)


def test_rogos_five_points_need_what_the_textbook_formula_says():
    z, beta, p, q = 1.959964, 0.841621, 0.75, 0.80
    mean = (p + q) / 2
    formula = (
        z * math.sqrt(2 * mean * (1 - mean)) + beta * math.sqrt(p * (1 - p) + q * (1 - q))
    ) ** 2 / (q - p) ** 2
    assert power.needed(lambda n: power.of_two_groups(n, p, q)) == pytest.approx(formula, rel=0.01)


def test_independent_answers_to_the_same_questions_need_as_many_as_two_sets():
    own = power.needed(lambda n: power.of_two_groups(n, 0.75, 0.80))
    same = power.needed(lambda n: power.of_same_questions(n, 0.75 * 0.20, 0.25 * 0.80))
    assert 0.95 < same / own < 1.1
    assert power.needed(lambda n: power.of_same_questions(n, 0, 0.05)) < own / 5


def test_needed_finds_an_edge_or_says_that_there_is_none():
    n = power.needed(lambda n: power.of_pairs(n, 0.6))
    assert power.of_pairs(n, 0.6) >= 0.8 > power.of_pairs(n - 1, 0.6)
    with pytest.raises(ValueError, match="4096 cases are too few"):
        power.needed(lambda n: power.of_pairs(n, 0.501))


@pytest.mark.parametrize(
    "call",
    [
        lambda: power.of_pairs(20, 60),
        lambda: power.of_two_groups(20, 75, 80),
        lambda: power.of_two_groups(20, 0.75, 1),
        lambda: power.of_same_questions(20, 0.6, 0.6),
        lambda: power.of_same_questions(20, 0, 0),
    ],
)
def test_a_share_in_per_cent_or_out_of_range_is_refused(call):
    with pytest.raises(ValueError, match="between 0 and 1"):
        call()


def test_without_a_question_nothing_is_found_and_cases_are_whole():
    assert power.of_two_groups(0, 0.75, 0.80) == power.of_pairs(0, 0.6) == 0
    assert power.of_same_questions(100.0, 0.05, 0.10) == power.of_same_questions(100, 0.05, 0.10)
    for n in (2.5, -1):
        with pytest.raises(ValueError, match="whole number, 0 or more"):
            power.of_two_groups(n, 0.75, 0.80)


# The exercises


def right(first, second):
    return {("first", "second"): "tuned", ("second", "first"): "base"}.get((first, second), "tie")


@pytest.mark.parametrize(
    "answer, said",
    [
        (right, "Right."),
        (
            lambda a, b: "tuned" if a == "first" else "base",
            "'first' and then 'first' it returns 'tuned'",
        ),
        (lambda a, b: "tuned" if a == b == "first" else right(a, b), "'first' and then 'first'"),
        (lambda a, b: None, "returns None"),
        ("tuned", "a function"),
        (lambda a: "tie", "raised TypeError"),
    ],
)
def test_each_slip_in_joining_two_judgements_is_recognised(answer, said, capsys):
    exercises.check("judging-1", answer)
    assert said in capsys.readouterr().out


def test_the_reports_of_the_second_exercise_are_what_it_says():
    assert 0.05 < power.sign_test(26, 14) < 0.1
    assert power.sign_test(130, 70) < 0.001 and power.sign_test(140, 60) < 0.001
