"""How a run is shared between its workers; see sharing.py."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_a_worker_that_dies_fails_the_run_and_nobody_waits_for_it(tmp_path):
    for name, does in (("dies", "os.kill(os.getpid(), 15)"), ("b", "pass"), ("c", "pass")):
        text = f"import os\n\n\ndef test_before():\n    pass\n\n\ndef test_{name}():\n    {does}\n"
        (tmp_path / f"test_{name}.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-c", "pyproject.toml"]
    run = subprocess.run(
        [*command, "--rootdir", ".", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "crashed while running" in run.stdout and "test_dies" in run.stdout
    assert "1 failed, 5 passed" in run.stdout
