"""The models that OpenAI has, or had."""

import csv
import functools

from . import DATA


@functools.cache
def models():
    """{model id: row} of data/models.csv."""
    with open(DATA / "models.csv", encoding="utf-8", newline="") as f:
        return {row["model"]: row for row in csv.DictReader(f)}
