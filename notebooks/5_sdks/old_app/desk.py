"""The help desk's questions to o1. A small app in the shapes of December 2024, written for this collection."""
from openai import OpenAI

client = OpenAI()
calendar = {"type": "function", "function": {"name": "weekday", "parameters": {"type": "object", "properties": {}}}}


def answer(question):
    return client.chat.completions.create(
        model="o1",
        messages=[{"role": "user", "content": question}],
        tools=[calendar],
    )


def short(question):
    return client.chat.completions.create(
        model="o1-mini", max_tokens=500, messages=[{"role": "user", "content": question}])
