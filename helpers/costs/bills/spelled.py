"""How people and spreadsheets write days, counts, sums and yes or no; one reading for a whole file.

27.10.2026 and 10/27/2026, 1,234,567 and 1.234.567, WAHR and ja. Which is meant is inferred once,
from all the values of the file, and told in a note. What could be two things is refused with its
line: BillError.
"""

import re

import numpy as np
import pandas as pd

from ...facts import dates as days
from .pricing import BillError

ORDERS = ("day first", "month first")
DAY = r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4})(?:,?[ T]+(\d{1,2}):(\d\d)(:\d\d)?)?"
YEAR_FIRST = r"(\d{4})([/.])(\d{1,2})[/.](\d{1,2})(?:[ T]+(\d{1,2}):(\d\d)(:\d\d)?)?"
PLAIN = r"[+-]?\d+(?:\.0+)?"
DOTTED = r"[+-]?\d{1,3}(?:\.\d{3})+"
GROUPED = r"[+-]?\d{1,3}(?:([ \u00a0\u202f'’,])\d{3})(?:\1\d{3})*"
YES = set("true 1 yes y t ja wahr oui vrai si sí sì verdadero vero sim verdadeiro".split())
NO = set("false 0 no n f nein falsch non faux falso não nao none null".split())
TOTAL = (
    r"(?i)(?:grand |sub)?(?:total|totals|sum|summe|gesamt|insgesamt|gesamtsumme|totale|somme)\W*"
)


def is_total(text):
    """Which of a Series of texts are the word for a row of sums."""
    return text.str.strip().str.fullmatch(TOTAL).fillna(False).to_numpy(bool)


def dates(text, line, order=None):
    """(the texts, with days as 2026-10-27; notes). `line`: the place of each in the file.

    order: "day first" or "month first"; None infers it. With dots the day is first. BillError where
    the file has both orders, or where no date of it tells.
    """
    if order not in (None, *ORDERS):
        raise BillError(f"dates is {' or '.join(map(repr, ORDERS))}, not {order!r}")
    text, notes = text.str.strip(), []
    out = text.copy()
    slashed = text.str.fullmatch(YEAR_FIRST).to_numpy(bool)
    if slashed.any():
        parts = text[slashed].str.extract(YEAR_FIRST)
        out[slashed] = _iso(parts, parts[0], parts[2], parts[3])
    short = np.array(text.str.fullmatch(DAY), bool)
    if short.any():
        parts = text[short].str.extract(DAY)
        low, high = (f(parts[[0, 2]].astype(int), axis=1) for f in (np.min, np.max))
        short[short] = ((low <= 12) & (high <= 31)).to_numpy()  # others are no days
    if short.any():
        parts = text[short].str.extract(DAY)
        order = order or _order(text[short], line[short], parts)
        day, month = (0, 2) if order == "day first" else (2, 0)
        out[short] = _iso(parts, parts[3], parts[month], parts[day])
        notes.append(f"dates such as {text[short].iloc[0]} read with the {order}")
    words = text.str.contains(r"[^\W\d_]{3}") & ~slashed & ~short
    for value in text[words].unique()[:1000]:
        try:
            found = days.read(value)
        except ValueError:  # a day that there was not
            continue
        if found:
            out[text == value] = found.isoformat()
    return out, notes


def _order(text, line, parts):
    one, two = parts[0].astype(int), parts[2].astype(int)
    dotted = parts[1] == "."
    day_first, month_first = dotted | (one > 12), ~dotted & (two > 12)
    if day_first.any() and month_first.any():
        a, b = day_first.idxmax(), month_first.idxmax()
        raise BillError(
            f"line {line[a]} has a date with the day first, {text[a]}, and line {line[b]} one with the month first, {text[b]}: write them alike"
        )
    if day_first.any() or month_first.any():
        return ORDERS[int(month_first.any())]
    a = text.index[0]
    raise BillError(
        f"line {line[a]}: {text[a]} may have the day or the month first, and no date of this file tells. "
        'Say it: read(…, dates="day first") or dates="month first"'
    )


def _iso(parts, year, month, day):
    made = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    clock = parts[4].str.zfill(2) + ":" + parts[5] + parts[6].fillna("")
    return made.where(parts[4].isna(), made + " " + clock)


def counts(columns, line, european):
    """(the columns, without the separators of thousands; notes).

    columns: {name: Series of texts}. european: whether the rest of the file says that a dot
    separates thousands (semicolons between the columns, dates with dots). BillError for 500.000
    alone, which may be 500.
    """
    columns = {name: text.str.strip() for name, text in columns.items()}
    odd = pd.concat([t[~t.str.fullmatch(r"[+-]?\d+|").to_numpy(bool)] for t in columns.values()])
    dotted = odd[odd.str.fullmatch(DOTTED).to_numpy(bool)]
    notes = []
    thousands = european or dotted.str.count(r"\.").gt(1).any() or not dotted.str.endswith(".000").all()  # fmt: skip
    other = odd.str.fullmatch(r"[+-]?\d+\.(?:\d{1,2}|\d{4,})").any()  # fractions, or 12.0
    if len(dotted) and not thousands and not other:
        raise BillError(
            f"line {line[dotted.index[0]]}: {dotted.iloc[0]} may be {dotted.iloc[0].split('.')[0]} or {dotted.iloc[0].replace('.', '')}: write counts without separators"
        )
    grouped = odd[odd.str.fullmatch(GROUPED).to_numpy(bool)]
    dots = len(dotted) and thousands and not other
    for some, known in ((grouped, len(grouped)), (dotted, dots)):
        if known:
            notes.append(f"counts such as {some.iloc[0]} read as {re.sub(r'[^0-9+-]', '', some.iloc[0])}")  # fmt: skip
    if notes:
        for name, text in columns.items():
            if len(grouped):
                where = text.str.fullmatch(GROUPED).to_numpy(bool)
                text = text.mask(where, text.str.replace(r"[^\d+-]", "", regex=True))
            if dots:
                where = text.str.fullmatch(DOTTED).to_numpy(bool)
                text = text.mask(where, text.str.replace(".", "", regex=False))
            columns[name] = text
    return columns, notes


def money(text):
    """Amounts without currency signs and separators of thousands, with a point before the cents."""
    bare = text.str.replace(r"(?i)usd|[$ \u00a0\u202f'’]", "", regex=True)
    comma = bare.str.fullmatch(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})").any()
    if comma:
        return bare.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return bare.str.replace(",", "", regex=False)


def is_truth(text):
    """Which of a Series of texts say yes or no, or nothing."""
    return text.str.strip().str.lower().isin(YES | NO | {""}).to_numpy(bool)


def truths(text, line):
    """True for each text that says yes, in words of spreadsheets; BillError for one that says
    neither.
    """
    strange = ~is_truth(text)
    if strange.any():
        at = text.index[strange][0]
        raise BillError(f"line {line[at]}: {text[at]!r} in the column batch is neither yes nor no")
    return text.str.strip().str.lower().isin(YES)
