"""A mirror of 10,000 unchanged files against `rsync -an` of the same two folders.

    python3 benchmarks/mirror.py [--files 10000] [--json]

Everything in one run, on a SQLite file in a temporary folder. The tree is a production's: shots with versions of a few
files each, and metadata. It is copied once by the mirror (told as files a second), and then both compare what is
already there, in turn, several times; each figure is the best. rsync runs as a process, as it does; the mirror runs as
a worker runs it: the task taken, its lease kept, the place checked, both sides walked, the end written to the
database. `mirror_in_python` of an S3 target has no bare counterpart and is not measured here.
rsync must be installed (Debian: apt-get install rsync); without it the ratio is left out, and the output says so.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TRIES = 7


def grow(root: Path, files: int) -> int:
    """Shots of two kinds with two versions of two files each and one metadata file, until there are enough."""
    made = number = 0
    while made < files:
        number += 10
        shot = root / f"scenes/SCN_{number // 200:03d}/shots/SHT_{number:05d}"
        names = [f"{kind}/v{v:03d}/{name}" for kind in ("previz", "render") for v in (1, 2) for name in
                 ("장면.png", "manifest.json")]  # fmt: skip
        for name in ["shot_meta.json", *names][: files - made]:
            path = shot / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode() * 20)
            made += 1
    return made


def measure(files: int, folder: Path) -> dict[str, Any]:
    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from celery_workers import ledger
    from mirror import work  # noqa: F401  (registers the kind of work)
    from mirror.services.runs import request_run
    from mirror.services.targets import create_target

    actor = User.objects.create_superuser(username="bench", password="bench")
    project = create_project(actor=actor, code="BENCH", title="Bench", width=1280, height=720)
    grow(project.root, files)
    target = create_target(project=project, actor=actor, fields={"name": "nas", "path": f"{folder}/nas"})

    def ours(**flags: bool) -> tuple[float, dict[str, Any]]:
        task = request_run(target=target, actor=None, send=False, **flags)
        began = time.perf_counter()
        ledger.run(str(task.pk))
        seconds = time.perf_counter() - began
        task.refresh_from_db()
        if task.state != "succeeded":
            raise SystemExit(f"the mirror failed: {task.error}")
        return seconds, task.result

    first, result = ours()
    found = {"files": files, "first_copy_s": round(first, 2), "first_copy_files_per_s": round(result["copied"] / first)}
    rsync = shutil.which("rsync")
    mine, theirs, dry = [], [], []
    for _n in range(TRIES):
        seconds, result = ours()
        assert (result["same"], result["copied"]) == (files, 0), result
        mine.append(seconds)
        dry.append(ours(dry_run=True)[0])
        if rsync:
            began = time.perf_counter()
            subprocess.run([rsync, "-an", f"{project.root}/", f"{folder}/nas/"], check=True)
            theirs.append(time.perf_counter() - began)
    found |= {"mirror_s": round(min(mine), 3), "mirror_dry_run_s": round(min(dry), 3)}
    if rsync:
        found |= {"rsync_s": round(min(theirs), 3), "ratio": round(min(mine) / min(theirs), 2)}
    else:
        found["ratio"] = "rsync is not installed, so there is nothing to compare with: apt-get install rsync"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The events of the runs have no server to go to here; that they are not sent costs nothing that is measured.
        os.environ.update(
            AIP_DATA=f"{folder}/data", STORAGE_ROOT=f"{folder}/projects", DATABASE_URL=f"sqlite:///{folder}/b.sqlite3",
            DJANGO_SETTINGS_MODULE="aipipeline.settings", LOG_LEVEL="CRITICAL",
        )  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        found = measure(arguments.files, folder)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>24}: {value}")


if __name__ == "__main__":
    main()
