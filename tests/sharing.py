"""How a run is shared between its workers (a pytest plugin, loaded by pyproject.toml).

The tests of a file stay together, as a notebook's cells share one kernel; but a file whose tests
share nothing is dealt out test by test, and the browser's by theme. What takes longest begins
first, so that no worker is left alone with it at the end. Conversations last as long as they last,
however fast the machine is: half of the workers begin with these, the others with what computes.
"""

import re

import pytest
from xdist.scheduler import LoadScopeScheduling

BROWSER = "tests/notebooks/test_browser.py"
APART = (
    "tests/notebooks/test_edits.py",
    "tests/notebooks/test_processors.py",
    "tests/sdks/test_clients.py",
    "tests/local_api/realtime/test_webrtc.py",
)
FIRST = (
    "notebooks/2_realtime/",
    "tests/sdks/test_clients.py",
    "tests/notebooks/test_processors.py",
    BROWSER,
    "tests/realtime/test_browser_webrtc.py",
    "tests/local_api/realtime/",
    "notebooks/5_sdks/",
    "tests/notebooks/test_edits.py",
    "tests/realtime/",
    "tests/o1/",
    "tests/dpo/",
    "tests/costs/",
)
# What mostly waits: sound in real time, and jobs that are looked at while they run.
WAITS = re.compile(
    r"""notebooks/2_realtime/
    | tests/(local_api/)?realtime/
    | tests/local_api/(voice|upstream)/
    | tests/notebooks/test_edits.py::.*\[(2_realtime/|3_dpo/03)
    | tests/notebooks/test_browser.py::2_realtime""",
    re.VERBOSE,
)


def together(nodeid):
    """The name of the tests that one worker runs one after the other."""
    file, _, test = nodeid.partition("::")
    if file in APART:
        return nodeid
    if file == BROWSER and (theme := re.search(r"\[(\w+)/", test)):
        return f"{file}::{theme[1]}"
    return file


def place(item):
    """Where a test comes in a run: those begun first by their place in the list, others by name."""
    first = [n for n, name in enumerate(FIRST) if item.nodeid.startswith(name)]
    return first[0] if first else len(FIRST)


def pytest_collection_modifyitems(items):
    items.sort(key=place)  # keeps the order of what has the same place


class Sharing(LoadScopeScheduling):
    def _split_scope(self, nodeid):
        return together(nodeid)

    def _assign_work_unit(self, node):
        waits = self.nodes.index(node) % 2 == 0
        wanted = (scope for scope in self.workqueue if bool(WAITS.match(scope)) == waits)
        if (scope := next(wanted, None)) is not None:
            self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Sharing(config, log)
