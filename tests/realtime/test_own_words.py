"""Counting what a recognizer gets wrong, and what stands on the page where no ears are set up."""

import numpy as np
import pytest

from helpers.facts import sounds, tables
from helpers.realtime import own_words


@pytest.mark.parametrize(
    "said, heard, wrong",
    [
        ("Good night.", "good night", (0, 2)),
        ("Good night.", "", (2, 2)),
        ("Good night.", "A good night", (1, 2)),
        ("one two three four", "one three four", (1, 4)),
        ("The tax on 9,325 dollars.", "The tax on $9,325", (0, 10)),
        ("How many days until Halloween?", "How many days till how we in?", (4, 5)),
    ],
)
def test_words_are_counted_as_they_are_spoken(said, heard, wrong):
    assert own_words.errors(said, heard) == wrong


def test_the_rate_is_over_all_words_and_not_over_sentences():
    assert own_words.error_rate([("one two three", "one two three"), ("four", "five")]) == 25


def test_noise_is_so_many_decibels_below_the_voice():
    clip = sounds.clip("user-thanks")
    assert own_words.noisy(clip, None) == clip
    voice, noisy = (np.frombuffer(p, "<i2").astype(float) for p in (clip, own_words.noisy(clip, 10)))  # fmt: skip
    ratio = 10 * np.log10((voice**2).mean() / ((noisy - voice) ** 2).mean())
    assert abs(ratio - 10) < 0.1
    assert own_words.noisy(clip, 10) == own_words.noisy(clip, 10)


def test_every_place_of_the_slider_was_measured():
    clips = {row["clip"] for row in tables.rows("realtime/heard.csv") if not row["noise_db"]}
    english = {n for n, row in sounds.clips().items() if row["side"] == "user" and row["language"] == "en"}  # fmt: skip
    assert english <= clips
    for name in english:
        for noise in own_words.NOISES:
            assert isinstance(own_words.heard(name, noise), str)


def test_what_nobody_measured_is_told_with_the_way_on():
    with pytest.raises(LookupError, match="start.py lab --voice.*"):
        own_words.heard("user-tax", 7)
    with pytest.raises(LookupError, match="user-christmas"):
        own_words.heard("says-hello")
    with pytest.raises(LookupError, match="with tired: measured are user-christmas\\."):
        own_words.heard("user-story", tone="tired")
    with pytest.raises(ValueError, match="'angry', but there are tired, excited"):
        own_words.toned(sounds.clip("user-story"), "angry")


def test_a_tone_is_heard_and_the_words_are_the_same():
    clip = sounds.clip("user-christmas")
    made = {tone: own_words.toned(clip, tone) for tone in ("tired", "", "excited")}
    assert len(made["tired"]) > 1.2 * len(made[""]) > 1.4 * len(made["excited"])
    words = {tone: own_words.heard("user-christmas", tone=tone) for tone in made}
    assert own_words.errors(words[""], words["tired"])[0] == 0 == own_words.errors(words[""], words["excited"])[0]  # fmt: skip


def test_what_somebody_waits_for_is_a_table_of_milliseconds():
    waits = own_words.waits()
    assert waits.loc["the silence that ends a turn"].tolist() == [500, 500]
    assert (waits.to_numpy() >= 0).all() and (waits["a chat model"] >= waits["a scene"]).all()
