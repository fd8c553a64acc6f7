"""Sound as the Realtime API has it: the clips in data/audio, speech put together from them, and the
formats on the wire.

Everywhere here sound is PCM16: 16-bit integers, little-endian, one channel, 24,000 a second, as
bytes. The clips were spoken by programs (data/README.md says which); no person and no model of
OpenAI's is heard.
"""

from __future__ import annotations

import contextlib
import difflib
import functools
import io
import re
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from ..common.whole import whole
from . import DATA, tables

if TYPE_CHECKING:
    import av


FOLDER = DATA / "audio"
RATE = 24_000  # samples a second
LOWEST_RATE, HIGHEST_RATE = 100, 192_000  # that a sound is changed from and to
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
KINDS = (".wav", ".mp3", ".opus", ".ogg", ".flac", ".m4a", ".aac", ".webm", ".mp4", ".wma", ".aiff")
BEGINNINGS = {
    b"RIFF": "a WAV file",
    b"OggS": "an Ogg file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"\x1aE\xdf\xa3": "a WebM file",
}
# of frames of MPEG audio, layer III (ISO/IEC 11172-3 and 13818-3): kbit a second by the index in
# the header, for version 1 and for 2 and 2.5; samples a second by version and index
KBITS = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
LARGEST = 999_999_999  # that the pieces can say


def ms(pcm: bytes) -> int:
    """How many milliseconds (a whole number, rounded down) a sound lasts."""
    return len(pcm) // BYTES_A_MS


def container(data: bytes) -> str:
    """What kind of file bytes begin like, in words; "" for a sound without a container.

    >>> container(b"RIFF"), container(bytes(1_000))
    ('a WAV file', '')
    """
    for begins, name in BEGINNINGS.items():
        if data.startswith(begins):
            return name
    # the two bytes with which an MP3 without a tag begins are samples, too: so look for a second
    # frame
    length = _mpeg_frame(data)
    return "an MP3 file" if length and _mpeg_frame(data[length:]) else ""


def _mpeg_frame(data):
    """The bytes of the MPEG frame of layer III that begins here; 0 where none does."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2:
        return 0
    version, bits, rate = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3
    if version not in MPEG_RATES or bits in (0, 15) or rate == 3:
        return 0
    first = version == 3
    kbits, per_second = KBITS[first][bits - 1], MPEG_RATES[version][rate]
    return (144 if first else 72) * 1_000 * kbits // per_second + (data[2] >> 1 & 1)


def silence(milliseconds: int) -> bytes:
    """So many milliseconds of nothing. ValueError for a part of one, or less than none."""
    return bytes(whole(milliseconds, "silence, in milliseconds,") * BYTES_A_MS)


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
def clips() -> dict[str, tables.Row]:
    """{name: row of data/audio/clips.csv}: file, start_ms, end_ms, side, language, voice,
    transcript.
    """
    return {row["name"]: row for row in tables.rows("audio/clips.csv")}


def clip(name: str) -> bytes:
    """The sound of a clip, as PCM16 at 24 kHz; or that of a sound file of the reader's, given by
    its path.

    LookupError names the clips that there are; FileNotFoundError and ValueError are read()'s.

    >>> round(len(clip("user-christmas")) / 2 / RATE, 1)
    2.4
    """
    if not isinstance(name, (str, Path)):
        raise LookupError(f"a clip is named by a text, not by {name!r}; {_there_are()}")
    if name in clips():
        return _clip(name)
    if Path(name).suffix.lower() in KINDS:
        return read(Path(name))
    raise LookupError(f"there is no clip {name!r}; {_there_are(name)}")


def transcript(name: str) -> str:
    """The words of a clip; of a file of the reader's, which nobody wrote down, its name.
    LookupError as clip().

    >>> transcript("user-christmas")
    'How many days are left until Christmas?'
    """
    if name in clips():
        return clips()[name]["transcript"]
    clip(name)
    return f"({Path(name).name}: a sound of yours, whose words are not known)"


def _there_are(name=""):
    like = difflib.get_close_matches(str(name), clips(), 3, 0.5)
    rest = [n for n, row in clips().items() if row["side"] != "piece" and n not in like]
    return f"there are {', '.join(like + rest)}; a file of yours is given by its path, such as 'mine.wav'"


@functools.cache
def _clip(name):
    row = clips()[name]
    start, end = (row.value(column, int) * BYTES_A_MS for column in ("start_ms", "end_ms"))
    return _file(row["file"])[start:end]


def all_clips() -> None:
    """Keep every clip ready, and none of the files that they are cut from. One that was broken is
    told when it is needed.
    """
    for name in clips():
        with contextlib.suppress(ValueError, FileNotFoundError):
            clip(name)
    _file.cache_clear()


def read(source: Path | bytes) -> bytes:
    """Any sound file that FFmpeg knows (WAV, MP3, Opus, FLAC, M4A, WebM …), of any rate and number
    of channels, as PCM16 at 24 kHz. `source`: its path, or its bytes.

    FileNotFoundError where there is none, ValueError for what is no sound, or has none in it.
    """
    import av

    name = str(source.name) if isinstance(source, Path) else "these bytes"
    if isinstance(source, Path) and not source.is_file():
        raise FileNotFoundError(2, f"there is no file {source}", str(source))
    opened_from = str(source) if isinstance(source, Path) else io.BytesIO(source)
    try:
        with av.open(opened_from, mode="r") as opened:
            if not opened.streams.audio:
                raise ValueError(f"{name} has no sound in it")
            halve = Resampler(opened.streams.audio[0].rate, RATE)
            pcm = b"".join([halve.frame(frame) for frame in opened.decode(audio=0)]) + halve.end()
    except (av.error.FFmpegError, EOFError) as e:
        raise ValueError(f"{name} cannot be read as sound: {getattr(e, 'strerror', e)}") from None
    if not pcm:
        raise ValueError(f"{name} holds a sound of no length")
    return pcm


@functools.cache
def _file(name):
    return read(FOLDER / name)


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
    """A whole sound at another rate, both in samples a second. ValueError for a rate that is
    none.
    """
    given, wanted = (
        whole(rate, "a rate, in samples a second,", LOWEST_RATE, HIGHEST_RATE)
        for rate in (given, wanted)
    )
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


# --- speech from pieces ---------------------------------------------------------------------------


def spoken(text: str) -> str:
    """A text with its numbers in words, as they are said.

    >>> spoken("On December 17th, the tax on 9,325 dollars")
    'On December seventeenth, the tax on nine thousand three hundred twenty five dollars'
    >>> spoken("932.50")
    'nine hundred thirty two point five zero'
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


def has_clip(text: str) -> bool:
    """Whether a clip says just this text."""
    return text in _sentences()


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


# --- G.711, by the tables of the ITU's recommendation ---------------------------------------------


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
