"""The one way to run ffmpeg: the binary that pip installed, with progress, cancel and readable errors."""

import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import imageio_ffmpeg

POLL_SECONDS = 0.05


class FFmpegError(Exception):
    """ffmpeg ended badly: `tail` holds its last lines, `args_used` the command."""

    def __init__(self, message: str, *, tail: str, args_used: Sequence[str]) -> None:
        super().__init__(f"{message}\n{tail}")
        self.tail = tail
        self.args_used = list(args_used)


class Cancelled(Exception):
    """The caller's `cancelled` said so; the process is gone."""


@cache
def binary() -> str:
    """The ffmpeg of the imageio-ffmpeg package."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def command(args: Sequence[str | Path]) -> list[str]:
    """The whole command line for these arguments."""
    return [binary(), "-hide_banner", "-nostdin", "-y", "-loglevel", "error", *map(str, args)]


def run(
    args: Sequence[str | Path],
    *,
    on_frame: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    timeout: float | None = None,
) -> None:
    """Run ffmpeg to its end. `on_frame` gets the number of frames written so far.

    Raises FFmpegError with the log's tail, or Cancelled after the process was killed.
    """
    extra = ["-progress", "pipe:1", "-stats_period", "0.2"] if on_frame else []
    line = command([*extra, *args])
    process = subprocess.Popen(
        line,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    tail: deque[str] = deque(maxlen=20)
    readers = [
        threading.Thread(target=_keep_tail, args=(process, tail), daemon=True),
        threading.Thread(target=_follow, args=(process, on_frame), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        _wait(process, cancelled, timeout, line, tail)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for reader in readers:
            reader.join(timeout=5)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    if process.returncode != 0:
        raise FFmpegError(f"ffmpeg ended with code {process.returncode}.", tail="\n".join(tail), args_used=line)


def _wait(
    process: "subprocess.Popen[str]",
    cancelled: Callable[[], bool] | None,
    timeout: float | None,
    line: Sequence[str],
    tail: "deque[str]",
) -> None:
    if cancelled is None and timeout is None:
        process.wait()
        return
    end = None if timeout is None else time.monotonic() + timeout
    while process.poll() is None:
        if cancelled is not None and cancelled():
            raise Cancelled
        if end is not None and time.monotonic() > end:
            raise FFmpegError(f"ffmpeg took longer than {timeout} s.", tail="\n".join(tail), args_used=line)
        try:
            process.wait(POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _keep_tail(process: "subprocess.Popen[str]", tail: "deque[str]") -> None:
    assert process.stderr is not None  # opened as a pipe
    for text in process.stderr:
        tail.append(text.rstrip())


def _follow(process: "subprocess.Popen[str]", on_frame: Callable[[int], None] | None) -> None:
    assert process.stdout is not None  # opened as a pipe
    for text in process.stdout:
        name, _, value = text.strip().partition("=")
        if on_frame is not None and name == "frame" and value.isdigit():
            on_frame(int(value))
