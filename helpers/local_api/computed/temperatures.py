"""An oven's heat in another unit: C = (F - 32) * 5/9, K = C + 273.15, R = F + 459.67; a gas mark is
25 °F, and 1 is 275 °F.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from . import languages, reading, rules
from .reading import Unclear

SIGNS = {"celsius": "°C", "fahrenheit": "°F", "kelvin": "K", "rankine": "°R", "gas": ""}
ABSOLUTE_ZERO = Fraction("-459.67")  # °F
HEAT = rf"(?:(?P<gas>gas mark) (?P<mark>\d+)|(?P<n>{reading.NUMBER})\s?(?:°\s?)?(?P<u>degrees? (?:fahrenheit|celsius)|fahrenheit|celsius|kelvins?|rankine|degrees [fc]|°?\s?[FCKR])\b)"
ASK = r"(?:what(?: is|'s|s)|how much is|how many is|what would be|what does)"
IN = rf"(?:in|to|as) (?P<wish>{rules.UNIT})"
RECIPE = (
    r"(?:(?:my|our|the|this|a)(?: [\w']+){0,3} recipe says |(?:the|my) oven is (?:set )?(?:at|to) )"
)
QUESTIONS = [
    re.compile(p, re.I)
    for p in (
        rf"{RECIPE}{HEAT}\.? {ASK} (?:that|it)(?: {IN})?\??",
        rf"{ASK} {HEAT}(?: {IN})?\??",
        rf"(?:please )?(?:convert|turn|change) {HEAT} (?:in)?{IN}[.?]?",
        rf"{HEAT} {IN}\??",
        rf"(?:ignore|forget|disregard|please (?:ignore|forget|disregard))(?: all| any)?(?: the| your| my)?(?: previous| above| earlier)?(?: instructions| orders| rules)? and (?:explain|tell me|say|give me|answer)(?: {IN})? what {HEAT} is\.?",
        rf"(?:ignore|forget|disregard|please (?:ignore|forget|disregard))(?: all| any)?(?: the| your| my)?(?: previous| above| earlier)?(?: instructions| orders| rules)? and (?:explain|tell me|say|give me|answer) what {HEAT} is {IN}\.?",
    )
]
AND = re.compile(
    rf"(?:and |what about |how about |and what about )?(?:{HEAT})?(?: ?{IN})?\??", re.I
)
SETTINGS = {"low": 150, "medium": 180, "high": 230}  # °C, of our own answer in data/constructed
NAMED = re.compile(
    rf"(?:please )?(?:name|list|give(?: me)?|suggest|tell me) (?:an? )?(?P<which>.+?) oven settings? in (?P<wish>{rules.UNIT})[.!]?",
    re.I,
)


@dataclass(frozen=True)
class Heat:
    """A heat of the user's, and the unit that is wished for (\"\": none was named)."""

    value: Fraction
    unit: str
    wish: str

    def fahrenheit(self):
        f = {
            "fahrenheit": self.value,
            "celsius": self.value * 9 / 5 + 32,
            "kelvin": (self.value - Fraction("273.15")) * 9 / 5 + 32,
            "rankine": self.value - Fraction("459.67"),
            "gas": self.value * 25 + 250,
        }[self.unit]
        if f < ABSOLUTE_ZERO:
            raise Unclear(f"{self.words()} is below absolute zero, which is -459.67 °F.")
        return f

    def words(self):
        number = f"{reading.plain(self.value):,}" if self.value >= 10_000 else f"{reading.plain(self.value)}"  # fmt: skip
        return f"gas mark {number}" if self.unit == "gas" else f"{number} {SIGNS[self.unit]}"

    def in_unit(self, unit):
        """The number in a unit, rounded to a whole one."""
        f = self.fahrenheit()
        c = (f - 32) * 5 / 9
        if unit == "gas" and not 275 <= f <= 500:
            raise Unclear(
                f"{self.words()} has no gas mark: they run from 1, 275 °F, to 10, 500 °F."
            )
        exact = {
            "celsius": c,
            "fahrenheit": f,
            "kelvin": c + Fraction("273.15"),
            "rankine": f + Fraction("459.67"),
            "gas": (f - 250) / 25,
        }[unit]
        return round(float(exact))

    def also(self, other):
        """The same question of a follow-up: another heat, another unit, or both."""
        return Heat(
            self.value if other.value is None else other.value,
            self.unit if other.value is None else other.unit,
            other.wish or self.wish,
        )

    def say(self, rule):
        unit = rule.unit or self.wish
        if not unit and not rule.given:
            c, k = self.in_unit("celsius"), self.in_unit("kelvin")
            if self.unit == "celsius":
                return f"{self.words()} is about {self.in_unit('fahrenheit')} °F, or {k} K."
            also = f"{k} K" if self.unit != "kelvin" else f"{self.in_unit('fahrenheit')} °F"
            return f"{self.words()} is about {c} °C, or {also}. Most recipes outside the United States give the oven temperature in °C, so set your oven to {c} °C."
        unit = unit or ("fahrenheit" if self.unit == "celsius" else "celsius")
        number = self.in_unit(unit)
        heat = f"gas mark {number}" if unit == "gas" else f"{number} {SIGNS[unit]}"
        if rule.form == "json":
            return f'{{"{unit}": {number}}}'
        if rule.form == "table":
            return f"| given | {unit} |\n|---|---|\n| {self.words()} | {heat} |"
        if rule.form in ("number", "word"):
            return str(number)
        said = heat
        if rule.language != "en":
            said = languages.IS[rule.language].format(given=self.words(), found=heat)
        return {"upper": said.upper(), "lower": said.lower()}.get(rule.form, said)

    def fields(self, rule):
        unit = rule.unit or self.wish or "celsius"
        return {
            "temperature": self.in_unit(unit), "value": self.in_unit(unit), unit: self.in_unit(unit), "unit": unit,
            "celsius": self.in_unit("celsius"), "fahrenheit": self.in_unit("fahrenheit"), "kelvin": self.in_unit("kelvin"),
            "answer": self.say(rule), "text": self.say(rule),
        }  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Oven settings by name, in a unit."""

    which: tuple
    wish: str

    def say(self, rule):
        unit = rule.unit or self.wish
        rows = []
        words = languages.SETTINGS[rule.language]
        for i, (name, celsius) in enumerate(SETTINGS.items()):
            if name in self.which:
                number = Heat(Fraction(celsius), "celsius", unit).in_unit(unit)
                heat = f"gas mark {number}" if unit == "gas" else f"{number} {SIGNS[unit]}"
                rows.append((name, words[2 * i], heat, words[2 * i + 1], number))
        if rule.form == "json":
            return "{" + ", ".join(f'"{row[0]}": {row[4]}' for row in rows) + "}"
        if rule.markdown or rule.form == "table":
            lines = [f"| **{row[1]}** | {row[2]} | {row[3].removeprefix('for ')} |" for row in rows]
            return "\n".join(["| Setting | Oven | Good for |", "|---|---|---|", *lines])
        if rule.form in ("word", "number"):
            raise Unclear("Three settings do not go into one word.")
        said = "\n".join(f"{row[1]}: {row[2]}, {row[3]}." for row in rows)
        return {"upper": said.upper(), "lower": said.lower()}.get(rule.form, said)

    def fields(self, rule):
        unit = rule.unit or self.wish
        return {name: Heat(Fraction(c), "celsius", unit).in_unit(unit) for name, c in SETTINGS.items()} | {
            "answer": self.say(rule), "text": self.say(rule)}  # fmt: skip


def read(text):
    """The Heat or Settings that a question asks for, or None."""
    for question in QUESTIONS:
        found = question.fullmatch(text)
        if found:
            return _heat(found)
    found = NAMED.fullmatch(text)
    if found:
        asked = re.sub(r"^(?:the )?(?:three|3)$", " ".join(SETTINGS), found["which"].lower())
        which = tuple(re.findall(r"low|medium|high", asked))
        rest = re.sub(r"low|medium|high|\ban?\b|\band\b|[, ]", "", asked)
        if which and not rest:
            return Settings(which, rules.unit(found["wish"]))
    return None


def follow_up(text):
    """A Heat of what a follow-up changes, value None where it names none; None where it is no
    follow-up of ours.
    """
    found = AND.fullmatch(text.strip())
    if not found or not (found["n"] or found["mark"] or found["wish"]):
        return None
    return _heat(found)


def _heat(found):
    wish = rules.unit(found["wish"]) if found["wish"] else ""
    if found["mark"]:
        return Heat(Fraction(found["mark"]), "gas", wish)
    if not found["n"]:
        return Heat(None, "", wish)
    unit = rules.unit(found["u"]) or rules.unit("°" + found["u"].strip("° ")) or "kelvin"
    return Heat(reading.number(found["n"]), unit, wish)
