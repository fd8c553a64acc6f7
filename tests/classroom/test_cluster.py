"""What a hub elsewhere is given: the start script runs; what the files name is there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from jupyter_server.serverapp import DEFAULT_JUPYTER_SERVER_PORT
from traitlets.config import Config

import start

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "notebooks" / "teaching" / "cluster"
SEAT = CLUSTER / "start-seat"
IMAGE = (CLUSTER / "Dockerfile").read_text(encoding="utf-8")
VALUES = yaml.safe_load((CLUSTER / "zero-to-jupyterhub.yaml").read_text(encoding="utf-8"))
PAGE = (CLUSTER / "README.md").read_text(encoding="utf-8")
CHART = json.loads((ROOT / "tests/data/zero_to_jupyterhub.json").read_text(encoding="utf-8"))
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
    [words] = re.findall(r"^RUN .*python start\.py (.*)", IMAGE, re.M)
    assert {w[2:] for w in words.split() if w.startswith("--")} == {"class", "version"}
    assert "class" in start.PARTS
    # the chart runs seats as user 1000
    user = re.search(r"useradd .*--uid 1000 (\w+)$", IMAGE, re.M)[1]
    seat = VALUES["singleuser"]
    assert seat["storage"]["homeMountPath"] == f"/home/{user}"
    assert opened(seat["defaultUrl"]).is_file()


def opened(address):
    """The file that a seat's first page shows."""
    return ROOT / address.removeprefix("/lab/tree/day9/")


def test_the_chart_knows_every_value_that_ours_set():
    jsonschema.validate(VALUES, CHART)
    with pytest.raises(jsonschema.ValidationError):  # it would tell
        jsonschema.validate(VALUES | {"prePuller": {"hooks": {"enabled": True}}}, CHART)


def test_no_image_holds_what_only_a_clone_has():
    written = (CLUSTER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    names = [line for line in written if not line.startswith("#")]
    # Git finds a name without a slash before its end anywhere, Docker from the root
    ignored = [
        line.strip("/") if "/" in line.rstrip("/") else "**/" + line.strip("/")
        for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    ]
    assert names == [".git", *ignored]


def test_the_littlest_jupyterhub_starts_seats_as_the_image_does():
    given = Config()
    code = (CLUSTER / "the-littlest-jupyterhub.py").read_text(encoding="utf-8")
    exec(compile(code, "day9.py", "exec"), {"get_config": lambda: given})
    script, *_, transport = given.Spawner.cmd
    [folder] = set(re.findall(r"^    cd (\S+)$", PAGE, re.M))
    assert ROOT / Path(script).relative_to(folder) == SEAT
    assert transport == "--KernelManager.transport=ipc"  # users share the machine
    assert given.SystemdSpawner.extra_paths == [f"{folder}/.venv/bin"]
    assert given.Spawner.default_url == VALUES["singleuser"]["defaultUrl"]
    [limit] = re.findall(r"tljh-config set limits\.memory (\w+)", PAGE)
    assert limit == VALUES["singleuser"]["memory"]["limit"]
    [copied] = re.findall(r"sudo cp (\S+) /opt/tljh/config/jupyterhub_config\.d/", PAGE)
    assert (ROOT / copied).is_file()


def test_what_forwards_a_port_forwards_that_of_jupyterlab():
    port = DEFAULT_JUPYTER_SERVER_PORT
    codespaces = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert codespaces["forwardPorts"] == [port] and [*codespaces["portsAttributes"]] == [str(port)]
    assert re.findall(r"docker run .*-p (\S+)", PAGE) == [f"{port}:{port}"]


@pytest.mark.parametrize("text", [IMAGE, (ROOT / ".devcontainer/devcontainer.json").read_text()])
def test_the_python_is_one_that_start_py_takes(text):
    version = tuple(map(int, re.search(r"python:(\d+)\.(\d+)-", text).groups()))
    assert start.OLDEST <= version <= start.NEWEST


def test_codespaces_runs_the_commands_of_the_readme():
    given = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    for when in ("onCreateCommand", "postAttachCommand"):
        assert re.match(r"python start\.py lab\b", given[when])
