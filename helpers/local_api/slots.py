"""Slots: the parts of a recorded request that may vary, and answers that follow them.

In a recording the request says `How many minutes are {{ hours }} hours?`, declares `"slots":
{"hours": {"type": "integer", "example": 3, "min": 0, "max": 1000}}`, and the answer says `{{ hours
* 60 }} minutes`. Answers are Jinja templates, run in Jinja's sandbox; a slot of type `choice` may
carry a table of values, whose entries the answer reads.
"""

import datetime
import functools
import re

from ..facts import ground_truth
from ..facts.dates import REFORM
from . import form_lines

MARK = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PATTERNS = {
    "integer": r"(?:-?\d{1,3}(?:,\d{3})+|-?\d+)(?:\.0+)?",  # a variable of 1e3 is written 1000.0
    "number": r"-?\d{1,15}(?:\.\d+)?",
    "date": r"\d{4}-\d\d-\d\d",
}
LONGEST = 80  # characters of a text slot that names no max_length


class BadSlot(ValueError):
    """A slot is declared or used in a way that cannot work; the text says which."""


def check(slots, template):
    """Raise BadSlot unless every mark of the request is declared, every slot used, every example in
    range.
    """
    if not isinstance(slots, dict) or not all(isinstance(slot, dict) for slot in slots.values()):
        raise BadSlot("slots must be an object whose values are objects")
    used = set(_marks(template))
    if used != set(slots):
        raise BadSlot(
            f"slots declared: {sorted(slots) or 'none'}; slots in the request: {sorted(used) or 'none'}"
        )
    for name, slot in slots.items():
        known = (*PATTERNS, "choice", "text")
        if slot.get("type") not in known:
            raise BadSlot(
                f"slot {name!r} has the type {slot.get('type')!r}; known: {', '.join(known)}"
            )
        if slot["type"] == "choice" and not (
            isinstance(slot.get("values"), (list, dict)) and slot["values"]
        ):
            raise BadSlot(f"slot {name!r} is a choice and needs values, a list or an object")
        if not all(
            isinstance(slot.get(bound, 0), (int, float)) for bound in ("min", "max")
        ) or not isinstance(slot.get("max_length", 1), int):
            raise BadSlot(f"slot {name!r}: min and max must be numbers, max_length a whole one")
        if "example" not in slot or read(slot, str(slot["example"])) != slot["example"]:
            raise BadSlot(
                f"the example of slot {name!r}, {slot.get('example')!r}, is not a value that it accepts"
            )


def _marks(value):
    if isinstance(value, str):
        yield from MARK.findall(value)
    elif isinstance(value, dict):
        for v in value.values():
            yield from _marks(v)
    elif isinstance(value, list):
        for v in value:
            yield from _marks(v)


def read(slot, text):
    """The value that `text` means in this slot, or None where the slot does not accept it."""
    if slot["type"] in ("integer", "number"):
        try:
            value = float(text) if slot["type"] == "number" else integer(text)
        except ValueError:
            return None
        return value if slot.get("min", value) <= value <= slot.get("max", value) else None
    if slot["type"] == "date":
        try:
            day = datetime.date.fromisoformat(text)
        except ValueError:
            return None
        return day.isoformat() if day >= REFORM else None  # before it, weekdays need a word more
    if slot["type"] == "choice":
        known = {_spoken(v): v for v in slot["values"]}
        return known.get(_spoken(text))
    return text if len(text) <= slot.get("max_length", LONGEST) else None


def integer(text):
    """The whole number that a text of PATTERNS["integer"] writes: 12,000 and 1000.0, too."""
    return int(re.sub(r"\.0+$", "", text).replace(",", ""))


def _spoken(choice):
    """Capitals do not count, and head_of_household may be written head of household."""
    return str(choice).casefold().replace("_", " ")


def _accepts(slot):
    """What a slot can match, as a regular expression: bounded, so that a huge request is refused at
    once.
    """
    if slot["type"] == "choice":
        return (
            "(?i:" + "|".join(re.escape(str(v)).replace("_", "[_ ]") for v in slot["values"]) + ")"
        )
    return PATTERNS.get(slot["type"]) or f".{{1,{slot.get('max_length', LONGEST)}}}?"


@functools.cache
def _pattern(template, fields):
    fixed = MARK.split(template)[::2]
    return re.compile(
        "".join(re.escape(text) + f"({field})" for text, field in zip(fixed, fields))
        + re.escape(fixed[-1]),
        re.S,
    )


def match(template, value, slots):
    """{slot: value} if `value` fits `template`, else None. {} where nothing varies and both are
    equal.
    """
    found = {}
    return found if _match(template, value, slots, found) else None


def _match(template, value, slots, found):
    # without slots they are the reader's own words
    if slots and isinstance(template, str) and "{{" in template:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = str(value)
        # most recordings are told apart by how they begin: only then is a pattern worth making
        if not isinstance(value, str) or not value.startswith(template[: template.index("{{")]):
            return False
        names = MARK.findall(template)
        hit = _pattern(template, tuple(_accepts(slots[name]) for name in names)).fullmatch(value)
        if not hit:
            return False
        for name, text in zip(names, hit.groups()):
            v = read(slots[name], text)
            if v is None or found.setdefault(name, v) != v:
                return False
        return True
    if isinstance(template, dict):
        return (
            isinstance(value, dict)
            and template.keys() == value.keys()
            and all(_match(template[k], value[k], slots, found) for k in template)
        )
    if isinstance(template, list):
        return (
            isinstance(value, list)
            and len(template) == len(value)
            and all(_match(t, v, slots, found) for t, v in zip(template, value))
        )
    return template == value


@functools.cache
def _jinja():
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    env = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    env.filters |= {f.__name__: f for f in (*ground_truth.FILTERS, *form_lines.FILTERS)}
    return env


@functools.cache
def _template(text):
    return _jinja().from_string(text)


def render(value, slots, found):
    """`value` with every template in it filled in from the slots' values. Raises BadSlot where one
    cannot be.
    """
    given = {name: found.get(name, slot["example"]) for name, slot in slots.items()}
    for name, slot in slots.items():
        if isinstance(slot.get("values"), dict):
            given[name + "_table"] = slot["values"][given[name]]
    try:
        return _render(value, given)
    except (
        Exception
    ) as e:  # a template runs a recording's own expressions, which may fail in any way
        raise BadSlot(f"cannot fill in its answer: {e}") from e


def put_in(value, given):
    """`value` with every template in it filled in from `given`, when recordings are made."""
    return _render(value, given)


def _render(value, given):
    if isinstance(value, str):
        return _template(value).render(given) if "{{" in value or "{%" in value else value
    if isinstance(value, dict):
        return {k: _render(v, given) for k, v in value.items()}
    if isinstance(value, list):
        return [_render(v, given) for v in value]
    return value
