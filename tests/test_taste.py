"""From a reader's twenty choices to a tuned model that follows them, and follows the opposite when they are turned round."""
import json
from pathlib import Path

import pytest

from helpers.labelling import Labels, flipped
from tests.test_tuning import local  # noqa: F401, the fixture

SETS = Path(__file__).resolve().parents[1] / "data" / "preferences"


def read(name):
    return [json.loads(line) for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


# set, what a reader of this taste looks for in an answer
TASTES = [("weather", lambda text: "°C" in text), ("weather", lambda text: "°F" in text), ("support", lambda text: -len(text)), ("support", len)]


@pytest.mark.parametrize("name, taste", TASTES, ids=["celsius", "fahrenheit", "short", "long"])
def test_a_tuned_model_follows_twenty_choices_of_a_reader_and_turns_with_them(name, taste, local, tmp_path):  # noqa: F811
    session = Labels(read(name), tmp_path / "mine.jsonl")
    for _ in range(20):
        left, right = taste(session.now.left), taste(session.now.right)
        session.choose("tie" if left == right else "left" if left > right else "right")
    mine = (tmp_path / "mine.jsonl").read_bytes()
    rows = [json.loads(line) for line in mine.splitlines()]
    assert 10 <= len(rows) <= 20

    def held_out(made):
        """Mean taste of what a model says to questions that nobody labelled, as a share of the best that it could say."""
        worth = []
        for row in read(f"{name}_held_out"):
            says = local.client.chat.completions.create(model=made.fine_tuned_model, messages=row["input"]["messages"], temperature=0).choices[0].message.content
            tastes = sorted({taste(c["content"]) for c in row["candidates"]})
            worth.append(tastes.index(taste(says)) / (len(tastes) - 1))
        return sum(worth) / len(worth)

    follows, turned = held_out(local.tuned(mine)), held_out(local.tuned(flipped(rows)))
    assert follows > 0.75 > 0.25 > turned
