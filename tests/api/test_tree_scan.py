"""Scan and adoption from the page, the API, the command line and a schedule; who may, and what nonsense is told."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from aipipeline.history.models import Action
from celery_workers import ledger
from celery_workers.models import LedgerTask, TaskState
from renders.models import Version
from renders.services import adopting, scans
from renders.tasks import adopt as scheduled
from shots.models import Folder, Shot
from shots.services.confirm import confirm
from tests.api.conftest import Caller
from tests.factories import picture
from tests.harness.processes import celery, wait_until

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/TEST/tree"


@pytest.fixture(autouse=True)
def soon_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopting, "STILL_SECONDS", 0.05)


@pytest.fixture
def drop(project: Any, shots: list[Shot], admin_user: Any) -> Path:
    confirm(project=project, actor=admin_user)
    folder: Path = project.root / Folder.objects.get(shot=shots[0]).path / "drop"
    return folder


def run_all() -> None:
    """Do what workers would do."""
    while task := LedgerTask.objects.filter(state=TaskState.QUEUED).first():
        ledger.run(str(task.pk))


def result_of(task_id: str) -> dict[str, Any]:
    task = LedgerTask.objects.get(pk=task_id)
    assert task.state == TaskState.SUCCEEDED, task.error
    result: dict[str, Any] = task.result
    return result


def test_a_scan_over_the_api(caller: Caller, drop: Path) -> None:
    picture(drop / "리나.png")
    api = caller("artist")
    assert api.get(f"{URL}/scan/").json() == {"task": None}
    answer = api.post(f"{URL}/scan/", {}, format="json")
    assert answer.status_code == 202
    assert api.post(f"{URL}/scan/", {}, format="json").json() == answer.json()  # one at a time
    run_all()
    result = result_of(answer.json()["task"])
    assert result["counts"]["dropped"] == 1
    assert api.get(f"{URL}/scan/").json()["result"] == result
    assert caller("guest").get(f"{URL}/scan/").json()["result"] == result


def test_dropped_files_are_taken_in_over_the_api(caller: Caller, drop: Path, project: Any) -> None:
    picture(drop / "리나.png")
    path = (drop / "리나.png").relative_to(project.root).as_posix()
    api = caller("artist")
    first = api.post(f"{URL}/adopt/", {}, format="json")
    run_all()
    assert "Choose a kind" in result_of(first.json()["task"])["left"][0]["reason"]
    second = api.post(f"{URL}/adopt/", {"files": [{"path": path, "kind": "previz"}]}, format="json")
    assert second.status_code == 202
    run_all()
    version = Version.objects.get()
    assert result_of(second.json()["task"])["adopted"] == [
        {"path": path, "version": version.pk, "label": str(version)}
    ]  # fmt: skip
    assert version.created_by is not None
    assert version.created_by.username == "the-artist"
    assert Action.objects.filter(kind="tree.adopt").count() == 2
    # What was found is looked at anew by itself.
    assert scans.newest_done(project, scans.SCAN).result["counts"]["dropped"] == 0  # type: ignore[union-attr]


def test_who_may(caller: Caller, drop: Path) -> None:
    for role, scan, deep, adopt in (
        ("director", 202, 202, 202), ("artist", 202, 403, 202), ("guest", 403, 403, 403), ("stranger", 404, 404, 404),
        ("", 401, 401, 401),
    ):  # fmt: skip
        api = caller(role)
        assert api.post(f"{URL}/scan/", {}, format="json").status_code == scan, role
        assert api.post(f"{URL}/scan/", {"deep": True}, format="json").status_code == deep, role
        assert api.post(f"{URL}/adopt/", {}, format="json").status_code == adopt, role
        run_all()


@pytest.mark.parametrize(
    "files",
    [
        "x", {}, [], [None], [1], ["a"], [{}], [{"path": 1}], [{"path": ""}], [{"path": "a" * 5000}],
        [{"path": "a", "kind": 3}], [{"path": "a", "kind": "drop"}], [{"path": "a", "more": 1}], [{"path": "a"}] * 501,
        [{"path": ["a"]}], [{"path": "a", "kind": ["render"]}],
    ],
)  # fmt: skip
def test_nonsense_is_told(caller: Caller, drop: Path, files: Any) -> None:
    answer = caller("director").post(f"{URL}/adopt/", {"files": files}, format="json")
    assert answer.status_code == 422
    assert answer.json()["fields"]["files"]
    assert not LedgerTask.objects.exists()


def test_hostile_paths_are_refused_by_the_work(caller: Caller, drop: Path) -> None:
    wrong = ["../../etc/passwd", "/etc/passwd", "a\nb", "scenes", "." * 300, "CON", "\\\\server\\share"]
    body = {"files": [{"path": path, "kind": "render"} for path in wrong]}
    answer = caller("director").post(f"{URL}/adopt/", body, format="json")
    run_all()
    result = result_of(answer.json()["task"])
    assert result["counts"] == {"adopted": 0, "cleared": 0, "left": len(wrong)}
    assert caller("director").post(f"{URL}/scan/", {"deep": "yes"}, format="json").status_code == 422


def test_the_page(client: Client, drop: Path, team: dict[str, Any]) -> None:
    picture(drop / "리나 <b>.png")
    url = "/projects/TEST/tree/scan/"
    client.force_login(team["artist"])
    assert "Not compared yet" in client.get(url).content.decode()
    assert client.post(url).status_code == 204
    assert client.post(url, {"deep": "1"}).status_code == 403
    assert "Cancel" in client.get(url).content.decode()
    run_all()
    page = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "리나 &lt;b&gt;.png" in page
    assert "<html" not in page
    assert client.post("/projects/TEST/tree/adopt/").status_code == 204
    run_all()
    assert "Choose a kind" in client.get(url).content.decode()
    path = Folder.objects.get(shot__isnull=False, path__contains="SHT_0010").path
    form = {"path": f"{path}/drop/리나 <b>.png", "kind": "render"}
    assert client.post("/projects/TEST/tree/adopt/", form).status_code == 204
    run_all()
    assert "Disk and database agree" in client.get(url).content.decode()
    assert client.post("/projects/TEST/tree/adopt/", {"path": "x", "kind": "none"}).status_code == 422
    client.force_login(team["guest"])
    assert "hx-post" not in client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert client.post("/projects/TEST/tree/adopt/", form).status_code == 403


def test_the_command(drop: Path, project: Any) -> None:
    (drop / "render").mkdir(exist_ok=True)
    picture(drop / "render" / "a.png")
    (drop / "render" / "bad.txt").write_text("x")
    out = StringIO()
    call_command("scan_tree", "TEST", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["scan"]["counts"]["dropped"], found["adopted"]) == (2, None)
    out = StringIO()
    call_command("scan_tree", "TEST", "--adopt", "--deep", stdout=out)
    told = out.getvalue()
    assert "adopted  " in told
    assert "bad.txt  (This kind of file is not taken" in told
    assert "1 versions: 1 dropped." in told
    with pytest.raises(CommandError, match="There are: TEST"):
        call_command("scan_tree", "NONE")


def test_by_schedule_only_what_may_succeed_is_tried(drop: Path, project: Any) -> None:
    def tasks() -> int:
        return LedgerTask.objects.filter(kind=scans.ADOPT).count()

    scheduled("TEST")
    scheduled("NONE")
    assert tasks() == 0
    (drop / "bad.txt").write_text("x")
    scheduled("TEST")
    scheduled("TEST")
    assert tasks() == 1  # the first has not ended
    run_all()
    scheduled("TEST")
    assert tasks() == 1  # it would say the same again
    (drop / "bad.txt").write_text("changed")
    scheduled("TEST")
    assert tasks() == 2


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_does_it(project: Any, admin_user: Any, drop: Path, caller: Caller) -> None:
    (drop / "comp").mkdir(exist_ok=True)
    picture(drop / "comp" / "a.png")
    worker = celery("files", "files", slots=2, pool="threads")
    try:
        answer = caller("artist").post(f"{URL}/adopt/", {}, format="json")
        wait_until(
            lambda: LedgerTask.objects.filter(kind=scans.SCAN, state=TaskState.SUCCEEDED).exists(),
            seconds=60, what=worker.text,
        )  # fmt: skip
        assert result_of(answer.json()["task"])["counts"]["adopted"] == 1
        assert Version.objects.get().kind == "comp"
    finally:
        worker.stop()
