"""A request whose last words are those of a recording, said in slightly other ones
(common/other_words.py): only the user's last words are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..common.other_words import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS = ("?", ".", "", "!")
LONGEST = 100_000  # characters; what is longer is no question that stands in a recording


def others(body: Any) -> Iterator[tuple[Any, str]]:
    """(the canonical body with other last words, these words) for each other way to say them."""
    key = next((k for k in ("messages", "input") if isinstance(body, dict) and k in body), None)
    items = body[key] if key else None
    if not isinstance(items, list):
        return
    at = next((i for i in reversed(range(len(items))) if _of_user(items[i])), None)
    if at is None:
        return
    content = items[at].get("content")
    parts = content if isinstance(content, list) else [content]
    place = next((i for i, part in enumerate(parts) if _text(part) is not None), None)
    if place is None:
        return
    for words in _forms(_text(parts[place])):
        part = parts[place] | {"text": words} if isinstance(parts[place], dict) else words
        said = [*parts[:place], part, *parts[place + 1 :]] if isinstance(content, list) else part
        yield body | {key: [*items[:at], items[at] | {"content": said}, *items[at + 1 :]]}, words


def _of_user(item):
    return isinstance(item, dict) and item.get("role") == "user"


def _text(part):
    if isinstance(part, dict):
        part = part.get("text") if part.get("type") in ("text", "input_text") else None
    return part if isinstance(part, str) else None


def _forms(text):
    if len(text) > LONGEST:
        return []
    bare = plain(text)
    bare = bare[:1].upper() + bare[1:]
    return [form for end in ENDS if bare and (form := bare + end) != text]
