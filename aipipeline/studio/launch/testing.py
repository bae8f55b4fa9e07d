"""`./aip test`: every check. `--quick`: the daily ones, on SQLite, without the browser."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from aipipeline.studio.launch import postgres
from aipipeline.studio.launch.paths import ROOT, read_dotenv, say
from aipipeline.studio.launch.setup import front_end, translations

PROCESSES = max(2, min(os.cpu_count() or 2, 8))


def main(arguments: Sequence[str]) -> int:
    """Lint, types, layers, migrations, then pytest; the first thing that fails ends it."""
    quick = "--quick" in arguments
    chosen = [a for a in arguments if a != "--quick"]
    read_dotenv()
    _forget_settings()
    front_end()
    translations()
    os.environ["AIP_SAMPLE"] = "0"
    if not chosen:
        for check in _checks():
            say(f"— {' '.join(check)}")
            if subprocess.run([sys.executable, "-m", *check], cwd=ROOT, check=False).returncode != 0:
                return 1
    if quick:
        return _pytest(["-m", "not browser and not slow", *chosen])
    _ensure_chromium()
    with ExitStack() as stack:
        os.environ["AIP_TEST_DATABASE_URL"] = stack.enter_context(postgres.temporary_server())
        code = _pytest(chosen)
    if code != 0 or chosen:
        return code
    del os.environ["AIP_TEST_DATABASE_URL"]
    say("— the same on SQLite, where databases differ")
    return _pytest(["-m", "both_databases"])


def _checks() -> list[list[str]]:
    return [
        ["ruff", "format", "--check", "-q", "."],
        ["ruff", "check", "-q", "."],
        ["mypy"],
        ["aipipeline.studio.launch.checks"],
    ]


def _pytest(arguments: Sequence[str]) -> int:
    """Tests that start processes wait much of the time: two at once take little more than one."""
    spread = [] if _names_tests(arguments) else ["-n", str(PROCESSES), "--dist", "worksteal"]
    line = [sys.executable, "-m", "pytest", *spread, *arguments]
    return subprocess.run(line, cwd=ROOT, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode


def _names_tests(arguments: Sequence[str]) -> bool:
    return any(not argument.startswith("-") and (ROOT / argument.split("::")[0]).exists() for argument in arguments)


def _forget_settings() -> None:
    """Tests make their own data folder, database and Redis: nothing of the studio beside is touched."""
    for name in ("AIP_DATA", "DATABASE_URL", "REDIS_URL", "STORAGE_ROOT", "COMFYUI_URLS", "AIP_REDIS_SOCKET"):
        os.environ.pop(name, None)


def _ensure_chromium() -> None:
    if _chromium() is not None:
        return
    if os.getuid() == 0 and shutil.which("apt-get"):
        say("Installing Chromium for the browser tests.")
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True)
        subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], check=False, capture_output=True)
    if _chromium() is None:
        raise SystemExit(
            "The browser tests need Chromium: install it (Debian: apt-get install chromium), or run --quick."
        )


def _chromium() -> Path | None:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    return Path(found) if found else None
