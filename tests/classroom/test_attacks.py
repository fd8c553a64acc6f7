"""Attacks of one learner on another, on the teacher and on the class, through its own door."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2
import psutil
import pytest

from helpers.classroom import seats, warmed

from . import held as class_held
from .learner import Learner

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")

EVIL = "<img src=x onerror=alert(1)>"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def held():
    with class_held.held(3) as began:
        yield began


@pytest.fixture(scope="module")
def bo(held):
    return held.learner(EVIL).open()


@pytest.fixture(scope="module")
def thief(bo):
    return bo.kernel()


def walled(held):
    if not held.walls:
        pytest.skip("not root, or a Python that other users cannot read: seats have no walls")


def xsrf(page):
    return re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]


# --- what a learner puts into their folder -----------------------------------------------------

PROGRESS = {  # code, with `own` and `other`: paths of one's own list and a neighbour's
    "a folder": "os.mkdir(own)",
    "a pipe": "os.mkfifo(own)",
    "a pipe that is held": "os.mkfifo(own); held = os.open(own, os.O_RDWR)",
    "a link to a neighbour's": "os.symlink(other, own)",
    "a link without end": "os.symlink('/dev/zero', own)",
    "a link to itself": "os.symlink(own, own)",
    "no text": "open(own, 'wb').write(bytes(range(256)) * 10_000)",
    "words for the teacher": "open(own, 'w').write('<b>x</b>\\nteacher-is-stupid\\n' * 10_000)",
}
NOTEBOOK = {
    "a folder": "os.mkdir(own)",
    "a pipe": "os.mkfifo(own)",
    "a link without end": "os.symlink('/dev/zero', own)",
    "deep": "open(own, 'w').write('[' * 10**6)",
    "large": "open(own, 'wb').truncate(2**29)",
    "no list": "open(own, 'w').write('{\"cells\": 3}')",
    "half a letter": 'open(own, \'w\').write(\'{"cells": [], "a": "\\\\ud800"}\')',
}


@pytest.mark.parametrize("what", PROGRESS)
def test_no_list_of_what_is_passed_stops_the_teachers_page(held, ana, bo, thief, what):
    with_list = ana.kernel()
    with_list.run("import os; open(os.environ['DAY9_MY_PROGRESS'], 'w').write('start-1\\n')")
    with_list.close()
    other = held.folder / "seats" / ana.seat / "my_progress.txt"
    thief.run(f"import os; own, other = os.environ['DAY9_MY_PROGRESS'], {str(other)!r}")
    assert "Error" not in thief.run(PROGRESS[what])
    page = held.teacher().get("/hub/class")
    assert page.status_code == 200 and "stupid" not in page.text
    passed = {row["seat"]: row["passed"] for row in held.seen()["seats"]}
    assert passed[ana.seat] == ["start-1"] and passed[bo.seat] == []
    thief.run("import shutil; os.rmdir(own) if os.path.isdir(own) else os.remove(own)")


@pytest.mark.parametrize("what", NOTEBOOK)
def test_no_notebook_stops_the_hub(held, ana, bo, thief, what):
    name = "notebooks/1_o1/03_vision.ipynb"
    thief.run(f"import os; own = os.path.join(os.environ['HOME'], {name!r}); os.remove(own)")
    assert "Error" not in thief.run(NOTEBOOK[what])
    form = {"notebook": name, "_xsrf": xsrf(bo.get("/hub/seat"))}
    page = bo.post("/hub/seat", data=form | {"do": "catch_up"})
    assert "1_o1/03_vision.ipynb is no notebook any more: begin it anew first." in page.text
    assert held.teacher().get("/hub/class").status_code == 200
    page = bo.post("/hub/seat", data=form | {"do": "reset"})
    assert "03_vision.ipynb is as it was given." in page.text
    given = (seats.ROOT / name).read_bytes()
    assert (held.folder / "seats" / bo.seat / name).read_bytes() == given
    thief.run("import glob, shutil; [shutil.rmtree(p) if os.path.isdir(p) else os.remove(p) for p in glob.glob(own.replace('.ipynb', '.mine*'))]")  # fmt: skip


# --- what the teacher sees ---------------------------------------------------------------------


def test_a_name_is_text_on_every_page(held, bo):
    Learner(held.address).enter(EVIL, held.given["word"], "x")
    Learner(held.address).enter(EVIL, "{{ given }} %s")
    teacher = held.teacher()
    for page in (
        bo.get("/hub/seat"),
        teacher.get("/hub/class"),
        teacher.get("/hub/admin"),
        Learner(held.address).enter(EVIL, held.given["word"]),
    ):
        assert page.status_code == 200 or page.status_code == 403
        assert "<img src=x" not in page.text, page.url
    assert "&lt;img src=x" in teacher.get("/hub/class").text
    assert held.given["teacher_word"] not in teacher.get("/hub/class").text


@pytest.mark.parametrize(
    "there", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/hub/../evil"]
)
def test_the_login_leads_nowhere_else(held, ana, there):
    visitor = Learner(held.address)
    form = visitor.get("/hub/login", params={"next": there})
    word = {"username": "Ana", "word": held.given["word"], "pin": ana.pin, "_xsrf": xsrf(form)}
    page = visitor.post("/hub/login", params={"next": there}, data=word)
    assert str(page.url) == held.address + "/hub/seat"
    again = visitor.get("/hub/login", params={"next": there})
    assert str(again.url) == held.address + "/hub/seat"
    away = visitor.get("/hub/logout", params={"next": there})
    assert str(away.url).startswith(held.address + "/hub/")


def test_a_learner_does_nothing_of_the_teachers(held, ana, bo):
    """Each request is the teacher's own but for who sends it, or from which page."""
    for _ in range(seats.PATIENCE):
        Learner(held.address).enter("Ana", held.given["word"], "wrong")
    teacher = held.teacher()
    own, theirs = xsrf(bo.get("/hub/seat")), xsrf(teacher.get("/hub/class"))
    for who, token in ((bo, own), (bo, theirs), (bo, ""), (teacher, own), (teacher, "")):
        for asked in ({"again": ana.seat}, {"free": ana.seat}, {"new": "no"}):
            page = who.post("/hub/class", data={**asked, "_xsrf": token})
            assert page.status_code == 403, (who, token, asked)
    for path in ("/hub/class", "/hub/class?json=1", "/hub/admin", f"/hub/spawn/{ana.seat}"):
        assert bo.get(path).status_code in (403, 404), path
    closed = {row["seat"]: row["closed"] for row in held.seen()["seats"]}
    assert closed[ana.seat] and not closed[bo.seat]
    page = teacher.post("/hub/class", data={"again": ana.seat, "_xsrf": theirs})
    assert page.status_code == 200 and "closed after" not in page.text  # so it is the teacher's


@pytest.mark.parametrize("action", ["", "reset", "catch_up"])
def test_a_form_of_a_seat_is_that_seats_own(held, ana, bo, action):
    form = {"notebook": "notebooks/00_start_here.ipynb", "do": action}
    assert (
        bo.post("/hub/seat", data=form | {"_xsrf": xsrf(ana.get("/hub/seat"))}).status_code == 403
    )
    for path in ("../hub/roster.json", "/etc/passwd", "notebooks/../data/prices.csv", EVIL):
        form |= {"notebook": path, "_xsrf": xsrf(bo.get("/hub/seat"))}
        page = bo.post("/hub/seat", data=form)
        assert page.status_code == 400 and "<img src=x" not in page.text


EVIL_PAGE = """
import os, pathlib
page = pathlib.Path(os.environ["HOME"], "notebooks", "evil.html")
page.write_text("<script>fetch('/hub/class')</script>")
"""


def test_no_page_of_a_seat_comes_to_anothers_browser(held, ana, bo, thief):
    """It would be of the same address as the hub's, and could do there what its reader may."""
    thief.run(EVIL_PAGE)
    for path in ("files/notebooks/evil.html", "lab", "api", "static/x", ""):
        own = bo.get(f"{bo.base}/{path}")
        assert "has not come in" not in own.text
        for who in (ana, held.teacher(), Learner(held.address)):
            page = who.get(f"{bo.base}/{path}")
            assert page.status_code == 403 and "has not come in" in page.text
    assert "fetch(" in bo.get(f"{bo.base}/files/notebooks/evil.html").text
    forged = {"Cookie": f"{seats.TICKET}={seats.ticket('', bo.seat)}"}
    assert Learner(held.address).get(f"{bo.base}/lab", headers=forged).status_code == 403


# --- from a kernel -----------------------------------------------------------------------------

TARGET = """
import ctypes, helpers, json, os, pathlib, subprocess, sys, tempfile
helpers.connect()
waits = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"]
child = subprocess.Popen(waits, env={"SECRET": "mine"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
while b"sys.stdin" not in pathlib.Path(f"/proc/{child.pid}/cmdline").read_bytes():
    pass
dropped = []
for place in ("/tmp", "/var/tmp", "/dev/shm"):
    path = pathlib.Path(place, f"day9-of-{os.getuid()}-{os.getpid()}")
    path.write_text("mine")
    dropped.append(str(path))
maps = pathlib.Path(f"/proc/{child.pid}/maps").read_text()
shared = ctypes.CDLL(None).shmget(0, 4096, 0o1666)
print(json.dumps({
    "seat": os.environ["JUPYTERHUB_USER"],
    "home": os.environ["HOME"],
    "user": os.getuid(),
    "pid": child.pid,
    "address": int(maps.partition("-")[0], 16),
    "runtime": os.environ["JUPYTER_RUNTIME_DIR"],
    "dropped": dropped,
    "shared": shared,
    "key": os.environ["OPENAI_API_KEY"],
    "token": os.environ["JUPYTERHUB_API_TOKEN"],
    "api": int(os.environ["OPENAI_BASE_URL"].split(":")[2].removesuffix("/v1")),
}))
"""
TRIES = (HERE / "from_a_kernel.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def target(held, ana):
    walled(held)
    kernel = ana.kernel()
    given = json.loads(kernel.run(TARGET).splitlines()[-1])
    kernel.run(TRIES)
    kernel.run(f"target.update({given}, proxy_port={held.given['proxy_port']})")
    yield given, kernel
    for path in given["dropped"]:
        os.remove(path)
    kernel.run("child.kill()")


@pytest.fixture(scope="module")
def came(held, target, thief):
    """{attack: whether it worked and what came, by its owner and by another}."""
    given, kernel = target
    thief.run("import helpers; helpers.connect()")  # who has a key of their own
    thief.run(TRIES)
    thief.run(f"target.update({given}, proxy_port={held.given['proxy_port']})")
    own, other = (json.loads(who.run("print(tried())")) for who in (kernel, thief))
    return {name: (own[name], other[name]) for name in own}


@pytest.mark.parametrize("attack", re.findall(r"@attack\ndef (\w+)", TRIES))
def test_what_works_in_ones_own_seat_fails_in_anothers(came, attack):
    (worked, got), (stolen, loot) = came[attack]
    assert worked, f"the attack itself does not work: {got}"
    assert not stolen, loot


def test_nothing_of_the_class_is_had_with_a_seats_token(held, came, bo, thief):
    assert thief.run("of_the_class()") == "[]"
    hub = held.folder / "hub"
    assert (hub / "roster.json").read_bytes() and held.seen()["seats"][0]["running"]
    routes = f"http://127.0.0.1:{held.given['proxy_port']}/api/routes"
    right = {"Authorization": f"token {held.given['proxy_token']}"}
    assert httpx2.get(routes, headers=right, trust_env=False).status_code == 200


def test_no_command_line_has_a_secret_in_it(held, ana, target):
    given, secrets = held.given, [target[0]["key"], target[0]["token"]]
    secrets += [given[name] for name in ("teacher_word", "proxy_token", "key")]
    for process in psutil.process_iter(["cmdline"]):
        said = " ".join(process.info["cmdline"] or ())
        assert not [secret for secret in secrets if secret in said], said[:80]


def opened(process):
    """{what a process has open, or maps to change: whether it is a file that is not its user's and
    that it can write to}; a file by its path, a pipe or a socket by its number.
    """
    found, user = {}, process.uids().real
    at = Path("/proc", str(process.pid))
    for way in (at / "fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            flags = re.search(r"flags:\s+(\d+)", (at / "fdinfo" / way.name).read_text())[1]
            stated, name = way.stat(), os.readlink(way)
            plain = stat.S_ISREG(stated.st_mode) and int(flags, 8) & os.O_ACCMODE
            found[name] = bool(plain and stated.st_uid != user)
    for line in (at / "maps").read_text().splitlines():
        _, rights, _, _, _, *path = line.split(maxsplit=5)
        if rights[1] == "w" and rights[3] == "s" and path and os.path.exists(path[0]):
            found[path[0]] = os.stat(path[0]).st_uid != user
    found.pop("/dev/null", None)
    return {name: theirs for name, theirs in found.items() if not name.startswith("anon_inode:")}


def test_a_seat_has_nothing_open_of_anothers(held, target, thief, ana, bo):
    """What the process has open from which all are forked would be everybody's."""
    mine, theirs = {}, {}
    for process in held.part("helpers.classroom.warmed").children():
        seen = mine if process.uids().real == seats.user_id(ana.seat) else theirs
        seen.update(opened(process))
    assert len(mine) > 10 and len(theirs) > 10
    assert not mine.keys() & theirs.keys()
    own = {str(held.folder / "hub" / f"{learner.seat}.log") for learner in (ana, bo)}
    assert {name for name, wrong in (mine | theirs).items() if wrong} == own  # their own words


PROCESSES = """
import json
names = ("read_through_the_process_folder", "read_environment", "read_memory_map", "open_memory",
    "list_open_files", "trace", "read_memory", "take_an_open_file", "signal", "slow_down", "limit")
before, got = target["pid"], []
for target["pid"] in {pids}:
    for attack in ATTACKS:
        if attack.__name__ in names:
            try:
                got.append((target["pid"], attack.__name__, attack()))
            except OSError as error:
                assert error.errno in (1, 13), (attack.__name__, error)
target["pid"] = before
print(len(names), got)
"""


def test_no_process_of_the_class_is_looked_into(held, came, thief):
    """Of which the warmed one has in its memory what all seats are forked with."""
    first = psutil.Process(held.process.pid)
    pids = [first.pid, *(part.pid for part in first.children())]
    assert len(pids) == 4
    assert thief.run(PROCESSES.format(pids=pids)) == "11 []\n"


def test_nothing_but_the_proxy_listens_where_others_can_come(held, ana, target):
    """A network has no walls between seats, and what is asked there has other owners."""
    found = set()
    for process in psutil.Process(held.process.pid).children(recursive=True):
        for line in process.net_connections("inet"):
            if line.status in (psutil.CONN_LISTEN, psutil.CONN_NONE):
                found.add((line.laddr.ip, line.laddr.port))
    assert ("127.0.0.1", target[0]["api"]) in found and ("0.0.0.0", held.port) in found
    assert {ip for ip, port in found if port != held.port} == {"127.0.0.1"}


def test_no_debugger_is_offered_where_seats_have_walls(held, ana):
    """It would listen at a port, take anybody in whom it is not just talking to, and run what they
    say in its kernel.
    """
    walled(held)
    specs = ana.get(f"{ana.base}/api/kernelspecs").json()
    assert [s["spec"]["metadata"]["debugger"] for s in specs["kernelspecs"].values()] == [False]


def test_no_log_has_a_secret_in_it(held, ana, bo, target, came):
    given = held.given
    secrets = [given[name] for name in ("word", "teacher_word", "proxy_token", "key")]
    secrets += [target[0]["key"], target[0]["token"]]
    secrets += [seats.ticket(given["key"], learner.seat) for learner in (ana, bo)]
    secrets += [c.value for c in ana.session.cookies.jar if c.name.startswith("jupyterhub")]
    logs = list((held.folder / "hub").glob("*.log"))
    assert len(logs) >= 5 and len(secrets) > 6
    for log in logs:
        said = log.read_text(encoding="utf-8", errors="replace")
        assert not [secret for secret in secrets if secret in said], log.name


RIGHTS = """
import ctypes
print([line.split()[1] for line in open("/proc/self/status") if line.startswith(("NoNewPrivs", "CapEff"))])
"""


def test_no_program_of_roots_gives_a_kernel_more_rights(target, thief):
    assert thief.run(RIGHTS) == "['0000000000000000', '1']\n"


# --- through the proxy -------------------------------------------------------------------------

MARK = "known-to-one-alone"
FILE = "files/notebooks/marked.txt"
WAYS = [  # of asking for `/user/THEM/FILE` with the cookies of another seat, ME
    ("GET", "/user/THEM/FILE", {}),
    ("GET", "/user/ME/../THEM/FILE", {}),
    ("GET", "/user/ME/%2e%2e/THEM/FILE", {}),
    ("GET", "/user/ME/%252e%252e/THEM/FILE", {}),
    ("GET", "/user/ME/..%2fTHEM/FILE", {}),
    ("GET", "/user/ME/files/..%2f..%2f..%2fTHEM/notebooks/marked.txt", {}),
    ("GET", "/user/ME/files/%2e%2e/%2e%2e/THEM/notebooks/marked.txt", {}),
    ("GET", "/user/ME;/../THEM/FILE", {}),
    ("GET", "//user/THEM/FILE", {}),
    ("GET", "/user//THEM/FILE", {}),
    ("GET", "/USER/THEM/FILE", {}),
    ("GET", "/user/%73eat01/FILE", {}),
    ("GET", "/user/%2573eat01/FILE", {}),
    ("GET", "/%75ser/THEM/FILE", {}),
    ("GET", "/%2575ser/THEM/FILE", {}),
    ("GET", "/hub/../user/THEM/FILE", {}),
    ("GET", "/hub/user/THEM/FILE", {}),
    ("GET", "/user/THEM%2fFILE", {}),
    ("GET", "/user/THEM/FILE?token=KEY", {}),
    ("GET", "http://127.0.0.1/user/THEM/FILE", {}),
    ("GET", "http://THEM/user/ME/../THEM/FILE", {}),
    ("GET", "/user/THEM/FILE", {"Host": "THEM"}),
    ("GET", "/user/ME/FILE", {"Host": "127.0.0.1:THEIRS"}),
    ("GET", "/user/THEM/FILE", {"Host": "THEM\r\nHost: 127.0.0.1"}),
    ("GET", "/user/ME/FILE", {"X-Forwarded-Host": "127.0.0.1:THEIRS"}),
    ("GET", "/user/ME/FILE", {"X-Original-URL": "/user/THEM/FILE"}),
    ("GET", "/user/THEM/FILE", {"X-Forwarded-User": "THEM", "X-Real-User": "THEM"}),
    ("GET", "/user/THEM/FILE", {"Authorization": "token KEY"}),
    ("GET", "/user/THEM/FILE", {"Cookie": "day9-ticket=TICKET; jupyterhub-user-THEM=LOGIN"}),
    ("GET", "/user/ME/day9-door/THEIRS/user/THEM/FILE", {}),
    ("GET", "/user/ME/day9-door/THEIRS/day9/pages/..%2f..%2fuser/THEM/FILE", {}),
    ("GET", "/user/ME/day9-door/0THEIRS/day9/pages/webrtc.html", {}),
    ("HEAD", "/user/THEM/FILE", {}),
    ("POST", "/user/THEM/FILE", {}),
    ("OPTIONS", "/user/THEM/FILE", {}),
    ("POST", "/user/THEM/api/contents", {"X-HTTP-Method-Override": "GET"}),
]


@pytest.fixture(scope="module")
def marked(held, ana, bo, thief):
    kernel = ana.kernel()
    kernel.run(f"import os; open(os.path.join(os.environ['HOME'], 'notebooks', 'marked.txt'), 'w').write({MARK!r})")  # fmt: skip
    kernel.run("import helpers; helpers.connect()")
    theirs = kernel.run("print(os.environ['OPENAI_BASE_URL'].split(':')[2].split('/')[0])")
    kernel.close()
    cookies = {c.name: c.value for c in bo.session.cookies.jar}
    words = {
        "THEM": ana.seat,
        "ME": bo.seat,
        "THEIRS": theirs.strip(),
        "FILE": FILE,
        "KEY": thief.run("import os; print(os.environ['JUPYTERHUB_API_TOKEN'])").strip(),
        "TICKET": cookies[seats.TICKET],
        "LOGIN": cookies[f"jupyterhub-user-{bo.seat}"].strip('"'),
    }
    return lambda text: re.sub("|".join(words), lambda found: words[found[0]], text)


def said(held, who, method, target, headers=(), most=-1):
    """What comes back, in lines: over a socket of its own, on which nothing is tidied. most: bytes
    after which it is not waited for more.
    """
    own = "; ".join(f"{c.name}={c.value}" for c in who.session.cookies.jar)
    sent = {"Host": f"127.0.0.1:{held.port}", "Cookie": own, "Content-Length": "0"}
    sent |= {"Connection": "close", **dict(headers)}
    lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in sent.items())]
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", held.port), timeout=60) as plain,
        context.wrap_socket(plain) as line,
        line.makefile("rb") as back,
    ):
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        return back.readline().decode() + back.read(most).decode("utf-8", "replace")


def test_the_line_that_is_tried_with_works(held, ana, marked):
    assert MARK in said(held, ana, "GET", marked("/user/THEM/FILE"))
    assert MARK in said(held, ana, "GET", marked("/%75ser/THEM/FILE"))


@pytest.mark.parametrize(("method", "target", "headers"), WAYS)
def test_no_way_of_asking_leads_to_anothers_seat(held, bo, marked, method, target, headers):
    got = said(held, bo, method, marked(target), {n: marked(v) for n, v in headers.items()})
    status = int(got.split(maxsplit=2)[1])
    assert MARK not in got and not 500 <= status < 600, got[:500]
    if method != "GET":
        assert status in (401, 403, 404, 405), got[:300]


LISTEN = "import socket; line = socket.create_server(('127.0.0.2', {}))"


def test_a_door_leads_to_ports_of_ones_own_alone(held, ana, bo, target, thief):
    """Also where one listens at the same port of another address of this machine."""
    port = target[0]["api"]
    path = f"day9-door/{port}/day9/pages/webrtc.html"
    assert thief.run(LISTEN.format(port)) == ""
    assert ana.get(f"{ana.base}/{path}").status_code == 200
    assert bo.get(f"{bo.base}/{path}").status_code == 404
    thief.run("line.close()")


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


def test_a_kernel_is_talked_to_from_its_own_pages_alone(held, ana, bo):
    kernel = ana.kernel()
    ident = ana.get(f"{ana.base}/api/kernels").json()[0]["id"]
    line = f"{ana.base}/api/kernels/{ident}/channels"
    mine = {**UPGRADE, "Origin": held.address}
    assert said(held, ana, "GET", line, mine, 1).startswith("HTTP/1.1 101")
    strange = (
        (bo, mine),
        (Learner(held.address), mine),
        (held.teacher(), mine),
        (ana, {**UPGRADE, "Origin": "https://evil.example"}),
        (ana, {**UPGRADE, "Origin": f"https://127.0.0.1:{held.port + 1}"}),
        (ana, {**UPGRADE, "Origin": "null"}),
        (ana, {**UPGRADE, "Origin": held.address + ".evil.example"}),
    )
    for who, headers in strange:
        assert said(held, who, "GET", line, headers, 1).startswith("HTTP/1.1 403"), headers
    kernel.close()


# --- what all share ----------------------------------------------------------------------------

LIMITS = "import resource; print(*resource.getrlimit(resource.{}))"


@pytest.mark.parametrize("name", warmed.WALLED)
def test_what_all_share_is_limited_in_a_kernel(held, thief, name):
    walled(held)
    most = warmed.WALLED[name]
    assert thief.run(LIMITS.format(name)) == f"{most} {most}\n"


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="root mounts a small disk")
def test_on_a_full_disk_each_page_says_so(tmp_path):
    with tempfile.TemporaryDirectory(prefix="day9-class-") as folder:
        folder = Path(folder)
        mount = ["mount", "-t", "tmpfs", "-o", "size=120m,mode=711", "none", str(folder)]
        if subprocess.run(mount).returncode:
            pytest.skip("no disk can be mounted here")
        began = None
        try:
            began = class_held.Class(folder / "class", tmp_path / "log", 3)
            ana, bo, teacher = began.learner("Ana"), began.learner("Bo"), began.teacher()
            pin, form = bo.pin, {"notebook": "notebooks/00_start_here.ipynb", "do": "reset"}
            with contextlib.suppress(OSError), open(folder / "full", "wb", 0) as file:
                while True:
                    file.write(bytes(2**12))
            page = ana.post("/hub/seat", data=form | {"_xsrf": xsrf(ana.get("/hub/seat"))})
            assert page.status_code == 200 and "No space left on device" in page.text
            home = folder / "class" / "seats" / ana.seat / "notebooks"
            assert not [*home.glob("*.half"), *home.glob("*.mine*")]
            assert "disk is full. Tell your teacher" in bo.get(f"/hub/spawn/{bo.seat}").text
            new = Learner(began.address).enter("Cy", began.given["word"])
            assert "No space left on device. Tell your teacher." in new.text
            assert teacher.get("/hub/class").status_code == 200
            assert began.learner("Bo", pin).seat == bo.seat
            (folder / "full").unlink()
            assert began.learner("Bo", pin).open().kernel().run("1 + 1") == "2"
        finally:
            if began:
                began.process.send_signal(signal.SIGINT)
                began.process.wait(60)
            subprocess.run(["umount", "-l", str(folder)], check=True)
