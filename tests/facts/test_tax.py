"""The tax, held to a second implementation, to rows of the transcribed IRS table, and to the
published figures.

The IRS's own pages are not at hand offline. What is: the rule, computed here once more with
Fractions and bands built differently; rows of 2023 as habutax/habutax @0d4f8d13 transcribed them;
the standard deduction charts.
"""

import csv
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest

from helpers.facts import DATA, tax

JOINT = ("married_jointly", "surviving_spouse")
RATES = (10, 12, 22, 24, 32, 35, 37)
# Upper ends of the brackets, typed a second time, as increasing sums: a slip in data/tax.csv does
# not repeat here.
WIDTHS = {
    2024: {
        "single": (11_600, 35_550, 53_375, 91_425, 51_775, 365_625),
        "married_jointly": (23_200, 71_100, 106_750, 182_850, 103_550, 243_750),
        "married_separately": (11_600, 35_550, 53_375, 91_425, 51_775, 121_875),
        "head_of_household": (16_550, 46_550, 37_400, 91_450, 51_750, 365_650),
    },
    2023: {
        "single": (11_000, 33_725, 50_650, 86_725, 49_150, 346_875),
        "married_jointly": (22_000, 67_450, 101_300, 173_450, 98_300, 231_250),
        "married_separately": (11_000, 33_725, 50_650, 86_725, 49_150, 115_625),
        "head_of_household": (15_700, 44_150, 35_500, 86_750, 49_150, 346_850),
    },
}
ALL = [(year, status) for year in (2023, 2024) for status in tax.STATUSES]


def reference_schedule(year, status, amount):
    """The schedule by what is left after each bracket, as a Fraction."""
    owed, left = Fraction(0), Fraction(amount)
    for rate, width in zip(
        RATES, (*WIDTHS[year]["married_jointly" if status in JOINT else status], None)
    ):
        here = left if width is None else min(left, width)
        owed, left = owed + Fraction(here) * rate / 100, left - here
    return owed


def reference_bands():
    """All rows of the Tax Table, edge by edge."""
    edges = [0, 5, *range(15, 25, 10), *range(25, 3_000, 25), *range(3_000, 100_001, 50)]
    return list(zip(edges, edges[1:]))


def reference_tax(year, status, amount):
    """The tax by the definition; an amount below 100,000 finds its row by walking up to it."""
    if amount < 100_000:
        least, end = next(row for row in reference_bands() if row[0] <= amount < row[1])
        amount = Fraction(least + end, 2)
    return floor(reference_schedule(year, status, amount) + Fraction(1, 2))


def test_the_table_has_the_2062_rows_of_the_printed_one_and_no_gap():
    rows = reference_bands()
    assert len(rows) == 2_062 and rows[0] == (0, 5) and rows[-1] == (99_950, 100_000)
    for least, end in rows:
        assert tax.band(least) == tax.band(end - 1) == (least, end)


@pytest.mark.parametrize("year,status", ALL)
def test_every_row_of_the_table(year, status):
    for least, end in reference_bands():
        right = floor(reference_schedule(year, status, Fraction(least + end, 2)) + Fraction(1, 2))
        assert tax.tax(year, status, least) == tax.tax(year, status, end - 1) == right, (least, end)


@pytest.mark.parametrize("year,status", ALL)
def test_above_the_table(year, status):
    ends = [upper for _, upper in tax._brackets()[year, status] if upper]
    amounts = {100_000, 100_001, 123_457, 10_000_000} | {
        end + off for end in ends for off in (-1, 0, 1) if end + off >= 100_000
    }
    for amount in amounts:
        assert tax.tax(year, status, amount) == reference_tax(year, status, amount)
        assert Fraction(tax.schedule(year, status, amount)) == reference_schedule(
            year, status, amount
        )


@pytest.mark.parametrize("year,status", ALL)
def test_more_income_is_never_less_tax(year, status):
    amounts = [*(least for least, _ in reference_bands()), *range(100_000, 1_000_000, 4_999)]
    owed = [tax.tax(year, status, amount) for amount in amounts]
    assert owed == sorted(owed) and owed[0] == 0
    assert all(0 <= tax.tax(year, status, a) <= 0.37 * a + 1 for a in amounts)


# rows of the printed table of 2023: at least, single, married jointly, married separately, head of
# household
PRINTED_2023 = [
    (0, 0, 0, 0, 0),
    (5, 1, 1, 1, 1),
    (15, 2, 2, 2, 2),
    (25, 4, 4, 4, 4),
    (2_975, 299, 299, 299, 299),
    (3_000, 303, 303, 303, 303),
    (9_300, 933, 933, 933, 933),
    (11_000, 1_103, 1_103, 1_103, 1_103),
    (11_050, 1_109, 1_108, 1_109, 1_108),
    (15_700, 1_667, 1_573, 1_667, 1_573),
    (15_750, 1_673, 1_578, 1_673, 1_579),
    (16_950, 1_817, 1_698, 1_817, 1_723),
]


@pytest.mark.parametrize("row", PRINTED_2023, ids=lambda row: str(row[0]))
def test_rows_of_the_printed_table(row):
    assert tuple(tax.tax(2023, status, row[0]) for status in tax.STATUSES[:4]) == row[1:]
    assert tax.tax(2023, "surviving_spouse", row[0]) == row[2]


@pytest.mark.parametrize("year,status", ALL)
def test_the_demo_s_9325_is_933_and_not_the_schedule_s_932_50(year, status):
    assert tax.band(9_325) == (9_300, 9_350)
    assert (
        tax.schedule(year, status, 9_325) == Decimal("932.50")
        and tax.tax(year, status, 9_325) == 933
    )


# adjusted gross income that leaves 9,325 taxable, by boxes ticked
AGI = {
    2024: {
        "single": (23_925, 25_875, 27_825),
        "married_jointly": (38_525, 40_075, 41_625, 43_175, 44_725),
        "surviving_spouse": (38_525, 40_075, 41_625),
        "head_of_household": (31_225, 33_175, 35_125),
        "married_separately": (23_925, 25_475, 27_025, 28_575, 30_125),
    },
    2023: {
        "single": (23_175, 25_025, 26_875),
        "married_jointly": (37_025, 38_525, 40_025, 41_525, 43_025),
        "surviving_spouse": (37_025, 38_525, 40_025),
        "head_of_household": (30_125, 31_975, 33_825),
        "married_separately": (23_175, 24_675, 26_175, 27_675, 29_175),
    },
}


@pytest.mark.parametrize("year,status", ALL)
def test_standard_deductions(year, status):
    chart = AGI[year][status]
    assert [
        agi - tax.standard_deduction(year, status, boxes) for boxes, agi in enumerate(chart)
    ] == [9_325] * len(chart)
    # the charts' own arithmetic: a base, and so much a box
    box = {2024: (1_950, 1_550), 2023: (1_850, 1_500)}[year][
        status not in ("single", "head_of_household")
    ]
    assert [
        tax.standard_deduction(year, status, b) - tax.standard_deduction(year, status)
        for b in range(len(chart))
    ] == [box * b for b in range(len(chart))]
    with pytest.raises(
        ValueError, match=f"boxes is {len(chart)}, but {status} has 0 to {len(chart) - 1}"
    ):
        tax.standard_deduction(year, status, len(chart))


WRONG = {
    "no table for 2025": (
        lambda: tax.tax(2025, "single", 1),
        "year is 2025, .* those of 2023 and 2024: ask for one",
    ),
    "year as text": (lambda: tax.tax("2024", "single", 1), "year is '2024'"),
    "year true": (lambda: tax.standard_deduction(True, "single"), "year is True"),
    "widow": (
        lambda: tax.tax(2024, "widow", 1),
        "'widow' is unknown: use one of single, .* surviving_spouse",
    ),
    "capital": (lambda: tax.tax(2024, "Single", 1), "'Single' is unknown"),
    "status list": (lambda: tax.tax(2024, ["single"], 1), "is unknown"),
    "negative": (lambda: tax.tax(2024, "single", -1), "taxable is -1: give whole dollars from 0"),
    "cents": (lambda: tax.tax(2024, "single", 9_325.5), "taxable is 9325.5: give whole dollars"),
    "nan": (lambda: tax.tax(2024, "single", float("nan")), "taxable is nan"),
    "text": (lambda: tax.tax(2024, "single", "9325"), "taxable is '9325'"),
    "true": (lambda: tax.tax(2024, "single", True), "taxable is True"),
    "none": (lambda: tax.tax(2024, "single", None), "taxable is None"),
    "schedule float": (lambda: tax.schedule(2024, "single", 0.1), "as an int or a Decimal"),
    "schedule negative": (lambda: tax.schedule(2024, "single", Decimal("-0.01")), "dollars from 0"),
    "schedule nan": (lambda: tax.schedule(2024, "single", Decimal("NaN")), "dollars from 0"),
    "band": (lambda: tax.band(100_000), "the Tax Table ends below 100,000: use tax"),
    "boxes": (
        lambda: tax.standard_deduction(2024, "single", -1),
        "boxes is -1, but single has 0 to 2",
    ),
    "boxes text": (lambda: tax.standard_deduction(2024, "single", "1"), "boxes is '1'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_taxed_is_named_with_the_way_out(name):
    call, words = WRONG[name]
    with pytest.raises(ValueError, match=words):
        call()


def test_huge_and_exact():
    assert tax.tax(2024, "single", 10**15) == floor(
        reference_schedule(2024, "single", 10**15) + Fraction(1, 2)
    )
    assert tax.schedule(2024, "single", Decimal("9312.50")) == Decimal("931.25")


@pytest.mark.parametrize(
    "name,columns",
    [("tax.csv", "year,status,rate,upper"), ("standard_deductions.csv", "year,status,boxes,usd")],
)
def test_the_tables_parse_and_each_row_has_a_source(name, columns):
    with open(DATA / name, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert list(rows[0]) == [*columns.split(","), "source", "checked_on"]
    assert all(
        row["source"] and row["checked_on"] == "2026-11-22" and None not in row for row in rows
    )
    keys = [tuple(row[c] for c in columns.split(",")[:3]) for row in rows]
    assert len(set(keys)) == len(keys)
    if name == "tax.csv":
        for year, status in ALL:
            found = tax._brackets()[year, status]
            ends = [upper for _, upper in found]
            assert (
                tuple(rate for rate, _ in found) == RATES
                and ends[-1] is None
                and ends[:-1] == sorted(ends[:-1])
            )
