"""Price millions of usage rows, each at the prices of its own day, exactly.

Money is whole nano-dollars (10⁻⁹ USD) in int64: every price of data/prices.csv is a whole number of
them per token, so there is nothing to round. A price depends on the model and the day alone, so
tokens are added up by day, model and feature first, and the few thousand sums are priced. Rows are
worked through in pieces that fit the processor's cache.
"""

import datetime
import difflib
import functools
import warnings
from decimal import Decimal

import numpy as np
import pandas as pd

from ...common.once import once
from ...facts import prices, tables
from . import terms

KINDS = {
    f"{modality}_{direction}": (modality, direction)
    for modality in ("text", "audio", "image")
    for direction in ("input", "cached_input", "output")
}
INPUTS = [name for name, (_, direction) in KINDS.items() if direction != "output"]
COUNTS = [*KINDS, "reasoning", "cache_write"]

# Why a row has no price, and what to do about it. The first four are found by any engine, the
# others by read().
REASONS = {
    "": "",
    "a count is negative": "ask whoever made the file",
    "a count is absurdly large": "ask whoever made the file",
    "the parts exceed their total": "cached and audio tokens belong inside the input, reasoning inside the output",
    "this model is not in the price table": "add its row to data/prices.csv, or name a twin: price(…, same_as={…})",
    "before the first known price": "add an older row to data/prices.csv, or say how far back the first one held: price(…, back_to=…)",
    "after the model's shutdown": "look who else answers under this name",
    "no price is known for that day": "add the row to data/prices.csv",
    "a kind of token has no price": "add its row to data/prices.csv",
    "batch or another service tier": "their price for that model and day is not in data/prices_on_terms.csv",
    "above the context at which prices rise": "data/prices_on_terms.csv has none for that model and day, or the row adds up several calls",
    "no readable time": "ISO 8601 or Unix time is read",
    "no model is named": "ask the usage API with group_by=model",
    "a count is missing or not a whole number": "look at the line",
    "the same as an earlier row": "nothing: counting it twice would be wrong",
    "a line is cut off or unreadable": "download the file again",
    "its parts are counted elsewhere": "nothing: this span sums up others",
    "the same call, seen by another instrumentation": "nothing: counting it twice would be wrong",
    "answered from the proxy's own cache": "nothing: it cost nothing",
    "the kinds of token are not told": "sound and text have prices of their own: read the usage API",
    "not sold by this kind of token": "embeddings, pictures and tools have price lists of their own",
    "another currency": "only USD is added up",
}
NAMES = list(REASONS)
CODES = {name: code for code, name in enumerate(NAMES)}
ABSURD = 10**12  # tokens in one row; below it no row and no kind can overflow
ABSURD_CALL = 10**7  # tokens of a kind in one call; no model of data/models.csv takes that much
FEWEST = 1024  # tokens of a prompt that the cache looks up (openai-cookbook, Prompt_Caching101)
INTEGERS = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]
PIECE = 1 << 16
MOST_BINS = 30_000_000
DAY = np.int64(86_400_000_000)  # µs
NO_TIME = np.iinfo(np.int64).min  # NumPy's NaT
FIRST, LAST = datetime.date(1970, 1, 1), datetime.date(9999, 12, 31)
STANDARD_TIERS = ("", "default", "standard")


class BillError(ValueError):
    """A file or a frame that cannot be read as usage. The text says what was found and what is
    needed.
    """


class Bill:
    """Priced usage.

    rows: the frame that was priced. reason: for each row the code of why it has no price, 0 where
    it has one; the words are in `pricing.NAMES`. cube: a frame with the sums of the priced rows by
    day (UTC), model and feature: requests, each count, and `nano`, the price in nano-dollars.
    rates: the prices it was made with.
    """

    def __init__(self, rows, reason, cube, rates, stated=False):
        self.rows, self.reason, self.cube = rows, reason, cube
        self.rates, self.stated = rates, stated
        self.total_nano = int(cube["nano"].sum())

    @property
    def total(self):
        """The priced rows' sum in USD, an exact Decimal."""
        return usd(self.total_nano)

    @once
    def least(self):
        """The sum in USD if whatever the file does not tell of the cache had come from it: the bill
        is between this and `total`. Prompts under 1,024 tokens are never looked up there (FEWEST).
        """
        if "cached_told" not in self.rows or "text_input" not in self.rows:
            return self.total
        untold = ~self.rows["cached_told"].to_numpy(bool) & (self.reason == 0)
        saved, place = 0, _places(self.rows, self.rates, _days(self.rows))[0]
        full, cached = (self.rates.nano[k].ravel() for k in ("text_input", "text_cached_input"))
        for s in _pieces(len(untold)):
            tokens = self.rows["text_input"].to_numpy()[s]
            calls = self.rows["requests"].to_numpy()[s] if "requests" in self.rows else 1
            key = place(s)
            each = full.take(key, mode="clip") - cached.take(key, mode="clip")
            looked_up = untold[s] & ((tokens >= FEWEST) | (calls > 1))
            looked_up &= cached.take(key, mode="clip") >= 0
            saved += int((each * tokens)[looked_up].sum())
        return usd(self.total_nano - saved)

    @property
    def kinds(self):
        """The kinds of token that the frame has a column for."""
        return [k for k in KINDS if k in self.rows]

    @once
    def nano(self):
        """Each row's price in nano-dollars, an int64 array; 0 where it has none."""
        if self.stated:
            return np.where(self.reason == 0, self.rows["stated"].to_numpy(np.int64), 0)
        nano = np.zeros(len(self.rows), np.int64)
        if not self.rates.models:
            return nano
        place = _places(self.rows, self.rates, _days(self.rows))[0]
        for s in _pieces(len(nano)):
            key = place(s)
            for kind in self.kinds:
                nano[s] += (
                    self.rates.nano[kind].ravel().take(key, mode="clip")
                    * self.rows[kind].to_numpy()[s]
                )
        nano[self.reason != 0] = 0
        return nano

    def sums(self, *by):
        """Requests and `nano` of the priced rows, added up by columns of `rows` such as user, key
        or tier, or "day".
        """
        codes, levels = zip(*(_codes(self.rows, name, _days(self.rows)) for name in by))
        columns = {"nano": self.nano} | (
            {"requests": self.rows["requests"].to_numpy()} if "requests" in self.rows else {}
        )
        return _add_up(self.reason, by, codes, levels, columns)


class Rates:
    """The prices of some models as tables: for each model and each stretch of days one number a
    kind.

    `slots` are the days on which any of them begins to differ; `nano[kind][model, slot]` is a price
    per token,
    -1 where there is none; `status[model, slot]` the code of why a model has none at all that day.
    """

    def __init__(self, models, same_as=None, back_to=None):
        self.models = [models] if isinstance(models, str) else list(models)
        names = [_priced_as(m, same_as) for m in self.models]
        table = {name: _dated(name, back_to) for name in set(names)}
        rows = [row for kinds in table.values() for dated in kinds.values() for row in dated]
        days = {row[end] for row in rows for end in ("from", "until")}
        self.slots = sorted({FIRST} | (days - {None}))
        size = (len(self.models), len(self.slots))
        self.nano = {kind: np.full(size, -1, np.int64) for kind in KINDS}
        self.status = np.zeros(size, np.int8)
        self.limit = np.array([limit_of(n) for n in names], np.int64)
        at = {day: i for i, day in enumerate(self.slots)}
        for m, name in enumerate(names):
            rows = [r for kind in table[name].values() for r in kind]
            for kind, dated in table[name].items():
                for r in dated:
                    until = at.get(r["until"], len(self.slots))
                    self.nano[kind][m, at[r["from"]] : until] = _nano(r)
            empty = np.all([self.nano[kind][m] < 0 for kind in KINDS], axis=0)
            first, end = (
                min((r["from"] for r in rows), default=None),
                prices.shutdown_of(terms.split(name)[0]),
            )
            for slot in np.flatnonzero(empty):
                self.status[m, slot] = CODES[_why_none(self.slots[slot], first, end)]
        self.missing = {kind: (self.nano[kind] < 0) & (self.status == 0) for kind in KINDS}

    def slot(self, days):
        """The slot of each of an array of days."""
        return np.searchsorted(np.array(self.slots, "datetime64[D]"), days, "right") - 1

    def places(self, cube, on=None, model=None):
        """(model's row, slot) in the tables of each row of a cube, on its own day and for its own
        model unless others are named.
        """
        slot = self.slot(
            cube["day"].to_numpy() if on is None else np.full(len(cube), on, "datetime64[D]")
        )
        return pd.Index(self.models).get_indexer(
            cube["model"] if model is None else np.full(len(cube), model, object)
        ), slot

    def frame(self):
        """One row for each model and stretch of days, for an engine that joins by date: data for
        `warehouse`.
        """
        ends = self.slots[1:] + [LAST]
        return pd.DataFrame(
            [
                {
                    "model": m,
                    "from": start,
                    "until": end,
                    "reason": NAMES[self.status[i, s]],
                    "above": int(self.limit[i]) or None,
                }
                | {
                    kind: int(self.nano[kind][i, s]) if self.nano[kind][i, s] >= 0 else None
                    for kind in KINDS
                }
                for i, m in enumerate(self.models)
                for s, (start, end) in enumerate(zip(self.slots, ends))
            ]
        ).astype(dict.fromkeys(["above", *KINDS], "Int64"))


def _priced_as(model, same_as):
    """The name whose price a model of the file has, with the terms of its calls."""
    base, on = terms.split(model)
    twin = (same_as or {}).get(base, base)
    return f"{twin}, {on}" if on else twin


def limit_of(name):
    """The tokens of context above which a name's prices rise; 0 for none, and where its price is
    that of what is above.
    """
    base, on = terms.split(name)
    known = [_limits().get(n, 0) for n in prices.names_of(base)]
    return 0 if on.endswith(terms.LONG) else max(known)


def _why_none(day, first, end):
    """Why a model has no price on a day, of the day of its first known price, or None, and that of
    its shutdown, or None.
    """
    if first is None:
        return "this model is not in the price table"
    if day < first:
        return "before the first known price"
    if end and day >= end:
        return "after the model's shutdown"
    return "no price is known for that day"


def price(usage, same_as=None, back_to=None):
    """Price each row of `usage` at the prices of its own UTC day. Returns a Bill.

    usage: what `read` returned, or a DataFrame with `when` (datetimes; without a zone they count as
    UTC), `model`, and token counts in columns named as `KINDS`, of which none is inside another.
    Optional: `requests`, `reasoning` (inside the outputs), `feature`, `user`, `key`, `batch`
    (bool), `tier`, `cached_told` (bool: whether the file tells what came from the cache), and
    `trouble` (a code of `REASONS`). same_as: {a name in the file: the id in
    data/prices.csv whose price it has}. back_to: a day, such as "2026-07-01"; from it until a
    model's first known price that first price holds. Both are your word, not the table's. Rows that
    cannot be priced stay, with a reason. BillError where a needed column is missing or of a wrong
    type, or where the sum is beyond nine billion USD.
    """
    rows = _checked(usage.rows if hasattr(usage, "rows") else usage)
    _known_twins(same_as or {}, rows["model"].cat.categories)
    twins = [_priced_as(m, same_as) for m in rows["model"].cat.categories]
    rows, on_terms = terms.renamed(rows, twins, [limit_of(t) for t in twins])
    by = ("day", "model", "feature") if "feature" in rows else ("day", "model")
    days = _days(rows)
    codes, levels = zip(*(_codes(rows, name, days) for name in by))
    # an export of costs: the sums are there already
    if "stated" in rows and not any(k in rows for k in KINDS):
        reason = rows["trouble"].to_numpy(np.int8)
        stated = np.where(reason == 0, rows["stated"].to_numpy(np.int64), 0)
        cube = _add_up(reason, by, codes, levels, {"nano": stated})
        return Bill(rows, reason, _with_feature(cube), Rates([]), stated=True)
    rates = Rates(rows["model"].cat.categories, same_as, back_to)
    reason = _Reasons(rows, rates, days, on_terms).reason
    counts = {c: rows[c].to_numpy() for c in ("requests", *COUNTS) if c in rows}
    for name, values in counts.items():
        if (
            len(values)
            and int(values.max()) * len(values) > 4e18
            and values[reason == 0].sum(dtype=float) > 4e18
        ):
            raise BillError(
                f"the column {name} adds up to more than a 64-bit integer holds; a count must be wrong"
            )
    cube = _with_feature(_add_up(reason, by, codes, levels, counts))
    cube["nano"] = cost(cube, rates)
    last = prices.last_checked()
    if len(cube) and cube["day"].max() > pd.Timestamp(last):
        warnings.warn(
            f"usage up to {cube['day'].max().date()} has the prices of {last}, when they were last checked",
            stacklevel=2,
        )
    return Bill(rows, reason, cube, rates)


def cost(cube, rates, on=None, model=None):
    """The price of each row of a cube in nano-dollars, an int64 array, 0 where a kind has none.

    on: the date whose prices to use instead of each row's own day; model: whose, instead of each
    row's own. BillError where the sum is beyond nine billion USD.
    """
    row, slot = rates.places(cube, on, model)
    nano, rough = np.zeros(len(cube), np.int64), 0.0
    for kind in KINDS:
        if kind in cube and len(cube):
            each = np.maximum(rates.nano[kind][row, slot], 0)
            rough += float((each * cube[kind].to_numpy(float)).sum())
            nano += each * cube[kind].to_numpy()
    if rough > 9e18:
        raise BillError(
            "this bill is above nine billion USD, more than its integers hold; a count must be wrong"
        )
    return nano


def usd(nano, digits=None):
    """Whole nano-dollars as a Decimal in USD, exact, or rounded to `digits`.

    >>> usd(1_234_567_890), usd(1_235_000_000, 2)
    (Decimal('1.234567890'), Decimal('1.24'))
    """
    value = Decimal(int(nano)).scaleb(-9)
    # no minus before a zero
    return value if digits is None else value.quantize(Decimal(1).scaleb(-digits)) + 0


def _pieces(n):
    return (slice(start, start + PIECE) for start in range(0, n, PIECE))


def _places(rows, rates, days):
    """(a function that gives for a slice of the rows where their prices stand in the flat tables of
    `rates`, the slots from the first to the last day).
    """
    when = rows["when"].to_numpy("datetime64[us]").view(np.int64)
    model, width = rows["model"].cat.codes.to_numpy(), len(rates.slots)
    low, high, _ = days
    slot_of = rates.slot(np.arange(low, high + 1).astype("datetime64[D]"))

    def place(s):
        day = when[s] // DAY
        day -= low
        key = slot_of.take(day, mode="clip")
        key += model[s] * np.int64(width)
        return key

    return place, slice(slot_of[0], slot_of[-1] + 1)


class _Reasons:
    """The code of why a row cannot be priced, or 0, for each row: the first that is found stays.

    `reason` is that array. Rows are looked at in pieces, slices, that fit the processor's cache.
    """

    def __init__(self, rows, rates, days, on_terms):
        self.rows, self.rates, self.on_terms = rows, rates, on_terms
        self.reason = (
            rows["trouble"].to_numpy(np.int8, copy=True)
            if "trouble" in rows
            else np.zeros(len(rows), np.int8)
        )
        if not len(rows):
            return
        self.counts = {c: rows[c].to_numpy() for c in COUNTS if c in rows}
        self.requests = rows["requests"].to_numpy() if "requests" in rows else None
        self._of_the_rows(days)
        self._prepare_prices(days)
        for piece in _pieces(len(rows)):
            calls = 1 if self.requests is None else self.requests[piece]
            most = self._of_the_counts(piece, calls)
            self._of_the_parts(piece)
            self._of_the_prices(piece)
            if most > self.lowest_limit:
                self._of_the_context(piece, calls)

    def _mark(self, piece, bad, name):
        reason = self.reason[piece]
        np.copyto(reason, np.int8(CODES[name]), where=bad & (reason == 0))

    def _of_the_rows(self, days):
        """No time, no model, another tier."""
        everything, nameless = slice(None), self.rows["model"].cat.codes < 0
        if days[2]:
            self._mark(everything, self.rows["when"].isna().to_numpy(), "no readable time")
        if nameless.any():
            self._mark(everything, nameless.to_numpy(), "no model is named")
        special = _special(self.rows)
        if special is not None and self.on_terms is not None:
            special = special & ~self.on_terms
        if special is not None:
            self._mark(everything, special, "batch or another service tier")

    def _prepare_prices(self, days):
        """What of the price tables must be looked at: where nothing lacks, nothing."""
        rates = self.rates
        self.place, slots = _places(self.rows, rates, days)
        self.status = rates.status.ravel() if rates.status[:, slots].any() else None
        self.lacks = {
            kind: rates.missing[kind].ravel()
            for kind in KINDS
            if kind in self.counts and rates.missing[kind][:, slots].any()
        }
        self.lowest_limit = rates.limit[rates.limit > 0].min(initial=ABSURD)
        self.model = self.rows["model"].cat.codes.to_numpy()

    def _of_the_counts(self, piece, calls):
        """Returns what the inputs of a row of this piece can come to."""
        if self.requests is not None and _top(calls) > ABSURD_CALL:
            self._mark(piece, calls < 0, "a count is negative")
            self._mark(piece, calls > ABSURD, "a count is absurdly large")
        most = 0
        for name, values in self.counts.items():
            values = values[piece]
            top = _top(values)
            if top > ABSURD_CALL:
                absurd = (values > ABSURD) | (values / ABSURD_CALL > np.maximum(calls, 1))
                self._mark(piece, values < 0, "a count is negative")
                self._mark(piece, absurd, "a count is absurdly large")
            most += top if name in INPUTS else 0
        return most

    def _of_the_parts(self, piece):
        if "reasoning" not in self.counts:
            return
        outputs = sum(v[piece] for k, v in self.counts.items() if k.endswith("_output"))
        hidden = self.counts["reasoning"][piece]
        self._mark(piece, hidden > outputs, "the parts exceed their total")

    def _of_the_prices(self, piece):
        if self.status is None and not self.lacks:
            return
        key = self.place(piece)
        if self.status is not None:
            reason = self.reason[piece]
            np.copyto(reason, self.status.take(key, mode="clip"), where=reason == 0)
        for kind, lacking in self.lacks.items():
            used = lacking.take(key, mode="clip") & (self.counts[kind][piece] > 0)
            self._mark(piece, used, "a kind of token has no price")

    def _of_the_context(self, piece, calls):
        limit = self.rates.limit.take(self.model[piece], mode="clip")
        given = sum(values[piece] for kind, values in self.counts.items() if kind in INPUTS)
        above = (limit > 0) & (given / np.maximum(limit, 1) > np.maximum(calls, 1))
        self._mark(piece, above, "above the context at which prices rise")


def _top(values):
    """The largest of whole numbers, where a negative one counts as very large: one pass instead of
    two.
    """
    return int(values.view(values.dtype.str.replace("i", "u")).max())


def _add_up(reason, by, codes, levels, columns):
    """A frame with the columns `by`, requests and sums of `columns`, of the rows whose reason is
    0.
    """
    shape = [len(level) for level in levels]
    size = int(np.prod(shape, dtype=object))
    if size > MOST_BINS:  # far more groups than rows: keep a list of those in use
        whole = np.zeros(len(reason), np.int64)
        for code, width in zip(codes, shape):
            whole = whole * width + code(slice(None))
        used, whole = np.unique(whole, return_inverse=True)
        codes, widths, size = [lambda s: whole[s]], [len(used)], len(used)
    else:
        used, widths = None, shape
    rows = np.zeros(size + 1, np.int64)
    sums = {name: np.zeros(size + 1, np.int64) for name in columns}
    for s in _pieces(len(reason)):
        at, width = codes[-1](s), widths[-1]
        # from the right: there the numbers are still small
        for code, more in zip(codes[-2::-1], widths[-2::-1]):
            width *= more
            at = code(s) * np.array(width // more, np.min_scalar_type(-width)) + at
        at = at.astype(np.intp, copy=False)
        if reason[s].any():
            at[reason[s] != 0] = size  # a bin of its own, thrown away
        if size < PIECE:
            rows += np.bincount(at, minlength=size + 1)
        else:
            np.add.at(rows, at, 1)
        for name, values in columns.items():
            np.add.at(sums[name], at, values[s])
    groups = np.flatnonzero(rows[:size])
    sums = {"requests": rows} | sums
    at = np.unravel_index(groups if used is None else used[groups], shape)
    return pd.DataFrame(
        {n: level[i] for n, level, i in zip(by, levels, at)}
        | {n: v[groups] for n, v in sums.items()}
    )


def _with_feature(cube):
    if "feature" not in cube:
        cube.insert(2, "feature", "(all)")
    return cube


def _special(rows):
    """True for rows of batches or another tier than the standard one; None where no row says so."""
    found = None
    if "batch" in rows:
        found = rows["batch"].to_numpy(bool)
    if "tier" in rows:
        other = ~np.isin([str(t).lower() for t in rows["tier"].cat.categories], STANDARD_TIERS)
        other = np.append(other, False)[rows["tier"].cat.codes]  # code -1, no tier, takes the last
        found = other if found is None else found | other
    return found


def _known_twins(same_as, models):
    """BillError for a name that is nearly one of the file, and LookupError for a twin without a
    price. A name that is nothing like the file's changes nothing.
    """
    for name, twin in same_as.items():
        like = difflib.get_close_matches(str(name), map(str, models), 3, 0.7)
        if name not in models and like:
            raise BillError(f"same_as: the file has no {name!r}; it has {', '.join(like)}")
        prices.history(twin)


def _checked(rows):
    if not isinstance(rows, pd.DataFrame):
        raise BillError(
            f"usage is what read() returned, or a frame with when, model and counts, not {type(rows).__name__}"
        )
    needed = [c for c in ("when", "model") if c not in rows]
    if needed or not any(k in rows for k in (*KINDS, "stated")):
        raise BillError(
            f"a frame of usage needs the columns when, model and at least one of {', '.join(KINDS)}; this one has {', '.join(map(str, rows.columns)) or 'none'}"
        )
    if not pd.api.types.is_datetime64_any_dtype(rows["when"]):
        raise BillError(
            f"the column when holds {rows['when'].dtype}, not datetimes: pandas.to_datetime(…, utc=True) makes them"
        )
    changed = {}
    if rows["when"].dt.tz is not None and str(rows["when"].dt.tz) != "UTC":
        changed["when"] = rows["when"].dt.tz_convert("UTC")
    for name in ("model", "feature", "user", "key", "tier"):
        if name in rows and not isinstance(rows[name].dtype, pd.CategoricalDtype):
            changed[name] = rows[name].astype("category")
    for name in (*COUNTS, "requests"):
        if name in rows and rows[name].dtype not in INTEGERS:
            raise BillError(
                f"the column {name} holds {rows[name].dtype}, not whole numbers: read_csv leaves gaps as NaN; fill them"
            )
    for name in (*COUNTS, "requests"):
        # the sums are signed; what is cut here is absurd anyway
        if name in rows and rows[name].dtype == np.uint64:
            changed[name] = rows[name].clip(upper=2 * ABSURD).astype("int64")
    return rows.assign(**changed) if changed else rows


def _codes(rows, name, days):
    """(a function that gives the codes of a slice of the rows, the values that the codes stand
    for).
    """
    if name == "day":
        when = rows["when"].to_numpy("datetime64[us]").view(np.int64)
        low, high, gaps = days
        code = (
            (lambda s: np.maximum(when[s] // DAY - low, 0))
            if gaps
            else (lambda s: when[s] // DAY - low)
        )
        return code, np.arange(low, high + 1).astype("datetime64[D]")
    if name not in rows:
        raise BillError(
            f"this usage has no {name}; it has {', '.join(c for c in ('model', 'feature', 'user', 'key', 'tier') if c in rows)}"
        )
    labels, codes = rows[name].cat.categories.to_numpy(object), rows[name].cat.codes.to_numpy()
    if len(codes) and codes.min() < 0:
        return lambda s: np.where(codes[s] < 0, np.intp(len(labels)), codes[s]), np.append(
            labels, "(none)"
        )
    return lambda s: codes[s], labels if len(labels) else np.array(["(none)"], object)


def _days(rows):
    """(first, last) day since 1970 of the rows that have a time, (0, 0) where none has; and whether
    some have none.
    """
    when = rows["when"].to_numpy("datetime64[us]").view(np.int64)
    gaps = bool(len(when)) and when.min() == NO_TIME
    if gaps:
        when = when[when != NO_TIME]
    return (int(when.min() // DAY), int(when.max() // DAY), gaps) if len(when) else (0, 0, gaps)


def _dated(model, back_to):
    """{kind: a model's price rows of it, oldest first}."""
    base, on = terms.split(model)
    if on:
        return {
            kind: terms.dated(base, on, direction) if modality == "text" else []
            for kind, (modality, direction) in KINDS.items()
        }
    return {
        kind: _held_from(back_to, prices.prices_of(model, *what)) for kind, what in KINDS.items()
    }


def _held_from(day, rows):
    """Price rows, oldest first, of which the first held from `day` on already; as they are without
    a day.
    """
    if not day or not rows:
        return rows
    day = max(prices.as_day(day), FIRST)
    return [rows[0] | {"from": min(day, rows[0]["from"])}, *rows[1:]]


def _nano(row):
    """A row's price per token in nano-dollars; ValueError where that is no whole number."""
    nano = row["usd_per_million"] * 1000
    if nano != int(nano):
        raise ValueError(
            f"{row['usd_per_million']} USD per million tokens is no whole number of nano-dollars per token: {row['model']}"
        )
    return int(nano)


@functools.cache
def _limits():
    return {r["model"]: r.value("above_input_tokens", int) for r in tables.rows("surcharges.csv")}
