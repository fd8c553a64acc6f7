"""Windows and macOS, imitated where they differ: no fork, no signals, other folders, pipes that
have 256 characters.

What no imitation shows is in the helpers' own words, with the report that taught it.
"""

import mimetypes
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.request
from pathlib import Path, PureWindowsPath

import pytest

import start
from helpers.classroom import seats
from helpers.facts import whole_file
from helpers.local_api import recordings, where
from helpers.local_api.upstream import forward, recorder
from helpers.sdks import clients
from tests.conftest import needs
from tests.test_connection import ASK, HEARS, posix, script, until
from tests.test_setup import Project, failure

ROOT = Path(__file__).resolve().parents[1]
AS_WINDOWS = "import tests.windows\n"
# A pipe as it is on Windows in Western Europe, where the language of the system is not told.
WESTERN = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", "LANG": "C", "LC_ALL": ""}


# --- connect() and the local API ------------------------------------------------------------------


def test_connect_on_windows():
    said = script(
        AS_WINDOWS
        + ASK
        + """
import helpers
from helpers import connection
helpers.connect()
print(tests.windows.flags, ask("2024-12-18"))
old = connection.server()
old.process.kill()
helpers.connect()
print(connection.server().port == old.port, ask("2024-12-19"))
print(old._all_said())
"""
    )
    assert "[512] 2024-12-18 was a Wednesday." in said and "True 2024-12-19 was a Thur" in said
    # STD_INPUT_HANDLE, and the handle of the file that stands in the pipe's place
    assert "standard handle 4294967286 is 7000" in said


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_looks_at_the_local_apis_standard_input_does_not_wait_for_its_parent():
    said = script(
        """
import helpers, os
from helpers import connection
helpers.connect()
print(os.readlink(f"/proc/{connection.server().process.pid}/fd/0"))
"""
    )
    assert said.endswith(f"\n{os.devnull}\n")


def test_a_shell_on_windows_gets_its_own_words():
    code = f"{AS_WINDOWS}import sys; sys.argv[1:] = ['--key', 'k']; from helpers.local_api.__main__ import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    line = process.stdout.readline()
    process.kill()
    process.communicate()
    assert re.fullmatch(
        r'\$env:OPENAI_BASE_URL="http://127\.0\.0\.1:\d+/v1"; \$env:OPENAI_API_KEY="k"\n', line
    )


SPAWNED = (
    ASK
    + """
import multiprocessing
import helpers
from helpers import connection

def child(told):
    first = ask()  # by the API of its parent, whose address is in the environment
    helpers.connect()
    told.put((first, connection.server().port, ask("2024-12-18")))

if __name__ == "__main__":
    helpers.connect()
    spawn = multiprocessing.get_context("spawn")
    told = spawn.Queue()
    process = spawn.Process(target=child, args=(told,))
    process.start()
    first, port, second = told.get(timeout=60)
    process.join()
    print(first, second, port != connection.server().port, ask("2024-12-19"), len(connection.server().ask("receipt")["calls"]))
"""
)


def test_a_spawned_process_has_its_parents_api_until_it_connects_itself(tmp_path):
    (tmp_path / "spawned.py").write_text(SPAWNED, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "spawned.py"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == (
        "2024-12-17 was a Tuesday. 2024-12-18 was a Wednesday. True 2024-12-19 was a Thursday. 2"
    )


# --- pipes and consoles that do not have every character ------------------------------------------


def test_connect_prints_what_can_be_printed(tmp_path):
    (tmp_path / "東京–é.json").write_text("{", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", "import helpers; helpers.connect()"],
        cwd=ROOT,
        capture_output=True,
        env=os.environ | WESTERN | {"DAY9_MY_RECORDINGS": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    assert f"\nLeft out: {tmp_path.name}/??–é.json is not JSON".encode("cp1252") in run.stdout


def test_what_the_local_api_says_as_it_ends_is_read_in_any_language():
    said = script(
        """
        import helpers
        try:
            helpers.connect()
        except RuntimeError as e:
            print(ascii(str(e)))
        """,
        DAY9_PACE="très 速い",
        **WESTERN,
    )
    assert "DAY9_PACE must be a number, such as 0.5, not 'tr\\xe8s \\u901f\\u3044'." in said


@pytest.mark.parametrize(
    "command, words",
    [
        (["helpers.local_api.catalogue", "show", "start/weekday-medium"], "weekday"),
        (["helpers.sdks.migration", "notebooks/5_sdks/old_app"], "gpt-4o"),
        (["helpers.local_api.upstream.rerecord", "--help"], "recordings of your own"),
    ],
)
def test_the_command_lines_print_into_a_pipe_of_few_characters(command, words, tmp_path):
    if command[0] == "helpers.sdks.migration":  # with a file whose name no such pipe has
        (tmp_path / "東京.py").write_text('model = "gpt-4o-2024-05-13"\n', encoding="utf-8")
        command = [command[0], str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        env=os.environ | WESTERN | {"PYTHONIOENCODING": "ascii"},
    )
    assert b"Traceback" not in run.stderr and words.encode() in run.stdout, run.stderr


def test_no_encoding_is_left_to_the_system(tmp_path):
    said = script(
        ASK
        + """
import helpers
from helpers import connection
helpers.connect()
ask()
helpers.receipt()
old = connection.server()
old.process.kill()
print(old._all_said())
""",
        PYTHONWARNDEFAULTENCODING="1",
    )
    project = Project(tmp_path)
    said += project.start("lab", PYTHONWARNDEFAULTENCODING="1").stderr
    assert [line for line in said.splitlines() if "EncodingWarning" in line] == []


# --- start.py -------------------------------------------------------------------------------------


class OnWindows(Project):
    """A project whose start.py takes this system for Windows."""

    def start(self, *arguments, before="", **env):
        return super().start(
            *arguments,
            before=f"sys.path.insert(0, {str(ROOT)!r})\n{AS_WINDOWS}sys.path.pop(0)\n{before}",
            **env,
        )


def test_start_on_windows(tmp_path):
    project = OnWindows(tmp_path)
    first = project.start("lab", "--no-browser", FAKE_EXIT="3")
    assert first.returncode == 3, first.stderr
    assert "--no-browser" in first.stdout and "--allow-root" not in first.stdout
    [call] = project.asked()
    python = Path(call["asked"][call["asked"].index("--python") + 1])
    assert python == project.root / ".venv" / "Scripts" / "python.exe"
    assert (project.root / ".venv" / "Lib" / "site-packages" / "day9.pth").is_file()
    second = project.start("test", "-k", "word")
    assert second.returncode == 0 and second.stdout.rstrip().endswith("-k word"), second.stderr
    assert len(project.asked()) == 2  # the tests' own lock


@posix
def test_an_interrupt_on_windows_is_the_programs(tmp_path):
    """There the starter stays, gets each Ctrl-C as well, and ends with what the program ends
    with.
    """
    project = OnWindows(tmp_path)
    assert project.start("lab").returncode == 0
    (project.site() / "jupyterlab.py").write_text(
        textwrap.dedent("""
            import sys, time
            for _ in range(2):
                try:
                    print("runs", flush=True)
                    time.sleep(60)
                except KeyboardInterrupt:
                    pass
            sys.exit(7)
            """),
        encoding="utf-8",
    )
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['start.py', 'lab']\n{HEARS}{AS_WINDOWS}import runpy; runpy.run_path('start.py', run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        env=os.environ | {"PATH": str(project.bin), "FAKE_LOG": str(project.log)},
    )
    for _ in range(2):
        until(lambda: "runs" in process.stdout.readline())
        time.sleep(0.1)  # between the print and the sleep
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (7, "")


@pytest.mark.parametrize("root", [r"C:\Users\me\day 9", r"C:\Users\Jörg\nightly\day9"])
def test_helpers_are_found_in_a_folder_of_windows(tmp_path, monkeypatch, root):
    monkeypatch.setattr(start, "ROOT", PureWindowsPath(root))
    start.put_link(tmp_path)
    line = (tmp_path / "day9.pth").read_text(encoding="ascii").rstrip("\n")
    if line.startswith("import "):
        monkeypatch.setattr(sys, "path", [])
        exec(line)
        [line] = sys.path
    assert line == root


def test_a_tools_words_on_a_console_that_does_not_have_them(tmp_path):
    project = Project(tmp_path)
    console = "import io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'cp1252', line_buffering=True)\nsys.stdout.isatty = lambda: True"
    said = "╰─▶ because of 東京"
    run = project.start("lab", before=console, FAKE_SAYS=said, PYTHONIOENCODING="utf-8")
    assert failure(run)[0].endswith("its last lines are above") and said in run.stderr


def test_a_start_with_closed_output(tmp_path):
    project = Project(tmp_path)
    run = project.start("lab", before="sys.stdout = None")
    assert run.returncode == 0 and "00_start_here" in run.stdout, run.stderr


def test_uv_gets_a_path_of_windows_from_pips_settings(monkeypatch):
    said = "global.cert='C:\\\\Users\\\\Jörg\\\\corp.pem'\nglobal.index-url=\"https://mirror.example/it's\"\n"
    asked = []

    def run(command, **more):
        asked.append(more)
        return subprocess.CompletedProcess(command, 0, said)

    monkeypatch.setattr(start.subprocess, "run", run)
    for name in ("SSL_CERT_FILE", "UV_DEFAULT_INDEX", "PIP_CERT", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    env = start.uv_environment()
    assert env["SSL_CERT_FILE"] == r"C:\Users\Jörg\corp.pem"
    assert env["UV_DEFAULT_INDEX"] == "https://mirror.example/it's"
    assert asked[0]["encoding"] == asked[0]["env"]["PYTHONIOENCODING"] == "utf-8"


@pytest.mark.parametrize(
    "says, wrong",
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 2] No such file or directory: 'C:\\\\…'\nHINT: This error might have occurred since this system does not have Windows Long Path support enabled.",
            "too long for Windows",
        ),
        (
            "[WinError 206] Der Dateiname oder die Erweiterung ist zu lang: '…'",
            "too long for Windows",
        ),
        ("[WinError 32] Der Prozess kann nicht auf die Datei zugreifen", "no permission"),
        ("tcp connect error: Connection refused (os error 111)", "cannot be reached"),
    ],
)
def test_what_tools_say_on_windows_is_understood(says, wrong):
    assert wrong in str(start.explain(says, "something else", ""))


# --- files ----------------------------------------------------------------------------------------


def test_a_file_that_somebody_reads_is_replaced_when_they_are_through(tmp_path, monkeypatch):
    file, tries, replace = tmp_path / "pairs.jsonl", [], os.replace

    def refuse_twice(*names):
        tries.append(names)
        if len(tries) < 3:
            raise PermissionError(13, "The process cannot access the file", None, 32)
        replace(*names)

    monkeypatch.setattr(os, "replace", refuse_twice)
    whole_file.write(file, b"new")
    assert file.read_bytes() == b"new" and len(tries) == 3
    tries.clear()
    monkeypatch.setattr(time, "sleep", lambda seconds: tries.clear())  # refused for good
    with pytest.raises(PermissionError):
        whole_file.write(file, b"newer")
    assert file.read_bytes() == b"new" and list(tmp_path.iterdir()) == [file]


def test_a_recordings_file_is_named_the_same_everywhere(monkeypatch):
    monkeypatch.setattr(mimetypes, "guess_extension", lambda kind: ".of-this-machine")
    name = "0" * 64 + recorder.KINDS.guess_extension("audio/mpeg")
    assert name.endswith(".mp3") and recordings.FILE.fullmatch(name)


TREES = ("data", "helpers", "notebooks", "tests")


def test_every_file_can_be_there_on_windows_and_macos():
    """Names that Windows knows, none that differs from another by capitals alone, and none too long
    for its folder.
    """
    names = [
        file.relative_to(ROOT).as_posix()
        for tree in TREES
        for file in (ROOT / tree).rglob("*")
        if not {*seats.MADE} & set(file.relative_to(ROOT).parts)
    ]
    parts = {part for name in names for part in name.split("/")}
    reserved = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.I)
    assert not [
        p for p in parts if re.search(r'[<>:"\\|?*\x00-\x1f]|[. ]$', p) or reserved.fullmatch(p)
    ]
    assert len({name.casefold() for name in names}) == len(names)
    assert max(map(len, names)) < 120  # of 260, with the folder and what a lock or a part adds


@needs("git")
def test_a_checkout_on_windows_changes_no_byte(tmp_path):
    """Git for Windows turns the ends of lines into its own, unless it is told; a tuning job's seed
    hangs on them.
    """
    git = lambda *words, cwd: subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "core.autocrlf=true", *words],
        cwd=cwd,
        check=True,
        capture_output=True,
    )
    pairs = ROOT / "data" / "preferences" / "weather.jsonl"
    here = tmp_path / "here"
    here.mkdir()
    git("init", "--quiet", cwd=here)
    for file in (ROOT / ".gitattributes", ROOT / "start.py", pairs):
        (here / file.name).write_bytes(file.read_bytes())
    git("add", ".", cwd=here)
    git("commit", "--quiet", "-m", "x", cwd=here)
    git("clone", "--quiet", str(here), "there", cwd=tmp_path)
    for name in (pairs.name, "start.py"):
        assert (tmp_path / "there" / name).read_bytes() == (here / name).read_bytes()


# --- sockets and proxies --------------------------------------------------------------------------


def test_a_server_that_never_answers_ends_also_where_nothing_wakes_it(monkeypatch):
    """macOS and Windows refuse to shut a listening socket down."""

    def refuse(self, how):
        raise OSError(57, "Socket is not connected")

    def asks(language, words, env):
        port = int(env["OPENAI_BASE_URL"].split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(b"POST /v1/chat/completions HTTP/1.1\r\n")
        return "gave up"

    monkeypatch.setattr(socket.socket, "shutdown", refuse)
    monkeypatch.setattr(clients, "_run", asks)
    before = threading.active_count()
    assert clients.unheard("Python", 0.5) == ("gave up", 1)
    assert threading.active_count() == before


def test_the_bash_of_windows_itself_is_none(monkeypatch):
    monkeypatch.setattr(clients.shutil, "which", lambda name: rf"C:\Windows\system32\{name}.EXE")
    assert clients.missing("curl") == ["bash"]
    monkeypatch.setattr(
        clients.shutil, "which", lambda name: rf"C:\Program Files\Git\bin\{name}.EXE"
    )
    assert clients.missing("curl") == []


OPENAI = where.Where(where.OPENAI, True)
SETTINGS = {"https": "http://corp.example:3128", "socks": "socks://corp.example:1080"}


@pytest.mark.parametrize(
    "proxies, left_out",
    [
        ("getproxies_registry", "proxy_bypass_registry"),
        ("getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
    ],
    ids=["Windows", "macOS"],
)
def test_an_upstream_is_asked_through_the_systems_own_proxy(monkeypatch, proxies, left_out):
    """connect() sets NO_PROXY, and from then on urllib does not look into the settings of Windows
    or macOS.
    """
    monkeypatch.delenv("no_proxy", raising=False)  # of a connect() before
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(urllib.request, proxies, lambda: SETTINGS, raising=False)
    monkeypatch.setattr(urllib.request, left_out, lambda host: host == "10.0.0.7", raising=False)
    assert forward.proxy_of(OPENAI) == SETTINGS["https"]
    assert forward.proxy_of(where.Where("https://10.0.0.7/v1", False)) is None
    assert forward.proxy_of(where.Where("http://127.0.0.1:8080/v1", False)) is None
    monkeypatch.setattr(urllib.request, proxies, lambda: {"https": "socks4://corp.example:1080"})
    assert forward.proxy_of(OPENAI) is None  # not spoken here
    monkeypatch.setenv("HTTPS_PROXY", "http://named.example:8080")
    assert forward.proxy_of(OPENAI) == "http://named.example:8080"
    monkeypatch.setenv("NO_PROXY", "api.openai.com")
    assert forward.proxy_of(OPENAI) is None
