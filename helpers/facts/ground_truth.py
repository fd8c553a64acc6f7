"""What slotted answers are computed with: the facts behind them, as plain functions.

Each is available to the templates of a recording as a filter of the same name: `{{ day|weekday }}`.
"""

from __future__ import annotations

import datetime
from decimal import Decimal

from . import forms, tax

DAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)  # strftime's follow the locale


def thousands(number: float | Decimal) -> str:
    """1234567 -> 1,234,567"""
    return f"{number:,}"


def weekday(day: str) -> str:
    """The English name of an ISO date's weekday (Gregorian calendar).

    >>> weekday("2024-12-17")
    'Tuesday'
    """
    return DAYS[weekday_number(day) - 1]


def weekday_number(day: str) -> int:
    """1 for Monday to 7 for Sunday."""
    return datetime.date.fromisoformat(day).isoweekday()


def to_unit(fahrenheit: float, unit: str) -> int:
    """Degrees Fahrenheit in celsius, fahrenheit or kelvin, rounded to a whole number.

    >>> to_unit(350, "celsius"), to_unit(350, "kelvin")
    (177, 450)
    """
    celsius = (fahrenheit - 32) * 5 / 9
    return round({"celsius": celsius, "fahrenheit": fahrenheit, "kelvin": celsius + 273.15}[unit])


def dollars(amount: float | Decimal, sign: str = "$") -> str:
    """Money with its sign, and with cents where there are any.

    >>> dollars(933), dollars(932.5), dollars(-1234567), dollars(932.5, "")
    ('$933', '$932.50', '-$1,234,567', '932.50')
    """
    exact = round(Decimal(str(amount)), 2)
    return f"{'-' * (exact < 0)}{sign}{abs(exact):,.{0 if exact == int(exact) else 2}f}"


def schedule_tax(income: int | Decimal, year: int, status: str) -> Decimal:
    """The tax by the rate schedule, with its cents: what the Tax Table rounds.

    >>> schedule_tax(9325, 2024, "single")
    Decimal('932.50')
    """
    return tax.schedule(year, status, income)


FILTERS = (
    forms.findings,
    forms.inspection,
    dollars,
    schedule_tax,
    thousands,
    weekday,
    weekday_number,
    to_unit,
)
