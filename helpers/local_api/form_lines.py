"""The ground truth of a tax form told in words: what is wrong in its lines 11, 12 and 15, and what
is right.

Form 1040-SR: line 11 is line 9 minus line 10; line 12 the standard deduction by filing status and
boxes ticked; line 15 is line 11 minus line 12, at least 0, where line 13 is empty. Amounts in whole
dollars. Below, the same for the scanned forms, whose truth stands in data/forms.
"""

import json

from ..facts import forms, tax


def deduction(status, boxes, year=2024):
    """The standard deduction, by data/standard_deductions.csv; a status is written with blanks
    here.

    >>> deduction("single", 1)
    16550
    """
    return tax.standard_deduction(year, status.replace(" ", "_"), boxes)


def form_corrections(line_9, line_10, line_11, line_12, line_15, status, boxes, year=2024):
    """The corrections of a form, as the schema of 05_structured_outputs wants them.

    >>> [c["new_value"] for c in form_corrections(28375, 2500, 30875, 18500, 12375, "single", 1)]
    [25875, 16550, 9325]
    """
    right_11, right_12 = line_9 - line_10, deduction(status, boxes, year)
    right_15 = max(0, right_11 - right_12)
    added = " The form adds line 10 instead." if line_11 == line_9 + line_10 != right_11 else ""
    ticked = f"{boxes} box{'es' * (boxes != 1)} ticked"
    checks = (
        (
            "line 11",
            line_11,
            right_11,
            f"Line 11 is line 9 minus line 10: {line_9:,} - {line_10:,} = {right_11:,}.{added}",
        ),
        (
            "line 12",
            line_12,
            right_12,
            f"The standard deduction of {year} for {status} with {ticked} is {right_12:,}.",
        ),
        (
            "line 15",
            line_15,
            right_15,
            f"Line 15 is line 11 minus line 12, at least 0: {right_11:,} - {right_12:,} gives {right_15:,}.",
        ),
    )
    return [
        {"reason": why, "location": where, "old_value": old, "new_value": new}
        for where, old, new, why in checks
        if old != new
    ]


def corrections_json(*lines):
    """The same as the JSON text of an answer: one object with the list in it."""
    return json.dumps({"corrections": form_corrections(*lines)}, separators=(",", ":"))


def corrections_prose(*lines):
    """The same as free text, as an answer without a schema."""
    return told(form_corrections(*lines))


def told(found):
    """Corrections as free text."""
    if not found:
        return "I checked lines 11, 12 and 15 and found no mistake. A tax professional should still look at the whole form."
    said = [
        f"{i}. On {c['location']}, {c['old_value']:,} should be {c['new_value']:,}. {c['reason']}"
        for i, c in enumerate(found, 1)
    ]
    return "\n".join(
        [
            f"I found {len(found)} value{'s' * (len(found) != 1)} to correct:",
            *said,
            "Please have a professional check the form before you file it.",
        ]
    )


# --- the scanned forms of data/forms --------------------------------------------------------------


def tax_call(name):
    """The arguments with which a careful reader of a form asks for the tax on its corrected taxable
    income.

    >>> tax_call("single")
    '{"year":2024,"filing_status":"single","taxable_income":9325}'
    """
    form = forms.load(name)
    wish = {
        "year": form["year"],
        "filing_status": form["status"],
        "taxable_income": forms.corrected(form)[15],
    }
    return json.dumps(wish, separators=(",", ":"))


def review(looked_up, name):
    """The corrections of a form as the JSON text of an answer; line 16 follows the tax looked up,
    None where there was none.
    """
    form = forms.load(name)
    found = [
        (c["line"], c["old"], c["new"], c["reason"]) for c in form["corrections"] if c["line"] != 16
    ]
    if looked_up not in (None, form["written"][16]):
        why = f"For the {forms.corrected(form)[15]:,} of line 15 the tax table gives {looked_up:,}."
        found.append((16, form["written"][16], looked_up, why))
    listed = [
        {"reason": why, "location": f"line {line}", "old_value": old, "new_value": new}
        for line, old, new, why in found
    ]
    return json.dumps({"corrections": listed}, separators=(",", ":"))


FILTERS = (corrections_json, corrections_prose, tax_call, review)
