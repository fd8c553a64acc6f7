"""Files that people and spreadsheets make: read rightly, or refused with the line."""

import pytest

from helpers.costs import bills

HEAD = "date,model,input_tokens,output_tokens\n"


def total(text, **how):
    return str(bills.price(bills.read(text.encode(), **how)).total.normalize())


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "2025-10-27,o1,1000000,0\n",
        HEAD + '10/27/2025,o1,"1,000,000",0\n',
        HEAD + "27/10/2025 14:05,o1,1'000'000,0\n",
        HEAD + "2025/10/27,o1,1.000.000,0\n",
        HEAD + '"October 27, 2025",o1,1 000 000,0\n',
        HEAD.replace(",", ";") + "27.10.2025;o1;500.000;0\n28.10.2025;o1;500.000;0\n",
        HEAD + "2025-10-27,o1,512.500,0\n2025-10-27,o1,487.500,0\n",
        "sep=;\n" + HEAD.replace(",", ";") + "27.10.2025;o1;1.000.000;0\n",
        HEAD + "2025-10-27,o1,1000000,0\nGrand total,,1000000,0\n",
        HEAD + "2025-10-27,o1,1000000.0,0\n",
    ],
)
def test_a_million_tokens_are_a_million_however_they_are_written(text):
    assert total(text) == "15"


def test_which_comes_first_is_asked_for_where_no_date_tells():
    text = HEAD + "3/4/2026,o1,1000000,0\n"
    with pytest.raises(bills.BillError, match="line 2: 3/4/2026 may have the day or the month"):
        bills.read(text.encode())
    months = {bills.read(text.encode(), dates=f"{first} first").rows["when"][0].month for first in ("day", "month")}  # fmt: skip
    assert months == {3, 4}
    with pytest.raises(bills.BillError, match="'day first' or 'month first'"):
        bills.read(text.encode(), dates="european")


@pytest.mark.parametrize(
    "text, words",
    [
        (HEAD + "27/10/2026,o1,1,0\n10/27/2026,o1,1,0\n", "line 2 .*day first.*line 3"),
        (HEAD + "2026-10-27,o1,500.000,0\n", "line 2: 500.000 may be 500 or 500000"),
        (HEAD.replace("\n", ",batch\n") + "2026-10-27,o1,1,0,perhaps\n", "line 2: 'perhaps'"),
    ],
)
def test_what_may_be_two_things_is_refused_with_its_line(text, words):
    with pytest.raises(bills.BillError, match=words):
        bills.read(text.encode())


def test_yes_and_no_are_read_as_spreadsheets_write_them():
    words = ["ja", "WAHR", "VRAI", "nein", "FALSCH", "FAUX", ""]
    lines = "".join(f"2026-01-01,o1,{i},0,{word}\n" for i, word in enumerate(words))
    rows = bills.read((HEAD.replace("\n", ",batch\n") + lines).encode()).rows
    assert rows["batch"].tolist() == [True] * 3 + [False] * 4


def test_a_value_that_is_no_number_is_told_with_its_line():
    usage = bills.read((HEAD + "2025-10-27,o1,10,0\n2025-10-27,o1,many,0\n").encode())
    assert any("line 3: 'many' is no whole number" in note for note in usage.notes)
    assert len(bills.by(bills.price(usage), "model")) == 1


def test_amounts_of_a_costs_export():
    text = 'date,line_item,amount_value\n27.10.2025,o1,"1.234,56"\n28.10.2025,o1,"$0,44"\n'
    assert total(text) == "1235"


def test_usage_after_the_last_check_has_its_prices_and_says_so():
    usage = bills.read((HEAD + "2031-01-01,gpt-5.6-sol,100000,0\n").encode())
    with pytest.warns(UserWarning, match="up to 2031-01-01 has the prices of 20"):
        assert str(bills.price(usage).total.normalize()) == "0.4"
