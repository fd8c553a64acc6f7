"""POST /v1/audio/transcriptions and /v1/audio/speech, answered by ears and a mouth.

Whatever model is asked for, Moonshine tiny hears and hibari speaks, which the origin says. Accepted
and of no effect: language, languages, prompt, keywords, temperature, include,
timestamp_granularities, chunking_strategy, known_speaker_names, known_speaker_references,
instructions.
Error texts are on the API's pattern; where they are its own words, a comment says so.
"""

import asyncio
import base64
import io
import re

from ..facts import sounds
from ..facts.models import models
from . import canonical, checks, sse
from .answer import Answer, as_json, bad_request, error, no_model
from .apart import Broken
from .checks import Bad, anything, choice, number, text, thing
from .realtime import usage
from .realtime.responses import PITCHES
from .voice.listening import listened

LARGEST = 25 * 1024 * 1024  # bytes of a file, and
LONGEST_TEXT = 4_096  # characters of a text: OpenAI's own limits
SHORTEST_MS = 100
# seen at OpenAI
FORMATS = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"]
OF_A_MODEL = {True: ("json", "text", "srt", "verbose_json", "vtt"), False: ("json", "text")}
VOICES = PITCHES | {"fable": 1.08, "onyx": 0.8, "nova": 1.16}
# name -> container, codec, content type
ENCODED = {
    "mp3": ("mp3", "libmp3lame", "audio/mpeg"),
    "opus": ("ogg", "libopus", "audio/opus"),
    "aac": ("adts", "aac", "audio/aac"),
    "flac": ("flac", "flac", "audio/flac"),
    "wav": ("wav", "pcm_s16le", "audio/wav"),
    "pcm": ("", "", "audio/pcm"),
}
_transcription = thing(
    {
        "model": text,
        "response_format": choice(*OF_A_MODEL[True], "diarized_json"),
        "stream": choice("true", "false"),
        **dict.fromkeys(
            (
                "language",
                "languages[]",
                "prompt",
                "keywords[]",
                "temperature",
                "include[]",
                "timestamp_granularities[]",
                "chunking_strategy",
                "known_speaker_names[]",
                "known_speaker_references[]",
            ),
            anything,
        ),
    },
    needs=["model"],
)
_speech = thing(
    {
        "model": text,
        "input": text,
        "voice": choice(*VOICES),
        "response_format": choice(*ENCODED),
        "speed": number(0.25, 4),
        "instructions": text,
        "stream_format": choice("audio", "sse"),
    },
    needs=["model", "input", "voice"],
)
HEARD = {"class": "computed", "source": "heard by Moonshine tiny, whatever model is named"}
SPOKEN = {"class": "computed", "source": "spoken by hibari, whatever model is named"}


class Endpoints:
    """state: the server's State."""

    def __init__(self, state):
        self.state = state

    async def answer(self, request):
        """The Answer to a request for one of the two paths. A recording of the reader's own comes
        first.
        """
        kind = request.headers.get("Content-Type", "")
        read = lambda do, *given: self.state.ready.read(request, do, *given)
        recorded = await read(
            self.state.answers.library.find_recorded,
            request.method,
            request.path,
            {},
            kind,
            request.body,
        )
        if recorded:
            found = self.state.ready.answer(request)
            return await found if asyncio.iscoroutine(found) else found
        do = self.transcription if request.path.endswith("transcriptions") else self.speech
        try:
            return await do(read, kind, request.body)
        except Bad as e:
            return bad_request(e)
        except Broken as e:
            return error(500, str(e), "server_error")

    async def transcription(self, read, kind, raw):
        fields, files = await read(canonical.form_parts, kind, raw)
        if "file" not in files:
            raise checks.missing("file")
        _transcription(fields, "")
        if wrong := _not_of(fields["model"], "transcription"):
            return wrong
        form = _form_of(fields)
        pcm = await asyncio.to_thread(_read, files["file"][1])
        heard = await listened(pcm, self.state.speech, clips=False)
        if heard.why and not heard.words:
            note = heard.why
        else:
            note = "ears are not sure: it may be no English" if heard.unsure else ""
        used = usage.transcription(fields["model"], pcm, heard.words)
        answer = Answer(200, origin=HEARD, model=fields["model"], usage=used, note=note)
        if fields.get("stream") == "true" and fields["model"] != "whisper-1":
            pieces = re.findall(r"\s*\S+", heard.words)
            deltas = [{"type": "transcript.text.delta", "delta": piece} for piece in pieces]
            last = {"type": "transcript.text.done", "text": heard.words, "usage": used}
            answer.events = [(0.01 * n, sse.event(e)) for n, e in enumerate([*deltas, last])]
        elif form in ("json", "verbose_json"):
            answer.body = as_json(_as_json(form, heard, pcm, used))
        else:
            answer.body = _as_text(form, heard).encode()
            answer.headers = {"Content-Type": "text/plain; charset=utf-8"}
        return answer

    async def speech(self, read, kind, raw):
        asked = await read(canonical.read_body, kind, raw)
        _speech(asked, "")
        if wrong := _not_of(asked["model"], "speech"):
            return wrong
        if not asked["input"].strip():
            raise Bad("Invalid 'input': string too short. Expected a string with minimum length 1.", "string_below_min_length", "input")  # fmt: skip
        checks.no_longer(asked["input"], LONGEST_TEXT, "input")
        pcm = await self.state.speech.say(asked["input"])
        if not pcm:
            raise Bad("Invalid 'input': it has no word that the English voice here can say.", "invalid_value", "input")  # fmt: skip
        speed, form = asked.get("speed", 1), asked.get("response_format", "mp3")
        made = await asyncio.to_thread(_spoken, pcm, speed, VOICES[asked["voice"]], form)
        answer = Answer(200, made, origin=SPOKEN, model=asked["model"])
        if asked.get("stream_format") == "sse":
            piece = {"type": "speech.audio.delta", "audio": base64.b64encode(made).decode()}
            answer.body, answer.events = b"", [(0, sse.event(piece)), (0, sse.event({"type": "speech.audio.done"}))]  # fmt: skip
            return answer
        answer.headers = {"Content-Type": ENCODED[form][2]}
        return answer


def _not_of(model, kind):
    """An error for a model that there is not, or that is of another kind; else None."""
    if model not in models():
        return no_model(model)
    if models()[model]["kind"] == kind:
        return None
    known = ", ".join(name for name, row in models().items() if row["kind"] == kind)
    return bad_request(Bad(f"Invalid value: '{model}' is no model for {kind}. Supported values are: {known}.", "invalid_value", "model"))  # fmt: skip


def _form_of(fields):
    """The response format of a transcription. Raises Bad for one that the model does not have."""
    form, model = fields.get("response_format", "json"), fields["model"]
    if form not in OF_A_MODEL[model == "whisper-1"]:
        # seen
        raise Bad(f"response_format '{form}' is not compatible with model '{model}'. Use 'json' or 'text' instead.", "unsupported_value", "response_format")  # fmt: skip
    return form


def _read(data):
    """A file's sound as PCM16 at 24 kHz. Raises Bad."""
    if len(data) > LARGEST:
        raise Bad(f"Maximum content size limit ({LARGEST}) exceeded ({len(data)} bytes read)", None)
    try:
        pcm = sounds.read(bytes(data))
    except ValueError:
        raise Bad(f"Invalid file format. Supported formats: {FORMATS}", None, "file") from None
    if sounds.ms(pcm) < SHORTEST_MS:
        raise Bad("Audio file is too short. Minimum audio length is 0.1 seconds.", "audio_too_short", "file")  # fmt: skip
    return pcm


def _as_json(form, heard, pcm, used):
    if form == "json":
        return {"text": heard.words, "usage": used}
    ms = sounds.ms(pcm)
    return {
        "task": "transcribe",
        "language": "english",
        "duration": ms / 1000,
        "text": heard.words,
        "segments": [{"id": n, "start": a / 1000, "end": min(b, ms) / 1000, "text": words} for n, (a, b, words) in enumerate(heard.parts)],
        "usage": used,
    }  # fmt: skip


def _as_text(form, heard):
    if form == "text":
        return heard.words + "\n"
    comma = "," if form == "srt" else "."
    lines = [f"{_clock(a, comma)} --> {_clock(b, comma)}\n{words}\n" for a, b, words in heard.parts]
    if form == "srt":
        lines = [f"{n}\n{line}" for n, line in enumerate(lines, 1)]
    return "\n".join(["WEBVTT\n"] * (form == "vtt") + lines) + "\n"


def _clock(ms, comma):
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{comma}{ms % 1000:03}"


def _spoken(pcm, speed, pitch, form):
    """The sound of a file of that form."""
    pcm = sounds.paced(pcm, float(speed), pitch)
    container, codec, _ = ENCODED[form]
    return _encoded(pcm, container, codec) if container else pcm


def _encoded(pcm, container, codec):
    import av

    with io.BytesIO() as file:
        with av.open(file, "w", format=container) as out:
            stream = out.add_stream(codec, rate=sounds.RATE, layout="mono")
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
            frame.sample_rate, frame.pts = sounds.RATE, 0
            frame.planes[0].update(pcm.ljust(frame.planes[0].buffer_size, b"\0"))
            resample = av.AudioResampler(stream.format, "mono", sounds.RATE, getattr(stream, "frame_size", 0) or None)  # fmt: skip
            for piece in resample.resample(frame) + resample.resample(None):
                out.mux(stream.encode(piece))
            out.mux(stream.encode(None))
        return file.getvalue()
