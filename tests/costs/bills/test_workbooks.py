"""Excel workbooks: read as the CSV of the same table is, or refused with the way out."""

import datetime
import io
import zipfile

import openpyxl
import pytest

from helpers.costs import bills
from helpers.costs.bills import large, workbooks
from tests.costs.bills.samples import MODEL, SAMPLES

HEAD = ["date", "model", "input_tokens", "output_tokens"]
DAY = datetime.date(2025, 10, 27)
ROW = [DAY, "o1", 1_000_000, 0]  # 15 USD


def workbook(*sheets):
    """The bytes of a workbook of (name, rows, whether it is hidden)."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows, hidden in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if hidden else "visible"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def of(*rows):
    return workbook(("Usage", rows, False))


def altered(data, change, name="xl/worksheets/sheet1.xml"):
    """A workbook with one of its parts changed, by a function of text."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            text = old.read(part)
            new.writestr(part, change(text.decode()) if part == name else text)
    return out.getvalue()


def total(data):
    bill = bills.price(bills.read(data))
    assert not bill.reason.any(), "every row is priced, or left aside"
    return str(bill.total.normalize())


@pytest.mark.parametrize(
    "rows",
    [
        [HEAD, ROW],
        [HEAD, [datetime.datetime(2025, 10, 27, 14, 5), "o1", 1e6, 0.0]],
        [["Usage of October"], [], ["made by", "Ada"], HEAD, ROW],
        [[None, *HEAD], [None, *ROW]],
        [HEAD, ["27.10.2025", "o1", "1.000.000", "0"]],
        [HEAD, ["27.10.2025", "o1", "500.000", 0], [DAY, "o1", 500_000, "0"]],
        [HEAD, ROW, [], ["Summe", None, 1_000_000, 0]],
        [["project", *HEAD], ["a", *ROW], ["Total", None, None, 1_000_000, 0]],
        [["colour", *HEAD], ["a", *ROW], ["Summe", None, None, 1_000_000, 0]],
        [[*HEAD, "batch"], [*ROW, False]],
        [HEAD, [*ROW, "a remark beside the table"]],
    ],
)
def test_a_million_tokens_are_a_million_however_the_cells_hold_them(rows):
    assert total(of(*rows)) == "15"


def test_a_sheet_is_read_as_its_csv_is():
    rows = [[*HEAD, "stated_usd"], [DAY, "o1", 10, 0, 0.1], [DAY, "acme", 7, 1, 0.2]]
    rows += [[datetime.datetime(2025, 10, 28, 23, 59, 59), "o1", 12.5, 0, 3]]
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    sheet, csv = bills.read(of(*rows)), bills.read(text.encode())
    assert sheet.rows.equals(csv.rows) and sheet.notes == csv.notes
    assert sheet.what == "an Excel sheet (Usage) of usage"


def test_sums_that_are_numbers_keep_their_point_beside_sums_that_are_typed():
    rows = [["date", "line_item", "amount_value"], [DAY, "a", 0.1 + 0.2], [DAY, "b", "1.234,56"]]
    assert total(of(*rows)) == "1234.86"


def test_a_line_is_told_by_its_row_in_the_sheet():
    usage = bills.read(of(["A title"], [], HEAD, ROW, [DAY, "o1", "many", 0]))
    assert any("line 5: 'many' is no whole number" in note for note in usage.notes)
    assert "rows above the header left aside: 1" in usage.notes


def test_sheets_that_were_not_read_are_told_and_hidden_ones_come_last():
    old = [HEAD, [DAY, "o1", 2_000_000, 0]]
    usage = bills.read(
        workbook(
            ("Old", old, True),
            ("Notes", [["hello"]], False),
            ("Oct", [HEAD, ROW], False),
            ("Nov", [[*HEAD, "user"], [*ROW, "ada"]], False),
        )
    )
    assert usage.what == "an Excel sheet (Oct) of usage" and len(usage.rows) == 1
    also, other = usage.notes[:2]
    assert "with other columns or hidden, and were not read: Nov; Old, hidden." in also
    assert other == "other sheets, not read: Notes"
    usage = bills.read(workbook(("Notes", [["hello"]], False), ("Old", old, True)))
    assert usage.what == "an Excel sheet (Old, hidden) of usage"


def month(n, tokens):
    return [HEAD, [datetime.date(2025, n, 27), "o1", tokens, 0], [None, None, None, None]]


def test_sheets_of_the_same_columns_are_one_bill():
    titled = [["Usage"], [h.title() for h in HEAD], *month(11, 2_000_000)[1:]]
    usage = bills.read(workbook(("Oct", month(10, 1_000_000), False), ("Nov", titled, False)))
    assert usage.what == "Excel sheets (Oct, Nov) of usage"
    assert str(bills.price(usage).total.normalize()) == "45"
    assert usage.notes[0] == "sheets of the same columns read as one bill, their rows numbered on: Oct from row 2; Nov from row 5"  # fmt: skip
    assert usage.rows["line"].tolist() == [2, 5]
    assert "rows above the header left aside: 1" in usage.notes


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_sheet_of_the_whole_year_beside_its_months_does_not_count_twice(order):
    year = [HEAD, month(10, 1_000_000)[1], month(11, 2_000_000)[1]]
    sheets = [
        ("Oct", month(10, 1_000_000), False),
        ("Nov", month(11, 2_000_000), False),
        ("2025", year, False),
    ]
    usage = bills.read(workbook(*(sheets[i] for i in order)))
    assert str(bills.price(usage).total.normalize()) == "45"
    assert any(note.startswith("sheets that repeat rows of the others") for note in usage.notes)


def test_a_formula_in_a_later_sheet_has_its_saved_value():
    data = workbook(
        ("Oct", month(10, 1_000_000), False),
        ("Nov", [HEAD, [DAY, "o1", "=2*1000000", 0]], False),
    )
    saved = altered(data, lambda t: t.replace("<v />", "<v>2000000</v>"), "xl/worksheets/sheet2.xml")  # fmt: skip
    assert total(saved) == "45"


def test_a_tracers_export_kept_as_a_sheet_is_read_as_that_export():
    run = dict(SAMPLES["langsmith"][0], extra='{"metadata": {"ls_model_name": "%s"}}' % MODEL)
    usage = bills.read(of(list(run), list(run.values())))
    assert usage.what == "LangSmith's runs, as an Excel sheet (Usage)"
    assert usage.rows["text_input"].tolist() == [2_000_000]


def test_a_formula_has_the_value_that_was_saved():
    data = of(HEAD, [DAY, "o1", "=5*200000", "=0"], [DAY, '=""', "=1", "=1"])
    values = iter(["1000000", "0", "", "1", "1"])

    def saved(text):
        while "<v />" in text:
            text = text.replace("<v />", f"<v>{next(values)}</v>", 1)
        return text.replace('<c r="B3"', '<c t="str" r="B3"')

    usage = bills.read(altered(data, saved))
    bill = bills.price(usage)
    assert str(bill.total.normalize()) == "15"
    assert bills.unpriced(bill)["reason"].tolist() == ["no model is named"]


def test_a_formula_without_a_value_is_refused_by_sheet_and_cell():
    with pytest.raises(bills.BillError, match="the sheet Usage has a formula in C3 whose value"):
        bills.read(of(HEAD, ROW, [DAY, "o1", "=SUM(C2:C2)", 0]))


def test_days_of_a_mac_count_from_1904():
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in (HEAD, ROW):
        book.active.append(row)
    book.save(out := io.BytesIO())
    assert total(out.getvalue()) == "15"


def packed(names):
    with zipfile.ZipFile(out := io.BytesIO(), "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


OLD = b"\xd0\xcf\x11\xe0" + bytes(600)
GOOD = of(HEAD, ROW)


@pytest.mark.parametrize(
    "data, words",
    [
        (OLD + "EncryptedPackage".encode("utf-16-le"), "protected by a password.*save it again"),
        (OLD + "Workbook".encode("utf-16-le"), r"\(\.xls\).*save it as \.xlsx"),
        (GOOD[: len(GOOD) // 2], "cut off or damaged.*download it again"),
        (altered(GOOD, lambda text: text[:300]), "damaged.*save the sheet as CSV UTF-8"),
        (packed(["mimetype", "content.xml"]), r"LibreOffice or OpenOffice \(\.ods\).*\.xlsx"),
        (packed(["[Content_Types].xml", "xl/workbook.bin"]), r"\.xlsb"),
        (packed(["Index/Document.iwa"]), "Apple Numbers"),
        (packed(["october.csv", "november.csv"]), "october.csv, november.csv: unpack it"),
        (packed(["[Content_Types].xml", "word/document.xml"]), "of a kind that is not read"),
        (of(), "no cell with anything in it"),
        (of(["a", "b"], [1, 2]), r"an Excel sheet \(Usage\), and has no column for when.*a, b"),
    ],
)
def test_what_is_not_read_is_told_with_the_way_out(data, words):
    with pytest.raises(bills.BillError, match=words):
        bills.read(data)


def test_what_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch):
    large = altered(GOOD, lambda text: text + " " * 10_000)
    monkeypatch.setattr(workbooks, "UNPACKED", 100_000)
    assert total(GOOD) == "15"
    monkeypatch.setattr(workbooks, "UNPACKED", 9_999)
    with pytest.raises(bills.BillError, match="unpacks to .* save the sheet as CSV UTF-8"):
        bills.read(large)


def test_a_row_that_cannot_be_ends_the_sheet(monkeypatch):
    """The rows between are not in the file, and must not be made one by one."""
    monkeypatch.setattr(workbooks, "ROWS", 1_000)  # Excel's own limit takes two seconds
    far = '<row r="9000000000"><c r="A9000000000"><v>1</v></c></row></sheetData>'
    assert total(altered(GOOD, lambda text: text.replace("</sheetData>", far))) == "15"


def test_lines_above_the_header_of_a_csv_are_left_aside():
    text = "Usage, October, of Ada, and Bob\n\ndate;model;input_tokens;output_tokens\n2025-10-27;o1;1000000;0\n2025-10-27;o1;many;0\n"
    usage = bills.read(text.encode())
    assert "lines above the header left aside: 2" in usage.notes
    assert any("line 5: 'many'" in note for note in usage.notes)
    assert str(bills.price(usage).total.normalize()) == "15"


@pytest.mark.parametrize(
    "data", [GOOD, b"A title\n" + ",".join(HEAD).encode() + b"\n2025-10-27,o1,1000000,0\n"]
)
def test_a_large_one_is_not_taken_for_a_plain_csv(tmp_path, monkeypatch, data):
    (tmp_path / "mine").write_bytes(data)
    monkeypatch.setattr(large, "FROM", 0)
    assert total(tmp_path / "mine") == "15"
