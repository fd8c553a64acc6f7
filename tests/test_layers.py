"""The rules of pyproject.toml hold: who imports whom, no circles, one layout, types where they are
declared. The tests lie in the rooms of what they test.
"""

import ast
import subprocess
import sys
import tomllib
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


def test_types_hold(cache):
    tool("mypy", "--cache-dir", str(cache.mkdir("mypy")))


def typed_files():
    """The files that mypy checks, by its settings."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for pattern in settings["tool"]["mypy"]["files"]:
        for path in sorted(ROOT.glob(pattern)):
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def public(nodes):
    """What others may call of a module or a class: what has no underscore, how it is made, being
    called.
    """
    return [
        node
        for node in nodes
        if isinstance(node, (*FUNCTION, ast.ClassDef))
        and (not node.name.startswith("_") or node.name in ("__init__", "__call__"))
    ]


def untyped(function, method):
    """The parameters of a function that say no type, and "return" where its result says none."""
    given = function.args
    named = [*given.posonlyargs, *given.args]
    static = any(getattr(by, "id", "") == "staticmethod" for by in function.decorator_list)
    if method and not static:
        named = named[1:]  # self or cls
    named += [*given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [p.arg for p in named if p.annotation is None] + ["return"] * (function.returns is None)


def lacking(source):
    """(function, what says no type in it) of a module's text."""
    for node in public(ast.parse(source).body):
        if isinstance(node, FUNCTION):
            yield node.name, untyped(node, method=False)
            continue
        for inner in public(node.body):
            if isinstance(inner, FUNCTION):
                yield f"{node.name}.{inner.name}", untyped(inner, method=True)


def test_what_others_may_call_says_its_types():
    files = list(typed_files())
    assert {"display.py", "prices.py", "answer.py"} <= {file.name for file in files}
    bare = [
        (file.relative_to(ROOT).as_posix(), name, names)
        for file in files
        for name, names in lacking(file.read_text(encoding="utf-8"))
        if names
    ]
    assert bare == []


def test_a_function_without_types_is_found():
    source = (
        "class Shop:\n    def sell(self, what, *more, price: int): ...\n    def _count(self): ..."
    )
    assert list(lacking(source)) == [("Shop.sell", ["what", "more", "return"])]


def rooms_of(name):
    """The folders of helpers/ in which a module or a room of this name lies, and the room
    itself.
    """
    for path in (ROOT / "helpers").rglob("*"):
        if path.name == f"{name}.py" or path.name == name and path.is_dir():
            yield path.parent
            if path.is_dir():
                yield path


def test_a_test_that_is_named_as_a_module_lies_in_its_room():
    tests = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.relative_to(ROOT / "tests").parts[0] not in ("notebooks", "tools", "data")
        and ".venv" not in path.parts  # of tests/realtime_python, frameworks_python
    ]
    assert len(tests) > 40
    for path in tests:
        room = ROOT / "helpers" / path.relative_to(ROOT / "tests").parent
        assert room.is_dir(), f"{path} is in a room that helpers/ has not got"
        rooms = set(rooms_of(path.stem.removeprefix("test_")))
        assert not rooms or room in rooms, f"{path} belongs to {sorted(map(str, rooms))}"
