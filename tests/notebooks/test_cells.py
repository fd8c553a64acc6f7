"""The cells as readers use them: every knob turned, every exercise solved, edits of three themes
answered; those of the others stand in tests/data/edits.

The changed cells run behind a notebook's own, in the same kernel (book.py): a cell asked for twice
is a cell edited. What the own ones show is what is stored, which was compared before.
"""

import functools
import re

import pytest

from tests.tools import refresh

BOOKS = refresh.notebooks()
KNOB = re.compile(
    r'^(?P<name>\w+) = (?P<value>"[^"]*"|\S+)(?P<gap> +# (?:.*; )?try )(?P<others>.+)$', re.M
)
SOLUTION = re.compile(r"<details><summary>Solution</summary>\s*```\n(.*?)```", re.S)
OFF, ANSWERED, REFUSED = "off the map", "answered", "refused"

# (notebook, words of one cell, what a reader changes, into what, what must come of it)
# A table is read by its rows.
# fmt: off
EDITS = [
    ("4_costs/05_your_own_bill", "bills.what_if(bill, hidden=40)", "hidden=40", "cached=150", ANSWERED),
    ("4_costs/01_the_price_list", "prices.usd_per_million(december", '"input", day', '"input", "2026-05-07"', "LookupError"),
    ("4_costs/01_the_price_list", "claims = {", "(mini, december", "(mini, october", ANSWERED),
    ("4_costs/01_the_price_list", "heir = listed", "gpt-5.6-sol", "gpt-6.1-sol", ANSWERED),
    ("4_costs/02_reasoning_tokens", "def ask(effort)", 'model="o1"', 'model="o9"', REFUSED),
    ("4_costs/02_reasoning_tokens", "gain = stats", '"o1-mini"', '"gpt-4o-2024-08-06"', ANSWERED),
    ("4_costs/02_reasoning_tokens", "cheap, dear =", '"gpt-4o-2024-08-06"', '"o1-mini"', ANSWERED),
    ("4_costs/03_a_minute_of_voice", "talk = [(2, 1)", "(2, 1)", "(2, 60)", ANSWERED),
    ("4_costs/03_a_minute_of_voice", "expected {naive", "'December', 30, cached", "'December', 30, per_minute=1, cached", ANSWERED),
    ("4_costs/03_a_minute_of_voice", "settings = {", "(10, 80, 4)", "(10, 180, 4)", "ValueError"),
    ("4_costs/03_a_minute_of_voice", "settings = {", "(10, 50, 1)", "(10, 50, 0)", "ValueError"),
    ("4_costs/04_a_tuning_budget", "labour = 40", "labour = 40", "labour = 400", ANSWERED),
    ("4_costs/04_a_tuning_budget", "today_costs = {", '"gpt-6-luna", 2000, on', '"gpt-6.1-sol", 2000, on', ANSWERED),
    ("4_costs/04_a_tuning_budget", "today_costs = {", '"gpt-6-luna", 2000, on', '"gpt-6.2-sol", 2000, on', "LookupError"),
    ("3_dpo/01_preference_pairs", "labelling.label(pairs", "pairs[:20]", "pairs[20:40]", ANSWERED),
    ("3_dpo/01_preference_pairs", "labelling.label(pairs", "pairs[:20]", "pairs[:0]", "ValueError"),
    ("3_dpo/01_preference_pairs", "labelling.label(pairs", "pairs[:20]", "[pair, pair]", "ValueError"),
    ("3_dpo/01_preference_pairs", 'damage = "role"', '"role"', '"nothing"', ANSWERED),
    ("3_dpo/01_preference_pairs", "both = pd.read_csv", "keep_default_na=False", "keep_default_na=False, nrows=30", ANSWERED),
    ("3_dpo/01_preference_pairs", "epochs = 3", '"2024-12-17"', '"2027-02-01"', "LookupError"),
    ("3_dpo/02_how_dpo_learns", "steps = list(dpo.train", "valid=held_out", "valid=held_out, beta=2", ANSWERED),
    ("3_dpo/02_how_dpo_learns", "steps = list(dpo.train", "valid=held_out", "valid=held_out, beta=3", "ValueError"),
    ("3_dpo/02_how_dpo_learns", "steps = list(dpo.train", "valid=held_out", "valid=held_out, n_epochs=51", "ValueError"),
    ("3_dpo/02_how_dpo_learns", "answers = [", "[0.2, 0.5, 0.3]", "[0.001, 0.5, 0.499]", ANSWERED),
    ("3_dpo/02_how_dpo_learns", "reward = np.array", "[1.0, 0.2, -0.5]", "[0, 0, 3]", ANSWERED),
    ("3_dpo/02_how_dpo_learns", "p = practice[0]", "practice[:3]", "practice[:9]", ANSWERED),
    ("3_dpo/02_how_dpo_learns", "words = np.arange", "0.85", "0.3", ANSWERED),
    ("3_dpo/03_tuning_job", "temperature=0, messages=held_out[0]", "held_out[0]", "held_out[7]", ANSWERED),
    ("3_dpo/03_tuning_job", "model=BASE, temperature=0, messages=held_out[0]", "model=BASE", 'model="gpt-4o-mini"', ANSWERED),
    ("3_dpo/03_tuning_job", "model=BASE, temperature=0, messages=held_out[0]", "temperature=0", "temperature=3", REFUSED),
    ("3_dpo/03_tuning_job", "model=BASE, temperature=0, messages=held_out[0]", "temperature=0", "temperature=0, logprobs=True", OFF),
    ("3_dpo/03_tuning_job", "model=tuned, temperature=0", '["messages"]', '["messages"][1:]', ANSWERED),
    ("3_dpo/03_tuning_job", "model=tuned, temperature=0", "model=tuned", 'model=tuned + "x"', REFUSED),
    ("3_dpo/03_tuning_job", "unwanted = client", "cancel(", "pause(", ANSWERED),
    ("3_dpo/03_tuning_job", "job = create(training, beta", "beta=0.1", "beta=3", REFUSED),
    ("3_dpo/03_tuning_job", "job = create(training, beta", "n_epochs=5", "n_epochs=50", ANSWERED),
    ("3_dpo/03_tuning_job", "job = create(training, beta", 'suffix="weather"', 'suffix="my taste"', REFUSED),
    ("3_dpo/03_tuning_job", "job = create(training, beta", '"type": "dpo", "dpo"', '"type": "ppo", "ppo"', REFUSED),
    ("3_dpo/03_tuning_job", "validation = upload", 'purpose="fine-tune"', 'purpose="tuning"', REFUSED),
    ("3_dpo/03_tuning_job", "validation = upload", "pairs[:cut]", "pairs[:12]", ANSWERED),
    ("3_dpo/04_did_it_help", "AFTER = job", "held_out[2]", "held_out[7]", ANSWERED),
    ("3_dpo/04_did_it_help", "AFTER = job", "seed=8", "seed=8, temperature=0", ANSWERED),
    ("3_dpo/04_did_it_help", "before, after = answers", "seed=8", "seed=9", ANSWERED),
    ("3_dpo/04_did_it_help", "mine = labelling.label", "seed=9", "seed=10", ANSWERED),
    ("3_dpo/04_did_it_help", "each = power.needed", "0.75, 0.80", "0.75, 0.85", ANSWERED),
    ("3_dpo/04_did_it_help", "each = power.needed", "0.75, 0.80", "0.75, 0.751", "ValueError"),
    ("3_dpo/04_did_it_help", "n, spoilt, mended", "0.025, 0.075", "0.0, 0.05", ANSWERED),
    ("3_dpo/05_tuning_elsewhere", "to_hosted({", '"Rain today?"', '[{"role": "user", "content": "Rain today?"}]', ANSWERED),
    ("3_dpo/05_tuning_elsewhere", "print(json.dumps(to_trl", "[0])", "[0] | {'weight': 2})", "ValueError"),
    ("3_dpo/05_tuning_elsewhere", "sizes, splits", "range(12)", "range(2)", ANSWERED),
    ("3_dpo/05_tuning_elsewhere", "draw = np.random", "[-1, 1]", "[1]", ANSWERED),
    ("2_realtime/01_a_spoken_conversation", 'clips = [question', '"user-story"', '"user-christmas"', ANSWERED),
    ("2_realtime/01_a_spoken_conversation", 'clips = [question', '"user-story"', '"user-nobody"', "LookupError"),
    ("2_realtime/02_webrtc_in_twelve_lines", "seconds = 600", "seconds = 600", "seconds = 5", REFUSED),
    ("2_realtime/02_webrtc_in_twelve_lines", "made = client.realtime.client_secrets.create(session=session)\nprint", "session=session", "session=session | {'speed': 1}", REFUSED),
    ("2_realtime/03_turns_and_interruptions", "helpers.turn(lambda", "0.05, 0.5)", "0.05)", "ValueError"),
    ("2_realtime/03_turns_and_interruptions", "spoken = {name", "[100, 200, 500, 800]", "[64, 1_000]", ANSWERED),
    ("2_realtime/03_turns_and_interruptions", "talk = sounds", '"music")', '"rain")', "LookupError"),
    ("2_realtime/03_turns_and_interruptions", "talk = sounds", '"white")', '"white", 0)', ANSWERED),
    ("2_realtime/03_turns_and_interruptions", "waiting = until", '"user-christmas"', '"user-tax"', ANSWERED),
    ("2_realtime/03_turns_and_interruptions", "played = 6_000", "6_000", "0", ANSWERED),
    ("2_realtime/03_turns_and_interruptions", "played = 6_000", "6_000", "17_980", ANSWERED),
    ("2_realtime/04_tools_and_guardrails", "day = ", '{"date": day}', '{"days": 3}', ANSWERED),
    ("2_realtime/04_tools_and_guardrails", "day = ", '{"date": day}', '{"error": "no calendar"}', ANSWERED),
    ("2_realtime/04_tools_and_guardrails", "mistake = ", "[date_tool, tax_tool]", "[date_tool]", ANSWERED),
    ("2_realtime/04_tools_and_guardrails", "topic = ", '"user-presents"', '"user-reindeer"', ANSWERED),
    ("2_realtime/04_tools_and_guardrails", "reader = until", 'watch("presents"', 'watch("taxes"', ANSWERED),
    ("2_realtime/05_webrtc_or_websocket", "clip = ", '"user-reindeer"', '"user-nobody"', "LookupError"),
    ("2_realtime/05_webrtc_or_websocket", "clip = ", "client, session, clip", "client, session | {'speed': 2}, clip", "RuntimeError"),
    ("2_realtime/05_webrtc_or_websocket", "secret = ", "session=session", "session=session | {'model': 'o9'}", REFUSED),
    ("2_realtime/05_webrtc_or_websocket", "loss = 0.05", "lateness(loss)", "lateness(loss, round_trip=20)", ANSWERED),
    ("2_realtime/05_webrtc_or_websocket", "def tcp_may_send", "0.05, 0.2", "0.05, 0.5", ANSWERED),
    ("2_realtime/05_webrtc_or_websocket", "today = session", '"model": "gpt-realtime-2.1"', '"model": "gpt-realtime-2.1-mini"', ANSWERED),
    ("2_realtime/06_lawn_reindeer", "quiet = packets", "bytes(len(asked))", "os.urandom(len(asked))", ANSWERED),
    ("2_realtime/06_lawn_reindeer", "bit_rate = ", "(20, 40, 60)", "(10, 120)", ANSWERED),
    ("2_realtime/06_lawn_reindeer", "reindeer.drawn(", "reindeer.drawn(said", "reindeer.drawn(said[:-1]", "ValueError"),
    ("2_realtime/06_lawn_reindeer", "visitors = 60", '"2026-11-22"', '"2020-01-01"', "LookupError"),
    ("2_realtime/06_lawn_reindeer", 'today = "gpt-realtime-2.1-mini"', '"user-thanks"', '"user-nobody"', "LookupError"),
]
# fmt: on


def stem(path):
    return path.relative_to(refresh.NOTEBOOKS).with_suffix("").as_posix()


def cells_of(nb, tag=None):
    return [
        c
        for c in nb.cells
        if c.cell_type == "code" and (tag is None or tag in c.metadata.get("tags", []))
    ]


def knobs(nb):
    """(cell's source, knob's line, the line with another value) for each value that a reader is
    invited to try.
    """
    for cell in cells_of(nb):
        for knob in KNOB.finditer(cell.source):
            for other in knob["others"].split(", "):
                value = f'"{other}"' if knob["value"].startswith('"') else other
                yield cell.source, knob[0], f"{knob['name']} = {value}"


def solutions(nb):
    """(starter's source, solution's source) in order."""
    folded = [
        m[1] for c in nb.cells if c.cell_type == "markdown" for m in SOLUTION.finditer(c.source)
    ]
    return list(zip([c.source for c in cells_of(nb, "starter")], folded, strict=True))


def edits(path):
    return [e for e in EDITS if e[0] == stem(path)]


def edited(nb, words, old, new):
    source = next(c.source for c in cells_of(nb) if words in c.source)
    assert old in source, f"{old!r} is not in the cell with {words!r}"
    return source.replace(old, new)


def changed(path):
    """(name, source, check of what it shows) of each changed cell of a notebook, in the order in
    which they run.
    """
    nb = refresh.read(path)
    shown = {c.source: texts(c.outputs) for c in cells_of(nb)}
    turned = [(source, line, source.replace(line, other)) for source, line, other in knobs(nb)]
    results = {}
    for n, (source, line, other) in enumerate(turned, 1):
        last = (source, line) not in [knob[:2] for knob in turned[n:]]
        given = results.setdefault((source, line), [])
        yield f"knob {n}", other, functools.partial(answered, given, last and shown[source])
    for n, (_, solution) in enumerate(solutions(nb), 1):
        yield f"solution {n}", solution, right
    for n, (_, words, old, new, verdict) in enumerate(edits(path), 1):
        yield f"edit {n}", edited(nb, words, old, new), functools.partial(came, verdict)


def answered(results, unturned, said):
    """`results`: what the other places of this knob gave; `unturned`: what the page shows, where no
    other follows.
    """
    results.append(said)
    assert kind(said) == ANSWERED, said
    assert not unturned or any(r != unturned for r in results), "this knob changes nothing"


def right(said):
    assert said[-1] == "Right.\n", said


def came(verdict, said):
    assert kind(said) == verdict, said


def texts(outputs):
    return [text(o) for o in refresh.whole_streams(outputs)]


def text(output):
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.get("text") or output["data"]["text/plain"]


def kind(found):
    said = "\n".join(found)
    if said.startswith("Off the map"):
        return OFF
    return (
        REFUSED
        if re.match(r"(BadRequest|NotFound)Error: 40[04]", said)
        else said.split(": ")[0]
        if re.match(r"\w+Error: ", said)
        else ANSWERED
    )


@pytest.mark.parametrize("path", BOOKS, ids=stem)
def test_every_notebook_has_knobs_and_two_exercises_that_start_unsolved(path):
    nb = refresh.read(path)
    assert list(knobs(nb))
    assert len(solutions(nb)) == 2
    for cell in cells_of(nb, "starter"):
        assert texts(cell.outputs)[-1].startswith("Not yet: ")


def test_every_edit_is_of_a_notebook():
    assert {edit[0] for edit in EDITS} <= {stem(path) for path in BOOKS}


def test_a_cell_that_is_meant_to_fail_fails_as_off_the_map():
    tagged = [c for path in BOOKS for c in cells_of(refresh.read(path), "raises-exception")]
    assert tagged
    for cell in tagged:
        assert kind(texts(cell.outputs)) == OFF, cell.source
