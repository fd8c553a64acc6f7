"""The bill explorer as a person uses it: a file dropped in, a what-if turned, in a real JupyterLab
and browser.
"""

import json

import pandas as pd
import pytest

from helpers.costs import bills
from tests import lab
from tests.conftest import needs
from tests.costs.bills.samples import SAMPLES
from tests.tools import refresh

pytestmark = needs("chromium")
BOOK = "4_costs/05_your_own_bill.ipynb"
CODE_CELLS = [c.cell_type for c in refresh.read(lab.NOTEBOOKS / BOOK).cells].count("code")
NUMBERS = """cell => [...cell.querySelectorAll('.widget-html tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"""


@pytest.fixture(scope="module")
def explorer(jupyter):
    """(tab, the explorer's cell) with the notebook run from top to bottom."""
    with lab.tab(jupyter) as tab:
        tab.open(BOOK).run()
        cell = tab.page.locator(".jp-CodeCell").filter(has_text="bills.explore")
        cell.scroll_into_view_if_needed()
        yield tab, cell


def shown(cell):
    return cell.locator(".widget-html").nth(-2)  # the last has what no what-if changes


def until(tab, cell, before):
    """Wait until the page that the explorer shows is another than `before`; returns its text."""
    tab.page.wait_for_function(
        "([e, before]) => e.innerText !== before", arg=[shown(cell).element_handle(), before]
    )
    tab.still()
    return shown(cell).inner_text()


def bars(cell):
    return cell.locator("svg[role=img] path").evaluate_all(
        "all => all.map(p => p.getAttribute('d'))"
    )


def field(cell, name):
    return cell.get_by_label(name, exact=True)


def test_a_file_is_uploaded_and_priced(explorer, tmp_path):
    tab, cell = explorer
    before = shown(cell).inner_text()
    assert "synthetic_usage.json" in before and "8,933.33 USD" in before
    file = tmp_path / "mine.csv"
    file.write_text(
        "date,model,prompt_tokens,completion_tokens,colour\n2026-09-01,gpt-4o,1000000,100000,red\n2026-09-01,acme-7b,5,5,red\n"
    )
    with tab.page.expect_file_chooser() as chooser:
        cell.get_by_role("button", name="Choose a usage export").click()
    chooser.value.set_files(file)
    text = until(tab, cell, before)
    assert "mine.csv: a CSV of usage, 2 rows. Priced: 1 row, 3.50 USD. Not priced: 1 row." in text
    assert "this model is not in the price table" in text and "acme-7b" in text
    cell.get_by_text("How the file was read").click()
    assert "columns not used: colour" in shown(cell).inner_text()
    assert field(cell, "or its path, Enter").input_value() == ""


def test_a_what_if_changes_figure_and_table(explorer):
    tab, cell = explorer
    before, lines = shown(cell).inner_text(), bars(cell)
    field(cell, "what if the work of").select_option("gpt-4o")
    until(tab, cell, before)
    assert field(cell, "went to").evaluate("e => e.selectedOptions[0].text") == "gpt-6-luna", (
        "the replacement that OpenAI names"
    )
    # 1,000,000 × 0.1 + 100,000 × 0.5 USD a million
    assert ["gpt-6-luna", "0.00", "0.15", "0.15"] in cell.evaluate(NUMBERS) and [
        "gpt-4o",
        "3.50",
        "0.00",
        "-3.50",
    ] in cell.evaluate(NUMBERS)
    assert bars(cell) != lines
    before = shown(cell).inner_text()
    cell.get_by_role("checkbox", name="change the cache share").press("Space")
    share = field(cell, "input from cache, %")
    until(tab, cell, "")
    share.fill("40")
    share.press("Enter")
    text = until(tab, cell, before)
    # 0.06 + 0.004 + 0.05 USD
    assert ["gpt-6-luna", "0.00", "0.11", "0.11"] in cell.evaluate(NUMBERS), text


def test_keys_pressed_on_a_list_stay_in_it(explorer):
    """JupyterLab's own shortcuts would leave the cell with an arrow, and make it a text cell with
    m.
    """
    tab, cell = explorer
    before, group = shown(cell).inner_text(), field(cell, "table and bars by")
    group.focus()
    group.press("ArrowDown")
    until(tab, cell, before)
    group.press("m")
    assert group.evaluate("e => e.value") in ("month", "model") and group.evaluate(
        "e => e === document.activeElement"
    )
    group.select_option("model")
    tab.still()
    assert [c["cell_type"] for c in tab.cells()].count("code") == CODE_CELLS


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_dropped_in(explorer, tmp_path, name):
    tab, cell = explorer
    before, file = shown(cell).inner_text(), tmp_path / f"{name}.json"
    file.write_text("\n".join(map(json.dumps, SAMPLES[name])))
    with tab.page.expect_file_chooser() as chooser:
        cell.get_by_role("button", name="Choose a usage export").click()
    chooser.value.set_files(file)
    text = until(tab, cell, before)
    usage = bills.read(file)
    bill = bills.price(usage)
    assert f"{name}.json: {usage.what}" in text and f"{bills.usd(bill.total_nano, 2)} USD" in text
    assert ("What came from the cache is not told" in text) == (bill.least < bill.total)


def test_a_workbook_is_dropped_in(explorer, tmp_path):
    tab, cell = explorer
    file, rows = tmp_path / "mine.xlsx", {"date": ["2026-09-01"], "model": ["gpt-4o"]}
    rows |= {"input_tokens": [1_000_000], "output_tokens": [100_000]}
    pd.DataFrame(rows).to_excel(file, sheet_name="September", startrow=2, index=False)
    for data, words in (
        (file.read_bytes(), "1 row, 3.50 USD. Not priced: 0 rows. What came from the cache"),
        (file.read_bytes()[:900], "Not read. mine.xlsx: this is an Excel workbook"),
    ):
        before = shown(cell).inner_text()
        file.write_bytes(data)
        with tab.page.expect_file_chooser() as chooser:
            cell.get_by_role("button", name="Choose a usage export").click()
        chooser.value.set_files(file)
        text = until(tab, cell, before)
        assert words in text and ("(September) of usage" in text) == ("Not read" not in text)


def test_a_path_is_typed_and_a_mistake_is_told(explorer):
    tab, cell = explorer
    before, path = shown(cell).inner_text(), field(cell, "or its path, Enter")
    path.fill("../../data/usage/nothing.csv")
    path.press("Enter")
    text = until(tab, cell, before)
    assert "nothing.csv is not there" in text and not bars(cell)
    path.fill("../../data/usage/synthetic_litellm.jsonl")
    path.press("Enter")
    text = until(tab, cell, text)
    assert "a LiteLLM spend log, 411 rows" in text and "2.66 USD" in text


def test_hidden_tokens_can_be_turned_where_they_are_counted(explorer):
    tab, cell = explorer
    before, hidden = shown(cell).inner_text(), field(cell, "hidden tokens, %")
    field(cell, "what if the work of").select_option("as it is")
    box = cell.get_by_role("checkbox", name="change the cache share")
    if box.is_checked():
        box.press("Space")
    hidden.fill("40")
    hidden.press("Enter")
    tab.page.wait_for_function(
        "e => e.innerText.includes('What if: 2.24 USD')", arg=shown(cell).element_handle()
    )
    assert before != shown(cell).inner_text()


def test_a_name_is_given_a_price_and_what_ends_is_told(explorer):
    tab, cell = explorer
    before, twin = shown(cell).inner_text(), field(cell, "costs like")
    assert field(cell, "no price for").evaluate("e => e.selectedOptions[0].text") == "acme-gpt4o-eu"
    twin.select_option("gpt-4o-2024-08-06")
    text = until(tab, cell, before)
    assert "acme-gpt4o-eu" not in text.partition("could not be priced")[2], text
    more = cell.locator(".widget-html").last
    more.get_by_text("Models that have ended").click()
    assert "2027-01-14" in more.inner_text() and "no forecast" in more.inner_text()


def test_nothing_left_the_machine(explorer):
    tab, cell = explorer
    assert tab.trouble == []
    said = [
        o
        for c in tab.cells()
        for o in c.get("outputs", [])
        if o["output_type"] == "error" or o.get("name") == "stderr"
    ]
    assert said == []
