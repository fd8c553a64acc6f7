# For The Littlest JupyterHub: /opt/tljh/config/jupyterhub_config.d/day9.py. Each user's server is
# then the collection's own, begun as in the image; the collection lies in ROOT.
ROOT = "/srv/day9"
c = get_config()  # noqa: F821  given by JupyterHub

c.SystemdSpawner.extra_paths = [ROOT + "/.venv/bin"]  # in the place of /opt/tljh/user/bin
c.Spawner.cmd = [
    ROOT + "/notebooks/teaching/cluster/start-seat",
    "jupyterhub-singleuser",
    # users share this machine: what a kernel shows could be read from a port by all of them
    "--KernelManager.transport=ipc",
]
c.Spawner.default_url = "/lab/tree/day9/notebooks/00_start_here.ipynb"
