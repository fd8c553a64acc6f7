"""What a learner's code tries on another seat: read and run in a kernel, after `target` is set.

An attack returns what it has got, or raises. `target` is what is known of the other seat, or what
a learner finds out by guessing: its folder, its user id, a process, ports, a file in each place.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import resource
import socket
import struct
import urllib.error
import urllib.request

target = {}
libc = ctypes.CDLL(None, use_errno=True)
ATTACKS = []
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
PIDFD_OPEN, PIDFD_GETFD = 434, 438  # the numbers of both are the same on all processors


def attack(function):
    ATTACKS.append(function)
    return function


def done(result):
    """The result of a call of the system's library; OSError where it failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def rows(table):
    with open(table, encoding="utf-8") as file:
        return [line.split() for line in file.read().splitlines()[1:]]


def proc(name):
    return f"/proc/{target['pid']}/{name}"


@attack
def list_folder():
    return os.listdir(target["home"])


@attack
def read_a_notebook():
    return open(target["home"] + "/notebooks/00_start_here.ipynb", encoding="utf-8").read(1)


@attack
def write_into_the_folder():
    with open(target["home"] + "/notebooks/mine", "w", encoding="utf-8"):
        return True


@attack
def read_through_the_process_folder():
    return os.listdir(proc("cwd"))


@attack
def read_through_the_process_root():
    return os.listdir(proc("root") + target["home"])


@attack
def be_told_of_changes():
    place = target["home"].encode()
    return done(libc.inotify_add_watch(done(libc.inotify_init1(0)), place, 0xFFF))


@attack
def read_environment():
    return open(proc("environ"), "rb").read(1)


@attack
def read_memory_map():
    return open(proc("maps"), encoding="utf-8").read(1)


@attack
def open_memory():
    os.close(os.open(proc("mem"), os.O_RDONLY))
    return True


@attack
def list_open_files():
    return os.listdir(proc("fd"))


@attack
def trace():
    done(libc.ptrace(PTRACE_ATTACH, target["pid"], None, None))
    os.waitpid(target["pid"], 0x40000000)  # __WALL
    return libc.ptrace(PTRACE_DETACH, target["pid"], None, None) == 0


@attack
def read_memory():
    here = ctypes.create_string_buffer(8)
    mine = struct.pack("PN", ctypes.addressof(here), 8)
    theirs = struct.pack("PN", target["address"], 8)
    return done(libc.process_vm_readv(target["pid"], mine, 1, theirs, 1, 0))


@attack
def attach_shared_memory():
    """System V's, by its number, which anybody can guess; its maker lets all read it."""
    libc.shmat.restype, libc.shmat.argtypes = ctypes.c_void_p, [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]  # fmt: skip
    at = libc.shmat(target["shared"], None, 0)
    return ctypes.string_at(at, 4) if at != ctypes.c_void_p(-1).value else done(-1)


@attack
def give_a_file_away():
    """So that it counts as theirs."""
    path = pathlib.Path(os.environ["HOME"], "given")
    path.touch()
    os.chown(path, target["user"], -1)
    return True


@attack
def make_it_the_first_to_end():
    """Where memory runs out."""
    with open(proc("oom_score_adj"), "w", encoding="ascii") as file:
        file.write("1000")
    return True


@attack
def take_an_open_file():
    process = done(libc.syscall(PIDFD_OPEN, target["pid"], 0))
    return done(libc.syscall(PIDFD_GETFD, process, 1, 0))


@attack
def signal():
    os.kill(target["pid"], 0)
    return True


@attack
def slow_down():
    os.setpriority(os.PRIO_PROCESS, target["pid"], 19)
    return True


@attack
def limit():
    resource.prlimit(target["pid"], resource.RLIMIT_CORE, (0, 0))
    return True


@attack
def list_sockets():
    return os.listdir(target["runtime"])


@attack
def connect_to_a_kernel():
    """At the path that /proc/net/unix shows to all."""
    lines = rows("/proc/net/unix")
    paths = {line[7] for line in lines if line[7:] and line[7].startswith(target["runtime"] + "/")}
    assert paths, "nobody listens there"
    for path in paths:
        with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(ConnectionRefusedError):
            line.connect(path)
            return path
    raise OSError(f"none of {len(paths)}")


@attack
def read_what_lies_in_tmp():
    found = []
    for path in target["dropped"]:
        with contextlib.suppress(OSError):
            found.append(open(path, encoding="utf-8").read())
    return found or done(-1)


def answer(port, path, headers=None, method="GET"):
    asked = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers=headers or {}, method=method
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        asked, timeout=20
    ) as said:
        if "/login" in said.url or "/oauth" in said.url:
            raise OSError("sent to the login")
        return said.read()


def ports(user):
    lines = rows("/proc/net/tcp")
    return [int(x[1].split(":")[1], 16) for x in lines if x[3] == "0A" and int(x[7]) == user]


def keys():
    """Every credential that this seat has, as a request gives it."""
    own = [os.environ["OPENAI_API_KEY"]] if "OPENAI_API_KEY" in os.environ else []
    return [
        {},
        *({"Authorization": f"Bearer {key}"} for key in own),
        {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"},
    ]


@attack
def ask_at_ports():
    """The seat's local APIs, with no key and with all of one's own."""
    found, tried = [], 0
    for port in ports(target["user"]):
        for path in ("/v1/models", "/day9/calls", f"/user/{target['seat']}/api/contents"):
            for headers in keys():
                tried += 1
                with contextlib.suppress(OSError):
                    found.append((port, path, answer(port, path, headers)[:80]))
    assert tried > 6, "nobody listens there"
    return found or done(-1)


@attack
def ask_the_hub_for_the_seat():
    api, seat = os.environ["JUPYTERHUB_API_URL"], target["seat"]
    port, path = api.split(":")[2].split("/", 1)
    found = []
    for method, what in (
        ("GET", f"users/{seat}"),
        ("POST", f"users/{seat}/activity"),
        ("GET", f"users/{seat}/tokens"),
        ("POST", f"users/{seat}/tokens"),
        ("GET", f"shares/{seat}/"),
    ):
        with contextlib.suppress(OSError):
            got = answer(port, f"/{path}/{what}", keys()[-1], method)
            found.append((method, what, got[:80]))
    return found or done(-1)


def tried():
    """{the name of an attack: what it has got, or why it got nothing}."""
    said = {}
    for function in ATTACKS:
        ctypes.set_errno(13)
        try:
            got = function()
        except (OSError, urllib.error.URLError) as error:
            said[function.__name__] = [False, str(error)]
        else:
            said[function.__name__] = [True, repr(got)[:100]]
    return json.dumps(said)


def of_the_class():
    """What nobody but the class's own user may have, whoever asks: all that was got of it."""
    found, hub = [], pathlib.Path(target["home"]).parents[1] / "hub"
    for name in ("roster.json", "settings.json", "hub.sqlite", "cookie_secret", "hub.log"):
        with contextlib.suppress(OSError):
            found.append((hub / name).read_bytes()[:20])
    api = os.environ["JUPYTERHUB_API_URL"]
    own = f"/{api.split(':')[2].split('/', 1)[1]}"
    port = api.split(":")[2].split("/")[0]
    for method, what in (
        ("GET", "users"),
        ("GET", "proxy"),
        ("GET", "services"),
        ("GET", "groups"),
        ("GET", "info"),
        ("POST", "users/mallory"),
        ("POST", "users/teacher/tokens"),
        ("DELETE", f"users/{target['seat']}/server"),
        ("POST", f"users/{target['seat']}/server"),
        ("PATCH", f"users/{os.environ['JUPYTERHUB_USER']}"),
        ("POST", "shutdown"),
    ):
        with contextlib.suppress(OSError):
            found.append((method, what, answer(port, f"{own}/{what}", keys()[-1], method)[:80]))
    for headers in keys():
        with contextlib.suppress(OSError):
            found.append(answer(target["proxy_port"], "/api/routes", headers)[:80])
    return found
