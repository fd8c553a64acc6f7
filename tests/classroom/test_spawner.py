"""A seat that is starting: only its own door counts as that."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")

from jupyterhub.spawner import SpawnException

from helpers.classroom import spawner


class Teacher(list):
    tell = list.append

    def who(self, seat):
        return f"Ana ({seat})"


class Seat(spawner.Seat):
    """A seat whose process is one of this test's."""

    def __init__(self, pid, port, looks):
        super().__init__()
        self.pid, self.port, self.looks = pid, port, looks
        self.teacher, self.user = Teacher(), type("User", (), {"name": "seat01"})

    @property
    def authenticator(self):
        return self.teacher

    async def poll(self):
        """None while it runs; 1 once it was asked as often as it is to live."""
        self.looks -= 1
        return None if self.looks >= 0 else 1


def test_a_seat_is_there_when_it_listens_itself():
    with socket.create_server(("127.0.0.1", 0)) as door:
        asyncio.run(Seat(os.getpid(), door.getsockname()[1], 1).listens())


def test_another_program_at_its_port_is_not_taken_for_a_seat():
    """The port was free when it was drawn; whoever has it now gets no learner's cookies."""
    seat = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with seat, socket.create_server(("127.0.0.1", 0)) as door:
        starting = Seat(seat.pid, door.getsockname()[1], 3)
        with pytest.raises(SpawnException, match="ended as it began. Start it once more"):
            asyncio.run(starting.listens())
        [line] = starting.teacher
        assert line.startswith("The seat of Ana (seat01) ended") and "hub/seat01.log" in line
        seat.stdin.close()
