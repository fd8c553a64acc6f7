"""The exercises of notebooks/1_o1/04_function_calling."""

import copy

from ..local_api import schemas
from . import exercise, judge

LOOSE = {
    "name": "refund",
    "description": "Where a refund is.",
    "parameters": {
        "type": "object",
        "required": ["year"],
        "properties": {
            "year": {"type": "integer"},
            "state": {"type": "string"},
            "joint": {"type": "boolean"},
        },
    },
}


@exercise(
    "functions-1",
    hint="Four changes: strict, additionalProperties, required, and the type of each property that was not required.",
)
def made_strict(function):
    given = copy.deepcopy(LOOSE)
    made = function(given)
    if given != LOOSE:
        return (
            "your function changes the description that it was given; the caller may still need it."
        )
    if made is None:
        return "your function returns nothing."
    if made.get("strict") is not True:
        return "`strict` is not True; it stands beside `name` and `parameters`."
    schema = made.get("parameters", {})
    for key in ("name", "description"):
        if made.get(key) != LOOSE[key]:
            return f"the {key} is to stay as it was."
    if set(schema.get("properties", {})) != set(LOOSE["parameters"]["properties"]):
        return "the properties are to be the same three."
    fault = schemas.fault(schema)
    if fault:
        return f"the API would say: {fault}"
    for name, old in LOOSE["parameters"]["properties"].items():
        kind = schema["properties"][name].get("type")
        if name in LOOSE["parameters"]["required"]:
            if kind != old["type"]:
                return f"{name!r} was required before: its type stays {old['type']}."
        elif not isinstance(kind, list) or set(kind) != {old["type"], "null"}:
            return (
                f"{name!r} was optional: its type becomes [{old['type']!r}, 'null'], not {kind!r}."
            )
    return None


@exercise(
    "functions-2",
    hint="Ask of each question: are all arguments of the call known already? And would its result be the answer?",
)
def which_tool_first(answer):
    right = {
        "owe": "tax_table",
        "thanks": "none",
        "both": "standard_deduction",
        "third": "calculator",
        "vague": "none",
    }
    why = {
        "owe": "year, status and taxable income are all there, and the table has the answer",
        "thanks": "nothing is asked",
        "both": "the table wants the taxable income, which is known only once the deduction is",
        "third": "this is arithmetic; no table has it",
        "vague": "no argument is known; a good model asks before it calls",
    }
    return judge(answer, right, ("tax_table", "standard_deduction", "calculator", "none"), why)
