"""The reindeer: its mouth, and the device's program as a process of its own, against the real local
API.
"""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtp import RtpPacket
from openai import OpenAI
from pylibsrtp import Policy, Session

from helpers.exercises import realtime as exercises
from helpers.facts import sounds
from helpers.realtime import reindeer, voice_client

PROGRAM = Path(__file__).resolve().parents[2] / "notebooks" / "2_realtime" / "lawn_reindeer.py"
sys.path.insert(0, str(PROGRAM.parent))
import lawn_reindeer  # noqa: E402

sys.path.remove(str(PROGRAM.parent))
QUESTION = sounds.changed(sounds.clip("user-thanks"), sounds.RATE, 8_000)


# --- the mouth ------------------------------------------------------------------------------------


def test_the_mouth_is_as_open_as_the_sound_is_loud():
    tone = np.sin(np.arange(8_000) * 2 * np.pi * 400 / 8_000)  # a second: soft, loud, nothing
    loud = tone * np.repeat([3_000, 12_000, 0, 12_000], 2_000)
    opened = reindeer.mouth(loud.astype("<i2").tobytes(), 8_000)
    assert (
        len(opened) == 50
        and opened[2:12] == pytest.approx(0.25, abs=0.01)
        and opened[13:25].tolist() == [1.0] * 12
    )
    assert (
        opened[25:29].tolist() == [0.75, 0.5, 0.25, 0.0]
        and not opened[29:37].any()
        and opened[38] == 1
    )


def test_the_mouth_does_not_care_about_the_rate_of_the_sound():
    clip = sounds.clip("says-reindeer")
    wide, narrow = (
        reindeer.mouth(clip),
        reindeer.mouth(sounds.changed(clip, sounds.RATE, 8_000), 8_000),
    )
    assert (
        len(wide) == len(narrow) == -(-len(clip) // 960) and np.corrcoef(wide, narrow)[0, 1] > 0.98
    )
    assert wide.min() >= 0 and wide.max() == 1


def test_the_mouth_stays_shut_in_silence_and_barely_moves_in_hiss():
    hiss = np.random.default_rng(1).normal(0, 30, 24_000).astype("<i2").tobytes()
    assert (
        not reindeer.mouth(bytes(9_600)).any()
        and reindeer.mouth(hiss).max() < 0.15
        and len(reindeer.mouth(b"")) == 0
    )


@pytest.mark.parametrize("pcm, rate", [(b"\0", 8_000), (b"\0\0", 8_010)])
def test_a_sound_that_is_none_is_named(pcm, rate):
    with pytest.raises(ValueError, match=f"{len(pcm)} bytes at {rate} Hz"):
        reindeer.mouth(pcm, rate)


def test_the_widget_keeps_its_sound_out_of_the_notebook():
    widget = reindeer.Reindeer(QUESTION, "Good night!", 8_000, "a note")
    assert (
        repr(widget) == "A reindeer says: Good night!"
        and widget.wav[:4] == b"RIFF"
        and len(widget.wav) == len(QUESTION) + 44
    )
    assert widget.mouth == reindeer.mouth(QUESTION, 8_000).tolist()


# --- the device -----------------------------------------------------------------------------------


def on_the_lawn(api, pcm, secret=None, listens=None):
    if secret is None:
        session = {
            "type": "realtime",
            "model": "gpt-realtime-2.1-mini",
            "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}} | (listens or {})},
        }
        secret = (
            OpenAI(api_key=api.key, base_url=api.url)
            .realtime.client_secrets.create(session=session)
            .value
        )
    env = os.environ | {"OPENAI_BASE_URL": api.url, "CLIENT_SECRET": secret}
    return subprocess.run(
        [sys.executable, PROGRAM], input=pcm, env=env, capture_output=True, timeout=100
    )


def test_it_hears_is_heard_and_stays_within_its_budget(api):
    device = on_the_lawn(api, QUESTION)
    assert device.returncode == 0, device.stderr.decode()
    used = json.loads(device.stderr)
    assert (used["you"], used["it"]) == tuple(
        sounds.clips()[name]["transcript"] for name in ("user-thanks", "says-good-night")
    )
    heard = sounds.changed(device.stdout, 8_000, sounds.RATE)
    assert voice_client.contains(heard, "says-good-night") and not voice_client.contains(
        heard, "says-reindeer"
    )
    assert used["offer"] < 2_048 and used["answer"] < 2_048 and used["memory"] < 128e6
    for way, most in (("up", 64), ("down", 96)):
        n = used[way]
        assert (
            0
            < 8 * n["sound"] / used["seconds"] / 1000
            < 8 * (n["bytes"] + 28 * n["packets"]) / used["seconds"] / 1000
            < most
        ), used
    # the headers of every packet are in it
    assert used["up"]["bytes"] - used["up"]["sound"] >= 28 * used["seconds"] * 25


def test_it_hangs_up_where_nobody_speaks(api):
    device = on_the_lawn(api, bytes(8_000))
    used = json.loads(device.stderr)
    assert (
        device.returncode == 0
        and used["response"] is None
        and (used["you"], used["it"])
        == ("(no turn was found: nothing in the sound is taken for speech)", "(no answer)")
        and used["up"]["sound"] > 0
    )


def test_it_says_which_setting_keeps_your_words_from_it(api):
    device = on_the_lawn(api, bytes(8_000), listens={"turn_detection": None})
    assert json.loads(device.stderr)["you"].endswith("the session has no turn_detection)")


def test_a_refused_call_is_told_in_a_line(api):
    device = on_the_lawn(api, QUESTION, secret="ek_old")
    assert device.returncode == 1 and device.stdout == b""
    said = device.stderr.decode()
    assert (
        said.startswith("The call was refused: 401")
        and "client_secrets" in said
        and "Traceback" not in said
    )


def test_a_packet_has_28_bytes_around_its_sound_before_udp_and_ip():
    profile = SRTP_PROFILES[0]  # the first that both ends know
    key = bytes(profile.key_length + profile.salt_length)
    session = Session(
        Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile.libsrtp_profile)
    )
    packet = RtpPacket(payload_type=96)
    packet.payload = bytes(100)
    assert len(session.protect(packet.serialize())) - 100 == 28 == exercises.HEADERS - 20 - 8


def test_the_loudspeaker_keeps_nothing(monkeypatch):
    opus, packet = lawn_reindeer.encoder(20), RtpPacket(payload_type=96)
    packets = [
        lawn_reindeer.encode(opus, QUESTION[at : at + 320], at // 2) for at in range(0, 9_600, 320)
    ]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        monkeypatch.setattr(sys, "stdout", nowhere)
        loudspeaker = lawn_reindeer.Loudspeaker()

        def play():
            for packet.payload in packets * 20:
                assert loudspeaker.add(packet) == (False, None)

        play()
        tracemalloc.start()
        play()
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    assert kept < 20_000  # of 192,000 bytes of sound


def test_peak_memory_is_the_device_s_own_and_not_its_parent_s():
    ballast = bytearray(os.urandom(1_000_000)) * 200
    child = subprocess.run(
        [sys.executable, "-c", "import lawn_reindeer as r; print(r.peak_memory())"],
        cwd=PROGRAM.parent,
        capture_output=True,
        text=True,
    )
    assert 5e6 < int(child.stdout) < len(ballast)


@pytest.mark.parametrize("ms, bytes_of_pcm", [(20, 320), (40, 640), (60, 960)])
def test_the_bit_rate_is_kept_in_packets_of_each_length(ms, bytes_of_pcm):
    opus = lawn_reindeer.encoder(ms, 16_000)
    sizes = [
        len(lawn_reindeer.encode(opus, QUESTION[at : at + bytes_of_pcm], at // 2))
        for at in range(0, len(QUESTION) - bytes_of_pcm, bytes_of_pcm)
    ]
    assert min(sizes) > 0 and 14 < 8 * np.mean(sizes) / ms < 18
