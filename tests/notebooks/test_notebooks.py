"""What every notebook promises on its face: its header, its recap, its links, its words."""

import ast
import base64
import dis
import re
import types

import nbformat.v4
import numpy
import pytest

from helpers.facts.models import models
from tests.tools import make_diagrams, refresh

BOOKS = refresh.notebooks()
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
# of something with a date: true on the day it was written, and not after the date
COMING = re.compile(
    r"\b(?:is closing|(?:ends?|follows|closes) on 20\d\d-|you have \d+ days|may still|will (?:be|end)\b.* 20\d\d-)"
)


def name(path):
    return path.relative_to(refresh.NOTEBOOKS).as_posix()


def code_cells(nb):
    return [c for c in nb.cells if c.cell_type == "code"]


def output_text(nb):
    """All that a notebook's outputs say, as text."""
    return "\n".join(
        o.get("text", "") or "".join(o.get("data", {}).get("text/plain", ""))
        for c in code_cells(nb)
        for o in c.outputs
    )


def test_there_are_notebooks():
    assert [name(p) for p in BOOKS][:1] == ["00_start_here.ipynb"] and len(BOOKS) >= 3


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_header_line_follows_from_the_run_and_the_data(path):
    nb = refresh.read(path)
    header = refresh.header(nb)
    receipts = re.findall(r"At 2024-12-17 prices: ([\d.]+) USD", output_text(nb))
    if header["origin"] == "computed on this page":
        assert (header["usd"], receipts) == (None, []) and not any(
            "connect(" in c.source for c in code_cells(nb)
        )
    else:
        assert header["origin"] in ("computed", "constructed", "recorded")
        # a notebook whose tokens differ from run to run (WebRTC) has neither
        if header["usd"] or receipts:
            assert ([header["usd"]], header["on"]) == (receipts, "2024-12-17")
    for model, day in re.findall(r"(\S+) was shut down on ([\d-]+)", nb.cells[0].source):
        assert models()[model]["shutdown"] == day


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_the_times_are_counted_by_one_rule(path):
    nb = refresh.read(path)
    stated = refresh.header(nb)
    assert (int(stated["minutes"]), int(stated["exercises"])) == refresh.times(nb), (
        "run `python -m tests.tools.refresh`"
    )


def test_what_the_rule_of_times_counts():
    nb = nbformat.v4.new_notebook()
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    nb.cells = [
        text("word " * 360 + "<details>" + " word" * 900 + "</details>"),
        code("a = 1\n\n" * 24),
        text("word " * 900, metadata={"tags": ["generated-links"]}),
        code("x = ...", metadata={"tags": ["starter"]}),
    ]
    assert refresh.times(nb) == (4, 4)


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_the_origin_named_in_the_header_is_the_one_in_the_frames(path):
    nb = refresh.read(path)
    frames = re.findall(
        r"\[(computed|constructed|recorded|published|origin unknown)\b", output_text(nb)
    )
    origin = refresh.header(nb)["origin"]
    assert set(frames) == (set() if origin == "computed on this page" else {origin})


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_every_number_of_the_recap_was_seen_on_the_page(path):
    nb = refresh.read(path)
    recap = next(c.source for c in nb.cells if c.source.startswith("## Recap"))
    bullets = [line for line in recap.splitlines() if line.startswith("- ")]
    assert len(bullets) == 3
    seen = {n.replace(",", "") for n in NUMBER.findall(output_text(nb))}
    sources = {n for c in code_cells(nb) for n in NUMBER.findall(c.source)}  # what the reader set
    for bullet in bullets:
        plain = re.sub(r"\bo1\b|gpt-\S+", "", bullet)
        for number in NUMBER.findall(plain):
            assert number.replace(",", "") in seen | sources, (
                f"{number} in {bullet!r} is on no output"
            )


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_generated_cells_are_fresh(path):
    nb, made = refresh.read(path), refresh.generated(path)
    for cell in nb.cells:
        for tag, text in made.items():
            if tag in cell.metadata.get("tags", []):
                assert cell.source == text, "run `python -m tests.tools.refresh`"
    tags = {t for c in nb.cells for t in c.metadata.get("tags", [])}
    assert set(made) <= tags


@pytest.mark.parametrize("name", refresh.READMES)
def test_a_readme_has_the_map_of_now_and_its_links_lead_to_files(name):
    text = (refresh.ROOT / name).read_text(encoding="utf-8")
    assert text.count("ipynb") >= len(BOOKS)
    assert refresh.readme(text, refresh.READMES[name]()) == text, (
        "run `python -m tests.tools.refresh`"
    )
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (refresh.ROOT / target).exists(), target


def test_both_readmes_say_the_same_things():
    """As many sections, points, commands and links; and two commands, which are all there are."""
    texts = [(refresh.ROOT / name).read_text(encoding="utf-8") for name in refresh.READMES]
    for what in (r"^## ", r"^- ", r"^    python", r"\]\(", r"`[^`]+`"):
        counts = [len(re.findall(what, t.partition("<!-- map -->")[0], re.M)) for t in texts]
        assert len(set(counts)) == 1, (what, counts)
    for text in texts:
        assert re.findall(r"^    (python start\.py \w+)", text, re.M) == [
            "python start.py lab",
            "python start.py test",
        ]


def test_the_glossary_is_of_now_and_each_of_its_words_is_met():
    text = refresh.GLOSSARY.read_text(encoding="utf-8")
    assert text == refresh.glossary(), "run `python -m tests.tools.refresh`"
    assert "| – |" not in text


@pytest.mark.parametrize("name", make_diagrams.diagrams())
def test_a_diagram_is_drawn_from_its_words(name):
    """The file is what the words give, nothing stands out of the paper, and each number in it is
    seen in its notebook.
    """
    diagram = make_diagrams.diagrams()[name]
    drawn = make_diagrams.svg(diagram)
    assert (make_diagrams.FOLDER / f"{name}.svg").read_text(encoding="utf-8") == drawn, (
        "run `python -m tests.tools.make_diagrams`"
    )
    for x, wide in re.findall(r'<rect x="([\d.-]+)" y="[\d.]+" width="([\d.]+)"', drawn):
        assert float(x) >= 0 and float(x) + float(wide) <= make_diagrams.WIDE
    nb = refresh.read(refresh.NOTEBOOKS / diagram["notebook"])
    rest = "\n".join(
        c.source for c in nb.cells if "generated-diagram" not in c.metadata.get("tags", [])
    )
    seen = set(NUMBER.findall(rest + output_text(nb)))
    assert set(NUMBER.findall(make_diagrams.words(diagram).replace("\n", " "))) - seen <= set(
        "123456789"
    )


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_links_lead_to_files(path):
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)\)", cell.source):
                assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_no_two_dollars_make_a_formula(path):
    """JupyterLab sets what stands between two dollar signs of a paragraph as mathematics, escaped
    or not.

    A formula that is meant stands between two lines of $$ and nothing else.
    """
    for cell in refresh.read(path).cells:
        texts = (
            [re.sub(r"^\$\$\n.+?\n\$\$$|`[^`]*`", "", cell.source, flags=re.S | re.M)]
            if cell.cell_type == "markdown"
            else [o.get("data", {}).get("text/html", "") for o in cell.outputs]
        )
        for text in texts:
            for paragraph in re.split(r"\n\n|\||</?(?:p|td|div|pre|li)\b", text):
                assert paragraph.count("$") < 2, paragraph


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_what_has_a_date_is_told_so_that_it_stays_true_after_it(path):
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown":
            for sentence in re.split(r"(?<=[.!?])\s|\n", cell.source):
                dated = "closing" in sentence or re.search(r"20\d\d-\d\d-\d\d", sentence)
                assert not (dated and COMING.search(sentence)), sentence


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_code_is_what_a_reader_would_take_home(path):
    for cell in code_cells(refresh.read(path)):
        ast.parse(cell.source)
        for odd in ("import *", "sys.path", 'api_key="', "!pip", "%pip", "# NBVAL"):
            assert odd not in cell.source
        assert not {"nbval-skip", "nbval-ignore-output"} & set(cell.metadata.get("tags", []))


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_no_line_of_code_is_wider_than_its_cell(path):
    """In a window of 1300 pixels with the list of files beside the notebook."""
    code = "\n".join(cell.source for cell in code_cells(refresh.read(path)))
    assert [line for line in code.splitlines() if len(line) > 106] == []


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_nothing_stands_below_a_solution_that_is_folded_away(path):
    """In its cell: the next exercise would look like a part of it."""
    for cell in refresh.read(path).cells:
        if cell.cell_type == "markdown" and "</details>" in cell.source:
            assert cell.source.endswith("</details>"), cell.source


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_every_assert_says_what_must_hold(path):
    for cell in code_cells(refresh.read(path)):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, ast.Assert) or node.msg, ast.unparse(node)


def names(code):
    """(the names of other cells that a cell's code reads, those that it sets)"""
    read, given = set(), set()
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":
            given.add(step.argval)
        elif step.opname == "LOAD_NAME" and step.argval not in given:
            read.add(step.argval)
    inner = [c for c in code.co_consts if isinstance(c, types.CodeType)]
    outer = {
        step.argval
        for c in inner
        for step in dis.get_instructions(c)
        if step.opname == "LOAD_GLOBAL"
    }
    return read | outer - given, given


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_a_cell_that_is_run_again_has_what_it_had(path):
    """After all have run, too: no later cell gives another value to a name that it reads."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    cells = [names(compile(c.source, "", "exec", flags)) for c in code_cells(refresh.read(path))]
    for i, (read, _) in enumerate(cells):
        before = set().union(*(given for _, given in cells[:i]))
        after = set().union(*(given for _, given in cells[i + 1 :]))
        assert not read & before & after, code_cells(refresh.read(path))[i].source


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_ran_from_top_to_bottom_without_an_error(path):
    cells = [c for c in code_cells(refresh.read(path)) if c.source.strip()]
    assert [c.execution_count for c in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert not [o for o in cell.outputs if o.output_type == "error"]
        for output in cell.outputs:
            data = output.get("data", {})
            assert "<svg" not in "".join(data.get("text/html", "")), (
                "JupyterLab takes inline SVG out of a notebook that is not trusted yet"
            )
            if "application/vnd.plotly.v1+json" in data:
                assert "image/png" in data and output.metadata["image/png"]["alt"], (
                    "a figure needs a still and its alt text"
                )


def drawn(figure, axis):
    """The distinct values that a Plotly figure's traces have on an axis."""
    values = set()
    for trace in figure["data"]:
        given = trace.get(axis, [])
        if isinstance(given, dict):
            given = numpy.frombuffer(base64.b64decode(given["bdata"]), given["dtype"]).tolist()
        values |= {v for v in given if v is not None}
    return values


@pytest.mark.parametrize("path", BOOKS, ids=name)
def test_no_figure_is_a_flat_line(path):
    """What is meant to be seen is there: a slice that took the wrong rows draws without an
    error.
    """
    for cell in code_cells(refresh.read(path)):
        for output in cell.outputs:
            figure = output.get("data", {}).get("application/vnd.plotly.v1+json")
            if figure:
                assert len(drawn(figure, "x")) > 1 and len(drawn(figure, "y")) > 1, cell.source
