"""The fine-tuning API: jobs are created, watched, held and cancelled; a job that is let alone
trains to its end.

What drives a job is its clock: a thread of its own does the next piece of work when its time has
come, so no other request waits for it. `pace` stretches that time. At pace 0, as under test, time
stands still and is counted in polls instead: each question about a job lets it go on by a few
pieces. Then nothing takes time, and what a poll sees is the same on every run.
"""

import contextlib
import functools
import threading

from ...common import left_out
from ...common.once import once
from ...facts import policy, tables
from .. import canonical, checks, collecting
from ..answer import not_allowed, told
from ..checks import (
    Bad,
    anything,
    choice,
    every,
    fields,
    mapping,
    missing,
    needed,
    number,
    optional,
    text,
    thing,
    unknown,
)
from . import real
from .job import Job
from .learners import StandIn
from .shapes import found, page

MOST_JOBS = 100  # held; the oldest that has ended gives way
PIECES_A_POLL = 10
KNOBS = {
    "dpo": ("beta", "n_epochs", "batch_size", "learning_rate_multiplier"),
    "supervised": ("n_epochs", "batch_size", "learning_rate_multiplier"),
}


@functools.cache
def tunable():
    """{(model, method)} of data/tuning.csv."""
    return {(row["model"], row["method"]) for row in tables.rows("tuning.csv")}


class Jobs:
    """The jobs held, and the answers about them. `pace`: see the module's text. `writer`: a
    real.writer.Writer.
    """

    def __init__(self, files, models, pace, writer):
        self.files, self.models, self.pace, self.writer = files, models, pace, writer
        self._held = {}
        self.begin()

    def begin(self):
        """A new receipt: what was trained before is on another."""
        self._counted_from = list(self._held)

    def trained(self):
        """What has been trained since `begin`, for the receipt: one dict a job, `tokens` with each
        prompt once, `most` with each answer.
        """
        return [
            {
                "model": job.base,
                "method": job.method,
                "tokens": job.trained_tokens,
                "most": job.most_tokens,
            }
            for job in list(self._held.values())
            if job.phase == "succeeded"
            and job.id not in self._counted_from
            and job.base != real.BASE  # which nobody sells
        ]

    def answer(self, method, path, rest, query, content_type, raw):
        if not rest:
            if method == "POST":
                return self._create(canonical.read_body(content_type, raw))
            return self._list(query) if method == "GET" else not_allowed(method, path)
        job, what = self._held.get(rest[0]), "/".join(rest[1:])
        if job is None:
            said = f"Could not find fine tune: {rest[0]}"
            return told(Bad(said, "fine_tune_not_found", "fine_tuning_job_id"), 404)
        if method == "GET" and what in ("", "events", "checkpoints"):
            if self.pace == 0 and job.learner.waits:
                self._let_go_on(job)
            if what == "events":
                return page(job.events[::-1], query, job.event_object, ends=False)
            return (
                page(job.checkpoints[::-1], query, job.checkpoint_object, usual=10)
                if what
                else found(job.as_object())
            )
        if method == "POST" and what in ("cancel", "pause", "resume"):
            return self._steer(job, what)
        return not_allowed(method, path)

    def _list(self, query):
        wanted = {
            name[len("metadata[") : -1]: value
            for name, value in query.items()
            if name.startswith("metadata[") and name.endswith("]")
        }
        jobs = [
            j
            for j in reversed(list(self._held.values()))
            if wanted.items() <= (j.request.get("metadata") or {}).items()
        ]
        return page(jobs, query, Job.as_object, ends=False)

    def _steer(self, job, what):
        with job.changed:  # or its thread ends it meanwhile
            allowed = {
                "cancel": not job.ended,
                "pause": not job.ended and not job.held,
                "resume": job.held,
            }[what]
            if not allowed:
                raise Bad(
                    f"A job that is {job.status} cannot {'be ' * (what != 'resume')}{ {'cancel': 'cancelled', 'pause': 'paused', 'resume': 'resume'}[what] }.",
                    "invalid_status",
                )
            if what == "cancel":
                job.cancel()
            else:
                job.hold(what == "pause")
            return found(job.as_object())

    # --- creating ---

    def _create(self, body):
        _form(body, "")
        method, asked = _method(body)
        start = self.models.get(body["model"])
        base = start.base if start else canonical.canonical_model(body["model"])
        if base == real.BASE or body["model"].startswith(f"ft:{real.BASE}:"):
            self._ready_for_real(method, body["model"], start)
        elif (base, method) not in tunable() or (body["model"].startswith("ft:") and not start):
            ways = ", ".join(sorted(m for m, how in tunable() if how == method) + [real.BASE])
            raise Bad(
                f"The model {body['model']!r} does not exist or is not available for fine-tuning with the method {method!r}. "
                f"Available are {ways}, and models tuned from them.",
                "model_not_available",
                "model",
            )
        files = {}
        for name in ("training_file", "validation_file"):
            if body.get(name) is None:
                files[name] = None
                continue
            files[name] = self.files.get(body[name])
            if files[name] is None:
                raise Bad(f"The file {body[name]!r} does not exist.", "invalid_file", name)
            if files[name].purpose != "fine-tune":
                raise Bad(
                    f"The file {body[name]!r} was uploaded with the purpose {files[name].purpose!r}; a fine-tuning job takes 'fine-tune'.",
                    "invalid_file",
                    name,
                )
        job = Job(
            body,
            method,
            asked,
            base,
            start,
            files["training_file"],
            files["validation_file"],
            self.files,
            self.real_learner if base == real.BASE else StandIn(self.models),
        )
        if not self._make_room():
            raise Bad(
                f"The local API holds at most {MOST_JOBS} jobs, and none of them has ended. Cancel one.",
                "too_many_jobs",
            )
        self._held[job.id] = job
        if self.pace or not job.learner.waits:
            threading.Thread(target=self._drive, args=(job,), daemon=True).start()
        return found(job.as_object())

    @once
    def real_learner(self):
        """The one learner of the real model: its jobs wait for each other."""
        from .real.learner import Learner

        return Learner(self.writer)

    @staticmethod
    def _ready_for_real(method, name, start):
        """Raises Bad where the real model cannot be tuned, or not this one."""
        if not left_out.model():
            raise Bad(left_out.NO_MODEL, "model_not_available", "model")
        if name != real.BASE and not start:
            raise Bad(
                f"The model {name!r} does not exist: client.models.list() has those that are kept.",
                "model_not_available",
                "model",
            )

    def _make_room(self):
        if len(self._held) >= MOST_JOBS:
            gone = next((job for job in self._held.values() if job.ended), None)
            if gone is None:
                return False
            del self._held[gone.id]
            self.models.remove_of(gone)
            if gone.result_file:
                self.files.remove(gone.result_file.id)
        return True

    # --- driving ---

    def _drive(self, job):
        """Do a job's work, each piece when its time has come."""
        with collecting.large(), contextlib.closing(job.work):  # and what it has started
            while (wait := job.advance()) is not None:
                with job.changed:
                    job.changed.wait_for(lambda: job.ended, wait * self.pace)
                    job.changed.wait_for(lambda: job.ended or not job.held)
                    if job.ended:
                        return

    def _let_go_on(self, job):
        for _ in range(PIECES_A_POLL if job.phase == "running" else 1):
            if not job.ended and not job.held:
                job.advance()


def _suffix(value, at):
    text(value, at)
    if len(value) > 64 or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in value):
        raise Bad(
            f"Invalid '{at}': expected at most 64 letters, digits, '-', '_' and '.', but got {value[:80]!r}.",
            param=at,
        )


def _integrations(value, at):
    if value:
        raise Bad(
            "Integrations would send a job's metrics to another service; nothing leaves this machine.",
            param=at,
        )


def _trained_here(value, at):
    choice("supervised", "dpo", "reinforcement")(value, at)
    if value not in KNOBS:
        raise Bad("The local API trains with the methods 'supervised' and 'dpo' only.", param=at)


# The form of a create call; what is null is the same as what was not sent.
_form = every(
    checks.body,
    fields({"model": needed(), "training_file": needed()}),
    thing(
        {
            "model": text,
            "training_file": text,
            "validation_file": optional(text),
            "method": anything,  # see _method
            "hyperparameters": anything,
            "suffix": optional(_suffix),
            "seed": optional(number(0, 2**31 - 1, whole=True)),
            "integrations": _integrations,
            "metadata": optional(checks.metadata),
        }
    ),
)


def _method(body):
    """(method, hyperparameters as asked) of a create call. Raises Bad."""
    given, older = body.get("method"), body.get("hyperparameters")
    if given is None:
        return "supervised", _hyperparameters("supervised", older, "hyperparameters")
    if not isinstance(given, dict) or not given.get("type"):
        raise missing("method.type")
    method = given["type"]
    _trained_here(method, "method.type")
    if older is not None:
        raise Bad(
            f"Send the hyperparameters under 'method.{method}' only, not at the top level as well.",
            param="hyperparameters",
        )
    for name in given:
        if name not in ("type", method):
            raise unknown(f"method.{name}", f" The method's type is {method!r}.")
    own = given.get(method)
    if isinstance(own, dict):
        own = own.get("hyperparameters")
    return method, _hyperparameters(method, own, f"method.{method}.hyperparameters")


def _hyperparameters(method, asked, at):
    """Those that are set, by name. Raises Bad."""
    if asked is None:
        return {}
    mapping(asked, at)
    asked = {name: value for name, value in asked.items() if value is not None}
    for name, value in asked.items():
        if name not in KNOBS[method]:
            raise unknown(f"{at}.{name}", f" The method {method!r} has {', '.join(KNOBS[method])}.")
        try:
            policy.resolve({name: value}, 10)
            float(value if value != "auto" else 0)
        except (ValueError, OverflowError) as e:
            raise Bad(f"Invalid value for '{at}.{name}': {e}.", param=f"{at}.{name}") from None
    return asked
