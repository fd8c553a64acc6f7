"""The cost notebooks: their claims from the data, their figures from their tables, their sliders,
and the sums behind them.
"""

import base64
import html
import re
from datetime import date
from decimal import Decimal

import numpy
import pytest

import helpers
from helpers.costs import budgets, voice_costs
from helpers.facts import prices, stats, tokens
from tests.tools import refresh

DAY_9 = date(2024, 12, 17)
OCTOBER, DECEMBER, MINI = (
    "gpt-4o-realtime-preview-2024-10-01",
    "gpt-4o-realtime-preview-2024-12-17",
    "gpt-4o-mini-realtime-preview-2024-12-17",
)
BOOKS = {
    p.name[:2]: p for p in refresh.notebooks() if p.parent.name == "4_costs" and p.name[:2] <= "04"
}
FIGURE = "application/vnd.plotly.v1+json"


def outputs(book):
    return [o for c in refresh.read(BOOKS[book]).cells if c.cell_type == "code" for o in c.outputs]


def said(book):
    return "\n".join(
        o.get("text") or "".join(o.get("data", {}).get("text/plain", "")) for o in outputs(book)
    )


def tables(book):
    """[{column: {row: shown text}}] of a notebook's DataFrames."""
    found = []
    for output in outputs(book):
        markup = output.get("data", {}).get("text/html", "")
        if "dataframe" in markup:
            rows = [
                [
                    html.unescape(re.sub(r"<[^>]+>", "", c))
                    for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
                ]
                for row in re.findall(r"<tr.*?>(.*?)</tr>", markup, re.S)
            ]
            head, *body = rows
            body = [row for row in body if any(row[1:])]  # not the line that names the index
            found.append(
                {column: {row[0]: row[i] for row in body} for i, column in enumerate(head) if i}
            )
    return found


def values(axis):
    if isinstance(axis, dict):
        return numpy.frombuffer(base64.b64decode(axis["bdata"]), axis["dtype"]).tolist()
    return axis


def label(x):
    return f"{x:g}" if isinstance(x, (int, float)) else x


def number(text):
    try:
        return label(float(text.replace(",", "")))
    except ValueError:
        return text


def test_all_four_are_here():
    assert list(BOOKS) == ["01", "02", "03", "04"]


@pytest.mark.parametrize("book", BOOKS)
def test_a_figure_shows_the_numbers_of_a_table(book):
    figures = [o["data"][FIGURE] for o in outputs(book) if FIGURE in o.get("data", {})]
    assert figures
    for figure in figures:
        names = {trace["name"] for trace in figure["data"]}
        beside = [t for t in tables(book) if names <= set(t)]
        for trace in figure["data"]:
            drawn = dict(zip(map(label, values(trace["x"])), values(trace["y"])))
            columns = [
                {number(row): text for row, text in t[trace["name"]].items()} for t in beside
            ]
            shared = [
                (row, text) for column in columns for row, text in column.items() if row in drawn
            ]
            assert len(shared) >= min(5, len(drawn)), f"no table of {trace['name']!r}"
            for row, text in shared:
                digits = len(text.partition(".")[2])
                assert abs(drawn[row] - float(text.replace(",", ""))) <= 0.5000001 * 10**-digits, (
                    trace["name"],
                    row,
                )


# 01: what was said of prices

CLAIMS = {
    "sound heard: 60 % cheaper": (OCTOBER, DECEMBER, "audio", "input", "-60.0%"),
    "sound spoken: 60 % cheaper": (OCTOBER, DECEMBER, "audio", "output", "-60.0%"),
    "sound from the cache: 87.5 % cheaper": (OCTOBER, DECEMBER, "audio", "cached_input", "-87.5%"),
    "mini: a tenth of the price": (DECEMBER, MINI, "audio", "input", "-75.0%"),
    "o1: cheaper than o1-preview": ("o1-preview", "o1", "text", "output", "+0.0%"),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_is_recomputed_from_the_price_table(claim):
    old, new, modality, direction, change = CLAIMS[claim]
    before, after = (
        prices.usd_per_million(model, modality, direction, DAY_9) for model in (old, new)
    )
    assert f"{after / before - 1:+.1%}" == change
    table = next(t for t in tables("01") if "change" in t and claim in t["change"])
    assert (Decimal(table["old"][claim]), Decimal(table["new"][claim]), table["change"][claim]) == (
        before,
        after,
        change,
    )


def test_the_tenth_is_of_october():
    table = next(t for t in tables("01") if "of October's price" in t)
    assert table["of October's price"] == {"heard": "0.10", "spoken": "0.10", "text read": "0.12"}
    assert table["of December's price"] == {"heard": "0.25", "spoken": "0.25", "text read": "0.12"}
    for direction in ("input", "output"):
        mini, december, october = (
            prices.usd_per_million(m, "audio", direction, DAY_9) for m in (MINI, DECEMBER, OCTOBER)
        )
        assert mini / october == Decimal("0.1") and mini / december == Decimal("0.25")


def test_tuning_on_pairs_has_no_price_of_its_own():
    """The announcement has one price per trained token for both methods, and so has the table."""
    rows = [r for r in prices.price_rows() if r["modality"] == "training"]
    assert {r["direction"] for r in rows} == {"training"}
    assert len({(r["model"], r["from"]) for r in rows}) == len(rows)


# 02: solved cases


def test_the_break_even_falls_where_the_bills_meet():
    runs = {
        "o1-mini": (Decimal("18.577") / 225, Decimal(74) / 225),
        "o1": (Decimal("186.4958") / 224, Decimal(139) / 224),
    }
    edge = (runs["o1"][0] - runs["o1-mini"][0]) / (runs["o1"][1] - runs["o1-mini"][1])
    bills = [usd + edge * (1 - solved) for usd, solved in runs.values()]
    assert abs(bills[0] - bills[1]) < Decimal("1e-20")
    table = next(t for t in tables("02") if "break-even, USD a failure" in t)
    assert table["break-even, USD a failure"]["o1-mini → o1-2024-12-17"] == f"{edge:.2f}"


def test_the_bill_bounds_the_hidden_tokens():
    fall = 1 - Decimal("102.47") / Decimal("203.92")
    assert f"cost {fall:.1%} less" in said("02")
    assert f"60 % fits if {fall / Decimal('0.60'):.0%} of o1-preview's bill was hidden" in said(
        "02"
    )


def prose(book):
    return "\n".join(c.source for c in refresh.read(BOOKS[book]).cells if c.cell_type == "markdown")


def test_the_accuracy_that_is_needed_is_held_against_intervals():
    table = next(t for t in tables("02") if "50%?" in t)
    for model, usd, solved, cases, seconds in (
        ("o1-mini", 18.577, 74, 225, "34.7"),
        ("o1-2024-12-17", 186.4958, 139, 224, "133.2"),
        ("gpt-4o-2024-08-06", 7.0286, 52, 225, "16.0"),
    ):
        low, high = stats.wilson_interval(solved, cases)
        dollars = [f"{usd / cases / share:.2f}" for share in (high, low)]
        assert [
            table["USD per solved, from"][model],
            table["to USD"][model],
            table["seconds"][model],
        ] == [*dollars, seconds]
        assert table["50%?"][model] == ("yes" if low >= 0.5 else "no")
        assert model.startswith("gpt") or " to ".join(dollars) in prose("02")
        assert high < 0.7  # nobody here reaches it


def test_on_berkeleys_cases_gpt_4o_is_the_better_and_the_cheaper_one():
    table = next(t for t in tables("02") if "right, %" in t)
    of = lambda column, model: Decimal(table[column][model])
    o4, o1, preview = "gpt-4o-2024-11-20", "o1-2024-12-17", "o1-preview"
    assert of("right, %", o4) > of(
        "right, %", o1
    ) and f"{of('right, %', o1) - of('right, %', preview)} points" in prose("02")
    for column, words in (
        ("USD per 1,000", "{:.0f} % of the money"),
        ("seconds", "{:.0f} % of the time"),
    ):
        assert words.format(100 * of(column, o4) / of(column, o1)) in prose("02")


# 03: a conversation


def test_one_turn_costs_what_its_minute_says():
    for model, heard, spoken in (
        (OCTOBER, "0.06", "0.24"),
        (DECEMBER, "0.024", "0.096"),
        (MINI, "0.006", "0.024"),
    ):
        assert voice_costs.so_far(model, voice_costs.usages([(60, 0)]), DAY_9) == [Decimal(heard)]
        assert voice_costs.so_far(model, voice_costs.usages([(60, 60)]), DAY_9) == [
            Decimal(heard) + Decimal(spoken)
        ]


def test_the_worked_example_of_the_guide_adds_up_to_65():
    second = voice_costs.usages([(2, 1), (2.5, 1)])[1]["input_token_details"]
    assert second["audio_tokens"] == 20 + 20 + 25
    assert second["cached_tokens_details"] == {"text_tokens": 0, "audio_tokens": 20}


@pytest.mark.parametrize("turns", [1, 2, 7, 120])
def test_history_is_heard_again_in_every_turn(turns):
    used = voice_costs.usages(voice_costs.even(turns / 4, 50, turns), instructions=300)
    you, it = 75, 150
    assert [u["input_tokens"] for u in used] == [
        300 + k * you + (k - 1) * it for k in range(1, turns + 1)
    ]
    assert (
        sum(u["input_token_details"]["audio_tokens"] for u in used)
        == you * turns * (turns + 1) // 2 + it * turns * (turns - 1) // 2
    )


def test_the_cache_holds_what_the_response_before_heard():
    used = voice_costs.usages([(1, 2), (3, 4), (5, 6)], instructions=100)
    assert [u["input_token_details"]["cached_tokens"] for u in used] == [
        0,
        *[u["input_tokens"] for u in used[:-1]],
    ]
    without = voice_costs.usages([(1, 2), (3, 4), (5, 6)], instructions=100, cached=False)
    assert all(u["input_token_details"]["cached_tokens"] == 0 for u in without)
    assert (
        voice_costs.so_far(DECEMBER, used, DAY_9)[-1]
        < voice_costs.so_far(DECEMBER, without, DAY_9)[-1]
    )
    assert (
        voice_costs.so_far(DECEMBER, used, DAY_9)[0]
        == voice_costs.so_far(DECEMBER, without, DAY_9)[0]
    )


def test_sums_so_far_never_fall_and_end_at_the_sum_of_the_calls():
    used = voice_costs.usages(voice_costs.even(3, 40, 9), 200)
    sums = voice_costs.so_far(MINI, used, DAY_9)
    assert sums == sorted(sums) and sums[-1] == sum(prices.cost(MINI, u, DAY_9) for u in used)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ((1, 50, 0), "the number of turns is a whole number, 1 or more, not 0"),
        ((-1, 50, 4), "a conversation has 0 minutes or more"),
        ((1, 101, 4), "a share of 0 to 100"),
        ((1, -1, 4), "a share of 0 to 100"),
    ],
)
def test_an_impossible_conversation_is_an_error(wrong, said):
    with pytest.raises(ValueError, match=said):
        voice_costs.even(*wrong)


def test_each_slider_bends_the_curve():
    cells = [c.source for c in refresh.read(BOOKS["03"]).cells if c.cell_type == "code"]
    slider = next(i for i, source in enumerate(cells) if "helpers.turn(" in source)
    space = {}
    for source in cells[: slider + 1]:
        if "helpers.figure" not in source:  # it displays, and nothing below needs it
            exec(source, space)  # the notebook's own cells
    call = re.search(r"helpers\.turn\(bend, (.*)\)", cells[slider], re.S)[1]
    widget = helpers.turn(space["bend"], **eval(f"dict({call})"))
    *rows, shown, _ = widget.children
    assert [row.children[0].description for row in rows] == [
        "minutes",
        "user share, %",
        "turns, a minute",
    ]
    start = shown.value
    # the first row of the table beside it
    assert "<svg" in start and "October 5.51, December 1.29" in start
    for row in rows:
        field = row.children[0]
        before, field.value = field.value, field.min
        assert shown.value != start, field.description
        field.value = before
        assert shown.value == start


# 04: a budget

ASK, SHORT, LONG = (
    [{"role": role, "content": text}]
    for role, text in (
        ("user", "Where is my parcel?"),
        ("assistant", "On its way."),
        ("assistant", "We are so glad that you asked where it is."),
    )
)


def test_a_pair_is_billed_within_its_bounds():
    fewest, most = budgets.line_tokens(
        {"input": {"messages": ASK}, "preferred_output": SHORT, "non_preferred_output": LONG}
    )
    good, bad = (budgets.line_tokens({"messages": ASK + answer})[0] for answer in (SHORT, LONG))
    assert most == good + bad  # as two examples
    assert most - fewest == tokens.chat_tokens(ASK) - 3  # the prompt, once
    assert fewest > max(good, bad)


def test_paying_back():
    assert budgets.calls_to_pay_back(41.25, 0.004, 0.003) == 41250
    assert budgets.calls_to_pay_back(0, 0.004, 0.003) == 0
    assert budgets.calls_to_pay_back(1, 0.003, 0.003) is None


@pytest.mark.parametrize(
    "model, kind, edge",
    [
        ("gpt-4o-2024-08-06", "input", 450),
        ("gpt-4o-2024-08-06", "cached_input", 900),
        ("gpt-4o-mini-2024-07-18", "input", 900),
        ("gpt-4o-mini-2024-07-18", "cached_input", 1800),
    ],
)
def test_below_the_edge_a_tuned_call_is_the_dearer_one(model, kind, edge):
    def call(model, prompt):
        cached = prompt if kind == "cached_input" else 0
        return prices.cost(
            model,
            {
                "prompt_tokens": prompt + 100,
                "completion_tokens": 200,
                "prompt_tokens_details": {"cached_tokens": cached},
            },
            DAY_9,
        )

    assert call(model, edge - 1) < call(f"ft:{model}", 0) < call(model, edge + 1)
    assert call(model, edge) == call(f"ft:{model}", 0)
    table = next(t for t in tables("04") if model in t and "prompt cached" in t[model])
    column = "prompt cached" if kind == "cached_input" else "prompt not cached"
    assert table[model][column] == f"{edge:,}"


def test_the_last_days_stand_in_the_data():
    training = [
        r
        for r in prices.price_rows()
        if r["model"] == "gpt-4o-2024-08-06" and r["modality"] == "training"
    ]
    assert training[-1]["until"] == date(2027, 1, 6) and "2027-01-06" in said("04")
    assert prices.sold_on("ft:gpt-4o-2024-08-06")[1] == date(
        2027, 1, 14
    ) and "2027-01-14, 53 days after 2026-11-22" in said("04")
