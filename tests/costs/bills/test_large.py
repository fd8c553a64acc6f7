"""A large CSV whose plain rows are added up first is priced as if each row had been read."""

import csv
import random
import sys

import pandas as pd
import pytest

from helpers.costs import bills
from helpers.costs.bills import large

pytest.importorskip("duckdb")
HEAD = "timestamp,model,project,user_id,num_model_requests,input_tokens,cached_tokens,output_tokens,reasoning_tokens,batch,request_id\n"
ODD = [
    "2026-10-03T10:00:00Z,gpt-5.6-sol,a,u1,1,-5,0,10,0,false,odd1",
    "2026-10-03T10:00:00Z,gpt-5.6-sol,a,u1,1,many,0,10,0,false,odd2",
    "yesterday,gpt-5.6-sol,a,u1,1,100,0,10,0,false,odd3",
    "2026-10-03T10:00:00Z,gpt-5.6-sol,a,u1,1,100,200,10,0,false,odd4",
    "2026-10-03T10:00:00Z,gpt-5.6-sol,a,u1,1,100,0,10,20,false,odd5",
    '27.10.2026,gpt-5.6-sol,a,u1,1,"1,000,000",0,10,0,nein,odd6',
    "2026-10-03T10:00:00+02:00,gpt-5.6-sol,a,u1,1,100,0,10,0,false,odd7",
    "2026-10-03T23:30:00-02:00,gpt-5.6-sol,a,u1,1,100,0,10,0,false,odd8",
    "Total,,,,7,5000000,0,5000000,0,,odd9",
    "2026-10-03,,a,u1,1,100,0,10,0,false,odd10",
    "2026-10-04T00:00:00Z,gpt-5.6-sol,b,u2,1,100,0,10,0,false,twice",
    "2026-10-04T00:00:00Z,gpt-5.6-sol,b,u2,1,100,0,10,0,false,twice",
    "2026-10-04T00:00:00Z,gpt-9-unknown,b,u2,1,100,0,10,0,false,odd11",
    "2026-10-04T00:00:00Z,gpt-5.6-sol,b,u2,1,300000,0,10,0,false,odd12",
    "2026-10-04T00:00:00Z,gpt-5.6-sol,b,u2,2,300000,0,10,0,false,odd13",
    "1791072000,openai/gpt-5.6-sol,b,u2,1,100,0,10,0,false,odd14",
    " 2026-10-05T10:00:00Z , gpt-5.6-sol ,a ,u1 ,1, 100 ,0,10,0, false ,odd16",
    "2026-10-05T10:00:00Z,\tgpt-5.6-sol,\u00a0a,u1\t,1,\t100,0,10,0,false,odd17",
    "2026-10-05T10:00:00Z,gpt-5.6-sol\u00a0,b,\u00a0u2,1,100,0,10,0,false,odd18",
    "2026-10-04 08:00,gpt-5.6-luna,summary bot,u2,1,100,0,10,0,WAHR,odd15",
]


@pytest.fixture
def file(tmp_path):
    dice = random.Random(9)
    models = ["gpt-5.6-sol", "gpt-5.6-luna", "o1-2024-12-17", "openai/gpt-4o-2024-08-06"]
    rows = [
        f"2026-{dice.randrange(9, 12):02}-{dice.randrange(1, 22):02}T{dice.randrange(24):02}:00:00Z,{dice.choice(models)},"
        f"proj_{i % 3},u{i % 5},1,{i},{i // 4},{i % 90},{i % 7 % (i % 90 + 1)},{dice.choice(['true', 'false', ''])},r{i}"
        for i in range(3000)
    ] + ODD
    dice.shuffle(rows)
    path = tmp_path / "usage.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def told(usage):
    bill = bills.price(usage)
    lost = bills.unpriced(bill)[["reason", "model", "rows", "tokens, %"]]
    return {
        "USD": pd.DataFrame({"total": [bill.total], "least": [bill.least]}),
        "by": bills.by(bill, "model", "day", "feature"),
        **{name: bills.by(bill, name) for name in ("user", "key") if name in bill.rows},
        "lost": lost.assign(**{"tokens, %": lost["tokens, %"].round(9)}),
        "notes": pd.DataFrame({"note": [n for n in usage.notes if "DuckDB" not in n]}),
        "what": pd.DataFrame({"is": [usage.what], "empty": [usage.empty]}),
    }


def held_to_each_other(path, monkeypatch):
    """The usage as DuckDB adds it up, after all that is told of it was the same row by row; also
    where no rows are added up, and where as many are as can be.
    """
    monkeypatch.setattr(large, "FROM", 1 << 60)
    plain = told(bills.read(path))
    monkeypatch.setattr(large, "FROM", 0)
    for fewer in (1e9, 0):
        monkeypatch.setattr(large, "FEWER", fewer)
        usage = bills.read(path)
        assert any("DuckDB" in note for note in usage.notes), "DuckDB did not read it"
        quick = told(usage)
        assert list(plain) == list(quick)
        for name in plain:
            one, other = (
                f[name].astype(str).sort_values(list(f[name])).reset_index(drop=True)
                for f in (plain, quick)
            )
            pd.testing.assert_frame_equal(one, other, obj=name)
    return usage


def test_it_is_priced_as_row_by_row(file, monkeypatch):
    assert len(held_to_each_other(file, monkeypatch).rows) < 3000


@pytest.mark.parametrize("users, added_up", [(1, True), (300, False)])
def test_rows_are_added_up_where_the_sums_are_fewer(users, added_up, tmp_path, monkeypatch):
    path = tmp_path / "usage.csv"
    rows = [f"2026-10-01,gpt-5.6-sol,u{i % users},{i},7" for i in range(1, 301)]
    path.write_text("date,model,user_id,input_tokens,output_tokens\n" + "\n".join(rows) + "\n", encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(large, "FROM", 0)
    usage = bills.read(path)
    assert (len(usage.rows) == 1, "added up to 1 " in str(usage)) == (added_up, added_up)
    if not added_up:
        assert list(usage.rows["line"]) == list(range(2, 302))
        assert list(usage.rows["text_input"]) == list(range(1, 301))


NAMES = ["gpt-5.6-sol", "gpt-5.6-luna", "o3", "openai/gpt-4o-2024-08-06", "gpt-9-unknown"]
TABLES = {  # what people have: {name of the column: the cells that may stand in it}
    "daily sums": {
        "date": ["2026-10-01", "2026-10-02", "2026-11-20"],
        "model": NAMES,
        "project": ["a", "b", " b", ""],
        "api_key_id": ["k1", "k2"],
        "num_model_requests": ["1", "2", "400"],
        "input_tokens": ["100", "90000000", "2000000", "999999999", "3000000000"],
        "cached_tokens": ["0", "100", "900000000"],
        "input_cache_write_tokens": ["0", "50"],
        "output_tokens": ["0", "10", "77"],
    },
    "a log with ids": {
        "timestamp": ["2026-10-01T10:00:00.5Z", "2026-10-02 23:59", "1791072000", "1791072000123", "2026-10-02T01:00:00+00:00"],
        "model": NAMES,
        "user_id": ["u1", "u2", "\u00a0u3"],
        "input_tokens": ["100", "2000", "300000", "1200.0"],
        "cached_tokens": ["0", "100", ""],
        "output_tokens": ["5", "10"],
        "request_id": ["", *(f"r{i}" for i in range(300))],
    },
    "calls without ids": {
        "created": ["2026-10-01T10:00:00Z", "2026-11-23T10:00:00Z"],
        "model": NAMES[:2],
        "input_tokens": ["100", "1023", "1024", "300000"],
        "output_tokens": ["5"],
    },
    "all in quotation marks": {
        "created": ["2026-10-01T10:00:00Z", "2026-10-02T10:00:00Z"],
        "model": NAMES[:3],
        "project": ['team 1, "research"', "it's ours", "line\nbreak"],
        "batch": ["true", "no", "WAHR ", ""],
        "service_tier": ["default", "flex", ""],
        "prompt_tokens": ["100", "200", "-3", "1.5"],
        "completion_tokens": ["5", "1,234"],
        "reasoning_tokens": ["0", "5", "7"],
    },
    "sound": {
        "date": ["2026-11-23", "2026-11-24"],
        "model": ["gpt-realtime", "gpt-5.6-sol"],
        "num_model_requests": ["1", "3"],
        "input_tokens": ["100", "200"],
        "input_audio_tokens": ["0", "50", "150"],
        "output_tokens": ["90"],
        "output_audio_tokens": ["0", "80"],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", TABLES)
def test_the_tables_that_people_have_are_priced_as_row_by_row(kind, tmp_path, monkeypatch):
    dice, table = random.Random(kind), TABLES[kind]
    path = tmp_path / "usage.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        comma = ";" if kind == "sound" else ","
        quoting = csv.QUOTE_ALL if "marks" in kind else csv.QUOTE_MINIMAL
        out = csv.writer(file, delimiter=comma, quoting=quoting)
        out.writerow(table)
        for _ in range(400):
            out.writerow([dice.choice(cells) for cells in table.values()])
        if "num_model_requests" in table:
            out.writerow(["Total", *["7"] * (len(table) - 1)])
    held_to_each_other(path, monkeypatch)


def test_lines_that_duckdb_passes_over_keep_their_numbers(tmp_path, monkeypatch):
    path = tmp_path / "usage.csv"
    lines = ["created,model,input_tokens,output_tokens", "2026-10-01,gpt-5.6-sol,100,10", "", "2026-10-02,gpt-5.6-sol,many,10"]  # fmt: skip
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    monkeypatch.setattr(large, "FROM", 0)
    assert "line 4: 'many' is no whole number" in str(bills.read(path))
    path.write_text("\n".join(lines[:2] + lines[3:]) + "\n\n", encoding="utf-8")
    assert "line 3: 'many' is no whole number" in str(held_to_each_other(path, monkeypatch))


def test_without_duckdb_a_large_file_is_read_and_the_way_to_be_quicker_is_named(file, monkeypatch):
    monkeypatch.setattr(large, "FROM", 0)
    monkeypatch.setitem(sys.modules, "duckdb", None)
    usage = bills.read(file)
    assert len(usage.rows) > 3000 and "start.py lab --warehouse" in usage.notes[-1]


def test_a_file_that_is_not_plain_is_read_row_by_row(file, monkeypatch):
    monkeypatch.setattr(large, "FROM", 0)
    monkeypatch.setattr(large, "MOST_ODD", 3)
    assert len(bills.read(file).rows) > 3000
