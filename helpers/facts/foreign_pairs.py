"""Files of preference pairs in the forms of others: which form a file has, and the same in ours.

TRL (prompt, chosen, rejected), UltraFeedback as published and as made binary for TRL, ShareGPT as
LLaMA-Factory reads it, and tables of pairs in CSV. Sources: huggingface/trl docs
dataset_formats.md; the data set cards of openbmb/UltraFeedback and
HuggingFaceH4/ultrafeedback_binarized; hiyouga/LLaMA-Factory data/README.md.
"""

from __future__ import annotations

import csv
import io
from typing import Any

Row = dict[str, Any]
# {a column of a table of pairs: ours}; in any case
COLUMNS = {
    "prompt": "prompt",
    "question": "prompt",
    "instruction": "prompt",
    "chosen": "chosen",
    "preferred": "chosen",
    "good": "chosen",
    "rejected": "rejected",
    "non_preferred": "rejected",
    "bad": "rejected",
}
ROLES = {"human": "user", "gpt": "assistant", "system": "system"}  # of ShareGPT


class NotAPair(ValueError):
    """A row that does not hold a question and two answers; its text says why."""


def form_of(row: Row) -> str:
    """The name of the form that a row has, or ""."""
    if {"chosen", "rejected"} <= set(row):
        if "conversations" in row:
            return "ShareGPT"
        return "UltraFeedback, made binary" if "score_chosen" in row else "TRL"
    if isinstance(row.get("completions"), list) and "instruction" in row:
        return "UltraFeedback"
    return "ShareGPT" if isinstance(row.get("conversations"), list) else ""


def fields_of(row: Row) -> str:
    """The fields by which a form is known, for a sentence."""
    known = ("prompt", "instruction", "conversations", "chosen", "rejected", "completions")
    return ", ".join(name for name in known if name in row)


def table(text: str) -> list[Row]:
    """The rows of a table of pairs in CSV, as TRL's, or none where it is no such table."""
    head = text.splitlines()[0] if text else ""
    marks = [mark for mark in (",", ";", "\t") if mark in head]
    mark = max(marks, key=head.count) if marks else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    names = [COLUMNS.get(name.strip().lower()) for name in next(lines, [])]
    if not all(names.count(name) == 1 for name in ("prompt", "chosen", "rejected")):
        return []
    return [{n: v for n, v in zip(names, line) if n} for line in lines if any(line)]


def pair(row: Row) -> Row:
    """A row of any of the forms as a preference pair, or a supervised example where it has one
    answer only. Raises NotAPair.
    """
    form = form_of(row)
    if form == "UltraFeedback":
        return _of_completions(row)
    if form == "ShareGPT":
        said = [_turn(one) for one in _list(row, "conversations")]
        if "chosen" not in row:
            return {"messages": said}
        return _hosted(said, *([_turn(row[name])] for name in ("chosen", "rejected")))
    chosen, rejected = (_messages(row[name], "assistant") for name in ("chosen", "rejected"))
    if "prompt" in row:
        asked = _messages(row["prompt"], "user")
        answers = [
            one[len(asked) :] if one[: len(asked)] == asked else one for one in (chosen, rejected)
        ]
    else:  # the same beginning is the question
        both = list(zip(chosen, rejected))
        n = next((i for i, (one, other) in enumerate(both) if one != other), len(both))
        asked, answers = chosen[:n], [chosen[n:], rejected[n:]]
    return _hosted(asked, *answers)


def _hosted(asked, chosen, rejected):
    if not asked:
        raise NotAPair("there is no question before the answers")
    for name, answer in (("chosen", chosen), ("rejected", rejected)):
        if len(answer) != 1:
            raise NotAPair(f"{name} has {len(answer)} messages after the question, not one")
    return {
        "input": {"messages": asked},
        "preferred_output": chosen,
        "non_preferred_output": rejected,
    }


def _of_completions(row):
    scored = []
    for one in row["completions"]:
        score = one.get("overall_score") if isinstance(one, dict) else None
        if isinstance(score, (int, float)) and isinstance(one.get("response"), str):
            scored.append((float(score), one["response"]))
    if len({score for score, _ in scored}) < 2:
        raise NotAPair("no two of its completions have different overall_scores")
    best, worst = max(scored, key=lambda s: s[0]), min(scored, key=lambda s: s[0])
    answers = ([{"role": "assistant", "content": text}] for _, text in (best, worst))
    return _hosted(_messages(row["instruction"], "user"), *answers)


def _messages(said, role):
    if isinstance(said, str):
        return [{"role": role, "content": said}]
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise NotAPair(f"expected a text or a list of messages, found {type(said).__name__}")
    return [{k: one[k] for k in ("role", "content") if k in one} for one in said]


def _list(row, name):
    if not isinstance(row[name], list):
        raise NotAPair(f"{name} is no list")
    return row[name]


def _turn(one):
    if not isinstance(one, dict) or not isinstance(one.get("value"), str):
        raise NotAPair("a turn of ShareGPT has `from` and `value`")
    role = ROLES.get(str(one.get("from")))
    if role is None:
        known = ", ".join(ROLES)
        raise NotAPair(f"a turn is from {one.get('from')!r}; known are {known}")
    return {"role": role, "content": one["value"]}
