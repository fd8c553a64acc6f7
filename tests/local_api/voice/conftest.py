"""A local API with ears and a mouth, where `start.py test --voice` has set them up; elsewhere these
tests are skipped with a sentence. `.ci/run` sets them up.
"""

import os

import pytest

from helpers import connection
from tests import systems
from tests.local_api.realtime.test_realtime import dialled


@pytest.fixture(scope="package")
def voiced():
    """Ears and a mouth, in the children of this process: tests/early.py keeps them from all
    others.
    """
    if not systems.installed("moonshine-voice", "hibari-tts"):
        pytest.skip("no ears and mouth here: python start.py test --voice sets them up")
    before, os.environ["TESTS_WITHOUT"] = os.environ["TESTS_WITHOUT"], ""
    yield
    os.environ["TESTS_WITHOUT"] = before


@pytest.fixture(scope="package")
def api(voiced):
    """The local API as a notebook has it: a process of its own, and one of its own for the
    models.
    """
    server = connection.Server()
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture
def wire(api):
    with opened(api) as wire:
        yield wire


def opened(server, model="gpt-realtime"):
    """A Wire to a session of a Server, whose beginning has been read."""
    wire = dialled(server.url, f"?model={model}", server.key)
    wire.until("session.created")
    return wire


def origin(server, response):
    """Where a response's words come from."""
    return server.ask(f"origin/{response['id']}")["origin"]
