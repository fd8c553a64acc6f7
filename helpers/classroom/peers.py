"""Who is at the other end of a connection: each port of this machine can be reached from a seat.

Between programs of one machine the system knows whose the other socket is, and tells it of one
connection without a look at all (sock_diag(7), on Linux). So a port takes what it is for: the hub's
own requests, those of a seat's JupyterLab to the hub, those of a kernel to its own local API.
"""

import errno
import os
import resource
import socket
import struct
import sys
import weakref
from collections import defaultdict

from tornado.httpserver import HTTPServer

from . import seats

SOCK_DIAG, BY_FAMILY, REQUEST = 4, 20, 1  # NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST
ANY_STATE, LISTENS = 0xFFFFFFFF, 10
PATIENCE = 5  # seconds, of an answer that the system gives at once
SEATS = range(seats.FIRST_USER, seats.FIRST_USER + 1_000)  # user ids
OF_A_SEAT = 120  # connections at once; of a JupyterLab to its hub aiohttp makes 100 at most
GONE = -1  # no user's
FORM = 65_536  # bytes of what is sent to the hub, and by who has not come in at a seat


def user(line):
    """The user id of who is at the other end of a connection, a socket; GONE where they have closed
    it; None of another machine's, and where the system does not tell.
    """
    if sys.platform != "linux" or line.family != socket.AF_INET:
        return None
    try:
        (here, port), (there, their_port) = line.getsockname(), line.getpeername()
        ends = struct.pack("!HH", their_port, port)
        ends += socket.inet_aton(there).ljust(16, b"\0") + socket.inet_aton(here).ljust(16, b"\0")
        # of any card, and with any cookie
        asked = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, ANY_STATE)
        asked += ends + struct.pack("=III", 0, ANY_STATE, ANY_STATE)
        head = struct.pack("=IHHII", 16 + len(asked), BY_FAMILY, REQUEST, 1, 0)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as system:
            system.settimeout(PATIENCE)
            system.send(head + asked)
            said = system.recv(4_096)
    except ConnectionError:  # closed by them
        return GONE
    except OSError as error:
        return GONE if error.errno == errno.ENOTCONN else None
    if struct.unpack_from("=H", said, 4)[0] != BY_FAMILY:  # an error: there is no such socket here
        return None
    state = said[17]
    owner, inode = struct.unpack_from("=II", said, 16 + 64)
    return owner if inode and state != LISTENS else GONE


def own(line):
    """Whether a connection, a socket, comes from the user as whom this process runs, or from root;
    also where the system does not tell. One that does not ends by a reset.
    """
    if user(line) in (None, 0, os.getuid()):
        return True
    end_by_reset(line)
    return False


def end_by_reset(line):
    """Let a connection that is closed here unused end at the other side, too. Who keeps what was
    closed would keep its port, of which all programs of a machine have some 28,000.
    """
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server(HTTPServer):
    """Takes so many connections at once of each user of this machine, and of each other address, as
    most() says.
    """

    def initialize(self, *given, **more):
        super().initialize(*given, **more)
        self.streams = defaultdict(weakref.WeakSet)  # by user or address

    def handle_stream(self, stream, address):
        who = user(stream.socket)
        theirs = self.streams[address[0] if who is None else who]
        if sum(not one.closed() for one in theirs) < self.most(who):
            theirs.add(stream)
            super().handle_stream(stream, address)
        else:
            end_by_reset(stream.socket)
            stream.close()

    def most(self, who):
        """Of a user, None for another machine: half of what this process may have open, so that
        none keeps out all others; more than a class of 200 behind one router needs. Nothing in a
        seat needs as many.
        """
        if who == GONE:
            return 0
        return OF_A_SEAT if who in SEATS else resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2


class Own(Server):
    """Takes connections of one's own user alone."""

    def most(self, who):
        return super().most(who) if who in (None, os.getuid()) else 0
