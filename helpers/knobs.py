"""turn(): a slider and a number field for each value of a function, and its result at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets


def turn(
    function: Callable[..., object], **knobs: tuple[float, float, float, float]
) -> ipywidgets.VBox:
    """A widget that shows `function`'s result for the values set, as HTML.

    `knobs`: for each argument of `function` a tuple (lowest, highest, step, start) of whole
    numbers, or of fractions if one of the four is a float. `function` returns anything with
    `_repr_html_`, or text. The slider is for the mouse, the number field beside it for the keyboard
    and for screen readers. Raises ValueError for a tuple of another length.
    """
    import ipywidgets

    for name, values in knobs.items():
        if len(values) != 4:
            raise ValueError(f"{name} needs (lowest, highest, step, start), not {values!r}")

    class Turned(ipywidgets.VBox):
        def __repr__(self):  # what a page without a running kernel shows
            return "A slider for " + ", ".join(knobs) + ": run this cell to turn it."

    result = ipywidgets.HTML()
    fields, rows = {}, []
    for name, (low, high, step, start) in knobs.items():
        kind = (
            "Float"
            if any(isinstance(value, float) for value in (low, high, step, start))
            else "Int"
        )
        slider = getattr(ipywidgets, f"{kind}Slider")(
            value=start, min=low, max=high, step=step, readout=False, layout={"width": "22em"}
        )
        # by name: the two kinds differ in the order of their arguments
        field = getattr(ipywidgets, f"Bounded{kind}Text")(
            value=start,
            min=low,
            max=high,
            step=step,
            description=name.replace("_", " "),
            layout={"width": "17em"},
            style={"description_width": "9em"},
        )
        ipywidgets.jslink((slider, "value"), (field, "value"))
        fields[name] = field
        rows.append(ipywidgets.HBox([field, slider]))

    def show(change=None):
        shown = function(**{name: field.value for name, field in fields.items()})
        result.value = shown._repr_html_() if hasattr(shown, "_repr_html_") else str(shown)

    for field in fields.values():
        field.observe(show, "value")
    show()
    return Turned([*rows, result])
