"""Two network namespaces joined by a line that delays, scatters, loses and throttles packets,
seeded.

    with Network("line") as line:
        line.set(Condition(delay_ms=50, loss=0.05), seed=1)
        subprocess.run([*line.inside("client"), "curl", f"http://{SERVER}:8000"])
        line.counts()

Each end is a TUN device; the line between them is a process of this module, which reads IP packets
at one and writes them at the other. It needs Linux, root, `ip` and /dev/net/tun, and no `tc netem`,
which many kernels lack. What is in the namespaces reaches nothing but the other end.
"""

import asyncio
import collections
import contextlib
import fcntl
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import psutil

SERVER, CLIENT = "10.99.0.1", "10.99.0.2"
SIDES = {"server": SERVER, "client": CLIENT}
QUEUE_S = 0.3  # of sound and all else that a throttled line holds back before it drops; home routers hold as much
LARGEST = 65_536  # bytes of a packet
TUNSETIFF, TUN_WITHOUT_HEADER = 0x400454CA, 0x1001


class Condition(NamedTuple):
    """What the line does to packets, in each direction alike."""

    delay_ms: float = 0  # one way
    jitter_ms: float = 0  # each packet takes up to so much longer, but none overtakes another
    loss: float = 0  # the share of packets that vanish, each for itself
    kbit_s: float = 0  # how much passes; 0 is no limit


class Way:
    """One direction. The fate of its n-th packet hangs on the seed alone; on a throttled line also
    on the others' times.
    """

    def __init__(self, condition, seed):
        self.condition, self.chance = condition, random.Random(seed)
        self.free = self.last = 0.0
        self.packets = self.bytes = self.lost = 0

    def arrival(self, now, size):
        """When (in seconds, on the clock of `now`) a packet of so many bytes arrives; None where it
        does not.
        """
        delay_ms, jitter_ms, loss, kbit_s = self.condition
        lost, later = self.chance.random() < loss, self.chance.random() * jitter_ms
        self.packets += 1
        self.bytes += size
        if kbit_s:
            begin = max(now, self.free)
            lost |= begin - now > QUEUE_S
            if begin - now <= QUEUE_S:
                now = self.free = begin + size / (125 * kbit_s)
        if lost:
            self.lost += 1
            return None
        self.last = max(self.last, now + (delay_ms + later) / 1000)
        return self.last


class Network:
    """The two namespaces, `NAME-PROCESS-server` and `NAME-PROCESS-client`, and the line. A context
    manager; raises Unable.
    """

    def __init__(self, name):
        self.name, self.process = name, None

    def space(self, side):
        # by the process: another run on this machine may have a line of this name at the same time
        return f"{self.name}-{os.getpid()}-{side}"

    def __enter__(self):
        why = lacking()
        if why:
            raise Unable(why)
        try:
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _join(self):
        self.devices = {side: f"{self.name[:9]}-{side[:1]}{os.getpid() % 1000}" for side in SIDES}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.emulated", *self.devices.values()],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ask({})  # the devices are there
        self._forget_dead()
        for side, address in SIDES.items():
            space, device = self.space(side), self.devices[side]
            _ip("netns", "add", space)
            _ip("link", "set", device, "netns", space)
            for command in (
                "link set lo up",
                f"addr add {address}/32 dev {device}",
                f"link set {device} up",
                f"route add default dev {device}",
            ):
                _ip("-n", space, *command.split())

    def __exit__(self, *_):
        if self.process:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        self._forget()

    def _forget(self):
        for side in SIDES:
            _delete(self.space(side))

    def _forget_dead(self):
        """What runs left that were killed."""
        there = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
        ours = rf"^({re.escape(self.name)}-(\d+)-(?:{'|'.join(SIDES)}))\b"
        for space, process in re.findall(ours, there, re.M):
            if not psutil.pid_exists(int(process)):
                _delete(space)

    def inside(self, side):
        """What to put before a command that is to run at one side, "server" or "client"."""
        return ["ip", "netns", "exec", self.space(side)]

    def set(self, condition, seed):
        """From now on the line is like this, and counts from 0."""
        self._ask({"condition": condition, "seed": seed})

    def congestion_control(self, name):
        """TCP's rule for how much to send, on both sides: a name of
        net.ipv4.tcp_available_congestion_control.
        """
        for side, device in self.devices.items():
            _ip(
                "-n",
                self.space(side),
                "route",
                "replace",
                "default",
                "dev",
                device,
                "congctl",
                name,
            )

    def counts(self):
        """{"up" or "down": {"packets", "bytes", "lost"}} since set(): IP packets with their
        headers, as they were sent.
        """
        return self._ask({})

    def _ask(self, command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Unable(RuntimeError):
    """This machine cannot have such a network, and why."""


def lacking():
    """What this machine lacks, in a sentence, or ""."""
    if sys.platform != "linux":
        return "network namespaces are Linux's; this is " + sys.platform
    if os.geteuid():
        return "network namespaces and TUN devices need root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "there is no /dev/net/tun to read and write (`modprobe tun`)"
    if not shutil.which("ip"):
        return "the program `ip` is missing (package iproute2)"
    return ""


def _delete(space):
    with contextlib.suppress(Unable):  # it is not there
        _ip("netns", "del", space)


def _ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise Unable(f"`ip {' '.join(arguments)}` said: {done.stderr.strip()}")


# --- the process of the line ----------------------------------------------------------------------


def tun(name):
    """A file that gives and takes the packets of a new network device. The device may move to
    another namespace.
    """
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), TUN_WITHOUT_HEADER))
    return device


class Line:
    """Carries packets between two devices, and does what standard input says."""

    def __init__(self, server, client):
        self.loop = asyncio.get_running_loop()
        self.ends = ("up", client, server), ("down", server, client)
        self.waiting = {"up": collections.deque(), "down": collections.deque()}
        self.begin(Condition(), 0)

    def begin(self, condition, seed):
        self.ways = {way: Way(condition, f"{seed} {way}") for way in ("up", "down")}

    def carry(self, way, source, target):
        try:
            packet = os.read(source, LARGEST)
        except OSError:  # its namespace is gone; to go on would be to ask for ever, before all else
            self.loop.remove_reader(source)
            return
        if packet[0] >> 4 != 4:
            return  # IPv6's search for neighbours, of which there are none
        at = self.ways[way].arrival(self.loop.time(), len(packet))
        if at is not None:
            self.waiting[way].append(packet)
            self.loop.call_at(at, self.deliver, way, target)

    def deliver(self, way, target):
        with contextlib.suppress(OSError):  # the other end is not up, or already gone
            # the oldest: timers of the same moment have no order
            os.write(target, self.waiting[way].popleft())

    def obey(self, command):
        if "condition" in command:
            self.begin(Condition(*command["condition"]), command["seed"])
            for end in self.ends:  # now that both are up: a device that is down cannot be read
                self.loop.add_reader(end[1], self.carry, *end)
        return {
            name: {"packets": way.packets, "bytes": way.bytes, "lost": way.lost}
            for name, way in self.ways.items()
        }


async def main(server, client):
    # its times are its purpose: before all else on a busy machine
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(2))
    line = Line(tun(server), tun(client))
    commands = asyncio.StreamReader()
    await line.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while text := await commands.readline():
        print(json.dumps(line.obey(json.loads(text))), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
