"""Chat with o1 as of December 2024: model="o1" in a docstring is no finding."""
import os

from openai import OpenAI

MODEL = os.getenv("MODEL", "o1")  # names: o1
REASONER = "o1"
client = OpenAI()
tools = [{"type": "function", "function": {"name": "weather"}}]

client.chat.completions.create(model="o1-preview", max_tokens=500, messages=[])  # names: o1-preview, max_tokens
client.chat.completions.create(
    model="o1",  # names: o1
    messages=[{"role": "user", "content": "Hello"}],
    tools=tools,  # names: tools
)
client.chat.completions.create(model=REASONER, messages=[], tools=tools, reasoning_effort="low")  # names: tools
request = dict(
    model="o1-2024-12-17",  # names: o1-2024-12-17
    messages=[],
    max_tokens=900)  # names: max_tokens
client.chat.completions.create(model="gpt-4o-audio-preview", modalities=["text", "audio"], messages=[])  # names: gpt-4o-audio-preview
tuned = client.chat.completions.create(model="ft:gpt-4o-2024-08-06:acme::abc", messages=[])  # names: gpt-4o-2024-08-06
client.beta.threads.create()  # names: beta.threads
client.beta.assistants.list()  # names: beta.assistants
options = ["o1", "o2"]  # answers of a quiz, not models
client.beta.vector_stores.list()  # names: beta.vector_stores
