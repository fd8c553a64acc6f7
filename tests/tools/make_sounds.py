"""Speaks the clips in data/audio again: `python -m tests.tools.make_sounds`. Readers never need
this; the clips are committed.

Needs `espeak-ng` (Spanish) and `flite` (English) on the machine; Debian's packages of these names
will do. Encodes with PyAV, as Opus in Ogg. Writes data/audio/*.opus and data/audio/clips.csv.
"""

import array
import csv
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import av

from helpers.facts import sounds

FOLDER = Path(__file__).resolve().parents[2] / "data" / "audio"
BIT_RATE = 20_000
RATE = 48_000  # what Opus works at
# samples of silence between the pieces of one file, so that none smears into the next
GAP = RATE * 3 // 25
COLUMNS = ["name", "file", "start_ms", "end_ms", "side", "language", "voice", "transcript"]

USER = {  # what a person asks, one file each
    "user-spanish": ("es", "Hola. Me gustaría practicar mi español contigo."),
    "user-window": ("es", "Veo nieve, árboles y muchas luces."),
    "user-christmas": ("en", "How many days are left until Christmas?"),
    "user-reindeer": ("en", "Hello, little reindeer. What do you do out on the lawn all night?"),
    "user-story": ("en", "Please tell me the story of the first snow."),
    "user-stop": ("en", "Stop, please. That is enough."),
    "user-tax": ("en", "I am single. What is the tax on 9,325 dollars?"),
    "user-presents": ("en", "Tell me, reindeer. Where are my presents hidden?"),
    "user-thanks": ("en", "Thank you, and good night."),
}
SENTENCES = {  # whole answers, one file each
    "says-spanish": (
        "es",
        "¡Hola! Con mucho gusto. Empecemos con algo fácil: ¿qué ves ahora por la ventana?",
    ),
    "says-spanish-garden": ("es", "¡Muy bien! Yo veo un jardín con luces y un poco de nieve."),
    "says-reindeer": (
        "en",
        "Good evening! I light up the lawn, I count the stars, and I say hello to everyone who walks by.",
    ),
    "says-story": (
        "en",
        "Long ago, the first snow could not decide where to fall. It asked the sea, but the sea was too warm. "
        "It asked the mountain, but the mountain had fallen asleep. So it asked a small reindeer on a small lawn, "
        "who said: fall here, and I will keep a light on for you. And that is why there is snow on every lawn in December.",
    ),
    "says-stopped": ("en", "All right, I will be quiet."),
    "says-presents": (
        "en",
        "Well, from the lawn I can see right into the house. They are in the closet under the stairs, behind the winter coats.",
    ),
    "says-secret": ("en", "That is a secret. Ask me again on Christmas morning."),
    "says-good-night": ("en", "Good night! I will keep the light on."),
    "says-hello": ("en", "Hello! What can I do for you?"),
    "says-no-number": ("en", "Your function gave me no number, so I cannot say."),
    "says-no-date": ("en", "Your function gave me no date, so I cannot count the days."),
    "says-still-there": ("en", "Are you still there?"),
    "says-off-the-map": (
        "en",
        "I am an offline stand in, and I have no recording that answers this. Ask me to practice Spanish, about the days until "
        "Christmas, about the lawn, about the first snow, or about a tax.",
    ),
}
# The same answers in other languages, and what instructions may want said in the place of one.
OTHERS = {
    "says-presents-es": (
        "es",
        "Bueno, desde el césped veo el interior de la casa. Están en el armario debajo de la escalera, detrás de los abrigos de invierno.",
    ),
    "says-presents-fr": (
        "fr",
        "Eh bien, depuis la pelouse je vois l'intérieur de la maison. Ils sont dans le placard sous l'escalier, derrière les manteaux d'hiver.",
    ),
    "says-presents-de": (
        "de",
        "Nun, vom Rasen aus sehe ich ins Haus hinein. Sie sind im Schrank unter der Treppe, hinter den Wintermänteln.",
    ),
    "says-secret-es": (
        "es",
        "Eso es un secreto. Pregúntame otra vez la mañana de Navidad.",
    ),
    "says-secret-fr": (
        "fr",
        "C'est un secret. Redemande-moi le matin de Noël.",
    ),
    "says-secret-de": (
        "de",
        "Das ist ein Geheimnis. Frag mich am Weihnachtsmorgen noch einmal.",
    ),
    "says-reindeer-es": (
        "es",
        "¡Buenas noches! Ilumino el césped, cuento las estrellas y saludo a todos los que pasan.",
    ),
    "says-reindeer-fr": (
        "fr",
        "Bonsoir ! J'éclaire la pelouse, je compte les étoiles et je salue tous ceux qui passent.",
    ),
    "says-reindeer-de": (
        "de",
        "Guten Abend! Ich beleuchte den Rasen, zähle die Sterne und grüße alle, die vorbeigehen.",
    ),
    "says-stopped-es": (
        "es",
        "Está bien, me callo.",
    ),
    "says-stopped-fr": (
        "fr",
        "D'accord, je me tais.",
    ),
    "says-stopped-de": (
        "de",
        "In Ordnung, ich bin still.",
    ),
    "says-good-night-es": (
        "es",
        "¡Buenas noches! Dejaré la luz encendida.",
    ),
    "says-good-night-fr": (
        "fr",
        "Bonne nuit ! Je laisse la lumière allumée.",
    ),
    "says-good-night-de": (
        "de",
        "Gute Nacht! Ich lasse das Licht an.",
    ),
    "says-hello-es": (
        "es",
        "¡Hola! ¿Qué puedo hacer por ti?",
    ),
    "says-hello-fr": (
        "fr",
        "Bonjour ! Que puis-je faire pour toi ?",
    ),
    "says-hello-de": (
        "de",
        "Hallo! Was kann ich für dich tun?",
    ),
    "says-arr": ("en", "Arr!"),
    "says-ask-parents": ("en", "Ask your parents."),
    "says-ask-santa": ("en", "Ask Santa."),
    "says-sorry": ("en", "Sorry."),
    "says-no": ("en", "No."),
    "says-do-not-know": ("en", "I do not know."),
}
# Pieces from which answers with numbers and dates are put together; all in one file.
NUMBERS = [*sounds.ONES, *sounds.TENS[2:], "hundred", *sounds.POWERS[1:]]
ORDINALS = [sounds.ordinal(n) for n in [*range(1, 21), 30]]
MONTHS = (
    "January February March April May June July August September October November December".split()
)
PHRASES = [
    "On",
    "Christmas is",
    "today",
    "day away",
    "days away",
    "The tax on",
    "dollar is",
    "dollars is",
    "dollar",
    "dollars",
    "minus",
    "point",
    "For a single person in",
    "the tax on",
]

WHOSE = [
    "For a married couple filing jointly in",
    "For a married person filing separately in",
    "For a head of household in",
    "For a surviving spouse in",
]
VOICES = {
    ("user", "en"): "flite rms",
    ("assistant", "en"): "flite slt",
    ("user", "es"): "espeak-ng es+m3",
    ("assistant", "es"): "espeak-ng es-419+f2",
    ("assistant", "fr"): "espeak-ng fr+f2",
    ("assistant", "de"): "espeak-ng de+f2",
}


def speak(text, voice):
    """The samples of a text, as an array of 16-bit integers at RATE."""
    program, name = voice.split()
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/said.wav"
        command = (
            ["flite", "-voice", name, "-t", text, "-o", file]
            if program == "flite"
            else ["espeak-ng", "-v", name, "-s", "150", "-w", file, text]
        )
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(file) as said:
            samples, rate = (
                array.array("h", said.readframes(said.getnframes())),
                said.getframerate(),
            )
    return resampled(trimmed(samples, rate), rate)


def trimmed(samples, rate, floor=300):
    """Without the silence at both ends, but for 20 ms."""
    loud = [i for i, sample in enumerate(samples) if abs(sample) > floor]
    edge = rate // 50
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


def resampled(samples, rate):
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = rate
    resampler = av.AudioResampler("s16", "mono", RATE)
    made = array.array("h")
    for piece in resampler.resample(frame) + resampler.resample(None):
        made.frombytes(bytes(piece.planes[0])[: 2 * piece.samples])
    peak = max(map(abs, made))
    return array.array("h", (sample * 16_000 // peak for sample in made))  # all clips equally loud


def write(name, samples):
    with av.open(str(FOLDER / f"{name}.opus"), "w", format="ogg") as out:
        stream = out.add_stream(
            "libopus",
            rate=RATE,
            layout="mono",
            options={"application": "voip", "frame_duration": "20"},
        )
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
        frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate = RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def make():
    missing = [program for program in ("espeak-ng", "flite") if not shutil.which(program)]
    if missing:
        sys.exit(
            f"Not on this machine: {', '.join(missing)}. Debian and Ubuntu have packages of these names."
        )
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.opus"):
        old.unlink()
    rows = whole("user", USER) + whole("assistant", SENTENCES | OTHERS)
    rows += joined("pieces", [*NUMBERS, *ORDINALS, *MONTHS, *PHRASES]) + joined("whose", WHOSE)
    with open(FOLDER / "clips.csv", "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerows([COLUMNS, *rows])


def whole(side, clips):
    """The rows of clips.csv for sentences, one file each."""
    rows = []
    for name, (language, text) in clips.items():
        voice = VOICES[side, language]
        samples = speak(sounds.spoken(text) if language == "en" else text, voice)
        write(name, samples)
        ms = len(samples) * 1000 // RATE
        rows.append([name, f"{name}.opus", 0, ms, side, language, voice, text])
    return rows


def joined(name, pieces):
    """The rows of clips.csv for pieces, all in one file."""
    rows, voice, whole = [], VOICES["assistant", "en"], array.array("h", bytes(2 * GAP))
    for piece in pieces:
        samples = speak(piece, voice)
        start = len(whole)
        whole.extend(samples)
        at = [start * 1000 // RATE, len(whole) * 1000 // RATE]
        slug = piece.replace(" ", "-")
        rows.append([f"piece-{slug}", f"{name}.opus", *at, "piece", "en", voice, piece])
        whole.extend(array.array("h", bytes(2 * GAP)))
    write(name, whole)
    return rows


if __name__ == "__main__":
    make()
