"""Usage exports: each format read right, each row priced exactly, nothing lost, whatever is
broken.
"""

import collections
import csv
import datetime
import doctest
import io
import json
import random
import subprocess
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from helpers.costs import bills
from helpers.costs.bills import pricing, sources
from helpers.costs.bills.formats import openai_api
from helpers.facts import DATA, prices, tables
from tests.tools import make_usage

FOLDER = make_usage.FOLDER
TODAY = "2026-11-22"


@pytest.fixture(scope="module")
def bill():
    return bills.price(bills.read(FOLDER / "synthetic_usage.json"))


def why(bill):
    return {
        pricing.NAMES[c]: int(n)
        for c, n in zip(*np.unique(bill.reason[bill.reason != 0], return_counts=True))
    }


def frame(**columns):
    rows = pd.DataFrame(
        {
            "when": pd.to_datetime(["2026-09-01"]),
            "model": ["gpt-4o"],
            "text_input": [0],
            "text_output": [0],
        }
        | {k: [v] for k, v in columns.items()}
    )
    return rows.assign(when=pd.to_datetime(rows["when"]))


def test_examples_in_docstrings():
    assert doctest.testmod(pricing).failed == 0


# The synthetic export


def test_the_files_are_what_the_script_makes():
    assert {p.name for p in FOLDER.iterdir()} == set(make_usage.FILES)
    for name, write in make_usage.FILES.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == write(), (
            "run `python -m tests.tools.make_usage`"
        )


def test_the_synthetic_export_has_the_shape_of_the_api():
    from openai.types.admin.organization import usage_completions_response, usage_costs_response

    for name, kind in (
        ("synthetic_usage.json", usage_completions_response.UsageCompletionsResponse),
        ("synthetic_costs.json", usage_costs_response.UsageCostsResponse),
    ):
        pages = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        for page in pages if isinstance(pages, list) else [pages]:
            kind.model_validate(page)
    fields = {f"{name}_tokens" for name in openai_api.USAGE_API.values()} | {
        "num_model_requests",
        "service_tier",
        "batch",
        "model",
        "project_id",
        "user_id",
        "api_key_id",
    }
    assert fields <= set(
        usage_completions_response.DataResultOrganizationUsageCompletionsResult.model_fields
    )


def by_hand(rows):
    """The truth priced a row at a time, by the code that prices receipts."""
    total = Decimal(0)
    for r in rows:
        cached_text = r["cached"] - r["audio_cached"]
        usage = {
            "input_tokens": r["input"],
            "output_tokens": r["output"],
            "input_token_details": {
                "audio_tokens": r["audio_input"] + r["audio_cached"],
                "cached_tokens": r["cached"],
                "cached_tokens_details": {
                    "text_tokens": cached_text,
                    "audio_tokens": r["audio_cached"],
                },
            },
            "output_token_details": {"audio_tokens": r["audio_output"]},
        }
        total += prices.cost(r["model"], usage, r["day"])
    return total


def test_the_usage_api_gives_the_truth_to_the_last_nano_dollar(bill):
    assert bill.total == by_hand(make_usage.truth())
    assert sum(bill.nano.tolist()) == bill.total_nano == int(bill.cube["nano"].sum())
    assert why(bill) == {
        "the parts exceed their total": 1,
        "this model is not in the price table": 8,
        "after the model's shutdown": 1,
        "batch or another service tier": 12,
        "the same as an earlier row": 6,
    }


def test_the_dashboard_csv_gives_the_truth_of_its_weeks():
    usage = bills.read(FOLDER / "synthetic_dashboard.csv")
    found = bills.price(usage)
    assert found.total == by_hand(
        r for r in make_usage.truth() if r["day"] >= datetime.date(2026, 9, 28)
    )
    assert why(found) == {
        "a count is negative": 1,
        "a count is missing or not a whole number": 1,
        "a line is cut off or unreadable": 1,
    }
    assert usage.empty == 1 and any("columns not used: end_time" in n for n in usage.notes)


@pytest.mark.parametrize(
    "name, kwargs",
    [
        ("synthetic_litellm.jsonl", {}),
        (
            "synthetic_otel.jsonl",
            {"since": datetime.date(2026, 11, 20), "of_a_thousand": 6, "seed": 12},
        ),
    ],
)
def test_logs_of_single_calls_give_the_truth_of_their_calls(name, kwargs):
    found = bills.price(bills.read(FOLDER / name))
    left_out = {i for i in range(10_000) if i % 97 == 50} if "litellm" in name else set()
    calls = [c for i, (_, c) in enumerate(make_usage.requests(**kwargs)) if i not in left_out]
    assert found.total == by_hand(calls)
    assert int(found.cube["reasoning"].sum()) == sum(c["reasoning"] for c in calls)
    assert why(found) == (
        {
            "this model is not in the price table": 4,
            "the same as an earlier row": 1,
            "a line is cut off or unreadable": 1,
        }
        if left_out
        else {"its parts are counted elsewhere": 2}
    )


CALL = "2026-10-01T10:00:00Z,gpt-5.6-sol,1000,100"
CALLS = "created,model,input_tokens,output_tokens\n" + f"{CALL}\n" * 3
SPEND = {"startTime": "2026-10-01T10:00:00Z", "model": "gpt-5.6-sol", "spend": 0.0, "metadata": "{}", "prompt_tokens": 1000, "completion_tokens": 100}  # fmt: skip
OF_A_DAY = "date,model,num_model_requests,input_tokens,output_tokens\n" + "2026-10-01,gpt-5.6-sol,{},1000,100\n" * 3  # fmt: skip


@pytest.mark.parametrize(
    "text, counted, said",
    [
        (CALLS, 3, "no id count as calls of their own; if they are copies, leave them out: 2, the first in line 3"),
        ("\n".join([json.dumps(SPEND)] * 3), 3, "no id count as calls of their own; if they are copies, leave them out: 2, the first in line 2"),
        (CALLS.replace("created,", "request_id,created,").replace("2026", "r1,2026"), 1, "by their id or as sums that are equal, count once: 2, the first in line 3"),
        (CALLS.replace("created,", "request_id,created,").replace("2026", ",2026"), 3, "no id count as calls of their own"),
        (OF_A_DAY.format(1, 1, 1), 3, "no id count as calls of their own"),
        (OF_A_DAY.format(7, 7, 1), 2, "by their id or as sums that are equal, count once: 1, the first in line 3"),
        (OF_A_DAY.format(7, 1, 1), 2, "by their id or as sums that are equal, count once: 1, the first in line 4"),
    ],
)  # fmt: skip
def test_rows_that_are_equal_count_once_where_they_must_be_copies_and_a_note_says_it(text, counted, said):  # fmt: skip
    usage = bills.read(text.encode())
    assert int((bills.price(usage).reason == 0).sum()) == counted
    assert said in str(usage)


def test_other_endpoints_of_the_usage_api_are_not_sold_by_text():
    result = {
        "object": "organization.usage.embeddings.result",
        "model": "text-embedding-3-small",
        "input_tokens": 1000,
        "num_model_requests": 1,
    }
    page = {
        "object": "page",
        "data": [
            {
                "start_time": 1787270400,
                "results": [result, {"model": "gpt-4o", "input_tokens": 1000, "output_tokens": 0}],
            }
        ],
    }
    found = bills.price(bills.read(json.dumps(page).encode()))
    assert why(found) == {"not sold by this kind of token": 1} and found.total == Decimal("0.0025")


def test_a_csv_without_a_last_line_break_may_be_cut():
    text = "when,model,input_tokens,output_tokens\n2026-09-01,gpt-4o,1000,1000"
    told = [
        any("may be too small" in n for n in bills.read(t.encode()).notes)
        for t in (text[:-3], text + "\n", text + "\r\n")
    ]
    assert told == [True, False, False]


def test_costs_are_added_up_as_they_stand():
    found = bills.price(bills.read(FOLDER / "synthetic_costs.json"))
    page = json.loads(
        (FOLDER / "synthetic_costs.json").read_text(encoding="utf-8"), parse_float=Decimal
    )
    assert found.total == sum(
        r["amount"]["value"]
        for b in page["data"]
        for r in b["results"]
        if r["amount"]["currency"] == "usd"
    )
    assert why(found) == {"another currency": 1}


# Formats


def test_a_receipt_is_read():
    from helpers.receipts import Receipt

    rows = [
        {
            "model": "o1",
            "calls": 2,
            "input": 1000,
            "cached": 200,
            "output": 500,
            "hidden": 300,
            "usd": Decimal("0.0435"),
            "on": "2024-12-17",
        },
        {
            "model": "gpt-4o-2024-08-06, training",
            "calls": 1,
            "input": 9000,
            "cached": 0,
            "output": 0,
            "hidden": 0,
            "usd": Decimal("0.2"),
            "on": "2024-12-17",
        },
    ]
    for source in (Receipt(rows, 0, "2024-12-17"), json.dumps(rows, default=str).encode()):
        found = bills.price(bills.read(source))
        assert found.total == rows[0]["usd"] and int(found.cube["requests"].sum()) == 2
        assert why(found) == {"not sold by this kind of token": 1}


def test_otlp_json_is_read():
    attributes = [
        {"key": "gen_ai.response.model", "value": {"stringValue": "o1"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000"}},
        {"key": "gen_ai.usage.output_tokens", "value": {"intValue": "500"}},
        {"key": "gen_ai.usage.cache_read.input_tokens", "value": {"intValue": "200"}},
    ]
    span = {
        "traceId": "t",
        "spanId": "s",
        "startTimeUnixNano": "1734393600000000000",
        "attributes": attributes,
    }
    message = {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]
                },
                "scopeSpans": [{"spans": [span, {"name": "GET"}]}],
            }
        ]
    }
    usage = bills.read(json.dumps(message).encode())
    found = bills.price(usage)
    assert (
        found.total == Decimal("0.0435")
        and found.cube["feature"].tolist() == ["shop"]
        and usage.empty == 1
    )
    log = {
        "resourceLogs": [
            {
                "scopeLogs": [
                    {
                        "logRecords": [
                            {"timeUnixNano": "1734393600000000000", "attributes": attributes}
                        ]
                    }
                ]
            }
        ]
    }
    assert bills.price(bills.read(json.dumps(log).encode())).total == Decimal("0.0435")


def test_litellm_as_csv_is_read():
    out = io.StringIO()
    writer = csv.DictWriter(
        out,
        [
            "request_id",
            "startTime",
            "model",
            "prompt_tokens",
            "completion_tokens",
            "spend",
            "request_tags",
            "api_key",
        ],
    )
    writer.writeheader()
    writer.writerow(
        {
            "request_id": "a",
            "startTime": "2026-09-01 10:00:00",
            "model": "openai/gpt-4o",
            "prompt_tokens": 1000,
            "completion_tokens": 100,
            "spend": 0.0035,
            "request_tags": '["chat"]',
            "api_key": "k",
        }
    )
    found = bills.price(bills.read(out.getvalue().encode("utf-16")))
    assert found.total == Decimal("0.0035") and found.cube["feature"].tolist() == ["chat"]


def test_the_model_that_answered_is_the_one_billed():
    line = {
        "start_time": "2026-09-01T00:00:00Z",
        "attributes": {
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-05-13",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 0,
        },
    }
    assert bills.price(bills.read(json.dumps(line).encode())).total == Decimal("0.005")


@pytest.mark.parametrize("column", ["start_time", "model", "input_tokens", "output_tokens"])
def test_a_missing_column_is_named(column):
    rows = [line.split(",") for line in make_usage.dashboard().splitlines()[:3]]
    gone = [c for c in range(len(rows[0])) if rows[0][c] in (column, f"{column}_iso")]
    text = "\n".join(",".join(v for i, v in enumerate(r) if i not in gone) for r in rows)
    field = {"start_time": "when", "input_tokens": "input", "output_tokens": "output"}.get(
        column, column
    )
    with pytest.raises(bills.BillError, match=f"no column for {field}. It has .*{column}"):
        bills.read(text.encode())


@pytest.mark.parametrize(
    "text, words",
    [
        (b"", "empty"),
        (b"PK\x03\x04\xff\xfe\x00", "save the sheet as CSV"),
        (b'{"data": [{"start', "ends in the middle"),
        (b'{"hello": 1}', "an object with hello"),
        (b"[1, 2]", "a list without objects"),
        (b"Dear sir or madam", "no column for"),
        (b'when,model,input_tokens,output_tokens\n"2026', None),
    ],
)
def test_what_is_no_export_is_told_so(text, words):
    if words is None:
        assert why(bills.price(bills.read(text))) == {"a line is cut off or unreadable": 1}
        return
    with pytest.raises(bills.BillError, match=words):
        bills.read(text)


def test_a_file_that_is_not_there_is_told_so():
    with pytest.raises(bills.BillError, match="nowhere.json is not there"):
        bills.read("nowhere.json")


def test_every_alias_has_a_field_and_a_source():
    with open(DATA / "usage_columns.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert {r["field"] for r in rows} <= set(sources.FIELDS) and all(
        r["source"] and r["checked_on"] for r in rows
    )
    assert len({r["column"].lower() for r in rows}) == len(rows)


def test_every_surcharge_is_of_a_priced_model():
    with open(DATA / "surcharges.csv", encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert rows and all(
        r["source"] and r["checked_on"] and int(r["above_input_tokens"]) > 0 for r in rows
    )
    assert {r["model"] for r in rows} <= {r["model"] for r in prices.price_rows()}


# Time


def one(when, zone="UTC"):
    text = f"when,model,input_tokens,output_tokens\n{when},gpt-5.6-sol,1000,0\n"
    return bills.price(bills.read(text.encode(), zone))


@pytest.mark.parametrize(
    "when, zone, usd",
    [
        ("2026-08-20T23:59:59Z", "UTC", "0.005"),
        ("2026-08-21T00:00:00Z", "UTC", "0.004"),  # the price fell that day
        ("2026-08-21T01:59:59+02:00", "UTC", "0.005"),
        ("2026-08-20T19:00:00-05:00", "UTC", "0.004"),  # an offset moves the day
        ("2026-08-21 01:59:59", "Europe/Berlin", "0.005"),
        ("2026-08-21 01:59:59", "UTC", "0.004"),
        ("2026-08-21", "UTC", "0.004"),
        ("1787270399", "UTC", "0.005"),
        ("1787270400", "UTC", "0.004"),
        ("1787270400000", "UTC", "0.004"),
        ("1787270399999999999", "UTC", "0.005"),
    ],
)
def test_the_day_is_the_utc_day(when, zone, usd):
    assert one(when, zone).total == Decimal(usd)


@pytest.mark.parametrize(
    "when", ["32/13/2026", "yesterday", "", "2026-13-01", "12", "99999999999999999999999"]
)
def test_a_time_that_cannot_be_read_is_listed(when):
    found = one(when)
    assert (
        why(found) in ({"no readable time": 1}, {"no price is known for that day": 1})
        and not found.total
    )


def test_an_hour_that_the_clock_shows_twice_is_listed():
    assert why(one("2026-10-25 02:30:00", "Europe/Berlin")) == {"no readable time": 1}
    with pytest.raises(bills.BillError, match="no time zone"):
        one("2026-08-21 02:30:00", "Berlin")


# Prices


@pytest.mark.parametrize(
    "columns, reason",
    [
        ({"text_input": -1}, "a count is negative"),
        ({"text_input": 2 * 10**12}, "a count is absurdly large"),
        ({"text_input": 2 * 10**7}, "a count is absurdly large"),
        ({"requests": -1}, "a count is negative"),
        ({"reasoning": 5, "text_output": 4}, "the parts exceed their total"),
        ({"model": "acme"}, "this model is not in the price table"),
        ({"model": None}, "no model is named"),
        ({"when": None}, "no readable time"),
        ({"model": "o1", "when": "2024-12-16"}, "before the first known price"),
        ({"model": "o1", "when": "2026-10-23"}, "after the model's shutdown"),
        ({"model": "gpt-4o-2024-05-13", "text_cached_input": 1}, "a kind of token has no price"),
        ({"audio_input": 1}, "a kind of token has no price"),
        ({"batch": True}, "batch or another service tier"),
        ({"tier": "flex"}, "batch or another service tier"),
        ({"model": "gpt-5.6-sol", "text_input": 272_001}, "above the context at which prices rise"),
    ],
)
def test_why_a_row_has_no_price(columns, reason):
    found = bills.price(frame(**columns))
    assert why(found) == {reason: 1} and found.total == 0
    lost = bills.unpriced(found)
    assert (
        lost["rows"].tolist() == [1]
        and lost["reason"].tolist() == [reason]
        and lost["what helps"][0]
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"tier": "default"},
        {"batch": False},
        {"model": "gpt-5.6-sol", "text_input": 272_000},
        {"text_input": 2 * 10**7, "requests": 2},
        {"when": "2024-12-17", "model": "o1"},
        {"when": "2026-10-22T23:59:59.999999", "model": "o1"},
    ],
)
def test_what_is_just_within_has_a_price(columns):
    assert why(bills.price(frame(**columns))) == {}


def test_rows_are_priced_as_receipts_are():
    dice = random.Random(4)
    models = sorted({r["model"] for r in prices.price_rows() if r["modality"] == "text"}) + [
        "o1",
        "gpt-4o",
        "ft:gpt-4o-2024-08-06:me::x",
    ]
    rows = []
    for _ in range(800):
        rows.append(
            {
                "when": datetime.datetime(2024, 10, 1)
                + datetime.timedelta(hours=dice.randrange(20_000)),
                "model": dice.choice(models),
                **{
                    k: dice.choice((0, dice.randrange(5000)))
                    for k in (
                        "text_input",
                        "text_cached_input",
                        "text_output",
                        "audio_input",
                        "audio_cached_input",
                        "audio_output",
                        "image_input",
                    )
                },
            }
        )
    found = bills.price(pd.DataFrame(rows))
    priced = 0
    for row, nano, reason in zip(rows, found.nano.tolist(), found.reason):
        kinds = {what: row[k] for k, what in pricing.KINDS.items() if row.get(k)}
        try:
            right = (
                sum(
                    (
                        n * prices.usd_per_million(row["model"], *kind, row["when"].date())
                        for kind, n in kinds.items()
                    ),
                    Decimal(0),
                )
                * 1000
            )
            prices.sold_on(row["model"])
            sold = any(
                prices.prices_of(row["model"], *kind) and _sold(row, kind)
                for kind in pricing.KINDS.values()
            )
        except LookupError:
            sold = False
        assert (reason == 0) == sold, row
        if sold:
            assert nano == right, row
            priced += 1
    assert priced > 30


def _sold(row, kind):
    try:
        return prices.usd_per_million(row["model"], *kind, row["when"].date()) is not None
    except LookupError:
        return False


def test_every_price_is_a_whole_number_of_nano_dollars():
    for row in prices.price_rows():
        pricing._nano(row)
    with pytest.raises(ValueError, match="no whole number"):
        pricing._nano({"usd_per_million": Decimal("0.0001"), "model": "cheap"})


def test_a_twin_lends_its_price(bill):
    usage = bills.read(FOLDER / "synthetic_usage.json")
    with_twin = bills.price(usage, same_as={"gpt-5.2-chat-latest": "gpt-5.2"})
    assert why(with_twin)["this model is not in the price table"] == 4
    assert with_twin.total - bill.total == 4 * (
        Decimal("9.4") * Decimal("1.75") + Decimal("1.3") * 14
    )


def test_a_first_known_price_holds_for_earlier_days_where_the_reader_says_so(tmp_path):
    rows = frame(model="gpt-5.4", text_input=1000, when="2026-09-01")
    assert (
        why(bills.price(rows))
        == why(bills.price(rows, back_to="2026-09-02"))
        == {"before the first known price": 1}
    )
    assert bills.price(rows, back_to="2026-09-01").total == Decimal("0.0025")
    assert why(bills.price(frame(model="o1", when="2026-10-23"), back_to="2020-01-01")) == {
        "after the model's shutdown": 1
    }
    # a price that is known stays what it is
    cut = frame(model="gpt-5.6-sol", text_input=1000, when="2026-08-20")
    assert (
        bills.price(cut, back_to="1900-01-01").total == bills.price(cut).total == Decimal("0.005")
    )
    to_parquet(rows, tmp_path / "x.parquet")
    assert bills.price_parquet(tmp_path / "x.parquet", back_to="2026-09-01").total == Decimal(
        "0.0025"
    )


def test_a_snapshot_has_the_price_of_its_model():
    """An export names snapshots; each that the SDK dates and that is the only one of its name is in
    data/models.csv.
    """
    for snapshot, model in (
        ("o3-2025-04-16", "o3"),
        ("gpt-5-mini-2025-08-07", "gpt-5-mini"),
        ("gpt-5.5-2026-04-23", "gpt-5.5"),
    ):
        named, known = (
            bills.price(frame(model=m, text_input=1000, text_output=500, when="2026-07-01"))
            for m in (snapshot, model)
        )
        assert named.total == known.total > 0
    assert why(bills.price(frame(model="gpt-5.5-2026-04-23", text_input=272_001))) == {
        "above the context at which prices rise": 1
    }


def test_pieces_do_not_matter(bill, monkeypatch):
    monkeypatch.setattr(pricing, "PIECE", 7)
    again = bills.price(bills.read(FOLDER / "synthetic_usage.json"))
    assert (
        again.total == bill.total
        and (again.reason == bill.reason).all()
        and (again.nano == bill.nano).all()
    )
    pd.testing.assert_frame_equal(again.cube, bill.cube)


@pytest.mark.parametrize("features", [1, 127, 128, 129, 40_000])
def test_groups_are_those_of_pandas(features):
    dice, n = np.random.default_rng(features), 3000
    rows = pd.DataFrame(
        {
            "when": pd.to_datetime("2026-09-01")
            + pd.to_timedelta(dice.integers(0, 40 * 86_400, n), unit="s"),
            "model": dice.choice(["gpt-4o", "o3", "gpt-5.6-sol"], n),
            "feature": [None if f % 11 == 0 else f"f{f}" for f in dice.integers(0, features, n)],
            "text_input": dice.integers(0, 9000, n),
            "text_output": dice.integers(0, 900, n),
        }
    )
    rows["feature"] = pd.Categorical(rows["feature"], [f"f{i}" for i in range(features)])
    found = bills.price(rows)
    right = rows.assign(
        day=rows["when"].dt.normalize(),
        feature=rows["feature"].astype(object).fillna("(none)"),
        nano=found.nano,
    )
    right = (
        right.groupby(["day", "model", "feature"])[["text_input", "text_output", "nano"]]
        .sum()
        .reset_index()
    )
    mine = found.cube.sort_values(["day", "model", "feature"], ignore_index=True)[
        list(right.columns)
    ]
    pd.testing.assert_frame_equal(mine, right, check_dtype=False)


def test_too_many_groups_for_bins_are_added_up_too(bill, monkeypatch):
    monkeypatch.setattr(pricing, "MOST_BINS", 5)
    again = bills.price(bills.read(FOLDER / "synthetic_usage.json"))
    pd.testing.assert_frame_equal(again.cube, bill.cube)


def test_money_beyond_the_integers_is_an_error_not_a_wrong_sum():
    rows = pd.concat(
        [frame(text_output=10**12, requests=10**6, model="o1", when="2025-01-01")] * 200
    )
    with pytest.raises(bills.BillError, match="nine billion"):
        bills.price(rows)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"when": None}, "needs the columns when"),
        ({"text_input": [0.5]}, "not whole numbers"),
        ({"when": ["2026"]}, "not datetimes"),
    ],
)
def test_a_frame_of_another_shape_is_told_so(change, words):
    rows = (
        frame()
        .drop(columns=[c for c, v in change.items() if v is None])
        .assign(**{c: v for c, v in change.items() if v})
    )
    with pytest.raises(bills.BillError, match=words):
        bills.price(rows)


def test_small_integers_and_other_zones_do(bill):
    rows = frame(text_input=1000).astype({"text_input": "int32", "text_output": "uint64"})
    berlin = rows.assign(when=rows["when"].dt.tz_localize("Europe/Berlin"))
    assert bills.price(rows).total == bills.price(berlin).total == Decimal("0.0025")


def test_an_empty_frame_is_a_bill_of_nothing():
    assert bills.price(frame().iloc[:0]).total == 0


def test_sums_by_any_column_agree(bill):
    for by in (("model",), ("feature", "model"), ("day",)):
        assert int(bill.sums(*by)["nano"].sum()) == bill.total_nano
        assert int(bill.sums(*by)["requests"].sum()) == int(bill.cube["requests"].sum())
    log = bills.price(bills.read(FOLDER / "synthetic_litellm.jsonl"))
    assert set(bills.by(log, "key")["key"]) == {
        f"{s[0]}-prod" for s in make_usage.SERIES if s[0] != "phone"
    }
    with pytest.raises(bills.BillError, match="by model, feature, day, week, month, not by user"):
        bills.by(bill, "user")


# Libraries: where their prices are right, their sums are ours to the cent (tests.tools.benchmark
# times them)


def test_genai_prices_adds_up_to_the_same_cent():
    from genai_prices import Usage, calc_price

    # single calls: a sum of calls is taken for one long call, at the prices above 272,000 tokens
    log = bills.price(bills.read(FOLDER / "synthetic_litellm.jsonl"))
    rows = log.rows[log.reason == 0]
    theirs = sum(
        calc_price(
            Usage(
                input_tokens=r.text_input + r.text_cached_input,
                cache_read_tokens=r.text_cached_input,
                output_tokens=r.text_output,
            ),
            r.model,
            provider_id="openai",
            genai_request_timestamp=r.when.to_pydatetime(),
        ).total_price
        for r in rows.itertuples()
    )
    assert len(rows) > 400 and round(theirs, 2) == round(log.total, 2)


# Beyond memory


def to_parquet(rows, path, **more):
    import duckdb

    plain = rows.assign(
        **{c: rows[c].astype(object) for c in ("model", "feature", "tier") if c in rows}, **more
    )
    duckdb.from_df(plain.drop(columns=[c for c in ("trouble", "line") if c in rows])).write_parquet(
        str(path)
    )


@pytest.mark.parametrize("zone", [True, False])
def test_sql_over_parquet_gives_the_same_answer(bill, tmp_path, zone):
    rows = bill.rows[bill.rows["trouble"] == 0]
    broken = rows.head(4).assign(
        text_input=[-5, 10**13, 3 * 10**11, 5],
        model=["gpt-4o-2024-08-06"] * 3 + ["gpt-4o-2024-05-13"],
        text_cached_input=[1, 1, 1, 7],
    )
    gone = rows.head(2).assign(
        model=[None, "o1"], when=pd.to_datetime([None, "2024-01-01"], utc=True)
    )
    rows = pd.concat([rows, broken, gone])
    rows["tier"] = pd.Categorical(["default"] * (len(rows) - 1) + ["flex"])
    rows = rows.astype({"model": "category"})
    inside = bills.price(rows)
    to_parquet(
        rows,
        tmp_path / "part-1.parquet",
        **({} if zone else {"when": rows["when"].dt.tz_localize(None)}),
    )
    outside = bills.price_parquet(tmp_path / "*.parquet")
    assert outside.total == inside.total and len(why(inside)) >= 6
    order = ["day", "model", "feature"]
    pd.testing.assert_frame_equal(
        outside.cube[inside.cube.columns].sort_values(order, ignore_index=True),
        inside.cube.sort_values(order, ignore_index=True),
        check_dtype=False,
    )
    told = [
        bills.unpriced(b).sort_values(["reason", "model"], ignore_index=True)[
            ["reason", "model", "rows"]
        ]
        for b in (inside, outside)
    ]
    pd.testing.assert_frame_equal(*told, check_dtype=False)
    pd.testing.assert_frame_equal(
        bills.by(inside, "model"), bills.by(outside, "model"), check_dtype=False
    )


def test_a_parquet_file_of_another_kind_is_told_so(tmp_path):
    import duckdb

    duckdb.from_df(pd.DataFrame({"a": [1]})).write_parquet(str(tmp_path / "x.parquet"))
    with pytest.raises(bills.BillError, match="needs the columns when, model"):
        bills.price_parquet(tmp_path / "x.parquet")
    with pytest.raises(bills.BillError, match="cannot be priced"):
        bills.price_parquet(tmp_path / "none.parquet")


def test_without_duckdb_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ModuleNotFoundError, match="pip install duckdb"):
        bills.price_parquet("x.parquet")


def test_the_learners_environment_needs_no_duckdb():
    code = "import sys, helpers.costs.bills; print([m for m in ('duckdb', 'ipywidgets', 'openpyxl', 'plotly', 'openai') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


# Views


def test_the_planted_odd_days_are_found_and_no_others(bill):
    odd = bills.anomalies(bill)
    assert list(zip(odd["day"], odd["feature"])) == [
        (make_usage.SPIKE, "proj_support"),
        (make_usage.QUIET, "proj_phone"),
    ]
    assert 5 < odd["times usual"][0] < 7 and odd["times usual"][1] == 0


def test_odd_days_are_those_of_each_series_by_itself(monkeypatch):
    """Taken alone or with thousands of others, in pieces, with holes, or too short to tell."""
    from helpers.costs.bills import views

    dice, parts = np.random.default_rng(5), []
    for i in range(7):
        when = (
            pd.date_range("2026-03-01", periods=90)
            if i < 6
            else pd.date_range("2026-03-01", periods=20)
        )
        tokens = (10**6 * dice.lognormal(0, 0.1, len(when))).astype(int)
        tokens[60 % len(when)] *= 9
        part = pd.DataFrame(
            {
                "when": when,
                "model": "gpt-4o",
                "feature": f"f{i}",
                "text_output": tokens,
                "requests": 1000,
            }
        )
        parts.append(part.drop(index=[10, 11, 70][: i % 4], errors="ignore").iloc[3 * i :])
    together = bills.anomalies(bills.price(pd.concat(parts, ignore_index=True)))
    alone = pd.concat([bills.anomalies(bills.price(p)) for p in parts])
    order = ["feature", "day"]
    pd.testing.assert_frame_equal(
        together.sort_values(order, ignore_index=True),
        alone.sort_values(order, ignore_index=True),
        check_dtype=False,
    )
    assert set(together["feature"][together["times usual"] > 5]) == {f"f{i}" for i in range(6)}
    monkeypatch.setattr(views, "SERIES", 2)
    pd.testing.assert_frame_equal(
        bills.anomalies(bills.price(pd.concat(parts, ignore_index=True))), together
    )


def test_days_of_what_is_not_there_are_an_error_in_words(bill):
    assert bills.daily(bill, "gpt-4o-2024-08-06", "proj_support").sum() > 0
    with pytest.raises(
        bills.BillError, match="nothing in this bill was priced as gpt-4o-2024-08-06 in support"
    ):
        bills.daily(bill, "gpt-4o-2024-08-06", "support")


def test_a_price_cut_is_no_odd_day(bill):
    odd = bills.anomalies(bill)
    assert not (odd["model"] == "gpt-5.6-sol").any()


def test_the_forecast_says_how_often_it_held(bill):
    f = bills.forecast(bill)
    assert f.low < f.middle < f.high and len(f.days) == 30 and f.tries == 7
    steady = bills.forecast(bill, leave_out="proj_contracts")
    # a changed model is what no extrapolation sees
    assert steady.hits / steady.tries >= 0.7 > f.hits / f.tries
    with pytest.raises(bills.BillError, match="six weeks"):
        bills.forecast(bills.price(bills.read(FOLDER / "synthetic_litellm.jsonl")))


def test_the_interval_holds_about_as_often_as_it_says():
    """Over series that go on as they did; none of them is known to the method."""
    dice, hits, tries = np.random.default_rng(3), 0, 0
    for _ in range(15):
        week = np.tile([1, 1.1, 1.05, 1, 0.95, 0.4, 0.3], 18)[:120]
        level = np.exp(dice.normal(0.001, 0.02, 120).cumsum() + dice.normal(0, 0.08, 120))
        rows = pd.DataFrame(
            {
                "when": pd.date_range("2026-01-01", periods=120),
                "model": "gpt-4o",
                "text_output": (10**6 * week * level).astype(int),
                "requests": 5000,
            }
        )
        f = bills.forecast(bills.price(rows))
        hits, tries = hits + f.hits, tries + f.tries
    assert 0.65 < hits / tries <= 0.97, hits / tries


def test_a_week_without_calls_is_no_error():
    rows = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-01", periods=60),
            "model": "gpt-4o",
            "text_output": [0] * 20 + [1000] * 40,
        }
    )
    assert bills.forecast(bills.price(rows)).middle >= 0


def test_what_if_changes_what_is_changed_and_nothing_else(bill):
    w = bills.what_if(bill, move="gpt-4o-2024-08-06", to="gpt-6-luna", on=TODAY)
    moved = bill.cube[bill.cube["model"] == "gpt-4o-2024-08-06"][
        ["text_input", "text_cached_input", "text_output"]
    ].sum()
    per = [
        prices.usd_per_million("gpt-6-luna", "text", d, TODAY)
        for d in ("input", "cached_input", "output")
    ]
    right = sum(int(n) * p for n, p in zip(moved, per)) / 10**6
    table = w.table.set_index("model")
    assert (
        table["USD then"]["gpt-6-luna"] == right.quantize(Decimal("0.01"))
        and table["USD then"]["gpt-4o-2024-08-06"] == 0
    )
    assert table["USD then"]["o1-2024-12-17"] == table["USD now"]["o1-2024-12-17"]
    assert w.then - w.now == right - bills.usd(
        bill.cube[bill.cube["model"] == "gpt-4o-2024-08-06"]["nano"].sum()
    )


def test_what_if_of_cache_and_hidden_tokens():
    rows = frame(
        text_input=800,
        text_cached_input=200,
        text_output=500,
        reasoning=400,
        model="o1",
        when="2025-01-01",
    )
    now = bills.price(rows)
    assert (
        bills.what_if(now, cached=50).then
        == Decimal("500") * 15 / 10**6
        + Decimal("500") * Decimal("7.5") / 10**6
        + Decimal("500") * 60 / 10**6
    )
    assert bills.what_if(now, hidden=25).then == now.total - 300 * Decimal(60) / 10**6
    assert bills.what_if(now, cached=20, hidden=100).then == now.total
    # a higher effort
    assert bills.what_if(now, hidden=150).then == now.total + 200 * Decimal(60) / 10**6


def test_what_if_of_a_batch_takes_the_percent_that_is_given(bill):
    w = bills.what_if(bill, move="gpt-4o-mini-2024-07-18", batch=50)
    tagging = bill.cube["model"] == "gpt-4o-mini-2024-07-18"
    assert w.now - w.then == bills.usd(sum(-(-n // 2) for n in bill.cube["nano"][tagging].tolist()))
    assert (
        bills.what_if(bill, batch=100).then == bill.total and bills.what_if(bill, batch=0).then == 0
    )
    large = bills.price(frame(text_output=10**12, requests=10**6, model="o1", when="2025-01-01"))
    assert bills.what_if(large, batch=75).then == large.total * 3 / 4


@pytest.mark.parametrize("share", [{"cached": 101}, {"cached": -1}, {"hidden": -5}, {"batch": -50}])
def test_a_share_that_cannot_be_is_refused(bill, share):
    with pytest.raises(
        bills.BillError, match=f"{next(iter(share))} is a whole number of percent, from 0"
    ):
        bills.what_if(bill, **share)


def test_what_if_says_why_it_cannot(bill):
    with pytest.raises(bills.BillError, match="does not count hidden tokens"):
        bills.what_if(bill, hidden=50)
    with pytest.raises(LookupError, match="no audio input price of gpt-6-luna"):
        bills.what_if(
            bill, move="gpt-4o-mini-realtime-preview-2024-12-17", to="gpt-6-luna", on=TODAY
        )
    with pytest.raises(LookupError, match="gpt-9"):
        bills.what_if(bill, move="o1-2024-12-17", to="gpt-9", on=TODAY)
    with pytest.raises(
        bills.BillError, match="nothing in this bill was priced as gpt-9; it has gpt-4o-2024-08-06"
    ):
        bills.what_if(bill, move="gpt-9", to="gpt-6-luna", on=TODAY)
    old = bills.price(frame(model="gpt-4o-2024-05-13", text_input=10))
    with pytest.raises(LookupError, match="cached_input"):
        bills.what_if(old, cached=50)


def test_prices_after_the_last_check_say_so():
    bill = bills.price(bills.read(FOLDER / "synthetic_usage.json"))
    change = {"move": "gpt-4o-2024-08-06", "to": "gpt-6-luna"}
    with pytest.warns(UserWarning, match="prices for 2031-01-01 are those of .*last checked"):
        later = bills.what_if(bill, **change, on="2031-01-01")
    assert later.then == bills.what_if(bill, **change, on=TODAY).then
    with pytest.warns(UserWarning, match="2031-01-01"):
        bills.lifecycle(bill, on="2031-01-01")


def test_what_was_billed_has_no_what_if():
    with pytest.raises(bills.BillError, match="needs tokens"):
        bills.what_if(bills.price(bills.read(FOLDER / "synthetic_costs.json")), cached=50)


def test_whether_a_file_tells_of_batches_is_noted():
    told = "when,model,input_tokens,output_tokens,batch\n2026-09-01,gpt-4o,1,1,FALSE\n"
    silent = "when,model,input_tokens,output_tokens\n2026-09-01,gpt-4o,1,1\n"
    notes = [" ".join(bills.read(text.encode()).notes) for text in (told, silent)]
    assert "does not tell batch" not in notes[0] and "does not tell batch" in notes[1]


def test_the_explorer_shows_names_as_text_and_errors_as_words(tmp_path):
    file = tmp_path / "evil.csv"
    file.write_text(
        "when,model,project,prompt_tokens,completion_tokens,<b>\n2026-09-01,gpt-4o,<img src=x>,1000000,0,1\n2026-09-01,<script>,a,1,1,1\n"
    )
    explorer = bills.explore(file, TODAY)
    page = explorer.children[-3]
    field(explorer, "table and bars by").value = "feature"
    assert (
        "2.50 USD" in page.value
        and "&lt;script&gt;" in page.value
        and "&lt;img src=x&gt;" in page.value
    )
    assert not any(tag in page.value for tag in ("<script>", "<img", "<b><"))
    field(explorer, "or its path, Enter").value = str(tmp_path / "<i>.csv")
    assert "Not read." in page.value and "&lt;i&gt;.csv" in page.value and "<i>" not in page.value


def field(explorer, description):
    found, seen = list(explorer.children), []
    while found:
        widget = found.pop()
        seen += [widget] if getattr(widget, "description", None) == description else []
        found += getattr(widget, "children", ())
    return seen[0]


def test_the_explorer_names_no_path_beside_a_file_that_was_chosen(tmp_path):
    file = tmp_path / "there.csv"
    file.write_text("when,model,prompt_tokens,completion_tokens\n2026-09-01,gpt-4o,1000000,0\n")
    explorer = bills.explore(file, TODAY)
    page, path = explorer.children[-3], field(explorer, "or its path, Enter")
    button = field(explorer, "Choose a usage export")
    content = memoryview(file.read_bytes().replace(b"1000000", b"4000000"))
    chosen = {"name": "mine.csv", "type": "", "size": len(content), "content": content}
    chosen["last_modified"] = datetime.datetime(2026, 11, 22)
    button.value = [chosen]
    assert "mine.csv" in page.value and "<b>10.00 USD</b>" in page.value and path.value == ""
    path.value = str(file)
    assert "there.csv" in page.value and "<b>2.50 USD</b>" in page.value
    button.value = [chosen]  # once more the same
    assert "mine.csv" in page.value and path.value == ""


def test_the_explorer_prices_a_name_on_the_readers_word(tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text(
        "when,model,prompt_tokens,completion_tokens\n2026-09-01,acme-7b,1000000,0\n2026-09-01,ft:gpt-4.1-2025-04-14,2000000,0\n"
    )
    explorer = bills.explore(file, TODAY)
    page, unknown, twin = (
        explorer.children[-3],
        field(explorer, "no price for"),
        field(explorer, "costs like"),
    )
    assert unknown.options == ("acme-7b",) and "No row of this file could be priced." in page.value
    twin.value = "gpt-4o-2024-08-06"
    assert "<b>2.50 USD</b>" in page.value and "before the first known price" in page.value
    field(
        explorer, "days before a model's first known price cost what that first day did"
    ).value = True
    assert "<b>8.50 USD</b>" in page.value and "Not priced: 0 rows" in page.value
    field(explorer, "what if the work of").value = "acme-7b"
    field(explorer, "price, % of list").value = 50
    assert field(explorer, "went to").value and "What if:" in page.value
    twin.value = twin.options[0]
    assert (
        "<b>6.00 USD</b>" in page.value
        and field(explorer, "what if the work of").value == "as it is"
    )


def test_the_explorer_tells_odd_days_the_next_month_and_what_ends(bill):
    explorer = bills.explore(FOLDER / "synthetic_usage.json", TODAY)
    more, f = explorer.children[-2].value, bills.forecast(bill)
    assert "Odd days: 2" in more and "2026-09-15" in more
    assert (
        f"{f.low:,.2f} to {f.high:,.2f} USD" in more and f"held {f.hits} of {f.tries} times" in more
    )
    assert f"2026-11-22: {len(bills.lifecycle(bill, TODAY))}" in more and "gpt-6-luna" in more
    field(explorer, "or its path, Enter").value = str(FOLDER / "synthetic_litellm.jsonl")
    assert (
        "no forecast" in explorer.children[-2].value and "six weeks" in explorer.children[-2].value
    )
    field(explorer, "or its path, Enter").value = "nowhere.csv"
    assert explorer.children[-2].value == ""


def test_the_explorer_warns_of_old_prices(monkeypatch):
    told = lambda: (
        "prices were last checked more than 90 days ago"
        in bills.explore(FOLDER / "synthetic_otel.jsonl", TODAY).children[-2].value
    )
    monkeypatch.setattr(prices, "stale", lambda on: [])
    assert not told()
    monkeypatch.setattr(prices, "stale", lambda on: prices.price_rows()[:3])
    assert told()


def test_lifecycle_follows_the_table(bill):
    life = bills.lifecycle(bill, TODAY).set_index("model")
    models = {r["model"]: r for r in tables.rows("models.csv")}
    assert set(life.index) == {
        m
        for m in set(bill.rows["model"])
        if m in models and models[m]["shutdown"] and models[m]["shutdown"] < "2027-03-22"
    }
    assert (
        life["replacement"]["o1-2024-12-17"] == models["o1-2024-12-17"]["replacement"]
        and life["days left"]["o1-2024-12-17"] < 0
    )
    named = life[life["replacement"] != "(none named)"]
    assert len(named) and all(v is not None and v > 0 for v in named["there, USD"])


def test_old_prices_are_reported():
    checked = max(r["checked_on"] for r in prices.price_rows())
    assert prices.stale(checked) == [] and prices.stale(checked + datetime.timedelta(90)) == []
    assert len(prices.stale(checked + datetime.timedelta(91))) >= 1


def test_shares_of_what_has_no_price(bill):
    lost = bills.unpriced(bill)
    assert int(lost["rows"].sum()) == int((bill.reason != 0).sum())
    tokens = bill.rows[bill.kinds].sum(axis=1)
    assert lost["tokens, %"].sum() == pytest.approx(
        100 * tokens[bill.reason != 0].sum() / tokens.sum(), abs=0.05
    )


# Fuzz: whatever is done to a file, it is read or refused in words, and each record is priced or
# listed


def records(name, data):
    """How many records a reader must account for, counted another way; None where that cannot be
    said.
    """
    text = data.decode("utf-8", "replace")
    if name.endswith(".jsonl"):
        return sum(bool(line.strip()) for line in text.splitlines())
    return None


def mutate(data, dice):
    lines = data.splitlines(keepends=True)
    kind = dice.randrange(7)
    if kind == 0:
        return data[: dice.randrange(len(data))]
    if kind == 1:
        at = dice.randrange(len(lines))
        return b"".join(lines[:at] + lines[at + 1 :])
    if kind == 2:
        at = dice.randrange(len(data))
        return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
    if kind == 3:
        at = dice.randrange(1, len(lines))
        return b"".join(lines[:at] + [lines[dice.randrange(len(lines))]] + lines[at:])
    digits = [i for i in range(len(data)) if data[i : i + 1].isdigit()]
    at = dice.choice(digits)
    new = dice.choice(
        [
            b"-1",
            b"1e400",
            b"99999999999999999999",
            b"null",
            b'"x"',
            b"[]",
            b"{}",
            b"true",
            b"NaN",
            b"0.5",
            b"",
            b"\xc3\xa4",
            b'{"a": [1]}',
            b"1e15",
        ]
    )
    if kind == 4:
        return data[:at] + new + data[at + 1 :]
    start, end = at, at
    while data[start - 1 : start].isdigit():
        start -= 1
    while data[end : end + 1].isdigit():
        end += 1
    return data[:start] + new + data[end:] if kind == 5 else data.replace(data[start:end], new)


def shortened(name):
    """A small file of each kind, so that many mutations fit into a second."""
    data = (FOLDER / name).read_bytes()
    if name == "synthetic_usage.json":
        pages = json.loads(data)
        return (
            "\n".join(json.dumps(p | {"data": p["data"][:3]}) for p in pages).encode()
            if name
            else data
        )
    if name == "synthetic_costs.json":
        return json.dumps(json.loads(data)).replace("}, {", "},\n{").encode()
    lines = data.splitlines(keepends=True)
    return b"".join(lines[:25] + lines[-2:])


@pytest.mark.parametrize("name", make_usage.FILES)
def test_broken_files_are_refused_in_words_or_accounted_for(name):
    dice, whole = random.Random(name), shortened(name)
    outcomes = collections.Counter()
    for turn in range(25):
        data = whole
        for _ in range(dice.choice((1, 1, 2, 4))):
            data = (
                mutate(data, dice)
                if len(data) > 20 and data.splitlines()[1:] and any(48 <= b < 58 for b in data)
                else data
            )
        try:
            usage = bills.read(data)
            found = bills.price(usage)
        except bills.BillError as e:
            assert len(str(e)) > 20
            outcomes["refused"] += 1
            continue
        outcomes["read"] += 1
        assert len(found.reason) == len(usage.rows) and int((found.reason == 0).sum()) + int(
            bills.unpriced(found)["rows"].sum()
        ) == len(usage.rows)
        assert (found.nano[found.reason != 0] == 0).all() and sum(
            found.nano.tolist()
        ) == found.total_nano >= (0 if not found.stated else found.total_nano)
        if (count := records(name, data)) is not None:
            assert len(usage.rows) + usage.empty == count, data[-300:]
        if turn % 4 == 0:
            bills.anomalies(found), bills.lifecycle(found, TODAY)
            if len(found.cube):
                bills.by(found, "model")
    assert outcomes["read"] > 3, outcomes
