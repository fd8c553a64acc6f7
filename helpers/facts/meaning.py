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
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from ..common import contractions
from . import DATA, dates, holidays, spoken_numbers, tax, toml_files

MONTHS = "january february march april may june july august september october november december".split()  # fmt: skip
MONTH = "|".join(MONTHS)
OF_A_YEAR = re.compile(
    rf"(?i)\b(?:(?P<m1>{MONTH}) (?:the )?(?P<d1>\d\d?)|(?P<d2>\d\d?)(?:st|nd|rd|th)? (?:of )?(?P<m2>{MONTH}))(?:st|nd|rd|th)?\b"
)
TODAY_IS = re.compile(r"(?i)\b(?:if |suppose |given that )?today(?:'s date)? is (?:the )?")
HEAT = re.compile(r"(?i)(-?\d+(?:\.\d+)?) ?(?:°|degrees?)? ?(celsius|centigrade|fahrenheit|[cf]\b)")
STATUS = "|".join(tax.WORDS.values()).replace(" ", "[ _]")
ENOUGH = (
    0.55  # of 1: from here a phrase is what was meant; tests/facts/test_meaning.py has both sides
)
LIKE = 70  # of 100: less like than that, two words have nothing to do with each other
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
    if name := holidays.found(text):
        text = re.sub(rf"(?i)\b{re.escape(name)}(?!\w)", " {day} ", text)
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
    """The `most` scenes that come nearest, as Meants, the nearest first; however far."""
    words = plain(text)
    if not words:
        return []
    known, vocabulary, weights = _index()
    others = _others(text)
    heard = Counter(words)
    best: dict[str, Meant] = {}
    alike = _alike(frozenset(heard), frozenset(weights))
    rarest = max(weights.values())
    weight = lambda word: IDLE_WEIGHT if word in IDLE else weights.get(word, UNKNOWN * rarest)
    total = sum(weight(w) * n for w, n in heard.items())
    in_scene = {
        scene: {h: ELSEWHERE * max(alike(h, w) for w in of) for h in heard}
        for scene, of in vocabulary.items()
    }
    for scene, phrase, wanted in known:
        if scene in others:
            continue
        of_phrase = sum(weight(w) * n * max(alike(h, w) for h in heard) for w, n in wanted.items())
        of_heard = sum(weight(h) * n * max(in_scene[scene][h], *(alike(h, w) for w in wanted)) for h, n in heard.items())  # fmt: skip
        whole = sum(weight(w) * n for w, n in wanted.items())
        likeness = (of_phrase + of_heard) / (whole + total)
        if likeness > best.get(scene, Meant("", "", -1)).likeness:
            best[scene] = Meant(scene, phrase, round(likeness, 3))
    return sorted(best.values(), key=lambda one: (-one.likeness, one.scene))[:most]


def load() -> None:
    """Read all phrases now, which takes a tenth of a second."""
    _index()


@functools.cache
def _index():
    """([(scene, phrase, {word: how often})], {scene: its words}, {word: weight}): a word of many
    scenes weighs little.
    """
    known = [(scene, phrase, Counter(plain(phrase))) for scene, phrase in phrases()]
    scenes = {scene for scene, _, _ in known}
    of: dict[str, set[str]] = {}
    vocabulary: dict[str, set[str]] = {}
    for scene, _, words in known:
        vocabulary.setdefault(scene, set()).update(words)
        for word in words:
            of.setdefault(word, set()).add(scene)
    weights = {w: 1 + math.log(len(scenes) / len(found)) for w, found in of.items()}
    return known, vocabulary, weights


def _alike(heard, known):
    """(word heard, word known) -> how alike they are, from 0 to 1."""
    rows, columns = sorted(heard), sorted(known)
    table = process.cdist(rows, columns, scorer=fuzz.ratio, score_cutoff=LIKE)
    row, column = {w: i for i, w in enumerate(rows)}, {w: i for i, w in enumerate(columns)}

    def alike(h, k):
        if h == k:
            return 1.0
        if h[0] == "{" or k[0] == "{":
            return 0.0
        return float(table[row[h], column[k]]) / 100 if k in column else 0.0

    return alike
