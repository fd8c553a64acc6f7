"""Lists as the API gives them, a page at a time."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .checks import Bad

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def whole_number(text: str, least: int, most: int) -> bool:
    """Is a text a whole number of this range, in digits? Python converts no text of more than
    4,300.
    """
    return text.isdecimal() and len(text) <= 20 and least <= int(text) <= most


def page(
    items: Sequence[Any],
    query: Mapping[str, str],
    show: Callable[[Any], dict[str, Any]],
    most: int = 100,
    usual: int = 20,
    ends: bool = True,
    id_of: Callable[[Any], str] = attrgetter("id"),
) -> dict[str, Any]:
    """A page of `items`, in order, each as `show` has it, by the query's `limit` and `after`.

    most, usual: the largest and the default limit. ends: with first_id and last_id. id_of: the id
    of one item. Raises Bad.
    """
    limit = query.get("limit", str(usual))
    if not whole_number(limit, 1, most):
        raise Bad(
            f"Invalid 'limit': expected a whole number from 1 to {most}, but got {limit[:40]!r} instead.",
            None,
            "limit",
        )
    if "after" in query:
        places = [i for i, item in enumerate(items) if id_of(item) == query["after"]]
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
    return listed
