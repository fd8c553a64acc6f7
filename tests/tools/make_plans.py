"""Write the plans for a class: `python -m tests.tools.make_plans` writes
notebooks/teaching/plans.md from data/teaching.toml.

A section's minutes are counted by the rule of the notebooks' headers (refresh.times), for somebody
who reads alone. A class takes longer, so what a plan leaves free for it is a row, too.
"""

import re
import tomllib
from types import SimpleNamespace

from helpers.facts import DATA

from . import refresh

PLANS = refresh.NOTEBOOKS / "teaching" / "plans.md"
FREE = 1 / 4  # of a plan's minutes at least: questions, and whatever does not work at once
HEADING = re.compile(r"^(?=## )", re.M)
OPENING = "Opening"
HEAD = """# Plans for a class

Each plan wants everything installed before: `python start.py lab` once at home, or on each machine of the room. The minutes follow from the notebooks, by the rule of their headers: 180 words a minute, 5 seconds a line of code, 4 minutes an exercise, a minute a section at least. *Free* is what then remains of the plan for questions and for what does not work at once; it is a quarter or more. Nothing needs a network or a key. What else a teacher needs is [here](README.md).
"""


def plans():
    """The plans of data/teaching.toml, as dicts."""
    return tomllib.loads((DATA / "teaching.toml").read_text(encoding="utf-8"))["plan"]


def sections(nb):
    """{heading: (minutes for reading and running, minutes for the exercises)}, in order."""
    parts, heading = {}, OPENING
    for cell in nb.cells:
        for source in HEADING.split(cell.source) if cell.cell_type == "markdown" else [cell.source]:
            found = re.match(r"## (.+)", source)
            heading = found[1] if found and cell.cell_type == "markdown" else heading
            part = SimpleNamespace(cell_type=cell.cell_type, metadata=cell.metadata, source=source)
            parts.setdefault(heading, []).append(part)
    counted = {name: refresh.times(SimpleNamespace(cells=cells)) for name, cells in parts.items()}
    return {name: (max(1, minutes), exercises) for name, (minutes, exercises) in counted.items()}


def rows(plan):
    """[(notebook's path, its title, heading, minutes, minutes for exercises)] of a plan.

    ValueError for a section that is to be left out and is not there.
    """
    found = []
    for name, *left_out in plan["parts"]:
        nb = refresh.read(refresh.NOTEBOOKS / name)
        there = sections(nb)
        if unknown := set(left_out) - set(there):
            raise ValueError(f"{name} has no section {sorted(unknown)}; it has {list(there)}")
        found += [
            (name, refresh.title(nb), heading, *minutes)
            for heading, minutes in there.items()
            if heading not in left_out
        ]
    return found


def table(plan):
    """A plan as Markdown. ValueError where it leaves too little free."""
    lines = ["| notebook | section | min | exercises |", "|---|---|---:|---:|"]
    used, before = 0, None
    for name, title, heading, minutes, exercises in rows(plan):
        used += minutes + exercises
        notebook = f"[{title}](../{name})" if name != before else ""
        lines.append(f"| {notebook} | {heading} | {minutes} | {exercises or ''} |")
        before = name
    free = plan["minutes"] - used
    if free < FREE * plan["minutes"]:
        raise ValueError(
            f"the plan of {plan['minutes']} minutes has {used} in its sections: leave some out"
        )
    lines.append(f"| *Free* | questions, and what does not work at once | {free} |  |")
    lines.append(f"| **Sum** |  | **{plan['minutes']}** |  |")
    return "\n".join(lines)


def text():
    """The page of all plans."""
    return HEAD + "".join(
        f"\n## {plan['minutes']} minutes: {plan['title']}\n\n{plan['result']}\n\n{table(plan)}\n"
        for plan in plans()
    )


if __name__ == "__main__":
    PLANS.write_text(text(), encoding="utf-8")
