"""Names of other libraries that are theirs to change: where one is gone, we say so at once and
where.
"""

from __future__ import annotations


def must_have(owner: object, *names: str) -> None:
    """Raise ImportError unless `owner`, a module, class or object of another library, has all
    names.
    """
    lost = [name for name in names if not hasattr(owner, name)]
    if lost:
        whose = getattr(owner, "__name__", None) or type(owner).__qualname__
        raise ImportError(
            f"{whose} no longer has {', '.join(lost)}, which the code that was just loaded replaces or "
            "reads: install the versions of requirements.lock, or mend that code for the new one."
        )
