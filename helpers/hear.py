"""hear(): a player for a sound of the Realtime API, with what is said in it."""
import base64
import html
import io
import wave

from . import sounds


def hear(pcm, said, who="you"):
    """A widget that plays PCM16 at 24 kHz (bytes), with its words and its length beneath.

    The sound is in the running page only, not in the notebook's file. Raises ValueError for half a sample.
    """
    import ipywidgets

    if len(pcm) % 2:
        raise ValueError(f"PCM16 has 2 bytes a sample; {len(pcm)} bytes are no whole number of them")
    label = f"{who}, {sounds.ms(pcm) / 1000:.1f} s: {said}"

    class Heard(ipywidgets.HTML):
        def __repr__(self):  # what a page without a running kernel shows
            return f"Sound of {label}"

    with io.BytesIO() as file:
        with wave.open(file, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(sounds.RATE)
            out.writeframes(pcm)
        data = base64.b64encode(file.getvalue()).decode()
    return Heard(f'<figure style="margin:.3em 0;max-width:46em;line-height:1.4"><audio controls preload="metadata" aria-label="{html.escape(label)}" '
                 f'src="data:audio/wav;base64,{data}"></audio><figcaption>{html.escape(label)}</figcaption></figure>')
