"""What a small program can work out of words and numbers: sums, units, counts, letters. Exact, by
fractions.
"""

import ast
import math
import operator
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from ..slots import integer
from . import languages, reading
from .reading import Unclear

MOST = 10**9  # the end of a range that is counted
SIEVED = 2_000_000  # the end of one that is looked through for primes


@dataclass(frozen=True)
class Number:
    """A number that was asked for; `given` and `unit` make a sentence of it. slip: what low effort
    is made to answer.
    """

    value: Fraction
    given: str
    unit: str = ""
    slip: int | None = None
    parts: tuple = ()  # (left, operator, right) of one sum, for a calculator
    results: tuple = ()

    def text(self):
        value = self.value
        if value.denominator == 1:
            return str(value.numerator)
        decimal = f"{float(value):.6f}".rstrip("0")
        return decimal if Fraction(decimal) == value else f"about {decimal}"

    def say(self, rule):
        if rule.form == "json":
            return f'{{"answer": {reading.plain(self.value)}}}'
        if rule.form == "table":
            return f"| question | answer |\n|---|---|\n| {self.given} | {self.text()} |"
        if rule.form in ("number", "word", "bare"):
            return self.text()
        found = f"{self.text()} {self.unit}".strip()
        said = languages.IS[rule.language].format(given=self.given, found=found)
        said = said[0].upper() + said[1:]
        return {"upper": said.upper(), "lower": said.lower()}.get(rule.form, said)

    @property
    def wants(self):
        return ["left"] if self.parts else []

    def facts(self, n=0):
        return dict(zip(("left", "operator", "right"), self.parts))

    def heard(self, found):
        return replace(self, results=tuple(found))

    def done(self):
        return bool(self.results)

    def after_tools(self):
        first = self.results[0]
        if first.error:
            return f"I could not work it out. The tool said: {first.error}"
        if first.amount is None:
            return f"The tool returned: {first.words or 'nothing'}"
        return f"{self.given} is {reading.plain(first.amount):,}."

    def fields(self, rule):
        value = reading.plain(self.value)
        return {"answer": value, "number": value, "result": value, "value": value, "count": value, "text": self.say(rule)}  # fmt: skip


class Count(Number):
    """A number of numbers, for which a model thinks longer than for a sum."""


@dataclass(frozen=True)
class Words:
    """A text that is to be written in another way."""

    said: str

    def say(self, rule):
        return {"upper": self.said.upper(), "lower": self.said.lower()}.get(rule.form, self.said)

    def fields(self, rule):
        return {"answer": self.said, "text": self.said}


# --- units ----------------------------------------------------------------------------------------

GROUPS = (
    {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "fortnight": 1_209_600},
    {"millimeter": "0.001", "centimeter": "0.01", "meter": 1, "kilometer": 1000, "inch": "0.0254", "foot": "0.3048",
     "yard": "0.9144", "mile": "1609.344"},
    {"milligram": "0.001", "gram": 1, "kilogram": 1000, "tonne": 10**6, "ounce": "28.349523125", "pound": "453.59237"},
    {"milliliter": "0.001", "centiliter": "0.01", "liter": 1},
    {"month": 1, "year": 12, "decade": 120, "century": 1200},
    {"cent": 1, "dollar": 100},
    {"egg": 1, "piece": 1, "dozen": 12, "score": 20, "gross": 144},
)  # fmt: skip
ONES = "zero one two three four five six seven eight nine ten eleven twelve".split()
NAMED = "|".join(["an?", *ONES])


def _amount(word):
    """A number in digits or, up to twelve, in a word; a and an are one."""
    word = word.lower()
    if word in ("a", "an"):
        return Fraction(1)
    return Fraction(ONES.index(word)) if word in ONES else reading.number(word)


PLURALS = {
    "inches": "inch",
    "feet": "foot",
    "centuries": "century",
    "metres": "meter",
    "litres": "liter",
}
UNITS_IN = re.compile(rf"how many (?P<small>\w+) (?:are (?:there )?in|does|do|make(?: up)?) (?P<n>{reading.NUMBER}|{NAMED}) (?P<large>\w+)(?: have| last)?\??", re.I)  # fmt: skip


def _unit(word):
    word = word.lower()
    word = PLURALS.get(word, word)
    for known in (word, word.removesuffix("s"), word.removesuffix("s").replace("metre", "meter").replace("litre", "liter")):  # fmt: skip
        for group in GROUPS:
            if known in group:
                return group, known
    return None, None


def _units(found):
    group, small = _unit(found["small"])
    other, large = _unit(found["large"])
    if not group or group is not other:
        return None
    n = _amount(found["n"])
    value = n * Fraction(group[large]) / Fraction(group[small])
    return Number(value, f"{found['n']} {found['large']}", found["small"])


# --- sums -----------------------------------------------------------------------------------------

SUM = re.compile(r"(?:what is|what's|how much is|calculate|compute|work out)? ?(?P<sum>[\d(].*?)\s?=?\s?[?.]?", re.I)  # fmt: skip
PART = re.compile(rf"(?:what is|what's|how much is|calculate) (?:a|one )?\s?(?P<part>half|third|quarter|fifth|tenth) of (?P<n>{reading.NUMBER})\??", re.I)  # fmt: skip
PARTS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
WORDS = {
    r"\btimes\b|\bmultiplied by\b|×|·": "*", r"\bdivided by\b|÷|(?<=\d)\s*:\s*(?=\d)": "/", r"\bplus\b": "+", r"\bminus\b|−": "-",
    r"%\s?of\b|\bpercent of\b|\bper cent of\b": "/100*", r"\bto the power of\b|\^": "**", r"\bsquared\b": "**2", r"\bcubed\b": "**3",
}  # fmt: skip
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}  # fmt: skip


def _sum(text):
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    for words, sign in WORDS.items():
        plain = re.sub(words, sign, plain, flags=re.I)
    if not re.fullmatch(r"[\d\s.+\-*/()]+", plain) or not re.search(r"\d\s*[+\-*/]", plain):
        return None
    try:
        value = _value(ast.parse(re.sub(r"\s+", " ", plain.strip()), mode="eval").body)
    except (SyntaxError, ValueError, OverflowError):
        return None
    except ZeroDivisionError:
        raise Unclear("Nothing can be divided by 0.") from None
    one = re.fullmatch(rf"({reading.NUMBER})\s*([+\-*/])\s*({reading.NUMBER})", plain.strip())
    parts = (reading.number(one[1]), one[2], reading.number(one[3])) if one else ()
    return Number(value, re.sub(r"\s+", " ", text.strip()), parts=parts)


def _value(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, power = _value(node.left), _value(node.right)
        if power.denominator == 1 and 0 <= power <= 64 and abs(base) <= 10**6:
            return base ** int(power)
    raise ValueError("not a sum that is worked out here")


OF_TWO = re.compile(rf"(?:what is|what's|calculate|compute) the (?P<what>sum|product|difference|quotient) of (?P<a>{reading.NUMBER}) and (?P<b>{reading.NUMBER})[?.]?", re.I)  # fmt: skip
SIGNS = {"sum": "+", "product": "*", "difference": "-", "quotient": "/"}
ROOT = re.compile(rf"(?:what is|what's|calculate|compute) the square root of (?P<n>{reading.NUMBER})[?.]?", re.I)  # fmt: skip


def _root(found):
    n = reading.number(found["n"])
    if n < 0:
        raise Unclear(f"No number that is counted with here is the square root of {found['n']}.")
    exact = Fraction(math.isqrt(n.numerator), math.isqrt(n.denominator))
    value = exact if exact * exact == n else Fraction(str(round(math.sqrt(n), 9)))
    return Number(value, f"the square root of {found['n']}")


# --- counts ---------------------------------------------------------------------------------------

N = r"((?:\d{1,3}(?:,\d{3})+|-?\d+)(?:\.0+)?)"
COUNT = re.compile(
    rf"how many (?:whole |natural |positive )?(?P<what>numbers|integers|primes|prime numbers|even numbers|odd numbers) (?:from|between|are there (?:from|between)|in the range(?: from)?) {N} (?:to|and|up to|through) {N}(?: are (?P<how>.+?))?(?: are there)?\?",
    re.I,
)


BELOW = re.compile(rf"how many (?P<what>primes|prime numbers|even numbers|odd numbers) are (?:there )?(?:below|under|less than|smaller than) {N}\?", re.I)  # fmt: skip


def _below(found):
    how = found["what"].split()[0].lower().removesuffix("s")
    counted = _how_many(how, 1, integer(found[2]) - 1) if 1 < integer(found[2]) <= MOST else None
    return Count(Fraction(counted[0]), "the number of them") if counted else None


def _count(found):
    first, last = integer(found[2]), integer(found[3])
    how = found["how"]
    how = how and re.sub(r"\s+", " ", how.lower()).replace("divisible by either", "divisible by")
    kind = found["what"].split()[0].lower()
    if kind in ("prime", "primes", "even", "odd"):
        if how:
            return None
        how = kind.removesuffix("s")
    elif not how:
        return None
    if first > last:
        raise Unclear(f"From {first} to {last} there is no number: the range runs backwards.")
    if last > MOST or first < -MOST:
        raise Unclear(f"Counted here are numbers up to {MOST:,}.")
    value = _how_many(how, first, last)
    if value is None:
        return None
    exact, slip = value
    return Count(Fraction(exact), "the number of them", slip=slip)


def _how_many(how, first, last):
    """(count, what low effort makes of it or None) of the numbers that are `how`; None for another
    kind.
    """

    def multiples(a):
        return last // a - (first - 1) // a

    def whole(text):
        if not (number := integer(text)):
            raise Unclear("No number is divisible by 0.")
        return abs(number)

    if found := re.fullmatch(rf"(?:divisible by|multiples of) {N}", how):
        return multiples(whole(found[1])), None
    if found := re.fullmatch(rf"(?:divisible by|multiples of) (?:both )?{N} and(?: by)? {N}", how):
        return multiples(math.lcm(whole(found[1]), whole(found[2]))), None
    if found := re.fullmatch(rf"(?:divisible by|multiples of) {N} or(?: by)? {N}(?P<both>,? (?:but |and )?not(?: by)? both)?", how):  # fmt: skip
        a, b = whole(found[1]), whole(found[2])
        both = multiples(math.lcm(a, b))
        any_of = multiples(a) + multiples(b) - both
        return (any_of - both, any_of) if found["both"] else (any_of, None)
    if found := re.fullmatch(rf"not divisible by {N}", how):
        return last - first + 1 - multiples(whole(found[1])), None
    if how == "even":
        return multiples(2), None
    if how == "odd":
        return last - first + 1 - multiples(2), None
    if how in ("prime", "primes", "prime numbers"):
        if last > SIEVED:
            raise Unclear(f"Primes are counted here up to {SIEVED:,}.")
        return _primes(first, last), None
    if how in ("square", "squares", "perfect squares", "square numbers"):
        roots = lambda n: math.isqrt(n) + 1 if n >= 0 else 0
        return roots(last) - roots(first - 1), None
    return None


def _primes(first, last):
    sieve = bytearray([1]) * (max(last, 1) + 1)
    sieve[:2] = b"\0\0"
    for k in range(2, math.isqrt(max(last, 1)) + 1):
        if sieve[k]:
            sieve[k * k :: k] = bytes(len(range(k * k, len(sieve), k)))
    return sum(sieve[max(first, 0) :])


# --- letters --------------------------------------------------------------------------------------

QUOTED = r"[\"'“‘]?(?P<word>.+?)[\"'”’]?"
LETTERS = re.compile(
    rf"how many letters (?:are (?:there )?in|has|does) (?:the word )?{QUOTED}(?: have)?\?", re.I
)
ONE_LETTER = re.compile(rf"how many (?:times does )?(?:the )?(?:letter )?[\"'“‘]?(?P<letter>\w)[\"'”’]?(?:'?s)? (?:are (?:there )?in|appears? in|occurs? in|does) (?:the word )?{QUOTED}(?: have)?\?", re.I)  # fmt: skip
WRITE = re.compile(r"(?:please )?write (?:this|the following) (?P<how>in (?:capital letters|capitals|upper ?case(?: letters)?|small letters|lower ?case(?: letters)?|title case)|backwards|in reverse): (?P<word>.+)", re.I | re.S)  # fmt: skip
WRITE_IT = re.compile(r"(?:please )?(?:write|spell|put) [\"'“‘](?P<word>[^\"'”’]+)[\"'”’] (?P<how>in (?:capital letters|capitals|upper ?case(?: letters)?|small letters|lower ?case(?: letters)?|title case)|backwards|in reverse)[.?!]?", re.I)  # fmt: skip
LONGEST = 500


def _written(found):
    how, word = found["how"].lower(), found["word"]
    if len(word) > LONGEST:
        raise Unclear(f"A text of at most {LONGEST} characters is written in another way here.")
    if "back" in how or "reverse" in how:
        return Words(word[::-1])
    if "title" in how:
        return Words(word.title())
    return Words(word.lower() if "small" in how or "lower" in how else word.upper())


def read(text):
    """A Number or Words that a question asks for, or None. Raises Unclear where it has no
    answer.
    """
    if found := WRITE.fullmatch(text):
        return _written(found)
    if found := WRITE_IT.fullmatch(text):
        return _written(found)
    if found := OF_TWO.fullmatch(text):
        return _sum(f"{found['a']} {SIGNS[found['what'].lower()]} {found['b']}")
    if found := ROOT.fullmatch(text):
        return _root(found)
    if found := BELOW.fullmatch(text):
        return _below(found)
    if found := COUNT.fullmatch(text):
        return _count(found)
    if found := UNITS_IN.fullmatch(text):
        return _units(found)
    if found := ONE_LETTER.fullmatch(text):
        count = found["word"].casefold().count(found["letter"].casefold())
        return Number(Fraction(count), f"the number of {found['letter']} in {found['word']}")
    if found := LETTERS.fullmatch(text):
        count = sum(c.isalpha() for c in found["word"])
        return Number(Fraction(count), f"the number of letters in {found['word']}")
    if found := PART.fullmatch(text):
        n, parts = reading.number(found["n"]), Fraction(PARTS[found["part"].lower()])
        return Number(n / parts, f"a {found['part']} of {found['n']}", parts=(n, "/", parts))
    found = SUM.fullmatch(text)
    return _sum(found["sum"]) if found and len(text) < 200 else None
