"""What is heard in a sound: the clip that it is; else, where ears are set up, the words in it.

Ears make words of anything: of silence "You", of noise and of other languages a fluent sentence. So
a sound goes to them only where the detector of turns finds a voice in it, and what they are unsure
of is told as that.
"""

import re
from dataclasses import dataclass, field

from ...facts import hearing
from ..apart import Broken

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
    try:
        pieces = await speech.pieces(pcm)
        found = [await speech.hear(piece) for _, piece in pieces]
    except Broken as e:
        return Listened(why=str(e))
    parts = [(at, at + len(piece) // 32, said) for (at, piece), (said, _) in zip(pieces, found) if said]  # fmt: skip
    if not parts:
        return Listened(why=NO_SPEECH)
    words = " ".join(said for _, _, said in parts)
    return Listened(spoken=words, sure=min(s for said, s in found if said), parts=tuple(parts))
