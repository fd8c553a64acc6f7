"""turn(): a slider and a number field for each value of a function, and its result at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .common.markup import Template
from .common.still import Still

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets


STILL = Template("""
<div class="mathjax_ignore">
  <p><b>{{ values }}</b> (to be turned where the notebook runs)</p>
  {{ shown | safe }}
</div>
""")
# ipywidgets gives the handle of a slider no name: here it gets that of the field beside it.
NAMES = """export default { render({ el }) {
  const name = () => {
    const rows = [...el.closest(".widget-vbox")?.querySelectorAll(".widget-hbox") ?? []];
    const handles = rows.map(row => row.querySelector(".noUi-handle"));
    if (!rows.length || handles.includes(null)) return setTimeout(name, 50);
    rows.forEach((row, i) => handles[i].ariaLabel = row.querySelector("label").textContent);
  };
  name();
} }"""


def turn(function: Callable[..., object], **knobs: tuple[Any, ...]) -> ipywidgets.VBox:
    """A widget that shows `function`'s result for the values set, as HTML.

    `knobs`: for each argument of `function` a tuple (lowest, highest, step, start) of whole
    numbers, or of fractions if one of the four is a float, and, where it has one, its unit as a
    text. `function` returns anything with `_repr_html_`, or text. The slider is for the mouse, the
    number field beside it for the keyboard and for screen readers. Raises ValueError for a tuple of
    another length, and for values that no slider can have.
    """
    import anywidget
    import ipywidgets
    from IPython import get_ipython
    from IPython.core.formatters import HTMLFormatter

    shell = get_ipython()  # of a notebook: it shows what it is given here as it does elsewhere
    as_html = shell.display_formatter.formatters["text/html"] if shell else HTMLFormatter()
    for name, values in knobs.items():
        if len(values) not in (4, 5) or isinstance(values[3], str):
            raise ValueError(
                f"{name} needs (lowest, highest, step, start), and a unit if it has one, not {values!r}"
            )
        low, high, step, start, *_ = values
        if not (low <= start <= high and low < high and step > 0):
            raise ValueError(
                f"{name} goes from a lowest to a highest value in steps above 0, and starts between "
                f"them; {values!r} does not"
            )

    class Turned(Still, ipywidgets.VBox):
        def __repr__(self):
            return "A slider for " + ", ".join(knobs) + ": run this cell to turn it."

        def still(self):
            values = [f"{field.description}: {field.value:g}" for field in fields.values()]
            return STILL.render(values=" · ".join(values), shown=result.value)

    class Names(anywidget.AnyWidget):
        _esm = NAMES

    result = ipywidgets.HTML()
    fields, rows = {}, []
    for name, (low, high, step, start, *unit) in knobs.items():
        kind = (
            "Float"
            if any(isinstance(value, float) for value in (low, high, step, start))
            else "Int"
        )
        slider = getattr(ipywidgets, f"{kind}Slider")(
            value=start,
            min=low,
            max=high,
            step=step,
            readout=False,
            layout={"width": "14em", "min_width": "4em"},
        )
        # by name: the two kinds differ in the order of their arguments
        field = getattr(ipywidgets, f"Bounded{kind}Text")(
            value=start,
            min=low,
            max=high,
            step=step,
            description=", ".join([name.replace("_", " "), *unit]),
            layout={"width": "18em"},
            style={"description_width": "11em"},
        )
        ipywidgets.jslink((slider, "value"), (field, "value"))
        fields[name] = field
        # as wide in each row, so that the sliders begin below each other, and never narrower
        ends = [
            ipywidgets.Label(
                f"{end:,}",
                layout={
                    "min_width": "3em",
                    "flex": "none",
                    "display": "flex",
                    "justify_content": side,
                },
            )
            for end, side in ((low, "flex-end"), (high, "flex-start"))
        ]
        row = [field, ends[0], slider, ends[1]]
        rows.append(ipywidgets.HBox(row, layout={"flex_flow": "row wrap"}))

    def show(change=None):
        shown = function(**{name: field.value for name, field in fields.items()})
        result.value = as_html(shown) or str(shown)

    for field in fields.values():
        field.observe(show, "value")
    show()
    return Turned([*rows, result, Names()])
