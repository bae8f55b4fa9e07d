"""Pauses hold back what waits, for a project, a class of card or a workflow, until they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from aipipeline.history.models import Action
from aipipeline.projects.errors import Invalid, NotFound
from renders.farm.waiting import why_waiting
from renders.models import Pause
from renders.services.control import drain_worker
from renders.services.pauses import label_of, pause, pauses_for, resume, resume_ended
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Any:
    return applied_project(project, admin_user)[0]


@pytest.mark.parametrize("scope", ["project", "capability", "workflow"])
def test_what_is_paused_waits_and_what_is_not_goes_on(shot: Any, admin_user: Any, scope: str) -> None:
    one, other = world.workflow("own.one", vram=8), world.workflow("own.two", vram=16)
    key = {"project": str(shot.project_id), "capability": "gpu.vram8", "workflow": str(one.pk)}[scope]
    held, free = world.job(shot, one, priority=5), world.job(shot, other)
    gpu = world.worker()
    pause(scope=scope, key=key, actor=admin_user, reason="점검")
    assert world.take(gpu) == (None if scope == "project" else free)
    assert world.take(gpu) is None
    resume(scope=scope, key=key, actor=admin_user)
    assert world.take(gpu) == held
    kinds = Action.objects.filter(kind__startswith="farm.").values_list("kind", flat=True)
    assert sorted(kinds) == ["farm.pause", "farm.resume"]


def test_a_second_pause_of_the_same_says_the_new_reason(shot: Any, admin_user: Any) -> None:
    pause(scope="project", key=str(shot.project_id), actor=admin_user, reason="하나")
    row = pause(scope="project", key=str(shot.project_id), actor=admin_user, reason=" 둘 ")
    assert (Pause.objects.count(), row.reason, row.actor, label_of(row)) == (1, "둘", admin_user, "TEST")


@pytest.mark.parametrize(
    ("scope", "key"),
    [("worker", "1"), ("project", "999"), ("project", "²"), ("project", "9" * 30), ("capability", "gpu.vram7"),
     ("workflow", "x"), ("workflow", "-1"), ("", "")],
)  # fmt: skip
def test_what_there_is_not_cannot_be_paused(admin_user: Any, scope: str, key: str) -> None:
    with pytest.raises(Invalid):
        pause(scope=scope, key=key, actor=admin_user)
    with pytest.raises(NotFound):
        resume(scope=scope, key=key, actor=admin_user)
    assert not Pause.objects.exists()


def test_a_pause_ends_by_itself_when_its_time_has_come(shot: Any, admin_user: Any) -> None:
    one = world.workflow()
    held, gpu = world.job(shot, one), world.worker()
    facts = {"scope": "workflow", "key": str(one.pk), "actor": admin_user}
    for wrong in (timedelta(seconds=-1), timedelta(days=400)):
        with pytest.raises(Invalid, match="next year"):
            pause(**facts, until=timezone.now() + wrong)
    pause(**facts, until=timezone.now() + timedelta(hours=8), reason="밤새 점검")
    assert resume_ended() == 0
    assert world.take(gpu) is None
    (why,) = why_waiting([held]).values()
    assert "paused. It goes on by itself at" in why.text
    assert why.text.endswith("밤새 점검")
    assert not why.stuck
    Pause.objects.update(until=Now() - timedelta(seconds=1))
    assert resume_ended() == 1
    assert world.take(gpu) == held
    assert Action.objects.filter(kind="farm.resume", actor=None).count() == 1


def test_people_see_the_pauses_of_their_own_projects(shot: Any, admin_user: Any, artist: Any) -> None:
    pause(scope="project", key=str(shot.project_id), actor=admin_user)
    pause(scope="capability", key="cpu", actor=admin_user)
    assert [row.scope for row in pauses_for(artist)] == ["capability"]
    assert [row.scope for row in pauses_for(admin_user)] == ["capability", "project"]


def test_a_drained_worker_takes_nothing(shot: Any, admin_user: Any) -> None:
    held = world.job(shot, world.workflow())
    gpu = world.worker()
    drain_worker(worker=gpu, actor=admin_user, draining=True)
    assert world.take(gpu) is None
    drain_worker(worker=gpu, actor=admin_user, draining=False)
    assert world.take(gpu) == held
