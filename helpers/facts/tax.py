"""The US federal income tax of 2023 and 2024, exact: standard deduction, Tax Table, Tax Computation
Worksheet.

The figures stand in data/tax.csv (brackets) and data/standard_deductions.csv, each with its source.
The rule of the Tax Table was held against the transcribed table of 2023 (habutax/habutax
@0d4f8d13): 2,062 rows, no difference. The IRS's own pages are not on this machine. For lessons, not
for a return: no qualified dividends, no capital gains, no alternative minimum tax, no credits.
"""

from __future__ import annotations

import functools
import re
from decimal import ROUND_HALF_UP, Decimal

from ..common.whole import is_whole
from . import tables

STATUSES = (
    "single",
    "married_jointly",
    "married_separately",
    "head_of_household",
    "surviving_spouse",
)
TABLE_ENDS = 100_000  # below it the Tax Table, from it the Tax Computation Worksheet


def standard_deduction(year: int, status: str, boxes: int = 0) -> int:
    """The standard deduction in whole dollars: line 12 of Form 1040 and 1040-SR.

    boxes: how many are ticked, one each for age and for blindness, yours and, where it counts, your
    spouse's. ValueError for a year or status that is not in the table, or more boxes than the
    status has.

    >>> standard_deduction(2024, "single"), standard_deduction(2024, "married_jointly", 4)
    (14600, 35400)
    """
    chart = _deductions()[_year(year), _status(status)]
    if not is_whole(boxes) or not 0 <= boxes < len(chart):
        raise ValueError(
            f"boxes is {boxes!r}, but {status} has 0 to {len(chart) - 1} of them: count the ticks for age and blindness again."
        )
    return chart[int(boxes)]


def tax(year: int, status: str, taxable: int) -> int:
    """The tax on `taxable` dollars, in whole dollars: line 16 from line 15.

    Below 100,000 it is the Tax Table's: the schedule at the middle of the band, a half dollar
    rounded up. From 100,000 it is the Tax Computation Worksheet's: the schedule itself; its cents
    we round the same way, since our forms are kept in whole dollars. ValueError for a year or
    status that is not in the table, or an amount that is no whole number from 0.

    >>> [tax(2024, status, 9_325) for status in STATUSES]
    [933, 933, 933, 933, 933]
    >>> tax(2024, "single", 99_999), tax(2024, "single", 100_000)
    (17048, 17053)
    """
    amount = _amount(taxable)
    if amount < TABLE_ENDS:
        least, end = band(amount)
        amount = Decimal(least + end) / 2
    return int(schedule(year, status, amount).quantize(Decimal(1), ROUND_HALF_UP))


def band(taxable: int) -> tuple[int, int]:
    """(at least, but less than): the row of the Tax Table that an amount below 100,000 is in.

    The rows: 0 to 5, 5 to 15, 15 to 25, then 25 dollars wide to 3,000, then 50 wide.

    >>> band(9_325), band(7), band(2_999)
    ((9300, 9350), (5, 15), (2975, 3000))
    """
    amount = _amount(taxable)
    if amount >= TABLE_ENDS:
        raise ValueError(
            f"taxable is {amount:,}, and the Tax Table ends below {TABLE_ENDS:,}: use tax(), which computes from there."
        )
    if amount < 25:
        return next((least, end) for least, end in ((0, 5), (5, 15), (15, 25)) if amount < end)
    width = 25 if amount < 3_000 else 50
    return amount // width * width, amount // width * width + width


def schedule(year: int, status: str, taxable: int | Decimal) -> Decimal:
    """The tax by the rate schedule, exact, as a Decimal: each part of the amount at its bracket's
    rate.

    taxable: dollars as an int or a Decimal. ValueError as in tax().

    >>> schedule(2024, "single", 9_325)
    Decimal('932.50')
    """
    # a Decimal keeps 28 digits: exact for any amount of whole dollars and half dollars below 10**24
    brackets = _brackets()[_year(year), _status(status)]
    if is_whole(taxable):
        taxable = int(taxable)
    if type(taxable) not in (int, Decimal) or not Decimal(taxable).is_finite() or taxable < 0:
        raise ValueError(f"taxable is {taxable!r}: give dollars from 0, as an int or a Decimal.")
    total, below = Decimal(0), 0
    for rate, upper in brackets:
        part = (taxable if upper is None else min(taxable, upper)) - below
        if part <= 0:
            break
        total += Decimal(rate).scaleb(-2) * part
        below = upper
    return total


WORDS = {
    "single": "single|unmarried|not married|never married",
    "married_jointly": r"married jointly|married filing jointly(?: \(even if only one had income\))?|joint|jointly|mfj",
    "married_separately": r"married separately|married filing separately(?: \(mfs\))?|separate|separately|mfs",
    "head_of_household": r"head of household(?: \(hoh\))?|hoh",
    "surviving_spouse": r"(?:qualifying )?surviving spouse(?: \(qss\))?|qss|widow|widower|qualifying widow(?:er|\(er\))?",
}


def status(words: str) -> str:
    """One of STATUSES for a filing status in the form's words. ValueError for any other.

    >>> status("Married filing jointly")
    'married_jointly'
    """
    plain = words.strip().replace("_", " ")
    for name, known in WORDS.items():
        if re.fullmatch(known, plain, re.I):
            return name
    return _status(words)


def years() -> list[int]:
    """The tax years that the tables cover, in order."""
    return sorted({year for year, _ in _brackets()})


def _year(year):
    if not is_whole(year) or year not in years():
        raise ValueError(
            f"year is {year!r}, but the tables are those of {' and '.join(map(str, years()))}: ask for one of these."
        )
    return year


def _status(status):
    if status not in STATUSES:
        raise ValueError(f"filing status {status!r} is unknown: use one of {', '.join(STATUSES)}.")
    return status


def _amount(taxable):
    if not is_whole(taxable) or taxable < 0:
        raise ValueError(
            f"taxable is {taxable!r}: give whole dollars from 0, rounded as on the form; where the deduction is larger than the income, it is 0."
        )
    return int(taxable)


@functools.cache
def _brackets():
    """{(year, status): [(rate in %, upper end or None)]}, lowest first."""
    found: dict[tuple[int, str], list[tuple[int, int | None]]] = {}
    for row in tables.rows("tax.csv"):
        found.setdefault((row.value("year", int), row["status"]), []).append(
            (row.value("rate", int), row.value("upper", int) if row["upper"] else None)
        )
    return found


@functools.cache
def _deductions():
    """{(year, status): [dollars with 0 boxes, 1 box, ...]}"""
    found: dict[tuple[int, str], list[int]] = {}
    for row in tables.rows("standard_deductions.csv"):
        found.setdefault((row.value("year", int), row["status"]), []).append(row.value("usd", int))
    return found
