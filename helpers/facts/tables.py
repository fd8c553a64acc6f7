"""The tables of data/: a CSV file each, with a row for each fact."""

from __future__ import annotations

import csv
import io

from . import DATA


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a table below data/, such as "prices.csv", each a dict of texts by column.

    FileNotFoundError where there is no such table. ValueError with file and line for a table that
    is not UTF-8, has no commas between its columns, or has a row with not as many fields as these.
    """
    text = decoded((DATA / name).read_bytes(), f"data/{name}")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if len(reader.fieldnames or ()) < 2:
        raise ValueError(f"data/{name}, line 1: the columns' names are to have commas between them")
    found = []
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(
                f"data/{name}, line {reader.line_num} has not as many fields as the table has columns"
            )
        found.append(row)
    return found


def decoded(raw: bytes, name: str) -> str:
    """A file's text, without the mark that a spreadsheet or an editor writes before it. ValueError
    with the file's name and line where it is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = raw.count(b"\n", 0, e.start) + 1
        raise ValueError(f"{name}, line {line} is not UTF-8: save the file as UTF-8") from None
