"""Tune an open model on a file of preference pairs, with Hugging Face TRL's DPOTrainer.

    pip install trl                                  (with --lora also: pip install peft)
    python train_with_trl.py my_pairs/weather.jsonl --model Qwen/Qwen2.5-0.5B-Instruct --out tuned
    python train_with_trl.py … --dry-run             (trains two steps, and says what all would take)

The file is the one that hosted preference tuning takes: input.messages, preferred_output and
non_preferred_output. `to_trl` turns a line of it into a row of TRL's, `to_hosted` turns it back; both
need nothing but Python. The model is any chat model that transformers loads, by name or from a folder.
What the training measures at each step is written to OUT/steps.csv. Written for and run with TRL 1.16.
"""
import argparse
import csv
import json
import math
import sys
import tempfile
import time
from pathlib import Path

SAME = {"preferred_output": "chosen", "non_preferred_output": "rejected"}
MEASURED = {"loss": "loss", "rewards/accuracies": "reward_accuracy", "rewards/margins": "reward_margin",
            "logps/chosen": "logp_chosen", "logps/rejected": "logp_rejected"}

RATE = {False: 1e-6, True: 1e-4}  # of all weights, TRL's own; of an adapter, which hardly moves at that


def to_trl(row):
    """A hosted line (dict) as a row of TRL's: prompt, chosen, rejected, each a list of messages.

    Tools, if there are any, become JSON text, which TRL reads back; parallel_tool_calls is left out: it is a
    setting of the call, and nothing that can be learnt. ValueError names any other field.
    """
    for name in (*row, *(f"input.{name}" for name in row["input"])):
        if name not in ("input", *SAME, "input.messages", "input.tools", "input.parallel_tool_calls"):
            raise ValueError(f"{name} has no place in TRL's form: take it out of the line")
    tools = {"tools": json.dumps(row["input"]["tools"])} if row["input"].get("tools") else {}
    return {"prompt": row["input"]["messages"]} | {new: row[old] for old, new in SAME.items()} | tools


def to_hosted(row):
    """A row of TRL's (dict) as a hosted line. ValueError for the forms that a hosted line cannot hold."""
    for name in row:
        if name not in ("prompt", *SAME.values(), "tools"):
            raise ValueError(f"{name} has no place in a hosted line: take it out of the row")
    for name in ("prompt", *SAME.values()):
        if not isinstance(row.get(name), list):
            raise ValueError(f"{name} must be a list of messages, each with role and content")
    for name in SAME.values():
        if len(row[name]) != 1:
            raise ValueError(f"{name} must hold the answer alone, and holds {len(row[name])} messages: "
                             "those before the answer belong in prompt")
    tools = {"tools": json.loads(row["tools"])} if row.get("tools") else {}
    return {"input": {"messages": row["prompt"]} | tools} | {old: row[new] for old, new in SAME.items()}


def read(path):
    """The rows of a hosted file in TRL's form. ValueError names the line that is none."""
    rows = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        try:
            rows.append(to_trl(json.loads(line)))
        except (ValueError, TypeError, LookupError) as e:
            raise ValueError(f"{path}, line {number} is no preference pair: {e!r}") from None
    if not rows:
        raise ValueError(f"{path} is empty: it must hold a preference pair a line")
    return rows


def trainer_of(rows, model, out, *, beta, epochs, batch, rate, lora, seed, **more):
    """TRL's trainer of `train`, ready to train; more: further settings of its own."""
    import torch
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    adapter = None
    if lora:
        from peft import LoraConfig
        adapter = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=8, lora_alpha=16)
    config = DPOConfig(output_dir=str(out), beta=beta, num_train_epochs=epochs,
                       per_device_train_batch_size=batch, learning_rate=rate or RATE[lora], seed=seed,
                       max_length=None,  # or what is over 1,024 tokens is cut off at the end, without a word
                       bf16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(False),  # in hardware
                       logging_steps=1, save_strategy="no", report_to=[], **more)
    # no ref_model: TRL keeps the model as it was, or with an adapter the model without it
    return DPOTrainer(model=model, args=config, train_dataset=Dataset.from_list(rows), peft_config=adapter)


def train(rows, model, out, *, beta=0.1, epochs=1, batch=8, rate=None, lora=False, seed=0):
    """Tune `model` (a name or a folder) on `rows` of TRL's form, save it in `out`, and return the trainer.

    beta, epochs, batch: as the hosted hyperparameters beta, n_epochs and batch_size. rate: the learning
    rate itself, not a multiplier; None: RATE's. lora: train a small adapter, and leave the weights alone.
    """
    trainer = trainer_of(rows, model, out, beta=beta, epochs=epochs, batch=batch, rate=rate, lora=lora,
                         seed=seed)
    trainer.train()
    trainer.save_model(str(out))
    with open(Path(out) / "steps.csv", "w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(["step", *MEASURED.values()])
        table.writerows([entry["step"], *(entry[name] for name in MEASURED)]
                        for entry in trainer.state.log_history if "loss" in entry)
    return trainer


def dry_run(rows, model, **settings):
    """Train two steps on the longest pairs, which need the most memory, and keep nothing. Returns what the
    whole training would be, as pairs of a name and a number. settings: all those of `train` but seed.
    """
    longest = sorted(rows, key=lambda row: -len(json.dumps(row)))
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(longest, model, folder, seed=0, max_steps=2,
                             train_sampling_strategy="sequential", **settings)
        began = time.monotonic()
        trainer.train()
        seconds = (time.monotonic() - began) / 2
    sizes = [2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
             for row in trainer.train_dataset]  # the prompt is read with either answer
    steps = math.ceil(len(rows) / settings["batch"]) * settings["epochs"]
    weights = list(trainer.model.parameters())
    trained = sum(w.numel() for w in weights if w.requires_grad)
    return [("pairs", len(rows)),
            ("tokens of the longest pair, with its prompt twice", max(sizes)),
            ("tokens of the whole training", sum(sizes) * settings["epochs"]),
            ("steps", steps),
            ("weights", sum(w.numel() for w in weights)),
            ("of them trained", trained),
            (f"MB of memory at most, on {trainer.args.device.type}", most_memory()),
            ("minutes for all steps, at the pace of these two", math.ceil(seconds * steps / 60))]


def most_memory():
    """The most memory so far in MB: of the graphics card where there is one, else of this process."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() // 2**20
    if sys.platform == "win32":
        import psutil  # TRL needs it, too
        return psutil.Process().memory_info().peak_wset // 2**20
    import resource
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def number(kind, least):
    """What argparse reads a number with: `kind`, of at least `least`, or above 0 where that is None."""
    def read_number(text):
        value = kind(text)
        if not (value > 0 if least is None else value >= least) or value == math.inf:
            least_said = "a number above 0" if least is None else f"{least} or more"
            raise argparse.ArgumentTypeError(f"{text} must be {least_said}")
        return value
    read_number.__name__ = "number" if kind is float else "whole number"
    return read_number


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="preference pairs, as JSONL in the hosted form")
    parser.add_argument("--model", required=True, help="a chat model: its name, or its folder")
    parser.add_argument("--out", required=True, help="where the tuned model goes")
    parser.add_argument("--beta", type=number(float, None), default=0.1)
    parser.add_argument("--epochs", type=number(int, 1), default=1)
    parser.add_argument("--batch", type=number(int, 1), default=8)
    parser.add_argument("--rate", type=number(float, None),
                        help=f"{RATE[False]} if left out, with --lora {RATE[True]}")
    parser.add_argument("--lora", action="store_true", help="train an adapter only (needs peft)")
    parser.add_argument("--dry-run", action="store_true",
                        help="train two steps, keep nothing, and say what the whole training would take")
    given = vars(parser.parse_args(arguments))
    dry, path, out = (given.pop(name) for name in ("dry_run", "file", "out"))
    try:
        rows = read(path)
    except (OSError, ValueError) as e:
        parser.error(str(e))
    try:
        told = dry_run(rows, **given) if dry else train(rows, out=out, **given)
    except ImportError as e:
        parser.error(f"{e}. What trains is set up with: pip install trl{' peft' * given['lora']}")
    except OSError as e:  # no such model, a full disk
        parser.error(str(e))
    if dry:
        for name, value in told:
            print(f"{value:>15,}  {name}")
        print(f"Nothing was kept. Without --dry-run the tuned model goes to {out}.")
    else:
        print(f"{len(rows)} pairs, tuned model in {out}, its steps in {out}/steps.csv")


if __name__ == "__main__":
    main()
