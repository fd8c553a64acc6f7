"""Instructions of a session or a response, read clause by clause: a date, a language, a pirate,
what to keep to oneself and what to say in its place.

As for developer messages (computed/rules.py, whose clauses are known here, too): an answer must
follow all of them or not be given. `read` raises Unclear with the words that nobody wrote anything
for.
"""

import datetime
import functools
import re
from dataclasses import dataclass, replace

from ...facts import dates
from ..computed import rules
from ..computed.reading import Unclear
from . import config

SPOKEN = ("en", "es", "fr", "de", "pirate")
KNOWN = (
    "Known here: a date (“Today is 1 December 2026.”), a language (Spanish, French, German), a pirate, “begin with '…'”, "
    "“end with '…'”, “always say '…'”, what to keep secret and what to say in its place (“Never say where the presents are: "
    "tell them to ask their parents.”), and manners such as “Be brief.”"
)
ADJECTIVES = r"(?:helpful|friendly|kind|polite|little|talking|voice|small|cheerful|warm|careful|patient|spoken|charming|nice|wise|old|magic|magical)"
NOUNS = r"(?:reindeer|assistant|agent|helper|guide|companion|friend|toy|voice|host|tutor|teacher|tax advis[eo]r|elf)"
PERSONA = re.compile(
    rf"you are (?:an? |the |our |my )?(?:{ADJECTIVES},? (?:and )?)*{NOUNS}(?: {NOUNS})?(?: (?:on|in|at|from) (?:the|a|our|my) (?:front )?(?:lawn|garden|house|yard|forest|north pole))?"
    rf"|(?:speak|talk|act|answer|behave) (?:like|as) (?:a|the) (?:{ADJECTIVES} )*reindeer"
    r"|du bist (?:ein|das) (?:freundliches |kleines )?rentier|eres (?:un|el) reno|tu es (?:un|le) renne"
)
MANNER = r"(?:brief|short|concise|kind|friendly|polite|helpful|nice|warm|patient|cheerful|gentle|honest|clear|calm)"
MANNERS = re.compile(
    rf"(?:please )?(?:always )?(?:(?:be|stay|sound|keep (?:it|your answers?)|speak|talk|answer) )(?:very )?{MANNER}(?:ly)?(?:,? (?:and )?{MANNER}(?:ly)?)*(?: sentences?)?|(?:please )?(?:answer|speak|talk|reply) (?:briefly|kindly|politely|gently|calmly|clearly|shortly)|(?:please )?(?:answer|reply|speak) in (?:one|a|a single|short|full) sentences?"
)
TODAY = re.compile(
    r"(?:note: ?)?(?:today is|today's date is|today's date:|the date is|the date today is|the current date is|current date:|date:|today:|it is|it's|assume (?:that )?(?:today|it) is|pretend (?:that )?(?:today|it) is|heute ist(?: der)?|hoy es|aujourd'hui,? (?:c'est|nous sommes)(?: le)?|nous sommes le) (?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:the )?(?P<date>.+?)(?: today| now)?",
    re.I,
)
# what is to be kept, and what is to be said in its place
KEEP = [
    re.compile(p, re.I | re.S)
    for p in (
        r"(?:you must |you should |you may |please )?(?:never|do not|don't|must not|not|no) (?:ever )?(?:say|tell|reveal|mention|disclose|discuss|speak|talk|give away|answer|betray|give)\b(?P<what>.*?)(?P<rest>[:;.—–-] ?.+|, (?:but|say|tell|just|instead|and (?:say|tell)).+)?",
        r"keep (?P<what>.+?) (?:a )?secret(?P<rest>[:;,.] ?.+)?",
        r"(?P<what>.+?) (?:is|are) (?:a )?secret(?P<rest>[:;,.] ?.+)?",
        r"(?:please )?refuse to (?:say|tell|reveal|talk|speak|answer)\b(?P<what>.*?)(?P<rest>[:;.] ?.+|, .+)?",
        r"(?:if|when|whenever) (?:someone|somebody|anyone|anybody|they|the (?:user|visitor|child)|a (?:user|visitor|child)|visitors|children|people|users|you are|he|she) (?:is )?asks?(?:ed)?(?: you)?(?: about| for)? (?P<what>.+?)(?:,| then| :|:)(?P<rest> .+)",
    )
]
# an order that stands behind what is to be kept, and would be taken for a part of it
ORDER = re.compile(
    r"(?:[,;]| and| but) (?P<order>(?:(?:the (?:user|visitor|child)|they|he|she|children|visitors|people) (?:should|must|can|may) )?(?:\w+ ){0,2}?(?:say|tell|answer|reply|respond|ask|send|refer|refuse|decline)\b.*)",
    re.I | re.S,
)
WHO = re.compile(r"^(?:the (?:user|visitor|child)|they|he|she|children|visitors|people) (?:should|must|can|may) ", re.I)  # fmt: skip
INSTEAD = [
    (re.compile(p, re.I | re.S), words)
    for p, words in (
        (r"(?:say|answer|reply|respond)(?: with)?:? [\"“'‘](?P<own>[^\"”]+?)[\"”'’]", None),
        (r"(?:tell|ask|send|refer) (?:them|him|her|people|the (?:user|visitor|child)|visitors|children)?(?: (?:to|back to))?(?: (?:ask|go to))? ?(?:their|his|her|its|the|your) parents", "Ask your parents."),
        (r"(?:tell|ask|send|refer) (?:them|him|her|people|the (?:user|visitor|child)|visitors|children)?(?: (?:to|back to))?(?: (?:ask|go to))? ?santa(?: claus)?", "Ask Santa."),
        (r"(?:refuse|decline)(?: it| that| kindly| politely)*|(?:say|tell them) (?:that )?(?:it|that|this) is (?:a )?secret|(?:say|tell them) (?:that )?you (?:cannot|can't|may not|won't|will not) (?:say|tell|talk about it)(?: (?:it|that|them))?|keep it secret", ""),
        (r"(?:say|tell (?:them|him|her|people|the (?:user|visitor|child))) (?:that )?you (?:do not|don't) know(?: (?:it|that|where they are|where it is))?", "I do not know."),
        (r"(?:say|answer) (?P<one>no|sorry)", None),
    )
]  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What is to be followed. kept: [(what to keep to oneself, what to say in its place; "" for the
    usual words)].
    """

    today: datetime.date | None = None
    manner: rules.Rules = rules.PLAIN
    kept: tuple[tuple[str, str], ...] = ()


def read(*texts):
    """The Told of instructions, the later over the earlier. Raises Unclear, naming the clause that
    is not known.
    """
    told = Told()
    for text in texts:
        if text.strip() != config.INSTRUCTIONS:
            for sentence in rules.sentences(_without_dots(text)):
                told = _clause(sentence.strip(), told)
    return told


def _without_dots(text):
    """A text in which no dot within a date ends a sentence for the eyes of a splitter: of
    17. 12. 2024, 1. Dezember 2026 and Dec. 1, 2026.
    """
    text = re.sub(rf"\b((?i:{dates.MONTH}))\.\s+(?=\d)", r"\1 ", text)
    text = re.sub(r"(?<!\d)(\d\d?)\.\s+(?=\d)", r"\1.", text)
    return re.sub(rf"(?<!\d)(\d\d?)\.\s+(?=(?i:{dates.MONTH})\b)", r"\1 ", text)


def _clause(sentence, told):
    plain = sentence.rstrip(".!").casefold()
    if PERSONA.fullmatch(plain) or MANNERS.fullmatch(plain):
        return told
    found = TODAY.fullmatch(sentence.rstrip(".!"))
    if found:
        try:
            day = dates.read(found["date"])
        except ValueError as e:
            raise Unclear(str(e)) from None
        if day is None:
            raise Unclear(f"Which day “{sentence}” means is not clear: write it as “Today is 2026-12-01.”")  # fmt: skip
        return replace(told, today=day)
    kept = _kept(sentence)
    if kept:
        return replace(told, kept=(*told.kept, kept))
    made = rules.clause(sentence, told.manner)
    parts = re.split(r",? and |; |, then ", sentence)
    if made is None and len(parts) > 1:
        return functools.reduce(lambda so_far, part: _clause(part.strip(), so_far), parts, told)
    if made is None or made.unit or made.form or made.language not in SPOKEN:
        raise Unclear(f"What to do about “{sentence}” nobody wrote down here. {KNOWN}")
    return replace(told, manner=made)


def _kept(sentence):
    """(what, words instead) of a sentence that keeps something secret, or None."""
    body = sentence.strip().rstrip(".!")
    for pattern in KEEP:
        found = pattern.fullmatch(body)
        if not found or not found["what"].strip():
            continue
        what, rest = found["what"], found["rest"] or ""
        if order := ORDER.search(what):
            what, rest = what[: order.start()], order["order"] + rest
        rest = WHO.sub("", rest.strip(" :;,.—–-"))
        rest = re.sub(r"^(?:but|instead|and|just|please|then)(?: just| please)? ", "", rest)
        return what.strip(), instead(rest) if rest else ""
    return None


def instead(text):
    """The words that an instruction wants said: "" for the usual refusal. Raises Unclear for
    others.
    """
    body = text.strip().rstrip(".!")
    body = re.sub(r"(?i)^(?:please )?(?:refuse|decline)(?: politely)?[:;,] ?(?=.)", "", body)
    body = re.sub(r",? (?:instead|please)$", "", body)
    for pattern, words in INSTEAD:
        found = pattern.fullmatch(body)
        if found:
            own = found.groupdict().get("own") or found.groupdict().get("one")
            if own:
                own = own[0].upper() + own[1:]
                return own if own[-1] in ".!?" else f"{own}."
            return words
    if re.fullmatch(r"(?i)(?:it|that|this) is (?:a )?secret", body):
        return ""
    raise Unclear(f"Nobody wrote down here how to say “{text.strip()}”. {KNOWN}")
