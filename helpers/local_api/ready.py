"""Answers that never change, kept ready by the hash of their request's bytes."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import hashlib
from urllib.parse import parse_qsl

from . import collecting
from .answers import COMPUTED
from .pieces import LONG

MOST = 512  # answers kept


class Ready:
    """Asks an answers.Answers beside the event loop, so that no request waits for another, and
    keeps the answers that will always be the same.
    """

    def __init__(self, answers):
        self.answers, self.kept = answers, {}
        self.beside = concurrent.futures.ThreadPoolExecutor(4)
        # long ones wait for one another, and no short one for them
        self.long = concurrent.futures.ThreadPoolExecutor(2)
        # uploads and jobs: one after another
        self.aside = concurrent.futures.ThreadPoolExecutor(1)

    def answer(self, request):
        """The Answer to a request below /v1, or a coroutine that gives it."""
        if request.path.startswith(COMPUTED):
            return self._later(self.aside, request)
        if len(request.body) > LONG:
            return self._later(self.long, request)
        asked = _key(request)
        answer = self.kept.get(asked)
        return (
            self._later(self.beside, request, asked) if answer is None else _noted(answer, request)
        )

    async def read(self, request, do, *given):
        """do(*given), which reads a request's body: where that is long, beside the event loop."""
        if len(request.body) <= LONG:
            return do(*given)
        with collecting.large():
            return await asyncio.get_running_loop().run_in_executor(self.long, do, *given)

    async def _later(self, executor, request, asked=None):
        large = asked is None
        with collecting.large() if large else contextlib.nullcontext():
            return await asyncio.get_running_loop().run_in_executor(
                executor, self._ask, request, asked
            )

    def _ask(self, request, asked):
        asked = asked or _key(request)
        answer = self.kept.get(asked)
        if answer is None:
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            retry = request.headers.get("X-Stainless-Retry-Count", "0")
            retry = int(retry) if retry.isdecimal() and len(retry) < 4 else 0
            content_type = request.headers.get("Content-Type", "")
            answer = self.answers.answer(
                request.method, request.path, query, content_type, request.body, retry
            )
            if answer.keeps:
                if len(self.kept) >= MOST:
                    self.kept.clear()
                self.kept[asked] = answer
        return _noted(answer, request)


def _key(request):
    """A hash of all that an answer depends on."""
    content_type = request.headers.get("Content-Type", "")
    asked = hashlib.sha256(
        f"{request.method} {request.path}?{request.query} {content_type}\n".encode()
    )
    asked.update(request.body)
    return asked.digest()


def _noted(answer, request):
    return dataclasses.replace(answer, note=request.note) if request.note else answer
