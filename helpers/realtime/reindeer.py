"""A reindeer whose mouth follows a sound: the curve of its mouth, and the widget that plays
both.
"""

from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ..common.markup import Template
from ..common.shown import COLOURS
from ..common.still import Still
from ..common.whole import whole
from ..facts import sounds
from . import voice_pages

HERE = Path(__file__)
A_SECOND = 50  # positions of the mouth
CLOSES = 0.25  # of the way at most in one step: lips do not flutter at the pitch of a voice
HISS = 300  # of 32,767: the largest amplitude that still counts as silence
STILL = Template("""
<div class="mathjax_ignore">
  {{ head | safe }}
  <p>{{ words }}</p>
  {% if note %}<p>{{ note }}</p>{% endif %}
</div>
""")


def mouth(pcm, rate=sounds.RATE):
    """How far the mouth is open, 0 to 1, for each 20 ms of a sound (PCM16, `rate` samples a
    second), as an array.

    It follows the amplitude (root of the mean square), opens at once and closes a little slower. 1
    is the amplitude that a twentieth of the sound reaches. ValueError for half a sample, or a rate
    that is no multiple of 50.

    >>> mouth(sounds.silence(100)).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    rate = whole(rate, "a rate, in samples a second,", A_SECOND)
    if len(pcm) % 2 or rate % A_SECOND:
        raise ValueError(
            f"PCM16 has 2 bytes a sample, and 20 ms a whole number of samples, not {len(pcm)} bytes at {rate} Hz"
        )
    sound = np.frombuffer(pcm, "<i2").astype(float)
    step = rate // A_SECOND
    sound = np.append(sound, np.zeros(-len(sound) % step)).reshape(-1, step)
    amplitude = np.sqrt((sound**2).mean(1))
    wished = amplitude / max(np.percentile(amplitude, 95) if len(amplitude) else 0, HISS)
    opened, now = [], 0.0
    for wish in wished:
        now = max(min(wish, 1), now - CLOSES)
        opened.append(now)
    return np.round(opened, 2)


def drawn(pcm, rate=sounds.RATE):
    """A plotly figure of a sound, its largest amplitude in each 20 ms, above the opening of the
    mouth.
    """
    from plotly.subplots import make_subplots

    opened = mouth(pcm, rate)
    sound = np.abs(np.frombuffer(pcm, "<i2").astype(int))
    loudest = (
        np.append(sound, np.zeros(-len(sound) % (int(rate) // A_SECOND), int))
        .reshape(len(opened), -1)
        .max(1)
    )
    seconds = np.arange(len(opened)) / A_SECOND
    fig = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.1)
    fig.add_scatter(x=seconds, y=loudest, name="sound", line_color=COLOURS[0], row=1, col=1)
    fig.add_scatter(
        x=seconds, y=-loudest, name="sound", line_color=COLOURS[0], fill="tonexty", row=1, col=1
    )
    fig.add_scatter(x=seconds, y=opened, name="mouth", line_color=COLOURS[1], row=2, col=1)
    fig.update_yaxes(title="amplitude", row=1, col=1)
    fig.update_yaxes(title="mouth, share", row=2, col=1)
    fig.update_xaxes(title="seconds", row=2, col=1)
    return fig.update_layout(
        title="The mouth opens with the voice, and shuts in each pause", showlegend=False
    )


class Reindeer(Still, anywidget.AnyWidget):
    """Plays a sound (PCM16, `rate` samples a second) out of the mouth of a reindeer.

    words: what it says, shown beneath; note: a further line, such as what was measured. The sound
    is in the running page only, not in the notebook's file.
    """

    _esm = HERE.with_suffix(".js")
    _css = HERE.with_suffix(".css")
    wav = traitlets.Bytes().tag(sync=True)
    head = traitlets.Unicode().tag(sync=True)
    mouth = traitlets.List().tag(sync=True)  # 50 numbers a second
    words = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)

    def __init__(self, pcm, words, rate=sounds.RATE, note=""):
        self.wav_ms = sounds.ms(pcm)
        super().__init__(
            head=voice_pages.source("reindeer.svg"),
            wav=sounds.wav(pcm, rate),
            mouth=mouth(pcm, rate).tolist(),
            words=words,
            note=note,
        )

    def still(self):
        return STILL.render(head=voice_pages.drawn_head(180), words=self.words, note=self.note)

    def __repr__(self):
        return (
            f"A reindeer {'says' if self.wav_ms else 'has no sound, its words are'}: {self.words}"
        )
