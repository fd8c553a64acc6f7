"""Regularities that hold in all genuine exchanges where they could be checked. A law gives its
name, whether it holds, and why.

Ids carry a clock: the first five characters of the part behind the prefix are a number in base 62.
"""

import datetime
import re

from . import bodies

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CLOCK_BEGINS = 1_576_800_000
DAY_9_FILES = 1_732_300_000  # from then on the ids of files are shorter by two
SHORT = "[A-Za-z0-9]"
# The order of keys: 99 % of the bodies whose recorders did not sort them.
ORDER = {
    "chat.completion": (
        "id object created model choices usage service_tier system_fingerprint".split()
    ),
    "fine_tuning.job": (
        "object id model created_at finished_at fine_tuned_model organization_id result_files status validation_file "
        "training_file hyperparameters trained_tokens error user_provided_suffix seed estimated_finish integrations "
        "metadata usage_metrics shared_with_openai eval_id method"
    ).split(),
    "file": "object id purpose filename bytes created_at expires_at status status_details".split(),
}
LIFETIMES = (900, 1_800, 3_600)  # seconds that a Realtime session has had: 2024, 2025, since then


def clock(text):
    """The Unix time in the part of an id behind its prefix; None where its first characters are no
    digits of base 62.
    """
    if not set(text[:5]) <= set(DIGITS):
        return None
    value = 0
    for character in text[:5]:
        value = value * 62 + DIGITS.index(character)
    return value + CLOCK_BEGINS


def day(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")


def of(part):
    """Yields (law, holds, why) for each law that a bodies.Part can be held to."""
    kind, body = part.category or "", part.body
    if kind == bodies.SDP:
        yield from _call(body, part)
    elif kind == bodies.STREAM:
        yield from _stream(body)
    elif not isinstance(body, dict):
        return
    elif kind.startswith("chat.completion"):
        yield from _chat(kind, body)
    elif kind in ("fine_tuning.job", "fine_tuning.job@<2024-12"):
        yield from _order(kind, body)
        yield from _job(body)
    elif kind == "fine_tuning.job.event":
        yield _id("ftevent-id", rf"ftevent-{SHORT}{{24}}", body)
    elif kind == "fine_tuning.job.checkpoint":
        yield _id("ftckpt-id", rf"ftckpt_{SHORT}{{24}}", body)
    elif kind == "file":
        yield from _order(kind, body)
        length = 24 if (body.get("created_at") or 0) < DAY_9_FILES else 22
        yield _id("file-id", rf"file-{SHORT}{{{length}}}", body)
    elif kind == "error":
        keys = body["error"].keys()
        yield "error-keys", keys == {"message", "type", "param", "code"}, ", ".join(keys)
    elif kind.startswith("realtime.client_secret"):
        yield from _secret(body)
    elif kind.startswith("rt") and ".client." not in kind:
        yield from _event(kind, body)


def _id(law, pattern, body):
    return law, bool(re.fullmatch(pattern, body.get("id", ""))), str(body.get("id"))


def _order(kind, body):
    if kind in ORDER:
        given = [key for key in body if key in ORDER[kind]]
        usual = [key for key in ORDER[kind] if key in body]
        yield "key-order", given in (usual, sorted(given)), ", ".join(body)


# --- chat -----------------------------------------------------------------------------------------


def _chat(kind, body):
    id, created = body.get("id") or "", body.get("created")
    when = day(created) if created else None
    if id:
        fits = bool(re.fullmatch(rf"chatcmpl-{SHORT}{{29}}", id))
        yield "id-format", fits, id
        if fits and created:
            within = abs(clock(id.removeprefix("chatcmpl-")) - created) <= 3
            yield "id-time", within, f"{id} against created {created}"
    for choice in body.get("choices") or []:
        yield from _choice(kind, body, choice, when)
    if body.get("object") == "chat.completion.chunk" and when and when < "2025-08-04":
        yield "no-obfuscation-before-2025-08", "obfuscation" not in body, when
    if isinstance(body.get("usage"), dict):
        yield from _usage(body, body["usage"], when)
    if when and body.get("object") == "chat.completion":
        if when >= "2025-02-04":
            yield "service-tier-era", body.get("service_tier") is not None, when
        yield from _order("chat.completion", body)


def _choice(kind, body, choice, when):
    message = choice.get("message") or choice.get("delta") or {}
    if "message" in choice:
        if ".gpt4" not in kind:
            yield "no-logprobs-key", "logprobs" not in choice, "o-series and gpt-5 have none"
        elif (body.get("created") or 0) > 1_704_067_200 and not re.search(
            "audio|search", body.get("model") or ""
        ):
            yield "logprobs-null-key", "logprobs" in choice, "gpt-4's class has null"
        if when and when >= "2025-03-13":
            yield "annotations-era", "annotations" in message, when
        if when and when < "2025-03-10":
            yield "annotations-era", "annotations" not in message, when
    for call in message.get("tool_calls") or []:
        if call.get("id"):
            yield _id("call-id", rf"call_{SHORT}{{24}}", call)


def _usage(body, usage, when):
    total = usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
    yield "usage-sum", total == usage.get("total_tokens"), str(usage.get("total_tokens"))
    details = usage.get("completion_tokens_details") or {}
    hidden = details.get("reasoning_tokens")
    if hidden is not None:
        yield "reasoning-le-completion", hidden <= usage["completion_tokens"], str(hidden)
        if re.match(r"o\d", body.get("model") or ""):
            yield "reasoning-mult-64", hidden % 64 == 0, str(hidden)
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    if cached:
        yield "cached-mult-128", cached % 128 == 0, str(cached)
    if when and when >= "2024-11-07":
        there = "accepted_prediction_tokens" in details and "prompt_tokens_details" in usage
        yield "usage-details-era", there, when


def _stream(text):
    yield "sse-done", text.rstrip().endswith("data: [DONE]"), text[-40:]
    ids = {chunk.get("id") for chunk in bodies.chunks(text)} - {None, ""}
    yield "sse-one-id", len(ids) == 1, ", ".join(sorted(ids))


# --- tuning ---------------------------------------------------------------------------------------


def _job(body):
    if body.get("object") != "fine_tuning.job":
        return
    yield _id("ftjob-id", rf"ftjob-{SHORT}{{24}}", body)
    healthy = ("validating_files", "queued", "running", "cancelled", "succeeded")
    if body.get("status") in healthy and (body.get("created_at") or 0) > 1_728_000_000:
        yield "error-empty-object", body.get("error") == {}, repr(body.get("error"))
    for key in ("training_file", "validation_file"):
        if body.get(key):
            fits = re.fullmatch(rf"file-({SHORT}{{22}}|{SHORT}{{24}}|{SHORT}{{21}})", body[key])
            yield "file-id", bool(fits), body[key]
    model, finished = body.get("fine_tuned_model"), body.get("finished_at")
    if model and finished:
        suffix = re.match(rf"ft:[^:]+:[^:]*:[^:]*:({SHORT}{{8}})$", model)
        yield "ft-model-suffix", bool(suffix), model
        if suffix:
            yield "ft-suffix-time", abs(clock(suffix[1]) - finished) <= 600, f"{model} {finished}"
    if body.get("method", {}).get("type") == "dpo":
        yield "dpo-no-top-hyper", not body.get("hyperparameters"), str(body.get("hyperparameters"))


# --- Realtime -------------------------------------------------------------------------------------


def _event(kind, body):
    for id in _ids(body):
        if re.fullmatch(r"(event|sess|item|resp|conv)_\w+", id):
            yield "rt-id", _is_realtime_id(id), id
        if id.startswith("call_"):
            yield "rt-call-id", bool(re.fullmatch(rf"call_{SHORT}{{16}}", id)), id
    if "obfuscation" in body and isinstance(body.get("delta"), str):
        length = len(body["delta"]) + len(body["obfuscation"])
        yield "obfuscation-pad-16", length % 16 == 0, str(length)
    if body.get("type") == "session.created":
        id, ends = body["session"].get("id", "sess_"), body["session"].get("expires_at")
        if ends and len(id) == len("sess_") + 21:
            lasts = ends - clock(id.removeprefix("sess_"))
            yield "session-ttl", lasts in LIFETIMES or lasts - 1 in LIFETIMES, str(lasts)
    if kind.startswith("rt.") and body.get("type") == "response.done":
        usage = (body["response"] or {}).get("usage")
        if usage:
            total = usage["input_tokens"] + usage["output_tokens"]
            yield "rt-usage-sum", total == usage["total_tokens"], str(usage)


def _ids(value):
    """Every text in a body whose key is `id` or ends with `_id`."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if isinstance(inside, str) and (key == "id" or key.endswith("_id")):
                yield inside
            else:
                yield from _ids(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _ids(inside)


def _is_realtime_id(id):
    if re.fullmatch(r"(event|item|resp|conv)_[0-9a-f]{16}", id):
        return True
    if not re.fullmatch(rf"((event|item|resp|conv)_|sess_(u\d_)?){SHORT}{{21}}", id):
        return False
    return 1_727_740_800 < (clock(id.rpartition("_")[2]) or 0) < 1_900_000_000


def _secret(body):
    value, session = body["value"], body["session"].get("id", "sess_")
    made = re.fullmatch(r"ek_([0-9a-f]{8})[0-9a-f]{24}", value)
    yield "ek-format", bool(made) or value == "ek_scrubbed", value[:11]
    if made:
        known = len(session) == len("sess_") + 21
        same = known and abs(int(made[1], 16) - clock(session.removeprefix("sess_"))) <= 2
        yield "ek-time", same, f"{value[:11]} against {session}"


def _call(answer, part):
    """An SDP answer, with the status and the headers that it came with."""
    headers = {str(name).lower(): value for name, value in (part.headers or {}).items()}
    location = headers.get("location") or ""
    origin = re.search(r"o=- \d+ (\d+) IN IP4 0\.0\.0\.0", answer)
    yield "sdp-o-line", bool(origin), "o=- NUMBER TIME IN IP4 0.0.0.0"
    if location:
        usual = re.fullmatch(rf"/v1/realtime/calls/rtc_u\d_{SHORT}{{21,32}}", location)
        yield "calls-location", bool(usual), location
    if origin and re.search(r"rtc_u\d_", location):
        made = clock(location.split("_")[-1]) or 0
        yield "sdp-time", abs(int(origin[1]) - made) <= 3, f"{origin[0]} against {location}"
    yield "sdp-201", part.status in (201, None), str(part.status)
    yield "sdp-final-newline", answer.endswith("\n"), answer[-20:]


LAST = {"response.done", "output_audio_buffer.stopped", "output_audio_buffer.cleared"}


def order(events):
    """What is wrong with the order of a session's server events, as a list of sentences."""
    kinds = [event.get("type") for event in events]
    wrong = []
    if "session.created" in kinds[1:] and kinds[0] != "session.created":
        wrong.append("session.created is not first")
    responses = {}
    for event in events:
        id = (event.get("response") or {}).get("id") or event.get("response_id")
        if id:
            responses.setdefault(id, []).append(event["type"])
    for id, kinds in responses.items():
        if kinds[0] != "response.created":
            wrong.append(f"{id}: first is {kinds[0]}")
        if "response.done" in kinds and kinds[-1] not in LAST:
            wrong.append(f"{id}: last is {kinds[-1]}")
    return wrong
