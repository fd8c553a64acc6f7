"""The formats of JSON that are read: one row each, recognised by more than one of its names.

A reader takes (record, notes) and yields rows: dicts with the fields of sources.FIELDS, or None for
what holds nothing. The order matters where one format has another's names.
"""

from . import azure, openai_api, ours, proxies, spans, tracers

FORMATS = [
    ("a LiteLLM page of daily activity", proxies.is_daily_activity, proxies.daily_activity),
    ("pages of OpenAI's usage API", openai_api.is_page, openai_api.pages),
    ("OpenAI's usage JSON of before 2025", openai_api.is_old_usage, openai_api.old_usage),
    ("a list of OpenAI's answers", openai_api.is_list_of_answers, openai_api.list_of_answers),
    (
        "OpenTelemetry, OTLP JSON",
        lambda r: "resourceSpans" in r or "resourceLogs" in r,
        spans.otlp,
    ),
    ("a LiteLLM spend log", proxies.is_spend, proxies.spend),
    ("Helicone's requests", proxies.is_helicone, proxies.helicone),
    ("Portkey's log export", proxies.is_portkey, proxies.portkey),
    ("Cloudflare's AI Gateway logs", proxies.is_cloudflare, proxies.cloudflare),
    ("opencode's usage export", proxies.is_opencode, proxies.opencode),
    ("Azure Monitor's token metrics", azure.is_metrics, azure.metrics),
    ("OpenRouter's activity", proxies.is_openrouter_page, proxies.openrouter_page),
    ("OpenRouter's activity", proxies.is_openrouter, proxies.openrouter),
    ("a page of Langfuse's observations", tracers.is_langfuse_page, tracers.langfuse_page),
    ("Langfuse's observations", tracers.is_langfuse, tracers.langfuse),
    ("LangSmith's runs", tracers.is_langsmith, tracers.langsmith),
    ("PostHog's events", tracers.is_posthog, tracers.posthog),
    ("ccusage, by day", tracers.is_ccusage, tracers.ccusage),
    ("a receipt of helpers.receipt()", ours.is_receipt, ours.receipt),
    ("a table of OpenTelemetry spans, by Phoenix or Arize", spans.is_table, spans.row_of_a_table),
    (
        "OpenTelemetry spans",
        lambda r: "attributes" in r or any(str(k).startswith("gen_ai.") for k in r),
        spans.span,
    ),
    ("a log of OpenAI's answers", openai_api.is_answer, openai_api.answers),
]
# Of these a CSV is read as records: it has rows that only add up others, or are no calls; parts
# beside their total; cells of JSON; sums in cents.
AS_RECORDS = (
    tracers.langfuse,
    tracers.langsmith,
    tracers.posthog,
    proxies.portkey,
    proxies.cloudflare,
    proxies.opencode,
    spans.row_of_a_table,
)
OF_A_TOOL = [f for f in FORMATS if f[2] in AS_RECORDS]
KNOWN = (
    "pages of OpenAI's usage or costs API, its usage JSON of before 2025, logs of its answers, Batch output files, "
    "a CSV or Excel sheet with a header, a receipt, LiteLLM's spend log or daily activity, OpenTelemetry spans, "
    "exports of OpenRouter, Helicone, Portkey, Cloudflare's AI Gateway, Langfuse, LangSmith, PostHog, Phoenix, opencode and ccusage, "
    "Azure Monitor's token metrics as JSON"
)
OF_OTHERS = "read a log of the calls to OpenAI's models"
# What a file seems to be that is not read, by names that it has: (names, what it seems to be, the
# way out)
SEEMS = [
    (
        {"custom_id", "method", "url", "body"},
        "the input of a batch, which holds requests and no usage",
        "read the output file of the batch",
    ),
    (
        {"messages"},
        "a file of examples for tuning, or a request",
        "usage stands in the answers: keep those",
    ),
    (
        {"metername", "metercategory"},
        "Azure's cost export, which has money by meter and no tokens",
        "read the token metrics of Azure Monitor, or a log of the answers",
    ),
    (
        {"metername", "costinbillingcurrency"},
        "Azure's cost export, which has money by meter and no tokens",
        "read the token metrics of Azure Monitor, or a log of the answers",
    ),
    (
        {"metricname", "resourceid"},
        "Azure's metrics from diagnostic settings, which do not name the model",
        "list the metrics ProcessedPromptTokens and GeneratedTokens with --filter \"ModelName eq '*'\" as JSON",
    ),
    (
        {"ai_org", "ai_model"},
        "Portkey's log export without its tokens",
        "request the fields req_units and res_units, too",
    ),
    (
        {"ai provider", "ai model"},
        "Portkey's log export without its tokens",
        "request the fields Request Tokens and Response Tokens, too",
    ),
    (
        {"gateway", "provider", "statuscode"},
        "Cloudflare's AI Gateway events by Logpush, which have no count of tokens",
        "list the gateway's logs by its API",
    ),
    (
        {"event", "distinct_id"},
        "PostHog's events, and none of the first 100 has the properties of a call of a model",
        "export the events $ai_generation alone, with their properties",
    ),
    (
        {"usage_date_utc"},
        "an export of Anthropic's Console, whose models have no price here",
        OF_OTHERS,
    ),
    (
        {"starting_at", "ending_at", "results"},
        "Anthropic's usage or cost report, whose models have no price here",
        OF_OTHERS,
    ),
    ({"stop_reason", "usage", "content"}, "answers of Claude, which has no price here", OF_OTHERS),
    ({"usagemetadata", "candidates"}, "answers of Gemini, which has no price here", OF_OTHERS),
    (
        {"full_request", "full_response"},
        "a log of Vertex AI, whose models have no price here",
        OF_OTHERS,
    ),
    (
        {"lineitem/usagetype"},
        "a cost report of AWS, which has money by kind of usage",
        OF_OTHERS,
    ),
    (
        {"line_item_usage_type"},
        "a cost report of AWS, which has money by kind of usage",
        OF_OTHERS,
    ),
    ({"resultsbytime"}, "AWS's cost explorer, which has money by kind of usage", OF_OTHERS),
    (
        {"billedcost", "chargeperiodstart"},
        "a cloud's bill in FOCUS, which has money by charge and no tokens",
        OF_OTHERS,
    ),
    (
        {"service description", "sku description"},
        "a cost table of Google Cloud, which has money by SKU and no tokens",
        OF_OTHERS,
    ),
    (
        {"billing_account_id", "sku"},
        "the billing export of Google Cloud, which has money by SKU and no tokens",
        OF_OTHERS,
    ),
    (
        {"event_id", "session"},
        "Realtime events without a finished response",
        "keep the events response.done",
    ),
    (
        {"date", "total tokens", "prompt tokens", "completion tokens"},
        "an export of LiteLLM's pages without models",
        "export its spend log, or take the answer of its /user/daily/activity",
    ),
    (
        {"choices", "model"},
        "answers whose usage was not kept",
        "keep the whole answer; of a stream ask for stream_options={'include_usage': True}",
    ),
]


def seems(names):
    """What a file with these names seems to be, as a sentence, or ""."""
    lower = {str(n).lower() for n in names}
    for has, what, way in SEEMS:
        if has <= lower:
            return f"It seems to be {what}: {way}. "
    return ""
