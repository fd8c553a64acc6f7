"""The exercises of notebooks/1_o1. Each checker computes the right answer from the recordings and data."""

import json

from .. import prices
from ..local_api import recordings, slots
from . import exercise, judge

DAY_9 = "2024-12-17"


def _usage(name):
    """The usage of a shipped recording."""
    file = recordings.FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))["responses"][-1]["body"]["usage"]


@exercise(
    "effort-1",
    hint="Price answers['hard']['high'] and answers['hard']['medium'] with prices.cost(...), subtract, times 10,000.",
)
def extra_dollars_a_day(answer):
    high, medium = (
        prices.cost("o1", _usage(f"o1/effort/hard-{effort}"), DAY_9)
        for effort in ("high", "medium")
    )
    right = float(10_000 * (high - medium))
    given = float(str(answer).replace("$", "").replace(",", ""))
    if abs(given - right) < 0.005:
        return None
    if abs(given - right / 10_000) < 1e-6:
        return "that is the difference for one call; the shop makes 10,000."
    if abs(given + right) < 0.005:
        return "the sign: high is the dearer one."
    return f"you have ${given:,.2f}. Both calls at the prices of {DAY_9}, the whole usage of each?"


def _said(problem, effort):
    """What the recording answers to the problem as the notebook puts it."""
    recording = recordings.read(recordings.FOLDER / "o1" / "effort" / f"{problem}-{effort}.json")
    return slots.render(
        recording.responses[0]["body"]["choices"][0]["message"]["content"], recording.slots, {}
    )


@exercise(
    "effort-2",
    hint="One of the nine answers is wrong: compare each with a number, or a text, that you compute yourself.",
)
def lowest_effort_that_is_right(answer):
    truth = {
        "easy": str(36 * 60),
        "hard": str(sum((k % 3 == 0) != (k % 5 == 0) for k in range(1, 1001))),
        "wasted": "day nine of twelve".upper(),
    }
    right = {
        problem: next(e for e in ("low", "medium", "high") if _said(problem, e) == truth[problem])
        for problem in truth
    }
    for problem, effort in right.items():
        given = answer.get(problem)
        if given is ... or given is None:
            return f"{problem!r} is still open."
        if given not in ("low", "medium", "high"):
            return f"{given!r} is no effort; there are low, medium and high."
        if given != effort:
            return f"for {problem!r} you say {given}; look again at which of its three answers are right, and take the cheapest of those."
    return None


@exercise(
    "developer-1",
    hint="Build a new list; a message is a dict, so {**message, 'role': 'developer'} is a copy with another role.",
)
def modernised(function):
    old = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who runs the system?"},
        {"role": "assistant", "content": "I do."},
    ]
    before = json.dumps(old)
    new = function(old)
    if json.dumps(old) != before:
        return "your function changes the list that it was given; the caller may still need it."
    if new is None:
        return "your function returns nothing."
    roles = [m.get("role") for m in new]
    if roles != ["developer", "user", "assistant"]:
        return f"the roles became {roles}; only `system` is to change, to `developer`."
    if [m["content"] for m in new] != [m["content"] for m in old]:
        return "the contents changed; only the role of a message is to change."
    return None


@exercise(
    "developer-2",
    hint="Ask of each text: who decides it, the person who built the app or the one who uses it? And could a stranger read it?",
)
def who_says_it(answer):
    right = {
        "unit": "developer",
        "recipe": "user",
        "key": "neither",
        "tone": "developer",
        "wish": "user",
    }
    why = {
        "unit": "the unit is a rule of the whole app, whoever uses it",
        "recipe": "the recipe is what this one person asks about",
        "key": "a secret in a prompt can be talked out of the model: keep it in your server's code",
        "tone": "the tone is the maker's choice, and no user should change it",
        "wish": "a wish for this one answer is the user's",
    }
    return judge(answer, right, ("developer", "user", "neither"), why)
