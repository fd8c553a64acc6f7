"""A CSV of many megabytes: DuckDB adds its plain rows up before pandas sees them; what is not plain
is read row by row, as in a small file.

Plain is a row with a day of UTC, a model, and counts that need no second look: whole, not negative,
no more than its calls can have, parts within their totals. Sums of such rows have the price of the
rows: that depends on the model, the day, and whether a call is longer than the context at which
prices rise, and these are kept apart. Names are looked at once each, by what reads a small file.
"""

import contextlib
import os
import tempfile
from typing import NamedTuple

import pandas as pd

from .pricing import ABSURD, ABSURD_CALL, FEWEST, _limits

FROM = 30_000_000  # bytes; smaller ones are read in a moment anyway
MOST_ODD = 200_000  # rows that are read one by one
THREADS = min(4, os.cpu_count() or 1)  # DuckDB's
# Its memory while it reads the rows (with less, only one thread does), and afterwards, when the
# sums become a frame beside it.
READING, AFTERWARDS = "256MB", "100MB"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?"
WHEN = rf"\d{{4}}-\d\d-\d\d([T ]{CLOCK} ?(Z|\+00:?00)?)?"
UNIX = r"\d{10}(\d{3})?"
BUFFER = 8_000_000  # bytes of the file that a thread holds
COUNT = r"\d{1,9}(\.0+)?"  # a column of whole numbers with a gap in it is often written as 12.0
FEWER = 2  # times as few sums as rows: with more sums, adding up takes longer than it saves later
PARTS = {  # what else is inside a total; the rest of it is text
    "input": ("cached", "audio_input", "image_input"),
    "cached": ("audio_cached", "image_cached"),
    "output": ("audio_output", "image_output"),
}
NAMES = ("model", "feature", "user", "key", "tier", "batch")
NOT_COUNTED = (b"\0", b"\n\n", b"\n\r", b"\r\r")  # what DuckDB passes over, and csv does not


class Found(NamedTuple):
    """What is in a file.

    sums: a frame of the plain rows' sums, or of the rows where there would be nearly as many sums;
    in the columns `NAMES` each cell is as in the file.
    odd: [(line, cells)] of the others. naive: how many times have no zone. copies, alike: how many
    plain rows repeat an earlier one and do not count, or count all the same, each with the first
    one's line. sums_of_calls: whether some row has more than one call.
    """

    sums: pd.DataFrame
    odd: list
    naive: int
    copies: tuple
    alike: tuple
    sums_of_calls: bool


def there():
    """Whether DuckDB is."""
    try:
        import duckdb  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True


def found(path, width, comma, used, counted, odd_names, many):
    """What is in a CSV with a header, a Found; None where DuckDB is not there, or the file is not
    one for it.

    width: of the header; used: {field: place of its column}; counted: the fields that are counts.
    odd_names: function of a field and the cells of its column, each once; gives those that need a
    second look. many: the pattern of a count of calls above one: it tells sums, and of equal sums
    all but one are copies.
    """
    if not there() or _passes_over(path):
        return None
    import duckdb

    with tempfile.TemporaryDirectory() as spill, contextlib.suppress(duckdb.Error):
        config = {"memory_limit": READING, "temp_directory": spill, "threads": THREADS}
        with duckdb.connect(config=config) as db:
            scan = _Scan(db, path, width, comma, used, [f for f in counted if f in used])
            return scan.found(odd_names, many)
    return None  # a line of another width, a quotation mark that is not closed, another encoding


def _passes_over(path):
    """Whether DuckDB numbers the rows otherwise than csv does. Line breaks at the end of the file
    number none.
    """
    with open(path, "rb") as file:
        before = b""
        while piece := file.read(1 << 20):
            text = before + piece
            bare = text.rstrip(b"\r\n")
            looked_for = NOT_COUNTED if b"\r" in text else NOT_COUNTED[:2]
            if any(found in bare for found in looked_for):
                return True
            before = text[max(len(bare) - 1, 0) :]
    return False


class _Scan:
    """The questions to DuckDB, which reads the file twice: for the names in it, and for the rows;
    and once more for the rows that are odd.
    """

    def __init__(self, db, path, width, comma, used, fields):
        columns = {f"c{i}": "VARCHAR" for i in range(width)}
        self.db, self.path = db, str(path)
        self.source = (
            f"read_csv(?, auto_detect=false, header=false, skip=1, delim='{comma}', quote='\"', "
            f"escape='\"', columns={columns!r}, null_padding=false, nullstr='', buffer_size={BUFFER})"
        )
        self.row = ", ".join(columns)
        self.cell = {field: f"c{at}" for field, at in used.items()}
        self.fields, self.names = fields, [f for f in NAMES if f in used]
        self.calls = "greatest(requests, 1)::bigint" if "requests" in fields else "1"
        self.parts = {
            self._count(total): " + ".join(map(self._count, parts))
            for total, parts in PARTS.items()
        }

    def found(self, odd_names, many):
        self._read_names()
        self._read_rows(odd_names, many)
        self.db.execute(f"set memory_limit = '{AFTERWARDS}'")
        copies, alike = self._find_repeated()
        (odd,) = self._one("select count(*) from odd")
        if odd > MOST_ODD:
            return None
        rows = self._odd() if odd else []
        counts, kept = self._add_up()
        most = self._one(f"select {', '.join(f'coalesce(max({f}), 0)' for f in counts)} from made")
        if max(most) > ABSURD:
            return None
        sums = self._fetched(kept, dict(zip(counts, most)))
        return Found(sums, rows, int(sums.pop("naive").sum()), copies, alike, self.adds_up)

    def _count(self, field):
        return f"{field}::bigint" if field in self.fields else "0"  # sums are beyond an integer

    def _one(self, question, given=None):
        return self.db.execute(question, given).fetchone()

    def _read_names(self):
        """A type for each column of names."""
        asked = ", ".join(
            f"list(distinct {c}) filter ({c} is not null)" for c in map(self.cell.get, self.names)
        )
        cells = self._one(f"select {asked} from {self.source}", [self.path])
        self.cells = {f: sorted(c) for f, c in zip(self.names, cells) if c}
        self.names = list(self.cells)
        for field in self.names:
            self.db.execute(f"create type {field}_name as enum {_listed(self.cells[field])}")

    def _read_rows(self, odd_names, many):
        """The table `usage`: what of each row is added up, and whether it is plain; `copyable`,
        whether one that it equals is a copy of it; `same`, a number that equal rows share.
        """
        when, cell = self.cell["when"], self.cell
        odd = {f: odd_names(f, self.cells[f]) for f in self.names}
        known = [f"{cell[f]} not in {_listed(names)}" for f, names in odd.items() if names]
        known = [f"coalesce({test}, true)" for test in known] + [f"{cell['model']} is not null"]
        of_day = f"contains({when}, '-')"
        fits = lambda text, pattern: f"regexp_full_match({text}, '{pattern}')"
        tests = [*known, f"case when {of_day} then {fits(when, WHEN)} else {fits(when, UNIX)} end"]
        for field in self.fields:
            gap = "" if field in ("input", "output") else f"{cell[field]} is null or "
            tests.append(f"({gap}{fits(cell[field], COUNT)})")
        start = f"left({when}, 10)"
        columns = {
            "day": f"case when {of_day} then try_cast({start} as date) "
            f"else cast(make_timestamp(try_cast({start} as bigint) * 1000000) as date) end",
            "naive": f"{of_day} and not contains({when}, '+') and not ends_with({when}, 'Z')",
            **{f: f"cast({cell[f]} as {f}_name)" for f in self.names},
            **{f: f"coalesce(try_cast({cell[f]} as integer), 0)" for f in self.fields},
            "same": f"hash({self.row})",
            "copyable": "false",
            "sums": "false",
        }
        if "id" in cell:
            columns["same"] = f"case when {cell['id']} is null then hash({self.row}) else hash({cell['id']}) end"  # fmt: skip
            columns["copyable"] = f"{cell['id']} is not null"
        if "requests" in cell:
            told = [fits(cell["requests"], many), f"regexp_matches({when}, '[0-9]')", *known]
            columns["sums"] = " and ".join(told)
        within = [
            *(f"{total} >= {parts}" for total, parts in self.parts.items()),
            f"output >= {self._count('reasoning')}",
            *(f"{f} <= {ABSURD_CALL} * {self.calls}" for f in self.fields if f != "requests"),
            "day between date '2015-01-01' and date '2099-12-31'",
        ]
        self.db.execute(
            f"create temp table usage as select * exclude (fits), coalesce(fits and {' and '.join(within)}, false) as plain "
            f"from (select {' and '.join(tests)} as fits, {_named(columns)} from {self.source})",
            [self.path],
        )

    def _find_repeated(self):
        """(how many copies, the first one's line), and of the rows that are alike and count; the
        tables `copy` of the former, and `odd` of the rows that are not plain, or repeat one that is
        not.
        """
        self.db.execute(
            "create temp table repeated as select same, min(rowid) as first, bool_and(plain) as plain "
            "from usage group by same having count(*) > 1"
        )
        (self.adds_up,) = self._one("select coalesce(bool_or(sums), false) from usage")
        again = "from usage u join repeated r on u.same = r.same where r.plain and u.rowid <> r.first and"
        copyable = f"(u.copyable or {self.adds_up})"
        self.db.execute(f"create temp table copy as select u.rowid as place {again} {copyable}")
        self.db.execute(
            "create temp table odd as select rowid as place from usage where not plain "
            "or same in (select same from repeated where not plain)"
        )
        counted = "select count(*), min({}) + 2"
        return (
            self._one(f"{counted.format('place')} from copy"),
            self._one(f"{counted.format('u.rowid')} {again} not {copyable}"),
        )

    def _odd(self):
        """[(line, cells)] of the rows that are not plain."""
        rows = self.db.execute(
            f"select * from (select row_number() over () + 1 as line, * from {self.source}) "
            "where line - 2 in (select place from odd) order by line",
            [self.path],
        ).fetchall()
        return [(line, ["" if c is None else c for c in cells]) for line, *cells in rows]

    def _add_up(self):
        """`made`, a table of sums or a view of rows. Returns (the names of its counts, of what else
        is told).
        """
        limits = sorted(set(_limits().values()))
        requests = "requests" if "requests" in self.fields else "1"
        used = [f"{total} > {parts}" for total, parts in self.parts.items()]
        used += [f"{part} > 0" for parts in PARTS.values() for part in parts if part in self.fields]
        kinds = {
            "far": " + ".join(f"cast(input > {n} * {self.calls} as tinyint)" for n in limits)
            or "0",
            # without a price for one of its kinds of token a row has none at all
            "uses": " + ".join(f"cast({test} as int) * {1 << i}" for i, test in enumerate(used)),
            "alone": f"far > 0 and {requests} = 1",  # a single call has a price there
        }
        if "cached" not in self.fields:  # short prompts are never looked up in the cache
            kinds["short"] = f"input < {FEWEST} and {requests} <= 1"
        counts = {f: f for f in self.fields} | {"requests": requests}
        names = ["day", *self.names, "copied"]
        kept = [*names, *(kind for kind in kinds if kind == "short")]
        # no join below: the columns of a scan are in the order of the file, each by itself
        self.db.execute(
            "drop table repeated; alter table usage add column copied boolean default false; "
            "update usage set copied = true where rowid in (select place from copy); "
            "update usage set plain = false where plain and rowid in (select place from odd)"
        )
        rows = f"from (select *, rowid, {_named(kinds)} from usage where plain) as usage"
        sums, n = self._one(f"select approx_count_distinct(hash({', '.join(names)})), count(*) from usage where plain")  # fmt: skip
        if sums * FEWER > n:
            each = {**counts, "rows": 1, "naive": "cast(naive as integer)", "line": "rowid + 2"}
            self.db.execute(f"create temp view made as select {', '.join(kept)}, {_named(each)} {rows}")  # fmt: skip
            return list(counts), kept
        added = {f: f"cast(sum({what}) as bigint)" for f, what in counts.items()}
        added |= {"rows": "count(*)", "naive": "count(*) filter (naive)", "line": "min(rowid) + 2"}
        self.db.execute(
            f"create temp table made as select {', '.join([*names, *kinds])}, {_named(added)} "
            f"{rows} group by all order by line"
        )
        self.db.execute("drop table usage")
        return list(counts), kept

    def _fetched(self, kept, most):
        """`made` as a frame, in the order of the file; counts as small as they can be. A column at
        a time, so that no more than one is there twice.
        """
        small = lambda n: "integer" if n < 2**31 else "bigint"
        columns = {f: f for f in kept} | {f: f"cast({f} as {small(n)})" for f, n in most.items()}
        columns |= {f: f"cast({f} as integer)" for f in ("rows", "naive", "line")}
        got = [self.db.execute(f"select {sql} as {f} from made").df() for f, sql in columns.items()]
        return pd.concat(got, axis=1)


def _named(columns):
    return ", ".join(f"{sql} as {name}" for name, sql in columns.items())


def _listed(cells):
    return "(" + ", ".join("'" + cell.replace("'", "''") + "'" for cell in cells) + ")"
