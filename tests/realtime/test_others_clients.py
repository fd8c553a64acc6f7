"""Realtime clients that nobody here wrote hold a conversation with the local API: a question that
calls a function, a story, an interruption. Run by hand: those for Node after
`npm ci --ignore-scripts` in tests/realtime_node, those for Python after
`python -m venv .venv` and `.venv/bin/python -m pip install -r requirements.lock` in
tests/realtime_python.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from openai import OpenAI

from helpers.facts import sounds
from tests import lab
from tests.conftest import needs

CLIENTS = Path(__file__).parents[1] / "realtime_node"
SDK = CLIENTS / "node_modules" / "@openai" / "agents-realtime"
IN_NODE = pytest.mark.skipif(
    not SDK.exists(), reason="run by hand: npm ci --ignore-scripts in tests/realtime_node"
)
PROGRAMS = Path(__file__).parents[1] / "realtime_python"
OF_ITS_OWN = PROGRAMS / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SAID = ("user-tax", "user-story", "user-stop")


def judge(came):
    """Hold what came of the conversation to what was said in it."""
    clips = {name: sounds.clips()[name]["transcript"] for name in (*SAID, "says-story")}
    assert came["errors"] == []
    asked = {"year": 2024, "filing_status": "single", "taxable_income": 9325}
    assert came["called"] == [asked]
    assert [words for who, words in came["history"] if who == "user"] == [clips[n] for n in SAID]
    owed, story, last = (words for who, words in came["history"] if who == "assistant")
    assert owed == "The tax on 9,325 dollars is 41 dollars."
    assert clips["says-story"].startswith(story)  # which runs ahead of what is heard
    assert last == sounds.clips()["says-stopped"]["transcript"]
    assert came["interrupted"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """{clip: a file of its PCM16 and of the silence that ends a turn}."""
    folder = tmp_path_factory.mktemp("clips")
    for name in SAID:
        (folder / name).write_bytes(sounds.clip(name) + sounds.silence(800))
    return {name: str(folder / name) for name in SAID}


def held(command, folder, api, files):
    """What came of the conversation that a program holds."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"OPENAI_BASE_URL": api.url, "OPENAI_API_KEY": api.key},
        input=json.dumps(files),
        capture_output=True,
        encoding="utf-8",
        timeout=3 * lab.LONG / 1000,  # frameworks take long to load
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@IN_NODE
@needs("node")
@pytest.mark.parametrize("program", ["agents.mjs", "official.mjs"])
def test_a_conversation_over_a_websocket(api, files, program):
    judge(held([shutil.which("node"), program], CLIENTS, api, files))


@pytest.mark.skipif(
    not OF_ITS_OWN.exists(),
    reason="run by hand: an environment in tests/realtime_python, see above",
)
@pytest.mark.parametrize("program", ["livekit_agents.py", "pipecat_service.py"])
def test_a_conversation_of_a_python_framework(api, files, program):
    judge(held([OF_ITS_OWN, program], PROGRAMS, api, files))


# In place of a microphone: clips, each said to its end.
MICROPHONE = """
const context = new AudioContext(), mouth = context.createMediaStreamDestination();
const say = async name => {
  const file = await (await fetch(`${name}.opus`)).arrayBuffer();
  const source = new AudioBufferSourceNode(context, {buffer: await context.decodeAudioData(file)});
  source.connect(mouth);
  await new Promise(said => { source.onended = said; source.start(); });
};"""
TALK = """async ([program, url, apiKey]) => {
  const {conversation} = await import(program), agents = OpenAIAgentsRealtime;
  const audioElement = document.getElementById("player");
  const transport = new agents.OpenAIRealtimeWebRTC({mediaStream: mouth.stream, audioElement});
  return conversation(agents, transport, say, {apiKey, url});
}"""


@IN_NODE
@needs("chromium")
def test_a_conversation_over_webrtc(api):
    with OpenAI(api_key=api.key, base_url=api.url) as client:
        session = {"type": "realtime", "model": "gpt-realtime-2.1"}
        secret = client.realtime.client_secrets.create(session=session).value
    flags = ["--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"]
    with lab.browser(*flags) as chrome, chrome.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{api.url.removesuffix('/v1')}/day9/pages/webrtc.html")
        page.add_script_tag(path=SDK / "dist" / "bundle" / "openai-realtime-agents.umd.js")
        page.add_script_tag(content=MICROPHONE)
        words = (CLIENTS / "conversation.mjs").read_text(encoding="utf-8")
        program = page.evaluate("words => URL.createObjectURL(new Blob([words], {type: 'text/javascript'}))", words)  # fmt: skip
        judge(page.evaluate(TALK, [program, f"{api.url}/realtime/calls", secret]))
