"""helpers.stats against published examples and a second computation."""
import doctest
from math import sqrt
from statistics import NormalDist

import pytest

from helpers import stats


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(stats).failed == 0


# Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3: the score interval
@pytest.mark.parametrize("k, n, low, high", [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)])
def test_wilson_gives_the_published_intervals(k, n, low, high):
    assert stats.wilson_interval(k, n) == pytest.approx((low, high), abs=0.00005)


# Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10
@pytest.mark.parametrize("k, n, j, m, low, high", [
    (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926), (0, 10, 0, 20, -0.1611, 0.2775), (10, 10, 0, 10, 0.6075, 1.0000)])
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


@pytest.mark.parametrize("k, n, confidence", [(1, 0, 0.95), (-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0), (1, 5, 1), (1, 5, 95)])
def test_the_impossible_is_refused(k, n, confidence):
    with pytest.raises(ValueError):
        stats.wilson_interval(k, n, confidence)
    with pytest.raises(ValueError):
        stats.newcombe_interval(1, 5, k, n, confidence)
