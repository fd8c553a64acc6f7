"""The exercises of notebooks/4_costs, in the order of the notebooks."""

from ..costs import budgets, voice_costs
from ..facts import DATA, prices, tables
from . import exercise, judge

# --- 01_the_price_list to 04_a_tuning_budget ---

DAY_9 = "2024-12-17"
OCTOBER, DECEMBER = "gpt-4o-realtime-preview-2024-10-01", "gpt-4o-realtime-preview-2024-12-17"

TEAM = {
    "input_tokens": 9_000_000,
    "output_tokens": 1_000_000,
    "input_token_details": {
        "text_tokens": 4_000_000,
        "audio_tokens": 5_000_000,
        "cached_tokens": 6_000_000,
        "cached_tokens_details": {"text_tokens": 2_000_000, "audio_tokens": 4_000_000},
    },
    "output_token_details": {"text_tokens": 200_000, "audio_tokens": 800_000},
}


@exercise(
    "prices-1",
    hint="prices.cost(october, team, day) and prices.cost(december, team, day), then one division.",
)
def how_much_cheaper_the_day_got(answer):
    old, new = (float(prices.cost(model, TEAM, DAY_9)) for model in (OCTOBER, DECEMBER))
    right, given = 1 - new / old, float(answer)
    if abs(given - right) < 0.0005:
        return None
    if abs(given - 100 * right) < 0.05:
        return "that is in percent; give a fraction of 1."
    if abs(given - new / old) < 0.0005:
        return "that is the part that is left; asked is the part that is saved."
    if abs(given - (old / new - 1)) < 0.0005:
        return "that is measured from December's bill; the saving is a part of October's."
    return f"you have {given:.4f}. Both bills with the whole usage, at the prices of {DAY_9}?"


@exercise(
    "prices-2",
    hint="Look for a second base, or a second bill, for which the sentence comes out differently.",
)
def what_the_slide_may_say(answer):
    right = {
        "voice": "says too little",
        "sound": "true",
        "tenth": "says too little",
        "o1": "false",
        "always": "false",
        "heir": "true",
    }
    why = {
        "voice": "true of its sound, and not of its text",
        "sound": "100 → 40 and 200 → 80: it names the thing and the direction",
        "tenth": "of October's price, yes; of the one announced with it, a quarter",
        "o1": "15, 7.5 and 60 USD, both of them",
        "always": "look at gpt-5.4 and gpt-5.5 in the table",
        "heir": "4 against 15, 20 against 60: it speaks of a token, not of a task",
    }
    return judge(answer, right, ("true", "false", "says too little"), why)


def _talk(model, minutes, share, turns, cached=True, change=lambda talk: talk):
    talk = change(voice_costs.even(minutes, share, turns))
    return voice_costs.so_far(model, voice_costs.usages(talk, 300, cached), DAY_9)


@exercise(
    "voice-1",
    hint="Two lists of sums so far; the first place where December's, without cache, is the larger one, counted from 1.",
)
def where_the_curves_cross(answer):
    pairs = zip(_talk(DECEMBER, 30, 50, 120, cached=False), _talk(OCTOBER, 30, 50, 120))
    right, given = next(i for i, (new, old) in enumerate(pairs, 1) if new > old), int(answer)
    if given == right:
        return None
    if given == right - 1:
        return "one less: Python counts from 0, the responses from 1."
    return f"after response {given} it has {'already cost more' if given > right else 'not yet cost more'}."


def _saved(minutes, share, turns, cached):
    """{change: USD saved} of one app."""
    before = _talk(DECEMBER, minutes, share, turns, cached)[-1]
    return {
        "shorter answers": before
        - _talk(
            DECEMBER,
            minutes,
            share,
            turns,
            cached,
            lambda talk: [(you, it / 2) for you, it in talk],
        )[-1],
        "start afresh": before
        - 2 * _talk(DECEMBER, minutes, share, turns, cached, lambda talk: talk[: turns // 2])[-1],
        "mend the cache": before - _talk(DECEMBER, minutes, share, turns)[-1],
    }


@exercise(
    "voice-2", hint="Price each talk as it is, then with each change; the largest difference wins."
)
def which_change_saves_most(answer):
    apps = {
        "door": (1, 50, 2, True),
        "interview": (30, 90, 60, True),
        "lesson": (20, 50, 80, False),
    }
    saved = {app: _saved(*how) for app, how in apps.items()}
    why = {
        app: ", ".join(
            f"{change} saves {usd:.2f} USD"
            for change, usd in by.items()
            if change == answer.get(app)
        )
        + ", another change more"
        for app, by in saved.items()
    }
    return judge(
        answer,
        {app: max(by, key=by.get) for app, by in saved.items()},
        ("shorter answers", "start afresh", "mend the cache"),
        why,
    )


def _aider(model, figure):
    """A figure of Aider's polyglot benchmark, (value, cases)."""
    (row,) = (
        r
        for r in tables.rows("measurements.csv")
        if (r["measure"], r["model"]) == (f"Aider polyglot {figure}", model)
    )
    return float(row["value"]), int(row["sample_size"])


def _edge(cheap, dear):
    """From what price of a failure on `dear` costs less, in USD, by what each solved and cost."""
    (cheap_usd, cheap_n), (dear_usd, dear_n) = _aider(cheap, "cost"), _aider(dear, "cost")
    solved = {
        m: round(_aider(m, "pass_rate_2")[0] * n / 100) / n
        for m, n in ((cheap, cheap_n), (dear, dear_n))
    }
    # the file's share is of 225
    solved["o1-2024-12-17"] = _aider("o1-2024-12-17", "pass_num_2")[0] / 224
    return (dear_usd / dear_n - cheap_usd / cheap_n) / (solved[dear] - solved[cheap])


@exercise(
    "reasoning-1",
    hint='break_even("gpt-4o-2024-11-20", "o1-2024-12-17"), the names as in the index of runs.',
)
def where_o1_beats_november(answer):
    right, given = _edge("gpt-4o-2024-11-20", "o1-2024-12-17"), float(answer)
    if abs(given - right) < 0.005:
        return None
    if abs(given + right) < 0.005:
        return "the sign: the cheap model first, then the dear one."
    if abs(given - _edge("gpt-4o-2024-08-06", "o1-2024-12-17")) < 0.005:
        return "that is the break-even with gpt-4o of August."
    return f"you have {given:.2f} USD. The difference in USD per case over the difference in solved shares?"


@exercise(
    "reasoning-2",
    hint="The break-evens are 0.15, 0.52 and 2.57 USD; for the last team look at the solved shares.",
)
def which_model_for_which_team(answer):
    right = {"suggestion": "gpt-4o-mini", "draft": "gpt-4o", "fix": "o1", "unattended": "none"}
    why = {
        "suggestion": "at a cent a failure, almost any token spent to avoid it costs more",
        "draft": "30 cents lie between the break-evens of 0.15 and 0.52 USD",
        "fix": "half an hour of a developer is more than 2.57 USD",
        "unattended": "the best of them solved 139 of 224",
    }
    return judge(answer, right, ("gpt-4o-mini", "gpt-4o", "o1-mini", "o1", "none"), why)


def _call(model, prompt, cached=0):
    """A call of the notebook: `prompt` tokens in front of a question of 100, an answer of 200, in
    USD.
    """
    usage = {
        "prompt_tokens": prompt + 100,
        "completion_tokens": 200,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return float(prices.cost(model, usage, DAY_9))


@exercise(
    "tuning_budget-1",
    hint="before = float(per_call(small, 5000)), after = float(per_call(small_tuned, 0)), then budgets.calls_to_pay_back.",
)
def when_the_mini_has_paid(answer):
    before, after = _call("gpt-4o-mini-2024-07-18", 5000), _call("ft:gpt-4o-mini-2024-07-18", 0)
    right, given = budgets.calls_to_pay_back(150, before, after), float(answer)
    if given == right:
        return None
    if given == budgets.calls_to_pay_back(150, before, _call("ft:gpt-4o-mini-2024-07-18", 5000)):
        return "you send the long prompt to the tuned model, too."
    if given == budgets.calls_to_pay_back(150, before, 0):
        return "the tuned calls are not free."
    return f"you have {given:,.0f}. 150 USD over what one call saves, rounded up?"


@exercise(
    "tuning_budget-2",
    hint="Is the prompt above the break-even (450, 900, 900, 1,800 tokens)? And may they still tune?",
)
def which_plan_pays(answer):
    right = {"tone": "prompt", "manual": "tune", "newcomer": "too late", "small": "prompt"}
    why = {
        "tone": "300 tokens are below the break-even of 450: each of the million calls would cost more",
        "manual": "6,000 tokens are far above the break-even, and 41 USD are back within a month",
        "newcomer": "no new organisations since 2026-05-07",
        "small": "from the cache the mini's break-even is 1,800 tokens",
    }
    return judge(answer, right, ("tune", "prompt", "too late"), why)


# --- 05_your_own_bill ---


@exercise(
    "bills-1",
    hint='bill.cube has a row for each day, model and feature; feature is "proj_support". Cached and other input are columns of their own: divide one by the sum of both.',
)
def cache_share_of_support(answer):
    from ..costs import bills

    cube = bills.price(bills.read(DATA / "usage" / "synthetic_usage.json")).cube
    support = cube[cube["feature"] == "proj_support"]
    cached, other = int(support["text_cached_input"].sum()), int(support["text_input"].sum())
    right = cached / (cached + other)
    given = float(answer)
    if abs(given - right) < 0.001:
        return None
    if abs(given / 100 - right) < 0.001:
        return "those are percent; give a fraction of 1."
    if abs(given - cached / other) < 0.001:
        return "that is cached against not cached; asked is its share of all input."
    if (
        abs(
            given
            - int(cube["text_cached_input"].sum())
            / int((cube["text_cached_input"] + cube["text_input"]).sum())
        )
        < 0.001
    ):
        return "that is the share of all projects; asked is proj_support."
    return f"you have {given:.3f}. Both kinds of text input, of proj_support alone, in the shipped synthetic_usage.json?"


@exercise(
    "bills-2",
    hint="Ask of each sentence which number of this page carries it. A price is not a quality, and a sum is not a cause.",
)
def what_the_bill_supports(answer):
    right = {
        "luna": "supported",
        "quality": "open",
        "calls": "supported",
        "effort": "open",
        "interval": "contradicted",
        "whole": "contradicted",
    }
    why = {
        "luna": "the same tokens at both prices are both on the page",
        "quality": "a bill holds no answers; nobody looked at one",
        "calls": "compare its share of the requests with its share of the cost",
        "effort": "this export does not count hidden tokens, so it cannot say",
        "interval": "tried from earlier days of this file, it held far less often",
        "whole": "some rows have no price, batches among them, and are not in the sum",
    }
    return judge(answer, right, ("supported", "contradicted", "open"), why)
