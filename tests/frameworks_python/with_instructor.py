"""Five tasks with Instructor; tests/sdks/test_others_frameworks.py says how they are run."""

import instructor
from pydantic import BaseModel
from tasks import MODELS, STREAMS, FormCorrections, run
from tasks import tax_table as of_the_table

MODES = {"chat": instructor.Mode.TOOLS, "responses": instructor.Mode.RESPONSES_TOOLS}


class tax_table(BaseModel):
    """Federal income tax in dollars, from the IRS Tax Table of that year."""

    year: int
    filing_status: str
    taxable_income: int


def model(api, name=None):
    return instructor.from_provider(f"openai/{name or MODELS[api]}", mode=MODES[api])


def user(words):
    return {"role": "user", "content": words}


def text(answer):
    return answer.choices[0].message.content if hasattr(answer, "choices") else answer.output_text


def said(api, messages, **more):
    return text(model(api).create(response_model=None, messages=messages, **more))


def ask(api, rule, wish):
    return said(api, [{"role": "system", "content": rule}, user(wish)])


def tool(api, question):
    asked = model(api).create(response_model=tax_table, messages=[user(question)])
    return of_the_table(**asked.model_dump())


def schema(api, form):
    found = model(api).create(response_model=FormCorrections, messages=[user(form)])
    return {c.location: c.new_value for c in found.corrections}


def stream(api, question):
    pieces = model(api, STREAMS[api]).create(
        response_model=None, messages=[user(question)], stream=True
    )
    if api == "chat":
        return [p.choices[0].delta.content for p in pieces if p.choices[0].delta.content]
    return [p.delta for p in pieces if p.type == "response.output_text.delta"]


def follow(api, question, more):
    messages = [user(question)]
    messages += [{"role": "assistant", "content": said(api, messages)}, user(more)]
    return said(api, messages)


if __name__ == "__main__":
    run(ask=ask, tool=tool, schema=schema, stream=stream, follow=follow)
