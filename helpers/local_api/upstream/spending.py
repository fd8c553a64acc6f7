"""The ceiling on what OpenAI may cost: every call is reserved at the most that it can cost before
it is sent.

A token is a byte of text at least, so a request's bytes bound the tokens it counts as; they are
counted with the tokenizer where only that bound is too high. A request that sets no limit on its
answer is sent with one, ANSWER tokens, without which nothing would bound its price. When the answer
has come, its `usage` takes the reservation's place. So the sum stays below the ceiling, also with
many calls at once. Prices are those of data/prices.csv today.

What has no price there (another model, a built-in tool, a tuning job, another endpoint) is refused,
not guessed at: the dearest price known is not the dearest there is.
"""

import datetime
import json
import logging
import re
import threading
from decimal import ROUND_UP, Decimal

from ...facts import prices, tokens
from ...facts.models import models
from .. import pictures, shaping
from ..answer import error

ANSWER = 16_384  # tokens: the most that gpt-4o writes, so every model on sale takes it as a limit
CODE = "day9_budget"
PICTURE = 50_000  # tokens, of one whose size or rule is not known: those of the dearest tile rule of helpers/facts/tokens.py (gpt-4o-mini, eight tiles)
LONG_INPUT, LONG_FACTOR = (
    272_000,
    2,
)  # above so many tokens of input prices rise, at most by this (litellm 1.109.1)
SOUND_BYTES = 100  # of an encoded sound hold one token at least: 10 tokens a second, 8 kbit
LIMIT = {shaping.CHAT: "max_completion_tokens", shaping.RESPONSES: "max_output_tokens"}
FREE = re.compile(
    r"/v1/((files|uploads|moderations|conversations)(/.*)?|chat/completions/[^/]+|responses/(input_tokens|[^/]+/cancel)|fine_tuning/jobs/[^/]+/(cancel|pause))"
)
UNSEEN = (
    "previous_response_id",
    "conversation",
    "prompt",
)  # bring tokens that the request does not show, as do these parts:
UNSEEN_PARTS = ("file", "input_file", "item_reference")
PRICED_TOOLS = ("function", "custom")  # those that cost nothing but their tokens


def today():
    return datetime.date.today()


class OverBudget(Exception):
    """A call that could pass the ceiling; its text says why, and how to go on."""

    def answer(self, model):
        # 429 like the API's own quota, but not to be tried again
        return error(
            429,
            str(self),
            "insufficient_quota",
            code=CODE,
            model=model,
            headers={"X-Should-Retry": "false"},
            as_it_came=True,
        )


class Spending:
    """What has been spent, in USD. `carried`: by an earlier process of the same kernel. `told`:
    called with each new sum.
    """

    def __init__(self, ceiling, carried=Decimal(0), told=lambda total: None):
        self.ceiling, self.spent, self.held, self.told = ceiling, carried, Decimal(0), told
        self.changing = threading.RLock()  # a long request is reserved beside the event loop

    @property
    def total(self):
        """Spent, and reserved for calls whose answer has not come."""
        return self.spent + self.held

    def reserve(self, method, path, body):
        """A Hold on the most that a request can cost, or None where it costs nothing. Raises
        OverBudget.

        body: the request's JSON as a dict, or None. Where the request must be given a limit,
        `hold.limit` is (name, tokens).
        """
        if self.ceiling is None or method != "POST" or FREE.fullmatch(path):
            return None
        if (
            path not in LIMIT
            or not isinstance(body, dict)
            or not isinstance(body.get("model"), str)
        ):
            raise OverBudget(
                f"No price is known for {method} {path}, and under a ceiling (DAY9_BUDGET) nothing is sent whose price nobody knows. {WITHOUT}"
            )
        hold = Hold(self, path, body)
        if self._fits(hold):
            return hold
        hold.count()
        if not self._fits(hold):
            raise OverBudget(
                f"Not sent: this call may cost up to {hold.usd:.4f} USD (an answer of {hold.most:,} tokens at most), and {self.total:.4f} of the {self.ceiling:.2f} USD "
                f"of DAY9_BUDGET are spent or reserved in this kernel. Ways on: a smaller {LIMIT[path]}, a cheaper model, "
                "or a higher DAY9_BUDGET and helpers.connect() again."
            )
        return hold

    def _fits(self, hold):
        """Reserve what a Hold is for, where that stays below the ceiling."""
        with self.changing:
            fits = self.total + hold.usd <= self.ceiling
            if fits:
                self.hold(hold.usd)
        return fits

    def hold(self, usd):
        """Reserve so much more, or less."""
        with self.changing:
            self.held += usd
            self.told(self.total)


WITHOUT = 'DAY9_BUDGET="none" and helpers.connect() again do without a ceiling; then OpenAI\'s own limits are the only ones.'


class Hold:
    """What one call may cost, until it is known what it did. `usd` is the reservation."""

    def __init__(self, spending, path, body):
        self.spending, self.path, self.body, self.model = spending, path, body, body["model"]
        self.on = today()
        self.given, self.made = (
            dearest(self.model, direction, self.on) for direction in ("input", "output")
        )
        text, sounds, images, odd = _parts(body)
        odd += _odd(body)
        if odd:
            raise OverBudget(
                f"What {odd[0]!r} adds to the price of a call cannot be known beforehand, and DAY9_BUDGET sets a ceiling. {WITHOUT}"
            )
        asked = shaping.limit_of(body)
        self.limit = None if asked is not None else (LIMIT[path], ANSWER)
        answers = body.get("n") if isinstance(body.get("n"), int) and body["n"] > 0 else 1
        self.most = answers * (ANSWER if asked is None else max(asked, 0))
        self.media = sounds + (_pictures(path, body, images) if images else 0)
        self.text = json.dumps(text, ensure_ascii=False)
        self._price(len(self.text.encode(errors="replace")) + self.media)

    def _price(self, given):
        dearer = LONG_FACTOR if given > LONG_INPUT else 1
        self.usd = (dearer * (given * self.given + self.most * self.made)).quantize(
            Decimal("1e-9"), ROUND_UP
        )

    def count(self):
        """A closer bound: the text as tokens, not as bytes."""
        self._price(tokens.count(self.text) + self.media)

    def price(self, usage, said):
        """What the call cost, in USD: by its answer's own usage; else by the visible words, where a
        model has no hidden ones; else all that it can have cost.

        usage: a dict, {} or None. said: the words of a stream that told no usage. Slow where it has
        to count.
        """
        try:
            if usage:
                return prices.cost(self.model, usage, self.on) * (
                    LONG_FACTOR if sum(prices.token_counts(usage).values()) > LONG_INPUT else 1
                )
        except (LookupError, ValueError, TypeError, AttributeError):  # a usage of no known form
            logging.warning(
                "The usage that was told for %s is not understood; the most that the call can have cost is counted.",
                self.model,
            )
            return self.usd
        if said and models().get(self.model, {}).get("kind") == "chat":
            return min(
                self.usd,
                (tokens.count(self.text) + self.media) * self.given
                + tokens.count(said) * self.made,
            )
        return self.usd

    def settle(self, usd=None):
        """Put a price in the reservation's place; None keeps it all, since nobody knows what was
        spent.
        """
        with self.spending.changing:
            self.spending.spent += self.usd if usd is None else usd
            self.spending.hold(-self.usd)


def dearest(model, direction, on):
    """The highest price of one token of a model in any modality, in USD. Raises OverBudget where
    none is known.
    """
    found = []
    for modality in ("text", "audio", "image"):
        try:
            found.append(prices.usd_per_million(model, modality, direction, on))
        except LookupError:
            continue
    if not found:
        raise OverBudget(
            f"No price of {model} is known for {on} (data/prices.csv), and under a ceiling (DAY9_BUDGET) nothing is sent whose price nobody knows. "
            f"Ask a model with a price, such as gpt-5.6-sol. {WITHOUT}"
        )
    return max(found).scaleb(-6)


def _odd(body):
    """What in a request costs more than the tokens that it shows."""
    tools = [t.get("type") for t in body.get("tools") or [] if isinstance(t, dict)]
    tier = (
        [f"service_tier {body['service_tier']}"]
        if body.get("service_tier") not in (None, "auto", "default", "flex")
        else []
    )
    return (
        [kind for kind in tools if kind not in PRICED_TOOLS]
        + [
            name
            for name in (*UNSEEN, "web_search_options", "prediction")
            if body.get(name) is not None
        ]
        + tier
    )


def _parts(value):
    """(a JSON value without its pictures and sounds, the tokens that the sounds have at most, how
    many pictures, parts whose tokens nobody sees)
    """
    if isinstance(value, dict):
        kind, sound = value.get("type"), value.get("input_audio")
        if kind in ("image_url", "input_image"):
            return {"type": kind}, 0, 1, []
        if kind in UNSEEN_PARTS:
            return {"type": kind}, 0, 0, [kind]
        if kind == "input_audio" and isinstance(sound, dict) and isinstance(sound.get("data"), str):
            return {"type": kind}, len(sound["data"]) // SOUND_BYTES + 1, 0, []
    if not isinstance(value, (dict, list)):
        return value, 0, 0, []
    inside = [_parts(v) for v in (value.values() if isinstance(value, dict) else value)]
    plain = [v for v, _, _, _ in inside]
    return (
        dict(zip(value, plain)) if isinstance(value, dict) else plain,
        sum(n for _, n, _, _ in inside),
        sum(n for _, _, n, _ in inside),
        [kind for _, _, _, odd in inside for kind in odd],
    )


def _pictures(path, body, images):
    try:
        return pictures.count(path, body)
    except (
        LookupError,
        ValueError,
        AttributeError,
        TypeError,
    ):  # no rule is known for the model, or no size of a picture
        return images * PICTURE
