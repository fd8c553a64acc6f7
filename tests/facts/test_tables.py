"""A table of data/ that was edited by hand is read, or the message names its file and line."""

import pytest

from helpers.facts import files, prices, tables

HEAD = "model,usd\n"


def read(monkeypatch, tmp_path, raw):
    monkeypatch.setattr(tables, "DATA", tmp_path)
    monkeypatch.setattr(files, "DATA", tmp_path)
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


def test_a_column_that_is_not_there_is_told_with_those_that_are(monkeypatch, tmp_path):
    [row] = read(monkeypatch, tmp_path, HEAD.encode() + b"o1,15\n")
    with pytest.raises(ValueError, match="data/own.csv has no column 'price'; .* are model, usd"):
        row["price"]


PRICES = "model,modality,direction,usd_per_million,from,until,source,checked_on\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            '\n\no1,text,input,fifteen,2024-12-17,,"a\nb",2026-11-22\n',
            "line 4: usd_per_million: 'fifteen' is no number",
        ),
        (
            'o1,text,input,15,2024-12-17,,"a\nb",2026-11-22\no1,text,input,15,17.12.24,,a,2026-11-22\n',
            "line 4: from: .*17.12.24",
        ),
    ],
    ids=["after blank rows", "after a row of two lines"],
)
def test_a_price_that_is_none_is_told_by_the_line_where_its_row_begins(
    monkeypatch, tmp_path, rows, said
):
    read(monkeypatch, tmp_path, (PRICES + rows).encode())
    with pytest.raises(ValueError, match=f"data/own.csv, {said}"):
        prices.typed_rows("own.csv")


def test_a_price_table_whose_column_has_another_name_says_so(monkeypatch, tmp_path):
    read(monkeypatch, tmp_path, (PRICES.replace("from", "since") + "o1,a,b,1,2,,c,d\n").encode())
    with pytest.raises(ValueError, match="data/own.csv has no column 'from'; .* since, until"):
        prices.typed_rows("own.csv")


def test_json_that_is_none_is_told_by_file_and_line(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "DATA", tmp_path)
    (tmp_path / "own.json").write_text('{"a": 1,\n "b": 2\n "c": 3}', encoding="utf-8")
    with pytest.raises(ValueError, match="data/own.json, line 3 is not JSON: "):
        files.read_json(tmp_path / "own.json")
