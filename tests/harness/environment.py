"""Loaded before Django's settings: a data folder, a database URL and a Redis of the test run's own."""

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

folder = Path(tempfile.mkdtemp(prefix="aip-test-", dir="/tmp"))
redis_socket = folder / "redis.sock"

os.environ["AIP_DATA"] = str(folder)
os.environ["AIP_REDIS_SOCKET"] = str(redis_socket)
for name in ("REDIS_URL", "STORAGE_ROOT", "COMFYUI_URLS", "AIP_WORKER_ENDPOINT", "SECRET_KEY"):
    os.environ.pop(name, None)
os.environ["DATABASE_URL"] = os.environ.get("AIP_TEST_DATABASE_URL") or f"sqlite:///{folder}/studio.sqlite3"
os.environ.setdefault("LANGUAGE_CODE", "en")
os.environ["RENDER_LEASE_SECONDS"] = "2"
os.environ["LEDGER_LEASE_SECONDS"] = "2"
os.environ["RENDER_RETRY_DELAY_SECONDS"] = "0.1"
os.environ["BEAT_TICK_SECONDS"] = "0.5"
os.environ["AIP_SAMPLE"] = "0"
os.environ["LOG_LEVEL"] = "ERROR"


def start_redis() -> "subprocess.Popen[bytes]":
    """The embedded server on the run's own socket."""
    from aipipeline.studio.launch.embedded_redis import arguments, binary

    (folder / "redis").mkdir(exist_ok=True)
    server = subprocess.Popen(
        [str(binary()), *arguments(redis_socket, folder / "redis")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    end = time.monotonic() + 10
    while not redis_socket.exists() and time.monotonic() < end:
        time.sleep(0.02)
    return server


_servers = [start_redis()]


def kill_redis() -> None:
    """As a crash would."""
    _servers[-1].kill()
    _servers[-1].wait()
    redis_socket.unlink(missing_ok=True)


def restart_redis() -> None:
    """Kill the server, if it still runs, and start it again on the same files."""
    kill_redis()
    _servers.append(start_redis())


def _clean() -> None:
    _servers[-1].kill()
    shutil.rmtree(folder, ignore_errors=True)


atexit.register(_clean)
