"""Prepare notebooks for a commit: `python -m tests.tools.refresh [notebook ...]` (default: all).

Runs each from top to bottom as a reader would, with the still pictures that static pages need, and
writes what is generated: the map in 00_start_here and README.md, the links at the end of each, the
glossary, the plans for a class and the pages for teachers, the times, and the diagrams' words.
What would make a diff noisy or show errors when reopened (timings, widget state) is left out.
"""

import hashlib
import os
import re
import sys
from pathlib import Path

import nbclient
import nbformat
import nbformat.v4

from tests import lab

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
GLOSSARY = NOTEBOOKS / "glossary.md"
TIMES = re.compile(r"^(?P<minutes>\d+) min(?:, exercises (?P<exercises>\d+))? ·", re.M)
WORDS_A_MINUTE, SECONDS_A_LINE, MINUTES_AN_EXERCISE = 180, 5, 4
FOLDED = re.compile(r"<details>.*?</details>", re.S)
HEADER = re.compile(
    r"(?P<minutes>\d+) min(?:, exercises (?P<exercises>\d+))? · costs 0\.00 USD(?: here, (?P<usd>[\d.]+) USD at (?P<on>[\d-]+) prices)? · answers: (?P<origin>computed on this page|\w+)"
)
# As JupyterLab writes it when a notebook is opened, but for the Python's version, which is the
# reader's (helpers/lab_settings). ipykernel is what says it.
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
THEMES = {
    "": "Start",
    "1_o1": "o1",
    "2_realtime": "Realtime",
    "3_dpo": "Preference tuning",
    "4_costs": "Costs",
    "5_sdks": "SDKs",
}


def notebooks():
    """All notebooks, in reading order."""
    return sorted(NOTEBOOKS / path for path in lab.notebooks())


def chosen(args):
    """The notebooks at these paths; all, where there are none. Ends with 1 for what is none."""
    there = {path.resolve(): path for path in notebooks()}
    if unknown := [arg for arg in args if Path(arg).resolve() not in there]:
        sys.exit(
            f"{unknown[0]} is none of the notebooks: {', '.join(lab.notebooks())} in notebooks/"
        )
    return [there[Path(arg).resolve()] for arg in args] or notebooks()


def read(path):
    """A notebook as it is; whether it is valid, nbval and `main` tell, which takes a hundred times
    as long.
    """
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def title(nb):
    return nb.cells[0].source.splitlines()[0].lstrip("# ")


def times(nb):
    """(minutes for reading and running, minutes for the exercises), by one rule: 180 words a minute
    and 5 seconds a line of code; 4 minutes an exercise. What is folded or generated is not counted.
    """
    words = lines = exercises = 0
    for cell in nb.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code":
            exercises += "starter" in tags
            lines += len([line for line in cell.source.splitlines() if line.strip()])
        elif not any(tag.startswith("generated") for tag in tags):
            words += len(FOLDED.sub("", cell.source).split())
    return (
        round(words / WORDS_A_MINUTE + lines * SECONDS_A_LINE / 60),
        exercises * MINUTES_AN_EXERCISE,
    )


def timed(nb):
    """The first cell of a notebook, with the times of now."""
    read, exercises = times(nb)
    return TIMES.sub(f"{read} min, exercises {exercises} ·", nb.cells[0].source, count=1)


def header(nb):
    """The figures of a notebook's header line: minutes, exercises, usd, on, origin; usd and on are
    None where no API is called.
    """
    found = HEADER.search(nb.cells[0].source)
    if not found:
        raise ValueError(
            "the first cell lacks the line `12 min, exercises 8 · costs 0.00 USD here, 0.21 USD at 2024-12-17 prices · answers: constructed`"
        )
    return found.groupdict()


def result(nb):
    """What a notebook makes, in a sentence: its `You'll make` line."""
    return re.search(r"\*\*You'll make\*\* (.*)", nb.cells[0].source)[1].rstrip(".\\")


def map_table(folder=NOTEBOOKS):
    """The map of the collection, as a Markdown table whose links hold in `folder`."""
    rows = ["| theme | notebook | you'll make | min, exercises |", "|---|---|---|---:|"]
    for path in notebooks():
        nb = read(path)
        theme = THEMES[path.relative_to(NOTEBOOKS).parent.as_posix().replace(".", "")]
        link = path.relative_to(folder).as_posix()
        read_it, do_it = times(nb)
        rows.append(f"| {theme} | [{title(nb)}]({link}) | {result(nb)} | {read_it}, {do_it} |")
    return "\n".join(rows)


def map_in_chinese():
    """The same for README.zh-CN.md, with the titles of data/notebooks_zh.csv."""
    from helpers.facts import tables  # not before: a notebook under test is to import it itself

    titles = {row["notebook"]: row["title"] for row in tables.rows("notebooks_zh.csv")}
    rows = ["| notebook | 分钟，练习 |", "|---|---:|"]
    for path in notebooks():
        nb, name = read(path), path.relative_to(NOTEBOOKS).as_posix()
        read_it, do_it = times(nb)
        rows.append(f"| [{titles.get(name, title(nb))}](notebooks/{name}) | {read_it}, {do_it} |")
    return "\n".join(rows)


def hours():
    """The hours of all notebooks: for reading and running, and for the exercises."""
    minutes = [times(read(path)) for path in notebooks()]
    return " + ".join(f"{sum(part) / 60:.1f}" for part in zip(*minutes))


def readme(text, table):
    """A README with a map and the hours of now."""
    for name, now in {"map": f"\n{table}\n", "hours": hours()}.items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(begin)
        text = before + begin + now + end + rest.partition(end)[2]
    return text


READMES = {"README.md": lambda: map_table(ROOT), "README.zh-CN.md": map_in_chinese}


def glossary():
    """notebooks/glossary.md: each word of data/glossary.csv, its meaning, and where it is first
    met: where a page links it, else where a text has it that was written, not generated.
    """
    from helpers.facts import tables

    texts = {
        path: " ".join(
            cell.source
            for cell in read(path).cells
            if cell.cell_type == "markdown"
            and not any(tag.startswith("generated") for tag in cell.metadata.get("tags", []))
        ).lower()
        for path in notebooks()
    }
    lines = ["| word | what it means here | first met in |", "|---|---|---|"]
    for row in sorted(tables.rows("glossary.csv"), key=lambda row: row["term"].lower()):
        word = rf"(?<!\w){re.escape(row['term'].split(' (')[0].lower())}s?(?!\w)"
        linked = rf"\[{word}\]\([./]*glossary\.md\)"
        first = next(
            (
                path
                for how in (linked, word)
                for path, text in texts.items()
                if re.search(how, text)
            ),
            None,
        )
        met = f"[{title(read(first))}]({first.relative_to(NOTEBOOKS).as_posix()})" if first else "–"
        lines.append(f"| **{row['term']}** | {row['meaning']} | {met} |")
    return "# The words of these notebooks\n\n" + "\n".join(lines) + "\n"


def links(path):
    """Previous, next and the glossary, as Markdown."""
    all_of_them = notebooks()
    i = all_of_them.index(path)
    parts = []
    for word, j in (("Previous", i - 1), ("Next", i + 1)):
        if 0 <= j < len(all_of_them):
            to = Path(os.path.relpath(all_of_them[j], path.parent)).as_posix()
            parts.append(f"{word}: [{title(read(all_of_them[j]))}]({to})")
    to = Path(os.path.relpath(GLOSSARY, path.parent)).as_posix()
    parts.append(f"[What the words mean]({to})")
    return " · ".join(parts)


def generated(path):
    """{tag: text} of the cells that are made, not written."""
    from tests.tools import make_diagrams

    made = {"generated-links": links(path)}
    if diagram := make_diagrams.cell(path.relative_to(NOTEBOOKS).as_posix()):
        made["generated-diagram"] = diagram
    if path.name == "00_start_here.ipynb":
        made["generated-map"] = map_table()
    return made


def fill(nb, path):
    nb.cells[0].source = timed(nb)
    made = generated(path)
    for cell in nb.cells:
        for tag, text in made.items():
            if tag in cell.metadata.get("tags", []):
                cell.source = text


def run(nb, path):
    """Execute in a new kernel, in the notebook's own folder; raises nbclient's
    CellExecutionError.
    """
    client = nbclient.NotebookClient(
        nb,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
    )
    client.execute()


def whole_streams(outputs):
    """What was printed in pieces, such as a streamed answer, as the one text that it is."""
    joined = []
    for output in outputs:
        if joined and output.output_type == "stream" and joined[-1].get("name") == output.name:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def codes(nb):
    """{id of a code cell: its code, hashed}. JupyterLab keeps the number and the outputs of a cell
    that was changed: only what was there when it ran tells.
    """
    return {
        cell.id: hashlib.sha256(cell.source.encode()).hexdigest()[:12]
        for cell in nb.cells
        if cell.cell_type == "code"
    }


def tidy(nb):
    nb.metadata = METADATA | {"ran": codes(nb)}
    for cell in nb.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("tags",)}
        if "outputs" in cell:
            cell.outputs = whole_streams(cell.outputs)
        for output in cell.get("outputs", []):
            # a widget without its state shows an error when reopened; its static twin stands beside
            # it
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def alike():
    """What kernels get in their environment so that a page does not depend on who runs it."""
    from tests import parts

    nobodys = dict.fromkeys(
        ("DAY9_MY_RECORDINGS", "DAY9_MY_PROGRESS", "DAY9_MY_MODELS"), os.devnull
    )
    without = {
        "TESTS_WITHOUT": parts.WITHOUT,
        "PYTHONPATH": str(ROOT / "tests" / "no_network"),
    }
    return {"DAY9_STILLS": "1", "DAY9_PACE": "0"} | nobodys | without


def main():
    os.environ |= alike()
    for path in chosen(sys.argv[1:]):
        nb = read(path)
        fill(nb, path)
        run(nb, path)
        tidy(nb)
        nbformat.write(nb, path)
        print(path.relative_to(ROOT))
    from tests.tools import make_plans, make_teaching

    GLOSSARY.write_text(glossary(), encoding="utf-8")
    make_plans.PLANS.write_text(make_plans.text(), encoding="utf-8")
    make_teaching.write()
    for name, table in READMES.items():
        file = ROOT / name
        file.write_text(readme(file.read_text(encoding="utf-8"), table()), encoding="utf-8")


if __name__ == "__main__":
    main()
