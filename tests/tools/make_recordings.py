"""Write the constructed recordings from their compact sources: `python -m
tests.tools.make_recordings`.

A source, data/constructed/NAME.toml, says only what matters: the question, the answer, the slots,
the reasoning tokens (illustrative). Envelopes, ids, clocks and token counts are made here, all the
same way, so that they are consistent and a test can make them again. A source:

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
    sent = ["..."]                   the calls' arguments as sent back, where they are more than
                                     slots
    pictures = ["single-1.jpg"]      of data/forms, sent after `user`; their `detail`, where one is
                                     sent
    given = {form = ["single"]}      one recording for each value: {{ form }} in the texts above
                                     becomes it
    reasoning_tokens = 64
    request = {...}                  further parameters of the request
    slots = {...}                    also those of `after` and, where they are used, of the source's
                                     [slots]
    vary = [{name = "low", reasoning_tokens = 64, request = {reasoning_effort = "low"}}, ...]
    api = "responses"                optional; Chat Completions otherwise
"""

import hashlib
import itertools
import json
import sys
import tomllib

from helpers.facts import DATA, forms
from helpers.local_api import canonical, catalogue, pictures, recordings, shaping, slots
from helpers.local_api.envelopes import chat_answer, response_answer

SOURCES = DATA / "constructed"


def with_pictures(spec, path):
    """The user's words and pictures as parts; a picture stands in a recording by the hash of its
    content.
    """
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
    """(ending of the name, spec) for each combination of the values in `given`, put into its
    texts.
    """
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
    """`spec` with the request that hands back what the tools said: the one before, its answer, the
    results.
    """
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
    """{recording's name: its JSON text}, for all sources, in order. Raises ValueError naming what
    is wrong.
    """
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
