"""Six small tasks with OpenAI's Python SDK: `python client.py ask 2024-12-17`. Address and key come from the environment."""
import datetime
import json
import sys

from openai import APIStatusError, APITimeoutError, OpenAI

client = OpenAI()

SCHEMA = {
    "type": "object",
    "properties": {"date": {"type": "string"}, "weekday": {"type": "string"}},
    "required": ["date", "weekday"],
    "additionalProperties": False,
}
TOOL = {
    "type": "function",
    "function": {
        "name": "days_between",
        "description": "Days from one date to another.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"start": {"type": "string"}, "end": {"type": "string"}},
            "required": ["start", "end"],
            "additionalProperties": False,
        },
    },
}


def question(day):
    return {"role": "user", "content": f"Which day of the week was {day}?"}


def ask(day):
    answer = client.chat.completions.create(
        model="o1",
        reasoning_effort="low",
        messages=[{"role": "developer", "content": "Answer with the date and its weekday."}, question(day)],
        response_format={"type": "json_schema", "json_schema": {"name": "weekday", "strict": True, "schema": SCHEMA}},
    )
    found = json.loads(answer.choices[0].message.content)
    print(f"{found['date']}: {found['weekday']}")


def stream(day):
    for chunk in client.chat.completions.create(model="gpt-4o", messages=[question(day)], stream=True):
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()


def days_between(start, end):
    return (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days


def tool(start, end):
    messages = [{"role": "user", "content": f"How many days are there from {start} to {end}?"}]
    asked = client.chat.completions.create(model="o1", messages=messages, tools=[TOOL]).choices[0].message
    messages.append(asked)
    for call in asked.tool_calls:
        days = days_between(**json.loads(call.function.arguments))
        messages.append({"role": "tool", "tool_call_id": call.id, "content": str(days)})
    answer = client.chat.completions.create(model="o1", messages=messages, tools=[TOOL])
    print(answer.choices[0].message.content)


def busy(words):
    answer = client.chat.completions.create(model="o1", messages=[{"role": "user", "content": words}])
    print(answer.choices[0].message.content)


def wrong(temperature):
    try:
        client.chat.completions.create(model="o1", messages=[question("2024-12-17")], temperature=float(temperature))
    except APIStatusError as e:
        print(f"{type(e).__name__}: {e.status_code} {e.code}, param {e.param}")


def late(seconds):
    try:
        client.with_options(timeout=float(seconds)).chat.completions.create(model="o1", messages=[question("2024-12-17")])
    except APITimeoutError as e:
        print(type(e).__name__)


TASKS = {f.__name__: f for f in (ask, stream, tool, busy, wrong, late)}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
