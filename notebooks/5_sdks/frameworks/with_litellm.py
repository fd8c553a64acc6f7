"""Five tasks with LiteLLM; tasks.py says how to run them."""

import json

import litellm
from tasks import MODELS, STREAMS, FormCorrections, run, tax_table

litellm.suppress_debug_info = True  # else it prints advice between the answers

ABOUT = {
    "name": "tax_table",
    "description": tax_table.__doc__,
    "parameters": {
        "type": "object",
        "properties": {
            "year": {"type": "integer"},
            "filing_status": {"type": "string"},
            "taxable_income": {"type": "integer"},
        },
        "required": ["year", "filing_status", "taxable_income"],
    },
}


def chat(messages, **more):
    return litellm.completion(MODELS["chat"], messages, **more).choices[0].message


def respond(given, **more):
    return litellm.responses(model=f"openai/{MODELS['responses']}", input=given, **more)


def user(words):
    return {"role": "user", "content": words}


def ask(api, rule, wish):
    if api == "chat":
        return chat([{"role": "system", "content": rule}, user(wish)]).content
    return respond(wish, instructions=rule).output_text


def tool(api, question):
    said = [user(question)]
    if api == "chat":
        offered = [{"type": "function", "function": ABOUT}]
        asked = chat(said, tools=offered)
        for call in asked.tool_calls:
            result = str(tax_table(**json.loads(call.function.arguments)))
            said += [asked, {"role": "tool", "tool_call_id": call.id, "content": result}]
        return chat(said, tools=offered).content
    offered = [{"type": "function", **ABOUT}]
    asked = respond(said, tools=offered).output
    for call in asked:
        said.append(call)
        if call.type == "function_call":
            result = str(tax_table(**json.loads(call.arguments)))
            said.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": result}
            )
    return respond(said, tools=offered).output_text


def schema(api, form):
    if api == "chat":
        text = chat([user(form)], response_format=FormCorrections).content
    else:
        text = respond(form, text_format=FormCorrections).output_text
    found = FormCorrections.model_validate_json(text)
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    if api == "chat":
        chunks = litellm.completion(STREAMS["chat"], [user(question)], stream=True)
        return [c.choices[0].delta.content for c in chunks if c.choices[0].delta.content]
    events = respond(question, stream=True)
    return [e.delta for e in events if e.type == "response.output_text.delta"]


def follow(api, question, more):
    if api == "chat":
        said = [user(question)]
        return chat([*said, chat(said), user(more)]).content
    first = respond(question)
    return respond(more, previous_response_id=first.id).output_text


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
