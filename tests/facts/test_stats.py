"""helpers.facts.stats against published examples and a second computation."""

import doctest
from math import sqrt
from statistics import NormalDist

import pytest

from helpers.facts import stats


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(stats).failed == 0


# Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3: the score interval
@pytest.mark.parametrize(
    "k, n, low, high",
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(k, n, low, high):
    assert stats.wilson_interval(k, n) == pytest.approx((low, high), abs=0.00005)


# Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10
@pytest.mark.parametrize(
    "k, n, j, m, low, high",
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_newcombe_gives_the_published_intervals(k, n, j, m, low, high):
    assert stats.newcombe_interval(k, n, j, m) == pytest.approx((low, high), abs=0.00005)


def solved(k, n, confidence, low, high):
    """Where |k/n - p| is z standard errors of p, by bisection between two shares."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    outside = lambda p: abs(k / n - p) > z * sqrt(p * (1 - p) / n)
    at_low = outside(low)
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if outside(middle) == at_low else (low, middle)
    return low


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("k, n", [(139, 224), (139, 225), (1, 9), (8, 9), (41, 225), (187, 200)])
def test_wilson_solves_the_score_equation(k, n, confidence):
    low, high = stats.wilson_interval(k, n, confidence)
    assert low == pytest.approx(solved(k, n, confidence, 1e-9, k / n), abs=1e-9)
    assert high == pytest.approx(solved(k, n, confidence, k / n, 1 - 1e-9), abs=1e-9)


def test_what_must_hold_of_any_interval():
    for n in (1, 2, 9, 34, 225):
        for k in range(0, n + 1, max(1, n // 7)):
            low, high = stats.wilson_interval(k, n)
            assert 0 <= low <= k / n <= high <= 1
            assert stats.wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low))
            wider = stats.wilson_interval(k, n, 0.99)
            assert wider[0] <= low and high <= wider[1]
            a, b = stats.newcombe_interval(k, n, 3, 10)
            c, d = stats.newcombe_interval(3, 10, k, n)
            assert (a, b) == pytest.approx((-d, -c)) and -1 <= a <= k / n - 0.3 <= b <= 1


@pytest.mark.parametrize(
    "k, n, confidence",
    [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0), (1, 5, 1), (1, 5, 95)],
)
def test_the_impossible_is_refused(k, n, confidence):
    with pytest.raises(ValueError):
        stats.wilson_interval(k, n, confidence)
    with pytest.raises(ValueError):
        stats.newcombe_interval(1, 5, k, n, confidence)


# The dermatologists of the SAS/STAT user's guide, PROC FREQ, "Cohen's kappa coefficient": 88
# patients, four grades
SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]


def choices(table):
    pairs = [
        (i, j) for i, row in enumerate(table) for j, count in enumerate(row) for _ in range(count)
    ]
    return [i for i, _ in pairs], [j for _, j in pairs]


def test_kappa_is_the_published_one():
    kappa, low, high = stats.cohen_kappa(*choices(SKIN))
    assert (kappa, low, high) == pytest.approx((0.3449, 0.2030, 0.4868), abs=0.0005)


def test_kappa_by_hand():
    """20 and 15 agreed of 50; chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; (0.7 - 0.5) / (1 - 0.5) = 0.4.
    Other orders, other names: the same.
    """
    first, second = choices([[20, 5], [10, 15]])
    kappa = stats.cohen_kappa(first, second)
    assert kappa[0] == pytest.approx(0.4)
    assert stats.cohen_kappa(second, first) == pytest.approx(kappa)
    assert stats.cohen_kappa(
        ["ab"[c] for c in first[::-1]], ["ab"[c] for c in second[::-1]]
    ) == pytest.approx(kappa)
    assert stats.cohen_kappa(first, first) == (1, 1, 1)
    assert stats.cohen_kappa([0, 1] * 20, [1, 0] * 20) == (-1, -1, -1)
    # nine in ten agreed, and not more than chance
    assert stats.cohen_kappa([0] * 40, [0] * 36 + [1] * 4)[0] == 0


def test_the_interval_of_kappa_is_the_spread_of_samples():
    """The standard error against the spread of kappa over 2000 samples of the same people."""
    import numpy as np

    draw = np.random.default_rng(9)
    first, second = map(np.array, choices(SKIN))
    kappa, low, high = stats.cohen_kappa(first, second)
    again = [
        stats.cohen_kappa(first[i], second[i])[0]
        for i in draw.integers(0, len(first), (2000, len(first)))
    ]
    assert np.std(again) == pytest.approx((high - low) / 2 / 1.96, rel=0.1)


@pytest.mark.parametrize("first, second", [([], []), ([1], [1, 2]), ([1, 1], [1, 1])])
def test_kappa_of_nothing_is_refused(first, second):
    with pytest.raises(ValueError):
        stats.cohen_kappa(first, second)
