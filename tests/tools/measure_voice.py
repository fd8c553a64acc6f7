"""Measures ears and a mouth. `python -m tests.tools.measure_voice` prints, `--write` also writes
data/realtime/heard.csv, which the page 2_realtime/07 shows.

Needs `start.py lab --voice`, and for the sentences Flite and eSpeak NG (Debian: flite, espeak-ng),
whose voices awb and en-us are in no clip. What is asked: each sentence of
tests/data/voice/sentences.toml over a WebSocket, in real time for the first TIMED of each voice;
how many found their scene; the time from the end of the silence window to the first sound; the
memory of the process with the models; the words that are wrong in our clips, with noise added.
"""

import csv
import json
import statistics
import sys
import time
import tomllib
from pathlib import Path

import psutil
from openai import OpenAI

from helpers import connection
from helpers.facts import DATA, sounds
from helpers.realtime import own_words
from tests.local_api.voice.conftest import opened, origin
from tests.tools import make_sounds

VOICES = ("flite awb", "espeak-ng en-us")
SENTENCES = Path(__file__).parents[1] / "data" / "voice" / "sentences.toml"
MEASURED = {
    "source": "measured by us: python -m tests.tools.measure_voice; moonshine-voice 0.1.0, hibari-tts "
    "0.2.1, onnxruntime 1.28.0; Linux x86_64, two cores that others used, too",
    "checked_on": "2026-11-29",
}
TIMED = 10
OVER = "over another"  # what a row of two voices at once says in the place of the noise


def main():
    server = connection.Server(pace=1)
    chain = list(understood(server, "held out"))
    print(json.dumps(chain, indent=1))
    [child] = [p for p in psutil.Process(server.process.pid).children() if "helpers.local_api.voice" in p.cmdline()]  # fmt: skip
    memory = child.memory_full_info()
    print(f"memory: {memory.rss / 1e6:.0f} MB, {memory.uss / 1e6:.0f} MB its own")
    rows = list(heard(OpenAI(base_url=server.url, api_key=server.key)))
    for noise in dict.fromkeys(row["noise_db"] for row in rows):
        wrong = own_words.error_rate(
            [(r["said"], r["heard"]) for r in rows if r["noise_db"] == noise]
        )
        print(f"noise {noise or 'none'}: {wrong:.1f} % of the words wrong")
    if "--write" in sys.argv:
        write("heard.csv", rows)
    server.process.kill()


def write(name, rows):
    with (DATA / "realtime" / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*rows[0], *MEASURED], lineterminator="\n")
        out.writeheader()
        out.writerows(row | MEASURED for row in rows)


def understood(server, part):
    """[{voice, …}]: sentences that found their scene, milliseconds from the
    end of the silence window to the first sound.
    """
    sentences = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))[part]
    for voice in VOICES:
        right, waits = 0, []
        for n, (said, scene) in enumerate(sentences.items()):
            spoken = make_sounds.speak(said, voice).tobytes()
            pcm = sounds.changed(spoken, make_sounds.RATE, sounds.RATE)
            source, wait = asked(server, pcm, paced=n < TIMED)
            right += source.endswith(f": {scene}")
            waits += [wait] * (n < TIMED)
        yield {
            "voice": voice,
            "sentences": len(sentences),
            "right": right,
            "first_sound_ms": round(1000 * statistics.median(waits)),
            "slowest_ms": round(1000 * max(waits)),
        }


def asked(server, pcm, paced):
    """(source of the answer, seconds from the end of the silence window to the first sound)"""
    with opened(server) as wire:
        whole, size = sounds.silence(300) + pcm + sounds.silence(1_500), 2 * sounds.RATE // 50
        begun = time.perf_counter()
        for at in range(0, len(whole), size):
            wire.hear(whole[at : at + size])
            if paced:
                time.sleep(max(0, begun + at / 2 / sounds.RATE - time.perf_counter()))
        wire.until("input_audio_buffer.speech_stopped")
        stopped = time.perf_counter()
        wire.until("response.output_audio.delta")
        wait = time.perf_counter() - stopped
        response = wire.until("response.done")[-1]["response"]
        wire.until("rate_limits.updated")
    return origin(server, response)["source"], wait


def heard(client):
    """Rows of data/realtime/heard.csv: the English clips of users, with noise and over each other
    too.
    """
    clips = [name for name, row in sounds.clips().items() if row["side"] == "user" and row["language"] == "en"]  # fmt: skip
    for noise in own_words.NOISES:
        for name in clips:
            pcm = own_words.noisy(sounds.clip(name), noise)
            yield row(client, name, "" if noise is None else noise, pcm)
    for name, other in (("user-christmas", "user-story"), ("user-tax", "user-presents")):
        yield row(client, name, OVER, own_words.mixed(sounds.clip(name), sounds.clip(other)))
    for name in ("user-spanish", "user-window"):
        yield row(client, name, "", sounds.clip(name))


def row(client, name, noise, pcm):
    made = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", sounds.wav(pcm)))
    return {
        "clip": name,
        "noise_db": noise,
        "said": sounds.transcript(name),
        "heard": made.text,
    }


if __name__ == "__main__":
    main()
