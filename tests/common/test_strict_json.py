"""A JSON text is read as Python's json reads it, or refused in its words."""

import json
import random

import pytest

from helpers.common import strict_json

KEPT = {
    "a byte order mark": b"\xef\xbb\xbf[1]",
    "half a surrogate pair": b'"\\ud800"',
    "a pair": b'"\\ud83d\\ude00"',
    "a key twice": b'{"a": 1, "b": 2, "a": 3}',
    "large whole numbers": b"[123456789012345678901234567890, -9223372036854775809, -0]",
    "numbers at the edge": b"[1.7976931348623157e308, 5e-324, 2.2250738585072011e-308, -0.0, 1E+2]",
    "as deep as may be": b'{"a": ' * 100 + b"1.5" + b"}" * 100,
    "spaces": b" \t\r\n[ ] \n",
}
REFUSED = {
    "nothing": b"",
    "not UTF-8": b'["\xff"]',
    "a comma too many": b'{"a": [1,]}',
    "a zero in front": b"[01]",
    "two": b"{} {}",
    "a line break in a text": b'["a\nb"]',
    "NaN": b"[NaN]",
    "infinity": b"-Infinity",
    "too large": b'{"a": [1, {"b": -1e400}]}',
    "too many digits": b"1" * 5_000,
    "too deep": b"[" * 101 + b"]" * 101,
    "far too deep": b'{"a":' * 100_000,
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_json_is_read_as_by_python(name):
    read = strict_json.loads(KEPT[name])
    assert repr(read) == repr(json.loads(KEPT[name].decode("utf-8-sig")))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_none_is_refused(name):
    with pytest.raises(ValueError, match=r"\w"):
        strict_json.loads(REFUSED[name])


def test_a_refusal_has_the_words_of_pythons_json():
    with pytest.raises(json.JSONDecodeError, match=r"Expecting ',' delimiter: line 1 column 4"):
        strict_json.loads(b"[1 2]")
    with pytest.raises(ValueError, match="-1e400 is too large a number"):
        strict_json.loads(REFUSED["too large"])


def test_texts_with_a_byte_changed_are_read_or_refused_as_by_python():
    """Seeded, so that each run has the same."""
    chance = random.Random(9)
    text = b'{"a": [1.5e3, -2, "\\u00e9 \\" x", null, {"b": {}, "c": [[], true]}], "d": "\xc3\xa9"}'
    told = 0
    for _ in range(2_000):
        changed = bytearray(text)
        for _ in range(chance.choice((1, 1, 2, 3))):
            changed[chance.randrange(len(changed))] = chance.choice(b'{}[]",:\\u0e.-1 \xc3\xa9\nNI')
        try:
            expected = repr(
                json.loads(
                    changed.decode(),
                    parse_constant=strict_json.no_constant,
                    parse_float=strict_json.finite,
                )
            )
        except ValueError as e:
            expected, told = str(e), told + 1
        try:
            found = repr(strict_json.loads(bytes(changed)))
        except ValueError as e:
            found = str(e)
        assert found == expected, bytes(changed)
    assert 0 < told < 2_000


VALUES = {  # and how many signs of a value one has
    "numbers": (1, 0),
    "empty lists": ([], 1),
    "lists in objects": ({"a": [[2]], "b": None}, 4),
    "texts with signs in them": ('1,2,[3],{"a": 4}\n', 0),
    "names and texts with quotes": ({'a\\",': '[{\\"', "\\\\": "\\"}, 2),
}


@pytest.mark.parametrize("name", VALUES)
def test_more_values_than_may_be_are_refused(monkeypatch, name):
    one, signs = VALUES[name]
    whole, there = json.dumps([one] * 20).encode(), 1 + 19 + 20 * signs
    monkeypatch.setattr(strict_json, "PIECE", 7)
    monkeypatch.setattr(strict_json, "MOST", there)
    assert strict_json.loads(whole) == [one] * 20
    monkeypatch.setattr(strict_json, "MOST", there - 1)
    with pytest.raises(ValueError, match="more than"):
        strict_json.loads(whole)
