"""What calls cost: the dated table data/prices.csv, and exact sums over it.

Prices are USD per million tokens and hold from a first day until, and not including, a last one:
the day of the next price, or the day the model was shut down (data/models.csv). All sums are
Decimals, so a receipt has no rounding error. Sources stand in each row; data/README.md says what
the table leaves out.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import dates, tables
from .models import models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def price_rows() -> list[dict[str, Any]]:
    """The table as a list of dicts with the columns of data/prices.csv.

    `usd_per_million` is a Decimal; `from`, `until` and `checked_on` are dates, `until` None where
    no later price is known.

    >>> price_rows()[0]["model"], price_rows()[0]["usd_per_million"]
    ('o1-2024-12-17', Decimal('15'))
    """
    return [dict(row) for row in _table()]


def usd_per_million(model: str, modality: str, direction: str, on: str | datetime.date) -> Decimal:
    """The price of a million tokens, in USD, as a Decimal.

    modality: text, audio, image or training; direction: input, cached_input, output or training;
    on: a date or "2024-12-17". An alias (o1) has the price of what it stands for, a tuned model
    ("ft:gpt-4o-2024-08-06:me::abc") that of its base's tunes. LookupError says which days are
    known. For a day after the last check it is the price of that check, with a warning.

    >>> usd_per_million("o1", "text", "output", "2024-12-17")
    Decimal('60')
    >>> usd_per_million("o1", "text", "output", "2026-11-22")    # doctest: +ELLIPSIS
    Traceback (most recent call last):
    LookupError: no text output price of o1 for 2026-11-22: known from 2024-12-17 to 2026-10-22; ...
    """
    on = as_day(on)
    rows = prices_of(model, modality, direction)
    for row in rows:
        if row["from"] <= on and (row["until"] is None or on < row["until"]):
            if row["until"] is None and on > row["checked_on"]:
                warnings.warn(
                    f"the prices of {model} were last checked on {row['checked_on']}; those stand here for {on}",
                    stacklevel=2,
                )
            return row["usd_per_million"]
    if not rows:
        others = [
            f"{r['modality']} {r['direction']}" for r in _table() if r["model"] in names_of(model)
        ]
        if others:
            known = f"known of {model}: {', '.join(sorted(set(others)))}"
            raise LookupError(f"no {modality} {direction} price of {model} for {on}: {known}")
    released = as_day(models().get(model, {}).get("released") or "1970-01-01")
    yet = f"not sold before {released}; " if on < released else ""
    raise LookupError(
        f"no {modality} {direction} price of {model} for {on}: {yet}{_known(model, rows)}"
    )


def usd_by_time(model: str, per: str, on: str | datetime.date) -> Decimal:
    """The price, in USD, of what is sold by the clock, as a Decimal (data/prices_by_time.csv).

    per: minute or training hour; on: a date or "2026-11-22". LookupError where none is known for
    that day. For a day after the last check it is the price of that check, with a warning.

    >>> usd_by_time("gpt-live-1", "minute", "2026-11-22")
    Decimal('0.05')
    """
    on = as_day(on)
    for row in tables.rows("prices_by_time.csv"):
        if (
            (row["model"], row["per"]) == (model, per)
            and row.value("from", as_day) <= on
            and not (row["until"] and row.value("until", as_day) <= on)
        ):
            if not row["until"] and on > row.value("checked_on", as_day):
                warnings.warn(f"the price of {model} was last checked on {row['checked_on']}; it stands here for {on}", stacklevel=2)  # fmt: skip
            return row.value("usd", Decimal)
    known = sorted({f"{r['model']} by the {r['per']}" for r in tables.rows("prices_by_time.csv")})
    raise LookupError(
        f"no price of {model} by the {per} for {on} is in data/prices_by_time.csv, which has {', '.join(known)}"
    )


def cost(model: str, usage: Mapping[str, Any], on: str | datetime.date) -> Decimal:
    """What one call cost, in USD, as an exact Decimal.

    usage: the dict of a Chat Completions, Responses or Realtime answer
    (`answer.usage.model_dump()`). There, cached, audio and image tokens are inside the input total
    and reasoning tokens inside the output total (openai 3.54.0, types/), so nothing is added to the
    totals, only split off them. on: the day whose prices to use, a date or "2024-12-17". What some
    models of 2026 charge for writing to the cache (litellm 1.109.1) is not in the table or the sum.
    LookupError where a kind of token was used that has no known price that day; ValueError where
    the usage is of no known shape or its parts exceed their total.

    >>> cost("o1", {"prompt_tokens": 1000, "completion_tokens": 500}, "2024-12-17")
    Decimal('0.045000')
    """
    counts = token_counts(usage)
    return sum(
        (
            (n * usd_per_million(model, modality, direction, on)).scaleb(-6)
            for (modality, direction), n in counts.items()
        ),
        Decimal(0),
    )


def last_checked() -> datetime.date:
    """The last day on which a row of the table was checked: the "today" of our pages.

    >>> last_checked() >= datetime.date(2026, 11, 22)
    True
    """
    return max(row["checked_on"] for row in _table())


def history(model: str) -> list[dict[str, Any]]:
    """All price rows of a model, as `price_rows` has them; of an alias those of what it stands for.

    LookupError where there are none.

    >>> [str(r["usd_per_million"]) for r in history("o1") if r["direction"] == "output"]
    ['60']
    """
    for name in names_of(model):
        found = [row for row in price_rows() if row["model"] == name]
        if found:
            return found
    raise LookupError(_known(model, []))


def replacement(model: str) -> str:
    """The model to take in the place of this one, or of what it stands for: the one that OpenAI
    names. Where that has an end of its own, what OpenAI names after it or, where it names nothing,
    for most others of its kind. "" where sources name none or several.

    >>> replacement("o1"), replacement("o1-mini"), replacement("gpt-6.1-sol")
    ('gpt-5.6-sol', 'gpt-5.6-sol', '')
    """
    rows = [models().get(name.removeprefix("ft:"), {}) for name in names_of(model)]
    new = next((row["replacement"] for row in rows if row.get("replacement")), "")
    while new and models()[new]["replacement"]:
        new = models()[new]["replacement"]
    if new and models()[new]["shutdown"]:
        new = _of_kind(models()[new]["kind"]) or new
    return new


def _of_kind(kind):
    """The model without an end that OpenAI names for most models of a kind, or ""."""
    named = [row["replacement"] for row in models().values() if row["kind"] == kind]
    lasting = [name for name in named if name and not models()[name]["shutdown"]]
    return max(sorted(set(lasting)), key=lasting.count, default="")


def stale(on: str | datetime.date, days: int = 90) -> list[dict[str, Any]]:
    """The price rows that nobody has checked for more than `days` days before `on`, as `price_rows`
    has them.

    >>> len(stale("2026-11-22")), len(stale("2027-11-22")) == len(price_rows())
    (0, True)
    """
    return [row for row in price_rows() if (as_day(on) - row["checked_on"]).days > days]


def sold_on(model: str) -> tuple[datetime.date, datetime.date | None]:
    """(first day, day from which on no longer) of the model's known text input prices; None for an
    open end.

    >>> sold_on("o1")
    (datetime.date(2024, 12, 17), datetime.date(2026, 10, 23))
    """
    rows = prices_of(model, "text", "input")
    if not rows:
        raise LookupError(f"no text input price of {model} is known")
    return rows[0]["from"], rows[-1]["until"]


def nearest_day(model: str, on: str | datetime.date) -> datetime.date:
    """`on` where the model was sold then; else the last day of its sale or, of one still sold, the
    day its price was checked.

    >>> nearest_day("o1", "2026-11-22"), nearest_day("gpt-6.1-sol", "2024-12-17")
    (datetime.date(2026, 10, 22), datetime.date(2026, 11, 22))
    """
    on = as_day(on)
    first, end = sold_on(model)
    if first <= on and (end is None or on < end):
        return on
    return (
        end - datetime.timedelta(days=1)
        if end
        else max(r["checked_on"] for r in prices_of(model, "text", "input"))
    )


def token_counts(usage: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """{(modality, direction): tokens} of a usage dict, zeros left out.

    >>> heard = {"text_tokens": 119, "audio_tokens": 13, "cached_tokens": 64}
    >>> heard["cached_tokens_details"] = {"text_tokens": 64, "audio_tokens": 0}
    >>> said = {"text_tokens": 30, "audio_tokens": 91}
    >>> token_counts({"input_tokens": 132, "input_token_details": heard,
    ...               "output_tokens": 121, "output_token_details": said}
    ... )    # doctest: +NORMALIZE_WHITESPACE
    {('text', 'input'): 55, ('text', 'cached_input'): 64, ('text', 'output'): 30,
     ('audio', 'input'): 13, ('audio', 'output'): 91}
    """
    if "prompt_tokens" in usage:  # Chat Completions
        total_in, total_out = usage["prompt_tokens"], usage.get("completion_tokens")
        inside, outside = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    elif "input_token_details" in usage:  # Realtime
        total_in, total_out = usage["input_tokens"], usage.get("output_tokens")
        inside, outside = usage["input_token_details"], usage.get("output_token_details")
    elif "input_tokens" in usage:  # Responses
        total_in, total_out = usage["input_tokens"], usage.get("output_tokens")
        inside, outside = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    else:
        raise ValueError(
            f"usage has neither prompt_tokens nor input_tokens, but {', '.join(usage) or 'nothing'}"
        )
    # Only Realtime sells pictures at a price of their own; elsewhere they are text tokens.
    others = ("audio", "image") if "input_token_details" in usage else ("audio",)
    inside, outside = inside or {}, outside or {}

    given = _by_modality(total_in, inside, others)
    # Only Realtime says which tokens came from the cache; elsewhere only text is cached.
    cached = _by_modality(
        inside.get("cached_tokens"), inside.get("cached_tokens_details") or {}, others
    )
    made = _by_modality(total_out, outside, others)
    counts = {}
    for modality in given:
        counts[modality, "input"] = given[modality] - cached[modality]
        counts[modality, "cached_input"] = cached[modality]
        counts[modality, "output"] = made[modality]
    if min(counts.values()) < 0:
        raise ValueError(f"the parts of this usage exceed their total: {usage}")
    broken = [n for n in counts.values() if n != int(n)]
    if broken:
        raise ValueError(f"tokens are counted whole, and {broken[0]} is no whole number of them")
    return {kind: int(n) for kind, n in counts.items() if n}


def _by_modality(total, details, others):
    """{modality: tokens}: what is in `details`, and the rest of the total as text."""
    parts = {modality: details.get(f"{modality}_tokens") or 0 for modality in others}
    return {"text": (total or 0) - sum(parts.values())} | parts


@functools.cache
def _table():
    return typed_rows("prices.csv")


def typed_rows(name: str) -> list[dict[str, Any]]:
    """The rows of a table of prices below data/, with prices as Decimals and days as dates.
    Broken names the file and the line.
    """
    return [_typed(row) for row in tables.rows(name)]


def dated(
    model: str, rows_of: Callable[[str], Sequence[dict[str, Any]] | None]
) -> list[dict[str, Any]]:
    """Price rows of a model, oldest first, each ending at the shutdown at the latest: what
    `rows_of` has of the first of the model's names of which it has any.
    """
    end = shutdown_of(model)
    for name in names_of(model):
        rows = rows_of(name)
        if rows:
            capped = (
                r | {"until": min((d for d in (r["until"], end) if d), default=None)} for r in rows
            )
            return sorted(capped, key=lambda r: r["from"])
    return []


def _typed(row):
    return row | {
        "usd_per_million": row.value("usd_per_million", Decimal),
        "from": row.value("from", as_day),
        "until": row.value("until", as_day) if row["until"] else None,
        "checked_on": row.value("checked_on", as_day),
    }


def names_of(model: str) -> list[str]:
    """The ids under which a model's prices may stand: its own, then the one it is an alias of."""
    if model.startswith("ft:"):
        model = ":".join(model.split(":")[:2])
    alias_of = models().get(model, {}).get("alias_of")
    if alias_of:
        return [model, alias_of]
    base = _without_date(model)
    if base and not models().get(base, {}).get("alias_of"):
        return [model, base]
    return [model]


def _without_date(model):
    """The model that a dated snapshot is one of, "" for a name without a day at its end. A snapshot
    has its model's price, unless the model's name stands for another snapshot.
    """
    base, day = model[:-11], model[-10:]
    try:
        datetime.date.fromisoformat(day)
    except ValueError:
        return ""
    return base if model[-11:-10] == "-" and len(day) == 10 and day[4] == day[7] == "-" else ""


def shutdown_of(model: str) -> datetime.date | None:
    """The day on which the model, or what it stands for, was shut down, or None. A tune ends with
    its base.
    """
    days = [models().get(name.removeprefix("ft:"), {}).get("shutdown") for name in names_of(model)]
    return min((as_day(d) for d in days if d), default=None)


@functools.cache
def prices_of(model: str, modality: str, direction: str) -> list[dict[str, Any]]:
    """The rows of one kind of price of a model, oldest first; [] where there are none. Not to be
    changed: all callers have the same list.
    """
    kind = modality, direction
    alike = [r for r in _table() if (r["modality"], r["direction"]) == kind]
    return dated(model, lambda name: [r for r in alike if r["model"] == name])


def _known(model, rows):
    if not rows:
        like = difflib.get_close_matches(
            model.lower(), {r["model"] for r in _table()} | models().keys(), 3
        )
        near = f"; it has {', '.join(like)}" if like and model not in like else ""
        return f"no such price of {model} is in data/prices.csv{near}"
    first, until, end = rows[0]["from"], rows[-1]["until"], shutdown_of(model)
    days = (
        f"from {first} on"
        if until is None
        else f"from {first} to {until - datetime.timedelta(days=1)}"
    )
    return f"known {days}" + (f"; shutdown of {model}: {end}" if end else "")


def as_day(value: str | datetime.date) -> datetime.date:
    """A date of a date, a datetime, "2024-12-17" or another way to write one. ValueError for
    anything else.
    """
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(value)
    except (ValueError, TypeError):
        day = dates.read(value)
    if day is None:
        raise ValueError(f'{value!r} is no date as prices have them: write "2024-12-17".')
    return day
