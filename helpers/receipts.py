"""receipt(): what this notebook's calls would have cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import running
from .common import tabled
from .facts import calls as made
from .facts import prices

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response


DAY_9 = "2024-12-17"
WORDS = (0, 7)  # columns of words: they stand to the left, numbers to the right


class Receipt:
    """The calls since connect(), summed by model. `rows` is a list of dicts, `total` a Decimal in
    USD.

    `later` is the part of the total that belongs to models not sold on the day asked for. `twice`
    is what training would cost more if each pair's prompt were billed with both of its answers;
    `unpriced` names the models whose training price is not known. `here` says in words what was
    really paid.
    """

    def __init__(
        self,
        rows: list[dict[str, Any]],
        refused: int,
        on: str,
        twice: Decimal = Decimal(0),
        unpriced: Sequence[str] = (),
        here: str = "Here: 0.00 USD.",
    ) -> None:
        self.rows, self.refused, self.on, self.twice, self.unpriced, self.here = (
            rows,
            refused,
            on,
            twice,
            unpriced,
            here,
        )
        self.total = sum((r["usd"] for r in rows), Decimal(0))
        self.later = sum((r["usd"] for r in rows if r["on"] != on), Decimal(0))

    def _table(self):
        head = ["model", "calls", "input", "cached", "output", "hidden", "USD", "prices of"]
        body = [
            [
                r["model"],
                r["calls"],
                r["input"],
                r["cached"],
                r["output"],
                r["hidden"],
                f"{r['usd']:.4f}",
                r["on"],
            ]
            for r in self.rows
        ]
        return head, [[f"{v:,}" if isinstance(v, int) else v for v in row] for row in body]

    def _note(self):
        later = f" and {self.later:.4f} USD for models not sold then" if self.later else ""
        free = (
            f" {self.refused} {'call that was' if self.refused == 1 else 'calls that were'} refused or off the map cost nothing."
            if self.refused
            else ""
        )
        twice = (
            f" Training counts a pair's prompt once; billed with each of the two answers it would be {self.twice:.4f} USD more. Which of them holds is not published."
            if self.twice
            else ""
        )
        unpriced = (
            f" Not in it: training of {', '.join(self.unpriced)}, for which no price of that day is known."
            if self.unpriced
            else ""
        )
        return (
            f"{self.here} At {self.on} prices: {self.total - self.later:.4f} USD{later}.{free}{twice}{unpriced} "
            "Hidden: the reasoning tokens in the output. Source: data/prices.csv."
        )

    def __repr__(self):
        head, body = self._table()
        rows = [head, *body]
        width = [max(len(r[i]) for r in rows) for i in range(len(head))]
        lines = [
            "  ".join(
                v.ljust(w) if i in WORDS else v.rjust(w) for i, (v, w) in enumerate(zip(r, width))
            ).rstrip()
            for r in rows
        ]
        return "\n".join([*lines, self._note()])

    def _repr_html_(self):
        head, body = self._table()
        columns = list(zip(*body)) or [()] * len(head)
        return tabled.table(head, columns, named=1, note=self._note())


def receipt(on: str = DAY_9) -> Receipt:
    """The calls since connect(), their tokens, and their price on a date.

    `on`: a date, such as 2024-12-17. A model that was not sold then is priced at the last day on
    which it was (one still sold: the day the price was checked), and the last column says which.
    Tokens are counts, prices USD. Returns a Receipt.

    Tuning jobs that ended well have rows of their own: the tokens trained, at the price of
    training. What the service bills for a job that was cancelled is not known, and not counted.

    Raises ValueError for a date that is none, LookupError for a model without any price.
    """
    told = running.server().ask("receipt")
    return _summed(told["calls"], on, told["training"], told["upstream"])


def receipt_of(answers: Iterable[ChatCompletion | Response], on: str = DAY_9) -> Receipt:
    """The same for these answers alone: ChatCompletions or Responses of the `openai` SDK.

    Raises ValueError for one without a usage: what it cost cannot be told.
    """
    calls = []
    for number, answer in enumerate(answers, 1):
        usage = getattr(answer, "usage", None)
        if usage is None:
            raise ValueError(
                f"answer {number} is a {type(answer).__name__} without a usage, so its cost is not known: leave it out, or ask for the usage (of a stream, stream_options={{'include_usage': True}})"
            )
        calls.append({"status": 200, "model": answer.model, "usage": usage.model_dump()})
    return _summed(calls, on)


def _summed(calls, on, jobs=(), upstream=None):
    day = prices.as_day(on)
    rows, refused, strange = made.by_model(calls, day, anybodys=bool(upstream))
    trained, twice, unpriced = made.trained(jobs, day)
    here = _paid(upstream, strange)
    return Receipt(rows + trained, refused, day.isoformat(), twice, unpriced, here)


def _paid(upstream, strange):
    """What was really paid, in words."""
    left_out = (
        f" Not in the table: {strange} calls that have no price or told no tokens."
        if strange
        else ""
    )
    if not upstream:
        return f"Here: 0.00 USD.{left_out}"
    left_out += running.not_recorded(upstream.get("lost", []), " Not recorded: ")
    if not upstream["openai"]:
        return f"Here: what {upstream['host']} costs, which asks no price by the token.{left_out}"
    ceiling = (
        "without a ceiling"
        if upstream["ceiling"] is None
        else f"of {upstream['ceiling']} USD (DAY9_BUDGET)"
    )
    return f"Here, since this kernel began: {Decimal(upstream['spent']):.4f} USD {ceiling}, at today's prices.{left_out}"
