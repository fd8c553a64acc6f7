"""Draw the diagrams of notebooks: `python -m tests.tools.make_diagrams` writes notebooks/diagrams
from data/diagrams.toml.

One style: all words stand in boxes with a ground of their own, and the lines between are of a grey
that shows on white and on black, so that one file does for the light and the dark theme.
"""

import html
import textwrap
import tomllib

from helpers.common.markup import Template
from helpers.facts import DATA
from tests import lab

FOLDER = lab.NOTEBOOKS / "diagrams"
WIDE = 760  # pixels; as a still picture
LETTER = 7.4  # pixels that a letter takes at most
ROW, HEAD, LINE = 44, 40, 18
INK, PAPER, GREY, EDGE, LABEL = "#1b2733", "#dcebf7", "#7f8a94", "#3f6d94", "#fdf3d7"
DRAWING = Template("""
<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{{ says }}" width="{{ wide }}" height="{{ high }}" viewBox="0 0 {{ wide }} {{ high }}" font-family="system-ui, sans-serif" font-size="13">
  <title>{{ says }}</title>
  <defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10Z" fill="{{ grey }}"/></marker></defs>
  {% for x1, y1, x2, y2, tip in lines %}
    <path d="M{{ x1 }} {{ y1 }}L{{ x2 }} {{ y2 }}" stroke="{{ grey }}" stroke-width="2" fill="none"{% if tip %} marker-end="url(#tip)"{% endif %}/>
  {% endfor %}
  {% for x, y, w, h, fill, words in boxes %}
    <rect x="{{ x }}" y="{{ y }}" width="{{ w }}" height="{{ h }}" rx="6" fill="{{ fill }}" stroke="{{ edge }}"/>
    {% for line, weight in words %}
      <text x="{{ x + w / 2 }}" y="{{ y + 17 + 18 * loop.index0 }}" text-anchor="middle" fill="{{ ink }}" font-weight="{{ weight }}">{{ line }}</text>
    {% endfor %}
  {% endfor %}
</svg>
""")
CELL = """![{says}.]({path})

<details><summary>The diagram in words</summary>

{words}

</details>"""


def diagrams():
    """{name: its table in data/diagrams.toml}."""
    return tomllib.loads((DATA / "diagrams.toml").read_text(encoding="utf-8"))


def svg(diagram):
    """The drawing, as the text of an SVG file."""
    lines, boxes, high = _ladder(diagram) if "actors" in diagram else _flow(diagram)
    return (
        DRAWING.render(
            says=diagram["says"], wide=WIDE, high=high, lines=lines, boxes=boxes,
            ink=INK, grey=GREY, edge=EDGE,
        )
        + "\n"
    )  # fmt: skip


def _ladder(diagram):
    actors, steps = diagram["actors"], diagram["steps"]
    column = WIDE / len(actors)
    middle = lambda i: column * (i + 0.5)
    high = HEAD + ROW * len(steps) + 12
    lines = [(middle(i), HEAD - 10, middle(i), high - 4, False) for i in range(len(actors))]
    boxes = []
    for i, name in enumerate(actors):
        wide = LETTER * len(name) + 24
        boxes.append((middle(i) - wide / 2, 4, wide, 26, PAPER, [(name, "bold")]))
    for n, (source, to, words) in enumerate(steps):
        y = HEAD + ROW * n + 20
        wide = LETTER * len(words) + 16
        if source != to:
            lines.append((middle(source), y + 13, middle(to), y + 13, True))
            x = (middle(source) + middle(to)) / 2 - wide / 2
        else:
            x = min(middle(source) - wide / 2, WIDE - wide - 2)
        boxes.append(
            (max(x, 2), y - 12, wide, 24, LABEL if source != to else PAPER, [(words, "normal")])
        )
    return lines, boxes, high


def _flow(diagram):
    gap, n = 26, len(diagram["boxes"])
    wide = (WIDE - 4 - gap * (n - 1)) / n
    told = [
        [(title, "bold")]
        + [(line, "normal") for line in textwrap.wrap(words, int(wide / LETTER) - 1)]
        for title, words in diagram["boxes"]
    ]
    tall = max(map(len, told)) * LINE + 14
    boxes, lines = [], []
    for i, words in enumerate(told):
        x = 2 + i * (wide + gap)
        boxes.append((x, 4, wide, tall, PAPER, words))
        if i:
            lines.append((x - gap, 4 + tall / 2, x, 4 + tall / 2, True))
    high = tall + 10
    if "back" in diagram:
        y, left, right = tall + 26, 2 + wide / 2, WIDE - 2 - wide / 2
        lines += [
            (right, tall + 4, right, y, False),
            (right, y, left, y, False),
            (left, y, left, tall + 6, True),
        ]
        room = LETTER * len(diagram["back"]) + 16
        boxes.append((WIDE / 2 - room / 2, y - 12, room, 24, LABEL, [(diagram["back"], "normal")]))
        high = y + 16
    return lines, boxes, high


def words(diagram):
    """The same as a list in Markdown."""
    if "actors" in diagram:
        actors = [f"**{name}**" for name in diagram["actors"]]
        said = [
            f"{actors[a]} → {actors[b]}: {what}" if a != b else f"{actors[a]} {what}"
            for a, b, what in diagram["steps"]
        ]
    else:
        said = [f"**{title}**: {what}" for title, what in diagram["boxes"]]
        said += [f"then {diagram['back']}"] if "back" in diagram else []
    return "\n".join(f"{i}. {html.escape(line, quote=False)}" for i, line in enumerate(said, 1))


def cell(notebook):
    """The Markdown of the diagram of a notebook (a path below notebooks/), "" where it has none."""
    for name, diagram in diagrams().items():
        if diagram["notebook"] == notebook:
            path = "../" * notebook.count("/") + f"diagrams/{name}.svg"
            return CELL.format(says=diagram["says"], path=path, words=words(diagram))
    return ""


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, diagram in diagrams().items():
        (FOLDER / f"{name}.svg").write_text(svg(diagram), encoding="utf-8")


if __name__ == "__main__":
    main()
