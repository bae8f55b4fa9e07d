"""Commands that hand over to Django's: produce, analyse, worker, manage."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from aipipeline.studio.launch import gpu_workers, processes
from aipipeline.studio.launch.paths import ROOT, environment, say
from aipipeline.studio.launch.session import services
from aipipeline.studio.launch.setup import migrate, prepare


def _manage(arguments: Sequence[str]) -> int:
    return subprocess.run([sys.executable, str(ROOT / "manage.py"), *arguments], cwd=_cwd(), check=False).returncode


def _cwd() -> str:
    """Where the person stands: paths on the command line are theirs."""
    return os.environ.get("AIP_CWD", os.getcwd())


def manage(arguments: Sequence[str]) -> int:
    environment()
    return _manage(arguments)


def analyse(arguments: Sequence[str]) -> int:
    prepare(database=False)
    return _manage(["analyse", *arguments])


def produce(arguments: Sequence[str]) -> int:
    if not arguments or "-h" in arguments or "--help" in arguments:
        environment()
        return _manage(["produce", "--help"])
    prepare(database=False)
    with services():
        # In this process: Django is loaded once for the database and for the command, while the workers start.
        migrate(here=True)
        processes.wait_for_redis()
        return _manage_here(["produce", *arguments])


def _manage_here(arguments: Sequence[str]) -> int:
    """Django's command in this process; SystemExit carries its code where it is not 0."""
    import django
    from django.core.management import execute_from_command_line

    django.setup()
    os.chdir(_cwd())
    execute_from_command_line([str(ROOT / "manage.py"), *arguments])
    return 0


def worker(arguments: Sequence[str]) -> int:
    """A worker for one ComfyUI machine, from any host that reaches the database, Redis and the storage."""
    parser = argparse.ArgumentParser(prog="./aip worker")
    parser.add_argument("--comfy", required=True, metavar="URL")
    parser.add_argument("--vram", required=True, type=int, metavar="GB")
    parser.add_argument("--name", default="")
    parser.add_argument("--tags", default="")
    options = parser.parse_args(list(arguments))
    environment()
    if not os.environ.get("DATABASE_URL") or not os.environ.get("REDIS_URL"):
        from aipipeline.studio.launch.processes import running_pid

        if not running_pid():
            say("A worker on another host needs DATABASE_URL (PostgreSQL) and REDIS_URL of the studio.")
            say("On the studio's own host, start ./aip up first, or set COMFYUI_URLS for it.")
            return 2
    name = options.name or gpu_workers.name_for(options.comfy)
    env = gpu_workers.environment(options.comfy, options.vram)
    return subprocess.run(gpu_workers.command(name, options.vram), cwd=ROOT, env=env, check=False).returncode
