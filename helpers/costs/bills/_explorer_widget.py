"""The widget of explorer.py: a module of its own, since anywidget is loaded only where it is
shown.
"""

from pathlib import Path

import anywidget
import ipywidgets as w

from ...common.still import Still
from ...facts import prices
from . import explorer_page, sources, views
from .explorer_page import KEEP
from .pricing import FIRST, BillError, price

NOBODY = "nobody: leave it without"
# Else a key pressed on a list of choices is JupyterLab's: an arrow leaves the cell, and m turns it
# into text.
OWN_KEYS = """export default { render({ el }) {
  const own = e => e.target.setAttribute("data-lm-suppress-shortcuts", "true");
  const claim = () => el.isConnected ? el.closest(".widget-vbox")?.addEventListener("focusin", own) : requestAnimationFrame(claim);
  claim();
} }"""
WIDE = {
    "style": {"description_width": "11em"},
    "layout": {"width": "30em", "max_width": "100%"},
}


class OwnKeys(anywidget.AnyWidget):
    _esm = OWN_KEYS


def _titled(title, *rows):
    """Controls under a title; those of a row stand beside each other where there is room."""
    beside = w.Layout(flex_flow="row wrap")
    return w.VBox([w.HTML(f"<b>{title}</b>"), *(w.HBox(row, layout=beside) for row in rows)])


class Explorer(Still, w.VBox):
    """Controls of what is shown and of a what-if, and the page that follows them.

    `quiet` is set while a control is changed by another, and not by the reader.
    """

    def __init__(self, path, on):
        self.on = on
        self.name, self.usage, self.bill, self.error = "", None, None, None
        self.same_as, self.quiet = {}, False  # {a name without a price: the model it costs like}
        self._make_controls(path)
        self._observe()
        self._load(path, Path(path).name)
        super().__init__(
            [
                _titled("The file", [self.upload], [self.typed]),
                _titled("What is shown", [self.group]),
                _titled(
                    "What if",
                    [self.move, self.to],
                    [self.cached, self.use_cached],
                    [self.hidden, self.counted],
                    [self.batch, w.Label("your figure: 50 for half, as in a batch")],
                ),
                _titled("What has no price", [self.names], [self.early]),
                self.shown,
                self.more,
                OwnKeys(),
            ]
        )

    def __repr__(self):
        return "A bill to explore: run this cell. The tables of this page show what it begins with."

    def still(self):
        return self.shown.value

    def _make_controls(self, path):
        self.upload = w.FileUpload(
            description="Choose a usage export",
            multiple=False,
            layout={"width": "18em"},
            tooltip="Read by this kernel, sent nowhere",
        )
        self.typed = w.Text(
            str(path),
            description="or its path, Enter",
            continuous_update=False,
            **WIDE | {"layout": {"width": "50em", "max_width": "100%"}},
        )
        self.group = w.Dropdown(
            options=["model", "feature", "month", "day"], description="table and bars by", **WIDE
        )
        self.move = w.Dropdown(description="what if the work of", **WIDE)
        self.to = w.Dropdown(description="went to", **WIDE)
        self.cached = w.BoundedIntText(
            0, 0, 100, 5, description="input from cache, %", disabled=True, **WIDE
        )
        self.use_cached = w.Checkbox(False, description="change the cache share", indent=False)
        self.counted = w.Label("of today's")
        self.hidden = w.BoundedIntText(100, 0, 100, 10, description="hidden tokens, %", **WIDE)
        self.batch = w.BoundedIntText(100, 0, 200, 5, description="price, % of list", **WIDE)
        self.unknown = w.Dropdown(description="no price for", **WIDE)
        texts = [r["model"] for r in prices.price_rows() if r["modality"] == "text"]
        self.twin = w.Dropdown(
            options=[NOBODY, *explorer_page.in_order(texts)], description="costs like", **WIDE
        )
        self.names = w.HBox([self.unknown, self.twin], layout={"flex_flow": "row wrap"})
        self.early = w.Checkbox(
            False,
            description="days before a model's first known price cost what that first day did",
            indent=False,
            layout={"width": "40em", "max_width": "100%"},
        )
        self.shown, self.more = w.HTML(), w.HTML()

    def _observe(self):
        self.upload.observe(self._uploaded, "value")
        self.typed.observe(self._typed, "value")
        self.move.observe(self._propose, "value")
        self.unknown.observe(self._remember, "value")
        for control in (self.twin, self.early):
            control.observe(self._price_again, "value")
        for control in (
            self.group,
            self.move,
            self.to,
            self.cached,
            self.use_cached,
            self.hidden,
            self.batch,
        ):
            control.observe(self._draw, "value")

    # --- a file -----------------------------------------------------------------------------------

    def _uploaded(self, change):
        if change["new"]:
            file = change["new"][0]
            self._quietly(self.typed, "")  # it is of another file, and may be typed again
            self._load(bytes(file["content"]), file["name"])
            self.upload.value = ()  # the same file may be chosen again

    def _typed(self, change):
        if not self.quiet:
            self._load(change["new"], Path(change["new"]).name)

    def _load(self, source, name):
        """Read, price and show a usage export: a path, or its bytes."""
        try:
            usage = sources.read(source)
            bill = price(usage)
        except BillError as e:
            self.error, self.more.value = f"{name}: {e}", ""
            self._draw()
            return
        self.usage, self.name, self.error, self.same_as = usage, name, None, {}
        self.quiet = True
        lost = views.unpriced(bill)
        nameless = list(lost["model"][lost["reason"] == "this model is not in the price table"])
        self.unknown.options, self.twin.value, self.early.value = nameless, NOBODY, False
        self.unknown.index = 0 if nameless else None
        self.names.layout.display = "" if nameless else "none"
        sold = explorer_page.sold_now(self.on)
        self.to.options, self.to.index = [m for m in sold if not m.startswith("ft:")], 0
        known = "reasoning" in bill.cube
        self.counted.value = "of today's" if known else "(this file does not count them)"
        self._priced(bill)

    def _priced(self, bill, moved=KEEP):
        """Show a bill; `moved`: the model whose work goes to another, where the bill has it."""
        self.bill, self.quiet = bill, True
        models = views.by(bill, "model")["model"] if len(bill.cube) else []
        self.move.options = [KEEP, *models]
        self.move.value = moved if moved in self.move.options else KEEP
        self.quiet, self.more.value = False, explorer_page.more(bill, self.on)
        self._draw()

    # --- what the controls do ---------------------------------------------------------------------

    def _price_again(self, change):
        """A name costs like another, or days before the first price cost something."""
        if self.quiet or self.error:
            return
        asked = self.same_as | {self.unknown.value: self.twin.value}
        self.same_as = {name: twin for name, twin in asked.items() if name and twin != NOBODY}
        back_to = FIRST if self.early.value else None
        self._priced(price(self.usage, self.same_as, back_to), self.move.value)

    def _remember(self, change):
        """The twin that another name was given."""
        self._quietly(self.twin, self.same_as.get(change["new"], NOBODY))

    def _propose(self, change):
        """The replacement, as prices.replacement has it."""
        named = prices.replacement(change["new"]) if change["new"] != KEEP else ""
        self._quietly(self.to, named if named in self.to.options else self.to.value)

    def _quietly(self, control, value):
        before, self.quiet = self.quiet, True
        control.value = value
        self.quiet = before

    def _draw(self, change=None):
        if self.quiet:
            return
        if self.error:
            self.shown.value = explorer_page.not_read(self.error)
            return
        self.cached.disabled = not self.use_cached.value
        self.hidden.disabled = "reasoning" not in self.bill.cube
        then, fault = None, ""
        try:
            then = explorer_page.compared(
                self.bill,
                self.group.value,
                self.move.value,
                self.to.value,
                self.cached.value if self.use_cached.value else None,
                None if self.hidden.disabled else self.hidden.value,
                self.batch.value,
                self.on,
            )
        except (BillError, LookupError) as e:
            fault = str(e)
        self.shown.value = explorer_page.page(
            self.name, self.usage, self.bill, self.group.value, then, fault
        )
