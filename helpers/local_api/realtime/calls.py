"""WebRTC calls over HTTP: client secrets, an offer and its answer, hanging up; and the sideband of
a running call.

A call ties a Session to a Peer. Its events go to the data channel and to every sideband that has
joined.
"""

import asyncio
import importlib
import os
from urllib.parse import parse_qs

from ...common import left_out, strict_json
from ...facts import hearing
from .. import canonical, checks
from ..answer import Answer, as_json, bad_request, error, refused
from . import events
from .config import REALTIME, TRANSCRIPTION
from .secrets import Secrets, model_of
from .session import Session

MOST = 32  # calls at once; one core carries about as many
SDP, FORM = "application/sdp", "multipart/form-data"
CALLS = "/v1/realtime/calls"
BETA_PATHS = ("/v1/realtime", "/v1/realtime/sessions", "/v1/realtime/transcription_sessions")
COMPUTED = {"class": "computed", "source": "the local API"}
# What the API says, verbatim: pickle-com/glass#220 (2026-05-19); espressif/esp-webrtc-solution#17
# (2025-02-19); openai/codex#35094 (2026-07-24). Other texts here follow the same pattern and are
# ours.
BETA = {
    "message": "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    "type": "invalid_request_error",
    "param": None,
    "code": "beta_api_shape_disabled",
}
BAD_OFFER = "Invalid SDP offer. Please try again with a WHIP-compliant offer."
NO_CALL = "No session found for the provided call_id"


class Endpoints:
    """What is asked of the Realtime API by HTTP, and the calls that run."""

    def __init__(self, state):
        self.state = state
        self.secrets = Secrets()
        self.calls = {}  # {call id: Call}
        hearing.load()  # now: while somebody speaks, the half second without other threads would be heard

    def secret_error(self, value, path):
        """An error for a client secret that does not open `path`; None for one that does."""
        return self.secrets.error(value, path)

    def answer(self, request):
        """The Answer to a request below /v1/realtime, or a coroutine that gives it."""
        if request.method == "POST" and request.path in BETA_PATHS:
            return refused(400, BETA, "verbatim: pickle-com/glass#220", "2026-11-22", "")
        if request.method == "POST" and request.path == "/v1/realtime/client_secrets":
            return self.secret(request)
        if request.method == "POST" and request.path == CALLS:
            return self.call(request)
        call_id, _, verb = request.path.removeprefix(CALLS + "/").partition("/")
        if request.method == "POST" and verb in ("hangup", "accept", "reject", "refer"):
            return self.control(call_id, verb)
        return self.state.ready.answer(request)  # what else there is, and what is none at all

    async def secret(self, request):
        """POST /v1/realtime/client_secrets."""
        # will be needed, and takes a second
        self.state.tasks.keep(asyncio.to_thread(importlib.import_module, f"{__package__}.webrtc"))
        make = lambda: as_json(
            self.secrets.create(canonical.read_body("application/json", request.body or b"{}"))
        )
        try:
            made = await self.state.ready.read(request, make)
        except checks.Bad as e:
            return bad_request(e)
        return Answer(200, made, origin=COMPUTED)

    async def control(self, call_id, verb):
        """Hang up a call. The other verbs belong to telephone calls (SIP), of which there are none
        here.
        """
        call = self.calls.get(call_id)
        if call is None:
            return error(404, NO_CALL, code="call_id_not_found")
        if verb != "hangup":
            return error(
                400,
                f"{verb} is for an incoming SIP call; {call_id} is a WebRTC call.",
                code="invalid_value",
            )
        await call.close()
        return Answer(200, headers={"Content-Type": "text/plain; charset=utf-8"}, origin=COMPUTED)

    async def call(self, request):
        """POST /v1/realtime/calls: an offer in, its answer out, and a conversation that waits for
        the first sound.
        """
        if left_out.voice():
            return error(424, left_out.voice(), code=left_out.CODE)
        webrtc = await asyncio.to_thread(importlib.import_module, f"{__package__}.webrtc")
        if len(self.calls) >= MOST:
            return error(
                429,
                f"This local API holds {MOST} calls at once. Hang up one of them first.",
                "requests",
                code="rate_limit_exceeded",
            )
        asked = request.headers.get("X-Day9-Door")  # see classroom/door.py
        if asked and "DAY9_DOOR" in os.environ:
            others = webrtc.loopback.own()[1:]
            # by a name, or from this machine: any of them
            offered = [asked] if asked in others else others or webrtc.loopback.own()
            webrtc.loopback.WAY.set(webrtc.loopback.Way(offered, from_afar=True))
        elif request.headers.get("Origin"):  # a browser: Firefox knows no way to loopback
            webrtc.loopback.WAY.set(webrtc.loopback.Way(webrtc.loopback.own()))
        call = Call(self.state, webrtc.Peer, ended=self.calls.pop)
        self.calls[call.id] = call
        try:
            asked = await self.state.ready.read(request, self.asked, request)
            answer = await call.begin(*asked)
        except Exception as e:
            await call.close()
            if isinstance(e, checks.Bad):
                return bad_request(e)
            if isinstance(e, webrtc.BadOffer):
                return error(400, f"{BAD_OFFER} ({e})", code="invalid_offer")
            raise
        return Answer(
            201,
            answer.encode(),
            origin=COMPUTED,
            headers={"Content-Type": "text/plain; charset=utf-8", "Location": f"{CALLS}/{call.id}"},
        )

    def asked(self, request):
        """(offer, session) of a request, in either of its two forms. Raises checks.Bad."""
        content_type = request.headers.get("Content-Type", "")
        kind = content_type.partition(";")[0].strip().lower()
        session = self.secrets.session(request.headers)
        if kind == SDP:
            offer = request.body.decode("utf-8", "replace")
            session = session or {}
        elif kind == FORM:
            fields = form(content_type, request.body)
            offer = fields.get("sdp", "")
            if session is not None and "session" in fields:
                raise checks.Bad(
                    "A client secret has its session in it: send the offer alone.", param="session"
                )
            if session is None:
                try:
                    session = strict_json.loads(fields.get("session", "{}").encode())
                except ValueError as e:
                    raise checks.Bad(
                        f"'session' could not be parsed as JSON: {e}.", param="session"
                    ) from None
        else:
            # the pattern: openai/openai-openapi#502 (2025-11-11)
            raise checks.Bad(
                f"Unsupported content type: '{kind}'. This API method only accepts '{SDP}' or '{FORM}' requests, but you specified "
                f"the header 'Content-Type: {content_type}'. Please try again with a supported content type.",
                "unsupported_content_type",
            )
        if not offer:
            raise checks.missing("sdp")
        checks.mapping(session, "session")
        model = parse_qs(request.query).get("model", [None])[0]
        if session.get("type") != TRANSCRIPTION and not session.get("model"):
            if not model:
                raise checks.missing("session.model")
            session = {"type": REALTIME} | session | {"model": model}
        return offer, session


class Call:
    """One call: a Peer that carries it, a Session that holds it, and the sidebands that watch."""

    def __init__(self, state, make_peer, ended):
        self.state, self.ended = state, ended
        self.id = events.new_id("rtc_u0_")
        self.session, self.listeners = None, {}
        self.outgoing = events.Outgoing(self._write, state.tasks)
        self.received = asyncio.Queue()  # events of all sides, in the order in which they came
        self.peer = make_peer(
            hear=self._hear, told=self.received.put_nowait, opened=self._opened, gone=self._gone
        )

    async def begin(self, offer, session):
        """The SDP answer to an offer. Raises checks.Bad for the session, BadOffer for the offer."""
        self.session = Session(
            model_of(session),
            send=self._send,
            state=self.state,
            voice=self.peer.mouth,
            config=session,
            id=self.id.replace("rtc_", "sess_"),
            over=lambda code, why: self.state.tasks.keep(self.close()),
        )
        self.peer.mouth.session = self.session
        self.reading = self.state.tasks.keep(self._read())
        return await self.peer.answer(offer)

    def join(self, send, ended):
        """A sideband: `send` gets every event from now on, `ended()` is called when the call is
        over.
        """
        self.listeners[send] = ended

    def leave(self, send):
        self.listeners.pop(send, None)

    async def close(self):
        """Hang up."""
        await self.peer.close()

    def _send(self, event):
        self.outgoing.send(event)
        for send in list(self.listeners):
            send(event)

    def _write(self, event, text):
        if not (self.peer.send(text) or self._send_without_sound(event)):
            error = checks.Bad(
                f"{event['type']} has {len(text):,} bytes, more than this data channel takes in one message. "
                f"It goes to those alone who have joined by WebSocket, with call_id={self.id}.",
                "event_too_long",
            ).error
            self.peer.send(
                events.as_text(
                    {"type": "error", "event_id": events.new_id("event_")}
                    | events.error_event(error)
                )
            )

    def _send_without_sound(self, event):
        """An item that was asked for with a sound too long for the data channel goes there with its
        transcript alone. Some clients ask for each item, and have heard it already.
        """
        if event["type"] != "conversation.item.retrieved":
            return False
        item = event["item"]
        content = [{k: v for k, v in p.items() if k != "audio"} for p in item.get("content", [])]
        return self.peer.send(events.as_text(event | {"item": item | {"content": content}}))

    async def _hear(self, pcm):
        await self.session.hear(pcm)

    def _opened(self):
        self.session.open()

    async def _read(self):
        while True:
            await self.session.receive(await self.received.get())

    def _gone(self):
        self.ended(self.id, None)
        if self.session:
            self.reading.cancel()
            self.session.close()
        for ended in list(self.listeners.values()):
            ended()
        self.listeners.clear()


def form(content_type, raw):
    """{field: its text} of a multipart form, whether it came as a field or as a file. Raises
    checks.Bad.
    """
    fields, files = canonical.form_parts(content_type, raw)
    return fields | {
        name: content.decode("utf-8", "replace") for name, (_, content) in files.items()
    }
