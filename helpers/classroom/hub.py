"""JupyterHub's settings for a class, read by `jupyterhub -f`; __main__.py writes what they need
into a file that DAY9_CLASSROOM names.
"""

import json
import os
import sys
from pathlib import Path

import tornado.httpserver
from jupyterhub import orm

from helpers.classroom import address, end_with_class, entry, opened, peers, seats, spawner, watch

c = get_config()  # noqa: F821 (given by JupyterHub)
end_with_class()
given = json.loads(Path(os.environ["DAY9_CLASSROOM"]).read_text(encoding="utf-8"))
folder = Path(given["folder"])


class Server(peers.Server):
    """What JupyterHub listens with: at the door that is held open for it. Nothing that it is sent
    is longer than a form.
    """

    def initialize(self, *given, **more):
        super().initialize(*given, **more, max_body_size=peers.FORM)

    def listen(self, port, address=None):
        self.add_socket(opened(given, "hub"))


tornado.httpserver.HTTPServer = Server


def shortened(_, said, *__):
    """A cookie, which a browser may set to anything: SQLite keeps more than a column may have."""
    return said and said[: orm.APIToken.session_id.type.length]


for column in (orm.APIToken.session_id, orm.OAuthCode.session_id):
    orm.event.listen(column, "set", shortened, retval=True)

c.JupyterHub.spawner_class = spawner.Seat
c.Seat.folder, c.Seat.runtime, c.Seat.walls = given["folder"], given["runtime"], given["walls"]
c.Seat.groups = given["groups"]
c.Spawner.notebook_dir = str(folder / "seats" / "{username}")
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.Spawner.env_keep = ["PATH", "LANG", "LC_ALL"]
c.Spawner.disable_user_config = True
c.LocalProcessSpawner.interrupt_timeout = c.LocalProcessSpawner.term_timeout = 5
c.JupyterHub.concurrent_spawn_limit = 0
c.JupyterHub.template_paths = [str(Path(given["runtime"], "pages"))]
c.JupyterHub.template_vars = {
    "disk_is_full": lambda user: watch.full(folder),
    "unlimited": watch.UNLIMITED,
}

c.JupyterHub.authenticator_class = entry.ClassWord
c.ClassWord.given = given
c.Authenticator.allowed_users = {*seats.seats(given["seats"]), seats.TEACHER}
c.Authenticator.admin_users = {seats.TEACHER}

c.JupyterHub.bind_url = address.url(given)
c.JupyterHub.hub_port = given["hub_port"]
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{given['proxy_port']}"
c.ConfigurableHTTPProxy.auth_token = given["proxy_token"]
c.JupyterHub.db_url = f"sqlite:///{folder}/hub/hub.sqlite"
c.JupyterHub.upgrade_db = True  # of a class that an older JupyterHub has held
c.JupyterHub.cookie_secret_file = str(folder / "hub" / "cookie_secret")
c.JupyterHub.log_level = 30
# "self" without tokens: each learner could put any number, with notes of any length, into the hub's
# database
own = [f"{what}!user" for what in ("read:users", "users:activity", "servers", "access:servers")]
c.JupyterHub.load_roles = [{"name": "user", "scopes": own}]
