"""The line between two namespaces does to packets what it says, and the measurements of
2_realtime/05 are sound.
"""

import asyncio
import collections
import csv
import itertools
import json
import math
import random
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from helpers.facts import sounds
from helpers.realtime import transports
from tests import emulated, lab
from tests.conftest import needs
from tests.emulated import SERVER, Condition, Way
from tests.tools import measure_transports

ECHO = f"""
import json, socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1] == "server":
    sock.bind(("{SERVER}", 9))
    print("ready", flush=True)
    while True:
        data, sender = sock.recvfrom(2000)
        sock.sendto(data, sender)
sock.connect(("{SERVER}", 9))
sock.settimeout(3)
back = []
for n in range(int(sys.argv[2])):
    sock.send(n.to_bytes(4, "big") + time.monotonic_ns().to_bytes(8, "big"))
    time.sleep(0.002)
    sock.setblocking(False)
    while True:
        try:
            data = sock.recv(2000)
        except BlockingIOError:
            break
        back.append((int.from_bytes(data[:4], "big"), (time.monotonic_ns() - int.from_bytes(data[4:], "big")) / 1e6))
sock.settimeout(1)
try:
    while True:
        data = sock.recv(2000)
        back.append((int.from_bytes(data[:4], "big"), (time.monotonic_ns() - int.from_bytes(data[4:], "big")) / 1e6))
except TimeoutError:
    print(json.dumps(back))
"""
PYTHON = [
    "python3",
    "-I",
    "-c",
    ECHO,
]  # -I: without the tests' guard, which knows no address but this machine's


def fates(condition, seed, packets=4_000, size=500, every=0.005):
    """When each of many packets arrives, in seconds after it was sent; None for a lost one."""
    way = Way(condition, seed)
    found = [way.arrival(n * every, size) for n in range(packets)]
    return [None if at is None else at - n * every for n, at in enumerate(found)]


# the emulator's arithmetic


def test_without_a_condition_every_packet_arrives_at_once():
    assert set(fates(Condition(), 1)) == {0}


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_the_share_that_is_lost_is_the_one_asked_for_and_hangs_on_the_seed(share):
    lost = [at is None for at in fates(Condition(loss=share), 1, 40_000)]
    assert abs(sum(lost) / len(lost) - share) < 4 * (share * (1 - share) / len(lost)) ** 0.5
    assert [at is None for at in fates(Condition(50, 30, share), 1, 40_000)] == lost
    assert [at is None for at in fates(Condition(loss=share), 2, 40_000)] != lost


def test_jitter_spreads_over_its_range_and_reorders_nothing():
    far_apart = fates(Condition(50, 30), 1, every=1)
    assert 0.05 <= min(far_apart) < 0.051 and 0.079 < max(far_apart) <= 0.08
    assert abs(statistics.mean(far_apart) - 0.065) < 0.001
    way = Way(Condition(50, 30), 1)
    arrivals = [way.arrival(n * 0.005, 500) for n in range(4_000)]
    assert arrivals == sorted(arrivals)


def test_a_throttled_line_passes_what_it_should_holds_back_and_drops():
    way = Way(Condition(kbit_s=300), 1)  # 37,500 bytes a second, and twice of that is sent
    arrived = [at for n in range(1_500) if (at := way.arrival(n / 75, 1_000)) is not None]
    assert abs(len(arrived) * 1_000 / 20 / 37_500 - 1) < 0.05
    assert max(way.arrival(20 + n, 1_000) - (20 + n) for n in range(1, 9)) == pytest.approx(
        1_000 / 37_500
    )  # it has emptied
    late = [
        at - n / 75
        for n in range(1_500)
        if (at := Way(Condition(kbit_s=600), 1).arrival(n / 75, 1_000))
    ]
    assert max(late) < 0.02
    assert way.packets - way.lost == len(arrived) + 8


# the measurements


def rows():
    with open(measure_transports.OUT / "transports.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_network_was_tried_with_every_transport_at_least_five_times():
    how = transports.setting()
    assert how["conditions"] == {
        name: c._asdict() for name, c in measure_transports.CONDITIONS.items()
    }
    assert how["transports"] == {t.name: t._asdict() for t in measure_transports.TRANSPORTS}
    assert list(rows()[0]) == measure_transports.COLUMNS
    runs = collections.Counter((r["condition"], r["transport"]) for r in rows())
    assert (
        set(runs) == set(itertools.product(how["conditions"], how["transports"]))
        and len(set(runs.values())) == 1
    )
    assert min(runs.values()) >= 5 and len(
        {(r["condition"], r["transport"], r["run"]) for r in rows()}
    ) == len(rows())


def test_the_answer_of_the_measurement_is_as_long_as_it_says():
    assert transports.setting()["answer_ms"] == measure_transports.answer()["ms"]


def test_each_row_agrees_with_itself():
    for r in rows():
        assert r["question"] in ("whole", "part", "none") and {r["right"], r["ended"]} <= {
            "yes",
            "no",
        }, r
        assert float(r["load"]) >= 0 and date.fromisoformat(r["date"]) <= date.today(), r
        assert (r["answer_took_ms"] != "") <= (r["first_sound_ms"] != "") and (
            r["right"] == "yes"
        ) <= (r["question"] != "none"), r
        assert (r["concealed_percent"] != "") == (
            r["transport"] == "WebRTC" and r["first_sound_ms"] != ""
        ), r
        if r["right"] == r["ended"] == "yes":
            assert 80 <= int(r["heard_percent"]) <= 125, r


def test_the_line_of_the_measurement_did_what_its_condition_says():
    for name, condition in measure_transports.CONDITIONS.items():
        of = [r for r in rows() if r["condition"] == name]
        sent, lost = (
            sum(int(r[f"{what}_{way}"]) for r in of for way in ("up", "down"))
            for what in ("packets", "lost")
        )
        if condition.kbit_s:
            assert lost > 0
            for r in of:
                for way in ("up", "down"):
                    passed = int(r[f"bytes_{way}"]) * (
                        1 - int(r[f"lost_{way}"]) / int(r[f"packets_{way}"])
                    )
                    assert passed / float(r["seconds"]) <= 1.1 * condition.kbit_s * 125, r
        else:
            assert (
                abs(lost / sent - condition.loss)
                <= 4 * (condition.loss * (1 - condition.loss) / sent) ** 0.5
            )


def test_what_the_figures_draw_follows_from_the_rows():
    table = transports.measured()
    assert len(table) == len(rows())
    for (_, seen), r in zip(table.iterrows(), rows()):
        late = (
            ""
            if r["answer_took_ms"] == ""
            else max(0, int(r["answer_took_ms"]) - transports.setting()["answer_ms"]) / 1000
        )
        assert (
            math.isnan(seen["stalled_s"])
            if late == ""
            else seen["stalled_s"] == pytest.approx(late, abs=0.006)
        )
        assert seen["kB_s_up"] == pytest.approx(
            int(r["bytes_up"]) / float(r["seconds"]) / 1000, abs=0.06
        )
    found = sorted(
        int(r["first_sound_ms"])
        for r in rows()
        if (r["condition"], r["transport"]) == ("perfect", "WebRTC")
    )
    said = transports.spread(table, "first_sound_ms").loc["perfect", "WebRTC"]
    assert said == f"{statistics.median(found):.0f} ({found[0]} to {found[-1]})"


def test_a_column_without_values_is_a_dash_and_a_half_empty_one_says_so():
    table = transports.measured().query("condition == 'perfect' and transport == 'PCM16'").head(4)
    assert transports.spread(table, "concealed_percent").to_numpy().tolist() == [["–"]]
    table = table.assign(first_sound_ms=[700, 800, None, None])
    assert transports.spread(table, "first_sound_ms").to_numpy().tolist() == [
        ["750 (700 to 800, 2 of 4)"]
    ]
    late = table.assign(first_sound_ms=[700, 1_000, 13_309, 2_500])
    assert transports.spread(late, "first_sound_ms").to_numpy().tolist() == [
        ["1,750 (700 to 13,309)"]
    ]
    told = transports.in_words(table, "first_sound_ms")
    assert told == (
        "1 row of dots; median and range of each. perfect: PCM16 750 (700 to 800, 2 of 4)."
    )


def test_a_figure_names_what_it_draws():
    table = transports.measured()
    fig = transports.dots(table.query("condition != 'jitter'"), "setup_ms")
    assert fig.layout.title.text == "The set-up, on 6 networks"
    assert "spoken into" in fig.layout.xaxis.title.text
    with pytest.raises(KeyError, match="first_sound_ms"):
        transports.dots(table, "stalled_s")
    with pytest.raises(ValueError, match="has a value"):
        transports.dots(table.query("condition == 'none'"), "setup_ms")


SAID = {
    "setup": 12.4,
    "ended": 10.0,
    "over": True,
    "said": sounds.clips()["says-reindeer"]["transcript"],
    "understood": sounds.clips()["user-reindeer"]["transcript"],
    "heard": [[9.9, 0.5], [10.4, 0.001], [10.7, 0.3], [12.0, 0.01], [15.7, 0.3]],
    "concealed": {"concealed": 30, "all": 600},
    "seconds": 12.34,
}


def test_a_row_is_made_of_what_the_page_noted():
    row = measure_transports.row(SAID)
    assert (
        row["setup_ms"],
        row["first_sound_ms"],
        row["answer_took_ms"],
        row["concealed_percent"],
    ) == (12, 700, 5000, 5.0)
    assert (row["question"], row["right"], row["ended"], row["seconds"]) == (
        "whole",
        "yes",
        "yes",
        12.3,
    )
    part = measure_transports.row(
        SAID | {"understood": "reindeer. What do you do out on the lawn all night?", "over": False}
    )
    assert (part["question"], part["answer_took_ms"], part["ended"]) == ("part", "", "no")
    nothing = measure_transports.row(
        SAID
        | {"heard": [[9.9, 0.5]], "understood": "", "said": "", "over": False, "concealed": None}
    )
    assert (
        nothing["first_sound_ms"],
        nothing["question"],
        nothing["right"],
        nothing["heard_percent"],
    ) == ("", "none", "no", 0)
    assert measure_transports.row(None)["ended"] == "no"


def test_without_leave_to_make_namespaces_the_script_says_what_it_lacks(monkeypatch):
    monkeypatch.setattr(emulated, "lacking", lambda: "network namespaces and TUN devices need root")
    with pytest.raises(
        SystemExit, match="Not measured: network namespaces and TUN devices need root"
    ):
        measure_transports.main(1)


# real packets


@pytest.fixture(scope="module")
def line():
    try:
        with emulated.Network("day9-test") as made:
            made.set(Condition(), 0)
            echo = subprocess.Popen(
                [*made.inside("server"), *PYTHON, "server"], stdout=subprocess.PIPE
            )
            echo.stdout.readline()
            yield made
            echo.kill()
            echo.wait()
            echo.stdout.close()
    except emulated.Unable as why:
        pytest.skip(str(why))


BESIDE = """
import os
from tests.emulated import Network
line = Network("day9-test").__enter__()
print(line.space("client"), flush=True)
os.kill(os.getpid(), 9)
"""


def test_another_run_beside_it_has_a_line_of_its_own_and_what_a_killed_one_left_is_taken_away(line):
    def beside():
        run = subprocess.run(
            [sys.executable, "-c", BESIDE], cwd=lab.ROOT, stdout=subprocess.PIPE, text=True
        )
        return run.stdout.strip()

    spaces = lambda: subprocess.run(["ip", "netns"], stdout=subprocess.PIPE, text=True).stdout
    first, second = beside(), beside()
    assert second in spaces() and first not in spaces()
    assert line.space("client") in spaces()
    back, _ = sent(line, Condition(), 50)
    assert len(back) == 50
    emulated.Network("day9-test")._forget_dead()
    assert second not in spaces()


def sent(line, condition, packets, seed=1):
    """([(number, ms there and back) of the packets that came back], counts of the line)"""
    line.set(condition, seed)
    done = subprocess.run(
        [*line.inside("client"), *PYTHON, "client", str(packets)],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return json.loads(done.stdout), line.counts()


def lost_by(condition, packets, seed):
    """The same packets' fates, from the seed alone: the numbers of those that come back."""
    up, down = (random.Random(f"{seed} {way}") for way in ("up", "down"))
    draw = lambda chance: (chance.random() >= condition.loss, chance.random())[0]
    return [n for n in range(packets) if draw(up) and draw(down)]


def test_the_packets_that_get_lost_are_those_of_the_seed(line):
    back, counts = sent(line, Condition(loss=0.2), 500)
    assert [number for number, _ in back] == lost_by(Condition(loss=0.2), 500, 1)
    assert counts["up"]["packets"] == 500 and counts["up"]["bytes"] == 500 * (20 + 8 + 12)
    assert counts["down"]["packets"] == 500 - counts["up"]["lost"]
    assert len(back) == 500 - counts["up"]["lost"] - counts["down"]["lost"]


def test_packets_take_as_long_as_they_should_and_stay_in_order(line):
    plain, _ = sent(line, Condition(), 200)
    slow, _ = sent(line, Condition(50), 200)
    spread, _ = sent(line, Condition(50, 30), 200)
    times = lambda back: [ms for _, ms in back]
    for back in (plain, slow, spread):
        assert [number for number, _ in back] == list(range(200))
    assert min(times(slow)) >= 100 and min(times(spread)) >= 100
    # a loaded machine is later, never sooner; the least loaded moments show the line itself
    assert min(times(plain)) < 20 and min(times(slow)) < 120
    assert statistics.median(times(spread)) > statistics.median(times(slow)) + 10


RULE = f"""
import socket
sock = socket.create_server(("{SERVER}", 10)) if "{{side}}" == "server" else socket.create_connection(("{SERVER}", 10))
print("ready", flush=True)
one = sock.accept()[0] if "{{side}}" == "server" else sock
print(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(bytes(1)).decode())
"""


@pytest.mark.parametrize("name", ["cubic", "bbr"])
def test_the_rule_of_tcp_is_the_one_asked_for_on_both_sides(line, name):
    if (
        name
        not in Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
        .read_text(encoding="utf-8")
        .split()
    ):
        pytest.skip(f"this kernel has no {name}")
    line.set(Condition(), 0)
    line.congestion_control(name)
    sides = []
    for side in emulated.SIDES:
        sides.append(
            subprocess.Popen(
                [*line.inside(side), "python3", "-I", "-c", RULE.format(side=side)],
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert sides[-1].stdout.readline() == "ready\n"
    assert [side.stdout.read().strip() for side in sides] == [
        name,
        name,
    ]  # not communicate(), which loses what readline() has taken in
    for side in sides:
        side.communicate(timeout=60)


@needs("chromium")
# line: skips where there can be none; the lane's own has another name
def test_a_browser_talks_through_such_a_line_in_g711(line, tmp_path):
    async def one():
        from playwright.async_api import async_playwright

        g711 = next(t for t in measure_transports.TRANSPORTS if t.form == "audio/pcmu")
        async with (
            async_playwright() as playwright,
            measure_transports.Lane(g711._replace(name="g711"), playwright, tmp_path) as lane,
        ):
            await lane.open()
            return await lane.talk(Condition(20, 10, 0.01), 1, 0)

    row = asyncio.run(one())
    assert (row["question"], row["right"], row["ended"]) == ("whole", "yes", "yes"), row
    # PCM16 would be 65,000
    assert row["lost_up"] > 0 and 10_000 < row["bytes_up"] / row["seconds"] < 25_000, row


def test_a_page_without_a_kernel_shows_what_two_conversations_took():
    talks = {"WebSocket": transports.SpokenTurn(64_000, 32_000, 1.0, 650, None)}
    data = transports.live(talks)._repr_mimebundle_()
    data = data[0] if isinstance(data, tuple) else data
    assert "WebSocket: 64.0 kB a second up, 32.0 down" in data["text/html"]
