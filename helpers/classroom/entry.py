"""The door of a class: the class word and a name give a seat, the name and its PIN give it again.
And two pages: a learner's seat, and the teacher's class.
"""

import asyncio
import contextlib
import json
import os
import re
import secrets
import sys
import time
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado import web, websocket
from traitlets import Any, Dict, Set, default

from . import address, seats, warmed, watch

TOLD = 30  # lines for the teacher
ACTIONS = {"reset": "begin anew", "catch_up": "catch up to"}
PATIENCE = 60  # seconds for one of these, whose process its learner can stop
SAID = 1_000  # bytes of what it says, into which its learner can speak


class ClassWord(Authenticator):
    """Lets in who knows the class word, and the teacher, who knows another one."""

    given = Dict(help="what __main__.py has written down").tag(config=True)
    roster = Any()
    busy = Set(help="seats whose notebooks are being worked on")
    told = Dict(help="{line for the teacher: (when, how often)}, the newest last")
    watch = Any()

    @default("roster")
    def _roster(self):
        return seats.Roster(Path(self.given["folder"]) / "hub" / "roster.json", self.given["seats"])

    def get_handlers(self, app):
        """Called once, where the hub begins: the watch begins, too."""

        def servers():
            return [s.pid for user in app.users.values() for s in user.spawners.values()]

        self.watch = watch.Watch(self.given, self.tell, self.who, servers)
        self.watching = asyncio.ensure_future(self.watch.run())  # kept, else it may be collected
        return [("/login", Entry), ("/seat", Seat), ("/line", Line), ("/class", Class)]

    @property
    def kept(self):
        return Path(self.given["runtime"]) / "told.json"

    @default("told")
    def _told(self):
        """What the hub before has told, where this one is started again in the same class."""
        try:
            return json.loads(self.kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def who(self, seat):
        """Who sits there, for the teacher."""
        return f"{self.roster.sitting.get(seat, seats.Sitting(seat, '')).name} ({seat})"

    def tell(self, line):
        """Tell the teacher; what was told before is there once, with how often it was."""
        _, before = self.told.pop(line, ("", 0))
        self.told[line] = time.strftime("%H:%M:%S"), before + 1
        while len(self.told) > TOLD:
            del self.told[next(iter(self.told))]
        with contextlib.suppress(OSError):  # a full disk
            seats.write(self.kept, self.told)

    def lines(self):
        """What the teacher is told, the newest first."""
        return [
            f"{when} {line}" + (f" ({often} times)" if often > 1 else "")
            for line, (when, often) in reversed(self.told.items())
        ]

    async def authenticate(self, handler, data):
        """The seat of who asks, which is JupyterHub's name for a user. Refuses with a sentence."""
        name, word = data.get("username", ""), data.get("word", "").strip()
        try:
            if name.strip().casefold() == seats.TEACHER:
                if not same(word, self.given["teacher_word"]):
                    raise seats.Refused("That is not the teacher's word.")
                return seats.TEACHER
            if not same(letters(word), letters(self.given["word"])):
                raise seats.Refused(
                    "That is not the class word. It stands on your teacher's screen."
                )
            return self.roster.take(name, data.get("pin", ""))
        except seats.Refused as refused:
            self.tell(f"{name[:40]!r} was not let in: {refused.told}")
            # the form shows it; JupyterHub formats it before
            raise web.HTTPError(403, str(refused).replace("%", "%%")) from None


def same(one, other):
    return secrets.compare_digest(one.encode(), other.encode())


def letters(word):
    """A class word without what people and telephones put between its parts."""
    return re.sub(r"[\W_]+", "", word).casefold()


class Entry(LoginHandler):
    """The form. A new seat is shown with its PIN, the teacher the class."""

    def get_next_url(self, user=None, default=None):
        place = "class" if user and user.admin else "seat"
        return url_path_join(self.hub.base_url, place)


class Page(BaseHandler):
    @property
    def given(self):
        return self.authenticator.given

    @property
    def address(self):
        """By which browsers come."""
        return address.url(self.given, address.now(self.given["here"]))

    def home_of(self, seat):
        return Path(self.given["folder"]) / "seats" / seat

    def taken(self, seat):
        """What a seat has of its share, for a page: "" or a size in words."""
        taken, share = self.authenticator.watch.taken.get(seat, watch.Taken()), self.given["share"]
        return {
            "full": watch.size(taken.disk) if taken.full else "",
            "heavy": watch.size(taken.memory) if taken.heavy else "",
            "share": watch.Share(*map(watch.size, share)),
        }

    async def show(self, template, **what):
        name = self.current_user.name
        self.set_cookie(
            seats.TICKET,
            seats.ticket(self.given["key"], name),
            path=f"/user/{name}",
            expires_days=14,  # as JupyterHub's own
            httponly=True,
            samesite="Lax",
            secure=self.given["https"],
        )
        page = await self.render_template(template, given=self.given, address=self.address, **what)
        self.finish(page)


class Seat(Page):
    """Who one is here, one's PIN, and what can be done with one's notebooks."""

    @web.authenticated
    async def get(self):
        await self.shown("")

    @web.authenticated
    async def post(self):
        action, notebook = self.get_body_argument("do"), self.get_body_argument("notebook")
        if action not in ACTIONS or notebook not in seats.notebooks():
            raise web.HTTPError(400, f"There is no {notebook!r} to {action!r}.")
        seat, busy = self.current_user.name, self.authenticator.busy
        if seat in busy:
            await self.shown("What you asked for before is not done yet: wait for it.")
            return
        busy.add(seat)
        try:
            worked, said = await as_seat(self.given, seat, action, notebook)
        finally:
            busy.remove(seat)
        if not worked:
            who = self.authenticator.who(seat)
            self.authenticator.tell(f"{who}: {ACTIONS[action]} {notebook}: {said}")
            said = f"It did not work: {said}"
        await self.shown(said)

    async def shown(self, said):
        seat = self.current_user.name
        sitting = self.authenticator.roster.sitting.get(seat, seats.Sitting(seat, ""))
        home = self.home_of(seat)
        await self.show(
            "seat.html",
            seat=seat,
            sitting=sitting,
            notebooks=seats.notebooks(),
            said=said,
            missing=seats.missing(home) if home.exists() else 0,
            changed=self.authenticator.watch.changed,
            **self.taken(seat),
            xsrf=self.xsrf_token.decode("ascii"),
        )


class Line(websocket.WebSocketHandler, Page):
    """A WebSocket that the page of a seat opens to see whether any comes through, as kernels need
    one; where none does, the page posts that here.
    """

    max_message_size = 1_000  # bytes: it says nothing

    @web.authenticated
    async def get(self):
        await super().get()

    @web.authenticated
    async def post(self):
        seat = self.current_user.name
        self.authenticator.tell(
            f"{self.authenticator.who(seat)}: no WebSocket comes through to that "
            "browser, so that its cells wait for ever. A proxy or a virus scanner stops them: "
            f"exempt {self.address} there, use another network, or begin the class with "
            "--https, which most let through."
        )
        self.finish("")


class Class(Page):
    """The teacher's page: who is where, which checks pass, and what went wrong."""

    @web.authenticated
    async def get(self):
        if not self.current_user.admin:
            raise web.HTTPError(403, "This page is the teacher's.")
        rows = [self.row(*taken) for taken in self.authenticator.roster.sitting.items()]
        if self.get_query_argument("json", ""):
            self.finish({"seats": rows, "told": self.authenticator.lines()})
            return
        await self.show(
            "class.html",
            rows=rows,
            shut=self.authenticator.roster.shut.exists(),
            told=self.authenticator.lines(),
            xsrf=self.xsrf_token.decode("ascii"),
        )

    @web.authenticated
    async def post(self):
        """Open a seat again that wrong PINs have closed; free one; let new names in, or none."""
        if not self.current_user.admin:
            raise web.HTTPError(403, "This page is the teacher's.")
        roster, asked = self.authenticator.roster, self.get_body_argument
        roster.wrong.pop(asked("again", ""), None)
        try:
            if asked("free", "") in roster.sitting:
                await self.free(asked("free"))
            if new := asked("new", ""):
                roster.shut.unlink(missing_ok=True) if new == "yes" else roster.shut.touch()
        except OSError as error:
            self.authenticator.tell(f"That did not work: {error}.")
        self.redirect(self.request.uri)

    async def free(self, seat):
        """Let the next new name have a seat. Who sits there has come in for the last time; what
        they wrote is moved aside, to where the next one, who is the same user, cannot look.
        """
        user, home, who = self.find_user(seat), self.home_of(seat), self.authenticator.who(seat)
        if user and user.spawner.pending:
            self.authenticator.tell(f"The seat of {who} is just starting or stopping: wait for it.")
            return
        if user:
            if user.running:
                await self.stop_single_user(user)
            await user.delete_spawners()
            self.users.delete(user)  # and with it what lets their browser in
        await asyncio.to_thread(self.authenticator.watch.end, seat)
        kept = seats.keep(home)
        if kept:
            os.chown(kept, os.getuid(), os.getgid())
            kept.chmod(0o700)
        self.authenticator.roster.free(seat)
        owner = seats.user_id(seat) if self.given["walls"] else None
        with contextlib.suppress(OSError):  # who comes into that seat is told, and the teacher
            await asyncio.to_thread(seats.prepare, home, owner)
        left = f" What they wrote is in {kept}." if kept else ""
        self.authenticator.tell(f"You have freed the seat of {who}.{left}")

    def row(self, seat, sitting):
        notebook, passed = seats.where(self.home_of(seat))
        user, home = self.find_user(seat), self.home_of(seat)
        return {
            "seat": seat,
            **sitting._asdict(),
            **self.taken(seat),
            "missing": seats.missing(home) if home.exists() else 0,
            "running": bool(user and user.running),
            "notebook": notebook,
            "passed": passed,
            "closed": self.authenticator.roster.wrong.get(seat, 0) >= seats.PATIENCE,
        }


async def as_seat(given, seat, action, notebook):
    """Run `python -m helpers.classroom.seats` as the seat's user. Returns whether it worked, and a
    sentence for the learner.
    """
    home = Path(given["folder"]) / "seats" / seat
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "helpers.classroom.seats",
            str(home),
            action,
            notebook,
            cwd=seats.ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(seats.ROOT), "HOME": str(home)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=warmed.becomes(given, seat),
        )
    except OSError as error:
        return False, f"{error.strerror}."
    try:
        async with asyncio.timeout(PATIENCE):
            said = await process.stdout.read(SAID)
            await process.wait()
    except TimeoutError:
        process.kill()
        return False, f"It was not done after {PATIENCE} seconds."
    lines = said.decode(errors="replace").strip().splitlines()
    return not process.returncode, (lines or ["nobody said why."])[-1]
