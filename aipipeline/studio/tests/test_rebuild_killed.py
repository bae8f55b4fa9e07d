"""kill -9 in the middle of a rebuild leaves nothing, and the next run makes everything."""

import time
from pathlib import Path
from typing import Any

import pytest

from aipipeline.projects.models import Project, User
from aipipeline.studio.rebuild.service import rebuild_project
from aipipeline.studio.tests.natural import models_of_the_studio
from shots.models import Shot
from shots.services.confirm import confirm
from tests.factories import applied_project
from tests.harness.processes import Process

pytestmark = pytest.mark.django_db(transaction=True)

# The command itself; it stands still once every row is made, right before the transaction would end.
CODE = """
import sys, time
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
from aipipeline.studio.rebuild import service
from shots.models import Shot
def stand_still(project):
    Path(sys.argv[2]).write_text(str(Shot.objects.filter(project=project).count()))
    time.sleep(600)
service._counts = stand_still
call_command("rebuild_from_tree", sys.argv[1])
"""


def test_a_kill_leaves_nothing(project: Project, admin_user: Any, tmp_path: Path) -> None:
    shots = len(applied_project(project, admin_user))
    confirm(project=project, actor=admin_user)
    root = project.root
    Project.objects.get(pk=project.pk).delete()
    before = {model: model._default_manager.count() for model in models_of_the_studio()}
    made = tmp_path / "made"
    process = Process("rebuild", "-c", CODE, str(root), str(made), DJANGO_SETTINGS_MODULE="aipipeline.settings")
    end = time.monotonic() + 60
    while not (made.exists() and made.read_text()) and time.monotonic() < end and process.is_alive():
        time.sleep(0.05)
    assert made.exists(), process.text()
    # It had made them all, and nobody else sees one.
    assert made.read_text() == str(shots)
    process.kill()
    assert {model: model._default_manager.count() for model in models_of_the_studio()} == before
    rebuild_project(path=root, actor=User.objects.get(pk=admin_user.pk))
    assert Shot.objects.count() == shots
