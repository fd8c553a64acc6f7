"""What the tests share."""
import os
import shutil

import pytest

# @needs("node", "npm") on a test, or pytestmark = needs("chromium") in a file
needs = pytest.mark.needs
NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}


# A notebook that runs other programs
CLIENTS = {"01_one_request_five_clients": ("curl", "jq", "node", "npm", "go", "java", "mvn")}


def pytest_collection_modifyitems(items):
    for item in items:
        for name, programs in CLIENTS.items():
            if name in item.nodeid:
                item.add_marker(needs(*programs))


def pytest_runtest_setup(item):
    wanted = {program for mark in item.iter_markers("needs") for program in mark.args}
    lacking = sorted(p for p in wanted if not any(map(shutil.which, NAMES.get(p, (p,)))))
    if lacking:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"not on this machine: {', '.join(lacking)}")
    if "mvn" in wanted:  # before a cell's time limit counts
        from helpers import clients

        for language in clients.CLIENTS:
            clients.install(language)
