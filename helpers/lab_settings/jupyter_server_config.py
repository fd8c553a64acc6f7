# JupyterLab as `start.py lab` starts it: it asks nothing of the network, and nothing of the reader.
# The server reads this file before it starts JupyterLab, and hands the rest on.
c = get_config()  # noqa: F821  given by Jupyter

c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"  # the other one lists extensions from the network

c.ServerApp.answer_yes = True  # Ctrl-C ends it at once
c.Application.log_level = 40  # the address still shows, and errors
