"""The exercises of notebooks/1_o1, in the order of the notebooks."""

import copy
import json

import jinja2

from ..facts import DATA, forms, prices, schemas, stats, tokens
from ..facts.files import read_json
from . import exercise, judge

# --- 01_developer_messages, 02_reasoning_effort ---

DAY_9 = "2024-12-17"


def _recording(effort):
    """A shipped recording of notebooks/1_o1/02_reasoning_effort."""
    file = DATA / "recordings" / "o1" / "effort" / f"{effort}.json"
    return read_json(file)


def _answer(recording):
    return recording["responses"][-1]["body"]


@exercise(
    "effort-1",
    hint="Price answers['hard']['high'] and answers['hard']['medium'] with prices.cost(...), subtract, times 10,000.",
)
def extra_dollars_a_day(answer):
    high, medium = (
        prices.cost("o1", _answer(_recording(f"hard-{effort}"))["usage"], DAY_9)
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
    recording = _recording(f"{problem}-{effort}")
    asked = {name: slot["example"] for name, slot in recording["slots"].items()}
    template = _answer(recording)["choices"][0]["message"]["content"]
    return jinja2.Template(template).render(asked)


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


# --- 03_vision ---


@exercise(
    "vision-1",
    hint="Both steps at once: the shorter side ends at 768. Then count the tiles that each side begins.",
)
def tokens_of_a_scan(answer):
    right = tokens.image_tokens(2480, 3508, "high", "o1")
    if answer == right:
        return None
    if answer == right - 75:
        return "the 75 tokens that any picture costs are missing."
    if answer == tokens.image_tokens(2480, 3508, "low", "o1"):
        return "that is low detail."
    if answer == 75 + 150 * 5 * 7:
        return "those are the tiles of the whole scan; it is made smaller first."
    return f"{answer} is not it: the shorter side ends at 768 pixels; how many tiles of 512 does each side begin?"


@exercise(
    "vision-2",
    hint="What is large survives a copy of 512 by 512. What you have as numbers needs no picture.",
)
def which_detail(answer):
    right = {"sort": "low", "amounts": "high", "sum": "neither", "stamp": "low"}
    why = {
        "sort": "the kind of a page shows in a small copy, at a ninth of the tokens",
        "amounts": "the small print beside an amount does not survive a copy of 512 by 512",
        "sum": "you have the numbers in a file, and Python adds them exactly",
        "stamp": "what crosses the whole page shows in a small copy",
    }
    return judge(answer, right, ("low", "high", "neither"), why)


# --- 04_function_calling ---

LOOSE = {
    "name": "refund",
    "description": "Where a refund is.",
    "parameters": {
        "type": "object",
        "required": ["year"],
        "properties": {
            "year": {"type": "integer"},
            "state": {"type": "string"},
            "joint": {"type": "boolean"},
        },
    },
}


@exercise(
    "functions-1",
    hint="Four changes: strict, additionalProperties, required, and the type of each property that was not required.",
)
def made_strict(function):
    given = copy.deepcopy(LOOSE)
    made = function(given)
    if given != LOOSE:
        return (
            "your function changes the description that it was given; the caller may still need it."
        )
    if made is None:
        return "your function returns nothing."
    if made.get("strict") is not True:
        return "`strict` is not True; it stands beside `name` and `parameters`."
    schema = made.get("parameters", {})
    for key in ("name", "description"):
        if made.get(key) != LOOSE[key]:
            return f"the {key} is to stay as it was."
    if set(schema.get("properties", {})) != set(LOOSE["parameters"]["properties"]):
        return "the properties are to be the same three."
    fault = schemas.fault(schema)
    if fault:
        return f"the API would say: {fault}"
    for name, old in LOOSE["parameters"]["properties"].items():
        kind = schema["properties"][name].get("type")
        if name in LOOSE["parameters"]["required"]:
            if kind != old["type"]:
                return f"{name!r} was required before: its type stays {old['type']}."
        elif not isinstance(kind, list) or set(kind) != {old["type"], "null"}:
            return (
                f"{name!r} was optional: its type becomes [{old['type']!r}, 'null'], not {kind!r}."
            )
    return None


@exercise(
    "functions-2",
    hint="Ask of each question: are all arguments of the call known already? And would its result be the answer?",
)
def which_tool_first(answer):
    right = {
        "owe": "tax_table",
        "thanks": "none",
        "both": "standard_deduction",
        "third": "calculator",
        "vague": "none",
    }
    why = {
        "owe": "year, status and taxable income are all there, and the table has the answer",
        "thanks": "nothing is asked",
        "both": "the table wants the taxable income, which is known only once the deduction is",
        "third": "this is arithmetic; no table has it",
        "vague": "no argument is known; a good model asks before it calls",
    }
    return judge(answer, right, ("tax_table", "standard_deduction", "calculator", "none"), why)


# --- 05_structured_outputs ---


@exercise(
    "structured-1",
    hint="Three faults: the root is a list, a field is missing from `required`, and the objects are not closed.",
)
def repaired(answer):
    found = schemas.fault(answer)
    if found:
        return f"the API would say: {found}"
    lists = [one for one in answer["properties"].values() if one.get("type") == "array"]
    if not lists or {"line", "why"} - set(lists[0]["items"].get("properties", {})):
        return "the schema passes, but it no longer holds a list of objects with line and why."
    return None


@exercise(
    "structured-2",
    hint="A schema knows types, names and lists of values. Can it know what was on the form?",
)
def what_the_mask_stops(answer):
    right = {
        "text for a number": "stopped",
        "field left out": "stopped",
        "wrong sum": "passes",
        "line that is not on the form": "passes",
        "comma after the last item": "stopped",
    }
    for name, what in right.items():
        given = answer.get(name)
        if given is ... or given is None:
            return f"{name!r} is still open."
        if given not in ("stopped", "passes"):
            return f"{given!r} is neither stopped nor passes."
        if given != what:
            return f"{name!r}: " + (
                "no valid instance contains that, so the mask never offers it."
                if what == "stopped"
                else "the schema says only integer and string, and that is one."
            )
    return None


# --- 06_tax_form_assistant ---


def _omar(*accepted):
    from ..o1 import form_review  # which loads the widgets: not for every check of every notebook

    form = forms.load("three")
    return form_review.worked_out(
        "three", form["written"] | {line: forms.corrected(form)[line] for line in accepted}
    )


@exercise(
    "assistant-1",
    hint="Lines 12 and 14 take their new values, line 11 keeps the old one: then worked_out().",
)
def two_of_five(answer):
    if tuple(answer) == _omar(12, 14):
        return None
    if tuple(answer) == _omar(11, 12, 14):
        return "that is with line 11 accepted, too."
    if tuple(answer) == _omar():
        return "that is the form as filed."
    taxable, due = answer
    if taxable == _omar(12, 14)[0]:
        return f"the taxable income is right; the tax on it is not {due}."
    return f"the taxable income is line 11 as he wrote it, less the new line 14, and not {taxable}."


@exercise(
    "assistant-2",
    hint="What holds for every form of this kind a schema can say; what holds for this form a program can check.",
)
def who_catches(answer):
    right = {
        "place": "schema",
        "old": "program",
        "sum": "program",
        "income": "person",
        "status": "person",
    }
    why = {
        "place": "a list of allowed values in the schema makes that answer impossible",
        "old": "the amounts are typed in, and code compares them; a schema does not know this form",
        "sum": "a schema cannot add, and a person need not: two typed-in lines are added by code",
        "income": "what is on no page, neither schema nor program can miss",
        "status": "the page is filled in without a fault; what happened in May, a person must be asked",
    }
    return judge(answer, right, ("schema", "program", "person"), why)


# --- 07_claims_and_measurements ---


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
