"""Files as people have them, each with its right answer: tests/data/bills and what stands here."""

import collections
import copy
import csv
import datetime
import io
import json
import pathlib
import random
import re
from decimal import Decimal

import openai
import pytest

from helpers.costs import bills
from helpers.costs.bills import formats, pricing
from helpers.facts import DATA, prices, tables
from tests.costs.bills.samples import DAY, SAMPLES, WHEN

CASES = pathlib.Path(__file__).parents[2] / "data" / "bills"
RIGHT = {
    "c1_openai_empty_period.csv": "0",
    "l1_litellm_cache_hit.json": "0.00021",
    "o1_cache_read_underscore.json": "0.00030735",
    "o1_right_answer_semconv.json": "0.00030735",
    "o2_openinference.json": "0.00030735",
    "o4_two_instrumentations.json": "0.00021",
    "u1_snapshot_of_gpt_5_4.json": "0.004",
}
MINI = {"model": "gpt-4o-mini-2024-07-18"}
NOON = 1766000000


def read(records):
    """The usage of a file with this JSON; of a list, one record a line."""
    if isinstance(records, list):
        return bills.read("\n".join(map(json.dumps, records)).encode())
    return bills.read(json.dumps(records).encode())


def why(bill):
    return dict(collections.Counter(pricing.NAMES[c] for c in bill.reason if c))


def usd(tokens_in, tokens_out, cached=0):
    """What gpt-4o-mini costs, by hand."""
    full, less, made = Decimal("0.15"), Decimal("0.075"), Decimal("0.6")
    return ((tokens_in - cached) * full + cached * less + tokens_out * made) / 10**6


def test_every_case_has_a_right_answer():
    assert set(RIGHT) == {p.name for p in CASES.iterdir()}


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.filterwarnings("ignore:usage up to")
def test_the_cases_from_practice(name):
    assert bills.price(bills.read(CASES / name)).total == Decimal(RIGHT[name])


# Spans


def span(own, parent=None, tokens=None, trace="t", **attributes):
    counts = dict(zip(("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"), tokens or ()))
    named = {"gen_ai.response.model": "gpt-4o-mini-2024-07-18"} if tokens else {}
    return {
        "traceId": trace,
        "spanId": own,
        "parentSpanId": parent,
        "start_time": "2026-10-01T00:00:00Z",
        "attributes": named | counts | {k.replace("__", "."): v for k, v in attributes.items()},
    }


@pytest.mark.parametrize("field", ["input", "output", "cached", "reasoning", "model"])
def test_every_name_of_a_count_is_read(field):
    base = {
        "input": "gen_ai.usage.input_tokens",
        "output": "gen_ai.usage.output_tokens",
        "model": "gen_ai.response.model",
        "cached": "gen_ai.usage.cache_read.input_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
    }
    values = {
        "input": 2000,
        "output": 300,
        "cached": 1024,
        "reasoning": 128,
        "model": MINI["model"],
    }
    for row in tables.rows("span_attributes.csv"):
        if row["field"] == field:
            names = base | {field: row["attribute"]}
            found = read([{"start_time": "2026-10-01", "attributes": {names[f]: v for f, v in values.items()}}])  # fmt: skip
            bill = bills.price(found)
            assert bill.total == usd(2000, 300, 1024), row["attribute"]
            assert int(bill.cube["reasoning"].sum()) == 128, row["attribute"]


def test_every_attribute_has_a_source():
    rows = tables.rows("span_attributes.csv")
    assert all(r["source"] and r["checked_on"] for r in rows)
    assert len({r["attribute"] for r in rows}) == len(rows)


def test_nested_attributes_are_read():
    attributes = {
        "llm": {"model_name": MINI["model"], "token_count": {"prompt": 2000, "completion": 300, "prompt_details": {"cache_read": 1024}}}
    }  # fmt: skip
    line = {"start_time": "2026-10-01", "attributes": attributes}
    assert bills.price(read([line])).total == usd(2000, 300, 1024)


def test_an_unknown_name_of_a_count_is_told():
    usage = read([{"start_time": "2026-10-01", "attributes": {"acme.usage.tokens_in": 5}}])
    assert usage.empty == 1 and any("acme.usage.tokens_in" in n for n in usage.notes)


AGENT = {"gen_ai__operation__name": "invoke_agent"}
TOOL = {"gen_ai__operation__name": "execute_tool"}
CHAT = {"gen_ai__operation__name": "chat"}


@pytest.mark.parametrize(
    "spans, right",
    [
        # an agent that adds up its two calls, told before or after them
        ([span("a", tokens=(300, 30), **AGENT), span("b", "a", (100, 10)), span("c", "a", (200, 20))], (300, 30)),
        ([span("b", "a", (100, 10)), span("c", "a", (200, 20)), span("a", tokens=(300, 30), **AGENT)], (300, 30)),
        # a span without counts between
        ([span("a", tokens=(100, 10), **CHAT), span("b", "a"), span("c", "b", (100, 10), **CHAT)], (100, 10)),
        # an agent in an agent
        ([span("a", tokens=(100, 10), **AGENT), span("b", "a", (100, 10), **AGENT), span("c", "b", (100, 10))], (100, 10)),
        # a tool of a call makes a call of its own: two calls
        ([span("a", tokens=(500, 50), **CHAT), span("b", "a", **TOOL), span("c", "b", (100, 10), **CHAT)], (600, 60)),
        # below an agent that adds up both
        ([span("z", tokens=(600, 60), **AGENT), span("a", "z", (500, 50), **CHAT), span("b", "a", **TOOL), span("c", "b", (100, 10), **CHAT)], (600, 60)),
        # siblings with one answer's id
        ([span("a", "z", (100, 10), gen_ai__response__id="x"), span("b", "z", (100, 10), gen_ai__response__id="x")], (100, 10)),
        # siblings with the same counts are two calls
        ([span("a", "z", (100, 10)), span("b", "z", (100, 10))], (200, 20)),
        # the AI SDK's outer span and its step
        ([span("a", tokens=(100, 10), ai__operationId="ai.generateText"), span("b", "a", (100, 10), ai__operationId="ai.generateText.doGenerate")], (100, 10)),
        # an agent whose calls are not in the file
        ([span("a", tokens=(100, 10), **AGENT)], (100, 10)),
        # the same ids in another trace are other spans
        ([span("a", tokens=(100, 10), **CHAT), span("b", "a", (100, 10), trace="u", **CHAT)], (200, 20)),
    ],
)  # fmt: skip
def test_one_call_is_counted_once(spans, right):
    usage = read(spans)
    bill = bills.price(usage)
    assert bill.total == usd(*right)
    left_out = sum(n for n in why(bill).values())
    assert any("a second time" in n for n in usage.notes) == bool(left_out)


def test_what_one_of_two_instrumentations_tells_is_kept():
    outer = span("a", tokens=(2000, 10), **{"gen_ai__usage__cache_read__input_tokens": 1024})
    found = bills.price(read([outer, span("b", "a", (2000, 10))]))
    assert found.total == usd(2000, 10, 1024) == found.least


def test_a_circle_of_parents_ends():
    spans = [span("a", "b", (100, 10)), span("b", "a", (100, 10))]
    assert bills.price(read(spans)).total <= usd(200, 20)


def test_a_count_that_is_not_told_gives_a_range():
    usage = read([span("a", tokens=(2000, 10)), span("b", tokens=(500, 10))])
    bill = bills.price(usage)
    # a prompt under 1,024 tokens is never looked up in the cache
    assert (bill.least, bill.total) == (usd(2500, 20, 2000), usd(2500, 20))
    assert any("do not tell what came from the cache: 2" in n for n in usage.notes)
    assert any("between 0 and 20 of the output" in n for n in usage.notes)
    told = bills.price(read([span("a", tokens=(2000, 10), **{"gen_ai__usage__cache_read__input_tokens": 0})]))  # fmt: skip
    assert told.least == told.total


def test_a_csv_without_a_column_for_the_cache_has_a_range():
    text = f"when,model,input_tokens,output_tokens\n2026-10-01,{MINI['model']},2000,10\n"
    bill = bills.price(bills.read(text.encode()))
    assert (bill.least, bill.total) == (usd(2000, 10, 2000), usd(2000, 10))


# Empty and unpriced


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"object": "page", "data": [], "has_more": false}',
        '{"results": [], "metadata": {}}',
        '{"data": [], "meta": {}}',
        "start_time,end_time,start_time_iso,end_time_iso\n",
    ],
)
def test_an_export_without_a_row_is_no_error(text):
    usage = bills.read(text.encode())
    assert len(usage.rows) == 0 and bills.price(usage).total == 0


def sdk_ids():
    """Every model's name in the types of the SDK."""
    pattern = r'"((?:gpt-|o[134]-|chatgpt-|codex-|computer-use-|text-embedding-|whisper-|tts-|dall-e|omni-moderation|sora-)[\w.-]*)"'  # fmt: skip
    types = pathlib.Path(openai.__file__).parent / "types"
    return {i for f in types.rglob("*.py") for i in re.findall(pattern, f.read_text("utf-8"))}


def test_every_id_of_the_sdk_has_a_price_or_a_reason():
    priced = {r["model"] for r in prices.price_rows()}
    with_a_reason = {r["model"] for r in tables.rows("unpriced.csv")}
    without = {i for i in sdk_ids() if not priced & set(prices.names_of(i))}
    assert without == with_a_reason and len(without) < len(sdk_ids())


def test_a_model_of_the_sdk_without_a_price_says_why():
    row = {"id": "chatcmpl-1", "object": "chat.completion", "created": NOON, "model": "gpt-6.2-sol"}
    found = bills.price(read([row | {"usage": {"prompt_tokens": 5, "completion_tokens": 5}}]))
    assert "no source has a price" in bills.unpriced(found)["what helps"][0]


@pytest.mark.parametrize("name", ["gpt-5.4-2026-03-05", "gpt-audio-mini-2025-12-15"])
def test_a_dated_snapshot_has_the_price_of_its_model(name):
    assert prices.history(name) == prices.history(name[:-11])


def test_a_name_that_only_looks_dated_has_no_price():
    for name in ("gpt-5.4-2026-13-45", "acme-2026-03-05", "gpt-4o-audio-preview-2025-06-03"):
        with pytest.raises(LookupError):
            prices.history(name)


# OpenAI's answers


CHAT_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": NOON,
    "service_tier": "default",
    **MINI,
    "choices": [],
    "usage": {
        "prompt_tokens": 2000,
        "completion_tokens": 300,
        "total_tokens": 2300,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
    },
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": NOON,
    **MINI,
    "output": [],
    "usage": {
        "input_tokens": 2000,
        "input_tokens_details": {"cached_tokens": 1024},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 128},
        "total_tokens": 2300,
    },
}


@pytest.mark.parametrize(
    "lines",
    [
        [CHAT_ANSWER, RESPONSE],
        [RESPONSE, CHAT_ANSWER],
        [{"request": {"messages": []}, "response": CHAT_ANSWER}, {"response": RESPONSE}],
        [CHAT_ANSWER, RESPONSE, CHAT_ANSWER],  # a line twice
    ],
)
def test_a_log_of_answers_is_read(lines):
    bill = bills.price(read(lines))
    assert bill.total == 2 * usd(2000, 300, 1024)
    assert int(bill.cube["reasoning"].sum()) == 256


def test_a_list_of_stored_answers_is_read():
    assert bills.price(read({"object": "list", "data": [CHAT_ANSWER]})).total == usd(
        2000, 300, 1024
    )


def test_pieces_of_a_stream_count_once():
    piece = CHAT_ANSWER | {"object": "chat.completion.chunk"}
    usage = read([piece | {"usage": None}, piece | {"usage": None}, piece])
    assert bills.price(usage).total == usd(2000, 300, 1024) and usage.empty == 2


def test_the_output_of_a_batch_is_read_and_said_to_be_a_batch():
    good = {"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "request_id": "r", "body": CHAT_ANSWER}, "error": None}  # fmt: skip
    bad = {"id": "batch_req_2", "custom_id": "b", "response": None, "error": {"code": "x"}}
    usage = read([bad, good])
    assert usage.rows["batch"].tolist() == [True] and usage.empty == 1


def test_the_answers_of_the_sdk_are_read():
    """Held to the SDK's own types, so that a change of theirs is seen here."""
    from openai.types.chat import ChatCompletion
    from openai.types.responses import ResponseUsage

    ChatCompletion.model_validate(CHAT_ANSWER | {"choices": []})
    ResponseUsage.model_validate(RESPONSE["usage"] | {"input_tokens_details": {"cached_tokens": 1024, "cache_write_tokens": 0}})  # fmt: skip


OLD = {
    "object": "list",
    "data": [
        {
            "organization_id": "org-x",
            "aggregation_timestamp": NOON,
            "n_requests": 2,
            "operation": "completion",
            "snapshot_id": MINI["model"],
            "n_context_tokens_total": 2000,
            "n_generated_tokens_total": 300,
            "n_cached_context_tokens_total": 1024,
            "request_type": "",
        },
        {
            "aggregation_timestamp": NOON,
            "n_requests": 1,
            "operation": "completion-realtime",
            "snapshot_id": "gpt-4o-realtime-preview-2024-10-01",
            "n_context_tokens_total": 118,
            "n_generated_tokens_total": 35,
            "request_type": "",
        },
    ],
    "ft_data": [],
    "dalle_api_data": [{"timestamp": NOON, "num_images": 1, "model_id": "dall-e-3"}],
}


def test_the_usage_json_of_before_2025_is_read():
    bill = bills.price(read(OLD))
    assert bill.total == usd(2000, 300, 1024) and int(bill.cube["requests"].sum()) == 2
    assert why(bill) == {"the kinds of token are not told": 1, "not sold by this kind of token": 1}


# Proxies and tools
USAGE_WITH_CACHE = {
    "prompt_tokens": 2_000_000,
    "completion_tokens": 100_000,
    "prompt_tokens_details": {"cached_tokens": 500_000},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_has_its_price_or_its_reason(name):
    bill = bills.price(read(SAMPLES[name]))
    if name == "batch":  # before the first day of its price
        assert why(bill) == {"batch or another service tier": 1}
    else:
        cached = 100_000 if name == "langfuse_page" else 0
        calls = 2 if name == "answers" else 1
        assert bill.total == usd(2_000_000, 100_000, cached) * calls
        assert why(bill) == {}


def test_litellms_daily_activity_is_read():
    metrics = {"spend": 0.01, "prompt_tokens": 2000, "completion_tokens": 300, "cache_read_input_tokens": 1024, "total_tokens": 2300, "successful_requests": 2, "api_requests": 3}  # fmt: skip
    day = {"date": "2026-10-01", "metrics": metrics, "breakdown": {"models": {"openai/gpt-4o-mini": {"metrics": metrics, "metadata": {}}}, "providers": {}}}  # fmt: skip
    bill = bills.price(read({"results": [day], "metadata": {"has_more": False}}))
    assert bill.total == usd(2000, 300, 1024) and int(bill.cube["requests"].sum()) == 2
    day["metrics"] = metrics | {"total_tokens": 5000}
    assert any("add up to 2,300" in n for n in read({"results": [day], "metadata": {}}).notes)


def test_openrouters_activity_is_read():
    row = {"date": "2026-10-01", "model": "openai/gpt-4o-mini", "model_permaslug": "openai/gpt-4o-mini", "endpoint_id": "e", "provider_name": "OpenAI", "usage": 0.1, "byok_usage_inference": 0, "requests": 5, "prompt_tokens": 2000, "completion_tokens": 300, "reasoning_tokens": 0}  # fmt: skip
    bill = bills.price(read({"data": [row]}))
    assert (bill.total, bill.least) == (usd(2000, 300), usd(2000, 300, 2000))


def test_openrouters_csv_is_read():
    text = "generation_id,created_at,cost_total,cost_cache,tokens_prompt,tokens_completion,tokens_reasoning,model_permaslug,provider_name\ngen-1,2026-10-01 02:37:51.271,0.001,0,2000,300,0,openai/gpt-4o-mini,OpenAI\n"
    usage = bills.read(text.encode())
    assert bills.price(usage).total == usd(2000, 300)
    assert any("the file itself says 0.001 USD" in n for n in usage.notes)


def test_helicone_is_read():
    row = {"request_id": "a", "request_created_at": "2026-10-01T00:00:00Z", "response_model": MINI["model"], "prompt_tokens": 2000, "completion_tokens": 300, "prompt_cache_read_tokens": 1024, "cache_reference_id": "00000000-0000-0000-0000-000000000000"}  # fmt: skip
    hit = row | {"request_id": "b", "cache_reference_id": "a0000000-0000-0000-0000-000000000001"}
    bill = bills.price(read([row, hit]))
    assert bill.total == usd(2000, 300, 1024)
    assert why(bill) == {"answered from the proxy's own cache": 1}


@pytest.mark.parametrize(
    "head, yes, no",
    [
        ("request_id,startTime,model,prompt_tokens,completion_tokens,cache_hit", "True", "None"),
        ("request_id,request_created_at,response_model,prompt_tokens,completion_tokens,cache_reference_id", "a0000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000000"),
    ],
)  # fmt: skip
def test_a_hit_in_a_proxys_cache_costs_nothing_in_a_csv(head, yes, no):
    rows = [f"{i},2026-10-01,{MINI['model']},2000,300,{hit}" for i, hit in enumerate((yes, no, ""))]
    bill = bills.price(bills.read("\n".join([head, *rows, ""]).encode()))
    assert bill.total == 2 * usd(2000, 300)
    assert why(bill) == {"answered from the proxy's own cache": 1}


def test_a_columns_name_may_be_spelled_otherwise():
    text = f"Date,Model,Prompt Tokens,completionTokens\n2026-10-01,{MINI['model']},2000,300\n"
    assert bills.price(bills.read(text.encode())).total == usd(2000, 300)


def test_sound_that_is_not_told_apart_is_listed():
    text = "when,model,input_tokens,output_tokens\n2026-10-01,gpt-realtime,2000,300\n"
    assert why(bills.price(bills.read(text.encode()))) == {"the kinds of token are not told": 1}


@pytest.mark.parametrize(
    "usage",
    [
        {"input": 976, "input_cached_tokens": 1024, "output": 172, "output_reasoning_tokens": 128, "total": 2300},
        {"input": 2000, "input_cached_tokens": 1024, "output": 300, "output_reasoning_tokens": 128, "total": 2300},
        {"input": 976, "cache_read_input_tokens": 1024, "output": 300, "total": 2300},
    ],
)  # fmt: skip
def test_langfuse_is_read(usage):
    row = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-10-01T00:00:00Z", **MINI, "usageDetails": usage}  # fmt: skip
    outer = {"id": "s", "traceId": "t", "type": "SPAN", "startTime": "2026-10-01T00:00:00Z", "usageDetails": {}}  # fmt: skip
    for found in (read([outer, row]), read({"data": [outer, row], "meta": {}})):
        assert bills.price(found).total == usd(2000, 300, 1024) and found.empty == 1


def test_langfuse_whose_sum_does_not_fit_is_listed():
    row = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-10-01", **MINI, "usageDetails": {"input": 5, "output": 5, "total": 99}}  # fmt: skip
    assert why(bills.price(read([row]))) == {"the parts exceed their total": 1}


LANGFUSE = "id,traceId,type,startTime,name,model,"
LANGSMITH = "id,name,run_type,start_time,prompt_tokens,completion_tokens,"


@pytest.mark.parametrize(
    "lines, cached",
    [
        (
            f"{LANGFUSE}promptTokens,completionTokens,totalTokens\n"
            f"a,t,GENERATION,{WHEN},chat,gpt-4o,3000,100,3100\n"
            f"b,t,SPAN,{WHEN},root,gpt-4o,3000,100,3100\n",
            None,
        ),
        (
            f"{LANGFUSE}usageDetails,costDetails\n"
            f'a,t,GENERATION,{WHEN},chat,gpt-4o,"{{""input"": 1000, ""input_cached_tokens"": 2000, '
            '""output"": 100, ""total"": 3100}","{}"\n',
            2000,
        ),
        (
            f"{LANGSMITH}ls_model_name\n"
            f"a,ChatOpenAI,llm,{WHEN},3000,100,gpt-4o\nb,agent,chain,{WHEN},3000,100,gpt-4o\n",
            None,
        ),
        (
            f"{LANGSMITH}prompt_token_details,extra\n"
            f'a,ChatOpenAI,llm,{WHEN},3000,100,"{{""cache_read"": 2000}}",'
            '"{""metadata"": {""ls_model_name"": ""gpt-4o""}}"\n',
            2000,
        ),
    ],
)
def test_a_tracers_csv_is_read_as_its_json(lines, cached):
    """A row that adds up the calls below it would be counted beside them."""
    usage = bills.read(lines.encode())
    bill = bills.price(usage)
    input_ = Decimal(3000 - (cached or 0)) * Decimal("2.5") + Decimal(cached or 0) * Decimal("1.25")
    assert len(usage.rows) == 1
    assert bill.total == (input_ + 100 * 10) / 10**6
    assert (bill.least < bill.total) == (cached is None)


def test_a_cut_line_of_a_tracers_csv_is_a_row_with_its_reason():
    usage = bills.read(f"{LANGSMITH}ls_model_name\na,b,llm,{WHEN},3000\n".encode())
    assert len(usage.rows) == 1 and bills.price(usage).total == 0


def test_an_unknown_column_that_may_tell_the_cache_is_named():
    usage = bills.read(
        b"day,model,input_tokens,output_tokens,tokens_cached\n2026-10-01,gpt-4o,3000,100,9\n"
    )
    assert any("tokens_cached tells it, name it cached_tokens" in note for note in usage.notes)


def test_litellms_page_without_models_says_what_it_is():
    head = b"Date,Team,Spend,API Requests,Total Tokens,Prompt Tokens,Completion Tokens\n"
    with pytest.raises(bills.BillError, match="LiteLLM's pages without models: export its spend"):
        bills.read(head + b"2026-10-01,a,0.1,3,1100,1000,100\n")


def test_langsmith_is_read():
    run = {"id": "a", "run_type": "llm", "trace_id": "t", "start_time": "2026-10-01T00:00:00", "prompt_tokens": 2000, "completion_tokens": 300, "extra": {"metadata": {"ls_model_name": MINI["model"]}}, "outputs": {"usage_metadata": {"input_tokens": 2000, "output_tokens": 300, "input_token_details": {"cache_read": 1024}}}}  # fmt: skip
    chain = run | {"id": "b", "run_type": "chain"}
    usage = read([chain, run])
    assert bills.price(usage).total == usd(2000, 300, 1024) and usage.empty == 1


def test_portkeys_export_is_read_with_its_own_sum_in_cents():
    (line,) = SAMPLES["portkey"]
    usage = read([line])
    assert usage.what == "Portkey's log export"
    assert "the file itself says 0.36 USD for these rows" in usage.notes
    kept = line | {"id": "b", "response": {"usage": USAGE_WITH_CACHE}}
    assert bills.price(read([kept])).total == usd(2_000_000, 100_000, 500_000)
    hit = line | {"id": "c", "cache_status": "SEMANTIC HIT"}
    failed = line | {"id": "d", "req_units": 0, "res_units": 0, "is_success": 0}
    bill = bills.price(read([line, hit, failed]))
    assert bill.total == usd(2_000_000, 100_000)
    assert why(bill) == {"answered from the proxy's own cache": 1}


@pytest.mark.parametrize(
    "head",
    [
        "id,created_at,ai_org,ai_model,req_units,res_units,cost,cost_currency,cache_status,response",
        "ID,Created At,AI Provider,AI Model,Request Tokens,Response Tokens,Cost,Cost Currency,Cache Status,Response",
    ],
)  # fmt: skip
def test_portkeys_csv_is_read_as_its_json(head):
    answer = json.dumps({"usage": USAGE_WITH_CACHE}).replace('"', '""')
    row = f'a,{WHEN},openai,{MINI["model"]},2000000,100000,36,USD,MISS,"{answer}"'
    hit = row.replace("MISS", "HIT").replace("a,", "b,", 1)
    usage = bills.read("\n".join((head, row, hit, "")).encode())
    bill = bills.price(usage)
    assert usage.what == "Portkey's log export, as a CSV"
    assert bill.total == usd(2_000_000, 100_000, 500_000)
    assert why(bill) == {"answered from the proxy's own cache": 1}
    assert "the file itself says 0.36 USD for these rows" in usage.notes


def test_cloudflares_gateway_logs_are_read():
    (page,) = SAMPLES["cloudflare"]
    (line,) = page["result"]
    hit = line | {"id": "b", "cached": True}
    failed = line | {"id": "c", "success": False, "tokens_in": 0, "tokens_out": 0}
    usage = read([line, hit, failed])
    bill = bills.price(usage)
    assert (bill.total, bill.least) == (usd(2_000_000, 100_000), usd(2_000_000, 100_000, 2_000_000))
    assert why(bill) == {"answered from the proxy's own cache": 1} and usage.empty == 1
    text = "id,created_at,provider,model,tokens_in,tokens_out,cached\n"
    text += f"a,{WHEN},openai,{MINI['model']},2000,300,false\nb,{WHEN},openai,{MINI['model']},2000,300,true\n"
    assert bills.price(bills.read(text.encode())).total == usd(2000, 300)


def test_what_stands_beside_the_input_is_added_to_it():
    (row,) = SAMPLES["opencode"]
    parts = {"input_tokens": 900, "cache_read_tokens": 1024, "cache_write_5m_tokens": 76}
    usage = read([row | parts | {"output_tokens": 300}])
    assert bills.price(usage).total == usd(2000, 300, 1024)
    head = ",".join(row)
    text = f"{head}\n{DAY},u,openai,{MINI['model']},3,900,300,1024,76,0,36000,0.1\n"
    usage = bills.read(text.encode())
    assert usage.what == "opencode's usage export, as a CSV"
    assert bills.price(usage).total == usd(2000, 300, 1024)


def test_posthogs_events_are_read():
    (event,) = SAMPLES["posthog"]
    told = {"$ai_input_tokens": 2000, "$ai_output_tokens": 300, "$ai_cache_read_input_tokens": 1024}
    call = event | {"uuid": "b", "properties": event["properties"] | told}
    others = [{"event": e, "properties": {"$ai_model": "x"}} for e in ("$ai_trace", "$pageview")]
    usage = read([*others, call])
    assert bills.price(usage).total == usd(2000, 300, 1024) and usage.empty == 2
    cell = json.dumps(call["properties"]).replace('"', '""')
    heads = "uuid,event,timestamp,distinct_id,properties\n"
    text = f'{heads}b,$ai_generation,{WHEN},u,"{cell}"\nc,$pageview,{WHEN},u,{{}}\n'
    assert bills.price(bills.read(text.encode())).total == usd(2000, 300, 1024)
    heads = (
        "timestamp,properties.$ai_model,properties.$ai_input_tokens,properties.$ai_output_tokens\n"
    )
    text = f"{heads}{WHEN},{MINI['model']},2000,300\n"
    assert bills.price(bills.read(text.encode())).total == usd(2000, 300)


def test_a_table_of_spans_counts_each_call_once():
    """As pandas writes what Phoenix gives: counts with a point, empty cells, an agent that sums."""
    count = "attributes.llm.token_count."
    heads = f"context.span_id,name,span_kind,parent_id,start_time,context.trace_id,attributes.llm.model_name,{count}prompt,{count}completion,{count}prompt_details.cache_read\n"
    text = f"{heads}a,run,AGENT,,2026-10-01 00:00:00+00:00,t,,2000.0,300.0,\n"
    text += f"b,ChatCompletion,LLM,a,2026-10-01 00:00:01.5+00:00,t,{MINI['model']},2000.0,300.0,1024.0\n"
    text += "c,search,RETRIEVER,a,2026-10-01 00:00:02+00:00,t,,,,\n"
    usage = bills.read(text.encode())
    bill = bills.price(usage)
    assert usage.what == "a table of OpenTelemetry spans, by Phoenix or Arize, as a CSV"
    assert bill.total == usd(2000, 300, 1024)
    assert why(bill) == {"the same call, seen by another instrumentation": 1}


def test_azures_token_metrics_are_sums_by_model_at_openais_prices():
    (page,) = SAMPLES["azure_metrics"]
    usage = read([page])
    assert usage.what == "Azure Monitor's token metrics" and usage.rows["requests"].tolist() == [3]
    assert any(note.startswith("Azure's tokens at OpenAI's list prices") for note in usage.notes)
    text = json.dumps(page)
    assert bills.price(bills.read(text.encode())).total == usd(2_000_000, 100_000)
    usage = bills.read(text.replace("modelname", "region").encode())
    assert why(bills.price(usage)) == {"no model is named": 1}
    assert any("ModelName eq '*'" in note for note in usage.notes)
    regions = json.loads(text)
    for metric in regions["value"]:  # the same again from another region
        metric["timeseries"] *= 2
    assert bills.price(read([regions])).total == 2 * usd(2_000_000, 100_000)


def test_ccusage_is_read():
    m = {"modelName": MINI["model"], "inputTokens": 976, "outputTokens": 300, "cacheCreationTokens": 0, "cacheReadTokens": 1024, "cost": 1}  # fmt: skip
    day = {"date": "2026-10-01", "inputTokens": 976, "outputTokens": 300, "modelBreakdowns": [m]}
    assert bills.price(read({"daily": [day], "totals": {}})).total == usd(2000, 300, 1024)


@pytest.mark.parametrize(
    "record, words",
    [
        ({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}, "input of a batch"),
        ({"messages": [{"role": "user", "content": "Hi"}]}, "examples for tuning"),
        ({"id": "x", "model": "gpt-4o", "choices": []}, "usage was not kept"),
        ({"id": "x", "ai_org": "openai", "ai_model": "gpt-4o"}, "Portkey's log export without"),
        ({"metricName": "GeneratedTokens", "resourceId": "/x", "total": 5}, "do not name the model"),
        ({"Gateway": "g", "Provider": "openai", "StatusCode": 200, "Metrics": {}}, "by Logpush"),
        ({"event": "$pageview", "distinct_id": "u", "properties": {}}, "PostHog's events, and none"),
        ({"data": [{"starting_at": DAY, "ending_at": DAY, "results": [{}]}], "has_more": False}, "Anthropic's usage or cost"),
        ({"id": "m", "type": "message", "content": [], "stop_reason": "end_turn", "usage": {}}, "answers of Claude"),
        ({"candidates": [], "usageMetadata": {}}, "answers of Gemini"),
        ({"full_request": {}, "full_response": {}}, "Vertex AI"),
        ({"ResultsByTime": [], "GroupDefinitions": []}, "AWS's cost explorer"),
        ({"billing_account_id": "x", "sku": {"id": "y"}}, "billing export of Google Cloud"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_it_seems_to_be(record, words):
    with pytest.raises(bills.BillError, match=words):
        read([record])


@pytest.mark.parametrize(
    "head, words",
    [
        ("Date,MeterName,MeterCategory,Quantity,CostInBillingCurrency", "Azure's cost export"),
        ("ID,Created At,AI Provider,AI Model,Cost", "Portkey's log export without"),
        ("usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens", "Anthropic's Console"),
        ("lineItem/UsageStartDate,lineItem/UsageType,lineItem/UsageAmount", "cost report of AWS"),
        ("line_item_usage_start_date,line_item_usage_type", "cost report of AWS"),
        ("BilledCost,ChargePeriodStart,ServiceName,ConsumedQuantity", "bill in FOCUS"),
        ("Service description,SKU description,Usage amount,Cost ($)", "cost table of Google Cloud"),
    ],
)  # fmt: skip
def test_a_csv_of_anothers_money_says_what_it_is(head, words):
    with pytest.raises(bills.BillError, match=words):
        bills.read(f"{head}\n{','.join('1' for _ in head.split(','))}\n".encode())


WRITES = {"prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 700}}
ANSWERED = {"id": "a", "object": "chat.completion", "created": NOON, "model": "gpt-4o"}
TOKENS = {"input_tokens": 2000, "output_tokens": 300}
OBSERVED = {"type": "GENERATION", "startTime": WHEN, **MINI}


@pytest.mark.parametrize(
    "records",
    [
        [ANSWERED | {"usage": {"prompt_tokens": 2000, "completion_tokens": 300} | WRITES}],
        [ANSWERED | {"object": "response", "usage": TOKENS | {"input_tokens_details": {"cache_write_tokens": 700}}}],
        {"object": "page", "data": [{"start_time": NOON, "results": [TOKENS | {"input_cache_write_tokens": 700, **MINI}]}]},
        [{"request_id": "a", "startTime": WHEN, "prompt_tokens": 2000, "completion_tokens": 300, "metadata": {"usage_object": {"cache_creation_input_tokens": 700}}, **MINI}],
        [{"request_id": "a", "startTime": WHEN, "prompt_tokens": 2000, "completion_tokens": 300, "metadata": {"usage_object": WRITES}, **MINI}],
        [SAMPLES["portkey"][0] | {"response": {"usage": {"prompt_tokens": 2000, "completion_tokens": 300} | WRITES}}],
        [SAMPLES["helicone"][0] | {"prompt_cache_write_tokens": 700}],
        [SAMPLES["langsmith"][0] | {"outputs": {"usage_metadata": {"input_token_details": {"cache_creation": 700}}}}],
        [SAMPLES["langsmith"][0] | {"prompt_token_details": {"cache_creation": 700}}],
        [{"traceId": "t", "id": "o", "usageDetails": {"input": 2000, "input_cache_write_tokens": 700, "output": 300, "total": 2300}, **OBSERVED}],
        [{"traceId": "t", "id": "o", "usageDetails": {"input": 2000, "cache_creation_input_tokens": 700, "output": 300, "total": 2300}, **OBSERVED}],
        [SAMPLES["posthog"][0] | {"properties": SAMPLES["posthog"][0]["properties"] | {"$ai_cache_creation_input_tokens": 700}}],
        [SAMPLES["opencode"][0] | {"cache_write_5m_tokens": 300, "cache_write_1h_tokens": 400}],
        [SAMPLES["phoenix"][0] | {"attributes.llm.token_count.prompt_details.cache_write": 700}],
    ],
)  # fmt: skip
def test_tokens_written_to_the_cache_are_said_to_have_no_price(records):
    assert any(note.startswith("700 tokens written to the cache") for note in read(records).notes)


@pytest.mark.parametrize(
    "column", ["input_cache_write_tokens", "cache_creation_input_tokens", "prompt_cache_write_tokens"]
)  # fmt: skip
def test_a_column_of_tokens_written_to_the_cache_is_read(column):
    text = f"date,model,input_tokens,output_tokens,{column}\n{DAY},gpt-4o,2000,300,700\n"
    notes = bills.read(text.encode()).notes
    assert any(note.startswith("700 tokens written to the cache") for note in notes)


def test_each_format_is_recognised_by_more_than_one_name():
    """A single name that another maker's file may have, too, is not enough."""
    out = io.StringIO()
    csv.writer(out).writerow(["x"])
    shared = ("id", "model", "usage", "date", "time", "type", "data", "prompt_tokens", "daily")
    for name in (*shared, "results", "object", "startTime", "request_id", "response", "run_type"):
        for value in ("x", 5, [{}], {}):
            for what, belongs, _ in formats.FORMATS:
                assert not belongs({name: value}), (what, name)
    assert (DATA / "span_attributes.csv").is_file()


# Other terms


def on(model, tokens, terms="", cached=0, made=100, day="2026-11-22", **more):
    """A call's answer as a record, on some terms."""
    usage = {"prompt_tokens": tokens, "completion_tokens": made, "prompt_tokens_details": {"cached_tokens": cached}}  # fmt: skip
    created = int(datetime.datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp())
    answer = {"id": f"chatcmpl-{tokens}", "object": "chat.completion", "created": created, "model": model, "usage": usage} | more  # fmt: skip
    if terms == "batch":
        return {"id": "b", "custom_id": "c", "response": {"status_code": 200, "body": answer}}
    return answer | {"service_tier": terms or "default"}


@pytest.mark.parametrize(
    "record, millionths",
    [
        (on("gpt-5.4", 1000), 1000 * Decimal("2.5") + 100 * 15),
        (on("gpt-5.4", 1000, "batch"), 1000 * Decimal("1.25") + 100 * Decimal("7.5")),
        (on("gpt-5.4-2026-03-05", 1000, "flex"), 1000 * Decimal("1.25") + 100 * Decimal("7.5")),
        (on("gpt-5.6-sol", 272_000), 272_000 * 4 + 100 * 20),
        (on("gpt-5.6-sol", 272_001), 272_001 * 8 + 100 * 30),
        (on("gpt-5.6-sol", 300_000, "batch", 1000), 299_000 * 4 + 1000 * Decimal("0.4") + 100 * 15),
        (on("gpt-4o-mini", 1000, "batch"), 1000 * Decimal("0.075") + 100 * Decimal("0.3")),
    ],
)
def test_other_terms_have_their_own_price(record, millionths):
    bill = bills.price(read([record]))
    assert why(bill) == {} and bill.total * 10**6 == millionths
    assert sum(bill.nano.tolist()) == bill.total_nano


@pytest.mark.parametrize(
    "record, reason",
    [
        (on("gpt-5.4", 1000, "priority"), "batch or another service tier"),
        (on("gpt-5.4", 1000, "scale"), "batch or another service tier"),
        (on("gpt-4o-mini", 1000, "batch", day="2026-10-01"), "batch or another service tier"),
        (on("gpt-4o-mini", 1000, "flex"), "batch or another service tier"),
        # half of its price is no whole number of nano-dollars
        (on("gpt-5-mini", 2000, "batch", cached=1024), "a kind of token has no price"),
        (on("gpt-5.6-sol", 300_000, day="2026-10-01"), "above the context at which prices rise"),
    ],
)
def test_terms_without_a_known_price_are_listed(record, reason):
    bill = bills.price(read([record]))
    assert why(bill) == {reason: 1} and bill.total == 0


def test_a_sum_of_calls_is_not_taken_for_one_long_call():
    text = "when,model,requests,input_tokens,output_tokens\n2026-11-22,gpt-5.6-sol,2,544002,5\n"
    assert why(bills.price(bills.read(text.encode()))) == {
        "above the context at which prices rise": 1
    }


def test_terms_can_be_seen_and_moved():
    bill = bills.price(read([on("gpt-5.4", 1000, "batch"), on("gpt-5.4", 2000)]))
    assert set(bills.by(bill, "model")["model"]) == {"gpt-5.4", "gpt-5.4, batch"}
    same = bills.what_if(bill)
    assert same.now == same.then
    moved = bills.what_if(bill, move="gpt-5.4, batch", to="gpt-6-luna", on="2026-11-22")
    assert set(moved.cube["model"]) == {"gpt-5.4", "gpt-6-luna, batch"}
    assert (moved.then - bills.price(read([on("gpt-5.4", 2000)])).total) * 10**6 == 75
    long = bills.price(read([on("gpt-5.6-sol", 300_000)]))
    there = bills.what_if(long, to="gpt-6-luna", on="2026-11-22")
    assert there.then * 10**6 == 300_000 * Decimal("0.2") + 100 * Decimal("0.75")
    plain = bills.what_if(long, to="gpt-4.1", on="2026-11-22")  # whose price does not rise
    assert plain.then * 10**6 == 300_000 * 2 + 100 * 8
    twin = bills.price(read([on("acme", 1000, "batch")]), same_as={"acme": "gpt-5.4"})
    assert twin.total * 10**6 == 1000 * Decimal("1.25") + 100 * Decimal("7.5")


def test_prices_on_terms_follow_the_list_price():
    """Half in a batch and with flex; above 272,000 tokens twice the input, half as much again for
    output: as the source has each, so a slip in a row is seen. It rounds one.
    """
    rounded = {("gpt-5.4", "cached_input"): Decimal("0.13"), ("o3", "cached_input"): None}
    for row in tables.rows("prices_on_terms.csv"):
        list_price = prices.usd_per_million(row["model"], "text", row["direction"], row["from"])
        part = Decimal("0.5") if row["terms"].split(",")[0] in ("batch", "flex") else Decimal(1)
        if "above" in row["terms"]:
            part *= Decimal("1.5") if row["direction"] == "output" else 2
        elif (row["model"], row["direction"]) in rounded:
            part = (rounded[row["model"], row["direction"]] or list_price * part) / list_price
        assert Decimal(row["usd_per_million"]) == list_price * part, row
        assert row["source"] and row["checked_on"]


# Broken files of each format


def places(value, at=()):
    """The path of every member of some JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()  # fmt: skip
    for key, part in inner:
        yield (*at, key)
        yield from places(part, (*at, key))


ODD = (None, "x", "", -1, 0.5, 10**25, True, [], {}, [1], {"a": 1}, "NaN", [None], [[]])


@pytest.mark.parametrize(
    "name, member", [("helicone", "data"), ("langsmith", "runs"), ("answers", "items")]
)
def test_a_page_around_the_records_is_opened(name, member):
    page, lines = read({member: SAMPLES[name], "next": None}), read(SAMPLES[name])
    assert bills.price(page).total == bills.price(lines).total > 0
    assert any(f"the list {member}" in n for n in page.notes)


@pytest.mark.parametrize("name", SAMPLES)
def test_whatever_a_member_holds_the_file_is_read_or_refused_in_words(name):
    outcomes, dice = collections.Counter(), random.Random(name)
    for path in places(SAMPLES[name]):
        for odd in dice.sample(ODD, 4):
            records = copy.deepcopy(SAMPLES[name])
            place = records
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = odd
            try:
                bill = bills.price(read(records))
            except bills.BillError as e:
                assert len(str(e)) > 20
                outcomes["refused"] += 1
                continue
            outcomes["read"] += 1
            assert bill.total >= bill.least >= 0 and sum(bill.nano.tolist()) == bill.total_nano
    assert outcomes["read"] > 3, outcomes
