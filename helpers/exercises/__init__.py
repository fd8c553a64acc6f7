"""Exercises: `check` says in one sentence what differs, `hint` gives the next step.

Each theme's module registers its exercises; the solution stands in the notebook, folded away, and
tests/notebooks/test_cells.py proves that the starter fails and the solution passes.
"""

import functools
import importlib
import pkgutil

from .reasons import REASONS

_known = {}


def exercise(name, hint):
    """Register a checker: it takes the reader's answer and returns what differs, in a sentence, or
    None. Why the right answer is right stands in reasons.py.
    """

    def register(checker):
        _known[name] = (checker, hint)
        return checker

    return register


@functools.cache
def _load():
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return _known


def _find(name):
    try:
        return _load()[name]
    except KeyError:
        raise LookupError(
            f"There is no exercise {name!r}. There are: {', '.join(sorted(_load()))}."
        ) from None


def by_theme():
    """{theme: names of its exercises}, in the order of the notebooks."""
    themes = {}
    for name in REASONS:
        checker, _ = _load()[name]
        themes.setdefault(checker.__module__.rpartition(".")[2], []).append(name)
    return themes


def judge(answer, right, choices, why):
    """What differs where an exercise asks for one of `choices` under each name of `right`; None if
    nothing does.
    """
    for name, best in right.items():
        given = answer.get(name)
        if given is ... or given is None:
            return f"{name!r} is still open."
        if given not in choices:
            return f"{given!r} is none of {', '.join(choices[:-1])} and {choices[-1]}."
        if given != best:
            return f"{name!r}: {why[name]}."
    return None


def differs(name, answer):
    """The one thing in which `answer` differs from what solves the exercise, in a sentence; "" if
    nothing does.

    An answer of the wrong kind is told so, too. Raises LookupError for an unknown exercise.
    """
    checker, _ = _find(name)
    if answer is None or answer is ...:
        return "put your answer in place of the dots."
    try:
        return checker(answer) or ""
    except Exception as e:  # the reader's own code or value: say what it did
        return f"your answer raised {type(e).__name__}: {e}"


def check(name, answer):
    """Print that `answer` solves the exercise and why it does, or the one thing that differs. What
    is passed is remembered for progress().

    Raises LookupError for an unknown exercise.
    """
    if wrong := differs(name, answer):
        print(f"Not yet: {wrong}")
        return
    from .progress import keep

    print("\n".join(filter(None, [f"Right. {REASONS[name]}", keep(name)])))


def hint(name):
    """Print the hint of an exercise. Raises LookupError for an unknown one."""
    print(_find(name)[1])
