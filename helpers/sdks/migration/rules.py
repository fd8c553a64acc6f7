"""The names: the rows of data/day9_names.csv, the models that end, and the words without which a
file cannot have them.
"""

import functools
import re

from ...facts import tables
from ...facts.models import models
from .reading import plain

CALLED = tuple(f"responses.{call}" for call in ("create", "parse", "stream", "new")) + (
    "v1/responses",
)
# {context: words of which a file must have one, in lower case without underscores}
WORDS = {
    "session": ("session", "realtime", "inputaudio", "responsecreate", "responseproperties"),
    "flat": ("session", "realtime", "inputaudio", "outputaudio", "responseoutput"),
    "flat voice": ("realtime", "session.update", "response.create"),
    "flat input": ("session", "realtime", "inputaudio"),
    "sound of a session": ("session", "realtime", "audioformat"),
    "assistant item": ("realtime", "conversation.item"),
    "method": ("method",),
    "responses": CALLED,
    "argument of responses": CALLED,
    "part of responses": CALLED,
}


OF_A_MODEL = ("o-series", "tools of a reasoner")  # only beside one that ends


@functools.cache
def names():
    """The rows of data/day9_names.csv, as dictionaries."""
    return tables.rows("day9_names.csv")


@functools.cache
def ended():
    """{model id: its row} of data/models.csv, for those that have a shutdown date, or a
    replacement: of one, sources give two dates.
    """
    return {model: row for model, row in models().items() if row["shutdown"] or row["replacement"]}


@functools.cache
def spellings(name, pattern):
    """All that is looked for of a row."""
    return tuple((pattern or name).split("|"))


def possible(lower):
    """The rows that a text may have, and whether it may have a model. lower: the text in lower
    case. Nothing else of a text without these words needs to be read.
    """
    bare = lower.replace("_", "")
    has_model = "chatmodel" in bare or has_id(lower) or _split_id(lower)
    rows = [
        row
        for row, needed, context in _needed()
        if any(all(word in bare for word in words) for words in needed)
        and (any(word in bare for word in context) if context else True)
        and (row["context"] not in OF_A_MODEL or has_model)
    ]
    return rows, has_model


def has_words(text):
    """Whether a part of a text may have a name, whatever stands around it."""
    bare = text.lower().replace("_", "")
    return any(all(word in bare for word in words) for words in _all_words()) or has_id(text)


@functools.cache
def _all_words():
    return tuple({words for _, needed, _ in _needed() for words in needed})


@functools.cache
def ids():
    """Matches the id of a model that ends, on its own or tuned."""
    either = "|".join(sorted(map(re.escape, ended()), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w.:/-])(?:(?:openai/)?({either})(?![\w.:/-])|ft:({either})(?=[:\"'`]))"
        rf"|(?<=openai:)({either})(?![\w.:/-])"
    )


def has_id(text):
    return any(model in text for model in _shortest()) and ids().search(text) is not None


def _split_id(lower):
    return re.search(r"[\"'](?:gpt|o\d)-[\w.-]*[\"']\s*[+\"'.]", lower) is not None


@functools.cache
def _needed():
    return [(row, _words(row), WORDS.get(row["context"], ())) for row in names()]


def _words(row):
    """Words of which a text has all of one tuple, if it has the row's name."""
    if row["name"] == "client_secret.value":
        ways = (".", "?.", "!.", "().", "']['", '"]["', '["', "['", '".', "'.", "'].", '"].')
        return tuple((f"clientsecret{way}value",) for way in ways)
    if row["context"] == "offer":
        return tuple((f"/realtime{after}",) for after in ("?", '"', "'", "`", " ", ")"))
    wanted = spellings(row["name"], row["pattern"])
    if row["context"] == "assistant item":
        return tuple((quote + wanted[0] + quote, "assistant") for quote in "\"'`")
    if row["found"] == "code":
        return tuple(tuple(map(plain, name.split("."))) for name in wanted)
    if row["found"] == "key":
        return tuple((plain(name),) for name in wanted)
    if row["found"] == "value" and not row["name"].isidentifier():
        bare = [name.replace("_", "") for name in wanted]
        return tuple((f"{quote}{name}{quote}",) for name in bare for quote in "\"'`")
    return tuple((name.lower().replace("_", ""),) for name in wanted)


@functools.cache
def _shortest():
    """Ids of which every other has one within it: what has none of them has no model."""
    short = []
    for model in sorted(ended(), key=len):
        if not any(known in model for known in short):
            short.append(model)
    return short


@functools.cache
def model_row(model):
    """A row as those of `names`, for a model that ends."""
    row = ended()[model]
    heir = ended().get(row["replacement"])  # it may have an end of its own: o4-mini for o1-mini
    uncertain = "ending, on a day that sources give differently"
    return {
        "kind": "model",
        "name": model,
        "since": row["shutdown"],
        "status": "shutdown" if row["shutdown"] else uncertain,
        "instead": row["replacement"] + (f" (until {heir['shutdown']})" if heir else ""),
        "change": ""
        if row["replacement"]
        else "OpenAI names no replacement in the sources we have.",
    }


def said(row):
    """A row as a sentence: what it was, since when, what to write."""
    when = f" ({row['status']}{' ' + row['since'] if row['since'] else ''})"
    now = f": now {row['instead']}" if row["instead"] else ""
    return f"{row['kind']} {row['name']}{when}{now}. {row['change']}".strip()
