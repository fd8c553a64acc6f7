"""Where the names of data/day9_names.csv stand in a text."""

import functools
import re

from .contexts import CONTEXTS
from .reading import plain
from .rules import OF_ASSISTANTS, spellings


def row_hits(row, code):
    """(start, length, sure) of each place of one row's name."""
    for start, length, dead in FOUND[_way(row)](row, code):
        if dead is not False:
            yield start, length, dead is not None


def _way(row):
    if row["context"] == "offer":
        return "offer"
    if row["name"] == "client_secret.value":
        return "secret"
    return row["found"]


def _fits(row, token, code):
    context = row["context"]
    return CONTEXTS[context](token, code) if context else True


# ---- text


@functools.cache
def _spelled(names):
    return re.compile(
        "|".join(
            ("" if name[0] == "/" else r"(?<![\w-])") + re.escape(name) + r"(?![\w-])"
            for name in names
        )
    )


OURS = re.compile(r"openai|localhost|127\.0\.0\.1")  # a host that may be asked for OpenAI's API
BEGINS = re.compile(r"(?:[\"'`\s(=}>,:)\]]|/v\d|/openai|/api)$")  # what may stand before a path
HOST = re.compile(r"(?:https?|wss?)://([\w.-]*)[^\s\"'`<>]*$")


def _text(row, code):
    if row["kind"] == "header" and code.speaks.in_makers_file:
        return  # a service that is asked as OpenAI's beta was
    for m in _spelled(spellings(row["name"], row["pattern"])).finditer(code.clean):
        if m[0][0] != "/":
            dead = _begins_string(m.start(), code) or row["kind"] != "endpoint"
        elif m[0] in SHORT:
            dead = _of_a_client(m.start(), code)
        else:
            dead = _addressed(m.start(), code)
        yield m.start(), len(m[0]), dead


# paths that a web page may have, too
SHORT = {"/assistants", "/threads"}
OF_A_RUN = re.compile(r"/threads/(?:[^\"'`\s]{1,60}/)?(?:runs|messages)\b")  # which no one else has
CLIENT = re.compile(r"assistants=v\d|^\s*(?:package|module|namespace)\s+openai\b", re.M)


def _begins_string(start, code):
    return code.clean[max(0, start - 1) : start] in ('"', "'", "`")


def _of_a_client(start, code):
    """Whether a path without its /v1 begins a string of a file that is a client of OpenAI: it sends
    the header of the Assistants API, or is of a package of that name.
    """
    begins = _begins_string(start, code)
    if code.settings:  # a path of a description of the API
        line = code.clean[code.clean.rfind("\n", 0, start) + 1 : start]
        begins |= not line.strip() and "openai" in code.lower
    of_a_run = OF_A_RUN.match(code.clean, start) and "openai" in code.lower
    known = CLIENT.search(code.lower) is not None or of_a_run
    return bool(begins and not code.speaks.other and known)


def _addressed(start, code):
    """Whether a path is asked of OpenAI: its host is, or none is said and the file speaks with
    OpenAI; None where neither is said.
    """
    host = HOST.search(code.clean[max(0, start - 120) : start])
    if host and host[1]:
        return OURS.search(host[1]) is not None
    begins = BEGINS.search(code.clean[max(0, start - 12) : start])
    if code.speaks.other or start and not begins:
        return False  # paths/fine_tuning/jobs/post.yml is a file's
    return True if "openai" in code.lower else None


OFFER = re.compile(
    r"https?://[^\s\"'`<>]{1,200}/v1(/realtime)(?![\w/.-])"
    r"|(?:fetch|post|POST)\b[^\n]{0,80}?/v1(/realtime)(?![\w/.-])"
    r"|(/realtime)(?:\?[^\"'`\s]{0,200})?[\"'`]"
)


# a WebSocket that is opened by fetch("https://…"), as Cloudflare's workers do
UPGRADED = re.compile(r"\bupgrade\b[^\n]{0,20}\bwebsocket\b")


def _offer(row, code):
    """An offer posted to /v1/realtime, not to /v1/realtime/calls; a WebSocket (wss) keeps it."""
    if code.speaks.other or re.search(r"/calls\b", code.lower):
        return
    for m in OFFER.finditer(code.clean):
        group = m.lastindex
        at = m.start(group)
        host = HOST.search(code.clean[max(0, at - 120) : at])
        if host and host[1] and not OURS.search(host[1]):
            continue
        posted = re.compile(r"\bPOST\b|application/sdp").search(code.clean, m.end(), m.end() + 400)
        before = code.clean[max(0, at - 120) : at].rsplit("\n", 1)[-1]
        called = re.search(r"\b(?:fetch|request|urlopen)\(|\bpost\(|\.post\b", before, re.I)
        if group == 3 and not (posted and called or re.search(r"\.post\(", before)):
            continue
        if group == 3 and re.search(r"wss?:", before):
            continue
        if not posted and UPGRADED.search(code.lower):
            continue
        yield at, len("/realtime"), True


SECRET = re.compile(
    r"(?P<snake>client_secret)[\"'\]]{0,2}[?!]?(?:\.|\[[\"'])value\b"
    r"|(?P<camel>[cC]lientSecret)(?:\(\))?[\"'\]]{0,2}[?!]?(?:\.|\[[\"'])[vV]alue\b"
)


def _secret(row, code):
    """The secret inside the old answer: `made.client_secret.value`. A variable of that name which
    holds today's answer has its `value` at the top.
    """
    if code.speaks.other:
        return
    today = re.search(r"client_?secrets\b", code.lower) is not None
    for m in SECRET.finditer(code.clean):
        member = code.clean[max(0, m.start() - 2) : m.start()].rstrip()[-1:] in (".", '"', "'", ">")
        if member or not today and (m["snake"] or code.speaks.beta):
            yield m.start(), len(m[0]), True


# ---- words and strings


CALLED = r"(?:create|get|list|modify|update|delete|cancel|submit\w*to)\w*?"
NOUNS = {"beta.assistants": "assistants?", "beta.threads": "(?:threads?|runs?|messages?|runsteps?)"}


def _of_a_typed_client(row, code):
    """(start, length) of each call of a method such as `client.CreateRunStreamingAsync(…)`."""
    if row["name"] not in NOUNS or not any(mark in code.lower for mark in OF_ASSISTANTS):
        return
    named = re.compile(rf"\.({CALLED}{NOUNS[row['name']]}(?:streaming)?(?:async)?)\s*\(", re.I)
    for m in named.finditer(code.clean):
        yield m.start(1), len(m[1])


def _code(row, code):
    if code.speaks.other or not ("openai" in code.lower or "client" in code.lower):
        return
    for start, length in _of_a_typed_client(row, code):
        yield start, length, True
    names = spellings(row["name"], row["pattern"])
    chains = [(f".{plain(name.lstrip('.'))}.", name[0] == ".") for name in names]
    ends = {chain.rsplit(".", 2)[1] for chain, _ in chains}
    for t in code.tokens:
        small = "" if t.string else t.value.replace("_", "").lower()
        if not any(end in small for end in ends):
            continue
        said = re.sub(r"->|::", ".", re.sub(r"[()?!]|\s", "", t.value))
        words = f".{plain(said)}."
        for chain, member in chains:
            at = words.find(chain)
            if at < 0 or member and at == 0:
                continue
            first = re.search("_?".join(chain.split(".")[1]), t.value, re.I)
            yield t.start + first.start(), len(t.value) - first.start(), True
            break


FORWARDED = "server."  # before an event's name, in OpenAI's own client of the beta


def _value(row, code):
    wanted = spellings(row["name"], row["pattern"])
    if row["kind"] == "event" and (code.speaks.other or _also_today(row, code)):
        return
    bare = row["kind"] == "event" and code.settings
    for t in code.tokens:
        ahead = len(FORWARDED) if t.value.startswith(FORWARDED) else 0
        said = t.value[ahead:]
        if said in wanted and (t.string or bare) or t.string and t.whole in wanted:
            if row["context"] and t.key and t.form != "short":
                continue
            dead = _fits(row, t, code)
            yield (
                t.start + ahead,
                len(said),
                None if dead and (code.speaks.maker or code.speaks.framework) else dead,
            )


def _also_today(row, code):
    """A file that knows today's event beside the old one serves both: nothing in it must change."""
    return any(
        re.search(rf"[\"'`]{re.escape(now)}[\"'`]", code.clean)
        for now in row["instead"].split(", then ")
    )


def _read_of_a_session(row, code):
    """(start, length) of what a session alone had, where it is read: session.turn_detection"""
    speaks = code.speaks
    if row["context"] not in ("flat", "flat input") or speaks.other or speaks.framework:
        return
    if not speaks.current:
        first, *others = row["name"].split("_")
        names = "|".join((row["name"], first + "".join(map(str.title, others))))
        holder = r"\b\w*[sS]ession(?:_?[cC]onfig|_?[oO]ptions|_?[pP]roperties)?"
        read = re.compile(rf"{holder}[?!]?\.({names})\b(?!\s*[:(=](?!=))")
        for m in read.finditer(code.clean):
            yield m.start(1), len(m[1])


def _key(row, code):
    for start, length in _read_of_a_session(row, code):
        yield start, length, None if code.speaks.maker else True
    names = {plain(name) for name in spellings(row["name"], row["pattern"])}
    given = sorted((t for name in names for t in code.keyed(name)), key=lambda t: t.start)
    before = None
    for t in given:
        if before is not None and _same_field(before, t, code):
            continue
        dead = _fits(row, t, code)
        if dead is not False:
            before = t
            uncertain = _of_a_function(t) or code.speaks.maker
            yield t.start, len(t.value), None if dead and uncertain else dead


def _same_field(before, token, code):
    """The name and its type, `voice: Voice = …`, or a field and the attribute that names it."""
    if before.group is token.group:
        alike = before.unit == token.unit and not token.string
        return alike and code.place(before.start)[0] == code.place(token.start)[0]
    return before.string and before.form == "declared" and token.start - before.start < 160


def _of_a_function(token):
    """Whether a name is a parameter of a function of the program's own."""
    head = token.group.head.rstrip()
    return bool(re.search(r"\b(?:def|func|function|fun|fn)\s+\w+$", head))


FOUND = {
    "text": _text,
    "offer": _offer,
    "secret": _secret,
    "code": _code,
    "value": _value,
    "key": _key,
}
