"""How JupyterHub starts a seat: forked from the warmed process on Linux, by itself elsewhere."""

import asyncio
import contextlib
import os
from pathlib import Path
from urllib.parse import quote

from jupyterhub.spawner import LocalProcessSpawner, SpawnException
from traitlets import Bool, List, Unicode

from . import forking, groups, seats, warmed

ROOT = seats.ROOT


class Seat(LocalProcessSpawner):
    """A JupyterLab over a seat's folder. Where there are `walls`, it runs as a user of its own."""

    folder = Unicode(help="of the class").tag(config=True)
    runtime = Unicode(help="for sockets, whose paths are short").tag(config=True)
    groups = List(help="of all seats: the folders of groups.begin()").tag(config=True)
    walls = Bool(help="whether each seat has a user id of its own").tag(config=True)

    @property
    def home(self):
        return Path(self.folder) / "seats" / self.user.name

    @property
    def owner(self):
        """The user id of the seat."""
        return seats.user_id(self.user.name) if self.walls else os.getuid()

    def user_env(self, env):
        at = {
            "HOME": "",
            "JUPYTER_DATA_DIR": ".data",
            "JUPYTER_CONFIG_DIR": ".config",
            "IPYTHONDIR": ".ipython",
            "DAY9_MY_RECORDINGS": "my_recordings",
            "DAY9_MY_PROGRESS": "my_progress.txt",
            "DAY9_MY_MODELS": "my_models",
        }
        settings = str(ROOT / "helpers" / "lab_settings")
        parent = {k: os.environ[k] for k in (forking.ADDRESS,) if k in os.environ}
        return {
            **env,
            **parent,
            **{groups.VARIABLE: os.pathsep.join(self.groups)},
            **{name: str(self.home / place) for name, place in at.items()},
            "USER": self.user.name,
            "DAY9_DOOR": f"/user/{self.user.name}/day9-door",
            "SHELL": "/bin/sh",
            "JUPYTER_RUNTIME_DIR": str(self.short),
            # in /tmp a neighbour could have made what a program looks for there by name
            "TMPDIR": str(self.short),
            "JUPYTER_CONFIG_PATH": settings,
            "JUPYTER_PATH": settings,
            "JUPYTER_PREFER_ENV_PATH": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
        }

    @property
    def short(self):
        return Path(self.runtime) / self.user.name.removeprefix("seat")

    def get_args(self):
        return [
            *super().get_args(),
            "--ServerApp.jpserver_extensions={'helpers.classroom.door': True}",
            "--ServerApp.kernel_websocket_connection_class=helpers.classroom.door.Line",
            # a neighbour reads a kernel's code and output from a port, and not from a socket file
            "--KernelManager.transport=ipc",
            "--KernelManager.transport_encryption=disabled",  # that file is the seat's alone
            "--LanguageServerManager.autodetect=False",  # it would run npm in each seat
            # both are worked out as jupyterlab is imported, which was in the parent
            f"--LabApp.workspaces_dir={self.home / '.workspaces'}",
            f"--LabApp.user_settings_dir={self.home / '.settings'}",
            "--MappingKernelManager.cull_idle_timeout=1800",
            "--MappingKernelManager.cull_interval=120",
            *(
                ["--KernelSpecManager.kernel_spec_class=helpers.classroom.door.Spec"]
                if self.walls
                else []
            ),
            *(["--ServerApp.allow_root=True"] if os.getuid() == 0 and not self.walls else []),
        ]

    def make_preexec_fn(self, name):
        return lambda: (os.chdir(self.home), warmed.be_user(self.owner))

    async def start(self):
        try:
            seats.prepare(self.home, self.owner if self.walls else None)
        except OSError as error:
            self.authenticator.tell(
                f"{self.authenticator.who(self.user.name)} could not be made ready: {error}"
            )
            said = f"Your notebooks cannot be made ready: {error.strerror}. Tell your teacher."
            raise SpawnException(said, reason="folder") from None  # which JupyterHub's page shows
        self.short.mkdir(mode=0o700, exist_ok=True)
        if self.walls:
            os.chown(self.short, self.owner, self.owner)
        if forking.ADDRESS not in os.environ:
            return await super().start()
        log = Path(self.folder) / "hub" / f"{self.user.name}.log"
        with open(os.devnull, "rb") as nothing, open(log, "ab") as said:
            files = [nothing.fileno(), said.fileno(), said.fileno()]
            arguments = [str(self.owner), str(self.door), *self.get_args()]
            self.pid = forking.forked(warmed.SEAT, arguments, str(self.home), self.get_env(), files)
        await self.listens()
        return f"http+unix://{quote(str(self.door), '')}"

    async def stop(self, now=False):
        await super().stop(now)
        groups.clear(self.groups, self.user.name)

    @property
    def door(self):
        """The socket file at which the seat listens. It is the class's own, so that no seat fills
        another's with connections, and none puts a way elsewhere in its place.
        """
        return self.short.with_name(self.short.name + ".sock")

    async def listens(self):
        """Wait until the seat answers. JupyterHub would ask, too, at moments that it draws by lot
        and that are seconds apart where a whole class begins. Raises SpawnException.
        """
        while await self.poll() is None:
            with contextlib.suppress(OSError):  # not there yet, or it has ended
                back, line = await asyncio.open_unix_connection(self.door)
                with contextlib.closing(line):
                    line.write(b"GET / HTTP/1.0\r\n\r\n")
                    if await back.read(1):
                        return
            await asyncio.sleep(0.05)
        self.authenticator.tell(
            f"The seat of {self.authenticator.who(self.user.name)} ended as it began: its words "
            f"are in class/hub/{self.user.name}.log."
        )
        said = "Your seat ended as it began. Start it once more."
        raise SpawnException(said, reason="ended")  # which JupyterHub's page shows
