"""`./aip doctor`: what is there, what is missing, what to do."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence

from aipipeline.studio.launch import processes
from aipipeline.studio.launch.paths import ROOT, data, environment, redis_socket, say

Finding = tuple[str, bool, str]
FREE_GB = 5


def main(arguments: Sequence[str]) -> int:
    """One line per thing; ends with 1 when something that the studio needs is missing."""
    environment()
    good = True
    for check in CHECKS:
        for name, well, text in check():
            good = good and well
            say(f"{'ok ' if well else '!! '} {name:<14} {text}")
    return 0 if good else 1


def _python() -> Iterator[Finding]:
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]


def _front_end() -> Iterator[Finding]:
    there = (ROOT / "static" / "vendor" / ".stamp").is_file()
    yield "front end", there, "installed" if there else "missing: ./aip up installs it"
    npm = shutil.which("npm")
    yield "npm", npm is not None, npm or "missing: install the Python packages again"


def _ffmpeg() -> Iterator[Finding]:
    from aipipeline.media import ffmpeg

    done = subprocess.run([ffmpeg.binary(), "-version"], capture_output=True, text=True, check=False)
    yield (
        "ffmpeg",
        done.returncode == 0,
        done.stdout.splitlines()[0][:60] if done.stdout else "does not start",
    )


def _storage() -> Iterator[Finding]:
    root = os.environ.get("STORAGE_ROOT") or str(data() / "projects")
    os.makedirs(root, exist_ok=True)
    writable = os.access(root, os.W_OK)
    free = shutil.disk_usage(root).free / 1024**3
    text = f"{root}, {free:.0f} GB free"
    yield "storage", writable and free > FREE_GB, text if writable else f"{root} is not writable"


def _services() -> Iterator[Finding]:
    pid = processes.running_pid()
    yield "studio", True, f"runs (process {pid})" if pid else "is not running"
    url = os.environ.get("REDIS_URL")
    if url or pid:
        import redis

        try:
            redis.Redis.from_url(url or f"unix://{redis_socket()}", socket_connect_timeout=2).ping()
            yield "redis", True, "answers"
        except redis.RedisError as error:
            yield "redis", False, f"does not answer: {error}"
    else:
        yield "redis", True, "embedded, starts with ./aip up"
    database = os.environ.get("DATABASE_URL", "")
    yield "database", True, "PostgreSQL" if database.startswith("postgres") else "SQLite in the data folder"


def _comfy() -> Iterator[Finding]:
    urls = [u for u in os.environ.get("COMFYUI_URLS", "").split(",") if u.strip()]
    if not urls:
        yield "comfyui", True, "none (COMFYUI_URLS); the local engine makes drafts"
    for url in urls:
        try:
            with urllib.request.urlopen(f"{url.strip().rstrip('/')}/system_stats", timeout=3) as answer:
                yield "comfyui", answer.status == 200, f"{url} answers"
        except OSError as error:
            yield "comfyui", False, f"{url} does not answer: {error}"


def _browser() -> Iterator[Finding]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    yield "chromium", True, found or "not there (only ./aip test needs it)"


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _front_end, _ffmpeg, _storage, _services, _comfy, _browser,
)  # fmt: skip
