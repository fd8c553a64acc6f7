"""The rules of pyproject.toml hold: who imports whom, no circles, one layout, types where they are declared."""

import subprocess
import sys
from pathlib import Path

from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]


def test_each_room_imports_from_those_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)  # where it looks for the packages
    assert cli.lint_imports(no_cache=True) == cli.EXIT_STATUS_SUCCESS


def tool(*command):
    """Run a tool on the project; what it complains of fails the test."""
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]


def test_the_layout_is_ruffs():
    tool("ruff", "format", "--check", "--no-cache", ".")


def test_no_lint_complains():
    tool("ruff", "check", "--no-cache", "--output-format", "concise", ".")
