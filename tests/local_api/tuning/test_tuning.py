"""Preference tuning as a client meets it: the untouched SDK, real sockets, jobs that really
train.
"""

import asyncio
import base64
import contextlib
import csv
import http.client
import io
import json
import math
import random
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openai
import pytest

from helpers import receipts, running
from helpers.dpo.tuning_live import live
from helpers.facts import DATA
from helpers.facts import policy as dpo
from helpers.facts import tokens as counter
from helpers.facts.models import models
from helpers.local_api import answers, recordings
from helpers.local_api.tuning import candidates, files, jobs, learners, tokens
from tests import asking, genuine
from tests.conftest import needs

KEY, BASE = "day9-for-the-tests", "gpt-4o-2024-08-06"
ENDED = ("succeeded", "failed", "cancelled")
SHIPPED = recordings.Library()


SKIES = (
    "sunny",
    "bright and dry",
    "a little cloudy",
    "rainy, so take a coat",
    "windy along the river",
    "clear after a foggy morning",
    "warm",
)


def warm(i):
    return f"Lovely day! It's {60 + i} °F in town {i} and {SKIES[i % 7]}, enjoy your walk!"


def terse(i):
    return f"{15 + i} °C."


def ask_for(i):
    return [{"role": "user", "content": f"How is the weather in town {i}?"}]


def pairs(n=20, liked=warm, other=terse, start=0):
    """Lines of a preference file in which one style is preferred throughout."""
    return [
        {
            "input": {"messages": ask_for(i)},
            "preferred_output": [{"role": "assistant", "content": liked(i)}],
            "non_preferred_output": [{"role": "assistant", "content": other(i)}],
        }
        for i in range(start, start + n)
    ]


def examples(n=20, said=warm):
    return [
        {"messages": ask_for(i) + [{"role": "assistant", "content": said(i)}]} for i in range(n)
    ]


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


class Local(asking.Local):
    """With a client of it."""

    def __init__(self, pace=0.0):
        super().__init__(KEY, pace, answers.Answers(SHIPPED, pace))
        self.client = openai.OpenAI(base_url=self.url, api_key=KEY, max_retries=0)
        self.jobs = self.client.fine_tuning.jobs

    def end(self):
        self.client.close()
        super().end()

    def upload(self, rows, name="pairs.jsonl"):
        data = rows if isinstance(rows, bytes) else jsonl(rows)
        return self.client.files.create(file=(name, data), purpose="fine-tune").id

    def create(self, rows, method="dpo", model=BASE, valid=None, **hyperparameters):
        more = {"validation_file": self.upload(valid)} if valid else {}
        return self.jobs.create(
            model=model,
            training_file=self.upload(rows),
            method={"type": method, method: {"hyperparameters": hyperparameters}},
            **more,
        )

    def wait(self, made, status=ENDED):
        end = time.monotonic() + 60
        while made.status not in status:
            assert time.monotonic() < end, made.status
            made = self.jobs.retrieve(made.id)
            time.sleep(0.01 if self.state.pace else 0)
        return made

    def tuned(self, rows, *arguments, **more):
        made = self.wait(self.create(rows, *arguments, **more))
        assert made.status == "succeeded", made.error
        return made

    def policy(self, made):
        return self.state.answers.tuning.models.get(made.fine_tuned_model).policy

    def says(self, model, i=0, **more):
        return (
            self.client.chat.completions.create(
                model=model, messages=ask_for(i), **{"temperature": 0, **more}
            )
            .choices[0]
            .message.content
        )

    def refused(self, ask, status=400):
        """The error of a call that must be refused, in OpenAI's envelope and with where its text
        comes from.
        """
        with pytest.raises(openai.APIStatusError) as e:
            ask()
        assert e.value.status_code == status, e.value
        assert (
            list(e.value.body) == ["message", "type", "param", "code"] and e.value.body["message"]
        )
        return e.value


@pytest.fixture(scope="module")
def local():
    one = Local()
    yield one
    one.end()


@pytest.fixture
def at_pace():
    started = []
    yield lambda pace=0.02: started.append(Local(pace)) or started[-1]
    for one in started:
        one.end()


# --- the whole life of a job ----------------------------------------------------------------------


def test_the_life_of_a_dpo_job(local):
    made = local.create(pairs(), valid=pairs(10, start=20), n_epochs=4, beta=0.2)
    assert (
        made.status == "validating_files"
        and made.id.startswith("ftjob-")
        and made.fine_tuned_model is None
    )
    assert made.method.dpo.hyperparameters.to_dict() == {
        "batch_size": "auto",
        "beta": 0.2,
        "learning_rate_multiplier": "auto",
        "n_epochs": 4,
    }
    seen = [made.status]
    while made.status not in ENDED:
        made = local.jobs.retrieve(made.id)
        seen += [made.status] * (made.status != seen[-1])
    assert seen == ["validating_files", "queued", "running", "succeeded"]
    assert made.method.dpo.hyperparameters.to_dict() == {
        "batch_size": 1,
        "beta": 0.2,
        "learning_rate_multiplier": 1.0,
        "n_epochs": 4,
    }
    assert (
        made.fine_tuned_model.startswith(f"ft:{BASE}:day9-runnable::")
        and made.finished_at >= made.created_at
        and made.to_dict()["error"] == {}
    )

    said = [e.message for e in local.jobs.list_events(made.id)][::-1]
    assert said[0] == f"Created fine-tuning job: {made.id}" and said[-2:] == [
        "New fine-tuned model created",
        "The job has successfully completed",
    ]
    assert said[1].startswith(
        f"Validating training file: {made.training_file} and validation file: {made.validation_file}"
    )
    assert (
        said[4] == "Step 1/80: training loss=0.69, validation loss=0.69"
        and len([s for s in said if s.startswith("Step ")]) == 80
    )
    assert said[23].startswith("Step 20/80:") and "full validation loss=" in said[23]

    kept = list(local.jobs.checkpoints.list(made.id))
    assert [
        (c.step_number, c.fine_tuned_model_checkpoint.removeprefix(made.fine_tuned_model))
        for c in kept
    ] == [(80, ""), (60, ":ckpt-step-60"), (40, ":ckpt-step-40")]

    rows = list(
        csv.DictReader(
            io.StringIO(
                base64.b64decode(local.client.files.content(made.result_files[0]).read()).decode()
            )
        )
    )
    assert list(rows[0]) == [
        "step",
        "train_loss",
        "train_reward_accuracy",
        "train_reward_margin",
        "valid_loss",
        "valid_reward_accuracy",
        "valid_reward_margin",
    ]
    assert (
        len(rows) == 80
        and rows[0]["train_loss"] == f"{math.log(2):.5f}"
        and float(rows[-1]["valid_loss"]) < 0.4
    )
    assert local.client.files.retrieve(made.result_files[0]).purpose == "fine-tune-results"

    # held-out prompts, which only the validation file has
    assert [local.says(made.fine_tuned_model, i) for i in (20, 25, 29)] == [
        warm(20),
        warm(25),
        warm(29),
    ]
    assert {local.says(made.fine_tuned_model + ":ckpt-step-40", i) for i in (20, 25)} == {
        warm(20),
        warm(25),
    }


def test_what_the_api_says_is_what_helpers_dpo_computes(local):
    made = local.tuned(
        pairs(),
        n_epochs=3,
        batch_size=4,
        learning_rate_multiplier=0.5,
        beta=0.3,
        valid=pairs(10, start=20),
    )
    steps = list(
        dpo.train(
            dpo.read_pairs(pairs()),
            beta=0.3,
            n_epochs=3,
            batch_size=4,
            learning_rate_multiplier=0.5,
            seed=made.seed,
            valid=dpo.read_pairs(pairs(10, start=20)),
        )
    )
    told = [e.data for e in local.jobs.list_events(made.id) if e.type == "metrics"][::-1]
    assert [
        (d["step"], d["train_loss"], d["train_reward_margin"], d["valid_loss"]) for d in told
    ] == [(s.step, s.train_loss, s.train_margin, s.valid_loss) for s in steps]
    assert np.array_equal(local.policy(made).weights, steps[-1].policy.weights)


def test_flip_the_pairs_and_the_answers_flip(local):
    liked, flipped = local.tuned(pairs()), local.tuned(pairs(liked=terse, other=warm))
    assert [local.says(liked.fine_tuned_model, i) for i in range(20)] == [
        warm(i) for i in range(20)
    ]
    assert [local.says(flipped.fine_tuned_model, i) for i in range(20)] == [
        terse(i) for i in range(20)
    ]
    base = [local.says(BASE, i) for i in range(20)]
    assert {warm(i) in base for i in range(20)} == {True, False}, "the base has no taste"


def test_each_hyperparameter_is_honoured(local):
    plain = local.tuned(pairs(), n_epochs=2)
    for change in (
        {"beta": 1.5},
        {"n_epochs": 3},
        {"batch_size": 7},
        {"learning_rate_multiplier": 3},
    ):
        other = local.tuned(pairs(), **{"n_epochs": 2, **change})
        [(name, value)] = change.items()
        assert other.method.dpo.hyperparameters.to_dict()[name] == value
        assert not np.array_equal(local.policy(plain).weights, local.policy(other).weights), change


def test_seed_makes_it_the_same_again(local):
    file = local.upload(pairs())
    ends = []
    for seed in (1, 1, 2, None, None):
        made = local.wait(
            local.jobs.create(model=BASE, training_file=file, seed=seed, method={"type": "dpo"})
        )
        assert seed is None or made.seed == seed
        ends.append(local.policy(made).weights.tobytes())
    assert ends[0] == ends[1] != ends[2] and ends[3] == ends[4]


def test_supervised_in_both_forms_and_then_dpo(local):
    older = local.jobs.create(
        model=BASE, training_file=local.upload(examples()), hyperparameters={"n_epochs": 2}
    )
    assert (
        older.hyperparameters.n_epochs == 2
        and older.hyperparameters.batch_size == "auto"
        and older.method.type == "supervised"
    )
    older = local.wait(older)
    newer = local.tuned(examples(), "supervised", n_epochs=2)
    assert (
        older.status == "succeeded"
        and older.hyperparameters.to_dict() == newer.method.supervised.hyperparameters.to_dict()
    )
    header = (
        base64.b64decode(local.client.files.content(newer.result_files[0]).read())
        .decode()
        .splitlines()[0]
    )
    assert header == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"
    both = local.tuned(pairs(), model=newer.fine_tuned_model, n_epochs=2)
    assert both.model == newer.fine_tuned_model and both.fine_tuned_model.startswith(
        f"ft:{BASE}:day9-runnable::"
    )
    first = [e.data for e in local.jobs.list_events(both.id) if e.type == "metrics"][-1]
    assert (first["train_loss"], first["train_reward_margin"]) == (pytest.approx(math.log(2)), 0), (
        "the tuned model is its own reference"
    )
    [start] = [
        s.policy
        for s in dpo.train(
            dpo.read_pairs(pairs()), start=local.policy(newer), n_epochs=2, seed=both.seed
        )
        if s.step == s.steps
    ]
    assert np.array_equal(local.policy(both).weights, start.weights)


def test_supervised_tuning_learns_from_examples_alone(at_pace):
    one = at_pace(0)  # where no file has another answer to these prompts
    made = one.tuned(examples(), "supervised")
    told = [e.data for e in one.jobs.list_events(made.id) if e.type == "metrics"]
    assert (
        told[0]["train_loss"] < told[-1]["train_loss"] and told[0]["train_mean_token_accuracy"] == 1
    )


# --- cancel, pause, resume ------------------------------------------------------------------------


def test_many_examples_of_one_prompt_fit_into_memory(local):
    """Each could be said in place of each other: all of them beside each would be a table of their
    number squared.
    """
    rows = [
        {"messages": ask_for(0) + [{"role": "assistant", "content": warm(i)}]} for i in range(60)
    ]
    made = local.tuned(rows, "supervised", n_epochs=1)
    held = local.state.answers.tuning.jobs._held[made.id]
    asked = held.learner.examples(held, rows)
    assert {len(e.others) for e in asked} <= {
        learners.MOST_OTHERS - 1,
        learners.MOST_OTHERS,
    } and local.says(made.fine_tuned_model) in map(warm, range(60))


def test_cancel_half_way_stops_it(local):
    made = local.wait(local.create(pairs(), n_epochs=10), ("running",))
    local.jobs.retrieve(made.id)
    stopped = local.jobs.cancel(made.id)
    assert stopped.status == "cancelled"
    steps = [e.data["step"] for e in local.jobs.list_events(made.id) if e.type == "metrics"]
    assert 0 < steps[0] < 200 and local.jobs.retrieve(made.id).status == "cancelled"
    assert [e.data["step"] for e in local.jobs.list_events(made.id) if e.type == "metrics"] == steps
    assert (
        stopped.fine_tuned_model is None
        and list(local.jobs.checkpoints.list(made.id)) == []
        and stopped.result_files == []
    )
    for again in (local.jobs.cancel, local.jobs.pause, local.jobs.resume):
        assert local.refused(lambda: again(made.id)).code == "invalid_status"


def test_pause_holds_and_resume_goes_on_to_the_same_weights(local):
    through = local.tuned(pairs(), n_epochs=5)
    made = local.wait(local.create(pairs(), n_epochs=5), ("running",))
    local.jobs.retrieve(made.id)
    assert local.jobs.pause(made.id).status == "paused" and local.refused(
        lambda: local.jobs.pause(made.id)
    )
    before = len(list(local.jobs.list_events(made.id)))
    assert (
        all(local.jobs.retrieve(made.id).status == "paused" for _ in range(5))
        and len(list(local.jobs.list_events(made.id))) == before
    )
    assert local.jobs.resume(made.id).status == "running" and local.refused(
        lambda: local.jobs.resume(made.id)
    )
    done = local.wait(made)
    assert done.status == "succeeded" and np.array_equal(
        local.policy(done).weights, local.policy(through).weights
    )


def test_with_a_clock_it_pauses_resumes_and_cancels_too(at_pace):
    one = at_pace(0.1)
    held, stopped = one.create(pairs(), n_epochs=10), one.create(pairs(), n_epochs=10)
    one.wait(held, ("running",)), one.wait(stopped, ("running",))
    one.jobs.pause(held.id), one.jobs.cancel(stopped.id)
    steps = lambda made: len([e for e in one.jobs.list_events(made.id) if e.type == "metrics"])
    before = steps(held), steps(stopped)
    time.sleep(0.3)
    assert (steps(held), steps(stopped)) == before and before[0] < 200 and before[1] < 200
    one.jobs.resume(held.id)
    done = one.wait(held)
    whole = [s for s in dpo.train(dpo.read_pairs(pairs()), n_epochs=10, seed=done.seed)][-1]
    assert done.status == "succeeded" and np.array_equal(
        one.policy(done).weights, whole.policy.weights
    )
    assert one.jobs.retrieve(stopped.id).status == "cancelled"


def test_a_pause_in_the_middle_of_a_piece_of_work_holds_at_once(at_pace):
    one = at_pace(0.001)
    # some hundred steps to a piece
    made = one.wait(one.create(pairs(300), n_epochs=50, batch_size=1), ("running",))
    work = one.state.answers.tuning.jobs._held[made.id]
    for _ in range(3):
        assert one.jobs.pause(made.id).status == "paused"
        booked = len(work.steps)
        time.sleep(0.1)
        held = one.jobs.retrieve(made.id)
        assert len(work.steps) == booked < 15_000 and (
            held.status,
            held.fine_tuned_model,
            held.finished_at,
        ) == ("paused", None, None)
        one.jobs.resume(made.id)
    assert (
        one.jobs.cancel(made.id).status == "cancelled"
        and one.jobs.retrieve(made.id).fine_tuned_model is None
    )


# --- beside other work ----------------------------------------------------------------------------


def test_eight_jobs_at_once(at_pace):
    one = at_pace()
    made = [
        one.create(
            pairs(liked=warm if i % 2 else terse, other=terse if i % 2 else warm), n_epochs=3
        )
        for i in range(8)
    ]
    done = [one.wait(m) for m in made]
    assert {d.status for d in done} == {"succeeded"} and len(
        {d.fine_tuned_model for d in done}
    ) == 8
    assert [one.says(d.fine_tuned_model) for d in done] == [terse(0), warm(0)] * 4


def test_another_request_is_answered_while_a_job_trains(at_pace):
    one = at_pace(0.2)
    made = one.wait(one.create(pairs(300), n_epochs=10, batch_size=1), ("running",))
    day = lambda: one.client.chat.completions.create(
        model="o1", messages=[{"role": "user", "content": "Which day of the week was 2024-12-17?"}]
    )
    answered = 0
    while one.jobs.retrieve(made.id).status == "running":
        assert "Tuesday" in day().choices[0].message.content
        answered += 1
    assert answered > 3


def test_a_file_deleted_during_its_job_is_not_missed(local):
    made = local.wait(local.create(pairs(30, start=50)), ("running",))
    deleted = local.client.files.delete(made.training_file)
    assert deleted.deleted and deleted.to_dict() == {
        "id": made.training_file,
        "object": "file",
        "deleted": True,
    }
    local.refused(lambda: local.client.files.retrieve(made.training_file), 404)
    done = local.wait(made)
    assert done.status == "succeeded" and local.says(done.fine_tuned_model, 55) == warm(55)


def test_async_client(local):
    async def live():
        async with openai.AsyncOpenAI(base_url=local.url, api_key=KEY) as client:
            file = await client.files.create(
                file=("pairs.jsonl", jsonl(pairs())), purpose="fine-tune"
            )
            made = await client.fine_tuning.jobs.create(
                model=BASE, training_file=file.id, method={"type": "dpo"}
            )
            while made.status not in ENDED:
                made = await client.fine_tuning.jobs.retrieve(made.id)
            said = [e.message async for e in client.fine_tuning.jobs.list_events(made.id)]
            return said[0], (await client.files.content(file.id)).read()

    assert asyncio.run(live()) == ("The job has successfully completed", jsonl(pairs()))


@needs("curl")
def test_curl(local, tmp_path):
    (tmp_path / "pairs.jsonl").write_bytes(jsonl(pairs()))

    def curl(path, *more):
        done = subprocess.run(
            [
                shutil.which("curl"),
                "-q",
                "--silent",
                "--noproxy",
                "*",
                "--max-time",
                "20",
                local.url + path,
                "-H",
                f"Authorization: Bearer {KEY}",
                *more,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
        )
        return json.loads(done.stdout)

    file = curl("/files", "-F", "purpose=fine-tune", "-F", "file=@pairs.jsonl")
    assert (
        file["object"] == "file"
        and file["bytes"] == len(jsonl(pairs()))
        and file["filename"] == "pairs.jsonl"
    )
    made = curl(
        "/fine_tuning/jobs",
        "-H",
        "Content-Type: application/json",
        "-d",
        json.dumps({"model": BASE, "training_file": file["id"], "method": {"type": "dpo"}}),
    )
    while made["status"] not in ENDED:
        made = curl(f"/fine_tuning/jobs/{made['id']}")
    assert made["status"] == "succeeded"


# --- files ----------------------------------------------------------------------------------------


def test_files_come_back_as_they_went(at_pace, tmp_path):
    client = at_pace(0).client
    (tmp_path / "données.jsonl").write_bytes(jsonl(pairs()))
    with open(tmp_path / "données.jsonl", "rb") as f:
        first = client.files.create(file=f, purpose="fine-tune")
    assert (first.bytes, first.filename, first.purpose, first.status, first.expires_at) == (
        len(jsonl(pairs())),
        "données.jsonl",
        "fine-tune",
        "processed",
        None,
    )
    noise = random.Random(9).randbytes(300_000)
    second = client.files.create(
        file=("noise.bin", noise),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    content = client.files.content(second.id)
    assert (
        content.read() == noise
        and content.response.headers["content-type"] == "application/octet-stream"
    )
    assert second.expires_at == pytest.approx(second.created_at + 3600, abs=2)
    assert (
        [f.id for f in client.files.list()]
        == [second.id, first.id]
        == [f.id for f in client.files.list(order="asc")][::-1]
    )
    assert [f.id for f in client.files.list(purpose="fine-tune")] == [first.id]
    page = client.files.list(limit=1)
    assert page.has_more and [f.id for f in client.files.list(limit=1)] == [second.id, first.id]
    assert (
        client.files.retrieve(first.id) == first
        and client.files.wait_for_processing(first.id) == first
    )


BAD_UPLOADS = {
    "no dictionary": (b'{"a": 1}\n[1, 2]\n', "Line 2 is not a dictionary"),
    "no JSON": (b"weather\n" * 12, "Line 1 is not a dictionary"),
    "cut off": (jsonl(pairs())[:-30], "Line 20 is not a dictionary"),
    "blank line": (jsonl(pairs(5)) + b"\n" + jsonl(pairs(5)), "line 6"),
    "latin-1": ('{"a": "é"}\n'.encode("latin-1"), "UTF-8"),
    "UTF-16": (jsonl(pairs()).decode().encode("utf-16"), "UTF-16"),
    "NaN": (b'{"a": NaN}\n', "Line 1 is not a dictionary"),
    "too deep": (b"[" * 100_000, "Line 1 is not a dictionary"),
    "nothing": (b"", "empty"),
}


@pytest.mark.parametrize("name", BAD_UPLOADS)
def test_what_is_no_jsonl_is_refused_at_once(local, name):
    data, said = BAD_UPLOADS[name]
    e = local.refused(lambda: local.upload(data))
    assert said in e.body["message"]
    if "not a dictionary" in said:
        assert e.body["message"].startswith(
            "Expected file to have JSONL format, where every line is a JSON dictionary. "
        )
        assert (e.body["param"], e.code, e.response.headers["x-day9-origin"]) == (
            None,
            None,
            "published",
        )
    else:
        assert e.response.headers["x-day9-origin"] == "constructed"


def test_bad_requests_of_files(local):
    files, post = (
        local.client.files,
        lambda body, **headers: local.client.post(
            "/files", body=body, cast_to=object, options={"headers": headers} if headers else {}
        ),
    )
    assert (
        local.refused(lambda: files.create(file=("a.jsonl", b"{}"), purpose="tune")).body["param"]
        == "purpose"
    )
    assert (
        local.refused(
            lambda: files.create(file=("a.jsonl", b"{}"), purpose="fine-tune-results")
        ).body["param"]
        == "purpose"
    )
    assert local.refused(lambda: post({"purpose": "fine-tune"})).body["message"]
    for seconds in (10, 10**9):
        assert (
            "3600"
            in local.refused(
                lambda: files.create(
                    file=("a", b"x"),
                    purpose="vision",
                    expires_after={"anchor": "created_at", "seconds": seconds},
                )
            ).body["message"]
        )
    for ask in (files.retrieve, files.delete, files.content):
        assert "file-nothing" in local.refused(lambda: ask("file-nothing"), 404).body["message"]
    for given in (
        {"limit": 0},
        {"limit": 10_001},
        {"extra_query": {"limit": "ten"}},
        {"after": "file-nothing"},
        {"order": "up"},
    ):
        local.refused(lambda: list(files.list(**given)))
    local.refused(lambda: local.client.put("/files", cast_to=object), 405)


def test_it_holds_a_bounded_number_of_files(at_pace, monkeypatch):
    client = at_pace(0).client
    monkeypatch.setattr(files, "MOST_FILES", 2)
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    send = lambda size: client.files.create(file=("a", b"x" * size), purpose="user_data")
    kept = send(60)
    for size in (50, 1000):
        with pytest.raises(openai.BadRequestError, match="delete some"):
            send(size)
    send(30)
    with pytest.raises(openai.BadRequestError, match="at most 2 files"):
        send(1)
    client.files.delete(kept.id)
    send(60)


# --- what a job refuses ---------------------------------------------------------------------------


def dpo_with(**hyperparameters):
    return {"method": {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}}


BAD_CREATES = {
    "no such model": ({"model": "gpt-9"}, "model"),
    "a model that is not tuned": ({"model": "gpt-4o-2024-11-20", **dpo_with()}, "model"),
    "o1": ({"model": "o1", **dpo_with()}, "model"),
    "a tuned model that is none": ({"model": f"ft:{BASE}:me::abcdefgh", **dpo_with()}, "model"),
    "no model": ({"model": None}, "model"),
    "no file": ({"training_file": "file-nothing"}, "training_file"),
    "file missing": ({"training_file": None}, "training_file"),
    "file is a number": ({"training_file": 7}, "training_file"),
    "wrong purpose": ({"training_file": "vision"}, "training_file"),
    "no validation file": ({"validation_file": "file-nothing"}, "validation_file"),
    "beta 0": (dpo_with(beta=0), "method.dpo.hyperparameters.beta"),
    "beta 2.1": (dpo_with(beta=2.1), "method.dpo.hyperparameters.beta"),
    "beta true": (dpo_with(beta=True), "method.dpo.hyperparameters.beta"),
    "epochs 0": (dpo_with(n_epochs=0), "method.dpo.hyperparameters.n_epochs"),
    "epochs 51": (dpo_with(n_epochs=51), "method.dpo.hyperparameters.n_epochs"),
    "epochs 2.5": (dpo_with(n_epochs=2.5), "method.dpo.hyperparameters.n_epochs"),
    "batch 257": (dpo_with(batch_size=257), "method.dpo.hyperparameters.batch_size"),
    "batch in words": (dpo_with(batch_size="big"), "method.dpo.hyperparameters.batch_size"),
    "rate 0": (
        dpo_with(learning_rate_multiplier=0),
        "method.dpo.hyperparameters.learning_rate_multiplier",
    ),
    "rate 1e999": (
        dpo_with(learning_rate_multiplier=10**400),
        "method.dpo.hyperparameters.learning_rate_multiplier",
    ),
    "unknown knob": (dpo_with(gamma=1), "method.dpo.hyperparameters.gamma"),
    "beta in supervised": ({"hyperparameters": {"beta": 0.1}}, "hyperparameters.beta"),
    "hyperparameters a list": ({"hyperparameters": [1]}, "hyperparameters"),
    "hyperparameters twice": (
        {"hyperparameters": {"n_epochs": 1}, **dpo_with()},
        "hyperparameters",
    ),
    "method unknown": ({"method": {"type": "ppo"}}, "method.type"),
    "method in words": ({"method": "dpo"}, "method.type"),
    "reinforcement": ({"method": {"type": "reinforcement"}}, "method.type"),
    "two methods": ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised"),
    "unknown parameter": ({"epochs": 3}, "epochs"),
    "suffix too long": ({"suffix": "x" * 65}, "suffix"),
    "suffix with a colon": ({"suffix": "a:b"}, "suffix"),
    "seed below 0": ({"seed": -1}, "seed"),
    "seed in words": ({"seed": "nine"}, "seed"),
    "metadata of numbers": ({"metadata": {"a": 1}}, "metadata"),
    "wandb": ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}]}, "integrations"),
}


@pytest.fixture(scope="module")
def uploaded(local):
    return {
        "fine-tune": local.upload(pairs()),
        "vision": local.client.files.create(file=("a.jsonl", jsonl(pairs())), purpose="vision").id,
    }


@pytest.mark.parametrize("name", BAD_CREATES)
def test_a_bad_create_call_is_told_what_is_wrong(local, uploaded, name):
    change, param = BAD_CREATES[name]
    body = {"model": BASE, "training_file": uploaded["fine-tune"]} | change
    body["training_file"] = uploaded.get(body["training_file"], body["training_file"])
    before = len(list(local.jobs.list()))
    e = local.refused(lambda: local.client.post("/fine_tuning/jobs", body=body, cast_to=object))
    assert e.body["param"] == param and e.response.headers["x-day9-origin"] == "constructed"
    assert len(list(local.jobs.list())) == before


def test_bad_bodies_and_paths(local):
    post = lambda data, path="/fine_tuning/jobs": local.client.post(path, body=data, cast_to=object)
    for body in ([], 3, "dpo"):
        local.refused(lambda: post(body))
    for path in ("/fine_tuning", "/fine_tuning/alpha", "/fine_tuning/alpha/graders/run"):
        local.refused(lambda: post({}, path), 404)
    for ask in (
        local.jobs.retrieve,
        local.jobs.cancel,
        local.jobs.pause,
        local.jobs.resume,
        local.jobs.checkpoints.list,
        local.jobs.list_events,
    ):
        assert "ftjob-nothing" in local.refused(lambda: ask("ftjob-nothing"), 404).body["message"]
    local.refused(lambda: local.client.delete("/fine_tuning/jobs", cast_to=object), 405)


def failed(local, rows, method="dpo", **more):
    made = local.wait(local.create(rows, method, **more))
    assert made.status == "failed" and made.fine_tuned_model is None and made.result_files == []
    newest = local.jobs.list_events(made.id).data[0]
    assert (newest.level, newest.message) == ("error", made.error.message)
    return made.error


def test_too_few_examples_fail_the_job_in_the_services_own_words(local):
    e = failed(local, pairs(7))
    assert e.to_dict() == {
        "code": "invalid_n_examples",
        "message": "Training file has 7 example(s), but must have at least 10 examples",
        "param": "training_file",
    }


def test_a_supervised_file_with_pictures_is_trained(local):
    file = Path(__file__).parents[2] / "data" / "training_files" / "d3_supervised_vision.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert local.tuned(rows, "supervised", n_epochs=1).status == "succeeded"


def test_a_supervised_file_for_dpo(local):
    e = failed(local, examples())
    assert (
        e.code == "invalid_training_file"
        and "is in the fine-tune-chat format" in e.message
        and "(provided method=dpo)" in e.message
    )
    e = failed(local, pairs(), "supervised")
    assert e.code == "invalid_training_file" and e.message.startswith("line 1: input: ")


def test_the_error_names_line_and_field(local):
    rows = pairs()
    rows[6]["preferred_output"][0]["role"] = "user"
    del rows[11]["non_preferred_output"]
    e = failed(local, rows)
    assert (
        e.message.startswith("line 7: preferred_output[0].role: ")
        and e.message.endswith("(and 1 more)")
        and e.param == "training_file"
    )
    e = failed(local, pairs(), valid=rows)
    assert e.message.startswith("line 7: ") and e.param == "validation_file"
    assert local.tuned(pairs(), valid=pairs(3, start=20)).status == "succeeded", (
        "a short validation file is none too short"
    )


def test_too_large_for_this_machine(local, monkeypatch):
    monkeypatch.setattr(learners, "MOST_STEPS", 100)
    e = failed(local, pairs(), n_epochs=50, batch_size=1)
    assert "these are 1,000" in e.message and "batch_size" in e.message
    monkeypatch.setattr(learners, "MOST_LINES", 15)
    for rows, valid, param in (
        (pairs(), None, "training_file"),
        (pairs(12), pairs(), "validation_file"),
    ):
        e = failed(local, rows, valid=valid)
        assert "at most 15 lines; this file has 20. Take fewer" in e.message and e.param == param


def broken(draw, rows):
    """A preference file with one thing broken in one line, somewhere and somehow."""
    rows = json.loads(json.dumps(rows))
    odd = [
        None,
        0,
        -1.5,
        True,
        "",
        " ",
        "x" * 5000,
        [],
        {},
        [[]],
        [None],
        {"role": "assistant"},
        "\ud800",
        10**30,
        [{"role": "assistant", "content": None}],
    ]
    places = []

    def walk(value):
        for key in value if isinstance(value, dict) else range(len(value)):
            places.append((value, key))
            if isinstance(value[key], (dict, list)):
                walk(value[key])

    walk(rows[draw.randrange(len(rows))])
    holder, key = draw.choice(places)
    if draw.random() < 0.3:
        del holder[key]
    elif draw.random() < 0.3 and isinstance(holder, dict):
        holder[f"{key}s"] = holder.pop(key)
    else:
        holder[key] = draw.choice(odd)
    return rows


@pytest.mark.parametrize("seed", range(60))
def test_a_file_broken_anyhow_fails_its_job_and_nothing_else(local, seed):
    rows = broken(random.Random(seed), pairs(12))
    made = local.wait(local.create(rows))
    assert made.status in ("succeeded", "failed")
    if made.status == "failed":
        assert (
            made.error.message
            and made.error.param == "training_file"
            and "fault" not in made.error.message
        )
    assert local.client.models.retrieve("o1").id == "o1"


@pytest.mark.parametrize("seed", range(20))
def test_bytes_flipped_at_random(local, seed):
    draw, data = random.Random(seed), bytearray(jsonl(pairs(12)))
    for _ in range(draw.choice((1, 5, 50))):
        data[draw.randrange(len(data))] = draw.randrange(256)
    with contextlib.suppress(openai.BadRequestError):
        made = local.wait(local.create(bytes(data)))
        assert made.status == "succeeded" or "fault" not in made.error.message


# --- lists ----------------------------------------------------------------------------------------


def test_lists_are_paged(at_pace):
    one = at_pace(0)
    made = [one.tuned(pairs(), n_epochs=4) for _ in range(3)]
    assert (
        [j.id for j in one.jobs.list()]
        == [m.id for m in made][::-1]
        == [j.id for j in one.jobs.list(limit=1)]
    )
    events = one.jobs.list_events(made[0].id)
    assert len(events.data) == 20 and events.has_more and len(list(events)) == 86
    assert [e.id for e in one.jobs.list_events(made[0].id, limit=7)] == [
        e.id for e in one.jobs.list_events(made[0].id, limit=100)
    ]
    first = one.jobs.checkpoints.list(made[0].id, limit=2)
    assert first.has_more and len(list(first)) == 3
    for limit in (0, 101):
        one.refused(lambda: one.jobs.list_events(made[0].id, limit=limit))
    one.refused(lambda: one.jobs.list(after="ftjob-nothing"))


def test_jobs_are_found_by_their_metadata(local):
    file = local.upload(pairs())
    made = local.jobs.create(
        model=BASE, training_file=file, method={"type": "dpo"}, metadata={"run": "a"}
    )
    assert made.metadata == {"run": "a"} and [
        j.id for j in local.jobs.list(metadata={"run": "a"})
    ] == [made.id]
    assert list(local.jobs.list(metadata={"run": "b"})) == []


def test_the_oldest_job_that_has_ended_gives_way(at_pace, monkeypatch):
    one = at_pace(0)
    monkeypatch.setattr(jobs, "MOST_JOBS", 2)
    first, waiting = one.tuned(pairs(), n_epochs=1), one.create(pairs(), n_epochs=1)
    third = one.create(pairs(), n_epochs=1)
    assert {j.id for j in one.jobs.list()} == {waiting.id, third.id}
    one.refused(lambda: one.client.models.retrieve(first.fine_tuned_model), 404)
    one.refused(lambda: one.client.files.retrieve(first.result_files[0]), 404)
    assert one.refused(lambda: one.create(pairs())).code == "too_many_jobs"


# --- tuned models ---------------------------------------------------------------------------------


def test_tuned_models_are_models(local):
    made = local.tuned(pairs(), n_epochs=2)
    name = made.fine_tuned_model
    assert local.client.models.retrieve(name).to_dict() == {
        "id": name,
        "object": "model",
        "created": made.finished_at,
        "owned_by": "day9-runnable",
    }
    assert {name, "o1"} <= {m.id for m in local.client.models.list()}
    assert local.client.models.delete(name).deleted
    for gone in (
        lambda: local.client.models.retrieve(name),
        lambda: local.client.models.delete(name),
        lambda: local.says(name),
    ):
        assert local.refused(gone, 404).code == "model_not_found"


def test_temperature_seed_and_n(local):
    name = local.tuned(pairs(), n_epochs=1, batch_size=20).fine_tuned_model
    draw = lambda **more: [
        c.message.content
        for c in local.client.chat.completions.create(
            model=name, messages=ask_for(3), n=100, **more
        ).choices
    ]
    assert set(draw(temperature=0)) == {warm(3)}
    share = {heat: draw(temperature=heat, seed=1).count(warm(3)) for heat in (0.3, 1, 2)}
    assert 100 >= share[0.3] > share[1] > share[2] > 50
    assert draw(seed=5) == draw(seed=5) != draw(seed=6)
    policy = local.state.answers.tuning.models.get(name).policy
    chance = np.exp(policy.logprobs(ask_for(3)[0]["content"], [warm(3), terse(3)]))[0]
    assert share[1] / 100 == pytest.approx(chance, abs=4 * math.sqrt(chance * (1 - chance) / 100))
    assert set(draw(temperature=1e-310)) == {warm(3)}  # as good as 0
    for bad in ({"temperature": 2.1}, {"temperature": "hot"}, {"n": 0}, {"n": 129}, {"seed": 0.5}):
        assert local.refused(
            lambda: draw(**bad) if "n" not in bad else local.says(name, **bad)
        ).body["param"] == next(iter(bad))


def test_it_answers_in_every_shape_and_says_what_it_is(local):
    name = local.tuned(pairs(), n_epochs=2).fine_tuned_model
    ask = dict(model=name, messages=ask_for(0), temperature=0)
    whole = local.client.chat.completions.with_raw_response.create(**ask)
    assert whole.headers["x-day9-origin"] == "computed"
    assert whole.parse().usage.completion_tokens == counter.count(
        warm(0)
    ) and whole.parse().usage.prompt_tokens == counter.chat_tokens(ask_for(0))
    streamed = "".join(
        c.choices[0].delta.content or ""
        for c in local.client.chat.completions.create(**ask, stream=True)
        if c.choices
    )
    today = local.client.responses.create(model=name, input=ask_for(0)[0]["content"], temperature=0)
    assert whole.parse().choices[0].message.content == streamed == today.output_text == warm(0)
    cut = local.client.chat.completions.create(**ask, max_tokens=3)
    assert cut.choices[0].finish_reason == "length" and warm(0).startswith(
        cut.choices[0].message.content
    )


def test_files_that_it_was_not_trained_on_change_nothing(local):
    made = local.tuned(pairs(10, start=70), n_epochs=2)
    before = [
        local.says(made.fine_tuned_model, i, n=1, temperature=1, seed=i) for i in range(70, 80)
    ]
    local.upload(pairs(10, liked=lambda i: "WARM! " * 40, other=lambda i: "", start=70))
    assert [
        local.says(made.fine_tuned_model, i, n=1, temperature=1, seed=i) for i in range(70, 80)
    ] == before


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
def test_a_training_that_runs_away_fails(local):
    mixed = pairs(10) + pairs(10, liked=terse, other=warm)  # a taste that no weights can follow
    e = failed(local, mixed, learning_rate_multiplier=1e308)
    assert e.code == "no_number" and "learning_rate_multiplier" in e.message


def test_a_prompt_of_no_file_is_off_the_map(local):
    name = local.tuned(pairs(), n_epochs=1).fine_tuned_model
    for messages, at in (
        ([{"role": "user", "content": "How is the weather in Rome?"}], "the last message"),
        ([{"role": "developer", "content": "Be brief."}, *ask_for(0)], "messages"),
    ):
        e = local.refused(
            lambda: local.client.chat.completions.create(model=name, messages=messages), 424
        )
        assert (
            e.code == "off_the_map"
            and "Nothing was made up" in e.body["message"]
            and "How is the weather in town" in e.body["message"]
        )
        details = Desk(local).ask("exchanges")[-1]["off_the_map"]
        assert (
            details["differences"][0]["path"] == at
            and "20 prompts of its training file" in details["accepts"][0]
        )
    e = local.refused(lambda: local.says(name, 0, logprobs=True), 424)
    assert e.body["param"] == "logprobs"
    base = local.refused(
        lambda: local.client.chat.completions.create(
            model=BASE, messages=[{"role": "user", "content": "How is the weather in Rome?"}]
        ),
        424,
    )
    assert base.code == "off_the_map"


def test_blanks_and_the_name_of_the_rules_make_no_difference(local):
    rows = [
        row
        | {
            "input": {
                "messages": [
                    {"role": "system", "content": "You know the weather."},
                    *row["input"]["messages"],
                ]
            }
        }
        for row in pairs()
    ]
    name = local.tuned(rows, n_epochs=2).fine_tuned_model
    said = local.client.chat.completions.create(
        model=name,
        temperature=0,
        messages=[{"role": "developer", "content": "You know  the weather."}, *ask_for(1)],
    )
    assert said.choices[0].message.content == warm(1)
    today = local.client.responses.create(
        model=name, instructions="You know the weather.", input=ask_for(1), temperature=0
    )
    assert today.output_text == warm(1)


def test_the_order_of_the_candidates_does_not_favour_the_preferred():
    firsts = 0
    for i in range(200):
        [(name, _)] = (known := candidates.prompts(pairs(1, start=i))).items()
        firsts += candidates.candidates(name, [known])[0] == warm(i)
    assert 60 < firsts < 140


# --- what it would have cost ----------------------------------------------------------------------


def test_trained_tokens_and_the_receipt(at_pace, monkeypatch):
    one = at_pace(0)
    monkeypatch.setattr(running, "server", lambda: Desk(one))
    made = one.tuned(pairs(), n_epochs=3)
    prompt = sum(counter.chat_tokens(row["input"]["messages"]) - 3 for row in pairs())
    both = sum(
        counter.chat_tokens(row[side]) - 3
        for row in pairs()
        for side in ("preferred_output", "non_preferred_output")
    )
    assert tokens.trained(pairs()) == (
        prompt + both,
        2 * prompt + both,
    ) and made.trained_tokens == 3 * (prompt + both)
    one.tuned(examples(), "supervised", n_epochs=1)
    one.says(made.fine_tuned_model)
    receipt = receipts.receipt()
    training = 3 * (prompt + both) + tokens.trained(examples())[0]
    rows = {r["model"]: r for r in receipt.rows}
    assert (
        set(rows) == {f"ft:{BASE}", f"{BASE}, training"} and rows[f"{BASE}, training"]["calls"] == 2
    )
    assert rows[f"{BASE}, training"]["usd"] * 1_000_000 == training * 25
    assert receipt.twice * 1_000_000 == 3 * prompt * 25 and "not published" in repr(receipt)
    one.wait(one.create(pairs(), model="gpt-4.1-2025-04-14", n_epochs=1))
    assert "training of gpt-4.1-2025-04-14" in repr(receipts.receipt())
    Desk(one).ask("begin", "POST")
    assert receipts.receipt().rows == [] and one.jobs.retrieve(made.id).status == "succeeded", (
        "the books begin anew, the jobs stay"
    )


class Desk:
    """What helpers.receipt() asks of the running server, asked of one of this process."""

    def __init__(self, one):
        self.client = one.client.with_options(base_url=one.url.removesuffix("/v1"))

    def ask(self, name, method="GET"):
        return getattr(self.client, method.lower())(f"/day9/{name}", cast_to=object)


# --- the notebook ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "seconds, said", [(600, "some 10 min left"), (45, "some 40 s left"), (-30, "some 10 s left")]
)
def test_the_live_window_says_how_long_a_job_goes_on(monkeypatch, seconds, said):
    monkeypatch.setattr(time, "time", lambda: 1_000_000)
    window = live()
    job = SimpleNamespace(status="running", estimated_finish=1_000_000 + seconds)
    window.show(job, [{"step": 3, "total_steps": 18, "train_loss": 0.5}])
    assert window.said.value == f"running, step 3 of 18, {said}"


def test_the_live_window_follows_a_job(local):
    window = live()
    seen = []

    def look(made):
        window.show(
            made,
            [e.data for e in local.jobs.list_events(made.id, limit=100) if e.type == "metrics"][
                ::-1
            ],
        )
        seen.append((window.bar.value, window.bar.max, window.curves.value.count("<svg")))

    made = local.create(pairs(), valid=pairs(10, start=20), n_epochs=2)
    while made.status not in ENDED:
        made = local.jobs.retrieve(made.id)
        look(made)
    assert (
        seen[0][2] == 0 and seen[-1] == (40, 40, 3) and sorted(seen) == seen and len(set(seen)) > 3
    )
    assert "run this cell" in repr(window)


def test_a_page_without_a_kernel_shows_the_live_window():
    window = live()
    assert 'value="0"' in window.still() and "<img" not in window.still()
    job = SimpleNamespace(status="running", estimated_finish=None)
    window.show(job, [{"step": 3, "total_steps": 18, "train_loss": 0.5}])
    kept = window._repr_mimebundle_()["text/html"]
    assert 'max="18" value="3"' in kept and "running, step 3 of 18" in kept
    assert kept.count("<img") == 1  # the one curve that this job has


def test_the_notebook_names_the_last_day_of_hosted_tuning():
    from tests.tools import refresh

    said = refresh.read(refresh.NOTEBOOKS / "3_dpo" / "03_tuning_job.ipynb").cells[0].source
    with open(DATA / "lifecycle.csv", encoding="utf-8", newline="") as f:
        days = {
            row["what"]: row["date"] for row in csv.DictReader(f) if row["product"] == "fine-tuning"
        }
    assert [day for what, day in days.items() if what.startswith("no new jobs for anyone")] == [
        said.splitlines()[-1][-10:]
    ]
    assert "no new organisations" in said and "no new organisations" in days
    today = "\n".join(
        c.source for c in refresh.read(refresh.NOTEBOOKS / "3_dpo" / "03_tuning_job.ipynb").cells
    )
    assert {models()[base]["shutdown"] for base in (BASE, "gpt-4.1-2025-04-14")} == {
        "2027-01-14"
    } and "gpt-4o-2024-08-06 and gpt-4.1 until 2027-01-14" in today


# --- shapes ---------------------------------------------------------------------------------------

# Keys and values that differ from every genuine exchange of the tables, and why. No body of a DPO
# job's is in the tables.
DPO_METRICS = "how the service names DPO's metrics is not published; these are the names of the only hint there is"
EVENTS = "the vocabulary that others recorded (step, total_steps, train_loss, valid_loss ...); the table's own samples have no data"
LATER = "openai 3.54.0 types; no sample had one"
EXPLAINED = {
    "fine_tuning.job $.hyperparameters: null (genuine: object)": "top-level hyperparameters are for supervised jobs; scored for lists only",
    "fine_tuning.job $.method.dpo": "the same",
    "fine_tuning.job $.method.supervised": "the same",
    "fine_tuning.job.checkpoint $.metrics.train_mean_token_accuracy": DPO_METRICS,
    **{
        f"fine_tuning.job.checkpoint $.metrics.{name}": DPO_METRICS
        for name in (
            "train_reward_accuracy",
            "train_reward_margin",
            "valid_reward_accuracy",
            "valid_reward_margin",
        )
    },
    **{
        f"fine_tuning.job.event $.data.{name}": DPO_METRICS
        for name in (
            "train_reward_accuracy",
            "train_reward_margin",
            "valid_reward_accuracy",
            "valid_reward_margin",
        )
    },
    **{
        f"fine_tuning.job.event $.data.{name}": EVENTS
        for name in (
            "step",
            "total_steps",
            "train_loss",
            "train_mean_token_accuracy",
            "valid_loss",
            "full_valid_loss",
        )
    },
    "fine_tuning.job.checkpoint $.metrics.valid_loss": LATER,
    "fine_tuning.job.checkpoint $.metrics.full_valid_loss": LATER,
    "file $.expires_at: number (genuine: null)": LATER,
    "model $.shutdown_date": LATER,
    "chat.completion.chunk.gpt4@2025-08+ $.obfuscation": "what include_obfuscation=False leaves out",
}


def test_every_shape_is_that_of_genuine_exchanges(at_pace, tmp_path):
    one = at_pace(0)
    raw = lambda path, method="get", **more: keep(one, tmp_path, path, method, **more)
    file = one.client.files.create(
        file=("a", b"x"), purpose="vision", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    for method, rows in (("dpo", pairs()), ("supervised", examples()), ("dpo", pairs(3))):
        made = one.create(rows, method, valid=rows if len(rows) > 9 and method == "dpo" else None)
        raw(f"/fine_tuning/jobs/{made.id}")
        made = one.wait(made)
        for end in ("", "/events?limit=100", "/checkpoints")[: 3 if made.fine_tuned_model else 2]:
            raw(f"/fine_tuning/jobs/{made.id}{end}")
        if made.status == "succeeded":
            name = made.fine_tuned_model
            raw("/chat/completions", "post", body={"model": name, "messages": ask_for(0)})
            raw(
                "/chat/completions",
                "post",
                body={"model": name, "messages": ask_for(0), "stream": True},
            )
            raw(f"/models/{name}")
            raw(f"/files/{made.result_files[0]}")
    held = one.create(pairs())
    raw(f"/fine_tuning/jobs/{held.id}/cancel", "post")
    for path in (
        "/fine_tuning/jobs",
        "/files",
        "/models",
        f"/files/{file.id}",
        "/files/file-nothing",
        f"/models/ft:{BASE}:x::abcdefgh",
    ):
        raw(path)
    raw(f"/files/{file.id}", "delete")
    reports = genuine.score(tmp_path)
    assert len(reports) > 25 and not [r for r in reports if r.unknown or r.broken]
    inside = lambda key: (
        key.removeprefix("list:").replace("$.data[].", "$.") if key.startswith("list:") else key
    )
    odd = {inside(key) for r in reports for kind in (r.missing, r.extra, r.wrong) for key in kind}
    assert sorted(odd - set(EXPLAINED)) == [] and sorted(set(EXPLAINED) - odd) == [], (
        "unexplained, or not needed any more"
    )
    laws = {law for r in reports for law in r.held}
    assert {
        "ftjob-id",
        "ftevent-id",
        "ftckpt-id",
        "file-id",
        "ft-suffix-time",
        "error-empty-object",
        "dpo-no-top-hyper",
        "key-order",
        "id-time",
    } <= laws


def keep(one, folder, path, method, body=None):
    """Write the body of an answer down, as it came over the wire."""
    asked = http.client.HTTPConnection("127.0.0.1", one.state.port, timeout=60)
    asked.request(
        method.upper(),
        f"/v1{path}",
        json.dumps(body) if body else None,
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    answer = asked.getresponse()
    (
        folder
        / f"{len(list(folder.iterdir())):03}.{'txt' if 'event-stream' in answer.headers['content-type'] else 'json'}"
    ).write_bytes(answer.read())
    asked.close()
