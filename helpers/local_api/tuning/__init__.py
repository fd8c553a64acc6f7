"""Files, fine-tuning jobs and tuned models: computed, not replayed; all in memory, and gone with
the server.

files.py holds what is uploaded, jobs.py trains on it (helpers/facts/policy.py), models.py lets the
result answer. Each is asked with a request's parts and gives an Answer, like answers.py, and knows
nothing of sockets. What a job trains is a stand-in (see helpers/facts/policy.py), and the origin of
every answer says so; or, where `start.py lab --model` set it up, a language model (real/), whose
tuned models are kept on the disk.
"""

from ..answer import error, told
from ..checks import Bad
from .files import Files
from .jobs import Jobs
from .models import Models
from .real.writer import Writer


class Tuning:
    """Everything that is held of one kind of work. `pace`: see jobs.py."""

    def __init__(self, pace=0):
        self.files = Files()
        self.models, self.writer = Models(self.files), Writer()
        self.jobs = Jobs(self.files, self.models, pace, self.writer)

    def answer(self, method, path, query, content_type, raw):
        """The Answer to a request below /v1/files or /v1/fine_tuning. Not to be called by two
        threads at once.

        The event loop asks for models and receipts meanwhile, and each job adds what it has made
        from its own thread: so what is held is changed in single steps, and a list of it is made
        before it is gone through.
        """
        try:
            return self._answer(method, path, query, content_type, raw)
        except Bad as e:
            return told(e)

    def _answer(self, method, path, query, content_type, raw):
        place, *rest = path.removeprefix("/v1/").strip("/").split("/")
        if place == "files":
            return self.files.answer(method, path, rest, query, content_type, raw)
        if place == "fine_tuning" and rest[:1] == ["jobs"]:
            return self.jobs.answer(method, path, rest[1:], query, content_type, raw)
        return error(404, f"Invalid URL ({method} {path})")
