"""figure(): a plotly figure with caption, source, alt text and, when a notebook is prepared for
commit, a still.
"""

from __future__ import annotations

import base64
import json
import os
import textwrap
from typing import TYPE_CHECKING

from .common.markup import Template
from .common.rounded import rounded
from .common.shown import COLOURS

if TYPE_CHECKING:
    import plotly.graph_objects as go


ACROSS = 62  # letters of a title that fit beside each other where the window is 800 pixels wide
LINE = 20  # pixels
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
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 0.97,
                "yanchor": "top",
                "pad": {"l": 12},
                "font": {"size": 16},
            },
            "xaxis": axis,
            "yaxis": axis,
            "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
            "margin": {"l": 60, "r": 20, "t": 60, "b": 75},
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

    `fig`: a plotly Figure whose title states the finding and whose axes have units. `alt`: what a
    person who cannot see it should know. `caption`: what it shows and how it was computed.
    `source`: where the numbers come from. The words of `alt` stand folded beneath, too: JupyterLab
    and nbconvert drop what is in the metadata. A still PNG stands beside it when DAY9_STILLS=1
    (tests/tools/refresh.py sets it; it needs kaleido and a Chromium), so that pages without
    JavaScript show it.
    """
    from IPython.display import HTML, display

    fig.update_layout(template=template())
    lines = textwrap.wrap((fig.layout.title.text or "").replace("<br>", " "), ACROSS)
    fig.update_layout(title_text="<br>".join(lines), margin_t=50 + LINE * len(lines))
    fig.update_traces(textposition="outside", cliponaxis=False, selector={"type": "bar"})
    fig.for_each_trace(_recolour)
    drawn = rounded(json.loads(fig.to_json())) | {"config": CONFIG}
    data = {
        "application/vnd.plotly.v1+json": drawn,
        "text/plain": f"Figure: {alt}",
    }
    if os.environ.get("DAY9_STILLS") == "1":
        data["image/png"] = base64.b64encode(
            fig.to_image("png", width=760, height=fig.layout.height or 400)
        ).decode()
    display(data, metadata={kind: {"alt": alt} for kind in data}, raw=True)
    display(HTML(BELOW.render(caption=caption, source=source, alt=alt)))
