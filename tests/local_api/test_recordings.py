"""The shipped recordings: shape, truth, counts and ids; and what a broken recording does to the
others.
"""

import datetime
import hashlib
import json
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import ValidationError

from helpers.facts import DATA, forms, tokens
from helpers.local_api import answers, catalogue, recordings
from tests.asking import CHAT, RESPONSES, api, ask, chat, completion, envelope, value, words, write
from tests.facts.test_tax import reference_schedule
from tests.o1.test_form_review import Reviewed
from tests.tools import make_recordings

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = recordings.Library()
API = answers.Answers(LIBRARY)
SHIPPED = {r.name: r for r in LIBRARY.recordings}
TYPES = {CHAT: ChatCompletion, RESPONSES: Response}
MARK = re.compile(r"\{\{\s*(\w+)\s*\}\}")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# --- the truth, by other means than the recordings use --------------------------------------------


def zeller(day):
    """The weekday of an ISO date by Zeller's congruence of 1887."""
    y, m, d = map(int, day.split("-"))
    if m < 3:
        y, m = y - 1, m + 12
    h = (d + 13 * (m + 1) // 5 + y % 100 + y % 100 // 4 + y // 100 // 4 - 2 * (y // 100)) % 7
    return ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")[h]


def degrees(f, unit):
    exact = {
        "fahrenheit": Fraction(f),
        "celsius": Fraction(f - 32) * 5 / 9,
        "kelvin": Fraction(f - 32) * 5 / 9 + Fraction("273.15"),
    }[unit]
    below = exact.numerator // exact.denominator
    return below + (exact - below >= Fraction(1, 2))


SIGN = {"celsius": "°C", "fahrenheit": "°F", "kelvin": "K"}
NUMBER = {
    "Monday": 1,
    "Tuesday": 2,
    "Wednesday": 3,
    "Thursday": 4,
    "Friday": 5,
    "Saturday": 6,
    "Sunday": 7,
}


def counted_one_by_one(n):
    return sum((k % 3 == 0) + (k % 5 == 0) == 1 for k in range(1, n + 1))


def degrees_in(name):
    return lambda f, **units: f"{degrees(f, units[name])} {SIGN[units[name]]}"


DAY = lambda day: f"{day} was a {zeller(day)}."
# {recording: what it must say, given its slots}; the planted mistake stands here as what it is
TRUTH = {
    "start/weekday": DAY,
    "start/weekday-today": DAY,
    "start/weekday-4o": lambda day: (
        f"The date {day} fell on a {zeller(day)}. (Counting from Monday as the first day of the week, that is day {NUMBER[zeller(day)]}.)"
    ),
    "o1/effort/easy": lambda hours: str(int(datetime.timedelta(hours=hours).total_seconds()) // 60),
    "o1/effort/hard": lambda n: str(counted_one_by_one(n)),
    "o1/effort/hard-low": lambda n: str(sum(k % 3 == 0 or k % 5 == 0 for k in range(1, n + 1))),
    "o1/effort/hard-today": lambda n: str(counted_one_by_one(n)),
    "o1/effort/wasted": lambda words: words.upper(),
    "o1/developer/oven-no-rule": lambda f: (
        f"{f} °F is about {degrees(f, 'celsius')} °C, or {degrees(f, 'kelvin')} K. Most recipes outside the United States "
        f"give the oven temperature in °C, so set your oven to {degrees(f, 'celsius')} °C."
    ),
    "o1/developer/oven-no-rule-kelvin": degrees_in("wish"),
    "o1/developer/oven-rule": degrees_in("unit"),
    "o1/developer/oven-rule-4o": degrees_in("unit"),
    "o1/developer/oven-conflict": degrees_in("unit"),
    "o1/developer/oven-injection": degrees_in("unit"),
    "o1/developer/oven-today": degrees_in("unit"),
}


# --- o1/functions: a call has the arguments of the question, an answer the tool's own result


def usd(amount, sign="$"):
    cents = round(Fraction(str(amount)) * 100)
    return (
        "-" * (cents < 0)
        + f"{sign}{abs(cents) // 100:,}"
        + (f".{abs(cents) % 100:02}" if cents % 100 else "")
    )


def wish(name, **arguments):
    return f"{name}({json.dumps(arguments, separators=(',', ':'))})"


def asks_table(year, status, income, **_):
    return wish("tax_table", year=year, filing_status=status, taxable_income=income)


def asks_deduction(year, status, boxes, **_):
    return wish("standard_deduction", year=year, filing_status=status, boxes=boxes)


def could_not(what):
    return lambda error, **_: (
        f"I could not get your {what}. The tool said: {error}\nWhat shall I ask it instead?"
    )


def both(one, other, first, second, **_):
    return f"As {one.replace('_', ' ')} {usd(first, '')} dollars, as {other.replace('_', ' ')} {usd(second, '')} dollars."


TAX_IS = lambda year, tax, **_: f"Your federal income tax for {year} is {usd(tax)}."
MULTIPLIED = lambda year, status, income: usd(reference_schedule(year, status, income))
WORD = {
    "single": "unmarried",
    "married_jointly": "joint",
    "married_separately": "separate",
    "head_of_household": "HOH",
    "surviving_spouse": "widow",
}
# the lines of Form 1040, ustaxes/UsTaxes @4e4669e3, its f1040.pdf of 2023 and 2024
LINES = {
    "9": "total income",
    "10": "adjustments",
    "11": "line 9 minus line 10",
    "12": "standard or itemized",
    "13": "qualified business",
    "14": "lines 12 and 13",
    "15": "line 11 minus line 14, or 0",
    "16": "your tax",
}
TRUTH |= {
    f"o1/functions/{name}": truth
    for name, truth in {
        "tax-alone": MULTIPLIED,
        "tax-alone-forbidden": MULTIPLIED,
        "tax-one": asks_table,
        "tax-three": asks_table,
        "tax-today": asks_table,
        "tax-result-one": TAX_IS,
        "tax-result-three": TAX_IS,
        "tax-today-result": TAX_IS,
        "tax-error-one": could_not("tax"),
        "tax-error-three": could_not("tax"),
        "tax-today-error": could_not("tax"),
        "line": lambda line: next(
            f"Line {line} holds {v}."
            for k, v in SHIPPED["o1/functions/line"].slots["line"]["values"].items()
            if k == line and LINES[k] in v
        ),
        "deduction": asks_deduction,
        "deduction-error": could_not("standard deduction"),
        "deduction-result": lambda year, deduction, **_: (
            f"Your standard deduction for {year} is {usd(deduction)}."
        ),
        "income": asks_deduction,
        "income-error": could_not("standard deduction"),
        "income-taxed": lambda agi, deduction, **found: asks_table(
            income=max(0, agi - deduction), **found
        ),
        "income-result": lambda year, deduction, taxable, tax, **_: (
            f"Your standard deduction is {usd(deduction, '')} dollars, your taxable income {usd(taxable, '')} dollars, and your federal income tax for {year} is {usd(tax, '')} dollars."
        ),
        "loose": lambda status, **found: asks_table(status=WORD[status], **found),
        "loose-corrected": asks_table,
        "loose-result": TAX_IS,
        "loose-taken": TAX_IS,
        "pair": lambda one, **found: asks_table(status=one, **found),
        "pair-second": lambda other, **found: asks_table(status=other, **found),
        "pair-4o": lambda one, other, **found: "\n".join(
            asks_table(status=status, **found) for status in (one, other)
        ),
        "pair-result": both,
        "pair-4o-result": both,
        "pair-error": could_not("tax"),
    }.items()
}

# --- o1/structured: the corrections of a form, told in words


def corrected(line_9, line_10, line_11, line_12, line_15, status, boxes):
    """[(location, old, new)]; the deductions are those of FACTS, by base and boxes."""
    base, each = {
        "single": (14600, 1950),
        "head of household": (21900, 1950),
        "married separately": (14600, 1550),
    }.get(status, (29200, 1550))
    right = {"line 11": line_9 - line_10, "line 12": base + boxes * each}
    right["line 15"] = max(right["line 11"] - right["line 12"], 0)
    return [
        (at, was, right[at])
        for at, was in zip(right, (line_11, line_12, line_15))
        if was != right[at]
    ]


class Corrections:
    """Equal to the JSON of an answer whose corrections are these, and whose reasons name the new
    values.
    """

    def __init__(self, **lines):
        self.right = corrected(**lines)

    def __eq__(self, said):
        found = json.loads(said)
        assert list(found) == ["corrections"]
        for c in found["corrections"]:
            assert (
                list(c) == ["reason", "location", "old_value", "new_value"]
                and f"{c['new_value']:,}" in c["reason"]
            )
        return [
            (c["location"], c["old_value"], c["new_value"]) for c in found["corrections"]
        ] == self.right


class Told:
    """Equal to prose that tells these corrections, one numbered line each, and no other."""

    def __init__(self, **lines):
        self.right = corrected(**lines)

    def __eq__(self, said):
        lines = re.findall(r"(?m)^\d\. On (line \d+), (-?[\d,]+) should be (-?[\d,]+)\. ", said)
        plain = [(at, *(int(n.replace(",", "")) for n in amounts)) for at, *amounts in lines]
        return plain == self.right and ("no mistake" in said) == (not self.right)


TRUTH |= {f"o1/structured/form-{name}": Corrections for name in ("schema", "model", "today")}
TRUTH |= {
    "o1/structured/form-prose": Told,
    **dict.fromkeys(
        ("o1/structured/refusal", "o1/structured/refusal-today"),
        lambda line_15: "I'm sorry, but I can't help with inventing deductions to evade tax.",
    ),
}

# --- o1/claims: what the graders of 07 look at
for _when in ("", "-today"):
    TRUTH |= {
        f"o1/claims/oven{_when}": lambda celsius, minutes: (
            f'set_oven({{"celsius": {celsius}, "minutes": {minutes}}})'
        ),
        f"o1/claims/weekday{_when}": lambda day: json.dumps({"date": day, "weekday": zeller(day)}),
    }

# --- o1/assistant: the corrections of a scanned form, line 16 as the reader's tool said it
for _name in forms.FORMS:
    TRUTH |= {
        f"o1/assistant/{shape}-{_name}": (lambda tax, name=_name: Reviewed(name, tax))
        for shape in ("corrections", "today-corrections")
    }
    TRUTH |= {
        f"o1/assistant/{shape}-{_name}": (lambda error, name=_name: Reviewed(name))
        for shape in ("no-tax", "today-no-tax")
    }

# --- sdks: the five clients; the days are what the client counted
TRUTH |= {
    "sdks/weekday-json": lambda day: json.dumps(
        {"date": day, "weekday": zeller(day)}, separators=(",", ":")
    ),
    "sdks/days-asked": lambda start, end: f'days_between({{"start":"{start}","end":"{end}"}})',
    "sdks/days-told": lambda start, end, days: (
        f"From {start} to {end} it is {days:,} day{'' if abs(days) == 1 else 's'}."
    ),
}

SLOTTED = [name for name, r in SHIPPED.items() if r.slots]


def truth_of(name):
    """How the answer of a recording with slots is derived a second time."""
    found = TRUTH.get(name) or TRUTH.get(re.sub(r"-(none|low|medium|high)$", "", name))
    return found or pytest.fail(f"{name} has slots and no line in TRUTH of {Path(__file__).name}")


def values_of(recording, how_many=12):
    """Many values for the slots of a recording: the example, both ends, and others by a seeded
    draw.
    """
    draw = random.Random(recording.name)
    yield {name: slot["example"] for name, slot in recording.slots.items()}
    for i in range(how_many):
        made = {}
        for name, slot in recording.slots.items():
            if slot["type"] == "integer":
                most = min(slot["max"], 5_000)  # counting one by one has an end
                made[name] = (slot["min"], most)[i] if i < 2 else draw.randint(slot["min"], most)
            elif slot["type"] == "number":
                made[name] = (
                    (slot["min"], slot["max"])[i]
                    if i < 2
                    else draw.randint(slot["min"], slot["max"]) + draw.choice((0, 0, 0.5, 0.25))
                )
            elif slot["type"] == "date":
                made[name] = (
                    ("1583-01-01", "2400-02-29")[i]
                    if i < 2
                    else (
                        datetime.date(1900, 1, 1) + datetime.timedelta(draw.randrange(100_000))
                    ).isoformat()
                )
            elif slot["type"] == "choice":
                made[name] = draw.choice(list(slot["values"]))
            elif slot["type"] == "text":
                made[name] = (
                    ("é", "x" * slot["max_length"])[i]
                    if i < 2
                    else " ".join(
                        draw.choices(
                            ["ß", "oven", "日本", "{{ n }}", "a,b", "½"], k=draw.randint(1, 9)
                        )
                    )
                )
            else:
                pytest.fail(f"values_of() of {Path(__file__).name} has none of type {slot['type']}")
        yield made


def filled(sent, values):
    if isinstance(sent, str):
        return MARK.sub(lambda m: str(values[m[1]]), sent)
    if isinstance(sent, dict):
        return {k: filled(v, values) for k, v in sent.items()}
    return [filled(v, values) for v in sent] if isinstance(sent, list) else sent


def asked(name, values):
    """The whole answer of the recording to its request with these values."""
    r = SHIPPED[name]
    answer = ask(API, filled(r.sent, values), r.path, retry=9)
    assert (answer.status, answer.recording) == (200, name), (values, answer.body)
    return answer


@pytest.mark.parametrize("name", SLOTTED)
def test_answers_are_true_for_many_values(name):
    for values in values_of(SHIPPED[name]):
        assert words(asked(name, values)) == truth_of(name)(**values), values


def test_every_slotted_recording_has_a_truth():
    assert all(truth_of(name) for name in SLOTTED)
    assert not [
        name for name in TRUTH if not any(s == name or s.startswith(name + "-") for s in SLOTTED)
    ]


def test_the_truths_can_tell_wrong_from_right():
    assert (
        zeller("2024-12-17") == "Tuesday"
        and zeller("2000-02-29") == "Tuesday"
        and zeller("1900-03-01") == "Thursday"
    )
    assert (
        degrees(350, "celsius") == 177
        and degrees(-400, "celsius") == -240
        and degrees(350, "kelvin") == 450
    )
    assert (
        usd(932.5) == "$932.50"
        and usd(-1234567) == "-$1,234,567"
        and MULTIPLIED(2024, "single", 9_325) == "$932.50"
    )
    assert (
        asks_table(2024, "single", 9_325)
        == 'tax_table({"year":2024,"filing_status":"single","taxable_income":9325})'
    )
    assert counted_one_by_one(1000) == 401 and truth_of("o1/effort/hard-low")(1000) == "467"


@pytest.mark.parametrize("name", SHIPPED)
def test_bodies_fit_the_types_of_the_sdk(name):
    r = SHIPPED[name]
    for values in values_of(r, 3):
        body = value(asked(name, values))
        made = TYPES[r.path].model_validate(body)
        # nothing but what the types name, at the top and wherever a model of its own lies below
        assert extras(made) == []
        # and it is not the validation that is lax
        for key in ("id", "model", "object", "choices" if r.path == CHAT else "output"):
            with pytest.raises(ValidationError):
                TYPES[r.path].model_validate({k: v for k, v in body.items() if k != key})


def extras(made, at="$"):
    """Keys that the SDK's types do not name, anywhere in a validated answer."""
    found = [f"{at}.{key}" for key in made.model_extra or {}]
    for key in type(made).model_fields:
        for item in (
            v
            for v in (lambda x: x if isinstance(x, list) else [x])(getattr(made, key))
            if hasattr(v, "model_extra")
        ):
            found += extras(item, f"{at}.{key}")
    return [
        f for f in found if f != "$.store"
    ]  # genuine answers echo it; openai 3.54 has it in the request's type alone


@pytest.mark.parametrize("name", SHIPPED)
def test_tokens_are_counted_not_invented(name):
    r = SHIPPED[name]
    for values in values_of(r, 3):
        body, request = value(asked(name, values)), filled(r.sent, values)
        usage, said = body["usage"], words(asked(name, values))
        if r.path == CHAT:
            messages, given, out = request["messages"], "prompt", "completion"
        else:
            messages, given, out = (
                [{"role": "user", "content": request["input"]}]
                if isinstance(request["input"], str)
                else list(request["input"]),
                "input",
                "output",
            )
            if "instructions" in request:
                messages.insert(0, {"role": "developer", "content": request["instructions"]})
        by_hand = 3 + sum(
            3 + tokens.count(m.get("role", "assistant")) + tokens.count(spoken(m)) for m in messages
        )
        by_hand += pictures_of(messages)
        by_hand += sum(
            tokens.count(json.dumps(tool, ensure_ascii=False)) for tool in request.get("tools", [])
        )
        form = request.get("response_format") or request.get("text", {}).get("format")
        by_hand += tokens.count(json.dumps(form, ensure_ascii=False)) if form else 0
        hidden = usage[f"{out}_tokens_details"]["reasoning_tokens"]
        assert usage[f"{given}_tokens"] == by_hand
        assert usage[f"{out}_tokens"] == hidden + sum(map(tokens.count, wishes(body) or [said]))
        assert usage["total_tokens"] == usage[f"{given}_tokens"] + usage[f"{out}_tokens"]
        assert hidden % 64 == 0 and (hidden == 0 or not request["model"].startswith("gpt-4"))


def wishes(body):
    """Name and arguments of each call in an answer, as they count."""
    calls = [
        call["function"]
        for c in body.get("choices", [])
        for call in c["message"].get("tool_calls", [])
    ]
    return [
        call["name"] + call["arguments"]
        for call in calls
        + [item for item in body.get("output", []) if item["type"] == "function_call"]
    ]


def spoken(message):
    """What counts of a message: its words, the name and arguments of its calls, a tool's output."""
    calls = "".join(
        call["function"]["name"] + call["function"]["arguments"]
        for call in message.get("tool_calls", [])
    )
    said = message.get("content") or message.get("arguments") or message.get("output") or ""
    return calls + (
        said if isinstance(said, str) else "".join(part.get("text", "") for part in said)
    )


def pictures_of(messages):
    """Tokens of the pictures, reckoned once by hand: a page of 1000 x 1294 and a drawing of 1000 x
    980 both take 2 x 2 tiles of 150, and 75; or 75 alone; or, for a page, 32 x 41 patches.
    """
    parts = [
        part
        for m in messages
        for part in m.get("content") or []
        if isinstance(part, dict) and "image_url" in part
    ]
    details = [part.get("detail") or part["image_url"]["detail"] for part in parts]
    return sum({"high": 675, "low": 75, "original": 1312}[detail] for detail in details)


def test_more_effort_thinks_no_less():
    def hidden(name):
        body = SHIPPED[name].responses[-1]["body"]["usage"]
        return (body.get("completion_tokens_details") or body.get("output_tokens_details"))[
            "reasoning_tokens"
        ]

    for name in [n.removesuffix("-low") for n in SHIPPED if n.endswith("-low")]:
        by_effort = [
            hidden(f"{name}-{effort}")
            for effort in ("none", "low", "medium", "high")
            if f"{name}-{effort}" in SHIPPED
        ]
        assert by_effort == sorted(by_effort) and by_effort[0] < by_effort[-1], name


def test_ids_keep_prefix_alphabet_length_and_clock():
    seen = set()
    for name, r in SHIPPED.items():
        body = r.responses[-1]["body"]
        assert body["id"] not in seen
        seen.add(body["id"])
        if r.path == CHAT:
            short = re.fullmatch(r"chatcmpl-([0-9A-Za-z]{5})Day9[0-9A-Za-z]{20}", body["id"])
            assert short, name
            seconds = 0
            for letter in short[1]:
                seconds = seconds * 62 + BASE62.index(letter)
            assert seconds + 1_576_800_000 == body["created"], name
            assert re.fullmatch(r"fp_[0-9a-f]{10}", body["system_fingerprint"])
            assert all(
                re.fullmatch(r"call_Day9[0-9a-f]{20}", call["id"])
                for call in body["choices"][0]["message"].get("tool_calls", [])
            )
        else:
            assert re.fullmatch(r"resp_Day9[0-9a-f]{44}", body["id"]), name
            assert all(
                re.fullmatch(r"(rs|msg|fc)_\w?Day9[0-9a-f]{44}", item["id"])
                for item in body["output"]
            )


def test_nothing_claims_more_than_it_is():
    for r in LIBRARY.recordings:
        assert (
            r.origin["class"] == "constructed"
            and r.origin["date"]
            and (ROOT / r.origin["source"]).is_file()
        )
    planted = {n for n, r in SHIPPED.items() if "why" in r.origin}
    assert planted == {
        "o1/effort/hard-low",
        "o1/functions/loose",
        "o1/functions/tax-alone",
        "o1/functions/tax-alone-forbidden",
    }
    assert all("planted" in SHIPPED[n].origin["why"] for n in planted)


def test_the_files_are_what_construct_makes():
    made = make_recordings.build()
    assert set(made) == set(SHIPPED)
    for name, text in made.items():
        assert (recordings.FOLDER / f"{name}.json").read_text(encoding="utf-8") == text, (
            f"run python -m tests.tools.make_recordings: {name}"
        )
    assert make_recordings.build() == made


def test_construct_says_what_is_wrong(tmp_path):
    (tmp_path / "bad.toml").write_text("folder = ")
    with pytest.raises(ValueError, match="bad.toml is not TOML"):
        make_recordings.build(tmp_path)
    (tmp_path / "bad.toml").write_text(
        'folder = "x"\ndate = 2026-11-22\nwhen = 2024-12-17T18:00:00Z\nmodel = "o1"\n'
        + 2 * '[[exchange]]\nname = "a"\nabout = "b"\nuser = "c"\ntext = "d"\n'
    )
    with pytest.raises(ValueError, match="bad.toml makes x/a twice"):
        make_recordings.build(tmp_path)


# --- broken recordings ----------------------------------------------------------------------------

GOOD = {
    "about": "x",
    "origin": {"class": "constructed"},
    "request": {"method": "POST", "path": CHAT, "body": chat("b")},
    "responses": [{"status": 200, "body": completion()}],
}
ONE_SLOT = {"request": {"method": "POST", "path": CHAT, "body": chat("{{ n }}!")}}
SLOT = {"type": "integer", "example": 3}
BROKEN = {
    "empty": (b"", "is not JSON"),
    "truncated": (json.dumps(GOOD).encode()[:-9], "is not JSON"),
    "words": (b"hello", "is not JSON"),
    "latin1": ('{\n"about": "é"}'.encode("latin1"), "is not UTF-8 in line 2"),
    "nan": (json.dumps(GOOD | {"about": float("nan")}).encode(), "NaN is not JSON"),
    "deep": (b"[" * 50_000, "nested"),
    "deepish": (
        json.dumps(GOOD).encode()[:-1] + b', "slots": ' + b"[" * 400 + b"]" * 400 + b"}",
        "nested",
    ),
    "list": (b"[]", "is not a JSON object"),
    "lacks": ({"about": "x"}, "lacks origin, request, responses"),
    "odd": (GOOD | {"comment": 1}, "unknown parts: comment"),
    "about": (GOOD | {"about": 5}, "about must be a text"),
    "origin": (GOOD | {"origin": {"class": "dreamt"}}, "says no origin"),
    "no-origin": (GOOD | {"origin": "constructed"}, "says no origin"),
    "request": (GOOD | {"request": {"method": "POST"}}, "needs a method and a path"),
    "no-answers": (GOOD | {"responses": []}, "at least one answer"),
    "both": (
        GOOD | {"responses": [{"status": 200, "body": {}, "events": []}]},
        "either a body or events",
    ),
    "text-body": (GOOD | {"responses": [{"status": 200, "body": "hello"}]}, "must be an object"),
    "events": (GOOD | {"responses": [{"status": 200, "events": [{"data": 1}]}]}, "needs a time"),
    "events-5": (GOOD | {"responses": [{"status": 200, "events": 5}]}, "needs a time"),
    "choose": (GOOD | {"choose": "in turn"}, "choose must be"),
    "no-id": (
        GOOD
        | {"request": {"method": "POST", "path": RESPONSES, "body": {"model": "o1", "input": "b"}}}
        | {"responses": [{"status": 200, "body": {"id": 5, "output": []}}]},
        "needs an id",
    ),
    "no-choose": (GOOD | {"responses": 2 * GOOD["responses"]}, "choose must be"),
    "undeclared": (GOOD | ONE_SLOT, "slots declared: none; slots in the request: ['n']"),
    "unused": (GOOD | {"slots": {"n": SLOT}}, "slots in the request: none"),
    "slots-list": (GOOD | {"slots": [1]}, "slots must be an object"),
    "slot-text": (GOOD | ONE_SLOT | {"slots": {"n": "integer"}}, "slots must be an object"),
    "slot-type": (
        GOOD | ONE_SLOT | {"slots": {"n": {"type": "colour", "example": 1}}},
        "has the type 'colour'",
    ),
    "slot-example": (
        GOOD | ONE_SLOT | {"slots": {"n": SLOT | {"max": 2}}},
        "not a value that it accepts",
    ),
    "slot-no-example": (
        GOOD | ONE_SLOT | {"slots": {"n": {"type": "text"}}},
        "not a value that it accepts",
    ),
    "slot-values": (
        GOOD | ONE_SLOT | {"slots": {"n": {"type": "choice", "example": 3}}},
        "needs values",
    ),
    "slot-case": (
        GOOD | ONE_SLOT | {"slots": {"n": {"type": "choice", "example": "A", "values": ["a"]}}},
        "not a value that it accepts",
    ),
    "slot-bounds": (GOOD | ONE_SLOT | {"slots": {"n": SLOT | {"max": "9"}}}, "must be numbers"),
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "a-good", chat("Are you there?"), completion())
    return tmp_path


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_recording_is_named_and_the_others_answer(folder, name):
    content, why = BROKEN[name]
    (folder / "sub").mkdir()
    (folder / "sub" / f"{name}.json").write_bytes(
        content if isinstance(content, bytes) else json.dumps(content).encode()
    )
    library = recordings.Library(folder)
    [(file, said)] = library.problems
    assert file == f"sub/{name}.json" and why in said
    assert len(said) < 300 and "\n" not in said
    assert words(ask(answers.Answers(library), chat("Are you there?"))) == "Yes."


@pytest.mark.parametrize(
    "broken, begins",
    [
        ({"about": 5}, '"about": 5'),
        ({"origin": {"class": "dreamt"}}, '"class": "dreamt"'),
        ({"request": {"method": "POST"}}, '"request": {'),
        ({"responses": [*GOOD["responses"], {"status": "200"}]}, "{"),
        ({"responses": [{"status": 200, "body": []}]}, '"body": []'),
        ({"responses": [{"status": 200, "events": [{"at": 0, "data": 1}, {"at": "1"}]}]}, "{"),
        ({"responses": [{"status": 200, "body": {"choices": [{"delta": {}}]}}]}, '"choices": ['),
        ({"responses": [{"status": 400, "body": {"error": "no"}}]}, '"body": {'),
        (ONE_SLOT | {"slots": {"n": {"type": "colour"}}}, '"slots": {'),
        ({"comment": 1}, '"comment": 1'),
    ],
)  # fmt: skip
def test_a_wrong_structure_is_told_by_its_line(tmp_path, broken, begins):
    text = json.dumps(GOOD | broken, indent=1)
    (tmp_path / "mine.json").write_text("\n" + text, encoding="utf-8")
    [(file, said)] = recordings.Library(tmp_path).problems
    line = int(re.match(r"line (\d+): ", said)[1])
    assert text.splitlines()[line - 2].strip().startswith(begins), said


def test_two_recordings_of_one_request(folder):
    write(folder, "b-again", chat("Are   you there?", user="other"), completion("No."))
    library = recordings.Library(folder)
    assert library.problems == [
        (
            "b-again.json",
            "answers the same request as a-good.json, which stays the one that answers",
        )
    ]
    assert words(ask(answers.Answers(library), chat("Are you there?"))) == "Yes."


def test_a_folder_without_recordings(tmp_path):
    for empty in (tmp_path, tmp_path / "missing"):
        lone = api(empty)
        assert envelope(ask(lone, chat("x")), 424)["code"] == "off_the_map"
        assert envelope(ask(lone, {"a": 1}, "/v1/images"), 424)  # OpenAI has it, and nobody here
        assert envelope(ask(lone, {"a": 1}, "/v1/nowhere"), 404)


BAD_TEMPLATES = {
    "undeclared": "{{ m + 1 }}",
    "syntax": "{{ n + }}",
    "zero": "{{ 1 // (n - 3) }}",
    "filter": "{{ n|nothing }}",
    "unsafe": "{{ ''.__class__.__mro__ }}",
}


@pytest.mark.parametrize("kind", BAD_TEMPLATES)
def test_a_template_that_fails_names_its_file(folder, kind, capsys):
    write(
        folder,
        f"t/{kind}",
        chat("{{ n }} what?"),
        completion(BAD_TEMPLATES[kind]),
        slots={"n": SLOT},
    )
    e = envelope(ask(api(folder), chat("3 what?")), 500)
    assert (
        e["type"] == "server_error"
        and f"data/recordings/t/{kind}.json cannot fill in its answer" in e["message"]
    )
    assert words(ask(api(folder), chat("Are you there?"))) == "Yes."
    assert catalogue.main(["check"], folder) == 1
    said = capsys.readouterr().out
    assert f"t/{kind}.json cannot fill in its answer" in said and "2 recordings, 1 broken" in said


# --- the command line -----------------------------------------------------------------------------


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "helpers.local_api.catalogue", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def test_list_is_aligned(capsys):
    assert catalogue.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(SHIPPED)
    assert (
        len(
            {
                line.index("  constructed  ")
                if len(line.split()[0]) == max(map(len, SHIPPED))
                else line.index("constructed  ") - 2
                for line in lines
            }
        )
        == 1
    )
    for line, r in zip(lines, LIBRARY.recordings):
        assert line.split()[:2] == [r.name, "constructed"] and line.endswith(f"  {r.about}")


def test_check_passes_what_ships_and_finds_each_broken_file(folder, capsys):
    assert catalogue.main(["check"]) == 0
    assert capsys.readouterr().out == f"{len(SHIPPED)} recordings, 0 broken\n"
    (folder / "bad.json").write_text("{")
    (folder / "worse.json").write_text("")
    assert catalogue.main(["check"], folder) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["bad.json", "worse.json", "3"] and said[
        -1
    ] == "3 recordings, 2 broken"


def test_show_tells_request_slots_and_answers():
    shown = run("show", "o1/developer/oven-conflict")
    assert shown.returncode == 0 and not shown.stderr
    for part in (
        "the developer asks for one unit, the user for another",
        "class constructed",
        "POST /v1/chat/completions",
        '"role": "developer"',
        "Slot f: type integer, example 350, min -400, max 5000",
        "Slot unit: type choice",
        "Answer: 200",
        "{{ f|to_unit(unit) }} {{ unit_table }}",
    ):
        assert part in shown.stdout
    busy = run("show", "start/busy.json").stdout
    assert "Answer 1 of 2, by retry: 429" in busy and "Answer 2 of 2, by retry: 200" in busy
    unknown = run("show", "start/nothing")
    assert (
        unknown.returncode == 1
        and unknown.stderr == "There is no recording 'start/nothing'; `list` names them all.\n"
    )


def test_reading_leaves_the_files_alone():
    state = lambda: {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in DATA.rglob("*.json")}
    before = state()
    for name in ("start/busy", "start/weekday-4o", "start/weekday-today-none"):
        asked(name, {k: s["example"] for k, s in SHIPPED[name].slots.items()})
    assert state() == before
