"""`./aip up`: the whole studio, until Ctrl-C."""

import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from types import FrameType

from aipipeline.studio.launch import processes
from aipipeline.studio.launch.paths import data, environment, say
from aipipeline.studio.launch.setup import manage, prepare

START_SECONDS = 60


def main(arguments: Sequence[str]) -> int:
    """Set up, start, wait for a signal, stop in order."""
    environment()
    if arguments:
        say("./aip up takes no arguments; settings are variables, see .env.example.")
        return 2
    if pid := processes.running_pid():
        say(f"The studio already runs on this data folder (process {pid}): {address()}")
        return 1
    if _port_taken():
        say(f"Port {port()} is taken by another program. Set AIP_PORT to a free one, for example AIP_PORT=8010.")
        return 1
    prepare()
    manage("ensure_admin")
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    supervisor = processes.start(processes.wanted())
    try:
        processes.wait_for_redis()
        if not _wait_for_web(lambda: stopping or supervisor.poll() is not None):
            say(f"The web process did not come up. See {data() / 'logs' / 'web.log'}.")
            return 1
        if os.environ.get("AIP_SAMPLE", "1") not in ("0", "false", "no"):
            manage("ensure_sample")
        _greet()
        while not stopping and supervisor.poll() is None:
            time.sleep(0.2)
    finally:
        say("Stopping; work that is under way is finished first.")
        processes.stop(supervisor)
        say("Stopped.")
    return 0


def port() -> int:
    return int(os.environ.get("AIP_PORT", "8000"))


def address() -> str:
    return f"http://localhost:{port()}/"


def _port_taken() -> bool:
    host = os.environ.get("AIP_HOST", "127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host if host != "0.0.0.0" else "", port()))
        except OSError:
            return True
    return False


def _wait_for_web(given_up: object) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if callable(given_up) and given_up():
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port()}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            time.sleep(0.15)
    return False


def _greet() -> None:
    say("")
    say(f"  Studio     {address()}")
    say(f"  Admin      {address()}admin/")
    say(f"  API        {address()}api/docs/")
    say(f"  Flower     {address()}flower/")
    say(f"  Logs       {data() / 'logs'}")
    say("  Ctrl-C stops everything.")
