"""What changes no answer at OpenAI changes none here; and where a request differs in one inner
field, that field is named.
"""

import json

import pytest

from helpers.local_api import answers, canonical
from tests.asking import CHAT, RESPONSES, ask, chat, value

SHIPPED = answers.Answers()
DAY = "Which day of the week was 2024-12-17?"
BODIES = {CHAT: chat(DAY, model="gpt-4o"), RESPONSES: {"model": "gpt-5.6-sol", "input": DAY}}
SCHEMA = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}
TITLED = {
    "title": "Day",
    "type": "object",
    "properties": {"day": {"title": "The day", "type": "string"}},
    "required": ["day"],
}
NOTHING = {
    CHAT: [
        {"top_logprobs": 0},
        {"logit_bias": {}},
        {"stop": []},
        {"modalities": ["text"]},
        {"verbosity": "medium"},
        {"prompt_cache_key": "a"},
        {"prompt_cache_retention": "24h"},
        {"tool_choice": "none"},
        {"tool_choice": "auto", "tools": []},
        {"functions": [], "function_call": "none"},
    ],
    RESPONSES: [
        {"include": []},
        {"background": False},
        {"context_management": []},
        {"top_logprobs": 0},
        {"prompt_cache_options": {"mode": "implicit"}},
        {"tool_choice": "none"},
        {"max_tool_calls": 3},
        {"reasoning": {}},
        {"reasoning": {"effort": "medium"}},
        {"reasoning": {"context": "auto"}},
        {"reasoning": {"effort": "medium", "context": "all_turns"}},
        {"text": {"verbosity": "medium"}},
        {"text": {"format": {"type": "text"}}},
        {"input": [{"type": "message", "role": "user", "content": DAY}]},
        {"input": [{"type": "message", "role": "user", "content": DAY, "status": "completed"}]},
    ],
}


@pytest.mark.parametrize(
    ("path", "more"), [(path, more) for path, several in NOTHING.items() for more in several]
)
def test_a_request_with_nothing_more_in_it_is_the_same(path, more):
    plain, with_it = ask(SHIPPED, BODIES[path], path), ask(SHIPPED, BODIES[path] | more, path)
    assert (plain.status, with_it.status) == (200, 200), with_it.body
    assert plain.recording == with_it.recording
    same = lambda body: canonical.canonical_body(path, body)
    assert same(BODIES[path]) == same(BODIES[path] | more)


def test_titles_of_a_schema_change_nothing_and_a_field_called_title_does():
    same = canonical.canonical_value
    assert same(TITLED) == same(SCHEMA)
    named = SCHEMA | {"properties": {"title": {"type": "string"}}, "required": ["title"]}
    assert same(named) != same(SCHEMA) and "title" in same(named)["properties"]


def test_items_passed_back_need_no_ids_and_rules_stand_in_either_place():
    same = lambda body: json.dumps(canonical.canonical_body(RESPONSES, body), sort_keys=True)
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    asked = [{"role": "user", "content": DAY}]
    assert same({"input": [*asked, call]}) == same(
        {"input": [*asked, call | {"id": "fc_1", "status": "completed"}]}
    )
    assert same({"input": [{"type": "item_reference", "id": "a"}]}) != same(
        {"input": [{"type": "item_reference", "id": "b"}]}
    )
    rules = {"role": "developer", "content": "Be brief."}
    assert same({"input": [rules, *asked]}) == same({"input": asked, "instructions": "Be brief."})
    assert same({"input": [rules]}) != same({"instructions": "Be brief.", "input": []})


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"reasoning": {"effort": "medium", "summary": "auto"}}, "reasoning.summary"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
    ],
)
def test_what_differs_in_one_inner_field_is_named_by_it(more, field):
    recorded = next(r.sent for r in SHIPPED.library.recordings if r.path == RESPONSES)
    sent = {k: v for k, v in recorded.items() if k not in ("reasoning", "text")} | more
    sent["input"] = "Something that nobody has recorded, and nothing computes"
    answer = ask(SHIPPED, sent, RESPONSES)
    assert answer.status == 424
    assert field in [d["path"] for d in answer.off_the_map["differences"]], value(answer)


FOLLOWED = [
    {"role": "user", "content": DAY},
    {"role": "assistant", "content": "2024-12-17 was a Tuesday."},
    {"role": "user", "content": "And 2000-02-29?"},
]


@pytest.mark.parametrize("more", [more for more in NOTHING[RESPONSES] if "input" not in more])
def test_nor_does_it_where_the_answer_is_worked_out(more):
    body = {"model": "gpt-5.6-sol", "input": FOLLOWED}
    plain, with_it = ask(SHIPPED, body, RESPONSES), ask(SHIPPED, body | more, RESPONSES)
    assert (plain.status, with_it.status) == (200, 200), with_it.body
    assert plain.recording.startswith("computed/") and with_it.recording == plain.recording


def test_the_other_context_of_reasoning_is_a_difference_that_is_named():
    body = {"model": "gpt-5.6-sol", "input": DAY, "reasoning": {"context": "current_turn"}}
    answer = ask(SHIPPED, body, RESPONSES)
    assert answer.status == 424 and "reasoning.context" in answer.off_the_map["why"]


def test_what_a_library_hangs_on_a_message_counts_where_something_is_in_it():
    hung = lambda value: [
        FOLLOWED[0],
        FOLLOWED[1] | {"provider_specific_fields": value},
        FOLLOWED[2],
    ]
    for given, status in (({"refusal": None}, 200), ({}, 200), ({"note": "Be brief."}, 424)):
        assert ask(SHIPPED, {"model": "o1", "messages": hung(given)}).status == status, given
