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


class Talk(Still, ipywidgets.VBox):
    """The two pages in a frame, one at a time. `mint` makes a client secret for each page that is
    opened.

    The secret goes behind the # of the address: a browser sends that to no server, and the page
    takes it out of the address as soon as it has read it. It is not saved with the notebook either.
    """

    def __init__(self, mint):
        self.mint = mint
        # a check box: JupyterLab takes the arrow keys of a list for itself
        self.by_hand = ipywidgets.Checkbox(
            False, description="over a WebSocket instead", indent=False, layout={"width": "18em"}
        )
        self.frame = ipywidgets.HTML()
        self.by_hand.observe(self._open, "value")
        again = ipywidgets.Button(
            description="Open it anew", tooltip="Open the page again, with a new client secret"
        )
        again.on_click(self._open)
        super().__init__([ipywidgets.HBox([self.by_hand, again]), self.frame])
        self._open()

    def _open(self, _=None):
        server = running.server()
        # a class's seats have a door for browsers on other machines, helpers/classroom/door.py
        door = os.environ.get("DAY9_DOOR")
        base = f"{door}/{server.port}" if door else server.url.removesuffix("/v1")
        ears = html.escape(left_out.WITH_EARS if left_out.ears() else left_out.NO_EARS)
        ears = CODE.sub(r"<code>\1</code>", ears)
        way = "WebSocket" if self.by_hand.value else "WebRTC"
        address = f"{base}/day9/pages/{way.lower()}.html"
        # `allow`: without it, a page from another port gets no microphone. The style: a page in a
        # frame is as dark as the frame's element says, and JupyterLab's dark theme says nothing.
        self.frame.value = (
            '<style>[data-jp-theme-light="false"] iframe.day9-talk { color-scheme: dark }</style>'
            f'<iframe class="day9-talk" src="{address}#{self.mint()}" title="Talk over {way}" allow="microphone; autoplay" '
            'style="width:100%;height:24em;border:1px solid #888;border-radius:3px"></iframe>'
            f'<a href="{address}#{self.mint()}" target="_blank" rel="noopener" style="text-decoration:underline">The same page in a tab of its own</a>'
            f"<div>{ears}</div>"
        )

    def still(self):
        lines = [f"{who}: {sounds.transcript(name)}" for who, name in EXAMPLE]
        status = "Connected. A clip stands in for your voice."
        return STILL.render(
            says=f"The page in a call. {status} What was said: {' '.join(lines)}",
            status=status,
            buttons=[(16, "Start with the microphone"), (228, "Play a clip instead")],
            lines=lines,
        )

    def __repr__(self):
        return "Two pages to talk to, in a frame. They need a running kernel."
