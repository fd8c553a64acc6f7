"""The exercises of notebooks/1_o1/06_tax_form_assistant."""

from .. import forms
from . import exercise, judge


def _omar(*accepted):
    from .. import form_review  # which loads the widgets: not for every check of every notebook

    form = forms.load("three")
    return form_review.worked_out(
        "three", form["written"] | {line: forms.corrected(form)[line] for line in accepted}
    )


@exercise(
    "assistant-1",
    hint="Lines 12 and 14 take their new values, line 11 keeps the old one: then worked_out().",
)
def two_of_five(answer):
    if tuple(answer) == _omar(12, 14):
        return None
    if tuple(answer) == _omar(11, 12, 14):
        return "that is with line 11 accepted, too."
    if tuple(answer) == _omar():
        return "that is the form as filed."
    taxable, due = answer
    if taxable == _omar(12, 14)[0]:
        return f"the taxable income is right; the tax on it is not {due}."
    return f"the taxable income is line 11 as he wrote it, less the new line 14, and not {taxable}."


@exercise(
    "assistant-2",
    hint="What holds for every form of this kind a schema can say; what holds for this form a program can check.",
)
def who_catches(answer):
    right = {
        "place": "schema",
        "old": "program",
        "sum": "program",
        "income": "person",
        "status": "person",
    }
    why = {
        "place": "a list of allowed values in the schema makes that answer impossible",
        "old": "the amounts are typed in, and code compares them; a schema does not know this form",
        "sum": "a schema cannot add, and a person need not: two typed-in lines are added by code",
        "income": "what is on no page, neither schema nor program can miss",
        "status": "the page is filled in without a fault; what happened in May, a person must be asked",
    }
    return judge(answer, right, ("schema", "program", "person"), why)
