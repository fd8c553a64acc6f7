"""Calls on other terms than the list price: batch, flex, and prompts above 272,000 tokens.

Their prices stand in data/prices_on_terms.csv. A row on such terms is priced, and shown, under its
model's name and the terms: "gpt-5.4, batch". Where the table has none for the model and the day,
the row stays what it was: listed, without a price.
"""

import datetime
import functools
import re

import numpy as np
import pandas as pd

from ...facts import prices

TIERS = ("batch", "flex")
LONG = "above 272,000 tokens"
TERMS = rf"(.+?), ((?:{'|'.join(TIERS)})(?:, {LONG})?|{LONG})"


def split(name):
    """(model, terms or "") of a name that a bill shows.

    >>> split("gpt-5.4, batch"), split("gpt-5.4")
    (('gpt-5.4', 'batch'), ('gpt-5.4', ''))
    """
    found = re.fullmatch(TERMS, name)
    return found.groups() if found else (name, "")


def moved(name, to, rises):
    """The name that another model's price has where it does the work of `name`, on the same terms
    where it has them. rises: whether its price rises above 272,000 tokens.
    """
    tier, _, length = split(name)[1].replace(LONG, f",{LONG}").partition(",")
    tier = tier.strip(", ")
    kept = [t for t in (tier, LONG if length and rises else "") if t]
    if tier and not dated(to, ", ".join(kept), "input"):
        kept = kept[1:]
    return ", ".join([to, *kept])


def dated(model, terms, direction):
    """The price rows of a model's text on some terms, oldest first, ending at its shutdown at the
    latest; none where the table has none.
    """
    return prices.dated(model, lambda name: _table().get((name, terms, direction)))


def renamed(rows, names, limits):
    """(the rows, with the terms behind the model's name where the table has a price of them, which
    rows those are).

    names: for each category of the model whose price it has; limits: its tokens of context above
    which prices rise, 0 for none. Only single calls can be known to be above them.
    """
    code, n = rows["model"].cat.codes.to_numpy(), len(rows)
    tier = np.zeros(n, np.int8)  # 1 + the place in TIERS
    if "tier" in rows:
        said = [str(t).lower() for t in rows["tier"].cat.categories]
        known = np.array([1 + TIERS.index(t) if t in TIERS else 0 for t in said] + [0], np.int8)
        tier = known[rows["tier"].cat.codes]  # code -1, no tier, takes the last
    if "batch" in rows:
        tier = np.where(rows["batch"].to_numpy(bool), np.int8(1), tier)
    above = np.zeros(n, bool)
    if any(limits):
        given = sum(rows[c].to_numpy() for c in ("text_input", "text_cached_input") if c in rows)
        limit = np.append(limits, 0)[code]
        calls = rows["rows"].to_numpy() if "rows" in rows else 1  # where rows were added up before
        above = (limit > 0) & (given > limit * calls)
        if "requests" in rows:
            above &= rows["requests"].to_numpy() == calls
    special = np.flatnonzero((code >= 0) & (above | (tier > 0)))
    day = rows["when"].to_numpy("datetime64[D]")[special]
    groups = pd.DataFrame({"model": code[special], "tier": tier[special], "above": above[special]})
    new, changed = {}, np.zeros(n, bool)
    for (model, of_tier, is_above), at in groups.groupby(list(groups)).indices.items():
        parts = [TIERS[of_tier - 1]] if of_tier else []
        on = ", ".join([*parts, LONG] if is_above else parts)
        priced = np.zeros(len(at), bool)
        for row in dated(names[model], on, "input"):
            until = row["until"] or datetime.date.max
            priced |= (day[at] >= np.datetime64(row["from"])) & (day[at] < np.datetime64(until))
        new[f"{rows['model'].cat.categories[model]}, {on}"] = special[at[priced]]
        changed[special[at[priced]]] = True
    if not changed.any():
        return rows, None
    label = np.array(rows["model"].astype(object), object)
    for name, at in new.items():
        label[at] = name
    return rows.assign(model=pd.Categorical(label)), changed


@functools.cache
def _table():
    """{(model, terms, direction): its rows}"""
    found = {}
    for row in prices.typed_rows("prices_on_terms.csv"):
        found.setdefault((row["model"], row["terms"], row["direction"]), []).append(row)
    return found
