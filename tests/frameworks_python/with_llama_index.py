"""Five tasks with LlamaIndex; tests/sdks/test_others_frameworks.py says how they are run."""

import asyncio
import os

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI, OpenAIResponses
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table

KINDS = {"chat": OpenAI, "responses": OpenAIResponses}


def model(api, name=None):
    # it looks for another variable itself
    return KINDS[api](model=name or MODELS[api], api_base=os.environ["OPENAI_BASE_URL"])


def user(words):
    return ChatMessage(role="user", content=words)


def ask(api, rule, wish):
    return model(api).chat([ChatMessage(role="system", content=rule), user(wish)]).message.content


def tool(api, question):
    async def loop():
        able = [FunctionTool.from_defaults(tax_table)]
        return str(await FunctionAgent(tools=able, llm=model(api), streaming=False).run(question))

    return asyncio.run(loop())


def schema(api, form):
    found = model(api).as_structured_llm(FormCorrections).chat([user(form)]).raw
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    return [piece.delta for piece in model(api, STREAMS[api]).stream_chat([user(question)])]


def follow(api, question, more):
    said = [user(question)]
    said += [model(api).chat(said).message, user(more)]
    return model(api).chat(said).message.content


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
