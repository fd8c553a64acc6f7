"""Notebooks as learners leave them: cells changed, run, and what came of each.

A notebook is run once, from the top. Before each cell that an edit begins with, the process forks;
the copy runs the changed cell and those after it up to the end of its section, tells what came, and
ends. So no edit sees another's names, and each costs its own cells alone. `python -m
tests.tools.edited 00_start_here ...` prints what came of each.

The edits stand in tests/data/edits, one file a notebook:

    [[cell]]
    has = 'day = "2024-12-17"'            words by which the cell is found
    then = ["import datetime"]            optional: words of the cells run after it, in the place of
                                          the section's rest
    check = "str(day) in said"            optional: what must hold after each edit that is answered;
                                          `said` is all output
    edits = [                             what is replaced, by what, the verdict, words that come
      ["2024-12-17", "1815-12-10", "answered", "Sunday"],
    ]

An empty `old` puts `new` behind the cell's own text; a list of pairs in the place of `old` makes
several changes, of which one may name another cell: [["cell's words", "old", "new"]].
"""

import contextlib
import faulthandler
import gc
import html
import json
import os
import re
import sys
import tempfile
import tomllib
import traceback
from pathlib import Path

import psutil

from tests import forked
from tests.tools import refresh

TABLE = refresh.ROOT / "tests" / "data" / "edits"
PATIENCE = 90  # seconds for one edit
SOONER = {"DAY9_PATIENCE": "3"}
VERDICTS = ("answered", "panel", "refused", "told", "traceback")
ANSWERED, PANEL, REFUSED, TOLD, TRACEBACK = VERDICTS


def table(stem):
    """The edits of a notebook: dicts with `cell`, `changes` [(cell's words, old, new)], `then`,
    `check`, `verdict`, `words`.
    """
    file = TABLE / f"{stem}.toml"
    if not file.is_file():
        return []
    made = []
    for group in tomllib.loads(file.read_text(encoding="utf-8"))["cell"]:
        for old, new, verdict, *words in group["edits"]:
            pairs = [[old, new]] if isinstance(old, str) else old
            made.append(
                {
                    "cell": group["has"],
                    "changes": [p if len(p) == 3 else [group["has"], *p] for p in pairs],
                    "then": group.get("then"),
                    "check": group.get("check"),
                    "verdict": verdict,
                    "words": words,
                }
            )
    return made


def place(cells, words):
    """The number of the first code cell with these words. LookupError where there is none."""
    for i, cell in enumerate(cells):
        if cell.cell_type == "code" and words in cell.source:
            return i
    raise LookupError(f"no cell has {words!r}")


def plan(nb, edit):
    """(number of the first changed cell, [(number, source) to run]) of an edit."""
    changed = {}
    for words, old, new in edit["changes"]:
        at = place(nb.cells, words)
        source = changed.get(at, nb.cells[at].source)
        if old not in source:
            raise LookupError(f"{old!r} is not in the cell with {words!r}")
        changed[at] = source.replace(old, new) if old else f"{source}\n{new}"
    first = min(changed)
    if edit["then"] is None:
        last = max(changed)
        after = [i for i in range(first, len(nb.cells)) if i <= last or not _heading(nb, last, i)]
    elif edit["then"] == "all":
        after = range(first, len(nb.cells))
    else:
        after = sorted({*changed, *(place(nb.cells, words) for words in edit["then"])})
    return first, [
        (i, changed.get(i, nb.cells[i].source)) for i in after if nb.cells[i].cell_type == "code"
    ]


def _heading(nb, last, i):
    """Whether a section begins between two cells."""
    return any(
        c.cell_type == "markdown" and re.search(r"^## ", c.source, re.M)
        for c in nb.cells[last + 1 : i + 1]
    )


def outcomes(stem):
    """[(edit, verdict, all output)] of a notebook's edits, in the order of the table. RuntimeError
    with the traceback where they could not be run.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        # where a test before has called connect(), the SDK is told whom to ask
        env = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
        pid = forked.forked(__name__, [stem, str(told)], str(refresh.ROOT), env | SOONER)
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait()
        found = json.loads(told.read_text(encoding="utf-8"))
    if isinstance(found, str):
        raise RuntimeError(found)
    return [(edit, *came) for edit, came in zip(table(stem), found, strict=True)]


# --- in the process that is forked for a notebook -------------------------------------------------


def main(arguments):
    """Write what came of a notebook's edits to a file, as JSON, or else what stopped them."""
    stem, told = arguments
    try:
        found = _outcomes(refresh.NOTEBOOKS / f"{stem}.ipynb", table(stem))
    except BaseException:
        found = traceback.format_exc()
    Path(told).write_text(json.dumps(found), encoding="utf-8")
    os._exit(0)  # what the process has taken over from its parent is not its own to end


def _outcomes(path, edits):
    nb = refresh.read(path)
    plans = [plan(nb, edit) for edit in edits]
    shell = _shell(path)
    found = [None] * len(edits)
    for i, cell in enumerate(nb.cells):
        for n, (first, run) in enumerate(plans):
            if first == i:
                found[n] = _apart(lambda: _outcome(shell, nb, run, edits[n]["check"]))
        if cell.cell_type == "code" and any(first > i for first, _ in plans):
            _run(shell, cell.source)
    return found


def stem(path):
    return path.relative_to(refresh.NOTEBOOKS).with_suffix("").as_posix()


def _shell(path):
    from IPython.core.interactiveshell import InteractiveShell

    # its first import shows errors in panels, in the shell that is there then
    assert "helpers" not in sys.modules, "helpers are to be imported by the notebook"
    os.chdir(path.parent)
    sys.path[:0] = [str(path.parent), str(refresh.ROOT)]  # as a kernel that starts in its folder
    shell = InteractiveShell.instance(colors="nocolor", history_length=0)
    shell.history_manager.enabled = False
    _use(shell)
    return shell


def _use(shell):
    """What a first use costs is paid here, and not in each copy."""
    import ipywidgets  # noqa: F401
    from IPython.utils.capture import capture_output

    from helpers.errors import stopped

    with capture_output():
        stopped.panel(shell, ValueError("for its template"))


def _run(shell, source):
    """(what a cell's run gave: IPython's result, its output as text)"""
    from IPython.utils.capture import capture_output

    with capture_output() as caught:
        result = shell.run_cell(source)
    return result, "\n".join([caught.stdout, *map(_seen, caught.outputs), caught.stderr])


def _seen(output):
    """An output as text; of HTML alone, such as the caption of a figure, the words in it."""
    text = output.data.get("text/plain", "")
    if "HTML object" in text:
        return " ".join(html.unescape(re.sub("<[^>]*>", " ", output.data["text/html"])).split())
    return text


def _outcome(shell, nb, cells, check):
    said = []
    for i, source in cells:
        result, text = _run(shell, source)
        said.append(text)
        error = result.error_before_exec or result.error_in_exec
        meant = "raises-exception" in nb.cells[i].metadata.get("tags", [])
        if error is not None and not (meant and source == nb.cells[i].source):
            return kind(error, text), "\n".join(said)
    if check:
        shell.user_ns["said"] = "\n".join(said)
        result, text = _run(shell, check)
        if result.result is not True:
            return f"wrong: {check} is {result.result!r}", "\n".join([*said, text])
    return ANSWERED, "\n".join(said)


def kind(error, text):
    """What came of a cell that stopped, by its error and its output."""
    if "Off the map" in text:
        return PANEL
    if (
        re.search(r"^(\w+Error: 4\d\d(,|$)|The API refused: )", text, re.M)
        and "Traceback" not in text
    ):
        return REFUSED
    if "Traceback" not in text and text.strip():
        return TOLD
    return f"{TRACEBACK} {type(error).__name__}: {error}"[:300]


def _apart(work):
    """What `work` returns, in a copy of this process that ends with it. Of a copy that does not end
    come the places where its threads stand.
    """
    from IPython.core import async_helpers

    gc.collect()  # a copy would wait for the threads of what it frees, as of PyAV's resampler
    gc.freeze()
    with tempfile.TemporaryFile() as told, tempfile.TemporaryFile() as stacks:
        child = os.fork()
        if not child:
            try:
                faulthandler.dump_traceback_later(PATIENCE, exit=True, file=stacks)
                async_helpers._asyncio_event_loop = None  # the threads of the old one are not here
                if "helpers.running" in sys.modules and (
                    now := sys.modules["helpers.running"].current
                ):
                    now.owner = os.getpid()  # the copy goes on with the local API that it has
                told.write(json.dumps(work()).encode())
            except BaseException:
                told.write(json.dumps(("broken", traceback.format_exc())).encode())
            finally:
                told.flush()
                os._exit(0)
        os.waitpid(child, 0)
        told.seek(0)
        stacks.seek(0)
        return json.loads(told.read() or json.dumps(("hangs", stacks.read().decode())))


if __name__ == "__main__":
    from tests import early  # noqa: F401  as in a test run
    from tests.tools import edited

    for stem in sys.argv[1:]:
        for edit, verdict, said in edited.outcomes(stem):
            print(json.dumps([edit["changes"], verdict, said], ensure_ascii=False), flush=True)
