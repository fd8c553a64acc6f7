"""explore(): a bill under one's hands. Drop in a file, turn what-if, and read the figure's numbers
in its tables.
"""

import datetime
import html
import re
from decimal import Decimal
from pathlib import Path

from ...facts import prices
from ...figures import COLOURS
from . import sources, views
from .pricing import FIRST, BillError, price, usd

KEEP, NOBODY = "as it is", "nobody: leave it without"
# Else a key pressed on a list of choices is JupyterLab's: an arrow leaves the cell, and m turns it
# into text.
OWN_KEYS = """export default { render({ el }) {
  const own = e => e.target.setAttribute("data-lm-suppress-shortcuts", "true");
  const claim = () => el.isConnected ? el.closest(".widget-vbox")?.addEventListener("focusin", own) : requestAnimationFrame(claim);
  claim();
} }"""
NUMBER = "text-align:right;padding:2px 10px"
WORD = "text-align:left;padding:2px 10px"


def explore(path, on):
    """A widget that reads, prices and shows a usage export, and what the same usage would cost
    otherwise.

    path: the file to begin with; another is dropped in by the button, or its path typed. on: the
    day whose prices a model has that takes over the work of another. Nothing leaves the machine:
    the button hands the file to this kernel. A file that cannot be read is told so in place of the
    table. A name that has no price can be given another's. Below stand the file's odd days, what
    the next month may cost, its models that end, and a warning where prices are old.
    """
    import anywidget
    import ipywidgets as w

    class OwnKeys(anywidget.AnyWidget):
        _esm = OWN_KEYS

    class Explorer(w.VBox):
        def __repr__(self):  # what a page without a running kernel shows
            return "A bill to explore: run this cell. The tables of this page show what it begins with."

    wide = {"style": {"description_width": "11em"}, "layout": {"width": "30em"}}
    upload = w.FileUpload(
        description="Choose a usage export",
        multiple=False,
        layout={"width": "18em"},
        tooltip="Read by this kernel, sent nowhere",
    )
    typed = w.Text(str(path), description="or its path, Enter", continuous_update=False, **wide)
    group = w.Dropdown(
        options=["model", "feature", "month", "day"], description="table and bars by", **wide
    )
    move = w.Dropdown(description="what if the work of", **wide)
    to = w.Dropdown(description="went to", **wide)
    cached = w.BoundedIntText(
        0, 0, 100, 5, description="input from cache, %", disabled=True, **wide
    )
    use_cached = w.Checkbox(False, description="change the cache share", indent=False)
    counted = w.Label("of today's")
    hidden = w.BoundedIntText(100, 0, 100, 10, description="hidden tokens, %", **wide)
    batch = w.BoundedIntText(100, 0, 200, 5, description="price, % of list", **wide)
    unknown = w.Dropdown(description="no price for", **wide)
    twin = w.Dropdown(
        options=[
            NOBODY,
            *_in_order(r["model"] for r in prices.price_rows() if r["modality"] == "text"),
        ],
        description="costs like",
        **wide,
    )
    names = w.HBox([unknown, twin])
    early = w.Checkbox(
        False,
        description="days before a model's first known price cost what that first day did",
        indent=False,
        layout={"width": "40em"},
    )
    shown, more = w.HTML(), w.HTML()
    state = {}

    def load(source, name):
        try:
            usage = sources.read(source)
            bill = price(usage)
        except BillError as e:
            state["error"], more.value = f"{name}: {e}", ""
            draw()
            return
        lost = views.unpriced(bill)
        nameless = list(lost["model"][lost["reason"] == "this model is not in the price table"])
        state.update(usage=usage, name=name, error=None, same_as={}, quiet=True)
        unknown.options, twin.value, early.value = nameless, NOBODY, False
        unknown.index = 0 if nameless else None
        names.layout.display = "" if nameless else "none"
        to.options, to.index = [m for m in _sold_now(on) if not m.startswith("ft:")], 0
        counted.value = (
            "of today's" if "reasoning" in bill.cube else "(this file does not count them)"
        )
        priced(bill)

    def priced(bill, moved=KEEP):
        state.update(bill=bill, quiet=True)
        move.options = [KEEP, *(views.by(bill, "model")["model"] if len(bill.cube) else [])]
        move.value = moved if moved in move.options else KEEP
        state["quiet"], more.value = False, _more(bill, on)
        draw()

    def again(change):
        if not state.get("quiet") and not state.get("error"):
            state["same_as"] = {
                n: t
                for n, t in (state["same_as"] | {unknown.value: twin.value}).items()
                if n and t != NOBODY
            }
            priced(
                price(state["usage"], state["same_as"], FIRST if early.value else None), move.value
            )

    def remembered(change):  # the twin that another name was given
        state["quiet"], before = True, state.get("quiet")
        twin.value = state["same_as"].get(change["new"], NOBODY)
        state["quiet"] = before

    def draw(change=None):
        if state.get("quiet"):
            return
        if state.get("error"):
            shown.value = f'<p role="alert" class="mathjax_ignore"><b>Not read.</b> {html.escape(state["error"])}</p>'
            return
        cached.disabled = not use_cached.value
        hidden.disabled = "reasoning" not in state["bill"].cube
        try:
            then = _then(
                state["bill"],
                group.value,
                move.value,
                to.value,
                cached.value if use_cached.value else None,
                None if hidden.disabled else hidden.value,
                batch.value,
                on,
            )
            wrong = ""
        except (BillError, LookupError) as e:
            then, wrong = (
                None,
                f'<p role="alert"><b>No answer to this what-if:</b> {html.escape(str(e))}</p>',
            )
        shown.value = _page(state["name"], state["usage"], state["bill"], group.value, then, wrong)

    def propose(change):  # the replacement that OpenAI names
        state["quiet"], before = True, state.get("quiet")
        named = prices.replacement(change["new"]) if change["new"] != KEEP else ""
        to.value = named if named in to.options else to.value
        state["quiet"] = before

    def uploaded(change):
        if change["new"]:
            file = change["new"][0]
            load(bytes(file["content"]), file["name"])

    upload.observe(uploaded, "value")
    typed.observe(lambda change: load(change["new"], Path(change["new"]).name), "value")
    move.observe(propose, "value")
    unknown.observe(remembered, "value")
    for control in (twin, early):
        control.observe(again, "value")
    for control in (group, move, to, cached, use_cached, hidden, batch):
        control.observe(draw, "value")
    load(path, Path(path).name)
    return Explorer(
        [
            w.HBox([upload, typed]),
            group,
            w.HBox([move, to]),
            w.HBox([use_cached, cached]),
            w.HBox([hidden, counted]),
            w.HBox([batch, w.Label("as in a batch: your figure, our table has none")]),
            names,
            early,
            shown,
            more,
            OwnKeys(),
        ]
    )


def _sold_now(on):
    """Models with a text price on a day, in the order of the table."""
    sold = []
    for row in prices.price_rows():
        if row["modality"] == "text" and row["direction"] == "output" and row["model"] not in sold:
            try:
                prices.usd_per_million(row["model"], "text", "output", on)
            except LookupError:
                continue
            sold.append(row["model"])
    return _in_order(sold)


def _in_order(models):
    """Without doubles, the highest numbers first."""
    return sorted(
        set(models),
        key=lambda m: [
            (not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in re.split(r"(\d+)", m)
        ],
        reverse=True,
    )


def _then(bill, name, move, to, cached, hidden, batch, on):
    """A frame of the groups with nano-dollars now and then, in the order of the bars."""
    cube = bill.cube
    if move != KEEP:
        cube = views.what_if(
            bill, move=move, to=to, cached=cached, hidden=hidden, batch=batch, on=on
        ).cube
    elif cached is not None or hidden not in (None, 100) or batch != 100:
        cube = views.what_if(bill, cached=cached, hidden=hidden, batch=batch).cube
    label = lambda c: (
        c["day"].dt.strftime("%Y-%m-%d" if name == "day" else "%Y-%m")
        if name in ("day", "month")
        else c[name]
    )
    now, then = (c.groupby(label(c))["nano"].sum() for c in (bill.cube, cube))
    both = now.to_frame("now").join(then.rename("then"), how="outer").fillna(0).astype("int64")
    return (
        both
        if name in ("day", "month")
        else both.sort_values("now", ascending=False, kind="stable")
    )


def _page(name, usage, bill, group, then, wrong):
    bad = int((bill.reason != 0).sum())
    notes = "".join(f"<li>{html.escape(n)}</li>" for n in usage.notes)
    head = (
        f"<p><b>{html.escape(name)}</b>: {html.escape(usage.what)}, {len(bill.rows):,} rows. Priced: {len(bill.rows) - bad:,} rows, "
        f"<b>{usd(bill.total_nano, 2):,} USD</b>. Not priced: {bad:,} rows.</p>"
    )
    parts = [head, wrong]
    if then is not None and len(then):
        total = int(then["then"].sum())
        change = total - bill.total_nano
        sign = "+" if change > 0 else ""
        parts.append(
            f'<p role="status"><b>What if: {usd(total, 2):,} USD, {sign}{usd(change, 2):,} USD or {sign}{Decimal(100 * change) / max(bill.total_nano, 1):.1f} %.</b></p>'
            if change
            else '<p role="status">What if: the same, so far.</p>'
        )
        parts.append(_bars(then, group))
        table = _table(
            [group, "USD now", "USD what if", "difference"],
            [
                [i, usd(r.now, 2), usd(r.then, 2), usd(r.then - r.now, 2)]
                for i, r in zip(then.index, then.itertuples())
            ],
        )
        parts.append(
            table
            if len(then) <= 8
            else f"<details><summary>All {len(then)} bars as a table</summary>{table}</details>"
        )
    elif not len(bill.cube):
        parts.append("<p>No row of this file could be priced.</p>")
    if bad:
        lost = views.unpriced(bill).head(8)
        parts.append(
            "<p><b>What could not be priced</b></p>"
            + _table(list(lost.columns), lost.to_numpy().tolist())
        )
    if notes:
        parts.append(f"<details><summary>How the file was read</summary><ul>{notes}</ul></details>")
    return f'<div class="mathjax_ignore">{"".join(parts)}</div>'


def _more(bill, on):
    """What no what-if changes: odd days, the next month, models that end. Each is a line that
    opens.
    """
    odd, ends = views.anomalies(bill), views.lifecycle(bill, on)
    try:
        f = views.forecast(bill)
        coming = f"The next 30 days, if things go on as they did: {f.low:,.2f} to {f.high:,.2f} USD"
        trust = f"{f.chance:.0%} of a thousand futures drawn from this file lie between. " + (
            f"Asked on earlier days of this file, such an interval held {f.hits} times of {f.tries}."
            if f.tries
            else "The file is too short to try that on earlier days."
        )
    except BillError as e:
        coming, trust = "The next 30 days: no forecast", f"{e}."
    old = prices.stale(datetime.date.today())
    opens = lambda line, body: f"<details><summary>{html.escape(line)}</summary>{body}</details>"
    listed = lambda frame: _table(
        list(frame.columns),
        [
            ["" if v is None else str(v) if isinstance(v, datetime.date) else v for v in row]
            for row in frame.head(8).to_numpy(object).tolist()
        ],
    )
    return (
        '<div class="mathjax_ignore">'
        + "".join(
            [
                f'<p role="status"><b>{len(old)} of {len(prices.price_rows())} prices were last checked more than 90 days ago</b>, the oldest on {min(r["checked_on"] for r in old)}.</p>'
                if old
                else "",
                opens(
                    f"Odd days: {len(odd)}",
                    listed(odd)
                    if len(odd)
                    else "<p>No day strays far from the same weekday around it.</p>",
                ),
                opens(coming, f"<p>{html.escape(trust)}</p>"),
                opens(
                    f"Models that have ended, or will within 120 days of {on}: {len(ends)}",
                    listed(ends) if len(ends) else "<p>None that the table knows of.</p>",
                ),
            ]
        )
        + "</div>"
    )


def _table(head, rows):
    cell = lambda tag, value: (
        f'<{tag} style="{WORD if isinstance(value, str) and tag == "td" else NUMBER}">{html.escape(value if isinstance(value, str) else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}")}</{tag}>'
    )
    heads = "".join(
        f'<th style="{WORD if rows and isinstance(rows[0][i], str) else NUMBER}">{html.escape(h)}</th>'
        for i, h in enumerate(head)
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join('<tr>' + ''.join(cell('td', v) for v in r) + '</tr>' for r in rows)}</tbody></table>"


def _bars(then, group):
    """Bars now, and an outline of what would be, as one labelled SVG; the table has the numbers."""
    width, height, left, n = 740, 250, 60, len(then)
    top = max(int(then.to_numpy().max()), 1)
    step = (width - left) / n
    y = lambda nano: 190 * (1 - nano / top) + 30
    marks, every = [], -(-n // 10)
    room = int(step * every / 6.4)  # letters that a bar's name may have
    for i, (label, row) in enumerate(zip(map(str, then.index), then.itertuples())):
        x, w = left + i * step, max(step * 0.7, 1)
        marks.append(
            f'<rect x="{x:.1f}" y="{y(row.now):.1f}" width="{w:.1f}" height="{220 - y(row.now):.1f}" fill="{COLOURS[4]}"><title>{html.escape(label)}: {usd(row.now, 2)} USD now</title></rect>'
        )
        marks.append(
            f'<path d="M{x:.1f} {y(row.then):.1f}h{w:.1f}" stroke="{COLOURS[5]}" stroke-width="3"><title>{html.escape(label)}: {usd(row.then, 2)} USD what if</title></path>'
        )
        if i % every == 0:
            short = label if len(label) <= room else label[: room - 1] + "…"
            marks.append(
                f'<text x="{x:.1f}" y="236" font-size="{11 if n > 6 else 12}">{html.escape(short)}</text>'
            )
    axis = "".join(
        f'<text x="{left - 6}" y="{y(top * q / 2) + 4:.0f}" text-anchor="end" font-size="11">{usd(top * q // 2, 0 if top > 10**11 else 2):,}</text>'
        for q in range(3)
    )
    alt = f"Bars of USD by {group} now, and a line across each for what if; the table below has the numbers."
    return (
        f'<svg role="img" aria-label="{alt}" viewBox="0 0 {width} {height}" style="max-width:{width}px;background:#fff;color:#222" fill="#222"><title>{alt}</title>{axis}'
        f'<text x="0" y="12" font-size="12">USD by {group}: bars now, orange lines what if</text>{"".join(marks)}</svg>'
    )
