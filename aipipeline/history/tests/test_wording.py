"""Actions in words."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from aipipeline.history.services import recording
from aipipeline.history.wording import row_changes, words_of
from tests.factories import applied_project

ROOT = Path(__file__).resolve().parents[3]
KIND = re.compile(r"kind=\"([a-z_]+\.[a-z_]+)\"")
# Kinds of background work have labels of their own.
WORK = {"mirror.run", "mirror.test", "shots.analyse", "studio.produce", "timeline.film", "timeline.proxy"}


def kinds() -> set[str]:
    packages = ("aipipeline", "assets", "shots", "renders", "timeline", "mirror", "celery_workers")
    files = (path for name in packages for path in (ROOT / name).rglob("*.py") if "tests" not in path.parts)
    return {kind for path in files for kind in KIND.findall(path.read_text(encoding="utf-8"))} - WORK


def test_every_kind_that_the_code_records_has_words() -> None:
    found = kinds()
    assert {"shot.update", "edit.change", "schedule.remove"} <= found
    assert [kind for kind in sorted(found) if words_of(kind) == kind] == []


@pytest.mark.django_db
def test_changes_are_told_with_the_readers_words(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    with recording(project=project, actor=admin_user, kind="shot.update") as recorder:
        recorder.update(shot, size="CU", description="새 설명", position=5)
    with translation.override("en"):
        (row,) = row_changes(recorder.action)
        told = {field.label: (field.before, field.after) for field in row.fields}
    assert row.label == str(shot)
    assert told["Shot size"][1] == "Close-up"
    assert told["Description"][1] == "새 설명"
    assert told["Position"] == (None, None)


@pytest.mark.django_db
def test_a_row_that_only_mirrors_its_step_is_left_out(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    step = shot.steps.get(step="first_image")
    with recording(project=project, actor=None, kind="shot.move") as recorder:
        recorder.update(step, state="ready")
        recorder.update(shot, status="ready")
    assert [row.label for row in row_changes(recorder.action)] == [str(step)]
