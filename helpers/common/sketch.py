"""curves(): a small line plot in SVG, quick enough to be drawn anew at every turn of a slider."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .markup import Template
from .shown import COLOURS, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DASHES = ("", "7 4", "2 3", "9 3 2 3")  # a line is told by its dash, too
LEFT, TOP, WIDE, HIGH = 52, 30, 340, 150  # pixels of the plotting area
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
  <svg role="img" aria-label="{{ said }}" width="{{ width }}" height="{{ height }}" viewBox="0 0 {{ width }} {{ height }}" style="max-width:100%;height:auto">
    <path d="M{{ left }} {{ top }}V{{ bottom }}H{{ right }}" fill="none" stroke="currentColor" opacity=".6"/>
    {% for line in lines %}
      {% set look %}stroke="{{ line.colour }}" stroke-width="2.5" stroke-dasharray="{{ line.dash }}"{% endset %}
      <polyline points="{{ line.points }}" fill="none" {{ look }}/>
      <path d="M{{ line.at }} {{ top - 16 }}h18" {{ look }}/>
      {{ text(line.at + 22, top - 12, line.name, "start") }}
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
    each: float = 1,
    until: float | None = None,
) -> Shown:
    """Curves over the steps 1, 2, ..., as a Shown: SVG in a notebook, first and last values as
    text.

    `series`: {name: values}, up to 4, each a sequence of finite numbers. `title`, `x`, `y`: text
    with units. `span`: (lowest, highest) of the y axis; left out, that of the values. `each`: how
    far apart two steps are, in the unit of `x`; `until`: where its axis ends; left out, at the last
    step. Give both ends of the axes where a slider is to bend the curve, and not the axes.
    ValueError for no values.
    """
    values = [v for one in series.values() for v in one]
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(
            f"curves() draws finite numbers, and {title!r} has " + ("others" if values else "none")
        )
    low, high = span or (min(values), max(values))
    high = high if high > low else low + 1
    most = max(map(len, series.values()))
    first, last = each, until or most * each
    across = lambda at: LEFT + WIDE * (at - first) / max(last - first, each)
    up = lambda v: TOP + HIGH * (1 - (min(max(v, low), high) - low) / (high - low))
    said = f"{title}: " + "; ".join(
        f"{name} from {one[0]:.3g} to {one[-1]:.3g}" for name, one in series.items()
    )
    points = lambda one: " ".join(
        f"{across(j * each):.1f},{up(v):.1f}" for j, v in enumerate(one, 1)
    )
    room = [40 + 7 * len(name) for name in series]  # of a dash, a name of 12 pixels, and a gap
    closer = min(1, WIDE / sum(room))
    lines = [
        {
            "name": name,
            "points": points(one),
            "colour": COLOURS[i],
            "dash": DASHES[i],
            "at": round(LEFT + closer * sum(room[:i]), 1),
        }
        for i, (name, one) in enumerate(series.items())
    ]
    ticks: list[tuple[float, float, str, str]] = [
        *((LEFT - 5, up(v) + 4, f"{v:g}", "end") for v in _round(low, high)),
        (across(first), TOP + HIGH + 15, f"{first:g}", "middle"),
        (across(last), TOP + HIGH + 15, f"{last:g}", "end"),
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


def _round(low, high):
    """Three to six round numbers from `low` to `high`."""
    rough = (high - low) / 3
    ten = 10.0 ** math.floor(math.log10(rough))
    step = next(k * ten for k in (5, 2, 1) if k * ten <= rough)
    return [round(i * step, 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def beside(*shown: Shown, note: str = "") -> Shown:
    """Several Shown side by side, with a line of text under them."""
    return Shown(
        "\n".join([*map(repr, shown), *([note] if note else [])]),
        BESIDE.render(shown=shown, note=note),
    )
