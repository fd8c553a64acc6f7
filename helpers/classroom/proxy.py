"""The proxy of a class: configurable-http-proxy in Python, less two faults of its WebSockets.

It answers no subprotocol, without which a browser closes the voice page's, and it passes bytes on
as text, which ends a kernel's.
"""

from configurable_http_proxy.cli import main
from configurable_http_proxy.handlers import ProxyHandler

from ..common.private import must_have

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

if __name__ == "__main__":
    main()
