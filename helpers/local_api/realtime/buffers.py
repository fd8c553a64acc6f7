"""The input audio buffer. Time is counted in samples since the session began, so pacing changes
nothing.
"""

from ...facts import sounds


class InputBuffer:
    """Sound (PCM16, 24 kHz) that has come and is not committed yet."""

    def __init__(self):
        self.data, self.end = bytearray(), 0  # `end`: samples that have come in all

    @property
    def start(self):
        return self.end - len(self.data) // 2

    def append(self, pcm):
        self.data += pcm
        self.end += len(pcm) // 2

    def take(self, first=None, last=None):
        """The sound from sample `first` to sample `last` (all of it by default); what is before
        `last` is gone.
        """
        first, last = max(self.start, first or 0), self.end if last is None else last
        at = self.start
        with memoryview(self.data) as all_of_it:  # one copy less: it may be half an hour
            sound = bytes(all_of_it[2 * (first - at) : 2 * (last - at)])
        del self.data[: 2 * (last - at)]
        return sound

    def trim(self, milliseconds):
        """Forget all but the last so many milliseconds."""
        del self.data[: max(0, len(self.data) - milliseconds * sounds.BYTES_A_MS)]
