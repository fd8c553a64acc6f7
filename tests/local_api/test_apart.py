"""Processes of their own for models, see helpers/local_api/apart.py."""

import subprocess
import sys

from helpers.local_api import apart

AT_WORK = "from helpers.local_api.apart import lines; print(next(lines()), flush=True); import time; time.sleep(600)"


def test_one_ends_in_the_middle_of_its_work_when_nobody_is_left():
    with subprocess.Popen(
        [sys.executable, "-c", AT_WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=apart.ROOT,
    ) as process:
        process.stdin.write(b"a task\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == b"b'a task\\n'"
        process.stdin.close()
        assert process.wait(60) == 0
