"""Characters, environments, presets and LoRAs over REST; undo and redo."""

from typing import Any

import pytest

from assets.models import Character, LoRA

BASE = "/api/v1/projects/TEST/"


@pytest.mark.parametrize("kind", ["characters", "environments", "presets", "loras"])
def test_made_read_changed_removed(artist_api: Any, kind: str) -> None:
    body = {"name": "이름"} | ({"path": "a.safetensors"} if kind == "loras" else {})
    made = artist_api.post(f"{BASE}{kind}/", body, format="json")
    assert made.status_code == 201, made.json()
    url = f"{BASE}{kind}/{made.json()['id']}/"
    assert artist_api.get(url).json()["name"] == "이름"
    changed = artist_api.patch(url, {"name": "새 이름", "revision": made.json()["revision"]}, format="json")
    assert changed.json()["name"] == "새 이름"
    assert [row["name"] for row in artist_api.get(f"{BASE}{kind}/").json()["results"]] == ["새 이름"]
    assert artist_api.delete(url).status_code == 204
    assert artist_api.get(url).status_code == 404
    assert artist_api.patch(url, {"name": "x"}, format="json").status_code == 404


def test_a_stale_field_is_a_conflict_and_another_merges(artist_api: Any, director_api: Any) -> None:
    made = artist_api.post(f"{BASE}characters/", {"name": "민수", "age": "20"}, format="json").json()
    url = f"{BASE}characters/{made['id']}/"
    assert artist_api.patch(url, {"age": "30", "revision": made["revision"]}, format="json").status_code == 200
    stale = director_api.patch(url, {"age": "40", "revision": made["revision"]}, format="json")
    assert stale.status_code == 409
    assert stale.json()["details"]["current"] == {"age": "30"}
    merged = director_api.patch(url, {"role": "주인공", "revision": made["revision"]}, format="json")
    assert merged.status_code == 200
    assert merged.json()["age"] == "30"


def test_wrong_values_are_named(artist_api: Any, project: Any) -> None:
    cases: dict[str, Any] = {
        "color": "red",
        "name": "",
        "use_lora": "maybe",
        "lora": 99999,
        "lora_strength": 9,
        "outfits": "coat",
        "description": ["a"],
        "nonsense": 1,
        "project": 1,
    }
    for name, value in cases.items():
        answer = artist_api.post(f"{BASE}characters/", {"name": "민수", name: value}, format="json")
        assert answer.status_code == 422, (name, answer.json())
        assert name in answer.json()["fields"]
    assert artist_api.post(f"{BASE}characters/", {}, format="json").status_code == 422
    assert not Character.objects.exists()


def test_a_name_is_taken_also_by_a_removed_one(artist_api: Any) -> None:
    first = artist_api.post(f"{BASE}characters/", {"name": "민수"}, format="json").json()
    assert artist_api.post(f"{BASE}characters/", {"name": "민수"}, format="json").status_code == 409
    artist_api.delete(f"{BASE}characters/{first['id']}/")
    assert artist_api.post(f"{BASE}characters/", {"name": "민수"}, format="json").status_code == 409


def test_a_lora_of_another_project_is_unknown(artist_api: Any, caller: Any) -> None:
    caller("admin").post("/api/v1/projects/", {"code": "OTHER", "title": "x"}, format="json")
    caller("admin").post("/api/v1/projects/OTHER/loras/", {"name": "l", "path": "l"}, format="json")
    body = {"name": "민수", "lora": LoRA.objects.get().pk}
    assert artist_api.post(f"{BASE}characters/", body, format="json").status_code == 422


def test_undo_and_redo_go_by_the_tab(artist_api: Any) -> None:
    one = {"HTTP_X_AIP_TAB": "one"}
    artist_api.post(f"{BASE}characters/", {"name": "하나"}, format="json", **one)
    artist_api.post(f"{BASE}characters/", {"name": "둘"}, format="json", HTTP_X_AIP_TAB="two")

    def names() -> list[str]:
        return [row["name"] for row in artist_api.get(f"{BASE}characters/").json()["results"]]

    undone = artist_api.post(f"{BASE}undo/", **one)
    assert undone.status_code == 200
    assert undone.json()["kind"] == "character.create"
    assert names() == ["둘"]
    assert artist_api.post(f"{BASE}redo/", **one).status_code == 200
    assert names() == ["하나", "둘"]
    assert artist_api.post(f"{BASE}undo/").status_code == 200  # no tab: the caller's newest
    assert names() == ["하나"]
    nothing = artist_api.post(f"{BASE}undo/", HTTP_X_AIP_TAB="three")
    assert nothing.status_code == 409
