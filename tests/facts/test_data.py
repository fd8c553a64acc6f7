"""The tables of data/: every row parses, has a source, and agrees with the others."""

import csv
import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from openai.types import (
    AudioModel,
    EmbeddingModel,
    ImageModel,
    ModerationModel,
    VideoModel,
)
from openai.types.audio import SpeechModel
from openai.types.realtime import RealtimeSessionCreateRequestParam
from openai.types.shared import AllModels, ChatModel, ResponsesModel

from helpers.facts import refusals

DATA = Path(__file__).resolve().parents[2] / "data"
COLUMNS = {
    "day9_names.csv": "kind,name,found,context,pattern,instead,change,status,since,source,checked_on",
    "other_makers.csv": "maker,role,found,mark,source,checked_on",
    "schema_rules.csv": "rule,of,models,since,until,value,text,source,checked_on",
    "prices.csv": "model,modality,direction,usd_per_million,from,until,source,checked_on",
    "prices_by_time.csv": "model,usd,per,from,until,source,checked_on",
    "realtime/heard.csv": "clip,noise_db,said,heard,source,checked_on",
    "realtime/waits.csv": "step,scene_ms,chat_ms,source,checked_on",
    "realtime/holidays.csv": "name,day,words,source,checked_on",
    "lifecycle.csv": "product,date,what,replacement,source,checked_on",
    "tuning.csv": "model,method,from,until,source,checked_on",
    "models.csv": "model,alias_of,kind,released,shutdown,replacement,created,accepts,source,checked_on",
    "measurements.csv": "measure,model,variant,value,unit,sample_size,by,where,commit_or_date,source,checked_on",
}
DIRECTIONS = {
    "text": {"input", "cached_input", "output"},
    "audio": {"input", "cached_input", "output"},
    "image": {"input", "cached_input"},
    "training": {"training"},
}


def rows(name):
    with open(DATA / name, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


MODELS = {row["model"]: row for row in rows("models.csv")}
RULES = json.loads((DATA / "refusals.json").read_text(encoding="utf-8"))


def base(model):
    return model.removeprefix("ft:")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_has_its_columns_and_every_row_a_source(name):
    text = (DATA / name).read_text(encoding="utf-8")
    assert text.splitlines()[0] == COLUMNS[name]
    for row in rows(name):
        assert None not in row and None not in row.values(), f"a comma too many or too few: {row}"
        assert row["source"].strip() and all(v == v.strip() for v in row.values()), row
        assert date(2026, 11, 22) <= date.fromisoformat(row["checked_on"]) <= date.today(), row


# prices


def test_prices_parse():
    for row in rows("prices.csv"):
        assert row["direction"] in DIRECTIONS[row["modality"]], row
        assert Decimal(row["usd_per_million"]) > 0, row
        assert base(row["model"]) in MODELS, row
        assert not MODELS[base(row["model"])]["alias_of"], (
            f"the row belongs to what this is an alias of: {row}"
        )


def test_prices_by_time_parse():
    for row in rows("prices_by_time.csv"):
        assert (
            row["model"] in MODELS
            and row["per"] in ("minute", "training hour")
            and Decimal(row["usd"]) > 0
        ), row
        assert date.fromisoformat(row["from"]) < date.fromisoformat(row["until"] or "9999-12-31"), (
            row
        )


def test_a_product_ends_step_by_step():
    seen = {}
    for row in rows("lifecycle.csv"):
        assert row["what"] and seen.get(row["product"], date.min) < date.fromisoformat(
            row["date"]
        ), row
        seen[row["product"]] = date.fromisoformat(row["date"])


def test_what_could_be_tuned():
    seen = [(row["model"], row["method"]) for row in rows("tuning.csv")]
    assert len(set(seen)) == len(seen) and ("gpt-4o-2024-08-06", "dpo") in seen
    for row in rows("tuning.csv"):
        assert row["method"] in ("supervised", "dpo") and not MODELS[row["model"]]["alias_of"], row
        assert (
            date.fromisoformat(row["from"] or "2024-01-01")
            < date.fromisoformat(row["until"])
            <= date.fromisoformat(MODELS[row["model"]]["shutdown"])
        ), row


def test_every_model_has_a_price_or_a_reason_why_not():
    priced = {r["model"] for name in ("prices.csv", "prices_by_time.csv") for r in rows(name)}
    without = {
        m
        for m, row in MODELS.items()
        if not {m, row["alias_of"]} & priced and "known by its id alone" not in row["source"]
    }
    assert without == {
        "gpt-4o-audio-preview",  # which snapshot it stood for is not known
        "gpt-4o-transcribe",  # litellm 1.109.1 has 2.5 for its sound, genai-prices 0.2.3 has 6
        "whisper-1",  # sold by the second, and no notebook needs it
        "gpt-6.2-sol",
        "gpt-6.2-astra",  # no price found
    }


def test_price_ranges_are_ordered_and_do_not_overlap():
    ranges = defaultdict(list)
    for row in rows("prices.csv"):
        end = date.fromisoformat(
            row["until"] or MODELS[base(row["model"])]["shutdown"] or "9999-12-31"
        )
        start = date.fromisoformat(row["from"])
        assert start < end, row
        ranges[row["model"], row["modality"], row["direction"]].append((start, end))
    for kind, spans in ranges.items():
        for (_, end), (start, _) in pairwise(sorted(spans)):
            assert end <= start, kind


def test_input_is_sold_wherever_output_or_cache_is_and_costs_no_less_than_cache():
    usd = {
        (r["model"], r["modality"], r["from"], r["direction"]): Decimal(r["usd_per_million"])
        for r in rows("prices.csv")
    }
    sold = {(model, modality) for model, modality, _, direction in usd if direction == "input"}
    for (model, modality, day, direction), price in usd.items():
        assert modality == "training" or (model, modality) in sold
        if direction == "cached_input" and (model, modality, day, "input") in usd:
            assert price < usd[model, modality, day, "input"], (model, modality, day)


# models


def test_models_parse():
    assert len(MODELS) == len(rows("models.csv")), "a model has two rows"
    for row in MODELS.values():
        assert row["kind"] in {
            "reasoning",
            "chat",
            "realtime",
            "audio",
            "live",
            "transcription",
            "translation",
            "image",
            "speech",
            "video",
            "embedding",
            "moderation",
            "completion",
        }, row
        assert row["created"] == "" or int(row["created"]) > 0, row
        days = [date.fromisoformat(row[c]) for c in ("released", "shutdown") if row[c]]
        assert days == sorted(days), row
        for other in (row["alias_of"], row["replacement"]):
            assert other == "" or (other in MODELS and other != row["model"]), row
        assert row["alias_of"] == "" or MODELS[row["alias_of"]]["alias_of"] == "", (
            f"an alias of an alias: {row}"
        )


def test_every_model_that_the_sdk_knows_is_here():
    known = {
        *named(ChatModel),
        *named(AllModels),
        *named(ResponsesModel),
        *named(AudioModel),
        *named(SpeechModel),
        *named(ImageModel),
        *named(EmbeddingModel),
        *named(ModerationModel),
        *named(VideoModel),
        *named(get_type_hints(RealtimeSessionCreateRequestParam)["model"]),
    }
    # its docstring: "Not a supported model ID. Retained for SDK compatibility."
    assert known - set(MODELS) == {"gpt-5.1-mini"}


def named(type_):
    """The words of a union of literals, however deep."""
    return {
        word for one in get_args(type_) for word in ([one] if isinstance(one, str) else named(one))
    }


def test_a_shutdown_names_where_it_was_announced():
    for row in MODELS.values():
        if row["shutdown"]:
            assert "deprecations page" in row["source"] or "openai 3.54.0" in row["source"], row


def test_no_replacement_is_shut_down_before_the_model_it_replaces():
    for row in MODELS.values():
        new = MODELS.get(row["replacement"], {}).get("shutdown")
        if new and row["shutdown"]:
            assert row["shutdown"] < new, row


def test_the_api_created_o1_in_the_days_before_its_release():
    for model in ("o1", "o1-2024-12-17"):
        made = date.fromtimestamp(int(MODELS[model]["created"]))
        assert 0 <= (date.fromisoformat(MODELS[model]["released"]) - made).days <= 2


def test_an_alias_is_not_shut_down_after_what_it_stands_for():
    for row in MODELS.values():
        real = MODELS.get(row["alias_of"], {}).get("shutdown")
        if real:
            assert row["shutdown"] and row["shutdown"] <= real, row


# refusals


def test_refusals_are_well_formed():
    for rule in RULES:
        assert set(rule) == {
            "models",
            "path",
            "when",
            "status",
            "error",
            "source",
            "seen",
            "checked_on",
        }, rule
        assert set(rule["models"]) <= set(MODELS), rule
        assert rule["path"] in {"/v1/chat/completions", "/v1/responses"}
        assert rule["status"] == 400
        assert list(rule["error"]) == ["message", "type", "param", "code"], rule
        assert rule["error"]["type"] == "invalid_request_error"
        assert rule["error"]["param"] in rule["when"], rule
        assert "verbatim" in rule["source"] or "follows the pattern" in rule["source"], rule
        assert date.fromisoformat(rule["checked_on"]) <= date.today()
        for test in rule["when"].values():
            assert test == "present" or (
                len(test) == 1 and set(test) <= {"is", "not_in", "absent_or_not"}
            ), rule


SENT = {
    "temperature": 0.2,
    "top_p": 0.9,
    "presence_penalty": 1,
    "frequency_penalty": 1,
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"50": -100},
    "prediction": {"type": "content", "content": "x"},
    "parallel_tool_calls": True,
    "max_tokens": 5,
    "stream": True,
    "tools": [{"type": "function"}],
    "response_format": {"type": "json_object"},
    "reasoning_effort": "minimal",
}


def request_that_breaks(rule, model):
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
    for name, test in rule["when"].items():
        if name == "messages[*].role":
            body["messages"].append({"role": test["is"], "content": "be brief"})
        else:
            body[name] = SENT[name]
    return body


@pytest.mark.parametrize(
    "rule", RULES, ids=lambda r: f"{r['models'][0]}-{'-'.join(r['when'])}-{r['path'].split('/')[2]}"
)
def test_a_refusal_answers_the_request_it_is_about(rule):
    for model in rule["models"]:
        status, error, found = refusals.refusal(rule["path"], request_that_breaks(rule, model))
        assert found["when"] == rule["when"]
        assert not set("{}*") & set(error["message"] + error["param"]), error
        assert status == 400


CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(
    "model, more, message, param, code",
    [
        (
            "o1",
            {"temperature": 0.2},
            "Unsupported parameter: 'temperature' is not supported with this model.",
            "temperature",
            "unsupported_parameter",
        ),
        (
            "o1",
            {"max_tokens": 9},
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
        (
            "o1",
            {"stream": True},
            "Unsupported value: 'stream' does not support true with this model. Supported values are: false.",
            "stream",
            "unsupported_value",
        ),
        (
            "o1-preview",
            {"temperature": 0.2},
            "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        ),
        (
            "o1-preview",
            {"messages": [{"role": "system", "content": ""}]},
            "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
            "messages[0].role",
            "unsupported_value",
        ),
        (
            "gpt-5.6-terra",
            {"tools": SENT["tools"]},
            "Function tools with reasoning_effort are not supported for gpt-5.6-terra in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
            "reasoning_effort",
            None,
        ),
    ],
)
def test_the_texts_seen_in_public_come_out_word_for_word(model, more, message, param, code):
    _, error, _ = refusals.refusal(
        CHAT, {"model": model, "messages": [{"role": "user", "content": "hi"}]} | more
    )
    assert error == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }


@pytest.mark.parametrize(
    "model, more",
    [
        (
            "o1",
            {
                "tools": SENT["tools"],
                "response_format": {"type": "json_object"},
                "reasoning_effort": "low",
                "max_completion_tokens": 9,
            },
        ),
        ("o1", {"messages": [{"role": "developer", "content": "be brief"}], "stream": False}),
        (
            "o1-preview",
            {
                "temperature": 1,
                "presence_penalty": 0,
                "response_format": {"type": "text"},
                "stream": True,
            },
        ),
        ("gpt-4o", SENT | {"reasoning_effort": None}),
        ("gpt-5.6-sol", {"tools": SENT["tools"], "reasoning_effort": "none"}),
        ("gpt-5.4", {"tools": SENT["tools"]}),
    ],
)
def test_what_a_model_takes_is_not_refused(model, more):
    assert (
        refusals.refusal(
            CHAT, {"model": model, "messages": [{"role": "user", "content": "hi"}]} | more
        )
        is None
    )


def test_no_rule_refuses_what_the_model_accepts():
    words = {
        "max_tokens": "max_tokens",
        "response_format": "json_schema",
        "messages[*].role": "developer",
        "logprobs": "logprobs",
    }
    for rule in RULES:
        if len(rule["when"]) == 1:
            name = next(iter(rule["when"]))
            for model in rule["models"]:
                accepts = MODELS[model]["accepts"].split()
                assert words.get(name, name) not in accepts or "not_in" in str(
                    rule["when"][name]
                ), rule


# measurements


def test_measurements_parse_and_stand_once():
    seen = set()
    for row in rows("measurements.csv"):
        Decimal(row["value"])
        assert row["sample_size"] == "" or int(row["sample_size"]) > 0, row
        assert row["model"] in MODELS, row
        assert all(row[c] for c in ("measure", "unit", "by", "where", "commit_or_date")), row
        if row["unit"] == "percent":
            assert -100 <= Decimal(row["value"]) <= 100, row
        key = tuple(
            row[c] for c in ("measure", "model", "variant", "by", "where", "commit_or_date")
        )
        assert key not in seen, f"twice: {key}"
        seen.add(key)


def figure(measure, model, variant, commit):
    found = [
        r
        for r in rows("measurements.csv")
        if (r["measure"], r["model"], r["variant"]) == (measure, model, variant)
        and r["commit_or_date"] == commit
    ]
    assert len(found) == 1
    return Decimal(found[0]["value"])


def test_ratios_the_notebooks_draw_from_the_leaderboards():
    def pair(measure):
        return figure(measure, "o1-2024-12-17", "Prompt", "1045ee21") / figure(
            measure, "o1-preview", "Prompt", "2dcccc1d"
        )

    assert round(pair("BFCL cost"), 3) == Decimal("0.503")
    assert round(pair("BFCL mean latency"), 2) == Decimal("0.20")
    aider = [figure("Aider edit time", m, "", "cb6a152e") for m in ("o1-2024-12-17", "o1-preview")]
    assert round(aider[0] / aider[1], 2) == Decimal("0.37")


def test_livebench_coding_is_the_mean_of_its_two_tasks():
    commit = "32df1595e1d06bd4b932204eabeea8f22593b83c"
    for model in ("o1-2024-12-17", "o1-preview", "gpt-4o-2024-08-06", "gpt-4o-2024-11-20"):
        tasks = [
            figure(f"LiveBench {task}", model, "", commit)
            for task in ("LCB_generation", "coding_completion")
        ]
        assert abs(sum(tasks) / 2 - figure("LiveBench Coding", model, "", commit)) <= Decimal(
            "0.01"
        )
        parts = [
            figure(f"LiveBench {p}", model, "", commit)
            for p in ("Coding", "Reasoning", "Math", "Data", "Language", "IF")
        ]
        assert abs(sum(parts) / 6 - figure("LiveBench average", model, "", commit)) <= Decimal(
            "0.01"
        )
