"""A small file of each format that people have: {name: its records, one a line}. Names and numbers
are invented; each is a call of gpt-4o-mini with 2,000,000 tokens in and 100,000 out.
"""

MODEL = "gpt-4o-mini-2024-07-18"
DAY, WHEN, UNIX = "2026-10-01", "2026-10-01T00:00:00Z", 1790812800
USAGE = {"prompt_tokens": 2_000_000, "completion_tokens": 100_000}
TOLD = USAGE | {"prompt_tokens_details": {"cached_tokens": 0}}
ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": UNIX, "model": MODEL}
METRICS = USAGE | {"total_tokens": 2_100_000, "spend": 0.36, "successful_requests": 1}
SAMPLES = {
    "answers": [ANSWER | {"usage": TOLD}, ANSWER | {"id": "chatcmpl-2", "usage": USAGE}],
    "batch": [{"id": "b", "custom_id": "c", "response": {"body": ANSWER | {"usage": TOLD}}}],
    "before_2025": [
        {
            "object": "list",
            "data": [
                {
                    "aggregation_timestamp": UNIX,
                    "n_requests": 1,
                    "operation": "completion",
                    "snapshot_id": MODEL,
                    "n_context_tokens_total": 2_000_000,
                    "n_generated_tokens_total": 100_000,
                    "n_cached_context_tokens_total": 0,
                }
            ],
            "ft_data": [],
        }
    ],
    "openinference": [
        {
            "start_time": WHEN,
            "context": {"trace_id": "t", "span_id": "s"},
            "attributes": {
                "llm.model_name": MODEL,
                "llm.token_count.prompt": 2_000_000,
                "llm.token_count.completion": 100_000,
            },
        }
    ],
    "litellm_daily": [
        {
            "results": [
                {
                    "date": DAY,
                    "metrics": METRICS,
                    "breakdown": {"models": {MODEL: {"metrics": METRICS}}},
                }
            ],
            "metadata": {},
        }
    ],
    "openrouter": [
        USAGE
        | {
            "date": DAY,
            "model_permaslug": f"openai/{MODEL}",
            "requests": 1,
            "usage": 0.36,
            "byok_usage_inference": 0,
        }
    ],
    "helicone": [USAGE | {"request_id": "a", "request_created_at": WHEN, "response_model": MODEL}],
    "portkey": [
        {
            "id": "a",
            "created_at": WHEN,
            "ai_org": "openai",
            "ai_model": MODEL,
            "req_units": 2_000_000,
            "res_units": 100_000,
            "cost": 36,
            "cost_currency": "USD",
            "cache_status": "MISS",
        }
    ],
    "cloudflare": [
        {
            "result": [
                {
                    "id": "a",
                    "cached": False,
                    "created_at": WHEN,
                    "provider": "openai",
                    "model": MODEL,
                    "success": True,
                    "tokens_in": 2_000_000,
                    "tokens_out": 100_000,
                    "cost": 0.36,
                }
            ],
            "result_info": {"page": 1},
            "success": True,
        }
    ],
    "opencode": [
        {
            "day": DAY,
            "user_id": "u",
            "provider": "openai",
            "model": MODEL,
            "requests": 3,
            "input_tokens": 1_999_000,
            "output_tokens": 100_000,
            "cache_read_tokens": 0,
            "cache_write_5m_tokens": 1000,
            "cache_write_1h_tokens": 0,
            "cost_micro_cents": 36_000_000,
            "cost_usd": 0.36,
        }
    ],
    "posthog": [
        {
            "uuid": "a",
            "event": "$ai_generation",
            "timestamp": WHEN,
            "distinct_id": "u",
            "properties": {
                "$ai_model": MODEL,
                "$ai_input_tokens": 2_000_000,
                "$ai_output_tokens": 100_000,
                "$ai_reasoning_tokens": 0,
            },
        }
    ],
    "phoenix": [
        {
            "context.trace_id": "t",
            "context.span_id": "s",
            "parent_id": None,
            "span_kind": "LLM",
            "start_time": WHEN,
            "attributes.llm.model_name": MODEL,
            "attributes.llm.token_count.prompt": 2_000_000.0,
            "attributes.llm.token_count.completion": 100_000.0,
        }
    ],
    "azure_metrics": [
        {
            "timespan": f"{DAY}T00:00:00Z/{DAY}T01:00:00Z",
            "interval": "PT1H",
            "value": [
                {
                    "name": {"value": name},
                    "timeseries": [
                        {
                            "metadatavalues": [{"name": {"value": "modelname"}, "value": MODEL}],
                            "data": [{"timeStamp": WHEN, "total": total}],
                        }
                    ],
                }
                for name, total in (
                    ("ProcessedPromptTokens", 2_000_000.0),
                    ("GeneratedTokens", 100_000.0),
                    ("AzureOpenAIRequests", 3.0),
                )
            ],
        }
    ],
    "langfuse": [
        {
            "id": "o",
            "traceId": "t",
            "type": "GENERATION",
            "startTime": WHEN,
            "model": MODEL,
            "usageDetails": {"input": 2_000_000, "output": 100_000, "total": 2_100_000},
        }
    ],
    "langfuse_page": [
        {
            "data": [
                {
                    "id": "o",
                    "traceId": "t",
                    "type": "GENERATION",
                    "startTime": WHEN,
                    "model": MODEL,
                    "usageDetails": {
                        "input": 1_900_000,
                        "input_cached_tokens": 100_000,
                        "output": 100_000,
                    },
                }
            ],
            "meta": {"page": 1, "totalPages": 2},
        }
    ],
    "langsmith": [
        USAGE
        | {
            "id": "r",
            "run_type": "llm",
            "trace_id": "t",
            "start_time": WHEN,
            "extra": {"metadata": {"ls_model_name": MODEL}},
        }
    ],
    "ccusage": [
        {
            "daily": [
                {
                    "date": DAY,
                    "inputTokens": 2_000_000,
                    "outputTokens": 100_000,
                    "modelBreakdowns": [
                        {
                            "modelName": MODEL,
                            "inputTokens": 2_000_000,
                            "outputTokens": 100_000,
                            "cacheReadTokens": 0,
                            "cacheCreationTokens": 0,
                        }
                    ],
                }
            ]
        }
    ],
}
