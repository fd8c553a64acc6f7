"""Numbers in words as digits, as people say them and as ears write them down: the way back of
sounds.spoken.
"""

from __future__ import annotations

import re

from . import sounds

UNITS = {word: n for n, word in enumerate(sounds.ONES)}
TENS = {word: 10 * n for n, word in enumerate(sounds.TENS) if word}
POWERS = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
ORDINALS = {sounds.ordinal(n): n for n in range(1, 100) if " " not in sounds.ordinal(n)}
MIXED = re.compile(r"(?i)(?<![\w.,])(\d[\d,]*(?:\.\d+)?) (hundred|thousand|million|billion)\b")
WORDS = re.compile(r"[A-Za-z]+|[^A-Za-z]+")


def nth(n: int) -> str:
    """A number as it is written for its place.

    >>> nth(1), nth(12), nth(23), nth(111)
    ('1st', '12th', '23rd', '111th')
    """
    return (
        f"{n}{'th' if n % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"
    )


def digits(text: str) -> str:
    """A text with its numbers in digits. What is no number stays as it is.

    >>> digits("What is the tax on nine thousand three hundred and twenty-five dollars?")
    'What is the tax on 9325 dollars?'
    >>> digits("On the twenty second of May, twenty twenty-four, at a hundred degrees")
    'On the 22nd of May, 2024, at 100 degrees'
    >>> digits("20 thousand dollars, 1.5 million people")
    '20000 dollars, 1500000 people'
    """
    text = re.sub(r"(?i)\ba (?=(?:hundred|thousand|million)\b)", "one ", text)
    text = MIXED.sub(
        lambda m: (
            f"{float(m[1].replace(',', '')) * (POWERS | {'hundred': 100})[m[2].lower()]:.10g}"
        ),
        text,
    )
    out: list[str] = []
    group: list[str] = []  # the words of the number that is going on, and what was between them
    for piece in WORDS.findall(text):
        word = piece.lower()
        known = word in UNITS or word in TENS or word in POWERS or word in ORDINALS
        if known or word == "hundred" or (word == "and" and group and group[-2:-1] == ["hundred"]):
            group.append(word)
            if word in ORDINALS:
                out.append(_closed(group))
                group = []
        elif group and piece in (" ", "-"):
            group.append(piece)
        else:
            out += [_closed(group), piece]
            group = []
    return "".join([*out, _closed(group)])


def _closed(group):
    """The digits of a group of words, and the blank after it."""
    if not group:
        return ""
    rest = ""
    while group and group[-1] in (" ", "-", "and"):
        rest = group.pop() + rest
    words = [w for w in group if w not in (" ", "-", "and")]
    if words == ["second"]:  # of time, mostly
        return words[0] + rest
    total = part = 0
    said: list[int] = []  # numbers that follow one another: twenty | twenty four
    for word in words:
        value = UNITS.get(word, TENS.get(word, ORDINALS.get(word, 0)))
        if word == "hundred":
            part = (part or 1) * 100
        elif word in POWERS:
            total, part = total + (part or 1) * POWERS[word], 0
        elif part and not _fits(part, value):
            said, total, part = [*said, total + part], 0, value
        else:
            part += value
    said.append(total + part)
    if len(said) == 2 and 10 <= said[0] <= 99 and 10 <= said[1] <= 99:  # a year
        said = [said[0] * 100 + said[1]]
    last = nth(said[-1]) if words[-1] in ORDINALS else str(said[-1])
    return " ".join([*map(str, said[:-1]), last]) + rest


def _fits(part, value):
    """Whether a number goes on in another: twenty five, three hundred and four; not twenty
    twenty.
    """
    return value < 10 and part % 10 == 0 and part % 100 != 10 or value < 100 and part % 100 == 0
