"""hear(): a player for a sound of the Realtime API, with what is said in it."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

from ..facts import sounds

if TYPE_CHECKING:
    import ipywidgets


def hear(pcm: bytes, said: str, who: str = "you") -> ipywidgets.HTML:
    """A widget that plays PCM16 at 24 kHz (bytes), with its words and its length beneath.

    The sound is in the running page only, not in the notebook's file. Raises ValueError for half a
    sample.
    """
    import ipywidgets

    label = f"{who}, {sounds.ms(pcm) / 1000:.1f} s: {said}"

    class Heard(ipywidgets.HTML):
        def __repr__(self):  # what a page without a running kernel shows
            return f"Sound of {label}"

    data = base64.b64encode(sounds.wav(pcm)).decode()
    return Heard(
        f'<figure style="margin:.3em 0;max-width:46em;line-height:1.4"><audio controls preload="metadata" aria-label="{html.escape(label)}" '
        f'src="data:audio/wav;base64,{data}"></audio><figcaption>{html.escape(label)}</figcaption></figure>'
    )
