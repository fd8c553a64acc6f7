"""o200k_base in Python, for systems on which tiktoken has no wheel. Slower, and the same tokens.

(Which characters are letters is for the regex package to say here, and for tiktoken's own there:
the two may differ in characters that Unicode has added since.)
"""

from __future__ import annotations

import base64
import functools
import heapq
from typing import TYPE_CHECKING

from . import DATA

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


TABLE = DATA / "tokenizer"
FILE = "fb374d419588a4632f3f557e76b4b70aebbca790"  # tiktoken's name for it
# How a text falls into words before bytes are joined: tiktoken 0.14, tiktoken_ext/openai_public.py
# (MIT licence).
WORD = "|".join(
    [
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


class Encoding:
    """What is used here of tiktoken's Encoding. Special tokens are never looked for: they are the
    text that they are.
    """

    def __init__(self) -> None:
        import regex

        self.words = regex.compile(WORD)
        lines = (TABLE / FILE).read_bytes().splitlines()
        pairs = (line.split() for line in lines)
        self.ranks = {base64.b64decode(piece): int(rank) for piece, rank in pairs}
        self.pieces = {rank: piece for piece, rank in self.ranks.items()}
        self.of_word = functools.lru_cache(1 << 16)(self._of_word)

    def encode(self, text: str, disallowed_special: Collection[str] = ()) -> list[int]:
        """The tokens of a text, as a list of numbers."""
        # half of a character of two UTF-16 units has no bytes; tiktoken reads a replacement
        # character, too
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return [token for word in self.words.findall(text) for token in self.of_word(word.encode())]

    def decode(self, tokens: Iterable[int], errors: str = "replace") -> str:
        """The text of tokens. KeyError for a number that is none."""
        return b"".join(self.pieces[token] for token in tokens).decode(errors=errors)

    def _of_word(self, word):
        """Byte-pair encoding: of all neighbours, those that are one piece of the lowest rank are
        joined, until none are.
        """
        if word in self.ranks:
            return (self.ranks[word],)
        # Parts are known by where they begin. ends[i]: where part i ends, 0 when it has been joined
        # to the one before.
        ends = list(range(1, len(word) + 1))
        before = list(range(-1, len(word)))
        joints: list[
            tuple[int, int, int]
        ] = []  # a heap of (rank, start, end) of two neighbours; some are out of date

        def offer(start):
            middle = ends[start]
            if middle < len(word):
                rank = self.ranks.get(word[start : ends[middle]])
                if rank is not None:
                    heapq.heappush(joints, (rank, start, ends[middle]))

        for start in range(len(word)):
            offer(start)
        while joints:
            _, start, end = heapq.heappop(joints)
            middle = ends[start]
            if not middle or middle == len(word) or ends[middle] != end:
                continue
            ends[start], ends[middle], before[end] = end, 0, start
            offer(start)
            if before[start] >= 0:
                offer(before[start])
        starts = (start for start, end in enumerate(ends) if end)
        return tuple(self.ranks[word[start : ends[start]]] for start in starts)
