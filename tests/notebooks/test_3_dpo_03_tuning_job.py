"""From a reader's twenty choices to a tuned model that follows them, and follows the opposite when
they are turned round.
"""

import json
import re
from pathlib import Path

import pytest

from helpers.dpo.labelling import Labels, flipped
from tests.local_api.tuning.test_tuning import local  # noqa: F401 (the fixture)
from tests.tools import refresh

SETS = Path(__file__).resolve().parents[2] / "data" / "preferences"


def read(name):
    return [
        json.loads(line)
        for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]


# set, what a reader of this taste looks for in an answer
TASTES = [
    ("weather", lambda text: "°C" in text),
    ("weather", lambda text: "°F" in text),
    ("support", lambda text: -len(text)),
    ("support", len),
]


@pytest.mark.parametrize("name, taste", TASTES, ids=["celsius", "fahrenheit", "short", "long"])
def test_a_tuned_model_follows_twenty_choices_of_a_reader_and_turns_with_them(
    name, taste, local, tmp_path
):
    session = Labels(read(name), tmp_path / "mine.jsonl")
    for _ in range(20):
        left, right = taste(session.now.left), taste(session.now.right)
        session.choose("tie" if left == right else "left" if left > right else "right")
    mine = (tmp_path / "mine.jsonl").read_bytes()
    rows = [json.loads(line) for line in mine.splitlines()]
    assert 10 <= len(rows) <= 20

    def held_out(made):
        """Mean taste of what a model says to questions that nobody labelled, as a share of the best
        that it could say.
        """
        worth = []
        for row in read(f"{name}_held_out"):
            says = (
                local.client.chat.completions.create(
                    model=made.fine_tuned_model, messages=row["input"]["messages"], temperature=0
                )
                .choices[0]
                .message.content
            )
            tastes = sorted({taste(c["content"]) for c in row["candidates"]})
            worth.append(tastes.index(taste(says)) / (len(tastes) - 1))
        return sum(worth) / len(worth)

    follows, turned = held_out(local.tuned(mine)), held_out(local.tuned(flipped(rows)))
    assert follows > 0.75 > 0.25 > turned


def test_the_notebook_runs_on_a_readers_own_file_and_its_tables_speak_of_their_taste(tmp_path):
    """Somebody who likes brief answers and called nine of twenty a tie: eleven pairs, of which one
    is left to validate on.
    """
    session = Labels(read("weather")[:20], tmp_path / "mine.jsonl")
    for number in range(20):
        brief = (
            "left" if len(session.now.left.split()) < len(session.now.right.split()) else "right"
        )
        session.choose(brief if number < 11 else "tie")
    path = refresh.NOTEBOOKS / "3_dpo" / "03_tuning_job.ipynb"
    nb = refresh.read(path)
    [cell] = [
        c for c in nb.cells if c.source.startswith('file = "../../data/preferences/weather.jsonl"')
    ]
    cell.source = cell.source.replace(
        '"../../data/preferences/weather.jsonl"', json.dumps(str(tmp_path / "mine.jsonl"))
    )
    refresh.run(nb, path)

    def shown(words):
        return next(
            c.outputs[-1]["data"]["text/plain"]
            for c in nb.cells
            if c.cell_type == "code" and words in c.source
        )

    assert re.findall(r"terse_celsius +(\d+) +(\d+)", shown("counts = pd.DataFrame")) == [
        ("6", "20")
    ]  # before, after
    assert "'chatty_fahrenheit': 20" in shown("flipped = ")
    base, supervised, preferences, both, twice = map(
        float, re.findall(r" (0\.\d+)$", shown("ways = "), re.M)
    )
    assert base < supervised < both and base < preferences < twice, (
        "the share that follows is that of this reader's style"
    )
