"""What the tests share."""

import os

import pytest

from helpers import connection
from helpers.sdks import clients

from . import lab

# @needs("node", "npm") on a test, or pytestmark = needs("chromium") in a file
needs = pytest.mark.needs


CLIENTS = needs(*(program for client in clients.CLIENTS.values() for program in client.programs))


def lacking(*names):
    """Skip the test, which needs what is not on this machine; in CI it fails."""
    say = pytest.fail if os.environ.get("CI") else pytest.skip
    say(f"not on this machine: {', '.join(names)}")


@pytest.fixture(scope="module")
def api():
    """The local API as a notebook has it: a process of its own."""
    server = connection.Server()
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture(scope="session")
def jupyter():
    """A JupyterLab, one for all browser tests of this process."""
    with lab.server() as server:
        yield server


def pytest_collection_modifyitems(items):
    for item in items:
        # the edits of that notebook ask curl and Python alone
        if "01_one_request_five_clients" in item.nodeid and "test_edits" not in item.nodeid:
            item.add_marker(CLIENTS)


def pytest_terminal_summary(terminalreporter):
    """What tests have counted for people to read: `record_property("told", ...)`."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, words in getattr(report, "user_properties", ()):
            if name == "told":
                terminalreporter.write_line(words)


def pytest_runtest_setup(item):
    wanted = {program for mark in item.iter_markers("needs") for program in mark.args}
    missing = sorted(p for p in wanted if not lab.program(p))
    if missing:
        lacking(*missing)
    if "mvn" in wanted:  # before a cell's time limit counts
        for language in clients.CLIENTS:
            clients.install(language)
