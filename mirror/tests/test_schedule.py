"""Schedules: due runs start once, failures back off and recover by themselves, nothing runs twice at a time."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from aipipeline.studio.launch.processes import procfile
from celery_workers import ledger
from celery_workers.models import LedgerTask, Schedule
from mirror.models import MirrorTarget, RunState
from mirror.services import runs
from mirror.services.runs import request_run, run_due
from mirror.services.targets import update_target
from mirror.tests.conftest import run
from mirror.tests.test_path import later

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def due_in(target: MirrorTarget) -> float:
    """Minutes until the next run."""
    target.refresh_from_db()
    assert target.next_run_at is not None
    return (target.next_run_at - timezone.now()).total_seconds() / 60


def make_due() -> None:
    MirrorTarget.objects.update(next_run_at=timezone.now() - timedelta(seconds=1))


def test_beat_looks_for_due_mirrors() -> None:
    row = Schedule.objects.get(name="mirror.run_due")
    assert (row.task, row.enabled) == ("mirror.run_due", True)


def test_a_due_mirror_starts_once(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> None:
    target = make(path=str(nas), every_minutes=60)
    assert run_due() == 1
    assert run_due() == 0
    assert 59 < due_in(target) <= 60
    task = LedgerTask.objects.get(kind="mirror.run")
    ledger.run(str(task.pk))
    target.refresh_from_db()
    assert target.last_state == RunState.OK
    assert run_due() == 0
    make_due()
    assert run_due() == 1


def test_by_hand_and_switched_off_never_start(make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path) -> None:
    make(name="a", path=str(tmp_path / "a"))
    make(name="b", path=str(tmp_path / "b"), every_minutes=15, enabled=False)
    make_due()
    assert run_due() == 0


def test_a_mirror_that_still_runs_is_not_started_again(
    make: Callable[..., MirrorTarget], tree: Path, nas: Path
) -> None:
    target = make(path=str(nas), every_minutes=15)
    request_run(target=target, actor=None, verify=True)
    make_due()
    assert run_due() == 0
    assert LedgerTask.objects.count() == 1


def test_schedules_leave_threads_to_the_production(
    make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mirrors that hang, or take a night, share their worker with confirm and the metadata."""
    (files,) = [program for program in procfile() if program.name == "files"]
    threads = int(files.command.partition(" -c ")[2].split()[0])
    assert threads - 4 >= runs.MOST_AT_ONCE
    monkeypatch.setattr(runs, "MOST_AT_ONCE", 2)
    for name in "abc":
        make(name=name, path=str(tmp_path / name), every_minutes=15)
    make_due()
    assert (run_due(), run_due()) == (2, 0)
    ledger.run(str(LedgerTask.objects.filter(state="queued").earliest("created_at").pk))
    assert run_due() == 1
    assert LedgerTask.objects.count() == 3
    assert len(set(LedgerTask.objects.values_list("params__target", flat=True))) == 3


def test_failures_back_off_up_to_an_hour_and_recover(
    make: Callable[..., MirrorTarget], tree: Path, tmp_path: Path
) -> None:
    away = tmp_path / "mount"
    target = make(path=str(away / "mirror"), every_minutes=1440)
    waits = []
    for _n in range(8):
        make_due()
        assert run_due() == 1
        ledger.run(str(LedgerTask.objects.get(state="queued").pk))
        waits.append(round(due_in(target)))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert (target.last_state, target.failures) == (RunState.FAILED, 8)
    away.mkdir()  # mounted again, and nobody pressed a button
    make_due()
    assert run_due() == 1
    ledger.run(str(LedgerTask.objects.get(state="queued").pk))
    assert round(due_in(target)) == 1440
    assert (target.last_state, target.failures) == (RunState.OK, 0)


def test_a_removed_projects_mirrors_rest(
    make: Callable[..., MirrorTarget], project: Any, tree: Path, nas: Path
) -> None:
    make(path=str(nas), every_minutes=15)
    type(project).objects.update(removed_at=timezone.now())
    assert run_due() == 0


def test_a_task_that_was_overtaken_does_nothing(target: MirrorTarget, tree: Path, nas: Path) -> None:
    old = request_run(target=target, actor=None, send=False)
    MirrorTarget.objects.update(task=None)
    run(target)
    later(tree / "project_config.json", b"{}")
    ledger.run(str(old.pk))
    old.refresh_from_db()
    assert (old.state, old.error) == ("failed", "Another run of this mirror is at work.")
    assert (nas / "project_config.json").read_bytes() != b"{}"


def test_a_new_schedule_is_due_at_once_and_its_end_is_the_end(
    make: Callable[..., MirrorTarget], admin_user: Any, tree: Path, nas: Path
) -> None:
    target = make(path=str(nas))
    assert target.next_run_at is None
    assert due_in(update_target(target=target, actor=admin_user, fields={"every_minutes": 60})) <= 0
    assert update_target(target=target, actor=admin_user, fields={"enabled": False}).next_run_at is None
