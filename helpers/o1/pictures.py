"""How a notebook shows pictures small. No imaging library: a browser does it."""

from ..common.markup import Template
from ..common.shown import Shown
from ..facts import forms
from ..facts.pictures import KINDS, data_url, kind, size  # noqa: F401 (a notebook has all from here)

FRAME = "border:1px solid #888;background:#FFFFFF"
SMALL = Template("""
<div style="display:flex;flex-wrap:wrap;gap:10px">
  {% for words, url, name in shown %}
  <figure style="margin:0">
    <img alt="{{ words }}" src="{{ url }}" width="{{ width }}" style="{{ frame }}">
    <figcaption style='font-size:85%'>{{ name }}</figcaption>
  </figure>
  {% endfor %}
</div>
""")
CUT_OUT = Template("""
<div role="img" aria-label="{{ alt }}" style="{{ frame }};box-sizing:border-box;width:{{ width }}px;max-width:100%;aspect-ratio:{{ ratio }};overflow:hidden">
  <img alt="" src="{{ url }}" style="width:100%;margin-top:{{ up }}%">
</div>
""")


def small(files, alt, width=185):
    """Small copies of pages side by side, as a Shown. `alt` says each in words, in the same
    order.
    """
    if len(files) != len(alt):
        raise ValueError(f"{len(files)} pictures and {len(alt)} descriptions: each picture needs one.")  # fmt: skip
    shown = [
        (words, data_url((forms.FOLDER / "small" / file.name).read_bytes()), file.stem)
        for file, words in zip(files, alt)
    ]
    text = "\n".join(f"[picture {file.name}: {words}]" for file, words in zip(files, alt))
    return Shown(text, SMALL.render(shown=shown, width=width, frame=FRAME))


def cut_out(file, first, last, alt, width=700):
    """The stretch of a page from one of its fields down to another, over the whole width of the
    page, as a Shown.

    LookupError for a field that is not on the page.
    """
    place = forms.boxes()[file.name]
    for field in (first, last):
        if field not in place["boxes"]:
            raise LookupError(f"{field!r} is not on {file.stem}; there are {', '.join(place['boxes'])}.")  # fmt: skip
    wide = place["size"][0]
    top, bottom = place["boxes"][first][1] - 40, place["boxes"][last][3] + 24
    return Shown(
        f"[from {file.name}: {alt}]",
        CUT_OUT.render(
            alt=alt,
            url=data_url(file.read_bytes()),
            frame=FRAME,
            width=width,
            ratio=f"{wide} / {bottom - top}",
            up=round(-100 * top / wide, 2),  # of the width, as CSS has it
        ),
    )
