"""The models that OpenAI has, or had."""

from __future__ import annotations

import functools

from . import tables


@functools.cache
def models() -> dict[str, dict[str, str]]:
    """{model id: row} of data/models.csv."""
    return {row["model"]: row for row in tables.rows("models.csv")}
