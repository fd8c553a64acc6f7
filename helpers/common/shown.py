"""Something that a notebook shows: an object with a face in HTML and one in text; the colours and
the card that all of them have. class="mathjax_ignore" in their HTML keeps what stands between two
dollar signs from being set as a formula.
"""

from __future__ import annotations

import sys

# Okabe and Ito's palette: told apart by colour-blind readers
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
# Plain colours in the border: a notebook not yet trusted loses a rule that names a variable.
CARD = (
    "border:1px solid #888;border-left:4px solid {edge};border-radius:3px;"
    "padding:.6em 1em;margin:.3em 0;max-width:52em;color:var(--jp-content-font-color1,inherit)"
)


class Shown:
    """Something that a notebook shows as HTML and everything else as text."""

    def __init__(self, text: str, markup: str) -> None:
        self.text, self.markup, self.seen = text, markup, False

    def __repr__(self):
        self.seen = True
        return self.text

    def _repr_html_(self):
        self.seen = True
        return self.markup


_waiting: list[Shown] = []  # made in this cell, and to be shown whatever becomes of them


def surely(shown: Shown) -> Shown:
    """`shown`, which the end of the cell shows where nothing else has: in a loop a value alone
    shows nothing.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        if show_waiting not in shell.events.callbacks["post_run_cell"]:
            shell.events.register("post_run_cell", show_waiting)
        _waiting.append(shown)
    return shown


def show_waiting(result: object = None) -> None:
    """Show what this cell has made and not shown."""
    from IPython.display import display

    for shown in _waiting:
        if not shown.seen:
            display(shown)
    _waiting.clear()
