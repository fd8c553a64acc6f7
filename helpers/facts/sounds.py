"""Sound as the Realtime API has it: the clips in data/audio, speech put together from them, and the
formats on the wire.

Everywhere here sound is PCM16: 16-bit integers, little-endian, one channel, 24,000 a second, as
bytes. The clips were spoken by programs (data/README.md says which); no person and no model of
OpenAI's is heard.
"""

from __future__ import annotations

import functools
import io
import re
import wave
from typing import TYPE_CHECKING

from . import DATA, tables

if TYPE_CHECKING:
    import av


FOLDER = DATA / "audio"
RATE = 24_000  # samples a second
BYTES_A_MS = 2 * RATE // 1000

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = ["", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split()]
POWERS = ["", "thousand", "million"]
IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
LARGEST = 999_999_999  # that the pieces can say


def ms(pcm: bytes) -> int:
    """How many milliseconds (a whole number, rounded down) a sound lasts."""
    return len(pcm) // BYTES_A_MS


def silence(milliseconds: int) -> bytes:
    """So many milliseconds of nothing."""
    return bytes(milliseconds * BYTES_A_MS)


def wav(pcm: bytes, rate: int = RATE) -> bytes:
    """A sound as a WAV file, in bytes, for a browser to play. ValueError for half a sample."""
    if len(pcm) % 2:
        raise ValueError(
            f"PCM16 has 2 bytes a sample; {len(pcm)} bytes are no whole number of them"
        )
    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(pcm)
        return file.getvalue()


@functools.cache
def clips() -> dict[str, dict[str, str]]:
    """{name: row of data/audio/clips.csv}: file, start_ms, end_ms, side, language, voice,
    transcript.
    """
    return {row["name"]: row for row in tables.rows("audio/clips.csv")}


@functools.cache
def clip(name: str) -> bytes:
    """The sound of a clip, as PCM16 at 24 kHz. LookupError names those there are.

    >>> round(len(clip("user-christmas")) / 2 / RATE, 1)
    2.4
    """
    if name not in clips():
        raise LookupError(
            f"there is no clip {name!r}; there are {', '.join(n for n, row in clips().items() if row['side'] != 'piece')}"
        )
    row = clips()[name]
    return _file(row["file"])[int(row["start_ms"]) * BYTES_A_MS : int(row["end_ms"]) * BYTES_A_MS]


@functools.cache
def _file(name):
    import av

    with av.open(str(FOLDER / name)) as opened:
        halve = Resampler(48_000, RATE)
        return b"".join([halve.frame(frame) for frame in opened.decode(audio=0)]) + halve.end()


class Resampler:
    """Changes the rate of a sound that comes in pieces, as PCM16 of one channel."""

    def __init__(self, given: int, wanted: int) -> None:
        import av

        self.av, self.given = av, given
        self.inner = av.AudioResampler("s16", "mono", wanted)

    def __call__(self, pcm: bytes) -> bytes:
        """The next piece at the other rate; a few samples stay behind until the one after it."""
        if not pcm:
            return b""
        frame = self.av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.sample_rate = self.given
        plane = frame.planes[0]
        plane.update(pcm.ljust(plane.buffer_size, b"\0"))
        return self.frame(frame)

    def frame(self, frame: av.AudioFrame | None) -> bytes:
        return b"".join(
            bytes(piece.planes[0])[: 2 * piece.samples] for piece in self.inner.resample(frame)
        )

    def end(self) -> bytes:
        """What stayed behind."""
        return self.frame(None)


def changed(pcm: bytes, given: int, wanted: int) -> bytes:
    """A whole sound at another rate, both in samples a second."""
    resample = Resampler(given, wanted)
    return resample(pcm) + resample.end()


@functools.lru_cache(64)
def paced(pcm: bytes, speed: float = 1.0, pitch: float = 1.0) -> bytes:
    """A sound spoken `speed` times as fast, and `pitch` times as high."""
    if speed == pitch == 1:
        return pcm
    import av

    graph = av.filter.Graph()
    steps = [graph.add_abuffer(sample_rate=RATE, format="s16", layout="mono")]
    for name, value in (
        ("asetrate", str(int(RATE * pitch))),
        ("aresample", str(RATE)),
        ("atempo", str(max(0.5, speed / pitch))),
    ):
        steps.append(graph.add(name, value))
    if speed / pitch < 0.5:  # atempo goes no lower at once
        steps.append(graph.add("atempo", str(speed / pitch / 0.5)))
    steps += [
        graph.add("aformat", "sample_fmts=s16:channel_layouts=mono"),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*steps).configure()
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
    frame.sample_rate, frame.pts = RATE, 0
    frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
    graph.push(frame)
    graph.push(None)
    made = bytearray()
    while True:
        try:
            piece = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return bytes(made)
        made += bytes(piece.planes[0])[: 2 * piece.samples]  # type: ignore[union-attr]


# --- speech from pieces --------------------------------------------------------------------------------


def spoken(text: str) -> str:
    """A text with its numbers in words, as they are said.

    >>> spoken("On December 17th, the tax on 9,325 dollars is 932.50 dollars.")
    'On December seventeenth, the tax on nine thousand three hundred twenty five dollars is nine hundred thirty two point five zero dollars.'
    """
    text = re.sub(r"(\d+)(?:st|nd|rd|th)\b", lambda m: ordinal(int(m[1])), text)
    return re.sub(r"(-?)(\d[\d,]*)(?:\.(\d+))?", _number, text)


def _number(found):
    sign, whole, decimals = found.groups()
    comma = "," if whole.endswith(",") else ""  # the sentence's, not the number's
    words = cardinal(int(whole.replace(",", "")))
    if decimals:
        words += " point " + " ".join(ONES[int(d)] for d in decimals)
    return ("minus " if sign else "") + words + comma


def cardinal(n: int) -> str:
    """A whole number from 0 to 999,999,999 in words. ValueError for another.

    >>> cardinal(365)
    'three hundred sixty five'
    """
    if not 0 <= n <= LARGEST:
        raise ValueError(f"there are recorded words for 0 to {LARGEST:,}, not for {n:,}")
    groups = [n // 1000**power % 1000 for power in range(len(POWERS))]
    words = [
        word
        for power in (2, 1, 0)
        if groups[power]
        for word in (*_below_1000(groups[power]), POWERS[power])
        if word
    ]
    return " ".join(words) or ONES[0]


def _below_1000(n):
    if n >= 100:
        return [ONES[n // 100], "hundred", *(_below_1000(n % 100) if n % 100 else [])]
    if n < 20:
        return [ONES[n]]
    return [TENS[n // 10], *([ONES[n % 10]] if n % 10 else [])]


def ordinal(n: int) -> str:
    """1 to 99 as what is said for its place.

    >>> ordinal(1), ordinal(12), ordinal(23), ordinal(30)
    ('first', 'twelfth', 'twenty third', 'thirtieth')
    """
    *before, last = cardinal(n).split()
    return " ".join(
        [
            *before,
            IRREGULAR.get(last)
            or last.removesuffix("y") + ("ieth" if last.endswith("y") else "th"),
        ]
    )


PAUSES = {",": 120, ".": 300}  # milliseconds
BETWEEN = 25


@functools.lru_cache(256)
def said(text: str) -> bytes:
    """The sound of a text: its own clip, or one put together from recorded pieces. LookupError
    where a piece is missing.
    """
    whole = _sentences().get(text)
    return clip(whole) if whole else b"".join(_pieces(text))


@functools.cache
def _sentences():
    return {row["transcript"]: name for name, row in clips().items() if row["side"] == "assistant"}


@functools.cache
def _known_pieces():
    return {
        tuple(row["transcript"].lower().split()): name
        for name, row in clips().items()
        if row["side"] == "piece"
    }


def _pieces(text):
    known = _known_pieces()
    longest = max(map(len, known))
    words = spoken(text).split()
    while words:
        for n in range(min(longest, len(words)), 0, -1):
            name = known.get(tuple(word.strip(",.").lower() for word in words[:n]))
            if name:
                break
        else:
            raise LookupError(f"no piece of data/audio says {words[0]!r} in {text!r}")
        yield clip(name)
        yield silence(PAUSES.get(words[n - 1][-1], BETWEEN))
        words = words[n:]


# --- G.711, by the tables of the ITU's recommendation ---------------------------------------------------


@functools.cache
def _tables(law):
    """(what each of the 256 bytes stands for, the byte for each of the 65,536 values) as NumPy
    arrays.
    """
    import numpy as np

    byte = np.arange(256)
    if law == "audio/pcmu":
        flipped = ~byte & 0xFF
        value = (((flipped & 15) * 2 + 33) << (flipped >> 4 & 7)) - 33
        value = np.where(flipped & 0x80, -value, value) * 4
    else:
        flipped = byte ^ 0x55
        part = flipped >> 4 & 7
        value = np.where(
            part, ((flipped & 15) * 2 + 33) << np.maximum(part - 1, 0), (flipped & 15) * 2 + 1
        )
        value = np.where(flipped & 0x80, value, -value) * 8
    order = np.argsort(value, kind="stable")
    between = (value[order][1:] + value[order][:-1]) / 2
    nearest = order[np.searchsorted(between, np.arange(-32768, 32768))]
    return value.astype("<i2"), nearest.astype(np.uint8)


def to_g711(pcm: bytes, law: str) -> bytes:
    """PCM16 at 24 kHz as G.711 at 8 kHz; law is audio/pcmu or audio/pcma."""
    import numpy as np

    return _tables(law)[1][
        np.frombuffer(changed(pcm, RATE, 8_000), "<i2").astype(int) + 32768
    ].tobytes()


def from_g711(data: bytes, law: str) -> bytes:
    """G.711 bytes as PCM16, still at 8 kHz."""
    import numpy as np

    return _tables(law)[0][np.frombuffer(data, np.uint8)].tobytes()
