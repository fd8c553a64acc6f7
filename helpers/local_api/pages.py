"""The browser pages of 2_realtime, as they lie in helpers/realtime/pages, and the clips of
data/audio.

They hold no key and no secret, so they ask for none: what a page may do, its client secret says.
"""

from pathlib import Path

from ..facts import DATA
from .answer import Answer, error

FOLDERS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".opus": "audio/ogg",
}
PAGES, CLIPS = Path(__file__).resolve().parents[1] / "realtime" / "pages", DATA / "audio"
# Nothing from elsewhere, no script inside a page; `frame-ancestors` is left open for the notebook
# that shows it.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self' blob:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*"


def page(method, name):
    """The Answer to GET /day9/pages/NAME: one of our files, by its name alone."""
    found = files().get(name)
    if method not in ("GET", "HEAD") or found is None:
        return error(
            404,
            f"There is no page {name!r}. There are: {', '.join(n for n in files() if n.endswith('.html'))}.",
        )
    kind = FOLDERS[found.suffix]
    headers = {
        "Content-Type": kind + "; charset=utf-8" * kind.startswith("text/"),
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-cache",
    }
    return Answer(200, found.read_bytes(), headers=headers)


def files():
    """{name: file} of all that may be asked for; no path is ever put together from what was
    asked.
    """
    return {
        f.name: f
        for folder in (PAGES, CLIPS)
        for f in sorted(folder.iterdir())
        if f.suffix in FOLDERS
    }
