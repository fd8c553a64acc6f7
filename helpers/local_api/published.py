"""Checks made from data/request_shapes.json: what openai's own types say of each parameter.

The file is JSON Schema in a small subset: type, const, enum, anyOf, $ref, items, properties,
required, additionalProperties, minimum, maximum. What a type has no word of passes.
"""

import functools

from ..facts import DATA
from ..facts.files import read_json
from .checks import (
    Bad,
    anything,
    array,
    by_kind,
    choice,
    each,
    fields,
    inside,
    mapping,
    missing,
    number,
    optional,
)

KINDS = {"string": str, "boolean": bool, "array": list, "object": dict}


@functools.cache
def shapes():
    """The table: {path: schema}, and where it is from."""
    return read_json(DATA / "request_shapes.json")


def parameters(name):
    """The names of all parameters of a request, or of a Realtime session."""
    return {*shapes()[name]["properties"], "model"}


@functools.cache
def parameter(name, key):
    """The check of one parameter."""
    shape = shapes()[name]
    return optional(_check(shape["properties"][key], shape["definitions"]))


@functools.cache
def item_of(name, key):
    """The check of one item of a parameter that is a list."""
    shape = shapes()[name]
    return _check(shape["properties"][key]["items"], shape["definitions"])


@functools.cache
def parameters_of(name):
    """The check that each parameter of a body is of its type."""
    return fields({key: parameter(name, key) for key in shapes()[name]["properties"]})


def _check(schema, definitions):
    """The check of a schema. A definition is made into one when a value first needs it."""
    every = [one for one in _flat(schema, definitions) if one.get("type") != "null"]
    if not every or any(not one for one in every):
        return anything
    return _union(every, definitions)


def _flat(schema, definitions):
    """The alternatives of a schema, without references and inner alternatives."""
    if "$ref" in schema:
        return _flat(definitions[schema["$ref"]], definitions)
    if "anyOf" in schema:
        return [one for part in schema["anyOf"] for one in _flat(part, definitions)]
    return [schema]


def _union(every, definitions):
    of = {}
    for one in every:
        of.setdefault(_kind(one), []).append(one)
    checks = {}
    for kind, alike in of.items():
        if kind is float:
            least, most = alike[0].get("minimum", float("-inf")), alike[0].get("maximum")
            whole = all(one["type"] == "integer" for one in alike)
            check = number(least, float("inf") if most is None else most, whole)
            checks |= {int: check} if whole else {int: check, float: check}
        elif kind is str:
            checks[str] = _words(alike)
        elif kind is list:
            checks[list] = _any_of([_list(one, definitions) for one in alike])
        elif kind is dict:
            checks[dict] = _objects(alike, definitions)
        else:
            checks[kind] = anything
    return by_kind(checks)


def _kind(schema):
    kind = schema.get("type", "object")
    return float if kind in ("number", "integer") else KINDS[kind]


def _words(alike):
    known = [_known(one) for one in alike]
    return choice(*dict.fromkeys(sum(known, []))) if all(known) else anything


def _known(schema):
    return schema.get("enum") or ([schema["const"]] if "const" in schema else [])


def _list(schema, definitions):
    return each(_lazily(schema["items"], definitions)) if schema.get("items") else array


def _lazily(schema, definitions):
    """A check made when it is first needed: the types of a Responses request are many, and some
    hold themselves.
    """
    made = []

    def check(value, at):
        if not made:
            made.append(_check(schema, definitions))
        made[0](value, at)

    return check


def _objects(alike, definitions):
    """An object of one of several kinds, which its type tells, or where they have none its role."""
    checks = [(one.get("properties", {}), _object(one, definitions)) for one in alike]
    key = next((k for k in ("type", "role") if all(k in p for p, _ in checks)), None)
    if len(alike) == 1 or not key:
        return _any_of([check for _, check in checks])
    words = [_known_of(p[key], definitions) for p, _ in checks]
    needed = [key in one["required"] for one in alike]

    def check(value, at):
        said = value.get(key)
        if said is None:
            fitting = [c for (_, c), must in zip(checks, needed) if not must]
            if not fitting:
                raise missing(inside(at, key))
        else:
            choice(*dict.fromkeys(sum(words, [])))(said, inside(at, key))
            fitting = [c for (_, c), known in zip(checks, words) if said in known]
        _any_of(fitting)(value, at)

    return check


def _known_of(schema, definitions):
    return [word for one in _flat(schema, definitions) for word in _known(one)]


def _any_of(checks):
    """What passes any of some checks. The error is that of the first: the types name the usual
    one first.
    """
    if len(checks) == 1:
        return checks[0]

    def check(value, at):
        first = None
        for one in checks:
            try:
                return one(value, at)
            except Bad as e:
                first = first or e
        raise first

    return check


def _object(schema, definitions):
    of_each = {
        k: optional(_lazily(v, definitions)) for k, v in schema.get("properties", {}).items()
    }
    other = schema.get("additionalProperties")
    others = _lazily(other, definitions) if isinstance(other, dict) else anything

    def check(value, at):
        mapping(value, at)
        for key in schema.get("required", ()):
            if value.get(key) is None:
                raise missing(inside(at, key))
        for key, item in value.items():
            of_each.get(key, others)(item, inside(at, key))

    return check
