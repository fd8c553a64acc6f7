"""How an answer, an exchange and a miss look in a notebook: always with where they come from."""

import contextlib
import html
import json
import re

from . import connection, left_out

# Plain colours in the border: a notebook not yet trusted loses a rule that names a variable.
CARD = (
    "border:1px solid #888;border-left:4px solid {edge};border-radius:3px;"
    "padding:.6em 1em;margin:.3em 0;max-width:52em;color:var(--jp-content-font-color1,inherit)"
)
EDGES = {
    "live": "#D55E00",
    "computed": "#56B4E9",
    "constructed": "#E69F00",
    "recorded": "#009E73",
    "published": "#0072B2",
    "": "#888888",
}
LONGEST = 4_000  # characters of a request or an answer that wire() shows


# class="mathjax_ignore" keeps what stands between two dollar signs from being set as a formula


class Shown:
    """Something that a notebook shows as HTML and everything else as text."""

    def __init__(self, text, markup):
        self.text, self.markup = text, markup

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return self.markup


def show(answer):
    """Frame a model's answer whole, with its origin and its tokens.

    `answer`: a ChatCompletion or a Response of the `openai` SDK, or the list of events of a Realtime turn.
    Returns a Shown. Raises TypeError for anything else, since the origin is found by the answer's id.

    Source of the origin: the recording that answered, as the local API's ledger has it.
    """
    if isinstance(answer, list):
        return _turn(answer)
    said, ended, usage = _parts(answer)
    return framed(
        said or f"(empty: {ended})", answer.model, answer.id, usage, "p" if said else "em"
    )


def framed(words, model, id, more="", kind="p"):
    """Words in the frame of an answer, whose id says where they come from. Returns a Shown."""
    found = connection.server().ask(f"origin/{id}")
    where = _origin_words(found["origin"], found["recording"])
    footer = f"{where} · {more}" if more else where
    edge = EDGES[found["origin"].get("class", "")]
    # a tuned model's name ends with letters that differ on every run
    model = re.sub(r"^(ft:.*:)\w{8}(?=$|:ckpt)", r"\1…", model)
    return Shown(
        f"{words}\n[{footer}]",
        f'<div class="mathjax_ignore" role="group" aria-label="Answer of {html.escape(model)}, {html.escape(where)}" style="{CARD.format(edge=edge)}">'
        f'<div style="font-size:85%;opacity:.85"><b>{html.escape(model)}</b></div>'
        f'<{kind} style="white-space:pre-wrap;margin:.4em 0">{html.escape(words)}</{kind}>'
        f'<div style="font-size:85%;opacity:.85">{html.escape(footer)}</div></div>',
    )


def _turn(events):
    """The frame of a Realtime turn: what was heard of the user, what was said, in sound or in text."""
    of = lambda kind: [e for e in events if getattr(e, "type", "") == kind]
    if not of("response.done"):
        raise TypeError(
            "show() frames the events of a Realtime turn, up to response.done; that is not among these."
        )
    said = [
        f"you: {e.transcript}" for e in of("conversation.item.input_audio_transcription.completed")
    ]
    said += [f"it: {e.transcript}" for e in of("response.output_audio_transcript.done")]
    said += [f"it: {e.text}" for e in of("response.output_text.done")]
    response, opened = of("response.done")[-1].response, of("session.created")
    u = response.usage
    more = (
        f"tokens: {u.input_tokens:,} in, {u.output_tokens:,} out"
        if u
        else f"status is {response.status}"
    )
    return framed(
        "\n".join(said) or f"(no words: status is {response.status})",
        opened[0].session.model if opened else "Realtime",
        response.id,
        more,
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
        return f"tokens: {given} in, {out} out, none visible"
    return f"tokens: {given} in, {hidden} hidden + {out - hidden} visible out"


def _origin_words(origin, recording):
    kind = origin.get("class", "")
    if not kind:
        return "origin unknown: not answered by this notebook's local API"
    when = f" {origin['date']}" if origin.get("date") else ""
    by = {
        "live": f", from {origin.get('source', '')}",
        "constructed": ", not said by a model",
        "recorded": ", captured from the API",
        "published": f", source: {origin.get('source', '')}",
        "computed": f" here: {origin.get('source', '')}",
    }[kind]
    return (
        f"{kind}{when}{by}"
        + (f" · {recording}" if recording else "")
        + (f" · {origin['note']}" if origin.get("note") else "")
    )


def wire():
    """The last exchange as it went over the wire: request, status, answer. Folded; returns a Shown."""
    exchanges = connection.server().ask("exchanges")
    if not exchanges:
        return Shown(
            "Nothing has gone over the wire yet.", "<p>Nothing has gone over the wire yet.</p>"
        )
    last = exchanges[-1]
    head = f"{last['method']} {last['path']} → {last['status']}"
    where = (
        _origin_words(last["origin"], last["recording"])
        if last["origin"]
        else "off the map"
        if last["off_the_map"]
        else "the local API's own words"
    )
    sent, got = _pretty(last["request"]), _pretty(last["answer"])
    pre = "white-space:pre-wrap;overflow-wrap:anywhere;font-size:85%;margin:.3em 0"
    return Shown(
        f"{head} · {where}\nrequest {sent}\nanswer {got}",
        f'<details class="mathjax_ignore" style="{CARD.format(edge=EDGES[last["origin"].get("class", "")])}"><summary><code>{html.escape(head)}</code> · {html.escape(where)}</summary>'
        f'<b>Request</b><pre style="{pre}">{html.escape(sent)}</pre><b>Answer</b><pre style="{pre}">{html.escape(got)}</pre></details>',
    )


def _pretty(value):
    text = (
        "(no body)"
        if value is None
        else value
        if isinstance(value, str)
        else json.dumps(value, indent=2, ensure_ascii=False)
    )
    return (
        text
        if len(text) <= LONGEST
        else f"{text[:LONGEST]}\n… {len(text) - LONGEST:,} more characters"
    )


WAYS = (
    "Use what is expected there: the recorded value, or another that it accepts.",
    "Ask OpenAI today, with your own OPENAI_API_KEY: helpers.connect(answers='live'), and a model that is still sold.",
    "Ask a model on your own machine: helpers.connect(answers='http://127.0.0.1:11434/v1'), for Ollama's port, and its name in DAY9_MODEL.",
)


def panel(error):
    """Display what an answer off the map has to say: the nearest recording, what differs, the ways on.

    `error`: the SDK's APIStatusError with status 424. Called for you when a cell ends in one.
    """
    from IPython.display import display

    exchange = _exchange_of(error)
    details = exchange.get("off_the_map", {})
    title = "Off the map: no recording answers this request, and nothing was made up."
    near = (
        f"Nearest recording: {details['nearest']} ({details['about']})"
        if details.get("nearest")
        else "There is no recording for this endpoint."
    )
    rows = details.get("differences", [])
    notes = [f"There, {a}." for a in details.get("accepts", [])] + [f"{exchange['note']}."] * bool(
        exchange.get("note")
    )
    if details.get("more"):
        notes.insert(0, f"And {details['more']} more differences.")
    text = [title, near] + [
        f"  {r['path']}\n    expected: {r['recorded']}\n    yours:    {r['sent']}" for r in rows
    ]
    text += [*notes, "Ways on:"] + [f"  {way}" for way in WAYS]
    table = ""
    if rows:
        left = "style='text-align:left;overflow-wrap:anywhere'"
        heads = "".join(f"<th {left}>{head}</th>" for head in ("differs at", "expected", "yours"))
        cells = "".join(
            f"<tr><td {left}><code>{html.escape(r['path'])}</code></td><td {left}>{html.escape(r['recorded'])}</td>"
            f"<td {left}><b>{html.escape(r['sent'])}</b></td></tr>"
            for r in rows
        )
        table = f"<table><thead><tr>{heads}</tr></thead><tbody>{cells}</tbody></table>"
    ways = "".join(f"<li>{html.escape(way)}</li>" for way in WAYS)
    display(
        Shown(
            "\n".join(text),
            _alert(
                title,
                f"<p>{html.escape(near)}</p>{table}<p>{html.escape(' '.join(notes))}</p><ul>{ways}</ul>",
            ),
        )
    )


def otherwise(error, where):
    """Display, beneath an error of a cell, that its answers come from another model than the page was written with.

    `where`: the upstream.Where that answers. Called for you when a cell ends in an error that is not the API's.
    """
    from IPython.display import display
    from openai import OpenAIError

    who = f"{where.model or 'the model that you asked for'} at {where.host}"
    if isinstance(error, OpenAIError):
        title, why = (
            "The SDK stopped here.",
            f"Here {who} answers; where an answer is cut off, comes too late or not at all, the SDK makes no object of it.",
        )
    elif isinstance(error, AssertionError):
        title, why = (
            "A check failed.",
            f"It holds for the answers that this page was written with. Here {who} answers, and may say something else.",
        )
    elif isinstance(error, NameError):
        title, why = (
            f"{error.name or 'A name'} is not there.",
            f"If a cell above stopped, it did not come to make it: here {who} answers, and not always as the page expects.",
        )
    else:
        title, why = (
            "This cell takes an answer apart as it was when the page was written.",
            f"Here {who} answers, and may leave out or write differently what the cell looks for.",
        )
    ways = 'helpers.wire() shows the last exchange; helpers.connect("recorded") goes back to the recordings.'
    display(
        Shown(
            f"{title}\n{why}\n{ways}",
            _alert(title, f"<p>{html.escape(why)}</p><p>{html.escape(ways)}</p>"),
        )
    )


def _exchange_of(error):
    """The exchange that ended in an error of the SDK, as the desk has it; {} where it is not among the last."""
    with contextlib.suppress(OSError):  # it has ended: the error is shown all the same
        return next(
            (
                e
                for e in connection.server().ask("exchanges")
                if e["request_id"] == error.request_id
            ),
            {},
        )
    return {}


def refusal(error):
    """Display an error of the API as what it is, a status and a sentence, instead of a long stack trace.

    `error`: the SDK's APIStatusError. Called for you when a cell ends in one.
    """
    from IPython.display import display

    kind = type(error).__name__
    head = f"{kind}: {error.status_code}" + (
        f", {error.code}" if getattr(error, "code", None) else ""
    )
    said = (
        (error.body or {}).get("message", str(error))
        if isinstance(error.body, dict)
        else str(error)
    )
    note = _exchange_of(error).get("note")
    said += f"\n{note}" if note else ""
    display(
        Shown(
            f"{head}\n{said}",
            _alert(
                head,
                f"<p>{html.escape(said)}</p><p>In code: <code>except openai.{kind}</code>. helpers.wire() shows the exchange.</p>",
            ),
        )
    )


def lacking(error):
    """Display what goes without a package that this system lacks, and the way on.

    `error`: the ModuleNotFoundError. Called for you when a cell ends in one.
    """
    from IPython.display import display

    head, said = f"No {error.name} here", left_out.in_words(error)
    display(Shown(f"{head}\n{said}", _alert(head, f"<p>{html.escape(said)}</p>")))


def _alert(title, inside):
    return f'<div class="mathjax_ignore" role="alert" style="{CARD.format(edge="#CC79A7")}"><b>{html.escape(title)}</b>{inside}</div>'
