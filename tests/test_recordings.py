"""The shipped recordings: shape, truth, counts and ids; and what a broken recording does to the others."""
import datetime
import hashlib
import json
import random
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response
from pydantic import ValidationError

from helpers import tokens
from helpers.local_api import answers, canonical, catalogue, construct, recordings
from tests.asking import CHAT, RESPONSES, ask, api, chat, completion, envelope, value, words, write

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = recordings.Library()
API = answers.Answers(LIBRARY)
SHIPPED = {r.name: r for r in LIBRARY.recordings}
TYPES = {CHAT: ChatCompletion, RESPONSES: Response}
MARK = re.compile(r"\{\{\s*(\w+)\s*\}\}")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# --- the truth, by other means than the recordings use ---------------------------------------------

def zeller(day):
    """The weekday of an ISO date by Zeller's congruence of 1887."""
    y, m, d = map(int, day.split("-"))
    if m < 3:
        y, m = y - 1, m + 12
    h = (d + 13 * (m + 1) // 5 + y % 100 + y % 100 // 4 + y // 100 // 4 - 2 * (y // 100)) % 7
    return ("Saturday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday")[h]


def degrees(f, unit):
    exact = {"fahrenheit": Fraction(f), "celsius": Fraction(f - 32) * 5 / 9, "kelvin": Fraction(f - 32) * 5 / 9 + Fraction("273.15")}[unit]
    below = exact.numerator // exact.denominator
    return below + (exact - below >= Fraction(1, 2))


SIGN = {"celsius": "°C", "fahrenheit": "°F", "kelvin": "K"}
NUMBER = {"Monday": 1, "Tuesday": 2, "Wednesday": 3, "Thursday": 4, "Friday": 5, "Saturday": 6, "Sunday": 7}


def counted_one_by_one(n):
    return sum((k % 3 == 0) + (k % 5 == 0) == 1 for k in range(1, n + 1))


def degrees_in(name):
    return lambda f, **units: f"{degrees(f, units[name])} {SIGN[units[name]]}"


DAY = lambda day: f"{day} was a {zeller(day)}."
# {recording: what it must say, given its slots}; the planted mistake stands here as what it is
TRUTH = {
    "start/weekday": DAY,
    "start/weekday-today": DAY,
    "start/weekday-4o": lambda day: f"The date {day} fell on a {zeller(day)}. (Counting from Monday as the first day of the week, that is day {NUMBER[zeller(day)]}.)",
    "o1/effort/easy": lambda hours: str(int(datetime.timedelta(hours=hours).total_seconds()) // 60),
    "o1/effort/hard": lambda n: str(counted_one_by_one(n)),
    "o1/effort/hard-low": lambda n: str(sum(k % 3 == 0 or k % 5 == 0 for k in range(1, n + 1))),
    "o1/effort/hard-today": lambda n: str(counted_one_by_one(n)),
    "o1/effort/wasted": lambda words: words.upper(),
    "o1/developer/oven-no-rule": lambda f: (
        f"{f} °F is about {degrees(f, 'celsius')} °C, or {degrees(f, 'kelvin')} K. Most recipes outside the United States "
        f"give the oven temperature in °C, so set your oven to {degrees(f, 'celsius')} °C."),
    "o1/developer/oven-no-rule-kelvin": degrees_in("wish"),
    "o1/developer/oven-rule": degrees_in("unit"),
    "o1/developer/oven-rule-4o": degrees_in("unit"),
    "o1/developer/oven-conflict": degrees_in("unit"),
    "o1/developer/oven-injection": degrees_in("unit"),
    "o1/developer/oven-today": degrees_in("unit"),
}
SLOTTED = [name for name, r in SHIPPED.items() if r.slots]


def truth_of(name):
    return TRUTH.get(name) or TRUTH[re.sub(r"-(none|low|medium|high)$", "", name)]


def values_of(recording, how_many=12):
    """Many values for the slots of a recording: the example, both ends, and others by a seeded draw."""
    draw = random.Random(recording.name)
    yield {name: slot["example"] for name, slot in recording.slots.items()}
    for i in range(how_many):
        made = {}
        for name, slot in recording.slots.items():
            if slot["type"] == "integer":
                most = min(slot["max"], 5_000)  # counting one by one has an end
                made[name] = (slot["min"], most)[i] if i < 2 else draw.randint(slot["min"], most)
            elif slot["type"] == "date":
                made[name] = ("1583-01-01", "2400-02-29")[i] if i < 2 else (datetime.date(1900, 1, 1) + datetime.timedelta(draw.randrange(100_000))).isoformat()
            elif slot["type"] == "choice":
                made[name] = draw.choice(list(slot["values"]))
            else:
                made[name] = ("é", "x" * slot["max_length"])[i] if i < 2 else " ".join(draw.choices(["ß", "oven", "日本", "{{ n }}", "a,b", "½"], k=draw.randint(1, 9)))
        yield made


def filled(sent, values):
    if isinstance(sent, str):
        return MARK.sub(lambda m: str(values[m[1]]), sent)
    if isinstance(sent, dict):
        return {k: filled(v, values) for k, v in sent.items()}
    return [filled(v, values) for v in sent] if isinstance(sent, list) else sent


def asked(name, values):
    """The whole answer of the recording to its request with these values."""
    r = SHIPPED[name]
    answer = ask(API, filled(r.sent, values), r.path, retry=9)
    assert (answer.status, answer.recording) == (200, name), (values, answer.body)
    return answer


@pytest.mark.parametrize("name", SLOTTED)
def test_answers_are_true_for_many_values(name):
    for values in values_of(SHIPPED[name]):
        assert words(asked(name, values)) == truth_of(name)(**values), values


def test_every_slotted_recording_has_a_truth():
    assert all(truth_of(name) for name in SLOTTED)
    assert not [name for name in TRUTH if not any(s == name or s.startswith(name + "-") for s in SLOTTED)]


def test_the_truths_can_tell_wrong_from_right():
    assert zeller("2024-12-17") == "Tuesday" and zeller("2000-02-29") == "Tuesday" and zeller("1900-03-01") == "Thursday"
    assert degrees(350, "celsius") == 177 and degrees(-400, "celsius") == -240 and degrees(350, "kelvin") == 450
    assert counted_one_by_one(1000) == 401 and truth_of("o1/effort/hard-low")(1000) == "467"


@pytest.mark.parametrize("name", SHIPPED)
def test_bodies_fit_the_types_of_the_sdk(name):
    r = SHIPPED[name]
    for values in values_of(r, 3):
        body = value(asked(name, values))
        made = TYPES[r.path].model_validate(body)
        # nothing but what the types name, at the top and wherever a model of its own lies below
        assert extras(made) == []
        # and it is not the validation that is lax
        for key in ("id", "model", "object", "choices" if r.path == CHAT else "output"):
            with pytest.raises(ValidationError):
                TYPES[r.path].model_validate({k: v for k, v in body.items() if k != key})


def extras(made, at="$"):
    """Keys that the SDK's types do not name, anywhere in a validated answer."""
    found = [f"{at}.{key}" for key in made.model_extra or {}]
    for key in type(made).model_fields:
        for item in (v for v in (lambda x: x if isinstance(x, list) else [x])(getattr(made, key)) if hasattr(v, "model_extra")):
            found += extras(item, f"{at}.{key}")
    return [f for f in found if f != "$.store"]  # genuine answers echo it; openai 3.54 has it in the request's type alone


@pytest.mark.parametrize("name", SHIPPED)
def test_tokens_are_counted_not_invented(name):
    r = SHIPPED[name]
    for values in values_of(r, 3):
        body, request = value(asked(name, values)), filled(r.sent, values)
        usage, said = body["usage"], words(asked(name, values))
        if r.path == CHAT:
            messages, given, out = request["messages"], "prompt", "completion"
        else:
            messages, given, out = [{"role": "user", "content": request["input"]}], "input", "output"
            if "instructions" in request:
                messages.insert(0, {"role": "developer", "content": request["instructions"]})
        by_hand = 3 + sum(3 + tokens.count(m["role"]) + tokens.count(m["content"]) for m in messages)
        hidden = usage[f"{out}_tokens_details"]["reasoning_tokens"]
        assert usage[f"{given}_tokens"] == by_hand
        assert usage[f"{out}_tokens"] == hidden + tokens.count(said)
        assert usage["total_tokens"] == usage[f"{given}_tokens"] + usage[f"{out}_tokens"]
        assert hidden % 64 == 0 and (hidden == 0 or not request["model"].startswith("gpt-4"))


def test_more_effort_thinks_no_less():
    def hidden(name):
        body = SHIPPED[name].responses[-1]["body"]["usage"]
        return (body.get("completion_tokens_details") or body.get("output_tokens_details"))["reasoning_tokens"]

    for name in [n.removesuffix("-low") for n in SHIPPED if n.endswith("-low")]:
        by_effort = [hidden(f"{name}-{effort}") for effort in ("none", "low", "medium", "high") if f"{name}-{effort}" in SHIPPED]
        assert by_effort == sorted(by_effort) and by_effort[0] < by_effort[-1], name


def test_ids_keep_prefix_alphabet_length_and_clock():
    seen = set()
    for name, r in SHIPPED.items():
        body = r.responses[-1]["body"]
        assert body["id"] not in seen
        seen.add(body["id"])
        if r.path == CHAT:
            short = re.fullmatch(r"chatcmpl-([0-9A-Za-z]{5})Day9[0-9A-Za-z]{20}", body["id"])
            assert short, name
            seconds = 0
            for letter in short[1]:
                seconds = seconds * 62 + BASE62.index(letter)
            assert seconds + 1_576_800_000 == body["created"], name
            assert re.fullmatch(r"fp_[0-9a-f]{10}", body["system_fingerprint"])
        else:
            assert re.fullmatch(r"resp_Day9[0-9a-f]{44}", body["id"]), name
            assert all(re.fullmatch(r"(rs|msg|fc)_\w?Day9[0-9a-f]{44}", item["id"]) for item in body["output"])


def test_nothing_claims_more_than_it_is():
    for r in LIBRARY.recordings:
        assert r.origin["class"] == "constructed" and r.origin["date"] and (ROOT / r.origin["source"]).is_file()
    planted = [n for n, r in SHIPPED.items() if "why" in r.origin]
    assert planted == ["o1/effort/hard-low"] and "planted" in SHIPPED[planted[0]].origin["why"]


def test_the_files_are_what_construct_makes():
    made = construct.build()
    assert set(made) == set(SHIPPED)
    for name, text in made.items():
        assert (recordings.FOLDER / f"{name}.json").read_text(encoding="utf-8") == text, f"run python -m helpers.local_api.construct: {name}"
    assert construct.build() == made


def test_construct_says_what_is_wrong(tmp_path):
    (tmp_path / "bad.toml").write_text("folder = ")
    with pytest.raises(ValueError, match="bad.toml is not TOML"):
        construct.build(tmp_path)
    (tmp_path / "bad.toml").write_text('folder = "x"\ndate = 2026-11-22\nwhen = 2024-12-17T18:00:00Z\nmodel = "o1"\n'
                                       + 2 * '[[exchange]]\nname = "a"\nabout = "b"\nuser = "c"\ntext = "d"\n')
    with pytest.raises(ValueError, match="bad.toml makes x/a twice"):
        construct.build(tmp_path)


# --- broken recordings -----------------------------------------------------------------------------

GOOD = {"about": "x", "origin": {"class": "constructed"}, "request": {"method": "POST", "path": CHAT, "body": chat("b")}, "responses": [{"status": 200, "body": completion()}]}
ONE_SLOT = {"request": {"method": "POST", "path": CHAT, "body": chat("{{ n }}!")}}
SLOT = {"type": "integer", "example": 3}
BROKEN = {
    "empty": (b"", "is not JSON"),
    "truncated": (json.dumps(GOOD).encode()[:-9], "is not JSON"),
    "words": (b"hello", "is not JSON"),
    "latin1": ("{\"about\": \"é\"}".encode("latin1"), "is not JSON"),
    "nan": (json.dumps(GOOD | {"about": float("nan")}).encode(), "NaN is not JSON"),
    "deep": (b"[" * 50_000, "nested"),
    "deepish": (json.dumps(GOOD).encode()[:-1] + b', "slots": ' + b"[" * 400 + b"]" * 400 + b"}", "nested"),
    "list": (b"[]", "is not a JSON object"),
    "lacks": ({"about": "x"}, "lacks origin, request, responses"),
    "odd": (GOOD | {"comment": 1}, "unknown parts: comment"),
    "about": (GOOD | {"about": 5}, "about must be a text"),
    "origin": (GOOD | {"origin": {"class": "dreamt"}}, "says no origin"),
    "no-origin": (GOOD | {"origin": "constructed"}, "says no origin"),
    "request": (GOOD | {"request": {"method": "POST"}}, "needs a method and a path"),
    "no-answers": (GOOD | {"responses": []}, "at least one answer"),
    "both": (GOOD | {"responses": [{"status": 200, "body": {}, "events": []}]}, "either a body or events"),
    "text-body": (GOOD | {"responses": [{"status": 200, "body": "hello"}]}, "must be an object"),
    "events": (GOOD | {"responses": [{"status": 200, "events": [{"data": 1}]}]}, "needs a time"),
    "events-5": (GOOD | {"responses": [{"status": 200, "events": 5}]}, "needs a time"),
    "choose": (GOOD | {"choose": "in turn"}, "choose must be"),
    "no-choose": (GOOD | {"responses": 2 * GOOD["responses"]}, "choose must be"),
    "undeclared": (GOOD | ONE_SLOT, "slots declared: none; slots in the request: ['n']"),
    "unused": (GOOD | {"slots": {"n": SLOT}}, "slots in the request: none"),
    "slots-list": (GOOD | {"slots": [1]}, "slots must be an object"),
    "slot-text": (GOOD | ONE_SLOT | {"slots": {"n": "integer"}}, "slots must be an object"),
    "slot-type": (GOOD | ONE_SLOT | {"slots": {"n": {"type": "colour", "example": 1}}}, "has the type 'colour'"),
    "slot-example": (GOOD | ONE_SLOT | {"slots": {"n": SLOT | {"max": 2}}}, "not a value that it accepts"),
    "slot-no-example": (GOOD | ONE_SLOT | {"slots": {"n": {"type": "text"}}}, "not a value that it accepts"),
    "slot-values": (GOOD | ONE_SLOT | {"slots": {"n": {"type": "choice", "example": 3}}}, "needs values"),
    "slot-case": (GOOD | ONE_SLOT | {"slots": {"n": {"type": "choice", "example": "A", "values": ["a"]}}}, "not a value that it accepts"),
    "slot-bounds": (GOOD | ONE_SLOT | {"slots": {"n": SLOT | {"max": "9"}}}, "must be numbers"),
}


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "a-good", chat("Are you there?"), completion())
    return tmp_path


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_recording_is_named_and_the_others_answer(folder, name):
    content, why = BROKEN[name]
    (folder / "sub").mkdir()
    (folder / "sub" / f"{name}.json").write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    library = recordings.Library(folder)
    [(file, said)] = library.problems
    assert file == f"sub/{name}.json" and why in said
    assert len(said) < 300 and "\n" not in said
    assert words(ask(answers.Answers(library), chat("Are you there?"))) == "Yes."


def test_two_recordings_of_one_request(folder):
    write(folder, "b-again", chat("Are   you there?", user="other"), completion("No."))
    library = recordings.Library(folder)
    assert library.problems == [("b-again.json", "answers the same request as a-good.json, which stays the one that answers")]
    assert words(ask(answers.Answers(library), chat("Are you there?"))) == "Yes."


def test_a_folder_without_recordings(tmp_path):
    for empty in (tmp_path, tmp_path / "missing"):
        lone = api(empty)
        assert envelope(ask(lone, chat("x")), 424)["code"] == "off_the_map"
        assert envelope(ask(lone, {"a": 1}, "/v1/files"), 404)


BAD_TEMPLATES = {"undeclared": "{{ m + 1 }}", "syntax": "{{ n + }}", "zero": "{{ 1 // (n - 3) }}", "filter": "{{ n|nothing }}", "unsafe": "{{ ''.__class__.__mro__ }}"}


@pytest.mark.parametrize("kind", BAD_TEMPLATES)
def test_a_template_that_fails_names_its_file(folder, kind, capsys):
    write(folder, f"t/{kind}", chat("{{ n }} what?"), completion(BAD_TEMPLATES[kind]), slots={"n": SLOT})
    e = envelope(ask(api(folder), chat("3 what?")), 500)
    assert e["type"] == "server_error" and f"data/recordings/t/{kind}.json cannot fill in its answer" in e["message"]
    assert words(ask(api(folder), chat("Are you there?"))) == "Yes."
    assert catalogue.main(["check"], folder) == 1
    said = capsys.readouterr().out
    assert f"t/{kind}.json cannot fill in its answer" in said and "2 recordings, 1 broken" in said


# --- the command line ------------------------------------------------------------------------------

def run(*arguments):
    return subprocess.run([sys.executable, "-m", "helpers.local_api.recordings", *arguments], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


def test_list_is_aligned(capsys):
    assert catalogue.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(SHIPPED)
    assert len({line.index("  constructed  ") if len(line.split()[0]) == max(map(len, SHIPPED)) else line.index("constructed  ") - 2 for line in lines}) == 1
    for line, r in zip(lines, LIBRARY.recordings):
        assert line.split()[:2] == [r.name, "constructed"] and line.endswith(f"  {r.about}")


def test_check_passes_what_ships_and_finds_each_broken_file(folder, capsys):
    assert catalogue.main(["check"]) == 0
    assert capsys.readouterr().out == f"{len(SHIPPED)} recordings, 0 broken\n"
    (folder / "bad.json").write_text("{")
    (folder / "worse.json").write_text("")
    assert catalogue.main(["check"], folder) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["bad.json", "worse.json", "3"] and said[-1] == "3 recordings, 2 broken"


def test_show_tells_request_slots_and_answers():
    shown = run("show", "o1/developer/oven-conflict")
    assert shown.returncode == 0 and not shown.stderr
    for part in ("the developer asks for one unit, the user for another", "class constructed", "POST /v1/chat/completions", '"role": "developer"',
                 "Slot f: type integer, example 350, min -400, max 5000", "Slot unit: type choice", "Answer: 200", "{{ f|to_unit(unit) }} {{ unit_table }}"):
        assert part in shown.stdout
    busy = run("show", "start/busy.json").stdout
    assert "Answer 1 of 2, by retry: 429" in busy and "Answer 2 of 2, by retry: 200" in busy
    unknown = run("show", "start/nothing")
    assert unknown.returncode == 1 and unknown.stderr == "There is no recording 'start/nothing'; `list` names them all.\n"


def test_reading_leaves_the_files_alone():
    state = lambda: {f: hashlib.sha256(f.read_bytes()).hexdigest() for f in canonical.DATA.rglob("*.json")}
    before = state()
    for name in ("start/busy", "start/weekday-4o", "start/weekday-today-none"):
        asked(name, {k: s["example"] for k, s in SHIPPED[name].slots.items()})
    assert state() == before
