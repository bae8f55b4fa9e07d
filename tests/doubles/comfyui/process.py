"""Start the double as a process and talk to its switches; usable from any test."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 30.0


class ComfyDouble:
    """A running double: `url`, its switches, its counters, and `stop()`."""

    def __init__(self, version: str, flags: tuple[str, ...]) -> None:
        self.version, self.flags = version, flags
        self._folder = tempfile.TemporaryDirectory(prefix="comfy-double-")
        self.data = Path(self._folder.name) / "data"
        self._http = requests.Session()
        self._http.trust_env = False
        self.port = 0
        self._process = self._launch()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def faults(self, **values: Any) -> None:
        """Set switches (fields of `Faults`), or `restart=seconds`, `lose_queue=True`, `drop_sockets=True`."""
        self._http.post(f"{self.url}/_double/faults", json=values, timeout=10).raise_for_status()

    def stats(self) -> dict[str, Any]:
        """`executed` counts runs by prompt id; `posts`, `uploads`, `downloads`, `object_info` count calls."""
        return dict(self._http.get(f"{self.url}/_double/stats", timeout=10).json())

    def get(self, path: str) -> Any:
        return self._http.get(self.url + path, timeout=10).json()

    def post(self, path: str, **content: Any) -> requests.Response:
        return self._http.post(self.url + path, json=content, timeout=10)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """kill -9: no goodbye to anybody; files stay."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def start_again(self) -> None:
        """On the same port and files, with an empty queue and history."""
        self._process = self._launch()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
        self._http.close()
        self._folder.cleanup()

    def _launch(self) -> "subprocess.Popen[bytes]":
        port_file = Path(self._folder.name) / "port"
        port_file.unlink(missing_ok=True)
        line = [sys.executable, "-m", "tests.doubles.comfyui", "--port", str(self.port), "--port-file", str(port_file)]
        line += ["--version", self.version, "--data", str(self.data), *self.flags]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "aipipeline.settings"}
        process = subprocess.Popen(line, cwd=ROOT, env=environment)
        end = time.monotonic() + START_SECONDS
        while not port_file.exists():
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise RuntimeError(f"The ComfyUI double did not start: {' '.join(line)}")
            time.sleep(0.02)
        self.port = int(port_file.read_text())
        return process


def start(version: str = "0.33.0", *flags: str) -> ComfyDouble:
    """A double on a free loopback port; see `python -m tests.doubles.comfyui --help` for the flags."""
    return ComfyDouble(version, flags)


@contextlib.contextmanager
def running(version: str = "0.33.0", *flags: str) -> Iterator[ComfyDouble]:
    """As `start`, stopped at the end of the block."""
    double = start(version, *flags)
    try:
        yield double
    finally:
        double.stop()
