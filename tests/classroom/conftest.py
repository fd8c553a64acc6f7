"""Two learners of the class that a file holds: each file has its own `held`."""

import pytest


@pytest.fixture(scope="module")
def ana(held):
    return held.learner("Ana").open()


@pytest.fixture(scope="module")
def bo(held):
    return held.learner("Bo").open()
