"""What a list shows of a shot beside its cells, its picture and its job, is told by change numbers too."""

from pathlib import Path
from typing import Any

import pytest

from aipipeline.history.services import changes_since, current_change
from assets.models import Character
from assets.services import save_asset
from renders.models import JobState, RenderJob, Verdict
from renders.services import queue
from renders.services.jobs import render_references, render_shots
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.workflows import sync_workflows
from tests.factories import applied_project, picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


class Told:
    """The rows that were told since the last look."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.seq = current_change(project)

    def look(self) -> dict[str, list[int]]:
        self.seq, found = changes_since(self.project, self.seq)
        assert found is not None
        return found


def test_pictures_and_verdicts_are_told(
    project: Any, admin_user: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    shot = applied_project(project, admin_user)[0]
    who = save_asset(model=Character, project=project, actor=admin_user, fields={"name": "하린"})
    told = Told(project)
    file = picture(tmp_path / "a.png")
    with django_capture_on_commit_callbacks(execute=True):
        version = publish_files(owner=shot, kind="previz", files={"a.png": file}, actor=admin_user)
    assert told.look() == {"shots.shot": [shot.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        publish_files(owner=who, kind="reference", files={"a.png": file}, actor=admin_user)
    assert told.look() == {"assets.character": [who.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        review_version(version=version, actor=admin_user, verdict=Verdict.COMMENT, text="좋다")
    told.look()
    with django_capture_on_commit_callbacks(execute=True):
        review_version(version=version, actor=admin_user, verdict=Verdict.APPROVE)
    assert told.look()["shots.shot"] == [shot.pk]


def test_jobs_are_told_when_they_start_and_end(
    project: Any, admin_user: Any, django_capture_on_commit_callbacks: Any
) -> None:
    sync_workflows()
    shots = applied_project(project, admin_user)
    who = save_asset(model=Character, project=project, actor=admin_user, fields={"name": "하린"})
    told = Told(project)
    with django_capture_on_commit_callbacks(execute=True):
        first = render_shots(project=project, actor=admin_user, shots=shots[:2], step="first_image")[0]
        reference = render_references(project=project, actor=admin_user, owners=[who])[0]
    found = told.look()
    assert found["shots.shot"] == sorted(shot.pk for shot in shots[:2])
    assert found["assets.character"] == [who.pk]
    for job in (first, reference):
        with django_capture_on_commit_callbacks(execute=True):
            queue.cancel(job=job)
    found = told.look()
    assert first.shot_id in found["shots.shot"]
    assert found["assets.character"] == [who.pk]
    assert RenderJob.objects.get(pk=first.pk).state == JobState.CANCELLED
