"""What the tests share."""
import os
import shutil

import pytest

# @needs("node", "npm") on a test, or pytestmark = needs("chromium") in a file
needs = pytest.mark.needs
NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}


def pytest_runtest_setup(item):
    wanted = {program for mark in item.iter_markers("needs") for program in mark.args}
    lacking = sorted(p for p in wanted if not any(map(shutil.which, NAMES.get(p, (p,)))))
    if lacking:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"not on this machine: {', '.join(lacking)}")
