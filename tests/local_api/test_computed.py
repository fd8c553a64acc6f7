"""Answers that are worked out: each derived again here in another way, and questions that are not
understood left alone.
"""

import calendar
import datetime
import io
import itertools
import json
import math
import random

import pytest
from PIL import Image, ImageDraw

from helpers.facts import dates, forms, pictures, tax
from helpers.local_api import computed
from helpers.local_api.computed import languages, results, seen
from tests.asking import CHAT, RESPONSES
from tests.tools.make_frameworks import FORM

INTEGER = {"type": "integer"}
TABLE = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "The tax.",
        "parameters": {
            "type": "object",
            "properties": {
                "year": INTEGER,
                "filing_status": {"type": "string", "enum": list(tax.STATUSES)},
                "taxable_income": INTEGER,
            },
        },
    },
}


def said(user, *rules, path=CHAT, model="o1", before=(), **more):
    """What is answered to a user's words under a developer's rules; None where nobody answers."""
    developer = [{"role": "developer", "content": rule} for rule in rules]
    items = [*developer, *before, {"role": "user", "content": user}]
    body = {"model": model, ("messages" if path == CHAT else "input"): items, **more}
    made = computed.answer(path, body)
    if made is None:
        return None
    if path == RESPONSES:
        return made[0]["output"][-1]["content"][0]["text"]
    message = made[0]["choices"][0]["message"]
    return message["content"] or message["refusal"] or message["tool_calls"]


def test_a_date_is_read_in_the_forms_that_people_write():
    for day in (datetime.date(2024, 12, 17), datetime.date(1990, 3, 5), datetime.date(2000, 2, 29)):
        month = calendar.month_name[day.month]
        for text in (
            f"{day}",
            f"{day.year}/{day.month}/{day.day}",
            f"{day.day}.{day.month}.{day.year}",
            f"{month} {day.day}, {day.year}",
            f"{month[:3]} {day.day} {day.year}",
            f"{day.day} {month} {day.year}",
            f"the {day.day}th of {month} {day.year}",
            f"{day:%Y%m%d}",
            f"{day} 00:00:00",
        ):
            assert dates.read(text) == day, text
    assert dates.read("12/17/2024") == dates.read("17/12/2024") == datetime.date(2024, 12, 17)
    assert dates.read("17. Dezember 2024") == dates.read("2024年12月17日") == datetime.date(2024, 12, 17)  # fmt: skip
    assert dates.read("Christmas") is None and dates.read("2024") is None


@pytest.mark.parametrize(
    "text, why",
    [
        ("2023-02-29", "no 29 February 2023"),
        ("2024-13-01", "no month 13"),
        ("03/04/2024", "2024-03-04 or 2024-04-03"),
        ("1582-10-10", "reform"),
        ("31.4.2024", "30 days"),
    ],
)
def test_a_date_that_cannot_be_is_said(text, why):
    with pytest.raises(ValueError, match=why):
        dates.read(text)


def test_weekdays_in_every_language():
    draw = random.Random(9)
    for _ in range(200):
        day = datetime.date.fromordinal(draw.randrange(577_736, 3_652_059))  # from 1582-10-15
        name = calendar.day_name[day.weekday()]
        assert said(f"What day of the week was {day}?") == f"{day} was a {name}."
    tuesday = {"French": "mardi", "Spanish": "martes", "German": "Dienstag", "Chinese": "星期二",
               "Japanese": "火曜日", "Italian": "martedì", "Dutch": "dinsdag", "Portuguese": "terça-feira"}  # fmt: skip
    for language, word in tuesday.items():
        assert word in said("Which day of the week was 2024-12-17?", f"Answer in {language}.")
    assert "Dienstag" in said("Welcher Wochentag war der 17.12.2024?")
    assert all(len(words) == 7 for words in languages.WEEKDAYS.values())


@pytest.mark.parametrize(
    "day, weekday",
    [("1066-10-14", "Saturday"), ("1492-10-12", "Friday"), ("1582-10-04", "Thursday")],
)
def test_before_the_reform_both_calendars_are_named(day, weekday):
    """The battle of Hastings, the landing of Columbus, and the last day of the Julian calendar:
    known weekdays.
    """
    assert f"By the Julian calendar, which was in use then, a day of that date was a {weekday}" in said(f"Which day of the week was {day}?")  # fmt: skip


def test_heats_by_floating_point():
    signs = {"celsius": "°C", "fahrenheit": "°F", "kelvin": "K", "rankine": "°R"}
    draw = random.Random(9)
    for _ in range(200):
        f, unit = draw.randrange(-450, 9000), draw.choice(list(signs))
        c = (f - 32) / 1.8
        right = {"celsius": c, "fahrenheit": f, "kelvin": c + 273.15, "rankine": f + 459.67}[unit]
        number, sign = said(f"Convert {f} °F to {unit}.").split()
        assert sign == signs[unit] and abs(int(number) - right) <= 0.5 + 1e-9
    with pytest.raises(computed.Unclear, match="absolute zero"):
        said("What is -460 °F in celsius?")


def test_rules_are_followed_whole_or_not_at_all():
    wish = "My American recipe says 350 °F. What is that in kelvin?"
    assert said(wish, "You help cooks. Always answer in Celsius.") == "177 °C"
    assert said(wish, "Answer with the number only.") == "450"
    assert json.loads(said(wish, "Answer in JSON only.")) == {"kelvin": 450}
    assert "450 K" in said(wish, "Talk like a pirate.") and "matey" in said(wish, "Talk like a pirate.")  # fmt: skip
    assert said(wish, "Answer in French, in celsius.") == "350 °F, soit 177 °C."
    assert said(wish, "Answer in French.", "Answer in celsius.") == "350 °F, soit 177 °C."
    for rule in (
        "Answer in Klingon.",
        "Never say a temperature.",
        "Answer in celsius and a smile.",
    ):
        with pytest.raises(computed.Unclear, match="nobody wrote down"):
            said(wish, rule)


def test_counts_by_brute_force():
    draw = random.Random(9)
    for _ in range(100):
        first, last = draw.randrange(1, 50), draw.randrange(50, 900)
        a, b = draw.randrange(2, 20), draw.randrange(2, 20)
        numbers = range(first, last + 1)
        one, other = [k % a == 0 for k in numbers], [k % b == 0 for k in numbers]
        pairs = list(zip(one, other))
        for how, right in {
            f"divisible by {a} or by {b}, but not by both": sum(x != y for x, y in pairs),
            f"divisible by {a} or by {b}": sum(x or y for x, y in pairs),
            f"divisible by {a} and by {b}": sum(x and y for x, y in pairs),
            f"divisible by {a}": sum(one),
            f"not divisible by {a}": len(one) - sum(one),
            "prime": sum(n > 1 and all(n % k for k in range(2, n)) for n in numbers),
            "perfect squares": sum(math.isqrt(n) ** 2 == n for n in numbers),
        }.items():
            asked = f"How many whole numbers from {first} to {last} are {how}? Answer with the number only."
            assert said(asked) == str(right), asked
    with pytest.raises(computed.Unclear, match="backwards"):
        said("How many whole numbers from 9 to 1 are divisible by 3?")


@pytest.mark.parametrize(
    "asked, number",
    [
        ("How many minutes are there in 1.5 hours?", "90"),
        ("How many eggs are there in 3 dozen?", "36"),
        ("How many meters are there in 5 kilometers?", "5000"),
        ("What is 15 % of 80?", "12"),
        ("What is (2 + 3) * 4?", "20"),
        ("What is 1,000 divided by 8?", "125"),
        ("How many r's are in strawberry?", "3"),
    ],
)
def test_sums_and_units(asked, number):
    assert said(f"{asked} Answer with the number only.") == number


@pytest.mark.parametrize(
    "text",
    [
        "Tell me a joke.",
        "Which day of the week was Christmas?",
        "Which week was 2024-12-17?",
        "What is the meaning of life?",
        "How many minutes are there in 36 miles?",
        "Which day of the week was 2024-12-17, and why?",
        "x" * 100_000,
    ],
)
def test_a_question_that_is_not_understood_whole_is_nobodys(text):
    assert said(text) is None


# --- tools ----------------------------------------------------------------------------------------


def test_the_tax_by_a_tool_of_any_name():
    for status, words in {"married_jointly": "married filing jointly", "surviving_spouse": "widow"}.items():  # fmt: skip
        asked = f"Tax year 2024, filing status {words}, taxable income $50,000: what do I owe?"
        (call,) = said(asked, tools=[TABLE])
        assert call["function"]["name"] == "look_up"
        wish = json.loads(call["function"]["arguments"])
        assert wish == {"year": 2024, "filing_status": status, "taxable_income": 50_000}


def after(result, asked="Tax year 2024, filing status single, taxable income 9325 dollars: what is my federal income tax?"):  # fmt: skip
    """What is said once the tool has returned a text."""
    (call,) = said(asked, tools=[TABLE])
    body = {
        "model": "o1",
        "tools": [TABLE],
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": call["id"], "content": result},
        ],
    }
    return computed.answer(CHAT, body)[0]["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "result, words",
    [
        ("933", "is $933."),
        ("933.0", "is $933."),
        ('{"tax": 933}', "is $933."),
        ("{'tax': 933, 'currency': 'USD'}", "is $933."),
        ("933 dollars", "is $933."),
        ("$1,933.50", "is $1,933.50."),
        ("about 900", "returned: about 900"),
        ("None", "returned nothing"),
        ("", "returned nothing"),
        ('{"error": "no such year"}', "The tool said: no such year"),
        ("Error: the table is lost", "The tool said: the table is lost"),
    ],
)
def test_a_result_as_people_return_it(result, words):
    assert words in after(result)


def test_a_number_in_a_sentence_is_not_taken_for_the_result():
    assert results.read("between 900 and 950").amount is None
    assert results.read('{"low": 900, "high": 950}').amount is None
    assert results.read('{"tax": 1e999}').amount is results.read("-1e999").amount is None


def test_a_follow_up_refers_to_the_turn_before():
    first = {"role": "user", "content": "My American recipe says 350 °F. What is that in kelvin?"}
    turn = [first, {"role": "assistant", "content": "450 K"}]
    assert said("And 400 °F?", before=turn) == "478 K"
    assert said("And in celsius?", before=turn) == "177 °C"
    assert said("Thank you!", before=turn) is None


# --- schemas --------------------------------------------------------------------------------------


def corrections(**fields):
    """The first correction of FORM in a schema with these fields."""
    item = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}  # fmt: skip
    schema = {"type": "object", "properties": {"fixes": {"type": "array", "items": item}}}
    form = {"type": "json_schema", "json_schema": {"name": "any", "schema": schema}}
    return json.loads(said(FORM, response_format=form))["fixes"][0]


def test_a_schema_is_filled_in_its_own_order_and_types():
    text = {"type": "string"}
    made = corrections(new_value={"type": "number"}, where=text, old_value=text, line=INTEGER)
    assert list(made) == ["new_value", "where", "old_value", "line"]
    assert made == {"new_value": 25875, "where": "line 11", "old_value": "30875", "line": 11}
    assert corrections(difference=INTEGER)["difference"] == 25875 - 30875
    assert corrections(old=INTEGER, mood={"type": ["string", "null"]})["mood"] is None


@pytest.mark.parametrize(
    "field", [{"mood": {"type": "string"}}, {"location": {"enum": ["line 9"]}}, {"reason": INTEGER}]
)
def test_a_field_that_nothing_fills_is_named(field):
    with pytest.raises(computed.Unclear, match=next(iter(field))):
        corrections(**field)


def taker(name, **fields):
    """A tool of these arguments."""
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def test_a_tool_that_must_be_called_and_takes_the_answer_is_called_with_it():
    """As Pydantic AI and others get their structure, where no tool is needed."""
    text = {"type": "string"}
    day, final = "Which day of the week was 2024-12-17?", taker("final_result", weekday=text)
    for choice in ("required", {"type": "function", "function": {"name": "final_result"}}):
        tools = [taker("get_mood", mood=text), final]
        (call,) = said(day, tools=tools, tool_choice=choice)
        assert call["function"] == {"name": "final_result", "arguments": '{"weekday":"Tuesday"}'}
    fixes = {"type": "array", "items": {"type": "object", "properties": {"new_value": INTEGER}}}
    (call,) = said(FORM, tools=[taker("final", corrections=fixes)], tool_choice="required")
    assert json.loads(call["function"]["arguments"])["corrections"][0] == {"new_value": 25875}
    for tools in ([taker("get_mood", mood=text)], [taker("ping")]):
        with pytest.raises(computed.Unclear, match="no tool takes the answer"):
            said(day, tools=tools, tool_choice="required")


# --- pictures -------------------------------------------------------------------------------------


def saved(page, kind="PNG", size=1.0, turn=0, draw=None, **more):
    image = Image.open(page).convert("L")
    if draw:
        draw(ImageDraw.Draw(image))
    image = image.resize((round(image.width * size), round(image.height * size)))
    kept = io.BytesIO()
    image.rotate(turn, expand=True).save(kept, kind, **more)
    return kept.getvalue()


@pytest.mark.parametrize("name", ["single-1", "joint-2", "three-3", "widow-4", "shaft-a"])
def test_a_page_saved_again_is_that_page(name):
    page = forms.FOLDER / f"{name}.jpg"
    assert seen.page(page.read_bytes()) == name
    for raw in (
        saved(page),
        saved(page, "WEBP"),
        saved(page, "JPEG", quality=40),
        saved(page, "JPEG", size=0.6),
        saved(page, turn=90),
        saved(page, "JPEG", size=1.5, turn=270),
    ):
        assert seen.page(raw) == name


def test_a_page_with_another_amount_is_none_of_ours():
    page = forms.page("single", 3)
    for line in (12, 14, 15, 16):
        left, top, right, bottom = forms.boxes()[page.name]["boxes"][f"line_{line}"]
        wiped = [right - 22, top + 2, right, bottom - 2]
        assert seen.page(saved(page, draw=lambda d: d.rectangle(wiped, fill=235))) is None
    assert seen.page(saved(page, draw=lambda d: d.rectangle([0, 0, 999, 600], fill=255))) is None


def parts(pages, detail="high"):
    urls = [pictures.data_url(page.read_bytes()) for page in pages]
    text = "Which mistakes are on this form? Name page, line and amount."
    return [{"type": "text", "text": text}] + [
        {"type": "image_url", "image_url": {"url": url, "detail": detail}} for url in urls
    ]


@pytest.mark.parametrize("name", forms.FORMS)
def test_pages_in_any_order_and_number(name):
    form = forms.load(name)
    planted = [c for c in form["corrections"] if c["planted"]]
    for n in (1, 2, 3, 4):
        for sent in itertools.combinations((4, 2, 1, 3), n):
            words = said(parts([forms.page(name, p) for p in sent]))
            for c in planted:
                known = forms.NEEDED[c["line"]] <= set(sent)
                assert (f"line {c['line']}: {c['old']:,}" in words) == known, (sent, words)
            if n < 4 and not set(sent) >= {1, 3, 4}:
                assert "Line 12" in words and "cannot check" in words


def test_pages_of_two_forms():
    both = [forms.page(name, p) for name in ("single", "joint") for p in (1, 2, 3, 4)]
    words = said(parts(both))
    assert "I see two forms." in words and "9,325" in words and "35,058" in words
    with pytest.raises(computed.Unclear, match="several forms"):
        said(parts([forms.page("single", 1), forms.page("joint", 2)]))


@pytest.mark.parametrize("digit", ["9", "٣"])
@pytest.mark.parametrize(
    "asked",
    [
        "How many minutes are there in {} hours? Answer with the number only.",
        "What is {} + 1?",
        "How many primes are there from 1 to {}?",
        "Tax year 2024, filing status single, taxable income {} dollars: what do I owe?",
    ],
)
def test_a_number_that_python_reads_no_more_is_none_of_ours(asked, digit):
    with pytest.raises(computed.Unclear, match="400 digits"):
        said(asked.format(5_000 * digit))
