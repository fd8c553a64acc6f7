"""Who may come in: programs and pages of this machine, and nobody that another page's name led
here.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .answer import error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answer import Answer, Request


def is_loopback(origin: str) -> bool:
    """Whether a browser page comes from this machine."""
    try:
        return urlsplit(origin).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:  # no URL at all
        return False


class Door:
    """Judges requests before they are answered.

    key: the throw-away key. secret_error: of a client secret and a path, the Answer that says why
    the one does not open the other, or None.
    """

    def __init__(self, key: str, secret_error: Callable[[str, str], Answer | None]) -> None:
        self.key, self.secret_error = key, secret_error

    def stranger(self, request: Request) -> Answer | None:
        """An error for a request that does not come from this machine's own programs and pages;
        else None.
        """
        # another page's name that was made to point here (DNS rebinding) shows itself in Host
        host = request.headers.get("Host", "")
        if host.split(":")[0].lower() not in ("127.0.0.1", "localhost"):
            return error(
                403, f"This local API answers to 127.0.0.1 only, not to the host {host!r}."
            )
        origin = request.headers.get("Origin")
        if origin and not is_loopback(origin):
            return error(403, f"This local API answers pages of this machine only, not {origin!r}.")
        return None

    def without_key(self, request: Request) -> Answer | None:
        """An error for a request that does not know the key; else None."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given.strip()
        if scheme.lower() != "bearer" or not given:
            return error(
                401,
                "You didn't provide an API key. Send it as `Authorization: Bearer KEY`; helpers.connect() puts the local API's throw-away key into OPENAI_API_KEY.",
            )
        if given.startswith("ek_"):
            return self.secret_error(given, request.path)
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            masked = (
                given[:3] + "*" * max(3, len(given) - 7) + given[-4:] if len(given) > 7 else "***"
            )
            return error(
                401,
                f"Incorrect API key provided: {masked}. This is the local API: its throw-away key is in OPENAI_API_KEY after helpers.connect().",
                code="invalid_api_key",
            )
        return None

    def unwelcome(self, request: Request) -> Answer | None:
        """An error for a request that may not ask at all; else None."""
        return self.stranger(request) or self.without_key(request)
