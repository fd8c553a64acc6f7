"""What a page invites its reader to change is tried: each value that a comment names ("# try 10,
14"), and each row of the table *Try it*. The edits that try it stand in tests/data/edits.

An edit is found by what it does. A row that says in words what to do is named by the edits that do
it (`tries`), and what no kernel alone can try by the test that does (`elsewhere`); both by the code
in the row, or by its words where there is none.
"""

import ast
import re
import tomllib

import pytest

from tests.tools import edited, refresh

BOOKS = {edited.stem(path): path for path in refresh.notebooks()}
INVITES = re.compile(r"^(\w+) = .*?\s# (?P<said>(?:try|or|your)\b.*|.*; try .*)$", re.M)
ROWS = re.compile(r"^\| try this \|.*\n\|---.*\n((?:\|.*\n?)+)", re.M)


def table(stem):
    """The TOML of a notebook's edits."""
    file = edited.TABLE / f"{stem}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {"cell": []}


def changes(stem):
    """(a cell's own source, what an edit makes of it) of all edits of a notebook."""
    nb = refresh.read(BOOKS[stem])
    for edit in edited.table(stem):
        _, run = edited.plan(nb, edit)
        for at, source in run:
            if source != nb.cells[at].source:
                yield nb.cells[at].source, source


def assigned(source, name):
    """The values that a cell gives a name, as text: a string without its quotes."""
    try:
        tree = ast.parse(source)
    except SyntaxError:  # an edit may be one
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            value = node.value
            yield value.value if isinstance(getattr(value, "value", None), str) else ast.unparse(value)  # fmt: skip


def same(value, text):
    """Is a value the one that a comment names?"""
    try:
        return ast.unparse(ast.parse(text, mode="eval")) == value or text == value
    except SyntaxError:
        return text == value


def untried_values(source, done):
    """(name, value) of the values that a cell's comments name and none of its edits sets; value ""
    where no value is named, and none was set.
    """
    for invitation in INVITES.finditer(source):
        name, said = invitation[1], invitation["said"]
        now = set(assigned(source, name))
        set_to = {v for old, new in done if old == source for v in assigned(new, name)} - now
        _, tries, values = said.rpartition("try ")
        if not tries and not set_to:
            yield name, ""
        for value in values.split(", ") if tries else []:
            if not any(same(v, value) for v in set_to):
                yield name, value


def rows(nb):
    """What the rows of the table *Try it* say to try."""
    for cell in nb.cells:
        if cell.cell_type == "markdown" and (found := ROWS.search(cell.source)):
            for line in found[1].splitlines():
                yield re.split(r" \| ", line.removeprefix("| "))[0].strip()


def code(row):
    """The pieces of code in a row, or its words where there is none."""
    return re.findall(r"`([^`]+)`", row) or [row]


def does(row, old, new):
    """Does a change do what a row says: `this` → `that`, or `what is to stand there`?"""
    if change := re.match(r"`([^`]+)` → `([^`]+)`", row):
        before, after = change[1], change[2]
        return before in old and (before not in new or new.count(after) > old.count(after)) and after in new  # fmt: skip
    first = code(row)[0]
    return first != row and first in new and first not in old


def untried_rows(stem, nb, done):
    known = table(stem)
    named = [code(row) for group in known["cell"] for row in group.get("tries", [])]
    named += [code(row) for row in known.get("elsewhere", {})]
    for row in rows(nb):
        if code(row) not in named and not any(does(row, old, new) for old, new in done):
            yield row


@pytest.mark.parametrize("stem", BOOKS)
def test_each_invitation_is_tried(stem):
    nb, done = refresh.read(BOOKS[stem]), list(changes(stem))
    values = [
        untried
        for cell in nb.cells
        if cell.cell_type == "code"
        for untried in untried_values(cell.source, done)
    ]
    assert not values, values
    assert not (left := list(untried_rows(stem, nb, done))), left


@pytest.mark.parametrize("stem", BOOKS)
def test_what_is_tried_elsewhere_is_there(stem):
    known, asked = table(stem), [code(row) for row in rows(refresh.read(BOOKS[stem]))]
    for row, where in known.get("elsewhere", {}).items():
        assert code(row) in asked, f"no row says {row}"
        file, _, test = where.partition("::")
        assert f"def {test}(" in (refresh.ROOT / file).read_text(encoding="utf-8"), where
    for group in known["cell"]:
        for row in group.get("tries", []):
            assert code(row) in asked, f"no row says {row}"


SOURCE = 'n = 1000    # try 10, 14\nunit = "°F"    # or yours'


@pytest.mark.parametrize(
    ("new", "left"),
    [
        ("n = 10\nunit = '°C'", [("n", "14")]),
        ("n = 14\nunit = '°F'", [("n", "10"), ("unit", "")]),
        ("n = 1000\nunit = 'K'", [("n", "10"), ("n", "14")]),
    ],
)
def test_a_value_that_no_edit_sets_is_found(new, left):
    assert list(untried_values(SOURCE, [(SOURCE, new)])) == left


@pytest.mark.parametrize(
    ("row", "old", "new", "tried"),
    [
        ("`n=5` → `50` in *Create*", "f(n=5)", "f(n=50)", True),
        ("`n=5` → `50` in *Create*", "f(n=5)", "f(n=6)", False),
        ("`epochs = 10`, then run all", "epochs = 3", "epochs = 10", True),
        ("`epochs = 10`, then run all", "epochs = 3", "epochs = 1", False),
        ("a description", "x", "y", False),
    ],
)
def test_a_row_that_no_edit_does_is_found(row, old, new, tried):
    assert does(row, old, new) is tried
