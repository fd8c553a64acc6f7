"""The exercises of notebooks/1_o1/07_claims_and_measurements."""

from .. import stats
from . import exercise, judge


@exercise(
    "claims-1",
    hint="stats.newcombe_interval(139, 225, ...): the two counts, each with its number of cases.",
)
def lead_of_o1_over_o1_mini(answer):
    right = stats.newcombe_interval(139, 225, 74, 225)
    low, high = (float(end) for end in answer)
    if all(abs(given - end) < 0.0005 for given, end in zip((low, high), right)):
        return None
    if all(abs(given / 100 - end) < 0.0005 for given, end in zip((low, high), right)):
        return "those are points; give fractions of 1."
    if abs(low + right[1]) < 0.0005 and abs(high + right[0]) < 0.0005:
        return "that is o1-mini minus o1; o1 is the one that leads."
    if all(
        abs(given - end) < 0.0005
        for given, end in zip((low, high), stats.wilson_interval(139, 225))
    ):
        return "that is the interval of o1's own share; asked is the difference between two."
    return f"you have {low:.3f} to {high:.3f}. Both counts of 225, o1 first, at 95 %?"


@exercise(
    "claims-2",
    hint="A proxy leaves a sentence open. Look at the verdicts, then at what the sentence says exactly.",
)
def what_the_page_supports(answer):
    right = {
        "rank": "supported",
        "calls": "contradicted",
        "tokens": "open",
        "bill": "supported",
        "price": "contradicted",
        "schema": "open",
    }
    why = {
        "rank": "both tables of LiveBench Coding have o1 on top",
        "calls": "the sentence is about the public leaderboard, and there o1 has the lower score",
        "tokens": "the bill and the clock fit it; nobody outside counted the tokens",
        "bill": "this is what the leaderboard's two bills say, with a control",
        "price": "both cost the same per token; o1 used fewer",
        "schema": "that eval was internal, and no public one is known to us",
    }
    return judge(answer, right, ("supported", "contradicted", "open"), why)
