"""Start the double as a process and talk to its switches."""

import contextlib
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


class LlmDouble:
    """A running double: `url` is its LLM_URL."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self.url = f"{self._base}/v1"
        self._http = requests.Session()
        self._http.trust_env = False

    def set(self, **values: Any) -> None:
        """`mode`, `seconds`, `key`; see the double's own words."""
        self._http.post(f"{self._base}/_double", json=values, timeout=10).raise_for_status()

    def questions(self) -> list[dict[str, Any]]:
        """Every request so far, with its path and key."""
        return list(self._http.get(f"{self._base}/_double", timeout=10).json())


@contextlib.contextmanager
def running() -> Iterator[LlmDouble]:
    """A double on a free loopback port, stopped at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="llm-double-") as folder:
        port_file = Path(folder) / "port"
        line = [sys.executable, "-m", "tests.doubles.llm", "--port-file", str(port_file)]
        process = subprocess.Popen(line, cwd=ROOT)
        try:
            end = time.monotonic() + START_SECONDS
            while not port_file.exists():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("The double of the language model did not start.")
                time.sleep(0.02)
            yield LlmDouble(int(port_file.read_text()))
        finally:
            process.terminate()
            process.wait(timeout=10)
