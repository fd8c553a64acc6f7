"""The exercises of notebooks/3_dpo/02_how_dpo_learns."""

import math

from . import exercise, judge


def _loss(now, then, beta):
    """Of one pair; `now` and `then`: (preferred, other), probabilities of the policy and of the reference."""
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
