"""The reader's tuned models: one file each in data/my_models, the adapter, named as the model. They
survive a restart, and go by client.models.delete(name) or with their file.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ....facts import DATA
from . import BASE

OURS = f"ft:{BASE}:"
ROOM = 6_000_000  # bytes of a training's three models


@dataclass(frozen=True)
class Adapter:
    """A trained model: its file, as llama.cpp and a later training read it."""

    path: Path


def folder():
    """data/my_models, or the folder that DAY9_MY_MODELS names."""
    return Path(os.environ.get("DAY9_MY_MODELS") or DATA / "my_models")


def path_of(name):
    # no file name on Windows has a colon, and no model's name a plus sign
    return folder() / (name.replace(":", "+") + ".gguf")


def get(name):
    """The Adapter of this model, or None."""
    fit = name.startswith(OURS) and "/" not in name and "\\" not in name
    path = path_of(name)
    return Adapter(path) if fit and path.is_file() else None


def names():
    """All models that are kept, oldest first: {name: the second it was made}."""
    try:
        files = list(folder().iterdir())
    except OSError:  # nothing was kept yet
        return {}
    found = {}
    for file in files:
        name = file.name.removesuffix(".gguf").replace("+", ":")
        if file.suffix == ".gguf" and name.startswith(OURS):
            found[name] = int(file.stat().st_mtime)
    return dict(sorted(found.items(), key=lambda one: (one[1], one[0])))


def has_room(job):
    """Raises OSError where what a job makes could not be written: better told before than after.
    job: its id.
    """
    keep(f"{OURS}{job}", bytes(ROOM))
    remove(f"{OURS}{job}")


def keep(name, content):
    """Writes an adapter's bytes: whole, or not at all. Raises OSError."""
    path = path_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    try:
        half.write_bytes(content)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def remove(name):
    path_of(name).unlink(missing_ok=True)
