"""Which day a question asks for, and from which it counts: "how long until Easter", "the day after
Christmas", "from Halloween to Christmas", "how long ago was Thanksgiving".
"""

import datetime
import re

from ...common.counted import counted
from ...facts import dates, holidays, spoken_numbers
from ...facts.meaning import MONTHS, OF_A_YEAR, based
from ..computed import reading
from ..computed.reading import Unclear

PAST = re.compile(r"(?i)\b(?:since|ago|was|were|last|passed)\b")
BETWEEN = re.compile(r"(?i)\b(?:between|from) (?P<begin>.+?) (?:and|to|until|till) (?P<end>.+)")
BESIDE = re.compile(r"(?i)\b(?P<n>the|a|one|\d{1,4}) (?P<unit>day|week)s? (?P<side>before|after) ")
DAYS = {"day": 1, "week": 7}  # in what is counted here
WEEKS = "weeks?"
OTHER_UNIT = r"seconds?|minutes?|hours?|fortnights?|months?|years?|weekends?|(?:week|work|working|business|school) ?days?|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
NEAR = [  # a day counted from today: what it is called, and how many days off it is
    (re.compile(r"(?i)\bday after tomorrow\b"), "the day after tomorrow", 2),
    (re.compile(r"(?i)\bday before yesterday\b"), "the day before yesterday", -2),
    (re.compile(r"(?i)\btomorrow\b"), "tomorrow", 1),
    (re.compile(r"(?i)\byesterday\b"), "yesterday", -1),
]
FROM_NOW = re.compile(
    rf"(?i)\b(?P<before>in )?(?P<n>an?|one|\d{{1,4}}) (?P<unit>days?|{WEEKS}|{OTHER_UNIT})(?P<after> (?:ago|from (?:now|today)|later))?\b"
)
WHEN = re.compile(r"(?i)\W*(?:\w+\W+){0,6}?(?:when|(?:what|which) (?:date|day))\b")  # asks for the date  # fmt: skip
CHRISTMAS = (12, 25)
UNIT = re.compile(
    rf"(?i)\b(?:how many |the |number of |in )(?:more |full |whole |calendar )*(?P<unit>{WEEKS}|{OTHER_UNIT})\b"
)


def asked(words, now):
    """(the day that is counted from, the day that is meant, its name or "") of a question asked on
    a day. Raises Unclear where no day is meant.
    """
    said, words = based(words)
    if said:
        now = day_of(said, now)[0]
    if (span := BETWEEN.search(words)) and not re.match(r"(?i)(?:now|today)\b", span["begin"]):
        now, words = day_of(span["begin"], now)[0], span["end"]
    return now, *day_of(words, now)


def day_of(words, now):
    """(the day, its name or "") of the first date or holiday in words; without a year the next
    one, or the last where words speak of the past. Raises Unclear where there is none.
    """
    if beside := BESIDE.search(words):
        day, name = day_of(words[beside.end() :], now)
        n = int(beside["n"]) if beside["n"].isdigit() else 1
        days = n * DAYS[beside["unit"].lower()]
        sign = 1 if beside["side"].lower() == "after" else -1
        count = f"the {beside['unit']}" if n == 1 else counted(n, beside["unit"])
        return day + sign * datetime.timedelta(
            days
        ), f"{count} {beside['side']} {name or said(day)}"
    if (found := dates.DATE.search(words)) and (day := reading.date(found[0])):
        return day, ""
    if holiday := holidays.found(words):
        return _of_a_year(lambda year: holidays.day(holiday[0], year), words, now), holidays.named()[holiday[0]]  # fmt: skip
    if found := OF_A_YEAR.search(words):
        month = MONTHS.index((found["m1"] or found["m2"]).lower()) + 1
        number = int(found["d1"] or found["d2"])

        def day(year):
            try:
                return datetime.date(year, month, number)
            except ValueError:
                raise Unclear(f"There is no {MONTHS[month - 1].title()} {number} in {year}.") from None  # fmt: skip

        return _of_a_year(day, words, now), ""
    if re.search(r"(?i)\bchristmas\b", words):
        return _of_a_year(lambda year: datetime.date(year, *CHRISTMAS), words, now), "Christmas"
    if re.search(r"(?i)\btomorrow\b", words):
        return now + datetime.timedelta(1), "Tomorrow"
    raise Unclear("Which day is meant is not clear: name a holiday such as Halloween, or a date such as July 4th.")  # fmt: skip


def _of_a_year(day, words, now):
    """`day` of the year that words name, or of the one in which it is next, or was last."""
    if named := re.search(r"\b(?:19|20)\d\d\b", words):
        return day(int(named[0]))
    if named := re.search(r"(?i)\b(this|next|last) year\b(?!')", words):
        return day(now.year + {"this": 0, "next": 1, "last": -1}[named[1].lower()])
    this = day(now.year)
    if PAST.search(words):
        return this if this <= now else day(now.year - 1)
    return this if this >= now else day(now.year + 1)


def said(day, year=False):
    """A date as it is said: December 17th; with the year: December 17th, 2024."""
    return f"{day:%B} {spoken_numbers.nth(day.day)}" + f", {day.year}" * year


def near(words):
    """(how a day is called that words count from today, how many days off it is): ("2 weeks after
    today", 14); ("", 0) where they count none. Raises Unclear for another unit.
    """
    for pattern, name, days in NEAR:
        if pattern.search(words):
            return name, days
    found = FROM_NOW.search(words)
    if not found or not (found["before"] or found["after"]):
        return "", 0
    n, unit = int(found["n"]) if found["n"].isdigit() else 1, found["unit"].lower().rstrip("s")
    if unit not in DAYS:
        raise Unclear(_other(found["unit"].lower()))
    past = (found["after"] or "").endswith("ago")
    days = n * DAYS[unit] * (-1 if past else 1)
    return f"{counted(n, unit)} {'before' if past else 'after'} today", days


def _other(unit):
    return f"Days or weeks are counted here, not “{unit}”."


def in_weeks(words):
    """Whether a question asks for weeks, and not for days. Raises Unclear for another unit."""
    unit = UNIT.search(words)
    if unit and not re.fullmatch(WEEKS, unit["unit"], re.I):
        raise Unclear(_other(unit["unit"]))
    return bool(unit)


def away(days, weeks=False):
    """How far off a day is, as it is said; less than 0: how long ago."""
    if days == 0:
        return "today"
    full, rest = divmod(abs(days), 7) if weeks else (0, abs(days))
    parts = [counted(n, unit) for n, unit in ((full, "week"), (rest, "day")) if n]
    return f"{' and '.join(parts)} {'away' if days > 0 else 'ago'}"
