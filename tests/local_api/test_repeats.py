"""A request that comes again, byte for byte, gets what it got before, without being read again."""

import asyncio
import json
import re
import socket

import pytest

from helpers.local_api import accepting, repeats, server
from tests import asking

KEY = "day9-for-the-tests"
QUESTION = "Which day of the week was 2024-12-17?"


@pytest.fixture
def local():
    one = asking.Local(KEY)
    yield one
    one.end()


@pytest.fixture
def read(local, monkeypatch):
    """The paths of the requests that were read."""
    seen, answer = [], local.state.answer
    monkeypatch.setattr(
        local.state, "answer", lambda asked: (seen.append(asked.path), answer(asked))[1]
    )
    return seen


def request(body, *lines, path=asking.CHAT, first="POST {path} HTTP/1.1"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [
        first.format(path=path),
        "Host: 127.0.0.1",
        f"Authorization: Bearer {KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(raw)}",
        *lines,
    ]
    return "\r\n".join([*head, "", ""]).encode() + raw


ASKED = request(asking.chat(QUESTION))


class Line:
    """A connection. `pieces`: the bytes of a request as they are sent, each when the one before
    was read.
    """

    def __init__(self, local):
        self.local = local
        self.sock = socket.create_connection(("127.0.0.1", local.state.port), 30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.come = self.sock.makefile("rb")

    def ask(self, *pieces, without_body=False):
        for piece in pieces[:-1]:
            self.sock.sendall(piece)
            pause(self.local)
        self.sock.sendall(pieces[-1])
        return self.answer(without_body)

    def answer(self, without_body=False):
        """(first line, {header: value}, body)"""
        first = self.come.readline()
        headers = {}
        while (line := self.come.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin1").rstrip().partition(": ")
            headers[name] = value
        if without_body:
            return first, headers, b""
        return first, headers, self.come.read(int(headers["Content-Length"]))


def pause(local):
    """Until the event loop has read what was sent."""
    for _ in range(5):
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), local.loop).result(30)


def same(answer):
    first, headers, body = answer
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["Date"])
    assert re.fullmatch(r"req_[0-9a-f]{32}", headers["X-Request-Id"])
    apart = {name: "" for name in ("Date", "X-Request-Id", "Openai-Processing-Ms")}
    return first, [(name, apart.get(name, value)) for name, value in headers.items()], body


KNOWN = {
    "a question": ASKED,
    "a refusal": request(asking.chat(QUESTION, temperature=0.5)),
    "a page's": request(asking.chat(QUESTION), "Origin: http://localhost:8888"),
    "with a per cent in a header": request(asking.chat(QUESTION), "X-Rate: 100%s"),
    "chunked": ASKED.replace(
        b"Content-Length: %d" % len(ASKED.split(b"\r\n\r\n")[1]), b"Transfer-Encoding: chunked"
    ).replace(  # fmt: skip
        b"\r\n\r\n", b"\r\n\r\n%x\r\n" % len(ASKED.split(b"\r\n\r\n")[1])
    )
    + b"\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", KNOWN)
def test_it_gets_the_same_without_being_read(local, read, name):
    line = Line(local)
    answers = [line.ask(KNOWN[name]) for _ in range(4)]
    assert len(read) == 1
    first, *others = map(same, answers)
    assert others == [first] * 3
    assert answers[-1][1]["Openai-Processing-Ms"] == "0"
    ids = [headers["X-Request-Id"] for _, headers, _ in answers]
    kept = local.state.ledger.exchanges()
    assert len(set(ids)) == 4 and [entry.pop("request_id") for entry in kept] == ids
    assert [entry.pop("number") for entry in kept] == [1, 2, 3, 4] and kept == kept[:1] * 4
    assert len(local.state.ledger.calls) in (0, 4)
    assert same(Line(local).ask(KNOWN[name])) == first and len(read) == 1  # on any connection


READ = {  # what differs from one time to the next, or says more than its answer
    "what is held": request({"model": "gpt-5.6-sol", "input": QUESTION}, path=asking.RESPONSES),
    "what must be read to be off the map": request(asking.chat("Nobody knows.")),
    "the list of models": request(b"", first="GET /v1/models HTTP/1.1"),
    "another key": request(asking.chat(QUESTION)).replace(KEY.encode(), b"day9-another"),
    "with a wish for a word before": request(asking.chat(QUESTION), "Expect: nothing"),
    "a long one": request(asking.chat(QUESTION), "X-Long: " + "x" * repeats.LONGEST),
}


@pytest.mark.parametrize("name", READ)
def test_what_may_have_another_answer_is_read_each_time(local, read, name):
    line = Line(local)
    first, *others = [same(line.ask(READ[name])) for _ in range(3)]
    assert len(read) == 3 and [other[0] for other in others] == [first[0]] * 2


@pytest.mark.parametrize(
    "ends", [("Connection: close",), ("Connection: Keep-Alive",)], ids=["closes", "old"]
)
def test_a_connection_ends_or_stays_as_it_was_asked_to(local, read, ends):
    version = "1.1" if "close" in ends[0] else "1.0"
    asked = request(asking.chat(QUESTION), *ends, first="POST {path} HTTP/" + version)
    for _ in range(2):
        line = Line(local)
        assert line.ask(asked)[1]["Connection"] == ends[0].split()[1]
        if version == "1.1":
            assert line.come.read() == b""
    assert len(read) == 2


def test_a_head_without_its_body_is_another_request(local, read):
    line, asked = Line(local), request(asking.chat(QUESTION), first="HEAD {path} HTTP/1.1")
    for _ in range(2):
        assert line.ask(asked, without_body=True)[0].startswith(b"HTTP/1.1 405 ")
    assert line.ask(ASKED)[2]


def test_what_comes_in_pieces_is_read(local, read):
    line, at = Line(local), ASKED.index(b"\r\n\r\n") + 4
    whole = same(line.ask(ASKED))
    for cut in (1, 20, at, at + 5):
        assert same(line.ask(ASKED[:cut], ASKED[cut:])) == whole
    assert len(read) == 5 and list(local.state.repeats.known) == [ASKED]


def test_two_at_once_are_two(local, read):
    line = Line(local)
    line.sock.sendall(ASKED * 2 + ASKED[:10])
    answers = [line.answer(), line.answer()]
    line.sock.sendall(ASKED[10:] + ASKED)
    answers += [line.answer(), line.answer()]
    assert [same(answer) for answer in answers] == [same(answers[0])] * 4
    assert list(local.state.repeats.known) == [ASKED]  # the last stood alone
    line.sock.sendall(ASKED * 2)
    assert [same(line.answer()) for _ in range(2)] == [same(answers[0])] * 2


def test_a_known_request_inside_the_body_of_another_is_its_body(local, read):
    line = Line(local)
    line.ask(ASKED)
    around = request(ASKED)
    head = around[: len(around) - len(ASKED)]
    first, _, body = line.ask(head, ASKED)
    assert first.startswith(b"HTTP/1.1 400 ") and b"could not be parsed as JSON" in body
    # and where the head came together with the request before it
    other = request(asking.chat(QUESTION, user="someone"))
    line.sock.sendall(other + head)
    assert line.answer()[0].startswith(b"HTTP/1.1 200 ")
    pause(local)
    first, _, body = line.ask(ASKED)
    assert first.startswith(b"HTTP/1.1 400 ") and b"could not be parsed as JSON" in body


def test_one_who_takes_little_at_once_gets_all(local, monkeypatch):
    line, tries = Line(local), []
    whole = same(line.ask(ASKED))

    def little(stream, data):
        tries.append(len(data))
        if len(tries) % 3 == 1:
            raise BlockingIOError
        return stream.socket.send(data[:100])

    monkeypatch.setattr(accepting.Stream, "write_to_fd", little)
    assert [same(line.ask(ASKED)) for _ in range(3)] == [whole] * 3
    assert len(tries) > 30


def test_one_who_asks_again_is_not_silent(local, monkeypatch):
    line = Line(local)
    line.ask(ASKED)
    pause(local)
    now = server.time.monotonic()
    monkeypatch.setattr(server.time, "monotonic", lambda: now + 1_000)
    line.ask(ASKED)
    assert list(local.state.connections.heard.values()) == [now + 1_000]


def test_no_more_are_known_than_a_bound(local, read):
    line = Line(local)
    for n in range(repeats.MOST + 2):
        line.ask(request(asking.chat(QUESTION, user=str(n))))
    assert 0 < len(local.state.repeats.known) <= repeats.MOST
