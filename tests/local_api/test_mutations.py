"""No request, event or training file ends in a fault of ours: tests/mutations.py says how they are
made.
"""

import pytest

from helpers.local_api import answers
from tests import mutations
from tests.asking import ask, chat, envelope


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_nearly_right_is_never_a_fault(seed):
    found = mutations.hunt(1_000, seed)
    assert not found, found[:3]


@pytest.mark.parametrize("reference", [["#"], {"a": 1}, 5, None])
def test_a_reference_that_is_no_text(reference):
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    assert envelope(ask(answers.Answers(), chat("Hello.", response_format=form)), 400)


def test_a_limit_of_five_thousand_digits():
    query = {"limit": "9" * 5_000}
    e = envelope(ask(answers.Answers(), b"", "/v1/files", "GET", query), 400)
    assert e["param"] == "limit" and len(e["message"]) < 200
