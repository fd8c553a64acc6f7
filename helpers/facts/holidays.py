"""The days of data/realtime/holidays.csv: their names as people say them, and when they are
next.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import re

from . import tables

DAYS = [name.lower() for name in calendar.day_name]


@functools.cache
def known() -> dict[str, str]:
    """{name as it is said, in lower case: the rule of its day}, the longest names first."""
    rows = [(w, row["day"]) for row in tables.rows("realtime/holidays.csv") for w in row["words"].split("|")]  # fmt: skip
    return dict(sorted(rows, key=lambda pair: -len(pair[0])))


@functools.cache
def named() -> dict[str, str]:
    """{name as it is said: the holiday's own name}"""
    return {w: row["name"] for row in tables.rows("realtime/holidays.csv") for w in row["words"].split("|")}  # fmt: skip


def found(text: str) -> str:
    """The first holiday that a text names, as it is said there, in lower case; "" where it names
    none.
    """
    plain = text.lower().replace("’", "'")
    stands = lambda name: name in plain and re.search(rf"\b{re.escape(name)}(?!\w)", plain)
    return next(filter(stands, known()), "")


def day(name: str, year: int) -> datetime.date:
    """The day of a holiday, named as in known(), in a year.

    >>> day("thanksgiving", 2024), day("easter", 2025), day("memorial day", 2025)
    (datetime.date(2024, 11, 28), datetime.date(2025, 4, 20), datetime.date(2025, 5, 26))
    """
    rule = known()[name]
    if rule == "easter":
        from dateutil.easter import easter

        return easter(year)
    if fixed := re.fullmatch(r"(\d\d)-(\d\d)", rule):
        return datetime.date(year, int(fixed[1]), int(fixed[2]))
    month, weekday, which = rule.split()
    weeks = calendar.monthcalendar(year, int(month))
    days = [week[DAYS.index(weekday)] for week in weeks if week[DAYS.index(weekday)]]
    return datetime.date(year, int(month), days[int(which) - (int(which) > 0)])


def following(name: str, today: datetime.date) -> datetime.date:
    """The day of a holiday that comes next, today included.

    >>> following("new year", datetime.date(2024, 12, 17))
    datetime.date(2025, 1, 1)
    """
    this = day(name, today.year)
    return this if this >= today else day(name, today.year + 1)
