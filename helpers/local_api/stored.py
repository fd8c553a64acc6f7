"""Responses that were given here: continued by `previous_response_id`, retrieved, deleted, their
input listed. In memory, and gone with the server.

A request that continues one is answered as if it had sent the whole conversation itself, which is
what the API does. Hidden reasoning is not sent along: nothing here reads it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

from . import lists, shaping, sse
from .answer import Answer, as_json, not_allowed, told
from .checks import Bad

MOST = 200  # held; the oldest gives way
# The words for an item that is not held; the second report has the status.
NO_ITEM = "verbatim: continuedev/continue#9101 (2025-12-10), can1357/oh-my-pi#41 (2026-02-12)"
ORIGIN = {"class": "computed", "source": "a response that the local API gave and holds"}


class Stored:
    """The responses held. Answers run in several threads, so each change and each look is whole."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._held: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}

    def continued(self, body: Any) -> tuple[str | None, Any]:
        """(the id of the response that is continued or None, the body with the earlier turns in its
        input). Raises Bad for a response that is not held.
        """
        if body.get("previous_response_id") is None:
            return None, body
        body = dict(body)
        id = body.pop("previous_response_id")
        held = self._held.get(id) if isinstance(id, str) else None
        if held is None:
            raise Bad(
                f"Previous response with id {id!r} not found: it was not given here since connect(), not stored, or deleted.",
                "previous_response_not_found",
                "previous_response_id",
            )
        value, items = held
        said = [sent for item in value["output"] for sent in _as_sent(item)]
        return id, body | {"input": [*items, *said, *(_items(body.get("input")) or [])]}

    def referenced(self, body: Any) -> Any:
        """The body with the items themselves in its input, where it only names them. Raises Bad for
        one that is not held.
        """
        given = body.get("input")
        if not isinstance(given, list) or not any(map(_is_reference, given)):
            return body
        with self._changing:
            known = {
                item["id"]: _as_sent(item)
                for value, _ in self._held.values()
                for item in value["output"]
            }
        found = []
        for item in given:
            if _is_reference(item) and item["id"] not in known:
                raise Bad(
                    f"Item with id '{item['id']}' not found. Items are not persisted when `store` is set to false. "
                    "Try again with `store` set to true, or remove this item from your input.",
                    None,
                    "input",
                )
            found += known[item["id"]] if _is_reference(item) else [item]
        return body | {"input": found}

    def keep(self, body: dict[str, Any], previous: str | None, answer: Answer) -> None:
        """Hold what was answered, unless the request says `store: false`; name the response that it
        continues in it. A recording has one id whatever was asked: where that stands for another
        response already, the answer gets an id of its own.
        """
        value, items = _value(answer), _items(body.get("input")) or []
        if value is None:
            return
        answer.keeps = False  # asked again, after a delete, it is to be held again
        stays = body.get("store") is not False
        with self._changing:
            held, same = self._held.get(value["id"]), (items, previous if stays else "not stored")
            if held is not None and same != (held[1], held[0].get("previous_response_id")):
                _rename(answer, value, same)
            if previous:
                value["previous_response_id"] = previous
                if answer.body:
                    answer.body = as_json(value)
            if not stays:
                return
            self._held.pop(value["id"], None)
            if len(self._held) >= MOST:
                del self._held[next(iter(self._held))]
            self._held[value["id"]] = value, items

    def answer(self, method: str, path: str, query: dict[str, str]) -> Answer:
        """The Answer to a request about a response: /v1/responses/ID and what lies below it."""
        id, _, what = path.removeprefix(f"{shaping.RESPONSES}/").partition("/")
        with self._changing:
            held = self._held.get(id)
            if held and method == "DELETE" and not what:
                del self._held[id]
        if held is None:
            return told(Bad(f"Response with id {id!r} not found.", None, "response_id"), 404)
        value, items = held
        if method == "GET" and not what:
            return Answer(200, as_json(value), origin=ORIGIN)
        if method == "DELETE" and not what:
            gone = {"id": id, "object": "response", "deleted": True}
            return Answer(200, as_json(gone), origin=ORIGIN)
        if method == "GET" and what == "input_items":
            return _listed(id, items, query)
        return not_allowed(method, path)


def _is_reference(item):
    return isinstance(item, dict) and item.get("type") == "item_reference"


def _as_sent(item):
    """An item of an answer as a client would send it itself, in a list; none for reasoning."""
    if item["type"] == "message":
        return [{"role": "assistant", "content": _text(item)}]
    return [] if item["type"] == "reasoning" else [item]


def _rename(answer, value, of):
    """Give an answer, and the response object and the items in it, ids that follow from `of`."""
    last = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:12]
    ids = [value["id"], *(item["id"] for item in value["output"])]

    def swap(sent):
        for id in ids:
            sent = sent.replace(id.encode(), f"{id[:-12]}{last}".encode())
        return sent

    value.update(json.loads(swap(as_json(value))))
    answer.id, answer.body = value["id"], swap(answer.body)
    answer.events = [(at, swap(sent)) for at, sent in answer.events]


def _items(asked):
    """A request's input as a list of items; None where it is neither a text nor a list."""
    if isinstance(asked, str):
        return [{"role": "user", "content": asked}]
    return list(asked) if isinstance(asked, list) else None


def _text(item):
    return "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])


def _value(answer):
    """The response object of an Answer, also where it was streamed; None where it is none."""
    if answer.status != 200:
        return None
    if answer.body:
        return json.loads(answer.body)
    for _, sent in reversed(answer.events):
        for data in sse.data(sent):
            if data[:1] == b"{" and (found := json.loads(data).get("response")):
                return found
    return None


def _listed(id, items, query):
    shown = []
    for number, item in enumerate(items):
        own = hashlib.sha256(f"{id} {number}".encode()).hexdigest()[:40]
        if "role" in item:
            content = item["content"]
            kind = "output_text" if item["role"] == "assistant" else "input_text"
            if isinstance(content, str):
                content = [{"type": kind, "text": content}]
            item = {"type": "message", "status": "completed", "role": item["role"], "content": content}  # fmt: skip
        shown.append({"id": f"msg_Day9{own}"} | item)
    if query.get("order", "desc") == "desc":
        shown.reverse()
    try:
        listed = lists.page(shown, query, lambda item: item, id_of=lambda item: item["id"])
    except Bad as e:
        return told(e)
    return Answer(200, as_json(listed), origin=ORIGIN)
