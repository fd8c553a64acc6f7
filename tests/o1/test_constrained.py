"""The constrained writer: every text is an instance, whatever the schema; the unconstrained one
never hits.
"""

import datetime
import json
from typing import Literal, Optional, Union

import jsonschema
import pytest
from pydantic import BaseModel, create_model

from helpers.o1 import constrained


class Correction(BaseModel):
    reason: str
    location: str
    old_value: int
    new_value: int


class FormCorrections(BaseModel):
    corrections: list[Correction]


class Node(BaseModel):
    name: str
    children: list["Node"]


class Reader(BaseModel):
    kind: Literal["sweet", "señor", 'a "quoted" one', "日本"]
    rating: Optional[float]
    grid: list[list[int]]
    either: Union[Correction, FormCorrections, None]
    counts: dict[str, int]
    day: datetime.date
    sure: bool


def closed(**properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


TEXT = {"type": "string"}
FORMS = {
    "corrections": FormCorrections,
    "reader": Reader,
    "tree": Node,
    "nested": closed(a=closed(b=closed(c=closed(d=closed(e=TEXT))))),
    "enums": closed(a={"enum": ["x", "xy", "xyz", "é", 7, None, True]}, b={"const": "only"}),
    "unions": closed(
        a={"type": ["string", "null"]},
        b={"anyOf": [{"type": "integer"}, closed(x=TEXT), {"type": "null"}]},
    ),
    "numbers": closed(i={"type": "integer"}, n={"type": "number"}, b={"type": "boolean"}),
    "arrays": closed(
        a={"type": "array", "items": {"type": "array", "items": {"type": "array", "items": TEXT}}}
    ),
    "words of today": closed(
        a={"type": "string", "pattern": "^[\\]}]*$"},
        b={"type": "integer", "minimum": 3, "maximum": 7},
        c={"type": "array", "items": TEXT, "minItems": 2, "maxItems": 3},
    ),
    "anything": closed(a={"$ref": "#/$defs/tree"})
    | {"$defs": {"tree": {"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}}}},
    "empty": closed(),
}
SEEDS = range(200)


@pytest.mark.parametrize("name", FORMS)
def test_every_constrained_text_is_an_instance(name):
    form = FORMS[name]
    schema = constrained.schema_of(form)
    made = [constrained.sample(form, seed) for seed in SEEDS]
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    judge = kind(schema)
    for text in made:
        judge.validate(json.loads(text))
        assert constrained.valid(form, text)
        assert len(text.encode()) < 3_000, "it came to no end of its own"
    if name not in ("empty",):
        assert len(set(made)) > 2


def test_the_instances_are_not_mostly_the_smallest_one():
    """200 of 200 would prove little if they were 200 empty lists."""
    made = [constrained.sample(FormCorrections, seed) for seed in SEEDS]
    assert made.count('{"corrections":[]}') < 120 and len(set(made)) > 80


def test_no_unconstrained_text_is():
    made = [constrained.sample(FormCorrections, seed, constrained=False) for seed in SEEDS]
    for name, form in FORMS.items():
        if isinstance(form, type):
            assert sum(constrained.valid(form, text) for text in made) == 0
    parsed = 0
    for text in made:
        try:
            parsed += isinstance(json.loads(text), dict)
        except ValueError:
            pass
    assert parsed == 0 and len(set(made)) > 150


def test_the_same_seed_writes_the_same():
    assert (
        constrained.sample(FormCorrections, 0)
        == constrained.sample(FormCorrections, 0)
        != constrained.sample(FormCorrections, 2)
    )


def test_the_judge_is_not_the_decoder():
    # blanks: the decoder writes none
    assert constrained.valid(FormCorrections, '{"corrections": [ ]}')
    for wrong in (
        "",
        "[]",
        '{"corrections":[{}]}',
        '{"corrections":[]',
        '{"corrections":[]} '[:-2],
    ):
        assert not constrained.valid(FormCorrections, wrong) and not constrained.valid(
            constrained.schema_of(FormCorrections), wrong
        )


def allowed(prefix, form=FormCorrections):
    return "".join(sorted(map(chr, constrained.mask(form, prefix).bytes)))


def test_the_mask_is_what_the_schema_says_next():
    assert allowed("") == "{"
    assert allowed('{"corrections":[') == "]{"
    assert allowed('{"corrections":[{"reason":"x","location":"y","old_value":') == "-0123456789"
    assert allowed('{"corrections":[{"reason":"x","location":"y","old_value":4') == ",0123456789"
    assert allowed('{"corrections":[{"reason":"x","location":"y","old_value":0') == ","
    text = constrained.mask(FormCorrections, '{"corrections":[{"reason":"')
    # printable, and what begins a longer character
    assert len(text.bytes) == 95 + 51 and 10 not in text.bytes and not text.end
    whole = constrained.mask(FormCorrections, '{"corrections":[]}')
    assert whole.end and not whole.bytes
    assert allowed('{"a":"', closed(a={"enum": ["ja", "jein", "é"]})) == "jÃ"  # the first byte of é


def test_each_text_follows_its_own_masks():
    text = constrained.sample(FormCorrections, 1).encode()
    for i in range(len(text)):
        assert text[i] in constrained.mask(FormCorrections, text[:i].decode()).bytes


@pytest.mark.parametrize(
    "token, may",
    [("1", True), ("12", True), ("-", True), ('"', False), ("1x", False), ("…", False)],
)
def test_a_token_may_follow_where_each_of_its_bytes_may(token, may):
    number = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}  # fmt: skip
    assert constrained.allows(number, '{"n":', token) is may
    with pytest.raises(ValueError, match="masked"):
        constrained.allows(number, '{"x":', token)


def test_a_prefix_that_leads_nowhere_says_where():
    with pytest.raises(ValueError, match="after '{\"', 'x' is masked"):
        constrained.mask(FormCorrections, '{"x')


def test_a_schema_that_the_decoder_does_not_know_is_refused_by_name():
    with pytest.raises(ValueError, match="uniqueItems"):
        constrained.sample(closed(a={"type": "array", "items": TEXT, "uniqueItems": True}))


def test_a_mask_shows_itself():
    mask = constrained.mask(FormCorrections, '{"corrections":[')
    assert repr(mask).endswith("allowed: 2 of 256 bytes") and "after {" in repr(mask)
    page = mask._repr_html_()
    assert 'aria-label="allowed: 2 of 256 bytes: ], {"' in page and "$" not in page.replace(
        ">$<", ""
    )


def test_a_model_of_one_field():
    assert constrained.sample(create_model("One", sure=(bool, ...)), 0) == '{"sure":false}'
