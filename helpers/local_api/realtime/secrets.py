"""Client secrets: what a browser is given in place of the key.

A secret (`ek_…`) opens Realtime sessions and nothing else, each with the configuration it was made
with, and only for a while. Whoever reads it in a page has that, for that long; whoever read the key
there would have everything.
"""

import secrets
import time

from ...facts.models import models
from .. import checks
from ..answer import error
from . import config, events

SHORTEST, LONGEST, USUAL = (
    10,
    7_200,
    600,
)  # seconds; openai 3.54.0, types/realtime/client_secret_create_params.py
REMEMBERED = 1_000  # an expired secret is told from an unknown one until so many have come after it
PATHS = ("/v1/realtime", "/v1/realtime/calls")  # what a secret opens
SHAPE = checks.thing(
    {
        "expires_after": checks.thing(
            {
                "anchor": checks.choice("created_at"),
                "seconds": checks.number(SHORTEST, LONGEST, whole=True),
            }
        ),
        "session": checks.mapping,
    }
)  # the session's own shape: config.started


class Secrets:
    """The secrets of one local API."""

    def __init__(self):
        self.known = {}  # {value: (expires_at, session as it was asked for)}

    def create(self, asked):
        """The body of the answer to POST /v1/realtime/client_secrets. Raises checks.Bad."""
        SHAPE(asked, "")
        now = int(time.time())
        session = asked.get("session", {})
        whole = config.started(events.new_id("sess_"), model_of(session), now, session) | {
            "expires_at": 0
        }
        expires_at = now + asked.get("expires_after", {}).get("seconds", USUAL)
        value = f"ek_{now:08x}{secrets.token_hex(12)}"  # the clock in front is the API's own habit
        while len(self.known) >= REMEMBERED:
            self.known.pop(next(iter(self.known)), None)  # two may be made at once, beside the loop
        self.known[value] = expires_at, session
        return {"value": value, "expires_at": expires_at, "session": whole}

    def session(self, headers):
        """The session of the secret that a request came with; None for one that came with the key.
        Both are checked before.
        """
        value = headers["Authorization"].split()[-1]
        return self.known[value][1] if value.startswith("ek_") else None

    def error(self, value, path):
        """An error for a secret that does not open `path`; None for one that does."""
        expires_at, _ = self.known.get(value, (None, None))
        if expires_at is None:
            return error(
                401,
                "Incorrect client secret provided: this local API has not made it. "
                "Get one with client.realtime.client_secrets.create().",
                code="invalid_api_key",
            )
        if time.time() >= expires_at:
            return error(
                401,
                "This client secret has expired. Make a new one with client.realtime.client_secrets.create().",
                code="invalid_api_key",
            )
        if path not in PATHS:
            return error(
                401,
                f"A client secret opens Realtime sessions only, not {path}. Use an API key.",
                code="invalid_api_key",
            )
        return None


def model_of(session):
    """The Realtime model that a session names; None where it needs none, as to transcribe, or where
    the client names it when it connects. Raises checks.Bad where it is none that is known.
    """
    checks.mapping(session, "session")
    name = session.get("model")
    if name is None:
        return None
    checks.text(name, "session.model")
    if models().get(name, {}).get("kind") != "realtime":
        raise checks.Bad(
            f"The model `{name}` does not exist or you do not have access to it.",
            "model_not_found",
            "session.model",
        )
    return name
