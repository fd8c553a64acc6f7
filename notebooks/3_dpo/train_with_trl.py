"""Tune an open model on a file of preference pairs, with Hugging Face TRL's DPOTrainer.

    pip install trl                                  (with --lora also: pip install peft)
    python train_with_trl.py my_pairs/weather.jsonl --model Qwen/Qwen2.5-0.5B-Instruct --out tuned

The file is the one that hosted preference tuning takes: input.messages, preferred_output and
non_preferred_output. `to_trl` turns a line of it into a row of TRL's, `to_hosted` turns it back; both
need nothing but Python. The model is any chat model that transformers loads, by name or from a folder.
What the training measures at each step is written to OUT/steps.csv. Written for and run with TRL 1.16.
"""
import argparse
import csv
import json
from pathlib import Path

SAME = {"preferred_output": "chosen", "non_preferred_output": "rejected"}
MEASURED = {"loss": "loss", "rewards/accuracies": "reward_accuracy", "rewards/margins": "reward_margin",
            "logps/chosen": "logp_chosen", "logps/rejected": "logp_rejected"}


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
    return rows


def train(rows, model, out, *, beta=0.1, epochs=1, batch=8, rate=1e-6, lora=False, seed=0):
    """Tune `model` (a name or a folder) on `rows` of TRL's form, save it in `out`, and return the trainer.

    beta, epochs, batch: as the hosted hyperparameters beta, n_epochs and batch_size. rate: the
    learning rate itself, not a multiplier. lora: train a small adapter, and leave the weights alone.
    """
    import torch
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    adapter = None
    if lora:
        from peft import LoraConfig
        adapter = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear")
    config = DPOConfig(output_dir=str(out), beta=beta, num_train_epochs=epochs,
                       per_device_train_batch_size=batch, learning_rate=rate, seed=seed,
                       max_length=None,  # or what is over 1,024 tokens is cut off at the end, without a word
                       bf16=torch.cuda.is_available(), logging_steps=1, save_strategy="no", report_to=[])
    # no ref_model: TRL keeps the model as it was, or with an adapter the model without it
    data = Dataset.from_list(rows)
    trainer = DPOTrainer(model=model, args=config, train_dataset=data, peft_config=adapter)
    trainer.train()
    trainer.save_model(str(out))
    with open(Path(out) / "steps.csv", "w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(["step", *MEASURED.values()])
        table.writerows([entry["step"], *(entry[name] for name in MEASURED)]
                        for entry in trainer.state.log_history if "loss" in entry)
    return trainer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="preference pairs, as JSONL in the hosted form")
    parser.add_argument("--model", required=True, help="a chat model: its name, or its folder")
    parser.add_argument("--out", required=True, help="where the tuned model goes")
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-6)
    parser.add_argument("--lora", action="store_true", help="train an adapter only (needs peft)")
    given = vars(parser.parse_args())
    rows = read(given.pop("file"))
    train(rows, **given)
    print(f"{len(rows)} pairs, tuned model in {given['out']}, its steps in {given['out']}/steps.csv")


if __name__ == "__main__":
    main()
