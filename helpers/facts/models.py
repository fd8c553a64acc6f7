"""The models that OpenAI has, or had."""

from __future__ import annotations

import csv
import functools

from . import DATA


@functools.cache
def models() -> dict[str, dict[str, str]]:
    """{model id: row} of data/models.csv."""
    with open(DATA / "models.csv", encoding="utf-8", newline="") as f:
        return {row["model"]: row for row in csv.DictReader(f)}
