"""The exercises of notebooks/3_dpo/04_did_it_help."""

from . import exercise, judge

BOTH = {("first", "second"): "tuned", ("second", "first"): "base"}


@exercise(
    "judging-1",
    hint='The tuned answer stood first, then second. It won both times when the judge said "first" and then "second".',
)
def both_orders(answer):
    if not callable(answer):
        return "a function of two texts is asked for; hand over its name, without calling it."
    for tuned_first in ("first", "second"):
        for tuned_second in ("first", "second"):
            best, given = (
                BOTH.get((tuned_first, tuned_second), "tie"),
                answer(tuned_first, tuned_second),
            )
            if given != best:
                return f"for {tuned_first!r} and then {tuned_second!r} it returns {given!r}, and the two judgements together say {best!r}."
    return None


@exercise(
    "judging-2",
    hint="Ask of each: which other reason than a better model would give this number, and what would take that reason away?",
)
def which_reports(answer):
    right = {
        "small": "more questions",
        "first": "swap the sides",
        "own file": "new prompts",
        "five draws": "more questions",
        "sound": "believe it",
    }
    why = {
        "small": "a coin gives 26 of 40 or more, or 14 or fewer, in 8 of 100 tries",
        "first": "its answer always stood first, and a judge who likes the first would give the same number",
        "own file": "a model that has learnt its own file by heart wins there, too",
        "five draws": "five answers to one question are no five questions; there are 20",
        "sound": "sides drawn, new prompts, 200 questions and an interval far from a half: there is nothing left to mend",
    }
    return judge(
        answer, right, ("believe it", "more questions", "swap the sides", "new prompts"), why
    )
