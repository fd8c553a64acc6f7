"""The price table and the sums over it, against the figures announced on 17 December 2024."""

import doctest
import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest

from helpers.facts import prices

LAUNCH = date(2024, 12, 17)
OCTOBER = "gpt-4o-realtime-preview-2024-10-01"
DECEMBER = "gpt-4o-realtime-preview-2024-12-17"
MINI = "gpt-4o-mini-realtime-preview-2024-12-17"


def price(model, modality, direction, on=LAUNCH):
    return prices.usd_per_million(model, modality, direction, on)


def test_examples_in_docstrings():
    assert doctest.testmod(prices).failed == 0


@pytest.mark.parametrize("direction", ["input", "output"])
def test_audio_fell_by_60_percent(direction):
    assert price(DECEMBER, "audio", direction) / price(OCTOBER, "audio", direction) - 1 == Decimal(
        "-0.6"
    )


def test_cached_audio_fell_by_87_5_percent():
    assert price(DECEMBER, "audio", "cached_input") / price(
        OCTOBER, "audio", "cached_input"
    ) - 1 == Decimal("-0.875")


@pytest.mark.parametrize("direction", ["input", "output"])
def test_mini_audio_is_a_tenth_of_october_and_a_quarter_of_december(direction):
    assert price(MINI, "audio", direction) * 10 == price(OCTOBER, "audio", direction)
    assert price(MINI, "audio", direction) * 4 == price(DECEMBER, "audio", direction)


@pytest.mark.parametrize("direction", ["input", "cached_input", "output"])
def test_text_of_the_voice_model_was_not_cut(direction):
    assert price(DECEMBER, "text", direction) == price(OCTOBER, "text", direction)


@pytest.mark.parametrize("direction", ["input", "cached_input", "output"])
def test_o1_costs_what_o1_preview_cost(direction):
    assert price("o1", "text", direction) == price("o1-preview", "text", direction)


@pytest.mark.parametrize(
    "model, heard, spoken",
    [(OCTOBER, "0.06", "0.24"), (DECEMBER, "0.024", "0.096"), (MINI, "0.006", "0.024")],
)
def test_a_minute_of_sound(model, heard, spoken):
    minute = {
        "input_tokens": 600,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 600},
        "output_tokens": 1200,
        "output_token_details": {"text_tokens": 0, "audio_tokens": 1200},
    }
    assert prices.cost(model, minute, LAUNCH) == Decimal(heard) + Decimal(spoken)
    assert prices.cost(
        model, minute | {"output_tokens": 0, "output_token_details": {}}, LAUNCH
    ) == Decimal(heard)


def test_a_chat_receipt_is_exact():
    usage = {
        "prompt_tokens": 1117,
        "completion_tokens": 1409,
        "total_tokens": 2526,
        "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 1344, "audio_tokens": 0},
    }
    # 93 × 15 + 1,024 × 7.5 + 1,409 × 60 = 93,615 millionths; reasoning tokens are inside the 1,409
    assert prices.cost("o1", usage, "2024-12-17") == Decimal("0.093615")


def test_a_responses_receipt_is_exact():
    usage = {
        "input_tokens": 36,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 64},
        "total_tokens": 123,
    }
    # 36 × 4 + 87 × 20
    assert prices.cost("gpt-5.6-sol", usage, date(2026, 11, 22)) == Decimal("0.001884")


def test_a_realtime_receipt_is_exact():
    usage = {
        "total_tokens": 253,
        "input_tokens": 132,
        "output_tokens": 121,
        "input_token_details": {
            "text_tokens": 119,
            "audio_tokens": 13,
            "cached_tokens": 74,
            "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 10},
        },
        "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
    }
    # text 55 × 5 + 64 × 2.5 + 30 × 20 = 1,035; audio 3 × 40 + 10 × 2.5 + 91 × 80 = 7,425 millionths
    assert prices.cost(DECEMBER, usage, LAUNCH) == Decimal("0.008460")


def test_pictures_have_a_price_of_their_own_in_realtime_only():
    shown = {
        "input_tokens": 1000,
        "input_token_details": {"image_tokens": 1000},
        "output_tokens": 0,
    }
    assert prices.cost("gpt-realtime-2.1", shown, "2026-11-22") == Decimal("0.005")
    sent = {
        "prompt_tokens": 1000,
        "prompt_tokens_details": {"image_tokens": 1000},
        "completion_tokens": 0,
    }
    assert prices.cost("gpt-4o", sent, "2026-11-22") == Decimal("0.0025")


def test_absent_details_are_no_cache_and_no_sound():
    bare = {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": None}
    assert prices.cost("o1-mini", bare, LAUNCH) == Decimal("0.000042")


def test_parts_above_the_total_are_an_error():
    with pytest.raises(ValueError, match="exceed"):
        prices.cost(
            "o1",
            {
                "prompt_tokens": 5,
                "completion_tokens": 0,
                "prompt_tokens_details": {"cached_tokens": 6},
            },
            LAUNCH,
        )


def test_an_unknown_shape_is_an_error():
    with pytest.raises(ValueError, match="tokens_used"):
        prices.cost("o1", {"tokens_used": 5}, LAUNCH)


@pytest.mark.parametrize(
    "model, day, usd",
    [
        ("o1-mini", "2025-01-30", "3"),
        ("o1-mini", "2025-01-31", "1.1"),
        ("o3", "2025-06-09", "10"),
        ("o3", "2025-06-10", "2"),
        ("gpt-5.6-sol", "2026-08-20", "5"),
        ("gpt-5.6-sol", "2026-08-21", "4"),
        ("gpt-5.6-terra", "2026-07-29", "2.5"),
        ("gpt-5.6-terra", "2026-07-30", "2"),
        ("gpt-5.6-luna", "2026-07-29", "1"),
        ("gpt-5.6-luna", "2026-07-30", "0.2"),
    ],
)
def test_a_cut_holds_from_its_day(model, day, usd):
    assert price(model, "text", "input", day) == Decimal(usd)


def test_no_price_from_the_shutdown_on():
    assert price("o1", "text", "input", "2026-10-22") == 15
    with pytest.raises(
        LookupError, match=r"o1 for 2026-10-23: known from 2024-12-17 to 2026-10-22"
    ):
        price("o1", "text", "input", "2026-10-23")
    with pytest.raises(LookupError, match="2024-12-16"):
        price("o1", "text", "input", "2024-12-16")


def test_an_alias_can_end_before_what_it_stands_for():
    assert price(MINI, "audio", "input", "2026-05-07") == 10
    with pytest.raises(LookupError):
        price("gpt-4o-mini-realtime-preview", "audio", "input", "2026-05-07")


def test_a_kind_without_a_price_is_an_error():
    with pytest.raises(LookupError, match="no text cached_input price of gpt-4o-2024-05-13"):
        price("gpt-4o-2024-05-13", "text", "cached_input")
    with pytest.raises(LookupError, match="gpt-nonesuch"):
        price("gpt-nonesuch", "text", "input")


def test_tunes_and_training():
    assert price("ft:gpt-4o-2024-08-06:me:tone:AbCd", "text", "output") == 15
    assert price("gpt-4o-2024-08-06", "training", "training") == 25
    assert price("gpt-4o-mini", "training", "training") == 3
    # a tune ends with its base
    assert prices.sold_on("ft:gpt-4o-2024-08-06") == (LAUNCH, date(2027, 1, 14))


def test_prices_by_time_hold_from_and_until():
    assert prices.usd_by_time("o4-mini-2025-04-16", "training hour", "2027-01-05") == 100
    for model, per, day in (
        ("o4-mini-2025-04-16", "training hour", "2027-01-06"),
        ("gpt-live-1", "minute", "2026-11-21"),
        ("gpt-live-1", "hour", "2026-11-22"),
    ):
        with pytest.raises(LookupError, match=f"{model} by the {per} for {day}"):
            prices.usd_by_time(model, per, day)


def test_sold_on():
    assert prices.sold_on("o1-preview") == (LAUNCH, date(2025, 7, 28))
    assert prices.sold_on("gpt-6.1-sol") == (date(2026, 9, 29), None)
    with pytest.raises(LookupError):
        prices.sold_on("gpt-6.2-sol")


def test_the_rows_handed_out_are_copies():
    prices.price_rows()[0]["usd_per_million"] = 0
    assert prices.price_rows()[0]["usd_per_million"] != 0


def test_importing_it_loads_no_heavy_package():
    code = "import sys, helpers.facts.prices, helpers.facts.tokens; print([m for m in ('pandas', 'numpy', 'openai', 'tiktoken') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_a_price_after_the_last_check_is_that_of_the_check_and_says_so():
    with pytest.warns(UserWarning, match="gpt-5.6-sol were last checked on .*stand here for 2031"):
        after = prices.usd_per_million("gpt-5.6-sol", "text", "output", "2031-01-01")
    assert after == prices.usd_per_million("gpt-5.6-sol", "text", "output", prices.last_checked())


def test_a_price_by_time_after_the_last_check_says_so():
    with pytest.warns(UserWarning, match="gpt-live-1 was last checked on .*stands here for 2031"):
        assert prices.usd_by_time("gpt-live-1", "minute", "2031-01-01") > 0


def test_a_model_that_was_not_yet_sold_is_told_so():
    with pytest.raises(LookupError, match="not sold before 2024-12-17"):
        prices.usd_per_million("o1", "text", "output", "2023-01-01")


def test_a_name_that_has_no_price_is_answered_with_those_near_it():
    with pytest.raises(LookupError, match="it has gpt-6-luna"):
        prices.usd_per_million("GPT-6-Luna", "text", "output", "2026-11-22")


def test_tokens_are_whole_however_they_are_written():
    usage = {"prompt_tokens": 1e4, "completion_tokens": 500}
    assert prices.token_counts(usage) == {("text", "input"): 10_000, ("text", "output"): 500}
    with pytest.raises(ValueError, match=r"counted whole, and 0\.5"):
        prices.token_counts(usage | {"completion_tokens": 0.5})
