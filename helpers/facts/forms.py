"""The practice forms: who filled them in, what they wrote, which of it is wrong, and where it
stands on the page.

data/forms/NAME.toml is the ground truth of a form, written by us: a fictional person, the filing
status, the boxes ticked on page 1, the amounts written on lines 9 to 16, and every correction.
NAME-1.jpg to NAME-4.jpg are its scanned pages, drawn from it by `python -m tests.tools.make_forms`,
which also writes boxes.json: the place of each field in pixels; and drawn.json: from which truth,
so that a truth or a picture that was changed alone is noticed. The shafts (shaft-a, shaft-b) are
one page each: a drawing, and what was measured.
"""

from __future__ import annotations

import functools
import hashlib
import json
import warnings
from typing import TYPE_CHECKING, Any

from ..common.whole import is_whole
from . import DATA, toml_files
from .files import read_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


FOLDER = DATA / "forms"
FORMS = ("single", "joint", "correct", "three", "widow")
SHAFTS = ("shaft-a", "shaft-b")
STATUS = {
    "single": "Single",
    "married_jointly": "Married filing jointly",
    "married_separately": "Married filing separately",
    "head_of_household": "Head of household",
    "surviving_spouse": "Qualifying surviving spouse",
}
TICKS = ("you_65", "you_blind", "spouse_65", "spouse_blind")
PAGE_OF_LINE = {9: 2, 10: 2, 11: 2, 12: 3, 13: 3, 14: 3, 15: 3, 16: 3}
WHOLE, WORDS, YES_OR_NO = {"type": "integer"}, {"type": "string"}, {"type": "boolean"}


def _table(**columns):
    return {
        "type": "object",
        "properties": columns,
        "required": list(columns),
        "additionalProperties": False,
    }


def _list(**items):
    return {"type": "array", "items": items}


# What stands in a truth, as JSON schemas.
FORM = _table(
    year=WHOLE,
    person=WORDS,
    address=WORDS,
    status={"enum": list(STATUS)},
    boxes=_list(enum=TICKS),
    income={"type": "object", "additionalProperties": WHOLE},
    written=_table(**{str(line): WHOLE for line in PAGE_OF_LINE}),
    corrections=_list(
        **_table(
            line={"enum": list(PAGE_OF_LINE)}, planted=YES_OR_NO, old=WHOLE, new=WHOLE, reason=WORDS
        )
    ),
)
SHAFT = _table(
    part=WORDS,
    features=_list(
        **_table(
            **dict.fromkeys(("name", "what"), WORDS),
            **dict.fromkeys(
                ("nominal", "tolerance", "measured"),
                {"type": "string", "pattern": r"^\d+(\.\d+)?$"},
            ),
        )
    ),
    out=_list(**WORDS),
    on_the_limit=_list(**WORDS),
)
NUMBER = ("no mistake", "one mistake", "two mistakes", "three mistakes")


@functools.cache
def load(name: str) -> dict[str, Any]:
    """The ground truth of a form as a dict; `written` has the line numbers as keys. LookupError for
    an unknown name, Broken with file and line for a truth that is none; a warning where its
    pictures no longer show it.
    """
    file = FOLDER / f"{name}.toml"
    if not file.is_file():
        raise LookupError(f"There is no form {name!r}. There are: {', '.join(FORMS + SHAFTS)}.")
    form = toml_files.read(file, FORM if name in FORMS else SHAFT)
    if drawn().get(name) != as_drawn(name, form):
        warnings.warn(
            f"data/forms/{name}.toml and its pictures no longer fit each other: what answers goes by the TOML. "
            f"Draw the pictures anew: python -m tests.tools.make_forms {name}",
            stacklevel=2,
        )
    if name in FORMS:
        form["written"] = {int(line): amount for line, amount in form["written"].items()}
        for c in form["corrections"]:
            c["page"] = PAGE_OF_LINE[c["line"]]
    return form


def page(name: str, number: int = 1) -> Path:
    """The picture file of a page, as a Path. LookupError for an unknown name or a page that there
    is not.
    """
    load(name)
    last = 4 if name in FORMS else 1
    if not is_whole(number) or number not in range(1, last + 1):
        raise LookupError(f"{name} has no page {number!r}; it has {f'pages 1 to {last}' if last > 1 else 'one page'}.")  # fmt: skip
    return FOLDER / (f"{name}-{int(number)}.jpg" if name in FORMS else f"{name}.jpg")


def pictures() -> list[Path]:
    """The picture files of all pages, whatever state the truths are in."""
    pages = [FOLDER / f"{name}-{number}.jpg" for name in FORMS for number in (1, 2, 3, 4)]
    return pages + [FOLDER / f"{name}.jpg" for name in SHAFTS]


def as_drawn(name: str, form: dict[str, Any]) -> str:
    """A fingerprint of what a form's pictures show and of the pictures; the reasons of its
    corrections stand on none.
    """
    shown = {key: value for key, value in form.items() if key != "corrections"}
    sha = hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode())
    for file in sorted(FOLDER.glob(f"{name}-?.jpg" if name in FORMS else f"{name}.jpg")):
        sha.update(file.read_bytes())
    return sha.hexdigest()[:16]


@functools.cache
def drawn() -> dict[str, str]:
    """{form: `as_drawn` when its pictures were drawn}"""
    return read_json(FOLDER / "drawn.json")


@functools.cache
def boxes() -> dict[str, dict[str, Any]]:
    """{picture file name: {"size": [width, height], "boxes": {field: [left, top, right, bottom]}}},
    in pixels of the picture.
    """
    return read_json(FOLDER / "boxes.json")


def corrected(form: dict[str, Any]) -> dict[int, int]:
    """{line: amount} with every correction made."""
    return form["written"] | {c["line"]: c["new"] for c in form["corrections"]}


# --- what the constructed answers say -------------------------------------------------------------


NEEDED = {11: {2}, 12: {1, 3, 4}, 13: {3}, 14: {3}, 15: {2, 3}, 16: {3}}  # pages, to check a line
LACKS = {
    1: "the filing status and the ticked boxes stand on page 1",
    2: "lines 9 to 11 stand on page 2",
    3: "lines 12 to 16 stand on page 3",
    4: "the chart of the deductions stands on page 4",
}


def findings_of(name: str, sent: Iterable[int]) -> str:
    """The same as `findings`, from any of the form's pages: `sent` has their numbers."""
    missing = {1, 2, 3, 4} - set(sent)
    if not missing or missing in ({1}, {4}):
        return findings(name, *missing)
    form = load(name)
    found = [c for c in form["corrections"] if c["planted"] and NEEDED[c["line"]] <= set(sent)]
    text = [f"I found {NUMBER[len(found)]} in what I can check."]
    for i, c in enumerate(found, 1):
        # it may depend on what is missing
        new = "" if c["line"] > 12 else f" should be {c['new']:,}"
        text.append(f"{i}. Page {c['page']}, line {c['line']}: {c['old']:,}{new}. {c['reason']}")
    for line in (11, 12, 14, 15):
        lacking = sorted(NEEDED[line] - set(sent))
        if lacking:
            why = " and ".join(LACKS[page] for page in lacking)
            text.append(f"Line {line} I cannot check: {why}, which I was not given.")
    return "\n".join(text)


def findings(name: str, missing: int = 0) -> str:
    """What a careful reader finds on a form, in words; `missing` is the page that was not sent, 1
    or 4.
    """
    form = load(name)
    found = [c for c in form["corrections"] if c["planted"] and not (missing and c["line"] == 12)]
    text = [
        f"I found {NUMBER[len(found)]} in what I can check."
        if missing
        else f"I found {NUMBER[len(found)]}."
    ]
    for i, c in enumerate(found, 1):
        # it depends on line 12
        new = "" if missing and c["line"] > 12 else f" should be {c['new']:,}"
        text.append(f"{i}. Page {c['page']}, line {c['line']}: {c['old']:,}{new}. {c['reason']}")
    if missing:
        text.append(
            f"Line 12, the standard deduction, I cannot check: {LACKS[missing]}, which I was not given. "
            "Line 15 depends on it, so I name no corrected taxable income."
        )
    else:
        moved = [
            f"Line 14 becomes {c['new']:,}, too."
            for c in form["corrections"]
            if not c["planted"] and c["line"] == 14
        ]
        text += [
            *moved,
            f"The taxable income on line 15 is {'then ' if found else ''}{corrected(form)[15]:,}.",
        ]
    tax = "has to be looked up again" if found else "I cannot check"
    text.append(f"Line 16, the tax, {tax}: I was not given the tax table.")
    return "\n".join(text)


def inspection(name: str) -> str:
    """What a careful inspector says of a shaft's page, in words."""
    part = load(name)
    text = []
    for f in part["features"]:
        low, high = limits(f)
        if f["name"] in part["out"]:
            text.append(
                f"{f['name']} is out of tolerance: measured {f['measured']} mm, drawing {f['nominal']} ± {f['tolerance']} mm, "
                f"so {low} to {high} mm are allowed."
            )
    for name in part["on_the_limit"]:
        text.append(f"{name} lies exactly on its limit and is still within tolerance.")
    good = len(part["features"]) - len(part["out"])
    text.append(
        f"{good} of {len(part['features'])} features are within tolerance: {'reject' if part['out'] else 'accept'} the part."
    )
    return "\n".join(text)


def limits(feature: dict[str, Any]) -> tuple[str, str]:
    """(lowest, highest) that the drawing allows, as texts with two decimals."""
    nominal, tolerance = (round(float(feature[k]) * 100) for k in ("nominal", "tolerance"))
    low, high = (f"{(nominal + sign * tolerance) / 100:.2f}" for sign in (-1, 1))
    return low, high
