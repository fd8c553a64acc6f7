"""The pages of 2_realtime in a real browser: a microphone that plays a clip, and what comes out of
the loudspeaker.
"""

import base64
import contextlib
import time
import wave

import numpy as np
import pytest
from openai import OpenAI

from helpers.facts import sounds
from helpers.realtime import sockets, voice_pages
from helpers.realtime.voice_client import contains
from tests import lab
from tests.conftest import needs

pytestmark = needs("chromium")
# By itself a browser calls from network interfaces only, and there may be none.
LOOPBACK = "--allow-loopback-in-peer-connection"
FAKE = ["--use-fake-device-for-media-stream"]
GRANTED = ["--use-fake-ui-for-media-stream"]
SESSION = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}},
}
ASKED, TOLD = (sounds.clips()[name]["transcript"] for name in ("user-spanish", "says-spanish"))
PAGES = ["webrtc.html", "websocket.html"]
# What the page's loudspeaker is given, as 16-bit samples, 24,000 a second; HEARD has the last 34
# seconds of it.
RECORD = """() => {
  const context = new AudioContext({sampleRate: 24000}), player = document.getElementById('player');
  const collector = context.createScriptProcessor(4096, 1, 1), mute = new GainNode(context, {gain: 0});
  window.heard = [];
  collector.onaudioprocess = e => window.heard.push(Int16Array.from(e.inputBuffer.getChannelData(0), x => 32767 * x));
  collector.connect(mute).connect(context.destination);
  let from = null;
  setInterval(() => {
    if (!player.srcObject || player.srcObject === from) return;
    from = player.srcObject;
    context.createMediaStreamSource(from).connect(collector);
  }, 20);
}"""
HEARD = """() => window.heard.slice(-200).map(part => btoa(String.fromCharCode(...new Uint8Array(part.buffer))))"""


@pytest.fixture(scope="module")
def client(api):
    return OpenAI(api_key=api.key, base_url=api.url)


@pytest.fixture(scope="module")
def microphone(tmp_path_factory):
    """Flags for a microphone into which somebody says a clip, and again when it has been
    answered.
    """
    file = tmp_path_factory.mktemp("microphone") / "said.wav"
    with wave.open(str(file), "wb") as said:
        said.setnchannels(1)
        said.setsampwidth(2)
        said.setframerate(sounds.RATE)
        said.writeframes(
            sounds.silence(2_000) + sounds.clip("user-spanish") + sounds.silence(20_000)
        )
    return [*FAKE, *GRANTED, f"--use-file-for-fake-audio-capture={file}"]


@pytest.fixture(scope="module")
def browsers():
    with lab.browsers() as launch:
        yield launch


@pytest.fixture
def opened(api, browsers):
    """A page of the local API, its loudspeaker recorded, as of a browser in which nothing was done
    before.
    """

    @contextlib.contextmanager
    def opened(name, secret, flags):
        with browsers(LOOPBACK, *flags).new_context(bypass_csp=True) as context:
            page = context.new_page()
            page.set_default_timeout(lab.LONG)
            page.trouble = []
            page.on("pageerror", lambda e: page.trouble.append(str(e)))
            page.goto(f"{api.url.removesuffix('/v1')}/day9/pages/{name}#{secret}")
            page.evaluate(RECORD)
            try:
                yield page
            except Exception as e:
                e.add_note(f"The page says: {page.inner_text('body')}")
                raise

    return opened


def minted(client):
    return client.realtime.client_secrets.create(session=SESSION).value


def heard(page):
    return b"".join(map(base64.b64decode, page.evaluate(HEARD)))


def wait_for_words(page, *lines):
    for line in lines:
        page.locator("#log li", has_text=line).first.wait_for()


def say_until_heard(page, *lines, clip=""):
    """Press for the page's clip until `lines` stand in its log and the sound of `clip`, where one
    is named, has come from its loudspeaker.

    A machine that stands still for seconds tears a sentence or its answer, as a bad line does, and
    whoever speaks says it again.
    """
    for _ in range(3):
        page.click("#clip")
        for _ in range(lab.LONG // 2_000):
            page.wait_for_timeout(1_000)
            said = page.locator("#log li").all_inner_texts()
            if set(lines) <= set(said) and (not clip or contains(heard(page), clip)):
                return
    raise AssertionError(f"{said} in place of {lines}, or without the sound of {clip}")


def wait_for_sound(page, clip):
    for _ in range(lab.LONG // 1_000):
        if contains(heard(page), clip):
            return
        page.wait_for_timeout(1_000)
    raise AssertionError(
        f"{clip} was not heard; {len(heard(page)) / 2 / sounds.RATE:.1f} s of sound were"
    )


@pytest.mark.parametrize("name", [*PAGES, "reindeer.html"])
def test_what_is_said_into_the_microphone_is_heard_and_answered_in_sound(
    opened, client, microphone, name
):
    with opened(name, minted(client), microphone) as page:
        assert "#" not in page.url  # the secret is out of the address
        page.click("#start")
        wait_for_words(page, f"You: {ASKED}", f"It: {TOLD}")
        wait_for_sound(page, "says-spanish")
        assert not contains(heard(page), "says-reindeer")
        page.click("#end")
        assert page.inner_text("#status") == "Hung up."
        assert page.trouble == []


# What the jaw shows and how loud the loudspeaker is, until the answer has ended
WATCH = """async () => {
  const player = document.getElementById("player"), head = document.querySelector("#lawn svg"), seen = window.seen = [];
  while (!player.srcObject) await new Promise(done => setTimeout(done, 20));
  const context = new AudioContext(), ear = new AnalyserNode(context, {fftSize: 2048}), heard = new Float32Array(2048);
  const jaw = head.querySelector(".jaw"), top = () => jaw.getBoundingClientRect().bottom - head.getBoundingClientRect().top;
  context.createMediaStreamSource(player.srcObject).connect(ear);
  setInterval(() => {
    ear.getFloatTimeDomainData(heard);
    seen.push([Number(head.dataset.mouth), top(), Math.max(...heard.map(Math.abs))]);
  }, 20);
}"""


def test_the_jaw_of_the_reindeer_follows_what_it_says(opened, client):
    with opened("reindeer.html", minted(client), [*FAKE, *GRANTED]) as page:
        page.wait_for_selector("#lawn svg[data-mouth='0.00']")
        page.evaluate(f"() => {{ ({WATCH})() }}")
        say_until_heard(page, f"It: {sounds.transcript('says-reindeer')}", clip="says-reindeer")
        mouth, jaw, loud = np.array(page.evaluate("() => window.seen")).T
        assert len(set(mouth)) > 10 and np.corrcoef(mouth, jaw)[0, 1] > 0.99 and np.ptp(jaw) > 15
        assert mouth[loud > 0.2].mean() > 3 * mouth[loud < 0.01].mean()
        page.click("#end")
        page.wait_for_selector("#lawn svg[data-mouth='0.00']")
        assert page.trouble == []


def test_the_twelve_lines_alone_give_sound_and_no_words(opened, client, microphone):
    with opened("webrtc.html", minted(client), microphone) as page:
        asked = []
        page.on("request", lambda r: asked.append(r.url.rpartition("/")[2]))
        page.uncheck("#events")
        page.click("#start")
        page.wait_for_selector("body[data-connected]")
        wait_for_sound(page, "says-spanish")
        assert "webrtc.js" in asked and "webrtc_events.js" not in asked
        assert page.locator("#log li").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_without_leave_for_the_microphone_a_clear_line_and_a_clip_instead(opened, client, name):
    with opened(name, minted(client), FAKE) as page:  # headless, nobody is there to say yes
        page.click("#start")
        page.wait_for_selector("#status.wrong")
        assert (
            page.inner_text("#status")
            == "The microphone was refused. Allow it in the browser, or play a clip instead."
        )
        say_until_heard(page, f"You: {ASKED}", f"It: {TOLD}", clip="says-spanish")


def test_without_a_microphone_a_clear_line(opened, client):
    with opened("webrtc.html", minted(client), GRANTED) as page:
        page.click("#start")
        page.wait_for_selector("#status.wrong")
        assert page.inner_text("#status") == "There is no microphone here. Play a clip instead."
        assert page.is_enabled("#clip") and page.is_disabled("#end")


@pytest.mark.parametrize("name", PAGES)
def test_an_interruption_is_told_with_what_was_heard(opened, client, name):
    with opened(name, minted(client), []) as page:
        page.select_option("#which", "user-story")
        say_until_heard(page, f"You: {sounds.transcript('user-story')}")
        page.wait_for_function("() => window.heard.some(p => p.some(x => x > 3_000))")
        page.select_option("#which", "user-stop")
        say_until_heard(page, clip="says-stopped")
        note = page.locator("#log li.note").first.inner_text()
        assert note.startswith("(interrupted after ") and 100 < int(note.split()[2]) < 17_000


def test_a_browser_without_a_network_is_told_what_still_works(opened, client, microphone):
    def without_addresses(route):
        answer = route.fetch()
        lines = answer.text().splitlines(keepends=True)
        route.fulfill(
            response=answer, body="".join(x for x in lines if not x.startswith("a=candidate"))
        )

    with opened("webrtc.html", minted(client), microphone) as page:
        page.route("**/realtime/calls", without_addresses)
        page.click("#start")
        page.wait_for_selector("#status.wrong")
        assert "The WebSocket page needs none." in page.inner_text("#status")


def test_a_secret_that_opens_nothing_is_said_in_the_page(opened):
    for name, status in (
        ("webrtc.html", "It did not work: Incorrect client secret"),
        ("websocket.html", "The connection has ended."),
    ):
        with opened(name, "ek_" + 32 * "0", []) as page:
            page.click("#clip")
            page.wait_for_selector("#status.wrong")
            assert page.inner_text("#status").startswith(
                status
            ) and "Incorrect client secret" in page.inner_text("body")
            assert page.is_enabled("#start") and page.is_disabled("#end")
    with opened("webrtc.html", "", []) as page:
        page.click("#start")
        assert "Open it from the notebook" in page.inner_text("#status.wrong")


def test_a_secret_that_has_expired_is_said_in_the_page_with_the_way_on(opened, client):
    secret = client.realtime.client_secrets.create(
        session=SESSION, expires_after={"anchor": "created_at", "seconds": 10}
    )
    with opened("webrtc.html", secret.value, []) as page:
        page.wait_for_timeout(1_000 * (secret.expires_at - time.time() + 1))
        page.click("#clip")
        page.wait_for_selector("#status.wrong")
        assert (
            page.inner_text("#status")
            == "The secret of this page has expired. Open the page anew from the notebook, which makes another one."
        )


def test_a_call_that_the_server_ends_is_over_in_the_page(opened, client):
    with opened("webrtc.html", minted(client), []) as page:
        with page.expect_response("**/realtime/calls") as answered:
            page.click("#clip")
        page.wait_for_selector("body[data-connected]")
        client.realtime.calls.hangup(answered.value.headers["location"].rpartition("/")[2])
        page.wait_for_selector("#status.wrong", timeout=20_000)
        assert page.inner_text("#status") == "The connection has ended." and page.is_enabled(
            "#start"
        )
        assert page.trouble == []


def test_a_closed_tab_ends_its_call(opened, client, monkeypatch):
    monkeypatch.setattr(sockets, "PATIENCE", 60)  # that a tab is gone is known after half a minute
    with opened("webrtc.html", minted(client), []) as page:
        with page.expect_response("**/realtime/calls") as answered:
            page.click("#clip")
        call_id = answered.value.headers["location"].rpartition("/")[2]
        page.wait_for_selector("body[data-connected]")
        with client.realtime.connect(call_id=call_id) as beside:
            assert beside.recv().type == "session.created"
            page.close()
            events = list(beside)  # ends when the call does
        # what the tab cut short may be no clip any more; nothing else is wrong
        assert {e.error.code for e in events if e.type == "error"} <= {"off_the_map"}


def test_the_clips_of_the_pages_are_clips():
    for name in [*PAGES, "reindeer.html"]:
        for line in voice_pages.source(name).splitlines():
            if "<option" in line:
                value, _, words = line.partition('value="')[2].partition('">')
                assert words.removesuffix("</option>") == sounds.clips()[value]["transcript"]
    body = [
        voice_pages.source(name).partition("<select")[2].partition("</select>")[0] for name in PAGES
    ]
    assert body[0] == body[1]


def test_the_twelve_lines_are_twelve_and_the_one_more_is_one():
    assert len(voice_pages.source("webrtc.js").splitlines()) == 12
    assert voice_pages.added("webrtc.js", "webrtc_events.js") == [
        (5, 'peer.events = peer.createDataChannel("oai-events");')
    ]


def coloured(frame, colour):
    from playwright.sync_api import expect

    expect(frame.locator("body")).to_have_css("background-color", colour, timeout=lab.LONG)


def test_in_jupyterlab_the_start_button_of_the_notebook_works(jupyter, browsers, microphone):
    with contextlib.closing(lab.Tab(browsers(LOOPBACK, *microphone), jupyter)) as tab:
        tab.open("2_realtime/02_webrtc_in_twelve_lines.ipynb")
        tab.run()
        frame = tab.page.frame_locator("iframe[title='Talk over WebRTC']")
        frame.locator("#start").click()
        wait_for_words(frame, f"You: {ASKED}", f"It: {TOLD}")
        coloured(frame, "rgb(255, 255, 255)")
        # Playwright's own default holds every frame to light
        tab.page.emulate_media(color_scheme="null")
        tab.theme("dark")
        coloured(frame, "rgb(27, 27, 27)")
