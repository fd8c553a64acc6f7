"""Said in one's own words, and understood: real sound over a real socket to the real models.

The voice that asks is Flite's awb, which no clip has (tests/data/voice, spoken by
tests/tools/measure_voice.py). Some 10 s of CPU in all.
"""

import asyncio
import hashlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers.facts import DATA, hearing, sounds, tax
from helpers.local_api.voice.listening import listened
from helpers.local_api.voice.process import Speech
from tests.local_api.realtime.test_realtime import ANSWERED, TRANSCRIBE, sound_of, words_of

from .conftest import opened, origin

SAID = Path(__file__).parents[2] / "data" / "voice"
BY = "heard by Moonshine tiny, answered by a scene of ours, spoken by hibari"


def said(name):
    return sounds.read(SAID / f"{name}.opus")


def ask(wire, pcm):
    """The events of an answer to a sound."""
    wire.hear(sounds.silence(300) + pcm + sounds.silence(900))
    return wire.until(ANSWERED)


def answer(wire):
    wire.send("response.create")
    return wire.until(ANSWERED)


def heard(events):
    return next(e["transcript"] for e in events if e["type"].endswith("transcription.completed"))


def test_the_weights_are_the_bytes_that_the_readme_names(voiced):
    named = re.findall(r"^\| `((?:moonshine_voice|hibari)/[\w./-]+)` \|.*\| `([0-9a-f]{64})` \|$", (DATA / "README.md").read_text("utf-8"), re.M)  # fmt: skip
    assert len(named) == 5
    for file, digest in named:
        package, _, inside = file.partition("/")
        folder = Path(pytest.__file__).parents[1] / package
        assert hashlib.sha256((folder / inside).read_bytes()).hexdigest() == digest, file


def test_a_question_in_own_words_is_answered_by_voice(wire, api):
    wire.update(TRANSCRIBE)
    events = ask(wire, said("holiday"))
    assert heard(events) == "How many days until Halloween?"
    assert words_of(events) == "On December 17th, Halloween is 318 days away."
    spoken = np.abs(np.frombuffer(sound_of(events), "<i2").astype(int))
    assert len(spoken) > 2 * sounds.RATE  # spoken, and not put together
    assert spoken[: sounds.RATE // 10].max() > 300  # and nobody waits for its first sound
    done = next(e for e in events if e["type"] == "response.done")
    assert origin(api, done["response"])["note"] == BY
    again = ask(wire, said("again"))
    assert words_of(again) == "I said: On December 17th, Halloween is 318 days away."


def test_a_tax_is_heard_with_its_income_and_status(wire):
    events = ask(wire, said("income"))
    owed = f"{tax.tax(2024, 'single', 50_000):,}"
    assert words_of(events) == f"For a single person in 2024, the tax on 50,000 dollars is {owed} dollars."  # fmt: skip


def test_a_clip_stays_a_clip(wire, api):
    wire.speak("user-reindeer")
    events = wire.until(ANSWERED)
    assert [
        h.name for h in hearing.heard(sound_of(events))
    ] == []  # an assistant's clip is no question
    assert sound_of(events) == sounds.clip("says-reindeer")
    done = next(e for e in events if e["type"] == "response.done")
    assert "note" not in origin(api, done["response"])


def test_what_no_scene_answers_is_told_with_what_was_heard(wire):
    wire.update(TRANSCRIBE)
    events = ask(wire, said("capital"))
    assert heard(events) == "What is the capital of France?"
    told = next(e for e in events if e["type"] == "error")["error"]
    assert told["code"] == "off_the_map" and "What is the capital of France?" in told["message"]
    assert words_of(events) == told["message"] and sound_of(events)


def music():
    time = np.arange(3 * sounds.RATE) / sounds.RATE
    notes = sum(np.sin(2 * np.pi * f * time) * (1 + np.sin(9 * time)) for f in (262, 330, 392))
    return (3_000 * notes).astype("<i2").tobytes()


def noise(seconds=2, seed=1):
    made = np.random.default_rng(seed).normal(0, 1_500, seconds * sounds.RATE)
    return made.astype("<i2").tobytes()


PUSH = {
    "type": "realtime",
    "audio": {"input": {"turn_detection": None, "transcription": {"model": "whisper-1"}}},
}


@pytest.mark.parametrize("sound", [sounds.silence(2_000), noise(), music()], ids=["silence", "noise", "music"])  # fmt: skip
def test_what_holds_no_words_is_told_so_and_the_session_goes_on(wire, sound):
    wire.update(PUSH)
    wire.hear(sound)
    wire.send("input_audio_buffer.commit")
    failed = wire.until("conversation.item.input_audio_transcription.failed")[-1]
    assert "no words" in failed["error"]["message"]
    events = answer(wire)
    assert "no words" in words_of(events) and sound_of(events)
    wire.write("Who are you?")
    assert "light up the lawn" in words_of(answer(wire))


def test_another_language_is_told_to_be_none_that_is_known(wire):
    wire.update(PUSH)
    wire.hear(sounds.clip("says-presents-es"))
    wire.send("input_audio_buffer.commit")
    wire.until("conversation.item.input_audio_transcription.failed")
    assert "English alone" in words_of(answer(wire))


def test_a_minute_of_speech_and_a_telephone_are_heard(wire):
    wire.update(PUSH)
    minute = b"".join(sounds.clip(f"says-{n}") + sounds.silence(300) for n in ("story", "presents", "no-number", "no-date", "off-the-map"))  # fmt: skip
    wire.hear(minute)
    wire.send("input_audio_buffer.commit")
    words = heard(wire.until("conversation.item.input_audio_transcription.completed"))
    assert (
        words.startswith("Long ago, the first snow") and "about the days until Christmas" in words
    )
    wire.update({"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    law = sounds.to_g711(said("holiday"), "audio/pcmu")
    wire.hear(law)
    wire.send("input_audio_buffer.commit")
    words = heard(wire.until("conversation.item.input_audio_transcription.completed"))
    assert "days" in words.lower()


def test_a_long_turn_is_listened_to_once(voiced, monkeypatch):
    """In each of its pauses all of it is asked for; a minute took two of them."""
    asked = []
    ask = Speech._ask

    def counted(self, task, data=b""):
        asked.append(bytes(data))
        return ask(self, task, data)

    monkeypatch.setattr(Speech, "_ask", counted)
    monkeypatch.setattr(Speech, "there", True)
    long = b"".join(sounds.clip(f"says-{n}") for n in ("story", "presents", "off-the-map"))
    second = 2 * sounds.RATE

    async def turn():
        speech = Speech()
        try:
            for until in range(14, len(long) // second, 3):
                found = await listened(long[: until * second], speech, clips=False)
            return found
        finally:
            speech.child.kill()
            speech.child.wait()

    words = asyncio.run(turn()).words
    assert words.startswith("Long ago, the first snow") and "reindeer" in words
    assert len(asked) == len(set(asked)), "a piece was heard twice"


def test_two_voices_differ_and_speed_is_kept(api):
    made = {}
    for voice, speed in (("alloy", 1.0), ("ash", 1.0), ("alloy", 1.4)):
        with opened(api) as wire:
            wire.update({"type": "realtime", "audio": {"output": {"voice": voice, "speed": speed}}})
            wire.write("Tell me a joke.")
            made[voice, speed] = sound_of(answer(wire))
    plain, low, fast = made.values()
    assert 1.3 < len(plain) / len(fast) < 1.5
    assert pitch(plain) / pitch(low) > 1.1


def pitch(pcm):
    """The median frequency of a voice's loud parts, in Hz, by autocorrelation."""
    samples = np.frombuffer(pcm, "<i2").astype(float)
    frames = samples[: len(samples) // 1_200 * 1_200].reshape(-1, 1_200)
    loud = frames[np.abs(frames).mean(1) > 0.5 * np.abs(frames).mean(1).max()]
    lags = range(80, 300)
    best = [max(lags, key=lambda lag: (f[:-lag] * f[lag:]).mean()) for f in loud]
    return sounds.RATE / float(np.median(best))


def test_a_process_that_dies_is_started_anew(api, wire):
    import psutil

    wire.write("Tell me a joke.")
    answer(wire)
    [child] = [
        p
        for p in psutil.Process(api.process.pid).children()
        if "helpers.local_api.voice" in p.cmdline()
    ]
    child.kill()
    events = answer(wire)
    [told] = [e["error"]["message"] for e in events if e["type"] == "error"]
    assert "ended" in told and "anew" in told
    assert next(e for e in events if e["type"] == "response.done")["response"]["status"] == "failed"
    assert "reindeer" in words_of(answer(wire))


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory that glibc would keep")
def test_what_was_said_and_heard_leaves_no_memory_behind(voiced):
    """Sentences of many lengths, each of which wants memory of another size."""

    async def used(speech):
        await speech.say("")  # answered when the task before it is over
        return psutil.Process(speech.child.pid).memory_info().rss

    async def talk():
        speech, words = (
            Speech(),
            "The reindeer tells a story of snow and coal and presents. ".split(),
        )
        try:
            for n in range(25):
                pcm = await speech.say(" ".join(words * (n * 7 % 9))[: 30 + n * 37 % 400])
                await speech.hear(sounds.changed(pcm, sounds.RATE, 16_000)[: 2 * 12 * 16_000])
                if n == 4:
                    before = await used(speech)
            return before, await used(speech)
        finally:
            if speech.child:
                speech.child.kill()
                speech.child.wait()

    before, after = asyncio.run(talk())
    assert after < before + 15e6


def test_ears_and_mouth_keep_nothing_for_others(voiced, tmp_path):
    """Some releases of onnxruntime write into the home what they send to Microsoft."""
    code = "from helpers.local_api.voice import ears, mouth; ears.Ears()"
    kept = {k: v for k, v in os.environ.items() if k not in ("CI", "ORT_DISABLE_TELEMETRY")}
    home = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CACHE_HOME"), str(tmp_path))
    subprocess.run([sys.executable, "-c", code], env=kept | home, cwd=DATA.parent, check=True)
    assert not list(tmp_path.rglob("*"))
