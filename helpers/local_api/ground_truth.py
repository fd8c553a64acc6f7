"""What slotted answers are computed with: the facts behind them, as plain functions.

Each is available to the templates of a recording as a filter of the same name: `{{ day|weekday }}`.
"""
import datetime

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")  # strftime's follow the locale


def thousands(number):
    """1234567 -> 1,234,567"""
    return f"{number:,}"


def weekday(day):
    """The English name of an ISO date's weekday (Gregorian calendar).

    >>> weekday("2024-12-17")
    'Tuesday'
    """
    return DAYS[weekday_number(day) - 1]


def weekday_number(day):
    """1 for Monday to 7 for Sunday."""
    return datetime.date.fromisoformat(day).isoweekday()


def to_unit(fahrenheit, unit):
    """Degrees Fahrenheit in celsius, fahrenheit or kelvin, rounded to a whole number.

    >>> to_unit(350, "celsius"), to_unit(350, "kelvin")
    (177, 450)
    """
    celsius = (fahrenheit - 32) * 5 / 9
    return round({"celsius": celsius, "fahrenheit": fahrenheit, "kelvin": celsius + 273.15}[unit])


FILTERS = (thousands, weekday, weekday_number, to_unit)
