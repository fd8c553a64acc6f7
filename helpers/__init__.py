"""What the notebooks import. `connect()` starts the answers; the rest shows, prices and checks
them.

    import helpers
    from openai import OpenAI

    helpers.connect()
    client = OpenAI()

Each name is loaded when it is first used: `import helpers` costs nothing. What a theme shares is in
its folder, named as the notebooks' folder is; errors/ shows what stopped a cell; facts/ reads data/
and computes; local_api/ answers. Short names lead there, too: `from helpers import prices`
(common/moved.py).
"""

from __future__ import annotations

import importlib
import sys

from .common import moved  # noqa: F401 (importing it is what counts)

TYPE_CHECKING = False  # typing's own: to import it would cost more than all that is done here
if TYPE_CHECKING:
    from typing import Any

_HOME = {
    "connect": "connection",
    "show": "display",
    "wire": "display",
    "receipt": "receipts",
    "figure": "figures",
    "turn": "knobs",
    "check": "exercises",
    "hint": "exercises",
    "progress": "exercises.progress",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"helpers has no {name!r}; it has {', '.join(__all__)}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def _stopped(shell, kind, error, tb, tb_offset=None):
    from .errors import stopped

    stopped.show(shell, error)


def _tabled(data):
    from .common import tabled

    return tabled.frame(data)


def load_ipython_extension(shell: Any) -> None:
    """In a notebook, what stops a cell is told in a panel, and tables of pandas look like all of
    ours: also before connect(), which may be what is missing. The kernels of `start.py lab` load
    this when they start (lab_settings/kernels), so that a cell that is run before those above it is
    told so, too.
    """
    shell.set_custom_exc((Exception,), _stopped)
    as_html = shell.display_formatter.formatters["text/html"]
    for name in ("DataFrame", "Series"):
        for module in ("pandas", "pandas.core.frame", "pandas.core.series"):  # pandas 3, pandas 2
            as_html.for_type_by_name(module, name, _tabled)


if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()):
    load_ipython_extension(_shell)


def __dir__():
    return __all__
