"""Schemas of Structured Outputs: what passes, what is refused, in which words, from where."""

import copy
import json
from pathlib import Path
from typing import Literal, Optional, Union

import openai
import pytest
from pydantic import BaseModel, Field

from helpers.facts import schemas
from helpers.local_api import answers, canonical
from tests.asking import CHAT, RESPONSES, ask, chat, envelope

TEXT = {"type": "string"}
NOW = "gpt-5.6-sol"
CASES = Path(__file__).resolve().parents[1] / "data" / "schemas"


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def nested(levels):
    made = TEXT
    for _ in range(levels):
        made = closed(a=made)
    return made


def listed(schema):
    return closed(items={"type": "array", "items": schema})


class Step(BaseModel):
    title: str
    minutes: int


class Node(BaseModel):
    name: str
    children: list["Node"]


class Recipe(BaseModel):
    """A recipe."""

    name: str = Field(description="as on the page")
    kind: Literal["sweet", "salty"]
    rating: Optional[float]
    steps: list[Step]
    first: Step = Field(description="the first step")
    source: Union[Step, str, None]


def strict(model):
    return openai.pydantic_function_tool(model)["function"]["parameters"]


GOOD = [
    nested(5),
    closed(**{f"p{i}": TEXT for i in range(100)}),
    closed(a={"enum": list(range(500)), "type": "integer"}),
    closed(a={"type": ["string", "null"]}),
    closed(a={"const": "x", "type": "string"}),
    closed(a={"anyOf": [TEXT, {"type": "null"}]}),
    closed(),
    strict(Step),
    strict(Node),
    strict(Recipe),
    {"$defs": {"s": closed(a=TEXT)}, **closed(a={"$ref": "#/$defs/s"}, me={"$ref": "#"})},
    closed(default=TEXT, minimum=TEXT),
]
PREFIX = "Invalid schema for response_format 'form'"
BAD = {
    "open": (
        {**closed(), "additionalProperties": True},
        ": In context=(), 'additionalProperties' is required to be supplied and to be false.",
    ),
    "open below": (
        listed({k: v for k, v in closed(a=TEXT).items() if k != "additionalProperties"}),
        ": In context=('properties', 'items', 'items'), 'additionalProperties' is required to be supplied and to be false.",
    ),
    "optional": (
        closed(a=TEXT, b=TEXT) | {"required": ["a"]},
        ": In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'b'.",
    ),
    "no required": (
        {k: v for k, v in closed(a=TEXT).items() if k != "required"},
        ": In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'a'.",
    ),
    "surplus": (
        closed(a=TEXT) | {"required": ["a", "b"]},
        ": In context=(), 'required' must be an array that includes every key in `properties`. Extra required key 'b' supplied.",
    ),
    "list": (
        {"type": "array", "items": TEXT},
        """: schema must be a JSON Schema of 'type: "object"', got 'type: "array"'.""",
    ),
    "anyOf at the root": (
        {"anyOf": [closed(a=TEXT)]},
        """: schema must be a JSON Schema of 'type: "object"', got 'type: "None"'.""",
    ),
    "default": (
        closed(a=TEXT | {"default": "x"}),
        ": In context=('properties', 'a'), 'default' is not permitted.",
    ),
    "minimum": (
        closed(a={"type": "integer", "minimum": 0}),
        ": In context=('properties', 'a'), 'minimum' is not permitted.",
    ),
    "oneOf": (
        closed(a={"oneOf": [TEXT]}),
        ": In context=('properties', 'a'), 'oneOf' is not permitted.",
    ),
    "no type": (closed(a={}), ": In context=('properties', 'a'), schema must have a 'type' key."),
    "in a union": (
        closed(a={"anyOf": [TEXT, {}]}),
        ": In context=('properties', 'a', 'anyOf', '1'), schema must have a 'type' key.",
    ),
    "no items": (
        closed(a={"type": "array"}),
        ": In context=('properties', 'a'), array schema missing items.",
    ),
    "far": (
        closed(a={"$ref": "#/properties/b"}, b=TEXT),
        ": In context=('properties', 'a'), reference can only point to definitions defined at the top level of the schema.",
    ),
    "words beside a reference": (
        {"$defs": {"s": TEXT}, **closed(a={"$ref": "#/$defs/s", "description": "x"})},
        ": context=('properties', 'a'), $ref cannot have keywords {'description'}.",
    ),
    "101 properties": (
        closed(**{f"p{i}": TEXT for i in range(101)}),
        ": 101 parameters exceed the limit of 100.",
    ),
    "6 levels": (nested(6), ": 6 levels of nesting exceeds limit of 5."),
    "6 levels through lists": (
        listed(listed(listed(listed(listed(closed(a=TEXT)))))),
        ": 6 levels of nesting exceeds limit of 5.",
    ),
    "501 values": (
        closed(
            a={"enum": list(range(250)), "type": "integer"},
            b={"enum": list(range(251)), "type": "integer"},
        ),
        ": Expected at most 500 enum values in total within a single schema when using structured outputs, but received 501. "
        "Consider reducing the number of enums, or use 'strict: false' to opt out of structured outputs.",
    ),
    "unknown type": (closed(a={"type": "text"}), ". Please ensure it is a valid JSON Schema."),
    "a word": ("object", ". Please ensure it is a valid JSON Schema."),
    "odd properties": (
        closed(a={"type": "object", "properties": [], "additionalProperties": False}),
        ". Please ensure it is a valid JSON Schema.",
    ),
    "objects as values": (
        closed(a={"enum": [{"a": 1}]}),
        ". Please ensure it is a valid JSON Schema.",
    ),
    "empty union": (closed(a={"anyOf": []}), ". Please ensure it is a valid JSON Schema."),
}


def formatted(schema, strict=True):
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "form", "strict": strict, "schema": schema},
        }
    }


@pytest.mark.parametrize("schema", GOOD, ids=range(len(GOOD)))
def test_what_the_subset_holds_passes(schema):
    assert schemas.fault(schema) is None and schemas.fault(schema, NOW) is None
    before = copy.deepcopy(schema)
    # off the map: nothing is wrong with it
    assert ask(answers.Answers(), chat("x", **formatted(schema))).status == 424
    assert schema == before


@pytest.mark.parametrize("name", BAD)
def test_what_falls_out_gets_the_published_error(name):
    schema, said = BAD[name]
    answer = ask(answers.Answers(), chat("x", **formatted(schema)))
    assert envelope(answer, 400) == {
        "message": PREFIX + said,
        "type": "invalid_request_error",
        "param": "response_format",
        "code": None,
    }
    assert answer.origin["source"].startswith(
        "verbatim" if answer.origin["class"] == "published" else "pattern"
    )


def test_nothing_is_said_of_a_schema_that_is_not_strict():
    for strictness in (False, None):
        assert (
            ask(answers.Answers(), chat("x", **formatted(BAD["open"][0], strictness))).status == 424
        )


def test_the_same_on_responses_and_in_tools():
    bad, said = BAD["optional"]
    form = {
        "text": {"format": {"type": "json_schema", "name": "form", "strict": True, "schema": bad}}
    }
    e = envelope(
        ask(answers.Answers(), {"model": "gpt-5.6-sol", "input": "x", **form}, RESPONSES), 400
    )
    assert (e["message"], e["param"], e["code"]) == (
        PREFIX + said,
        "text.format.schema",
        "invalid_json_schema",
    )
    tool = {"name": "form", "strict": True, "parameters": bad}
    said = "Invalid schema for function 'form'" + said
    e = envelope(
        ask(answers.Answers(), chat("x", tools=[{"type": "function", "function": tool}])), 400
    )
    assert (e["message"], e["param"], e["code"]) == (
        said,
        "tools[0].function.parameters",
        "invalid_function_parameters",
    )
    e = envelope(
        ask(
            answers.Answers(),
            {"model": "gpt-5.6-sol", "input": "x", "tools": [{"type": "function", **tool}]},
            RESPONSES,
        ),
        400,
    )
    assert (e["message"], e["param"], e["code"]) == (
        said,
        "tools[0].parameters",
        "invalid_function_parameters",
    )


def test_limits_and_words_follow_the_time_of_the_model():
    for schema in (
        nested(10),
        BAD["101 properties"][0],
        BAD["501 values"][0],
        BAD["default"][0],
        BAD["minimum"][0],
    ):
        assert schemas.fault(schema) and not schemas.fault(schema, NOW)
    assert "11 levels of nesting exceeds limit of 10" in str(schemas.fault(nested(11), NOW))
    for model, status in (("o1", 400), ("gpt-4o-2024-08-06", 400), ("gpt-5.6-sol", 424)):
        assert ask(answers.Answers(), chat("x", model, **formatted(nested(6)))).status == status


def test_odd_forms_are_no_accident():
    for form, wrong in (
        ({"type": "json_schema"}, "response_format.json_schema"),
        ({"type": "json_schema", "json_schema": 3}, "response_format.json_schema"),
        (
            {"type": "json_schema", "json_schema": {"strict": True}},
            "response_format.json_schema.name",
        ),
    ):
        said = envelope(ask(answers.Answers(), chat("x", response_format=form)), 400)
        assert said["param"] == wrong
    free = chat("x", response_format={"type": "json_object"})
    assert ask(answers.Answers(), free).status == 424
    assert ask(answers.Answers(), chat("x", tools=[3, {"function": 4}])).status < 500
    deep = nested(40)
    assert envelope(ask(answers.Answers(), chat("x", **formatted(deep))), 400)["message"].endswith(
        "40 levels of nesting exceeds limit of 5."
    )


def test_the_order_of_fields_is_told_apart_and_that_of_required_is_not():
    one, other = closed(a=TEXT, b=TEXT), closed(b=TEXT, a=TEXT)

    form = lambda schema: canonical.canonical_body(CHAT, chat("x", **formatted(schema)))
    assert form(one) != form(other)
    assert form(one) == form(one | {"required": ["b", "a"]})


@pytest.mark.parametrize("file", sorted(f.name for f in CASES.glob("*.json")))
def test_what_developers_were_told(file):
    """Requests from public reports, reduced, with what OpenAI said; null: it took them."""
    case = json.loads((CASES / file).read_text(encoding="utf-8"))
    answer = ask(answers.Answers(), case["body"], case["path"])
    if case["openai_says"] is None:
        assert answer.status == 424
    else:
        assert envelope(answer, 400)["message"] == case["openai_says"]


def union(*members):
    return closed(a={"anyOf": list(members)})


def test_members_of_a_union_may_begin_alike_but_for_o1():
    alike = union(closed(n=TEXT, x=TEXT), closed(n=TEXT, y=TEXT))
    for model, status in (("o1", 400), ("o1-2024-12-17", 400), ("gpt-4o", 424), (NOW, 424)):
        assert ask(answers.Answers(), chat("x", model, **formatted(alike))).status == status
    said = envelope(ask(answers.Answers(), chat("x", "o1", **formatted(alike))), 400)
    assert said["param"] is None
    by_reference = {
        "$defs": {"s": closed(n=TEXT, x=TEXT)},
        **union({"$ref": "#/$defs/s"}, closed(n=TEXT)),
    }
    assert schemas.fault(by_reference, "o1")
    assert not schemas.fault(union(closed(n=TEXT), closed(m=TEXT), TEXT), "o1")


@pytest.mark.parametrize(
    ("schema", "then", "now"),
    [
        (closed(a=TEXT | {"minLength": 1}), "'minLength' is not permitted", ""),
        (closed(a=TEXT | {"maxLength": 9}), "'maxLength' is not permitted", ""),
        (closed(a=TEXT | {"format": "email"}), "'format' is not permitted", ""),
        (closed(a=TEXT | {"format": "uri"}), "'format' is not permitted", "'uri' is not a valid format"),
        (closed(a={"enum": ["x"]}), "", "schema must have a 'type' key"),
        (closed(a={"const": "x"}), "", "schema must have a 'type' key"),
        (closed(a={"enum": ["x"], "type": "string"}), "", ""),
    ],
)  # fmt: skip
def test_rules_have_a_time(schema, then, now):
    for model, said in (("gpt-4o", then), (NOW, now)):
        found = schemas.fault(schema, model)
        assert said in str(found) if said else found is None


def function(parameters, strict=None):
    made = {"name": "f", "parameters": parameters}
    made |= {} if strict is None else {"strict": strict}
    return {"tools": [{"type": "function", "function": made}]}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"type": "object"}, "In context=(), object schema missing properties."),
        (
            {"type": "object", "properties": {"a": {"type": "array"}}},
            "In context=('properties', 'a'), array schema missing items.",
        ),
        (
            {"oneOf": []},
            """schema must be a JSON Schema of 'type: "object"', got 'type: "None"'.""",
        ),
        ({"type": "object", "properties": {"a": TEXT}}, ""),
        ({"type": "object", "properties": {}}, ""),
    ],
)
def test_function_parameters_are_judged_without_strict_too(parameters, said):
    answer = ask(answers.Answers(), chat("x", "gpt-4o", **function(parameters)))
    if said:
        e = envelope(answer, 400)
        assert e["message"] == f"Invalid schema for function 'f': {said}"
        assert e["param"] == "tools[0].function.parameters"
    else:
        assert answer.status == 424


def test_the_gpt_5_family_takes_a_union_at_the_root_of_a_function():
    parameters = {"type": "object", "properties": {"a": TEXT}, "anyOf": [{"required": ["a"]}]}
    assert schemas.parameters_fault(parameters, "gpt-4o")
    assert not schemas.parameters_fault(parameters, "gpt-5")
    assert not schemas.parameters_fault(parameters, "gpt-5.4")


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"type": "json_schema", "schema": closed(a=TEXT)}, "text.format.name"),
        ({"type": "json_schema", "name": "a b", "schema": closed(a=TEXT)}, "text.format.name"),
        ({"type": "json_schema", "name": "a"}, "text.format.schema"),
        ({"type": "xml"}, "text.format.type"),
    ],
)
def test_what_stands_around_a_schema_is_asked_in_responses_too(form, wrong):
    body = {"model": NOW, "input": "x", "text": {"format": form}}
    assert envelope(ask(answers.Answers(), body, RESPONSES), 400)["param"] == wrong


def test_every_rule_says_where_it_was_seen():
    from helpers.facts import tables

    for row in tables.rows("schema_rules.csv"):
        assert row["source"].startswith(("verbatim: ", "pattern: ")), row
        assert row["since"] < row["until"] or not row["until"]
