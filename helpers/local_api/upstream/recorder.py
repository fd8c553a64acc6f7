"""Keeps exchanges with an upstream as the reader's own recordings: one file each, whole or not at
all.

    recorder = Recorder(folder, "api.openai.com")
    taping = recorder.begin("POST", "/v1/responses", {}, "application/json", body, sdk_of(headers))
    taping.head(200, headers)
    taping.chunk(piece)
    await taping.end()    or taping.cut("the upstream went away")

    data/my_recordings/
        2026-11-23T09-15-02.118-4f2a/0007-responses-gpt-5.6-sol.json  a run, its seventh exchange
        files/SHA-256.mp3                                  a body that is no text, or a long one
        cut.log                                            what was begun and not kept

A run is what one process records after one connect(). Files are written aside, brought to the disk,
and then get their names, all in threads: a process that is killed leaves no half of one. What is
taken out stands in scrub.py; of files and pictures that the reader sends only the hash is kept.
Needs a running event loop, for `end` and `cut`.
"""

import asyncio
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import logging
import mimetypes
import re
import secrets
import tempfile
import time
from pathlib import Path

from ...facts import whole_file
from .. import canonical, recordings, scrub, shaping, sse

HELD = 1_000_000  # bytes of an answer kept in memory while it comes; the rest waits on disk
# bytes of a text that is still for people to read; a longer one is a file of its own
LONG = 256_000
FORGOTTEN = 3600  # seconds after which a file with such a name has no writer any more
KINDS = mimetypes.MimeTypes()  # Python's own table: the system's differs from machine to machine
PER_SESSION = "/v1/realtime"  # secrets and SDP, which answer one session and no other: not kept


def sdk_of(headers):
    """The client that speaks, from its request's headers: "openai-python 3.54.0", or what its
    User-Agent says.
    """
    language, version = headers.get("X-Stainless-Lang"), headers.get("X-Stainless-Package-Version")
    return f"openai-{language} {version}" if language and version else headers.get("User-Agent", "")


class Recorder:
    """Keeps exchanges in `folder`; `upstream` is the host that answers. `lost` lists in words what
    could not be written.
    """

    def __init__(self, folder, upstream="api.openai.com"):
        self.folder, self.upstream, self.lost = Path(folder), upstream, []
        # a disk takes several files in the time of one
        self.writers = concurrent.futures.ThreadPoolExecutor(4, "recorder")
        self.new_run()
        self.writers.submit(self._clean)

    def new_run(self):
        """A new notebook: what it asks again is answered anew."""
        self.run = self.folder / f"{datetime.datetime.now():%Y-%m-%dT%H-%M-%S.%f}"[:-3]
        self.run = self.run.with_name(f"{self.run.name}-{secrets.token_hex(2)}")
        self._numbers = itertools.count(1)

    def next_number(self):
        """Of an exchange in this run."""
        return next(self._numbers)

    def begin(self, method, path, query, content_type, body, sdk):
        """A Taping of the exchange that this request opens: `body` in bytes, `query` a dict, as
        they came from the reader.
        """
        return Taping(
            self, self.run, self.next_number(), method, path, query, content_type, body, sdk
        )

    def close(self):
        """Wait until all that has ended is on the disk."""
        self.writers.shutdown()

    def _clean(self):
        """Take away what killed processes left half written."""
        for file in self.folder.rglob(f"*{whole_file.UNFINISHED}"):
            with contextlib.suppress(OSError):  # another process was quicker
                if time.time() - file.stat().st_mtime > FORGOTTEN:
                    file.unlink()


class Taping:
    """One exchange while it goes on."""

    def __init__(self, recorder, run, number, method, path, query, content_type, body, sdk):
        self.recorder, self.run, self.number = recorder, run, number
        self.request, self.sdk = (method, path, query, content_type, body), sdk
        self.began, self.date = time.monotonic(), datetime.date.today().isoformat()
        self.came, self.times = (
            tempfile.SpooledTemporaryFile(HELD),
            [],
        )  # [(bytes until then, seconds)]
        self.status, self.headers = None, {}
        self.broken = None  # why not all that came is held

    def head(self, status, headers):
        """The answer's status and headers, a mapping."""
        self.status = status
        self.headers = {k.lower(): v for k, v in headers.items()}

    def chunk(self, piece):
        """A piece of the answer's body, as it comes."""
        try:
            self.came.write(piece)
        except OSError as e:  # a full disk; whoever asked still gets the answer
            self.broken = e
        self.times.append((self.came.tell(), time.monotonic() - self.began))

    def end(self):
        """The answer is whole. A future, done when the recording is on the disk: True, or False
        with a reason in `recorder.lost`.
        """
        return asyncio.wrap_future(self.recorder.writers.submit(self._guarded, self._keep))

    def cut(self, reason):
        """The answer will never be whole: nothing is kept but a line in cut.log. A future, as of
        `end`.
        """
        return asyncio.wrap_future(self.recorder.writers.submit(self._guarded, self._note, reason))

    def _guarded(self, do, *arguments):
        method, path = self.request[:2]
        try:
            do(*arguments)
            return True
        except (
            Exception
        ) as e:  # the reader has paid for the answer and gets it, whatever becomes of the recording
            self.recorder.lost.append(
                f"{method} {scrub.text(path)} was answered, but not recorded: {e}"
            )
            logging.error(self.recorder.lost[-1])
            return False
        finally:
            self.came.close()

    def _keep(self):
        if self.request[1].startswith(PER_SESSION):
            return
        coding = self.headers.get("content-encoding", "identity")
        if coding != "identity":  # what is compressed cannot be scrubbed
            return self._note(f"the answer came compressed ({coding})")
        if self.broken:
            raise self.broken
        self.came.seek(0)
        raw = self.came.read()
        path, sent = recordings.as_kept(*self.request)
        told = shaping.told(b"", self._events(raw)) if self._streamed() else shaping.told(raw, [])
        asked = sent.get("model") if isinstance(sent, dict) else None
        model = told["model"] or asked
        response = {
            "status": self.status,
            "headers": {
                k: scrub.text(v) for k, v in self.headers.items() if recordings.HEADERS.fullmatch(k)
            },
        }
        origin = {
            "class": "recorded",
            "date": self.date,
            "model": model,
            "sdk": scrub.text(self.sdk),
            "upstream": self.recorder.upstream,
        }
        recording = {
            "about": about(self.request[0], path, sent),
            "origin": {k: v for k, v in origin.items() if isinstance(v, str) and v},
            "request": {"method": self.request[0], "path": path}
            | ({} if sent is None else {"body": sent}),
            "responses": [response | self._content(raw)],
        }
        name = f"{self.number:04}-{slug(path.removeprefix('/v1/'), asked)}.json"
        whole_file.write(
            self.run / name, json.dumps(recording, indent=2, ensure_ascii=False).encode() + b"\n"
        )

    def _streamed(self):
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def _content(self, raw):
        """The body, as the response of a recording has it."""
        try:
            if self._streamed() and raw:
                events = self._events(raw)
                return {
                    "events": [
                        {"at": round(at, 3), "text": text}
                        for (at, _), text in zip(
                            events, scrub.events([e.decode() for _, e in events])
                        )
                    ]
                }
            text = scrub.body(raw.decode())
        except UnicodeDecodeError:  # sound, a picture
            return {"file": self._file(raw)}
        return (
            {"text": text.split("\n")} if len(text) <= LONG else {"file": self._file(text.encode())}
        )

    def _events(self, raw):
        """[(seconds, bytes)] of a stream's events, each with the time at which its last byte
        came.
        """
        ends = sse.ends(raw)
        if raw and ends[-1:] != [len(raw)]:
            ends.append(len(raw))
        times = iter(self.times)
        there, at = next(times)
        events = []
        for begin, end in zip([0, *ends], ends):
            while there < end:
                there, at = next(times)
            events.append((at, raw[begin:end]))
        return events

    def _file(self, raw):
        kind = self.headers.get("content-type", "").split(";")[0].strip()
        name = canonical.digest(raw) + (KINDS.guess_extension(kind) or ".bin")
        if not (self.recorder.folder / "files" / name).exists():
            whole_file.write(self.recorder.folder / "files" / name, raw)
        return name

    def _note(self, reason):
        method, path = self.request[:2]
        self.recorder.folder.mkdir(parents=True, exist_ok=True)
        # one write: lines of several processes stay apart
        with open(self.recorder.folder / "cut.log", "a", encoding="utf-8") as log:
            log.write(
                scrub.text(
                    f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S} {method} {path}: {reason}".replace(
                        "\n", " "
                    )
                )
                + "\n"
            )


def about(method, path, sent):
    """What an exchange was, in a line for people."""
    words = " ".join(last_words(sent).split())
    name = sent.get("model") if isinstance(sent, dict) else None
    return (
        f"{method} {path}"
        + (f", {name}" if isinstance(name, str) else "")
        + (f": {words[:80]}{'…' * (len(words) > 80)}" if words else "")
    )


def last_words(sent):
    """The last text that a request says: that of its last message, its input or its prompt."""
    if isinstance(sent, str):
        return sent
    if isinstance(sent, list):
        return next((words for v in reversed(sent) if (words := last_words(v))), "")
    if isinstance(sent, dict):
        return next(
            (
                words
                for name in ("messages", "input", "prompt", "content", "text")
                if name in sent and (words := last_words(sent[name]))
            ),
            "",
        )
    return ""


def slug(path, model):
    """A file's name, from where and of whom was asked."""
    words = re.sub(
        r"[^a-z0-9.]+", "-", f"{path} {model if isinstance(model, str) else ''}".lower()
    ).strip("-.")
    return words[:80].strip("-.")
