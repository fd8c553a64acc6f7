"""Dates as people write them: 2024-12-17, 17.12.2024, December 17th, 2024. One that cannot be is
said in a sentence.
"""

from __future__ import annotations

import calendar
import datetime
import re

REFORM = datetime.date(1582, 10, 15)  # the first day of the Gregorian calendar
SKIPPED = datetime.date(1582, 10, 5), datetime.date(1582, 10, 14)  # days that there were not
MONTHS = {
    name: i % 12 + 1
    for i, name in enumerate(
        "january february march april may june july august september october november december "
        "jan feb mar apr may jun jul aug sep oct nov dec "
        "januar februar märz april mai juni juli august september oktober november dezember "
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre "
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split()
    )
} | {"sept": 9}
FEASTS = {  # fixed by the calendar, with a year behind them
    r"christmas(?: day)?": (12, 25),
    r"christmas eve": (12, 24),
    r"new year'?s eve": (12, 31),
    r"new year'?s day": (1, 1),
    r"valentine'?s day": (2, 14),
    r"halloween": (10, 31),
}
MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
TIME = r"(?:[ T]\d\d?:\d\d(?::\d\d(?:\.\d+)?)?)?"
DATE = re.compile(
    rf"""(?ix)
    (?P<y1>\d{{4}})(?P<sep>[-/.])(?P<m1>\d\d?)(?P=sep)(?P<d1>\d\d?){TIME}
    | (?P<y2>\d{{4}})(?P<m2>\d\d)(?P<d2>\d\d)
    | (?P<d3>\d\d?)\.\ ?(?P<m3>\d\d?)\.\ ?(?P<y3>\d{{4}})
    | (?P<a>\d\d?)(?P<sep2>[-/])(?P<b>\d\d?)(?P=sep2)(?P<y4>\d{{4}})
    | (?P<word1>{MONTH})\.?\ (?:the\ )?(?P<d5>\d\d?)(?:st|nd|rd|th)?,?\ (?P<y5>\d{{4}})
    | (?:the\ )?(?P<d6>\d\d?)(?:st|nd|rd|th|\.|er)?\ (?:of\ |de\ )?(?P<word2>{MONTH})\.?,?\ (?:de\ )?(?P<y6>\d{{4}})
    | (?P<y7>\d{{4}})年(?P<m7>\d\d?)月(?P<d7>\d\d?)日
    """
)


def read(text: object) -> datetime.date | None:
    """The datetime.date that a text means, or None where it is no date at all. ValueError for one
    that cannot be.

    >>> read("17.12.2024") == read("December 17th, 2024") == read("2024-12-17")
    True
    """
    found = DATE.fullmatch(str(text).strip())
    if not found:
        return _feast(str(text).strip())
    part = {k: v for k, v in found.groupdict().items() if v is not None}
    year = int(next(v for k, v in part.items() if re.fullmatch(r"y\d", k)))
    if "a" in part:
        month, day = _order(int(part["a"]), int(part["b"]), year, text)
    else:
        day = int(next(v for k, v in part.items() if re.fullmatch(r"d\d", k)))
        word = part.get("word1") or part.get("word2")
        month = MONTHS[word.lower()] if word else None
        month = month or int(next(v for k, v in part.items() if re.fullmatch(r"m\d", k)))
    return _valid(year, month, day)


def _feast(text):
    for words, (month, day) in FEASTS.items():
        found = re.fullmatch(rf"(?i)(?:{words})(?: of| in|,)? (\d{{4}})", text)
        if found:
            return _valid(int(found[1]), month, day)
    return None


def iso(text: object) -> str:
    """2024-12-17 for any date that people write. ValueError for what is none.

    >>> iso("17 December 2024")
    '2024-12-17'
    """
    found = read(text)
    if found is None:
        raise ValueError(f"{text!r} is no date: write it as 2024-12-17.")
    return found.isoformat()


def _order(a, b, year, text):
    """(month, day) of 12/17/2024 and 17/12/2024, where only one order makes a date."""
    if a == b or b > 12 >= a:
        return a, b
    if a > 12:
        return b, a
    raise ValueError(
        f"{text} can be {year}-{a:02}-{b:02} or {year}-{b:02}-{a:02}: write one of these."
    )


def _valid(year, month, day):
    if not 1 <= month <= 12:
        raise ValueError(f"There is no month {month}: a date is written as 2024-12-17.")
    if year < 1:
        raise ValueError("There is no year 0.")
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        raise ValueError(
            f"There is no {day} {calendar.month_name[month]} {year}: that month had {last} days."
        )
    found = datetime.date(year, month, day)
    if SKIPPED[0] <= found <= SKIPPED[1]:
        raise ValueError(
            f"There was no {found}: with the Gregorian reform, 4 October 1582 was followed by the 15th."
        )
    return found
