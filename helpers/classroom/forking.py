"""Processes that are forked from one that has imported the large packages already.

Most of a start is importing openai, pandas and plotly, the same for every kernel. On Linux one
warmed process makes all: each fork is a process of its own, with an empty namespace, in which
`import` finds these packages there. The kernels of a test run come from such a parent
(tests/forked.py), and the seats, kernels and local APIs of a class (warmed.py).

The parent listens at an abstract address, which is no file, so that none is left behind. Who asks
it gets a process of their own user id, so that nobody gains rights by asking.
"""

import array
import builtins
import collections
import contextlib
import errno
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import time
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from unittest import mock

import psutil
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from . import first_use

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "ipykernel.kernelapp"
ADDRESS = "FORKED_FROM"  # the variable by which children know the parent
PATIENCE = 10  # seconds in which one says what is asked for
LONGEST = 2**20  # bytes of that
WAITING = 32  # of one user who have not said it yet
PROCESSES = 100  # of one user, where each seat has its own
TOLD = 10  # lines about one user in the parent's log


def listen(name):
    """The socket of a parent, at an abstract address that the variable ADDRESS then has."""
    os.environ[ADDRESS] = name
    door = socket.socket(socket.AF_UNIX)
    door.bind("\0" + name)
    door.listen(64)
    return door


def use_for_kernels():
    """Make the kernels that this process starts forked ones."""
    KernelProvisionerFactory.provisioners["forked"] = EntryPoint(
        "forked", f"{__name__}:Provisioner", KernelProvisionerFactory.GROUP_NAME
    )
    KernelProvisionerFactory.instance().default_provisioner_name = "forked"


class Provisioner(LocalProvisioner):
    """What jupyter_client asks to start a kernel, to signal it, and whether it lives."""

    async def pre_launch(self, **kwargs):
        # A port that is free when it is chosen may be another's when the kernel takes it. Where
        # nobody has chosen files, as for a class, it is an address of the system that is no file.
        if self.parent.transport == "tcp":
            self.parent.transport, self.parent.ip = "ipc", f"@kernel-{self.kernel_id}"
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        self.cwd = kwargs.get("cwd") or os.getcwd()
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Forked(
            forked(KERNEL, arguments, str(self.cwd), dict(kwargs.get("env") or os.environ))
        )
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class Forked:
    """A process that is no child of this one, and may have ended already, with what is wanted of a
    Popen.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid):
        self.pid, self.process = pid, None
        with contextlib.suppress(psutil.NoSuchProcess):
            self.process = psutil.Process(pid)

    def poll(self):
        with contextlib.suppress(psutil.NoSuchProcess):
            # its parent is about to take leave of it
            running = self.process and self.process.is_running()
            if running and self.process.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def wait(self, timeout=None):
        if self.process:
            self.process.wait(timeout)

    def send_signal(self, sig):
        with contextlib.suppress(psutil.NoSuchProcess):  # as a Popen that has ended
            if self.process:
                self.process.send_signal(sig)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)


def forked(module, arguments, cwd, env, files=()):
    """The process id of a new process in a folder and an environment: a kernel, or main(arguments)
    of another module. files: file numbers that become its standard input, output and error.
    """
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect("\0" + os.environ[ADDRESS])
        # one byte to carry the files; what is asked may be longer than one message
        socket.send_fds(talk, [b" "], files)
        talk.sendall(json.dumps([module, arguments, cwd, env]).encode())
        talk.shutdown(socket.SHUT_WR)
        said = talk.makefile().read()
    if not said.isdecimal():
        raise RuntimeError(
            said or "the process that others are forked from has ended; what it said stands above"
        )
    return int(said)


class Asked:
    """One who has come to the parent, and what of their question has come so far."""

    def __init__(self, talk):
        talk.setblocking(False)
        who = talk.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        self.talk, self.user = talk, array.array("i", who)[1]
        self.until = time.monotonic() + PATIENCE
        self.files, self.said = [], None

    def heard(self, ready, now):
        """Take what has come, where its socket is among those that are ready; whether that was
        the end. now: when these were looked for. Raises OSError and ValueError for what is no
        question.
        """
        if self.talk in ready:
            if self.said is None:
                _, self.files, _, _ = socket.recv_fds(self.talk, 1, 3)
                self.said = bytearray()
            with contextlib.suppress(BlockingIOError):  # no more for now
                while part := self.talk.recv(2**16):
                    self.said += part
                    if len(self.said) > LONGEST:
                        raise ValueError(f"more than {LONGEST:,} bytes")
                return True
        if now > self.until:
            raise TimeoutError(f"it took longer than {PATIENCE} seconds")
        return False

    def fork(self, children):
        """os.fork(), and who asked by the process. Raises OSError where they have too many."""
        others = self.user != os.getuid()
        if others and [*children.values()].count(self.user) >= PROCESSES:
            why = f"a seat may have {PROCESSES} kernels and local APIs: close some notebooks"
            raise OSError(errno.EAGAIN, why)
        if pid := os.fork():
            children[pid] = self.user
        return pid

    def close(self):
        for file in self.files:
            os.close(file)
        self.talk.close()


def serve(door, warm, become):
    """In the parent: fork a process for each that asks, until standard input ends.

    warm() is called before the first fork. become(module, arguments, cwd, env, user, files) is
    called in each fork: `user` is the user id of who asked; it does not return.

    All who have come are listened to at once, so that nobody keeps the others waiting.
    """
    children, ended = {}, []  # who asked, by process; the processes that are none any more
    strange = collections.Counter()  # how often users have asked for nothing that can be
    signal.signal(signal.SIGCHLD, lambda *_: forget(ended))
    ways = selectors.PollSelector()  # which a fork does not share with this process
    ways.register(door, selectors.EVENT_READ)
    ways.register(sys.stdin, selectors.EVENT_READ)
    asking = set()
    while True:
        ready, now = {key.fileobj for key, _ in ways.select(1)}, time.monotonic()
        forget(ended)  # also those whose signal another thread has taken
        while ended:
            children.pop(ended.pop(), None)
        if sys.stdin in ready:
            return
        if door in ready:
            with contextlib.suppress(OSError):  # gone again, or no room for more
                asked = Asked(door.accept()[0])
                if [other.user for other in asking].count(asked.user) < WAITING:
                    asking.add(asked)
                    ways.register(asked.talk, selectors.EVENT_READ)
                else:
                    asked.close()
        for asked in list(asking):
            try:
                if not asked.heard(ready, now):
                    continue
                module, arguments, cwd, env = json.loads(asked.said)
            except (OSError, ValueError, RecursionError, TypeError) as wrong:
                strange[asked.user] += 1
                if strange[asked.user] <= TOLD:
                    said = f"user {asked.user} asked for nothing that can be: {wrong}"
                    print(said, file=sys.stderr)
            else:
                warm()
                try:
                    pid = asked.fork(children)
                except OSError as error:
                    answer = f"{error.strerror}."
                else:
                    if pid == 0:
                        door.close()
                        for other in asking - {asked}:  # others' files are not for this one
                            other.close()
                        asked.talk.close()
                        become(module, arguments, cwd, env, asked.user, asked.files)
                        return
                    answer = str(pid)
                with contextlib.suppress(OSError):
                    asked.talk.sendall(answer.encode())
            asking.remove(asked)
            ways.unregister(asked.talk)
            asked.close()
        for other in asking:  # while something was imported or forked, nobody was listened to
            other.until += time.monotonic() - now


def forget(ended):
    """Take leave of the processes that have ended; their ids are put into a list."""
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            ended.append(pid)


def import_as_in_a_kernel(names, also=lambda: None):
    """Import modules as in a kernel, for which pandas and plotly look to choose how to show things,
    use each once, and do what else is to be shared. Returns the variables of the environment that
    the imports have set.
    """
    from ipykernel.zmqshell import ZMQInteractiveShell

    shell = ZMQInteractiveShell.__new__(ZMQInteractiveShell)
    with (
        mock.patch.dict(os.environ, TIKTOKEN_CACHE_DIR=str(ROOT / "data" / "tokenizer")),
        mock.patch("IPython.get_ipython", lambda: shell),
        mock.patch.object(builtins, "get_ipython", lambda: shell, create=True),
    ):
        before = set(os.environ)
        for name in names:
            importlib.import_module(name)
        made = {name: value for name, value in os.environ.items() if name not in before}
        first_use.use()
        also()
    gc.collect()
    gc.freeze()  # what is there stays shared: no collector writes to it
    return made


def leave_parent(cwd, env, files=(), kept=()):
    """In a fork: a session of its own, the folder, the environment and the standard files that were
    asked for; where there are none, nothing is read and nothing kept. What else the parent has open
    is nothing here: all that are forked would share it, whoever they are; save the numbers that are
    kept, which were opened since.
    """
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):  # a kernel speaks in messages, others in a file
        os.dup2(files[standard] if standard < len(files) else nothing, standard)
    for file in files:
        os.close(file)
    for name in os.listdir("/proc/self/fd"):
        # not closed: a library that still has the number would write into the file that gets it
        with contextlib.suppress(OSError):  # what listed them
            if int(name) > 2 and int(name) not in kept and os.fstat(int(name)):
                os.dup2(nothing, int(name), inheritable=False)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None  # where that is, is asked anew
    os.chdir(cwd)
    del sys.path[0]  # of `-m`; ipykernel puts the kernel's own folder there


def open_standard_files():
    """Python's own, of those that leave_parent() has put in place."""
    sys.stdin, sys.stdout, sys.stderr = (open(n, m, encoding="utf-8") for n, m in enumerate("rww"))


def to_the_end(work):
    """work(), and then the end of this process, a fork: with the exit code and the words that it
    would end with as Python's own. Nothing of the parent's is tidied.
    """
    code = 1
    try:
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else end.code is not None
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def be_kernel(arguments):
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    importlib.import_module(KERNEL).IPKernelApp.launch_instance([*arguments, parent])
