"""The labelling widget as a reader uses it: twenty pairs by keyboard in a real JupyterLab, closed
half-way.
"""

import json
import urllib.request

import pytest

from helpers.common import this_machine
from helpers.facts import preference_file
from tests import lab
from tests.conftest import needs
from tests.notebooks.test_browser import FAINT

pytestmark = needs("chromium")
NOTEBOOK = "3_dpo/01_preference_pairs.ipynb"
FILE = "3_dpo/my_pairs/weather.jsonl"
# A page that is slower than any limit set in it, as on an old computer: from its version 0.9.17 on,
# anywidget gave up a widget that was not there after two seconds.
HELD_UP = (
    "const after = AbortSignal.timeout; AbortSignal.timeout = () => after.call(AbortSignal, 0)"
)


class Reader:
    """Somebody with a keyboard, who likes Fahrenheit, and remembers every choice."""

    KEYS = {"left": ["1", "ArrowLeft"], "right": ["2", "ArrowRight"], "tie": ["0", "t"]}

    def __init__(self, tab):
        self.tab, self.page, self.chosen, self.pressed = tab, tab.page, [], 0
        self.widget = self.page.locator(".day9-labelling")
        self.status = self.widget.get_by_role("status")

    def start(self):
        self.tab.run()
        self.widget.wait_for()
        self.widget.focus()

    def told(self, then):
        """Wait until the widget says so: that a key is pressed does not mean that the kernel has
        answered.
        """
        self.page.wait_for_function(
            "then => document.querySelector('.day9-labelling [role=status]').textContent.startsWith(then)",
            arg=then,
            timeout=lab.LONG,
        )

    def judge(self, n):
        for _ in range(n):
            texts = [
                self.widget.locator(".day9-pair button span").nth(i).inner_text() for i in range(2)
            ]
            likes = ["°F" in text for text in texts]
            choice = "tie" if likes[0] == likes[1] else "left" if likes[0] else "right"
            self.chosen.append((choice, texts))
            done = len(self.chosen)
            self.page.keyboard.press(self.KEYS[choice][done % 2])
            self.told(f"Pair {done + 1} of 20" if done < 20 else "Done: 20 of 20")

    def undo(self, click=False):
        self.chosen.pop()
        if click:
            self.widget.get_by_role("button", name="Undo").click()
        else:
            self.page.keyboard.press("u")
        self.told(f"Pair {len(self.chosen) + 1} of 20")

    def file(self):
        address, token, *_ = self.tab.server
        request = urllib.request.Request(
            f"{address}/files/notebooks/{FILE}", headers={"Authorization": f"token {token}"}
        )
        with this_machine.open_url(request, 60) as answer:
            return answer.read()

    def wanted(self):
        """(preferred, other) of each pair that was chosen."""
        return [
            texts if choice == "left" else texts[::-1]
            for choice, texts in self.chosen
            if choice != "tie"
        ]


@pytest.fixture(scope="module")
def tab(jupyter):
    assert not (jupyter.notebooks / FILE).exists()
    with lab.tab(jupyter) as tab:
        tab.page.add_init_script(HELD_UP)
        yield tab.open(NOTEBOOK)
    (jupyter.notebooks / FILE).unlink()  # others find the notebook as it was


def said(data):
    rows, problems = preference_file.read(data, "dpo")
    return [
        [row["preferred_output"][0]["content"], row["non_preferred_output"][0]["content"]]
        for row in rows
    ], problems


@pytest.fixture(scope="module")
def reader(tab):
    """A reader who labelled all twenty: nine, an undo, a reload of the page, a new kernel, and the
    rest.
    """
    reader = Reader(tab)
    reader.start()
    cells = len(tab.cells())
    reader.judge(9)
    reader.undo()
    reader.judge(2)
    assert said(reader.file())[0] == reader.wanted()  # saved as you go

    tab.page.evaluate("() => { jupyterapp.shell.currentWidget.context.model.dirty = false }")
    tab.page.reload()
    tab.page.wait_for_function(lab.READY, arg=NOTEBOOK)
    reader.start()
    assert reader.status.inner_text().startswith("Pair 11 of 20")
    reader.judge(4)

    tab.page.evaluate(
        "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    tab.page.wait_for_function(lab.READY, arg=NOTEBOOK)
    reader.start()
    assert reader.status.inner_text().startswith("Pair 15 of 20")
    reader.undo()  # of a choice made before the restart
    reader.judge(7)
    assert len(tab.cells()) == cells  # no key went to the notebook
    return reader


def test_the_file_is_fit_for_a_job_and_holds_what_was_chosen(reader):
    chosen, problems = said(reader.file())
    assert problems == [] and len(reader.chosen) == 20
    assert sorted(chosen) == sorted(reader.wanted()) and len(chosen) == 20 - sum(
        choice == "tie" for choice, _ in reader.chosen
    )
    assert any(choice == "tie" for choice, _ in reader.chosen) and {
        c for c, _ in reader.chosen
    } == {"left", "right", "tie"}
    assert all("°F" in good and "°C" in other for good, other in chosen)


def test_the_widget_says_that_it_is_done_and_where_the_file_is(reader):
    ties = sum(choice == "tie" for choice, _ in reader.chosen)
    assert (
        reader.status.inner_text()
        == f"Done: 20 of 20 · {20 - ties} pairs in my_pairs/weather.jsonl ({ties} ties left out); fit for a tuning job."
    )


def test_no_key_reached_the_notebook(reader):
    """In Lab, 1 makes a heading of the cell, 0 0 restarts the kernel."""
    assert reader.page.locator(".jp-Dialog").count() == 0
    with open(lab.NOTEBOOKS / NOTEBOOK, encoding="utf-8") as f:
        assert ["".join(c["source"]) for c in reader.tab.cells()] == [
            "".join(c["source"]) for c in json.load(f)["cells"]
        ]
    assert reader.tab.trouble == []


@pytest.mark.parametrize("theme", lab.THEMES)
def test_it_can_be_read_in_both_themes_and_the_focus_is_seen(reader, theme):
    reader.undo(click=True)  # so that a pair is shown
    reader.tab.theme(theme)
    looked, faint = reader.page.evaluate(FAINT, ".day9-labelling")
    assert looked >= 6 and faint == []
    for _ in range(2):
        reader.widget.focus()
        for target in (reader.widget, reader.widget.get_by_role("button", name="Answer 1")):
            outline = reader.page.evaluate(
                "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth] }"
            )
            assert outline == ["solid", "3px"] and target.evaluate(
                "e => e === document.activeElement"
            )
            reader.page.keyboard.press("Tab")
    reader.tab.theme("light")
    reader.widget.focus()
    reader.judge(1)


def test_a_screen_reader_has_names_for_everything(reader):
    tree = reader.widget.aria_snapshot()
    for name in (
        'group "Which answer is better? Press 1 or 2, 0 for a tie, u to undo"',
        'progressbar "pairs judged"',
        "status",
        'button "Tie (0)"',
        'button "Undo (u)"',
    ):
        assert name in tree, tree


def test_one_press_trains_a_model_on_what_was_chosen(reader):
    reader.page.get_by_role("button", name="Train the stand-in").click()
    told = reader.page.get_by_role("status").filter(has_text="Tuned on")
    told.wait_for()
    pairs = sum(choice != "tie" for choice, _ in reader.chosen)
    assert f"Tuned on {pairs} pairs" in told.inner_text()
    assert "°F" in told.inner_text().partition("after: ")[2]
