"""Workers, fits, blocks and pauses over REST: what is told, to whom, and who may change it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from aipipeline.history.project_services import create_project, set_member
from aipipeline.projects.models import User
from renders.models import Pause, Worker, WorkerBlock, WorkerFit, Workflow
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = pytest.mark.django_db
WORKERS, PAUSES = "/api/v1/workers/", "/api/v1/farm/pauses/"


@pytest.fixture
def gpu(project: Any, admin_user: Any) -> Worker:
    row = world.worker("gpu", loaded="m")
    Worker.objects.update(gpu={"gpu": "Card", "vram_total": 24 * 2**30, "vram_free": 2**30}, endpoint="http://u:pw@h")
    one, two = world.workflow("own.one"), world.workflow("own.two")
    WorkerFit.objects.create(worker=row, workflow=one, fits=True)
    WorkerFit.objects.create(worker=row, workflow=two, fits=False, reasons=["Node X is missing."])
    WorkerBlock.objects.create(worker=row, workflow=one, failures=3, reason="torn")
    return row


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, url: str, body: Any = None) -> Any:
    return client.generic(method, url, b"" if body is None else json.dumps(body), "application/json")


def test_a_worker_is_told_with_its_memory_and_its_job(gpu: Worker, project: Any, admin_user: Any, artist: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    WorkerBlock.objects.all().delete()
    mine = world.job(shot, Workflow.objects.get(key="own.one"), progress=0.25)
    assert world.take(gpu) == mine
    other = create_project(actor=admin_user, code="OTHER", title="Other")
    set_member(project=other, actor=admin_user, user=artist, role="artist")
    (row,) = signed_in(admin_user).get(WORKERS).json()["results"]
    assert (row["vram_free"], row["vram_total"], row["loaded"]) == (2**30, 24 * 2**30, "m")
    assert (row["fits"], row["unfit"], row["blocks"]) == (1, 1, 0)
    assert row["jobs"][0] | {"started_at": None} == {
        "id": str(mine.pk), "owner": str(shot), "state": "leased", "progress": 0.25, "started_at": None,
    }  # fmt: skip
    assert "pw" not in str(row)
    (row,) = signed_in(artist).get(WORKERS).json()["results"]
    assert (row["jobs"][0]["id"], row["jobs"][0]["owner"]) == (None, ""), "of others' projects no more than the fact"


def test_the_list_of_workers_takes_as_many_queries_for_two_as_for_twenty(
    gpu: Worker, admin_user: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        world.worker(f"more{number}")
    client = signed_in(admin_user)
    with django_assert_max_num_queries(10):
        assert len(client.get(WORKERS).json()["results"]) == 21


def test_drain_wake_and_lift_are_the_farms(gpu: Worker, admin_user: Any, artist: Any) -> None:
    one = f"{WORKERS}{gpu.pk}/"
    staff, other = signed_in(admin_user), signed_in(artist)
    calls = [
        ("PATCH", one, {"draining": True}),
        ("POST", f"{one}wake/", None),
        ("DELETE", f"{one}blocks/own.one/", None),
    ]
    for method, url, body in calls:
        assert send(other, method, url, body).status_code == 403
    assert send(staff, "PATCH", one, {"draining": True}).json()["state"] == "draining"
    for body in ({}, {"draining": 1}, {"draining": "false"}, {"draining": True, "x": 1}):
        assert send(staff, "PATCH", one, body).status_code == 422
    woken = send(staff, "POST", f"{one}wake/")
    assert (woken.status_code, woken.json()["state"]) == (202, "online")
    assert send(staff, "GET", f"{one}blocks/").json()["results"][0]["reason"] == "torn"
    assert send(staff, "DELETE", f"{one}blocks/own.one/").status_code == 204
    assert send(staff, "DELETE", f"{one}blocks/own.one/").status_code == 404
    assert not WorkerBlock.objects.exists()
    Worker.objects.update(state="offline")
    assert send(staff, "POST", f"{one}wake/").status_code == 409
    assert send(staff, "POST", f"{WORKERS}999/wake/").status_code == 404


def test_what_fits_is_told_with_its_reasons(gpu: Worker, admin_user: Any) -> None:
    rows = signed_in(admin_user).get(f"{WORKERS}{gpu.pk}/fits/").json()["results"]
    assert {row["workflow"]: row["reasons"] for row in rows} == {"own.one": [], "own.two": ["Node X is missing."]}


def test_leads_pause_their_project_and_staff_the_farm(project: Any, admin_user: Any, artist: Any) -> None:
    lead = User.objects.create_user(username="lead", password="pass-for-tests")
    set_member(project=project, actor=admin_user, user=lead, role="director")
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    of_project, of_class = {"scope": "project", "key": "TEST"}, {"scope": "capability", "key": "gpu.vram8"}
    assert send(signed_in(artist), "POST", PAUSES, of_project).status_code == 403
    assert send(signed_in(lead), "POST", PAUSES, of_class).status_code == 403
    soon = timezone.now() + timedelta(hours=1)
    made = send(signed_in(lead), "POST", PAUSES, of_project | {"reason": "점검", "until": soon.isoformat()})
    assert Pause.objects.get().until == soon
    assert (made.status_code, made.json()["key"], made.json()["label"]) == (201, str(project.pk), "TEST")
    assert made.json()["reason"] == "점검"
    assert send(signed_in(admin_user), "POST", PAUSES, of_class).status_code == 201
    told = signed_in(artist).get(PAUSES).json()["results"]
    assert {(row["scope"], row["label"]) for row in told} == {("project", "TEST"), ("capability", "GPU, 8 GB")}
    assert send(signed_in(artist), "DELETE", PAUSES, of_project).status_code == 403
    assert send(signed_in(lead), "DELETE", PAUSES, {"scope": "project", "key": project.pk}).status_code == 204
    assert send(signed_in(lead), "DELETE", PAUSES, of_project).status_code == 404
    assert Pause.objects.get().scope == "capability"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422), ({"scope": "worker", "key": "1"}, 422), ({"scope": "capability", "key": "gpu"}, 422),
        ({"scope": "project", "key": "NONE"}, 404), ({"scope": "project", "key": True}, 422),
        ({"scope": "workflow", "key": -1}, 422), ({"scope": "workflow", "key": 10**40}, 422),
        ({"scope": ["project"], "key": "1"}, 422), ({"scope": "capability", "key": "cpu", "by": 1}, 422),
        *(({"scope": "capability", "key": "cpu", "until": until}, 422) for until in (
            "soon", "2001-01-01T00:00:00Z", "2030-13-01T00:00:00Z", 7, "2026-12-01", "9999-12-31T23:59:59-14:00",
            "0001-01-01T00:00:00+14:00", "2999-01-01T00:00:00",
        )),
    ],
)  # fmt: skip
def test_a_pause_of_nothing_is_refused(project: Any, admin_user: Any, body: Any, status: int) -> None:
    assert send(signed_in(admin_user), "POST", PAUSES, body).status_code == status
    assert not Pause.objects.exists()


def test_pauses_of_other_projects_are_not_seen(project: Any, admin_user: Any, artist: Any) -> None:
    Pause.objects.create(scope="project", key=str(project.pk))
    other = create_project(actor=admin_user, code="OTHER", title="Other")
    set_member(project=other, actor=admin_user, user=artist, role="director")
    assert signed_in(artist).get(PAUSES).json()["results"] == []
    assert send(signed_in(artist), "DELETE", PAUSES, {"scope": "project", "key": project.pk}).status_code == 404
