"""What is made when it is first asked for, reached from two threads at once: made once, and nothing
of it is lost.
"""

import contextlib
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import openai
import pytest

from helpers.local_api import answer, recordings, stored, tuning
from tests import asking

ROOT = Path(__file__).resolve().parents[1]
KEY, BASE = "day9-for-the-tests", "gpt-4o-2024-08-06"


def until(true, seconds=60):
    """Wait until something is so; the seconds only end a test that would hang."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


@pytest.fixture
def local():
    one = asking.Local(KEY)
    with openai.OpenAI(base_url=one.url, api_key=KEY, max_retries=0) as client:
        yield one, client
    one.end()


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda client: client.chat.completions.create(
            model=BASE, messages=asking.chat("Hi")["messages"]
        ),
        lambda client: client.models.list(),
        lambda client: client.models.retrieve(f"ft:{BASE}:x::abcdefgh"),
    ],
    ids=["a chat", "the models", "a tuned model"],
)
def test_a_first_upload_stays_whatever_is_asked_meanwhile(local, monkeypatch, meanwhile):
    one, client = local
    begun, asked, made = threading.Event(), threading.Event(), []
    answer = one.state.answers.answer

    def told(*request):
        if begun.is_set():
            asked.set()
        return answer(*request)

    class Slow(tuning.Tuning):
        """One that is still being made when the other thread comes; a second one is ready after the
        first.
        """

        def __init__(self, pace):
            super().__init__(pace)
            made.append(self)
            begun.set()
            if len(made) == 1:
                assert asked.wait(60)
                time.sleep(0.3)  # the few steps from being asked to needing it
            else:
                until(lambda: "tuning" in vars(one.state.answers))

    monkeypatch.setattr(tuning, "Tuning", Slow)
    monkeypatch.setattr(one.state.answers, "answer", told)
    file = []
    upload = threading.Thread(
        target=lambda: file.append(
            client.files.create(file=("pairs.jsonl", b"{}\n"), purpose="user_data")
        )
    )
    upload.start()
    assert begun.wait(60)
    with contextlib.suppress(openai.APIStatusError):
        meanwhile(client)
    upload.join(60)
    assert client.files.retrieve(file[0].id).filename == "pairs.jsonl"
    assert len(made) == 1


class Looked:
    """A model or a job at which something happens, as another thread would do it, in the middle of
    a look at all.
    """

    def __init__(self, happens):
        self.happens = happens

    def __getattr__(self, name):
        self.happens()
        return "of another"


def test_what_comes_while_all_are_looked_at_stays():
    held = tuning.Tuning()
    held.models._held["looked at"] = Looked(lambda: held.models.add("new", BASE, None, None))
    held.models.remove_of("a job")
    assert held.models.get("new")
    held.jobs._held["looked at"] = Looked(lambda: held.jobs._held.setdefault("new", None))
    assert held.jobs.trained() == [] and "new" in held.jobs._held


class Meeting(dict):
    """A dict at whose first looks two threads wait for each other, unless a lock keeps them
    apart.
    """

    def __init__(self):
        self.both = threading.Barrier(2)

    def get(self, *asked):
        found = super().get(*asked)
        with contextlib.suppress(threading.BrokenBarrierError):
            self.both.wait(0.3)
        return found


def given_at_once(*requests):
    """(the responses held, the answers) where one recording answers two requests at once; a request
    is (what is asked, what it continues, whether it is to be stored).
    """
    held = stored.Stored()
    held._held = Meeting()
    body = b'{"id": "resp_0123456789abcdef", "output": []}'
    given = [answer.Answer(200, body) for _ in requests]
    threads = [
        threading.Thread(target=held.keep, args=({"input": asked, "store": store}, previous, one))
        for (asked, previous, store), one in zip(requests, given)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return held, [json.loads(one.body)["id"] for one in given]


@pytest.mark.parametrize(
    "requests",
    [
        [("Hi", None, True), ("Hello", None, True)],
        [("Hi", None, True), ("Hi", "resp_before", True)],
    ],
    ids=["two questions", "one continues another"],
)
def test_two_responses_of_one_recording_have_ids_of_their_own(requests):
    held, ids = given_at_once(*requests)
    assert len(set(ids)) == 2
    for id, (asked, previous, _) in zip(ids, requests):
        found = held.answer("GET", f"/v1/responses/{id}", {})
        assert json.loads(found.body).get("previous_response_id") == previous
        listed = held.answer("GET", f"/v1/responses/{id}/input_items", {})
        assert json.loads(listed.body)["data"][0]["content"][0]["text"] == asked


def test_two_equal_requests_at_once_are_one_response():
    held, ids = given_at_once(("Hi", None, True), ("Hi", None, True))
    assert len(set(ids)) == 1
    assert held.answer("GET", f"/v1/responses/{ids[0]}", {}).status == 200


def test_a_sequence_that_begins_again_begins_at_its_first_response(tmp_path):
    """Also where another thread is just taking one from it."""
    library = recordings.Library(tmp_path)

    class Sequence:
        choose, path, responses = "in turn", "/v1/x", ["first", "second", "third"]

        @property
        def turn(self):
            begins = threading.Thread(target=library.rewind)
            begins.start()
            begins.join(0.3)  # as far as it comes meanwhile
            return self.due

        @turn.setter
        def turn(self, due):
            self.due = due

    one = Sequence()
    library.recordings.append(one)
    one.turn = 1
    assert library.next_response(one, 0) == "second"
    until(lambda: one.due == 0)


# What is installed elsewhere is left out, so that every Python of this machine can run it.
RACE = """
import sys, threading, time
from unittest import mock

slow = mock.Mock(Tuning=lambda pace: time.sleep(0.1) or object())
sys.modules |= {"tornado": mock.Mock(), "helpers.local_api.tuning": slow}
from helpers.local_api import answers

api, together, found = answers.Answers(library=object()), threading.Barrier(8), []

def ask():
    together.wait()
    found.append(api.tuning)

threads = [threading.Thread(target=ask) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found), len(set(found)))
"""


def pythons():
    """The Python of this run, and those of the other versions that the project names, where there
    are any.
    """
    yield sys.executable
    for minor in range(11, 15):
        other = shutil.which(f"python3.{minor}")
        # a name may lead to a version manager that has not got it
        if other and not subprocess.run([other, "-c", ""], capture_output=True).returncode:
            yield other


def test_eight_threads_that_come_at_once_find_one():
    for python in pythons():
        race = subprocess.run(
            [python, "-c", RACE], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60
        )
        assert race.stdout.split() == ["8", "1"], (python, race.stdout, race.stderr)
