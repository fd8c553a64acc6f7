"""Every table of a notebook: how it reads, and that a reader's own gets the same face."""

import decimal
import re

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import helpers
from helpers.common import tabled


def cells(html):
    return [
        re.findall(r"<(t[hd])([^>]*)>(.*?)</t[hd]>", row)
        for row in re.findall("<tr>.*?</tr>", html)
    ]


def shown(data):
    return [[text for _, _, text in row] for row in cells(tabled.frame(data))]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([64, 1920, 25_000], ["64", "1,920", "25,000"]),
        ([1253, 84], ["1,253", "84"]),
        ([2023, 2024], ["2023", "2024"]),  # a year has no separator
        ([2019.0, float("nan")], ["2019", "NaN"]),
        ([0.5, 0.25, 3.0], ["0.50", "0.25", "3.00"]),
        ([100.0, 40.0], ["100", "40"]),
        ([1234567.891, float("nan")], ["1,234,567.891", "NaN"]),
        ([1 / 3], ["0.333333"]),
        ([2.5e-9, 1.0], ["2.5e-09", "1"]),
        ([decimal.Decimal("2.50"), decimal.Decimal("30")], ["2.50", "30"]),
        ([True, False], ["True", "False"]),
        (pd.to_datetime(["2024-12-17", None]), ["2024-12-17", "NaT"]),
    ],
)
def test_a_column_agrees_in_decimals_and_separators(values, texts):
    assert [row[1] for row in shown(pd.DataFrame({"n": values}, [*"abc"][: len(values)]))[1:]] == (
        texts
    )


def test_words_stand_left_numbers_right_and_each_header_says_what_it_heads():
    data = pd.DataFrame({"why": ["a long reason"], "change": ["-60.0%"], "n": [1]}, ["x"])
    head, row = cells(tabled.frame(data.rename_axis("name")))
    assert [text for _, _, text in head] == ["name", "why", "change", "n"]
    assert all(tag == "th" and 'scope="col"' in more for tag, more, _ in head)
    assert row[0][0] == "th" and 'scope="row"' in row[0][1]
    assert ["right" in more for _, more, _ in row] == [False, False, True, True]


def test_a_column_of_numbers_with_a_gap_stands_right():
    _, *rows = cells(tabled.frame(pd.DataFrame({"n": pd.array([4000, None], "Int64")}, [*"ab"])))
    assert [(text, "right" in more) for _, (_, more, text) in rows] == [
        ("4,000", True),
        ("&lt;NA&gt;", True),
    ]


def test_no_header_is_empty_and_an_index_that_only_counts_is_left_out():
    assert shown(pd.DataFrame({"a": [1, 2]})) == [["a"], ["1"], ["2"]]
    ((corner, *_), *_) = cells(tabled.frame(pd.DataFrame({"a": [1]}, ["x"])))
    assert corner[0] == "td"


def test_an_index_that_begins_or_steps_otherwise_is_shown():
    data = pd.DataFrame({"a": [*range(6)]})
    assert shown(data[2:4]) == [["", "a"], ["2", "2"], ["3", "3"]]
    assert shown(data[::3]) == [["", "a"], ["0", "0"], ["3", "3"]]
    steps = pd.DataFrame({"loss": [0.7]}, pd.RangeIndex(1, 2))
    assert shown(steps) == [["", "loss"], ["1", "0.7"]]


@pytest.mark.parametrize(
    "said", ["gpt-4o-realtime-preview-2024-12-17", "gpt-realtime-2.1, 2026-11-22"]
)
def test_a_day_in_a_table_breaks_at_none_of_its_hyphens(said):
    for html in (tabled.table([said], [["1"]]), tabled.frame(pd.DataFrame({"a": [said]}))):
        day = said[-10:]
        assert f'{said[:-10]}<span style="white-space:nowrap">{day}</span></t' in html


def test_two_levels_and_a_series():
    pairs = pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", "n"])
    assert shown(pd.Series([0.5, 1.5], pairs, name="v")) == [
        ["k", "n", "v"],
        ["x", "1", "0.5"],
        ["y", "2", "1.5"],
    ]
    assert shown(pd.Series([3], ["x"])) == [["x", "3"]]


def test_a_long_table_says_what_it_leaves_out():
    html = tabled.frame(pd.DataFrame({"a": range(20_000)}))
    assert html.count("<tr>") == 11 and "20,000 rows and 1 columns" in html
    assert "19,999" in html


def test_what_is_in_a_cell_is_text():
    assert "&lt;b&gt;" in tabled.frame(pd.DataFrame({"<b>": ["<i>"]}))


def test_a_notebook_shows_every_table_so():
    shell = InteractiveShell()
    helpers.load_ipython_extension(shell)
    for data in (pd.DataFrame({"a": [1]}), pd.Series([1], ["x"])):
        formatted, _ = shell.display_formatter.format(data)
        assert formatted["text/html"] == tabled.frame(data)
        assert formatted["text/plain"] == repr(data)


def test_a_knob_shows_every_table_so(monkeypatch):
    shell = InteractiveShell()
    helpers.load_ipython_extension(shell)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    data = pd.DataFrame({"words": ["one"], "count": [12_345]})
    _, result, _ = helpers.turn(data.head, n=(0, 1, 1, 1)).children
    assert result.value == tabled.frame(data)
