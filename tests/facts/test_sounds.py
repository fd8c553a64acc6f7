"""Sound files of the reader's are read whatever they are, or refused in a sentence."""

import io
import wave

import av
import numpy as np
import pytest

from helpers.facts import hearing, sounds


def wav(pcm, rate, channels=1, width=2):
    """A sound (PCM16, 24 kHz) as a WAV file of another rate, width and number of channels."""
    samples = np.frombuffer(sounds.changed(pcm, sounds.RATE, rate), "<i2")
    if width == 1:
        samples = ((samples >> 8) + 128).astype("u1")
    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(width)
            out.setframerate(rate)
            out.writeframes(np.repeat(samples, channels).tobytes())
        return file.getvalue()


def coded(pcm, container, codec):
    """The same as another kind of file."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
        frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = sounds.RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


KINDS = {
    "48 kHz, stereo": lambda pcm: wav(pcm, 48_000, channels=2),
    "8 kHz, 8 bits": lambda pcm: wav(pcm, 8_000, width=1),
    "44.1 kHz": lambda pcm: wav(pcm, 44_100),
    "24 kHz": lambda pcm: wav(pcm, 24_000),
    "FLAC": lambda pcm: coded(pcm, "flac", "flac"),
    "Opus": lambda pcm: coded(pcm, "ogg", "libopus"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_file_is_the_sound_that_it_holds(kind, tmp_path):
    clip = "user-tax"
    (tmp_path / "mine.wav").write_bytes(KINDS[kind](sounds.clip(clip)))
    read = sounds.clip(str(tmp_path / "mine.wav"))
    assert abs(sounds.ms(read) - sounds.ms(sounds.clip(clip))) < 100
    assert [found.name for found in hearing.heard(read)] == [clip]
    assert "mine.wav" in sounds.transcript(str(tmp_path / "mine.wav"))


@pytest.mark.parametrize("what", [b"", b"hello there", b"ID3" + bytes(500)])
def test_what_is_no_sound_is_refused_by_name(what, tmp_path):
    (tmp_path / "mine.mp3").write_bytes(what)
    with pytest.raises(ValueError, match="mine.mp3"):
        sounds.clip(str(tmp_path / "mine.mp3"))


def test_what_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="mine.wav"):
        sounds.clip("mine.wav")
    with pytest.raises(LookupError, match="user-christmas"):
        sounds.clip("christmas")


@pytest.mark.parametrize("milliseconds", [0.5, -1])
def test_silence_is_whole(milliseconds):
    with pytest.raises(ValueError, match="whole number"):
        sounds.silence(milliseconds)


@pytest.mark.parametrize("rate", [0, -8_000, 8_000.5, "8000", 10**9])
def test_a_rate_is_one(rate):
    with pytest.raises(ValueError, match="samples a second"):
        sounds.changed(sounds.silence(100), sounds.RATE, rate)


def mp3(rate, kbits, tag):
    """A second of a clip as MP3, with or without the tag before it."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp3", options={"id3v2_version": "3" if tag else "0", "write_xing": "0"}) as out:  # fmt: skip
        stream = out.add_stream("mp3", rate=rate, bit_rate=1_000 * kbits, layout="mono")
        pcm = np.frombuffer(sounds.clip("user-tax")[: 2 * sounds.RATE], "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, "s16", "mono")
        frame.rate = sounds.RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return made.getvalue()


@pytest.mark.parametrize("rate, kbits", [(44_100, 128), (24_000, 32), (48_000, 64), (16_000, 24)])
@pytest.mark.parametrize("tag", [True, False])
def test_an_mp3_is_known_with_and_without_a_tag(rate, kbits, tag):
    data = mp3(rate, kbits, tag)
    assert data.startswith(b"ID3") == tag
    assert sounds.container(data) == "an MP3 file"
    assert sounds.read(data)


@pytest.mark.parametrize("begins", [b"\xff\xfb", b"\xff\xf3", b"\xff\xe3\xff\xff", b"\xff" * 4])
def test_samples_that_begin_like_a_frame_are_samples(begins):
    """-1,025 and the like, and in G.711 silence itself."""
    for rest in (b"", bytes(4_000), sounds.clip("user-tax")):
        assert sounds.container(begins + rest) == ""
