"""Scenes and shots over REST: cells, batches, order, steps, confirm, conflicts."""

from typing import Any

from shots.models import Shot

BASE = "/api/v1/projects/TEST/"
LIST = f"{BASE}shots/"


def order_of(api: Any) -> list[int]:
    return [row["id"] for row in api.get(LIST).json()["results"]]


def test_a_shot_is_made_read_changed_and_removed(artist_api: Any, director_api: Any) -> None:
    character = artist_api.post(f"{BASE}characters/", {"name": "민수"}, format="json").json()["id"]
    scene = artist_api.post(f"{BASE}scenes/", {"heading": "S#1. 거실 - 밤"}, format="json").json()
    body = {"description": "창가", "size": "CU", "characters": [character], "scene": scene["id"], "duration_frames": 36}
    made = artist_api.post(LIST, body, format="json")
    assert made.status_code == 201, made.json()
    shot = made.json()
    assert {**shot, **body} == shot
    assert shot["scene_code"] == scene["code"]
    assert (shot["status"], shot["locked"], shot["thumbnail"]) == ("draft", False, None)
    url = f"/api/v1/shots/{shot['id']}/"
    change = {"movement": "push_in", "characters": [], "revision": shot["revision"]}
    changed = artist_api.patch(url, change, format="json")
    assert changed.json()["movement"] == "push_in"
    assert changed.json()["characters"] == []
    assert artist_api.delete(url).status_code == 403
    assert director_api.delete(url).status_code == 204
    assert artist_api.get(url).status_code == 404
    assert director_api.post(f"{BASE}undo/").status_code == 200
    assert artist_api.get(url).status_code == 200


def test_a_new_shot_goes_after_another(artist_api: Any, shots: list[Shot]) -> None:
    made = artist_api.post(LIST, {"after": shots[0].pk}, format="json").json()
    assert order_of(artist_api) == [shots[0].pk, made["id"], shots[1].pk, shots[2].pk]
    assert shots[0].code < made["code"] < shots[1].code


def test_a_stale_cell_is_409_with_both_values(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    url = f"/api/v1/shots/{shots[0].pk}/"
    seen = artist_api.get(url).json()["revision"]
    assert artist_api.patch(url, {"description": "A", "revision": seen}, format="json").status_code == 200
    stale = director_api.patch(url, {"description": "B", "revision": seen}, format="json")
    assert stale.status_code == 409
    assert stale.json()["details"]["current"] == {"description": "A"}
    assert director_api.patch(url, {"action": "C", "revision": seen}, format="json").status_code == 200


def test_wrong_values_are_named_and_nothing_is_saved(artist_api: Any, shots: list[Shot]) -> None:
    url = f"/api/v1/shots/{shots[0].pk}/"
    cases: dict[str, Any] = {
        "size": "HUGE",
        "duration_frames": 0,
        "seed": "many",
        "description": {"a": 1},
        "scene": 99999,
        "characters": "민수",
        "code": "X",
        "status": "final",
        "locked": True,
        "actor": 1,
        "environment": "²",
        "handles": 1.5,
    }
    before = artist_api.get(url).json()
    for name, value in cases.items():
        for answer in (
            artist_api.patch(url, {name: value}, format="json"),
            artist_api.post(LIST, {name: value}, format="json"),
        ):
            assert answer.status_code == 422, (name, answer.json())
            assert name in answer.json()["fields"], (name, answer.json())
    assert artist_api.get(url).json() == before
    assert len(order_of(artist_api)) == 3


def test_a_batch_is_one_undo_step(artist_api: Any, shots: list[Shot]) -> None:
    items = [{"id": s.pk, "revision": s.revision, "fields": {"size": "CU", "emotion": "슬픔"}} for s in shots]
    answer = artist_api.post(f"{LIST}batch/", {"items": items}, format="json")
    assert answer.status_code == 200, answer.json()
    assert [row["size"] for row in answer.json()["results"]] == ["CU"] * 3
    assert artist_api.post(f"{BASE}undo/").json()["rows"] == 3
    assert {row["size"] for row in artist_api.get(LIST).json()["results"]} == {"MS"}


def test_errors_of_a_batch_are_all_or_nothing_and_by_row(artist_api: Any, shots: list[Shot]) -> None:
    items = [
        {"id": shots[0].pk, "fields": {"size": "CU"}},
        {"id": shots[1].pk, "fields": {"size": "HUGE"}},
        {"id": 99999, "fields": {"size": "CU"}},
    ]
    answer = artist_api.post(f"{LIST}batch/", {"items": items}, format="json")
    assert answer.status_code == 422
    assert set(answer.json()["fields"]) == {"1", "2"}
    typed = artist_api.post(f"{LIST}batch/", {"items": [{"id": shots[0].pk, "fields": {"seed": []}}, 3]}, format="json")
    assert set(typed.json()["fields"]) == {"0", "1"}
    assert {row["size"] for row in artist_api.get(LIST).json()["results"]} == {"MS"}


def test_conflicts_of_a_batch_fail_by_row_or_are_skipped(artist_api: Any, shots: list[Shot]) -> None:
    stale = shots[0].revision
    artist_api.patch(f"/api/v1/shots/{shots[0].pk}/", {"size": "WS"}, format="json")
    items = [
        {"id": shots[0].pk, "revision": stale, "fields": {"size": "CU"}},
        {"id": shots[1].pk, "revision": shots[1].revision, "fields": {"size": "CU"}},
    ]
    refused = artist_api.post(f"{LIST}batch/", {"items": items}, format="json")
    assert refused.status_code == 409
    assert [row["id"] for row in refused.json()["details"]["conflicts"]] == [shots[0].pk]
    skipped = artist_api.post(f"{LIST}batch/", {"items": items, "on_conflict": "skip"}, format="json")
    assert skipped.status_code == 200
    assert [row["id"] for row in skipped.json()["conflicts"]] == [shots[0].pk]
    assert [row["size"] for row in artist_api.get(LIST).json()["results"]] == ["WS", "CU", "MS"]


def test_a_batch_makes_and_removes_shots(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    body = {"create": [{"description": "새 샷"}, {"size": "WS"}], "delete": [shots[0].pk]}
    assert artist_api.post(f"{LIST}batch/", body, format="json").status_code == 403
    done = director_api.post(f"{LIST}batch/", body, format="json")
    assert done.status_code == 200, done.json()
    assert done.json()["deleted"] == [shots[0].pk]
    assert len(done.json()["created"]) == 2
    assert len(order_of(director_api)) == 4
    half = {"create": [{"description": "x"}], "delete": [99999]}
    assert director_api.post(f"{LIST}batch/", half, format="json").status_code in (404, 422)
    assert len(order_of(director_api)) == 4


def test_a_batch_takes_ten_thousand_rows_and_no_more(artist_api: Any, shots: list[Shot]) -> None:
    items = [{"id": shots[0].pk, "fields": {}}] * 10_001
    assert artist_api.post(f"{LIST}batch/", {"items": items}, format="json").status_code == 422
    assert artist_api.post(f"{LIST}batch/", {"items": items[:10_000]}, format="json").status_code == 200
    assert artist_api.post(f"{LIST}batch/", {"items": []}, format="json").status_code == 422


def test_reorder_moves_and_is_undone(artist_api: Any, shots: list[Shot]) -> None:
    a, b, c = (shot.pk for shot in shots)
    answer = artist_api.post(f"{LIST}reorder/", {"ids": [c], "before": a}, format="json")
    assert answer.json()["order"] == [c, a, b]
    artist_api.post(f"{BASE}undo/")
    assert order_of(artist_api) == [a, b, c]
    assert artist_api.post(f"{LIST}reorder/", {"ids": [99999]}, format="json").status_code == 404
    assert artist_api.post(f"{LIST}reorder/", {"ids": "all"}, format="json").status_code == 422


def test_steps_move_by_the_table_and_approval_is_a_directors(
    artist_api: Any, director_api: Any, shots: list[Shot]
) -> None:
    url = f"/api/v1/shots/{shots[0].pk}/transition/"
    assert artist_api.post(url, {"step": "first_image", "to": "ready"}, format="json").json()["status"] == "ready"
    assert artist_api.post(url, {"step": "first_image", "to": "final"}, format="json").status_code == 403
    refused = director_api.post(url, {"step": "first_image", "to": "final"}, format="json")
    assert refused.status_code == 409
    assert refused.json()["details"]["allowed"]
    assert artist_api.post(url, {"to": "cooking"}, format="json").status_code == 422
    assert artist_api.post(url, {"step": "cooking", "to": "ready"}, format="json").status_code in (404, 422)


def test_confirm_locks_and_unlock_needs_a_reason(
    artist_api: Any, director_api: Any, shots: list[Shot], project: Any
) -> None:
    assert artist_api.post(f"{BASE}confirm/", {}, format="json").status_code == 403
    done = director_api.post(f"{BASE}confirm/", {"shots": [shots[0].pk]}, format="json")
    assert done.status_code == 200
    assert done.json()["locked"] == [shots[0].code]
    assert (project.root / "project_config.json").is_file()
    url = f"/api/v1/shots/{shots[0].pk}/"
    locked = director_api.delete(url)
    assert locked.status_code == 409
    assert locked.json()["type"] == "locked"
    assert director_api.post(f"{url}unlock/", {}, format="json").status_code == 422
    assert director_api.post(f"{url}unlock/", {"reason": "다시 나눈다"}, format="json").json()["locked"] is False
    assert director_api.delete(url).status_code == 204


def test_scenes_of_a_project(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    scene = artist_api.post(f"{BASE}scenes/", {"heading": "골목"}, format="json").json()
    url = f"{BASE}scenes/{scene['id']}/"
    changed = artist_api.patch(url, {"synopsis": "밤", "revision": scene["revision"]}, format="json")
    assert changed.json()["synopsis"] == "밤"
    assert artist_api.patch(url, {"code": "X"}, format="json").status_code == 422
    assert artist_api.patch(url, {"environment": 99999}, format="json").status_code == 422
    artist_api.patch(f"/api/v1/shots/{shots[0].pk}/", {"scene": scene["id"]}, format="json")
    assert director_api.delete(url).status_code == 204
    assert artist_api.get(f"/api/v1/shots/{shots[0].pk}/").json()["scene"] is None
    assert director_api.post(f"{BASE}undo/").status_code == 200
    assert artist_api.get(f"/api/v1/shots/{shots[0].pk}/").json()["scene"] == scene["id"]
