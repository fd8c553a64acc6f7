"""A process of its own for the trainer or for llama.cpp: one thread, and it gives way to all that
the reader does meanwhile.
"""

import json

from ...apart import Broken, start

# What NumPy's libraries read: with more threads each waits for the slowest on a busy machine.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Child:
    """kind: "train" or "serve". The first that it is asked is its task."""

    def __init__(self, kind):
        self.process = start(__package__, kind, **dict.fromkeys(THREADS, "1"))

    @property
    def ended(self):
        return self.process.poll() is not None

    def ask(self, task=None):
        """The answer to a line, a dict; it takes as long as it takes. Raises Broken."""
        try:
            self.process.stdin.write(json.dumps(task).encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b""
        if not line:
            self.end()
            raise Broken(f"its process ended (exit {self.process.returncode})")
        answer = json.loads(line)
        if "fault" in answer:
            self.end()
            raise Broken(answer["fault"])
        return answer

    def end(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:  # what was written last is lost, as is who would read it
                pass
