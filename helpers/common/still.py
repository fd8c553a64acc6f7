"""What stands in the place of a widget where no kernel runs: a page on the web, a notebook that was
only opened. It is kept in the notebook's file, beside the widget.
"""

from __future__ import annotations

import base64
import re
from typing import Any

from .markup import Template

SVG = re.compile(r"<svg\b(?P<attributes>[^>]*)>(?P<inside>.*?)</svg>", re.S)
LABEL = re.compile(r'aria-label="([^"]*)"')
PICTURE = Template("""
<img alt="{{ alt | safe }}" src="{{ url }}" style="max-width:100%;background:#fff">
""")


class Still:
    """A mixin for a widget, before its other classes: `still` returns the HTML that is kept."""

    def still(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/html"] = pictures(self.still())
        data["text/plain"] = repr(self)  # whole: widgets cut theirs after 110 letters
        return bundle


def pictures(markup: str) -> str:
    """`markup` with each drawing as a picture on white paper: JupyterLab takes SVG itself out of a
    notebook that is not trusted yet, and leaves its numbers in a row.
    """

    def picture(drawing):
        label = LABEL.search(drawing["attributes"])
        attributes = drawing["attributes"]
        if "xmlns" not in attributes:
            attributes += ' xmlns="http://www.w3.org/2000/svg"'
        whole = f'<svg{attributes} color="#222">{drawing["inside"]}</svg>'
        url = "data:image/svg+xml;base64," + base64.b64encode(whole.encode()).decode()
        return PICTURE.render(alt=label[1] if label else "", url=url)

    return SVG.sub(picture, markup)
