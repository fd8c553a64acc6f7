"""What a function returned, by its meaning: a date or a number of days; an amount of dollars."""

import re
from fractions import Fraction

from ...facts import dates
from ..computed import reading, results
from ..computed.reading import Unclear

UNITS = {"hour": Fraction(1, 24), "day": Fraction(1), "week": Fraction(7)}
UNEVEN = "month|year|minute|second"  # months and years have no fixed number of days
COUNT = re.compile(
    rf"(?:about |in |still )?(?P<n>{reading.NUMBER})[ _]?(?P<unit>hour|day|week|{UNEVEN})s?\b.*",
    re.I,
)
OWED = re.compile(r"tax|owe|due|amount|total", re.I)
OTHER_MONEY = re.compile(
    r"[€£¥₹]|\b(?:EUR|GBP|CHF|JPY|CNY|INR|CAD|AUD|MXN|euros?|pounds?|francs?|yen|yuan|rupees?|pesos?)\b",
    re.I,
)
ELSE = re.compile(r"(?:refund|income|year|rate|percent|share|credit|deduction)s?$", re.I)  # no tax


def _value(text):
    """What a function's text is as a value; else the text itself."""
    value = results.as_value(text)
    return text if value is None else value


def day_or_days(text):
    """(a datetime.date, None), (None, so many days until Christmas), or (None, None) where a text
    has neither. Raises Unclear for what is one and cannot be.
    """
    value, whole = _value(text), {}
    if results.read(text).error:
        return None, None
    if isinstance(value, dict):
        parts = {str(k).lower(): v for k, v in value.items()}
        if {"year", "month", "day"} <= set(parts):
            return reading.date("-".join(f"{parts[k]:02}" if isinstance(parts[k], int) else str(parts[k]) for k in ("year", "month", "day"))), None  # fmt: skip
        whole, value = parts, list(value.values())
    values = value if isinstance(value, list) else [value]
    for inside in values:
        if isinstance(inside, str):
            if found := dates.DATE.search(inside):
                return reading.date(found[0]), None
            if found := COUNT.fullmatch(inside.strip()):
                return None, _days(reading.number(found["n"]), found["unit"].lower(), text)
            if (number := reading.number(inside)) is not None:
                return None, _days(number, "day", text)
    for name, inside in whole.items():
        if type(inside) in (int, float) and (unit := re.search(rf"hour|day|week|{UNEVEN}", name)):
            return None, _days(inside, unit[0], text)
    if type(value) in (int, float):
        return None, _days(value, "day", text)
    return None, None


def _days(number, unit, text):
    if unit not in UNITS:
        raise Unclear(f"Your function returned {text}: how many days {unit}s are is not fixed. Return days, weeks or a date.")  # fmt: skip
    days = Fraction(str(number)) * UNITS[unit]
    if days < 0 or days.denominator != 1:
        raise Unclear(f"Your function returned {text}: a number of days until Christmas is whole, and not less than 0.")  # fmt: skip
    return int(days)


def amount(text):
    """The dollars that a function returned, as an exact Fraction, or None where it returned
    none. Raises Unclear for other money.
    """
    if results.read(text).error:
        return None
    value = _value(text)
    if other := OTHER_MONEY.search(str(value)):
        raise Unclear(f"Your function returned {text}: {other[0]} is not the money that was asked for, and nothing is exchanged here. Return US dollars.")  # fmt: skip
    while isinstance(value, dict):
        parts = {str(k): v for k, v in value.items() if not ELSE.search(str(k))}
        owed = [v for k, v in parts.items() if OWED.search(k)] or [v for v in parts.values() if _money(v) is not None]  # fmt: skip
        if len(owed) != 1:
            return None
        value = owed[0] if not isinstance(owed[0], dict) or len(owed[0]) != 1 else next(iter(owed[0].values()))  # fmt: skip
    return _money(value)


def _money(value):
    if type(value) in (int, float):
        return Fraction(str(value))
    if not isinstance(value, str):
        return None
    found = reading.money(value)
    if found is None:
        inside = re.findall(rf"(?i)(?<![\w.,-]){reading.MONEY}(?!\w|[.,]\d)", value)
        found = reading.money(inside[0].strip()) if len(inside) == 1 else None
    return found
