"""Schemas of Structured Outputs, held to the subset that the API accepts; what falls out gets the
API's own error.

Checked are a request's strict schemas (Chat `response_format`, Responses `text.format`, strict
tools), and of all function parameters what the API asks without `strict` too. The rules are those
of data/schema_rules.csv, each with its models, its time and its sources, and with the text that
developers met. Models of Day 9 are judged as in December 2024, others as today. Which of several
faults the API names first, and how it counts nesting, is not published: here the outermost object
comes first, and objects are counted on the longest way down, the root as 1.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from . import tables

TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
OF_DAY_9 = ("o1", "gpt-4o")  # and their snapshots
DAY_9, TODAY = "2024-12", "2026-11"


class Fault(Exception):
    """What is wrong with a schema, as the API says it, and the row of the rule that says so.

    joint: what stands between the name of the schema and the sentence.
    """

    def __init__(
        self,
        row: dict[str, str],
        *values: object,
        context: tuple[str, ...] | None = None,
        within: str = "In context=",
        joint: str = ": ",
    ) -> None:
        text = row["text"].format(*values)
        super().__init__(text if context is None else f"{within}{context!r}, {text}")
        self.row, self.joint = row, joint


@dataclass(frozen=True)
class Rules:
    """The rows of data/schema_rules.csv that hold for a model."""

    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def __contains__(self, rule: str) -> bool:
        return rule in self.rows

    def __getitem__(self, rule: str) -> dict[str, str]:
        return self.rows[rule][0]

    def of_value(self, rule: str, value: str) -> dict[str, str] | None:
        """The row of a rule whose values have this one."""
        return next((r for r in self.rows.get(rule, ()) if value in r["value"].split()), None)


@functools.lru_cache(maxsize=100)
def rules_for(model: str) -> Rules:
    """The Rules by which a model's schemas are judged."""
    day = DAY_9 if _is(model, OF_DAY_9) else TODAY
    found: dict[str, list[dict[str, str]]] = {}
    for row in tables.rows("schema_rules.csv"):
        models = row["models"]
        meant = not models or _is(model, models.removeprefix("-").split()) != models.startswith("-")
        if meant and row["since"] <= day and (not row["until"] or day < row["until"]):
            found.setdefault(row["rule"], []).append(row)
    return Rules(found)


def _is(model, names):
    """Whether a model is one of these, or a snapshot or a smaller one of its family."""
    return any(model == name or model.startswith((f"{name}-", f"{name}.")) for name in names)


def fault(schema: object, model: str = "gpt-4o") -> Fault | None:
    """The first Fault of a strict schema for a model, or None.

    >>> print(fault({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}))
    In context=(), 'additionalProperties' is required to be supplied and to be false.
    """
    return _first(_hold, schema, rules_for(model))


def parameters_fault(schema: object, model: str = "gpt-4o", strict: bool = False) -> Fault | None:
    """The first Fault of a function's parameters, or None."""
    rules = rules_for(model)
    return _first(_hold_parameters, schema, rules) or (fault(schema, model) if strict else None)


def _first(hold, schema, rules):
    try:
        hold(schema, rules)
    except Fault as e:
        return e
    return None


def refusal(path: str, body: dict[str, Any]) -> tuple[dict[str, str | None], str] | None:
    """(error, source) for the first bad schema of a request, or None."""
    for what, found, param, code in _judged(path, body):
        if found:
            # this one names no schema, and no parameter
            nameless = found.row["rule"] == "first keys"
            whose = "" if nameless else f" for {what}"
            return {
                "message": f"Invalid schema{whose}{found.joint}{found}",
                "type": "invalid_request_error",
                "param": None if nameless else param,
                "code": None if nameless else code,
            }, found.row["source"]
    return None


def _judged(path, body):
    """(what it is called in an error, its Fault or None, param, code) of each schema in a
    request.
    """
    chat, model = path == "/v1/chat/completions", body["model"]
    form = body.get("response_format") if chat else (body.get("text") or {}).get("format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        inner = form.get("json_schema") if chat else form
        if isinstance(inner, dict) and inner.get("strict") and "schema" in inner:
            where = (
                ("response_format", None) if chat else ("text.format.schema", "invalid_json_schema")
            )
            name = f"response_format '{inner.get('name')}'"
            yield name, fault(inner["schema"], model), *where
    for i, tool in enumerate(body.get("tools") or []):
        inner = tool.get("function") if chat and isinstance(tool, dict) else tool
        if not isinstance(inner, dict) or tool.get("type") != "function":
            continue
        if inner.get("parameters"):  # of empty ones nothing is known
            found = parameters_fault(inner["parameters"], model, bool(inner.get("strict")))
            param = f"tools[{i}].{'function.' * chat}parameters"
            yield f"function '{inner.get('name')}'", found, param, "invalid_function_parameters"


def _no_schema(rules):
    return Fault(rules["no schema"], joint=". ")


# ---- function parameters, strict or not


def _hold_parameters(schema, rules):
    if not isinstance(schema, dict):
        raise _no_schema(rules)
    if schema.get("type") != "object":
        raise Fault(rules["root"], _kind(schema))
    if "function root" in rules and set(schema) & set(rules["function root"]["value"].split()):
        raise Fault(rules["function root"])
    if "properties" not in schema:
        raise Fault(rules["function properties"], context=())
    _items(schema, (), rules)


def _items(schema, at, rules):
    """Raise the Fault of a list that does not say what is in it."""
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "array" and "items" not in schema:
        raise Fault(rules["no items"], context=at)
    properties = schema.get("properties")
    for name, one in properties.items() if isinstance(properties, dict) else ():
        _items(one, (*at, "properties", name), rules)
    _items(schema.get("items"), (*at, "items"), rules)


def _kind(schema):
    kind = schema.get("type")
    return kind if isinstance(kind, str) else None


# ---- strict schemas


def _hold(schema, rules):
    if not isinstance(schema, dict):
        raise _no_schema(rules)
    if schema.get("type") != "object":
        raise Fault(rules["root"], _kind(schema))
    count = {"parameters": 0, "values": 0}
    definitions = {
        f"#/{group}/{name}": made
        for group in ("$defs", "definitions")
        if isinstance(schema.get(group), dict)
        for name, made in schema[group].items()
    }
    known = {"#": schema} | definitions
    _walk(schema, (), known, rules, count)
    for at, made in definitions.items():
        _walk(made, tuple(at.split("/")[1:]), known, rules, count)
    count["levels"] = _levels(schema, known, ())
    for rule in ("parameters", "levels", "values"):
        if count[rule] > int(rules[rule]["value"]):
            raise Fault(rules[rule], count[rule], rules[rule]["value"])


def _walk(schema, at, known, rules, count):
    """Raise the first Fault of a schema and of all below it; counts properties and enum values on
    the way.
    """
    if not isinstance(schema, dict):
        raise _no_schema(rules)
    for word in schema:
        if row := rules.of_value("banned", word):
            raise Fault(row, word, context=at)
    if "$ref" in schema:
        _walk_reference(schema, at, known, rules)
        return
    if "anyOf" in schema:
        _walk_union(schema["anyOf"], at, known, rules, count)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
        raise _no_schema(rules)
    if not kinds and "anyOf" not in schema:
        values = {"enum", "const"} & set(schema)
        rule = "no type beside values" if values else "no type"
        if rule in rules:
            raise Fault(rules[rule], context=at)
    if "enum" in schema:
        if (
            not isinstance(schema["enum"], list)
            or not schema["enum"]
            or any(isinstance(v, (dict, list)) for v in schema["enum"])
        ):
            raise _no_schema(rules)
        count["values"] += len(schema["enum"])
    if "format" in schema and "format" in rules:
        if str(schema["format"]) not in rules["format"]["value"].split():
            raise Fault(rules["format"], schema["format"], context=at)
    if "object" in kinds and (not at or "properties" in schema):
        _walk_object(schema, at, known, rules, count)
    if "array" in kinds:
        if "items" not in schema:
            raise Fault(rules["no items"], context=at)
        _walk(schema["items"], (*at, "items"), known, rules, count)


def _walk_reference(schema, at, known, rules):
    if not isinstance(schema["$ref"], str) or schema["$ref"] not in known:
        raise Fault(rules["far reference"], context=at)
    others = [k for k in schema if k not in ("$ref", "$defs", "definitions")]
    if others:
        named = "{" + ", ".join(map(repr, others)) + "}"
        raise Fault(rules["reference with keys"], named, context=at, within="context=")


def _walk_union(members, at, known, rules, count):
    if not isinstance(members, list) or not members:
        raise _no_schema(rules)
    if "first keys" in rules:
        firsts = [_first_key(one, known) for one in members]
        firsts = [key for key in firsts if key is not None]
        if len(set(firsts)) < len(firsts):
            raise Fault(rules["first keys"])
    for i, one in enumerate(members):
        _walk(one, (*at, "anyOf", str(i)), known, rules, count)


def _first_key(schema, known):
    """The first property of an object, or None."""
    schema = known.get(schema.get("$ref"), schema) if isinstance(schema, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return next(iter(properties), None) if isinstance(properties, dict) else None


def _walk_object(schema, at, known, rules, count):
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if (
        not isinstance(properties, dict)
        or not isinstance(required, list)
        or not all(isinstance(name, str) for name in required)
    ):
        raise _no_schema(rules)
    if schema.get("additionalProperties") is not False:
        raise Fault(rules["closed"], context=at)
    # an object that does not say its properties is left out, and its name is then one too many
    needed = set(required)  # the list may be long
    for name, one in properties.items():
        if _is_left_out(one):
            if name in needed:
                raise Fault(rules["left out"], name, context=at)
        elif name not in needed:
            raise Fault(rules["missing"], name, context=at)
    for name in required:
        if name not in properties:
            raise Fault(rules["surplus"], name, context=at)
    count["parameters"] += len(properties)
    for name, one in properties.items():
        _walk(one, (*at, "properties", name), known, rules, count)


def _is_left_out(schema):
    if not isinstance(schema, dict):
        return False
    return schema.get("type") == "object" and not {"properties", "$ref", "anyOf"} & set(schema)


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
