"""Answers that can be worked out where no recording has them: the question is read by its meaning,
or not at all.

A topic reads a whole question, never a part of it: each word must be one that it knows. What it
then says follows from the facts (calendar, arithmetic, tax tables, forms) and from the developer's
rules, in words of ours; no model says it. A question that is understood and has no answer raises
`reading.Unclear`, whose sentence the panel shows.
"""

import datetime
import hashlib
import json
import re
from dataclasses import replace

from .. import canonical, envelopes, shaping
from . import (
    asked,
    baking,
    filling,
    form_pages,
    form_words,
    numbers,
    results,
    rules,
    seen,
    taxes,
    temperatures,
    weekdays,
)
from .reading import Unclear

DATE = "2026-11-28"
MODELS = {
    shaping.CHAT: ("o1-2024-12-17", "gpt-4o-2024-08-06"),
    shaping.RESPONSES: ("gpt-5.6-sol",),
}
EFFORTS = {"o1-2024-12-17": ("low", "medium", "high"), "gpt-5.6-sol": ("none", "low", "medium", "high")}  # fmt: skip
# Hidden tokens by effort: illustrative, as in data/constructed.
HIDDEN = {"none": 0, "low": 64, "medium": 128, "high": 320}
HIDDEN_OF = {
    numbers.Count: {"none": 0, "low": 192, "medium": 832, "high": 1920},
    form_pages.Pages: {"none": 0, "low": 1024, "medium": 1856, "high": 3072},
    form_words.Form: {"none": 0, "low": 320, "medium": 704, "high": 1408},
}


def answer(path, body, descriptions=frozenset()):
    """(body of an answer, name of the topic, notes), or None for a question that is not ours.

    descriptions: those that tools in recordings have; of another, a note says that nothing here
    reads it. Raises Unclear.
    """
    request = asked.read(path, body)
    topic, rule = _topic(request) if request else (None, None)
    if topic is None:
        return None
    _hold_to_models(request, topic)
    _hold_to_parameters(request)
    if getattr(topic, "slip", None) is not None and request.effort == "low" and request.path == shaping.CHAT:  # fmt: skip
        topic = replace(topic, value=topic.slip)  # planted, as in data/constructed/effort.toml
    spec = _said(request, topic, rule)
    name = f"computed/{type(topic).__module__.split('.')[-1]}"
    return _envelope(path, body, request, topic, spec), name, _notes(request, body, descriptions)


# --- which topic ----------------------------------------------------------------------------------


def _topic(request):
    """(topic, Rules) of the last turn, read with what was said before it; (None, None) where it is
    not ours.
    """
    topic = None
    for turn in request.turns:
        topic, own = _of_turn(turn, topic)
    if topic is None:
        return None, None
    return topic, rules.read([*own, *request.rules])


# What a question may begin with and mean the same.
POLITE = re.compile(r"(?:(?:(?:hi|hello|hey|good (?:morning|evening|day))(?: there)?[,!.]?|(?:please|now|ok|okay|so|well|quick question)[,:]?|(?:(?:can|could|would) you )?(?:please )?tell me[,:]?)\s+)+", re.I)  # fmt: skip


def _of_turn(turn, before):
    """(topic, the rules in the user's own words) of one turn; `before` is the topic of the turn
    before it.
    """
    if len(turn.text) > rules.LONGEST:
        return None, []
    parts = rules.sentences(turn.text)
    for cut in range(len(parts), 0, -1):
        tail = parts[cut:]
        if not all(rules.clause(sentence) for sentence in tail):
            break
        text = turn.text if not tail else " ".join(parts[:cut])
        found = _read(text, turn)
        if found is None and (polite := POLITE.match(text)):
            found = _read(text[polite.end() :], turn)
        if found is None and before is not None:
            found = _follow_up(text, before)
        if found is not None:
            return found, tail
    return None, []


def _read(text, turn):
    if turn.pictures:
        pages = [seen.page(canonical.decoded(url)[0]) if url else None for url, _ in turn.pictures]
        details = {detail for _, detail in turn.pictures}
        found = form_pages.read(text, pages, details == {"low"})
        if found and "low" in details and len(details) > 1:
            raise Unclear(
                "Some pictures are at low detail and others not: what can then be read nobody wrote down here."
            )
        return found
    for module in (form_words, taxes, baking, temperatures, weekdays, numbers):
        found = module.read(text)
        if found is not None:
            return found
    return form_pages.read(text, [], False)


def _follow_up(text, before):
    for module, kind in ((temperatures, temperatures.Heat), (weekdays, weekdays.Weekday), (taxes, taxes.Question)):  # fmt: skip
        if isinstance(before, kind):
            change = module.follow_up(text)
            return before.also(change) if change is not None else None
    return None


# --- what is said ---------------------------------------------------------------------------------


def _said(request, topic, rule):
    if isinstance(topic, form_words.Evasion):
        return {"refusal": topic.refusal}
    wants = getattr(topic, "wants", [])
    if wants and (request.results or request.tools and request.choice != "none"):
        spec = _with_tools(request, topic, rule)
        if spec:
            return spec
    elif request.results:
        raise Unclear("A tool has answered that this question does not need.")
    elif _forced(request):
        return {"calls": [_answered_by_call(request, topic, rule)]}
    return {"text": _words(request, topic, rule)}


def _words(request, topic, rule):
    if request.schema is None:
        return rule.dressed(topic.say(rule))
    return _filled(request.schema, topic, rule)


def _filled(schema, topic, rule):
    """The JSON of a schema, filled with what the topic says."""
    facts = topic.fields(rule)
    lists = [v for v in facts.values() if isinstance(v, list)]
    try:
        filled = filling.fill(schema, facts)
    except filling.Unfilled:
        if len(lists) != 1 or not lists[0]:
            raise
        filled = filling.fill(schema, facts | lists[0][0])  # one of them is asked for
    return json.dumps(filled, ensure_ascii=False, separators=(",", ":"))


def _answered_by_call(request, topic, rule):
    """The call of a tool that takes the answer itself, as some frameworks get their structure."""
    for tool in _offered(request):
        if tool.parameters.get("properties"):
            try:
                return {"name": tool.name, "arguments": _filled(tool.parameters, topic, rule)}
            except filling.Unfilled:
                continue
    raise Unclear(
        "The question needs no tool, tool_choice asks for a call, and no tool takes the answer."
    )


def _forced(request):
    return request.choice == "required" or isinstance(request.choice, dict)


def _with_tools(request, topic, rule):
    """The calls that come next, or what is said after the last; None where no tool that is offered
    helps.
    """
    heard = topic.heard([results.read(text) for _, _, text in request.results])
    if request.results and heard.done() and not _forced(request):
        text = heard.after_tools() if request.schema is None else _words(request, heard, rule)
        return {"text": text}
    tools = _offered(request)
    wants = heard.wants
    made = []
    first = min(_before(heard, len(request.results)), len(wants) - 1)
    for n, key in list(enumerate(wants))[first:]:
        tool = next((t for t in tools if _takes(t, key)), None)
        if tool is None:
            if _forced(request):
                raise Unclear(f"No tool that may be called takes what this question needs: {key}.")
            if isinstance(topic, taxes.Question) and topic.agi is not None:
                raise Unclear("No tool here gives the standard deduction, which comes first.")
            return None
        arguments = filling.fill(tool.parameters, heard.facts(n), tool.name)
        text = json.dumps(arguments, ensure_ascii=False, separators=(",", ":"))
        made.append({"name": tool.name, "arguments": text})
    if request.model.startswith("o1") or request.parallel is False:
        made = made[:1]
    return {"calls": made}


def _before(topic, number):
    """How many of the results belong to a step before the one that comes now."""
    gross = getattr(topic, "agi", None) is not None and topic.income is not None
    return max(number - gross, 0)


def _offered(request):
    """The tools that may be called under tool_choice."""
    if not isinstance(request.choice, dict):
        return request.tools
    inner = request.choice.get("function", request.choice)
    name = inner.get("name") if isinstance(inner, dict) else inner
    found = [t for t in request.tools if t.name == name]
    if not found:
        raise Unclear(f"tool_choice names {name!r}; the tools are {', '.join(t.name for t in request.tools) or 'none'}.")  # fmt: skip
    return found


def _takes(tool, key):
    group = next((g for g in filling.SYNONYMS if key in g), (key,))
    properties = tool.parameters.get("properties")
    names = {n.lower() for n in properties} if isinstance(properties, dict) else set()
    return bool(names & set(group))


# --- what it is held to ---------------------------------------------------------------------------


def _hold_to_models(request, topic):
    chat = MODELS[shaping.CHAT][:1] if isinstance(topic, form_pages.Pages) else MODELS[shaping.CHAT]
    here = chat if request.path == shaping.CHAT else MODELS[shaping.RESPONSES]
    if request.model not in here:
        short = " and ".join(m.removesuffix("-2024-12-17").removesuffix("-2024-08-06") for m in chat)  # fmt: skip
        raise Unclear(
            f"This question has an answer of {short} under /v1/chat/completions, client.chat.completions.create, "
            "and of gpt-5.6-sol under /v1/responses, client.responses.create."
        )
    efforts = EFFORTS.get(request.model, ())
    if request.effort is not None and request.effort not in efforts:
        raise Unclear(
            f"Efforts with an answer here: {', '.join(efforts) or 'none; this model does not reason first'}."
        )


def _hold_to_parameters(request):
    details = {detail for turn in request.turns for _, detail in turn.pictures}
    if request.path == shaping.CHAT and "original" in details:
        raise Unclear("o1 had low, high and auto; original came with later models.")
    if request.other:
        raise Unclear(f"No answer here follows the parameter {', '.join(request.other)}.")


def _notes(request, body, descriptions):
    notes = []
    if body.get("seed") is not None:
        notes.append("seed changes nothing here")
    if request.schema and '"description"' in json.dumps(request.schema):
        notes.append("nothing here reads the descriptions in the schema; a model would")
    pictures = [picture for turn in request.turns for picture in turn.pictures]
    if request.path == shaping.CHAT and any(d in (None, "auto") for _, d in pictures):
        notes.append("detail auto is taken as high: what it chose for o1 is not published")
    for tool in request.tools:
        if tool.description and tool.description not in descriptions:
            notes.append(f"nothing here reads the description of {tool.name}; a model would")
    return tuple(notes)


# --- its envelope ---------------------------------------------------------------------------------


def _envelope(path, body, request, topic, spec):
    chat = path == shaping.CHAT
    effort = request.effort or "medium"
    hidden = HIDDEN_OF.get(type(topic), HIDDEN)[effort]
    if request.model.startswith("gpt-4o"):
        hidden = 0
    name = hashlib.sha256(canonical.key("POST", path, canonical.canonical_body(path, body)).encode()).hexdigest()  # fmt: skip
    day = datetime.datetime(*((2024, 12, 17, 18) if chat else (2026, 11, 22, 9)), tzinfo=datetime.timezone.utc)  # fmt: skip
    seconds = int(day.timestamp()) + int(name, 16) % 3600
    spec = spec | {"reasoning_tokens": hidden}
    made = (
        envelopes.chat_answer(spec, request.model, seconds, name)
        if chat
        else envelopes.response_answer(spec, request.model, seconds, name, body)
    )
    return shaping.counted(path, body, made)
