"""The five programs of notebooks/5_sdks/clients, one task each time: install, run, and see what
they sent.

Each is a small project, with the SDK's version in its language's own package file, and takes a task
and its words as arguments. Python's runs on the openai package of this environment, which is the
one that its file names. Where a language is not on the machine, what its program gave when this
collection was made is read from data/clients.json (made by `python -m tests.tools.make_clients`)
and said to be so.
"""

import contextlib
import functools
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from .. import running
from ..common import coloured
from ..facts import DATA
from ..facts.files import read_json

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "notebooks" / "5_sdks" / "clients"
KEPT = DATA / "clients.json"
LIMIT = 900  # seconds for an install on a slow machine


@dataclass(frozen=True)
class Client:
    """How one language's program is installed and run. `made`: what the install makes from the
    files in `sources`.
    """

    source: str
    programs: tuple
    command: tuple
    install: tuple = ()
    made: str = ""
    sources: tuple = ()
    start: str = r"def {}\("  # the line on which a function begins

    @property
    def folder(self):
        """The project that the program belongs to."""
        return FOLDER / self.source.split("/")[0]

    @property
    def fresh(self):
        """Whether what the install makes is there, and newer than what it is made from."""
        made = self.folder / self.made
        return made.exists() and made.stat().st_mtime >= max(
            (self.folder / s).stat().st_mtime for s in self.sources
        )


EXE = ".exe" if os.name == "nt" else ""
JARS = os.pathsep.join(("target/classes", "target/dependency/*"))
CLIENTS = {
    "curl": Client(
        "curl/client.sh", ("bash", "curl", "jq"), ("bash", "client.sh"), start=r"{}\(\) \{{"
    ),
    "Python": Client("python/client.py", (), (sys.executable, "client.py")),
    "Node": Client(
        "node/client.js",
        ("node", "npm"),
        ("node", "client.js"),
        ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
        "node_modules/openai/package.json",
        ("package-lock.json",),
        r"(async )?function {}\(",
    ),
    "Go": Client(
        "go/main.go",
        ("go",),
        (f"./day9-client{EXE}",),
        ("go", "build", "-o", f"day9-client{EXE}", "."),
        f"day9-client{EXE}",
        ("main.go", "go.sum"),
        r"func {}\(",
    ),
    "Java": Client(
        "java/src/main/java/Client.java",
        ("java", "mvn"),
        # the quick compiler alone: what the thorough one makes, a program of two seconds never uses
        ("java", "-XX:TieredStopAtLevel=1", "-cp", JARS, "Client"),
        ("mvn", "-q", "-B", "compile"),
        "target/classes/Client.class",
        ("src/main/java/Client.java", "pom.xml"),
        r" static void {}\(",
    ),
}


@dataclass
class Run:
    """One run of one program. `said`: what it printed; `exchanges`: what went over the wire, as
    helpers.wire() reads it.
    """

    language: str
    said: str
    exchanges: list = field(default_factory=list)

    @property
    def request(self):
        """The first request's body."""
        return self.exchanges[0]["request"]

    @property
    def statuses(self):
        """The status of each answer, in order."""
        return [e["status"] for e in self.exchanges]


TASKS = ("ask", "stream", "tool", "busy", "wrong", "late")


def client(language):
    """The Client of a language. LookupError for one that there is none for."""
    if language not in CLIENTS:
        raise LookupError(f"There is no client for {language!r}; there are {', '.join(CLIENTS)}.")
    return CLIENTS[language]


def missing(language):
    """The programs that this machine lacks for a language, and that its client needs."""
    return [p for p in client(language).programs if not _found(p)]


def _lacking(language):
    """What keeps a language's program from running here, in words; "" where nothing does."""
    if programs := missing(language):
        return f"{' and '.join(programs)} not on this machine"
    one = client(language)
    if one.install and not one.fresh and not os.access(one.folder, os.W_OK):
        return f"{one.folder.relative_to(ROOT).as_posix()} cannot be written to"
    return ""


def _found(program):
    """Where a program is, or None. The bash of Windows itself is another system's, which cannot
    reach the local API.
    """
    found = shutil.which(program)
    return None if found and program == "bash" and "system32" in found.lower() else found


def able(task, *words):
    """The languages that can run a task here, or whose run with these words was kept.

    For each other one a line with a dash says what is missing, and the rest goes on.
    """
    found = []
    for language in CLIENTS:
        lacking = _lacking(language)
        if not lacking or " ".join((language, task, *words)) in _all_kept()["runs"]:
            found.append(language)
        else:
            print(f"{language:7} – {lacking}, and only what the page asks was kept")
    return found


def run(language, task, *words):
    """Run a language's program on a task, after installing it where that is due. Returns a Run.

    Raises LookupError for a language or a task that there is not, or words that were not kept;
    RuntimeError where installing or running it fails, with what the API said, or else with the
    program's own last words.
    """
    if task not in TASKS:
        raise LookupError(f"There is no task {task!r}; there are {', '.join(TASKS)}.")
    if lacking := _lacking(language):
        kept = _kept(language, task, words)
        print(f"{language}: {lacking}; shown is what was kept when this collection was made.")
        return kept
    install(language)
    server = running.server()
    before = server.newest()
    env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": server.key}
    failed = said = None
    try:
        said = _run(language, (task, *words), env)
    except RuntimeError as e:
        failed = e
    made = server.since(before)
    if failed:
        raise RuntimeError(_refusal(language, made) or str(failed)) from None
    return Run(language, said, made)


def _refusal(language, exchanges):
    """What the API said to a program that it refused, the same whatever the language; '' where it
    did not.
    """
    last = exchanges[-1]["answer"] if exchanges else None
    if not isinstance(last, dict) or "error" not in last:
        return ""
    words = "Off the map" if exchanges[-1]["status"] == 424 else f"HTTP {exchanges[-1]['status']}"
    return f"{language}: {words}. {last['error']['message']}"


def unheard(language, seconds):
    """Let a program ask a server that accepts and never answers, with that much patience for each
    try.

    Returns (what the program printed, how often it asked). ValueError for a patience of 0 or less,
    which some of them take for one without end.
    """
    if float(seconds) <= 0:
        raise ValueError(f"a patience of {seconds} seconds: give more than 0.")
    if _lacking(language):
        kept = run(language, "late", str(seconds))
        return kept.said, len(kept.exchanges)
    install(language)
    open_ones, ended = [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.settimeout(0.1)  # only Linux wakes who waits here when the socket is shut down

        def accept():
            while True:
                try:
                    open_ones.append(deaf.accept()[0])
                except TimeoutError:
                    if ended.is_set():
                        return

        waiting = threading.Thread(target=accept)
        waiting.start()
        try:
            said = _run(
                language,
                ("late", str(seconds)),
                {
                    "OPENAI_BASE_URL": f"http://127.0.0.1:{deaf.getsockname()[1]}/v1",
                    "OPENAI_API_KEY": "none",
                },
            )
        finally:
            ended.set()
            waiting.join()
    return said, sum(map(_was_asked, open_ones))


def _was_asked(one):
    """Whether a request came over a connection: some clients open one more and never use it."""
    with one:
        one.setblocking(False)
        try:
            return one.recv(9).startswith(b"POST")
        except OSError:  # nothing came
            return False


def code(language, function="ask"):
    """The source of one function of a language's program.

    >>> print(code("Python", "question"))
    def question(day):
        return {"role": "user", "content": f"Which day of the week was {day}?"}
    """
    known = client(language)
    lines = (FOLDER / known.source).read_text(encoding="utf-8").splitlines()
    begin = next(
        (i for i, line in enumerate(lines) if re.search(known.start.format(function), line)), None
    )
    if begin is None:
        raise LookupError(f"{language}'s program has no function {function!r}; there are {', '.join(TASKS)}.")  # fmt: skip
    indent = re.match(r"\s*", lines[begin])[0]
    if language == "Python":  # ends before the next line that stands as far left
        end = next(
            (
                i
                for i in range(begin + 1, len(lines))
                if lines[i].strip() and not lines[i].startswith(" ")
            ),
            len(lines),
        )
    else:  # ends with a brace that does
        end = lines.index(indent + "}", begin) + 1
    return "\n".join(line.removeprefix(indent) for line in lines[begin:end]).rstrip()


# A thing that each program does, by what its line has in all five languages.
IDIOMS = {
    "effort": r"reasoning_?effort[^;]+low",
    "message": r"answer with the date",
    "text": r"message\S{0,3}\.content",
    "loop": r"\bfor\b.*chunk|chunks\.stream|sed -n",
    "error": r"except APIStatus|instanceof OpenAI\.APIError|errors\.As|catch \(OpenAIService|HTTP error",
}


def listing(language, function="ask"):
    """The same to look at, in colours: a Shown."""
    lexers = {"curl": "bash", "Node": "JavaScript"}
    return coloured.code(code(language, function), lexers.get(language, language))


def idiom(language, what):
    """The first line of a language's program that does one of IDIOMS. Raises LookupError for any
    other.

    >>> print(idiom("Go", "effort"))
    ReasoningEffort: shared.ReasoningEffortLow,
    """
    if what not in IDIOMS:
        raise LookupError(f"There is no idiom {what!r}; there are {', '.join(IDIOMS)}.")
    text = (FOLDER / client(language).source).read_text(encoding="utf-8")
    return next(line.strip() for line in text.splitlines() if re.search(IDIOMS[what], line, re.I))


def lines(language):
    """How many lines of a program are code: neither blank nor all comment."""
    text = (FOLDER / client(language).source).read_text(encoding="utf-8").splitlines()
    return sum(
        1 for line in text if line.strip() and not line.strip().startswith(("#", "//", '"""'))
    )


def order(request):
    """The names of a request's schema in the order sent: that of its answer format, or of its first
    tool's arguments.
    """
    schema = (
        request["response_format"]["json_schema"]["schema"]
        if "response_format" in request
        else request["tools"][0]["function"]["parameters"]
    )
    return list(schema["properties"])


def install(language):
    """Install what a language's program needs, where that is due: once, and again after its source
    or its package file changes.
    """
    client = CLIENTS[language]
    if not client.install or client.fresh:
        return
    with _alone(client.folder / ".installing"):
        if client.fresh:  # another process has just done it
            return
        done = subprocess.run(
            [_found(client.install[0]), *client.install[1:]],
            cwd=client.folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT,
            env=_environment(),
        )
        if done.returncode:
            raise RuntimeError(
                f"`{' '.join(client.install)}` in {client.folder.relative_to(ROOT).as_posix()} failed; it needs the network once. Its last words:\n{_last_words(done)}"
            )
        (client.folder / client.made).touch()  # npm keeps the package's own date


@contextlib.contextmanager
def _alone(lock):
    """One process at a time; a lock that a killed one left behind is not waited for longer than an
    install takes.
    """
    while True:
        try:
            lock.mkdir()
            break
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - lock.stat().st_mtime > LIMIT:
                    lock.rmdir()
            time.sleep(0.5)
    try:
        yield
    finally:
        lock.rmdir()


def _run(language, words, env):
    client = CLIENTS[language]
    command = client.command[0]
    command = (
        str(client.folder / command) if command.startswith("./") else _found(command) or command
    )
    done = subprocess.run(
        [command, *client.command[1:], *words],
        cwd=client.folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        env={
            **_environment(),
            **env,
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "PYTHONIOENCODING": "utf-8",
        },
    )
    if done.returncode:
        raise RuntimeError(
            f"{language}: `{' '.join(words)}` ended with {done.returncode}. Its last words:\n{_last_words(done)}"
        )
    return done.stdout.strip()


def _environment():
    """This environment; where it names no home, as in some services and containers, Go gets folders
    of its own, which it asks for.
    """
    home = Path(tempfile.gettempdir()) / "day9-go"
    asked = {"GOCACHE": str(home / "cache"), "GOPATH": str(home / "path")}
    lacks = not any(os.environ.get(name) for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"))
    return {**(asked if lacks else {}), **os.environ}


def _last_words(done):
    """What a program said at its end, without the frames of a stack trace."""
    said = [
        line for line in (done.stdout + done.stderr).splitlines() if not re.match(r"\s+at ", line)
    ]
    return "\n".join(said).strip()[-2000:]


@functools.cache
def _all_kept():
    return read_json(KEPT)


def _kept(language, task, words):
    found = _all_kept()["runs"].get(" ".join((language, task, *words)))
    if not found:
        gone = missing(language)
        way = f"install {' and '.join(gone)}" if gone else "copy the project to where you may write"
        raise LookupError(
            f"Kept for {language} is only what the notebook asks; {way} to ask {' '.join(words)!r}."
        )
    return Run(language, **found)
