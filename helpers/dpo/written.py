"""What a tuned language model writes, judged by rules that can be read, and the stored runs of
data/tuned_runs.json, which notebooks/3_dpo/tuned_runs.py has made.

A judge gives a text a score: more is more of what the file's preferred answers have. Two texts to
the same question are compared, and equal scores are a tie.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..facts import DATA, stats
from ..facts.files import read_json

FAHRENHEIT = re.compile(r"\d\s*(?:°|degrees)?\s*F\b|fahrenheit", re.I)
CELSIUS = re.compile(r"\d\s*(?:°|degrees)?\s*C\b|celsius", re.I)
LOUD = re.compile(r"!|&|\b[A-Z]{4,}\b|\b(?:amazing|awesome|incredible|revolutionary|ultimate)\b")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> int:
    """How many words a text has."""
    return len(_WORD.findall(text))


def unit(text: str) -> int:
    """1 where it names degrees Fahrenheit alone, -1 Celsius alone, 0 both or neither."""
    return bool(FAHRENHEIT.search(text)) - bool(CELSIUS.search(text))


def quiet(text: str) -> int:
    """Minus the number of exclamation marks, ampersands, words in capitals and words of hype."""
    return -len(LOUD.findall(text))


def short(text: str) -> int:
    """Minus the number of words."""
    return -words(text)


# Which rule judges what a file teaches.
JUDGES: dict[str, Callable[[str], int]] = {
    "weather": unit,
    "house_style": quiet,
    "support": short,
}
# Of the held-out candidates: the style that the file prefers, and the other.
STYLES = {
    "weather": ("chatty_fahrenheit", "terse_celsius"),
    "house_style": ("house", "loud"),
    "support": ("short", "long"),
}


def distinct(texts: Iterable[str]) -> float:
    """Different words by words, the mean over texts: near 1 for a sentence, near 0 for one word
    again and again. ValueError where no text has a word.
    """
    found = [[w.lower() for w in _WORD.findall(text)] for text in texts]
    shares = [len(set(said)) / len(said) for said in found if said]
    if not shares:
        raise ValueError("no text has a word: there is nothing to count")
    return sum(shares) / len(shares)


def win_rate(
    judge: Callable[[str], int], after: Sequence[str], before: Sequence[str], flipped: bool = False
) -> tuple[int, int, tuple[float, float]]:
    """(wins, decided, 95 % interval of the share) of `after` against `before`, the answers to the
    same questions; ties are left out. Where nothing was decided the interval is (0, 1).
    """
    gained = [judge(a) - judge(b) for a, b in zip(after, before, strict=True)]
    gained = [-g for g in gained] if flipped else gained
    won, decided = sum(g > 0 for g in gained), sum(g != 0 for g in gained)
    return won, decided, stats.wilson_interval(won, decided) if decided else (0.0, 1.0)


def lines(name: str) -> list[dict[str, Any]]:
    """The lines of a file of data/preferences."""
    text = (DATA / "preferences" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def held_out_pairs(name: str) -> list[dict[str, Any]]:
    """The 20 held-out questions of a file as pairs: a candidate in the style that it prefers, and
    one in the other.
    """
    made = []
    for row in lines(f"{name}_held_out"):
        said = {one["style"]: one["content"] for one in row["candidates"]}
        liked, other = ([{"role": "assistant", "content": said[s]}] for s in STYLES[name])
        made.append(
            {"input": row["input"], "preferred_output": liked, "non_preferred_output": other}
        )
    return made


def runs() -> dict[str, Any]:
    """The stored runs: what was measured, where, and what was written."""
    return read_json(DATA / "tuned_runs.json")
