"""From words to scenes: every phrase finds its own, misheard words find them, and what nobody wrote
down finds none.
"""

import datetime
import tomllib
from pathlib import Path

import pytest

from helpers.facts import holidays, meaning, spoken_numbers
from helpers.local_api.realtime import items, scenarios, slot_values
from helpers.local_api.realtime.instructions import Told

SENTENCES = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "voice" / "sentences.toml").read_text(encoding="utf-8")
)


def scene_of(words):
    return scenarios.scene_of(items.written({"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}, "audio/pcm"))  # fmt: skip


def test_there_are_at_least_forty_intents_and_each_phrase_finds_its_own():
    phrases = meaning.phrases()
    assert len({scene for scene, _ in phrases}) >= 40
    filled = {"day": "Halloween", "number": "12", "heat": "20 degrees celsius", "status": "single"}
    for scene, phrase in phrases:
        assert meaning.meant(phrase.format_map(filled)).scene == scene, phrase


def test_sentences_that_no_phrase_was_written_for_are_understood():
    """As if ears heard every word; tests/tools/measure_voice.py asks real ones."""
    right = {part: [scene_of(words) == scene for words, scene in of.items()] for part, of in SENTENCES.items()}  # fmt: skip
    assert all(right["known"])
    assert len(right["held out"]) == 40 and sum(right["held out"]) >= 36
    assert len(right["elsewhere"]) == 40 and sum(right["elsewhere"]) >= 38


@pytest.mark.parametrize(
    "heard, scene",
    [
        ("How many daze until Hallowe'en?", "until a day"),
        ("What did the model of one cost back then?", "price"),
        ("God evening, reindeer.", "hello"),
        ("What is a web? R. T. C.", "webrtc"),
        ("Where are my present hidden?", "presents"),
        ("The people who are in the middle of the day, they are in the middle of the day.", "off the map"),
        ("how do I bake bread", "off the map"),
        ("what is quantum computing", "off the map"),
        ("you", "off the map"),
        ("when exactly is Thanksgiving this year", "until a day"),
        ("how many daze till chris mess", "christmas"),
        ("How many sleeps until payday?", "off the map"),
        ("How many days are left until my retirement?", "until a day"),
        ("How many sleeps until my birthday?", "off the map"),
        ("what do you do on New Year's Eve", "help"),
        ("what do I get for Easter", "until a day"),
        ("where are my shoes hidden", "off the map"),
        ("What are you up to on Christmas Eve?", "christmas eve"),
        ("How soon is Easter, you on the lawn?", "until a day"),
    ],
)  # fmt: skip
def test_misheard_words_find_their_scene_and_others_none(heard, scene):
    assert scene_of(heard) == scene


def value(slot, words, today=None):
    return slot_values.SLOTS[slot](spoken_numbers.digits(words), Told(today=today), [])


def test_slots_are_filled_from_words():
    assert value("until", "how long until July 4th")["away"] == "199 days away"
    assert value("until", "days until the third of march, 2025")["away"] == "76 days away"
    today = datetime.date(2026, 12, 1)
    assert value("until", "till new year's day", today) == {"today": "December 1st", "what": "New Year's Day", "away": "31 days away"}  # fmt: skip
    assert value("weekday", "what day is December seventeenth twenty twenty-four")["weekday"] == "Tuesday"  # fmt: skip
    assert value("arithmetic", "what is twelve times eleven") == {"sum": "12 times 11", "value": "132"}  # fmt: skip
    assert value("percent", "15 percent of two hundred")["value"] == "30"
    assert value("heat", "three hundred fifty degrees Fahrenheit in Celsius")["found"] == "177 degrees Celsius"  # fmt: skip
    assert value("price", "what did o1 cost") == {"model": "o1", "in": "15 dollars for a million tokens in", "out": "60 dollars"}  # fmt: skip
    assert value("shutdown", "when was o1 shut down")["date"] == "October 23rd, 2026"
    assert value("deduction", "standard deduction for head of household in 2023")["amount"] == "20,800 dollars"  # fmt: skip


@pytest.mark.parametrize(
    "slot, words, told",
    [
        ("until", "how long until then", "name a holiday"),
        ("until", "until February 30", "There is no February 30"),
        ("deduction", "standard deduction in 1999", "2023 and 2024"),
        ("arithmetic", "what is seven", "Which sum"),
        ("percent", "ten percent", "Which share"),
    ],
)
def test_what_words_do_not_say_is_asked_for(slot, words, told):
    with pytest.raises(slot_values.Unclear, match=told):
        value(slot, words)


def test_every_holiday_has_a_day_in_every_year():
    for year in (1999, 2024, 2025, 2028):
        for name in holidays.known():
            day = holidays.day(name, year)
            assert day.year == year and holidays.following(name, day) == day
