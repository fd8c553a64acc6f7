"""An oven to be set, and the days between two dates: wishes that are a call of a tool and nothing
else.
"""

import re
from dataclasses import dataclass, replace

from . import reading
from .reading import Unclear

BAKE = re.compile(
    rf"(?:please )?(?:bake|roast|cook|heat|set|keep) (?:it|this|the (?:oven|cake|bread|pizza))(?: oven)? (?:at|to) (?P<n>{reading.NUMBER})\s?°?\s?(?P<u>C|F|celsius|fahrenheit) for (?P<m>{reading.NUMBER}) (?P<t>minutes?|hours?)[.!]?",
    re.I,
)
DAYS = re.compile(r"how many days (?:are there |are |lie )?(?:from|between) (?P<start>.+?) (?:to|and|until) (?P<end>.+?)(?: is it| are there)?\?", re.I)  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """A call that a text wishes for: its arguments, and the one by which a tool for it is known."""

    arguments: tuple
    key: str
    kind: str
    results: tuple = ()

    @property
    def wants(self):
        return [self.key]

    def facts(self, n=0):
        return dict(self.arguments)

    def heard(self, found):
        return replace(self, results=tuple(found))

    def done(self):
        return bool(self.results)

    def after_tools(self):
        first, known = self.results[0], dict(self.arguments)
        if first.error:
            return f"That did not work. The tool said: {first.error}"
        if self.kind == "days":
            if first.amount is None:
                return f"The tool returned: {first.words or 'nothing'}"
            days = reading.plain(first.amount)
            return f"From {known['start']} to {known['end']} it is {days:,} day{'' if days in (1, -1) else 's'}."
        return f"Done: {known['celsius']} °C for {known['minutes']} minutes."

    def say(self, rule):
        known = dict(self.arguments)
        if self.kind == "days":
            days = (reading.date(known["end"]) - reading.date(known["start"])).days
            return f"From {known['start']} to {known['end']} it is {days:,} day{'' if days in (1, -1) else 's'}."
        raise Unclear("Without a tool nobody here can set an oven.")

    def fields(self, rule):
        return dict(self.arguments) | {"answer": self.say(rule)} if self.kind == "days" else dict(self.arguments)  # fmt: skip


def read(text):
    """The Wish of a text, or None."""
    if found := BAKE.fullmatch(text):
        heat, time = reading.number(found["n"]), reading.number(found["m"])
        if found["u"].lower().startswith("f"):
            heat = (heat - 32) * 5 / 9
            heat = round(heat)
        if found["t"].lower().startswith("hour"):
            time *= 60
        if not 30 <= heat <= 300:
            raise Unclear(f"An oven is set from 30 to 300 °C, not to {reading.plain(heat)}.")
        if not 1 <= time <= 600:
            raise Unclear(f"An oven is set for 1 to 600 minutes, not for {reading.plain(time)}.")
        known = {"celsius": reading.plain(heat), "minutes": reading.plain(time)}
        return Wish(tuple(known.items()), "celsius", "bake")
    if found := DAYS.fullmatch(text):
        start, end = reading.date(found["start"]), reading.date(found["end"])
        if start and end:
            known = {"start": start.isoformat(), "end": end.isoformat()}
            return Wish(tuple(known.items()), "start", "days")
    return None
