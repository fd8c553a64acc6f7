"""The names: the rows of data/day9_names.csv, the models that end, and the words without which a
file cannot have them.
"""

import functools
import re
from dataclasses import dataclass

from ...facts import tables
from ...facts.models import models
from ...facts.prices import replacement
from .files import ENDS
from .reading import plain

CALLED = tuple(f"responses.{call}" for call in ("create", "parse", "stream", "new")) + (
    "v1/responses",
)
SESSION = ("session", "realtime", "inputaudio", "outputaudio", "responseoutput")
SESSION += ("responsecreate", "responseproperties", "response.create")
# {context: words of which a file must have one, in lower case without underscores}
WORDS = {
    "session": (*SESSION, "turndetection"),
    "flat": SESSION,
    "flat voice": ("realtime", "session.update", "response.create"),
    "flat input": SESSION,
    "sound of a session": (*SESSION, "turndetection", "response.", "conversation.item"),
    "assistant item": ("realtime", "conversation.item"),
    "method": ("method",),
    "responses": CALLED,
    "argument of responses": CALLED,
    "part of responses": CALLED,
}


# {lexer of a language in which each string stands in quotation marks: these}
QUOTED = {
    **dict.fromkeys("python java kotlin csharp c cpp swift dart json".split(), "\"'"),
    **dict.fromkeys("javascript typescript go".split(), "\"'`"),
}
# what a file says that holds a client of the Assistants API, of the SDKs for .NET and for Kotlin
OF_ASSISTANTS = ("assistantclient", "openai.assistants", "aallam.openai.api")
OF_A_MODEL = ("o-series", "tools of a reasoner")  # only beside one that ends


@functools.cache
def names():
    """The rows of data/day9_names.csv, as dictionaries."""
    return tables.rows("day9_names.csv")


@functools.cache
def ended():
    """{model id: its row} of data/models.csv, for those that have a shutdown date, or a
    replacement: of one, sources give two dates.
    """
    return {model: row for model, row in models().items() if row["shutdown"] or row["replacement"]}


@functools.cache
def spellings(name, pattern):
    """All that is looked for of a row."""
    return tuple((pattern or name).split("|"))


class Words(dict):
    """{word: whether a text has it}, each looked for when it is first asked for."""

    def __init__(self, text):
        self.text = text

    def __missing__(self, word):
        self[word] = has = word in self.text
        return has


@dataclass(frozen=True)
class Needed:
    """What a text has if it has a row's name. ways: words, of one of these tuples all; context:
    words, of which one; heads: what the name begins with, one of these; spelled: a pattern of the
    name with what may stand beside it; quoted: the same where each string stands in quotation
    marks.
    """

    row: dict
    ways: tuple
    context: tuple
    heads: tuple
    spelled: re.Pattern
    quoted: re.Pattern

    def named(self, bare, quoted=False):
        """bare: Words of a text in lower case without underscores."""
        if not any(all(map(bare.__getitem__, words)) for words in self.ways):
            return False
        pattern = self.quoted if quoted else self.spelled
        return any(pattern.match(bare.text, at) for at in places(self.heads, bare.text))


def places(heads, text):
    """Where one of some texts stands in another. To try a pattern there alone takes a small part of
    the time that it takes at every letter.
    """
    for head in heads:
        at = text.find(head)
        while at >= 0:
            yield at
            at = text.find(head, at + 1)


def possible(lower, end=""):
    """The rows that a text may have, and whether it may have a model. lower: the text in lower
    case; end: of its file's name. Nothing else of a text without these words needs to be read.
    """
    quotes = QUOTED.get(ENDS.get(end), "")
    bare = Words(lower.replace("_", ""))
    has_model = (
        has_id(lower, quotes)
        or _split_id(lower)
        or (bare["chatmodel"] and _constants().search(bare.text) is not None)
    )
    rows = [
        needed.row
        for needed in _needed()
        if (has_model or needed.row["context"] not in OF_A_MODEL)
        and (not needed.context or any(map(bare.__getitem__, needed.context)))
        and needed.named(bare, bool(quotes))
    ]
    return rows, has_model


def has_words(text):
    """Whether a part of a text may have a name, whatever stands around it."""
    lower = text.lower()
    squeezed = lower.replace("_", "")
    if _first_words().search(squeezed):
        bare = Words(squeezed)
        if any(needed.named(bare) for needed in _needed()):
            return True
    return has_id(lower)


@functools.cache
def _first_words():
    """Matches the first word of any way in which a text has a name: most strings have none."""
    words = {words[0] for needed in _needed() for words in needed.ways}
    return re.compile(_either(sorted(map(re.escape, words))))


@functools.cache
def ids():
    """Matches the id of a model that ends, on its own or tuned."""
    either = "|".join(sorted(map(re.escape, ended()), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w.:/-])(?:(?:openai/)?({either})(?![\w.:/-])|ft:({either})(?=[:\"'`]))"
        rf"|(?<=openai:)({either})(?![\w.:/-])"
    )


def has_id(lower, quotes=""):
    """quotes: where each string stands in these, the id of a model is a whole string, or what a
    model's name is given.
    """
    if not quotes:
        return next(ids_in(lower), None) is not None
    whole, given = _ids_in_place(quotes)
    there = False
    for at in places(_beginnings(), lower):
        there = True
        if lower[at - 1 : at] in (*quotes, "/", ":") and any(
            whole.match(lower, at - len(before)) for before in _BEFORE if at >= len(before)
        ):
            return True
    of = ("model", "--model", "deployment=")
    return there and any(given.match(lower, at) for at in places(of, lower))


_BEFORE = ('"', '"openai/', "ft:")  # how far before an id what tells it may begin


def ids_in(text):
    """A match of `ids` for each id in a text, in order."""
    starts = set()
    for at in places(_beginnings(), text):
        starts.add(at)
        starts |= {
            at - len(before) for before in ("openai/", "ft:") if text.endswith(before, 0, at)
        }
    reached = 0
    for at in sorted(starts):
        if at >= reached and (found := ids().match(text, at)):
            reached = found.end()
            yield found


@functools.cache
def _beginnings():
    """Ids of which every other begins with one."""
    return tuple(m for m in ended() if not any(m != o and m.startswith(o) for o in ended()))


@functools.cache
def _ids_in_place(quotes):
    """The patterns of an id that is a whole string, and of one that a model's name is given."""
    either = _either(sorted(map(re.escape, ended()), key=len, reverse=True))
    given = r"model\w*\\?[\"']?\s{0,20}[:=]\s{0,20}\\?[\"']?|--model[ =]|deployment="
    return (
        re.compile(
            rf"[{quotes}](?:openai[/:])?{either}(?:\s|\\n)*\\?[{quotes}]|\bft:{either}[:\"'`]"
        ),
        re.compile(rf"(?:{given})(?:openai[/:]|ft:)?{either}(?![\w.:/-])"),
    )


# "gpt-" + "4o", "gpt-" "4o"; a comment may hide what follows
_SPLIT = re.compile(
    r"[\"'](?:gpt|o\d)-[\w.-]*[\"'](?:\s*[+.]\s*|\s+)(?:[frub]{0,2}[\"'`]|#|//|/\*)"
)


def _split_id(lower):
    return _SPLIT.search(lower) is not None


@functools.cache
def _constants():
    """Of an SDK, in a text in lower case without underscores: chatmodelo1mini, chatmodel.o1mini."""
    names = _either(re.sub(r"\W", "", model) for model in ended())
    return re.compile(rf"chatmodel\.?{names}\b")


@functools.cache
def _needed():
    return tuple(
        Needed(
            row,
            _words(row),
            WORDS.get(row["context"], ()),
            tuple(sorted({words[0] for words in _words(row)})),
            _spelled(row),
            _spelled(row, True),
        )
        for row in names()
    )


# A name is a word of its own; in a string, \n may stand before it. What is given a value has a sign
# behind it, or a comment that hides one.
_ALONE = r"(?:(?<![a-z0-9$])|(?<=\\n))"
_HIDDEN = r"//|#|/\*|\\n"
_GIVEN = rf"\s*(?:\\?[\"'`,]|[?!:=({{}}\]),]|{_HIDDEN}|\Z|to\b)|\s{{40}}"
_OF = r"(?:\(\))?\s*[?!]?(?:(?:\.|->|::)"


def _spelled(row, quoted=False):
    """The pattern of a row's name in a text in lower case without underscores."""
    wanted = spellings(row["name"], row["pattern"])
    if row["name"] == "client_secret.value":
        return re.compile(r"clientsecret(?:\(\))?[\"'\]]{0,2}[?!]?(?:\.|\[[\"'])value")
    if row["context"] == "offer":
        return re.compile(r"/realtime[?\"'` )]")
    if row["found"] == "key":
        return re.compile(f"{_ALONE}{_either(map(plain, wanted))}(?:{_GIVEN})")
    if row["found"] == "code":
        chains = []
        for name in _calls(row):
            first, *others = map(plain, name.strip(".").split("."))
            follows = rf"\s*(?:{others[0]}(?![a-z0-9$])|{_HIDDEN})" if others else ""
            chains.append(
                f"{first}{_OF}{follows}|{_HIDDEN})" if others else f"{first}(?![a-z0-9$])"
            )
        return re.compile(f"{_ALONE}{_either(chains)}")
    either = _either(re.escape(_bare(name)) for name in wanted)
    bare = row["kind"] == "event" and not quoted  # as an item of YAML
    if row["found"] == "value" and (quoted or not row["name"].isidentifier()) and not bare:
        before = r"(?:(?<=[\"'`])|(?<=[\"'`]server\.))"
        return re.compile(rf"{before}{either}\s*\\?[\"'`]")
    return re.compile(either)


def _calls(row):
    """What is looked for of a row of calls."""
    more = OF_ASSISTANTS if row["name"] in ("beta.assistants", "beta.threads") else ()
    return (*spellings(row["name"], row["pattern"]), *more)


def _either(names):
    return f"(?:{'|'.join(names)})"


def _words(row):
    """Words of which a text has all of one tuple, if it has the row's name."""
    if row["name"] == "client_secret.value":
        return (("clientsecret",),)
    if row["context"] == "offer":
        return (("/realtime",),)
    wanted = spellings(row["name"], row["pattern"])
    if row["context"] == "assistant item":
        return ((wanted[0], "assistant"),)
    if row["found"] == "code":
        return tuple(tuple(map(plain, name.strip(".").split("."))) for name in _calls(row))
    if row["found"] == "key":
        return tuple((plain(name),) for name in wanted)
    return tuple((_bare(name),) for name in wanted)


def _bare(name):
    return name.lower().replace("_", "")


@functools.cache
def model_row(model):
    """A row as those of `names`, for a model that ends."""
    row = ended()[model]
    named, new = row["replacement"], replacement(model)
    # o4-mini, named for o1-mini, has ended itself
    heir = (
        f"OpenAI names {named} for it, whose own end is {models()[named]['shutdown']}."
        if named and new != named
        else ""
    )
    uncertain = "ending, on a day that sources give differently"
    return {
        "kind": "model",
        "name": model,
        "since": row["shutdown"],
        "status": "shutdown" if row["shutdown"] else uncertain,
        "instead": new,
        "change": heir if new else "OpenAI names no replacement in the sources we have.",
    }


def said(row):
    """A row as a sentence: what it was, since when, what to write."""
    when = f" ({row['status']}{' ' + row['since'] if row['since'] else ''})"
    now = f": now {row['instead']}" if row["instead"] else ""
    return f"{row['kind']} {row['name']}{when}{now}. {row['change']}".strip()
