"""Read a usage export, whatever made it, into one kind of frame. What a file is, its content says,
not its name.

The formats of JSON and their readers stand in formats/; any CSV with a header, or sheet of an Excel
workbook, is read here, by the names of its columns in data/usage_columns.csv.
"""

import contextlib
import csv
import difflib
import functools
import io
import json
import os
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import pandas as pd

from ...common.counted import counted
from ...facts import tables
from . import large, spelled, workbooks
from .formats import FORMATS, KNOWN, OF_A_TOOL, openai_api, proxies, seems, spans
from .formats.records import BROKEN, dicts, parsed
from .pricing import ABSURD, CODES, COUNTS, BillError, usd

COUNTED = (
    "requests",
    "input",
    "cached",
    "audio_input",
    "audio_cached",
    "image_input",
    "image_cached",
    "output",
    "audio_output",
    "image_output",
    "reasoning",
    "cache_write",
)
FIELDS = (
    "when",
    "model",
    "feature",
    "user",
    "key",
    *COUNTED,
    "batch",
    "tier",
    "stated",
    "currency",
    "id",
    "whole",
    "hit",
    "trouble",
)
LABELS = ("feature", "user", "key", "tier")
COPY = "the same as an earlier row"
ISO, CLOCK = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d(:\d\d([.,]\d+)?)?"
EARLIEST, LATEST = (
    pd.Timestamp("2015-01-01", tz="UTC"),
    pd.Timestamp("2100-01-01", tz="UTC"),
)  # other times are slips
LOOKED_AT = 100  # records in which a format is looked for: the first may be an error, or a stranger
PAGES = ("data", "runs", "results", "result", "items", "rows", "logs", "spans")
MANY = r"\s*([2-9]|[1-9]\d)(.|\n)*"  # a count of calls above one
EMPTY_PERIOD = {"start_time", "end_time", "start_time_iso", "end_time_iso"}


class Usage:
    """What a file holds. `rows` is the frame that `price` takes, with `line`, the place of each row
    in the file.

    what: the kind of file, in words. empty: how many records held nothing (days without a call,
    spans of other work). notes: sentences on what was assumed or left aside.
    """

    def __init__(self, what, rows, empty, notes):
        self.what, self.rows, self.empty, self.notes = what, rows, empty, notes

    def __getattr__(self, name):
        raise AttributeError(
            f"usage that was read has no {name}: price(usage) makes a bill of it",
            name=name,
            obj=self,
        )

    def __repr__(self):
        return "\n".join(
            [f"{self.what}: {counted(len(self.rows), 'row')}", *(f"- {n}" for n in self.notes)]
        )


def read(source, zone="UTC", dates=None):
    """Read a usage export. Returns a Usage.

    source: a path; the bytes of a file; or what helpers.receipt() returned. zone: where the clock
    stood for times without an offset, such as "Europe/Berlin"; days are always UTC days, as on
    OpenAI's bill. dates: "day first" or "month first" for a CSV whose days, such as 3/4/2026, do
    not tell. BillError says what was found where nothing known was, or where a needed column is
    missing. A record that is broken is no error: it stays as a row with a reason.
    """
    european = None
    if quick := _added_up(source, zone):
        return quick
    if hasattr(source, "rows") and hasattr(source, "on"):
        what, raw, empty, notes = _from_records([(1 + i, r) for i, r in enumerate(source.rows)], [])
    else:
        data = source if isinstance(source, bytes) else _bytes(source)
        text = "" if workbooks.begins(data) else _text(data)
        if not text:
            what, raw, empty, notes, european = _from_workbook(data)
        elif text[:1] in "{[":
            what, raw, empty, notes = _from_json(text)
        else:
            what, raw, empty, notes, european = _from_csv(text)
    if european is not None:
        raw, more = _respelled(raw, european, dates)
        notes += more
    rows, more = _normal(raw, zone, european is not None)
    if european is not None and _is_large(source) and not large.there():
        more.append("a file of this size is read in a fraction of time and memory with DuckDB: python start.py lab --warehouse")  # fmt: skip
    return Usage(what, rows, empty, notes + more + _on_writing(rows))


def _bytes(path):
    if not isinstance(path, (str, os.PathLike)):
        raise BillError(
            f"a file is named by its path, or given as its bytes, not as {type(path).__name__}"
        )
    path = Path(path)
    if path.is_dir() or path.parent.is_dir() and not path.exists():
        folder, there = (path, "a folder") if path.is_dir() else (path.parent, "not there")
        files = sorted(p.name for p in folder.iterdir() if p.is_file())
        near = difflib.get_close_matches(path.name, files, 3) or files[:8]
        raise BillError(f"{path} is {there}; {folder} has {', '.join(near) or 'no file'}")
    try:
        return path.read_bytes()
    except OSError as e:
        raise BillError(f"{path} cannot be read: {e.strerror or e}") from None


def _text(data):
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if data[1:2] == b"\0" or data[:1] == b"\0":
        coding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as e:
        raise BillError(
            f"this is no text in UTF-8: byte {e.start:,} is not. Unpack a zip or gz file first, save another encoding as UTF-8. Read are {KNOWN}"
        ) from None
    if not text.strip():
        raise BillError(f"the file is empty. Read are {KNOWN}")
    return text.lstrip("\ufeff \r\n")


# JSON


def _from_json(text):
    try:
        whole = json.loads(text, parse_float=Decimal)
        lines = (
            [(1, whole)] if isinstance(whole, dict) else [(i + 1, r) for i, r in enumerate(whole)]
        )
    except (ValueError, RecursionError) as e:
        lines, broken = [], str(e)
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    lines.append((number, json.loads(line, parse_float=Decimal)))
                except (ValueError, RecursionError):
                    lines.append((number, None))
        if not any(isinstance(r, dict) for _, r in lines):
            raise BillError(
                f"this begins like JSON but ends in the middle of it, or is broken: {broken}. Download it again, whole"
            ) from None
    return _from_records(lines, [])


def _from_records(lines, notes, found=None):
    """(what, raw frame, empty, notes) of numbered records; one that is no dict is broken. found:
    (what it is, its reader) where that is known.
    """
    first = next((r for _, r in lines if isinstance(r, dict)), None)
    if not lines or len(lines) == 1 and first and _holds_nothing(first):
        return "an export that holds nothing", _frame([]), 0, ["the file is whole and has no row"]
    found = found or _format_of(lines)
    if found is None and len(lines) == 1 and first is not None:
        for name in PAGES:  # a page of some tool's API around the records
            inner = first.get(name)
            if isinstance(inner, list) and (found := _format_of(list(enumerate(inner, 1)))):
                lines = list(enumerate(inner, 1))
                notes.append(f"read from the list {name}; whether pages follow is not known")
                break
    if found is None:
        seen, told = "a list without objects", ""
        if first is not None:
            seen = f"an object with {', '.join(map(str, list(first)[:8])) or 'nothing in it'}"
            told = seems(
                {*first, *(name for page in PAGES for r in dicts(first.get(page)) for name in r)}
            )
        raise BillError(f"no known usage export: {seen}. {told}Read are {KNOWN}")
    what, reader = found
    raw, empty = [], 0
    for line, record in lines:
        found = list(reader(record, notes)) if isinstance(record, dict) else [BROKEN]
        empty += sum(r is None for r in found)
        raw += [r | {"line": line} for r in found if r is not None]
    if reader in spans.SPANS:
        raw = spans.once(raw, notes)
        empty += sum("nothing" in r for r in raw)
        raw = [r for r in raw if "nothing" not in r]
    if reader is openai_api.pages and isinstance(lines[-1][1], dict) and lines[-1][1].get("has_more"):  # fmt: skip
        notes.append(
            "the last page names a next one, which is not in the file: the export is not whole"
        )
    if any("cost" in r for r in raw):
        what = "OpenAI's costs API: what was billed"
    return (
        what,
        _frame(raw),
        empty,
        sorted(set(notes)),
    )


def _frame(raw):
    return pd.DataFrame(raw, columns=[*FIELDS, "line"], dtype=object)


def _format_of(lines):
    """(what it is, its reader) of numbered records, or None."""
    records = [r for _, r in lines[:LOOKED_AT] if isinstance(r, dict)]
    for what, belongs, reader in FORMATS:
        if any(belongs(r) for r in records):
            return what, reader
    return None


def _holds_nothing(record):
    """Whether a page lists its rows, and there is none: a time without a call."""
    named = [record[n] for n in (*PAGES, "daily", "resourceSpans") if n in record]
    return len(record) > 1 and named == [[]]


# CSV, and sheets


def _from_csv(text):
    """(what, raw frame, empty, notes, whether semicolons stand between the columns; None where its
    rows are as JSON has them)
    """
    said = int(bool(re.match(r"sep=.\r?\n", text)))  # Excel's own first line
    text = text.split("\n", said)[-1]
    comma, above = _header(text)
    text = text.split("\n", above)[-1]
    try:
        lines = list(csv.reader(io.StringIO(text.replace("\0", "")), delimiter=comma))
    except csv.Error as e:
        raise BillError(
            f"this CSV cannot be read: {e}. A quotation mark that is never closed does that"
        ) from None
    head, first = lines[0], 2 + said + above
    lines = [(i, line) for i, line in enumerate(lines[1:], first) if line]
    notes = [f"lines above the header left aside: {above}"] if above else []
    return _of_table("a CSV", head, lines, notes, text.endswith("\n"), comma == ";")


def _from_workbook(data):
    """As `_from_csv`; no semicolons stand in a sheet."""
    return _of_table(*workbooks.table(data, _is_header), True, False)


def _of_table(kind, head, lines, notes, ends, european):
    """As `_from_csv`, of a header and [(number, cells)]. kind: what the table is, in words."""
    if tracer := _of_a_tool(head):
        records = [(i, _record(head, cells)) for i, cells in lines]
        what, *found = _from_records(records, notes, tracer)
        return f"{what}, as {kind}", *found, None
    what, raw, empty, more = _of_lines(_names(head), lines, ends, kind)
    return what, raw, empty, notes + more, european


def _names(head):
    return [str(n).strip().lower() for n in head]


def _header(text):
    """(what stands between the columns, how many lines stand above the header): a title may. Where
    no line is a header that we know, the first is taken for one.
    """
    top = text.split("\n", workbooks.ABOVE)[: workbooks.ABOVE]
    for above, line in enumerate(top):
        comma = _comma(line)
        with contextlib.suppress(csv.Error):
            if _is_header(next(csv.reader([line], delimiter=comma), [])):
                return comma, above
    return _comma(top[0]), 0


def _is_header(head):
    """Whether these cells name the columns of a table that we know."""
    if _of_a_tool(head):
        return True
    try:
        return bool(_used(_names(head)))
    except BillError:
        return False


def _of_a_tool(head):
    """(what it is, its reader) where a CSV has the names of a tool whose rows are read as records;
    else None.
    """
    known = ((what, read) for what, belongs, read in OF_A_TOOL if belongs(dict.fromkeys(head)))
    return next(known, None)


def _record(head, cells):
    """A line of CSV as the JSON that it was; None, which is a broken record, where cells lack."""
    if len(cells) != len(head):
        return None
    return dict(zip(head, map(_member, cells)))


def _member(cell):
    if not isinstance(cell, str):  # a number of a sheet
        return cell
    return int(cell) if re.fullmatch(r"\d{1,15}", cell) else cell or None


def _comma(line):
    """What stands between the columns of a line."""
    return max(",\t;|", key=line.count)


def _is_large(source):
    """Whether a source is a file so large that it is better added up first."""
    is_path = isinstance(source, (str, os.PathLike)) and Path(source).is_file()
    return is_path and Path(source).stat().st_size >= large.FROM


def _added_up(path, zone):
    """The Usage of a large CSV whose plain rows DuckDB adds up; None for any other source, and
    where DuckDB is not there.
    """
    if not isinstance(path, (str, os.PathLike)) or zone != "UTC":
        return None
    path = Path(path)
    if not _is_large(path):
        return None
    with path.open("rb") as file:
        top = [file.readline(1 << 20) for _ in range(workbooks.ABOVE)]
        ends = _ends(file)
    if workbooks.begins(top[0]):
        return None
    try:
        text = b"".join(top).decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if text[:1] in "{[" or text.startswith("sep="):
        return None
    comma, above = _header(text)
    if above:
        return None
    head = next(csv.reader([text.split("\n", 1)[0]], delimiter=comma), [])
    if _of_a_tool(head):
        return None
    names = _names(head)
    used = {field: at for field, (at, _) in _used(names).items()}
    if "stated" in used or "hit" in used or "request_tags" in names:
        return None
    found = large.found(path, len(names), comma, used, COUNTED, _odd_names, MANY)
    if found is None:
        return None
    what, raw, empty, notes = _of_lines(names, found.odd, ends, sums=found.sums_of_calls)
    raw, more = _respelled(raw, comma == ";", None)
    rows, told = _normal(raw, zone, True, found)
    notes += more + told
    sums = _of_sums(found.sums, used)
    n = int(sums["rows"].sum())
    fewer = f" and added up to {len(sums):,} by day, model and the like" if len(sums) < n else ""
    notes.append(f"{counted(n, 'row')} read by DuckDB{fewer}")
    if len(rows):
        sums = pd.concat([sums, rows.assign(rows=1)], ignore_index=True)
        for name in ("model", *LABELS):
            if name in sums:
                sums[name] = sums[name].astype("category")
        counts = [c for c in sums if c in (*COUNTS, "requests", "rows", "trouble", "line")]
        sums[counts] = sums[counts].fillna(0).astype("int64")
        sums["trouble"] = sums["trouble"].astype(np.int8)
        if "batch" in sums:
            sums["batch"] = sums["batch"].fillna(False).astype(bool)
    return Usage(what, sums, empty, notes + _on_writing(sums))


def _odd_names(field, cells):
    """Which of the cells of a column, each once, need a second look at their rows."""
    text = pd.Series(cells, dtype=object)
    odd = np.zeros(len(text), bool)
    if field in ("model", "feature"):
        odd |= spelled.is_total(text)
    if field == "model":
        odd |= (_name("model", text) == "").to_numpy(bool)
    if field == "batch":
        odd |= ~spelled.is_truth(text)
    return list(text[odd])


def _of_sums(sums, used):
    """The sums that DuckDB made, in the columns that `price` takes."""
    names = {f: _renamed(sums[f], f) for f in ("model", *LABELS) if f in sums}
    trouble = np.where(sums["copied"], np.int8(CODES[COPY]), np.int8(0))
    if "audio_input" not in used:
        mixed = _hears(names["model"].categories.to_series())[names["model"].codes]
        trouble[mixed & (trouble == 0)] = CODES[openai_api.MIXED]
    frame = {"when": sums["day"].astype("datetime64[us]").dt.tz_localize("UTC"), **names}
    frame = {f: column for f, column in frame.items() if f not in LABELS or len(column.categories)}
    if "batch" in sums:
        yes = spelled.truths(pd.Series(sums["batch"].cat.categories, dtype=object), None)
        frame["batch"] = np.append(yes.to_numpy(bool), False)[sums["batch"].cat.codes]
    if "cached" not in used:
        frame["cached_told"] = sums["short"].to_numpy(bool)
    frame |= {f: sums[f].to_numpy() for f in ("line", "rows", "requests")}
    counts = {f: sums[f].to_numpy() for f in COUNTED if f in used and f != "requests"}
    return pd.DataFrame(frame | _kinds(counts) | {"trouble": trouble}, copy=False)


def _renamed(column, field):
    """A column of names, a Categorical, with each as `_labels` has it."""
    text = _name(field, pd.Series(column.cat.categories, dtype=object))
    names = sorted(set(text) - {""})
    code = pd.Index(names).get_indexer(text).astype(np.min_scalar_type(-1 - len(names)))
    return pd.Categorical.from_codes(np.append(code, code.dtype.type(-1))[column.cat.codes], names)


def _ends(file):
    """Whether a file ends with a line break."""
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


def _used(names, kind="a CSV"):
    """{field: (place of its column, rank)} of a table's header. BillError where a needed one is not
    there. kind: what the table is, in words.
    """
    aliases, used = _aliases(), {}
    spelled_alike: dict[str, tuple[str, int]] = {}
    for name, found in aliases.items():  # the upper row of the table first
        spelled_alike.setdefault(_bare(name), found)
    for at, name in enumerate(names):
        field, rank = spelled_alike.get(_bare(name), (None, 0))
        if field and (field not in used or rank < used[field][1]):
            used[field] = (at, rank)
    cost = "stated" in used and "input" not in used
    lacking = [
        f
        for f in (("when", "stated") if cost else ("when", "model", "input", "output"))
        if f not in used
    ]
    if lacking:
        ways = "; ".join(
            f"{f}: {', '.join(n for n, (other, _) in aliases.items() if other == f)}"
            for f in lacking
        )
        raise BillError(
            f"this is {kind}, and has no column for {' and '.join(lacking)}. {seems(names)}It has {', '.join(n or '(no name)' for n in names[:12])}. Names that are known, {ways}"
        )
    return used


def _bare(name):
    """A column's name as all spellings of it are: Input Tokens, input_tokens, inputTokens."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _of_lines(names, lines, ends, kind="a CSV", sums=False):
    """(what, raw frame, empty, notes) of a table's lines, [(number, cells)]. ends: whether the file
    ends with a line break. kind: what the table is, in words. sums: whether other lines of it add
    up calls.
    """
    if set(names) <= EMPTY_PERIOD and {"start_time", "start_time_iso"} & set(names):
        return f"{kind} of usage", _frame([]), len(lines), [f"days without a call: {len(lines):,}"]
    used = _used(names, kind)
    cost = "stated" in used and "input" not in used
    width = len(names)
    raw = {
        field: [line[at] if at < len(line) else "" for _, line in lines]
        for field, (at, _) in used.items()
    }
    raw["trouble"] = [BROKEN["trouble"] if len(line) != width else None for _, line in lines]
    raw["line"] = [number for number, _ in lines]
    raw["whole"] = ["\0".join(map(str, line)) for _, line in lines]
    raw = pd.DataFrame(raw, dtype=object).reindex(columns=[*FIELDS, "line"])
    if "request_tags" in names and used["feature"][0] == names.index("request_tags"):
        raw["feature"] = [(parsed(t, list) or [t])[0] for t in raw["feature"]]
    nothing = (
        raw[[f for f in used if f not in ("when", "id")]].isin(["", None]).all(axis=1)
        & raw["trouble"].isna()
    ).to_numpy()
    ignored = [n for at, n in enumerate(names) if at not in {a for a, _ in used.values()}]
    notes = [
        f"{names[at]} read as {field}" for field, (at, _) in used.items() if names[at] != field
    ]
    notes = ["columns " + "; ".join(notes)] if notes else []
    notes += (
        [f"columns not used: {', '.join(n or '(no name)' for n in ignored)}"] if ignored else []
    )
    notes += [f"days without a call: {int(nothing.sum()):,}"] if nothing.any() else []
    notes += (
        ["no line break at the end: if the file was cut there, the last number may be too small"]
        if not ends
        else []
    )
    if not cost and "cached" not in used:
        perhaps = [n for n in ignored if "cache" in n and "cost" not in n]
        notes.append(
            "no column for cached input: all of it is priced as not cached"
            + (
                f". If {' or '.join(perhaps)} tells it, name it cached_tokens; it is a part of the input: what stands beside it, add to it"
                if perhaps
                else ""
            )
        )
    total = np.zeros(len(raw), bool)
    for field in ("when", "model", "feature"):
        total |= spelled.is_total(_text_of(raw[field]))
    # the word may stand in a column that is not read, where the row has no time
    firsts = pd.Series([_first(line) for _, line in lines], dtype=object, index=raw.index)
    total |= spelled.is_total(firsts) & (_text_of(raw["when"]).str.strip() == "").to_numpy(bool)
    if total.any():
        notes.append(
            f"rows of totals left aside: {int(total.sum())}, the first in line {raw['line'][total].iloc[0]}"
        )
    raw = raw[~nothing & ~total]
    if cost or sums or _adds_up(raw):
        raw["id"] = raw["id"].where(_text_of(raw["id"]) != "", raw["whole"])
    what = f"{kind} of usage"
    if cost:
        raw["model"] = raw["model"].fillna("").replace("", "(no line item)")
        what = f"{kind} of costs: what was billed"
    return what, raw, int(nothing.sum()), notes


def _first(cells):
    """The first cell of a line that is not empty, as a text."""
    return next((str(c) for c in cells if c != ""), "")


def _adds_up(raw):
    """Whether some row of a table tells more than one call: then its rows are sums, and one that
    equals another is a copy. Rows of single calls may be equal.
    """
    many = _text_of(raw["requests"]).str.fullmatch(MANY)
    return bool((many & _text_of(raw["when"]).str.contains(r"\d")).any())


def _respelled(raw, european, order):
    """(the raw frame with days, counts and sums as `_normal` reads them, notes)"""
    raw = raw.reset_index(drop=True)
    when = _text_of(raw["when"])
    european |= bool(when.str.match(r"\d{1,2}\.\d{1,2}\.\d{4}").any())
    when, notes = spelled.dates(when, raw["line"], order)
    typed = {name: _typed(raw[name]) for name in (*COUNTED, "stated")}
    typed = {name: text for name, text in typed.items() if len(text)}
    stated = typed.pop("stated", None)
    if typed:
        typed, more = spelled.counts(typed, raw["line"], european)
        notes += more
    if stated is not None:
        typed["stated"] = spelled.money(stated)
    respelled = {name: text.combine_first(raw[name]) for name, text in typed.items()}
    return raw.assign(when=when, **respelled), notes


def _typed(values):
    """The texts of a column. A number of a sheet is none, and needs no second look."""
    return values[[isinstance(v, str) for v in values]]


@functools.cache
def _aliases():
    """{column's name in lower case: (our field, its rank; of two columns for a field the lower rank
    is read)}.
    """
    known = tables.rows("usage_columns.csv")
    return {row["column"].lower(): (row["field"], rank) for rank, row in enumerate(known)}


# to one frame


def _normal(raw, zone, of_csv=False, others=None):
    """(frame that `price` takes, notes) of a frame of `FIELDS` whose values are as the file had
    them. others: what large.found says of the rows of the file that are not in the frame.
    """
    raw = raw.reset_index(drop=True)
    trouble = raw["trouble"].map(CODES).fillna(0).to_numpy(np.int8)
    of_costs = (
        raw["stated"].notna().any() and raw["input"].isna().all() and raw["output"].isna().all()
    )

    def mark(bad, name):
        trouble[np.asarray(bad) & (trouble == 0)] = CODES[name]

    own, whole = _text_of(raw["id"]), _text_of(raw["whole"])
    copies = own.duplicated() & (own != "")
    mark(copies, COPY)
    alike = whole.duplicated() & (whole != "") & (own == "")
    mark(_hits(_text_of(raw["hit"])), proxies.OWN_CACHE)
    rows, notes = _labels(raw, zone, mark, others.naive if others else 0)
    for which, beside, words in (
        (copies, others and others.copies, "rows that are in the file twice, by their id or as sums that are equal, count once"),
        (alike, others and others.alike, "rows that equal an earlier one and have no id count as calls of their own; if they are copies, leave them out"),
    ):  # fmt: skip
        many, first = _together(raw["line"][which], *(beside or (0, None)))
        if many:
            notes.append(f"{words}: {many:,}, the first in line {first}")
    stated = _nano_of(raw["stated"])
    if stated.notna().any():
        rows["stated"] = stated.fillna(0).astype("int64")
    if of_costs:
        mark(~_text_of(raw["currency"]).str.lower().isin(["usd", ""]), "another currency")
        mark(stated.isna(), "a count is missing or not a whole number")
        return pd.DataFrame(rows | {"trouble": trouble}), notes

    said = sum(int(n) for n in stated[trouble == 0].dropna())
    if said:
        notes.append(f"the file itself says {usd(said).normalize():f} USD for these rows")
    mark(_hears(raw["model"]) & raw["audio_input"].isna(), openai_api.MIXED)
    counts, wrong = _counts(raw, mark, notes)
    untold = raw["cached"].isna() & (trouble == 0)
    if untold.any():
        rows["cached_told"] = ~raw["cached"].isna().to_numpy()
        if raw["cached"].notna().any() or not of_csv:
            notes.append(
                f"rows that do not tell what came from the cache: {int(untold.sum()):,}. All of their input is priced as not cached, which is the most it can have cost"
            )
    kinds = _kinds(counts)
    for value in kinds.values():
        mark(value < 0, "the parts exceed their total")
        wrong |= value < 0
    mark(kinds.get("reasoning", 0) > counts["output"], "the parts exceed their total")
    if "batch" not in rows and "tier" not in rows:
        notes.append(
            "the file does not tell batch or another tier: all of it is priced as standard"
        )
    # a count that is wrong is worth nothing, in shares too
    rows["requests"] = np.where(wrong, 1, counts["requests"])
    kinds = {name: np.where(wrong, 0, value) for name, value in kinds.items()}
    return pd.DataFrame(rows | kinds | {"trouble": trouble}), notes


def _on_writing(rows):
    """The note on tokens that were written to the cache, in a list; none where none were."""
    counted = rows["trouble"] == 0
    written = int(rows["cache_write"][counted].sum()) if "cache_write" in rows else 0
    what = "tokens written to the cache count as ordinary input: what writing costs is not in data/prices.csv"
    return [f"{written:,} {what}"] if written else []


def _hits(text):
    """Which texts say that a proxy's own cache answered: yes, or the id of the request repeated."""
    small = text.str.strip().str.lower()
    named = small.str.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}") & small.str.contains(r"[1-9a-f]")
    return (small.isin(spelled.YES | {"hit"}) | named).to_numpy(bool)


def _hears(model):
    """Which models take sound, whose tokens have a price of their own."""
    return model.astype(str).str.contains("realtime|audio", regex=True).to_numpy(bool)


def _together(lines, many, first):
    """(how many, the first line) of these lines and of others."""
    firsts = [line for line in (first, lines.min() if len(lines) else None) if line is not None]
    return len(lines) + many, min(firsts, default=None)


def _labels(raw, zone, mark, others):
    """({column: when, whose and what kind of call a row is}, notes). others: how many more times of
    the file have no zone.
    """
    when, naive = _times(_text_of(raw["when"]), zone)
    naive += others
    mark(when.isna(), "no readable time")
    notes = []
    if when.isna().any():
        at = when.isna().idxmax()
        notes.append(f"line {raw['line'][at]}: {raw['when'][at]!r} is no time that is read")
    if naive:
        notes.append(f"{naive:,} times without a zone count as {zone}")
    model = _name("model", _text_of(raw["model"]))
    mark(model == "", "no model is named")
    rows = {
        "when": when,
        "model": model.where(model != "").astype("category"),
        "line": raw["line"].astype(int),
    }
    for name in LABELS:
        text = _name(name, _text_of(raw[name]))
        if (text != "").any():
            rows[name] = text.where(text != "").astype("category")
    batch = _text_of(raw["batch"]).str.lower()
    if (batch != "").any():
        rows["batch"] = spelled.truths(batch, raw["line"])
    return rows, notes


def _name(field, text):
    """The names in a column, without what is around them."""
    text = text.str.strip()
    return text.str.removeprefix("openai/") if field == "model" else text


def _counts(raw, mark, notes):
    """({a field of COUNTED: whole numbers, 0 where a row has none}, whether a row has a wrong
    one).
    """
    counts, wrong = {}, np.zeros(len(raw), bool)
    for name in COUNTED:
        text = _text_of(raw[name])
        if not (text != "").any() and name not in ("input", "output", "requests"):
            continue
        value = pd.to_numeric(text.where(text != ""), errors="coerce").astype(float).to_numpy()
        large = np.abs(value) > ABSURD
        whole = ~large & (value == np.floor(value))  # also False for what is no number
        mark(large, "a count is absurdly large")
        odd = (text != "") & ~whole & ~large
        mark(odd, "a count is missing or not a whole number")
        if odd.any():
            at = odd.idxmax()
            notes.append(f"line {raw['line'][at]}: {text[at]!r} is no whole number, for {name}")
        mark(value < 0, "a count is negative")
        if name in ("input", "output"):
            mark(text == "", "a count is missing or not a whole number")
        counts[name] = np.where(whole, value, 1 if name == "requests" else 0).astype(np.int64)
        wrong |= (text != "").to_numpy() & ~(whole & (value >= 0))
    return counts, wrong


def _kinds(counts):
    """{kind of token: whole numbers}, none inside another, of those that the counts tell."""
    get = lambda name: counts.get(name, 0)
    kinds = {
        "text_input": get("input") - get("cached") - get("audio_input") - get("image_input"),
        "text_cached_input": get("cached") - get("audio_cached") - get("image_cached"),
        "audio_input": get("audio_input"),
        "audio_cached_input": get("audio_cached"),
        "audio_output": get("audio_output"),
        "image_input": get("image_input"),
        "image_cached_input": get("image_cached"),
        "image_output": get("image_output"),
        "text_output": get("output") - get("audio_output") - get("image_output"),
        "reasoning": get("reasoning"),
        "cache_write": get("cache_write"),
    }
    return {name: value for name, value in kinds.items() if not np.isscalar(value)}


def _text_of(values):
    return pd.Series(
        ["" if v is None or v != v else str(v) for v in values], index=values.index, dtype=object
    )


def _nano_of(values):
    """Amounts of USD as nano-dollars in Int64, rounded; NA where there is no number or none that
    fits.
    """

    def nano(value):
        try:
            found = int((Decimal(str(value)) * 10**9).to_integral_value())
        except (InvalidOperation, ValueError, OverflowError):
            return pd.NA
        return found if abs(found) < 10**15 else pd.NA

    return values.map(nano, na_action="ignore").astype("Int64")


def _times(text, zone):
    """(UTC times, NaT where there is none; how many had no offset). Unix times may be in s, ms, µs
    or ns.
    """
    text = text.str.strip()
    out = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    unix = text.str.fullmatch(r"\d{9,19}(\.\d*)?").to_numpy(bool)
    if unix.any():
        out[unix] = pd.to_datetime([_micros(t) for t in text[unix]], unit="us", utc=True)
    zoned = text.str.fullmatch(rf"{ISO}[T ]{CLOCK} ?(Z|[+-]\d\d(:?\d\d)?)", flags=re.I).to_numpy(
        bool
    )
    if zoned.any():
        out[zoned] = pd.to_datetime(text[zoned], format="ISO8601", utc=True, errors="coerce")
    naive = text.str.fullmatch(rf"{ISO}([T ]{CLOCK})?", flags=re.I).to_numpy(bool)
    if naive.any():
        local = pd.to_datetime(text[naive], format="ISO8601", errors="coerce")
        try:
            out[naive] = local.dt.tz_localize(
                zone, ambiguous="NaT", nonexistent="NaT"
            ).dt.tz_convert("UTC")
        except KeyError:
            raise BillError(f"{zone!r} is no time zone; try UTC or Europe/Berlin") from None
    return out.where((out >= EARLIEST) & (out < LATEST)), int(naive.sum())


def _micros(text):
    """Unix time in s, ms, µs or ns, told apart by its size, as whole µs."""
    whole, _, part = text.partition(".")
    n = int(whole)
    for end, each in ((10**11, 10**6), (10**14, 10**3), (10**17, 1)):
        if n < end:
            return n * each + int(Decimal(f"0.{part or 0}") * each)
    return n // 1000
