"""What all requests of one local API share: its parts, each for those who need it, and the way to
them.
"""

import asyncio

from ..common import left_out
from ..common.once import once
from . import pages, shaping
from .answer import Answer
from .books import Books
from .door import Door
from .ledger import Ledger
from .pieces import LONG
from .ready import Ready
from .repeats import Repeats
from .tasks import Tasks

PAGES = "/day9/pages/"
LANGUAGE_MODEL = left_out.LANGUAGE_MODEL.encode()
WRITTEN = (shaping.CHAT, shaping.RESPONSES)  # where it is asked
AUDIO = ("/v1/audio/transcriptions", "/v1/audio/speech")


class State:
    """The parts of one local API. answers: an answers.Answers. pace: how slowly streams go.
    upstream: an upstream.forward.Upstream, or None where recordings answer.
    """

    def __init__(self, key, port, answers, pace=1.0, upstream=None):
        self.port, self.pace, self.answers, self.upstream = port, pace, answers, upstream
        self.door = Door(key, lambda value, path: self.realtime.secret_error(value, path))
        self.ledger = Ledger()
        self.books = Books(self.ledger, answers, upstream)
        self.ready = Ready(answers)
        self.repeats = Repeats(self.ledger)
        self.tasks = Tasks()

    def answer(self, request):
        """The Answer to a request, whoever it comes from, or a coroutine that gives it."""
        refusal = self.door.stranger(request)
        if refusal:
            return refusal
        if request.method == "OPTIONS" and not request.path.startswith("/day9/"):
            return Answer(204)  # a browser's preflight carries no key
        if request.path.startswith(PAGES):
            return pages.page(request.method, request.path.removeprefix(PAGES))
        refusal = self.door.without_key(request)
        if refusal:
            return refusal
        if request.path.startswith("/day9/"):
            return self.books.answer(request)
        if request.method == "POST" and request.path in WRITTEN and LANGUAGE_MODEL in request.body:
            return self._perhaps_written(request)
        return self._by_others(request)

    async def _perhaps_written(self, request):
        """The Answer to a request in which the language model's name stands, somewhere."""
        written = await asyncio.to_thread(lambda: self.written.take(request))
        answer = written or self._by_others(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    def _by_others(self, request):
        if not self.upstream:
            return self._here(request)
        if len(request.body) > LONG:
            return self._long_by_others(request)
        return self.upstream.take(request, self) or self._here(request)

    async def _long_by_others(self, request):
        """The Answer to a long request, which the upstream reads first."""
        taken = await self.ready.read(request, self.upstream.take, request, self)
        answer = taken or self._here(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    def _here(self, request):
        if request.path.startswith("/v1/realtime"):
            return self.realtime.answer(request)
        if request.path in AUDIO and request.method == "POST" and self.speech.there:
            return self.audio.answer(request)
        return self.ready.answer(request)

    @once
    def written(self):
        """What the language model writes, where it is set up."""
        from .tuning.real.chat import Chat

        return Chat(self.answers)

    @once
    def speech(self):
        """Ears and a mouth, where they are set up: one for all sessions."""
        from .voice.process import Speech

        return Speech()

    @once
    def audio(self):
        """The two endpoints of ears and a mouth."""
        from .audio import Endpoints

        return Endpoints(self)

    @once
    def realtime(self):
        """The Realtime API's endpoints, loaded when the first is asked."""
        if self.upstream and self.upstream.where.openai:
            from .upstream.realtime import ForwardedEndpoints

            return ForwardedEndpoints(self, self.upstream)
        from .realtime.calls import Endpoints

        return Endpoints(self)

    @once
    def sockets(self):
        """The Realtime API's WebSockets, loaded when the first is asked for."""
        from .realtime import websocket

        if self.upstream and self.upstream.where.openai:
            from .upstream.realtime import Relay

            return websocket.application(self, Relay)
        return websocket.application(self)
