"""What a request needs so that a server that is not OpenAI understands it, and what to tell where
it does not.

Two things are called otherwise there, everywhere: the role `developer` is `system` (a model's chat
template knows no other), and `max_completion_tokens` is `max_tokens`. The null beside a tool call
becomes an empty text, which all take (llama-cpp-python's server takes nothing else). What only
OpenAI keeps books with is left out. Everything else goes as it is, since servers differ: what one
does not take, it says itself, and a note names the likely cause; what one may pass over without a
word, a note names, too.
"""

from .. import canonical, shaping

RENAMED = {"max_completion_tokens": "max_tokens"}
# what nearly every server does something with
KNOWN = {
    shaping.CHAT: {
        "model",
        "messages",
        "max_tokens",
        "temperature",
        "top_p",
        "n",
        "stop",
        "stream",
        "stream_options",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "logit_bias",
        "tools",
        "tool_choice",
        "response_format",
    },
    shaping.RESPONSES: {
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "temperature",
        "top_p",
        "stream",
        "tools",
        "tool_choice",
        "text",
    },
}


def adapted(path, body, model, openai):
    """(the body as it goes upstream, [what was changed, in words]); the same body where nothing
    was.

    model: DAY9_MODEL, which takes the place of the body's own, or "". openai: the upstream is
    OpenAI, where only that is changed.
    """
    changed, notes = dict(body), []
    if model and body.get("model") not in (None, model):
        changed["model"] = model
        notes.append(f"{model} in the place of {body['model']} (DAY9_MODEL)")
    if not openai:
        left_out = sorted(canonical.BOOKKEEPING & set(changed))
        for name in left_out:
            del changed[name]
        notes += [f"left out: {', '.join(left_out)}"] * bool(left_out)
        for old, new in RENAMED.items() if path == shaping.CHAT else ():
            if changed.get(old) is not None and new not in changed:
                changed[new] = changed.pop(old)
                notes.append(f"{old} sent as {new}")
        said = "messages" if path == shaping.CHAT else "input"
        if isinstance(changed.get(said), list) and any(
            isinstance(m, dict) and m.get("role") == "developer" for m in changed[said]
        ):
            changed[said] = [
                m | {"role": "system"}
                if isinstance(m, dict) and m.get("role") == "developer"
                else m
                for m in changed[said]
            ]
            notes.append("developer sent as system")
        if (
            path == shaping.CHAT
            and isinstance(changed.get("messages"), list)
            and any(_only_calls(m) for m in changed["messages"])
        ):
            changed["messages"] = [
                m | {"content": ""} if _only_calls(m) else m for m in changed["messages"]
            ]
            notes.append("null beside tool calls sent as an empty text")
        silent = sorted(
            name
            for name, value in changed.items()
            if value is not None and name not in KNOWN.get(path, changed)
        )
        silent += [
            thing for thing in needed(changed) if thing in ("pictures", "sound", "a JSON schema")
        ]
        notes += [f"it may pass over: {', '.join(silent)}"] * bool(silent)
    return (body if changed == body else changed), notes


def _only_calls(message):
    return (
        isinstance(message, dict)
        and bool(message.get("tool_calls"))
        and message.get("content") is None
    )


def likely(host, path, body, status):
    """Why a server may have refused a request, in a sentence; "" where there is nothing to say."""
    if status in (401, 403):
        return f"{host} wants a key of its own: set DAY9_KEY and call helpers.connect() again."
    if status in (404, 405, 501) and path != shaping.CHAT:
        return f"{host} may not know {path}; nearly every server knows {shaping.CHAT}."
    if status == 404:
        return f"{host} may not have the model {body.get('model')!r}: name one that it has in DAY9_MODEL; client.models.list() lists them."
    needs = needed(body)
    if status >= 400 and needs:
        return f"This request has {' and '.join(needs)}, which {host} or its model may not be able to take."
    return ""


def needed(body):
    """What a request asks of a model beyond plain text, in words."""
    kinds = {
        str(part.get("type"))
        for item in [*_items(body, "messages"), *_items(body, "input")]
        for part in _items(item, "content")
    }
    schema = [
        body.get("response_format"),
        (body.get("text") or {}).get("format") if isinstance(body.get("text"), dict) else None,
    ]
    found = {
        "pictures": kinds & {"image_url", "input_image"},
        "sound": kinds & {"input_audio"},
        "tools": body.get("tools"),
        "a JSON schema": any(
            isinstance(s, dict) and s.get("type") == "json_schema" for s in schema
        ),
        "reasoning_effort": body.get("reasoning_effort") or body.get("reasoning"),
    }
    return [name for name, there in found.items() if there]


def _items(value, name):
    given = value.get(name)
    return [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
