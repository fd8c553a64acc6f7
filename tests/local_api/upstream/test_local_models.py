"""Real servers that we did not write, behind the local API: llama.cpp's, and MLX's, each with a
model made on the spot.

The model says words and understands nothing (make_model.py), so what is seen here is the servers'
own: what llama.cpp holds an answer to is held though the model is a table of chances, and what
mlx_lm.server ignores is not.
"""

import concurrent.futures
import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import nbformat
import openai
import pytest
from nbclient import NotebookClient
from pydantic import BaseModel, ValidationError

from helpers.common import this_machine
from tests.conftest import lacking
from tests.upstreams import Forwarding, at

ROOT = Path(__file__).resolve().parents[3]
LLAMA, MLX = "xllamacpp", "mlx_lm"
HI = [
    {"role": "developer", "content": "Talk like a pirate."},
    {"role": "user", "content": "What is this?"},
]
TAX = {
    "type": "function",
    "function": {
        "name": "tax",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {
                "income": {"type": "integer"},
                "status": {"type": "string", "enum": ["single", "married"]},
            },
            "required": ["income", "status"],
            "additionalProperties": False,
        },
    },
}
PICTURE = {
    "type": "image_url",
    "image_url": {
        "url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    },
}


class Boat(BaseModel):
    name: str
    masts: int
    ports: list[str]
    flag: str | None


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The model in its two forms: (a GGUF file, a folder)."""
    if not importlib.util.find_spec("gguf"):
        lacking("gguf")
    from tests.tools import make_model

    return make_model.make(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def llama(model):
    """The address of llama.cpp's server."""
    if not importlib.util.find_spec(LLAMA):
        lacking(LLAMA)
    with running(
        [sys.executable, "-m", "tests.llama_server", str(model[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        yield process.stdout.readline().decode().strip() + "/v1"


@pytest.fixture(scope="module")
def mlx(model, tmp_path_factory):
    """The address of MLX's server; it lists its models from a cache of downloads, which is empty
    and must exist.
    """
    if not importlib.util.find_spec(MLX):
        lacking(MLX)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = os.environ | {"HF_HUB_CACHE": str(tmp_path_factory.mktemp("hub")), "HF_HUB_OFFLINE": "1"}
    with running(
        [
            sys.executable,
            "-m",
            MLX,
            "server",
            "--model",
            str(model[1]),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--temp",
            "1",
            "--max-tokens",
            "300",
        ],
        env=env,
    ) as process:
        url = f"http://127.0.0.1:{port}/v1"
        while not _there(url + "/models"):
            assert process.poll() is None, f"{MLX} ended"
            time.sleep(0.1)
        yield url


@contextlib.contextmanager
def running(command, **more):
    """A process that ends with the block."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _there(url):
    with contextlib.suppress(OSError):
        return this_machine.open_url(url, 5).status == 200


@pytest.fixture(scope="module")
def clients(request):
    """A client through the local API to either server, by its fixture's name."""
    made = {}

    def client(name):
        if name not in made:
            # mlx_lm.server has one name for what it was started with, and would download any other
            made[name] = Forwarding(
                at(
                    request.getfixturevalue(name),
                    model={"llama": "tiny", "mlx": "default_model"}[name],
                )
            )
        return made[name].client()

    yield client
    for one in made.values():
        one.end()


BOTH = pytest.mark.parametrize("name", ["llama", "mlx"])


def ask(client, messages=HI, **more):
    """(the answer, the note about it)"""
    raw = client.chat.completions.with_raw_response.create(
        **{"model": "o1", "messages": messages, "max_completion_tokens": 300} | more
    )
    return raw.parse(), noted(raw)


def noted(response):
    """What the local API says beside an answer."""
    return urllib.parse.unquote(response.headers.get("x-day9-note", ""))


@BOTH
def test_a_chat_with_all_that_o1_takes(clients, name):
    answer, note = ask(
        clients(name),
        reasoning_effort="low",
        store=True,
        metadata={"lesson": "1"},
        max_completion_tokens=5,
        seed=1,
    )  # by chance the model may say nothing
    assert answer.choices[0].message.content and answer.choices[0].message.role == "assistant"
    assert answer.usage.completion_tokens <= 5 < answer.usage.prompt_tokens
    for words in (
        "in the place of o1",
        "max_completion_tokens sent as max_tokens",
        "developer sent as system",
        "left out: metadata, store",
    ):
        assert words in note


@BOTH
def test_a_stream_comes_in_pieces_and_ends_with_its_usage(clients, name):
    chunks = list(
        clients(name).chat.completions.create(
            model="o1",
            messages=HI,
            stream=True,
            stream_options={"include_usage": True},
            max_completion_tokens=300,
        )
    )
    said = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert len(said) > 1 and chunks[-1].usage.completion_tokens > 1
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] in ("stop", "length")


@BOTH
def test_a_result_of_a_tool_is_taken(clients, name):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "tax", "arguments": '{"income": 9325, "status": "single"}'},
    }
    past = [
        *HI,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "935"},
    ]
    assert ask(clients(name), past, tools=[TAX])[0].choices[0].finish_reason in (
        "stop",
        "length",
        "tool_calls",
    )


@pytest.mark.parametrize("streamed", [False, True])
def test_llama_cpp_makes_any_model_call_a_tool_with_sound_arguments(clients, streamed):
    # one call: where more may follow, this model may not find the end
    asked = dict(
        model="o1",
        messages=HI,
        tools=[TAX],
        tool_choice="required",
        parallel_tool_calls=False,
        max_completion_tokens=8000,
    )
    if streamed:
        with clients("llama").chat.completions.stream(**asked) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = clients("llama").chat.completions.create(**asked).choices[0].message
    assert message.tool_calls
    for call in message.tool_calls:
        given = json.loads(call.function.arguments)
        assert (
            call.function.name == "tax"
            and isinstance(given["income"], int)
            and given["status"] in ("single", "married")
            and len(given) == 2
        )


def test_llama_cpp_holds_any_model_to_a_schema(clients):
    for seed in range(5):  # the model knows no JSON: the form is the server's, the words are chance
        parsed = (
            clients("llama")
            .chat.completions.parse(
                model="o1", messages=HI, response_format=Boat, seed=seed, max_completion_tokens=8000
            )
            .choices[0]
            .message.parsed
        )
        assert isinstance(parsed, Boat)


def test_llama_cpp_has_the_responses_api(clients):
    answer = clients("llama").responses.create(
        model="gpt-5.6-sol",
        input="What is this?",
        reasoning={"effort": "low"},
        max_output_tokens=300,
    )
    assert (
        answer.status in ("completed", "incomplete")
        and answer.output_text
        and answer.usage.output_tokens
    )


def test_llama_cpp_without_eyes_says_so(clients):
    with pytest.raises(openai.InternalServerError, match="image input is not supported") as e:
        ask(
            clients("llama"),
            [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}],
        )
    assert "This request has pictures" in noted(e.value.response)


def test_mlx_has_no_responses_api_and_no_eyes_and_a_note_says_so(clients):
    with pytest.raises(openai.NotFoundError) as e:
        clients("mlx").responses.create(model="gpt-5.6-sol", input="What is this?")
    assert "may not know /v1/responses" in noted(e.value.response)
    with pytest.raises(openai.NotFoundError) as e:
        ask(
            clients("mlx"),
            [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}],
        )
    assert noted(e.value.response)


def test_mlx_holds_no_answer_to_a_schema(clients):
    """The difference that 1_o1/05 is about: asked alone, a model that knows no JSON writes none."""
    with pytest.raises(ValidationError):
        clients("mlx").chat.completions.parse(
            model="o1", messages=HI, response_format=Boat, max_completion_tokens=300
        )


# --- a stranger with only a local model -----------------------------------------------------------


def test_all_of_1_o1_runs_with_only_a_local_model(llama):
    """Each cell runs, or stops with a panel of ours that says why: nobody is left with a bare stack
    trace.
    """
    pages = sorted((ROOT / "notebooks" / "1_o1").glob("*.ipynb"))
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        done = dict(
            zip(
                [page.stem for page in pages],
                threads.map(lambda page: executed(page, llama), pages),
            )
        )
    cells = [cell for page in done.values() for cell in page]
    assert [
        (_error(cell), cell.source) for cell in cells if _error(cell) and not _panels(cell)
    ] == []
    assert {"01_developer_messages", "06_tax_form_assistant"} < set(done) and sum(
        bool(_panels(cell)) for cell in cells
    ) < len(cells) / 2
    assert any("This request has pictures" in _panels(cell) for cell in done["03_vision"])
    connected = [
        o.text
        for page in done.values()
        for cell in page
        for o in cell.outputs
        if o.output_type == "stream" and o.text.startswith("Answers: ")
    ]
    assert len(connected) >= 6 and all("tiny (DAY9_MODEL)" in line for line in connected)


def executed(page, url):
    """A page's code cells after a run in which `url` answers, to the end whatever stops."""
    page = nbformat.read(page, 4)
    kernel = NotebookClient(
        page,
        timeout=120,
        allow_errors=True,
        resources={"metadata": {"path": str(ROOT / "notebooks" / "1_o1")}},
    )
    kernel.execute(env=os.environ | {"DAY9_ANSWERS": url, "DAY9_MODEL": "tiny"})
    return [cell for cell in page.cells if cell.cell_type == "code"]


def _error(cell):
    return "; ".join(o.ename for o in cell.outputs if o.output_type == "error")


def _panels(cell):
    return "\n".join(
        o.data["text/plain"]
        for o in cell.outputs
        if o.output_type == "display_data" and 'role="alert"' in o.data.get("text/html", "")
    )
