"""Keys and JSON types of a body, against the table of its category
(tests/data/genuine/shapes.json).
"""

import functools
import json
import re
from pathlib import Path

from . import bodies

TABLE = Path(__file__).resolve().parents[1] / "data" / "genuine" / "shapes.json"
# What a user or an operator fills in: it has no shape of its own.
OPAQUE = re.compile(
    r"\.(moderation|prompt_filter_results|parameters|schema|metadata|usage_metrics|logit_bias|required)$"
)
# Where a chat category has no samples, those of another time are the nearest.
OTHER_TIMES = ("@2025-03+", "@2025-08+", "@2024-11", "@<2024-11")


@functools.cache
def tables():
    """{category: {"docs": samples, "objects": {path: {"seen": times, "keys": {key: times}}},
    "types": {path: [types]}}}
    """
    return json.loads(TABLE.read_text(encoding="utf-8"))


def table_for(category):
    """The table of a category, or the nearest; None where there is none."""
    name, has_time, _ = category.partition("@")
    others = [name + time for time in OTHER_TIMES] if has_time else []
    if name.startswith("rtbeta."):
        others.append(name.replace("rtbeta.", "rt.", 1))
    return next((tables()[c] for c in [category, *others] if c in tables()), None)


def compared(category, body):
    """What of a body differs from all samples: {"missing", "extra", "wrong", "optional": [paths]}.
    None without a table.

    missing: a key that every sample has where its parent is there; optional: one that some have.
    extra: a key that no sample has; wrong: a JSON type that no sample has there.
    """
    table = table_for(category)
    if table is None:
        return None
    if category == bodies.SDP:
        body = _lines_of_sdp(body)
    found = {"missing": set(), "optional": set(), "extra": set(), "wrong": set()}
    types = {}
    _walk(body, "$", found, table["objects"], types)
    for path, kinds in types.items():
        genuine = table["types"].get(path)
        if genuine:
            found["wrong"] |= {
                f"{path}: {kind} (genuine: {'/'.join(genuine)})" for kind in kinds - set(genuine)
            }
    if category == "fine_tuning.job":
        _leave_unknown_methods(body, found)
    return {what: sorted(paths) for what, paths in found.items()}


def _walk(value, path, found, objects, types):
    types.setdefault(path, set()).add(kind_of(value))
    if OPAQUE.search(path):
        return
    if isinstance(value, dict):
        if path in objects:
            seen, genuine = objects[path]["seen"], objects[path]["keys"]
            for key in genuine.keys() - value.keys():
                found["missing" if genuine[key] == seen else "optional"].add(f"{path}.{key}")
            found["extra"] |= {f"{path}.{key}" for key in value.keys() - genuine.keys()}
        for key, inside in value.items():
            _walk(inside, f"{path}.{key}", found, objects, types)
    elif isinstance(value, list):
        for inside in value:
            _walk(inside, f"{path}[]", found, objects, types)


def kind_of(value):
    """The JSON type of a value."""
    if value is None:
        return "null"
    kinds = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
    return kinds.get(type(value), "object")


def _lines_of_sdp(text):
    """An SDP answer as an object: its attributes by name and first word, its other lines by their
    letter.
    """
    lines = {}
    for line in filter(None, text.replace("\r", "").split("\n")):
        if line.startswith("a="):
            lines[re.split("[: ]", line)[0]] = line
        else:
            lines[line[:2]] = line
    return lines


def _leave_unknown_methods(job, found):
    """Only supervised jobs are among the samples: what belongs to another method is not held
    against them.
    """
    method = (job.get("method") or {}).get("type")
    own = f"$.method.{method}"
    found["extra"] = {path for path in found["extra"] if not path.startswith(own)}
    if method != "supervised":
        theirs = ("$.method.supervised", "$.hyperparameters")
        found["missing"] = {path for path in found["missing"] if not path.startswith(theirs)}
        found["wrong"] = {w for w in found["wrong"] if not w.startswith("$.hyperparameters")}
