"""Commands that hand over to Django's: produce, analyse, worker, manage."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from aipipeline.studio.launch import gpu_workers, processes
from aipipeline.studio.launch.paths import ROOT, environment, say
from aipipeline.studio.launch.setup import prepare_words


def _django(*arguments: str) -> int:
    """One of our Django commands in this process: killing the launcher kills the work, and starts are quick."""
    from django.core.management import execute_from_command_line

    _stand_where_the_person_stands()
    try:
        execute_from_command_line(["./aip", *arguments])
    except SystemExit as end:
        if isinstance(end.code, str):
            raise
        return end.code or 0
    return 0


def _stand_where_the_person_stands() -> None:
    """Paths on the command line are theirs."""
    os.chdir(os.environ.get("AIP_CWD") or os.getcwd())


def manage(arguments: Sequence[str]) -> int:
    environment()
    _stand_where_the_person_stands()
    os.execv(sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments])


def analyse(arguments: Sequence[str]) -> int:
    prepare_words()
    return _django("analyse", *arguments)


def produce(arguments: Sequence[str]) -> int:
    """The command itself sets up and starts processes, after it has looked at what it was given."""
    prepare_words()
    return _django("produce", "--with-services", *arguments)


def worker(arguments: Sequence[str]) -> int:
    """A worker for one ComfyUI machine, from any host that reaches the database, Redis and the storage."""
    parser = argparse.ArgumentParser(prog="./aip worker")
    parser.add_argument("--comfy", required=True, metavar="URL")
    parser.add_argument("--vram", required=True, type=int, metavar="GB")
    parser.add_argument("--name", default="")
    parser.add_argument("--tags", default="")
    options = parser.parse_args(list(arguments))
    environment()
    reachable = os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL")
    if not reachable and processes.running() is None:
        say("A worker on another host needs DATABASE_URL (PostgreSQL) and REDIS_URL of the studio.")
        say("On the studio's own host, start ./aip up first, or set COMFYUI_URLS for it.")
        return 2
    name = options.name or gpu_workers.name_for(options.comfy)
    env = gpu_workers.environment(options.comfy, options.vram)
    return subprocess.run(gpu_workers.command(name, options.vram), cwd=ROOT, env=env, check=False).returncode
