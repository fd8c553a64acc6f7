"""Something that a notebook shows: an object with a face in HTML and one in text."""

from __future__ import annotations

# Plain colours in the border: a notebook not yet trusted loses a rule that names a variable.
CARD = (
    "border:1px solid #888;border-left:4px solid {edge};border-radius:3px;"
    "padding:.6em 1em;margin:.3em 0;max-width:52em;color:var(--jp-content-font-color1,inherit)"
)


# class="mathjax_ignore" keeps what stands between two dollar signs from being set as a formula


class Shown:
    """Something that a notebook shows as HTML and everything else as text."""

    def __init__(self, text: str, markup: str) -> None:
        self.text, self.markup = text, markup

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return self.markup
