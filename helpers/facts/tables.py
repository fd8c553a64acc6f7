"""The tables of data/: a CSV file each, with a row for each fact."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, TypeVar

from . import DATA, files

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Row(dict[str, str]):
    """A row by its columns' names. A column that is not there is told with those that are."""

    def __init__(self, columns: list[str], fields: list[str], name: str, line: int) -> None:
        super().__init__(zip(columns, fields))
        self.name, self.line = name, line

    def value(self, column: str, read: Callable[[str], T]) -> T:
        """A field as what `read` makes of its text, such as int. Broken with file and line where it
        makes nothing of it.
        """
        try:
            return read(self[column])
        except (ValueError, ArithmeticError) as e:
            if isinstance(e, files.Broken):
                raise
            why = "is no whole number" if read is int else str(e)
            why = "is no number" if isinstance(e, ArithmeticError) else why
            raise files.Broken(
                f"data/{self.name}, line {self.line}: {column}: {self[column]!r} {why}"
            ) from None

    def __missing__(self, column: str) -> str:
        raise files.Broken(
            f"data/{self.name} has no column {column!r}; its columns are {', '.join(self)}"
        )


def rows(name: str) -> list[Row]:
    """The rows of a table below data/, such as "prices.csv", each a dict of texts by column.

    FileNotFoundError where there is no such table. Broken with file and line for a table that is
    not UTF-8, has no commas between its columns, or has a row with not as many fields as these; and
    where a column is asked for that there is not.
    """
    reader = csv.reader(io.StringIO(files.text(DATA / name), newline=""))
    columns = next(reader, [])
    if len(columns) < 2:
        raise files.Broken(
            f"data/{name}, line 1: the columns' names are to have commas between them"
        )
    found, before = [], reader.line_num
    for fields in reader:
        line, before = before + 1, reader.line_num
        if not fields:
            continue
        if len(fields) != len(columns):
            raise files.Broken(
                f"data/{name}, line {line} has not as many fields as the table has columns"
            )
        found.append(Row(columns, fields, name, line))
    return found
