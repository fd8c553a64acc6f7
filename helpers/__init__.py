"""What the notebooks import. `connect()` starts the answers; the rest shows, prices and checks them.

    import helpers
    from openai import OpenAI

    helpers.connect()
    client = OpenAI()

Each name is loaded when it is first used: `import helpers` costs nothing.
"""

import importlib

_HOME = {
    "connect": "connection",
    "show": "display",
    "wire": "display",
    "receipt": "receipts",
    "figure": "figures",
    "turn": "knobs",
    "check": "exercises",
    "hint": "exercises",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"helpers has no {name!r}; it has {', '.join(__all__)}")
    found = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__():
    return __all__
