"""What a reader sees: frames, the wire, receipts, figures, knobs, checks; and the examples in the
docstrings.
"""

import doctest
import importlib.util
import json
import pkgutil
from types import SimpleNamespace

import pytest
from openai import APIStatusError, OpenAI

import helpers
from helpers import display, exercises, figures, running
from helpers.common import left_out
from helpers.errors import panels
from helpers.exercises import reasons
from helpers.facts import calls


@pytest.fixture(scope="module")
def client():
    helpers.connect()
    return OpenAI()


@pytest.fixture(autouse=True)
def a_new_notebook(client, capsys):
    helpers.connect()
    capsys.readouterr()


def ask(client, day="2024-12-17", **more):
    return client.chat.completions.create(
        model="o1",
        messages=[{"role": "user", "content": f"Which day of the week was {day}?"}],
        **more,
    )


def modules():
    for module in pkgutil.walk_packages(helpers.__path__, "helpers."):
        of_parts = module.name.endswith((".ears", ".mouth")) and not left_out.ears()
        of_parts |= ".classroom" in module.name and not importlib.util.find_spec("jupyterhub")
        # what only another program can read
        of_others = "lab_settings" in module.name or module.name == "helpers.classroom.hub"
        if not (of_parts or of_others or module.name.endswith("__main__")):
            yield module.name


def test_examples_in_the_docstrings_run():
    results = [doctest.testmod(importlib.import_module(name)) for name in modules()]
    assert sum(r.failed for r in results) == 0 and sum(r.attempted for r in results) > 10


def test_every_public_name_has_a_docstring_and_an_unknown_one_lists_them():
    for name in helpers.__all__:
        assert getattr(helpers, name).__doc__
    with pytest.raises(AttributeError, match="connect, show, wire"):
        helpers.ask


def test_a_frame_quotes_the_answer_whole_and_names_its_origin(client):
    frame = helpers.show(ask(client))
    for shown in (repr(frame), frame._repr_html_()):
        assert (
            "2024-12-17 was a Tuesday." in shown
            and "constructed" in shown
            and "not said by a model" in shown
            and "start/weekday-medium" in shown
        )


def test_a_frame_says_that_an_answer_is_empty_and_why(client):
    frame = repr(helpers.show(ask(client, max_completion_tokens=7)))
    assert "(empty: finish_reason is length)" in frame and "7 out, none visible" in frame


def test_the_tokens_of_a_frame_have_separators():
    details = SimpleNamespace(reasoning_tokens=1_856)
    assert display._tokens("Two.", 2_721, details, 3_022) == (
        "tokens: 2,721 in, 1,856 hidden + 1,166 visible out"
    )
    assert display._tokens("", 2_721, None, 1_000) == "tokens: 2,721 in, 1,000 out, none visible"


def test_a_frame_of_a_response_and_of_markup(client):
    frame = helpers.show(
        client.responses.create(model="gpt-5.6-sol", input="Which day of the week was 2024-12-17?")
    )
    assert "Tuesday" in repr(frame) and "64 hidden" in repr(frame)
    shouted = helpers.show(
        client.chat.completions.create(
            model="o1",
            messages=[
                {"role": "user", "content": "Write this in capital letters: <b>bold & tags</b>"}
            ],
        )
    )
    assert (
        "&lt;B&gt;BOLD &amp; TAGS&lt;/B&gt;" in shouted._repr_html_()
        and "<B>" not in shouted._repr_html_()
    )


def test_a_frame_refuses_what_is_no_answer():
    with pytest.raises(TypeError, match="not str"):
        helpers.show("Tuesday")


def test_an_answer_from_elsewhere_has_no_known_origin(client):
    answer = ask(client)
    answer.id = "chatcmpl-somebody-elses"
    assert "origin unknown" in repr(helpers.show(answer))


def test_the_wire_shows_the_last_exchange(client):
    assert "Nothing" in repr(helpers.wire())
    ask(client)
    shown = repr(helpers.wire())
    assert (
        shown.startswith("POST /v1/chat/completions → 200")
        and '"reasoning_tokens": 128' in shown
        and "2024-12-17?" in shown
    )
    assert "<details" in helpers.wire()._repr_html_() and running.server().key not in shown


def test_a_receipt_adds_up_exactly(client):
    ask(client), ask(client, reasoning_effort="high")
    receipt = helpers.receipt()
    # 2 x 21 tokens in at $15, 138 + 330 out at $60 a million
    assert [
        (r["model"], r["calls"], r["input"], r["output"], r["hidden"]) for r in receipt.rows
    ] == [("o1-2024-12-17", 2, 42, 468, 448)]
    assert receipt.total * 1_000_000 == 42 * 15 + 468 * 60
    assert (
        "0.0287 USD" in repr(receipt)
        and "0.0287" in receipt._repr_html_()
        and "$" not in receipt._repr_html_()
    )


def test_a_receipt_counts_what_was_refused_and_begins_anew(client):
    for bad in ({"temperature": 0.1}, {"n": 3}):
        with pytest.raises(APIStatusError):
            ask(client, **bad)
    assert helpers.receipt().refused == 2 and helpers.receipt().rows == []
    helpers.connect()
    assert helpers.receipt().refused == 0


def test_a_receipt_prices_a_model_at_a_day_on_which_it_was_sold(client):
    ask(client)
    client.responses.create(model="gpt-5.6-sol", input="Which day of the week was 2024-12-17?")
    days = lambda receipt: {r["model"]: r["on"] for r in receipt.rows}
    assert days(helpers.receipt()) == {"o1-2024-12-17": "2024-12-17", "gpt-5.6-sol": "2026-11-22"}
    assert days(helpers.receipt(on="2026-11-22")) == {
        "o1-2024-12-17": "2026-10-22",
        "gpt-5.6-sol": "2026-11-22",
    }
    with pytest.raises(ValueError):
        helpers.receipt(on="Christmas")


def test_counts_reads_both_shapes():
    chat = {
        "prompt_tokens": 5,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    response = {
        "input_tokens": 5,
        "output_tokens": 9,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 4},
    }
    assert calls.counts(chat) == calls.counts(response) == (5, 2, 4, 9)


def test_a_panel_names_the_nearest_recording_and_what_differs(client, capsys):
    with pytest.raises(APIStatusError) as caught:
        ask(client, "Christmas")
    assert caught.value.status_code == 424
    panels.panel(caught.value)
    said = capsys.readouterr().out
    assert (
        "start/weekday" in said
        and "Christmas" in said
        and "messages[0].content" in said
        and "any date" in said
    )


def test_a_path_in_a_panel_breaks_at_its_dots_and_brackets_alone(client, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    with pytest.raises(APIStatusError) as caught:
        ask(client, "Christmas")
    panels.panel(caught.value)
    assert "<wbr>messages<wbr>[0].<wbr>content</code>" in shown[0]._repr_html_()


def test_a_panel_shows_where_long_texts_part_and_what_else_is_recorded(client, capsys):
    hard = "How many whole numbers from 1 to 77 are divisible by 3 or by 5, but not by both? Answer with a poem."
    for sent, said in (
        ({"model": "o1", "messages": [{"role": "user", "content": hard}]}, "with a poem."),
        (
            {
                "model": "gpt-4.1",
                "messages": [{"role": "user", "content": "Which day of the week was 2024-12-17?"}],
            },
            "an answer of o1 and gpt-4o under /v1/chat/completions",
        ),
        (
            {
                "model": "gpt-4.1",
                "messages": [{"role": "user", "content": "Are you there?"}],
            },
            "yours:    gpt-4.1\n",
        ),
        (
            {
                "model": "o1",
                "messages": [{"role": "user", "content": "Which day of the week was Easter?"}],
            },
            "any date written as 2024-12-17",
        ),
    ):
        with pytest.raises(APIStatusError) as caught:
            client.chat.completions.create(**sent)
        panels.panel(caught.value)
        assert said in capsys.readouterr().out


def test_a_refusal_is_a_sentence_that_names_its_exception(client, capsys):
    with pytest.raises(APIStatusError) as caught:
        ask(client, temperature=0)
    panels.refusal(caught.value)
    assert (
        capsys.readouterr().out
        == "BadRequestError: 400, unsupported_parameter\nUnsupported parameter: 'temperature' is not supported with this model.\n"
    )


def test_a_text_on_a_pattern_is_not_called_published(client):
    origins = {}
    for name in ("temperature", "top_p"):
        with pytest.raises(APIStatusError):
            ask(client, **{name: 0.5})
        origins[name] = repr(helpers.wire()).splitlines()[0]
    assert (
        "published" in origins["temperature"]
        and "constructed" in origins["top_p"]
        and "published" not in origins["top_p"]
    )


def test_a_figure_has_alt_text_caption_and_source(monkeypatch):
    import plotly.express as px

    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.append((data, more)))
    fig = px.bar(x=["a"], y=[1], title="One is one")
    figures.figure(
        fig, alt="One bar of height 1.", caption="What <it> shows.", source="data/prices.csv"
    )
    (above, _), (bundle, more), (below, _) = shown
    drawn = bundle["application/vnd.plotly.v1+json"]
    assert "One is one" in above.data and "text" not in drawn["layout"]["title"]
    assert "alt" in more["metadata"]["application/vnd.plotly.v1+json"] and "image/png" not in bundle
    assert len(json.dumps(bundle)) < 5_000, "the template stays small"
    assert "What &lt;it&gt; shows." in below.data and "data/prices.csv" in below.data


def test_a_knob_shows_its_function_at_once_and_at_each_turn():
    turned = helpers.turn(lambda tokens: f"{tokens * 2}", tokens=(0, 10, 1, 3))
    row, result, _ = turned.children
    assert result.value == "6" and "slider for tokens" in repr(turned)
    row.children[0].value = 5
    assert result.value == "10"
    with pytest.raises(ValueError, match="lowest, highest, step, start"):
        helpers.turn(print, tokens=(1, 2))


@pytest.mark.parametrize("values", [(0, 10, 0, 3), (0, 10, -1, 3), (0, 10, 1, 11), (5, 5, 1, 5)])
def test_a_knob_that_could_not_be_turned_is_named(values):
    with pytest.raises(ValueError, match="^tokens goes from a lowest to a highest"):
        helpers.turn(print, tokens=values)


def test_a_knob_has_its_unit_and_its_ends():
    row, *_ = helpers.turn(lambda limit: "", limit=(1, 2500, 1, 500, "tokens")).children
    field, low, _, high = row.children
    assert field.description == "limit, tokens"
    assert (low.value, high.value) == ("1", "2,500")


def test_a_knob_of_fractions_keeps_them():
    row, result, _ = helpers.turn(lambda beta: f"{beta * 2}", beta=(0.02, 2, 0.02, 0.1)).children
    assert result.value == "0.2"
    row.children[0].value = 0.56
    assert result.value == "1.12"
    row.children[0].value = 9
    assert result.value == "4.0", "the highest is 2"


def test_every_exercise_says_why_its_answer_is_right():
    known = exercises._load()
    assert set(reasons.REASONS) == set(known)
    for name, why in reasons.REASONS.items():
        assert len(why.split()) >= 8 and why.endswith("."), name


@pytest.mark.parametrize(
    "answer, said",
    [
        (None, "put your answer"),
        (..., "put your answer"),
        ("Monday", "is not the weekday"),
        ("friday", "Right."),
    ],
)
def test_check_says_what_differs(answer, said, capsys):
    helpers.check("start-1", answer)
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, answer, said",
    [
        ("effort-1", "many", "raised ValueError"),
        ("effort-1", -652.8, "the sign"),
        ("effort-1", 0.06528, "for one call"),
        ("effort-1", 12, "you have $12.00"),
        ("effort-2", {"easy": "tiny"}, "is no effort"),
        ("effort-2", {"easy": "low", "hard": "low", "wasted": "low"}, "look again"),
        ("effort-2", {"easy": "low", "hard": "medium", "wasted": "low"}, "Right."),
        ("effort-2", 7, "raised AttributeError"),
        ("developer-1", lambda m: [x.update(role="developer") for x in m], "changes the list"),
        ("developer-1", lambda m: m, "the roles became"),
        (
            "developer-1",
            lambda m: [{"role": "developer", "content": "x"}, *m[1:]],
            "contents changed",
        ),
        (
            "developer-2",
            {"unit": "developer", "recipe": "user", "key": "developer"},
            "a secret in a prompt",
        ),
        ("start-2", "yes", "constructed"),
        ("start-1", "It was a Friday.", "the name of the day alone"),
        ("effort-1", "$652.80", "Right."),
        ("start-2", "perhaps", 'answer "yes" or "no"'),
    ],
)
def test_checkers_tell_apart(name, answer, said, capsys):
    helpers.check(name, answer)
    assert said in capsys.readouterr().out


def test_hints_and_an_unknown_exercise(capsys):
    for name in exercises._load():
        helpers.hint(name)
        assert len(capsys.readouterr().out) > 20
    with pytest.raises(LookupError, match="effort-1"):
        helpers.check("effort-9", 1)


def test_nothing_is_connected_before_connect(monkeypatch):
    monkeypatch.setattr(running, "current", None)
    with pytest.raises(RuntimeError, match="helpers.connect"):
        helpers.wire()
