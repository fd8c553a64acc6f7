"""How a notebook shows pictures small. No imaging library: a browser does it."""

import html

from ..facts import forms
from ..facts.pictures import KINDS, data_url, kind, size  # noqa: F401 (a notebook has all from here)
from ..shown import Shown

FRAME = "border:1px solid #888;background:#FFFFFF"


def small(files, alt, width=185):
    """Small copies of pages side by side, as a Shown. `alt` says each in words, in the same order."""
    if len(files) != len(alt):
        raise ValueError(f"{len(files)} pictures and {len(alt)} descriptions: each picture needs one.")  # fmt: skip
    shown = []
    for file, words in zip(files, alt):
        raw = (forms.FOLDER / "small" / file.name).read_bytes()
        shown.append(
            f'<figure style="margin:0"><img alt="{html.escape(words)}" src="{data_url(raw)}" width="{width}" style="{FRAME}">'
            f"<figcaption style='font-size:85%'>{html.escape(file.stem)}</figcaption></figure>"
        )
    text = "\n".join(f"[picture {file.name}: {words}]" for file, words in zip(files, alt))
    return Shown(text, f'<div style="display:flex;flex-wrap:wrap;gap:10px">{"".join(shown)}</div>')


def cut_out(file, first, last, alt, width=700):
    """The stretch of a page from one of its fields down to another, over the whole width of the
    page, as a Shown.

    LookupError for a field that is not on the page.
    """
    place = forms.boxes()[file.name]
    for field in (first, last):
        if field not in place["boxes"]:
            raise LookupError(f"{field!r} is not on {file.stem}; there are {', '.join(place['boxes'])}.")  # fmt: skip
    scale = width / place["size"][0]
    top, bottom = place["boxes"][first][1] - 40, place["boxes"][last][3] + 24
    return Shown(
        f"[from {file.name}: {alt}]",
        f'<div role="img" aria-label="{html.escape(alt)}" style="{FRAME};width:{width}px;max-width:100%;height:{round((bottom - top) * scale)}px;overflow:hidden">'
        f'<img alt="" src="{data_url(file.read_bytes())}" style="max-width:none;width:{width}px;margin-top:{-round(top * scale)}px"></div>',
    )
