"""What packages do when they are first used, done once before processes are forked: the tokenizer's
table, a figure's parts, the SDK's schemas, and reading its files to show where it raised an error.
"""

import json
from unittest import mock

CHOICE = {"index": 0, "finish_reason": "stop"}
MESSAGE = {"role": "assistant", "content": "", "refusal": None}
CHAT = {"id": "c", "object": "chat.completion", "created": 0, "model": "o1"}
CHUNK = CHAT | {"object": "chat.completion.chunk", "choices": [CHOICE | {"delta": MESSAGE}]}
CHAT |= {"choices": [CHOICE | {"message": MESSAGE}]}
TEXT = {"type": "output_text", "text": "", "annotations": []}
RESPONSE = {
    "id": "r",
    "object": "response",
    "output": [{"type": "message", "id": "m", "role": "assistant", "content": [TEXT]}],
}

WRONG = "none"


def use():
    """Use each once. Nothing is asked of anybody: the SDK's requests are answered in its place."""
    import httpx2
    import IPython.core.ultratb
    import openai
    import plotly.express
    import tiktoken
    from openai.resources.realtime.realtime import RealtimeConnection

    tiktoken.get_encoding("o200k_base")
    plotly.express.bar(x=[0], y=[0]).update_layout(title="").to_dict()

    def answer(request):
        asked = json.loads(request.content)
        if asked["model"] == WRONG:
            return httpx2.Response(400, json={"error": {"message": ""}})
        if asked.get("stream"):
            return httpx2.Response(200, text=f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n")
        return httpx2.Response(200, json=CHAT if "messages" in asked else RESPONSE)

    line = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(api_key="none", base_url="http://127.0.0.1", http_client=line) as client:
        client.chat.completions.create(model="o1", messages=[])
        list(client.chat.completions.create(model="o1", messages=[], stream=True))
        client.responses.create(model="o1", input="")
        try:
            client.chat.completions.create(model=WRONG, messages=[])
        except openai.BadRequestError as error:
            tb = IPython.core.ultratb.AutoFormattedTB("Context", "linux")
            tb.text(type(error), error, error.__traceback__)
    httpx2.HTTPTransport().close()
    session = RealtimeConnection(mock.Mock())
    session.send({"type": "response.create"})
    session.parse_event('{"type": "response.created"}')
