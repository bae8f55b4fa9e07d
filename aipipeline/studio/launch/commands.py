"""Commands that hand over to Django's: produce, analyse, worker, manage."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from aipipeline.studio.launch import gpu_workers, worker_checks
from aipipeline.studio.launch.paths import ROOT, environment, say
from aipipeline.studio.launch.session import services
from aipipeline.studio.launch.setup import prepare


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
    prepare()
    with services():
        return _manage(["produce", *arguments])


def worker(arguments: Sequence[str]) -> int:
    """A worker for one ComfyUI machine, from any host that reaches the database, Redis and the storage."""
    parser = argparse.ArgumentParser(prog="./aip worker")
    parser.add_argument("--comfy", required=True, metavar="URL", help="address of the ComfyUI server")
    parser.add_argument("--vram", type=_gigabytes, default=0, metavar="GB", help="default: what the server says")
    parser.add_argument("--name", default="", help="default: from the address")
    parser.add_argument("--tags", default="", metavar="A,B", help="names shown with the worker")
    options = parser.parse_args(list(arguments))
    environment()
    if found := worker_checks.obstacles():
        say("\n".join(found))
        return 2
    vram = options.vram or gpu_workers.declared_vram()
    os.chdir(ROOT)
    run = gpu_workers.command(options.name or gpu_workers.name_for(options.comfy), vram)
    # The worker takes this process's place: a signal reaches it directly, and it finishes what it holds.
    os.execve(run[0], run, gpu_workers.environment(options.comfy, vram, options.tags))


def _gigabytes(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text}: whole GB from 1 to 1024")
    return int(text)
