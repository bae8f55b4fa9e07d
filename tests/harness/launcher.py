"""`./aip` as a person calls it: a process with a data folder of its own, and nothing of the test run's settings."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.harness.processes import ROOT

OURS = (
    "DATABASE_URL",
    "REDIS_URL",
    "STORAGE_ROOT",
    "AIP_REDIS_SOCKET",
    "AIP_TEST_DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
)


def environment(data: Path, **more: str) -> dict[str, str]:
    """The variables of a person who has set only these."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, "AIP_DATA": str(data), "PYTHONPATH": str(ROOT), **more}


def start(data: Path, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """The command in a session of its own, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "aipipeline.studio.launch", *arguments],
        cwd=ROOT,
        env=environment(data, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As at a terminal: a test run in the background of a script ignores Ctrl-C, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


# A child counts the memory of the process it was forked from; this small one forks it instead of the test run.
_MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], "w").write(json.dumps([used.ru_utime, used.ru_maxrss / 1024]))
sys.exit(code)
"""


def run_measured(data: Path, *arguments: str) -> "tuple[subprocess.CompletedProcess[str], float, float]":
    """`run`, with the seconds of processor and the megabytes of memory that it took."""
    told = data.with_name(f"{data.name}-used.json")
    line = [sys.executable, "-c", _MEASURE, str(told), sys.executable, "-m", "aipipeline.studio.launch", *arguments]
    done = subprocess.run(
        line, cwd=ROOT, env=environment(data), capture_output=True, text=True, check=False, timeout=150
    )
    assert "Traceback" not in done.stderr, done.stderr
    seconds, megabytes = json.loads(told.read_text())
    return done, seconds, megabytes


def run(data: Path, *arguments: str, seconds: float = 150, **more: str) -> "subprocess.CompletedProcess[str]":
    """The command to its end."""
    child = start(data, *arguments, **more)
    try:
        out, err = child.communicate(timeout=seconds)
    finally:
        child.kill()
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def alive(data: Path) -> list[str]:
    """The command lines of all processes that work on this data folder."""
    mark = f"AIP_DATA={data}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(f"{folder.name} {line}")
        except OSError:
            continue  # ended in between, or somebody else's
    return found
