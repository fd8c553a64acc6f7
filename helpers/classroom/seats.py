"""Who sits where, and what a seat has: a folder with notebooks of its own, beside the shared data.

    python -m helpers.classroom.seats reset|catch_up NOTEBOOK      in a seat's folder, as its user

A seat's folder is the learner's: only what runs as their user id writes there, so that a link which
they have put leads nobody else astray.
"""

import json
import os
import re
import secrets
import shutil
import stat
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FIRST_USER = 51_000  # user ids that no system gives by itself
# What a reader's own runs leave in the tree; node_modules alone would make each copy 116 MB.
MADE = (
    ".ipynb_checkpoints",
    "__pycache__",
    "my_models",
    "my_pairs",
    "my_recordings",
    "node_modules",
    "target",
)
SOLUTION = re.compile(  # and what stands below it
    r"<details><summary>Solution</summary>\s*```\n(?P<code>.*?)```(?P<more>.*?)</details>\n*", re.S
)
TEACHER = "teacher"
PATIENCE = 10  # wrong PINs
# of JupyterLab in a seat: a notebook that is closed ends its kernel, and is saved often
SETTINGS = {
    "notebook-extension/tracker": {"kernelShutdown": True},
    "docmanager-extension/plugin": {"autosaveInterval": 20},
}


class Refused(Exception):
    """Why somebody gets no seat, in a sentence for them."""


class Sitting(NamedTuple):
    name: str
    pin: str


class Roster:
    """Names and PINs by seat, in a file that only the class's own user reads.

    file: a Path. number: how many seats there are.
    """

    def __init__(self, file, number):
        self.file, self.number = file, number
        self.wrong = {}  # how often a PIN was wrong, by seat, since it was last right
        read = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.sitting = {seat: Sitting(*who) for seat, who in read.items()}

    def take(self, name, pin):
        """The seat of a name: a new one, or with its PIN the one it has. Raises Refused."""
        name = " ".join(name.split())
        if not 0 < len(name) <= 40 or not name.isprintable():
            raise Refused("Give a name of up to 40 characters.")
        for seat, who in self.sitting.items():
            if who.name.casefold() == name.casefold():
                return self._again(seat, who, pin)
        free = [seat for seat in seats(self.number) if seat not in self.sitting]
        if not free:
            raise Refused(f"All {self.number} seats are taken. Tell your teacher.")
        self.sitting[free[0]] = Sitting(name, f"{secrets.randbelow(10_000):04}")
        self._write()
        return free[0]

    def _again(self, seat, who, pin):
        if self.wrong.get(seat, 0) >= PATIENCE:
            raise Refused(
                f"{PATIENCE} wrong PINs for {who.name}: ask your teacher to open the seat again."
            )
        if not pin:
            raise Refused(
                f"Somebody called {who.name} is here already. If it is you, give your PIN, too; "
                "else add a letter to your name."
            )
        if not secrets.compare_digest(pin.strip().encode(), who.pin.encode()):
            self.wrong[seat] = self.wrong.get(seat, 0) + 1
            raise Refused(f"That is not the PIN of {who.name}. Your teacher can look it up.")
        self.wrong.pop(seat, None)
        return seat

    def _write(self):
        half = self.file.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(json.dumps(self.sitting, ensure_ascii=False, indent=1), encoding="utf-8")
        half.replace(self.file)


def seats(number):
    """The ids of the seats: seat01, seat02 …"""
    return [f"seat{n:02}" for n in range(1, number + 1)]


def user_id(seat):
    """The user id of a seat, where each has one of its own."""
    return FIRST_USER + (0 if seat == TEACHER else int(seat.removeprefix("seat")))


def prepare(home, owner=None):
    """Make a seat's folder, unless it is there; owner: the user id to which it then belongs."""
    if home.exists():
        return
    half = home.with_name(home.name + ".half")  # what was interrupted is no seat
    shutil.rmtree(half, ignore_errors=True)
    shutil.copytree(ROOT / "notebooks", half / "notebooks", ignore=shutil.ignore_patterns(*MADE))
    (half / "data").symlink_to(ROOT / "data")
    for plugin, values in SETTINGS.items():
        file = half / ".settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    for path in [half, *half.rglob("*")]:
        if owner is not None:
            os.chown(path, owner, owner, follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
    half.rename(home)


def notebooks():
    """The notebooks of a seat, as paths below its folder, in reading order."""
    folder = ROOT / "notebooks"
    found = [*folder.glob("*.ipynb"), *folder.glob("[!.]*/*.ipynb")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def reset(home, notebook):
    """Put a notebook back as it was; the learner's version stays beside it, under the path that is
    returned.
    """
    mine = home / notebook
    kept = keep(mine) if mine.exists() else None
    mine.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / notebook, mine)
    return kept


def catch_up(home, notebook):
    """Fill the solutions into the exercises of a notebook, and of those before it in its folder,
    that stand as they were given. Learners' versions stay beside them; returns their paths.
    """
    kept = []
    for name in notebooks():
        mine = home / name
        if Path(name).parent != Path(notebook).parent or name > notebook or not mine.exists():
            continue
        nb = json.loads(mine.read_text(encoding="utf-8"))
        solved = solutions(json.loads((ROOT / name).read_text(encoding="utf-8")))
        untouched = [
            cell for cell in nb["cells"] if cell["cell_type"] == "code" and text(cell) in solved
        ]
        if untouched:
            kept.append(keep(mine))
            for cell in untouched:
                cell["source"] = solved[text(cell)]
            mine.write_text(json.dumps(nb, ensure_ascii=False, indent=1), encoding="utf-8")
    return kept


def solutions(nb):
    """{a starter cell's text: its solution} of a notebook as it was given."""
    starters = [text(c) for c in nb["cells"] if "starter" in c["metadata"].get("tags", [])]
    texts = [text(c) for c in nb["cells"] if c["cell_type"] == "markdown"]
    return dict(zip(starters, (s["code"].strip() for t in texts for s in SOLUTION.finditer(t))))


def text(cell):
    """A cell's source, one text or lines; nbformat, which would know, takes seconds to load."""
    return "".join(cell["source"]).strip()


def keep(notebook):
    """Copy a notebook to NAME.mine-1.ipynb, or the next number that is free. Returns the Path."""
    n = 1
    while (kept := notebook.with_suffix(f".mine-{n}.ipynb")).exists():
        n += 1
    shutil.copyfile(notebook, kept)
    return kept


def where(home):
    """(the notebook that was saved last, the exercises passed) of a seat; ("", []) of an empty one.

    It looks at what a learner may have put there, so it follows no link and reads no more than a
    list of exercises can be.
    """
    changed = [
        (stated.st_mtime, name)
        for name in notebooks()
        if (stated := plain(home / name)) and stated.st_mtime_ns != (ROOT / name).stat().st_mtime_ns
    ]
    newest = max(changed, default=(0, ""))[1]
    return newest.removeprefix("notebooks/"), passed(home)


def plain(file):
    """What the system says of a file that is no link and nothing but a file; None for others."""
    try:
        stated = file.lstat()
    except OSError:
        return None
    return stated if stat.S_ISREG(stated.st_mode) else None


def passed(home):
    """The exercises that a seat has passed, of which helpers.progress() keeps a list."""
    try:
        handle = os.open(home / "my_progress.txt", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with open(handle, encoding="utf-8", errors="replace") as file:
        return sorted(set(re.findall(r"^[\w-]{1,40}$", file.read(20_000), re.M)))


if __name__ == "__main__":
    action, notebook = sys.argv[1:]
    {"reset": reset, "catch_up": catch_up}[action](Path.cwd(), notebook)
