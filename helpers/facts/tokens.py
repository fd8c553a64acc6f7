"""How many tokens a text, a picture or a stretch of sound is, counted here.

Text is counted with OpenAI's own o200k_base table, which ships in data/tokenizer because tiktoken
would otherwise download it. It is the table of o1, o1-preview, o1-mini, o3, gpt-4o, gpt-4.1 and
gpt-5 (tiktoken 0.14).
"""

from __future__ import annotations

import functools
import os
import re
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

from ..common.private import must_have
from ..common.whole import whole
from . import DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import tiktoken

    from . import plain_tokens


# (tokens for any picture, tokens for each tile of 512 by 512), OpenAI's guide "Images and vision".
# Models left out, such as gpt-4.1-mini and gpt-5-mini, count 32-pixel patches instead of tiles.
TILES = {
    "gpt-4o": (85, 170),
    "gpt-4.1": (85, 170),
    "gpt-4o-mini": (2833, 5667),
    "o1": (75, 150),
    "o1-pro": (75, 150),
    "o3": (75, 150),
    "gpt-5": (70, 140),
    "computer-use-preview": (65, 129),
}
# One token stands for this many milliseconds of sound, OpenAI's guide "Realtime costs".
AUDIO_MS = {"user": 100, "assistant": 50}


_counts_only = False
SHORT = 4_000  # characters that are counted in 20 ms without tiktoken
LONG = 1_000_000  # letters of a text whose tokens are many


@functools.cache
def encoding() -> tiktoken.Encoding | plain_tokens.Encoding:
    """tiktoken's o200k_base, read from data/tokenizer unless TIKTOKEN_CACHE_DIR names another
    folder; or one that does the same.
    """
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(DATA / "tokenizer"))
    try:
        import tiktoken
    except ModuleNotFoundError:  # it has no wheel for Windows on ARM
        from . import plain_tokens

        return plain_tokens.Encoding()
    made = tiktoken.get_encoding("o200k_base")
    if _counts_only:
        must_have(made, "_mergeable_ranks")
        made._mergeable_ranks = {}
    return made


def count_only() -> None:
    """For a process that counts and does nothing else, before it first counts: most that it counts
    is short, which needs no tiktoken and its 47 MB. Where it is needed, its copy of the table as
    Python objects, 27 MB more that only its own lessons read, is let go. A process that was forked
    from one that has read all of it shares that, and counts with it.
    """
    global _counts_only
    _counts_only = not encoding.cache_info().currsize


@functools.cache
def _small() -> plain_tokens.Encoding:
    from . import plain_tokens

    return plain_tokens.Encoding()


def count(text: str) -> int:
    """Tokens of a text. What looks like a special token counts as the text it is, as in a message.

    >>> count("hello world")
    2
    """
    made = _small() if _counts_only and len(text) < SHORT else encoding()
    if len(text) > LONG and hasattr(made, "encode_to_numpy"):
        # no list, for while Python makes that, no other thread has its turn; halves as encode does
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return len(made.encode_to_numpy(whole, disallowed_special=()))
    return len(made.encode(text, disallowed_special=()))


def chat_tokens(messages: Iterable[Mapping[str, Any]]) -> int:
    """Prompt tokens of chat messages: 3 a message, its role, name and text, and 3 to prime the
    reply.

    The rule of OpenAI's cookbook, "How to count tokens with tiktoken", checked there against the
    API for gpt-4o; for o1 it is an estimate. content is a string or a list of parts, of which the
    text is counted: add `image_tokens` for pictures. Tools and tool calls are not counted; their
    form in the prompt is not published.

    >>> chat_tokens([{"role": "user", "content": "hello world"}])
    9
    """
    return 3 + sum(_message_tokens(message) for message in messages)


def _message_tokens(message):
    content = message.get("content") or ""
    parts = [{"text": content}] if isinstance(content, str) else content
    tokens = 3 + count(message["role"]) + sum(count(part.get("text") or "") for part in parts)
    return tokens + count(message["name"]) + 1 if message.get("name") else tokens


def image_tokens(width: int, height: int, detail: str, model: str) -> int:
    """Tokens of a picture of width x height pixels, by the tile rule of OpenAI's guide "Images and
    vision".

    detail "low" costs the base alone. "high" scales the picture down, never up, to fit 2048 x 2048
    and then to a shortest side of 768, and adds so much for each tile of 512 x 512 begun.
    ValueError for a size that is none or another detail; LookupError for a model without
    tiles.

    >>> image_tokens(1024, 1024, "high", "gpt-4o"), image_tokens(1024, 1024, "high", "o1")
    (765, 675)
    """
    family = re.sub(r"-\d{4}-\d\d-\d\d$", "", model)
    if family not in TILES:
        raise LookupError(f"no tile rule is known for {model}; there is one for {', '.join(TILES)}")
    width, height = whole(width, "a width in pixels", 1), whole(height, "a height in pixels", 1)
    if detail not in ("low", "high"):
        raise ValueError(f"detail is 'low' or 'high', not {detail!r}")
    base, tile = TILES[family]
    if detail == "low":
        return base
    # Fractions, because a rounding error just above 512 would cost a whole tile.
    scale = min(Fraction(1), Fraction(2048, max(width, height)))
    scale *= min(Fraction(1), Fraction(768) / (scale * min(width, height)))
    return base + tile * ceil(width * scale / 512) * ceil(height * scale / 512)


def patch_tokens(width: int, height: int) -> int:
    """Tokens of a picture for gpt-5.6 at detail "original" or "auto": one for each patch of 32 x 32
    pixels begun.

    From OpenAI's guide "Images and vision". These details resize nothing. The guide names
    multipliers for smaller models alone, so none is taken here. ValueError for a size that is not
    positive.

    >>> patch_tokens(1024, 1024)
    1024
    """
    width, height = whole(width, "a width in pixels", 1), whole(height, "a height in pixels", 1)
    return ceil(width / 32) * ceil(height / 32)


def audio_tokens(seconds: float, who: str) -> int:
    """Realtime tokens of a stretch of sound: 1 each 100 ms of the user, 1 each 50 ms of the
    assistant.

    From OpenAI's guide "Realtime costs", which adds "a few special tokens" to a message, not
    counted here. A stretch begun counts whole, which the guide does not say. ValueError for another
    speaker or a negative time.

    >>> audio_tokens(60, "user"), audio_tokens(60, "assistant")
    (600, 1200)
    """
    if who not in AUDIO_MS:
        raise ValueError(f"who is 'user' or 'assistant', not {who!r}")
    if seconds < 0:
        raise ValueError(f"sound lasts 0 seconds or more, not {seconds}")
    return ceil(Fraction(round(seconds * 1000), AUDIO_MS[who]))
