"""`./aip up`: the whole studio, until Ctrl-C."""

import errno
import os
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from aipipeline.studio.launch import locks, processes
from aipipeline.studio.launch.paths import data, environment, say
from aipipeline.studio.launch.setup import manage, prepare

START_SECONDS = 180
FLOWER_PORT = 5555


class _Stopping:
    """Set by the first SIGTERM or SIGINT; the start and the long wait look at it."""

    def __init__(self) -> None:
        self.told = False
        signal.signal(signal.SIGTERM, self._tell)
        signal.signal(signal.SIGINT, self._tell)

    def _tell(self, _signal: int, _frame: FrameType | None) -> None:
        self.told = True


def main(arguments: Sequence[str]) -> int:
    """Set up, start, wait for a signal, stop in order."""
    if arguments:
        say("./aip up takes no arguments; settings are variables, see .env.example.")
        return 0 if arguments[0] in ("-h", "--help") else 2
    environment()
    lock = locks.take(data() / "run" / "up.lock", note=f"{os.getpid()} {address()}")
    if lock is None:
        pid, _space, where = (locks.holder(data() / "run" / "up.lock") or "").partition(" ")
        say(f"The studio already runs on this data folder (process {pid}): {where}")
        return 1
    with lock, _port_of_ours():
        _choose_flower_port()
        prepare()
        manage("ensure_admin")
        return _run(_Stopping())


@contextmanager
def _port_of_ours() -> Iterator[None]:
    """The port is free, and no other studio of this user is about to take it: its own start would look like ours."""
    if problem := _port_problem(port(), "AIP_PORT"):
        raise SystemExit(problem)
    lock = locks.take(Path(tempfile.gettempdir()) / f"aip-{os.getuid()}-port-{port()}.lock", note=str(data()))
    if lock is None:
        raise SystemExit(_taken(port(), "AIP_PORT", "another studio"))
    with lock:
        yield


def _taken(number: int, variable: str, by: str) -> str:
    free = f"{variable}={min(number + 10, 65000)}"
    return f"Port {number} is taken by {by}. Set {variable} to a free one, for example {free}."


def _run(stopping: _Stopping) -> int:
    _wait_for_others(stopping)
    if stopping.told:
        return 0
    supervisor = processes.start(processes.wanted(), purpose="up")
    try:
        processes.wait_for_redis(ended=lambda: stopping.told or supervisor.poll() is not None)
        if not _wait_for_web(lambda: stopping.told or supervisor.poll() is not None):
            if not stopping.told:
                say(f"The web process did not come up. See {data() / 'logs' / 'web.log'}.")
            return 0 if stopping.told else 1
        if os.environ.get("AIP_SAMPLE", "1").lower() not in ("0", "false", "no", "off"):
            manage("ensure_sample")
        _greet()
        while not stopping.told and supervisor.poll() is None:
            time.sleep(0.2)
        if not stopping.told:
            say(f"The processes ended by themselves. See {data() / 'logs' / 'supervisor.log'}.")
        return 0 if stopping.told else 1
    finally:
        say("Stopping; work that is under way is finished first.")
        processes.stop(supervisor)
        say("Stopped.")


def _wait_for_others(stopping: _Stopping) -> None:
    """Until no other command's processes run here: those of a `produce`, or of an `up` that was killed."""
    told = False
    while not stopping.told and (found := processes.running()) is not None:
        if not told:
            told = True
            say(
                f"./aip {found.purpose} (process {found.pid}) works on this data folder; the studio starts when its "
                "processes have ended."
            )
        time.sleep(0.2)


def port() -> int:
    return _number("AIP_PORT", 8000)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SystemExit(f"{name}={text}: a port is a number from 1 to 65535.")
    return int(text)


def address() -> str:
    return f"http://localhost:{port()}/"


def _choose_flower_port() -> None:
    """The usual port, or any free one beside another studio; only the site itself needs to know it."""
    if os.environ.get("AIP_FLOWER_PORT"):
        if problem := _port_problem(_number("AIP_FLOWER_PORT", FLOWER_PORT), "AIP_FLOWER_PORT", "127.0.0.1"):
            raise SystemExit(problem)
        return
    chosen = FLOWER_PORT
    if _port_problem(chosen, "AIP_FLOWER_PORT", "127.0.0.1"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            chosen = int(probe.getsockname()[1])
    os.environ["AIP_FLOWER_PORT"] = str(chosen)


def _port_problem(number: int, variable: str, host: str = "") -> str:
    """Why nothing can listen there, with the remedy; empty when all is well."""
    host = host or os.environ.get("AIP_HOST", "") or "127.0.0.1"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return _taken(number, variable, "another program")
            if error.errno == errno.EACCES:
                return f"Port {number} is only for root. Set {variable} to one above 1023."
            return (
                f"Nothing can listen on AIP_HOST={host}: {error.strerror}. Use 127.0.0.1, or 0.0.0.0 for the network."
            )
    return ""


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
