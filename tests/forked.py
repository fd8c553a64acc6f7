"""Kernels under test, forked from a process that has imported the large packages already.

Most of a kernel's start is importing openai, pandas and plotly, the same for every notebook. On
Linux all kernels of a test run come from one warmed parent: each a process of its own with an empty
namespace, in which `import` finds these packages there, and the SDK has been used once, which makes
its schemas. Left out are `helpers`, which a notebook imports as anywhere, and ipywidgets, which
makes itself known to its kernel as it is imported. JupyterLab's kernels in the browser tests are
forked, too, and the processes in which tests/tools/edited.py changes cells.
"""

import atexit
import builtins
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from unittest import mock

import psutil
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

ROOT = Path(__file__).resolve().parents[1]
KERNEL = "ipykernel.kernelapp"
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
CHOICE = {"index": 0, "finish_reason": "stop"}
MESSAGE = {"role": "assistant", "content": "", "refusal": None}
CHAT = {"id": "c", "object": "chat.completion", "created": 0, "model": "o1"}
CHUNK = CHAT | {"object": "chat.completion.chunk", "choices": [CHOICE | {"delta": MESSAGE}]}
CHAT |= {"choices": [CHOICE | {"message": MESSAGE}]}
TEXT = {"type": "output_text", "text": "", "annotations": []}
RESPONSE = {
    "id": "r",
    "object": "response",
    "output": [{"type": "message", "id": "m", "role": "assistant", "content": [TEXT]}],
}
ADDRESS = "TESTS_FORKED"  # the variable by which workers know the parent that their controller has started


def install():
    """Make the kernels that this process starts forked ones."""
    # elsewhere a fork of what has used the system's own libraries is not safe
    if sys.platform != "linux":
        return
    if ADDRESS not in os.environ:
        start_parent()
    KernelProvisionerFactory.provisioners["forked"] = EntryPoint(
        "forked", f"{__name__}:Provisioner", KernelProvisionerFactory.GROUP_NAME
    )
    KernelProvisionerFactory.instance().default_provisioner_name = "forked"


def start_parent():
    """The warmed process. It ends with the one that started it, and its kernels when they see it
    gone.
    """
    os.environ[ADDRESS] = f"day9-tests-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind("\0" + os.environ[ADDRESS])  # a name that is no file, so that none is left behind
        door.listen()
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


class Provisioner(LocalProvisioner):
    """What jupyter_client asks to start a kernel, to signal it, and whether it lives."""

    async def launch_kernel(self, cmd, **kwargs):
        self.cwd = kwargs.get("cwd") or os.getcwd()
        arguments = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.process = Kernel(
            forked(KERNEL, arguments, str(self.cwd), dict(kwargs.get("env") or os.environ))
        )
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class Kernel(psutil.Process):
    """A process that is no child of this one, with what jupyter_client wants of a Popen."""

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


def forked(module, arguments, cwd, env):
    """The process id of a new process in a folder and an environment: a kernel, or main(arguments)
    of another module.
    """
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect("\0" + os.environ[ADDRESS])
        talk.sendall(json.dumps([module, arguments, cwd, env]).encode())
        talk.shutdown(socket.SHUT_WR)
        pid = talk.makefile().read()
    if not pid:
        raise RuntimeError(
            "the process that kernels are forked from has ended; what it said stands above"
        )
    return int(pid)


def serve(door):
    """In the warmed process: fork a kernel for each that asks, until the run has ended."""
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
            asked = json.loads(talk.makefile().read())
            warm()
            pid = os.fork()
            if not pid:
                break
            talk.sendall(str(pid).encode())
    door.close()
    become(*asked)


@functools.cache
def warm():
    """Import as in a kernel: pandas and plotly look for one, and choose how to show things. Returns
    the variables of the environment that this has set.
    """
    from ipykernel.zmqshell import ZMQInteractiveShell

    shell = ZMQInteractiveShell.__new__(ZMQInteractiveShell)
    with (
        mock.patch.dict(os.environ, TIKTOKEN_CACHE_DIR=str(ROOT / "data" / "tokenizer")),
        mock.patch("IPython.get_ipython", lambda: shell),
        mock.patch.object(builtins, "get_ipython", lambda: shell, create=True),
    ):
        before = set(os.environ)
        for name in WARM:
            importlib.import_module(name)
        made = {name: value for name, value in os.environ.items() if name not in before}
        use()
    gc.collect()
    gc.freeze()  # what is there stays shared: no collector writes to it
    return made


def use():
    """What a package does when it is first used: the tokenizer's table, a figure's parts, the SDK's
    schemas.
    """
    import httpx2
    import openai
    import plotly.express
    import tiktoken
    from openai.resources.realtime.realtime import RealtimeConnection

    tiktoken.get_encoding("o200k_base")
    plotly.express.bar(x=[0], y=[0]).update_layout(title="").to_dict()

    def answer(request):
        asked = json.loads(request.content)
        if asked.get("stream"):
            return httpx2.Response(200, text=f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n")
        return httpx2.Response(200, json=CHAT if "messages" in asked else RESPONSE)

    line = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(api_key="none", base_url="http://127.0.0.1", http_client=line) as client:
        client.chat.completions.create(model="o1", messages=[])
        list(client.chat.completions.create(model="o1", messages=[], stream=True))
        client.responses.create(model="o1", input="")
    session = RealtimeConnection(mock.Mock())
    session.send({"type": "response.create"})
    session.parse_event('{"type": "response.created"}')


def forget(*signal_):
    """Take leave of the kernels that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def become(module, arguments, cwd, env):
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):  # a kernel speaks in messages, others in a file
        os.dup2(nothing, standard)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    del sys.path[0]  # of `-m`; ipykernel puts the kernel's own folder there
    if module == KERNEL:
        os.environ.update(warm())
        parent = f"--IPKernelApp.parent_handle={os.getppid()}"
        importlib.import_module(KERNEL).IPKernelApp.launch_instance([*arguments, parent])
    else:
        importlib.import_module(module).main(arguments)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
