"""Five tasks with LangChain; tasks.py says how to run them."""

from langchain_core.messages import ToolMessage
from langchain_openai import ChatOpenAI
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table


def model(api, name=None):
    return ChatOpenAI(model=name or MODELS[api], use_responses_api=api == "responses")


def ask(api, rule, wish):
    return model(api).invoke([("system", rule), ("user", wish)]).text


def tool(api, question):
    able = model(api).bind_tools([tax_table])
    messages = [("user", question), able.invoke(question)]
    for call in messages[-1].tool_calls:
        messages.append(ToolMessage(str(tax_table(**call["args"])), tool_call_id=call["id"]))
    return able.invoke(messages).text


def schema(api, form):
    found = model(api).with_structured_output(FormCorrections).invoke(form)
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    return [piece.text for piece in model(api, STREAMS[api]).stream(question)]


def follow(api, question, more):
    said = [("user", question), model(api).invoke(question), ("user", more)]
    return model(api).invoke(said).text


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
