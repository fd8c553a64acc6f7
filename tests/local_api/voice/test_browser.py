"""A sentence that is in no clip, said into a browser's microphone over WebRTC and over a WebSocket,
and understood: ears, a scene and a mouth behind the pages of 2_realtime.
"""

import wave

import pytest
from openai import OpenAI

from helpers.facts import sounds
from tests.conftest import needs
from tests.realtime.test_browser_webrtc import (  # noqa: F401 (fixtures)
    FAKE,
    GRANTED,
    PAGES,
    browsers,
    heard,
    minted,
    opened,
    wait_for_words,
)

from .test_voice import said

pytestmark = needs("chromium")


@pytest.fixture(scope="module")
def client(api):
    return OpenAI(api_key=api.key, base_url=api.url)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory):
    """Flags for a microphone into which somebody asks a question of his own."""
    file = tmp_path_factory.mktemp("microphone") / "said.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sounds.RATE)
        out.writeframes(sounds.silence(2_000) + said("holiday") + sounds.silence(20_000))
    return [*FAKE, *GRANTED, f"--use-file-for-fake-audio-capture={file}"]


@pytest.mark.parametrize("name", PAGES)
def test_a_question_in_own_words_is_answered_in_sound(opened, client, microphone, name):  # noqa: F811
    with opened(name, minted(client), microphone) as page:
        page.click("#start")
        page.wait_for_function("() => document.getElementById('level').value > 0.3")
        wait_for_words(page, "You: How many days until Halloween?")
        wait_for_words(page, "It: On December 17th, Halloween is 318 days away.")
        page.wait_for_function("() => window.heard.some(p => p.some(x => x > 3_000))")
        page.click("#end")
        assert heard(page) and page.trouble == []
        page.wait_for_function("() => document.getElementById('level').value === 0")
