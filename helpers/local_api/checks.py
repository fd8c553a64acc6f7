"""Requests held to a shape, and told in OpenAI's words where they have another.

A check is a function (value, place) that raises Bad; the place is what the error's `param` names.
Larger checks are put together from smaller ones, and what no combinator says is a function of its
own. Wordings seen from the API in public are marked "seen"; the others are on their pattern.
"""

import re

# How an error names the kinds of JSON.
WORDS = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
    type(None): "null",
}


class Bad(ValueError):
    """What a client sent cannot be taken; `error` is OpenAI's error object: message, type, param,
    code.
    """

    def __init__(self, message, code="invalid_value", param=None):
        super().__init__(message)
        self.error = {
            "message": message,
            "type": "invalid_request_error",
            "param": param,
            "code": code,
        }


def missing(at):
    """The Bad for a value that is not there."""
    return Bad(f"Missing required parameter: '{at}'.", "missing_required_parameter", at)  # seen


def unknown(at, known=""):
    """The Bad for a parameter that there is not. known: a sentence with those that there are."""
    return Bad(f"Unknown parameter: '{at}'.{known}", "unknown_parameter", at)  # seen


def no_longer(value, most, at=None):
    """Raises Bad for a text or a list that is longer than `most`; at: None for a whole event."""
    if len(value) > most:
        what = "array" if isinstance(value, list) else "string"
        a = WORDS[list if what == "array" else str]
        where = "event" if at is None else f"'{at}'"
        raise Bad(
            f"Invalid {where}: {what} too long. Expected {a} with maximum length {most}, but got {a} with length {len(value)} instead.",
            f"{what}_above_max_length",
            at,
        )


def inside(at, key):
    """The place of a key of an object."""
    return f"{at}.{key}" if at else key


# --- one value ------------------------------------------------------------------------------------


def anything(value, at):
    pass


def kind(*kinds):
    return by_kind(dict.fromkeys(kinds, anything))


def by_kind(checks):
    """A value whose kind of JSON says which check it must pass. checks: {kind: check}."""
    expected = " or ".join(WORDS[k] for k in checks)

    def check(value, at):
        if type(value) not in checks:
            raise Bad(
                f"Invalid type for '{at}': expected {expected}, but got {WORDS[type(value)]} instead.",
                "invalid_type",
                at,
            )
        checks[type(value)](value, at)

    return check


text, flag, array, mapping = kind(str), kind(bool), kind(list), kind(dict)


def body(value, at):
    """A request's whole body."""
    if not isinstance(value, dict):
        raise Bad("The body of your request must be a JSON object.", None)


def choice(*values):
    """One of these values, which the error lists."""
    *first, last = [f"'{v}'" for v in values]
    comma = "," if len(first) > 1 else ""
    known = f"{', '.join(first)}{comma} and {last}" if first else last

    def check(value, at):
        if value not in values or isinstance(value, bool):
            raise Bad(
                f"Invalid value: '{value}'. Supported values are: {known}.", "invalid_value", at
            )  # seen

    return check


def number(least, most=float("inf"), whole=False):
    """A number from `least` to `most`, both allowed; `whole`: without a fraction."""
    name = "integer" if whole else "decimal"
    right_kind = kind(int) if whole else kind(int, float)

    def check(value, at):
        right_kind(value, at)
        if value < least:
            raise Bad(
                f"Invalid '{at}': {name} below minimum value. Expected a value >= {least}, but got {value} instead.",
                f"{name}_below_min_value",
                at,
            )
        if not value <= most:
            raise Bad(
                f"Invalid '{at}': {name} above maximum value. Expected a value <= {most}, but got {value} instead.",
                f"{name}_above_max_value",
                at,
            )

    return check


def pattern(shown, longest):
    """A string of one to `longest` characters that matches `shown`, a regular expression."""
    known = re.compile(shown)

    def check(value, at):
        text(value, at)
        if len(value) > longest or not known.fullmatch(value):
            raise Bad(
                f"Invalid '{at}': string does not match pattern. Expected a string that matches the pattern '{shown}'.",
                "invalid_value",
                at,
            )

    return check


identifier = pattern("^[a-zA-Z0-9_-]+$", 64)  # the name of a function or a schema


# --- checks of checks -----------------------------------------------------------------------------


def optional(check):
    """null is as good as a value."""
    return lambda value, at: value is None or check(value, at)


def needed(check=anything):
    """null, an empty string and an empty array are as good as none; an empty object is one."""

    def there(value, at):
        if not value and value != {}:
            raise missing(at)
        check(value, at)

    return there


def either(known, check):
    """A known word, or what passes another check."""
    return lambda value, at: (
        value in known if isinstance(value, str) and value in known else check(value, at)
    )


def every(*checks):
    """One check after the other."""

    def check(value, at):
        for one in checks:
            one(value, at)

    return check


def each(check):
    """A list whose members all pass `check`."""

    def all_of_them(value, at):
        array(value, at)
        for i, item in enumerate(value):
            check(item, f"{at}[{i}]")

    return all_of_them


def up_to(most):
    """A list of at most `most` members."""

    def check(value, at):
        array(value, at)
        no_longer(value, most, at)

    return check


# --- objects --------------------------------------------------------------------------------------


def fields(shape):
    """An object in which each key of `shape` passes its check, as null where it is not there; other
    keys are not looked at.
    """

    def check(value, at):
        mapping(value, at)
        for key, one in shape.items():
            one(value.get(key), inside(at, key))

    return check


def metadata(value, at):
    """What a client may keep with a thing of its own."""
    mapping(value, at)
    if len(value) > 16 or any(
        not isinstance(v, str) or len(v) > 512 or len(k) > 64 for k, v in value.items()
    ):
        raise Bad(
            f"Invalid '{at}': at most 16 pairs, keys of at most 64 characters, values strings of at most 512.",
            "invalid_value",
            at,
        )


def when(key, is_, check):
    """What an object must pass where its `key` is so."""
    return lambda value, at: isinstance(value, dict) and value.get(key) == is_ and check(value, at)


def thing(shape, needs=()):
    """An object with no other keys than those of `shape`, each of which has its check, and with
    those that it `needs`.
    """

    def check(value, at):
        mapping(value, at or "event")
        for key in value:
            if key not in shape:
                raise unknown(inside(at, key))
        for key in needs:
            if key not in value:
                raise missing(inside(at, key))
        for key, item in value.items():
            shape[key](item, inside(at, key))

    return check


def by(key, shapes):
    """An object whose `key` says which of `shapes` it has."""

    def check(value, at):
        mapping(value, at)
        if key not in value:
            raise missing(inside(at, key))
        choice(*shapes)(value[key], inside(at, key))
        shapes[value[key]](value, at)

    return check
