"""What the slots of scenes are filled with, beyond Christmas and the tax (scenarios.py): days,
sums, percentages, heats, prices, and what was said last. Each takes (words, Told, items) and raises
Unclear for what the words do not say.
"""

import datetime
import re
from fractions import Fraction

from ...common.counted import counted
from ...facts import dates, holidays, prices, spoken_numbers, tax
from ...facts.meaning import HEAT, MONTHS, OF_A_YEAR, based
from ..computed import numbers, reading, rules, temperatures
from ..computed.reading import Unclear

# "today", where neither the instructions nor the question nor a function names a date
DAY_9 = datetime.date(2024, 12, 17)
OPERATORS = {
    "+": r"\+|plus|and|added to",
    "-": r"-|minus|less|take away",
    "*": r"\*|×|x|times|multiplied by",
    "/": r"/|÷|divided by|over|by",
}
AMOUNT = rf"(?:\$ ?)?{reading.NUMBER}"
SUM = re.compile(
    rf"(?i)({AMOUNT}) ?(?:dollars )?({'|'.join(OPERATORS.values())}) ?({AMOUNT})(?![\d%])"
)
PERCENT = re.compile(
    rf"(?i)({AMOUNT}) ?(?:%|percent|per cent)(?: tip)? (?:of|on|for) (?:a )?({AMOUNT})"
)
# a model as it is said, and the one that data/prices.csv has; the first that fits
MODELS = [
    (r"\bo ?1[ -]?mini\b", "o1-mini"),
    (r"\bo ?1[ -]?preview\b", "o1-preview"),
    (r"\bmini\b.*(?:real ?time|voice)|(?:real ?time|voice).*\bmini\b", "gpt-4o-mini-realtime-preview-2024-12-17"),
    (r"real ?time|voice|speech|sound|audio|minute", "gpt-4o-realtime-preview-2024-12-17"),
    (r"\b(?:o|oh|0|zero|or|old)[ -]?(?:1|one)\b", "o1"),
]  # fmt: skip


def today(given):
    return given.today or DAY_9


def said_day(day, year=False):
    """A date as it is said: December 17th; with the year: December 17th, 2024."""
    return f"{day:%B} {spoken_numbers.nth(day.day)}" + f", {day.year}" * year


def away(days):
    """How far off a day is, as it is said; less than 0: how long ago."""
    count = counted(abs(days), "day")
    return "today" if days == 0 else f"{count} away" if days > 0 else f"{count} ago"


def day_of(words, now):
    """(the day that is meant, its name or "") of the first date or holiday in words; without a
    year, the next one. Raises Unclear where there is none.
    """
    if found := dates.DATE.search(words):
        if day := reading.date(found[0]):
            return day, ""
    if name := holidays.found(words):
        year = re.search(r"\b(?:19|20)\d\d\b", words)
        day = holidays.day(name, int(year[0])) if year else holidays.following(name, now)
        return day, holidays.named()[name]
    if found := OF_A_YEAR.search(words):
        month = MONTHS.index((found["m1"] or found["m2"]).lower()) + 1
        number = int(found["d1"] or found["d2"])
        year = now.year + ((month, number) < (now.month, now.day))
        try:
            return datetime.date(year, month, number), ""
        except ValueError:
            raise Unclear(f"There is no {MONTHS[month - 1].title()} {number} in {year}.") from None
    if re.search(r"(?i)\bchristmas\b", words):
        return datetime.date(now.year + ((now.month, now.day) > (12, 25)), 12, 25), "Christmas"
    if re.search(r"(?i)\btomorrow\b", words):
        return now + datetime.timedelta(1), "Tomorrow"
    raise Unclear("Which day is meant is not clear: name a holiday such as Halloween, or a date such as July 4th.")  # fmt: skip


def until(words, given, items):
    now = today(given)
    said, words = based(words)
    if said:
        now, _ = day_of(said, now)
    day, name = day_of(words, now)
    return {
        "today": said_day(now),
        "what": name or said_day(day, day.year != now.year),
        "away": away((day - now).days),
    }


def weekday(words, given, items):
    now = today(given)
    day, name = day_of(words, now)
    verb = "was" if day < now else "is"
    return {"what": f"{name}, {said_day(day, True)}," if name else said_day(day, True), "is": verb, "weekday": f"{day:%A}"}  # fmt: skip


def now(words, given, items):
    day = today(given)
    return {"weekday": f"{day:%A}", "date": said_day(day, True)}


def arithmetic(words, given, items):
    found = SUM.search(re.sub(r"(?<=\d),(?=\d{3})", "", words))
    if not found:
        raise Unclear("Which sum is meant is not clear: say it as “What is 17 plus 25?”")
    left, operator, right = found.groups()
    sign = next(s for s, said in OPERATORS.items() if re.fullmatch(said, operator, re.I))
    question = f"What is {left.strip('$ ')} {sign} {right.strip('$ ')}?"
    made = numbers.read(question)
    if made is None:
        raise Unclear(f"Nobody wrote down here how to work out “{question}”")
    said = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[sign]
    return {"sum": f"{left.strip('$ ')} {said} {right.strip('$ ')}", "value": made.text()}


def percent(words, given, items):
    found = PERCENT.search(re.sub(r"(?<=\d),(?=\d{3})", "", words))
    if not found:
        raise Unclear("Which share of what is not clear: say it as “What is 15 percent of 80?”")
    share, whole = (reading.number(part.strip("$ ")) for part in found.groups())
    value = float(share * whole / 100)
    return {"share": f"{reading.plain(share)}", "whole": f"{reading.plain(whole):,}", "value": f"{value:,.2f}".rstrip("0").rstrip(".")}  # fmt: skip


def heat(words, given, items):
    found = HEAT.search(words)
    if not found:
        raise Unclear("Which temperature is meant is not clear: say it as “What is 100 degrees Fahrenheit in Celsius?”")  # fmt: skip
    unit = rules.unit(found[2].lower())
    other = {"celsius": "fahrenheit", "fahrenheit": "celsius"}[unit]
    value = temperatures.Heat(Fraction(found[1]), unit, other).in_unit(other)
    return {
        "given": f"{found[1]} degrees {unit.title()}",
        "found": f"{value} degrees {other.title()}",
    }


def price(words, given, items):
    model = next((name for pattern, name in MODELS if re.search(pattern, words, re.I)), "o1")
    kind = "audio" if "realtime" in model else "text"
    each = [prices.usd_per_million(model, kind, side, DAY_9) for side in ("input", "output")]
    said = [f"{reading.plain(Fraction(value)):g} dollars" for value in each]
    sound = " of sound" * (kind == "audio")
    return {
        "model": _spoken(model),
        "in": f"{said[0]} for a million tokens{sound} in",
        "out": said[1],
    }


def shutdown(words, given, items):
    model = next((name for pattern, name in MODELS if re.search(pattern, words, re.I)), "o1")
    return {"model": _spoken(model), "date": said_day(prices.shutdown_of(model), True)}


def _spoken(model):
    return model.removesuffix("-2024-12-17").replace("-preview", " preview").replace("-", " ").replace("gpt 4o", "GPT 4o")  # fmt: skip


def deduction(words, given, items):
    named = re.search(r"\b(?:19|20)\d\d\b", words)
    year = int(named[0]) if named else 2024
    if year not in tax.years():
        raise Unclear(f"The tax tables here are those of {' and '.join(map(str, tax.years()))}, not of {year}.")  # fmt: skip
    found = re.search(rf"(?i)\b(?:{reading.STATUS})\b", words)
    status = reading.status(found[0]) if found else "single"
    return {"year": year, "who": WHO[status], "amount": f"{tax.standard_deduction(year, status):,} dollars"}  # fmt: skip


WHO = {
    "single": "a single person",
    "married_jointly": "a married couple filing jointly",
    "married_separately": "a married person filing separately",
    "head_of_household": "a head of household",
    "surviving_spouse": "a surviving spouse",
}


def last(words, given, items):
    """What the assistant said last, other than this; {} where it has said nothing yet."""
    found = [item.words for item in items if item.data.get("role") == "assistant" and item.words]
    if not found:
        return {}
    return {"last": re.sub(r"^(?:I said|Once more, slowly|Once more, faster): ", "", found[-1])}


SLOTS = {
    "until": until,
    "weekday": weekday,
    "now": now,
    "arithmetic": arithmetic,
    "percent": percent,
    "heat": heat,
    "price": price,
    "shutdown": shutdown,
    "deduction": deduction,
    "last": last,
}
