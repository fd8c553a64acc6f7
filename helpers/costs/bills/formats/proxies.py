"""What proxies and gateways keep: LiteLLM's spend log and daily activity, OpenRouter's activity,
Helicone's requests, Portkey's log export, Cloudflare's AI Gateway logs, opencode's usage.
"""

from decimal import Decimal, InvalidOperation

from .openai_api import counts
from .records import BROKEN, call, dicts, first, parsed, whole

OWN_CACHE = "answered from the proxy's own cache"
SAYS_YES = ("true", "1", "yes", "hit")


def is_spend(record):
    return {"prompt_tokens", "completion_tokens"} <= set(record) and (
        "startTime" in record or {"request_id", "spend"} <= set(record)
    )


def spend(r, notes):
    """A row of LiteLLM's LiteLLM_SpendLogs (its schema); the kinds of token stand in
    metadata.usage_object, where it was kept. A hit in the proxy's own cache costs nothing.
    """
    meta = parsed(r.get("metadata"))
    usage = parsed(meta.get("usage_object"))
    tags = parsed(r.get("request_tags"), list)
    if not usage:
        notes.append(
            "rows without metadata.usage_object: their cached and hidden tokens are not known, and count as ordinary ones"
        )
    told = counts(usage)
    yield told | {
        "when": r.get("startTime"),
        "model": r.get("model"),
        **call(r.get("request_id"), r),
        "feature": tags[0] if tags else r.get("team_id"),
        "user": r.get("end_user") or r.get("user"),
        "key": meta.get("user_api_key_alias") or r.get("api_key"),
        "input": r.get("prompt_tokens"),
        "output": r.get("completion_tokens"),
        "stated": r.get("spend"),
        "tier": usage.get("service_tier"),
        "cache_write": first(told, "cache_write") or usage.get("cache_creation_input_tokens"),
        "trouble": OWN_CACHE if _yes(r.get("cache_hit")) else None,
    }


def _yes(value):
    return str(value).strip().lower() in SAYS_YES


def is_daily_activity(record):
    return any({"date", "breakdown"} <= set(r) for r in dicts(record.get("results")))


def daily_activity(page, notes):
    """LiteLLM's /user/daily/activity (litellm 1.109.1,
    types/proxy/management_endpoints/common_daily_activity.py): a row a day and model. A day whose
    models do not add up to its own tokens is told.
    """
    meta = parsed(page.get("metadata"))
    if meta.get("has_more"):
        notes.append("the last page names a next one, which is not in the file")
    for day in dicts(page.get("results")):
        models = parsed(parsed(day.get("breakdown")).get("models"))
        whole_day = parsed(day.get("metrics"))
        if not models:
            yield None if not whole_day.get("total_tokens") else {
                "when": day.get("date"), "id": whole(day), "trouble": "no model is named"
            }  # fmt: skip
            continue
        for name, entry in models.items():
            m = parsed(parsed(entry).get("metrics")) or parsed(entry)
            yield {
                "when": day.get("date"),
                "model": name,
                "requests": m.get("successful_requests", m.get("api_requests")),
                "input": m.get("prompt_tokens"),
                "output": m.get("completion_tokens"),
                "cached": m.get("cache_read_input_tokens"),
                "cache_write": m.get("cache_creation_input_tokens"),
                "stated": m.get("spend"),
                "id": whole([day.get("date"), name, m]),
            }
        told = [parsed(parsed(e).get("metrics")) or parsed(e) for e in models.values()]
        sums = [m.get("total_tokens") for m in told]
        if all(isinstance(n, int) for n in (*sums, whole_day.get("total_tokens"))):
            if sum(sums) != whole_day["total_tokens"]:
                notes.append(
                    f"{day.get('date')}: the models add up to {sum(sums):,} tokens, the day says {whole_day['total_tokens']:,}"
                )


def is_openrouter(record):
    return {"model_permaslug", "byok_usage_inference"} <= set(record)


def is_openrouter_page(record):
    return any(is_openrouter(r) for r in dicts(record.get("data")))


def openrouter_page(page, notes):
    for r in dicts(page.get("data")):
        yield from openrouter(r, notes)


def openrouter(r, notes):
    """A row of OpenRouter's GET /api/v1/activity (its API reference): a day and an endpoint. Cached
    tokens are not told; what was spent is.
    """
    if not is_openrouter(r):
        yield BROKEN
        return
    yield {
        "when": r.get("date"),
        "model": first(r, "model_permaslug", "model"),
        "requests": r.get("requests"),
        "input": r.get("prompt_tokens"),
        "output": r.get("completion_tokens"),
        "reasoning": r.get("reasoning_tokens"),
        "stated": first(r, "usage") or r.get("byok_usage_inference"),
        "id": whole(r),
    }


def is_helicone(record):
    return {"request_created_at", "prompt_tokens"} <= set(record)


def helicone(r, notes):
    """A request of Helicone (HeliconeRequest in its types). A hit in its own cache names the
    request it repeats.
    """
    repeats = str(r.get("cache_reference_id") or "").replace("-", "").strip("0")
    yield {
        "when": r.get("request_created_at"),
        "model": first(r, "model_override", "response_model", "model", "request_model"),
        "user": first(r, "helicone_user", "request_user_id", "user_id"),
        "input": r.get("prompt_tokens"),
        "output": r.get("completion_tokens"),
        "cached": r.get("prompt_cache_read_tokens"),
        "cache_write": r.get("prompt_cache_write_tokens"),
        "reasoning": r.get("reasoning_tokens"),
        "audio_input": r.get("prompt_audio_tokens"),
        "audio_output": r.get("completion_audio_tokens"),
        "stated": r.get("costUSD"),
        **call(r.get("request_id"), r),
        "trouble": OWN_CACHE if repeats else None,
    }


# {a field as Portkey's own dialog names it: as the export does}
PORTKEY = {"request_tokens": "req_units", "response_tokens": "res_units"}


def _of_portkey(name):
    small = str(name).strip().lower().replace(" ", "_")
    return PORTKEY.get(small, small)


def is_portkey(record):
    return {"ai_model", "req_units", "res_units"} <= set(map(_of_portkey, record))


def portkey(r, notes):
    """A line of Portkey's log export (its documentation, Logs Export: tokens are req_units and
    res_units, "Request Tokens" and "Response Tokens" in its dialog; `cost` is in US cents). The
    kinds of token stand in the answer, where that was asked for. A hit in its own cache costs
    nothing; a call that failed has no token.
    """
    r = {_of_portkey(name): value for name, value in r.items()}
    answer = parsed(first(r, "response", "response.body"))
    usage = parsed(parsed(answer.get("body") or answer).get("usage"))
    hit = "HIT" in str(r.get("cache_status", "")).upper().split()
    if not r.get("req_units") and not r.get("res_units") and not hit:
        yield None
        return
    yield counts(usage) | {
        "when": r.get("created_at"),
        "model": r.get("ai_model"),
        **call(r.get("id"), r),
        "user": parsed(r.get("metadata")).get("_user"),
        "feature": r.get("prompt_slug"),
        "input": r.get("req_units"),
        "output": r.get("res_units"),
        "stated": _dollars(r.get("cost"), r.get("cost_currency")),
        "trouble": OWN_CACHE if hit else None,
    }


def _dollars(cents, currency):
    """An amount in US cents as dollars; None where it is none."""
    try:
        return Decimal(str(cents)) / 100 if currency in (None, "", "USD") else None
    except InvalidOperation:
        return None


def is_cloudflare(record):
    return {"tokens_in", "tokens_out", "provider"} <= set(record)


def cloudflare(r, notes):
    """A log of Cloudflare's AI Gateway (its API reference, List Gateway Logs). A call that `cached`
    answered cost nothing; one that failed has no token.
    """
    hit = _yes(r.get("cached"))
    if not r.get("tokens_in") and not r.get("tokens_out") and not hit:
        yield None if r else BROKEN
        return
    yield {
        "when": r.get("created_at"),
        "model": r.get("model"),
        **call(r.get("id"), r),
        "input": r.get("tokens_in"),
        "output": r.get("tokens_out"),
        "stated": r.get("cost"),
        "trouble": OWN_CACHE if hit else None,
    }


BESIDE = ("cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")


def is_opencode(record):
    return {"input_tokens", "cost_micro_cents", *BESIDE} <= set(record)


def opencode(r, notes):
    """A row of opencode's usage export (its documentation, Usage export API): a day, person and
    model. What the cache read and wrote stands beside the input, not inside it, as its example
    shows.
    """
    parts = [r.get("input_tokens"), *map(r.get, BESIDE)]
    known = all(isinstance(n, int) for n in parts)
    yield {
        "when": r.get("day"),
        "model": r.get("model"),
        "user": first(r, "user_name", "user_id"),
        "requests": r.get("requests"),
        "input": sum(parts) if known else None,
        "output": r.get("output_tokens"),
        "cached": parts[1],
        "cache_write": sum(parts[2:]) if known else None,
        "stated": r.get("cost_usd"),
        "id": whole(r),
    }
