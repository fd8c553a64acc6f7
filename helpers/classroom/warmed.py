"""The process from which a class's seats, kernels and local APIs are forked, on Linux.

    python -m helpers.classroom.warmed SOCKET [GROUPS ...]

SOCKET: the number of an open, listening socket. GROUPS: the folders that groups.begin() has made.

It runs as whoever has started the class. A kernel, a local API and what hears for it belong to the
seat that asks for them; a seat is made for the class's own user alone, and then becomes the user
that it is for.
"""

import contextlib
import ctypes
import functools
import importlib
import io
import os
import platform
import signal
import socket
import subprocess
import sys
import traceback
from pathlib import Path

import psutil

from ..common import left_out
from ..common.private import must_have
from ..facts import hearing
from ..local_api import accepting, apart, child
from . import forking, groups, peers, seats

ROOT = Path(__file__).resolve().parents[2]
API = "helpers.local_api.__main__"
SEAT = "jupyterhub.singleuser.extension"
VOICE = "helpers.local_api.voice"
OF_API = (
    API,
    "helpers.local_api.realtime.calls",
    "helpers.local_api.realtime.websocket",
    "helpers.local_api.recordings",
    "helpers.local_api.voice.process",
    "helpers.local_api.where",
)
WARM = (
    SEAT,
    forking.KERNEL,
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "anyio._backends._asyncio",
    "ipykernel.debugger",
    "ipykernel.kernelspec",
    "ipykernel.zmqshell",
    "jinja2.ext",
    "jupyter_core.migrate",
    "jupyter_server.kernelspecs.handlers",
    "jupyter_server.nbconvert.handlers",
    "jupyter_server.services.api.handlers",
    "jupyter_server.services.config.handlers",
    "jupyter_server.services.contents.handlers",
    "jupyter_server.services.events.handlers",
    "jupyter_server.services.kernels.handlers",
    "jupyter_server.services.kernelspecs.handlers",
    "jupyter_server.services.nbconvert.handlers",
    "jupyter_server.services.security.handlers",
    "jupyter_server.services.sessions.handlers",
    "jupyter_server.services.shutdown",
    "jupyter_server.view.handlers",
    "jupyter_server_terminals.app",
    "jupyterlab.labapp",
    "jupyterlab_server",
    "jupyter_client.provisioning",
    "jupyter_lsp",
    "nbformat",
    "notebook_shim.nbserver",
    "tornado.httpserver",
    "tornado.platform.asyncio",
    "pandas.io.formats.string",
    "pandas.io.formats.style",
    "plotly.express",
    "openai.lib._websocket",
    "openai.resources",
    "openai.types.chat",
    "openai.types.responses",
    "tiktoken",
    "websockets.asyncio.client",
    "websockets.sync.client",
    "helpers.classroom.door",
    "helpers.connection",
    "helpers.dates",
    "helpers.display",
    "helpers.errors.panels",
    "helpers.errors.stopped",
    "helpers.exercises.costs",
    "helpers.exercises.dpo",
    "helpers.exercises.o1",
    "helpers.exercises.progress",
    "helpers.exercises.realtime",
    "helpers.exercises.sdks",
    "helpers.exercises.start",
    "helpers.receipts",
    "helpers.sounds",
    *OF_API,
)
# OpenBLAS's own, and, where a newer one hides them, its function, which first starts the threads
BLAS = ("blas_num_threads", "blas_cpu_number")
SET_THREADS = "scipy_openblas_set_num_threads64_"  # as NumPy's wheels call it
WAITING = 128  # requests that wait while a JupyterLab is busy
M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
PARENT_HAS_ENDED, NO_NEW_RIGHTS = 1, 38  # prctl's PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS
KEYCTL = {"x86_64": 250, "aarch64": 219}  # the number of that call of the system's, by processor
JOIN_SESSION_KEYRING, CLONE_NEWIPC = 1, 0x08000000
# A loop that fills the memory or the disk ends in a MemoryError or an OSError of the learner's own.
LIMITS = {"RLIMIT_DATA": 3 * 2**30, "RLIMIT_FSIZE": 2**30}
# Of what all share. A kernel and its local API have 15 threads, which count as processes.
# What a process had in its memory as it crashed is not written down, wherever the system would.
WALLED = {"RLIMIT_NPROC": 1_000, "RLIMIT_NOFILE": 4_096, "RLIMIT_CORE": 0}


@functools.cache
def warm():
    """Import once what all have in common; the variables of the environment that this has set."""
    load_voice()  # first, so that what the others need fills the memory that it leaves free
    return forking.import_as_in_a_kernel(WARM, load_here)


def load_voice():
    """Load ears and a mouth, where they are set up; what is wrong with them ends no class."""
    if left_out.ears():
        try:
            importlib.import_module(f"{VOICE}.__main__").load_here()
        except Exception:  # which who speaks is told, too
            traceback.print_exc()


def load_here():
    """Load what clips are heard with, and what a server makes to check its first notebook."""
    import nbformat

    hearing.load_here()
    nbformat.validate(nbformat.v4.new_notebook())


def become(folders, module, arguments, cwd, env, user, files):
    """Be the process that was asked for, until it ends. folders: those of the class's groups."""

    def work():
        made, whose, doors = warm(), user, []
        if module == SEAT:
            if whose != os.getuid():
                raise PermissionError(f"user {whose} may not ask for a seat")
            whose, door = int(arguments.pop(0)), arguments.pop(0)
        # where memory runs out, the system ends a kernel first, and never what holds the class
        soon = "800" if module == forking.KERNEL else "500"
        Path("/proc/self/oom_score_adj").write_text(soon, encoding="ascii")
        if folders:
            groups.enter(folders, seats.of_user(whose), lab=module == SEAT)
        # before its user is another one, who could put something else in its place
        if module == SEAT:
            doors = [listening(door)]
        be_user(whose)  # before anything is done that was asked for
        forking.leave_parent(cwd, made | env, files, [door.fileno() for door in doors])
        forking.open_standard_files()
        # after the change of user, which takes it away
        ctypes.CDLL(None).prctl(PARENT_HAS_ENDED, signal.SIGTERM)
        # standard error is a file that says why, where it does not come so far
        be = {SEAT: be_seat, forking.KERNEL: be_kernel, API: be_api, VOICE: be_voice}
        be[module](arguments, *doors)

    forking.to_the_end(work)


def be_user(user):
    """Become a user id, where that is another one; its files are then for nobody else. What of
    System V's it shares ends with its processes.
    """
    import resource

    limits = LIMITS
    if user != os.getuid():
        library = ctypes.CDLL(None)
        library.unshare(CLONE_NEWIPC)  # root in a container may not
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        library.prctl(NO_NEW_RIGHTS, 1, 0, 0, 0)  # by sudo, su or another program of root's
        if call := KEYCTL.get(platform.machine()):  # what root's login has put there is not theirs
            library.syscall(call, JOIN_SESSION_KEYRING, None)
        limits = LIMITS | WALLED  # else these would be for all seats together, and the hub
    os.umask(0o077)
    for name, most in limits.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(getattr(resource, name), (most, most))
    if "numpy" in sys.modules:  # each its own luck
        sys.modules["numpy"].random.seed()


def becomes(given, seat):
    """What a process calls, before it begins to do something for a seat, to become the seat's own
    user in its groups: the seat's other processes may change it while it runs. None where all seats
    are one user.
    """

    def become_of_seat():
        if given["groups"]:
            groups.enter(given["groups"], seat)
        be_user(seats.user_id(seat))

    return become_of_seat if given["walls"] else None


def listening(path):
    """A socket that listens at a file, to which nobody but this process's user connects."""
    door = socket.socket(socket.AF_UNIX)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # of the seat's JupyterLab before this one
    before = os.umask(0o177)
    door.bind(path)
    os.umask(before)
    door.listen(WAITING)
    door.setblocking(False)
    return door


def be_seat(arguments, door):
    """door: the open socket at which it listens, in the place of a port."""
    from jupyter_server.serverapp import ServerApp

    must_have(ServerApp, "_find_http_port", "_bind_http_server_tcp")
    ServerApp._find_http_port = lambda app: None
    ServerApp._bind_http_server_tcp = lambda app: [app.http_server.add_socket(door)]
    forking.use_for_kernels()
    importlib.import_module(SEAT).JupyterHubSingleUser.launch_instance(arguments)


def be_kernel(arguments):
    from ipykernel.iostream import IOPubThread

    child.started = started
    must_have(IOPubThread, "_setup_pipe_in", "_setup_pipe_out", "_handle_pipe_msg")
    IOPubThread._setup_pipe_in, IOPubThread._setup_pipe_out = pipe_in, pipe_out
    # what was typed is kept in the notebook; a file of it could not be written in a full seat
    forking.be_kernel([*arguments, "--HistoryManager.hist_file=:memory:"])


def pipe_in(thread):
    """ipykernel's way for what forks of a kernel print: a file, where its own is a port."""
    from ipykernel.iostream import ZMQStream, zmq

    thread._pipe_uuid = os.urandom(16)
    thread._pipe_at = f"ipc://{os.environ['JUPYTER_RUNTIME_DIR']}/printed-{os.getpid()}"
    pipe = thread.socket.context.socket(zmq.PULL)
    pipe.linger = 0
    pipe.bind(thread._pipe_at)
    thread._pipe_in = ZMQStream(pipe, thread.io_loop)
    thread._pipe_in.on_recv(thread._handle_pipe_msg)


def pipe_out(thread):
    """The other end, in a fork."""
    from ipykernel.iostream import zmq

    context = zmq.Context()
    pipe = context.socket(zmq.PUSH)
    pipe.linger = 3_000  # ms
    pipe.connect(thread._pipe_at)
    return context, pipe


def be_api(arguments):
    accepting.welcome = peers.own
    apart.started = started_apart
    serve(arguments)


def serve(arguments):
    """Be a local API, with nothing else forked."""
    keep_nothing_freed()
    compute_in_one_thread()
    sys.argv = ["helpers.local_api", *arguments]
    importlib.import_module(API).main()


def be_voice(arguments):
    keep_nothing_freed()
    importlib.import_module(f"{VOICE}.__main__").main()


def keep_nothing_freed():
    """What child.py sets in the environment, which is read before a fork."""
    with contextlib.suppress(AttributeError):  # a system's library other than glibc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 131_072)


def compute_in_one_thread():
    """What ../local_api/realtime sets in the environment, which NumPy has read before a fork: two
    threads that wait for each other take a conversation twice the work of the processors.
    """
    library = ctypes.CDLL(importlib.import_module("numpy._core._multiarray_umath").__file__)
    try:
        for name in BLAS:
            ctypes.c_int.in_dll(library, name).value = 1
    except ValueError:
        with contextlib.suppress(AttributeError):  # another library than OpenBLAS
            getattr(library, SET_THREADS)(1)


def started(arguments, env, said):
    """child.popen, forked."""
    process = piped(API, arguments, env, said.fileno())
    process.stdin = io.TextIOWrapper(process.stdin, encoding="utf-8")
    process.stdout = io.TextIOWrapper(process.stdout, encoding="utf-8")
    return process


def started_apart(package, arguments, env):
    """apart.popen, with ears and a mouth forked: as the user who asks, with the weights that all
    share; what one hears is for nobody else.
    """
    if package != VOICE:
        return apart.popen(package, arguments, env)
    return piped(package, arguments, env, 2)


def piped(module, arguments, env, said):
    """A Child with pipes of bytes for its standard input and output. said: the file number of its
    standard error.
    """
    theirs, mine = os.pipe(), os.pipe()  # what it reads, what it says
    try:
        process = Child(
            forking.forked(module, arguments, str(ROOT), env, [theirs[0], mine[1], said])
        )
    finally:
        os.close(theirs[0])
        os.close(mine[1])
    process.stdin, process.stdout = open(theirs[1], "wb"), open(mine[0], "rb")
    return process


class Child(forking.Forked):
    def wait(self, timeout=None):
        try:
            return super().wait(timeout)
        except psutil.TimeoutExpired:
            raise subprocess.TimeoutExpired("helpers.local_api", timeout) from None


if __name__ == "__main__":
    warm()
    print("warm", flush=True)
    door = socket.socket(fileno=int(sys.argv[1]))
    forking.serve(door, warm, functools.partial(become, sys.argv[2:]))
