"""The cells as readers use them: every knob turned, every exercise solved. Other edits stand in
tests/data/edits.

The changed cells run behind a notebook's own, in the same kernel (book.py): a cell asked for twice
is a cell edited. What the own ones show is what is stored, which was compared before.
"""

import functools
import re

import pytest

from tests.tools import refresh, solutions

BOOKS = refresh.notebooks()
KNOB = re.compile(
    r'^(?P<name>\w+) = (?P<value>"[^"]*"|\S+)(?P<gap> +# (?:.*; )?try )(?P<others>.+)$', re.M
)
OFF, ANSWERED, REFUSED = "off the map", "answered", "refused"


def stem(path):
    return path.relative_to(refresh.NOTEBOOKS).with_suffix("").as_posix()


def cells_of(nb, tag=None):
    return [
        c
        for c in nb.cells
        if c.cell_type == "code" and (tag is None or tag in c.metadata.get("tags", []))
    ]


def knobs(nb):
    """(cell's source, knob's line, the line with another value) for each value that a reader is
    invited to try.
    """
    for cell in cells_of(nb):
        for knob in KNOB.finditer(cell.source):
            for other in knob["others"].split(", "):
                value = f'"{other}"' if knob["value"].startswith('"') else other
                yield cell.source, knob[0], f"{knob['name']} = {value}"


def changed(path):
    """(name, source, check of what it shows) of each changed cell of a notebook, in the order in
    which they run.
    """
    nb = refresh.read(path)
    shown = {c.source: texts(c.outputs) for c in cells_of(nb)}
    turned = [(source, line, source.replace(line, other)) for source, line, other in knobs(nb)]
    results = {}
    for n, (source, line, other) in enumerate(turned, 1):
        last = (source, line) not in [knob[:2] for knob in turned[n:]]
        given = results.setdefault((source, line), [])
        yield f"knob {n}", other, functools.partial(answered, given, last and shown[source])
    for n, exercise in enumerate(solutions.of(nb), 1):
        yield f"solution {n}", exercise.solution, right


def answered(results, unturned, said):
    """`results`: what the other places of this knob gave; `unturned`: what the page shows, where no
    other follows.
    """
    results.append(said)
    assert kind(said) == ANSWERED, said
    assert not unturned or any(r != unturned for r in results), "this knob changes nothing"


def right(said):
    assert said[-1].startswith("Right. "), said


def texts(outputs):
    return [text(o) for o in refresh.whole_streams(outputs)]


def text(output):
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.get("text") or output["data"]["text/plain"]


def kind(found):
    said = "\n".join(found)
    if said.startswith("Off the map"):
        return OFF
    return (
        REFUSED
        if re.match(r"(BadRequest|NotFound)Error: 40[04]", said)
        else said.split(": ")[0]
        if re.match(r"\w+Error: ", said)
        else ANSWERED
    )


@pytest.mark.parametrize("path", BOOKS, ids=stem)
def test_every_notebook_has_knobs_and_two_exercises_that_start_unsolved(path):
    nb = refresh.read(path)
    assert list(knobs(nb))
    assert len(solutions.of(nb)) == 2
    for cell in cells_of(nb, "starter"):
        assert texts(cell.outputs)[-1].startswith("Not yet: ")


def test_a_cell_that_is_meant_to_fail_fails_as_off_the_map():
    tagged = [c for path in BOOKS for c in cells_of(refresh.read(path), "raises-exception")]
    assert tagged
    for cell in tagged:
        assert kind(texts(cell.outputs)) == OFF, cell.source
