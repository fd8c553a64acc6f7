"""What a tuned language model writes, judged by rules that can be read, and the stored runs of
data/tuned_runs.json, which notebooks/3_dpo/tuned_runs.py has made.

A judge gives a text a score: more is more of what the file's preferred answers have. Two texts to
the same question are compared, and equal scores are a tie.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..facts import DATA, stats
from ..facts.files import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

FAHRENHEIT = re.compile(r"\d\s*(?:°|degrees)?\s*F\b|fahrenheit", re.I)
CELSIUS = re.compile(r"\d\s*(?:°|degrees)?\s*C\b|celsius", re.I)
BETWEEN = 6  # questions asked at the checkpoints before the last
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> int:
    """How many words a text has."""
    return len(_WORD.findall(text))


def unit(text: str) -> int:
    """1 where it names degrees Fahrenheit alone, -1 Celsius alone, 0 both or neither."""
    return bool(FAHRENHEIT.search(text)) - bool(CELSIUS.search(text))


def we(text: str) -> int:
    """1 where it says at once who acts: its first word is We; else 0."""
    return int(text.lstrip().startswith(("We ", "We'")))


def short(text: str) -> int:
    """Minus the number of words."""
    return -words(text)


# Which rule judges what a file teaches.
JUDGES: dict[str, Callable[[str], int]] = {
    "weather": unit,
    "house_style": we,
    "support": short,
}
# Of the held-out candidates: the style that the file prefers, and the other.
STYLES = {
    "weather": ("chatty_fahrenheit", "terse_celsius"),
    "house_style": ("house", "loud"),
    "support": ("short", "long"),
}


def distinct(texts: Iterable[str]) -> float:
    """Different words by words, the mean over texts: near 1 for a sentence, near 0 for one word
    again and again. ValueError where no text has a word.
    """
    found = [[w.lower() for w in _WORD.findall(text)] for text in texts]
    shares = [len(set(said)) / len(said) for said in found if said]
    if not shares:
        raise ValueError("no text has a word: there is nothing to count")
    return sum(shares) / len(shares)


def win_rate(
    judge: Callable[[str], int], after: Sequence[str], before: Sequence[str], flipped: bool = False
) -> tuple[int, int, tuple[float, float]]:
    """(wins, decided, 95 % interval of the share) of `after` against `before`, the answers to the
    same questions; ties are left out. Where nothing was decided the interval is (0, 1).
    """
    gained = [judge(a) - judge(b) for a, b in zip(after, before, strict=True)]
    gained = [-g for g in gained] if flipped else gained
    won, decided = sum(g > 0 for g in gained), sum(g != 0 for g in gained)
    return won, decided, stats.wilson_interval(won, decided) if decided else (0.0, 1.0)


def lines(name: str) -> list[dict[str, Any]]:
    """The lines of a file of data/preferences."""
    text = (DATA / "preferences" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def held_out_pairs(name: str) -> list[dict[str, Any]]:
    """The 20 held-out questions of a file as pairs: a candidate in the style that it prefers, and
    one in the other.
    """
    made = []
    for row in lines(f"{name}_held_out"):
        said = {one["style"]: one["content"] for one in row["candidates"]}
        liked, other = ([{"role": "assistant", "content": said[s]}] for s in STYLES[name])
        made.append(
            {"input": row["input"], "preferred_output": liked, "non_preferred_output": other}
        )
    return made


@dataclass(frozen=True)
class Run:
    """A training that is stored. name, file: of the run, and of its pairs. flipped: whether the
    other answer was preferred. rate: the learning_rate_multiplier. beta: of the loss. steps: the
    metrics of each, as a job's events have them. before, after: what was written to the held-out
    questions. between: {step: what was written to the first of them}, of each checkpoint.
    """

    name: str
    file: str
    flipped: bool
    rate: float
    beta: float
    steps: list[dict[str, float]]
    before: list[str]
    after: list[str]
    between: dict[int, list[str]]
    cpu_seconds: int
    peak_mb: int

    def won(self) -> tuple[int, int, tuple[float, float]]:
        """The win_rate of after against before, by the judge of the file."""
        return win_rate(JUDGES[self.file], self.after, self.before, self.flipped)


def stored() -> dict[str, Any]:
    """data/tuned_runs.json: how the runs were made, and on which day."""
    return read_json(DATA / "tuned_runs.json")


def runs() -> list[str]:
    """The names of the stored runs, by name."""
    return sorted(stored()["runs"])


def run(name: str) -> Run:
    """A stored run. LookupError names those that there are."""
    kept = stored()
    if name not in kept["runs"]:
        raise LookupError(f"there is no run {name!r}; there are {', '.join(kept['runs'])}")
    row = kept["runs"][name]
    between = {int(step): texts for step, texts in row["written"].items()}
    return Run(
        name,
        row["file"],
        row["flipped"],
        row["learning_rate_multiplier"],
        row["beta"],
        row["steps"],
        kept["before"][row["file"]],
        between[max(between)],
        between,
        row["cpu_seconds"],
        row["peak_mb"],
    )


def at_checkpoints(name: str) -> list[dict[str, float]]:
    """A row a checkpoint of a stored run: its `step`; the loss and the margin of its last batch;
    `held_out`, the share of held-out pairs that it wins; `distinct` of what it wrote.
    """
    one = run(name)
    by_step = {int(row["step"]): row for row in one.steps}
    return [
        {
            "rate": one.rate,
            "step": step,
            "pairs won": by_step[step]["train_reward_accuracy"],
            "margin": by_step[step]["train_reward_margin"],
            "held out won": by_step[step]["valid_reward_accuracy"],
            "distinct": distinct(texts[:BETWEEN]),
        }
        for step, texts in sorted(one.between.items())
    ]
