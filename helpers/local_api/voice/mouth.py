"""A mouth: English text to speech, by hibari (Apache-2.0; its weights are in its wheel)."""

import numpy as np
from hibari import SAMPLE_RATE, Hibari

from .ears import session

SEED = 0  # of its breath: the same text has the same sound
LOUDEST = 0.9
# The model begins a third of a second before the first sound and ends half of one behind the last,
# which somebody who waits for an answer would wait for, too.
QUIET, BEFORE, BEHIND = 0.001, SAMPLE_RATE // 100, SAMPLE_RATE // 20


class Mouth:
    """Loads the model once; call it with text. Some 100 MB, most of it the lexicon."""

    def __init__(self):
        self.model = Hibari(threads=1)
        self.model.sess = session(self.model.model_path)  # gives back what a sentence has needed
        self.model("Hello.")  # the lexicon and the tagger load at the first sentence

    def __call__(self, text):
        """The sound of a text as PCM16 at 24 kHz, without silence at its ends; b"" where it has
        nothing that can be said.
        """
        sound = self.model(text, seed=SEED)
        loud = np.flatnonzero(np.abs(sound) > QUIET)
        if not len(loud):
            return b""
        sound = sound[max(0, loud[0] - BEFORE) : loud[-1] + BEHIND]
        return (np.clip(sound, -LOUDEST, LOUDEST) * 32_767).astype("<i2").tobytes()


assert SAMPLE_RATE == 24_000  # as everywhere in the Realtime API
