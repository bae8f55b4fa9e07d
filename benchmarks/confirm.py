"""Confirm of 1,000 shots against bare mkdir, temporary file and rename of the same tree with the same bytes.

    python3 benchmarks/confirm.py [--shots 1000] [--scenes 50] [--json]

Everything in one run and one process, on a SQLite file and a tree in a temporary folder (`--at`), each figure the best
of three by the clock, its CPU seconds beside it: what counts is the ratio. Trees are put aside and deleted at the end:
a filesystem looks long for free inodes right after thousands were deleted, and who comes first would pay for the other.
The bare way makes the folders in order, writes each file beside its name and renames it; `flushed` is the same with a
flush of each file. A confirm does that, flushes all at once, and plans, gives every row its place, reads and describes
it, and locks the shots. Then a confirm with nothing changed, the plan alone, and the refresh after one edit.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TRIES = 3


Figure = tuple[float, float]


def seconds(work: Callable[[], Any]) -> Figure:
    """(by the clock, of the CPU)."""
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def make(shots: int, scenes: int) -> tuple[Any, Any]:
    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from assets.models import Character, Environment
    from shots.models import Casting, Scene, Shot
    from shots.services.steps import ensure_steps  # noqa: F401 - loaded before anything is measured

    actor = User.objects.create_superuser(username="bench", password="bench")
    project = create_project(actor=actor, code="BENCH", title="Bench", width=1280, height=720)
    people = [Character.objects.create(project=project, name=f"인물 {n}") for n in range(12)]
    places = [Environment.objects.create(project=project, name=f"장소 {n}") for n in range(40)]
    rows = [Scene.objects.create(project=project, code=f"SCN_{n:03d}", position=n) for n in range(1, scenes + 1)]
    made = Shot.objects.bulk_create(
        Shot(
            project=project, code=f"SHT_{n:05d}", position=n * 1000, scene=rows[n % scenes], environment=places[n % 40],
            description=f"비 내리는 골목에서 우산 없이 걷는 사람 {n}", action=f"천천히 돌아본다 {n}", emotion="쓸쓸함",
            dialogue=f"여기서 처음 쓰는 이야기야 {n}", prompt=f"rainy alley at night, wet asphalt, film grain, {n}",
        )
        for n in range(shots)
    )  # fmt: skip
    Casting.objects.bulk_create(
        Casting(project=project, shot=shot, character=people[n % 12], order=0) for n, shot in enumerate(made)
    )
    return project, actor


def bare(tree: Path, folders: list[str], files: dict[str, bytes], *, flush: bool) -> None:
    """The same tree as a careful script makes it."""
    for folder in folders:
        os.mkdir(tree / folder)
    for name, data in files.items():
        path = tree / name
        part = path.with_name(f".{path.name}.part")
        with open(part, "xb") as file:
            file.write(data)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)


def measure(shots: int, scenes: int) -> dict[str, Any]:
    from shots.models import Folder, Shot, StaleMark
    from shots.services.confirm import confirm
    from shots.services.editing import update_shots
    from shots.services.tree.metadata import write_stale
    from shots.services.tree.planning import plan_tree

    project, actor = make(shots, scenes)
    root = project.root

    def aside(tree: Path) -> None:
        if tree.exists():
            tree.rename(tempfile.mkdtemp(dir=root.parent.parent) + "/tree")

    def forget() -> None:
        aside(root)
        Folder.objects.all().delete()
        StaleMark.objects.all().delete()
        Shot.objects.update(locked=False)
        type(project).objects.update(confirmed_at=None)

    firsts: list[Figure] = []
    bares: dict[bool, list[Figure]] = {False: [], True: []}
    copy = root.with_name("bare")
    for _n in range(TRIES):
        forget()
        firsts.append(seconds(lambda: confirm(project=project, actor=actor)))
        paths = sorted(root.rglob("*"))
        folders = ["", *(path.relative_to(root).as_posix() for path in paths if path.is_dir())]
        files = {path.relative_to(root).as_posix(): path.read_bytes() for path in paths if path.is_file()}
        for flush, figures in bares.items():
            if flush and figures:
                continue  # takes long, and says only what a flush costs
            figures.append(seconds(partial(bare, copy, folders, files, flush=flush)))
            aside(copy)
    write_stale()
    again = min(seconds(lambda: confirm(project=project, actor=actor)) for _n in range(TRIES))
    plan = min(seconds(lambda: plan_tree(project)) for _n in range(TRIES))
    shot = Shot.objects.filter(project=project).first()
    assert shot is not None  # made above
    update_shots(project=project, actor=actor, items=[{"id": shot.pk, "fields": {"description": "새로"}}])
    refresh = seconds(write_stale)
    plain, flushed, first = min(bares[False]), min(bares[True]), min(firsts)
    shown = {
        "bare": plain, "bare_flushed": flushed, "confirm": first, "nothing_changed": again, "plan": plan,
        "one_edit": refresh,
    }  # fmt: skip
    return {
        "shots": shots,
        "folders": len(folders),
        "files": len(files),
        "ratio": round(first[0] / plain[0], 2),
        "ratio_flushed": round(first[0] / flushed[0], 2),
        **{f"{name}_s": round(figure[0], 3) for name, figure in shown.items()},
        **{f"{name}_cpu_s": round(figure[1], 3) for name, figure in shown.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shots", type=int, default=1000)
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--at", type=Path, help="A folder on the storage to measure (default: the temporary folder).")
    parser.add_argument("--profile", action="store_true", help="Where the time of one confirm goes, instead.")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir=arguments.at) as storage:
        # Edits nudge a worker by Redis, which is not there: that it refuses at once costs nothing that is measured.
        os.environ.update(
            AIP_DATA=folder, STORAGE_ROOT=f"{storage}/projects", DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3",
            DJANGO_SETTINGS_MODULE="aipipeline.settings", LOG_LEVEL="CRITICAL",
        )  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        if arguments.profile:
            profile(arguments.shots, arguments.scenes)
            return
        found = measure(arguments.shots, arguments.scenes)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>20}: {value}")


def profile(shots: int, scenes: int) -> None:
    """The first confirm and one with nothing changed, by function."""
    import cProfile
    import pstats

    from shots.services.confirm import confirm

    project, actor = make(shots, scenes)
    for _n in range(2):
        profiler = cProfile.Profile()
        profiler.runcall(confirm, project=project, actor=actor)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(35)


if __name__ == "__main__":
    main()
