"""A class as learners and teacher meet it: one of three seats, through its own door.

Needs `start.py test --class`, which installs JupyterHub; without it these tests are skipped.
"""

import json
import os
import re
import subprocess
import sys
import time

import nbformat
import pytest

from helpers.classroom import seats
from tests import lab
from tests.conftest import needs

from . import held as class_held
from .learner import Learner

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")


@pytest.fixture(scope="module")
def held():
    with class_held.held(3) as began:
        yield began


@pytest.fixture(scope="module")
def ana(held):
    return held.learner("Ana María").open()


def told(page):
    return re.search(r'role="alert">(.*?)<', page.text)[1]


def test_the_class_word_and_a_name_are_what_it_takes(held, ana):
    visitor = Learner(held.address)
    page = visitor.enter("Bo <b>", "wrong")
    assert page.status_code == 403 and "That is not the class word." in told(page)
    assert visitor.enter("100 %", "wrong").status_code == 403
    assert "Give a name" in told(visitor.enter("x" * 41, held.given["word"]))
    assert "the teacher" in told(visitor.enter("teacher", held.given["word"]))
    assert any("'Bo <b>' was not let in" in line for line in held.seen()["told"])
    assert str(visitor.get("/hub/class").url).startswith(held.address + "/hub/login")


def test_a_name_has_one_seat_and_its_pin_opens_it(held, ana):
    assert str(ana.get("/hub/spawn").url).endswith("/00_start_here.ipynb")  # a refresh
    visitor = Learner(held.address)
    assert "is here already" in told(visitor.enter("ana maría", held.given["word"]))
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
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', shown)[1]
    teacher.post("/hub/class", data={"_xsrf": xsrf, "seat": ana.seat})
    assert held.learner("Ana María", ana.pin).seat == ana.seat


def test_a_notebook_runs_in_a_seat_and_the_teacher_sees_where(held, ana):
    kernel = ana.kernel()
    assert kernel.run("2 + 2") == "4"
    for cell in ana.notebook("00_start_here.ipynb")[:8]:
        if cell["cell_type"] == "code":
            shown = kernel.run(cell["source"])
    assert "2024-12-17 was a Tuesday." in shown or "Tuesday" in shown
    with open(held.folder / "seats" / ana.seat / "my_progress.txt", "w", encoding="utf-8") as file:
        file.write("start-1\n")
    touched = held.folder / "seats" / ana.seat / "notebooks" / "1_o1" / "03_vision.ipynb"
    os.utime(touched)
    [row] = [row for row in held.seen()["seats"] if row["seat"] == ana.seat]
    assert row["name"] == "Ana María" and row["running"] and row["passed"] == ["start-1"]
    assert row["notebook"] == "1_o1/03_vision.ipynb"
    kernel.close()


def test_a_hub_that_is_killed_takes_nothing_with_it(held, ana):
    kernel = ana.kernel()
    kernel.run("kept = 41")
    killed = held.part("jupyterhub")
    killed.kill()
    assert kernel.run("kept + 1") == "42"  # nobody noticed
    until = time.monotonic() + 60
    while killed.is_running() and time.monotonic() < until:
        time.sleep(0.1)
    held.wait()
    assert ana.open().kernel().run("1 + 1") == "2"
    assert held.learner("Ana María", ana.pin).seat == ana.seat
    assert kernel.run("kept + 2") == "43"
    kernel.close()


def test_reset_and_catch_up_keep_what_was_written(held, ana):
    form = {"notebook": "notebooks/00_start_here.ipynb"}
    home = held.folder / "seats" / ana.seat / "notebooks"
    xsrf = re.search(r'name="_xsrf" value="([^"]+)"', ana.get("/hub/seat").text)[1]

    def do(action):
        page = ana.post("/hub/seat", data=form | {"_xsrf": xsrf, "do": action})
        return re.search(r'role="status">(.*?)<', page.text)[1]

    assert "has the solutions so far" in do("catch_up")
    caught = nbformat.read(home / "00_start_here.ipynb", 4)
    assert any(cell.source.startswith('verdict = "no"') for cell in caught.cells)
    caught.cells[0].source = "mine"
    nbformat.write(caught, home / "00_start_here.ipynb")
    assert "is as it was given" in do("reset")
    given = (seats.ROOT / "notebooks" / "00_start_here.ipynb").read_bytes()
    assert (home / "00_start_here.ipynb").read_bytes() == given
    assert nbformat.read(home / "00_start_here.mine-2.ipynb", 4).cells[0].source == "mine"
    assert (home / "00_start_here.ipynb").stat().st_uid == home.stat().st_uid
    strange = ana.post(
        "/hub/seat", data={"_xsrf": xsrf, "do": "reset", "notebook": "../hub/roster.json"}
    )
    assert strange.status_code == 400


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
        context.add_cookies(
            [
                {"name": c.name, "value": c.value, "domain": "127.0.0.1", "path": c.path}
                for c in ana.session.cookies.jar
            ]
        )
        for way in ("webrtc", "websocket"):
            page = context.new_page()
            page.set_default_timeout(lab.LONG)
            page.goto(f"{held.address}{door}/{port}/day9/pages/{way}.html#{secret}")
            page.click("#clip")
            page.locator("#log li", has_text="It: ").first.wait_for()
    others = Learner(held.address).get(f"{door}/{port}/day9/pages/webrtc.html")
    assert "/hub/login" in str(others.url)  # nobody without the seat's login
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


def test_a_seat_reaches_nothing_of_anothers(held, ana):
    if not held.walls:
        pytest.skip("not root, or a Python that other users cannot read: seats have no walls")
    theirs = ana.kernel()
    theirs.run("import helpers; helpers.connect()")
    thief = held.learner("Bo").open()
    user = seats.user_id(ana.seat)
    attack = ATTACK.format(seat=ana.seat, user=user, root=str(seats.ROOT))
    said = thief.kernel().run(attack)
    # nor what the teacher had in the environment: it would be in a forked process's memory
    parent = held.part("helpers.classroom.warmed")
    assert not {"SECRET_OF_TEACHER", "DAY9_KEY"} & parent.environ().keys()
    assert re.fullmatch(r"processes [3-9] ports [2-9] found \[\]\n", said), said
    assert thief.get(f"/user/{ana.seat}/api/contents").status_code == 403
    theirs.close()


def test_the_warmed_process_gives_no_rights_and_outlives_nonsense(held, ana):
    kernel = ana.kernel()
    for asked in (b" nonsense", b" [1]", b'{"a": 1}'):
        assert kernel.run(ASK.format(asked=asked)) == "answer \n"
    seat = json.dumps(["jupyterhub.singleuser.extension", ["0"], "/", {}]).encode()
    if held.walls:
        kernel.run(ASK.format(asked=b" " + seat))
        assert "may not ask for a seat" in held.said("warmed process")
    kernel.close()
    assert ana.kernel("1_o1/03_vision.ipynb").run("1 + 1") == "2"  # forked by the same


def test_a_full_class_says_so(held, ana):
    while len(held.seen()["seats"]) < 3:
        held.learner(f"Learner {len(held.seen()['seats'])}")
    visitor = Learner(held.address)
    assert "All 3 seats are taken" in told(visitor.enter("Dora", held.given["word"]))


def test_a_port_in_use_and_a_number_that_is_none_are_told(held):
    for arguments, said in (
        (["--port", str(held.port)], f"port {held.port} cannot be had"),
        (["--seats", "0"], "0 seats are not from 1 to 200"),
    ):
        run = subprocess.run(
            [sys.executable, "-m", "helpers.classroom", *arguments],
            cwd=seats.ROOT,
            capture_output=True,
            text=True,
        )
        assert run.returncode == 1 and run.stderr.startswith("start.py: " + said)
        assert "Cure: " in run.stderr
