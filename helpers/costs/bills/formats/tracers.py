"""What tools that watch calls export: Langfuse's observations, LangSmith's runs, PostHog's events,
ccusage. The first three also as CSV, whose cells may hold JSON.
"""

from .records import BROKEN, call, dicts, first, parsed, whole

PARTS = "the parts exceed their total"
FLAT = ("promptTokens", "completionTokens", "totalTokens")  # in a CSV a column each


def is_langfuse(record):
    names = set(record)
    counted = {"usageDetails", "usage", *FLAT} & names
    return "type" in names and bool(counted) and bool({"traceId", "usageDetails"} & names)


def is_langfuse_page(record):
    return any(is_langfuse(r) for r in dicts(record.get("data")))


def langfuse_page(page, notes):
    """The observations of a page of Langfuse's API; a page that names a next one is noted."""
    meta = parsed(page.get("meta"))
    page_of = [meta.get("page"), meta.get("totalPages")]
    if meta.get("cursor") or all(isinstance(n, int) for n in page_of) and page_of[0] < page_of[1]:
        notes.append("the last page names a next one, which is not in the file")
    for r in dicts(page.get("data")):
        yield from langfuse(r, notes)


def langfuse(r, notes):
    """An observation of Langfuse (its public API, GET /observations). usageDetails may name parts
    of the input beside it, as Langfuse's own reading of OpenAI's usage does, or inside it; `total`
    tells which. Without a total, parts count as beside it.
    """
    flat = {name: r[name] for name in FLAT if r.get(name) is not None}
    usage = parsed(r.get("usageDetails")) or parsed(r.get("usage")) or flat
    if str(r.get("type")).upper() != "GENERATION" or not usage:
        notes.append("observations that are no generation, or have no usage, were left aside")
        yield None if r else BROKEN
        return
    row = {
        "when": r.get("startTime"),
        "model": r.get("model"),
        "feature": r.get("name"),
        "user": r.get("userId"),
        **call(r.get("id"), r),
        "stated": parsed(r.get("costDetails")).get("total", r.get("calculatedTotalCost")),
    }
    given, made = first(usage, "input", "promptTokens"), first(usage, "output", "completionTokens")
    cached = first(usage, "input_cached_tokens", "cache_read_input_tokens", "input_cached")
    parts_in = _sum(usage, "input_") + _sum(usage, "cache_read_input_tokens")
    parts_out = _sum(usage, "output_")
    total = first(usage, "total", "totalTokens")
    whole_numbers = all(isinstance(n, int) for n in (given, made, total))
    if whole_numbers and total == given + made:
        parts_in = parts_out = 0
    elif whole_numbers and total != given + made + parts_in + parts_out:
        row["trouble"] = PARTS
    yield row | {
        "input": given + parts_in if isinstance(given, int) else given,
        "output": made + parts_out if isinstance(made, int) else made,
        "cached": cached,
        "audio_input": usage.get("input_audio_tokens"),
        "audio_output": usage.get("output_audio_tokens"),
        "reasoning": first(usage, "output_reasoning_tokens", "output_reasoning"),
        "cache_write": first(
            usage, "input_cache_write_tokens", "cache_creation_input_tokens", "input_cache_creation"
        ),
    }


def _sum(usage, begin):
    return sum(n for k, n in usage.items() if k.startswith(begin) and isinstance(n, int))


def is_langsmith(record):
    names = set(record)
    return {"run_type", "start_time"} <= names and bool({"trace_id", "prompt_tokens"} & names)


def langsmith(r, notes):
    """A run of LangSmith (its API, POST /runs/query). Chains and tools add up what the runs inside
    them used: only runs of the type llm are calls.
    """
    if r.get("run_type") != "llm":
        summed = r.get("run_type") is not None and first(r, "prompt_tokens", "total_tokens")
        if summed:
            notes.append("runs that add up others are not counted: only those of the type llm")
        yield None
        return
    extra = parsed(r.get("extra"))
    meta = parsed(extra.get("metadata"))
    usage = parsed(parsed(r.get("outputs")).get("usage_metadata")) or parsed(meta.get("usage_metadata"))  # fmt: skip
    given, made = parsed(usage.get("input_token_details")), parsed(usage.get("output_token_details"))  # fmt: skip
    details = parsed(r.get("prompt_token_details")), parsed(r.get("completion_token_details"))
    yield {
        "when": r.get("start_time"),
        "model": first(meta, "ls_model_name")
        or parsed(extra.get("invocation_params")).get("model")
        or first(r, "ls_model_name", "model"),
        "feature": r.get("session_name") or r.get("name"),
        "input": first(r, "prompt_tokens") or usage.get("input_tokens"),
        "output": r["completion_tokens"]
        if r.get("completion_tokens") is not None
        else usage.get("output_tokens"),  # fmt: skip
        "cached": first(details[0], "cache_read") if details[0] else given.get("cache_read"),
        "audio_input": given.get("audio"),
        "audio_output": made.get("audio"),
        "reasoning": first(details[1], "reasoning") if details[1] else made.get("reasoning"),
        "cache_write": first(details[0] or given, "cache_creation"),
        "stated": r.get("total_cost"),
        **call(r.get("id"), r),
    }


CALLS = ("$ai_generation", "$ai_embedding")
OF_POSTHOG = "properties."  # before a property's name, where each has a column


def is_posthog(record):
    if any(str(name).startswith(f"{OF_POSTHOG}$ai_") for name in record):
        return True
    if not {"event", "properties"} <= set(record):
        return False
    own = parsed(record["properties"]) or ()
    heads = record["event"] is None and "distinct_id" in record  # of a CSV
    return heads or any(str(name).startswith("$ai_") for name in own)


def posthog(r, notes):
    """An event of PostHog (its documentation, LLM analytics: Manual capture). Only generations and
    embeddings are calls. What came from the cache is inside the input, as OpenAI counts it.
    """
    own = {
        str(n).removeprefix(OF_POSTHOG): v for n, v in (parsed(r.get("properties")) or r).items()
    }
    tokens = [own.get(f"$ai_{which}_tokens") for which in ("input", "output")]
    if r.get("event", CALLS[0]) not in CALLS or tokens == [None, None]:
        notes.append("events that are no call of a model, or have no tokens, were left aside")
        yield None if r else BROKEN
        return
    yield {
        "when": r.get("timestamp"),
        "model": own.get("$ai_model"),
        "feature": own.get("$ai_span_name"),
        "user": r.get("distinct_id"),
        **call(first(r, "uuid", "id"), r),
        "input": tokens[0],
        "output": tokens[1] or 0,
        "cached": own.get("$ai_cache_read_input_tokens"),
        "cache_write": own.get("$ai_cache_creation_input_tokens"),
        "reasoning": own.get("$ai_reasoning_tokens"),
        "stated": own.get("$ai_total_cost_usd"),
    }


def is_ccusage(record):
    days = dicts(record.get("daily"))
    return any("modelBreakdowns" in d for d in days) and any("inputTokens" in d for d in days)


def ccusage(file, notes):
    """ccusage daily --json (its README): a row a day and model; cached tokens stand beside the
    input, not inside it. How many calls a day had is not told.
    """
    notes.append("how many calls a row had is not told: whether one was above 272,000 tokens is not known")  # fmt: skip
    for day in dicts(file.get("daily")):
        for m in dicts(day.get("modelBreakdowns")):
            counts = [m.get(n) for n in ("inputTokens", "cacheReadTokens", "cacheCreationTokens")]
            known = all(isinstance(n, int) for n in counts if n is not None)
            yield {
                "when": day.get("date") or day.get("period"),
                "model": m.get("modelName"),
                "requests": None,
                "input": sum(n or 0 for n in counts) if known and counts[0] is not None else None,
                "output": m.get("outputTokens"),
                "cached": counts[1],
                "cache_write": counts[2],
                "stated": m.get("cost"),
                "id": whole([day.get("date"), m]),
            }
