"""Write the pages for teachers: `python -m tests.tools.make_teaching` writes, from data/teaching/
and the exercises in the notebooks, into notebooks/teaching/ an answer sheet, a page for each
notebook, and the list of these pages in README.md.

What a check says to a wrong answer is what helpers.check says to it now. An answer that is a dict
stands for the solution with these values in the place of its own.
"""

import ast
import contextlib
import io
import tomllib

import helpers
from helpers.exercises.reasons import REASONS
from helpers.facts import DATA

from . import make_plans, refresh, solutions

TEXTS = DATA / "teaching"  # a file a theme, a table a notebook
FOLDER = refresh.NOTEBOOKS / "teaching"
ANSWERS, FIRST = FOLDER / "answers.md", FOLDER / "README.md"
BEGIN, END = "<!-- pages -->", "<!-- /pages -->"
ANSWERS_HEAD = """# The answer sheet

The answer to each exercise, and why it is right. Each has been run through its own check: `helpers.check` calls it right. `python -m tests.tools.make_solved` writes the notebooks with these answers in place, into `solved/`.
"""


def texts():
    """{notebook's name: its table in data/teaching/}, in reading order.

    LookupError for a table of no notebook, or a notebook that has none.
    """
    names = [_name(path) for path in refresh.notebooks()]
    found = {}
    for file in sorted(TEXTS.glob("*.toml")):
        found |= tomllib.loads(file.read_text(encoding="utf-8"))
    if odd := set(found) ^ set(names):
        raise LookupError(
            f"{min(odd)}: in data/teaching and in notebooks/ it is not the same: "
            "each notebook has one table there, under its path without .ipynb"
        )
    return {name: found[name] for name in names}


def _name(path):
    return path.relative_to(refresh.NOTEBOOKS).with_suffix("").as_posix()


def said_to(exercise, wrong):
    """(answer as it is shown, what its check says) of a wrong answer, which is an expression of
    Python.

    ValueError where the check calls it right.
    """
    answer = eval(wrong, {})
    if isinstance(answer, dict) and (right := _assigned(exercise.solution)):
        answer = right | answer
    with contextlib.redirect_stdout(io.StringIO()) as out:
        helpers.check(exercise.name, answer)
    said = out.getvalue().strip()
    if not said.startswith("Not yet: "):
        raise ValueError(f"{wrong} is no wrong answer to {exercise.name}: its check says {said}")
    return wrong, said


def _assigned(code):
    """The dict of literals that a solution assigns; {} where it is none."""
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            with contextlib.suppress(ValueError):
                return ast.literal_eval(node.value)
    return {}


def answer(exercise, level):
    """An exercise with its answer, as Markdown; `level`: the marks of its heading."""
    more = f"\n{exercise.more}\n" if exercise.more else ""
    return f"""{level} {exercise.name}

{exercise.asked}

```python
{exercise.solution}
```

*Why it is right.* {REASONS[exercise.name]}
{more}"""


def page(path, text):
    """The page of a notebook, as Markdown. ValueError for a section that is not there, and for a
    wrong answer that is none.
    """
    nb, up = refresh.read(path), "../" * (_name(path).count("/") + 1)
    minutes, exercises = refresh.times(nb)
    sections = make_plans.sections(nb)
    named = [heading for heading, _ in text["lost"]] + text["skip"]
    if unknown := [heading for heading in named if heading not in sections]:
        raise ValueError(f"{_name(path)} has no section {unknown[0]!r}; it has {list(sections)}")
    of = {exercise.name: exercise for exercise in solutions.of(nb)}
    using = make_plans.needed(nb, text["skip"])
    wrong = {name: [] for name in of}
    for name, expression in text["wrong"]:
        if name not in of:
            raise ValueError(f"{_name(path)} has no exercise {name!r}; it has {', '.join(of)}")
        wrong[name].append(said_to(of[name], expression))
    lines = [
        f"# To teach: {refresh.title(nb)}",
        f"[The notebook]({up}{_name(path)}.ipynb) takes one reader {minutes} minutes, and "
        f"{exercises} more for the exercises; plan half as much again for a class. What comes of "
        f"it: {refresh.result(nb)}.",
        "## Say first",
        text["first"],
        "## Where people get lost",
        "\n".join(f"- *{heading}*: {what}" for heading, what in text["lost"]),
        "## Answers",
        *[_with_slips(exercise, wrong[name]) for name, exercise in of.items()],
        "## What to skip when time is short",
        "\n".join(_skipped(heading, sections, using) for heading in text["skip"]),
        text["why"],
        f"[All pages for teachers]({up}teaching/README.md)",
    ]
    return "\n\n".join(lines) + "\n"


def _skipped(heading, sections, using):
    more = f"; {make_plans.all_the_same(using[heading])}" if heading in using else ""
    return f"- *{heading}*: {sections[heading][0]} min{more}"


def _with_slips(exercise, wrong):
    told = "\n".join(f"- `{slip}`\\\n  {said}" for slip, said in wrong)
    slips = f"\nLikely slips, and what the check says to them:\n\n{told}\n" * bool(wrong)
    return (answer(exercise, "###") + slips).rstrip()


def answer_sheet():
    """The page of all answers."""
    parts = [ANSWERS_HEAD]
    for path in refresh.notebooks():
        nb = refresh.read(path)
        parts.append(f"\n## {refresh.title(nb)}\n")
        parts += [f"\n{answer(exercise, '###')}" for exercise in solutions.of(nb)]
    return "".join(parts)


def listed():
    """The list of the pages, by theme, as Markdown."""
    lines = ["| theme | page | min, exercises |", "|---|---|---:|"]
    for path in refresh.notebooks():
        nb, name = refresh.read(path), _name(path)
        theme = refresh.THEMES[name.rpartition("/")[0]]
        minutes, exercises = refresh.times(nb)
        lines.append(f"| {theme} | [{refresh.title(nb)}]({name}.md) | {minutes}, {exercises} |")
    return "\n".join(lines)


def pages():
    """{file: its text} of all that is written."""
    before, _, rest = FIRST.read_text(encoding="utf-8").partition(BEGIN)
    made = {
        ANSWERS: answer_sheet(),
        FIRST: f"{before}{BEGIN}\n{listed()}\n{END}{rest.partition(END)[2]}",
    }
    for path, text in zip(refresh.notebooks(), texts().values(), strict=True):
        made[FOLDER / f"{_name(path)}.md"] = page(path, text)
    return made


def write():
    for file, text in pages().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
