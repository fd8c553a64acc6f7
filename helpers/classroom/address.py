"""By which address browsers come to a class: another one when its machine changes networks."""

import contextlib
import socket

import psutil

LOOPBACK = "127.0.0.1"


def here():
    """The address by which others reach this machine; LOOPBACK where it has no network."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only looks up the way
        return probe.getsockname()[0]
    return LOOPBACK


def now(before):
    """An address of this machine, as it was before, for as long as others can come by it; then the
    one that it has got.
    """
    cards = psutil.net_if_addrs().values()
    own = {address.address for card in cards for address in card} - {LOOPBACK}
    return before if before in own else here()


def url(given, at=""):
    """What browsers open, at an address or at that with which the class began. given: what
    __main__.py has written down.
    """
    return f"http{'s' if given['https'] else ''}://{at or given['here']}:{given['port']}/"


def told(given, at):
    """What the teacher is told of a class's address that has changed."""
    if at == given["here"]:
        return f"The class is at {url(given)} again."
    if at == LOOPBACK:
        return (
            "This machine has lost its network: no browser of another one reaches the class until "
            "it is back. What learners wrote is kept."
        )
    return (
        f"This machine has another address now. On the screen for all: {url(given, at)} – whoever was "
        f"at {url(given)} comes in there with their name, the class word and their PIN, which your "
        "page shows, and finds all that was saved."
    )
