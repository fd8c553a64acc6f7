"""/day9: what helpers.wire(), receipt() and the frames read. Not part of OpenAI's API."""

from .answer import Answer, as_json, error


class Books:
    """Reads the ledger, and what was trained and spent beside it."""

    def __init__(self, ledger, answers, upstream):
        self.ledger, self.answers, self.upstream = ledger, answers, upstream

    def answer(self, request):
        """The Answer to a request below /day9."""
        name = request.path.removeprefix("/day9/")
        if name == "begin" and request.method == "POST":
            return Answer(200, as_json(self.begin()))
        if request.method == "GET" and name == "exchanges":
            return Answer(200, as_json(self.ledger.exchanges()))
        if request.method == "GET" and name == "receipt":
            return Answer(200, as_json(self.receipt()))
        if request.method == "GET" and name.startswith("origin/"):
            return Answer(200, as_json(self.origin(name.removeprefix("origin/"))))
        return error(404, f"Invalid URL ({request.method} {request.path})")

    def begin(self):
        """A new notebook. Says what could not be recorded of the one before."""
        recorder = self.upstream and self.upstream.recorder
        lost = recorder.lost[:] if recorder else []
        self.ledger.begin()
        self.answers.begin()
        if recorder:
            del recorder.lost[: len(lost)]
            recorder.new_run()
        return {"begun": True, "lost": lost}

    def receipt(self):
        return self.ledger.summary() | {
            "training": self.answers.trained(),
            "upstream": self.upstream and self.upstream.summary(),
        }

    def origin(self, id):
        """Where the answer with an id comes from."""
        origin, recording = self.ledger.origins.get(id, ({}, ""))
        return {"origin": origin, "recording": recording}
