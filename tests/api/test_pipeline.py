"""The rest of the contract: scenario, sheets, versions, renders, cut, tasks."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from celery_workers import ledger
from renders.models import RenderJob, Version
from shots.models import Shot

BASE = "/api/v1/projects/TEST/"
SCENARIO = "S#1. 민수의 방 - 밤\n\n민수가 창가에 서서 비를 본다.\n\n민수\n또 비가 오네.\n"


def png() -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (64, 36), "navy").save(out, "PNG")
    return SimpleUploadedFile("그림.png", out.getvalue(), "image/png")


def finish(task: str) -> None:
    """What a worker does with the task."""
    ledger.run(task)


def test_a_scenario_becomes_shots(director_api: Any) -> None:
    kept = director_api.post(f"{BASE}scenarios/", {"text": SCENARIO, "title": "비"}, format="json")
    assert kept.status_code == 201, kept.json()
    url = f"/api/v1/scenarios/{kept.json()['id']}/"
    started = director_api.post(f"{url}analyse/")
    assert started.status_code == 202
    task = started.json()["task"]
    assert director_api.get(f"/api/v1/tasks/{task}/").json()["state"] == "queued"
    finish(task)
    assert director_api.get(f"/api/v1/tasks/{task}/").json()["state"] == "succeeded"
    draft = director_api.get(f"{url}proposal/").json()
    assert [c["name"] for c in draft["characters"]] == ["민수"]
    draft["characters"][0]["age"] = "스물셋"
    body = {"characters": draft["characters"], "revision": draft["revision"]}
    assert director_api.patch(f"{url}proposal/", body, format="json").status_code == 200
    assert director_api.patch(f"{url}proposal/", {**body, "characters": []}, format="json").status_code == 409
    applied = director_api.post(f"{url}apply/", {}, format="json")
    assert applied.status_code == 201
    assert len(applied.json()["shots"]) == len(draft["shots"]) > 0
    assert director_api.get(f"{BASE}characters/").json()["results"][0]["age"] == "스물셋"
    assert director_api.post(f"{url}apply/", {}, format="json").status_code == 409
    assert director_api.get(f"{BASE}scenarios/").json()["results"][0]["state"] == "applied"


def test_a_scenario_comes_as_a_file_too_and_bad_ones_leave_nothing(director_api: Any) -> None:
    def send(name: str, data: bytes) -> Any:
        return director_api.post(f"{BASE}scenarios/", {"file": SimpleUploadedFile(name, data)}, format="multipart")

    assert send("비.txt", SCENARIO.encode()).status_code == 201
    for name, data in {"a.txt": b"", "b.txt": bytes(range(256)) * 40, "c.exe": b"MZ"}.items():
        answer = send(name, data)
        assert answer.status_code in (413, 415, 422), (name, answer.json())
        assert answer.json()["message"]
    assert send("d.txt", b"a" * (6 * 1024 * 1024)).status_code in (413, 422)
    assert director_api.post(f"{BASE}scenarios/", {}, format="json").status_code == 422
    assert director_api.post(f"{BASE}scenarios/", {"text": 5}, format="json").status_code == 422
    assert len(director_api.get(f"{BASE}scenarios/").json()["results"]) == 1


@pytest.mark.parametrize("kind", ["shots", "environments", "characters", "technical", "presets"])
@pytest.mark.parametrize("format", ["xlsx", "csv", "json"])
def test_sheets_go_out(artist_api: Any, shots: list[Shot], kind: str, format: str) -> None:
    answer = artist_api.get(f"{BASE}sheets/{kind}.{format}")
    assert answer.status_code == 200
    assert f"TEST_{kind}.{format}" in answer.headers["Content-Disposition"]


def test_unknown_sheets_are_refused(artist_api: Any, shots: list[Shot]) -> None:
    assert artist_api.get(f"{BASE}sheets/shots.pdf").status_code in (404, 422)
    assert artist_api.get(f"{BASE}sheets/cars.xlsx").status_code in (404, 422)


def test_a_sheet_comes_back_as_a_difference_and_is_applied(artist_api: Any, shots: list[Shot]) -> None:
    sheet = artist_api.get(f"{BASE}sheets/shots.csv").content.decode("utf-8-sig").replace("장면 1", "고친 장면")
    upload = SimpleUploadedFile("shots.csv", sheet.encode(), "text/csv")
    kept = artist_api.post(f"{BASE}sheet-imports/", {"file": upload, "kind": "shots"}, format="multipart")
    assert kept.status_code == 201, kept.json()
    assert kept.json()["counts"]["changed"] == 1
    url = f"/api/v1/sheet-imports/{kept.json()['id']}/"
    assert artist_api.get(url).json()["counts"]["changed"] == 1
    assert artist_api.get(f"/api/v1/shots/{shots[1].pk}/").json()["description"] == "장면 1"
    done = artist_api.post(f"{url}apply/", {"accept": "all"}, format="json")
    assert done.json()["state"] == "applied"
    assert artist_api.get(f"/api/v1/shots/{shots[1].pk}/").json()["description"] == "고친 장면"
    assert artist_api.get(url).json()["state"] == "applied"
    assert artist_api.post(f"{url}apply/", {"accept": "all"}, format="json").status_code == 409
    assert artist_api.post(f"{BASE}undo/").status_code == 200
    assert artist_api.get(f"/api/v1/shots/{shots[1].pk}/").json()["description"] == "장면 1"


def test_a_version_is_uploaded_and_reviewed(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    url = f"/api/v1/shots/{shots[0].pk}/versions/"
    made = artist_api.post(url, {"kind": "previz", "file": png(), "comment": "스케치"}, format="multipart")
    assert made.status_code == 201, made.json()
    version = made.json()
    assert (version["kind"], version["label"], version["width"], version["comment"]) == ("previz", "v001", 64, "스케치")
    assert Version.objects.get().file().is_file()
    assert [row["id"] for row in artist_api.get(url).json()["results"]] == [version["id"]]
    assert director_api.get(version["url"]).status_code == 200
    review = f"/api/v1/versions/{version['id']}/review/"
    assert artist_api.post(review, {"verdict": "approve"}, format="json").status_code == 403
    assert director_api.post(review, {"verdict": "reject"}, format="json").status_code == 422
    for wrong in ({"frame": -1}, {"frame": 2**40}, {"region": [0, 0, 2, 1]}, {"region": "all"}, {"text": 1}):
        body = {"verdict": "comment", "text": "왼쪽", **wrong}
        assert director_api.post(review, body, format="json").status_code == 422, wrong
    comment = {"verdict": "comment", "text": "왼쪽", "frame": 0, "region": [0.1, 0.1, 0.5, 0.5]}
    assert director_api.post(review, comment, format="json").status_code == 201
    approved = director_api.post(review, {"verdict": "approve"}, format="json")
    assert approved.json()["version"]["status"] == "approved"
    shot = artist_api.get(f"/api/v1/shots/{shots[0].pk}/").json()
    assert shot["thumbnail"]
    assert artist_api.get(shot["thumbnail"]).status_code == 200


def test_files_that_are_no_picture_are_refused_and_leave_nothing(artist_api: Any, shots: list[Shot]) -> None:
    url = f"/api/v1/shots/{shots[0].pk}/versions/"
    for name, data in {"a.png": b"no picture", "a.exe": b"MZ", "version.json": b"{}", "b.mp4": b""}.items():
        body = {"kind": "previz", "file": SimpleUploadedFile(name, data)}
        answer = artist_api.post(url, body, format="multipart")
        assert answer.status_code in (415, 422), (name, answer.json())
    assert artist_api.post(url, {"kind": "previz"}, format="multipart").status_code == 422
    assert artist_api.post(url, {"kind": "cake", "file": png()}, format="multipart").status_code == 422
    assert artist_api.get(url).json()["results"] == []


def test_renders_are_queued_changed_and_cancelled(
    artist_api: Any, director_api: Any, shots: list[Shot], workflows: None
) -> None:
    ids = [shot.pk for shot in shots]
    body = {"shots": ids, "workflow": "local.panel", "params": {"seed": 7}, "priority": 5}
    made = artist_api.post(f"{BASE}renders/", body, format="json")
    assert made.status_code == 201, made.json()
    jobs = made.json()["jobs"]
    assert {job["shot"] for job in jobs} == set(ids)
    assert {(job["state"], job["priority"], job["params"]["seed"]) for job in jobs} == {("queued", 5, 7)}
    assert artist_api.get(f"/api/v1/shots/{ids[0]}/").json()["status"] == "generating"
    url = f"/api/v1/renders/{jobs[0]['id']}/"
    assert artist_api.patch(url, {"priority": 9}, format="json").status_code == 403
    assert director_api.patch(url, {"priority": 9}, format="json").json()["priority"] == 9
    assert artist_api.post(f"{url}retry/").status_code == 409
    assert artist_api.post(f"{url}cancel/").json()["state"] == "cancelled"
    assert artist_api.post(f"{url}cancel/").status_code == 409
    assert artist_api.post(f"{url}retry/").json()["state"] == "queued"
    listed = artist_api.get(f"{BASE}renders/?state=queued&page_size=2").json()
    assert len(listed["results"]) == 2
    assert listed["next"]


def test_renders_refuse_what_cannot_be_made(artist_api: Any, shots: list[Shot], workflows: None) -> None:
    good = {"shots": [shots[0].pk], "workflow": "local.panel"}
    for wrong in (
        {"shots": []},
        {"shots": "all"},
        {"shots": [99999]},
        {"workflow": "magic"},
        {"workflow": 5},
        {"params": []},
        {"priority": "high"},
        {"preset": 99999},
        {"after": 5},
        {"after": ["x"]},
        {"after": ["00000000-0000-0000-0000-000000000000"]},
        {"characters": [1]},
        {"step": "cooking", "workflow": ""},
    ):
        answer = artist_api.post(f"{BASE}renders/", {**good, **wrong}, format="json")
        assert answer.status_code in (404, 422), (wrong, answer.json())
    assert not RenderJob.objects.exists()


def test_a_preset_is_kept_and_used(artist_api: Any, shots: list[Shot], workflows: None) -> None:
    body = {"project": "TEST", "name": "빠르게", "workflow": "local.panel", "params": {"seed": 3}}
    made = artist_api.post("/api/v1/render-presets/", body, format="json")
    assert made.status_code == 201, made.json()
    assert artist_api.post("/api/v1/render-presets/", body, format="json").status_code == 409
    job = {"shots": [shots[0].pk], "preset": made.json()["id"]}
    jobs = artist_api.post(f"{BASE}renders/", job, format="json").json()["jobs"]
    assert jobs[0]["params"]["seed"] == 3
    assert artist_api.get("/api/v1/render-presets/").json()["results"][0]["name"] == "빠르게"
    keys = {row["key"] for row in artist_api.get("/api/v1/workflows/").json()["results"]}
    assert {"local.panel", "local.move"} <= keys
    assert artist_api.get("/api/v1/workers/").status_code == 200


def test_the_cut_is_read_changed_and_exported(artist_api: Any, shots: list[Shot]) -> None:
    url = f"{BASE}edit/"
    edit = artist_api.get(url).json()
    assert edit["frames"] == 144
    assert [clip["start"] for clip in edit["clips"]] == [0, 48, 96]
    ops = [
        {"op": "length", "shot": shots[0].pk, "duration_frames": 24},
        {"op": "move", "shot": shots[2].pk, "before": shots[0].pk},
        {"op": "marker", "frame": 10, "name": "음악"},
    ]
    changed = artist_api.patch(url, {"revision": edit["revision"], "ops": ops}, format="json")
    assert changed.status_code == 200, changed.json()
    assert [clip["shot"] for clip in changed.json()["clips"]] == [shots[2].pk, shots[0].pk, shots[1].pk]
    assert changed.json()["frames"] == 120
    for wrong in ([], "all", [{"op": "burn"}], [{"op": "length", "shot": shots[0].pk, "duration_frames": 1.5}], [5]):
        assert artist_api.patch(url, {"ops": wrong}, format="json").status_code == 422, wrong
    for format in ("edl", "xml", "otio"):
        answer = artist_api.get(f"{url}export.{format}")
        assert answer.status_code == 200
        assert f"TEST.{format}" in answer.headers["Content-Disposition"]
    assert artist_api.get(f"{url}export.pdf").status_code in (404, 422)


def test_a_film_is_ordered_and_cancelled(artist_api: Any, shots: list[Shot], caller: Any) -> None:
    started = artist_api.post(f"{BASE}deliveries/", {"kind": "h264"}, format="json")
    assert started.status_code == 202
    assert artist_api.get(f"/api/v1/deliveries/{started.json()['id']}/").json()["url"] is None
    task = f"/api/v1/tasks/{started.json()['task']}/"
    assert caller("guest").get(task).status_code == 200
    assert caller("guest").post(f"{task}cancel/").status_code == 403
    assert caller("stranger").get(task).status_code == 404
    assert artist_api.post(f"{task}cancel/").json()["state"] == "cancelled"
    assert artist_api.post(f"{BASE}deliveries/", {"kind": "vhs"}, format="json").status_code == 422
    assert artist_api.post(f"{BASE}edit/proxy/").status_code == 202


def test_an_empty_cut_makes_nothing(artist_api: Any, tmp_path: Path) -> None:
    assert artist_api.get(f"{BASE}edit/export.edl").status_code == 422
    assert artist_api.post(f"{BASE}edit/proxy/").status_code == 422
