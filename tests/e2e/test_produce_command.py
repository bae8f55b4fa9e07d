"""`./aip produce` as the shell runs it: with services of its own, which survive kills and leave with the command."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from aipipeline.media.probe import probe
from tests.factories import SCRIPT
from tests.harness.processes import ROOT

pytestmark = pytest.mark.slow


def children(pid: int) -> list[int]:
    """Process ids right below this one."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def farm_of(data: Path) -> int:
    """The program that the workers are forks of, once it has both."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            for pid in children(int((data / "run" / "supervisord.pid").read_text())):
                if b"launch.farm" in Path(f"/proc/{pid}/cmdline").read_bytes() and len(children(pid)) == 2:
                    return pid
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise AssertionError("the workers did not start")


def alive(pid: int) -> bool:
    """False also for one that ended and that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_worker_is_forked_again_and_all_leave_with_the_command(tmp_path: Path) -> None:
    data, script = tmp_path / "data", tmp_path / "letter.txt"
    script.write_text(SCRIPT, encoding="utf-8")
    inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "AIP_REDIS_SOCKET")}
    command = [ROOT / "aip", "produce", script, "--out", tmp_path / "out", "--size", "320x180", "--json"]
    process = subprocess.Popen(
        command,
        env={**inherited, "AIP_DATA": str(data), "RENDER_LEASE_SECONDS": "3", "RENDER_RETRY_DELAY_SECONDS": "0.5"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        farm = farm_of(data)
        first = children(farm)
        os.kill(first[0], signal.SIGKILL)
        output, _ = process.communicate(timeout=150)
    finally:
        process.kill()
    assert process.returncode == 0
    made = json.loads(output.splitlines()[-1])
    film = probe(tmp_path / "out" / "film.mp4")
    assert made["frames"]["film"] == made["frames"]["proxy"] == made["frames"]["shots"] == film.frames
    assert made["counts"]["videos"] == made["counts"]["shots"]
    assert "Traceback" not in (data / "logs" / "farm.log").read_text()
    assert [pid for pid in (farm, *first) if alive(pid)] == []
