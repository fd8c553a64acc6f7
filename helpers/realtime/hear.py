"""hear(): a player for a sound of the Realtime API, with what is said in it."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

import numpy as np

from ..common.markup import Template
from ..common.still import Still
from ..facts import sounds
from . import sockets  # noqa: F401 (who hears an answer waits for it: importing it is what counts)

if TYPE_CHECKING:
    import ipywidgets


WIDE, HIGH = 480, 48  # pixels of the drawing of a sound, where none can be played
STILL = Template("""
<figure style="margin:.3em 0;max-width:46em;line-height:1.4">
  {% if bars %}
  <svg role="img" aria-label="The loudness of the sound, from its beginning to its end." width="{{ wide }}" height="{{ high }}">
    <path d="{% for x, bar in bars %}M{{ x }} {{ (high - bar) / 2 }}v{{ bar }}{% endfor %}" stroke="#0072B2" stroke-width="2"/>
  </svg>
  {% endif %}
  <figcaption>{{ label }}</figcaption>
</figure>
""")


def _loudness(pcm):
    """[(x, height)] of the bars that draw a sound: its largest amplitude in each 3 pixels."""
    samples = np.abs(np.frombuffer(pcm, "<i2").astype(int))
    most = max(int(samples.max(initial=1)), 1)
    pieces = np.array_split(samples, WIDE // 3) if len(samples) >= WIDE else []
    return [(3 * i + 1, 2 + (HIGH - 2) * int(p.max()) // most) for i, p in enumerate(pieces)]


def hear(pcm: bytes, said: str, who: str = "you") -> ipywidgets.HTML:
    """A widget that plays PCM16 at 24 kHz (bytes), with its words and its length beneath. The bytes
    of a sound file (WAV, MP3, Opus …) are read as what they are.

    The sound is in the running page only; the notebook's file has a drawing of it. Raises
    ValueError for half a sample and for a file that cannot be read, TypeError for what is no
    sound.
    """
    import ipywidgets

    if not isinstance(pcm, (bytes, bytearray)):
        raise TypeError(f"hear() plays a sound, in bytes, not {type(pcm).__name__}")
    if sounds.container(pcm):
        pcm = sounds.read(bytes(pcm))
    label = f"{who}, {sounds.ms(pcm) / 1000:.1f} s: {said or '(no words)'}"
    if not pcm:
        why = "no words either: it was text alone, a call or cut off; helpers.show(…) says which"
        label = f"{who}: no sound came; {f'its words: {said}' if said else why}"

    class Heard(Still, ipywidgets.HTML):
        def __repr__(self):
            return f"Sound of {label}" if pcm else f"No sound of {label}"

        def still(self):
            return STILL.render(label=label, bars=_loudness(pcm), wide=WIDE, high=HIGH)

    data = base64.b64encode(sounds.wav(pcm)).decode()
    player = f'<audio controls preload="metadata" aria-label="{html.escape(label)}" src="data:audio/wav;base64,{data}"></audio>'
    return Heard(
        f'<figure style="margin:.3em 0;max-width:46em;line-height:1.4">{player if pcm else ""}'
        f"<figcaption>{html.escape(label)}</figcaption></figure>"
    )
