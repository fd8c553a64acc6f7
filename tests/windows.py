"""Imported first, it makes a Python look like one on Windows, as far as start.py, connect() and the
local API ask.

For children of tests: what is gone here stays gone. Paths, files and sockets remain those of this
system.
"""

import asyncio.events
import ctypes
import logging.handlers  # noqa: F401  this, and some below, look at os.name as they are imported
import multiprocessing  # noqa: F401
import os
import pathlib
import shutil  # noqa: F401
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile  # noqa: F401
import types
import urllib.request  # noqa: F401

flags = []  # of each process that was started


class Popen(subprocess.Popen):
    """Processes as Windows has them: no sessions, flags instead; and a venv with other folders."""

    def __init__(self, command, *arguments, creationflags=0, **more):
        assert not {"start_new_session", "preexec_fn", "pass_fds"} & set(more), more
        flags.append(creationflags)
        if command[1:3] == ["-m", "helpers.local_api"]:
            code = f"import runpy, sys, tests.windows; sys.argv[1:] = {command[3:]!r}; runpy.run_module('helpers.local_api', run_name='__main__', alter_sys=True)"
            command = [command[0], "-c", code]
        super().__init__(command, *arguments, **more)
        if command[1:3] == ["-m", "venv"] and not self.wait():
            lay_out(pathlib.Path(command[-1]))

    def kill(self):
        if self.poll() is None:
            os.kill(self.pid, 9)


def lay_out(venv):
    """Names as in a venv on Windows, for what is there."""
    [site] = venv.glob("lib/python*/site-packages")
    (venv / "Lib").mkdir(exist_ok=True)
    for link, there in (("Lib/site-packages", site), ("Scripts", venv / "bin")):
        (venv / link).unlink(missing_ok=True)
        (venv / link).symlink_to(there)
    (venv / "bin" / "python.exe").symlink_to(venv / "bin" / "python")


def bind(self, address, bound=socket.socket.bind):
    """There a port that nobody listens on is free at once."""
    self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound(self, address)


def no_execve(*_):
    raise AssertionError("on Windows this starts a second process and gives the console back")


def no_loop():
    raise AssertionError("on Windows this is a ProactorEventLoop, which goes deaf on UDP")


def set_std_handle(which, handle):
    print(f"standard handle {which.value} is {handle.value}", file=sys.stderr)
    return 1


for name in ("fork", "geteuid", "getuid", "killpg", "setsid", "register_at_fork"):
    delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGSTOP", "SIGUSR1"):
    delattr(signal, name)
os.execve, socket.socket.bind = no_execve, bind
asyncio.events.new_event_loop = no_loop
sysconfig.get_config_vars()
os.name = "nt"
for module in (pathlib, getattr(pathlib, "_local", pathlib)):  # _local: Python 3.13
    module.WindowsPath = pathlib.PosixPath
sysconfig._INSTALL_SCHEMES["venv"] = sysconfig._INSTALL_SCHEMES["nt_venv"]
subprocess.Popen, subprocess.CREATE_NEW_PROCESS_GROUP = Popen, 512
ctypes.windll = types.SimpleNamespace(kernel32=types.SimpleNamespace(SetStdHandle=set_std_handle))
sys.modules["msvcrt"] = types.SimpleNamespace(get_osfhandle=lambda file: 7_000 + file)
