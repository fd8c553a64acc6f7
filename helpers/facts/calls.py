"""Calls and tuning jobs added up by model: tokens, and USD at the prices of a day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import prices

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Mapping


def by_model(
    calls: Iterable[Mapping[str, Any]], on: datetime.date, anybodys: bool = False
) -> tuple[list[dict[str, Any]], int, int]:
    """(rows, one a model; how many calls were refused; how many have no price or told no tokens).

    calls: dicts with `status`, `model` and `usage`. A model that was not sold on that day is priced
    at the last day on which it was. anybodys: whether the models may be others than OpenAI's; else
    only recorded calls may have no price. LookupError for another model without any.
    """
    rows: dict[str, dict[str, Any]] = {}
    refused, strange = 0, 0
    for call in calls:
        if call["status"] != 200:
            refused += 1
            continue
        if (anybodys or call.get("origin") == "recorded") and not _has_price(call):
            strange += 1
            continue
        day = prices.nearest_day(call["model"], on)
        row = rows.setdefault(call["model"], _row(call["model"], day))
        row["calls"] += 1
        for name, n in zip(("input", "cached", "hidden", "output"), counts(call["usage"])):
            row[name] += n
        row["usd"] += prices.cost(call["model"], call["usage"], day)
    return [rows[name] for name in sorted(rows)], refused, strange


def _row(model, day):
    numbers = dict.fromkeys(("calls", "input", "cached", "output", "hidden"), 0)
    return {"model": model, **numbers, "usd": Decimal(0), "on": day.isoformat()}


def _has_price(call):
    """Whether an upstream's call can be priced: another server's models have no price, and a stream
    may tell no usage.
    """
    try:
        counts(call["usage"])
        prices.sold_on(call["model"])
    except (LookupError, TypeError, AttributeError):
        return False
    return True


def trained(
    jobs: Iterable[Mapping[str, Any]], on: datetime.date
) -> tuple[list[dict[str, Any]], Decimal, list[str]]:
    """(rows of tuning jobs, one a base model; what a second count of the prompts would add, in USD;
    models without a price).
    """
    rows: dict[str, dict[str, Any]] = {}
    twice, unpriced = Decimal(0), set()
    for job in jobs:
        try:
            price = prices.usd_per_million(job["model"], "training", "training", on)
        except LookupError:
            unpriced.add(job["model"])
            continue
        row = rows.setdefault(job["model"], _row(f"{job['model']}, training", on))
        row["calls"] += 1
        row["input"] += job["tokens"]
        row["usd"] += (job["tokens"] * price).scaleb(-6)
        twice += ((job["most"] - job["tokens"]) * price).scaleb(-6)
    return [rows[name] for name in sorted(rows)], twice, sorted(unpriced)


def counts(usage: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """(input, cached, hidden, output) tokens of a usage dict in Chat Completions, Responses or
    Realtime shape.
    """
    new = "input_tokens" in usage
    given, out = (
        ("input_tokens", "output_tokens") if new else ("prompt_tokens", "completion_tokens")
    )
    return (
        usage[given],
        (usage.get(f"{given}_details") or usage.get("input_token_details") or {}).get(
            "cached_tokens"
        )
        or 0,
        (usage.get(f"{out}_details") or {}).get("reasoning_tokens") or 0,
        usage[out],
    )
