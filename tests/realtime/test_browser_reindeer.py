"""The reindeer in a real JupyterLab: started from the keyboard, its mouth follows the sound that
plays.
"""

import nbformat
import numpy as np
import pytest

from helpers.facts import sounds
from tests import lab
from tests.conftest import needs
from tests.notebooks.test_browser import FAINT

pytestmark = needs("chromium")
CLIP = "says-good-night"
CELL = f"from helpers import reindeer, sounds\nreindeer.Reindeer(sounds.clip({CLIP!r}), 'Good night!', note='measured')"
# What is on the screen, frame by frame, from the first of the sound to the end of it
WATCH = """() => new Promise(done => {
  const sound = document.querySelector('.day9-reindeer audio'), head = document.querySelector('.day9-reindeer svg'), jaw = head.querySelector('.jaw');
  const context = new AudioContext(), ear = new AnalyserNode(context, {fftSize: 1024}), heard = new Float32Array(1024);
  context.createMediaStreamSource(sound.captureStream()).connect(ear);
  const seen = [];
  const look = () => {
    ear.getFloatTimeDomainData(heard);
    seen.push([sound.currentTime, Number(head.dataset.mouth), jaw.getBoundingClientRect().bottom - head.getBoundingClientRect().top, Math.max(...heard)]);
    if (sound.paused && seen.some(s => s[0] > 0)) done(seen);
    else requestAnimationFrame(look);
  };
  sound.addEventListener('playing', look, {once: true});
  window.watching = true;
})"""


@pytest.fixture(scope="module")
def tab(jupyter):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    book.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    nbformat.write(book, jupyter.notebooks / "reindeer.ipynb")
    with lab.tab(jupyter) as tab:
        tab.open("reindeer.ipynb").run()
        tab.page.locator(".day9-reindeer").wait_for()
        yield tab


def test_the_mouth_follows_the_sound(tab):
    button = tab.page.get_by_role("button", name="Play what the reindeer says, 2.1 seconds")
    tab.page.evaluate(f"() => {{ window.seen = ({WATCH})() ; return null }}")
    button.focus()
    tab.page.keyboard.press("Enter")
    tab.page.get_by_role("button", name="Stop the reindeer").wait_for()
    seen = np.array(tab.page.evaluate("() => window.seen"))
    when, mouth, jaw, heard = seen[:-1].T
    pcm = np.abs(np.frombuffer(sounds.clip(CLIP), "<i2").astype(float))
    around = [
        pcm[max(0, int((t - 0.02) * sounds.RATE)) : int((t + 0.02) * sounds.RATE) + 1].mean()
        for t in when
    ]
    # it played to the end, and was looked at
    assert when.max() > 1.9 and len(set(mouth)) > 10, seen
    assert np.corrcoef(mouth, around)[0, 1] > 0.8
    assert np.corrcoef(mouth, jaw)[0, 1] > 0.99 and np.ptp(jaw) > 15  # pixels
    assert heard.max() > 0.1  # sound came out of it
    assert seen[-1][1] == 0  # and the mouth is shut again
    button.wait_for()


def test_it_stops_when_asked_and_its_keys_do_not_reach_the_notebook(tab):
    tab.page.get_by_role("button", name="Play what").focus()
    tab.page.keyboard.press("Space")
    tab.page.get_by_role("button", name="Stop the").wait_for()
    tab.page.keyboard.press("Space")
    tab.page.get_by_role("button", name="Play what").wait_for()
    assert tab.page.locator(".day9-reindeer svg").get_attribute("data-mouth") == "0"
    assert len(tab.cells()) == 1 and tab.trouble == []


@pytest.mark.parametrize("theme", lab.THEMES)
def test_it_can_be_read_in_both_themes_and_has_names(tab, theme):
    tab.theme(theme)
    looked, faint = tab.page.evaluate(FAINT, ".day9-reindeer")
    assert looked >= 3 and faint == []
    tree = tab.page.locator(".day9-reindeer").aria_snapshot()
    for name in (
        'img "A reindeer, seen from the front',
        'button "Play what the reindeer says',
        "Good night!",
        "measured",
    ):
        assert name in tree, tree
