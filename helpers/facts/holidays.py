"""The days of data/realtime/holidays.csv: their names as people say them, and when they are."""

from __future__ import annotations

import calendar
import datetime
import functools
import re

from rapidfuzz import fuzz, process

from . import tables

NEARLY = 86  # of 100: so like must misheard words be to the name that they are taken for
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


def found(text: str) -> tuple[str, str] | None:
    """(the holiday that a text names, as in known(); the words of the text that name it, in lower
    case), or None. Words that were nearly heard name it, too, where they begin as it does.

    >>> found("how long until the fort of July"), found("until my birthday")
    (('the fourth of july', 'the fort of july'), None)
    """
    plain = text.lower().replace("’", "'")
    stands = lambda name: name in plain and re.search(rf"\b{re.escape(name)}(?!\w)", plain)
    if name := next(filter(stands, known()), None):
        return name, name
    words = list(re.finditer(r"[^\W_][\w'.]*", plain))
    most = max(name.count(" ") for name in known()) + 1  # words
    runs = [plain[a.start() : b.end()] for i, a in enumerate(words) for b in words[i : i + most]]
    names = list(known())
    table = process.cdist(runs, names, scorer=fuzz.ratio, score_cutoff=NEARLY)
    pairs = [(names[j], runs[i], table[i, j]) for i, j in zip(*table.nonzero(), strict=True)]
    near = [(-like, -len(run), name, run) for name, run, like in pairs if name[0] == run[0]]
    return min(near)[2:] if near else None


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
