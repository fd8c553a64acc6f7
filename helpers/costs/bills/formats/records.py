"""What every reader of a format needs: objects out of JSON that may hold anything in their
place.
"""

import json
from decimal import Decimal


def dicts(value):
    """The objects of a list; in place of anything else an empty one that no reader knows."""
    if not isinstance(value, list):
        return [{}]
    return [v if isinstance(v, dict) else {} for v in value]


def parsed(value, kind=dict):
    """`value` as a dict (or list), also where it is the JSON text of one; else an empty one."""
    if isinstance(value, str) and value[:1] in "{[" and value:
        try:
            value = json.loads(value, parse_float=Decimal)
        except (ValueError, RecursionError):
            return kind()
    return value if isinstance(value, kind) else kind()


def first(record, *names):
    """The first of these members that holds something, else None."""
    return next((record[n] for n in names if record.get(n) not in (None, "")), None)


def less(total, part):
    """A total without its part, where both are whole numbers."""
    return total - part if isinstance(total, int) and isinstance(part, int) else total


def whole(record):
    """A record as text: its id where it has none of its own."""
    return json.dumps(record, sort_keys=True, default=str)


BROKEN = {"trouble": "a line is cut off or unreadable"}
