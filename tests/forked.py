"""Kernels under test, forked from a process that has imported the large packages already
(helpers/classroom/forking.py).

On Linux all kernels of a test run come from one warmed parent, in which the SDK has been used once,
which makes its schemas. Left out are `helpers`, which a notebook imports as anywhere, and
ipywidgets, which makes itself known to its kernel as it is imported. JupyterLab's kernels in the
browser tests are forked, too, and the processes in which tests/tools/edited.py changes cells.
"""

import atexit
import ctypes
import functools
import importlib
import os
import socket
import subprocess
import sys
from pathlib import Path

from helpers.classroom import forking
from helpers.classroom.forking import KERNEL, forked  # noqa: F401 (asked for here by tools)

ROOT = Path(__file__).resolve().parents[1]
WARM = (
    KERNEL,
    "ipykernel.debugger",
    "nbclient",  # with what reads notebooks, for tests/tools/edited.py
    "pandas.io.formats.style",
    "plotly.express",
    "tiktoken",
    "openai.resources",
    "openai.types.responses",
)
LARGE, MADV_COLLAPSE = 2**21, 25  # bytes of a large page; Linux 6.1 and newer


def install():
    """Make the kernels that this process starts forked ones."""
    # elsewhere a fork of what has used the system's own libraries is not safe
    if sys.platform != "linux":
        return
    if forking.ADDRESS not in os.environ:  # workers know the one that their controller has started
        start_parent()
    forking.use_for_kernels()


def start_parent():
    """The warmed process. It ends with the one that started it, and its kernels when they see it
    gone.
    """
    with forking.listen(f"day9-tests-{os.getpid()}") as door:
        parent = subprocess.Popen(
            [
                sys.executable,
                "-Xfrozen_modules=off",
                "-m",
                __name__,
                str(door.fileno()),
            ],  # as kernels
            cwd=ROOT,
            pass_fds=[door.fileno()],
            stdin=subprocess.PIPE,
        )

    @atexit.register
    def end():
        parent.stdin.close()
        parent.wait()


@functools.cache
def warm():
    """Import once what kernels need; the variables of the environment that this has set."""
    made = forking.import_as_in_a_kernel(WARM)
    into_large_pages()
    return made


def into_large_pages():
    """Put what this process has in memory into large pages, where Linux does that: a fork copies
    one entry for each, not 512, and a page of the usual size where it writes. Edits of notebooks
    fork thousands of times.
    """
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, rights, _, _, inode, *name = line.split()
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            begin, end = (int(at, 16) for at in span.split("-"))
            for at in range(-(-begin // LARGE) * LARGE, end - LARGE + 1, LARGE):
                libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(LARGE), MADV_COLLAPSE)


def become(module, arguments, cwd, env, user, files):
    forking.leave_parent(cwd, env, files)
    # before ours are dropped: tests/tools/edited.py imports them, by way of this very module
    main = forking.be_kernel if module == KERNEL else importlib.import_module(module).main
    # a notebook imports ours as anywhere
    for name in [n for n in sys.modules if n.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    if module == KERNEL:
        os.environ.update(warm())
    main(arguments)


if __name__ == "__main__":
    forking.serve(socket.socket(fileno=int(sys.argv[1])), warm, become)
