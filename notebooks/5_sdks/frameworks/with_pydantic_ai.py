"""Five tasks with Pydantic AI; tasks.py says how to run them."""

import asyncio

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table

KINDS = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}


def agent(api, name=None, **more):
    return Agent(KINDS[api](name or MODELS[api]), **more)


def ask(api, rule, wish):
    return agent(api, instructions=rule).run_sync(wish).output


def tool(api, question):
    return agent(api, tools=[tax_table]).run_sync(question).output


def schema(api, form):
    found = agent(api, output_type=FormCorrections).run_sync(form).output
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    async def pieces():
        async with agent(api, STREAMS[api]).run_stream(question) as running:
            return [piece async for piece in running.stream_text(delta=True, debounce_by=None)]

    return asyncio.run(pieces())


def follow(api, question, more):
    first = agent(api).run_sync(question)
    return agent(api).run_sync(more, message_history=first.all_messages()).output


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
