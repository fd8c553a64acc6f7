# JupyterLab as `start.py lab` starts it: it asks nothing of the network, and nothing of the reader.
# The server reads this file before it starts JupyterLab, and hands the rest on.
import os
import platform
import re
from pathlib import Path

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

c = get_config()  # noqa: F821  given by Jupyter

c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"  # the other one lists extensions from the network

c.LabApp.custom_css = True
c.ServerApp.tornado_settings = {"static_custom_path": [str(Path(__file__).with_name("custom"))]}

c.ServerApp.answer_yes = True  # Ctrl-C ends it at once
c.Application.log_level = 40  # the address still shows, and errors

# In Codespaces a browser knows this server by another name than the one it is asked by, and would
# else be refused each kernel as a stranger's page.
codespace = ("CODESPACE_NAME", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN")
if os.environ.keys() >= {*codespace}:
    name, domain = (re.escape(os.environ[key]) for key in codespace)
    c.ServerApp.allow_origin_pat = rf"https://{name}-\d+\.{domain}"


class Notebooks(AsyncLargeFileManager):
    """Ours are stored with all that JupyterLab writes into a notebook when its kernel starts,
    except the Python's version: that of the reader's own is put in here. Otherwise each would be
    "unsaved" as soon as it is opened.
    """

    async def get(self, path, content=True, type=None, **more):
        model = await super().get(path, content, type, **more)
        if model["type"] == "notebook" and content:
            language = model["content"]["metadata"].get("language_info", {})
            if language.get("name") == "python":
                language["version"] = platform.python_version()
        return model


c.ServerApp.contents_manager_class = Notebooks
