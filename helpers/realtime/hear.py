"""hear(): a player for a sound of the Realtime API, with what is said in it."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from ..facts import sounds
from . import sockets  # noqa: F401 (who hears an answer waits for it: importing it is what counts)

if TYPE_CHECKING:
    import ipywidgets


def hear(pcm: bytes, said: str, who: str = "you") -> ipywidgets.HTML:
    """A widget that plays PCM16 at 24 kHz (bytes), with its words and its length beneath. The bytes
    of a sound file (WAV, MP3, Opus …) are read as what they are.

    The sound is in the running page only, not in the notebook's file. Raises ValueError for half a
    sample and for a file that cannot be read, TypeError for what is no sound.
    """
    import ipywidgets

    if not isinstance(pcm, (bytes, bytearray)):
        raise TypeError(f"hear() plays a sound, in bytes, not {type(pcm).__name__}")
    if sounds.container(pcm):
        pcm = sounds.read(bytes(pcm))
    label = f"{who}, {sounds.ms(pcm) / 1000:.1f} s: {said or '(no words)'}"
    if not pcm:
        label = f"{who}: no sound came; {f'its words: {said}' if said else 'no words either'}"

    class Heard(ipywidgets.HTML):
        def __repr__(self):  # what a page without a running kernel shows
            return f"Sound of {label}" if pcm else f"No sound of {label}"

    data = base64.b64encode(sounds.wav(pcm)).decode()
    player = f'<audio controls preload="metadata" aria-label="{html.escape(label)}" src="data:audio/wav;base64,{data}"></audio>'
    return Heard(
        f'<figure style="margin:.3em 0;max-width:46em;line-height:1.4">{player if pcm else ""}'
        f"<figcaption>{html.escape(label)}</figcaption></figure>"
    )
