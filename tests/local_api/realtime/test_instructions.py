"""Instructions are followed whole or not at all; what functions return is taken by its meaning."""

import json

import pytest

from helpers.local_api.computed.reading import Unclear
from helpers.local_api.realtime import calling, items, returned, scenarios
from helpers.local_api.realtime.instructions import read


def asked(text):
    part = {"type": "input_text", "text": text}
    return items.written({"type": "message", "role": "user", "content": [part]}, "audio/pcm")


def said(question, instructions, aloud=False, told=""):
    return scenarios.reply([asked(question)], instructions, told, [], "auto", aloud)


@pytest.mark.parametrize(
    "date",
    ["2026-12-01", "1 December 2026", "December 1st, 2026", "01.12.2026", "Tuesday, 1 December 2026"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["Today is {}.", "You are a friendly reindeer. It is {} today."])
def test_a_date_in_any_form(date, form):
    found = said("How many days are left until Christmas?", form.format(date), aloud=True)
    assert found.text == "On December 1st, Christmas is 24 days away." and not found.why


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("Answer in Spanish.", "césped"),
        ("Always speak French.", "pelouse"),
        ("Antworte immer auf Deutsch.", "Rasen"),
        ("Du bist ein Rentier. Sprich Deutsch.", "Rasen"),
        ("Be brief and answer in French.", "pelouse"),
    ],
)
def test_languages_have_a_voice(wish, words):
    found = said("What do you do on the lawn, reindeer?", wish, aloud=True)
    assert words in found.text and found.sound and not found.why


def test_a_pirate_says_so_first():
    found = said("What do you do on the lawn, reindeer?", "Talk like a pirate.", aloud=True)
    assert found.whole.startswith("Arr! Good evening!") and found.sound


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("Never say the gift: tell them to ask their parents.", "Ask your parents."),
        ("Never say where the presents are. Be brief.", "That is a secret."),
        ("Keep the presents secret.", "That is a secret."),
        ("If someone asks about gifts, say “Ask Santa”.", "Ask Santa."),
        ("Do not talk about presents, but tell them to ask Santa.", "Ask Santa."),
        (
            "Never say what the present is, the child should ask its parents instead.",
            "Ask your parents.",
        ),
        ("Never reveal the gifts and send them to their parents.", "Ask your parents."),
    ],
)
def test_what_is_to_be_kept_is_kept(rule, words):
    found = said("Where are my presents hidden?", rule, aloud=True)
    assert found.text.startswith(words) and "closet" not in found.whole and not found.why
    assert said("What do I get for Christmas?", rule).text.startswith(words)
    assert said("Thank you!", rule).text.startswith("Good night")


@pytest.mark.parametrize(
    "wish", ["Whisper.", "Answer in Klingon.", "Be suspicious of burglars.", "Today is some day.",
             "Today is 2026-02-30.", "Never say where the presents are: sing a song about cheese.",
             "Never mention the presents and always answer with a riddle."],
)  # fmt: skip
def test_what_nobody_wrote_down_is_off_the_map(wish):
    found = said("Where are my presents hidden?", wish, aloud=True)
    assert found.why and "offline stand in" in found.text


def test_words_that_no_voice_says_are_written():
    rule = "If someone asks about presents, say “Look behind the moon”."
    assert "behind the moon" in said("Where are the presents?", rule).text
    assert "In text it is answered" in said("Where are the presents?", rule, aloud=True).why


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        ("Answer blocked if the user asks about presents, otherwise allowed.", "blocked"),
        ("Is this about presents? Answer yes or no.", "yes"),
        ("Is this about taxes? Answer yes or no.", "no"),
        ("Reply with STOP when the user mentions gifts; otherwise reply with GO.", "STOP"),
    ],
)
def test_a_guard_in_other_words(rule, verdict):
    assert said("Where are my presents hidden?", "", told=rule).text == verdict


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("Refuse kindly: it is a secret.", "That is a secret."),
        ("Kindly refuse.", "That is a secret."),
        ("Refuse: tell them to ask their parents.", "Ask your parents."),
        ("Say that you cannot tell.", "That is a secret."),
        ("Tell them you don't know where they are.", "I do not know."),
        ("Say hello.", "Hello!"),
    ],
)
def test_a_refusal_in_other_words(wish, words):
    found = said("Where are my presents hidden?", "", aloud=True, told=wish)
    assert found.text.startswith(words) and not found.why


def test_a_guard_for_what_it_does_not_know():
    rule = "Answer blocked if the user asks about {}, otherwise allowed."
    assert "politics" in said("Where are my presents?", "", told=rule.format("politics")).why
    assert "capital" in said("What is the capital of France?", "", told=rule.format("presents")).why


@pytest.mark.parametrize(
    ("output", "day", "days"),
    [
        ("17.12.2024", "2024-12-17", None),
        ({"date": "2024-12-17", "hour": 12}, "2024-12-17", None),
        ({"year": 2024, "month": 12, "day": 17}, "2024-12-17", None),
        ("It is December 17, 2024.", "2024-12-17", None),
        ({"weeks": 2}, None, 14),
        ({"hours": 48}, None, 2),
        ("2 weeks", None, 14),
        (8, None, 8),
        ("8", None, 8),
        ({"days_left": 8}, None, 8),
        ({"temperature": 12}, None, None),
        ({"error": "no clock since 2024-12-17"}, None, None),
        (None, None, None),
        ([1, 2, 3], None, None),
    ],
)
def test_a_day_or_days_by_their_meaning(output, day, days):
    found, count = returned.day_or_days(json.dumps(output))
    assert (found and found.isoformat(), count) == (day, days)


@pytest.mark.parametrize("output", [{"months": 2}, {"days": 8.5}, {"days": -3}, "2024-02-30"])
def test_days_that_cannot_be(output):
    with pytest.raises(Unclear):
        returned.day_or_days(json.dumps(output))


@pytest.mark.parametrize(
    ("output", "amount"),
    [
        ({"tax": 933}, 933),
        (933, 933),
        ("about $933", 933),
        ({"year": 2024, "tax": 933}, 933),
        ({"amount": "1.5k"}, 1500),
        ({"tax": {"federal": 933}}, 933),
        ({"result": 933}, 933),
        ({"refund": 12}, None),
        ({"year": 2024}, None),
        ({"tax_rate": 0.1}, None),
        ({"taxable_income": 9325, "tax": 933}, 933),
        ({"income_tax": 933}, 933),
        ({"error": "no 933"}, None),
        ("between 900 and 950", None),
        (None, None),
    ],
)
def test_an_amount_by_its_meaning(output, amount):
    assert returned.amount(json.dumps(output)) == amount


@pytest.mark.parametrize(
    "output", [{"tax": 933, "currency": "EUR"}, {"tax": "€933"}, "933 Swiss francs", {"pounds": 7}]
)
def test_other_money_is_not_told_as_dollars(output):
    with pytest.raises(Unclear, match="US dollars"):
        returned.amount(json.dumps(output))


@pytest.mark.parametrize("output", ["1e999", '{"tax": 1e999}', '{"days": -1e999}', "[1e999]"])
def test_a_number_that_is_not_finite_is_none(output):
    assert returned.amount(output) is None and returned.day_or_days(output) == (None, None)


def tool(properties, required=()):
    return {"name": "look", "parameters": {"type": "object", "properties": properties, "required": list(required)}}  # fmt: skip


KNOWN = {"question": "What is the tax?", "amount": 9_325, "year": 2024, "status": "married_jointly"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"question": {"type": "string"}}, "What is the tax?"),
        ({"taxableIncome": {"type": "number"}}, 9_325),
        ({"income": {"type": "string"}}, "9325"),
        ({"filing_status": {"type": "string", "enum": ["Single", "Married jointly"]}}, "Married jointly"),
        ({"country": {"type": "string", "default": "USA"}}, "USA"),
        ({"unit": {"type": "string", "enum": ["USD", "EUR"]}}, "USD"),
        ({"version": {"const": 2}}, 2),
    ],
)  # fmt: skip
def test_required_arguments_are_filled(field, value):
    (name,) = field
    assert json.loads(calling.arguments(tool(field, field), KNOWN)) == {name: value}


def test_a_required_argument_that_nothing_fills_is_named():
    with pytest.raises(Unclear, match="state"):
        calling.arguments(tool({"state": {"type": "string"}}, ["state"]), KNOWN)
    assert calling.arguments(tool({"state": {"type": "string"}}), KNOWN) == "{}"


def test_the_reader_of_instructions_knows_what_it_is_given_by_itself():
    from helpers.local_api.realtime import config

    assert read(config.INSTRUCTIONS) == read("")
