"""What the objects of files, jobs and models share: ids, pages, and where an answer comes from."""

import itertools
import time

from ..answer import TEXTS_CHECKED_ON, Answer, as_json, bad_request, text_origin
from ..checks import Bad
from ..envelopes import short_id

ORGANIZATION = "day9-runnable"
OBJECTS = {
    "class": "computed",
    "source": "a file, a job or a model held by the local API; the job really trains, on a stand-in policy",
}
_count = itertools.count()


def new_id(prefix, length):
    """An id as genuine ones are built: a clock, `Day9`, then what makes it the only one."""
    return short_id(prefix, int(time.time()), f"{prefix} {next(_count)} {time.time_ns()}", length)


def found(value):
    """The Answer with an object; the next poll may get another."""
    return Answer(200, as_json(value), origin=OBJECTS)


def told(e, status=400, source="ours: how the API words this is not known"):
    """The Answer that tells a Bad. Its text is the API's own only where `source` begins with
    "verbatim".
    """
    return bad_request(e, status, origin=text_origin(source, TEXTS_CHECKED_ON))


def whole_number(text, least, most):
    """Is a text a whole number of this range, in digits? Python converts no text of more than 4,300."""
    return text.isdecimal() and len(text) <= 20 and least <= int(text) <= most


def page(items, query, show, most=100, usual=20, ends=True):
    """A page of `items` (things with an `id`, in order), each as `show` has it, by the query's
    `limit` and `after`.

    `most`, `usual`: the largest and the default limit. `ends`: with first_id and last_id. An
    Answer. Raises Bad.
    """
    limit = query.get("limit", str(usual))
    if not whole_number(limit, 1, most):
        raise Bad(
            f"Invalid 'limit': expected a whole number from 1 to {most}, but got {limit[:40]!r} instead.",
            None,
            "limit",
        )
    if "after" in query:
        places = [i for i, item in enumerate(items) if item.id == query["after"]]
        if not places:
            raise Bad(
                f"Invalid 'after': nothing in this list has the id {query['after']!r}.",
                None,
                "after",
            )
        items = items[places[0] + 1 :]
    shown = [show(item) for item in items[: int(limit)]]
    listed = {"object": "list", "data": shown, "has_more": len(items) > len(shown)}
    if ends:
        listed |= {
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
        }
    return found(listed)
