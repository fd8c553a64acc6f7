"""Tuning elsewhere: a file goes to TRL's form and back, and TRL's trainer has our loss."""

import csv
import importlib.util
import json
import math
from pathlib import Path

import numpy as np
import pytest

from helpers import exercises
from helpers.facts import policy as dpo
from helpers.facts import preference_file

ROOT = Path(__file__).resolve().parents[2]
PREFERENCES = ROOT / "data" / "preferences"
SCRIPT = ROOT / "notebooks" / "3_dpo" / "train_with_trl.py"
TOOL = {
    "type": "function",
    "function": {"name": "forecast", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train_with_trl", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pair(**more):
    return {
        "input": {"messages": [{"role": "user", "content": "Rain today?"}]} | more,
        "preferred_output": [{"role": "assistant", "content": "Yes, bring a coat!"}],
        "non_preferred_output": [{"role": "assistant", "content": "Yes."}],
    }


# The two forms


@pytest.mark.parametrize("name", ["weather", "support", "house_style"])
def test_every_line_survives_the_round_trip(name, script):
    rows = [
        json.loads(line)
        for line in (PREFERENCES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    there = [script.to_trl(row) for row in rows]
    assert all(set(row) == {"prompt", "chosen", "rejected"} for row in there)
    assert [row["chosen"][0]["content"] for row in there] == [
        p.preferred for p in dpo.read_pairs(rows)
    ]
    back = [script.to_hosted(row) for row in there]
    assert back == rows
    assert not preference_file.read("\n".join(map(json.dumps, back)).encode(), "dpo")[1]


def test_tools_go_along_and_settings_of_the_call_stay_behind(script):
    there = script.to_trl(pair(tools=[TOOL], parallel_tool_calls=True))
    assert json.loads(there["tools"]) == [TOOL] and "parallel_tool_calls" not in json.dumps(there)
    assert script.to_hosted(there) == pair(tools=[TOOL])
    assert "tools" not in script.to_trl(pair(tools=[]))


@pytest.mark.parametrize(
    "row, said",
    [
        (pair() | {"weight": 2}, "weight has no place"),
        (pair(temperature=1), "input.temperature has no place"),
    ],
)
def test_what_trl_has_no_place_for_is_named(row, said, script):
    with pytest.raises(ValueError, match=said):
        script.to_trl(row)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"prompt": "Rain today?"}, "prompt must be a list"),
        ({"chosen": "Yes."}, "chosen must be a list"),
        ({"score": 1}, "score has no place"),
        (
            {
                "rejected": [
                    {"role": "user", "content": "Rain?"},
                    {"role": "assistant", "content": "No."},
                ]
            },
            "rejected must hold the answer alone, and holds 2",
        ),
    ],
)
def test_what_a_hosted_line_cannot_hold_is_named(change, said, script):
    with pytest.raises(ValueError, match=said):
        script.to_hosted(script.to_trl(pair()) | change)


@pytest.mark.parametrize("line", ["not JSON", "[]", '{"input": 3}', '{"messages": []}'])
def test_a_broken_line_is_named_by_its_number(line, script, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(pair()) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="pairs.jsonl, line 2 is no preference pair"):
        script.read(path)


# The run whose steps are kept


def test_the_steps_of_the_kept_run_have_our_loss():
    with open(ROOT / "data" / "trl_steps.csv", encoding="utf-8", newline="") as f:
        steps = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(f)]
    assert [s["step"] for s in steps] == list(range(1, 65))
    assert steps[0]["reward_margin"] == 0 and steps[0]["loss"] == pytest.approx(
        math.log(2), abs=1e-5
    )
    # a pair a step: a reference of 0, and one weight whose difference is the margin
    for s in steps:
        loss, _, _ = dpo.dpo(np.array([s["reward_margin"]]), np.zeros(1), np.ones((1, 1)), 1.0)
        assert s["loss"] == pytest.approx(loss, abs=1e-5)
        assert s["reward_accuracy"] == (s["reward_margin"] > 0)


# The script itself, where torch and TRL are


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The folder of a small random chat model, made here."""
    torch, transformers, tokenizers = (
        pytest.importorskip(name) for name in ("torch", "transformers", "tokenizers")
    )
    pytest.importorskip("trl")
    letters = tokenizers.Tokenizer(tokenizers.models.BPE())
    letters.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters.train_from_iterator(
        [],
        tokenizers.trainers.BpeTrainer(
            special_tokens=["<pad>", "<eos>"],
            initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=letters, pad_token="<pad>", eos_token="<eos>"
    )
    tokenizer.chat_template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + eos_token }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
    torch.manual_seed(0)
    size = dict(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    folder = tmp_path_factory.mktemp("tiny")
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**size, pad_token_id=0, bos_token_id=1, eos_token_id=1)
    ).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_the_script_trains_a_model_with_our_loss(tiny, script, tmp_path):
    """One pair, six steps: after the first the reference is known, so every loss follows from the
    log-probabilities.
    """
    beta = 0.3
    script.train(
        [script.to_trl(pair())],
        str(tiny),
        tmp_path / "tuned",
        beta=beta,
        epochs=6,
        batch=1,
        rate=1e-2,
    )
    with open(tmp_path / "tuned" / "steps.csv", encoding="utf-8", newline="") as f:
        steps = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(f)]
    said = [np.array([s["logp_chosen"], s["logp_rejected"]]) for s in steps]
    assert len(steps) == 6 and abs(said[-1] - said[0]).min() > 0.01
    for s, now in zip(steps, said):
        loss, _, margins = dpo.dpo(now, said[0], np.array([[1.0, -1.0]]), beta)
        assert s["loss"] == pytest.approx(loss, abs=1e-4) and s["reward_margin"] == pytest.approx(
            margins[0], abs=1e-4
        )
    assert (
        steps[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
        and steps[-1]["loss"] < steps[0]["loss"]
    )


def test_a_long_line_is_neither_dropped_nor_cut(tiny, script, tmp_path):
    """The trainer's default is to keep 1,024 tokens from the start: after a long prompt nothing of
    the answers is left.
    """
    long = pair() | {
        "input": {"messages": [{"role": "user", "content": "Rain? " * 250}]}
    }  # a token a letter
    script.train([script.to_trl(long)], str(tiny), tmp_path, epochs=3, batch=1, rate=1e-2)
    with open(tmp_path / "steps.csv", encoding="utf-8", newline="") as f:
        losses = [float(row["loss"]) for row in csv.DictReader(f)]
    assert len(losses) == 3 and losses[-1] < losses[0]


def test_the_saved_model_is_the_tuned_one(tiny, script, tmp_path):
    import torch
    import transformers

    script.train([script.to_trl(pair())], str(tiny), tmp_path, epochs=3, batch=1, rate=1e-2)

    def chance(folder, answer):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        messages = pair()["input"]["messages"]
        asked = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False
        )
        ids = tokenizer.apply_chat_template(messages + answer, return_dict=False)
        with torch.no_grad():
            logs = (
                transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32")(
                    torch.tensor([ids])
                )
                .logits[0]
                .log_softmax(-1)
            )
        return sum(logs[i - 1, ids[i]].item() for i in range(len(asked), len(ids)))

    gap = [
        chance(folder, pair()["preferred_output"]) - chance(folder, pair()["non_preferred_output"])
        for folder in (tiny, tmp_path)
    ]
    assert gap[1] > gap[0] + 0.1


# The exercises


FLAT = {
    "prompt": "Rain today?",
    "chosen": [
        {"role": "user", "content": "Rain today?"},
        {"role": "assistant", "content": "Yes, bring a coat!"},
    ],
    "rejected": [
        {"role": "user", "content": "Rain today?"},
        {"role": "assistant", "content": "Yes."},
    ],
    "score_chosen": 8.0,
}


@pytest.mark.parametrize(
    "answer, said",
    [
        (
            lambda row: {
                "prompt": row["chosen"][:-1],
                "chosen": row["chosen"][-1:],
                "rejected": row["rejected"][-1:],
            },
            "Right.",
        ),
        (lambda row: row, "score_chosen"),
        (
            lambda row: {
                "prompt": row["chosen"][:-1],
                "chosen": row["chosen"],
                "rejected": row["rejected"],
            },
            "the answer alone",
        ),
        (
            lambda row: {
                "prompt": row["chosen"][:1],
                "chosen": row["chosen"][-1:],
                "rejected": row["rejected"][-1:],
            },
            "conversation before the answer",
        ),
        (
            lambda row: {
                "prompt": row["chosen"][:-1],
                "chosen": row["rejected"][-1:],
                "rejected": row["chosen"][-1:],
            },
            "other way round",
        ),
        (FLAT, "function"),
    ],
)
def test_each_slip_in_the_conversion_is_recognised(answer, said, capsys):
    exercises.check("elsewhere-1", answer)
    assert said in capsys.readouterr().out
