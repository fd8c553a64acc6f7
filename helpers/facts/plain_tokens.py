"""o200k_base in Python, for systems on which tiktoken has no wheel, and where a few short texts are
counted: slower, in a seventh of the memory, and the same tokens.

(Which characters are letters is for the regex package to say here, and for tiktoken's own there:
the two may differ in characters that Unicode has added since.)
"""

from __future__ import annotations

import array
import binascii
import functools
import heapq
import zlib
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


class Table:
    """The rank of each piece, and the piece of each rank. A dict of 200,000 bytes objects has
    25 MB; this has their bytes in a row, where each ends, and a hash table of ranks: 6 MB.
    """

    SLOTS = 1 << 19  # 2.6 a piece

    def __init__(self) -> None:
        self.slots = array.array("I", bytes(4 * self.SLOTS))  # 1 + rank; 0: free
        self.ends, whole = array.array("I", [0]), bytearray()
        with (TABLE / FILE).open("rb") as lines:
            for line in lines:  # in the order of ranks, from 0 on without a gap
                piece = binascii.a2b_base64(line[: line.index(b" ")])
                whole += piece
                self.ends.append(len(whole))
                slot = zlib.crc32(piece) % self.SLOTS
                while self.slots[slot]:
                    slot = (slot + 1) % self.SLOTS
                self.slots[slot] = len(self.ends) - 1
        self.whole = bytes(whole)

    def piece(self, rank: int) -> bytes:
        """KeyError for a number that is no rank."""
        if not 0 <= rank < len(self.ends) - 1:
            raise KeyError(rank)
        return self.whole[self.ends[rank] : self.ends[rank + 1]]

    def rank(self, piece: bytes) -> int | None:
        """None for what is no piece."""
        slot = zlib.crc32(piece) % self.SLOTS
        while taken := self.slots[slot]:
            if self.piece(taken - 1) == piece:
                return taken - 1
            slot = (slot + 1) % self.SLOTS
        return None


class Encoding:
    """What is used here of tiktoken's Encoding. Special tokens are never looked for: they are the
    text that they are.
    """

    def __init__(self) -> None:
        import regex

        self.words = regex.compile(WORD)
        self.table = Table()
        self.of_word = functools.lru_cache(1 << 12)(self._of_word)

    def encode(self, text: str, disallowed_special: Collection[str] = ()) -> list[int]:
        """The tokens of a text, as a list of numbers."""
        # half of a character of two UTF-16 units has no bytes; tiktoken reads a replacement
        # character, too
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return [token for word in self.words.findall(text) for token in self.of_word(word.encode())]

    def decode(self, tokens: Iterable[int], errors: str = "replace") -> str:
        """The text of tokens. KeyError for a number that is none."""
        return b"".join(map(self.table.piece, tokens)).decode(errors=errors)

    def _of_word(self, word):
        """Byte-pair encoding: of all neighbours, those that are one piece of the lowest rank are
        joined, until none are.
        """
        known = self.table.rank(word)
        if known is not None:
            return (known,)
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
                rank = self.table.rank(word[start : ends[middle]])
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
        return tuple(self.table.rank(word[start : ends[start]]) for start in starts)
