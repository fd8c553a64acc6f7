"""Tuning elsewhere: a file goes to TRL's form and back, TRL's trainer has our loss, and a whole
training of it is ours.
"""

import csv
import importlib.util
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers import exercises
from helpers.facts import policy as dpo
from helpers.facts import preference_file

ROOT = Path(__file__).resolve().parents[2]
PREFERENCES = ROOT / "data" / "preferences"
SCRIPT = ROOT / "notebooks" / "3_dpo" / "train_with_trl.py"
TOLERANCE = 0.001  # of a loss or a margin, in nats
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


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["none.jsonl"], "none.jsonl"),
        (["empty.jsonl"], "empty.jsonl is empty"),
        (["pairs.jsonl", "--batch", "0"], "0 must be 1 or more"),
        (["pairs.jsonl", "--beta", "nan"], "nan must be a number above 0"),
        (["pairs.jsonl", "--rate", "inf"], "inf must be a number above 0"),
        (["pairs.jsonl", "--epochs", "1.5"], "invalid whole number value: '1.5'"),
        (["pairs.jsonl"], "pip install trl\n"),
        (["pairs.jsonl", "--lora", "--dry-run"], "pip install trl peft\n"),
    ],
)
def test_a_slip_in_the_command_is_told_in_a_line(
    arguments, said, script, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "torch", None)  # not installed
    Path("empty.jsonl").touch()
    Path("pairs.jsonl").write_text(json.dumps(pair()) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        script.main([*arguments, "--model", "some", "--out", "tuned"])
    assert said in capsys.readouterr().err and not Path("tuned").exists()


# The training that both did (tests/tools/measure_trl.py)


@pytest.fixture(scope="module")
def run():
    return json.loads((ROOT / "data" / "trl_run.json").read_text(encoding="utf-8"))


SIDES = ("ours", "trl", "ours_on_trl_tokens")


@pytest.mark.parametrize("side", SIDES)
def test_each_begins_at_ln_2_and_its_losses_go_with_its_margins(side, run):
    loss, margin = (np.array(run[side][what]) for what in ("loss", "margin"))
    assert len(loss) == len(margin) == 18
    assert loss[0] == pytest.approx(math.log(2), abs=1e-5) and margin[0] == pytest.approx(
        0, abs=1e-5
    )
    # a step's loss is a mean over its pairs, and -log sigmoid is convex
    assert (loss > np.logaddexp(0, -margin) - 1e-5).all()
    assert run[side]["cpu_seconds"] > 1 and run[side]["peak_mb"] > 100


def test_on_the_same_tokens_both_are_one_training(run):
    """32-bit numbers, added up in another order: the gap begins at their last digits and grows."""
    ours, trl = (
        np.array([run[side][what] for what in ("loss", "margin")])
        for side in ("ours_on_trl_tokens", "trl")
    )
    gap = abs(ours - trl).max(0)
    assert gap.max() < TOLERANCE and gap[0] < 1e-5
    assert run["largest_gap_before"] < 0.005 and run["same_prompts"]


def test_ours_is_the_run_of_the_next_notebook(run):
    kept = json.loads((ROOT / "data" / "tuned_runs.json").read_text(encoding="utf-8"))
    weather = kept["runs"]["weather"]
    steps = weather["steps"]
    for what in ("loss", "margin"):
        name = "train_loss" if what == "loss" else "train_reward_margin"
        assert [round(value, 4) for value in run["ours"][what]] == pytest.approx(
            [step[name] for step in steps], abs=2e-4
        )
    alike = ("n_epochs", "batch_size", "pairs")
    assert all(run["settings"][name] == kept["settings"][name] for name in alike)
    assert run["settings"]["beta"] == weather["beta"]


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


@pytest.mark.parametrize("lora, rate", [(False, 1e-6), (True, 1e-4)])
def test_an_adapter_has_a_rate_at_which_it_moves(lora, rate, tiny, script, tmp_path):
    pytest.importorskip("peft")
    settings = {"beta": 0.1, "epochs": 1, "batch": 1, "seed": 0, "lora": lora}
    rows = [script.to_trl(pair())]
    made = script.trainer_of(rows, str(tiny), tmp_path, rate=None, **settings)
    assert made.args.learning_rate == rate
    given = script.trainer_of(rows, str(tiny), tmp_path, rate=3e-5, **settings)
    assert given.args.learning_rate == 3e-5


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


def test_a_dry_run_trains_two_steps_keeps_nothing_and_counts_the_whole(
    tiny, script, tmp_path, capsys
):
    import transformers

    rows = [pair(), pair(), pair()]
    rows[1]["input"] = {"messages": [{"role": "user", "content": "Rain? " * 50}]}
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out = tmp_path / "tuned"
    script.main([str(path), "--model", str(tiny), "--out", str(out), "--batch", "2", "--epochs", "5", "--dry-run"])  # fmt: skip
    said = capsys.readouterr().out
    values = {
        line[15:].strip(): int(line[:15].replace(",", ""))
        for line in said.splitlines()
        if line.startswith("  ")
    }
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    cut = lambda messages: len(tokenizer.apply_chat_template(messages, return_dict=False))
    sizes = [sum(cut(row["input"]["messages"] + row[name]) for name in script.SAME) for row in rows]
    assert values["steps"] == 10 and values["pairs"] == 3
    assert values["tokens of the whole training"] == 5 * sum(sizes)
    assert max(sizes) in values.values() and values["weights"] == values["of them trained"]
    assert not out.exists() and "Nothing was kept" in said


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
