"""What the slots of scenes are filled with, beyond Christmas and the tax (scenarios.py): days,
sums, percentages, heats, prices, and what was said last. Each takes (words, Told, items) and raises
Unclear for what the words do not say.
"""

import datetime
import re
from fractions import Fraction

from ...facts import prices, tax
from ...facts.meaning import HEAT
from ..computed import numbers, reading, rules, temperatures
from ..computed.reading import Unclear
from . import asked_days

# "today", where neither the instructions nor the question nor a function names a date
DAY_9 = datetime.date(2024, 12, 17)
OPERATORS = {
    "+": r"\+|plus|and|added to",
    "-": r"-|minus|less|take away",
    "*": r"\*|×|x|times|multiplied by",
    "/": r"/|÷|divided by|over|by",
}
AMOUNT = rf"(?:\$ ?)?{reading.NUMBER}"
MINUS = "(?:(?:minus|negative) )?"
OPERATOR = "|".join(OPERATORS.values())
SUM = re.compile(
    rf"(?i){MINUS}{AMOUNT}(?: ?(?:dollars )?(?:{OPERATOR}) ?{MINUS}{AMOUNT})+(?![\d%]| ?percent)"
)
TOLD = [  # a sum that is told to be worked out, and how it is asked for
    (re.compile(rf"(?i)\bmultiply ({MINUS}{AMOUNT}) (?:by|with|and) "), r"\1 times "),
    (re.compile(rf"(?i)\b(?:add|sum of) ({MINUS}{AMOUNT}) (?:to|and|with) "), r"\1 plus "),
    (re.compile(rf"(?i)\b(?:product of) ({MINUS}{AMOUNT}) and "), r"\1 times "),
    (re.compile(rf"(?i)\b(?:subtract|take) ({MINUS}{AMOUNT}) (?:away )?from ({MINUS}{AMOUNT})"), r"\2 minus \1"),
]  # fmt: skip
STEP = re.compile(rf"(?i)\s*(?P<sign>{OPERATOR})?\s*(?P<minus>minus |negative )?(?P<n>{AMOUNT})")
OTHER_SUM = re.compile(
    rf"(?i)square root of {reading.NUMBER}|{reading.NUMBER} (?:squared|cubed|to the power of {reading.NUMBER})"
)
PERCENT = re.compile(
    rf"(?i)({AMOUNT}) ?(?:%|percent|per cent)(?: tip)? (of|on|for|off) (?:a )?({AMOUNT})"
)
# a model as it is said, and the one that data/prices.csv has; the first that fits
MODELS = [
    (r"\bo ?1[ -]?mini\b", "o1-mini"),
    (r"\bo ?1[ -]?preview\b", "o1-preview"),
    (r"\bmini\b.*(?:real ?time|voice)|(?:real ?time|voice).*\bmini\b", "gpt-4o-mini-realtime-preview-2024-12-17"),
    (r"real ?time|voice|speech|sound|audio|minute", "gpt-4o-realtime-preview-2024-12-17"),
    (r"\b(?:o|oh|0|zero|or|old)[ -]?(?:1|one)\b", "o1"),
]  # fmt: skip
OTHER_MODEL = re.compile(
    r"(?i)\b(?:o1[ -]?pro|o[34](?:[ -]?mini)?|(?:chat ?)?gpt(?:[ -]?\d[\w.]*)?|claude|gemini|llama|deepseek|mistral)\b"
)
OTHER_PRICE = re.compile(r"(?i)\b(?:cach(?:ed|ing)|batch|flex|priority|training|fine[ -]?tun\w+)\b")
COUNTED = 30  # numbers that are said in a row


def today(given):
    return given.today or DAY_9


def until(words, given, items):
    now, day, name = asked_days.asked(words, today(given))
    dated = asked_days.said(day, day.year != now.year)
    return {
        "today": asked_days.said(now),
        "what": f"{name}, {dated}," if name and asked_days.WHEN.match(words) else name or dated,
        "is": "was" if day < now else "is",
        "away": asked_days.away((day - now).days, asked_days.in_weeks(words)),
    }


def weekday(words, given, items):
    now, day, name = asked_days.asked(words, today(given))
    dated = asked_days.said(day, year=True)
    verb = "was" if day < now else "is"
    return {"what": f"{name}, {dated}," if name else dated, "is": verb, "weekday": f"{day:%A}"}


def now(words, given, items):
    name, days = asked_days.near(words)
    day = today(given) + datetime.timedelta(days)
    return {
        "which": name or "it",
        "is": "was" if days < 0 else "is",
        "weekday": f"{day:%A}",
        "date": asked_days.said(day, year=True),
    }


def arithmetic(words, given, items):
    words = re.sub(r"(?<=\d),(?=\d{3})", "", words)
    for pattern, as_sum in TOLD:
        words = pattern.sub(as_sum, words)
    if found := SUM.search(words):
        said, terms = _steps(found[0])
    elif found := OTHER_SUM.search(words):
        said = terms = ("the " * found[0].lower().startswith("square")) + found[0]
    else:
        raise Unclear("Which sum is meant is not clear: say it as “What is 17 plus 25?”")
    made = numbers.read(f"What is {terms}?")
    if made is None:
        raise Unclear(f"Nobody wrote down here how to work out “What is {said}?”")
    return {"sum": said, "value": made.text().replace("-", "minus ")}


def _steps(text):
    """(a sum as it is said, as it is written) of a sum in words: 2 plus 3 times 4, 2 + 3 * 4."""
    said, written = [], []
    for step in STEP.finditer(text):
        sign, minus, number = step["sign"], bool(step["minus"]), step["n"].strip("$ ")
        if sign and said:
            sign = next(s for s, of in OPERATORS.items() if re.fullmatch(of, sign, re.I))
            said.append({"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[sign])
            written.append(sign)
        elif sign:  # of the first number
            minus = True
        said.append("minus " * minus + number)
        written.append(f"(0 - {number})" if minus else number)
    return " ".join(said), " ".join(written)


def percent(words, given, items):
    found = PERCENT.search(re.sub(r"(?<=\d),(?=\d{3})", "", words))
    if not found:
        raise Unclear("Which share of what is not clear: say it as “What is 15 percent of 80?”")
    share, whole = (reading.number(part.strip("$ ")) for part in (found[1], found[3]))
    off = found[2].lower() == "off"
    value = float(whole * (100 - share if off else share) / 100)
    return {"share": f"{reading.plain(share)}", "of": "off" if off else "of", "whole": f"{reading.plain(whole):,}", "value": f"{value:,.2f}".rstrip("0").rstrip(".")}  # fmt: skip


def heat(words, given, items):
    found = HEAT.search(words)
    if not found:
        raise Unclear("Which temperature is meant is not clear: say it as “What is 100 degrees Fahrenheit in Celsius?”")  # fmt: skip
    unit = rules.unit(found["unit"].lower())
    other = {"celsius": "fahrenheit", "fahrenheit": "celsius"}[unit]
    number = Fraction(found["n"]) * (-1 if found["minus"] else 1)
    value = temperatures.Heat(number, unit, other).in_unit(other)
    said = lambda n, unit: f"{n} degrees {unit.title()}".replace("-", "minus ")
    return {"given": said(reading.plain(number), unit), "found": said(value, other)}


def count(words, given, items):
    most = max(map(int, re.findall(r"\d+", words)), default=10)
    if not 1 <= most <= COUNTED:
        raise Unclear(f"I count from one to {COUNTED} at the most, not to {most:,}.")
    row = [str(n) for n in range(1, most + 1)]
    return {
        "numbers": ", ".join(row[::-1] if re.search(r"(?i)\b(?:backwards?|down)\b", words) else row)
    }


def _model(words):
    """The model that words name; o1 where they name none. Raises Unclear for another."""
    named = next((name for pattern, name in MODELS if re.search(pattern, words, re.I)), "")
    other = OTHER_MODEL.search(words)
    if other and named in ("", "o1"):
        raise Unclear(f"A voice here knows o1, o1 mini, o1 preview and the Realtime models of Day 9, not {other[0]}. The others stand in data/prices.csv and data/models.csv.")  # fmt: skip
    return named or "o1"


def price(words, given, items):
    if other := OTHER_PRICE.search(words):
        raise Unclear(f"A voice here knows what tokens in and out cost, not “{other[0]}”: data/prices.csv has more.")  # fmt: skip
    model = _model(words)
    kind = "audio" if "realtime" in model else "text"
    each = [prices.usd_per_million(model, kind, side, DAY_9) for side in ("input", "output")]
    said = [f"{reading.plain(Fraction(value)):g} dollars" for value in each]
    sound = " of sound" * (kind == "audio")
    return {
        "model": _spoken(model),
        "in": f"{said[0]} for a million tokens{sound} in",
        "out": said[1],
    }


def cut(words, given, items):
    before, after = (
        prices.usd_per_million(f"gpt-4o-realtime-preview-{day}", "audio", "input", DAY_9)
        for day in ("2024-10-01", "2024-12-17")
    )
    return {"before": f"{before:g}", "after": f"{after:g}", "percent": f"{100 - 100 * after / before:g}"}  # fmt: skip


def shutdown(words, given, items):
    model = _model(words)
    return {"model": _spoken(model), "date": asked_days.said(prices.shutdown_of(model), year=True)}


def _spoken(model):
    return model.removesuffix("-2024-12-17").replace("-preview", " preview").replace("-", " ").replace("gpt 4o", "GPT 4o")  # fmt: skip


def deduction(words, given, items):
    named = re.search(r"\b(?:19|20)\d\d\b", words)
    year = int(named[0]) if named else 2024
    if year not in tax.years():
        raise Unclear(f"The tax tables here are those of {' and '.join(map(str, tax.years()))}, not of {year}.")  # fmt: skip
    status = status_in(words)
    return {"year": year, "who": WHO[status], "amount": f"{tax.standard_deduction(year, status):,} dollars"}  # fmt: skip


def status_in(words):
    """The filing status that words name; "single" where they name none. Raises Unclear for what
    could be several.
    """
    found = re.search(rf"(?i)\b(?:{reading.STATUS})\b", words)
    if kind := reading.status(found[0]) if found else None:
        return kind
    if other := re.search(r"(?i)\b(?:married|divorced|widow\w*|household)\b", words):
        raise Unclear(f"“{other[0]}” is no filing status by itself; there are {', '.join(tax.STATUSES).replace('_', ' ')}.")  # fmt: skip
    return "single"


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
    "count": count,
    "cut": cut,
    "shutdown": shutdown,
    "deduction": deduction,
    "last": last,
}
