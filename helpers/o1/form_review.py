"""A form under review: what a model would correct, drawn on the scanned pages, to accept or to
reject.

A model's answer names a line and two amounts. Where a line stands, what is written there, and which
tax follows are known here: from data/forms and helpers.facts.tax. No model is called: the notebook
brings a function that does. form_review.js lays out the app and listens to mouse and keyboard; what
it shows is reckoned and drawn by this module.

Below, `reviewed` is a list of (correction, doubt): a correction has reason, location ("line 11"),
old_value and new_value; doubt is a text that says why it cannot be right, or None.
"""

import base64
import html
import re
from pathlib import Path

import anywidget
import traitlets

from .. import receipts
from ..common.counted import counted
from ..common.shown import Shown
from ..common.still import Still
from ..facts import forms, tax
from . import pictures

HERE = Path(__file__)
# how a mark looks: colour, line and word all say the state
STATES = {
    "undecided": ("#8A4B00", "10 6"),
    "accepted": ("#0B4FA0", ""),
    "rejected": ("#555555", "2 6"),
}


def numbered(name, reviewed):
    """The corrections of a form as dicts with number, location, line, page, old, new, reason,
    doubt.

    ValueError for one that names no line of the form and has no doubt, LookupError for an unknown
    form. Of two for one line, the second is in doubt.
    """
    items, first = [], {}
    for number, (c, doubt) in enumerate(reviewed, 1):
        named = re.fullmatch(r"line (\d+)", c.location)
        line = int(named[1]) if named and int(named[1]) in forms.load(name)["written"] else None
        if line is None and not doubt:
            raise ValueError(
                f"correction {number} names {c.location!r}, which is no line of this form, and nobody doubts it: let the guard say why."
            )
        if not doubt and first.setdefault(line, number) != number:
            doubt = f"correction {first[line]} is for the same line"
        items.append(
            {
                "number": number,
                "location": c.location,
                "line": line,
                "page": forms.PAGE_OF_LINE.get(line),
                "old": f"{c.old_value:,}",
                "new": f"{c.new_value:,}",
                "value": c.new_value,
                "reason": c.reason,
                "doubt": doubt or "",
            }
        )
    return items


# --- reckoning ------------------------------------------------------------------------------------


def lines_after(name, items, decisions):
    """{line: amount} of a form: as written, and the new value where a correction is accepted.

    decisions: {number as text: "accepted" or "rejected"}. What is in doubt is never accepted.
    """
    return forms.load(name)["written"] | {
        i["line"]: i["value"]
        for i in items
        if decisions.get(str(i["number"])) == "accepted" and not i["doubt"]
    }


def worked_out(name, lines):
    """(taxable income, tax) that follow from lines 11 and 14 as they stand, in dollars.

    >>> worked_out("single", forms.corrected(forms.load("single")))
    (9325, 933)
    """
    form = forms.load(name)
    taxable = max(0, lines[11] - lines[14])
    return taxable, tax.tax(form["year"], form["status"], taxable)


def misfits(name, lines):
    """A sentence for each of lines 11, 14, 15 and 16 that does not follow from the lines it depends
    on.

    >>> misfits("single", forms.load("single")["written"])
    ['Line 11 says 30,875; line 9 less line 10 is 25,875.']
    """
    form = forms.load(name)
    rules = {
        11: (lines[9] - lines[10], "line 9 less line 10 is {:,}"),
        14: (lines[12] + lines[13], "lines 12 and 13 add up to {:,}"),
        15: (max(0, lines[11] - lines[14]), "line 11 less line 14, at least 0, is {:,}"),
        16: (
            tax.tax(form["year"], form["status"], max(0, lines[15])),
            "the tax table gives {:,} for line 15",
        ),
    }
    return [
        f"Line {line} says {lines[line]:,}; {why.format(right)}."
        for line, (right, why) in rules.items()
        if lines[line] != right
    ]


# --- drawing --------------------------------------------------------------------------------------


def _state(item, decisions):
    return decisions.get(str(item["number"]), "undecided")


def _marks(name, page, items, decisions):
    """The marks of a page as SVG, in pixels of its picture: a frame and a number; once accepted,
    old struck out and new above.
    """
    place, drawn = forms.boxes()[f"{name}-{page}.jpg"]["boxes"], []
    for item in (i for i in items if i["page"] == page and not i["doubt"]):
        left, top, right, bottom = place[f"line_{item['line']}"]
        state = _state(item, decisions)
        ink, dashes = STATES[state]
        drawn.append(
            f'<g class="mark" data-number="{item["number"]}"><rect x="{left - 6}" y="{top - 6}" width="{right - left + 12}" height="{bottom - top + 12}" '
            f'rx="6" fill="{ink}" fill-opacity=".12" stroke="{ink}" stroke-width="4" stroke-dasharray="{dashes}"/>'
            f'<circle cx="{left - 26}" cy="{(top + bottom) / 2}" r="17" fill="{ink}"/>'
            f'<text x="{left - 26}" y="{(top + bottom) / 2 + 8}" fill="#FFFFFF" font-size="24" font-weight="bold" text-anchor="middle">{item["number"]}</text>'
        )
        if state == "accepted":
            wide = 17 * len(item["new"])  # the same in any font
            drawn.append(
                f'<path d="M{left - 2} {(top + bottom) / 2}H{right + 2}" stroke="{ink}" stroke-width="4"/>'
                f'<rect x="{right - 8 - wide}" y="{top - 45}" width="{wide + 16}" height="36" rx="5" fill="#FFFFFF" stroke="{ink}" stroke-width="2"/>'
                f'<text class="new" x="{right - wide}" y="{top - 16}" textLength="{wide}" lengthAdjust="spacingAndGlyphs" fill="{ink}" font-size="30" font-style="italic" font-weight="bold">{item["new"]}</text>'
            )
        drawn.append("</g>")
    return "".join(drawn)


def _label(page, items, decisions):
    """What a page shows, in words."""
    words = {
        "undecided": "{old} is marked",
        "accepted": "{old} is struck out and {new} stands above it",
        "rejected": "{old} stays",
    }
    said = [
        f"On line {i['line']}, mark {i['number']}: {words[_state(i, decisions)].format(**i)}."
        for i in items
        if i["page"] == page and not i["doubt"]
    ]
    return " ".join([f"Page {page} of the form.", *(said or ["Nothing is marked here."])])


def marked(name, reviewed, accepted=()):
    """The pages of a form that carry marks, small and side by side, as a Shown; `accepted`: the
    lines whose correction is accepted.

    The still twin of the app. ValueError as numbered().
    """
    items = numbered(name, reviewed)
    odd = sorted(set(accepted) - {i["line"] for i in items})
    if odd:
        lines = ", ".join(str(i["line"]) for i in items) or "none"
        raise ValueError(f"There is no correction of line {odd[0]} to accept; there are those of {lines}.")  # fmt: skip
    decisions = {str(i["number"]): "accepted" for i in items if i["line"] in accepted}
    said, shown = [], []
    for page in sorted({i["page"] for i in items if not i["doubt"]}):
        words = _label(page, items, decisions)
        file = forms.page(name, page)
        width, height = forms.boxes()[file.name]["size"]
        small = pictures.data_url((forms.FOLDER / "small" / file.name).read_bytes())
        said.append(words)
        drawing = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
            f'<image href="{small}" width="{width}" height="{height}"/>{_marks(name, page, items, decisions)}</svg>'
        )
        # a picture, for JupyterLab takes SVG itself out of a notebook that is not trusted yet, and
        # leaves its numbers in a row
        url = "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()
        shown.append(
            f'<img alt="{html.escape(words)}" src="{url}" width="400" style="{pictures.FRAME};max-width:100%">'
        )
    text = "\n".join(said) or "No page is marked."
    return Shown(
        text,
        f'<div style="display:flex;flex-wrap:wrap;gap:10px;align-items:flex-start">{"".join(shown) or text}</div>',
    )


# --- the app --------------------------------------------------------------------------------------


class App(Still, anywidget.AnyWidget):
    """Pages beside corrections: choose a form, accept or reject, and see form, taxable income and
    tax follow.

    review: a function that takes a form's name and returns (reviewed, answers), where answers are
    the SDK's answers that it took. It is called once now, for `name`, and again for each form that
    is chosen; what it raises then is said in the app.
    """

    _esm = HERE.with_suffix(".js")
    _css = HERE.with_suffix(".css")
    names = traitlets.Dict().tag(sync=True)  # {form: what the chooser shows}
    form = traitlets.Unicode().tag(sync=True)
    content = traitlets.Dict().tag(sync=True)  # pages, items, receipt of the form
    decisions = traitlets.Dict().tag(sync=True)  # {number: accepted or rejected}
    drawn = traitlets.Dict().tag(sync=True)  # what follows from the decisions
    problem = traitlets.Unicode().tag(sync=True)

    def __init__(self, review, name="single"):
        self._review = review
        self._decided = {}  # {form: its decisions}, for who comes back to it
        names = {
            n: f"{n}: {(form := forms.load(n))['person']}, {form['year']}, {forms.STATUS[form['status']]}"
            for n in forms.FORMS
        }
        super().__init__(names=names, form=name)
        self._open(name)
        self.observe(self._chosen, "form")
        self.observe(self._decide, "decisions")

    def __repr__(self):
        return "The tax-form assistant: run this cell to use it."

    def still(self):
        return marked(self.form, self._reviewed)._repr_html_()

    def _decide(self, change):
        if not self.problem:
            self._decided[self.content["name"]] = change["new"]
        self._draw()

    def _chosen(self, change):
        try:
            self._open(change["new"])
        except (
            Exception
        ) as error:  # a callback's traceback is shown nowhere: say it where the reader looks
            said = getattr(error, "body", None)
            said = said["message"] if isinstance(said, dict) and "message" in said else str(error)
            with self.hold_sync():
                self.problem = f"{type(error).__name__}: {said}"
                self.content, self.decisions = self._content(change["new"], [], ""), {}
                self.drawn = {}

    def _open(self, name):
        reviewed, answers = self._review(name)
        self._reviewed = reviewed
        with self.hold_sync():
            self.problem = ""
            self.content, self.decisions = (
                self._content(name, numbered(name, reviewed), _cost(answers)),
                self._decided.get(name, {}),
            )
            self._draw()

    def _content(self, name, items, cost):
        pages = [forms.page(name, n) for n in (1, 2, 3, 4)]
        return {
            "name": name,
            "items": items,
            "receipt": cost,
            "pages": [
                {"url": pictures.data_url(p.read_bytes()), "size": forms.boxes()[p.name]["size"]}
                for p in pages
            ],
        }

    def _draw(self):
        name, items = self.content["name"], self.content["items"]
        lines = lines_after(name, items, self.decisions)
        taxable, due = worked_out(name, lines)
        was = forms.load(name)["written"]
        self.drawn = {
            "marks": [_marks(name, page, items, self.decisions) for page in (1, 2, 3, 4)],
            "labels": [_label(page, items, self.decisions) for page in (1, 2, 3, 4)],
            "rows": [
                ["Taxable income", f"{was[15]:,}", f"{lines[15]:,}", f"{taxable:,}"],
                ["Tax", f"{was[16]:,}", f"{lines[16]:,}", f"{due:,}"],
            ],
            "misfits": misfits(name, lines),
        }


def _cost(answers):
    """What a review took, in a line."""
    try:
        bill = receipts.receipt_of(answers)
    except LookupError:
        return f"{counted(len(answers), 'request')}; no price is known for this model."
    given, hidden, out = (sum(row[k] for row in bill.rows) for k in ("input", "hidden", "output"))
    days = ", ".join(sorted({row["on"] for row in bill.rows}))
    return f"Receipt: {counted(len(answers), 'request')}, {given:,} tokens in, {hidden:,} hidden + {out - hidden:,} visible out: {bill.total:.4f} USD at {days} prices, 0.00 here."
