"""Schemas of Structured Outputs, held to the subset that the API accepts; what falls out gets the
API's own error.

Checked are a request's strict schemas: Chat `response_format`, Responses `text.format`, strict
tools. The subset is the one documented in December 2024, for today's models the one of 2026. The
texts are those that developers met, each with the place where it was seen. Which of several faults
the API names first, and how it counts nesting, is not published: here the outermost object comes
first, and objects are counted on the longest way down, the root as 1.
"""

from __future__ import annotations

from typing import Any

OBJECT_AT_ROOT = """schema must be a JSON Schema of 'type: "object"', got 'type: "{}"'."""
CLOSED = "'additionalProperties' is required to be supplied and to be false."
MISSING = "'required' is required to be supplied and to be an array including every key in properties. Missing '{}'."
SURPLUS = "'required' must be an array that includes every key in `properties`. Extra required key '{}' supplied."
BANNED = "'{}' is not permitted."
NO_TYPE = "schema must have a 'type' key."
NO_ITEMS = "array schema missing items."
FAR_REF = "reference can only point to definitions defined at the top level of the schema."
REF_KEYS = "$ref cannot have keywords {}."
NOT_A_SCHEMA = "Please ensure it is a valid JSON Schema."
TOO_MANY = "{} parameters exceed the limit of {}."
TOO_DEEP = "{} levels of nesting exceeds limit of {}."
TOO_MANY_VALUES = (
    "Expected at most {1} enum values in total within a single schema when using structured outputs, but received {0}. "
    "Consider reducing the number of enums, or use 'strict: false' to opt out of structured outputs."
)

# Where each text was seen with an error of the API; "pattern" where we only know that there is one
# like it.
SEEN = {
    OBJECT_AT_ROOT: "verbatim: podly-pure-podcasts#89 (2025-04), clay-good/OpenLore#52",
    CLOSED: "verbatim: dottxt-ai/outlines#844 (2024-10)",
    MISSING: "verbatim: vercel/ai#6484 (2025-05), langchain-ai/langmem#113",
    SURPLUS: "verbatim: dotnet/extensions#6302 (2025-04)",
    BANNED: "verbatim: 567-labs/instructor#1074 (2024-10, default), liam-hq/liam#1162 (2025-04, minimum)",
    NO_ITEMS: "verbatim: modelscope/ms-agent#610 (2025-01)",
    FAR_REF: "verbatim: dotnet/extensions#6918 (2025-10)",
    NOT_A_SCHEMA: "verbatim: tldraw/ai-template#2 (2025-07), community.openai.com/t/1132288",
    TOO_MANY: "verbatim: openai/openai-node#1176 (2024-11)",
    TOO_DEEP: "verbatim: tidyverse/ellmer#671 (2025-07)",
    TOO_MANY_VALUES: "verbatim: community.openai.com/t/974416",
    NO_TYPE: "pattern: the sentence as quoted in several public repositories, the whole error not seen",
    REF_KEYS: "pattern: the sentence as in camel-ai/camel#3001 and defog-ai/defog#244, the whole error not seen",
}

# Keywords of JSON Schema outside the subset of December 2024: the list of OpenAI's guide
# "Structured Outputs" as remembered, for want of a dated copy (M); `default` and `minimum` were
# seen in errors of that time.
BANNED_THEN = frozenset(
    """default minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf
    patternProperties unevaluatedProperties propertyNames minProperties maxProperties unevaluatedItems contains minContains
    maxContains minItems maxItems uniqueItems prefixItems additionalItems oneOf allOf not if then else dependentRequired dependentSchemas""".split()
)
# The guide of 2026 takes these, as a public issue quotes it (MervinPraison/PraisonAI#1028, M); that
# `default` passes: openai/openai-agents-python#4390 (2026-08, gpt-5.6-sol).
TAKEN_NOW = frozenset(
    "default pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems".split()
)
# (properties, levels, enum values). Then: community.openai.com/t/918388 and 974416. Now, M:
# jsonschemaprofiles.unitvectorylabs.com, 2026-02.
THEN, NOW = (100, 5, 500), (5_000, 10, 1_000)
TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
OF_DAY_9 = ("o1", "gpt-4o")  # and their snapshots


class Fault(Exception):
    """What is wrong with a schema: the sentence, filled in, and the template it was made from."""

    def __init__(
        self, template: str, *values: object, context: tuple[str, ...] | None = None
    ) -> None:
        text = template.format(*values)
        super().__init__(text if context is None else f"In context={context!r}, {text}")
        self.template = template


def fault(schema: object, today: bool = False) -> Fault | None:
    """The first Fault of a strict schema, or None.

    >>> print(fault({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}))
    In context=(), 'additionalProperties' is required to be supplied and to be false.
    """
    try:
        _hold(schema, BANNED_THEN - TAKEN_NOW if today else BANNED_THEN, NOW if today else THEN)
    except Fault as e:
        return e
    return None


def refusal(path: str, body: dict[str, Any]) -> tuple[dict[str, str | None], str] | None:
    """(error, source) for the first bad schema of a request, or None."""
    today = not any(
        body["model"] == name or body["model"].startswith(f"{name}-") for name in OF_DAY_9
    )
    for what, schema, param, code in _schemas(path, body):
        found = fault(schema, today)
        if found:
            joint = ". " if found.template is NOT_A_SCHEMA else ": "
            return {
                "message": f"Invalid schema for {what}{joint}{found}",
                "type": "invalid_request_error",
                "param": param,
                "code": code,
            }, SEEN[found.template]
    return None


def _schemas(path, body):
    """(what it is called in an error, schema, param, code) of each strict schema in a request."""
    chat = path == "/v1/chat/completions"
    form = body.get("response_format") if chat else (body.get("text") or {}).get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = form.get("json_schema") if chat else form
        if isinstance(inner, dict) and inner.get("strict") and "schema" in inner:
            yield (
                f"response_format '{inner.get('name')}'",
                inner["schema"],
                *(
                    ("response_format", None)
                    if chat
                    else ("text.format.schema", "invalid_json_schema")
                ),
            )
    for i, tool in enumerate(body.get("tools") or []):
        inner = tool.get("function") if chat and isinstance(tool, dict) else tool
        if isinstance(inner, dict) and inner.get("strict") and "parameters" in inner:
            yield (
                f"function '{inner.get('name')}'",
                inner["parameters"],
                f"tools[{i}].{'function.' * chat}parameters",
                "invalid_function_parameters",
            )


def _hold(schema, banned, limits):
    if not isinstance(schema, dict):
        raise Fault(NOT_A_SCHEMA)
    if schema.get("type") != "object":
        kind = schema.get("type")
        raise Fault(OBJECT_AT_ROOT, kind if isinstance(kind, str) else None)
    count = {"properties": 0, "values": 0}
    definitions = {
        f"#/{group}/{name}": made
        for group in ("$defs", "definitions")
        if isinstance(schema.get(group), dict)
        for name, made in schema[group].items()
    }
    _walk(schema, (), {"#": schema} | definitions, banned, count)
    for at, made in definitions.items():
        _walk(made, tuple(at.split("/")[1:]), {"#": schema} | definitions, banned, count)
    levels = _levels(schema, {"#": schema} | definitions, ())
    for found, limit, template in (
        (count["properties"], limits[0], TOO_MANY),
        (levels, limits[1], TOO_DEEP),
        (count["values"], limits[2], TOO_MANY_VALUES),
    ):
        if found > limit:
            raise Fault(template, found, limit)


def _walk(schema, at, known, banned, count):
    """Raise the first Fault of a schema and of all below it; counts properties and enum values on
    the way.
    """
    if not isinstance(schema, dict):
        raise Fault(NOT_A_SCHEMA)
    for word in schema:
        if word in banned:
            raise Fault(BANNED, word, context=at)
    if "$ref" in schema:
        if schema["$ref"] not in known:
            raise Fault(FAR_REF, context=at)
        others = [k for k in schema if k not in ("$ref", "$defs", "definitions")]
        if others:
            raise Fault(REF_KEYS, "{" + ", ".join(map(repr, others)) + "}", context=at)
        return
    if "anyOf" in schema:
        if not isinstance(schema["anyOf"], list) or not schema["anyOf"]:
            raise Fault(NOT_A_SCHEMA)
        for i, one in enumerate(schema["anyOf"]):
            _walk(one, (*at, "anyOf", str(i)), known, banned, count)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
        raise Fault(NOT_A_SCHEMA)
    if not kinds and not {"anyOf", "enum", "const"} & set(schema):
        raise Fault(NO_TYPE, context=at)
    if "enum" in schema:
        if (
            not isinstance(schema["enum"], list)
            or not schema["enum"]
            or any(isinstance(v, (dict, list)) for v in schema["enum"])
        ):
            raise Fault(NOT_A_SCHEMA)
        count["values"] += len(schema["enum"])
    if "object" in kinds:
        _walk_object(schema, at, known, banned, count)
    if "array" in kinds:
        if "items" not in schema:
            raise Fault(NO_ITEMS, context=at)
        _walk(schema["items"], (*at, "items"), known, banned, count)


def _walk_object(schema, at, known, banned, count):
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if (
        not isinstance(properties, dict)
        or not isinstance(required, list)
        or not all(isinstance(name, str) for name in required)
    ):
        raise Fault(NOT_A_SCHEMA)
    if schema.get("additionalProperties") is not False:
        raise Fault(CLOSED, context=at)
    for name in properties:
        if name not in required:
            raise Fault(MISSING, name, context=at)
    for name in required:
        if name not in properties:
            raise Fault(SURPLUS, name, context=at)
    count["properties"] += len(properties)
    for name, one in properties.items():
        _walk(one, (*at, "properties", name), known, banned, count)


def _levels(schema, known, through):
    """Objects on the longest way down; a reference that leads back into itself adds none."""
    ref = schema.get("$ref")
    if ref is not None:
        return 0 if ref in through else _levels(known[ref], known, (*through, ref))
    below = [
        *schema.get("properties", {}).values(),
        *schema.get("anyOf", []),
        *([schema["items"]] if "items" in schema else []),
    ]
    return ("properties" in schema) + max(
        (_levels(one, known, through) for one in below), default=0
    )
