"""Makes data/tuned_runs.json, the runs that 06_a_model_that_writes shows where no model is set up:

    python tuned_runs.py            all of them, some 10 minutes of one idle core
    python tuned_runs.py NAME       one anew, such as weather or house_style_0.3

Needs what `python start.py lab --model` sets up. Each run is what a reader can do in the notebook:
a file is uploaded, a job trains, its checkpoints are asked. Nothing is left out or chosen: every
text that was written stands in the file.
"""

import datetime
import json
import os
import platform
import sys
import tempfile
import time

import openai
import psutil

from helpers import running
from helpers.dpo import written
from helpers.dpo.labelling import flipped
from helpers.facts import DATA

BASE, FILE = "smollm2-135m", DATA / "tuned_runs.json"
PAIRS, HELD_OUT, ASKED, TOKENS = 24, 10, 20, 48  # learnt; looked at; asked; of an answer at most
ASKED_BETWEEN = written.BETWEEN  # at the ends of the epochs before the last
KNOBS = {"n_epochs": 3, "batch_size": 4}
# name: (file, learning_rate_multiplier, beta, whether the other answer is preferred)
RUNS = {
    "weather": ("weather", 1.0, 0.1, False),
    "weather_flipped": ("weather", 1.0, 0.1, True),
    "house_style_0.3": ("house_style", 0.3, 0.1, False),
    "house_style_1": ("house_style", 1.0, 0.1, False),
    "house_style_3": ("house_style", 3.0, 0.1, False),
    "house_style_3_beta_1": ("house_style", 3.0, 1.0, False),
    "house_style_1_flipped": ("house_style", 1.0, 0.1, True),
    "support": ("support", 1.0, 0.1, False),
    "support_flipped": ("support", 1.0, 0.1, True),
}


def answers(client, model, rows):
    """What a model writes to the questions of some lines, each time the likeliest token."""
    return [
        client.chat.completions.create(
            model=model,
            messages=row["input"]["messages"],
            temperature=0,
            max_completion_tokens=TOKENS,
        )
        .choices[0]
        .message.content
        for row in rows
    ]


def upload(client, rows):
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return client.files.create(file=("pairs.jsonl", text.encode()), purpose="fine-tune").id


def run(client, server, name):
    file, rate, beta, other = RUNS[name]
    turn = flipped if other else list
    held_out = written.held_out_pairs(file)[:ASKED]
    job = client.fine_tuning.jobs.create(
        model=BASE,
        training_file=upload(client, turn(written.lines(file)[:PAIRS])),
        validation_file=upload(client, turn(held_out[:HELD_OUT])),
        seed=1,
        method={
            "type": "dpo",
            "dpo": {
                "hyperparameters": KNOBS | {"learning_rate_multiplier": rate, "beta": beta}
            },
        },
    )
    seconds, most = 0.0, 0
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.5)
        for child in psutil.Process(server.process.pid).children():
            try:
                if child.cmdline()[-1:] == ["train"]:  # one that ends has none
                    seconds = max(seconds, sum(child.cpu_times()[:2]))
                    most = max(most, child.memory_info().rss)
            except psutil.NoSuchProcess:  # it has just ended
                pass
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.status == "succeeded", job.error
    steps = [
        e.data
        for e in client.fine_tuning.jobs.list_events(job.id, limit=100)
        if e.type == "metrics"
    ]
    checkpoints = sorted(client.fine_tuning.jobs.checkpoints.list(job.id), key=lambda c: c.step_number)  # fmt: skip
    return {
        "file": file,
        "flipped": other,
        "learning_rate_multiplier": rate,
        "beta": beta,
        "cpu_seconds": round(seconds),
        "peak_mb": most // 2**20,
        "steps": [
            {k: round(v, 4) for k, v in s.items()} for s in sorted(steps, key=lambda s: s["step"])
        ],  # fmt: skip
        "written": {
            str(c.step_number): answers(
                client,
                c.fine_tuned_model_checkpoint,
                held_out if c is checkpoints[-1] else held_out[:ASKED_BETWEEN],
            )
            for c in checkpoints
        },
    }


def main():
    names = sys.argv[1:] or list(RUNS)
    made = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    made |= {
        "about": "SmolLM2-135M tuned by notebooks/3_dpo/tuned_runs.py; every text was written by it",
        "day": datetime.date.today().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, one thread",
        "settings": KNOBS
        | {"pairs": PAIRS, "held_out": HELD_OUT, "asked": ASKED, "most_tokens": TOKENS},
    }
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DAY9_MY_MODELS"] = folder  # these are nobody's
        server = running.Server()
        client = openai.OpenAI(base_url=server.url, api_key=server.key, timeout=3_600)
        for name in names:
            file = RUNS[name][0]
            before = made.setdefault("before", {})
            if file not in before:
                before[file] = answers(client, BASE, written.held_out_pairs(file)[:ASKED])
            made.setdefault("runs", {})[name] = run(client, server, name)
            FILE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            print(name, made["runs"][name]["cpu_seconds"], "s of CPU", flush=True)
        server.process.kill()


if __name__ == "__main__":
    main()
