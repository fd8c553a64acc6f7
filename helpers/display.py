"""How an answer, an exchange and a miss look in a notebook: always with where they come from."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from . import running
from .common import spoken
from .common.markup import Template
from .common.shown import CARD, Shown, surely
from .facts.origins import ORIGINS, UNKNOWN

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion
    from openai.types.responses import Response


LONGEST = 4_000  # characters of a request or an answer that wire() shows
FRAME = Template("""
<div class="mathjax_ignore" role="group" aria-label="Answer of {{ model }}, {{ where }}" style="{{ card }}">
  <div style="font-size:85%;opacity:.85"><b>{{ model }}</b></div>
  <{{ kind }} style="white-space:pre-wrap;margin:.4em 0">{{ words }}</{{ kind }}>
  <div style="font-size:85%;opacity:.85">{{ footer }}</div>
</div>
""")
WIRE = Template("""
{% set pre = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;font-size:85%;margin:.3em 0" %}
<details class="mathjax_ignore" style="{{ card }}">
  <summary><code>{{ head }}</code> · {{ where }}</summary>
  <b>Request</b><pre style="{{ pre }}">{{ sent }}</pre>
  <b>Answer</b><pre style="{{ pre }}">{{ got }}</pre>
</details>
""")


def show(answer: ChatCompletion | Response | list[Any]) -> Shown:
    """Frame a model's answer whole, with its origin and its tokens.

    `answer`: a ChatCompletion or a Response of the `openai` SDK, or the list of events of a
    Realtime turn. Returns a Shown. Raises TypeError for anything else, since the origin is found by
    the answer's id.

    Source of the origin: the recording that answered, as the local API's ledger has it.
    """
    if isinstance(answer, list):
        return surely(_turn(answer))
    said, ended, usage = _parts(answer)
    return surely(
        framed(said or f"(empty: {ended})", answer.model, answer.id, usage, "p" if said else "em")
    )


def framed(words: str, model: str, id: str | None, more: str = "", kind: str = "p") -> Shown:
    """Words in the frame of an answer, whose id says where they come from; None is no answer.
    Returns a Shown.
    """
    found = running.server().ask(f"origin/{id}")
    where = _origin_words(found["origin"], found["recording"]) if id else "nothing was answered"
    footer = f"{where} · {more}" if more else where
    edge = _edge(found["origin"])
    # a tuned model's name ends with letters that differ on every run
    model = re.sub(r"^(ft:.*:)\w{8}(?=$|:ckpt)", r"\1…", model)
    return Shown(
        f"{words}\n[{footer}]",
        FRAME.render(
            card=CARD.format(edge=edge),
            model=model,
            where=where,
            words=words,
            footer=footer,
            kind=kind,
        ),
    )


def _turn(events):
    """The frame of a Realtime turn: what was heard of the user, what was said, what is missing."""
    done = [e for e in events if getattr(e, "type", "") == "response.done"]
    lines, notes = spoken.turn(events)
    if not done:
        wrong = [line for line in lines if line.startswith("error: ")]
        raise TypeError(
            "show() frames the events of a Realtime turn, up to response.done; that is not among these."
            + (f" The API said: {wrong[-1].removeprefix('error: ')}" if wrong else "")
        )
    response = done[-1].response
    opened = [e for e in events if getattr(e, "type", "") == "session.created"]
    u = response.usage
    tokens = f"tokens: {u.input_tokens:,} in, {u.output_tokens:,} out" if u else ""
    return framed(
        "\n".join(lines) or f"(no words: status is {response.status})",
        opened[0].session.model if opened else "Realtime",
        response.id,
        " · ".join([*filter(None, [tokens]), *notes]),
    )


def _parts(answer):
    """(text, how it ended if empty, tokens in words) of either kind of answer."""
    if hasattr(answer, "choices"):
        choice, u = answer.choices[0], answer.usage
        calls = [
            f"{c.function.name}({c.function.arguments})" for c in choice.message.tool_calls or []
        ]
        said = choice.message.content or choice.message.refusal or "\n".join(calls)
        return (
            said,
            f"finish_reason is {choice.finish_reason}",
            _tokens(said, u.prompt_tokens, u.completion_tokens_details, u.completion_tokens),
        )
    if hasattr(answer, "output_text"):
        u = answer.usage
        ended = (
            f"status is {answer.status}, reason {answer.incomplete_details.reason}"
            if answer.incomplete_details
            else f"status is {answer.status}"
        )
        calls = [
            f"{item.name}({item.arguments})"
            for item in answer.output
            if item.type == "function_call"
        ]
        refusals = [
            part.refusal
            for item in answer.output
            if item.type == "message"
            for part in item.content
            if part.type == "refusal"
        ]
        said = answer.output_text or "\n".join(refusals + calls)
        return said, ended, _tokens(said, u.input_tokens, u.output_tokens_details, u.output_tokens)
    raise TypeError(
        f"show() frames a ChatCompletion, a Response or the events of a Realtime turn, not {type(answer).__name__}. For text alone, use print()."
    )


def _tokens(said, given, details, out):
    hidden = (details.reasoning_tokens if details else 0) or 0
    if not said:
        return f"tokens: {given:,} in, {out:,} out, none visible"
    return f"tokens: {given:,} in, {hidden:,} hidden + {out - hidden:,} visible out"


def _edge(origin):
    return ORIGINS.get(origin.get("class"), UNKNOWN).edge


def _origin_words(origin, recording):
    kind = origin.get("class", "")
    if not kind:
        return UNKNOWN.frame
    when = f" {origin['date']}" if origin.get("date") else ""
    by = ORIGINS[kind].frame.format(source=origin.get("source", ""))
    return (
        f"{kind}{when}{by}"
        + (f" · {recording}" if recording else "")
        + (f" · {origin['note']}" if origin.get("note") else "")
    )


def wire() -> Shown:
    """The last exchange as it went over the wire: request, status, answer. Folded; returns a
    Shown.
    """
    exchanges = running.server().ask("exchanges")
    if not exchanges:
        return Shown(
            "Nothing has gone over the wire yet.", "<p>Nothing has gone over the wire yet.</p>"
        )
    last = exchanges[-1]
    head = f"{last['method']} {last['path']} → {last['status']}"
    if last["origin"]:
        where = _origin_words(last["origin"], last["recording"])
    else:
        where = "off the map" if last["off_the_map"] else "the local API's own words"
    sent, got = _pretty(last["request"]), _pretty(last["answer"])
    card = CARD.format(edge=_edge(last["origin"]))
    return Shown(
        f"{head} · {where}\nrequest {sent}\nanswer {got}",
        WIRE.render(card=card, head=head, where=where, sent=sent, got=got),
    )


def _pretty(value):
    if value is None:
        return "(no body)"
    if not isinstance(value, str):
        value = json.dumps(value, indent=2, ensure_ascii=False)
    if len(value) <= LONGEST:
        return value
    return f"{value[:LONGEST]}\n… {len(value) - LONGEST:,} more characters"
