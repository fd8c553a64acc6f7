"""The tax-form assistant used from start to end, by keyboard and by mouse, in a real JupyterLab."""

import re

import nbformat
import pytest

from helpers.facts import forms
from tests import lab
from tests.conftest import needs
from tests.facts.test_forms import right, table_tax
from tests.notebooks.test_browser import FAINT, NAMELESS
from tests.tools import refresh

pytestmark = needs("chromium")
BOOK = "1_o1/06_tax_form_assistant.ipynb"
LONGER = "1_o1/assistant_and_another.ipynb"
# a second app, to which the answers come as a poor model would give them
SLIPPING = """
def slipping(name):
    if name == "joint":
        client.chat.completions.create(model="o9", messages=messages)
    if name == "widow":
        client.chat.completions.create(model="o1", messages=[{"role": "user", "content": "Sing."}])
    reviewed, answers = review(name)
    bad = [Correction(**slip | {"reason": "<img src=x onerror=alert(1)>"}) for slip in slips[:2]]
    return reviewed[:1] + [(c, doubt(c, forms.load(name)["written"])) for c in bad], answers

form_review.App(slipping)
"""


@pytest.fixture(scope="module")
def tab(jupyter):
    """The notebook, with the second app behind it, run from top to bottom."""
    nb = refresh.read(lab.NOTEBOOKS / BOOK)
    nb.cells.append(nbformat.v4.new_code_cell(SLIPPING))
    nbformat.write(nb, jupyter.notebooks / LONGER)
    with lab.tab(jupyter) as opened:
        opened.open(LONGER)
        opened.twin = opened.page.locator("img[alt*='is struck out']").evaluate_all(
            "all => all.map(e => e.complete && e.naturalWidth)"
        )
        opened.run()
        yield opened


@pytest.fixture
def app(tab):
    return tab.page.locator(".form-review").first


@pytest.fixture
def poor(tab):
    return tab.page.locator(".form-review").last


def shown(app):
    """{row: [as filed, corrected form, worked out]} of the sums."""
    return {
        row.locator("th").inner_text(): [
            int(a.replace(",", "")) for a in row.locator("td").all_inner_texts()
        ]
        for row in app.locator("tbody tr").all()
    }


def until(app, test, arg=None):
    """Wait until a function of the app's element and `arg` is true."""
    app.page.wait_for_function(
        f"([app, arg]) => ({test})(app, arg)", arg=[app.element_handle(), arg], timeout=lab.LONG
    )


def chosen(app, name):
    until(
        app,
        "(app, words) => !app.hasAttribute('aria-busy') && app.querySelector('svg image').href.baseVal && "
        "app.querySelector('select').selectedOptions[0].textContent.startsWith(words)",
        f"{name}:",
    )
    until(
        app,
        "(app, count) => app.querySelectorAll('.card').length === count",
        len(forms.load(name)["corrections"]),
    )


def focused(app):
    """The element that has the keyboard, as {tag, text, visible outline}, where it is in the
    app.
    """
    return app.evaluate("""app => {
      const e = document.activeElement, style = getComputedStyle(e);
      return app.contains(e) && {tag: e.tagName, text: e.getAttribute('aria-label') || e.textContent, outline: style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2};
    }""")


def worked_out(name, *accepted):
    form = forms.load(name)
    lines = form["written"] | {n: right(form)[n] for n in accepted}
    income = max(0, lines[11] - lines[14])
    return income, table_tax(form["year"], form["status"], income)


def said_tax(app, income, tax):
    until(
        app,
        "(app, words) => app.querySelector('[role=status]').textContent.endsWith(words)",
        f"Worked out: taxable income {income:,}, tax {tax:,}.",
    )


def test_a_fresh_clone_shows_the_marked_pages(tab):
    """A notebook that is not trusted yet shows no app, and loses SVG that stands in its HTML."""
    assert tab.twin == [1000, 1000]


def test_from_start_to_end_by_keyboard(tab, app):
    keys, form, true = tab.page.keyboard, forms.load("joint"), right(forms.load("joint"))
    cells = len(tab.cells())
    chooser = app.locator("select")
    chooser.scroll_into_view_if_needed()
    chooser.focus()
    keys.press("ArrowDown")  # single, joint
    chosen(app, "joint")
    assert shown(app) == {
        "Taxable income": [form["written"][15]] * 3,
        "Tax": [form["written"][16]] * 3,
    }
    assert focused(app)["tag"] == "SELECT"
    for n in (1, 2, 3, 4):  # the focus goes through the pages to the corrections, and is seen
        keys.press("Tab")
        assert focused(app)["text"].startswith(f"Page {n}") and focused(app)["outline"]
    keys.press("Tab")
    first = focused(app)
    assert first["outline"] and re.fullmatch(
        r"Correction 1 of 3, line 14: 33,850 becomes 34,262\. Line 14 is .* undecided\.",
        first["text"],
    )
    keys.press("a")
    said_tax(app, *worked_out("joint", 14))
    assert shown(app) == {
        "Taxable income": [form["written"][15]] * 2 + [true[15]],
        "Tax": [form["written"][16]] * 2 + [true[16]],
    }
    assert app.locator("svg text.new").all_text_contents() == ["34,262"]
    assert "33,850 is struck out and 34,262 stands above it" in app.locator("svg").get_attribute(
        "aria-label"
    )
    # the keyboard stays where it was
    assert focused(app)["text"].endswith("accepted.") and focused(app)["outline"]
    keys.press("ArrowDown")
    assert focused(app)["text"].startswith("Correction 2 of 3")
    keys.press("r")
    until(app, "app => app.querySelectorAll('.card')[1].dataset.state === 'rejected'")
    assert "35,470 stays" in app.locator("svg").get_attribute("aria-label")
    keys.press("End")
    assert focused(app)["text"].startswith("Correction 3 of 3")
    keys.press("Tab")
    assert focused(app)["text"] == "Accept correction 3" and focused(app)["outline"]
    keys.press("Enter")
    until(app, "app => app.querySelectorAll('.card')[2].dataset.state === 'accepted'")
    assert shown(app)["Tax"] == [form["written"][16], true[16], true[16]]
    # line 15 was rejected, so the form does not fit together, and the app says so
    assert (
        "Line 15 says 35,470; line 11 less line 14, at least 0, is 35,058."
        in app.locator(".sums").inner_text()
    )
    keys.press("Shift+Tab")
    keys.press("ArrowUp")
    keys.press("a")
    until(
        app,
        "app => app.querySelector('.sums').textContent.includes('✓ Lines 11, 14, 15 and 16 follow')",
    )
    assert app.locator("svg text.new").all_text_contents() == ["34,262", "35,058", "3,745"]
    keys.press("a")  # the same again takes it back
    until(app, "app => app.querySelectorAll('.card')[1].dataset.state === 'undecided'")
    # on a card, on a button and in the chooser Lab's own keys, a and b for a new cell, do nothing
    keys.press("b")
    keys.press("Tab")
    keys.press("b")
    assert focused(app)["tag"] == "BUTTON" and len(tab.cells()) == cells
    chooser.focus()
    keys.press("b")
    assert len(tab.cells()) == cells


def test_from_start_to_end_by_mouse(tab, app):
    form = forms.load("single")
    app.locator("select").select_option("single")
    chosen(app, "single")
    app.locator("svg .mark text").click()  # the only one on page 2
    assert focused(app)["text"].startswith("Correction 1 of 5, line 11")
    app.get_by_role("button", name="Accept correction 1").click()
    said_tax(app, *worked_out("single", 11))
    assert shown(app)["Tax"] == [1253, 1253, 738] and app.locator(
        "svg text.new"
    ).all_text_contents() == ["25,875"]
    app.get_by_role("button", name="Reject correction 2").click()
    until(app, "app => app.querySelectorAll('.card')[1].dataset.state === 'rejected'")
    assert (
        app.locator("svg")
        .get_attribute("aria-label")
        .startswith("Page 3 of the form. On line 12, mark 2: 18,500 stays.")
    )
    app.get_by_role("button", name="Accept correction 3").click()
    said_tax(app, *worked_out("single", 11, 14))
    assert (
        "Line 14 says 16,550; lines 12 and 13 add up to 18,500."
        in app.locator(".sums").inner_text()
    )
    app.get_by_role("button", name="Accept correction 3").click()
    app.get_by_role("button", name="Accept correction 2").click()
    for number in (3, 4, 5):
        app.get_by_role("button", name=f"Accept correction {number}").click()
    until(
        app,
        "app => app.querySelector('.sums').textContent.includes('✓ Lines 11, 14, 15 and 16 follow')",
    )
    assert shown(app) == {
        "Taxable income": [form["written"][15], 9325, 9325],
        "Tax": [form["written"][16], 933, 933],
    }
    app.get_by_role("button", name="Page 4").click()
    assert (
        app.locator("svg").get_attribute("aria-label")
        == "Page 4 of the form. Nothing is marked here."
    )
    assert re.fullmatch(
        r"Receipt: 2 requests, [\d,]+ tokens in, .* 0\.00 here\.",
        app.locator(".receipt").inner_text(),
    )


@pytest.mark.parametrize("name", forms.FORMS)
def test_every_form_is_answered_and_marked_where_its_amounts_stand(app, name):
    app.locator("select").select_option(name)
    chosen(app, name)
    form = forms.load(name)
    assert [c.get_attribute("aria-label").split(": ")[0] for c in app.locator(".card").all()] == [
        f"Correction {i} of {len(form['corrections'])}, line {c['line']}"
        for i, c in enumerate(form["corrections"], 1)
    ]
    for page in sorted({c["page"] for c in form["corrections"]}):
        app.get_by_role("button", name=f"Page {page}").click()
        width = app.locator("svg").bounding_box()["width"]
        for number, c in [
            (i, c) for i, c in enumerate(form["corrections"], 1) if c["page"] == page
        ]:
            left, top, to, bottom = forms.boxes()[f"{name}-{page}.jpg"]["boxes"][
                f"line_{c['line']}"
            ]
            paper, frame = (
                app.locator("svg image").bounding_box(),
                app.locator(f"[data-number='{number}'] rect").first.bounding_box(),
            )
            middle = (
                (frame["x"] + frame["width"] / 2 - paper["x"]) * 1000 / width,
                (frame["y"] + frame["height"] / 2 - paper["y"]) * 1000 / width,
            )
            assert (
                abs(middle[0] - (left + to) / 2) < 6 and abs(middle[1] - (top + bottom) / 2) < 6
            ), c
            assert app.locator(f"[data-number='{number}'] text").first.text_content() == str(number)
    if not form["corrections"]:
        assert (
            app.locator("[role=status]")
            .inner_text()
            .startswith("No mistakes found. That is no proof that there are none")
        )
        assert app.locator("svg .mark").count() == 0


def test_what_the_guard_doubts_is_flagged_and_cannot_be_accepted(tab, poor):
    poor.locator("select").scroll_into_view_if_needed()
    cards = poor.locator(".card")
    assert [card.get_attribute("data-state") for card in cards.all()] == [
        "undecided",
        "in doubt",
        "in doubt",
    ]
    assert "⚠ Not marked on the page: the form has no such line." in cards.nth(1).inner_text()
    assert "⚠ Not marked on the page: the form says 30,875 there." in cards.nth(2).inner_text()
    assert poor.locator("svg .mark").count() == 1 and cards.nth(1).locator("button").count() == 0
    # a model's words are words
    assert "<img src=x" in cards.nth(1).inner_text() and cards.locator("img").count() == 0
    cards.nth(0).focus()
    keys = tab.page.keyboard
    keys.press("ArrowDown")
    keys.press("a")  # nothing comes of it; of the next, in which the kernel answers to both, does
    keys.press("ArrowUp")
    keys.press("a")
    until(poor, "app => app.querySelectorAll('.card')[0].dataset.state === 'accepted'")
    assert cards.nth(1).get_attribute("data-state") == "in doubt"
    assert poor.locator("svg text.new").count() == 1
    keys.press("a")
    until(poor, "app => app.querySelectorAll('.card')[0].dataset.state === 'undecided'")


def test_an_error_of_a_review_is_said_in_the_app(poor):
    for name, words in (
        ("joint", "NotFoundError: "),
        ("widow", "APIStatusError: No recording answers this request"),
    ):
        poor.locator("select").select_option(name)
        until(
            poor,
            "(app, words) => app.querySelector('[role=alert]').textContent.startsWith(words)",
            words,
        )
        assert poor.locator(".card").count() == 0 and poor.locator("tbody tr").count() == 0
    poor.locator("select").select_option("three")
    until(poor, "app => app.querySelectorAll('.card').length === 3")
    assert poor.locator("[role=alert]").inner_text() == ""


def test_it_has_names_and_stays_in_its_width(tab, app):
    assert tab.page.evaluate(NAMELESS) == []
    assert app.get_attribute("aria-label") == "Tax-form assistant" and app.locator(
        "select"
    ).evaluate("e => e.labels[0].textContent").startswith("Form")
    assert app.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    tab.page.set_viewport_size({"width": 700, "height": 1000})
    tab.still()
    assert app.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    tab.page.set_viewport_size({"width": 1300, "height": 1000})


@pytest.mark.parametrize("theme", lab.THEMES)
def test_it_is_readable_in_both_themes(tab, app, poor, theme):
    app.locator("select").select_option("single")
    chosen(app, "single")
    decided = "app => app.querySelectorAll('.card')[1].dataset.state === 'rejected'"
    if not app.evaluate(decided):  # as it was left in the other theme
        app.get_by_role("button", name="Accept correction 1").click()
        app.get_by_role("button", name="Reject correction 2").click()
    until(app, decided)
    tab.theme(theme)
    looked, faint = tab.page.evaluate(FAINT, ".jp-Notebook .form-review")
    tab.theme("light")
    assert looked > 40 and faint == []


def test_the_page_stays_quiet(tab):
    """No console error, no request off the machine, no dialog, after all that was done above."""
    assert tab.trouble == []
    assert tab.page.locator(".jp-Dialog").count() == 0
