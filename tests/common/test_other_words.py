"""Ways to ask the same, and questions that are others."""

import pytest

from helpers.common import other_words


@pytest.mark.parametrize(
    "asked",
    [
        "what is the weather in Rome",
        "Hello there, what's the weather in Rome, please?",
        "Whats the weather in Rome? Thanks!",
        "Thank you! Please what’s weather in  ROME",
        "Hi! So: what is the weather in Rome?!",
    ],
)
def test_the_same_question(asked):
    assert other_words.words(asked) == other_words.words("What is the weather in Rome?")


@pytest.mark.parametrize(
    "other",
    [
        "What is the weather on Rome?",
        "What was the weather in Rome?",
        "What is not the weather in Rome?",
        "What is the weather in Rome, 2?",
        "How do I say hello in Rome?",
    ],
)
def test_another_question(other):
    told = other_words.words(other)
    assert told != other_words.words("What is the weather in Rome?")
    assert told != other_words.words("How do I say hi in Rome?")


@pytest.mark.parametrize("nothing", ["", " ?!", "please", "thanks", "漢字 …"])
def test_a_text_of_nothing_else_stays_a_text(nothing):
    assert isinstance(other_words.plain(nothing), str)
