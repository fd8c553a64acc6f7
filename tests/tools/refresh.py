"""Prepare notebooks for a commit: `python -m tests.tools.refresh [notebook ...]` (default: all).

Runs each from top to bottom as a reader would, with the still pictures that static pages need, and
writes what is generated: the map in 00_start_here and README.md, and the links at the end of each.
What would make a diff noisy or show errors when reopened (timings, widget state) is left out.
"""

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
HEADER = re.compile(
    r"(?P<minutes>\d+) min · costs 0\.00 USD(?: here, (?P<usd>[\d.]+) USD at (?P<on>[\d-]+) prices)? · answers: (?P<origin>computed on this page|\w+)"
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


def read(path):
    """A notebook as it is; whether it is valid, nbval and `main` tell, which takes a hundred times
    as long.
    """
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def title(nb):
    return nb.cells[0].source.splitlines()[0].lstrip("# ")


def header(nb):
    """The figures of a notebook's header line: minutes, usd, on, origin; usd and on are None where
    no API is called.
    """
    found = HEADER.search(nb.cells[0].source)
    if not found:
        raise ValueError(
            "the first cell lacks the line `12 min · costs 0.00 USD here, 0.21 USD at 2024-12-17 prices · answers: constructed`"
        )
    return found.groupdict()


def result(nb):
    """What a notebook makes, in a sentence: its `You'll make` line."""
    return re.search(r"\*\*You'll make\*\* (.*)", nb.cells[0].source)[1].rstrip(".\\")


def map_table(folder=NOTEBOOKS):
    """The map of the collection, as a Markdown table whose links hold in `folder`."""
    rows = ["| theme | notebook | you'll make | min |", "|---|---|---|---:|"]
    for path in notebooks():
        nb = read(path)
        theme = THEMES[path.relative_to(NOTEBOOKS).parent.as_posix().replace(".", "")]
        link = path.relative_to(folder).as_posix()
        rows.append(f"| {theme} | [{title(nb)}]({link}) | {result(nb)} | {header(nb)['minutes']} |")
    return "\n".join(rows)


def readme(text):
    """README.md with the map of now."""
    return re.sub(
        r"(<!-- map -->\n).*?(<!-- /map -->)",
        lambda m: m[1] + map_table(ROOT) + "\n" + m[2],
        text,
        flags=re.S,
    )


def links(path):
    """Previous and next, as Markdown."""
    all_of_them = notebooks()
    i = all_of_them.index(path)
    parts = []
    for word, j in (("Previous", i - 1), ("Next", i + 1)):
        if 0 <= j < len(all_of_them):
            to = Path(os.path.relpath(all_of_them[j], path.parent)).as_posix()
            parts.append(f"{word}: [{title(read(all_of_them[j]))}]({to})")
    return " · ".join(parts)


def generated(path):
    """{tag: text} of the cells that are made, not written."""
    made = {"generated-links": links(path)}
    if path.name == "00_start_here.ipynb":
        made["generated-map"] = map_table()
    return made


def fill(nb, path):
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


def tidy(nb):
    nb.metadata = METADATA
    for cell in nb.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in ("tags",)}
        if "outputs" in cell:
            cell.outputs = whole_streams(cell.outputs)
        for output in cell.get("outputs", []):
            # a widget without its state shows an error when reopened; its static twin stands beside
            # it
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def main():
    os.environ |= {"DAY9_STILLS": "1", "DAY9_PACE": "0", "DAY9_MY_RECORDINGS": os.devnull}
    for path in [Path(p).resolve() for p in sys.argv[1:]] or notebooks():
        nb = read(path)
        fill(nb, path)
        run(nb, path)
        tidy(nb)
        nbformat.write(nb, path)
        print(path.relative_to(ROOT))
    file = ROOT / "README.md"
    file.write_text(readme(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
