"""One request forwarded, and its answer passed on as it comes: no faster than the reader reads, and
byte for byte.

Only this is changed on the way: the throw-away key becomes the upstream's, headers that belong to
one connection or to a browser stay behind, and local_models.py may change a body. What is no answer
(nobody there, a cut, garbage, silence) becomes an error in OpenAI's envelope that names the
upstream. Nothing that may have been read is tried again here: the SDK does that.
"""

import asyncio
import functools
import json
import urllib.request
import zlib
from decimal import Decimal
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx2

from ...facts.models import models
from .. import answers, canonical, shaping, sse
from ..answer import Answer, error
from ..envelopes import request_id
from ..ledger import LONGEST
from . import local_models
from .connections import Transport
from .spending import OverBudget, Spending, today

CONNECT = 10.0  # seconds until one is let in
PATIENCE = 600.0  # seconds between two pieces of an answer, as the SDK has it
# bytes: an answer up to this size is here before it is passed on, so that a cut one can be told as
# an error
WHOLE = 256 * 1024
PIECE = 64 * 1024  # bytes of an answer that are unpacked at once
LONGEST_EVENT = 512 * 1024  # bytes of an event of a stream that wait for its end
OF_ONE_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
NOT_SENT = OF_ONE_CONNECTION | {
    "host",
    "authorization",
    "content-length",
    "accept-encoding",
    "cookie",
    "origin",
    "referer",
    "expect",
    "x-forwarded-for",
    "forwarded",
}
OPENAIS_OWN = {"openai-organization", "openai-project"}
# cookies, and what a browser would do to this address because another one said so
NOT_PASSED = OF_ONE_CONNECTION | {
    "content-length",
    "content-encoding",
    "date",
    "server",
    "set-cookie",
    "strict-transport-security",
    "alt-svc",
    "clear-site-data",
    "refresh",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
}


class Broken(Exception):
    """The upstream's answer is no answer; the text says how, after the host's name."""


class Upstream:
    """Where requests go, with the connections there. `told`: see Spending."""

    def __init__(
        self, where, recorder=None, carried=Decimal(0), told=lambda total: None, patience=PATIENCE
    ):
        self.where, self.recorder = where, recorder
        self.spending = Spending(where.budget, carried, told)
        # the transport without its client: nothing is wanted of redirects, cookies and sign-ins,
        # which would cost a tenth of the time
        self.transport = Transport(
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            proxy=proxy_of(where),
        )
        self.patience = httpx2.Timeout(patience, connect=CONNECT).as_dict()
        self.key = where.key.value.encode()

    def masked(self, raw):
        """Bytes without the key, should the upstream send it back; as many as before."""
        return raw.replace(self.key, b"*" * len(self.key)) if len(self.key) >= 8 else raw

    def take(self, exchange, state):
        """A coroutine that gives a forwarded request's Answer; None where this machine answers,
        with `exchange.note` if it is to be said why.
        """
        if not self._is_theirs(exchange.path, state):
            return None
        body, sent, notes = None, None, []
        if exchange.method == "POST" and exchange.path in (shaping.CHAT, shaping.RESPONSES):
            try:
                body = canonical.parse(exchange.body)
            except ValueError:
                pass
            if not isinstance(body, dict):
                return None  # is refused here in the same words
            sent, notes = local_models.adapted(
                exchange.path, body, self.where.model, self.where.openai
            )
            model = sent.get("model")
            if not self._has(model, state):
                return None
            exchange.note = self.shut_down(model)
            if exchange.note:
                return None
        raw = bytes(exchange.body) if sent is body else _dump(sent)
        return Forward(self, exchange, state, sent, raw, notes).answer()

    def summary(self):
        """Who answers and what that has cost so far, for the receipt."""
        return {
            "host": self.where.host,
            "openai": self.where.openai,
            "spent": str(self.spending.total),
            "ceiling": None if self.where.budget is None else str(self.where.budget),
            "lost": self.recorder.lost[:] if self.recorder else [],
        }

    def upload(self, exchange, state):
        """A Pipe for the body of a request that has begun, which is passed on as it comes; None
        where it is to be collected.
        """
        kind = exchange.headers.get("Content-Type", "").lower()
        if (
            self.recorder
            or not kind.startswith("multipart/")
            or not self._is_theirs(exchange.path, state)
            or state.door.unwelcome(exchange)
        ):
            return None
        pipe = Pipe()
        exchange.forward(Forward(self, exchange, state, None, pipe, []).answer())
        return pipe

    def _is_theirs(self, path, state):
        """Whether a path belongs to the upstream: all below /v1, but Realtime (see State.realtime),
        models tuned here and, unless it is OpenAI, what is computed here.
        """
        if (
            not path.startswith("/v1/")
            or path.startswith("/v1/realtime")
            or ".." in unquote(path).split("/")
        ):
            return False
        if path.startswith(answers.COMPUTED):
            return self.where.openai
        return self._has(unquote(path.removeprefix("/v1/models/")), state)

    def _has(self, model, state):
        """Whether a model is the upstream's: not one that was tuned here."""
        ours = (
            isinstance(model, str) and model.startswith("ft:") and "tuning" in vars(state.answers)
        )
        return not (ours and state.answers.tuning.models.get(model))

    def shut_down(self, model):
        """Why OpenAI is not asked for a model that it no longer has, in a sentence; "" where the
        upstream is asked.
        """
        day = (
            models().get(model, {}).get("shutdown")
            if self.where.openai and isinstance(model, str)
            else None
        )
        if not day or day > today().isoformat():
            return ""
        return f"{model} was shut down on {day}: not asked of {self.where.host}, but of the recordings on this machine"


class Pipe:
    """The body of an upload on its way through: a piece is taken in when the one before it is
    gone.
    """

    def __init__(self):
        self.queue, self.taken, self.finished = asyncio.Queue(1), True, asyncio.Event()

    async def put(self, piece):
        if self.taken:
            await self.queue.put(piece)

    async def end(self):
        """The reader has sent all."""
        self.finished.set()
        await self.put(None)

    def let_go(self):
        """Nobody takes the rest: it is read and forgotten, so that the reader comes to read the
        answer.
        """
        self.taken = False
        while not self.queue.empty():
            self.queue.get_nowait()

    async def __aiter__(self):
        while (piece := await self.queue.get()) is not None:
            yield piece


class Forward:
    """One exchange with the upstream. `bearer`: a short-lived secret to show in the place of the
    key.
    """

    def __init__(self, upstream, exchange, state, sent, raw, notes, bearer=""):
        self.bearer = bearer or upstream.where.key.value or "none"
        self.upstream, self.exchange, self.sent, self.raw = upstream, exchange, sent, raw
        self.ledger, self.read = state.ledger, state.ready.read
        self.note = "; ".join(notes)
        self.host = upstream.where.host
        self.model = sent.get("model") if sent and isinstance(sent.get("model"), str) else ""
        self.taping = self.hold = None
        self.booked, self.seen, self.texts = False, {"model": "", "id": "", "usage": {}}, []

    async def answer(self):
        """The Answer, which may still be flowing."""
        method, path = self.exchange.method, self.exchange.path
        try:
            reserve = self.upstream.spending.reserve
            self.hold = await self.read(self.exchange, reserve, method, path, self.sent)
        except OverBudget as e:
            return await self.refused(e.answer(self.model))
        if self.hold and self.hold.limit:
            name, most = self.hold.limit
            self.raw = await self.read(self.exchange, _dump, self.sent | {name: most})
        if self.upstream.recorder:
            self.taping = self.begin_taping()
        else:  # nobody needs an answer that its reader no longer waits for
            self.exchange.connection.set_close_callback(asyncio.current_task().cancel)
        try:
            request = httpx2.Request(
                method,
                _url(self.url()),
                headers=self.headers(),
                content=self.raw or None,
                extensions={"timeout": self.upstream.patience},
            )
            response = await self.upstream.transport.handle_async_request(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as e:
            self.settle(nothing=True)
            return await self.failed(e)
        except httpx2.TransportError as e:
            return await self.failed(e)
        except BaseException as e:  # the reader has left, or a fault of ours
            self.dropped(e)
            raise
        try:
            return await self.passed_on(response)
        except (Broken, httpx2.TransportError) as e:
            await response.aclose()
            return await self.failed(e)
        except BaseException as e:
            await response.aclose()
            self.dropped(e)
            raise

    def url(self):
        query = f"?{self.exchange.query}" if self.exchange.query else ""
        return self.upstream.where.url + self.exchange.path.removeprefix("/v1") + query

    def headers(self):
        """The request's headers as they go upstream."""
        left_out = NOT_SENT if self.upstream.where.openai else NOT_SENT | OPENAIS_OWN
        sent = [
            (name, value)
            for name, value in self.exchange.headers.get_all()
            if name.lower() not in left_out and not name.lower().startswith("sec-")
        ]
        # not packed: what comes is looked at for its usage, and recorded as text
        sent += [("Accept-Encoding", "identity"), ("Authorization", f"Bearer {self.bearer}")]
        length = self.exchange.headers.get("Content-Length")
        return sent + [("Content-Length", length)] * (
            isinstance(self.raw, Pipe) and length is not None
        )

    def begin_taping(self):
        from .recorder import sdk_of

        ask = self.exchange
        return self.upstream.recorder.begin(
            ask.method,
            ask.path,
            dict(parse_qsl(ask.query, keep_blank_values=True)),
            ask.headers.get("Content-Type", ""),
            ask.body,
            sdk_of(ask.headers),
        )

    # --- what comes back --------------------------------------------------------------------------

    async def passed_on(self, response):
        """The Answer that a response makes: whole, or as a flow where it is a stream or long."""
        status, headers = response.status_code, response.headers
        if 300 <= status < 400 and status != 304:
            to = urlsplit(headers.get("location", ""))
            raise Broken(
                f"answered {status}, a redirect to {to.scheme or urlsplit(self.upstream.where.url).scheme}://{to.netloc or self.host}, which is not followed: your key belongs to {self.host}. "
                "If that is where the server has moved, give its new address to helpers.connect(answers=…)."
            )
        if self.taping:
            self.taping.head(
                status,
                {
                    k: v
                    for k, v in headers.items()
                    if k.lower() not in ("content-encoding", "content-length", "transfer-encoding")
                },
            )
        kind = headers.get("content-type", "")
        self.given = Answer(
            status,
            origin={"class": "live", "date": today().isoformat(), "source": self.host},
            model=self.model,
            headers=self.kept(headers),
            note=self.say(status),
            as_it_came=True,
        )
        pieces = self.pieces(response)
        if kind.startswith("text/event-stream"):
            self.given.flow = self.events(pieces)
            return self.given
        first = b""
        async for piece in pieces:
            first += piece
            if len(first) > WHOLE:
                if (
                    "content-encoding" not in headers
                    and headers.get("content-length", "").isdigit()
                ):
                    self.given.headers["Content-Length"] = headers["content-length"]
                self.given.flow = self.body(first, pieces)
                return self.given
        if status == 200 and "json" in kind and not _is_json(first):
            raise Broken(
                "answered 200 with JSON that is none: " + repr(self.upstream.masked(first[:80]))
            )
        await self.drained()
        self.given.body = first
        await self.book(shaping.told(first, []))
        if self.taping:
            await self.taping.end()
        return self.given

    async def pieces(self, response):
        """The answer's body, unpacked and without the key, in pieces of bounded size."""
        coding = response.headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "deflate"):
            raise Broken(f"packed its answer as {coding[:40]!r}, which it was not asked for.")
        # 47: either of the two
        unpack = zlib.decompressobj(47) if coding in ("gzip", "deflate") else None
        try:
            async for raw in response.aiter_raw():
                while raw:
                    piece, raw = (
                        (unpack.decompress(raw, PIECE), unpack.unconsumed_tail)
                        if unpack
                        else (raw, b"")
                    )
                    piece = self.upstream.masked(piece)
                    if piece:
                        if self.taping:
                            self.taping.chunk(piece)
                        yield piece
            if unpack and not unpack.eof:
                raise Broken("cut off its answer in the middle.")
        except zlib.error:
            raise Broken(f"said that its answer is packed as {coding}, and it is not.") from None
        finally:
            await response.aclose()

    async def events(self, pieces):
        """A stream, event by event: half a one is held back, so that a cut can be told in the
        reader's own form.
        """
        tail, whole = b"", b""
        try:
            yield b""  # it has begun: whatever becomes of it, `finally` comes
            async for piece in pieces:
                tail += piece
                ends = sse.ends(tail)
                if not ends and len(tail) > LONGEST_EVENT:
                    ends = [len(tail)]
                end = ends[-1] if ends else 0
                whole, tail = tail[:end], tail[end:]
                if whole:
                    await self.look(whole)
                    yield whole
            if tail.strip():
                raise Broken("cut off its stream in the middle of an event.")
            await self.book(self.seen)
            if self.taping:
                await self.taping.end()
        except (Broken, httpx2.TransportError) as e:
            told = await self.failed(e)
            yield b"" if not whole or sse.ends(whole[-4:]) else b"\n\n"
            yield sse.event(
                told.body.decode(), "error" if self.exchange.path == shaping.RESPONSES else None
            )
        finally:
            try:
                await pieces.aclose()
            finally:
                self.left()

    async def look(self, events):
        """Note what the books need of some whole events; enter it before the last of them goes
        out.
        """
        room = LONGEST - sum(len(event) for _, event in self.given.events)
        if room > 0:
            self.given.events.append((0, events[:room]))
        if not self.seen["id"] or b'"usage":{' in events or b'"usage": {' in events:
            for name, value in shaping.told(b"", [(0, events)]).items():
                self.seen[name] = value or self.seen[name]
        if self.hold and not self.seen["usage"]:
            self.texts += _said(events)
        if self.seen["usage"] or sse.DONE.encode() in sse.data(events):
            await self.book(self.seen)

    async def body(self, first, pieces):
        """A long body. Where it ends too early, ConnectionAbortedError makes the reader's
        connection end early, too.
        """
        size = len(first)
        try:
            yield first
            async for piece in pieces:
                size += len(piece)
                yield piece
            self.given.body = f"{size:,} bytes".encode()
            await self.book({})
            if self.taping:
                await self.taping.end()
        except (Broken, httpx2.TransportError) as e:
            await self.failed(e)
            raise ConnectionAbortedError(str(e)) from None
        finally:
            try:
                await pieces.aclose()
            finally:
                self.left()

    def left(self):
        """The flow is over, whichever way: what is still open is closed in the books."""
        self.enter(self.seen)
        self.settle()

    # --- the books --------------------------------------------------------------------------------

    async def book(self, told):
        """Enter the exchange, once, with what its answer tells: before the reader has all of it and
        may ask.
        """
        self.enter(told)
        if self.hold:
            usage = told.get("usage")
            if self.given.status >= 400:
                self.settle(nothing=True)
            elif usage:
                self.settle(self.hold.price(usage, ""))
            else:  # counting takes a while, and the first time the tokenizer is loaded
                self.settle(await asyncio.to_thread(self.hold.price, None, "".join(self.texts)))

    def enter(self, told):
        if not self.booked:
            self.booked = True
            self.given.model, self.given.id, self.given.usage = (
                told.get("model") or self.model,
                told.get("id", ""),
                told.get("usage") or {},
            )
            self.ledger.add(self.given.headers["X-Request-Id"], self.exchange, self.given)

    def settle(self, usd=None, nothing=False):
        """Put a price in the reservation's place: `usd`, nothing, or, where nobody knows, all of
        it.
        """
        if self.hold:
            self.hold.settle(Decimal(0) if nothing else usd)
            self.hold = None

    def kept(self, headers):
        """The response's headers as the reader gets them."""
        kept = {
            _passed(name.decode("latin1")): self.upstream.masked(value).decode("latin1")
            for name, value in headers.raw
        }
        kept.pop("", None)
        if not kept.get("Location", "/").startswith("/"):
            del kept["Location"]
        if self.hold and self.hold.limit:
            kept["X-Day9-Limit"] = str(self.hold.limit[1])
        return {"X-Request-Id": request_id()} | kept

    def say(self, status):
        """What was changed, and on an error what may be the cause."""
        cause = (
            ""
            if self.upstream.where.openai or status < 400
            else local_models.likely(self.host, self.exchange.path, self.sent or {}, status)
        )
        return "; ".join(filter(None, (self.note, cause)))

    def dropped(self, e):
        """The exchange ends without an answer to anybody."""
        self.settle()
        if self.taping:
            self.taping.cut(f"{type(e).__name__} before the answer was there")

    async def failed(self, e):
        """The Answer for what is no answer."""
        late = isinstance(e, httpx2.TimeoutException)
        if isinstance(e, Broken):
            said = f"{self.host} {e}"
        elif late:
            said = f"{self.host} did not answer in time ({type(e).__name__})."
        elif isinstance(e, (httpx2.ConnectError, httpx2.InvalidURL)):
            said = f"{self.host} cannot be reached: {e}. Is it running, and is {self.upstream.where.url} its address?"
        else:
            said = f"{self.host} did not answer as HTTP says, or broke off: {str(e) or type(e).__name__}."
        self.settle()
        said = self.upstream.masked(said.encode()).decode()
        if self.taping:
            await self.taping.cut(said)
        return await self.refused(
            error(
                504 if late else 502,
                f'{said} helpers.connect(answers="recorded") goes back to the recordings.',
                "upstream_error",
                code="upstream_timeout" if late else "upstream_failed",
                model=self.model,
                note=self.note,
                as_it_came=True,
            )
        )

    async def refused(self, answer):
        await self.drained()
        return answer

    async def drained(self):
        """Wait until the reader has sent all of an upload that nobody takes any more."""
        if isinstance(self.raw, Pipe):
            self.raw.let_go()
            await self.raw.finished.wait()


@functools.lru_cache(256)
def _passed(name):
    """A header's name as the reader gets it; "" for one that stays behind."""
    stays = name.lower() in NOT_PASSED or name.lower().startswith("x-day9-")
    return "" if stays else "-".join(word.capitalize() for word in name.split("-"))


# How Windows' and macOS's own settings are asked: for the proxies, and whether a host is left out.
SYSTEMS = (
    ("getproxies_registry", "proxy_bypass_registry"),
    ("getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
)


def proxy_of(where):
    """The proxy for an upstream that the environment names, or else the system's settings; None for
    one on this machine.
    """
    scheme = urlsplit(where.url).scheme
    if where.loopback or urllib.request.proxy_bypass_environment(where.host):
        return None
    named = urllib.request.getproxies_environment()
    if set(named) - {"no"}:
        return named.get(scheme) or named.get("all")
    # urllib leaves the settings out as soon as NO_PROXY is there, which connect() sets
    for proxies, left_out in SYSTEMS:
        if hasattr(urllib.request, proxies) and not getattr(urllib.request, left_out)(where.host):
            found = getattr(urllib.request, proxies)().get(scheme, "")
            return found if found.startswith("http") else None  # not SOCKS
    return None


_url = functools.lru_cache(256)(httpx2.URL)  # the few addresses that a notebook asks


def _dump(body):
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _is_json(raw):
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


def _said(events):
    """The visible words in some events of a chat stream."""
    words = []
    for data in sse.data(events):
        try:
            chunk = json.loads(data)
            for choice in chunk["choices"]:
                delta = choice["delta"]
                words += [delta.get("content") or "", delta.get("refusal") or ""]
                words += [
                    call["function"].get("name", "") + call["function"].get("arguments", "")
                    for call in delta.get("tool_calls") or []
                ]
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            continue
    return [word for word in words if isinstance(word, str) and word]
