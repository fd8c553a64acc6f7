"""turn(): a slider and a number field for each value of a function, and its result at once."""


def turn(function, **knobs):
    """A widget that shows `function`'s result for the values set, as HTML.

    `knobs`: for each argument of `function` a tuple (lowest, highest, step, start) of whole numbers.
    `function` returns anything with `_repr_html_`, or text. The slider is for the mouse, the number field
    beside it for the keyboard and for screen readers. Raises ValueError for a tuple of another length.
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
        slider = ipywidgets.IntSlider(start, low, high, step, readout=False, layout={"width": "22em"})
        field = ipywidgets.BoundedIntText(start, low, high, step, description=name.replace("_", " "), layout={"width": "14em"})
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
