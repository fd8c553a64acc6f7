"""The stand-in that preference tuning trains: its loss, its gradient, its optimum, and what a
reader tunes with it.
"""

import itertools
import math
import re
import subprocess
import sys

import numpy as np
import pytest

from helpers import exercises
from helpers.common import sketch
from helpers.facts import policy as dpo

CHATTY = "Hi there! It's a lovely 72 °F in Boston today, so you really don't need a coat! Would you like tomorrow's forecast, too?"
TERSE = "22 °C, sunny."
PLACES = "Boston Paris Oslo Lima Cairo Quito Seoul Turin Perth Delhi Kyoto Sofia".split()
PAIRS = [
    dpo.Pair(
        f"What is the weather in {place}?",
        f"Hi! It is {60 + i} °F in {place}, a lovely day! Shall I look at tomorrow?",
        f"{15 + i} °C in {place}.",
    )
    for i, place in enumerate(PLACES)
]
FLIPPED = [dpo.Pair(p.prompt, p.non_preferred, p.preferred) for p in PAIRS]
EXAMPLES = [
    dpo.Example(p.prompt, p.preferred, (p.non_preferred, "I do not know.")[: 1 + i % 2])
    for i, p in enumerate(PAIRS)
]
BETAS = [0.02, 0.1, 0.5, 1, 2]


def last(*args, **kwargs):
    *_, step = dpo.train(*args, **kwargs)
    return step


def some_policy(seed=1):
    return dpo.Policy(np.random.default_rng(seed).normal(0, 0.3, len(dpo.FEATURES)))


# The loss


def from_the_paper(policy, reference, pair, others, beta):
    """The loss of one pair from probabilities alone: rewards beta log(pi / pi_ref), then Bradley
    and Terry's share.
    """
    candidates = [pair.non_preferred, *others, pair.preferred]
    now, then = (np.exp(p.logprobs(pair.prompt, candidates)) for p in (policy, reference))
    assert now.sum() == pytest.approx(1)
    strength = (now / then) ** beta  # exp(reward)
    return -math.log(strength[-1] / (strength[-1] + strength[0]))


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize(
    "others", [[], ["I do not know.", CHATTY]]
)  # what else could be said cancels
def test_the_loss_is_the_papers(beta, others):
    policy, reference = some_policy(1), some_policy(2)
    by_hand = [from_the_paper(policy, reference, pair, others, beta) for pair in PAIRS]
    loss, accuracy, margin = dpo.evaluate(policy, reference, PAIRS, beta=beta)
    assert loss == pytest.approx(np.mean(by_hand), rel=1e-9)
    margins = [-math.log(math.expm1(one)) for one in by_hand]  # loss = log(1 + exp(-margin))
    assert margin == pytest.approx(np.mean(margins), rel=1e-6)
    assert accuracy == np.mean([one < math.log(2) for one in by_hand])


def test_a_case_worked_out_on_paper():
    # pi 0.6 where it was 0.4, and 0.2 where it was 0.5: the ratio of ratios is 1.5 / 0.4 = 3.75.
    # beta 1/2 takes its root, 1.93649; the preferred share is 1.93649 / 2.93649 = 0.65946.
    now, then = np.log([0.6, 0.2, 0.2]), np.log([0.4, 0.5, 0.1])
    loss, _, margins = dpo.dpo(now, then, np.array([[1.0, -1.0, 0.0]]), 0.5)
    assert loss == pytest.approx(0.416337, abs=1e-6)
    assert margins[0] == pytest.approx(0.5 * math.log(3.75))


def test_a_hopeless_pair_costs_its_margin_and_overflows_nothing():
    with np.errstate(all="raise", under="ignore"):
        loss, gradient, _ = dpo.dpo(np.array([-5000.0]), np.zeros(1), np.ones((1, 1)), 1.0)
        assert (loss, gradient[0]) == (5000, -1)
        loss, gradient, _ = dpo.dpo(np.array([5000.0]), np.zeros(1), np.ones((1, 1)), 1.0)
        assert (loss, gradient[0]) == (0, 0)


def by_differences(loss, weights, places, width=1e-5):
    for i in places:
        one = np.zeros_like(weights)
        one[i] = width
        yield (loss(weights + one) - loss(weights - one)) / (2 * width)


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("counts", [None, np.arange(1, len(PAIRS) + 1)])
def test_the_gradient_is_the_slope_of_the_loss(beta, counts):
    rows = np.array(
        [
            dpo.features(p.prompt, p.preferred) - dpo.features(p.prompt, p.non_preferred)
            for p in PAIRS
        ]
    )
    now, then = some_policy(1).weights, some_policy(2).weights
    _, gradient, _ = dpo.dpo(now, then, rows, beta, counts)
    places = range(0, len(dpo.FEATURES), 3)
    slopes = list(by_differences(lambda w: dpo.dpo(w, then, rows, beta, counts)[0], now, places))
    assert np.abs(slopes).max() > 1e-3
    np.testing.assert_allclose(gradient[list(places)], slopes, atol=1e-8)


def test_the_supervised_gradient_is_the_slope_of_its_loss():
    # two and three candidates: an example with fewer is padded
    rows = np.full((len(EXAMPLES), 3, len(dpo.FEATURES)), np.nan)
    for i, e in enumerate(EXAMPLES):
        for j, text in enumerate((e.answer, *e.others)):
            rows[i, j] = dpo.features(e.prompt, text)
    now = some_policy().weights
    loss, gradient, hits = dpo.supervised(now, rows)
    alone = [dpo.Policy(now).logprobs(e.prompt, [e.answer, *e.others]) for e in EXAMPLES]
    assert loss == pytest.approx(-np.mean([logs[0] for logs in alone]))
    assert list(hits) == [logs.argmax() == 0 for logs in alone]
    places = range(0, len(dpo.FEATURES), 3)
    np.testing.assert_allclose(
        gradient[list(places)],
        list(by_differences(lambda w: dpo.supervised(w, rows)[0], now, places)),
        atol=1e-8,
    )


# What must hold whatever the data


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("start", [None, some_policy()])
def test_before_the_first_step_the_loss_is_ln_2_and_the_margin_0(beta, start):
    first = next(dpo.train(PAIRS, beta=beta, start=start, valid=PAIRS[:3]))
    assert first.train_loss == first.valid_loss == pytest.approx(math.log(2), abs=1e-15)
    assert (
        first.train_margin
        == first.valid_margin
        == first.train_accuracy
        == first.valid_accuracy
        == 0
    )


def test_flipping_the_pairs_flips_every_weight_exactly():
    ours, theirs = (last(pairs, seed=7, batch_size=5) for pairs in (PAIRS, FLIPPED))
    assert ours.policy.weights.any()
    np.testing.assert_array_equal(ours.policy.weights, -theirs.policy.weights)
    assert ours.train_loss == theirs.train_loss
    for step, choice in ((ours, 0), (theirs, 1)):
        assert (
            step.policy.choose("What is the weather in Bonn?", [CHATTY, TERSE], temperature=0)
            == choice
        )


@pytest.mark.parametrize("beta", BETAS)
def test_a_tiny_policy_reaches_the_closed_form_optimum(beta):
    """pi*(y) is proportional to pi_ref(y) exp(r(y) / beta): eq. 4 of the paper, for preferences
    that follow r.
    """
    reward, then = np.array([1.0, 0.2, -0.5]), np.log([0.2, 0.5, 0.3])
    duels = list(itertools.permutations(range(3), 2))
    rows = np.array([np.eye(3)[i] - np.eye(3)[j] for i, j in duels])
    wins = [1 / (1 + math.exp(reward[j] - reward[i])) for i, j in duels]
    now = then.copy()
    for _ in range(400):
        now = now - 4 / beta**2 * dpo.dpo(now, then, rows, beta, wins)[1]
    best = then + reward / beta
    best -= np.logaddexp.reduce(best)
    now -= np.logaddexp.reduce(now)
    np.testing.assert_allclose(now, best, atol=1e-6 / beta)


@pytest.mark.parametrize("beta", BETAS)
def test_noisy_labels_are_believed_as_far_as_they_agree(beta):
    """Three labels of four say the same: at the optimum sigmoid(margin) is 3/4, so the margin is ln
    3 for every beta.
    """
    step = last(
        [PAIRS[0]] * 3 + [FLIPPED[0]],
        beta=beta,
        n_epochs=50,
        batch_size=4,
        learning_rate_multiplier=1 / beta,
    )
    _, accuracy, margin = dpo.evaluate(step.policy, dpo.Policy(), PAIRS[:1], beta=beta)
    assert margin == pytest.approx(math.log(3), abs=1e-3) and accuracy == 1
    assert step.train_accuracy == 0.75


def test_a_low_beta_lets_the_policy_go_further():
    gaps = []
    for beta in BETAS:
        chosen, other = last(PAIRS, beta=beta).policy.logprobs(
            PAIRS[0].prompt, [PAIRS[0].preferred, PAIRS[0].non_preferred]
        )
        gaps.append(chosen - other)
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 2 * gaps[-1] > 0


# Training


def test_the_same_seed_gives_the_same_steps_and_another_seed_others():
    def run(seed):
        return [
            (s.train_loss, *s.policy.weights) for s in dpo.train(PAIRS, seed=seed, batch_size=4)
        ]

    assert run(3) == run(3) != run(4)


def test_a_training_left_half_way_and_taken_up_again_ends_as_if_nothing_had_happened():
    run = dpo.train(PAIRS, n_epochs=2, batch_size=4, valid=PAIRS[:2])
    paused = list(itertools.islice(run, 3))
    whole = list(dpo.train(PAIRS, n_epochs=2, batch_size=4, valid=PAIRS[:2]))
    rest = list(run)
    assert [s.step for s in paused + rest] == [1, 2, 3, 4, 5, 6] and {s.steps for s in whole} == {6}
    np.testing.assert_array_equal(rest[-1].policy.weights, whole[-1].policy.weights)
    assert [(s.epoch, s.ends_epoch) for s in whole] == [
        (1, False),
        (1, False),
        (1, True),
        (2, False),
        (2, False),
        (2, True),
    ]


def test_each_epoch_sees_every_pair_once():
    """With one step an epoch the order does not matter; with many, each pair has pulled once."""
    once = [
        last(
            PAIRS, n_epochs=1, batch_size=1, learning_rate_multiplier=1e-9, seed=seed
        ).policy.weights
        for seed in (0, 1)
    ]
    together = last(
        PAIRS, n_epochs=1, batch_size=256, learning_rate_multiplier=1e-9 * len(PAIRS)
    ).policy.weights
    for weights in once:
        np.testing.assert_allclose(weights, together, rtol=1e-6)


def test_metrics_are_of_the_policy_before_the_step_and_of_all_that_is_held_out():
    steps = list(dpo.train(PAIRS[:8], n_epochs=1, batch_size=3, valid=PAIRS[8:], beta=0.3))
    assert [s.valid_loss for s in steps[1:]] == [
        dpo.evaluate(s.policy, dpo.Policy(), PAIRS[8:], beta=0.3)[0] for s in steps[:-1]
    ]
    assert steps[0].valid_accuracy == 0 and steps[-1].valid_accuracy == 1


def test_supervised_first_and_then_preferences():
    tuned = last(EXAMPLES, method="supervised").policy
    before, after = (p.logprobs(PAIRS[0].prompt, [CHATTY, TERSE]) for p in (dpo.Policy(), tuned))
    assert after[0] > before[0]
    steps = list(dpo.train(FLIPPED, start=tuned))
    assert steps[0].train_loss == pytest.approx(math.log(2), abs=1e-15)
    assert tuned.choose(PAIRS[0].prompt, [CHATTY, TERSE], temperature=0) == 0
    assert steps[-1].policy.choose(PAIRS[0].prompt, [CHATTY, TERSE], temperature=0) == 1


def test_supervised_metrics():
    first, *_, end = dpo.train(EXAMPLES, method="supervised", valid=EXAMPLES[:2], batch_size=256)
    # all equally likely
    assert first.train_loss == pytest.approx(
        np.mean([math.log(1 + len(e.others)) for e in EXAMPLES])
    )
    assert first.train_accuracy == 0 and end.train_accuracy == end.valid_accuracy == 1
    assert (
        first.train_margin is first.valid_margin is None and end.train_loss < first.train_loss / 2
    )


@pytest.mark.parametrize(
    "given, says",
    [
        ({"beta": 0}, "beta.*above 0, at most 2, not 0"),
        ({"beta": 2.01}, "beta"),
        ({"beta": "high"}, "'high'"),
        ({"beta": float("nan")}, "nan"),
        ({"n_epochs": 0}, "whole number from 1 to 50"),
        ({"n_epochs": 51}, "n_epochs"),
        ({"n_epochs": 2.5}, "2.5"),
        ({"n_epochs": True}, "True"),
        ({"batch_size": 0}, "from 1 to 256"),
        ({"batch_size": 257}, "257"),
        ({"learning_rate_multiplier": 0}, "above 0, not 0"),
        ({"learning_rate_multiplier": float("inf")}, "above 0, not inf"),
        ({"learning_rate_multiplier": None}, "None"),
        ({"epochs": 3}, "epochs is no hyperparameter.*n_epochs"),
    ],
)
def test_a_hyperparameter_out_of_range_is_named(given, says):
    with pytest.raises(ValueError, match=says):
        dpo.resolve(given, 60)


def test_auto_follows_the_size_of_the_file_and_stays_in_range():
    for n in range(1, 3000, 7):
        found = dpo.resolve(dict.fromkeys(dpo.LIMITS, "auto"), n)
        assert found == dpo.resolve({}, n) == dpo.resolve(found, n)
    assert [
        (dpo.resolve({}, n)["n_epochs"], dpo.resolve({}, n)["batch_size"]) for n in (10, 60, 1000)
    ] == [(10, 1), (5, 3), (3, 32)]


@pytest.mark.parametrize(
    "data, more, says",
    [([], {}, "empty"), (PAIRS, {"method": "ppo"}, "'ppo'"), (PAIRS, {"beta": 3}, "beta")],
)
def test_a_training_that_cannot_begin_says_why(data, more, says):
    with pytest.raises(ValueError, match=says):
        next(dpo.train(data, **more))


# The policy and its features


def test_a_policy_does_not_change():
    policy = last(PAIRS).policy
    with pytest.raises(ValueError, match="read-only"):
        policy.weights[0] = 1


def test_temperature_runs_from_the_likeliest_to_a_coin():
    policy = last(PAIRS, n_epochs=1, learning_rate_multiplier=0.02).policy
    candidates = [TERSE, CHATTY]
    chance = math.exp(policy.logprobs("Weather?", candidates)[1])
    assert 0.5 < chance < 0.99
    for temperature, expected in ((0, 1), (1, chance), (1e6, 0.5)):
        taken = np.mean(
            [policy.choose("Weather?", candidates, temperature, seed) for seed in range(600)]
        )
        assert taken == pytest.approx(expected, abs=0.08)
    assert dpo.Policy().choose("Weather?", candidates, temperature=0) == 0  # of equals the first
    with pytest.raises(ValueError, match="there are none"):
        policy.choose("Weather?", [])
    with pytest.raises(ValueError, match="temperature"):
        policy.choose("Weather?", candidates, temperature=-1)


@pytest.mark.parametrize(
    "name, more, less",
    [
        ("length", "It rains in Paris today.", "It rains."),
        ("fahrenheit", "It is 72 °F.", "It is 22 °C."),
        ("celsius", "22°C", "72°F"),
        ("celsius", "22 degrees Celsius", "22 degrees"),
        ("exclamations", "Sun!!", "Sun."),
        ("greeting", "Hello Ana, it rains.", "It rains, Ana said hello."),
        ("ends_in_question", "It rains. Anything else?", "Rain? Yes, it rains."),
        ("hedges", "It may perhaps rain.", "It will rain."),
        ("list_items", "To do:\n- one\n- two", "To do: one, two - now"),
        ("list_items", "1. one\n2. two", "10.5 km"),
        ("markdown", "**Note** `x`", "Note x"),
        ("numbers", "1 and 2.5", "1,000"),
        ("you", "Your coat, you know", "The coat"),
        ("contractions", "It's fine, don't worry", "It is fine, do not worry"),
        ("contractions", "It’s fine", "It is fine"),
        ("quotes", 'Press "Save"', "Press Save"),
        ("apologies", "Sorry about that", "About that"),
        ("offer", "Let me know!", "I know!"),
        ("overlap", "The weather in Oslo", "Rain and snow"),
        ("emoji", "Sun ☀", "Sun"),
        ("capitals", "READ this NOW", "Read this Now"),
        ("opener", "Of course, it rains", "It rains, of course"),
        ("i_and_we", "I think we win", "Think: win"),
        ("please", "Please wait", "Wait"),
        ("lines", "a\n\nb\nc", "a b c"),
        ("sentence_length", "It rains and it snows.", "It rains. It snows."),
        ("word_length", "precipitation expected", "it may rain"),
        ("intensifiers", "a really lovely day", "a day"),
        ("thanks", "Thank you for asking", "You asked"),
        ("questions", "Coat? Hat?", "Coat."),
        ("sentences", "Sun. Wind. Rain.", "Sun, wind, rain."),
    ],
)
def test_a_feature_means_what_it_is_called(name, more, less):
    i = dpo.FEATURES.index(name)
    assert (
        dpo.features("What is the weather in Oslo?", more)[i]
        > dpo.features("What is the weather in Oslo?", less)[i]
    )


def test_every_feature_has_a_name_a_unit_and_a_test():
    tested = {
        mark.args[1][i][0]
        for mark in test_a_feature_means_what_it_is_called.pytestmark
        for i in range(len(mark.args[1]))
    }
    assert tested == set(dpo.UNITS) == set(dpo.NAMED) and len(set(dpo.FEATURES)) == len(
        dpo.FEATURES
    )


@pytest.mark.parametrize("answer", ["", "…", "🙂", "123", "\n\n", "Ünïcödé ß", "a" * 10_000])
def test_any_text_has_features(answer):
    row = dpo.features("", answer)
    assert row.shape == (len(dpo.FEATURES),) and np.isfinite(row).all()
    assert np.linalg.norm(row[len(dpo.NAMED) :]) == pytest.approx(
        float(bool(set(answer) - set("…🙂123\n")))
    )


def test_features_know_nothing_of_the_file_or_of_the_process():
    code = "from helpers import dpo; print(dpo.features('Weather?', 'Hi! It is 72 °F.').round(12).tolist())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert runs == {f"{dpo.features('Weather?', 'Hi! It is 72 °F.').round(12).tolist()}\n"}


def test_the_core_is_cheap_to_import():
    code = "import sys, helpers.facts.policy; print({'pandas', 'openai', 'plotly', 'ipywidgets', 'tornado'} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "set()\n"
    )


# The hosted format


def test_pairs_are_read_from_the_lines_of_a_preference_file():
    row = {
        "input": {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Yes?"},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Weather"},
                        {"type": "text", "text": "in Oslo?"},
                    ],
                },
            ],
            "tools": [],
        },
        "preferred_output": [{"role": "assistant", "content": "Rain."}],
        "non_preferred_output": [
            {"role": "assistant", "content": [{"type": "text", "text": "Hm."}]}
        ],
    }
    assert dpo.read_pairs([row]) == [dpo.Pair("Weather\nin Oslo?", "Rain.", "Hm.")]


def test_examples_are_read_from_the_lines_of_a_supervised_file():
    row = {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "Rain."},
        ]
    }
    asked = []
    made = dpo.read_examples([row], lambda messages: asked.append(messages) or ["Sun.", "Rain."])
    assert made == [dpo.Example("Weather?", "Rain.", ("Sun.",))] and asked == [row["messages"][:1]]


# What a slider draws


def test_curves_are_drawn_inside_their_frame_and_told_in_words():
    shown = sketch.curves(
        {"practice": [0.7, 2.0, 0.1], "held <out>": [0.7, 0.5, 0.4]},
        title="Loss",
        x="step",
        y="nats",
        span=(0, 1),
    )
    assert repr(shown) == "Loss: practice from 0.7 to 0.1; held <out> from 0.7 to 0.4"
    svg = shown._repr_html_()
    assert 'role="img"' in svg and "held &lt;out&gt;" in svg and "<out>" not in svg
    tops = [
        float(point.split(",")[1])
        for line in svg.split('points="')[1:]
        for point in line.split('"')[0].split()
    ]
    assert len(tops) == 6 and min(tops) == sketch.TOP and max(tops) < sketch.TOP + sketch.HIGH
    both = sketch.beside(shown, shown, note="a & b")
    assert (
        repr(both).splitlines() == [repr(shown), repr(shown), "a & b"]
        and both._repr_html_().count("<svg") == 2
        and "a &amp; b" in both._repr_html_()
    )


def room_of_names(names):
    """Pixels that each name of a curve has to itself, up to the next dash or the edge."""
    svg = sketch.curves(dict.fromkeys(names, [0, 1]), title="", x="", y="")._repr_html_()
    starts = [float(at) for at in re.findall(r'd="M([\d.]+) \d+h18"', svg)]
    return [end - at - 22 for at, end in zip(starts, [*starts[1:], sketch.LEFT + sketch.WIDE])]


def test_the_names_of_curves_keep_apart():
    names = ["October", "December", "mini", "today"]
    assert all(room >= 7 * len(name) for name, room in zip(names, room_of_names(names)))
    assert min(room_of_names(["a name of some length"] * 4)) > 60


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_curves_of_nothing_say_so(values):
    with pytest.raises(ValueError, match="'Loss'"):
        sketch.curves({"practice": values}, title="Loss", x="step", y="nats")


def test_one_value_and_equal_values_can_be_drawn():
    for values in ([0.5], [0.0, 0.0]):
        assert (
            "nan"
            not in sketch.curves(
                {"practice": values}, title="Loss", x="step", y="nats"
            )._repr_html_()
        )


# The exercise


@pytest.mark.parametrize(
    "answer, said",
    [
        (0.4555, "Right."),
        (math.log(1 + 1 / math.sqrt(3)), "Right."),
        (math.log(4 / 3), "beta is missing"),
        (math.log(1 + math.sqrt(2 / 3)), "the reference is missing"),
        (math.log(1 + math.sqrt(3)), "swapped"),
        (math.log(3) / 2, "that is the margin"),
        (0.4555 / math.log(2), "bits"),
        (-0.4555, "positive"),
        (0.6340, "the share"),
        (2, "you have 2.0000"),
    ],
)
def test_each_slip_in_the_loss_is_recognised(answer, said, capsys):
    exercises.check("dpo_learning-1", answer)
    assert said in capsys.readouterr().out


# Others' implementation


def test_the_loss_is_the_one_that_trl_computes(tmp_path):
    """A small random language model, another as its reference: TRL's trainer evaluates pairs, and
    so do we.
    """
    torch, trl, transformers, datasets = (
        pytest.importorskip(name) for name in ("torch", "trl", "transformers", "datasets")
    )
    tokenizers = pytest.importorskip("tokenizers")
    words = {
        w: i
        for i, w in enumerate(
            "<pad> <eos> what is the weather it rains sun shines a lot today".split()
        )
    }
    plain = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<pad>"))
    plain.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="<pad>", eos_token="<eos>"
    )
    size = dict(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        initializer_range=0.5,
    )

    def model(seed):
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(
            transformers.LlamaConfig(**size, pad_token_id=0, eos_token_id=1)
        ).eval()

    now, then = model(1), model(2)
    pairs = [
        ("what is the weather", " it rains a lot", " sun"),
        ("the weather today", " sun shines", " it rains today"),
        ("is it sun", " it is", " the sun shines a lot"),
    ]
    args = trl.DPOConfig(
        str(tmp_path),
        beta=0.3,
        per_device_eval_batch_size=len(pairs),
        report_to=[],
        use_cpu=True,
        bf16=False,
    )
    data = datasets.Dataset.from_list(
        [dict(zip(("prompt", "chosen", "rejected"), pair)) for pair in pairs]
    )
    found = trl.DPOTrainer(
        model=now,
        ref_model=then,
        args=args,
        train_dataset=data,
        eval_dataset=data,
        processing_class=tokenizer,
    ).evaluate()

    def said(model, prompt, answer):
        """log pi(answer | prompt), the end included."""
        asked, ids = tokenizer(prompt)["input_ids"], tokenizer(prompt + answer)["input_ids"] + [1]
        with torch.no_grad():
            logs = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        return sum(logs[i - 1, ids[i]].item() for i in range(len(asked), len(ids)))

    weights, reference = (
        [said(m, prompt, answer) for prompt, *both in pairs for answer in both] for m in (now, then)
    )
    # each answer has a weight of its own: its log-probability
    rows = np.kron(np.eye(len(pairs)), [1, -1])
    loss, _, margins = dpo.dpo(np.array(weights), np.array(reference), rows, 0.3)
    assert abs(loss - math.log(2)) > 0.01
    assert found["eval_loss"] == pytest.approx(loss, abs=1e-5)
    assert found["eval_rewards/margins"] == pytest.approx(margins.mean(), abs=1e-5)
    assert found["eval_rewards/accuracies"] == pytest.approx((margins > 0).mean())
