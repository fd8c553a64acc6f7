"""A seat that is starting: it is there when it answers, and one that has ended is told."""

import asyncio
import socket
import threading

import pytest

pytest.importorskip("jupyterhub", reason="no class here: `start.py test --class` installs it")

from jupyterhub.spawner import SpawnException

from helpers.classroom import spawner, warmed


class Teacher(list):
    tell = list.append

    def who(self, seat):
        return f"Ana ({seat})"


class Seat(spawner.Seat):
    """A seat whose door is one of this test's."""

    def __init__(self, runtime, looks):
        super().__init__(runtime=str(runtime))
        self.looks = looks
        self.teacher, self.user = Teacher(), type("User", (), {"name": "seat01"})

    @property
    def authenticator(self):
        return self.teacher

    async def poll(self):
        """None while it runs; 1 once it was asked as often as it is to live."""
        self.looks -= 1
        return None if self.looks >= 0 else 1


def test_a_seat_is_there_when_it_answers(tmp_path):
    seat = Seat(tmp_path, 1)
    with warmed.listening(str(seat.door)) as door:
        door.setblocking(True)

        def answer():
            line, _ = door.accept()
            with line:
                line.recv(100)
                line.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")

        threading.Thread(target=answer).start()
        asyncio.run(seat.listens())


@pytest.mark.parametrize("how", ["no door yet", "a door that was left", "it ends as it is asked"])
def test_a_seat_that_ends_as_it_begins_is_told(tmp_path, how):
    seat = Seat(tmp_path, 3)
    if how != "no door yet":
        door = warmed.listening(str(seat.door))
        if how == "a door that was left":
            door.close()
        else:
            door.setblocking(True)
            threading.Thread(target=lambda: [door.accept()[0].close() for _ in range(3)]).start()
    with pytest.raises(SpawnException, match="ended as it began. Start it once more"):
        asyncio.run(seat.listens())
    [line] = seat.teacher
    assert line.startswith("The seat of Ana (seat01) ended") and "hub/seat01.log" in line
    if how == "it ends as it is asked":
        door.close()


def test_a_door_is_made_anew_and_for_its_maker_alone(tmp_path):
    place = tmp_path / "01.sock"
    for _ in range(2):
        with warmed.listening(str(place)), socket.socket(socket.AF_UNIX) as line:
            assert place.stat().st_mode & 0o777 == 0o600
            line.connect(str(place))
