"""What is heard in a sound: the clip that it is; else, where ears are set up, the words in it.

Ears make words of anything: of silence "You", of noise and of other languages a fluent sentence. So
a sound goes to them only where the detector of turns finds a voice in it, and what they are unsure
of is told as that.
"""

import asyncio
import re
from dataclasses import dataclass, field

from ...facts import hearing, sounds, turns
from ..apart import Broken

RATE = 16_000  # of the ears
SPOKEN = 0.5  # a window's probability from which it holds speech
ENDS = sounds.RATE * 4  # samples of a sound's end in which its last word is looked for first
AROUND = RATE * 3 // 10  # samples of silence that are kept on both sides of speech
LONGEST, SHORTEST = (
    12 * RATE,
    6 * RATE,
)  # samples heard at once; a longer sound is cut between these
UNSURE = (
    -0.55
)  # mean log-probability below which it was no English, or nothing that can be understood
ROUND = re.compile(r"(\b[^.,]{8,}?)(?:\W+\1){1,}")  # a model that goes round in circles
NO_SPEECH = "There are no words in this sound: only silence, noise or music."


@dataclass(frozen=True)
class Listened:
    """clips: of hearing.Heard, in the order of time. spoken: the words that ears heard where no
    clip is. sure: their mean log-probability. why: why there are neither. parts: (first ms, last
    ms, words) of what was heard at once.
    """

    clips: list = field(default_factory=list)
    spoken: str = ""
    sure: float = 0.0
    why: str = ""
    parts: tuple = ()

    @property
    def words(self):
        return " ".join(clip.transcript for clip in self.clips) or self.spoken

    @property
    def unsure(self):
        return bool(self.spoken) and (self.sure < UNSURE or bool(ROUND.search(self.spoken)))


NOTHING = Listened()


async def listened(pcm, speech, clips=True):
    """The Listened of a sound (PCM16, 24 kHz). speech: a process.Speech. Never raises: what failed
    stands in `why`. clips: whether a clip that is known is taken as that.
    """
    known = await hearing.in_time(pcm) if clips else []
    if known or not speech.there:
        return Listened(known)
    pieces = await asyncio.to_thread(_spoken, pcm)
    if not pieces:
        return Listened(why=NO_SPEECH)
    try:
        found = [await speech.hear(piece) for _, piece in pieces]
    except Broken as e:
        return Listened(why=str(e))
    parts = [(at, at + len(piece) // 32, said) for (at, piece), (said, _) in zip(pieces, found) if said]  # fmt: skip
    if not parts:
        return Listened(why=NO_SPEECH)
    words = " ".join(said for _, _, said in parts)
    return Listened(spoken=words, sure=min(s for said, s in found if said), parts=tuple(parts))


def _spoken(pcm):
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
    pieces, at = [], first
    said = sounds.changed(pcm, sounds.RATE, RATE)[2 * first : 2 * last]
    # what is heard ahead ends right behind its last word, which ears then take for half of one
    for piece in _cut(said + bytes(2 * AROUND)):
        pieces.append((1000 * at // RATE, piece))
        at += len(piece) // 2
    return pieces


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
    import numpy as np

    while len(pcm) > 2 * LONGEST:
        part = np.abs(np.frombuffer(pcm[2 * SHORTEST : 2 * LONGEST], "<i2").astype("f4"))
        tenth = part.reshape(-1, RATE // 10).sum(1)
        at = SHORTEST + (int(tenth.argmin()) * 2 + 1) * RATE // 20
        yield pcm[: 2 * at]
        pcm = pcm[2 * at :]
    yield pcm
