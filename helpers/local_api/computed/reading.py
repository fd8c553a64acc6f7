"""What people write, read by its meaning: dates, amounts, filing statuses. What cannot be meant is
said in a sentence.
"""

import re
from fractions import Fraction

from ...facts import dates, tax


class Unclear(ValueError):
    """The question is understood and has no answer; the text says why, for the panel."""


def date(text):
    """The datetime.date that a text means, or None where it is no date at all. Unclear for one that
    cannot be.
    """
    try:
        return dates.read(text)
    except ValueError as e:
        raise Unclear(str(e)) from None


# --- amounts --------------------------------------------------------------------------------------

NUMBER = r"-?(?:\d{1,3}(?:[, _]\d{3})+|\d+)(?:\.\d+)?"
MONEY = rf"(?:\$|USD ?|US\$ ?)?{NUMBER}(?: ?k\b)?(?: ?(?:dollars?|USD|\$))?"


def number(text):
    """An exact Fraction of 1,234.5 and the like; None where it is no number.

    >>> number("1,234.5"), number("a lot")
    (Fraction(2469, 2), None)
    """
    text = text.strip()
    if not re.fullmatch(NUMBER, text):
        return None
    return Fraction(re.sub(r"[, _]", "", text))


def money(text):
    """Dollars as an exact Fraction: $9,325, 9325 dollars, 50k. None for anything else.

    >>> money("$9,325.50"), money("50k dollars"), money("a lot")
    (Fraction(18651, 2), Fraction(50000, 1), None)
    """
    found = re.fullmatch(
        rf"(?i)(-)?(?:\$|USD ?|US\$ ?)?({NUMBER})( ?k)?(?: ?(?:dollars?|USD|\$))?", text.strip()
    )
    if not found:
        return None
    amount = number(found[2]) * (1000 if found[3] else 1)
    return -amount if found[1] else amount


def plain(value):
    """A Fraction as an int where it is whole, else as a float."""
    return int(value) if value == int(value) else float(value)


# --- filing statuses ------------------------------------------------------------------------------

STATUS = "|".join(tax.WORDS.values()).replace(" ", "[ _]")


def status(text):
    """One of tax.STATUSES for a filing status in the form's words; None for any other.

    >>> status("Married filing jointly"), status("divorced")
    ('married_jointly', None)
    """
    try:
        return tax.status(text)
    except ValueError:
        return None
