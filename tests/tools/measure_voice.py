"""Measures ears and a mouth. `python -m tests.tools.measure_voice` prints, `--write` also writes
data/realtime/heard.csv, which the page 2_realtime/07 shows; `--talk` measures in a browser instead,
and writes data/realtime/waits.csv.

Needs `start.py lab --voice`, and for the sentences Flite and eSpeak NG (Debian: flite, espeak-ng),
whose voices awb and en-us are in no clip. What is asked: each held-out sentence of
tests/data/voice/sentences.toml over a WebSocket; how many found their scene; the memory of the
process with the models; the words that are wrong in our clips, with noise added.

With `--talk` headless Chromium has a microphone that says TURNS sentences, and calls over WebRTC:
with scenes, with a chat server that begins to answer after 0.3 s, and two browsers at once. What is
printed is the time from the end of the silence window to the first sound that the browser plays, in
its parts, and how much of what it played was not received in time: while an answer played, and with
the silence between answers.
"""

import contextlib
import csv
import http.server
import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

import psutil
from openai import OpenAI

from helpers import connection
from helpers.facts import DATA, sounds
from helpers.local_api.realtime.config import SERVER_VAD
from helpers.realtime import own_words
from tests import lab, upstreams
from tests.local_api.voice.conftest import opened, origin
from tests.tools import make_sounds

VOICES = ("flite awb", "espeak-ng en-us")
SENTENCES = Path(__file__).parents[1] / "data" / "voice" / "sentences.toml"
MEASURED = {
    "source": "measured by us: python -m tests.tools.measure_voice; moonshine-voice 0.1.0, hibari-tts "
    "0.2.1, onnxruntime 1.28.0; Linux x86_64, two cores that others used, too",
    "checked_on": "2026-11-30",
}
TURNS, PAUSE = 10, 7_000  # sentences of a call, ms of silence after each, in which it is answered
MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
SESSION = {"type": "realtime", "model": "gpt-realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}  # fmt: skip
OVER = "over another"  # what a row of two voices at once says in the place of the noise


def main():
    if "--talk" in sys.argv:
        return talks()
    server = connection.Server(pace=1)
    chain = list(understood(server, "held out"))
    print(json.dumps(chain, indent=1))
    [child] = [p for p in psutil.Process(server.process.pid).children() if "helpers.local_api.voice" in p.cmdline()]  # fmt: skip
    memory = child.memory_full_info()
    print(f"memory: {memory.rss / 1e6:.0f} MB, {memory.uss / 1e6:.0f} MB its own")
    rows = list(heard(OpenAI(base_url=server.url, api_key=server.key)))
    english = [row for row in rows if sounds.clips()[row["clip"]]["language"] == "en"]
    for noise in dict.fromkeys(row["noise_db"] for row in english):
        wrong = own_words.error_rate(
            [(r["said"], r["heard"]) for r in english if r["noise_db"] == noise]
        )
        print(f"noise {'none' if noise == '' else noise}: {wrong:.1f} % of the words wrong")
    if "--write" in sys.argv:
        write("heard.csv", rows)
    server.process.kill()


def talks():
    """Print what calls over WebRTC take."""
    calls = {}
    with contextlib.ExitStack() as ended:
        chat = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
        ended.callback(chat.server_close)
        ended.callback(chat.shutdown)
        threading.Thread(target=chat.serve_forever, daemon=True).start()
        where = upstreams.at(f"http://127.0.0.1:{chat.server_port}/v1", model="a chat model")
        for title, given, browsers in (
            ("scenes", {}, 1),
            ("a chat model", {"where": where}, 1),
            ("scenes, two browsers at once", {}, 2),
        ):
            server = connection.Server(**given)
            calls[title] = list(called(server, browsers))
            print(f"{title}:", json.dumps(calls[title], indent=1), flush=True)
            server.process.kill()
            server.process.wait()
    if "--write" in sys.argv:
        write("waits.csv", list(waits(calls["scenes"][0], calls["a chat model"][0])))


class Chat(http.server.BaseHTTPRequestHandler):
    """A chat server that begins after 0.3 s and writes forty words a second."""

    protocol_version = "HTTP/1.1"
    WORDS = "That is a good question, and here is what I know. I would look it up to be sure."

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        time.sleep(0.3)
        for word in self.WORDS.split():
            self.say({"content": f"{word} "}, None)
            time.sleep(0.025)
        self.say({}, "stop")

    def say(self, delta, ended):
        choice = {"index": 0, "delta": delta, "finish_reason": ended}
        chunk = {"object": "chat.completion.chunk", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass


def called(server, browsers):
    """What so many calls at once took, each of a browser of its own; see taken()."""
    client = OpenAI(base_url=server.url, api_key=server.key)
    script = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, lab.browsers() as launch:
        pages, last = [], 0
        for n in range(browsers):
            pcm, file = call_of(VOICES[n], n), Path(folder) / f"{n}.wav"
            file.write_bytes(sounds.wav(pcm))
            last = max(last, sounds.ms(pcm))
            page = launch(*MICROPHONE, f"--use-file-for-fake-audio-capture={file}%noloop").new_page(
                bypass_csp=True
            )
            page.add_init_script(script)
            secret = client.realtime.client_secrets.create(session=SESSION).value
            page.goto(f"{server.url.removesuffix('/v1')}/day9/pages/webrtc.html#{secret}")
            pages.append(page)
        for page in pages:
            page.click("#start")
        pages[0].wait_for_timeout(last + 2_000)
        for page in pages:
            statistic = page.evaluate(
                """async () => [...(await window.peers[0].getStats()).values()].find(s => s.type === "inbound-rtp")"""
            )
            yield taken(page.evaluate("() => window.seen"), statistic)


def call_of(voice, n):
    """A microphone's sound: TURNS sentences, and time to answer each."""
    sentences = list(tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["held out"])
    pcm = sounds.silence(3_000)
    for said in sentences[n * TURNS : (n + 1) * TURNS]:
        pcm += spoken(said, voice) + sounds.silence(PAUSE)
    return pcm


def taken(seen, statistic):
    """Medians in ms of a call, from what measure_voice.js saw and Chromium's inbound-rtp."""
    parts, waits, ends = {}, [], []
    stops = [at for at, kind, _ in seen["events"] if kind == "input_audio_buffer.speech_stopped"]
    for stopped, until in zip(stops, [*stops[1:], 1e12]):
        after = [(at, kind) for at, kind, _ in seen["events"] if stopped <= at < until]
        first = next((begun for begun, _ in seen["heard"] if stopped < begun < until), None)
        if first is None:
            continue
        before = stopped
        for part, kind in (
            ("heard", "input_audio_buffer.committed"),
            ("understood", "response.created"),
            ("answered and spoken", "response.output_item.added"),
            ("sent", "output_audio_buffer.started"),
        ):
            at = next((at for at, seen_kind in after if seen_kind == kind), before)
            parts.setdefault(part, []).append(at - before)
            before = at
        parts.setdefault("received and played", []).append(first - before)
        waits.append(first - stopped)
        ends.append(first - max(last for _, last in seen["mic"] if last < first))
    said = [f"{kind[:1]}: {text}" for _, kind, text in seen["events"] if text]
    received, concealed = statistic["totalSamplesReceived"], statistic["concealedSamples"]
    return {
        "turns": len(waits),
        "first_sound_ms": round(statistics.median(waits)),
        "slowest_ms": round(max(waits)),
        "parts_ms": {part: round(statistics.median(found)) for part, found in parts.items()},
        "from_the_last_sound_of_the_question_ms": round(statistics.median(ends)),
        "jitter_buffer_ms": round(1000 * statistic["jitterBufferDelay"] / statistic["jitterBufferEmittedCount"]),
        "missing_in_answers_ms": round(missing_in_answers(seen) / 48),
        "missing_ms": round((concealed - statistic["silentConcealedSamples"]) / 48),
        "missing_with_silence_ms": round(concealed / 48),
        "received_s": round(received / 48_000, 1),
        "packets_lost": statistic["packetsLost"],
    } | ({"said": said} if "--said" in sys.argv else {})  # fmt: skip


def missing_in_answers(seen):
    """Samples that were missing while an answer played, a tenth of a second around it with it."""
    marks = [(at, kind.rpartition(".")[2]) for at, kind, _ in seen["events"] if kind.startswith("output_audio_buffer.")]  # fmt: skip
    begun = [at for at, kind in marks if kind == "started"]
    ended = [next((at for at, kind in marks if at > one and kind != "started"), 1e12) for one in begun]  # fmt: skip
    return sum(
        after - before
        for (since, before), (until, after) in itertools.pairwise(seen["missing"])
        if any(until > begin and since < end for begin, end in zip(begun, ended))
    )


def waits(scene, chat):
    """Rows of data/realtime/waits.csv, of what taken() gives for both."""
    silence = SERVER_VAD["silence_duration_ms"]
    yield {"step": "the silence that ends a turn", "scene_ms": silence, "chat_ms": silence}
    for step, parts in (
        ("ears, what is left of them after it", ("heard", "understood")),
        ("meaning or model, and mouth", ("answered and spoken",)),
        ("network, buffers, loudspeaker", ("sent", "received and played")),
    ):
        sums = [sum(call["parts_ms"][part] for part in parts) for call in (scene, chat)]
        yield {"step": step, "scene_ms": sums[0], "chat_ms": sums[1]}


def write(name, rows):
    with (DATA / "realtime" / name).open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, [*rows[0], *MEASURED], lineterminator="\n")
        out.writeheader()
        out.writerows(row | MEASURED for row in rows)


def understood(server, part):
    """[{voice, …}]: sentences that found their scene, and what was heard of the others."""
    sentences = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))[part]
    for voice in VOICES:
        found = [asked(server, spoken(said, voice)) for said in sentences]
        wrong = {
            said: f"{words} ({source.rpartition(': ')[2]})"
            for (said, scene), (source, words) in zip(sentences.items(), found)
            if not source.endswith(f": {scene}")
        }
        right = len(sentences) - len(wrong)
        yield {"voice": voice, "sentences": len(sentences), "right": right, "wrong": wrong}


def spoken(text, voice):
    """A text in a voice, as PCM16 at 24 kHz."""
    return sounds.changed(make_sounds.speak(text, voice).tobytes(), make_sounds.RATE, sounds.RATE)


def asked(server, pcm):
    """(source of the answer, words that were heard)"""
    with opened(server) as wire:
        wire.update(SESSION)
        wire.hear(sounds.silence(300) + pcm + sounds.silence(1_500))
        events = wire.until("rate_limits.updated")
    [response] = [e["response"] for e in events if e["type"] == "response.done"]
    words = [e["transcript"] for e in events if e["type"].endswith("transcription.completed")]
    return origin(server, response)["source"], "".join(words)


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
    for tone in own_words.TONES:
        yield row(
            client, "user-christmas", tone, own_words.toned(sounds.clip("user-christmas"), tone)
        )
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
