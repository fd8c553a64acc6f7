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
    """A record as text. It is the id of a record of sums, of which an equal one is a copy."""
    return json.dumps(record, sort_keys=True, default=str)


def call(own, record):
    """The fields that tell a call from others: its own id, or its whole text, which another call
    may have, too.
    """
    return {"id": own} if own else {"whole": whole(record)}


BROKEN = {"trouble": "a line is cut off or unreadable"}
