"""What a job trains: a learner makes examples of a file's lines, trains on them, and puts what came
of it where the models are. This one trains the stand-in (helpers/facts/policy.py);
real/learner.py trains a language model.
"""

import contextlib
import functools

from ...facts import policy
from . import candidates

MOST_LINES, MOST_STEPS = 50_000, 50_000  # what a laptop's memory and patience hold
TOO_LONG = "The local API trains on at most {:,} lines; this file has {:,}. Take fewer of them."
MOST_OTHERS = 8  # answers beside which a supervised example is learnt: a file may hold thousands for one prompt
TRAINING = 5.0  # seconds that a training is spread over
PIECES = 50  # in which it is done


class StandIn:
    """models: a models.Models."""

    waits = True  # its time is made for a reader to see it, and stands still where no time passes

    def __init__(self, models):
        self.models = models

    def too_much(self, job, data, held, steps):
        """Why a job's files are too much for this machine, and what to do, in words; "" where they
        are not.
        """
        if steps <= MOST_STEPS:
            return ""
        return (
            f"The local API trains in at most {MOST_STEPS:,} steps; these are {steps:,}. "
            "Take fewer lines or epochs, or a larger batch_size."
        )

    def examples(self, job, rows):
        if job.method == "dpo":
            return policy.read_pairs(rows)
        texts = [policy.text_of(row["messages"][-1].get("content")) for row in rows]

        @functools.cache  # a file may have thousands of answers to one prompt
        def known(name):
            found = self.models.candidates(name, job)
            # a prompt to which nothing else is known: what else could be said are the answers to
            # others
            return found[:MOST_OTHERS] if len(found) > 1 else found + texts[:4]

        return policy.read_examples(rows, lambda messages: known(candidates.key(messages)))

    def turn(self, job):
        """A context in which this job alone trains; others need not wait for a stand-in."""
        return contextlib.nullcontext()

    def train(self, job, examples, held):
        """Yields a policy.Step a step."""
        start = job.start.policy if job.start else policy.Policy()
        known = (
            job.hyperparameters
            if job.method == "dpo"
            else {k: v for k, v in job.hyperparameters.items() if k != "beta"}
        )
        return policy.train(
            examples, method=job.method, start=start, seed=job.seed, valid=held, **known
        )

    def stop(self, job):
        """End what a job that was cancelled has under way: nothing, between two steps."""

    def look(self, done, steps):
        """Seconds in which a reader may look at what was done; None to go on at once."""
        seen = done * PIECES // steps > (done - 1) * PIECES // steps
        return TRAINING / min(PIECES, steps) if seen else None

    def keep(self, job, name, step):
        self.models.add(name, job.base, step.policy, job)
