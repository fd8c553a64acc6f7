"""Write data/usage/: what a company that does not exist used. `python -m tests.tools.make_usage`;
seeded, so always the same.

One truth, calls per day of six projects, told in the formats in which usage is exported. Each file
also holds traps, listed at its writer, that a reader of real exports meets.
"""

import csv
import datetime
import io
import json
import random
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "data" / "usage"
START, END = datetime.date(2026, 7, 27), datetime.date(2026, 11, 22)  # END not included
SPIKE, QUIET = (
    datetime.date(2026, 9, 15),
    datetime.date(2026, 10, 6),
)  # a loop that ran away; a day off the line

# project, model, from, until, calls on a weekday, on a weekend day, tokens of a call: input, cached
# share, output, hidden share
SERIES = [
    ("support", "gpt-4o-2024-08-06", START, END, 2600, 1100, 2400, 0.55, 310, 0.0),
    (
        "contracts",
        "o1-2024-12-17",
        START,
        datetime.date(2026, 10, 23),
        120,
        8,
        9200,
        0.10,
        4300,
        0.78,
    ),
    ("contracts", "gpt-5.6-sol", datetime.date(2026, 10, 23), END, 125, 8, 9200, 0.10, 4900, 0.71),
    ("research", "gpt-5.6-sol", START, END, 240, 60, 6100, 0.20, 2100, 0.62),
    ("tagging", "gpt-4o-mini-2024-07-18", START, END, 21000, 19000, 620, 0.0, 45, 0.0),
    ("search", "gpt-5.6-luna", datetime.date(2026, 8, 10), END, 9000, 5200, 1800, 0.40, 260, 0.35),
    ("phone", "gpt-4o-mini-realtime-preview-2024-12-17", START, END, 260, 40, 2900, 0.70, 640, 0.0),
]
AUDIO_SHARE = 0.8  # of the phone's input and output


def calls(day, series, dice):
    """The sums of a day of a series, a dict; None on a day outside it or without calls."""
    project, model, start, end, week, weekend, given, cached, made, hidden = series
    if not start <= day < end or (project == "phone" and day == QUIET):
        return None
    level = (
        (weekend if day.weekday() > 4 else week)
        * (1 + 0.002 * (day - START).days)
        * dice.lognormvariate(0, 0.07)
    )
    if project == "support" and day == SPIKE:
        level *= 6
    n = round(level)
    size = dice.lognormvariate(0, 0.04)
    row = {
        "day": day,
        "project": project,
        "model": model,
        "requests": n,
        "input": round(n * given * size),
        "output": round(n * made * size),
    }
    row |= {
        "cached": round(row["input"] * cached),
        "reasoning": round(row["output"] * hidden),
        "audio_input": 0,
        "audio_cached": 0,
        "audio_output": 0,
    }
    if project == "phone":
        row |= {
            "audio_input": round((row["input"] - row["cached"]) * AUDIO_SHARE),
            "audio_cached": round(row["cached"] * AUDIO_SHARE),
            "audio_output": round(row["output"] * AUDIO_SHARE),
        }
    return row


def truth():
    """All days' sums, oldest first. Nothing here is a trap."""
    dice = random.Random(9)
    days = [START + datetime.timedelta(i) for i in range((END - START).days)]
    return [row for day in days for row in (calls(day, s, dice) for s in SERIES) if row]


def epoch(day):
    return int(
        datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.timezone.utc).timestamp()
    )


def result(row, **more):
    """A result of OpenAI's usage API (openai 3.54.0, types/admin/organization), grouped by project,
    model and batch.
    """
    given, cached = row["input"], row["cached"]
    return {
        "object": "organization.usage.completions.result",
        "project_id": f"proj_{row['project']}",
        "model": row["model"],
        "batch": False,
        "num_model_requests": row["requests"],
        "input_tokens": given,
        "input_cached_tokens": cached,
        "input_uncached_tokens": given - cached,
        "input_text_tokens": given - cached - row["audio_input"],
        "input_cached_text_tokens": cached - row["audio_cached"],
        "input_audio_tokens": row["audio_input"],
        "input_cached_audio_tokens": row["audio_cached"],
        "output_tokens": row["output"],
        "output_text_tokens": row["output"] - row["audio_output"],
        "output_audio_tokens": row["audio_output"],
        "service_tier": None,
        "user_id": None,
        "api_key_id": None,
    } | more


def extra(day, project, model, requests, given, made, cached=0):
    return {
        "day": day,
        "project": project,
        "model": model,
        "requests": requests,
        "input": given,
        "output": made,
        "cached": cached,
        "reasoning": 0,
        "audio_input": 0,
        "audio_cached": 0,
        "audio_output": 0,
    }


def usage_api():
    """Pages of 31 days. Traps: a day on two pages; batches; a model without a known price; a name
    that the price table does not list; o1 on the day of its shutdown; a result whose cached tokens
    exceed its input.
    """
    days = {}
    for row in truth():
        days.setdefault(row["day"], []).append(result(row))
    for i in range(4):
        trial = datetime.date(2026, 11, 16) + datetime.timedelta(i)
        days[trial].append(result(extra(trial, "research", "gpt-6.2-sol", 40, 260_000, 90_000)))
        old = datetime.date(2026, 8, 3) + datetime.timedelta(i)
        days[old].append(
            result(extra(old, "search", "gpt-5.2-chat-latest", 5200, 9_400_000, 1_300_000))
        )
    for sunday in (datetime.date(2026, 8, 30) + datetime.timedelta(7 * i) for i in range(12)):
        days[sunday].append(
            result(
                extra(sunday, "tagging", "gpt-4o-mini-2024-07-18", 9000, 5_600_000, 410_000),
                batch=True,
            )
        )
    last = datetime.date(2026, 10, 23)
    days[last].append(result(extra(last, "contracts", "o1-2024-12-17", 31, 290_000, 131_000)))
    days[last].append(
        result(extra(last, "support", "gpt-4o-2024-08-06", 12, 20_000, 3_600, cached=31_000))
    )
    buckets = [
        {
            "object": "bucket",
            "start_time": epoch(d),
            "end_time": epoch(d) + 86_400,
            "results": found,
        }
        for d, found in sorted(days.items())
    ]
    pages = [buckets[i : i + 31] for i in range(0, len(buckets), 31)]
    pages[1].insert(0, pages[0][-1])  # a day on two pages
    text = []
    for i, page in enumerate(pages):
        more = i + 1 < len(pages)
        lines = [
            f'{{"object": "bucket", "start_time": {b["start_time"]}, "end_time": {b["end_time"]}, "results": [\n'
            + ",\n".join(json.dumps(r) for r in b["results"])
            + "]}"
            for b in page
        ]
        text.append(
            '{"object": "page", "has_more": '
            + json.dumps(more)
            + ', "next_page": '
            + json.dumps(f"page_{i + 2}" if more else None)
            + ', "data": [\n'
            + ",\n".join(lines)
            + "]}"
        )
    return "[" + ",\n".join(text) + "]\n"


def costs_api():
    """The costs API over two weeks, grouped by line item. Trap: an amount in another currency."""
    dice, buckets = random.Random(10), []
    for i in range(14):
        day = datetime.date(2026, 11, 8) + datetime.timedelta(i)
        results = [
            {
                "object": "organization.costs.result",
                "amount": {"value": round(usd * dice.lognormvariate(0, 0.1), 6), "currency": "usd"},
                "line_item": item,
                "project_id": None,
            }
            for item, usd in (
                ("gpt-4o-2024-08-06, input", 9.1),
                ("gpt-4o-2024-08-06, output", 11.2),
                ("gpt-5.6-sol, output", 20.5),
            )
        ]
        if i == 5:
            results.append(
                {
                    "object": "organization.costs.result",
                    "amount": {"value": 4.0, "currency": "eur"},
                    "line_item": "support plan",
                    "project_id": None,
                }
            )
        buckets.append(
            {
                "object": "bucket",
                "start_time": epoch(day),
                "end_time": epoch(day) + 86_400,
                "results": results,
            }
        )
    return (
        json.dumps(
            {"object": "page", "has_more": False, "next_page": None, "data": buckets}, indent=1
        )
        + "\n"
    )


DASHBOARD = [
    "start_time",
    "end_time",
    "start_time_iso",
    "end_time_iso",
    "project_id",
    "num_model_requests",
    "user_id",
    "api_key_id",
    "model",
    "batch",
    "service_tier",
    "input_tokens",
    "output_tokens",
    "input_cached_tokens",
    "input_uncached_tokens",
    "input_text_tokens",
    "output_text_tokens",
    "input_cached_text_tokens",
    "input_audio_tokens",
    "input_cached_audio_tokens",
    "output_audio_tokens",
]


def dashboard(since=datetime.date(2026, 9, 28)):
    """The last eight weeks as the dashboard's CSV, whose columns are not documented; these are
    those of an export seen in public. Traps: a day without calls; a negative count; a count in
    words; the last line is cut in half.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, DASHBOARD, lineterminator="\n")
    writer.writeheader()
    for i, row in enumerate(r for r in truth() if r["day"] >= since):
        start = {
            "start_time": epoch(row["day"]),
            "end_time": epoch(row["day"]) + 86_400,
            "start_time_iso": f"{row['day']}T00:00:00+00:00",
            "end_time_iso": f"{row['day'] + datetime.timedelta(1)}T00:00:00+00:00",
        }
        if i == 20:
            writer.writerow(start)
        line = {
            c: result(row, service_tier="default", batch="FALSE").get(c) for c in DASHBOARD
        } | start
        line |= {
            c: f"{v:.1f}"
            for c, v in line.items()
            if isinstance(v, int) and not c.startswith(("start", "end"))
        }
        writer.writerow(line)
        if i in (50, 90):
            writer.writerow(
                line | ({"output_tokens": "-310.0"} if i == 50 else {"input_tokens": "about 2400"})
            )
    return out.getvalue() + out.getvalue().splitlines()[-1][:90]


def requests(since=datetime.date(2026, 11, 16), of_a_thousand=9, seed=11):
    """Single calls of the last days, a small sample of the truth: (time, row of one call)."""
    dice = random.Random(seed)
    for row in truth():
        if row["day"] >= since and row["project"] != "phone":
            for _ in range(
                max(
                    1,
                    row["requests"]
                    * of_a_thousand
                    // 1000
                    // (8 if row["project"] in ("tagging", "search") else 1),
                )
            ):
                seconds = int(dice.triangular(6, 22, 14) * 3600)
                one = {
                    k: round(v / row["requests"] * dice.lognormvariate(0, 0.3))
                    if k in ("input", "output")
                    else v
                    for k, v in row.items()
                }
                one["cached"] = round(one["input"] * row["cached"] / row["input"]) // 128 * 128
                one["reasoning"] = round(one["output"] * row["reasoning"] / row["output"])
                yield (
                    datetime.datetime.combine(row["day"], datetime.time())
                    + datetime.timedelta(seconds=seconds, milliseconds=dice.randrange(1000)),
                    one,
                )


def litellm():
    """A week of a LiteLLM spend log, one call a line. Traps: a call that was logged twice; a
    deployment's own name in place of a model; times with and without a zone; the last line is cut
    in half.
    """
    lines = []
    for i, (when, row) in enumerate(requests()):
        stamp = (
            when.isoformat(" ", "milliseconds")
            if i % 3
            else when.isoformat("T", "milliseconds") + "Z"
        )
        lines.append(
            json.dumps(
                {
                    "request_id": f"chatcmpl-synthetic-{i:05}",
                    "call_type": "acompletion",
                    "api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
                    "spend": 0.0,
                    "total_tokens": row["input"] + row["output"],
                    "prompt_tokens": row["input"],
                    "completion_tokens": row["output"],
                    "startTime": stamp,
                    "model": "acme-gpt4o-eu" if i % 97 == 50 else row["model"],
                    "user": "",
                    "end_user": None,
                    "request_tags": [row["project"]],
                    "team_id": None,
                    "metadata": {
                        "user_api_key_alias": f"{row['project']}-prod",
                        "usage_object": {
                            "prompt_tokens": row["input"],
                            "completion_tokens": row["output"],
                            "prompt_tokens_details": {
                                "cached_tokens": row["cached"],
                                "audio_tokens": 0,
                            },
                            "completion_tokens_details": {
                                "reasoning_tokens": row["reasoning"],
                                "audio_tokens": 0,
                            },
                        },
                    },
                }
            )
        )
    lines.insert(40, lines[33])
    return "\n".join(lines) + "\n" + lines[-1][:200]


def otel():
    """Two days as OpenTelemetry spans, one a line. Traps: an agent's span that sums up its calls;
    spans of other work.
    """
    lines = []
    for i, (when, row) in enumerate(requests(datetime.date(2026, 11, 20), 6, seed=12)):
        span = {
            "name": f"chat {row['model']}",
            "context": {"trace_id": f"{i // 4:032x}", "span_id": f"{i + 1:016x}"},
            "start_time": when.isoformat("T", "microseconds") + "Z",
            "resource": {"attributes": {"service.name": row["project"]}},
        }
        usage = {
            "gen_ai.usage.input_tokens": row["input"],
            "gen_ai.usage.output_tokens": row["output"],
            "gen_ai.usage.cache_read.input_tokens": row["cached"],
            "gen_ai.usage.reasoning.output_tokens": row["reasoning"],
        }
        chat = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": row["model"],
            "gen_ai.response.model": row["model"],
        }
        lines.append(json.dumps(span | {"attributes": chat | usage}))
        if row["project"] == "research":
            lines.append(
                json.dumps(
                    span
                    | {
                        "name": "invoke_agent",
                        "context": {
                            "trace_id": f"{i // 4:032x}",
                            "span_id": f"{i + 1:08x}a{i:07x}",
                        },
                        "attributes": chat | {"gen_ai.operation.name": "invoke_agent"} | usage,
                    }
                )
            )
        if i % 20 == 0:
            lines.append(
                json.dumps(
                    span
                    | {
                        "name": "GET /orders",
                        "context": {
                            "trace_id": f"{i // 4:032x}",
                            "span_id": f"{i + 1:08x}b{i:07x}",
                        },
                        "attributes": {"http.request.method": "GET"},
                    }
                )
            )
    return "\n".join(lines) + "\n"


FILES = {
    "synthetic_usage.json": usage_api,
    "synthetic_costs.json": costs_api,
    "synthetic_dashboard.csv": dashboard,
    "synthetic_litellm.jsonl": litellm,
    "synthetic_otel.jsonl": otel,
}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, write in FILES.items():
        (FOLDER / name).write_text(write(), encoding="utf-8", newline="\n")
        print(name, (FOLDER / name).stat().st_size)


if __name__ == "__main__":
    main()
