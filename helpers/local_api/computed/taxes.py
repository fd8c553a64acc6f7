"""Questions on the federal income tax: what is known in them, which tool is asked for next, and
what is said at the end.
"""

import re
from dataclasses import dataclass, field, replace

from ...facts import ground_truth, tax
from . import reading
from .reading import Unclear

ASKS = {
    "tax": r"(?:what is|what's|what will be|tell me|how much is|how high is|compute|calculate|look up|please (?:tell me|compute|calculate)) (?:is )?(?:my|the) (?:federal )?(?:income )?tax|how much (?:federal )?(?:income )?tax (?:do|must|will) i (?:owe|pay|have to pay)|what (?:do|must|will) i (?:owe|pay)",
    "deduction": r"(?:what is|what's|tell me|how much is|how high is) my standard deduction",
}
PAIR = re.compile(rf"(?:{ASKS['tax']}) as (?P<list>.+)", re.I)
STATUS_WORDS = rf"(?:{reading.STATUS})"
CLAUSES = {
    "year": r"(?:for |in )?(?:the )?(?:tax )?year(?: of)? (?P<v>\S+)|(?:in|for) (?P<v2>\d{4})",
    "status": r"(?:my )?filing status(?: is|:)? (?P<v>.+)|(?:i am|i'm|filing as) (?P<v2>.+)",
    "income": rf"(?:(?:my|with|and|a) )*taxable income(?: is| of|:)? (?P<v>{reading.MONEY})",
    "boxes": r"(?P<v>no|\d+|one|two|three|four) box(?:es)? ticked",
    "agi": rf"(?:(?:my|with|and|an) )*adjusted gross income(?: is| of|:)? (?P<v>{reading.MONEY})",
}
I_AM = re.compile(rf"i(?: am|'m) (?P<status>{STATUS_WORDS}) and my taxable income in (?P<year>\d{{4}}) is (?P<income>{reading.MONEY})", re.I)  # fmt: skip
COUNTS = {"no": 0, "one": 1, "two": 2, "three": 3, "four": 4}
AND = re.compile(rf"(?:and |what about |how about |and what about )(?:for |as |with |in )?(?:(?P<status>{STATUS_WORDS})|(?P<year>\d{{4}})|(?P<income>{reading.MONEY}))\??", re.I)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question on the tax. statuses: more than one where several taxes are asked for; agi: before
    the deduction.
    """

    ask: str
    year: int
    statuses: tuple
    income: object = None
    boxes: int | None = None
    agi: object = None
    results: tuple = field(default=())  # what tools have said, in order

    def facts(self, n=0):
        known = {"year": self.year, "filing_status": self.statuses[n]}
        if self.income is not None:
            known["taxable_income"] = self.income
        if self.boxes is not None:
            known["boxes"] = self.boxes
        return known

    def also(self, other):
        return replace(self, **{k: v for k, v in other.items() if v is not None}, results=())

    @property
    def wants(self):
        """The argument by which the tool that is needed next is known: one for each call."""
        if self.ask == "deduction" or self.agi is not None and self.income is None:
            return ["boxes"]
        return ["taxable_income"] * len(self.statuses)

    def heard(self, results):
        """The question with what tools have answered; from gross income, the first is the
        deduction.
        """
        if self.agi is not None and self.income is None and results:
            first = results[0].amount
            if first is None:
                return replace(self, results=tuple(results))
            return replace(self, income=max(self.agi - first, 0), results=tuple(results))
        return replace(self, results=tuple(results))

    def done(self):
        """Whether the tools have answered all, or one has failed."""
        needed = (self.agi is not None) + len(self.statuses) if self.ask == "tax" else 1
        return len(self.results) >= needed or any(r.error for r in self.results)

    def after_tools(self):
        failed = next((r for r in self.results if r.error), None)
        what = "tax" if self.ask == "tax" and not (self.agi is not None and len(self.results) == 1) else "standard deduction"  # fmt: skip
        if failed:
            return f"I could not get your {what}. The tool said: {failed.error}\nWhat shall I ask it instead?"
        odd = next((r for r in self.results if r.amount is None), None)
        if odd:
            said = f"the tool returned: {odd.words}" if odd.words else "the tool returned nothing"
            return f"Asked for your {what} for {self.year}, {said}"
        money = ground_truth.dollars
        amounts = [reading.plain(r.amount) for r in self.results]
        if self.ask == "deduction":
            return f"Your standard deduction for {self.year} is {money(amounts[0])}."
        if self.agi is not None:
            return (
                f"Your standard deduction is {money(amounts[0], '')} dollars, your taxable income {money(reading.plain(self.income), '')} dollars, "
                f"and your federal income tax for {self.year} is {money(amounts[1], '')} dollars."
            )
        if len(self.statuses) > 1:
            parts = [f"as {s.replace('_', ' ')} {money(a, '')} dollars" for s, a in zip(self.statuses, amounts)]  # fmt: skip
            said = ", ".join(parts)
            return said[0].upper() + said[1:] + "."
        return f"Your federal income tax for {self.year} is {money(amounts[-1])}."

    def say(self, rule):
        """Without a tool: by the rate schedule, which the printed table rounds."""
        if rule.given:
            raise Unclear("A tax is told here in English prose; no other form of it was written.")
        self._known_year()
        if self.ask == "deduction":
            try:
                found = tax.standard_deduction(self.year, self.statuses[0], self.boxes)
            except ValueError as e:
                raise Unclear(str(e)) from None
            return f"Your standard deduction for {self.year} is {ground_truth.dollars(found)}."
        if self.income is None:
            taken = tax.standard_deduction(self.year, self.statuses[0], self.boxes or 0)
            return replace(self, income=max(self.agi - taken, 0), agi=None).say(rule)
        amounts = [tax.schedule(self.year, s, _decimal(self.income)) for s in self.statuses]
        if len(amounts) == 1:
            return ground_truth.dollars(amounts[0])
        parts = [f"as {s.replace('_', ' ')} {ground_truth.dollars(a)}" for s, a in zip(self.statuses, amounts)]  # fmt: skip
        said = ", ".join(parts)
        return said[0].upper() + said[1:] + "."

    def _known_year(self):
        if self.year not in tax.years():
            raise Unclear(f"The tables here are those of {' and '.join(map(str, tax.years()))}, not of {self.year}.")  # fmt: skip

    def fields(self, rule):
        return {**self.facts(), "answer": self.say(rule), "text": self.say(rule)}


@dataclass(frozen=True)
class Incomplete:
    """A question that lacks what a tax depends on: who is asked so asks back, and calls nothing."""

    lacks: tuple

    def say(self, rule):
        if rule.given:
            raise Unclear(
                "A question back is told here in English prose; no other form of it was written."
            )
        listed = " and ".join(
            [", ".join(self.lacks[:-1]), self.lacks[-1]] if self.lacks[1:] else self.lacks
        )
        return (
            f"To tell you that I need {listed}. What are they?"
            if self.lacks[1:]
            else f"To tell you that I need {listed}. What is it?"
        )

    def fields(self, rule):
        return {"answer": self.say(rule), "text": self.say(rule)}


def _decimal(value):
    from decimal import Decimal

    return Decimal(value.numerator) / Decimal(value.denominator)


def read(text):
    """The Question of a text, or None. Raises Unclear for a status or an amount that cannot be."""
    body = text.strip().rstrip("?.")
    found = I_AM.match(body)
    if found:
        ask = _ask(body[found.end() :].lstrip(":,.; "))
        if not ask:
            return None
        return _question(ask, {"status": found["status"], "year": found["year"], "income": found["income"]}, None)  # fmt: skip
    known, ask, several = {}, None, None
    # the amounts have commas of their own: a clause ends at a comma that no digit follows at once
    for clause in re.split(r"[:;]\s*|,\s*(?!\d{3}\b)(?=\D|\d)|(?<=\D)\.\s+", body):
        clause = clause.strip()
        if not clause:
            continue
        if several and re.match(r"(?:and )?(?:what )?(?:as )", clause):
            several += [clause]
            continue
        pair = PAIR.fullmatch(clause)
        if pair:
            ask, several = "tax", [pair["list"]]
            continue
        this = _ask(clause)
        if this:
            ask = this
            continue
        for name, words in CLAUSES.items():
            hit = re.fullmatch(words, clause, re.I)
            if hit and name not in known:
                known[name] = hit.groupdict().get("v") or hit.groupdict().get("v2")
                break
        else:
            return None
    return _question(ask, known, several) if ask else None


def _ask(clause):
    return next((name for name, words in ASKS.items() if re.fullmatch(words, clause.rstrip("?."), re.I)), None)  # fmt: skip


def _question(ask, known, several):
    needed = {"year": "the tax year", "status": "your filing status"}
    lacks = [
        words
        for name, words in needed.items()
        if name not in known and not (several and name == "status")
    ]
    if ask == "tax" and not {"income", "agi"} & set(known):
        lacks.append("your taxable income")
    if lacks:
        return Incomplete(tuple(lacks))
    if not re.fullmatch(r"\d{4}", known["year"]):
        raise Unclear(f"A tax year is written as 2024, not {known['year']}.")
    if several:
        words = re.split(r"(?:, *| +)(?:and +)?(?:what +)?as +| +and +|, +", ", ".join(several))
        statuses = [_status(w) for w in words if w.strip()]
    else:
        statuses = [_status(known["status"])]
    made = Question(ask, int(known["year"]), tuple(statuses))
    if "income" in known:
        income = reading.money(known["income"])
        if income < 0:
            raise Unclear("A taxable income is at least 0: where the deduction is larger than the income, it is 0.")  # fmt: skip
        made = replace(made, income=income)
    if "agi" in known:
        made = replace(made, agi=reading.money(known["agi"]))
    if "boxes" in known:
        made = replace(made, boxes=COUNTS.get(known["boxes"].lower(), None))
        if made.boxes is None:
            made = replace(made, boxes=int(known["boxes"]))
    if made.agi is not None and made.boxes is None:
        made = replace(made, boxes=0)
    if ask == "deduction" and made.boxes is None:
        made = replace(made, boxes=0)
    return made


def _status(words):
    found = reading.status(words)
    if not found:
        raise Unclear(
            f"{words.strip()!r} is no filing status; there are single, married filing jointly, married filing separately, "
            "head of household and qualifying surviving spouse."
        )
    return found


def follow_up(text):
    """{what a follow-up changes: its value}, or None."""
    found = AND.fullmatch(text.strip())
    if not found:
        return None
    if found["status"]:
        return {"statuses": (reading.status(found["status"]),)}
    if found["year"]:
        return {"year": int(found["year"])}
    return {"income": reading.money(found["income"])}
