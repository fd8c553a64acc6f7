"""What a spoken conversation costs, turn by turn, by the rules of OpenAI's guide "Realtime costs".

Sound is 1 token for each 100 ms of the user and each 50 ms of the assistant. Every response has the
whole conversation as its input, the assistant's own earlier sound included, and that input is
billed again.
"""

import functools
import itertools

from ..common.whole import whole
from ..facts import prices, tokens

# Tokens that a model with a window of 32k takes as its input, by OpenAI's guide; after them the
# oldest turns are dropped, and with them the cache.
WINDOW = 28_224


def even(minutes, user_share, turns):
    """[(user's seconds, assistant's seconds)] of `turns` equal turns.

    minutes: of speech, both sides together; user_share: the user's percent of it. ValueError for
    less than one turn or a part of one, a negative time or a share outside 0 to 100.

    >>> even(2, 50, 4)
    [(15.0, 15.0), (15.0, 15.0), (15.0, 15.0), (15.0, 15.0)]
    """
    if minutes < 0 or not 0 <= user_share <= 100:
        raise ValueError(
            f"a conversation has 0 minutes or more and a share of 0 to 100, not {minutes} and {user_share}"
        )
    turns = whole(turns, "the number of turns", 1)
    if 0 < user_share < 1:
        raise ValueError(
            f"a share is in percent: {100 * user_share:g} where you wrote {user_share}"
        )
    seconds = 60 * minutes / turns
    return [(seconds * user_share / 100, seconds * (100 - user_share) / 100)] * turns


def usages(turns, instructions=0, cached=True):
    """The usage of each response of a conversation, as dicts of the Realtime API's shape.

    turns: [(user's seconds, assistant's seconds)]; instructions: text tokens in front of each
    response. cached: whether all that the response before had as its input comes from the cache,
    which is the best case; if not, nothing does. Left out: transcripts, tools, and the few special
    tokens of each message. ValueError for what is no conversation, and for one whose input grows
    beyond WINDOW.

    >>> [u["input_token_details"]["audio_tokens"] for u in usages([(2, 1), (2.5, 1)])]
    [20, 65]
    """
    if not isinstance(cached, bool):
        raise ValueError(f"cached is True or False, not {cached!r}")
    instructions = whole(instructions, "instructions, in tokens,")
    made, heard, before = [], 0, (0, 0)
    for number, turn in enumerate(turns, 1):
        if not (isinstance(turn, (tuple, list)) and len(turn) == 2):
            raise ValueError(
                f"turn {number} is {turn!r}, not (seconds of the user, seconds of the model)"
            )
        user, assistant = turn
        heard += tokens.audio_tokens(user, "user")
        spoken = tokens.audio_tokens(assistant, "assistant")
        if instructions + heard > WINDOW:
            raise ValueError(
                f"in turn {number} the model would hear {instructions + heard:,} tokens; one with a window of 32k takes {WINDOW:,}, "
                "and drops the oldest turns then, which is not reckoned here: take fewer minutes"
            )
        text, audio = before if cached else (0, 0)
        made.append(
            {
                "input_tokens": instructions + heard,
                "output_tokens": spoken,
                "input_token_details": {
                    "text_tokens": instructions,
                    "audio_tokens": heard,
                    "cached_tokens": text + audio,
                    "cached_tokens_details": {"text_tokens": text, "audio_tokens": audio},
                },
                "output_token_details": {"text_tokens": 0, "audio_tokens": spoken},
            }
        )
        before = instructions, heard
        heard += spoken
    return made


def so_far(model, used, on):
    """What the conversation has cost after each response, in USD, as exact Decimals.

    used: the usages of its responses; on: the day whose prices to use. LookupError for a day
    without them.

    >>> so_far("gpt-4o-realtime-preview-2024-12-17", usages([(60, 60)]), "2024-12-17")
    [Decimal('0.120000')]
    """
    price = functools.cache(
        lambda modality, direction: prices.usd_per_million(model, modality, direction, on).scaleb(
            -6
        )
    )
    calls = (
        sum(n * price(*kind) for kind, n in prices.token_counts(usage).items()) for usage in used
    )
    return list(itertools.accumulate(calls))
