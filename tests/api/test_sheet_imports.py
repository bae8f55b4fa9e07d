"""Sheets over REST: pasted tables, mapping, decisions, views, and who may do what."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from aipipeline.tables.tests.sheets import edited, exported
from shots.models import Shot

pytestmark = pytest.mark.both_databases
BASE = "/api/v1/projects/TEST/"


def uploaded(api: Any, data: bytes, name: str = "s.xlsx") -> Any:
    file = SimpleUploadedFile(name, data)
    answer = api.post(f"{BASE}sheet-imports/", {"file": file, "kind": "shots"}, format="multipart")
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_a_pasted_table_is_mapped_decided_and_applied(artist_api: Any, shots: list[Shot]) -> None:
    pasted = "순번\t무엇\t길이\n#01\t붙인 것\t7s\n#02\t둘째\t2s\n"
    made = artist_api.post(f"{BASE}sheet-imports/", {"text": pasted, "kind": "shots"}, format="json")
    assert made.status_code == 201, made.json()
    found = made.json()
    assert (found["state"], found["headers"]) == ("mapping", ["순번", "무엇", "길이"])
    assert found["sample"][0] == ["#01", "붙인 것", "7s"]
    assert found["mapping"]["columns"] == {"2": "duration_frames"}
    url = f"/api/v1/sheet-imports/{found['id']}/"
    assert artist_api.post(f"{url}apply/", {"accept": "all"}, format="json").status_code == 409
    for wrong in ({"0": []}, {"²": "action"}, {"9" * 5000: "action"}, [], None, {"0": "id2"}):
        body = {"header": 1, "first": 2, "columns": wrong}
        assert artist_api.put(f"{url}mapping/", body, format="json").status_code == 422, wrong
    body = {"header": 1, "first": 2, "columns": {"1": "description", "2": "duration_frames"}, "save_as": "외주"}
    mapped = artist_api.put(f"{url}mapping/", body, format="json").json()
    assert (mapped["state"], mapped["counts"]["added"]) == ("ready", 2)
    say = {"words": [{"scope": "row", "key": "3", "accept": False}]}
    assert artist_api.post(f"{url}decisions/", say, format="json").json()["apply"] == {"cells": 0, "rows": 1, "open": 0}
    for wrong in ({"words": []}, {"words": [1]}, {"words": [{"scope": []}]}, {"words": "x"}, {"more": 1}):
        assert artist_api.post(f"{url}decisions/", wrong, format="json").status_code == 422, wrong
    done = artist_api.post(f"{url}apply/", {}, format="json")
    assert done.json()["state"] == "applied", done.json()
    made_shots = Shot.objects.live().exclude(pk__in=[shot.pk for shot in shots])
    assert list(made_shots.values_list("description", "duration_frames")) == [("붙인 것", 168)]


def test_a_missing_row_is_removed_only_by_who_may(
    artist_api: Any, director_api: Any, project: Any, shots: list[Shot]
) -> None:
    data = edited(exported(project), lambda sheet, column: sheet.delete_rows(2))
    found = uploaded(artist_api, data)
    assert [(row["id"], row["state"]) for row in found["rows"]] == [(f"r{shots[0].pk}", "removed")]
    url = f"/api/v1/sheet-imports/{found['id']}/apply/"
    assert artist_api.post(url, {"accept": "all"}, format="json").status_code == 403
    assert Shot.objects.live().count() == len(shots)
    assert director_api.post(url, {"accept": [f"r{shots[0].pk}"]}, format="json").status_code == 200
    assert Shot.objects.live().count() == len(shots) - 1


def test_an_import_is_nobody_elses_and_can_be_forgotten(
    artist_api: Any, caller: Any, project: Any, shots: list[Shot]
) -> None:
    found = uploaded(artist_api, exported(project))
    url = f"/api/v1/sheet-imports/{found['id']}/"
    assert caller("guest").get(url).status_code == 403
    assert caller("guest").post(f"{BASE}sheet-imports/", {"text": "a"}, format="json").status_code == 403
    assert artist_api.delete(url).status_code == 204
    assert artist_api.get(url).status_code == 404


def test_what_a_sheet_may_be_of(artist_api: Any, shots: list[Shot]) -> None:
    node = f'{{"field":"code","op":"is","value":"{shots[1].code}"}}'
    answer = artist_api.get(f"{BASE}sheets/shots.csv", {"filter": node, "columns": "description"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "id,code,description,_base"
    assert len(lines) == 2
    for query in ({"filter": "{"}, {"columns": "planet"}, {"headers": "x"}, {"sort": '[["planet","asc"]]'}):
        assert artist_api.get(f"{BASE}sheets/shots.csv", query).status_code == 422, query
    assert artist_api.get(f"{BASE}sheets/shots.csv", {"view": "999999"}).status_code == 404
    labels = artist_api.get(f"{BASE}sheets/shots.csv", {"headers": "labels"}).content.decode("utf-8-sig")
    assert labels.startswith("id,")
    assert "description" not in labels.splitlines()[0]
