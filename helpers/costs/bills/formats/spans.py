"""OpenTelemetry spans and log records of calls: OTLP JSON, or one span a line.

The same count has another name in each convention: OpenTelemetry's own, now and before, and those
of OpenLLMetry, OpenInference and the AI SDK of Vercel. data/span_attributes.csv has the names, the
convention and the source of each. A call may be told more than once: by the agent around it, which
adds up its calls, or by two instrumentations, one span inside the other. `once` counts it once.
"""

import functools
import re

from ....facts import tables
from .records import BROKEN, call, dicts, first, parsed

COUNTS = ("input", "output", "cached", "cache_write", "reasoning")
TIMES = ("startTimeUnixNano", "timeUnixNano", "start_time", "startTime", "timestamp", "time")
SUMS_UP = {"invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "agent", "chain"}
SUMS_UP |= {"workflow", "task", "tool", "ai.generatetext", "ai.streamtext", "ai.generateobject"}
SUMS_UP |= {"ai.streamobject"}
TOOLS = {"execute_tool", "tool", "ai.toolcall"}
ELSEWHERE = "its parts are counted elsewhere"
TWICE = "the same call, seen by another instrumentation"


def otlp(message, notes):
    """The spans of a message of OTLP in JSON (opentelemetry-proto, traces or logs)."""
    for resource in dicts(message.get("resourceSpans") or message.get("resourceLogs")):
        of_all = attributes(parsed(resource.get("resource")).get("attributes"))
        for scope in dicts(resource.get("scopeSpans") or resource.get("scopeLogs")):
            by = parsed(scope.get("scope")).get("name")
            for found in dicts(scope.get("spans") or scope.get("logRecords")):
                yield from span(found, notes, of_all, by)


def span(found, notes, of_all=None, by=None):
    """A row of a span: its counts, and under "span" what `once` needs. Of a span without counts
    only that, and "nothing".
    """
    a = (
        (of_all or {})
        | attributes(parsed(found.get("resource")).get("attributes"))
        | flat(attributes(found.get("attributes", found)))
    )
    row = {field: first(a, *names) for field, names in _names().items()}
    context = parsed(found.get("context"))
    trace = found.get("traceId") or found.get("trace_id") or context.get("trace_id")
    own = found.get("spanId") or found.get("span_id") or context.get("span_id")
    parent = found.get("parentSpanId") or found.get("parent_span_id") or found.get("parent_id")
    kind = str(row.pop("operation") or "").lower()
    place = {
        "own": (str(trace), str(own)) if trace and own else None,
        "parent": (str(trace), str(parent)) if trace and parent else None,
        "sums": kind in SUMS_UP,
        "tool": kind in TOOLS,
        "answer": str(row.pop("answer") or ""),
        "by": str(by),
    }
    if row["input"] is None and row["output"] is None:
        tokens = sorted(n for n in a if "token" in n.lower() and "usage" in n.lower())
        notes.append("spans without a count of tokens were left aside")
        if tokens:
            notes.append(f"attributes that look like counts and are not known: {', '.join(tokens)}")
        yield {"nothing": True, "span": place} if found else BROKEN
        return
    yield row | {
        "when": next((found[k] for k in TIMES if found.get(k)), None),
        **call(f"{trace} {own}" if trace and own else None, found),
        "output": row["output"] or 0,
        "span": place,
    }


AS_COLUMNS = "attributes."


def is_table(record):
    ids = {"context.trace_id", "context.span_id"} <= set(record)
    return ids and any(str(name).startswith(AS_COLUMNS) for name in record)


def row_of_a_table(r, notes):
    """A span as a row of the table that Phoenix and Arize make of spans (phoenix.client,
    get_spans_dataframe): each attribute has a column.
    """
    own = {
        name.removeprefix(AS_COLUMNS): _plain(value)
        for name, value in r.items()
        if name.startswith(AS_COLUMNS) and value is not None
    }
    own.setdefault("openinference.span.kind", r.get("span_kind"))
    ids = {name: r.get(f"context.{name}") for name in ("trace_id", "span_id")}
    about = {"parent_id": r.get("parent_id"), "start_time": r.get("start_time")}
    yield from span({**about, "attributes": own, "context": ids} if r else {}, notes)


def _plain(value):
    """12.0, as a table writes a count where other rows have none, as 12."""
    return int(float(value)) if re.fullmatch(r"\d{1,15}\.0+", str(value)) else value


SPANS = (span, otlp, row_of_a_table)


def once(rows, notes):
    """The rows, with each call counted once: by span ancestry, then by the id of the answer.

    A span around others with counts is counted there, unless a tool stands between: then it made a
    call of its own. Two spans with one answer's id are one call. What only one of the two tells,
    such as the cached tokens, is kept.
    """
    rows = [dict(row) for row in rows]
    spans = [row for row in rows if row.get("span")]
    _by_ancestry(spans, notes)
    _by_answer(spans)
    _sums(spans, notes)
    left = sum(row.get("trouble") in (TWICE, ELSEWHERE) for row in spans)
    if left:
        notes.append(f"spans that tell calls a second time, not counted again: {left}")
    _known(spans)
    silent = [r for r in spans if not r.get("nothing") and r["reasoning"] is None]
    if silent:
        most = sum(_number(r["output"]) for r in silent if not r.get("trouble"))
        notes.append(
            f"spans that do not tell hidden tokens: {len(silent):,}. They are between 0 and {most:,} of the output, and cost the same"
        )
    return rows


def _inside(spans):
    """{id of a row: the rows of the spans inside it that it may count, too}."""
    at = {row["span"]["own"]: row for row in spans if row["span"]["own"]}
    inside: dict[int, list] = {}
    for row in spans:
        if row.get("nothing"):
            continue
        through_tool, above, seen = False, row["span"]["parent"], set()
        while above in at and above not in seen:
            seen.add(above)
            outer = at[above]
            counted = not outer.get("nothing")
            if counted and (outer["span"]["sums"] or not through_tool):
                inside.setdefault(id(outer), []).append(row)
            through_tool |= outer["span"]["tool"] or counted and not outer["span"]["sums"]
            above = outer["span"]["parent"]
    return inside


def _by_ancestry(spans, notes):
    """Leave a span uncounted whose calls are those of spans inside it."""
    inside = _inside(spans)
    for row in spans:
        parts = inside.get(id(row), [])
        if row.get("nothing") or not parts:
            continue
        twin = next((p for p in parts if _alike(row, p)), None)
        if twin is not None and not row["span"]["sums"]:
            _complete(twin, row)
        elif sum(_number(p["input"]) for p in parts) < _number(row["input"]):
            notes.append(
                "a span says more input than the spans inside it: a part of them may not be in the file"
            )
        row["trouble"] = TWICE if twin is not None and len(parts) == 1 else ELSEWHERE


def _by_answer(spans):
    """Leave a span uncounted whose answer another one has."""
    answered: dict[object, dict] = {}
    for row in spans:
        answer = row["span"]["answer"]
        if row.get("nothing") or row.get("trouble") or not answer:
            continue
        if answer in answered and _alike(answered[answer], row):
            _complete(answered[answer], row)
            row["trouble"] = TWICE
        answered.setdefault(answer, row)


def _sums(spans, notes):
    """Leave the sum of an agent uncounted where a call of its trace is in the file."""
    traces = {s["own"][0] for r in spans if not r.get("nothing") and (s := r["span"])["own"] and not s["sums"]}  # fmt: skip
    for row in spans:
        place = row["span"]
        if row.get("nothing") or row.get("trouble") or not place["sums"]:
            continue
        if not place["own"] or place["own"][0] in traces:
            row["trouble"] = ELSEWHERE
        else:
            notes.append("spans of agents whose calls are not in the file count themselves")


def _known(spans):
    """Where an instrumentation tells a count of any span, its other spans had none of it."""
    for field in ("cached", "reasoning"):
        tells = {r["span"]["by"] for r in spans if r.get(field) is not None}
        for row in spans:
            if not row.get("nothing") and row.get(field) is None and row["span"]["by"] in tells:
                row[field] = 0


def _alike(one, other):
    return all(_number(one[n]) == _number(other[n]) for n in ("input", "output"))


def _complete(row, other):
    for field in ("model", "feature", "user", "tier", *COUNTS):
        if row.get(field) is None:
            row[field] = other.get(field)


def _number(value):
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


@functools.cache
def _names():
    """{field: attribute names, the first that is there is read}"""
    found = {}
    for row in tables.rows("span_attributes.csv"):
        found.setdefault(row["field"], []).append(row["attribute"])
    return found


def attributes(value):
    """Attributes as a dict, from OTLP's list of keys and typed values or from a dict already."""
    if isinstance(value, dict):
        return value
    found = {}
    for pair in value if isinstance(value, list) else []:
        if isinstance(pair, dict) and isinstance(pair.get("key"), str):
            typed = pair.get("value")
            found[pair["key"]] = (
                next(iter(typed.values()), None) if isinstance(typed, dict) else typed
            )
    return found


def flat(value, before="", deep=6):
    """{"llm": {"token_count": …}} with the names joined by dots, as Phoenix exports attributes."""
    found = {}
    for name, inner in value.items():
        if isinstance(inner, dict) and deep:
            found |= flat(inner, f"{before}{name}.", deep - 1)
        else:
            found[f"{before}{name}"] = inner
    return found
