"""The exercises of notebooks/5_sdks, in the order of the notebooks."""

from ..sdks import clients
from ..sdks.migration import Finding
from . import exercise, judge

# --- 01_one_request_five_clients ---


@exercise(
    "sdks-1",
    hint="`runs[name].request` is a dictionary: what do two requests that mean the same become, sorted and written the same way?",
)
def same_request(answer):
    one = {"a": 1, "b": [1, 2], "c": None}
    for other, right, why in (
        ({"b": [1, 2], "a": 1, "c": None}, True, "the order of keys does not count"),
        ({"b": [2, 1], "a": 1, "c": None}, False, "the order of a list counts"),
        ({"a": 1, "b": [1, 2]}, True, "a field that is null is the same as one not sent"),
        ({"a": 2, "b": [1, 2]}, False, "another value is another request"),
        ({"a": 1, "b": [1, 2], "c": None, "d": {"e": None}}, False, "`d` was sent, if empty"),
    ):
        if bool(answer(one, other)) != right:
            return f"for {one} and {other} it says {answer(one, other)!r}, but {why}."
    return None


LANGUAGES = tuple(clients.CLIENTS)
SDKS_WHY = {
    "a nightly script on a server with nothing else": "nothing needs to be installed for one of them, and a failed night may simply be run again",
    "a service that retries a 429 by itself, and never waits longer than asked": "look at how often each asked when told to wait, and when nobody answered",
    "a device in the field: one file, nothing to install": "one of them was compiled into a single program",
}
SDKS_RIGHT = {
    "a nightly script on a server with nothing else": "curl",
    "a service that retries a 429 by itself, and never waits longer than asked": "Go",
    "a device in the field: one file, nothing to install": "Go",
}


@exercise(
    "sdks-2",
    hint="One client needs nothing installed, one tries again when told to but not when time is up, one becomes a single file.",
)
def which_client(answer):
    return judge(answer, SDKS_RIGHT, LANGUAGES, SDKS_WHY)


# --- 02_from_day9_to_today ---


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
MIGRATION_RIGHT = {
    "`o1` in a script that runs each night": "now",
    "`gpt-4o` in the chat of a web shop": "before its date",
    "`o1` in the log of a run of last year": "never",
    "the header `OpenAI-Beta: realtime=v1`": "now",
}
MIGRATION_WHY = {
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
    return judge(answer, MIGRATION_RIGHT, CHOICES, MIGRATION_WHY)


# --- 03_your_framework ---


@exercise(
    "frameworks-1",
    hint="`body.items()` has names and values. Which names are not in `plain`, and have a value that is neither `None` nor empty?",
)
def adds(answer):
    plain = {"model": "o1", "messages": [], "seed": 1}
    for more, right, why in (
        ({}, [], "a body that is the plain one adds nothing"),
        ({"stream": True}, ["stream"], "`stream` is not in the plain one"),
        ({"stream": False}, ["stream"], "False is a value that was sent"),
        ({"include": [], "tools": [], "logit_bias": {}}, [], "an empty list asks for nothing"),
        ({"stop": None}, [], "a null is the same as a field that was not sent"),
        ({"seed": 2}, [], "`seed` is in the plain one, too: it is changed, and not added"),
        ({"top_p": 1, "n": 1}, ["n", "top_p"], "both are new, and the names are sorted"),
    ):
        given = answer({**plain, **more}, plain)
        if given != right:
            return f"for the plain body with {more} it gives {given!r}, but {why}."
    return None


FIELDS_WHY = {
    "`temperature: 1.0`, to o1": "what is the value that o1 takes if nobody says one",
    "`include: []`": "how many things does an empty list ask for",
    '`tool_choice: "required"`': "may the model still answer in words",
    "`strict: true` on a tool": "may the model still write arguments that the schema forbids",
    "`stream: false`": "what does the API do if nobody says a word about streams",
}
FIELDS_RIGHT = {
    "`temperature: 1.0`, to o1": "nothing",
    "`include: []`": "nothing",
    '`tool_choice: "required"`': "the answer",
    "`strict: true` on a tool": "the answer",
    "`stream: false`": "nothing",
}


@exercise(
    "frameworks-2",
    hint="Would the same request without that field get the same answer? A default that is said aloud is still the default.",
)
def what_it_changes(answer):
    return judge(answer, FIELDS_RIGHT, ("the answer", "nothing"), FIELDS_WHY)
