"""curves(): a small line plot in SVG, quick enough to be drawn anew at every turn of a slider."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .markup import Template
from .shown import COLOURS, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DASHES = ("", "7 4", "2 3", "9 3 2 3")  # a line is told by its dash, too
LEFT, TOP, WIDE, HIGH = 52, 30, 300, 150  # pixels of the plotting area
FRAME = {
    "width": LEFT + WIDE + 12,
    "height": TOP + HIGH + 24,
    "left": LEFT,
    "top": TOP,
    "right": LEFT + WIDE,
    "bottom": TOP + HIGH,
    "middle": TOP + HIGH / 2,
}


PLOT = Template("""
{% macro text(x, y, words, anchor) %}
  <text x="{{ "%.1f" | format(x) }}" y="{{ "%.1f" | format(y) }}" text-anchor="{{ anchor }}" fill="currentColor" font-size="12">{{ words }}</text>
{% endmacro %}
<div class="mathjax_ignore" style="display:inline-block;margin-right:1em">
  <b style="display:block">{{ title }}</b>
  <svg role="img" aria-label="{{ said }}" width="{{ width }}" height="{{ height }}">
    <path d="M{{ left }} {{ top }}V{{ bottom }}H{{ right }}" fill="none" stroke="currentColor" opacity=".6"/>
    {% for line in lines %}
      {% set look %}stroke="{{ line.colour }}" stroke-width="2.5" stroke-dasharray="{{ line.dash }}"{% endset %}
      <polyline points="{{ line.points }}" fill="none" {{ look }}/>
      <path d="M{{ line.at }} {{ top - 8 }}h24" {{ look }}/>
      {{ text(line.at + 28, top - 4, line.name, "start") }}
    {% endfor %}
    {% for tick in ticks %}{{ text(*tick) }}{% endfor %}
    <g transform="rotate(-90 12 {{ middle }})">{{ text(12, middle, y, "middle") }}</g>
  </svg>
</div>
""")
BESIDE = Template("""
{% for one in shown %}{{ one._repr_html_() | safe }}{% endfor %}
{% if note %}<div class="mathjax_ignore">{{ note }}</div>{% endif %}
""")


def curves(
    series: Mapping[str, Sequence[float]],
    *,
    title: str,
    x: str,
    y: str,
    span: tuple[float, float] | None = None,
) -> Shown:
    """Curves over the steps 1, 2, ..., as a Shown: SVG in a notebook, first and last values as
    text.

    `series`: {name: values}, up to 4, each a sequence of finite numbers. `title`, `x`, `y`: text
    with units. `span`: (lowest, highest) of the y axis; left out, that of the values. ValueError
    for no values.
    """
    values = [v for one in series.values() for v in one]
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(
            f"curves() draws finite numbers, and {title!r} has " + ("others" if values else "none")
        )
    low, high = span or (min(values), max(values))
    high = high if high > low else low + 1
    most = max(map(len, series.values()))
    across = lambda i: LEFT + WIDE * i / max(most - 1, 1)
    up = lambda v: TOP + HIGH * (1 - (min(max(v, low), high) - low) / (high - low))
    said = f"{title}: " + "; ".join(
        f"{name} from {one[0]:.3g} to {one[-1]:.3g}" for name, one in series.items()
    )
    points = lambda one: " ".join(f"{across(j):.1f},{up(v):.1f}" for j, v in enumerate(one))
    lines = [
        {
            "name": name,
            "points": points(one),
            "colour": COLOURS[i],
            "dash": DASHES[i],
            "at": LEFT + 8 + i * 110,
        }
        for i, (name, one) in enumerate(series.items())
    ]
    marks = (low, (low + high) / 2, high)
    ticks: list[tuple[float, float, str, str]] = [
        *((LEFT - 5, up(v) + 4, f"{v:.2g}", "end") for v in marks),
        (across(0), TOP + HIGH + 15, "1", "middle"),
        (across(most - 1), TOP + HIGH + 15, f"{most}", "end"),
        (LEFT + WIDE / 2, TOP + HIGH + 17, x, "middle"),
    ]
    return Shown(
        said,
        PLOT.render(
            title=title,
            said=said,
            **FRAME,
            lines=lines,
            ticks=ticks,
            y=y,
        ),
    )


def beside(*shown: Shown, note: str = "") -> Shown:
    """Several Shown side by side, with a line of text under them."""
    return Shown(
        "\n".join([*map(repr, shown), *([note] if note else [])]),
        BESIDE.render(shown=shown, note=note),
    )
