"""People who edit one shot list at the same time, each in a session of their own, on a running site."""

from typing import Any

import pytest
from rest_framework_simplejwt.tokens import AccessToken

from aipipeline.history.project_services import set_member
from aipipeline.history.services import recording
from aipipeline.projects.models import User
from benchmarks.people import Site, edit_together, lost_updates
from shots.services import editing
from tests.harness import processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.both_databases]


def test_nothing_that_was_acknowledged_is_lost(project: Any, admin_user: Any) -> None:
    people = []
    for number in range(8):
        user = User.objects.create_user(username=f"editor{number}", password="pass-for-tests")
        people.append((user.username, str(AccessToken.for_user(user))))
        set_member(project=project, actor=admin_user, user=user, role="artist")
    with recording(project=project, actor=admin_user, kind="shot.create") as recorder:
        # Few rows, so that people meet in the same cells.
        shots = editing.add_shots(recorder, project, [{"fields": {}} for _ in range(6)])
    rows = [shot.pk for shot in shots]
    process, url = processes.web()
    try:
        edits = edit_together(url, project.code, rows, people, seconds=6, pause=0.25)
        wrong = lost_updates(Site(url, str(AccessToken.for_user(admin_user))), project.code, rows, edits)
    finally:
        process.stop()
    assert [failure for one in edits for failure in one.failures] == []
    assert wrong == []
    assert sum(len(values) for one in edits for values in one.acknowledged.values()) > 30
    assert sum(one.conflicts for one in edits) > 0, "they did meet"
