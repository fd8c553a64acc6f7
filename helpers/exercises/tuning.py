"""The exercises of notebooks/3_dpo/03_tuning_job."""

import collections
import json

from .. import dpo, labelling, preference_file
from ..local_api.canonical import DATA
from . import exercise, judge

ENOUGH = 18  # of the 20 held-out questions


def _lines(name):
    return [
        json.loads(line)
        for line in (DATA / "preferences" / name).read_text(encoding="utf-8").splitlines()
    ]


@exercise(
    "tuning-1",
    hint="Two kinds of pairs are enough: those that differ in the tone alone, as they are, and those that differ in the unit alone, flipped.",
)
def chatty_celsius(rows):
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "a list of pairs is asked for, as `pairs` is one."
    _, problems = preference_file.read("\n".join(map(json.dumps, rows)).encode(), "dpo")
    if problems:
        return f"the job would fail: {problems[0]}"
    ours = _lines("weather.jsonl")
    known = [json.dumps(row) for row in ours + labelling.flipped(ours)]
    if not all(json.dumps(row) in known for row in rows):
        return "one of these is no pair of weather.jsonl, as it is or flipped."
    *_, last = dpo.train(dpo.read_pairs(rows), n_epochs=5)
    said = collections.Counter()
    for row in _lines("weather_held_out.jsonl"):
        texts = [c["content"] for c in row["candidates"]]
        said[
            row["candidates"][
                last.policy.choose(dpo.prompt_of(row["input"]["messages"]), texts, temperature=0)
            ]["style"]
        ] += 1
    if said["chatty_celsius"] < ENOUGH:
        return (
            "tuned on these, it says "
            + ", ".join(f"{style} {n} times" for style, n in said.most_common())
            + f"; {ENOUGH} of 20 are to be chatty_celsius."
        )
    return None


@exercise(
    "tuning-2",
    hint="Checkpoints are kept of the last three epochs only. And losses of two betas do not compare.",
)
def what_next(answer):
    right = {
        "rises": "earlier checkpoint",
        "long gone": "new job",
        "seven lines": "mend the file",
        "two betas": "sample both",
        "held": "resume",
    }
    why = {
        "rises": "the second of four epochs was best, and its checkpoint is one of the last three",
        "long gone": "the second of eight epochs was best, and its checkpoint is gone",
        "seven lines": "the job failed before its first step, and the file is why",
        "two betas": "a margin is beta times the way that the model went, so neither loss says which model follows the taste",
        "held": "a job that goes on after a pause ends with the weights of one that was never held",
    }
    return judge(
        answer,
        right,
        ("earlier checkpoint", "new job", "mend the file", "sample both", "resume"),
        why,
    )
