"""Confirm, locks and moves as people reach them: page, API, command line, administration; and every door of a lock."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from aipipeline.history.models import Action
from aipipeline.history.project_services import set_member
from aipipeline.history.services import undo
from aipipeline.tables.registry import table_of
from aipipeline.tables.tests.sheets import edited, exported, sent
from aipipeline.tables.tests.test_imports import put
from celery_workers import ledger
from celery_workers.models import LedgerTask, TaskState
from shots.models import Folder, FolderState, Shot
from shots.services import confirming, editing
from shots.services.confirm import confirm
from shots.services.locks import unlock_shots
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def shots(project: Any, admin_user: Any, client: Client) -> list[Shot]:
    client.force_login(admin_user)
    return applied_project(project, admin_user)


def send(client: Client, method: str, url: str, body: Any = None) -> Any:
    return client.generic(method, url, json.dumps(body or {}), content_type="application/json")


BASE = "/api/v1/projects/TEST"


def test_the_api_plans_confirms_and_unlocks(client: Client, project: Any, shots: Any) -> None:
    plan = client.get(f"{BASE}/confirm/").json()
    assert plan["to_lock"] == plan["shots"] == 3
    assert plan["counts"]["create"] == len(plan["entries"])
    assert not project.root.exists()
    assert client.get(f"{BASE}/confirm/?shots={shots[0].pk}").json()["shots"] == 1
    for wrong in ("x", "%C2%B2", "1-99999999999999", "9-1", "-", "%00", "9" * 30):
        assert client.get(f"{BASE}/confirm/?shots={wrong}").status_code == 422, wrong
        assert client.get(f"/projects/TEST/shots/confirm/?shots={wrong}").status_code == 422, wrong
    done = send(client, "POST", f"{BASE}/confirm/", {"shots": [shots[0].pk]}).json()
    assert done["locked"] == [shots[0].code]
    assert send(client, "POST", f"{BASE}/confirm/", {"background": 1}).status_code == 422
    assert send(client, "POST", f"{BASE}/confirm/").json()["locked"] == [shot.code for shot in shots[1:]]
    listed = client.get(f"{BASE}/shots/").json()["results"]
    assert [row["locked"] for row in listed] == [True] * 3
    ids = [shot.pk for shot in shots[:2]]
    assert send(client, "POST", f"{BASE}/unlock/", {"shots": ids, "reason": " "}).status_code == 422
    assert send(client, "POST", f"{BASE}/unlock/", {"shots": [*ids, 10**9], "reason": "x"}).status_code == 404
    assert Shot.objects.filter(locked=True).count() == 3
    opened = send(client, "POST", f"{BASE}/unlock/", {"shots": ids, "reason": "순서 변경"}).json()["unlocked"]
    assert [row["locked"] for row in opened] == [False, False]
    action = Action.objects.get(kind="shot.unlock")
    assert action.params["reason"] == "순서 변경"
    assert len(action.changes) == 2


def test_a_confirm_in_the_background_tells_and_cancels(
    client: Client, project: Any, admin_user: Any, shots: Any
) -> None:
    answer = send(client, "POST", f"{BASE}/confirm/", {"background": True})
    assert answer.status_code == 202
    task = LedgerTask.objects.get(pk=answer.json()["task"])
    assert send(client, "POST", f"{BASE}/confirm/", {"background": True}).status_code == 409
    LedgerTask.objects.filter(pk=task.pk).update(cancel_requested=True, state=TaskState.QUEUED)
    context = ledger.TaskContext(task=task, holder=task.pk)
    LedgerTask.objects.filter(pk=task.pk).update(state=TaskState.RUNNING, holder=task.pk)
    with pytest.raises(ledger.TaskCancelled):
        confirming.run_confirm(context)
    assert not project.root.exists()
    assert not Folder.objects.filter(shot__isnull=False).exists()
    assert not Shot.objects.filter(locked=True).exists()
    ledger.cancel(task=LedgerTask.objects.get(pk=task.pk))
    LedgerTask.objects.filter(pk=task.pk).update(state=TaskState.CANCELLED)
    answer = send(client, "POST", f"{BASE}/confirm/", {"background": True})
    ledger.run(answer.json()["task"])
    task = LedgerTask.objects.get(pk=answer.json()["task"])
    assert (task.state, task.error) == (TaskState.SUCCEEDED, "")
    assert task.result["counts"]["locked"] == 3
    assert "3 shots locked" in client.get("/projects/TEST/shots/confirm/").content.decode()


def test_the_page_shows_the_plan_then_does_it(client: Client, project: Any, admin_user: Any, shots: Any) -> None:
    page = client.get("/projects/TEST/shots/confirm/").content.decode()
    assert f"scenes/SCN_010/shots/{shots[0].code}" in page
    assert 'id="confirm-now"' in page
    assert not project.root.exists()
    done = client.post("/projects/TEST/shots/confirm/", {"shots": ""})
    assert "3 shots locked" in done.content.decode()
    unlock_shots(project=project, actor=admin_user, ids=[shots[0].pk, shots[1].pk], reason="x")
    item = {"id": shots[0].pk, "fields": {"scene": shots[-1].scene_id}}
    editing.update_shots(project=project, actor=admin_user, items=[item])
    editing.remove_shots(project=project, actor=admin_user, ids=[shots[1].pk])
    page = client.get("/projects/TEST/shots/confirm/").content.decode()
    assert "Move now" in page
    assert "Retired" in page
    chosen = client.post("/projects/TEST/shots/confirm/chosen/", {"ids": f"{shots[0].pk},{shots[2].pk}"})
    assert chosen.headers["HX-Redirect"].startswith("/projects/TEST/shots/confirm/?shots=")
    assert client.get(chosen.headers["HX-Redirect"]).status_code == 200
    assert client.post("/projects/TEST/shots/confirm/chosen/", {"ids": ""}).status_code == 422
    folder = Folder.objects.get(shot=shots[0])
    moved = client.post("/projects/TEST/shots/confirm/move/", {"folder": str(folder.pk)})
    assert moved.status_code == 200
    assert Folder.objects.get(shot=shots[0], state=FolderState.LEFT).path == folder.path
    opened = client.post("/projects/TEST/shots/unlock/", {"ids": str(shots[2].pk), "reason": "다시"})
    assert opened.status_code == 204
    assert not Shot.objects.get(pk=shots[2].pk).locked


def test_a_conflict_is_shown_and_the_button_waits(client: Client, project: Any, shots: Any) -> None:
    project.root.mkdir(parents=True)
    (project.root / "scenes").write_text("x")
    page = client.get("/projects/TEST/shots/confirm/").content.decode()
    assert "In conflict" in page
    assert 'hx-disabled-elt="this" disabled>' in page
    refused = send(client, "POST", f"{BASE}/confirm/")
    assert refused.status_code == 409
    assert refused.json()["details"]["conflicts"]


def test_artists_look_but_neither_confirm_nor_move_nor_unlock(
    client: Client, project: Any, admin_user: Any, artist: Any, shots: Any
) -> None:
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    client.force_login(artist)
    page = client.get("/projects/TEST/shots/confirm/").content.decode()
    assert 'id="confirm-now"' not in page
    assert client.get(f"{BASE}/confirm/").status_code == 200
    for url, body in (
        (f"{BASE}/confirm/", {}), (f"{BASE}/move_folders/", {}),
        (f"{BASE}/unlock/", {"shots": [shots[0].pk], "reason": "x"}),
        ("/projects/TEST/shots/confirm/", {}), ("/projects/TEST/shots/confirm/move/", {}),
        ("/projects/TEST/shots/confirm/chosen/", {"ids": "1"}), ("/projects/TEST/shots/unlock/", {"ids": "1"}),
    ):  # fmt: skip
        assert send(client, "POST", url, body).status_code == 403, url


def told(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_the_command_line_previews_confirms_and_moves(project: Any, admin_user: Any, shots: Any) -> None:
    assert f"create  scenes/SCN_010/shots/{shots[0].code}" in told("confirm", "TEST", "--preview")
    assert json.loads(told("confirm", "TEST", "--preview", "--json"))["to_lock"] == 3
    assert not project.root.exists()
    assert "1 shots locked" in told("confirm", "TEST", "--shots", shots[0].code)
    assert json.loads(told("confirm", "TEST", "--json"))["locked"] == [shot.code for shot in shots[1:]]
    with pytest.raises(CommandError, match="SHT_9"):
        told("confirm", "TEST", "--shots", "SHT_9")
    with pytest.raises(CommandError, match="There are: TEST"):
        told("confirm", "NOPE")
    unlock_shots(project=project, actor=admin_user, ids=[shots[0].pk], reason="x")
    item = {"id": shots[0].pk, "fields": {"scene": shots[-1].scene_id}}
    editing.update_shots(project=project, actor=admin_user, items=[item])
    assert "1 folders would move" in told("move_folders", "TEST", "--dry-run")
    assert json.loads(told("move_folders", "TEST", "--json"))["moves"][0]["label"] == shots[0].code
    assert "0 folders moved" in told("move_folders", "TEST")


def test_the_administration_goes_through_the_preview(client: Client, project: Any, shots: Any) -> None:
    body = {"action": "confirm_shots", "_selected_action": [shot.pk for shot in shots]}
    answer = client.post("/admin/shots/shot/", body)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/projects/TEST/shots/confirm/?shots={shots[0].pk}-{shots[-1].pk}"
    assert not project.root.exists()


def test_every_door_to_a_locked_shots_structure_is_shut(
    client: Client, project: Any, admin_user: Any, shots: Any
) -> None:
    confirm(project=project, actor=admin_user)
    shot = Shot.objects.get(pk=shots[0].pk)
    other = shots[-1].scene_id
    grid = f"{BASE}/shots/batch/"
    doors: list[Callable[[], Any]] = [
        lambda: send(client, "DELETE", f"/api/v1/shots/{shot.pk}/"),
        lambda: send(client, "PATCH", f"/api/v1/shots/{shot.pk}/", {"scene": other}),
        lambda: send(client, "DELETE", f"{BASE}/scenes/{shot.scene_id}/"),
        lambda: send(client, "POST", grid, {"items": [{"id": shot.pk, "fields": {"scene": other}}]}),
        lambda: send(
            client, "POST", grid, {"items": [{"id": shot.pk, "fields": {"scene": None}}], "on_conflict": "skip"}
        ),
        lambda: send(client, "POST", grid, {"delete": [shot.pk]}),
        lambda: send(client, "POST", f"{BASE}/shots/reorder/", {"ids": [shot.pk], "before": None, "scene": other}),
    ]
    doors += [
        lambda: send(client, "PATCH", f"{BASE}/edit/", {"ops": [{"op": "remove", "shot": shot.pk}]}),
        lambda: send(client, "POST", f"/api/v1/sheet-imports/{sheet.pk}/apply/", {"accept": "all"}),
    ]
    sheet = sent(project, admin_user, edited(exported(project), put({(2, "scene"): shots[-1].scene.code})))
    before = list(Shot.objects.order_by("pk").values("code", "scene", "removed_at", "locked", "revision"))
    for number, door in enumerate(doors):
        answer = door()
        assert answer.status_code == 409, (number, answer.status_code, answer.content[:300])
        error = answer.json()
        assert error["type"] == "locked", (number, error)
        assert error["details"]["locked"] == [shot.pk] or shot.pk in error["details"]["locked"]
        assert "Unlock" in error["message"]
    assert list(Shot.objects.order_by("pk").values("code", "scene", "removed_at", "locked", "revision")) == before
    # What nobody may write at all stays a plain refusal.
    assert send(client, "PATCH", f"/api/v1/shots/{shot.pk}/", {"code": "X"}).status_code == 422
    assert send(client, "PATCH", f"/api/v1/shots/{shot.pk}/", {"locked": False}).status_code == 422
    assert table_of("shots").flags[0] == "locked"
    client.post("/admin/shots/shot/", {"action": "delete_selected", "_selected_action": [shot.pk], "post": "yes"})
    assert list(Shot.objects.order_by("pk").values("code", "scene", "removed_at", "locked", "revision")) == before


def test_undo_leaves_a_locked_shot_and_its_scene_where_they_are(project: Any, admin_user: Any, shots: Any) -> None:
    new = editing.create_shot(project=project, actor=admin_user, tab="t", scene=shots[0].scene_id)
    item = {"id": new.pk, "fields": {"scene": shots[-1].scene_id, "description": "새 글"}}
    editing.update_shots(project=project, actor=admin_user, items=[item], tab="t")
    confirm(project=project, actor=admin_user)
    done = undo(project=project, actor=admin_user, tab="t")
    row = Shot.objects.get(pk=new.pk)
    assert (row.scene_id, row.description) == (shots[-1].scene_id, "")
    assert [(entry["code"], entry["fields"]) for entry in done.skipped] == [("locked", ["scene"])]
    done = undo(project=project, actor=admin_user, tab="t")
    assert Shot.objects.get(pk=new.pk).removed_at is None
    assert "locked" in {entry["code"] for entry in done.skipped}
