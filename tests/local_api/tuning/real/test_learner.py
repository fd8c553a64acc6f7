"""What the real model's learner says of a job before and while it trains, without the model."""

import re
import time
from types import SimpleNamespace

import pytest

from helpers.local_api.tuning.real import learner, weights
from helpers.local_api.tuning.real.learner import MOST_MINUTES, MOST_TOGETHER, Learner
from tests.local_api.tuning.real.test_real import PAIRS, pair


@pytest.fixture
def told(monkeypatch, tmp_path):
    """(rows, held, epochs) -> (why it is too much, what was said where it is not)"""
    monkeypatch.setenv("DAY9_MY_MODELS", str(tmp_path))

    def told(rows, held=(), epochs=3):
        said = []
        job = SimpleNamespace(
            id="ftjob", hyperparameters={"n_epochs": epochs}, say=lambda *s: said.append(s)
        )
        return Learner(None).too_much(job, rows, list(held), 1), said

    return told


def long(words, lines=20):
    return [pair(n, "so " * words + "{}") for n in range(lines)]


def less(text, what=r"on ([\d,]+) of the lines"):
    return int(re.search(what, text)[1].replace(",", ""))


def test_a_file_that_fits_is_told_its_minutes(told):
    assert told(PAIRS) == ("", [("estimate", "SmolLM2-135M", 1, "")])


@pytest.mark.parametrize("epochs", [1, 3, 50])
def test_what_it_says_would_do_does(told, epochs):
    rows = long(300, 200)
    why, said = told(rows, epochs=epochs)
    assert not said and "200 lines" in why
    assert told(rows[: less(why)], epochs=epochs)[0] == ""


def test_fewer_epochs_are_offered_where_they_help(told):
    rows = long(300, 40)
    why, _ = told(rows, epochs=50)
    assert told(rows, epochs=less(why, r"in (\d+) epochs?\."))[0] == ""
    assert "epochs." not in told(long(300, 200))[0]  # nothing helps against the memory


def test_a_validation_file_counts(told):
    many = long(300, 200)
    why, said = told(PAIRS, many)
    assert not said and "200 of the validation file" in why
    assert told(PAIRS, many[: less(why, r"Take ([\d,]+) lines")])[0] == ""
    why, _ = told(many, many)  # too much, and without it, too
    fewer = less(why), less(why, r"and ([\d,]+) of the validation file's")
    assert told(many[: fewer[0]], many[: fewer[1]])[0] == ""


def test_no_share_of_the_lines_is_offered_that_no_job_would_take(told):
    why, _ = told(long(5 * MOST_TOGETHER // 10, 11))
    assert "Train on" not in why and "Shorten" in why
    assert f"at most {MOST_MINUTES} minutes" in why


def test_the_time_left_is_not_made_longer_by_a_pause(monkeypatch):
    now = [1_000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time=time.time)
    monkeypatch.setattr(learner, "time", clock)
    monkeypatch.setattr(weights, "file", lambda: "weights")

    class Child:
        steps = 0

        def __init__(self, kind):
            assert kind == "train"

        def ask(self, task=None):
            if task:
                return {}
            now[0] += 2
            self.steps += 1
            ends = self.steps == 100
            return {"step": self.steps, "steps": 100, "epoch": 1, "ends_epoch": ends, "adapter": "",
                    "train_loss": 0.5, "train_accuracy": 1.0, "train_margin": 0.1,
                    "valid_loss": None, "valid_accuracy": None, "valid_margin": None}  # fmt: skip

        def end(self):
            pass

    monkeypatch.setattr(learner, "Child", Child)
    job = SimpleNamespace(
        start=None, method="dpo", hyperparameters={"n_epochs": 1}, seed=1, check=lambda: None
    )
    training = Learner(None).train(job, [], [])
    next(training)
    now[0] += 3_600  # paused
    next(training)
    left = job.estimated_finish - time.time()
    assert left < 3_600, "98 steps of 2 seconds are left"
    training.close()
