"""Write the constructed recordings from their compact sources: `python -m helpers.local_api.construct`.

A source, data/constructed/NAME.toml, says only what matters: the question, the answer, the slots, the
reasoning tokens (illustrative). Envelopes, ids, clocks and token counts are made here, all the same way,
so that they are consistent and a test can make them again. A source:

    folder = "o1/effort"             where the recordings go
    date = 2026-11-22                when we wrote them
    when = 2024-12-17T18:00:00Z      the time the answers show
    model = "o1"

    [[exchange]]
    name = "minutes"                 the file's name; `vary` adds its own
    about = "..."
    developer = "..."                optional
    user = "..."                     or `messages` (Chat) / `input` (Responses), as sent
    text = "..."                     the answer; or `calls` = [{name, arguments}], or `refusal`
    tools = ["tax_table"]            the tools sent, as [tools.NAME] of the source has them
    after = "tax"                    goes on from an exchange above it whose answer called tools:
    results = ["{{ tax }}"]          what the tools said, in the order of the calls
    sent = ["..."]                   the calls' arguments as sent back, where they are more than slots
    pictures = ["single-1.jpg"]      of data/forms, sent after `user`; their `detail`, where one is sent
    given = {form = ["single"]}      one recording for each value: {{ form }} in the texts above becomes it
    reasoning_tokens = 64
    request = {...}                  further parameters of the request
    slots = {...}                    also those of `after` and, where they are used, of the source's [slots]
    vary = [{name = "low", reasoning_tokens = 64, request = {reasoning_effort = "low"}}, ...]
    api = "responses"                optional; Chat Completions otherwise
"""

import datetime
import hashlib
import itertools
import json
import sys
import tomllib

from .. import forms
from . import canonical, catalogue, pictures, recordings, shaping, slots

SOURCES = canonical.DATA / "constructed"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
EPOCH = 1_576_800_000  # the zero of the clock in OpenAI's short ids


def short_id(prefix, seconds, name, length):
    """An id as genuine ones are built: five characters of clock; then `Day9`, which tells ours from theirs."""

    def base62(n, width):
        return "".join(BASE62[n // 62**i % 62] for i in reversed(range(width)))

    rest = length - 5 - 4
    made = int.from_bytes(hashlib.sha256(name.encode()).digest())
    return f"{prefix}{base62(seconds - EPOCH, 5)}Day9{base62(made, rest)}"


def chat_answer(spec, model, seconds, name):
    message = {"role": "assistant", "content": spec.get("text"), "refusal": spec.get("refusal")}
    if "calls" in spec:
        message["tool_calls"] = [
            {
                "id": f"call_Day9{hashlib.sha256(f'{name} {i}'.encode()).hexdigest()[:20]}",
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for i, call in enumerate(spec["calls"])
        ]
    choice = {"index": 0, "message": message}
    if not model.startswith("o"):
        choice["logprobs"] = None  # reasoning models have no such key
    choice["finish_reason"] = "tool_calls" if "calls" in spec else "stop"
    details = {
        "reasoning_tokens": spec.get("reasoning_tokens", 0),
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    }
    return {
        "id": short_id("chatcmpl-", seconds, name, 29),
        "object": "chat.completion",
        "created": seconds,
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": 0,
            "completion_tokens": 0,
            "total_tokens": 0,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": details,
        },
        "service_tier": "default",
        "system_fingerprint": "fp_" + hashlib.sha256(model.encode()).hexdigest()[:10],
    }


def response_answer(spec, model, seconds, name, body):
    item = lambda prefix: (
        prefix + "Day9" + hashlib.sha256(f"{prefix}{name}".encode()).hexdigest()[:44]
    )
    output = (
        [{"id": item("rs_"), "type": "reasoning", "summary": []}]
        if spec.get("reasoning_tokens")
        else []
    )
    for i, call in enumerate(spec.get("calls", [])):
        output.append(
            {
                "id": item(f"fc_{i}"),
                "type": "function_call",
                "status": "completed",
                "arguments": call["arguments"],
                "call_id": f"call_Day9{hashlib.sha256(f'{name} {i}'.encode()).hexdigest()[:20]}",
                "name": call["name"],
            }
        )
    said = (
        [{"type": "output_text", "annotations": [], "logprobs": [], "text": spec["text"]}]
        if "text" in spec
        else []
    )
    said += [{"type": "refusal", "refusal": spec["refusal"]}] if "refusal" in spec else []
    if said:
        output.append(
            {
                "id": item("msg_"),
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": said,
            }
        )
    return {
        "id": item("resp_"),
        "object": "response",
        "created_at": seconds,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "max_output_tokens": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": body.get("reasoning", {}).get("effort", "medium"), "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": body.get("text", {"format": {"type": "text"}}),
        "tool_choice": "auto",
        "tools": body.get("tools", []),
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 0,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": spec.get("reasoning_tokens", 0)},
            "total_tokens": 0,
        },
        "user": None,
        "metadata": {},
    }


def with_pictures(spec, path):
    """The user's words and pictures as parts; a picture stands in a recording by the hash of its content."""
    urls = [pictures.reference(forms.FOLDER / file) for file in spec["pictures"]]
    detail = {"detail": spec["detail"]} if "detail" in spec else {}
    if path == shaping.CHAT:
        return [{"type": "text", "text": spec["user"]}] + [
            {"type": "image_url", "image_url": {"url": url} | detail} for url in urls
        ]
    return [{"type": "input_text", "text": spec["user"]}] + [
        {"type": "input_image", "image_url": url} | detail for url in urls
    ]


def each(spec):
    """(ending of the name, spec) for each combination of the values in `given`, put into its texts."""
    given = spec.get("given", {})
    for values in itertools.product(*given.values()):
        filled = dict(zip(given, values))
        yield (
            "".join(f"-{v}" for v in values),
            spec
            | {
                k: slots.put_in(spec[k], filled)
                for k in ("about", "user", "text", "calls", "pictures", "after")
                if given and k in spec
            },
        )


def request_body(spec, model, path):
    """The body of a request as a reader would send it."""
    said = [{"role": role, "content": spec[role]} for role in ("developer", "user") if role in spec]
    if "pictures" in spec:
        said[-1]["content"] = with_pictures(spec, path)
        spec = {"input": said} | spec
    messages = (
        {"messages": spec.get("messages", said)}
        if path == shaping.CHAT
        else {"input": spec.get("input", spec.get("user"))}
    )
    return {"model": model} | messages | spec.get("request", {})


def tool_object(name, tool, path):
    """A tool as a request of this API sends it; `name` unless the tool says another."""
    function = {"name": name} | tool
    return (
        {"type": "function", "function": function}
        if path == shaping.CHAT
        else {"type": "function"} | function
    )


def follow_up(spec, before):
    """`spec` with the request that hands back what the tools said: the one before, its answer, the results."""
    body, answer = dict(before["request"]["body"]), before["responses"][-1]["body"]
    chat = before["request"]["path"] == shaping.CHAT
    said = body.pop("messages" if chat else "input")
    items = json.loads(json.dumps([answer["choices"][0]["message"]] if chat else answer["output"]))
    calls = (
        items[0]["tool_calls"]
        if chat
        else [item for item in items if item["type"] == "function_call"]
    )
    for call, arguments in zip(calls, spec.get("sent", [])):
        (call["function"] if chat else call)["arguments"] = arguments
    for call, result in zip(calls, spec["results"], strict=True):
        items.append(
            {"role": "tool", "tool_call_id": call["id"], "content": result}
            if chat
            else {"type": "function_call_output", "call_id": call["call_id"], "output": result}
        )
    said = [{"role": "user", "content": said}] if isinstance(said, str) else said
    return spec | {
        "model": body.pop("model"),
        "api": "chat" if chat else "responses",
        "messages" if chat else "input": said + items,
        "request": body | spec["request"],
        "slots": before.get("slots", {}) | spec.get("slots", {}),
    }


def recording(spec, source, name):
    """One recording, from an exchange with its variation already merged in."""
    model = spec.get("model", source["model"])
    path = shaping.RESPONSES if spec.get("api") == "responses" else shaping.CHAT
    body = request_body(spec, model, path)
    if "tools" in spec:
        body["tools"] = [tool_object(tool, source["tools"][tool], path) for tool in spec["tools"]]
    # a second of its own within the hour, the same at every build
    seconds = (
        int(spec.get("when", source["when"]).timestamp())
        + int(hashlib.sha256(name.encode()).hexdigest(), 16) % 3600
    )
    full = canonical.canonical_model(model)
    answer = (
        chat_answer(spec, full, seconds, name)
        if path == shaping.CHAT
        else response_answer(spec, full, seconds, name, body)
    )
    used = set(slots.MARK.findall(json.dumps(body)))
    declared = {k: slot for k, slot in source.get("slots", {}).items() if k in used} | spec.get(
        "slots", {}
    )
    if declared:
        shown = {k: slot["example"] for k, slot in declared.items()}
        filled = slots.render(answer, declared, shown)
        answer["usage"] = shaping.counted(path, slots.render(body, declared, shown), filled)[
            "usage"
        ]
    else:
        answer = shaping.counted(path, body, answer)
    origin = {
        "class": "constructed",
        "date": source["date"].isoformat(),
        "source": f"data/constructed/{source['file']}",
    }
    if "why" in spec:
        origin["why"] = spec["why"]
    made = {
        "about": spec["about"],
        "origin": origin,
        "request": {"method": "POST", "path": path, "body": body},
    }
    if declared:
        made["slots"] = declared
    responses = [
        {
            "status": e["status"],
            "body": {
                "error": {
                    "message": e["message"],
                    "type": e["type"],
                    "param": None,
                    "code": e.get("code"),
                }
            },
        }
        for e in spec.get("first", [])
    ]
    if responses:
        made["choose"] = "by retry"
    return made | {"responses": responses + [{"status": 200, "body": answer}]}


def build(sources=SOURCES):
    """{recording's name: its JSON text}, for all sources, in order. Raises ValueError naming what is wrong."""
    made = {}
    for file in sorted(sources.glob("*.toml")):
        try:
            source = tomllib.loads(file.read_text(encoding="utf-8")) | {"file": file.name}
        except tomllib.TOMLDecodeError as e:
            raise ValueError(f"{file.name} is not TOML: {e}") from None
        for exchange in source["exchange"]:
            for change in exchange.get("vary", [{}]):
                spec = (
                    exchange
                    | change
                    | {"request": exchange.get("request", {}) | change.get("request", {})}
                )
                names = [exchange["name"], *([change["name"]] if "name" in change else [])]
                name = f"{source['folder']}/{'-'.join(names)}"
                for ending, one in each(spec):
                    if "after" in one:
                        one = follow_up(one, json.loads(made[f"{source['folder']}/{one['after']}"]))
                    if name + ending in made:
                        raise ValueError(f"{file.name} makes {name + ending} twice")
                    made[name + ending] = (
                        json.dumps(
                            recording(one, source, name + ending), indent=2, ensure_ascii=False
                        )
                        + "\n"
                    )
    return made


def main():
    made = build()
    for name, text in made.items():
        file = recordings.FOLDER / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    # a source that no longer makes a recording takes it along
    for file in recordings.FOLDER.rglob("*.json"):
        name = file.relative_to(recordings.FOLDER).with_suffix("").as_posix()
        if (
            name not in made
            and json.loads(file.read_text(encoding="utf-8"))["origin"]["class"] == "constructed"
        ):
            file.unlink()
            print(f"removed {name}")
    problems = catalogue.broken(recordings.Library())
    print(f"{len(made)} recordings" + "".join(f"\n{file} {why}" for file, why in problems))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
