"""The speech in a sound, in pieces that ears take at once.

In the process of the models: a thread beside the event loop would take a share of the interpreter
from it in each of the many steps of a packet, and whoever is being answered would hear that.
"""

import numpy as np

from ...facts import sounds, turns
from .ears import RATE

SPOKEN = 0.5  # a window's probability from which it holds speech
ENDS = sounds.RATE * 4  # samples of a sound's end in which its last word is looked for first
AROUND = RATE * 3 // 10  # samples of silence that are kept on both sides of speech
# samples heard at once; a longer sound is cut between these
LONGEST, SHORTEST = 12 * RATE, 6 * RATE


def pieces(pcm):
    """[(first ms, piece)] of a sound: PCM16 at 16 kHz that holds its speech; [] where there is
    none.
    """
    first = _row(pcm)
    if first is None:
        return []
    # what a long turn has behind it is not gone through again in each of its pauses
    end = max(0, len(pcm) // 2 - ENDS) // turns.WINDOW * turns.WINDOW
    last = _row(pcm[2 * end :], last=True)
    last = _row(pcm, last=True) if last is None else last + end // turns.WINDOW
    window = turns.WINDOW * RATE // sounds.RATE
    first = max(0, first * window - AROUND)
    last = (last + turns.IN_A_ROW) * window + AROUND
    found, at = [], first
    said = sounds.changed(pcm, sounds.RATE, RATE)[2 * first : 2 * last]
    # what is heard ahead ends right behind its last word, which ears then take for half of one
    for piece in _cut(said + bytes(2 * AROUND)):
        found.append((1000 * at // RATE, piece))
        at += len(piece) // 2
    return found


def _row(pcm, last=False):
    """The first window of the first row of windows that hold speech, or of the last row; None where
    there is none.
    """
    row, found = 0, None
    for i, (_, probability) in enumerate(turns.Detector(0).windows(pcm + sounds.silence(32)), 1):
        row = row + 1 if probability >= SPOKEN else 0
        if row >= turns.IN_A_ROW:
            found = i - turns.IN_A_ROW
            if not last:
                break
    return found


def _cut(pcm):
    """A sound in pieces of at most LONGEST samples, cut where it is quietest."""
    while len(pcm) > 2 * LONGEST:
        part = np.abs(np.frombuffer(pcm[2 * SHORTEST : 2 * LONGEST], "<i2").astype("f4"))
        tenth = part.reshape(-1, RATE // 10).sum(1)
        at = SHORTEST + (int(tenth.argmin()) * 2 + 1) * RATE // 20
        yield pcm[: 2 * at]
        pcm = pcm[2 * at :]
    yield pcm
