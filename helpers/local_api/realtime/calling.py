"""Which function is called, and with what: arguments from what was said, and from the schema."""

import json
import re

from ..computed import filling, reading
from ..computed.reading import Unclear

DESCRIBED = 4_000  # letters of a description in which is looked for what its function is for
# what a parameter is for, by its name
PARAMETERS = {
    "income|amount|taxable|dollar|salary|earn": "amount",
    "year": "year",
    "status|filing": "status",
    "holiday|event|occasion": "holiday",
    "question|query|prompt|text|request|message|utterance": "question",
    "today|current_date": "date",
}


def functions(tools, tool_choice):
    """The functions among a session's tools. Raises Unclear where the tool of an MCP server has to
    be called.
    """
    found = [t for t in tools if t["type"] == "function"]
    of_server = isinstance(tool_choice, dict) and tool_choice["type"] == "mcp"
    if of_server or tool_choice == "required" and tools and not found:
        raise Unclear(
            "A tool of an MCP server has to be called here, and nothing leaves this machine: "
            "no server is asked. Give the session a function of your own."
        )
    return found


def tool(scene, tools, tool_choice):
    """The function of the session that is called for a scene, or None. Raises Unclear."""
    known = functions(tools, tool_choice)
    if tool_choice == "none":
        return None
    if isinstance(tool_choice, dict):
        return next((t for t in known if t["name"] == tool_choice["name"]), None)
    fits = scene.get("tool", "$^")
    told = lambda t: f"{t['name']} {t.get('description', '')[:DESCRIBED]}"
    found = next((t for t in known if re.search(fits, told(t), re.I)), None)
    return found or (known[0] if known and tool_choice == "required" else None)


def arguments(tool, known):
    """A call's arguments as JSON: each parameter that is known or required.

    `known`: {what: value} of a scene. Raises Unclear, naming a required parameter that nothing
    fills.
    """
    schema = tool.get("parameters") or {}
    given = {}
    for name, field in (schema.get("properties") or {}).items():
        field = field if isinstance(field, dict) else {}
        needed = name in (schema.get("required") or [])
        found = next((known[key] for pattern, key in PARAMETERS.items() if key in known and re.search(pattern, name, re.I)), None)  # fmt: skip
        try:
            value = _from_schema(field) if found is None else _fitting(name, field, found)
        except filling.Unfilled as e:
            if needed:
                raise Unclear(f"The function {tool['name']} cannot be called: {e}") from None
            continue
        if value is not None and (needed or found is not None):
            given[name] = value
        elif needed:
            raise Unclear(
                f"The function {tool['name']} requires {name}, which was not said, and whose schema has no default, enum or const: "
                "take it out of `required`, or give it one."
            )
    return json.dumps(given, ensure_ascii=False)


def _fitting(name, field, value):
    """A value in the type of a field, or the one of its enum that means it."""
    allowed = field.get("enum")
    if allowed:
        word = str(value).replace("_", " ").casefold()
        same = [v for v in allowed if str(v).replace("_", " ").casefold() == word]
        if not same:
            raise filling.Unfilled(f"{name} would be {value!r}, which its enum does not have.")
        return same[0]
    return filling.fill({"properties": {name: field}}, {name: value, filling.plain(name): value})[
        name
    ]


def _from_schema(field):
    """What a schema itself says of a parameter that nobody spoke of."""
    for key in ("default", "const"):
        if key in field:
            return field[key]
    for key in ("enum", "examples"):
        if field.get(key):
            return field[key][0]
    return None


def income_of(text):
    """The income in a call's arguments, or None."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fields = given.items() if isinstance(given, dict) else ()
    found = next((v for k, v in fields if re.search(next(iter(PARAMETERS)), k, re.I)), None)
    money = reading.money(str(found)) if found is not None else None
    return money if money is not None and money >= 0 else None
