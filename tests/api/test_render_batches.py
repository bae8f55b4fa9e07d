"""Batches, comparisons, chains, presets, seams and staleness over REST, with who may do what."""

from pathlib import Path
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.models import Action
from renders.models import RenderBatch, RenderJob
from renders.services import seams
from renders.tests.chain_world import clip_version
from shots.models import Shot

BASE = "/api/v1/projects/TEST/"
RENDERS, PRESETS = f"{BASE}renders/", "/api/v1/render-presets/"


def start(client: Any, shots: list[Shot], **body: Any) -> dict[str, Any]:
    answer = client.post(
        RENDERS, {"shots": [shot.pk for shot in shots], "workflow": "local.panel", **body}, format="json"
    )
    assert answer.status_code == 201, answer.json()
    found: dict[str, Any] = answer.json()
    return found


def test_a_batch_is_told_ordered_cancelled_and_tried_again(
    artist_api: Any, director_api: Any, caller: Any, shots: list[Shot], workflows: None
) -> None:
    made = start(artist_api, shots)
    assert made["estimate"] is None
    assert {job["batch"] for job in made["jobs"]} == {made["batch"]}
    url = f"/api/v1/batches/{made['batch']}/"
    (listed,) = artist_api.get(f"{BASE}batches/").json()["results"]
    assert (listed["id"], listed["kind"], listed["actor"]) == (made["batch"], "selection", "the-artist")
    assert listed["progress"]["queued"] == 3
    told = caller("guest").get(url).json()
    assert [job["shot"] for job in told["jobs"]] == [shot.pk for shot in shots]
    assert caller("stranger").get(url).status_code == 404
    assert caller("stranger").post(f"{url}cancel/").status_code == 404
    assert caller("guest").post(f"{url}cancel/").status_code == 403
    assert caller("guest").post(f"{url}retry/").status_code == 403
    assert artist_api.patch(url, {"priority": 4}, format="json").status_code == 403
    assert director_api.patch(url, {"priority": 400}, format="json").status_code == 422
    assert director_api.patch(url, {"priority": 4, "title": "x"}, format="json").status_code == 422
    assert director_api.patch(url, {"priority": 4}, format="json").status_code == 200
    assert set(RenderJob.objects.values_list("priority", flat=True)) == {4}
    assert artist_api.post(f"{url}retry/").status_code == 409
    RenderJob.objects.filter(shot=shots[0]).update(state="failed")
    again = artist_api.post(f"{url}retry/")
    assert len(again.json()["jobs"]) == 1
    assert artist_api.post(f"{url}cancel/").json()["progress"]["cancelled"] == 3
    assert artist_api.post(f"{url}cancel/").status_code == 409
    kinds = list(Action.objects.filter(kind__startswith="batch.").order_by("sequence").values_list("kind", flat=True))
    assert kinds == ["batch.priority", "batch.retry", "batch.cancel"]


def test_the_list_of_batches_asks_as_often_for_many(artist_api: Any, shots: list[Shot], workflows: None) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            assert artist_api.get(f"{BASE}batches/").status_code == 200
        return len(found)

    start(artist_api, shots[:1])
    few = asked()
    for shot in shots[1:]:
        start(artist_api, [shot])
    assert RenderBatch.objects.count() == 3
    assert asked() == few


def test_the_priority_of_a_job_is_written_down(director_api: Any, shots: list[Shot], workflows: None) -> None:
    job = start(director_api, shots[:1])["jobs"][0]
    url = f"/api/v1/renders/{job['id']}/"
    assert director_api.patch(url, {"priority": 9}, format="json").json()["priority"] == 9
    (entry,) = Action.objects.get(kind="render.priority").changes
    assert entry["fields"]["priority"] == [0, 9]
    assert director_api.patch(url, {"priority": 101}, format="json").status_code == 422


def test_two_presets_are_compared(artist_api: Any, caller: Any, shots: list[Shot], workflows: None) -> None:
    ids = []
    for name, seed in (("밝게", 1), ("어둡게", 2)):
        body = {"project": "TEST", "name": name, "workflow": "local.panel", "params": {"seed": seed}}
        ids.append(artist_api.post(PRESETS, body, format="json").json()["id"])
    made = start(artist_api, shots[:1], workflow="", presets=ids)
    assert [job["variant"] for job in made["jobs"]] == ["밝게", "어둡게"]
    assert len(start(artist_api, shots[2:], preset="", presets=ids)["jobs"]) == 2
    rows = artist_api.get(f"/api/v1/batches/{made['batch']}/results/").json()["rows"]
    assert [(row["shot"], [cell["variant"] for cell in row["variants"]]) for row in rows] == [
        (shots[0].pk, ["밝게", "어둡게"])
    ]
    for wrong in ({"presets": [ids[0], ids[0]]}, {"presets": "all"}, {"presets": [9999]}, {"workflows": "x"}):
        body = {"shots": [shots[1].pk], "presets": ids, **wrong}
        assert artist_api.post(RENDERS, body, format="json").status_code in (404, 422), wrong
    assert not RenderJob.objects.filter(shot=shots[1]).exists()


def test_a_chain_and_its_inputs_over_rest(
    artist_api: Any, director_api: Any, shots: list[Shot], workflows: None
) -> None:
    made = start(artist_api, shots, workflow="local.move", chain=True, waits_for="approved")
    first, second, _third = made["jobs"]
    assert second["inputs"] == {"first_image": {"job": first["id"], "frame": "last"}}
    assert second["waits_for"] == "approved"
    assert second["blocked_reason"]
    assert (first["after"], second["after"]) == ([], [first["id"]])
    assert artist_api.get(f"{BASE}batches/").json()["results"][0]["kind"] == "chain"
    url = f"/api/v1/renders/{first['id']}/"
    assert artist_api.patch(url, {"after": []}, format="json").status_code == 403
    for wrong, status in (({"after": [second["id"]]}, 422), ({"after": ["x"]}, 422), ({"waits_for": "never"}, 422)):
        assert director_api.patch(url, wrong, format="json").status_code == status, wrong
    url = f"/api/v1/renders/{second['id']}/"
    changed = director_api.patch(url, {"waits_for": "rendered", "priority": 3}, format="json").json()
    assert (changed["waits_for"], changed["after"], changed["priority"]) == ("rendered", [first["id"]], 3)
    for wrong, status in (
        ({"chain": "yes"}, 422), ({"chain": True}, 409), ({"waits_for": "never"}, 422), ({"inputs": []}, 422),
        ({"inputs": {"first_image": "x"}}, 422), ({"inputs": {"style": 1}}, 422), ({"params": {"sead": 1}}, 422),
    ):  # fmt: skip
        body = {"shots": [shot.pk for shot in shots], "workflow": "local.move", **wrong}
        answer = artist_api.post(RENDERS, body, format="json")
        assert answer.status_code == status, (wrong, answer.json())
    assert RenderJob.objects.count() == 3


def test_presets_are_ones_own_or_shared(artist_api: Any, director_api: Any, caller: Any, workflows: None) -> None:
    body = {"project": "TEST", "name": "밤", "workflow": "local.panel", "params": {"seed": 1}, "shared": False}
    mine = artist_api.post(PRESETS, body, format="json").json()
    url = f"{PRESETS}{mine['id']}/"
    assert (mine["shared"], mine["author"]) == (False, "the-artist")
    assert director_api.get(url).status_code == 404
    assert director_api.get(PRESETS).json()["results"] == []
    assert director_api.post(f"{url}clone/", {}, format="json").status_code == 404
    for wrong in ({"params": {"sead": 1}}, {"name": ""}, {"shared": "yes"}, {"workflow": "x"}, {"author": 1}):
        assert artist_api.patch(url, wrong, format="json").status_code == 422, wrong
    changed = artist_api.patch(
        url, {"shared": True, "params": {"seed": 5}, "revision": mine["revision"]}, format="json"
    )
    assert changed.json()["params"] == {"seed": 5}
    assert (
        artist_api.patch(url, {"params": {"seed": 6}, "revision": mine["revision"]}, format="json").status_code == 409
    )
    assert caller("guest").patch(url, {"name": "x"}, format="json").status_code == 403
    assert caller("guest").post(f"{url}clone/", {}, format="json").status_code == 403
    assert director_api.patch(url, {"shared": False}, format="json").status_code == 403
    copy = director_api.post(f"{url}clone/", {}, format="json").json()
    assert (copy["name"], copy["shared"], copy["author"]) == ("밤 2", False, "the-director")
    assert director_api.get(f"{PRESETS}?project=TEST").json()["results"][0]["name"] == "밤"
    assert director_api.delete(f"{PRESETS}{copy['id']}/").status_code == 204
    assert director_api.get(f"{PRESETS}{copy['id']}/").status_code == 404
    assert director_api.post(f"{BASE}undo/", {}, format="json").status_code == 200
    assert director_api.get(f"{PRESETS}{copy['id']}/").status_code == 200


def test_seams_and_staleness_are_told(artist_api: Any, project: Any, shots: list[Shot], tmp_path: Path) -> None:
    red, blue = (200, 20, 20), (20, 20, 200)
    first = clip_version(shots[0], tmp_path, [red, blue])
    second = clip_version(shots[1], tmp_path, [blue], inputs={"first_image": {"version": first.pk, "frame": 1}})
    (waiting,) = artist_api.get(f"{BASE}seams/").json()["results"]
    assert (waiting["score"], waiting["chain"]) == (None, True)
    seams.measure_project(project=project)
    (seam,) = artist_api.get(f"{BASE}seams/").json()["results"]
    assert (seam["before"], seam["after"]) == (
        {"version": first.pk, "shot": shots[0].pk}, {"version": second.pk, "shot": shots[1].pk},
    )  # fmt: skip
    assert seam["score"] == 0.0
    assert artist_api.get(f"/api/v1/versions/{second.pk}/").json()["stale"] is None
    clip_version(shots[0], tmp_path, [red])
    assert "v002" in artist_api.get(f"/api/v1/versions/{second.pk}/").json()["stale"]
    (listed,) = artist_api.get(f"/api/v1/shots/{shots[1].pk}/versions/").json()["results"]
    assert shots[0].code in listed["stale"]
    page = artist_api.get(f"/projects/TEST/tree/details/?path={second.path}")
    assert b"v002" in page.content
