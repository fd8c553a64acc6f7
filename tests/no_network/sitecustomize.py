"""Python imports this by itself where its folder is on PYTHONPATH: sockets then reach this machine
and nothing else.

Kernels are processes of their own, so what a pytest plugin forbids would not reach them. Their talk
with Jupyter is ZeroMQ on loopback, which does not pass through here.

For the same reason a system that lacks packages is imitated here: those that TESTS_WITHOUT names
cannot be imported. Nor can one that no test needs and that costs each process seconds: nbformat and
JupyterLab read with jsonschema, which builds a grammar for addresses in other alphabets as soon as
rfc3987_syntax is there.
"""

import functools
import ipaddress
import os
import socket
import sys

for _name in ("rfc3987_syntax", *filter(None, os.environ.get("TESTS_WITHOUT", "").split(","))):
    sys.modules[_name] = None


class NoNetwork(OSError):
    """Something in a test run wanted to leave this machine."""


@functools.cache
def _ours(here):
    """Whether an interface of this machine has that address: only then can it be bound."""
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(here), 0))
        except OSError:
            return False
    return True


def _refuse_far(host):
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in (None, "", "localhost", socket.gethostname()):
        return
    try:
        here = ipaddress.ip_address(host.partition("%")[0])
        near = here.is_loopback or here.is_unspecified or _ours(here)
    except ValueError:
        near = False
    if not near:
        raise NoNetwork(f"Tests stay on this machine: {host} was asked for, and refused.")


def _guard(name):
    real = getattr(socket.socket, name)

    def guarded(self, *arguments):
        # the address comes last: connect(address), sendto(data, flags, address)
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_far(arguments[-1][0])
        return real(self, *arguments)

    setattr(socket.socket, name, guarded)


def _guard_lookup(name):
    real = getattr(socket, name)

    def guarded(host, *arguments, **named):
        _refuse_far(host)
        return real(host, *arguments, **named)

    setattr(socket, name, guarded)


for _name in ("connect", "connect_ex", "sendto"):
    _guard(_name)
for _name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    _guard_lookup(_name)
