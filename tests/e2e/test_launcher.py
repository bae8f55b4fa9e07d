"""`./aip up` and `./aip produce` as processes: started, met twice, told to stop, killed, and started again."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deliveries import read_delivery
from tests.factories import SCRIPT
from tests.harness import launcher, processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
if not sys.platform.startswith("linux"):
    pytest.skip("processes are counted in /proc", allow_module_level=True)


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose name is as awkward as people's are, and longer than a socket's path may be."""
    folder = tmp_path / "스튜디오 100% 'data'" / ("x" * 100)
    yield folder
    for line in launcher.alive(folder):
        os.kill(int(line.split()[0]), signal.SIGKILL)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "마지막 편지.txt"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def nothing_left(data: Path) -> None:
    processes.wait_until(lambda: not launcher.alive(data), seconds=120, what=lambda: launcher.alive(data))


def told(child: "subprocess.Popen[str]") -> str:
    out, err = child.communicate(timeout=200)
    assert "Traceback" not in err, err
    return out + err


def test_up_is_one_stops_whole_and_starts_again(data: Path) -> None:
    port = str(processes.free_port())
    url = f"http://localhost:{port}/"
    studio = {"AIP_PORT": port, "AIP_SAMPLE": "0"}
    first = launcher.start(data, "up", **studio)
    processes.wait_until(lambda: answers(url), seconds=200, what=lambda: (first.poll(), launcher.alive(data)))
    second = launcher.run(data, "up", **studio)
    assert (second.returncode, url in second.stderr) == (1, True)
    beside = launcher.run(data.with_name("other"), "up", **studio)
    assert (beside.returncode, "AIP_PORT=" in beside.stderr) == (1, True)
    assert "runs (./aip up" in launcher.run(data, "doctor", **studio).stderr
    assert answers(url)

    first.kill()
    assert "password" in told(first)
    nothing_left(data)

    again = launcher.start(data, "up", **studio)
    processes.wait_until(lambda: answers(url), seconds=200, what=lambda: (again.poll(), launcher.alive(data)))
    again.send_signal(signal.SIGINT)
    said = told(again)
    assert (again.returncode, "Stopped." in said, "password" in said) == (0, True, False)
    nothing_left(data)


def produce(data: Path, script: Path, out: Path, *more: str) -> "subprocess.Popen[str]":
    return launcher.start(data, "produce", str(script), "--out", str(out), "--size", "320x180", "--json", *more)


def right(child: "subprocess.Popen[str]", out: Path) -> None:
    """The command ended well, and every file of it tells the same number of frames."""
    stdout, stderr = child.communicate(timeout=400)
    assert child.returncode == 0, stderr
    made = json.loads(stdout.splitlines()[-1])
    assert {*read_delivery(out).frames.values()} == {made["frames"]["film"]}
    assert made["counts"]["images"] == made["counts"]["videos"] == made["counts"]["shots"]


def until_it_says(child: "subprocess.Popen[str]", word: str) -> None:
    assert child.stderr is not None
    for line in child.stderr:
        if line.startswith(word):
            return
    raise AssertionError(f"it ended without {word}")


@pytest.mark.parametrize("signals", [[signal.SIGKILL, signal.SIGTERM, signal.SIGINT]])
def test_a_stopped_produce_leaves_nothing_running_and_goes_on(
    data: Path, script: Path, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    out = tmp_path / "out"
    for stage, end in zip(("images", "videos", "film"), signals, strict=True):
        child = produce(data, script, out)
        until_it_says(child, stage)
        child.send_signal(end)
        stderr = told(child)
        assert child.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[end], stderr
        nothing_left(data)
    right(produce(data, script, out), out)
    nothing_left(data)


def test_two_at_once_share_and_the_second_goes_on_alone(data: Path, script: Path, tmp_path: Path) -> None:
    other = tmp_path / "night_bus.fountain"
    other.write_bytes((processes.ROOT / "aipipeline/studio/samples/night_bus.en.fountain").read_bytes())
    first = produce(data, script, tmp_path / "first", "--until", "images")
    until_it_says(first, "images")
    second = produce(data, other, tmp_path / "second")
    stderr = told(first)
    assert first.returncode == 0, stderr
    right(second, tmp_path / "second")
    nothing_left(data)


def test_bad_input_is_refused_before_anything_is_made(data: Path, script: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    out = tmp_path / "out"
    for arguments, word in (
        ([str(tmp_path / "none.txt")], "no such file"),
        ([str(tmp_path)], "folder"),
        ([str(tmp_path / "loop.txt")], "circle"),
        ([str(tmp_path / "pipe.txt")], "is no file"),
        ([str(tmp_path / "empty.txt")], "empty"),
        ([str(script), "--size", "0x0"], "64"),
        ([str(script), "--size", "99999x99999"], "64"),
        ([str(script), "--size", "641x360"], "even"),
        ([str(script), "--size", "²x²"], "WIDTHxHEIGHT"),
        ([str(script), "--fps", "0"], "24000/1001"),
        ([str(script), "--until", "lunch"], "export"),
        ([str(script), "--project", "../up"], "--project ../up"),
        ([str(script), "--engine", "steam"], "comfy"),
    ):
        done, seconds, megabytes = launcher.run_measured(data, "produce", *arguments, "--out", str(out))
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr
        # Of the processor: what else the machine does is no matter here.
        assert seconds < 15
        assert megabytes < 400
    assert not out.exists()
    assert not (data / "aipipeline.sqlite3").exists()
    assert launcher.alive(data) == []
