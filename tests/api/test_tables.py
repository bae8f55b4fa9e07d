"""Grids over REST: streamed rows, deltas, texts as people write them, own columns, views."""

import gzip
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.services import undo
from aipipeline.tables.registry import sheet_of, table_of
from assets.models import Character
from shots.models import Casting, Shot
from shots.services import editing

pytestmark = pytest.mark.both_databases
BASE = "/api/v1/projects/TEST/shots/"


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, getattr(answer, "content", b"")
    data = b"".join(answer.streaming_content)
    if answer.headers.get("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    return [json.loads(line) for line in data.splitlines()]


def head_and_rows(client: Any, query: str = "") -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The head, and the rows one by one."""
    head, *parts, end = lines(client.get(f"{BASE}grid/{query}"))
    rows = [
        dict(zip(part["rows"], values, strict=True))
        for part in parts
        for values in zip(*part["rows"].values(), strict=True)
    ]
    assert end == {"type": "end", "total": len(rows)}
    assert head["total"] == len(rows)
    return head, rows


def test_a_grid_is_streamed_with_everything_that_it_shows(artist_api: Any, project: Any, shots: list[Shot]) -> None:
    person = Character.objects.create(project=project, name="하린", color="#aabbcc")
    editing.update_shots(
        project=project, actor=None, items=[{"id": shots[1].pk, "fields": {"characters": [person.pk], "size": "CU"}}]
    )
    answer = artist_api.get(f"{BASE}grid/", HTTP_ACCEPT_ENCODING="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    head = lines(answer)[0]
    assert head["fps"] == project.fps
    assert "shots.edit" in head["may"]
    assert {"id": person.pk, "label": "하린", "hint": "", "color": "#aabbcc"} in head["options"]["characters"]
    assert head["moves"]["ready"] == ["draft", "generating", "review"]
    assert "approved" not in head["moves"]["review"], "approving is a director's"
    rows = head_and_rows(artist_api)[1]
    assert [row["code"] for row in rows] == ["SHT_0010", "SHT_0020", "SHT_0030"]
    assert rows[1]["characters"] == [person.pk]
    assert (rows[1]["size"], rows[1]["duration_frames"], rows[1]["locked"]) == ("CU", 48, False)
    assert [column["name"] for column in head["columns"]] == [column.name for column in table_of("shots").columns]
    assert set(rows[0]) >= {column["name"] for column in head["columns"]} | {"id", "revision", "position", "job"}


def test_columns_are_declared_once_for_grid_sheets_filters_and_api(director_api: Any, artist_api: Any) -> None:
    for label, kind in (("메모", "text"), ("점수", "number"), ("검수", "tick"), ("납품일", "date"), ("링크", "link")):
        assert director_api.post(f"{BASE}columns/", {"label": label, "type": kind}, format="json").status_code == 201
    for key in ("shots", "characters", "environments", "presets"):
        table = table_of(key)
        head = lines(artist_api.get(f"/api/v1/projects/TEST/{key}/grid/"))[0]
        names = [column["name"] for column in head["columns"]]
        listed = artist_api.get(f"/api/v1/projects/TEST/{key}/columns/").json()["results"]
        assert [column["name"] for column in listed] == names
        assert names[: len(table.columns)] == [column.name for column in table.columns]
        for sheet in table.sheets:
            assert sheet_of(sheet.kind)[0] is table
            assert set(sheet.columns) <= set(names), sheet.kind
        for column in head["columns"]:
            node = {"or": [{"field": column["name"], "op": op, "value": None} for op in column["ops"]]}
            answer = artist_api.get(f"/api/v1/projects/TEST/{key}/grid/", {"filter": json.dumps(node)})
            assert answer.status_code == 200, column["name"]
            list(answer.streaming_content)
            assert column["ops"], column["name"]
            assert not column["options"] or column["options"] in head["options"], column["name"]
            if column["editable"] and not column["required"]:
                body = {"create": [{"texts": {column["name"]: ""}}]} if column["nullable"] else {"items": []}
                refused = artist_api.post(f"/api/v1/projects/TEST/{key}/batch/", body, format="json")
                assert "unknown or read-only" not in refused.content.decode(), column["name"]


def test_texts_are_read_as_people_write_them(artist_api: Any, project: Any, shots: list[Shot]) -> None:
    for name in ("하린", "민수"):
        Character.objects.create(project=project, name=name)
    texts = {
        "duration_frames": "4s",
        "size": "close-up",
        "characters": "민수, 하린",
        "description": "비\r\n온다",
        "seed": "1,024",
    }
    answer = artist_api.post(
        f"{BASE}batch/", {"items": [{"id": shots[0].pk, "texts": texts}], "since": 0}, format="json"
    )
    assert answer.status_code == 200, answer.content
    row = Shot.objects.get(pk=shots[0].pk)
    assert (row.duration_frames, row.size, row.description, row.seed) == (96, "CU", "비\n온다", 1024)
    cast = Casting.objects.live().filter(shot=row).order_by("order").values_list("character__name", flat=True)
    assert list(cast) == ["민수", "하린"]
    bad = {"duration_frames": "long", "size": "huge", "characters": "철수", "code": "X"}
    answer = artist_api.post(f"{BASE}batch/", {"items": [{"id": row.pk, "texts": bad}]}, format="json")
    assert answer.status_code == 422
    assert set(answer.json()["fields"]["0"]) == set(bad)
    assert "Close-up" in answer.json()["fields"]["0"]["size"][0]


def test_changes_tell_whole_rows_what_went_and_new_lists(
    artist_api: Any, director_api: Any, project: Any, team: Any, shots: list[Shot]
) -> None:
    seq = head_and_rows(artist_api)[0]["seq"]

    def changes() -> dict[str, Any]:
        nonlocal seq
        answer: dict[str, Any] = artist_api.get(f"{BASE}changes/?since={seq}").json()
        assert answer["reset"] is False
        seq = answer["seq"]
        return answer

    assert changes()["rows"] == {}
    editing.update_shots(project=project, actor=None, items=[{"id": shots[0].pk, "fields": {"action": "뛴다"}}])
    told = changes()
    assert (told["rows"]["id"], told["rows"]["action"], told["options"]) == ([shots[0].pk], ["뛴다"], None)
    editing.remove_shots(project=project, actor=team["director"], ids=[shots[2].pk])
    assert changes()["removed"] == [shots[2].pk]
    undo(project=project, actor=team["director"])
    assert changes()["rows"]["id"] == [shots[2].pk]
    artist_api.post("/api/v1/projects/TEST/characters/", {"name": "새 인물"}, format="json")
    assert "새 인물" in [option["label"] for option in changes()["options"]["characters"]]
    director_api.post(f"{BASE}columns/", {"label": "메모", "type": "text"}, format="json")
    assert changes()["columns"][-1]["label"] == "메모"
    assert artist_api.get(f"{BASE}changes/?since=999999").json()["reset"] is True
    assert artist_api.get(f"{BASE}changes/").status_code == 422


def test_own_columns_behave_like_built_in_ones(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    made = artist_api.post(
        f"{BASE}columns/",
        {"label": "난이도", "type": "choice", "choices": [{"label": "쉬움"}, {"label": "어려움", "color": "#ff8800"}]},
        format="json",
    ).json()
    name, hard = made["name"], made["choices"][1]["id"]
    pk = shots[0].pk
    seen = shots[0].revision
    answer = artist_api.post(f"{BASE}batch/", {"items": [{"id": pk, "texts": {name: "어려움"}}]}, format="json")
    assert answer.status_code == 200, answer.content
    assert head_and_rows(artist_api)[1][0][name] == hard
    stale = {"items": [{"id": pk, "revision": seen, "fields": {name: made["choices"][0]["id"]}}]}
    refused = artist_api.post(f"{BASE}batch/", stale, format="json")
    assert refused.status_code == 409
    assert refused.json()["details"]["current"] == {name: hard}
    for wrong in ("x", 7, [hard]):
        body = {"items": [{"id": pk, "fields": {name: wrong}}]}
        assert artist_api.post(f"{BASE}batch/", body, format="json").status_code == 422
    only_hard = json.dumps({"field": name, "op": "is", "value": hard})
    assert [row["id"] for row in head_and_rows(artist_api, f"?filter={only_hard}")[1]] == [pk]
    assert artist_api.post("/api/v1/projects/TEST/undo/").status_code == 200
    assert head_and_rows(artist_api)[1][0][name] is None
    renamed = artist_api.patch(f"{BASE}columns/{name}/", {"label": "난도"}, format="json").json()
    assert renamed["label"] == "난도"
    assert artist_api.delete(f"{BASE}columns/{name}/").status_code == 403
    assert director_api.delete(f"{BASE}columns/{name}/").status_code == 204
    assert director_api.patch(f"{BASE}columns/size/", {"label": "크기"}, format="json").json()["own_label"] == "크기"
    again = artist_api.post(f"{BASE}columns/", {"label": "새것", "type": "text"}, format="json").json()
    assert again["name"] != name, "keys are never used twice"


def test_rows_are_made_where_they_belong(artist_api: Any, shots: list[Shot]) -> None:
    create = [
        {"texts": {"description": "앞"}, "before": shots[1].pk},
        {"fields": {"description": "끝"}},
        {"before": shots[1].pk},
    ]
    answer = artist_api.post(f"{BASE}batch/", {"create": create}, format="json")
    assert answer.status_code == 200, answer.content
    rows = head_and_rows(artist_api)[1]
    assert [row["description"] for row in rows] == ["장면 0", "앞", "", "장면 1", "장면 2", "끝"]
    assert "SHT_0010" < rows[1]["code"] < rows[2]["code"] < "SHT_0020"
    artist_api.post("/api/v1/projects/TEST/undo/")
    assert len(head_and_rows(artist_api)[1]) == 3


def test_many_shots_move_together_or_not_at_all(artist_api: Any, director_api: Any, shots: list[Shot]) -> None:
    ids = [shot.pk for shot in shots]
    url = f"{BASE}transition/"
    assert artist_api.post(url, {"ids": ids[:2], "to": "ready"}, format="json").json() == {"moved": ids[:2]}
    refused = artist_api.post(url, {"ids": ids, "to": "review"}, format="json")
    assert refused.status_code == 409
    assert list(refused.json()["details"]["refused"]) == [str(ids[2])]
    assert set(Shot.objects.values_list("status", flat=True)) == {"ready", "draft"}
    artist_api.post(url, {"ids": ids[:2], "to": "review"}, format="json")
    assert artist_api.post(url, {"ids": ids[:2], "to": "approved"}, format="json").status_code == 403
    assert (
        director_api.post(url, {"ids": ids[:2], "to": "ready", "reason": "더 어둡게"}, format="json").status_code == 200
    )
    assert Shot.objects.get(pk=ids[0]).steps.get(step="first_image").reason == "더 어둡게"
    body = {"items": [{"id": ids[0], "texts": {"status": "In review"}}]}
    assert artist_api.post(f"{BASE}batch/", body, format="json").status_code == 200
    assert Shot.objects.get(pk=ids[0]).status == "review"


def test_planning_cells_are_the_present_steps(artist_api: Any, team: Any, shots: list[Shot]) -> None:
    fields = {"assignee": team["artist"].pk, "due_date": "2030-05-06"}
    seen = shots[0].revision
    answer = artist_api.post(f"{BASE}batch/", {"items": [{"id": shots[0].pk, "fields": fields}]}, format="json")
    assert answer.status_code == 200, answer.content
    row = head_and_rows(artist_api)[1][0]
    assert (row["assignee"], row["due_date"]) == (team["artist"].pk, "2030-05-06")
    stale = {"items": [{"id": shots[0].pk, "revision": seen, "fields": {"due_date": "2031-01-01"}}]}
    assert artist_api.post(f"{BASE}batch/", stale, format="json").status_code == 409
    stranger = {"items": [{"id": shots[0].pk, "fields": {"assignee": team["stranger"].pk}}]}
    assert artist_api.post(f"{BASE}batch/", stranger, format="json").status_code == 422
    artist_api.post("/api/v1/projects/TEST/undo/")
    assert head_and_rows(artist_api)[1][0]["assignee"] is None


def test_views_are_kept_shared_and_ones_own(caller: Any, shots: list[Shot]) -> None:
    artist, director, guest = caller("artist"), caller("director"), caller("guest")
    config = {"filter": {"field": "size", "op": "is", "value": "CU"}, "sort": [["code", "desc"]], "row": "m"}
    made = artist.post(f"{BASE}views/", {"name": "클로즈업", "config": config}, format="json").json()
    url = f"{BASE}views/{made['id']}/"
    assert director.get(url).status_code == 404, "a personal view is its owner's"
    assert artist.patch(url, {"shared": True}, format="json").status_code == 200
    assert director.get(url).json()["config"] == config
    assert guest.post(f"{BASE}views/", {"name": "x", "shared": True, "config": {}}, format="json").status_code == 403
    assert artist.patch(url, {"default": True}, format="json").status_code == 403
    assert director.patch(url, {"default": True}, format="json").status_code == 200
    assert lines(guest.get(f"{BASE}grid/"))[0]["view"] == {"id": made["id"], "config": config}
    kept = guest.put(f"{BASE}view/", {"id": None, "config": {"row": "l"}}, format="json").json()
    assert kept == {"id": None, "config": {"row": "l"}}
    editing.update_shots(
        project=shots[0].project, actor=None, items=[{"id": s.pk, "fields": {"size": "CU"}} for s in shots[:2]]
    )
    assert [row["code"] for row in head_and_rows(guest, f"?view={made['id']}")[1]] == ["SHT_0020", "SHT_0010"]
    for wrong in (
        {"filter": {"field": "x", "op": "is"}},
        {"sort": [["size", "up"]]},
        {"row": "xl"},
        {"a": 1},
        {"frozen": -1},
    ):
        assert artist.post(f"{BASE}views/", {"name": "y", "config": wrong}, format="json").status_code == 422, wrong
    assert artist.delete(url).status_code == 204
    assert lines(director.get(f"{BASE}grid/"))[0]["views"] == []


@pytest.mark.parametrize("key", ["characters", "environments", "presets"])
def test_assets_are_edited_as_grids(artist_api: Any, key: str, project: Any) -> None:
    url = f"/api/v1/projects/TEST/{key}/batch/"
    made = artist_api.post(url, {"create": [{"texts": {"name": "가"}}, {"texts": {"name": "나"}}]}, format="json")
    assert made.status_code == 200, made.content
    first, second = made.json()["created"]
    body = {
        "items": [
            {"id": first, "revision": 1, "texts": {"description": "설명"}},
            {"id": second, "fields": {"name": "다"}},
        ]
    }
    assert artist_api.post(url, body, format="json").status_code == 200
    stale = {"items": [{"id": first, "revision": 1, "fields": {"description": "다른 설명"}}]}
    assert artist_api.post(url, stale, format="json").status_code == 409
    taken = {"items": [{"id": second, "fields": {"name": "가"}}]}
    assert artist_api.post(url, taken, format="json").status_code == 409
    assert artist_api.post(url, {"create": [{"texts": {"name": " "}}]}, format="json").status_code == 422
    rows = lines(artist_api.get(f"/api/v1/projects/TEST/{key}/grid/"))[1]["rows"]
    assert (rows["name"], rows["description"]) == (["가", "다"], ["설명", ""])
    for _n in range(2):
        artist_api.post("/api/v1/projects/TEST/undo/")
    assert lines(artist_api.get(f"/api/v1/projects/TEST/{key}/grid/"))[0]["total"] == 0


def test_a_wardrobe_is_lines_of_text(artist_api: Any, project: Any) -> None:
    person = Character.objects.create(project=project, name="하린")
    body = {"items": [{"id": person.pk, "texts": {"outfits": "코트: 빨간, 젖은\n교복"}}]}
    assert artist_api.post("/api/v1/projects/TEST/characters/batch/", body, format="json").status_code == 200
    person.refresh_from_db()
    assert person.outfits == [{"name": "코트", "description": "빨간, 젖은"}, {"name": "교복", "description": ""}]


def test_a_batch_of_cells_asks_as_often_for_many_rows(project: Any, team: Any, artist_api: Any) -> None:
    def queries(count: int) -> int:
        rows = [{"fields": {"description": f"{n}"}} for n in range(count)]
        made = artist_api.post(f"{BASE}batch/", {"create": rows}, format="json").json()["created"]
        texts = {"size": "CU", "due_date": "2030-01-01", "status": "Ready", "description": "새"}
        items = [{"id": pk, "revision": 1, "texts": texts} for pk in made]
        with CaptureQueriesContext(connection) as captured:
            answer = artist_api.post(f"{BASE}batch/", {"items": items, "since": 0}, format="json")
        assert answer.status_code == 200, answer.content
        return len(captured)

    few, many = queries(3), queries(40)
    assert many - few <= (0 if connection.vendor == "postgresql" else 6)
