"""What OpenAI refuses is refused, by the SDK's own types and by the API's rules; what it documents
is not.
"""

import json

import pytest

from helpers.local_api import answers, published, request_shapes
from helpers.local_api.checks import Bad
from helpers.local_api.realtime import config
from tests.asking import CHAT, RESPONSES, ask, chat, envelope, words
from tests.tools import make_request_shapes

SHIPPED = answers.Answers()
DAY = "Which day of the week was 2024-12-17?"
BODIES = {CHAT: chat(DAY, model="gpt-4o"), RESPONSES: {"model": "gpt-4o", "input": DAY}}

TOOL = {"type": "function", "function": {"name": "f"}}


def test_the_table_is_what_the_types_say():
    assert json.loads(make_request_shapes.TABLE.read_text(encoding="utf-8")) == (
        make_request_shapes.table() | {"checked_on": published.shapes()["checked_on"]}
    )


def parameters():
    return [
        (path, key) for path in BODIES for key in sorted(published.shapes()[path]["properties"])
    ]


@pytest.mark.parametrize(("path", "key"), parameters())
def test_a_parameter_of_another_type_is_refused(path, key):
    kinds = {
        one.get("type", "object")
        for one in published._flat(
            published.shapes()[path]["properties"][key], published.shapes()[path]["definitions"]
        )
    }
    wrong = next(
        v
        for v in ({"a": {}}, [[]], True, 1.5)
        if _kind(v) not in kinds and not ("number" in kinds and v == 1.5)
    )
    e = envelope(ask(SHIPPED, BODIES[path] | {key: wrong}, path), 400)
    assert e["param"].startswith(key) and e["code"] == "invalid_type"


def _kind(value):
    return {dict: "object", list: "array", bool: "boolean", float: "number"}[type(value)]


@pytest.mark.parametrize(
    ("path", "more", "param"),
    [
        (CHAT, {"temperature": True}, "temperature"),
        (CHAT, {"temperature": 2.1}, "temperature"),
        (CHAT, {"top_p": -0.1}, "top_p"),
        (CHAT, {"frequency_penalty": -3}, "frequency_penalty"),
        (CHAT, {"top_logprobs": 21}, "top_logprobs"),
        (CHAT, {"n": 0}, "n"),
        (CHAT, {"n": 129}, "n"),
        (CHAT, {"stop": list("abcde")}, "stop"),
        (CHAT, {"tools": [TOOL] * 129}, "tools"),
        (CHAT, {"logit_bias": {"1": 101}}, "logit_bias.1"),
        (CHAT, {"store": "yes"}, "store"),
        (CHAT, {"service_tier": "gold"}, "service_tier"),
        (CHAT, {"modalities": ["smell"]}, "modalities[0]"),
        (CHAT, {"logit_bias": {"1": "x"}}, "logit_bias.1"),
        (CHAT, {"stop": [1]}, "stop[0]"),
        (CHAT, {"metadata": {"a": 1}, "store": True}, "metadata.a"),
        (CHAT, {"tools": [{"type": "function"}]}, "tools[0].function"),
        (CHAT, {"tools": [{"type": "sorcery"}]}, "tools[0].type"),
        (CHAT, {"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        (RESPONSES, {"tools": [{"type": "function"}]}, "tools[0].name"),
        (RESPONSES, {"truncation": "bogus"}, "truncation"),
        (RESPONSES, {"include": ["bogus"]}, "include[0]"),
        (RESPONSES, {"reasoning": {"effort": "giant"}}, "reasoning.effort"),
        (RESPONSES, {"text": {"verbosity": "loud"}}, "text.verbosity"),
        (RESPONSES, {"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
        (RESPONSES, {"input": [{"type": "function_call", "name": "f"}]}, "input[0].arguments"),
    ],
)
def test_a_value_that_no_model_takes_is_refused_and_named(path, more, param):
    assert envelope(ask(SHIPPED, BODIES[path] | more, path), 400)["param"] == param


@pytest.mark.parametrize(("name", "here"), request_shapes.MOVED.items())
def test_a_name_of_chat_is_told_what_it_is_called_in_responses(name, here):
    e = envelope(ask(SHIPPED, BODIES[RESPONSES] | {name: "x"}, RESPONSES), 400)
    assert (e["param"], e["code"]) == (name, "unsupported_parameter")
    assert f"this parameter has moved to '{here}'" in e["message"]


@pytest.mark.parametrize(
    "name", ["input", "max_output_tokens", "text", "reasoning", "instructions"]
)
def test_a_name_of_responses_is_none_in_chat(name):
    e = envelope(ask(SHIPPED, BODIES[CHAT] | {name: "x"}), 400)
    assert (e["message"], e["param"]) == (f"Unknown parameter: '{name}'.", name)


@pytest.mark.parametrize(
    ("path", "part"), [(CHAT, {"type": "input_text"}), (RESPONSES, {"type": "text"})]
)
def test_a_part_of_the_other_api_is_refused(path, part):
    said = [{"role": "user", "content": [part | {"text": DAY}]}]
    key = "messages" if path == CHAT else "input"
    e = envelope(ask(SHIPPED, BODIES[path] | {key: said}, path), 400)
    assert e["param"] == f"{key}[0].content[0].type"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"max_tokens": 9, "max_completion_tokens": 9}, "max_tokens"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"top_logprobs": 3}, "top_logprobs"),
    ],
)
def test_what_one_parameter_forbids_another(more, param):
    assert envelope(ask(SHIPPED, BODIES[CHAT] | more), 400)["param"] == param


def test_every_recorded_request_fits():
    for recording in SHIPPED.library.recordings:
        if recording.path in BODIES:
            try:
                published.parameters_of(recording.path)(recording.sent, "")
            except Bad as e:
                pytest.fail(f"{recording.name}: {e}")


def test_items_as_clients_pass_them_back_are_taken():
    items = [
        {"role": "user", "content": DAY},
        {"role": "assistant", "content": [{"type": "output_text", "text": "A Tuesday."}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "item_reference", "id": "msg_1"},
    ]
    published.parameters_of(RESPONSES)({"input": items}, "")
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None},
        {"role": "tool", "tool_call_id": "c", "content": "1"},
        {"role": "assistant", "content": "A Tuesday.", "annotations": [], "audio": None},
    ]
    published.parameters_of(CHAT)({"messages": messages}, "")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tracing": "bogus"}, "session.tracing"),
        ({"truncation": "bogus"}, "session.truncation"),
        ({"truncation": {"type": "retention_ratio"}}, "session.truncation.retention_ratio"),
        ({"include": ["bogus"]}, "session.include[0]"),
        ({"prompt": 5}, "session.prompt"),
        ({"tools": [{"type": "function"}]}, "session.tools[0].name"),
    ],
)
def test_what_changes_nothing_in_a_session_has_its_type_too(change, param):
    with pytest.raises(Bad) as e:
        config.merged(config.started("s", "gpt-realtime", 0), {"type": "realtime"} | change)
    assert e.value.error["param"] == param


def test_o1_takes_the_temperature_that_is_its_default():
    assert words(ask(SHIPPED, chat(DAY, temperature=1))) == "2024-12-17 was a Tuesday."
    assert words(ask(SHIPPED, chat(DAY, temperature=1.0))) == "2024-12-17 was a Tuesday."
    e = envelope(ask(SHIPPED, chat(DAY, temperature=0.9)), 400)
    assert (e["param"], e["code"]) == ("temperature", "unsupported_parameter")
