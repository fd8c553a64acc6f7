"""What a hub elsewhere is given: the start script runs; what the files name is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import start

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "notebooks" / "teaching" / "cluster"
SEAT = CLUSTER / "start-seat"
IMAGE = (CLUSTER / "Dockerfile").read_text(encoding="utf-8")
VALUES = yaml.safe_load((CLUSTER / "zero-to-jupyterhub.yaml").read_text(encoding="utf-8"))
SEEN = """import json, os
print(json.dumps([os.getcwd(), os.environ["JUPYTER_PATH"], os.environ["DAY9_MY_PROGRESS"]]))"""


@pytest.mark.skipif(sys.platform == "win32", reason="an image runs Linux")
def test_a_seat_starts_with_notebooks_of_its_own_and_keeps_what_is_written(tmp_path):
    first = Path(sys.executable).parent
    env = os.environ | {"HOME": str(tmp_path), "PATH": f"{first}{os.pathsep}{os.environ['PATH']}"}

    def begin():
        run = subprocess.run([SEAT, "python", "-c", SEEN], env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    mine = tmp_path / "day9"
    here, settings, progress = begin()
    assert Path(here) == tmp_path.resolve() and Path(progress).parent == mine
    assert (Path(settings) / "kernels").is_dir()
    notebook = mine / "notebooks" / "00_start_here.ipynb"
    assert notebook.read_bytes() == (ROOT / "notebooks" / "00_start_here.ipynb").read_bytes()
    assert (mine / "data" / "prices.csv").is_file()
    notebook.write_text("changed", encoding="utf-8")
    begin()
    assert notebook.read_text(encoding="utf-8") == "changed"


def test_the_image_and_the_values_name_what_there_is():
    folder = re.search(r"^WORKDIR (\S+)", IMAGE, re.M)[1]
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)", IMAGE, re.M)[1])[0]
    assert ROOT / Path(entry).relative_to(folder) == SEAT and os.access(SEAT, os.X_OK)
    [words] = re.findall(r"^RUN python start\.py (.*)", IMAGE, re.M)
    assert {w[2:] for w in words.split() if w.startswith("--")} == {"class", "version"}
    assert "class" in start.PARTS
    user = re.search(r"useradd .* (\w+)$", IMAGE, re.M)[1]
    seat = VALUES["singleuser"]
    assert seat["storage"]["homeMountPath"] == f"/home/{user}"
    path = seat["defaultUrl"].removeprefix("/lab/tree/day9/")
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("text", [IMAGE, (ROOT / ".devcontainer/devcontainer.json").read_text()])
def test_the_python_is_one_that_start_py_takes(text):
    version = tuple(map(int, re.search(r"python:(\d+)\.(\d+)-", text).groups()))
    assert start.OLDEST <= version <= start.NEWEST


def test_codespaces_runs_the_commands_of_the_readme():
    given = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    for when in ("onCreateCommand", "postAttachCommand"):
        assert re.match(r"python start\.py lab\b", given[when])
