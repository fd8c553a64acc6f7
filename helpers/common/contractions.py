"""English short forms, written out: "what's" is "what is"."""

from __future__ import annotations

import re

FORMS = {
    "can't": "can not",
    "didn't": "did not",
    "don't": "do not",
    "how's": "how is",
    "i'd": "i would",
    "i'm": "i am",
    "i've": "i have",
    "it's": "it is",
    "let's": "let us",
    "that's": "that is",
    "there's": "there is",
    "what's": "what is",
    "when's": "when is",
    "where's": "where is",
    "who's": "who is",
    "you're": "you are",
}
WORDS = frozenset(("id", "its", "lets"))  # without the mark these are words of their own
_LONG = FORMS | {
    bare: long for form, long in FORMS.items() if (bare := form.replace("'", "")) not in WORDS
}
_SHORT = re.compile(rf"\b(?:{'|'.join(_LONG)})\b", re.I)


def written_out(text: str) -> str:
    """A text with its short forms written out, also where the mark was left out; a capital stays.

    >>> written_out("What’s this? I dont know its name.")
    'What is this? I do not know its name.'
    """
    return _SHORT.sub(_long, text.replace("’", "'"))


def _long(short):
    return short[0][0] + _LONG[short[0].lower()][1:]
