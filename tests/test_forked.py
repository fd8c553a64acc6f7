"""The kernels that tests run in, and the local APIs that they ask, are what they would be if each
had been started by itself.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from unittest import mock

import psutil
import pytest
from jupyter_client.connect import LocalPortCache
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import KernelProvisionerFactory
from openai import APIStatusError, OpenAI

from helpers import connection
from helpers.classroom import forking
from helpers.local_api import child
from helpers.local_api.server import HOST
from tests.local_api.realtime.test_realtime import ANSWERED, TRANSCRIBE, dialled

ROOT = pathlib.Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")


@contextlib.contextmanager
def kernel(provisioner, **more):
    factory = KernelProvisionerFactory.instance()
    usual, factory.default_provisioner_name = factory.default_provisioner_name, provisioner
    try:
        manager, client = start_new_kernel(kernel_name="python3", **more)
    finally:
        factory.default_provisioner_name = usual
    try:
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(client, expression):
    """The text of an expression's value in the kernel."""
    reply = client.execute("", user_expressions={"it": expression}, reply=True, timeout=60)[
        "content"
    ]["user_expressions"]["it"]
    return (
        reply["data"]["text/plain"]
        if reply["status"] == "ok"
        else f"{reply['ename']}: {reply['evalue']}"
    )


SAME = {
    "names": "sorted(n for n in globals() if not n.startswith('_'))",
    "main": "__name__, __import__('sys').modules['__main__'] is __import__('sys').modules[__name__]",
    "pandas": "{o: __import__('pandas').get_option(o) for o in ('display.max_columns', 'display.max_rows', 'display.width', 'display.max_colwidth', 'display.notebook_repr_html')}",
    "plotly": "__import__('plotly.io').io.renderers.default, __import__('plotly.io').io.templates.default",
    "folder": "__import__('os').getcwd()",
    "search path": "__import__('sys').path",
    "environment": "{n: v for n, v in __import__('os').environ.items() if not n.startswith(('JPY_', 'TESTS_', 'FORKED_'))}",
    "helpers are not there yet": "'helpers' in __import__('sys').modules, 'ipywidgets' in __import__('sys').modules",
    "widgets": "__import__('ipywidgets') and sorted(get_ipython().kernel.comm_manager.targets)",
    "no network": "__import__('socket').create_connection(('192.0.2.1', 80))",
    "stdin": "__import__('os').read(0, 1)",
    "signals": "str(__import__('signal').getsignal(__import__('signal').SIGCHLD)), str(__import__('signal').getsignal(__import__('signal').SIGINT))[:20]",
    "process group": "__import__('os').getpgid(0) == __import__('os').getpid() == __import__('os').getsid(0)",
    "open sockets of others": "[c.laddr for c in __import__('psutil').Process().net_connections('unix') if c.laddr and not c.laddr.startswith(get_ipython().kernel.parent.ip)]",
}


def test_a_forked_kernel_is_as_an_ordinary_one(tmp_path):
    seen = {}
    for provisioner in ("forked", "local-provisioner"):
        with kernel(provisioner, cwd=str(tmp_path)) as (manager, client):
            assert (type(manager.provisioner).__module__ == forking.__name__) == (
                provisioner == "forked"
            )
            client.execute("import pandas, plotly.io; del pandas, plotly", reply=True, timeout=60)
            seen[provisioner] = {
                what: value(client, expression) for what, expression in SAME.items()
            }
    assert seen["forked"] == seen["local-provisioner"]
    assert (
        seen["forked"]["helpers are not there yet"] == "(False, False)"
        and "NoNetwork" in seen["forked"]["no network"]
    )


def test_a_forked_kernel_needs_no_port_that_another_has_taken_meanwhile(monkeypatch):
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(LocalPortCache, "find_available_port", lambda cache, ip: port)
        with kernel("forked") as (manager, client):
            assert value(client, "6 * 7") == "42"
            manager.restart_kernel(now=True)
            client.wait_for_ready(timeout=60)
            assert value(client, "6 * 7") == "42"


# Of signals those below 32, which are not the system library's own; and not SIGINT, which a run in
# a shell's background ignores, and whatever pytest starts does not.
SIGNALS = 2**31 - 1 & ~(1 << (signal.SIGINT - 1))


def seen_of(server):
    """What the system and its answers tell of a local API that has heard somebody."""
    process = psutil.Process(server.process.pid)
    files = [os.readlink(f"/proc/{process.pid}/fd/{standard}") for standard in range(3)]
    told = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    status = dict(line.split(":\t") for line in told.splitlines())
    with OpenAI(base_url=server.url, api_key=server.key) as client:
        asked = {"model": "o1", "messages": [{"role": "user", "content": "hello"}]}
        with pytest.raises(APIStatusError) as off_the_map:
            client.chat.completions.create(**asked)
    with dialled(server.url, "?model=gpt-realtime", server.key) as wire:
        wire.update(TRANSCRIBE)
        wire.speak("user-tax")
        heard = wire.until(ANSWERED)
    return {
        "folder": process.cwd(),
        "group and session": os.getpgid(process.pid) == process.pid == os.getsid(process.pid),
        "standard files": [re.sub(r"\d+", "", name) for name in files],
        "listens": [(c.laddr[0], c.status) for c in process.net_connections("inet")],
        "status": [status["Umask"], status["Groups"]],
        "signals": [int(status[n], 16) & SIGNALS for n in ("SigBlk", "SigIgn", "SigCgt")],
        "hello": {n: v for n, v in server.hello.items() if n != "port"},
        "answers": (off_the_map.value.status_code, off_the_map.value.body),
        "hears": [event["transcript"] for event in heard if "transcript" in event],
    }


def test_a_forked_local_api_is_as_an_ordinary_one(monkeypatch):
    seen = []
    for started, name in ((child.started, "tests.forked"), (child.popen, "helpers.local_api")):
        monkeypatch.setattr(child, "started", started)
        server = connection.Server()
        process = psutil.Process(server.process.pid)
        assert name in process.cmdline()
        seen.append(seen_of(server))
        with pytest.raises(RuntimeError) as taken:
            connection.Server(server.port)
        seen[-1]["says"] = str(taken.value).replace(str(server.port), "")
        server.process.stdin.close()  # as where the kernel is gone
        process.wait(60)
    assert seen[0] == seen[1]


THREADS = """
import ctypes, os
from numpy._core import _multiarray_umath
from helpers.classroom import warmed

threads = ctypes.CDLL(_multiarray_umath.__file__).scipy_openblas_get_num_threads64_
print(threads(), flush=True)
if os.fork() == 0:
    warmed.compute_in_one_thread()
    print(threads(), flush=True)
else:
    os.wait()
"""


def test_a_forked_local_api_computes_in_one_thread():
    """More would wait for each other, for twice the processors' time."""
    env = os.environ | {"OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", THREADS], env=env, capture_output=True, text=True)
    assert done.stdout.split() == ["2", "1"], done


def test_a_forked_kernel_has_its_local_api_forked_unless_it_is_of_a_copy(tmp_path):
    for name in ("helpers", "data"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for folder, name in ((ROOT, "tests.forked"), (tmp_path, "helpers.local_api")):
        with kernel("forked", cwd=str(folder)) as (_, client):
            asks = "from helpers import connection; connection.connect()"
            client.execute(asks, reply=True, timeout=60)
            process = psutil.Process(int(value(client, "connection.server().process.pid")))
            assert name in process.cmdline() and process.cwd() == str(folder)


def test_a_local_api_that_would_start_otherwise_is_started_anew(monkeypatch):
    monkeypatch.setenv("TZ", "America/Chicago")
    server = connection.Server()
    process = psutil.Process(server.process.pid)
    assert process.cmdline()[1:3] == ["-m", "helpers.local_api"]
    assert process.environ()["TZ"] == "America/Chicago"
    assert process.environ()["DAY9_LOCAL_KEY"] == server.key
    server.process.kill()
    server.process.wait()


def test_it_is_interrupted_seen_to_have_died_and_started_again():
    with kernel("forked") as (manager, client):
        sleeps = "import time\nprint('asleep')\ntime.sleep(60)"
        # else what is asked soon after its error is called off, and the kernel goes on
        asked = client.execute(sleeps, stop_on_error=False)
        while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        reply = client.get_shell_msg(timeout=60)
        # to what a busy kernel was asked more than once
        while reply["parent_header"]["msg_id"] != asked:
            reply = client.get_shell_msg(timeout=60)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        first = manager.provisioner.pid
        client.execute("import os; os._exit(3)")
        manager.provisioner.process.wait(60)
        assert not manager.is_alive()
        # as JupyterLab does: a request to end, for one that has ended, would reach the next
        manager.restart_kernel(now=True)
        client.wait_for_ready(60)
        assert (
            manager.is_alive()
            and value(client, "1 + 1") == "2"
            and manager.provisioner.pid != first
        )


def test_nothing_is_left_when_the_run_is_killed():
    run = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent("""
        import tests.early
        from jupyter_client.manager import start_new_kernel
        manager, client = start_new_kernel(kernel_name="python3")
        print(manager.provisioner.pid, flush=True)
        input()
    """),
        ],
        env={n: v for n, v in os.environ.items() if n != forking.ADDRESS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    started = psutil.Process(int(run.stdout.readline()))
    parent = started.parent()
    assert parent.ppid() == run.pid
    run.kill()
    run.communicate()
    gone, left = psutil.wait_procs([started, parent], 20)
    assert not left


ASKS = """
import os, socket, sys
os.setgid(51001)
os.setuid(51001)
def ask(said):
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect(chr(0) + sys.argv[1])
        talk.sendall(said)
        talk.shutdown(socket.SHUT_WR)
        return talk.makefile().read()
one = b' ["sleep", [], "/", {}]'
print(sum(ask(one).isdecimal() for _ in range(int(sys.argv[2]))), ask(one), flush=True)
sys.stdin.read()
"""


SERVES = """
import functools, signal, socket, sys, time
from helpers.classroom import forking

def become(*asked):
    signal.alarm(60)  # where the test has ended before it
    signal.pause()

patience, warming = map(float, sys.argv[2:])
forking.PATIENCE = patience

@functools.cache
def warm():
    print("warms", flush=True)
    time.sleep(warming)

forking.serve(socket.socket(fileno=int(sys.argv[1])), warm, become)
"""


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root is many users")
def test_one_user_gets_so_many_processes_and_others_theirs():
    name = f"day9-many-{os.getpid()}"
    with mock.patch.dict(os.environ), forking.listen(name) as door:
        serves = [sys.executable, "-c", SERVES, str(door.fileno()), "10", "0"]
        # not forked from here: threads of other tests may have held what a fork would wait for
        server = subprocess.Popen(serves, stdin=subprocess.PIPE, pass_fds=[door.fileno()])
        asks = [sys.executable, "-I", "-S", "-c", ASKS, name, str(forking.PROCESSES)]
        more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(asks, **more) as user:
            said = user.stdout.readline()
            user.stdin.close()
        pids = [forking.forked("sleep", [], "/", {}) for _ in range(3)]  # of root's
        children = psutil.Process(server.pid).children()
        assert said.startswith(f"{forking.PROCESSES} a seat may have {forking.PROCESSES} kernels")
        assert {*pids} < {child.pid for child in children}
        assert len(children) == forking.PROCESSES + 3
        for process in [*children, server]:
            process.kill()
        server.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
def test_who_asks_while_the_parent_does_something_else_is_heard_afterwards():
    """What is imported before the first fork may take longer than one has to say what is asked for,
    as on a slow or busy machine: all others who had come until then were sent away with nothing.
    """
    name, question = f"day9-slow-{os.getpid()}", b' ["sleep", [], "/", {}]'
    with mock.patch.dict(os.environ), forking.listen(name) as door, contextlib.ExitStack() as held:
        talks = [held.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(3)]
        for talk in talks:
            talk.connect("\0" + name)
        first, *others = talks
        serves = [sys.executable, "-c", SERVES, str(door.fileno()), "5", "6"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        server = held.enter_context(subprocess.Popen(serves, pass_fds=[door.fileno()], **pipes))
        try:
            first.sendall(question)
            first.shutdown(socket.SHUT_WR)
            assert server.stdout.readline() == b"warms\n"
            for talk in others:
                talk.sendall(question[:5])
            pids = [first.makefile().read()]
            for talk in others:
                talk.sendall(question[5:])
                talk.shutdown(socket.SHUT_WR)
                pids.append(talk.makefile().read())
            children = psutil.Process(server.pid).children()
        finally:
            server.kill()
        for child in children:
            child.kill()
        assert sorted(pids) == sorted(str(child.pid) for child in children)


@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
def test_who_says_nothing_or_without_end_keeps_nobody_waiting():
    """A parent that listens to one after the other would have 32 times 10 seconds to wait here."""
    address = "\0" + os.environ[forking.ADDRESS]
    silent = [socket.socket(socket.AF_UNIX) for _ in range(forking.WAITING - 1)]
    with contextlib.ExitStack() as held:
        for talk in silent:
            held.enter_context(talk).connect(address)
        with socket.socket(socket.AF_UNIX) as talk, pytest.raises(OSError):
            talk.connect(address)
            while True:
                talk.sendall(b" " * forking.LONGEST)
        answered = forking.forked("subprocess", [], "/", {})
        for talk in silent:
            talk.setblocking(False)
            with pytest.raises(BlockingIOError):  # they are waited for still
                talk.recv(1)
    assert answered


def test_one_that_has_ended_can_be_ended_again():
    """As a Popen: who ends a process cannot know that it has just done so by itself, nor who starts
    one that it still runs. A local API whose port is taken was no process by the time it was looked
    at, and nobody read why.
    """
    process = subprocess.Popen([sys.executable, "-c", ""])
    seen = forking.Forked(process.pid)
    process.wait()
    for forked in (seen, forking.Forked(process.pid)):
        forked.kill()
        forked.terminate()
        forked.send_signal(signal.SIGINT)
        forked.wait(60)
        assert forked.poll() == 0
