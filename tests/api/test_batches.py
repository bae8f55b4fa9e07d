"""Batches of shots and sheets: whole rows, one action, and a constant number of queries."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.models import Action
from aipipeline.history.services import Repeated, undo
from aipipeline.projects.errors import Conflict, Invalid
from assets.models import Character
from shots.models import Casting, Shot
from shots.services import editing
from shots.services.batch import apply_batch

pytestmark = pytest.mark.both_databases
BASE = "/api/v1/projects/TEST/"
BATCH = f"{BASE}shots/batch/"


@pytest.fixture
def people(project: Any) -> list[Character]:
    return [Character.objects.create(project=project, name=f"인물 {n}") for n in range(3)]


def cast_of(shot: Shot) -> list[int]:
    return list(Casting.objects.live().filter(shot=shot).values_list("character_id", flat=True))


@pytest.mark.parametrize("value", ["²", "１", "9" * 5000, True, 1.0, {"id": 1}, [[1]], -1, 2**70])
@pytest.mark.parametrize("name", ["scene", "environment", "preset", "characters"])
def test_ids_that_are_none_are_named(
    project: Any, team: Any, shots: list[Shot], people: list[Character], name: str, value: Any
) -> None:
    with pytest.raises(Invalid) as caught:
        editing.update_shots(
            project=project, actor=team["artist"], items=[{"id": shots[0].pk, "fields": {name: value}}]
        )
    assert name in caught.value.fields["0"]
    with pytest.raises(Invalid):
        editing.create_shot(project=project, actor=team["artist"], **{name: value})


def test_an_empty_seed_is_no_seed(project: Any, team: Any) -> None:
    shot = editing.create_shot(project=project, actor=team["artist"], seed="", duration_frames="36")
    shot.refresh_from_db()
    assert (shot.seed, shot.duration_frames) == (None, 36)


def test_a_conflict_in_the_cast_leaves_the_whole_row(
    project: Any, team: Any, shots: list[Shot], people: list[Character]
) -> None:
    seen = shots[0].revision
    editing.update_shots(
        project=project, actor=team["director"], items=[{"id": shots[0].pk, "fields": {"characters": [people[0].pk]}}]
    )
    items = [
        {"id": shots[0].pk, "revision": seen, "fields": {"size": "CU", "characters": [people[1].pk]}},
        {"id": shots[1].pk, "revision": shots[1].revision, "fields": {"size": "CU", "characters": [people[1].pk]}},
    ]
    with pytest.raises(Conflict):
        editing.update_shots(project=project, actor=team["artist"], items=items)
    done, conflicts = editing.update_shots(project=project, actor=team["artist"], items=items, on_conflict="skip")
    assert [shot.pk for shot in done] == [shots[1].pk]
    assert conflicts[0]["current"] == {"characters": [people[0].pk]}
    assert conflicts[0]["yours"] == {"characters": [people[1].pk]}
    shots[0].refresh_from_db()
    assert shots[0].size == "MS"
    assert cast_of(shots[0]) == [people[0].pk]
    assert cast_of(shots[1]) == [people[1].pk]


def test_an_edit_of_other_fields_merges_with_a_newer_cast(
    project: Any, team: Any, shots: list[Shot], people: list[Character]
) -> None:
    seen = shots[0].revision
    for fields, revision in (({"characters": [people[0].pk]}, None), ({"size": "CU"}, seen)):
        item = {"id": shots[0].pk, "revision": revision, "fields": fields}
        _done, conflicts = editing.update_shots(project=project, actor=team["artist"], items=[item])
        assert conflicts == []
    shots[0].refresh_from_db()
    assert (shots[0].size, cast_of(shots[0])) == ("CU", [people[0].pk])


def test_the_same_cast_again_is_no_edit(project: Any, team: Any, shots: list[Shot], people: list[Character]) -> None:
    item = {"id": shots[0].pk, "fields": {"characters": [people[1].pk, people[0].pk, people[1].pk]}}
    editing.update_shots(project=project, actor=team["artist"], items=[item])
    assert cast_of(shots[0]) == [people[1].pk, people[0].pk]
    before = Action.objects.count()
    editing.update_shots(project=project, actor=team["artist"], items=[item])
    assert Action.objects.count() == before


def test_a_batch_of_every_kind_is_one_undo_step(
    project: Any, team: Any, shots: list[Shot], people: list[Character]
) -> None:
    def state() -> list[Any]:
        rows = Shot.objects.live().filter(project=project).order_by("position")
        return [(shot.code, shot.size, cast_of(shot)) for shot in rows]

    before = state()
    apply_batch(
        project=project,
        actor=team["director"],
        items=[{"id": shots[0].pk, "fields": {"size": "CU", "characters": [people[0].pk]}}],
        create=[{"fields": {"description": "새 샷", "characters": [people[2].pk]}}, {"fields": {"size": "WS"}}],
        remove=[shots[1].pk],
    )
    assert [(size, cast) for _code, size, cast in state()] == [
        ("CU", [people[0].pk]), ("MS", []), ("MS", [people[2].pk]), ("WS", []),
    ]  # fmt: skip
    undo(project=project, actor=team["director"])
    assert state() == before


def test_errors_of_new_rows_are_by_row_and_nothing_is_made(project: Any, team: Any, shots: list[Shot]) -> None:
    with pytest.raises(Invalid) as caught:
        apply_batch(
            project=project,
            actor=team["director"],
            items=[{"id": shots[0].pk, "fields": {"size": "CU"}}],
            create=[{"fields": {"size": "WS"}}, {"fields": {"size": "HUGE"}}],
        )
    assert set(caught.value.fields) == {"create.1"}
    assert set(Shot.objects.values_list("size", flat=True)) == {"MS"}


def test_queries_of_a_batch_are_constant(project: Any, team: Any, people: list[Character]) -> None:
    def queries(count: int) -> int:
        made = apply_batch(project=project, actor=team["director"], create=[{}] * count).created
        items = [
            {"id": shot.pk, "revision": shot.revision, "fields": {"size": "CU", "characters": [p.pk for p in people]}}
            for shot in made
        ]
        create = [{"fields": {"description": "x", "characters": [people[0].pk]}}] * count
        remove = [shot.pk for shot in apply_batch(project=project, actor=team["director"], create=create).created]
        with CaptureQueriesContext(connection) as captured:
            apply_batch(project=project, actor=team["director"], items=items, create=create, remove=remove)
        return len(captured)

    # SQLite takes at most 999 parameters in a statement, so Django cuts a bulk write there into a few: forty shots of
    # thirty columns into two, their steps, castings and removals likewise.
    few, many = queries(3), queries(40)
    assert many - few <= (0 if connection.vendor == "postgresql" else 5)


def test_queries_of_a_reorder_are_constant(project: Any, team: Any) -> None:
    made = apply_batch(project=project, actor=team["director"], create=[{}] * 50).created

    def queries(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            editing.reorder_shots(project=project, actor=team["director"], ids=ids, before=made[0].pk)
        return len(captured)

    assert queries([made[1].pk]) == queries([shot.pk for shot in made[10:]])
    order = Shot.objects.filter(project=project).order_by("position").values_list("pk", flat=True)
    assert list(order)[:2] == [made[1].pk, made[10].pk]


def sheet(api: Any, change: dict[str, str]) -> str:
    """Upload the exported list with these texts changed; the import's address."""
    text = api.get(f"{BASE}sheets/shots.csv").content.decode("utf-8-sig")
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    upload = SimpleUploadedFile("shots.csv", text.encode(), "text/csv")
    made = api.post(f"{BASE}sheet-imports/", {"file": upload, "kind": "shots"}, format="multipart")
    assert made.status_code == 201, made.json()
    return f"/api/v1/sheet-imports/{made.json()['id']}/"


def test_chosen_cells_of_a_sheet_are_taken_and_the_rest_stays(artist_api: Any, shots: list[Shot]) -> None:
    url = sheet(artist_api, {"장면 0": "고친 0", "장면 1": "고친 1", ",48,": ",60,"})
    cells = {(row["code"], cell["field"]): cell for row in artist_api.get(url).json()["rows"] for cell in row["cells"]}
    assert len(cells) == 5
    one = cells[shots[0].code, "description"]
    assert {**one, "id": None} == {
        "id": None, "field": "description", "base": "장면 0", "here": "장면 0", "sheet": "고친 0", "state": "changed",
    }  # fmt: skip
    length = cells[shots[2].code, "duration_frames"]["id"]
    done = artist_api.post(f"{url}apply/", {"accept": [one["id"], length]}, format="json")
    assert done.status_code == 200, done.json()
    assert done.json()["counts"]["changed"] == 2
    rows = list(Shot.objects.order_by("position").values_list("description", "duration_frames"))
    assert rows == [("고친 0", 48), ("장면 1", 48), ("장면 2", 60)]
    assert artist_api.post(f"{BASE}undo/").json()["rows"] == 2


def test_chosen_cells_must_be_of_the_sheet(artist_api: Any, shots: list[Shot]) -> None:
    url = sheet(artist_api, {"장면 0": "고친 0", ",48,": ",0,"})
    assert artist_api.post(f"{url}apply/", {"accept": "all"}, format="json").status_code == 422
    for wrong in (["99.description"], ["2.colour"], ["²"], [2], [], {}, "some", None, ["2.description", "x"]):
        answer = artist_api.post(f"{url}apply/", {"accept": wrong}, format="json")
        assert answer.status_code == 422, wrong
        assert "accept" in answer.json()["fields"], wrong
    assert set(Shot.objects.values_list("duration_frames", flat=True)) == {48}


def test_a_sheet_of_numbers_that_are_none_is_told_by_cell(artist_api: Any, shots: list[Shot]) -> None:
    import io

    from openpyxl import Workbook

    for value in (float("inf"), float("nan"), 1e300, 2.5, -1, "²", "9" * 5000):
        book = Workbook()
        book.active.append(["code", "seed", "duration_frames"])
        book.active.append([shots[0].code, value, value])
        out = io.BytesIO()
        book.save(out)
        upload = SimpleUploadedFile("s.xlsx", out.getvalue())
        made = artist_api.post(f"{BASE}sheet-imports/", {"file": upload, "kind": "shots"}, format="multipart")
        assert made.status_code in (201, 422), (value, made.content)
        if made.status_code == 201 and made.json()["errors"]:
            assert {e["row"] for e in made.json()["errors"]} == {2}, value


def test_a_batch_that_is_sent_again_is_not_made_again(artist_api: Any, caller: Any, shots: list[Shot]) -> None:
    create = [{"fields": {"description": text}, "before": shots[1].pk} for text in ("하나", "둘")]
    body = {"create": create, "items": [{"id": shots[0].pk, "fields": {"size": "CU"}}], "key": "k1", "since": 0}
    first = artist_api.post(BATCH, body, format="json", headers={"X-AIP-Tab": "one"}).json()
    assert "repeated" not in first
    assert len(first["created"]) == 2
    # The answer was lost: a page sends it again, from another tab when the first one was closed.
    again = artist_api.post(BATCH, body, format="json", headers={"X-AIP-Tab": "two"}).json()
    assert again["repeated"] is True
    assert again["created"] == first["created"]
    assert Shot.objects.live().filter(description__in=["하나", "둘"]).count() == 2
    assert Action.objects.filter(key="k1").count() == 1
    rows = artist_api.post(BATCH, {k: body[k] for k in ("create", "key")}, format="json").json()["results"]
    assert [row["id"] for row in rows if row["id"] in first["created"]] == first["created"]
    # A key is a person's own, and what was refused was not made under it.
    theirs = caller("director").post(BATCH, body, format="json").json()
    assert len(theirs["created"]) == 2
    assert not set(theirs["created"]) & set(first["created"])
    wrong = {"create": [{"size": "??"}], "key": "k2"}
    assert artist_api.post(BATCH, wrong, format="json").status_code == 422
    assert len(artist_api.post(BATCH, {**wrong, "create": [{"size": "CU"}]}, format="json").json()["created"]) == 1
    gone = {"delete": first["created"], "key": "k3"}
    answers = [caller("director").post(BATCH, gone, format="json").json() for _try in range(2)]
    assert [answer["deleted"] for answer in answers] == [first["created"]] * 2


def test_two_tries_of_one_batch_at_once_make_it_once(project: Any, team: Any, shots: list[Shot]) -> None:
    def made() -> Any:
        return apply_batch(project=project, actor=team["artist"], create=[{}], key="same")

    made()
    count = Shot.objects.count()
    with pytest.raises(Repeated):  # as when the other one was committed while this one wrote
        made()
    assert Shot.objects.count() == count
