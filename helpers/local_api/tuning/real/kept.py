"""The reader's tuned models: one file each in data/my_models, the adapter, named as the model. They
survive a restart, and go by client.models.delete(name) or with their file.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ....facts import DATA, whole_file
from . import BASE

OURS = f"ft:{BASE}:"
FOLDER = "DAY9_MY_MODELS"  # a variable of the environment
ROOM = 6_000_000  # bytes of a training's three models


@dataclass(frozen=True)
class Adapter:
    """A trained model: its name, its file, as llama.cpp and a later training read it, and the
    second it was made.
    """

    name: str
    path: Path
    made: int


def folder():
    """data/my_models, or the folder that DAY9_MY_MODELS names."""
    return Path(os.environ.get(FOLDER) or DATA / "my_models")


def path_of(name):
    # no file name on Windows has a colon, and no model's name a plus sign
    return folder() / (name.replace(":", "+") + ".gguf")


def get(name):
    """The Adapter of this model, or None."""
    if not name.startswith(OURS) or "/" in name or "\\" in name:
        return None
    path = path_of(name)
    try:
        return Adapter(name, path, int(path.stat().st_mtime))
    except OSError:
        return None


def adapters():
    """The Adapters of all models that are kept, oldest first."""
    try:
        files = list(folder().iterdir())
    except OSError:  # nothing was kept yet
        return []
    names = (file.stem.replace("+", ":") for file in files if file.suffix == ".gguf")
    return sorted(filter(None, map(get, names)), key=lambda one: (one.made, one.name))


def has_room(job):
    """Raises OSError where what a job makes could not be written: better told before than after.
    job: its id.
    """
    room = folder() / f"{job}.room"  # no model's: whoever is killed here leaves none
    _write(room, bytes(ROOM))
    room.unlink(missing_ok=True)


def keep(name, content):
    """Writes an adapter's bytes: whole, or not at all. Raises OSError."""
    _write(path_of(name), content)


def _write(path, content):
    try:
        whole_file.write(path, content)
    except OSError as e:
        raise OSError(
            f"nothing can be written in {path.parent} ({e.strerror or e}). Delete models there "
            f"(client.models.delete(name)), make room, or name another folder in {FOLDER}"
        ) from None


def remove(name):
    path_of(name).unlink(missing_ok=True)
