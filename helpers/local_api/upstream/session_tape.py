"""Keeps a Realtime session as the reader's own recording: what both sides said, when, and their
sound as files.

A session's response in a recording is {"status": 101, "session": [...], "sound": {"client": FILE,
"api": FILE}}. Its entries, in the order in which they passed, each with the seconds since the
session began as "at":
    {"at": 0.1, "client": {...}}      a client event
    {"at": 0.2, "client": 4800}       so many bytes of sound, in one append or several
    {"at": 0.3, "api": "{...}"}       a server event, its text as it came; for a sound in it stands
                                      ‹4800›: so many bytes
    {"at": 9.5, "closed": [1000, ""]} the end, where the API made it
The sounds stand one after the other in the two files. realtime/replayed.py gives it all back.
"""

import asyncio
import datetime
import json
import logging
import tempfile
import threading
import time

from ...facts import whole_file
from .. import canonical, pieces, scrub
from . import recorder

HELD = 1_000_000  # bytes of sound kept in memory; the rest waits on disk
SHORT = 256  # characters of base64: a shorter delta stays in its event


def sound_of(text):
    """(name, base64) of the sound in an event's dict, or ("", "")."""
    for kind, name in (
        ("input_audio_buffer.append", "audio"),
        ("response.output_audio.delta", "delta"),
    ):
        if text.get("type") == kind and isinstance(text.get(name), str):
            return name, text[name]
    return "", ""


def _unpacked(sound):
    """The bytes of base64, or None for what is none."""
    try:
        return pieces.unpacked(sound)
    except ValueError:
        return None


def mark(size):
    """What stands in an event's text for so many bytes of sound."""
    return f"‹{size}›"


class SessionTape:
    """A session while it goes on. `client` and `api` take the texts of messages; `end` writes the
    file.
    """

    def __init__(self, kept_by, query, sdk):
        self.recorder, self.run, self.number = kept_by, kept_by.run, kept_by.next_number()
        self.query, self.sdk, self.date = query, sdk, datetime.date.today().isoformat()
        self.began, self.entries = time.monotonic(), []
        self.adding = threading.Lock()  # long messages are taken beside the event loop
        self.sounds = {
            "client": tempfile.SpooledTemporaryFile(HELD),
            "api": tempfile.SpooledTemporaryFile(HELD),
        }

    def client(self, text, event):
        """A message of the client, as it came, and the event in it; None where it has none, which
        the API says.
        """
        if event is None:
            return self._add({"client": text if isinstance(text, str) else f"{len(text)} bytes"})
        sound = _unpacked(sound_of(event)[1])
        if not sound:
            return self._add({"client": event})
        self.sounds["client"].write(sound)
        with self.adding:
            last = self.entries[-1] if self.entries else {}
            if isinstance(last.get("client"), int):
                last["client"] += len(sound)
                return
        self._add({"client": len(sound)})

    def api(self, text, event):
        """A message of the API, as it came, and the event in it or None."""
        sound = sound_of(event or {})[1]
        raw = _unpacked(sound) or b""
        at = text.find(sound[:SHORT])
        if (
            len(sound) > SHORT
            and text.startswith(sound, at)
            and pieces.packed(raw) == sound
            and mark(len(raw)) not in text
        ):
            self.sounds["api"].write(raw)
            text = text[:at] + mark(len(raw)) + text[at + len(sound) :]
        self._add({"api": text})

    def end(self, closed=None):
        """The session is over; `closed` is (code, reason) where the API ended it. A future, done
        when the recording is on the disk.
        """
        if closed:
            self._add({"closed": list(closed)})
        return asyncio.wrap_future(self.recorder.writers.submit(self._guarded))

    def _add(self, entry):
        with self.adding:
            self.entries.append({"at": round(time.monotonic() - self.began, 3)} | entry)

    def _guarded(self):
        try:
            self._keep()
            return True
        except Exception as e:  # the session was the reader's, whatever becomes of its recording
            self.recorder.lost.append(f"a Realtime session was not recorded: {e}")
            logging.error(self.recorder.lost[-1])
            return False
        finally:
            for sound in self.sounds.values():
                sound.close()

    def _keep(self):
        model = self.query.get("model", "")
        said = iter(scrub.events([e["api"] for e in self.entries if "api" in e]))
        entries = []
        for entry in self.entries:
            if "api" in entry:
                entry = {**entry, "api": next(said)}
            elif "client" in entry:
                entry = {**entry, "client": scrub.value(entry["client"])}
            entries.append(entry)
        origin = {
            "class": "recorded",
            "date": self.date,
            "model": model,
            "sdk": scrub.text(self.sdk),
            "upstream": self.recorder.upstream,
        }
        recording = {
            "about": f"WS /v1/realtime, {model or 'no model named'}: {len(entries)} entries",
            "origin": {k: v for k, v in origin.items() if v},
            "request": {"method": "WS", "path": "/v1/realtime", "body": scrub.value(self.query)},
            "responses": [
                {
                    "status": 101,
                    "session": entries,
                    "sound": {
                        side: self._file(sound)
                        for side, sound in self.sounds.items()
                        if sound.tell()
                    },
                }
            ],
        }
        name = f"{self.number:04}-{recorder.slug('realtime', model)}.json"
        whole_file.write(
            self.run / name, json.dumps(recording, indent=2, ensure_ascii=False).encode() + b"\n"
        )

    def _file(self, sound):
        sound.seek(0)
        raw = sound.read()
        name = f"{canonical.digest(raw)}.raw"
        whole_file.write(self.recorder.folder / "files" / name, raw)
        return name
