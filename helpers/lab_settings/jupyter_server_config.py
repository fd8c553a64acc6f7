# JupyterLab as `start.py lab` starts it: it asks nothing of the network, and nothing of the reader.
# The server reads this file before it starts JupyterLab, and hands the rest on.
import datetime
import errno
import os
import platform
import re
import sqlite3
from pathlib import Path

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat.sign import NotebookNotary, SQLiteSignatureStore
from tornado import web
from traitlets import default

c = get_config()  # noqa: F821  given by Jupyter

c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"  # the other one lists extensions from the network

c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(Path(__file__).with_name("custom"))]}

c.ServerApp.answer_yes = True  # Ctrl-C ends it at once
c.Application.log_level = 40  # the address still shows, and errors

# What a kernel and its page say to each other goes through ports of this machine: other users of it
# could read that, and kernels would warn of it in the terminal. It is encrypted on every system.
c.KernelManager.transport_encryption = "auto"

# In Codespaces a browser knows this server by another name than the one it is asked by, and would
# else be refused each kernel as a stranger's page.
codespace = ("CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
if os.environ.keys() >= {*codespace}:
    name, domain = (re.escape(os.environ[key]) for key in codespace)
    c.ServerApp.allow_origin_pat = rf"https://{name}-\d+\.{domain}"


FULL = (errno.ENOSPC, errno.EDQUOT)


class Checkpoints(AsyncFileCheckpoints):
    """JupyterLab keeps a copy of each notebook that it opens, by itself, and opens none that cannot
    be copied: where the disk is full, for an "unhandled error".
    """

    async def create_checkpoint(self, contents_mgr, path):
        try:
            return await super().create_checkpoint(contents_mgr, path)
        except OSError as error:
            if error.errno not in FULL:
                raise
            now = datetime.datetime.now(datetime.timezone.utc)
            return {"id": "checkpoint", "last_modified": now}


class Signatures(SQLiteSignatureStore):
    """JupyterLab notes which notebooks it has signed, and when it last saw one. Where the disk is
    full it cannot, and without this would open no notebook, for an "unhandled error".
    """

    def store_signature(self, digest, algorithm):
        try:
            super().store_signature(digest, algorithm)
        except sqlite3.OperationalError:
            self.db.rollback()

    def check_signature(self, digest, algorithm):
        try:
            return super().check_signature(digest, algorithm)
        except sqlite3.OperationalError:
            self.db.rollback()
            asked = "SELECT id FROM nbsignatures WHERE algorithm = ? AND signature = ?"
            return bool(self.db.execute(asked, (algorithm, digest)).fetchone())


class Notebooks(AsyncLargeFileManager):
    """Ours are stored with all that JupyterLab writes into a notebook when its kernel starts,
    except the Python's version: that of the reader's own is put in here. Otherwise each would be
    "unsaved" as soon as it is opened.
    """

    @default("notary")
    def _notary(self):
        notary = NotebookNotary(parent=self)
        notary.store.close()
        notary.store = Signatures(notary.db_file)
        return notary

    async def get(self, path, content=True, type=None, **more):
        model = await super().get(path, content, type, **more)
        if model["type"] == "notebook" and content:
            language = model["content"]["metadata"].get("language_info", {})
            if language.get("name") == "python":
                language["version"] = platform.python_version()
        return model

    async def save(self, model, path=""):
        """Where the disk is full, the page shows what it means."""
        try:
            return await super().save(model, path)
        except web.HTTPError as refused:
            if getattr(refused.__cause__, "errno", None) not in FULL:
                raise
            raise web.HTTPError(
                507,
                f"The disk is full: {Path(path).name} is not saved. What you wrote is in this tab: "
                "keep it open. It is saved as soon as there is room, by itself or with File, Save.",
            ) from None


c.ServerApp.contents_manager_class = Notebooks
c.ContentsManager.checkpoints_class = Checkpoints
