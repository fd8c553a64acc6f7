"""How the class's own user looks at a seat's folder, where the system lets it go anywhere.

What lies there is the learner's, who may put a link, a pipe or another folder in its place at any
moment. So each folder is opened below the one before, no link is followed, and what is looked at is
what is open, not what a path leads to a moment later. Writing is left to who runs as the learner.
"""

import contextlib
import os
import stat
from pathlib import PurePath

DEEP = 100  # folders in each other, of which each is held open


class TooDeep(Exception):
    """There are more than DEEP folders in each other."""


@contextlib.contextmanager
def folder(path, at=None):
    """The number of an open folder; at: the number of the one in which it lies. Raises OSError,
    also where a link stands for it.
    """
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    try:
        yield number
    finally:
        os.close(number)


@contextlib.contextmanager
def _inside(home, path):
    """(the number of the folder below home in which a path ends, its last name)."""
    *above, name = PurePath(path).parts
    with contextlib.ExitStack() as opened:
        at = None
        for step in (home, *above):
            at = opened.enter_context(folder(step, at))
        yield at, name


def plain(home, path):
    """What the system says of a file below a seat's folder; None of what is no file, as a link."""
    try:
        with _inside(home, path) as (at, name):
            stated = os.stat(name, dir_fd=at, follow_symlinks=False)
    except OSError:
        return None
    return stated if stat.S_ISREG(stated.st_mode) else None


def read(home, path, most):
    """The first `most` bytes of a file below a seat's folder; None of what is no file, or belongs
    to another user than the folder, as by a second name for a neighbour's.
    """
    try:
        with _inside(home, path) as (at, name):
            # a pipe into which nobody writes would be waited for
            number = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    except OSError:
        return None
    try:
        stated = os.fstat(number)
        if not stat.S_ISREG(stated.st_mode) or stated.st_uid != os.stat(home).st_uid:
            return None
        found = []
        while most > 0 and (part := os.read(number, most)):
            found.append(part)
            most -= len(part)
        return b"".join(found)
    except OSError:
        return None
    finally:
        os.close(number)


def below(at, deep=0):
    """(the number of the folder in which it lies, its name, what the system says) of all that lies
    below an open folder, a folder before what is in it. Raises TooDeep.
    """
    with os.scandir(at) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # gone meanwhile, another, or not for us
                stated = entry.stat(follow_symlinks=False)
                yield at, entry.name, stated
                if stat.S_ISDIR(stated.st_mode):
                    if deep == DEEP:
                        raise TooDeep
                    with folder(entry.name, at) as inner:
                        yield from below(inner, deep + 1)
