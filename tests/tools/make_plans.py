"""Write the plans for a class: `python -m tests.tools.make_plans` writes
notebooks/teaching/plans.md from data/teaching.toml.

A section's minutes are counted by the rule of the notebooks' headers (refresh.times), for somebody
who reads alone. A class takes longer, so what a plan leaves free for it is a row, too.
"""

import ast
import re
import tomllib
from types import SimpleNamespace

from helpers.facts import DATA

from . import refresh

PLANS = refresh.NOTEBOOKS / "teaching" / "plans.md"
FREE = 1 / 4  # of a plan's minutes at least: questions, and whatever does not work at once
SOLUTION = re.compile(r"<summary>Solution</summary>\s+```\w*\n(.*?)```", re.S)
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


def needed(nb, left_out):
    """{section that is left out: the sections that use what its cells define}, in order.

    A class runs these cells all the same, without a word on them.
    """
    cells, heading = [], OPENING
    for cell in nb.cells:
        code = [cell.source]
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^## (.+)", cell.source, re.M) or [heading])[-1]
            code = SOLUTION.findall(cell.source)
        cells += [(heading, *_names(source)) for source in code]
    found, grown = {}, True
    while grown:  # what is run all the same may need another that was left out
        grown, there = False, set()
        for number, (heading, made, used) in enumerate(cells):
            if heading in left_out and heading not in found:
                continue
            for name in sorted(used - there - made):
                of = [of for of, makes, _ in cells[:number] if name in makes]
                if of and heading not in found.setdefault(of[-1], []):
                    found[of[-1]].append(heading)
                    grown = True
            there |= made
    return {heading: found[heading] for heading, *_ in cells if heading in found}


def _names(code):
    """(names that a cell defines, names that it uses)."""
    made, used = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.alias):
            made.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            made.add(node.name)
    return made, used


def all_the_same(using):
    """What a teacher is told of a section that is left out and that others use."""
    headings = [f"*{heading}*" for heading in using]
    who = headings[0] if len(headings) == 1 else f"{', '.join(headings[:-1])} and {headings[-1]}"
    return f"run its cells all the same, as {who} {'uses' if len(headings) == 1 else 'use'} them"


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
    for name, *left_out in plan["parts"]:
        nb = refresh.read(refresh.NOTEBOOKS / name)
        for heading, using in needed(nb, left_out).items():
            lines.append(
                f"\nIn *{refresh.title(nb)}*, *{heading}* is left out: {all_the_same(using)}."
            )
    return "\n".join(lines)


def text():
    """The page of all plans."""
    return HEAD + "".join(
        f"\n## {plan['minutes']} minutes: {plan['title']}\n\n{plan['result']}\n\n{table(plan)}\n"
        for plan in plans()
    )


if __name__ == "__main__":
    PLANS.write_text(text(), encoding="utf-8")
