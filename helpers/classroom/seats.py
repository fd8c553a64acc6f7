"""Who sits where, and what a seat has: a folder with notebooks of its own, beside the shared data.

    python -m helpers.classroom.seats FOLDER reset|catch_up NOTEBOOK      of a seat, as its user

A seat's folder is the learner's: only what runs as their user id writes there, so that a link which
they have put leads nobody else astray; who else looks there does it by looking.py.
"""

import hmac
import json
import os
import re
import secrets
import shutil
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

from ..exercises.reasons import REASONS
from . import looking

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
TICKET = "day9-ticket"
PATIENCE = 10  # wrong PINs
LONGEST = 2**24  # bytes of a notebook that is read
# of JupyterLab in a seat: a notebook that is closed ends its kernel, and is saved often
SETTINGS = {
    "notebook-extension/tracker": {"kernelShutdown": True},
    "docmanager-extension/plugin": {"autosaveInterval": 20},
}


class Refused(Exception):
    """Why somebody does not get what they asked for, in a sentence for them; cure: what only their
    teacher can do, whose sentence is `told`.
    """

    def __init__(self, why, cure=""):
        super().__init__(f"{why} Tell your teacher." if cure else why)
        self.told = f"{why} {cure}".strip()


class Sitting(NamedTuple):
    name: str
    pin: str


class Roster:
    """Names and PINs by seat, in a file that only the class's own user reads.

    file: a Path. number: how many seats there are.
    """

    def __init__(self, file, number):
        self.file, self.number = file, number
        self.shut = file.with_name("shut")  # while this file is there, nobody new is let in
        self.wrong = {}  # how often a PIN was wrong, by seat, since it was last right
        read = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        self.sitting = {seat: Sitting(*who) for seat, who in read.items()}

    def take(self, name, pin):
        """The seat of a name: a new one, or with its PIN the one it has. Raises Refused."""
        name = " ".join(unicodedata.normalize("NFC", name).split())
        if not 0 < len(name) <= 40 or not name.isprintable():
            raise Refused("Give a name of up to 40 characters.")
        for seat, who in self.sitting.items():
            if who.name.casefold() == name.casefold():
                return self._again(seat, who, pin)
        if self.shut.exists():
            raise Refused(
                "No new names are let in now.", "Your page opens the class to them again."
            )
        free = [seat for seat in seats(self.number) if seat not in self.sitting]
        if not free:
            raise Refused(
                f"All {self.number} seats are taken." if self.number > 1 else "The seat is taken.",
                "Free one here that nobody needs; or end the class and begin it with more, --seats "
                f"{self.number + 1}: all find their own again.",
            )
        self.sitting[free[0]] = Sitting(name, f"{secrets.randbelow(10_000):04}")
        try:
            write(self.file, self.sitting)
        except OSError as error:
            del self.sitting[free[0]]
            raise Refused(
                f"Your seat cannot be written down: {error.strerror}.",
                f"Free some of the disk with {self.file.parent}.",
            ) from None
        return free[0]

    def free(self, seat):
        """Let the next new name have a seat. Raises OSError where that cannot be written down."""
        who = self.sitting.pop(seat)
        try:
            write(self.file, self.sitting)
        except OSError:
            self.sitting[seat] = who
            raise
        self.wrong.pop(seat, None)

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


def write(file, value):
    """Write a value as JSON to a file of the class's own, which has the old one or the new. Raises
    OSError, as on a full disk.
    """
    half = file.with_suffix(".half")
    half.touch(mode=0o600)
    text = json.dumps(value, default=str, ensure_ascii=False, indent=1)  # str: the proxy's times
    half.write_text(text, encoding="utf-8")
    half.replace(file)


def seats(number):
    """The ids of the seats: seat01, seat02 …"""
    return [f"seat{n:02}" for n in range(1, number + 1)]


def user_id(seat):
    """The user id of a seat, where each has one of its own."""
    return FIRST_USER + (0 if seat == TEACHER else int(seat.removeprefix("seat")))


def of_user(user):
    """The seat that has a user id."""
    return TEACHER if user == FIRST_USER else f"seat{user - FIRST_USER:02}"


def ticket(key, seat):
    """What a browser shows at the proxy for the pages of a seat; key: the class's own."""
    return hmac.digest(key.encode(), seat.encode(), "sha256").hex()


def prepare(home, owner=None):
    """Make a seat's folder, unless it is there; owner: the user id to which it then belongs."""
    if home.exists():
        home.chmod(0o700)  # else who has closed it to themselves does not come in again
        return
    half = home.with_name(home.name + ".half")  # what was interrupted is no seat
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)  # so that its user cannot come in before all of it is given away
    bring_back(half)
    for plugin, values in SETTINGS.items():
        file = half / ".settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")
    for path in [*half.rglob("*"), half]:
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)
        if owner is not None:
            os.chown(path, owner, owner, follow_symlinks=False)
    half.rename(home)


def bring_back(home):
    """Make what is missing in a seat's folder: the link to the data, and all that is given beside
    and with the notebooks. What stands in its place stays beside it.
    """
    data = home / "data"
    if not data.is_symlink() or os.readlink(data) != str(ROOT / "data"):
        keep(data)
        data.symlink_to(ROOT / "data")
    for folder, inside, files in os.walk(ROOT / "notebooks"):
        inside[:] = [name for name in inside if name not in MADE]
        at = home / Path(folder).relative_to(ROOT)
        if at.is_symlink() or not at.is_dir():
            keep(at)
            at.mkdir(mode=0o700)
        elif not os.access(at, os.R_OK | os.W_OK | os.X_OK):
            at.chmod(0o700)
        for name in files:
            if not os.path.lexists(at / name):
                shutil.copy2(Path(folder, name), at)  # with its time, by which `where` knows it


def notebooks():
    """The notebooks of a seat, as paths below its folder, in reading order."""
    folder = ROOT / "notebooks"
    found = [*folder.glob("*.ipynb"), *folder.glob("[!.]*/*.ipynb")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def reset(home, notebook):
    """Put a notebook back as it was, and bring back what is missing beside it. What stood there
    stays beside it, under the path that is returned, or None.
    """
    bring_back(home)
    return put(home / notebook, (ROOT / notebook).read_bytes())


def catch_up(home, notebook):
    """Fill the solutions into the exercises of a notebook, and of those before it in its folder,
    that stand as they were given. Learners' versions stay beside them; returns their paths.

    Raises Refused for one that is no notebook any more.
    """
    bring_back(home)
    filled = {}
    for name in notebooks():
        if Path(name).parent != Path(notebook).parent or name > notebook:
            continue
        try:
            nb = json.loads(looking.read(home, name, LONGEST).decode())
            code = [cell for cell in nb["cells"] if cell["cell_type"] == "code"]
            solved = solutions(json.loads((ROOT / name).read_text(encoding="utf-8")))
            untouched = [cell for cell in code if text(cell) in solved]
            for cell in untouched:
                cell["source"] = solved[text(cell)]
            whole = json.dumps(nb, ensure_ascii=False, indent=1).encode()
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            short = name.removeprefix("notebooks/")
            raise Refused(f"{short} is no notebook any more: begin it anew first.") from None
        if untouched:
            filled[name] = whole
    return [put(home / name, whole) for name, whole in filled.items()]


def solutions(nb):
    """{a starter cell's text: its solution} of a notebook as it was given."""
    starters = [text(c) for c in nb["cells"] if "starter" in c["metadata"].get("tags", [])]
    texts = [text(c) for c in nb["cells"] if c["cell_type"] == "markdown"]
    return dict(zip(starters, (s["code"].strip() for t in texts for s in SOLUTION.finditer(t))))


def text(cell):
    """A cell's source, one text or lines; nbformat, which would know, takes seconds to load."""
    return "".join(cell["source"]).strip()


def keep(path):
    """Move what stands at a path, whatever it is, to NAME.mine-1.ipynb or the next number that is
    free. Returns the Path; None where nothing stood there.
    """
    if not os.path.lexists(path):
        return None
    n = 1
    while os.path.lexists(kept := path.with_name(f"{path.stem}.mine-{n}{path.suffix}")):
        n += 1
    return path.rename(kept)


def put(path, whole):
    """Write a file of some bytes. What stood there stays beside it, under the path that is
    returned, or None; where the disk is full, it stays where it is.
    """
    half = path.with_name(path.name + ".half")
    try:
        half.write_bytes(whole)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    kept = keep(path)
    half.rename(path)
    return kept


def missing(home):
    """How many of the notebooks are no longer in a seat's folder."""
    return sum(not looking.plain(home, name) for name in notebooks())


def where(home):
    """(the notebook that was saved last, the exercises passed); ("", []) of an empty seat."""
    changed = [
        (stated.st_mtime, name)
        for name in notebooks()
        if (stated := looking.plain(home, name))
        and stated.st_mtime_ns != (ROOT / name).stat().st_mtime_ns
    ]
    newest = max(changed, default=(0, ""))[1]
    return newest.removeprefix("notebooks/"), passed(home)


def passed(home):
    """The exercises that a seat has passed, of which helpers.progress() keeps a list; what else
    stands in that file is shown to nobody.
    """
    lines = (looking.read(home, "my_progress.txt", 20_000) or b"").decode(errors="replace")
    return sorted({*lines.splitlines()} & REASONS.keys())


def done(home, action, notebook):
    """Do what a learner asks for; what has come of it, in sentences. Raises Refused."""
    home.chmod(0o700)
    if action == "reset":
        kept, said = [reset(home, notebook)], f"{Path(notebook).name} is as it was given."
    else:
        kept = catch_up(home, notebook)
        said = f"The solutions up to {Path(notebook).name} are filled in."
        if not kept:
            return "Nothing was filled in: each exercise up to there has something of yours."
    names = [path.name for path in kept if path]
    if names:
        said += f" What you had is beside it: {', '.join(names)}."
    return (
        f"{said} If it is open, choose File, Reload Notebook from Disk there; where JupyterLab "
        "asks, Revert."
    )


if __name__ == "__main__":
    home, action, notebook = sys.argv[1:]
    try:
        print(done(Path(home), action, notebook))
    except Refused as refused:
        sys.exit(str(refused))
    except OSError as error:  # such as a full disk
        sys.exit(f"{error.filename or 'your folder'}: {error.strerror}.")
