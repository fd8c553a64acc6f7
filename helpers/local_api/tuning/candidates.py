"""What a stand-in can say: to each prompt the answers that some file holds for it, and nothing
else.

A file knows its own prompts; those of data/preferences are always there. A prompt is known by its
whole conversation; blanks, and whether its rules are called system or developer, make no
difference.
"""

import functools
import hashlib
import json
import logging

from ...common.other_words import words
from ...facts import DATA
from ...facts.policy import text_of
from .. import canonical

SHIPPED = DATA / "preferences"
MOST_HELD = 5_000  # conversations that are compared by their words


def key(messages):
    """The text under which equal conversations meet."""
    return json.dumps(
        [[m.get("role"), m.get("content")] for m in canonical.canonical_value(messages)],
        ensure_ascii=False,
    )


def _said(messages):
    """What each message says, as the words that tell one question from another."""
    contents = [m.get("content") for m in messages]
    return [words(said if isinstance(said, str) else json.dumps(said)) for said in contents]


def nearest(messages, sources):
    """The conversation that a file holds and that asks the same in other words; None where none or
    several do.

    The rules before the question may be left out, and must else be the same. Where files hold more
    than MOST_HELD conversations, none is looked for: whoever asks would hold up all others.
    """
    *rules, asked = _said(messages) if messages else [[]]
    if not asked or sum(map(len, sources)) > MOST_HELD:
        return None
    found = {}
    for source in sources:
        for name, (held, _) in source.items():
            held = json.loads(held)
            *held_rules, held_asked = _said(held)
            alone = not rules and all(m["role"] in ("system", "developer") for m in held[:-1])
            if held_asked == asked and (alone or held_rules == rules):
                found[name] = held
    return next(iter(found.values())) if len(found) == 1 else None


def last_words(messages):
    """What was said last, as text."""
    said = messages[-1].get("content") if messages else None
    return said if isinstance(said, str) else ""


def prompts(rows):
    """{key: (messages, answers)} of the lines of a training file
    (helpers/facts/preference_file.py), or of a held-out one with `candidates`; the messages as
    JSON: of a large file there are so many that Python's collector takes long to go through them.
    """
    known = {}
    for row in rows:
        if "messages" in row:
            *messages, last = row["messages"]
            if last["role"] != "assistant":  # for reinforcement: a question alone
                continue
            answers = [last]
        else:
            messages, answers = (
                row["input"]["messages"],
                row.get("candidates") or row["preferred_output"] + row["non_preferred_output"],
            )
        if messages:
            _, said = known.setdefault(key(messages), (json.dumps(messages), {}))
            texts = [text_of(a.get("content")) for a in answers]
            said |= {text: None for text in texts if text}
    return {name: (messages, tuple(said)) for name, (messages, said) in known.items()}


@functools.cache
def shipped():
    """{key: (messages, answers)} of data/preferences. One broken by hand is left out."""
    known = {}
    for file in sorted(SHIPPED.glob("*.jsonl")):
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                found = prompts([json.loads(line)])
            except (ValueError, LookupError, TypeError, AttributeError) as e:
                logging.warning(
                    "data/preferences/%s, line %d is left out: %r", file.name, number, e
                )
                continue
            for name, (messages, answers) in found.items():
                _, said = known.get(name, (messages, ()))
                known[name] = messages, tuple(dict.fromkeys(said + answers))
    return known


def candidates(name, sources):
    """The answers that any of `sources` ({key: (messages, answers)} each) holds for the prompt with
    this key.

    In an order that says nothing about which was preferred: a policy that likes all the same takes
    the first.
    """
    said = {answer for source in sources if name in source for answer in source[name][1]}
    return sorted(said, key=lambda text: hashlib.sha256(text.encode()).digest())
