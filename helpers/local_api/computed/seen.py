"""Which of our pages a picture is, also where it was saved again: in another format, smaller,
turned by a quarter.

A perceptual hash of a few hundred bits cannot tell a page from the same page with another amount.
So small grey copies are compared: no place of them may differ by more than a stroke of a pen would
make it. The pictures are decoded by PyAV, which aiortc brings.
"""

import functools
import io
import logging

from ...facts import forms
from .. import canonical

WIDTH, HEIGHT = 200, 259  # of the copies, in pixels
PLACE = 3  # pixels of a copy that are looked at together
MOST = 8.0  # levels of grey by which a place may differ: saved again at half the size 7.2, a digit changed 27 or more


@functools.cache
def _known():
    """{name of a page: (its copy, hash)}; a page whose file was broken is no page."""
    known = {}
    for file in forms.pictures():
        try:
            raw = file.read_bytes()
            known[file.stem] = _copies(raw)[0], canonical.digest(raw)
        except Exception as e:  # whatever a decoder says of what it cannot read
            logging.warning("data/forms/%s is no picture: %s", file.name, e)
    return known


@functools.cache
def _by_hash():
    return {digest: name for name, (_, digest) in _known().items()}


def page(raw):
    """The name of the page that a picture's bytes show, such as single-2 or shaft-a; None for any
    other picture.
    """
    name = _by_hash().get(canonical.digest(raw))
    return name or _like(raw)


@functools.lru_cache(8)  # each picture may be of 20 MB
def _like(raw):
    try:
        copies = _copies(raw)
    except Exception:  # whatever a decoder says of what it cannot read
        return None
    off = min((_furthest(copy, ours), name) for copy in copies for name, (ours, _) in _known().items())  # fmt: skip
    return off[1] if off[0] <= MOST else None


def _copies(raw):
    """Small grey copies of a picture, turned by 0, 90, 180 and 270 degrees."""
    import av
    import numpy as np

    with av.open(io.BytesIO(raw)) as container:
        frame = next(container.decode(video=0)).reformat(format="gray")
    whole = frame.to_ndarray()
    turned = [
        av.VideoFrame.from_ndarray(np.ascontiguousarray(np.rot90(whole, k)), format="gray")
        for k in range(4)
    ]
    return [
        f.reformat(width=WIDTH, height=HEIGHT, interpolation="AREA").to_ndarray().astype(float)
        for f in turned
    ]


def _furthest(one, other):
    """By how much the place differs in which two copies differ most."""
    import numpy as np

    sums = np.cumsum(np.cumsum(np.pad(one - other, ((1, 0), (1, 0))), 0), 1)
    places = sums[PLACE:, PLACE:] - sums[:-PLACE, PLACE:] - sums[PLACE:, :-PLACE] + sums[:-PLACE, :-PLACE]  # fmt: skip
    return float(np.abs(places).max()) / PLACE**2
