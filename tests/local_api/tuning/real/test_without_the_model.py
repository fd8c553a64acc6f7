"""Where the language model is not set up, as in all other tests."""

import os

from helpers.local_api.tuning.real import BASE, kept
from tests.local_api.tuning.test_tuning import ask_for, local, pairs  # noqa: F401


def test_without_the_part_it_is_said_how_to_get_it(local):
    write = lambda: local.client.chat.completions.create(model=BASE, messages=ask_for(1))
    for ask in (write, lambda: local.create(pairs(), model=BASE)):
        refused = local.refused(ask)
        assert "start.py lab --model" in str(refused) and refused.param == "model"
    assert BASE not in {m.id for m in local.client.models.list()}


def test_a_folder_that_nobody_may_write_to_is_told(monkeypatch):
    monkeypatch.setenv("DAY9_MY_MODELS", os.devnull)
    assert kept.adapters() == []
    assert kept.get("ft:smollm2-135m:day9-runnable::../../x") is None
