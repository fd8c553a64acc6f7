"""What explore() shows of a bill, as HTML: tables, bars, and what no what-if changes."""

import datetime
import re
from decimal import Decimal

from ...common import tabled
from ...common.counted import counted
from ...common.markup import Template
from ...common.shown import COLOURS
from ...facts import prices
from . import views
from .pricing import BillError, usd

KEEP = "as it is"  # the choice that moves no model's work
MOST_ROWS = 8  # of a table that is not folded
NOT_READ = Template("""
<p role="alert" class="mathjax_ignore"><b>Not read.</b> {{ why }}</p>
""")
PAGE = Template("""
<div class="mathjax_ignore">
  <p><b>{{ name }}</b>: {{ what }}, {{ rows }}. Priced: {{ priced }},{{ " " }}
    <b>{{ total }} USD</b>. Not priced: {{ bad }}.
    {% if least %}{{ " " }}What came from the cache is not told: between <b>{{ least }}</b> and {{ total }} USD.{% endif %}</p>
  {% if fault %}<p role="alert"><b>No answer to this what-if:</b> {{ fault }}</p>{% endif %}
  {% if bars %}
    {% if change %}
      <p role="status"><b>What if: {{ change.then }} USD, {{ change.more }} USD or {{ change.percent }} %.</b></p>
    {% else %}
      <p role="status">What if: the same, so far.</p>
    {% endif %}
    {{ bars }}
    {% if folded %}
      <details><summary>All {{ folded }} bars as a table</summary>{{ table }}</details>
    {% else %}
      {{ table }}
    {% endif %}
  {% elif nothing %}
    <p>No row of this file could be priced.</p>
  {% endif %}
  {% if lost %}<p><b>What could not be priced</b></p>{{ lost }}{% endif %}
  {% if notes %}
    <details><summary>How the file was read</summary>
      <ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
    </details>
  {% endif %}
</div>
""")
MORE = Template("""
{% macro opens(line, body) %}<details><summary>{{ line }}</summary>{{ body }}</details>{% endmacro %}
{% macro listed(table, empty) %}{% if table %}{{ table }}{% else %}<p>{{ empty }}</p>{% endif %}{% endmacro %}
<div class="mathjax_ignore">
  {% if old %}
    <p role="status"><b>{{ old }} of {{ of }} prices were last checked more than 90 days ago</b>, the oldest on {{ oldest }}.</p>
  {% endif %}
  {{ opens("Odd days: %d" % odd_days, listed(odd, "No day strays far from the same weekday around it.")) }}
  {% set said %}<p>{{ trust }}</p>{% endset %}
  {{ opens(coming, said) }}
  {{ opens(ending, listed(ends, "None that the table knows of.")) }}
</div>
""")
BARS = Template("""
<svg role="img" aria-label="{{ alt }}" viewBox="0 0 {{ width }} {{ height }}" style="max-width:{{ width }}px" fill="currentColor">
  <title>{{ alt }}</title>
  {% for at, value in axis %}
    <text x="{{ left - 6 }}" y="{{ at }}" text-anchor="end" font-size="11">{{ value }}</text>
  {% endfor %}
  <text x="0" y="12" font-size="12">USD by {{ group }}: bars now, orange lines what if</text>
  {% for bar in bars %}
    <rect x="{{ bar.x }}" y="{{ bar.now_at }}" width="{{ bar.width }}" height="{{ bar.high }}" fill="{{ blue }}">
      <title>{{ bar.label }}: {{ bar.now }} USD now</title>
    </rect>
    <path d="M{{ bar.x }} {{ bar.then_at }}h{{ bar.width }}" stroke="{{ orange }}" stroke-width="3">
      <title>{{ bar.label }}: {{ bar.then }} USD what if</title>
    </path>
    {% if bar.short %}<text x="{{ bar.x }}" y="236" font-size="{{ letters }}">{{ bar.short }}</text>{% endif %}
  {% endfor %}
</svg>
""")


def sold_now(on):
    """Models with a text price on a day, the highest numbers first."""
    sold = []
    for row in prices.price_rows():
        if row["modality"] == "text" and row["direction"] == "output" and row["model"] not in sold:
            try:
                prices.usd_per_million(row["model"], "text", "output", on)
            except LookupError:
                continue
            sold.append(row["model"])
    return in_order(sold)


def in_order(models):
    """Without doubles, the highest numbers first."""
    return sorted(set(models), key=_by_number, reverse=True)


def _by_number(model):
    """A name's parts, its numbers by their value."""
    parts = re.split(r"(\d+)", model)
    return [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]


def compared(bill, name, move, to, cached, hidden, batch, on):
    """A frame of the groups with nano-dollars now and then, in the order of the bars."""
    cube = bill.cube
    if move != KEEP:
        cube = views.what_if(
            bill, move=move, to=to, cached=cached, hidden=hidden, batch=batch, on=on
        ).cube
    elif cached is not None or hidden not in (None, 100) or batch != 100:
        cube = views.what_if(bill, cached=cached, hidden=hidden, batch=batch).cube
    in_time = {"day": "%Y-%m-%d", "month": "%Y-%m"}.get(name)
    now, then = (
        c.groupby(c["day"].dt.strftime(in_time) if in_time else c[name])["nano"].sum()
        for c in (bill.cube, cube)
    )
    both = now.to_frame("now").join(then.rename("then"), how="outer").fillna(0).astype("int64")
    return both if in_time else both.sort_values("now", ascending=False, kind="stable")


def not_read(why):
    """What stands in the place of the page of a file that cannot be read."""
    return NOT_READ.render(why=why)


def page(name, usage, bill, group, then, fault):
    """The page of a bill. then: the frame of compared(), or None where `fault` says why there is
    none.
    """
    bad = int((bill.reason != 0).sum())
    shows_bars = then is not None and len(then)
    return PAGE.render(
        name=name,
        what=usage.what,
        rows=counted(len(bill.rows), "row"),
        priced=counted(len(bill.rows) - bad, "row"),
        total=f"{usd(bill.total_nano, 2):,}",
        least=f"{round(bill.least, 2):,}" if bill.least < bill.total else "",
        bad=counted(bad, "row"),
        fault=fault,
        bars=_bars(then, group) if shows_bars else "",
        change=_change(then, bill) if shows_bars else None,
        table=_groups(then, group) if shows_bars else "",
        folded=len(then) if shows_bars and len(then) > MOST_ROWS else 0,
        nothing=not len(bill.cube),
        lost=_frame(views.unpriced(bill)) if bad else "",
        notes=usage.notes,
    )


def _change(then, bill):
    """What a what-if comes to, in words; None where it changes nothing."""
    total = int(then["then"].sum())
    change = total - bill.total_nano
    if not change:
        return None
    sign = "+" if change > 0 else ""
    percent = Decimal(100 * change) / max(bill.total_nano, 1)
    return {
        "then": f"{usd(total, 2):,}",
        "more": f"{sign}{usd(change, 2):,}",
        "percent": f"{sign}{percent:.1f}",
    }


def _groups(then, group):
    """The table beneath the bars."""
    return tabled.table(
        [group, "USD now", "USD what if", "difference"],
        [
            list(map(str, then.index)),
            *(
                [usd(nano, 2) for nano in column]
                for column in (then["now"], then["then"], then["then"] - then["now"])
            ),
        ],
        named=1,
    )


def more(bill, on):
    """What no what-if changes: odd days, the next month, models that end. Each is a line that
    opens.
    """
    odd, ends = views.anomalies(bill), views.lifecycle(bill, on)
    coming, trust = _forecast(bill)
    old = prices.stale(datetime.date.today())
    return MORE.render(
        old=len(old),
        of=len(prices.price_rows()),
        oldest=min((row["checked_on"] for row in old), default=""),
        odd_days=len(odd),
        odd=_frame(odd),
        coming=coming,
        trust=trust,
        ending=f"Models that have ended, or will within 120 days of {on}: {len(ends)}",
        ends=_frame(ends),
    )


def _forecast(bill):
    """(what the next month may cost, how far to trust that) in words."""
    try:
        f = views.forecast(bill)
    except BillError as e:
        return "The next 30 days: no forecast", f"{e}."
    tried = (
        f"Asked on earlier days of this file, such an interval held {f.hits} of {f.tries} times."
        if f.tries
        else "The file is too short to try that on earlier days."
    )
    return (
        f"The next 30 days, if things go on as they did: {f.low:,.2f} to {f.high:,.2f} USD",
        f"{f.chance:.0%} of a thousand futures drawn from this file lie between. {tried}",
    )


def _frame(frame):
    """The first rows of a frame as a table; "" for an empty one."""
    return tabled.frame(frame.head(MOST_ROWS).replace({None: ""})) if len(frame) else ""


def _bars(then, group):
    """Bars now, and an outline of what would be, as one labelled SVG; the table has the numbers."""
    width, height, left, n = 740, 250, 60, len(then)
    top = max(int(then.to_numpy().max()), 1)
    step = (width - left) / n
    y = lambda nano: 190 * (1 - nano / top) + 30
    every = -(-n // 10)
    room = int(step * every / 7.5)  # letters that a bar's name may have
    bars = []
    for i, (label, row) in enumerate(zip(map(str, then.index), then.itertuples())):
        short = label if len(label) <= room else label[: room - 1] + "…"
        bars.append(
            {
                "label": label,
                "short": "" if i % every else short,
                "x": f"{left + i * step:.1f}",
                "width": f"{max(step * 0.7, 1):.1f}",
                "now": usd(row.now, 2),
                "now_at": f"{y(row.now):.1f}",
                "high": f"{220 - y(row.now):.1f}",
                "then": usd(row.then, 2),
                "then_at": f"{y(row.then):.1f}",
            }
        )
    cents = 0 if top > 10**11 else 2
    return BARS.render(
        alt=f"Bars of USD by {group} now, and a line across each for what if; the table below has the numbers.",
        width=width,
        height=height,
        left=left,
        group=group,
        axis=[(f"{y(top * q / 2) + 4:.0f}", f"{usd(top * q // 2, cents):,}") for q in range(3)],
        bars=bars,
        blue=COLOURS[4],
        orange=COLOURS[5],
        letters=11 if n > 6 else 12,
    )
