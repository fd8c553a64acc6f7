"""What a notebook shows in the place of a stack trace: off the map, refused, stopped for another
reason.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from .. import running
from ..common import left_out
from ..common.markup import Template
from ..common.shown import CARD, Shown

if TYPE_CHECKING:
    from openai import APIStatusError

    from ..local_api.where import Where


WAYS = (
    "Use what is expected there: the recorded value, or another that it accepts.",
    "Ask OpenAI today, with your own OPENAI_API_KEY: helpers.connect(answers='live'), and a model that is still sold.",
    "Ask a model on your own machine: helpers.connect(answers='http://127.0.0.1:11434/v1'), for Ollama's port, and its name in DAY9_MODEL.",
)


ALERT = Template("""
<div class="mathjax_ignore" role="alert" style="{{ card }}"><b>{{ title }}</b>{{ inside }}</div>
""")
LINES = Template("{% for line in lines %}<p>{{ line }}</p>{% endfor %}")
REFUSAL = Template("""
<p>{{ said }}</p>
<p>In code: <code>except openai.{{ kind }}</code>. helpers.wire() shows the exchange.</p>
""")
# A path is broken at its dots and brackets alone; a value may be a word longer than the panel.
OFF_THE_MAP = Template("""
{% set left = "text-align:left" %}
{% set value = left ~ ";overflow-wrap:anywhere" %}
{% if why %}<p><b>{{ why }}</b></p>{% endif %}
{% if near %}<p>{{ near }}</p>{% endif %}
{% if rows %}
<table>
  <thead>
    <tr>{% for head in ("differs at", "expected", "yours") %}<th scope="col" style='{{ left }}'>{{ head }}</th>{% endfor %}</tr>
  </thead>
  <tbody>
    {% for row in rows %}
    <tr>
      <td style='{{ left }}'><code>{% for part in row.steps %}<wbr>{{ part }}{% endfor %}</code></td>
      <td style='{{ value }}'>{{ row.recorded }}</td>
      <td style='{{ value }}'><b>{{ row.sent }}</b></td>
    </tr>
    {% endfor %}
  </tbody>
</table>
{% endif %}
{% if notes %}<p>{{ notes }}</p>{% endif %}
<ul>{% for way in ways %}<li>{{ way }}</li>{% endfor %}</ul>
""")


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
    told = [row | {"steps": re.split(r"(?<=\.)|(?=\[)", row["path"])} for row in rows]
    text += [*notes, "Ways on:"] + [f"  {way}" for way in WAYS]
    inside = OFF_THE_MAP.render(why=why, near=near, rows=told, notes=" ".join(notes), ways=WAYS)
    display(Shown("\n".join(text), alert(title, inside)))


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
    display(Shown(f"{title}\n{why}\n{ways}", alert(title, LINES.render(lines=[why, ways]))))


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
    display(Shown(f"{head}\n{said}", alert(head, REFUSAL.render(said=said, kind=kind))))


def said(error: dict[str, Any]) -> None:
    """Display an `error` event of a Realtime session: off the map, or the API's own refusal.

    `error`: the event's error object. Called for you when a cell stops after one.
    """
    from IPython.display import display

    message, place = str(error.get("message")), error.get("param")
    if error.get("code") == "off_the_map":
        title = "Off the map: no recording answers this, and nothing was made up."
        text = [title, message, "Ways on:", *(f"  {way}" for way in WAYS)]
        inside = OFF_THE_MAP.render(why=message, near="", rows=[], notes="", ways=WAYS)
    else:
        title = f"The API refused: {error.get('code') or error.get('type')}" + (f", at {place}" if place else "")  # fmt: skip
        how = 'It came as an event of type "error": a loop that waits should look for it. The session goes on, unless the server closed it.'
        text = [title, message, how]
        inside = LINES.render(lines=[message, how])
    display(Shown("\n".join(text), alert(title, inside)))


def lacking(error: ImportError) -> None:
    """Display what goes without a package that this system lacks, and the way on.

    `error`: what the import raised. Called for you when a cell ends in one.
    """
    from IPython.display import display

    head, said = f"No {error.name} here", left_out.in_words(error)
    display(Shown(f"{head}\n{said}", alert(head, LINES.render(lines=[said]))))


def alert(title: str, inside: str) -> str:
    """The panel itself, as HTML. inside: what a Template has rendered."""
    return ALERT.render(card=CARD.format(edge="#CC79A7"), title=title, inside=inside)
