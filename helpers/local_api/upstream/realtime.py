"""Realtime with an upstream: WebSocket sessions passed on both ways, calls and client secrets over
HTTP.

Sound of a WebRTC call flows between the reader's browser and the upstream itself; only its offer
passes here. A message is read on one side when the one before it has been taken on the other, so
nothing piles up in between.
"""

import asyncio
import contextlib
import datetime
import hashlib
import json
import time
from decimal import Decimal
from urllib.parse import parse_qs, urlencode

import websockets.asyncio.client
from tornado import websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from ...common.private import must_have
from ...facts import prices
from .. import checks, pieces
from ..answer import Answer, as_json, error, message_of
from ..realtime import calls, events
from ..realtime import websocket as here
from . import forward, session_tape, spending
from .recorder import sdk_of

PASSED_ON = ("OpenAI-Beta", "OpenAI-Safety-Identifier")
WAITS = 30  # seconds for the upstream to open a session
AHEAD = 4  # messages of the upstream that wait for the reader
USUAL_ANSWER = 4_096  # tokens: the most that a response has where its session sets no limit (realtime-costs.md)
SOUND = 800  # characters of base64 hold one token at least: 10 tokens a second, G.711
GOING_AWAY, LOST = 1001, 1011


must_have(websockets.asyncio.client.connect, "process_redirect")


class Connect(websockets.asyncio.client.connect):
    """A WebSocket of the upstream itself: the library's own would follow a redirect to any host,
    and show it the key.
    """

    def process_redirect(self, exc):
        return exc


class ForwardedEndpoints(calls.Endpoints):
    """What is asked of the Realtime API by HTTP. What is of a model that is shut down is answered
    here, as without an upstream.
    """

    def __init__(self, state, upstream):
        super().__init__(state)
        self.upstream = upstream
        self.lent = {}  # {hash of a client secret that the upstream made: when it expires}

    def answer(self, request):
        model = _asked_model(request)
        request.note = self.upstream.shut_down(model)
        if (
            request.note
            or self.secrets.known.get(_bearer(request))
            or request.path.removeprefix(calls.CALLS + "/").partition("/")[0] in self.calls
        ):
            return super().answer(request)
        return self._forwarded(request)

    async def _forwarded(self, request):
        bearer = _bearer(request)
        answer = await forward.Forward(
            self.upstream,
            request,
            self.state,
            None,
            request.body,
            [],
            bearer if bearer.startswith("ek_") else "",
        ).answer()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            if request.path == "/v1/realtime/client_secrets" and answer.status == 200:
                made = json.loads(answer.body)
                self.lent[_hash(made["value"])] = int(made["expires_at"])
        return answer

    def secret_error(self, value, path):
        """As Secrets.error, also for the secrets that the upstream made."""
        until = self.lent.get(_hash(value))
        if until is None:
            return self.secrets.error(value, path)
        if time.time() >= until or path not in ("/v1/realtime", calls.CALLS):
            return error(
                401,
                "This client secret has expired, or does not open that. Make a new one with client.realtime.client_secrets.create().",
                code="invalid_api_key",
            )
        return None


class Relay(here.Socket):
    """A session with the upstream, or, for a model that is shut down, one of this machine."""

    def initialize(self, state):
        super().initialize(state)
        self.set_header("X-Day9-Origin", "live")
        self.recording = None
        self.upstream, self.there, self.tape, self.meter, self.left = (
            state.upstream,
            None,
            None,
            None,
            False,
        )
        self.taking = asyncio.Lock()  # a message is taken by the tape

    async def open(self):
        self.set_nodelay(True)
        try:
            self.admit()
            query = {
                name: values[-1].decode("utf-8", "replace")
                for name, values in self.request.query_arguments.items()
            }
            if (
                self.upstream.shut_down(query.get("model"))
                or query.get("call_id") in self.state.realtime.calls
                or self.state.realtime.secrets.known.get(_bearer(self.request))
            ):
                return self.enter()
            where = self.upstream.where
            if where.model and "model" in query:
                query["model"] = where.model
            if self.upstream.spending.ceiling is not None:
                self.meter = Meter(self.upstream.spending, query.get("model", ""))
            await self._connect(query)
        except checks.Bad as e:
            self.refuse(e)

    async def _connect(self, query):
        where, bearer = self.upstream.where, _bearer(self.request)
        key = bearer if bearer.startswith("ek_") else where.key.value or "none"
        headers = {"Authorization": f"Bearer {key}"} | {
            name: self.request.headers[name] for name in PASSED_ON if name in self.request.headers
        }
        try:
            self.there = await Connect(
                f"ws{where.url.removeprefix('http')}/realtime?{urlencode(query)}",
                additional_headers=headers,
                proxy=forward.proxy_of(where),
                user_agent_header=None,
                compression=None,
                open_timeout=WAITS,
                max_size=here.LARGEST,
                max_queue=AHEAD,
            )
        except InvalidStatus as e:
            body = self.upstream.masked(e.response.body or b"")
            why = message_of(body) or body[:200].decode("utf-8", "replace")
            self._failed(
                f"{where.host} did not open a Realtime session: {e.response.status_code} {why}"
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as e:
            self._failed(
                f'{where.host} did not open a Realtime session: {type(e).__name__}. Does it have one at {where.url}/realtime? helpers.connect(answers="recorded") goes back to the recordings.'
            )
        if self.left:
            return await self.there.close()
        if self.upstream.recorder:
            self.tape = session_tape.SessionTape(
                self.upstream.recorder, query, sdk_of(self.request.headers)
            )
        self.state.tasks.keep(self._down())

    def _failed(self, why):
        if self.meter:
            self.meter.end()
        raise checks.Bad(why, "upstream_failed")

    async def on_message(self, message):
        if self.there is None:
            return await super().on_message(message)
        try:
            events.not_too_long(message)
            event = None
            if self.meter or self.tape:
                event = await events.beside(message, events.read, message)
            if self.meter:
                self.meter.asked(event, len(message))
            async with self.taking:
                if self.tape:
                    await events.beside(message, self.tape.client, message, event)
            await self.there.send(message)
        except spending.OverBudget as e:
            self._stop(e)
        except checks.Bad as e:
            self._tell(e)
        except ConnectionClosed:
            pass  # _down() tells it

    async def _down(self):
        """What the upstream says, until one side leaves."""
        closed = None
        try:
            async for message in self.there:
                if isinstance(message, str):
                    message, event = await events.beside(message, self._came, message)
                    self._look(message, event)
                    await self.write_message(message)
                else:  # the API sends none
                    await self.write_message(message, binary=True)
        except (ConnectionClosed, websocket.WebSocketClosedError):
            pass
        except spending.OverBudget as e:
            self._stop(e)
        if not self.left:
            closed = self.there.close_code or LOST, (self.there.close_reason or "")[:120]
            self.close(
                closed[0] if closed[0] in (1000, 1001) or closed[0] >= 3000 else LOST, closed[1]
            )
        await self.there.close()
        if self.meter:
            self.meter.end()
        async with self.taking:
            tape, self.tape = self.tape, None
        if tape:
            await tape.end(closed)

    def _came(self, message):
        """(a message of the upstream without the key, as bytes, the event in it: None where it has
        none, {} where nothing is to be known of it)
        """
        raw = self.upstream.masked(message.encode())
        text, event = raw.decode(), {}
        known = '"response.done"' in text or '"session.' in text
        if self.tape or known:
            event = events.read(text)
        if self.tape:
            self.tape.api(text, event)
        return raw, event if known else {}

    def _look(self, raw, event):
        """Enter the responses that are done in the books."""
        if event is None:
            return self.meter and self.meter.unread(len(raw))
        if event.get("type") == "response.done" and isinstance(event.get("response"), dict):
            self._book(raw, event["response"])
        if self.meter:
            self.meter.told(event, len(raw))

    def _book(self, raw, response):
        usage = response.get("usage") if isinstance(response.get("usage"), dict) else {}
        model = self.upstream.where.model or self.get_query_argument("model", "")
        origin = {
            "class": "live",
            "date": datetime.date.today().isoformat(),
            "source": self.upstream.where.host,
        }
        self.state.ledger.add(
            str(response.get("id", "")),
            _Said(),
            Answer(
                200,
                # a long one is not kept: as long as it came will do
                raw if len(raw) > pieces.LONG else as_json(response),
                origin=origin,
                model=model,
                usage=usage,
                id=str(response.get("id", "")),
            ),
        )

    def _tell(self, e):
        self.send(
            {"type": "error", "event_id": events.new_id("event_")} | events.error_event(e.error)
        )

    def _stop(self, refused):
        """The ceiling: the session ends, since with turn detection the upstream would answer by
        itself.
        """
        self._tell(checks.Bad(str(refused), spending.CODE))
        self.close(here.REQUEST, spending.CODE)

    def on_close(self):
        self.left = True
        if self.there:
            self.state.tasks.keep(self.there.close())
        super().on_close()


class Meter:
    """Holds, of the ceiling, what the next response of a session can cost at most; what it did cost
    takes its place.

    A response reads the whole conversation: the tokens of the last one, and what has come since, of
    which a byte of text is a token at most. Transcription has no price in data/prices.csv: each
    sound is counted once more for it.
    """

    def __init__(self, spent, model):
        self.spending, self.model, self.held = spent, model, Decimal(0)
        try:
            self.input, self.output = (
                spending.dearest(model, direction, datetime.date.today())
                for direction in ("input", "output")
            )
            self.context, self.new, self.open, self.longest = 0, 0, 0, USUAL_ANSWER
            self._hold()
        except spending.OverBudget as e:
            raise checks.Bad(str(e), spending.CODE) from None

    def asked(self, event, size):
        """A client event of so many bytes goes up; None: one that was not read. Raises
        OverBudget.
        """
        sound = session_tape.sound_of(event or {})[1]
        self.new += 2 * (len(sound) // SOUND + 1) if sound else size
        self.open += event is None or event.get("type") == "response.create"
        self._hold()

    def told(self, event, size):
        """An event of the upstream, of so many bytes. Raises OverBudget."""
        if event.get("type") == "response.done" and isinstance(event.get("response"), dict):
            usage = event["response"].get("usage") or {}
            try:
                self.spending.spent += (
                    prices.cost(self.model, usage, datetime.date.today()) if usage else 0
                )
                self.context = max(self.context, int(usage.get("total_tokens", 0)))
                self.new, self.open = 0, max(0, self.open - 1)
            except (
                LookupError,
                ValueError,
                TypeError,
                AttributeError,
            ):  # a usage of no known form: all of it
                self.spending.spent += self.held
        session = event.get("session")
        if isinstance(session, dict):
            most = session.get("max_output_tokens")
            self.longest = most if isinstance(most, int) else USUAL_ANSWER
            self.new += (
                size
                if size > pieces.LONG
                else len(str(session.get("instructions") or ""))
                + len(json.dumps(session.get("tools") or []))
            )
        self._hold()

    def unread(self, size):
        """An event of the upstream that was not read: perhaps a response, which cost all that was
        held, or a session. Raises OverBudget.
        """
        self.spending.spent += self.held
        self.new += size
        self._hold()

    def end(self):
        """Nothing more will be asked."""
        self.spending.hold(-self.held)
        self.held = Decimal(0)

    def _hold(self):
        answers_open = max(1, self.open)
        most = answers_open * ((self.context + self.new) * self.input + self.longest * self.output)
        if self.spending.total - self.held + most > self.spending.ceiling:
            raise spending.OverBudget(
                f"The next response may cost up to {most:.4f} USD, and {self.spending.total - self.held:.4f} of the {self.spending.ceiling:.2f} USD of DAY9_BUDGET are spent or reserved "
                "in this kernel. Ways on: max_output_tokens in the session, a cheaper model, or a higher DAY9_BUDGET and helpers.connect() again."
            )
        self.spending.hold(most - self.held)
        self.held = most


class _Said:
    """A response over a WebSocket, as the ledger wants a request."""

    method, path, headers, body = "WS", "/v1/realtime", {"Content-Type": "application/json"}, b"{}"


def _bearer(request):
    return request.headers.get("Authorization", "").partition(" ")[2].strip()


def _hash(value):
    return hashlib.sha256(value.encode()).hexdigest()


def _asked_model(request):
    """The model that a client secret or a call is asked for, where it names one: in JSON, in a
    form, or beside a bare offer.
    """
    kind = request.headers.get("Content-Type", "")
    try:
        if kind.startswith(calls.SDP):
            return parse_qs(request.query)["model"][0]
        session = (
            json.loads(calls.form(kind, request.body)["session"])
            if kind.startswith(calls.FORM)
            else json.loads(request.body)["session"]
        )
        return session["model"]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
