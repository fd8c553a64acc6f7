"""The WebRTC page in Firefox, which calls from this machine's own addresses, and never from
loopback.
"""

import contextlib
import json

import pytest
from openai import OpenAI

from helpers.facts import loopback, sounds
from tests import firefox
from tests.conftest import needs

pytestmark = needs("firefox")
SESSION = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
}
# Firefox's own microphone for tests hums. This one says a clip, once the call stands; and the
# call is kept where the test can ask about it.
MICROPHONE = """navigator.mediaDevices.getUserMedia = async () => {
  const clip = new Audio("user-spanish.opus"), sound = clip.mozCaptureStream();
  await clip.play();
  clip.pause();
  document.getElementById("player").addEventListener("playing", () => clip.play(), {once: true});
  return sound;
};
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.peer = this; }
};"""
STATS = "async () => JSON.stringify([...(await peer.getStats()).values()])"
# Sound of somebody who speaks; a headless Firefox has no loudspeaker that could be listened to.
HEARD = "async () => [...(await peer.getStats()).values()].some(s => s.totalAudioEnergy > 0.01)"


@pytest.fixture
def secret(api):
    with contextlib.closing(OpenAI(api_key=api.key, base_url=api.url)) as client:
        return client.realtime.client_secrets.create(session=SESSION).value


def test_the_twelve_lines_talk_from_this_machine_s_own_address(api, secret):
    if len(loopback.own()) == 1:
        pytest.skip("no network interface is up, and Firefox calls from one")
    asked, told = map(sounds.transcript, ("user-spanish", "says-spanish"))
    with firefox.page(f"{api.url.removesuffix('/v1')}/day9/pages/webrtc.html#{secret}") as page:
        page.do(MICROPHONE)
        for _ in range(3):  # a machine that is too busy to play a clip tears it: it is said again
            page.do("start.click()")
            page.until("log.children.length > 1 || document.querySelector('.wrong')")
            assert page.do("document.getElementById('status').innerText") == "Connected. Speak."
            said = page.do("log.innerText").split("\n")
            if said == [f"You: {asked}", f"It: {told}"]:
                break
            page.do("end.click()")
        assert said == [f"You: {asked}", f"It: {told}"]
        page.until(f"({HEARD})()")
        stats = {s["id"]: s for s in json.loads(page.do(f"({STATS})()"))}
        pair = next(s for s in stats.values() if s.get("selected"))
        assert stats[pair["remoteCandidateId"]]["address"] in loopback.own()[1:]
