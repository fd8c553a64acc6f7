"""What a fine-tuning job wants of the real model: see ../learners.py. One job trains at a time."""

import base64
import contextlib
import math
import threading
import time

from ....facts import policy
from . import NAME, kept, weights
from .child import Child

UPPER = 10  # of 30 layers are trained
MOST_TOKENS = 512  # of a conversation and its answers: what is kept of them for the way back
MOST_TOGETHER = 50_000  # tokens of all lines: what is kept of them from the lower layers
MOST_MINUTES = 30  # of a training
# What a training takes: tokens that one idle core of our machine sends through ten layers in a
# second. Each goes three times ten layers before the first step, and in each epoch once there, and
# where it is learnt back as well, which takes twice as long.
A_SECOND, BEFORE, LEARNT, WATCHED = 600, 3, 3, 1
FEWEST = 10  # lines of a job
FREE_AFTER = 0.2  # seconds between two looks whether the machine is free


class TooLong(ValueError):
    """An example is longer than the memory that a training may take; the text says which."""


class Learner:
    """writer: a writer.Writer, which cuts texts into tokens."""

    waits = False  # it takes the time that it takes

    def __init__(self, writer):
        self.writer, self.training = writer, threading.Lock()
        self.now = None, None  # the job that trains, and its child

    def too_much(self, job, data, held, steps):
        from ..tokens import trained

        kept.has_room(job.id)
        epochs = job.hyperparameters["n_epochs"]
        # counted with the other model's tokens, which are near enough for minutes
        learnt, watched = trained(data)[0], trained(held)[0]
        before, an_epoch = BEFORE * (learnt + watched), LEARNT * learnt + WATCHED * watched
        minutes = math.ceil((before + epochs * an_epoch) / A_SECOND / 60)
        if minutes <= MOST_MINUTES and learnt + watched <= MOST_TOGETHER:
            job.say("estimate", NAME, minutes, "s" * (minutes > 1))
            return ""
        beside = f" and {len(held):,} of the validation file" if held else ""
        why = (
            f"{len(data):,} lines in {epochs} epochs{beside}, {learnt + watched:,} tokens, would take {NAME} some {minutes:,} minutes on this machine. "
            f"It trains for at most {MOST_MINUTES} minutes, and on at most {MOST_TOGETHER:,} tokens, in the memory of a laptop. "
        )
        most = MOST_MINUTES * 60 * A_SECOND  # tokens, each time that ten layers see one
        left = min(
            (most - (BEFORE + epochs * LEARNT) * learnt) / (BEFORE + epochs * WATCHED),
            MOST_TOGETHER - learnt,
        )
        if watched and int(len(held) * left / watched) > 0:  # what is learnt would do alone
            return f"{why}Take {int(len(held) * left / watched):,} lines of the validation file."
        share = min(MOST_MINUTES / minutes, MOST_TOGETHER / (learnt + watched))
        fits = learnt + watched <= MOST_TOGETHER
        return why + _less(
            int(share * len(data)), int(share * len(held)), int((most - before) / an_epoch) * fits
        )

    def examples(self, job, rows):
        """[(tokens of the conversation, [tokens of each answer])] of the lines. Raises TooLong."""
        made = []
        for number, row in enumerate(rows, 1):
            if job.method == "dpo":
                asked = row["input"]["messages"]
                said = [row[name][-1] for name in ("preferred_output", "non_preferred_output")]
            else:
                *asked, last = row["messages"]
                said = [last]
            prompt, answers = self.writer.cut(
                [plain(message) for message in asked],
                [policy.text_of(answer.get("content")) for answer in said],
            )
            size = len(prompt) + sum(map(len, answers))
            if size > MOST_TOKENS:
                raise TooLong(
                    f"Example {number} has {size:,} tokens; {NAME} trains on at most {MOST_TOKENS}, a conversation and what is said to it, in the memory of a laptop. Shorten it, or leave it out."
                )
            made.append((prompt, answers))
        return made

    @contextlib.contextmanager
    def turn(self, job):
        """Until no other job trains this job stays queued; it may be cancelled there."""
        while not self.training.acquire(timeout=FREE_AFTER):
            job.check()
        try:
            yield
        finally:
            self.training.release()

    def train(self, job, examples, held):
        """Yields a policy.Step a step; its policy is the bytes of the adapter at the end of an
        epoch, else None. Raises apart.Broken.
        """
        task = {
            "weights": str(weights.file()),
            "start": str(job.start.policy.path) if job.start else None,
            "upper": UPPER,
            "method": job.method,
            "examples": examples,
            "held": held or [],
            "hyperparameters": job.hyperparameters,
            "seed": job.seed,
        }
        child = Child("train")
        try:
            self.now = job, child
            job.check()
            child.ask(task)
            spent = 0.0  # seconds of training: while a job is paused it takes none
            while True:
                begun = time.monotonic()
                made = child.ask()
                spent += time.monotonic() - begun
                content = base64.b64decode(made.pop("adapter"))
                step = policy.Step(
                    epochs=job.hyperparameters["n_epochs"], policy=content or None, **made
                )
                left = spent / step.step * (step.steps - step.step)
                job.estimated_finish = int(time.time() + left)
                yield step
                if step.step == step.steps:
                    return
        finally:
            child.end()

    def stop(self, job):
        training, child = self.now
        if training is job:
            child.process.kill()

    def look(self, done, steps):
        return 0.0

    def keep(self, job, name, step):
        kept.keep(name, step.policy)


def _less(lines, watched, epochs):
    """What to do about a job that is too much: the most lines, with so many of the validation
    file's, that may be trained on, and in how many epochs all of them may; 0 where in none.
    """
    ways = []
    if lines >= FEWEST:
        beside = f" and {watched:,} of the validation file's" if watched else ""
        ways.append(f"on {lines:,} of the lines{beside} (the first, or a sample)")
    if epochs > 0:
        ways.append(f"in {epochs} epoch{'s' * (epochs > 1)}")
    if not ways:
        return f"Shorten the lines: a conversation and what is said to it may have {MOST_TOKENS} tokens."
    return f"Train {', or '.join(ways)}."


def plain(message):
    """A message as a chat template takes it: text alone, and rules are called system."""
    role = "system" if message["role"] == "developer" else message["role"]
    return {"role": role, "content": policy.text_of(message.get("content"))}
