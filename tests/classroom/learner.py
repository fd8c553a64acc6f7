"""A learner, or the teacher, as their browser is seen from a class: forms, redirects, a kernel."""

import asyncio
import json
import re
import ssl
import threading
import time
import uuid

import httpx2
from websockets.asyncio.client import connect

PATIENCE = 90  # seconds; a limit that only a hang reaches


class Learner:
    def __init__(self, address):
        self.address = address.rstrip("/")
        # a class's certificate is signed by nobody
        self.session = httpx2.Client(
            verify=False, trust_env=False, follow_redirects=True, timeout=PATIENCE
        )
        self.seat = None

    def get(self, path, **more):
        return self.session.get(self.address + path, **more)

    def post(self, path, **more):
        return self.session.post(self.address + path, **more)

    def enter(self, name, word, pin=""):
        """Send the form; the page that comes: one's seat, or the form with why not."""
        xsrf = re.search(r'name="_xsrf" value="([^"]+)"', self.get("/hub/login").text)[1]
        page = self.post(
            "/hub/login", data={"_xsrf": xsrf, "username": name, "word": word, "pin": pin}
        )
        if found := re.search(r"(seat\d+)</h1>", page.text):
            self.seat = found[1]
        return page

    @property
    def pin(self):
        return re.search(r'id="pin">(\d{4})<', self.get("/hub/seat").text)[1]

    def open(self, seat=None):
        """Open the notebooks, and wait for them."""
        self.seat = seat or self.seat
        page = self.get(f"/hub/spawn/{self.seat}")
        until = time.monotonic() + PATIENCE
        while f"/user/{self.seat}/lab" not in str(page.url) or page.status_code != 200:
            assert time.monotonic() < until and page.status_code < 500, (page.url, page.text[-800:])
            time.sleep(0.2)
            page = self.get(f"/hub/spawn-pending/{self.seat}")
        self.base = f"/user/{self.seat}"
        return self

    @property
    def xsrf(self):
        [value] = {
            c.value
            for c in self.session.cookies.jar
            if c.name == "_xsrf" and c.path == self.base + "/"
        }
        return {"X-XSRFToken": value}

    def notebook(self, path):
        """The cells of a notebook of one's own."""
        answer = self.get(f"{self.base}/api/contents/notebooks/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()["content"]["cells"]

    def kernel(self, path="00_start_here.ipynb"):
        """A Kernel for a notebook, as JupyterLab starts it."""
        body = {"path": f"notebooks/{path}", "name": path, "type": "notebook"}
        body["kernel"] = {"name": "python3"}
        answer = self.post(f"{self.base}/api/sessions", json=body, headers=self.xsrf)
        assert answer.status_code == 201, answer.text
        return Kernel(self, answer.json()["kernel"]["id"])


class Kernel:
    def __init__(self, learner, kernel):
        address = learner.address.replace("http", "ws", 1)
        request = learner.session.build_request("GET", learner.address + learner.base + "/api")
        self.session = uuid.uuid4().hex
        # One thread for all that is said: of two that read and write a TLS socket at once, one
        # sometimes waits for ever, which the synchronous client of this library does.
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.line = self.wait(
            connect(
                f"{address}{learner.base}/api/kernels/{kernel}/channels?session_id={self.session}",
                additional_headers={"Cookie": request.headers["Cookie"]},
                ssl=ssl._create_unverified_context() if address.startswith("wss") else None,
                max_size=None,
                proxy=None,
                open_timeout=PATIENCE,
            )
        )

    def wait(self, doing):
        """The result of something that is done in the thread of this line."""

        async def done():
            return await asyncio.wait_for(doing, PATIENCE)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result()

    def run(self, code):
        """What a cell shows, as text: what it prints, its result, its error; so far as it comes,
        where its kernel ends.
        """
        ident, shown = uuid.uuid4().hex, []
        header = {"msg_id": ident, "msg_type": "execute_request", "username": ""}
        header |= {"session": self.session, "date": "", "version": "5.3"}
        content = {"code": code, "silent": False, "allow_stdin": False, "stop_on_error": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self.wait(self.line.send(json.dumps(message | {"channel": "shell", "buffers": []})))
        replied = idle = False
        while not (replied and idle):
            message = json.loads(self.wait(self.line.recv()))
            if message["content"].get("execution_state") in ("restarting", "dead"):
                break
            if message["parent_header"].get("msg_id") != ident:
                continue
            content, kind = message["content"], message["header"]["msg_type"]
            replied = replied or kind == "execute_reply"
            idle = idle or kind == "status" and content["execution_state"] == "idle"
            shown.append(content.get("text", ""))
            shown.append(content.get("data", {}).get("text/plain", ""))
            if kind == "error":
                shown.append(f"{content['ename']}: {content['evalue']}")
        return "".join(shown)

    def close(self):
        self.wait(self.line.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
