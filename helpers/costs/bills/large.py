"""A CSV of many megabytes: DuckDB adds its plain rows up before pandas sees them; what is not plain
is read row by row, as in a small file.

Plain is a row with a day of UTC, a model, and counts that need no second look: whole, not negative,
no more than one call can have, parts within their totals, not there twice. Sums of such rows have
the price of the rows: that depends on the model, the day, and whether a call is longer than the
context at which prices rise, and these are kept apart.
"""

import contextlib
import re
import tempfile

import numpy as np
import pandas as pd

from . import spelled
from .pricing import ABSURD_CALL, _limits

FROM = 30_000_000  # bytes; smaller ones are read in a moment anyway
MOST_ODD = 200_000  # rows that are read one by one
MEMORY = "256MB"  # for DuckDB
DIGITS = len(str(ABSURD_CALL)) - 1
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"
WHEN = rf"\d{{4}}-\d\d-\d\d([T ]{CLOCK} ?(Z|\+00:?00)?)?"
TOTAL = re.sub(r"\(\?i\)", "", spelled.TOTAL)
UNIX = r"\d{10}(\d{3})?"
LABELS = ("feature", "user", "key", "tier")


def sums(path, width, comma, used, counted, kinds):
    """(frame of sums, [(line, cells)] of the rows that are not plain, how many times have no zone);
    None where DuckDB is not there, or the file is not one for it.

    width: of the header; used: {field: place of its column}; counted: the fields that are counts;
    kinds: function of {field: counts}, gives {kind of token: counts}.
    """
    try:
        import duckdb
    except ModuleNotFoundError:
        return None
    columns = {f"c{i}": "VARCHAR" for i in range(width)}
    source = (
        f"read_csv(?, auto_detect=false, header=false, skip=1, delim='{comma}', quote='\"', escape='\"', "
        f"columns={columns!r}, null_padding=false, nullstr='')"
    )
    with tempfile.TemporaryDirectory() as spill, contextlib.suppress(duckdb.Error):
        config = {"memory_limit": MEMORY, "temp_directory": spill}
        with duckdb.connect(config=config) as db:
            return _asked(db, source, path, width, used, counted, kinds)
    return None  # a line of another width, a quotation mark that is not closed, another encoding


def _asked(db, source, path, width, used, counted, kinds):
    path = str(path)
    cell = {field: _cell(f"c{at}") for field, at in used.items()}
    fields = [f for f in counted if f in used]
    labels = [f for f in LABELS if f in used]
    whole = f"c{used['id']}" if "id" in used else ", ".join(f"c{i}" for i in range(width))
    columns = {
        "day": f"case when contains({cell['when']}, '-') then try_cast(left({cell['when']}, 10) as date) "
        f"else cast(to_timestamp(try_cast(left({cell['when']}, 10) as bigint)) as date) end",
        "naive": f"contains({cell['when']}, '-') and not contains({cell['when']}, '+') and not ends_with({cell['when']}, 'Z')",
        "model": f"case when starts_with({cell['model']}, 'openai/') then {cell['model']}[8:] else {cell['model']} end",
        **{f: f"nullif({cell[f]}, '')" for f in labels},
        **(
            {"batch": f"lower({cell['batch']}) in {_words(spelled.YES)}"} if "batch" in used else {}
        ),  # fmt: skip
        **{f: f"coalesce(try_cast({cell[f]} as bigint), 0)" for f in fields},
    }
    db.execute(
        f"create temp table usage as select hash({whole}) as h, {_plain(cell, fields)} as plain, "
        f"{', '.join(f'{sql} as {name}' for name, sql in columns.items())} from {source}",
        [path],
    )
    n = lambda field: field if field in fields else "0"
    calls = f"greatest({n('requests') if 'requests' in fields else 1}, 1)"
    within = [
        f"input >= {n('cached')} + {n('audio_input')} + {n('image_input')}",
        f"{n('cached')} >= {n('audio_cached')} + {n('image_cached')}",
        f"output >= {n('audio_output')} + {n('image_output')}",
        f"output >= {n('reasoning')}",
        "day between date '2015-01-01' and date '2099-12-31'",
        "model <> ''",
    ]
    db.execute(
        "create temp table odd as select rowid as place from usage where not (plain and coalesce("
        f"{' and '.join(within)}, false)) or h in (select h from usage group by h having count(*) > 1)"
    )
    (many,) = db.execute("select count(*) from odd").fetchone()
    if many > MOST_ODD:
        return None
    odd = []
    if many:
        odd = db.execute(
            f"select * from (select row_number() over () + 1 as line, * from {source}) where line - 2 in (select place from odd) order by line",
            [path],
        ).fetchall()
    limits = sorted(set(_limits().values()))
    far = " + ".join(f"cast(input > {limit} * {calls} as int)" for limit in limits) or "0"
    groups = ["day", "model", *labels, *(["batch"] if "batch" in used else [])]
    added = [f"cast(sum({f}) as bigint) as {f}" for f in fields if f != "requests"]
    added.append(f"cast(sum({n('requests') if 'requests' in fields else 1}) as bigint) as requests")
    made = db.execute(
        f"select {', '.join(groups)}, {far} as far, count(*) as rows, count(*) filter (naive) as naive, {', '.join(added)} "
        "from usage where rowid not in (select place from odd) group by all order by all"
    ).df()
    for name in ("model", *labels):  # other blanks than those that _cell sees
        made[name] = made[name].str.strip()
        if spelled.is_total(made[name].dropna()).any():
            return None
    odd = [(line, ["" if c is None else c for c in cells]) for line, *cells in odd]
    return _frame(made, labels, fields, kinds), odd, int(made["naive"].sum())


def _cell(column):
    """A cell without the blanks around it. DuckDB's trim looks at each letter, and costs as much as
    all else.
    """
    blanks = f"starts_with({column}, ' ') or ends_with({column}, ' ')"
    return f"case when {blanks} then trim({column}) else coalesce({column}, '') end"


def _plain(cell, fields):
    """The condition in SQL: a pattern a cell for what must be looked at letter by letter."""
    matches = lambda text, pattern: f"regexp_full_match({text}, '{pattern}')"
    tests = [
        f"case when contains({cell['when']}, '-') then {matches(cell['when'], WHEN)} "
        f"else {matches(cell['when'], UNIX)} end"
    ]
    for field in fields:
        least = 1 if field in ("input", "output") else 0
        tests.append(matches(cell[field], rf"\d{{{least},{DIGITS}}}"))
    if "batch" in cell:
        known = "|".join(sorted(spelled.YES | spelled.NO))
        tests.append(matches(f"lower({cell['batch']})", f"({known})?"))
    begins = ("gra", "sub", "tot", "sum", "ges", "ins", "som")  # of the words for totals
    for field in ("model", "feature"):
        if field in cell:
            total = f"lower(left({cell[field]}, 3)) in {begins}"
            tests.append(f"not ({total} and {matches(f'lower({cell[field]})', TOTAL)})")
    tests += [
        f"({cell[f]} >= '!' or {cell[f]} = '')" for f in ("model", *LABELS) if f in cell
    ]  # a tab
    return " and ".join(tests)


def _words(words):
    return "(" + ", ".join(f"'{word}'" for word in sorted(words)) + ")"


def _frame(made, labels, fields, kinds):
    """The sums in the columns that `price` takes."""
    counts = kinds({name: made[name].to_numpy(np.int64) for name in fields})
    frame = {
        "when": made["day"].astype("datetime64[us]").dt.tz_localize("UTC"),
        "model": made["model"].astype("category"),
        "rows": made["rows"].astype("int64"),
        **{name: made[name].astype("category") for name in labels if made[name].notna().any()},
    }
    if "batch" in made:
        frame["batch"] = made["batch"].astype(bool)
    frame["requests"] = made["requests"].astype("int64")
    return pd.DataFrame(frame | counts).assign(trouble=np.int8(0))
