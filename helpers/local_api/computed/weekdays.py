"""The weekday of a date, by the Gregorian calendar; before the reform of 1582, by the Julian one as
well.
"""

import datetime
import re
from dataclasses import dataclass

from ...facts.dates import REFORM
from . import languages, reading

WHEN = r"(?P<date>.+?)"
WHICH = r"(?:which|what) (?:day of the week|week ?day|day)"
QUESTIONS = [
    (re.compile(p, re.I), language)
    for p, language in (
        (rf"(?:on )?{WHICH} (?:was|is|will|did|does)(?: it| it be)?(?: on)? {WHEN}(?: fall| fall on| be)?\s?\??", "en"),
        (rf"(?:tell me |give me |name )?(?:the )?(?:weekday|day of the week) (?:of|on|for) {WHEN}[.?]?", "en"),
        (rf"{WHEN} (?:was|is|falls on|fell on) {WHICH}\??", "en"),
        (rf"welcher wochentag (?:war|ist)(?: der| am)? {WHEN}\s?\??", "de"),
        (rf"(?:an welchem wochentag war|was für ein (?:wochen)?tag war)(?: der)? {WHEN}\s?\??", "de"),
        (rf"quel jour(?: de la semaine)? (?:était|est|était-ce|tombait)(?: le)? {WHEN}\s?\??", "fr"),
        (rf"¿?qu[eé] d[ií]a(?: de la semana)? (?:fue|es|era)(?: el)? {WHEN}\s?\??", "es"),
        (rf"che giorno(?: della settimana)? (?:era|è)(?: il)? {WHEN}\s?\??", "it"),
        (rf"{WHEN}\s?是(?:星期几|礼拜几|周几)[?？]?", "zh"),
        (rf"{WHEN}\s?は何曜日(?:ですか|でしたか)?[?？]?", "ja"),
    )
]  # fmt: skip
WAS_IT = re.compile(
    rf"(?:was|is) {WHEN} (?:a|an|on a) (?P<guess>{'|'.join(languages.WEEKDAYS['en'])})\??", re.I
)
AND = re.compile(rf"(?:and |what about |how about |and what about )(?:on )?{WHEN}\??", re.I)


@dataclass(frozen=True)
class Weekday:
    """A date, asked for its weekday. written: the reader's words for it; guess: the weekday that
    was asked about.
    """

    day: datetime.date
    guess: str = ""
    language: str = "en"

    def name(self, language="en"):
        return languages.WEEKDAYS.get(language, languages.WEEKDAYS["en"])[self.day.weekday()]

    def say(self, rule):
        language = rule.language if rule.language != "en" else self.language
        found = self.name(language)
        if rule.form == "json":
            return f'{{"date": "{self.day}", "weekday": "{found}"}}'
        if rule.form == "table":
            return f"| date | weekday |\n|---|---|\n| {self.day} | {found} |"
        if rule.form == "word":
            return found
        if rule.form == "number":
            return str(self.day.isoweekday())
        said = languages.WAS[language].format(given=self.day, found=found)
        if self.guess:
            known = (
                languages.YES if self.guess.casefold() == self.name().casefold() else languages.NO
            )
            said = f"{known[language]}, {said[0].lower() + said[1:] if said[0].isalpha() else said}"
        if self.day < REFORM:
            number = self.day.toordinal() + julian_lead(self.day)
            said += (
                f" (That is by the Gregorian calendar, which began on {REFORM}, reckoned back. By the Julian calendar, "
                f"which was in use then, a day of that date was a {languages.WEEKDAYS['en'][(number - 1) % 7]}.)"
            )
        return {"upper": said.upper(), "lower": said.lower()}.get(rule.form, said)

    def fields(self, rule):
        said = self.say(rule)
        name = self.name(rule.language)
        return {
            "date": self.day.isoformat(), "day": self.day.isoformat(), "weekday": name, "day_of_week": name,
            "year": self.day.year, "month": self.day.month, "number": self.day.isoweekday(),
            "answer": said, "text": said,
        }  # fmt: skip

    def also(self, other):
        return Weekday(other.day, "", self.language)


def julian_lead(day):
    """By how many days a date of the Julian calendar comes later than the same date of the
    Gregorian one.

    >>> julian_lead(datetime.date(1582, 10, 4))
    10
    """
    year = day.year - (day.month < 3)
    return year // 100 - year // 400 - 2


def read(text):
    """The Weekday that a question asks for, or None. Raises reading.Unclear for a date that cannot
    be.
    """
    found = WAS_IT.fullmatch(text)
    if found:
        day = reading.date(found["date"])
        return Weekday(day, found["guess"]) if day else None
    for question, language in QUESTIONS:
        found = question.fullmatch(text)
        if found:
            day = reading.date(found["date"])
            if day:
                return Weekday(day, "", language)
    return None


def follow_up(text):
    found = AND.fullmatch(text.strip())
    day = found and reading.date(found["date"])
    return Weekday(day) if day else None
