"""How many questions it takes: the chance that a test finds a difference which is there.

All exact for the test named, by adding up every outcome; `tests/dpo/test_power.py` plays them out,
too. Two-sided at 5 %, and only a finding in the right direction counts. Cases are taken to be
independent of each other: ten answers to one question are not ten cases.
"""

import functools

import numpy as np

from ..common.whole import whole

LUCK = 0.05  # how often a test may cry "difference" where there is none
_Z = 1.959963984540054  # standard normal, two-sided 5 %


def sign_test(wins, losses):
    """p-value, two-sided: how often a coin would split wins + losses at least as unevenly. Ties are
    left out.

    ValueError for counts below 0. No case at all: 1.

    >>> round(sign_test(9, 0), 4), round(sign_test(26, 14), 4)
    (0.0039, 0.0807)
    """
    wins, losses = whole(wins, "the number of wins"), whole(losses, "the number of losses")
    n = wins + losses
    return min(1.0, 2 * float(_chances(n, 0.5)[max(wins, losses) :].sum()))


def of_pairs(n, share):
    """Power of the sign test on n judged pairs (no ties) when the better one wins with the chance
    `share`.

    >>> round(of_pairs(20, 0.6), 2), round(of_pairs(200, 0.6), 2)
    (0.13, 0.79)
    """
    n = whole(n, "the number of cases")
    _share(share)
    return float(_chances(n, share)[_fewest_wins(n) :].sum())


def of_two_groups(n, before, after):
    """Power of comparing two shares, n questions each and other ones for each model: the pooled
    z-test.

    `before`, `after`: the true shares, after > before. The n of the usual formula for 80 % power:

    >>> round(of_two_groups(1094, 0.75, 0.80), 2)
    0.8
    """
    n = whole(n, "the number of cases")
    _share(before), _share(after)
    if n == 0:
        return 0.0  # as in the other two: without a question nothing is found
    chances = _chances(n, before), _chances(n, after)
    likely = [np.flatnonzero(c > 1e-12) for c in chances]
    old, new = likely[0][:, None], likely[1][None, :]
    pooled = (old + new) / (2 * n)
    # the difference of the counts and its standard error
    found = (new - old) > _Z * np.sqrt(2 * n * pooled * (1 - pooled))
    return float(chances[0][likely[0]] @ found @ chances[1][likely[1]])


def of_same_questions(n, lost, won):
    """Power of asking both models the same n questions and testing those that changed (McNemar's
    test, exact).

    `lost`: share of questions that only the old model answers rightly, `won`: only the new one. The
    gain is won - lost; questions that both answer rightly, or both wrongly, say nothing.

    >>> round(of_same_questions(500, 0.05, 0.10), 2)
    0.8
    """
    n = whole(n, "the number of cases")
    _share(lost + won)
    changed = _chances(n, lost + won)
    likely = np.flatnonzero(changed > 1e-12)
    return float(
        sum(changed[m] * _chances(m, won / (lost + won))[_fewest_wins(m) :].sum() for m in likely)
    )


def needed(power, *, enough=0.8, most=4096):
    """Smallest n found, by halving, with power(n) >= enough. `power`: function of n. ValueError if
    `most` is too few.

    Exact tests jump: a few of the next larger n may fall short of `enough` by a percent or two.
    """
    if power(most) < enough:
        raise ValueError(
            f"{most} cases are too few to find it in {enough:.0%} of tries: the difference is too small, or the other way round"
        )
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= enough else (middle, high)
    return high


def _share(p):
    if not 0 < p < 1:
        raise ValueError(f"a share lies between 0 and 1, not {p}")


def _chances(n, p):
    """Binomial probabilities of 0, 1, ..., n."""
    if p == 1:
        return np.eye(n + 1)[n]
    k = np.arange(n + 1)
    logs = _log_factorials(1 << max(12, int(n).bit_length()))
    return np.exp(logs[n] - logs[k] - logs[n - k] + k * np.log(p) + (n - k) * np.log1p(-p))


@functools.cache
def _log_factorials(most):
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])


@functools.lru_cache(1 << 13)
def _fewest_wins(n):
    """So many wins of n a sign test needs; n + 1 where even all are not enough."""
    tails = np.cumsum(_chances(n, 0.5)[::-1])[::-1]
    enough = np.flatnonzero(2 * tails <= LUCK)
    return int(enough[0]) if len(enough) else n + 1
