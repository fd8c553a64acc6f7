"""Questions on pages of our forms and on our shafts: any pages, in any order, at any detail. Truth:
data/forms.
"""

import re
from dataclasses import dataclass

from ...facts import forms
from .reading import Unclear
from .results import Result

NOTHING = Result(None, "", "")

FORM = r"(?:this|the|my|her|rosa's) form"
KINDS = {
    "mistakes": rf"(?:which|what) (?:mistakes|errors) (?:are|do you see|can you find|did you find) (?:on|in) {FORM}\?|what is wrong (?:on|with|in) {FORM}\?|are there (?:any )?(?:mistakes|errors) (?:on|in) {FORM}\?|(?:please )?(?:find|list|name|check for) (?:the|all|all the|any) (?:mistakes|errors) (?:on|in) {FORM}[.!]?|how many (?:mistakes|errors) are (?:on|in) {FORM}\?|(?:please )?check {FORM}[.!]?|is {FORM} (?:right|correct)\?",
    "part": r"(?:is|are) (?:this part|these parts|the part|it) (?:within|in) tolerance\?|which features? (?:is|are) (?:not within|out of) tolerance\?|(?:please )?(?:check|inspect) (?:this|the|these) parts?[.!]?",
    "status": rf"(?:what|which) (?:is )?(?:the |her )?filing status(?: (?:is|was))?(?: ticked| checked| chosen| marked)?(?: (?:on|in) {FORM}| on page 1)?\?",
}
TAILS = r"(?: name (?:the )?(?:page, line and amount|each feature that is not)\.)?(?: name page, line and amount\.)?"
NAMES = {  # of lines, as the form has them
    9: "total income",
    10: "adjustments(?: to income)?",
    11: "adjusted gross income",
    12: "(?:standard )?deduction",
    15: "taxable income",
    16: "tax",
}
NAME = "|".join(f"(?P<n{line}>{words})" for line, words in NAMES.items())
NAMED = re.compile(rf"(?:what|how (?:much|high|large)) (?:is|are) (?:the|her) (?:{NAME}) (?:on line (?P<line>\d+)(?: of {FORM})?|on {FORM})\?", re.I)  # fmt: skip
LINE = re.compile(rf"what (?:is|stands|does it say) (?:written )?(?:on|in) line (\d+)(?: of {FORM})?\?|what does line (\d+) say\?", re.I)  # fmt: skip
ASSISTANT = re.compile(
    r"(?:(?:please )?check (?:this|the) form\. )?ask the tool for the tax on the taxable income as it should be\. (?:then |and )?(?:please )?list each value that must be corrected(?:, with its location)?(?:, such as: line 9)?\.",
    re.I,
)
LOW = "I see {n} of a form with amounts written by hand, but at this size I cannot read the small print: not which line an amount belongs to. I do not want to guess. Please send the pages with high detail."


@dataclass(frozen=True)
class Pages:
    """What is asked of some pages. forms: {name: the pages of it that were sent}."""

    kind: str
    pages: tuple  # names such as single-2, shaft-a
    low: bool = False
    line: int = 0
    results: tuple = ()

    @property
    def forms(self):
        found = {}
        for page in dict.fromkeys(self.pages):
            name, _, number = page.rpartition("-")
            found.setdefault(name, []).append(int(number))
        return found

    def say(self, rule):
        if rule.given:
            raise Unclear("What is on a page is told here in English prose.")
        if self.kind == "part":
            return self._shafts()
        if any(page in forms.SHAFTS for page in self.pages):
            raise Unclear(f"Among the pictures is {next(p for p in self.pages if p in forms.SHAFTS)}, a drawing, and no page of a form.")  # fmt: skip
        if self.low:
            number = len(self.pages)
            return LOW.format(n=f"{number} pages" if number > 1 else "one page")
        named = self.forms
        whole = [name for name, sent in named.items() if len(sent) == 4]
        if len(named) > 1 and len(whole) < len(named):
            raise Unclear(f"The pages are of several forms, {' and '.join(named)}: what a mixture means nobody wrote down here.")  # fmt: skip
        if len(named) > 1:
            said = [f"The form {name}: {self._form(name, (1, 2, 3, 4))}" for name in named]
            return f"I see {['no', 'one', 'two', 'three', 'four', 'five'][len(named)]} forms.\n" + "\n".join(said)  # fmt: skip
        (name, sent), *_ = named.items()
        return self._form(name, tuple(sorted(sent)))

    def _form(self, name, sent):
        form = forms.load(name)
        if self.kind == "status":
            if 1 not in sent:
                raise Unclear("The filing status stands on page 1, which is not among the pictures.")  # fmt: skip
            return f"The filing status on page 1 is {forms.STATUS[form['status']]}."
        if self.kind == "line":
            if self.line not in forms.PAGE_OF_LINE:
                raise Unclear(f"Line {self.line} is not on these pages, which have lines 9 to 16.")
            if forms.PAGE_OF_LINE[self.line] not in sent:
                raise Unclear(f"Line {self.line} stands on page {forms.PAGE_OF_LINE[self.line]}, which is not among the pictures.")  # fmt: skip
            return f"Line {self.line} says {form['written'][self.line]:,}."
        return forms.findings_of(name, sent)

    def _shafts(self):
        odd = [p for p in self.pages if p not in forms.SHAFTS]
        if odd:
            raise Unclear(f"Asked is whether a part is within tolerance; {odd[0]} is a page of a form.")  # fmt: skip
        if self.low:
            raise Unclear("A drawing at low detail: what can be read of it then nobody wrote down here.")  # fmt: skip
        pages = list(dict.fromkeys(self.pages))
        if len(pages) == 1:
            return forms.inspection(pages[0])
        return "\n".join(f"{p}: {forms.inspection(p)}" for p in pages)

    # --- with a tool, in 06_tax_form_assistant

    def whole(self):
        """The name of the one form whose four pages were sent. Unclear where it is not so, or
        cannot be read.
        """
        if self.low:
            raise Unclear("At low detail the pages cannot be read: send them with detail high.")
        named = self.forms
        if len(named) != 1 or sorted(next(iter(named.values()))) != [1, 2, 3, 4]:
            raise Unclear("The pages are not the four of one form, and no answer here says which are missing or mixed up.")  # fmt: skip
        return next(iter(named))

    @property
    def wants(self):
        return ["taxable_income"]

    def facts(self, n=0):
        form = forms.load(self.whole())
        return {"year": form["year"], "filing_status": form["status"], "taxable_income": forms.corrected(form)[15]}  # fmt: skip

    def heard(self, found):
        return Pages(self.kind, self.pages, self.low, self.line, tuple(found))

    def done(self):
        return bool(self.results)

    def after_tools(self):
        first = self.results[0]
        if first.amount is None and not first.error and first.words:
            raise Unclear(f"The tool returned {first.words!r}, from which no whole number of dollars can be read for line 16.")  # fmt: skip
        found = self.corrections(first)
        said = [f"{c['location'].capitalize()}: {c['old_value']:,} should be {c['new_value']:,}. {c['reason']}" for c in found]  # fmt: skip
        return "\n".join(said) if said else "I found no mistake."

    def corrections(self, result=NOTHING):
        form = forms.load(self.whole())
        found = [
            {"reason": c["reason"], "location": f"line {c['line']}", "old_value": c["old"], "new_value": c["new"]}
            for c in form["corrections"]
            if c["line"] != 16
        ]  # fmt: skip
        if result.amount is not None:
            if result.amount.denominator != 1:
                raise Unclear(f"The tool returned {float(result.amount)}: line 16 of these forms is in whole dollars.")  # fmt: skip
            if result.amount != form["written"][16]:
                why = f"For the {forms.corrected(form)[15]:,} of line 15 the tax table gives {int(result.amount):,}."
                found.append({"reason": why, "location": "line 16", "old_value": form["written"][16], "new_value": int(result.amount)})  # fmt: skip
        return found

    def fields(self, rule):
        first = self.results[0] if self.results else NOTHING
        if first.amount is None and not first.error and first.words:
            raise Unclear(f"The tool returned {first.words!r}, from which no whole number of dollars can be read for line 16.")  # fmt: skip
        found = self.corrections(first)
        for c in found:
            line = int(c["location"].split()[1])
            c |= {"line": line, "page": forms.PAGE_OF_LINE[line], "difference": c["new_value"] - c["old_value"],
                  "text": f"{c['location']}: {c['old_value']:,} should be {c['new_value']:,}"}  # fmt: skip
        form = forms.load(self.whole())
        return {"corrections": found, "count": len(found), "has_mistakes": bool(found), "year": form["year"],
                "filing_status": form["status"], "taxable_income": forms.corrected(form)[15]}  # fmt: skip


def read(text, pages, low):
    """The Pages that a question with pictures asks about, or None. pages: names, None for a picture
    that is not ours.
    """
    if ASSISTANT.fullmatch(text):
        kind, line = "assistant", 0
    elif found := LINE.fullmatch(text):
        kind, line = "line", int(found[1] or found[2])
    elif found := NAMED.fullmatch(text):
        kind, line = "line", next(line for line in NAMES if found[f"n{line}"])
        if int(found["line"] or line) != line:
            raise Unclear(f"The {found[f'n{line}']} stands on line {line}, not on line {found['line']}.")  # fmt: skip
    else:
        line = 0
        kind = next((k for k, words in KINDS.items() if re.fullmatch(rf"(?:{words}){TAILS}", text, re.I)), None)  # fmt: skip
    if not kind:
        return None
    if not pages:
        raise Unclear("No picture was sent.")
    if None in pages:
        raise Unclear(
            f"Picture {pages.index(None) + 1} of {len(pages)} is none of our pages: what stands on it only a model can read."
        )
    return Pages(kind, tuple(pages), low, line)
