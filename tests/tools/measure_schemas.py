"""Makes data/written_schemas.json: what SmolLM2-135M writes when it is asked for JSON, and when a
grammar holds it. `python -m tests.tools.measure_schemas`, some 8 minutes of one idle core; needs
what `start.py lab --model` sets up.

Fifty schemas, drawn by a seed from everyday fields, with strings, lists and numbers that are
bounded: a grammar holds the form of a text, and cannot end it. Each is asked twice, the schema in
the question both times. All texts stand in the file. A text is valid where it is JSON as a whole
and an instance; `inside` also takes the JSON that stands in a text, between its first and last
brace. Last, the chances of the next token in the form of 1_o1/05.
"""

import json
import math
import random

import jsonschema_rs
import openai

from helpers import running
from helpers.facts import DATA

MODEL, FILE, COUNT, TOKENS = "smollm2-135m", DATA / "written_schemas.json", 50, 240
THINGS = ("order", "recipe", "booking", "complaint", "book", "parcel", "repair", "lesson", "plant", "journey")  # fmt: skip
TEXT = {"type": "string", "maxLength": 80}
FIELDS = {
    "name": TEXT,
    "city": TEXT,
    "note": TEXT,
    "count": {"type": "integer", "minimum": 0, "maximum": 999},
    "price": {"type": "integer", "minimum": 0, "maximum": 9999},
    "minutes": {"type": "integer", "minimum": 1, "maximum": 600},
    "urgent": {"type": "boolean"},
    "paid": {"type": "boolean"},
    "state": {"enum": ["new", "open", "closed"]},
    "size": {"enum": ["small", "medium", "large"]},
    "tags": {"type": "array", "items": TEXT | {"maxLength": 20}, "maxItems": 4},
    "steps": {"type": "array", "items": TEXT, "maxItems": 4},
}
# The moment of 1_o1/05 that its mask is shown at.
FORM = """Line 11 of the form says 30875, and it should say 25875. Give the corrections as JSON:
{"corrections":[{"reason":…,"location":…,"old_value":…,"new_value":…}]}"""
PREFIX = '{"corrections":[{"reason":"wrong sum","location":"line 11","old_value":'


def schemas():
    """[(thing, schema)]"""
    draw, made = random.Random(9), []
    for n in range(COUNT):
        names = draw.sample(sorted(FIELDS), draw.randint(3, 6))
        properties = {name: FIELDS[name] for name in names}
        if n % 5 == 4:  # one in five holds a list of objects
            inner = {"type": "object", "properties": properties, "required": names}
            inner["additionalProperties"] = False
            properties, names = {"items": {"type": "array", "items": inner, "maxItems": 3}}, ["items"]  # fmt: skip
        whole = {"type": "object", "properties": properties, "required": names}
        made.append((THINGS[n % len(THINGS)], whole | {"additionalProperties": False}))
    return made


def valid(schema, text):
    try:
        return jsonschema_rs.is_valid(schema, json.loads(text))
    except ValueError:
        return False


def inside(text):
    return text[text.find("{") : text.rfind("}") + 1]


def write(client, thing, schema, **more):
    asked = f"Write one made-up {thing} as JSON that is an instance of this schema, and nothing else:\n{json.dumps(schema)}"
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": asked}],
        temperature=0,
        frequency_penalty=0.3,
        max_completion_tokens=TOKENS,
        **more,
    )
    return answer.choices[0].message.content


def next_tokens(client):
    """[[token, chance]] of the 20 likeliest after PREFIX, the likeliest first."""
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": FORM}, {"role": "assistant", "content": PREFIX}],
        max_completion_tokens=1,
        logprobs=True,
        top_logprobs=20,
    )
    [token] = answer.choices[0].logprobs.content
    return [[top.token, round(math.exp(top.logprob), 4)] for top in token.top_logprobs]


def main():
    server = running.Server()
    client = openai.OpenAI(base_url=server.url, api_key=server.key, timeout=600)
    texts = []
    for number, (thing, schema) in enumerate(schemas()):
        form = {"type": "json_schema", "json_schema": {"name": thing, "strict": True, "schema": schema}}  # fmt: skip
        asked, held = write(client, thing, schema), write(client, thing, schema, response_format=form)  # fmt: skip
        texts.append(
            {
                "thing": thing,
                "fields": len(schema["properties"]),
                "asked": asked,
                "held": held,
                "asked_valid": valid(schema, asked),
                "asked_valid_inside": valid(schema, inside(asked)),
                "held_valid": valid(schema, held),
            }
        )
        print(number, *(texts[-1][k] for k in ("asked_valid", "asked_valid_inside", "held_valid")), flush=True)  # fmt: skip
    made = {
        "about": "SmolLM2-135M, temperature 0, by tests/tools/measure_schemas.py; every text was written by it",
        "prefix": PREFIX,
        "next": next_tokens(client),
        "texts": texts,
    }
    FILE.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    server.process.kill()


if __name__ == "__main__":
    main()
