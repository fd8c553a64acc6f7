"""The exercises of 5_sdks/02_from_day9_to_today."""

from ..migration import Finding
from . import exercise, judge


def _ending(name, since):
    return Finding("app.py", 1, 1, name, "model", since, "", "")


@exercise(
    "migration-1",
    hint="`since` is a text like '2026-10-23', and texts of that form compare like days. It is empty where a name has no date.",
)
def dead_on(answer):
    all_of_them = [
        _ending("o1", "2026-10-23"),
        _ending("gpt-4o", "2027-01-14"),
        _ending("max_tokens", ""),
    ]
    for day, right, why in (
        (
            "2026-11-22",
            ["o1"],
            "o1 ended before that day, gpt-4o ends after it, and what has no date does not count",
        ),
        ("2026-10-23", ["o1"], "on the day of its shutdown a model is gone"),
        ("2027-01-14", ["o1", "gpt-4o"], "by then both models are gone"),
        ("2026-10-22", [], "o1 was there for one more day"),
    ):
        given = [f.name for f in answer(all_of_them, day)]
        if given != right:
            return f"for {day} it gives {given}, but {why}."
    return None


CHOICES = ("now", "before its date", "never")
RIGHT = {
    "`o1` in a script that runs each night": "now",
    "`gpt-4o` in the chat of a web shop": "before its date",
    "`o1` in the log of a run of last year": "never",
    "the header `OpenAI-Beta: realtime=v1`": "now",
}
WHY = {
    "`o1` in a script that runs each night": "o1 was shut down in October 2026, so it has failed since then",
    "`gpt-4o` in the chat of a web shop": "it answers until its shutdown in January 2027, and a successor wants testing first",
    "`o1` in the log of a run of last year": "a log says what was; changing it makes it wrong",
    "the header `OpenAI-Beta: realtime=v1`": "with it the connection is closed at once",
}


@exercise(
    "migration-2",
    hint="Ask of each: does something fail today, will it fail on a day that is known, or is it a record of what was?",
)
def when_to_change(answer):
    return judge(answer, RIGHT, CHOICES, WHY)
