"""The exercises of notebooks/3_dpo/05_tuning_elsewhere."""

from . import exercise, judge

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
