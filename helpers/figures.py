"""figure(): a plotly figure with caption, source, alt text and, when a notebook is prepared for
commit, a still.
"""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

from .common.markup import Template
from .common.rounded import rounded
from .common.shown import COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go


# A title in the page, which wraps where a window is narrow; one in the drawing is cut off.
ABOVE = Template("""
<p class="mathjax_ignore" style="font-size:115%;margin:.8em 0 0;padding-left:6px">{{ title }}</p>
""")
BELOW = Template("""
<div class="mathjax_ignore" style="font-size:90%;max-width:52em;padding-left:6px">
  <p>{{ caption }} Source: {{ source }}</p>
  <details><summary>The figure in words</summary><p>{{ alt }}</p></details>
</div>
""")
# plotly's own bar has a button that uploads the figure to its maker's cloud
CONFIG = {"showSendToCloud": False}


def template() -> go.layout.Template:
    """The collection's plotly template; plotly's own adds 7 kB to every figure."""
    import plotly.graph_objects as go

    axis = {
        "gridcolor": "#DDDDDD",
        "linecolor": "#666666",
        "ticks": "outside",
        "automargin": True,
        "zeroline": False,
    }
    return go.layout.Template(
        layout={
            "colorway": COLOURS,
            "font": {"size": 14, "color": "#222222"},
            "paper_bgcolor": "#FFFFFF",
            "plot_bgcolor": "#FFFFFF",
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 20, "t": 50, "b": 75},
            "height": 400,
        }
    )


def _recolour(trace):
    """Plotly express writes its own colours into a trace, where no template reaches them."""
    import plotly.express as px

    own = dict(zip(map(str.lower, px.colors.qualitative.Plotly), COLOURS))
    for part in (getattr(trace, "marker", None), getattr(trace, "line", None)):
        if part is not None and isinstance(part.color, str):
            part.color = own.get(part.color.lower(), part.color)


def figure(fig: go.Figure, *, alt: str, caption: str, source: str) -> None:
    """Display a plotly figure as this collection shows figures.

    `fig`: a plotly Figure whose axes have units, and whose title, which states the finding, is
    shown above it. `alt`: what a person who cannot see it should know. `caption`: what it shows and
    how it was computed. `source`: where the numbers come from. The words of `alt` are folded
    beneath, too: JupyterLab and nbconvert drop what is in the metadata. A still PNG goes with it
    when DAY9_STILLS=1 (tests/tools/refresh.py sets it; it needs kaleido and a Chromium), so that
    pages without JavaScript show it.
    """
    import plotly.graph_objects as go
    from IPython.display import HTML, display

    fig.update_layout(template=template())
    fig.update_traces(textposition="outside", cliponaxis=False, selector={"type": "bar"})
    fig.for_each_trace(_recolour)
    untitled = go.Figure(fig).update_layout(title=None)
    drawn = rounded(json.loads(untitled.to_json())) | {"config": CONFIG}
    data = {
        "application/vnd.plotly.v1+json": drawn,
        "text/plain": f"Figure: {alt}",
    }
    if os.environ.get("DAY9_STILLS") == "1":
        data["image/png"] = base64.b64encode(
            untitled.to_image("png", width=760, height=fig.layout.height or 400)
        ).decode()
    if fig.layout.title.text:
        display(HTML(ABOVE.render(title=fig.layout.title.text)))
    display(data, metadata={kind: {"alt": alt} for kind in data}, raw=True)
    display(HTML(BELOW.render(caption=caption, source=source, alt=alt)))
