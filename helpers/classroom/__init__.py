"""A class on one machine: `python start.py class --seats 30`, on JupyterHub. No lesson needs it.

__main__    keeps the class running: the warmed process, the proxy, the hub
forking     processes forked from one that has imported the large packages (also the tests')
warmed      the process from which seats, kernels and local APIs are forked
peers       who is at the other end of a connection, and how many one may have
address     by which browsers come, and what is told when it changes
watch       what seats take of the disk and the memory, and who has more than a share
groups      what the system itself counts of a seat's memory, and ends where it is too much
seats       who sits where, and each seat's folder: prepare, reset, catch up
looking     how that folder is looked at from outside, where no link leads astray
hub         JupyterHub's settings, with what a seat is started by
entry       the class word, names and PINs, and the pages of learner and teacher
door        the way of a browser elsewhere to the voice pages of a seat
"""

import os
import signal
import socket
import threading


def end_with_class():
    """End this process with the one that keeps the class running, which holds its standard input:
    where that was killed, the next class finds the ports free.
    """

    def wait():
        while os.read(0, 1):  # not by sys.stdin, which an ending Python would wait for
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def opened(given, name):
    """The socket that the process which keeps the class running has opened and holds for this one.
    given: what it has written down. name: of one of its doors.
    """
    door = socket.socket(fileno=given["doors"][name])
    door.setblocking(False)
    return door
