"""The tax-form assistant without a browser: its recordings derived again, its guard, its sums, its
drawing.
"""

import ast
import base64
import itertools
import json
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from helpers.facts import forms, prices
from helpers.local_api import answers
from helpers.o1 import form_review
from tests.asking import ask, value, words
from tests.facts.test_forms import right, rules, table_tax
from tests.tools import refresh

API = answers.Answers()
SHIPPED = {r.name: r for r in API.library.recordings}
BOOK = refresh.NOTEBOOKS / "1_o1" / "06_tax_form_assistant.ipynb"


def correction(location, old, new, reason="Because."):
    return SimpleNamespace(reason=reason, location=location, old_value=old, new_value=new)


def truth(name):
    """The corrections of a form from its raw lines, with no doubt."""
    written, true = forms.load(name)["written"], right(forms.load(name))
    return [
        (correction(f"line {n}", written[n], true[n]), None)
        for n in written
        if written[n] != true[n]
    ]


def items(name):
    return form_review.numbered(name, truth(name))


# --- what the recordings say ----------------------------------------------------------------------


class Reviewed:
    """Equal to the JSON of an answer that lists what is wrong on a form, line 16 as the tool said
    it (or not at all).
    """

    def __init__(self, name, looked_up=None):
        written, true = forms.load(name)["written"], right(forms.load(name))
        true[16] = written[16] if looked_up is None else looked_up
        self.right = [(f"line {n}", written[n], true[n]) for n in written if written[n] != true[n]]

    def __eq__(self, said):
        found = json.loads(said)
        assert list(found) == ["corrections"] and all(
            list(c) == ["reason", "location", "old_value", "new_value"]
            for c in found["corrections"]
        )
        return [
            (c["location"], c["old_value"], c["new_value"]) for c in found["corrections"]
        ] == self.right


def said(recording, **slots):
    """What a recording answers to its own request, with these values in it."""
    sent = json.dumps(SHIPPED[recording].sent)
    for name, v in slots.items():
        sent = sent.replace(f"{{{{ {name} }}}}", str(v))
    answer = ask(API, json.loads(sent), SHIPPED[recording].path)
    assert (answer.status, answer.recording) == (200, recording), answer.body
    return words(answer)


@pytest.mark.parametrize("shape", ["form", "today"])
@pytest.mark.parametrize("name", forms.FORMS)
def test_the_tax_is_asked_for_the_income_that_is_right(name, shape):
    form = forms.load(name)
    asked = re.fullmatch(r"tax_table\((.*)\)", said(f"o1/assistant/{shape}-{name}"))
    assert json.loads(asked[1]) == {
        "year": form["year"],
        "filing_status": form["status"],
        "taxable_income": right(form)[15],
    }


@pytest.mark.parametrize("shape", ["corrections", "today-corrections"])
@pytest.mark.parametrize("name", forms.FORMS)
def test_the_corrections_match_the_raw_lines_of_every_form(name, shape):
    form = forms.load(name)
    due = table_tax(form["year"], form["status"], right(form)[15])
    for looked_up in (due, form["written"][16], 1, 0, -7):  # the reader's tool may say anything
        assert Reviewed(name, looked_up) == said(f"o1/assistant/{shape}-{name}", tax=looked_up)
    without = shape.replace("corrections", "no-tax")
    assert Reviewed(name) == said(f"o1/assistant/{without}-{name}", error="out of reach")
    # the reasons of the other lines are held to the raw lines in test_forms
    reasons = {c["line"]: c["reason"] for c in form["corrections"]} | {
        16: f"For the {right(form)[15]:,} of line 15 the tax table gives {due:,}."
    }
    for c in json.loads(said(f"o1/assistant/{shape}-{name}", tax=due))["corrections"]:
        assert c["reason"] == reasons[int(c["location"].removeprefix("line "))]


def test_a_wrong_list_is_not_taken_for_the_right_one():
    listed = said("o1/assistant/corrections-single", tax=933)
    assert (
        Reviewed("single", 933) == listed
        and Reviewed("single", 934) != listed
        and Reviewed("three", 933) != listed
    )
    assert said("o1/assistant/corrections-correct", tax=3038) == '{"corrections":[]}'


# --- the notebook's own guard and loop ------------------------------------------------------------


def function_of_the_notebook(name, **around):
    """A function that a cell of the notebook defines, made again from its text, with the names it
    uses.
    """
    for cell in refresh.read(BOOK).cells:
        for node in ast.parse(cell.source).body if cell.cell_type == "code" else ():
            if isinstance(node, ast.FunctionDef) and node.name == name:
                exec(compile(ast.Module([node], []), name, "exec"), around)
                return around[name]
    raise AssertionError(f"no cell defines {name}")


def test_the_guard_doubts_what_cannot_be_and_nothing_else():
    doubt = function_of_the_notebook("doubt", re=re)
    written = forms.load("single")["written"]
    for location in (
        "line 37",
        "line",
        "Line 11",
        "line 11 ",
        "page 2, line 11",
        "",
        "line -11",
        "line 1e1",
    ):
        assert doubt(correction(location, 30875, 25875), written) == "the form has no such line", (
            location
        )
    assert doubt(correction("line 11", 30876, 25875), written) == "the form says 30,875 there"
    assert doubt(correction("line 11", 30875, 30875), written) == "it changes nothing"
    assert (
        doubt(correction("line 11", 30875, -1), written) == "no amount on this form is below zero"
    )
    for name in forms.FORMS:
        assert [doubt(c, forms.load(name)["written"]) for c, _ in truth(name)] == [None] * len(
            truth(name)
        )


@pytest.mark.parametrize(
    "message, reason, expected",
    [
        (
            {"refusal": "I cannot.", "content": None, "tool_calls": None},
            "stop",
            "no corrections: I cannot.",
        ),
        (
            {"refusal": None, "content": '{"corr', "tool_calls": None},
            "length",
            "no corrections: length",
        ),
        (
            {"refusal": None, "content": None, "tool_calls": ["call"]},
            "tool_calls",
            "no corrections: tool_calls",
        ),
    ],
)
def test_the_loop_ends_and_says_why_there_is_no_list(message, reason, expected):
    asked = []

    def create(**request):
        asked.append(request)
        return SimpleNamespace(
            choices=[SimpleNamespace(finish_reason=reason, message=SimpleNamespace(**message))]
        )

    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=create)))
    review = function_of_the_notebook(
        "review",
        client=client,
        with_pictures=lambda name: [],
        answer_call=lambda call: {},
        tax_table_tool={},
        response_format={},
        forms=forms,
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        review("single")
    assert len(asked) == (5 if reason == "tool_calls" else 1)


@pytest.mark.parametrize(
    "kinds, status, text, requests",
    [
        (["reasoning", "function_call"], "completed", "", 5),  # never stops calling
        (["message"], "incomplete", '{"corr', 1),
        (["message"], "completed", "", 1),  # a refusal has no text
    ],
)
def test_the_loop_of_today_ends_too(kinds, status, text, requests):
    asked = []

    def create(**request):
        asked.append(request)
        return SimpleNamespace(
            output=[SimpleNamespace(type=kind) for kind in kinds], status=status, output_text=text
        )

    client = SimpleNamespace(responses=SimpleNamespace(create=create))
    review = function_of_the_notebook(
        "review_now",
        client=client,
        with_pictures_now=lambda name: [],
        output_of=lambda item: {},
        options={},
        forms=forms,
    )
    with pytest.raises(ValueError, match="no corrections: still calling, cut off, or refused"):
        review("single")
    assert len(asked) == requests


# --- sums -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", forms.FORMS)
def test_all_accepted_it_is_the_right_form(name):
    form, all_of_them = forms.load(name), {str(i["number"]): "accepted" for i in items(name)}
    lines = form_review.lines_after(name, items(name), all_of_them)
    assert lines == right(form) and form_review.misfits(name, lines) == []
    assert form_review.worked_out(name, lines) == (lines[15], lines[16])


@pytest.mark.parametrize("name", forms.FORMS)
def test_the_sums_follow_every_choice(name):
    form, found = forms.load(name), items(name)
    for choice in itertools.product(("accepted", "rejected", None), repeat=len(found)):
        decisions = {str(i["number"]): word for i, word in zip(found, choice) if word}
        lines = form_review.lines_after(name, found, decisions)
        accepted = {i["line"] for i, word in zip(found, choice) if word == "accepted"}
        assert lines == {
            n: (right(form) if n in accepted else form["written"])[n] for n in form["written"]
        }
        income = max(0, lines[11] - lines[14])
        assert form_review.worked_out(name, lines) == (
            income,
            table_tax(form["year"], form["status"], income),
        )
        unfit = [
            int(re.match(r"Line (\d+) says ", sentence)[1])
            for sentence in form_review.misfits(name, lines)
        ]
        assert unfit == [
            n for n, rule in rules(form).items() if n != 12 and rule(lines) != lines[n]
        ]


def test_as_filed_the_sums_find_what_is_planted_but_not_the_chart():
    found = {
        name: [int(s.split()[1]) for s in form_review.misfits(name, forms.load(name)["written"])]
        for name in forms.FORMS
    }
    planted = {
        name: [c["line"] for c in forms.load(name)["corrections"] if c["planted"]]
        for name in forms.FORMS
    }
    assert found == {name: [n for n in lines if n != 12] for name, lines in planted.items()}
    assert [name for name, lines in planted.items() if 12 in lines] == [
        "single",
        "three",
    ]  # as the notebook says


def test_a_wrong_tax_is_told_in_the_order_of_a_sentence():
    lines = forms.corrected(forms.load("single")) | {16: 1253}
    assert form_review.misfits("single", lines) == [
        "Line 16 says 1,253; the tax table gives 933 for line 15."
    ]


def test_a_negative_line_is_no_crash():
    lines = forms.load("single")["written"] | {11: -5, 15: -830}
    assert form_review.worked_out("single", lines) == (0, 0)
    assert "Line 15 says -830; line 11 less line 14, at least 0, is 0." in form_review.misfits(
        "single", lines
    )


# --- what is in doubt -----------------------------------------------------------------------------


def test_what_is_in_doubt_is_listed_but_neither_marked_nor_accepted():
    reviewed = [
        (correction("line 37", 0, 5), "the form has no such line"),
        (correction("line 11", 1, 2), "the form says 30,875 there"),
        *truth("single")[1:],
    ]
    found = form_review.numbered("single", reviewed)
    assert [(i["number"], i["page"], i["doubt"]) for i in found[:3]] == [
        (1, None, "the form has no such line"),
        (2, 2, "the form says 30,875 there"),
        (3, 3, ""),
    ]
    app = form_review.App(lambda name: (reviewed, []))
    app.decisions = {"1": "accepted", "2": "accepted"}
    assert app.drawn["marks"][1] == "" and app.drawn["rows"][0][1:] == [
        "12,375",
        "12,375",
        "12,375",
    ]
    assert app.drawn["labels"][1] == "Page 2 of the form. Nothing is marked here."


def test_two_corrections_of_one_line_leave_the_second_in_doubt():
    found = form_review.numbered(
        "single", [*truth("single")[:1], (correction("line 11", 30875, 1), None)]
    )
    assert [i["doubt"] for i in found] == ["", "correction 1 is for the same line"]


def test_an_unknown_line_that_nobody_doubts_is_an_error_that_names_it():
    with pytest.raises(
        ValueError,
        match="correction 1 names 'line 37', which is no line of this form, and nobody doubts it: let the guard say why",
    ):
        form_review.numbered("single", [(correction("line 37", 0, 5), None)])
    with pytest.raises(LookupError, match="There is no form 'nobody'"):
        form_review.numbered("nobody", truth("single"))


# --- drawing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", forms.FORMS)
def test_each_mark_is_at_its_place_with_its_number(name):
    app = form_review.App(lambda form: (truth(form), []), name)
    for item in items(name):
        left, top, right_, bottom = forms.boxes()[f"{name}-{item['page']}.jpg"]["boxes"][
            f"line_{item['line']}"
        ]
        frame = re.search(
            rf'data-number="{item["number"]}"><rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"',
            app.drawn["marks"][item["page"] - 1],
        )
        x, y, wide, high = map(int, frame.groups())
        assert (
            x < left
            and y < top
            and x + wide > right_
            and y + high > bottom
            and wide - (right_ - left) < 20
        )
    assert (
        "".join(app.drawn["marks"]).count('class="mark"') == len(items(name))
        and app.drawn["marks"][0] == app.drawn["marks"][3] == ""
    )


def test_a_decision_redraws_the_page_in_shape_and_in_words():
    app = form_review.App(lambda form: (truth(form), []))
    undecided = app.drawn["marks"][1]
    app.decisions = {"1": "accepted"}
    accepted = app.drawn["marks"][1]
    assert (
        ">25,875</text>" in accepted
        and "<path" in accepted
        and "30,875 is struck out and 25,875 stands above it" in app.drawn["labels"][1]
    )
    app.decisions = {"1": "rejected"}
    assert "25,875" not in app.drawn["marks"][1] and "30,875 stays" in app.drawn["labels"][1]
    assert (
        len(
            {
                re.search('dasharray="(.*?)"', drawn)[1]
                for drawn in (undecided, accepted, app.drawn["marks"][1])
            }
        )
        == 3
    )  # not by colour alone
    assert app.drawn["rows"] == [
        ["Taxable income", "12,375", "12,375", "12,375"],
        ["Tax", "1,253", "1,253", "1,253"],
    ]


def test_ink_stands_out_from_paper():
    def light(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        return sum(
            w * (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4)
            for w, v in zip((0.2126, 0.7152, 0.0722), parts)
        )

    for ink, _ in form_review.STATES.values():
        assert 1.05 / (light(ink) + 0.05) >= 4.5


def test_the_still_twin_says_and_shows_the_same():
    shown = form_review.marked("single", truth("single"), accepted=[11])
    assert "30,875 is struck out and 25,875 stands above it" in repr(
        shown
    ) and "18,500 is marked" in repr(shown)
    markup = shown._repr_html_()
    drawn = [
        base64.b64decode(part).decode()
        for part in re.findall(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)"', markup)
    ]
    assert [d.count('class="new"') for d in drawn] == [1, 0] and all(
        d.count("<image ") == 1 and ElementTree.fromstring(d).tag.endswith("svg") for d in drawn
    )
    # an untrusted notebook would lose it, and show its numbers in a row
    assert "<svg" not in markup
    assert all(f'alt="{line}"' in markup for line in repr(shown).splitlines())
    assert repr(form_review.marked("correct", [])) == "No page is marked."


# --- the app --------------------------------------------------------------------------------------


def test_another_form_starts_anew():
    asked = []
    app = form_review.App(lambda form: (asked.append(form), (truth(form), []))[1])
    app.decisions = {"1": "accepted"}
    app.form = "widow"
    assert asked == ["single", "widow"] and app.decisions == {}
    assert [i["location"] for i in app.content["items"]] == ["line 15", "line 16"] and app.drawn[
        "rows"
    ][1] == ["Tax", "84", "84", "0"]
    app.form = "correct"
    assert app.content["items"] == [] and app.drawn["misfits"] == [] and app.problem == ""
    assert (
        list(app.names) == list(forms.FORMS)
        and repr(app) == "The tax-form assistant: run this cell to use it."
    )


def test_decisions_survive_a_change_of_form():
    app = form_review.App(lambda form: (truth(form), []))
    app.decisions = {"1": "accepted"}
    decided = app.drawn
    app.form = "widow"
    app.decisions = {"2": "rejected"}
    app.form = "single"
    assert app.decisions == {"1": "accepted"} and app.drawn == decided
    app.form = "widow"
    assert app.decisions == {"2": "rejected"}


def test_what_a_review_raises_is_said_and_the_next_form_works():
    def review(form):
        if form == "joint":
            raise ValueError("no corrections: length")
        return truth(form), []

    app = form_review.App(review)
    app.form = "joint"
    assert (
        app.problem == "ValueError: no corrections: length"
        and app.content["items"] == []
        and app.drawn == {}
        and app.decisions == {}
    )
    app.form = "three"
    assert app.problem == "" and len(app.content["items"]) == 5
    with pytest.raises(ValueError, match="no corrections"):
        form_review.App(review, "joint")  # in a cell, the cell says it
    with pytest.raises(LookupError, match="There is no form 'nobody'"):
        form_review.App(review, "nobody")


def test_the_receipt_is_that_of_its_own_requests():
    bodies = [
        value(
            ask(
                API,
                SHIPPED[n].sent
                if not SHIPPED[n].slots
                else json.loads(json.dumps(SHIPPED[n].sent).replace("{{ tax }}", "933")),
                SHIPPED[n].path,
            )
        )
        for n in ("o1/assistant/form-single", "o1/assistant/corrections-single")
    ]
    replies = [
        SimpleNamespace(model=b["model"], usage=SimpleNamespace(model_dump=lambda b=b: b["usage"]))
        for b in bodies
    ]
    app = form_review.App(lambda form: (truth(form), replies))
    usd = sum(prices.cost(b["model"], b["usage"], "2024-12-17") for b in bodies)
    given, out = (
        sum(b["usage"][k] for b in bodies) for k in ("prompt_tokens", "completion_tokens")
    )
    assert (
        usd > 0
        and app.content["receipt"]
        == f"Receipt: 2 requests, {given:,} tokens in, 2,240 hidden + {out - 2240} visible out: {usd:.4f} USD at 2024-12-17 prices, 0.00 here."
    )
    replies[0].model = "llama"
    app.form = "three"
    assert app.content["receipt"] == "2 requests; no price is known for this model."
