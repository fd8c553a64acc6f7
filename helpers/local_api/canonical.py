"""One form for all requests that mean the same.

Clients differ in key order, spacing, null fields and multipart boundaries; people differ in blanks.
`canonical_body` takes those differences away, and nothing that could change an answer. What only
changes the answer's *shape* (`stream`, token limits) is taken out too, because shaping.py computes
it.
"""

import functools
import hashlib
import json
import re
import unicodedata

from ..common import strict_json
from ..facts.models import models
from . import forms, pieces
from .checks import Bad

# Said by the caller for the books, not for the model.
BOOKKEEPING = {
    "user",
    "store",
    "metadata",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "service_tier",
}
# Changes the shape of an answer, not its substance: computed in shaping.py.
SHAPING = {"stream", "stream_options", "max_completion_tokens", "max_tokens", "max_output_tokens"}
# A parameter sent with its documented default is the same as one not sent (openai 3.54.0, types/).
DEFAULTS = {
    "reasoning_effort": "medium",
    "response_format": {"type": "text"},
    "n": 1,
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "truncation": "disabled",
    "background": False,
    "modalities": ["text"],
    "verbosity": "medium",
    "effort": "medium",
    "format": {"type": "text"},
}
# Empty, these are the same as not sent.
EMPTY = {
    "reasoning",
    "text",
    "tools",
    "annotations",
    "logprobs",
    "functions",
    "include",
    "context_management",
    "background_options",
    "access_programs",
    "image",
    "logit_bias",
    "stop",
    "provider_specific_fields",  # LiteLLM's, on what it passes back, with nulls inside
}
# (things, parameter, its values that are the same as none where there are no such things)
WITHOUT = (
    ("tools", "tool_choice", ("auto", "none")),
    ("functions", "function_call", ("auto", "none")),
    ("tools", "max_tool_calls", range(1, 10_000)),
)
# What `reasoning.context` is without being said, by models whose name begins so (SDK types).
CONTEXT = {"gpt-5.6": ("auto", "all_turns"), "": ("auto", "current_turn")}
WRITTEN_BY_API = ("id", "status")  # on an item that is passed back
SCHEMA = {"type", "properties", "anyOf", "enum", "$ref", "items"}  # what tells a schema
DATA_URL = re.compile(r"data:([\w.+/-]+);base64,")  # how one begins
BLANKS = re.compile(r"\s\s+|[^\S ]")  # a single space may stay: so most of a text is passed over
PIECE = 1 << 18  # characters that are searched in some milliseconds
LONG = 512  # a longer base64 text is compared by what it decodes to
KEPT = 30_000_000  # letters of base64; what a longer text decodes to is not kept


@functools.cache
def model_aliases():
    """{alias: model it stands for}, from data/models.csv."""
    return {name: row["alias_of"] for name, row in models().items() if row["alias_of"]}


def canonical_model(name):
    return model_aliases().get(name, name) if isinstance(name, str) else name


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


def canonical_text(text):
    """Unicode NFC, runs of blanks as one; long base64 as its kind and the SHA-256 of its
    content.
    """
    short = by_content(text)
    return short if short is not text else _blanks(unicodedata.normalize("NFC", text)).strip()


def _blanks(text):
    """A text with runs of blanks as one, in pieces, between which other threads have their turn:
    re lets none in while it searches.
    """
    made = []
    for at in range(0, len(text), PIECE):
        piece = BLANKS.sub(" ", text[at : at + PIECE])
        if made and made[-1][-1] == " " == piece[:1]:
            piece = piece[1:]
        if piece:
            made.append(piece)
    return "".join(made)


def by_content(text):
    """A long base64 text as its kind and the SHA-256 of its content; any other text as it is."""
    if len(text) > LONG:
        url = DATA_URL.match(text)
        raw, sha = (
            decoded(text)
            if url or not text.startswith("data:") and " " not in text[:LONG]
            else (b"", "")
        )
        if raw:
            return f"{f'data:{url[1]}' if url else 'base64'};sha256,{sha}"
    return text


def decoded(text):
    """(what a base64 text or data URL holds, its SHA-256); b"" first where it is none."""
    global _decoded
    # a picture of a request is looked at, and then compared; and the next request often has the
    # same. It is compared whole, since the hash that a table would need takes longer
    last, found = _decoded
    if text == last:
        return found
    try:
        raw = pieces.unpacked(text.partition(",")[2] if text.startswith("data:") else text)
    except ValueError:
        raw = b""
    found = raw, digest(raw)
    if len(text) < KEPT:
        _decoded = text, found
    return found


_decoded = "", (b"", digest(b""))


def canonical_value(value, drop=frozenset()):
    """The canonical form of any JSON value; `drop` names keys left out at this level."""
    if isinstance(value, str):
        return canonical_text(value)
    if isinstance(value, list):
        items = [canonical_value(v) for v in value]
        # one text part is the same as the text itself
        if (
            len(items) == 1
            and isinstance(items[0], dict)
            and items[0].get("type") in ("text", "input_text")
        ):
            return items[0].get("text", "")
        return items
    if isinstance(value, dict):
        out = {}
        for key, v in value.items():
            if key in drop or v is None:
                continue
            if key == "title" and isinstance(v, str) and not SCHEMA.isdisjoint(value):
                continue  # pydantic writes one on each field
            v = canonical_value(v)
            if key in DEFAULTS and v == DEFAULTS[key] or key in EMPTY and v in ([], {}):
                continue
            out[key] = canonical_model(v) if key == "model" else v
        # a schema: its fields are written in this order, `required` has none
        if isinstance(value.get("properties"), dict):
            out["order of properties"] = ", ".join(value["properties"])
            if isinstance(out.get("required"), list):
                out["required"] = sorted(out["required"], key=str)
        if out.get("type") == "message" and "role" in out:
            del out["type"]  # the default kind of an input item
        if out.get("role") == "system" and "content" in out:
            # "developer messages replace the previous system messages" (SDK types)
            out["role"] = "developer"
        return out
    return value


def canonical_body(path, body, drop=BOOKKEEPING | SHAPING):
    """The canonical form of a whole JSON body; `drop` names what does not count at its top."""
    if not isinstance(body, dict):
        return canonical_value(body)
    out = canonical_value(body, drop)
    for things, key, values in WITHOUT:
        if things not in out and out.get(key) in values:
            del out[key]
    if path == "/v1/responses":
        _canonical_input(out)
        _canonical_reasoning(out)
    return out


def _canonical_reasoning(out):
    """Takes from a Responses body the `reasoning.context` that its model has anyway."""
    reasoning, model = out.get("reasoning"), str(out.get("model"))
    if isinstance(reasoning, dict) and "context" in reasoning:
        default = next(values for name, values in CONTEXT.items() if model.startswith(name))
        if reasoning["context"] in default:
            out["reasoning"] = {k: v for k, v in reasoning.items() if k != "context"}
            if not out["reasoning"]:
                del out["reasoning"]


def _canonical_input(out):
    """Changes the `input` of a Responses body: a list of items, as a client would first write them,
    with the developer's words in `instructions`.
    """
    given = out.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list):
        return
    given = [
        {k: v for k, v in item.items() if k not in WRITTEN_BY_API}
        if isinstance(item, dict) and item.get("type") != "item_reference"
        else item
        for item in given
    ]
    first = given[0] if given and isinstance(given[0], dict) else {}
    if (
        len(given) > 1
        and "instructions" not in out
        and first.keys() == {"role", "content"}
        and first["role"] == "developer"
        and isinstance(first["content"], str)
    ):
        out["instructions"] = first["content"]
        given = given[1:]
    out["input"] = given


def read_body(content_type, raw):
    """A request's body as a JSON-able value: parsed JSON, or the fields of a form with files by
    content.

    Raises Bad with what is wrong.
    """
    if not raw:
        return None
    kind = content_type.split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return read_form(content_type, raw)
    if kind == "application/sdp":
        return raw.decode("utf-8", "replace")
    try:
        return parse(raw)
    except ValueError as e:
        raise Bad(f"The body of your request could not be parsed as JSON: {e}.", None) from None


def parse(raw):
    """A body's JSON as its value; raises ValueError for what is none, or not Unicode."""
    value = strict_json.loads(raw)
    # looked for between the backslashes alone: in a picture there are none, and a search for
    # two letters is slow
    if b"\\u" in raw[max(raw.find(b"\\"), 0) : raw.rfind(b"\\") + 2]:
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    return value


def read_form(content_type, raw):
    """A multipart form as {field: text, file field: {"filename", "bytes", "sha256"}}; a list of
    these where a name stands twice.
    """
    fields, files = forms.parsed(content_type, raw)
    form = {name: [v.decode("utf-8", "replace") for v in values] for name, values in fields.items()}
    for name, parts in files.items():
        form[name] = [
            {"filename": filename, "bytes": len(content), "sha256": digest(content)}
            for filename, content in parts
        ]
    return {name: values if len(values) > 1 else values[0] for name, values in form.items()}


def form_parts(content_type, raw):
    """({field: text}, {file field: (filename, content)}) of a multipart form, the last of each.
    Raises Bad.
    """
    fields, files = forms.parsed(content_type, raw)
    form = {name: values[-1].decode("utf-8", "replace") for name, values in fields.items()}
    return form, {name: parts[-1] for name, parts in files.items()}


def key(method, path, body):
    """The text under which equal requests meet."""
    return f"{method} {path} {json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(',', ':'))}"
