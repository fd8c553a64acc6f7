"""Ears and a mouth by HTTP, as the SDK asks for them, and what is wrong with a request."""

import io
import json
import typing

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, OpenAI
from openai.types.audio import transcription_create_params

from helpers.facts import sounds

from .test_voice import noise, pitch, said


@pytest.fixture(scope="module")
def client(api):
    return OpenAI(base_url=api.url, api_key=api.key, max_retries=0)


def wav(name):
    return ("said.wav", sounds.wav(said(name)))


def test_a_file_is_heard_in_every_form(client):
    audio = client.audio
    made = audio.transcriptions.with_raw_response.create(
        model="gpt-4o-transcribe", file=wav("joke")
    )
    assert made.headers["X-Day9-Origin"] == "computed"
    found = made.parse()
    assert found.text == "Do you know any good jokes?" and found.usage.type == "tokens"
    assert audio.transcriptions.create(model="whisper-1", file=wav("joke"), response_format="text") == "Do you know any good jokes?\n"  # fmt: skip
    srt = audio.transcriptions.create(model="whisper-1", file=wav("joke"), response_format="srt")
    assert srt.startswith("1\n00:00:00,") and "good jokes?" in srt
    whole = audio.transcriptions.create(model="whisper-1", file=wav("joke"), response_format="verbose_json")  # fmt: skip
    assert whole.segments[0].text == whole.text and 0 < whole.segments[0].end <= whole.duration
    events = list(audio.transcriptions.create(model="gpt-4o-transcribe", file=wav("joke"), stream=True))  # fmt: skip
    assert "".join(e.delta for e in events[:-1]) == events[-1].text == found.text


def test_what_the_sdk_sends_with_a_file_is_taken(client):
    more = {
        "chunking_strategy": "auto",
        "include": ["logprobs"],
        "keywords": ["jokes"],
        "known_speaker_names": ["Ann"],
        "known_speaker_references": ["data:audio/wav;base64,"],
        "language": "en",
        "languages": ["en"],
        "prompt": "A conversation.",
        "temperature": 0,
        "timestamp_granularities": ["segment"],
    }
    asked = {"model": "gpt-4o-transcribe", "file": wav("joke"), "response_format": "json"}
    known = typing.get_type_hints(transcription_create_params.TranscriptionCreateParamsStreaming)
    assert set(known) == {*more, *asked, "stream"}, "all that the SDK has"
    found = client.audio.transcriptions.create(**asked, **more)
    assert found.text == "Do you know any good jokes?"


def test_a_translated_session_is_off_the_map(client):
    with pytest.raises(APIStatusError) as refused:
        client.post("/realtime/translations/client_secrets", body={}, cast_to=object)
    assert refused.value.status_code == 424


def test_noise_has_no_words_and_a_note_says_so(client):
    made = client.audio.transcriptions.with_raw_response.create(
        model="whisper-1", file=("noise.wav", sounds.wav(noise()))
    )
    assert made.parse().text == "" and "no%20words" in made.headers["X-Day9-Note"].replace(" ", "%20")  # fmt: skip


@pytest.mark.parametrize("form", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
def test_what_is_spoken_is_heard_again(client, form):
    made = client.audio.speech.create(
        model="gpt-4o-mini-tts", voice="coral", input="The first snow fell on the lawn.", response_format=form
    ).content  # fmt: skip
    pcm = made if form == "pcm" else sounds.read(made)
    heard = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", sounds.wav(pcm)))
    assert heard.text == "The first snow fell on the lawn."


def test_speed_and_voice_are_kept(client):
    speak = lambda **more: client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "The first snow fell on the lawn.", "response_format": "pcm"} | more).content  # fmt: skip
    plain = speak()
    assert 1.8 < len(plain) / len(speak(speed=2)) < 2.2
    assert pitch(plain) / pitch(speak(voice="onyx")) > 1.15


@pytest.mark.parametrize(
    "more, told",
    [
        ({"file": ("a.wav", b"no sound")}, "Invalid file format"),
        ({"file": ("a.wav", sounds.wav(sounds.silence(50)))}, "too short"),
        ({"model": "gpt-4o-transcribe", "response_format": "srt"}, "not compatible with model"),
        ({"model": "gpt-4o"}, "no model for transcription"),
        ({"response_format": "xml"}, "Supported values are"),
    ],
)
def test_a_bad_transcription_is_told(client, more, told):
    with pytest.raises(BadRequestError, match=told):
        client.audio.transcriptions.create(**{"model": "whisper-1", "file": wav("joke")} | more)


@pytest.mark.parametrize(
    "more, told",
    [
        ({"input": ""}, "too short"),
        ({"input": "a" * 5_000}, "too long"),
        ({"input": "你好"}, "no word that the English voice"),
        ({"voice": "rudolph"}, "Supported values are"),
        ({"speed": 9}, "speed"),
        ({"model": "o1"}, "no model for speech"),
        ({"response_format": "gif"}, "Supported values are"),
    ],
)
def test_a_bad_text_is_told(client, more, told):
    with pytest.raises(BadRequestError, match=told):
        client.audio.speech.create(**{"model": "tts-1", "voice": "alloy", "input": "Hello."} | more)


def test_a_model_that_is_none_and_a_form_without_a_file(client):
    with pytest.raises(NotFoundError, match="does not exist"):
        client.audio.speech.create(model="tts-9", voice="alloy", input="Hello.")
    with pytest.raises(BadRequestError, match="file"):
        client.post("/audio/transcriptions", body={"model": "whisper-1"}, files={"other": ("a", io.BytesIO(b"a"))}, options={"headers": {"Content-Type": "multipart/form-data"}}, cast_to=object)  # fmt: skip
    with pytest.raises(BadRequestError, match="form"):
        client.post("/audio/transcriptions", body=json.loads('{"model": "whisper-1"}'), cast_to=object)  # fmt: skip
