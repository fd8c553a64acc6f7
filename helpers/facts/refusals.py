"""What a model does not accept, as the API itself said it: rules of data/refusals.json, for any
value.
"""

from __future__ import annotations

import functools
from typing import Any

from . import DATA
from .files import read_json


@functools.cache
def rules() -> list[dict[str, Any]]:
    """The published refusals; see data/README.md for the fields."""
    return read_json(DATA / "refusals.json")


def refusal(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, Any]] | None:
    """(status, error, rule) for the first rule that a request breaks, or None."""
    for rule in rules():
        if rule["path"] == path and body.get("model") in rule["models"]:
            values = [_offence(body, name, test) for name, test in rule["when"].items()]
            if all(found for found, _ in values):
                error = {k: _filled(v, body, rule, values[0][1]) for k, v in rule["error"].items()}
                return rule["status"], error, rule
    return None


def _offence(body, name, test):
    """(does it hold?, the value that offends)"""
    if name == "messages[*].role":
        roles = [m.get("role") for m in body.get("messages") or [] if isinstance(m, dict)]
        return (test["is"] in roles, roles.index(test["is"]) if test["is"] in roles else None)
    value = body.get(name)
    if test == "present":
        return value not in (None, []), value
    if "is" in test:
        return value == test["is"], value
    if "not_in" in test:
        return value is not None and value not in test["not_in"], value
    return value != test["absent_or_not"], value


def _filled(text, body, rule, value):
    if not isinstance(text, str):
        return text
    # a role is named by its place: messages[0].role
    place = text.replace("[*]", f"[{value}]") if "[*]" in text else text
    return (
        place.replace("{value}", str(value))
        .replace("{model}", str(body.get("model")))
        .replace("{parameter}", next(iter(rule["when"])))
    )
