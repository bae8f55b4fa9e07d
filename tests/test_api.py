"""The REST contract: tokens, errors in one form, conflicts, constant queries."""

import json
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from shots.services import editing
from tests.factories import SCRIPT, applied_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(admin_user: Any, client: Client) -> Any:
    answer = client.post(
        "/api/v1/auth/token/", {"username": "admin", "password": "pass-for-tests"}, content_type="application/json"
    )
    token = answer.json()["access"]

    def call(method: str, url: str, body: Any = None, **headers: str) -> Any:
        extra = {"HTTP_AUTHORIZATION": f"Bearer {token}", **headers}
        data = json.dumps(body) if body is not None else None
        return getattr(client, method)(f"/api/v1{url}", data=data, content_type="application/json", **extra)

    return call


def test_a_scenario_becomes_a_confirmed_shot_list_over_the_api(api: Any) -> None:
    assert api("post", "/projects/", {"code": "API", "title": "가"}).status_code == 201
    scenario = api("post", "/projects/API/scenarios/", {"text": SCRIPT}).json()["id"]
    assert api("post", f"/scenarios/{scenario}/analyse/").status_code == 202
    from celery_workers import ledger
    from celery_workers.models import LedgerTask

    ledger.run(str(LedgerTask.objects.get().pk))
    task = api("get", f"/tasks/{LedgerTask.objects.get().pk}/").json()
    assert task["state"] == "succeeded"
    assert len(api("get", f"/scenarios/{scenario}/proposal/").json()["shots"]) == task["result"]["shots"]
    made = api("post", f"/scenarios/{scenario}/apply/", {}).json()["shots"]
    assert api("post", f"/scenarios/{scenario}/apply/", {}).status_code == 409
    assert api("post", "/projects/API/confirm/", {}).json()["locked"] == [shot["code"] for shot in made]
    assert api("delete", f"/shots/{made[0]['id']}/").status_code == 409


def test_stale_writes_get_both_values(api: Any, project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    editing.update_shots(project=project, actor=artist, items=[{"id": shot.pk, "fields": {"size": "CU"}}])
    answer = api("patch", f"/shots/{shot.pk}/", {"size": "WS", "revision": shot.revision})
    assert answer.status_code == 409
    assert answer.json()["details"]["current"] == {"size": "CU"}


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("post", "/projects/", {"code": "a b", "title": "x"}, 422),
        ("post", "/projects/", [1], 422),
        ("post", "/projects/TEST/shots/", {"size": "HUGE"}, 422),
        ("post", "/projects/TEST/shots/", {"nonsense": 1}, 422),
        ("post", "/projects/TEST/shots/", {"description": "a\x00b"}, 422),
        ("post", "/projects/TEST/shots/", {"duration_frames": -1}, 422),
        ("post", "/projects/TEST/shots/", {"scene": 99999}, 422),
        ("post", "/projects/TEST/shots/batch/", {"items": "x"}, 422),
        ("post", "/projects/TEST/shots/reorder/", {"ids": ["x"]}, 422),
        ("post", "/projects/TEST/renders/", {"shots": []}, 422),
        ("post", "/projects/TEST/renders/", {"shots": [1], "workflow": "no"}, 404),
        ("patch", "/projects/TEST/edit/", {"ops": [{"op": "fly"}]}, 422),
        ("get", "/projects/TEST/edit/export.avi", None, 422),
        ("get", "/projects/NONE/", None, 404),
        ("get", "/shots/123456/", None, 404),
    ],
)
def test_bad_input_is_told_and_never_a_server_error(
    api: Any, project: Any, method: str, url: str, body: Any, status: int
) -> None:
    answer = api(method, url, body)
    assert answer.status_code == status, answer.content
    assert set(answer.json()) >= {"type", "message"}


def test_broken_json_and_wrong_types_of_content(api: Any, project: Any, client: Client, admin_user: Any) -> None:
    client.force_login(admin_user)
    broken = client.post("/api/v1/projects/", data="{", content_type="application/json")
    assert broken.status_code == 400
    assert client.post("/api/v1/projects/", data="x", content_type="text/csv").status_code == 415


def test_lists_ask_the_same_number_of_queries_for_many_rows(
    api: Any, project: Any, admin_user: Any, client: Client
) -> None:
    from django.db import connection

    applied_project(project, admin_user)
    client.force_login(admin_user)
    urls = [
        f"/api/v1/projects/{project.code}/shots/",
        f"/projects/{project.code}/shots/",
        f"/projects/{project.code}/storyboard/",
        f"/projects/{project.code}/timeline/",
        f"/projects/{project.code}/assets/",
        f"/projects/{project.code}/farm/",
        f"/projects/{project.code}/",
    ]

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(url).status_code == 200
            found.append(len(queries))
        return found

    few = counts()
    for _ in range(15):
        editing.create_shot(
            project=project, actor=admin_user, description="x", characters=list(project.characters.all())
        )
    assert counts() == few


def test_undo_over_the_api_by_tab(api: Any, project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    api("patch", f"/shots/{shot.pk}/", {"size": "ECU"}, HTTP_X_AIP_TAB="t1")
    assert api("post", f"/projects/{project.code}/undo/", {}, HTTP_X_AIP_TAB="t2").status_code == 409
    assert api("post", f"/projects/{project.code}/undo/", {}, HTTP_X_AIP_TAB="t1").json()["rows"] == 1


def test_the_schema_is_whole(client: Client, admin_user: Any) -> None:
    client.force_login(admin_user)
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    assert b"/api/v1/projects/{code}/shots/batch/" in answer.content
