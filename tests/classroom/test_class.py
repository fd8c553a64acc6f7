"""A class as learners and teacher meet it: one of four seats, through its own door.

Needs `start.py test --class`, which installs JupyterHub; without it these tests are skipped.
"""

import asyncio
import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path
from unittest import mock

import nbformat
import psutil
import pytest
import tornado.netutil
import tornado.web

from helpers.classroom import address, seats, warmed, watch
from helpers.common import left_out
from tests import lab, systems
from tests.conftest import needs

from . import held as class_held
from .learner import Learner

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")

from helpers.classroom import peers

SHARE = (60 * 2**20, 900 * 2**20)  # bytes on the disk and in memory that a seat may have


@pytest.fixture(scope="module")
def held():
    with class_held.held(4, share=SHARE) as began:
        yield began


@pytest.fixture(scope="module")
def ana(held):
    return held.learner("Ana María").open()


def cookies(learner):
    """A learner's, for a browser."""
    return [
        {"name": c.name, "value": c.value, "domain": "127.0.0.1", "path": c.path}
        for c in learner.session.cookies.jar
    ]


def ask(teacher, **what):
    """Press a button of the teacher's page."""
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', teacher.get("/hub/class").text)[1]
    assert teacher.post("/hub/class", data={"_xsrf": xsrf, **what}).status_code == 200


def told(page):
    return re.search(r'role="alert">(.*?)<', page.text)[1]


def test_the_class_word_and_a_name_are_what_it_takes(held, ana):
    visitor = Learner(held.address)
    page = visitor.enter("Bo <b>", "wrong")
    assert page.status_code == 403 and "That is not the class word." in told(page)
    assert visitor.enter("100 %", "wrong").status_code == 403
    assert "Give a name" in told(visitor.enter("x" * 41, held.given["word"]))
    heard = held.given["word"].replace("-", " ").title()  # as a telephone writes what was called
    assert "Give a name" in told(visitor.enter("", heard))
    assert "the teacher" in told(visitor.enter("teacher", held.given["word"]))
    visitor.enter("Bo <b>", "wrong")
    [line] = [line for line in held.seen()["told"] if "'Bo <b>' was not let in" in line]
    assert line.endswith("(2 times)")
    assert str(visitor.get("/hub/class").url).startswith(held.address + "/hub/login")


def test_a_name_has_one_seat_and_its_pin_opens_it(held, ana):
    assert str(ana.get("/hub/spawn").url).endswith("/00_start_here.ipynb")  # a refresh
    visitor = Learner(held.address)
    for name in ("ana maría", unicodedata.normalize("NFD", "Ana María")):
        assert "is here already" in told(visitor.enter(name, held.given["word"]))
    wrong = f"{(int(ana.pin) + 1) % 10_000:04}"
    assert "not the PIN" in told(visitor.enter("Ana María", held.given["word"], wrong))
    assert held.learner("Ana María", ana.pin).seat == ana.seat
    assert ana.get("/hub/class").status_code == 403  # the teacher's


def test_guessing_a_pin_ends_and_the_teacher_opens_the_seat_again(held, ana):
    guesser, wrong = Learner(held.address), f"{(int(ana.pin) + 1) % 10_000:04}"
    for _ in range(seats.PATIENCE):
        page = guesser.enter("Ana María", held.given["word"], wrong)
    assert "wrong PINs" in told(guesser.enter("Ana María", held.given["word"], ana.pin)), page.text
    teacher = held.teacher()
    shown = teacher.get("/hub/class").text
    assert "closed after wrong PINs" in shown
    ask(teacher, again=ana.seat)
    assert held.learner("Ana María", ana.pin).seat == ana.seat


STAY = """
import subprocess, sys
open("mine", "w").write("of the one before")
code = "import time; print(1, flush=True); time.sleep(10**6)"
stays = [sys.executable, "-c", code]
subprocess.Popen(stays, start_new_session=True, stdout=subprocess.PIPE).stdout.readline()
"""


def test_the_teacher_frees_a_seat_that_a_name_made_up_has_taken(held, ana, bo):
    made_up = held.learner("Nobody").open()
    home = held.folder / "seats" / made_up.seat
    made_up.kernel().run("import os; os.chdir(os.environ['HOME'])" + STAY)
    teacher = held.teacher()
    ask(teacher, new="no")
    visitor = Learner(held.address)
    assert told(visitor.enter("Cleo", held.given["word"])).startswith("No new names are let in now")
    assert held.learner("Ana María", ana.pin).seat == ana.seat  # who has been here comes in
    ask(teacher, new="yes")
    before = {p.pid for p in psutil.process_iter() if place(p) == home}
    assert len(before) > 2
    ask(teacher, free=made_up.seat)
    assert not any(psutil.pid_exists(p) and place(psutil.Process(p)) for p in before)
    [line] = [line for line in held.seen()["told"] if "You have freed" in line]
    assert f"the seat of Nobody ({made_up.seat})" in line
    kept = Path(re.search(r"is in (\S+)\.$", line)[1])
    assert (kept / "mine").read_text() == "of the one before"
    assert kept.stat().st_uid == os.getuid() and kept.stat().st_mode & 0o777 == 0o700
    # the browser from before is out, and does not come to who sits there next
    assert str(made_up.get("/hub/seat").url).startswith(held.address + "/hub/login")
    next_one = held.learner("Cleo").open()
    assert next_one.seat == made_up.seat and next_one.kernel().run("1 + 1") == "2"
    assert made_up.get(f"/user/{made_up.seat}/api/contents").status_code == 403
    assert "/hub/login" in str(made_up.get(f"/hub/user/{made_up.seat}/").url)
    ask(held.teacher(), free=next_one.seat)


def place(process):
    """The folder in which a process is; None where it has ended."""
    try:
        return Path(process.cwd())
    except psutil.Error:
        return None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2 by itself")
def test_one_address_does_not_keep_out_all_others(monkeypatch):
    monkeypatch.setattr(peers.resource, "getrlimit", lambda _: (4, 4))
    monkeypatch.setattr(peers, "user", lambda line: None)  # they are other machines

    async def come():
        ways = peers.Server(tornado.web.Application())
        [door] = tornado.netutil.bind_sockets(0, "127.0.0.1")
        ways.add_socket(door)
        lines = []
        for there in ["127.0.0.1"] * 3 + ["127.0.0.2"]:
            with contextlib.suppress(ConnectionError):  # what is refused ends by a reset
                reader, writer = await asyncio.open_connection(
                    *door.getsockname(), local_addr=(there, 0)
                )
                writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                lines.append((reader, writer))
        said = []
        for reader, _ in lines:
            with contextlib.suppress(ConnectionError):
                said.append(await reader.readline())
        for _, writer in lines:
            writer.close()
        await asyncio.sleep(0)
        ways.stop()
        return said

    said = asyncio.run(come())
    assert [line.startswith(b"HTTP/1.1 404") for line in said].count(True) == 3


def test_a_notebook_runs_in_a_seat_and_the_teacher_sees_where(held, ana):
    kernel = ana.kernel()
    assert kernel.run("2 + 2") == "4"
    for cell in ana.notebook("00_start_here.ipynb")[:8]:
        if cell["cell_type"] == "code":
            shown = kernel.run(cell["source"])
    assert "2024-12-17 was a Tuesday." in shown or "Tuesday" in shown
    kernel.run("import os; open(os.environ['DAY9_MY_PROGRESS'], 'w').write('start-1\\n')")
    touched = held.folder / "seats" / ana.seat / "notebooks" / "1_o1" / "03_vision.ipynb"
    os.utime(touched)
    [row] = [row for row in held.seen()["seats"] if row["seat"] == ana.seat]
    assert row["name"] == "Ana María" and row["running"] and row["passed"] == ["start-1"]
    assert row["notebook"] == "1_o1/03_vision.ipynb"
    kernel.close()


def test_a_hub_that_is_killed_takes_nothing_with_it(held, ana):
    kernel = ana.kernel()
    kernel.run("kept = 41")
    Learner(held.address).enter("Someone", "another-word")
    told = held.seen()["told"]
    assert any("'Someone' was not let in" in line for line in told)
    killed = held.part("jupyterhub")
    killed.kill()
    assert kernel.run("kept + 1") == "42"  # nobody noticed
    until = time.monotonic() + 60
    while killed.is_running() and time.monotonic() < until:
        time.sleep(0.1)
    held.wait()
    assert ana.open().kernel().run("1 + 1") == "2"
    assert held.learner("Ana María", ana.pin).seat == ana.seat
    assert held.seen()["told"] == told  # the teacher still reads what went wrong
    assert kernel.run("kept + 2") == "43"
    kernel.close()


def test_no_other_program_takes_a_port_while_who_listens_there_is_started_again(held, ana):
    ana.kernel().run("kept = 41")
    for part, port in (("classroom.proxy", "port"), ("jupyterhub", "hub_port")):
        killed = held.part(part)
        (held.folder / "hub" / "certificate.pem").unlink()  # and its files have gone, too
        killed.kill()
        while killed.is_running():
            time.sleep(0.01)
        with pytest.raises(OSError), socket.create_server(("127.0.0.1", held.given[port])):
            pass
        # who comes meanwhile waits, and meets no "not running"
        assert ana.kernel().run("kept + 1") == "42"
        assert ana.get("/hub/seat").status_code == 200
        held.part(part)


def test_who_has_to_come_by_another_address_is_told_it():
    with class_held.held(1, here="203.0.113.9") as held:  # which no machine has
        until = time.monotonic() + 90
        while not held.seen()["told"]:
            assert time.monotonic() < until
            time.sleep(0.2)
        [line] = held.seen()["told"]
        there = re.search(r"<b>(https://\S+)</b>", held.teacher().get("/hub/class").text)[1]
        assert f"On the screen for all: {there} " in line or "lost its network" in line
        assert "203.0.113.9" not in there
        assert line.partition(" ")[2] in held.log.read_text(encoding="utf-8")


def test_an_address_lasts_while_this_machine_has_it(monkeypatch):
    def networks(*own):
        card = [mock.Mock(address=one) for one in ("127.0.0.1", *own)]
        monkeypatch.setattr(address.psutil, "net_if_addrs", lambda: {"card": card})
        monkeypatch.setattr(address, "here", lambda: own[-1] if own else address.LOOPBACK)

    networks("10.0.0.1", "10.8.0.1")  # a second network is no reason to move
    assert address.now("10.0.0.1") == "10.0.0.1"
    networks("10.8.0.1")
    assert address.now("10.0.0.1") == "10.8.0.1"
    assert address.now(address.LOOPBACK) == "10.8.0.1"  # begun without a network
    networks()
    given = {"here": "10.0.0.1", "https": False, "port": 8000}
    assert "lost its network" in address.told(given, address.now("10.0.0.1"))
    assert address.told(given, "10.0.0.1") == "The class is at http://10.0.0.1:8000/ again."


def test_reset_and_catch_up_keep_what_was_written(held, ana):
    form = {"notebook": "notebooks/00_start_here.ipynb"}
    home = held.folder / "seats" / ana.seat / "notebooks"
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', ana.get("/hub/seat").text)[1]

    def do(action):
        page = ana.post("/hub/seat", data=form | {"_xsrf": xsrf, "do": action})
        return re.search(r'role="status">(.*?)<', page.text)[1]

    assert "are filled in" in do("catch_up")
    assert "Nothing was filled in" in do("catch_up")
    caught = nbformat.read(home / "00_start_here.ipynb", 4)
    assert any(cell.source.startswith('verdict = "no"') for cell in caught.cells)
    caught.cells[0].source = "mine"
    nbformat.write(caught, home / "00_start_here.ipynb")
    assert "is as it was given" in do("reset")
    given = (seats.ROOT / "notebooks" / "00_start_here.ipynb").read_bytes()
    assert (home / "00_start_here.ipynb").read_bytes() == given
    assert nbformat.read(home / "00_start_here.mine-2.ipynb", 4).cells[0].source == "mine"
    assert (home / "00_start_here.ipynb").stat().st_uid == home.stat().st_uid
    (home / "00_start_here.ipynb").write_text("{", encoding="utf-8")
    assert "is no notebook any more: begin it anew first" in do("catch_up")
    assert any("Ana María (seat01): catch up to" in line for line in held.seen()["told"])
    assert "is as it was given" in do("reset")
    strange = ana.post(
        "/hub/seat", data={"_xsrf": xsrf, "do": "reset", "notebook": "../hub/roster.json"}
    )
    assert strange.status_code == 400


DELETE = """
import os, pathlib, shutil
home = pathlib.Path(os.environ["HOME"])
shutil.rmtree(home / "notebooks")
(home / "notebooks").write_text("mine")
(home / "data").unlink()
home.chmod(0)
"""


def test_who_deletes_all_gets_it_back_and_what_stood_there_is_kept(held, ana):
    kernel = ana.kernel()
    kernel.run(DELETE)
    n = len(seats.notebooks())
    page = ana.get("/hub/seat").text
    assert f"Of your notebooks {n} are missing" in page
    [row] = [row for row in held.seen()["seats"] if row["seat"] == ana.seat]
    assert row["missing"] == n and f"{n} notebooks deleted" in held.teacher().get("/hub/class").text
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', page)[1]
    form = {"_xsrf": xsrf, "do": "reset", "notebook": "notebooks/1_o1/03_vision.ipynb"}
    assert "is as it was given" in ana.post("/hub/seat", data=form).text
    assert held.seen()["seats"][0]["missing"] == 0
    home = held.folder / "seats" / ana.seat
    assert (home / "notebooks.mine-1").read_text() == "mine"
    assert (home / "data" / "prices.csv").is_file()
    assert (home / "notebooks" / "5_sdks" / "clients" / "go" / "main.go").is_file()
    (home / "notebooks" / "1_o1" / "03_vision.ipynb").unlink()
    assert "1 notebook deleted" in held.teacher().get("/hub/class").text
    assert "Of your notebooks 1 is missing" in ana.get("/hub/seat").text
    ana.post("/hub/seat", data=form)
    kernel.close()


FILL = """
import os, time
os.chdir(os.environ["HOME"])
for n in range(100):
    with open(f"big{n}", "wb") as file:
        file.write(bytes(10**7))
    time.sleep(0.2)
"""
GROW = """
import time
held = []
while len(held) < 30:
    held.append(bytearray(50 * 2**20))
    time.sleep(0.3)
"""
EMPTY = """
import os, time
for name in os.listdir():
    if name.startswith("big"):
        os.remove(name)
for _ in range(300):
    try:
        print(open("small", "w").write("x"))
        break
    except OSError:
        time.sleep(0.2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hold a process")
def test_who_fills_the_disk_can_write_nothing_more_and_all_else_goes_on(held, ana, bo):
    kernel, other = ana.kernel(), bo.kernel()
    shown = kernel.run(FILL)
    assert "File too large" in shown and "no room for more" in shown
    [line] = [line for line in held.seen()["told"] if "has written" in line]
    assert "Ana María (seat01)" in line and "63 MB" in line
    assert "<b>disk full</b>" in held.teacher().get("/hub/class").text
    assert "Your seat is full" in ana.get("/hub/seat").text
    path = f"{ana.base}/api/contents/notebooks/00_start_here.ipynb"
    body = {"type": "notebook", "format": "json", "content": ana.get(path).json()["content"]}
    saved = ana.session.put(ana.address + path, json=body, headers=ana.xsrf)
    assert saved.status_code == 200
    assert other.run("open('small', 'w').write('x')") == "1"
    assert kernel.run(EMPTY) == "1\n"  # as soon as there is room again
    kernel.close()
    other.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hold a process")
def test_who_fills_the_memory_gets_no_more_and_is_told(held, ana):
    kernel = ana.kernel()
    shown = kernel.run(GROW)
    assert "MemoryError" in shown and "Kernel, Restart" in shown
    assert any("Ana María (seat01) holds" in line for line in held.seen()["told"])
    assert "of memory" in ana.get("/hub/seat").text
    kernel.run("held.clear()")
    until = time.monotonic() + 60
    while "of memory" in ana.get("/hub/seat").text and time.monotonic() < until:
        time.sleep(0.2)
    assert kernel.run("held.append(bytearray(10**8))") == ""
    kernel.close()


def test_what_forked_processes_share_is_no_seats_own_also_where_little_is_told(
    held, ana, monkeypatch
):
    def denied(process):
        raise psutil.AccessDenied(process.pid)

    ana.kernel().close()
    parent = held.part("helpers.classroom.warmed")
    monkeypatch.setattr(psutil.Process, "memory_full_info", denied)
    for process in parent.children():
        assert watch.held(process, "uss") < watch.held(process, "rss") / 2


def test_what_all_seats_share_is_watched(tmp_path, monkeypatch):
    monkeypatch.setattr(seats, "ROOT", tmp_path)
    for room in watch.SHARED:
        (tmp_path / room).mkdir()
    file = tmp_path / "helpers" / "a.py"
    file.touch()
    (tmp_path / "seats").mkdir()
    given = {"folder": str(tmp_path), "walls": False, "share": SHARE, "seats": 1}
    given |= {"runtime": str(tmp_path), "groups": [], "here": address.here()}
    looks = watch.Watch(given, print, str, list)
    assert looks.look() == []
    file.unlink()
    [line] = looks.look()
    assert "helpers/a.py" in line and "End the class" in line
    assert looks.look() == []  # said once


def test_who_deletes_helpers_takes_no_page_away_and_all_are_told(monkeypatch):
    """As a learner can where seats are not walled off; here in a copy of the project."""
    with tempfile.TemporaryDirectory(prefix="day9-copy-") as root:
        os.chmod(root, 0o755)
        for room in (*watch.SHARED, "notebooks"):
            shutil.copytree(
                seats.ROOT / room, Path(root, room), ignore=shutil.ignore_patterns(*seats.MADE)
            )
        monkeypatch.setattr(seats, "ROOT", Path(root))
        with class_held.held(1) as held:
            ana, teacher = held.learner("Ana"), held.teacher()
            shutil.rmtree(Path(root, "helpers"))
            until = time.monotonic() + 60
            while "helpers/__init__.py" not in (page := ana.get("/hub/seat")).text:
                assert page.status_code == 200 and time.monotonic() < until, page.text
                time.sleep(1)
            assert "Tell your teacher" in page.text
            page = teacher.get("/hub/class")
            assert page.status_code == 200 and "what all seats share: helpers/__init__" in page.text


def test_the_page_for_teachers_says_what_a_seat_may_have(monkeypatch):
    page = (lab.NOTEBOOKS / "teaching" / "README.md").read_text(encoding="utf-8")
    [said] = re.findall(r"\*What a seat may have\.\*.*", page)

    def share(free, total):
        usage = shutil._ntuple_diskusage(free, 0, free)
        memory = psutil.virtual_memory()._replace(total=total)
        monkeypatch.setattr(watch.shutil, "disk_usage", lambda _: usage)
        monkeypatch.setattr(watch.psutil, "virtual_memory", lambda: memory)
        return watch.share("anywhere", 30)

    most, least = share(2**50, 2**50), share(0, 2**30)
    for amount in (most.disk, least.disk, most.memory):
        assert watch.size(amount) in said
    assert least.memory == 2**30 / 4 and "a quarter of the machine's memory" in said


@pytest.fixture(scope="module")
def unmade(held, ana, bo):
    """(who comes to a seat that cannot be made, the page that they get)"""
    visitor = held.learner("Cleo")
    shutil.rmtree(held.folder / "seats" / visitor.seat)  # which was made before anybody came
    stands = held.folder / "seats" / f"{visitor.seat}.half"
    stands.touch()  # as a disk that is full, or a folder of somebody else
    page = visitor.get(f"/hub/spawn/{visitor.seat}")
    stands.unlink()
    return visitor, page


def test_a_seat_that_cannot_be_made_says_so(held, unmade):
    visitor, page = unmade
    assert "Your notebooks cannot be made ready: File exists. Tell your teacher." in page.text
    assert any(
        f"Cleo ({visitor.seat}) could not be made ready" in line for line in held.seen()["told"]
    )


SECRET = """
import helpers, os
from openai import OpenAI
helpers.connect()
session = {"type": "realtime", "model": "gpt-realtime"}
secret = OpenAI().realtime.client_secrets.create(session=session).value
print("have", os.environ["OPENAI_BASE_URL"].split(":")[2].removesuffix("/v1"), secret)
"""


@needs("chromium")
def test_a_browser_talks_through_a_seats_door_and_reaches_nothing_else_there(held, ana):
    kernel = ana.kernel("2_realtime/02_webrtc_in_twelve_lines.ipynb")
    port, secret = re.search(r"have (\d+) (\S+)", kernel.run(SECRET)).groups()
    door = f"/user/{ana.seat}/day9-door"
    flags = ["--allow-loopback-in-peer-connection", "--autoplay-policy=no-user-gesture-required"]
    with lab.browser(*flags) as chrome, chrome.new_context(ignore_https_errors=True) as context:
        context.add_cookies(cookies(ana))
        for way in ("webrtc", "websocket"):
            page = context.new_page()
            page.set_default_timeout(lab.LONG)
            page.goto(f"{held.address}{door}/{port}/day9/pages/{way}.html#{secret}")
            page.click("#clip")
            page.locator("#log li", has_text="It: ").first.wait_for()
    others = Learner(held.address).get(f"{door}/{port}/day9/pages/webrtc.html")
    assert others.status_code == 403  # nobody without the seat's login
    strange = [f"{held.port}/day9/pages/webrtc.html"] * held.walls  # the proxy is another user's
    for path in (*strange, "1/day9/pages/webrtc.html", f"{port}/v1/models", f"{port}/day9/calls"):
        assert ana.get(f"{door}/{path}").status_code == 404
    kernel.close()


ATTACK = """
import json, os, pathlib, socket, urllib.error, urllib.request
socket.setdefaulttimeout(2)
home = pathlib.Path(os.environ["HOME"])
other, user = home.with_name({seat!r}), {user}

def reached(what):
    try:
        return [what()]
    except (OSError, urllib.error.URLError):
        return []

found = reached(lambda: os.listdir(other)) + reached(lambda: os.listdir(other / "notebooks"))
for name in ("roster.json", "settings.json", "hub.sqlite", "cookie_secret"):
    found += reached(lambda: (other.parents[1] / "hub" / name).read_bytes())
for place in (home / "data" / "prices.csv", {root!r} + "/helpers/__init__.py"):
    found += reached(lambda: open(place, "a").close())
processes = [p for p in pathlib.Path("/proc").glob("[0-9]*") if p.stat().st_uid == user]
for process in processes:
    found += reached(lambda: (process / "environ").read_bytes())
    found += reached(lambda: os.kill(int(process.name), 0))
lines = [line.split() for line in open("/proc/net/tcp").read().splitlines()[1:]]
ports = [int(x[1].split(":")[1], 16) for x in lines if x[3] == "0A" and int(x[7]) == user]
for port in ports:
    for path in ("/v1/models", "/user/" + other.name + "/api/contents"):
        found += reached(lambda: urllib.request.urlopen(f"http://127.0.0.1:{{port}}{{path}}").read())
print("processes", len(processes), "ports", len(ports), "found", found)
"""
ASK = """
import json, os, socket
with socket.socket(socket.AF_UNIX) as talk:
    talk.connect(chr(0) + os.environ["FORKED_FROM"])
    talk.sendall({asked!r})
    talk.shutdown(socket.SHUT_WR)
    print("answer", talk.makefile().read())
"""


def test_a_seat_reaches_nothing_of_anothers(held, ana, bo):
    if not held.walls:
        pytest.skip("not root, or a Python that other users cannot read: seats have no walls")
    theirs = ana.kernel()
    theirs.run("import helpers; helpers.connect()")
    thief = bo
    user = seats.user_id(ana.seat)
    attack = ATTACK.format(seat=ana.seat, user=user, root=str(seats.ROOT))
    said = thief.kernel().run(attack)
    # nor what the teacher had in the environment: it would be in a forked process's memory
    parent = held.part("helpers.classroom.warmed")
    assert not {"SECRET_OF_TEACHER", "DAY9_KEY"} & parent.environ().keys()
    # as many as are hers: seats of another class on this machine are the same users
    looked = re.fullmatch(r"processes (\d+) ports (\d+) found \[\]\n", said)
    assert looked and int(looked[1]) >= 3 and int(looked[2]) >= 1, said
    assert thief.get(f"/user/{ana.seat}/api/contents").status_code == 403
    theirs.close()


SPEAK = """
said = client.audio.speech.create(model="tts-1", voice="alloy", input={words!r}).read()
print(client.audio.transcriptions.create(model="whisper-1", file=("said.mp3", said)).text)
"""


def test_a_seat_has_ears_and_a_mouth_of_its_own_with_weights_that_all_share(held, ana, bo):
    if not systems.installed("moonshine-voice", "hibari-tts"):
        pytest.skip("no ears and mouth here: python start.py test --voice sets them up")
    parent = held.part("helpers.classroom.warmed")
    words = {ana: "The reindeer is on the lawn.", bo: "How many days until Christmas?"}
    for learner, said in words.items():
        kernel = learner.kernel()
        kernel.run("import helpers, openai; helpers.connect(); client = openai.OpenAI()")
        before = set(parent.children())
        assert said in kernel.run(SPEAK.format(words=said))
        [process] = set(parent.children()) - before
        assert not held.walls or process.uids().real == seats.user_id(learner.seat)
        process.kill()
        assert "ears and mouth ended; the next sound starts it anew" in kernel.run(
            SPEAK.format(words=said)
        )
        assert said in kernel.run(SPEAK.format(words=said))
        kernel.close()


def test_a_voice_part_that_is_broken_ends_no_class(monkeypatch, capsys):
    monkeypatch.setattr(left_out, "ears", lambda: True)
    monkeypatch.setitem(sys.modules, f"{warmed.VOICE}.__main__", None)
    warmed.load_voice()
    assert "helpers.local_api.voice.__main__" in capsys.readouterr().err


def test_the_warmed_process_gives_no_rights_and_outlives_nonsense(held, ana):
    kernel = ana.kernel()
    for asked in (b" nonsense", b" [1]", b'{"a": 1}'):
        assert kernel.run(ASK.format(asked=asked)) == "answer \n"
    seat = json.dumps(["jupyterhub.singleuser.extension", ["0"], "/", {}]).encode()
    if held.walls:
        kernel.run(ASK.format(asked=b" " + seat))
        until = time.monotonic() + 60  # the process that was made for that ends after the answer
        while "may not ask for a seat" not in held.said("warmed process"):
            assert time.monotonic() < until, held.said("warmed process")
            time.sleep(0.1)
    kernel.close()
    assert ana.kernel("1_o1/03_vision.ipynb").run("1 + 1") == "2"  # forked by the same


@pytest.fixture(scope="module")
def late(held, unmade):
    """Who comes to the seat that was started before, and is the last that there is."""
    with lab.browser() as chrome, chrome.new_context(ignore_https_errors=True) as context:
        context.add_cookies(cookies(held.teacher()))
        page = context.new_page()
        page.goto(f"{held.address}/hub/class")
        assert "Start All" in page.inner_text("body")
        page.click("text=JupyterHub's own page")
        page.click("text=Start All")
        page.locator("tr", has_text="seat04").get_by_text("Stop Server").wait_for()
    return held.learner("Cy")


@needs("chromium")
def test_a_seat_that_was_started_before_the_bell_waits_for_a_name_not_known_yet(late):
    assert late.seat == "seat04"
    # what the link on the page of a seat leads to: no waiting page in between
    assert "/user/seat04/lab" in str(late.get("/hub/spawn/seat04").url)
    assert late.open().kernel().run("1 + 1") == "2"


@needs("chromium")
def test_a_full_class_says_so(held, late):
    visitor = Learner(held.address)
    said = told(visitor.enter("Dora", held.given["word"]))
    assert said == "All 4 seats are taken. Tell your teacher."
    assert any("begin it with more, --seats 5" in line for line in held.seen()["told"])


@needs("chromium")
def test_a_browser_without_websockets_is_told_and_so_is_the_teacher(held, ana):
    with lab.browser() as chrome, chrome.new_context(ignore_https_errors=True) as context:
        context.add_cookies(cookies(ana))
        page = context.new_page()
        page.goto(f"{held.address}/hub/seat")
        page.wait_for_function("line.readyState > 1")  # it came through, and was closed
        assert page.locator("#line").is_hidden()
        page.add_init_script("window.WebSocket = class { constructor() { setTimeout(() => this.onerror()) } }")  # fmt: skip
        with page.expect_response("**/hub/line"):
            page.reload()
        assert "No WebSocket comes through" in page.locator("#line").inner_text()
    assert any("Ana María (seat01): no WebSocket" in line for line in held.seen()["told"])


@needs("chromium")
def test_the_pages_fit_a_telephone_and_are_dark_where_the_screen_is(held, ana):
    from PIL import Image

    small = {"width": 390, "height": 800}
    with lab.browser() as chrome:
        for who, path in ((None, "login"), (ana, "seat"), (held.teacher(), "class")):
            with chrome.new_context(
                ignore_https_errors=True, viewport=small, color_scheme="dark"
            ) as context:
                context.add_cookies(cookies(who) if who else [])
                page = context.new_page()
                page.goto(f"{held.address}/hub/{path}")
                assert page.evaluate("document.documentElement.scrollWidth") == 390, path
                shown = Image.open(io.BytesIO(page.screenshot())).convert("L")
                assert shown.getpixel((3, 790)) < 60, path


def refused(folder, port, number=3):
    """What a class says that cannot begin."""
    run = subprocess.run(
        [sys.executable, "-c", class_held.start(folder, port, number)],
        cwd=seats.ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and "Traceback" not in run.stderr, run.stderr
    return run.stderr


def test_a_folder_holds_one_class(held):
    said = refused(held.folder, class_held.some_port())
    assert f"already, at https://{held.given['here']}:{held.port}/" in said and "Ctrl-C" in said


def test_a_class_that_was_killed_begins_again_with_all_who_were_there(tmp_path):
    with tempfile.TemporaryDirectory(prefix="day9-class-") as folder:
        folder = Path(folder)
        folder.chmod(0o711)
        began = class_held.Class(folder / "class", folder / "log", 3)
        pins = {name: began.learner(name).pin for name in ("Ana", "Bo")}
        parts = psutil.Process(began.process.pid).children()
        began.process.kill()
        psutil.wait_procs(parts, 60)
        assert not any(part.is_running() for part in parts)  # they would keep the port
        roster = folder / "class" / "hub" / "roster.json"
        kept = roster.read_bytes()
        certificate = (folder / "class" / "hub" / "certificate.pem").read_bytes()
        roster.write_text("[", encoding="utf-8")
        assert "is no list of names and PINs" in refused(folder / "class", class_held.some_port())
        roster.write_bytes(kept)
        again = class_held.Class(folder / "class", folder / "log", 1)
        # so that a browser that has taken it does not ask again
        assert (folder / "class" / "hub" / "certificate.pem").read_bytes() == certificate
        assert again.learner("Bo", pins["Bo"]).open().seat == "seat02"
        assert "All 2 seats are taken" in told(
            Learner(again.address).enter("Cy", again.given["word"])
        )
        again.process.send_signal(signal.SIGINT)
        again.process.wait(60)


def test_a_port_in_use_and_a_number_that_is_none_are_told(held, tmp_path):
    assert f"port {held.port} cannot be had" in refused(tmp_path / "class", held.port)
    assert "--seats 0 is not from 1 to 200" in refused(
        tmp_path / "class", class_held.some_port(), 0
    )
    run = subprocess.run(
        [sys.executable, "-m", "helpers.classroom", "--seats", "0"],
        cwd=seats.ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("start.py: --seats 0 is not from 1 to 200")
    assert "Cure: " in run.stderr
