"""The exercises of notebooks/1_o1/05_structured_outputs."""

from ..local_api import schemas
from . import exercise


@exercise(
    "structured-1",
    hint="Three faults: the root is a list, a field is missing from `required`, and the objects are not closed.",
)
def repaired(answer):
    found = schemas.fault(answer)
    if found:
        return f"the API would say: {found}"
    lists = [one for one in answer["properties"].values() if one.get("type") == "array"]
    if not lists or {"line", "why"} - set(lists[0]["items"].get("properties", {})):
        return "the schema passes, but it no longer holds a list of objects with line and why."
    return None


@exercise(
    "structured-2",
    hint="A schema knows types, names and lists of values. Can it know what was on the form?",
)
def what_the_mask_stops(answer):
    right = {
        "text for a number": "stopped",
        "field left out": "stopped",
        "wrong sum": "passes",
        "line that is not on the form": "passes",
        "comma after the last item": "stopped",
    }
    for name, what in right.items():
        given = answer.get(name)
        if given is ... or given is None:
            return f"{name!r} is still open."
        if given not in ("stopped", "passes"):
            return f"{given!r} is neither stopped nor passes."
        if given != what:
            return f"{name!r}: " + (
                "no valid instance contains that, so the mask never offers it."
                if what == "stopped"
                else "the schema says only integer and string, and that is one."
            )
    return None
