"""The bill's part of tests/tools/benchmark.py: rows in memory against libraries' own functions, and
Parquet beyond memory.

python -m tests.tools.benchmark_bills memory 10000000      prints seconds of CPU and wall, and the
                                                           peak of memory
python -m tests.tools.benchmark_bills parquet 100000000    the same of DuckDB over a file made for
                                                           it
python -m tests.tools.benchmark_bills csv 200000000        CPU s and peak of memory of a CSV of that
                                                           many bytes, of four kinds, made for it
"""

import datetime
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
# models whose prices both libraries have right for these days (tests/facts/test_price_tables.py
# names those that they have not)
MODELS = [
    "gpt-4o-2024-08-06",
    "gpt-4o-mini-2024-07-18",
    "gpt-4.1-2025-04-14",
    "gpt-5.6-sol",
    "gpt-5.6-luna",
    "o3",
]
START = datetime.datetime(2026, 8, 21)


def rows(n, seed=0):
    """A frame of n single calls over 90 days, as `helpers.costs.bills.price` takes it."""
    dice = np.random.default_rng(seed)
    begin = np.datetime64(START, "us").astype(np.int64)
    frame = {
        "when": (begin + dice.integers(0, 90 * 86_400 * 10**6, n)).view("datetime64[us]"),
        "model": pd.Categorical.from_codes(dice.integers(0, len(MODELS), n, dtype=np.int8), MODELS),
        "feature": pd.Categorical.from_codes(
            dice.integers(0, 8, n, dtype=np.int8), [f"feature {i}" for i in range(8)]
        ),
    }
    for name, top in (
        ("text_input", 6000),
        ("text_cached_input", 4000),
        ("text_output", 900),
        ("reasoning", 1),
    ):
        frame[name] = dice.integers(0, top, n)
    return pd.DataFrame(frame)


def _status(key):
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return 0


def in_memory(n):
    """Prints wall s, CPU s and peak of memory as a multiple of the data, then USD, for pricing and
    grouping n rows.
    """
    from helpers.costs import bills

    bills.price(rows(1000))  # imports and caches
    before = _status("VmRSS")
    frame = rows(n)
    data = int(frame.memory_usage(deep=True).sum())
    # forget the peak of making the data
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    wall, cpu = time.perf_counter(), time.process_time()
    bill = bills.price(frame)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(wall, cpu, (_status("VmHWM") - before) / data, bill.total, len(bill.cube))


def over_parquet(n):
    """Prints wall s, peak RSS in bytes, the file's bytes and USD for n rows in a file; makes it in
    parts of a tenth.
    """
    from helpers.costs import bills

    with tempfile.TemporaryDirectory() as folder:
        size = 0
        for i in range(10):
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "tests.tools.benchmark_bills",
                    "part",
                    str(n // 10),
                    str(i),
                    f"{folder}/part-{i}.parquet",
                ],
                cwd=ROOT,
            )
            done.check_returncode()
            size += os.path.getsize(f"{folder}/part-{i}.parquet")
        begin = time.perf_counter()
        bill = bills.price_parquet(f"{folder}/*.parquet")
        print(
            time.perf_counter() - begin,
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            size,
            bill.total,
            int(bill.rows["rows"].sum()),
        )


COUNTS = "{input},{cached},{output}"
CSVS = {  # kind: (header, a row), of what `over_csv` draws
    "daily sums": (
        "date,model,project,api_key_id,num_model_requests",
        "2026-{month:02}-{day:02},{model},proj_{project},key_{key},{calls}," + COUNTS,
    ),
    "a log with ids": (
        "timestamp,model,project,user_id,request_id",
        "2026-{month:02}-{day:02}T{hour:02}:00:00Z,{model},proj_{project},user_{key},r{n:024},"
        + COUNTS,
    ),
    "rows that repeat": ("date,model,project", "2026-09-{day:02},{model},proj_{project},500,0,7"),
    "quotation marks": (
        "created,model,project",
        '"2026-{month:02}-{day:02}","{model}","team {project}, ""research""",' + COUNTS,
    ),
}


def over_csv(size):
    """Prints for each kind of CSV its rows, the CPU s of reading and pricing it, and the peak RSS
    in MB, each in a process of its own.
    """
    for kind, (header, row) in CSVS.items():
        dice = random.Random(kind)
        with tempfile.TemporaryDirectory() as folder:
            path, n = Path(folder) / "usage.csv", 0
            with path.open("w", encoding="utf-8", newline="\n") as file:
                file.write(header + ",input_tokens,cached_tokens,output_tokens\n")
                while file.tell() < size:
                    for n in range(n + 1, n + 10_001):
                        file.write(row.format(
                            n=n, month=dice.randrange(9, 12), day=dice.randrange(1, 22), hour=dice.randrange(24),
                            model=dice.choice(MODELS), project=dice.randrange(40), key=dice.randrange(3000), calls=dice.randrange(1, 900),
                            input=dice.randrange(1000, 9000), cached=dice.randrange(900), output=dice.randrange(900),
                        ) + "\n")  # fmt: skip
            cpu, peak = ask("csv-file", path)
        print(f"{kind}: {n:,} rows, {cpu:.1f} s of CPU, {peak:.0f} MB")


def one_csv(path):
    from helpers.costs import bills

    before = time.process_time()
    bills.price(bills.read(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.process_time() - before, peak)


def part(n, seed, path):
    import duckdb

    frame = rows(n, seed)
    duckdb.from_df(
        frame.assign(model=frame["model"].astype(object), feature=frame["feature"].astype(object))
    ).write_parquet(path)


def ask(*args):
    done = subprocess.run(
        [sys.executable, "-m", "tests.tools.benchmark_bills", *map(str, args)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    return [float(word) for word in done.stdout.split()]


def genai(frame):
    """USD of a frame by a loop over genai-prices' own function."""
    from genai_prices import Usage, calc_price

    return sum(
        calc_price(
            Usage(
                input_tokens=r.text_input + r.text_cached_input,
                cache_read_tokens=r.text_cached_input,
                output_tokens=r.text_output,
            ),
            r.model,
            provider_id="openai",
            genai_request_timestamp=r.when.to_pydatetime().replace(tzinfo=datetime.timezone.utc),
        ).total_price
        for r in frame.itertuples()
    )


def litellm(frame):
    """USD of a frame by a loop over litellm's own function, at its prices of today."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from litellm.cost_calculator import cost_per_token

    return sum(
        sum(
            cost_per_token(
                model=r.model,
                prompt_tokens=r.text_input + r.text_cached_input,
                completion_tokens=r.text_output,
                cache_read_input_tokens=r.text_cached_input,
            )
        )
        for r in frame.itertuples()
    )


def ten_million(say, compare):
    from helpers.costs import bills

    say(
        "bill. Ten million rows of usage priced at their own day and grouped by day, model and feature, on one core."
    )
    runs = [ask("memory", 10_000_000) for _ in range(5)]
    wall, cpu, peak = ([r[i] for r in runs] for i in range(3))
    compare(wall, [0.5] * 5, "priced and grouped", "the aim", "s", "below 1", digits=2)
    say(
        f"  CPU, which a busy machine changes less: {min(cpu):.2f} to {max(cpu):.2f} s. Peak of memory, data included: {max(peak):.2f} times the data; aim: below 3."
    )
    few = rows(2000)
    for name, function in (("genai-prices", genai), ("litellm", litellm)):
        try:
            function(few.head(1))
        except ImportError as e:
            say(f"  Without {name}: {e}.")
            continue
        begin = time.perf_counter()
        theirs = function(few)
        speed = len(few) / (time.perf_counter() - begin)
        say(
            f"  A loop over {name}: {speed:,.0f} rows/s; ours {10_000_000 / min(wall):,.0f}, ratio {10_000_000 / min(wall) / speed:,.0f}. "
            f"Sums of {len(few):,} rows: {theirs:.2f} and {bills.price(few).total:.2f} USD."
        )
    import plotly.express as px

    bill = bills.price(rows(1_000_000))
    begin = time.perf_counter()
    days = bills.by(bill, "day", "model").assign(USD=lambda t: t["USD"].astype(float))
    px.area(days, x="day", y="USD", color="model").to_json()
    say(
        f"  The figure of its days and models: {1000 * (time.perf_counter() - begin):.0f} ms, whatever the number of rows."
    )
    begin = time.perf_counter()
    bills.what_if(bill, move="gpt-4o-2024-08-06", to="gpt-6-luna", on="2026-11-22")
    say(
        f"  A what-if: {1000 * (time.perf_counter() - begin):.0f} ms; aim with its drawing: below 100."
    )
    explorer = bills.explore(ROOT / "data" / "usage" / "synthetic_usage.json", "2026-11-22")
    field = next(
        w
        for row in explorer.children
        for w in getattr(row, "children", ())
        if getattr(w, "description", "") == "price, % of list"
    )
    taken = []
    for percent in range(50, 70):
        begin = time.perf_counter()
        field.value = percent
        taken.append(1000 * (time.perf_counter() - begin))
    say(
        f"  The explorer drawn anew after a turn: {sorted(taken)[10]:.0f} ms, at most {max(taken):.0f}; aim: below 100."
    )


def hundred_million(say):
    say(
        "parquet. A hundred million rows in Parquet, priced and grouped by DuckDB. Takes minutes and some GB of disk."
    )
    wall, peak, size, usd, n = ask("parquet", 100_000_000)
    say(
        f"  {n:,.0f} rows, {size / 2**30:.2f} GiB of Parquet: {wall:.0f} s, peak of memory {peak / 2**30:.2f} GiB; aim: below 4. {usd:,.2f} USD."
    )


if __name__ == "__main__":
    {
        "memory": lambda n: in_memory(int(n)),
        "csv": lambda size: over_csv(int(size)),
        "csv-file": one_csv,
        "parquet": lambda n: over_parquet(int(n)),
        "part": lambda n, seed, path: part(int(n), int(seed), path),
    }[sys.argv[1]](*sys.argv[2:])
