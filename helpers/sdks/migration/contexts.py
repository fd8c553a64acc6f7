"""Where alone a name is dead: `modalities` in a Realtime session, not in Chat Completions; `voice`
where it is not below `output`; what a file says to be another maker's, or today's, nowhere.

Each function of CONTEXTS takes a Token and what was read of its file, and says whether the name is
dead there; None where it cannot be told, which becomes "perhaps".
"""

import bisect
import functools
import re

from ...facts import refusals
from ...facts.prices import replacement
from .reading import plain
from .rules import ended

NEAR = 300  # characters
FAR = 40  # tokens, brackets: how far a value or what is around a name is followed


def around(token, most=3):
    """The groups around a token, the innermost first."""
    group, found = token.group, []
    while group and len(found) < most:
        found.append(group)
        group = group.up
    return found


def beside(token):
    """{key: Token} of what is said beside a token, in the same brackets and the same statement."""
    return token.group.beside(token.unit)


def value_of(key, code):
    """The text that a key is given, as far as it stands in the file: of `body.model || "o1"` and
    `getenv("MODEL", "o1")`, the last.
    """
    if key.form == "short":  # its own value
        return code.known.get(key.value, "")
    value, text = key.after, ""
    for _ in range(FAR):
        if value is None or value.key and value is not key.after:
            break
        if not _within(value.group, key.group):
            break
        constant = code.known.get(value.value) or by_constant(value.value)
        text = (value.whole or value.value) if value.string else constant or text
        if value.string and value is key.after:
            break
        value = value.after
    return text


def _within(group, outer):
    for _ in range(FAR):
        if group is None or group is outer:
            break
        group = group.up
    return group is outer


def below(token, name):
    """Whether a token's brackets are those of a key, a variable or a type whose name has this in
    it: `"output": {…}`, `output = dict(…)`, `Input: &rt.AudioInput{…}`.
    """
    head = token.group.head
    line = head.rstrip()[head.rstrip().rfind("\n") + 1 :]
    named = rf"{name}\w*[\"']?\s*\??[:=]+\s*(?:[&*]?[\w.:<>]+\(?\s*)?$"
    typed = rf"\b\w*audio_?\w*{name}\w*\s*$"
    return bool(re.search(named, head, re.I) or re.search(typed, line, re.I))


# the words before a session's brackets: session = {…}, "session": {…}, session.update(…),
# updateSession(…), SessionProperties(…), interface RealtimeSession {…}
SESSION = re.compile(
    r"(?<![A-Za-z])(?:"
    r"\w*session\w*[\"'\])]*\s*\??(?::\s*[\w.]+\s*)?[:=]+\s*(?:dict|new\s|&|[\w.:]+[({]?)?"
    r"|sessions?\.(?:update|create)|\w*(?:update|send|create|configure)_?session\w*"
    r"|\w*session_?(?:update|properties|config|params|create|settings|options)\w*"
    r"|(?:interface|class|type|struct|record)\s+\w*(?:session|realtime)\w*[^{}\n]{0,40}"
    r"|response_?(?:create|properties)\w*"
    r"|\bresponse\.create|(?<![\w.])(?:\w*client|openai|\w*beta(?:\(\))?)\.realtime(?:\.\w+)*"
    r")\s*$",
    re.I,
)
# today's own types: RealtimeAudioConfigInputParam{…}, RealtimeAudioConfigInput.builder()
TYPED = re.compile(r"audio_?config_?(?:in|out)put", re.I)
# names that a session had and nothing else
ONLY_SESSION = {
    "inputaudioformat",
    "outputaudioformat",
    "inputaudiotranscription",
    "turndetection",
    "maxresponseoutputtokens",
    "outputmodalities",
}
DISTINCT = ONLY_SESSION - {"turndetection", "outputmodalities"}


def in_session(token, code):
    """Whether a token stands in a session, or in a response's settings."""
    said = beside(token)
    if "messages" in said:
        return False
    siblings = ONLY_SESSION & set(said) - {token.key}
    if siblings == {"outputmodalities"} and not re.search("realtime|session", code.lower):
        siblings = set()  # a library's own name for those of Chat Completions
    if token.key in DISTINCT | {"turndetection"} and "modalities" in said:
        return True
    if siblings or "model" in said and "realtime-preview" in value_of(said["model"], code):
        return True
    return in_event(token, code) or any(SESSION.search(g.head) for g in around(token))


def in_event(token, code):
    """Whether the words of an event stand around a token: {"type": "session.update", …}. What
    stands in no brackets has a whole file around it; of one that is today's, or a framework's for
    other makers, a few lines count.
    """
    speaks = code.speaks
    strange = speaks.current or speaks.framework and "openai" not in code.path
    for group in around(token):
        for key in group.named("type"):
            if strange and not group.bracket and abs(key.start - token.start) > NEAR:
                continue
            event = value_of(key, code)
            if event == "response.create" and group is token.group and group.bracket:
                continue  # of the Responses API, whose parameters stand beside the type
            if event in ("session.update", "response.create", "realtime"):
                return True
    return False


def _of_session(token, code):
    """A parameter of a beta session, in whatever form it is given."""
    speaks = code.speaks
    if speaks.other:
        return False
    if speaks.framework:
        return in_event(token, code)
    if token.form == "declared":
        return _declared(token, code)
    return in_session(token, code)


def _declared(token, code):
    """session.voice = …, session["voice"] = …, a member of a class, a struct's tag, a call that
    adds to an object.
    """
    if code.speaks.current:
        return False
    if re.search("session", token.receiver, re.I):
        return True
    if token.receiver and not re.search(
        "config|param|event|body|payload|update", token.receiver, re.I
    ):
        return _near_a_distinct(token, code)
    return any(SESSION.search(g.head) for g in around(token)) or _near_a_distinct(token, code)


def _near_a_distinct(token, code, most=1200):
    """Whether a name that only a beta session had is given within some lines."""
    for key in DISTINCT:
        given = code.keyed(key)
        n = bisect.bisect_left(given, token.start - most, key=lambda t: t.start)
        if any(t is not token and t.start - token.start < most for t in given[n : n + 2]):
            return True
    return False


def _flat(token, code):
    """A name that a session alone had: dead wherever it is a field, but where the file says that it
    is another's, or today's.
    """
    speaks = code.speaks
    if speaks.other:
        return False
    if speaks.framework:
        return in_event(token, code)
    if in_session(token, code):
        return token.form != "declared" or not speaks.current
    if speaks.current:
        return False
    if token.form == "declared" and "_" not in token.value and not speaks.beta:
        return _declared(token, code)
    return "_" in token.value or speaks.beta


def _flat_input(token, code):
    if below(token, "input") or is_typed(token) or token.form == "field" and "." in token.value:
        return False
    return _of_session(token, code)


def _flat_voice(token, code):
    if below(token, "output") or is_typed(token):
        return False
    return "realtime" in code.lower and _of_session(token, code) or _only_in(token, code)


def _only_in(token, code):
    return not code.speaks.other and not code.speaks.framework and in_event(token, code)


def is_typed(token):
    """Whether a token stands in one of the SDKs' types for the sound of a session, which exist only
    since the beta's end.
    """
    if TYPED.search(token.group.head[token.group.head.rfind("\n") + 1 :]):
        return True
    return any(TYPED.search(k.value) for k in beside(token).values())


def _sound_of_a_session(token, code):
    """Not the sound of Chat Completions, `audio={"voice": …, "format": "pcm16"}`, which has kept
    that name.
    """
    if below(token, "audio") or not _own_format(token, code):
        return False
    return (
        in_session(token, code) or _is_format(token) or (code.speaks.beta and not code.speaks.today)
    )


def _own_format(token, code):
    """A format that stands in OpenAI's session alone, in whatever way it is given."""
    if code.speaks.other or code.speaks.framework:
        return not code.speaks.other and in_event(token, code)
    return not code.speaks.current or in_session(token, code)


def _is_format(token):
    given = (*token.group.named("inputaudioformat"), *token.group.named("outputaudioformat"))
    return any(key.after is token for key in given)


RESPONSES = re.compile(r"responses\s*\.\s*(?:create|parse|stream|new)\s*$|/v1/responses\b", re.I)
# what may stand between a call and its arguments: create({…}), create(**{…}), post(URL, json=…),
# body: JSON.stringify({…})
WRAPPED = re.compile(
    r"(?:^|[(,])\s*(?:\*\*)?[\w.]*\s*$|\b(?:json|body|data)\s*[:=]\s*(?:[\w.]+\(?)?\s*$", re.I
)


def _in_responses(token, code):
    return any(RESPONSES.search(g.head) for g in around(token, 6))


def _argument_of_responses(token, code):
    """Directly among the arguments of a call, not in a schema or in metadata below them."""
    if token.form == "declared":
        return False
    for group in around(token, 5):
        if RESPONSES.search(group.head):
            return True
        if not WRAPPED.search(group.head):
            return False
    return False


def _part_of_responses(token, code):
    """In a call, beside a `type` that says the same: {"type": "function", "function": {…}}."""
    said = beside(token)
    return (
        "type" in said
        and plain(value_of(said["type"], code)) == token.key
        and _in_responses(token, code)
    )


def _tools_of_a_reasoner(token, code):
    said = beside(token)
    if "model" not in said or _in_responses(token, code):
        return False
    if not any("message" in key for key in said):
        return False
    model = value_of(said["model"], code)
    row = ended().get(model)
    body = {"model": replacement(model) if row else model, "tools": "sent"}
    if "reasoningeffort" in said:
        body["reasoning_effort"] = value_of(said["reasoningeffort"], code)
    return refusals.refusal("/v1/chat/completions", body) is not None


def _o_series(token, code):
    said = beside(token)
    return "model" in said and bool(
        re.match(r"o\d", value_of(said["model"], code).removeprefix("openai/"))
    )


def _assistant_item(token, code):
    """A part of an assistant's item in Realtime: `{"type": "text"}` in `content`, beside the
    role.
    """
    groups = around(token, 5)
    said = beside(token)
    if "type" not in said or said["type"].after is not token:
        return False
    realtime = any(
        value_of(k, code) in ("message", "conversation.item.create")
        for g in groups
        for k in g.named("type")
    )
    assistant = any(value_of(k, code) == "assistant" for g in groups for k in g.named("role"))
    return realtime and assistant


def _method(token, code):
    said = beside(token)
    return below(token, "method") and "type" in said and said["type"].after is token


CONTEXTS = {
    "session": _of_session,
    "flat": _flat,
    "flat voice": _flat_voice,
    "flat input": _flat_input,
    "sound of a session": _sound_of_a_session,
    "format": _own_format,
    "assistant item": _assistant_item,
    "method": _method,
    "o-series": _o_series,
    "tools of a reasoner": _tools_of_a_reasoner,
    "responses": _in_responses,
    "argument of responses": _argument_of_responses,
    "part of responses": _part_of_responses,
}


def by_constant(word):
    """The id behind an SDK's constant: ChatModelO1Mini (Go), ChatModel.O1_MINI (Java)."""
    found = re.search(r"ChatModel\.?([A-Za-z0-9_]+)$", word) if "ChatModel" in word else None
    return found and _constant_names().get(squeezed(found[1]))


def squeezed(name):
    return re.sub(r"[\W_]", "", name).lower()


@functools.cache
def _constant_names():
    return {squeezed(model): model for model in ended()}
