"""The three preference sets: in the hosted form, true to their card, and about more than length."""

import csv
import json
import re
from collections import Counter
from pathlib import Path
from statistics import fmean, stdev

import pytest

from helpers.facts import preference_file

FOLDER = Path(__file__).resolve().parents[2] / "data" / "preferences"
SETS = {"weather": 64, "support": 62, "house_style": 64}
STYLES = {
    "weather": {"chatty_fahrenheit", "chatty_celsius", "terse_fahrenheit", "terse_celsius"},
    "support": {"short", "long", "curt", "warm"},
    "house_style": {"house", "loud", "passive", "near_miss"},
}
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")
NAMES = {
    "Ember",
    "Wren",
    "Owl",
    "Kite",
    "Finch",
    "Hull",
    "Bath",
    "York",
    "Ines",
    "Tomas",
    "Margaret",
    "Monday",
    "Thursday",
    "January",
    "March",
    "April",
    "May",
    "June",
    "July",
    "September",
    "IPX7",
    "C",
    "A",
    "B",
    "I",
}


def pairs(name):
    rows, problems = preference_file.read((FOLDER / f"{name}.jsonl").read_bytes(), "dpo")
    assert problems == []
    return rows


def held_out(name):
    return [
        json.loads(line)
        for line in (FOLDER / f"{name}_held_out.jsonl").read_text(encoding="utf-8").splitlines()
    ]


def both(row):
    return row["preferred_output"][0]["content"], row["non_preferred_output"][0]["content"]


def longer(name):
    """Words of the preferred answer minus words of the other, for each pair."""
    words = lambda text: len(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text))
    return [words(a) - words(b) for a, b in map(both, pairs(name))]


@pytest.mark.parametrize("name", SETS)
def test_the_files_are_fit_for_tuning_and_as_large_as_the_card_says(name):
    assert len(pairs(name)) == SETS[name] >= 60 and f"| `{name}.jsonl` | {SETS[name]} |" in CARD
    assert len(held_out(name)) == 20


@pytest.mark.parametrize("name", SETS)
def test_nothing_comes_twice_and_what_is_held_out_is_not_in_the_pairs(name):
    asked = [row["input"]["messages"][-1]["content"] for row in pairs(name)]
    held = [row["input"]["messages"][-1]["content"] for row in held_out(name)]
    assert len({*asked, *held}) == len(asked) + len(held)
    said = [text for row in pairs(name) for text in both(row)]
    openings = Counter(" ".join(text.split()[:5]) for text in said if len(text.split()) > 5)
    # minimal pairs (one text, two units) come twice; a template would come far more often
    assert max(openings.values()) <= 6, openings.most_common(3)


@pytest.mark.parametrize("name", SETS)
def test_candidates_have_the_form_of_an_answer_and_differ_in_more_than_one_thing(name):
    for row in held_out(name):
        assert (
            set(row) == {"input", "candidates"} and row["input"]["messages"][-1]["role"] == "user"
        )
        assert {c["style"] for c in row["candidates"]} == STYLES[name] and all(
            set(c) == {"style", "content"} for c in row["candidates"]
        )
        texts = [c["content"] for c in row["candidates"]]
        assert len(set(texts)) == 4 and all(texts)
        as_pair = {
            "input": row["input"],
            "preferred_output": [{"role": "assistant", "content": texts[0]}],
            "non_preferred_output": [{"role": "assistant", "content": texts[1]}],
        }
        assert [
            p
            for p in preference_file.read(json.dumps(as_pair).encode(), "dpo")[1]
            if p.code != "invalid_n_examples"
        ] == []


def test_length_points_another_way_in_each_set():
    weather, support, house = map(longer, SETS)
    assert (
        sum(d > 0 for d in weather) == 54
        and sum(d == 0 for d in weather) == 10
        and "(54 of 64 times)" in CARD
    )
    assert sum(d < 0 for d in support) == 54 and "(54 of 62 times)" in CARD
    assert (
        abs(fmean(house)) / stdev(house) < 0.1
        and abs(sum(d > 0 for d in house) - sum(d < 0 for d in house)) <= 6
    )


def fahrenheit(celsius):
    return round(celsius * 9 / 5 + 32)


def degrees(text):
    """{(degrees, unit)} of a text."""
    return {(int(n.replace("−", "-")), unit) for n, unit in re.findall(r"(−?\d+) ?°([CF])", text)}


def test_every_temperature_is_the_forecasts():
    for row in pairs("weather"):
        ((now, _),) = degrees(row["input"]["messages"][0]["content"])
        good, bad = map(degrees, both(row))
        assert good == {(fahrenheit(now), "F")} and bad in ({(now, "C")}, {(fahrenheit(now), "F")})
    for row in held_out("weather"):
        ((now, _),) = degrees(row["input"]["messages"][0]["content"])
        for c in row["candidates"]:
            assert degrees(c["content"]) == (
                {(fahrenheit(now), "F")} if "fahrenheit" in c["style"] else {(now, "C")}
            )


def test_unit_and_tone_can_be_told_apart():
    kinds = Counter()
    for row in pairs("weather"):
        good, bad = both(row)
        same_unit = {u for _, u in degrees(good)} == {u for _, u in degrees(bad)}
        kinds[
            "tone"
            if same_unit
            else "unit"
            if re.sub(r"−?\d+ ?°[CF]", "", good) == re.sub(r"−?\d+ ?°[CF]", "", bad)
            else "both"
        ] += 1
    assert kinds == {"both": 44, "unit": 10, "tone": 10}


def breaks(text):
    """The rules of the house style that a program can see broken in a text."""
    middle = re.findall(r"(?<=[^.!?:] )(?<![.!?:] )[A-Z][\w#]*", text)
    found = {
        "exclamation or ampersand": re.search(r"[!&]", text),
        "capitals": [w for w in middle if w not in NAMES],
        "passive": re.search(
            r"\b(?:is|are|was|were|be|been|being)\b (?:\w+ )?(?:\w+ed|made|sent|sold|lit|sewn|shown|kept|given|sourced|measured)\b",
            text,
        ),
        "words for figures": re.search(
            r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|eighteen|thirty|forty|eighty|ninety|hundred)\b",
            text,
            re.I,
        ),
        "American": re.search(
            r"\b(?:liters?|meters?|colors?|center|aluminum|gray|thru|tire|catalog|recognized?|organize|canceled)\b",
            text,
            re.I,
        ),
    }
    return {rule for rule, at in found.items() if at}


def test_the_house_style_is_kept_by_what_is_preferred_and_broken_by_the_rest():
    seen = Counter()
    for row in pairs("house_style"):
        good, bad = both(row)
        assert not breaks(good), (breaks(good), good)
        seen.update(breaks(bad))
    # every rule teaches: none is broken in one text alone
    assert min(seen.values()) >= 8 and len(seen) == 5, seen
    for row in held_out("house_style"):
        by = {c["style"]: c["content"] for c in row["candidates"]}
        assert not breaks(by["house"]), by["house"]
        assert breaks(by["loud"]) >= {
            "exclamation or ampersand",
            "capitals",
        } and "exclamation or ampersand" not in breaks(by["passive"])
        assert len(breaks(by["near_miss"])) <= 1


def test_the_two_labellers_looked_at_the_support_pairs():
    rows = list(csv.DictReader((FOLDER / "second_labeller.csv").open(encoding="utf-8", newline="")))
    assert [int(r["line"]) for r in rows] == list(range(1, SETS["support"] + 1))
    for r in rows:
        assert r["left"] in ("preferred_output", "non_preferred_output") and r["second"] in (
            "left",
            "right",
            "tie",
        )
        # the file is the first one's
        assert r["first"] == ("left" if r["left"] == "preferred_output" else "right")
        assert bool(r["why"]) == (r["first"] != r["second"])
    assert 0.3 < sum(r["left"] == "preferred_output" for r in rows) / len(rows) < 0.7
    assert "**constructed**" in CARD
