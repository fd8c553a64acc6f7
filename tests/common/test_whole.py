import pytest

from helpers import forms, power, sounds, stats, tax, tokens, turn_taking, voice_costs
from helpers.facts import policy

PAIRS = [policy.Pair("Rain?", "Yes, bring a coat!", "Yes.")] * 4
PCM = sounds.silence(40)
WHOLE = {  # a number that fits, and who takes it
    "cases": (5, lambda n: stats.wilson_interval(2, n)),
    "questions": (5, lambda n: power.of_pairs(n, 0.7)),
    "wins": (5, lambda n: power.sign_test(n, 3)),
    "year": (2024, lambda n: tax.tax(n, "single", 9325)),
    "income": (9325, lambda n: tax.tax(2024, "single", n)),
    "boxes": (1, lambda n: tax.standard_deduction(2024, "single", n)),
    "page": (2, lambda n: forms.page("single", n)),
    "pixels": (800, lambda n: tokens.image_tokens(n, 1000, "high", "o1")),
    "epochs": (2, lambda n: [step.train_loss for step in policy.train(PAIRS, n_epochs=n)]),
    "seed": (5, lambda n: [step.train_loss for step in policy.train(PAIRS, seed=n)]),
    "turns": (4, lambda n: voice_costs.even(10, 50, n)),
    "instructions": (300, lambda n: voice_costs.usages([(2, 1)], n)),
    "window": (500, lambda n: turn_taking.found(PCM, silence_ms=n)),
    "silence": (20, sounds.silence),
    "rate": (8000, lambda n: sounds.changed(PCM, sounds.RATE, n)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_number_may_be_written_as_a_float(name):
    number, take = WHOLE[name]
    assert repr(take(float(number))) == repr(take(number))


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("wrong", [2.5, "5", None, True, float("nan"), -1])
def test_what_is_no_whole_number_is_refused_in_a_sentence(name, wrong):
    with pytest.raises((ValueError, LookupError), match=str(wrong)):
        WHOLE[name][1](wrong)
