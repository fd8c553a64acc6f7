"""Our bodies and streams against the key tables and laws of genuine exchanges, where those are at hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.local_api import answers, recordings
from tests.asking import CHAT, RESPONSES, ask, chat, value

SCORE = Path(__file__).resolve().parents[3] / "shared" / "wire" / "score"
pytestmark = pytest.mark.skipif(
    not SCORE.is_file(), reason="the tables of genuine exchanges (../shared/wire) are not here"
)

# Keys that no genuine exchange of the tables has, and why ours do.
EXTRA = {
    "model $.shutdown_date": "openai 3.54 types/model.py; the tables' samples are older",
    "list:model $.data[].shutdown_date": "the same in the list",
    "chat.completion.o@2024-11 $.choices[].message.tool_calls": "the samples of o-series models of that time have no call; ours has the keys of gpt-4's",
    "chat.completion.chunk.o@2024-11 $.choices[].delta.tool_calls": "the same in a stream",
}
# Keys that every genuine exchange of a table has, and why ours do not.
MISSING = {
    "chat.completion.chunk.gpt4@2024-11 $.obfuscation": "the table's samples are of August 2025 at the earliest, our answer of December 2024, before the key (a law of the scorer)",
}
# Values of another kind than in all samples of a table, and why.
WRONG = {
    "chat.completion.o@2024-11 $.choices[].message.content: null (genuine: string)": "the samples have neither call nor refusal; in gpt-4's of the time both have no content",
    "chat.completion.chunk.o@2024-11 $.choices[].delta.content: null (genuine: string)": "the same in a stream",
    "chat.completion.o@2024-11 $.choices[].message.refusal: string (genuine: null)": "the samples have no refusal",
    "chat.completion.chunk.o@2024-11 $.choices[].delta.refusal: string (genuine: null)": "the same in a stream",
}


def score(folder):
    run = subprocess.run(
        [sys.executable, SCORE, "--json", folder], capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """{name: report} of every shipped answer, whole, cut by a limit, and as a stream."""
    folder, api = tmp_path_factory.mktemp("bodies"), answers.Answers()
    api._refused = lambda path, body: (
        None
    )  # o1 did not stream, and so the shape of its stream is asked for here alone
    for r in recordings.Library().recordings:
        sent = {k: v for k, v in _filled(r).items()}
        name = r.name.replace("/", "_")
        (folder / f"{name}.json").write_bytes(ask(api, sent, r.path, retry=9).body)
        if r.choose:
            (folder / f"{name}-first.json").write_bytes(ask(api, sent, r.path).body)
        if r.path == CHAT:
            cut = ask(api, sent | {"max_completion_tokens": 70}, retry=9)
            (folder / f"{name}-cut.json").write_bytes(cut.body)
            for limit in ({}, {"max_completion_tokens": 70}):
                stream = ask(
                    api,
                    sent | limit | {"stream": True, "stream_options": {"include_usage": True}},
                    retry=9,
                )
                (folder / f"{name}{'-cut' * bool(limit)}.txt").write_bytes(
                    b"".join(event for _, event in stream.events)
                )
    get = lambda path: ask(api, b"", path, "GET").body
    (folder / "models.json").write_bytes(get("/v1/models"))
    (folder / "model.json").write_bytes(get("/v1/models/o1-2024-12-17"))
    (folder / "no-model.json").write_bytes(get("/v1/models/o9"))
    (folder / "missed.json").write_bytes(ask(api, chat("something else")).body)
    (folder / "unknown.json").write_bytes(ask(api, b"", "/v1/nothing", "GET").body)
    (folder / "malformed.json").write_bytes(ask(api, b"{").body)
    return {Path(r["file"]).stem + Path(r["file"]).suffix: r for r in score(folder)}


def _filled(r):
    text = json.dumps(r.sent)
    for name, slot in r.slots.items():
        text = text.replace("{{ " + name + " }}", str(slot["example"]))
    return json.loads(text)


def test_everything_was_scored(reports):
    of_responses = [
        r.name.replace("/", "_") + ".json"
        for r in recordings.Library().recordings
        if r.path == RESPONSES
    ]
    assert len(reports) > 60 and not any("skip" in r for r in reports.values())
    # the tables have no Responses bodies: those are held to the SDK's types in test_recordings
    assert sorted(name for name, r in reports.items() if r["unknown"]) == sorted(of_responses)


def test_no_key_is_missing_or_unexplained_and_no_type_is_wrong(reports):
    for name, r in reports.items():
        assert set(r["missing"]) <= set(MISSING), name
        assert set(r["extra"]) <= set(EXTRA), name
        assert set(r["wrong"]) <= set(WRONG), name


def test_no_law_is_broken(reports):
    for name, r in reports.items():
        assert not r["lawfail"], name
    checked = {law for r in reports.values() for law in r["laws"]}
    assert {
        "id-time:ok",
        "id-format:ok",
        "reasoning-mult-64:ok",
        "usage-sum:ok",
        "no-logprobs-key:ok",
        "logprobs-null-key:ok",
        "key-order:ok",
        "sse-done:ok",
        "sse-one-id:ok",
        "error-keys:ok",
    } <= checked


def test_reasons_are_still_needed(reports):
    for table, kind in ((EXTRA, "extra"), (MISSING, "missing"), (WRONG, "wrong")):
        for key in table:
            assert any(key in r[kind] for r in reports.values()), f"nothing has {key} any more"


def test_the_score_finds_what_is_wrong(tmp_path):
    body = value(ask(answers.Answers(), chat("Are you there?"), retry=1))
    del body["usage"]["total_tokens"]
    body["usage"]["completion_tokens_details"]["reasoning_tokens"] = 65
    body["made_up"] = 1
    (tmp_path / "bad.json").write_text(json.dumps(body))
    [r] = score(tmp_path)
    assert (
        r["missing"]
        and r["extra"]
        and any(law.startswith("reasoning-mult-64") for law in r["lawfail"])
    )
