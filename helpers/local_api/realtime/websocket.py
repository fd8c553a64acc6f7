"""/v1/realtime over a WebSocket, as servers and browsers open it. Who may come in, and what each is
told who may not.

Like the API, it opens the socket before it judges: an error event and a close say what is wrong.
"""

import contextlib
import json
import sys

from tornado import web, websocket

from ...common.private import must_have
from ...facts.models import models
from .. import checks
from . import calls, events
from .config import REALTIME, TRANSCRIPTION
from .replayed import Replayed
from .session import Session

PATH = "/v1/realtime"
# bytes of a message that are still read, so that an error event can answer a sound that is too long
LARGEST = 64 * 1024 * 1024
PING_EVERY = 20  # seconds; a peer that does not answer one before the next is gone
AUTHENTICATION, REQUEST = 3000, 4000  # close codes
KEY_PROTOCOL = "openai-insecure-api-key."  # a browser's WebSocket can send no headers


def application(state, handler=None):
    """The tornado application that takes over a request to upgrade. handler: in the place of
    Socket.
    """
    return web.Application(
        [(PATH, handler or Socket, {"state": state})],
        websocket_ping_interval=PING_EVERY,
        websocket_max_message_size=LARGEST,
    )


must_have(websocket.WebSocketProtocol13, "_abort")


class Protocol(websocket.WebSocketProtocol13):
    """Says why it closes where a frame is a bad one; tornado's own only hangs up."""

    def _abort(self):
        if not (self.stream.closed() or self.server_terminated):
            wrong = sys.exc_info()[1]
            if wrong is None:
                self.close(1002, "protocol error")
            elif isinstance(wrong, UnicodeDecodeError):
                self.close(1007, "text that is not UTF-8")
            else:
                self.close(1011, "a fault of the local API")
        super()._abort()


class Socket(websocket.WebSocketHandler):
    """One client's WebSocket: a Session's events go out and in, or a recorded session's."""

    def get_websocket_protocol(self):
        made = super().get_websocket_protocol()
        return made and Protocol(self, False, made.params)

    def initialize(self, state):
        self.state, self.session, self.call = state, None, None
        write = lambda event, text: self.send_text(text)
        self.outgoing = events.Outgoing(write, state.tasks)
        query = {
            name: values[-1].decode("utf-8", "replace")
            for name, values in self.request.query_arguments.items()
        }
        self.recording = state.answers.library.find_recorded("WS", PATH, query, "", b"")
        self.set_header("X-Day9-Origin", "recorded" if self.recording else "constructed")

    def set_default_headers(self):
        self.set_header("Server", "day9-local-api")

    def prepare(self):
        wrong = self.state.door.stranger(self.request)
        if wrong:
            self.set_status(wrong.status)
            self.finish(wrong.body)

    def check_origin(self, origin):
        return True  # prepare() has

    def select_subprotocol(self, subprotocols):
        return "realtime" if "realtime" in subprotocols else None

    def open(self):
        # else a small event waits until the far end has acknowledged the one before it
        self.set_nodelay(True)
        try:
            self.enter()
        except checks.Bad as e:
            self.refuse(e)

    def refuse(self, e):
        """Tell an checks.Bad, and close."""
        self.send(
            {"type": "error", "event_id": events.new_id("event_")} | events.error_event(e.error)
        )
        self.close(
            getattr(e, "close_code", REQUEST),
            ".".join(filter(None, (e.error["type"], e.error["code"]))),
        )

    def admit(self):
        """Raises SessionRefused for one who does not know the key."""
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        key = next(
            (
                p.strip().removeprefix(KEY_PROTOCOL)
                for p in offered.split(",")
                if p.strip().startswith(KEY_PROTOCOL)
            ),
            None,
        )
        if key:
            self.request.headers["Authorization"] = f"Bearer {key}"
        if "Authorization" not in self.request.headers:
            raise SessionRefused(
                AUTHENTICATION, "Missing bearer or basic authentication in header", None
            )  # seen
        wrong = self.state.door.without_key(self.request)
        if wrong:
            raise SessionRefused(AUTHENTICATION, **_said(wrong))

    def enter(self):
        """Begin the session that is asked for. Raises SessionRefused."""
        if self.request.headers.get(
            "OpenAI-Beta"
        ) == "realtime=v1" or "openai-beta.realtime-v1" in self.request.headers.get(
            "Sec-WebSocket-Protocol", ""
        ):
            raise SessionRefused(REQUEST, calls.BETA["message"], calls.BETA["code"])
        self.admit()
        if self.recording:
            response = self.state.answers.library.next_response(self.recording, 0)
            self.session = Replayed(
                self.recording, response, self.send_text, self.close, self.state.pace
            )
            return self.session.open()
        if self.get_query_argument("call_id", None):
            return self._join(self.get_query_argument("call_id"))
        asked = self.state.realtime.secrets.session(self.request.headers) or {}
        if self.get_query_argument("intent", None) == TRANSCRIPTION:
            asked = {"type": TRANSCRIPTION} | asked
        if asked.get("type") == TRANSCRIPTION:
            return self.begin(None, asked)
        model = self.get_query_argument("model", None) or asked.get("model")
        if not model:
            raise SessionRefused(
                REQUEST,
                "You must provide a model parameter, for example ws://127.0.0.1/v1/realtime?model=gpt-realtime",
                "missing_model",
            )
        if models().get(model, {}).get("kind") != "realtime":
            raise SessionRefused(
                REQUEST, f'Model "{model}" is not supported in realtime mode.', "invalid_model"
            )
        self.begin(model, {"type": REALTIME, **asked, "model": model} if asked else None)

    def begin(self, model, config):
        self.session = Session(model, self.send, self.state, config=config, over=self.close)
        self.session.open()

    def _join(self, call_id):
        """Sit beside a WebRTC call: its events here too, and events of ours into it."""
        self.call = self.state.realtime.calls.get(call_id)
        if not self.call:
            raise SessionRefused(REQUEST, calls.NO_CALL, "call_id_not_found")
        self.send(
            {
                "type": "session.created",
                "event_id": events.new_id("event_"),
                "session": self.call.session.config,
            }
        )
        self.call.join(self.send, self.close)

    def send(self, event):
        self.outgoing.send(event)

    def send_text(self, text):
        with contextlib.suppress(websocket.WebSocketClosedError):
            written = self.write_message(text)
            # the peer may leave between the two
            written.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def on_message(self, message):
        """One after the other: a message is not read before the one before it is dealt with."""
        if self.call:
            self.call.received.put_nowait(message)
        elif self.session:
            await self.session.receive(message)

    def on_close(self):
        if self.call:
            self.call.leave(self.send)
        if self.session:
            self.session.close()


class SessionRefused(checks.Bad):
    """Told in an error event, after which the socket closes with `close_code`."""

    def __init__(self, close_code, message, code):
        super().__init__(message, code)
        self.close_code = close_code


def _said(answer):
    error = json.loads(answer.body)["error"]
    return {"message": error["message"], "code": error["code"]}
