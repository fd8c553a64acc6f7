"""The browser pages of 2_realtime: their text, and a frame in which they run inside a notebook."""

import difflib
import html
import os
from pathlib import Path

import ipywidgets

from .. import running
from ..common import coloured, left_out

PAGES = Path(__file__).with_name("pages")
FILES = {
    "WebRTC": ["webrtc.js"],
    "WebSocket": ["websocket.js", "websocket_worklet.js"],
}  # what each way takes; page.js is the same for both


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


class Talk(ipywidgets.VBox):
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
        way = "WebSocket" if self.by_hand.value else "WebRTC"
        address = f"{base}/day9/pages/{way.lower()}.html"
        # `allow`: without it, a page from another port gets no microphone. The style: a page in a
        # frame is as dark as the frame's element says, and JupyterLab's dark theme says nothing.
        self.frame.value = (
            '<style>[data-jp-theme-light="false"] iframe.day9-talk { color-scheme: dark }</style>'
            f'<iframe class="day9-talk" src="{address}#{self.mint()}" title="Talk over {way}" allow="microphone; autoplay" '
            'style="width:100%;height:24em;border:1px solid #888;border-radius:3px"></iframe>'
            f'<a href="{address}#{self.mint()}" target="_blank" rel="noopener" style="text-decoration:underline">The same page in a tab of its own</a>'
            f"<div>{html.escape(left_out.WITH_EARS if left_out.ears() else left_out.NO_EARS)}</div>"
        )

    def __repr__(self):
        return "Two pages to talk to, in a frame. They need a running kernel."
