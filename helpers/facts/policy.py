"""The stand-in that preference tuning trains here: small enough to read, trained with the real
loss.

A language model gives every text a probability. The stand-in only compares: offered a few candidate
answers y to a prompt x, it takes each with probability

    pi(y|x) = exp(w · phi(x, y)) / sum over the candidates z of exp(w · phi(x, z))

where phi is `features`, a row of numbers with names (length, degrees Celsius, greeting ...), and w
a weight for each. What is trained on it is not a stand-in: the DPO loss of Rafailov et al. (arXiv
2305.18290, eq. 7) on the reader's own pairs, with mini-batches, epochs and a reference policy.

    pairs = read_pairs(rows)                           # rows: lines of a preference file, as dicts
    for step in train(pairs, beta=0.1, n_epochs=3):    # a generator: watch it, pause it, leave it
        print(step.step, step.train_loss, step.train_accuracy, step.train_margin)
    step.policy.choose(prompt, candidates, temperature=0)    # the tuned policy answers

In the pairwise loss the sum over the candidates cancels: log pi(y_w|x) - log pi(y_l|x) = w · (phi_w
- phi_l), whatever else could have been said. Who samples has to offer candidates; who trains on
pairs has not. Supervised training needs them, so an `Example` brings its own.

English only. NumPy only.
"""

from __future__ import annotations

import functools
import math
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..common.whole import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike


LEARNING_RATE = 0.1  # of learning_rate_multiplier 1; ours, chosen so that a few dozen pairs are learnt in a few epochs
BUCKETS = 256  # of the hashed words
EVEN = 1e-9  # nats; what is nearer is equal: the last bits of a sum differ between processors
LIMITS = {
    "beta": (0, 2),
    "n_epochs": (1, 50),
    "batch_size": (1, 256),
    "learning_rate_multiplier": (0, float("inf")),
}

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# All but capitals look at the answer in small letters.
_SAID = {
    name: frozenset(words.split())
    for name, words in {
        "you": "you your yours yourself you're you'll you've",
        "i_and_we": "i me my mine we us our ours i'm i'll i've we're we'll we've",
        "hedges": "may might perhaps maybe probably possibly roughly seem seems likely usually generally",
        "apologies": "sorry apologise apologize apologies unfortunately regret",
        "thanks": "thank thanks appreciate",
        "intensifiers": "very really super absolutely totally amazing awesome wonderful fantastic great lovely perfect",
        "please": "please",
    }.items()
}
_COUNTED = {
    name: re.compile(pattern, re.M)
    for name, pattern in {
        "sentences": r"[.!?…]+(?=\s|$)",
        "lines": r"\n+",
        "list_items": r"^[ \t]*(?:[-*•]|\d+[.)])\s",
        "markdown": r"\*\*|__|`|^#+\s|^\|",
        "exclamations": r"!",
        "questions": r"\?",
        "emoji": r"[\u2600-\u27bf\U0001f300-\U0001faff]",
        "numbers": r"\d+(?:[.,:]\d+)*",
        "fahrenheit": r"[°\d]\s?f\b|fahrenheit",
        "celsius": r"[°\d]\s?c\b|celsius",
        "contractions": r"(?<=\w)['’](?:t|s|re|ve|ll|d|m)\b",
        "quotes": r"[\"“«][^\"”»\n]+[\"”»]",
    }.items()
}
_CAPITALS = re.compile(r"\b[A-Z]{3,}\b")
_YES = {
    name: re.compile(pattern)
    for name, pattern in {
        "greeting": r"\A\W*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|greetings)\b",
        "opener": r"\A\W*(?:sure|certainly|of course|absolutely|(?:great|good) question)\b",
        "offer": r"let me know|feel free|(?:happy|glad|here) to help|anything else|hope (?:this|that) helps|reach out",
        "ends_in_question": r"\?\W*\Z",
    }.items()
}

# name: unit. 1 is a difference one notices, so no scaling by the file is needed: the features of an
# answer are the same in every file, in training and when sampling.
UNITS = (
    {
        "length": "doublings of 1 + words",
        "word_length": "letters per word, at most 20, halved",
        "sentence_length": "doublings of words per sentence",
        "overlap": "share of the answer's different words that the prompt has, times 2",
    }
    | {name: "doublings of 1 + count" for name in (*_COUNTED, *_SAID, "capitals")}
    | {name: "1 if so, else 0" for name in _YES}
)
NAMED = tuple(UNITS)
FEATURES = NAMED + tuple(f"word_{i:03}" for i in range(BUCKETS))


@functools.lru_cache(1 << 15)
def features(prompt: str, answer: str) -> np.ndarray:
    """phi(x, y): an array of len(FEATURES) floats, not to be written to. `prompt`, `answer`: text.

    First the named ones, in the units of UNITS. Then the answer's words, each in one of BUCKETS
    places by its CRC-32, as a direction of length 1: that length is not counted again. Capitals do
    not matter there.

    >>> dict(zip(FEATURES, features("Weather?", "It's 22 °C!").tolist()))["celsius"]
    1.0
    """
    small = answer.lower()
    words = _WORD.findall(small.replace("’", "'"))
    n, tally = len(words), Counter(words)
    counts = {name: len(pattern.findall(small)) for name, pattern in _COUNTED.items()}
    counts |= {name: sum(tally[w] for w in tally.keys() & said) for name, said in _SAID.items()}
    counts["capitals"] = len(_CAPITALS.findall(answer))
    found = {name: math.log2(1 + count) for name, count in counts.items()}
    found["length"] = math.log2(1 + n)
    found["word_length"] = min(20, sum(map(len, words)) / max(n, 1)) / 2
    found["sentence_length"] = math.log2(1 + n / max(counts["sentences"], 1))
    found["overlap"] = (
        2 * len(tally.keys() & set(_WORD.findall(prompt.lower()))) / max(len(tally), 1)
    )
    found |= {name: float(bool(pattern.search(small))) for name, pattern in _YES.items()}
    row = np.zeros(len(FEATURES))
    row[: len(NAMED)] = [found[name] for name in NAMED]
    for word, count in tally.items():
        row[_bucket(word)] += count
    row[len(NAMED) :] /= max(1.0, float(np.linalg.norm(row[len(NAMED) :])))
    row.flags.writeable = False
    return row


@functools.lru_cache(1 << 15)
def _bucket(word):
    return len(NAMED) + zlib.crc32(word.encode()) % BUCKETS


class Policy:
    """Weights for FEATURES, and the probabilities that follow. Never changed once made.

    `weights`: array of len(FEATURES) floats; left out, all 0: every candidate is equally likely.
    That is the base from which a first tuning starts.
    """

    def __init__(self, weights: ArrayLike | None = None) -> None:
        self.weights = (
            np.zeros(len(FEATURES)) if weights is None else np.array(weights, dtype=float)
        )
        if self.weights.shape != (len(FEATURES),):
            raise ValueError(
                f"a policy has {len(FEATURES)} weights, not an array of shape {self.weights.shape}"
            )
        self.weights.flags.writeable = False

    def logprobs(self, prompt: str, candidates: Sequence[str]) -> np.ndarray:
        """log pi(y|x) in nats for each of `candidates` (texts), as an array. ValueError if there
        are none.
        """
        if not candidates:
            raise ValueError("a policy chooses among candidates; there are none")
        return _log_softmax(np.array([features(prompt, c) for c in candidates]) @ self.weights)

    def choose(
        self, prompt: str, candidates: Sequence[str], temperature: float = 1.0, seed: int = 0
    ) -> int:
        """Index of the candidate taken. Temperature 0: the likeliest, and of equals the first."""
        scores = self.logprobs(prompt, candidates)
        if temperature < 0:
            raise ValueError(f"a temperature is 0 or more, not {temperature}")
        if temperature == 0:
            return int(np.flatnonzero(scores >= scores.max() - EVEN)[0])
        # a temperature next to 0 puts all others infinitely far behind
        with np.errstate(over="ignore"):
            chances = np.exp(_log_softmax((scores - scores.max()) / temperature))
        return int(np.random.default_rng(seed).choice(len(candidates), p=chances / chances.sum()))


@dataclass(frozen=True)
class Pair:
    """A prompt (text of its last user message), the answer preferred and the one not preferred."""

    prompt: str
    preferred: str
    non_preferred: str


@dataclass(frozen=True)
class Example:
    """For supervised training: a prompt, the answer to imitate, and what else could have been
    said.
    """

    prompt: str
    answer: str
    others: tuple[str, ...]


def text_of(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a message's content: text stays, parts are joined, None is empty."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content)
    return content or ""


def prompt_of(messages: Sequence[dict[str, Any]]) -> str:
    """The text of the last user message: what the features compare an answer with."""
    return next((text_of(m["content"]) for m in reversed(messages) if m["role"] == "user"), "")


def read_pairs(rows: Iterable[dict[str, Any]]) -> list[Pair]:
    """Pairs from lines of a preference file, as dicts in the hosted format. Rows must be valid
    (helpers/facts/preference_file.py).
    """
    return [
        Pair(
            prompt_of(row["input"]["messages"]),
            text_of(row["preferred_output"][-1]["content"]),
            text_of(row["non_preferred_output"][-1]["content"]),
        )
        for row in rows
    ]


def read_examples(
    rows: Iterable[dict[str, Any]], candidates: Callable[[list[dict[str, Any]]], Iterable[str]]
) -> list[Example]:
    """Examples from lines of a supervised file, {"messages": [..., the assistant's]}.

    `candidates`: function from a list of messages (without the answer) to the texts that the policy
    could say there; the answer itself is left out of them.
    """
    made = []
    for row in rows:
        *asked, last = row["messages"]
        answer = text_of(last["content"])
        made.append(
            Example(prompt_of(asked), answer, tuple(c for c in candidates(asked) if c != answer))
        )
    return made


def dpo(
    weights: np.ndarray,
    reference: np.ndarray,
    differences: np.ndarray,
    beta: float,
    counts: np.ndarray | None = None,
) -> tuple[float, np.ndarray, np.ndarray]:
    """(loss, gradient, margins) of pairs of a log-linear policy.

    `weights`, `reference`: (k,) arrays; `differences`: (n, k), phi(x, y_w) - phi(x, y_l) a row;
    `counts`: how often each row was seen, (n,), 1 each if left out. margins: (n,), beta times the
    log-ratio of the preferred answer minus that of the other, in nats. loss: mean of -log
    sigmoid(margin), in nats. gradient: (k,), of the loss.
    """
    margins = beta * (differences @ (weights - reference))
    share = (
        np.full(len(margins), 1 / len(margins))
        if counts is None
        else np.asarray(counts, dtype=float) / np.sum(counts)
    )
    loss = share @ np.logaddexp(0, -margins)
    # sigmoid(-margin): the weight that each pair has in the gradient
    surprise = np.exp(-np.logaddexp(0, margins))
    return float(loss), -beta * ((share * surprise) @ differences), margins


def supervised(weights: np.ndarray, offered: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """(loss, gradient, hits) of imitation. `offered`: (n, m, k), the features of m candidates, the
    right one first.

    Where an example has fewer candidates its rows are NaN. loss: mean of -log pi(right one), in
    nats. hits: (n,) bool, whether the right one is likelier than every other.
    """
    there = ~np.isnan(offered[:, :, 0])
    offered = np.where(there[:, :, None], offered, 0)
    logs = _log_softmax(np.where(there, offered @ weights, -np.inf))
    expected = np.einsum("nm,nmk->nk", np.exp(logs), offered)
    return (
        float(-logs[:, 0].mean()),
        (expected - offered[:, 0]).mean(axis=0),
        logs[:, 0] > logs[:, 1:].max(axis=1, initial=-np.inf) + EVEN,
    )


def _log_softmax(scores):
    top = scores.max(axis=-1, keepdims=True)
    return scores - top - np.log(np.exp(scores - top).sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Step:
    """One step of a training. The metrics are of the policy before it, `policy` is the one after
    it.

    loss in nats. accuracy: share of pairs whose preferred answer gained more than the other (reward
    accuracy; equal is not more); supervised: share of answers likelier than each other candidate.
    margin: mean reward margin in nats; supervised: None. train_: of this mini-batch; valid_: of the
    whole validation set, None without one. `step` and `epoch` count from 1, to `steps` and
    `epochs`.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    ends_epoch: bool
    train_loss: float
    train_accuracy: float
    train_margin: float | None
    valid_loss: float | None
    valid_accuracy: float | None
    valid_margin: float | None
    policy: Policy


def resolve(hyperparameters: Mapping[str, Any], n: int) -> dict[str, Any]:
    """The numbers behind "auto", for a file of `n` lines. Hosted rules are not public: these are
    ours.

    `hyperparameters`: any of beta, n_epochs, batch_size and learning_rate_multiplier, each a number
    or "auto"; what is left out is "auto". Returns all four. auto is: beta 0.1; batch_size n / 16,
    from 1 to 32; n_epochs 300 / n, from 3 to 10; learning_rate_multiplier 1. ValueError names one
    that is unknown or out of range.

    >>> resolve({"n_epochs": 5}, 60)
    {'beta': 0.1, 'n_epochs': 5, 'batch_size': 3, 'learning_rate_multiplier': 1.0}
    """
    auto = {
        "beta": 0.1,
        "n_epochs": min(10, max(3, -(-300 // max(n, 1)))),
        "batch_size": min(32, max(1, n // 16)),
        "learning_rate_multiplier": 1.0,
    }
    for name, value in hyperparameters.items():
        if name not in LIMITS:
            raise ValueError(f"{name} is no hyperparameter; there are {', '.join(LIMITS)}")
        if value == "auto":
            continue
        low, high = LIMITS[name]
        if name in ("n_epochs", "batch_size"):
            auto[name] = whole(value, f'{name}, if not "auto",', low, high)
            continue
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (right and low < value <= high and value != float("inf")):  # JSON's 1e400
            span = f", at most {high}" if high < float("inf") else ""
            raise ValueError(f'{name} is "auto" or a number above 0{span}, not {value!r}')
        auto[name] = value
    return auto


def evaluate(
    policy: Policy,
    reference: Policy,
    data: Sequence[Pair] | Sequence[Example],
    *,
    method: str = "dpo",
    beta: float = 0.1,
) -> tuple[float, float, float | None]:
    """(loss, accuracy, margin) of `policy` on `data`, in the units of Step; `reference` is a
    Policy, too.
    """
    return _metrics(method, policy.weights, reference.weights, _arrays(method, data), beta)[0]


def train(
    data: Sequence[Pair] | Sequence[Example],
    *,
    method: str = "dpo",
    start: Policy | None = None,
    beta: float | str = "auto",
    n_epochs: int | str = "auto",
    batch_size: int | str = "auto",
    learning_rate_multiplier: float | str = "auto",
    seed: int = 0,
    valid: Sequence[Pair] | Sequence[Example] | None = None,
) -> Iterator[Step]:
    """Train step by step: a generator of Step. Ask for the next to go on, wait to pause, close it
    to cancel.

    `data`, `valid`: lists of Pair for method "dpo", of Example for "supervised". `start`: the
    Policy to begin with, and for DPO the reference; left out, the base. Hyperparameters as in
    `resolve`. `seed`: whole number from 0, shuffles each epoch. The same input gives the same
    steps. ValueError for an empty list or a wrong value, at the first step asked for.

    Plain gradient descent. For DPO its step is divided by beta: then the first step is the same for
    every beta, and a high one stops earlier, which is what beta is for. (Adam, usual for large
    models, makes the size of a step independent of beta, too.)
    """
    if not data:
        raise ValueError("there is nothing to train on: the list is empty")
    if method not in ("dpo", "supervised"):
        raise ValueError(f"method is dpo or supervised, not {method!r}")
    h = resolve(
        {
            "beta": beta,
            "n_epochs": n_epochs,
            "batch_size": batch_size,
            "learning_rate_multiplier": learning_rate_multiplier,
        },
        len(data),
    )
    rate = LEARNING_RATE * h["learning_rate_multiplier"] / (h["beta"] if method == "dpo" else 1)
    weights = reference = (start or Policy()).weights
    rows, held = _arrays(method, data), _arrays(method, valid) if valid else None
    draw, n = np.random.default_rng(whole(seed, "seed")), len(rows)
    a_epoch = -(-n // h["batch_size"])
    for i in range(a_epoch * h["n_epochs"]):
        epoch, batch = divmod(i, a_epoch)
        if batch == 0:
            order = draw.permutation(n)
        chosen = rows[order[batch * h["batch_size"] : (batch + 1) * h["batch_size"]]]
        metrics, gradient = _metrics(method, weights, reference, chosen, h["beta"])
        on_valid: tuple[float | None, float | None, float | None] = (None, None, None)
        if held is not None:
            on_valid, _ = _metrics(method, weights, reference, held, h["beta"])
        weights = weights - rate * gradient
        yield Step(
            i + 1,
            a_epoch * h["n_epochs"],
            epoch + 1,
            h["n_epochs"],
            batch == a_epoch - 1,
            *metrics,
            *on_valid,
            Policy(weights),
        )


def _arrays(method, data):
    if method == "dpo":
        return np.array(
            [features(p.prompt, p.preferred) - features(p.prompt, p.non_preferred) for p in data]
        )
    rows = np.full((len(data), 1 + max(len(e.others) for e in data), len(FEATURES)), np.nan)
    for i, e in enumerate(data):
        for j, text in enumerate((e.answer, *e.others)):
            rows[i, j] = features(e.prompt, text)
    return rows


def _metrics(
    method: str, weights: np.ndarray, reference: np.ndarray, rows: np.ndarray, beta: float
) -> tuple[tuple[float, float, float | None], np.ndarray]:
    """((loss, accuracy, margin), gradient)"""
    if method == "dpo":
        loss, gradient, margins = dpo(weights, reference, rows, beta)
        return (loss, float((margins > EVEN).mean()), float(margins.mean())), gradient
    loss, gradient, hits = supervised(weights, rows)
    return (loss, float(hits.mean()), None), gradient
