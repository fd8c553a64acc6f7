"""Speech recognition put to the test: noise, two voices at once, and how many words came out wrong.

What was heard comes from the ears of the local API, where `start.py lab --voice` has set them up,
and else from data/realtime/heard.csv, what they heard when it was measured.
"""

import functools
import re

from .. import running
from ..common import left_out
from ..facts import sounds, tables

NOISES = (None, 30, 25, 20, 15, 10, 5, 0)  # dB of the voice above the noise; None: no noise
TONES = {"tired": (0.8, 0.85), "excited": (1.25, 1.2)}  # times as fast, times as high


def ears():
    """Who hears on this page, in a sentence."""
    if left_out.ears():
        return left_out.WITH_EARS
    return f"{left_out.NO_EARS} What this page shows was heard when we measured it."


def noisy(pcm, decibels, seed=1):
    """A sound with white noise under it, `decibels` softer than the voice; None adds none. The same
    seed makes the same noise.
    """
    import numpy as np

    if decibels is None:
        return pcm
    voice = np.frombuffer(pcm, "<i2").astype(float)
    noise = np.random.default_rng(seed).standard_normal(len(voice))
    loud = np.sqrt((voice**2).mean()) / 10 ** (decibels / 20)
    return _pcm(voice + loud * noise)


def mixed(one, other):
    """Two sounds at once, equally loud, as long as the longer."""
    import numpy as np

    parts = [np.frombuffer(pcm, "<i2").astype(float) for pcm in (one, other)]
    size = max(map(len, parts))
    return _pcm(sum(np.pad(p / np.sqrt((p**2).mean()), (0, size - len(p))) for p in parts) * 2_000)


def toned(pcm, tone):
    """A sound as somebody in that mood would say it, one of TONES; "" leaves it as it is.
    ValueError for another.
    """
    if tone and tone not in TONES:
        raise ValueError(
            f"tone is {tone!r}, but there are {', '.join(TONES)}, and none (an empty text)."
        )
    return sounds.paced(pcm, *TONES[tone]) if tone else pcm


def _pcm(samples):
    import numpy as np

    return np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()


def heard(name, noise=None, over="", tone=""):
    """The words that ears heard in a clip: with noise so many dB below the voice, over another
    clip, or in a tone of TONES. LookupError where there are no ears and nobody measured that.
    """
    rows = _measured()
    if rows is None:
        clip = toned(sounds.clip(name), tone)
        return _by_ears(mixed(clip, sounds.clip(over)) if over else noisy(clip, noise))
    key = "over another" if over else tone or ("" if noise is None else str(noise))
    if (name, key) not in rows:
        there = (
            [clip for clip, measured in rows if measured == tone] if tone else [n for n, _ in rows]
        )
        names = ", ".join(dict.fromkeys(there))
        where = "" if tone else f" with {', '.join(map(str, NOISES))}"
        raise LookupError(
            f"there are no ears here, and nobody measured {name!r} with {tone or f'noise {noise!r}'}: measured are "
            f"{names}{where}. `python start.py lab --voice` sets ears up, which hear any."
        )
    return rows[name, key]


@functools.cache  # looked up once: each step of a slider asks for seven clips
def _measured():
    """{(clip, noise): words heard} of data/realtime/heard.csv; None where there are ears."""
    if left_out.ears():
        return None
    table = tables.rows("realtime/heard.csv")
    return {(row["clip"], row["noise_db"]): row["heard"] for row in table}


def waits():
    """How long a visitor waits from the last word to the first sound of the answer, in a browser: a
    DataFrame of milliseconds with a row for each step and a column for who answers.
    """
    import pandas as pd

    table = tables.rows("realtime/waits.csv")
    steps = pd.Index([row["step"] for row in table], name="milliseconds")
    columns = {"a scene": "scene_ms", "a chat model": "chat_ms"}
    return pd.DataFrame(
        {title: [row.value(c, int) for row in table] for title, c in columns.items()}, steps
    )


def _by_ears(pcm):
    from openai import OpenAI

    client = OpenAI(base_url=running.server().url, api_key=running.server().key)
    file = ("clip.wav", sounds.wav(pcm))
    return client.audio.transcriptions.create(model="whisper-1", file=file).text


def words(text):
    """The words of a text as they are compared: small letters, no marks, numbers as they are said.

    >>> words("The tax on $9,325?")
    ['the', 'tax', 'on', 'nine', 'thousand', 'three', 'hundred', 'twenty', 'five', 'dollars']
    """
    text = re.sub(r"\$(\d[\d,.]*\d|\d)", r"\1 dollars", text)
    return re.findall(r"[a-z']+", sounds.spoken(text).lower())


def errors(said, heard):
    """(words wrong, words said): the fewest words to change, leave out or put in that make one text
    of the other.

    >>> errors("Good night, reindeer.", "God night.")
    (2, 3)
    """
    said, heard = words(said), words(heard)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1], len(said)


def error_rate(pairs):
    """Words wrong of a hundred, over all pairs (said, heard)."""
    counts = [errors(said, heard) for said, heard in pairs]
    return 100 * sum(wrong for wrong, _ in counts) / sum(all_ for _, all_ in counts)
