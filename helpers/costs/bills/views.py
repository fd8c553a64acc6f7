"""Look at a bill: by model, feature and day; what could not be priced; odd days; what comes; what
else would cost.
"""

import datetime
import warnings

import numpy as np
import pandas as pd

from ...common.whole import is_whole
from ...facts import prices, tables
from . import terms
from .pricing import CODES, KINDS, NAMES, REASONS, BillError, Rates, cost, limit_of, usd

OF_THE_MODEL = [
    CODES[r]
    for r in (
        "this model is not in the price table",
        "before the first known price",
        "after the model's shutdown",
        "no price is known for that day",
        "a kind of token has no price",
    )
]
FEWEST_NEIGHBOURS = 4  # same weekdays that a day is compared with, at least
ODD = 5.0  # robust standard deviations from which on a day is odd; normal days pass it once in millions
CALM = 0.05  # no series is taken to be steadier than 5 %, or every copy of a constant would be odd
SERIES = 2000  # looked at in one go
PATHS = 1000
FEWEST_DAYS = 42
MOST_DAYS = 366  # that a forecast looks ahead: what it draws from is a few months


def by(bill, *names):
    """What was used and what it cost: a frame with `names`, requests, tokens, USD and its share in
    %.

    names: of "model", "feature", "day", "week", "month", or any column of `bill.rows` that is a
    category, such as "user" and "key". Ordered by time, or by cost. USD are rounded to cents;
    `bill.cube` has whole nano-dollars.
    """
    if not len(bill.cube):
        why = [
            f"{r.reason} ({r.model})" if r.model else r.reason for r in unpriced(bill).itertuples()
        ]
        raise BillError(f"no row of this file has a price: {'; '.join(why[:5]) or 'it holds none'}")
    columns = ["model", "feature", "day", "week", "month"]
    columns += [c for c in ("user", "key") if c in bill.rows]
    unknown = [name for name in names if name not in (*columns, *bill.rows)]
    if unknown or not names:
        raise BillError(
            f"a bill is by {', '.join(columns)}, not by {', '.join(unknown) or 'nothing'}"
        )
    if set(names) <= {"model", "feature", "day", "week", "month"}:
        sums = bill.cube.copy()
        sums["tokens"] = sums[bill.kinds].sum(axis=1) if bill.kinds else 0
        sums["week"], sums["month"] = (
            sums["day"].dt.to_period("W").dt.start_time.dt.date,
            sums["day"].dt.strftime("%Y-%m"),
        )
        sums["day"] = sums["day"].dt.date
        sums = (
            sums.groupby(list(names), observed=True)[["requests", "tokens", "nano"]]
            .sum()
            .reset_index()
        )
    else:
        sums = bill.sums(*names)
    if not {"day", "week", "month"} & set(names):
        sums = sums.sort_values("nano", ascending=False, kind="stable")
    share = 100 * sums["nano"] / max(bill.total_nano, 1)
    sums = sums.drop(columns="nano").assign(USD=[usd(n, 2) for n in sums["nano"]])
    return sums.assign(**{"share, %": share.round(1)}).reset_index(drop=True)


def unpriced(bill):
    """What has no price, why, and how much of the file it is: one row for each reason and, where it
    is the model's, model.

    Tokens that cannot be believed (negative, absurd, cut off) are not counted in the shares.
    """
    rows = bill.rows
    bad = bill.reason != 0
    kinds = bill.kinds
    tokens = rows[kinds].sum(axis=1).to_numpy() if kinds else np.zeros(len(rows))
    tokens = np.where(
        np.isin(bill.reason, [CODES["a count is negative"], CODES["a count is absurdly large"]]),
        0,
        tokens,
    )
    requests = rows["requests"].to_numpy() if "requests" in rows else np.ones(len(rows))
    requests = np.where(
        (requests < 0) | np.isin(bill.reason, [CODES["a count is absurdly large"]]), 0, requests
    )
    model = (
        rows["model"].astype(object).where(np.isin(bill.reason, OF_THE_MODEL), "").to_numpy()[bad]
    )
    # a frame of sums tells how many each was
    lines = rows["rows"].to_numpy() if "rows" in rows else np.ones(len(rows), int)
    found = pd.DataFrame(
        {
            "why": bill.reason[bad],
            "model": model,
            "rows": lines[bad],
            "requests": requests[bad],
            "tokens": tokens[bad],
        }
    )
    sums = (
        found.groupby(["why", "model"])
        .agg(rows=("rows", "sum"), requests=("requests", "sum"), tokens=("tokens", "sum"))
        .reset_index()
    )
    sums = sums.sort_values(["tokens", "rows"], ascending=False, kind="stable")
    percent = lambda part, whole: (100 * part / max(whole, 1)).round(2)
    return pd.DataFrame(
        {
            "reason": [NAMES[w] for w in sums["why"]],
            "model": sums["model"],
            "rows": sums["rows"],
            "requests, %": percent(sums["requests"], requests.sum()),
            "tokens, %": percent(sums["tokens"], tokens.sum()),
            "what helps": [
                _known_gap(model) or REASONS[NAMES[w]]
                for w, model in zip(sums["why"], sums["model"])
            ],
        }
    ).reset_index(drop=True)


def _known_gap(model):
    """Why a model of the SDK's list is not in the price table, in the words of data/unpriced.csv;
    "" for any other name.
    """
    why = {row["model"]: row["why"] for row in tables.rows("unpriced.csv")}
    return f"{why[model]}; or name a twin: price(…, same_as={{…}})" if model in why else ""


def daily(bill, model=None, feature=None, leave_out=()):
    """USD of each day from the first to the last, days without a call as 0: a Series of floats, for
    statistics only.

    Of one model in one feature, where both are given; without the features of `leave_out`, a name
    or several. BillError where that model is not in that feature, or a name is not in the bill.
    """
    left = [leave_out] if isinstance(leave_out, str) else list(leave_out or ())
    features = list(bill.cube["feature"].unique())
    unknown = [name for name in left if name not in features]
    if unknown:
        raise BillError(
            f"nothing in this bill has the feature {', '.join(unknown)}; it has {', '.join(map(str, features[:12]))}"
        )
    cube = bill.cube[~bill.cube["feature"].isin(left)]
    if model is not None:
        cube = cube[(cube["model"] == model) & (cube["feature"] == feature)]
        if not len(cube):
            both = bill.cube[["model", "feature"]].drop_duplicates().head(12)
            there = "; ".join(f"{m} in {f}" for m, f in both.itertuples(index=False))
            raise BillError(
                f"nothing in this bill was priced as {model} in {feature}; it has {there}"
            )
    days = (
        pd.date_range(cube["day"].min(), cube["day"].max(), freq="D")
        if len(cube)
        else pd.DatetimeIndex([])
    )
    return (cube.groupby("day")["nano"].sum() / 1e9).reindex(days, fill_value=0.0)


def anomalies(bill):
    """Days on which a model in a feature cost far more or less than on the same weekday around it.

    Usual is the median of the same weekday within four weeks before and after. How far the days of
    the series stray from it, as a share, has a median too (MAD); a day that strays more than five
    times that (times 1.4826, which makes it a standard deviation for normal noise) is odd. Medians
    do not notice the odd days themselves. A frame: day, model, feature, USD, usual USD, times. The
    largest difference first.
    """
    found, cube = [], bill.cube
    days = pd.date_range(cube["day"].min(), cube["day"].max(), freq="D") if len(cube) else []
    series = (
        cube.groupby(["model", "feature", "day"])["nano"].sum().unstack("day").reindex(columns=days)
        / 1e9
    )
    for start in range(0, len(series), SERIES):
        names, values = (
            series.index[start : start + SERIES],
            series.to_numpy()[start : start + SERIES],
        )
        # between the first and the last of these, a day without a call cost 0
        known = ~np.isnan(values)
        since, until = (
            np.maximum.accumulate(known, axis=1),
            np.maximum.accumulate(known[:, ::-1], axis=1)[:, ::-1],
        )
        values = np.where(since & until & ~known, 0, values)
        usual = _usual(values, FEWEST_NEIGHBOURS)
        stray = values / np.where(usual > 0, usual, np.nan) - 1
        some = ~np.isnan(stray).all(axis=1)
        stray[some] -= np.nanmedian(stray[some], axis=1, keepdims=True)
        scale = np.full((len(stray), 1), np.nan)
        scale[some] = np.maximum(
            1.4826 * np.nanmedian(np.abs(stray[some]), axis=1, keepdims=True), CALM
        )
        for s, d in zip(*np.nonzero(np.abs(stray) > ODD * scale)):
            found.append(
                (
                    days[d].date(),
                    *names[s],
                    round(values[s, d], 2),
                    round(usual[s, d], 2),
                    round(values[s, d] / usual[s, d], 1),
                )
            )
    found.sort(key=lambda row: -abs(row[3] - row[4]))
    return pd.DataFrame(
        found, columns=["day", "model", "feature", "USD", "usual USD", "times usual"]
    )


class Forecast:
    """`history`: USD a day; `days`: a frame with the date, `low`, `middle` and `high` USD of each
    coming day; `low`, `middle`, `high`: of their sum; `chance`: how often the truth should lie
    between; `hits`, `tries`: how often it did when the same was done from earlier days of this
    file.
    """

    def __init__(self, history, days, ends, chance, hits, tries):
        self.history, self.days, self.chance, self.hits, self.tries = (
            history,
            days,
            chance,
            hits,
            tries,
        )
        self.low, self.middle, self.high = ends


def forecast(bill, days=30, chance=0.8, leave_out=(), seed=9):
    """What the coming `days` cost if things go on as they did. Returns a Forecast. BillError for
    under six weeks.

    A coming day costs what the same weekday did a week before, times how far a past day was from
    its own week before; those ratios are drawn from the file a week at a time, and a thousand such
    futures are built, each on its own days. The interval holds the middle `chance` of them. Days of
    more than twice or less than half the usual (see `anomalies`) count as usual. It knows nothing
    of a launch, a new price or a shutdown to come. leave_out: features that are not to count, such
    as one whose model has just changed. The same is then tried from earlier days of the file, a
    week apart, and `hits` says how often the interval held.
    """
    if not is_whole(days) or not 1 <= days <= MOST_DAYS:
        raise BillError(f"days is a whole number from 1 to {MOST_DAYS}, not {days!r}")
    days = int(days)
    if not isinstance(chance, (int, float)) or not 0 < chance < 1:
        raise BillError(f"chance lies between 0 and 1, such as 0.8 for 80 %, and is not {chance!r}")
    series = daily(bill, leave_out=leave_out)
    values = series.to_numpy()
    if len(values) < FEWEST_DAYS:
        raise BillError(f"a forecast needs six weeks of days; this bill has {len(values)}")
    tail = 50 * (1 - chance)
    futures = _futures(values, days, seed)
    low, middle, high = np.percentile(futures, [tail, 50, 100 - tail], axis=0)
    whole = np.percentile(futures.sum(axis=1), [tail, 50, 100 - tail])
    tried = [
        (end, np.percentile(_futures(values[:end], days, seed).sum(axis=1), [tail, 100 - tail]))
        for end in range(len(values) - days, FEWEST_DAYS - 1, -7)
    ]
    hits = sum(ends[0] <= values[end : end + days].sum() <= ends[1] for end, ends in tried)
    dates = pd.date_range(series.index[-1], periods=days + 1, freq="D")[1:]
    return Forecast(
        series,
        pd.DataFrame({"day": dates.date, "low": low, "middle": middle, "high": high}),
        tuple(map(float, whole)),
        chance,
        int(hits),
        len(tried),
    )


def _futures(values, days, seed):
    """PATHS × days of possible USD that follow `values`."""
    usual = _usual(values)
    odd = (usual > 0) & ((values > 2 * usual) | (values < usual / 2))
    values = np.where(odd, usual, values)
    before = values[:-7]
    ratios = np.divide(values[7:], before, out=np.ones(len(before)), where=before > 0)
    dice = np.random.default_rng(seed)
    starts = dice.integers(0, len(ratios) - 6, (PATHS, -(-days // 7)))
    drawn = ratios[(starts[:, :, None] + np.arange(7)).reshape(PATHS, -1)]
    paths = np.hstack([np.broadcast_to(values[-7:], (PATHS, 7)), np.zeros((PATHS, days))])
    for d in range(days):
        paths[:, 7 + d] = paths[:, d] * drawn[:, d]
    return paths[:, 7:]


def _usual(values, fewest=1):
    """The median of the same weekday within four weeks before and after each day, the last axis;
    NaN where fewer than `fewest` are there.
    """
    n = values.shape[-1]
    padded = np.pad(
        values.astype(float), [(0, 0)] * (values.ndim - 1) + [(28, 28)], constant_values=np.nan
    )
    near = np.stack([padded[..., 28 + 7 * k : 28 + 7 * k + n] for k in range(-4, 5) if k])
    usual = np.full(values.shape, np.nan)
    enough = (~np.isnan(near)).sum(axis=0) >= fewest
    usual[enough] = np.nanmedian(near[:, enough], axis=0)
    return usual


class WhatIf:
    """`table`: a frame by model or feature with USD now, USD then and the difference; `now`,
    `then`: the sums in USD; `cube`: the bill's cube with the new nano-dollars.
    """

    def __init__(self, bill, cube, name):
        self.cube, self.now, self.then = cube, bill.total, usd(cube["nano"].sum())
        names = pd.unique(pd.concat([bill.cube[name], cube[name]]))
        now, then = (
            c.groupby(name)["nano"].sum().reindex(names, fill_value=0) for c in (bill.cube, cube)
        )
        order = (now + then).sort_values(ascending=False, kind="stable").index
        self.table = pd.DataFrame(
            {
                name: order,
                "USD now": [usd(now[n], 2) for n in order],
                "USD then": [usd(then[n], 2) for n in order],
                "difference": [usd(then[n] - now[n], 2) for n in order],
            }
        )


def what_if(bill, move=None, to=None, cached=None, hidden=None, batch=None, on=None, by="model"):
    """The same usage with something else. Only what you change changes; the rest keeps its price.
    Returns a WhatIf.

    move: the model, or models, to change; None is all. to: the model that does their work, at its
    prices of the day `on`. cached: how many percent of the text input come from the cache. hidden:
    how many percent of today's hidden tokens are thought, as with a lower effort. batch: how many
    percent of the list price a call costs, as in a batch or with a discount: your figure. Rows that
    were a batch, or flex, keep their price. by: "model" or "feature", what the table is by. Counts
    are rounded down to whole tokens, prices to nano-dollars. A file that does not count hidden
    tokens (OpenAI's usage API does not) cannot say what fewer of them save: BillError; so for a
    model that is not in the bill and for a share that cannot be. LookupError where `to` has no
    price for what is moved.
    """
    if bill.stated or "text_input" not in bill.cube:
        raise BillError(
            "a what-if needs tokens, and this file has none for text: it holds what was billed, or sound alone"
        )
    _whole_percent("cached", cached, 100)
    _whole_percent("hidden", hidden)
    _whole_percent("batch", batch)
    on = on and prices.as_day(on)
    _checked(on)
    cube = bill.cube.copy()
    if move is None:
        chosen = np.ones(len(cube), bool)
    else:
        chosen = cube["model"].isin([move] if isinstance(move, str) else list(move)).to_numpy()
    if not chosen.any():
        raise BillError(
            f"nothing in this bill was priced as {move}; it has {', '.join(sorted(set(cube['model'])))}"
        )
    if hidden is not None:
        _think(cube, chosen, int(hidden))
    if cached is not None:
        _cache(cube, chosen, int(cached))
    if to is None:
        changed = cost(cube, bill.rates)
        _sold(cube[chosen], bill.rates, None)
    else:
        rises = limit_of(to) > 0
        there = cube["model"].map({m: terms.moved(m, to, rises) for m in set(cube["model"])})
        rates = Rates(sorted(set(there)))
        _sold(cube[chosen].assign(model=there[chosen]), rates, on)
        changed = cost(cube.assign(model=there), rates, on)
        cube["model"] = cube["model"].astype(object).where(~chosen, there)
    if batch is not None:
        cheaper = (
            cube["model"].map(lambda m: terms.split(m)[1].startswith(terms.TIERS)).to_numpy(bool)
        )
        # in two parts: the product might not fit
        part = changed // 100 * int(batch) + changed % 100 * int(batch) // 100
        changed = np.where(cheaper, changed, part)
    cube["nano"] = np.where(chosen, changed, cube["nano"])
    return WhatIf(bill, cube, by)


def _whole_percent(name, percent, most=np.inf):
    """Raises BillError for what is no percentage; None is left as it is."""
    if percent is None:
        return
    number = isinstance(percent, (int, float, np.integer))
    meant = f": {100 * percent:g} where you wrote {percent}" if number and 0 < percent < 1 else ""
    if not number or percent != int(percent) or not 0 <= percent <= most:
        raise BillError(
            f"{name} is a whole number of percent, from 0{' to 100' if most == 100 else ' on'}, not {percent!r}{meant}"
        )


def _think(cube, chosen, percent):
    """Change the chosen rows to so many percent of their hidden tokens."""
    if "reasoning" not in cube:
        raise BillError("this file does not count hidden tokens; a log of single calls does")
    kept = cube["reasoning"] * percent // 100
    cube["text_output"] += np.where(chosen, kept - cube["reasoning"], 0)
    cube["reasoning"] = cube["reasoning"].where(~chosen, kept)


def _cache(cube, chosen, percent):
    """Change the chosen rows so that so many percent of their text input come from the cache."""
    both = cube["text_input"] + cube.get("text_cached_input", 0)
    part = both * percent // 100
    cube["text_cached_input"] = np.where(chosen, part, cube.get("text_cached_input", 0))
    cube["text_input"] = np.where(chosen, both - part, cube["text_input"])


def _checked(on):
    """A warning where prices are asked for that are of a day after the last check."""
    last = prices.last_checked()
    if on and on > last:
        warnings.warn(f"the prices for {on} are those of {last}, when they were last checked", stacklevel=3)  # fmt: skip


def _sold(cube, rates, on):
    """LookupError where tokens of `cube` are of a kind that has no price."""
    row, slot = rates.places(cube, on)
    for kind in KINDS:
        lack = (
            (rates.nano[kind][row, slot] < 0) & (cube[kind].to_numpy() > 0)
            if kind in cube
            else np.zeros(0, bool)
        )
        if lack.any():
            first = cube[lack].iloc[0]
            # raises, in words
            prices.usd_per_million(first["model"], *KINDS[kind], on or first["day"].date())


def lifecycle(bill, on, within=120):
    """Models of this bill that are shut down or will be within so many days of `on`, and what
    follows them.

    A frame: model, shutdown, replacement (as prices.replacement has it; "(none named)" where it has
    none), USD of the last 30 days in which this bill has the model, and what the same tokens
    cost at the replacement's prices of `on`; empty where they have none. A model of another name
    than its tokens' count is not a promise that it needs as many.
    """
    on, found = prices.as_day(on), []
    _checked(on)
    for model in sorted(set(bill.rows["model"].cat.categories)):
        end = prices.shutdown_of(terms.split(model)[0])
        if not end or (end - on).days > within:
            continue
        cube = bill.cube[bill.cube["model"] == model]
        recent = cube[cube["day"] > cube["day"].max() - datetime.timedelta(30)]
        new = prices.replacement(terms.split(model)[0])
        after = None
        if new and len(recent):
            try:
                rates = Rates([new])
                _sold(recent.assign(model=new), rates, on)
                after = usd(cost(recent, rates, on, new).sum(), 2)
            except LookupError:
                pass
        found.append(
            {
                "model": model,
                "shutdown": end,
                "days left": (end - on).days,
                "replacement": new or "(none named)",
                "USD, 30 days": usd(recent["nano"].sum(), 2),
                "there, USD": after,
            }
        )
    return pd.DataFrame(
        found,
        columns=["model", "shutdown", "days left", "replacement", "USD, 30 days", "there, USD"],
    ).sort_values(["days left", "model"], ignore_index=True)
