"""What a stand-in can say: to each prompt the answers that some file holds for it, and nothing
else.

A file knows its own prompts; those of data/preferences are always there. A prompt is known by its
whole conversation; blanks, and whether its rules are called system or developer, make no
difference.
"""

import functools
import hashlib
import json

from ...facts import DATA
from .. import canonical

SHIPPED = DATA / "preferences"


def key(messages):
    """The text under which equal conversations meet."""
    return json.dumps(
        [[m.get("role"), m.get("content")] for m in canonical.canonical_value(messages)],
        ensure_ascii=False,
    )


def last_words(messages):
    """What was said last, as text."""
    said = messages[-1].get("content") if messages else None
    return said if isinstance(said, str) else ""


def prompts(rows):
    """{key: (messages, answers)} of the lines of a training file
    (helpers/facts/preference_file.py), or of a held-out one with `candidates`.
    """
    known = {}
    for row in rows:
        if "messages" in row:
            *messages, last = row["messages"]
            answers = [last]
        else:
            messages, answers = (
                row["input"]["messages"],
                row.get("candidates") or row["preferred_output"] + row["non_preferred_output"],
            )
        if messages:
            _, said = known.setdefault(key(messages), (messages, []))
            said += [a["content"] for a in answers if a.get("content") and a["content"] not in said]
    return known


@functools.cache
def shipped():
    """{key: (messages, answers)} of data/preferences."""
    return prompts(
        json.loads(line)
        for file in sorted(SHIPPED.glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    )


def candidates(name, sources):
    """The answers that any of `sources` ({key: (messages, answers)} each) holds for the prompt with
    this key.

    In an order that says nothing about which was preferred: a policy that likes all the same takes
    the first.
    """
    said = {answer for source in sources if name in source for answer in source[name][1]}
    return sorted(said, key=lambda text: hashlib.sha256(text.encode()).digest())
