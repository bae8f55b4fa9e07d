"""Publishing under kill -9 at every step, twenty at once, on a storage that lists late and wrongly, and on a full one.

Every publisher is a process of its own (`renders.tests.publisher`), and every kill is one.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from aipipeline.media.files import sha256_file
from renders import runner
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from renders.services import numbering, queue, sealing
from renders.services.jobs import render_shots
from renders.services.workers import register_worker
from shots.models import Shot
from shots.services import editing
from tests.factories import picture
from tests.harness.environment import folder as run_folder
from tests.harness.processes import ROOT, Process, database_url, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
AT_ONCE = 8


def publisher(command: str, **orders: Any) -> Process:
    return Process(f"publisher-{command}", "-m", "renders.tests.publisher", command, json.dumps(orders))


def run_all(processes: Iterator[Process]) -> list[Process]:
    """Let them work, some at a time, until each has ended in its own way."""
    running: list[Process] = []
    done: list[Process] = []
    for process in processes:
        running.append(process)
        done.append(process)
        while len(running) >= AT_ONCE:
            running = [p for p in running if p.is_alive()]
            time.sleep(0.01)
    for process in running:
        wait_until(lambda p=process: not p.is_alive(), what=process.text)  # type: ignore[misc]
    return done


def shots_of(project: Any, actor: Any, count: int) -> list[Shot]:
    return [editing.create_shot(project=project, actor=actor, description=f"장면 {n}") for n in range(count)]


def steps_of(command: str, tmp_path: Path, **orders: Any) -> list[str]:
    """The names of all steps of a publish that nobody disturbs."""
    told = tmp_path / "steps.json"
    process = publisher(command, steps=str(told), **orders)
    wait_until(lambda: not process.is_alive(), what=process.text)
    assert told.exists(), process.text()
    names: list[str] = json.loads(told.read_text())
    return names


def recover(nas: bool) -> None:
    process = publisher("recover", nas=nas)
    wait_until(lambda: not process.is_alive(), what=process.text)
    assert "Traceback" not in process.text(), process.text()


def check_whole(version: Version) -> None:
    facts = sealing.sealed_facts(version)
    assert facts is not None, version.path
    assert facts["files"] == version.manifest
    for entry in version.manifest:
        assert sha256_file(version.folder / entry["name"]) == entry["sha256"]


def check_tree(project: Any) -> None:
    """On disk there are whole versions that are known, each once, and nothing half-made."""
    published = list(Version.objects.filter(project=project, state=VersionState.PUBLISHED))
    for version in published:
        check_whole(version)
    assert list(project.root.rglob(".*")) == []
    folders = {path.relative_to(project.root).as_posix() for path in project.root.rglob("v[0-9]*") if path.is_dir()}
    assert folders == {version.path for version in published}
    numbers = list(Version.objects.filter(project=project).values_list("shot", "kind", "number"))
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("nas", [False, True], ids=["", "nas"])
def test_an_upload_that_is_killed_anywhere_leaves_nothing_or_a_whole_version(
    project: Any, admin_user: Any, tmp_path: Path, nas: bool
) -> None:
    (shot,) = shots_of(project, admin_user, 1)
    file = str(picture(tmp_path / "a.png"))
    orders = {"shot": shot.pk, "file": file, "nas": nas}
    steps_of("upload", tmp_path, comment="makes the folders", **orders)
    steps = steps_of("upload", tmp_path, comment="undisturbed", **orders)
    sealed = max(n for n, name in enumerate(steps) if name == "after os.rename")
    for wanted in ("half copied", "publishing.reserve", "sealing._fsync", "signal, before commit"):
        assert any(wanted in name for name in steps), steps
    run_all(publisher("upload", comment=f"killed {n}", kill_at=n, **orders) for n in range(len(steps)))
    before = Version.objects.filter(state=VersionState.PUBLISHED, comment__startswith="killed").count()
    assert before < len(steps) - sealed  # those that died between the rename and the commit are not seen yet
    recover(nas)
    check_tree(project)
    for n, name in enumerate(steps):
        found = list(Version.objects.filter(comment=f"killed {n}"))
        states = [version.state for version in found]
        wanted_states = [VersionState.PUBLISHED] if n >= sealed else [VersionState.DEAD] if found else []
        assert states == wanted_states, (n, name, states)
    again = steps_of("upload", tmp_path, comment="after", **orders)
    assert again[-1] == "done"
    assert Version.objects.get(comment="after").number == max(Version.objects.values_list("number", flat=True))


@pytest.mark.parametrize("nas", [False, True], ids=["", "nas"])
def test_a_job_that_is_killed_anywhere_makes_one_version_in_the_end(
    project: Any, admin_user: Any, tmp_path: Path, nas: bool
) -> None:
    worker = register_worker(name="cpu@test")
    (first,) = shots_of(project, admin_user, 1)

    def attempts(shots: list[Shot]) -> list[RenderAttempt]:
        render_shots(project=project, actor=admin_user, shots=shots, step="first_image")
        taken = [queue.claim(worker=worker, slots=1000) for _shot in shots]
        return [attempt for attempt in taken if attempt is not None]

    (whole,) = attempts([first])
    steps = steps_of("attempt", tmp_path, attempt=str(whole.pk), nas=nas)
    for wanted in ("numbering.reserve_for_job", "queue.to_publishing", "signal, before commit", "queue.end_job"):
        assert wanted in steps, steps
    shots = shots_of(project, admin_user, len(steps))
    doomed = attempts(shots)
    assert len(doomed) == len(steps)
    run_all(publisher("attempt", attempt=str(a.pk), kill_at=n, nas=nas) for n, a in enumerate(doomed))
    recover(nas)
    assert not RenderJob.objects.filter(state=JobState.FAILED).exists()
    RenderAttempt.objects.filter(finished_at=None).update(lease_until=Now() - timedelta(seconds=1))
    queue.reap()
    RenderJob.objects.filter(state=JobState.QUEUED).update(not_before=Now())
    worker = register_worker(name="cpu@test")  # it was silent while the others died
    while (attempt := queue.claim(worker=worker, slots=1000)) is not None:
        runner.run_attempt(attempt.pk)
    assert set(RenderJob.objects.values_list("state", flat=True)) == {JobState.SUCCEEDED}
    for shot in [first, *shots]:
        assert Version.objects.get(shot=shot).state == VersionState.PUBLISHED, shot.code
    recover(nas)
    check_tree(project)


@pytest.mark.parametrize("nas", [False, True], ids=["", "nas"])
def test_twenty_publishers_at_once_make_twenty_versions(
    project: Any, admin_user: Any, tmp_path: Path, nas: bool
) -> None:
    (shot,) = shots_of(project, admin_user, 1)
    files = [picture(tmp_path / f"{n}.png", color=(n, 0, 0)) for n in range(20)]
    running = [
        publisher("upload", shot=shot.pk, file=str(file), comment=str(n), nas=nas) for n, file in enumerate(files)
    ]
    for process in running:
        wait_until(lambda p=process: not p.is_alive(), seconds=60, what=process.text)  # type: ignore[misc]
        assert process.text() == ""
    versions = list(Version.objects.filter(shot=shot))
    assert sorted(version.number for version in versions) == list(range(1, 21))
    for version in versions:
        check_whole(version)
        assert version.manifest[0]["sha256"] == sha256_file(files[int(version.comment)])
        assert version.file().name == f"TEST_{shot.code}_previz_{version.label}.png"
    check_tree(project)


def test_of_many_who_mark_the_same_version_one_does_and_tells(project: Any, admin_user: Any, tmp_path: Path) -> None:
    (shot,) = shots_of(project, admin_user, 1)
    version = numbering.reserve(shot, "previz")
    staged = sealing.stage(shot, "previz", "t")
    sealing.seal(version, staged, [picture(staged.folder / "a.png")], {})
    ready = tmp_path / "ready"
    ready.mkdir()
    orders = {"version": version.pk, "ready": str(ready), "go": str(tmp_path / "go"), "told": str(tmp_path / "told")}
    running = [publisher("mark", **orders) for _n in range(8)]
    wait_until(lambda: len(list(ready.iterdir())) == 8, what=lambda: [process.text() for process in running])
    (tmp_path / "go").touch()
    for process in running:
        wait_until(lambda p=process: not p.is_alive(), what=process.text)  # type: ignore[misc]
        assert process.text() == ""
    assert len((tmp_path / "told").read_text().splitlines()) == 1
    version.refresh_from_db()
    assert version.state == VersionState.PUBLISHED
    assert version.published_at is not None


def test_a_full_disk_is_told_and_keeps_nothing(project: Any, admin_user: Any, tmp_path: Path) -> None:
    """A real small filesystem, in a user namespace; full for the bytes, or for each of the files in turn."""
    can = subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True)
    if can.returncode != 0:
        pytest.skip("this machine gives no user namespaces")
    from PIL import Image

    (shot,) = shots_of(project, admin_user, 1)
    file = tmp_path / "noise.png"
    Image.effect_noise((400, 400), 90).save(file)
    assert file.stat().st_size > 100_000
    limits = [f"nr_inodes={n}" for n in range(2, 14)]
    orders = {
        "shot": shot.pk, "file": str(file), "told": str(tmp_path / "told"),
        "storages": ["size=16k", "size=64k", *limits, "size=4m"],
    }  # fmt: skip
    child = Process.__new__(Process)  # only for its words: this one must start inside the namespace
    child.log = run_folder / "fill.log"
    with open(child.log, "wb") as out:
        line = ["unshare", "-Urm", sys.executable, "-m", "renders.tests.publisher", "fill", json.dumps(orders)]
        env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "aipipeline.settings"}
        done = subprocess.run(line, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, check=False, timeout=60)
    assert done.returncode == 0, child.text()
    told = json.loads((tmp_path / "told").read_text())
    assert len(told) == len(orders["storages"])
    for options, found in zip(orders["storages"], told, strict=True):
        if found["error"]:
            assert "no space left on the storage" in found["error"], options
            assert found["left"] == [], (options, found)
            assert found["states"] in ([], [VersionState.DEAD]), (options, found)
        else:
            assert found["states"] == [VersionState.PUBLISHED], options
            assert len(found["left"]) == 2, (options, found)
    assert [bool(found["error"]) for found in told[:4]] == [True] * 4
    assert not told[-1]["error"]
    assert any(found["states"] == [VersionState.DEAD] for found in told)  # full when the number was taken already
