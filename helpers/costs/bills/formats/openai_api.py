"""What OpenAI's own API gives: pages of the usage and costs API, answers kept one a line, the
output of a batch, and the usage JSON of before 2025.
"""

from .records import BROKEN, call, dicts, first, less, parsed, whole

USAGE_API = {
    "input": "input",
    "cached": "input_cached",
    "audio_input": "input_audio",
    "audio_cached": "input_cached_audio",
    "image_input": "input_image",
    "image_cached": "input_cached_image",
    "output": "output",
    "audio_output": "output_audio",
    "image_output": "output_image",
    "cache_write": "input_cache_write",
}
ANSWERS = ("chat.completion", "chat.completion.chunk", "response", "realtime.response")
OTHER_TOKENS = "not sold by this kind of token"
MIXED = "the kinds of token are not told"


def is_page(record):
    """A page of the usage or costs API, or one bucket of it."""
    return (
        isinstance(record.get("data"), list)
        and (
            record.get("object") == "page"
            or any("results" in b for b in dicts(record["data"]) if "start_time" in b)
        )
        or "results" in record
        and "start_time" in record
    )


def pages(page, notes):
    """openai 3.54.0, types/admin/organization"""
    buckets = page.get("data") if "results" not in page else [page]
    for bucket in dicts(buckets):
        results = bucket.get("results", ...)
        if results == []:
            yield None
            continue
        for r in dicts(results):
            kind = str(r.get("object", ""))
            row = {
                "when": bucket.get("start_time"),
                "feature": r.get("project_id"),
                "user": r.get("user_id"),
                "key": r.get("api_key_id"),
                "id": whole([bucket.get("start_time"), r]),
            }
            if kind == "organization.costs.result":
                amount = parsed(r.get("amount"))
                yield row | {
                    "model": r.get("line_item") or "(no line item)",
                    "stated": amount.get("value"),
                    "currency": amount.get("currency"),
                    "cost": True,
                }
            elif (
                kind == "organization.usage.completions.result" or not kind and "input_tokens" in r
            ):
                yield (
                    row
                    | {
                        "model": r.get("model"),
                        "requests": r.get("num_model_requests"),
                        "batch": r.get("batch"),
                        "tier": r.get("service_tier"),
                    }
                    | {ours: r.get(f"{theirs}_tokens") for ours, theirs in USAGE_API.items()}
                )
            elif kind:
                yield row | {"model": r.get("model") or kind, "trouble": OTHER_TOKENS}
            else:
                yield row | BROKEN


def counts(usage):
    """The counts of an answer's `usage`, in the words of Chat Completions, Responses or Realtime
    (openai 3.54.0, types/). No details at all: what came from the cache is not known.
    """
    given = first(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    made = first(
        usage, "completion_tokens_details", "output_tokens_details", "output_token_details"
    )
    inside, outside = parsed(given), parsed(made)
    within = parsed(inside.get("cached_tokens_details"))
    row = {
        "input": first(usage, "prompt_tokens", "input_tokens"),
        "output": first(usage, "completion_tokens", "output_tokens"),
        "cached": inside.get("cached_tokens"),
        "audio_input": less(inside.get("audio_tokens"), within.get("audio_tokens")),
        "audio_cached": within.get("audio_tokens"),
        "audio_output": outside.get("audio_tokens"),
        "reasoning": outside.get("reasoning_tokens"),
        "cache_write": inside.get("cache_write_tokens"),
    }
    if "input_token_details" in usage:  # only Realtime sells pictures at a price of their own
        row["image_input"] = less(inside.get("image_tokens"), within.get("image_tokens"))
        row["image_cached"] = within.get("image_tokens")
    return row


def found_answer(record):
    """(the answer in a record, whether it is of a batch): bare, as Batch files have it in
    response.body, or beside its request under response, body or output. (None, False) where there
    is none.
    """
    batch = "custom_id" in record and "response" in record
    for _ in range(3):
        if record.get("object") in ANSWERS or (
            "usage" in record and "model" in record and str(record.get("id", "")).startswith(("chatcmpl", "resp_"))
        ):  # fmt: skip
            return record, batch
        inner = next((record[n] for n in ("body", "response", "output") if isinstance(record.get(n), dict)), None)  # fmt: skip
        if inner is None:
            return None, False
        record = inner
    return None, False


def is_answer(record):
    batch = {"custom_id", "response"} <= set(record) and ("error" in record or "id" in record)
    return batch or found_answer(record)[0] is not None


def is_list_of_answers(record):
    return record.get("object") == "list" and any(is_answer(r) for r in dicts(record.get("data")))


def list_of_answers(page, notes):
    for record in dicts(page.get("data")):
        yield from answers(record, notes)


def answers(record, notes):
    """An answer of Chat Completions, Responses or Realtime as the API gave it, or a line of a Batch
    output file (openai 3.54.0, types/; the Batch guide). A piece of a stream without `usage` and a
    request of a batch that failed hold no tokens.
    """
    answer, batch = found_answer(record)
    usage = parsed(answer.get("usage")) if answer else {}
    if not usage:
        failed = bool(record.get("error")) or "custom_id" in record
        piece = answer is not None and answer.get("object") == "chat.completion.chunk"
        if failed or piece or record.get("object") == "error":
            notes.append("lines without usage hold no tokens: failed requests, pieces of a stream")
            yield None
        else:
            yield BROKEN | ({"trouble": "a count is missing or not a whole number"} if answer else {})  # fmt: skip
        return
    yield (
        counts(usage)
        | {
            "when": first(answer, "created", "created_at")
            or first(record, "created", "created_at", "timestamp", "time"),
            "model": answer.get("model"),
            "feature": parsed(answer.get("metadata")).get("project"),
            "user": answer.get("user"),
            "tier": None if answer.get("service_tier") == "auto" else answer.get("service_tier"),
            "batch": batch or None,
        }
        | call(answer.get("id"), record)
    )


def is_old_usage(record):
    lists = [record.get(k) for k in ("data", "ft_data", "dalle_api_data", "whisper_api_data")]
    named = any({"n_context_tokens_total", "snapshot_id"} <= set(r) for r in dicts(lists[0]))
    return named or record.get("object") == "list" and "ft_data" in record


def old_usage(page, notes):
    """GET /v1/usage?date=…, the usage JSON of before 2025, which is not documented; as Elastic's
    Metricbeat keeps it (x-pack/metricbeat/module/openai). Cached tokens are inside the context
    tokens. What Realtime and sound cost cannot be told: the sound is not counted apart.
    """
    for r in dicts(page.get("data")) if page.get("data") else []:
        heard = any(w in f"{r.get('snapshot_id')} {r.get('operation')}" for w in ("realtime", "audio"))  # fmt: skip
        other = not str(r.get("operation", "completion")).startswith("completion")
        yield {
            "when": r.get("aggregation_timestamp"),
            "model": r.get("snapshot_id"),
            "requests": r.get("n_requests"),
            "input": r.get("n_context_tokens_total"),
            "output": r.get("n_generated_tokens_total"),
            "cached": r.get("n_cached_context_tokens_total"),
            "feature": first(r, "project_name", "project_id"),
            "user": r.get("email"),
            "key": first(r, "api_key_name", "api_key_id"),
            "tier": r.get("request_type"),
            "id": whole(r),
            "trouble": MIXED if heard else OTHER_TOKENS if other else None,
        }
    if not page.get("data"):
        yield None
    for name in sorted(k for k in page if k.endswith("_data") and page[k]):
        for r in dicts(page[name]):
            yield {
                "when": r.get("timestamp"),
                "model": first(r, "model_id", "model") or name,
                "id": whole([name, r]),
                "trouble": OTHER_TOKENS,
            }
