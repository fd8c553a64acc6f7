"""The bundle: which systems it names, what of the project goes along, what has no wheel."""

import shutil
import subprocess
import sys

import pytest

import start
from tests import systems

from . import make_bundle, make_wheels


def test_what_is_asked_for_is_read_once_and_in_order():
    names, pythons, locks = make_bundle.asked(
        ["--for", "windows, linux,windows", "--python", "3.12", "--voice"]
    )
    assert (names, pythons) == (["windows", "linux"], ["3.12"])
    assert [lock.name for lock in locks] == ["requirements.lock", "requirements.voice.lock"]
    assert set(make_bundle.FOR.values()) == set(systems.SYSTEMS)


@pytest.mark.parametrize(
    "asked, wrong",
    [
        (["--for", "linux,beos"], "no system 'beos' is known"),
        (["--for", ","], "no system '' is known"),
        (["--for", "linux", "--python", "3.9"], "no Python '3.9' is known"),
    ],
)
def test_what_is_not_known_is_told_with_what_is(asked, wrong):
    with pytest.raises(start.Failure, match=wrong) as told:
        make_bundle.asked(asked)
    assert "Cure: one of " in str(told.value)


def test_a_teachers_notebooks_go_along_and_what_is_nobody_elses_does_not(tmp_path):
    source = tmp_path / "project"
    made = [".env", ".git/config", "notebooks/.ipynb_checkpoints/a.ipynb", "site/index.html"]
    made += ["notebooks/5_sdks/node_modules/a.js", "data/my_recordings/a.json", "bundle/x"]
    made += ["wheelhouse/hashes.txt"]  # of a project that was itself a bundle
    kept = ["start.py", "notebooks/my lesson.ipynb", "data/a.csv", ".gitignore"]
    for name in made + kept:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    (source / ".gitignore").write_bytes((systems.ROOT / ".gitignore").read_bytes())
    make_bundle.copy_project(source, tmp_path / "bundle")
    found = [p for p in (tmp_path / "bundle").rglob("*") if p.is_file()]
    assert sorted(p.relative_to(tmp_path / "bundle").as_posix() for p in found) == sorted(
        kept + ["site/index.html"]
    )


def test_each_system_is_asked_for_its_own_wheels(tmp_path, monkeypatch):
    asked = []
    pin = next(p for p in systems.locked("requirements.lock") if p.asked.name == "openai")
    [wheel] = make_wheels.wheels(pin, make_bundle.FOR["linux"], "3.12", "requirements.lock")

    def run(command):
        pins = (tmp_path / "pins.txt").read_text(encoding="utf-8")
        asked.append((command, pins))
        for name in (wheel, "of_another_set-1.0-py3-none-any.whl"):
            (tmp_path / name).touch()

    monkeypatch.setattr(start, "run", run)
    served = make_bundle.download("python", tmp_path, "macos-intel", "3.12", [start.LOCK])
    [(heading, files)] = served.items()
    assert heading == start.serves("macos-intel", "3.12", start.LOCK)
    [(name, sha256)] = files.items()
    assert name == f"{tmp_path.name}/{wheel}"
    assert sha256 in start.LOCK.read_text(encoding="utf-8")
    [(command, pins)] = asked
    assert "3.12.0" in command
    assert {"--require-hashes", "--only-binary=:all:", "--platform=macosx_11_0_x86_64"} <= {
        *command
    }
    assert "aiortc==" not in pins and "openai==" in pins and ";" not in pins
    assert all("--hash=sha256:" in pin for pin in pins.splitlines())
    assert not (tmp_path / "pins.txt").exists()


def test_the_list_is_read_as_it_was_written_and_by_sha256sum(tmp_path, monkeypatch):
    file = tmp_path / "wheelhouse" / "hashes.txt"
    file.parent.mkdir()
    (tmp_path / "课 one.txt").write_text("one")
    listed = {start.PROJECT: make_bundle.files_in(tmp_path), "# linux": {}}
    make_bundle.write_hashes(file, listed)
    monkeypatch.setattr(start, "HASHES", file)
    monkeypatch.setattr(start, "ROOT", tmp_path)
    assert start.bundled() == listed and start.faults(listed[start.PROJECT]) == {}
    if shutil.which("sha256sum"):
        run = subprocess.run(["sha256sum", "--check", file], cwd=tmp_path, capture_output=True)
        assert run.returncode == 0 and not run.stderr, run.stderr


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Where the bundle of a project of one file comes, whose wheels are empty files."""

    def copy_project(source, to):
        to.mkdir()
        (to / "one.txt").write_text("one")

    def fetch(pip, wheels, full, pins, platforms):
        for pin in pins:
            for wheel in make_wheels.table()[str(pin)]["files"]:
                (wheels / wheel).touch()

    bundle = tmp_path / "bundle"
    for name, value in {
        "BUNDLE": bundle,
        "copy_project": copy_project,
        "pip_in": lambda folder: "python",
        "fetch": fetch,
    }.items():
        monkeypatch.setattr(make_bundle, name, value)
    monkeypatch.setattr(start, "HASHES", bundle / "wheelhouse" / start.HASHES.name)
    return bundle


def test_a_bundle_lists_the_project_and_the_wheels_of_each_system(small, capsys):
    make_bundle.main(["--for", "linux,windows", "--python", "3.12,3.13"])
    said = capsys.readouterr().out
    assert "bundle/ is ready, " in said and "must have Python 3.12 or 3.13; there, " in said
    listed = start.bundled()
    assert [*listed] == [
        start.PROJECT,
        *(
            start.serves(system, python, start.LOCK)
            for system in ("linux", "windows")
            for python in ("3.12", "3.13")
        ),
    ]
    assert [*listed.pop(start.PROJECT)] == ["one.txt"]
    for files in listed.values():
        assert len(files) > 80 and all((small / file).is_file() for file in files)
    linux = listed[start.serves("linux", "3.12", start.LOCK)]
    assert not any("win_amd64" in file or "-cp313-" in file for file in linux)


def test_where_nothing_can_be_bundled_the_bundle_before_stays(small, capsys):
    small.mkdir()
    with pytest.raises(start.Failure, match="nothing could be bundled"):
        make_bundle.main(["--for", "windows-arm", "--python", "3.11"])
    assert small.is_dir() and "Left out: windows-arm, Python 3.11" in capsys.readouterr().out


def test_early_and_late_releases_of_a_python_find_theirs():
    """A lock may name another version for 3.11.2, which Debian 12 has, than for 3.11.9."""
    linux = make_bundle.FOR["linux"]
    sets = make_bundle.wanted("requirements.lock", linux, "3.11")
    for full, pins in sets.items():
        assert "openai" in {pin.asked.name for pin in pins}
        for pin in pins:
            assert not pin.asked.marker or pin.asked.marker.evaluate(
                {**systems.environment(linux, "3.11"), "python_full_version": full}
            )
    assert sorted(sets) in (["3.11.0"], ["3.11.0", "3.11.99"])


def test_what_has_no_wheel_is_named_and_asks_for_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(start, "run", lambda command: pytest.fail("nothing is to be downloaded"))
    assert make_bundle.download("python", tmp_path, "windows-arm", "3.11", [start.LOCK]) == {}
    assert "windows-arm, Python 3.11: no wheel of pyyaml==" in capsys.readouterr().out


def test_the_command_says_what_is_wrong():
    run = subprocess.run(
        [sys.executable, "-m", "tests.tools.make_bundle", "--for", "amiga"],
        cwd=systems.ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and run.stderr.startswith("start.py: no system 'amiga' is known")


def test_a_part_that_a_system_cannot_have_is_named_and_the_rest_bundled(capsys):
    voice, warehouse = map(start.lock_of, ("voice", "warehouse"))
    locks = [start.LOCK, voice, warehouse]
    assert make_bundle.can_have("macos-intel", locks) == [start.LOCK, warehouse]
    said = "Left out for macos-intel: ears and a mouth: their packages have no builds"
    assert capsys.readouterr().out.startswith(said)
    assert all(make_bundle.can_have(name, locks) == locks for name in ("linux-arm", "macos"))
    assert not capsys.readouterr().out
