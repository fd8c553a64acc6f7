"""Answers that never change, kept ready by the hash of their request's bytes."""

import asyncio
import concurrent.futures
import dataclasses
import hashlib
from urllib.parse import parse_qsl

MOST = 512  # answers kept


class Ready:
    """Asks an answers.Answers, and only once for an answer that will always be the same."""

    def __init__(self, answers):
        self.answers, self.kept = answers, {}
        # uploads and jobs: one after another, and nothing else waits for them
        self.aside = concurrent.futures.ThreadPoolExecutor(1)

    async def later(self, request):
        """The Answer to a request that may take its time."""
        return await asyncio.get_running_loop().run_in_executor(self.aside, self.answer, request)

    def answer(self, request):
        """The Answer to a request below /v1."""
        content_type = request.headers.get("Content-Type", "")
        asked = hashlib.sha256(
            f"{request.method} {request.path}?{request.query} {content_type}\n".encode()
        )
        asked.update(request.body)
        asked = asked.digest()
        answer = self.kept.get(asked)
        if answer is None:
            query = dict(parse_qsl(request.query, keep_blank_values=True))
            retry = request.headers.get("X-Stainless-Retry-Count", "0")
            retry = int(retry) if retry.isdecimal() and len(retry) < 4 else 0
            answer = self.answers.answer(
                request.method, request.path, query, content_type, request.body, retry
            )
            if answer.keeps:
                if len(self.kept) >= MOST:
                    self.kept.clear()
                self.kept[asked] = answer
        return dataclasses.replace(answer, note=request.note) if request.note else answer
