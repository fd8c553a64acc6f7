"""Five tasks with DSPy; tasks.py says how to run them."""

import asyncio
import json

import dspy
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table


def model(api, name=None):
    return dspy.LM(f"openai/{name or MODELS[api]}", model_type=api, cache=False)


def text(said):
    return said if isinstance(said, str) else said["text"]


def ask(api, rule, wish):
    asked = [{"role": "system", "content": rule}, {"role": "user", "content": wish}]
    return text(model(api)(messages=asked)[0])


def tool(api, question):
    agent = dspy.ReAct("question -> answer", tools=[tax_table])
    with dspy.context(lm=model(api)):
        return agent(question=question).answer


def schema(api, form):
    said = text(model(api)(form, response_format=FormCorrections)[0])
    return {c["location"]: c["new_value"] for c in json.loads(said)["corrections"]}


def stream(api, question):
    async def pieces():
        listener = dspy.streaming.StreamListener("answer")
        asking = dspy.streamify(dspy.Predict("question -> answer"), stream_listeners=[listener])
        with dspy.context(lm=model(api, STREAMS[api])):
            return [p.chunk async for p in asking(question=question) if hasattr(p, "chunk")]

    return asyncio.run(pieces())


def follow(api, question, more):
    said = [{"role": "user", "content": question}]
    said.append({"role": "assistant", "content": text(model(api)(messages=said)[0])})
    said.append({"role": "user", "content": more})
    return text(model(api)(messages=said)[0])


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
