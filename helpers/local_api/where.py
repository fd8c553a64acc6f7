"""Who answers: DAY9_ANSWERS or connect(answers=…), read once and judged, with the key and the
ceiling that go with it.

    recorded                 nothing leaves this machine (the default)
    live                     OpenAI, with the reader's own OPENAI_API_KEY
    record                   live, and each exchange becomes a recording of the reader's own
    http://127.0.0.1:…/v1    a compatible server; `record:http://…/v1` to record from it

DAY9_MODEL names a model that takes the place of every one asked for; DAY9_BUDGET is the most that
OpenAI may cost before a kernel ends, in USD, or "none"; DAY9_KEY is the key of a server that is not
OpenAI.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..common import left_out

if TYPE_CHECKING:
    from collections.abc import Mapping


OPENAI = "https://api.openai.com/v1"
BUDGET = "1.00"
# what the local API writes to its standard error for its parent
SPENT = re.compile(r"^day9 spent ([\d.]+)$", re.M)
WAYS = 'It may be "recorded", "live", "record", the address of a server such as "http://127.0.0.1:11434/v1", or "record:" before such an address.'


THROW_AWAY = "day9-"  # how the keys of local APIs begin


class Secret:
    """A key that shows itself nowhere: not in a traceback, not in a debugger's list of
    variables.
    """

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self):
        return "Secret(…)"

    def __eq__(self, other):
        return isinstance(other, Secret) and self.value == other.value

    def __hash__(self):
        return hash(self.value)

    def __bool__(self):
        return bool(self.value)


@dataclass(frozen=True)
class Where:
    """An upstream: its address up to /v1, whether it is recorded, its key, the model it is asked
    for, the ceiling in USD.
    """

    url: str
    openai: bool
    record: bool = False
    key: Secret = Secret("")
    model: str = ""
    budget: Decimal | None = None  # None: no ceiling

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def loopback(self) -> bool:
        return urlsplit(self.url).hostname in ("localhost", "::1") or self.host.startswith("127.")

    def as_text(self) -> str:
        """One line of JSON for the process that forwards. It holds the key: write it to a pipe,
        never to a file or a screen.
        """
        return json.dumps(
            asdict(self)
            | {"key": self.key.value, "budget": None if self.budget is None else str(self.budget)}
        )


def from_text(text: str) -> Where:
    """The Where of `as_text`."""
    given = json.loads(text)
    return Where(
        **given
        | {
            "key": Secret(given["key"]),
            "budget": None if given["budget"] is None else Decimal(given["budget"]),
        }
    )


def own_key(environ: Mapping[str, str]) -> Secret:
    """The reader's key in OPENAI_API_KEY, a Secret; an empty one where there is none, or a local
    API's throw-away key.
    """
    now = environ.get("OPENAI_API_KEY", "").strip()
    return Secret("" if now.startswith(THROW_AWAY) else now)


def settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """The variables that `resolve` reads, of a mapping such as os.environ; a debugger that lists
    them shows no key.
    """
    read = {
        name: environ.get(name, "").strip()
        for name in ("DAY9_ANSWERS", "DAY9_MODEL", "DAY9_BUDGET")
    }
    return read | {"DAY9_KEY": Secret(environ.get("DAY9_KEY", "").strip())}


def resolve(answers: str | None, settings: dict[str, Any], own_key: Secret) -> Where | None:
    """The Where of a mode, or None for recordings.

    answers: what connect() was given, or None for DAY9_ANSWERS. own_key: the reader's
    OPENAI_API_KEY, a Secret, which goes to OpenAI alone. ValueError says what is wrong with what
    was given, and never repeats a key.
    """
    name = "answers" if answers is not None else "DAY9_ANSWERS"
    mode = (answers if answers is not None else settings["DAY9_ANSWERS"]) or "recorded"
    if not isinstance(mode, str):
        raise ValueError(f"{name} is {type(mode).__name__}, not text. {WAYS}")
    mode = mode.strip()
    if mode == "recorded":
        return None
    record = mode == "record" or mode.startswith("record:")
    url = OPENAI if mode in ("live", "record") else _address(mode.removeprefix("record:"), name)
    model = settings["DAY9_MODEL"]
    if url == OPENAI:
        if not own_key:
            raise ValueError(
                f'{name} is "{mode}", which asks OpenAI with your own key, and there is none: set OPENAI_API_KEY before JupyterLab starts, '
                "in the shell and not in a cell, which would be saved with the notebook."
            )
        return Where(
            url,
            True,
            record,
            _sound(own_key, "OPENAI_API_KEY"),
            model,
            _budget(settings["DAY9_BUDGET"] or BUDGET),
        )
    key = _sound(settings["DAY9_KEY"], "DAY9_KEY")
    if key and key == own_key:
        raise ValueError(
            f"DAY9_KEY is your OPENAI_API_KEY, which goes to OpenAI and nowhere else, not to {urlsplit(url).netloc}. Give DAY9_KEY that server's own key, or none."
        )
    return Where(url, False, record, key, model)


def in_words(where: Where, spent: Decimal) -> str:
    """connect()'s line for an upstream: who answers, with which key, at whose cost; `spent` before,
    in USD.
    """
    if where.openai:
        ceiling = (
            "no ceiling on what it may cost"
            if where.budget is None
            else f"stopped before {where.budget} USD (DAY9_BUDGET), of which {spent:.4f} are spent; an answer without a limit gets 16,384 tokens"
        )
        line = f"Answers: {where.host}, asked with your own key, for money: {ceiling}. Models that are shut down are answered from recordings and say so."
    else:
        key = "your DAY9_KEY" if where.key else "no key"
        realtime = (
            "Files and tuning are computed on this machine; Realtime is heard and spoken here, and answered by it."
            if left_out.ears()
            else "Files, tuning and Realtime are computed on this machine."
        )
        line = f"Answers: {where.host}, asked with {key}. {realtime}"
    if where.model:
        line += f" Every model asked for is {where.model} (DAY9_MODEL)."
    return line + " Each exchange is kept in data/my_recordings, without keys." * where.record


def carried(said: str, before: Decimal) -> Decimal:
    """What a kernel has spent, by what its local API wrote as it ended: the last sum, or the one
    `before`.
    """
    found = SPENT.findall(said)
    return Decimal(found[-1]) if found else before


def _address(text, name):
    """An address without its last slash; ValueError where it is none that ends in /v1."""
    try:
        parts = urlsplit(text)
        port = parts.port  # raises where it is no number
        sound = (
            parts.scheme in ("http", "https")
            and parts.hostname
            and port != 0
            and text.isascii()
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        sound = False
    if sound and "@" in parts.netloc:
        raise ValueError(
            f"The address in {name} names a user or a password. Leave them out, and give a server's key in DAY9_KEY."
        )
    if not sound:
        shown = repr(text if len(text) < 60 else text[:59] + "…")
        if text.startswith("sk-"):  # put in the wrong place
            shown = "a key"
        raise ValueError(f"{name} is {shown}. {WAYS}")
    if parts.query or parts.fragment or not parts.path.rstrip("/").endswith("/v1"):
        raise ValueError(
            f"The address {text!r} in {name} must end in /v1, such as {parts.scheme}://{parts.netloc}/v1."
        )
    return text.rstrip("/")


def _sound(key, name):
    """A key that fits into a header; ValueError for another, without showing it."""
    if not (key.value.isascii() and key.value.isprintable()) or " " in key.value:
        raise ValueError(
            f"{name} holds a blank, a line break or another character that no key has. Copy the key again."
        )
    return key


def _budget(text):
    """DAY9_BUDGET in USD as a Decimal; None for "none"."""
    if text.lower() == "none":
        return None
    try:
        budget = Decimal(text)
        if not budget.is_finite() or budget < 0:
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(
            f'DAY9_BUDGET is {text!r}. It is an amount in USD, such as 1.00, or "none" for no ceiling.'
        ) from None
    return budget
