"""The Files API: what is uploaded, as it was, until it is deleted or the server ends.

A training file is read at once: what is no JSONL is refused with 400, as the hosted service does;
what is wrong inside a line is found by the job.
"""

import time
from dataclasses import dataclass, field

from ...facts import preference_file
from .. import canonical, lists
from ..answer import Answer, not_allowed, told
from ..checks import Bad, choice, missing
from .candidates import prompts
from .shapes import OBJECTS, found, new_id, page

PURPOSES = (
    "assistants",
    "batch",
    "fine-tune",
    "vision",
    "user_data",
    "evals",
)  # openai 3.54.0, types/file_purpose.py
MOST_FILES, MOST_BYTES = 200, 512_000_000  # uploads held, and their size together
EXPIRY = (3_600, 2_592_000)  # seconds; openai 3.54.0, types/file_create_params.py


@dataclass
class File:
    """An upload, or the metrics that a job left. `expires_at`: Unix time."""

    purpose: str
    filename: str
    content: bytes | bytearray
    expires_at: int | None = None
    # what a training file asks and answers, see candidates.py
    prompts: dict = field(default_factory=dict)
    id: str = field(default_factory=lambda: new_id("file-", 22))
    created_at: int = field(default_factory=lambda: int(time.time()))

    def as_object(self):
        return {
            "object": "file",
            "id": self.id,
            "purpose": self.purpose,
            "filename": self.filename,
            "bytes": len(self.content),
            "created_at": self.created_at,
            "expires_at": self.expires_at,
            "status": "processed",
            "status_details": None,
        }


class Files:
    """The files held, and the answers about them."""

    def __init__(self):
        self._held = {}

    def get(self, id):
        """The File with this id, or None."""
        file = self._held.get(id)
        if file and file.expires_at and file.expires_at <= time.time():
            self.remove(id)
            return None
        return file

    def all(self):
        """The Files, oldest first."""
        return [file for id in list(self._held) if (file := self.get(id))]

    def add(self, file):
        self._held[file.id] = file
        return file

    def remove(self, id):
        self._held.pop(id, None)

    def answer(self, method, path, rest, query, content_type, raw):
        if not rest:
            if method == "POST":
                return self._create(content_type, raw)
            return self._list(query) if method == "GET" else not_allowed(method, path)
        file = self.get(rest[0])
        if file is None:
            return told(Bad(f"No such File object: {rest[0]}", None, "id"), 404)
        if rest[1:] == ["content"] and method == "GET":
            return Answer(
                200,
                file.content,
                origin=OBJECTS,
                headers={"Content-Type": "application/octet-stream"},
            )
        if rest[1:] or method not in ("GET", "DELETE"):
            return not_allowed(method, path)
        if method == "GET":
            return found(file.as_object())
        self.remove(file.id)
        return found({"object": "file", "deleted": True, "id": file.id})

    def _list(self, query):
        files = [f for f in self.all() if f.purpose == query.get("purpose", f.purpose)]
        order = query.get("order", "desc")
        choice("asc", "desc")(order, "order")
        return page(
            files if order == "asc" else files[::-1],
            query,
            File.as_object,
            most=10_000,
            usual=10_000,
        )

    def _create(self, content_type, raw):
        fields, files = canonical.form_parts(content_type, raw)
        for name, there in (("file", files), ("purpose", fields)):
            if name not in there:
                raise missing(name)
        filename, content = files["file"]
        purpose = fields["purpose"]
        choice(*PURPOSES)(purpose, "purpose")
        if not content:
            raise Bad(f"The file {filename!r} is empty.", None, "file")
        expires_at = _expiry(fields)
        held = [f for f in self.all() if f.purpose in PURPOSES]
        if len(held) >= MOST_FILES or sum(len(f.content) for f in held) + len(content) > MOST_BYTES:
            raise Bad(
                f"The local API holds at most {MOST_FILES} files of {MOST_BYTES:,} bytes together; delete some with client.files.delete(id).",
                None,
                "file",
            )
        asked = {}
        if purpose == "fine-tune":
            problems = []
            asked = prompts(preference_file.examples(content, problems))
            refused = next(
                (p for p in problems if p.level == "error" and p.stage == "upload"), None
            )
            if refused:
                return _refused(refused)
        return found(self.add(File(purpose, filename, content, expires_at, asked)).as_object())


def _refused(problem):
    if problem.published:
        return told(
            Bad(problem.message, None),
            source="verbatim but for the quoted start of the line: OkGoDoIt/OpenAI-API-dotnet#59",
        )
    raise Bad(str(problem), None, "file")


def _expiry(fields):
    """The Unix time of the end that a form's expires_after sets, or None. Raises Bad."""
    if not any(name.startswith("expires_after") for name in fields):
        return None
    anchor, seconds = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]", "")
    least, most = EXPIRY
    if anchor != "created_at":
        raise Bad(
            f"Invalid 'expires_after[anchor]': expected 'created_at', but got {anchor!r} instead.",
            None,
            "expires_after[anchor]",
        )
    if not lists.whole_number(seconds, least, most):
        raise Bad(
            f"Invalid 'expires_after[seconds]': expected a whole number from {least} to {most}, but got {seconds[:40]!r} instead.",
            None,
            "expires_after[seconds]",
        )
    return int(time.time()) + int(seconds)
