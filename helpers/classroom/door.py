"""A server extension of a seat: the way of a browser on another machine to the voice pages.

The local API listens on 127.0.0.1, which in that browser is its own machine. So below a seat's
address, /day9-door/PORT leads to the local API at that port, where one of this seat listens: to its
pages, to POST /v1/realtime/calls and to the WebSocket /v1/realtime, and to nothing else. The door
asks for the seat's login, which is a cookie; the local API asks for its own ek_ secret.
"""

import asyncio
import contextlib
import os
import re
import socket
import sys
from pathlib import Path

import psutil
from jupyter_client.kernelspec import KernelSpec
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.utils import url_path_join
from tornado import httpclient, web, websocket
from tornado.ioloop import IOLoop

from ..common.private import must_have
from . import groups

PASSED = ("Authorization", "Content-Type", "Accept", "Range")
ANSWERED = ("Content-Type", "Cache-Control", "Location", "x-request-id")
LONGEST = 64 * 2**20  # of one message, as in the local API
SHORT = "MemoryError"  # at the end of the names of all such errors, NumPy's too
ENDED = (
    "The system has ended this kernel: your seat asked for more memory than it may have. All "
    "variables are gone, and what is saved is not. Ask for less, or for one part after the other; "
    "then run the cells again from the top."
)


must_have(ZMQChannelsWebsocketConnection, "handle_outgoing_message", "on_kernel_restarted", "on_restart_failed", "write_stderr")  # fmt: skip


class Door(JupyterHandler):
    """What both ways share."""

    async def prepare(self):
        # the API's own secret, which would be taken for a login
        self.secret = self.request.headers.get("Authorization")
        if self.secret:
            del self.request.headers["Authorization"]
        await super().prepare()

    def check_xsrf_cookie(self):
        """A browser says with each POST which page it comes from; a GET changes nothing."""
        if self.request.method not in ("GET", "HEAD") and not self.from_here():
            raise web.HTTPError(403, "This page came from elsewhere.")

    def from_here(self):
        origin = self.request.headers.get("Origin", "")
        return origin.partition("://")[2] == self.request.host

    def there(self, port, path):
        """The address at the local API. 404 for a port at which none of this seat listens."""
        if not listens(int(port)):
            raise web.HTTPError(404, f"No local API of this seat listens on port {port}.")
        query = "?" + self.request.query if self.request.query else ""
        return f"127.0.0.1:{port}/{path}{query}"


class Pages(Door):
    @web.authenticated
    async def get(self, port, path):
        if not re.fullmatch(r"day9/pages/[\w.-]+", path):
            raise web.HTTPError(404)
        await self.hand_on(port, path)

    @web.authenticated
    async def post(self, port, path):
        if path != "v1/realtime/calls":
            raise web.HTTPError(404)
        await self.hand_on(port, path)

    async def hand_on(self, port, path):
        headers = {n: self.request.headers[n] for n in PASSED if n in self.request.headers}
        # a call is to offer the address of this machine by which the browser has come
        headers["X-Day9-Door"] = self.request.host_name
        if self.secret:
            headers["Authorization"] = self.secret
        answer = await httpclient.AsyncHTTPClient().fetch(
            "http://" + self.there(port, path),
            method=self.request.method,
            headers=headers,
            body=self.request.body if self.request.method == "POST" else None,
            follow_redirects=False,
            raise_error=False,
            request_timeout=60,
        )
        if answer.code == 599:  # tornado's word for no answer
            raise web.HTTPError(502, f"The local API does not answer: {answer.error}")
        self.set_status(answer.code)
        for name in ANSWERED:
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        policy = answer.headers.get("Content-Security-Policy", "default-src 'none'")
        self.set_header("Content-Security-Policy", policy + "; frame-ancestors 'self'")
        self.finish(answer.body)


class Socket(websocket.WebSocketHandler, Door):
    def select_subprotocol(self, subprotocols):
        return "realtime" if "realtime" in subprotocols else None

    def check_origin(self, origin):
        return self.from_here()

    @web.authenticated
    async def get(self, port, path):
        self.address = self.there(port, path)
        await super().get()

    async def open(self, *_):
        self.set_nodelay(True)
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")
        self.line = await websocket.websocket_connect(
            "ws://" + self.address,
            subprotocols=[name.strip() for name in offered],
            max_message_size=LONGEST,
        )
        self.back = asyncio.ensure_future(self.hand_back())

    async def hand_back(self):
        while (message := await self.line.read_message()) is not None:
            await self.write_message(message, isinstance(message, bytes))
        self.close(self.line.close_code, self.line.close_reason)

    async def on_message(self, message):
        await self.line.write_message(message, isinstance(message, bytes))

    def on_close(self):
        if hasattr(self, "line"):
            self.line.close()


class Line(ZMQChannelsWebsocketConnection):
    """What a page and its kernel say to each other: at once, and not 40 ms later, when the page has
    said that the message before has come. A cell whose kernel was ended for want of memory is told
    so, and the class's watch of a cell that was refused it.
    """

    ended = 0  # how many processes of the seat were, the last time that a kernel was started again
    cell = None  # the header of what asked for what the kernel works on

    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()

    def handle_outgoing_message(self, stream, outgoing_msg):
        if getattr(stream, "channel", stream) in ("iopub", "shell"):
            # what is no message is not for us
            with contextlib.suppress(AttributeError, LookupError, TypeError, ValueError):
                _, parts = self.session.feed_identities(outgoing_msg)
                self.notice(self.session.unpack(parts[1])["msg_type"], parts[2], parts[4])
        super().handle_outgoing_message(stream, outgoing_msg)

    def notice(self, kind, cell, content):
        """Take notice of a message; cell: the header of what it answers, content: both packed."""
        if kind == "execute_input":
            self.cell = self.session.unpack(cell)
        elif kind == "status" and self.session.unpack(content)["execution_state"] == "idle":
            self.cell = None
        # in the place of an error message there may be a panel of ours
        elif kind == "execute_reply" and self.session.unpack(content)["ename"].endswith(SHORT):
            with contextlib.suppress(OSError):  # on a full disk
                Path(os.environ["JUPYTER_RUNTIME_DIR"], groups.REFUSED).write_bytes(b"")

    def on_kernel_restarted(self):
        self.say_why()
        super().on_kernel_restarted()

    def on_restart_failed(self):
        """Of a kernel that has ended again and again, which is not started once more."""
        self.say_why()
        super().on_restart_failed()

    def say_why(self):
        """Tell the cell that a kernel worked on why it has ended, where that was the memory."""
        now = ended()
        if now > Line.ended and self.cell:
            self.write_stderr(ENDED, self.cell)
        # after other pages of this kernel have looked, too
        IOLoop.current().add_callback(setattr, Line, "ended", now)
        self.cell = None


class Spec(KernelSpec):
    """A kernel without a debugger, which JupyterLab then does not offer: debugpy listens at a port
    and asks nobody who they are. Whoever comes when its learner has turned it off runs what they
    like in the kernel.
    """

    def to_dict(self):
        said = super().to_dict()
        return said | {"metadata": said["metadata"] | {"debugger": False}}


def ended():
    """How many processes of this seat the system has ended for want of memory, where it counts."""
    folders = os.environ.get(groups.VARIABLE)
    return groups.ended(folders.split(os.pathsep), os.environ["JUPYTERHUB_USER"]) if folders else 0


def listens(port):
    """Whether this seat's user listens on a port of 127.0.0.1, and not of 127.0.0.2, at which
    anybody may. Without walls all seats are one user.
    """
    if sys.platform == "linux":
        here = int.from_bytes(socket.inet_aton("127.0.0.1"), sys.byteorder)
        # not by process: one that was forked and has changed its user shows nobody its files
        rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
        return any(
            (state, int(user), local) == ("0A", os.getuid(), f"{here:08X}:{port:04X}")
            for _, local, _, state, _, _, _, user, *_ in rows
        )
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # somebody else's, or it has just ended
            if any(
                c.status == psutil.CONN_LISTEN and c.laddr.port == port
                for c in process.net_connections("tcp4")
            ):
                return True
    return False


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    Line.ended = ended()  # of a JupyterLab before this one
    base = url_path_join(server.web_app.settings["base_url"], r"/day9-door/(\d+)/")
    server.web_app.add_handlers(".*$", [(base + r"(v1/realtime)", Socket), (base + "(.*)", Pages)])
