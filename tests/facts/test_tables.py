"""A table of data/ that was edited by hand is read, or the message names its file and line."""

import pytest

from helpers.facts import tables

HEAD = "model,usd\n"


def read(monkeypatch, tmp_path, raw):
    monkeypatch.setattr(tables, "DATA", tmp_path)
    (tmp_path / "own.csv").write_bytes(raw)
    return tables.rows("own.csv")


def test_the_mark_that_a_spreadsheet_writes_is_no_part_of_a_name(monkeypatch, tmp_path):
    assert read(monkeypatch, tmp_path, (HEAD + "o1,15\n").encode("utf-8-sig")) == [
        {"model": "o1", "usd": "15"}
    ]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (HEAD.encode() + b"o1,15\no\xe9,1\n", "line 3 is not UTF-8"),
        (b"model;usd\no1;15\n", "line 1: the columns' names"),
        (b"", "line 1: the columns' names"),
        (HEAD.encode() + b'"o\n1",15\no3\n', "line 4 has not as many fields"),
        (HEAD.encode() + b"\no1,15,5\n", "line 3 has not as many fields"),
    ],
    ids=["cp1252", "semicolons", "empty", "too few", "too many"],
)
def test_a_broken_table_names_its_file_and_line(monkeypatch, tmp_path, raw, said):
    with pytest.raises(ValueError, match=f"data/own.csv, {said}"):
        read(monkeypatch, tmp_path, raw)
