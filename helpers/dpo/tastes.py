"""What somebody's choices among pairs say: a taste in words, a leaning to one side, and how often
another labeller chose the same.

    found = tastes.of(labels, pairs)    # labelling.Labels; the pairs as another labeller had them
    found                              # in a notebook: all of it, with intervals
    found.traits                       # the same as numbers
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common import tabled
from ..common.markup import Template
from ..common.shown import CARD, COLOURS
from ..facts import stats
from . import written
from .labelling import Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# What an answer can have more of than the other: (its name, that of the other, how it is measured).
TRAITS: tuple[tuple[str, str, Callable[[str], int]], ...] = (
    ("name °F", "name °C", written.unit),
    ("are longer", "are shorter", written.words),
    ("have more exclamation marks", "have fewer exclamation marks", lambda text: text.count("!")),
    ("ask more", "ask less", lambda text: text.count("?")),
    ("have more digits", "have fewer digits", lambda text: sum(c.isdigit() for c in text)),
)
EACH = (
    0.99  # of the interval of a trait: asked five at once, a coin would show one by luck too often
)
CARD_OF_TASTE = Template("""
<div class="mathjax_ignore" style="{{ card }}">
  <p><b>{{ words }}</b></p>
  {{ table }}
  <p>{{ side }}<br>{{ others }}</p>
  <p>Traits that go together, such as a unit and a tone, cannot be told apart by counting: for that some pairs must differ in one of them alone.</p>
</div>
""")


@dataclass(frozen=True)
class Share:
    """How often something was chosen: `times` of `n` decided."""

    what: str
    times: int
    n: int
    confidence: float = 0.95

    @property
    def interval(self) -> tuple[float, float]:
        """(lowest, highest) share at that confidence, fractions of 1; (0, 1) where nothing was
        decided.
        """
        if not self.n:
            return 0.0, 1.0
        return stats.wilson_interval(self.times, self.n, self.confidence)

    @property
    def sure(self) -> bool:
        """Whether it is more than a coin's half."""
        return self.interval[0] > 0.5

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.times} of {self.n}, {self.confidence:.0%} interval {low:.0%} to {high:.0%}"


class Taste:
    """traits: a Share for each trait in which some pair differs, named after the answer that was
    chosen more often. left: how often the answer on the left was. others: how often the choice is
    the other labeller's, among the pairs that both have judged.
    """

    def __init__(self, traits: Sequence[Share], left: Share, others: Share) -> None:
        self.traits, self.left, self.others = list(traits), left, others

    def words(self) -> str:
        """The taste in a sentence: the traits that are more than a coin's."""
        if not self.left.n:
            return "No answer was preferred yet."
        sure = [share for share in self.traits if share.sure]
        if not sure:
            return "Nothing that is counted here tells these choices from a coin's."
        told = [f"{share.what} ({share.times} of {share.n})" for share in sure]
        return f"The preferred answers {', '.join(told)}."

    def side(self) -> str:
        """Whether one side was preferred, in a sentence."""
        if not self.left.n:
            return "Left and right: nothing is decided."
        right = Share("right", self.left.n - self.left.times, self.left.n)
        leaning = next((share.what for share in (self.left, right) if share.sure), "")
        says = f"sides were chosen, not answers: {leaning}" if leaning else "no leaning to a side"
        return f"Left: {self.left}; {says}."

    def agreement(self) -> str:
        """How often the file's labeller chose the same, in a sentence."""
        if not self.others.n:
            return "None of these pairs is in the file."
        return f"As the file has it: {self.others}."

    def __repr__(self) -> str:
        rows = [f"{share.what:30}{share}" for share in self.traits]
        return "\n".join([self.words(), *rows, self.side(), self.agreement()])

    def _repr_html_(self) -> str:
        bounds = [f"{low:.0%} to {high:.0%}" for low, high in (s.interval for s in self.traits)]
        table = tabled.table(
            ["the preferred answers", "times", "of", f"{EACH:.0%} interval", "more than a coin"],
            [
                [share.what for share in self.traits],
                [share.times for share in self.traits],
                [share.n for share in self.traits],
                bounds,
                ["yes" if share.sure else "no" for share in self.traits],
            ],
            named=1,
        )
        return CARD_OF_TASTE.render(
            card=CARD.format(edge=COLOURS[4]),
            words=self.words(),
            table=table,
            side=self.side(),
            others=self.agreement(),
        )


def of(labels: Labels, pairs: Iterable[dict[str, Any]]) -> Taste:
    """The Taste of somebody's Labels. pairs: the same pairs as the file's labeller has them, in the
    hosted form. Ties are in none of the counts. TypeError for what is no Labels.
    """
    need_labels(labels)
    rows = labels.rows()
    chosen = [
        [row[side][0]["content"] for side in ("preferred_output", "non_preferred_output")]
        for row in rows
    ]
    traits = []
    for more, less, measure in TRAITS:
        gained = [measure(liked) - measure(other) for liked, other in chosen]
        up, down = sum(g > 0 for g in gained), sum(g < 0 for g in gained)
        if up + down:
            traits.append(Share(more if up >= down else less, max(up, down), up + down, EACH))
    traits.sort(key=lambda share: -share.interval[0])
    counts = labels.counts()
    theirs = [(row["input"], row["preferred_output"]) for row in pairs]
    asked = [key for key, _ in theirs]
    both = [row for row in rows if row["input"] in asked]
    same = sum((row["input"], row["preferred_output"]) in theirs for row in both)
    return Taste(
        traits,
        Share("left", counts["left"], counts["left"] + counts["right"]),
        Share("as the file", same, len(both)),
    )


def need_labels(given: object) -> None:
    """Raises TypeError for what is no Labels."""
    if not isinstance(given, Labels):
        raise TypeError(
            f"choices are a labelling.Labels, such as mine.labels, not {type(given).__name__}"
        )
