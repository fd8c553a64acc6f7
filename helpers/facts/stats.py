"""Intervals for shares and for agreement: how far a score may be off because only so many cases
were tried.

They cover chance alone: that other cases of the same kind had been drawn. They know nothing of a
biased set, of cases that depend on each other, or of a score that is zero by construction.
"""

from __future__ import annotations

from collections import Counter
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from ..common.whole import is_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """(lowest, highest) share that is in keeping with `successes` of `n` cases, as fractions of 1.

    Wilson's score interval: the shares p whose distance from successes/n is at most z standard
    errors of p. It stays within 0 and 1 and works for 0 and for n successes. ValueError for
    impossible counts or a confidence outside (0, 1).

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927), 209-212.

    >>> [round(share, 4) for share in wilson_interval(81, 263)]
    [0.2553, 0.3662]
    >>> wilson_interval(0, 20)[0]
    0.0
    """
    z = _z(confidence)
    if not (is_whole(n) and is_whole(successes) and 0 < n and 0 <= successes <= n):
        raise ValueError(
            f"{successes} successes of {n} cases are impossible: whole numbers, and at least one case"
        )
    p = successes / n
    middle = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return (
        0.0 if successes == 0 else low,
        1.0 if successes == n else high,
    )  # exact, without a rounding error


def newcombe_interval(
    successes: int, n: int, other_successes: int, other_n: int, confidence: float = 0.95
) -> tuple[float, float]:
    """(lowest, highest) difference, first share minus the other, that fits the two counts, in
    fractions of 1.

    Newcombe's hybrid score interval for two independent samples, made of their two Wilson
    intervals. Where both were asked the same cases the pairs would tell more; published totals do
    not have them, and this interval is then usually wider than needed. ValueError as in
    `wilson_interval`.

    Source: R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10.

    >>> [round(d, 4) for d in newcombe_interval(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = (
        wilson_interval(successes, n, confidence),
        wilson_interval(other_successes, other_n, confidence),
    )
    p, q = successes / n, other_successes / other_n
    return p - q - sqrt((p - low) ** 2 + (other_high - q) ** 2), p - q + sqrt(
        (high - p) ** 2 + (q - other_low) ** 2
    )


def cohen_kappa(
    first: Iterable[Hashable], second: Iterable[Hashable], confidence: float = 0.95
) -> tuple[float, float, float]:
    """(kappa, lowest, highest) of two people who put the same cases into the same categories.

    first, second: their categories, case by case, in any values. kappa is the agreement beyond
    chance: 1 for none but equal choices, 0 for what two people who choose at their own rates
    without looking would reach, below 0 for less. The interval is kappa and z standard errors, kept
    within -1 and 1; it is for large samples, and with fewer than some 30 cases too narrow.
    ValueError for lists of other lengths, for none, and where both chose one and the same category
    throughout: chance alone then agrees always.

    Sources: J. Cohen, Educational and Psychological Measurement 20 (1960), 37-46; the standard
    error: J. L. Fleiss, J. Cohen and B. S. Everitt, Psychological Bulletin 72 (1969), 323-327.

    >>> first, second = "yes " * 25 + "no " * 25, "yes " * 20 + "no " * 5 + "yes " * 10 + "no " * 15
    >>> round(cohen_kappa(first.split(), second.split())[0], 3)
    0.4
    """
    first, second, z = list(first), list(second), _z(confidence)
    n = len(first)
    if not n or n != len(second):
        raise ValueError(
            f"two lists of choices for the same cases are needed, not {n} and {len(second)}"
        )
    share: Callable[[Iterable], dict] = lambda choices: {
        category: count / n for category, count in Counter(choices).items()
    }
    both, one, other = share(zip(first, second)), share(first), share(second)
    agreed = sum(p for (a, b), p in both.items() if a == b)
    chance = sum(p * other.get(category, 0) for category, p in one.items())
    if chance == 1:
        raise ValueError(
            "both chose the same category for every case: kappa is not defined, as chance alone agrees always"
        )
    kappa = (agreed - chance) / (1 - chance)
    spread = sum(
        p * (1 - (one[a] + other[a]) * (1 - kappa)) ** 2
        if a == b
        else p * ((other.get(a, 0) + one.get(b, 0)) * (1 - kappa)) ** 2
        for (a, b), p in both.items()
    )
    error = sqrt(max(0.0, spread - (kappa - chance * (1 - kappa)) ** 2) / n) / (1 - chance)
    return kappa, max(-1.0, kappa - z * error), min(1.0, kappa + z * error)


def _z(confidence):
    """How many standard errors a two-sided confidence spans: 1.96 for 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return NormalDist().inv_cdf((1 + confidence) / 2)
