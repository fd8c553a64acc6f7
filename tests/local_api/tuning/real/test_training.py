"""The way back, the losses and the adapters of the real model, on one that is tiny and random."""

import math

import numpy as np
import pytest

from helpers.local_api.tuning.real import network, weights
from helpers.local_api.tuning.real.training import Training
from tests.local_api.tuning.real import tiny

KNOBS = {"beta": 0.1, "n_epochs": 4, "batch_size": 2, "learning_rate_multiplier": 3.0}
PAIRS = [tiny.example(n, 4, 6) for n in range(5)]


def stirred(model):
    """Its adapters are no longer zeros: else half of all gradients are."""
    draw = np.random.default_rng(3)
    for _, b in model.parts().values():
        b += draw.standard_normal(b.shape) * 0.1
    return model


def test_gradients_are_what_small_changes_make():
    model, text = stirred(tiny.model()), network.Text(*tiny.example(9, 4, 3))
    [x] = model.below([text])
    model.back(model.above(x, text), [1.0, -2.0])
    weighted = lambda: (model.above(x, text).logprobs[0].sum() - 2 * model.above(x, text).logprobs[1].sum())  # fmt: skip
    draw = np.random.default_rng(4)
    for name, matrix in model.adapters().items():
        for value, gradient in zip(matrix.adapter, matrix.gradients):
            there, step = draw.standard_normal(value.shape).astype("f4"), 3e-3
            ends = []
            for sign in (1, -1):
                value += sign * step * there
                ends.append(float(weighted()))
                value -= sign * step * there
            by_differences = (ends[0] - ends[1]) / (2 * step)
            assert float((gradient * there).sum()) == pytest.approx(by_differences, rel=0.02, abs=0.02), name  # fmt: skip


def test_an_untrained_adapter_changes_nothing_and_layers_may_be_split_anywhere():
    said = [np.concatenate(tiny.said(tiny.model(upper), PAIRS[0])) for upper in (1, 2, 3)]
    assert said[0] == pytest.approx(said[1], abs=1e-4)
    assert said[0] == pytest.approx(said[2], abs=1e-4)
    assert (said[0] < 0).all()


def test_answers_that_share_a_prompt_are_as_if_each_stood_alone():
    model = stirred(tiny.model())
    prompt, answers = PAIRS[1]
    together = tiny.said(model, (prompt, answers))
    for answer, logprobs in zip(answers, together):
        assert logprobs == pytest.approx(tiny.said(model, (prompt, [answer]))[0], abs=1e-4)


@pytest.mark.parametrize("method", ["dpo", "supervised"])
def test_training_lowers_the_loss_from_where_it_must_begin(method):
    examples = PAIRS if method == "dpo" else [(prompt, answers[:1]) for prompt, answers in PAIRS]
    training = Training(tiny.model(), examples, method, KNOBS, seed=1, held=examples[:2])
    steps = list(training.steps())
    assert [s["step"] for s in steps] == list(range(1, 13)) and steps[0]["steps"] == 12
    assert [s["ends_epoch"] for s in steps[:3]] == [False, False, True]
    assert [s["valid_loss"] is None for s in steps[:3]] == [True, True, False]
    if method == "dpo":
        assert steps[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-6)
        assert steps[0]["train_margin"] == 0 and steps[0]["train_accuracy"] == 0
        assert steps[-1]["valid_accuracy"] == 1 and steps[-1]["valid_margin"] > 0
    else:
        assert steps[0]["train_margin"] is None
    assert steps[-1]["valid_loss"] < steps[2]["valid_loss"] < steps[0]["train_loss"] + 1


def test_the_margin_is_beta_times_what_the_answers_gained():
    model = tiny.model()
    training = Training(model, PAIRS, "dpo", KNOBS, 1)
    stirred(model)
    sums = lambda pair, m: [float(one.sum()) for one in tiny.said(m, pair)]
    loss, won, margin = training._metrics([0])
    now, before = sums(PAIRS[0], model), sums(PAIRS[0], tiny.model())
    expected = 0.1 * ((now[0] - before[0]) - (now[1] - before[1]))
    assert margin == pytest.approx(expected, abs=1e-4)
    assert loss == pytest.approx(math.log(1 + math.exp(-expected)), abs=1e-4)
    assert won == (expected > 0)


def test_the_same_seed_makes_the_same_adapter_and_another_start_goes_on_from_it(tmp_path):
    pytest.importorskip("gguf", reason="it comes with `python start.py test --model`")
    first, second = tiny.model(), tiny.model()
    for model in (first, second):
        list(Training(model, PAIRS, "dpo", KNOBS, 1).steps())
    for name, (a, b) in first.parts().items():
        assert (a == second.parts()[name][0]).all() and (b == second.parts()[name][1]).all()
    file = tmp_path / "adapter.gguf"
    file.write_bytes(weights.adapter_bytes(first.parts()))
    read = weights.adapter_parts(file)
    assert read.keys() == first.parts().keys()
    for name, (a, b) in read.items():
        assert a == pytest.approx(first.parts()[name][0], rel=1e-3, abs=1e-6)
        assert b == pytest.approx(first.parts()[name][1], rel=1e-3, abs=1e-6)
    again = tiny.Model(tiny.weights(), tiny.SHAPE, 2, adapters=read)
    said = lambda m: np.concatenate(tiny.said(m, PAIRS[0]))
    assert said(again) == pytest.approx(said(first), abs=0.01)
    assert said(again) != pytest.approx(said(tiny.model()), abs=0.01)


def test_a_pair_that_is_won_by_far_is_not_learnt_any_more(monkeypatch):
    """Numbers of 1e-36 take a processor sixty times as long, and would move nothing."""
    knobs = {"beta": 1.0, "n_epochs": 1, "batch_size": 1, "learning_rate_multiplier": 1.0}
    for ahead, learnt in ((80, 0), (-80, 1)):
        net, back = tiny.model(), []
        training = Training(net, [tiny.example(3, 4, 5)], "dpo", knobs, 1)
        training.reference[0] = [training.reference[0][0] - ahead, training.reference[0][1]]
        monkeypatch.setattr(net, "back", lambda *a: back.append(a))
        [step] = training.steps()
        assert len(back) == learnt and step["train_margin"] == pytest.approx(ahead)
