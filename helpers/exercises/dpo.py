"""The exercises of notebooks/3_dpo, in the order of the notebooks."""

import collections
import json
import math

from ..dpo import labelling, written
from ..facts import DATA, policy, preference_file
from . import exercise, judge

# --- 01_preference_pairs ---

TICKET = {
    "customer": "How long is a gift card valid?",
    "sent": "Thank you so much for your question about our gift cards! They are a popular present, and we are happy to tell you that they stay valid for 3 years.",
    "better": "3 years.",
}


@exercise(
    "pairs-1",
    hint="input has messages, a list of one user message; both outputs are lists of one assistant message.",
)
def a_pair_from_a_ticket(answer):
    data = json.dumps(answer).encode()
    problems = [p for p in preference_file.read(data, "dpo")[1] if p.code != "invalid_n_examples"]
    if "messages" in answer:
        return "this is a supervised example: it says what to answer, not which of two answers is better."
    if problems:
        problem = problems[0]
        return f"{problem.path}: {problem.message}." if problem.path else f"{problem.message}"
    said = {
        name: answer[name][0]["content"] for name in ("preferred_output", "non_preferred_output")
    }
    if said == {"preferred_output": TICKET["sent"], "non_preferred_output": TICKET["better"]}:
        return "the two answers have changed places: the colleague's is the better one."
    if said != {"preferred_output": TICKET["better"], "non_preferred_output": TICKET["sent"]}:
        return "the answers are not those of the ticket, letter by letter."
    last = answer["input"]["messages"][-1]
    if last["role"] != "user" or last["content"] != TICKET["customer"]:
        return (
            "the last message of the input should be the customer's question, with the role user."
        )
    return None


@exercise(
    "pairs-2",
    hint="What would a model learn from it? If that is what you want: keep. If the judging went wrong: again. If the pair itself is at fault: drop.",
)
def what_to_do_with_a_pair(answer):
    right = {"unit": "keep", "comma": "drop", "left": "again", "wrong": "drop", "apart": "again"}
    why = {
        "unit": "one difference, and it is the one you want: no pair is clearer",
        "comma": "nobody cares about the comma, and the model would learn it all the same",
        "left": "the side was chosen, not the answer; drawn anew, the same pairs can be judged",
        "wrong": "it teaches that a friendly mistake beats the truth; no second look at it makes the temperature right",
        "apart": "two aims are at work; agree on one, write it down, and judge again",
    }
    return judge(answer, right, ("keep", "again", "drop"), why)


# --- 02_how_dpo_learns ---


def _loss(now, then, beta):
    """Of one pair; `now` and `then`: (preferred, other), probabilities of the policy and of the
    reference.
    """
    margin = beta * math.log(now[0] / then[0] / (now[1] / then[1]))
    return math.log1p(math.exp(-margin))


NOW, THEN, BETA = (0.3, 0.2), (0.2, 0.4), 0.5


@exercise(
    "dpo_learning-1",
    hint="Two ratios, 0.3 / 0.2 and 0.2 / 0.4. Their ratio is 3: take its logarithm, times beta; that is the margin.",
)
def loss_of_one_pair(answer):
    given = float(answer)
    slips = {
        _loss(
            NOW, THEN, 1
        ): "beta is missing: the margin is 0.5 times the difference of the log-ratios.",
        _loss(
            NOW, (1, 1), BETA
        ): "the reference is missing: what counts is how far the policy has moved from it.",
        _loss(
            NOW[::-1], THEN[::-1], BETA
        ): "preferred and other are swapped: this is the loss of the flipped pair.",
        BETA * math.log(3): "that is the margin; the loss is log(1 + exp(-margin)).",
        _loss(NOW, THEN, BETA)
        / math.log(2): "that is in bits; nats are asked, with the natural logarithm.",
        -_loss(NOW, THEN, BETA): "a loss is positive: mind the minus before the logarithm.",
        1
        / (
            1 + math.exp(-BETA * math.log(3))
        ): "that is sigmoid(margin), the share of readers; the loss is minus its logarithm.",
    }
    if abs(given - _loss(NOW, THEN, BETA)) < 0.0005:
        return None
    return next(
        (why for value, why in slips.items() if abs(given - value) < 0.0005),
        f"you have {given:.4f}; the pair's margin is beta times the logarithm of 3.",
    )


@exercise(
    "dpo_learning-2",
    hint="Ask of each: is it the training that goes too far or not far enough, or do the pairs say the wrong thing?",
)
def what_to_change(answer):
    right = {
        "same": "lower beta",
        "parrot": "raise beta",
        "longer": "other pairs",
        "coin": "better labels",
    }
    why = {
        "same": "the policy has hardly left its reference; a lower beta lets it go further",
        "parrot": "the policy went far beyond what the pairs show; a higher beta holds it near the reference",
        "longer": "the preferred answer was the longer one in nearly every pair, and no beta tells length from taste",
        "coin": "where labellers contradict each other the loss cannot fall; no beta and no rate repairs a label",
    }
    return judge(answer, right, ("lower beta", "raise beta", "better labels", "other pairs"), why)


# --- 03_tuning_job ---

ENOUGH = 18  # of the 20 held-out questions


def _lines(name):
    return [
        json.loads(line)
        for line in (DATA / "preferences" / name).read_text(encoding="utf-8").splitlines()
    ]


@exercise(
    "tuning-1",
    hint="Two kinds of pairs are enough: those that differ in the tone alone, as they are, and those that differ in the unit alone, flipped.",
)
def chatty_celsius(rows):
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return "a list of pairs is asked for, as `pairs` is one."
    _, problems = preference_file.read("\n".join(map(json.dumps, rows)).encode(), "dpo")
    if problems:
        return f"the job would fail: {problems[0]}"
    ours = _lines("weather.jsonl")
    known = [json.dumps(row) for row in ours + labelling.flipped(ours)]
    if not all(json.dumps(row) in known for row in rows):
        return "one of these is no pair of weather.jsonl, as it is or flipped."
    *_, last = policy.train(policy.read_pairs(rows), n_epochs=5)
    said = collections.Counter()
    for row in _lines("weather_held_out.jsonl"):
        texts = [c["content"] for c in row["candidates"]]
        said[
            row["candidates"][
                last.policy.choose(policy.prompt_of(row["input"]["messages"]), texts, temperature=0)
            ]["style"]
        ] += 1
    if said["chatty_celsius"] < ENOUGH:
        return (
            "tuned on these, it says "
            + ", ".join(f"{style} {n} times" for style, n in said.most_common())
            + f"; {ENOUGH} of 20 are to be chatty_celsius."
        )
    return None


@exercise(
    "tuning-2",
    hint="Checkpoints are kept of the last three epochs only. And losses of two betas do not compare.",
)
def what_next(answer):
    right = {
        "rises": "earlier checkpoint",
        "long gone": "new job",
        "seven lines": "mend the file",
        "two betas": "sample both",
        "held": "resume",
    }
    why = {
        "rises": "the second of four epochs was best, and its checkpoint is one of the last three",
        "long gone": "the second of eight epochs was best, and its checkpoint is gone",
        "seven lines": "the job failed before its first step, and the file is why",
        "two betas": "a margin is beta times the way that the model went, so neither loss says which model follows the taste",
        "held": "a job that goes on after a pause ends with the weights of one that was never held",
    }
    return judge(
        answer,
        right,
        ("earlier checkpoint", "new job", "mend the file", "sample both", "resume"),
        why,
    )


# --- 04_did_it_help ---

BOTH = {("first", "second"): "tuned", ("second", "first"): "base"}


@exercise(
    "judging-1",
    hint='The tuned answer stood first, then second. It won both times when the judge said "first" and then "second".',
)
def both_orders(answer):
    if not callable(answer):
        return "a function of two texts is asked for; hand over its name, without calling it."
    for tuned_first in ("first", "second"):
        for tuned_second in ("first", "second"):
            best, given = (
                BOTH.get((tuned_first, tuned_second), "tie"),
                answer(tuned_first, tuned_second),
            )
            if given != best:
                return f"for {tuned_first!r} and then {tuned_second!r} it returns {given!r}, and the two judgements together say {best!r}."
    return None


@exercise(
    "judging-2",
    hint="Ask of each: which other reason than a better model would give this number, and what would take that reason away?",
)
def which_reports(answer):
    right = {
        "small": "more questions",
        "first": "swap the sides",
        "own file": "new prompts",
        "five draws": "more questions",
        "sound": "believe it",
    }
    why = {
        "small": "a coin gives 26 of 40 or more, or 14 or fewer, in 8 of 100 tries",
        "first": "its answer always stood first, and a judge who likes the first would give the same number",
        "own file": "a model that has learnt its own file by heart wins there, too",
        "five draws": "five answers to one question are no five questions; there are 20",
        "sound": "sides drawn, new prompts, 200 questions and an interval far from a half: there is nothing left to mend",
    }
    return judge(
        answer, right, ("believe it", "more questions", "swap the sides", "new prompts"), why
    )


# --- 05_tuning_elsewhere ---

_ASKED = [{"role": "user", "content": "Rain today?"}]
_LONGER = [
    *_ASKED,
    {"role": "assistant", "content": "Where?"},
    {"role": "user", "content": "In Oslo."},
]
_SAID = [{"role": "assistant", "content": text} for text in ("Yes, bring a coat!", "Yes.")]


@exercise(
    "elsewhere-1",
    hint='All messages but the last are the prompt: row["chosen"][:-1]. The answer is the list of the last one: row["chosen"][-1:].',
)
def implicit_prompt(answer):
    if not callable(answer):
        return "a function of one row is asked for; hand over its name, without calling it."
    for asked in (_ASKED, _LONGER):
        row = {
            "prompt": asked[0]["content"],
            "chosen": [*asked, _SAID[0]],
            "rejected": [*asked, _SAID[1]],
            "score_chosen": 8.0,
        }
        made = answer(row)
        if not isinstance(made, dict):
            return "a row is a dictionary with prompt, chosen and rejected."
        if set(made) != {"prompt", "chosen", "rejected"}:
            return f"a row of ours has prompt, chosen and rejected; yours has {', '.join(made)}."
        if not all(isinstance(messages, list) for messages in made.values()):
            return "prompt, chosen and rejected are lists of messages."
        if made["chosen"] == _SAID[1:]:
            return "the answers are there, but the other way round."
        if [made["chosen"], made["rejected"]] != [_SAID[:1], _SAID[1:]]:
            return "chosen and rejected hold the answer alone, a list of one message."
        if made["prompt"] != asked:
            return "the prompt is the whole conversation before the answer, which may have more than one message."
    return None


@exercise(
    "elsewhere-2",
    hint="Ask of each wish: would two answers that differ in it differ in the same way for every question? And is there a checker that knows?",
)
def which_way(answer):
    right = {
        "tone": "preferences",
        "prices": "look it up",
        "json": "a schema",
        "label": "supervised",
        "summary": "preferences",
    }
    why = {
        "tone": "no single answer is the right one, and readers tell the better of two",
        "prices": "they change every week, and a tuned model would say last week's with conviction",
        "json": "a schema guarantees the form; preferences only make it likelier",
        "label": "one right answer for each message, and 5,000 examples of it, are what imitation needs",
        "summary": "what matters to a reader is hard to write down and easy to choose",
    }
    return judge(answer, right, ("preferences", "supervised", "look it up", "a schema"), why)


# --- 06_a_model_that_writes ---


SOUND = 0.7  # share of different words from which a text of a few lines reads as one


@exercise(
    "writes-1",
    hint="Leave out the rows below 0.7 different words; of the others take the one with the largest margin.",
)
def a_checkpoint_to_keep(answer):
    if not isinstance(answer, tuple) or len(answer) != 2:
        return "two things are asked for: (rate, step)."
    runs = [written.run(name) for name in written.runs()]
    rows = [
        row
        for one in runs
        if one.file == "house_style" and not one.flipped and one.beta == 0.1
        for row in written.at_checkpoints(one.name)
    ]
    found = next((r for r in rows if (r["rate"], r["step"]) == answer), None)
    if found is None:
        return f"no checkpoint has rate {answer[0]} and step {answer[1]}."
    if found["distinct"] < SOUND:
        return f"its margin is {found['margin']:.2f}, and of its words only {found['distinct']:.0%} are different."
    best = max((row for row in rows if row["distinct"] >= SOUND), key=lambda row: row["margin"])
    if found is not best:
        return f"it still writes, and its margin is {found['margin']:.2f}; another one that still writes has more."
    return None


@exercise(
    "writes-2",
    hint="The margin and the pairs are counted on texts that people wrote. Only what the model writes by itself says how it writes.",
)
def what_a_number_tells(answer):
    right = {
        "training pairs won": "pairs only",
        "margin": "pairs only",
        "held-out pairs won": "pairs only",
        "distinct": "its writing",
        "units in 20 answers": "its writing",
    }
    why = {
        "training pairs won": "it is counted on the texts that it learns from; a model can win them all and write nothing",
        "margin": "it compares the chances of two texts of yours, and both may have fallen",
        "held-out pairs won": "the questions are new, but both answers are still written by people",
        "distinct": "it is counted on what the model wrote by itself",
        "units in 20 answers": "it is counted on what the model wrote by itself",
    }
    return judge(answer, right, ("pairs only", "its writing"), why)
