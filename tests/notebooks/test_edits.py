"""What learners change, and what comes of it: nothing wrong, nothing unreadable, and mostly an
answer.

The edits stand in tests/data/edits; `tests/tools/edited.py` says how one is written and how all are
run.
"""

import functools
import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.tools import edited, refresh

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="copies of a process are made by fork"
)
STEMS = [edited.stem(p) for p in refresh.notebooks() if edited.table(edited.stem(p))]
MOST_TRACEBACKS, LEAST_ANSWERED = 0.03, 0.60


@functools.cache
def outcomes():
    """{notebook: [(edit, verdict, all output)]}, from one run of them all."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.tools.edited", *STEMS],
        cwd=refresh.ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    found = {}
    for line in run.stdout.splitlines():
        found |= json.loads(line)
    assert set(found) == set(STEMS), run.stderr[-3000:]
    return {stem: [(e, *o) for e, o in zip(edited.table(stem), found[stem])] for stem in STEMS}


@pytest.mark.parametrize("stem", STEMS)
def test_every_edit_is_answered_or_explained(stem):
    odd = []
    for edit, verdict, said in outcomes()[stem]:
        missing = [words for words in edit["words"] if words not in said]
        if verdict != edit["verdict"] or missing:
            odd.append(f"{edit['changes']}: {verdict}, lacks {missing}\n{said[-600:]}")
    assert not odd, "\n\n".join(odd)


def test_the_shares(record_property):
    verdicts = Counter(v.split(":")[0].split()[0] for rows in outcomes().values() for _, v, _ in rows)  # fmt: skip
    n = verdicts.total()
    record_property("told", f"{n} edits: " + ", ".join(f"{v} {k / n:.1%}" for v, k in verdicts.most_common()))  # fmt: skip
    assert n >= 400
    assert verdicts["wrong"] == verdicts["broken"] == verdicts["hangs"] == 0
    assert verdicts[edited.TRACEBACK] / n <= MOST_TRACEBACKS
    assert verdicts[edited.ANSWERED] / n >= LEAST_ANSWERED
