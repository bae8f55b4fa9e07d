"""latest.json and approved.json follow publication, verdicts and reopening, and are whole at every moment."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets.models import Character
from renders.models import Version, VersionStatus
from renders.services.pointers import pointers
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from shots.models import Folder, Shot, StaleMark
from shots.services.confirm import confirm
from shots.services.steps import move_step
from shots.services.tree.metadata import write_stale
from tests.factories import applied_project, picture
from tests.harness.processes import Process, wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Shot:
    shot = applied_project(project, admin_user)[0]
    confirm(project=project, actor=admin_user)
    project.refresh_from_db()
    return shot


def publish(shot: Any, actor: Any, tmp_path: Path, kind: str = "previz") -> Version:
    image = picture(tmp_path / "a.png")
    return publish_files(owner=shot, kind=kind, files={"a.png": image}, actor=actor)


def read(version: Version, name: str) -> dict[str, Any]:
    """What the pointer beside this version says, once waiting files are written."""
    assert write_stale(version.project_id).problems == {}
    facts: dict[str, Any] = json.loads((version.folder.parent / name).read_text())
    return facts


def test_pointers_follow_the_versions(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    one, two = publish(shot, admin_user, tmp_path), publish(shot, admin_user, tmp_path)
    latest = read(two, "latest.json")
    assert (latest["version"], latest["number"], latest["status"]) == ("v002", 2, "pending")
    beside = two.folder.parent
    assert (beside / latest["path"]).is_dir()
    assert (beside / latest["file"]).read_bytes() == two.file().read_bytes()
    assert read(two, "approved.json") == {"schema": 1, "kind": "previz", "version": None}

    review_version(version=one, actor=admin_user, verdict="approve")
    assert read(two, "approved.json")["version"] == "v001"
    review_version(version=two, actor=admin_user, verdict="reject", text="다시")
    assert read(two, "latest.json")["version"] == "v001"
    move_step(shot=shot, step="first_image", to="review", actor=admin_user, reason="다시 보기")
    assert read(two, "approved.json")["version"] is None
    review_version(version=two, actor=admin_user, verdict="approve")
    assert read(two, "approved.json")["version"] == "v002"
    review_version(version=two, actor=admin_user, verdict="comment", text="좋다")
    assert read(two, "approved.json")["version"] == "v002"
    assert not StaleMark.objects.exists()


def test_nothing_changed_writes_nothing(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    version = publish(shot, admin_user, tmp_path)
    read(version, "latest.json")
    before = {path: path.stat().st_mtime_ns for path in shot.project.root.rglob("*.json")}
    assert confirm(project=shot.project, actor=admin_user).files_written == 0
    assert before == {path: path.stat().st_mtime_ns for path in shot.project.root.rglob("*.json")}


def test_a_file_of_an_artist_with_the_name_of_a_pointer_is_kept_beside(
    shot: Shot, admin_user: Any, tmp_path: Path
) -> None:
    place = shot.project.root / Folder.objects.get(shot=shot).path / "reference"
    (place / "latest.json").write_text("[1, 2]")
    publish_files(owner=shot, kind="reference", files={"a.png": picture(tmp_path / "a.png")}, actor=admin_user)
    done = write_stale()
    assert json.loads((place / "latest.json").read_text())["version"] == "v001"
    (kept,) = place.glob("latest.edited-*.json")
    assert kept.read_text() == "[1, 2]"
    assert done.kept == [kept.relative_to(shot.project.root).as_posix()]
    publish_files(owner=shot, kind="reference", files={"a.png": picture(tmp_path / "a.png")}, actor=admin_user)
    assert write_stale().kept == []


def test_references_have_pointers_too(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    who = Character.objects.get(name="리나")
    version = publish(who, admin_user, tmp_path, "reference")
    review_version(version=version, actor=admin_user, verdict="approve")
    assert read(version, "approved.json")["file"] == f"v001/{version.file().name}"
    assert version.folder.parent.parent.name == "CHR_리나"


def rename(shot: Shot, template: str) -> None:
    shot.project.naming = {"version": template}
    shot.project.save(update_fields=["naming"])


@pytest.mark.parametrize(
    ("template", "where", "path"),
    [
        ("{kind}/{version}", "previz/latest.json", "v001"),
        ("{kind}_{version}", "latest_previz.json", "previz_v001"),
        ("{version}/{kind}", "latest_previz.json", "v001/previz"),
        ("out/{kind}/<{artist}/>{version}", "out/previz/latest.json", "admin/v001"),
    ],
)
def test_wherever_the_template_puts_versions(
    shot: Shot, admin_user: Any, tmp_path: Path, template: str, where: str, path: str
) -> None:
    rename(shot, template)
    version = publish(shot, admin_user, tmp_path)
    write_stale(shot.project_id)
    folder = shot.project.root / Folder.objects.get(shot=shot).path
    facts = json.loads((folder / where).read_text())
    assert facts["path"] == path
    assert ((folder / where).parent / facts["file"]).samefile(version.file())
    # The template changes: the pointer of the new place still leads to the version in the old one.
    rename(shot, "neu/{kind}/{version}")
    (pointer,) = pointers([(Folder.objects.get(shot=shot), shot)]).values()
    facts = json.loads(pointer["neu/previz/latest.json"])
    assert (folder / "neu/previz" / facts["file"]).resolve() == version.file().resolve()


def test_queries_do_not_grow(shot: Shot, admin_user: Any, tmp_path: Path) -> None:
    shots = list(Shot.objects.live().select_related("project"))

    def count(rows: list[Shot]) -> int:
        pairs = [(Folder.objects.get(shot=row), Shot.objects.get(pk=row.pk)) for row in rows]
        for _folder, row in pairs:
            row.project = shot.project
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert len(pointers(pairs)) == len(rows)
        return len(found)

    for row in shots:
        publish(row, admin_user, tmp_path)
    assert count(shots[:1]) == count(shots)
    assert len(shots) > 2


@pytest.mark.django_db(transaction=True)
def test_a_reader_never_sees_half_a_pointer(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shot = applied_project(project, admin_user)[0]
    confirm(project=project, actor=admin_user)
    project.refresh_from_db()
    versions = [publish(shot, admin_user, tmp_path, "comp") for _n in range(2)]
    read(versions[0], "latest.json")
    told, stop = tmp_path / "told", tmp_path / "stop"
    folder = versions[0].folder.parent
    orders = {"folder": str(folder), "told": str(told), "stop": str(stop)}
    reader = Process("reader", "-m", "renders.tests.publisher", "read", json.dumps(orders))
    wait_until(told.exists, what=reader.text)
    for n in range(40):
        Version.objects.filter(pk=versions[1].pk).update(
            status=VersionStatus.REJECTED if n % 2 else VersionStatus.APPROVED
        )
        StaleMark.objects.create(project=project, what="shot", ids=[shot.pk])
        assert write_stale(project.pk).written
    stop.touch()
    wait_until(lambda: not reader.is_alive(), what=reader.text)
    seen = json.loads(told.read_text())
    assert reader.text() == ""
    assert set(seen) == {"latest.json v001", "latest.json v002", "approved.json v002", "approved.json None"}
    assert sum(seen.values()) > 100
