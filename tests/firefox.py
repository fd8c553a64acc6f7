"""A headless Firefox, driven over WebDriver BiDi: Playwright drives a build of its own alone, which
no distribution has.

    with firefox.page("http://127.0.0.1:…") as page:
        page.do("document.getElementById('clip').click()")
        page.until("document.querySelector('#log li')")
"""

import contextlib
import itertools
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect

from tests import lab

# No dialog, no first page, nothing of Mozilla's asked for; sound plays by itself, and nobody has to
# allow the microphone.
SETTINGS = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.autoplay.default": 0,
    "media.gmp-manager.updateEnabled": False,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disabled": True,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}


@contextlib.contextmanager
def page(address):
    """A Page at an address, in a Firefox of its own."""
    with tempfile.TemporaryDirectory(prefix="day9-fox-", ignore_cleanup_errors=True) as home:
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in SETTINGS.items()]
        Path(home, "user.js").write_text("".join(lines), encoding="utf-8")
        command = [lab.program("firefox"), "--headless", "--no-remote", "--profile", home]
        said = Path(home, "said")
        with said.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--remote-debugging-port", "0", "about:blank"], stdout=log, stderr=log
            )
        try:
            with connect(_listens(process, said) + "/session", max_size=None, proxy=None) as line:
                yield Page(line, address)
        finally:
            process.terminate()
            process.wait()


def _listens(process, said):
    until = time.monotonic() + lab.LONG / 1000
    while time.monotonic() < until and process.poll() is None:
        there = re.search(rb"WebDriver BiDi listening on (\S+)", said.read_bytes())
        if there:
            return there[1].decode()
        time.sleep(0.05)
    raise RuntimeError(f"Firefox did not start. It said:\n{said.read_text('utf-8', 'replace')}")


class Page:
    """One tab."""

    def __init__(self, line, address):
        self.line, self.numbers = line, itertools.count(1)
        self._ask("session.new", capabilities={})
        self.tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        self._ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def do(self, expression):
        """What a JavaScript expression comes to, awaited: a text, a number, true, false or None.
        Raises RuntimeError with what it throws.
        """
        done = self._ask(
            "script.evaluate",
            expression=expression,
            target={"context": self.tab},
            awaitPromise=True,
            userActivation=True,
        )
        if done["type"] == "exception":
            raise RuntimeError(done["exceptionDetails"]["text"])
        return done["result"].get("value")

    def until(self, condition):
        """Wait for a JavaScript condition. Raises TimeoutError with what the page shows."""
        until = time.monotonic() + lab.LONG / 1000
        while not self.do(f"Promise.resolve({condition}).then(Boolean)"):
            if time.monotonic() > until:
                raise TimeoutError(f"{condition}: {self.do('document.body.innerText')}")
            time.sleep(0.1)

    def _ask(self, method, **params):
        number = next(self.numbers)
        self.line.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self.line.recv(lab.LONG / 1000))).get("id") != number:
            pass  # an event
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['message']}")
        return answer["result"]
