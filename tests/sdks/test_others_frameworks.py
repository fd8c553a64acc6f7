"""Frameworks that do not go into this project's own environment get what OpenAI would give, too:
the five tasks of test_frameworks.py, over both APIs. Run by hand: those for Node after
`npm ci --ignore-scripts` in tests/frameworks_node, those for Python, which ask for an older SDK,
after `python -m venv .venv` and `.venv/bin/python -m pip install -r requirements.lock` in
tests/frameworks_python.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.facts import tax
from helpers.sdks import frameworks
from tests import lab
from tests.conftest import needs
from tests.sdks.test_frameworks import TRUE
from tests.tools.make_frameworks import WORDS

TESTS = Path(__file__).parents[1]
IN_NODE, IN_PYTHON = TESTS / "frameworks_node", TESTS / "frameworks_python"
OF_ITS_OWN = IN_PYTHON / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OWED = tax.tax(2024, "single", 9325)
for_node = [
    pytest.mark.skipif(
        not (IN_NODE / "node_modules").exists(),
        reason="run by hand: npm ci --ignore-scripts in tests/frameworks_node",
    ),
    needs("node"),
]
for_python = pytest.mark.skipif(
    not OF_ITS_OWN.exists(),
    reason="run by hand: an environment in tests/frameworks_python, see above",
)
PROGRAMS = [
    pytest.param((IN_NODE, "with_agents.mjs"), id="Agents SDK for JavaScript", marks=for_node),
    pytest.param((IN_NODE, "with_ai.mjs"), id="Vercel's AI SDK", marks=for_node),
    pytest.param((IN_PYTHON, "with_instructor.py"), id="Instructor", marks=for_python),
    pytest.param((IN_PYTHON, "with_llama_index.py"), id="LlamaIndex", marks=for_python),
]
# LlamaIndex asks for a temperature of 0.1 by itself, which no recorded answer follows. Instructor
# brings a call's arguments and no loop: its program ends with what the function returns.
EXPECTED = {
    ("with_llama_index.py", "chat stream"): "No answer here follows the parameter temperature.",
    ("with_instructor.py", "chat tool"): OWED,
    ("with_instructor.py", "responses tool"): OWED,
}


@pytest.fixture(scope="module", params=PROGRAMS)
def came(request, api):
    """(program, {"API task": what came of it})"""
    folder, program = request.param
    asked = [(kind, task) for kind in frameworks.APIS for task in WORDS]
    owed = [{"2024 single 9325": OWED}] if folder == IN_NODE else []
    lines = [[kind, task, *WORDS[task], *owed * (task == "tool")] for kind, task in asked]
    shared = os.pathsep.join([str(TESTS.parent), str(frameworks.FOLDER), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [OF_ITS_OWN if folder == IN_PYTHON else shutil.which("node"), program],
        cwd=folder,
        env=os.environ
        | {"OPENAI_BASE_URL": api.url, "OPENAI_API_KEY": api.key, "PYTHONPATH": shared},
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        encoding="utf-8",
        timeout=3 * lab.LONG / 1000,  # frameworks take long to load
    )
    assert done.returncode == 0, done.stderr
    said = [
        json.loads(x) for x in done.stdout.splitlines() if x.startswith(('{"said"', '{"error"'))
    ]
    return program, {" ".join(one): what for one, what in zip(asked, said, strict=True)}


@pytest.mark.parametrize("kind", frameworks.APIS)
@pytest.mark.parametrize("task", TRUE)
def test_the_answer_is_true(came, kind, task):
    program, made = came
    done, name = made[f"{kind} {task}"], f"{kind} {task}"
    expected = EXPECTED.get((program, name), TRUE[task])
    if "error" in done:
        assert isinstance(expected, str) and expected in done["error"]
        assert (program, name) in EXPECTED, done
    elif task == "stream":
        assert expected in "".join(done["said"]) and len(done["said"]) > 3, done
    else:
        assert done["said"] == expected
