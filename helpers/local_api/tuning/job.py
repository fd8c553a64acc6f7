"""One fine-tuning job: from the check of its file to the tuned model, in small pieces of real work.

`Job.work` is a generator. Who drives it (jobs.py: a clock, or the polls) decides when the next
piece is done; cancel, pause and resume take effect between two steps of the training, so a job that
went on after a pause ends with the weights of one that was never held.
"""

import base64
import contextlib
import dataclasses
import math
import threading
import time
import zlib

from ...facts import policy, preference_file
from ..answer import fault
from ..apart import Broken
from . import learners
from .files import File
from .shapes import ORGANIZATION, new_id, short_id
from .tokens import trained

PHASE = 0.6  # seconds that a reader sees each of the short phases
KEPT_EPOCHS = 3  # whose checkpoints are kept
ENDED = ("succeeded", "failed", "cancelled")
# Events of the service as others recorded them, but for the last four: those words are ours.
SAID = {
    "created": "Created fine-tuning job: {}",
    "validating": "Validating training file: {}",
    "validation": " and validation file: {}",
    "queued": "Files validated, moving job to queued state",
    "running": "Fine-tuning job started",
    "step": "Step {}/{}: training loss={:.2f}",
    "model": "New fine-tuned model created",
    "succeeded": "The job has successfully completed",
    "estimate": "{} trains on this file for about {} minute{} of one idle core",
    "paused": "Fine-tuning job paused",
    "resumed": "Fine-tuning job resumed",
    "cancelled": "Fine-tuning job cancelled",
}
SUPERVISED = {
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_accuracy": "valid_mean_token_accuracy",
}
# How the service calls DPO's metrics is not published; these names an Azure user's script expects.
DPO = {
    "train_loss": "train_loss",
    "train_accuracy": "train_reward_accuracy",
    "train_margin": "train_reward_margin",
    "valid_loss": "valid_loss",
    "valid_accuracy": "valid_reward_accuracy",
    "valid_margin": "valid_reward_margin",
}
RESULT_COLUMNS = {"train_mean_token_accuracy": "train_accuracy"}  # the file's own name for it


class _Stopped(Exception):
    """The job ended while a piece of its work was under way: it was cancelled, or its training
    failed.
    """


@dataclasses.dataclass(frozen=True)
class Event:
    id: str
    created_at: int
    level: str
    said: str | policy.Step


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    id: str
    created_at: int
    step: policy.Step


class Job:
    """`request`: a create call's body, checked; `asked`: its hyperparameters. `base`: the model
    under all tuning. `start`: the tuned Model that it begins with, or None. `training`,
    `validation`: Files, the latter or None. `files`: where its metrics go. `learner`: what is
    trained, see learners.py.
    """

    def __init__(self, request, method, asked, base, start, training, validation, files, learner):
        self.request, self.method, self.asked, self.base, self.start = (
            request,
            method,
            asked,
            base,
            start,
        )
        self.training, self.validation, self.files, self.learner = (
            training,
            validation,
            files,
            learner,
        )
        self.id, self.created_at, self.finished_at = new_id("ftjob-", 24), int(time.time()), None
        self.suffix = request.get("suffix") or ""
        # the service makes one up; ours follows from the file, so that a notebook says the same on
        # every run
        self.seed = (
            request["seed"]
            if request.get("seed") is not None
            else zlib.crc32(training.content) % 2**31
        )
        self.phase, self.held, self.error = "validating_files", False, {}
        self.estimated_finish = None  # a Unix time, where it can be told
        self.hyperparameters = None  # the numbers, once "auto" is settled
        self.fine_tuned_model, self.result_file, self.trained_tokens, self.most_tokens = (
            None,
            None,
            None,
            None,
        )
        self.steps, self.checkpoints, self.events = [], [], []
        self._latest = {}  # {epoch: its last step}
        self.changed = threading.Condition()  # held while anything above changes, and told of it
        self.say("created", self.id)
        self.say(
            "validating",
            training.id,
            more=SAID["validation"].format(validation.id) if validation else "",
        )
        self.work = self._work()

    @property
    def status(self):
        return "paused" if self.held else self.phase

    @property
    def ended(self):
        return self.phase in ENDED

    # --- the work ---

    def advance(self):
        """Do the next piece. Returns the seconds that a reader may look at what it did; None at the
        end.
        """
        try:
            return next(self.work, None)
        except _Stopped:
            return None
        except Broken as e:  # of a process of its own
            if self.phase == "cancelled":  # which is why
                return None
            self._fail(
                "training_failed",
                f"The training stopped: {e}. Create the job again when that is mended.",
                None,
            )
            return None
        except OSError as e:
            self._fail("not_kept", f"A tuned model cannot be kept: {e}.", None)
            return None
        except Exception as e:  # a fault of ours ends the job, not the server
            self._fail("server_error", fault(e), None)
            raise

    def _work(self):
        yield PHASE
        data = self._read(self.training, "training_file")
        if data is None:
            return
        held = self._read(self.validation, "validation_file") if self.validation else []
        if held is None:
            return
        fewest, most = trained(data)
        self.hyperparameters = policy.resolve(self.asked, len(data))
        steps = self.hyperparameters["n_epochs"] * -(
            -len(data) // self.hyperparameters["batch_size"]
        )
        too_much = self.learner.too_much(self, data, held, steps)
        if too_much:
            self._fail("too_large", too_much, "training_file")
            return
        try:
            param, which = "training_file", ""
            asked = self.learner.examples(self, data)
            param, which = "validation_file", "In the validation file: "
            held = self.learner.examples(self, held) if held else None
        except ValueError as e:
            self._fail("too_large", f"{which}{e}", param)
            return
        self._become("queued", "queued")
        yield PHASE
        with self.learner.turn(self):
            self._become("running", "running")
            yield PHASE
            with contextlib.closing(self.learner.train(self, asked, held)) as training:
                for done, step in enumerate(training, 1):
                    self._book(step)
                    look = self.learner.look(done, steps)
                    if look is not None:
                        yield look
        self._finish(fewest, most)

    def _read(self, file, param):
        """The valid lines of a training file; None after a failure, which is told."""
        rows, count, problems = [], 0, []
        for row in preference_file.examples(
            file.content, problems, self.method, file=file.id, progress=self._read_so_far
        ):
            count += 1
            if count <= learners.MOST_LINES:  # of more not one is trained on
                rows.append(row)
        errors = [
            p
            for p in problems
            if p.level == "error"
            and not (p.code == "invalid_n_examples" and param == "validation_file" and rows)
        ]
        if not errors and count > len(rows):
            self._fail("too_large", learners.TOO_LONG.format(learners.MOST_LINES, count), param)
            return None
        if not errors:
            return rows
        first = errors[0]
        message = first.message if first.published else str(first)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 and not first.published else ""
        self._fail(first.code or "invalid_training_file", message + more, param)
        return None

    def _read_so_far(self, done, lines):
        with self.changed:
            self._go_on()
            self._tell("info", f"Validated {done:,} of {lines:,} lines")

    def check(self):
        """Return at once, or when it goes on after a pause. Raises what ends a job's work where it
        was cancelled.
        """
        with self.changed:
            self._go_on()

    def _go_on(self):
        """Wait while the job is held. With `changed` held: nothing is booked after a pause, or
        after a cancel.
        """
        self.changed.wait_for(lambda: self.ended or not self.held)
        if self.phase == "cancelled":
            raise _Stopped

    def _book(self, step):
        if not all(
            math.isfinite(v)
            for v in (step.train_loss, step.train_margin, step.valid_loss, step.valid_margin)
            if v is not None
        ):
            self._fail(
                "no_number",
                f"The loss or the margin is no number any more at step {step.step}. Take a smaller learning_rate_multiplier.",
                None,
            )
            raise _Stopped
        with self.changed:
            self._go_on()
            light = dataclasses.replace(step, policy=None)
            self.steps.append(light)
            if step.ends_epoch:
                self._latest[step.epoch] = step
                self._latest.pop(step.epoch - KEPT_EPOCHS, None)
            self._tell("info", light)

    def _finish(self, fewest, most):
        with self.changed:
            self._go_on()
            epochs, now = self.hyperparameters["n_epochs"], int(time.time())
            self.trained_tokens, self.most_tokens = fewest * epochs, most * epochs
            # the clock and what is left of eight characters, as genuine names end
            name = f"ft:{self.base}:{ORGANIZATION}:{self.suffix}:{short_id('', now, self.id, 12)[:5]}{self.id[-3:]}"
            for step in self._latest.values():
                self.learner.keep(self, self._name_at(name, step), step)
            self.result_file = self.files.add(
                File(
                    "fine-tune-results",
                    "step_metrics.csv",
                    base64.b64encode(self.results().encode()),
                )
            )
            self.fine_tuned_model, self.finished_at = name, now
            self.checkpoints = [
                Checkpoint(new_id("ftckpt_", 24), now, step) for step in self._latest.values()
            ]  # after the name, which they bear
            self.say("model")
            self.phase = "succeeded"
            self.say("succeeded")
            self.changed.notify_all()

    def _fail(self, code, message, param):
        with self.changed:
            self._go_on()
            self.error, self.phase = {"code": code, "message": message, "param": param}, "failed"
            self._tell("error", message)
            self.changed.notify_all()

    def _become(self, phase, said):
        with self.changed:
            self._go_on()
            self.phase = phase
            self.say(said)

    # --- what a reader asks of it ---

    def cancel(self):
        with self.changed:
            self.phase, self.held = "cancelled", False
            self.say("cancelled")
            self.changed.notify_all()
        self.learner.stop(self)

    def hold(self, held):
        with self.changed:
            self.held = held
            self.say("paused" if held else "resumed")
            self.changed.notify_all()

    def say(self, what, *given, more=""):
        self._tell("info", SAID[what].format(*given) + more)

    def _tell(self, level, said):
        now = int(time.time())
        self.events.append(
            Event(short_id("ftevent-", now, f"{self.id} {len(self.events)}", 24), now, level, said)
        )

    # --- how it is shown ---

    def as_object(self):
        with self.changed:  # all of one moment
            return self._as_object()

    def _as_object(self):
        chosen = self.asked | (self.hyperparameters or {})
        names = (
            ("batch_size", "beta", "learning_rate_multiplier", "n_epochs")
            if self.method == "dpo"
            else ("batch_size", "learning_rate_multiplier", "n_epochs")
        )
        chosen = {name: chosen.get(name, "auto") for name in names}
        return {
            "object": "fine_tuning.job",
            "id": self.id,
            "model": self.start.name if self.start else self.base,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
            "fine_tuned_model": self.fine_tuned_model,
            "organization_id": f"org-{ORGANIZATION}",
            "result_files": [self.result_file.id] if self.result_file else [],
            "status": self.status,
            "validation_file": self.validation.id if self.validation else None,
            "training_file": self.training.id,
            "hyperparameters": chosen if self.method == "supervised" else None,
            "trained_tokens": self.trained_tokens,
            "error": self.error,
            "user_provided_suffix": self.suffix or None,
            "seed": self.seed,
            "estimated_finish": None if self.ended else self.estimated_finish,
            "integrations": [],
            "metadata": self.request.get("metadata"),
            "usage_metrics": None,
            "shared_with_openai": False,
            "eval_id": None,
            "method": {"type": self.method, self.method: {"hyperparameters": chosen}},
        }

    def event_object(self, event):
        head, said = (
            {
                "object": "fine_tuning.job.event",
                "id": event.id,
                "created_at": event.created_at,
                "level": event.level,
            },
            event.said,
        )
        if isinstance(said, str):
            return head | {"message": said, "data": {}, "type": "message"}
        message = SAID["step"].format(said.step, said.steps, said.train_loss)
        if said.valid_loss is not None:
            message += f", validation loss={said.valid_loss:.2f}" + (
                f", full validation loss={said.valid_loss:.2f}" if said.ends_epoch else ""
            )
        return head | {
            "message": message,
            "data": {"step": said.step, "total_steps": said.steps} | self._metrics(said),
            "type": "metrics",
        }

    def _metrics(self, step):
        names = DPO if self.method == "dpo" else SUPERVISED
        shown = {
            name: getattr(step, of) for of, name in names.items() if getattr(step, of) is not None
        }
        if step.valid_loss is not None and step.ends_epoch:
            shown["full_valid_loss"] = step.valid_loss
        return shown

    def checkpoint_object(self, checkpoint):
        step = checkpoint.step
        return {
            "object": "fine_tuning.job.checkpoint",
            "id": checkpoint.id,
            "created_at": checkpoint.created_at,
            "fine_tuning_job_id": self.id,
            "fine_tuned_model_checkpoint": self._name_at(self.fine_tuned_model, step),
            "metrics": {"type": "metrics", "step": step.step} | self._metrics(step),
            "step_number": step.step,
        }

    @staticmethod
    def _name_at(name, step):
        """The model's name at a step; at the last it has no addition."""
        return name if step.epoch == step.epochs else f"{name}:ckpt-step-{step.step}"

    def results(self):
        """The metrics of all steps as CSV text: five decimals, empty where nothing was
        validated.
        """
        names = DPO if self.method == "dpo" else SUPERVISED
        lines = [",".join(["step", *(RESULT_COLUMNS.get(name, name) for name in names.values())])]
        for step in self.steps:
            values = [getattr(step, of) for of in names]
            lines.append(
                ",".join([str(step.step), *("" if v is None else f"{v:.5f}" for v in values)])
            )
        return "\n".join(lines) + "\n"
