"""receipt(): what this notebook's calls would have cost."""
import datetime
import html
from decimal import Decimal

from . import connection, prices

DAY_9 = "2024-12-17"


class Receipt:
    """The calls since connect(), summed by model. `rows` is a list of dicts, `total` a Decimal in USD.

    `later` is the part of the total that belongs to models not sold on the day asked for.
    """

    def __init__(self, rows, refused, on):
        self.rows, self.refused, self.on = rows, refused, on
        self.total = sum((r["usd"] for r in rows), Decimal(0))
        self.later = sum((r["usd"] for r in rows if r["on"] != on), Decimal(0))

    def _table(self):
        head = ["model", "calls", "input", "cached", "output", "hidden", "USD", "prices of"]
        body = [[r["model"], r["calls"], r["input"], r["cached"], r["output"], r["hidden"], f"{r['usd']:.4f}", r["on"]] for r in self.rows]
        return head, [[f"{v:,}" if isinstance(v, int) else v for v in row] for row in body]

    def _note(self):
        later = f" and {self.later:.4f} USD for models not sold then" if self.later else ""
        free = f" {self.refused} calls that were refused or off the map cost nothing." if self.refused else ""
        return (f"Here: 0.00 USD. At {self.on} prices: {self.total - self.later:.4f} USD{later}.{free} "
                "Hidden: the reasoning tokens in the output. Source: data/prices.csv.")

    def __repr__(self):
        head, body = self._table()
        rows = [head, *body]
        width = [max(len(r[i]) for r in rows) for i in range(len(head))]
        lines = ["  ".join(v.ljust(w) if i in (0, 7) else v.rjust(w) for i, (v, w) in enumerate(zip(r, width))).rstrip() for r in rows]
        return "\n".join([*lines, self._note()])

    def _repr_html_(self):
        head, body = self._table()
        cell = lambda tag, i, v: f'<{tag} style="text-align:{"left" if i in (0, 7) else "right"}">{html.escape(v)}</{tag}>'
        rows = "".join("<tr>" + "".join(cell("td", i, v) for i, v in enumerate(r)) + "</tr>" for r in body)
        heads = "".join(cell("th", i, v) for i, v in enumerate(head))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{html.escape(self._note())}</p>"


def receipt(on=DAY_9):
    """The calls since connect(), their tokens, and their price on a date.

    `on`: an ISO date. A model that was not sold then is priced at the last day on which it was (one still
    sold: the day the price was checked), and the last column says which. Tokens are counts, prices USD. Returns a Receipt.

    Raises ValueError for a date that is none, LookupError for a model without any price.
    """
    on = datetime.date.fromisoformat(on)
    rows, refused = {}, 0
    for call in connection.server().ask("receipt")["calls"]:
        if call["status"] != 200:
            refused += 1
            continue
        day = _priced_on(call["model"], on)
        row = rows.setdefault(call["model"], {"model": call["model"], "calls": 0, "input": 0, "cached": 0, "output": 0, "hidden": 0, "usd": Decimal(0), "on": day.isoformat()})
        given, cached, hidden, out = counts(call["usage"])
        for name, n in (("calls", 1), ("input", given), ("cached", cached), ("output", out), ("hidden", hidden)):
            row[name] += n
        row["usd"] += prices.cost(call["model"], call["usage"], day)
    return Receipt([rows[name] for name in sorted(rows)], refused, on.isoformat())


def counts(usage):
    """(input, cached, hidden, output) tokens of a usage dict in Chat Completions or Responses shape."""
    new = "input_tokens" in usage
    given, out = ("input_tokens", "output_tokens") if new else ("prompt_tokens", "completion_tokens")
    return (usage[given], (usage.get(f"{given}_details") or {}).get("cached_tokens") or 0,
            (usage.get(f"{out}_details") or {}).get("reasoning_tokens") or 0, usage[out])


def _priced_on(model, on):
    """`on` where the model was sold then; else the last day on which a price of it is known."""
    first, end = prices.sold_on(model)
    if first <= on and (end is None or on < end):
        return on
    return end - datetime.timedelta(days=1) if end else max(r["checked_on"] for r in prices.price_rows() if r["model"] == model)
