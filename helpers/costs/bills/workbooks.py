"""A table out of an Excel workbook (.xlsx, .xlsm), as rows of cells such as a CSV has them; what
looks like one and is not read is refused with the way out.

Cells: a text as it stands; a whole number as int, another as Decimal of its shortest spelling; a
time in ISO 8601; yes and no as true and false. Files are told apart by what is in them, as in
sources. openpyxl is loaded where a workbook comes, and not before.
"""

import contextlib
import datetime
import io
import itertools
import warnings
import zipfile
from collections import Counter
from decimal import Decimal

from .pricing import BillError

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"  # how .xlsx, and .xls or what is encrypted, begin
UNPACKED = 64_000_000  # bytes, some 200,000 rows: more takes minutes, and as CSV a moment
ABOVE = 20  # rows in which a header is looked for: a title and empty rows may stand above it
ROWS, COLUMNS = 1_048_576, 500  # the first is Excel's own limit; a damaged number may lie far above
AS_CSV = "save the sheet as CSV UTF-8"
# What else is a zip: (a name in it, or the begin of one; what it is)
OTHERS = [
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("content.xml", "a file of LibreOffice or OpenOffice (.ods)"),
    ("Index/", "a spreadsheet of Apple Numbers"),
]


def begins(data):
    """Whether bytes begin as a workbook does, or as one that is old or encrypted."""
    return data[:4] in (ZIP, OLE)


def table(data, is_header):
    """(what was read in words, [cells of the header], [(number of the row, cells)], notes) of the
    first sheet that is a table we know, those that are seen before those that are hidden; and of
    all that are seen and have the same header, as the months of one bill. Their rows are numbered
    on.

    is_header: whether a row of cells names columns that we know. Where no row does, the first row
    of the first sheet that has one. All rows are as wide as the header. BillError for a file that
    is no workbook, is protected or damaged, is larger than UNPACKED, or has a formula in the table
    whose value is not stored.
    """
    _refuse_others(data)
    with _open(data) as book:
        sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
        tops = [(sheet, top) for sheet in sheets if (top := _top(sheet))]
        if not tops:
            raise BillError("this workbook has no cell with anything in it")
        known = [
            (sheet, number, head)
            for sheet, top in tops
            if (found := next(((n, c) for n, c in top if is_header(c)), None))
            for number, head in [found]
        ]
        one = known[0] if known else (tops[0][0], *tops[0][1][0])
        head = one[2]
        parts = [one, *(part for part in known[1:] if _belong_together(one, part))]
        read = [
            (sheet.title, number, _lines(sheet, number, len(head))) for sheet, number, _ in parts
        ]
        names = [_called(sheet) for sheet, _, _ in parts]
        left = _left_aside(parts, tops, sheets, known)
    if any(formulas for _, _, (_, formulas) in read):
        with _open(data, data_only=True) as book:
            tables = [
                _with_values(book[title], number, len(head), formulas) if formulas else lines
                for title, number, (lines, formulas) in read
            ]
    else:
        tables = [lines for _, _, (lines, _) in read]
    used, lines, notes = _joined(names, tables)
    what = f"an Excel sheet ({used[0]})" if len(used) == 1 else f"Excel sheets ({', '.join(used)})"
    return what, head, lines, notes + left


def _belong_together(one, other):
    """Whether two sheets, (sheet, row of the header, header), are parts of one bill."""
    seen = one[0].sheet_state == other[0].sheet_state == "visible"
    return seen and [*map(_spelled, one[2])] == [*map(_spelled, other[2])]


def _spelled(cell):
    return str(cell).strip().lower()


def _joined(names, tables):
    """(names of the sheets that count, [(number, cells)] of all their rows, notes). A sheet whose
    rows all stand in others, as those of a year's, would count twice, and is left aside.
    """
    used, lines, notes, repeats, last = [], [], [], [], 0
    before: Counter[tuple] = Counter()
    for name, rows in zip(names, tables, strict=True):
        counted = Counter(tuple(cells) for _, cells in rows)
        if rows and lines and not counted - before:
            repeats.append(name)
            continue
        if len(names) > 1:
            first = last + (rows[0][0] if rows else 1)
            notes.append(f"{name} from row {first:,}")
        before += counted
        lines += [(last + number, cells) for number, cells in rows]
        last = lines[-1][0] if lines else last
        used.append(name)
    notes = (
        [f"sheets of the same columns read as one bill, their rows numbered on: {'; '.join(notes)}"]
        if len(used) > 1
        else []
    )
    if repeats:
        notes.append(f"sheets that repeat rows of the others, not read: {'; '.join(repeats)}")
    return used, lines, notes


def _refuse_others(data):
    """BillError for what is no workbook that openpyxl reads, or unpacks to too much."""
    if data[:4] == OLE:
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise BillError(
                f"this workbook is protected by a password: open it, take the password away and save it again, or {AS_CSV}"
            )
        raise BillError(
            f"this is a file of Excel before 2007 (.xls), or of another old Office program: save it as .xlsx, or {AS_CSV}"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as e:
        raise BillError(
            f"this is an Excel workbook or a zip archive that is cut off or damaged ({e}): download it again, whole, or {AS_CSV}"
        ) from None
    names = [part.filename for part in parts]
    for begin, what in OTHERS:
        if any(name.startswith(begin) for name in names):
            raise BillError(f"this is {what}: save it as .xlsx, or {AS_CSV}")
    if "[Content_Types].xml" not in names:
        raise BillError(
            f"this is a zip archive with {', '.join(names[:5]) or 'nothing in it'}: unpack it, and read what is inside"
        )
    # zipfile gives no more of a part than this says
    large = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if large > UNPACKED:
        raise BillError(
            f"this workbook unpacks to {large // 10**6:,} MB, and at most {UNPACKED // 10**6} MB are read: {AS_CSV}, which is read at any length"
        )


@contextlib.contextmanager
def _open(data, data_only=False):
    """The workbook, with formulas; or with the values that they had when it was saved."""
    import openpyxl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on styles and lists of choices, which are not read
        try:
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=data_only)
            with contextlib.closing(book):
                yield book
        except BillError:
            raise
        except Exception as e:  # whatever the parts of a damaged workbook make openpyxl raise
            said = str(e).partition("\n")[0] or type(e).__name__
            raise BillError(
                f"this workbook is damaged, or of a kind that is not read ({said}): open it and save it again as .xlsx, or {AS_CSV}"
            ) from None


def _top(sheet):
    """[(number, cells)] of the first rows that have something in them."""
    sheet.reset_dimensions()  # some programs write A1 there
    rows = sheet.iter_rows(max_row=ABOVE, max_col=COLUMNS)
    told = ((n, [_cell(c.value) for c in row]) for n, row in enumerate(rows, 1))
    return [(n, cells[: 1 + _last(cells)]) for n, cells in told if _last(cells) >= 0]


def _last(cells):
    """The place of the last cell that is not empty; -1 where all are."""
    return max((i for i, cell in enumerate(cells) if cell != ""), default=-1)


def _lines(sheet, header, width):
    """([(number, cells)] below the header, {the place of each formula: row, column})"""
    lines, formulas = [], set()
    for number, row in _below(sheet, header, width):
        cells = [_cell(c.value) for c in row]
        if any(cell != "" for cell in cells):
            lines.append((number, cells))
            formulas.update((number, at) for at, c in enumerate(row) if c.data_type == "f")
    return lines, formulas


def _with_values(sheet, header, width, formulas):
    """The lines again, with a value in the place of each formula."""
    sheet.reset_dimensions()
    lines = []
    for number, row in _below(sheet, header, width):
        for at, cell in enumerate(row):
            # a formula that gave an empty text is stored as a text, and has no letter
            if (number, at) in formulas and cell.value is None and cell.data_type != "str":
                raise BillError(
                    f"the sheet {sheet.title} has a formula in {_letters(at)}{number} whose value is not in the file: open it in a spreadsheet program, which computes it, and save it again"
                )
        cells = [_cell(c.value) for c in row]
        if any(cell != "" for cell in cells):
            lines.append((number, cells))
    return lines


def _below(sheet, header, width):
    rows = sheet.iter_rows(min_row=header + 1, max_row=ROWS, max_col=width)
    return zip(itertools.count(header + 1), rows, strict=False)


def _letters(at):
    """A column's letters: 0 is A."""
    from openpyxl.utils import get_column_letter

    return get_column_letter(at + 1)


def _cell(value):
    """A cell as rows of a CSV have it, or a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**15 else Decimal(repr(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if isinstance(value, int) else str(value)


def _called(sheet):
    return sheet.title + (", hidden" if sheet.sheet_state != "visible" else "")


def _left_aside(parts, tops, sheets, known):
    """What was left aside, as notes: rows above the headers, and sheets."""
    above = sum(n < number for sheet, number, _ in parts for n, _ in dict(tops)[sheet])
    notes = [f"rows above the header left aside: {above}"] if above else []
    read = [sheet for sheet, _, _ in parts]
    also = [_called(other) for other, _, _ in known if other not in read]
    rest = [_called(s) for s in sheets if s not in read and _called(s) not in also]
    if also:
        notes.append(
            f"sheets that are tables of usage too, with other columns or hidden, and were not read: {'; '.join(also)}. Read them on their own, or put their rows into one sheet where they belong to the bill"
        )
    return notes + ([f"other sheets, not read: {'; '.join(rest)}"] if rest else [])
