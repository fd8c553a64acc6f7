"""A schema filled in from what is known: each field by its name, in its type. A field that nothing
is known of is named.
"""

import re
from fractions import Fraction

from .reading import Unclear

SYNONYMS = (
    ("corrections", "mistakes", "errors", "fixes", "changes", "values", "items", "findings"),
    ("reason", "why", "explanation", "rationale", "because", "note", "comment", "steps", "reasoning", "thought"),
    ("location", "where", "place", "line_name", "position"),
    ("old_value", "old", "wrong", "before", "as_filed", "written", "given", "current_value", "was"),
    ("new_value", "new", "right", "after", "correct", "corrected", "correct_value", "should_be", "expected", "corrected_value"),
    ("line", "line_number", "line_no", "number_of_line"),
    ("page", "page_number"),
    ("difference", "change", "delta", "diff"),
    ("count", "number_of_corrections", "total", "how_many", "n", "number"),
    ("answer", "text", "reply", "response", "message", "summary", "said", "content"),
    ("weekday", "day_of_week", "day_name"),
    ("date", "day"),
    ("year", "tax_year"),
    ("filing_status", "status"),
    ("taxable_income", "income", "taxable", "amount"),
    ("boxes", "boxes_ticked", "ticked"),
    ("has_mistakes", "mistakes_found", "any_mistakes", "needs_correction"),
)  # fmt: skip


DEEPEST = 10  # objects in one another: a schema may lead back into itself


class Unfilled(Unclear):
    """A field that nothing here can fill."""


def fill(schema, facts, at="", definitions=None):
    """The value of a schema that `facts`, {name: value or list of facts}, make; fields in the
    schema's order.

    Raises Unfilled with the field's place and the reason.
    """
    if definitions is None:
        if not _is_schema(schema):
            raise Unfilled("The schema is none that can be read here.")
        definitions = {**schema.get("$defs", {}), **schema.get("definitions", {})}
    if at.count(".") > DEEPEST:
        raise Unfilled(f"{at[:60]} … goes deeper than what is known here.")
    if "$ref" in schema:
        schema = definitions.get(schema["$ref"].split("/")[-1], {})
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        raise Unfilled(f"{at or 'the schema'} is no object with properties.")
    made = {}
    for name, field in properties.items():
        place = f"{at}.{name}" if at else name
        made[name] = _field(name, field, facts, place, definitions)
    return made


def _is_schema(value):
    """Whether a value has the parts of a schema in the types that they have: what is not strict,
    the API does not look at.
    """
    if not isinstance(value, dict):
        return False
    kinds = value.get("type", "")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    maps = [value.get(name, {}) for name in ("properties", "$defs", "definitions")]
    lists = [value.get(name, []) for name in ("anyOf", "enum", "required")]
    if not all(isinstance(m, dict) for m in maps) or not all(isinstance(v, list) for v in lists):
        return False
    inner = [v for m in maps for v in m.values()] + value.get("anyOf", [])
    inner += [value["items"]] if "items" in value else []
    texts = [*kinds, value.get("$ref", ""), *value.get("required", [])]
    return all(isinstance(t, str) for t in texts) and all(map(_is_schema, inner))


def _field(name, field, facts, at, definitions):
    if not isinstance(field, dict):
        raise Unfilled(f"{at} has no schema.")
    if "$ref" in field:
        field = definitions.get(field["$ref"].split("/")[-1], {})
    kinds = _kinds(field)
    if "array" in kinds:
        return _list(name, field, facts, at, definitions)
    if isinstance(field.get("properties"), dict):
        first = next((v[0] for v in facts.values() if isinstance(v, list) and v), {})
        return fill(field, {**first, **{k: v for k, v in facts.items() if not isinstance(v, list)}}, at, definitions)  # fmt: skip
    known, value = _known(name, facts)
    if not known:
        if "null" in kinds:
            return None
        if "const" in field:
            return field["const"]
        raise Unfilled(f"Nothing here knows what to put into {at}: no ground truth has it.")
    if isinstance(value, list):
        raise Unfilled(
            f"{at} is known here as a list, and the schema wants {' or '.join(sorted(kinds))}."
        )
    return _cast(value, field, kinds, at, definitions)


def _list(name, field, facts, at, definitions):
    known, value = _known(name, facts)
    lists = [v for v in facts.values() if isinstance(v, list)]
    if not isinstance(value, list):
        if len(lists) != 1:
            raise Unfilled(f"Nothing here knows what to put into the list {at}.")
        value = lists[0]
    inner = field.get("items") or {}
    if "$ref" in inner:
        inner = definitions.get(inner["$ref"].split("/")[-1], {})
    if isinstance(inner.get("properties"), dict):
        return [fill(inner, item, f"{at}[{i}]", definitions) for i, item in enumerate(value)]
    kinds = _kinds(inner)
    shown = [item.get("text") for item in value]
    return [_cast(v, inner, kinds, f"{at}[{i}]", definitions) for i, v in enumerate(shown)]


def _kinds(field):
    kinds = field.get("type", [])
    kinds = set(kinds if isinstance(kinds, list) else [kinds])
    for one in field.get("anyOf") or []:
        kinds |= _kinds(one) if isinstance(one, dict) else set()
    return kinds


def plain(name):
    """A field's name as SYNONYMS has it: old_value, of oldValue and Old value."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]+", "_", name).lower()


def _known(name, facts):
    """(whether it is known, its value) of a field by its name or one that means the same."""
    same = plain(name)
    if same in facts:
        return True, facts[same]
    for group in SYNONYMS:
        if same in group:
            for other in group:
                if other in facts:
                    return True, facts[other]
    return False, None


def _cast(value, field, kinds, at, definitions):
    for one in field.get("anyOf") or []:
        if isinstance(one, dict) and _kinds(one) != {"null"}:
            one = definitions.get(one["$ref"].split("/")[-1], {}) if "$ref" in one else one
            return _cast(value, one, _kinds(one), at, definitions)
    allowed = field.get("enum", [field["const"]] if "const" in field else None)
    if allowed is not None:
        same = [v for v in allowed if str(v).casefold() == str(value).casefold()]
        if not same:
            raise Unfilled(
                f"{at} would be {value!r}, which the schema's list of values does not have."
            )
        return same[0]
    if isinstance(value, bool):
        if "boolean" in kinds:
            return value
    elif isinstance(value, (int, float, Fraction)):
        if "number" in kinds or "integer" in kinds and value == int(value):
            return int(value) if value == int(value) else float(value)
        if "integer" in kinds:
            raise Unfilled(f"{at} would be {float(value)}, and the schema wants a whole number.")
        if "string" in kinds or not kinds:
            return str(int(value) if value == int(value) else float(value))
    elif "string" in kinds or not kinds:
        return str(value)
    elif kinds & {"integer", "number"} and re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        return _cast(Fraction(str(value)), field, kinds, at, definitions)
    raise Unfilled(f"{at} would be {value!r}, which is no {' or '.join(sorted(kinds))}.")
