"""From words to a scene: which of the phrases of data/realtime/scenes.toml comes nearest,
tolerant of words that were misheard.

Numbers, days, heats and filing statuses first become placeholders, on both sides, so that a
phrase stands for all of them. Then each word of a phrase looks for the word most like it that was
said, by rapidfuzz; rare words count more than common ones, and what was said beyond the phrase
counts against it.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process

from ..common import contractions
from . import DATA, dates, holidays, spoken_numbers, tax, toml_files

MONTHS = "january february march april may june july august september october november december".split()  # fmt: skip
MONTH = "|".join(MONTHS)
OF_A_YEAR = re.compile(
    rf"(?i)\b(?:(?P<m1>{MONTH}) (?:the )?(?P<d1>\d\d?)|(?P<d2>\d\d?)(?:st|nd|rd|th)? (?:of )?(?P<m2>{MONTH}))(?:st|nd|rd|th)?\b"
)
TODAY_IS = re.compile(r"(?i)\b(?:if |suppose |given that )?today(?:'s date)? is (?:the )?")
HEAT = re.compile(
    r"(?i)(?P<minus>\b(?:minus|negative) )?(?P<n>-?\d+(?:\.\d+)?) ?(?:°|degrees?)? ?(?P<unit>celsius|centigrade|fahrenheit|[cf]\b)"
)
STATUS = "|".join(tax.WORDS.values()).replace(" ", "[ _]")
ENOUGH = (
    0.55  # of 1: from here a phrase is what was meant; tests/facts/test_meaning.py has both sides
)
LIKE = 70  # of 100: less like than that, two words have nothing to do with each other
SHORT = 5  # letters of two words together: of so few, one that was misheard makes another word
MONEY = re.compile(r"(?i)\$ ?\d[\d,.]*\d|\$ ?\d|\b\d[\d,]*(?:\.\d+)?(?: ?k\b)?")
PARTS = {
    "cannot": "can not",
    "chatgpt": "chat gpt",
    "realtime": "real time",
    "till": "until",
    "webrtc": "web rtc",
    "webrtcs": "web rtc",
    "websocket": "web socket",
    "websockets": "web sockets",
}
IDLE = {"please", "hey", "well", "so", "um", "uh", "okay", "oh", "just", "now", "could", "would", "can", "you", "me", "tell", "reindeer", "little", "dear", "and", "then"}  # fmt: skip
IDLE_WEIGHT = 0.15
UNKNOWN = 1.3  # times the weight of the rarest word: that of one that no phrase has
CLAUSE = re.compile(r"[.!?,;:]+\s+(?=\S)")
SURE = 0.7  # so near must a part of what was said come, since the rest comes near nothing
QUESTION = 4  # words: of fewer, the end of what was said is a "thank you" or a name
ELSEWHERE = 0.5  # what a word counts that is in another phrase of the same scene


@dataclass(frozen=True)
class Meant:
    """The scene that words come nearest to: by which phrase, and how near, from 0 to 1."""

    scene: str
    phrase: str
    likeness: float


def based(text: str) -> tuple[str, str]:
    """(the day that a text says to be today, "" where it says none; the text without that)

    >>> based("Today is 17.12.2024. How many days until Easter?")
    ('17.12.2024', ' How many days until Easter?')
    """
    if said := TODAY_IS.search(text):
        for form in (dates.DATE, OF_A_YEAR):
            if day := form.match(text, said.end()):
                return day[0], text[: said.start()] + text[day.end() :].lstrip(".,;")
    return "", text


def plain(text: str) -> list[str]:
    """What was said, as [words]: small letters, no marks, numbers and days as placeholders.

    >>> plain("Hey, what's twelve plus thirty?")
    ['hey', 'what', 'is', '{number}', 'plus', '{number}']
    """
    text = spoken_numbers.digits(contractions.written_out(text))
    text = dates.DATE.sub(" {day} ", based(text)[1])
    text = OF_A_YEAR.sub(" {day} ", text)
    if holiday := holidays.found(text):
        text = re.sub(rf"(?i)\b{re.escape(holiday[1])}(?!\w)", " {day} ", text)
    text = HEAT.sub(" {heat} ", text)
    text = re.sub(rf"(?i)\b(?:{STATUS})\b", " {status} ", text)
    text = re.sub(r"(?i)\b(?:o|oh|of|all|old|whole)[ -]?(?:1|one)\b", "o1", text)
    text = re.sub(r"(?i)\bdouble[ -]?(?:u|you)\b", "w", text)
    text = re.sub(r"\b([A-Za-z])[. ]+(?=[A-Za-z]\b)", r"\1", text)  # R. T. C.
    text = re.sub(r"(?i)(?<![\w{])gpt[ -]?4 ?o?\b", "gpt", text)
    text = MONEY.sub(" {number} ", re.sub(r"(?<=\d)%", " percent", text))
    words = re.findall(r"\{\w+\}|[a-z0-9']+", text.lower())
    return [w for word in words for w in PARTS.get(word, word).split()]


@functools.cache
def _scenes() -> list[dict[str, Any]]:
    return toml_files.read(DATA / "realtime" / "scenes.toml", {"required": ["scene"]})["scene"]


@functools.cache
def phrases() -> tuple[tuple[str, str], ...]:
    """((scene, phrase), …) of data/realtime/scenes.toml."""
    return tuple((s["name"], p) for s in _scenes() for p in s.get("phrases", []))


@functools.cache
def _musts() -> dict[str, list[str]]:
    """{scene: words of which one must be said}: a payday is no Christmas, though all other words of
    the question are the same.
    """
    return {s["name"]: s["must"] for s in _scenes() if "must" in s}


def _others(text: str) -> set[str]:
    """The scenes that a text cannot mean, since it has no word that is like one of theirs."""
    said = re.findall(r"[^\W_]+", text.lower()) + plain(text)
    said += [a + b for a, b in zip(said, said[1:], strict=False)]  # chris mess
    short = 4  # letters: of so few, one that was misheard makes another word
    like = lambda must: any(
        one == word or (len(word) > short and fuzz.ratio(word, one) >= LIKE)
        for word in must
        for one in said
    )
    return {scene for scene, must in _musts().items() if not like(must)}


def meant(text: str) -> Meant | None:
    """The Meant that comes nearest to a text, or None where none is near enough."""
    found = nearest(text, 1)
    return found[0] if found and found[0].likeness >= ENOUGH else None


def nearest(text: str, most: int = 3) -> list[Meant]:
    """The `most` scenes that come nearest, as Meants, the nearest first; however far. Where all
    words together come near nothing, and the last sentence or clause does, it is the question, and
    what stands before it a greeting or a story.
    """
    found = _nearest(text, most)
    asked = CLAUSE.split(text.strip())[-1]
    if (not found or found[0].likeness < ENOUGH) and len(asked.split()) >= QUESTION:
        of_it = _nearest(asked, most)
        if of_it and of_it[0].likeness >= SURE:
            return of_it
    return found


def _nearest(text: str, most: int) -> list[Meant]:
    words = plain(text)
    if not words:
        return []
    index, others, heard = _index(), _others(text), Counter(words)
    alike = _alike(list(heard), index.words)
    weight = lambda word: IDLE_WEIGHT if word in IDLE else index.weights.get(word, index.unknown)
    said = np.array([weight(word) * n for word, n in heard.items()])
    wanted = index.of_phrases.sums(index.wanted * alike.max(axis=0)[index.of_phrases.columns])
    in_phrase = index.of_phrases.maxima(alike)
    in_scene = ELSEWHERE * index.of_scenes.maxima(alike)[:, index.scene_of]
    matched = wanted + (said[:, None] * np.maximum(in_phrase, in_scene)).sum(axis=0)
    likeness = (matched / (index.of_phrases.sums(index.wanted) + said.sum())).tolist()
    best: dict[str, Meant] = {}
    for (scene, phrase), near in zip(phrases(), likeness, strict=True):
        if scene not in others and near > best.get(scene, Meant("", "", -1)).likeness:
            best[scene] = Meant(scene, phrase, round(near, 3))
    return sorted(best.values(), key=lambda one: (-one.likeness, one.scene))[:most]


def load() -> None:
    """Read all phrases now, which takes a tenth of a second."""
    _index()


class _Groups:
    """Groups of columns: the words of each phrase, or of each scene."""

    def __init__(self, groups: Iterable[Iterable[str]], words: dict[str, int]) -> None:
        found = [[words[word] for word in group] for group in groups]
        self.columns = np.concatenate(found)
        self.starts = np.cumsum([0, *map(len, found[:-1])])

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Of one value a column."""
        return np.add.reduceat(values, self.starts)

    def maxima(self, table: np.ndarray) -> np.ndarray:
        """Of each row of a table, one a group."""
        return np.maximum.reduceat(table[:, self.columns], self.starts, axis=1)


@dataclass(frozen=True)
class _Index:
    """All phrases, for _nearest(): {word: weight}, in which a word of many scenes weighs little;
    what a word weighs that no phrase has; the words; those of each phrase and of each scene; the
    scene of each phrase; what each word of each phrase weighs there.
    """

    weights: dict[str, float]
    unknown: float
    words: list[str]
    of_phrases: _Groups
    of_scenes: _Groups
    scene_of: list[int]
    wanted: np.ndarray


@functools.cache
def _index() -> _Index:
    counted = [Counter(plain(phrase)) for _, phrase in phrases()]
    vocabulary: dict[str, set[str]] = {}
    for (scene, _), of in zip(phrases(), counted, strict=True):
        vocabulary.setdefault(scene, set()).update(of)
    scenes = Counter(word for of in vocabulary.values() for word in of)
    weights = {w: 1 + math.log(len(vocabulary) / n) for w, n in sorted(scenes.items())}
    columns = {word: i for i, word in enumerate(weights)}
    number = {scene: i for i, scene in enumerate(vocabulary)}
    weight = lambda word: IDLE_WEIGHT if word in IDLE else weights[word]
    return _Index(
        weights,
        UNKNOWN * max(weights.values()),
        list(weights),
        _Groups(counted, columns),
        _Groups(map(sorted, vocabulary.values()), columns),
        [number[scene] for scene, _ in phrases()],
        np.array([weight(word) * n for of in counted for word, n in of.items()]),
    )


def _alike(heard: list[str], known: list[str]) -> np.ndarray:
    """How alike each word heard is to each known, 0 to 1; a placeholder is like itself alone."""
    table = process.cdist(heard, known, scorer=fuzz.ratio, score_cutoff=LIKE) / 100
    stands = lambda words: np.array([word[0] == "{" for word in words])
    letters = lambda words: np.array([len(word) for word in words])
    table[letters(heard)[:, None] + letters(known) <= SHORT] = 0
    table[stands(heard)[:, None] | stands(known)] = 0
    table[np.array(heard)[:, None] == np.array(known)] = 1
    return table
