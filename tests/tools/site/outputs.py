"""What a notebook's stored outputs become on a page that no kernel stands behind."""

import base64
import csv
import json
import re

from helpers.common.markup import Template
from tests.tools import refresh

KINDS = ("text/html", "text/markdown", "text/plain")  # that a page can show, the best first
PLOTLY = "application/vnd.plotly.v1+json"
# How the widgets of helpers/ name themselves in text; tests/tools/test_make_site.py holds it to
# them.
SOUND = re.compile(r"Sound of .*?, (?P<seconds>[\d.]+) s: (?P<words>.*)", re.S)
SPEAKER = re.compile(r"A reindeer says: (?P<words>.*)", re.S)
WIDGET = re.compile(
    r"A slider for |A widget to |A bill to explore|A reindeer |A progress bar |Sound of |The tax-form assistant: "
    r"|Two pages to talk to|A page with a reindeer to talk to|What the conversations took just now, "
)
SKETCH = re.compile(
    r'<img (?=[^>]*? src="data:image/svg\+xml;base64,([^"]+)")'
)  # of helpers.common.still
FIGURE = Template("""
<figure class="plot">
  <img alt="{{ alt }}" src="data:image/png;base64,{{ png }}">
  <script type="application/json">{{ drawn | safe }}</script>
</figure>
""")
PICTURE = Template("""
<img alt="{{ alt }}" src="data:image/png;base64,{{ png }}">
""")
PLAYER = Template("""
<audio controls preload="metadata" aria-label="{{ words }}" src="{{ source }}"></audio>
""")
WHERE = Template("""
<p class="where">{{ what }} where the notebook runs: <code>python start.py lab</code>.</p>
""")


def read(file):
    """The notebook in a file. ValueError where it holds none, such as a merge left half done."""
    try:
        nb = refresh.read(file)
    except (json.JSONDecodeError, AttributeError) as error:
        raise ValueError("it holds no notebook of format 4") from error
    if not isinstance(nb, dict) or "cells" not in nb:
        raise ValueError("it holds no notebook of format 4")
    return nb


def not_run(nb):
    """Why the outputs of a notebook are not those that a reader should have, or None."""
    cells = [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]
    ran, codes = nb.metadata.get("ran", {}), refresh.codes(nb)
    for number, cell in enumerate(cells, 1):
        first = cell.source.strip().splitlines()[0]
        if cell.execution_count is None:
            return f"the cell `{first}` was changed and not run"
        if cell.execution_count != number:
            return f"the cell `{first}` was run as number {cell.execution_count}, not {number}"
        if ran.get(cell.id) != codes[cell.id]:
            return f"the cell `{first}` was changed after `python -m tests.tools.refresh` ran it"
        for output in cell.outputs:
            meant = "raises-exception" in cell.metadata.get("tags", [])
            if output.output_type == "error" and not meant:
                return f"the cell `{first}` stopped with a {output.ename}"
    return None


def clips(root):
    """The rows of data/audio/clips.csv."""
    with open(root / "data" / "audio" / "clips.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown(nb, sounds, to_root):
    """Replace what only a kernel or JupyterLab can show, in place.

    `sounds`: what `clips` returns. `to_root`: the way from the notebook's folder to the root.
    ValueError for a figure without a still, and for an output of a kind that no page can show.
    """
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = "".join(data.get("text/plain", ""))
            if PLOTLY in data or "image/png" in data:
                output["data"] = {"text/html": _picture(output, text)}
            elif WIDGET.match(text):
                still = "".join(data.get("text/html", "")) or _pre(text)
                if not SPEAKER.fullmatch(text):
                    still = SKETCH.sub(_sketch, still)
                beside = _beside(text, sounds, to_root)
                output["data"] = {"text/html": f"{still}{beside}"}
            elif data and not set(KINDS) & set(data):
                raise ValueError(f"no page can show an output of {', '.join(sorted(data))}")


def _picture(output, text):
    png = "".join(output.data.get("image/png", "")).replace("\n", "")
    if not png:
        raise ValueError(f"the figure `{text[:60]}` has no still")
    alt = output.metadata.get("image/png", {}).get("alt") or text.removeprefix("Figure: ")
    if PLOTLY not in output.data:
        return PICTURE.render(alt=alt, png=png)
    drawn = json.dumps(output.data[PLOTLY], ensure_ascii=False).replace("</", "<\\/")
    return FIGURE.render(alt=alt, png=png, drawn=drawn)


def _pre(text):
    return Template("<pre>{{ text }}</pre>").render(text=text)


def _sketch(picture):
    """A drawing of lines by its class, which a dark page shows dark; one that holds a photo as it
    is.
    """
    lines = b"<image" not in base64.b64decode(picture[1])
    return '<img class="sketch" ' if lines else picture[0]


def _beside(text, sounds, to_root):
    """The player of the clip that a widget plays, or the line that says where it does."""
    sound = SOUND.fullmatch(text)
    said = sound or SPEAKER.fullmatch(text)
    for row in sounds if said else []:
        begin, end = int(row["start_ms"]), int(row["end_ms"])
        lasts = not sound or abs((end - begin) / 1000 - float(sound["seconds"])) < 0.1
        if lasts and _same(said["words"], row["transcript"]):
            part = f"#t={begin / 1000},{end / 1000}" if begin else ""
            player = PLAYER.render(
                words=row["transcript"], source=f"{to_root}data/audio/{row['file']}{part}"
            )
            return player if sound else player + WHERE.render(what="It moves")
    return WHERE.render(what="It plays" if sound else "It moves and answers")


def _same(words, transcript):
    """Long words are stored with an ellipsis in the place of their end."""
    if words.endswith("…"):
        return transcript.startswith(words[:-1])
    return words == transcript
