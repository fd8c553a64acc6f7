"""Turns found offline are those that a session finds; the noise is as loud as it says; the drawing
follows the knobs.
"""

import asyncio
import subprocess
import sys

import numpy as np
import pytest

from helpers.facts import sounds, turns
from helpers.local_api.ledger import Ledger
from helpers.local_api.realtime import session
from helpers.local_api.voice.process import Speech
from helpers.realtime import turn_taking

HESITANT = turn_taking.hesitant()


class Offline:
    pace = 0

    def __init__(self):
        self.ledger, self.speech, self.upstream = Ledger(), Speech(), None


def by_session(pcm, size=4_800, **rules):
    """[(audio_start_ms, audio_end_ms)] of the events of a session that hears a sound in pieces."""

    async def listen():
        seen = []
        s = session.Session(
            "gpt-realtime",
            seen.append,
            Offline(),
            config={
                "type": "realtime",
                "audio": {
                    "input": {
                        "turn_detection": {"type": "server_vad", "create_response": False, **rules}
                    }
                },
            },
        )
        for at in range(0, len(pcm), size):
            await s.hear(pcm[at : at + size])
        s.close()
        return seen

    seen = asyncio.run(listen())
    starts = [e["audio_start_ms"] for e in seen if e["type"].endswith("speech_started")]
    ends = [e["audio_end_ms"] for e in seen if e["type"].endswith("speech_stopped")]
    return list(zip(starts, ends + [None] * (len(starts) - len(ends))))


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"silence_duration_ms": 100},
        {"silence_duration_ms": 800},
        {"silence_duration_ms": 5_000},
        {"silence_duration_ms": 0},
        {"threshold": 0},
        {"threshold": 0.9},
        {"threshold": 1},
        {"prefix_padding_ms": 0},
        {"prefix_padding_ms": 2_000},
    ],
    ids=str,
)
@pytest.mark.parametrize("sound", ["hesitant", "noisy"])
def test_the_turns_are_those_of_a_session(sound, rules):
    pcm = (
        HESITANT
        if sound == "hesitant"
        else sounds.silence(700)
        + turn_taking.noisy(sounds.clip("user-spanish") + sounds.silence(900), "music")
    )
    asked = {
        "silence_ms" if key == "silence_duration_ms" else key: value for key, value in rules.items()
    }
    assert turn_taking.found(pcm, **asked) == by_session(pcm, **rules)


def test_patience_joins_what_a_pause_parts():
    counts = [len(turn_taking.found(HESITANT, silence_ms=ms)) for ms in (200, 500, 800)]
    assert counts == [3, 2, 1]
    # nobody has been silent for so long
    assert turn_taking.found(HESITANT, silence_ms=3_000)[0].end_ms is None
    assert turn_taking.found(sounds.silence(2_000)) == turn_taking.found(b"") == []


def test_another_detector_may_judge():
    assert turn_taking.found(HESITANT, judged=np.zeros(200, bool)) == []
    assert turn_taking.found(
        HESITANT, prefix_padding_ms=0, judged=[0] * 5 + [1] * 10 + [0] * 20
    ) == [(160, 992)]


@pytest.mark.parametrize(
    "bad, words",
    [
        (
            lambda: turn_taking.found(HESITANT, threshold=1.2),
            "threshold is a probability from 0 to 1, not 1.2",
        ),
        (lambda: turn_taking.found(HESITANT, silence_ms=-1), "not -1"),
        (
            lambda: turn_taking.with_pauses(b"\0" * 480, {20: 5}),
            "at 20 ms does not fit into a sound of 10 ms",
        ),
        (lambda: turn_taking.noisy(HESITANT, "rain"), "there are white and music"),
        (lambda: turn_taking.noisy(sounds.silence(500), "white"), "no speech"),
    ],
)
def test_bad_input_is_named(bad, words):
    with pytest.raises((ValueError, LookupError), match=words):
        bad()


def test_pauses_are_put_where_they_were_asked_for():
    pcm = sounds.clip("user-stop")
    at = 1_000 * sounds.BYTES_A_MS
    assert (
        turn_taking.with_pauses(pcm, {1_000: 40, 0: 5})
        == sounds.silence(5) + pcm[:at] + sounds.silence(40) + pcm[at:]
    )


@pytest.mark.parametrize("kind", turn_taking.NOISES)
@pytest.mark.parametrize("decibels", [0, 10])
def test_noise_is_as_far_below_speech_as_it_says(kind, decibels):
    clean = np.frombuffer(HESITANT, "<i2").astype(float)
    mixed = turn_taking.noisy(HESITANT, kind, decibels)
    noise = np.frombuffer(mixed, "<i2") - clean
    spoken = np.repeat(turn_taking.speaks(HESITANT), turns.WINDOW)
    ratio = 10 * np.log10((clean[: len(spoken)][spoken] ** 2).mean() / (noise**2).mean())
    assert ratio == pytest.approx(decibels, abs=0.3)
    assert (
        mixed
        == turn_taking.noisy(HESITANT, kind, decibels)
        != turn_taking.noisy(HESITANT, kind, decibels, seed=2)
    )


def test_the_last_word_ends_where_silence_was_put_behind_it():
    clip = sounds.clip("user-tax")
    assert (
        0
        <= sounds.ms(clip)
        + turn_taking.WINDOW_MS
        - turn_taking.last_word_ms(clip + sounds.silence(900))
        <= 100
    )
    assert turn_taking.last_word_ms(sounds.silence(500)) == turn_taking.last_word_ms(b"") == 0


def test_the_drawing_follows_the_knobs_and_hears_the_sound_only_once(monkeypatch):
    first = turn_taking.drawn(HESITANT)
    monkeypatch.setattr(turns, "Detector", None)  # or a slider would be slow
    patient, deaf = (
        turn_taking.drawn(HESITANT, silence_ms=800),
        turn_taking.drawn(HESITANT, threshold=1.0),
    )
    assert len({shown.markup for shown in (first, patient, deaf)}) == 3
    assert repr(first).startswith(
        "2 turns; answers begin at 3,424 ms, 5,376 ms; 1 of the answers cuts the speaker off."
    )
    assert (
        first.markup.count("<rect") == 2
        and patient.markup.count("<rect") == 1
        and deaf.markup.count("<rect") == 0
    )
    assert repr(patient).startswith(
        "1 turn; answers begin at 5,664 ms. The last word"
    ) and "no answer" in repr(deaf)


def test_a_sound_of_nothing_can_be_drawn():
    assert (
        "0 turns" in repr(turn_taking.drawn(sounds.silence(300)))
        and "<svg" in turn_taking.drawn(b"").markup
    )


FORKED = """
import os, signal
from helpers.facts import sounds, turns
listen = lambda: [p for _, p in turns.Detector(0).windows(sounds.clip("user-tax"))]
heard = listen()
child = os.fork()
if not child:
    signal.alarm(60)
    os._exit(listen() != heard)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), os.environ.get("OMP_THREAD_LIMIT"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux alone")
@pytest.mark.parametrize("limit", [None, "3"])
def test_a_copy_of_a_process_that_has_listened_can_listen_too(monkeypatch, limit):
    """It does not wait for threads of OpenMP's that were not copied; who set them finds that so."""
    if limit:
        monkeypatch.setenv("OMP_THREAD_LIMIT", limit)
    else:
        monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True)
    assert done.stdout.split() == ["0", str(limit)], done.stderr
