"""The same question in slightly other words: with a "please" or a greeting, another mark or none at
its end, a small first letter, "what's" for "what is".

Nothing that could change what is asked may differ: no preposition, no negation, no other tense.
"""

from __future__ import annotations

import functools
import re

from . import contractions

POLITE = re.compile(
    r"^(?:please|hi|hello|hey|so|and now)(?: there)?[,!.:]?\s+|^(?:thanks|thank you)[,!.:]\s+"
    r"|[,.!?]?\s+(?:please|thanks|thank you)(?=[\s.?!]*$)",
    re.I,
)
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
LITTLE = frozenset("a an the is are am do does can could i please".split())


def plain(text: str) -> str:
    """A text without greetings and thanks, without marks at its end and with short forms written
    out.

    >>> plain("Hello there, what’s a balcony,  please ?")
    'what is a balcony'
    """
    bare = contractions.written_out(text).strip()
    while (shorter := POLITE.sub("", bare)) != bare:
        bare = shorter
    return re.sub(r"\s+", " ", bare).rstrip(" .?!")


@functools.lru_cache(8_192)  # each question is held against all that a file holds
def words(text: str) -> tuple[str, ...]:
    """The words by which two questions differ, in order: without capitals, marks and LITTLE ones.
    An s behind an apostrophe is taken for "is".

    >>> words("Hi! What's the weather in Rome?"), words("what is weather in Rome")
    (('what', 'weather', 'in', 'rome'), ('what', 'weather', 'in', 'rome'))
    """
    bare = re.sub(r"'(?:s\b)?", "", plain(text)).casefold()
    return tuple(word for word in WORD.findall(bare) if word not in LITTLE)
