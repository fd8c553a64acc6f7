"""Our price table beside two that others keep: every difference is explained by name, and every
explanation is needed.
"""

import json
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path

from helpers.facts import prices

DAY_9, CHECKED = date(2024, 12, 17), date(2026, 11, 22)
LITELLM = json.loads(
    (Path(__file__).parents[1] / "data" / "litellm-1.55.8-prices.json").read_text(encoding="utf-8"),
    parse_float=Decimal,
)["models"]
FIELDS = {  # (modality, direction): (litellm's field, genai-prices' field)
    ("text", "input"): ("input_cost_per_token", "input_mtok"),
    ("text", "cached_input"): ("cache_read_input_token_cost", "cache_read_mtok"),
    ("text", "output"): ("output_cost_per_token", "output_mtok"),
    ("audio", "input"): ("input_cost_per_audio_token", "input_audio_mtok"),
    # the one litellm had for cached sound, in spite of its name
    ("audio", "cached_input"): ("cache_creation_input_audio_token_cost", "cache_audio_read_mtok"),
    ("audio", "output"): ("output_cost_per_audio_token", "output_audio_mtok"),
    ("image", "input"): (None, "input_image_mtok"),
    ("image", "cached_input"): (None, "cache_image_read_mtok"),
}
OCTOBER, DECEMBER = "gpt-4o-realtime-preview-2024-10-01", "gpt-4o-realtime-preview-2024-12-17"
AUDIO = [
    ("gpt-4o-audio-preview-2024-10-01", "100", "200"),
    ("gpt-4o-audio-preview-2024-12-17", "40", "80"),
    ("gpt-4o-mini-audio-preview-2024-12-17", "10", "20"),
]

# {(model, modality, direction, day): (ours, theirs)} with None for a price that one side lacks.
NOT_IN_LITELLM_1_55_8 = {
    # its row of the December voice model has no field for cached sound; OpenAI's announcement says
    # 2.5
    **{
        (m, "audio", "cached_input", DAY_9): ("2.5", None)
        for m in ("gpt-4o-realtime-preview", DECEMBER)
    },
    # its fine-tunes of gpt-4o have no price for cached input
    ("ft:gpt-4o-2024-08-06", "text", "cached_input", DAY_9): ("1.875", None),
    # its undated name has an old price, its gpt-3.5-turbo-0125 the one of that day
    ("gpt-3.5-turbo", "text", "input", DAY_9): ("0.5", "1.5"),
    ("gpt-3.5-turbo", "text", "output", DAY_9): ("1.5", "2"),
    # which snapshot the undated name stood for is not known, so we have no price for it
    **{
        ("gpt-4o-audio-preview", mod, d, DAY_9): (None, usd)
        for mod, d, usd in [
            ("text", "input", "2.5"),
            ("text", "output", "10"),
            ("audio", "input", "100"),
            ("audio", "output", "200"),
        ]
    },
}
NOT_IN_GENAI_PRICES = {
    # one price for every gpt-4o-realtime id: the October model is given December's, and the cut of
    # 60 % vanishes
    (OCTOBER, "audio", "input", date(2024, 10, 1)): ("100", "40"),
    (OCTOBER, "audio", "output", date(2024, 10, 1)): ("200", "80"),
    (OCTOBER, "audio", "cached_input", DAY_9): ("20", "2.5"),
    # o1-mini without its history: only the price since the end of January 2025
    ("o1-mini-2024-09-12", "text", "input", DAY_9): ("3", "1.1"),
    ("o1-mini-2024-09-12", "text", "cached_input", DAY_9): ("1.5", "0.55"),
    ("o1-mini-2024-09-12", "text", "output", DAY_9): ("12", "4.4"),
    # the cut of June 2025 is dated for input and output, not for the cache
    ("o3", "text", "cached_input", date(2025, 4, 16)): ("2.5", "0.5"),
    # no price for the sound of these
    **{
        (m, "audio", d, DAY_9): (usd, None)
        for m, *both in AUDIO
        for d, usd in zip(("input", "output"), both)
    },
    # no price for cached input
    ("ft:gpt-4o-2024-08-06", "text", "cached_input", DAY_9): ("1.875", None),
    ("ft:gpt-4o-mini-2024-07-18", "text", "cached_input", DAY_9): ("0.15", None),
}


def ours(model, modality, direction, day):
    try:
        return prices.usd_per_million(model, modality, direction, day)
    except LookupError:
        return None


def differences(keys, theirs):
    """{(model, modality, direction, day): (ours, theirs)} for those of `keys` where the two tables
    do not say the same.
    """
    pairs = {key: (ours(*key), theirs(*key)) for key in keys}
    return {
        key: tuple(usd if usd is None else f"{usd.normalize():f}" for usd in pair)
        for key, pair in pairs.items()
        if pair[0] != pair[1]
    }


def test_litellm_of_december_2024_differs_as_explained():
    def theirs(model, modality, direction, day):
        per_token = LITELLM[model].get(FIELDS[modality, direction][0])
        return None if per_token is None else per_token * 1_000_000

    keys = [
        (model, *kind, DAY_9)
        for model in LITELLM
        if model != "gpt-3.5-turbo-0125"
        for kind in FIELDS
    ]
    assert differences(keys, theirs) == NOT_IN_LITELLM_1_55_8
    dated = [theirs("gpt-3.5-turbo-0125", "text", d, DAY_9) for d in ("input", "output")]
    assert dated == [ours("gpt-3.5-turbo", "text", d, DAY_9) for d in ("input", "output")]


def test_genai_prices_differs_as_explained():
    from genai_prices.data import providers

    openai = next(p for p in providers if p.id == "openai")

    def theirs(model, modality, direction, day):
        found = openai.find_model(model).get_prices(datetime.combine(day, time(12), timezone.utc))
        usd = getattr(found, FIELDS[modality, direction][1], None)
        # a price by length of context: the one below 272,000 tokens
        return getattr(usd, "base", usd)

    rows = [r for r in prices.price_rows() if r["modality"] != "training"]
    unknown = {r["model"] for r in rows if openai.find_model(r["model"]) is None}
    assert unknown == {
        "ft:gpt-4.1-2025-04-14",
        "ft:gpt-4.1-mini-2025-04-14",
        "ft:gpt-4.1-nano-2025-04-14",
        "ft:o4-mini-2025-04-16",
    }
    rows = [r for r in rows if r["model"] not in unknown]

    # each of our prices on the first day that it held
    assert (
        differences([(r["model"], r["modality"], r["direction"], r["from"]) for r in rows], theirs)
        == NOT_IN_GENAI_PRICES
    )
    # and no kind of token has a price there but none here
    have = {(r["model"], r["modality"], r["direction"]) for r in rows}
    assert [
        (m, *kind)
        for m in {m for m, _, _ in have}
        for kind in FIELDS
        if (m, *kind) not in have and theirs(m, *kind, CHECKED)
    ] == []
