"""A class on this machine: `python start.py class --seats 30`.

It keeps three processes running, each a child of its own so that one that is killed comes back and
takes nothing with it: the proxy, through which browsers come; JupyterHub, which knows who sits
where; and on Linux the warmed process that seats are forked from. What learners write lies in
class/, and is there again when the class is started again.
"""

import argparse
import collections
import contextlib
import datetime
import fcntl
import functools
import ipaddress
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import address, forking, groups, looking, seats, watch

ROOT = seats.ROOT
FOLDER = ROOT / "class"
# words to call across a room: no two sound alike
WORDS = (
    "amber cedar delta ember fjord grove heron indigo juniper lagoon maple nutmeg olive pepper "
    "quartz raven saffron tundra umber velvet willow yonder zephyr"
).split()
FILES = 10_000  # that a process may have open
# of a certificate: how long it is good, and what is to be left of that when a class begins
YEAR, SOON = datetime.timedelta(days=365), datetime.timedelta(days=30)
TRIES, MINUTE = 3, 60  # a process that ends so often in that time is not started again
WAITING = 1_024  # browsers that wait while the proxy is started again
EVERY = 3  # seconds between two looks at the network
LOG = 10_000_000  # bytes of a log, of which then the last tenth is kept


class Trouble(Exception):
    """Why the class cannot be, and the cure."""


def main(arguments):
    parser = argparse.ArgumentParser(prog="start.py class", description=__doc__.split("\n")[0])
    parser.add_argument("--seats", type=int, default=30, metavar="N")
    parser.add_argument("--port", type=int, default=8000, metavar="P")
    parser.add_argument("--https", action="store_true", help="with a certificate made here")
    asked = parser.parse_args(arguments)
    if not 1 <= asked.seats <= 200:
        raise Trouble(f"--seats {asked.seats} is not from 1 to 200", "--seats 30")
    with contextlib.ExitStack() as held:
        held.enter_context(hold())
        # kept open here, so that no other program takes a port while what listens is started again
        doors = {
            "browsers": listen("", asked.port),
            "routes": listen("127.0.0.1", 0),
            "hub": listen("127.0.0.1", 0),
        }
        for door in doors.values():
            held.enter_context(door)
        runtime = held.enter_context(tempfile.TemporaryDirectory(prefix="day9-", dir="/tmp"))
        os.chmod(runtime, 0o711)
        # of the hub: those here may go away where seats are not walled off
        shutil.copytree(Path(__file__).with_name("pages"), Path(runtime, "pages"))
        given = settings(asked, runtime, doors, walls(), address.here())
        try:
            take_over(given)
            tell(given)
            keep_running(given)
        finally:
            groups.end(given["groups"])


def hold():
    """Make the class's folders, and hold them for as long as the file that is returned is open.
    Raises Trouble where another class does.
    """
    try:
        for folder, mode in ((FOLDER, 0o711), (FOLDER / "seats", 0o711), (FOLDER / "hub", 0o700)):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        alone = open(FOLDER / "hub" / "held", "a", encoding="utf-8")
    except OSError as error:
        raise Trouble(
            f"{error.filename} cannot be had: {error.strerror}",
            "begin the class as the user who has begun it before, or move class/ away.",
        ) from None
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        other = read_settings()
        raise Trouble(
            "a class is being held in this folder already"
            + (f", at {address.url(other, address.now(other['here']))}" if other else ""),
            "end that one first, with Ctrl-C where it was started.",
        ) from None
    return alone


def take_over(given):
    """Let seats that another start has left belong to whoever they run as now."""
    for home in (FOLDER / "seats").iterdir():
        owner = seats.user_id(home.name) if given["walls"] else os.getuid()
        if home.stat().st_uid == owner or home.suffix:
            continue
        if os.getuid():
            raise Trouble(
                f"{home} belongs to another user",
                "begin the class as root, as it was begun before; or move class/ away.",
            )
        try:
            with looking.folder(home) as at:
                left = hand_over(at, owner)
        except looking.TooDeep:
            raise Trouble(
                f"{home} has more than {looking.DEEP} folders in each other",
                "look at them, and move them away.",
            ) from None
        if left:
            print(
                f"Left to whom they belonged: files that are also outside of {home}, {left[0]!r}"
                + (f" and {len(left) - 1} more." if left[1:] else ".")
            )


def hand_over(at, owner):
    """Make the user with the id `owner` own an open folder of a seat and what is in it, save what
    was another's than the folder, and files that have a name elsewhere, too. Returns their names.
    """
    before, left = os.fstat(at).st_uid, []
    found = [s for _, _, s in looking.below(at) if not stat.S_ISDIR(s.st_mode)]
    names = collections.Counter((stated.st_dev, stated.st_ino) for stated in found)
    for inside, name, stated in looking.below(at):
        here = names[stated.st_dev, stated.st_ino]
        if stated.st_uid != before or not stat.S_ISDIR(stated.st_mode) and here < stated.st_nlink:
            left.append(name)
        else:
            os.chown(name, owner, owner, dir_fd=inside, follow_symlinks=False)
    os.chown(at, owner, owner)
    return left


def listen(at, port):
    """A socket that listens at an address of this machine, "" for all, and a port, 0 for any.
    Raises Trouble where somebody else does, or the port cannot be had.
    """
    try:
        return socket.create_server((at, port), backlog=WAITING)
    except (OSError, OverflowError) as error:
        raise Trouble(f"port {port} cannot be had: {error}", "another one: --port 8888") from None


def walls():
    """Whether each seat gets a user id of its own: where Linux lets us. Raises Trouble where such a
    user could not read the project or the Python: to let learners be root instead is no way out.
    """
    if sys.platform != "linux" or os.getuid():
        return False
    for place in (ROOT, Path(sys.prefix), Path(sys.base_prefix)):
        look = subprocess.run(
            ["ls", str(place)],
            user=seats.FIRST_USER,
            group=seats.FIRST_USER,
            extra_groups=[],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if look.returncode:
            raise Trouble(
                f"other users cannot read {place}, and started as root each seat is one",
                "move it to a folder that all may read, such as /opt; or start the class as "
                "yourself, without walls between the seats.",
            )
    return True


def settings(asked, runtime, doors, walls, here):
    """What all parts need, as a dict; written into a file that the class's own user reads. The
    words stay from one start to the next. doors: open sockets by what comes in. here: the address
    by which others reach this machine.
    """
    file = FOLDER / "hub" / "settings.json"
    before = read_settings()
    roster = FOLDER / "hub" / "roster.json"
    try:
        taken = seats.Roster(roster, asked.seats).sitting
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise Trouble(
            f"{roster} is no list of names and PINs: {error}",
            "put it back, or move it away: then all come in as if for the first time.",
        ) from None
    # who has been here finds their seat, also where the class is begun with fewer
    number = max([asked.seats, *(int(seat.removeprefix("seat")) for seat in taken)])
    share = watch.share(FOLDER, number)
    groups.end(before.get("groups", []))  # of a class that was killed
    sitting = [*seats.seats(number), seats.TEACHER]
    given = {
        "word": before.get("word") or "-".join(secrets.SystemRandom().sample(WORDS, 2)),
        "teacher_word": before.get("teacher_word") or secrets.token_urlsafe(9),
        "key": before.get("key") or secrets.token_hex(32),
        "seats": number,
        "share": share,
        "walls": walls,
        "groups": groups.begin(sitting, watch.most(share)) if walls else [],
        "folder": str(FOLDER),
        "runtime": runtime,
        "here": here,
        "https": asked.https,
        "port": asked.port,
        "certificate": certificate(FOLDER / "hub", here) if asked.https else None,
        "doors": {name: door.fileno() for name, door in doors.items()},
        "hub_port": doors["hub"].getsockname()[1],
        "proxy_port": doors["routes"].getsockname()[1],
        "proxy_token": secrets.token_hex(16),
    }
    file.touch(mode=0o600)
    file.write_text(json.dumps(given, indent=1), encoding="utf-8")
    return given


def read_settings():
    """What the class before, or the one that is being held, has written down; {} where none has."""
    try:
        return json.loads((FOLDER / "hub" / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # what was interrupted is written anew
        return {}


def tell(given):
    print(
        f"The class begins in some seconds. On the screen for all:\n\n"
        f"    {address.url(given)}\n    class word: {given['word']}\n\n"
        f"You: the name teacher, the word {given['teacher_word']} (on your own screen only)."
    )
    if not given["walls"]:
        print("Seats are not walled off from each other: for that, start it as root on Linux.")
    if given["walls"] and not given["groups"]:
        print(watch.UNLIMITED)
    if not given["https"]:
        print("Without --https, browsers give no microphone to pages of another machine.")
    print("What learners write is kept in class/. Ctrl-C ends the class.", flush=True)


def certificate(folder, here):
    """(certificate, key): files for an address, made here and signed by nobody else. Those that are
    there stay while they can, so that a browser that has taken them does not ask again.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    files = [folder / "certificate.pem", folder / "key.pem"]
    now = datetime.datetime.now(datetime.timezone.utc)
    with contextlib.suppress(OSError, ValueError):  # none, or damaged
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files)
        known = x509.load_pem_x509_certificate(files[0].read_bytes())
        names = known.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        to_come = known.not_valid_after_utc - now
        if (
            ipaddress.ip_address(here) in names.get_values_for_type(x509.IPAddress)
            and to_come > SOON
        ):
            return [str(file) for file in files]
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Day 9: the class")])
    names = [x509.IPAddress(ipaddress.ip_address(a)) for a in dict.fromkeys([here, "127.0.0.1"])]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + YEAR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files[1].touch(mode=0o600)
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return [str(file) for file in files]


def keep_running(given):
    """Run the class until Ctrl-C; start again what has ended."""
    hub_folder = FOLDER / "hub"
    # Nothing else of the teacher's, such as a key: what is forked has all of it in its memory.
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
    # of the proxy and the hub: two a tab, of which a system's usual 1,024 are soon used up
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    env = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DAY9_CLASSROOM": str(hub_folder / "settings.json"),
        "PYTHONPATH": str(ROOT),
    }
    proxy = [sys.executable, "-m", "helpers.classroom.proxy"]
    hub = [sys.executable, "-m", "jupyterhub", "-f", str(Path(__file__).with_name("hub.py"))]
    with contextlib.ExitStack() as running:
        parts = []

        def start(name, command, before=None, **more):
            parts.append(Part(name, command, env, hub_folder, before, given["groups"], **more))
            running.callback(parts[-1].end)

        if sys.platform == "linux":
            # kept open here, so that one that is started again is found at the same address
            door = running.enter_context(forking.listen(f"day9-class-{secrets.token_hex(8)}"))
            env[forking.ADDRESS] = os.environ[forking.ADDRESS]
            # as kernels are started, which the debugger asks for
            warmed = [sys.executable, "-Xfrozen_modules=off", "-m", "helpers.classroom.warmed"]
            warmed += [str(door.fileno()), *given["groups"]]
            start("warmed process", warmed, pass_fds=[door.fileno()])
        for seat in seats.seats(given["seats"]):  # not when all come at once
            owner = seats.user_id(seat) if given["walls"] else None
            with contextlib.suppress(OSError):  # who comes into that seat is told, and the teacher
                seats.prepare(FOLDER / "seats" / seat, owner)
        # where its files went away, the proxy would not begin again
        at_hand = functools.partial(certificate, hub_folder, given["here"])
        ways = [given["doors"]["browsers"], given["doors"]["routes"]]
        start("proxy", proxy, at_hand if given["https"] else None, pass_fds=ways)
        start("hub", hub, pass_fds=[given["doors"]["hub"]])
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the same as Ctrl-C
        at, looked = given["here"], 0
        while True:
            for part in parts:
                part.see()
            for log in hub_folder.glob("*.log"):
                with contextlib.suppress(OSError):  # a full disk
                    shorten(log)
            if time.monotonic() > looked + EVERY:
                looked = time.monotonic()
                before, at = at, address.now(given["here"])
                if at != before:
                    print(address.told(given, at), flush=True)
            time.sleep(0.3)


def shorten(log):
    """Keep the end of a log that has more than LOG bytes: seats make theirs say as much as they
    want. Who writes into it appends.
    """
    if log.stat().st_size > LOG:
        with open(log, "a+b") as said:
            said.seek(-LOG // 10, os.SEEK_END)
            end = said.read(LOG // 10)
            said.truncate(0)
            said.write(end)


class Part:
    """A process that is to run for as long as the class; its words go into hub/NAME.log. before():
    what is to be done before each start. folders: those of the class's groups.
    """

    def __init__(self, name, command, env, folder, before=None, folders=(), **more):
        self.name, self.command, self.folder, self.before = name, command, folder, before
        self.folders = folders
        self.log = folder / f"{name}.log"
        # each reads that to its end, which comes with this process's
        self.more = {"env": env, "stdin": subprocess.PIPE, **more}
        self.starts, self.process = [], None
        self.start()

    def start(self):
        self.starts = [t for t in self.starts if time.monotonic() - t < MINUTE]
        if len(self.starts) >= TRIES:
            last = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            raise Trouble(
                "\n".join([f"the {self.name} does not stay up. It said:", *last]),
                "run this again; what learners wrote is kept.",
            )
        self.starts.append(time.monotonic())
        if self.before:
            self.before()
        with open(self.log, "a", encoding="utf-8") as said:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdout=said,
                stderr=said,
                **self.more,
                start_new_session=True,  # Ctrl-C reaches this process, which ends them in order
            )
        with contextlib.suppress(OSError):  # it has ended at once, which see() sees
            groups.enter(self.folders, groups.CLASS, pid=self.process.pid)

    def see(self):
        if self.process.poll() is not None:
            print(f"The {self.name} has ended and is started again.", flush=True)
            self.start()

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        sys.exit("start.py: {}\nCure: {}".format(*trouble.args))
    except KeyboardInterrupt:
        print("\nThe class has ended. What learners wrote is in class/.", flush=True)
