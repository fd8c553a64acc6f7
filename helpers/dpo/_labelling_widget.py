"""The widget of helpers/dpo/labelling.py: it shows what a Labels says and passes on what is
pressed.
"""

from pathlib import Path

import anywidget
import traitlets

from ..common.markup import Template
from ..common.still import Still

STILL = Template("""
<div class="mathjax_ignore" style="max-width:46em">
  <p>{{ asked }}</p>
  <ol><li>{{ left }}</li><li>{{ right }}</li></ol>
  <p>Which is better? {{ done }} of {{ total }} pairs are judged; keys and buttons are there where the notebook runs.</p>
</div>
""")


class Labelling(Still, anywidget.AnyWidget):
    """`view` is all that the page shows; the page answers with {"do": "left" | "right" | "tie" |
    "undo"}.
    """

    _esm = Path(__file__).with_name("labelling.js")
    _css = Path(__file__).with_name("labelling.css")
    view = traitlets.Dict().tag(sync=True)

    def __init__(self, labels):
        super().__init__()
        self.labels = labels
        self.on_msg(self._pressed)
        self._show()

    def _pressed(self, _, content, buffers):
        try:
            if content.get("do") == "undo":
                self.labels.undo()
            elif (
                self.labels.now and content.get("number") == self.labels.now.number
            ):  # not a second press for a pair already judged
                self.labels.choose(content.get("do"))
            self._show()
        except OSError as e:  # a full disk, a folder that may not be written
            self._show(f"Not saved: {e}")

    def _show(self, trouble=""):
        now = self.labels.now
        self.view = {
            "done": self.labels.done,
            "total": self.labels.total,
            "said": trouble or self.labels.said(),
            "answered": self.view.get("answered", 0) + 1,
            "number": now.number if now else None,
            "asked": now.asked if now else "",
            "left": now.left if now else "",
            "right": now.right if now else "",
        }

    def still(self):
        return STILL.render(**self.view)

    def __repr__(self):
        return f"A widget to label {self.labels.total} pairs: run this cell, then choose with 1, 2, 0 (tie) and u (undo)."
