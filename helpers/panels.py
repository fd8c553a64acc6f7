"""What a notebook shows in the place of a stack trace: off the map, refused, stopped for another
reason.
"""

from __future__ import annotations

import contextlib
import html
from typing import TYPE_CHECKING

from . import left_out, running
from .shown import CARD, Shown

if TYPE_CHECKING:
    from openai import APIStatusError

    from .local_api.where import Where


WAYS = (
    "Use what is expected there: the recorded value, or another that it accepts.",
    "Ask OpenAI today, with your own OPENAI_API_KEY: helpers.connect(answers='live'), and a model that is still sold.",
    "Ask a model on your own machine: helpers.connect(answers='http://127.0.0.1:11434/v1'), for Ollama's port, and its name in DAY9_MODEL.",
)


def panel(error: APIStatusError) -> None:
    """Display what an answer off the map has to say: the nearest recording, what differs, the ways
    on.

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
    rows = [] if details.get("why") else details.get("differences", [])
    notes = [] if details.get("why") else [f"There, {a}." for a in details.get("accepts", [])]
    notes += [f"{exchange['note']}."] * bool(exchange.get("note"))
    if details.get("more") and rows:
        notes.insert(0, f"And {details['more']} more differences.")
    why = details.get("why", "")
    text = [title, *([why] if why else []), near] + [
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
            alert(
                title,
                f"{f'<p><b>{html.escape(why)}</b></p>' if why else ''}<p>{html.escape(near)}</p>{table}<p>{html.escape(' '.join(notes))}</p><ul>{ways}</ul>",
            ),
        )
    )


def otherwise(error: BaseException, where: Where) -> None:
    """Display, beneath an error of a cell, that its answers come from another model than the page
    was written with.

    `where`: the where.Where that answers. Called for you when a cell ends in an error that is not
    the API's.
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
            alert(title, f"<p>{html.escape(why)}</p><p>{html.escape(ways)}</p>"),
        )
    )


def _exchange_of(error):
    """The exchange that ended in an error of the SDK, as the desk has it; {} where it is not among
    the last.
    """
    with contextlib.suppress(OSError):  # it has ended: the error is shown all the same
        return next(
            (e for e in running.server().ask("exchanges") if e["request_id"] == error.request_id),
            {},
        )
    return {}


def refusal(error: APIStatusError) -> None:
    """Display an error of the API as what it is, a status and a sentence, instead of a long stack
    trace.

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
            alert(
                head,
                f"<p>{html.escape(said)}</p><p>In code: <code>except openai.{kind}</code>. helpers.wire() shows the exchange.</p>",
            ),
        )
    )


def lacking(error: ImportError) -> None:
    """Display what goes without a package that this system lacks, and the way on.

    `error`: what the import raised. Called for you when a cell ends in one.
    """
    from IPython.display import display

    head, said = f"No {error.name} here", left_out.in_words(error)
    display(Shown(f"{head}\n{said}", alert(head, f"<p>{html.escape(said)}</p>")))


def alert(title: str, inside: str) -> str:
    return f'<div class="mathjax_ignore" role="alert" style="{CARD.format(edge="#CC79A7")}"><b>{html.escape(title)}</b>{inside}</div>'
