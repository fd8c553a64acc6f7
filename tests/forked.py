"""Kernels and local APIs under test, forked from a process that has imported the large packages
already (helpers/classroom/forking.py).

On Linux all kernels of a test run come from one warmed parent, in which the SDK has been used once,
which makes its schemas. Left out are `helpers`, which a notebook imports as anywhere, and
ipywidgets, which makes itself known to its kernel as it is imported. JupyterLab's kernels in the
browser tests are forked, too, and the processes in which tests/tools/edited.py changes cells.

So are the local APIs that tests and these kernels start by helpers/local_api/child.py: a class's
come from such a parent, too, with all loaded that sound is heard with. One whose environment would
have changed how Python or a library starts is started anew.
"""

import atexit
import ctypes
import functools
import importlib
import importlib.abc
import importlib.machinery
import os
import socket
import subprocess
import sys
from pathlib import Path

from helpers.classroom import forking, warmed
from helpers.classroom.forking import KERNEL, forked  # noqa: F401 (asked for here by tools)
from helpers.local_api import child

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
# Variables that Python or a library reads once, as it is loaded, which a fork does not do again.
READ_ONCE = ("LANG", "LC_", "LD_", "MALLOC_", "NPY_", "OPENBLAS_", "PYTHON", "TESTS_", "TMP", "TZ")
# Those that child.py and the local API's own modules set: warmed.serve() does what they are for.
SET = {
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONIOENCODING": "utf-8",
}
LARGE, MADV_COLLAPSE = 2**21, 25  # bytes of a large page; Linux 6.1 and newer


def install():
    """Make the kernels and local APIs that this process starts forked ones."""
    # elsewhere a fork of what has used the system's own libraries is not safe
    if sys.platform != "linux":
        return
    if forking.ADDRESS not in os.environ:  # workers know the one that their controller has started
        start_parent()
    forking.use_for_kernels()
    child.started = warmed.started


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
    made = forking.import_as_in_a_kernel(WARM, load_api)
    into_large_pages()
    return made


def load_api():
    for name in warmed.OF_API:
        importlib.import_module(name)
    warmed.load_here()


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
    if module == warmed.API:
        forking.to_the_end(lambda: become_api(arguments, cwd, env, files))
    forking.leave_parent(cwd, env, files)
    # before ours are dropped: tests/tools/edited.py imports them, by way of this very module
    main = forking.be_kernel if module == KERNEL else importlib.import_module(module).main
    if forking.ADDRESS in env:
        sys.meta_path.insert(0, ForksApis())
    # a notebook imports ours as anywhere
    for name in [n for n in sys.modules if n.partition(".")[0] == "helpers"]:
        del sys.modules[name]
    if module == KERNEL:
        os.environ.update(warm())
    main(arguments)


class ForksApis(importlib.abc.MetaPathFinder):
    """In a fork: helpers/local_api/child.py, once it is imported, has its local API forked."""

    def find_spec(self, name, path, target=None):
        if name != child.__name__:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec.origin != child.__file__:  # a copy of the project, which has local APIs of its own
            return spec
        load = spec.loader.exec_module

        def load_and_tell(module):
            load(module)
            module.started = warmed.started

        spec.loader.exec_module = load_and_tell
        return spec


def become_api(arguments, cwd, env, files):
    anew = starts_otherwise(os.environ, env)
    forking.leave_parent(cwd, env, files)
    if anew:
        command = [sys.executable, "-m", "helpers.local_api", *arguments]
        os.execve(command[0], command, env)
    forking.open_standard_files()
    warmed.serve(arguments)


def starts_otherwise(here, env):
    """Whether what is started in the environment `env` finds another from the first than this
    process has in `here`.
    """
    once = lambda of: {
        name: {*value.split(os.pathsep), str(ROOT)} if name == "PYTHONPATH" else value
        for name, value in of.items()
        if name.startswith(READ_ONCE)
    }
    return once(here | SET) != once(SET | env)


if __name__ == "__main__":
    forking.serve(socket.socket(fileno=int(sys.argv[1])), warm, become)
