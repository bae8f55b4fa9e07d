"""The cut over REST: whose change is stale, and whose merges."""

from typing import Any

import pytest

from shots.models import Shot

pytestmark = pytest.mark.both_databases
URL = "/api/v1/projects/TEST/edit/"


def length(shot: Shot, frames: int) -> dict[str, Any]:
    return {"op": "length", "shot": shot.pk, "duration_frames": frames}


def patch(api: Any, revision: int | None, *ops: dict[str, Any]) -> Any:
    return api.patch(URL, {"revision": revision, "ops": list(ops)}, format="json")


def test_the_same_length_changed_twice_is_a_conflict_with_both_values(
    artist_api: Any, director_api: Any, shots: list[Shot]
) -> None:
    seen = artist_api.get(URL).json()["revision"]
    assert patch(artist_api, seen, length(shots[0], 24)).status_code == 200
    stale = patch(director_api, seen, length(shots[1], 10), length(shots[0], 36))
    assert stale.status_code == 409
    assert stale.json()["details"]["current"] == {"duration_frames": 24}
    assert stale.json()["details"]["yours"] == {"duration_frames": 36}
    assert stale.json()["details"]["id"] == shots[0].pk
    assert [clip["duration_frames"] for clip in artist_api.get(URL).json()["clips"]] == [24, 48, 48]
    fresh = artist_api.get(URL).json()["revision"]
    assert patch(director_api, fresh, length(shots[0], 36)).status_code == 200


def test_changes_of_other_things_merge(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    seen = artist_api.get(URL).json()["revision"]
    assert patch(artist_api, seen, length(shots[0], 24)).status_code == 200
    marker = {"op": "marker", "frame": 3, "name": "음악"}
    moved = {"op": "move", "shot": shots[0].pk, "before": None}
    merged = patch(director_api, seen, length(shots[1], 12), moved, marker, length(shots[0], 24))
    assert merged.status_code == 200, merged.json()
    assert [clip["duration_frames"] for clip in merged.json()["clips"]] == [12, 48, 24]
    again = patch(artist_api, seen, {"op": "move", "shot": shots[0].pk, "before": shots[1].pk})
    assert again.status_code == 409
    assert "position" in again.json()["details"]["current"]


def test_a_length_changed_in_the_shot_list_counts_and_so_does_undo(
    artist_api: Any, director_api: Any, shots: list[Shot]
) -> None:
    seen = director_api.get(URL).json()["revision"]
    artist_api.patch(f"/api/v1/shots/{shots[0].pk}/", {"duration_frames": 20, "size": "CU"}, format="json")
    artist_api.patch(f"/api/v1/shots/{shots[1].pk}/", {"description": "x"}, format="json")
    assert patch(director_api, seen, length(shots[0], 30)).status_code == 409
    assert patch(director_api, seen, length(shots[1], 30)).status_code == 200
    seen = director_api.get(URL).json()["revision"]
    assert artist_api.post("/api/v1/projects/TEST/undo/", {}, format="json").status_code == 200  # the description
    assert artist_api.post("/api/v1/projects/TEST/undo/", {}, format="json").status_code == 200  # the length
    assert patch(director_api, seen, length(shots[0], 30)).status_code == 409


def test_without_a_revision_the_last_one_wins(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    assert patch(artist_api, None, length(shots[0], 24)).status_code == 200
    assert patch(director_api, None, length(shots[0], 36)).status_code == 200


def test_old_notes_are_forgotten_and_then_an_old_page_is_stale(
    artist_api: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    from timeline.models import Edit
    from timeline.services import edits

    monkeypatch.setattr(edits, "MOST_NOTES", 4)
    seen = artist_api.get(URL).json()["revision"]
    for frames in range(10, 20):
        for shot in shots:
            assert patch(artist_api, None, length(shot, frames), {"op": "move", "shot": shot.pk}).status_code == 200
    assert len(Edit.objects.get().field_revisions) <= 6
    assert patch(artist_api, seen, length(shots[0], 99)).status_code == 409
    assert patch(artist_api, artist_api.get(URL).json()["revision"], length(shots[0], 99)).status_code == 200


def test_wrong_operations_are_named(artist_api: Any, shots: list[Shot]) -> None:
    good = {"op": "marker", "frame": 1, "name": "m", "color": "red"}
    for wrong in (
        {"frame": 2**40}, {"frame": -1}, {"frame": None}, {"name": 5}, {"name": "가" * 300}, {"color": ["red"]},
        {"comment": {}}, {"op": ["marker"]}, {"op": None},
    ):  # fmt: skip
        answer = patch(artist_api, None, {**good, **wrong})
        assert answer.status_code == 422, wrong
        assert "ops.0" in answer.json()["fields"], wrong
    assert patch(artist_api, None, good).json()["markers"][0]["color"] == "red"
