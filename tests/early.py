"""Loaded before every other pytest plugin (`-p tests.early` in pyproject.toml), in each process of
a test run.
"""

import gc
import importlib.util
import os
import re
import sys
from pathlib import Path

# Where standard input is closed, the first file that is opened would take its place, and a child
# get another.
if sys.stdin is None:
    os.open(os.devnull, os.O_RDONLY)

# A run is the same on every machine: no key, no proxy, nothing of the reader's set-up, no waiting
# for effect.
for _name in list(os.environ):
    if _name.startswith(("DAY9_", "OPENAI_")) or _name.lower() in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "ws_proxy",
        "wss_proxy",
    ):
        del os.environ[_name]
os.environ["DAY9_PACE"] = "0"
os.environ["DAY9_MY_RECORDINGS"] = os.devnull  # a folder in which nothing is
os.environ["DAY9_MY_MODELS"] = os.devnull
os.environ["DAY9_MY_PROGRESS"] = os.devnull  # what tests solve, no reader has

os.environ.setdefault("HOME", str(Path.home()))  # Go and npm keep there what they have fetched

from tests import parts  # noqa: E402 (what it imports reads the environment)

os.environ.setdefault("TESTS_WITHOUT", parts.WITHOUT)

# No network: for this process by the import, for kernels and other children by PYTHONPATH.
from tests.no_network import sitecustomize  # noqa: E402, F401

os.environ["PYTHONPATH"] = str(Path(sitecustomize.__file__).parent)
# Nor any certificate: each client of the SDK would read all those of the system, for 40 ms.
os.environ["SSL_CERT_DIR"] = os.environ["PYTHONPATH"]

from tests import forked  # noqa: E402

forked.install()

import pytest  # noqa: E402

from helpers.common import left_out  # noqa: E402

TESTS = Path(__file__).parent
LACKS_VOICE = left_out.voice()
# What a system without the voice part has nothing to run for.
OF_VOICE = ("realtime", "local_api/realtime", "local_api/upstream/test_realtime.py")


def pytest_collection():
    gc.disable()  # what collecting makes is there to stay; to look through it is a fifth of the time


def pytest_runtestloop():
    gc.freeze()
    gc.enable()


def pytest_report_header():
    return LACKS_VOICE or None


def pytest_ignore_collect(collection_path):
    if LACKS_VOICE and collection_path in [TESTS / name for name in OF_VOICE]:
        return True
    return None


def pytest_collection_modifyitems(items):
    """Skips the notebooks that this system lacks packages for, with the words that their reader
    gets.
    """
    for item in items:
        cell = getattr(getattr(item, "cell", None), "source", "")
        imported = re.findall(r"^import (\w+)$", cell, re.M)
        why = [
            left_out.SENTENCES[name]
            for name in imported
            if name in left_out.SENTENCES and not importlib.util.find_spec(name)
        ]
        if "2_realtime" in item.nodeid and LACKS_VOICE:
            why.append(LACKS_VOICE)
        if why:
            item.add_marker(pytest.mark.skip(reason=why[0]))
