"""Every notebook as a reader sees it: opened and run in a real JupyterLab, in a real browser."""

import re

import pytest

from tests import lab
from tests.conftest import needs

pytestmark = needs("chromium")


@pytest.fixture(scope="module")
def tab(jupyter):
    """JupyterLab in a browser: one tab for all of this file."""
    with lab.tab(jupyter) as tab:
        yield tab


@pytest.fixture(scope="module", params=lab.notebooks())
def opened(tab, request):
    """The tab with a notebook opened, looked at as a fresh clone shows it, and run from top to
    bottom.
    """
    tab.open(request.param)
    tab.broken_when_opened = tab.page.evaluate(BROKEN)
    tab.changed_when_opened = tab.page.evaluate(CHANGED)
    tab.run()
    return tab


@pytest.fixture(scope="module")
def in_themes(opened):
    """{theme: (how many texts, those that are faint, how each figure is painted)}, each theme once:
    a change draws the whole page anew.
    """
    seen = {}
    for theme in sorted(lab.THEMES, key=lambda theme: theme != opened.theme_now()):
        opened.theme(theme)
        texts, faint = opened.page.evaluate(FAINT, ".jp-Notebook :is(.jp-RenderedHTML, details)")
        figures = opened.page.locator(".js-plotly-plot .svg-container")
        painted = figures.evaluate_all("all => all.map(e => getComputedStyle(e).filter)")
        seen[theme] = texts, faint, painted
    return seen


BROKEN = """() => [...document.querySelectorAll('.jp-OutputArea')].map(e => e.innerText)
    .filter(t => /Error displaying widget|Loading widget|Model not found|FigureWidget\\(|interactive\\(children/.test(t))"""


CHANGED = "() => jupyterapp.shell.currentWidget.context.model.dirty"


def test_a_fresh_clone_shows_no_broken_output(opened):
    assert opened.broken_when_opened == []


def test_a_notebook_that_was_only_opened_is_not_unsaved(opened):
    assert not opened.changed_when_opened


def test_run_all_runs_every_cell_without_an_error(opened):
    code = [c for c in opened.cells() if c["cell_type"] == "code" and "".join(c["source"]).strip()]
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    for cell in code:
        if "raises-exception" not in cell["metadata"].get("tags", []):
            wrong = [
                o
                for o in cell["outputs"]
                if o["output_type"] == "error" or o.get("name") == "stderr"
            ]
            assert not wrong, f"{''.join(cell['source'])}\n{wrong}"


def test_the_panel_of_an_answer_off_the_map_is_no_stack_trace(opened):
    panels = [
        text
        for text in opened.page.locator(".jp-OutputArea [role=alert]").all_inner_texts()
        if "Off the map" in text
    ]
    outputs = [o for c in opened.cells() for o in c.get("outputs", [])]
    assert len(panels) == sum(
        "Off the map" in str(o.get("data", {}).get("text/html", "")) for o in outputs
    )
    assert not any("off_the_map" in str(o.get("traceback", "")) for o in outputs)


def test_money_is_not_read_as_mathematics(opened):
    """Lab typesets what stands between two dollar signs, in text cells and in HTML alike."""
    formulas = opened.page.locator(".jp-Notebook mjx-container").evaluate_all(
        "all => all.map(e => e.querySelector('mjx-assistive-mml')?.textContent || e.textContent)"
    )
    assert [f for f in formulas if re.match(r"[\d.,]+\D*[a-z]{3}", f)] == []


def test_no_button_sends_a_figure_away(opened):
    """The bar of a figure is there, without the button that uploads it to its maker's cloud."""
    bars = opened.page.locator(".jp-OutputArea .js-plotly-plot .modebar")
    buttons = bars.locator(".modebar-btn").evaluate_all("all => all.map(e => e.dataset.title)")
    assert len(buttons) >= bars.count()
    assert not [name for name in buttons if re.search("share|cloud|edit", name, re.I)]


def test_pictures_are_said_in_words(opened):
    """Each has an alternative text (Lab puts "Image" where there is none), or the next output or
    cell says it.
    """
    assert opened.page.evaluate(WORDLESS) == []


WORDLESS = """() => {
  const says = e => (e?.innerText || '').trim().split(/\\s+/).length >= 4;
  const pictures = document.querySelectorAll('.jp-OutputArea :is(img, canvas, .js-plotly-plot, svg[role=img])');
  return [...pictures].filter(e => !e.parentElement.closest('.js-plotly-plot')).filter(e => {
    const output = e.closest('.jp-OutputArea-child'), next = e.closest('.jp-Cell').nextElementSibling;
    return !((e.alt && e.alt !== 'Image') || e.getAttribute('aria-label') || e.querySelector('title')?.textContent || says(e.closest('figure')?.querySelector('figcaption'))
      || says(output?.nextElementSibling) || (next?.matches('.jp-MarkdownCell') && says(next)));
  }).map(e => e.closest('.jp-Cell').innerText.slice(0, 200));
}"""


def test_controls_have_names(opened):
    assert opened.page.evaluate(NAMELESS) == []


NAMELESS = """() => [...document.querySelectorAll('.jp-OutputArea .jupyter-widgets :is(input, select, textarea, button, [role=slider])')]
  .filter(e => e.getClientRects().length && !e.closest('.modebar'))
  .filter(e => !([...(e.labels || [])].some(l => l.textContent.trim()) || e.ariaLabel || e.title || (e.matches('button') && e.textContent.trim())))
  .map(e => e.outerHTML.slice(0, 200))"""


def test_our_frames_are_readable_in_both_themes(in_themes):
    """WCAG AA: text stands out by 4.5 to 1 from what is behind it, in HTML outputs and folded parts
    too.
    """
    for theme, (texts, faint, _) in in_themes.items():
        assert texts, "no frame was looked at"
        assert faint == [], theme


FAINT = """where => {
  const pen = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const rgba = colour => {  // the browser itself knows every way to write a colour
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], back, opacity) => [r, g, b].map((v, i) => v * a * opacity + back[i] * (1 - a * opacity));
  const light = c => c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = e => {
    let back = [255, 255, 255], opacity = 1;
    const line = [];
    for (let up = e; up; up = up.parentElement) line.unshift(getComputedStyle(up));
    for (const style of line) {
      opacity *= style.opacity;
      back = over(rgba(style.backgroundColor), back, opacity);
    }
    const [a, b] = [light(over(rgba(line.at(-1).color), back, opacity)), light(back)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const frames = document.querySelectorAll(where);
  for (const e of document.querySelectorAll('.jp-Notebook details')) e.open = true;
  const texts = new Set();
  for (const frame of frames) {
    const walk = document.createTreeWalker(frame, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const e = walk.currentNode.parentElement;
      if (walk.currentNode.data.trim() && e.getClientRects().length && !e.closest('script, style, svg, mjx-assistive-mml')) texts.add(e);
    }
  }
  return [texts.size, [...texts].map(e => [contrast(e), e]).filter(([c]) => c < 4.5).map(([c, e]) => `${c.toFixed(2)}: ${e.outerHTML.slice(0, 150)}`)];
}"""


def test_printed_lines_break_between_words(opened):
    breaks = opened.page.locator(".jp-OutputArea .jp-RenderedText pre").evaluate_all(
        "all => all.map(e => getComputedStyle(e).wordBreak)"
    )
    assert set(breaks) <= {"normal"}


def test_a_figure_is_dark_in_the_dark_theme(in_themes):
    painted = {theme: filters for theme, (_, _, filters) in in_themes.items()}
    assert set(painted["light"]) <= {"none"}
    assert all("invert" in one for one in painted["dark"])


def test_tables_say_what_their_columns_and_rows_are(opened):
    """No header is empty, and each tells what it heads."""
    odd = opened.page.locator(".jp-OutputArea .jp-RenderedHTML th").evaluate_all(
        "all => all.filter(e => !e.innerText.trim() || !e.scope).map(e => e.outerHTML)"
    )
    assert odd == []


def test_nothing_we_show_is_wider_than_the_page(opened):
    assert (
        opened.page.evaluate("""() => [...document.querySelectorAll('.jp-OutputArea-output')]
      .filter(e => e.scrollWidth > e.clientWidth + 1 && !e.closest('.jupyter-widgets')).map(e => e.innerText.slice(0, 150))""")
        == []
    )


def test_a_widget_turns_by_keyboard_and_what_it_shows_follows(opened):
    turns = ":is(input[type=number], [role=slider], select, input[type=checkbox]):visible"
    cells = opened.page.locator(".jp-CodeCell").filter(
        has=opened.page.locator(".jp-OutputArea-output :is(.jupyter-widgets, .jupyter-widget)")
    )
    # what is pressed instead of turned has tests of its own
    cells = cells.filter(has=opened.page.locator(turns))
    if not cells.count():
        assert not any("helpers.turn(" in "".join(c["source"]) for c in opened.cells())
        pytest.skip("no widget that turns in this notebook")
    cell = cells.first
    control = cell.locator(turns).first
    before = cell.evaluate(SHOWN)
    control.scroll_into_view_if_needed()
    control.focus()
    kind = control.evaluate("e => e.type || e.getAttribute('role')")
    for key in {
        "number": ["ArrowUp", "Enter"],
        "checkbox": ["Space"],
        "select-one": ["ArrowDown"],
    }.get(kind, ["ArrowRight"]):
        control.press(key)
    opened.page.wait_for_function(
        f"([e, before]) => ({SHOWN})(e) !== before",
        arg=[cell.element_handle(), before],
        timeout=lab.LONG,
    )
    opened.still()
    assert not [
        o
        for c in opened.cells()
        for o in c.get("outputs", [])
        if o["output_type"] == "error" and "raises-exception" not in c["metadata"].get("tags", [])
    ]
    assert not cell.locator(".jp-RenderedText[data-mime-type*=stderr]").count()


# what a cell shows, without the controls and the numbers they show themselves
SHOWN = """e => [...e.querySelectorAll('.jp-OutputArea-output')].map(o => {
  const copy = o.cloneNode(true);
  for (const c of copy.querySelectorAll('.widget-inline-hbox:has(input, select, [role=slider]), .jp-OutputArea-output')) c.remove();
  return copy.innerHTML;
}).join()"""


def test_the_page_stays_quiet(opened):
    """No console error, no request that leaves the machine, no dialog, no news. After all that was
    done above.
    """
    assert opened.trouble == []
    for selector in (".jp-Dialog", ".Toastify__toast"):
        assert opened.page.locator(selector).all_inner_texts() == []
