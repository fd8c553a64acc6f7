"""DPO (Rafailov et al., arXiv 2305.18290, eq. 7) and supervised training of a network's adapters.

Each step looks at a batch of examples, and Adam (Kingma and Ba, arXiv 1412.6980) moves the adapters
by a rate that falls evenly to zero. The reference of DPO is the model as it was before the first
step, so that the first step's margins are 0 and its loss is ln 2.

    for step in Training(model, examples, method, hyperparameters, seed, held).steps():
        step["train_loss"]

An example is (prompt, answers), lists of tokens: for DPO the preferred answer and the other, for
supervised training one.
"""

import numpy as np

from .network import Text

RATE = 1e-3  # of learning_rate_multiplier 1
MOMENTS, TINY = (0.9, 0.999), 1e-8  # of Adam
EVEN = 1e-6  # nats; what is nearer is equal
# A pair that pushes less is won, and moves nothing; on the way back its numbers would be so small
# (subnormal) that a processor takes sixty times as long for them.
NO_PUSH = 1e-12


class Adam:
    """Moves arrays in place against their gradients."""

    def __init__(self, arrays):
        self.arrays, self.count = arrays, 0
        self.moments = [(np.zeros_like(a), np.zeros_like(a)) for a in arrays]

    def move(self, gradients, rate):
        self.count += 1
        unbiased = [1 - share**self.count for share in MOMENTS]
        for array, gradient, (first, second) in zip(self.arrays, gradients, self.moments):
            first += (1 - MOMENTS[0]) * (gradient - first)
            second += (1 - MOMENTS[1]) * (gradient * gradient - second)
            array -= rate * (first / unbiased[0]) / (np.sqrt(second / unbiased[1]) + TINY)


class Training:
    """hyperparameters: beta, n_epochs, batch_size, learning_rate_multiplier; all are numbers. held:
    examples that are only looked at, at the end of each epoch.
    """

    def __init__(self, model, examples, method, hyperparameters, seed, held=()):
        self.model, self.method, self.h = model, method, hyperparameters
        self.draw = np.random.default_rng(seed)
        self.texts = [Text(*example) for example in [*examples, *held]]
        self.below = model.below(self.texts)
        self.count = len(examples)
        self.reference = []
        if method == "dpo":
            self.reference = [self._sums(self._said(n)) for n in range(len(self.texts))]

    def _said(self, number):
        return self.model.above(self.below[number], self.texts[number])

    @staticmethod
    def _sums(said):
        return [float(answer.sum()) for answer in said.logprobs]

    def steps(self):
        """A dict a step: `step`, `steps`, `epoch`, `ends_epoch` and the metrics. Those of train_
        are of the batch before the step; those of valid_ of all held examples after an epoch's
        last.
        """
        size, epochs = self.h["batch_size"], self.h["n_epochs"]
        a_epoch = -(-self.count // size)
        rate = RATE * self.h["learning_rate_multiplier"]
        matrices = list(self.model.adapters().values())
        adam = Adam([part for matrix in matrices for part in matrix.adapter])
        for done in range(a_epoch * epochs):
            epoch, batch = divmod(done, a_epoch)
            if batch == 0:
                order = self.draw.permutation(self.count)
            for matrix in matrices:
                matrix.clear()
            chosen = order[batch * size : (batch + 1) * size]
            metrics = self._metrics(chosen, learn=True)
            gradients = [part for matrix in matrices for part in matrix.gradients]
            adam.move(gradients, rate * (1 - done / (a_epoch * epochs)))
            step = {"step": done + 1, "steps": a_epoch * epochs, "epoch": epoch + 1}
            step["ends_epoch"] = batch == a_epoch - 1
            held = range(self.count, len(self.texts))
            valid = self._metrics(held) if step["ends_epoch"] and held else (None,) * 3
            names = ("loss", "accuracy", "margin")
            step |= {f"train_{name}": value for name, value in zip(names, metrics)}
            step |= {f"valid_{name}": value for name, value in zip(names, valid)}
            yield step

    def _metrics(self, chosen, learn=False):
        """(loss, accuracy, margin) of the examples with these numbers; `learn`: adds to the
        gradients of the loss.
        """
        measure = self._dpo if self.method == "dpo" else self._supervised
        found = np.array([measure(number, learn and len(chosen)) for number in chosen], float)
        loss, accuracy, *margin = map(float, found.mean(0))
        return loss, accuracy, *(margin or [None])

    def _dpo(self, number, of):
        """(loss, whether the preferred one gained more, margin) of a pair; of: how many share the
        step, or False.
        """
        said = self._said(number)
        gained = [now - was for now, was in zip(self._sums(said), self.reference[number])]
        margin = self.h["beta"] * (gained[0] - gained[1])
        push = of and self.h["beta"] * np.exp(-np.logaddexp(0, margin)) / of
        if push > NO_PUSH:
            self.model.back(said, [-push, push])  # of the loss, which is to fall
        return np.logaddexp(0, -margin), margin > EVEN, margin

    def _supervised(self, number, of):
        """(loss a token, share of tokens that were the likeliest) of an answer."""
        said = self._said(number)
        [logprobs], [hits] = said.logprobs, said.hits
        if of:
            self.model.back(said, [-1 / (len(logprobs) * of)])
        return -logprobs.mean(), hits.mean()
