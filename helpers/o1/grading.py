"""Graders for answers with a known right one, and how far the graders themselves can be trusted.

    grade_calls   tool calls: the names and the arguments, in any order
    grade_json    an answer that must be JSON, valid against a schema, with these values in these
                  fields
    confusion     what the graders say of answers whose worth is known, data/graded_answers.json

An answer is read from whatever the SDK returned (`calls_of`, `text_of`), so the harness runs with
any client.
"""

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ..facts import DATA, stats
from ..facts.files import read_json

LABELLED = DATA / "graded_answers.json"


class Grade(NamedTuple):
    """What a grader says: whether the answer passed, and if not, why in a few words."""

    passed: bool
    why: str = ""


def calls_of(answer):
    """The tool calls of a ChatCompletion or a Response: a list of {"name", "arguments"}, arguments
    as JSON text.
    """
    if hasattr(answer, "choices"):
        return [
            {"name": c.function.name, "arguments": c.function.arguments}
            for c in answer.choices[0].message.tool_calls or []
        ]
    return [
        {"name": item.name, "arguments": item.arguments}
        for item in answer.output
        if item.type == "function_call"
    ]


def text_of(answer):
    """The text of a ChatCompletion or a Response; "" where there is none."""
    return (
        answer.choices[0].message.content if hasattr(answer, "choices") else answer.output_text
    ) or ""


def same(given, expected, tolerance=0):
    """Whether two JSON values are equal: 177 is 177.0, True is not 1, lists keep their order,
    objects have none.

    `tolerance`: by how much a number may differ, in its own unit.

    >>> same({"a": 1, "b": [2]}, {"b": [2.0], "a": 1}), same(True, 1)
    (True, False)
    >>> same(932.5, 933), same(932.5, 933, tolerance=0.5)
    (False, True)
    """
    if isinstance(given, bool) or isinstance(expected, bool):
        return given is expected
    if isinstance(given, (int, float)) and isinstance(expected, (int, float)):
        return given == expected or abs(given - expected) <= tolerance
    if isinstance(given, dict) and isinstance(expected, dict):
        return given.keys() == expected.keys() and all(
            same(given[k], expected[k], tolerance) for k in expected
        )
    if isinstance(given, list) and isinstance(expected, list):
        return len(given) == len(expected) and all(
            same(g, e, tolerance) for g, e in zip(given, expected)
        )
    return type(given) is type(expected) and given == expected


def grade_calls(calls, expected, *, tolerance=0):
    """Grade tool calls: each expected one made once, none besides, in any order. Returns a Grade.

    `calls`: list of {"name", "arguments"}, arguments as the JSON text that a model sends;
    `expected`: the same with arguments as a dict. `tolerance`: for numbers, see `same`.

    >>> made = [{"name": "f", "arguments": '{"x": 1}'}]
    >>> grade_calls(made, [{"name": "f", "arguments": {"x": 2}}])
    Grade(passed=False, why='f: x is 1, not 2')
    """
    made = []
    for call in calls:
        arguments, why = _parsed(call["arguments"])
        if why or not isinstance(arguments, dict):
            return Grade(
                False, f"{call['name']}: the text of its arguments {why or 'is no JSON object'}"
            )
        made.append((call["name"], arguments))
    if len(made) != len(expected):
        return Grade(False, f"calls made: {len(made)}, wanted: {len(expected)}")
    left = [(e["name"], e["arguments"]) for e in expected]
    if _pairs(made, left, tolerance):
        return Grade(True)
    odd = next((m for m in made if not any(_equal(m, e, tolerance) for e in left)), made[0])
    near = next((e for e in left if e[0] == odd[0]), None)
    return Grade(
        False,
        f"{odd[0]}: {_difference(odd[1], near[1], tolerance)}"
        if near
        else f"{odd[0]} was not to be called",
    )


def _equal(call, expected, tolerance):
    return call[0] == expected[0] and same(call[1], expected[1], tolerance)


def _pairs(made, left, tolerance):
    """Whether the calls can be matched one to one; tries others where a tolerance lets one fit
    several.
    """
    if not made:
        return not left
    return any(
        _equal(made[0], e, tolerance) and _pairs(made[1:], left[:i] + left[i + 1 :], tolerance)
        for i, e in enumerate(left)
    )


def _difference(given, expected, tolerance):
    """The first thing in which two objects differ, in words."""
    for name in [*expected, *(n for n in given if n not in expected)]:
        if name not in given:
            return f"{name} is missing"
        if name not in expected:
            return f"{name} was not asked for"
        if not same(given[name], expected[name], tolerance):
            return f"{name} is {json.dumps(given[name], ensure_ascii=False)}, not {json.dumps(expected[name], ensure_ascii=False)}"
    return "made more than once"


def grade_json(text, schema, exact=None, *, tolerance=0):
    """Grade a text that must be JSON: valid against a JSON schema, and `exact` in the fields it
    names.

    `exact`: a dict of fields of the top object; None asks for validity alone. Returns a Grade.

    >>> grade_json('{"n": "4"}', {"type": "object", "properties": {"n": {"type": "integer"}}})
    Grade(passed=False, why='at n: "4" is not of type "integer"')
    """
    value, why = _parsed(text)
    if why:
        return Grade(False, f"the answer {why}")
    wrong = min(
        validator(schema).iter_errors(value), key=lambda e: len(e.instance_path), default=None
    )
    if wrong:
        return Grade(
            False, f"at {'.'.join(map(str, wrong.instance_path)) or 'the top'}: {wrong.message}"
        )
    for name, right in (exact or {}).items():
        if not isinstance(value, dict) or name not in value:
            return Grade(False, f"{name} is missing")
        if not same(value[name], right, tolerance):
            return Grade(
                False,
                f"{name} is {json.dumps(value[name], ensure_ascii=False)}, not {json.dumps(right, ensure_ascii=False)}",
            )
    return Grade(True)


def validator(schema):
    """A JSON Schema (draft 2020-12) as something with `is_valid(value)` and `iter_errors(value)`.
    Follows no address in it.
    """
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(schema, retriever=_nothing_from_afar)


def _nothing_from_afar(address):
    raise ValueError(
        f"the schema refers to {address}, and nothing is fetched from there: put that part into $defs"
    )


def _parsed(text):
    """(value, "") or (None, what is wrong). A key that stands twice is refused: readers disagree on
    which holds.
    """

    def once(pairs):
        keys = Counter(key for key, _ in pairs)
        for key, n in keys.items():
            if n > 1:
                raise _Refused(f"has the key {key} {n} times")
        return dict(pairs)

    def none(name):
        raise _Refused(f"is no JSON: {name}")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=none), ""
    except _Refused as e:
        return None, str(e)
    except (ValueError, TypeError, RecursionError):
        return None, "is no JSON"


class _Refused(Exception):
    pass


def labelled(file=LABELLED):
    """The answers whose worth is known: a list of dicts with `name`, `grader`, `good`, `why` and
    the answer.

    We wrote them and judged them: `good` is what a careful person would accept, which is not always
    what a grader can see.
    """
    book = read_json(Path(file))
    return [
        case | {"schema": book["schemas"][case["schema"]]} if "schema" in case else case
        for case in book["answers"]
    ]


def grade(case, *, tolerance=0):
    """The Grade of one labelled answer, by the grader that it names."""
    if case["grader"] == "calls":
        return grade_calls(case["calls"], case["expected"], tolerance=tolerance)
    return grade_json(case["text"], case["schema"], case.get("exact"), tolerance=tolerance)


def confusion(cases, *, tolerance=0):
    """What the graders say of labelled answers, as a Counter of (good, passed).

    (True, True) are good answers passed; (False, True) bad ones passed, which flatter a model;
    (True, False) good ones failed, which do it wrong; (False, False) bad ones caught.
    """
    if not isinstance(tolerance, (int, float)) or tolerance < 0:
        raise ValueError(f"tolerance is {tolerance!r}: by how much a number may be off, 0 or more.")
    return Counter((case["good"], grade(case, tolerance=tolerance).passed) for case in cases)


def precision(table, confidence=0.95):
    """(share, low, high) of passed answers that are good: can a pass be believed? ZeroDivisionError
    if none passed.
    """
    return _share(table[True, True], table[True, True] + table[False, True], confidence)


def recall(table, confidence=0.95):
    """(share, low, high) of good answers that passed: does a good one get through?
    ZeroDivisionError if there is none.
    """
    return _share(table[True, True], table[True, True] + table[True, False], confidence)


def _share(part, whole, confidence):
    return part / whole, *stats.wilson_interval(part, whole, confidence)
