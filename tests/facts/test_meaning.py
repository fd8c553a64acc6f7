"""From words to scenes: every phrase finds its own, misheard words find them, and what nobody wrote
down finds none.
"""

import datetime
import tomllib
from pathlib import Path

import pytest

from helpers.facts import holidays, meaning, spoken_numbers
from helpers.local_api.realtime import asked_days, items, scenarios, slot_values
from helpers.local_api.realtime.instructions import Told

SENTENCES = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "voice" / "sentences.toml").read_text(encoding="utf-8")
)


def typed(words):
    return items.written({"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}, "audio/pcm")  # fmt: skip


def scene_of(words):
    return scenarios.scene_of(typed(words))


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
        ("what do you do on New Year's Eve", "until a day"),
        ("what do I get for Easter", "until a day"),
        ("where are my shoes hidden", "off the map"),
        ("What are you up to on Christmas Eve?", "christmas eve"),
        ("How soon is Easter, you on the lawn?", "until a day"),
        ("How long until the fort of July?", "until a day"),
        ("How many days until Thanks giving?", "until a day"),
        ("Hello, quick question, my dear reindeer on the lawn: what did o1 cost?", "price"),
        ("Good evening! My daughter and I were wondering about it all week. When was o1 shut down?", "shutdown"),
        ("Dear reindeer with the red nose, my brother sent me. What is the tax on 20,000 dollars?", "tax"),
        ("what do you call a reindeer with no eyes", "off the map"),
        ("Bake me a cake, reindeer. Thanks!", "off the map"),
        ("My boss asks what time it is. Where are my shoes?", "off the map"),
        ("How are you today?", "how are you"),
        ("How tall are you?", "off the map"),
        ("How old will I be on Christmas?", "off the map"),
        ("In how many weeks is Halloween?", "until a day"),
        ("Is the fourth of July on a Sunday?", "weekday"),
        ("How expensive are you?", "off the map"),
        ("What is your favorite song?", "off the map"),
        ("Do you have a cold?", "off the map"),
        ("Is it going to snow tomorrow?", "weather"),
        ("What was the price of o1 when it came out?", "price"),
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
    assert value("until", "till new year's day", today) == {"today": "December 1st", "what": "New Year's Day", "is": "is", "away": "31 days away"}  # fmt: skip
    assert (
        value("until", "when is Thanksgiving this year")["what"] == "Thanksgiving, November 28th,"
    )
    assert value("until", "when is Thanksgiving")["what"] == "Thanksgiving, November 27th, 2025,"
    assert value("until", "days until Easter next year")["away"] == "124 days away"
    assert value("until", "how long until the fort of July")["what"] == "Independence Day"
    assert value("cut", "how much cheaper did sound get")["percent"] == "60"
    assert value("weekday", "what day is December seventeenth twenty twenty-four")["weekday"] == "Tuesday"  # fmt: skip
    assert value("arithmetic", "what is twelve times eleven") == {"sum": "12 times 11", "value": "132"}  # fmt: skip
    assert value("percent", "15 percent of two hundred")["value"] == "30"
    assert value("heat", "three hundred fifty degrees Fahrenheit in Celsius")["found"] == "177 degrees Celsius"  # fmt: skip
    assert value("price", "what did o1 cost") == {"model": "o1", "in": "15 dollars for a million tokens in", "out": "60 dollars"}  # fmt: skip
    assert value("shutdown", "when was o1 shut down")["date"] == "October 23rd, 2026"
    assert value("deduction", "standard deduction for head of household in 2023")["amount"] == "20,800 dollars"  # fmt: skip


@pytest.mark.parametrize(
    "words, said",
    [
        ("How many days since Halloween?", "On December 17th, Halloween was 47 days ago."),
        ("How long ago was Thanksgiving?", "On December 17th, Thanksgiving was 19 days ago."),
        ("How many days since last Christmas?", "On December 17th, Christmas was 358 days ago."),
        ("How many weeks until Easter?", "On December 17th, Easter is 17 weeks and 5 days away."),
        ("How long is it to Christmas in weeks?", "On December 17th, Christmas is 1 week and 1 day away."),
        ("How many weeks since Halloween?", "On December 17th, Halloween was 6 weeks and 5 days ago."),
        ("How many days until Christmas 2026?", "On December 17th, Christmas is 738 days away."),
        ("How long until the day after Christmas?", "On December 17th, the day after Christmas is 9 days away."),
        ("How many days until two weeks before Easter?", "On December 17th, 2 weeks before Easter is 110 days away."),
        ("How many days are there between Halloween and Christmas?", "On October 31st, Christmas is 55 days away."),
        ("What about New Year's?", "On December 17th, New Year's Day is 15 days away."),
        ("Which weekday was the fourth of July?", "Independence Day, July 4th, 2024, was a Thursday."),
        ("What is minus five plus three?", "minus 5 plus 3 is minus 2."),
        ("What is 2 plus 3 times 4?", "2 plus 3 times 4 is 14."),
        ("What is 20 minus 5 minus 3?", "20 minus 5 minus 3 is 12."),
        ("What's the square root of 144?", "the square root of 144 is 12."),
        ("What is 20 percent off 80 dollars?", "20 percent off 80 is 64."),
        ("How hot is minus forty degrees Celsius in Fahrenheit?", "minus 40 degrees Celsius is about minus 40 degrees Fahrenheit."),
        ("Please count to five", "1, 2, 3, 4, 5."),
        ("Please count backwards from three", "3, 2, 1."),
        ("Multiply 12 by minus 3", "12 times minus 3 is minus 36."),
        ("Subtract three from ten", "10 minus 3 is 7."),
        ("What day is tomorrow?", "As far as I was told tomorrow is Wednesday, December 18th, 2024."),
        ("What is the date in two weeks?", "As far as I was told 2 weeks after today is Tuesday, December 31st, 2024."),
        ("What day was it a week ago?", "As far as I was told 1 week before today was Tuesday, December 10th, 2024."),
        ("Which date is the day after tomorrow?", "As far as I was told the day after tomorrow is Thursday, December 19th, 2024."),
        ("What is the tax on 20 thousand dollars in 2023?", "For a single person in 2023, the tax on 20,000 dollars is 2,183 dollars."),
    ],
)  # fmt: skip
def test_a_word_that_changes_the_question_changes_the_answer(words, said):
    assert scenarios.reply([typed(words)], "", "", (), "auto", aloud=False).text == said


@pytest.mark.parametrize(
    "words, why",
    [
        ("What is the sales tax on 20 dollars?", "federal income tax"),
        ("What is the date in two months?", "not “months”"),
        ("What is my tax bracket at 60,000 dollars?", "“tax bracket”"),
        ("What is the tax on minus 500 dollars?", "“minus”"),
        ("What did cached input of o1 cost?", "“cached”"),
        ("How many hours until Christmas?", "not “hours”"),
        ("How many working days until Easter?", "not “working days”"),
        ("I am single and earn 3,000 dollars a month, what is my tax?", "a whole year"),
        ("What is the tax on 20,000 dollars in California?", "federal income tax"),
        ("What is the tax on 20,000 euros?", "dollars of the United States"),
        ("What is the standard deduction for a married person?", "no filing status"),
        ("How expensive was GPT 4o mini?", "knows o1"),
        ("How much did o1 pro cost?", "not o1 pro"),
        ("Is o3 still available?", "not o3"),
        ("Please count to one thousand", "not to 1,000"),
    ],
)
def test_a_word_that_changes_the_question_and_is_not_known_is_said_to_be_so(words, why):
    assert why in scenarios.reply([typed(words)], "", "", (), "auto", aloud=False).why


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


@pytest.mark.parametrize(
    "said, heard",
    [
        ("the fourth of july", "the fort of July"),
        ("thanksgiving", "until Thanks giving"),
        ("halloween", "Hallow een"),
        ("independence day", "to Independent Day"),
        ("", "until my pay day"),
        ("", "when is your birth day"),
        ("", "in the western time zone"),
    ],
)
def test_a_holiday_that_was_nearly_heard_is_found(said, heard):
    assert (holidays.found(heard) or ("", ""))[0] == said


def test_every_holiday_has_a_day_in_every_year():
    for year in (1999, 2024, 2025, 2028):
        for name in holidays.known():
            day = holidays.day(name, year)
            assert day.year == year and asked_days.day_of(name, day)[0] == day
