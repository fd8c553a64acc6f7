"""Which of the shipped clips a stretch of sound is: no speech recognition, only comparison with
what is known.

Sound becomes a picture of 20 log-mel bands, 50 columns a second, below 3.4 kHz, so that a
telephone's codec or Opus on a bad line leaves it much as it was. A clip is heard where its picture
lies over that of the sound; part of a clip, where turn detection cut it. Any other voice, saying
the same or something else, is not heard: say so.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..common import left_out
from . import meaning, sounds, tokens, turns
from .files import Broken

if TYPE_CHECKING:
    import numpy as np


BANDS, COLUMNS_A_SECOND = 20, 50
LOWEST, HIGHEST = 150, 3_400  # Hz
ALIKE = 0.55  # mean likeness from which a clip is heard; tests/local_api/realtime/test_realtime.py measures both sides of it
SHORTEST = 32  # spoken columns, 0.64 s: less is like too much
AT_ONCE = 200  # columns: 4 s of sound


_looking = concurrent.futures.ThreadPoolExecutor(1)


@dataclass
class Heard:
    """A clip, or the part of it from share `begin` to share `end`, found `at` so many columns into
    the sound.
    """

    name: str
    begin: float
    end: float
    at: int
    likeness: float

    @property
    def whole(self) -> bool:
        return self.begin < 0.1 and self.end > 0.9

    @property
    def transcript(self) -> str:
        """The words of it; of a part, those whose middle letters lie in it (an estimate: letters
        take equal time).
        """
        text = sounds.clips()[self.name]["transcript"]
        if self.whole:
            return text
        kept, at = [], 0
        for word in text.split():
            if self.begin <= (at + len(word) / 2) / len(text) <= self.end:
                kept.append(word)
            at += len(word) + 1
        return " ".join(kept)


@functools.cache
def _bands():
    """(window, the weight of each frequency in each band)"""
    import numpy as np

    size = 1024
    mel = lambda hz: 1127 * np.log1p(np.asarray(hz) / 700)
    edges = 700 * np.expm1(np.linspace(mel(LOWEST), mel(HIGHEST), BANDS + 2) / 1127)
    hz = np.fft.rfftfreq(size, 1 / sounds.RATE)
    up = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    return np.hanning(size).astype("f4"), np.clip(np.minimum(up, down), 0, None).astype("f4")


def picture(pcm: bytes) -> tuple[np.ndarray, np.ndarray]:
    """(columns of unit length, their loudness) of a sound; both NumPy arrays, a row a column."""
    import numpy as np

    window, bands = _bands()
    sound = np.frombuffer(pcm, "<i2").astype("f4")
    step = sounds.RATE // COLUMNS_A_SECOND
    if len(sound) < len(window):
        return np.zeros((0, BANDS), "f4"), np.zeros(0, "f4")
    columns = np.lib.stride_tricks.sliding_window_view(sound, len(window))[::step]
    # some at a time: while all are transformed at once, no other thread has its turn
    parts = (columns[at : at + AT_ONCE] for at in range(0, len(columns), AT_ONCE))
    power = np.concatenate([np.abs(np.fft.rfft(part * window)) ** 2 for part in parts]) @ bands
    loudness = np.log(power.sum(1) + 1e4)
    log = np.log(power + power.max() * 1e-5 + 1)  # what is 50 dB below the loudest is silence
    log -= log[_spoken(loudness)].mean(0)  # takes the line's own colour away
    log = np.concatenate([log[:1], log, log[-1:]])
    moves = log[2:] - log[:-2]
    both = np.concatenate([log[1:-1], moves], 1)
    return both / (np.linalg.norm(both, axis=1, keepdims=True) + 1e-6), loudness


def _spoken(loudness):
    return loudness > loudness.max() - 6  # 26 dB below the loudest


@functools.cache
def _known():
    """{name: (columns, weight of each)} of the clips that people say; one that was broken is not
    heard.
    """
    known = {}
    for name, row in sounds.clips().items():
        if row["side"] != "user":
            continue
        try:
            columns, loudness = picture(sounds.clip(name))
        except (ValueError, FileNotFoundError) as e:
            logging.warning("The clip %s is left out: %s", name, e)
        else:
            known[name] = columns, _spoken(loudness).astype("f4")
    return known


@functools.cache
def load() -> tuple[concurrent.futures.Future, concurrent.futures.Future]:
    """Begin to get ready what takes a second, in a thread, once a process. For the event loop
    alone.

    Gives the futures of the clips that are heard, and of the rest: the table of tokens, the clips
    that are said, the detector of turns, the phrases that are meant.
    """
    thread = concurrent.futures.ThreadPoolExecutor(1)
    return thread.submit(_known), thread.submit(_rest)


def load_here() -> None:
    """Get the same ready before this returns, without a thread: for a process that others are
    forked from.
    """
    _known()
    _rest()


def _rest():
    tokens.count("")  # which reads the table
    sounds.all_clips()
    with contextlib.suppress(left_out.LeftOut):
        turns.load()
    with contextlib.suppress(Broken):  # which is told where something is said
        meaning.load()


async def loaded() -> None:
    """Returns when all is ready."""
    _, rest = load()
    if not rest.done():
        await asyncio.wrap_future(rest)


async def in_time(pcm: bytes) -> list[Heard]:
    """heard(), in a thread that looks at one sound at a time: what the other sessions say goes out
    meanwhile.
    """
    known, _ = load()
    if not known.done():
        await asyncio.wrap_future(known)
    return await asyncio.get_running_loop().run_in_executor(_looking, heard, pcm)


def heard(pcm: bytes) -> list[Heard]:
    """What is heard in a sound, as a list of Heard in the order of time; empty where no clip is."""
    import numpy as np

    columns, loudness = picture(pcm)
    spoken: np.ndarray | list[int] = np.flatnonzero(_spoken(loudness)) if len(columns) else []
    if len(spoken) < SHORTEST:
        return []
    first, last = max(0, spoken[0] - 3), spoken[-1] + 4
    found = [
        one
        for name in _known()
        if (one := _best(name, columns[first:last], len(spoken), first)) and one.likeness >= ALIKE
    ]
    found.sort(key=lambda one: -one.likeness)
    kept: list[tuple[float, float, Heard]] = []
    for one in found:  # of two that lie over the same stretch, the one more alike
        length = len(_known()[one.name][0])
        begin, end = one.at + one.begin * length, one.at + one.end * length
        if all(end <= b + 10 or begin >= e - 10 for b, e, _ in kept):
            kept.append((begin, end, one))
    return [one for _, _, one in sorted(kept, key=lambda k: k[0])]


def _best(name, columns, spoken, first):
    """Where a clip lies best over columns of the sound, `spoken` of them not silent, the first of
    which is column `first`.
    """
    import numpy as np

    clip, weight = _known()[name]
    n, m = len(clip), len(columns)
    like = np.zeros((n, n + m), "f4")
    like[:, :m] = ((clip @ columns.T) * weight[:, None])[::-1]
    # read in rows one shorter, each row is shifted by one: the diagonals stand upright and can be
    # summed
    total = like.ravel()[: n * (n + m - 1)].reshape(n, n + m - 1).sum(0)
    at = np.arange(n + m - 1) - (n - 1)  # the column of the sound where the clip would begin
    so_far = np.concatenate([[0], weight.cumsum()])
    share = so_far[np.minimum(n, m - at)] - so_far[np.maximum(0, -at)]
    enough = share >= max(SHORTEST, 0.85 * min(weight.sum(), spoken))
    if not enough.any():
        return None
    score = np.where(enough, total / np.maximum(share, 1), -1)
    best = int(np.argmax(score))
    begin, end = max(0, -at[best]), min(n, m - at[best])
    return Heard(name, float(begin / n), float(end / n), int(at[best] + first), float(score[best]))
