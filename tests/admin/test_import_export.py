"""Sheets in the admin: preview, errors by row, one action, nothing of other projects, no formula."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from aipipeline.history.models import Action
from aipipeline.history.project_services import create_project, set_member
from aipipeline.history.services import undo
from aipipeline.projects.models import User
from assets.models import Character
from assets.services import save_asset
from shots.models import Shot
from shots.services.confirm import confirm
from tests.admin.pages import form_of, list_address

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
XLSX, CSV, JSON = "0", "1", "2"


def sheet(*rows: dict[str, Any]) -> SimpleUploadedFile:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return SimpleUploadedFile("sheet.csv", out.getvalue().encode("utf-8-sig"), "text/csv")


def preview(client: Any, model: Any, project: Any, file: SimpleUploadedFile) -> Any:
    sent = {"project": project.pk, "import_file": file, "format": CSV, "resource": "0"}
    return client.post(list_address(model, "import"), sent)


def apply(client: Any, model: Any, looked: Any) -> Any:
    form = form_of(looked.content.decode(), "import_file_name")
    return client.post(list_address(model, "process_import"), form, follow=True)


@pytest.fixture
def boss(client: Any, admin_user: Any) -> Any:
    client.force_login(admin_user)
    return client


def test_shots_come_in_as_one_action(studio: Any, boss: Any, admin_user: Any) -> None:
    shots = list(Shot.objects.filter(project=studio).order_by("position"))
    count, revision = Action.objects.count(), shots[0].revision
    names = ", ".join(Character.objects.filter(project=studio).values_list("name", flat=True))
    file = sheet(
        {"code": shots[0].code, "description": "바뀐 설명", "size": "CU", "characters": names},
        {"code": shots[1].code, "description": shots[1].description, "size": "ECU", "characters": ""},
        {"code": "", "description": "새 쇼트", "size": "WS", "characters": ""},
    )
    looked = preview(boss, Shot, studio, file)
    assert "바뀐 설명" in looked.content.decode()
    assert Action.objects.count() == count, "a preview leaves nothing"
    assert Shot.objects.filter(project=studio).count() == len(shots)
    done = apply(boss, Shot, looked)
    assert done.status_code == 200
    shots[0].refresh_from_db()
    shots[1].refresh_from_db()
    assert (shots[0].description, shots[0].size, shots[1].size) == ("바뀐 설명", "CU", "ECU")
    assert shots[0].revision > revision
    assert Shot.objects.live().filter(project=studio).count() == len(shots) + 1
    assert Action.objects.count() == count + 1
    action = Action.objects.order_by("-created_at")[0]
    assert (action.kind, action.actor, action.project) == ("shot.import", admin_user, studio)
    undo(project=studio, actor=admin_user)
    shots[0].refresh_from_db()
    assert shots[0].description != "바뀐 설명"
    assert Shot.objects.live().filter(project=studio).count() == len(shots)


def test_errors_are_told_by_row_and_nothing_is_written(studio: Any, boss: Any, admin_user: Any) -> None:
    shots = list(Shot.objects.filter(project=studio).order_by("position"))
    file = sheet(
        {"code": shots[0].code, "description": "gut", "size": "CU", "scene": shots[0].scene.code},
        {"code": shots[1].code, "description": "schlecht", "size": "HUGE", "scene": "SCN_999"},
    )
    looked = preview(boss, Shot, studio, file)
    assert looked.status_code == 200
    assert "SCN_999" in looked.content.decode()
    assert "import_file_name" not in looked.content.decode(), "there is nothing to confirm"
    shots[0].refresh_from_db()
    assert shots[0].description != "gut"
    # What is locked between preview and confirm refuses the whole sheet.
    other = next(s.scene for s in shots if s.scene_id != shots[0].scene_id)
    file = sheet(
        {"code": shots[1].code, "description": "ok", "scene": shots[1].scene.code},
        {"code": shots[0].code, "description": "ok", "scene": other.code},
    )
    looked = preview(boss, Shot, studio, file)
    confirm(project=studio, actor=admin_user)
    count = Action.objects.count()
    assert "Unlock first" in apply(boss, Shot, looked).content.decode()
    shots[1].refresh_from_db()
    assert shots[1].description != "ok"
    assert Action.objects.count() == count
    bad = SimpleUploadedFile("x.csv", b"\xff\xfe\x00\x01", "text/csv")
    assert preview(boss, Shot, studio, bad).status_code == 200


def test_exports_hold_no_formula_and_come_back_as_they_were(studio: Any, boss: Any, admin_user: Any) -> None:
    risky = '=HYPERLINK("http://x","y")'
    row = save_asset(model=Character, project=studio, actor=admin_user, fields={"name": "위험", "description": risky})
    fields = {f"charactersheet_{name}": "on" for name in ("name", "description", "role")}
    answer = boss.post(list_address(Character, "export"), {"format": CSV, "resource": "0", **fields})
    text = answer.content.decode("utf-8-sig")
    assert f"'{risky[:10]}" in text
    assert "\n=HYPER" not in text
    assert ",=HYPER" not in text
    book = load_workbook(
        io.BytesIO(boss.post(list_address(Character, "export"), {"format": XLSX, "resource": "0", **fields}).content)
    )
    cells = [cell for line in book.active.iter_rows() for cell in line]
    assert any(str(cell.value).startswith("'=") for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)
    count = Action.objects.count()
    file = SimpleUploadedFile("back.csv", answer.content, "text/csv")
    apply(boss, Character, preview(boss, Character, studio, file))
    row.refresh_from_db()
    assert row.description == risky
    assert Action.objects.count() == count, "nothing changed, so there is no action"


def test_assets_come_in_through_their_service(studio: Any, boss: Any, admin_user: Any) -> None:
    first = Character.objects.filter(project=studio)[0]
    file = sheet(
        {"name": first.name, "role": "주인공", "lora": "rina", "lora_strength": "0.7"},
        {"name": "새 사람", "role": "행인", "lora": "", "lora_strength": "1"},
    )
    apply(boss, Character, preview(boss, Character, studio, file))
    first.refresh_from_db()
    assert (first.role, first.lora.name, first.lora_strength) == ("주인공", "rina", 0.7)
    assert Character.objects.get(project=studio, name="새 사람").role == "행인"
    assert Action.objects.order_by("-created_at")[0].kind == "character.import"


def test_nobody_imports_into_a_project_that_is_not_theirs(studio: Any, admin_user: Any, client: Any) -> None:
    user = User.objects.create_user(username="outsider", password="pass-for-tests", is_staff=True)
    assert not user.is_superuser
    client.force_login(user)
    assert client.get(list_address(Shot, "import")).status_code == 403
    other = create_project(actor=admin_user, code="OTHER", title="남의 것", width=320, height=180)
    set_member(project=other, actor=admin_user, user=user, role="artist")
    page = client.get(list_address(Shot, "import")).content.decode()
    assert "OTHER" in page
    assert "TEST ·" not in page
    looked = preview(client, Shot, studio, sheet({"code": "SHT_0010", "description": "x"}))
    assert "project" in looked.context_data["form"].errors
    looked = preview(client, Shot, other, sheet({"code": "", "description": "x"}))
    form = form_of(looked.content.decode(), "import_file_name") | {"project": [str(studio.pk)]}
    client.post(list_address(Shot, "process_import"), form)
    assert not Shot.objects.filter(description="x").exists()
    fields = {f"shotsheet_{name}": "on" for name in ("code", "description")}
    out = client.post(list_address(Shot, "export"), {"format": CSV, "resource": "0", **fields})
    code = Shot.objects.filter(project=studio)[0].description
    assert code not in out.content.decode()
    set_member(project=other, actor=admin_user, user=user, role="guest")
    assert client.get(list_address(Shot, "export")).status_code == 403
