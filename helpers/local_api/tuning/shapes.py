"""What the objects of files, jobs and models share: ids, pages, and where an answer comes from."""

import itertools
import time

from .. import lists
from ..answer import Answer, as_json
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


def page(items, query, show, **more):
    """The Answer with a page of a list: see lists.page. Raises Bad."""
    return found(lists.page(items, query, show, **more))
