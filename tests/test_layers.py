"""The layers of pyproject.toml hold: who imports whom, and no circles."""

from pathlib import Path

from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]


def test_each_room_imports_from_those_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)  # where it looks for the packages
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS
