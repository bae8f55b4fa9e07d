"""A project is made again from its tree: every row that people see, and the same files once more."""

from pathlib import Path
from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.projects.models import Project
from aipipeline.studio.rebuild.service import rebuild_project
from aipipeline.studio.tests import natural, rich
from assets.metadata import META_NAMES
from shots.models import Folder, Shot, StaleMark
from shots.services.confirm import confirm
from shots.services.tree.metadata import mark_stale, write_stale

pytestmark = pytest.mark.django_db


@pytest.fixture
def whole(project: Project, admin_user: Any, artist: Any, tmp_path: Path) -> Project:
    return rich.build(project, admin_user, artist, tmp_path)


def wiped(project: Project) -> Path:
    """The tree of a project whose rows are gone."""
    root = project.root
    project.delete()
    assert not Shot.objects.exists()
    assert not Folder.objects.exists()
    return root


def files_of(root: Path) -> dict[str, bytes]:
    names = {*META_NAMES.values()}
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.name in names or path.parent.name == "scenario"
    }


def test_every_row_comes_back(whole: Project, admin_user: Any) -> None:
    before = natural.Natural(whole).everything()
    empty = [label for label, rows in before.items() if not rows]
    assert empty == []
    files = files_of(whole.root)
    root = wiped(whole)
    report = rebuild_project(path=root, actor=admin_user)
    assert report.problems == []
    again = Project.objects.get(code=report.code)
    after = natural.Natural(again).everything()
    for label, rows in before.items():
        odd = [row for row in rows if row not in after[label]]
        assert (odd, len(rows)) == ([], len(after[label])), label
        assert after[label] == rows, label
    assert report.people == []
    assert Action.objects.get(project=again).kind == "project.rebuild"
    # Written once more from the new rows, every file is the same to the byte.
    assert not StaleMark.objects.exists()
    mark_stale(again.pk, "all", [again.pk])
    written = write_stale(again.pk)
    for name, data in files_of(root).items():
        assert data.decode() == files[name].decode(), name
    assert (written.written, written.kept) == (0, [])
    report_again = confirm(project=again, actor=admin_user)
    assert [*report_again.retired, *report_again.renamed] == []
