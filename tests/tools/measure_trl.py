"""Makes data/trl_run.json: one DPO training twice, by Hugging Face TRL and by ours
(helpers/local_api/tuning/real), of the same weights on the same pairs.

    python -m tests.tools.measure_trl PYTHON

Some 10 minutes of one idle core, on Linux or macOS. Needs what `start.py lab --model` sets up, and
PYTHON, that of another environment, with TRL in it (6 GB): `pip install trl peft gguf`.

Both get the pairs in the same order, the same first adapter, and the settings of 3_dpo/06. Three
trainings: ours as a job does it, with the tokens that llama.cpp cuts; TRL's, with the tokens that
it cuts itself; ours once more, with TRL's tokens. Nothing else is set alike after the fact: what
differs is in the file.
"""

import dataclasses
import datetime
import json
import os
import platform
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FILE, SCRIPT = ROOT / "data" / "trl_run.json", ROOT / "notebooks" / "3_dpo" / "train_with_trl.py"
WEATHER = ROOT / "data" / "preferences" / "weather.jsonl"
DRY_RUN = "--lora --batch 4 --epochs 3 --dry-run"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PAIRS, SEED, RATE = 24, 1, 1e-3
KNOBS = {"beta": 0.1, "n_epochs": 3, "batch_size": 4, "learning_rate_multiplier": 1.0}
UPPER, RANK, ALPHA = 10, 8, 16  # held to ours in `task`
# ours and transformers' names of a layer's matrices
NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def spent():
    """CPU seconds and the most memory (MB) of this process so far."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {
        "cpu_seconds": round(used.ru_utime + used.ru_stime),
        "peak_mb": round(used.ru_maxrss / unit),
    }


def by_ours(task):
    """What ours measures at each step, and the log-probabilities before the first."""
    from helpers.local_api.tuning.real import training, weights
    from helpers.local_api.tuning.real.network import Model

    assert (training.RATE, weights.RANK, weights.ALPHA) == (RATE, RANK, ALPHA)
    file = weights.Weights(task["weights"])
    model = Model(file, file.shape, UPPER, SEED)
    np.savez(task["start"], **{name: a for name, (a, _) in model.parts().items()})
    run = training.Training(model, task["examples"], "dpo", KNOBS, SEED)
    steps = [[step["train_loss"], step["train_margin"]] for step in run.steps()]
    return {"steps": steps, "before": run.reference} | spent()


def as_folder(task):
    """Writes the model as the folder that TRL loads, with dequantised weights."""
    import torch
    import transformers

    path, name = os.path.split(task["weights"])
    whole = transformers.AutoModelForCausalLM.from_pretrained(
        path, gguf_file=name, dtype=torch.float32
    )
    # transformers does not save what it has read from GGUF, so the weights go into a plain model
    told = whole.config.to_dict()
    told.pop("quantization_config", None)
    plain = transformers.LlamaForCausalLM(transformers.LlamaConfig.from_dict(told))
    plain.load_state_dict(whole.state_dict())
    plain.save_pretrained(task["model"])
    transformers.AutoTokenizer.from_pretrained(path, gguf_file=name).save_pretrained(task["model"])
    return {}


def by_trl(task):
    """The same of TRL's trainer, and the tokens that it cut."""
    import peft
    import torch
    import transformers
    import trl
    from datasets import Dataset

    model = transformers.AutoModelForCausalLM.from_pretrained(task["model"], dtype=torch.float32)
    tokenizer = transformers.AutoTokenizer.from_pretrained(task["model"])
    layers = model.config.num_hidden_layers
    adapter = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=[last.split(".")[1] for last in NAMES.values()],
        layers_to_transform=list(range(layers - UPPER, layers)),
    )
    config = trl.DPOConfig(
        output_dir=task["folder"],
        beta=KNOBS["beta"],
        num_train_epochs=1,  # the pairs of all epochs stand in the data, in our order
        train_sampling_strategy="sequential",
        per_device_train_batch_size=KNOBS["batch_size"],
        learning_rate=RATE * KNOBS["learning_rate_multiplier"],
        max_grad_norm=0,  # ours does not clip
        max_length=None,
        bf16=False,
        gradient_checkpointing=False,  # it saves memory, and computes again
        use_cpu=True,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    trainer = trl.DPOTrainer(
        model=model,
        args=config,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([task["rows"][n] for n in task["order"]]),
        peft_config=adapter,
    )
    where = dict(trainer.model.named_modules())
    with torch.no_grad(), np.load(task["start"]) as start:
        for ours, a in start.items():
            _, number, short, _ = ours.split(".")
            matrix = where[f"base_model.model.model.layers.{number}.{NAMES[short]}"]
            matrix.lora_A["default"].weight.copy_(torch.tensor(a))
            assert not matrix.lora_B["default"].weight.any()

    tokens = dict(zip(task["order"], trainer.train_dataset))
    examples = [
        [tokens[n]["prompt_ids"], [tokens[n]["chosen_ids"], tokens[n]["rejected_ids"]]]
        for n in range(len(task["rows"]))
    ]

    @torch.no_grad()
    def sum_of(prompt, answer):
        logits = trainer.model(torch.tensor([[*prompt, *answer]])).logits[0, len(prompt) - 1 : -1]
        return logits.log_softmax(-1).gather(1, torch.tensor(answer)[:, None]).sum().item()

    before = [[sum_of(prompt, answer) for answer in answers] for prompt, answers in examples]
    trainer.train()
    steps = [
        [entry["loss"], entry["rewards/margins"]]
        for entry in trainer.state.log_history
        if "loss" in entry
    ]
    used = {module.__name__: module.__version__ for module in (torch, transformers, trl, peft)}
    installed = [path for path in Path(torch.__file__).parents[1].rglob("*") if path.is_file()]
    told = {"steps": steps, "before": before, "examples": examples, "versions": used} | spent()
    return told | {"installed_gb": round(sum(path.stat().st_size for path in installed) / 1e9, 1)}


def run(python, side, task):
    """What by_ours or by_trl gives in a process of its own."""
    asked, answer = (Path(task["folder"]) / name for name in ("task.json", "answer.json"))
    asked.write_text(json.dumps(task), encoding="utf-8")
    command = [python, "-m", "tests.tools.measure_trl", side, str(asked), str(answer)]
    subprocess.run(command, cwd=ROOT, env=os.environ | THREADS, check=True)
    return json.loads(answer.read_text(encoding="utf-8"))


@dataclasses.dataclass
class Job:
    """As much of a job as the learner asks for."""

    method: str = "dpo"


def task(folder):
    """What both trainings are of. folder: for what they hand on."""
    from helpers.dpo import written
    from helpers.local_api.tuning.real import learner, weights
    from helpers.local_api.tuning.real.writer import Writer

    assert learner.UPPER == UPPER
    pairs = written.lines("weather")[:PAIRS]
    draw = np.random.default_rng(SEED)
    to_trl = runpy.run_path(str(SCRIPT))["to_trl"]
    return {
        "folder": folder,
        "weights": str(weights.file()),
        "start": os.path.join(folder, "start.npz"),
        "model": os.path.join(folder, "SmolLM2-135M-Instruct"),
        "examples": learner.Learner(Writer()).examples(Job(), pairs),
        "rows": [to_trl(pair) for pair in pairs],
        # as training.Training draws it
        "order": [int(n) for _ in range(KNOBS["n_epochs"]) for n in draw.permutation(PAIRS)],
    }


def rounded(told):
    """What is kept of a training."""
    steps = [[round(value, 6) for value in step] for step in told["steps"]]
    kept = {"cpu_seconds": told["cpu_seconds"], "peak_mb": told["peak_mb"]}
    return kept | {"loss": [loss for loss, _ in steps], "margin": [margin for _, margin in steps]}


def dry_run(python, task):
    """What the script beside the notebook says of the whole file, of two steps that it trains."""
    command = [python, str(SCRIPT), str(WEATHER), "--model", task["model"], "--out", "tuned"]
    said = subprocess.run(
        [*command, *DRY_RUN.split()],
        cwd=task["folder"],
        env=os.environ | THREADS,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    shown = (
        f"python {SCRIPT.name} {WEATHER.name} --model SmolLM2-135M-Instruct --out tuned {DRY_RUN}"
    )
    return {
        "command": shown,
        "said": [line for line in said.splitlines() if line.startswith(" ")],
    }


def main(python):
    with tempfile.TemporaryDirectory() as folder:
        asked = task(folder)
        ours = run(sys.executable, "by_ours", asked)
        run(python, "as_folder", asked)
        trl = run(python, "by_trl", asked)
        same = run(sys.executable, "by_ours", asked | {"examples": trl["examples"]})
        dry = dry_run(python, asked)
    keep(asked, ours, trl, same, dry)


def keep(asked, ours, trl, same, dry):
    """Writes the file."""
    pairs = list(zip(trl["examples"], asked["examples"]))
    more = {
        tuple(theirs[len(mine) :]) if theirs[: len(mine)] == mine else None
        for (_, a), (_, b) in pairs
        for theirs, mine in zip(a, b)
    }
    settings = {"file": "weather", "pairs": PAIRS, "seed": SEED, "rate": RATE}
    settings |= {"rank": RANK, "alpha": ALPHA, "upper_layers": UPPER}
    kept = {
        "about": "one DPO training of SmolLM2-135M by ours and by TRL; made by tests/tools/measure_trl.py",
        "day": datetime.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, one thread, no graphics card",
        "versions": {"python": platform.python_version(), "numpy": np.__version__} | trl["versions"],
        "settings": KNOBS | settings,
        "same_prompts": all(theirs == mine for (theirs, _), (mine, _) in pairs),
        # behind each answer; None: an answer is cut otherwise
        "tokens_more_in_trl": sorted(more, key=str),
        "largest_gap_before": round(float(np.abs(np.subtract(trl["before"], same["before"])).max()), 6),
        "trl_installed_gb": trl["installed_gb"],
        "dry_run": dry,
        "ours": rounded(ours),
        "trl": rounded(trl),
        "ours_on_trl_tokens": rounded(same),
    }  # fmt: skip
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        side, asked, answer = sys.argv[1:]
        sides = {"by_ours": by_ours, "as_folder": as_folder, "by_trl": by_trl}
        told = sides[side](json.loads(Path(asked).read_text(encoding="utf-8")))
        Path(answer).write_text(json.dumps(told), encoding="utf-8")
