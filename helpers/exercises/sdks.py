"""The exercises of 5_sdks/01_one_request_five_clients."""

from .. import clients
from . import exercise, judge


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
WHY = {
    "a nightly script on a server with nothing else": "nothing needs to be installed for one of them, and a failed night may simply be run again",
    "a service that retries a 429 by itself, and never waits longer than asked": "look at how often each asked when told to wait, and when nobody answered",
    "a device in the field: one file, nothing to install": "one of them was compiled into a single program",
}
RIGHT = {
    "a nightly script on a server with nothing else": "curl",
    "a service that retries a 429 by itself, and never waits longer than asked": "Go",
    "a device in the field: one file, nothing to install": "Go",
}


@exercise(
    "sdks-2",
    hint="One client needs nothing installed, one tries again when told to but not when time is up, one becomes a single file.",
)
def which_client(answer):
    return judge(answer, RIGHT, LANGUAGES, WHY)
