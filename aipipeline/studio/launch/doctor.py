"""`./aip doctor`: what is there, what is missing, what to do."""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aipipeline.studio.launch import pg_copies, processes
from aipipeline.studio.launch.backup import database_file
from aipipeline.studio.launch.paths import ROOT, data, environment, redis_socket, say

Finding = tuple[str, bool, str]
FREE_GB = 5


def main(arguments: Sequence[str]) -> int:
    """One line per thing; ends with 1 when something that the studio needs is missing."""
    if arguments:
        say("./aip doctor takes no arguments: it tells what is there, what is missing, and what to do.")
        return 0 if arguments[0] in ("-h", "--help") else 2
    environment()
    wanting = []
    for check in CHECKS:
        for name, well, text in check():
            say(f"{'ok ' if well else '!! '} {name:<14} {text}")
            if not well:
                wanting.append(name)
    say(f"To be mended: {', '.join(wanting)}." if wanting else "Nothing is missing. ./aip up starts the studio.")
    return 1 if wanting else 0


def _python() -> Iterator[Finding]:
    yield "python", sys.version_info >= (3, 11), sys.version.split()[0]


def _front_end() -> Iterator[Finding]:
    there = (ROOT / "static" / "vendor" / ".stamp").is_file()
    yield "front end", there, "installed" if there else "missing: ./aip up installs it"
    npm = shutil.which("npm")
    yield "npm", npm is not None, npm or "missing: remove .venv and start ./aip up, which installs it again"


def _ffmpeg() -> Iterator[Finding]:
    from aipipeline.media import ffmpeg

    try:
        done = subprocess.run([ffmpeg.binary(), "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        yield "ffmpeg", False, f"does not start: {error}. Remove .venv and start ./aip up, which installs it again."
        return
    yield "ffmpeg", True, done.stdout.partition(" Copyright")[0]


def _storage() -> Iterator[Finding]:
    root = Path(os.environ.get("STORAGE_ROOT") or data() / "projects")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        yield "storage", False, f"{root} cannot be written: {error.strerror}. Set STORAGE_ROOT to a folder of yours."
        return
    free = shutil.disk_usage(root).free / 1024**3
    enough = free > FREE_GB
    yield "storage", enough, f"{root}, {free:.0f} GB free" + ("" if enough else f": {FREE_GB} GB are wanted, make room")


def _services() -> Iterator[Finding]:
    found = processes.running()
    yield "studio", True, f"runs (./aip {found.purpose}, process {found.pid})" if found else "is not running"
    url = os.environ.get("REDIS_URL")
    if url or found:
        import redis

        try:
            redis.Redis.from_url(url or f"unix://{redis_socket()}", socket_connect_timeout=2).ping()
            yield "redis", True, "answers"
        except redis.RedisError as error:
            where = "Look at REDIS_URL" if url else f"See {data() / 'logs' / 'redis.log'}"
            yield "redis", False, f"does not answer: {error}. {where}."
    else:
        yield "redis", True, "embedded, starts with ./aip up"


def _database() -> Iterator[Finding]:
    """A database that was not made yet is nothing missing: the first start makes it."""
    if pg_copies.is_postgres():
        import psycopg

        try:
            with pg_copies.connect() as connection:
                version = connection.info.server_version // 10_000
            yield "database", True, f"PostgreSQL {version} answers"
        except psycopg.Error as error:
            text = str(error).strip().splitlines()[0]
            yield "database", False, f"PostgreSQL does not answer: {text}. Look at DATABASE_URL."
        return
    place = database_file()
    text = f"SQLite, {place}" + ("" if place.is_file() else " (made by the first start)")
    yield "database", True, text


def _comfy() -> Iterator[Finding]:
    urls = [u for u in os.environ.get("COMFYUI_URLS", "").split(",") if u.strip()]
    if not urls:
        yield "comfyui", True, "none (COMFYUI_URLS); the local engine makes drafts"
    for url in urls:
        try:
            with urllib.request.urlopen(f"{url.strip().rstrip('/')}/system_stats", timeout=3) as answer:
                yield "comfyui", answer.status == 200, f"{url} answers"
        except (OSError, ValueError) as error:
            yield "comfyui", False, f"{url} does not answer: {error}. Start it, or take it out of COMFYUI_URLS."


def _browser() -> Iterator[Finding]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    yield "chromium", True, found or "not there (only ./aip test needs it)"


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _python, _front_end, _ffmpeg, _storage, _services, _database, _comfy, _browser,
)  # fmt: skip
