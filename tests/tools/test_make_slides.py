"""Slides: what the notebooks have, without the solutions, in files that ask nobody for anything."""

import re
import subprocess
import sys

import bs4
import nbformat.v4
import pytest

from tests import lab
from tests.conftest import needs

from . import make_slides, refresh, solutions

ASKED = re.compile(r'<(?!a\b)\w+\b[^>]*?\b(?:src|href)="(?!data:|#)([^"]*)"')


# The first of each theme: what a notebook may lack is found by the site's tests, on all of them.
FIRST = {path.parent: path for path in reversed(refresh.notebooks())}


@pytest.mark.parametrize("path", FIRST.values(), ids=lambda path: path.stem)
def test_a_deck_has_every_cell_and_heading_and_no_solution(path):
    page, nb = make_slides.deck(path).partition("<script>")[0], refresh.read(path)
    assert not ASKED.findall(page) and "default-src 'none'" in page
    slides = bs4.BeautifulSoup(page.partition('<div class="slides">')[2], "html.parser")
    code = [pre.get_text() for pre in slides.find_all("pre", class_="highlight")]
    assert code == [c.source.rstrip() for c in nb.cells if c.cell_type == "code"]
    text = slides.get_text()
    headings = re.findall(r"^## (.+)", "\n".join(c.source for c in nb.cells), re.M)
    assert len(slides.find_all("h2")) == len(headings)
    for exercise in solutions.of(nb):
        assert exercise.solution not in text
    assert len(slides.select("section > section")) >= len(code)


@needs("chromium")
def test_in_a_browser_an_output_comes_after_its_code_and_nothing_is_asked_of_a_host(tmp_path):
    file, asked, said = tmp_path / "deck.html", [], []
    notebook = refresh.NOTEBOOKS / "1_o1/05_structured_outputs.ipynb"  # with slides to set smaller
    file.write_text(make_slides.deck(notebook), "utf-8")
    with lab.browser() as chrome:
        page = chrome.new_page(viewport={"width": 1280, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        page.locator(".slide-number").wait_for()
        page.keyboard.press("Space")  # the set-up
        shown = page.locator("section.present section.present .fragment")
        assert page.locator("section.present section.present pre.highlight").is_visible()
        assert "visible" not in shown.get_attribute("class")
        page.keyboard.press("Space")
        page.wait_for_function(
            "document.querySelector('section.present section.present .fragment.visible')"
        )
        page.evaluate("""() => {
          const { h, v } = Reveal.getIndices(document.querySelector('aside.notes').parentElement);
          Reveal.slide(h, v); }""")
        with page.expect_popup() as opened:
            page.keyboard.press("s")
        opened.value.on("console", lambda message: said.append(message.text))
        notes = page.evaluate("Reveal.getSlideNotes()")
        opened.value.locator(".speaker-controls-notes .value", has_text=re.sub("<.*?>", "", notes)[:40]).wait_for()  # fmt: skip
        over = page.evaluate("""() => Reveal.getSlides().filter(s => {
          const { h, v } = Reveal.getIndices(s);
          Reveal.slide(h, v);
          return s.scrollWidth > s.clientWidth + 1 || s.scrollHeight > s.clientHeight + 1;
        }).map(s => s.innerText)""")
    assert over == [] and said == []
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}


@needs("chromium")
def test_a_part_of_a_page_is_cut_from_the_whole_of_it(tmp_path):
    file = tmp_path / "deck.html"
    file.write_text(make_slides.deck(refresh.NOTEBOOKS / "1_o1/03_vision.ipynb"), "utf-8")
    with lab.browser() as chrome:
        page = chrome.new_page(viewport={"width": 1280, "height": 800})
        page.goto(file.as_uri())
        part = page.locator('[aria-label^="By hand: "] img')
        page.evaluate("""() => {
          const part = document.querySelector('[aria-label^="By hand: "]').closest('section');
          const { h, v } = Reveal.getIndices(part);
          Reveal.slide(h, v, 99); }""")
        part.wait_for()
        wide, high, as_wide, as_high = part.evaluate(
            "i => [i.clientWidth, i.clientHeight, i.naturalWidth, i.naturalHeight]"
        )
        assert abs(high - wide * as_high / as_wide) < 2


def test_what_cannot_be_shown_is_named(tmp_path):
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        nbformat.v4.new_markdown_cell("# One"),
        nbformat.v4.new_markdown_cell("## Two\n\n![a picture](gone.png)"),
        nbformat.v4.new_code_cell("1", execution_count=1),
    ]
    nb.metadata["ran"] = refresh.codes(nb)
    path = tmp_path / "one.ipynb"
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="one.ipynb: gone.png leads nowhere"):
        make_slides.deck(path)
    nb.cells[2].execution_count = None
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="one.ipynb: the cell `1` was changed and not run"):
        make_slides.deck(path)
    path.write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(ValueError, match="one.ipynb: it holds no notebook of format 4"):
        make_slides.deck(path)


def test_what_is_no_notebook_is_told_with_those_that_are():
    tool = [sys.executable, "-m", "tests.tools.make_slides", "notebooks/gone.ipynb"]
    said = subprocess.run(tool, cwd=refresh.ROOT, capture_output=True, text=True, encoding="utf-8")
    assert said.returncode == 1 and "gone.ipynb is none of the notebooks: 00_start" in said.stderr
