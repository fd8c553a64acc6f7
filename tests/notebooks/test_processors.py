"""What a page shows is the same on every processor.

Sums, exponentials and sorts take other steps on other processors: the last bits of a float differ,
and equal rows change places. OpenBLAS and NumPy can be told to compute as an older processor does,
so one machine stands for many.
"""

import ast
import os
import subprocess
import sys

import pytest

from helpers.common.rounded import rounded
from tests.tools import refresh

OLDER = {
    "without AVX2": {
        "OPENBLAS_CORETYPE": "Prescott",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
    },
    "without AVX-512": {"OPENBLAS_CORETYPE": "Haswell", "NPY_DISABLE_CPU_FEATURES": "X86_V4"},
}
# Conversations are left out here: they take as long as they last, and what they show are events.
DRAWN = [
    path
    for path in refresh.notebooks()
    if path.parent.name != "2_realtime" and "vnd.plotly" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("older", OLDER)
def test_every_output_is_the_same_as_on(older):
    assert len(DRAWN) > 8
    here = {k: v for k, v in os.environ.items() if not k.startswith(("FORKED_", "PYTEST_"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "--no-header", "--tb=short"]
        + ["-k", "Cell", *DRAWN],  # as the notebooks have them, none that is changed
        cwd=refresh.ROOT,
        env=here | OLDER[older],
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def sorts(tree):
    """The calls that put rows in an order, with the words they are told."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            if call.func.attr in ("sort_values", "argsort"):
                yield call


def leaves_ties_alone(call):
    several = any(isinstance(a, ast.List) and len(a.elts) > 1 for a in call.args)  # always stable
    kinds = [k.value for k in call.keywords if k.arg == "kind"]
    return several or [k.value for k in kinds if isinstance(k, ast.Constant)] == ["stable"]


def sources():
    for path in refresh.notebooks():
        cells = [c.source for c in refresh.read(path).cells if c.cell_type == "code"]
        yield path, "\n".join(cells)
    for path in sorted((refresh.ROOT / "helpers").rglob("*.py")):
        yield path, path.read_text(encoding="utf-8")


def test_equal_rows_keep_their_places():
    """The ordinary sort of NumPy and pandas puts equal rows in an order that depends on the
    processor.
    """
    calls = [(path.name, call) for path, text in sources() for call in sorts(ast.parse(text))]
    assert len(calls) > 5
    assert not [(name, ast.unparse(c)) for name, c in calls if not leaves_ties_alone(c)]


@pytest.mark.parametrize(
    "given, shown",
    [
        ([0.1 + 0.2, 1 / 3, -0.0], [0.3, 0.333333, 0.0]),
        ([1.0, 5e-17], [1.0, 0.0]),  # what is left of two numbers that cancel
        ([1e-12, 2.5e-12], [1e-12, 2.5e-12]),
        ([1734326976.0, 12345678.9], [1734326976.0, 12345679.0]),
        ([float("nan"), float("inf"), None, "a", True, 7], [None, None, None, "a", True, 7]),
        ({"y": {"dtype": "f8", "bdata": "MzMzMzMz0z8AAAAAAAD4fw=="}}, {"y": [0.3, None]}),
        ({"z": {"dtype": "f4", "bdata": "AACAPwAAAEA=", "shape": "2, 1"}}, {"z": [[1.0], [2.0]]}),
        ({"x": {"dtype": "i1", "bdata": "AQI="}}, {"x": {"dtype": "i1", "bdata": "AQI="}}),
    ],
)
def test_a_figures_numbers_are_rounded_to_what_can_be_seen(given, shown):
    assert rounded(given) == shown
