"""The plans for a class: their minutes are those of the notebooks, and add up."""

import re

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
