"""Makes data/request_shapes.json from the types of the installed openai. `python -m
tests.tools.make_request_shapes`, after a new release is taken.

The types know names, kinds and words; ranges stand in their docstrings alone, and are written here.
"""

import json
from importlib.metadata import version

from openai.types.chat.completion_create_params import CompletionCreateParamsBase
from openai.types.realtime.realtime_session_create_request_param import (
    RealtimeSessionCreateRequestParam,
)
from openai.types.responses.response_create_params import ResponseCreateParamsBase
from pydantic import TypeAdapter

from helpers.facts import DATA, whole_file

TABLE = DATA / "request_shapes.json"
TYPES = {
    "/v1/chat/completions": CompletionCreateParamsBase,
    "/v1/responses": ResponseCreateParamsBase,
    "realtime session": RealtimeSessionCreateRequestParam,
}
# The docstrings of openai 3.54.0; top_p is a probability, and n a number of choices, of which the
# API tells the most itself (thisisartium/continuous-alignment-testing#25).
RANGES = {
    "temperature": {"minimum": 0, "maximum": 2},
    "top_p": {"minimum": 0, "maximum": 1},
    "frequency_penalty": {"minimum": -2, "maximum": 2},
    "presence_penalty": {"minimum": -2, "maximum": 2},
    "top_logprobs": {"minimum": 0, "maximum": 20},
    "n": {"minimum": 1, "maximum": 128},
    "logit_bias": {"minimum": -100, "maximum": 100},  # of each of its values
}
# The types have two classes for its two values, whose common part is taken.
STREAM = {"anyOf": [{"type": "boolean"}, {"type": "null"}]}
KEPT = ("type", "const", "enum", "anyOf", "$ref", "items", "additionalProperties")
# Required by a type, and not by the API: what it writes into its items and takes back without; and
# a picture's detail, which the SDK's own examples leave out.
SPARED = {"id", "status", "annotations", "logprobs", "summary", "detail"}


def main():
    whole_file.write(TABLE, (json.dumps(table(), indent=1) + "\n").encode())


def table():
    """The whole of the file, as JSON-able dicts."""
    made = {"source": f"openai {version('openai')}, types", "checked_on": "2026-11-29"}
    for name, kind in TYPES.items():
        schema = TypeAdapter(kind).json_schema()
        shape = plain(schema)
        shape["definitions"] = {k: plain(v) for k, v in sorted(schema["$defs"].items())}
        shape["properties"].pop("model", None)  # any text, which is asked about elsewhere
        if name.startswith("/"):
            shape["properties"]["stream"] = STREAM
        for definition in shape["definitions"].values():
            if "schema" in definition.get("properties", {}):
                definition["properties"]["schema"] = {}  # facts/schemas.py knows the API's words
        for parameter, limits in RANGES.items():
            for one in alternatives(shape["properties"].get(parameter, {})):
                one = one.get("additionalProperties", one)
                one |= limits if one["type"] in ("number", "integer") else {}
        made[name] = shape
    return made


def alternatives(schema):
    return schema.get("anyOf", [schema] if schema else [])


def plain(schema):
    """A JSON Schema of pydantic's with nothing but what is checked."""
    out = {k: schema[k] for k in KEPT if k in schema}
    if "$ref" in out:
        out["$ref"] = out["$ref"].removeprefix("#/$defs/")
    if "anyOf" in out:
        out["anyOf"] = [plain(one) for one in out["anyOf"]]
    for inner in ("items", "additionalProperties"):
        if isinstance(out.get(inner), dict):
            out[inner] = plain(out[inner])
    if not out.get("additionalProperties", True):
        del out["additionalProperties"]
    if "properties" in schema:
        out["properties"] = {k: plain(v) for k, v in schema["properties"].items()}
        out["required"] = required(schema, out["properties"])
    return out


def required(schema, properties):
    """The keys without which an object is refused: null is as good as none, and a message needs no
    type.
    """
    needed = [
        key
        for key in schema.get("required", ())
        if {"type": "null"} not in alternatives(properties[key])
        and properties[key].get("const") != "message"
    ]
    return sorted(set(needed) - SPARED or set(needed))


if __name__ == "__main__":
    main()
