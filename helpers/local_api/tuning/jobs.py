"""The fine-tuning API: jobs are created, watched, held and cancelled; a job that is let alone
trains to its end.

What drives a job is its clock: a thread of its own does the next piece of work when its time has
come, so no other request waits for it. `pace` stretches that time. At pace 0, as under test, time
stands still and is counted in polls instead: each question about a job lets it go on by a few
pieces. Then nothing takes time, and what a poll sees is the same on every run.
"""

import csv
import functools
import json
import threading

from ...facts import policy
from .. import canonical
from ..answer import not_allowed
from .job import Job
from .shapes import found, page, wrong

MOST_JOBS = 100  # held; the oldest that has ended gives way
PIECES_A_POLL = 10
FIELDS = (
    "model",
    "training_file",
    "validation_file",
    "method",
    "hyperparameters",
    "suffix",
    "seed",
    "integrations",
    "metadata",
)
KNOBS = {
    "dpo": ("beta", "n_epochs", "batch_size", "learning_rate_multiplier"),
    "supervised": ("n_epochs", "batch_size", "learning_rate_multiplier"),
}


@functools.cache
def tunable():
    """{(model, method)} of data/tuning.csv."""
    with open(canonical.DATA / "tuning.csv", encoding="utf-8", newline="") as f:
        return {(row["model"], row["method"]) for row in csv.DictReader(f)}


class Jobs:
    def __init__(self, files, models, pace):
        self.files, self.models, self.pace = files, models, pace
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
            if job.phase == "succeeded" and job.id not in self._counted_from
        ]

    def answer(self, method, path, rest, query, content_type, raw):
        if not rest:
            if method == "POST":
                try:
                    return self._create(canonical.read_body(content_type, raw))
                except canonical.BadRequest as e:
                    return wrong(str(e))
            return self._list(query) if method == "GET" else not_allowed(method, path)
        job, what = self._held.get(rest[0]), "/".join(rest[1:])
        if job is None:
            return wrong(
                f"Could not find fine tune: {rest[0]}",
                param="fine_tuning_job_id",
                code="fine_tune_not_found",
                status=404,
            )
        if method == "GET" and what in ("", "events", "checkpoints"):
            if self.pace == 0:
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
                return wrong(
                    f"A job that is {job.status} cannot {'be ' * (what != 'resume')}{ {'cancel': 'cancelled', 'pause': 'paused', 'resume': 'resume'}[what] }.",
                    code="invalid_status",
                )
            if what == "cancel":
                job.cancel()
            else:
                job.hold(what == "pause")
            return found(job.as_object())

    # --- creating ---

    def _create(self, body):
        problem = _malformed(body)
        if problem:
            return problem
        method, asked, problem = _method(body)
        if problem:
            return problem
        start = self.models.get(body["model"])
        base = start.base if start else canonical.canonical_model(body["model"])
        if (base, method) not in tunable() or (body["model"].startswith("ft:") and not start):
            ways = ", ".join(sorted(m for m, how in tunable() if how == method))
            return wrong(
                f"The model {body['model']!r} does not exist or is not available for fine-tuning with the method {method!r}. "
                f"Available are {ways}, and models tuned from them.",
                param="model",
                code="model_not_available",
            )
        files = {}
        for name in ("training_file", "validation_file"):
            if body.get(name) is None:
                files[name] = None
                continue
            files[name] = self.files.get(body[name])
            if files[name] is None:
                return wrong(
                    f"The file {body[name]!r} does not exist.", param=name, code="invalid_file"
                )
            if files[name].purpose != "fine-tune":
                return wrong(
                    f"The file {body[name]!r} was uploaded with the purpose {files[name].purpose!r}; a fine-tuning job takes 'fine-tune'.",
                    param=name,
                    code="invalid_file",
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
            self.models,
        )
        if not self._make_room():
            return wrong(
                f"The local API holds at most {MOST_JOBS} jobs, and none of them has ended. Cancel one.",
                code="too_many_jobs",
            )
        self._held[job.id] = job
        if self.pace:
            threading.Thread(target=self._drive, args=(job,), daemon=True).start()
        return found(job.as_object())

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
        wait = job.advance()
        while wait is not None:
            with job.changed:
                job.changed.wait_for(lambda: job.ended, wait * self.pace)
                job.changed.wait_for(lambda: job.ended or not job.held)
                if job.ended:
                    return
            wait = job.advance()

    def _let_go_on(self, job):
        for _ in range(PIECES_A_POLL if job.phase == "running" else 1):
            if not job.ended and not job.held:
                job.advance()


def _malformed(body):
    """An error for a create call that has not the form of one; else None."""
    if not isinstance(body, dict):
        return wrong("The body of your request must be a JSON object.")
    for name in ("model", "training_file"):
        if not body.get(name):
            return wrong(
                f"Missing required parameter: '{name}'.",
                param=name,
                code="missing_required_parameter",
            )
    for name in body:
        if name not in FIELDS:
            return wrong(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    for name in ("model", "training_file", "validation_file", "suffix"):
        if body.get(name) is not None and not isinstance(body[name], str):
            return wrong(
                f"Invalid type for '{name}': expected a string.", param=name, code="invalid_type"
            )
    suffix, seed, metadata = body.get("suffix") or "", body.get("seed"), body.get("metadata")
    if len(suffix) > 64 or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in suffix):
        return wrong(
            f"Invalid 'suffix': expected at most 64 letters, digits, '-', '_' and '.', but got {suffix[:80]!r}.",
            param="suffix",
            code="invalid_value",
        )
    if seed is not None and (type(seed) is not int or not 0 <= seed < 2**31):
        return wrong(
            f"Invalid 'seed': expected a whole number from 0 to {2**31 - 1}, but got {seed!r} instead.",
            param="seed",
            code="invalid_value",
        )
    if metadata is not None and not (
        isinstance(metadata, dict)
        and len(metadata) <= 16
        and all(isinstance(v, str) and len(k) <= 64 and len(v) <= 512 for k, v in metadata.items())
    ):
        return wrong(
            "Invalid 'metadata': expected at most 16 texts of at most 512 characters under names of at most 64.",
            param="metadata",
            code="invalid_value",
        )
    if body.get("integrations"):
        return wrong(
            "Integrations would send a job's metrics to another service; nothing leaves this machine.",
            param="integrations",
            code="invalid_value",
        )
    return None


def _method(body):
    """(method, hyperparameters as asked, an error or None) of a create call."""
    given, older = body.get("method"), body.get("hyperparameters")
    if given is None:
        method, asked, at = "supervised", older if older is not None else {}, "hyperparameters"
    else:
        if not isinstance(given, dict) or given.get("type") not in (
            "supervised",
            "dpo",
            "reinforcement",
        ):
            kind = given.get("type") if isinstance(given, dict) else given
            return (
                None,
                None,
                wrong(
                    f"Invalid value: {json.dumps(kind)[:80]}. Supported values are: 'supervised', 'dpo' and 'reinforcement'.",
                    param="method.type",
                    code="invalid_value",
                ),
            )
        method = given["type"]
        if method == "reinforcement":
            return (
                None,
                None,
                wrong(
                    "The local API trains with the methods 'supervised' and 'dpo' only.",
                    param="method.type",
                    code="invalid_value",
                ),
            )
        if older is not None:
            return (
                None,
                None,
                wrong(
                    f"Send the hyperparameters under 'method.{method}' only, not at the top level as well.",
                    param="hyperparameters",
                    code="invalid_value",
                ),
            )
        for name in given:
            if name not in ("type", method):
                return (
                    None,
                    None,
                    wrong(
                        f"Unknown parameter: 'method.{name}': the method's type is {method!r}.",
                        param=f"method.{name}",
                        code="unknown_parameter",
                    ),
                )
        own = given.get(method) if given.get(method) is not None else {}
        asked = own.get("hyperparameters") if isinstance(own, dict) else own
        asked, at = {} if asked is None else asked, f"method.{method}.hyperparameters"
    if not isinstance(asked, dict):
        return (
            None,
            None,
            wrong(f"Invalid type for '{at}': expected an object.", param=at, code="invalid_type"),
        )
    asked = {name: value for name, value in asked.items() if value is not None}
    for name, value in asked.items():
        if name not in KNOBS[method]:
            return (
                None,
                None,
                wrong(
                    f"Unknown parameter: '{at}.{name}'. The method {method!r} has {', '.join(KNOBS[method])}.",
                    param=f"{at}.{name}",
                    code="unknown_parameter",
                ),
            )
        try:
            policy.resolve({name: value}, 10)
            float(value if value != "auto" else 0)
        except (ValueError, OverflowError) as e:
            return (
                None,
                None,
                wrong(
                    f"Invalid value for '{at}.{name}': {e}.",
                    param=f"{at}.{name}",
                    code="invalid_value",
                ),
            )
    return method, asked, None
