"""The same bill where the rows do not fit into memory: one SQL statement, run by DuckDB over
Parquet, or by another engine through Ibis.

The statement is plain SQL: sums of whole numbers, a CASE, and a join of the price table by model
and range of days. `price_on` brings it to an engine. By hand: load `Rates(models).frame()` as the
table `rates`, call the usage `usage`, and run what `sql` returns. Sums of 64-bit integers must not
overflow there: DuckDB, Snowflake and PostgreSQL widen them by themselves, Spark refuses; in
BigQuery cast the summed columns to BIGNUMERIC. `when` must be UTC without a zone. Batch, flex and
very long prompts are listed here without a price; only `price` has theirs.
"""

from pathlib import Path

import numpy as np

from .pricing import (
    ABSURD,
    ABSURD_CALL,
    CODES,
    COUNTS,
    INPUTS,
    KINDS,
    STANDARD_TIERS,
    Bill,
    BillError,
    Rates,
)

RATES = "day9_rates"  # the view of prices in another's database
BAD_COUNTS = ("a count is negative", "a count is absurdly large")


def sql(columns, usage="usage", rates="rates"):
    """The statement for a table with these columns: `when`, `model`, kinds of token and what else
    `price` knows. usage, rates: the names of the two tables.

    First the tokens are added up by day, model, feature and the kinds that a row uses; then the few
    sums meet their prices. Rows that cannot be priced are added up under their reason, with the
    words of `price`.
    """
    has = [c for c in COUNTS if c in columns]
    kinds = [c for c in KINDS if c in columns]
    if not kinds or not {"when", "model"} <= set(columns):
        raise BillError(
            f"the table needs when, model and at least one of the columns {', '.join(KINDS)}; it has {', '.join(columns)}"
        )
    calls = "requests" if "requests" in columns else "1"
    given = " + ".join(c for c in kinds if c in INPUTS) or "0"
    made = " + ".join(c for c in kinds if c.endswith("_output")) or "0"
    reasons = _reasons(columns, has, calls, made)
    quoted = lambda name: name.replace("'", "''")
    comma, line = ",\n         ", "\n           "
    return f"""
with checked as (
  select cast("when" as date) as day, u.model, {"feature" if "feature" in columns else "'(all)'"} as feature, {calls} as requests,
         {", ".join(has)},
         case {line.join(f"when {test} then '{quoted(name)}'" for test, name in reasons)}
           else '' end as reason,
         {" + ".join(f"case when {k} > 0 then {1 << i} else 0 end" for i, k in enumerate(kinds))} as uses,
         coalesce((0.0 + {given}) / above > greatest({calls}, 1), false) as long
  from {usage} u left join (select distinct model as of_model, above from {rates}) m on u.model = m.of_model
),
sums as (
  select day, model, feature, reason, uses, long, count(*) as "rows",
         sum(case when reason in {BAD_COUNTS} then 0 else requests end) as requests,
         {comma.join(f"sum(case when reason in {BAD_COUNTS} then 0 else {c} end) as {c}" for c in has)}
  from checked group by day, model, feature, reason, uses, long
),
priced as (
  select s.*, {comma.join(f"r.{k} as nano_{k}" for k in kinds)},
         case when s.reason <> '' then s.reason
              when r.model is null then '{quoted("this model is not in the price table")}'
              when r.reason <> '' then r.reason
              when {" or ".join(f"(s.{k} > 0 and r.{k} is null)" for k in kinds)} then 'a kind of token has no price'
              when s.long then 'above the context at which prices rise'
              else '' end as why
  from sums s left join {rates} r on s.model = r.model and s.day >= r."from" and s.day < r."until"
)
select day, model, feature, why, cast(sum("rows") as bigint) as "rows",
       {", ".join(f"cast(sum({c}) as bigint) as {c}" for c in ["requests", *has])},
       cast(sum(case when why <> '' then 0
                     else {(line + "            + ").join(f"{k} * coalesce(nano_{k}, 0)" for k in kinds)} end) as bigint) as nano
from priced group by day, model, feature, why order by day, model, feature, why
""".strip()


def _reasons(columns, has, calls, made):
    """[(a test in SQL, why a row of which it is true has no price)], in the order of `price`."""
    special = [
        *(["batch"] if "batch" in columns else []),
        *([f"lower(coalesce(tier, '')) not in {STANDARD_TIERS}"] if "tier" in columns else []),
    ]
    checked = [*has, *([calls] if calls != "1" else [])]
    absurd = [f"{c} > {ABSURD}" for c in checked]
    absurd += [f"{c} / {ABSURD_CALL}.0 > greatest({calls}, 1)" for c in has]
    return [
        ('"when" is null', "no readable time"),
        ("u.model is null", "no model is named"),
        *([(" or ".join(special), "batch or another service tier")] if special else []),
        (" or ".join(f"{c} < 0" for c in checked), BAD_COUNTS[0]),
        (" or ".join(absurd), BAD_COUNTS[1]),
        *([(f"reasoning > {made}", "the parts exceed their total")] if "reasoning" in has else []),
    ]


def price_parquet(path, same_as=None, memory="3GB", back_to=None):
    """Price the usage in Parquet files larger than memory. Returns a Bill whose rows are the sums
    by day, model, feature and reason.

    path: a file or a pattern such as "usage/*.parquet", with the columns that `price` takes.
    same_as, back_to: as there. memory: what DuckDB may use. Needs DuckDB: `python start.py lab
    --warehouse`, or `pip install duckdb`; ModuleNotFoundError without. BillError for a file that
    is missing or lacks a column.
    """
    try:
        import duckdb
    except ModuleNotFoundError as e:
        raise ModuleNotFoundError(
            "files beyond memory are read by DuckDB: python start.py lab --warehouse, or pip install duckdb"
        ) from e
    with duckdb.connect(config={"memory_limit": memory}) as db:
        try:
            usage = db.read_parquet(str(path))
            needed = [c for c in ("when", "model") if c not in usage.columns]
            if needed or not any(k in usage.columns for k in KINDS):
                raise BillError(
                    f"{Path(path).name} needs the columns when, model and at least one of {', '.join(KINDS)}; it has {', '.join(usage.columns)}"
                )
            usage.project('* replace (make_timestamp(epoch_us("when")) as "when")').create_view(
                "usage"
            )  # UTC, with a zone or without
            rates = Rates(
                [
                    m
                    for (m,) in db.sql(
                        "select distinct model from usage where model is not null order by 1"
                    ).fetchall()
                ],
                same_as,
                back_to,
            )
            db.register("rates", rates.frame())
            rows = db.sql(sql(usage.columns)).df()
        except duckdb.Error as e:
            raise BillError(f"{path} cannot be priced: {str(e).splitlines()[0]}") from None
    return _bill(rows, rates)


def price_on(connection, usage="usage", same_as=None, back_to=None):
    """The same bill by an engine that Ibis speaks to: DuckDB, MotherDuck, Spark, a warehouse. The
    statement is written once, in DuckDB's words; Ibis puts it into the engine's own.

    connection: as ibis.duckdb.connect("md:…") or ibis.pyspark.connect(session) return it. usage:
    the name of a table or view there, with the columns that `price` takes; its `when` is UTC
    without a zone. same_as, back_to: as there. The prices are sent along as a view, which goes when
    the sums have come back; no row does. Needs Ibis: `python start.py lab --warehouse`;
    ModuleNotFoundError without. BillError where the table is not there, lacks a column, or the
    engine refuses.
    """
    try:
        import ibis
    except ModuleNotFoundError as e:
        raise ModuleNotFoundError(
            "other engines are asked through Ibis: python start.py lab --warehouse"
        ) from e
    try:
        table = connection.table(usage)
        statement = sql(table.columns, usage, RATES)
        named = table.filter(table["model"].notnull()).select("model").distinct()
        rates = Rates(sorted(named.execute()["model"]), same_as, back_to)
        connection.create_view(RATES, ibis.memtable(rates.frame()), overwrite=True)
        try:
            rows = connection.sql(statement, dialect="duckdb").execute()
        finally:
            connection.raw_sql(f"drop view {RATES}")  # ibis 12.0 forgets the name in drop_view
    except BillError:
        raise
    except Exception as e:  # each engine has errors of its own
        raise BillError(f"{usage} cannot be priced there: {str(e).strip().splitlines()[0]}") from e
    return _bill(rows, rates)


def _bill(rows, rates):
    rows["when"] = rows["day"].astype("datetime64[us]")
    rows[["model", "feature"]] = rows[["model", "feature"]].astype("category")
    reason = rows["why"].map(CODES).to_numpy(np.int8)
    cube = rows[reason == 0].drop(columns=["why", "rows", "when"]).reset_index(drop=True)
    cube[["model", "feature"]] = cube[["model", "feature"]].astype(object)
    cube["day"] = cube["day"].astype("datetime64[s]")
    return Bill(rows.drop(columns=["day", "why", "nano"]), reason, cube, rates)
