"""Commands that hand over to Django's: produce, analyse, worker, manage."""

import argparse
import os
import sys
from collections.abc import Sequence

from aipipeline.studio.launch import gpu_workers, worker_checks
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
    """One worker for each ComfyUI server named, from any host that reaches the database, Redis and the storage."""
    parser = argparse.ArgumentParser(prog="./aip worker")
    parser.add_argument(
        "--comfy", required=True, action="append", metavar="URL", help="address of a ComfyUI server; may be repeated"
    )
    parser.add_argument("--vram", type=_gigabytes, default=0, metavar="GB", help="default: what the server says")
    parser.add_argument("--name", default="", help="of a single worker; default: from the address")
    parser.add_argument("--tags", default="", metavar="A,B", help="names shown with the worker")
    options = parser.parse_args(list(arguments))
    urls = list(dict.fromkeys(options.comfy))
    if options.name and len(urls) > 1:
        parser.error("--name is for a single --comfy; several workers are named by their addresses.")
    environment()
    if found := worker_checks.obstacles():
        say("\n".join(found))
        return 2
    vram = options.vram or gpu_workers.declared_vram()
    os.chdir(ROOT)
    # The worker, or what starts one for each, takes this process's place: a signal reaches it directly, and it finishes
    # what it holds.
    if len(urls) > 1:
        several = [sys.executable, "-m", "aipipeline.studio.launch.gpu_workers", gpu_workers.AT_ONCE]
        os.execve(several[0], several, gpu_workers.environment(urls[0], vram, options.tags, urls=urls))
    run = gpu_workers.command(options.name or gpu_workers.name_for(urls[0]), vram)
    os.execve(run[0], run, gpu_workers.environment(urls[0], vram, options.tags))


def _gigabytes(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"{text}: whole GB from 1 to 1024")
    return int(text)
