"""An uploaded sheet from look to apply and back: conflicts, places, decisions, one undo step."""

from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.history.services import redo, undo
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.tables.models import SheetImport
from aipipeline.tables.sheets import store
from aipipeline.tables.sheets.apply import apply_import, summary
from aipipeline.tables.sheets.decisions import Decisions
from aipipeline.tables.sheets.imports import clean_imports, decide, find_import, look
from aipipeline.tables.tests.sheets import cells_of, difference, edited, exported, sent
from assets.models import Character
from shots.models import Casting, Scene, Shot
from shots.services import editing
from shots.services.batch import apply_batch
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
FIELDS = ("description", "action", "dialogue", "prompt")


@pytest.fixture
def many(project: Any, admin_user: Any) -> list[Shot]:
    rows = [{"fields": {name: f"{name} {n}" for name in FIELDS}} for n in range(60)]
    apply_batch(project=project, actor=admin_user, create=rows)
    return list(Shot.objects.filter(project=project).order_by("position"))


def state_of(project: Any) -> list[dict[str, Any]]:
    """Everything of the list that a person sees, in order."""
    names = ("id", "code", "scene_id", "size", "duration_frames", "removed_at", *FIELDS)
    rows = list(Shot.objects.live().filter(project=project).order_by("position", "id").values(*names))
    casts = Casting.objects.live().filter(project=project).order_by("order").values_list("shot_id", "character_id")
    for row in rows:
        row["cast"] = [character for shot, character in casts if shot == row["id"]]
    return rows


def write(project: Any, actor: Any, shot: Shot, **fields: Any) -> None:
    editing.update_shots(project=project, actor=actor, items=[{"id": shot.pk, "fields": fields}])


def put(values: dict[tuple[int, str], Any]) -> Any:
    """An edit of a sheet: by row number and header."""

    def change(sheet: Any, column: dict[str, int]) -> None:
        for (row, name), value in values.items():
            sheet.cell(row, column[name]).value = value

    return change


@pytest.mark.parametrize("format", ["xlsx", "csv"])
def test_two_hundred_cells_there_fifty_here_twenty_the_same(
    project: Any, admin_user: Any, artist: Any, many: list[Shot], format: str
) -> None:
    cells = [(row, name) for row in range(50) for name in FIELDS]
    data = exported(project, format=format)
    if format == "xlsx":
        data = edited(data, put({(row + 2, name): f"시트 {name} {row}" for row, name in cells}))
    else:
        text = data.decode("utf-8-sig")
        for row, name in reversed(cells):
            text = text.replace(f"{name} {row},", f"시트 {name} {row},", 1)
        data = text.encode("utf-8-sig")
    same = cells[::10][:20]
    others = [(row, name) for row in range(50, 60) for name in FIELDS][:30]
    editing.update_shots(
        project=project, actor=artist,
        items=[{"id": many[row].pk, "fields": {name: f"여기 {row}"}} for row, name in (*same, *others)],
    )  # fmt: skip
    before = state_of(project)
    row = sent(project, admin_user, data, f"s.{format}")
    diff = look(row)
    assert {name: diff.counts[name] for name in ("changed", "conflict", "added", "removed", "moved", "errors")} == {
        "changed": 180, "conflict": 20, "added": 0, "removed": 0, "moved": 0, "errors": 0,
    }  # fmt: skip
    assert diff.counts["here"] == 30
    conflicts = {(cell.field, cell.here) for cell in cells_of(diff) if cell.state == "conflict"}
    assert conflicts == {(name, f"여기 {number}") for number, name in same}
    assert state_of(project) == before, "looking writes nothing"
    # Without a word the conflicts stay as they are here, and the rest is taken.
    assert summary(diff, Decisions()) == {"cells": 180, "rows": 0, "open": 20}
    actions = Action.objects.count()
    apply_import(row=row, actor=admin_user, accept="all")
    assert Action.objects.count() == actions + 1
    for number, name in cells:
        many[number].refresh_from_db()
        assert getattr(many[number], name) == f"시트 {name} {number}"
    assert Shot.objects.filter(prompt__startswith="여기").count() + Shot.objects.filter(
        description__startswith="여기"
    ).count() == sum(name in ("prompt", "description") for _row, name in others)
    after = state_of(project)
    done = undo(project=project, actor=admin_user)
    assert done.skipped == []
    assert state_of(project) == before
    redo(project=project, actor=admin_user)
    assert state_of(project) == after


def test_new_removed_and_moved_rows_find_their_places(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    apply_batch(project=project, actor=admin_user, create=[{"fields": {"description": f"더 {n}"}} for n in range(5)])
    shots = list(Shot.objects.filter(project=project).order_by("position"))
    before = state_of(project)

    def change(sheet: Any, column: dict[str, int]) -> None:
        lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
        sheet.delete_rows(2, len(lines))
        new = [None] * len(lines[0])
        new[column["description"] - 1] = "사이에 새 행"
        new[column["characters"] - 1] = lines[0][column["characters"] - 1]
        order = [lines[6], lines[0], new, lines[1], lines[3], lines[4], lines[5], lines[7]]  # 2 is gone, 6 leads
        for line in order:
            sheet.append(line)

    row = sent(project, admin_user, edited(exported(project), change))
    diff = look(row)
    assert {k: diff.counts[k] for k in ("added", "removed", "moved", "changed", "conflict")} == {
        "added": 1, "removed": 1, "moved": 1, "changed": 0, "conflict": 0,
    }  # fmt: skip
    # A missing row needs a word; a new or moved one does not.
    assert summary(diff, Decisions()) == {"cells": 0, "rows": 2, "open": 1}
    apply_import(row=row, actor=admin_user, accept="all")
    now = state_of(project)
    new = next(entry for entry in now if entry["description"] == "사이에 새 행")
    assert [entry["id"] for entry in now] == [
        shots[6].pk, shots[0].pk, new["id"], shots[1].pk, *(shots[n].pk for n in (3, 4, 5, 7)),
    ]  # fmt: skip
    assert new["cast"] == before[0]["cast"] != []
    undo(project=project, actor=admin_user)
    assert state_of(project) == before


def test_decisions_are_kept_between_requests_and_the_newest_counts(
    project: Any, admin_user: Any, many: list[Shot]
) -> None:
    data = edited(exported(project), put({(n, name): "시트" for n in (2, 3, 4) for name in ("description", "action")}))
    write(project, admin_user, many[2], action="여기")
    row = sent(project, admin_user, data)
    say = [
        {"scope": "row", "key": "2", "accept": False},
        {"scope": "cell", "key": "2.action", "accept": True},
        {"scope": "column", "key": "description", "accept": False},
        {"scope": "cell", "key": "4.action", "accept": True},
    ]
    decide(row=row, words=say)
    other = find_import(row.pk, actor=admin_user)  # as another web process reads it
    assert summary(look(other), Decisions(other.decisions)) == {"cells": 3, "rows": 0, "open": 0}
    apply_import(row=other, actor=admin_user)
    found = list(Shot.objects.filter(pk__in=[s.pk for s in many[:3]]).order_by("position").values_list(*FIELDS[:2]))
    assert found == [("description 0", "시트"), ("description 1", "시트"), ("description 2", "시트")]
    with pytest.raises(Conflict):
        apply_import(row=find_import(row.pk, actor=admin_user), actor=admin_user)
    with pytest.raises(Invalid):
        decide(row=sent(project, admin_user, data), words=[{"scope": "planet", "key": "", "accept": True}])


def test_what_changed_since_the_look_is_refused_and_told(project: Any, admin_user: Any, many: list[Shot]) -> None:
    data = edited(exported(project), put({(2, "description"): "시트", (3, "description"): "시트"}))
    row = sent(project, admin_user, data)
    look(row)
    write(project, admin_user, many[0], description="은밀히")
    before = state_of(project)
    with pytest.raises(Conflict) as caught:
        apply_import(row=row, actor=admin_user, accept="all")
    assert [(c["id"], c["seen"], c["here"]) for c in caught.value.details["cells"]] == [
        ("2.description", "description 0", "은밀히")
    ]
    assert state_of(project) == before
    assert SheetImport.objects.get(pk=row.pk).state == "ready"
    # It is a conflict now; who has seen that may take the sheet's value.
    assert [cell.id for cell in cells_of(look(row)) if cell.state == "conflict"] == ["2.description"]
    apply_import(row=row, actor=admin_user, accept="all")
    many[0].refresh_from_db()
    assert many[0].description == "시트"


def test_another_column_that_changed_meanwhile_hinders_nothing(project: Any, admin_user: Any, many: list[Shot]) -> None:
    row = sent(project, admin_user, edited(exported(project), put({(2, "description"): "시트"})))
    look(row)
    write(project, admin_user, many[0], action="여기")
    apply_import(row=row, actor=admin_user, accept="all")
    many[0].refresh_from_db()
    assert (many[0].description, many[0].action) == ("시트", "여기")


def test_an_emptied_cell_of_our_sheet_is_an_edit(project: Any, admin_user: Any, many: list[Shot]) -> None:
    diff = difference(project, admin_user, edited(exported(project), put({(2, "action"): None})))
    assert [(c.field, c.here, c.sheet, c.state) for c in cells_of(diff)] == [("action", "action 0", "", "changed")]


def test_words_of_people_are_values(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    cast = list(Character.objects.filter(project=project).order_by("name"))
    other = Scene.objects.filter(project=project).exclude(pk=shots[0].scene_id)[0]
    edit = put({
        (2, "size"): "cu", (2, "duration_frames"): "2s", (2, "movement"): "Push in", (2, "scene"): other.code,
        (2, "characters"): f"{cast[1].name}; {cast[0].name}", (3, "duration_frames"): "00:00:01:12",
    })  # fmt: skip
    row = sent(project, admin_user, edited(exported(project), edit))
    assert look(row).errors == []
    apply_import(row=row, actor=admin_user, accept="all")
    shots[0].refresh_from_db()
    assert (shots[0].size, shots[0].duration_frames, shots[0].movement) == ("CU", 48, "push_in")
    assert shots[0].scene_id == other.pk
    assert [c.character_id for c in Casting.objects.live().filter(shot=shots[0])] == [cast[1].pk, cast[0].pk]


def test_errors_name_row_and_column_and_write_nothing(project: Any, admin_user: Any, many: list[Shot]) -> None:
    edit = put({
        (2, "description"): "gut", (3, "size"): "HUGE", (4, "duration_frames"): -3, (5, "scene"): "SCN_999",
        (6, "emotion"): "x" * 81, (7, "seed"): "2.5", (8, "characters"): "아무도",
    })  # fmt: skip
    row = sent(project, admin_user, edited(exported(project), edit))
    diff = look(row)
    wrong = [(3, "size"), (4, "duration_frames"), (5, "scene"), (6, "emotion"), (7, "seed"), (8, "characters")]
    assert [(e.row, e.field) for e in diff.errors] == wrong
    assert all(e.letter and e.message for e in diff.errors)
    before = state_of(project)
    with pytest.raises(Invalid) as caught:
        apply_import(row=row, actor=admin_user, accept="all")
    assert set(caught.value.fields) == {f"{number}.{name}" for number, name in wrong}
    assert state_of(project) == before
    decide(row=row, words=[{"scope": "errors", "accept": True}])
    apply_import(row=SheetImport.objects.get(pk=row.pk), actor=admin_user)
    assert state_of(project)[0]["description"] == "gut"


def test_rows_of_assets_come_in_too(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    first = Character.objects.filter(project=project).order_by("id")[0]

    def change(sheet: Any, column: dict[str, int]) -> None:
        sheet.cell(2, column["role"]).value = "조력자"
        sheet.append([None, "새 사람", "행인"])

    row = sent(project, admin_user, edited(exported(project, "characters"), change), kind="characters")
    assert {k: look(row).counts[k] for k in ("changed", "added")} == {"changed": 1, "added": 1}
    apply_import(row=row, actor=admin_user, accept="all")
    first.refresh_from_db()
    assert first.role == "조력자"
    assert Character.objects.live().filter(project=project, name="새 사람", role="행인").exists()
    undo(project=project, actor=admin_user)
    first.refresh_from_db()
    assert first.role != "조력자"
    assert not Character.objects.live().filter(project=project, name="새 사람").exists()


def test_uploads_go_away_after_two_weeks(project: Any, admin_user: Any, many: list[Shot]) -> None:
    from datetime import timedelta

    from django.utils import timezone

    old, new = (sent(project, admin_user, exported(project)) for _n in range(2))
    SheetImport.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=15))
    assert clean_imports() == 1
    assert not store.folder_of(old.pk).exists()
    assert store.folder_of(new.pk).exists()
    with pytest.raises(NotFound):
        find_import(old.pk, actor=admin_user)
    assert find_import(new.pk, actor=admin_user).name == "s.xlsx"
