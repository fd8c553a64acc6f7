"""Kernels under test, forked from a process that has imported the large packages already
(helpers/classroom/forking.py).

On Linux all kernels of a test run come from one warmed parent, in which the SDK has been used once,
which makes its schemas. Left out are `helpers`, which a notebook imports as anywhere, and
ipywidgets, which makes itself known to its kernel as it is imported. JupyterLab's kernels in the
browser tests are forked, too, and the processes in which tests/tools/edited.py changes cells.
"""

import atexit
import functools
import importlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from unittest import mock

from helpers.classroom import forking
from helpers.classroom.forking import KERNEL, forked  # noqa: F401 (asked for here by tools)

ROOT = Path(__file__).resolve().parents[1]
WARM = (
    KERNEL,
    "ipykernel.debugger",
    "nbclient",  # with what reads notebooks, for tests/tools/edited.py
    "pandas.io.formats.style",
    "plotly.express",
    "tiktoken",
    "openai.resources",
    "openai.types.responses",
)
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


def install():
    """Make the kernels that this process starts forked ones."""
    # elsewhere a fork of what has used the system's own libraries is not safe
    if sys.platform != "linux":
        return
    if forking.ADDRESS not in os.environ:  # workers know the one that their controller has started
        start_parent()
    forking.use_for_kernels()


def start_parent():
    """The warmed process. It ends with the one that started it, and its kernels when they see it
    gone.
    """
    with forking.listen(f"day9-tests-{os.getpid()}") as door:
        parent = subprocess.Popen(
            [
                sys.executable,
                "-Xfrozen_modules=off",
                "-m",
                __name__,
                str(door.fileno()),
            ],  # as kernels
            cwd=ROOT,
            pass_fds=[door.fileno()],
            stdin=subprocess.PIPE,
        )

    @atexit.register
    def end():
        parent.stdin.close()
        parent.wait()


@functools.cache
def warm():
    """Import once what kernels need; the variables of the environment that this has set."""
    return forking.import_as_in_a_kernel(
        WARM, use, TIKTOKEN_CACHE_DIR=str(ROOT / "data" / "tokenizer")
    )


def use():
    """What a package does when it is first used: the tokenizer's table, a figure's parts, the SDK's
    schemas.
    """
    import httpx2
    import openai
    import plotly.express
    import tiktoken
    from openai.resources.realtime.realtime import RealtimeConnection

    tiktoken.get_encoding("o200k_base")
    plotly.express.bar(x=[0], y=[0]).update_layout(title="").to_dict()

    def answer(request):
        asked = json.loads(request.content)
        if asked.get("stream"):
            return httpx2.Response(200, text=f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n")
        return httpx2.Response(200, json=CHAT if "messages" in asked else RESPONSE)

    line = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(api_key="none", base_url="http://127.0.0.1", http_client=line) as client:
        client.chat.completions.create(model="o1", messages=[])
        list(client.chat.completions.create(model="o1", messages=[], stream=True))
        client.responses.create(model="o1", input="")
    session = RealtimeConnection(mock.Mock())
    session.send({"type": "response.create"})
    session.parse_event('{"type": "response.created"}')


def become(module, arguments, cwd, env, user, files):
    forking.leave_parent(cwd, env, files)
    # a notebook imports ours as anywhere
    for name in [n for n in sys.modules if n.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    if module == KERNEL:
        os.environ.update(warm())
        forking.be_kernel(arguments)
    else:
        importlib.import_module(module).main(arguments)


if __name__ == "__main__":
    forking.serve(socket.socket(fileno=int(sys.argv[1])), warm, become)
