"""Five tasks with OpenAI's Agents SDK; tasks.py says how to run them."""

import asyncio

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from agents import set_tracing_disabled
from openai import AsyncOpenAI
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table

set_tracing_disabled(True)  # else it reports each run to OpenAI
KINDS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


def agent(api, name=None, **more):
    model = KINDS[api](name or MODELS[api], AsyncOpenAI())
    return Agent(name="helper", model=model, **more)


def ask(api, rule, wish):
    return Runner.run_sync(agent(api, instructions=rule), wish).final_output


def tool(api, question):
    return Runner.run_sync(agent(api, tools=[function_tool(tax_table)]), question).final_output


def schema(api, form):
    found = Runner.run_sync(agent(api, output_type=FormCorrections), form).final_output
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    async def pieces():
        running = Runner.run_streamed(agent(api, STREAMS[api]), question)
        events = [e async for e in running.stream_events()]
        raw = [e.data for e in events if e.type == "raw_response_event"]
        return [e.delta for e in raw if e.type == "response.output_text.delta"]

    return asyncio.run(pieces())


def follow(api, question, more):
    first = Runner.run_sync(agent(api), question)
    said = [*first.to_input_list(), {"role": "user", "content": more}]
    return Runner.run_sync(agent(api), said).final_output


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
