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
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from unittest import mock

import psutil
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from . import first_use

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "ipykernel.kernelapp"
ADDRESS = "FORKED_FROM"  # the variable by which children know the parent


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

    async def launch_kernel(self, cmd, **kwargs):
        self.cwd = kwargs.get("cwd") or os.getcwd()
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Forked(
            forked(KERNEL, arguments, str(self.cwd), dict(kwargs.get("env") or os.environ))
        )
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class Forked(psutil.Process):
    """A process that is no child of this one, with what is wanted of a Popen."""

    stdin = stdout = stderr = None

    def poll(self):
        with contextlib.suppress(psutil.NoSuchProcess):
            # its parent is about to take leave of it
            if self.is_running() and self.status() != psutil.STATUS_ZOMBIE:
                return None
        return 0

    def send_signal(self, sig):
        with contextlib.suppress(psutil.NoSuchProcess):  # as a Popen that has ended
            super().send_signal(sig)


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
        pid = talk.makefile().read()
    if not pid:
        raise RuntimeError(
            "the process that others are forked from has ended; what it said stands above"
        )
    return int(pid)


def serve(door, warm, become):
    """In the parent: fork a process for each that asks, until standard input ends.

    warm() is called before the first fork. become(module, arguments, cwd, env, user, files) is
    called in each fork: `user` is the user id of who asked; it does not return.
    """
    signal.signal(signal.SIGCHLD, forget)
    while True:
        ready = select.select([door, sys.stdin], [], [], 1)[0]
        forget()  # also those whose signal another thread has taken
        if door not in ready:
            if ready:
                return
            continue
        talk, _ = door.accept()
        with talk:
            talk.settimeout(10)  # who says nothing keeps nobody else waiting for longer
            _, user, _ = array.array(
                "i", talk.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            )
            files = []
            try:
                _, files, _, _ = socket.recv_fds(talk, 1, 3)
                module, arguments, cwd, env = json.loads(talk.makefile().read())
            except (OSError, ValueError) as wrong:  # one who asks in a wrong way, or went away
                print(f"user {user} asked for nothing that can be: {wrong}", file=sys.stderr)
                pid = None
            else:
                warm()
                pid = os.fork()
                if pid == 0:
                    break
            for file in files:
                os.close(file)
            if pid is None:
                continue
            with contextlib.suppress(OSError):
                talk.sendall(str(pid).encode())
    door.close()
    become(module, arguments, cwd, env, user, files)


def forget(*signal_):
    """Take leave of the processes that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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


def leave_parent(cwd, env, files=()):
    """In a fork: a session of its own, the folder, the environment and the standard files that were
    asked for; where there are none, nothing is read and nothing kept.
    """
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):  # a kernel speaks in messages, others in a file
        os.dup2(files[standard] if standard < len(files) else nothing, standard)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    del sys.path[0]  # of `-m`; ipykernel puts the kernel's own folder there


def be_kernel(arguments):
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    importlib.import_module(KERNEL).IPKernelApp.launch_instance([*arguments, parent])
