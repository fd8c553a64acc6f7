"""What stands in the place of a widget where no kernel runs, and programs in colours."""

import base64
import re

import pytest

import helpers
from helpers.common import coloured, still
from helpers.facts import sounds
from helpers.realtime.hear import hear
from helpers.realtime.reindeer import Reindeer


def kept(widget):
    """(HTML, text) that a notebook's file has of a widget."""
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    return data["text/html"], data["text/plain"]


def drawings(html):
    return [
        (alt, base64.b64decode(data).decode())
        for alt, data in re.findall(
            r'<img alt="(.*?)" src="data:image/svg\+xml;base64,(.*?)"', html
        )
    ]


def test_a_drawing_becomes_a_picture_with_its_label():
    html = still.pictures(
        '<p>before</p><svg role="img" aria-label="a &lt; b"><g/></svg><p>after</p>'
    )
    ((alt, drawn),) = drawings(html)
    assert alt == "a &lt; b" and drawn.endswith("<g/></svg>") and "xmlns" in drawn
    assert "<svg" not in html and "after" in html


def test_a_sound_is_drawn_with_its_words():
    html, text = kept(hear(sounds.clip("user-thanks"), "Thank you, and good night."))
    ((alt, drawn),) = drawings(html)
    assert drawn.count("v") > 100 and "loudness" in alt
    assert "Thank you, and good night." in html and text.startswith("Sound of you")
    silence, _ = kept(hear(b"", "x"))
    assert not drawings(silence) and "no sound came" in silence
    assert "text alone" in kept(hear(b"", ""))[0]


def test_a_slider_keeps_what_it_begins_with():
    html, _ = kept(helpers.turn(lambda n: f"<b>{n * 2}</b>", n=(0, 10, 1, 3, "tokens")))
    assert "n, tokens: 3" in html and "<b>6</b>" in html


def test_the_reindeer_is_drawn_with_its_words():
    html, _ = kept(Reindeer(sounds.silence(100), "Good evening!"))
    ((alt, drawn),) = drawings(html)
    assert "reindeer" in alt and "jaw" in drawn and "Good evening!" in html


def test_a_program_is_coloured_and_folded_where_it_is_long():
    short = coloured.code('x = "$5"  # five\n', "Python")
    assert repr(short) == 'x = "$5"  # five'
    html = short._repr_html_()
    assert "mirror-editor-string-color" in html and "font-style:italic" in html
    assert "<details" not in html and "$" not in html
    long = coloured.code("a\n" * 100, "JavaScript", numbered=True)
    assert "<summary>JavaScript, 100 lines</summary>" in long._repr_html_()
    assert repr(long).splitlines()[-1] == "100  a"
    with pytest.raises(ValueError, match="Klingon"):
        coloured.code("", "Klingon")
