"""The proxy of a class: configurable-http-proxy in Python, with https and less two faults of its
WebSockets.

It answers no subprotocol, without which a browser closes the voice page's, and it passes bytes on
as text, which ends a kernel's.
"""

import json
import os
from pathlib import Path

from configurable_http_proxy.configproxy import PythonProxy
from configurable_http_proxy.handlers import ProxyHandler
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from ..common.private import must_have
from . import end_with_class

must_have(ProxyHandler, "select_subprotocol", "on_message", "initialize")


class Line:
    """The other end's connection, to which bytes are written as bytes."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def write_message(self, message):
        return self.connection.write_message(message, binary=isinstance(message, bytes))


def select_subprotocol(self, subprotocols):
    """What the other end has chosen, to which the connection stands already."""
    chosen = self.ws_client.selected_subprotocol
    return chosen if chosen in subprotocols else None


passed_on = ProxyHandler.on_message


def on_message(self, message):
    if self.ws_client and not isinstance(self.ws_client, Line):
        self.ws_client = Line(self.ws_client)
    passed_on(self, message)


ProxyHandler.select_subprotocol = select_subprotocol
ProxyHandler.on_message = on_message


def main():
    """Serve as the file says that DAY9_CLASSROOM names."""
    end_with_class()
    given = json.loads(Path(os.environ["DAY9_CLASSROOM"]).read_text(encoding="utf-8"))
    hub, tls = f"http://127.0.0.1:{given['hub_port']}", given["certificate"]
    proxy = PythonProxy(
        {
            "auth_token": given["proxy_token"],
            "default_target": hub,
            "error_target": hub + "/hub/error",
            # what it would say itself is "http" in any case
            "x_forward": False,
            "custom_headers": {"X-Forwarded-Proto": "https" if tls else "http"},
        }
    )
    files = {"certfile": tls[0], "keyfile": tls[1]} if tls else None
    HTTPServer(proxy.proxy_app, ssl_options=files).listen(given["port"], "0.0.0.0")
    HTTPServer(proxy.api_app).listen(given["proxy_port"], "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
