"""What one seat's code holds open, or sends, stops nobody else: at each door of a class."""

import contextlib
import os
import re
import socket
import sqlite3
import ssl
import time

import psutil
import pytest

from helpers.classroom import __main__ as classroom
from helpers.classroom import peers, seats

from . import held as class_held

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")


@pytest.fixture(scope="module")
def held():
    with class_held.held(3) as began:
        if not began.walls:
            pytest.skip("not root, or a Python that others cannot read: seats have no walls")
        yield began


@pytest.fixture(scope="module")
def mine(ana):
    """Ana's kernel, which has asked her local API for something."""
    kernel = ana.kernel()
    kernel.run("import helpers; helpers.connect(); from openai import OpenAI; client = OpenAI()")
    yield kernel
    kernel.close()


@pytest.fixture(scope="module")
def thief(bo):
    kernel = bo.kernel()
    assert kernel.run(HOLD) == ""
    yield kernel
    kernel.close()


HOLD = """
import errno, socket, time
def hold(places, words, number=2_000):
    '''Half requests, held; how many are taken when no more of them end.'''
    global lines
    lines = []
    for place, port in places * (number // len(places)):
        line = socket.socket()
        line.settimeout(20)
        line.bind((place, 0))
        try:
            line.connect(("127.0.0.1", port))
            line.sendall(words)
        except OSError as error:
            assert error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN), error
        line.setblocking(False)
        lines.append(line)
    until, left = time.monotonic() + 60, -1
    while left != len(open_ones()) and time.monotonic() < until:
        left = len(open_ones())
        time.sleep(2)
    return left

def open_ones():
    found = []
    for line in lines:
        try:
            line.recv(1)
        except BlockingIOError:
            found.append(line)
        except OSError:
            pass
    return found

def kept(port):
    '''How many that the other side has closed have a port of this machine still.'''
    rows = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "08" for row in rows)  # CLOSE_WAIT

def let_go():
    [line.close() for line in lines]
"""
ASKS = "print(len(client.models.list().data) > 3)"


def listening(held):
    """{port: the process that listens there} of a class, on this machine alone or on all cards."""
    return {
        line.laddr.port: process
        for process in psutil.Process(held.process.pid).children(recursive=True)
        for line in process.net_connections("tcp4")
        if line.status == psutil.CONN_LISTEN
    }


def apis(held, learner):
    user = seats.user_id(learner.seat)
    return [port for port, process in listening(held).items() if process.uids().real == user]


def test_a_seat_listens_at_no_port_but_its_local_apis(held, ana, bo, mine, thief):
    """Neither its JupyterLab nor its kernel, whom all could fill with connections."""
    api = int(mine.run("import os; print(os.environ['OPENAI_BASE_URL'].split(':')[2][:-3])"))
    assert apis(held, ana) == [api] and apis(held, bo) == []
    given = held.given
    others = {held.port, given["hub_port"], given["proxy_port"]}
    assert listening(held).keys() == {api} | others


def test_what_a_fork_of_a_kernel_prints_is_shown(mine):
    assert mine.run("import os\nif not os.fork():\n    print('from a fork', flush=True)\n    os._exit(0)\nos.wait(); import time; time.sleep(1)") == "from a fork\n"  # fmt: skip


CONNECT = """
import glob, os, socket
place = os.path.dirname(os.environ["JUPYTER_RUNTIME_DIR"])
for seat in ({own!r}, {other!r}):
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(f"{{place}}/{{seat.removeprefix('seat')}}.sock")
            print("connected")
        except OSError as error:
            print(type(error).__name__)
for change in ("os.remove(path)", "os.rename(path, path + '2')", "os.symlink('/', path + '3')"):
    path = f"{{place}}/{{{own!r}.removeprefix('seat')}}.sock"
    try:
        print(eval(change))
    except OSError as error:
        print(type(error).__name__)
"""


def test_only_the_class_comes_to_a_jupyterlab_and_none_puts_another_way_in_its_place(
    ana, bo, thief
):
    said = thief.run(CONNECT.format(own=bo.seat, other=ana.seat))
    assert said == "PermissionError\n" * 5


def all_is_well(held, ana, mine):
    assert ana.get(f"{ana.base}/api/contents/notebooks").status_code == 200
    assert mine.run(ASKS) == "True\n"
    assert held.teacher().get("/hub/class").status_code == 200
    assert ana.get("/hub/seat").status_code == 200


HTTP, TLS = b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"\x16\x03\x01"
DOORS = {  # addresses that a thief comes from, the port, half a request, how many are let in
    "a neighbour's local API": (["127.0.0.1"], lambda held, ana: apis(held, ana)[0], HTTP, 0),
    "the proxy's routes": (["127.0.0.1"], lambda held, ana: held.given["proxy_port"], HTTP, 0),
    "the hub": (["127.0.0.1"], lambda held, ana: held.given["hub_port"], HTTP, peers.OF_A_SEAT),
    "the browsers' door": (
        ["127.0.0.1", "127.0.0.2"],
        lambda held, ana: held.port,
        TLS,
        peers.OF_A_SEAT,
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_who_holds_connections_keeps_nobody_else_out(held, ana, mine, thief, door):
    places, port, half, most = DOORS[door]
    asked = [(place, port(held, ana)) for place in places]
    try:
        left = int(thief.run(f"hold({asked}, {half})"))
        assert left <= most and bool(left) == bool(most)
        assert thief.run(f"print(kept({asked[0][1]}))") == "0\n"
        all_is_well(held, ana, mine)
    finally:
        thief.run("let_go()")
    all_is_well(held, ana, mine)


PORTS = """
import multiprocessing, socket, time
def bind():
    lines = []
    while len(lines) < 3_000:
        line = socket.socket()
        line.bind(("127.0.0.1", 0))
        lines.append(line)
    time.sleep(600)
taking = [multiprocessing.get_context("fork").Process(target=bind) for _ in range(3)]
for one in taking:
    one.start()
for one in taking:
    one.join()
"""


def test_who_takes_a_machines_ports_is_ended_and_told(held, ana, mine):
    """Of which there are some 28,000, for all that connect and listen."""
    many = held.learner("Cy").open()
    many.kernel().run(PORTS)
    until, line = time.monotonic() + 60, f"Cy ({many.seat}) had more than 8,000 files"
    while not any(line in said for said in held.seen()["told"]) and time.monotonic() < until:
        time.sleep(0.5)
    assert any(line in said for said in held.seen()["told"])
    all_is_well(held, ana, mine)
    assert many.get(f"{many.base}/api/contents/notebooks").status_code == 200
    assert many.kernel().run("1 + 1") == "2"


BODY = """
import ssl
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
def post(port, path, length):
    '''What comes back before the body is sent; "" where it is waited for.'''
    line = socket.create_connection(("127.0.0.1", port))
    with context.wrap_socket(line) if port == {port} else line as line:
        line.settimeout(3)
        line.sendall(f"POST {{path}} HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: {{length}}\\r\\n\\r\\n".encode())
        try:
            return line.recv(100).split(b"\\r\\n")[0].decode()
        except TimeoutError:
            return ""
"""


def test_who_has_not_come_in_sends_no_more_than_a_form(held, ana, thief):
    """What has no end yet is held in memory, before anybody knows who sends it."""
    thief.run(BODY.format(port=held.port))
    hub = held.given["hub_port"], "/hub/api/users"
    for port, way in (
        (held.port, "/hub/login"),
        (held.port, f"/user/{ana.seat}/api/contents/a"),
        hub,
    ):
        assert thief.run(f"print(post({port}, {way!r}, 1_000))") == "\n"
        assert thief.run(f"print(post({port}, {way!r}, 1_000_000))").startswith("HTTP/1.1 400")
    whole = {"type": "file", "format": "text", "content": "x" * 3_000_000}
    at = f"{ana.base}/api/contents/large.txt"
    put = ana.session.put(ana.address + at, json=whole, headers=ana.xsrf)
    assert put.status_code == 201, put.text[:300]


def test_a_log_keeps_its_end(held, ana):
    """A seat that has much to say fills no disk, and its last words are there."""
    log = held.folder / "hub" / f"{ana.seat}.log"
    with open(log, "ab", buffering=0) as said:  # as the seat has it open
        said.write(b"much to say\n" * (classroom.LOG // 12 + 1) + b"the last words\n")
        until = time.monotonic() + 60
        # 0: emptied, and its end not yet written again
        while not 0 < log.stat().st_size < classroom.LOG and time.monotonic() < until:
            time.sleep(0.1)
        said.write(b"and one more\n")
    assert log.stat().st_size < classroom.LOG / 2
    assert log.read_bytes().endswith(b"the last words\nand one more\n")


def test_who_is_at_the_other_end_is_known():
    """Also of one who has gone, and not of what is no connection between two of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        with socket.create_connection(door.getsockname()):
            line, _ = door.accept()
            assert peers.user(line) == os.getuid()
        assert peers.user(line) == peers.GONE
        line.close()
    ours, theirs = socket.socketpair()
    assert peers.user(ours) is None
    ours.close(), theirs.close()


# --- what a seat's own browser sends or does not read -------------------------------------------


def line(held, who, head, port=0, **headers):
    """A connection on which a request was sent, with the cookies of a learner: to the browsers'
    door, over TLS, or to another port.
    """
    own = "; ".join(f"{c.name}={c.value}" for c in who.session.cookies.jar)
    sent = {"Host": f"127.0.0.1:{held.port}", "Cookie": own, **headers}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    made = socket.create_connection(("127.0.0.1", port or held.port), timeout=60)
    made = made if port else context.wrap_socket(made)
    lines = [f"{head} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    made.sendall("\r\n".join([*lines, "", ""]).encode())
    return made


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


def closed(made):
    made.settimeout(0.2)
    try:
        return not made.recv(1_000)
    except TimeoutError:
        return False
    except OSError:
        return True


def test_messages_that_do_not_end_are_held_up_to_a_bound(held, ana, bo, mine, thief):
    """Of those that begin, and of one who sends more the fullest is closed: others' go on."""
    ident = bo.get(f"{bo.base}/api/kernels").json()[0]["id"]
    at = f"GET {bo.base}/api/kernels/{ident}/channels"
    size, made = 60 * 2**20, []
    begun = b"\x81\xff" + (size + 1).to_bytes(8, "big") + bytes(4)  # a text, masked with nothing
    for _ in range(6):
        one = line(held, bo, at, Origin=held.address, **UPGRADE)
        assert one.recv(1_000).startswith(b"HTTP/1.1 101")
        made.append(one)
        with contextlib.suppress(OSError):  # closed already
            one.sendall(begun + bytes(size))
    until = time.monotonic() + 60
    while not any(map(closed, made)) and time.monotonic() < until:
        time.sleep(0.1)
    gone = [*map(closed, made)]
    assert any(gone) and not all(gone)
    all_is_well(held, ana, mine)
    for one in made:
        one.close()
    assert thief.run("1 + 1") == "2"


def test_the_hub_takes_no_long_message(held, bo):
    """Of the WebSocket by which a page sees whether any comes through."""
    hub = held.given["hub_port"]
    with line(held, bo, "GET /hub/line", hub, Origin=held.address, **UPGRADE) as one:
        assert one.recv(1_000).startswith(b"HTTP/1.1 101")
        assert not closed(one)
        one.sendall(b"\x81\xff" + (10**6).to_bytes(8, "big") + bytes(4))
        until = time.monotonic() + 60
        while not closed(one) and time.monotonic() < until:
            time.sleep(0.1)
        assert closed(one)


def test_a_learner_puts_no_tokens_into_the_hubs_database(held, bo, thief):
    """There would be no end of them; with the teacher's name they are made, so it is the asking."""
    teacher = held.teacher()
    for who, user, page, answered in (
        (bo, bo.seat, "seat", 403),
        (teacher, seats.TEACHER, "class", 201),
    ):
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', who.get(f"/hub/{page}").text)[1]
        there = f"/hub/api/users/{user}/tokens"
        asked = {"params": {"_xsrf": xsrf}, "json": {"note": "x" * 60_000}}
        assert who.post(there, **asked).status_code == answered, user
    code = (
        "import os, urllib.error, urllib.request as web\n"
        "url = os.environ['JUPYTERHUB_API_URL'] + '/users/%s/tokens'\n"
        "right = {'Authorization': 'token ' + os.environ['JUPYTERHUB_API_TOKEN']}\n"
        "try:\n"
        "    print(web.urlopen(web.Request(url, b'{}', right)).status)\n"
        "except urllib.error.HTTPError as error:\n"
        "    print(error.code)\n"
    )
    assert thief.run(code % bo.seat) == "403\n"


def test_no_cookie_is_stored_at_length_in_the_hubs_database(held, bo):
    """On the way by which a browser comes from the hub into its seat, again and again."""
    asked = {
        "client_id": f"jupyterhub-user-{bo.seat}",
        "redirect_uri": f"{bo.base}/oauth_callback",
        "response_type": "code",
    }
    request = bo.session.build_request(
        "GET", held.address + "/hub/api/oauth2/authorize", params=asked
    )
    cookie = request.headers["Cookie"]
    assert "jupyterhub-session-id=" in cookie
    request.headers["Cookie"] = re.sub("(?<=session-id=)[^;]*", "x" * 30_000, cookie)
    answer = bo.session.send(request, follow_redirects=False)
    assert answer.status_code == 302 and "code=" in answer.headers["Location"], answer.text
    with contextlib.closing(sqlite3.connect(held.folder / "hub" / "hub.sqlite")) as database:
        [[longest]] = database.execute("SELECT MAX(LENGTH(session_id)) FROM oauth_codes")
    assert longest == 255


def test_answers_that_nobody_reads_are_held_up_to_a_bound(held, ana, bo, mine, thief):
    """And who asks for others waits, until one of those has gone."""
    thief.run("import os; open(os.path.join(os.environ['HOME'], 'notebooks', 'large.bin'), 'wb').truncate(20_000_000)")  # fmt: skip
    made = [line(held, bo, f"GET {bo.base}/files/notebooks/large.bin") for _ in range(40)]
    time.sleep(5)
    main = held.part("classroom.proxy")
    assert main.memory_info().rss < 600_000_000  # and not 800 MB and more
    all_is_well(held, ana, mine)
    for one in made:
        one.close()
    assert bo.get(f"{bo.base}/api/contents/notebooks").status_code == 200
    whole = bo.get(f"{bo.base}/files/notebooks/large.bin")
    assert len(whole.content) == 20_000_000


def test_a_programs_own_files_are_not_where_neighbours_can_make_them(held, bo, thief):
    """By a name that they can guess, as ipykernel's for what its debugger shows."""
    said = thief.run(
        "import tempfile, ipykernel.compiler as c; place = tempfile.gettempdir()\n"
        "print(place == os.environ['JUPYTER_RUNTIME_DIR'], oct(os.stat(place).st_mode)[-3:], "
        "c.get_tmp_directory().startswith(place))"
    )
    assert said == "True 700 True\n"
