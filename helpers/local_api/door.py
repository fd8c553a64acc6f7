"""Who may come in: programs and pages of this machine, and nobody that another page's name led
here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .answer import error

if TYPE_CHECKING:
    from .answer import Answer, Request


def is_loopback(origin: str) -> bool:
    """Whether a browser page comes from this machine."""
    try:
        return urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:  # no URL at all
        return False


def stranger(request: Request) -> Answer | None:
    """An error for a request that does not come from this machine's own programs and pages; else
    None.
    """
    # another page's name that was made to point here (DNS rebinding) shows itself in Host
    host = request.headers.get("Host", "")
    if host.split(":")[0].lower() not in ("127.0.0.1", "localhost"):
        return error(403, f"This local API answers to 127.0.0.1 only, not to the host {host!r}.")
    origin = request.headers.get("Origin")
    if origin and not is_loopback(origin):
        return error(403, f"This local API answers pages of this machine only, not {origin!r}.")
    return None
