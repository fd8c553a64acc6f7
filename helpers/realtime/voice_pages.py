"""The browser pages of 2_realtime: their text, and a frame in which they run inside a notebook."""

import difflib
import html
import os
import re
from pathlib import Path

import ipywidgets

from .. import running
from ..common import coloured, left_out
from ..common.markup import Template
from ..common.still import Still
from ..facts import sounds

PAGES = Path(__file__).with_name("pages")
FILES = {
    "WebRTC": ["webrtc.js"],
    "WebSocket": ["websocket.js", "websocket_worklet.js"],
}  # what each way takes; page.js is the same for both
CODE = re.compile("`(.*?)`")
EXAMPLE = (("you", "user-spanish"), ("it", "says-spanish"))  # that the still shows
LAWN = "user-reindeer", "says-reindeer"  # that the reindeer's still shows
ON_THE_LAWN = Template("""
<div class="mathjax_ignore">
  <p><b>A reindeer to talk to</b> (drawn; it talks where the notebook runs)</p>
  {{ head | safe }}
  {% for line in said %}<p>{{ loop.cycle("You", "It") }}: {{ line }}</p>{% endfor %}
</div>
""")
STILL = Template("""
<div class="mathjax_ignore">
  <p><b>A page to talk to</b> (drawn; it talks where the notebook runs)</p>
  <svg width="720" viewBox="0 0 720 190" role="img" aria-label="{{ says }}" font-family="sans-serif" font-size="14" fill="#222">
    <rect x="1" y="1" width="718" height="188" rx="4" fill="#fff" stroke="#888"/>
    <text x="16" y="30" font-weight="bold" font-size="18">Talk over WebRTC</text>
    <path d="M18 46V66" stroke="#0072b2" stroke-width="4"/>
    <text x="28" y="61">{{ status }}</text>
    {% for x, words in buttons %}
    <rect x="{{ x }}" y="80" width="200" height="28" rx="3" fill="#eee" stroke="#888"/>
    <text x="{{ x + 100 }}" y="99" text-anchor="middle">{{ words }}</text>
    {% endfor %}
    {% for line in lines %}<text x="16" y="{{ 138 + 28 * loop.index0 }}">{{ loop.index }}. {{ line }}</text>{% endfor %}
  </svg>
</div>
""")


def source(name):
    """A file of helpers/realtime/pages, as text."""
    return (PAGES / name).read_text(encoding="utf-8")


def drawn_head(width):
    """The reindeer's head as SVG, with a width in pixels, for where it stands still."""
    drawing = source("reindeer.svg").replace("<svg ", f'<svg width="{width}" ', 1)
    return drawing.replace(" Its mouth follows the sound.", "")


def listing(name):
    """The same, to look at: with the numbers of its lines. Returns a Shown."""
    language = {".js": "JavaScript", ".css": "CSS", ".html": "HTML"}[Path(name).suffix]
    return coloured.code(source(name), language, numbered=True)


def added(old, new):
    """The lines that a file has beyond another, as a list of (number, line). ValueError where it
    lacks one of the other's.
    """
    found, number = [], 0
    for mark, line in (
        (d[0], d[2:]) for d in difflib.ndiff(source(old).splitlines(), source(new).splitlines())
    ):
        number += mark in " +"
        if mark == "-":
            raise ValueError(f"{new} lacks a line of {old}: {line.strip()}")
        if mark == "+":
            found.append((number, line.strip()))
    return found


class _Framed(Still, ipywidgets.VBox):
    """A page in a frame, and a button that opens it anew. `mint` makes a client secret for each
    page that is opened.

    The secret goes behind the # of the address: a browser sends that to no server, and the page
    takes it out of the address as soon as it has read it. It is not saved with the notebook either.
    """

    height = "24em"

    def __init__(self, mint, *controls):
        self.mint = mint
        self.frame = ipywidgets.HTML()
        again = ipywidgets.Button(
            description="Open it anew", tooltip="Open the page again, with a new client secret"
        )
        again.on_click(self._open)
        super().__init__([ipywidgets.HBox([*controls, again]), self.frame])
        self._open()

    def _page(self):
        """(the file of the page, its title)"""
        raise NotImplementedError

    def _open(self, _=None):
        server = running.server()
        # a class's seats have a door for browsers on other machines, helpers/classroom/door.py
        door = os.environ.get("DAY9_DOOR")
        base = f"{door}/{server.port}" if door else server.url.removesuffix("/v1")
        ears = html.escape(left_out.WITH_EARS if left_out.ears() else left_out.NO_EARS)
        ears = CODE.sub(r"<code>\1</code>", ears)
        page, title = self._page()
        address = f"{base}/day9/pages/{page}"
        # `allow`: without it, a page from another port gets no microphone. The style: a page in a
        # frame is as dark as the frame's element says, and JupyterLab's dark theme says nothing.
        self.frame.value = (
            '<style>[data-jp-theme-light="false"] iframe.day9-talk { color-scheme: dark }</style>'
            f'<iframe class="day9-talk" src="{address}#{self.mint()}" title="{title}" allow="microphone; autoplay" '
            f'style="width:100%;height:{self.height};border:1px solid #888;border-radius:3px"></iframe>'
            f'<a href="{address}#{self.mint()}" target="_blank" rel="noopener" style="text-decoration:underline">The same page in a tab of its own</a>'
            f"<div>{ears}</div>"
        )


class Talk(_Framed):
    """The pages of both ways, one at a time."""

    def __init__(self, mint):
        # a check box: JupyterLab takes the arrow keys of a list for itself
        self.by_hand = ipywidgets.Checkbox(
            False, description="over a WebSocket instead", indent=False, layout={"width": "18em"}
        )
        self.by_hand.observe(self._open, "value")
        super().__init__(mint, self.by_hand)

    def _page(self):
        way = "WebSocket" if self.by_hand.value else "WebRTC"
        return f"{way.lower()}.html", f"Talk over {way}"

    def still(self):
        status = "Connected. A clip stands in for your voice."
        lines = [f"{who}: {sounds.transcript(name)}" for who, name in EXAMPLE]
        return STILL.render(
            says=f"The page in a call. {status} What was said: {' '.join(lines)}",
            status=status,
            buttons=[(16, "Start with the microphone"), (228, "Play a clip instead")],
            lines=lines,
        )

    def __repr__(self):
        return "Two pages to talk to, in a frame. They need a running kernel."


class OnTheLawn(_Framed):
    """The page of a reindeer that one talks to, over WebRTC: its mouth follows what it says."""

    height = "36em"

    def _page(self):
        return "reindeer.html", "Talk to the reindeer"

    def still(self):
        return ON_THE_LAWN.render(head=drawn_head(150), said=map(sounds.transcript, LAWN))

    def __repr__(self):
        return "A page with a reindeer to talk to, in a frame. It needs a running kernel."
