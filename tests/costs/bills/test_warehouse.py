"""The bill's one statement on two engines, through Ibis. Run by hand, with `start.py test
--warehouse tests/costs/bills/test_warehouse.py`; Spark where `pip install pyspark` (450 MB) and
Java 17 or newer are, too.
"""

import sys
from pathlib import Path

import pandas as pd
import pytest

from helpers.costs import bills

USAGE = Path(__file__).parents[3] / "data" / "usage" / "synthetic_usage.json"


def duckdb():
    import ibis

    return ibis.duckdb.connect()


def pyspark():
    import ibis
    from pyspark.sql import SparkSession

    asked = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    for name, value in (
        ("driver.bindAddress", "127.0.0.1"),
        ("driver.host", "127.0.0.1"),
        ("sql.session.timeZone", "UTC"),
        ("sql.shuffle.partitions", "1"),
    ):
        asked = asked.config(f"spark.{name}", value)
    return ibis.pyspark.connect(asked.getOrCreate())


@pytest.fixture(scope="module", params=[duckdb, pyspark], ids=lambda engine: engine.__name__)
def engine(request):
    for module in ("ibis", request.param.__name__):
        pytest.importorskip(module, reason=f"{module} is not here: see the top of this file")
    connection = request.param()
    yield connection
    connection.disconnect()


@pytest.fixture(scope="module")
def rows():
    """The synthetic company's usage, with rows of every reason that any engine finds."""
    rows = bills.read(USAGE).rows
    rows = rows[rows["trouble"] == 0].drop(columns=["trouble", "line"])
    broken = rows.head(4).assign(
        text_input=[-5, 10**13, 3 * 10**11, 5],
        text_cached_input=[1, 1, 1, 7],
        model=["gpt-4o-2024-08-06"] * 3 + ["gpt-4o-2024-05-13"],
    )
    gone = rows.head(2).assign(
        model=[None, "o1"], when=pd.to_datetime([None, "2024-01-01"], utc=True)
    )
    return pd.concat([rows, broken, gone]).astype({"model": "category"})


def test_two_engines_give_the_bill_that_python_gives(engine, rows, tmp_path):
    import ibis

    plain = rows.assign(
        when=rows["when"].dt.tz_localize(None),
        **{c: rows[c].astype(object) for c in ("model", "feature")},
    )
    path = str(tmp_path / "usage.parquet")
    plain[[c for c in plain if c not in ("user", "key")]].to_parquet(
        path, coerce_timestamps="us", index=False
    )
    lake = engine.read_parquet(path)
    engine.create_view("calls", lake, overwrite=True)
    outside, inside = bills.price_on(engine, "calls"), bills.price(rows)
    assert outside.total == inside.total and len(set(inside.reason)) >= 7
    told = [
        bills.unpriced(b)[["reason", "model", "rows"]].sort_values(
            ["reason", "model"], ignore_index=True
        )
        for b in (inside, outside)
    ]
    pd.testing.assert_frame_equal(*told, check_dtype=False)
    pd.testing.assert_frame_equal(
        *(bills.by(b, "model", "feature") for b in (inside, outside)), check_dtype=False
    )
    assert not [name for name in engine.list_tables() if "rates" in name]
    with pytest.raises(bills.BillError, match="no_such cannot be priced there"):
        bills.price_on(engine, "no_such")
    engine.create_view("strange", ibis.memtable({"a": [1]}), overwrite=True)
    with pytest.raises(bills.BillError, match="needs when, model"):
        bills.price_on(engine, "strange")


def test_without_ibis_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ibis", None)
    with pytest.raises(ModuleNotFoundError, match="start.py lab --warehouse"):
        bills.price_on(None)
