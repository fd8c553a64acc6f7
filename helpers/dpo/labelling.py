"""Choose between two answers, blind, and keep the choices as a file for preference tuning.

    session = Labels(rows, "my_pairs/weather.jsonl", seed=9)  # rows: pairs in the hosted form
    session.now                                       # the pair to judge: prompt, left, right
    session.choose("left")                            # or "right", "tie"; saved at once
    session.undo()
    session.rows()                                    # the reader's own file, as dicts

    label(rows, "my_pairs/weather.jsonl")             # the same as a widget, by mouse or keyboard

Which answer a file prefers is not shown: `seed` draws the order of the pairs and the side of each
answer. Beside the JSONL lies a file of all choices, ties too, from which a session closed half-way
goes on.
"""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from ..facts import preference_file

CHOICES = ("left", "right", "tie")
OUTPUTS = ("preferred_output", "non_preferred_output")


@dataclass(frozen=True)
class BlindPair:
    """A pair as its judge sees it: what was asked (the texts of `messages`, roles before them) and
    two answers.
    """

    number: int
    asked: str
    left: str
    right: str


class Labels:
    """One person's choices among the pairs of a file.

    rows: pairs in the hosted form (helpers/facts/preference_file.py); which answer they prefer is
    forgotten. path: where the chosen pairs go, as JSONL; all choices go beside it, with the ending
    .choices.json, and are found there again. Choices made earlier among other pairs stay in both
    files. seed: draws order and sides.

    Raises ValueError for rows that are no pairs or come twice, and for a file of choices that
    cannot be read: nothing is overwritten then.
    """

    def __init__(self, rows, path, seed=9):
        self.path = Path(path)
        self.choices_path = self.path.with_suffix(".choices.json")
        pairs = {}  # key: (input, two outputs in an order that says nothing)
        for number, row in enumerate(rows, start=1):
            try:
                key, pair = _pair(row)
            except (TypeError, ValueError) as e:
                raise ValueError(f"row {number} is no preference pair: {e}") from None
            if key in pairs:
                raise ValueError(f"row {number} is there twice")
            pairs[key] = pair
        if not pairs:
            raise ValueError("there are no pairs to label")
        draw = random.Random(seed)
        order = sorted(pairs)
        draw.shuffle(order)
        self._pairs = {key: pairs[key] for key in order}
        self._left = {
            key: draw.randrange(2) for key in order
        }  # which of the two outputs stands on the left
        self._made = self._load()  # {key: (input, outputs, 0, 1 or None for a tie)}, oldest first

    @property
    def total(self):
        """How many pairs there are."""
        return len(self._pairs)

    @property
    def done(self):
        """How many of them are judged."""
        return len(self._made.keys() & self._pairs.keys())

    @property
    def now(self):
        """The BlindPair to judge next, or None when all are judged."""
        key = self._next()
        if key is None:
            return None
        asked, outputs = self._pairs[key]
        left, right = outputs if self._left[key] == 0 else outputs[::-1]
        said = "\n".join(f"{m['role']}: {m.get('content') or ''}" for m in asked["messages"])
        return BlindPair(self.done + 1, said, _text(left), _text(right))

    def choose(self, choice):
        """Judge the present pair: "left", "right" or "tie". Saved when it returns; none left to
        judge: ValueError.
        """
        if choice not in CHOICES:
            raise ValueError(f"a choice is one of {', '.join(CHOICES)}, not {choice!r}")
        key = self._next()
        if key is None:
            raise ValueError("every pair is judged; undo the last choice to change it")
        chosen = {"left": self._left[key], "right": 1 - self._left[key], "tie": None}[choice]
        self._save(self._made | {key: (*self._pairs[key], chosen)})

    def undo(self):
        """Take the last choice among these pairs back; nothing happens where there is none."""
        last = next((key for key in reversed(self._made) if key in self._pairs), None)
        if last is not None:
            self._save({key: made for key, made in self._made.items() if key != last})

    def counts(self):
        """{"left": n, "right": n, "tie": n} among these pairs: one side far ahead means that sides
        were chosen, not answers.
        """
        chosen = [
            (made[2], self._left[key]) for key, made in self._made.items() if key in self._pairs
        ]
        ties = sum(which is None for which, _ in chosen)
        lefts = sum(which == left for which, left in chosen)
        return {"left": lefts, "right": len(chosen) - lefts - ties, "tie": ties}

    def rows(self):
        """All judged pairs of the file, ties left out, in the hosted form, with the reader's
        preference.
        """
        return _hosted(self._made)

    def said(self):
        """Where the choices are and whether they are enough for a job, in a sentence."""
        ties = sum(chosen is None for *_, chosen in self._made.values())
        n = len(self._made) - ties
        saved = f"{n} {'pair' if n == 1 else 'pairs'} in {self.path.as_posix()}"
        if ties:
            saved += f" ({ties} {'tie' if ties == 1 else 'ties'} left out)"
        data = "\n".join(map(json.dumps, self.rows())).encode()
        wrong = next((p for p in preference_file.read(data, "dpo")[1] if p.level == "error"), None)
        if wrong is None:
            return f"{saved}; fit for a tuning job."
        if wrong.code == "invalid_n_examples":
            return f"{saved}; a job needs 10."
        return f"{saved}; not fit for a job: {wrong}."

    def _next(self):
        return next((key for key in self._pairs if key not in self._made), None)

    def _load(self):
        if not self.choices_path.exists():
            return {}
        made = {}
        try:
            for entry in json.loads(self.choices_path.read_text(encoding="utf-8"))["choices"]:
                key, pair = _pair(
                    dict(zip(("input", *OUTPUTS), (entry["input"], *entry["answers"])))
                )
                if entry["chosen"] not in (0, 1, None) or isinstance(entry["chosen"], bool):
                    raise ValueError("a choice is 0, 1 or null")
                made[key] = (*pair, entry["chosen"])
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as e:
            raise ValueError(
                f"{self.choices_path} cannot be read ({e}). Repair it, or move it away to begin anew; nothing was overwritten."
            ) from None
        return made

    def _save(self, made):
        """Both files, each whole or as before. The choices first: the pairs follow from them."""
        entries = [
            {"input": asked, "answers": outputs, "chosen": chosen}
            for asked, outputs, chosen in made.values()
        ]
        preference_file.write([{"choices": entries}], self.choices_path)
        preference_file.write(_hosted(made), self.path)
        self._made = made


def flipped(rows):
    """The pairs with the other taste: what was preferred is not, and the other way round."""
    return [
        {
            **row,
            "preferred_output": row["non_preferred_output"],
            "non_preferred_output": row["preferred_output"],
        }
        for row in rows
    ]


def label(rows, path, seed=9):
    """A widget for Labels(rows, path, seed): two answers side by side, for the mouse or the
    keyboard.

    1 or left arrow, 2 or right arrow: that answer is better. 0 or t: a tie. u: undo. Each choice is
    saved at once; running the cell again goes on where you were. Returns the widget; `.labels` is
    its Labels.
    """
    from ._labelling_widget import Labelling

    return Labelling(Labels(rows, path, seed))


def _pair(row):
    """(key, (input, outputs)): the outputs in the order of their texts, and a name that does not
    change with their places.

    TypeError or ValueError for what is no pair.
    """
    wrong = next(
        (
            p
            for p in preference_file.read(json.dumps(row).encode(), "dpo")[1]
            if p.level == "error" and p.code != "invalid_n_examples"
        ),
        None,
    )
    if wrong:
        raise ValueError(f"{wrong.path}: {wrong.message}" if wrong.path else wrong.message)
    outputs = sorted((row[output] for output in OUTPUTS), key=_text)
    return json.dumps([row["input"], [_text(output) for output in outputs]], sort_keys=True), (
        row["input"],
        outputs,
    )


def _text(output):
    return output[0]["content"]


def _hosted(made):
    return [
        {
            "input": asked,
            "preferred_output": outputs[chosen],
            "non_preferred_output": outputs[1 - chosen],
        }
        for asked, outputs, chosen in made.values()
        if chosen is not None
    ]
