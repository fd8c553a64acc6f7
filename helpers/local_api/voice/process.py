"""The child process with the models, and how the local API asks it: one task after the other, from
a thread, so that no session waits in the event loop.
"""

import asyncio
import collections
import concurrent.futures
import contextlib
import hashlib
import io
import json

from ...common import left_out
from .. import apart
from ..apart import Broken, start

KEPT = 64  # pieces of sound whose words are known: some minutes of speech


class Speech:
    """Ears and mouth. The process starts with the first task, and each model loads with its own."""

    def __init__(self):
        self.child, self.warming, self.heard = None, None, collections.OrderedDict()
        self.asking = concurrent.futures.ThreadPoolExecutor(1)

    @property
    def there(self):
        """Whether they are set up on this machine."""
        return left_out.ears()

    async def pieces(self, pcm):
        """[(first ms, PCM16 at 16 kHz)] of the speech in PCM16 at 24 kHz; [] of none; see
        pieces.py. Raises Broken.
        """
        outcome, made = await self._asked({"do": "pieces"}, pcm)
        sound = io.BytesIO(made)
        return [(at, sound.read(size)) for at, size in outcome["found"]]

    async def hear(self, pcm):
        """(words, how sure) of PCM16 at 16 kHz, some seconds of it; see ears.py. Raises
        Broken.
        """
        # in each pause of a long turn all of it is listened to, and only its end is new
        known = hashlib.sha256(pcm).digest()
        if known not in self.heard:
            outcome, _ = await self._asked({"do": "hear"}, pcm)
            self.heard[known] = outcome["words"], outcome["sure"]
            if len(self.heard) > KEPT:
                self.heard.popitem(last=False)
        return self.heard[known]

    async def say(self, text):
        """The sound of an English text, PCM16 at 24 kHz; b"" for one without a word. Raises
        Broken.
        """
        _, pcm = await self._asked({"do": "say", "text": text})
        return pcm

    def warm(self):
        """Begin to load both: somebody speaks, and will want to be answered. Returns at once."""
        if apart.started is not apart.popen:  # it is forked from one that has loaded them
            return
        if self.child is None and (not self.warming or self.warming.done()) and self.there:
            self.warming = self.asking.submit(self._warm)

    def _warm(self):
        with contextlib.suppress(Broken):  # told where it happens again
            for task, data in (
                ({"do": "hear"}, bytes(2 * 8_000)),
                ({"do": "say", "text": ""}, b""),
            ):
                self._ask(task, data)

    async def _asked(self, task, data=b""):
        return await asyncio.get_running_loop().run_in_executor(self.asking, self._ask, task, data)

    def _ask(self, task, data):
        """(what came of a task, its bytes); in the thread alone."""
        if self.child is None:
            self.child = start(__package__)
        try:
            self.child.stdin.write(json.dumps(task | {"bytes": len(data)}).encode() + b"\n" + data)
            self.child.stdin.flush()
            line = self.child.stdout.readline()
            outcome = json.loads(line) if line else None
            made = self.child.stdout.read(outcome["bytes"]) if outcome else b""
        except OSError:
            outcome = None
        if outcome is None:
            ended, self.child = self.child, None
            ended.kill()
            code = ended.wait()  # None of one that was forked elsewhere
            how = "" if code is None else f" (exit {code})"
            raise Broken(
                f"The process of ears and mouth ended{how}; the next sound starts it anew."
            )
        if "fault" in outcome:
            raise Broken(f"Ears and mouth failed: {outcome['fault']}")
        return outcome, made
