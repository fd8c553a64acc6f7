"""The conversation: items in order, what each of them weighs in tokens, and the checks of those
that clients write.
"""

import re
from dataclasses import dataclass

from ...facts import sounds, tokens
from .. import canonical, pieces
from ..checks import Bad, by, choice, each, optional, text, thing
from ..voice.listening import NOTHING, Listened
from .events import audio_bytes, new_id

# Some special tokens frame each message (OpenAI's guide "Realtime costs" says "a few"): 3, as in
# Chat.
FRAME_TOKENS = 3


def _picture(value, at):
    """PNG or JPEG as a data URL, which is what the SDK's types name (openai 3.54.0)."""
    text(value, at)
    url = re.fullmatch(r"data:image/(png|jpeg);base64,(.+)", value, re.S)
    raw = canonical.decoded(value)[0] if url else b""
    if not raw.startswith((b"\x89PNG", b"\xff\xd8")):
        raise Bad(
            f"Invalid '{at}'. Expected a base64-encoded PNG or JPEG as a data URL "
            "('data:image/png;base64,…').",
            "invalid_value",
            at,
        )


_part = lambda *shapes: by("type", dict(shapes))
_input_text = ("input_text", thing({"type": text, "text": text}, needs=["text"]))
_input_audio = (
    "input_audio",
    thing({"type": text, "audio": text, "transcript": optional(text)}, needs=["audio"]),
)
_input_image = (
    "input_image",
    thing(
        {"type": text, "image_url": _picture, "detail": choice("auto", "low", "high")},
        needs=["image_url"],
    ),
)
_output_text = ("output_text", thing({"type": text, "text": text}, needs=["text"]))
_common = {
    "id": text,
    "type": text,
    "status": choice("completed", "incomplete", "in_progress"),
    "object": choice("realtime.item"),
}
_message = lambda part: thing(_common | {"role": text, "content": each(part)}, needs=["content"])
shape = by(
    "type",
    {
        "message": by(
            "role",
            {
                "user": _message(_part(_input_text, _input_audio, _input_image)),
                "system": _message(_part(_input_text)),
                "assistant": _message(_part(_output_text)),
            },
        ),
        "function_call": thing(
            _common | {"name": text, "arguments": text, "call_id": text},
            needs=["name", "arguments"],
        ),
        "function_call_output": thing(
            _common | {"call_id": text, "output": text}, needs=["call_id", "output"]
        ),
    },
)
# in a response's own input, an item of the conversation may also be named
reference_or_item = by(
    "type",
    {kind: shape for kind in ("message", "function_call", "function_call_output")}
    | {"item_reference": thing({"type": text, "id": text}, needs=["id"])},
)


@dataclass
class Item:
    """One item: `data` as events show it, the sound behind it (PCM16), and what was heard in that
    sound.
    """

    data: dict
    pcm: bytes = b""
    heard: Listened = NOTHING
    idle: bool = False  # committed because nobody spoke
    uncut: str = ""  # the words that were heard of an answer, which events no longer show
    _counted: tuple = ("", 0)  # what it last said, and its tokens

    @property
    def id(self):
        return self.data["id"]

    def shown(self):
        """`data` as it is now, for an event."""
        if "content" not in self.data:
            return dict(self.data)
        # as deep as it is ever changed: a part's words, where they grow or are heard late
        return self.data | {"content": [dict(part) for part in self.data["content"]]}

    @property
    def words(self):
        """What it says, as text."""
        if self.data["type"] != "message":
            return self.data.get("output") or self.data.get("arguments") or ""
        return " ".join(
            part.get("text") or part.get("transcript") or "" for part in self.data["content"]
        ).strip()

    @property
    def pictures(self):
        """How many pictures it shows."""
        content = self.data.get("content", ())
        return sum(part["type"] == "input_image" for part in content)

    def weight(self):
        """(text tokens, audio tokens): one of sound for each 100 ms of a user's, each 50 ms of the
        assistant's. A picture weighs nothing: no source says how many tokens it is in Realtime.
        """
        of = "assistant" if self.data.get("role") == "assistant" else "user"
        audio = tokens.audio_tokens(sounds.ms(self.pcm) / 1000, of)
        # of a user's sound the model gets the sound alone; the transcript is made beside it
        said = self.data.get("name", "") + (self.words if of == "assistant" or not self.pcm else "")
        if said != self._counted[0]:
            self._counted = said, tokens.count(said)
        return FRAME_TOKENS + self._counted[1], audio


def written(data, form):
    """The Item that a client wrote, in the order of keys that events have. Raises Bad. `form`: the
    input format's type.
    """
    pcm, data = b"", dict(data)
    if data["type"] == "message":
        content = []
        for i, part in enumerate(data["content"]):
            if part["type"] == "input_audio":
                pcm += as_pcm(audio_bytes(part["audio"], f"item.content[{i}].audio", form), form)
                part = {"type": "input_audio", "transcript": part.get("transcript")}
            content.append(part)
        shown = {"role": data["role"], "content": content}
    else:
        shown = {k: data[k] for k in ("name", "call_id", "arguments", "output") if k in data}
    item = {"id": data.get("id") or new_id("item_"), "type": data["type"]}
    if data["type"] != "function_call_output":
        item["status"] = "completed"
    return Item(item | shown, pcm)


def as_pcm(data, form):
    """Sound of an input format as PCM16 at 24 kHz."""
    return (
        data
        if form == "audio/pcm"
        else sounds.changed(sounds.from_g711(data, form), 8_000, sounds.RATE)
    )


def with_audio(item, form):
    """An item's data with its sound in it, as conversation.item.retrieved shows it."""
    data = item.shown()
    if not item.pcm:
        return data
    sound = pieces.packed(item.pcm if form == "audio/pcm" else sounds.to_g711(item.pcm, form))
    return data | {
        "content": [
            part | ({"audio": sound} if part["type"].endswith("audio") else {})
            for part in data["content"]
        ]
    }


class Conversation:
    """Items by id, in order."""

    def __init__(self):
        self.items = []

    def get(self, id):
        """The item, or None."""
        return next((item for item in self.items if item.id == id), None)

    def add(self, item, after="end"):
        """Put an item in its place; returns the id of the one before it, or None. `after`: an id,
        "root" or "end".
        """
        if self.get(item.id):
            raise Bad(
                f"Error adding item: an item with id '{item.id}' already exists.",
                "item_create_duplicate_item_id",
                "item.id",
            )
        if after == "root":
            place = 0
        elif after == "end":
            place = len(self.items)
        else:
            known = self.get(after)
            if known is None:
                raise Bad(
                    f"Error adding item: the previous item with id '{after}' does not exist.",
                    "item_create_invalid_previous_item_id",
                    "previous_item_id",
                )
            place = self.items.index(known) + 1
        self.items.insert(place, item)
        return self.items[place - 1].id if place else None

    def before(self, item):
        """The id of the item before this one, or None."""
        place = self.items.index(item) if item in self.items else 0
        return self.items[place - 1].id if place else None

    def need(self, id, verb):
        """The item. Raises Bad, in the words for `verb`: delete, truncate or retrieve."""
        item = self.get(id)
        if item is None:
            doing = {"delete": "deleting", "truncate": "truncating", "retrieve": "retrieving"}[verb]
            raise Bad(
                f"Error {doing} item: the item with id '{id}' does not exist.",
                f"item_{verb}_invalid_item_id",
                "item_id",
            )  # seen for delete
        return item

    def truncate(self, item, content_index, end_ms):
        """Cut an assistant's sound after `end_ms`; its transcript goes, since it would say what was
        not heard.
        """
        part = (
            item.data.get("content", [{}])[content_index]
            if 0 <= content_index < len(item.data.get("content", []))
            else {}
        )
        if item.data.get("role") != "assistant" or part.get("type") != "output_audio":
            raise Bad(
                "Only model output audio messages can be truncated",
                "unsupported_content_type",
                "item_id",
            )  # seen
        if end_ms > sounds.ms(item.pcm):
            raise Bad(
                f"Audio content of {sounds.ms(item.pcm)}ms is already shorter than {end_ms}ms",
                "invalid_value",
                "audio_end_ms",
            )  # seen
        words = (part["transcript"] or item.uncut).split()
        # an estimate: words take equal time
        item.uncut = " ".join(words[: len(words) * end_ms // max(1, sounds.ms(item.pcm))])
        item.pcm = item.pcm[: end_ms * sounds.BYTES_A_MS]
        part["transcript"] = ""
