"""The tables of data/: a CSV file each, with a row for each fact."""

from __future__ import annotations

import csv

from . import DATA


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table below data/, such as "prices.csv", each a dict of texts by column.

    FileNotFoundError where there is no such table, ValueError where a row has not as many fields as
    the table has columns.
    """
    with open(DATA / name, encoding="utf-8", newline="") as f:
        reader = csv.DictReader(f)
        found = list(reader)
    for number, row in enumerate(found, start=2):
        if None in row or None in row.values():
            raise ValueError(f"data/{name}: row {number} has not as many fields as columns")
    return found
