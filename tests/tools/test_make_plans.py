"""The plans for a class: their minutes are those of the notebooks, and add up."""

import re

import nbformat.v4
import pytest

from . import make_plans, refresh

ROW = re.compile(r"^\| .* \| .* \| \**(\d+)\** \| (\d*) \|$", re.M)


def test_the_page_is_of_now():
    assert make_plans.PLANS.read_text(encoding="utf-8") == make_plans.text(), (
        "run `python -m tests.tools.make_plans`"
    )


@pytest.mark.parametrize("plan", make_plans.plans(), ids=lambda plan: str(plan["minutes"]))
def test_the_minutes_of_a_plan_add_up_and_leave_a_quarter_free(plan):
    shown = make_plans.PLANS.read_text(encoding="utf-8")
    part = shown.partition(f"## {plan['minutes']} minutes")[2].partition("\n## ")[0]
    *sections, free, whole = [int(a) + int(b or 0) for a, b in ROW.findall(part)]
    assert sum(sections) + free == whole == plan["minutes"] and free >= whole / 4


@pytest.mark.parametrize("path", refresh.notebooks(), ids=lambda path: path.stem)
def test_the_sections_of_a_notebook_take_as_long_as_its_header_says(path):
    nb = refresh.read(path)
    header, sections = refresh.header(nb), make_plans.sections(nb)
    assert sum(exercises for _, exercises in sections.values()) == int(header["exercises"])
    # each is rounded, and up to a minute where it is shorter
    assert abs(sum(m for m, _ in sections.values()) - int(header["minutes"])) <= len(sections) * 0.6


def test_a_section_that_is_not_there_is_named_with_those_that_are():
    plan = {"minutes": 45, "parts": [["00_start_here.ipynb", "Gone"]]}
    with pytest.raises(ValueError, match=r"00_start_here.ipynb has no section \['Gone'\]; it has"):
        make_plans.table(plan)


def test_a_plan_that_is_too_full_is_refused():
    with pytest.raises(ValueError, match="the plan of 20 minutes has 1[6-9] in its sections"):
        make_plans.table({"minutes": 20, "parts": [["00_start_here.ipynb", "All notebooks"]]})


def test_a_section_whose_names_are_used_later_is_run_all_the_same():
    """And one that this needs in its turn; an exercise's solution uses names, too."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    solved = "<details><summary>Solution</summary>\n\n```\nanswer = total\n```\n\n</details>"
    nb = nbformat.v4.new_notebook(
        cells=[
            text("# One"),
            code("import math"),
            text("## First"),
            code("def area(radius):\n    return math.pi * radius**2"),
            text("## Second"),
            code("total = sum(area(r) for r in (1, 2))"),
            text("## Third\n\n**1.** How much?"),
            code("answer = ..."),
            text(solved),
        ]
    )
    assert make_plans.needed(nb, ["First"]) == {"First": ["Second"]}
    assert make_plans.needed(nb, ["Second"]) == {"Second": ["Third"]}
    assert make_plans.needed(nb, ["First", "Second"]) == {"First": ["Second"], "Second": ["Third"]}
    assert make_plans.needed(nb, ["Third"]) == {}


def test_a_plan_says_which_of_what_it_leaves_out_is_run():
    plan = {"minutes": 45, "parts": [["1_o1/03_vision.ipynb", "A part on the bench"]]}
    assert (
        "\nIn *Let o1 check a scanned form: pictures in a prompt*, *A part on the bench* is left out: "
        "run its cells all the same, as *Try it* uses them."
    ) in make_plans.table(plan)
