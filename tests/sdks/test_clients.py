"""The five clients of 5_sdks: what they say and send is what data/clients.json keeps, and each
fails clearly.
"""

import json
import re
import shutil
import subprocess

import openai
import pytest

import helpers
from helpers.sdks import clients
from tests.conftest import CLIENTS as ALL
from tests.tools import make_clients


@pytest.fixture(scope="module", autouse=True)
def connected():
    helpers.connect()


def kept():
    return json.loads(clients.KEPT.read_text(encoding="utf-8"))["runs"]


@ALL
@pytest.mark.parametrize("language", clients.CLIENTS)
def test_what_is_kept_is_what_they_do(language):
    made = make_clients.runs(language)
    late = f"{language} late {make_clients.PATIENCE}"
    if made[late] != kept()[late]:
        # on a busy machine half a second is over before a program has asked: five are not
        [made[late]] = make_clients.late(language, "5").values()
    assert made == {name: run for name, run in kept().items() if name.split()[0] == language}


def test_what_is_kept_is_of_these_programs():
    assert {name.split()[0] for name in kept()} == set(clients.CLIENTS)


@ALL
@pytest.mark.parametrize("language", clients.CLIENTS)
def test_any_date_is_answered_and_its_days_are_counted_by_the_program(language):
    assert clients.run(language, "ask", "1969-07-20").said == "1969-07-20: Sunday"
    assert (
        clients.run(language, "tool", "2024-02-28", "2024-03-01").said
        == "From 2024-02-28 to 2024-03-01 it is 2 days."
    )


@ALL
@pytest.mark.parametrize("language", ["Python", "Node", "Go", "Java"])
def test_a_question_off_the_map_is_asked_once_and_ends_with_the_way_on(language):
    with pytest.raises(RuntimeError, match=rf"{language}: Off the map\. No recording answers"):
        clients.run(language, "busy", "How?")


@ALL
def test_a_go_map_as_schema_changes_nothing_where_its_keys_are_in_order(monkeypatch, tmp_path):
    before = clients.run("Go", "ask", "2024-12-17")
    shutil.copytree(clients.FOLDER / "go", tmp_path / "go")
    program = tmp_path / "go" / "main.go"
    text = program.read_text(encoding="utf-8")
    start, end = text.index("schema = json.RawMessage"), text.index("\ttools = ")
    schema = """schema = map[string]any{
        "type": "object",
        "properties": map[string]any{
            "date": map[string]any{"type": "string"}, "weekday": map[string]any{"type": "string"},
        },
        "required": []string{"date", "weekday"}, "additionalProperties": false,
    }
"""
    program.write_text(text[:start] + schema + text[end:], encoding="utf-8")
    monkeypatch.setattr(clients, "FOLDER", tmp_path)
    after = clients.run("Go", "ask", "2024-12-17")
    assert (after.said, after.request) == (before.said, before.request)


@pytest.mark.parametrize("language", ["Node", "Go", "Java"])
def test_a_missing_language_shows_what_was_kept_and_says_so(language, monkeypatch, capsys):
    monkeypatch.setattr(clients.shutil, "which", lambda name: None)
    run = clients.run(language, "ask", "2024-12-17")
    assert (run.said, run.statuses) == ("2024-12-17: Tuesday", [200])
    assert "not on this machine; shown is what was kept" in capsys.readouterr().out
    assert clients.unheard(language, 0.5)[1] in (1, 3)
    with pytest.raises(LookupError, match="install .* to ask '2000-01-01'"):
        clients.run(language, "ask", "2000-01-01")


@pytest.mark.needs("go")
def test_a_folder_that_cannot_be_written_to_shows_what_was_kept_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(clients.Client, "fresh", False)
    # root may write everywhere
    monkeypatch.setattr(clients.os, "access", lambda path, mode: mode != clients.os.W_OK)
    assert clients.run("Go", "ask", "2024-12-17").said == "2024-12-17: Tuesday"
    assert "Go: notebooks/5_sdks/clients/go cannot be written to" in capsys.readouterr().out
    with pytest.raises(LookupError, match="copy the project to where you may write"):
        clients.run("Go", "ask", "2000-01-01")


def test_a_patience_of_nothing_is_refused_and_never_one_without_end():
    with pytest.raises(ValueError, match="patience of 0 seconds: give more than 0"):
        clients.unheard("Python", 0)


def test_a_missing_language_is_a_dash_and_the_rest_goes_on(monkeypatch, capsys):
    found = shutil.which
    monkeypatch.setattr(
        clients.shutil, "which", lambda name: None if name in ("go", "java") else found(name)
    )
    assert clients.able("ask", "2024-12-17") == list(clients.CLIENTS)
    able = clients.able("ask", "2000-01-01")
    assert "Python" in able and not {"Go", "Java"} & set(able)
    assert "Go      – go" in capsys.readouterr().out


@pytest.mark.needs("go")
def test_go_runs_where_no_home_is_named(monkeypatch):
    for name in ("HOME", "XDG_CACHE_HOME", "GOCACHE", "GOPATH", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    asked = subprocess.run(
        ["go", "env", "GOCACHE", "GOPATH"],
        env=clients._environment(),
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 0 and all("day9-go" in line for line in asked.stdout.split())


def test_an_install_that_fails_says_what_and_leaves_no_lock(monkeypatch, tmp_path):
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "setup.txt").write_text("")
    monkeypatch.setattr(clients, "FOLDER", tmp_path)
    monkeypatch.setattr(clients, "ROOT", tmp_path)
    broken = clients.Client(
        "python/client.py",
        (),
        ("python",),
        ("python3", "-c", "raise SystemExit('registry out of reach')"),
        "made",
        ("setup.txt",),
    )
    monkeypatch.setitem(clients.CLIENTS, "Python", broken)
    with pytest.raises(
        RuntimeError, match="(?s)failed; it needs the network once.*registry out of reach"
    ):
        clients.install("Python")
    assert sorted(p.name for p in (tmp_path / "python").iterdir()) == ["setup.txt"]


@pytest.mark.parametrize("language", clients.CLIENTS)
@pytest.mark.parametrize("function", ["ask", "stream", "tool", "busy", "wrong", "late"])
def test_a_function_is_cut_out_whole(language, function):
    code = clients.code(language, function)
    first, *rest = code.splitlines()
    assert f"{function}(" in first and (language == "Python" or rest[-1] == "}")
    assert not any(
        re.match(clients.CLIENTS[language].start.format(r"\w+"), " " * (language == "Java") + line)
        for line in rest
    )


@pytest.mark.parametrize("what", clients.IDIOMS)
def test_each_program_has_a_line_of_its_own_for_each_idiom(what):
    said = {language: clients.idiom(language, what) for language in clients.CLIENTS}
    assert all(said.values()) and len(set(said.values())) >= 4, said
    assert not any(line.startswith(("import", "from", "//", "#")) for line in said.values())


def test_an_idiom_that_is_none_is_told():
    with pytest.raises(LookupError, match="no idiom 'speed'; there are effort, message"):
        clients.idiom("Go", "speed")


def test_pythons_package_file_names_the_version_that_runs():
    assert (clients.FOLDER / "python" / "requirements.txt").read_text(
        encoding="utf-8"
    ) == f"openai=={openai.__version__}\n"


def test_lock_files_name_no_host():
    for name in ("node/package-lock.json", "go/go.sum"):
        assert "//" not in (clients.FOLDER / name).read_text(encoding="utf-8")
