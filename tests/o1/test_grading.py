"""helpers.o1.grading: the graders on answers of known worth, on both shapes of answer, and on
hostile input.
"""

import doctest
import json
from types import SimpleNamespace

import pytest

from helpers.facts import stats
from helpers.o1 import grading

CASES = grading.labelled()


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(grading).failed == 0


def test_the_labelled_answers_are_well_formed():
    book = json.loads(grading.LABELLED.read_text(encoding="utf-8"))
    assert book["origin"]["class"] == "constructed"
    assert len(CASES) >= 30 and len({(c["grader"], c["name"]) for c in CASES}) == len(CASES)
    for case in CASES:
        assert isinstance(case["good"], bool) and case["why"].strip()
        assert set(case) == {"name", "grader", "good", "why"} | (
            {"calls", "expected"} if case["grader"] == "calls" else {"text", "schema", "exact"}
        )
    for grader in ("calls", "json"):
        assert {c["good"] for c in CASES if c["grader"] == grader} == {True, False}


def test_the_schemas_are_schemas():
    import jsonschema

    for schema in json.loads(grading.LABELLED.read_text(encoding="utf-8"))["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


# where the graders and the person who judged differ; the notebook shows these
DIFFER = {
    "converted exactly",
    "status in capitals",
    "in a code fence",
    "line with its word",
    "invented reason",
    "wrong old value",
}


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c['grader']}-{c['name']}".replace(" ", "-")
)
def test_a_grader_agrees_with_the_judge_but_for_the_six_known(case):
    grade = grading.grade(case)
    assert (grade.passed == case["good"]) == (case["name"] not in DIFFER)
    assert grade.passed == (grade.why == "")


def test_confusion_precision_and_recall():
    table = grading.confusion(CASES)
    assert table == {(True, True): 11, (True, False): 4, (False, True): 2, (False, False): 17}
    assert grading.precision(table) == pytest.approx((11 / 13, *stats.wilson_interval(11, 13)))
    assert grading.recall(table) == pytest.approx((11 / 15, *stats.wilson_interval(11, 15)))
    with pytest.raises(ZeroDivisionError):
        grading.precision(grading.confusion([]))


def test_tolerance_saves_a_good_answer_and_then_lets_a_bad_one_through():
    at = {t: grading.confusion(CASES, tolerance=t) for t in (0, 0.5, 1)}
    assert (
        at[0.5][True, True] == at[0][True, True] + 1 and at[0.5][False, True] == at[0][False, True]
    )
    assert at[1][False, True] == at[0][False, True] + 1


@pytest.mark.parametrize(
    "a, b, equal",
    [
        (1, 1.0, True),
        (True, 1, False),
        (1, True, False),
        (False, 0, False),
        (None, 0, False),
        (None, None, True),
        ("1", 1, False),
        ([1, 2], [2, 1], False),
        ([1, 2], [1, 2], True),
        ([], {}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [True]}, {"a": [1]}, False),
        (0.1 + 0.2, 0.3, False),
        (10**400, 10**400, True),
    ],
)
def test_same(a, b, equal):
    assert grading.same(a, b) is equal


def test_calls_are_matched_one_to_one_whatever_their_order():
    f = lambda x: {"name": "f", "arguments": json.dumps({"x": x})}
    want = lambda x: {"name": "f", "arguments": {"x": x}}
    assert grading.grade_calls([f(1), f(2)], [want(2), want(1)]).passed
    assert not grading.grade_calls([f(1), f(1)], [want(1), want(2)]).passed
    # 1.5 fits both wanted calls, 1 only one of them: a greedy match would fail
    assert grading.grade_calls([f(1.5), f(1)], [want(1), want(2)], tolerance=0.5).passed
    assert grading.grade_calls([f(1), f(1)], [want(1), want(2)]) == (
        False,
        "f: made more than once",
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "NaN",
        '{"x": Infinity}',
        "[" * 100_000,
        '{"x": 1} and more',
        '{"x": 1, "x": 2}',
        "{'x': 1}",
        "\ufeff{}",
    ],
)
def test_what_is_no_json_fails_and_does_not_raise(text):
    assert not grading.grade_json(text, {}).passed
    assert not grading.grade_calls(
        [{"name": "f", "arguments": text}], [{"name": "f", "arguments": {"x": 1}}]
    ).passed


def test_arguments_that_are_no_object_fail():
    assert (
        "no JSON object"
        in grading.grade_calls(
            [{"name": "f", "arguments": "[1]"}], [{"name": "f", "arguments": {}}]
        ).why
    )


def test_a_pinned_field_must_be_there():
    assert grading.grade_json("{}", {}, {"x": None}) == (False, "x is missing")
    assert grading.grade_json("[]", {}, {"x": 1}) == (False, "x is missing")
    assert grading.grade_json('{"x": null}', {}, {"x": None}).passed


def test_both_shapes_of_answer_are_read():
    call = SimpleNamespace(name="f", arguments="{}")
    chat = SimpleNamespace(
        choices=[
            SimpleNamespace(
                message=SimpleNamespace(content=None, tool_calls=[SimpleNamespace(function=call)])
            )
        ]
    )
    new = SimpleNamespace(
        output_text="",
        output=[
            SimpleNamespace(type="reasoning"),
            SimpleNamespace(type="function_call", name="f", arguments="{}"),
        ],
    )
    for answer in (chat, new):
        assert (
            grading.calls_of(answer) == [{"name": "f", "arguments": "{}"}]
            and grading.text_of(answer) == ""
        )
