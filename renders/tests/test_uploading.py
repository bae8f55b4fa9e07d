"""Uploads find their place by their names."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from aipipeline.projects.errors import Invalid
from renders.services.uploading import publish_upload
from shots.services.confirm import confirm
from tests.factories import applied_project, picture

pytestmark = pytest.mark.django_db


def upload(project: Any, actor: Any, file: Path, **more: Any) -> Any:
    return publish_upload(project=project, actor=actor, name=file.name, path=file, **more)


def test_a_file_that_is_named_by_the_convention_lands_in_its_shot(
    project: Any, admin_user: Any, tmp_path: Path
) -> None:
    shots = applied_project(project, admin_user)
    confirm(project=project, actor=admin_user)
    code, scene = shots[1].code, shots[1].scene.code
    version = upload(project, admin_user, picture(tmp_path / f"{project.code}_{scene}_{code}_layout_v007.png"))
    assert (version.shot, version.kind, version.number) == (shots[1], "layout", 1)
    reference = upload(project, admin_user, picture(tmp_path / f"{project.code}_리나_reference_v001.png"))
    assert reference.character.name == "리나"


def test_a_name_that_says_too_little_or_another_shot_is_refused(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shots = applied_project(project, admin_user)
    loose = picture(tmp_path / "무제.png")
    with pytest.raises(Invalid, match="does not say whose it is"):
        upload(project, admin_user, loose)
    with pytest.raises(Invalid, match="Choose the kind"):
        upload(project, admin_user, loose, owner=shots[0])
    other = picture(tmp_path / f"{project.code}_{shots[1].scene.code}_{shots[1].code}_render_v001.png")
    with pytest.raises(Invalid, match=shots[1].code):
        upload(project, admin_user, other, owner=shots[0])
    # Who names shot and kind knows what they do.
    assert upload(project, admin_user, other, owner=shots[0], kind="comp").kind == "comp"


def test_over_the_api(client: Any, project: Any, admin_user: Any, tmp_path: Path) -> None:
    shots = applied_project(project, admin_user)
    client.force_login(admin_user)
    data = picture(tmp_path / "x.png").read_bytes()
    name = f"{project.code}_{shots[0].scene.code}_{shots[0].code}_previz_v001.png"
    answer = client.post(f"/api/v1/projects/{project.code}/versions/", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 201, answer.content
    assert answer.json()["kind"] == "previz"
    answer = client.post(f"/api/v1/projects/{project.code}/versions/", {"file": SimpleUploadedFile("a.png", data)})
    assert answer.status_code == 422
