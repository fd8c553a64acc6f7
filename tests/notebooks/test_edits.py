"""What learners change, and what comes of it: nothing wrong, nothing unreadable, and mostly an
answer.

The edits stand in tests/data/edits; `tests/tools/edited.py` says how one is written and how all are
run.
"""

import gc
import sys
from collections import Counter

import pytest

from tests.tools import edited, refresh

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
STEMS = [edited.stem(p) for p in refresh.notebooks() if edited.table(edited.stem(p))]
MOST_TRACEBACKS, LEAST_ANSWERED = 0.03, 0.60


@pytest.mark.parametrize("stem", STEMS)
def test_every_edit_is_answered_or_explained(stem):
    odd = []
    for edit, verdict, said in edited.outcomes(stem):
        missing = [words for words in edit["words"] if words not in said]
        if verdict != edit["verdict"] or missing:
            end = said if verdict == "hangs" else said[-600:]
            odd.append(f"{edit['changes']}: {verdict}, lacks {missing}\n{end}")
    assert not odd, "\n\n".join(odd)


def test_a_copy_frees_nothing_that_waits_for_threads_of_its_parent(monkeypatch):
    av = pytest.importorskip("av")
    monkeypatch.setattr(edited, "PATIENCE", 20)  # else for as long as an edit may take
    frame = av.AudioFrame(format="s16", layout="mono", samples=960)
    frame.sample_rate = 48_000
    gc.disable()
    try:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=24_000)
        resampler.resample(frame)
        circle = [resampler]
        circle.append(circle)
        del resampler, circle
        told = edited._apart(lambda: isinstance(gc.collect(), int))
    finally:
        gc.unfreeze()
        gc.enable()
    assert told is True


def test_the_shares(record_property):
    """Of the verdicts in the tables, which the tests above hold to what comes."""
    verdicts = Counter(edit["verdict"] for stem in STEMS for edit in edited.table(stem))
    n = verdicts.total()
    shares = ", ".join(f"{verdict} {k / n:.1%}" for verdict, k in verdicts.most_common())
    record_property("told", f"{n} edits: {shares}")
    assert n >= 400
    assert set(verdicts) <= set(edited.VERDICTS)
    assert verdicts[edited.TRACEBACK] / n <= MOST_TRACEBACKS
    assert verdicts[edited.ANSWERED] / n >= LEAST_ANSWERED
