"""Old names of modules, which notebooks use and readers keep in their own: `from helpers import
prices`, `import helpers.prices`.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # typing's own would be loaded with `import helpers`
if TYPE_CHECKING:
    from types import CodeType, ModuleType

_HOUSE = __package__.rpartition(".")[0]  # helpers

# {old name: where the module is now}, below helpers; submodules of a package follow it.
# `dpo` is not here: helpers/dpo has the names that it had.
MOVED = {
    "bills": "costs.bills",
    "budgets": "costs.budgets",
    "clients": "sdks.clients",
    "coloured": "common.coloured",
    "console": "common.console",
    "constrained": "o1.constrained",
    "dates": "facts.dates",
    "exercises.preferences": "exercises.dpo",
    "form_review": "o1.form_review",
    "forms": "facts.forms",
    "frameworks": "sdks.frameworks",
    "grading": "o1.grading",
    "hear": "realtime.hear",
    "labelling": "dpo.labelling",
    "left_out": "common.left_out",
    "local_api.realtime.hearing": "facts.hearing",
    "loopback": "facts.loopback",
    "migration": "sdks.migration",
    "once": "common.once",
    "panels": "errors.panels",
    "pictures": "o1.pictures",
    "power": "dpo.power",
    "preference_file": "facts.preference_file",
    "prices": "facts.prices",
    "private": "common.private",
    "reindeer": "realtime.reindeer",
    "shown": "common.shown",
    "sketch": "common.sketch",
    "sounds": "facts.sounds",
    "spoken": "common.spoken",
    "stats": "facts.stats",
    "stopped": "errors.stopped",
    "tax": "facts.tax",
    "tokens": "facts.tokens",
    "transports": "realtime.transports",
    "tuning_live": "dpo.tuning_live",
    "turn_taking": "realtime.turn_taking",
    "voice_client": "realtime.voice_client",
    "voice_costs": "costs.voice_costs",
    "voice_pages": "realtime.voice_pages",
    "whole_file": "facts.whole_file",
}
_FULL = {f"{_HOUSE}.{old}": f"{_HOUSE}.{new}" for old, new in MOVED.items()}


def home(name: str) -> str | None:
    """The full name of the module that an old full name means, or None."""
    if not name.startswith(f"{_HOUSE}."):  # asked of every import of the process
        return None
    for old, new in _FULL.items():
        if name == old or name.startswith(old + "."):
            return new + name[len(old) :]
    return None


class Finder:
    """Finds a module under its old name: the very module of the new one, not a second copy."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        new = home(name)
        return ModuleSpec(name, Loader(new)) if new else None  # type: ignore[arg-type]


class Loader:
    """Gives the module itself under its old name: a change under one shows under the other."""

    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import has put that of the old name there

    def get_code(self, name: str) -> CodeType:
        """What `python -m` runs."""
        return compile(
            f"import runpy; runpy.run_module({self.name!r}, run_name='__main__')", name, "exec"
        )


sys.meta_path.insert(0, Finder)
