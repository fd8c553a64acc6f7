"""A large CSV whose plain rows are added up first is priced as if each row had been read."""

import random

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


def told(bill):
    lost = bills.unpriced(bill)[["reason", "model", "rows", "tokens, %"]]
    return (
        bill.total,
        bills.by(bill, "model", "day", "feature").sort_values(["model", "day", "feature"]),
        bills.by(bill, "user"),
        lost.sort_values(["reason", "model"]),
    )


def test_it_is_priced_as_row_by_row(file, monkeypatch):
    plain = bills.price(bills.read(file))
    monkeypatch.setattr(large, "FROM", 0)
    usage = bills.read(file)
    assert len(usage.rows) < len(plain.rows) and any("added up" in note for note in usage.notes)
    for one, other in zip(told(plain), told(bills.price(usage))):
        if isinstance(one, pd.DataFrame):
            one, other = (f.reset_index(drop=True).astype(str) for f in (one, other))
            pd.testing.assert_frame_equal(one, other)
        else:
            assert one == other
    said = {note for note in bills.read(file).notes if "line" in note}
    monkeypatch.setattr(large, "FROM", 1 << 60)
    assert said == {note for note in bills.read(file).notes if "line" in note}


def test_a_file_that_is_not_plain_is_read_row_by_row(file, monkeypatch):
    monkeypatch.setattr(large, "FROM", 0)
    monkeypatch.setattr(large, "MOST_ODD", 3)
    assert len(bills.read(file).rows) > 3000
