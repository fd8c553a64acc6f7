"""Our bodies and streams against the key tables and laws of genuine exchanges (tests/genuine)."""

import json

import pytest

from helpers.local_api import answers, recordings
from tests import genuine
from tests.asking import CHAT, RESPONSES, ask, chat, value

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


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """{name: report} of every shipped answer, whole, cut by a limit, and as a stream."""
    folder, api = tmp_path_factory.mktemp("bodies"), answers.Answers()
    # o1 did not stream, and so the shape of its stream is asked for here alone
    api._refused = lambda path, body: None
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
    return {r.file.name: r for r in genuine.score(folder)}


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
    assert len(reports) > 60 and not any(r.unread for r in reports.values())
    # the tables have no Responses bodies: those are held to the SDK's types in test_recordings
    assert sorted(name for name, r in reports.items() if r.unknown) == sorted(of_responses)


def test_no_key_is_missing_or_unexplained_and_no_type_is_wrong(reports):
    for name, r in reports.items():
        assert set(r.missing) <= set(MISSING), name
        assert set(r.extra) <= set(EXTRA), name
        assert set(r.wrong) <= set(WRONG), name


def test_no_law_is_broken(reports):
    for name, r in reports.items():
        assert not r.broken, name
    checked = {law for r in reports.values() for law in r.held}
    assert {
        "id-time",
        "id-format",
        "reasoning-mult-64",
        "usage-sum",
        "no-logprobs-key",
        "logprobs-null-key",
        "key-order",
        "sse-done",
        "sse-one-id",
        "error-keys",
    } <= checked


def test_reasons_are_still_needed(reports):
    for table, kind in ((EXTRA, "extra"), (MISSING, "missing"), (WRONG, "wrong")):
        for key in table:
            found = any(key in getattr(r, kind) for r in reports.values())
            assert found, f"nothing has {key} any more"


def test_the_score_finds_what_is_wrong(tmp_path):
    body = value(ask(answers.Answers(), chat("Are you there?"), retry=1))
    del body["usage"]["total_tokens"]
    body["made_up"] = 1
    (tmp_path / "bad.json").write_text(json.dumps(body))
    (tmp_path / "cut.json").write_text('{"object": ')
    bad, cut = genuine.score(tmp_path)
    assert list(bad.missing) == ["chat.completion.o@2024-11 $.usage.total_tokens"]
    assert list(bad.extra) == ["chat.completion.o@2024-11 $.made_up"]
    assert [law.partition(":")[0] for law in bad.broken] == ["usage-sum"]
    assert cut.unread and not cut.docs


SECRET = {"value": "ek_" + "0" * 32, "expires_at": 1, "session": {"type": "realtime"}}
CREATED = {"type": "session.created", "event_id": "event_1", "session": {"type": "realtime"}}
ANSWER = {"status": 200, "body": "v=0\r\no=- 1 2 IN IP4 127.0.0.1", "headers": {"Location": "/x"}}
BREAKS = {
    "id-format": {"id": "chatcmpl-short"},
    "id-time": {"id": "chatcmpl-" + 29 * "0"},
    "no-logprobs-key": {"choices": [{"message": {}, "logprobs": None}]},
    "logprobs-null-key": {"model": "gpt-4o", "choices": [{"message": {}}]},
    "annotations-era": {"choices": [{"message": {"annotations": []}}]},
    "call-id": {"choices": [{"message": {"tool_calls": [{"id": "call_1"}]}}]},
    "no-obfuscation-before-2025-08": {"object": "chat.completion.chunk", "obfuscation": "x"},
    "reasoning-mult-64": {
        "usage": {"completion_tokens": 90, "completion_tokens_details": {"reasoning_tokens": 65}}
    },
    "reasoning-le-completion": {
        "usage": {"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 64}}
    },
    "cached-mult-128": {"usage": {"prompt_tokens_details": {"cached_tokens": 100}}},
    "usage-details-era": {"usage": {}},
    "service-tier-era": {"created": 1_740_000_000},
    "key-order": {"usage": {}, "choices": []},
}
OTHERS = {
    "error-keys": {"error": {"message": "No."}},
    "file-id": {"object": "file", "id": "file-1"},
    "ftevent-id": {"object": "fine_tuning.job.event", "id": "event-1"},
    "ftckpt-id": {"object": "fine_tuning.job.checkpoint", "id": "ckpt-1"},
    "ftjob-id": {"object": "fine_tuning.job", "id": "job-1"},
    "error-empty-object": {
        "object": "fine_tuning.job",
        "status": "queued",
        "created_at": 1_735_000_000,
        "error": None,
    },
    "ft-model-suffix": {"object": "fine_tuning.job", "fine_tuned_model": "ft:x", "finished_at": 1},
    "ft-suffix-time": {
        "object": "fine_tuning.job",
        "fine_tuned_model": "ft:gpt-4o:us::00000000",
        "finished_at": 1_735_000_000,
    },
    "dpo-no-top-hyper": {
        "object": "fine_tuning.job",
        "method": {"type": "dpo"},
        "hyperparameters": {"n_epochs": 1},
    },
    "ek-format": SECRET | {"value": "ek_1"},
    "ek-time": SECRET | {"session": {"type": "realtime", "id": "sess_" + 21 * "0"}},
    "rt-id": CREATED,
    "rt-call-id": CREATED | {"call_id": "call_1"},
    "session-ttl": CREATED
    | {"session": {"type": "realtime", "id": "sess_" + 21 * "0", "expires_at": 1_576_800_005}},
    "obfuscation-pad-16": {
        "type": "response.output_text.delta",
        "delta": "a",
        "obfuscation": "b",
    },
    "rt-usage-sum": {
        "type": "response.done",
        "response": {"usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 3}},
    },
    "sdp-o-line": {"request": {}, "response": ANSWER},
    "sdp-201": {"request": {}, "response": ANSWER},
    "sdp-final-newline": {"request": {}, "response": ANSWER},
    "calls-location": {"request": {}, "response": ANSWER},
    "sdp-time": {
        "request": {},
        "response": {
            "body": "o=- 1 2 IN IP4 0.0.0.0".join(("v=0\r\n", "\n")),
            "headers": {"Location": "/v1/realtime/calls/rtc_u0_" + 21 * "z"},
        },
    },
    "sse-done": {"request": {}, "response": {"body": "data: {}"}},
    "sse-one-id": {"request": {}, "response": {"body": 'data: {"id": "a"}\ndata: {"id": "b"}\n'}},
}
CHAT_BODY = {"object": "chat.completion", "created": 1_735_000_000, "model": "o1-2024-12-17"}


@pytest.mark.parametrize("law, body", {**BREAKS, **OTHERS}.items(), ids=[*BREAKS, *OTHERS])
def test_every_law_can_be_broken(law, body, tmp_path):
    (tmp_path / "body.json").write_text(json.dumps(CHAT_BODY | body if law in BREAKS else body))
    [r] = genuine.score(tmp_path)
    assert law in {broken.partition(":")[0] for broken in r.broken}


def test_the_order_of_events_can_be_wrong(tmp_path):
    of = lambda kind, **more: {"type": kind, "response_id": "resp_1", **more}
    events = [
        of("response.output_text.delta"),
        of("response.created"),
        {"type": "session.created", "session": {"type": "realtime"}},
        of("response.done", response={"id": "resp_1"}),
        of("response.output_text.done"),
    ]
    (tmp_path / "trace.jsonl").write_text("\n".join(map(json.dumps, events)))
    [r] = genuine.score(tmp_path)
    assert r.order == [
        "session.created is not first",
        "resp_1: first is response.output_text.delta",
        "resp_1: last is response.output_text.done",
    ]
