"""curves(): a small line plot in SVG, quick enough to be drawn anew at every turn of a slider."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from .figures import COLOURS
from .shown import Shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


DASHES = ("", "7 4", "2 3", "9 3 2 3")  # a line is told by its dash, too
LEFT, TOP, WIDE, HIGH = 52, 30, 300, 150  # pixels of the plotting area


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
    drawn = [
        f'<path d="M{LEFT} {TOP}V{TOP + HIGH}H{LEFT + WIDE}" fill="none" stroke="currentColor" opacity=".6"/>'
    ]
    for i, (name, one) in enumerate(series.items()):
        points = " ".join(f"{across(j):.1f},{up(v):.1f}" for j, v in enumerate(one))
        look = f'stroke="{COLOURS[i]}" stroke-width="2.5" stroke-dasharray="{DASHES[i]}"'
        drawn.append(f'<polyline points="{points}" fill="none" {look}/>')
        at = LEFT + 8 + i * 110
        drawn.append(
            f'<path d="M{at} {TOP - 8}h24" {look}/>' + _text(at + 28, TOP - 4, name, "start")
        )
    ticks: list[tuple[float, float, str, str]] = [
        (LEFT - 5, up(v) + 4, f"{v:.2g}", "end") for v in (low, (low + high) / 2, high)
    ]
    ticks += [
        (across(0), TOP + HIGH + 15, "1", "middle"),
        (across(most - 1), TOP + HIGH + 15, f"{most}", "end"),
        (LEFT + WIDE / 2, TOP + HIGH + 17, x, "middle"),
    ]
    drawn += [_text(*tick) for tick in ticks]
    drawn.append(
        f'<g transform="rotate(-90 12 {TOP + HIGH / 2})">{_text(12, TOP + HIGH / 2, y, "middle")}</g>'
    )
    return Shown(
        said,
        '<div class="mathjax_ignore" style="display:inline-block;margin-right:1em">'
        f'<b style="display:block">{html.escape(title)}</b>'
        f'<svg role="img" aria-label="{html.escape(said)}" width="{LEFT + WIDE + 12}" height="{TOP + HIGH + 24}">{"".join(drawn)}</svg></div>',
    )


def beside(*shown: Shown, note: str = "") -> Shown:
    """Several Shown side by side, with a line of text under them."""
    return Shown(
        "\n".join([*map(repr, shown), *([note] if note else [])]),
        "".join(one._repr_html_() for one in shown)
        + (f'<div class="mathjax_ignore">{html.escape(note)}</div>' if note else ""),
    )


def _text(x, y, words, anchor):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor" font-size="12">{html.escape(words)}</text>'
