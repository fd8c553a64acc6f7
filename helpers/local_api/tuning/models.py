"""Tuned models, and how they and their bases answer: one of the answers that files hold for the
prompt.

A base takes each candidate with the same chance, a tuned model by its policy
(helpers/facts/policy.py). A prompt that no file has is off the map: a stand-in cannot write, and
making something up would be a lie.
"""

import difflib
import json
import secrets
import time
from dataclasses import dataclass, field

from ...common import left_out
from .. import canonical, off_the_map, shaping
from ..answer import Answer, as_json, error, no_model, not_allowed, told
from ..checks import Bad, fields, number, optional
from ..envelopes import chat_answer, response_answer
from . import candidates, real
from .real import kept
from .shapes import ORGANIZATION, found, new_id

MOST_CHOICES = 128  # openai 3.54.0, types/chat/completion_create_params.py
TUNED = "a stand-in policy trained on your file; not what a tuned {} would say"
UNTUNED = "a stand-in that takes each candidate answer with the same chance; not what {} would say"


_SAMPLING = fields(
    {
        "temperature": optional(number(0, 2)),
        "n": optional(number(1, MOST_CHOICES, whole=True)),
        "seed": optional(number(-(2**63), 2**63 - 1, whole=True)),
    }
)


@dataclass
class Model:
    """What a job made: a tuned model, or one of its checkpoints."""

    name: str
    base: str
    policy: object
    job: object
    created: int = field(default_factory=lambda: int(time.time()))

    def as_object(self):
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": ORGANIZATION,
        }


def _kept(adapter):
    """The Model of a kept.Adapter."""
    return Model(adapter.name, real.BASE, adapter, None, adapter.made)


class Models:
    """The tuned models held, and what they and their bases say."""

    def __init__(self, files):
        self.files = files
        self._held = {}

    def get(self, name):
        """The Model of this name, or None. One that was tuned from the real model is on the disk,
        and its policy is a real.kept.Adapter.
        """
        adapter = kept.get(name)
        return _kept(adapter) if adapter else self._held.get(name)

    def add(self, name, base, policy, job):
        self._held[name] = Model(name, base, policy, job)

    def remove_of(self, job):
        for name, model in list(self._held.items()):
            if model.job is job:
                self._held.pop(name, None)

    def objects(self):
        there = [Model(real.BASE, real.BASE, None, None, 0)] if left_out.model() else []
        there += [*self._held.values(), *map(_kept, kept.adapters())]
        return [model.as_object() for model in there]

    def answer(self, method, path, name):
        """The Answer about a tuned model itself."""
        model = self.get(name)
        if not model:
            return no_model(name)
        if method == "GET":
            return found(model.as_object())
        if method == "DELETE":
            self._held.pop(name, None)
            if isinstance(model.policy, kept.Adapter):
                kept.remove(name)
            return found({"id": name, "object": "model", "deleted": True})
        return not_allowed(method, path)

    def candidates(self, name, job=None):
        """What can be said to the prompt with this key: the answers of data/preferences and of the
        files that `job` and those before it trained on; where these have none, those of any file.
        Other people's files change nothing.
        """
        own = [candidates.shipped()]
        while job:
            own += [f.prompts for f in (job.training, job.validation) if f]
            job = job.start.job if job.start else None
        return candidates.candidates(name, own) or candidates.candidates(name, self._all())

    def _all(self):
        trained = {
            id(f): f
            for m in list(self._held.values())
            for f in (m.job.training, m.job.validation)
            if f
        }
        return [
            candidates.shipped(),
            *(f.prompts for f in self.files.all()),
            *(f.prompts for f in trained.values()),
        ]

    def say(self, path, body):
        """The Answer of a tuned model, or of a base to a prompt that a file has; None for any other
        request.
        """
        from .jobs import tunable

        model = self.get(body["model"])
        base = model.base if model else canonical.canonical_model(body["model"])
        if base == real.BASE:  # it writes, see real/chat.py
            return None
        if not model and not any(base == name for name, _ in tunable()):
            return None
        same = canonical.canonical_body(path, body)
        said = _conversation(path, same)
        job, near = model.job if model else None, None
        could = self.candidates(candidates.key(said), job)
        if not could and (near := candidates.nearest(said, self._all())):
            could = self.candidates(candidates.key(near), job)
        if not could:
            return _missed(said, self._all(), model, body) if model else None
        odd = sorted(
            set(same) - {"model", "messages", "input", "instructions", "temperature", "seed", "n"}
        )
        if odd:
            message = f"A stand-in chooses among answers; it cannot follow the parameter '{odd[0]}'. Leave it out."
            details = {
                "nearest": "the same request without it",
                "about": "a stand-in chooses among whole answers",
                "more": len(odd) - 1,
                "accepts": [],
                "differences": [
                    {"path": odd[0], "recorded": "—", "sent": off_the_map.short(same[odd[0]])}
                ],
            }
            return error(
                424,
                message,
                kind=off_the_map.CODE,
                param=odd[0],
                code=off_the_map.CODE,
                off_the_map=details,
                model=base,
            )
        return self._chosen(path, body, near or said, could, model, base, near)

    def _chosen(self, path, body, said, could, model, base, near):
        from ...facts.policy import Policy, prompt_of

        given = {name: value for name, value in body.items() if value is not None}
        heat, n, seed = given.get("temperature", 1), given.get("n", 1), given.get("seed")
        try:
            _SAMPLING(given, "")
        except Bad as e:
            return told(e)
        policy = model.policy if model else Policy()
        prompt = prompt_of([m for m in said if isinstance(m.get("content"), str)])
        seed = secrets.randbits(63) if seed is None else seed % 2**63
        texts = [
            could[policy.choose(prompt, could, temperature=heat, seed=[seed, i])] for i in range(n)
        ]
        name, now = model.name if model else base, int(time.time())
        if path == shaping.CHAT:
            value = chat_answer({"text": texts[0]}, name, now, "")
            [first] = value["choices"]
            value["choices"] = [
                first
                | {"index": i, "message": first["message"] | {"content": text, "annotations": []}}
                for i, text in enumerate(texts)
            ]
            value["id"] = new_id("chatcmpl-", 29)
        else:
            value = response_answer({"text": texts[0]}, name, now, new_id("", 20), body) | {
                "temperature": float(heat),
                "reasoning": {"effort": None, "summary": None},
            }
        value = shaping.limited(path, shaping.counted(path, body, value), shaping.limit_of(body))
        source = (TUNED if model else UNTUNED).format(base)
        if near:
            source += f"; answered as {candidates.last_words(near)!r}, the nearest prompt of a file"
        origin = {"class": "computed", "source": source}
        answer = Answer(
            200,
            origin=origin,
            model=f"ft:{base}" if model else base,
            usage=value["usage"],
            id=value["id"],
        )
        if body.get("stream"):
            answer.events = shaping.stream(
                path, value, (body.get("stream_options") or {}).get("include_usage")
            )
        else:
            answer.body = as_json(value)
        return answer


def _conversation(path, same):
    """The messages of a request in canonical form, of either API."""
    if path == shaping.CHAT:
        return same["messages"]
    rules = (
        [{"role": "developer", "content": same["instructions"]}] if same.get("instructions") else []
    )
    return rules + same["input"]


def _missed(said, sources, model, body):
    """Off the map: which prompt is nearest, and what there is to ask."""
    known = {
        name: json.loads(messages) for source in sources for name, (messages, _) in source.items()
    }
    asked = candidates.last_words(said)
    words = asked[: off_the_map.COMPARED].lower().split()
    near = lambda messages: difflib.SequenceMatcher(
        None, words, candidates.last_words(messages).lower().split(), autojunk=False
    ).ratio()
    nearest = max(known.values(), key=near, default=[])
    recorded, sent = off_the_map.side_by_side(candidates.last_words(nearest), asked)
    at, yours = ("messages", said) if recorded == sent else ("the last message", asked)
    if recorded == sent:  # the same question after another beginning
        recorded, sent = (
            off_the_map.short(str([m.get("content") for m in messages[:-1]]))
            for messages in (nearest, yours)
        )
    own = model.job.training.prompts
    first = candidates.last_words(json.loads(next(iter(own.values()))[0]))
    accepts = [
        f"the model answers the {len(own)} prompts of its training file, such as {off_the_map.short(first)!r}, and those of data/preferences"
    ]
    message = (
        f"{model.name} is a stand-in: it chooses among the answers that files hold for a prompt, and none holds this one. Nothing was made up. "
        f"Nearest: {candidates.last_words(nearest)!r}."
    )
    details = {
        "nearest": off_the_map.short(candidates.last_words(nearest)),
        "about": "the nearest prompt that a file holds answers to",
        "differences": [{"path": at, "recorded": recorded, "sent": sent}],
        "more": 0,
        "accepts": accepts,
    }
    return error(
        424,
        message,
        kind=off_the_map.CODE,
        param="messages",
        code=off_the_map.CODE,
        off_the_map=details,
        model=f"ft:{model.base}",
    )
