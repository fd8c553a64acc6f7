"""Whose interface a file says it speaks: OpenAI's beta of 2024, OpenAI's of today, or another
maker's, whose names are right where they stand.
"""

import functools
import re
from dataclasses import dataclass

from ...facts import tables

# what only OpenAI's beta had, and events that others took over from it
BETA = re.compile(
    r"realtime-preview|realtime=v1|openai-beta|realtime-v1\b|beta[./]realtime|beta\(\)\.realtime"
    r"|realtime/sessions\b|realtime/transcription_sessions|realtime-api-beta"
)
EVENTS = re.compile(
    r"response\.audio(?:_transcript)?\.(?:delta|done)\b|response\.text\.(?:delta|done)\b"
    r"|conversation\.item\.created\b"
)
TODAY = re.compile(
    r"output_?modalities|response\.output_audio|client_?secrets\b|/realtime/calls|gpt-realtime"
    r"|conversation\.item\.(?:added|done)\b|\btype[\"']?\s*[:=]\s*[\"']realtime[\"']"
    r"|audio/pcmu?\b|audio_?config_?(?:in|out)put"
)
OPENAI = re.compile(
    r"api\.openai\.com|\.openai\.azure\.com"
    r"|(?:from|import|require\(|use|using)\s*[\"']?openai\b(?![/.]?agents)"
)


@dataclass(frozen=True)
class Speaker:
    """What the words of a file say of it; several may be true."""

    beta: bool
    today: bool
    openai: bool
    framework: str  # a library that has such names as its own and speaks to OpenAI itself, or ""
    maker: str  # another service, or ""
    in_makers_file: bool  # the file or a folder of it is named as that service, and none as OpenAI

    @property
    def other(self):
        """The file is another's by its name; or nothing in it says that it speaks with OpenAI, and
        something names another.
        """
        return self.in_makers_file or bool(self.maker) and not (self.openai or self.beta)

    @property
    def current(self):
        """Today's names and none of the beta's."""
        return self.today and not self.beta


@functools.cache
def makers():
    """The rows of data/other_makers.csv, as dictionaries."""
    return tables.rows("other_makers.csv")


@functools.cache
def _marks(role):
    imported, hosts = [], []
    for row in makers():
        if row["role"] == role and row["found"] != "path":
            (hosts if row["found"] == "text" else imported).append(re.escape(row["mark"]))
    found = [rf"(?:{'|'.join(hosts)})"] if hosts else []
    if imported:
        called = r"(?:\bimport|\bfrom|\brequire\(|\buse|\busing|\bpackage|#include)"
        found.append(rf"{called}\b[^\n;]{{0,80}}?(?<![\w-])(?:{'|'.join(imported)})(?![\w-])")
    return re.compile("|".join(found))


def _said(role, lower):
    """What a text has of a role, or "". Most texts have none of the words, which is found soon."""
    marks = (row["mark"] for row in makers() if row["role"] == role and row["found"] != "path")
    if not any(mark in lower for mark in marks):
        return ""
    found = _marks(role).search(lower)
    return found[0] if found else ""


@functools.cache
def _packages():
    """Names of folders in which a framework's own code lies; "agents" may be anybody's."""
    marks = (row["mark"] for row in makers() if row["role"] == "framework")
    return {mark.rsplit("/", 1)[-1] for mark in marks if "." not in mark} - {"agents"}


@functools.cache
def _named_by_path():
    return {row["mark"] for row in makers() if row["found"] == "path"}


def _maker_of_path(path, lower):
    """The maker as which a file or a folder of it is named, services/xai/events.py, or ""; none
    where OpenAI is named beside it, in the path or as the host that the file asks.
    """
    words = set(re.split(r"[^a-z0-9]+", path.lower()))
    if "openai" in words or "api.openai.com" in lower:
        return ""
    return "".join(sorted(_named_by_path() & words)[:1])


def _has(pattern, words, lower):
    """Whether a text has a pattern, which has one of these words. Most texts have none of them."""
    return any(word in lower for word in words) and pattern.search(lower) is not None


def speaker(lower, path=""):
    """The Speaker of a text in lower case, without its comments. path: of its file."""
    framework, maker = (_said(role, lower) for role in ("framework", "maker"))
    by_path = _maker_of_path(path, lower)
    maker = maker or by_path or _said("maker", path.lower())
    folders = _packages().intersection(path.lower().split("/")[:-1])
    beta = _has(BETA, ("realtime", "openai-beta"), lower)
    of_today = ("modalities", "secrets", "realtime", "conversation.item.", "audio")
    return Speaker(
        beta=beta or not maker and _has(EVENTS, ("response.", "conversation.item."), lower),
        today=_has(TODAY, of_today, lower),
        openai=_has(OPENAI, ("openai",), lower),
        framework=framework or "".join(sorted(folders)[:1]),
        maker=maker,
        in_makers_file=bool(by_path),
    )
