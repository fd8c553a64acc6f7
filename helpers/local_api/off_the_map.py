"""Nothing answers: which recording is nearest, and what differs.

The reader changed something that no recording, slot or computation covers. An invented reply would
be a lie, so the answer is an error that helps: the nearest recording, the JSON paths that differ,
the ways on.
"""

import difflib

from . import canonical, pictures, slots

CODE = "off_the_map"
MOST = 2  # differences shown: those that matter most
ELSEWHERE = 0.5  # added to the distance of recordings of other notebooks
COMPARED = 2_000  # characters of a text that are looked at for likeness
HOLDERS = ("reasoning", "text")  # hold parameters, which are told one by one
MEMBERS = 64  # of a list or an object that are compared
VALUES = 1_000  # of a whole request


def differences(recorded, sent, declared, at=""):
    """[(JSON path, recorded value, sent value)]; a value that is not there is None."""
    if isinstance(recorded, dict) and isinstance(sent, dict):
        return [
            d
            for k in [*recorded, *(k for k in sent if k not in recorded)]
            for d in differences(
                _inner(k, recorded), _inner(k, sent), declared, f"{at}.{k}" if at else k
            )
        ]
    if isinstance(recorded, list) and isinstance(sent, list):
        return [
            d
            for i, r, s in _paired(recorded, sent, declared)
            for d in differences(r, s, declared, f"{at}[{i}]")
        ]
    return [] if slots.match(recorded, sent, declared) is not None else [(at, recorded, sent)]


def _inner(key, value):
    """A key's value; of what only holds parameters, the inner ones are told, also where it is not
    there.
    """
    return value.get(key, {} if key in HOLDERS else None)


def _paired(recorded, sent, declared):
    """(place, recorded member, sent member) of two lists: members that fit are pairs wherever they
    stand, then by place.

    Where all fit and only the order differs, it is told by place.
    """
    left, pairs = list(enumerate(sent)), []
    for i, r in enumerate(recorded):
        hit = next((p for p in left if slots.match(r, p[1], declared) is not None), None)
        if hit:
            left.remove(hit)
            pairs.append((i, r, hit))
        else:
            pairs.append((i, r, None))
    moved = not left and any(hit and hit[0] != i for i, _, hit in pairs)
    if moved and all(hit for _, _, hit in pairs):
        return [(i, r, sent[i]) for i, r, _ in pairs]
    made = []
    for i, r, hit in pairs:
        if not hit and left:
            hit = left.pop(0)
        made.append((i, r, hit[1] if hit else None))
    return made + [(i, None, s) for i, s in left]


def nearest(library, method, path, body, folder=""):
    """(recording, differences) of the recording that a request misses by least, or (None, []).

    folder: where the last answer came from, in which the reader is likely to be; others must be
    clearly nearer.
    """
    best, best_distance = None, None
    for recording in library.recordings:
        if (recording.method, recording.path) != (method, path):
            continue
        # nothing sent is nothing in it
        found = differences(
            recording.body or {}, _comparable(recording, body) or {}, recording.slots
        )
        distance = sum(_distance(r, s) for _, r, s in found)
        if recording.name.rpartition("/")[0] != folder:
            distance += ELSEWHERE
        if best is None or distance < best_distance:
            best, best_distance = (recording, found), distance
    return best or (None, [])


def bounded(value, left=None):
    """As much of a request as is compared with all recordings: MEMBERS at each level, VALUES in
    all.
    """
    left = left or [VALUES]
    left[0] -= 1
    if isinstance(value, list):
        return [bounded(v, left) for v in value[:MEMBERS] if left[0] > 0]
    if isinstance(value, dict):
        return {k: bounded(value[k], left) for k in list(value)[:MEMBERS] if left[0] > 0}
    return value


def _comparable(recording, body):
    """A request as this recording is asked: streams and limits count only where nothing is
    computed.
    """
    return (
        body
        if recording.recorded or not isinstance(body, dict)
        else {k: v for k, v in body.items() if k not in canonical.SHAPING}
    )


def _distance(recorded, sent):
    """Near 0 for texts that are nearly the same, since prompts are edited by words; else 1 for each
    plain value.
    """
    if isinstance(recorded, str) and isinstance(sent, str):
        a, b = (text[:COMPARED].lower().split() for text in (recorded, sent))
        return 0.1 + 0.9 * (1 - difflib.SequenceMatcher(None, a, b, autojunk=False).ratio())
    return max(_values(recorded), _values(sent))


def _values(value):
    """How many plain values it holds: tools that are missing are more of a difference than tools in
    another order.
    """
    if isinstance(value, dict):
        value = list(value.values())
    return sum(map(_values, value)) or 1 if isinstance(value, list) else 1


def short(value, most=70):
    """A value in one short line, with the slots in angle brackets; — where there is none."""
    if value is None:
        return "—"
    if isinstance(value, str):
        text = _picture(value) or slots.MARK.sub(lambda m: f"‹{m[1]}›", value[:COMPARED])
    else:
        text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _picture(value):
    """What a picture's hash stands for: page 2 of the form single; "" for any other text."""
    if pictures.SHA not in value:
        return ""
    name = pictures.names().get(value.split(pictures.SHA)[1])
    if not name:
        return "a picture that is none of ours"
    form, _, number = name.rpartition("-")
    return f"page {number} of the form {form}" if number.isdigit() else f"the drawing {name}"


def side_by_side(recorded, sent):
    """Both values in one short line each; long texts from a few words before the place where they
    part.
    """
    if not (isinstance(recorded, str) and isinstance(sent, str)):
        return short(recorded), short(sent)
    ours, yours = short(recorded, COMPARED).split(" "), short(sent, COMPARED).split(" ")
    parts = [i for i, (our, your) in enumerate(zip(ours, yours)) if our != your]
    plain = [i for i in parts if "‹" not in ours[i]]
    # a slot differs by nature; it is the place only where nothing else is, since then it refused
    # its value
    same = (plain or parts or [min(len(ours), len(yours))])[0]
    left = max(0, same - 4)

    def excerpt(words):
        text = " ".join(words)
        if len(text) <= 70:
            return text
        return short(("… " if left else "") + " ".join(words[left:]))

    return excerpt(ours), excerpt(yours)


def alternatives(library, method, path, body):
    """{JSON path: values} where recordings differ from the request in this one plain value, such as
    the model.
    """
    found = {}
    for recording in library.recordings:
        if (recording.method, recording.path) == (method, path):
            differs = differences(
                recording.body or {}, _comparable(recording, body) or {}, recording.slots
            )
            if len(differs) == 1 and "content" not in differs[0][0]:
                at, value, _ = differs[0]
                value = canonical.DEFAULTS.get(at.rpartition(".")[2]) if value is None else value
                if isinstance(value, str):
                    found.setdefault(at, []).append(value)
    return {at: sorted(set(values)) for at, values in found.items()}


def ranges(recording):
    """What the slots of a recording accept, in words."""
    words = []
    for name, slot in recording.slots.items():
        if slot["type"] == "choice":
            words.append(f"‹{name}› is one of {', '.join(map(str, slot['values']))}")
        elif "min" in slot or "max" in slot:
            kind = {"integer": "a whole number"}.get(slot["type"], f"a {slot['type']}")
            words.append(
                f"‹{name}› is {kind} from {slot.get('min', '…')} to {slot.get('max', '…')}"
            )
        else:
            most = (
                f" of at most {slot.get('max_length', slots.LONGEST)} characters"
                if slot["type"] == "text"
                else ""
            )
            form = " written as 2024-12-17" if slot["type"] == "date" else ""
            words.append(f"‹{name}› is any {slot['type']}{most}{form}")
    return words


def miss(library, method, path, body, model=None, folder=""):
    """(message, details) for a request that nothing answers; `model` as the request named it."""
    body = bounded(body)
    recording, found = nearest(library, method, path, body, folder)
    found = sorted(found, key=lambda d: d[0].endswith("model"), reverse=True)
    if recording is None:
        return f"No recording answers {method} {path}; there is none for this endpoint.", {
            "nearest": None,
            "differences": [],
            "accepts": [],
        }
    shown = []
    for at, ours, yours in found[:MOST]:
        recorded, sent = side_by_side(ours, model if at == "model" else yours)
        shown.append({"path": at, "recorded": recorded, "sent": sent})
    lines = [f"{d['path']}: expected {d['recorded']!r}, yours {d['sent']!r}" for d in shown]
    if not found:  # each place fits by itself
        lines = ["a value that stands in two places, and is not the same in both"]
    if len(found) > MOST:
        lines.append(f"and {len(found) - MOST} more")
    accepts = [
        f"{at} is recorded as {', '.join(values)}"
        for at, values in alternatives(library, method, path, body).items()
    ] or ranges(recording)
    message = (
        f"No recording answers this request, and nothing was made up. Nearest: {recording.name}. Differs at "
        + "; ".join(lines)
        + "."
        + (f" There {'; '.join(accepts)}." if accepts else "")
    )
    return message, {
        "nearest": recording.name,
        "about": recording.about,
        "differences": shown,
        "more": max(0, len(found) - MOST),
        "accepts": accepts,
    }
