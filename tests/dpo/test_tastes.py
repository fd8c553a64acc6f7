"""Twenty choices say a taste, a leaning and an agreement; one press trains a model on them."""

import random

import pytest

from helpers import connection
from helpers.common import left_out
from helpers.dpo import labelling, own_model, tastes, written

PAIRS = written.lines("weather")
QUESTION = written.held_out_pairs("weather")[0]["input"]["messages"]


@pytest.fixture
def judged(tmp_path):
    def judge(choice, pairs=PAIRS[:20]):
        labels = labelling.Labels(pairs, tmp_path / "mine.jsonl")
        while labels.now:
            labels.choose(choice(labels.now))
        return labels

    return judge


def liking(what):
    def choice(pair):
        left, right = what in pair.left, what in pair.right
        return "tie" if left == right else "left" if left else "right"

    return choice


@pytest.mark.parametrize("unit, other", [("°F", "are longer"), ("°C", "are shorter")])
def test_a_taste_is_told_in_words_with_its_counts(judged, unit, other):
    labels = judged(liking(unit))
    found = tastes.of(labels, PAIRS)
    decided = len(labels.rows())
    assert f"name {unit} ({decided} of {decided})" in found.words() and other in found.words()
    same = decided if unit == "°F" else 0  # the file prefers Fahrenheit
    assert found.agreement().startswith(f"As the file has it: {same} of {decided}, ")
    assert "no leaning to a side" in found.side()
    for share in found.traits:
        assert f"{share.times} of {share.n}" in repr(found) and share.what in found._repr_html_()


def test_who_takes_a_side_is_told_so_and_has_no_taste(judged):
    found = tastes.of(judged(lambda pair: "right"), PAIRS)
    assert "sides were chosen, not answers: right" in found.side()
    assert found.words() == "Nothing that is counted here tells these choices from a coin's."


def test_ties_alone_and_pairs_of_another_file_are_said(judged):
    found = tastes.of(judged(lambda pair: "tie"), PAIRS)
    assert found.words() == "No answer was preferred yet." and "nothing is decided" in repr(found)
    assert "None of these pairs" in tastes.of(judged(liking("°F")), written.lines("support")).agreement()  # fmt: skip


def test_a_coin_rarely_has_a_taste(judged):
    draw = random.Random(5)
    coins = []
    for _ in range(20):
        labels = judged(lambda pair: draw.choice(["left", "right"]))
        coins.append(any(share.sure for share in tastes.of(labels, PAIRS).traits))
        labels.path.unlink(), labels.choices_path.unlink()
    assert sum(coins) <= 2, "at 99 % a trait, some 1 coin in 20 may seem to have a taste"


def test_one_press_trains_the_stand_in_on_the_choices_and_asks_it(judged):
    for unit in ("°C", "°F"):
        labels = judged(liking(unit), PAIRS[:40])
        window = own_model.Training(labels, QUESTION)
        window.buttons[0].click()
        window.thread.join(60)
        said = window.said.value
        assert f"Tuned on {len(labels.rows())} pairs" in said, said
        after = said.partition("after: ")[2].partition("<")[0]
        assert unit in after, said
        assert not window.buttons[0].disabled and "succeeded" in window.window.said.value
        labels.path.unlink(), labels.choices_path.unlink()


def test_too_few_choices_are_told_by_the_job_and_the_button_comes_back(judged):
    window = own_model.Training(judged(liking("°F"), PAIRS[:5]), QUESTION)
    window.buttons[0].click()
    window.thread.join(60)
    assert "must have at least 10 examples" in window.said.value
    assert not window.buttons[0].disabled


def test_no_answer_is_a_sentence_too(judged, monkeypatch):
    monkeypatch.setattr(connection, "connect", lambda: None)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    window = own_model.Training(judged(liking("°F")), QUESTION)
    window.buttons[0].click()
    window.thread.join(60)
    assert "Connection error" in window.said.value and not window.buttons[0].disabled


def test_without_the_language_model_its_button_says_how_to_get_it(judged):
    window = own_model.Training(judged(liking("°F")), QUESTION)
    assert window.buttons[1].disabled and left_out.NO_MODEL in window.buttons[1].tooltip
    assert "Two buttons" in window._repr_mimebundle_()["text/html"]
