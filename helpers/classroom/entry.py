"""The door of a class: the class word and a name give a seat, the name and its PIN give it again.
And two pages: a learner's seat, and the teacher's class.
"""

import asyncio
import collections
import os
import secrets
import sys
import time
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado import web
from traitlets import Any, Dict, default

from . import seats

DONE = {
    "reset": "is as it was given.",
    "catch_up": "has the solutions so far.",
}


class ClassWord(Authenticator):
    """Lets in who knows the class word, and the teacher, who knows another one."""

    given = Dict(help="what __main__.py has written down").tag(config=True)
    roster = Any()
    told = Any()  # lines for the teacher, the newest last

    @default("roster")
    def _roster(self):
        return seats.Roster(Path(self.given["folder"]) / "hub" / "roster.json", self.given["seats"])

    @default("told")
    def _told(self):
        return collections.deque(maxlen=20)

    def get_handlers(self, app):
        return [("/login", Entry), ("/seat", Seat), ("/class", Class)]

    def tell(self, line):
        self.told.append(f"{time.strftime('%H:%M:%S')} {line}")

    async def authenticate(self, handler, data):
        """The seat of who asks, which is JupyterHub's name for a user. Refuses with a sentence."""
        name, word = data.get("username", ""), data.get("word", "").strip()
        try:
            if name.strip().casefold() == seats.TEACHER:
                if not same(word, self.given["teacher_word"]):
                    raise seats.Refused("That is not the teacher's word.")
                return seats.TEACHER
            if not same(word.casefold(), self.given["word"]):
                raise seats.Refused(
                    "That is not the class word. It stands on your teacher's screen."
                )
            return self.roster.take(name, data.get("pin", ""))
        except seats.Refused as refused:
            self.tell(f"{name[:40]!r} was not let in: {refused}")
            # the form shows it; JupyterHub formats it before
            raise web.HTTPError(403, str(refused).replace("%", "%%")) from None


def same(one, other):
    return secrets.compare_digest(one.encode(), other.encode())


class Entry(LoginHandler):
    """The form. A new seat is shown with its PIN, the teacher the class."""

    def get_next_url(self, user=None, default=None):
        place = "class" if user and user.admin else "seat"
        return url_path_join(self.hub.base_url, place)


class Page(BaseHandler):
    @property
    def given(self):
        return self.authenticator.given

    def home_of(self, seat):
        return Path(self.given["folder"]) / "seats" / seat

    async def show(self, template, **what):
        page = await self.render_template(template, given=self.given, **what)
        self.finish(page)


class Seat(Page):
    """Who one is here, one's PIN, and what can be done with one's notebooks."""

    @web.authenticated
    async def get(self):
        await self.shown("")

    @web.authenticated
    async def post(self):
        action, notebook = self.get_body_argument("do"), self.get_body_argument("notebook")
        if action not in DONE or notebook not in seats.notebooks():
            raise web.HTTPError(400, f"There is no {notebook!r} to {action!r}.")
        said = await as_seat(self.home_of(self.current_user.name), action, notebook)
        if said:
            self.authenticator.tell(f"{self.current_user.name}: {action} {notebook}: {said}")
        name = notebook.removeprefix("notebooks/")
        await self.shown(
            f"It did not work: {said}"
            if said
            else f"{name} {DONE[action]} What you had is beside it, as .mine-1 or the next number. "
            "If it is open, close it without saving and open it again."
        )

    async def shown(self, said):
        seat = self.current_user.name
        sitting = self.authenticator.roster.sitting.get(seat, seats.Sitting(seat, ""))
        await self.show(
            "seat.html",
            seat=seat,
            sitting=sitting,
            notebooks=seats.notebooks(),
            said=said,
            own=os.path.exists(self.home_of(seat)),
            xsrf=self.xsrf_token.decode("ascii"),
        )


class Class(Page):
    """The teacher's page: who is where, which checks pass, and what went wrong."""

    @web.authenticated
    async def get(self):
        if not self.current_user.admin:
            raise web.HTTPError(403, "This page is the teacher's.")
        rows = [self.row(*taken) for taken in self.authenticator.roster.sitting.items()]
        if self.get_query_argument("json", ""):
            self.finish({"seats": rows, "told": list(self.authenticator.told)})
            return
        await self.show(
            "class.html",
            rows=rows,
            told=reversed(self.authenticator.told),
            xsrf=self.xsrf_token.decode("ascii"),
        )

    @web.authenticated
    async def post(self):
        """Open a seat again that wrong PINs have closed."""
        if not self.current_user.admin:
            raise web.HTTPError(403, "This page is the teacher's.")
        self.authenticator.roster.wrong.pop(self.get_body_argument("seat"), None)
        self.redirect(self.request.uri)

    def row(self, seat, sitting):
        notebook, passed = seats.where(self.home_of(seat))
        user = self.find_user(seat)
        return {
            "seat": seat,
            **sitting._asdict(),
            "running": bool(user and user.running),
            "notebook": notebook,
            "passed": passed,
            "closed": self.authenticator.roster.wrong.get(seat, 0) >= seats.PATIENCE,
        }


async def as_seat(home, action, notebook):
    """Run `python -m helpers.classroom.seats ACTION NOTEBOOK` as the user whose folder it is.
    Returns why it failed, or "".
    """
    stated = home.stat()
    owner = stated.st_uid if os.getuid() == 0 else None
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "helpers.classroom.seats",
        action,
        notebook,
        cwd=home,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(seats.ROOT), "HOME": str(home)},
        stderr=asyncio.subprocess.PIPE,
        user=owner,
        group=owner,
        extra_groups=None if owner is None else [],
    )
    said = (await process.communicate())[1].decode(errors="replace").strip()
    return said.splitlines()[-1] if process.returncode else ""
